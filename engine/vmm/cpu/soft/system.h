// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The system half of the software CPU: what its files (mmu.c segment.c stack.c fault.c iret.c
 * task.c far.c fastcall.c control.c table.c msr.c cpuid.c debug.c io.c pvclock.c vcpu.c) share.
 *
 * Terms and order of checks are those of the SDM: volume 2 (each instruction's "Operation"),
 * volume 3 chapters "Protection", "Interrupt and Exception Handling", "Task Management".
 *
 * A function here that may fault says so by citing the exception; nothing has changed then, but
 * for accessed bits and bytes pushed below a stack pointer. Only the vCPU's thread.
 */
#pragma once

#include "engine/vmm/cpu/soft/access.h"
#include "engine/vmm/cpu/soft/decode.h"
#include "engine/vmm/cpu/soft/soft.h"

/* Bits of a physical address; CPUID tells, page tables are checked against it. */
#define SOFT_PHYSICAL_BITS 46

/* Types of system segments (SDM volume 3, table 3-2), as attributes & (S | type) gives them. */
enum {
	SOFT_TYPE_TSS16 = 1,
	SOFT_TYPE_LDT = 2,
	SOFT_TYPE_TSS16_BUSY = 3,
	SOFT_TYPE_CALL16 = 4,
	SOFT_TYPE_TASK_GATE = 5,
	SOFT_TYPE_INTERRUPT16 = 6,
	SOFT_TYPE_TRAP16 = 7,
	SOFT_TYPE_TSS = 9,
	SOFT_TYPE_TSS_BUSY = 11,
	SOFT_TYPE_CALL = 12,
	SOFT_TYPE_INTERRUPT = 14,
	SOFT_TYPE_TRAP = 15,
};

/* Bits of the type of a code or data segment. */
#define SOFT_TYPE_ACCESSED 1u
#define SOFT_TYPE_WRITABLE 2u   /* data */
#define SOFT_TYPE_READABLE 2u   /* code */
#define SOFT_TYPE_DOWN 4u       /* data: expands down */
#define SOFT_TYPE_CONFORMING 4u /* code */
#define SOFT_TYPE_CODE 8u

/* ---- segment.c: descriptors and segment registers ---- */

/* A descriptor as read from its table. */
struct soft_descriptor {
	struct vcpu_segment segment; /* base, limit, attributes; selector as asked for */
	uint64_t linear;             /* where it is */
	uint64_t raw;                /* the first 8 bytes */
	uint64_t high;               /* bytes 8-15 of a system descriptor in long mode, else 0 */
};

/* Reads the descriptor that selector (not null) names. False: outside its table. */
bool soft_descriptor_read(struct soft_cpu *cpu, uint16_t selector, struct soft_descriptor *d);
/* The same, raising vector with the selector where it is outside. */
void soft_descriptor_get(
	struct soft_cpu *cpu, uint16_t selector, unsigned vector, struct soft_descriptor *d);
/* Sets the accessed bit, in the table and in d, of a code or data segment. */
void soft_descriptor_accessed(struct soft_cpu *cpu, struct soft_descriptor *d);
/* Sets or clears the busy bit of a task state segment's descriptor in its table. */
void soft_descriptor_busy(struct soft_cpu *cpu, struct soft_descriptor *d, bool busy);

static inline unsigned soft_descriptor_type(const struct soft_descriptor *d)
{
	return d->segment.attributes & (SOFT_SEG_S | SOFT_SEG_TYPE);
}

static inline bool soft_segment_is_code(const struct vcpu_segment *s)
{
	return (s->attributes & (SOFT_SEG_S | SOFT_TYPE_CODE)) == (SOFT_SEG_S | SOFT_TYPE_CODE);
}

static inline bool soft_segment_is_conforming(const struct vcpu_segment *s)
{
	return s->attributes & SOFT_TYPE_CONFORMING;
}

/* Raises vector with a selector error code; EXT is set while an event is being delivered. */
_Noreturn void soft_raise_selector(struct soft_cpu *cpu, unsigned vector, uint16_t selector);

/* Fills s as real and virtual-8086 mode do. */
void soft_segment_real(struct vcpu_segment *s, uint16_t selector);
/* Loads a data, extra or stack segment register as MOV does: #GP #SS #NP. */
void soft_segment_load(struct soft_cpu *cpu, unsigned seg, uint16_t selector);
/* The same for DS ES FS GS in protected mode, raising vector where the selector is wrong. The mode
 * word is left as it was. */
void soft_segment_data(struct soft_cpu *cpu, unsigned seg, uint16_t selector, unsigned vector);
/* The stack segment for privilege level cpl, checked. vector (#TS or #GP) is raised for a wrong
 * selector; a stack that is not present is #SS. */
void soft_stack_segment(struct soft_cpu *cpu, uint16_t selector, unsigned cpl, unsigned vector,
	struct soft_descriptor *d);
/* Puts a null selector that means "no segment at this level" into s. */
void soft_segment_null(struct vcpu_segment *s, uint16_t selector, unsigned dpl);
/* After a return to an outer level: DS ES FS GS that it must not use become null. */
void soft_segments_drop(struct soft_cpu *cpu, unsigned cpl);

/* Address of [offset, offset + size) in s (not a 64-bit one): false past its limit or of the wrong
 * type. protected: types are checked. */
bool soft_segment_address(const struct vcpu_segment *s, uint64_t offset, unsigned size,
	enum soft_access access, bool protected, uint64_t *linear);

/* The fault of a non-canonical linear address: #SS(0) for stack references, else #GP(0). */
_Noreturn void soft_raise_canonical(struct soft_cpu *cpu);

/* ---- stack.c: a stack worked on aside and taken over at the end ---- */

struct soft_stack {
	struct vcpu_segment ss;
	uint64_t sp;
	uint64_t mask; /* of sp: 16, 32 or 64 bits */
	enum soft_tlb_set set;
	uint16_t error; /* selector for #SS */
	bool flat;      /* 64-bit: ss is not looked at */
	bool protected;
};

/* The present stack. */
void soft_stack_current(struct soft_cpu *cpu, struct soft_stack *stack);
/* One of privilege level cpl; error is its selector for a gate, 0 for returns. */
void soft_stack_make(struct soft_cpu *cpu, struct soft_stack *stack, const struct vcpu_segment *ss,
	uint64_t sp, unsigned cpl, bool flat);
/* size 2, 4 or 8: #SS #PF. */
void soft_stack_push(struct soft_cpu *cpu, struct soft_stack *stack, uint64_t value, unsigned size);
uint64_t soft_stack_pop(struct soft_cpu *cpu, struct soft_stack *stack, unsigned size);
/* Sets the stack pointer (its low 16 bits on a 16-bit stack). */
void soft_stack_commit(struct soft_cpu *cpu, const struct soft_stack *stack);

/* ---- fault.c: exceptions and interrupts ---- */

/* Who interrupts: it decides on privilege checks, the EXT bit and on what a second fault makes. */
enum soft_event {
	SOFT_EVENT_NONE,
	SOFT_EVENT_SOFTWARE, /* INT n, INT3, INTO: the gate's DPL counts */
	SOFT_EVENT_EXTERNAL, /* interrupt or NMI */
	SOFT_EVENT_BENIGN,   /* exceptions, by their class in table 6-5 */
	SOFT_EVENT_CONTRIBUTORY,
	SOFT_EVENT_PAGE,
	SOFT_EVENT_DOUBLE,
};

struct soft_interrupt {
	uint8_t vector;
	enum soft_event event;
	bool has_error;
	uint32_t error;
	uint64_t rflags; /* to be pushed */
};

/* Goes through the IDT (or the interrupt vectors) with cpu->rip as the return address. */
void soft_interrupt(struct soft_cpu *cpu, const struct soft_interrupt *in);
/* An interrupt from outside, between instructions. */
void soft_interrupt_external(struct soft_cpu *cpu, unsigned vector);
/* A #DB trap, between instructions. */
void soft_interrupt_debug(struct soft_cpu *cpu);

/* ---- far.c, iret.c: returns ---- */

/* A far return or IRET in protected or long mode, its items popped as far as they are here. */
struct soft_return {
	unsigned size; /* of an item */
	uint64_t rip;
	uint16_t cs;
	unsigned release; /* RETF n: bytes dropped from both stacks */
	bool iret;
	uint64_t rflags; /* iret: what is to be in RFLAGS, rights seen to */
};

/* Goes there: stack stands after the popped items. #GP #NP #SS #PF. */
void soft_return(struct soft_cpu *cpu, struct soft_stack *stack, const struct soft_return *r);
/* RFLAGS after a POPF or IRET of size bytes at the present level. */
uint64_t soft_flags_popped(const struct soft_cpu *cpu, uint64_t value, unsigned size);
/* A real or virtual-8086 mode far jump: #GP(0) past CS's limit. */
void soft_jump_real(struct soft_cpu *cpu, uint16_t selector, uint64_t target);

/* ---- task.c ---- */

enum soft_task_switch { SOFT_TASK_JUMP, SOFT_TASK_CALL, SOFT_TASK_RETURN, SOFT_TASK_GATE };

/* Switches to the task of a TSS descriptor that the caller has checked for access (not for type,
 * presence and limit): SDM volume 3, section 7.3. rip must be that to be saved. */
void soft_task_switch(struct soft_cpu *cpu, struct soft_descriptor *d, enum soft_task_switch why);
/* Reads and checks the TSS that a task gate in an IDT or descriptor table names, then switches. */
void soft_task_gate(struct soft_cpu *cpu, uint16_t selector, enum soft_task_switch why);
/* IRET with NT set. */
void soft_task_return(struct soft_cpu *cpu);
/* ESP and SS of a privilege level from the current TSS: #TS. */
void soft_task_stack(struct soft_cpu *cpu, unsigned cpl, uint64_t *esp, uint16_t *ss);
/* In long mode: RSP of a level (0-2), or of an interrupt stack table entry (IST 1-7). */
uint64_t soft_task_rsp(struct soft_cpu *cpu, unsigned cpl);
uint64_t soft_task_ist(struct soft_cpu *cpu, unsigned ist);

/* ---- control.c, msr.c, cpuid.c, debug.c ---- */

/* Writes as MOV CR and the like do: #GP. */
void soft_cr0_write(struct soft_cpu *cpu, uint64_t value);
void soft_cr3_write(struct soft_cpu *cpu, uint64_t value);
void soft_cr4_write(struct soft_cpu *cpu, uint64_t value);
void soft_dr_write(struct soft_cpu *cpu, unsigned dr, uint64_t value);
/* False: #GP(0). */
bool soft_msr_read(struct soft_cpu *cpu, uint32_t msr, uint64_t *value);
bool soft_msr_write(struct soft_cpu *cpu, uint32_t msr, uint64_t value);
/* EAX EBX ECX EDX of a leaf. */
void soft_cpuid(struct soft_cpu *cpu, uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
/* Whether an enabled data or I/O breakpoint lies in the page. */
bool soft_debug_watches(const struct soft_cpu *cpu, uint64_t page);
/* Collects the hits of I/O breakpoints. */
void soft_debug_io(struct soft_cpu *cpu, unsigned port, unsigned size);
/* Guest TSC. */
uint64_t soft_tsc(const struct soft_cpu *cpu);
/* pvclock.c: writes to the PV clock's MSRs. False: #GP(0). */
bool soft_pvclock_system_time(struct soft_cpu *cpu, uint64_t value);
bool soft_pvclock_wall_clock(struct soft_cpu *cpu, uint64_t value);

/* Tells the machine of something not emulated. */
void soft_warn(struct soft_cpu *cpu, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* mmu.c: PAE's four pointers, read again from CR3's table: false where one is malformed. */
bool soft_pdpte_load(struct soft_cpu *cpu, uint64_t cr3);
void soft_mmu_free(struct soft_cpu *cpu);

/* Wakes the vCPU's thread from HLT (vcpu.c). Any thread. */
void soft_wake(struct soft_cpu *cpu);

/* The instructions, by file; rows in system.c. */
#define SOFT_INSTRUCTION(name)                                                                     \
	void soft_sys_##name(struct soft_cpu *cpu, const struct soft_insn *insn)

/* segment.c */
SOFT_INSTRUCTION(mov_to_seg);
SOFT_INSTRUCTION(mov_from_seg);
SOFT_INSTRUCTION(push_seg);
SOFT_INSTRUCTION(pop_seg);
SOFT_INSTRUCTION(load_far_pointer);
SOFT_INSTRUCTION(swapgs);
SOFT_INSTRUCTION(read_base);
SOFT_INSTRUCTION(write_base);

/* far.c, iret.c, fastcall.c, fault.c */
SOFT_INSTRUCTION(far_immediate);
SOFT_INSTRUCTION(far_memory);
SOFT_INSTRUCTION(far_return);
SOFT_INSTRUCTION(iret);
SOFT_INSTRUCTION(syscall);
SOFT_INSTRUCTION(sysret);
SOFT_INSTRUCTION(sysenter);
SOFT_INSTRUCTION(sysexit);
SOFT_INSTRUCTION(int3);
SOFT_INSTRUCTION(int1);
SOFT_INSTRUCTION(int_n);
SOFT_INSTRUCTION(into);

/* iret.c */
SOFT_INSTRUCTION(pushf);
SOFT_INSTRUCTION(popf);
SOFT_INSTRUCTION(cli);
SOFT_INSTRUCTION(sti);
SOFT_INSTRUCTION(clac);
SOFT_INSTRUCTION(stac);

/* io.c */
SOFT_INSTRUCTION(in);
SOFT_INSTRUCTION(out);
SOFT_INSTRUCTION(ins);
SOFT_INSTRUCTION(outs);

/* table.c */
SOFT_INSTRUCTION(sgdt);
SOFT_INSTRUCTION(sidt);
SOFT_INSTRUCTION(lgdt);
SOFT_INSTRUCTION(lidt);
SOFT_INSTRUCTION(sldt);
SOFT_INSTRUCTION(str);
SOFT_INSTRUCTION(lldt);
SOFT_INSTRUCTION(ltr);
SOFT_INSTRUCTION(verr);
SOFT_INSTRUCTION(verw);
SOFT_INSTRUCTION(lar);
SOFT_INSTRUCTION(lsl);
SOFT_INSTRUCTION(arpl);
SOFT_INSTRUCTION(bound);

/* control.c, debug.c, msr.c, cpuid.c */
SOFT_INSTRUCTION(hlt);
SOFT_INSTRUCTION(pause);
SOFT_INSTRUCTION(clts);
SOFT_INSTRUCTION(smsw);
SOFT_INSTRUCTION(lmsw);
SOFT_INSTRUCTION(mov_from_cr);
SOFT_INSTRUCTION(mov_to_cr);
SOFT_INSTRUCTION(mov_from_dr);
SOFT_INSTRUCTION(mov_to_dr);
SOFT_INSTRUCTION(invlpg);
SOFT_INSTRUCTION(invd);
SOFT_INSTRUCTION(rdtsc);
SOFT_INSTRUCTION(rdtscp);
SOFT_INSTRUCTION(rdpid);
SOFT_INSTRUCTION(rdpmc);
SOFT_INSTRUCTION(rdrand);
SOFT_INSTRUCTION(xgetbv);
SOFT_INSTRUCTION(xsetbv);
SOFT_INSTRUCTION(vmcall);
SOFT_INSTRUCTION(cpuid);
SOFT_INSTRUCTION(rdmsr);
SOFT_INSTRUCTION(wrmsr);

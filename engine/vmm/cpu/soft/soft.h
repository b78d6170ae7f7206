// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The software CPU: the state of one x86-64 processor and the functions its files share.
 *
 * How an instruction runs: soft_cpu_run() (exec.c) finds the block of decoded instructions at rip
 * (block.h), and each instruction's handler calls the next one's until the block is left. What
 * faults calls soft_raise(), which leaves the block by longjmp; so a handler loads and probes
 * first and changes state last: an instruction commits once or not at all.
 *
 * Where things are:
 *	soft.h     this: the state, modes, flags, faults
 *	access.h   guest memory by linear and segmented address
 *	decode.h   struct soft_insn, the opcode tables and the decoder
 *	block.h    the cache of decoded blocks; code that changes
 *	ops.h      threaded dispatch, for the files with integer handlers
 *	fuse.h     pairs done in one step; flags that nobody sees
 *	exec.c     the run loop, soft_raise()
 *	cpu.c      making, freeing and resetting a processor; soft_update_mode()
 *	access.c   slow paths of access.h
 *	world.c    stopping all vCPUs for a locked access across two pages
 *	op_*.c     integer handlers and their rows of the opcode table
 *	mmu.c      page walks, filling and flushing the TLB
 *	segment.c stack.c fault.c iret.c task.c far.c fastcall.c table.c control.c
 *	msr.c cpuid.c debug.c io.c pvclock.c
 *	           system instructions, delivery of exceptions and interrupts (system.h)
 *	fp*.c simd*.c
 *	           x87, MMX, SSE on the host's units
 *	save.c     registers out to a file and in again
 *	vcpu.c     the vCPU interface over all this
 *
 * Threads: a soft_cpu belongs to its vCPU's thread. Others only post requests (soft_post()).
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/clock.h"
#include "engine/vmm/cpu/soft/fpstate.h"
#include "engine/vmm/cpu/vcpu.h"
#include "engine/vmm/memory.h"

#include <glib.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct soft_insn;
struct soft_block;
struct soft_blocks;
struct soft_machine;

/* Indexes into gpr[]. Slots 16 and up are not guest registers: they let one address formula,
 * base + (index << scale) + disp, serve all forms. */
enum {
	SOFT_RAX, SOFT_RCX, SOFT_RDX, SOFT_RBX, SOFT_RSP, SOFT_RBP, SOFT_RSI, SOFT_RDI,
	SOFT_R8, SOFT_R9, SOFT_R10, SOFT_R11, SOFT_R12, SOFT_R13, SOFT_R14, SOFT_R15,
	SOFT_ZERO,    /* always 0 */
	SOFT_ORIGIN,  /* rip of the running block's first instruction (RIP-relative addresses) */
	SOFT_FS_BASE, /* copies of seg[].base, kept by soft_update_mode() */
	SOFT_GS_BASE,
	SOFT_SLOTS,
};

/* Segment registers, in the manual's encoding. */
enum { SOFT_ES, SOFT_CS, SOFT_SS, SOFT_DS, SOFT_FS, SOFT_GS, SOFT_SEGMENTS };

/* Segment attributes (struct vcpu_segment). */
#define SOFT_SEG_TYPE 0x0fu
#define SOFT_SEG_S 0x10u
#define SOFT_SEG_DPL(attributes) ((attributes) >> 5 & 3)
#define SOFT_SEG_P 0x80u
#define SOFT_SEG_L 0x2000u
#define SOFT_SEG_DB 0x4000u
#define SOFT_SEG_G 0x8000u
#define SOFT_SEG_UNUSABLE 0x10000u

/* RFLAGS (SDM volume 1, section 3.4.3). */
#define SOFT_CF 0x1u
#define SOFT_PF 0x4u
#define SOFT_AF 0x10u
#define SOFT_ZF 0x40u
#define SOFT_SF 0x80u
#define SOFT_TF 0x100u
#define SOFT_IF 0x200u
#define SOFT_DF 0x400u
#define SOFT_OF 0x800u
#define SOFT_IOPL 0x3000u
#define SOFT_NT 0x4000u
#define SOFT_RF 0x10000u
#define SOFT_VM 0x20000u
#define SOFT_AC 0x40000u
#define SOFT_VIF 0x80000u
#define SOFT_VIP 0x100000u
#define SOFT_ID 0x200000u
#define SOFT_ARITHMETIC (SOFT_CF | SOFT_PF | SOFT_AF | SOFT_ZF | SOFT_SF | SOFT_OF)

/* The arithmetic flags as LAHF and SETO leave them in AX: AH = SF ZF 0 AF 0 PF 1 CF, AL = OF.
 * Handlers let the host compute them, so undefined ones are this host's too. */
#define SOFT_IMAGE_CF 0x100u
#define SOFT_IMAGE_PF 0x400u
#define SOFT_IMAGE_AF 0x1000u
#define SOFT_IMAGE_ZF 0x4000u
#define SOFT_IMAGE_SF 0x8000u
#define SOFT_IMAGE_OF 0x1u

/* Control registers and EFER. */
#define SOFT_CR0_PE 0x1u
#define SOFT_CR0_MP 0x2u
#define SOFT_CR0_EM 0x4u
#define SOFT_CR0_TS 0x8u
#define SOFT_CR0_ET 0x10u
#define SOFT_CR0_NE 0x20u
#define SOFT_CR0_WP 0x10000u
#define SOFT_CR0_AM 0x40000u
#define SOFT_CR0_NW 0x20000000u
#define SOFT_CR0_CD 0x40000000u
#define SOFT_CR0_PG 0x80000000u
#define SOFT_CR4_VME 0x1u
#define SOFT_CR4_PVI 0x2u
#define SOFT_CR4_TSD 0x4u
#define SOFT_CR4_DE 0x8u
#define SOFT_CR4_PSE 0x10u
#define SOFT_CR4_PAE 0x20u
#define SOFT_CR4_MCE 0x40u
#define SOFT_CR4_PGE 0x80u
#define SOFT_CR4_PCE 0x100u
#define SOFT_CR4_OSFXSR 0x200u
#define SOFT_CR4_OSXMMEXCPT 0x400u
#define SOFT_CR4_UMIP 0x800u
#define SOFT_CR4_FSGSBASE 0x10000u
#define SOFT_CR4_PCIDE 0x20000u
#define SOFT_CR4_OSXSAVE 0x40000u
#define SOFT_CR4_SMEP 0x100000u
#define SOFT_CR4_SMAP 0x200000u
#define SOFT_EFER_SCE 0x1u
#define SOFT_EFER_LME 0x100u
#define SOFT_EFER_LMA 0x400u
#define SOFT_EFER_NXE 0x800u

/* Exception vectors. */
enum {
	SOFT_DE = 0, SOFT_DB = 1, SOFT_NMI = 2, SOFT_BP = 3, SOFT_OV = 4, SOFT_BR = 5, SOFT_UD = 6,
	SOFT_NM = 7, SOFT_DF_FAULT = 8, SOFT_TS = 10, SOFT_NP = 11, SOFT_SS_FAULT = 12,
	SOFT_GP = 13,
	SOFT_PF_FAULT = 14, SOFT_MF = 16, SOFT_AC_FAULT = 17, SOFT_XM = 19,
};

/*
 * The mode word: everything decoding and dispatch depend on, derived from registers by
 * soft_update_mode(). Part of the key of every block and jump.
 */
#define SOFT_MODE_CPL 0x3u        /* current privilege level */
#define SOFT_MODE_CODE32 0x4u     /* default operand and address size 32 */
#define SOFT_MODE_CODE64 0x8u     /* 64-bit code segment (then CODE32 is clear) */
#define SOFT_MODE_STACK32 0x10u   /* SS.B (or 64-bit code) */
#define SOFT_MODE_PROTECTED 0x20u /* CR0.PE */
#define SOFT_MODE_V86 0x40u       /* EFLAGS.VM */
#define SOFT_MODE_LONG 0x80u      /* EFER.LMA */
#define SOFT_MODE_FLAT 0x100u     /* not 64-bit, but CS DS ES SS are flat, 4 GiB and usable */
#define SOFT_MODE_STEP 0x200u     /* TF */
#define SOFT_MODE_BREAK 0x400u    /* DR7 enables any breakpoint: one instruction at a time */
#define SOFT_MODE_SET_SHIFT 12    /* 2 bits: enum soft_tlb_set of data accesses */

/*
 * The soft TLB. Three sets, by what an access may see; a set is direct mapped by page number.
 * A tag is the linear page address where the kind of access goes straight to host memory, else
 * soft_tlb_invalid(). Withheld tags of a valid translation (MMIO, code pages for write, pages with
 * data breakpoints, dirty bit not yet set) lead to the slow path.
 */
#define SOFT_TLB_BITS 12
#define SOFT_TLB_ENTRIES (1u << SOFT_TLB_BITS)
#define SOFT_TLB_LOG (2 * SOFT_TLB_ENTRIES)
#define SOFT_PAGE_MASK (~0xfffull)

enum soft_tlb_set {
	SOFT_SET_USER,   /* CPL 3 */
	SOFT_SET_SYSTEM, /* CPL < 3 that may touch user pages: no SMAP, or AC set */
	SOFT_SET_SMAP,   /* CPL < 3 under SMAP with AC clear; implicit accesses when CR4.SMAP */
	SOFT_SETS,
};

enum soft_access { SOFT_READ, SOFT_WRITE, SOFT_EXEC };

struct soft_tlb_entry {
	uint64_t tag[3]; /* by enum soft_access */
	uint8_t *host;   /* of the page's first byte; NULL for what is not RAM (all tags invalid) */
};

#define SOFT_TLB_CAN_READ 0x1u
#define SOFT_TLB_CAN_WRITE 0x2u /* permitted and the dirty bit is set */
#define SOFT_TLB_CAN_EXEC 0x4u
#define SOFT_TLB_GLOBAL 0x8u
#define SOFT_TLB_LARGE 0x10u /* part of a large page: INVLPG cannot find it by its index alone */
#define SOFT_TLB_WATCH 0x20u /* a data breakpoint lies in the page: every access is slow */

/* The slow side of an entry of the same index. */
struct soft_tlb_info {
	uint64_t page;  /* linear page address, or soft_tlb_invalid() */
	uint64_t gpa;   /* guest physical address of the page */
	uint32_t flags; /* SOFT_TLB_* */
};

struct soft_tlb {
	struct soft_tlb_entry entry[SOFT_TLB_ENTRIES];
	struct soft_tlb_info info[SOFT_TLB_ENTRIES];
	/* Indexes filled since the last flush of their kind, so that a flush costs what was
	 * filled; when a log is full the whole set is flushed. */
	uint32_t logged, logged_global;
	uint16_t log[SOFT_TLB_LOG], log_global[SOFT_TLB_LOG];
	/* Filters for INVLPG (mmu.c): whether a large page of this 4 MiB, or a 1 GiB page, was
	 * filled. */
	uint64_t large[4], huge;
};

/* A tag that no address looked up at this index equals. */
static inline uint64_t soft_tlb_invalid(unsigned index)
{
	return (uint64_t)(index ^ 1) << MEMORY_PAGE_SHIFT;
}

static inline unsigned soft_tlb_index(uint64_t linear)
{
	return linear >> MEMORY_PAGE_SHIFT & (SOFT_TLB_ENTRIES - 1);
}

/* Why the run loop must look up from running blocks: bits of soft_cpu.pending. */
#define SOFT_PENDING_INTERRUPT 0x1u /* the local APIC or 8259 has something (IF decides) */
#define SOFT_PENDING_NMI 0x2u
#define SOFT_PENDING_INIT 0x4u
#define SOFT_PENDING_SIPI 0x8u
#define SOFT_PENDING_KICK 0x10u    /* soft_cpu_run() is to return VCPU_EXIT_KICKED */
#define SOFT_PENDING_HALT 0x20u    /* HLT was executed: sleep until something comes */
#define SOFT_PENDING_PROTECT 0x40u /* others decoded code: soft_blocks_protect() */
#define SOFT_PENDING_PAUSE 0x80u   /* another vCPU needs the world stopped: soft_world_wait() */
#define SOFT_PENDING_SHUTDOWN 0x100u /* triple fault: return VCPU_EXIT_SHUTDOWN */
#define SOFT_PENDING_WAIT 0x200u   /* waits for INIT/SIPI */

/* The fault that soft_raise() carries to the run loop. */
struct soft_fault {
	uint8_t vector;
	bool has_error;
	uint32_t error;
};

/* An entry of the jump cache: from an address to the block there, without a lookup. */
struct soft_jump {
	uint64_t rip;
	uint64_t key; /* soft_cpu.jump_key of its half when it was entered */
	struct soft_block *block;
};

#define SOFT_JUMP_BITS 13
#define SOFT_JUMP_ENTRIES (1u << SOFT_JUMP_BITS)

struct soft_cpu {
	/* Hot: what handlers touch all the time. */
	uint64_t gpr[SOFT_SLOTS];
	uint16_t flags;        /* arithmetic flags as SOFT_IMAGE_* */
	uint32_t mode;         /* SOFT_MODE_* */
	_Atomic uint32_t pending; /* SOFT_PENDING_*; set by soft_post() from any thread */
	uint32_t rmw;          /* not 0 while a slow read-modify-write is under way (access.c) */
	struct soft_tlb *tlb;  /* tlbs + the set of data accesses at this CPL and AC */
	/* Change with the mode word, and with each TLB flush that concerns the lower [0] or the
	 * upper [1] half of the addresses; in the upper half only global pages' jumps are kept. */
	uint64_t jump_key[2];
	/* The instruction being executed, or NULL. A fault's rip is computed from it; where it is
	 * NULL, rip is right as it is (a handler that has switched tasks, say, clears it). */
	const struct soft_insn *current;
	uint64_t rip; /* where to go on; not kept while a block runs */
	uint64_t rflags; /* without the arithmetic flags; bit 1 is set */

	struct vcpu_segment seg[SOFT_SEGMENTS];
	struct vcpu_segment ldtr, tr;
	struct vcpu_table gdtr, idtr;
	uint64_t cr0, cr2, cr3, cr4, efer, xcr0;
	uint64_t pdpte[4]; /* PAE paging outside long mode: loaded with CR3 */
	uint64_t dr[8];
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t tsc_offset; /* guest TSC = clock_ns() + this */
	uint64_t tsc_aux, tsc_adjust, pat, misc_enable, mtrr_def_type;
	uint64_t mtrr_fixed[11], mtrr_variable[16];
	uint64_t spec_ctrl;
	uint64_t pv_system_time, pv_wall_clock; /* the PV clock's MSRs */
	struct soft_fp fp;

	struct soft_fault fault;
	uint8_t delivering; /* fault.c: what is being delivered, for double and triple faults */
	uint8_t delivering_vector;
	bool shadow;      /* STI, MOV SS or POP SS came just before: no interrupt, no #DB yet */
	bool nmi_blocked;
	uint8_t sipi_vector;
	bool nmi_latched; /* one came while nmi_blocked; IRET posts it again */
	bool step_done;   /* the instruction swallows its own single-step trap (INT n, SYSCALL) */
	uint8_t pauses;   /* PAUSE instructions so far */
	uint64_t debug_hits; /* debug.c: DR6 bits collected for the next #DB */
	jmp_buf faulted;

	unsigned id;
	struct soft_machine *machine;
	struct guest_memory *memory; /* machine's, for short */
	const struct vcpu_env *env;
	struct lapic *lapic; /* or NULL in tests */
	void *vcpu;          /* vcpu.c's own */
	struct soft_blocks *blocks;
	/* The branch that left the last block without a link, or NULL (block.c fills its link
	 * in). */
	const struct soft_insn *link_from;
	/* ops.h: the next instruction, in builds without tail calls. */
	const struct soft_insn *resume;
	uint64_t flushes[2]; /* TLB flushes so far: upper parts of jump_key */
	uint64_t instructions; /* executed one at a time outside blocks (statistics only) */

	/* mmu.c: by RAM page, which entry has its write tag: 1 + index in tlbs, 0: none,
	 * 0xffff: look. */
	uint16_t *tlb_writers;

	/* access.c: the read-modify-write under way. */
	struct {
		uint64_t linear;
		unsigned size;
		bool world; /* stopped */
		uint64_t gpa; /* of bytes in a code page */
		uint64_t bounce[2];
	} slow_rmw;
	/* block.c: pages other vCPUs began to hold code of. */
	GMutex protect_lock;
	GArray *protect_pages; /* uint64_t page indexes */

	struct soft_jump jump[SOFT_JUMP_ENTRIES];
	struct soft_tlb tlbs[SOFT_SETS];
};

/* What the vCPUs of one machine share. */
struct soft_machine {
	const struct vcpu_env *env;
	/* Those that run or may: NULL where there is none, or it is parked. They come and go while
	 * others run; one that has gone is not freed before the machine is. Published before it
	 * looks at any code_page[], so that who marks a page either finds it here or is seen. */
	struct soft_cpu *_Atomic cpu[VCPU_MAX];
	atomic_uint cpus;
	/* Stopping the world, for a locked access that crosses a page: world.c. */
	GMutex world_lock;
	GCond world_cond;
	unsigned world_running; /* vCPUs inside blocks */
	bool world_stopped;
};

/*
 * Made and freed by vcpu.c and by tests (cpu.c). env->memory must track code. The new processor is
 * in the state after power-on; machine may be shared by several and is kept by the caller.
 */
struct soft_machine *soft_machine_new(const struct vcpu_env *env);
void soft_machine_free(struct soft_machine *machine);
/* Errors: G_FILE_ERROR where the host grants no executable memory for stub.h. */
struct soft_cpu *soft_cpu_new(struct soft_machine *machine, unsigned id, GError **error);
void soft_cpu_free(struct soft_cpu *cpu);
/* Takes it out of soft_machine's cpu[], or puts it back; nothing where it is so already. */
void soft_cpu_withdraw(struct soft_cpu *cpu);
void soft_cpu_publish(struct soft_cpu *cpu);
/* Power-on state (SDM volume 3, table 10-1): real mode, CS base FFFF0000h, rip FFF0h. */
void soft_cpu_reset(struct soft_cpu *cpu);
/* INIT instead keeps the FPU, MSRs, CR0's CD and NW. */
void soft_cpu_init_signal(struct soft_cpu *cpu);

/* To be called after any change of CR0, CR4, EFER, RFLAGS.VM/TF/AC, CS, SS, DS, ES, FS and GS
 * bases, CPL or DR7: derives mode, tlb, jump_key and the base slots. CPL is SS's DPL (3 in
 * virtual-8086 mode, 0 in real mode), as the manual has it. Cheap. (cpu.c) */
void soft_update_mode(struct soft_cpu *cpu);

/* save.c: the registers of a processor that does not run, and what it waits for. */
void soft_cpu_save(struct soft_cpu *cpu, struct state_out *out);
bool soft_cpu_load(struct soft_cpu *cpu, struct state_in *in, GError **error);

/* Runs until somebody's request ends it. (exec.c) */
enum vcpu_exit soft_cpu_run(struct soft_cpu *cpu);

/* Posts a request from any thread and makes the vCPU look at it (exec.c); waking it from HLT is
 * vcpu.c's soft_wake(). */
void soft_post(struct soft_cpu *cpu, uint32_t pending);
void soft_unpost(struct soft_cpu *cpu, uint32_t pending);

/*
 * Faults (exec.c). rip stays at the running instruction. soft_raise_code() pushes an error code.
 * Traps (INT n, INT3, INTO, #DB after an instruction) are not raised but delivered by fault.c.
 */
_Noreturn void soft_raise(struct soft_cpu *cpu, unsigned vector);
_Noreturn void soft_raise_code(struct soft_cpu *cpu, unsigned vector, uint32_t error);
_Noreturn void soft_raise_page(struct soft_cpu *cpu, uint64_t linear, uint32_t error);
/* Leaves the block without a fault; cpu->rip must be right, and nothing half done. */
_Noreturn void soft_leave(struct soft_cpu *cpu);

/*
 * Hooks of the run loop that other files provide.
 *
 * fault.c: delivers cpu->fault at cpu->rip (current is NULL). May itself raise: the loop then calls
 * it again with the new fault, and cpu->delivering tells it of the nesting; it clears
 * that when done. A triple fault posts SOFT_PENDING_SHUTDOWN.
 */
void soft_deliver_fault(struct soft_cpu *cpu);
/* vcpu.c: called between blocks while pending is not 0 and there is no shadow. Serves what can be
 * served now (delivers at most one interrupt or NMI; sleeps in HLT; INIT, SIPI; calls
 * soft_blocks_protect() and soft_world_wait()). False: leave soft_cpu_run() with *exit.
 * An interrupt that is held off by IF must not keep SOFT_PENDING_INTERRUPT set: it is
 * posted again by soft_update_interrupt() when IF is set (STI, POPF, IRET). */
bool soft_serve(struct soft_cpu *cpu, enum vcpu_exit *exit);
/* vcpu.c: posts SOFT_PENDING_INTERRUPT where the local APIC or the 8259 has an interrupt. To be
 * called whenever IF changes from 0 to 1. Cheap where there is none. */
void soft_update_interrupt(struct soft_cpu *cpu);
/* debug.c: at each instruction while SOFT_MODE_BREAK; raises #DB if DR0-3 say so and RF is
 * clear. */
void soft_debug_fetch(struct soft_cpu *cpu);
/* debug.c: after an instruction that began with TF set (stepped), or while debug_hits is not 0:
 * delivers the trap. rip is that of the next instruction, current is NULL. */
void soft_debug_trap(struct soft_cpu *cpu, bool stepped);
/* debug.c: an access to a page with SOFT_TLB_WATCH is about to be made; adds to debug_hits. */
void soft_debug_data(struct soft_cpu *cpu, uint64_t linear, unsigned size, enum soft_access access);

/*
 * mmu.c. Fills the entry of linear's page in a set for one kind of access: walks the tables
 * (setting A, and D for SOFT_WRITE), or raises #PF. Withholds tags as told at struct soft_tlb,
 * the write tag while memory->code_page[] of the page is not 0. Returns the entry's index.
 */
unsigned soft_tlb_fill(struct soft_cpu *cpu, enum soft_tlb_set set, uint64_t linear,
	enum soft_access access);
/* All of these bump flushes and so jump_key. */
void soft_tlb_flush(struct soft_cpu *cpu);           /* everything */
void soft_tlb_flush_nonglobal(struct soft_cpu *cpu); /* MOV CR3 */
void soft_tlb_flush_page(struct soft_cpu *cpu, uint64_t linear); /* INVLPG */
/* Withdraws the write tags of every entry that maps this guest physical page. */
void soft_tlb_protect(struct soft_cpu *cpu, uint64_t gpa);
/* A debugger's and the tests' view: no fault, no A/D; false where not mapped. */
bool soft_translate(struct soft_cpu *cpu, uint64_t linear, uint64_t *gpa);

/* Segment checks outside 64-bit mode, and FS/GS and canonical checks in it: linear address of
 * [offset, offset + size) or #GP/#SS. (segment.c) */
uint64_t soft_segment_linear(struct soft_cpu *cpu, unsigned seg, uint64_t offset, unsigned size,
	enum soft_access access);

/* INT n, INT3, INTO, INT1 (fault.c): software interrupts; rip must be that after the
 * instruction. */
void soft_software_interrupt(struct soft_cpu *cpu, unsigned vector);

/* world.c: a vCPU that needs to be alone stops the others between two of their blocks.
 * soft_cpu_run() brackets itself with enter and leave; soft_serve() calls wait for
 * SOFT_PENDING_PAUSE, and leave/enter around sleeping in HLT. */
void soft_world_enter(struct soft_cpu *cpu);
void soft_world_leave(struct soft_cpu *cpu);
void soft_world_wait(struct soft_cpu *cpu);
void soft_world_stop(struct soft_cpu *cpu);
void soft_world_resume(struct soft_cpu *cpu);

static inline unsigned soft_cpl(const struct soft_cpu *cpu)
{
	return cpu->mode & SOFT_MODE_CPL;
}

static inline bool soft_long64(const struct soft_cpu *cpu)
{
	return cpu->mode & SOFT_MODE_CODE64;
}

static inline uint32_t soft_flags_to_image(uint64_t rflags)
{
	return (rflags & 0xd5) << 8 | (rflags >> 11 & 1);
}

static inline uint64_t soft_flags_from_image(uint32_t image)
{
	return (image >> 8 & 0xd5) | (image & 1) << 11;
}

/* The whole RFLAGS register. */
static inline uint64_t soft_rflags(const struct soft_cpu *cpu)
{
	return cpu->rflags | soft_flags_from_image(cpu->flags);
}

/* Sets it whole, no checks; IF coming up and the mode word are seen to. */
void soft_set_rflags(struct soft_cpu *cpu, uint64_t rflags); /* cpu.c */

static inline bool soft_canonical(uint64_t linear)
{
	return (uint64_t)((int64_t)(linear << 16) >> 16) == linear;
}

/* For the vCPU's statistics; what is behind cpu->vcpu begins with its struct vcpu. */
static inline void soft_count(struct soft_cpu *cpu, enum vcpu_cause cause)
{
	if (cpu->vcpu)
		vcpu_count(cpu->vcpu, cause);
}

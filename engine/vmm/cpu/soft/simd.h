// SPDX-License-Identifier: GPL-3.0-or-later
// MMX, SSE to SSE4.2, AES and PCLMULQDQ: what their table, their handlers and x87's share.
//
// Each row of soft_mmx_table[] and soft_sse_table[] that runs on a stub names an operand form in its
// field a. A first execution makes the stub (stub.h) and puts it and the form's handler into the
// decoded instruction; from then on it costs a few loads and a call.
#pragma once

#include "engine/vmm/cpu/soft/access.h"
#include "engine/vmm/cpu/soft/decode.h"
#include "engine/vmm/cpu/soft/soft.h"
#include "engine/vmm/cpu/soft/stub.h"

// Bits of soft_simd_form.traits above those of stub.h.
#define SOFT_SIMD_ALIGN 0x100u // a memory operand must be aligned to 16 bytes, else #GP(0)
#define SOFT_SIMD_MXCSR 0x200u // obeys MXCSR and can raise SIMD exceptions
#define SOFT_SIMD_WIDE 0x400u  // REX.W doubles the general operand

struct soft_simd_form {
	uint8_t reg;  // enum soft_stub_operand of the ModRM reg field
	uint8_t rm;   // the same of the r/m field when it is a register
	uint8_t size; // bytes of a memory operand
	uint16_t traits;
};

// By row field a.
extern const struct soft_simd_form soft_simd_forms[];

// The processor has what a row's group stands for (the host's units do the work).
bool soft_simd_supported(enum soft_group group);

// pick of the rows that run on stubs, and of those with a handler of their own.
bool soft_simd_pick(struct soft_insn *insn, const struct soft_decode *d);
bool soft_simd_pick_own(struct soft_insn *insn, const struct soft_decode *d);

// fn of rows with a handler of their own.
void soft_op_emms(struct soft_cpu *cpu, const struct soft_insn *insn);
void soft_op_maskmov(struct soft_cpu *cpu, const struct soft_insn *insn);
void soft_op_fxsave(struct soft_cpu *cpu, const struct soft_insn *insn);
void soft_op_fxrstor(struct soft_cpu *cpu, const struct soft_insn *insn);
void soft_op_ldmxcsr(struct soft_cpu *cpu, const struct soft_insn *insn);
void soft_op_stmxcsr(struct soft_cpu *cpu, const struct soft_insn *insn);
void soft_op_fence(struct soft_cpu *cpu, const struct soft_insn *insn);
void soft_op_clflush(struct soft_cpu *cpu, const struct soft_insn *insn);

// A threaded handler for the most common forms (simd_fast.c), or NULL.
struct soft_simd_fast {
	void (*run)(struct soft_cpu *cpu, const struct soft_insn *insn);
	uint8_t size;    // of the memory operand; 0: both operands are XMM registers
	bool store;
	uint16_t traits; // the form's, but for SOFT_STUB_WRITES_*
};
const struct soft_simd_fast *soft_simd_fast(const struct soft_insn *insn,
	const struct soft_opcode *row, const struct soft_simd_form *form);
// Carries out any instruction of these tables, however slow its memory operand.
void soft_simd_any(struct soft_cpu *cpu, const struct soft_insn *insn);
_Noreturn void soft_simd_exception(struct soft_cpu *cpu);

// Raise what keeps the unit from being used: #UD, #NM, and for MMX and waiting x87 instructions
// #MF for a pending exception (SDM volume 3, section 2.5, table 2-2).
void soft_sse_refuse(struct soft_cpu *cpu);
void soft_x87_check(struct soft_cpu *cpu);
void soft_mmx_check(struct soft_cpu *cpu);

static inline void soft_sse_check(struct soft_cpu *cpu)
{
	if (G_UNLIKELY((cpu->cr0 & (SOFT_CR0_EM | SOFT_CR0_TS)) | (~cpu->cr4 & SOFT_CR4_OSFXSR)))
		soft_sse_refuse(cpu);
}

// Memory operands of stubs: a host pointer to the bytes themselves where that is possible, else to a
// copy in buffer, which soft_vector_commit() brings home after a write.
struct soft_vector_memory {
	uint64_t linear;
	void *host;
	uint8_t size;
	uint8_t buffer[16] __attribute__((aligned(16)));
};

// Where the bytes are reached straight away; else NULL, and the functions below find out why.
static inline void *soft_vector_fast(struct soft_cpu *cpu, uint64_t linear, unsigned size,
	enum soft_access access)
{
	const struct soft_tlb_entry *entry = &cpu->tlb->entry[soft_tlb_index(linear)];

	if (SOFT_FAST(entry, linear, access, size))
		return entry->host + (linear & ~SOFT_PAGE_MASK);
	return NULL;
}

void soft_vector_load_slow(struct soft_cpu *cpu, struct soft_vector_memory *memory);
void soft_vector_store_slow(struct soft_cpu *cpu, struct soft_vector_memory *memory, bool keep);

// Faults as a load of size bytes.
static inline void soft_vector_load(struct soft_cpu *cpu, struct soft_vector_memory *memory,
	uint64_t linear, unsigned size)
{
	memory->linear = linear;
	memory->size = size;
	memory->host = soft_vector_fast(cpu, linear, size, SOFT_READ);
	if (G_UNLIKELY(!memory->host))
		soft_vector_load_slow(cpu, memory);
}

// Faults as a store of size bytes. keep: the instruction may leave the bytes as they are, so a copy
// must hold them.
static inline void soft_vector_store(struct soft_cpu *cpu, struct soft_vector_memory *memory,
	uint64_t linear, unsigned size, bool keep)
{
	memory->linear = linear;
	memory->size = size;
	memory->host = soft_vector_fast(cpu, linear, size, SOFT_WRITE);
	if (G_UNLIKELY(!memory->host))
		soft_vector_store_slow(cpu, memory, keep);
}

// Linear address of the memory operand, with the alignment fault of legacy SSE.
static inline uint64_t soft_simd_linear(struct soft_cpu *cpu, const struct soft_insn *insn,
	unsigned size, bool align, enum soft_access access)
{
	uint64_t linear = soft_operand(cpu, insn, size, access);

	if (align && G_UNLIKELY(linear & 15))
		soft_raise_code(cpu, SOFT_GP, 0);
	return linear;
}

static inline void soft_vector_commit(struct soft_cpu *cpu, struct soft_vector_memory *memory)
{
	if (G_UNLIKELY(memory->host == memory->buffer))
		soft_store_bytes(cpu, memory->linear, memory->buffer, memory->size);
}

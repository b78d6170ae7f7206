// SPDX-License-Identifier: GPL-3.0-or-later
// Threaded handlers of the vector forms that compiled code is full of: plain moves without a stub,
// and stubs whose memory operand lies in ordinary RAM. The rest goes to soft_simd_any().
#include "config.h"

#include "engine/vmm/cpu/soft/ops.h"
#include "engine/vmm/cpu/soft/simd.h"

#include <string.h>

static inline void begin(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	cpu->current = insn;
	soft_sse_check(cpu);
}

static inline void call_with(struct soft_cpu *cpu, const struct soft_insn *insn, void *reg,
	void *rm, bool real)
{
	uint64_t result = soft_stub_call(insn->data, reg, rm, 0, &cpu->fp.xmm[0]);

	if (real && G_UNLIKELY(result == SOFT_STUB_FAULT))
		soft_simd_exception(cpu);
}

static inline void call(struct soft_cpu *cpu, const struct soft_insn *insn, void *rm, bool real)
{
	call_with(cpu, insn, &cpu->fp.xmm[insn->reg], rm, real);
}

// Both operands in registers.

static SOFT_OP(stub_registers)
{
	begin(cpu, insn);
	call(cpu, insn, &cpu->fp.xmm[insn->rm], false);
	SOFT_NEXT();
}

static SOFT_OP(stub_registers_fp)
{
	begin(cpu, insn);
	soft_fp_use_mxcsr(&cpu->fp);
	call(cpu, insn, &cpu->fp.xmm[insn->rm], true);
	SOFT_NEXT();
}

static SOFT_OP(stub_registers_flags)
{
	uint64_t result;

	begin(cpu, insn);
	soft_fp_use_mxcsr(&cpu->fp);
	result = soft_stub_call(insn->data, &cpu->fp.xmm[insn->reg], &cpu->fp.xmm[insn->rm], 0, NULL);
	if (G_UNLIKELY(result == SOFT_STUB_FAULT))
		soft_simd_exception(cpu);
	cpu->flags = result;
	SOFT_NEXT();
}

// An XMM and a general register: MOVD, PMOVMSKB, CVTSI2SD and the like.

#define STUB_MIXED(name, reg_file, rm_file, real)                                                  \
	static SOFT_OP(name)                                                                           \
	{                                                                                              \
		begin(cpu, insn);                                                                          \
		if (real)                                                                                  \
			soft_fp_use_mxcsr(&cpu->fp);                                                           \
		call_with(cpu, insn, &cpu->reg_file[insn->reg], &cpu->rm_file[insn->rm], real);            \
		SOFT_NEXT();                                                                               \
	}

STUB_MIXED(stub_general_xmm, gpr, fp.xmm, false)
STUB_MIXED(stub_general_xmm_fp, gpr, fp.xmm, true)
STUB_MIXED(stub_xmm_general, fp.xmm, gpr, false)
STUB_MIXED(stub_xmm_general_fp, fp.xmm, gpr, true)

static const struct soft_simd_fast *mixed(const struct soft_simd_form *form)
{
	static const struct soft_simd_fast table[2][2] = {
		{{.run = stub_xmm_general}, {.run = stub_xmm_general_fp}},
		{{.run = stub_general_xmm}, {.run = stub_general_xmm_fp}},
	};

	return &table[form->reg == SOFT_STUB_GPR][!!(form->traits & SOFT_SIMD_MXCSR)];
}

// An XMM register and memory.

#define STUB_MEMORY(name, size, access, align, real)                                               \
	static SOFT_OP(name)                                                                           \
	{                                                                                              \
		void *host;                                                                                \
                                                                                                   \
		begin(cpu, insn);                                                                          \
		host = soft_vector_fast(cpu, soft_simd_linear(cpu, insn, size, align, access), size, access); \
		if (G_LIKELY(host)) {                                                                      \
			if (real)                                                                              \
				soft_fp_use_mxcsr(&cpu->fp);                                                       \
			call(cpu, insn, host, real);                                                           \
		} else {                                                                                   \
			soft_simd_any(cpu, insn);                                                              \
		}                                                                                          \
		SOFT_NEXT();                                                                               \
	}

STUB_MEMORY(stub_load_4, 4, SOFT_READ, false, false)
STUB_MEMORY(stub_load_4_fp, 4, SOFT_READ, false, true)
STUB_MEMORY(stub_load_8, 8, SOFT_READ, false, false)
STUB_MEMORY(stub_load_8_fp, 8, SOFT_READ, false, true)
STUB_MEMORY(stub_load_16, 16, SOFT_READ, false, false)
STUB_MEMORY(stub_load_aligned, 16, SOFT_READ, true, false)
STUB_MEMORY(stub_load_aligned_fp, 16, SOFT_READ, true, true)
STUB_MEMORY(stub_store_8, 8, SOFT_WRITE, false, false)

static const struct soft_simd_fast stubs[] = {
	{.run = stub_registers},
	{.run = stub_registers, .traits = SOFT_SIMD_ALIGN},
	{.run = stub_registers_fp, .traits = SOFT_SIMD_MXCSR},
	{.run = stub_registers_fp, .traits = SOFT_SIMD_MXCSR | SOFT_SIMD_ALIGN},
	{.run = stub_registers_flags, .traits = SOFT_SIMD_MXCSR | SOFT_STUB_FLAGS_OUT},
	{.run = stub_load_4, .size = 4},
	{.run = stub_load_8, .size = 8},
	{.run = stub_load_16, .size = 16},
	{.run = stub_load_aligned, .size = 16, .traits = SOFT_SIMD_ALIGN},
	{.run = stub_load_4_fp, .size = 4, .traits = SOFT_SIMD_MXCSR},
	{.run = stub_load_8_fp, .size = 8, .traits = SOFT_SIMD_MXCSR},
	{.run = stub_load_aligned_fp, .size = 16, .traits = SOFT_SIMD_MXCSR | SOFT_SIMD_ALIGN},
	{.run = stub_store_8, .size = 8, .store = true}, // MOVLPS, MOVHPS
};

// Moves.

static SOFT_OP(move_registers)
{
	begin(cpu, insn);
	cpu->fp.xmm[insn->reg] = cpu->fp.xmm[insn->rm];
	SOFT_NEXT();
}

static SOFT_OP(move_registers_back)
{
	begin(cpu, insn);
	cpu->fp.xmm[insn->rm] = cpu->fp.xmm[insn->reg];
	SOFT_NEXT();
}

static inline void load(union soft_xmm *xmm, const void *host, unsigned size)
{
	if (size < 16)
		*xmm = (union soft_xmm){.u64 = {size == 8 ? SOFT_HOST64(host) : SOFT_HOST32(host)}};
	else
		memcpy(xmm, host, 16);
}

static inline void store(void *host, const union soft_xmm *xmm, unsigned size)
{
	if (size == 4)
		SOFT_HOST32(host) = xmm->u32[0];
	else if (size == 8)
		SOFT_HOST64(host) = xmm->u64[0];
	else
		memcpy(host, xmm, 16);
}

#define MOVE(name, size, access, align, move)                                                      \
	static SOFT_OP(name)                                                                           \
	{                                                                                              \
		void *host;                                                                                \
                                                                                                   \
		begin(cpu, insn);                                                                          \
		host = soft_vector_fast(cpu, soft_simd_linear(cpu, insn, size, align, access), size, access); \
		if (G_LIKELY(host))                                                                        \
			move;                                                                                  \
		else                                                                                       \
			soft_simd_any(cpu, insn);                                                              \
		SOFT_NEXT();                                                                               \
	}
#define MOVE_LOAD(name, size, align)                                                               \
	MOVE(name, size, SOFT_READ, align, load(&cpu->fp.xmm[insn->reg], host, size))
#define MOVE_STORE(name, size, align)                                                              \
	MOVE(name, size, SOFT_WRITE, align, store(host, &cpu->fp.xmm[insn->reg], size))

MOVE_LOAD(move_load_4, 4, false)
MOVE_LOAD(move_load_8, 8, false)
MOVE_LOAD(move_load_16, 16, false)
MOVE_LOAD(move_load_aligned, 16, true)
MOVE_STORE(move_store_4, 4, false)
MOVE_STORE(move_store_8, 8, false)
MOVE_STORE(move_store_16, 16, false)
MOVE_STORE(move_store_aligned, 16, true)

static const struct soft_simd_fast moves[] = {
	{.run = move_registers, .traits = SOFT_SIMD_ALIGN},
	{.run = move_registers},
	{.run = move_registers_back, .traits = SOFT_SIMD_ALIGN, .store = true},
	{.run = move_registers_back, .store = true},
	{.run = move_load_4, .size = 4},
	{.run = move_load_8, .size = 8},
	{.run = move_load_16, .size = 16},
	{.run = move_load_aligned, .size = 16, .traits = SOFT_SIMD_ALIGN},
	{.run = move_store_4, .size = 4, .store = true},
	{.run = move_store_8, .size = 8, .store = true},
	{.run = move_store_16, .size = 16, .store = true},
	{.run = move_store_aligned, .size = 16, .traits = SOFT_SIMD_ALIGN, .store = true},
};

// MOVUPS, MOVAPS, MOVDQA, MOVDQU and their like; MOVSS, MOVSD and MOVQ with memory, where they are
// plain moves, too (between registers the first two merge, and MOVQ clears).
static bool is_move(const struct soft_insn *insn, const struct soft_opcode *row)
{
	bool scalar = row->prefix == SOFT_P_F2 || row->prefix == SOFT_P_F3;

	if (row->map != SOFT_MAP_0F)
		return false;
	switch (row->opcode) {
	case 0x10:
	case 0x11:
		return insn->memory || !scalar;
	case 0x28:
	case 0x29:
	case 0x6f:
		return true;
	case 0x7f:
		return true;
	case 0x7e:
		return insn->memory && row->prefix == SOFT_P_F3;
	case 0xd6:
		return insn->memory && row->prefix == SOFT_P_66;
	default:
		return false;
	}
}

static const struct soft_simd_fast *find(const struct soft_simd_fast *table, unsigned count,
	const struct soft_insn *insn, const struct soft_simd_form *form)
{
	uint16_t traits = form->traits & ~(SOFT_STUB_WRITES_REG | SOFT_STUB_WRITES_RM);
	unsigned size = insn->memory ? form->size : 0;
	bool store = form->traits & SOFT_STUB_WRITES_RM;

	for (unsigned i = 0; i < count; i++)
		if (table[i].traits == traits && table[i].size == size && table[i].store == store)
			return &table[i];
	return NULL;
}

const struct soft_simd_fast *soft_simd_fast(const struct soft_insn *insn,
	const struct soft_opcode *row, const struct soft_simd_form *form)
{
	unsigned kinds = 1u << form->reg | 1u << form->rm;

	if (kinds == (1u << SOFT_STUB_XMM | 1u << SOFT_STUB_GPR) && !insn->memory)
		return mixed(form);
	if (kinds != 1u << SOFT_STUB_XMM)
		return NULL;
	if (is_move(insn, row))
		return find(moves, G_N_ELEMENTS(moves), insn, form);
	return find(stubs, G_N_ELEMENTS(stubs), insn, form);
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "engine/vmm/cpu/soft/simd.h"

#include <string.h>

bool soft_simd_supported(enum soft_group group)
{
	switch (group) {
	case SOFT_G_SSE3:
		return __builtin_cpu_supports("sse3");
	case SOFT_G_SSSE3:
		return __builtin_cpu_supports("ssse3");
	case SOFT_G_SSE41:
		return __builtin_cpu_supports("sse4.1");
	case SOFT_G_SSE42:
		return __builtin_cpu_supports("sse4.2");
	case SOFT_G_AES:
		return __builtin_cpu_supports("aes");
	case SOFT_G_PCLMUL:
		return __builtin_cpu_supports("pclmul");
	default:
		return true;
	}
}

void soft_sse_refuse(struct soft_cpu *cpu)
{
	if ((cpu->cr0 & SOFT_CR0_EM) || !(cpu->cr4 & SOFT_CR4_OSFXSR))
		soft_raise(cpu, SOFT_UD);
	soft_raise(cpu, SOFT_NM);
}

// A pending x87 exception. Without CR0.NE it would go out as FERR# to a PC's IRQ 13, which nothing
// here listens to.
static void x87_check_pending(struct soft_cpu *cpu)
{
	uint16_t status;

	if (G_LIKELY(!cpu->fp.x87_unmasked))
		return;
	soft_fp_use_x87(&cpu->fp);
	__asm__ volatile("fnstsw %0" : "=m"(status));
	if (!(status & SOFT_FSW_ES))
		return;
	if (cpu->cr0 & SOFT_CR0_NE)
		soft_raise(cpu, SOFT_MF);
	__asm__ volatile("fnclex");
}

void soft_x87_check(struct soft_cpu *cpu)
{
	if (G_UNLIKELY(cpu->cr0 & (SOFT_CR0_EM | SOFT_CR0_TS)))
		soft_raise(cpu, SOFT_NM);
	x87_check_pending(cpu);
}

void soft_mmx_check(struct soft_cpu *cpu)
{
	if (G_UNLIKELY(cpu->cr0 & SOFT_CR0_EM))
		soft_raise(cpu, SOFT_UD);
	soft_x87_check(cpu);
	soft_fp_use_x87(&cpu->fp);
}

static inline void *vector_pointer(struct soft_cpu *cpu, uint64_t linear, unsigned size,
	enum soft_access access)
{
	const struct soft_tlb_entry *entry = &cpu->tlb->entry[soft_tlb_index(linear)];

	if (SOFT_FAST(entry, linear, access, size))
		return entry->host + (linear & ~SOFT_PAGE_MASK);
	return soft_page_pointer(cpu, linear, size, access);
}

void soft_vector_load(struct soft_cpu *cpu, struct soft_vector_memory *memory, uint64_t linear,
	unsigned size)
{
	uint64_t value;

	memory->linear = linear;
	memory->size = size;
	memory->host = vector_pointer(cpu, linear, size, SOFT_READ);
	if (G_LIKELY(memory->host))
		return;
	memory->host = memory->buffer;
	if (size == 4 || size == 8) { // one access, should a device answer
		value = size == 4 ? soft_load32(cpu, linear) : soft_load64(cpu, linear);
		memcpy(memory->buffer, &value, sizeof(value));
	} else {
		soft_load_bytes(cpu, linear, memory->buffer, size);
	}
}

void soft_vector_store(struct soft_cpu *cpu, struct soft_vector_memory *memory, uint64_t linear,
	unsigned size, bool keep)
{
	memory->linear = linear;
	memory->size = size;
	memory->host = vector_pointer(cpu, linear, size, SOFT_WRITE);
	if (G_LIKELY(memory->host))
		return;
	memory->host = memory->buffer;
	soft_probe_write(cpu, linear, size);
	if (keep)
		soft_load_bytes(cpu, linear, memory->buffer, size);
}

static inline const struct soft_simd_form *insn_form(const struct soft_insn *insn)
{
	return &soft_simd_forms[soft_opcode_at(insn->row)->a];
}

static inline void *register_pointer(struct soft_cpu *cpu, unsigned kind, unsigned number)
{
	return kind == SOFT_STUB_XMM ? (void *)&cpu->fp.xmm[number] : (void *)&cpu->gpr[number];
}

static void simd_check(struct soft_cpu *cpu, const struct soft_insn *insn,
	const struct soft_simd_form *form)
{
	// CVTPI2PS and CVTPI2PD from memory leave the x87 unit alone.
	bool mmx = form->reg == SOFT_STUB_MMX || (form->rm == SOFT_STUB_MMX && !insn->memory);

	if (form->reg == SOFT_STUB_XMM || form->rm == SOFT_STUB_XMM)
		soft_sse_check(cpu);
	if (mmx)
		soft_mmx_check(cpu);
	if (form->traits & SOFT_SIMD_MXCSR)
		soft_fp_use_mxcsr(&cpu->fp);
}

// Linear address of the memory operand, with the alignment fault of legacy SSE.
static inline uint64_t simd_linear(struct soft_cpu *cpu, const struct soft_insn *insn, unsigned size,
	bool align, enum soft_access access)
{
	uint64_t linear = soft_operand(cpu, insn, size, access);

	if (align && G_UNLIKELY(linear & 15))
		soft_raise_code(cpu, SOFT_GP, 0);
	return linear;
}

static _Noreturn void simd_exception(struct soft_cpu *cpu)
{
	soft_raise(cpu, cpu->cr4 & SOFT_CR4_OSXMMEXCPT ? SOFT_XM : SOFT_UD);
}

static bool simd_is_wide(const struct soft_insn *insn, const struct soft_simd_form *form)
{
	return (form->traits & SOFT_SIMD_WIDE) && (insn->prefixes & SOFT_HAS_REX_W);
}

// Any form at all.
static void simd_execute(struct soft_cpu *cpu, const struct soft_insn *insn,
	const struct soft_simd_form *form, const void *stub)
{
	struct soft_vector_memory memory;
	bool store = insn->memory && (form->traits & SOFT_STUB_WRITES_RM);
	unsigned size = form->size;
	uint64_t linear, result;
	void *rm;

	simd_check(cpu, insn, form);
	if (!insn->memory) {
		rm = register_pointer(cpu, form->rm, insn->rm);
	} else {
		if (form->rm == SOFT_STUB_GPR && simd_is_wide(insn, form))
			size *= 2;
		linear = simd_linear(cpu, insn, size, form->traits & SOFT_SIMD_ALIGN,
			store ? SOFT_WRITE : SOFT_READ);
		if (store)
			soft_vector_store(cpu, &memory, linear, size, false);
		else
			soft_vector_load(cpu, &memory, linear, size);
		rm = memory.host;
	}
	result = soft_stub_call(stub, register_pointer(cpu, form->reg, insn->reg), rm,
		(uintptr_t)cpu->gpr, &cpu->fp.xmm[0]);
	if (G_UNLIKELY(result == SOFT_STUB_FAULT))
		simd_exception(cpu);
	if (form->traits & SOFT_STUB_FLAGS_OUT)
		cpu->flags = result;
	if (store)
		soft_vector_commit(cpu, &memory);
}

static void simd_any(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	simd_execute(cpu, insn, insn_form(insn), insn->data);
}

// The common forms: an XMM destination, from an XMM register or memory.
static inline void simd_xmm(struct soft_cpu *cpu, const struct soft_insn *insn, bool fp)
{
	uint64_t result;

	soft_sse_check(cpu);
	if (fp)
		soft_fp_use_mxcsr(&cpu->fp);
	result = soft_stub_call(insn->data, &cpu->fp.xmm[insn->reg], &cpu->fp.xmm[insn->rm], 0,
		&cpu->fp.xmm[0]);
	if (fp && G_UNLIKELY(result == SOFT_STUB_FAULT))
		simd_exception(cpu);
}

static inline void simd_load(struct soft_cpu *cpu, const struct soft_insn *insn, unsigned size,
	bool align, bool fp)
{
	struct soft_vector_memory memory;
	uint64_t linear, result;

	soft_sse_check(cpu);
	if (fp)
		soft_fp_use_mxcsr(&cpu->fp);
	linear = simd_linear(cpu, insn, size, align, SOFT_READ);
	soft_vector_load(cpu, &memory, linear, size);
	result = soft_stub_call(insn->data, &cpu->fp.xmm[insn->reg], memory.host, 0, &cpu->fp.xmm[0]);
	if (fp && G_UNLIKELY(result == SOFT_STUB_FAULT))
		simd_exception(cpu);
}

static inline void simd_store(struct soft_cpu *cpu, const struct soft_insn *insn, unsigned size,
	bool align)
{
	struct soft_vector_memory memory;
	uint64_t linear;

	soft_sse_check(cpu);
	linear = simd_linear(cpu, insn, size, align, SOFT_WRITE);
	soft_vector_store(cpu, &memory, linear, size, false);
	soft_stub_call(insn->data, &cpu->fp.xmm[insn->reg], memory.host, 0, NULL);
	soft_vector_commit(cpu, &memory);
}

static void simd_xmm_xmm(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	simd_xmm(cpu, insn, false);
}

static void simd_xmm_xmm_fp(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	simd_xmm(cpu, insn, true);
}

#define DEFINE_LOAD(name, size, align, fp)                                                         \
	static void name(struct soft_cpu *cpu, const struct soft_insn *insn)                           \
	{                                                                                              \
		simd_load(cpu, insn, size, align, fp);                                                     \
	}

DEFINE_LOAD(simd_load_4, 4, false, false)
DEFINE_LOAD(simd_load_4_fp, 4, false, true)
DEFINE_LOAD(simd_load_8, 8, false, false)
DEFINE_LOAD(simd_load_8_fp, 8, false, true)
DEFINE_LOAD(simd_load_16, 16, false, false)
DEFINE_LOAD(simd_load_aligned, 16, true, false)
DEFINE_LOAD(simd_load_aligned_fp, 16, true, true)

#define DEFINE_STORE(name, size, align)                                                            \
	static void name(struct soft_cpu *cpu, const struct soft_insn *insn)                           \
	{                                                                                              \
		simd_store(cpu, insn, size, align);                                                        \
	}

DEFINE_STORE(simd_store_4, 4, false)
DEFINE_STORE(simd_store_8, 8, false)
DEFINE_STORE(simd_store_16, 16, false)
DEFINE_STORE(simd_store_aligned, 16, true)

struct fast_handler {
	uint16_t traits; // but for WRITES_*
	uint8_t size;    // 0: register operand
	bool store;
	void (*fn)(struct soft_cpu *cpu, const struct soft_insn *insn);
};

static const struct fast_handler fast_handlers[] = {
	{0, 4, false, simd_load_4},
	{0, 8, false, simd_load_8},
	{0, 16, false, simd_load_16},
	{SOFT_SIMD_ALIGN, 16, false, simd_load_aligned},
	{SOFT_SIMD_MXCSR, 4, false, simd_load_4_fp},
	{SOFT_SIMD_MXCSR, 8, false, simd_load_8_fp},
	{SOFT_SIMD_MXCSR | SOFT_SIMD_ALIGN, 16, false, simd_load_aligned_fp},
	{0, 4, true, simd_store_4},
	{0, 8, true, simd_store_8},
	{0, 16, true, simd_store_16},
	{SOFT_SIMD_ALIGN, 16, true, simd_store_aligned},
};

static void (*simd_handler(const struct soft_insn *insn, const struct soft_simd_form *form))(
	struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint16_t traits = form->traits & ~(SOFT_STUB_WRITES_REG | SOFT_STUB_WRITES_RM);
	bool store = form->traits & SOFT_STUB_WRITES_RM;

	if (form->reg != SOFT_STUB_XMM || form->rm != SOFT_STUB_XMM)
		return simd_any;
	if (!insn->memory && !(traits & ~(SOFT_SIMD_ALIGN | SOFT_SIMD_MXCSR)))
		return traits & SOFT_SIMD_MXCSR ? simd_xmm_xmm_fp : simd_xmm_xmm;
	if (!insn->memory)
		return simd_any;
	for (unsigned i = 0; i < G_N_ELEMENTS(fast_handlers); i++) {
		const struct fast_handler *fast = &fast_handlers[i];

		if (fast->traits == traits && fast->size == form->size && fast->store == store)
			return fast->fn;
	}
	return simd_any;
}

static struct soft_stub_spec simd_spec(const struct soft_insn *insn, const struct soft_opcode *row,
	const struct soft_simd_form *form)
{
	static const uint8_t prefix[] = {
		[SOFT_P_66] = 0x66,
		[SOFT_P_F3] = 0xf3,
		[SOFT_P_F2] = 0xf2,
	};

	return (struct soft_stub_spec){
		.map = row->map,
		.prefix = prefix[row->prefix],
		.opcode = row->opcode,
		.modrm = 0xc0 | (insn->reg & 7) << 3 | (insn->rm & 7),
		.rex_w = (form->traits & (SOFT_SIMD_WIDE | SOFT_STUB_LENGTHS)) &&
				 (insn->prefixes & SOFT_HAS_REX_W),
		.has_imm = row->imm == SOFT_I_8,
		.imm = insn->imm,
		.reg = form->reg,
		.rm = insn->memory ? SOFT_STUB_MEM : form->rm,
		.traits = form->traits,
	};
}

// The first execution of a decoded instruction.
static void simd_first(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	const struct soft_opcode *row = soft_opcode_at(insn->row);
	const struct soft_simd_form *form = &soft_simd_forms[row->a];
	struct soft_stub_spec spec = simd_spec(insn, row, form);
	const void *stub = soft_stub_find(cpu->fp.stubs, &spec);
	struct soft_insn *own = (struct soft_insn *)insn; // a block is its vCPU's to write

	if (!stub) {
		simd_execute(cpu, insn, form, soft_stub_scratch(cpu->fp.stubs, &spec));
		return;
	}
	own->data = (void *)stub;
	own->fn = simd_handler(insn, form);
	own->fn(cpu, insn);
}

bool soft_simd_pick(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->run = soft_op_call;
	insn->fn = simd_first;
	if (d->row->digit) // the reg field is part of the opcode
		insn->reg = d->row->digit - 1;
	return soft_simd_supported(d->row->group);
}

bool soft_simd_pick_own(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->run = soft_op_call;
	insn->fn = d->row->fn;
	if (d->row->fn == soft_op_maskmov) { // stores to DS:rDI, which no ModRM byte says
		insn->seg = d->seg == 0xff ? SOFT_DS : d->seg;
		insn->base = SOFT_RDI;
		insn->index = SOFT_ZERO;
		insn->scale = 0;
		insn->disp = 0;
		insn->address = SOFT_ADDRESS_SEGMENT;
	}
	return true;
}

void soft_op_emms(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	soft_mmx_check(cpu);
	__asm__ volatile("emms");
}

static void mmx_read(struct soft_cpu *cpu, unsigned number, uint64_t *value)
{
	struct soft_stub_spec spec = {
		.map = 1, .opcode = 0x7f, .modrm = (number & 7) << 3,
		.reg = SOFT_STUB_MMX, .rm = SOFT_STUB_MEM,
	};

	soft_stub_call(soft_stub_scratch(cpu->fp.stubs, &spec), NULL, value, 0, NULL);
}

void soft_op_maskmov(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	bool mmx = soft_opcode_at(insn->row)->prefix != SOFT_P_66;
	unsigned size = mmx ? 8 : 16;
	union soft_xmm value, mask;
	uint64_t linear;

	if (mmx) {
		soft_mmx_check(cpu);
		mmx_read(cpu, insn->reg, value.u64);
		mmx_read(cpu, insn->rm, mask.u64);
	} else {
		soft_sse_check(cpu);
		value = cpu->fp.xmm[insn->reg];
		mask = cpu->fp.xmm[insn->rm];
	}
	linear = soft_operand(cpu, insn, size, SOFT_WRITE);
	soft_probe_write(cpu, linear, size);
	for (unsigned i = 0; i < size; i++)
		if (mask.u8[i] & 0x80)
			soft_store8(cpu, linear + i, value.u8[i]);
}

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

void soft_vector_load_slow(struct soft_cpu *cpu, struct soft_vector_memory *memory)
{
	uint64_t linear = memory->linear, value;
	unsigned size = memory->size;

	memory->host = soft_page_pointer(cpu, linear, size, SOFT_READ);
	if (memory->host)
		return;
	memory->host = memory->buffer;
	if (size == 4 || size == 8) { // one access, should a device answer
		value = size == 4 ? soft_load32(cpu, linear) : soft_load64(cpu, linear);
		memcpy(memory->buffer, &value, sizeof(value));
	} else {
		soft_load_bytes(cpu, linear, memory->buffer, size);
	}
}

void soft_vector_store_slow(struct soft_cpu *cpu, struct soft_vector_memory *memory, bool keep)
{
	memory->host = soft_page_pointer(cpu, memory->linear, memory->size, SOFT_WRITE);
	if (memory->host)
		return;
	memory->host = memory->buffer;
	soft_probe_write(cpu, memory->linear, memory->size);
	if (keep)
		soft_load_bytes(cpu, memory->linear, memory->buffer, memory->size);
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

_Noreturn void soft_simd_exception(struct soft_cpu *cpu)
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
		linear = soft_simd_linear(cpu, insn, size, form->traits & SOFT_SIMD_ALIGN,
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
		soft_simd_exception(cpu);
	if (form->traits & SOFT_STUB_FLAGS_OUT)
		cpu->flags = result;
	if (store)
		soft_vector_commit(cpu, &memory);
}

void soft_simd_any(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	simd_execute(cpu, insn, insn_form(insn), insn->data);
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
	const struct soft_simd_fast *fast = soft_simd_fast(insn, row, form);
	struct soft_insn *own = (struct soft_insn *)insn; // a block is its vCPU's to write

	if (!stub) {
		simd_execute(cpu, insn, form, soft_stub_scratch(cpu->fp.stubs, &spec));
		return;
	}
	own->data = (void *)stub;
	own->fn = soft_simd_any;
	if (fast)
		own->run = fast->run;
	soft_simd_any(cpu, insn);
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

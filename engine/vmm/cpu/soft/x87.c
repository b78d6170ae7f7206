// SPDX-License-Identifier: GPL-3.0-or-later
// x87 (SDM volume 1, chapter 8): arithmetic on the host's unit through stubs, control instructions
// here. The guest's environment is the host's while it computes, unmasked exceptions included: they
// stay pending in the status word, and the next waiting instruction raises #MF before it runs.
#include "config.h"

#include "engine/vmm/cpu/soft/ops.h"
#include "engine/vmm/cpu/soft/simd.h"

#include <string.h>

// Row field a; field b is the size of the memory operand.
enum x87_kind {
	X87_LOAD, // memory operand of b bytes
	X87_STORE,
	X87_REGISTER,
	X87_COMPARE, // writes ZF, PF, CF
	X87_MOVE,    // FCMOVcc
};


// Where pick keeps what execution needs, in fields the decoder leaves to it: the ModRM byte in rm,
// the row's a and the opcode's low bits in reg, the row's b in size.
#define REG_FIELD(kind, opcode) ((kind) | ((opcode)&7) << 4)

static inline enum x87_kind insn_kind(const struct soft_insn *insn)
{
	return insn->reg & 15;
}

// For FXSAVE and FNSTENV.
static inline void x87_remember(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct soft_fp *fp = &cpu->fp;

	fp->fop = (insn->reg & 0x70) << 4 | insn->rm;
	fp->fip = soft_insn_rip(cpu, insn);
	fp->fcs = cpu->seg[SOFT_CS].selector;
	if (!insn->memory)
		return;
	fp->fdp = soft_effective(cpu, insn);
	if (soft_long64(cpu) && insn->seg >= SOFT_FS && insn->address == SOFT_ADDRESS_FLAT)
		fp->fdp -= cpu->seg[insn->seg].base;
	fp->fds = cpu->seg[insn->seg].selector;
}

static inline void x87_begin(struct soft_cpu *cpu)
{
	soft_x87_check(cpu);
	soft_fp_use_x87(&cpu->fp);
}

static inline void x87_load(struct soft_cpu *cpu, const struct soft_insn *insn, const void *stub)
{
	struct soft_vector_memory memory;

	x87_begin(cpu);
	soft_vector_load(cpu, &memory, soft_operand(cpu, insn, insn->size, SOFT_READ), insn->size);
	x87_remember(cpu, insn);
	soft_stub_call(stub, NULL, memory.host, 0, NULL);
}

static inline void x87_store(struct soft_cpu *cpu, const struct soft_insn *insn, const void *stub)
{
	struct soft_vector_memory memory;
	uint64_t linear;

	x87_begin(cpu);
	linear = soft_operand(cpu, insn, insn->size, SOFT_WRITE);
	soft_vector_store(cpu, &memory, linear, insn->size, true);
	x87_remember(cpu, insn);
	soft_stub_call(stub, NULL, memory.host, 0, NULL);
	soft_vector_commit(cpu, &memory);
}

static inline void x87_register(struct soft_cpu *cpu, const struct soft_insn *insn,
	const void *stub)
{
	uint64_t result;

	x87_begin(cpu);
	x87_remember(cpu, insn);
	result = soft_stub_call(stub, NULL, NULL, soft_flags_from_image(cpu->flags) | 2, NULL);
	if (insn_kind(insn) == X87_COMPARE)
		cpu->flags = result;
}

static void x87_execute(struct soft_cpu *cpu, const struct soft_insn *insn, const void *stub)
{
	switch (insn_kind(insn)) {
	case X87_LOAD:
		x87_load(cpu, insn, stub);
		break;
	case X87_STORE:
		x87_store(cpu, insn, stub);
		break;
	default:
		x87_register(cpu, insn, stub);
	}
}

static void x87_known(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	x87_execute(cpu, insn, insn->data);
}

// Threaded handlers for what most x87 code consists of.

static SOFT_OP(run_register)
{
	cpu->current = insn;
	x87_begin(cpu);
	x87_remember(cpu, insn);
	soft_stub_call(insn->data, NULL, NULL, 0, NULL);
	SOFT_NEXT();
}

static SOFT_OP(run_load)
{
	void *host;

	cpu->current = insn;
	x87_begin(cpu);
	host = soft_vector_fast(cpu, soft_operand(cpu, insn, insn->size, SOFT_READ), insn->size,
		SOFT_READ);
	if (G_LIKELY(host)) {
		x87_remember(cpu, insn);
		soft_stub_call(insn->data, NULL, host, 0, NULL);
	} else {
		x87_known(cpu, insn);
	}
	SOFT_NEXT();
}

static SOFT_OP(run_store)
{
	void *host;

	cpu->current = insn;
	x87_begin(cpu);
	host = soft_vector_fast(cpu, soft_operand(cpu, insn, insn->size, SOFT_WRITE), insn->size,
		SOFT_WRITE);
	if (G_LIKELY(host)) {
		x87_remember(cpu, insn);
		soft_stub_call(insn->data, NULL, host, 0, NULL);
	} else {
		x87_known(cpu, insn);
	}
	SOFT_NEXT();
}

static void (*const threaded[])(struct soft_cpu *cpu, const struct soft_insn *insn) = {
	[X87_LOAD] = run_load,
	[X87_STORE] = run_store,
	[X87_REGISTER] = run_register,
	[X87_COMPARE] = soft_op_call,
	[X87_MOVE] = soft_op_call,
};

static uint8_t x87_traits(enum x87_kind kind)
{
	switch (kind) {
	case X87_COMPARE:
		return SOFT_STUB_FLAGS_IN | SOFT_STUB_FLAGS_OUT;
	case X87_MOVE:
		return SOFT_STUB_FLAGS_IN;
	default:
		return 0;
	}
}

// The first execution of a decoded instruction.
static void x87_first(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct soft_stub_spec spec = {
		.opcode = soft_opcode_at(insn->row)->opcode,
		.modrm = insn->rm,
		.rm = insn->memory ? SOFT_STUB_MEM : SOFT_STUB_NONE,
		.traits = x87_traits(insn_kind(insn)),
	};
	const void *stub = soft_stub_find(cpu->fp.stubs, &spec);
	struct soft_insn *own = (struct soft_insn *)insn; // a block is its vCPU's to write

	if (!stub) {
		x87_execute(cpu, insn, soft_stub_scratch(cpu->fp.stubs, &spec));
		return;
	}
	own->data = (void *)stub;
	own->fn = x87_known;
	own->run = threaded[insn_kind(insn)];
	x87_execute(cpu, insn, stub);
}

static bool x87_pick(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->run = soft_op_call;
	insn->fn = d->row->fn ? d->row->fn : x87_first;
	insn->rm = d->modrm;
	insn->reg = REG_FIELD(d->row->a, d->opcode);
	if (d->row->b)
		insn->size = d->row->b;
	return true;
}

static void set_control(struct soft_cpu *cpu, uint16_t control)
{
	__asm__ volatile("fldcw %0" : : "m"(control));
	cpu->fp.x87_unmasked = (control & SOFT_FCW_EXCEPTIONS) != SOFT_FCW_EXCEPTIONS;
}

// What control instructions check that do not wait. True where the unit's state is in the host's;
// those that only look at control and status, or forget all, need not bring it there.
static bool x87_no_wait_live(struct soft_cpu *cpu)
{
	if (cpu->cr0 & (SOFT_CR0_EM | SOFT_CR0_TS))
		soft_raise(cpu, SOFT_NM);
	return cpu->fp.live & SOFT_FP_X87;
}

static void x87_no_wait(struct soft_cpu *cpu)
{
	x87_no_wait_live(cpu);
	soft_fp_use_x87(&cpu->fp);
}

static void op_fldcw(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	soft_x87_check(cpu);
	soft_fp_use_x87(&cpu->fp);
	set_control(cpu, soft_load16(cpu, soft_operand(cpu, insn, 2, SOFT_READ)));
}

static void op_fnstcw(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint16_t control = cpu->fp.x87.fcw;

	if (x87_no_wait_live(cpu))
		__asm__ volatile("fnstcw %0" : "=m"(control));
	soft_store16(cpu, soft_operand(cpu, insn, 2, SOFT_WRITE), control);
}

static uint16_t x87_status(void)
{
	uint16_t status;

	__asm__ volatile("fnstsw %0" : "=a"(status));
	return status;
}

static void op_fnstsw(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	x87_no_wait(cpu);
	soft_store16(cpu, soft_operand(cpu, insn, 2, SOFT_WRITE), x87_status());
}

static void op_fnstsw_ax(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	x87_no_wait(cpu);
	cpu->gpr[SOFT_RAX] = (cpu->gpr[SOFT_RAX] & ~0xffffull) | x87_status();
}

static void op_fnclex(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	x87_no_wait(cpu);
	__asm__ volatile("fnclex");
}

static void x87_init(struct soft_fp *fp)
{
	fp->x87_unmasked = false;
	fp->fop = fp->fcs = fp->fds = 0;
	fp->fip = fp->fdp = 0;
}

static void op_fninit(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	// Where TOP is not 0 the registers would have to be told anew.
	if (x87_no_wait_live(cpu) || cpu->fp.x87.fsw & SOFT_FSW_TOP) {
		soft_fp_use_x87(&cpu->fp);
		__asm__ volatile("fninit");
	} else {
		cpu->fp.x87.fcw = 0x37f;
		cpu->fp.x87.fsw = 0;
		cpu->fp.x87.ftw = 0;
	}
	x87_init(&cpu->fp);
}

// FENI, FDISI, FSETPM: nothing since the 387.
static void op_fnop87(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	x87_no_wait(cpu);
}

static void op_fwait(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	const uint64_t both = SOFT_CR0_MP | SOFT_CR0_TS;

	if ((cpu->cr0 & both) == both)
		soft_raise(cpu, SOFT_NM);
	if (!(cpu->cr0 & (SOFT_CR0_EM | SOFT_CR0_TS)))
		soft_x87_check(cpu);
}

// The environment in its four formats (SDM volume 1, figures 8-9 to 8-12), and the host's own.
struct host_environment {
	uint32_t control, status, tag;
	uint32_t fip, fcs_fop, fdp, fds;
	uint8_t st[8][10];
} __attribute__((packed));

#define HOST_ENVIRONMENT 28u

static bool real_format(const struct soft_cpu *cpu)
{
	return !(cpu->mode & SOFT_MODE_PROTECTED) || (cpu->mode & SOFT_MODE_V86);
}

static unsigned environment_length(const struct soft_insn *insn)
{
	return insn->size == 2 ? 14 : 28;
}

static void put_environment16(const struct soft_cpu *cpu, const struct host_environment *host,
	uint16_t out[7])
{
	const struct soft_fp *fp = &cpu->fp;
	uint32_t fip = fp->fip + fp->fcs * 16u, fdp = fp->fdp + fp->fds * 16u;

	out[0] = host->control;
	out[1] = host->status;
	out[2] = host->tag;
	out[3] = real_format(cpu) ? fip : fp->fip;
	out[4] = real_format(cpu) ? (fip >> 4 & 0xf000) | fp->fop : fp->fcs;
	out[5] = real_format(cpu) ? fdp : fp->fdp;
	out[6] = real_format(cpu) ? fdp >> 4 & 0xf000 : fp->fds;
}

static void put_environment32(const struct soft_cpu *cpu, const struct host_environment *host,
	uint32_t out[7])
{
	const struct soft_fp *fp = &cpu->fp;
	uint32_t fip = fp->fip + fp->fcs * 16u, fdp = fp->fdp + fp->fds * 16u;

	out[0] = host->control | 0xffff0000;
	out[1] = host->status | 0xffff0000;
	out[2] = host->tag | 0xffff0000;
	if (real_format(cpu)) {
		out[3] = (fip & 0xffff) | 0xffff0000;
		out[4] = (fip >> 4 & 0xffff000) | fp->fop;
		out[5] = (fdp & 0xffff) | 0xffff0000;
		out[6] = fdp >> 4 & 0xffff000;
	} else {
		out[3] = fp->fip;
		out[4] = (uint32_t)fp->fop << 16 | fp->fcs;
		out[5] = fp->fdp;
		out[6] = fp->fds | 0xffff0000;
	}
}

static void get_environment16(struct soft_cpu *cpu, const uint16_t in[7])
{
	struct soft_fp *fp = &cpu->fp;
	bool real = real_format(cpu);

	fp->fip = real ? in[3] | (in[4] & 0xf000u) << 4 : in[3];
	fp->fop = real ? in[4] & 0x7ff : 0;
	fp->fcs = real ? 0 : in[4];
	fp->fdp = real ? in[5] | (in[6] & 0xf000u) << 4 : in[5];
	fp->fds = real ? 0 : in[6];
}

static void get_environment32(struct soft_cpu *cpu, const uint32_t in[7])
{
	struct soft_fp *fp = &cpu->fp;
	bool real = real_format(cpu);

	fp->fip = real ? (in[3] & 0xffff) | (in[4] & 0xffff000) << 4 : in[3];
	fp->fop = (real ? in[4] : in[4] >> 16) & 0x7ff;
	fp->fcs = real ? 0 : in[4];
	fp->fdp = real ? (in[5] & 0xffff) | (in[6] & 0xffff000) << 4 : in[5];
	fp->fds = real ? 0 : in[6];
}

// The guest's format of what the host has just stored; returns its length.
static unsigned put_environment(struct soft_cpu *cpu, const struct soft_insn *insn,
	const struct host_environment *host, void *out)
{
	uint16_t short_form[7];
	uint32_t long_form[7];

	if (insn->size == 2) {
		put_environment16(cpu, host, short_form);
		memcpy(out, short_form, sizeof(short_form));
	} else {
		put_environment32(cpu, host, long_form);
		memcpy(out, long_form, sizeof(long_form));
	}
	return environment_length(insn);
}

static void get_environment(struct soft_cpu *cpu, const struct soft_insn *insn, const void *in,
	struct host_environment *host)
{
	uint16_t short_form[7];
	uint32_t long_form[7];

	memset(host, 0, sizeof(*host));
	if (insn->size == 2) {
		memcpy(short_form, in, sizeof(short_form));
		get_environment16(cpu, short_form);
		host->control = short_form[0];
		host->status = short_form[1];
		host->tag = short_form[2];
	} else {
		memcpy(long_form, in, sizeof(long_form));
		get_environment32(cpu, long_form);
		host->control = (uint16_t)long_form[0];
		host->status = (uint16_t)long_form[1];
		host->tag = (uint16_t)long_form[2];
	}
	cpu->fp.x87_unmasked = (host->control & SOFT_FCW_EXCEPTIONS) != SOFT_FCW_EXCEPTIONS;
}

static void op_fnstenv(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct host_environment host;
	uint8_t image[HOST_ENVIRONMENT];
	uint64_t linear;

	x87_no_wait(cpu);
	linear = soft_operand(cpu, insn, environment_length(insn), SOFT_WRITE);
	soft_probe_write(cpu, linear, environment_length(insn));
	__asm__ volatile("fnstenv %0" : "=m"(host)); // masks all exceptions, as the guest's does
	soft_store_bytes(cpu, linear, image, put_environment(cpu, insn, &host, image));
}

static void op_fldenv(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct host_environment host;
	uint8_t image[HOST_ENVIRONMENT];
	unsigned length = environment_length(insn);

	soft_x87_check(cpu);
	soft_load_bytes(cpu, soft_operand(cpu, insn, length, SOFT_READ), image, length);
	soft_fp_use_x87(&cpu->fp);
	get_environment(cpu, insn, image, &host);
	__asm__ volatile("fldenv %0" : : "m"(host));
}

static void op_fnsave(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct host_environment host;
	uint8_t image[sizeof(host)];
	unsigned length = environment_length(insn);
	uint64_t linear;

	x87_no_wait(cpu);
	linear = soft_operand(cpu, insn, length + sizeof(host.st), SOFT_WRITE);
	soft_probe_write(cpu, linear, length + sizeof(host.st));
	__asm__ volatile("fnsave %0" : "=m"(host));
	put_environment(cpu, insn, &host, image);
	memcpy(image + length, host.st, sizeof(host.st));
	soft_store_bytes(cpu, linear, image, length + sizeof(host.st));
	x87_init(&cpu->fp);
}

static void op_frstor(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct host_environment host;
	uint8_t image[sizeof(host)];
	unsigned length = environment_length(insn);

	soft_x87_check(cpu);
	soft_load_bytes(cpu, soft_operand(cpu, insn, length + sizeof(host.st), SOFT_READ), image,
		length + sizeof(host.st));
	soft_fp_use_x87(&cpu->fp);
	get_environment(cpu, insn, image, &host);
	memcpy(host.st, image + length, sizeof(host.st));
	__asm__ volatile("frstor %0" : : "m"(host));
}

#define X87 .map = SOFT_MAP_1, .group = SOFT_G_X87, .pick = x87_pick
#define MEMORY(mnemonic, opcode_, digit_, kind, bytes)                                             \
	{.name = mnemonic, X87, .opcode = opcode_, .modrm = SOFT_M_MEM, .digit = (digit_) + 1,          \
		.size = SOFT_S_V, .a = kind, .b = bytes,                                                   \
		.flags = SOFT_FP | ((kind) == X87_LOAD ? SOFT_READS_RM : SOFT_WRITES_RM)}
#define CONTROL(mnemonic, opcode_, digit_, fn_, access)                                            \
	{.name = mnemonic, X87, .opcode = opcode_, .modrm = SOFT_M_MEM, .digit = (digit_) + 1,          \
		.size = SOFT_S_V, .fn = fn_, .flags = SOFT_FP | (access)}
// All eight registers, and one value of the r/m field.
#define REGS(mnemonic, opcode_, digit_)                                                            \
	{.name = mnemonic, X87, .opcode = opcode_, .modrm = SOFT_M_REG, .digit = (digit_) + 1,          \
		.size = SOFT_S_V, .a = X87_REGISTER, .flags = SOFT_FP}
#define ONE(mnemonic, opcode_, digit_, rm_, fn_)                                                   \
	{.name = mnemonic, X87, .opcode = opcode_, .modrm = SOFT_M_REG, .digit = (digit_) + 1,          \
		.rm = (rm_) + 1, .size = SOFT_S_V, .a = X87_REGISTER, .fn = fn_, .flags = SOFT_FP}
#define MOVE(mnemonic, opcode_, digit_, reads_)                                                    \
	{.name = mnemonic, X87, .opcode = opcode_, .modrm = SOFT_M_REG, .digit = (digit_) + 1,          \
		.size = SOFT_S_V, .a = X87_MOVE, .reads = reads_, .flags = SOFT_FP}
#define COMPARE(mnemonic, opcode_, digit_)                                                         \
	{.name = mnemonic, X87, .opcode = opcode_, .modrm = SOFT_M_REG, .digit = (digit_) + 1,          \
		.size = SOFT_S_V, .a = X87_COMPARE, .writes = SOFT_ARITHMETIC, .flags = SOFT_FP}

// Names ending in 2 to 9 are the aliases that processors of both makers carry out.
const struct soft_opcode soft_x87_table[] = {
	{.name = "fwait", .map = SOFT_MAP_1, .opcode = 0x9b, .group = SOFT_G_X87, .size = SOFT_S_V,
		.fn = op_fwait, .flags = SOFT_FP},

	MEMORY("fadd", 0xd8, 0, X87_LOAD, 4), MEMORY("fmul", 0xd8, 1, X87_LOAD, 4),
	MEMORY("fcom", 0xd8, 2, X87_LOAD, 4), MEMORY("fcomp", 0xd8, 3, X87_LOAD, 4),
	MEMORY("fsub", 0xd8, 4, X87_LOAD, 4), MEMORY("fsubr", 0xd8, 5, X87_LOAD, 4),
	MEMORY("fdiv", 0xd8, 6, X87_LOAD, 4), MEMORY("fdivr", 0xd8, 7, X87_LOAD, 4),
	REGS("fadd", 0xd8, 0), REGS("fmul", 0xd8, 1), REGS("fcom", 0xd8, 2), REGS("fcomp", 0xd8, 3),
	REGS("fsub", 0xd8, 4), REGS("fsubr", 0xd8, 5), REGS("fdiv", 0xd8, 6), REGS("fdivr", 0xd8, 7),

	MEMORY("fld", 0xd9, 0, X87_LOAD, 4), MEMORY("fst", 0xd9, 2, X87_STORE, 4),
	MEMORY("fstp", 0xd9, 3, X87_STORE, 4), CONTROL("fldenv", 0xd9, 4, op_fldenv, SOFT_READS_RM),
	CONTROL("fldcw", 0xd9, 5, op_fldcw, SOFT_READS_RM),
	CONTROL("fnstenv", 0xd9, 6, op_fnstenv, SOFT_WRITES_RM),
	CONTROL("fnstcw", 0xd9, 7, op_fnstcw, SOFT_WRITES_RM),
	REGS("fld", 0xd9, 0), REGS("fxch", 0xd9, 1), ONE("fnop", 0xd9, 2, 0, NULL),
	REGS("fstp1", 0xd9, 3), ONE("fchs", 0xd9, 4, 0, NULL), ONE("fabs", 0xd9, 4, 1, NULL),
	ONE("ftst", 0xd9, 4, 4, NULL), ONE("fxam", 0xd9, 4, 5, NULL), ONE("fld1", 0xd9, 5, 0, NULL),
	ONE("fldl2t", 0xd9, 5, 1, NULL), ONE("fldl2e", 0xd9, 5, 2, NULL),
	ONE("fldpi", 0xd9, 5, 3, NULL), ONE("fldlg2", 0xd9, 5, 4, NULL),
	ONE("fldln2", 0xd9, 5, 5, NULL), ONE("fldz", 0xd9, 5, 6, NULL),
	ONE("f2xm1", 0xd9, 6, 0, NULL), ONE("fyl2x", 0xd9, 6, 1, NULL),
	ONE("fptan", 0xd9, 6, 2, NULL), ONE("fpatan", 0xd9, 6, 3, NULL),
	ONE("fxtract", 0xd9, 6, 4, NULL), ONE("fprem1", 0xd9, 6, 5, NULL),
	ONE("fdecstp", 0xd9, 6, 6, NULL), ONE("fincstp", 0xd9, 6, 7, NULL),
	ONE("fprem", 0xd9, 7, 0, NULL), ONE("fyl2xp1", 0xd9, 7, 1, NULL),
	ONE("fsqrt", 0xd9, 7, 2, NULL), ONE("fsincos", 0xd9, 7, 3, NULL),
	ONE("frndint", 0xd9, 7, 4, NULL), ONE("fscale", 0xd9, 7, 5, NULL),
	ONE("fsin", 0xd9, 7, 6, NULL), ONE("fcos", 0xd9, 7, 7, NULL),

	MEMORY("fiadd", 0xda, 0, X87_LOAD, 4), MEMORY("fimul", 0xda, 1, X87_LOAD, 4),
	MEMORY("ficom", 0xda, 2, X87_LOAD, 4), MEMORY("ficomp", 0xda, 3, X87_LOAD, 4),
	MEMORY("fisub", 0xda, 4, X87_LOAD, 4), MEMORY("fisubr", 0xda, 5, X87_LOAD, 4),
	MEMORY("fidiv", 0xda, 6, X87_LOAD, 4), MEMORY("fidivr", 0xda, 7, X87_LOAD, 4),
	MOVE("fcmovb", 0xda, 0, SOFT_CF), MOVE("fcmove", 0xda, 1, SOFT_ZF),
	MOVE("fcmovbe", 0xda, 2, SOFT_CF | SOFT_ZF), MOVE("fcmovu", 0xda, 3, SOFT_PF),
	ONE("fucompp", 0xda, 5, 1, NULL),

	MEMORY("fild", 0xdb, 0, X87_LOAD, 4), MEMORY("fisttp", 0xdb, 1, X87_STORE, 4),
	MEMORY("fist", 0xdb, 2, X87_STORE, 4), MEMORY("fistp", 0xdb, 3, X87_STORE, 4),
	MEMORY("fld", 0xdb, 5, X87_LOAD, 10), MEMORY("fstp", 0xdb, 7, X87_STORE, 10),
	MOVE("fcmovnb", 0xdb, 0, SOFT_CF), MOVE("fcmovne", 0xdb, 1, SOFT_ZF),
	MOVE("fcmovnbe", 0xdb, 2, SOFT_CF | SOFT_ZF), MOVE("fcmovnu", 0xdb, 3, SOFT_PF),
	ONE("feni", 0xdb, 4, 0, op_fnop87), ONE("fdisi", 0xdb, 4, 1, op_fnop87),
	ONE("fnclex", 0xdb, 4, 2, op_fnclex), ONE("fninit", 0xdb, 4, 3, op_fninit),
	ONE("fsetpm", 0xdb, 4, 4, op_fnop87), COMPARE("fucomi", 0xdb, 5), COMPARE("fcomi", 0xdb, 6),

	MEMORY("fadd", 0xdc, 0, X87_LOAD, 8), MEMORY("fmul", 0xdc, 1, X87_LOAD, 8),
	MEMORY("fcom", 0xdc, 2, X87_LOAD, 8), MEMORY("fcomp", 0xdc, 3, X87_LOAD, 8),
	MEMORY("fsub", 0xdc, 4, X87_LOAD, 8), MEMORY("fsubr", 0xdc, 5, X87_LOAD, 8),
	MEMORY("fdiv", 0xdc, 6, X87_LOAD, 8), MEMORY("fdivr", 0xdc, 7, X87_LOAD, 8),
	REGS("fadd", 0xdc, 0), REGS("fmul", 0xdc, 1), REGS("fcom2", 0xdc, 2),
	REGS("fcomp3", 0xdc, 3), REGS("fsubr", 0xdc, 4), REGS("fsub", 0xdc, 5),
	REGS("fdivr", 0xdc, 6), REGS("fdiv", 0xdc, 7),

	MEMORY("fld", 0xdd, 0, X87_LOAD, 8), MEMORY("fisttp", 0xdd, 1, X87_STORE, 8),
	MEMORY("fst", 0xdd, 2, X87_STORE, 8), MEMORY("fstp", 0xdd, 3, X87_STORE, 8),
	CONTROL("frstor", 0xdd, 4, op_frstor, SOFT_READS_RM),
	CONTROL("fnsave", 0xdd, 6, op_fnsave, SOFT_WRITES_RM),
	CONTROL("fnstsw", 0xdd, 7, op_fnstsw, SOFT_WRITES_RM),
	REGS("ffree", 0xdd, 0), REGS("fxch4", 0xdd, 1), REGS("fst", 0xdd, 2), REGS("fstp", 0xdd, 3),
	REGS("fucom", 0xdd, 4), REGS("fucomp", 0xdd, 5),

	MEMORY("fiadd", 0xde, 0, X87_LOAD, 2), MEMORY("fimul", 0xde, 1, X87_LOAD, 2),
	MEMORY("ficom", 0xde, 2, X87_LOAD, 2), MEMORY("ficomp", 0xde, 3, X87_LOAD, 2),
	MEMORY("fisub", 0xde, 4, X87_LOAD, 2), MEMORY("fisubr", 0xde, 5, X87_LOAD, 2),
	MEMORY("fidiv", 0xde, 6, X87_LOAD, 2), MEMORY("fidivr", 0xde, 7, X87_LOAD, 2),
	REGS("faddp", 0xde, 0), REGS("fmulp", 0xde, 1), REGS("fcomp5", 0xde, 2),
	ONE("fcompp", 0xde, 3, 1, NULL), REGS("fsubrp", 0xde, 4), REGS("fsubp", 0xde, 5),
	REGS("fdivrp", 0xde, 6), REGS("fdivp", 0xde, 7),

	MEMORY("fild", 0xdf, 0, X87_LOAD, 2), MEMORY("fisttp", 0xdf, 1, X87_STORE, 2),
	MEMORY("fist", 0xdf, 2, X87_STORE, 2), MEMORY("fistp", 0xdf, 3, X87_STORE, 2),
	MEMORY("fbld", 0xdf, 4, X87_LOAD, 10), MEMORY("fild", 0xdf, 5, X87_LOAD, 8),
	MEMORY("fbstp", 0xdf, 6, X87_STORE, 10), MEMORY("fistp", 0xdf, 7, X87_STORE, 8),
	REGS("ffreep", 0xdf, 0), REGS("fxch7", 0xdf, 1), REGS("fstp8", 0xdf, 2),
	REGS("fstp9", 0xdf, 3), ONE("fnstsw", 0xdf, 4, 0, op_fnstsw_ax), COMPARE("fucomip", 0xdf, 5),
	COMPARE("fcomip", 0xdf, 6),
	{.name = NULL},
};

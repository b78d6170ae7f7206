// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Near jumps, calls and returns; Jcc, LOOP, JCXZ; PUSH and POP of general registers, memory and
 * immediates, PUSHA, POPA, ENTER, LEAVE.
 */
#include "engine/vmm/cpu/soft/ops.h"

/* Branches with a target in the instruction. Those with a 16-bit operand size outside 16-bit code
 * cut the target to 16 bits: target16(). */

static uint64_t target16(const struct soft_cpu *cpu, const struct soft_insn *insn)
{
	return (uint16_t)(cpu->gpr[SOFT_ORIGIN] + insn->imm);
}

/* Outside flat code a target may lie past the code segment's limit: #GP before anything else. */
static inline void check_direct(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	if (SOFT_UNLIKELY(!(cpu->mode & (SOFT_MODE_CODE64 | SOFT_MODE_FLAT)))) {
		cpu->current = insn;
		soft_check_target(cpu, soft_mask_rip(cpu, cpu->gpr[SOFT_ORIGIN] + insn->imm));
	}
}

static SOFT_OP(jmp)
{
	check_direct(cpu, insn);
	SOFT_GO(insn);
}

static SOFT_OP(jmp16)
{
	uint64_t target = target16(cpu, insn);
	cpu->current = insn;
	soft_check_target(cpu, target);
	SOFT_GO_TO(target);
}

#define DEFINE_JCC(cc_name, cc)                                                                    \
	static SOFT_OP(jcc_##cc_name)                                                              \
	{                                                                                          \
		if (soft_condition(cpu->flags, cc)) {                                              \
			check_direct(cpu, insn);                                                   \
			SOFT_GO(insn);                                                             \
		}                                                                                  \
		SOFT_GO(insn + 1);                                                                 \
	}                                                                                          \
	static SOFT_OP(jcc_##cc_name##_16)                                                         \
	{                                                                                          \
		if (soft_condition(cpu->flags, cc)) {                                              \
			uint64_t target = target16(cpu, insn);                                     \
			cpu->current = insn;                                                       \
			soft_check_target(cpu, target);                                            \
			SOFT_GO_TO(target);                                                        \
		}                                                                                  \
		SOFT_GO(insn + 1);                                                                 \
	}
SOFT_CONDITIONS(DEFINE_JCC)

#define JCC(name, cc) {jcc_##name, jcc_##name##_16},
static void (*const jccs[16][2])(struct soft_cpu *, const struct soft_insn *) = {
	SOFT_CONDITIONS(JCC)};

static bool narrow(const struct soft_insn *insn, const struct soft_decode *d)
{
	return insn->size == 2 && d->mode & SOFT_MODE_CODE32;
}

static bool pick_jcc(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->link = NULL;
	insn->reg = d->opcode & 15;
	insn->run = jccs[insn->reg][narrow(insn, d)];
	return true;
}

static bool pick_jmp(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->link = NULL;
	insn->run = narrow(insn, d) ? jmp16 : jmp;
	return true;
}

bool soft_is_jcc(const struct soft_insn *insn)
{
	return soft_opcode_at(insn->row)->pick == pick_jcc && insn->run == jccs[insn->reg][0];
}

unsigned soft_jcc_condition(const struct soft_insn *insn)
{
	return insn->reg;
}

/* LOOPNE LOOPE LOOP JrCXZ, by the low bits of the opcode. The counter has the address size. */
static bool loop_taken(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t count = soft_reg(cpu, insn->asize, SOFT_RCX);
	if (insn->reg == 3)
		return count == 0;
	count--;
	if (insn->asize == 2)
		count = (uint16_t)count;
	bool zero = cpu->flags & SOFT_IMAGE_ZF;
	bool more = insn->asize == 4 ? (uint32_t)count : count;
	return more && (insn->reg == 2 || zero == insn->reg);
}

static SOFT_OP(loop)
{
	bool taken = loop_taken(cpu, insn);
	uint64_t target = soft_mask_rip(cpu, cpu->gpr[SOFT_ORIGIN] + insn->imm);
	if (insn->size == 2)
		target = (uint16_t)target;
	if (taken) {
		cpu->current = insn;
		soft_check_target(cpu, target);
	}
	if (insn->reg != 3)
		soft_put(cpu, insn->asize, SOFT_RCX, soft_reg(cpu, insn->asize, SOFT_RCX) - 1);
	if (taken && insn->size != 2)
		SOFT_GO(insn);
	SOFT_GO_TO(taken ? target : soft_insn_next(cpu, insn));
}

static bool pick_loop(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->link = NULL;
	insn->reg = d->opcode & 3;
	insn->run = loop;
	return true;
}

/* Calls and returns. */

static SOFT_OP(call64)
{
	cpu->current = insn;
	uint64_t rsp = cpu->gpr[SOFT_RSP] - 8;
	soft_store64(cpu, rsp, cpu->gpr[SOFT_ORIGIN] + insn->offset + insn->length);
	cpu->gpr[SOFT_RSP] = rsp;
	SOFT_GO(insn);
}

static SOFT_OP(call_narrow)
{
	cpu->current = insn;
	uint64_t target = soft_mask_rip(cpu, cpu->gpr[SOFT_ORIGIN] + insn->imm);
	if (insn->size == 2)
		target = (uint16_t)target;
	soft_check_target(cpu, target);
	soft_push(cpu, soft_insn_next(cpu, insn), insn->size);
	SOFT_GO_TO(target);
}

static SOFT_OP(ret64)
{
	cpu->current = insn;
	uint64_t target = soft_load64(cpu, cpu->gpr[SOFT_RSP]);
	if (SOFT_UNLIKELY(!soft_canonical(target)))
		soft_raise_code(cpu, SOFT_GP, 0);
	cpu->gpr[SOFT_RSP] += 8 + insn->imm;
	SOFT_GO_TO(target);
}

static SOFT_OP(ret_narrow)
{
	cpu->current = insn;
	uint64_t target = soft_top(cpu, insn->size);
	soft_check_target(cpu, target);
	soft_stack_move(cpu, insn->size + insn->imm);
	SOFT_GO_TO(target);
}

static uint64_t branch_operand(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	if (!insn->memory)
		return soft_reg(cpu, insn->size, insn->rm);
	return soft_load(cpu, soft_operand(cpu, insn, insn->size, SOFT_READ), insn->size);
}

static SOFT_OP(jmp_rm)
{
	cpu->current = insn;
	uint64_t target = branch_operand(cpu, insn);
	soft_check_target(cpu, target);
	SOFT_GO_TO(target);
}

static SOFT_OP(call_rm)
{
	cpu->current = insn;
	uint64_t target = branch_operand(cpu, insn);
	soft_check_target(cpu, target);
	soft_push(cpu, soft_insn_next(cpu, insn), insn->size);
	SOFT_GO_TO(target);
}

static bool pick_call(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->link = NULL;
	insn->run = insn->size == 8 ? call64 : call_narrow;
	return true;
}

static bool pick_ret(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->run = insn->size == 8 ? ret64 : ret_narrow;
	return true;
}

static bool pick_branch_rm(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->run = d->row->a ? call_rm : jmp_rm;
	return true;
}

/* PUSH and POP. */

static SOFT_OP(push64)
{
	cpu->current = insn;
	uint64_t rsp = cpu->gpr[SOFT_RSP] - 8;
	soft_store64(cpu, rsp, cpu->gpr[insn->rm]);
	cpu->gpr[SOFT_RSP] = rsp;
	SOFT_NEXT();
}

static SOFT_OP(push_narrow)
{
	cpu->current = insn;
	soft_push(cpu, cpu->gpr[insn->rm], insn->size);
	SOFT_NEXT();
}

static SOFT_OP(push_imm)
{
	cpu->current = insn;
	soft_push(cpu, insn->imm, insn->size);
	SOFT_NEXT();
}

static SOFT_OP(push_mem)
{
	cpu->current = insn;
	uint64_t linear = soft_operand(cpu, insn, insn->size, SOFT_READ);
	soft_push(cpu, soft_load(cpu, linear, insn->size), insn->size);
	SOFT_NEXT();
}

static SOFT_OP(pop64)
{
	cpu->current = insn;
	uint64_t value = soft_load64(cpu, cpu->gpr[SOFT_RSP]);
	cpu->gpr[SOFT_RSP] += 8;
	cpu->gpr[insn->rm] = value;
	SOFT_NEXT();
}

static SOFT_OP(pop_narrow)
{
	cpu->current = insn;
	uint64_t value = soft_top(cpu, insn->size);
	soft_stack_move(cpu, insn->size);
	soft_put(cpu, insn->size, insn->rm, value);
	SOFT_NEXT();
}

/* The address is computed with the stack pointer already raised (SDM volume 2, POP); a fault leaves
 * it. */
static void op_pop_mem(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t value = soft_top(cpu, insn->size), rsp = cpu->gpr[SOFT_RSP];
	soft_stack_move(cpu, insn->size);
	uint64_t raised = cpu->gpr[SOFT_RSP];
	uint64_t offset = soft_effective(cpu, insn);
	uint64_t flat = cpu->gpr[insn->base] + (cpu->gpr[insn->index] << insn->scale) + insn->disp;
	cpu->gpr[SOFT_RSP] = rsp;
	uint64_t linear =
		insn->address == SOFT_ADDRESS_FLAT
			? flat
			: soft_segment_linear(cpu, insn->seg, offset, insn->size, SOFT_WRITE);
	soft_store(cpu, linear, value, insn->size);
	cpu->gpr[SOFT_RSP] = raised;
}

static bool pick_push(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->run = insn->memory ? push_mem : insn->size == 8 ? push64 : push_narrow;
	return true;
}

static bool pick_push_imm(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->run = push_imm;
	return true;
}

static bool pick_pop(struct soft_insn *insn, const struct soft_decode *d)
{
	if (insn->memory)
		insn->fn = op_pop_mem;
	else
		insn->run = insn->size == 8 ? pop64 : pop_narrow;
	return true;
}

static uint64_t stack_at(
	struct soft_cpu *cpu, int64_t distance, unsigned size, enum soft_access access)
{
	return soft_stack_linear(cpu, cpu->gpr[SOFT_RSP] + distance, size, access);
}

static void op_pusha(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	unsigned size = insn->size;
	uint64_t linear[8];
	for (int i = 0; i < 8; i++) {
		linear[i] = stack_at(cpu, -(i + 1) * (int)size, size, SOFT_WRITE);
		soft_probe_write(cpu, linear[i], size);
	}
	for (int i = 0; i < 8; i++)
		soft_store(cpu, linear[i], cpu->gpr[i], size);
	soft_stack_move(cpu, -8 * (int)size);
}

static void op_popa(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	unsigned size = insn->size;
	uint64_t value[8];
	for (int i = 0; i < 8; i++)
		value[7 - i] = soft_load(cpu, stack_at(cpu, i * (int)size, size, SOFT_READ), size);
	for (int i = 0; i < 8; i++)
		if (i != SOFT_RSP)
			soft_put(cpu, size, i, value[i]);
	soft_stack_move(cpu, 8 * (int)size);
}

static SOFT_OP(leave64)
{
	cpu->current = insn;
	uint64_t rbp = soft_load64(cpu, cpu->gpr[SOFT_RBP]);
	cpu->gpr[SOFT_RSP] = cpu->gpr[SOFT_RBP] + 8;
	cpu->gpr[SOFT_RBP] = rbp;
	SOFT_NEXT();
}

static void op_leave(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t mask = soft_stack_mask(cpu), rbp = cpu->gpr[SOFT_RBP];
	uint64_t value =
		soft_load(cpu, soft_stack_linear(cpu, rbp, insn->size, SOFT_READ), insn->size);
	cpu->gpr[SOFT_RSP] = (cpu->gpr[SOFT_RSP] & ~mask) | ((rbp + insn->size) & mask);
	soft_put(cpu, insn->size, SOFT_RBP, value);
}

static bool pick_leave(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->run = insn->size == 8 && d->mode & SOFT_MODE_CODE64 ? leave64 : soft_op_call;
	insn->fn = op_leave;
	return true;
}

/* ENTER (SDM volume 2): saved frame pointers are copied by way of an array, so that a fault
 * comes before the first change. */
static void op_enter(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	unsigned size = insn->size, level = insn->imm >> 16 & 31;
	uint64_t mask = soft_stack_mask(cpu), values[33];
	unsigned count = 0;
	values[count++] = cpu->gpr[SOFT_RBP];
	for (unsigned i = 1; i < level; i++)
		values[count++] = soft_load(cpu,
			soft_stack_linear(cpu, cpu->gpr[SOFT_RBP] - i * size, size, SOFT_READ),
			size);
	uint64_t frame = cpu->gpr[SOFT_RSP] - size;
	if (level)
		values[count++] = frame;
	uint64_t room = count * (uint64_t)size + (insn->imm & 0xffff);
	for (unsigned i = 0; i < count; i++)
		soft_probe_write(
			cpu, stack_at(cpu, -(int64_t)(i + 1) * size, size, SOFT_WRITE), size);
	soft_probe_write(cpu, stack_at(cpu, -(int64_t)room, size, SOFT_WRITE), size);
	for (unsigned i = 0; i < count; i++)
		soft_store(cpu, stack_at(cpu, -(int64_t)(i + 1) * size, size, SOFT_WRITE),
			values[i], size);
	soft_stack_move(cpu, -(int64_t)room);
	if (mask == 0xffff && size > 2)
		frame &= 0xffff;
	soft_put(cpu, size, SOFT_RBP, frame);
}

/* clang-format off */
const struct soft_opcode soft_flow_table[] = {
	{ .name = "j", .opcode = 0x70, .size = SOFT_S_F64, .imm = SOFT_I_REL8,
		.reads = SOFT_ARITHMETIC, .group = SOFT_G_BRANCH,
		.flags = SOFT_BRANCH | SOFT_CC_IN_OPCODE, .pick = pick_jcc },
	{ .name = "j", .map = SOFT_MAP_0F, .opcode = 0x80, .size = SOFT_S_F64, .imm = SOFT_I_RELZ,
		.reads = SOFT_ARITHMETIC, .group = SOFT_G_BRANCH,
		.flags = SOFT_BRANCH | SOFT_CC_IN_OPCODE, .pick = pick_jcc },
	{ .name = "jmp", .opcode = 0xe9, .size = SOFT_S_F64, .imm = SOFT_I_RELZ,
		.group = SOFT_G_BRANCH, .flags = SOFT_BRANCH, .pick = pick_jmp },
	{ .name = "jmp", .opcode = 0xeb, .size = SOFT_S_F64, .imm = SOFT_I_REL8,
		.group = SOFT_G_BRANCH, .flags = SOFT_BRANCH, .pick = pick_jmp },
	{ .name = "loopne", .opcode = 0xe0, .size = SOFT_S_F64, .imm = SOFT_I_REL8,
		.reads = SOFT_ZF, .group = SOFT_G_BRANCH, .flags = SOFT_BRANCH,
		.pick = pick_loop },
	{ .name = "loope", .opcode = 0xe1, .size = SOFT_S_F64, .imm = SOFT_I_REL8,
		.reads = SOFT_ZF, .group = SOFT_G_BRANCH, .flags = SOFT_BRANCH,
		.pick = pick_loop },
	{ .name = "loop", .opcode = 0xe2, .size = SOFT_S_F64, .imm = SOFT_I_REL8,
		.group = SOFT_G_BRANCH, .flags = SOFT_BRANCH, .pick = pick_loop },
	{ .name = "jcxz", .opcode = 0xe3, .size = SOFT_S_F64, .imm = SOFT_I_REL8,
		.group = SOFT_G_BRANCH, .flags = SOFT_BRANCH, .pick = pick_loop },
	{ .name = "call", .opcode = 0xe8, .size = SOFT_S_F64, .imm = SOFT_I_RELZ,
		.group = SOFT_G_CALL, .flags = SOFT_BRANCH | SOFT_STACK, .pick = pick_call },
	{ .name = "call", .opcode = 0xff, .modrm = SOFT_M_ANY, .digit = 3, .size = SOFT_S_F64,
		.group = SOFT_G_CALL, .flags = SOFT_BRANCH | SOFT_STACK | SOFT_READS_RM,
		.pick = pick_branch_rm, .a = 1 },
	{ .name = "jmp", .opcode = 0xff, .modrm = SOFT_M_ANY, .digit = 5, .size = SOFT_S_F64,
		.group = SOFT_G_BRANCH, .flags = SOFT_BRANCH | SOFT_READS_RM,
		.pick = pick_branch_rm },
	{ .name = "ret", .opcode = 0xc2, .size = SOFT_S_F64, .imm = SOFT_I_16,
		.group = SOFT_G_CALL, .flags = SOFT_BRANCH | SOFT_STACK, .pick = pick_ret },
	{ .name = "ret", .opcode = 0xc3, .size = SOFT_S_F64, .group = SOFT_G_CALL,
		.flags = SOFT_BRANCH | SOFT_STACK, .pick = pick_ret },
	{ .name = "push", .opcode = 0x50, .size = SOFT_S_V64, .group = SOFT_G_STACK,
		.flags = SOFT_REG_IN_OPCODE | SOFT_STACK | SOFT_READS_RM, .pick = pick_push },
	{ .name = "push", .opcode = 0xff, .modrm = SOFT_M_ANY, .digit = 7, .size = SOFT_S_V64,
		.group = SOFT_G_STACK, .flags = SOFT_STACK | SOFT_READS_RM, .pick = pick_push },
	{ .name = "push", .opcode = 0x68, .size = SOFT_S_V64, .imm = SOFT_I_Z,
		.group = SOFT_G_STACK, .flags = SOFT_STACK, .pick = pick_push_imm },
	{ .name = "push", .opcode = 0x6a, .size = SOFT_S_V64, .imm = SOFT_I_8S,
		.group = SOFT_G_STACK, .flags = SOFT_STACK, .pick = pick_push_imm },
	{ .name = "pop", .opcode = 0x58, .size = SOFT_S_V64, .group = SOFT_G_STACK,
		.flags = SOFT_REG_IN_OPCODE | SOFT_STACK | SOFT_WRITES_RM, .pick = pick_pop },
	{ .name = "pop", .opcode = 0x8f, .modrm = SOFT_M_ANY, .digit = 1, .size = SOFT_S_V64,
		.group = SOFT_G_STACK, .flags = SOFT_STACK | SOFT_WRITES_RM, .pick = pick_pop },
	{ .name = "pusha", .opcode = 0x60, .size = SOFT_S_V, .group = SOFT_G_STACK,
		.flags = SOFT_STACK | SOFT_NO64, .fn = op_pusha },
	{ .name = "popa", .opcode = 0x61, .size = SOFT_S_V, .group = SOFT_G_STACK,
		.flags = SOFT_STACK | SOFT_NO64, .fn = op_popa },
	{ .name = "enter", .opcode = 0xc8, .size = SOFT_S_V64, .imm = SOFT_I_16_8,
		.group = SOFT_G_STACK, .flags = SOFT_STACK, .fn = op_enter },
	{ .name = "leave", .opcode = 0xc9, .size = SOFT_S_V64, .group = SOFT_G_STACK,
		.flags = SOFT_STACK, .pick = pick_leave },
	{ 0 },
};
/* clang-format on */

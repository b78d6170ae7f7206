// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/cpu/soft/fuse.h"
#include "engine/vmm/cpu/soft/decode.h"

/* A shift by CL, or by 0, may leave the flags as they are. */
static bool always_writes(const struct soft_insn *insn, const struct soft_opcode *row)
{
	if (row->group != SOFT_G_SHIFT && row->group != SOFT_G_DOUBLE_SHIFT)
		return true;
	return insn->fn && (insn->imm & (insn->size == 8 ? 63 : 31)) && row->b != SOFT_BY_CL;
}

void soft_quiet(struct soft_insn *insns, unsigned count)
{
	unsigned live = SOFT_ARITHMETIC;
	for (struct soft_insn *insn = insns + count; insn-- > insns;) {
		if (!(insn->prefixes & SOFT_IS_PURE)) {
			live = SOFT_ARITHMETIC;
			continue;
		}
		const struct soft_opcode *row = soft_opcode_at(insn->row);
		if (insn->fn && !(row->writes & live))
			insn->run = insn->fn;
		if (always_writes(insn, row))
			live &= ~row->writes;
		live |= row->reads;
	}
}

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a finished list of instructions gains by being looked at as a whole.
 */
#pragma once

struct soft_insn;

/* Pairs that are done in one step (CMP or TEST before Jcc): the first of them gets a handler
 * for both. The second keeps its own, for who begins there. (op_alu.c) */
void soft_fuse(struct soft_insn *insns, unsigned count);

/* Flags that are written again before anybody can look, with nothing in between that may fault, are
 * not computed. (fuse.c) */
void soft_quiet(struct soft_insn *insns, unsigned count);

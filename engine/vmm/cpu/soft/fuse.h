// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Superinstructions: pairs that a block's handlers do in one step (CMP or TEST before Jcc…).
 */
#pragma once

struct soft_insn;

/* Gives the first of each such pair in a finished list a handler for both. The second keeps its
 * own, for who begins there. */
void soft_fuse(struct soft_insn *insns, unsigned count);

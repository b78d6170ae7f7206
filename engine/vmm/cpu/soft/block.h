// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The cache of decoded blocks of one vCPU, and what keeps it true to memory.
 *
 * A block is a run of instructions within one physical page, decoded for one mode word; it does
 * not depend on the virtual address. It ends at a branch, an END row, the page's end or after
 * SOFT_BLOCK_MAX instructions. An instruction that crosses into another page is a block by
 * itself; no jump or link leads to it, as where its rest lies has to be looked up each time.
 *
 * Code that changes: a page that holds decoded code has memory->code_page[] set and its write
 * tags withdrawn, so that stores to it come to soft_code_written(), which bumps
 * memory->code_gen[]. A block remembers the generation it was decoded at and compares on entry;
 * where it differs its bytes are compared and it is either taken on or decoded anew. code_page[]
 * counts down with each store, and at 0 the page is data again (the next entry of a block marks
 * it once more).
 *
 * Threads: the vCPU's, except where said.
 */
#pragma once

#include "engine/vmm/cpu/soft/decode.h"
#include "engine/vmm/cpu/soft/soft.h"

#define SOFT_BLOCK_MAX 48
/* Stores to a code page before it is taken for data. */
#define SOFT_CODE_STORES 16

struct soft_block {
	uint16_t length; /* bytes of code */
	uint16_t insns;
	uint8_t *bytes; /* copy of the code, to compare with */
	/* The one instruction of a block that crosses into another page has that page's here, too. */
	const uint32_t *rest_generation; /* or NULL */
	uint32_t rest_decoded;
	uint64_t rest_gpa;
	/* What is looked at on entry lies beside the first instruction. */
	struct soft_block *next; /* in the same bucket */
	uint64_t gpa;            /* of the first byte */
	const uint32_t *generation; /* &memory->code_gen[page] */
	uint32_t decoded; /* the generation the bytes were last known to match */
	uint32_t mode;    /* the part of the mode word that decoding depends on */
	struct soft_insn insn[];
};

/* Made and freed with the processor. */
struct soft_blocks *soft_blocks_new(void);
void soft_blocks_free(struct soft_blocks *blocks);
/* Forgets all blocks (their memory is given back to the host). Not from within a block. */
void soft_blocks_flush(struct soft_cpu *cpu);

/* Before and after a sleep for want of work: a vCPU that has hardly run for a while gives the
 * memory of its blocks back. Not from within a block. */
void soft_blocks_rest(struct soft_cpu *cpu);
void soft_blocks_wake(struct soft_cpu *cpu);

/* The block at cpu->rip in the present mode, ready to run; raises #PF, #UD or #GP as the fetch
 * does. single: just one instruction. */
struct soft_block *soft_block_at(struct soft_cpu *cpu, bool single);

/* After a store of this vCPU into RAM of a page with code_page[] set, bytes in place: bumps the
 * generation and, if the running block is in the page, makes it end after this instruction. */
void soft_code_written(struct soft_cpu *cpu, uint64_t gpa, unsigned length);

/* Serves SOFT_PENDING_PROTECT: withdraws write tags of pages that other vCPUs decoded code of, and
 * bumps their generations, as they may have been written to in between. */
void soft_blocks_protect(struct soft_cpu *cpu);

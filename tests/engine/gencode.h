// SPDX-License-Identifier: GPL-3.0-or-later
// Generates cases for the differential test and the benchmarks' odd corners: a few instructions
// made from rows of the decoder's tables, and registers that let most of their memory operands fall
// into the data pages, near page ends too.
#pragma once

#include "engine/vmm/cpu/soft/decode.h"
#include "tests/engine/native.h"

#define GENCODE_MAX 6u // instructions of a case

// The end of the code page, where no case's code is: targets of computed branches.
#define GENCODE_LANDING (NATIVE_CODE + NATIVE_PAGE - NATIVE_CODE_MAX)
#define GENCODE_LANDING_SIZE (NATIVE_CODE_MAX - 1)

struct gencode {
	uint64_t state; // of the random numbers; the seed at first
};

struct gencode_case {
	unsigned count;
	uint16_t row[GENCODE_MAX];
	uint8_t offset[GENCODE_MAX]; // in code[]
	uint64_t undefined; // flags that may differ at the end
};

uint64_t gencode_random(struct gencode *gen);

// The row can run on both sides and end alike.
bool gencode_can_test(const struct soft_opcode *row);

// Makes a case whose first instruction is of the row, of up to `length` instructions, in test->compat's mode. False
// where that did not work out this time (or cannot: a 64-bit row in compatibility mode).
bool gencode_make(struct gencode *gen, unsigned row, unsigned length, struct native_case *test,
	struct gencode_case *info);

// SPDX-License-Identifier: GPL-3.0-or-later
// Runs short pieces of user-mode code on this processor itself, in a child process, and tells how
// each ended: the oracle of the differential test.
//
// The child maps code and data at fixed addresses below 2 GiB, so that 32-bit code reaches them as
// well. A case is entered by returning from a signal handler with its registers in the frame, and
// ends with the signal of its first exception; code is followed by INT3 up to the page's end.
#pragma once

#include "engine/vmm/cpu/soft/fpstate.h"

#include <stdbool.h>
#include <stdint.h>

// One page, readable and executable.
#define NATIVE_CODE 0x10000000ull
// Pages: unmapped, two that can be written, one read-only, unmapped.
#define NATIVE_DATA 0x20000000ull
#define NATIVE_PAGE 0x1000u
#define NATIVE_WRITABLE (NATIVE_DATA + NATIVE_PAGE)
#define NATIVE_DATA_SIZE (3 * NATIVE_PAGE) // the mapped part
#define NATIVE_DATA_END (NATIVE_WRITABLE + NATIVE_DATA_SIZE)
#define NATIVE_GS_BASE NATIVE_WRITABLE

#define NATIVE_CODE_MAX 128u
#define NATIVE_BATCH 256u

struct native_state {
	uint64_t gpr[16]; // rax rcx rdx rbx rsp rbp rsi rdi r8...
	uint64_t rip, rflags;
	struct soft_fx_image fx;
};

struct native_case {
	bool compat; // 32-bit code
	uint16_t offset; // of the code in its page
	uint16_t length;
	uint8_t code[NATIVE_CODE_MAX];
	struct native_state in;
	// How it ended. The exception's vector, error code, and CR2 for page faults.
	struct native_state out;
	uint32_t vector, error;
	uint64_t cr2;
	uint8_t data[NATIVE_DATA_SIZE];
};

// Memory that the test and the child share.
struct native_shared {
	unsigned count;
	uint8_t data[NATIVE_DATA_SIZE];
	struct native_case cases[NATIVE_BATCH];
};

struct native;

// data: what the data pages hold at the start of each case. Fails the test where it cannot fork or map.
struct native *native_new(const uint8_t data[NATIVE_DATA_SIZE]);
void native_free(struct native *native);

// The child's cases, NATIVE_BATCH of them: fill in, run, read.
struct native_case *native_cases(struct native *native);
// Runs the first count. Fails the test where the child died or hangs (minutes).
void native_run(struct native *native, unsigned count);

// This kernel lets a process run 32-bit code.
bool native_has_compat(struct native *native);

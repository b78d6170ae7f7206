// SPDX-License-Identifier: GPL-3.0-or-later
// Stubs: small host functions that carry out one guest vector or x87 instruction each.
//
// The instruction is the guest's own, with its operands moved to fixed places, so the host's units
// give the host's exact results:
//
//	reg operand   an XMM register becomes xmm1, a general register rax
//	r/m operand   an XMM register becomes xmm2, a general register rcx, memory [rsi]
//	MMX and x87 registers stay what they are: the guest's are in the host's (fpstate.h)
//
// A stub loads register operands through the pointers it is called with, runs the instruction and
// stores the written ones. Equal instructions share a stub; a stub stays valid as long as the pool.
//
// An unmasked SIMD exception is caught as SIGFPE inside the stub: nothing is stored, the stub
// returns SOFT_STUB_FAULT and the host's MXCSR has the flags. The process's handler is installed
// with each pool; a SIGFPE from elsewhere ends the process as it would without it.
//
// Code is written through one mapping of a memory file and run through another: no page is ever
// writable and executable. A pool belongs to one vCPU thread.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct soft_stubs;

enum soft_stub_operand {
	SOFT_STUB_NONE, // no operand, or an opcode extension in the reg field
	SOFT_STUB_XMM,
	SOFT_STUB_GPR,
	SOFT_STUB_MMX, // or an x87 register: encoded as the guest does
	SOFT_STUB_MEM,
};

// What else a stub does (bits of soft_stub_spec.traits).
#define SOFT_STUB_WRITES_REG 0x01u  // the reg operand is written
#define SOFT_STUB_WRITES_RM 0x02u   // the r/m operand is written (memory: by the instruction itself)
#define SOFT_STUB_FLAGS_OUT 0x04u   // the result tells the arithmetic flags, see soft_stub_flags()
#define SOFT_STUB_FLAGS_IN 0x08u    // runs with RFLAGS = aux
#define SOFT_STUB_XMM0 0x10u        // xmm0 is a third operand
#define SOFT_STUB_LENGTHS 0x20u     // eax and edx are operands (PCMPESTRx), aux = the registers
#define SOFT_STUB_INDEX 0x40u       // ecx is written (PCMPxSTRI), aux = the registers
#define SOFT_STUB_MASK 0x80u        // xmm0 is written (PCMPxSTRM)

struct soft_stub_spec {
	uint8_t map;    // 0: one byte opcode (x87), 1: 0F, 2: 0F 38, 3: 0F 3A
	uint8_t prefix; // mandatory prefix 0, 66h, F2h or F3h
	uint8_t opcode;
	uint8_t modrm; // the guest's
	bool rex_w;
	bool has_imm;
	uint8_t imm;
	uint8_t reg, rm; // enum soft_stub_operand
	uint8_t traits;
};

// What a stub returns when the instruction raised an unmasked SIMD exception.
#define SOFT_STUB_FAULT UINT64_MAX

// Errors: G_FILE_ERROR where the host grants no memory or no executable memory.
struct soft_stubs *soft_stubs_new(GError **error);
void soft_stubs_free(struct soft_stubs *stubs); // NULL is fine

// Installs the handler anew, where others (a test framework) have put theirs.
void soft_stubs_handle_sigfpe(void);

// The stub for an instruction, made when it is not there yet; NULL when the pool is full.
const void *soft_stub_find(struct soft_stubs *stubs, const struct soft_stub_spec *spec);

// The same without keeping it: valid until the next call. For full pools; slow.
const void *soft_stub_scratch(struct soft_stubs *stubs, const struct soft_stub_spec *spec);

// SIGFPE on this thread is looked for in this pool from now on. Call before unmasked exceptions
// come into the host's MXCSR.
void soft_stubs_enter(struct soft_stubs *stubs);

// Run a stub. reg and rm point to where the operand is kept (union soft_xmm, or uint64_t for a
// general register), or to the memory operand; aux as the traits say; xmm0 the register's place.
static inline uint64_t soft_stub_call(const void *stub, void *reg, void *rm, uint64_t aux,
	void *xmm0)
{
	uint64_t (*code)(void *, void *, uint64_t, void *) =
		(uint64_t(*)(void *, void *, uint64_t, void *))(uintptr_t)stub;

	return code(reg, rm, aux, xmm0);
}

// The six arithmetic flags, as in RFLAGS, from the result of a SOFT_STUB_FLAGS_OUT stub.
static inline uint32_t soft_stub_flags(uint64_t result)
{
	return ((result >> 8) & 0xd5) | (result & 1) << 11;
}

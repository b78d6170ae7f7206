// SPDX-License-Identifier: GPL-3.0-or-later
// The floating point and vector state of one guest processor.
//
// The XMM registers always live here. The x87/MMX registers and MXCSR live either here or, once the
// guest has used them, in the host thread's own units ("live"), where its instructions run as they
// are. Whatever may run foreign floating point code (a device's callback, sleeping, leaving the
// run loop) is preceded by soft_fp_park(), which brings them home. One thread: the vCPU's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct soft_stubs;

// The layout of FXSAVE in 64-bit mode (SDM volume 1, table 10-2).
struct soft_fx_image {
	uint16_t fcw, fsw;
	uint8_t ftw; // abridged: a bit per physical register, 1 = not empty
	uint8_t reserved;
	uint16_t fop;
	uint64_t fip, fdp;
	uint32_t mxcsr, mxcsr_mask;
	uint8_t st[8][16];
	uint8_t xmm[16][16];
	uint8_t rest[96];
} __attribute__((aligned(16)));

union soft_xmm {
	uint8_t u8[16];
	uint16_t u16[8];
	uint32_t u32[4];
	uint64_t u64[2];
} __attribute__((aligned(16)));

#define SOFT_FP_X87 1u   // the guest's x87/MMX registers are in the host's
#define SOFT_FP_MXCSR 2u // the guest's MXCSR is in the host's

#define SOFT_MXCSR_DEFAULT 0x1f80u
#define SOFT_MXCSR_MASK 0xffffu // the bits a guest may set
#define SOFT_FCW_EXCEPTIONS 0x3fu
#define SOFT_FSW_TOP 0x3800u
#define SOFT_FSW_ES 0x80u // an unmasked exception is pending

struct soft_fp {
	union soft_xmm xmm[16];
	struct soft_fx_image x87; // fcw to ftw and st, valid unless SOFT_FP_X87 is live
	uint32_t mxcsr;           // valid unless SOFT_FP_MXCSR is live
	uint8_t live;             // SOFT_FP_X87 | SOFT_FP_MXCSR
	bool x87_unmasked;        // the control word may leave an exception unmasked
	// The last x87 instruction that was no control instruction, as FXSAVE and FNSTENV tell it.
	uint16_t fop, fcs, fds;
	uint64_t fip, fdp;
	struct soft_stubs *stubs; // made with the processor, owned
};

// State after RESET (SDM volume 3, table 10-1). The first time, on zeroed memory, it makes the stubs;
// they stay NULL where the host grants no executable memory, and no guest code may run then.
void soft_fp_reset(struct soft_fp *fp);
void soft_fp_free(struct soft_fp *fp);

// The whole state in FXSAVE's 64-bit layout, and back. MXCSR is cut to SOFT_MXCSR_MASK.
void soft_fp_get(struct soft_fp *fp, struct soft_fx_image *image);
void soft_fp_set(struct soft_fp *fp, const struct soft_fx_image *image);

// Bring live state home and give the host's units back their defaults.
void soft_fp_park_slow(struct soft_fp *fp);
// Make state live.
void soft_fp_use_x87_slow(struct soft_fp *fp);
void soft_fp_use_mxcsr_slow(struct soft_fp *fp);

static inline void soft_fp_park(struct soft_fp *fp)
{
	if (__builtin_expect(fp->live != 0, 0))
		soft_fp_park_slow(fp);
}

static inline void soft_fp_use_x87(struct soft_fp *fp)
{
	if (__builtin_expect(!(fp->live & SOFT_FP_X87), 0))
		soft_fp_use_x87_slow(fp);
}

static inline void soft_fp_use_mxcsr(struct soft_fp *fp)
{
	if (__builtin_expect(!(fp->live & SOFT_FP_MXCSR), 0))
		soft_fp_use_mxcsr_slow(fp);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// The tables of vector instructions (SDM volume 2, appendix A).
#include "config.h"

#include "engine/vmm/cpu/soft/simd.h"

// Operands in the manual's letters (volume 2, appendix A.2).
#define V SOFT_STUB_XMM
#define W SOFT_STUB_XMM
#define P SOFT_STUB_MMX
#define Q SOFT_STUB_MMX
#define G SOFT_STUB_GPR
#define E SOFT_STUB_GPR
#define X SOFT_STUB_NONE

#define DST SOFT_STUB_WRITES_REG // the destination is the reg operand
#define ST SOFT_STUB_WRITES_RM   // it is the r/m operand
#define FL SOFT_STUB_FLAGS_OUT
#define X0 SOFT_STUB_XMM0
#define LEN SOFT_STUB_LENGTHS
#define IDX SOFT_STUB_INDEX
#define MSK SOFT_STUB_MASK
#define A SOFT_SIMD_ALIGN
#define FP SOFT_SIMD_MXCSR
#define WIDE SOFT_SIMD_WIDE

// Every operand form: destination first, memory size behind the r/m operand; T: only tests.
#define FORMS(F) \
	F(V_W16, V, W, 16, DST) \
	F(V_W8, V, W, 8, DST) \
	F(V_W4, V, W, 4, DST) \
	F(W16_V, V, W, 16, ST) \
	F(W8_V, V, W, 8, ST) \
	F(W4_V, V, W, 4, ST) \
	F(V_W16_ALIGN, V, W, 16, DST | A) \
	F(W16_V_ALIGN, V, W, 16, ST | A) \
	F(V_Q8_FP, V, Q, 8, DST | FP) \
	F(V_E4_FP_WIDE, V, E, 4, DST | WIDE | FP) \
	F(P_W8_FP, P, W, 8, DST | FP) \
	F(P_W16_ALIGN_FP, P, W, 16, DST | FP | A) \
	F(G_W8_FP_WIDE, G, W, 8, DST | WIDE | FP) \
	F(G_W4_FP_WIDE, G, W, 4, DST | WIDE | FP) \
	F(TV_W4_FP_FLAGS, V, W, 4, FP | FL) \
	F(TV_W8_FP_FLAGS, V, W, 8, FP | FL) \
	F(G_W, G, W, 0, DST) \
	F(V_W16_ALIGN_FP, V, W, 16, DST | FP | A) \
	F(V_W8_FP, V, W, 8, DST | FP) \
	F(V_W4_FP, V, W, 4, DST | FP) \
	F(P_Q4, P, Q, 4, DST) \
	F(P_Q8, P, Q, 8, DST) \
	F(P_E4_WIDE, P, E, 4, DST | WIDE) \
	F(V_E4_WIDE, V, E, 4, DST | WIDE) \
	F(Q_SHIFT, X, Q, 0, ST) \
	F(W_SHIFT, X, W, 0, ST) \
	F(E4_P_WIDE, P, E, 4, ST | WIDE) \
	F(E4_V_WIDE, V, E, 4, ST | WIDE) \
	F(Q8_P, P, Q, 8, ST) \
	F(E4_G_WIDE, G, E, 4, ST | WIDE) \
	F(P_E2, P, E, 2, DST) \
	F(V_E2, V, E, 2, DST) \
	F(G_Q, G, Q, 0, DST) \
	F(P_W, P, W, 0, DST) \
	F(V_Q, V, Q, 0, DST) \
	F(V_W16_ALIGN_XMM0, V, W, 16, DST | A | X0) \
	F(TV_W16_ALIGN_FLAGS, V, W, 16, A | FL) \
	F(V_W2, V, W, 2, DST) \
	F(E1_V, V, E, 1, ST) \
	F(E2_V, V, E, 2, ST) \
	F(E4_V, V, E, 4, ST) \
	F(V_E1, V, E, 1, DST) \
	F(TV_W16_FLAGS_LEN_MASK, V, W, 16, FL | LEN | MSK) \
	F(TV_W16_FLAGS_LEN_INDEX, V, W, 16, FL | LEN | IDX) \
	F(TV_W16_FLAGS_MASK, V, W, 16, FL | MSK) \
	F(TV_W16_FLAGS_INDEX, V, W, 16, FL | IDX)

enum form {
#define F(name, reg, rm, size, traits) FORM_##name,
	FORMS(F)
#undef F
};

const struct soft_simd_form soft_simd_forms[] = {
#define F(name, reg, rm, size, traits) [FORM_##name] = {reg, rm, size, traits},
	FORMS(F)
#undef F
};

// What the decoder is to know of each form's operands and flags.
#define ROW_FLAGS(traits) \
	(SOFT_FP | ((traits) & DST ? SOFT_WRITES_REG : 0) | ((traits) & ST ? SOFT_WRITES_RM : SOFT_READS_RM))
enum {
#define F(name, reg, rm, size, traits) FLAGS_##name = ROW_FLAGS(traits),
	FORMS(F)
#undef F
#define F(name, reg, rm, size, traits) WRITES_##name = (traits) & FL ? SOFT_ARITHMETIC : 0,
	FORMS(F)
#undef F
#define F(name, reg, rm, size, traits) SIZE_##name = (traits) & WIDE ? SOFT_S_D : SOFT_S_32,
	FORMS(F)
#undef F
};

#define ROW(mnemonic, map_, opcode_, prefix_, modrm_, imm_, form, group_) \
	{.name = mnemonic, .map = SOFT_MAP_##map_, .opcode = opcode_, .prefix = SOFT_P_##prefix_, \
		.modrm = SOFT_M_##modrm_, .size = SIZE_##form, .imm = SOFT_##imm_, .group = SOFT_G_##group_, \
		.flags = FLAGS_##form, .writes = WRITES_##form, .pick = soft_simd_pick, .a = FORM_##form}
// Shifts by an immediate: the reg field selects.
#define GROUP(mnemonic, opcode_, prefix_, digit_, form, group_) \
	{.name = mnemonic, .map = SOFT_MAP_0F, .opcode = opcode_, .prefix = SOFT_P_##prefix_, \
		.modrm = SOFT_M_REG, .digit = (digit_) + 1, .size = SOFT_S_32, .imm = SOFT_I_8, \
		.group = SOFT_G_##group_, .flags = FLAGS_##form, .pick = soft_simd_pick, .a = FORM_##form}
#define OWN(mnemonic, map_, opcode_, prefix_, modrm_, digit_, fn_, group_) \
	{.name = mnemonic, .map = SOFT_MAP_##map_, .opcode = opcode_, .prefix = SOFT_P_##prefix_, \
		.modrm = SOFT_M_##modrm_, .digit = digit_, .size = SOFT_S_D, .group = SOFT_G_##group_, \
		.flags = SOFT_FP, .fn = fn_, .pick = soft_simd_pick_own}

const struct soft_opcode soft_mmx_table[] = {
	ROW("cvtpi2ps", 0F, 0x2a, NONE, ANY, I_NONE, V_Q8_FP, SSE),
	ROW("cvtpi2pd", 0F, 0x2a, 66, ANY, I_NONE, V_Q8_FP, SSE2),
	ROW("cvttps2pi", 0F, 0x2c, NONE, ANY, I_NONE, P_W8_FP, SSE),
	ROW("cvttpd2pi", 0F, 0x2c, 66, ANY, I_NONE, P_W16_ALIGN_FP, SSE2),
	ROW("cvtps2pi", 0F, 0x2d, NONE, ANY, I_NONE, P_W8_FP, SSE),
	ROW("cvtpd2pi", 0F, 0x2d, 66, ANY, I_NONE, P_W16_ALIGN_FP, SSE2),
	ROW("punpcklbw", 0F, 0x60, NONE, ANY, I_NONE, P_Q4, MMX),
	ROW("punpcklwd", 0F, 0x61, NONE, ANY, I_NONE, P_Q4, MMX),
	ROW("punpckldq", 0F, 0x62, NONE, ANY, I_NONE, P_Q4, MMX),
	ROW("packsswb", 0F, 0x63, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("pcmpgtb", 0F, 0x64, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("pcmpgtw", 0F, 0x65, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("pcmpgtd", 0F, 0x66, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("packuswb", 0F, 0x67, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("punpckhbw", 0F, 0x68, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("punpckhwd", 0F, 0x69, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("punpckhdq", 0F, 0x6a, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("packssdw", 0F, 0x6b, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("movd", 0F, 0x6e, NONE, ANY, I_NONE, P_E4_WIDE, MMX),
	ROW("movq", 0F, 0x6f, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("pshufw", 0F, 0x70, NONE, ANY, I_8, P_Q8, SSE),
	GROUP("psrlw", 0x71, NONE, 2, Q_SHIFT, MMX),
	GROUP("psraw", 0x71, NONE, 4, Q_SHIFT, MMX),
	GROUP("psllw", 0x71, NONE, 6, Q_SHIFT, MMX),
	GROUP("psrld", 0x72, NONE, 2, Q_SHIFT, MMX),
	GROUP("psrad", 0x72, NONE, 4, Q_SHIFT, MMX),
	GROUP("pslld", 0x72, NONE, 6, Q_SHIFT, MMX),
	GROUP("psrlq", 0x73, NONE, 2, Q_SHIFT, MMX),
	GROUP("psllq", 0x73, NONE, 6, Q_SHIFT, MMX),
	ROW("pcmpeqb", 0F, 0x74, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("pcmpeqw", 0F, 0x75, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("pcmpeqd", 0F, 0x76, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("movd", 0F, 0x7e, NONE, ANY, I_NONE, E4_P_WIDE, MMX),
	ROW("movq", 0F, 0x7f, NONE, ANY, I_NONE, Q8_P, MMX),
	ROW("pinsrw", 0F, 0xc4, NONE, ANY, I_8, P_E2, SSE),
	ROW("pextrw", 0F, 0xc5, NONE, REG, I_8, G_Q, SSE),
	ROW("psrlw", 0F, 0xd1, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("psrld", 0F, 0xd2, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("psrlq", 0F, 0xd3, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("paddq", 0F, 0xd4, NONE, ANY, I_NONE, P_Q8, SSE2),
	ROW("pmullw", 0F, 0xd5, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("movdq2q", 0F, 0xd6, F2, REG, I_NONE, P_W, SSE2),
	ROW("movq2dq", 0F, 0xd6, F3, REG, I_NONE, V_Q, SSE2),
	ROW("pmovmskb", 0F, 0xd7, NONE, REG, I_NONE, G_Q, SSE),
	ROW("psubusb", 0F, 0xd8, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("psubusw", 0F, 0xd9, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("pminub", 0F, 0xda, NONE, ANY, I_NONE, P_Q8, SSE),
	ROW("pand", 0F, 0xdb, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("paddusb", 0F, 0xdc, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("paddusw", 0F, 0xdd, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("pmaxub", 0F, 0xde, NONE, ANY, I_NONE, P_Q8, SSE),
	ROW("pandn", 0F, 0xdf, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("pavgb", 0F, 0xe0, NONE, ANY, I_NONE, P_Q8, SSE),
	ROW("psraw", 0F, 0xe1, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("psrad", 0F, 0xe2, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("pavgw", 0F, 0xe3, NONE, ANY, I_NONE, P_Q8, SSE),
	ROW("pmulhuw", 0F, 0xe4, NONE, ANY, I_NONE, P_Q8, SSE),
	ROW("pmulhw", 0F, 0xe5, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("movntq", 0F, 0xe7, NONE, MEM, I_NONE, Q8_P, SSE),
	ROW("psubsb", 0F, 0xe8, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("psubsw", 0F, 0xe9, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("pminsw", 0F, 0xea, NONE, ANY, I_NONE, P_Q8, SSE),
	ROW("por", 0F, 0xeb, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("paddsb", 0F, 0xec, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("paddsw", 0F, 0xed, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("pmaxsw", 0F, 0xee, NONE, ANY, I_NONE, P_Q8, SSE),
	ROW("pxor", 0F, 0xef, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("psllw", 0F, 0xf1, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("pslld", 0F, 0xf2, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("psllq", 0F, 0xf3, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("pmuludq", 0F, 0xf4, NONE, ANY, I_NONE, P_Q8, SSE2),
	ROW("pmaddwd", 0F, 0xf5, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("psadbw", 0F, 0xf6, NONE, ANY, I_NONE, P_Q8, SSE),
	ROW("psubb", 0F, 0xf8, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("psubw", 0F, 0xf9, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("psubd", 0F, 0xfa, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("psubq", 0F, 0xfb, NONE, ANY, I_NONE, P_Q8, SSE2),
	ROW("paddb", 0F, 0xfc, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("paddw", 0F, 0xfd, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("paddd", 0F, 0xfe, NONE, ANY, I_NONE, P_Q8, MMX),
	ROW("pshufb", 38, 0x00, NONE, ANY, I_NONE, P_Q8, SSSE3),
	ROW("phaddw", 38, 0x01, NONE, ANY, I_NONE, P_Q8, SSSE3),
	ROW("phaddd", 38, 0x02, NONE, ANY, I_NONE, P_Q8, SSSE3),
	ROW("phaddsw", 38, 0x03, NONE, ANY, I_NONE, P_Q8, SSSE3),
	ROW("pmaddubsw", 38, 0x04, NONE, ANY, I_NONE, P_Q8, SSSE3),
	ROW("phsubw", 38, 0x05, NONE, ANY, I_NONE, P_Q8, SSSE3),
	ROW("phsubd", 38, 0x06, NONE, ANY, I_NONE, P_Q8, SSSE3),
	ROW("phsubsw", 38, 0x07, NONE, ANY, I_NONE, P_Q8, SSSE3),
	ROW("psignb", 38, 0x08, NONE, ANY, I_NONE, P_Q8, SSSE3),
	ROW("psignw", 38, 0x09, NONE, ANY, I_NONE, P_Q8, SSSE3),
	ROW("psignd", 38, 0x0a, NONE, ANY, I_NONE, P_Q8, SSSE3),
	ROW("pmulhrsw", 38, 0x0b, NONE, ANY, I_NONE, P_Q8, SSSE3),
	ROW("pabsb", 38, 0x1c, NONE, ANY, I_NONE, P_Q8, SSSE3),
	ROW("pabsw", 38, 0x1d, NONE, ANY, I_NONE, P_Q8, SSSE3),
	ROW("pabsd", 38, 0x1e, NONE, ANY, I_NONE, P_Q8, SSSE3),
	ROW("palignr", 3A, 0x0f, NONE, ANY, I_8, P_Q8, SSSE3),
	OWN("emms", 0F, 0x77, NONE, NONE, 0, soft_op_emms, MMX),
	OWN("maskmovq", 0F, 0xf7, NONE, REG, 0, soft_op_maskmov, SSE),
	{.name = NULL},
};

const struct soft_opcode soft_sse_table[] = {
	ROW("movups", 0F, 0x10, NONE, ANY, I_NONE, V_W16, SSE),
	ROW("movupd", 0F, 0x10, 66, ANY, I_NONE, V_W16, SSE2),
	ROW("movsd", 0F, 0x10, F2, ANY, I_NONE, V_W8, SSE2),
	ROW("movss", 0F, 0x10, F3, ANY, I_NONE, V_W4, SSE),
	ROW("movups", 0F, 0x11, NONE, ANY, I_NONE, W16_V, SSE),
	ROW("movupd", 0F, 0x11, 66, ANY, I_NONE, W16_V, SSE2),
	ROW("movsd", 0F, 0x11, F2, ANY, I_NONE, W8_V, SSE2),
	ROW("movss", 0F, 0x11, F3, ANY, I_NONE, W4_V, SSE),
	ROW("movlps", 0F, 0x12, NONE, ANY, I_NONE, V_W8, SSE),
	ROW("movlpd", 0F, 0x12, 66, MEM, I_NONE, V_W8, SSE2),
	ROW("movddup", 0F, 0x12, F2, ANY, I_NONE, V_W8, SSE3),
	ROW("movsldup", 0F, 0x12, F3, ANY, I_NONE, V_W16_ALIGN, SSE3),
	ROW("movlps", 0F, 0x13, NONE, MEM, I_NONE, W8_V, SSE),
	ROW("movlpd", 0F, 0x13, 66, MEM, I_NONE, W8_V, SSE2),
	ROW("unpcklps", 0F, 0x14, NONE, ANY, I_NONE, V_W16_ALIGN, SSE),
	ROW("unpcklpd", 0F, 0x14, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("unpckhps", 0F, 0x15, NONE, ANY, I_NONE, V_W16_ALIGN, SSE),
	ROW("unpckhpd", 0F, 0x15, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("movhps", 0F, 0x16, NONE, ANY, I_NONE, V_W8, SSE),
	ROW("movhpd", 0F, 0x16, 66, MEM, I_NONE, V_W8, SSE2),
	ROW("movshdup", 0F, 0x16, F3, ANY, I_NONE, V_W16_ALIGN, SSE3),
	ROW("movhps", 0F, 0x17, NONE, MEM, I_NONE, W8_V, SSE),
	ROW("movhpd", 0F, 0x17, 66, MEM, I_NONE, W8_V, SSE2),
	ROW("movaps", 0F, 0x28, NONE, ANY, I_NONE, V_W16_ALIGN, SSE),
	ROW("movapd", 0F, 0x28, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("movaps", 0F, 0x29, NONE, ANY, I_NONE, W16_V_ALIGN, SSE),
	ROW("movapd", 0F, 0x29, 66, ANY, I_NONE, W16_V_ALIGN, SSE2),
	ROW("cvtsi2sd", 0F, 0x2a, F2, ANY, I_NONE, V_E4_FP_WIDE, SSE2),
	ROW("cvtsi2ss", 0F, 0x2a, F3, ANY, I_NONE, V_E4_FP_WIDE, SSE),
	ROW("movntps", 0F, 0x2b, NONE, MEM, I_NONE, W16_V_ALIGN, SSE),
	ROW("movntpd", 0F, 0x2b, 66, MEM, I_NONE, W16_V_ALIGN, SSE2),
	ROW("cvttsd2si", 0F, 0x2c, F2, ANY, I_NONE, G_W8_FP_WIDE, SSE2),
	ROW("cvttss2si", 0F, 0x2c, F3, ANY, I_NONE, G_W4_FP_WIDE, SSE),
	ROW("cvtsd2si", 0F, 0x2d, F2, ANY, I_NONE, G_W8_FP_WIDE, SSE2),
	ROW("cvtss2si", 0F, 0x2d, F3, ANY, I_NONE, G_W4_FP_WIDE, SSE),
	ROW("ucomiss", 0F, 0x2e, NONE, ANY, I_NONE, TV_W4_FP_FLAGS, SSE),
	ROW("ucomisd", 0F, 0x2e, 66, ANY, I_NONE, TV_W8_FP_FLAGS, SSE2),
	ROW("comiss", 0F, 0x2f, NONE, ANY, I_NONE, TV_W4_FP_FLAGS, SSE),
	ROW("comisd", 0F, 0x2f, 66, ANY, I_NONE, TV_W8_FP_FLAGS, SSE2),
	ROW("movmskps", 0F, 0x50, NONE, REG, I_NONE, G_W, SSE),
	ROW("movmskpd", 0F, 0x50, 66, REG, I_NONE, G_W, SSE2),
	ROW("sqrtps", 0F, 0x51, NONE, ANY, I_NONE, V_W16_ALIGN_FP, SSE),
	ROW("sqrtpd", 0F, 0x51, 66, ANY, I_NONE, V_W16_ALIGN_FP, SSE2),
	ROW("sqrtsd", 0F, 0x51, F2, ANY, I_NONE, V_W8_FP, SSE2),
	ROW("sqrtss", 0F, 0x51, F3, ANY, I_NONE, V_W4_FP, SSE),
	ROW("rsqrtps", 0F, 0x52, NONE, ANY, I_NONE, V_W16_ALIGN, SSE),
	ROW("rsqrtss", 0F, 0x52, F3, ANY, I_NONE, V_W4, SSE),
	ROW("rcpps", 0F, 0x53, NONE, ANY, I_NONE, V_W16_ALIGN, SSE),
	ROW("rcpss", 0F, 0x53, F3, ANY, I_NONE, V_W4, SSE),
	ROW("andps", 0F, 0x54, NONE, ANY, I_NONE, V_W16_ALIGN, SSE),
	ROW("andpd", 0F, 0x54, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("andnps", 0F, 0x55, NONE, ANY, I_NONE, V_W16_ALIGN, SSE),
	ROW("andnpd", 0F, 0x55, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("orps", 0F, 0x56, NONE, ANY, I_NONE, V_W16_ALIGN, SSE),
	ROW("orpd", 0F, 0x56, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("xorps", 0F, 0x57, NONE, ANY, I_NONE, V_W16_ALIGN, SSE),
	ROW("xorpd", 0F, 0x57, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("addps", 0F, 0x58, NONE, ANY, I_NONE, V_W16_ALIGN_FP, SSE),
	ROW("addpd", 0F, 0x58, 66, ANY, I_NONE, V_W16_ALIGN_FP, SSE2),
	ROW("addsd", 0F, 0x58, F2, ANY, I_NONE, V_W8_FP, SSE2),
	ROW("addss", 0F, 0x58, F3, ANY, I_NONE, V_W4_FP, SSE),
	ROW("mulps", 0F, 0x59, NONE, ANY, I_NONE, V_W16_ALIGN_FP, SSE),
	ROW("mulpd", 0F, 0x59, 66, ANY, I_NONE, V_W16_ALIGN_FP, SSE2),
	ROW("mulsd", 0F, 0x59, F2, ANY, I_NONE, V_W8_FP, SSE2),
	ROW("mulss", 0F, 0x59, F3, ANY, I_NONE, V_W4_FP, SSE),
	ROW("cvtps2pd", 0F, 0x5a, NONE, ANY, I_NONE, V_W8_FP, SSE2),
	ROW("cvtpd2ps", 0F, 0x5a, 66, ANY, I_NONE, V_W16_ALIGN_FP, SSE2),
	ROW("cvtsd2ss", 0F, 0x5a, F2, ANY, I_NONE, V_W8_FP, SSE2),
	ROW("cvtss2sd", 0F, 0x5a, F3, ANY, I_NONE, V_W4_FP, SSE2),
	ROW("cvtdq2ps", 0F, 0x5b, NONE, ANY, I_NONE, V_W16_ALIGN_FP, SSE2),
	ROW("cvtps2dq", 0F, 0x5b, 66, ANY, I_NONE, V_W16_ALIGN_FP, SSE2),
	ROW("cvttps2dq", 0F, 0x5b, F3, ANY, I_NONE, V_W16_ALIGN_FP, SSE2),
	ROW("subps", 0F, 0x5c, NONE, ANY, I_NONE, V_W16_ALIGN_FP, SSE),
	ROW("subpd", 0F, 0x5c, 66, ANY, I_NONE, V_W16_ALIGN_FP, SSE2),
	ROW("subsd", 0F, 0x5c, F2, ANY, I_NONE, V_W8_FP, SSE2),
	ROW("subss", 0F, 0x5c, F3, ANY, I_NONE, V_W4_FP, SSE),
	ROW("minps", 0F, 0x5d, NONE, ANY, I_NONE, V_W16_ALIGN_FP, SSE),
	ROW("minpd", 0F, 0x5d, 66, ANY, I_NONE, V_W16_ALIGN_FP, SSE2),
	ROW("minsd", 0F, 0x5d, F2, ANY, I_NONE, V_W8_FP, SSE2),
	ROW("minss", 0F, 0x5d, F3, ANY, I_NONE, V_W4_FP, SSE),
	ROW("divps", 0F, 0x5e, NONE, ANY, I_NONE, V_W16_ALIGN_FP, SSE),
	ROW("divpd", 0F, 0x5e, 66, ANY, I_NONE, V_W16_ALIGN_FP, SSE2),
	ROW("divsd", 0F, 0x5e, F2, ANY, I_NONE, V_W8_FP, SSE2),
	ROW("divss", 0F, 0x5e, F3, ANY, I_NONE, V_W4_FP, SSE),
	ROW("maxps", 0F, 0x5f, NONE, ANY, I_NONE, V_W16_ALIGN_FP, SSE),
	ROW("maxpd", 0F, 0x5f, 66, ANY, I_NONE, V_W16_ALIGN_FP, SSE2),
	ROW("maxsd", 0F, 0x5f, F2, ANY, I_NONE, V_W8_FP, SSE2),
	ROW("maxss", 0F, 0x5f, F3, ANY, I_NONE, V_W4_FP, SSE),
	ROW("punpcklbw", 0F, 0x60, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("punpcklwd", 0F, 0x61, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("punpckldq", 0F, 0x62, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("packsswb", 0F, 0x63, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pcmpgtb", 0F, 0x64, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pcmpgtw", 0F, 0x65, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pcmpgtd", 0F, 0x66, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("packuswb", 0F, 0x67, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("punpckhbw", 0F, 0x68, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("punpckhwd", 0F, 0x69, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("punpckhdq", 0F, 0x6a, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("packssdw", 0F, 0x6b, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("punpcklqdq", 0F, 0x6c, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("punpckhqdq", 0F, 0x6d, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("movd", 0F, 0x6e, 66, ANY, I_NONE, V_E4_WIDE, SSE2),
	ROW("movdqa", 0F, 0x6f, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("movdqu", 0F, 0x6f, F3, ANY, I_NONE, V_W16, SSE2),
	ROW("pshufd", 0F, 0x70, 66, ANY, I_8, V_W16_ALIGN, SSE2),
	ROW("pshuflw", 0F, 0x70, F2, ANY, I_8, V_W16_ALIGN, SSE2),
	ROW("pshufhw", 0F, 0x70, F3, ANY, I_8, V_W16_ALIGN, SSE2),
	GROUP("psrlw", 0x71, 66, 2, W_SHIFT, SSE2),
	GROUP("psraw", 0x71, 66, 4, W_SHIFT, SSE2),
	GROUP("psllw", 0x71, 66, 6, W_SHIFT, SSE2),
	GROUP("psrld", 0x72, 66, 2, W_SHIFT, SSE2),
	GROUP("psrad", 0x72, 66, 4, W_SHIFT, SSE2),
	GROUP("pslld", 0x72, 66, 6, W_SHIFT, SSE2),
	GROUP("psrlq", 0x73, 66, 2, W_SHIFT, SSE2),
	GROUP("psrldq", 0x73, 66, 3, W_SHIFT, SSE2),
	GROUP("psllq", 0x73, 66, 6, W_SHIFT, SSE2),
	GROUP("pslldq", 0x73, 66, 7, W_SHIFT, SSE2),
	ROW("pcmpeqb", 0F, 0x74, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pcmpeqw", 0F, 0x75, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pcmpeqd", 0F, 0x76, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("haddpd", 0F, 0x7c, 66, ANY, I_NONE, V_W16_ALIGN_FP, SSE3),
	ROW("haddps", 0F, 0x7c, F2, ANY, I_NONE, V_W16_ALIGN_FP, SSE3),
	ROW("hsubpd", 0F, 0x7d, 66, ANY, I_NONE, V_W16_ALIGN_FP, SSE3),
	ROW("hsubps", 0F, 0x7d, F2, ANY, I_NONE, V_W16_ALIGN_FP, SSE3),
	ROW("movd", 0F, 0x7e, 66, ANY, I_NONE, E4_V_WIDE, SSE2),
	ROW("movq", 0F, 0x7e, F3, ANY, I_NONE, V_W8, SSE2),
	ROW("movdqa", 0F, 0x7f, 66, ANY, I_NONE, W16_V_ALIGN, SSE2),
	ROW("movdqu", 0F, 0x7f, F3, ANY, I_NONE, W16_V, SSE2),
	ROW("cmpps", 0F, 0xc2, NONE, ANY, I_8, V_W16_ALIGN_FP, SSE),
	ROW("cmppd", 0F, 0xc2, 66, ANY, I_8, V_W16_ALIGN_FP, SSE2),
	ROW("cmpsd", 0F, 0xc2, F2, ANY, I_8, V_W8_FP, SSE2),
	ROW("cmpss", 0F, 0xc2, F3, ANY, I_8, V_W4_FP, SSE),
	ROW("movnti", 0F, 0xc3, NONE, MEM, I_NONE, E4_G_WIDE, SSE2),
	ROW("pinsrw", 0F, 0xc4, 66, ANY, I_8, V_E2, SSE2),
	ROW("pextrw", 0F, 0xc5, 66, REG, I_8, G_W, SSE2),
	ROW("shufps", 0F, 0xc6, NONE, ANY, I_8, V_W16_ALIGN, SSE),
	ROW("shufpd", 0F, 0xc6, 66, ANY, I_8, V_W16_ALIGN, SSE2),
	ROW("addsubpd", 0F, 0xd0, 66, ANY, I_NONE, V_W16_ALIGN_FP, SSE3),
	ROW("addsubps", 0F, 0xd0, F2, ANY, I_NONE, V_W16_ALIGN_FP, SSE3),
	ROW("psrlw", 0F, 0xd1, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("psrld", 0F, 0xd2, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("psrlq", 0F, 0xd3, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("paddq", 0F, 0xd4, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pmullw", 0F, 0xd5, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("movq", 0F, 0xd6, 66, ANY, I_NONE, W8_V, SSE2),
	ROW("pmovmskb", 0F, 0xd7, 66, REG, I_NONE, G_W, SSE2),
	ROW("psubusb", 0F, 0xd8, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("psubusw", 0F, 0xd9, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pminub", 0F, 0xda, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pand", 0F, 0xdb, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("paddusb", 0F, 0xdc, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("paddusw", 0F, 0xdd, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pmaxub", 0F, 0xde, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pandn", 0F, 0xdf, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pavgb", 0F, 0xe0, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("psraw", 0F, 0xe1, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("psrad", 0F, 0xe2, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pavgw", 0F, 0xe3, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pmulhuw", 0F, 0xe4, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pmulhw", 0F, 0xe5, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("cvttpd2dq", 0F, 0xe6, 66, ANY, I_NONE, V_W16_ALIGN_FP, SSE2),
	ROW("cvtpd2dq", 0F, 0xe6, F2, ANY, I_NONE, V_W16_ALIGN_FP, SSE2),
	ROW("cvtdq2pd", 0F, 0xe6, F3, ANY, I_NONE, V_W8_FP, SSE2),
	ROW("movntdq", 0F, 0xe7, 66, MEM, I_NONE, W16_V_ALIGN, SSE2),
	ROW("psubsb", 0F, 0xe8, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("psubsw", 0F, 0xe9, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pminsw", 0F, 0xea, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("por", 0F, 0xeb, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("paddsb", 0F, 0xec, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("paddsw", 0F, 0xed, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pmaxsw", 0F, 0xee, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pxor", 0F, 0xef, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("lddqu", 0F, 0xf0, F2, MEM, I_NONE, V_W16, SSE3),
	ROW("psllw", 0F, 0xf1, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pslld", 0F, 0xf2, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("psllq", 0F, 0xf3, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pmuludq", 0F, 0xf4, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pmaddwd", 0F, 0xf5, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("psadbw", 0F, 0xf6, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("psubb", 0F, 0xf8, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("psubw", 0F, 0xf9, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("psubd", 0F, 0xfa, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("psubq", 0F, 0xfb, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("paddb", 0F, 0xfc, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("paddw", 0F, 0xfd, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("paddd", 0F, 0xfe, 66, ANY, I_NONE, V_W16_ALIGN, SSE2),
	ROW("pshufb", 38, 0x00, 66, ANY, I_NONE, V_W16_ALIGN, SSSE3),
	ROW("phaddw", 38, 0x01, 66, ANY, I_NONE, V_W16_ALIGN, SSSE3),
	ROW("phaddd", 38, 0x02, 66, ANY, I_NONE, V_W16_ALIGN, SSSE3),
	ROW("phaddsw", 38, 0x03, 66, ANY, I_NONE, V_W16_ALIGN, SSSE3),
	ROW("pmaddubsw", 38, 0x04, 66, ANY, I_NONE, V_W16_ALIGN, SSSE3),
	ROW("phsubw", 38, 0x05, 66, ANY, I_NONE, V_W16_ALIGN, SSSE3),
	ROW("phsubd", 38, 0x06, 66, ANY, I_NONE, V_W16_ALIGN, SSSE3),
	ROW("phsubsw", 38, 0x07, 66, ANY, I_NONE, V_W16_ALIGN, SSSE3),
	ROW("psignb", 38, 0x08, 66, ANY, I_NONE, V_W16_ALIGN, SSSE3),
	ROW("psignw", 38, 0x09, 66, ANY, I_NONE, V_W16_ALIGN, SSSE3),
	ROW("psignd", 38, 0x0a, 66, ANY, I_NONE, V_W16_ALIGN, SSSE3),
	ROW("pmulhrsw", 38, 0x0b, 66, ANY, I_NONE, V_W16_ALIGN, SSSE3),
	ROW("pblendvb", 38, 0x10, 66, ANY, I_NONE, V_W16_ALIGN_XMM0, SSE41),
	ROW("blendvps", 38, 0x14, 66, ANY, I_NONE, V_W16_ALIGN_XMM0, SSE41),
	ROW("blendvpd", 38, 0x15, 66, ANY, I_NONE, V_W16_ALIGN_XMM0, SSE41),
	ROW("ptest", 38, 0x17, 66, ANY, I_NONE, TV_W16_ALIGN_FLAGS, SSE41),
	ROW("pabsb", 38, 0x1c, 66, ANY, I_NONE, V_W16_ALIGN, SSSE3),
	ROW("pabsw", 38, 0x1d, 66, ANY, I_NONE, V_W16_ALIGN, SSSE3),
	ROW("pabsd", 38, 0x1e, 66, ANY, I_NONE, V_W16_ALIGN, SSSE3),
	ROW("pmovsxbw", 38, 0x20, 66, ANY, I_NONE, V_W8, SSE41),
	ROW("pmovsxbd", 38, 0x21, 66, ANY, I_NONE, V_W4, SSE41),
	ROW("pmovsxbq", 38, 0x22, 66, ANY, I_NONE, V_W2, SSE41),
	ROW("pmovsxwd", 38, 0x23, 66, ANY, I_NONE, V_W8, SSE41),
	ROW("pmovsxwq", 38, 0x24, 66, ANY, I_NONE, V_W4, SSE41),
	ROW("pmovsxdq", 38, 0x25, 66, ANY, I_NONE, V_W8, SSE41),
	ROW("pmuldq", 38, 0x28, 66, ANY, I_NONE, V_W16_ALIGN, SSE41),
	ROW("pcmpeqq", 38, 0x29, 66, ANY, I_NONE, V_W16_ALIGN, SSE41),
	ROW("movntdqa", 38, 0x2a, 66, MEM, I_NONE, V_W16_ALIGN, SSE41),
	ROW("packusdw", 38, 0x2b, 66, ANY, I_NONE, V_W16_ALIGN, SSE41),
	ROW("pmovzxbw", 38, 0x30, 66, ANY, I_NONE, V_W8, SSE41),
	ROW("pmovzxbd", 38, 0x31, 66, ANY, I_NONE, V_W4, SSE41),
	ROW("pmovzxbq", 38, 0x32, 66, ANY, I_NONE, V_W2, SSE41),
	ROW("pmovzxwd", 38, 0x33, 66, ANY, I_NONE, V_W8, SSE41),
	ROW("pmovzxwq", 38, 0x34, 66, ANY, I_NONE, V_W4, SSE41),
	ROW("pmovzxdq", 38, 0x35, 66, ANY, I_NONE, V_W8, SSE41),
	ROW("pcmpgtq", 38, 0x37, 66, ANY, I_NONE, V_W16_ALIGN, SSE42),
	ROW("pminsb", 38, 0x38, 66, ANY, I_NONE, V_W16_ALIGN, SSE41),
	ROW("pminsd", 38, 0x39, 66, ANY, I_NONE, V_W16_ALIGN, SSE41),
	ROW("pminuw", 38, 0x3a, 66, ANY, I_NONE, V_W16_ALIGN, SSE41),
	ROW("pminud", 38, 0x3b, 66, ANY, I_NONE, V_W16_ALIGN, SSE41),
	ROW("pmaxsb", 38, 0x3c, 66, ANY, I_NONE, V_W16_ALIGN, SSE41),
	ROW("pmaxsd", 38, 0x3d, 66, ANY, I_NONE, V_W16_ALIGN, SSE41),
	ROW("pmaxuw", 38, 0x3e, 66, ANY, I_NONE, V_W16_ALIGN, SSE41),
	ROW("pmaxud", 38, 0x3f, 66, ANY, I_NONE, V_W16_ALIGN, SSE41),
	ROW("pmulld", 38, 0x40, 66, ANY, I_NONE, V_W16_ALIGN, SSE41),
	ROW("phminposuw", 38, 0x41, 66, ANY, I_NONE, V_W16_ALIGN, SSE41),
	ROW("aesimc", 38, 0xdb, 66, ANY, I_NONE, V_W16_ALIGN, AES),
	ROW("aesenc", 38, 0xdc, 66, ANY, I_NONE, V_W16_ALIGN, AES),
	ROW("aesenclast", 38, 0xdd, 66, ANY, I_NONE, V_W16_ALIGN, AES),
	ROW("aesdec", 38, 0xde, 66, ANY, I_NONE, V_W16_ALIGN, AES),
	ROW("aesdeclast", 38, 0xdf, 66, ANY, I_NONE, V_W16_ALIGN, AES),
	ROW("roundps", 3A, 0x08, 66, ANY, I_8, V_W16_ALIGN_FP, SSE41),
	ROW("roundpd", 3A, 0x09, 66, ANY, I_8, V_W16_ALIGN_FP, SSE41),
	ROW("roundss", 3A, 0x0a, 66, ANY, I_8, V_W4_FP, SSE41),
	ROW("roundsd", 3A, 0x0b, 66, ANY, I_8, V_W8_FP, SSE41),
	ROW("blendps", 3A, 0x0c, 66, ANY, I_8, V_W16_ALIGN, SSE41),
	ROW("blendpd", 3A, 0x0d, 66, ANY, I_8, V_W16_ALIGN, SSE41),
	ROW("pblendw", 3A, 0x0e, 66, ANY, I_8, V_W16_ALIGN, SSE41),
	ROW("palignr", 3A, 0x0f, 66, ANY, I_8, V_W16_ALIGN, SSSE3),
	ROW("pextrb", 3A, 0x14, 66, ANY, I_8, E1_V, SSE41),
	ROW("pextrw", 3A, 0x15, 66, ANY, I_8, E2_V, SSE41),
	ROW("pextrd", 3A, 0x16, 66, ANY, I_8, E4_V_WIDE, SSE41),
	ROW("extractps", 3A, 0x17, 66, ANY, I_8, E4_V, SSE41),
	ROW("pinsrb", 3A, 0x20, 66, ANY, I_8, V_E1, SSE41),
	ROW("insertps", 3A, 0x21, 66, ANY, I_8, V_W4, SSE41),
	ROW("pinsrd", 3A, 0x22, 66, ANY, I_8, V_E4_WIDE, SSE41),
	ROW("dpps", 3A, 0x40, 66, ANY, I_8, V_W16_ALIGN_FP, SSE41),
	ROW("dppd", 3A, 0x41, 66, ANY, I_8, V_W16_ALIGN_FP, SSE41),
	ROW("mpsadbw", 3A, 0x42, 66, ANY, I_8, V_W16_ALIGN, SSE41),
	ROW("pclmulqdq", 3A, 0x44, 66, ANY, I_8, V_W16_ALIGN, PCLMUL),
	ROW("pcmpestrm", 3A, 0x60, 66, ANY, I_8, TV_W16_FLAGS_LEN_MASK, SSE42),
	ROW("pcmpestri", 3A, 0x61, 66, ANY, I_8, TV_W16_FLAGS_LEN_INDEX, SSE42),
	ROW("pcmpistrm", 3A, 0x62, 66, ANY, I_8, TV_W16_FLAGS_MASK, SSE42),
	ROW("pcmpistri", 3A, 0x63, 66, ANY, I_8, TV_W16_FLAGS_INDEX, SSE42),
	ROW("aeskeygenassist", 3A, 0xdf, 66, ANY, I_8, V_W16_ALIGN, AES),
	OWN("fxsave", 0F, 0xae, NONE, MEM, 1, soft_op_fxsave, FXSR),
	OWN("fxrstor", 0F, 0xae, NONE, MEM, 2, soft_op_fxrstor, FXSR),
	OWN("ldmxcsr", 0F, 0xae, NONE, MEM, 3, soft_op_ldmxcsr, FXSR),
	OWN("stmxcsr", 0F, 0xae, NONE, MEM, 4, soft_op_stmxcsr, FXSR),
	OWN("lfence", 0F, 0xae, NONE, REG, 6, soft_op_fence, NOP),
	OWN("mfence", 0F, 0xae, NONE, REG, 7, soft_op_fence, NOP),
	OWN("sfence", 0F, 0xae, NONE, REG, 8, soft_op_fence, NOP),
	OWN("clflush", 0F, 0xae, NONE, MEM, 8, soft_op_clflush, NOP),
	OWN("maskmovdqu", 0F, 0xf7, 66, REG, 0, soft_op_maskmov, SSE2),
	{.name = NULL},
};

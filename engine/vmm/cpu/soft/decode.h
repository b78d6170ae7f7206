// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The decoder: from bytes to struct soft_insn, driven by opcode tables.
 *
 * A row of a table says all about one form of an instruction: where it is in the opcode maps, how
 * its operands are encoded, what it does to the flags, when it is invalid, and who executes it.
 * The interpreter, a translator, the fuzzer and the differential test all work from these rows.
 * The tables live beside the handlers (op_*.c, system.c's and simd's files) and are listed in
 * soft_tables[] (decode.c); where rows share an opcode byte, the first whose conditions hold
 * wins.
 *
 * Encodings: SDM volume 2, chapters 2 and appendix A. VEX and EVEX are not decoded: #UD.
 */
#pragma once

#include "engine/vmm/cpu/soft/soft.h"

/* Opcode maps: one byte; after 0F; after 0F 38; after 0F 3A. */
enum soft_map { SOFT_MAP_1, SOFT_MAP_0F, SOFT_MAP_38, SOFT_MAP_3A, SOFT_MAPS };

/* What a row's mandatory prefix must be. SOFT_P_ANY: prefixes have their usual meaning. For the
 * others F2/F3 win over 66, and the prefix loses its usual meaning (operand size, REP). */
enum soft_prefix { SOFT_P_ANY, SOFT_P_NONE, SOFT_P_66, SOFT_P_F3, SOFT_P_F2 };

/* Which ModRM forms a row takes. */
enum soft_modrm {
	SOFT_M_NONE, /* no ModRM byte */
	SOFT_M_ANY,
	SOFT_M_MEM, /* memory only */
	SOFT_M_REG, /* register only */
	SOFT_M_MOVCR, /* mod is ignored, always register (MOV to and from CR and DR) */
};

/* Immediate operands. */
enum soft_imm {
	SOFT_I_NONE,
	SOFT_I_8,  /* a byte, zero-extended (also port numbers, shift counts, SSE controls) */
	SOFT_I_8S, /* a byte, sign-extended */
	SOFT_I_16,
	SOFT_I_Z,  /* 2 or 4 bytes by operand size, sign-extended (4 with operand size 8) */
	SOFT_I_V,  /* 2, 4 or 8 bytes by operand size (MOV r, imm) */
	SOFT_I_MOFFS, /* address-size bytes: becomes a memory operand without base */
	SOFT_I_FAR,   /* offset by operand size, then selector: imm = offset | selector << 32 */
	SOFT_I_16_8,  /* ENTER: imm = imm16 | imm8 << 16 */
	SOFT_I_REL8, SOFT_I_RELZ, /* branch: imm is relative to the block's origin */
};

/* Operand size of a row. */
enum soft_size {
	SOFT_S_V,  /* 16, 32 or 64 by prefixes */
	SOFT_S_8,
	SOFT_S_16,
	SOFT_S_32,
	SOFT_S_64,
	SOFT_S_V64, /* like V, but 64 by default in 64-bit mode (PUSH, near RET, ...), 16 by 66 */
	SOFT_S_F64, /* near branches: 64 in 64-bit mode whatever the prefix (as Intel's do) */
	SOFT_S_Y,   /* 64 in 64-bit mode, else 32 (MOV CR) */
	SOFT_S_D,   /* 32, or 64 by REX.W; 66 has no effect (MOVD, CVTSI2SD, CRC32...) */
};

/* Row flags. */
#define SOFT_NO64 0x1u   /* #UD in 64-bit mode */
#define SOFT_ONLY64 0x2u /* #UD elsewhere */
#define SOFT_LOCK 0x4u   /* LOCK is allowed with a memory destination */
#define SOFT_PROTECTED_ONLY 0x8u /* #UD in real and virtual-8086 mode */
#define SOFT_CPL0 0x10u  /* #GP(0) where CPL is not 0 (also in virtual-8086 mode) */
#define SOFT_END 0x20u   /* ends its block; see soft_op_system() */
#define SOFT_BRANCH 0x40u /* changes rip */
#define SOFT_REG_IN_OPCODE 0x80u /* 8 opcodes: register in bits 0-2, decoded into rm */
#define SOFT_CC_IN_OPCODE 0x100u /* 16 opcodes: condition in bits 0-3 */
#define SOFT_WRITES_RM 0x200u /* the r/m operand is written (memory: probed for write) */
#define SOFT_READS_RM 0x400u
#define SOFT_WRITES_REG 0x800u
#define SOFT_READS_REG 0x1000u
#define SOFT_STACK 0x2000u /* pushes or pops */
#define SOFT_STRING 0x4000u /* string instruction; REP is meaningful */
#define SOFT_FP 0x8000u   /* x87, MMX or SSE: fp's business */
#define SOFT_FAULTS 0x10000u /* may fault without a memory operand (DIV, ...) */
#define SOFT_NO_TEST 0x20000u /* the differential test cannot run it natively as it is */
#define SOFT_MODRM_SIZE8_RM 0x40000u /* r/m is a byte, reg is operand-size (MOVZX, MOVSX) */
#define SOFT_MODRM_SIZE16_RM 0x80000u /* r/m is a word */
#define SOFT_MODRM_SIZE32_RM 0x100000u /* r/m is a dword (MOVSXD) */
#define SOFT_REX_W_ONLY 0x200000u /* the row needs REX.W */
#define SOFT_NO_REX_W 0x400000u /* the row needs REX.W clear */

/* What the differential test counts as covered; one per kind of instruction. */
enum soft_group {
	SOFT_G_ALU, SOFT_G_INCDEC, SOFT_G_SHIFT, SOFT_G_DOUBLE_SHIFT, SOFT_G_MULDIV,
	SOFT_G_BIT, SOFT_G_SCAN, SOFT_G_MOV, SOFT_G_EXTEND, SOFT_G_LEA, SOFT_G_XCHG,
	SOFT_G_CMPXCHG, SOFT_G_STACK, SOFT_G_BRANCH, SOFT_G_CALL, SOFT_G_SETCC, SOFT_G_CMOV,
	SOFT_G_STRING, SOFT_G_FLAG, SOFT_G_BCD, SOFT_G_CRC, SOFT_G_NOP, SOFT_G_SYSTEM,
	SOFT_G_IO, SOFT_G_X87, SOFT_G_MMX, SOFT_G_SSE, SOFT_G_SSE2, SOFT_G_SSE3, SOFT_G_SSSE3,
	SOFT_G_SSE41, SOFT_G_SSE42, SOFT_G_AES, SOFT_G_PCLMUL, SOFT_G_FXSR, SOFT_GROUPS,
};

/* Field b of a shift's row: by CL. */
#define SOFT_BY_CL 1

struct soft_decode;

struct soft_opcode {
	const char *name; /* mnemonic */
	uint8_t map;      /* enum soft_map */
	uint8_t opcode;   /* of the first, where several share the row */
	uint8_t prefix;   /* enum soft_prefix */
	uint8_t modrm;    /* enum soft_modrm */
	int8_t digit;     /* ModRM.reg + 1 for groups, 0: any */
	int8_t rm;        /* ModRM.rm + 1 where it selects, 0: any */
	uint8_t size;     /* enum soft_size */
	uint8_t imm;      /* enum soft_imm */
	uint8_t group;    /* enum soft_group */
	uint32_t flags;
	/* Flags, as SOFT_CF and so on; undefined ones are in writes, too. */
	uint16_t reads, writes, undefined;
	/* Executes it. Called by a generic handler: soft_op_call(), or soft_op_system() for END
	 * rows. NULL where pick chooses a threaded handler. */
	void (*fn)(struct soft_cpu *cpu, const struct soft_insn *insn);
	/* Called last by the decoder, may be NULL: sets insn->run (and fn, data). False: #UD. */
	bool (*pick)(struct soft_insn *insn, const struct soft_decode *d);
	/* Two numbers for pick's own use. */
	uint8_t a, b;
};

/* How a memory operand's address becomes linear; chosen by the decoder. */
enum soft_address {
	SOFT_ADDRESS_FLAT,   /* 64-bit: the sum is the linear address (FS/GS base is in it) */
	SOFT_ADDRESS_FLAT32, /* the sum's low 32 bits are it */
	SOFT_ADDRESS_SEGMENT, /* soft_segment_linear() */
};

/* insn->prefixes */
#define SOFT_HAS_LOCK 0x1u
#define SOFT_HAS_REP 0x2u /* F3 */
#define SOFT_HAS_REPNE 0x4u /* F2 */
#define SOFT_HAS_66 0x8u
#define SOFT_HAS_REX_W 0x10u
#define SOFT_HAS_REX 0x20u
#define SOFT_IS_PURE 0x40u /* cannot fault or leave its block; flags as the row says (fuse.h) */
#define SOFT_IS_LAST 0x80u /* the last of its block (block.c) */

struct soft_insn {
	/* The threaded handler. */
	void (*run)(struct soft_cpu *cpu, const struct soft_insn *insn);
	union {
		/* Pure ones: the handler for when nobody looks at the flags, or NULL. */
		void (*fn)(struct soft_cpu *cpu, const struct soft_insn *insn);
		struct soft_block *link; /* branches: the block they were last seen to reach */
	};
	union {
		int64_t imm; /* as enum soft_imm says */
		void *data;  /* for fn, where the row has no immediate or pick has used it up */
	};
	/* Memory operand: gpr[base] + (gpr[index] << scale) + disp; SOFT_ZERO where there is
	 * none. RIP-relative: base is SOFT_ORIGIN. FS and GS in 64-bit mode: index is their
	 * base slot (or, with an index, address is SEGMENT). */
	int64_t disp;
	uint8_t base, index, scale;
	uint8_t seg; /* segment register of the memory operand, or string source */
	/* Register operands: numbers 0-15. Where the operand is a byte it is instead the byte's
	 * offset in gpr[] (register * 8, + 1 for AH CH DH BH): soft_reg8(). x87, MMX, SSE,
	 * segment, CR and DR operands: their number. */
	uint8_t reg, rm;
	uint8_t size;    /* operand size in bytes */
	uint8_t asize;   /* address size in bytes */
	uint8_t address; /* enum soft_address */
	uint8_t memory;  /* r/m is in memory */
	uint8_t length;  /* bytes */
	uint8_t prefixes; /* SOFT_HAS_* */
	uint16_t offset; /* from the block's first instruction */
	uint16_t row;    /* soft_opcode_at(row) */
};

/* The decoder's context, for pick(). */
struct soft_decode {
	const uint8_t *bytes; /* of this instruction */
	const struct soft_opcode *row;
	uint32_t mode;
	uint8_t opcode; /* the last opcode byte */
	uint8_t modrm;
	uint8_t prefixes, rex, seg; /* seg: override, or 0xff */
	uint8_t osize, asize;
	unsigned length; /* so far */
};

/* Results of soft_decode() that are not lengths. */
#define SOFT_DECODE_MORE (-1)    /* the instruction goes on past the bytes given */
#define SOFT_DECODE_INVALID (-2) /* #UD */
#define SOFT_DECODE_LONG (-3)    /* over 15 bytes: #GP(0) */

/*
 * Decodes one instruction of at most available bytes in a mode (SOFT_MODE_* bits; the mode fixes
 * sizes and addressing). insn->offset must be set before; the rest is filled in. Returns its length
 * or SOFT_DECODE_*. Reads nothing but bytes; any thread.
 */
int soft_decode(struct soft_insn *insn, const uint8_t *bytes, unsigned available, uint32_t mode);

/* All rows, 0 to soft_opcodes() - 1. */
unsigned soft_opcodes(void);
const struct soft_opcode *soft_opcode_at(unsigned row);

/* A table of rows, ended by a row without a name. */
extern const struct soft_opcode soft_alu_table[], soft_move_table[], soft_shift_table[],
	soft_mul_table[], soft_bit_table[], soft_flow_table[], soft_string_table[],
	soft_misc_table[];                         /* integer: op_*.c */
extern const struct soft_opcode soft_system_table[]; /* system.c: privileged, segments, far, I/O */
extern const struct soft_opcode soft_x87_table[], soft_mmx_table[], soft_sse_table[];

/* rip of the instruction, and of the one after it (masked to the code size). For fn handlers
 * while their block runs. */
static inline uint64_t soft_mask_rip(const struct soft_cpu *cpu, uint64_t rip)
{
	if (cpu->mode & SOFT_MODE_CODE64)
		return rip;
	return cpu->mode & SOFT_MODE_CODE32 ? (uint32_t)rip : (uint16_t)rip;
}

static inline uint64_t soft_insn_rip(const struct soft_cpu *cpu, const struct soft_insn *insn)
{
	return soft_mask_rip(cpu, cpu->gpr[SOFT_ORIGIN] + insn->offset);
}

static inline uint64_t soft_insn_next(const struct soft_cpu *cpu, const struct soft_insn *insn)
{
	return soft_mask_rip(cpu, cpu->gpr[SOFT_ORIGIN] + insn->offset + insn->length);
}

/*
 * Generic threaded handlers (exec.c). soft_op_call(): current is insn, calls fn, goes on with the
 * next. fn must not change rip, mode, or what code is visible. soft_op_system(), for END rows:
 * current is insn, rip is set to the *next* instruction, calls fn, leaves the block; fn may change
 * everything: to jump it sets rip, to be repeated (REP interrupted) it sets rip to
 * soft_insn_rip(). CPL0 rows are checked before fn.
 */
void soft_op_call(struct soft_cpu *cpu, const struct soft_insn *insn);
void soft_op_system(struct soft_cpu *cpu, const struct soft_insn *insn);

// SPDX-License-Identifier: GPL-3.0-or-later
// The rows of the system instructions.

#include "engine/vmm/cpu/soft/system.h"

/* What a row has that goes on in its block, that ends it, and that only the kernel may use. */
#define PLAIN .group = SOFT_G_SYSTEM, .flags = SOFT_NO_TEST
#define ENDS .group = SOFT_G_SYSTEM, .flags = SOFT_NO_TEST | SOFT_END
#define KERNEL .group = SOFT_G_SYSTEM, .flags = SOFT_NO_TEST | SOFT_END | SOFT_CPL0
#define MORE(bits) (SOFT_NO_TEST | (bits))

/* Rows of the map after 0F with a ModRM byte that selects. */
#define GROUP(byte, forms, reg) \
	.map = SOFT_MAP_0F, .opcode = (byte), .modrm = (forms), .digit = (reg) + 1
#define GROUP_REG(byte, reg, number) \
	GROUP(byte, SOFT_M_REG, reg), .rm = (number) + 1

/* Segment registers on the stack. */
#define PUSH_SEG(where, byte, segment, bits) \
	{ .name = "push", .map = (where), .opcode = (byte), .size = SOFT_S_V64, .group = SOFT_G_SYSTEM, \
		.flags = MORE(SOFT_STACK | (bits)), .fn = soft_sys_push_seg, .a = (segment) }
#define POP_SEG(where, byte, segment, bits) \
	{ .name = "pop", .map = (where), .opcode = (byte), .size = SOFT_S_V64, .group = SOFT_G_SYSTEM, \
		.flags = MORE(SOFT_STACK | SOFT_END | (bits)), .fn = soft_sys_pop_seg, .a = (segment) }
#define FAR_POINTER(mnemonic, where, byte, segment, bits) \
	{ .name = mnemonic, .map = (where), .opcode = (byte), .modrm = SOFT_M_MEM, .size = SOFT_S_V, \
		.group = SOFT_G_SYSTEM, .flags = MORE(SOFT_END | SOFT_WRITES_REG | (bits)), \
		.fn = soft_sys_load_far_pointer, .a = (segment) }

#define JUMP MORE(SOFT_END | SOFT_BRANCH)

/* Port instructions: a byte, and a word or doubleword. */
#define PORT_PAIR(mnemonic, byte, immediate, function) \
	{ .name = mnemonic, .opcode = (byte), .size = SOFT_S_8, .imm = (immediate), \
		.group = SOFT_G_IO, .flags = MORE(SOFT_END), .fn = (function) }, \
	{ .name = mnemonic, .opcode = (byte) + 1, .size = SOFT_S_V, .imm = (immediate), \
		.group = SOFT_G_IO, .flags = MORE(SOFT_END), .fn = (function) }
#define PORT_STRING(mnemonic, byte, function) \
	{ .name = mnemonic, .opcode = (byte), .size = SOFT_S_8, .group = SOFT_G_IO, \
		.flags = MORE(SOFT_END | SOFT_STRING), .fn = (function) }, \
	{ .name = mnemonic, .opcode = (byte) + 1, .size = SOFT_S_V, .group = SOFT_G_IO, \
		.flags = MORE(SOFT_END | SOFT_STRING), .fn = (function) }

#define BASE(mnemonic, reg, function, segment) \
	{ .name = mnemonic, GROUP(0xae, SOFT_M_REG, reg), .prefix = SOFT_P_F3, .size = SOFT_S_D, \
		.group = SOFT_G_SYSTEM, .flags = MORE(SOFT_ONLY64), .fn = (function), .a = (segment) }

const struct soft_opcode soft_system_table[] = {
	/* Segment registers. */
	{ .name = "mov", .opcode = 0x8c, .modrm = SOFT_M_ANY, .size = SOFT_S_V, PLAIN,
		.fn = soft_sys_mov_from_seg },
	{ .name = "mov", .opcode = 0x8e, .modrm = SOFT_M_ANY, .size = SOFT_S_16, ENDS,
		.fn = soft_sys_mov_to_seg },
	PUSH_SEG(SOFT_MAP_1, 0x06, SOFT_ES, SOFT_NO64),
	PUSH_SEG(SOFT_MAP_1, 0x0e, SOFT_CS, SOFT_NO64),
	PUSH_SEG(SOFT_MAP_1, 0x16, SOFT_SS, SOFT_NO64),
	PUSH_SEG(SOFT_MAP_1, 0x1e, SOFT_DS, SOFT_NO64),
	PUSH_SEG(SOFT_MAP_0F, 0xa0, SOFT_FS, 0),
	PUSH_SEG(SOFT_MAP_0F, 0xa8, SOFT_GS, 0),
	POP_SEG(SOFT_MAP_1, 0x07, SOFT_ES, SOFT_NO64),
	POP_SEG(SOFT_MAP_1, 0x17, SOFT_SS, SOFT_NO64),
	POP_SEG(SOFT_MAP_1, 0x1f, SOFT_DS, SOFT_NO64),
	POP_SEG(SOFT_MAP_0F, 0xa1, SOFT_FS, 0),
	POP_SEG(SOFT_MAP_0F, 0xa9, SOFT_GS, 0),
	FAR_POINTER("les", SOFT_MAP_1, 0xc4, SOFT_ES, SOFT_NO64),
	FAR_POINTER("lds", SOFT_MAP_1, 0xc5, SOFT_DS, SOFT_NO64),
	FAR_POINTER("lss", SOFT_MAP_0F, 0xb2, SOFT_SS, 0),
	FAR_POINTER("lfs", SOFT_MAP_0F, 0xb4, SOFT_FS, 0),
	FAR_POINTER("lgs", SOFT_MAP_0F, 0xb5, SOFT_GS, 0),
	{ .name = "swapgs", GROUP_REG(0x01, 7, 0), .size = SOFT_S_64, .group = SOFT_G_SYSTEM,
		.flags = MORE(SOFT_END | SOFT_CPL0 | SOFT_ONLY64), .fn = soft_sys_swapgs },
	BASE("rdfsbase", 0, soft_sys_read_base, SOFT_FS),
	BASE("rdgsbase", 1, soft_sys_read_base, SOFT_GS),
	BASE("wrfsbase", 2, soft_sys_write_base, SOFT_FS),
	BASE("wrgsbase", 3, soft_sys_write_base, SOFT_GS),

	/* Far transfers, interrupts and system calls. */
	{ .name = "call", .opcode = 0x9a, .size = SOFT_S_V, .imm = SOFT_I_FAR, .group = SOFT_G_SYSTEM,
		.flags = JUMP | SOFT_NO64 | SOFT_STACK, .fn = soft_sys_far_immediate, .a = 1 },
	{ .name = "jmp", .opcode = 0xea, .size = SOFT_S_V, .imm = SOFT_I_FAR, .group = SOFT_G_SYSTEM,
		.flags = JUMP | SOFT_NO64, .fn = soft_sys_far_immediate },
	{ .name = "call", .opcode = 0xff, .modrm = SOFT_M_MEM, .digit = 4, .size = SOFT_S_V,
		.group = SOFT_G_SYSTEM, .flags = JUMP | SOFT_STACK, .fn = soft_sys_far_memory, .a = 1 },
	{ .name = "jmp", .opcode = 0xff, .modrm = SOFT_M_MEM, .digit = 6, .size = SOFT_S_V,
		.group = SOFT_G_SYSTEM, .flags = JUMP, .fn = soft_sys_far_memory },
	{ .name = "retf", .opcode = 0xca, .size = SOFT_S_V, .imm = SOFT_I_16, .group = SOFT_G_SYSTEM,
		.flags = JUMP | SOFT_STACK, .fn = soft_sys_far_return },
	{ .name = "retf", .opcode = 0xcb, .size = SOFT_S_V, .group = SOFT_G_SYSTEM,
		.flags = JUMP | SOFT_STACK, .fn = soft_sys_far_return },
	{ .name = "int3", .opcode = 0xcc, .size = SOFT_S_V, .group = SOFT_G_SYSTEM, .flags = JUMP,
		.fn = soft_sys_int3 },
	{ .name = "int", .opcode = 0xcd, .size = SOFT_S_V, .imm = SOFT_I_8, .group = SOFT_G_SYSTEM,
		.flags = JUMP, .fn = soft_sys_int_n },
	{ .name = "into", .opcode = 0xce, .size = SOFT_S_V, .group = SOFT_G_SYSTEM,
		.flags = JUMP | SOFT_NO64, .reads = SOFT_OF, .fn = soft_sys_into },
	{ .name = "int1", .opcode = 0xf1, .size = SOFT_S_V, .group = SOFT_G_SYSTEM, .flags = JUMP,
		.fn = soft_sys_int1 },
	{ .name = "iret", .opcode = 0xcf, .size = SOFT_S_V, .group = SOFT_G_SYSTEM,
		.flags = JUMP | SOFT_STACK, .fn = soft_sys_iret },
	{ .name = "syscall", .map = SOFT_MAP_0F, .opcode = 0x05, .size = SOFT_S_V,
		.group = SOFT_G_SYSTEM, .flags = JUMP, .fn = soft_sys_syscall },
	{ .name = "sysret", .map = SOFT_MAP_0F, .opcode = 0x07, .size = SOFT_S_V,
		.group = SOFT_G_SYSTEM, .flags = JUMP, .fn = soft_sys_sysret },
	{ .name = "sysenter", .map = SOFT_MAP_0F, .opcode = 0x34, .size = SOFT_S_V,
		.group = SOFT_G_SYSTEM, .flags = JUMP, .fn = soft_sys_sysenter },
	{ .name = "sysexit", .map = SOFT_MAP_0F, .opcode = 0x35, .size = SOFT_S_V,
		.group = SOFT_G_SYSTEM, .flags = JUMP, .fn = soft_sys_sysexit },
	{ .name = "vmcall", GROUP_REG(0x01, 0, 1), .size = SOFT_S_V, KERNEL, .fn = soft_sys_vmcall },
	{ .name = "vmmcall", GROUP_REG(0x01, 3, 1), .size = SOFT_S_V, KERNEL, .fn = soft_sys_vmcall },

	/* System flags. */
	{ .name = "pushf", .opcode = 0x9c, .size = SOFT_S_V64, .group = SOFT_G_SYSTEM,
		.flags = MORE(SOFT_STACK), .fn = soft_sys_pushf, .reads = SOFT_ARITHMETIC },
	{ .name = "popf", .opcode = 0x9d, .size = SOFT_S_V64, .group = SOFT_G_SYSTEM,
		.flags = MORE(SOFT_STACK | SOFT_END), .fn = soft_sys_popf, .writes = SOFT_ARITHMETIC },
	{ .name = "cli", .opcode = 0xfa, .size = SOFT_S_V, PLAIN, .fn = soft_sys_cli },
	{ .name = "sti", .opcode = 0xfb, .size = SOFT_S_V, ENDS, .fn = soft_sys_sti },
	{ .name = "clac", GROUP_REG(0x01, 1, 2), .size = SOFT_S_V, ENDS, .fn = soft_sys_clac },
	{ .name = "stac", GROUP_REG(0x01, 1, 3), .size = SOFT_S_V, ENDS, .fn = soft_sys_stac },

	/* Ports. */
	PORT_STRING("ins", 0x6c, soft_sys_ins),
	PORT_STRING("outs", 0x6e, soft_sys_outs),
	PORT_PAIR("in", 0xe4, SOFT_I_8, soft_sys_in),
	PORT_PAIR("out", 0xe6, SOFT_I_8, soft_sys_out),
	PORT_PAIR("in", 0xec, SOFT_I_NONE, soft_sys_in),
	PORT_PAIR("out", 0xee, SOFT_I_NONE, soft_sys_out),

	/* Descriptor tables. */
	{ .name = "sldt", GROUP(0x00, SOFT_M_ANY, 0), .size = SOFT_S_V, .group = SOFT_G_SYSTEM,
		.flags = MORE(SOFT_PROTECTED_ONLY), .fn = soft_sys_sldt },
	{ .name = "str", GROUP(0x00, SOFT_M_ANY, 1), .size = SOFT_S_V, .group = SOFT_G_SYSTEM,
		.flags = MORE(SOFT_PROTECTED_ONLY), .fn = soft_sys_str },
	{ .name = "lldt", GROUP(0x00, SOFT_M_ANY, 2), .size = SOFT_S_16, .group = SOFT_G_SYSTEM,
		.flags = MORE(SOFT_END | SOFT_CPL0 | SOFT_PROTECTED_ONLY), .fn = soft_sys_lldt },
	{ .name = "ltr", GROUP(0x00, SOFT_M_ANY, 3), .size = SOFT_S_16, .group = SOFT_G_SYSTEM,
		.flags = MORE(SOFT_END | SOFT_CPL0 | SOFT_PROTECTED_ONLY), .fn = soft_sys_ltr },
	{ .name = "verr", GROUP(0x00, SOFT_M_ANY, 4), .size = SOFT_S_16, .group = SOFT_G_SYSTEM,
		.flags = MORE(SOFT_PROTECTED_ONLY), .fn = soft_sys_verr, .writes = SOFT_ZF },
	{ .name = "verw", GROUP(0x00, SOFT_M_ANY, 5), .size = SOFT_S_16, .group = SOFT_G_SYSTEM,
		.flags = MORE(SOFT_PROTECTED_ONLY), .fn = soft_sys_verw, .writes = SOFT_ZF },
	{ .name = "sgdt", GROUP(0x01, SOFT_M_MEM, 0), .size = SOFT_S_V, PLAIN, .fn = soft_sys_sgdt },
	{ .name = "sidt", GROUP(0x01, SOFT_M_MEM, 1), .size = SOFT_S_V, PLAIN, .fn = soft_sys_sidt },
	{ .name = "lgdt", GROUP(0x01, SOFT_M_MEM, 2), .size = SOFT_S_V, KERNEL, .fn = soft_sys_lgdt },
	{ .name = "lidt", GROUP(0x01, SOFT_M_MEM, 3), .size = SOFT_S_V, KERNEL, .fn = soft_sys_lidt },
	{ .name = "lar", .map = SOFT_MAP_0F, .opcode = 0x02, .modrm = SOFT_M_ANY, .size = SOFT_S_V,
		.group = SOFT_G_SYSTEM, .flags = MORE(SOFT_PROTECTED_ONLY | SOFT_WRITES_REG),
		.fn = soft_sys_lar, .writes = SOFT_ZF },
	{ .name = "lsl", .map = SOFT_MAP_0F, .opcode = 0x03, .modrm = SOFT_M_ANY, .size = SOFT_S_V,
		.group = SOFT_G_SYSTEM, .flags = MORE(SOFT_PROTECTED_ONLY | SOFT_WRITES_REG),
		.fn = soft_sys_lsl, .writes = SOFT_ZF },
	{ .name = "arpl", .opcode = 0x63, .modrm = SOFT_M_ANY, .size = SOFT_S_16, .group = SOFT_G_SYSTEM,
		.flags = MORE(SOFT_NO64 | SOFT_PROTECTED_ONLY | SOFT_WRITES_RM), .fn = soft_sys_arpl,
		.writes = SOFT_ZF },
	{ .name = "bound", .opcode = 0x62, .modrm = SOFT_M_MEM, .size = SOFT_S_V, .group = SOFT_G_SYSTEM,
		.flags = MORE(SOFT_NO64 | SOFT_FAULTS), .fn = soft_sys_bound },

	/* Control and debug registers. */
	{ .name = "smsw", GROUP(0x01, SOFT_M_ANY, 4), .size = SOFT_S_V, PLAIN, .fn = soft_sys_smsw },
	{ .name = "lmsw", GROUP(0x01, SOFT_M_ANY, 6), .size = SOFT_S_16, KERNEL, .fn = soft_sys_lmsw },
	{ .name = "clts", .map = SOFT_MAP_0F, .opcode = 0x06, .size = SOFT_S_V, KERNEL,
		.fn = soft_sys_clts },
	{ .name = "mov", .map = SOFT_MAP_0F, .opcode = 0x20, .modrm = SOFT_M_MOVCR, .size = SOFT_S_Y,
		KERNEL, .fn = soft_sys_mov_from_cr },
	{ .name = "mov", .map = SOFT_MAP_0F, .opcode = 0x21, .modrm = SOFT_M_MOVCR, .size = SOFT_S_Y,
		KERNEL, .fn = soft_sys_mov_from_dr },
	{ .name = "mov", .map = SOFT_MAP_0F, .opcode = 0x22, .modrm = SOFT_M_MOVCR, .size = SOFT_S_Y,
		KERNEL, .fn = soft_sys_mov_to_cr },
	{ .name = "mov", .map = SOFT_MAP_0F, .opcode = 0x23, .modrm = SOFT_M_MOVCR, .size = SOFT_S_Y,
		KERNEL, .fn = soft_sys_mov_to_dr },
	{ .name = "xgetbv", GROUP_REG(0x01, 2, 0), .prefix = SOFT_P_NONE, .size = SOFT_S_V, PLAIN,
		.fn = soft_sys_xgetbv },
	{ .name = "xsetbv", GROUP_REG(0x01, 2, 1), .prefix = SOFT_P_NONE, .size = SOFT_S_V, KERNEL,
		.fn = soft_sys_xsetbv },

	/* Caches, halting, time, identity. */
	{ .name = "invlpg", GROUP(0x01, SOFT_M_MEM, 7), .size = SOFT_S_V, KERNEL, .fn = soft_sys_invlpg },
	{ .name = "invd", .map = SOFT_MAP_0F, .opcode = 0x08, .size = SOFT_S_V, KERNEL,
		.fn = soft_sys_invd },
	{ .name = "wbinvd", .map = SOFT_MAP_0F, .opcode = 0x09, .size = SOFT_S_V, KERNEL,
		.fn = soft_sys_invd },
	{ .name = "hlt", .opcode = 0xf4, .size = SOFT_S_V, KERNEL, .fn = soft_sys_hlt },
	{ .name = "wrmsr", .map = SOFT_MAP_0F, .opcode = 0x30, .size = SOFT_S_V, KERNEL,
		.fn = soft_sys_wrmsr },
	{ .name = "rdtsc", .map = SOFT_MAP_0F, .opcode = 0x31, .size = SOFT_S_V, PLAIN,
		.fn = soft_sys_rdtsc },
	{ .name = "rdmsr", .map = SOFT_MAP_0F, .opcode = 0x32, .size = SOFT_S_V, KERNEL,
		.fn = soft_sys_rdmsr },
	{ .name = "rdpmc", .map = SOFT_MAP_0F, .opcode = 0x33, .size = SOFT_S_V, PLAIN,
		.fn = soft_sys_rdpmc },
	{ .name = "rdtscp", GROUP_REG(0x01, 7, 1), .size = SOFT_S_V, PLAIN, .fn = soft_sys_rdtscp },
	{ .name = "rdpid", GROUP(0xc7, SOFT_M_REG, 7), .prefix = SOFT_P_F3, .size = SOFT_S_D, PLAIN,
		.fn = soft_sys_rdpid },
	{ .name = "rdrand", GROUP(0xc7, SOFT_M_REG, 6), .size = SOFT_S_V, PLAIN, .fn = soft_sys_rdrand,
		.writes = SOFT_ARITHMETIC },
	{ .name = "rdseed", GROUP(0xc7, SOFT_M_REG, 7), .size = SOFT_S_V, PLAIN, .fn = soft_sys_rdrand,
		.writes = SOFT_ARITHMETIC },
	{ .name = "cpuid", .map = SOFT_MAP_0F, .opcode = 0xa2, .size = SOFT_S_V, PLAIN,
		.fn = soft_sys_cpuid },
	{ .name = NULL },
};

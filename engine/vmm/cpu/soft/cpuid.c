// SPDX-License-Identifier: GPL-3.0-or-later
// CPUID: what processor this is. A feature is here only if it is built (SDM volume 2, CPUID).
//
// The vendor is Intel's, so that kernels take the paths that need least; the model number is one
// that no processor has, so that none takes up a processor's own counters or errata.

#include "engine/vmm/cpu/soft/system.h"

#define EAX 0
#define EBX 1
#define ECX 2
#define EDX 3

#define LEAF_MAX 0x16
#define LEAF_EXTENDED 0x80000000u
#define LEAF_EXTENDED_MAX 0x80000008u
#define LEAF_PV 0x40000000u

#define BIT(n) (1u << (n))

/* Family 6, model 17, stepping 1. */
#define SIGNATURE 0x00010611u

#define FEATURES_1_ECX                                                                             \
	(BIT(0) | BIT(1) | BIT(9) | BIT(13) |           /* SSE3 PCLMULQDQ SSSE3 CMPXCHG16B */      \
		BIT(19) | BIT(20) | BIT(22) | BIT(23) | /* SSE4.1 SSE4.2 MOVBE POPCNT */           \
		BIT(25) | BIT(30) |                     /* AES RDRAND */                           \
		BIT(31))                                /* hypervisor */
/* With a local APIC: x2APIC, TSC deadline; and in EDX: APIC. */
#define FEATURES_1_ECX_APIC (BIT(21) | BIT(24))
#define FEATURES_1_EDX_APIC BIT(9)
#define FEATURES_1_EDX                                                                             \
	(BIT(0) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) |    /* FPU DE PSE TSC MSR PAE */     \
		BIT(7) | BIT(8) | BIT(11) | BIT(12) | BIT(13) |   /* MCE CX8 SEP MTRR PGE */       \
		BIT(14) | BIT(15) | BIT(16) | BIT(17) | BIT(19) | /* MCA CMOV PAT PSE36 CLFSH */   \
		BIT(23) | BIT(24) | BIT(25) | BIT(26))            /* MMX FXSR SSE SSE2 */
#define FEATURES_1_EDX_HTT BIT(28)

#define FEATURES_7_EBX                                                                             \
	(BIT(0) | BIT(1) | BIT(7) | BIT(9) |           /* FSGSBASE TSC_ADJUST SMEP ERMS */         \
		BIT(18) | BIT(20) | BIT(23) | BIT(24)) /* RDSEED SMAP CLFLUSHOPT CLWB */
#define FEATURES_7_ECX (BIT(2) | BIT(22))              /* UMIP RDPID */
#define FEATURES_7_EDX (BIT(4) | BIT(26) | BIT(29))    /* FSRM SPEC_CTRL ARCH_CAPABILITIES */

#define FEATURES_7_2_EDX BIT(4) /* BHI_DIS_S: kernels then leave out the loop */

#define FEATURES_EXTENDED_ECX (BIT(0) | BIT(8)) /* LAHF in 64-bit mode, PREFETCHW */
#define FEATURES_EXTENDED_EDX                                                                      \
	(BIT(11) | BIT(20) | BIT(26) | BIT(27) |                                                   \
		BIT(29)) /* SYSCALL NX 1 GiB pages RDTSCP long mode */

/* KVM's (Documentation/virt/kvm/x86/cpuid.rst): clock, no I/O delay, clock at the new MSRs, clock
 * steady over all processors. */
#define FEATURES_PV (BIT(0) | BIT(1) | BIT(3) | BIT(24))

static void put_text(uint32_t *out, const char *text, unsigned length)
{
	memcpy(out, text, length);
}

/* Bits of the APIC id that number the processors of the package. */
static unsigned core_bits(const struct soft_cpu *cpu)
{
	unsigned bits = 0;

	while ((1u << bits) < cpu->env->count_max)
		bits++;
	return bits;
}

static void leaf_version(struct soft_cpu *cpu, uint32_t out[4])
{
	unsigned logical = 1u << core_bits(cpu);

	out[EAX] = SIGNATURE;
	out[EBX] = cpu->id << 24 | logical << 16 | 8 << 8;
	out[ECX] = FEATURES_1_ECX;
	out[EDX] = FEATURES_1_EDX;
	if (cpu->lapic != NULL) {
		out[ECX] |= FEATURES_1_ECX_APIC;
		out[EDX] |= FEATURES_1_EDX_APIC;
	}
	if (logical > 1)
		out[EDX] |= FEATURES_1_EDX_HTT;
	if (cpu->cr4 & SOFT_CR4_OSXSAVE)
		out[ECX] |= BIT(27);
}

static void leaf_features(uint32_t subleaf, uint32_t out[4])
{
	if (subleaf == 0) {
		out[EAX] = 2; /* the last subleaf */
		out[EBX] = FEATURES_7_EBX;
		out[ECX] = FEATURES_7_ECX;
		out[EDX] = FEATURES_7_EDX;
	} else if (subleaf == 2) {
		out[EDX] = FEATURES_7_2_EDX;
	}
}

struct cache {
	unsigned type; /* 1 data, 2 code, 3 unified */
	unsigned level, ways, sets;
	bool shared;
};

/* 32 KiB, 32 KiB, 1 MiB of a core, and 16 MiB for all. */
static const struct cache caches[] = {
	{.type = 1, .level = 1, .ways = 8, .sets = 64},
	{.type = 2, .level = 1, .ways = 8, .sets = 64},
	{.type = 3, .level = 2, .ways = 16, .sets = 1024},
	{.type = 3, .level = 3, .ways = 16, .sets = 16384, .shared = true},
};

static void leaf_cache(struct soft_cpu *cpu, uint32_t subleaf, uint32_t out[4])
{
	unsigned cores = (1u << core_bits(cpu)) - 1;
	const struct cache *c;

	if (subleaf >= G_N_ELEMENTS(caches))
		return;
	c = &caches[subleaf];
	out[EAX] = c->type | c->level << 5 | BIT(8) | (c->shared ? cores : 0) << 14 | cores << 26;
	out[EBX] = (c->ways - 1) << 22 | 63;
	out[ECX] = c->sets - 1;
}

/* One thread in a core, all cores in one package. */
static void leaf_topology(struct soft_cpu *cpu, uint32_t subleaf, uint32_t out[4])
{
	out[ECX] = subleaf;
	out[EDX] = cpu->id;
	if (subleaf == 0) {
		out[EBX] = 1;
		out[ECX] |= 1 << 8;
	} else if (subleaf == 1) {
		out[EAX] = core_bits(cpu);
		out[EBX] = cpu->env->count_max;
		out[ECX] |= 2 << 8;
	}
}

static void leaf_basic(struct soft_cpu *cpu, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	switch (leaf) {
	case 0:
		out[EAX] = LEAF_MAX;
		put_text(&out[EBX], "Genu", 4);
		put_text(&out[EDX], "ineI", 4);
		put_text(&out[ECX], "ntel", 4);
		break;
	case 1:
		leaf_version(cpu, out);
		break;
	case 2:
		out[EAX] = 0x0000ff01;
		break; /* see leaf 4 */
	case 4:
		leaf_cache(cpu, subleaf, out);
		break;
	case 6:
		out[EAX] = BIT(2);
		break; /* the APIC timer never stops */
	case 7:
		leaf_features(subleaf, out);
		break;
	case 0xb:
		leaf_topology(cpu, subleaf, out);
		break;
	case 0x15: /* TSC = crystal = 1 GHz */
		out[EAX] = out[EBX] = 1;
		out[ECX] = CLOCK_HZ;
		break;
	case 0x16:
		out[EAX] = out[EBX] = CLOCK_HZ / 1000000;
		break;
	default:
		break;
	}
}

static void leaf_extended(uint32_t leaf, uint32_t out[4])
{
	static const char brand[48] = "Lodge software processor @ 1.00GHz";

	switch (leaf) {
	case LEAF_EXTENDED:
		out[EAX] = LEAF_EXTENDED_MAX;
		break;
	case LEAF_EXTENDED + 1:
		out[ECX] = FEATURES_EXTENDED_ECX;
		out[EDX] = FEATURES_EXTENDED_EDX;
		break;
	case LEAF_EXTENDED + 2:
	case LEAF_EXTENDED + 3:
	case LEAF_EXTENDED + 4:
		put_text(out, brand + 16 * (leaf - LEAF_EXTENDED - 2), 16);
		break;
	case LEAF_EXTENDED + 6:
		out[ECX] = 1024 << 16 | 8 << 12 | 64;
		break;
	case LEAF_EXTENDED + 7:
		out[EDX] = BIT(8);
		break; /* invariant TSC */
	case LEAF_EXTENDED + 8:
		out[EAX] = 48 << 8 | SOFT_PHYSICAL_BITS;
		break;
	default:
		break;
	}
}

static void leaf_pv(uint32_t leaf, uint32_t out[4])
{
	if (leaf == LEAF_PV) {
		out[EAX] = LEAF_PV + 1;
		put_text(&out[EBX], "KVMKVMKVM\0\0", 12);
	} else if (leaf == LEAF_PV + 1) {
		out[EAX] = FEATURES_PV;
	}
}

void soft_cpuid(struct soft_cpu *cpu, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	memset(out, 0, 4 * sizeof(*out));
	if (leaf >= LEAF_EXTENDED && leaf <= LEAF_EXTENDED_MAX)
		leaf_extended(leaf, out);
	else if (leaf >= LEAF_PV && leaf < LEAF_PV + 0x100)
		leaf_pv(leaf, out);
	else
		leaf_basic(cpu, MIN(leaf, LEAF_MAX), subleaf, out);
}

void soft_sys_cpuid(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint32_t out[4];

	(void)insn;
	soft_cpuid(cpu, (uint32_t)cpu->gpr[SOFT_RAX], (uint32_t)cpu->gpr[SOFT_RCX], out);
	cpu->gpr[SOFT_RAX] = out[EAX];
	cpu->gpr[SOFT_RBX] = out[EBX];
	cpu->gpr[SOFT_RCX] = out[ECX];
	cpu->gpr[SOFT_RDX] = out[EDX];
}

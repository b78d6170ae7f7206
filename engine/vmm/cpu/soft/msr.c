// SPDX-License-Identifier: GPL-3.0-or-later
// Model-specific registers: a table of ranges, each with who reads and writes it (SDM volume 4).

#include "engine/vmm/cpu/soft/system.h"
#include "engine/vmm/dev/lapic.h"

#include <stddef.h>

/* Registers first to first + count - 1. A function gets the number within the range; false is
 * #GP(0). Without a function it is the field of soft_cpu at that offset, an array of uint64_t,
 * which takes what valid (NULL: anything) agrees to. */
struct msr {
	uint32_t first, count;
	bool (*read)(struct soft_cpu *cpu, uint32_t index, uint64_t *value);
	bool (*write)(struct soft_cpu *cpu, uint32_t index, uint64_t value);
	bool (*valid)(uint64_t value);
	size_t field;
};

/* ---- plain ones ---- */

static bool read_zero(struct soft_cpu *cpu, uint32_t index, uint64_t *value)
{
	(void)cpu;
	(void)index;
	*value = 0;
	return true;
}

static bool write_nothing(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	(void)cpu;
	(void)index;
	(void)value;
	return true;
}

static bool refuse_read(struct soft_cpu *cpu, uint32_t index, uint64_t *value)
{
	(void)cpu;
	(void)index;
	(void)value;
	return false;
}

/* Linux writes back what it has read. */
static bool write_zero(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	return value == 0;
}

static bool refuse_write(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	(void)cpu;
	(void)index;
	(void)value;
	return false;
}

/* ---- identity and features ---- */

static bool read_microcode(struct soft_cpu *cpu, uint32_t index, uint64_t *value)
{
	(void)cpu;
	(void)index;
	*value = 1ull << 32;
	return true;
}

/* IA32_ARCH_CAPABILITIES: what this processor does not suffer from, so that kernels leave their
 * workarounds out: RDCL_NO IBRS_ALL SKIP_L1DFL_VMENTRY SSB_NO MDS_NO PSCHANGE_MC_NO TAA_NO
 * SBDR_SSDP_NO FBSDP_NO PSDP_NO BHI_NO PBRSB_NO GDS_NO RFDS_NO ITS_NO. */
static bool read_capabilities(struct soft_cpu *cpu, uint32_t index, uint64_t *value)
{
	(void)cpu;
	(void)index;
	*value = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 13 | 1 << 14 |
		 1 << 15 | 1 << 20 | 1 << 24 | 1 << 26 | 1 << 27 | 1ull << 62;
	return true;
}

/* Feature control: locked, nothing enabled. */
static bool read_feature_control(struct soft_cpu *cpu, uint32_t index, uint64_t *value)
{
	(void)cpu;
	(void)index;
	*value = 1;
	return true;
}

/* Fast strings; no branch trace store, no precise event sampling. */
#define MISC_ENABLE_FIXED (1ull << 11 | 1ull << 12)

static bool read_misc_enable(struct soft_cpu *cpu, uint32_t index, uint64_t *value)
{
	(void)index;
	*value = cpu->misc_enable | MISC_ENABLE_FIXED;
	return true;
}

/* IBRS, STIBP and BHI_DIS_S. */
static bool is_spec_ctrl(uint64_t value)
{
	return !(value & ~0x403ull);
}

/* ---- memory types: kept, of no effect ---- */

static bool read_mtrr_capabilities(struct soft_cpu *cpu, uint32_t index, uint64_t *value)
{
	(void)index;
	*value = G_N_ELEMENTS(cpu->mtrr_variable) / 2 | 1 << 8 | 1 << 10;
	return true;
}

static bool is_memory_type(uint64_t type, bool pat)
{
	return type == 0 || type == 1 || (type >= 4 && type <= 6) || (pat && type == 7);
}

static bool are_memory_types(uint64_t value, bool pat)
{
	for (unsigned i = 0; i < 8; i++) {
		if (!is_memory_type(value >> 8 * i & 0xff, pat))
			return false;
	}
	return true;
}

static bool is_pat(uint64_t value)
{
	return are_memory_types(value, true);
}

static bool is_mtrr_fixed(uint64_t value)
{
	return are_memory_types(value, false);
}

static bool is_mtrr_type(uint64_t value)
{
	return !(value & ~0xcffull) && is_memory_type(value & 0xff, false);
}

/* ---- time ---- */

static bool read_tsc(struct soft_cpu *cpu, uint32_t index, uint64_t *value)
{
	(void)index;
	*value = soft_tsc(cpu);
	return true;
}

static void move_tsc(struct soft_cpu *cpu, uint64_t by)
{
	cpu->tsc_offset += by;
	cpu->tsc_adjust += by;
	if (cpu->lapic != NULL)
		lapic_set_tsc_offset(cpu->lapic, cpu->tsc_offset);
	if (cpu->pv_system_time & 1)
		soft_pvclock_system_time(cpu, cpu->pv_system_time);
}

static bool write_tsc(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	(void)index;
	move_tsc(cpu, value - soft_tsc(cpu));
	return true;
}

static bool write_tsc_adjust(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	(void)index;
	move_tsc(cpu, value - cpu->tsc_adjust);
	return true;
}

static bool write_pv_system_time(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	(void)index;
	return soft_pvclock_system_time(cpu, value);
}

static bool write_pv_wall_clock(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	(void)index;
	return soft_pvclock_wall_clock(cpu, value);
}

/* ---- the local APIC's ---- */

static bool read_apic(struct soft_cpu *cpu, uint32_t msr, uint64_t *value)
{
	return cpu->lapic != NULL && lapic_msr_read(cpu->lapic, msr, value);
}

static bool write_apic(struct soft_cpu *cpu, uint32_t msr, uint64_t value)
{
	if (cpu->lapic == NULL || !lapic_msr_write(cpu->lapic, msr, value))
		return false;
	/* Its page may have moved. */
	if (msr == LAPIC_MSR_BASE)
		soft_tlb_flush(cpu);
	return true;
}

static bool read_apic_base(struct soft_cpu *cpu, uint32_t index, uint64_t *value)
{
	return read_apic(cpu, LAPIC_MSR_BASE + index, value);
}

static bool write_apic_base(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	return write_apic(cpu, LAPIC_MSR_BASE + index, value);
}

static bool read_deadline(struct soft_cpu *cpu, uint32_t index, uint64_t *value)
{
	return read_apic(cpu, LAPIC_MSR_TSC_DEADLINE + index, value);
}

static bool write_deadline(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	return write_apic(cpu, LAPIC_MSR_TSC_DEADLINE + index, value);
}

static bool read_x2apic(struct soft_cpu *cpu, uint32_t index, uint64_t *value)
{
	return read_apic(cpu, LAPIC_MSR_X2APIC_FIRST + index, value);
}

static bool write_x2apic(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	return write_apic(cpu, LAPIC_MSR_X2APIC_FIRST + index, value);
}

/* ---- system calls, segments, long mode ---- */

#define EFER_WRITABLE (SOFT_EFER_SCE | SOFT_EFER_LME | SOFT_EFER_NXE)

static bool write_efer(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	uint64_t changed = cpu->efer ^ value;

	(void)index;
	if (value & ~(uint64_t)(EFER_WRITABLE | SOFT_EFER_LMA))
		return false;
	if ((changed & SOFT_EFER_LME) && (cpu->cr0 & SOFT_CR0_PG))
		return false;
	cpu->efer = (value & EFER_WRITABLE) | (cpu->efer & SOFT_EFER_LMA);
	if (changed & SOFT_EFER_NXE)
		soft_tlb_flush(cpu);
	soft_update_mode(cpu);
	return true;
}

static bool fits_32(uint64_t value)
{
	return value >> 32 == 0;
}

/* FS and GS base. */
static bool read_base(struct soft_cpu *cpu, uint32_t index, uint64_t *value)
{
	*value = cpu->seg[SOFT_FS + index].base;
	return true;
}

static bool write_base(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	if (!soft_canonical(value))
		return false;
	cpu->seg[SOFT_FS + index].base = value;
	soft_update_mode(cpu);
	return true;
}

#define FIELD(name) .field = offsetof(struct soft_cpu, name)

static const struct msr msrs[] = {
	{0x010, 1, .read = read_tsc, .write = write_tsc},
	{0x011, 1, .write = write_pv_wall_clock, FIELD(pv_wall_clock)},
	{0x012, 1, .write = write_pv_system_time, FIELD(pv_system_time)},
	{0x017, 1, .read = read_zero, .write = refuse_write}, /* IA32_PLATFORM_ID */
	{0x01b, 1, .read = read_apic_base, .write = write_apic_base},
	{0x034, 1, .read = read_zero, .write = refuse_write}, /* SMI count */
	{0x03a, 1, .read = read_feature_control, .write = refuse_write},
	{0x03b, 1, .write = write_tsc_adjust, FIELD(tsc_adjust)},
	{0x048, 1, .valid = is_spec_ctrl, FIELD(spec_ctrl)},
	{0x049, 1, .read = refuse_read, .write = write_nothing}, /* prediction barrier */
	{0x079, 1, .read = refuse_read, .write = write_nothing}, /* microcode update */
	{0x08b, 1, .read = read_microcode, .write = write_nothing},
	{0x0fe, 1, .read = read_mtrr_capabilities, .write = refuse_write},
	{0x10a, 1, .read = read_capabilities, .write = refuse_write},
	{0x0ce, 1, .read = read_zero, .write = refuse_write}, /* platform information */
	{0x140, 1, .read = read_zero, .write = write_zero},   /* misc features: CPUID faulting */
	{0x174, 1, FIELD(sysenter_cs)}, {0x175, 2, .valid = soft_canonical, FIELD(sysenter_esp)},
	{0x179, 1, .read = read_zero, .write = refuse_write},  /* no machine check banks */
	{0x17a, 1, .read = read_zero, .write = write_nothing}, /* machine check status */
	{0x1a0, 1, .read = read_misc_enable, FIELD(misc_enable)},
	{0x1d9, 1, .read = read_zero, .write = write_nothing}, /* IA32_DEBUGCTL */
	{0x200, 16, FIELD(mtrr_variable)}, {0x250, 1, .valid = is_mtrr_fixed, FIELD(mtrr_fixed[0])},
	{0x258, 2, .valid = is_mtrr_fixed, FIELD(mtrr_fixed[1])},
	{0x268, 8, .valid = is_mtrr_fixed, FIELD(mtrr_fixed[3])},
	{0x277, 1, .valid = is_pat, FIELD(pat)},
	{0x2ff, 1, .valid = is_mtrr_type, FIELD(mtrr_def_type)},
	{0x6e0, 1, .read = read_deadline, .write = write_deadline},
	{0x800, 0x40, .read = read_x2apic, .write = write_x2apic},
	{0x4b564d00, 1, .write = write_pv_wall_clock, FIELD(pv_wall_clock)},
	{0x4b564d01, 1, .write = write_pv_system_time, FIELD(pv_system_time)},
	{0xc0000080, 1, .write = write_efer, FIELD(efer)}, {0xc0000081, 1, FIELD(star)},
	{0xc0000082, 2, .valid = soft_canonical, FIELD(lstar)},
	{0xc0000084, 1, .valid = fits_32, FIELD(sfmask)},
	{0xc0000100, 2, .read = read_base, .write = write_base},
	{0xc0000102, 1, .valid = soft_canonical, FIELD(kernel_gs_base)},
	{0xc0000103, 1, .valid = fits_32, FIELD(tsc_aux)},
	{0xc0011029, 1, .read = refuse_read, .write = refuse_write}, /* AMD: Linux asks all */
};

/* Fields that stand for two registers. */
G_STATIC_ASSERT(offsetof(struct soft_cpu, cstar) == offsetof(struct soft_cpu, lstar) + 8);
G_STATIC_ASSERT(
	offsetof(struct soft_cpu, sysenter_eip) == offsetof(struct soft_cpu, sysenter_esp) + 8);

static const struct msr *msr_find(uint32_t number)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(msrs); i++) {
		if (number - msrs[i].first < msrs[i].count)
			return &msrs[i];
	}
	return NULL;
}

static uint64_t *field_of(struct soft_cpu *cpu, const struct msr *m, uint32_t index)
{
	return (uint64_t *)(void *)((uint8_t *)cpu + m->field) + index;
}

bool soft_msr_read(struct soft_cpu *cpu, uint32_t msr, uint64_t *value)
{
	const struct msr *m = msr_find(msr);

	if (m == NULL) {
		soft_warn(cpu, "the guest reads unknown MSR %#x", msr);
		return false;
	}
	if (m->read != NULL)
		return m->read(cpu, msr - m->first, value);
	*value = *field_of(cpu, m, msr - m->first);
	return true;
}

bool soft_msr_write(struct soft_cpu *cpu, uint32_t msr, uint64_t value)
{
	const struct msr *m = msr_find(msr);

	if (m == NULL) {
		soft_warn(cpu, "the guest writes unknown MSR %#x", msr);
		return false;
	}
	if (m->write != NULL)
		return m->write(cpu, msr - m->first, value);
	if (m->valid != NULL && !m->valid(value))
		return false;
	*field_of(cpu, m, msr - m->first) = value;
	return true;
}

void soft_sys_rdmsr(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t value;

	(void)insn;
	soft_fp_park(&cpu->fp);
	if (!soft_msr_read(cpu, (uint32_t)cpu->gpr[SOFT_RCX], &value))
		soft_raise_code(cpu, SOFT_GP, 0);
	cpu->gpr[SOFT_RAX] = (uint32_t)value;
	cpu->gpr[SOFT_RDX] = value >> 32;
}

void soft_sys_wrmsr(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t value = cpu->gpr[SOFT_RDX] << 32 | (uint32_t)cpu->gpr[SOFT_RAX];

	(void)insn;
	soft_fp_park(&cpu->fp);
	if (!soft_msr_write(cpu, (uint32_t)cpu->gpr[SOFT_RCX], value))
		soft_raise_code(cpu, SOFT_GP, 0);
}

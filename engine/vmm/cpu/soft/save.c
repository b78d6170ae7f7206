// SPDX-License-Identifier: GPL-3.0-or-later
// A processor's registers out to a file and in again. TLB and blocks are not kept: they are filled
// anew.

#include "engine/vmm/cpu/soft/system.h"
#include "engine/vmm/save/state.h"

#include <string.h>

// What a processor waits for or is to look at. Requests of this process's own are left out.
#define SAVED_PENDING                                                                              \
	(SOFT_PENDING_INTERRUPT | SOFT_PENDING_NMI | SOFT_PENDING_INIT | SOFT_PENDING_SIPI |       \
		SOFT_PENDING_HALT | SOFT_PENDING_SHUTDOWN | SOFT_PENDING_WAIT)

static const struct field segment_fields[] = {
	FIELD(struct vcpu_segment, base),
	FIELD(struct vcpu_segment, limit),
	FIELD(struct vcpu_segment, selector),
	FIELD_RANGE(struct vcpu_segment, attributes, 0, 0x1ffff),
	FIELD_END,
};

static const struct field table_fields[] = {
	FIELD(struct vcpu_table, base),
	FIELD(struct vcpu_table, limit),
	FIELD_END,
};

static const struct field cpu_fields[] = {
	FIELD(struct soft_cpu, rip),
	FIELD_STRUCTS(struct soft_cpu, seg, segment_fields),
	FIELD_STRUCT(struct soft_cpu, ldtr, segment_fields),
	FIELD_STRUCT(struct soft_cpu, tr, segment_fields),
	FIELD_STRUCT(struct soft_cpu, gdtr, table_fields),
	FIELD_STRUCT(struct soft_cpu, idtr, table_fields),
	FIELD_RANGE(struct soft_cpu, cr0, 0, UINT32_MAX),
	FIELD(struct soft_cpu, cr2),
	FIELD(struct soft_cpu, cr3),
	FIELD_RANGE(struct soft_cpu, cr4, 0, UINT32_MAX),
	FIELD_RANGE(struct soft_cpu, efer, 0, UINT16_MAX),
	FIELD(struct soft_cpu, xcr0),
	FIELD_ARRAY(struct soft_cpu, pdpte),
	FIELD_ARRAY(struct soft_cpu, dr),
	FIELD(struct soft_cpu, star),
	FIELD(struct soft_cpu, lstar),
	FIELD(struct soft_cpu, cstar),
	FIELD(struct soft_cpu, sfmask),
	FIELD(struct soft_cpu, kernel_gs_base),
	FIELD(struct soft_cpu, sysenter_cs),
	FIELD(struct soft_cpu, sysenter_esp),
	FIELD(struct soft_cpu, sysenter_eip),
	FIELD(struct soft_cpu, tsc_offset),
	FIELD(struct soft_cpu, tsc_aux),
	FIELD(struct soft_cpu, tsc_adjust),
	FIELD(struct soft_cpu, pat),
	FIELD(struct soft_cpu, misc_enable),
	FIELD(struct soft_cpu, mtrr_def_type),
	FIELD_ARRAY(struct soft_cpu, mtrr_fixed),
	FIELD_ARRAY(struct soft_cpu, mtrr_variable),
	FIELD(struct soft_cpu, spec_ctrl),
	FIELD(struct soft_cpu, pv_system_time),
	FIELD(struct soft_cpu, pv_wall_clock),
	FIELD_FLAG(struct soft_cpu, shadow),
	FIELD_FLAG(struct soft_cpu, nmi_blocked),
	FIELD_FLAG(struct soft_cpu, nmi_latched),
	FIELD(struct soft_cpu, sipi_vector),
	FIELD(struct soft_cpu, debug_hits),
	FIELD_END,
};

// What is kept in another form while the processor runs.
struct other {
	uint64_t gpr[16];
	uint64_t rflags;
	uint32_t pending;
	struct soft_fx_image fx;
	uint16_t fcs, fds;
};

static const struct field other_fields[] = {
	FIELD_ARRAY(struct other, gpr),
	FIELD_RANGE(struct other, rflags, 0, 0x3fffff),
	FIELD_RANGE(struct other, pending, 0, SAVED_PENDING),
	FIELD_BYTES(struct other, fx),
	FIELD(struct other, fcs),
	FIELD(struct other, fds),
	FIELD_END,
};

void soft_cpu_save(struct soft_cpu *cpu, struct state_out *out)
{
	struct other other = {
		.rflags = soft_rflags(cpu),
		.pending = atomic_load(&cpu->pending) & SAVED_PENDING,
		.fcs = cpu->fp.fcs,
		.fds = cpu->fp.fds,
	};

	memcpy(other.gpr, cpu->gpr, sizeof(other.gpr));
	soft_fp_get(&cpu->fp, &other.fx);
	state_put(out, "cpu", cpu->id, cpu_fields, cpu);
	state_put(out, "cpu-state", cpu->id, other_fields, &other);
}

// Modes that no guest can get into are not run: SDM volume 3, section 2.2.
static bool mode_is_possible(const struct soft_cpu *cpu, uint64_t rflags)
{
	bool paging = cpu->cr0 & SOFT_CR0_PG, active = cpu->efer & SOFT_EFER_LMA;

	if (paging && !(cpu->cr0 & SOFT_CR0_PE))
		return false;
	if (active != (paging && cpu->efer & SOFT_EFER_LME))
		return false;
	return !active || (cpu->cr4 & SOFT_CR4_PAE && !(rflags & SOFT_VM));
}

bool soft_cpu_load(struct soft_cpu *cpu, struct state_in *in, GError **error)
{
	struct other other;

	if (!state_get(in, "cpu", cpu->id, cpu_fields, cpu, error) ||
		!state_get(in, "cpu-state", cpu->id, other_fields, &other, error))
		return false;
	if (other.pending & ~SAVED_PENDING || !mode_is_possible(cpu, other.rflags))
		return state_damaged("cpu", cpu->id, "cr0", error);
	memcpy(cpu->gpr, other.gpr, sizeof(other.gpr));
	soft_fp_set(&cpu->fp, &other.fx);
	cpu->fp.fcs = other.fcs;
	cpu->fp.fds = other.fds;
	soft_tlb_flush(cpu);
	soft_set_rflags(cpu, other.rflags);
	soft_update_mode(cpu);
	soft_unpost(cpu, SAVED_PENDING);
	soft_post(cpu, other.pending);
	return true;
}

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A machine's processors and interrupt controllers under KVM, out to a file and in again: in KVM's
 * own structures, which are part of its stable interface.
 */
#include "engine/vmm/cpu/kvm/kvm.h"
#include "engine/vmm/save/state.h"

#include <glib/gi18n.h>
#include <string.h>
#include <sys/ioctl.h>

#define MSR_TSC 0x10

/* ---- the machine's ---- */

struct saved_machine {
	struct kvm_irqchip chip[3];
	struct kvm_pit_state2 pit;
	struct kvm_clock_data clock;
};

static const struct field chip_fields[] = {
	FIELD(struct kvm_irqchip, chip_id),
	FIELD_BYTES(struct kvm_irqchip, chip),
	FIELD_END,
};

static const struct field machine_fields[] = {
	FIELD_STRUCTS(struct saved_machine, chip, chip_fields),
	FIELD_BYTES(struct saved_machine, pit),
	FIELD(struct saved_machine, clock.clock),
	FIELD_END,
};

bool kvm_backend_save(struct vcpu_backend *base, struct state_out *out, GError **error)
{
	struct kvm_backend *backend = (struct kvm_backend *)base;
	struct saved_machine saved;

	memset(&saved, 0, sizeof(saved));
	for (unsigned i = 0; i < G_N_ELEMENTS(saved.chip); i++) {
		saved.chip[i].chip_id = i;
		if (!kvm_try(
			    backend->vm, KVM_GET_IRQCHIP, &saved.chip[i], "KVM_GET_IRQCHIP", error))
			return false;
	}
	if (!kvm_try(backend->vm, KVM_GET_PIT2, &saved.pit, "KVM_GET_PIT2", error) ||
		!kvm_try(backend->vm, KVM_GET_CLOCK, &saved.clock, "KVM_GET_CLOCK", error))
		return false;
	state_put(out, "kvm", 0, machine_fields, &saved);
	return true;
}

bool kvm_backend_load(struct vcpu_backend *base, struct state_in *in, GError **error)
{
	struct kvm_backend *backend = (struct kvm_backend *)base;
	struct saved_machine saved;

	memset(&saved, 0, sizeof(saved));
	if (!state_get(in, "kvm", 0, machine_fields, &saved, error))
		return false;
	for (unsigned i = 0; i < G_N_ELEMENTS(saved.chip); i++) {
		if (saved.chip[i].chip_id != i)
			return state_damaged("kvm", 0, "chip_id", error);
		if (!kvm_try(
			    backend->vm, KVM_SET_IRQCHIP, &saved.chip[i], "KVM_SET_IRQCHIP", error))
			return false;
	}
	return kvm_try(backend->vm, KVM_SET_PIT2, &saved.pit, "KVM_SET_PIT2", error) &&
	       kvm_try(backend->vm, KVM_SET_CLOCK, &saved.clock, "KVM_SET_CLOCK", error);
}

/* ---- a processor's ---- */

struct saved_vcpu {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	/* As long as it is without the features that must be asked for (arch_prctl). */
	uint32_t xsave[FIELD_SIZE(struct kvm_xsave, region) / sizeof(uint32_t)];
	struct kvm_xcrs xcrs;
	struct kvm_lapic_state lapic;
	struct kvm_mp_state mp_state;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debugregs;
};

static const struct field vcpu_fields[] = {
	FIELD_BYTES(struct saved_vcpu, regs),
	FIELD_BYTES(struct saved_vcpu, sregs),
	FIELD_BYTES(struct saved_vcpu, xsave),
	FIELD_BYTES(struct saved_vcpu, xcrs),
	FIELD_BYTES(struct saved_vcpu, lapic),
	FIELD_BYTES(struct saved_vcpu, mp_state),
	FIELD_BYTES(struct saved_vcpu, events),
	FIELD_BYTES(struct saved_vcpu, debugregs),
	FIELD_END,
};

/* What is read and written, in the order of writing: the APIC's mode (in sregs) before its
 * registers, and those before what may deliver. */
static const struct part {
	const char *get_name, *set_name;
	unsigned long get, set;
	size_t offset;
} parts[] = {
#define PART(NAME, member)                                                                         \
	{                                                                                          \
		"KVM_GET_" #NAME, "KVM_SET_" #NAME, KVM_GET_##NAME, KVM_SET_##NAME,                \
			offsetof(struct saved_vcpu, member)                                        \
	}
	PART(SREGS, sregs),
	PART(REGS, regs),
	PART(XCRS, xcrs),
	PART(XSAVE, xsave),
	PART(MP_STATE, mp_state),
	PART(LAPIC, lapic),
	PART(DEBUGREGS, debugregs),
	PART(VCPU_EVENTS, events),
#undef PART
};

/* The guest's processor must be the same when it comes back: what CPUID tells, as one record. */
static void put_cpuid(const struct kvm_vcpu *cpu, struct state_out *out)
{
	g_autofree struct kvm_cpuid2 *cpuid = kvm_cpuid_of(cpu);

	state_put_bytes(out, "kvm-cpuid", cpu->base.id, cpuid->entries,
		cpuid->nent * sizeof(cpuid->entries[0]));
}

static bool same_cpuid(const struct kvm_vcpu *cpu, struct state_in *in, GError **error)
{
	g_autofree struct kvm_cpuid2 *cpuid = kvm_cpuid_of(cpu);
	g_autoptr(GBytes) bytes = state_get_bytes(in, "kvm-cpuid", cpu->base.id, error);

	if (!bytes)
		return false;
	if (g_bytes_get_size(bytes) == cpuid->nent * sizeof(cpuid->entries[0]) &&
		!memcmp(g_bytes_get_data(bytes, NULL), cpuid->entries, g_bytes_get_size(bytes)))
		return true;
	g_set_error(error, STATE_ERROR, STATE_ERROR_FOREIGN,
		_("the guest was saved on a host with another processor, or another KVM"));
	return false;
}

/* The time stamp counter goes first: the deadline, an MSR of the table, counts by it. */
static void put_msrs(const struct kvm_vcpu *cpu, struct state_out *out)
{
	g_autofree struct kvm_msrs *msrs = kvm_read_msrs(cpu);
	struct kvm_msr_entry tsc = {.index = MSR_TSC};
	GByteArray *bytes = g_byte_array_new();

	if (kvm_move_msr(cpu->fd, KVM_GET_MSRS, &tsc))
		g_byte_array_append(bytes, (const uint8_t *)&tsc, sizeof(tsc));
	g_byte_array_append(bytes, (const uint8_t *)msrs->entries,
		msrs->nmsrs * (guint)sizeof(msrs->entries[0]));
	state_put_bytes(out, "kvm-msrs", cpu->base.id, bytes->data, bytes->len);
	g_byte_array_unref(bytes);
}

/* Some that can be read cannot be written; KVM keeps those itself. */
static bool get_msrs(const struct kvm_vcpu *cpu, struct state_in *in, GError **error)
{
	g_autoptr(GBytes) bytes = state_get_bytes(in, "kvm-msrs", cpu->base.id, error);
	struct kvm_msr_entry entry;
	const uint8_t *data;
	size_t length;

	if (!bytes)
		return false;
	data = g_bytes_get_data(bytes, &length);
	if (length % sizeof(entry) || length > (KVM_MSRS_MAX + 1) * sizeof(entry))
		return state_damaged("kvm-msrs", cpu->base.id, "length", error);
	for (size_t at = 0; at < length; at += sizeof(entry)) {
		memcpy(&entry, data + at, sizeof(entry));
		kvm_move_msr(cpu->fd, KVM_SET_MSRS, &entry);
	}
	return true;
}

bool kvm_vcpu_save(struct vcpu *base, struct state_out *out, GError **error)
{
	struct kvm_vcpu *cpu = (struct kvm_vcpu *)base;
	g_autofree struct saved_vcpu *saved = g_new0(struct saved_vcpu, 1);

	/* Asking for this one first delivers what is under way (INIT, SIPI). */
	if (!kvm_try(cpu->fd, KVM_GET_MP_STATE, &saved->mp_state, "KVM_GET_MP_STATE", error))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
		if (!kvm_try(cpu->fd, parts[i].get, (uint8_t *)saved + parts[i].offset,
			    parts[i].get_name, error))
			return false;
	state_put(out, "kvm-cpu", base->id, vcpu_fields, saved);
	put_cpuid(cpu, out);
	put_msrs(cpu, out);
	return true;
}

bool kvm_vcpu_load(struct vcpu *base, struct state_in *in, GError **error)
{
	struct kvm_vcpu *cpu = (struct kvm_vcpu *)base;
	g_autofree struct saved_vcpu *saved = g_new0(struct saved_vcpu, 1);

	if (!same_cpuid(cpu, in, error) ||
		!state_get(in, "kvm-cpu", base->id, vcpu_fields, saved, error))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
		if (!kvm_try(cpu->fd, parts[i].set, (uint8_t *)saved + parts[i].offset,
			    parts[i].set_name, error))
			return false;
	if (!get_msrs(cpu, in, error))
		return false;
	kvm_look_at_start(cpu);
	return true;
}

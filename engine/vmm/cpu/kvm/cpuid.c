// SPDX-License-Identifier: GPL-3.0-or-later
/* Which processor a guest sees under KVM: the host's, less what the engine does not carry. */
#include "engine/vmm/cpu/kvm/kvm.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/ioctl.h>

enum cpuid_register { EAX, EBX, ECX, EDX };

/* Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E. */
static const struct {
	uint32_t leaf;
	uint32_t index;
	enum cpuid_register reg;
	uint32_t bits;
} hidden[] = {
	{ 0x1, 0, ECX, 1u << 3 | 1u << 5 | 1u << 6 },          /* MONITOR, VMX, SMX */
	{ 0x7, 0, EBX, 1u << 2 | 1u << 4 | 1u << 11 | 1u << 14 }, /* SGX, HLE, RTM, MPX */
	{ 0x7, 0, ECX, 1u << 3 | 1u << 4 | 1u << 5 | 1u << 7 | 1u << 16 | 1u << 30 },
	/* PKU, OSPKE, WAITPKG, CET_SS, LA57, SGX_LC */
	{ 0x7, 0, EDX, 1u << 5 | 1u << 20 | 1u << 22 | 1u << 24 | 1u << 25 },
	/* UINTR, CET_IBT, AMX */
	{ 0x7, 1, EAX, 1u << 21 },                               /* AMX_FP16 */
	{ 0xa, 0, EAX, ~0u },                                    /* performance counters */
	{ 0xa, 0, EBX, ~0u },
	{ 0xa, 0, ECX, ~0u },
	{ 0xa, 0, EDX, ~0u },
	{ 0xd, 0, EAX, 1u << 3 | 1u << 4 | 1u << 9 | 1u << 17 | 1u << 18 },
	/* XCR0: MPX, PKRU, AMX */
	{ 0x80000001, 0, ECX, 1u << 2 },                         /* SVM */
};

static uint32_t *cpuid_register(struct kvm_cpuid_entry2 *entry, enum cpuid_register reg)
{
	switch (reg) {
	case EAX:
		return &entry->eax;
	case EBX:
		return &entry->ebx;
	case ECX:
		return &entry->ecx;
	default:
		return &entry->edx;
	}
}

static void hide(struct kvm_cpuid2 *cpuid)
{
	for (unsigned i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		for (size_t j = 0; j < G_N_ELEMENTS(hidden); j++)
			if (hidden[j].leaf == entry->function && hidden[j].index == entry->index)
				*cpuid_register(entry, hidden[j].reg) &= ~hidden[j].bits;
	}
}

struct kvm_cpuid2 *kvm_cpuid_new(int kvm, GError **error)
{
	struct kvm_cpuid2 *cpuid =
		g_malloc0(sizeof(*cpuid) + KVM_CPUID_MAX * sizeof(cpuid->entries[0]));
	bool deadline = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;

	cpuid->nent = KVM_CPUID_MAX;
	if (!kvm_try(kvm, KVM_GET_SUPPORTED_CPUID, cpuid, "KVM_GET_SUPPORTED_CPUID", error)) {
		g_free(cpuid);
		return NULL;
	}
	hide(cpuid);
	for (unsigned i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 1) {
			cpuid->entries[i].ecx |= 1u << 31; /* a hypervisor is there */
			if (deadline)
				cpuid->entries[i].ecx |= 1u << 24;
		}
	return cpuid;
}

/* Every vCPU is a package of one core with one thread. */
static void set_topology(struct kvm_cpuid_entry2 *entry, unsigned id)
{
	switch (entry->function) {
	case 0x1:
		entry->ebx = (entry->ebx & 0xffff) | 1u << 16 | id << 24;
		entry->edx &= ~(1u << 28); /* HTT */
		break;
	case 0x4:
		entry->eax &= ~0xffffc000u; /* caches shared by nobody */
		break;
	case 0xb:
	case 0x1f:
		entry->eax = 0;
		entry->ebx = entry->index < 2;
		entry->ecx = entry->index | (entry->index < 2 ? (entry->index + 1) << 8 : 0);
		entry->edx = id;
		break;
	case 0x80000008:
		entry->ecx &= ~0xf0ffu; /* AMD: threads and APIC id bits */
		break;
	case 0x8000001e:
		entry->eax = id;
		entry->ebx = id;
		break;
	}
}

struct kvm_cpuid2 *kvm_cpuid_of(const struct kvm_vcpu *cpu)
{
	const struct kvm_cpuid2 *from = cpu->backend->cpuid;
	size_t size = sizeof(*from) + from->nent * sizeof(from->entries[0]);
	struct kvm_cpuid2 *cpuid = g_memdup2(from, size);

	for (unsigned i = 0; i < cpuid->nent; i++)
		set_topology(&cpuid->entries[i], cpu->base.id);
	return cpuid;
}

bool kvm_cpuid_set(const struct kvm_vcpu *cpu, GError **error)
{
	g_autofree struct kvm_cpuid2 *cpuid = kvm_cpuid_of(cpu);

	return kvm_try(cpu->fd, KVM_SET_CPUID2, cpuid, "KVM_SET_CPUID2", error);
}

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The vCPU backend by /dev/kvm: what its files share. Interface: Linux,
 * Documentation/virt/kvm/api.rst; the numbers of sections below are those of its ioctls.
 *
 * Interrupt controllers, local APICs and the 8254 are the kernel's (KVM_CREATE_IRQCHIP,
 * KVM_CREATE_PIT2); everything else is on our buses.
 */
#pragma once

#include "engine/vmm/cpu/vcpu.h"

#include <linux/kvm.h>
#include <stdatomic.h>

/* Interrupts KVM_RUN; its handler does nothing. */
#define KVM_KICK_SIGNAL SIGUSR2

#define KVM_CPUID_MAX 256
#define KVM_MSRS_MAX 512

/* What KVM says of an unset state, put back on reset. */
struct kvm_power_on {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_fpu fpu;
	struct kvm_lapic_state lapic;
	struct kvm_mp_state mp_state;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debugregs;
	struct kvm_xcrs xcrs;
	struct kvm_msrs *msrs; /* owned */
};

struct kvm_chips {
	struct kvm_irqchip chip[3]; /* 8259, 8259, I/O APIC */
	struct kvm_pit_state2 pit;
};

struct kvm_backend {
	struct vcpu_backend base;
	struct irq_router router;
	const struct vcpu_env *env;
	int kvm; /* /dev/kvm */
	int vm;
	size_t run_size;
	struct kvm_cpuid2 *cpuid; /* what KVM supports, filtered */
	struct kvm_chips power_on;
};

struct kvm_vcpu {
	struct vcpu base;
	struct kvm_backend *backend;
	int fd;
	struct kvm_run *run;
	atomic_int tid; /* of the thread in run(), or 0 */
	atomic_bool kicked;
	struct kvm_power_on power_on;
	uint64_t warned[4]; /* hashes of the MSRs warned of: a small filter */
};

/* backend.c: an ioctl that must work once the machine is up; sets an error with what failed. */
bool kvm_try(int fd, unsigned long request, void *argument, const char *what, GError **error);
void kvm_chips_reset(struct kvm_backend *backend);

/* cpuid.c: what KVM supports, less what the engine does not want guests to see. Free with
 * g_free(). */
struct kvm_cpuid2 *kvm_cpuid_new(int kvm, GError **error);
/* The same as one vCPU has it, with its APIC id; free with g_free(). */
struct kvm_cpuid2 *kvm_cpuid_of(const struct kvm_vcpu *cpu);
/* Sets that. */
bool kvm_cpuid_set(const struct kvm_vcpu *cpu, GError **error);

/* vcpu.c */
/* Tells the machine whether the guest has started it. */
void kvm_look_at_start(struct kvm_vcpu *cpu);
struct vcpu *kvm_vcpu_new(struct vcpu_backend *backend, unsigned id, GError **error);

/* state.c: registers in and out. */
void kvm_vcpu_get_state(struct vcpu *cpu, struct vcpu_state *state);
void kvm_vcpu_set_state(struct vcpu *cpu, const struct vcpu_state *state);
bool kvm_power_on_save(struct kvm_vcpu *cpu, GError **error);
void kvm_power_on_restore(struct kvm_vcpu *cpu);
/* All MSRs that KVM keeps and that can be read, but for those of the time stamp counter; the
 * caller frees. */
struct kvm_msrs *kvm_read_msrs(const struct kvm_vcpu *cpu);
/* One MSR in or out (KVM_SET_MSRS, KVM_GET_MSRS); false where KVM does not take it. */
bool kvm_move_msr(int fd, unsigned long request, struct kvm_msr_entry *entry);
/* The registers as lines of text, for reports. */
char *kvm_vcpu_describe(struct kvm_vcpu *cpu);

/* save.c: struct vcpu_ops and vcpu_backend_ops have what they do. */
bool kvm_vcpu_save(struct vcpu *cpu, struct state_out *out, GError **error);
bool kvm_vcpu_load(struct vcpu *cpu, struct state_in *in, GError **error);
bool kvm_backend_save(struct vcpu_backend *backend, struct state_out *out, GError **error);
bool kvm_backend_load(struct vcpu_backend *backend, struct state_in *in, GError **error);

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/cpu/kvm/kvm.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define START_POLL_MAX_US 10000

static enum vcpu_exit fail(struct kvm_vcpu *cpu, const char *sentence)
{
	g_autofree char *registers = kvm_vcpu_describe(cpu);

	g_free(cpu->base.error);
	cpu->base.error = g_strdup_printf("%s\n%s", sentence, registers);
	return VCPU_EXIT_ERROR;
}

static void do_ports(struct kvm_vcpu *cpu)
{
	struct kvm_run *run = cpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	struct bus *ports = cpu->backend->env->ports;

	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		uint64_t value = 0;

		if (run->io.direction == KVM_EXIT_IO_OUT) {
			memcpy(&value, data, run->io.size);
			bus_write(ports, run->io.port, value, run->io.size);
		} else {
			value = bus_read(ports, run->io.port, run->io.size);
			memcpy(data, &value, run->io.size);
		}
	}
}

/* KVM hands on lengths from 1 to 8; a bus takes powers of two. */
static void do_mmio(struct kvm_vcpu *cpu)
{
	struct kvm_run *run = cpu->run;
	struct bus *mmio = cpu->backend->env->mmio;
	unsigned length = MIN(run->mmio.len, 8u);

	for (unsigned at = 0; at < length;) {
		unsigned left = length - at;
		unsigned size = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
		uint64_t address = run->mmio.phys_addr + at;
		uint64_t value = 0;

		if (run->mmio.is_write) {
			memcpy(&value, run->mmio.data + at, size);
			bus_write(mmio, address, value, size);
		} else {
			value = bus_read(mmio, address, size);
			memcpy(run->mmio.data + at, &value, size);
		}
		at += size;
	}
}

/* An MSR that KVM does not know: the guest gets its fault, the person a line. */
static void do_msr(struct kvm_vcpu *cpu, bool write)
{
	struct kvm_run *run = cpu->run;
	const struct vcpu_env *env = cpu->backend->env;
	unsigned bit = run->msr.index % 256;
	g_autofree char *message = NULL;

	run->msr.error = 1;
	if (cpu->warned[bit / 64] & 1ull << bit % 64)
		return;
	cpu->warned[bit / 64] |= 1ull << bit % 64;
	message = g_strdup_printf(write ? _("The guest writes MSR 0x%x, which KVM does not have")
					: _("The guest reads MSR 0x%x, which KVM does not have"),
		run->msr.index);
	env->warn(env->warn_data, message);
}

static enum vcpu_exit internal_error(struct kvm_vcpu *cpu)
{
	const struct kvm_run *run = cpu->run;
	g_autofree char *sentence = NULL;

	if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
		sentence = g_strdup(
			_("KVM on this host cannot emulate an instruction of the guest"));
	else
		sentence = g_strdup_printf(_("KVM gave up with internal error %u"),
			run->internal.suberror);
	return fail(cpu, sentence);
}

static enum vcpu_exit unknown_exit(struct kvm_vcpu *cpu)
{
	const struct kvm_run *run = cpu->run;
	g_autofree char *sentence = NULL;

	if (run->exit_reason == KVM_EXIT_FAIL_ENTRY)
		sentence = g_strdup_printf(
			_("The processor refuses to enter the guest (hardware reason 0x%llx)"),
			(unsigned long long)run->fail_entry.hardware_entry_failure_reason);
	else if (run->exit_reason == KVM_EXIT_UNKNOWN)
		sentence = g_strdup_printf(_("KVM stopped for an unknown hardware reason 0x%llx"),
			(unsigned long long)run->hw.hardware_exit_reason);
	else
		sentence = g_strdup_printf(_("KVM stopped for reason %u, which the engine does not "
					     "know"),
			run->exit_reason);
	return fail(cpu, sentence);
}

static void count(struct kvm_vcpu *cpu)
{
	static const enum vcpu_cause causes[] = {
		[KVM_EXIT_IO] = VCPU_CAUSE_PORT,
		[KVM_EXIT_MMIO] = VCPU_CAUSE_MEMORY,
		[KVM_EXIT_HLT] = VCPU_CAUSE_HALT,
		[KVM_EXIT_INTR] = VCPU_CAUSE_KICK,
	};
	uint32_t reason = cpu->run->exit_reason;
	bool known = reason < G_N_ELEMENTS(causes) && (causes[reason] || reason == KVM_EXIT_IO);

	vcpu_count(&cpu->base, known ? causes[reason] : VCPU_CAUSE_OTHER);
}

/* Deals with an exit; true: on with the guest, else *why. */
static bool handle_exit(struct kvm_vcpu *cpu, enum vcpu_exit *why)
{
	count(cpu);
	switch (cpu->run->exit_reason) {
	case KVM_EXIT_IO:
		do_ports(cpu);
		return true;
	case KVM_EXIT_MMIO:
		do_mmio(cpu);
		return true;
	case KVM_EXIT_X86_RDMSR:
		do_msr(cpu, false);
		return true;
	case KVM_EXIT_X86_WRMSR:
		do_msr(cpu, true);
		return true;
	case KVM_EXIT_INTR:
	case KVM_EXIT_HLT:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_IOAPIC_EOI:
		return true;
	case KVM_EXIT_SHUTDOWN:
		*why = VCPU_EXIT_SHUTDOWN;
		return false;
	case KVM_EXIT_INTERNAL_ERROR:
		*why = internal_error(cpu);
		return false;
	default:
		*why = unknown_exit(cpu);
		return false;
	}
}

void kvm_look_at_start(struct kvm_vcpu *cpu)
{
	struct kvm_mp_state state;

	if (ioctl(cpu->fd, KVM_GET_MP_STATE, &state) == 0)
		vcpu_set_started(&cpu->base, cpu->backend->env,
			state.mp_state != KVM_MP_STATE_UNINITIALIZED &&
				state.mp_state != KVM_MP_STATE_INIT_RECEIVED);
}

/* KVM_RUN ends when INIT has come, but not again for SIPI, which is what tells that the guest has
 * started it: that is waited for here. SIPI mostly follows at once. */
static void await_start(struct kvm_vcpu *cpu)
{
	struct kvm_mp_state state = { KVM_MP_STATE_INIT_RECEIVED };

	for (unsigned us = 50; !atomic_load(&cpu->kicked); us = MIN(us * 2, START_POLL_MAX_US)) {
		if (ioctl(cpu->fd, KVM_GET_MP_STATE, &state) < 0 ||
			state.mp_state != KVM_MP_STATE_INIT_RECEIVED)
			break;
		g_usleep(us);
	}
	kvm_look_at_start(cpu);
}

static enum vcpu_exit run_until_exit(struct kvm_vcpu *cpu)
{
	enum vcpu_exit why = VCPU_EXIT_KICKED;

	for (;;) {
		if (ioctl(cpu->fd, KVM_RUN, 0) < 0) {
			if (errno != EINTR && errno != EAGAIN)
				return fail(cpu, g_strerror(errno));
			if (!atomic_load(&cpu->base.started))
				await_start(cpu);
			vcpu_count(&cpu->base, VCPU_CAUSE_KICK);
		} else if (!handle_exit(cpu, &why)) {
			return why;
		}
		/* A port or MMIO access is completed by the next KVM_RUN, which with
		 * immediate_exit set does just that and comes back with EINTR. */
		if (atomic_load(&cpu->kicked)) {
			cpu->run->immediate_exit = 1;
			ioctl(cpu->fd, KVM_RUN, 0);
			return VCPU_EXIT_KICKED;
		}
	}
}

static enum vcpu_exit vcpu_run_kvm(struct vcpu *base)
{
	struct kvm_vcpu *cpu = (struct kvm_vcpu *)base;
	enum vcpu_exit why;

	atomic_store(&cpu->tid, (int)syscall(SYS_gettid));
	why = atomic_load(&cpu->kicked) ? VCPU_EXIT_KICKED : run_until_exit(cpu);
	atomic_store(&cpu->tid, 0);
	if (why == VCPU_EXIT_KICKED) {
		cpu->run->immediate_exit = 0;
		atomic_store(&cpu->kicked, false);
	}
	return why;
}

static void kick(struct vcpu *base)
{
	struct kvm_vcpu *cpu = (struct kvm_vcpu *)base;
	int tid;

	/* immediate_exit closes the gap between the vCPU's look at kicked and KVM_RUN. */
	atomic_store(&cpu->kicked, true);
	cpu->run->immediate_exit = 1;
	tid = atomic_load(&cpu->tid);
	if (tid)
		syscall(SYS_tgkill, getpid(), tid, KVM_KICK_SIGNAL);
}

static void reset(struct vcpu *base)
{
	struct kvm_vcpu *cpu = (struct kvm_vcpu *)base;

	if (base->id == 0)
		kvm_chips_reset(cpu->backend);
	kvm_power_on_restore(cpu);
	vcpu_set_started(base, cpu->backend->env, base->id == 0);
}

/* KVM cannot delete one: its APIC is as after power-on, and takes nothing. */
static void park(struct vcpu *base)
{
	struct kvm_vcpu *cpu = (struct kvm_vcpu *)base;

	kvm_power_on_restore(cpu);
	vcpu_set_started(base, cpu->backend->env, false);
}

static void vcpu_free(struct vcpu *base)
{
	struct kvm_vcpu *cpu = (struct kvm_vcpu *)base;

	if (cpu->run)
		munmap(cpu->run, cpu->backend->run_size);
	if (cpu->fd >= 0)
		close(cpu->fd);
	g_free(cpu->power_on.msrs);
	g_free(base->error);
	g_free(cpu);
}

static const struct vcpu_ops ops = {
	.run = vcpu_run_kvm,
	.kick = kick,
	.get_state = kvm_vcpu_get_state,
	.set_state = kvm_vcpu_set_state,
	.reset = reset,
	.park = park,
	.save = kvm_vcpu_save,
	.load = kvm_vcpu_load,
	.free = vcpu_free,
};

static bool vcpu_init(struct kvm_vcpu *cpu, GError **error)
{
	struct kvm_backend *backend = cpu->backend;
	void *run;

	cpu->fd = ioctl(backend->vm, KVM_CREATE_VCPU, (unsigned long)cpu->base.id);
	if (cpu->fd < 0)
		return kvm_try(backend->vm, KVM_CREATE_VCPU, (void *)(uintptr_t)cpu->base.id,
			"KVM_CREATE_VCPU", error);
	run = mmap(NULL, backend->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
	if (run == MAP_FAILED)
		return kvm_try(-1, KVM_RUN, NULL, "mmap", error);
	cpu->run = run;
	return kvm_cpuid_set(cpu, error) && kvm_power_on_save(cpu, error);
}

struct vcpu *kvm_vcpu_new(struct vcpu_backend *base, unsigned id, GError **error)
{
	struct kvm_vcpu *cpu = g_new0(struct kvm_vcpu, 1);

	cpu->base.ops = &ops;
	cpu->base.id = id;
	cpu->backend = (struct kvm_backend *)base;
	cpu->fd = -1;
	atomic_store(&cpu->base.started, id == 0);
	if (vcpu_init(cpu, error))
		return &cpu->base;
	vcpu_free(&cpu->base);
	return NULL;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// The software CPU behind the vCPU interface: threads, sleeping, and what comes from outside.

#include "engine/vmm/cpu/soft/block.h"
#include "engine/vmm/cpu/soft/system.h"
#include "engine/vmm/cpu/vcpu.h"
#include "engine/vmm/dev/irqchip.h"
#include "engine/vmm/dev/lapic.h"

#include <linux/futex.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct soft_backend {
	struct vcpu_backend backend;
	const struct vcpu_env *env;
	struct soft_machine *machine;
	struct irqchip *irqchip;
};

struct soft_vcpu {
	struct vcpu vcpu;
	struct soft_cpu *cpu;
	struct irqchip *irqchip; /* the backend's */
	/* A futex: 1 while sleeping in HLT or for SIPI, set before the last look at pending. */
	atomic_int asleep;
};

/* ---- sleeping and waking ---- */

/* Safe in signal handlers, as kick() must be. */
void soft_wake(struct soft_cpu *cpu)
{
	struct soft_vcpu *self = cpu->vcpu;

	if (self != NULL && atomic_exchange(&self->asleep, 0) != 0)
		syscall(SYS_futex, &self->asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void post_and_wake(struct soft_cpu *cpu, uint32_t pending)
{
	soft_post(cpu, pending);
	soft_wake(cpu);
}

/* Nanoseconds until the local APIC's timer is due, UINT64_MAX where it is not set. */
static uint64_t sleep_time(const struct soft_cpu *cpu)
{
	uint64_t deadline = cpu->lapic != NULL ? lapic_deadline(cpu->lapic) : 0;
	uint64_t now = clock_ns(cpu->env->clock);

	if (deadline == 0)
		return UINT64_MAX;
	return deadline <= now ? 0 : deadline - now;
}

static bool has_news(struct soft_cpu *cpu)
{
	return atomic_load(&cpu->pending) & ~(SOFT_PENDING_HALT | SOFT_PENDING_WAIT);
}

/* Until somebody wakes, or for ns. */
static void rest(struct soft_vcpu *self, uint64_t ns)
{
	struct timespec timeout = {
		.tv_sec = (time_t)(ns / CLOCK_HZ),
		.tv_nsec = (long)(ns % CLOCK_HZ),
	};

	syscall(SYS_futex, &self->asleep, FUTEX_WAIT_PRIVATE, 1, ns == UINT64_MAX ? NULL : &timeout,
		NULL, 0);
}

/* Waits for something to serve. The APIC's timer is watched here, too: waking by oneself at its
 * deadline is faster than by the main loop. */
static void sleep_halted(struct soft_cpu *cpu)
{
	struct soft_vcpu *self = cpu->vcpu;

	soft_count(cpu, VCPU_CAUSE_HALT);
	soft_fp_park(&cpu->fp);
	soft_blocks_rest(cpu);
	soft_world_leave(cpu);
	atomic_store(&self->vcpu.asleep, true);
	for (;;) {
		uint64_t ns = sleep_time(cpu);
		atomic_store(&self->asleep, 1);
		if (has_news(cpu) || ns == 0)
			break;
		rest(self, ns);
	}
	atomic_store(&self->asleep, 0);
	atomic_store(&self->vcpu.asleep, false);
	if (cpu->env->woke != NULL)
		cpu->env->woke(cpu->env->woke_data);
	soft_world_enter(cpu);
	soft_blocks_wake(cpu);
	if (cpu->lapic != NULL)
		lapic_poll(cpu->lapic);
}

/* ---- what the run loop asks ---- */

void soft_update_interrupt(struct soft_cpu *cpu)
{
	if (cpu->lapic != NULL && lapic_pending(cpu->lapic))
		soft_post(cpu, SOFT_PENDING_INTERRUPT);
}

static void set_started(struct soft_cpu *cpu, bool started)
{
	struct soft_vcpu *self = cpu->vcpu;

	if (self != NULL)
		vcpu_set_started(&self->vcpu, cpu->env, started);
}

/* INIT: an application processor waits for SIPI then, the boot processor begins anew. */
static void serve_init(struct soft_cpu *cpu)
{
	soft_unpost(cpu, SOFT_PENDING_INIT | SOFT_PENDING_HALT);
	soft_fp_park(&cpu->fp);
	soft_cpu_init_signal(cpu);
	if (cpu->lapic != NULL)
		lapic_init(cpu->lapic);
	if (cpu->id != 0) {
		soft_post(cpu, SOFT_PENDING_WAIT);
		set_started(cpu, false);
	}
}

static void serve_sipi(struct soft_cpu *cpu)
{
	soft_unpost(cpu, SOFT_PENDING_SIPI | SOFT_PENDING_WAIT);
	soft_segment_real(&cpu->seg[SOFT_CS], (uint16_t)(cpu->sipi_vector << 8));
	cpu->rip = 0;
	soft_update_mode(cpu);
	set_started(cpu, true);
}

static void serve_nmi(struct soft_cpu *cpu)
{
	soft_unpost(cpu, SOFT_PENDING_NMI);
	if (cpu->nmi_blocked) {
		cpu->nmi_latched = true;
		return;
	}
	soft_unpost(cpu, SOFT_PENDING_HALT);
	cpu->nmi_blocked = true;
	soft_interrupt_external(cpu, SOFT_NMI);
}

static void serve_interrupt(struct soft_cpu *cpu)
{
	int vector;

	/* First the flag, then the question: see lapic.h. */
	soft_unpost(cpu, SOFT_PENDING_INTERRUPT);
	if (!(cpu->rflags & SOFT_IF) || cpu->lapic == NULL)
		return;
	soft_fp_park(&cpu->fp);
	vector = lapic_accept(cpu->lapic);
	if (vector < 0)
		return;
	soft_unpost(cpu, SOFT_PENDING_HALT);
	/* Another may wait behind it. */
	soft_update_interrupt(cpu);
	soft_interrupt_external(cpu, (unsigned)vector);
}

/* Requests that end soft_cpu_run(). */
static bool serve_exit(struct soft_cpu *cpu, uint32_t pending, enum vcpu_exit *exit)
{
	if (pending & SOFT_PENDING_SHUTDOWN) {
		soft_unpost(cpu, SOFT_PENDING_SHUTDOWN);
		*exit = VCPU_EXIT_SHUTDOWN;
	} else if (pending & SOFT_PENDING_KICK) {
		soft_unpost(cpu, SOFT_PENDING_KICK);
		soft_count(cpu, VCPU_CAUSE_KICK);
		*exit = VCPU_EXIT_KICKED;
	} else {
		return false;
	}
	soft_fp_park(&cpu->fp);
	return true;
}

static void serve_waiting(struct soft_cpu *cpu, uint32_t pending)
{
	if (pending & SOFT_PENDING_SIPI)
		serve_sipi(cpu);
	else {
		soft_unpost(cpu, SOFT_PENDING_INTERRUPT | SOFT_PENDING_NMI);
		sleep_halted(cpu);
	}
}

bool soft_serve(struct soft_cpu *cpu, enum vcpu_exit *exit)
{
	uint32_t pending = atomic_load(&cpu->pending);

	if (pending & SOFT_PENDING_PAUSE)
		soft_world_wait(cpu);
	if (pending & SOFT_PENDING_PROTECT)
		soft_blocks_protect(cpu);
	if (serve_exit(cpu, pending, exit))
		return false;
	if (pending & SOFT_PENDING_INIT) {
		serve_init(cpu);
	} else if (pending & SOFT_PENDING_WAIT) {
		serve_waiting(cpu, pending);
	} else {
		/* A processor that runs ignores it. */
		soft_unpost(cpu, SOFT_PENDING_SIPI);
		if (pending & SOFT_PENDING_NMI)
			serve_nmi(cpu);
		else if (pending & SOFT_PENDING_INTERRUPT)
			serve_interrupt(cpu);
		else if (pending & SOFT_PENDING_HALT)
			sleep_halted(cpu);
	}
	return true;
}

/* ---- what the local APIC asks ---- */

static void apic_interrupt(void *cpu)
{
	post_and_wake(cpu, SOFT_PENDING_INTERRUPT);
}

static void apic_nmi(void *cpu)
{
	post_and_wake(cpu, SOFT_PENDING_NMI);
}

static void apic_init(void *cpu)
{
	/* A SIPI that comes before this is served is meant for it, one from before is not. */
	soft_unpost(cpu, SOFT_PENDING_SIPI);
	post_and_wake(cpu, SOFT_PENDING_INIT);
}

static void apic_startup(void *data, uint8_t vector)
{
	struct soft_cpu *cpu = data;

	/* Only the first of several counts, as in hardware, where the second finds it running. */
	if (!(atomic_load(&cpu->pending) & SOFT_PENDING_SIPI))
		cpu->sipi_vector = vector;
	post_and_wake(cpu, SOFT_PENDING_SIPI);
}

static const struct lapic_ops apic_ops = {
	.interrupt = apic_interrupt,
	.nmi = apic_nmi,
	.init = apic_init,
	.startup = apic_startup,
};

/* ---- the vCPU interface ---- */

static struct soft_vcpu *self_of(struct vcpu *vcpu)
{
	return (struct soft_vcpu *)vcpu;
}

static enum vcpu_exit vcpu_soft_run(struct vcpu *vcpu)
{
	/* Timers of this thread are to be as exact as the host can: the default is 50 us late. */
	prctl(PR_SET_TIMERSLACK, 1);
	return soft_cpu_run(self_of(vcpu)->cpu);
}

static void vcpu_soft_kick(struct vcpu *vcpu)
{
	post_and_wake(self_of(vcpu)->cpu, SOFT_PENDING_KICK);
}

static void vcpu_soft_get_state(struct vcpu *vcpu, struct vcpu_state *state)
{
	struct soft_cpu *cpu = self_of(vcpu)->cpu;
	struct soft_fx_image image;

	*state = (struct vcpu_state){
		.rip = cpu->rip,
		.rflags = soft_rflags(cpu),
		.ldtr = cpu->ldtr,
		.tr = cpu->tr,
		.gdtr = cpu->gdtr,
		.idtr = cpu->idtr,
		.cr0 = cpu->cr0,
		.cr2 = cpu->cr2,
		.cr3 = cpu->cr3,
		.cr4 = cpu->cr4,
		.efer = cpu->efer,
	};
	memcpy(state->gpr, cpu->gpr, sizeof(state->gpr));
	memcpy(state->segment, cpu->seg, sizeof(state->segment));
	soft_fp_get(&cpu->fp, &image);
	memcpy(state->fxsave, &image, sizeof(image));
}

static void vcpu_soft_set_state(struct vcpu *vcpu, const struct vcpu_state *state)
{
	struct soft_cpu *cpu = self_of(vcpu)->cpu;
	struct soft_fx_image image;

	memcpy(cpu->gpr, state->gpr, sizeof(state->gpr));
	memcpy(cpu->seg, state->segment, sizeof(state->segment));
	cpu->rip = state->rip;
	cpu->ldtr = state->ldtr;
	cpu->tr = state->tr;
	cpu->gdtr = state->gdtr;
	cpu->idtr = state->idtr;
	cpu->cr0 = state->cr0;
	cpu->cr2 = state->cr2;
	cpu->cr3 = state->cr3;
	cpu->cr4 = state->cr4;
	cpu->efer = state->efer;
	memcpy(&image, state->fxsave, sizeof(image));
	soft_fp_set(&cpu->fp, &image);
	soft_pdpte_load(cpu, cpu->cr3);
	soft_unpost(cpu, SOFT_PENDING_HALT | SOFT_PENDING_WAIT);
	cpu->shadow = false;
	soft_tlb_flush(cpu);
	soft_set_rflags(cpu, state->rflags);
	soft_update_mode(cpu);
}

static void vcpu_soft_reset(struct vcpu *vcpu)
{
	struct soft_cpu *cpu = self_of(vcpu)->cpu;

	soft_fp_park(&cpu->fp);
	soft_cpu_reset(cpu);
	cpu->nmi_latched = false;
	soft_unpost(cpu, ~(SOFT_PENDING_KICK | SOFT_PENDING_PROTECT));
	soft_cpu_publish(cpu);
	set_started(cpu, cpu->id == 0);
	if (cpu->id != 0) {
		soft_post(cpu, SOFT_PENDING_WAIT);
		return;
	}
	g_mutex_lock(&cpu->env->lock->mutex);
	irqchip_reset(self_of(vcpu)->irqchip);
	g_mutex_unlock(&cpu->env->lock->mutex);
}

static bool vcpu_soft_save(struct vcpu *vcpu, struct state_out *out, GError **error)
{
	soft_cpu_save(self_of(vcpu)->cpu, out);
	return true;
}

static bool vcpu_soft_load(struct vcpu *vcpu, struct state_in *in, GError **error)
{
	struct soft_cpu *cpu = self_of(vcpu)->cpu;

	if (!soft_cpu_load(cpu, in, error))
		return false;
	set_started(cpu, !(atomic_load(&cpu->pending) & SOFT_PENDING_WAIT));
	return true;
}

/* Its translations go, its local APIC is as after power-on; what others still post to it is
 * forgotten by the reset. */
static void vcpu_soft_park(struct vcpu *vcpu)
{
	struct soft_cpu *cpu = self_of(vcpu)->cpu;

	soft_cpu_withdraw(cpu);
	soft_blocks_flush(cpu);
	g_mutex_lock(&cpu->env->lock->mutex);
	lapic_reset(cpu->lapic);
	g_mutex_unlock(&cpu->env->lock->mutex);
	set_started(cpu, false);
}

static void vcpu_soft_free(struct vcpu *vcpu)
{
	struct soft_vcpu *self = self_of(vcpu);

	if (self == NULL)
		return;
	lapic_connect(self->cpu->lapic, &apic_ops, NULL);
	soft_cpu_free(self->cpu);
	g_free(self->vcpu.error);
	g_free(self);
}

static const struct vcpu_ops vcpu_soft_ops = {
	.run = vcpu_soft_run,
	.kick = vcpu_soft_kick,
	.get_state = vcpu_soft_get_state,
	.set_state = vcpu_soft_set_state,
	.reset = vcpu_soft_reset,
	.park = vcpu_soft_park,
	.save = vcpu_soft_save,
	.load = vcpu_soft_load,
	.free = vcpu_soft_free,
};

/* ---- the backend ---- */

static struct vcpu_backend *soft_open(const struct vcpu_env *env, GError **error)
{
	struct soft_backend *self;

	if (env->memory->code_gen == NULL && !memory_track_code(env->memory, error))
		return NULL;
	self = g_new0(struct soft_backend, 1);
	self->backend.ops = &vcpu_backend_soft;
	self->env = env;
	self->machine = soft_machine_new(env);
	self->irqchip = irqchip_new(env->ports, env->mmio, env->clock, env->lock, env->count_max);
	self->backend.router = irqchip_router(self->irqchip);
	return &self->backend;
}

static struct vcpu *soft_vcpu_new(struct vcpu_backend *backend, unsigned id, GError **error)
{
	struct soft_backend *owner = (struct soft_backend *)backend;
	struct soft_cpu *cpu = soft_cpu_new(owner->machine, id, error);
	struct soft_vcpu *self;

	if (cpu == NULL)
		return NULL;
	self = g_new0(struct soft_vcpu, 1);
	self->vcpu.ops = &vcpu_soft_ops;
	self->vcpu.id = id;
	self->cpu = cpu;
	self->irqchip = owner->irqchip;
	cpu->vcpu = self;
	cpu->lapic = irqchip_lapic(owner->irqchip, id);
	lapic_connect(cpu->lapic, &apic_ops, cpu);
	atomic_store(&self->vcpu.started, id == 0);
	if (id != 0)
		soft_post(cpu, SOFT_PENDING_WAIT);
	return &self->vcpu;
}

static void soft_close(struct vcpu_backend *backend)
{
	struct soft_backend *self = (struct soft_backend *)backend;

	if (self == NULL)
		return;
	irqchip_free(self->irqchip);
	soft_machine_free(self->machine);
	g_free(self);
}

static bool soft_save(struct vcpu_backend *backend, struct state_out *out, GError **error)
{
	irqchip_save(((struct soft_backend *)backend)->irqchip, out);
	return true;
}

static bool soft_load(struct vcpu_backend *backend, struct state_in *in, GError **error)
{
	return irqchip_load(((struct soft_backend *)backend)->irqchip, in, error);
}

const struct vcpu_backend_ops vcpu_backend_soft = {
	.name = "soft",
	.open = soft_open,
	.vcpu_new = soft_vcpu_new,
	.save = soft_save,
	.load = soft_load,
	.close = soft_close,
};

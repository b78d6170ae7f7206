// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A virtual processor: one small interface, two backends (cpu/kvm by /dev/kvm, cpu/soft in
 * software), both compiled in, both in the table vcpu_backends[].
 *
 * A backend is opened once per machine (struct vcpu_backend) and makes one struct vcpu per
 * processor. The machine runs each vCPU in a host thread of its own:
 *
 *	while ((reason = vcpu_run(cpu)) == VCPU_EXIT_KICKED)
 *		...honour pause, stop, reset...
 *
 * Threads: run(), get_state() and set_state() belong to the vCPU's thread, or to any thread while
 * the vCPU is not in run(). kick() may be called from any thread, also from a signal handler.
 * vcpu_new(), park() and reset() of one vCPU are called by the main thread while others run.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/clock.h"
#include "engine/vmm/irq.h"
#include "engine/vmm/memory.h"

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define VCPU_MAX 64

struct lapic;
struct state_in;
struct state_out;

/* A segment register with its hidden part. attributes: bits 0-3 type, 4 S, 5-6 DPL, 7 P, 12 AVL,
 * 13 L, 14 D/B, 15 G, 16 unusable (Intel SDM volume 3, "Guest Register State", access rights). */
struct vcpu_segment {
	uint64_t base;
	uint32_t limit; /* bytes, already scaled by G */
	uint16_t selector;
	uint32_t attributes;
};

struct vcpu_table {
	uint64_t base;
	uint16_t limit;
};

/* Architectural state, as the boot code sets it and tests read it. Registers in the manual's
 * encoding order: rax rcx rdx rbx rsp rbp rsi rdi r8..r15; es cs ss ds fs gs. */
struct vcpu_state {
	uint64_t gpr[16];
	uint64_t rip;
	uint64_t rflags;
	struct vcpu_segment segment[6];
	struct vcpu_segment ldtr;
	struct vcpu_segment tr;
	struct vcpu_table gdtr;
	struct vcpu_table idtr;
	uint64_t cr0, cr2, cr3, cr4;
	uint64_t efer;
	uint8_t fxsave[512]; /* FXSAVE layout, 64-bit form */
};

enum vcpu_exit {
	VCPU_EXIT_KICKED,   /* somebody kicked; nothing is wrong */
	VCPU_EXIT_SHUTDOWN, /* triple fault: the machine decides (reset or end) */
	VCPU_EXIT_ERROR,    /* the backend cannot go on: see vcpu->error */
};

/* What every vCPU of a machine is connected to. Lives as long as the vCPUs; not owned. */
struct vcpu_env {
	struct guest_memory *memory;
	struct bus *ports;
	struct bus *mmio;
	struct machine_clock *clock;
	struct machine_lock *lock;
	unsigned count;     /* vCPUs at start */
	unsigned count_max; /* APIC ids go from 0 to count_max - 1 */
	/* A vCPU's started has changed; its thread, or who resets it. May be NULL. */
	void (*started)(void *data);
	void *started_data;
	/* A vCPU was asleep, and goes on; its thread. May be NULL. */
	void (*woke)(void *data);
	void *woke_data;
	/* Tells the person who runs the machine, once per kind, of something a guest did that is
	 * not emulated (an unknown MSR…). Rate-limited by the receiver. Any thread. */
	void (*warn)(void *data, const char *message);
	void *warn_data;
};

/* Why a vCPU left guest code, counted. */
enum vcpu_cause {
	VCPU_CAUSE_PORT,   /* an access to an I/O port */
	VCPU_CAUSE_MEMORY, /* one to a device's registers in memory */
	VCPU_CAUSE_HALT,   /* HLT; with KVM it stays in the kernel and is not seen */
	VCPU_CAUSE_KICK,
	VCPU_CAUSE_OTHER,
	VCPU_CAUSES,
};

struct vcpu {
	const struct vcpu_ops *ops;
	unsigned id; /* also the APIC id; 0 is the boot processor */
	char *error; /* after VCPU_EXIT_ERROR: one sentence with the cause, then registers; owned */
	/* The guest has started it: it waits for SIPI no more. Any thread reads. */
	atomic_bool started;
	/* In run(), and waits for an interrupt or SIPI; false before env's woke() is called. Any
	 * thread reads. With KVM it sleeps in the kernel, and this is never set. */
	atomic_bool asleep;
	/* Written by the vCPU's thread by vcpu_count(), read by any. */
	uint64_t causes[VCPU_CAUSES];
};

struct vcpu_ops {
	enum vcpu_exit (*run)(struct vcpu *cpu);
	/* Makes run() return VCPU_EXIT_KICKED soon, or at once when called next; wakes HLT. */
	void (*kick)(struct vcpu *cpu);
	void (*get_state)(struct vcpu *cpu, struct vcpu_state *state);
	void (*set_state)(struct vcpu *cpu, const struct vcpu_state *state);
	/* Back to the state after power-on: the boot processor runnable at the reset vector, others
	 * waiting for SIPI. Not while in run(). The boot processor is reset first, and the interrupt
	 * controllers with it. Machine lock not held. */
	void (*reset)(struct vcpu *cpu);
	/* It is taken out of the machine, whose others go on, and not run until it is reset: gives
	 * back what memory it can, and interrupts do not reach it. Not the boot processor; not while
	 * in run(). Machine lock not held. */
	void (*park)(struct vcpu *cpu);
	/* Saving (save/state.h), with the machine lock held, not while in run(). */
	bool (*save)(struct vcpu *cpu, struct state_out *out, GError **error);
	bool (*load)(struct vcpu *cpu, struct state_in *in, GError **error);
	void (*free)(struct vcpu *cpu);
};

/* An opened backend of one machine. */
struct vcpu_backend {
	const struct vcpu_backend_ops *ops;
	/* Where devices send interrupts: KVM's irqchip, or the software CPU's APICs. */
	struct irq_router *router;
};

struct vcpu_backend_ops {
	const char *name; /* "kvm" or "soft" */
	/* Opens it for a machine. Errors are whole sentences with the way out, e.g. why /dev/kvm
	 * cannot be used. The soft backend makes 8259s, I/O APIC, 8254 and local APICs and claims
	 * their ranges on env's buses; KVM has them in the kernel. */
	struct vcpu_backend *(*open)(const struct vcpu_env *env, GError **error);
	/* id < env->count_max. A vCPU with id >= 1 waits for INIT/SIPI. */
	struct vcpu *(*vcpu_new)(struct vcpu_backend *backend, unsigned id, GError **error);
	/* Saving of what the vCPUs share: interrupt controllers, 8254. Saved and loaded before the
	 * vCPUs are; the lock is held. */
	bool (*save)(struct vcpu_backend *backend, struct state_out *out, GError **error);
	bool (*load)(struct vcpu_backend *backend, struct state_in *in, GError **error);
	/* After all vCPUs are freed. */
	void (*close)(struct vcpu_backend *backend);
};

extern const struct vcpu_backend_ops vcpu_backend_kvm;
extern const struct vcpu_backend_ops vcpu_backend_soft;

/* Both, ended by NULL. */
extern const struct vcpu_backend_ops *const vcpu_backends[];

/* In the vCPU's thread. */
static inline void vcpu_count(struct vcpu *cpu, enum vcpu_cause cause)
{
	uint64_t *count = &cpu->causes[cause];

	__atomic_store_n(count, __atomic_load_n(count, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

/* For backends. */
static inline void vcpu_set_started(struct vcpu *cpu, const struct vcpu_env *env, bool started)
{
	if (atomic_exchange(&cpu->started, started) != started && env->started)
		env->started(env->started_data);
}

static inline enum vcpu_exit vcpu_run(struct vcpu *cpu)
{
	return cpu->ops->run(cpu);
}

static inline void vcpu_kick(struct vcpu *cpu)
{
	cpu->ops->kick(cpu);
}

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The local APIC of one processor (Intel SDM volume 3, chapter "Advanced Programmable Interrupt
 * Controller"), for the software CPU; KVM has its own in the kernel.
 *
 * xAPIC registers by MMIO (one page), x2APIC registers by MSR, timer in one-shot, periodic and
 * TSC-deadline mode, counting machine time at 1 GHz. LINT0 as ExtINT brings the 8259's vector to
 * the boot processor, as the machine comes up.
 *
 * How a vCPU uses it. The vCPU is told by ops->interrupt() that there may be something to deliver;
 * it raises a flag of its own. When it sees the flag (and may take interrupts) it clears the flag
 * *first*, then asks lapic_accept(), which answers with one vector or -1. What lowers the
 * processor's priority (EOI, TPR) calls ops->interrupt() again where more is waiting, so that no
 * second question is needed after a -1. An interrupt that waits while IF is clear must be asked
 * for again when it is set: lapic_pending() tells whether lapic_accept() would give a vector.
 *
 * Threads: the functions marked "vCPU" belong to the processor's own thread, which does *not* hold
 * the machine lock; everything they share with other threads is atomic. They take the machine lock
 * themselves where they need it: to move the timer to an earlier deadline, to tell the I/O APIC of
 * the end of a level-triggered interrupt, and to ask the 8259. Functions marked "any" may be called
 * with or without the lock.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LAPIC_DEFAULT_BASE 0xfee00000ull
#define LAPIC_PAGE_SIZE 0x1000u

/* MSRs that lapic_msr_read() and lapic_msr_write() know: these two and 0x800-0x83f. */
#define LAPIC_MSR_BASE 0x1bu
#define LAPIC_MSR_TSC_DEADLINE 0x6e0u
#define LAPIC_MSR_X2APIC_FIRST 0x800u
#define LAPIC_MSR_X2APIC_LAST 0x83fu

/* What the APIC asks of its vCPU; called from any thread, with or without the machine lock, so
 * they only set flags and wake. None may be NULL. */
struct lapic_ops {
	/* There may be an interrupt to accept. */
	void (*interrupt)(void *cpu);
	void (*nmi)(void *cpu);
	/* INIT: the vCPU calls lapic_init() in its own thread, then waits for SIPI. */
	void (*init)(void *cpu);
	/* SIPI: start at vector << 12, if waiting for it. */
	void (*startup)(void *cpu, uint8_t vector);
};

/* What the APIC asks of the rest of the chip set (irqchip.c). */
struct lapic_chip_ops {
	/* End of a level-triggered interrupt. Called with the machine lock held. */
	void (*eoi)(void *chip, uint8_t vector);
	/* The 8259's acknowledge cycle: its vector. Called with the machine lock held. */
	int (*acknowledge)(void *chip);
};

/* Delivery modes of the ICR, LVT and MSI data. */
enum lapic_mode {
	LAPIC_FIXED = 0,
	LAPIC_LOWEST = 1,
	LAPIC_SMI = 2,
	LAPIC_NMI = 4,
	LAPIC_INIT = 5,
	LAPIC_STARTUP = 6,
	LAPIC_EXTINT = 7,
};

enum lapic_lvt {
	LAPIC_LVT_TIMER,
	LAPIC_LVT_THERMAL,
	LAPIC_LVT_PERFORMANCE,
	LAPIC_LVT_LINT0,
	LAPIC_LVT_LINT1,
	LAPIC_LVT_ERROR,
	LAPIC_LVTS,
};

/* The architectural state; a plain value. */
struct lapic_state {
	_Atomic uint64_t base;   /* IA32_APIC_BASE */
	_Atomic uint32_t irr[8]; /* any thread sets, the vCPU clears */
	_Atomic uint32_t tmr[8]; /* any thread */
	_Atomic uint32_t isr[8]; /* the vCPU alone writes */
	_Atomic uint32_t tpr;
	_Atomic uint32_t spurious; /* SVR */
	_Atomic uint32_t ldr;      /* xAPIC form; x2APIC's follows from the id */
	_Atomic uint32_t dfr;
	_Atomic uint32_t esr;     /* as latched by the last write */
	_Atomic uint32_t esr_new; /* errors since then */
	_Atomic uint32_t lvt[LAPIC_LVTS];
	uint64_t icr;
	uint32_t divide;           /* divide configuration register */
	uint32_t initial;          /* initial count */
	uint64_t timer_start;      /* machine time when initial was written */
	_Atomic uint64_t deadline; /* machine time of the next timer interrupt, 0: none */
	uint64_t tsc_deadline;     /* the MSR, in guest TSC units; 0 when disarmed or fired */
	uint64_t tsc_offset;       /* guest TSC - machine time */
};

struct lapic;

/* All local APICs of a machine, by APIC id; fixed once made. Entries are never NULL. */
struct lapic_set {
	struct lapic *const *lapics;
	unsigned count;
};

/* An APIC as after power-on. id 0 is the boot processor. set and chip live as long as it does. */
struct lapic *lapic_new(unsigned id, const struct lapic_set *set,
	const struct lapic_chip_ops *chip_ops, void *chip, struct machine_clock *clock,
	struct machine_lock *lock);
void lapic_free(struct lapic *lapic);

/* Connects the vCPU; until then (and after a NULL cpu) nothing is called back. NULL only while no
 * vCPU runs. */
void lapic_connect(struct lapic *lapic, const struct lapic_ops *ops, void *cpu);

unsigned lapic_id(const struct lapic *lapic);

/* Power-on reset, with the machine stopped and the machine lock held. */
void lapic_reset(struct lapic *lapic);
/* vCPU: what INIT does: all but the id and IA32_APIC_BASE as after power-on. */
void lapic_init(struct lapic *lapic);

/* vCPU: the physical address where its registers lie, UINT64_MAX where they do not answer by MMIO
 * (APIC disabled, or in x2APIC mode). Changes only by lapic_msr_write() of LAPIC_MSR_BASE, on
 * which the caller flushes its TLB. */
uint64_t lapic_page(const struct lapic *lapic);

/* vCPU: register access by MMIO; offset within the page. Aligned 32-bit accesses reach registers,
 * smaller ones read their part; other writes are dropped. */
uint64_t lapic_read(struct lapic *lapic, uint32_t offset, unsigned size);
void lapic_write(struct lapic *lapic, uint32_t offset, uint64_t value, unsigned size);

/* vCPU: RDMSR and WRMSR of the MSRs named above; false means #GP(0). */
bool lapic_msr_read(struct lapic *lapic, uint32_t msr, uint64_t *value);
bool lapic_msr_write(struct lapic *lapic, uint32_t msr, uint64_t value);

/* vCPU: CR8, which is bits 4-7 of TPR. */
unsigned lapic_cr8(const struct lapic *lapic);
void lapic_set_cr8(struct lapic *lapic, unsigned value);

/* vCPU: guest TSC - machine time, after WRMSR of IA32_TSC or IA32_TSC_ADJUST; moves an armed
 * TSC deadline along. */
void lapic_set_tsc_offset(struct lapic *lapic, uint64_t offset);

/* Any: whether lapic_accept() would give a vector. A few loads. */
bool lapic_pending(const struct lapic *lapic);

/* vCPU: takes the interrupt to deliver now: moves the highest waiting vector into service, or
 * acknowledges the 8259 (ExtINT); -1 where nothing is deliverable. */
int lapic_accept(struct lapic *lapic);

/* Any: machine time of the next timer interrupt, 0 where none is armed. A halted vCPU may sleep
 * until then by itself and call lapic_poll(). */
uint64_t lapic_deadline(const struct lapic *lapic);
/* vCPU: fires the timer if it is due; the timer also fires without it, from the main loop. */
void lapic_poll(struct lapic *lapic);

/* Any: a message arrives at this APIC (from an MSI, the I/O APIC or another APIC's ICR). level is
 * the trigger mode. */
void lapic_deliver(struct lapic *lapic, enum lapic_mode mode, uint8_t vector, bool level);
/* Any: the level of the wire from the 8259 (LINT0). */
void lapic_set_lint0(struct lapic *lapic, bool level);
/* Any: an edge on LINT1, wired to NMI. */
void lapic_pulse_lint1(struct lapic *lapic);

/* Any: sends to all APICs that destination names: physical (8 bits, 32 in x2APIC form; 0xff and
 * 0xffffffff mean all) or logical, flat, cluster or x2APIC. Lowest priority picks one. */
void lapic_set_send(const struct lapic_set *set, uint32_t destination, bool logical,
	enum lapic_mode mode, uint8_t vector, bool level);

/* For tests and reports; not while the vCPU runs. */
const struct lapic_state *lapic_get_state(const struct lapic *lapic);

struct state_in;
struct state_out;

/* Saving: save/state.h; the id is the index. With the machine lock held. */
void lapic_save(const struct lapic *lapic, struct state_out *out);
bool lapic_load(struct lapic *lapic, struct state_in *in, GError **error);

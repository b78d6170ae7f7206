// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Interrupt wires: what a device holds to interrupt, whoever routes it.
 *
 * The router is the in-kernel irqchip of KVM, or our 8259 pair, I/O APIC and local APICs for the
 * software CPU. A line is a global system interrupt (GSI): 0-15 reach the 8259s and the I/O APIC
 * (the timer, ISA IRQ 0, is I/O APIC pin 2), 16-23 the I/O APIC alone.
 *
 * Threads: called with the machine lock held.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define IRQ_LINES 24

struct irq_router;

struct irq_router_ops {
	/* Sets the level of a GSI; edge-triggered users raise and lower it. */
	void (*set)(struct irq_router *router, unsigned gsi, bool level);
	/* Delivers a message-signalled interrupt: an x86 MSI address (0xfee.....) and data,
	 * Intel SDM volume 3, "Message Signalled Interrupts". */
	void (*message)(struct irq_router *router, uint64_t address, uint32_t data);
};

struct irq_router {
	const struct irq_router_ops *ops;
};

/* One wire of a device; a plain value, copied into the device. */
struct irq_line {
	struct irq_router *router;
	unsigned gsi;
};

static inline void irq_set(const struct irq_line *line, bool level)
{
	line->router->ops->set(line->router, line->gsi, level);
}

static inline void irq_pulse(const struct irq_line *line)
{
	irq_set(line, true);
	irq_set(line, false);
}

static inline void irq_message(struct irq_router *router, uint64_t address, uint32_t data)
{
	router->ops->message(router, address, data);
}

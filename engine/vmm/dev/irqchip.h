// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The interrupt router of the software CPU's machine: 8259 pair, I/O APIC, a local APIC for each
 * processor, and the 8254 that is wired to them. KVM has all of this in the kernel.
 *
 * Wiring (irq.h): GSI 0-15 go to the 8259s and to the I/O APIC pin of the same number, except that
 * GSI 0 (the 8254) is I/O APIC pin 2 and GSI 2 (the cascade) goes nowhere; 16-23 go to the I/O APIC
 * alone. The 8259's INT goes to LINT0 of every local APIC. MSI addresses name local APICs.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/clock.h"
#include "engine/vmm/dev/lapic.h"
#include "engine/vmm/irq.h"
#include "engine/vmm/save/state.h"

struct irqchip;

/* Makes all chips for APIC ids 0 to count_max - 1 and claims their ports and pages, except the
 * local APICs' page, which each vCPU looks up by lapic_page(). */
struct irqchip *irqchip_new(struct bus *ports, struct bus *mmio, struct machine_clock *clock,
	struct machine_lock *lock, unsigned count_max);
void irqchip_free(struct irqchip *chip);
/* Power-on state of all chips; machine stopped, lock held. */
void irqchip_reset(struct irqchip *chip);

/* For devices, with the machine lock held, as irq.h says. */
struct irq_router *irqchip_router(struct irqchip *chip);
/* id below count_max; belongs to the chip. */
struct lapic *irqchip_lapic(struct irqchip *chip, unsigned id);

/* Saving: state.h. */
void irqchip_save(const struct irqchip *chip, struct state_out *out);
bool irqchip_load(struct irqchip *chip, struct state_in *in, GError **error);

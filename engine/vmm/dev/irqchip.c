// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/irqchip.h"

#include "engine/vmm/dev/ioapic.h"
#include "engine/vmm/dev/pic.h"
#include "engine/vmm/dev/pit.h"

#include <glib.h>

struct irqchip {
	struct irq_router router; /* first: what devices hold */
	struct lapic **lapics;
	struct lapic_set set;
	struct ioapic *ioapic;
	struct pic *pic;
	struct pit *pit;
};

static void irqchip_set(struct irq_router *router, unsigned gsi, bool level)
{
	struct irqchip *chip = (struct irqchip *)router;

	g_assert(gsi < IRQ_LINES);
	if (gsi < 16)
		pic_set(chip->pic, gsi, level);
	if (gsi != 2)
		ioapic_set(chip->ioapic, gsi ? gsi : 2, level);
}

/* Intel SDM volume 3, "Message Address Register Format" and "Message Data Register Format". */
static void irqchip_message(struct irq_router *router, uint64_t address, uint32_t data)
{
	struct irqchip *chip = (struct irqchip *)router;
	enum lapic_mode mode = data >> 8 & 7;
	bool level = data >> 15 & 1;

	if (address >> 20 != 0xfee)
		return;
	if (address & 8 && mode == LAPIC_FIXED)
		mode = LAPIC_LOWEST; /* redirection hint */
	lapic_set_send(
		&chip->set, address >> 12 & 0xff, address >> 2 & 1, mode, data & 0xff, level);
}

static const struct irq_router_ops irqchip_router_ops = {
	.set = irqchip_set,
	.message = irqchip_message,
};

static void irqchip_eoi(void *data, uint8_t vector)
{
	struct irqchip *chip = data;

	ioapic_eoi(chip->ioapic, vector);
}

static int irqchip_acknowledge(void *data)
{
	struct irqchip *chip = data;

	return pic_acknowledge(chip->pic);
}

static const struct lapic_chip_ops irqchip_lapic_ops = {
	.eoi = irqchip_eoi,
	.acknowledge = irqchip_acknowledge,
};

static void irqchip_pic_output(void *data, bool level)
{
	struct irqchip *chip = data;

	for (unsigned i = 0; i < chip->set.count; i++)
		lapic_set_lint0(chip->lapics[i], level);
}

struct irqchip *irqchip_new(struct bus *ports, struct bus *mmio, struct machine_clock *clock,
	struct machine_lock *lock, unsigned count_max)
{
	struct irqchip *chip = g_new0(struct irqchip, 1);

	chip->router.ops = &irqchip_router_ops;
	chip->lapics = g_new0(struct lapic *, count_max);
	for (unsigned i = 0; i < count_max; i++)
		chip->lapics[i] = lapic_new(i, &chip->set, &irqchip_lapic_ops, chip, clock, lock);
	chip->set = (struct lapic_set){chip->lapics, count_max};
	chip->ioapic = ioapic_new(mmio, &chip->set);
	chip->pic = pic_new(ports, irqchip_pic_output, chip);
	chip->pit = pit_new(ports, clock, (struct irq_line){&chip->router, 0});
	return chip;
}

void irqchip_free(struct irqchip *chip)
{
	if (!chip)
		return;
	pit_free(chip->pit);
	pic_free(chip->pic);
	ioapic_free(chip->ioapic);
	for (unsigned i = 0; i < chip->set.count; i++)
		lapic_free(chip->lapics[i]);
	g_free(chip->lapics);
	g_free(chip);
}

void irqchip_reset(struct irqchip *chip)
{
	for (unsigned i = 0; i < chip->set.count; i++)
		lapic_reset(chip->lapics[i]);
	ioapic_reset(chip->ioapic);
	pic_reset(chip->pic);
	pit_reset(chip->pit);
}

struct irq_router *irqchip_router(struct irqchip *chip)
{
	return &chip->router;
}

struct lapic *irqchip_lapic(struct irqchip *chip, unsigned id)
{
	g_assert(id < chip->set.count);
	return chip->lapics[id];
}

void irqchip_save(const struct irqchip *chip, struct state_out *out)
{
	for (unsigned i = 0; i < chip->set.count; i++)
		lapic_save(chip->lapics[i], out);
	ioapic_save(chip->ioapic, out);
	pic_save(chip->pic, out);
	pit_save(chip->pit, out);
}

bool irqchip_load(struct irqchip *chip, struct state_in *in, GError **error)
{
	for (unsigned i = 0; i < chip->set.count; i++)
		if (!lapic_load(chip->lapics[i], in, error))
			return false;
	return ioapic_load(chip->ioapic, in, error) && pic_load(chip->pic, in, error) &&
		pit_load(chip->pit, in, error);
}

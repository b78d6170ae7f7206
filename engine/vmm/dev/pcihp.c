// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/pcihp.h"

#include "engine/vmm/dev/pci.h"

#define REGISTER_UP 0x0
#define REGISTER_DOWN 0x4
#define REGISTER_EJECT 0x8
#define REGISTER_REFUSE 0xc

struct pcihp {
	struct pcihp_state s;
	struct bus *ports;
	struct pm *pm;
	const struct pcihp_ops *ops;
	void *data;
};

static uint64_t pcihp_read(void *device, uint64_t offset, unsigned size)
{
	struct pcihp *pcihp = device;
	uint32_t up = pcihp->s.up;

	if (size != 4)
		return UINT64_MAX;
	switch (offset) {
	case REGISTER_UP:
		pcihp->s.up = 0;
		return up;
	case REGISTER_DOWN:
		return pcihp->s.down;
	default:
		return 0;
	}
}

static void pcihp_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct pcihp *pcihp = device;

	if (size != 4 || (offset != REGISTER_EJECT && offset != REGISTER_REFUSE))
		return;
	/* Slot 0 is the host bridge. */
	for (unsigned slot = 1; slot < PCI_SLOTS; slot++) {
		if (!(value >> slot & 1))
			continue;
		pcihp->s.down &= ~(1u << slot);
		if (offset == REGISTER_EJECT)
			pcihp->ops->ejected(pcihp->data, slot);
		else
			pcihp->ops->refused(pcihp->data, slot);
	}
}

static const struct bus_ops pcihp_bus_ops = {
	.read = pcihp_read,
	.write = pcihp_write,
};

void pcihp_plugged(struct pcihp *pcihp, unsigned slot)
{
	g_assert(slot && slot < PCI_SLOTS);
	pcihp->s.up |= 1u << slot;
	pcihp->s.down &= ~(1u << slot);
	pm_raise_gpe(pcihp->pm, PCIHP_GPE);
}

void pcihp_ask(struct pcihp *pcihp, unsigned slot)
{
	g_assert(slot && slot < PCI_SLOTS);
	pcihp->s.down |= 1u << slot;
	pm_raise_gpe(pcihp->pm, PCIHP_GPE);
}

void pcihp_reset(struct pcihp *pcihp)
{
	pcihp->s = (struct pcihp_state){ 0 };
}

struct pcihp_state *pcihp_get_state(struct pcihp *pcihp)
{
	return &pcihp->s;
}

struct pcihp *pcihp_new(struct bus *ports, struct pm *pm, const struct pcihp_ops *ops, void *data)
{
	struct pcihp *pcihp = g_new0(struct pcihp, 1);

	pcihp->ports = ports;
	pcihp->pm = pm;
	pcihp->ops = ops;
	pcihp->data = data;
	bus_claim(ports, PCIHP_BASE, PCIHP_SIZE, &pcihp_bus_ops, pcihp);
	return pcihp;
}

void pcihp_free(struct pcihp *pcihp)
{
	if (!pcihp)
		return;
	bus_release(pcihp->ports, PCIHP_BASE, pcihp);
	g_free(pcihp);
}

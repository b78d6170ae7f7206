// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The PCI transport of virtio (virtio 1.2, section 4.1), modern only: common configuration, ISR,
 * device configuration and notification in BAR 4 (64 bits wide), the MSI-X table in BAR 1, and the
 * configuration access capability.
 *
 * Threads: with the machine lock held.
 */
#pragma once

#include "engine/vmm/dev/pci.h"
#include "engine/vmm/dev/virtio.h"

struct virtio_pci;

/* Plugs dev into slot 1-31, or with 0 the first that is free. Errors: all taken. dev is not owned
 * and must be freed after. */
struct virtio_pci *virtio_pci_new(
	struct pci_bus *bus, unsigned slot, struct virtio_device *dev, GError **error);
void virtio_pci_free(struct virtio_pci *pci);
/* Plugged into a running guest, which gives it its addresses. */
void virtio_pci_clear_bars(struct virtio_pci *pci);
/* Takes it out of its slot, and puts it into another (1-31), as after power-on; false: that is
 * taken. In between it is of no use. */
void virtio_pci_unplug(struct virtio_pci *pci);
bool virtio_pci_plug(struct virtio_pci *pci, struct pci_bus *bus, unsigned slot);
unsigned virtio_pci_slot(const struct virtio_pci *pci);

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/virtio_pci.h"

#include <glib/gi18n.h>
#include <gio/gio.h>
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include <stddef.h>
#include <string.h>

#define VENDOR 0x1af4      /* 4.1.2 */
#define DEVICE_BASE 0x1040 /* plus the virtio device id */
#define NO_VECTOR 0xffffu  /* VIRTIO_MSI_NO_VECTOR */
#define ISR_QUEUE 1
#define ISR_CONFIG 2

#define MSIX_BAR 1
#define REGISTER_BAR 4
#define REGISTER_SIZE 0x4000u

/* The regions of the register BAR, a page each. */
#define COMMON_OFFSET 0x0000u
#define ISR_OFFSET 0x1000u
#define DEVICE_OFFSET 0x2000u
#define NOTIFY_OFFSET 0x3000u
#define REGION_SIZE 0x1000u
#define NOTIFY_MULTIPLIER 4

/* struct virtio_pci_common_cfg of 4.1.4.3, with the fields that version 1.2 added. */
struct common_config {
	uint32_t device_feature_select, device_feature;
	uint32_t driver_feature_select, driver_feature;
	uint16_t config_vector, num_queues;
	uint8_t status, generation;
	uint16_t queue_select, queue_size, queue_vector, queue_enable, queue_notify_off;
	uint64_t queue_desc, queue_driver, queue_device;
	uint16_t queue_notify_data, queue_reset;
	uint32_t padding;
};

struct virtio_pci {
	struct pci_device pci;
	struct virtio_device *dev;
	uint32_t device_feature_select, driver_feature_select;
	uint64_t driver_features;
	uint16_t queue_select;
	uint16_t config_vector;
	uint16_t queue_vector[VIRTIO_QUEUES_MAX];
	uint8_t isr;
	uint8_t access_capability; /* offset of the configuration access capability */
};

/* ---- interrupts ---- */

static void virtio_pci_interrupt(struct virtio_pci *pci, uint16_t vector, uint8_t isr)
{
	if (pci_msix_enabled(&pci->pci)) {
		if (vector != NO_VECTOR)
			pci_msix_send(&pci->pci, vector);
		return;
	}
	pci->isr |= isr;
	pci_set_intx(&pci->pci, true);
}

static void virtio_pci_used(void *transport, unsigned queue)
{
	struct virtio_pci *pci = transport;

	virtio_pci_interrupt(pci, pci->queue_vector[queue], ISR_QUEUE);
}

static void virtio_pci_config_changed(void *transport)
{
	struct virtio_pci *pci = transport;

	virtio_pci_interrupt(pci, pci->config_vector, ISR_CONFIG);
}

static const struct virtio_transport_ops virtio_pci_transport_ops = {
	.used = virtio_pci_used,
	.config_changed = virtio_pci_config_changed,
};

/* ---- common configuration ---- */

static struct virtq *virtio_pci_queue(struct virtio_pci *pci)
{
	return pci->queue_select < pci->dev->queue_count ? &pci->dev->queues[pci->queue_select]
							 : NULL;
}

static void common_fill(struct virtio_pci *pci, struct common_config *config)
{
	const struct virtq *q = virtio_pci_queue(pci);

	*config = (struct common_config){
		.device_feature_select = pci->device_feature_select,
		.driver_feature_select = pci->driver_feature_select,
		.config_vector = pci->config_vector,
		.num_queues = pci->dev->queue_count,
		.status = pci->dev->status,
		.generation = pci->dev->generation,
		.queue_select = pci->queue_select,
	};
	if (pci->device_feature_select < 2)
		config->device_feature = pci->dev->offered >> 32 * pci->device_feature_select;
	if (pci->driver_feature_select < 2)
		config->driver_feature = pci->driver_features >> 32 * pci->driver_feature_select;
	if (!q) {
		config->queue_vector = NO_VECTOR;
		return;
	}
	config->queue_size = q->size;
	config->queue_vector = pci->queue_vector[q->index];
	config->queue_enable = q->enabled;
	config->queue_notify_off = q->index;
	config->queue_desc = q->desc;
	config->queue_driver = q->driver;
	config->queue_device = q->device;
}

static uint64_t common_read(struct virtio_pci *pci, unsigned offset, unsigned size)
{
	struct common_config config;
	uint64_t value = 0;

	if (offset + size > sizeof(config))
		return 0;
	common_fill(pci, &config);
	memcpy(&value, (uint8_t *)&config + offset, size);
	return value;
}

static void write_half(uint64_t *field, bool high, uint32_t value)
{
	if (high)
		*field = (*field & 0xffffffffull) | (uint64_t)value << 32;
	else
		*field = (*field & ~0xffffffffull) | value;
}

static void common_write_feature(struct virtio_pci *pci, uint32_t value)
{
	if (pci->driver_feature_select >= 2)
		return;
	write_half(&pci->driver_features, pci->driver_feature_select == 1, value);
	virtio_set_features(pci->dev, pci->driver_features);
}

static uint16_t valid_vector(const struct virtio_pci *pci, uint16_t vector)
{
	return vector < pci->pci.msix.vectors ? vector : NO_VECTOR;
}

static void virtio_pci_forget(struct virtio_pci *pci)
{
	pci->device_feature_select = pci->driver_feature_select = 0;
	pci->driver_features = 0;
	pci->queue_select = 0;
	pci->config_vector = NO_VECTOR;
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
		pci->queue_vector[i] = NO_VECTOR;
	pci->isr = 0;
	pci_set_intx(&pci->pci, false);
}

static void common_write_status(struct virtio_pci *pci, uint8_t status)
{
	if (!status)
		virtio_pci_forget(pci);
	virtio_set_status(pci->dev, status);
}

/* Ring addresses are 64 bits wide and written whole or by halves. A live queue keeps them. */
static void common_write_address(
	struct virtio_pci *pci, unsigned offset, uint64_t value, unsigned size)
{
	struct virtq *q = virtio_pci_queue(pci);
	unsigned field = (offset - offsetof(struct common_config, queue_desc)) / 8;
	uint64_t *address;

	if (!q || q->enabled)
		return;
	address = field == 0 ? &q->desc : field == 1 ? &q->driver : &q->device;
	if (size == 8)
		*address = value;
	else
		write_half(address, offset & 4, value);
}

static void common_write_queue(struct virtio_pci *pci, unsigned offset, uint16_t value)
{
	struct virtq *q = virtio_pci_queue(pci);

	if (!q)
		return;
	if (offset == offsetof(struct common_config, queue_size) && !q->enabled)
		q->size = value;
	else if (offset == offsetof(struct common_config, queue_vector))
		pci->queue_vector[q->index] = valid_vector(pci, value);
	else if (offset == offsetof(struct common_config, queue_enable) && value == 1)
		virtio_enable_queue(pci->dev, q->index);
}

static void common_write32(struct virtio_pci *pci, unsigned offset, uint32_t value)
{
	if (offset == offsetof(struct common_config, device_feature_select))
		pci->device_feature_select = value;
	else if (offset == offsetof(struct common_config, driver_feature_select))
		pci->driver_feature_select = value;
	else if (offset == offsetof(struct common_config, driver_feature))
		common_write_feature(pci, value);
}

static void common_write(struct virtio_pci *pci, unsigned offset, uint64_t value, unsigned size)
{
	if (offset >= offsetof(struct common_config, queue_desc) &&
		offset < offsetof(struct common_config, queue_notify_data)) {
		if (!(offset & 3) && (size == 4 || (size == 8 && !(offset & 7))))
			common_write_address(pci, offset, value, size);
	} else if (size == 4) {
		common_write32(pci, offset, value);
	} else if (size == 1 && offset == offsetof(struct common_config, status)) {
		common_write_status(pci, value);
	} else if (size == 2 && offset == offsetof(struct common_config, config_vector)) {
		pci->config_vector = valid_vector(pci, value);
	} else if (size == 2 && offset == offsetof(struct common_config, queue_select)) {
		pci->queue_select = value;
	} else if (size == 2) {
		common_write_queue(pci, offset, value);
	}
}

/* ---- the register BAR ---- */

static uint64_t isr_read(struct virtio_pci *pci)
{
	uint8_t isr = pci->isr;

	pci->isr = 0;
	pci_set_intx(&pci->pci, false);
	return isr;
}

static uint64_t device_read(struct virtio_pci *pci, unsigned offset, unsigned size)
{
	uint64_t value = 0;

	virtio_config_read(pci->dev, offset, &value, size);
	return value;
}

static uint64_t virtio_pci_read(void *device, uint64_t offset, unsigned size)
{
	struct virtio_pci *pci = device;
	unsigned within = offset % REGION_SIZE;

	switch (offset - within) {
	case COMMON_OFFSET:
		return common_read(pci, within, size);
	case ISR_OFFSET:
		return within ? 0 : isr_read(pci);
	case DEVICE_OFFSET:
		return device_read(pci, within, size);
	default:
		return 0;
	}
}

static void virtio_pci_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct virtio_pci *pci = device;
	unsigned within = offset % REGION_SIZE;

	switch (offset - within) {
	case COMMON_OFFSET:
		common_write(pci, within, value, size);
		break;
	case DEVICE_OFFSET:
		virtio_config_write(pci->dev, within, &value, size);
		break;
	case NOTIFY_OFFSET:
		virtio_kick(pci->dev, within / NOTIFY_MULTIPLIER);
		break;
	}
}

static const struct bus_ops virtio_pci_bus_ops = {
	.read = virtio_pci_read,
	.write = virtio_pci_write,
};

/* ---- capabilities ---- */

static uint8_t add_region(struct virtio_pci *pci, uint8_t type, uint32_t offset, uint32_t length,
	uint32_t extra, bool has_extra)
{
	struct virtio_pci_notify_cap cap = {
		.cap =
			{
				.cap_len = sizeof(struct virtio_pci_cap) + (has_extra ? 4 : 0),
				.cfg_type = type,
				.bar = REGISTER_BAR,
				.offset = offset,
				.length = length,
			},
		.notify_off_multiplier = extra,
	};

	/* Without id and next pointer, which the bus adds. */
	return pci_add_capability(
		&pci->pci, PCI_CAP_ID_VNDR, (uint8_t *)&cap + 2, cap.cap.cap_len - 2);
}

/* The configuration access capability (4.1.4.9): a window on the BAR for who cannot map it. Its
 * bar, offset, length and data fields belong to the driver. */
static void add_access_capability(struct virtio_pci *pci)
{
	uint8_t at = add_region(pci, VIRTIO_PCI_CAP_PCI_CFG, 0, 0, 0, true);

	pci->access_capability = at;
	pci->pci.writable[at + offsetof(struct virtio_pci_cap, bar)] = 0xff;
	memset(pci->pci.writable + at + offsetof(struct virtio_pci_cap, offset), 0xff, 12);
}

/* Whether an access to the configuration reaches the window's data and what it selects is valid. */
static bool access_target(
	struct virtio_pci *pci, unsigned at, uint32_t *offset, uint32_t *length, uint8_t **data)
{
	const uint8_t *cap = pci->pci.config + pci->access_capability;

	*data = pci->pci.config + pci->access_capability + sizeof(struct virtio_pci_cap);
	if (at != pci->access_capability + sizeof(struct virtio_pci_cap))
		return false;
	memcpy(offset, cap + offsetof(struct virtio_pci_cap, offset), 4);
	memcpy(length, cap + offsetof(struct virtio_pci_cap, length), 4);
	return cap[offsetof(struct virtio_pci_cap, bar)] == REGISTER_BAR &&
	       (*length == 1 || *length == 2 || *length == 4) && !(*offset & (*length - 1)) &&
	       *offset < REGISTER_SIZE;
}

static void virtio_pci_config_read(struct pci_device *dev, unsigned at, unsigned size)
{
	struct virtio_pci *pci = dev->opaque;
	uint32_t offset, length, value;
	uint8_t *data;

	if (!access_target(pci, at, &offset, &length, &data))
		return;
	value = virtio_pci_read(pci, offset, length);
	memcpy(data, &value, 4);
}

static void virtio_pci_config_written(struct pci_device *dev, unsigned at, unsigned size)
{
	struct virtio_pci *pci = dev->opaque;
	uint32_t offset, length, value = 0;
	uint8_t *data;

	if (!access_target(pci, at, &offset, &length, &data))
		return;
	memcpy(&value, data, length);
	virtio_pci_write(pci, offset, value, length);
}

static void virtio_pci_reset(struct pci_device *dev)
{
	struct virtio_pci *pci = dev->opaque;

	virtio_pci_forget(pci);
	virtio_set_status(pci->dev, 0);
}

static void virtio_pci_add_regions(struct virtio_pci *pci)
{
	pci_add_msix(&pci->pci, MSIX_BAR, pci->dev->queue_count + 1);
	pci_add_bar(&pci->pci, REGISTER_BAR, REGISTER_SIZE, true, &virtio_pci_bus_ops, pci);
	add_region(pci, VIRTIO_PCI_CAP_COMMON_CFG, COMMON_OFFSET, sizeof(struct common_config), 0,
		false);
	add_region(pci, VIRTIO_PCI_CAP_NOTIFY_CFG, NOTIFY_OFFSET, REGION_SIZE, NOTIFY_MULTIPLIER,
		true);
	add_region(pci, VIRTIO_PCI_CAP_ISR_CFG, ISR_OFFSET, 1, 0, false);
	if (pci->dev->ops->config_size)
		add_region(pci, VIRTIO_PCI_CAP_DEVICE_CFG, DEVICE_OFFSET,
			pci->dev->ops->config_size, 0, false);
	add_access_capability(pci);
}

/* ---- saving ---- */

static const struct field virtio_pci_fields[] = {
	FIELD(struct virtio_pci, device_feature_select),
	FIELD(struct virtio_pci, driver_feature_select),
	FIELD(struct virtio_pci, driver_features),
	FIELD(struct virtio_pci, queue_select),
	FIELD(struct virtio_pci, config_vector),
	FIELD_ARRAY(struct virtio_pci, queue_vector),
	FIELD(struct virtio_pci, isr),
	FIELD_END,
};

static void virtio_pci_save(struct pci_device *dev, struct state_out *out)
{
	struct virtio_pci *pci = dev->opaque;

	state_put(out, "virtio-pci", dev->slot, virtio_pci_fields, pci);
	virtio_save(pci->dev, dev->slot, out);
}

static bool virtio_pci_load(struct pci_device *dev, struct state_in *in, GError **error)
{
	struct virtio_pci *pci = dev->opaque;

	if (!state_get(in, "virtio-pci", dev->slot, virtio_pci_fields, pci, error))
		return false;
	pci->config_vector = valid_vector(pci, pci->config_vector);
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
		pci->queue_vector[i] = valid_vector(pci, pci->queue_vector[i]);
	return virtio_load(pci->dev, dev->slot, in, error);
}

static void virtio_pci_freeze(struct pci_device *dev, bool frozen)
{
	struct virtio_pci *pci = dev->opaque;

	virtio_freeze(pci->dev, frozen);
}

/* ---- the function ---- */

struct virtio_pci *virtio_pci_new(
	struct pci_bus *bus, unsigned slot, struct virtio_device *dev, GError **error)
{
	struct virtio_pci *pci = g_new0(struct virtio_pci, 1);
	struct pci_identity identity = {
		.vendor = VENDOR,
		.device = DEVICE_BASE + dev->ops->id,
		.subsystem_vendor = VENDOR,
		.subsystem = DEVICE_BASE + dev->ops->id,
		.class_code = dev->ops->class_code,
		.revision = 1,
	};

	pci->dev = dev;
	pci_device_init(&pci->pci, dev->ops->name, &identity);
	pci->pci.opaque = pci;
	pci->pci.reset = virtio_pci_reset;
	pci->pci.save = virtio_pci_save;
	pci->pci.load = virtio_pci_load;
	pci->pci.freeze = virtio_pci_freeze;
	pci->pci.config_read = virtio_pci_config_read;
	pci->pci.config_written = virtio_pci_config_written;
	virtio_pci_add_regions(pci);
	virtio_set_transport(dev, &virtio_pci_transport_ops, pci);
	if (!pci_plug(bus, &pci->pci, slot)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
			_("There is no free PCI slot for the device '%s'."), dev->ops->name);
		virtio_set_transport(dev, NULL, NULL);
		g_free(pci);
		return NULL;
	}
	return pci;
}

void virtio_pci_free(struct virtio_pci *pci)
{
	if (!pci)
		return;
	pci_unplug(&pci->pci);
	virtio_set_transport(pci->dev, NULL, NULL);
	g_free(pci);
}

void virtio_pci_clear_bars(struct virtio_pci *pci)
{
	pci_clear_bars(&pci->pci);
}

unsigned virtio_pci_slot(const struct virtio_pci *pci)
{
	return pci->pci.slot;
}

void virtio_pci_unplug(struct virtio_pci *pci)
{
	pci_unplug(&pci->pci);
}

bool virtio_pci_plug(struct virtio_pci *pci, struct pci_bus *bus, unsigned slot)
{
	return pci_plug(bus, &pci->pci, slot);
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/engine/devbox.h"

#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <string.h>

static void record_set(struct irq_router *router, unsigned gsi, bool level)
{
	struct devbox *box = (struct devbox *)router;

	assert_true(gsi < IRQ_LINES);
	if (level && !box->level[gsi])
		box->rises[gsi]++;
	box->level[gsi] = level;
}

static void record_message(struct irq_router *router, uint64_t address, uint32_t data)
{
	struct devbox *box = (struct devbox *)router;

	box->messages++;
	box->last_address = address;
	box->last_data = data;
}

static const struct irq_router_ops record_ops = {
	.set = record_set,
	.message = record_message,
};

static void record_warning(void *data, const char *message)
{
	struct devbox *box = data;

	box->warnings++;
	g_free(box->warning);
	box->warning = g_strdup(message);
}

struct devbox *devbox_new(void)
{
	struct devbox *box = g_new0(struct devbox, 1);

	box->router.ops = &record_ops;
	g_mutex_init(&box->lock.mutex);
	box->context = g_main_context_new();
	box->clock = clock_new(box->context, &box->lock, NULL);
	assert_non_null(box->clock);
	box->ports = bus_new("ports", &box->lock);
	box->mmio = bus_new("mmio", &box->lock);
	box->memory = memory_new(DEVBOX_MEMORY, NULL);
	assert_non_null(box->memory);
	assert_true(memory_add_region(box->memory, DEVBOX_REGION, 16 * MEMORY_BLOCK_SIZE, NULL));
	assert_true(memory_track_code(box->memory, NULL));
	box->pci = pci_bus_new(box->ports, box->mmio, &box->router);
	box->env = (struct virtio_env){
		.memory = box->memory,
		.lock = &box->lock,
		.clock = box->clock,
		.warn = record_warning,
		.warn_data = box,
	};
	return box;
}

void devbox_free(struct devbox *box)
{
	pci_bus_free(box->pci);
	memory_free(box->memory);
	bus_free(box->ports);
	bus_free(box->mmio);
	clock_free(box->clock);
	g_main_context_unref(box->context);
	g_mutex_clear(&box->lock.mutex);
	g_free(box->warning);
	g_free(box);
}

uint64_t devbox_in(struct devbox *box, uint16_t port, unsigned size)
{
	return bus_read(box->ports, port, size);
}

void devbox_out(struct devbox *box, uint16_t port, uint64_t value, unsigned size)
{
	bus_write(box->ports, port, value, size);
}

uint32_t devbox_config(struct devbox *box, unsigned slot, unsigned reg, unsigned size)
{
	return bus_read(box->mmio, PCI_ECAM_BASE + (slot << 15) + reg, size);
}

void devbox_set_config(
	struct devbox *box, unsigned slot, unsigned reg, uint32_t value, unsigned size)
{
	bus_write(box->mmio, PCI_ECAM_BASE + (slot << 15) + reg, value, size);
}

static gboolean do_nothing(void *data)
{
	return G_SOURCE_CONTINUE;
}

bool devbox_wait(struct devbox *box, const unsigned *flag, unsigned count, unsigned ms)
{
	int64_t end = g_get_monotonic_time() + ms * 1000ll;
	GSource *tick = g_timeout_source_new(1);

	/* The flag may be set by another thread: look at it every millisecond. */
	g_source_set_callback(tick, do_nothing, NULL, NULL);
	g_source_attach(tick, box->context);
	while (__atomic_load_n(flag, __ATOMIC_ACQUIRE) < count && g_get_monotonic_time() < end)
		g_main_context_iteration(box->context, TRUE);
	g_source_destroy(tick);
	g_source_unref(tick);
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE) >= count;
}

void devbox_run(struct devbox *box, unsigned ms)
{
	unsigned never = 0;

	devbox_wait(box, &never, 1, ms);
}

/* ---- a virtio driver ---- */

void *driver_at(struct driver *driver, uint64_t address)
{
	void *host = memory_at(driver->box->memory, address, 1);

	assert_non_null(host);
	return host;
}

static uint64_t bar_address(struct driver *driver, unsigned bar)
{
	unsigned reg = PCI_BASE_ADDRESS_0 + 4 * bar;
	uint32_t low = devbox_config(driver->box, driver->slot, reg, 4);
	uint64_t address = low & ~15u;

	if ((low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64)
		address |= (uint64_t)devbox_config(driver->box, driver->slot, reg + 4, 4) << 32;
	return address;
}

static void driver_take_capability(struct driver *driver, unsigned at)
{
	struct devbox *box = driver->box;
	unsigned type = devbox_config(box, driver->slot, at + 3, 1);
	unsigned bar = devbox_config(box, driver->slot, at + 4, 1);
	uint64_t address;

	if (type == VIRTIO_PCI_CAP_PCI_CFG)
		return;
	address = bar_address(driver, bar) + devbox_config(box, driver->slot, at + 8, 4);
	if (type == VIRTIO_PCI_CAP_COMMON_CFG)
		driver->common = address;
	else if (type == VIRTIO_PCI_CAP_ISR_CFG)
		driver->isr = address;
	else if (type == VIRTIO_PCI_CAP_DEVICE_CFG)
		driver->device = address;
	else if (type == VIRTIO_PCI_CAP_NOTIFY_CFG) {
		driver->notify = address;
		driver->multiplier = devbox_config(box, driver->slot, at + 16, 4);
	}
}

/* Enables MSI-X with the messages that driver_start() promises. */
static void driver_set_up_msix(struct driver *driver, unsigned at)
{
	struct devbox *box = driver->box;
	uint32_t table = devbox_config(box, driver->slot, at + 4, 4);
	uint64_t address = bar_address(driver, table & 7) + (table & ~7u);
	unsigned vectors = (devbox_config(box, driver->slot, at + 2, 2) & 0x7ff) + 1;

	for (unsigned i = 0; i < vectors; i++) {
		bus_write(box->mmio, address + 16 * i, 0xfee00000u, 4);
		bus_write(box->mmio, address + 16 * i + 4, 0, 4);
		bus_write(box->mmio, address + 16 * i + 8, 0x40 + i, 4);
		bus_write(box->mmio, address + 16 * i + 12, 0, 4);
	}
	devbox_set_config(box, driver->slot, at + 2, PCI_MSIX_FLAGS_ENABLE, 2);
}

void driver_find(struct driver *driver, struct devbox *box, unsigned slot)
{
	memset(driver, 0, sizeof(*driver));
	driver->box = box;
	driver->slot = slot;
	for (unsigned at = devbox_config(box, slot, PCI_CAPABILITY_LIST, 1); at;
		at = devbox_config(box, slot, at + 1, 1)) {
		unsigned id = devbox_config(box, slot, at, 1);

		if (id == PCI_CAP_ID_VNDR)
			driver_take_capability(driver, at);
		else if (id == PCI_CAP_ID_MSIX)
			driver_set_up_msix(driver, at);
	}
	assert_true(driver->common && driver->isr && driver->notify);
	driver_set_status(driver, 0);
}

uint64_t driver_read(struct driver *driver, unsigned offset, unsigned size)
{
	return bus_read(driver->box->mmio, driver->common + offset, size);
}

void driver_write(struct driver *driver, unsigned offset, uint64_t value, unsigned size)
{
	bus_write(driver->box->mmio, driver->common + offset, value, size);
}

uint8_t driver_status(struct driver *driver)
{
	return driver_read(driver, VIRTIO_PCI_COMMON_STATUS, 1);
}

void driver_set_status(struct driver *driver, uint8_t status)
{
	driver_write(driver, VIRTIO_PCI_COMMON_STATUS, status, 1);
}

uint64_t driver_offered(struct driver *driver)
{
	uint64_t features;

	driver_write(driver, VIRTIO_PCI_COMMON_DFSELECT, 0, 4);
	features = driver_read(driver, VIRTIO_PCI_COMMON_DF, 4);
	driver_write(driver, VIRTIO_PCI_COMMON_DFSELECT, 1, 4);
	return features | driver_read(driver, VIRTIO_PCI_COMMON_DF, 4) << 32;
}

static uint64_t ring(unsigned queue, unsigned part)
{
	return DRIVER_RINGS + queue * 0x10000ull + part * 0x1000ull;
}

struct vring_desc *driver_descriptors(struct driver *driver, unsigned queue)
{
	return driver_at(driver, ring(queue, 0));
}

struct vring_avail *driver_avail(struct driver *driver, unsigned queue)
{
	return driver_at(driver, ring(queue, 1));
}

struct vring_used *driver_used(struct driver *driver, unsigned queue)
{
	return driver_at(driver, ring(queue, 2));
}

void driver_set_up_queues(struct driver *driver)
{
	driver->queues = driver_read(driver, VIRTIO_PCI_COMMON_NUMQ, 2);
	for (unsigned i = 0; i < driver->queues; i++) {
		memset(driver_descriptors(driver, i), 0, 0x3000);
		driver_write(driver, VIRTIO_PCI_COMMON_Q_SELECT, i, 2);
		driver_write(driver, VIRTIO_PCI_COMMON_Q_SIZE, DRIVER_QUEUE, 2);
		driver_write(driver, VIRTIO_PCI_COMMON_Q_MSIX, 1 + i, 2);
		driver_write(driver, VIRTIO_PCI_COMMON_Q_DESCLO, ring(i, 0), 4);
		driver_write(driver, VIRTIO_PCI_COMMON_Q_DESCHI, 0, 4);
		driver_write(driver, VIRTIO_PCI_COMMON_Q_AVAILLO, ring(i, 1), 4);
		driver_write(driver, VIRTIO_PCI_COMMON_Q_AVAILHI, 0, 4);
		driver_write(driver, VIRTIO_PCI_COMMON_Q_USEDLO, ring(i, 2), 8);
		driver_write(driver, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
	}
	driver_write(driver, VIRTIO_PCI_COMMON_MSIX, 0, 2);
}

void driver_start(struct driver *driver, struct devbox *box, unsigned slot, uint64_t features)
{
	driver_find(driver, box, slot);
	driver_set_status(driver, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	driver->features = (features & driver_offered(driver)) | VIRTIO_FEATURE_VERSION_1;
	driver_write(driver, VIRTIO_PCI_COMMON_GFSELECT, 0, 4);
	driver_write(driver, VIRTIO_PCI_COMMON_GF, driver->features, 4);
	driver_write(driver, VIRTIO_PCI_COMMON_GFSELECT, 1, 4);
	driver_write(driver, VIRTIO_PCI_COMMON_GF, driver->features >> 32, 4);
	driver_set_status(driver, 0x0b);
	assert_int_equal(driver_status(driver), 0x0b);
	driver_set_up_queues(driver);
	driver_set_status(driver, 0x0f);
	assert_int_equal(driver_status(driver), 0x0f);
}

uint16_t driver_add(
	struct driver *driver, unsigned queue, const struct buffer *buffers, unsigned count)
{
	struct vring_desc *table = driver_descriptors(driver, queue);
	struct vring_avail *avail = driver_avail(driver, queue);
	uint16_t head = driver->next_descriptor[queue] % DRIVER_QUEUE, at = head;

	assert_true(count <= DRIVER_QUEUE);
	for (unsigned i = 0; i < count; i++) {
		at = driver->next_descriptor[queue]++ % DRIVER_QUEUE;
		table[at].addr = buffers[i].address;
		table[at].len = buffers[i].length;
		table[at].flags = (buffers[i].in ? VRING_DESC_F_WRITE : 0) |
				  (i + 1 < count ? VRING_DESC_F_NEXT : 0);
		table[at].next = (at + 1) % DRIVER_QUEUE;
	}
	avail->ring[avail->idx % DRIVER_QUEUE] = head;
	__atomic_store_n(&avail->idx, avail->idx + 1, __ATOMIC_RELEASE);
	return head;
}

void driver_notify(struct driver *driver, unsigned queue)
{
	bus_write(driver->box->mmio, driver->notify + queue * driver->multiplier, queue, 2);
}

bool driver_has_used(struct driver *driver, unsigned queue)
{
	return __atomic_load_n(&driver_used(driver, queue)->idx, __ATOMIC_ACQUIRE) !=
	       driver->used_seen[queue];
}

uint32_t driver_wait(struct driver *driver, unsigned queue)
{
	struct vring_used *used = driver_used(driver, queue);

	for (unsigned i = 0; i < 120000 && !driver_has_used(driver, queue); i++)
		devbox_run(driver->box, 1);
	assert_true(driver_has_used(driver, queue));
	return used->ring[driver->used_seen[queue]++ % DRIVER_QUEUE].len;
}

uint32_t driver_do(
	struct driver *driver, unsigned queue, const struct buffer *buffers, unsigned count)
{
	driver_add(driver, queue, buffers, count);
	driver_notify(driver, queue);
	return driver_wait(driver, queue);
}

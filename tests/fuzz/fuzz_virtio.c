// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Fuzzes the virtio devices: the input is a program of register writes, reads, notifications,
 * memory writes and host events against all devices of one machine. Whatever it does, nothing
 * may crash, leave guest memory or go round for ever.
 *
 * Each step is 8 bytes: operation, slot, two bytes of offset, four of value.
 */
#include "config.h"

#include "engine/vmm/block/block.h"
#include "engine/vmm/dev/virtio_balloon.h"
#include "engine/vmm/dev/virtio_block.h"
#include "engine/vmm/dev/virtio_console.h"
#include "engine/vmm/dev/virtio_mem.h"
#include "engine/vmm/dev/virtio_net.h"
#include "engine/vmm/dev/virtio_pci.h"
#include "engine/vmm/dev/virtio_rng.h"
#include "engine/vmm/dev/virtio_scsi.h"
#include "engine/vmm/memory.h"

#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <string.h>

#define MEMORY (1ull << 20)
#define DEVICES 7
#define REGION 0x140000000ull
#define STEPS_MAX 400
#define RING(queue) (0x1000ull * (queue) + 0x8000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A disk in host memory; requests are kept until ram_finish(), and some fail. */
struct ram_disk {
	struct block_backend base;
	struct block_request *kept;
	uint8_t bytes[65536];
};

static void ram_carry_out(struct ram_disk *disk, struct block_request *request)
{
	uint64_t at = request->offset;

	g_assert(at <= sizeof(disk->bytes) && request->length <= sizeof(disk->bytes) - at);
	for (unsigned i = 0; i < request->iov_count && request->op <= BLOCK_WRITE; i++) {
		const struct iovec *iov = &request->iov[i];

		g_assert(iov->iov_len <= sizeof(disk->bytes) - at);
		if (request->op == BLOCK_READ)
			memcpy(iov->iov_base, disk->bytes + at, iov->iov_len);
		else
			memmove(disk->bytes + at, iov->iov_base, iov->iov_len);
		at += iov->iov_len;
	}
}

static void ram_submit(struct block_backend *backend, struct block_request *request)
{
	struct ram_disk *disk = (struct ram_disk *)backend;

	request->next = disk->kept;
	disk->kept = request;
}

/* Without the lock, as backends do. */
static void ram_finish(struct block_backend *backend)
{
	struct ram_disk *disk = (struct ram_disk *)backend;

	while (disk->kept) {
		struct block_request *request = disk->kept;

		disk->kept = request->next;
		ram_carry_out(disk, request);
		request->done(request, request->offset & 512 ? 5 : 0);
	}
}

static const struct block_backend_ops ram_ops = {.submit = ram_submit, .drain = ram_finish};

static enum net_sent net_take(
	struct net_backend *backend, const struct iovec *iov, unsigned iov_count)
{
	static uint8_t sum;

	for (unsigned i = 0; i < iov_count; i++) {
		for (size_t j = 0; j < iov[i].iov_len; j += 64)
			sum += ((uint8_t *)iov[i].iov_base)[j];
	}
	return sum & 1 ? NET_SENT : NET_BUSY;
}

static void net_go_on(struct net_backend *backend)
{
}

static const struct net_backend_ops net_ops = {.send = net_take, .resume = net_go_on};

static size_t chardev_take(struct chardev *chardev, const void *data, size_t length)
{
	static unsigned turn;

	return MIN(length, turn++ % 40);
}

static void chardev_go_on(struct chardev *chardev)
{
}

static const struct chardev_ops chardev_test_ops = {.write = chardev_take, .resume = chardev_go_on};

static void ignore_set(struct irq_router *router, unsigned gsi, bool level)
{
}

static void ignore_message(struct irq_router *router, uint64_t address, uint32_t data)
{
}

static const struct irq_router_ops ignore_ops = {.set = ignore_set, .message = ignore_message};

struct machine {
	struct irq_router router;
	struct machine_lock lock;
	GMainContext *context;
	struct machine_clock *clock;
	struct guest_memory *memory;
	struct bus *ports, *mmio;
	struct pci_bus *pci;
	struct virtio_env env;
	struct ram_disk disk, medium;
	struct net_backend cable;
	struct chardev chardev, channel;
	struct virtio_block *block;
	struct virtio_net *net;
	struct virtio_console *console;
	struct virtio_balloon *balloon;
	struct virtio_rng *rng;
	struct virtio_mem *mem;
	struct virtio_scsi *scsi;
	struct virtio_pci *functions[DEVICES];
};

static void machine_plug(struct machine *m)
{
	static const uint8_t mac[6] = {2};
	struct virtio_device *devices[DEVICES];

	m->block = virtio_block_new(&m->env, &m->disk.base, "fuzz", NULL);
	m->net = virtio_net_new(&m->env, mac, 1500, &m->cable);
	m->console = virtio_console_new(&m->env, &m->chardev);
	virtio_console_add_channel(m->console, &m->channel, "channel");
	m->balloon = virtio_balloon_new(&m->env, true);
	m->rng = virtio_rng_new(&m->env);
	m->mem = virtio_mem_new(&m->env,
		&(struct virtio_mem_place){ REGION, 4 * MEMORY_BLOCK_SIZE, MEMORY_BLOCK_SIZE });
	virtio_mem_request(m->mem, 3 * MEMORY_BLOCK_SIZE);
	m->scsi = virtio_scsi_new(
		&m->env, cdrom_new("sda", "fuzz", NULL, NULL), &m->medium.base, NULL);
	devices[0] = virtio_block_device(m->block);
	devices[1] = virtio_net_device(m->net);
	devices[2] = virtio_console_device(m->console);
	devices[3] = virtio_balloon_device(m->balloon);
	devices[4] = virtio_rng_device(m->rng);
	devices[5] = virtio_mem_device(m->mem);
	devices[6] = virtio_scsi_device(m->scsi);
	for (unsigned i = 0; i < DEVICES; i++)
		m->functions[i] = virtio_pci_new(m->pci, i + 1, devices[i], NULL);
}

static struct machine *machine_new(void)
{
	struct machine *m = g_new0(struct machine, 1);

	m->router.ops = &ignore_ops;
	g_mutex_init(&m->lock.mutex);
	m->context = g_main_context_new();
	m->clock = clock_new(m->context, &m->lock, NULL);
	m->memory = memory_new(MEMORY, NULL);
	memory_add_region(m->memory, REGION, 4 * MEMORY_BLOCK_SIZE, NULL);
	memory_track_code(m->memory, NULL);
	m->ports = bus_new("ports", &m->lock);
	m->mmio = bus_new("mmio", &m->lock);
	m->pci = pci_bus_new(m->ports, m->mmio, &m->router);
	m->env = (struct virtio_env){.memory = m->memory, .lock = &m->lock, .clock = m->clock};
	m->disk.base = (struct block_backend){.ops = &ram_ops,
		.size = sizeof(m->disk.bytes),
		.can_discard = true,
		.block_size = 512};
	m->medium.base = (struct block_backend){
		.ops = &ram_ops, .size = sizeof(m->medium.bytes), .read_only = true};
	m->cable = (struct net_backend){.ops = &net_ops, .link_up = true};
	m->chardev.ops = m->channel.ops = &chardev_test_ops;
	machine_plug(m);
	return m;
}

static void machine_free(struct machine *m)
{
	ram_finish(&m->disk.base);
	ram_finish(&m->medium.base);
	for (unsigned i = 0; i < DEVICES; i++)
		virtio_pci_free(m->functions[i]);
	virtio_block_free(m->block);
	virtio_net_free(m->net);
	virtio_console_free(m->console);
	virtio_balloon_free(m->balloon);
	virtio_rng_free(m->rng);
	virtio_mem_free(m->mem);
	virtio_scsi_free(m->scsi);
	pci_bus_free(m->pci);
	bus_free(m->ports);
	bus_free(m->mmio);
	memory_free(m->memory);
	clock_free(m->clock);
	g_main_context_unref(m->context);
	g_mutex_clear(&m->lock.mutex);
	g_free(m);
}

static uint64_t registers(struct machine *m, unsigned slot)
{
	return bus_read(m->mmio, PCI_ECAM_BASE + (slot << 15) + PCI_BASE_ADDRESS_4, 4) & ~15ull;
}

/* What a well-meaning driver does, so that the input's effort goes into requests. */
static void set_up(struct machine *m, unsigned slot, uint32_t features)
{
	uint64_t base = registers(m, slot);

	bus_write(m->mmio, base + VIRTIO_PCI_COMMON_STATUS, 0, 1);
	bus_write(m->mmio, base + VIRTIO_PCI_COMMON_STATUS, 3, 1);
	bus_write(m->mmio, base + VIRTIO_PCI_COMMON_GFSELECT, 0, 4);
	bus_write(m->mmio, base + VIRTIO_PCI_COMMON_DFSELECT, 0, 4);
	features &= bus_read(m->mmio, base + VIRTIO_PCI_COMMON_DF, 4);
	bus_write(m->mmio, base + VIRTIO_PCI_COMMON_GF, features, 4);
	bus_write(m->mmio, base + VIRTIO_PCI_COMMON_GFSELECT, 1, 4);
	bus_write(m->mmio, base + VIRTIO_PCI_COMMON_GF, 1, 4);
	bus_write(m->mmio, base + VIRTIO_PCI_COMMON_STATUS, 0xb, 1);
	for (unsigned i = 0; i < 6; i++) {
		bus_write(m->mmio, base + VIRTIO_PCI_COMMON_Q_SELECT, i, 2);
		bus_write(m->mmio, base + VIRTIO_PCI_COMMON_Q_SIZE, 8, 2);
		bus_write(m->mmio, base + VIRTIO_PCI_COMMON_Q_DESCLO, RING(i), 8);
		bus_write(m->mmio, base + VIRTIO_PCI_COMMON_Q_AVAILLO, RING(i) + 0x400, 8);
		bus_write(m->mmio, base + VIRTIO_PCI_COMMON_Q_USEDLO, RING(i) + 0x800, 8);
		bus_write(m->mmio, base + VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
	}
	bus_write(m->mmio, base + VIRTIO_PCI_COMMON_STATUS, 0xf, 1);
}

/* Vectors 0 and 1 for configuration and queue 0, on or masked. */
static void set_up_msix(struct machine *m, unsigned slot, uint32_t value)
{
	uint64_t base = registers(m, slot);
	uint64_t table =
		bus_read(m->mmio, PCI_ECAM_BASE + (slot << 15) + PCI_BASE_ADDRESS_1, 4) & ~15ull;
	unsigned at = PCI_STD_HEADER_SIZEOF; /* the first capability */

	bus_write(m->mmio, base + VIRTIO_PCI_COMMON_MSIX, 0, 2);
	bus_write(m->mmio, base + VIRTIO_PCI_COMMON_Q_SELECT, 0, 2);
	bus_write(m->mmio, base + VIRTIO_PCI_COMMON_Q_MSIX, value >> 8 & 1, 2);
	bus_write(m->mmio, table + 12, value & 1, 4);
	bus_write(m->mmio, table + 28, value >> 1 & 1, 4);
	bus_write(m->mmio, PCI_ECAM_BASE + (slot << 15) + at + 2, value >> 16, 2);
}

/* A whole request to the memory device. */
static void add_plug(struct machine *m, uint32_t value)
{
	struct vring_avail *avail = memory_at(m->memory, RING(0) + 0x400, 64);
	uint64_t request[3] = {value & 7, REGION + (value >> 3 & 7) * (MEMORY_BLOCK_SIZE / 2),
		value >> 6 & 7};
	struct vring_desc desc[2] = {
		{0x4000, 24 - (value >> 9 & 1), VRING_DESC_F_NEXT, 1},
		{0x5f00, value >> 10 & 15, VRING_DESC_F_WRITE, 0},
	};

	memory_write(m->memory, 0x4000, request, sizeof(request));
	memory_write(m->memory, RING(0), desc, sizeof(desc));
	avail->ring[avail->idx & 7] = 0;
	avail->idx++;
	bus_write(m->mmio, registers(m, 6) + 0x3000, 0, 2);
}

/* A whole request to the disk: header, data, status, most often well made. */
static void add_request(struct machine *m, uint32_t value)
{
	struct vring_avail *avail = memory_at(m->memory, RING(0) + 0x400, 64);
	uint32_t header[4] = {value & 15, 0, value >> 4 & 0xff, 0};
	uint16_t write = value & 1 ? 0 : VRING_DESC_F_WRITE;
	struct vring_desc desc[3] = {
		{0x4000, 16, VRING_DESC_F_NEXT, 1},
		{0x4010, (value >> 12 & 0xff) * 16, VRING_DESC_F_NEXT | write, 2},
		{0x5f00, value >> 20 & 3, VRING_DESC_F_WRITE, 0},
	};

	if (value >> 31) {
		add_plug(m, value);
		return;
	}
	memory_write(m->memory, 0x4000, header, sizeof(header));
	memory_write(m->memory, RING(0), desc, sizeof(desc));
	avail->ring[avail->idx & 7] = 0;
	avail->idx++;
	bus_write(m->mmio, registers(m, 1) + 0x3000, 0, 2);
}

/* A whole command to the CD-ROM drive, or task management: what it is made of comes from the value. */
static void add_command(struct machine *m, uint16_t offset, uint32_t value)
{
	static const uint8_t codes[] = {0x00, 0x03, 0x12, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x2b, 0x43,
		0x46, 0x4a, 0x51, 0x52, 0x5a, 0xa0, 0xa8, 0xad, 0xbb, 0xbd};
	bool task = offset & 0x100;
	unsigned queue = task ? 0 : 2;
	struct vring_avail *avail = memory_at(m->memory, RING(queue) + 0x400, 64);
	uint8_t request[51] = {0};
	struct vring_desc desc[3] = {
		{0x4000, 24 + (task ? 0 : 27) - (offset >> 9 & 1), VRING_DESC_F_NEXT, 1},
		{0x5000, task ? 5 : 108, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 2},
		{0x6000, (value >> 16 & 0xff) << (value >> 24 & 7), VRING_DESC_F_WRITE, 0},
	};

	request[task ? 8 : 0] = 1;
	if (task) {
		request[4] = value & 7;
	} else {
		request[19] = codes[value % G_N_ELEMENTS(codes)];
		for (unsigned i = 1; i < 12; i++)
			request[19 + i] = (uint8_t)(i % 3 ? value >> (i + 4) : value >> 5 & 3);
	}
	memory_write(m->memory, 0x4000, request, sizeof(request));
	memory_write(m->memory, RING(queue), desc, sizeof(desc));
	avail->ring[avail->idx & 7] = 0;
	avail->idx++;
	bus_write(m->mmio, registers(m, 7) + 0x3000 + 4 * queue, queue, 2);
}

/* Somebody changes the medium. */
static void change_medium(struct cdrom *drive, uint32_t value)
{
	if (!cdrom_open(drive, value & 1))
		return;
	cdrom_put(drive, value & 2 ? sizeof(((struct ram_disk *)NULL)->bytes) >> (value & 4) : 0);
	if (value & 8)
		cdrom_close(drive);
}

/* Makes descriptor offset & 7 of a queue available, after setting it from the value. */
static void add(struct machine *m, unsigned slot, uint16_t offset, uint32_t value)
{
	unsigned queue = (offset >> 4 & 3) + (offset >> 8 & 3), at = offset & 7;
	struct vring_desc desc = {
		.addr = (uint64_t)(value & 0xff) << (value >> 8 & 15),
		.len = (value >> 12 & 0xff) << (value >> 20 & 3),
		.flags = value >> 22 & 7,
		.next = value >> 25 & 15,
	};
	struct vring_avail *avail = memory_at(m->memory, RING(queue) + 0x400, 64);

	memory_write(m->memory, RING(queue) + 16 * at, &desc, sizeof(desc));
	if (offset & 8)
		return;
	avail->ring[avail->idx & 7] = at;
	avail->idx++;
	if (offset & 0x40)
		bus_write(m->mmio, registers(m, slot) + 0x3000 + 4 * queue, queue, 2);
}

static void host_event(struct machine *m, uint16_t offset, uint32_t value)
{
	uint8_t frame[2000] = {1};

	g_mutex_lock(&m->lock.mutex);
	switch (offset % 11) {
	case 0:
		m->cable.client->receive(m->net, frame, value % sizeof(frame));
		m->cable.client->received(m->net);
		break;
	case 1:
		m->cable.client->writable(m->net);
		break;
	case 2:
		chardev_receive(
			value & 1 ? &m->channel : &m->chardev, frame, value % sizeof(frame));
		break;
	case 3:
		chardev_writable(&m->chardev);
		break;
	case 4:
		virtio_balloon_set_target(m->balloon, value);
		break;
	case 5:
		virtio_net_set_link(m->net, value & 1);
		break;
	case 6:
		virtio_balloon_set_period(m->balloon, value & 0xff);
		break;
	case 7:
		virtio_block_resized(m->block);
		break;
	case 8:
		chardev_resize(&m->chardev, value & 0xff, value >> 8 & 0xff);
		break;
	case 9:
		if (!(value & 15))
			pci_bus_reset(m->pci);
		break;
	case 10:
		change_medium(virtio_scsi_drive(m->scsi), value);
		break;
	}
	g_mutex_unlock(&m->lock.mutex);
}

static void step(struct machine *m, const uint8_t *bytes)
{
	static const unsigned sizes[] = {1, 2, 4, 8};
	unsigned slot = 1 + bytes[1] % DEVICES, length = sizes[bytes[0] >> 6];
	uint16_t offset = bytes[2] | bytes[3] << 8;
	uint32_t value;

	memcpy(&value, bytes + 4, 4);
	switch (bytes[0] & 7) {
	case 0:
		bus_write(m->mmio, registers(m, slot) + (offset & 0x3fff), value, length);
		break;
	case 1:
		bus_read(m->mmio, registers(m, slot) + (offset & 0x3fff), length);
		break;
	case 2:
		bus_write(m->mmio, PCI_ECAM_BASE + (slot << 15) + (offset & 0xff), value,
			MIN(length, 4));
		bus_read(m->mmio, PCI_ECAM_BASE + (slot << 15) + (offset & 0xff), MIN(length, 4));
		break;
	case 3:
		memory_write(m->memory, 0x8000 + (offset & 0x3fff), &value, MIN(length, 4));
		break;
	case 4:
		set_up(m, slot, value);
		break;
	case 5:
		if ((offset & 0xc0) == 0xc0)
			add_command(m, offset, value);
		else if (offset & 0x80)
			add_request(m, value);
		else
			add(m, slot, offset, value);
		break;
	case 6:
		if (offset & 1)
			set_up_msix(m, slot, value);
		else
			ram_finish(offset & 2 ? &m->medium.base : &m->disk.base);
		g_main_context_iteration(m->context, FALSE);
		break;
	case 7:
		host_event(m, offset, value);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine *m = machine_new();

	for (size_t i = 0; i + 8 <= size && i < STEPS_MAX * 8; i += 8)
		step(m, data + i);
	machine_free(m);
	return 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
/* PCI, the virtio transport and queues, and the devices that need no host file or network. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine/vmm/dev/virtio_balloon.h"
#include "engine/vmm/dev/virtio_console.h"
#include "engine/vmm/dev/virtio_rng.h"
#include "tests/engine/devbox.h"

#include <linux/pci_regs.h>
#include <linux/virtio_console.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <string.h>

struct fixture {
	struct devbox *box;
	struct virtio_rng *rng;
	struct virtio_pci *pci;
	struct driver driver;
};

static int set_up(void **state)
{
	struct fixture *f = g_new0(struct fixture, 1);

	f->box = devbox_new();
	f->rng = virtio_rng_new(&f->box->env);
	f->pci = virtio_pci_new(f->box->pci, 3, virtio_rng_device(f->rng), NULL);
	assert_non_null(f->pci);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	virtio_pci_free(f->pci);
	virtio_rng_free(f->rng);
	devbox_free(f->box);
	g_free(f);
	return 0;
}

/* ---- PCI ---- */

static uint32_t by_port(struct devbox *box, unsigned slot, unsigned reg, unsigned size)
{
	devbox_out(box, 0xcf8, 0x80000000u | slot << 11 | (reg & 0xfc), 4);
	return devbox_in(box, 0xcfc + (reg & 3), size);
}

static void test_pci_config(void **state)
{
	struct fixture *f = *state;
	struct devbox *box = f->box;

	assert_int_equal(by_port(box, 0, 0, 4), 0x00081b36);
	assert_int_equal(by_port(box, 3, 0, 4), 0x10441af4);
	assert_int_equal(by_port(box, 3, 2, 2), 0x1044);
	assert_int_equal(devbox_config(box, 3, 0, 4), 0x10441af4);
	assert_int_equal(by_port(box, 4, 0, 4), 0xffffffff);
	assert_int_equal(devbox_config(box, 31, 0, 4), 0xffffffff);
	assert_int_equal(devbox_config(box, 3, 0x100, 4), 0);
	assert_int_equal(devbox_config(box, 3, PCI_INTERRUPT_PIN, 1), 1);
	/* Other functions and buses are empty. */
	devbox_out(box, 0xcf8, 0x80000000u | 3 << 11 | 1 << 8, 4);
	assert_int_equal(devbox_in(box, 0xcfc, 4), 0xffffffff);
	devbox_out(box, 0xcf8, 0x80010000u | 3 << 11, 4);
	assert_int_equal(devbox_in(box, 0xcfc, 4), 0xffffffff);
	/* Read-only fields stay. */
	devbox_set_config(box, 3, 0, 0, 4);
	assert_int_equal(devbox_config(box, 3, 0, 4), 0x10441af4);
}

static void test_pci_bars(void **state)
{
	struct fixture *f = *state;
	struct devbox *box = f->box;
	uint32_t old = devbox_config(box, 3, PCI_BASE_ADDRESS_4, 4);
	uint64_t high = PCI_WINDOW64_BASE;

	assert_int_equal(old & 15, PCI_BASE_ADDRESS_MEM_TYPE_64);
	assert_true((old & ~15u) >= PCI_WINDOW_BASE && (old & ~15u) < PCI_WINDOW_END);
	assert_int_equal(bus_read(box->mmio, (old & ~15u) + VIRTIO_PCI_COMMON_NUMQ, 2), 1);
	/* Sizing. */
	devbox_set_config(box, 3, PCI_BASE_ADDRESS_4, 0xffffffff, 4);
	devbox_set_config(box, 3, PCI_BASE_ADDRESS_5, 0xffffffff, 4);
	assert_int_equal(devbox_config(box, 3, PCI_BASE_ADDRESS_4, 4), 0xffffc004);
	assert_int_equal(devbox_config(box, 3, PCI_BASE_ADDRESS_5, 4), 0xffffffff);
	assert_int_equal(bus_read(box->mmio, (old & ~15u) + VIRTIO_PCI_COMMON_NUMQ, 2), 0xffff);
	/* Moved above 4 GiB. */
	devbox_set_config(box, 3, PCI_BASE_ADDRESS_4, (uint32_t)high, 4);
	devbox_set_config(box, 3, PCI_BASE_ADDRESS_5, high >> 32, 4);
	assert_int_equal(bus_read(box->mmio, high + VIRTIO_PCI_COMMON_NUMQ, 2), 1);
	/* Decoding off, and reset. */
	devbox_set_config(box, 3, PCI_COMMAND, 0, 2);
	assert_int_equal(bus_read(box->mmio, high + VIRTIO_PCI_COMMON_NUMQ, 2), 0xffff);
	g_mutex_lock(&box->lock.mutex);
	pci_bus_reset(box->pci);
	g_mutex_unlock(&box->lock.mutex);
	assert_int_equal(devbox_config(box, 3, PCI_BASE_ADDRESS_4, 4), old);
	assert_int_equal(bus_read(box->mmio, (old & ~15u) + VIRTIO_PCI_COMMON_NUMQ, 2), 1);
}

static void test_pci_slots(void **state)
{
	struct fixture *f = *state;
	struct pci_device *devices = g_new0(struct pci_device, PCI_SLOTS);
	static const struct pci_identity identity = {.vendor = 1, .device = 2};
	unsigned plugged = 0;

	for (unsigned i = 0; i < PCI_SLOTS; i++) {
		pci_device_init(&devices[i], "filler", &identity);
		plugged += pci_plug(f->box->pci, &devices[i], 0);
	}
	assert_int_equal(plugged, 30); /* beside the host bridge and the fixture's */
	assert_int_equal(devbox_config(f->box, 31, 0, 4), 0x00020001);
	for (unsigned i = 0; i < PCI_SLOTS; i++)
		pci_unplug(&devices[i]);
	assert_int_equal(devbox_config(f->box, 31, 0, 4), 0xffffffff);
	g_free(devices);
}

/* ---- transport ---- */

static void test_features(void **state)
{
	struct fixture *f = *state;
	struct driver *driver = &f->driver;

	driver_find(driver, f->box, 3);
	assert_true(driver_offered(driver) == (VIRTIO_FEATURE_INDIRECT | VIRTIO_FEATURE_EVENT_IDX |
						      VIRTIO_FEATURE_VERSION_1));
	driver_set_status(driver, 3);
	/* Not without VERSION_1; not with what was not offered. */
	driver_set_status(driver, 0x0b);
	assert_int_equal(driver_status(driver), 3);
	driver_write(driver, VIRTIO_PCI_COMMON_GFSELECT, 1, 4);
	driver_write(driver, VIRTIO_PCI_COMMON_GF, 3, 4);
	driver_set_status(driver, 0x0b);
	assert_int_equal(driver_status(driver), 3);
	driver_write(driver, VIRTIO_PCI_COMMON_GF, 1, 4);
	driver_set_status(driver, 0x0b);
	assert_int_equal(driver_status(driver), 0x0b);
	/* Too late now. */
	driver_write(driver, VIRTIO_PCI_COMMON_GFSELECT, 0, 4);
	driver_write(driver, VIRTIO_PCI_COMMON_GF, 1u << 28, 4);
	driver_set_up_queues(driver);
	driver_set_status(driver, 0x0f);
	assert_false(virtio_has(virtio_rng_device(f->rng), VIRTIO_FEATURE_INDIRECT));
	driver_set_status(driver, 0);
	assert_int_equal(driver_status(driver), 0);
	driver_write(driver, VIRTIO_PCI_COMMON_Q_SELECT, 0, 2);
	assert_int_equal(driver_read(driver, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	driver_write(driver, VIRTIO_PCI_COMMON_Q_SELECT, 7, 2);
	assert_int_equal(driver_read(driver, VIRTIO_PCI_COMMON_Q_SIZE, 2), 0);
}

static void test_rng(void **state)
{
	struct fixture *f = *state;
	struct driver *driver = &f->driver;
	struct buffer buffers[] = {{DRIVER_DATA, 100, true}, {DRIVER_DATA + 0x1000, 28, true}};
	uint8_t zero[64] = {0};

	driver_start(driver, f->box, 3, 0);
	assert_int_equal(driver_do(driver, 0, buffers, 2), 128);
	assert_memory_not_equal(driver_at(driver, DRIVER_DATA), zero, 64);
	assert_memory_not_equal(driver_at(driver, DRIVER_DATA + 0x1000), zero, 28);
	assert_int_equal(f->box->messages, 1);
	assert_true(f->box->last_address == 0xfee00000 && f->box->last_data == 0x41);
	/* The driver does not want an interrupt now. */
	driver_avail(driver, 0)->flags = VRING_AVAIL_F_NO_INTERRUPT;
	assert_int_equal(driver_do(driver, 0, buffers, 1), 100);
	assert_int_equal(f->box->messages, 1);
}

static void test_intx(void **state)
{
	struct fixture *f = *state;
	struct driver *driver = &f->driver;
	struct buffer buffer = {DRIVER_DATA, 16, true};
	unsigned at = 0;

	driver_start(driver, f->box, 3, 0);
	for (at = devbox_config(f->box, 3, PCI_CAPABILITY_LIST, 1);
		devbox_config(f->box, 3, at, 1) != PCI_CAP_ID_MSIX;)
		at = devbox_config(f->box, 3, at + 1, 1);
	devbox_set_config(f->box, 3, at + 2, 0, 2);
	driver_do(driver, 0, &buffer, 1);
	assert_int_equal(f->box->messages, 0);
	assert_true(f->box->level[pci_intx_gsi(3)]);
	assert_true(f->box->level[pci_intx_isa(3)]);
	devbox_set_config(f->box, 3, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE, 2);
	assert_false(f->box->level[pci_intx_gsi(3)]);
	devbox_set_config(f->box, 3, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	assert_true(f->box->level[pci_intx_gsi(3)]);
	assert_int_equal(bus_read(f->box->mmio, driver->isr, 1), 1);
	assert_false(f->box->level[pci_intx_gsi(3)]);
	assert_int_equal(bus_read(f->box->mmio, driver->isr, 1), 0);
}

static void test_msix_masked(void **state)
{
	struct fixture *f = *state;
	struct driver *driver = &f->driver;
	struct buffer buffer = {DRIVER_DATA, 16, true};
	uint64_t table = devbox_config(f->box, 3, PCI_BASE_ADDRESS_1, 4) & ~15u;

	driver_start(driver, f->box, 3, 0);
	bus_write(f->box->mmio, table + 16 + 12, 1, 4);
	driver_do(driver, 0, &buffer, 1);
	assert_int_equal(f->box->messages, 0);
	assert_int_equal(bus_read(f->box->mmio, table + 0x800, 4), 2);
	bus_write(f->box->mmio, table + 16 + 8, 0x77, 4);
	bus_write(f->box->mmio, table + 16 + 12, 0, 4);
	assert_int_equal(f->box->messages, 1);
	assert_int_equal(f->box->last_data, 0x77);
	assert_int_equal(bus_read(f->box->mmio, table + 0x800, 8), 0);
	/* A vector that the device has not got is refused. */
	driver_write(driver, VIRTIO_PCI_COMMON_Q_SELECT, 0, 2);
	driver_write(driver, VIRTIO_PCI_COMMON_Q_MSIX, 9, 2);
	assert_int_equal(driver_read(driver, VIRTIO_PCI_COMMON_Q_MSIX, 2), 0xffff);
}

static void test_event_idx(void **state)
{
	struct fixture *f = *state;
	struct driver *driver = &f->driver;
	struct buffer buffer = {DRIVER_DATA, 16, true};
	struct vring_used *used;

	driver_start(driver, f->box, 3, VIRTIO_FEATURE_EVENT_IDX);
	used = driver_used(driver, 0);
	driver_do(driver, 0, &buffer, 1);
	assert_int_equal(f->box->messages, 1);
	assert_int_equal(*(uint16_t *)&used->ring[DRIVER_QUEUE], 1); /* avail_event */
	/* used_event: not before the third from now. */
	driver_avail(driver, 0)->ring[DRIVER_QUEUE] = 3;
	driver_do(driver, 0, &buffer, 1);
	driver_do(driver, 0, &buffer, 1);
	assert_int_equal(f->box->messages, 1);
	driver_do(driver, 0, &buffer, 1);
	assert_int_equal(f->box->messages, 2);
}

static void test_indirect(void **state)
{
	struct fixture *f = *state;
	struct driver *driver = &f->driver;
	struct vring_desc *inner;

	driver_start(driver, f->box, 3, VIRTIO_FEATURE_INDIRECT);
	inner = driver_at(driver, DRIVER_DATA + 0x8001); /* need not be aligned */
	for (unsigned i = 0; i < 100; i++) {
		struct vring_desc desc = {DRIVER_DATA + i, 1,
			VRING_DESC_F_WRITE | (i < 99 ? VRING_DESC_F_NEXT : 0), i + 1};

		memcpy((uint8_t *)inner + sizeof(desc) * i, &desc, sizeof(desc));
	}
	driver_add(driver, 0, &(struct buffer){DRIVER_DATA + 0x8001, 1600, false}, 1);
	driver_descriptors(driver, 0)[0].flags = VRING_DESC_F_INDIRECT;
	driver_notify(driver, 0);
	assert_int_equal(driver_wait(driver, 0), 100);
}

static void test_access_window(void **state)
{
	struct fixture *f = *state;
	struct devbox *box = f->box;
	unsigned at = devbox_config(box, 3, PCI_CAPABILITY_LIST, 1);

	while (devbox_config(box, 3, at, 1) != PCI_CAP_ID_VNDR ||
		devbox_config(box, 3, at + 3, 1) != VIRTIO_PCI_CAP_PCI_CFG)
		at = devbox_config(box, 3, at + 1, 1);
	devbox_set_config(box, 3, at + 4, 4, 1);
	devbox_set_config(box, 3, at + 8, VIRTIO_PCI_COMMON_NUMQ, 4);
	devbox_set_config(box, 3, at + 12, 2, 4);
	assert_int_equal(devbox_config(box, 3, at + 16, 2), 1);
	devbox_set_config(box, 3, at + 8, VIRTIO_PCI_COMMON_STATUS, 4);
	devbox_set_config(box, 3, at + 12, 1, 4);
	devbox_set_config(box, 3, at + 16, 3, 1);
	driver_find(&f->driver, box, 3);
	devbox_set_config(box, 3, at + 16, 3, 1);
	assert_int_equal(driver_status(&f->driver), 3);
	/* Nonsense selects nothing. */
	devbox_set_config(box, 3, at + 8, 0x80000000, 4);
	devbox_set_config(box, 3, at + 16, 0, 1);
	devbox_set_config(box, 3, at + 8, 1, 4);
	devbox_set_config(box, 3, at + 12, 4, 4);
	devbox_set_config(box, 3, at + 16, 0, 4);
	assert_int_equal(driver_status(&f->driver), 3);
}

/* ---- misuse ---- */

/* Each case breaks a running queue in one way. */
static void break_address(struct driver *driver)
{
	driver_descriptors(driver, 0)[0].addr = DEVBOX_MEMORY - 8;
}

static void break_wrap(struct driver *driver)
{
	driver_descriptors(driver, 0)[0].addr = UINT64_MAX - 7;
}

static void break_loop(struct driver *driver)
{
	driver_descriptors(driver, 0)[0].flags = VRING_DESC_F_NEXT | VRING_DESC_F_WRITE;
	driver_descriptors(driver, 0)[0].next = 0;
}

static void break_next(struct driver *driver)
{
	driver_descriptors(driver, 0)[0].flags = VRING_DESC_F_NEXT | VRING_DESC_F_WRITE;
	driver_descriptors(driver, 0)[0].next = DRIVER_QUEUE;
}

static void break_order(struct driver *driver)
{
	driver_descriptors(driver, 0)[0].flags = VRING_DESC_F_NEXT | VRING_DESC_F_WRITE;
	driver_descriptors(driver, 0)[0].next = 1;
	driver_descriptors(driver, 0)[1] = (struct vring_desc){DRIVER_DATA, 4, 0, 0};
}

static void break_head(struct driver *driver)
{
	driver_avail(driver, 0)->ring[0] = 0x1234;
}

static void break_index(struct driver *driver)
{
	driver_avail(driver, 0)->idx += DRIVER_QUEUE + 1;
}

static void break_indirect_length(struct driver *driver)
{
	driver_descriptors(driver, 0)[0].flags = VRING_DESC_F_INDIRECT;
	driver_descriptors(driver, 0)[0].len = 17;
}

static void break_indirect_address(struct driver *driver)
{
	driver_descriptors(driver, 0)[0].flags = VRING_DESC_F_INDIRECT;
	driver_descriptors(driver, 0)[0].addr = DEVBOX_MEMORY - 16;
	driver_descriptors(driver, 0)[0].len = 32;
}

static void break_indirect_nested(struct driver *driver)
{
	struct vring_desc *inner = driver_at(driver, DRIVER_DATA);

	inner[0] = (struct vring_desc){DRIVER_DATA, 16, VRING_DESC_F_INDIRECT, 0};
	driver_descriptors(driver, 0)[0].flags = VRING_DESC_F_INDIRECT;
	driver_descriptors(driver, 0)[0].len = 16;
}

static void break_indirect_next(struct driver *driver)
{
	driver_descriptors(driver, 0)[0].flags = VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT;
}

static void break_indirect_loop(struct driver *driver)
{
	struct vring_desc *inner = driver_at(driver, DRIVER_DATA);

	inner[0] =
		(struct vring_desc){DRIVER_DATA + 64, 4, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 0};
	driver_descriptors(driver, 0)[0].flags = VRING_DESC_F_INDIRECT;
	driver_descriptors(driver, 0)[0].len = 16;
}

static void test_misuse(void **state)
{
	static void (*const cases[])(struct driver * driver) = {
		break_address,
		break_wrap,
		break_loop,
		break_next,
		break_order,
		break_head,
		break_index,
		break_indirect_length,
		break_indirect_address,
		break_indirect_nested,
		break_indirect_next,
		break_indirect_loop,
	};
	struct fixture *f = *state;
	struct driver *driver = &f->driver;
	struct buffer buffer = {DRIVER_DATA, 16, true};

	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		unsigned messages;

		driver_start(driver, f->box, 3, VIRTIO_FEATURE_INDIRECT);
		driver_add(driver, 0, &buffer, 1);
		cases[i](driver);
		messages = f->box->messages;
		driver_notify(driver, 0);
		driver_notify(driver, 0);
		assert_int_equal(driver_status(driver), 0x4f);
		assert_false(driver_has_used(driver, 0));
		assert_int_equal(f->box->warnings, i + 1);
		assert_non_null(strstr(f->box->warning, "virtio-rng"));
		/* The driver is told by a configuration interrupt. */
		assert_int_equal(f->box->messages, messages + 1);
		assert_int_equal(f->box->last_data, 0x40);
	}
	/* And a reset makes it good again. */
	driver_start(driver, f->box, 3, 0);
	assert_int_equal(driver_do(driver, 0, &buffer, 1), 16);
}

static void test_misused_rings(void **state)
{
	struct fixture *f = *state;
	struct driver *driver = &f->driver;
	static const struct {
		unsigned field;
		uint64_t value;
		unsigned size;
	} cases[] = {
		{VIRTIO_PCI_COMMON_Q_SIZE, 3, 2},
		{VIRTIO_PCI_COMMON_Q_SIZE, 0, 2},
		{VIRTIO_PCI_COMMON_Q_SIZE, 0x8000, 2},
		{VIRTIO_PCI_COMMON_Q_DESCLO, DRIVER_RINGS + 8, 4},
		{VIRTIO_PCI_COMMON_Q_DESCLO, DEVBOX_MEMORY - 16, 4},
		{VIRTIO_PCI_COMMON_Q_AVAILLO, DEVBOX_MEMORY, 4},
		{VIRTIO_PCI_COMMON_Q_USEDHI, 0xffffffff, 4},
		{VIRTIO_PCI_COMMON_Q_USEDLO, DRIVER_RINGS + 2, 4},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		driver_find(driver, f->box, 3);
		driver_set_status(driver, 3);
		driver_write(driver, VIRTIO_PCI_COMMON_GFSELECT, 1, 4);
		driver_write(driver, VIRTIO_PCI_COMMON_GF, 1, 4);
		driver_set_status(driver, 0x0b);
		driver_write(driver, VIRTIO_PCI_COMMON_Q_DESCLO, DRIVER_RINGS, 8);
		driver_write(driver, VIRTIO_PCI_COMMON_Q_AVAILLO, DRIVER_RINGS + 0x1000, 8);
		driver_write(driver, VIRTIO_PCI_COMMON_Q_USEDLO, DRIVER_RINGS + 0x2000, 8);
		driver_write(driver, cases[i].field, cases[i].value, cases[i].size);
		driver_write(driver, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
		assert_int_equal(driver_read(driver, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
		assert_true(driver_status(driver) & VIRTIO_STATUS_NEEDS_RESET);
		driver_notify(driver, 0);
	}
}

/* ---- console ---- */

struct pipe {
	struct chardev base;
	GString *text;
	size_t room;
	unsigned resumed;
};

static size_t pipe_write(struct chardev *chardev, const void *data, size_t length)
{
	struct pipe *pipe = (struct pipe *)chardev;
	size_t taken = MIN(length, pipe->room);

	g_string_append_len(pipe->text, data, taken);
	pipe->room -= taken;
	return taken;
}

static void pipe_resume(struct chardev *chardev)
{
	((struct pipe *)chardev)->resumed++;
}

static const struct chardev_ops pipe_ops = {.write = pipe_write, .resume = pipe_resume};

static void test_console(void **state)
{
	struct fixture *f = *state;
	struct pipe pipe = {.base.ops = &pipe_ops, .text = g_string_new(NULL), .room = 8};
	struct virtio_console *console = virtio_console_new(&f->box->env, &pipe.base);
	struct virtio_pci *pci =
		virtio_pci_new(f->box->pci, 0, virtio_console_device(console), NULL);
	struct driver driver;
	struct buffer hello[] = {{DRIVER_DATA, 5, false}, {DRIVER_DATA + 0x1000, 7, false}};
	struct buffer space = {DRIVER_DATA + 0x2000, 4, true};

	driver_start(&driver, f->box, virtio_pci_slot(pci), UINT64_MAX);
	assert_int_equal(bus_read(f->box->mmio, driver.device, 2), 80);
	memcpy(driver_at(&driver, DRIVER_DATA), "Hello", 5);
	memcpy(driver_at(&driver, DRIVER_DATA + 0x1000), ", world", 7);
	/* The host takes 8 bytes, later the rest: the buffer is the guest's again only then. */
	driver_add(&driver, 1, hello, 2);
	driver_notify(&driver, 1);
	assert_string_equal(pipe.text->str, "Hello, w");
	assert_false(driver_has_used(&driver, 1));
	pipe.room = 100;
	chardev_writable(&pipe.base);
	assert_string_equal(pipe.text->str, "Hello, world");
	driver_wait(&driver, 1);
	/* To the guest: no buffer, then one that is too small. */
	assert_int_equal(chardev_receive(&pipe.base, "abcdef", 6), 0);
	driver_add(&driver, 0, &space, 1);
	driver_notify(&driver, 0);
	assert_int_equal(pipe.resumed, 1);
	assert_int_equal(chardev_receive(&pipe.base, "abcdef", 6), 4);
	assert_int_equal(driver_wait(&driver, 0), 4);
	assert_memory_equal(driver_at(&driver, DRIVER_DATA + 0x2000), "abcd", 4);
	f->box->messages = 0;
	chardev_resize(&pipe.base, 132, 43);
	assert_int_equal(f->box->messages, 1);
	assert_int_equal(bus_read(f->box->mmio, driver.device, 4), 132 | 43 << 16);
	/* A reset in the middle of a slow write gives the device back at once. */
	pipe.room = 0;
	driver_add(&driver, 1, hello, 2);
	driver_notify(&driver, 1);
	driver_set_status(&driver, 0);
	assert_int_equal(driver_status(&driver), 0);
	virtio_pci_free(pci);
	virtio_console_free(console);
	g_string_free(pipe.text, TRUE);
}

/* A guest that adds a request for each one served, without end. */
struct busy_guest {
	struct chardev base;
	struct driver *driver;
	unsigned served;
};

static size_t busy_write(struct chardev *chardev, const void *data, size_t length)
{
	struct busy_guest *guest = (struct busy_guest *)chardev;

	guest->served++;
	driver_add(guest->driver, 1, &(struct buffer){DRIVER_DATA, 1, false}, 1);
	return length;
}

static const struct chardev_ops busy_ops = {.write = busy_write, .resume = pipe_resume};

static void test_endless(void **state)
{
	struct fixture *f = *state;
	struct driver driver;
	struct busy_guest guest = {.base.ops = &busy_ops, .driver = &driver};
	struct virtio_console *console = virtio_console_new(&f->box->env, &guest.base);
	struct virtio_pci *pci =
		virtio_pci_new(f->box->pci, 0, virtio_console_device(console), NULL);

	driver_start(&driver, f->box, virtio_pci_slot(pci), 0);
	driver_add(&driver, 1, &(struct buffer){DRIVER_DATA, 1, false}, 1);
	/* The notification ends, and the rest is done by the main loop, a part at a time. */
	driver_notify(&driver, 1);
	assert_int_equal(guest.served, VIRTQ_SIZE_MAX);
	assert_true(devbox_wait(f->box, &guest.served, 3 * VIRTQ_SIZE_MAX, 120000));
	assert_int_equal(guest.served % VIRTQ_SIZE_MAX, 0);
	driver_set_status(&driver, 0);
	assert_int_equal(driver_status(&driver), 0);
	virtio_pci_free(pci);
	virtio_console_free(console);
}

/* The next control message; its length. */
static uint32_t control_message(struct driver *driver, struct virtio_console_control *message)
{
	uint16_t id = driver_used(driver, 2)->ring[driver->used_seen[2] % DRIVER_QUEUE].id;
	uint32_t length = driver_wait(driver, 2);

	memcpy(message, driver_at(driver, driver_descriptors(driver, 2)[id].addr), length);
	driver_add(driver, 2, &(struct buffer){DRIVER_DATA + 0x100 * id, 64, true}, 1);
	driver_notify(driver, 2);
	return length;
}

static void control(struct driver *driver, uint32_t id, uint16_t event, uint16_t value)
{
	struct virtio_console_control *message = driver_at(driver, DRIVER_DATA + 0x8000);

	*message = (struct virtio_console_control){id, event, value};
	driver_do(driver, 3, &(struct buffer){DRIVER_DATA + 0x8000, sizeof(*message), false}, 1);
}

static void expect_control(struct driver *driver, uint32_t id, uint16_t event, const char *extra)
{
	uint8_t bytes[64] = {0};
	struct virtio_console_control *message = (struct virtio_console_control *)bytes;
	uint32_t length = control_message(driver, message);

	assert_int_equal(message->id, id);
	assert_int_equal(message->event, event);
	if (extra)
		assert_memory_equal(bytes + sizeof(*message), extra, length - sizeof(*message));
}

static void test_channels(void **state)
{
	struct fixture *f = *state;
	struct pipe ends[3] = {{.base.ops = &pipe_ops, .room = 100},
		{.base.ops = &pipe_ops, .room = 100}, {.base.ops = &pipe_ops, .room = 100}};
	struct virtio_console *console = virtio_console_new(&f->box->env, &ends[0].base);
	struct virtio_pci *pci;
	struct driver driver;

	ends[1].text = g_string_new(NULL);
	assert_true(virtio_console_add_channel(console, &ends[1].base, "org.qemu.guest_agent.0"));
	assert_true(virtio_console_add_channel(console, &ends[2].base, "second"));
	assert_false(virtio_console_add_channel(console, NULL, "one too many"));
	pci = virtio_pci_new(f->box->pci, 0, virtio_console_device(console), NULL);
	driver_start(&driver, f->box, virtio_pci_slot(pci), UINT64_MAX);
	assert_int_equal(bus_read(f->box->mmio, driver.device + 4, 4), 3);
	for (unsigned i = 0; i < DRIVER_QUEUE; i++)
		driver_add(&driver, 2, &(struct buffer){DRIVER_DATA + 0x100 * i, 64, true}, 1);
	/* Nothing is said before the driver is ready; then three ports, each with its story. */
	assert_false(driver_has_used(&driver, 2));
	control(&driver, UINT32_MAX, VIRTIO_CONSOLE_DEVICE_READY, 1);
	for (unsigned i = 0; i < 3; i++)
		expect_control(&driver, i, VIRTIO_CONSOLE_PORT_ADD, NULL);
	control(&driver, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	expect_control(&driver, 0, VIRTIO_CONSOLE_CONSOLE_PORT, NULL);
	expect_control(&driver, 0, VIRTIO_CONSOLE_RESIZE, "\x50\0\x19");
	expect_control(&driver, 0, VIRTIO_CONSOLE_PORT_OPEN, NULL);
	control(&driver, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	expect_control(&driver, 1, VIRTIO_CONSOLE_PORT_NAME, "org.qemu.guest_agent.0");
	expect_control(&driver, 1, VIRTIO_CONSOLE_PORT_OPEN, NULL);
	control(&driver, 77, VIRTIO_CONSOLE_PORT_READY, 1);
	assert_false(driver_has_used(&driver, 2));
	/* Bytes wait until the guest opens the channel. */
	driver_add(&driver, 4, &(struct buffer){DRIVER_DATA + 0x9000, 64, true}, 1);
	driver_notify(&driver, 4);
	assert_int_equal(chardev_receive(&ends[1].base, "ping", 4), 0);
	control(&driver, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(ends[1].resumed, 1);
	assert_int_equal(chardev_receive(&ends[1].base, "ping", 4), 4);
	assert_int_equal(driver_wait(&driver, 4), 4);
	memcpy(driver_at(&driver, DRIVER_DATA + 0xa000), "pong", 4);
	driver_do(&driver, 5, &(struct buffer){DRIVER_DATA + 0xa000, 4, false}, 1);
	assert_string_equal(ends[1].text->str, "pong");
	control(&driver, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	assert_int_equal(chardev_receive(&ends[1].base, "ping", 4), 0);
	virtio_pci_free(pci);
	virtio_console_free(console);
	g_string_free(ends[1].text, TRUE);
}

/* ---- balloon ---- */

static void count_change(void *data)
{
	(*(unsigned *)data)++;
}

static void test_balloon(void **state)
{
	struct fixture *f = *state;
	struct virtio_balloon *balloon = virtio_balloon_new(&f->box->env, true);
	struct virtio_pci *pci =
		virtio_pci_new(f->box->pci, 0, virtio_balloon_device(balloon), NULL);
	struct driver driver;
	struct buffer pfns = {DRIVER_DATA, 16, false};
	unsigned changes = 0;
	uint32_t *pfn;

	virtio_balloon_set_listener(balloon, count_change, &changes);
	driver_start(&driver, f->box, virtio_pci_slot(pci), UINT64_MAX);
	virtio_balloon_set_target(balloon, 256);
	assert_int_equal(f->box->messages, 1);
	assert_int_equal(bus_read(f->box->mmio, driver.device, 4), 256);
	/* Three pages in a run, and one outside of memory. */
	pfn = driver_at(&driver, DRIVER_DATA);
	for (unsigned i = 0; i < 4; i++) {
		pfn[i] = i < 3 ? 0x802 - i : 0xffffffff;
		memset(driver_at(&driver, 0x800000 + 0x1000 * i), 0xaa, 0x1000);
	}
	f->box->memory->code_page[0x801] = 1;
	driver_do(&driver, 0, &pfns, 1);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(
			*(uint8_t *)driver_at(&driver, 0x800000 + 0x1000 * i), i < 3 ? 0 : 0xaa);
	assert_int_equal(f->box->memory->code_gen[0x801], 1);
	bus_write(f->box->mmio, driver.device + 4, 3, 4);
	assert_int_equal(virtio_balloon_actual(balloon), 3);
	assert_int_equal(changes, 1);
	driver_do(&driver, 1, &pfns, 1);
	virtio_pci_free(pci);
	virtio_balloon_free(balloon);
}

static void put_stat(struct driver *driver, unsigned at, uint16_t tag, uint64_t value)
{
	uint8_t *stat = driver_at(driver, DRIVER_DATA + 10 * at);

	memcpy(stat, &tag, 2);
	memcpy(stat + 2, &value, 8);
}

static void test_balloon_stats(void **state)
{
	struct fixture *f = *state;
	struct virtio_balloon *balloon = virtio_balloon_new(&f->box->env, true);
	struct virtio_pci *pci =
		virtio_pci_new(f->box->pci, 0, virtio_balloon_device(balloon), NULL);
	const struct virtio_balloon_stats *stats = virtio_balloon_get_stats(balloon);
	struct driver driver;
	struct buffer buffer = {DRIVER_DATA, 30, false};
	struct buffer report[] = {{0x900000, 0x2000, true}, {0xa00800, 0x1000, true}};

	driver_start(&driver, f->box, virtio_pci_slot(pci), UINT64_MAX);
	assert_int_equal(stats->updated_ns, 0);
	put_stat(&driver, 0, 4, 123456);
	put_stat(&driver, 1, 5, 1ull << 40);
	put_stat(&driver, 2, 99, 1);
	driver_add(&driver, 2, &buffer, 1);
	driver_notify(&driver, 2);
	assert_int_equal(stats->free, 123456);
	assert_true(stats->total == 1ull << 40);
	assert_true(stats->swap_in == UINT64_MAX);
	assert_true(stats->updated_ns > 0);
	/* The buffer stays with the device until it asks again. */
	assert_false(driver_has_used(&driver, 2));
	virtio_balloon_set_period(balloon, 5000000);
	driver_wait(&driver, 2);
	put_stat(&driver, 0, 4, 654321);
	driver_add(&driver, 2, &buffer, 1);
	driver_notify(&driver, 2);
	assert_int_equal(stats->free, 654321);
	virtio_balloon_set_period(balloon, 0);
	/* Free page reporting: whole pages only. */
	memset(driver_at(&driver, 0x900000), 0xbb, 0x2000);
	memset(driver_at(&driver, 0xa00800), 0xbb, 0x1000);
	driver_do(&driver, 3, report, 2);
	assert_int_equal(*(uint8_t *)driver_at(&driver, 0x901fff), 0);
	assert_int_equal(*(uint8_t *)driver_at(&driver, 0xa00800), 0xbb);
	assert_int_equal(*(uint8_t *)driver_at(&driver, 0xa01000), 0xbb);
	virtio_pci_free(pci);
	virtio_balloon_free(balloon);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pci_config),
		TEST(test_pci_bars),
		TEST(test_pci_slots),
		TEST(test_features),
		TEST(test_rng),
		TEST(test_intx),
		TEST(test_msix_masked),
		TEST(test_event_idx),
		TEST(test_indirect),
		TEST(test_access_window),
		TEST(test_misuse),
		TEST(test_misused_rings),
		TEST(test_console),
		TEST(test_endless),
		TEST(test_channels),
		TEST(test_balloon),
		TEST(test_balloon_stats),
	};

	return cmocka_run_group_tests_name("PCI and virtio", tests, NULL, NULL);
}

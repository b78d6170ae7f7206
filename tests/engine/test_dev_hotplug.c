// SPDX-License-Identifier: GPL-3.0-or-later
/* What comes and goes while the guest runs: the registers of CPU hotplug, blocks of memory. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine/vmm/dev/cpuhp.h"
#include "engine/vmm/dev/pm.h"
#include "engine/vmm/dev/virtio_mem.h"
#include "tests/engine/devbox.h"

#include <linux/virtio_mem.h>
#include <string.h>

#define MIB (1ull << 20)
#define BLOCK MEMORY_BLOCK_SIZE

static int set_up(void **state)
{
	*state = devbox_new();
	return 0;
}

static int tear_down(void **state)
{
	devbox_free(*state);
	return 0;
}

static void count_change(void *data)
{
	(*(unsigned *)data)++;
}

/* ---- processors ---- */

#define SELECT CPUHP_BASE
#define STATUS (CPUHP_BASE + 4)
#define NEXT (CPUHP_BASE + 5)
#define EVENT (CPUHP_BASE + 8)
#define OUTCOME (CPUHP_BASE + 12)

struct cpus_fixture {
	struct devbox *box;
	struct pm *pm;
	struct cpuhp *cpuhp;
	unsigned changes;
};

static void nothing(void *machine)
{
}

static const struct pm_ops pm_ops = {.power_off = nothing, .reset = nothing};

static void cpus_set_up(struct cpus_fixture *f, struct devbox *box)
{
	*f = (struct cpus_fixture){.box = box};
	f->pm = pm_new(box->ports, box->clock, (struct irq_line){&box->router, PM_SCI}, &pm_ops, f);
	f->cpuhp = cpuhp_new(box->ports, f->pm, 8, 3, count_change, &f->changes);
	devbox_out(box, PM_GPE + 4, 1u << CPUHP_GPE, 4);
}

static void cpus_tear_down(struct cpus_fixture *f)
{
	cpuhp_free(f->cpuhp);
	pm_free(f->pm);
}

static uint64_t status(struct cpus_fixture *f, unsigned id)
{
	devbox_out(f->box, SELECT, id, 4);
	return devbox_in(f->box, STATUS, 1);
}

/* Whether the event was raised since the last look. */
static bool event(struct cpus_fixture *f)
{
	bool raised = devbox_in(f->box, PM_GPE, 4) >> CPUHP_GPE & 1;

	assert_int_equal(f->box->level[PM_SCI], raised);
	devbox_out(f->box, PM_GPE, 1u << CPUHP_GPE, 4);
	return raised;
}

static void processors_are_announced(void **state)
{
	struct cpus_fixture f;

	cpus_set_up(&f, *state);
	assert_int_equal(status(&f, 0), CPUHP_PRESENT);
	assert_int_equal(status(&f, 2), 0);
	assert_int_equal(devbox_in(f.box, NEXT, 1), CPUHP_NONE);
	assert_false(event(&f));
	cpuhp_insert(f.cpuhp, 5);
	cpuhp_insert(f.cpuhp, 2);
	assert_true(event(&f));
	assert_int_equal(devbox_in(f.box, NEXT, 1), 2);
	assert_int_equal(status(&f, 2), CPUHP_PRESENT | CPUHP_INSERT);
	devbox_out(f.box, STATUS, CPUHP_INSERT, 1);
	assert_int_equal(status(&f, 2), CPUHP_PRESENT);
	assert_int_equal(devbox_in(f.box, NEXT, 1), 5);
	/* A guest that has not looked at all is reminded. */
	assert_false(event(&f));
	cpuhp_remind(f.cpuhp);
	assert_true(event(&f));
	assert_int_equal(status(&f, 5), CPUHP_PRESENT | CPUHP_INSERT);
	devbox_out(f.box, STATUS, CPUHP_INSERT, 1);
	cpuhp_remind(f.cpuhp);
	assert_false(event(&f));
	assert_int_equal(f.changes, 0);
	cpus_tear_down(&f);
}

static void processors_are_let_go(void **state)
{
	struct cpus_fixture f;

	cpus_set_up(&f, *state);
	cpuhp_ask(f.cpuhp, 1);
	assert_true(event(&f));
	assert_int_equal(status(&f, 1), CPUHP_PRESENT | CPUHP_REMOVE);
	devbox_out(f.box, STATUS, CPUHP_REMOVE, 1);
	assert_int_equal(status(&f, 1), CPUHP_PRESENT);
	devbox_out(f.box, STATUS, CPUHP_EJECT, 1);
	assert_int_equal(status(&f, 1), 0);
	assert_int_equal(f.changes, 1);
	assert_int_equal(cpuhp_take_ejected(f.cpuhp), 2);
	assert_int_equal(cpuhp_take_ejected(f.cpuhp), 0);
	/* Not twice, not the boot processor, none that is not there or cannot be. */
	for (unsigned id = 0; id < 70; id++) {
		devbox_out(f.box, SELECT, id, 4);
		devbox_out(f.box, STATUS, CPUHP_EJECT, 1);
	}
	assert_int_equal(cpuhp_take_ejected(f.cpuhp), 0);
	assert_int_equal(status(&f, 0), CPUHP_PRESENT);
	assert_int_equal(status(&f, 0xffffffff), 0);
	/* What is taken back is not asked any more. */
	cpuhp_insert(f.cpuhp, 3);
	cpuhp_ask(f.cpuhp, 3);
	cpuhp_unask(f.cpuhp, 3);
	assert_int_equal(status(&f, 3), CPUHP_PRESENT | CPUHP_INSERT);
	cpuhp_reset(f.cpuhp);
	assert_int_equal(status(&f, 3), CPUHP_PRESENT);
	assert_int_equal(devbox_in(f.box, NEXT, 1), CPUHP_NONE);
	cpus_tear_down(&f);
}

static uint64_t refused(struct cpus_fixture *f, unsigned id, unsigned event, unsigned outcome)
{
	devbox_out(f->box, SELECT, id, 4);
	devbox_out(f->box, EVENT, event, 4);
	devbox_out(f->box, OUTCOME, outcome, 4);
	return cpuhp_take_refused(f->cpuhp);
}

static void refusals_are_heard(void **state)
{
	struct cpus_fixture f;

	cpus_set_up(&f, *state);
	assert_int_equal(refused(&f, 1, 3, 0), 0);
	assert_int_equal(refused(&f, 1, 3, 0x84), 0);
	assert_int_equal(refused(&f, 1, 3, 0x82), 2);
	assert_int_equal(refused(&f, 1, 0x103, 1), 2);
	assert_int_equal(refused(&f, 1, 0x103, 0x85), 0);
	assert_int_equal(refused(&f, 4, 1, 0x81), 16);
	assert_int_equal(refused(&f, 4, 1, 0x80), 0);
	assert_int_equal(refused(&f, 4, 0x100, 0x81), 0);
	assert_int_equal(refused(&f, 99, 3, 0x82), 0);
	assert_int_equal(f.changes, 3);
	cpus_tear_down(&f);
}

/* ---- memory ---- */

static void blocks_are_memory_while_plugged(void **state)
{
	struct guest_memory *memory = memory_new(4 * MIB, NULL);
	uint64_t start = 0x180000000;
	uint64_t pages;
	uint8_t byte = 7;

	assert_null(memory_at(memory, start, 1));
	assert_true(memory_add_region(memory, start, 4 * BLOCK, NULL));
	assert_true(memory_track_code(memory, NULL));
	assert_null(memory_at(memory, start, 1));
	memory_plug(memory, start + BLOCK, 2 * BLOCK, true);
	assert_int_equal(memory_plugged(memory, start, 4 * BLOCK), 2 * BLOCK);
	assert_null(memory_at(memory, start + BLOCK - 1, 2));
	assert_non_null(memory_at(memory, start + BLOCK, 2 * BLOCK));
	assert_null(memory_at(memory, start + BLOCK, 2 * BLOCK + 1));
	assert_null(memory_at(memory, start + 4 * BLOCK, 1));
	assert_null(memory_at(memory, start + 2 * BLOCK, UINT64_MAX));
	/* Pages are counted on from those of boot memory. */
	pages = 4 * MIB >> MEMORY_PAGE_SHIFT;
	assert_int_equal(memory_page_index(memory, start), pages);
	assert_int_equal(memory_page_index(memory, start + 4 * BLOCK - 1),
		pages + (4 * BLOCK >> MEMORY_PAGE_SHIFT) - 1);
	/* Unplugged, it is empty when it comes back, and code in it counts as changed. */
	assert_true(memory_write(memory, start + BLOCK, &byte, 1));
	memory->code_page[memory_page_index(memory, start + BLOCK)] = 1;
	memory_plug(memory, start + BLOCK, BLOCK, false);
	assert_int_equal(memory->code_gen[memory_page_index(memory, start + BLOCK)], 1);
	assert_false(memory_read(memory, start + BLOCK, &byte, 1));
	memory_plug(memory, start + BLOCK, BLOCK, true);
	assert_true(memory_read(memory, start + BLOCK, &byte, 1));
	assert_int_equal(byte, 0);
	memory_clear(memory);
	assert_int_equal(memory_plugged(memory, start, 4 * BLOCK), 0);
	memory_free(memory);
}

struct mem_fixture {
	struct devbox *box;
	struct virtio_mem *mem;
	struct virtio_pci *pci;
	struct driver driver;
	struct virtio_mem_place place;
	unsigned changes;
};

/* A device in the second half of the region. */
static void mem_set_up(struct mem_fixture *f, struct devbox *box)
{
	*f = (struct mem_fixture){.box = box};
	f->place = (struct virtio_mem_place){DEVBOX_REGION + 8 * BLOCK, 8 * BLOCK, 2 * BLOCK};
	f->mem = virtio_mem_new(&box->env, &f->place);
	f->pci = virtio_pci_new(box->pci, 0, virtio_mem_device(f->mem), NULL);
	virtio_mem_set_listener(f->mem, count_change, &f->changes);
	driver_start(&f->driver, box, virtio_pci_slot(f->pci), UINT64_MAX);
}

static void mem_tear_down(struct mem_fixture *f)
{
	virtio_pci_free(f->pci);
	virtio_mem_free(f->mem);
}

/* The response's type, and its state in the upper half. */
static unsigned request(struct mem_fixture *f, unsigned type, uint64_t address, unsigned blocks)
{
	struct virtio_mem_req *request = driver_at(&f->driver, DRIVER_DATA);
	struct virtio_mem_resp *response = driver_at(&f->driver, DRIVER_DATA + 0x100);
	struct buffer buffers[] = {
		{DRIVER_DATA, sizeof(*request), false},
		{DRIVER_DATA + 0x100, sizeof(*response), true},
	};

	*request = (struct virtio_mem_req){.type = (uint16_t)type};
	request->u.plug.addr = address;
	request->u.plug.nb_blocks = (uint16_t)blocks;
	memset(response, 0xff, sizeof(*response));
	assert_int_equal(driver_do(&f->driver, 0, buffers, 2), sizeof(*response));
	return response->type | (unsigned)response->u.state.state << 16;
}

static uint64_t config(struct mem_fixture *f, size_t offset)
{
	return bus_read(f->box->mmio, f->driver.device + offset, 8);
}

static void blocks_are_plugged_as_requested(void **state)
{
	struct mem_fixture f;
	uint64_t at;

	mem_set_up(&f, *state);
	at = f.place.address;
	assert_true(config(&f, offsetof(struct virtio_mem_config, addr)) == at);
	assert_true(config(&f, offsetof(struct virtio_mem_config, region_size)) == 8 * BLOCK);
	assert_true(config(&f, offsetof(struct virtio_mem_config, block_size)) == 2 * BLOCK);
	assert_int_equal(request(&f, VIRTIO_MEM_REQ_PLUG, at, 1), VIRTIO_MEM_RESP_NACK);
	f.box->messages = 0;
	virtio_mem_request(f.mem, 4 * BLOCK);
	assert_int_equal(f.box->messages, 1);
	assert_true(config(&f, offsetof(struct virtio_mem_config, requested_size)) == 4 * BLOCK);
	assert_int_equal(request(&f, VIRTIO_MEM_REQ_PLUG, at + 2 * BLOCK, 2), VIRTIO_MEM_RESP_ACK);
	assert_int_equal(f.changes, 1);
	assert_true(virtio_mem_plugged(f.mem) == 4 * BLOCK);
	assert_true(config(&f, offsetof(struct virtio_mem_config, plugged_size)) == 4 * BLOCK);
	assert_non_null(memory_at(f.box->memory, at + 2 * BLOCK, 4 * BLOCK));
	assert_int_equal(
		request(&f, VIRTIO_MEM_REQ_STATE, at, 1), VIRTIO_MEM_STATE_UNPLUGGED << 16);
	assert_int_equal(request(&f, VIRTIO_MEM_REQ_STATE, at + 2 * BLOCK, 2),
		VIRTIO_MEM_STATE_PLUGGED << 16);
	assert_int_equal(request(&f, VIRTIO_MEM_REQ_STATE, at, 4), VIRTIO_MEM_STATE_MIXED << 16);
	/* The driver's reset keeps them; a block may go whatever is requested. */
	driver_start(&f.driver, f.box, virtio_pci_slot(f.pci), UINT64_MAX);
	assert_true(virtio_mem_plugged(f.mem) == 4 * BLOCK);
	assert_int_equal(
		request(&f, VIRTIO_MEM_REQ_UNPLUG, at + 2 * BLOCK, 1), VIRTIO_MEM_RESP_ACK);
	assert_null(memory_at(f.box->memory, at + 2 * BLOCK, 1));
	assert_int_equal(request(&f, VIRTIO_MEM_REQ_UNPLUG_ALL, 0, 0), VIRTIO_MEM_RESP_ACK);
	assert_true(virtio_mem_plugged(f.mem) == 0);
	mem_tear_down(&f);
}

static void wrong_requests_change_nothing(void **state)
{
	struct mem_fixture f;
	uint64_t at;
	static const struct {
		unsigned type;
		int64_t blocks_off; /* of MEMORY_BLOCK_SIZE */
		unsigned count;
	} wrong[] = {
		{VIRTIO_MEM_REQ_PLUG, 0, 0},
		{VIRTIO_MEM_REQ_PLUG, 1, 1},
		{VIRTIO_MEM_REQ_PLUG, -2, 1},
		{VIRTIO_MEM_REQ_PLUG, 6, 2},
		{VIRTIO_MEM_REQ_PLUG, 8, 1},
		{VIRTIO_MEM_REQ_PLUG, 0, 65535},
		{VIRTIO_MEM_REQ_PLUG, 2, 2},   /* one of them is plugged */
		{VIRTIO_MEM_REQ_UNPLUG, 2, 2}, /* one of them is not */
		{VIRTIO_MEM_REQ_STATE, -8, 1},
		{4, 0, 1},
		{65535, 0, 1},
	};

	mem_set_up(&f, *state);
	at = f.place.address;
	virtio_mem_request(f.mem, 8 * BLOCK);
	assert_int_equal(request(&f, VIRTIO_MEM_REQ_PLUG, at + 4 * BLOCK, 1), VIRTIO_MEM_RESP_ACK);
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
		assert_int_equal(
			request(&f, wrong[i].type, at + (uint64_t)wrong[i].blocks_off * BLOCK,
				wrong[i].count) &
				0xffff,
			VIRTIO_MEM_RESP_ERROR);
	assert_int_equal(request(&f, VIRTIO_MEM_REQ_PLUG, UINT64_MAX, 1), VIRTIO_MEM_RESP_ERROR);
	assert_int_equal(memory_plugged(f.box->memory, DEVBOX_REGION, 16 * BLOCK), 2 * BLOCK);
	/* A request that is cut off. */
	assert_int_equal(
		driver_do(&f.driver, 0,
			(struct buffer[]){{DRIVER_DATA, 8, false}, {DRIVER_DATA + 0x100, 10, true}},
			2),
		10);
	assert_int_equal(
		*(uint16_t *)driver_at(&f.driver, DRIVER_DATA + 0x100), VIRTIO_MEM_RESP_ERROR);
	mem_tear_down(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(processors_are_announced),
		TEST(processors_are_let_go),
		TEST(refusals_are_heard),
		cmocka_unit_test(blocks_are_memory_while_plugged),
		TEST(blocks_are_plugged_as_requested),
		TEST(wrong_requests_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

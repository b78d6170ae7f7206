// SPDX-License-Identifier: GPL-3.0-or-later
/* The bus: who answers where. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine/vmm/bus.h"

/* A device that remembers its last access and reads as its tag plus the offset. */
struct probe {
	uint64_t tag, offset, value;
	unsigned size, reads, writes;
};

static uint64_t probe_read(void *device, uint64_t offset, unsigned size)
{
	struct probe *probe = device;

	probe->reads++;
	probe->offset = offset;
	probe->size = size;
	return probe->tag + offset;
}

static void probe_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct probe *probe = device;

	probe->writes++;
	probe->offset = offset;
	probe->value = value;
	probe->size = size;
}

static const struct bus_ops probe_ops = {.read = probe_read, .write = probe_write};
static const struct bus_ops mute_ops = {NULL, NULL};

struct fixture {
	struct machine_lock lock;
	struct bus *bus;
	struct probe a, b;
};

static int set_up(void **state)
{
	struct fixture *f = g_new0(struct fixture, 1);

	g_mutex_init(&f->lock.mutex);
	f->bus = bus_new("test", &f->lock);
	f->a.tag = 0x1000;
	f->b.tag = 0x2000;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	bus_free(f->bus);
	g_mutex_clear(&f->lock.mutex);
	g_free(f);
	return 0;
}

static void test_nobody(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(bus_read(f->bus, 0x80, 1), 0xff);
	assert_int_equal(bus_read(f->bus, 0x80, 4), 0xffffffff);
	assert_true(bus_read(f->bus, 0x80, 8) == UINT64_MAX);
	bus_write(f->bus, 0x80, 1, 1);
	bus_claim(f->bus, 0x80, 4, &mute_ops, &f->a);
	assert_int_equal(bus_read(f->bus, 0x80, 2), 0xffff);
	bus_write(f->bus, 0x80, 1, 1);
}

static void test_dispatch(void **state)
{
	struct fixture *f = *state;

	bus_claim(f->bus, 0x100, 8, &probe_ops, &f->a);
	bus_claim(f->bus, 0x108, 8, &probe_ops, &f->b);
	assert_int_equal(bus_read(f->bus, 0x104, 4), 0x1004);
	assert_int_equal(f->a.size, 4);
	assert_int_equal(bus_read(f->bus, 0x108, 2), 0x2000);
	bus_write(f->bus, 0x10f, 0x1ff, 1);
	assert_int_equal(f->b.offset, 7);
	assert_int_equal(f->b.value, 0xff);
	/* An access past the end of a range goes nowhere, not to the neighbour. */
	assert_int_equal(bus_read(f->bus, 0x106, 4), 0xffffffff);
	bus_write(f->bus, 0x107, 0, 2);
	assert_int_equal(f->a.writes, 0);
	assert_int_equal(bus_read(f->bus, 0xff, 1), 0xff);
	assert_int_equal(bus_read(f->bus, 0x110, 1), 0xff);
}

static void test_overlap(void **state)
{
	struct fixture *f = *state;

	/* The earlier, narrower claim keeps its byte; around it the later one answers whole. */
	bus_claim(f->bus, 0xcf9, 1, &probe_ops, &f->a);
	bus_claim(f->bus, 0xcf8, 8, &probe_ops, &f->b);
	assert_int_equal(bus_read(f->bus, 0xcf9, 1), 0x1000 & 0xff);
	assert_int_equal(f->a.reads, 1);
	assert_int_equal(bus_read(f->bus, 0xcf8, 4), 0x2000);
	assert_int_equal(bus_read(f->bus, 0xcfa, 2), 0x2002);
	assert_int_equal(bus_read(f->bus, 0xcfc, 4), 0x2004);
	/* When the earlier one goes, the later one has it all. */
	bus_release(f->bus, 0xcf9, &f->a);
	assert_int_equal(bus_read(f->bus, 0xcf9, 2), 0x2001);
	bus_release(f->bus, 0xcf8, &f->b);
	assert_int_equal(bus_read(f->bus, 0xcf9, 2), 0xffff);
	bus_release(f->bus, 0xcf8, &f->b);
}

static void test_edges(void **state)
{
	struct fixture *f = *state;

	bus_claim(f->bus, 0, 0, &probe_ops, &f->a);
	assert_int_equal(bus_read(f->bus, 0, 1), 0xff);
	bus_claim(f->bus, UINT64_MAX - 7, 9, &probe_ops, &f->a);
	assert_true(bus_read(f->bus, UINT64_MAX - 7, 8) == UINT64_MAX);
	bus_claim(f->bus, UINT64_MAX - 7, 8, &probe_ops, &f->a);
	assert_true(bus_read(f->bus, UINT64_MAX - 7, 8) == 0x1000);
	assert_true(bus_read(f->bus, UINT64_MAX - 3, 8) == UINT64_MAX);
	bus_claim(f->bus, 0, UINT64_MAX, &probe_ops, &f->b);
	assert_int_equal(bus_read(f->bus, 5, 4), 0x2005);
	assert_true(bus_read(f->bus, UINT64_MAX - 7, 8) == 0x1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_dispatch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_overlap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_edges, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}

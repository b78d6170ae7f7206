// SPDX-License-Identifier: GPL-3.0-or-later
// Resize plans on libvirt's test driver, whose guest "test" has 2 vCPUs, 2 GiB of 8, a disk and a NIC.
#include "model/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libvirt/virterror.h>
#include <string.h>

static virConnectPtr connection;
static virDomainPtr domain;

static void keep_quiet(void *data, virErrorPtr error)
{
}

static int setup(void **state)
{
	virSetErrorFunc(NULL, keep_quiet);
	connection = virConnectOpen("test:///default");
	domain = connection ? virDomainLookupByName(connection, "test") : NULL;
	return domain ? 0 : -1;
}

static int teardown(void **state)
{
	virDomainFree(domain);
	return virConnectClose(connection);
}

static struct plan *make(const char *first, const char *second)
{
	const char *const wishes[] = {first, second, NULL};
	g_autoptr(GError) error = NULL;
	struct plan *plan = plan_new(domain, wishes, PLAN_NOW, &error);

	if (!plan)
		fail_msg("%s", error->message);
	return plan;
}

static gint64 memory_kib(void)
{
	virDomainInfo info;

	assert_int_equal(virDomainGetInfo(domain, &info), 0);
	return (gint64)info.memory;
}

static void everything_that_can_be_resized_is_surveyed(void **state)
{
	struct plan *plan = plan_survey(domain, NULL);
	g_auto(GStrv) names = plan_names(plan);
	static const char *const wanted[] = {"memory", "vcpus", "pin.0", "pin.1", "disk.vda.size",
		"disk.vda.total_bytes_sec", "nic.0.in", "nic.0.out"};

	for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
		assert_true(g_strv_contains((const char *const *)names, wanted[i]));
	for (guint i = 0; i < plan->steps->len; i++) {
		const struct plan_step *step = plan->steps->pdata[i];

		assert_int_equal(step->to, step->from);
		assert_int_equal(step->state, PLAN_WAITING);
	}
	assert_true(plan->active);
	plan_free(plan);
}

static void wishes_are_run_read_back_and_put_back(void **state)
{
	gint64 before = memory_kib();
	struct plan *plan = make("vcpus=1", "memory=3GiB");

	assert_int_equal(plan->steps->len, 2);
	assert_true(plan_run(plan, domain, NULL, NULL, NULL));
	for (guint i = 0; i < plan->steps->len; i++) {
		const struct plan_step *step = plan->steps->pdata[i];

		assert_int_equal(step->state, PLAN_DONE);
		assert_non_null(step->result);
	}
	assert_int_equal(memory_kib(), 3 << 20);
	assert_int_equal(virDomainGetVcpusFlags(domain, VIR_DOMAIN_AFFECT_LIVE), 1);
	assert_true(plan_put_back(plan, domain, NULL));
	assert_int_equal(memory_kib(), before);
	assert_int_equal(virDomainGetVcpusFlags(domain, VIR_DOMAIN_AFFECT_LIVE), 2);
	plan_free(plan);
}

static void each_step_says_what_it_will_do(void **state)
{
	struct plan *plan = make("memory=3GiB", "disk.vda.total_bytes_sec=1MB");
	g_autofree char *words = plan_step_words(plan->steps->pdata[0]);
	g_autofree char *virsh = plan_step_virsh(plan, plan->steps->pdata[0]);
	g_autofree char *limit = plan_step_virsh(plan, plan->steps->pdata[1]);

	assert_string_equal(words, "Memory 2.0 GiB -> 3.0 GiB");
	assert_string_equal(virsh, "setmem test 3145728 --live");
	assert_string_equal(limit, "blkdeviotune test vda --total-bytes-sec 1000000 --live");
	plan_free(plan);
}

static void a_wish_of_what_is_there_does_nothing(void **state)
{
	struct plan *plan = make("memory=2GiB", "vcpus=2");

	assert_int_equal(plan->steps->len, 0);
	assert_true(plan_run(plan, domain, NULL, NULL, NULL));
	plan_free(plan);
}

struct refusal {
	const char *wish, *why;
};

static void the_impossible_says_why_and_stops_the_run(void **state)
{
	static const struct refusal refusals[] = {
		{"vcpus=4", "The guest can have 2 vCPUs at most: raise the maximum for the next start."},
		{"memory=64GiB", "The guest can have 8.0 GiB at most: raise 'memory' for the next start."},
		{"disk.vda.size=1MiB", "A disk cannot shrink while its guest runs."},
		{"pin.0=40", "The host has the CPUs 0-15 only."},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
		struct plan *plan = make(refusals[i].wish, NULL);
		const struct plan_step *step = plan->steps->pdata[0];
		g_autoptr(GError) error = NULL;

		assert_int_equal(step->state, PLAN_IMPOSSIBLE);
		assert_string_equal(step->why, refusals[i].why);
		assert_false(plan_run(plan, domain, NULL, NULL, &error));
		assert_string_equal(error->message, refusals[i].why);
		plan_free(plan);
	}
}

static void a_failed_step_stops_and_the_earlier_ones_hold(void **state)
{
	gint64 before = memory_kib();
	struct plan *plan = make("memory=3GiB", "vcpus=3");
	const struct plan_step *memory = plan->steps->pdata[0], *vcpus = plan->steps->pdata[1];

	assert_false(plan_run(plan, domain, NULL, NULL, NULL));
	assert_int_equal(memory->state, PLAN_DONE);
	assert_int_equal(vcpus->state, PLAN_IMPOSSIBLE);
	assert_int_equal(memory_kib(), 3 << 20);
	assert_true(plan_put_back(plan, domain, NULL));
	assert_int_equal(memory->state, PLAN_PUT_BACK);
	assert_int_equal(memory_kib(), before);
	plan_free(plan);
}

static void nonsense_is_refused_with_a_sentence(void **state)
{
	static const char *const bad[] = {"memory", "memory=", "memory=much", "vcpus=x", "vcpus=-1",
		"pin.0=", "pin.0=3-1", "pin.0=a", "pin.0=99", "teapot=1", "disk.vdz.size=1GiB",
		"disk.vda.total_bytes_sec=fast", "nic.9.in=1MB"};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		const char *const wishes[] = {bad[i], NULL};
		g_autoptr(GError) error = NULL;

		if (plan_new(domain, wishes, PLAN_NOW, &error))
			fail_msg("%s was taken", bad[i]);
		assert_true(strlen(error->message) > 10);
	}
}

static void sets_of_cpus_are_read_and_written(void **state)
{
	struct plan *plan = make("pin.0=0-3,5,7-7", NULL);
	const struct plan_step *step = plan->steps->pdata[0];
	g_autofree char *text = plan_value_text(step, step->to);

	assert_int_equal(step->to, 0xaf);
	assert_string_equal(text, "0-3,5,7");
	plan_free(plan);
}

static void what_is_written_down_is_read_back_exactly(void **state)
{
	struct plan *plan = plan_survey(domain, NULL);

	for (guint i = 0; i < plan->steps->len; i++) {
		struct plan_step *step = plan->steps->pdata[i];
		gint64 value = plan_step_unit(step) == UNIT_CPUS ? 5 : 1234567;
		g_autofree char *text = plan_wish_text(step, value);

		assert_ptr_equal(plan_find(plan, step->name), step);
		assert_true(plan_wish(plan, step, text, NULL));
		assert_int_equal(step->to, value);
	}
	plan_free(plan);
}

static void the_next_start_gets_its_own_value_back(void **state)
{
	static const char *const wishes[] = {"memory=3GiB", NULL};
	struct plan *plan;

	assert_int_equal(virDomainSetMemoryFlags(domain, 1 << 20, VIR_DOMAIN_AFFECT_CONFIG), 0);
	plan = plan_new(domain, wishes, PLAN_NOW | PLAN_NEXT_START, NULL);
	assert_non_null(plan);
	assert_int_equal(plan_find(plan, "memory")->saved, 1 << 20);
	assert_int_equal(plan_find(plan, "memory")->from, memory_kib());
	assert_true(plan_run(plan, domain, NULL, NULL, NULL));
	assert_int_equal(memory_kib(), 3 << 20);
	assert_true(plan_put_back(plan, domain, NULL));
	assert_int_equal(memory_kib(), plan_find(plan, "memory")->from);
	plan_free(plan);
	plan = plan_new(domain, wishes, PLAN_NOW, NULL);
	assert_int_equal(plan_find(plan, "memory")->saved, 1 << 20);
	plan_free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_that_can_be_resized_is_surveyed),
		cmocka_unit_test(wishes_are_run_read_back_and_put_back),
		cmocka_unit_test(each_step_says_what_it_will_do),
		cmocka_unit_test(a_wish_of_what_is_there_does_nothing),
		cmocka_unit_test(the_impossible_says_why_and_stops_the_run),
		cmocka_unit_test(a_failed_step_stops_and_the_earlier_ones_hold),
		cmocka_unit_test(nonsense_is_refused_with_a_sentence),
		cmocka_unit_test(sets_of_cpus_are_read_and_written),
		cmocka_unit_test(what_is_written_down_is_read_back_exactly),
		cmocka_unit_test(the_next_start_gets_its_own_value_back),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

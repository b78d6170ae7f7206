// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A guest's part of the host's processors: the cap as the guest and the host see it, the share of
 * two guests on one CPU by their weights, pins; and what the statistics page says of it all.
 *
 * Processor time is what the host counts for the vCPUs, from the statistics page: another load on
 * the host takes from it, and cannot add to it.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "engine/common/stats.h"
#include "tests/engine/livebox.h"

#include <glib/gstdio.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

/* What a cap is promised for, and what is enough elsewhere. */
#define CAP_NS (10 * (uint64_t)G_USEC_PER_SEC * 1000)
#define SHORT_NS (3 * (uint64_t)G_USEC_PER_SEC * 1000)
/* On a busy host the measurements of one try may be of different moments. */
#define TRIES 12

static char *directory;

static int prepare(void **state)
{
	directory = g_dir_make_tmp("lodge-sched-XXXXXX", NULL);
	return directory ? 0 : -1;
}

static int clean(void **state)
{
	g_rmdir(directory);
	g_free(directory);
	return 0;
}

struct subject {
	struct livebox *box;
	char *page_path;
	struct stats_reader *reader;
	struct stats_page page;
};

static void open_subject(struct subject *subject, const char *name, unsigned vcpus,
	unsigned vcpus_max, const char *domain, const char *option)
{
	g_autoptr(GError) error = NULL;

	subject->page_path = g_build_filename(directory, name, NULL);
	subject->box = livebox_new(&(struct livebox_config){
		.sandbox = true,
		.name = name,
		.vcpus = vcpus,
		.vcpus_max = vcpus_max,
		.memory = 128,
		.domain = domain,
		.options = (const char *const[]){ "--statistics", subject->page_path, option,
			NULL },
	});
	subject->reader = stats_reader_open(subject->page_path, &error);
	if (error)
		fail_msg("%s", error->message);
}

static void close_subject(struct subject *subject)
{
	livebox_free(subject->box);
	stats_reader_free(subject->reader);
	g_unlink(subject->page_path);
	g_free(subject->page_path);
}

static void look(struct subject *subject)
{
	assert_true(stats_reader_read(subject->reader, &subject->page));
}

/* Waits for a sample that is not the last one. */
static void wait_sample(struct subject *subject)
{
	uint64_t before;

	look(subject);
	before = subject->page.guest.sampled_ns;
	while (subject->page.guest.sampled_ns == before) {
		livebox_pump(subject->box, 20);
		look(subject);
	}
}

static uint64_t run_ns(const struct subject *subject)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < subject->page.guest.vcpu_records; i++)
		sum += subject->page.vcpus[i].run_ns;
	return sum;
}

/* Busy for as long as it lives; counts what it does in a file. */
static void burn(struct subject *subject, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		g_free(livebox_shell(subject->box,
			"(while :; do i=0; while [ $i -lt 200 ]; do i=$((i+1)); done; "
			"echo >>/tmp/work; done) >/dev/null 2>&1 &"));
}

struct measured {
	double run;     /* per cent of one host CPU that the vCPUs have had */
	double waited;  /* and that they would have had, but the host did something else */
};

static uint64_t wait_ns(const struct subject *subject)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < subject->page.guest.vcpu_records; i++)
		sum += subject->page.vcpus[i].wait_ns;
	return sum;
}

static struct measured measure(struct subject *subject, uint64_t ns)
{
	uint64_t start, run, waited;
	double length;

	wait_sample(subject);
	start = subject->page.guest.sampled_ns;
	run = run_ns(subject);
	waited = wait_ns(subject);
	while (subject->page.guest.sampled_ns - start < ns)
		wait_sample(subject);
	length = (double)(subject->page.guest.sampled_ns - start) / 100;
	return (struct measured){
		.run = (double)(run_ns(subject) - run) / length,
		.waited = (double)(wait_ns(subject) - waited) / length,
	};
}

/* Not over the cap by more than two points; and not under it, but for what the host did not give. */
static void assert_cap(struct subject *subject, double cap)
{
	struct measured measured = measure(subject, CAP_NS);

	print_message("cap %.0f: %.2f, waited %.2f\n", cap, measured.run, measured.waited);
	assert_true(measured.run < cap + 2);
	assert_true(measured.run + measured.waited > cap - 2);
}

static long work(struct subject *subject)
{
	return livebox_shell_number(subject->box, "wc -l </tmp/work");
}

static long work_in(struct subject *subject, uint64_t ns)
{
	long before = work(subject);

	measure(subject, ns);
	return work(subject) - before;
}

/* The guest is slower for it, and quick again without; whatever else the host does. */
static void assert_slower(struct subject *subject)
{
	long capped, freed;

	for (int i = 0; i < TRIES; i++) {
		livebox_do(subject->box, "{\"do\": \"set-cpu\", \"cap\": 10}");
		capped = work_in(subject, SHORT_NS);
		livebox_do(subject->box, "{\"do\": \"set-cpu\", \"cap\": 0}");
		freed = work_in(subject, SHORT_NS);
		print_message("work capped %ld, freed %ld\n", capped, freed);
		if (freed > capped * 3 / 2)
			return;
	}
	fail_msg("the guest has not become slower");
}

/* Each vCPU for itself has its part of one host CPU. */
static void assert_each(struct subject *subject, double part)
{
	struct stats_page before;
	double length;

	wait_sample(subject);
	before = subject->page;
	while (subject->page.guest.sampled_ns - before.guest.sampled_ns < CAP_NS / 2)
		wait_sample(subject);
	length = (double)(subject->page.guest.sampled_ns - before.guest.sampled_ns) / 100;
	for (unsigned id = 0; id < subject->page.guest.vcpus; id++) {
		const struct stats_vcpu *then = &before.vcpus[id], *now = &subject->page.vcpus[id];
		double run = (double)(now->run_ns - then->run_ns) / length;
		double waited = (double)(now->wait_ns - then->wait_ns) / length;

		print_message("vCPU %u of %.0f: %.2f, waited %.2f\n", id, part, run, waited);
		assert_true(run < part + 2);
		assert_true(run + waited > part - 2);
	}
}

/* Where the host has put a thread: the end of its group's path. */
static bool is_in(const struct subject *subject, uint64_t tid, const char *group)
{
	g_autofree char *path = g_strdup_printf(
		"/proc/%d/task/%" G_GUINT64_FORMAT "/cgroup", subject->box->machine, tid);
	g_autofree char *end = g_strdup_printf("/lodge-vmm-%d/%s\n", subject->box->machine, group);
	g_autofree char *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return strstr(text, end) != NULL;
}

/* Where there are control groups, threads have their own; elsewhere the emulator can have no quota. */
static void assert_parts(struct subject *subject)
{
	JsonObject *answer = livebox_get(
		subject->box, "{\"do\": \"set-cpu\", \"vcpu_quota\": 50000}");
	bool by_host =
		g_str_equal(json_object_get_string_member(answer, "by"), "cgroup");

	json_object_unref(answer);
	if (!by_host) {
		g_free(livebox_refused(subject->box,
			"{\"do\": \"set-cpu\", \"emulator_quota\": 50000}"));
		return;
	}
	livebox_do(subject->box, "{\"do\": \"set-cpu\", \"emulator_quota\": 50000}");
	look(subject);
	assert_true(is_in(subject, (uint64_t)subject->box->machine, "emulator"));
	assert_true(is_in(subject, subject->page.vcpus[0].thread, "vcpu0"));
	assert_true(is_in(subject, subject->page.vcpus[1].thread, "vcpu1"));
	livebox_do(subject->box, "{\"do\": \"set-cpu\", \"emulator_quota\": 0}");
}

static void cap_by_the_host(void **state)
{
	struct subject subject;

	open_subject(&subject, "sched-cap", 2, 2, NULL, NULL);
	burn(&subject, 2);
	livebox_do(subject.box, "{\"do\": \"set-cpu\", \"cap\": 40}");
	assert_cap(&subject, 40);
	assert_int_equal(subject.page.guest.cap, 40);
	/* Less for all than for each: the whole's is what counts. */
	assert_parts(&subject);
	livebox_do(subject.box, "{\"do\": \"set-cpu\", \"quota\": 0}");
	assert_each(&subject, 50);
	g_free(livebox_refused(subject.box, "{\"do\": \"set-cpu\", \"vcpu_quota\": 10}"));
	g_free(livebox_refused(subject.box, "{\"do\": \"set-cpu\", \"vcpu_period\": 10}"));
	close_subject(&subject);
}

static void cap_by_the_monitor(void **state)
{
	struct subject subject;
	JsonObject *answer;

	open_subject(&subject, "sched-throttle", 2, 2,
		"<cputune><global_period>50000</global_period><global_quota>10000</global_quota>"
		"</cputune>",
		"--no-cgroup");
	burn(&subject, 2);
	measure(&subject, SHORT_NS);
	assert_int_equal(subject.page.guest.cap, 20);
	answer = livebox_get(subject.box, "{\"do\": \"set-cpu\", \"cap\": 30}");
	assert_string_equal(json_object_get_string_member(answer, "by"), "monitor");
	json_object_unref(answer);
	assert_cap(&subject, 30);
	/* Both vCPUs want to run all the time, and are told what they do not get: held back here, or
	 * waiting for a host that is busy with others. */
	for (int i = 0; i < 2; i++) {
		const struct stats_vcpu *vcpu = &subject.page.vcpus[i];

		assert_true(vcpu->held_ns > 0);
		assert_true(vcpu->held_ns + vcpu->wait_ns > CAP_NS / 2);
		assert_true(vcpu->steal_ns >= vcpu->held_ns);
		assert_true(vcpu->run_ns > 0);
	}
	assert_slower(&subject);
	livebox_do(subject.box,
		"{\"do\": \"set-cpu\", \"vcpu_quota\": 25000, \"vcpu_period\": 50000}");
	assert_each(&subject, 50);
	close_subject(&subject);
}

/* One CPU that this process may use. */
static unsigned some_cpu(void)
{
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			return cpu;
	return 0;
}

/* What the first has of what both have had in the same seconds. */
static double share(struct subject subjects[2])
{
	uint64_t start[2], start_run[2];
	double rate[2];

	for (int i = 0; i < 2; i++) {
		wait_sample(&subjects[i]);
		start[i] = subjects[i].page.guest.sampled_ns;
		start_run[i] = run_ns(&subjects[i]);
	}
	while (subjects[1].page.guest.sampled_ns - start[1] < 2 * SHORT_NS)
		for (int i = 0; i < 2; i++)
			wait_sample(&subjects[i]);
	for (int i = 0; i < 2; i++)
		rate[i] = (double)(run_ns(&subjects[i]) - start_run[i]) /
			(double)(subjects[i].page.guest.sampled_ns - start[i]);
	return 100 * rate[0] / (rate[0] + rate[1]);
}

static void assert_share(struct subject subjects[2], double expected)
{
	double part = 0;

	for (int i = 0; i < TRIES; i++) {
		part = share(subjects);
		print_message("share %.0f: %.2f\n", expected, part);
		if (part > expected - 5 && part < expected + 5)
			return;
	}
	fail_msg("%.2f per cent is not the share of %.0f", part, expected);
}

static void test_shares(const char *heavy_name, const char *light_name, const char *option)
{
	struct subject subjects[2];
	unsigned cpu = some_cpu();
	g_autofree char *heavy = g_strdup_printf(
		"<cputune><shares>100</shares><vcpupin vcpu='0' cpuset='%u'/></cputune>", cpu);
	g_autofree char *light = g_strdup_printf(
		"<cputune><shares>33</shares><vcpupin vcpu='0' cpuset='%u'/></cputune>", cpu);

	open_subject(&subjects[0], heavy_name, 1, 1, heavy, option);
	open_subject(&subjects[1], light_name, 1, 1, light, option);
	for (int i = 0; i < 2; i++)
		burn(&subjects[i], 1);
	assert_share(subjects, 75);
	/* A weight may always be lowered; this way it is also done while they run. */
	if (!option) {
		livebox_do(subjects[0].box, "{\"do\": \"set-cpu\", \"weight\": 33}");
		assert_share(subjects, 50);
	}
	for (int i = 0; i < 2; i++)
		close_subject(&subjects[i]);
}

static void guests_share_by_weight(void **state)
{
	test_shares("sched-heavy", "sched-light", NULL);
}

static void guests_share_by_niceness(void **state)
{
	test_shares("sched-rude", "sched-nice", "--no-cgroup");
}

static void assert_affinity(int tid, unsigned cpu)
{
	cpu_set_t set, expected;

	CPU_ZERO(&expected);
	CPU_SET(cpu, &expected);
	assert_int_equal(sched_getaffinity(tid, sizeof(set), &set), 0);
	assert_true(CPU_EQUAL(&set, &expected));
}

static void pins_reach_threads_of_now_and_later(void **state)
{
	struct subject subject;
	unsigned cpu = some_cpu();
	g_autofree char *sentence = NULL;

	open_subject(&subject, "sched-pin", 1, 2, NULL, NULL);
	livebox_do(subject.box, "{\"do\": \"pin\", \"cpus\": \"%u\", \"vcpu\": 0}", cpu);
	livebox_do(subject.box, "{\"do\": \"pin\", \"cpus\": \"%u\", \"vcpu\": 1}", cpu);
	livebox_do(subject.box, "{\"do\": \"pin\", \"cpus\": \"%u\", \"emulator\": true}", cpu);
	assert_affinity(subject.box->machine, cpu);
	livebox_do(subject.box, "{\"do\": \"set-vcpus\", \"count\": 2, \"timeout\": 200}");
	wait_sample(&subject);
	assert_int_equal(subject.page.guest.vcpus, 2);
	for (int i = 0; i < 2; i++)
		assert_affinity((int)subject.page.vcpus[i].thread, cpu);
	sentence = livebox_refused(subject.box, "{\"do\": \"pin\", \"cpus\": \"1000\", \"vcpu\": 0}");
	assert_non_null(strstr(sentence, "1000"));
	g_free(livebox_refused(subject.box, "{\"do\": \"pin\", \"cpus\": \"x\", \"vcpu\": 0}"));
	g_free(livebox_refused(subject.box, "{\"do\": \"pin\", \"cpus\": \"0\", \"vcpu\": 2}"));
	g_free(livebox_refused(subject.box, "{\"do\": \"pin\", \"cpus\": \"0\"}"));
	g_free(livebox_refused(subject.box, "{\"do\": \"set-cpu\"}"));
	g_free(livebox_refused(subject.box, "{\"do\": \"set-cpu\", \"weight\": 0}"));
	g_free(livebox_refused(subject.box, "{\"do\": \"set-cpu\", \"cap\": -1}"));
	close_subject(&subject);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cap_by_the_host),
		cmocka_unit_test(cap_by_the_monitor),
		cmocka_unit_test(guests_share_by_weight),
		cmocka_unit_test(guests_share_by_niceness),
		cmocka_unit_test(pins_reach_threads_of_now_and_later),
	};

	return cmocka_run_group_tests(tests, prepare, clean);
}

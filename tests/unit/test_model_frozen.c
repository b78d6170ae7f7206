// SPDX-License-Identifier: GPL-3.0-or-later
// With LODGE_CLOCK time stands still: whatever depends on it is the same on every run.
#include "model/guest_private.h"
#include "tests/unit/model_helper.h"

static void the_clock_stands(void **state)
{
	g_autofree char *date = format_date(clock_now());
	gint64 before = clock_monotonic();

	assert_true(clock_frozen());
	g_usleep(2000);
	assert_true(clock_monotonic() == before);
	assert_string_equal(date, "2026-11-22 12:04:31");
}

static void guests_have_no_age_and_no_rates(void **state)
{
	g_autofree char *uri = helper_host("frozen.xml", 2);
	struct settings *settings = settings_load(NULL, NULL);
	struct model *model = model_new(settings, 0);
	struct connection *host = model_add(model, uri, NULL);
	struct guest *guest;

	model_set_interval(model, 100);
	assert_true(model_wait(model, 10000));
	helper_run(350);
	guest = host->guests->pdata[0];
	assert_true(guest_age(guest) == 0);
	assert_true(guest_uptime(guest) == 0);
	assert_true(isnan(guest->cpu) && isnan(guest->read_rate));
	assert_true(isnan(host->host.cpu) && isnan(host->host.memory_used));
	model_free(model);
	settings_free(settings);
	helper_run(20);
}

static void counters_without_time_give_no_rates(void **state)
{
	struct guest *guest = guest_new(NULL, "u", "web");
	struct sample_guest sample;

	guest_take_state(guest, 1, GUEST_RUNNING, 1);
	for (unsigned i = 1; i < 4; i++) {
		sample_guest_init(&sample);
		sample.cpu_time = 1000000000ull * i;
		guest_take_sample(guest, &sample, clock_monotonic(), 4);
		assert_true(isnan(guest->cpu) && isnan(guest->cpu_host));
		sample_guest_clear(&sample);
	}
	guest_unref(guest);
}

static void the_audit_log_has_the_frozen_time(void **state)
{
	g_autofree char *path = helper_path("audit.log");
	struct audit *audit = audit_new(path, 0);
	g_autofree char *text = NULL;

	assert_true(audit_add(audit, "u", "web", "start", "ok", "", NULL));
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_true(g_str_has_prefix(text, "2026-11-22T12:04:31Z\t"));
	audit_free(audit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_clock_stands),
		cmocka_unit_test(guests_have_no_age_and_no_rates),
		cmocka_unit_test(counters_without_time_give_no_rates),
		cmocka_unit_test(the_audit_log_has_the_frozen_time),
	};

	helper_begin();
	g_setenv("LODGE_CLOCK", "1795349071", TRUE);
	return helper_end(cmocka_run_group_tests(tests, NULL, NULL));
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Settings and audit log: what the model keeps on disk, also when the disk does not want it.
#include "tests/unit/model_helper.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void defaults_come_from_the_table(void **state)
{
	g_autofree char *path = helper_path("none.conf");
	g_autoptr(GError) error = NULL;
	struct settings *settings = settings_load(path, &error);
	g_auto(GStrv) columns = settings_list(settings, "columns.guests");

	assert_null(error);
	assert_string_equal(settings_text(settings, "ui.theme"), "yast");
	assert_true(settings_number(settings, "model.refresh") == 1);
	assert_true(settings_bool(settings, "ui.mouse"));
	assert_true(settings_confirm(settings, "destroy"));
	assert_null(settings_text(settings, "keys.start"));
	assert_string_equal(columns[0], "name");
	assert_false(settings_changed(settings));
	settings_free(settings);
}

static void saving_keeps_what_it_does_not_know(void **state)
{
	g_autofree char *path = helper_write("kept.conf", "# my comment\n[ui]\n# about colours\n"
							  "theme=dark\n\n[future]\nthing=7\n");
	static const char *const uris[] = {"qemu:///system", "test:///default", NULL};
	struct settings *settings = settings_load(path, NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) read = NULL;

	assert_string_equal(settings_text(settings, "ui.theme"), "dark");
	assert_true(settings_set(settings, "ui.theme", "light", NULL));
	assert_true(settings_set(settings, "keys.start", "F7", NULL));
	assert_true(settings_set(settings, "confirm.destroy", "false", NULL));
	assert_true(settings_set_list(settings, "connections.uris", uris, NULL));
	assert_true(settings_changed(settings));
	assert_true(settings_save(settings, NULL));
	assert_false(settings_changed(settings));
	settings_free(settings);

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_non_null(strstr(text, "# my comment"));
	assert_non_null(strstr(text, "# about colours"));
	assert_non_null(strstr(text, "thing=7"));
	settings = settings_load(path, NULL);
	assert_string_equal(settings_text(settings, "ui.theme"), "light");
	assert_string_equal(settings_text(settings, "keys.start"), "F7");
	assert_false(settings_confirm(settings, "destroy"));
	read = settings_list(settings, "connections.uris");
	assert_int_equal(g_strv_length(read), 2);
	assert_string_equal(read[1], "test:///default");
	settings_free(settings);
}

static void wrong_values_are_refused_in_a_sentence(void **state)
{
	static const char *const wrong[][2] = {{"ui.theme", "pink"}, {"model.refresh", "0"},
		{"model.refresh", "fast"}, {"ui.mouse", "maybe"}, {"nonsense.key", "1"},
		{"model.refresh", "nan"}, {"keys.", "x"}};
	g_autofree char *path = helper_write("wrong.conf", "[ui]\ntheme=pink\nmouse=maybe\n");
	struct settings *settings = settings_load(path, NULL);

	assert_string_equal(settings_text(settings, "ui.theme"), "yast");
	assert_true(settings_bool(settings, "ui.mouse"));
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;

		assert_false(settings_set(settings, wrong[i][0], wrong[i][1], &error));
		assert_int_equal(error->code, MODEL_ERROR_USAGE);
	}
	settings_free(settings);
}

static void a_broken_file_is_told_and_left_alone(void **state)
{
	g_autofree char *path = helper_write("broken.conf", "[ui\ntheme dark\n");
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) again = NULL;
	struct settings *settings = settings_load(path, &error);
	g_autofree char *text = NULL;

	assert_non_null(error);
	assert_non_null(strstr(error->message, "broken.conf"));
	assert_string_equal(settings_text(settings, "ui.theme"), "yast");
	assert_true(settings_set(settings, "ui.theme", "dark", NULL));
	assert_false(settings_save(settings, &again));
	assert_string_equal(again->message, error->message);
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_string_equal(text, "[ui\ntheme dark\n");
	settings_free(settings);
}

// A limit on the size of files stands in for the full disk.
static void a_full_disk_keeps_the_old_settings(void **state)
{
	g_autofree char *path = helper_write("limit.conf", "[ui]\ntheme=dark\n");
	struct settings *settings = settings_load(path, NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	struct rlimit old, small = {5, RLIM_INFINITY};

	settings_set(settings, "ui.theme", "mono", NULL);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_false(settings_save(settings, &error));
	setrlimit(RLIMIT_FSIZE, &old);
	assert_non_null(strstr(error->message, "limit.conf"));
	assert_true(settings_changed(settings));
	assert_string_equal(settings_text(settings, "ui.theme"), "mono");
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_string_equal(text, "[ui]\ntheme=dark\n");
	assert_true(settings_save(settings, NULL)); // room again
	settings_free(settings);
}

static void the_audit_log_keeps_every_field(void **state)
{
	g_autofree char *path = helper_path("deep/er/audit.log");
	struct audit *audit = audit_new(path, 0);
	g_autoptr(GPtrArray) records = NULL;
	const struct audit_record *record;
	struct stat status;

	g_setenv("SSH_CONNECTION", "192.0.2.7 50000 192.0.2.1 22", TRUE);
	assert_true(audit_add(audit, "test:///default", "test/web\t1", "start",
		"Cannot start:\nno\\disk", "virsh start 'web\t1'", NULL));
	g_unsetenv("SSH_CONNECTION");
	audit_free(audit);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);

	audit = audit_new(path, 0);
	records = audit_read(audit, 0, NULL);
	assert_int_equal(records->len, 1);
	record = records->pdata[0];
	assert_string_equal(record->target, "test/web\t1");
	assert_string_equal(record->result, "Cannot start:\nno\\disk");
	assert_string_equal(record->command, "virsh start 'web\t1'");
	assert_string_equal(record->verb, "start");
	assert_true(g_str_has_suffix(record->user, " from 192.0.2.7"));
	assert_true(ABS(record->time - g_get_real_time()) < 5 * G_USEC_PER_SEC);
	audit_free(audit);
}

static void a_full_disk_loses_no_line(void **state)
{
	g_autofree char *path = helper_path("full.log");
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) records = NULL;
	struct audit *audit;

	assert_int_equal(symlink("/dev/full", path), 0);
	audit = audit_new(path, 0);
	assert_false(audit_add(audit, "u", "one", "start", "ok", "", &error));
	assert_non_null(strstr(error->message, "full.log"));
	assert_false(audit_add(audit, "u", "two", "start", "ok", "", NULL));
	assert_int_equal(audit_pending(audit), 2);
	records = audit_read(audit, 0, NULL);
	assert_int_equal(records->len, 2);

	assert_int_equal(unlink(path), 0); // room again
	assert_true(audit_add(audit, "u", "three", "start", "ok", "", NULL));
	assert_int_equal(audit_pending(audit), 0);
	g_clear_pointer(&records, g_ptr_array_unref);
	records = audit_read(audit, 2, NULL);
	assert_int_equal(records->len, 2);
	assert_string_equal(((struct audit_record *)records->pdata[0])->target, "two");
	audit_free(audit);
}

static void the_log_is_rotated_and_read_across(void **state)
{
	g_autofree char *path = helper_path("rotated.log");
	g_autofree char *old = helper_path("rotated.log.1");
	struct audit *audit = audit_new(path, 4096);
	g_autoptr(GPtrArray) records = NULL;
	struct stat status;

	for (unsigned i = 0; i < 100; i++) {
		g_autofree char *target = g_strdup_printf("guest%u", i);

		assert_true(
			audit_add(audit, "test:///default", target, "start", "ok", "virsh", NULL));
	}
	assert_true(g_file_test(old, G_FILE_TEST_EXISTS));
	assert_true(stat(path, &status) == 0 ? status.st_size < 4096 + 200 : true);
	records = audit_read(audit, 50, NULL);
	assert_int_equal(records->len, 50);
	assert_string_equal(((struct audit_record *)records->pdata[49])->target, "guest99");
	audit_free(audit);
}

static void garbage_in_the_log_is_left_out(void **state)
{
	g_autofree char *path =
		helper_write("garbage.log", "no "
					    "line\n\xff\xfe\t\t\t\t\t\t\n2026-01-01T00:00:"
					    "00Z\tu\tU\tT\tv\tok\tc\nx\ty\tz\t1\t2\t3\t4\n");
	struct audit *audit = audit_new(path, 0);
	g_autoptr(GPtrArray) records = audit_read(audit, 0, NULL);

	assert_int_equal(records->len, 1);
	assert_string_equal(((struct audit_record *)records->pdata[0])->target, "T");
	audit_free(audit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_come_from_the_table),
		cmocka_unit_test(saving_keeps_what_it_does_not_know),
		cmocka_unit_test(wrong_values_are_refused_in_a_sentence),
		cmocka_unit_test(a_broken_file_is_told_and_left_alone),
		cmocka_unit_test(a_full_disk_keeps_the_old_settings),
		cmocka_unit_test(the_audit_log_keeps_every_field),
		cmocka_unit_test(a_full_disk_loses_no_line),
		cmocka_unit_test(the_log_is_rotated_and_read_across),
		cmocka_unit_test(garbage_in_the_log_is_left_out),
	};

	helper_begin();
	return helper_end(cmocka_run_group_tests(tests, NULL, NULL));
}

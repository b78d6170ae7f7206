// SPDX-License-Identifier: GPL-3.0-or-later
// The command line: text, JSON, exit codes.
#include "model/cli.h"
#include "tests/unit/model_helper.h"

#include <json-glib/json-glib.h>

struct result {
	int code;
	char *out, *err;
};

// Runs one line against the hosts; what it printed is freed by the next run.
static struct result *run_on(const char *const *uris, unsigned flags, const char *line)
{
	static struct result result;
	struct settings *settings = settings_load(NULL, NULL);
	struct model *model = model_new(settings, flags);
	g_auto(GStrv) words = NULL;
	size_t size;

	free(result.out);
	free(result.err);
	assert_true(g_shell_parse_argv(line, NULL, &words, NULL));
	assert_true(model_open(model, uris, NULL));
	struct cli cli = {.model = model,
		.out = open_memstream(&result.out, &size),
		.err = open_memstream(&result.err, &size)};
	result.code = cli_run(&cli, (const char *const *)words);
	fclose(cli.out);
	fclose(cli.err);
	model_free(model);
	settings_free(settings);
	helper_run(20);
	return &result;
}

static struct result *run(const char *line)
{
	g_autofree char *uri = helper_host("cli.xml", 3);
	const char *const uris[] = {uri, NULL};

	return run_on(uris, 0, line);
}

static JsonParser *parse(const struct result *result)
{
	JsonParser *parser = json_parser_new();

	assert_true(json_parser_load_from_data(parser, result->out, -1, NULL));
	return parser;
}

static void list_is_a_table(void **state)
{
	struct result *result = run("list");

	assert_int_equal(result->code, 0);
	assert_string_equal(result->err, "");
	assert_true(g_str_has_prefix(result->out, "Name  State    vCPU  Memory  Most  Autostart"));
	assert_non_null(strstr(result->out, "web2  running   2/4    2.0G  4.0G  no"));
	result = run("list --state off");
	assert_null(strstr(result->out, "web"));
}

static void list_is_json(void **state)
{
	g_autoptr(JsonParser) parser = parse(run("list --json"));
	JsonArray *guests = json_node_get_array(json_parser_get_root(parser));
	JsonObject *guest = json_array_get_object_element(guests, 1);

	assert_int_equal(json_array_get_length(guests), 3);
	assert_string_equal(json_object_get_string_member(guest, "name"), "web1");
	assert_string_equal(json_object_get_string_member(guest, "state"), "running");
	assert_true(json_object_get_int_member(guest, "memory") == 2ll << 30);
	assert_false(json_object_get_boolean_member(guest, "autostart"));
}

static void info_tells_all(void **state)
{
	struct result *result = run("info web0");
	g_autoptr(JsonParser) parser = NULL;
	JsonObject *guest;

	assert_int_equal(result->code, 0);
	assert_non_null(strstr(result->out, "00000000-0000-4000-8000-000000000000"));
	assert_non_null(strstr(result->out, "/guest/0.img"));
	assert_non_null(strstr(result->out, "Groups:           shop"));
	parser = parse(run("info web0 --json"));
	guest = json_array_get_object_element(json_node_get_array(json_parser_get_root(parser)), 0);
	assert_true(json_object_get_null_member(guest, "cpu"));
	assert_int_equal(json_array_get_length(json_object_get_array_member(guest, "disks")), 1);
}

static void top_gives_as_many_samples_as_asked(void **state)
{
	struct result *result = run("top --count 2 --interval 0.1");
	const char *second = strstr(result->out, "\n\nName");

	assert_int_equal(result->code, 0);
	assert_non_null(second);
	assert_null(strstr(second + 3, "Name"));
	result = run("top --count 3 --interval 0.1 --json");
	assert_int_equal(result->code, 0);
	g_auto(GStrv) lines = g_strsplit(g_strchomp(result->out), "\n", -1);

	assert_int_equal(g_strv_length(lines), 3);
	for (unsigned i = 0; lines[i]; i++) {
		g_autoptr(JsonParser) parser = json_parser_new();

		assert_true(json_parser_load_from_data(parser, lines[i], -1, NULL));
	}
}

static void top_wants_numbers(void **state)
{
	struct result *result = run("top --count many");

	assert_int_equal(result->code, MODEL_ERROR_USAGE);
	assert_non_null(strstr(result->err, "no number"));
}

static void changes_are_told_and_logged(void **state)
{
	struct result *result = run("pause web0 web1");
	g_autoptr(JsonParser) parser = NULL;
	g_autoptr(JsonParser) log = NULL;
	JsonObject *step;

	assert_int_equal(result->code, 0);
	assert_string_equal(result->out, "web0 is paused.\nweb1 is paused.\n");
	parser = parse(run("pause web2 --json"));
	step = json_array_get_object_element(
		json_object_get_array_member(
			json_node_get_object(json_parser_get_root(parser)), "results"),
		0);
	assert_string_equal(json_object_get_string_member(step, "state"), "done");
	assert_true(
		g_str_has_suffix(json_object_get_string_member(step, "command"), "suspend web2"));
	result = run("log");
	assert_non_null(strstr(result->out, "pause test/web1: ok"));
	log = parse(run("log --json --count 2"));
	assert_int_equal(json_array_get_length(json_node_get_array(json_parser_get_root(log))), 2);
}

static void exit_codes_tell_what_went_wrong(void **state)
{
	static const struct {
		const char *line;
		int code;
		const char *words;
	} lines[] = {
		{"start web0", MODEL_ERROR_FAILED, "Cannot start guest 'web0': "},
		{"frobnicate", MODEL_ERROR_USAGE, "no command"},
		{"start", MODEL_ERROR_USAGE, "Usage: start GUEST..."},
		{"info nobody", MODEL_ERROR_NOT_FOUND, "no guest 'nobody'"},
		{"delete web0", MODEL_ERROR_STATE, "it is running"},
		{"pause web0 nobody", MODEL_ERROR_NOT_FOUND, "nobody"},
		{"help frobnicate", MODEL_ERROR_USAGE, "no command"},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
		struct result *result = run(lines[i].line);

		assert_int_equal(result->code, lines[i].code);
		assert_string_equal(result->out, "");
		if (!strstr(result->err, lines[i].words))
			fail_msg("'%s' says: %s", lines[i].line, result->err);
	}
}

static void read_only_and_dead_hosts_have_their_codes(void **state)
{
	static const char *const good[] = {"test:///default", NULL};
	static const char *const dead[] = {"test:///no/such/file.xml", NULL};
	static const char *const both[] = {"test:///no/such/file.xml", "test:///default", NULL};
	struct result *result = run_on(good, MODEL_READ_ONLY, "pause test");

	assert_int_equal(result->code, MODEL_ERROR_REFUSED);
	assert_non_null(strstr(result->err, "--readonly"));
	result = run_on(dead, 0, "list");
	assert_int_equal(result->code, MODEL_ERROR_NOT_CONNECTED);
	assert_non_null(strstr(result->err, "Cannot connect to test:///no/such/file.xml"));
	result = run_on(both, 0, "list");
	assert_int_equal(result->code, 0);
	assert_non_null(strstr(result->out, "test-2/test"));
	assert_non_null(strstr(result->err, "Cannot connect"));
	assert_int_equal(run_on(dead, 0, "log")->code, 0);
}

static void help_lists_the_table(void **state)
{
	static const char *const help[] = {"help", "start", NULL};
	static const char *const list[] = {"list", NULL};
	struct result *result = run("help");

	for (const struct verb *verb = verbs; verb->name; verb++)
		assert_non_null(strstr(result->out, verb->name));
	assert_false(cli_needs_hosts(help));
	assert_true(cli_needs_hosts(list));
	result = run("help delete");
	assert_non_null(strstr(result->out, "Usage: lodge delete GUEST... [--storage DISKS]"));
}

static void a_full_audit_log_is_warned_of(void **state)
{
	g_autofree char *path = helper_path("lodge/audit.log");
	struct result *result;

	unlink(path);
	assert_int_equal(symlink("/dev/full", path), 0);
	result = run("pause web0");
	unlink(path);
	assert_int_equal(result->code, 0);
	assert_string_equal(result->out, "web0 is paused.\n");
	assert_non_null(strstr(result->err, "Cannot write the audit log"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_is_a_table),
		cmocka_unit_test(list_is_json),
		cmocka_unit_test(info_tells_all),
		cmocka_unit_test(top_gives_as_many_samples_as_asked),
		cmocka_unit_test(top_wants_numbers),
		cmocka_unit_test(changes_are_told_and_logged),
		cmocka_unit_test(exit_codes_tell_what_went_wrong),
		cmocka_unit_test(read_only_and_dead_hosts_have_their_codes),
		cmocka_unit_test(help_lists_the_table),
		cmocka_unit_test(a_full_audit_log_is_warned_of),
	};

	helper_begin();
	return helper_end(cmocka_run_group_tests(tests, NULL, NULL));
}

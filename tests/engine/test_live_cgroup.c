// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The control groups of monitors and of lodged on a host with cgroup version 2: such a host is a
 * guest here, in which tests/engine/linux/cgroups tries them.
 */
#include "tests/engine/livebox.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <stdio.h>

static struct livebox *box;

static GPtrArray *program_with_libraries(const char *program)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *command = g_strdup_printf("ldd %s", program), *output = NULL;
	g_autoptr(GRegex) regex = g_regex_new("(/[^ ]*\\.so[^ ]*) \\(", 0, 0, NULL);
	g_autoptr(GMatchInfo) match = NULL;

	assert_true(g_spawn_command_line_sync(command, &output, NULL, NULL, NULL));
	g_ptr_array_add(files, g_strdup_printf("%s:/bin/cgroups", program));
	for (g_regex_match(regex, output, 0, &match); g_match_info_matches(match);
		g_match_info_next(match, NULL)) {
		g_autofree char *path = g_match_info_fetch(match, 1);

		g_ptr_array_add(files, g_strdup_printf("%s:%s", path, path));
	}
	g_ptr_array_add(files, NULL);
	return files;
}

static int boot(void **state)
{
	const char *build = g_getenv("top_builddir") ? g_getenv("top_builddir") : ".";
	g_autofree char *program = g_build_filename(build, "tests/engine/linux/cgroups", NULL);
	g_autoptr(GPtrArray) files = program_with_libraries(program);

	livebox_add_files("cgroup", (const char *const *)files->pdata);
	box = livebox_new(&(struct livebox_config){
		.name = "live-cgroup",
		.vcpus = 2,
	});
	livebox_run(box, "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
	livebox_run(box, "grep -qw cpu /sys/fs/cgroup/cgroup.controllers");
	return 0;
}

static int end(void **state)
{
	livebox_free(box);
	return 0;
}

static void try(const char *what)
{
	g_autofree char *line = g_strdup_printf("cgroups %s", what), *said = NULL;
	int status = livebox_try_shell(box, &said, line);

	print_message("%s\n", said);
	assert_int_equal(status, 0);
}

/* In the order of the host's life: at first nothing is handed on in its tree. */
static void nothing_is_taken_that_is_not_delegated(void **state)
{
	try("refused");
}

static void a_monitor_alone_has_a_group(void **state)
{
	try("alone");
}

static void a_delegated_tree_is_used(void **state)
{
	try("delegated");
}

static void a_user_s_delegated_tree_is_used(void **state)
{
	try("user");
}

static void what_the_killed_leave_is_removed(void **state)
{
	try("killed");
}

static void weights_share_a_cpu(void **state)
{
	try("weight");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_taken_that_is_not_delegated),
		cmocka_unit_test(a_monitor_alone_has_a_group),
		cmocka_unit_test(a_delegated_tree_is_used),
		cmocka_unit_test(a_user_s_delegated_tree_is_used),
		cmocka_unit_test(what_the_killed_leave_is_removed),
		cmocka_unit_test(weights_share_a_cpu),
	};

	return cmocka_run_group_tests_name("cgroup version 2", tests, boot, end);
}

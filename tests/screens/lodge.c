// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/screens/lodge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

char *lodge_home;

int lodge_make_home(void **state)
{
	lodge_home = g_dir_make_tmp("lodge-screens-XXXXXX", NULL);
	return lodge_home ? 0 : -1;
}

int lodge_remove_home(void **state)
{
	g_autofree char *command = g_strdup_printf("rm -rf %s", lodge_home);

	g_clear_pointer(&lodge_home, g_free);
	return g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL) ? 0 : -1;
}

char *lodge_host(const char *file)
{
	const char *top = g_getenv("top_srcdir");
	g_autofree char *name = g_build_filename(top ? top : ".", "tests/screens", file, NULL);
	g_autofree char *path = g_canonicalize_filename(name, NULL);

	return g_strconcat("test://", path, NULL);
}

struct harness *lodge_start(const struct lodge_options *options)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autofree char *program = harness_program("lodge");
	g_autofree char *config = g_strdup_printf("XDG_CONFIG_HOME=%s/config", lodge_home);
	g_autofree char *state = g_strdup_printf("XDG_STATE_HOME=%s/state", lodge_home);
	g_autofree char *visual =
		g_strdup_printf("VISUAL=%s", options->editor ? options->editor : "false");
	g_autofree char *language =
		g_strdup_printf("LANGUAGE=%s", options->language ? options->language : "");

	g_ptr_array_add(argv, program);
	g_ptr_array_add(argv, "--uri");
	g_ptr_array_add(argv, (char *)options->uri);
	for (const char *const *word = options->words; word && *word; word++)
		g_ptr_array_add(argv, (char *)*word);
	g_ptr_array_add(argv, NULL);
	return harness_start(&(struct harness_options){
		.argv = (const char *const *)argv->pdata,
		.env = (const char *const[]){ config, state, visual, language, NULL },
		.width = options->width,
		.height = options->height,
		.term = options->term,
		.locale = options->locale,
		.folder = options->folder,
	});
}

void lodge_quit(struct harness *h)
{
	harness_keys(h, "F9");
	assert_int_equal(harness_exit(h), 0);
	harness_stop(h);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// What the tests of the model share: a fresh home, hosts of libvirt's test driver, waiting.
#pragma once

#include "model/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *helper_home;

// Makes an empty home folder and points the XDG directories into it; call first in main.
static inline void helper_begin(void)
{
	helper_home = g_dir_make_tmp("lodge-model-XXXXXX", NULL);
	g_assert_nonnull(helper_home);
	g_setenv("XDG_CONFIG_HOME", helper_home, TRUE);
	g_setenv("XDG_STATE_HOME", helper_home, TRUE);
	g_setenv("XDG_RUNTIME_DIR", helper_home, TRUE);
	g_setenv("LC_ALL", "C.UTF-8", TRUE);
	g_setenv("TZ", "UTC", TRUE);
	g_unsetenv("LODGE_CLOCK");
	g_unsetenv("SSH_CONNECTION");
	g_unsetenv("SSH_CLIENT");
	g_unsetenv("SUDO_USER");
}

// Removes the home folder with what is in it; returns `status`.
static inline int helper_end(int status)
{
	g_autofree char *command = g_strdup_printf("rm -rf '%s'", helper_home);

	if (system(command))
		g_printerr("cannot remove %s\n", helper_home);
	g_clear_pointer(&helper_home, g_free);
	return status;
}

// A path in the home folder. Caller frees.
static inline char *helper_path(const char *name)
{
	return g_build_filename(helper_home, name, NULL);
}

static inline char *helper_write(const char *name, const char *text)
{
	char *path = helper_path(name);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	return path;
}

// A host of libvirt's test driver with `count` running guests web0, web1…; returns its URI.
static inline char *helper_host(const char *name, unsigned count)
{
	g_autoptr(GString) xml = g_string_new("<node>\n");
	g_autofree char *path = NULL;

	for (unsigned i = 0; i < count; i++)
		g_string_append_printf(xml,
			"<domain type='test'><name>web%u</name>"
			"<uuid>00000000-0000-4000-8000-%012u</uuid>"
			"<metadata><lodge:guest xmlns:lodge='" METADATA_URI "'>"
			"<lodge:group>shop</lodge:group></lodge:guest></metadata>"
			"<memory>4194304</memory><currentMemory>2097152</currentMemory>"
			"<vcpu current='2'>4</vcpu><os><type>hvm</type></os>"
			"<devices><disk type='file' device='disk'><source file='/guest/%u.img'/>"
			"<target dev='vda'/></disk></devices></domain>\n",
			i, i, i);
	g_string_append(xml, "</node>\n");
	path = helper_write(name, xml->str);
	return g_strconcat("test://", path, NULL);
}

// Runs the main loop until the condition holds; fails the test after thirty seconds.
#define helper_until(condition)                                                                    \
	do {                                                                                       \
		gint64 until_ = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;                      \
		while (!(condition)) {                                                             \
			if (g_get_monotonic_time() > until_)                                       \
				fail_msg("waited in vain for: %s", #condition);                    \
			if (!g_main_context_iteration(NULL, FALSE))                                \
				g_usleep(1000);                                                    \
		}                                                                                  \
	} while (0)

// Lets the loop run for a while.
static inline void helper_run(unsigned milliseconds)
{
	gint64 until = g_get_monotonic_time() + (gint64)milliseconds * 1000;

	while (g_get_monotonic_time() < until)
		if (!g_main_context_iteration(NULL, FALSE))
			g_usleep(1000);
}

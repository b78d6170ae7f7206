// SPDX-License-Identifier: GPL-3.0-or-later
/* A test's folder of files. */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>

/* With the files in it; folders in it stay, and it with them. NULL: nothing. Takes path. */
static inline void folder_remove(char *path)
{
	g_autoptr(GDir) dir = path ? g_dir_open(path, 0, NULL) : NULL;
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		g_unlink(file);
	}
	if (path)
		g_rmdir(path);
	g_free(path);
}

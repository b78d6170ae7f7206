// SPDX-License-Identifier: GPL-3.0-or-later
/* A test's folder. */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>

/* Removes a file, or a folder with all that is in it; links are not followed. */
static inline void folder_remove_tree(const char *path)
{
	GDir *folder = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
	const char *name;

	while (folder && (name = g_dir_read_name(folder))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		folder_remove_tree(file);
	}
	g_clear_pointer(&folder, g_dir_close);
	g_remove(path);
}

/* The same with a path that is taken; NULL: nothing. */
static inline void folder_remove(char *path)
{
	if (path)
		folder_remove_tree(path);
	g_free(path);
}

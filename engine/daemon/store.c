// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/daemon/store.h"

#include "engine/daemon/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static bool fail(GError **error, const char *format, const char *path)
{
	int code = errno;
	g_autofree char *what = g_strdup_printf("%s '%s'", format, path);

	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code), "%s: %s", what,
		g_strerror(code));
	return false;
}

char *store_path(const char *folder, const char *name, const char *suffix)
{
	g_autofree char *file = g_strconcat(name, suffix, NULL);

	return g_build_filename(folder, file, NULL);
}

/* The folders of settings, running things, data and logs. */
struct places {
	char *settings, *run, *data, *log;
};

static struct places find_places(const char *root, bool system)
{
	if (root)
		return (struct places){g_build_filename(root, "etc", NULL),
			g_build_filename(root, "run", NULL), g_strdup(root),
			g_build_filename(root, "log", NULL)};
	if (system)
		return (struct places){g_strdup("/etc/lodge"), g_strdup("/run/lodge"),
			g_strdup("/var/lib/lodge"), g_strdup("/var/log/lodge")};
	return (struct places){g_build_filename(g_get_user_config_dir(), "lodge", "engine", NULL),
		g_build_filename(g_get_user_runtime_dir(), "lodge", NULL),
		g_build_filename(g_get_user_data_dir(), "lodge", NULL),
		g_build_filename(g_get_user_cache_dir(), "lodge", "engine", NULL)};
}

static void set_folders(struct store *store, const char *root)
{
	struct places places = find_places(root, store->system);

	store->settings = g_build_filename(places.settings, "lodged.conf", NULL);
	store->definitions = g_build_filename(places.settings, "guests", NULL);
	store->autostart = g_build_filename(places.settings, "autostart", NULL);
	store->pools = g_build_filename(places.settings, "pools", NULL);
	store->running_pools = g_build_filename(places.run, "pools", NULL);
	store->networks = g_build_filename(places.settings, "networks", NULL);
	store->images = g_build_filename(places.data, "images", NULL);
	store->saves = g_build_filename(places.data, "save", NULL);
	store->run = g_build_filename(places.run, "guests", NULL);
	store->own_log = g_build_filename(places.log, "lodged", NULL);
	store->socket = g_build_filename(places.run, "lodged.sock", NULL);
	store->read_only_socket = g_build_filename(places.run, "lodged-ro.sock", NULL);
	store->log = places.log;
	g_free(places.settings);
	g_free(places.run);
	g_free(places.data);
}

static bool take_lock(struct store *store, GError **error)
{
	g_autofree char *path = g_strconcat(store->socket, ".lock", NULL);

	store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (store->lock < 0)
		return fail(error, "cannot open", path);
	if (flock(store->lock, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno != EWOULDBLOCK)
		return fail(error, "cannot lock", path);
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_AGAIN,
		"another lodged runs here: it has locked '%s'", path);
	return false;
}

static bool make_folders(const struct store *store, GError **error)
{
	const char *folders[] = {store->definitions, store->autostart, store->pools,
		store->running_pools, store->networks, store->run, store->log, store->own_log};

	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++)
		if (g_mkdir_with_parents(folders[i], 0700) < 0)
			return fail(error, "cannot make the folder", folders[i]);
	return true;
}

/* What had not got its name when a daemon was killed: NAME.new, a saved guest's NAME.part, and
 * g_file_set_contents()'s NAME.XXXXXX. */
static bool is_unfinished(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (g_str_has_suffix(name, ".new") || g_str_has_suffix(name, ".part"))
		return true;
	if (!dot || strlen(dot + 1) != 6)
		return false;
	for (const char *at = dot + 1; *at; at++)
		if (!g_ascii_isupper(*at) && !g_ascii_isdigit(*at))
			return false;
	return true;
}

static void sweep(const char *path)
{
	GDir *folder = g_dir_open(path, 0, NULL);
	const char *name;

	while (folder && (name = g_dir_read_name(folder))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		if (is_unfinished(name))
			g_unlink(file);
	}
	g_clear_pointer(&folder, g_dir_close);
}

static void sweep_all(const struct store *store)
{
	sweep(store->definitions);
	sweep(store->autostart);
	sweep(store->pools);
	sweep(store->running_pools);
	sweep(store->networks);
	sweep(store->saves);
}

struct store *store_open(const char *root, enum store_place place, char **socket, GError **error)
{
	struct store *store = g_new0(struct store, 1);

	store->lock = -1;
	store->system = place == STORE_SYSTEM || (place == STORE_USUAL && geteuid() == 0);
	set_folders(store, root);
	*socket = NULL;
	if (make_folders(store, error) && take_lock(store, error)) {
		sweep_all(store);
		return store;
	}
	*socket = g_strdup(store->socket);
	store_close(store);
	return NULL;
}

/* ---- the store ------------------------------------------------------------------------------ */

void store_close(struct store *store)
{
	sync_finish();
	if (!store)
		return;
	if (store->lock >= 0)
		close(store->lock);
	g_free(store->settings);
	g_free(store->definitions);
	g_free(store->autostart);
	g_free(store->pools);
	g_free(store->running_pools);
	g_free(store->networks);
	g_free(store->images);
	g_free(store->saves);
	g_free(store->run);
	g_free(store->log);
	g_free(store->own_log);
	g_free(store->socket);
	g_free(store->read_only_socket);
	g_free(store);
}

static bool write_whole(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		text += n;
		length -= (size_t)n;
	}
	return true;
}

bool store_write(const char *path, const char *text, GError **error)
{
	g_autofree char *new = g_strconcat(path, ".new", NULL);
	int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok = fd >= 0 && write_whole(fd, text, strlen(text)) && fsync(fd) == 0 &&
		  g_rename(new, path) == 0;

	if (!ok)
		fail(error, "cannot write", path);
	if (fd >= 0) {
		close(fd);
		if (!ok)
			g_unlink(new);
	}
	if (ok)
		sync_note(path);
	return ok;
}

bool store_write_volatile(const char *path, const char *text, GError **error)
{
	g_autofree char *new = g_strconcat(path, ".new", NULL);

	if (!g_file_set_contents_full(new, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, error))
		return false;
	return g_rename(new, path) == 0 || fail(error, "cannot write", path);
}

bool store_remove(const char *path, GError **error)
{
	if (g_unlink(path) == 0) {
		sync_note(path);
		return true;
	}
	return errno == ENOENT || fail(error, "cannot remove", path);
}

void store_remove_folder(const char *path)
{
	GDir *folder = g_dir_open(path, 0, NULL);
	const char *name;

	while (folder && (name = g_dir_read_name(folder))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		g_unlink(file);
	}
	g_clear_pointer(&folder, g_dir_close);
	g_rmdir(path);
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/daemon/store.h"

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

/* What g_file_set_contents() had not finished when a daemon was killed: NAME.XXXXXX. */
static bool is_unfinished(const char *name)
{
	const char *dot = strrchr(name, '.');

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

/* ---- names that follow ----------------------------------------------------------------------- */

#define SYNC_LATER_MS 200

/* Folders with new names in them that are not on the disk yet, for all stores of this process: the
 * timer that will see to it, and the thread that does. */
static struct {
	GHashTable *folders;
	guint timer;
	GThread *thread;
} later;

static void *sync_folders(void *data)
{
	g_autoptr(GHashTable) folders = data;
	GHashTableIter at;
	void *folder;

	g_hash_table_iter_init(&at, folders);
	while (g_hash_table_iter_next(&at, &folder, NULL)) {
		int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0 && fsync(fd) < 0)
			g_printerr("lodged: cannot write '%s': %s\n", (const char *)folder,
				g_strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

static gboolean begin_sync(void *data)
{
	later.timer = 0;
	g_clear_pointer(&later.thread, g_thread_join);
	later.thread = g_thread_new("sync", sync_folders, g_steal_pointer(&later.folders));
	return G_SOURCE_REMOVE;
}

static void sync_later(const char *path)
{
	if (!later.folders)
		later.folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_hash_table_add(later.folders, g_path_get_dirname(path));
	if (!later.timer)
		later.timer = g_timeout_add(SYNC_LATER_MS, begin_sync, NULL);
}

static void sync_now(void)
{
	if (later.timer) {
		g_source_remove(later.timer);
		begin_sync(NULL);
	}
	g_clear_pointer(&later.thread, g_thread_join);
}

/* ---- the store ------------------------------------------------------------------------------ */

void store_close(struct store *store)
{
	sync_now();
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
	g_free(store->run);
	g_free(store->log);
	g_free(store->own_log);
	g_free(store->socket);
	g_free(store->read_only_socket);
	g_free(store);
}

/* What happened to a name in the folder reaches the disk. */
static bool sync_folder_of(const char *path, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (!ok)
		fail(error, "cannot write", folder);
	if (fd >= 0)
		close(fd);
	return ok;
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
		sync_later(path);
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
	if (g_unlink(path) == 0)
		return sync_folder_of(path, error);
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

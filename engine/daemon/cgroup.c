// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup"
#define OWN "daemon"
/* A monitor has a group of its own in its guest's, and in that those of its threads. */
#define MONITOR_DEPTH 2

struct cgroup {
	char *folder;   /* in which the guests' groups are */
	bool threaded;  /* of version 2, and all in it are */
	char *accounts; /* in which their times are counted; the same, another, or NULL */
};

/* The daemon's group of a hierarchy: the last part of the line "NUMBER:CONTROLLERS:PATH". */
static char *own_path(const char *controllers)
{
	g_autofree char *text = NULL, *part = g_strdup_printf(":%s:", controllers);
	const char *at, *path;

	if (!g_file_get_contents("/proc/self/cgroup", &text, NULL, NULL))
		return NULL;
	at = strstr(text, part);
	if (!at)
		return NULL;
	path = at + strlen(part);
	return g_strndup(path, strcspn(path, "\n"));
}

static bool write_text(const char *folder, const char *file, const char *text)
{
	g_autofree char *path = g_build_filename(folder, file, NULL);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool make_folder(const char *path)
{
	return g_mkdir(path, 0755) == 0 || errno == EEXIST;
}

static struct cgroup *tree_new(char *folder, bool threaded)
{
	struct cgroup *cgroup = g_new0(struct cgroup, 1);

	cgroup->folder = folder;
	cgroup->threaded = threaded;
	return cgroup;
}

/* Groups of version 2 that hand on a controller have no processes of their own, unless all below
 * them are threaded (Documentation/admin-guide/cgroup-v2.rst, "Threads"). Guests outlive the daemon,
 * and the next one is put into the group above theirs by systemd: so threaded they are. */
static bool begin_threaded(const char *folder, const char *guests)
{
	return make_folder(guests) && write_text(guests, "cgroup.type", "threaded") &&
	       write_text(folder, "cgroup.subtree_control", "+cpu");
}

/* Where others have made groups that are not, or handed on what threads cannot have: the daemon goes
 * into a leaf of its own. */
static bool begin_leaf(const char *folder, const char *guests)
{
	g_autofree char *own = g_build_filename(folder, OWN, NULL);

	return make_folder(own) && write_text(own, "cgroup.procs", "0") &&
	       write_text(folder, "cgroup.subtree_control", "+cpu") && make_folder(guests);
}

/* What has been delegated. A daemon may be where the one before went: in its leaf. */
static char *delegated_path(void)
{
	char *path = own_path("");

	if (path && g_str_has_suffix(path, "/" OWN))
		path[strlen(path) - strlen("/" OWN)] = '\0';
	return path;
}

static struct cgroup *open_unified(const char *name)
{
	g_autofree char *path = delegated_path(), *folder = NULL, *guests = NULL;
	bool threaded;

	/* The root belongs to the host, whatever its rights are. */
	if (!path || strcmp(path, "/") == 0 || !*path)
		return NULL;
	folder = g_build_filename(ROOT, path, NULL);
	guests = g_build_filename(folder, name, NULL);
	if (g_access(folder, W_OK) < 0)
		return NULL;
	threaded = begin_threaded(folder, guests);
	if ((threaded || begin_leaf(folder, guests)) &&
		write_text(guests, "cgroup.subtree_control", "+cpu"))
		return tree_new(g_steal_pointer(&guests), threaded);
	g_rmdir(guests);
	return NULL;
}

/* The daemon's part of a hierarchy of version 1 with a controller, made there; NULL: none. */
static char *make_own(const char *const controllers[], const char *name)
{
	for (; *controllers; controllers++) {
		g_autofree char *path = own_path(*controllers);
		g_autofree char *folder =
			path ? g_build_filename(ROOT, *controllers, path, name, NULL) : NULL;

		if (folder && make_folder(folder))
			return g_steal_pointer(&folder);
	}
	return NULL;
}

static struct cgroup *open_cpu(const char *name)
{
	static const char *const controllers[] = {"cpu", "cpu,cpuacct", "cpuacct,cpu", NULL};
	char *folder = make_own(controllers, name);

	return folder ? tree_new(folder, false) : NULL;
}

struct cgroup *cgroup_open(const char *name)
{
	static const char *const controllers[] = {"cpuacct", "cpu,cpuacct", "cpuacct,cpu", NULL};
	struct cgroup *cgroup = open_unified(name);

	if (!cgroup)
		cgroup = open_cpu(name);
	if (cgroup)
		cgroup->accounts = make_own(controllers, name);
	return cgroup;
}

void cgroup_close(struct cgroup *cgroup)
{
	if (!cgroup)
		return;
	/* They stay where guests run in them. */
	g_rmdir(cgroup->folder);
	if (cgroup->accounts)
		g_rmdir(cgroup->accounts);
	g_free(cgroup->folder);
	g_free(cgroup->accounts);
	g_free(cgroup);
}

int cgroup_make(const struct cgroup *cgroup, const char *uuid)
{
	g_autofree char *folder = cgroup ? g_build_filename(cgroup->folder, uuid, NULL) : NULL;
	g_autofree char *file = folder ? g_build_filename(folder, "cgroup.procs", NULL) : NULL;

	if (!folder || !make_folder(folder) ||
		(cgroup->threaded && !write_text(folder, "cgroup.type", "threaded")))
		return -1;
	return open(file, O_WRONLY | O_CLOEXEC);
}

/* With those below it; a group's files go with it. */
static void remove_tree(const char *folder, unsigned depth)
{
	g_autoptr(GDir) dir = depth ? g_dir_open(folder, 0, NULL) : NULL;
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);

		if (g_file_test(path, G_FILE_TEST_IS_DIR))
			remove_tree(path, depth - 1);
	}
	g_rmdir(folder);
}

static char *account_of(const struct cgroup *cgroup, const char *uuid)
{
	return cgroup && cgroup->accounts ? g_build_filename(cgroup->accounts, uuid, NULL) : NULL;
}

void cgroup_account(const struct cgroup *cgroup, const char *uuid, pid_t pid)
{
	g_autofree char *folder = account_of(cgroup, uuid);
	g_autofree char *text = g_strdup_printf("%d", (int)pid);

	/* Where it is the same hierarchy, the process is there, or in a group of its own below. */
	if (folder && strcmp(cgroup->accounts, cgroup->folder) != 0 && make_folder(folder))
		write_text(folder, "cgroup.procs", text);
}

unsigned cgroup_times(
	const struct cgroup *cgroup, const char *uuid, uint64_t *times, unsigned count)
{
	g_autofree char *folder = account_of(cgroup, uuid);
	g_autofree char *path =
		folder ? g_build_filename(folder, "cpuacct.usage_percpu", NULL) : NULL;
	g_autofree char *text = NULL;
	unsigned found = 0;
	char *at, *end;

	if (!path || !g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	for (at = text; found < count; at = end) {
		uint64_t time = g_ascii_strtoull(at, &end, 10);

		if (end == at)
			break;
		times[found++] = time;
	}
	return found;
}

void cgroup_remove(const struct cgroup *cgroup, const char *uuid)
{
	g_autofree char *folder = cgroup ? g_build_filename(cgroup->folder, uuid, NULL) : NULL;
	g_autofree char *account = account_of(cgroup, uuid);

	if (folder)
		remove_tree(folder, MONITOR_DEPTH);
	if (account)
		remove_tree(account, 0);
}

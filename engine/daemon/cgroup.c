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
	char *folder; /* in which the guests' groups are */
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

/* What has been delegated. A daemon that is started where the one before went (systemd's
 * DelegateSubgroup=), is in its leaf already. */
static char *delegated_path(void)
{
	char *path = own_path("");

	if (path && g_str_has_suffix(path, "/" OWN))
		path[strlen(path) - strlen("/" OWN)] = '\0';
	return path;
}

/* Processes are in the leaves of version 2's tree only: the daemon goes into one of its own. */
static struct cgroup *open_unified(const char *name)
{
	g_autofree char *path = delegated_path(), *folder = NULL, *own = NULL, *guests = NULL;
	struct cgroup *cgroup;

	/* The root belongs to the host, whatever its rights are. */
	if (!path || strcmp(path, "/") == 0 || !*path)
		return NULL;
	folder = g_build_filename(ROOT, path, NULL);
	own = g_build_filename(folder, OWN, NULL);
	guests = g_build_filename(folder, name, NULL);
	if (g_access(folder, W_OK) < 0 || !make_folder(own) ||
		!write_text(own, "cgroup.procs", "0") ||
		!write_text(folder, "cgroup.subtree_control", "+cpu") || !make_folder(guests) ||
		!write_text(guests, "cgroup.subtree_control", "+cpu"))
		return NULL;
	cgroup = g_new0(struct cgroup, 1);
	cgroup->folder = g_steal_pointer(&guests);
	return cgroup;
}

static struct cgroup *open_cpu(const char *name)
{
	static const char *const controllers[] = {"cpu", "cpu,cpuacct", "cpuacct,cpu"};

	for (size_t i = 0; i < G_N_ELEMENTS(controllers); i++) {
		g_autofree char *path = own_path(controllers[i]);
		g_autofree char *folder =
			path ? g_build_filename(ROOT, controllers[i], path, name, NULL) : NULL;
		struct cgroup *cgroup;

		if (!folder || !make_folder(folder))
			continue;
		cgroup = g_new0(struct cgroup, 1);
		cgroup->folder = g_steal_pointer(&folder);
		return cgroup;
	}
	return NULL;
}

struct cgroup *cgroup_open(const char *name)
{
	struct cgroup *cgroup = open_unified(name);

	return cgroup ? cgroup : open_cpu(name);
}

void cgroup_close(struct cgroup *cgroup)
{
	if (!cgroup)
		return;
	/* It stays where guests run in it. */
	g_rmdir(cgroup->folder);
	g_free(cgroup->folder);
	g_free(cgroup);
}

int cgroup_make(const struct cgroup *cgroup, const char *uuid)
{
	g_autofree char *folder = cgroup ? g_build_filename(cgroup->folder, uuid, NULL) : NULL;
	g_autofree char *file = folder ? g_build_filename(folder, "cgroup.procs", NULL) : NULL;

	if (!folder || !make_folder(folder))
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

void cgroup_remove(const struct cgroup *cgroup, const char *uuid)
{
	g_autofree char *folder = cgroup ? g_build_filename(cgroup->folder, uuid, NULL) : NULL;

	if (folder)
		remove_tree(folder, MONITOR_DEPTH);
}

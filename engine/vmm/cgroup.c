// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "lodge-vmm-"
/* Of version 1: shares are usually 1024, as weights are 100. */
#define USUAL_SHARES 1024
/* Somebody else may take our new group for one that was left. */
#define TRIES 5

struct cgroup {
	bool v2;
	bool joined;
	char *parent; /* directories */
	char *path;
	int procs_fd, quota_fd, period_fd, weight_fd; /* -1: not open */
};

/* The mount point of a hierarchy: of version 2, or of version 1 with the controller cpu. */
static char *find_mount(bool v2)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents("/proc/self/mounts", &text, NULL, NULL))
		return NULL;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = g_strsplit(*line, " ", -1);
		g_auto(GStrv) options = NULL;

		if (g_strv_length(words) < 4)
			continue;
		options = g_strsplit(words[3], ",", -1);
		if (v2 ? g_str_equal(words[2], "cgroup2")
		       : g_str_equal(words[2], "cgroup") &&
				    g_strv_contains((const char *const *)options, "cpu"))
			return g_strdup(words[1]);
	}
	return NULL;
}

/* The process's own group in that hierarchy, "/" at the top: lines are "ID:CONTROLLERS:PATH". */
static char *find_group(bool v2)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents("/proc/self/cgroup", &text, NULL, NULL))
		return NULL;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) parts = g_strsplit(*line, ":", 3);
		g_auto(GStrv) controllers = NULL;

		if (g_strv_length(parts) < 3)
			continue;
		controllers = g_strsplit(parts[1], ",", -1);
		if (v2 ? g_str_equal(parts[0], "0")
		       : g_strv_contains((const char *const *)controllers, "cpu"))
			return g_strdup(parts[2]);
	}
	return NULL;
}

static bool write_fd(int fd, const char *text)
{
	return fd >= 0 && pwrite(fd, text, strlen(text), 0) == (ssize_t)strlen(text);
}

static int open_in(const char *directory, const char *name)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);

	return open(path, O_WRONLY | O_CLOEXEC);
}

static void write_in(const char *directory, const char *name, const char *text)
{
	int fd = open_in(directory, name);

	write_fd(fd, text);
	if (fd >= 0)
		close(fd);
}

/* Removes what is empty: a group with processes stays. */
static void sweep(const char *parent)
{
	g_autoptr(GDir) dir = g_dir_open(parent, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(parent, name, NULL);

		if (g_str_has_prefix(name, PREFIX))
			rmdir(path);
	}
}

static void close_all(struct cgroup *cgroup)
{
	int *const fds[] = { &cgroup->procs_fd, &cgroup->quota_fd, &cgroup->period_fd,
		&cgroup->weight_fd };

	for (unsigned i = 0; i < G_N_ELEMENTS(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

static bool make(struct cgroup *cgroup)
{
	if (cgroup->v2)
		write_in(cgroup->parent, "cgroup.subtree_control", "+cpu");
	for (unsigned i = 0; i < TRIES; i++) {
		if (mkdir(cgroup->path, 0755) < 0 && errno != EEXIST)
			return false;
		cgroup->procs_fd = open_in(cgroup->path, "cgroup.procs");
		cgroup->weight_fd = open_in(cgroup->path, cgroup->v2 ? "cpu.weight" : "cpu.shares");
		cgroup->quota_fd =
			open_in(cgroup->path, cgroup->v2 ? "cpu.max" : "cpu.cfs_quota_us");
		if (!cgroup->v2)
			cgroup->period_fd = open_in(cgroup->path, "cpu.cfs_period_us");
		if (cgroup->procs_fd >= 0 && cgroup->weight_fd >= 0 && cgroup->quota_fd >= 0 &&
			(cgroup->v2 || cgroup->period_fd >= 0))
			return true;
		close_all(cgroup);
	}
	rmdir(cgroup->path);
	return false;
}

static struct cgroup *make_in(bool v2)
{
	g_autofree char *mount = find_mount(v2), *group = find_group(v2);
	struct cgroup *cgroup;

	if (!mount || !group)
		return NULL;
	cgroup = g_new0(struct cgroup, 1);
	cgroup->v2 = v2;
	cgroup->procs_fd = cgroup->quota_fd = cgroup->period_fd = cgroup->weight_fd = -1;
	cgroup->parent = g_build_filename(mount, group, NULL);
	cgroup->path = g_strdup_printf("%s/" PREFIX "%d", cgroup->parent, getpid());
	sweep(cgroup->parent);
	if (make(cgroup))
		return cgroup;
	cgroup_free(cgroup);
	return NULL;
}

struct cgroup *cgroup_new(void)
{
	struct cgroup *cgroup = make_in(true);

	return cgroup ? cgroup : make_in(false);
}

void cgroup_free(struct cgroup *cgroup)
{
	if (!cgroup)
		return;
	if (cgroup->joined)
		write_in(cgroup->parent, "cgroup.procs", "0");
	close_all(cgroup);
	rmdir(cgroup->path);
	g_free(cgroup->parent);
	g_free(cgroup->path);
	g_free(cgroup);
}

static bool join(struct cgroup *cgroup)
{
	if (!cgroup->joined)
		cgroup->joined = write_fd(cgroup->procs_fd, "0");
	return cgroup->joined;
}

bool cgroup_set_cap(struct cgroup *cgroup, unsigned percent, unsigned period_us)
{
	g_autofree char *period = g_strdup_printf("%u", period_us);
	g_autofree char *quota = percent
		? g_strdup_printf("%llu", (unsigned long long)period_us * percent / 100)
		: g_strdup(cgroup->v2 ? "max" : "-1");
	g_autofree char *both = g_strdup_printf("%s %s", quota, period);

	if (!join(cgroup))
		return false;
	if (cgroup->v2)
		return write_fd(cgroup->quota_fd, both);
	/* A quota that was right for the old period may be too small or too large for the new. */
	return write_fd(cgroup->quota_fd, "-1") && write_fd(cgroup->period_fd, period) &&
		write_fd(cgroup->quota_fd, quota);
}

bool cgroup_set_weight(struct cgroup *cgroup, unsigned weight)
{
	g_autofree char *text = g_strdup_printf("%u",
		cgroup->v2 ? weight : MAX(weight * USUAL_SHARES / 100, 2));

	return join(cgroup) && write_fd(cgroup->weight_fd, text);
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/cgroup.h"

#include "engine/vmm/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "lodge-vmm-"
/* Names of the parts. */
#define VCPU_PREFIX "vcpu"
#define EMULATOR "emulator"
/* Of version 1: shares are usually 1024, as weights are 100. */
#define USUAL_SHARES 1024
/* Somebody else may take our new group for one that was left. */
#define TRIES 5

/* The files of one group; -1: not open. */
struct group {
	int members_fd; /* of processes, or of threads in a part */
	int quota_fd, period_fd;
};

/* A quota for some of the threads. */
struct part {
	struct group group;
	struct config_quota quota;
};

struct cgroup {
	bool v2;
	bool joined;
	char *parent; /* directories */
	char *path;
	int parent_fd; /* the parent's file of processes: nothing can be opened in the sandbox */
	struct group whole;
	int weight_fd;
	struct config_quota quota;
	bool divided; /* there are parts */
	bool vcpus_joined;
	unsigned vcpus;
	struct part vcpu[CONFIG_VCPUS_MAX], emulator;
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
static void remove_group(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *part = g_build_filename(path, name, NULL);

		/* Its files cannot be removed, and need not. */
		if (g_str_has_prefix(name, VCPU_PREFIX) || g_str_equal(name, EMULATOR))
			rmdir(part);
	}
	rmdir(path);
}

/* A monitor whose groups are empty until they are used. /proc has it, whatever process namespace
 * this one is in. */
static bool is_alive(const char *pid)
{
	g_autofree char *path = g_build_filename("/proc", pid, NULL);

	return access(path, F_OK) == 0;
}

static void sweep(const char *parent)
{
	g_autoptr(GDir) dir = g_dir_open(parent, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(parent, name, NULL);

		if (g_str_has_prefix(name, PREFIX) && !is_alive(name + strlen(PREFIX)))
			remove_group(path);
	}
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void group_close(struct group *group)
{
	close_fd(&group->members_fd);
	close_fd(&group->quota_fd);
	close_fd(&group->period_fd);
}

static void close_parts(struct cgroup *cgroup)
{
	for (unsigned id = 0; id < CONFIG_VCPUS_MAX; id++)
		group_close(&cgroup->vcpu[id].group);
	group_close(&cgroup->emulator.group);
	cgroup->divided = false;
}

static void close_all(struct cgroup *cgroup)
{
	close_parts(cgroup);
	group_close(&cgroup->whole);
	close_fd(&cgroup->weight_fd);
	close_fd(&cgroup->parent_fd);
}

static bool group_open(const struct cgroup *cgroup, struct group *group, const char *path,
	const char *members)
{
	group->members_fd = open_in(path, members);
	group->quota_fd = open_in(path, cgroup->v2 ? "cpu.max" : "cpu.cfs_quota_us");
	if (!cgroup->v2)
		group->period_fd = open_in(path, "cpu.cfs_period_us");
	return group->members_fd >= 0 && group->quota_fd >= 0 &&
		(cgroup->v2 || group->period_fd >= 0);
}

static bool make_directory(const char *path)
{
	return mkdir(path, 0755) == 0 || errno == EEXIST;
}

/* Of version 2, parts are threaded: then all threads of the process may be anywhere in the tree
 * that begins with the whole's group. */
static bool make_part(struct cgroup *cgroup, struct part *part, const char *name)
{
	g_autofree char *path = g_build_filename(cgroup->path, name, NULL);

	if (!make_directory(path))
		return false;
	if (cgroup->v2)
		write_in(path, "cgroup.type", "threaded");
	/* For all of them, when the first has made the whole a threaded tree's root. */
	if (cgroup->v2)
		write_in(cgroup->path, "cgroup.subtree_control", "+cpu");
	return group_open(cgroup, &part->group, path, cgroup->v2 ? "cgroup.threads" : "tasks");
}

/* There may be none: then the whole's group does what it can. */
static void make_parts(struct cgroup *cgroup)
{
	bool ok = make_part(cgroup, &cgroup->emulator, EMULATOR);

	for (unsigned id = 0; ok && id < cgroup->vcpus; id++) {
		char name[sizeof(VCPU_PREFIX) + 10];

		snprintf(name, sizeof(name), VCPU_PREFIX "%u", id);
		ok = make_part(cgroup, &cgroup->vcpu[id], name);
	}
	cgroup->divided = ok;
	if (!ok)
		close_parts(cgroup);
}

static bool open_whole(struct cgroup *cgroup)
{
	cgroup->parent_fd = open_in(cgroup->parent, "cgroup.procs");
	cgroup->weight_fd = open_in(cgroup->path, cgroup->v2 ? "cpu.weight" : "cpu.shares");
	return group_open(cgroup, &cgroup->whole, cgroup->path, "cgroup.procs") &&
		cgroup->weight_fd >= 0;
}

/* A group of version 2 can have processes or hand on controllers: ours is to leave it first. */
static void open_parent(struct cgroup *cgroup)
{
	int fd = open_in(cgroup->path, "cgroup.procs");

	cgroup->joined = write_fd(fd, "0");
	close_fd(&fd);
	write_in(cgroup->parent, "cgroup.subtree_control", "+cpu");
}

/* Below a threaded group there are only such. */
static void make_threaded(const char *path)
{
	g_autofree char *file = g_build_filename(path, "cgroup.type", NULL), *text = NULL;

	if (g_file_get_contents(file, &text, NULL, NULL) &&
		g_str_equal(g_strchomp(text), "domain invalid"))
		write_in(path, "cgroup.type", "threaded");
}

static bool make(struct cgroup *cgroup)
{
	for (unsigned i = 0; i < TRIES; i++) {
		if (!make_directory(cgroup->path))
			return false;
		if (cgroup->v2) {
			make_threaded(cgroup->path);
			open_parent(cgroup);
		}
		if (open_whole(cgroup)) {
			make_parts(cgroup);
			return true;
		}
		close_all(cgroup);
	}
	return false;
}

/* Groups of version 2 have the controllers that their parents have got. */
static bool has_cpu(const char *directory)
{
	g_autofree char *path = g_build_filename(directory, "cgroup.controllers", NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) names = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return false;
	names = g_strsplit(g_strchomp(text), " ", -1);
	return g_strv_contains((const char *const *)names, "cpu");
}

static void group_init(struct group *group)
{
	group->members_fd = group->quota_fd = group->period_fd = -1;
}

static struct cgroup *make_in(bool v2, unsigned vcpus)
{
	g_autofree char *mount = find_mount(v2), *group = find_group(v2);
	g_autofree char *parent = mount && group ? g_build_filename(mount, group, NULL) : NULL;
	struct cgroup *cgroup;

	if (!parent || (v2 && !has_cpu(parent)))
		return NULL;
	cgroup = g_new0(struct cgroup, 1);
	cgroup->v2 = v2;
	cgroup->vcpus = vcpus;
	cgroup->weight_fd = cgroup->parent_fd = -1;
	group_init(&cgroup->whole);
	group_init(&cgroup->emulator.group);
	for (unsigned id = 0; id < CONFIG_VCPUS_MAX; id++)
		group_init(&cgroup->vcpu[id].group);
	cgroup->parent = g_steal_pointer(&parent);
	cgroup->path = g_strdup_printf("%s/" PREFIX "%d", cgroup->parent, sandbox_pid());
	sweep(cgroup->parent);
	if (make(cgroup))
		return cgroup;
	cgroup_free(cgroup);
	return NULL;
}

struct cgroup *cgroup_new(unsigned vcpus)
{
	struct cgroup *cgroup = make_in(true, vcpus);

	return cgroup ? cgroup : make_in(false, vcpus);
}

/* By the names that the parts have: in the sandbox no directory can be read. */
static void remove_own(const struct cgroup *cgroup)
{
	g_autofree char *emulator = g_build_filename(cgroup->path, EMULATOR, NULL);

	for (unsigned id = 0; id < cgroup->vcpus; id++) {
		g_autofree char *part =
			g_strdup_printf("%s/" VCPU_PREFIX "%u", cgroup->path, id);

		rmdir(part);
	}
	rmdir(emulator);
	rmdir(cgroup->path);
}

void cgroup_free(struct cgroup *cgroup)
{
	if (!cgroup)
		return;
	if (cgroup->joined)
		write_fd(cgroup->parent_fd, "0");
	close_all(cgroup);
	remove_own(cgroup);
	g_free(cgroup->parent);
	g_free(cgroup->path);
	g_free(cgroup);
}

static bool join(struct cgroup *cgroup)
{
	if (!cgroup->joined)
		cgroup->joined = write_fd(cgroup->whole.members_fd, "0");
	return cgroup->joined;
}

static bool write_quota(const struct group *group, const struct config_quota *quota)
{
	bool v2 = group->period_fd < 0;
	g_autofree char *period = g_strdup_printf("%u", quota->period_us);
	g_autofree char *time = quota->quota_us
		? g_strdup_printf("%" G_GUINT64_FORMAT, quota->quota_us)
		: g_strdup(v2 ? "max" : "-1");
	g_autofree char *both = g_strdup_printf("%s %s", time, period);

	if (v2)
		return write_fd(group->quota_fd, both);
	/* A quota that was right for the old period may be too small or too large for the new. */
	return write_fd(group->quota_fd, "-1") && write_fd(group->period_fd, period) &&
		write_fd(group->quota_fd, time);
}

/* Version 1 refuses a part that has more than the whole, where it never could use it. */
static bool exceeds(const struct config_quota *part, const struct config_quota *whole)
{
	return whole->quota_us && (double)part->quota_us * whole->period_us >
		(double)whole->quota_us * part->period_us;
}

static bool write_part(const struct cgroup *cgroup, const struct part *part, bool limited)
{
	struct config_quota quota = part->quota;

	if (!cgroup->divided || !quota.period_us)
		return true;
	if (!limited || (!cgroup->v2 && exceeds(&quota, &cgroup->quota)))
		quota.quota_us = 0;
	return write_quota(&part->group, &quota);
}

static bool write_parts(const struct cgroup *cgroup, bool limited)
{
	bool ok = write_part(cgroup, &cgroup->emulator, limited);

	for (unsigned id = 0; ok && id < cgroup->vcpus; id++)
		ok = write_part(cgroup, &cgroup->vcpu[id], limited);
	return ok;
}

bool cgroup_set_quota(struct cgroup *cgroup, const struct config_quota *whole)
{
	bool ok = join(cgroup) && write_parts(cgroup, false) && write_quota(&cgroup->whole, whole);

	if (ok)
		cgroup->quota = *whole;
	return write_parts(cgroup, true) && ok;
}

bool cgroup_set_weight(struct cgroup *cgroup, unsigned weight)
{
	g_autofree char *text = g_strdup_printf("%u",
		cgroup->v2 ? weight : MAX(weight * USUAL_SHARES / 100, 2));

	return join(cgroup) && write_fd(cgroup->weight_fd, text);
}

/* ---- parts ----------------------------------------------------------------------------------- */

bool cgroup_set_vcpu_quota(struct cgroup *cgroup, const struct config_quota *each)
{
	bool ok = cgroup->divided && join(cgroup);

	for (unsigned id = 0; ok && id < cgroup->vcpus; id++)
		cgroup->vcpu[id].quota = *each;
	cgroup->vcpus_joined = cgroup->vcpus_joined || ok;
	if (ok && write_parts(cgroup, true))
		return true;
	for (unsigned id = 0; id < cgroup->vcpus; id++)
		cgroup->vcpu[id].quota.quota_us = 0;
	write_parts(cgroup, true);
	return false;
}

bool cgroup_set_emulator_quota(struct cgroup *cgroup, const struct config_quota *quota)
{
	cgroup->emulator.quota = *quota;
	if (cgroup->divided && join(cgroup) && write_part(cgroup, &cgroup->emulator, true))
		return true;
	cgroup->emulator.quota.quota_us = 0;
	write_part(cgroup, &cgroup->emulator, true);
	return false;
}

static bool join_part(const struct part *part, int tid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", tid);
	/* One that has ended meanwhile needs none. */
	return write_fd(part->group.members_fd, text) || errno == ESRCH;
}

bool cgroup_join_vcpu(struct cgroup *cgroup, unsigned id, int tid)
{
	return cgroup->divided && join_part(&cgroup->vcpu[id], tid);
}

bool cgroup_join_emulator(struct cgroup *cgroup, int tid)
{
	return cgroup->divided && join_part(&cgroup->emulator, tid);
}

void cgroup_begin_vcpu(struct cgroup *cgroup, unsigned id)
{
	if (cgroup->vcpus_joined && id < cgroup->vcpus)
		join_part(&cgroup->vcpu[id], 0);
}

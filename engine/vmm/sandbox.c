// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <grp.h>
#include <linux/capability.h>
#include <malloc.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Disks, cables, clients and their descriptors, with room to spare. */
#define DESCRIPTORS 1024

#ifdef LODGE_SANITIZED
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* A process has one sandbox. */
static bool filtered;
static int task_fd = -1;
static int host_pid;
static GPtrArray *problems;
/* The user namespace of its own, which only root needs none of. */
static enum { USERS_OF_HOST, USERS_OWN, USERS_REFUSED } users;

struct identity {
	bool change;
	uid_t uid;
	gid_t gid;
};

G_GNUC_PRINTF(1, 2)
static void problem(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (!problems)
		problems = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(problems, g_strdup_vprintf(format, args));
	va_end(args);
}

/* ---- who ------------------------------------------------------------------------------------------ */

static bool unknown(const char *sentence, const char *name, GError **error)
{
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, sentence, name);
	return false;
}

static bool find_user(const char *name, struct identity *who, GError **error)
{
	const struct passwd *entry = getpwnam(name);
	guint64 number;

	if (entry) {
		who->uid = entry->pw_uid;
		who->gid = entry->pw_gid;
		return true;
	}
	if (!g_ascii_string_to_unsigned(name, 10, 0, (uid_t)-2, &number, NULL))
		return unknown(_("there is no user '%s'"), name, error);
	who->uid = (uid_t)number;
	who->gid = (gid_t)number;
	return true;
}

static bool find_group(const char *name, struct identity *who, GError **error)
{
	const struct group *entry = getgrnam(name);
	guint64 number;

	if (!entry && !g_ascii_string_to_unsigned(name, 10, 0, (gid_t)-2, &number, NULL))
		return unknown(_("there is no group '%s'"), name, error);
	who->gid = entry ? entry->gr_gid : (gid_t)number;
	return true;
}

static bool find_identity(const struct sandbox_options *options, struct identity *who, GError **error)
{
	*who = (struct identity){ .uid = getuid(), .gid = getgid() };
	if ((options->user && !find_user(options->user, who, error)) ||
		(options->group && !find_group(options->group, who, error)))
		return false;
	who->change = who->uid != getuid() || who->gid != getgid();
	if (!who->change || geteuid() == 0)
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
		_("only root can become another user or group"));
	return false;
}

static bool become(const struct identity *who, GError **error)
{
	if (!who->change) {
		if (getuid() == 0)
			problem(_("the user: it still is root"));
		return true;
	}
	if (setgroups(0, NULL) == 0 && setresgid(who->gid, who->gid, who->gid) == 0 &&
		setresuid(who->uid, who->uid, who->uid) == 0)
		return true;
	g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(errno),
		_("cannot become another user: %s"), g_strerror(errno));
	return false;
}

/* ---- namespaces -------------------------------------------------------------------------------------- */

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool make_users(void)
{
	g_autofree char *uid_map = g_strdup_printf("%u %u 1", getuid(), getuid());
	g_autofree char *gid_map = g_strdup_printf("%u %u 1", getgid(), getgid());

	if (unshare(CLONE_NEWUSER) < 0) {
		problem(_("the user namespace: %s"), g_strerror(errno));
		return false;
	}
	if (write_file("/proc/self/setgroups", "deny") &&
		write_file("/proc/self/uid_map", uid_map) &&
		write_file("/proc/self/gid_map", gid_map))
		return true;
	problem(_("the users of its user namespace: %s"), g_strerror(errno));
	return false;
}

/* What only root can do, others can do where they are root of a user namespace of their own. */
static bool own_users(void)
{
	if (geteuid() != 0 && users == USERS_OF_HOST)
		users = make_users() ? USERS_OWN : USERS_REFUSED;
	return users != USERS_REFUSED;
}

void sandbox_own_processes(void)
{
	if (SANITIZED)
		problem(_("the process namespace: sanitizers look into /proc at the end"));
	else if (own_users() && unshare(CLONE_NEWPID) < 0)
		problem(_("the process namespace: %s"), g_strerror(errno));
}

/* An empty directory that cannot be written instead of the host's files: pivot_root(2), "pivot_root(
 * ".", ".")". */
static bool empty_root(void)
{
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,mode=555") ==
		0 &&
		chdir("/tmp") == 0 && syscall(SYS_pivot_root, ".", ".") == 0 &&
		umount2(".", MNT_DETACH) == 0 && chdir("/") == 0 &&
		mount(NULL, "/", NULL,
			MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
			NULL) == 0;
}

static void own_namespaces(void)
{
	static const struct {
		int flag;
		const char *name;
	} namespaces[] = {
		{ CLONE_NEWNET, N_("the network") },
		{ CLONE_NEWIPC, N_("the IPC namespace") },
		{ CLONE_NEWUTS, N_("the UTS namespace") },
	};

	if (!own_users())
		return;
	for (unsigned i = 0; i < G_N_ELEMENTS(namespaces); i++)
		if (unshare(namespaces[i].flag) < 0)
			problem("%s: %s", _(namespaces[i].name), g_strerror(errno));
	if (SANITIZED)
		problem(_("the host's files: sanitizers look into /proc at the end"));
	else if (unshare(CLONE_NEWNS) < 0 || !empty_root())
		problem(_("the host's files: %s"), g_strerror(errno));
}

/* ---- capabilities and limits ---------------------------------------------------------------------------- */

/* None but those of the mask can be had any more; needs one itself. */
static void bar_capabilities(uint64_t mask)
{
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
		if (capability >= 64 || !(mask >> capability & 1))
			prctl(PR_CAPBSET_DROP, capability);
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (syscall(SYS_capset, &header, none) < 0)
		problem(_("capabilities: %s"), g_strerror(errno));
}

static void limit(int resource, rlim_t value)
{
	struct rlimit now;

	if (getrlimit(resource, &now) < 0)
		return;
	now.rlim_max = MIN(now.rlim_max, value);
	now.rlim_cur = MIN(now.rlim_cur, now.rlim_max);
	setrlimit(resource, &now);
}

/* Resources that the guest's memory or work does not need. */
static void limit_resources(void)
{
	limit(RLIMIT_CORE, 0); /* the guest's memory is nobody's business */
	limit(RLIMIT_NOFILE, DESCRIPTORS);
	limit(RLIMIT_MSGQUEUE, 0);
}

/* ---- entering ---------------------------------------------------------------------------------------------- */

void sandbox_prepare(void)
{
	char number[32];
	ssize_t n = readlink("/proc/self", number, sizeof(number) - 1);

	if (task_fd < 0)
		task_fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	number[MAX(n, 0)] = '\0';
	host_pid = atoi(number) > 0 ? atoi(number) : getpid();
}

int sandbox_pid(void)
{
	return host_pid ? host_pid : getpid();
}

/* What libraries would open when they first need it. */
static void load_lazy_files(void)
{
	static const char *const domains[] = { PACKAGE, "glib20", "json-glib-1.0", "libc" };

	tzset();
	for (unsigned i = 0; i < G_N_ELEMENTS(domains); i++)
		g_dgettext(domains[i], "yes");
	for (int code = 1; code < 40; code++)
		(void)g_strerror(code);
	/* The terminal's characters, and how to make ours of them. */
	g_printerr("%s", "");
#ifdef M_ARENA_MAX
	/* Giving back memory of other arenas than the first, the C library reads a file. */
	mallopt(M_ARENA_MAX, 1);
#endif
}

static void filter_calls(void)
{
	g_autoptr(GError) reason = NULL;

	if (SANITIZED)
		problem(_("system calls: a build with sanitizers needs more than others"));
	else if (!(filtered = sandbox_filter(SANDBOX_MAIN, &reason)))
		problem("%s", reason->message);
}

/* The signal that its parent's death sends it, or 0. */
static int parent_signal(void)
{
	int signal = 0;

	prctl(PR_GET_PDEATHSIG, &signal);
	return signal;
}

bool sandbox_enter(const struct sandbox_options *options, GError **error)
{
	g_autofree int *threads = NULL;
	struct identity who;
	unsigned count;
	int signal;

	sandbox_prepare();
	if (!problems)
		problems = g_ptr_array_new_with_free_func(g_free);
	signal = parent_signal();
	threads = sandbox_threads(&count);
	if (count > 1)
		problem(_("%u threads that were there before it"), count - 1);
	if (!find_identity(options, &who, error))
		return false;
	load_lazy_files();
	limit_resources();
	own_namespaces();
	bar_capabilities(0);
	if (!become(&who, error))
		return false;
	drop_capabilities();
	/* Another user has lost it. */
	prctl(PR_SET_PDEATHSIG, signal);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		problem(_("new privileges: %s"), g_strerror(errno));
	sandbox_set_entered();
	filter_calls();
	return true;
}

/* What programs of the keeper's may need as root: files of others, and to become another user. */
#define KEPT_CAPABILITIES                                                                          \
	(1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH | 1u << CAP_FOWNER | \
		1u << CAP_KILL | 1u << CAP_SETGID | 1u << CAP_SETUID | 1u << CAP_SETPCAP |         \
		1u << CAP_NET_BIND_SERVICE)

bool sandbox_keep(const struct sandbox_options *options, GError **error)
{
	int signal = parent_signal();
	struct identity who;

	if (!find_identity(options, &who, error))
		return false;
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_MSGQUEUE, 0);
	if (geteuid() == 0)
		bar_capabilities(KEPT_CAPABILITIES);
	if (who.change && !become(&who, error))
		return false;
	/* Another user has lost it. */
	prctl(PR_SET_PDEATHSIG, signal);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return true;
}

void sandbox_thread(enum sandbox_kind kind)
{
	g_autoptr(GError) error = NULL;

	/* What worked for the main thread works for this one; if not, it must not go on. */
	if (sandbox_is_entered() && filtered && !sandbox_filter(kind, &error))
		g_error("%s", error->message);
}

const GPtrArray *sandbox_problems(void)
{
	if (!problems) {
		problems = g_ptr_array_new_with_free_func(g_free);
		problem(_("anything: there is no sandbox"));
	}
	return problems;
}

/* ---- threads ------------------------------------------------------------------------------------------------- */

int sandbox_task_fd(void)
{
	return task_fd;
}

/* One getdents64() result (getdents(2), struct linux_dirent64). */
static void add_threads(GArray *tids, const char *entries, size_t length)
{
	struct __attribute__((packed)) entry {
		uint64_t inode;
		int64_t offset;
		uint16_t size;
		uint8_t type;
		char name[];
	};

	for (size_t at = 0; at < length;) {
		const struct entry *entry = (const void *)(entries + at);
		int tid = atoi(entry->name);

		if (tid > 0)
			g_array_append_val(tids, tid);
		at += entry->size;
	}
}

static int *all_threads(unsigned *count)
{
	GArray *tids = g_array_new(FALSE, FALSE, sizeof(int));
	char entries[4096];
	long n = 0;

	if (task_fd >= 0 && lseek(task_fd, 0, SEEK_SET) == 0)
		while ((n = syscall(SYS_getdents64, task_fd, entries, sizeof(entries))) > 0)
			add_threads(tids, entries, (size_t)n);
	*count = tids->len;
	return (int *)(void *)g_array_free(tids, FALSE);
}

/* The thread's own name for itself, by the host's: the last of a line of its status (proc(5),
 * "NSpid"). 0: it has ended. */
static int own_id(int host)
{
	char name[32], text[4096];
	const char *line, *last;
	ssize_t n = -1;
	int fd;

	g_snprintf(name, sizeof(name), "%d/status", host);
	fd = openat(task_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[MAX(n, 0)] = '\0';
	line = strstr(text, "\nNSpid:");
	if (!line)
		return 0;
	line++;
	text[(size_t)(line - text) + strcspn(line, "\n")] = '\0';
	last = strrchr(line, '\t');
	return last ? atoi(last + 1) : 0;
}

/* Both names are one where it is in the host's namespace. */
static bool in_namespace(void)
{
	return sandbox_pid() != getpid();
}

int *sandbox_threads(unsigned *count)
{
	int *tids = all_threads(count);
	unsigned kept = 0;

	for (unsigned i = 0; in_namespace() && i < *count; i++) {
		int tid = own_id(tids[i]);

		if (tid)
			tids[kept++] = tid;
	}
	if (in_namespace())
		*count = kept;
	if (*count)
		return tids;
	g_free(tids);
	tids = g_new(int, 1);
	tids[0] = gettid();
	*count = 1;
	return tids;
}

int sandbox_host_thread(int tid)
{
	g_autofree int *tids = NULL;
	unsigned count;

	if (!tid || !in_namespace())
		return tid;
	tids = all_threads(&count);
	for (unsigned i = 0; i < count; i++)
		if (own_id(tids[i]) == tid)
			return tids[i];
	return 0;
}

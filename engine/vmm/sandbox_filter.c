// SPDX-License-Identifier: GPL-3.0-or-later
/* Which system calls a thread of each kind may make. */
#include <config.h>

#include "engine/vmm/sandbox.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <linux/fs.h>
#include <linux/kvm.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define KIND(kind) (1u << SANDBOX_##kind)
#define ALL ((1u << SANDBOX_KINDS) - 1)
#define VCPUS (KIND(VCPU_KVM) | KIND(VCPU_SOFT))
/* Who touches disks and cables: vCPUs do as far as that takes no waiting. */
#define WORK (KIND(MAIN) | VCPUS | KIND(BLOCK))

/* A call that is allowed whatever its arguments are. All of them work on what the process has. */
struct plain_rule {
	unsigned kinds;
	int number;
};

static const struct plain_rule plain_rules[] = {
	/* Memory, locks, time, the end. */
	{ ALL, SCMP_SYS(brk) },
	{ ALL, SCMP_SYS(munmap) },
	{ ALL, SCMP_SYS(mremap) },
	{ ALL, SCMP_SYS(madvise) },
	{ ALL, SCMP_SYS(futex) },
	{ ALL, SCMP_SYS(set_robust_list) },
	{ ALL, SCMP_SYS(rseq) },
	{ ALL, SCMP_SYS(membarrier) },
	{ ALL, SCMP_SYS(clock_gettime) },
	{ ALL, SCMP_SYS(clock_getres) },
	{ ALL, SCMP_SYS(clock_nanosleep) },
	{ ALL, SCMP_SYS(nanosleep) },
	{ ALL, SCMP_SYS(gettimeofday) },
	{ ALL, SCMP_SYS(time) },
	{ ALL, SCMP_SYS(sched_yield) },
	{ ALL, SCMP_SYS(sched_getaffinity) },
	{ ALL, SCMP_SYS(getrandom) },
	{ ALL, SCMP_SYS(restart_syscall) },
	{ ALL, SCMP_SYS(exit) },
	{ ALL, SCMP_SYS(exit_group) },
	/* Signals to itself, and who it is. */
	{ ALL, SCMP_SYS(rt_sigaction) },
	{ ALL, SCMP_SYS(rt_sigprocmask) },
	{ ALL, SCMP_SYS(rt_sigreturn) },
	{ ALL, SCMP_SYS(rt_sigpending) },
	{ ALL, SCMP_SYS(sigaltstack) },
	{ ALL, SCMP_SYS(getpid) },
	{ ALL, SCMP_SYS(gettid) },
	{ ALL, SCMP_SYS(getuid) },
	{ ALL, SCMP_SYS(geteuid) },
	{ ALL, SCMP_SYS(getgid) },
	{ ALL, SCMP_SYS(getegid) },
	/* Only ever narrower. */
	{ ALL, SCMP_SYS(seccomp) },
	/* Descriptors it has: waking the main loop, a sentence on standard error. */
	{ ALL, SCMP_SYS(read) },
	{ ALL, SCMP_SYS(write) },
	{ ALL, SCMP_SYS(writev) },
	{ ALL, SCMP_SYS(poll) },
	{ ALL, SCMP_SYS(ppoll) },
	{ ALL, SCMP_SYS(epoll_wait) },
	{ ALL, SCMP_SYS(close) },
	{ ALL, SCMP_SYS(fstat) },
	{ WORK, SCMP_SYS(readv) },
	{ WORK, SCMP_SYS(pread64) },
	{ WORK, SCMP_SYS(pwrite64) },
	{ WORK, SCMP_SYS(preadv) },
	{ WORK, SCMP_SYS(pwritev) },
	{ WORK, SCMP_SYS(preadv2) },
	{ WORK, SCMP_SYS(pwritev2) },
	{ WORK, SCMP_SYS(lseek) },
	{ WORK, SCMP_SYS(fsync) },
	{ WORK, SCMP_SYS(fdatasync) },
	{ WORK, SCMP_SYS(sync_file_range) },
	{ WORK, SCMP_SYS(fallocate) },
	{ WORK, SCMP_SYS(fadvise64) },
	{ WORK, SCMP_SYS(sendto) },
	{ WORK, SCMP_SYS(sendmsg) },
	{ WORK, SCMP_SYS(sendmmsg) },
	{ WORK, SCMP_SYS(recvfrom) },
	{ WORK, SCMP_SYS(recvmsg) },
	{ WORK, SCMP_SYS(recvmmsg) },
	{ WORK, SCMP_SYS(timerfd_settime) },
	{ WORK, SCMP_SYS(timerfd_gettime) },
	{ WORK, SCMP_SYS(eventfd2) },
	{ WORK, SCMP_SYS(sysinfo) },
	/* The main loop: clients of its sockets, threads, files that grow, statistics. */
	{ KIND(MAIN), SCMP_SYS(accept) },
	{ KIND(MAIN), SCMP_SYS(accept4) },
	{ WORK, SCMP_SYS(shutdown) }, /* disks' workers are made by vCPUs */
	{ KIND(MAIN), SCMP_SYS(getsockopt) },
	{ KIND(MAIN), SCMP_SYS(setsockopt) },
	{ KIND(MAIN), SCMP_SYS(getsockname) },
	{ KIND(MAIN), SCMP_SYS(getpeername) },
	{ KIND(MAIN), SCMP_SYS(dup) },
	{ KIND(MAIN), SCMP_SYS(ftruncate) },
	{ KIND(MAIN), SCMP_SYS(fstatfs) },
	{ KIND(MAIN), SCMP_SYS(flock) },
	{ KIND(MAIN), SCMP_SYS(copy_file_range) },
	{ KIND(MAIN), SCMP_SYS(timerfd_create) },
	{ KIND(MAIN), SCMP_SYS(memfd_create) },
	{ KIND(MAIN), SCMP_SYS(pipe2) },
	{ KIND(MAIN), SCMP_SYS(getdents64) },
	{ KIND(MAIN), SCMP_SYS(mincore) },
	{ KIND(MAIN), SCMP_SYS(getrusage) },
	{ KIND(MAIN), SCMP_SYS(times) },
	{ KIND(MAIN), SCMP_SYS(uname) },
	{ KIND(MAIN), SCMP_SYS(umask) },
	{ KIND(MAIN), SCMP_SYS(getppid) },
	{ KIND(MAIN), SCMP_SYS(getpriority) },
	{ KIND(MAIN), SCMP_SYS(setpriority) },
	{ ALL, SCMP_SYS(sched_setaffinity) },
	/* Its children from before. */
	{ KIND(MAIN), SCMP_SYS(wait4) },
	{ KIND(MAIN), SCMP_SYS(waitid) },
};

/* What is only cleaning up, and needs no answer but "no": there is nothing left to reach. */
static const int refused[] = {
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(rmdir),
	SCMP_SYS(kill),
	/* The C library then takes clone(), whose flags can be looked at. */
	SCMP_SYS(clone3),
};

static int refusal(int number)
{
	return number == SCMP_SYS(clone3) ? ENOSYS : EPERM;
}

/* ioctl() requests. */
struct ioctl_rule {
	unsigned kinds;
	uint64_t mask;
	uint64_t request;
};

#define EXACTLY 0xffffffffu
#define TYPE 0xff00u

static const struct ioctl_rule ioctl_rules[] = {
	{ KIND(MAIN) | KIND(VCPU_KVM), TYPE, KVMIO << 8 },
	{ ALL, EXACTLY, TCGETS }, /* isatty(), and the terminal at a fatal signal */
	{ ALL, EXACTLY, TCSETS },
	{ KIND(MAIN), EXACTLY, TCSETSW },
	{ KIND(MAIN), EXACTLY, TCSETSF },
	{ KIND(MAIN), EXACTLY, TIOCGWINSZ },
	{ KIND(MAIN), EXACTLY, FIONBIO },
	{ KIND(MAIN), EXACTLY, FIONREAD },
	{ KIND(MAIN), EXACTLY, BLKGETSIZE64 },
	{ KIND(MAIN), EXACTLY, BLKSSZGET },
	{ KIND(MAIN), EXACTLY, BLKPBSZGET },
	{ WORK, EXACTLY, BLKDISCARD },
	{ WORK, EXACTLY, BLKZEROOUT },
	{ KIND(MAIN), EXACTLY, 0x400454d0 }, /* TUNSETOFFLOAD, whose header hides struct ifreq */
	{ KIND(MAIN), EXACTLY, 0x400454d8 }, /* TUNSETVNETHDRSZ */
	{ KIND(MAIN), EXACTLY, 0x800454d7 }, /* TUNGETVNETHDRSZ */
	{ KIND(MAIN), EXACTLY, 0x800454d2 }, /* TUNGETIFF */
};

static int add_ioctls(scmp_filter_ctx filter, enum sandbox_kind kind)
{
	int status = 0;

	for (unsigned i = 0; i < G_N_ELEMENTS(ioctl_rules) && !status; i++)
		if (ioctl_rules[i].kinds & 1u << kind)
			status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				SCMP_A1(SCMP_CMP_MASKED_EQ, ioctl_rules[i].mask,
					ioctl_rules[i].request));
	return status;
}

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

/* Threads, and no processes. A vCPU may be the one who finds that a worker is needed. */
static int add_threads(scmp_filter_ctx filter, enum sandbox_kind kind)
{
	int status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
		SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));

	if (!status && 1u << kind & WORK)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
			SCMP_A0(SCMP_CMP_MASKED_EQ, THREAD_FLAGS | CLONE_NEWUSER, THREAD_FLAGS));
	return status;
}

/* Memory that can be executed is made by the main thread only: for the software CPU's stubs. */
static int add_memory(scmp_filter_ctx filter, enum sandbox_kind kind)
{
	static const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
	int status = 0;

	for (unsigned i = 0; i < G_N_ELEMENTS(calls) && !status; i++)
		status = kind == SANDBOX_MAIN
			? seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0)
			: seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 1,
				  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return status;
}

/* Names and timers of threads, and the sandbox's own. */
static int add_prctl(scmp_filter_ctx filter)
{
	static const int options[] = { PR_SET_NAME, PR_GET_NAME, PR_SET_TIMERSLACK,
		PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_GET_SECCOMP,
		0x53564d41 /* PR_SET_VMA: names of memory */ };
	int status = 0;

	for (unsigned i = 0; i < G_N_ELEMENTS(options) && !status; i++)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
			SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)options[i], 0));
	return status;
}

/* fcntl() without locks' waiting and signals to others; fstat() as the C library spells it (there
 * are no paths left to look at); files of /proc/self/task. */
static int add_files(scmp_filter_ctx filter, enum sandbox_kind kind)
{
	static const int commands[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_OFD_SETLK,
		F_OFD_GETLK, F_ADD_SEALS, F_GET_SEALS };
	int status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 0);

	for (unsigned i = 0; i < G_N_ELEMENTS(commands) && !status; i++)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
			SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)commands[i], 0));
	if (!status && kind == SANDBOX_MAIN && sandbox_task_fd() >= 0)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 2,
			SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)sandbox_task_fd(), 0),
			SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
	return status;
}

static int add_rules(scmp_filter_ctx filter, enum sandbox_kind kind)
{
	int status = 0;

	for (unsigned i = 0; i < G_N_ELEMENTS(plain_rules) && !status; i++)
		if (plain_rules[i].kinds & 1u << kind)
			status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, plain_rules[i].number, 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(refused) && !status; i++)
		status = seccomp_rule_add(filter,
			SCMP_ACT_ERRNO((unsigned)refusal(refused[i])), refused[i], 0);
	if (!status)
		status = add_ioctls(filter, kind);
	if (!status)
		status = add_threads(filter, kind);
	if (!status)
		status = add_memory(filter, kind);
	if (!status)
		status = add_prctl(filter);
	return status ? status : add_files(filter, kind);
}

bool sandbox_filter(enum sandbox_kind kind, GError **error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int status;

	g_assert(filter);
	/* Where seccomp would slow down all speculation: the guest is kept out by other means. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/* Threads that were there before it cannot do without. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, kind == SANDBOX_MAIN);
	status = add_rules(filter, kind);
	if (!status)
		status = seccomp_load(filter);
	seccomp_release(filter);
	if (!status)
		return true;
	g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(-status),
		_("the system calls cannot be filtered: %s"), g_strerror(-status));
	return false;
}

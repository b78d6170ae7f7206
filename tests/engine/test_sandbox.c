// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The sandbox: programs that run as the sandboxed monitor's threads try what is forbidden and are
 * killed; guests run in it with all they need.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <config.h>

#include "engine/vmm/sandbox.h"
#include "tests/engine/livebox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

/* What a build with sanitizers cannot give up. */
#ifdef LODGE_SANITIZED
#define SANITIZED true
#define USUAL_PROBLEMS 3u
#else
#define SANITIZED false
#define USUAL_PROBLEMS 0u
#endif

/* ---- one thread's filter ------------------------------------------------------------------------------ */

struct attempt {
	const char *name;
	void (*run)(void);
	unsigned allowed; /* kinds, 1 << SANDBOX_… */
};

static char page[4096] __attribute__((aligned(4096)));

static void try_open(void)
{
	syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
}

static void try_old_open(void)
{
	syscall(SYS_open, "/dev/null", O_WRONLY, 0);
}

static void try_openat2(void)
{
	syscall(437, AT_FDCWD, "/etc/passwd", page, 24);
}

static void try_task_write(void)
{
	syscall(SYS_openat, sandbox_task_fd(), "../mem", O_RDWR, 0);
}

static void try_task_read(void)
{
	syscall(SYS_openat, sandbox_task_fd(), "self/stat", O_RDONLY | O_CLOEXEC, 0);
}

static void try_socket(void)
{
	syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static void try_connect(void)
{
	syscall(SYS_connect, 0, page, 16);
}

static void try_bind(void)
{
	syscall(SYS_bind, 0, page, 16);
}

static void try_execve(void)
{
	char *none[] = { NULL };

	syscall(SYS_execve, "/bin/true", none, none);
}

static void try_fork(void)
{
	if (syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0) == 0)
		syscall(SYS_exit_group, 0);
}

static void try_vfork(void)
{
	if (syscall(SYS_vfork) == 0)
		syscall(SYS_exit_group, 0);
}

static void try_ptrace(void)
{
	syscall(SYS_ptrace, PTRACE_ATTACH, getppid(), 0, 0);
}

static void try_process_vm(void)
{
	syscall(SYS_process_vm_readv, getppid(), page, 1, page, 1, 0);
}

static void try_pidfd(void)
{
	syscall(SYS_pidfd_open, 1, 0);
}

static void try_signal_other(void)
{
	syscall(SYS_tgkill, 1, 1, 0);
}

static void try_mount(void)
{
	syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL);
}

static void try_unshare(void)
{
	syscall(SYS_unshare, CLONE_NEWUSER);
}

static void try_setns(void)
{
	syscall(SYS_setns, 0, 0);
}

static void try_setuid(void)
{
	syscall(SYS_setuid, 0);
}

static void try_bpf(void)
{
	syscall(SYS_bpf, 0, page, 8);
}

static void try_keyctl(void)
{
	syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}

static void try_perf(void)
{
	syscall(SYS_perf_event_open, page, 0, -1, -1, 0);
}

static void try_io_uring(void)
{
	syscall(SYS_io_uring_setup, 1, page);
}

static void try_terminal_input(void)
{
	syscall(SYS_ioctl, 0, TIOCSTI, "x");
}

static void try_rename(void)
{
	syscall(SYS_rename, "/nonexistent/a", "/nonexistent/b");
}

static void try_executable(void)
{
	syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void try_make_executable(void)
{
	syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}

static void try_kvm(void)
{
	syscall(SYS_ioctl, 0, 0xae80, 0);
}

static void try_read(void)
{
	syscall(SYS_pread64, -1, page, 1, 0);
}

static void try_socket_peer(void)
{
	syscall(SYS_accept4, -1, NULL, NULL, 0);
}

static void try_memory(void)
{
	void *memory = (void *)syscall(
		SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	syscall(SYS_munmap, memory, 4096);
}

static void try_unlink(void)
{
	/* Refused, not killed for. */
	if (syscall(SYS_unlinkat, AT_FDCWD, "/tmp", 0) == 0)
		syscall(SYS_exit_group, 1);
}

#define MAIN (1u << SANDBOX_MAIN)
#define KVM (1u << SANDBOX_VCPU_KVM)
#define ALL ((1u << SANDBOX_KINDS) - 1)
#define HELPER (1u << SANDBOX_HELPER)

static const struct attempt attempts[] = {
	{ "open", try_open, 0 },
	{ "old open", try_old_open, 0 },
	{ "openat2", try_openat2, 0 },
	{ "write another's memory", try_task_write, 0 },
	{ "look at its threads", try_task_read, MAIN },
	{ "socket", try_socket, 0 },
	{ "connect", try_connect, 0 },
	{ "bind", try_bind, 0 },
	{ "execve", try_execve, 0 },
	{ "fork", try_fork, 0 },
	{ "vfork", try_vfork, 0 },
	{ "ptrace", try_ptrace, 0 },
	{ "process_vm_readv", try_process_vm, 0 },
	{ "pidfd_open", try_pidfd, 0 },
	{ "signal another", try_signal_other, 0 },
	{ "mount", try_mount, 0 },
	{ "unshare", try_unshare, 0 },
	{ "setns", try_setns, 0 },
	{ "setuid", try_setuid, 0 },
	{ "bpf", try_bpf, 0 },
	{ "keyctl", try_keyctl, 0 },
	{ "perf_event_open", try_perf, 0 },
	{ "io_uring_setup", try_io_uring, 0 },
	{ "type on the terminal", try_terminal_input, 0 },
	{ "rename", try_rename, 0 },
	{ "executable memory", try_executable, MAIN },
	{ "make memory executable", try_make_executable, MAIN },
	{ "KVM", try_kvm, MAIN | KVM },
	{ "read", try_read, ALL & ~HELPER },
	{ "accept", try_socket_peer, MAIN },
	{ "memory", try_memory, ALL },
	{ "unlink", try_unlink, ALL },
};

/* As waitpid() says it. */
static int run_attempt(const struct attempt *attempt, enum sandbox_kind kind)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (!sandbox_filter(kind, NULL))
			_exit(2);
		attempt->run();
		syscall(SYS_exit_group, 0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void forbidden_calls_kill_and_others_work(void **state)
{
	sandbox_prepare();
	for (unsigned i = 0; i < G_N_ELEMENTS(attempts); i++)
		for (unsigned kind = 0; kind < SANDBOX_KINDS; kind++) {
			int status = run_attempt(&attempts[i], (enum sandbox_kind)kind);
			bool allowed = attempts[i].allowed & 1u << kind;

			if (allowed ? status != 0
				    : !WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
				fail_msg("%s in a thread of kind %u: status 0x%x", attempts[i].name,
					kind, (unsigned)status);
		}
}

/* ---- entering it ------------------------------------------------------------------------------------------ */

/* A process that has entered the sandbox and waits; its id. uid: whose process enters it. */
static pid_t start_sandboxed(uid_t uid, const struct sandbox_options *options)
{
	int fds[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (uid && (setgroups(0, NULL) || setgid(uid) || setuid(uid)))
			_exit(3);
		/* As a program is that this user has started. */
		prctl(PR_SET_DUMPABLE, 1);
		if (!sandbox_enter(options, NULL))
			_exit(4);
		if (write(fds[1], "x", 1) == 1)
			for (;;)
				poll(NULL, 0, 1000);
		_exit(5);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	return pid;
}

static void end_sandboxed(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* A line of /proc/PID/status must be so. */
static void assert_status(pid_t pid, const char *line)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", pid), *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	if (!strstr(text, line))
		fail_msg("'%s' is not in:\n%s", line, text);
}

static bool same_namespace(pid_t pid, const char *name)
{
	g_autofree char *other = g_strdup_printf("/proc/%d/ns/%s", pid, name);
	g_autofree char *own = g_strdup_printf("/proc/self/ns/%s", name);
	struct stat a, b;

	assert_int_equal(stat(other, &a), 0);
	assert_int_equal(stat(own, &b), 0);
	return a.st_ino == b.st_ino;
}

static void assert_root_empty(pid_t pid)
{
	g_autofree char *root = g_strdup_printf("/proc/%d/root", pid);
	g_autoptr(GDir) dir = g_dir_open(root, 0, NULL);

	assert_non_null(dir);
	assert_null(g_dir_read_name(dir));
}

static void assert_nothing_left(pid_t pid)
{
	assert_status(pid, "CapEff:\t0000000000000000");
	assert_status(pid, "CapPrm:\t0000000000000000");
	assert_status(pid, "CapBnd:\t0000000000000000");
	assert_status(pid, "NoNewPrivs:\t1");
	assert_false(same_namespace(pid, "net"));
	assert_false(same_namespace(pid, "ipc"));
	if (SANITIZED)
		return;
	assert_status(pid, "Seccomp:\t2");
	assert_false(same_namespace(pid, "mnt"));
	assert_root_empty(pid);
}

static void root_gives_up_all(void **state)
{
	pid_t pid;

	if (getuid() != 0)
		skip();
	pid = start_sandboxed(0, &(struct sandbox_options){ NULL, NULL });
	assert_nothing_left(pid);
	end_sandboxed(pid);
	pid = start_sandboxed(0, &(struct sandbox_options){ .user = "nobody", .group = "65534" });
	assert_nothing_left(pid);
	assert_status(pid, "Uid:\t65534\t65534\t65534\t65534");
	assert_status(pid, "Gid:\t65534\t65534\t65534\t65534");
	assert_status(pid, "Groups:\t \n");
	end_sandboxed(pid);
}

static void another_user_gives_up_all(void **state)
{
	pid_t pid = start_sandboxed(getuid() ? 0 : NOBODY, &(struct sandbox_options){ NULL, NULL });

	assert_nothing_left(pid);
	end_sandboxed(pid);
}

static void unknown_users_are_said(void **state)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		g_autoptr(GError) error = NULL;

		if (sandbox_enter(&(struct sandbox_options){ .user = "no such user" }, &error) ||
			!strstr(error->message, "no such user"))
			_exit(1);
		g_clear_error(&error);
		if (sandbox_enter(&(struct sandbox_options){ .group = "no such group" }, &error) ||
			!strstr(error->message, "no such group") || sandbox_is_entered())
			_exit(1);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

/* ---- guests in it ----------------------------------------------------------------------------------------------- */

static int listener = -1;
static unsigned port;

static void *serve(void *data)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
	int peer;

	while ((peer = accept(listener, NULL, NULL)) >= 0) {
		char request[1024];

		if (recv(peer, request, sizeof(request), 0) > 0)
			send(peer, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
		shutdown(peer, SHUT_WR);
		while (recv(peer, request, sizeof(request), 0) > 0)
			;
		close(peer);
	}
	return NULL;
}

static GThread *start_server(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 4), 0);
	getsockname(listener, (struct sockaddr *)&address, &length);
	port = ntohs(address.sin_port);
	return g_thread_new("server", serve, NULL);
}

static void stop_server(GThread *thread)
{
	shutdown(listener, SHUT_RDWR);
	g_thread_join(thread);
	close(listener);
}

/* Each thread of the process filters its calls. */
static void assert_threads_filtered(int pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task", pid);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir))) {
		g_autofree char *file = g_strdup_printf("%s/%s/status", path, name), *text = NULL;

		if (!g_file_get_contents(file, &text, NULL, NULL))
			continue; /* it has ended */
		assert_true(SANITIZED || strstr(text, "Seccomp:\t2"));
		assert_non_null(strstr(text, "CapEff:\t0000000000000000"));
		assert_non_null(strstr(text, "NoNewPrivs:\t1"));
	}
}

static void assert_devices_work(struct livebox *box)
{
	g_autofree char *gateway = NULL, *fetched = NULL;
	g_autofree char *sentence = NULL;

	/* The disk. */
	g_free(livebox_shell(box, "dd if=/dev/urandom of=/tmp/noise bs=64k count=20 2>/dev/null; "
				  "dd if=/tmp/noise of=/dev/vda bs=64k 2>/dev/null; sync; "
				  "echo 3 >/proc/sys/vm/drop_caches; "
				  "dd if=/dev/vda bs=64k count=20 2>/dev/null | cmp - /tmp/noise"));
	/* The network. */
	livebox_shell_until(box, "ip route | grep -c '^default'", "1");
	gateway = livebox_shell(box, "ip route | awk '/^default/ { print $3 }'");
	fetched = livebox_shell(box, "wget -q -O - http://%s:%u/", gateway, port);
	assert_string_equal(fetched, "hello");
	/* The console, and the balloon. */
	g_free(livebox_shell(box, "modprobe virtio_console; echo there >/dev/hvc0"));
	livebox_do(box, "{\"do\": \"set-memory\", \"size\": %u}", 100u << 20);
	json_object_unref(liveclient_event(box->control, "balloon"));
	livebox_do(box, "{\"do\": \"set-memory\", \"size\": %u}", 128u << 20);
	/* Time that goes on, pause, resume, random numbers. */
	livebox_do(box, "{\"do\": \"pause\"}");
	livebox_do(box, "{\"do\": \"resume\"}");
	g_free(livebox_shell(box, "dd if=/dev/hwrng of=/dev/null bs=64 count=1 2>/dev/null"));
	/* What would need a path is refused. */
	sentence = livebox_refused(box,
		"{\"do\": \"plug-disk\", \"xml\": \"<disk type='file' device='disk'>"
		"<source file='/etc/passwd'/><target dev='vdb' bus='virtio'/></disk>\"}");
	assert_non_null(strstr(sentence, "sandbox"));
}

/* The guest boots again in it: nothing needs to be opened anew. */
static void assert_reset_works(struct livebox *box)
{
	livebox_do(box, "{\"do\": \"reset\"}");
	livebox_wait_shell(box);
	g_free(livebox_shell(box, "dd if=/dev/vda of=/dev/null bs=64k count=4 2>/dev/null"));
}

static unsigned problems_of(struct livebox *box)
{
	g_autoptr(JsonObject) answer = livebox_get(box, "{\"do\": \"status\"}");
	JsonArray *list = json_object_get_array_member(answer, "sandbox");

	for (unsigned i = 0; i < json_array_get_length(list); i++)
		print_message("not given up: %s\n", json_array_get_string_element(list, i));
	return json_array_get_length(list);
}

static void test_guest(const char *name, const char *const *options, unsigned most_problems)
{
	g_autofree char *directory = g_dir_make_tmp("lodge-sandbox-XXXXXX", NULL);
	g_autofree char *disk = g_build_filename(directory, "disk", NULL);
	g_autofree char *log = g_build_filename(directory, "log", NULL);
	g_autofree char *devices = g_strdup_printf(
		"<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
		"<source file='%s'/><target dev='vda' bus='virtio'/></disk>"
		"<interface type='user'><model type='virtio'/></interface>"
		"<console type='file'><source path='%s'/><target type='virtio'/></console>",
		disk, log);
	GThread *server = start_server();
	struct livebox *box;

	assert_true(g_file_set_contents(disk, "", 0, NULL));
	assert_int_equal(truncate(disk, 4 << 20), 0);
	box = livebox_new(&(struct livebox_config){
		.sandbox = true,
		.name = name,
		.vcpus = 2,
		.memory = 128,
		.devices = devices,
		.options = options,
	});
	assert_true(problems_of(box) <= most_problems);
	assert_threads_filtered(box->machine);
	assert_devices_work(box);
	assert_threads_filtered(box->machine);
	assert_reset_works(box);
	livebox_do(box, "{\"do\": \"quit\"}");
	assert_int_equal(livebox_wait_end(box), 0);
	livebox_free(box);
	stop_server(server);
	g_unlink(disk);
	g_unlink(log);
	g_rmdir(directory);
}

static void guests_run_in_it(void **state)
{
	/* Root stays root where nobody says whom to become. */
	test_guest("sandbox-own", NULL, USUAL_PROBLEMS + (getuid() == 0));
}

static void guests_run_as_another_user(void **state)
{
	static const char *const options[] = { "--user", "nobody", "--group", "nogroup", NULL };

	if (getuid() != 0)
		skip();
	test_guest("sandbox-nobody", options, USUAL_PROBLEMS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forbidden_calls_kill_and_others_work),
		cmocka_unit_test(root_gives_up_all),
		cmocka_unit_test(another_user_gives_up_all),
		cmocka_unit_test(unknown_users_are_said),
		cmocka_unit_test(guests_run_in_it),
		cmocka_unit_test(guests_run_as_another_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

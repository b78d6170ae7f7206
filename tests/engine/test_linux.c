// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Debian's stock cloud kernel on the software CPU, driven by lodge-vmm as a person would: it
 * boots, its disk keeps a file system over a reboot, its network reaches a server on the host,
 * and programs in it compute what they compute on the host.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "tests/folder.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <stdio.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_S 600
#define FILE_SIZE (3u << 20)

static char *directory;
static const char *top_srcdir, *top_builddir;

/* ---- the guest's files ------------------------------------------------------------------------ */

/* mke2fs and the libraries it needs: a program that is linked dynamically, too. */
static void add_mke2fs(GPtrArray *arguments)
{
	g_autofree char *output = NULL;
	g_autoptr(GRegex) regex = g_regex_new("(/[^ ]*\\.so[^ ]*) \\(", 0, 0, NULL);
	g_autoptr(GMatchInfo) match = NULL;

	assert_true(g_spawn_command_line_sync("ldd /sbin/mke2fs", &output, NULL, NULL, NULL));
	g_ptr_array_add(arguments, g_strdup("/sbin/mke2fs:/opt/mke2fs"));
	for (g_regex_match(regex, output, 0, &match); g_match_info_matches(match);
		g_match_info_next(match, NULL)) {
		g_autofree char *path = g_match_info_fetch(match, 1);

		g_ptr_array_add(arguments, g_strdup_printf("%s:%s", path, path));
	}
}

static char *guest_file(const char *name)
{
	return g_build_filename(top_builddir, "tests/engine/linux/guest", name, NULL);
}

static void make_guest(void)
{
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;
	g_autofree char *cache = g_build_filename(top_builddir, "guest", NULL);
	g_autofree char *errors = NULL;
	int status;

	g_setenv("LODGE_GUEST_CACHE", cache, FALSE);
	g_ptr_array_add(arguments, g_build_filename(top_srcdir, "tests/guest/make-guest", NULL));
	g_ptr_array_add(arguments, guest_file(""));
	g_ptr_array_add(arguments,
		g_strdup_printf("%s/tests/engine/linux/run:/etc/lodge-run", top_srcdir));
	g_ptr_array_add(arguments,
		g_strdup_printf("%s/tests/engine/linux/checks:/bin/checks", top_builddir));
	g_ptr_array_add(arguments,
		g_strdup_printf("%s/tests/engine/linux/traps:/bin/traps", top_builddir));
	add_mke2fs(arguments);
	g_ptr_array_add(arguments, NULL);
	if (!g_spawn_sync(NULL, (char **)arguments->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL,
		    &errors, &status, &error))
		fail_msg("%s", error->message);
	if (status)
		fail_msg("%s", errors);
}

static int prepare(void **state)
{
	top_srcdir = g_getenv("top_srcdir") ? g_getenv("top_srcdir") : ".";
	top_builddir = g_getenv("top_builddir") ? g_getenv("top_builddir") : ".";
	signal(SIGPIPE, SIG_IGN);
	directory = g_dir_make_tmp("lodge-linux-XXXXXX", NULL);
	make_guest();
	return directory ? 0 : -1;
}

static int remove_directory(void **state)
{
	folder_remove(directory);
	return 0;
}

/* ---- a server on the host ---------------------------------------------------------------------- */

struct server {
	int fd;
	uint16_t port;
	GThread *thread;
	uint8_t *file;
	char *checksum;
};

static void serve_one(const struct server *server, int peer)
{
	char request[4096];
	g_autofree char *head = g_strdup_printf("HTTP/1.0 200 OK\r\nContent-Type: x/y\r\n"
						"Content-Length: %u\r\n\r\n",
		FILE_SIZE);

	if (recv(peer, request, sizeof(request), 0) <= 0 ||
		send(peer, head, strlen(head), MSG_NOSIGNAL) < 0)
		return;
	for (size_t at = 0; at < FILE_SIZE;) {
		ssize_t n = send(peer, server->file + at, FILE_SIZE - at, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += (size_t)n;
	}
}

static void *serve(void *data)
{
	struct server *server = data;
	int peer;

	while ((peer = accept(server->fd, NULL, NULL)) >= 0) {
		serve_one(server, peer);
		close(peer);
	}
	return NULL;
}

static void server_start(struct server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	g_autoptr(GRand) random = g_rand_new();

	server->file = g_malloc(FILE_SIZE);
	for (size_t i = 0; i < FILE_SIZE; i += 4) {
		uint32_t word = g_rand_int(random);

		memcpy(server->file + i, &word, 4);
	}
	server->checksum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, server->file, FILE_SIZE);
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server->fd, 4), 0);
	getsockname(server->fd, (struct sockaddr *)&address, &length);
	server->port = ntohs(address.sin_port);
	server->thread = g_thread_new("server", serve, server);
}

static void server_stop(struct server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	g_thread_join(server->thread);
	close(server->fd);
	g_free(server->file);
	g_free(server->checksum);
}

/* ---- running lodge-vmm ----------------------------------------------------------------------------- */

struct guest {
	unsigned vcpus;
	unsigned memory; /* MiB */
	const char *tests;
	uint16_t port;
	bool disk, network;
	const char *cmdline; /* more of it, or NULL */

	int status;        /* of the process */
	GString *output;   /* its console */
	struct rusage use; /* the process's */
	double seconds;
};

static char *define(const struct guest *guest)
{
	g_autofree char *kernel = guest_file("vmlinuz"), *initrd = guest_file("initrd");
	g_autofree char *disk = g_strdup_printf(
		"<disk type='file' device='disk'><driver name='qemu' type='raw' discard='unmap'/>"
		"<source file='%s/disk'/><target dev='vda' bus='virtio'/><serial>LODGE-1</serial>"
		"</disk>",
		directory);

	return g_strdup_printf(
		"<domain type='qemu'><name>linux</name><memory unit='MiB'>%u</memory>"
		"<vcpu>%u</vcpu><os><type arch='x86_64'>hvm</type><kernel>%s</kernel>"
		"<initrd>%s</initrd>"
		"<cmdline>console=ttyS0 panic=-1 lodge.tests=%s lodge.port=%u %s</cmdline></os>"
		"<features><acpi/></features>%s<devices>%s%s<serial type='pty'/>"
		"<memballoon model='virtio'/><rng model='virtio'><backend model='random'>"
		"/dev/urandom</backend></rng></devices></domain>",
		guest->memory, guest->vcpus, kernel, initrd, guest->tests, guest->port,
		guest->cmdline ? guest->cmdline : "",
		guest->cmdline ? "<on_reboot>destroy</on_reboot>" : "",
		guest->disk ? disk : "",
		guest->network ? "<interface type='user'><model type='virtio'/></interface>" : "");
}

static void read_to_end(struct guest *guest, int fd, pid_t pid)
{
	gint64 end = g_get_monotonic_time() + DEADLINE_S * G_USEC_PER_SEC;

	for (;;) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		char bytes[4096];
		ssize_t n;

		if (g_get_monotonic_time() > end) {
			kill(pid, SIGKILL);
			break;
		}
		if (poll(&poll_fd, 1, 1000) <= 0)
			continue;
		n = read(fd, bytes, sizeof(bytes));
		if (n <= 0)
			break;
		g_string_append_len(guest->output, bytes, n);
	}
}

/* For a look at it afterwards. */
static void keep_console(const struct guest *guest)
{
	g_autofree char *name = g_strdup_printf("%s/tests/engine/linux/%s-%u.log", top_builddir,
		guest->tests, guest->vcpus);

	g_file_set_contents(name, guest->output->str, (gssize)guest->output->len, NULL);
}

static void run_guest(struct guest *guest)
{
	g_autofree char *xml = define(guest);
	g_autofree char *path = g_build_filename(directory, "guest.xml", NULL);
	g_autofree char *program = g_build_filename(top_builddir, "lodge-vmm", NULL);
	char *arguments[] = { program, path, NULL };
	g_autoptr(GError) error = NULL;
	gint64 start = g_get_monotonic_time();
	GPid pid;
	int fd;

	guest->output = g_string_new(NULL);
	assert_true(g_file_set_contents(path, xml, -1, NULL));
	if (!g_spawn_async_with_pipes(NULL, arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
		    &pid, NULL, &fd, NULL, &error))
		fail_msg("%s", error->message);
	read_to_end(guest, fd, pid);
	close(fd);
	wait4(pid, &guest->status, 0, &guest->use);
	keep_console(guest);
	guest->seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
	print_message("%u vCPU, %u MiB, %s: %.1f s, %.1f s of processor time\n", guest->vcpus,
		guest->memory, guest->tests, guest->seconds,
		(double)(guest->use.ru_utime.tv_sec + guest->use.ru_stime.tv_sec) +
			(double)(guest->use.ru_utime.tv_usec + guest->use.ru_stime.tv_usec) / 1e6);
}

static void guest_clear(struct guest *guest)
{
	g_string_free(guest->output, TRUE);
}

/* What the guest said of name, or fails with its console. */
static char *said(const struct guest *guest, const char *name)
{
	g_autofree char *begin = g_strdup_printf("lodge: %s", name);
	const char *at = guest->output->str;

	while ((at = strstr(at, begin))) {
		at += strlen(begin);
		if (*at == ' ' || *at == '\r' || *at == '\n')
			return g_strndup(at + (*at == ' '), strcspn(at, "\r\n") - (*at == ' '));
	}
	fputs(guest->output->str, stderr);
	fail_msg("the guest did not say '%s'", name);
	return NULL;
}

static bool has_said(const struct guest *guest, const char *text)
{
	g_autofree char *line = g_strdup_printf("lodge: %s", text);

	return strstr(guest->output->str, line) != NULL;
}

static void assert_said(const struct guest *guest, const char *name, const char *value)
{
	g_autofree char *text = said(guest, name);

	assert_string_equal(text, value);
}

static void assert_ended_well(const struct guest *guest)
{
	g_free(said(guest, "done"));
	assert_null(strstr(guest->output->str, "Call Trace"));
	assert_null(strstr(guest->output->str, "BUG:"));
	assert_true(WIFEXITED(guest->status));
	assert_int_equal(WEXITSTATUS(guest->status), 0);
}

/* ---- tests ------------------------------------------------------------------------------------------- */

static void assert_modules(const struct guest *guest)
{
	g_autofree char *cpus = g_strdup_printf("%u", guest->vcpus);
	g_autofree char *memory = NULL;

	assert_false(has_said(guest, "missing"));
	assert_said(guest, "cpus", cpus);
	assert_said(guest, "random", "4096");
	memory = said(guest, "memory");
	assert_in_range(atoi(memory), guest->memory * 2 / 3, guest->memory);
}

static void make_disk(void)
{
	g_autofree char *path = g_build_filename(directory, "disk", NULL);

	g_unlink(path);
	assert_true(g_file_set_contents(path, "", 0, NULL));
	assert_int_equal(truncate(path, 96 << 20), 0);
}

/* Modules, the disk over a reboot, the network: all in one boot and its reboot. */
static void test_devices(unsigned vcpus, unsigned memory)
{
	struct server server;
	struct guest guest = { .vcpus = vcpus, .memory = memory, .tests = "modules,disk,network",
		.disk = true, .network = true };

	make_disk();
	server_start(&server);
	guest.port = server.port;
	run_guest(&guest);
	assert_modules(&guest);
	assert_true(has_said(&guest, "reboot"));
	assert_said(&guest, "disk", "right");
	assert_said(&guest, "serial", "LODGE-1");
	assert_said(&guest, "fetched", server.checksum);
	server_stop(&server);
	assert_ended_well(&guest);
	guest_clear(&guest);
}

static void one_vcpu_in_128_mib(void **state)
{
	test_devices(1, 128);
}

static void four_vcpus_in_4_gib(void **state)
{
	test_devices(4, 4096);
}

/* Every line that the program writes on the host, it has written in the guest. */
static void assert_says_what_host_says(const struct guest *guest, const char *program, unsigned least)
{
	g_autofree char *path = g_build_filename(top_builddir, "tests/engine/linux", program, NULL);
	g_autofree char *expected = NULL;
	g_auto(GStrv) lines = NULL;
	int status;

	assert_true(g_spawn_command_line_sync(path, &expected, NULL, &status, NULL));
	assert_int_equal(status, 0);
	lines = g_strsplit(g_strchomp(expected), "\n", -1);
	assert_true(g_strv_length(lines) >= least);
	for (char **line = lines; *line; line++)
		if (!has_said(guest, *line)) {
			fputs(guest->output->str, stderr);
			fail_msg("the guest does not say '%s'", *line);
		}
}

static void test_programs(unsigned vcpus)
{
	struct guest guest = { .vcpus = vcpus, .memory = 256, .tests = "checks,traps" };

	run_guest(&guest);
	assert_says_what_host_says(&guest, "checks", 14);
	assert_says_what_host_says(&guest, "traps", 35);
	assert_ended_well(&guest);
	guest_clear(&guest);
}

static void programs_on_one_vcpu(void **state)
{
	test_programs(1);
}

static void programs_on_four_vcpus(void **state)
{
	test_programs(4);
}

/* As the demo's is, on a machine that has made none yet: kernel and guest are in one folder. */
static void a_guest_is_made_where_its_kernel_is(void **state)
{
	g_autofree char *folder = g_build_filename(top_builddir, "guest-XXXXXX", NULL);
	const char *cache = g_getenv("LODGE_GUEST_CACHE");
	g_autofree char *script = NULL, *errors = NULL;
	int status;

	assert_non_null(g_mkdtemp(folder));
	script = g_strdup_printf("(cp -al '%s/kernel' '%s' || cp -a '%s/kernel' '%s') && "
				 "rm -f '%s'/kernel/lib/modules/*/modules.dep && "
				 "LODGE_GUEST_CACHE= timeout 300 '%s/tests/guest/make-guest' '%s' && "
				 "test -s '%s/vmlinuz' -a -s '%s/initrd'; "
				 "status=$?; rm -rf '%s'; exit $status",
		cache, folder, cache, folder, folder, top_srcdir, folder, folder, folder, folder);
	char *arguments[] = {"sh", "-c", script, NULL};

	assert_true(g_spawn_sync(NULL, arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
		&errors, &status, NULL));
	if (status)
		print_message("%s\n", errors);
	assert_int_equal(status, 0);
}

/* A guest that is told to do without them: without the tables of the firmware there is one
 * processor, no I/O APIC and no switch to turn it off; without the chips, the older ones serve. */
static void test_bare(const char *cmdline, const char *cpus, bool tables, bool chip)
{
	struct guest guest = { .vcpus = 2, .memory = 128, .tests = "bare", .disk = true,
		.cmdline = cmdline };

	make_disk();
	run_guest(&guest);
	assert_said(&guest, "cpus", cpus);
	assert_int_equal(!has_said(&guest, "tables 0"), tables);
	assert_int_equal(!has_said(&guest, "chip 0"), chip);
	assert_said(&guest, "disk", "right");
	assert_ended_well(&guest);
	guest_clear(&guest);
}

static void without_acpi(void **state)
{
	test_bare("acpi=off", "1", false, false);
}

static void without_io_apic(void **state)
{
	test_bare("noapic", "2", true, false);
}

static void without_any_apic(void **state)
{
	test_bare("acpi=off nolapic", "1", false, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_is_made_where_its_kernel_is),
		cmocka_unit_test(one_vcpu_in_128_mib),
		cmocka_unit_test(four_vcpus_in_4_gib),
		cmocka_unit_test(programs_on_one_vcpu),
		cmocka_unit_test(programs_on_four_vcpus),
		cmocka_unit_test(without_acpi),
		cmocka_unit_test(without_io_apic),
		cmocka_unit_test(without_any_apic),
	};

	/* One test alone: LODGE_TEST='without_*'. */
	if (g_getenv("LODGE_TEST"))
		cmocka_set_test_filter(g_getenv("LODGE_TEST"));
	return cmocka_run_group_tests(tests, prepare, remove_directory);
}

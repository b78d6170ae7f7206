// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/daemon/linux.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct daemon *const my = &daemon_under_test;

/* Kept for the next test; the folder is the caller's. */
static char *guest_folder(void)
{
	const char *build = g_getenv("top_builddir") ? g_getenv("top_builddir") : ".";
	g_autofree char *whole = g_canonicalize_filename(build, NULL);

	return g_build_filename(whole, "tests", "daemon", "guest", NULL);
}

static void make_guest(void)
{
	const char *source = g_getenv("top_srcdir") ? g_getenv("top_srcdir") : ".";
	const char *build = g_getenv("top_builddir") ? g_getenv("top_builddir") : ".";
	g_autofree char *cache = g_build_filename(build, "guest", NULL);
	g_autofree char *folder = guest_folder();
	g_autofree char *program = g_build_filename(source, "tests/guest/make-guest", NULL);
	g_autofree char *extra = g_strdup_printf("%s/tests/daemon/report:/etc/lodge-run", source);
	const char *arguments[] = {program, folder, extra, NULL};
	g_autofree char *errors = NULL;
	int status = -1;

	g_setenv("LODGE_GUEST_CACHE", cache, FALSE);
	assert_true(g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
		NULL, NULL, &errors, &status, NULL));
	if (status != 0)
		print_message("%s", errors);
	assert_int_equal(status, 0);
}

char *linux_disk(const char *name, unsigned mib)
{
	char *path = g_build_filename(my->root, name, NULL);

	assert_true(g_file_set_contents(path, "", 0, NULL));
	assert_int_equal(truncate(path, (off_t)mib << 20), 0);
	return path;
}

char *linux_definition(void)
{
	char *path = g_build_filename(my->root, "linux.xml", NULL);
	g_autofree char *disk = linux_disk("vda.img", 16);
	g_autofree char *guest = guest_folder();
	g_autofree char *text = g_strdup_printf(
		"<domain type='qemu'><name>" LINUX_GUEST "</name><uuid>" UUID LINUX_DIGITS "</uuid>"
		"<maxMemory slots='1' unit='MiB'>1024</maxMemory>"
		"<memory unit='MiB'>384</memory><vcpu current='1'>3</vcpu><os><type>hvm</type>"
		"<kernel>%s/vmlinuz</kernel><initrd>%s/initrd</initrd>"
		"<cmdline>console=ttyS0 quiet memhp_default_state=online_movable</cmdline></os>"
		"<devices><disk type='file'><source file='%s'/><target dev='vda'/></disk>"
		"<interface type='user'><mac address='" LINUX_MAC "'/><model type='virtio'/>"
		"</interface>"
		"<serial type='file'><source path='%s/said' append='on'/></serial>"
		"<memory model='virtio-mem'><target><size unit='MiB'>128</size>"
		"<block unit='MiB'>4</block><requested unit='MiB'>0</requested></target></memory>"
		"</devices></domain>",
		guest, guest, disk, my->root);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	return path;
}

static char *what_it_said(void)
{
	g_autofree char *path = g_build_filename(my->root, "said", NULL);
	char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

/* Where the last whole line ends. */
static size_t whole(const char *text)
{
	const char *end = strrchr(text, '\n');

	return end ? (size_t)(end - text) + 1 : 0;
}

void linux_comes_to_say(const char *part)
{
	g_autofree char *before = what_it_said();
	size_t from = whole(before);

	for (int i = 0;; i++) {
		g_autofree char *now = what_it_said();
		const char *line = strstr(now + MIN(from, strlen(now)), "report ");

		if (line && strstr(line, part))
			return;
		if (i == PATIENCE_S * 10) {
			print_message("the guest says:\n%s\n", now + (from > 600 ? from - 600 : 0));
			fail_msg("it does not say '%s'", part);
		}
		g_usleep(100000);
	}
}

void await_text(const char *file, const char *part)
{
	g_autofree char *text = NULL;

	for (int i = 0; i < PATIENCE_S * 10; i++) {
		g_clear_pointer(&text, g_free);
		if (g_file_get_contents(file, &text, NULL, NULL) && strstr(text, part))
			return;
		g_usleep(100000);
	}
	fail_msg("no '%s' in %s: %s", part, file, text);
}

GPid linux_listen(const char *file)
{
	g_autofree char *line = g_strdup_printf(
		"exec virsh -q -c '%s' event --all --loop --timeout 600 >%s", my->uri, file);
	char *arguments[] = {"sh", "-c", line, NULL};
	GPid listener;

	assert_true(g_file_set_contents(file, "", 0, NULL));
	assert_true(g_spawn_async(NULL, arguments, NULL,
		G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &listener, NULL));
	/* Until it has heard one. */
	for (int i = 0; i < PATIENCE_S * 10; i++) {
		g_autofree char *text = NULL;

		done("desc " LINUX_GUEST " --live 'the %d.'", i);
		if (g_file_get_contents(file, &text, NULL, NULL) && strstr(text, "metadata-change"))
			return listener;
		g_usleep(100000);
	}
	fail_msg("nobody listens");
	return 0;
}

void linux_listen_end(GPid listener)
{
	kill(listener, SIGTERM);
	waitpid(listener, NULL, 0);
}

int linux_prepare(void **state)
{
	g_autofree char *definition = NULL;

	/* First what may fail: nothing is to be ended yet. */
	make_guest();
	daemon_prepare(state);
	definition = linux_definition();
	done("define %s", definition);
	done("start " LINUX_GUEST);
	linux_comes_to_say("cpus 1 ");
	return 0;
}

int linux_clean_up(void **state)
{
	return daemon_clean_up(state);
}

// SPDX-License-Identifier: GPL-3.0-or-later
/* Other clients of lodged than virsh: libvirt's Python binding, and virt-install. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "tests/daemon/daemon.h"
#include "tests/iso.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PYTHON "/usr/bin/python3"

/* Runs a line of shell; what it says on both outputs. */
G_GNUC_PRINTF(2, 3)
static char *run(int *status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *line = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *both = g_strdup_printf("exec 2>&1 </dev/null; %s", line);
	char *arguments[] = {"timeout", "300", "sh", "-c", both, NULL}, *said = NULL;

	assert_true(g_spawn_sync(
		NULL, arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &said, NULL, status, NULL));
	return said;
}

static void the_python_binding_works(void **state)
{
	g_autofree char *said = NULL, *probe = NULL;
	const char *source = g_getenv("top_srcdir") ? g_getenv("top_srcdir") : ".";
	int status;

	probe = run(&status, PYTHON " -c 'import libvirt'");
	if (status != 0) {
		print_message("%s\n", probe);
		skip();
	}
	said = run(&status, PYTHON " '%s/tests/daemon/clients.py' '%s' '%s/tests/daemon/echo.elf'",
		source, daemon_under_test.uri, daemon_under_test.build);
	if (status != 0 || !strstr(said, "all is well"))
		print_message("%s\n", said);
	assert_int_equal(status, 0);
	assert_non_null(strstr(said, "all is well"));
}

/* Makes a guest with a new disk and a CD-ROM, which runs. */
static void install(const char *uri)
{
	g_autofree char *medium = g_build_filename(daemon_under_test.root, "medium.iso", NULL);
	g_autofree char *said = NULL;
	int status;

	iso_write(medium, "MEDIUM", "hello\n");
	said = run(&status,
		"virt-install --connect '%s' --name installed --memory 16 --vcpus 1 --virt-type "
		"qemu "
		"--import --disk size=0.001,bus=virtio,pool=default,format=raw --network none "
		"--disk path='%s',device=cdrom,bus=scsi "
		"--graphics none "
		"--boot kernel='%s/tests/engine/boot/actions.elf',kernel_args=b "
		"--osinfo detect=on,require=off --noautoconsole --wait 0",
		uri, medium, daemon_under_test.build);
	if (status != 0)
		print_message("%s\n", said);
	assert_int_equal(status, 0);
	says("running", "domstate installed");
	has("medium.iso", true, "domblklist installed");
	done("change-media installed sda --eject --live --config");
	has("sda   -", true, "domblklist installed");
	has("/images/installed", true, "domblklist installed");
	has("installed", true, "vol-list default");
	done("destroy installed");
	done("undefine installed");
	done("vol-delete installed.img default");
}

static void virt_install_makes_guests(void **state)
{
	g_autofree char *known =
		g_strdup_printf("qemu+unix:///system?socket=%s", daemon_under_test.socket);
	g_autofree char *probe = NULL;
	int status;

	probe = run(&status, "virt-install --version");
	if (status != 0) {
		print_message("%s\n", probe);
		skip();
	}
	install(daemon_under_test.uri);
	install(known);
}

G_GNUC_PRINTF(1, 2)
static void works(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *line = g_strdup_vprintf(format, args), *said = NULL;
	va_end(args);
	int status;

	said = run(&status, "%s", line);
	if (status != 0)
		print_message("%s\n%s\n", line, said);
	assert_int_equal(status, 0);
}

/* virt-install's sisters. */
static void guests_are_edited_and_copied(void **state)
{
	const char *uri = daemon_under_test.uri;
	g_autofree char *probe = NULL, *listed = NULL;
	int status;

	probe = run(&status, "virt-xml --version && virt-clone --version");
	if (status != 0) {
		print_message("%s\n", probe);
		skip();
	}
	define("first", "21", "b", "");
	works("virt-xml --connect '%s' first --edit --memory 16", uri);
	has("<memory unit='KiB'>16384</memory>", true, "dumpxml first");
	works("virt-xml --connect '%s' first --add-device "
	      "--disk size=0.001,bus=virtio,pool=default,format=raw",
		uri);
	works("virt-clone --connect '%s' -o first -n second --auto-clone", uri);
	has("/images/second", true, "domblklist second");
	works("virt-xml --connect '%s' first --remove-device --disk target=vda", uri);
	listed = virsh("domblklist first");
	assert_null(strstr(listed, "/images/first"));
	done("undefine first");
	done("undefine second");
	done("vol-delete first.img default");
	done("vol-delete second.img default");
}

static char *write_program(const char *name, const char *text)
{
	char *path = g_build_filename(daemon_under_test.root, name, NULL);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	assert_int_equal(chmod(path, 0700), 0);
	return path;
}

/* What ssh does, without another machine: the words behind the host's name are for its shell. */
static const char fake_ssh[] = "#!/bin/sh\n"
			       "while [ \"$1\" != -- ]; do shift; done\n"
			       "shift 2\n"
			       "exec sh -c \"$*\"\n";

static const char fake_netcat[] =
	"#!/usr/bin/python3\n"
	"import os, select, socket, sys\n"
	"if '-U' not in sys.argv: sys.exit(1)\n"
	"s = socket.socket(socket.AF_UNIX)\n"
	"s.connect(sys.argv[-1])\n"
	"while True:\n"
	"    ready = select.select([0, s], [], [])[0]\n"
	"    data = s.recv(65536) if s in ready else os.read(0, 65536)\n"
	"    if not data: sys.exit(0)\n"
	"    os.write(1, data) if s in ready else s.sendall(data)\n";

static void another_machine_is_reached_by_ssh(void **state)
{
	g_autofree char *ssh = write_program("ssh", fake_ssh);
	g_autofree char *netcat = write_program("netcat", fake_netcat);
	g_autofree char *uri = g_strdup_printf("lodge+ssh://root@elsewhere/system?socket=%s"
					       "&proxy=netcat&command=%s&netcat=%s",
		daemon_under_test.socket, ssh, netcat);
	g_autofree char *said = NULL, *listed = NULL;
	int status;

	define("far", "20", "b", "");
	listed = virsh_at(uri, true, "list --all --name");
	assert_string_equal(listed, "far");
	said = run(&status, "'%s/lodge' --uri '%s' list", daemon_under_test.build, uri);
	if (status != 0)
		print_message("%s\n", said);
	assert_int_equal(status, 0);
	assert_non_null(strstr(said, "far   off"));
	done("undefine far");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_python_binding_works),
		cmocka_unit_test(virt_install_makes_guests),
		cmocka_unit_test(guests_are_edited_and_copied),
		cmocka_unit_test(another_machine_is_reached_by_ssh),
	};

	return cmocka_run_group_tests_name(
		"lodged: clients", tests, daemon_prepare, daemon_clean_up);
}

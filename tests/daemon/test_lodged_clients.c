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

#include <stdlib.h>
#include <string.h>

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

/* Makes a guest with a new disk, which runs. */
static void install(const char *uri)
{
	g_autofree char *said = NULL;
	int status;

	said = run(&status,
		"virt-install --connect '%s' --name installed --memory 16 --vcpus 1 --virt-type "
		"qemu "
		"--import --disk size=0.001,bus=virtio,pool=default,format=raw --network none "
		"--graphics none "
		"--boot kernel='%s/tests/engine/boot/actions.elf',kernel_args=b "
		"--osinfo detect=on,require=off --noautoconsole --wait 0",
		uri, daemon_under_test.build);
	if (status != 0)
		print_message("%s\n", said);
	assert_int_equal(status, 0);
	says("running", "domstate installed");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_python_binding_works),
		cmocka_unit_test(virt_install_makes_guests),
	};

	return cmocka_run_group_tests_name(
		"lodged: clients", tests, daemon_prepare, daemon_clean_up);
}

// SPDX-License-Identifier: GPL-3.0-or-later
/* Processors that come and go while the guest runs, as the guest sees them. */
#include "tests/engine/livebox.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

static struct livebox *box;

static int boot(void **state)
{
	box = livebox_new(&(struct livebox_config){ .name = "live-cpu", .vcpus = 1, .vcpus_max = 4 });
	return 0;
}

static int end(void **state)
{
	livebox_free(box);
	return 0;
}

static void the_guest_answers(void **state)
{
	g_autoptr(JsonObject) status = livebox_get(box, "{\"do\": \"status\"}");

	assert_int_equal(livebox_shell_number(box, "nproc"), 1);
	assert_string_equal(json_object_get_string_member(status, "state"), "running");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guest_answers),
	};

	return cmocka_run_group_tests(tests, boot, end);
}

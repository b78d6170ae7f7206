// SPDX-License-Identifier: GPL-3.0-or-later
// `lodge edit` in a terminal: the user's editor is a script, the questions are answered by keys. On
// libvirt's test driver, which lives as long as the command: what a run saved is looked for in what it
// says, in the revisions and in the draft it leaves.
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/screens/lodge.h"

/* The command, with an editor and one more option or NULL. */
static struct harness *edit(const char *guest, const char *editor, const char *option)
{
	g_autofree char *uri = lodge_host("edit.xml");

	return lodge_start(&(struct lodge_options){
		.uri = uri,
		.words = (const char *const[]){ option ? option : "edit", option ? "edit" : guest,
			option ? guest : NULL, NULL },
		.width = 120,
		.editor = editor,
	});
}

static void ends_with(struct harness *h, int code)
{
	assert_int_equal(harness_exit(h), code);
	harness_stop(h);
}

/* The files of that kind in the state directory, one text after the other; "" where there are none. */
static char *texts(const char *kind, const char *ending)
{
	g_autofree char *command = g_strdup_printf(
		"sh -c 'find %s/state/lodge/%s -name \"*%s\" -exec cat {} + 2>/dev/null; :'", lodge_home, kind, ending);
	char *output = NULL;

	assert_true(g_spawn_command_line_sync(command, &output, NULL, NULL, NULL));
	return output;
}

static bool there(const char *kind, const char *ending, const char *part)
{
	g_autofree char *text = texts(kind, ending);

	return strstr(text, part) != NULL;
}

static void saved_with_its_reason(void **state)
{
	struct harness *h = edit("full", "sed -i 's/The file server/By hand/'", "--json");

	harness_expect(h, "title: The file server -> By hand, at next start.");
	ends_with(h, 0);
	assert_true(there("revisions", ".xml", "<title>By hand</title>"));
	assert_true(there("revisions", ".info", "reason=edit"));
	assert_false(there("drafts", ".xml", "<"));
}

static void nothing_changed(void **state)
{
	struct harness *h = edit("full", "true", NULL);

	harness_expect(h, "Nothing was changed.");
	ends_with(h, 0);
	assert_false(there("drafts", ".xml", "<"));
	assert_false(there("revisions", ".xml", "<"));
}

static void an_editor_that_fails(void **state)
{
	struct harness *h = edit("full", "false", NULL);

	harness_expect(h, "lodge: The editor 'false' failed");
	ends_with(h, 1);
	assert_false(there("drafts", ".xml", "<"));
}

static void no_such_guest(void **state)
{
	struct harness *h = edit("nobody", "false", NULL);

	harness_expect(h, "nobody");
	ends_with(h, 4);
}

static void refused_with_readonly(void **state)
{
	struct harness *h = edit("full", "false", "--readonly");

	harness_expect(h, "--readonly");
	ends_with(h, 5);
}

/* The first time it is broken, the second time mended. */
#define SLIP "sh -c 'grep -q wrong \"$0\" && sed -i s/wrong/title/ \"$0\" && exit; " \
	"sed -i \"s/<title>The file/<wrong>A new file/\" \"$0\"'"

static void a_slip_goes_back_to_the_editor(void **state)
{
	struct harness *h = edit("full", SLIP, NULL);

	harness_expect(h, "lodge: Cannot read the definition of 'full': line");
	harness_expect(h, "[e]dit again, [k]eep the draft, or [d]rop it:");
	harness_keys(h, "e Enter");
	harness_expect(h, "title: The file server -> A new file server, at next start.");
	ends_with(h, 0);
	assert_false(there("drafts", ".xml", "<"));
}

static void what_breaks_the_schema_is_kept_and_gone_on_with(void **state)
{
	struct harness *h = edit("full", "sed -i 's/<title>/<nonsense\\/><title>/'", NULL);

	harness_expect(h, "breaks libvirt's schema");
	harness_expect(h, "nonsense");
	harness_expect(h, "or [d]rop it:");
	harness_keys(h, "k Enter");
	harness_expect(h, "lodge: The draft is kept: 'lodge edit full' goes on with it.");
	ends_with(h, 2);
	assert_true(there("drafts", ".xml", "<nonsense/>"));
	h = edit("full", "sed -i 's/<nonsense.>/ /;s/The file/Mended file/'", NULL);
	harness_expect(h, "lodge: A draft of 'full' is there, last changed 2023-11-14 22:13");
	harness_keys(h, "g Enter");
	harness_expect(h, "title: The file server -> Mended file server, at next start.");
	ends_with(h, 0);
	assert_false(there("drafts", ".xml", "<"));
}

static void dropped(void **state)
{
	struct harness *h = edit("full", "sed -i s/domain/nonsense/", NULL);

	harness_expect(h, "or [d]rop it:");
	harness_keys(h, "d Enter");
	ends_with(h, 8);
	assert_false(there("drafts", ".xml", "<"));
}

/* Somebody else's change between beginning and saving; the test driver's own guest cannot be changed
 * from outside, so that the draft's beginning is changed instead. */
static void changed_meanwhile(void **state)
{
	struct harness *h = edit("full", "sed -i 's/<title>/<nonsense\\/><title>/'", NULL);
	g_autofree char *command = g_strdup_printf(
		"sh -c 'sed -i s/restart/destroy/ $(find %s/state/lodge/drafts -type f)'",
		lodge_home);

	harness_expect(h, "or [d]rop it:");
	harness_keys(h, "k Enter");
	ends_with(h, 2);
	assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
	h = edit("full", "sed -i 's/<nonsense.>//;s/The file/My file/'", NULL);
	harness_expect(h, "or [q]uit:");
	harness_keys(h, "g Enter");
	harness_expect(h, "Someone else changed the definition of 'full' meanwhile");
	harness_keys(h, "e Enter");
	harness_expect(h, "title: The file server -> My file server, at next start.");
	ends_with(h, 0);
	assert_true(there("revisions", ".xml", "<on_reboot>restart"));
	assert_true(there("revisions", ".xml", "<title>My file server</title>"));
}

/* Without a terminal there is nobody to ask: the draft stays, the exit code says why. */
static void without_a_terminal(void **state)
{
	g_autofree char *uri = lodge_host("edit.xml");
	g_autofree char *program = harness_program("lodge");
	g_autofree char *command = g_strdup_printf(
		"sh -c 'LC_ALL=C.UTF-8 LANGUAGE= XDG_CONFIG_HOME=%s/config XDG_STATE_HOME=%s/state "
		"VISUAL=\"sed -i s/domain/nonsense/\" %s --uri %s edit full </dev/null'",
		lodge_home, lodge_home, program, uri);
	g_autofree char *err = NULL;
	int status = 0;

	assert_true(g_spawn_command_line_sync(command, NULL, &err, &status, NULL));
	assert_false(g_spawn_check_wait_status(status, NULL));
	assert_non_null(strstr(err, "The draft is kept"));
	assert_true(there("drafts", ".xml", "<nonsense"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_HOME(saved_with_its_reason), IN_A_HOME(nothing_changed), IN_A_HOME(an_editor_that_fails),
		IN_A_HOME(no_such_guest), IN_A_HOME(refused_with_readonly), IN_A_HOME(a_slip_goes_back_to_the_editor),
		IN_A_HOME(what_breaks_the_schema_is_kept_and_gone_on_with), IN_A_HOME(dropped),
		IN_A_HOME(changed_meanwhile), IN_A_HOME(without_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/revision.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define URI "qemu+ssh://root@host7/system?socket=/run/x"
#define UUID "eaf79cb2-39f3-4a1f-bc70-2bb63dc46d3b"

static char *home;

// The XDG directories are read once per process, so one for all tests.
static int setup(void **state)
{
	home = g_dir_make_tmp("lodge-revision-XXXXXX", NULL);
	g_setenv("XDG_STATE_HOME", home, TRUE);
	return home ? 0 : -1;
}

static int teardown(void **state)
{
	g_autofree char *command = g_strdup_printf("rm -rf '%s'", home);

	g_free(home);
	return system(command);
}

static void revisions_are_numbered_listed_and_read(void **state)
{
	g_autoptr(GPtrArray) list = NULL;
	g_autofree char *first = NULL;
	const struct revision *second;

	assert_int_equal(revision_add(URI, UUID, "<a/>", "ann", "made", 1000, NULL), 1);
	assert_int_equal(revision_add(URI, UUID, "<b/>", "bob from 192.0.2.7", "line\nbreak", 2000, NULL), 2);
	list = revision_list(URI, UUID);
	assert_int_equal(list->len, 2);
	second = list->pdata[1];
	assert_int_equal(second->number, 2);
	assert_int_equal(second->time, 2000);
	assert_string_equal(second->user, "bob from 192.0.2.7");
	assert_string_equal(second->reason, "line\nbreak");
	assert_string_equal(second->uri, URI);
	first = revision_read(URI, UUID, 1, NULL);
	assert_string_equal(first, "<a/>");
}

static void an_unchanged_definition_adds_none(void **state)
{
	assert_int_equal(revision_add(URI, "u2", "<a/>", "ann", "", 1, NULL), 1);
	assert_int_equal(revision_add(URI, "u2", "<a/>", "ann", "", 2, NULL), 1);
	assert_int_equal(revision_add(URI, "u2", "<b/>", "ann", "", 3, NULL), 2);
}

static void connections_and_guests_are_kept_apart(void **state)
{
	g_autoptr(GPtrArray) list = NULL;

	revision_add("test:///a", "u3", "<a/>", "ann", "", 1, NULL);
	list = revision_list("test:///b", "u3");
	assert_int_equal(list->len, 0);
}

static void what_is_not_there_is_a_sentence(void **state)
{
	g_autoptr(GError) error = NULL;

	assert_null(revision_read(URI, UUID, 77, &error));
	assert_string_equal(error->message,
		"There is no revision 77 of this guest; 'lodge revisions' lists them.");
}

static void hostile_names_stay_inside(void **state)
{
	g_autofree char *escaped = g_build_filename(home, "escaped", NULL);

	assert_int_equal(revision_add("../../..", "../../../../escaped", "<a/>", "x", "", 1, NULL), 1);
	assert_false(g_file_test(escaped, G_FILE_TEST_EXISTS));
}

static void files_are_for_their_owner_alone(void **state)
{
	g_autofree char *command = g_strdup_printf("test -z \"$(find '%s/lodge' -perm /077)\"", home);

	assert_int_equal(system(command), 0);
}

static void broken_files_are_left_out(void **state)
{
	g_autofree char *dir = g_build_filename(home, "lodge", "revisions", "broken", "u", NULL);
	g_autofree char *info = g_build_filename(dir, "0001.info", NULL);
	g_autoptr(GPtrArray) list = NULL;

	g_mkdir_with_parents(dir, 0700);
	g_file_set_contents(info, "\xff\xfe no key file", -1, NULL);
	list = revision_list("broken", "u");
	assert_int_equal(list->len, 0);
	assert_int_equal(revision_add("broken", "u", "<a/>", "x", "", 1, NULL), 1);
}

static void a_draft_stays_until_dropped(void **state)
{
	struct draft draft = {.xml = "<a>new</a>", .base = "<a>old</a>", .began = 5, .changed = 6,
		.user = "ann"};
	struct draft *back;
	g_autoptr(GError) error = NULL;

	assert_null(draft_read(URI, UUID, &error));
	assert_null(error);
	assert_true(draft_write(URI, UUID, &draft, NULL));
	back = draft_read(URI, UUID, NULL);
	assert_string_equal(back->xml, draft.xml);
	assert_string_equal(back->base, draft.base);
	assert_int_equal(back->began, 5);
	assert_string_equal(back->user, "ann");
	draft_free(back);
	assert_true(draft_drop(URI, UUID, NULL));
	assert_true(draft_drop(URI, UUID, NULL));
	assert_null(draft_read(URI, UUID, NULL));
}

static void a_place_that_cannot_be_written_is_a_sentence(void **state)
{
	g_autofree char *file = g_build_filename(home, "lodge", "revisions", "file", NULL);
	g_autoptr(GError) error = NULL;

	assert_true(g_file_set_contents(file, "", 0, NULL));
	assert_int_equal(revision_add("file", "u", "<a/>", "x", "", 1, &error), 0);
	assert_true(g_str_has_prefix(error->message, "Cannot keep '"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(revisions_are_numbered_listed_and_read),
		cmocka_unit_test(an_unchanged_definition_adds_none),
		cmocka_unit_test(connections_and_guests_are_kept_apart),
		cmocka_unit_test(what_is_not_there_is_a_sentence),
		cmocka_unit_test(hostile_names_stay_inside),
		cmocka_unit_test(files_are_for_their_owner_alone),
		cmocka_unit_test(broken_files_are_left_out),
		cmocka_unit_test(a_draft_stays_until_dropped),
		cmocka_unit_test(a_place_that_cannot_be_written_is_a_sentence),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/difference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static const char web[] =
	"<domain type='kvm' xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>\n"
	"  <name>web</name>\n"
	"  <memory unit='MiB'>512</memory>\n"
	"  <vcpu>2</vcpu>\n"
	"  <devices>\n"
	"    <disk type='file'>\n"
	"      <source file='/a'/>\n"
	"      <target dev='vda'/>\n"
	"    </disk>\n"
	"    <sound model='ich6'/>\n"
	"  </devices>\n"
	"</domain>\n";

static struct document *make(void)
{
	return document_new(web, -1, "the test", NULL);
}

static char *words(const struct document *from, const struct document *to)
{
	g_autoptr(GPtrArray) changes = difference_changes(from, to);
	GString *all = g_string_new(NULL);

	for (guint i = 0; i < changes->len; i++) {
		g_autofree char *line = change_words(changes->pdata[i]);

		g_string_append_printf(all, "%s\n", line);
	}
	return g_string_free(all, FALSE);
}

static void equal_documents_do_not_differ(void **state)
{
	DOCUMENT_AUTO struct document *a = make();
	DOCUMENT_AUTO struct document *b = make();
	g_autofree char *said = words(a, b);
	g_autofree char *lines = difference_lines(web, "a", web, "b", NULL);

	assert_string_equal(said, "");
	assert_string_equal(lines, "");
}

static void keys_are_told_once_and_other_elements_by_path(void **state)
{
	DOCUMENT_AUTO struct document *a = make();
	DOCUMENT_AUTO struct document *b = make();
	g_autofree char *said = NULL;

	assert_true(key_set(b, "memory", "1GiB", NULL));
	assert_true(key_set(b, "disk.vda.cache", "none", NULL));
	assert_true(document_set_attribute(b, document_find(b, "//sound"), "model", "ich9", NULL));
	said = words(a, b);
	assert_string_equal(said,
		"memory: 512MiB -> 1024MiB\n"
		"disk.vda.cache: set to none\n"
		"devices/sound: sound model='ich6' -> sound model='ich9'\n");
}

// A document from elsewhere may call its devices anything: no key names those, and nothing falls over.
static void names_that_no_key_can_have(void **state)
{
	static const char *const names[] = {"", ".", "a.b", "v'd\"a", "&#10;", "[1]", "*"};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		DOCUMENT_AUTO struct document *a = make();
		DOCUMENT_AUTO struct document *b = make();
		g_auto(GStrv) all = NULL;
		g_autofree char *said = NULL;

		assert_true(document_set_attribute(b, document_find(b, "//target"), "dev", names[i], NULL));
		said = words(a, b);
		assert_string_not_equal(said, "");
		all = key_names(b);
		for (char **name = all; *name; name++) {
			g_autofree char *member = NULL;

			assert_non_null(key_find(*name, &member, NULL));
		}
	}
}

static void lines_are_a_unified_diff(void **state)
{
	DOCUMENT_AUTO struct document *b = make();
	g_autofree char *lines = NULL;

	assert_true(key_set(b, "vcpus", "4", NULL));
	lines = difference_lines(web, "saved", document_text(b, NULL), "draft", NULL);
	assert_true(g_str_has_prefix(lines, "--- saved\n+++ draft\n@@ "));
	assert_non_null(strstr(lines, "\n-  <vcpu>2</vcpu>\n+  <vcpu>4</vcpu>\n"));
}

static void changes_of_both_sides_merge(void **state)
{
	DOCUMENT_AUTO struct document *mine = make();
	DOCUMENT_AUTO struct document *theirs = make();
	DOCUMENT_AUTO struct document *merged = NULL;
	g_autofree char *text = NULL;
	g_autofree char *vcpus = NULL;
	bool conflicts = true;

	key_set(mine, "vcpus", "4", NULL);
	document_set_attribute(theirs, document_find(theirs, "//sound"), "model", "ich9", NULL);
	text = difference_merge(document_text(mine, NULL), web, document_text(theirs, NULL), &conflicts, NULL);
	assert_false(conflicts);
	merged = document_new(text, -1, "the merge", NULL);
	vcpus = key_get(merged, "vcpus", NULL);
	assert_string_equal(vcpus, "4");
	assert_non_null(strstr(text, "ich9"));
}

static void a_conflict_is_marked(void **state)
{
	DOCUMENT_AUTO struct document *mine = make();
	DOCUMENT_AUTO struct document *theirs = make();
	g_autofree char *text = NULL;
	bool conflicts = false;

	key_set(mine, "vcpus", "4", NULL);
	key_set(theirs, "vcpus", "8", NULL);
	text = difference_merge(document_text(mine, NULL), web, document_text(theirs, NULL), &conflicts, NULL);
	assert_true(conflicts);
	assert_non_null(strstr(text, "<<<<<<< yours\n  <vcpu>4</vcpu>\n"));
	assert_non_null(strstr(text, "  <vcpu>8</vcpu>\n>>>>>>> theirs\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_documents_do_not_differ),
		cmocka_unit_test(keys_are_told_once_and_other_elements_by_path),
		cmocka_unit_test(names_that_no_key_can_have),
		cmocka_unit_test(lines_are_a_unified_diff),
		cmocka_unit_test(changes_of_both_sides_merge),
		cmocka_unit_test(a_conflict_is_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

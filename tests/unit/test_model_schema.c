// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static struct schema *schema;

static int setup(void **state)
{
	g_autoptr(GError) error = NULL;

	schema = schema_new(NULL, &error);
	if (!schema)
		print_error("%s\n", error->message);
	return schema ? 0 : -1;
}

static int teardown(void **state)
{
	schema_free(schema);
	return 0;
}

// A definition with its parts filled in, checked; the sentences joined by newlines.
static char *check(const char *type, const char *general, const char *devices)
{
	g_autofree char *text = g_strdup_printf("<domain%s>\n<name>x</name>\n<memory>1</memory>\n"
						"<os><type>hvm</type></os>\n%s\n"
						"<devices>\n%s\n</devices>\n</domain>\n",
		type, general, devices);
	DOCUMENT_AUTO struct document *document = document_new(text, -1, "the test", NULL);
	g_autoptr(GPtrArray) problems = NULL;
	GString *all = g_string_new(NULL);

	assert_non_null(document);
	problems = schema_check(schema, document);
	for (guint i = 0; i < problems->len; i++)
		g_string_append_printf(
			all, "%s\n", ((struct schema_problem *)problems->pdata[i])->sentence);
	assert_string_equal(document_text(document, NULL), text);
	return g_string_free(all, FALSE);
}

static void a_good_definition_has_no_problem(void **state)
{
	g_autofree char *said = check(" type='kvm'", "<vcpu current='1'>2</vcpu>",
		"<disk type='file' device='disk'><source file='/a'/><target dev='vda' bus='virtio'/></disk>");

	assert_string_equal(said, "");
}

static void each_problem_is_named_with_its_line(void **state)
{
	g_autofree char *said = check(" type='kvm'", "<vcpu>many</vcpu><cputune><quta>1</quta></cputune>",
		"<teapot/>\n"
		"<memballoon model='virtio' colour='red'/>\n"
		"<serial type='ptx'/>");

	assert_string_equal(said,
		"Line 5: <vcpu> is not allowed here, or 'many' is not a value for it.\n"
		"Line 5: <quta> is not allowed here, or '1' is not a value for it.\n"
		"Line 7: <teapot> is not allowed here, or something it needs is missing.\n"
		"Line 8: <memballoon> cannot have the attribute colour='red'.\n"
		"Line 9: <serial type='ptx'> is not allowed here, or something it needs is missing.\n");
}

// libxml2 names neither of them: it calls the root wrong.
static void strangers_below_the_root_are_named(void **state)
{
	g_autofree char *said = check(" type='kvm'", "<vcpu>1</vcpu>\n<nonsense/>\n<rubbish a='1'/>",
		"<disk type='file' device='disk'><source file='/a'/><target dev='vda'/></disk>");

	assert_string_equal(said,
		"Line 6: <nonsense> is not allowed here, or something it needs is missing.\n"
		"Line 7: <rubbish a='1'> is not allowed here, or something it needs is missing.\n");
}

static void an_attribute_and_a_child_are_both_named(void **state)
{
	g_autofree char *said = check(" type='kvm'", "",
		"<memballoon model='virtio' colour='red'>\n<stats period='1'/>\n<size/>\n</memballoon>");

	assert_string_equal(said,
		"Line 7: <memballoon> cannot have the attribute colour='red'.\n"
		"Line 9: <size> is not allowed here, or something it needs is missing.\n");
}

static void the_root_is_judged_too(void **state)
{
	g_autofree char *unknown = check(" type='abacus'", "", "");
	g_autofree char *odd = check(" type='kvm' size='3'", "", "<teapot/>");
	DOCUMENT_AUTO struct document *nameless = document_new(
		"<domain type='kvm'><memory>1</memory><os><type>hvm</type></os></domain>", -1, "x", NULL);
	g_autoptr(GPtrArray) problems = schema_check(schema, nameless);

	assert_true(g_str_has_prefix(unknown, "Line 1: <domain> is not a definition"));
	assert_true(g_str_has_prefix(odd, "Line 1: <domain> cannot have the attribute 'size'.\nLine 7:"));
	assert_int_equal(problems->len, 1);
	assert_string_equal(((struct schema_problem *)problems->pdata[0])->sentence,
		"Line 1: <domain> needs an element <name>.");
}

static void many_problems_end_somewhere(void **state)
{
	GString *devices = g_string_new(NULL);
	g_autofree char *said = NULL;
	guint lines = 0;

	for (int i = 0; i < 100; i++)
		g_string_append(devices, "<teapot/>\n");
	said = check(" type='kvm'", "", devices->str);
	g_string_free(devices, TRUE);
	for (const char *c = said; (c = strchr(c, '\n')); c++)
		lines++;
	assert_int_equal(lines, 20);
}

static void a_missing_schema_is_a_sentence(void **state)
{
	g_autoptr(GError) error = NULL;

	assert_null(schema_new("/nonexistent.rng", &error));
	assert_string_equal(error->message,
		"Cannot read libvirt's schema '/nonexistent.rng': install the package libvirt0.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_definition_has_no_problem),
		cmocka_unit_test(each_problem_is_named_with_its_line),
		cmocka_unit_test(strangers_below_the_root_are_named),
		cmocka_unit_test(an_attribute_and_a_child_are_both_named),
		cmocka_unit_test(the_root_is_judged_too),
		cmocka_unit_test(many_problems_end_somewhere),
		cmocka_unit_test(a_missing_schema_is_a_sentence),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

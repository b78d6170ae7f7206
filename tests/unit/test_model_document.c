// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char odd[] =
	"<?xml version=\"1.0\"?>\r\n"
	"<!-- kept -->\n"
	"<domain   type = \"qemu\"\n"
	"          xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' >\n"
	"  <name>web</name><!-- beside -->\n"
	"\t<memory unit='MiB'>512</memory>   \n"
	"  <vcpu/>\n"
	"  <devices>\n"
	"    <disk type='file' ><target dev=\"vda\"/><![CDATA[ <disk> ]]></disk>\n"
	"    <disk type='block'>\n"
	"      <target dev='vdb' />\n"
	"    </disk>\n"
	"  </devices>\n"
	"  <qemu:commandline><qemu:arg value='-a&amp;b'/></qemu:commandline>\n"
	"</domain>\n"
	"<!-- end > -->";

static struct document *make(const char *text)
{
	g_autoptr(GError) error = NULL;
	struct document *document = document_new(text, -1, "the test's definition", &error);

	if (!document)
		fail_msg("%s", error->message);
	return document;
}

// The document is `text` with exactly its one occurrence of `from` replaced.
static void assert_only(struct document *document, const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	g_autofree char *expected = NULL;

	assert_non_null(at);
	assert_null(strstr(at + 1, from));
	expected = g_strdup_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	assert_string_equal(document_text(document, NULL), expected);
}

static void untouched_text_is_the_input(void **state)
{
	DOCUMENT_AUTO struct document *document = make(odd);
	gsize length;

	assert_string_equal(document_text(document, &length), odd);
	assert_int_equal(length, strlen(odd));
}

static void an_attribute_changes_its_value_alone(void **state)
{
	DOCUMENT_AUTO struct document *document = make(odd);
	xmlNode *disk = document_find(document, "/domain/devices/disk[1]");

	assert_true(document_set_attribute(document, disk, "type", "block", NULL));
	assert_only(document, odd, "<disk type='file' >", "<disk type='block' >");
}

static void quotes_stay_and_are_escaped(void **state)
{
	DOCUMENT_AUTO struct document *document = make(odd);
	xmlNode *target = document_find(document, "//disk[1]/target");

	assert_true(document_set_attribute(document, target, "dev", "a\"b'<&", NULL));
	assert_only(document, odd, "dev=\"vda\"", "dev=\"a&quot;b'&lt;&amp;\"");
}

static void a_new_attribute_follows_the_others(void **state)
{
	DOCUMENT_AUTO struct document *document = make(odd);

	assert_true(document_set_attribute(
		document, document_find(document, "//disk[1]/target"), "bus", "virtio", NULL));
	assert_only(document, odd, "<target dev=\"vda\"/>", "<target dev=\"vda\" bus=\"virtio\"/>");
	assert_true(document_undo(document));
	assert_true(document_set_attribute(
		document, document_find(document, "/domain/vcpu"), "current", "2", NULL));
	assert_only(document, odd, "<vcpu/>", "<vcpu current='2'/>");
}

static void an_attribute_goes_with_its_space(void **state)
{
	DOCUMENT_AUTO struct document *document = make(odd);
	xmlNode *disk = document_find(document, "//disk[1]");

	assert_true(document_remove_attribute(document, disk, "nosuch", NULL));
	assert_int_equal(document_edits(document), 0);
	assert_true(document_remove_attribute(document, disk, "type", NULL));
	assert_only(document, odd, "<disk type='file' >", "<disk >");
}

static void text_is_replaced_and_escaped(void **state)
{
	DOCUMENT_AUTO struct document *document = make(odd);

	assert_true(document_set_text(document, document_find(document, "/domain/memory"), "1<2", NULL));
	assert_only(document, odd, ">512<", ">1&lt;2<");
}

static void an_empty_element_opens(void **state)
{
	DOCUMENT_AUTO struct document *document = make(odd);

	assert_true(document_set_text(document, document_find(document, "/domain/vcpu"), "4", NULL));
	assert_only(document, odd, "<vcpu/>", "<vcpu>4</vcpu>");
	document_undo(document);
	assert_true(document_set_text(document, document_find(document, "//disk[2]/target"), "x", NULL));
	assert_only(document, odd, "<target dev='vdb' />", "<target dev='vdb'>x</target>");
}

static void an_element_goes_with_its_line(void **state)
{
	DOCUMENT_AUTO struct document *document = make(odd);

	assert_true(document_remove(document, document_find(document, "/domain/memory"), NULL));
	assert_only(document, odd, "\t<memory unit='MiB'>512</memory>   \n", "");
	document_undo(document);
	assert_true(document_remove(document, document_find(document, "/domain/name"), NULL));
	assert_only(document, odd, "<name>web</name>", "");
	document_undo(document);
	assert_true(document_remove(document, document_find(document, "//disk[2]"), NULL));
	assert_only(document, odd,
		"    <disk type='block'>\n      <target dev='vdb' />\n    </disk>\n", "");
}

static void a_fragment_is_indented_like_its_siblings(void **state)
{
	DOCUMENT_AUTO struct document *document = make(odd);
	xmlNode *devices = document_find(document, "/domain/devices");

	assert_true(document_insert(document, devices, NULL, "<rng model='virtio'>\n  <x/>\n</rng>", NULL));
	assert_only(document, odd, "    </disk>\n  </devices>",
		"    </disk>\n    <rng model='virtio'>\n      <x/>\n    </rng>\n  </devices>");
	document_undo(document);
	assert_true(document_insert(document, document_root(document),
		document_find(document, "/domain/vcpu"), "<title>t</title>", NULL));
	assert_only(document, odd, "  <vcpu/>\n", "  <title>t</title>\n  <vcpu/>\n");
	document_undo(document);
	assert_true(document_insert(document, document_find(document, "/domain/vcpu"), NULL, "<x/>", NULL));
	assert_only(document, odd, "  <vcpu/>\n", "  <vcpu>\n    <x/>\n  </vcpu>\n");
}

static void what_breaks_the_document_is_refused(void **state)
{
	DOCUMENT_AUTO struct document *document = make(odd);
	g_autoptr(GError) error = NULL;

	assert_false(document_insert(document, document_root(document), NULL, "<a><b></a>", &error));
	assert_non_null(strstr(error->message, "line"));
	assert_string_equal(document_text(document, NULL), odd);
	assert_false(document_set_attribute(document, document_root(document), "a b", "c", NULL));
	assert_false(document_set_text(document, document_root(document), "\x01", NULL));
	assert_string_equal(document_text(document, NULL), odd);
	assert_int_equal(document_edits(document), 0);
}

static void bad_input_is_refused_with_a_sentence(void **state)
{
	static const char laughs[] =
		"<!DOCTYPE a [<!ENTITY l0 \"lol\"><!ENTITY l1 \"&l0;&l0;&l0;&l0;\"><!ENTITY l2 "
		"\"&l1;&l1;&l1;&l1;\"><!ENTITY l3 \"&l2;&l2;&l2;&l2;\">]><a b='&l3;'>&l3;</a>";
	static const char *const bad[] = {
		"", "no xml", "<a>", "<a></b>", "<a b=c/>", "<a>&nosuch;</a>",
		"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
		laughs,
		"<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(document_new(bad[i], -1, "the test", &error));
		assert_true(g_str_has_prefix(error->message, "Cannot read the test: "));
	}
}

// ---- random edits -------------------------------------------------------------------------------

static xmlNode *nth_element(const struct document *document, guint index)
{
	g_autoptr(GPtrArray) all = document_find_all(document, "//*");

	assert_true(index < all->len);
	return all->pdata[index];
}

static char *random_value(GRand *rand)
{
	static const char *const pieces[] = {"a", "<", "&", "'", "\"", ">", " ", "é", "\n", "]]>", "0"};
	GString *value = g_string_new(NULL);

	for (int n = g_rand_int_range(rand, 0, 6); n > 0; n--)
		g_string_append(value, pieces[g_rand_int_range(rand, 0, G_N_ELEMENTS(pieces))]);
	return g_string_free(value, FALSE);
}

static char *tree_text(const struct document *document)
{
	DOCUMENT_AUTO struct document *again = make(document_text(document, NULL));
	xmlChar *text;
	int length;
	char *copy;

	xmlDocDumpMemory(document_root(again)->doc, &text, &length);
	copy = g_strndup((const char *)text, (gsize)length);
	xmlFree(text);
	return copy;
}

// One random edit; what it is to give is read back through libxml2's own tree.
static void edit_at_random(struct document *document, GRand *rand)
{
	g_autoptr(GPtrArray) all = document_find_all(document, "//*");
	guint index = g_rand_int_range(rand, 0, (gint)all->len);
	xmlNode *node = all->pdata[index];
	g_autofree char *value = random_value(rand);
	xmlChar *got;
	guint children = (guint)xmlChildElementCount(node);

	switch (g_rand_int_range(rand, 0, 4)) {
	case 0:
		assert_true(document_set_attribute(document, node, "id", value, NULL));
		got = xmlGetProp(nth_element(document, index), (const xmlChar *)"id");
		assert_string_equal((const char *)got, value);
		xmlFree(got);
		break;
	case 1:
		if (children)
			return;
		assert_true(document_set_text(document, node, value, NULL));
		got = xmlNodeGetContent(nth_element(document, index));
		assert_string_equal((const char *)got, value);
		xmlFree(got);
		break;
	case 2:
		assert_true(document_insert(document, node, NULL, "<added a='1'/>", NULL));
		assert_int_equal(xmlChildElementCount(nth_element(document, index)), children + 1);
		break;
	case 3:
		if (node == document_root(document) || children)
			return;
		assert_true(document_remove(document, node, NULL));
		{
			g_autoptr(GPtrArray) now = document_find_all(document, "//*");
			assert_int_equal(now->len, all->len - 1);
		}
		break;
	}
}

static void random_edits_do_what_they_say_and_undo(void **state)
{
	const char *given = g_getenv("LODGE_SEED");
	guint32 seed = given ? (guint32)strtoul(given, NULL, 0) : g_random_int();
	g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

	print_message("seed %u\n", seed);
	for (int round = 0; round < 200; round++) {
		DOCUMENT_AUTO struct document *document = make(odd);
		g_autofree char *tree = tree_text(document);
		g_autofree char *back = NULL;

		for (int i = 0; i < 20; i++)
			edit_at_random(document, rand);
		document_undo_to(document, 0);
		assert_string_equal(document_text(document, NULL), odd);
		back = tree_text(document);
		assert_string_equal(back, tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(untouched_text_is_the_input),
		cmocka_unit_test(an_attribute_changes_its_value_alone),
		cmocka_unit_test(quotes_stay_and_are_escaped),
		cmocka_unit_test(a_new_attribute_follows_the_others),
		cmocka_unit_test(an_attribute_goes_with_its_space),
		cmocka_unit_test(text_is_replaced_and_escaped),
		cmocka_unit_test(an_empty_element_opens),
		cmocka_unit_test(an_element_goes_with_its_line),
		cmocka_unit_test(a_fragment_is_indented_like_its_siblings),
		cmocka_unit_test(what_breaks_the_document_is_refused),
		cmocka_unit_test(bad_input_is_refused_with_a_sentence),
		cmocka_unit_test(random_edits_do_what_they_say_and_undo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

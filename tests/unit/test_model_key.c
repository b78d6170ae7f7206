// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static const char web[] =
	"<domain type='kvm'>\n"
	"  <name>web</name>\n"
	"  <memory unit='MiB'>512</memory>\n"
	"  <vcpu>2</vcpu>\n"
	"  <os>\n"
	"    <type>hvm</type>\n"
	"    <boot dev='hd'/>\n"
	"  </os>\n"
	"  <devices>\n"
	"    <disk type='file' device='disk'>\n"
	"      <source file='/a'/>\n"
	"      <target dev='vda' bus='virtio'/>\n"
	"    </disk>\n"
	"    <interface type='network'>\n"
	"      <source network='default'/>\n"
	"    </interface>\n"
	"    <interface type='user'/>\n"
	"  </devices>\n"
	"</domain>\n";

static struct document *make(void)
{
	struct document *document = document_new(web, -1, "the test's definition", NULL);

	assert_non_null(document);
	return document;
}

static void assert_value(const struct document *document, const char *name, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *value = key_get(document, name, &error);

	assert_null(error);
	if (expected)
		assert_string_equal(value, expected);
	else
		assert_null(value);
}

// How many lines of the text are not in the other, both ways.
static guint lines_changed(const char *a, const char *b)
{
	g_auto(GStrv) old = g_strsplit(a, "\n", -1), new = g_strsplit(b, "\n", -1);
	guint changed = 0;

	for (char **line = old; *line; line++)
		changed += !g_strv_contains((const char *const *)new, *line);
	for (char **line = new; *line; line++)
		changed += !g_strv_contains((const char *const *)old, *line);
	return changed;
}

static void values_are_read(void **state)
{
	DOCUMENT_AUTO struct document *document = make();

	assert_value(document, "name", "web");
	assert_value(document, "memory", "512MiB");
	assert_value(document, "vcpus", "2");
	assert_value(document, "boot.order", "hd");
	assert_value(document, "boot.kernel", NULL);
	assert_value(document, "disk.vda.source", "/a");
	assert_value(document, "disk.vda.bus", "virtio");
	assert_value(document, "disk.vda.readonly", "no");
	assert_value(document, "nic.0.source", "default");
	assert_value(document, "nic.1.type", "user");
}

struct change {
	const char *name, *value;
	guint lines; // changed: two for one replaced, one for one added
};

static void each_change_is_read_back_and_touches_its_lines_alone(void **state)
{
	static const struct change changes[] = {
		{"name", "db & co", 2}, {"memory", "1GiB", 2}, {"memory", "600000KiB", 2},
		{"vcpus", "2/8", 2}, {"vcpus", "4", 2}, {"title", "T", 1},
		{"boot.order", "network", 2}, {"boot.order", "hd,network", 1}, {"boot.menu", "yes", 1},
		{"boot.kernel", "/k", 1}, {"disk.vda.source", "/b", 2}, {"disk.vda.cache", "none", 1},
		{"disk.vda.readonly", "yes", 1}, {"disk.vda.iotune.total_bytes_sec", "1000000", 3},
		{"nic.0.source", "other", 2}, {"nic.0.link", "down", 1}, {"nic.1.model", "virtio", 3},
		{"nic.0.in.average", "100", 3}, {"tune.shares", "2048", 3},
		{"tune.vcpupin.0", "0-3", 3}, {"cpu.mode", "host-model", 1},
		{"cpu.feature.avx", "disable", 3}, {"balloon.model", "none", 1},
		{"memory.hugepages", "yes", 3},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
		DOCUMENT_AUTO struct document *document = make();
		g_autoptr(GError) error = NULL;
		const char *expected = changes[i].value;

		if (!key_set(document, changes[i].name, changes[i].value, &error))
			fail_msg("%s: %s", changes[i].name, error->message);
		if (!strcmp(expected, "1GiB"))
			expected = "1024MiB";
		assert_value(document, changes[i].name, expected);
		if (lines_changed(web, document_text(document, NULL)) != changes[i].lines)
			fail_msg("%s=%s changed other lines than its own:\n%s", changes[i].name,
				changes[i].value, document_text(document, NULL));
		document_undo_to(document, 0);
		assert_string_equal(document_text(document, NULL), web);
	}
}

static void an_empty_value_removes(void **state)
{
	DOCUMENT_AUTO struct document *document = make();

	assert_true(key_set(document, "disk.vda.bus", "", NULL));
	assert_value(document, "disk.vda.bus", NULL);
	assert_true(key_set(document, "boot.order", "", NULL));
	assert_value(document, "boot.order", NULL);
	assert_true(key_set(document, "boot.kernel", "", NULL));
	assert_true(key_set(document, "disk.vda.source", "", NULL));
	assert_value(document, "disk.vda.source", NULL);
}

static void a_new_element_stands_where_libvirt_would_write_it(void **state)
{
	DOCUMENT_AUTO struct document *document = make();

	assert_true(key_set(document, "currentMemory", "256MiB", NULL));
	assert_non_null(strstr(document_text(document, NULL),
		"</memory>\n  <currentMemory>262144</currentMemory>\n  <vcpu>"));
}

static void what_cannot_be_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[][2] = {
		{"nosuch=1", "no key 'nosuch'"}, {"memory=12 parsecs", "parsecs"},
		{"memory=-1", "-1"}, {"vcpus=0", "0"}, {"vcpus=9/8", "9"}, {"vcpus=", NULL},
		{"boot.menu=maybe", "yes no"}, {"disk.vdz.cache=none", "<disk>"},
		{"nic.7.link=up", "<interface>"}, {"nic.x.link=up", "no number"},
		{"disk.v']|//*.cache=none", "cannot be a name"}, {"nic.1.source=x", "user"},
		{"boot.order=hd,moon", "moon"}, {"tune.shares=0", "from 1"},
		{"disk.vda.readonly=perhaps", "neither yes nor no"}, {"nothing", "KEY=VALUE"},
		{"name=\x01", "line"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		DOCUMENT_AUTO struct document *document = make();
		g_autoptr(GError) error = NULL;
		bool done = key_assign(document, bad[i][0], &error);

		if (!bad[i][1])
			continue;
		assert_false(done);
		if (!strstr(error->message, bad[i][1]))
			fail_msg("%s: %s", bad[i][0], error->message);
		assert_string_equal(document_text(document, NULL), web);
	}
}

static void every_key_of_the_table_can_be_named(void **state)
{
	DOCUMENT_AUTO struct document *document = make();
	g_auto(GStrv) names = key_names(document);

	assert_true(g_strv_contains((const char *const *)names, "disk.vda.cache"));
	assert_true(g_strv_contains((const char *const *)names, "nic.1.mac"));
	for (char **name = names; *name; name++) {
		g_autofree char *member = NULL;

		assert_non_null(key_find(*name, &member, NULL));
	}
	for (const struct key *key = keys; key->name; key++) {
		assert_non_null(key->help);
		assert_true(!!key->choices == (key->kind == KEY_CHOICE || key->kind == KEY_LIST));
	}
}

// lodge-xml(7) is written by hand; nothing may be missing from it.
static void the_manual_page_lists_every_key(void **state)
{
	g_autofree char *path = g_build_filename(g_getenv("top_srcdir"), "man", "lodge-xml.7", NULL);
	g_autofree char *page = NULL;

	assert_true(g_file_get_contents(path, &page, NULL, NULL));
	for (const struct key *key = keys; key->name; key++) {
		g_autofree char *entry = g_strdup_printf("\n.BR %s \"", key->name);

		if (!strstr(page, entry))
			fail_msg("lodge-xml(7) lacks the key %s", key->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(each_change_is_read_back_and_touches_its_lines_alone),
		cmocka_unit_test(an_empty_value_removes),
		cmocka_unit_test(a_new_element_stands_where_libvirt_would_write_it),
		cmocka_unit_test(what_cannot_be_is_refused_and_changes_nothing),
		cmocka_unit_test(every_key_of_the_table_can_be_named),
		cmocka_unit_test(the_manual_page_lists_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

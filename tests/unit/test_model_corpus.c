// SPDX-License-Identifier: GPL-3.0-or-later
// Every definition of the corpus, and every XML file that libvirt's packages have installed: loaded
// and printed it keeps its bytes; random values of random keys change the lines they say alone, and
// are undone to the same bytes.
#include "model/difference.h"
#include "model/document.h"
#include "model/key.h"
#include "model/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static GPtrArray *files; // of the corpus
static GRand *rand_;

// ---- files --------------------------------------------------------------------------------------------

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// All below a directory, whose name ends so.
static void gather(GPtrArray *all, const char *dir)
{
	GDir *open = g_dir_open(dir, 0, NULL);
	const char *leaf;

	while (open && (leaf = g_dir_read_name(open))) {
		char *path = g_build_filename(dir, leaf, NULL);

		if (g_file_test(path, G_FILE_TEST_IS_DIR))
			gather(all, path);
		if (g_str_has_suffix(leaf, ".xml") && g_file_test(path, G_FILE_TEST_IS_REGULAR))
			g_ptr_array_add(all, path);
		else
			g_free(path);
	}
	if (open)
		g_dir_close(open);
}

static struct document *open_file(const char *path, char **text, gsize *length)
{
	g_autoptr(GError) error = NULL;
	struct document *document;

	assert_true(g_file_get_contents(path, text, length, NULL));
	document = document_new(*text, (gssize)*length, path, &error);
	if (!document)
		fail_msg("%s", error->message);
	return document;
}

static void assert_same_bytes(const char *path)
{
	g_autofree char *text = NULL;
	gsize length, printed_length;
	DOCUMENT_AUTO struct document *document = open_file(path, &text, &length);
	const char *printed = document_text(document, &printed_length);

	if (printed_length != length || memcmp(printed, text, length) != 0)
		fail_msg("%s does not keep its bytes", path);
}

static void the_corpus_keeps_its_bytes(void **state)
{
	for (guint i = 0; i < files->len; i++)
		assert_same_bytes(files->pdata[i]);
}

// Files that document_new refuses for good reason, such as a document type, are left out.
static void what_libvirt_installs_keeps_its_bytes(void **state)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
	guint read = 0;

	gather(all, "/usr/share/libvirt");
	gather(all, "/usr/share/doc/libvirt-doc");
	gather(all, "/usr/share/doc/libvirt-daemon-system");
	for (guint i = 0; i < all->len; i++) {
		g_autofree char *text = NULL;
		gsize length;
		struct document *document = NULL;

		if (g_file_get_contents(all->pdata[i], &text, &length, NULL))
			document = document_new(text, (gssize)length, "", NULL);
		if (document)
			assert_same_bytes(all->pdata[i]);
		read += document != NULL;
		document_free(document);
	}
	print_message("%u of %u installed files\n", read, all->len);
}

static void the_corpus_holds_by_the_schema(void **state)
{
	struct schema *schema = schema_new(NULL, NULL);

	if (!schema)
		skip();
	for (guint i = 0; i < files->len; i++) {
		g_autofree char *text = NULL;
		gsize length;
		DOCUMENT_AUTO struct document *document = open_file(files->pdata[i], &text, &length);
		g_autoptr(GPtrArray) problems = schema_check(schema, document);

		if (problems->len)
			fail_msg("%s: %s", (char *)files->pdata[i],
				((struct schema_problem *)problems->pdata[0])->sentence);
	}
	schema_free(schema);
}

// ---- keys ---------------------------------------------------------------------------------------------

// Another value that the key can have; NULL where there is none to think of. Caller frees.
static char *other_value(const struct key *key, const char *now)
{
	g_auto(GStrv) choices = key->choices ? g_strsplit(key->choices, " ", -1) : NULL;
	guint64 most = key->most ? MIN(key->most, key->least + 1000) : key->least + 1000;

	switch (key->kind) {
	case KEY_TEXT:
		return g_strdup_printf("x%u & <y>", g_rand_int_range(rand_, 0, 1000));
	case KEY_NUMBER:
		return g_strdup_printf("%" G_GUINT64_FORMAT,
			key->least + g_rand_int(rand_) % (most - key->least + 1));
	case KEY_SIZE:
		return g_strdup_printf("%dMiB", g_rand_int_range(rand_, 64, 100000));
	case KEY_CHOICE:
		return g_strdup(choices[g_rand_int_range(rand_, 0, (gint)g_strv_length(choices))]);
	case KEY_VCPUS:
		return g_strdup_printf("%d/%d", g_rand_int_range(rand_, 1, 5), g_rand_int_range(rand_, 5, 9));
	case KEY_SOURCE:
		return g_strdup("/srv/other.img");
	default:
		return now ? g_strdup(now) : NULL;
	}
}

// Sets a key that has a value to another one: true where it was taken.
static bool set_at_random(struct document *document, const char *path, const char *name)
{
	g_autofree char *member = NULL;
	const struct key *key = key_find(name, &member, NULL);
	g_autofree char *now = key_get(document, name, NULL);
	g_autofree char *value = key && now ? other_value(key, now) : NULL;
	g_autofree char *got = NULL;

	if (!value || !key_set(document, name, value, NULL))
		return false;
	got = key_get(document, name, NULL);
	if (key->kind != KEY_SIZE && key->kind != KEY_VCPUS && g_strcmp0(got, value))
		fail_msg("%s: %s=%s gives %s", path, name, value, got ? got : "nothing");
	return true;
}

static guint lines_that_differ(const char *a, const char *b)
{
	g_auto(GStrv) x = g_strsplit(a, "\n", -1), y = g_strsplit(b, "\n", -1);
	guint n = 0, i;

	for (i = 0; x[i] && y[i]; i++)
		n += strcmp(x[i], y[i]) != 0;
	return x[i] || y[i] ? G_MAXUINT : n;
}

// How many lines a value may stand on: numbers of vCPUs and sizes with a unit are a text and an
// attribute. 0: setting it may change elements.
static guint lines_of(const char *name)
{
	g_autofree char *member = NULL;
	const struct key *key = key_find(name, &member, NULL);

	switch (key->kind) {
	case KEY_VCPUS:
	case KEY_SIZE:
		return 2;
	case KEY_NUMBER:
	case KEY_CHOICE:
	case KEY_TEXT:
		return 1;
	default:
		return 0;
	}
}

static void one_value_changes_its_line_alone(void **state)
{
	guint taken = 0;

	for (guint i = 0; i < files->len; i++) {
		g_autofree char *text = NULL;
		gsize length;
		DOCUMENT_AUTO struct document *document = open_file(files->pdata[i], &text, &length);
		g_auto(GStrv) names = key_names(document);

		for (char **name = names; *name; name++) {
			guint lines;

			if (!lines_of(*name) || !set_at_random(document, files->pdata[i], *name))
				continue;
			taken++;
			lines = lines_that_differ(text, document_text(document, NULL));
			if (lines > lines_of(*name))
				fail_msg("%s: %s changed %u lines", (char *)files->pdata[i], *name, lines);
			document_undo_to(document, 0);
			assert_string_equal(document_text(document, NULL), text);
		}
	}
	print_message("%u values\n", taken);
	assert_true(taken > 300);
}

static void many_values_are_undone(void **state)
{
	for (guint i = 0; i < files->len; i++) {
		g_autofree char *text = NULL;
		gsize length;
		DOCUMENT_AUTO struct document *from = open_file(files->pdata[i], &text, &length);
		DOCUMENT_AUTO struct document *to = document_new(text, (gssize)length, "", NULL);
		g_auto(GStrv) names = key_names(to);
		g_autoptr(GPtrArray) changes = NULL;

		for (int n = 0; n < 20; n++)
			set_at_random(to, files->pdata[i],
				names[g_rand_int_range(rand_, 0, (gint)g_strv_length(names))]);
		changes = difference_changes(from, to);
		/* What is different is told, and only then. */
		assert_true((changes->len > 0) == (strcmp(document_text(to, NULL), text) != 0));
		document_undo_to(to, 0);
		assert_string_equal(document_text(to, NULL), text);
	}
}

// ---- around it ----------------------------------------------------------------------------------------

static int setup(void **state)
{
	const char *given = g_getenv("LODGE_SEED"), *top = g_getenv("top_srcdir");
	guint32 seed = given ? (guint32)strtoul(given, NULL, 0) : g_random_int();
	g_autofree char *dir = g_build_filename(top ? top : ".", "tests", "corpus", NULL);

	files = g_ptr_array_new_with_free_func(g_free);
	gather(files, dir);
	g_ptr_array_sort(files, by_name);
	rand_ = g_rand_new_with_seed(seed);
	print_message("LODGE_SEED=%u, %u files\n", seed, files->len);
	return files->len >= 30 ? 0 : -1;
}

static int teardown(void **state)
{
	g_ptr_array_unref(files);
	g_rand_free(rand_);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_corpus_keeps_its_bytes),
		cmocka_unit_test(what_libvirt_installs_keeps_its_bytes),
		cmocka_unit_test(the_corpus_holds_by_the_schema),
		cmocka_unit_test(one_value_changes_its_line_alone),
		cmocka_unit_test(many_values_are_undone),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// A definition of 200 kB: opened, edited, printed, checked. Figures only.
#include "model/key.h"
#include "model/schema.h"

#include <stdio.h>
#include <stdlib.h>

#define RUNS 21

static char *make_definition(gsize size)
{
	g_autoptr(GString) xml = g_string_new("<domain type='kvm'>\n  <name>big</name>\n"
					      "  <memory>1048576</memory>\n"
					      "  <os><type>hvm</type></os>\n  <devices>\n");

	for (unsigned i = 0; xml->len < size; i++)
		g_string_append_printf(xml,
			"    <disk type='file' device='disk'>\n"
			"      <driver name='qemu' type='raw'/>\n"
			"      <source file='/srv/%u.img'/>\n"
			"      <target dev='vd%u' bus='virtio'/>\n    </disk>\n",
			i, i);
	g_string_append(xml, "  </devices>\n</domain>\n");
	return g_strdup(xml->str);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double edit(const char *xml)
{
	gint64 begin = g_get_monotonic_time();
	struct document *document = document_new(xml, -1, "the definition", NULL);
	double took;

	g_assert(key_set(document, "disk.vd700.cache", "none", NULL));
	g_assert(document_text(document, NULL));
	took = (double)(g_get_monotonic_time() - begin) / 1000;
	document_free(document);
	return took;
}

static struct schema *schema;

static double check(const char *xml)
{
	struct document *document = document_new(xml, -1, "the definition", NULL);
	gint64 begin = g_get_monotonic_time();
	g_autoptr(GPtrArray) problems = schema_check(schema, document);
	double took = (double)(g_get_monotonic_time() - begin) / 1000;

	g_assert(problems->len == 0);
	document_free(document);
	return took;
}

static double read_schema(const char *xml)
{
	gint64 begin = g_get_monotonic_time();

	schema_free(schema_new(NULL, NULL));
	return (double)(g_get_monotonic_time() - begin) / 1000;
}

static void report(const char *what, double (*run)(const char *xml), const char *xml)
{
	double took[RUNS];

	for (int i = 0; i < RUNS; i++)
		took[i] = run(xml);
	qsort(took, RUNS, sizeof(*took), compare);
	printf("%s: %.1f ms (median of %d)\n", what, took[RUNS / 2], RUNS);
}

int main(void)
{
	g_autofree char *xml = make_definition(200000);
	g_autofree char *usual = make_definition(8000);

	report("200 kB definition, open, edit one value, print", edit, xml);
	report("libvirt's schema, read", read_schema, xml);
	schema = schema_new(NULL, NULL);
	report("200 kB definition (1,300 disks), checked", check, xml);
	report("8 kB definition, checked", check, usual);
	schema_free(schema);
	return 0;
}

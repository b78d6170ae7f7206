// SPDX-License-Identifier: GPL-3.0-or-later
// Definitions and their keys: a definition with bytes of it replaced, or the input itself, is loaded,
// edited by what the input says, compared, and undone. It stays well-formed, keeps its bytes where
// nothing touched them, and comes back to the same bytes.
#include "model/devices.h"
#include "model/difference.h"
#include "model/document.h"
#include "model/key.h"
#include "model/live.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char definition[] =
	"<?xml version='1.0'?>\r\n<!-- c -->\n<domain type='kvm'>\n  <name>web</name>\n"
	"  <title>t</title>\n  <memory unit='KiB'>4194304</memory>\n"
	"  <currentMemory>2097152</currentMemory>\n  <vcpu current='2'>4</vcpu>\n"
	"  <os><type>hvm</type><boot dev='hd'/></os>\n  <cputune><shares>100</shares></cputune>\n"
	"  <devices>\n    <disk type='file' device='disk'>\n      <source file='/x'/>\n"
	"      <target dev='vda'/>\n      <iotune><total_bytes_sec>5</total_bytes_sec></iotune>\n"
	"    </disk>\n    <interface type='network'>\n      <mac address='52:54:00:00:00:01'/>\n"
	"      <source network='n'/>\n    </interface>\n    <memballoon model='virtio'/>\n"
	"  </devices>\n</domain>\n";

struct input {
	const uint8_t *data;
	size_t left;
};

static unsigned take(struct input *input)
{
	if (!input->left)
		return 0;
	input->left--;
	return *input->data++;
}

// Some of the input as text; caller frees.
static char *take_text(struct input *input)
{
	size_t n = MIN(take(input) % 24, input->left);
	g_autofree char *raw = g_strndup((const char *)input->data, n);

	input->data += n;
	input->left -= n;
	return g_utf8_make_valid(raw, -1);
}

static struct document *begin(struct input *input)
{
	unsigned places = take(input);
	g_autofree char *text = NULL;

	if (places == 255)
		return document_new((const char *)input->data, (gssize)input->left, "it", NULL);
	text = g_strdup(definition);
	for (places %= 8; places > 0; places--) {
		size_t place = (take(input) | take(input) << 8) % strlen(text);
		unsigned byte = take(input);

		text[place] = byte ? (char)byte : ' ';
	}
	return document_new(text, -1, "it", NULL);
}

static xmlNode *any_element(const struct document *document, struct input *input)
{
	g_autoptr(GPtrArray) all = document_find_all(document, "//*");

	return all->pdata[(take(input) | take(input) << 8) % all->len];
}

static void set_key(struct document *document, struct input *input)
{
	static const char *const values[] = {"2GiB", "2/4", "none", "yes", "no", "1", "0", ""};
	g_auto(GStrv) names = key_names(document);
	guint n = g_strv_length(names);
	g_autofree char *value = take_text(input);
	unsigned which = take(input);
	const char *name = n ? names[take(input) % n] : "memory";
	g_autoptr(GError) error = NULL;
	bool set = key_set(document, name,
		which < 128 ? values[which % G_N_ELEMENTS(values)] : value, &error);

	g_assert(set == !error);
	g_free(key_get(document, name, NULL));
}

static void edit(struct document *document, struct input *input)
{
	xmlNode *element = any_element(document, input);
	g_autofree char *value = NULL;

	switch (take(input) % 6) {
	case 0:
		value = take_text(input);
		document_set_attribute(document, element, "type", value, NULL);
		break;
	case 1:
		document_remove_attribute(document, element, "type", NULL);
		break;
	case 2:
		value = take_text(input);
		document_set_text(document, element, value, NULL);
		break;
	case 3:
		document_remove(document, element, NULL);
		break;
	case 4:
		value = take_text(input);
		document_insert(document, element, NULL, value, NULL);
		break;
	default:
		set_key(document, input);
	}
}

// The text is what the tree was made of.
static void check_whole(const struct document *document)
{
	gsize length;
	const char *text = document_text(document, &length);
	struct document *again = document_new(text, (gssize)length, "it", NULL);

	g_assert(again);
	g_assert(strcmp(document_text(again, NULL), text) == 0);
	document_free(again);
}

static void compare(const struct document *from, const struct document *to)
{
	g_autoptr(GPtrArray) changes = device_changes(from, to);
	g_autoptr(GPtrArray) steps = live_steps(from, to, from);

	for (guint i = 0; i < changes->len; i++)
		g_free(change_words(changes->pdata[i]));
	g_assert(steps != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	DOCUMENT_AUTO struct document *document = begin(&input);
	DOCUMENT_AUTO struct document *before = NULL;
	g_autofree char *text = NULL;

	if (!document)
		return 0;
	text = g_strdup(document_text(document, NULL));
	before = document_new(text, -1, "it", NULL);
	g_assert(before);
	for (int i = 0; i < 8 && input.left; i++)
		edit(document, &input);
	check_whole(document);
	compare(before, document);
	document_undo_to(document, 0);
	g_assert(strcmp(document_text(document, NULL), text) == 0);
	return 0;
}

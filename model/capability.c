// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/capability.h"
#include "model/document.h"
#include "model/key.h"
#include "model/xml.h"

#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>

struct capability {
	struct document *document;
};

// Where the capabilities tell of a key: an element with `supported`, and its list of values.
struct told {
	const char *key;     // as in the table of keys
	const char *element; // below <domainCapabilities>
	const char *values;  // an <enum>'s name; NULL: <mode name=''>s that are supported
};

static const struct told table[] = {
	{"cpu.mode", "cpu", NULL},
	{"boot.firmware", "os", "firmware"},
	{"memory.source", "memoryBacking", "sourceType"},
	{"disk.*.bus", "devices/disk", "bus"},
	{"disk.*.device", "devices/disk", "diskDevice"},
	{"graphics.type", "devices/graphics", "type"},
	{"video.model", "devices/video", "modelType"},
	{"tpm.model", "devices/tpm", "model"},
	{"tpm.version", "devices/tpm", "backendVersion"},
	{"rng.source", "devices/rng", NULL},
	{.key = NULL},
};

struct capability *capability_new(const char *xml)
{
	struct document *document =
		xml ? document_new(xml, -1, "the domain capabilities", NULL) : NULL;
	struct capability *capability;

	if (!document)
		return NULL;
	capability = g_new0(struct capability, 1);
	capability->document = document;
	return capability;
}

void capability_free(struct capability *capability)
{
	if (!capability)
		return;
	document_free(capability->document);
	g_free(capability);
}

static const struct told *told_of(const char *name)
{
	g_autofree char *member = NULL;
	const struct key *key = key_find(name, &member, NULL);

	for (const struct told *told = table; key && told->key; told++)
		if (!strcmp(told->key, key->name))
			return told;
	return NULL;
}

static bool unsupported(const struct capability *capability, const char *element)
{
	g_autofree char *xpath = g_strdup_printf("/domainCapabilities/%s[@supported='no']", element);

	return document_find(capability->document, xpath) != NULL;
}

char *capability_missing(const struct capability *capability, const char *key)
{
	const struct told *told = capability ? told_of(key) : NULL;

	if (told && unsupported(capability, told->element))
		return g_strdup(_("This host cannot do that."));
	return NULL;
}

// The values told; NULL where nothing is told.
static GPtrArray *values_of(const struct capability *capability, const struct told *told)
{
	g_autofree char *list = told->values ?
					g_strdup_printf("/domainCapabilities/%s/enum[@name='%s']",
						told->element, told->values) :
					g_strdup_printf("/domainCapabilities/%s[mode]", told->element);
	g_autofree char *each = told->values ?
					g_strconcat(list, "/value", NULL) :
					g_strconcat(list, "/mode[@supported='yes']", NULL);

	return document_find(capability->document, list) ?
		       document_find_all(capability->document, each) :
		       NULL;
}

bool capability_allows(
	const struct capability *capability, const char *key, const char *value)
{
	const struct told *told = capability ? told_of(key) : NULL;
	g_autoptr(GPtrArray) values = told ? values_of(capability, told) : NULL;

	for (guint i = 0; values && i < values->len; i++) {
		xmlNode *element = values->pdata[i];
		g_autofree char *one =
			told->values ? xml_text(element) : xml_attribute(element, "name");

		if (!g_strcmp0(one, value))
			return true;
	}
	return !values;
}

// Whether a list of values is told and lacks that one.
static bool lacks(const struct capability *capability, const char *element, const char *values,
	const char *value)
{
	g_autofree char *list = g_strdup_printf(
		"/domainCapabilities/%s/enum[@name='%s']", element, values);
	g_autofree char *one = g_strdup_printf("%s[value='%s']", list, value);

	return document_find(capability->document, list) &&
	       !document_find(capability->document, one);
}

char *capability_device_missing(const struct capability *capability, const char *element)
{
	g_autofree char *path = g_strconcat("devices/", element, NULL);

	if (!capability)
		return NULL;
	if (unsupported(capability, path))
		return g_strdup(_("not on this host"));
	if (!strcmp(element, "tpm") && lacks(capability, path, "backendModel", "emulator"))
		return g_strdup(_("no swtpm on this host"));
	return NULL;
}

unsigned capability_vcpus(const struct capability *capability)
{
	xmlNode *vcpu =
		capability ? document_find(capability->document, "/domainCapabilities/vcpu") : NULL;
	g_autofree char *most = vcpu ? xml_attribute(vcpu, "max") : NULL;

	return most ? (unsigned)strtoul(most, NULL, 10) : 0;
}

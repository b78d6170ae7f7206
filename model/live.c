// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/live.h"
#include "model/difference.h"
#include "model/edit.h"
#include "model/key.h"
#include "model/xml.h"

#include <glib/gi18n.h>
#include <string.h>

static void step_free(struct live_step *step)
{
	g_free(step->what);
	g_free(step->payload);
	g_free(step->words);
	g_free(step);
}

// Takes the strings.
static void add(GPtrArray *steps, enum live_kind kind, char *what, char *payload, char *words)
{
	struct live_step *step = g_new0(struct live_step, 1);

	*step = (struct live_step){kind, what, payload, words};
	g_ptr_array_add(steps, step);
}

// ---- devices ------------------------------------------------------------------------------------------

static char *node_text(xmlNode *node)
{
	xmlBuffer *buffer = xmlBufferCreate();
	char *text;

	xmlNodeDump(buffer, node->doc, node, 0, 0);
	text = g_strdup((const char *)xmlBufferContent(buffer));
	xmlBufferFree(buffer);
	return text;
}

// Disks are known by their target, NICs by their address. NULL for one without.
static char *identity(xmlNode *device)
{
	bool disk = !strcmp((const char *)device->name, "disk");
	xmlNode *child = xml_child(device, disk ? "target" : "mac", NULL);

	return child ? xml_attribute(child, disk ? "dev" : "address") : NULL;
}

static xmlNode *same_device(const struct document *document, xmlNode *device)
{
	g_autofree char *wanted = identity(device);
	g_autofree char *xpath = g_strdup_printf("/domain/devices/%s", device->name);
	g_autoptr(GPtrArray) all = document_find_all(document, xpath);

	for (guint i = 0; wanted && i < all->len; i++) {
		g_autofree char *here = identity(all->pdata[i]);

		if (here && !g_ascii_strcasecmp(here, wanted))
			return all->pdata[i];
	}
	return NULL;
}

static char *words_of(xmlNode *device, bool plug)
{
	bool disk = !strcmp((const char *)device->name, "disk");
	g_autofree char *name = identity(device);

	if (disk)
		return g_strdup_printf(plug ? _("plug in disk %s") : _("unplug disk %s"), name);
	return g_strdup_printf(plug ? _("plug in NIC %s") : _("unplug NIC %s"), name);
}

// Devices of one document that the other lacks. What goes is unplugged as the running guest has it.
static void add_devices(GPtrArray *steps, const char *element, const struct document *has,
	const struct document *lacks, const struct document *running, bool plug)
{
	g_autofree char *xpath = g_strdup_printf("/domain/devices/%s", element);
	g_autoptr(GPtrArray) all = document_find_all(has, xpath);

	for (guint i = 0; i < all->len; i++) {
		xmlNode *device = all->pdata[i], *now = same_device(running, device);
		g_autofree char *name = identity(device);

		if (!name || same_device(lacks, device) || plug == (now != NULL))
			continue;
		add(steps, plug ? LIVE_PLUG : LIVE_UNPLUG,
			g_strdup_printf("devices/%s[%u]", element, i + 1),
			node_text(plug ? device : now), words_of(device, plug));
	}
}

// ---- values -------------------------------------------------------------------------------------------

static bool has_step(const GPtrArray *steps, const char *payload_part)
{
	for (guint i = 0; i < steps->len; i++)
		if (strstr(((struct live_step *)steps->pdata[i])->payload, payload_part))
			return true;
	return false;
}

// Media go in and out of a drive at any time.
static bool is_medium(const struct document *to, const char *name)
{
	g_auto(GStrv) parts = g_strsplit(name, ".", 3);
	g_autofree char *key = NULL, *device = NULL;

	if (g_strv_length(parts) != 3 || strcmp(parts[0], "disk") || strcmp(parts[2], "source"))
		return false;
	key = g_strdup_printf("disk.%s.device", parts[1]);
	device = key_get(to, key, NULL);
	return !g_strcmp0(device, "cdrom") || !g_strcmp0(device, "floppy");
}

// A value of a device that comes or goes is part of that; and once NICs go, numbers no longer name
// the same ones.
static bool of_moving_device(const GPtrArray *steps, const struct document *to, const char *name)
{
	g_auto(GStrv) parts = g_strsplit(name, ".", 3);
	g_autofree char *quoted = NULL;

	if (!strcmp(parts[0], "nic"))
		return has_step(steps, "<interface");
	if (strcmp(parts[0], "disk") || !parts[1])
		return false;
	quoted = g_strdup_printf("dev=\"%s\"", parts[1]);
	return has_step(steps, quoted);
}

// vCPUs: only their number now can change while the guest runs.
static bool vcpus_stay(const struct change *change)
{
	const char *from = change->from ? change->from : "", *to = change->to ? change->to : "";

	return !strcmp(change->name, "vcpus") && strcspn(from, "/") == strcspn(to, "/") &&
	       !strncmp(from, to, strcspn(from, "/"));
}

static void add_values(GPtrArray *steps, const struct document *from, const struct document *to)
{
	g_autoptr(GPtrArray) changes = difference_changes(from, to);
	guint moving = steps->len;

	for (guint i = 0; i < changes->len; i++) {
		const struct change *change = changes->pdata[i];

		if (!change->to || vcpus_stay(change) ||
			(change->possible != KEY_NOW && !is_medium(to, change->name)))
			continue;
		if (moving && of_moving_device(steps, to, change->name))
			continue;
		add(steps, LIVE_SET, g_strdup(change->name),
			g_strdup_printf("%s=%s", change->name, change->to), change_words(change));
	}
}

static int by_kind(gconstpointer a, gconstpointer b)
{
	const struct live_step *x = *(struct live_step *const *)a;
	const struct live_step *y = *(struct live_step *const *)b;

	return (int)x->kind - (int)y->kind;
}

GPtrArray *live_steps(const struct document *from, const struct document *to,
	const struct document *running)
{
	GPtrArray *steps = g_ptr_array_new_with_free_func((GDestroyNotify)step_free);
	static const char *const elements[] = {"disk", "interface"};

	for (gsize i = 0; i < G_N_ELEMENTS(elements); i++) {
		add_devices(steps, elements[i], from, to, running, false);
		add_devices(steps, elements[i], to, from, running, true);
	}
	add_values(steps, from, to);
	g_ptr_array_sort(steps, by_kind);
	return steps;
}

bool live_covers(const GPtrArray *steps, const char *name)
{
	for (guint i = 0; i < steps->len; i++) {
		const struct live_step *step = steps->pdata[i];
		g_auto(GStrv) parts = g_strsplit(name, ".", 3);
		g_autofree char *quoted = g_strdup_printf("dev=\"%s\"", parts[1] ? parts[1] : "");

		if (!strcmp(step->what, name))
			return true;
		if (step->kind != LIVE_SET &&
			(g_str_has_prefix(name, step->what) ||
				(!g_strcmp0(parts[0], "disk") && strstr(step->payload, quoted)) ||
				(!g_strcmp0(parts[0], "nic") && strstr(step->payload, "<interface"))))
			return true;
	}
	return false;
}

struct request *live_request(
	const struct live_step *step, struct model *model, struct guest *guest)
{
	const struct verb *verb = step->kind == LIVE_SET  ? verb_find("set") :
				  step->kind == LIVE_PLUG ? &edit_attach :
							    &edit_detach;
	struct request *request = request_new(model, verb);

	request_add_guest(request, guest);
	request_set(request, step->kind == LIVE_SET ? "KEY=VALUE" : "XML", step->payload);
	if (step->kind == LIVE_SET)
		request_set(request, "--now", "");
	return request;
}

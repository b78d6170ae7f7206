// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/live.h"
#include "model/devices.h"
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

static char *words_of(const struct device_move *move)
{
	return g_strdup_printf(move->added ? _("plug in %s") : _("unplug %s"), move->label);
}

static char *node_text(xmlNode *node)
{
	xmlBuffer *buffer = xmlBufferCreate();
	char *text;

	xmlNodeDump(buffer, node->doc, node, 0, 0);
	text = g_strdup((const char *)xmlBufferContent(buffer));
	xmlBufferFree(buffer);
	return text;
}

// Disks and NICs that come and go. What goes is unplugged as the running guest has it.
static void add_devices(GPtrArray *steps, const struct document *from, const struct document *to,
	const struct document *running)
{
	g_autoptr(GPtrArray) moves = device_moves(from, to);

	for (guint i = 0; i < moves->len; i++) {
		const struct device_move *move = moves->pdata[i];
		g_autofree char *xpath = g_strdup_printf("/domain/%s", move->path);
		xmlNode *device = document_find(move->added ? to : from, xpath);
		g_autofree char *name = device_identity(device);
		xmlNode *now = name ? device_same(running, device) : NULL;

		if (!name || move->added == (now != NULL))
			continue;
		add(steps, move->added ? LIVE_PLUG : LIVE_UNPLUG, g_strdup(move->path),
			move->added ? g_strdup(move->xml) : node_text(now), words_of(move));
	}
}

// ---- values -------------------------------------------------------------------------------------------

// Once NICs go, numbers no longer name the same ones in the running guest.
static bool nics_move(const GPtrArray *steps)
{
	for (guint i = 0; i < steps->len; i++)
		if (strstr(((struct live_step *)steps->pdata[i])->what, "interface"))
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

// vCPUs: only their number now can change while the guest runs.
static bool vcpus_stay(const struct change *change)
{
	const char *from = change->from ? change->from : "", *to = change->to ? change->to : "";

	return !strcmp(change->name, "vcpus") && strcspn(from, "/") == strcspn(to, "/") &&
	       !strncmp(from, to, strcspn(from, "/"));
}

static void add_values(GPtrArray *steps, const struct document *from, const struct document *to)
{
	g_autoptr(GPtrArray) changes = device_changes(from, to);
	bool moving = nics_move(steps);

	for (guint i = 0; i < changes->len; i++) {
		const struct change *change = changes->pdata[i];

		if (!change->to || vcpus_stay(change) ||
			(change->possible != KEY_NOW && !is_medium(to, change->name)))
			continue;
		if (moving && g_str_has_prefix(change->name, "nic."))
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

	add_devices(steps, from, to, running);
	add_values(steps, from, to);
	g_ptr_array_sort(steps, by_kind);
	return steps;
}

bool live_covers(const GPtrArray *steps, const char *name)
{
	for (guint i = 0; i < steps->len; i++)
		if (!strcmp(((struct live_step *)steps->pdata[i])->what, name))
			return true;
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

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
			move->added ? g_strdup(move->xml) : xml_dump(now), words_of(move));
	}
}

// ---- values -------------------------------------------------------------------------------------------

// The running guest as it is once the steps so far are done: they unplug.
static struct document *after_unplugging(const struct document *running, const GPtrArray *steps)
{
	struct document *rest = document_new(document_text(running, NULL), -1, "", NULL);

	for (guint i = 0; rest && i < steps->len; i++) {
		const struct live_step *step = steps->pdata[i];
		DOCUMENT_AUTO struct document *device =
			step->kind == LIVE_UNPLUG ? document_new(step->payload, -1, "", NULL) : NULL;
		xmlNode *there = device ? device_same(rest, document_root(device)) : NULL;

		if (there)
			document_remove(rest, there, NULL);
	}
	return rest;
}

// What values are about: the new definition without what is plugged in, and the running guest
// without what is unplugged.
struct values {
	struct document *to, *running;
};

static unsigned number_of(const struct document *document, xmlNode *device)
{
	g_autofree char *xpath = g_strdup_printf("/domain/devices/%s", device->name);
	g_autoptr(GPtrArray) all = document_find_all(document, xpath);
	guint index = 0;

	return g_ptr_array_find(all, device, &index) ? index : G_MAXUINT;
}

// NICs are numbered: the running guest's number may be another one. NULL: it has no such NIC.
static char *nic_key_there(const struct values *values, const char *name)
{
	char *end = NULL;
	guint64 number = g_ascii_strtoull(name + strlen("nic."), &end, 10);
	g_autofree char *xpath =
		g_strdup_printf("/domain/devices/interface[%" G_GUINT64_FORMAT "]", number + 1);
	xmlNode *nic = document_find(values->to, xpath);
	xmlNode *there = nic ? device_same(values->running, nic) : NULL;

	return there ? g_strdup_printf("nic.%u%s", number_of(values->running, there), end) : NULL;
}

// The key by which the running guest knows the same value. NULL: it has no such device.
static char *key_there(const struct values *values, const char *name)
{
	g_auto(GStrv) parts = g_strsplit(name, ".", 2);
	g_autofree char *value = NULL;
	g_autoptr(GError) missing = NULL;

	if (g_str_has_prefix(name, "nic."))
		return nic_key_there(values, name);
	if (!strcmp(parts[0], "disk"))
		value = key_get(values->running, name, &missing);
	return missing ? NULL : g_strdup(name);
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

// What the change is in the running guest; NULL where it is none there.
static char *assignment_there(const struct values *values, const struct change *change)
{
	bool medium = is_medium(values->to, change->name);
	g_autofree char *key = NULL;

	// Of values only a medium can be taken away.
	if ((!change->to && !medium) || vcpus_stay(change) ||
		(change->possible != KEY_NOW && !medium))
		return NULL;
	key = key_there(values, change->name);
	return key ? g_strdup_printf("%s=%s", key, change->to ? change->to : "") : NULL;
}

static void add_values(GPtrArray *steps, const struct document *from, const struct document *to,
	const struct document *running)
{
	g_autoptr(GPtrArray) moves = device_moves(from, to);
	g_autoptr(GPtrArray) changes = device_changes(from, to);
	DOCUMENT_AUTO struct document *rest = device_rest(to, moves, true);
	DOCUMENT_AUTO struct document *there = after_unplugging(running, steps);
	const struct values values = {rest, there};

	for (guint i = 0; rest && there && i < changes->len; i++) {
		const struct change *change = changes->pdata[i];
		char *assignment = assignment_there(&values, change);

		if (assignment)
			add(steps, LIVE_SET, g_strdup(change->name), assignment, change_words(change));
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
	add_values(steps, from, to, running);
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

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/change.h"

#include "engine/daemon/fault.h"
#include "engine/daemon/registry.h"

#include <libvirt/libvirt.h>

struct change {
	struct guest *guest;
	bool live, saved;
	unsigned step;
	const struct change_ops *ops;
	void *change;
	guest_done done;
	void *data;
};

const struct definition *change_pick(const struct guest *guest, unsigned affect, GError **error)
{
	if ((affect & VIR_DOMAIN_AFFECT_LIVE) && !guest_check_active(guest, error))
		return NULL;
	if ((affect & VIR_DOMAIN_AFFECT_CONFIG) && !guest->saved) {
		fault_set(error, VIR_ERR_OPERATION_INVALID,
			"transient domains do not have any persistent config");
		return NULL;
	}
	return affect & VIR_DOMAIN_AFFECT_CONFIG ? guest->saved : guest_definition(guest);
}

static void next(struct guest *guest);

static void finish(struct change *change, const GError *error)
{
	struct guest *guest = change->guest;
	guest_done done = change->done;
	void *data = change->data;

	g_queue_remove(&guest->changes, change);
	change->ops->free(change->change);
	g_free(change);
	next(guest);
	/* Who is told may have the guest forgotten. */
	done(data, error);
}

static struct definition *edited(
	const struct change *change, const struct definition *definition, bool live, GError **error)
{
	return definition_edit(definition, change->ops->edit, change->change, live, error);
}

/* Whether the definitions could be changed so. */
static bool try(const struct change *change, GError **error)
{
	const struct guest *guest = change->guest;
	struct definition *definition;

	if (change->live) {
		if (!guest_check_active(guest, error))
			return false;
		definition = edited(change, guest->running, true, error);
		if (!definition)
			return false;
		definition_free(definition);
	}
	if (!change->saved)
		return true;
	if (!change_pick(guest, VIR_DOMAIN_AFFECT_CONFIG, error))
		return false;
	definition = edited(change, guest->saved, false, error);
	definition_free(definition);
	return definition != NULL;
}

static void commit(struct change *change)
{
	struct guest *guest = change->guest;
	g_autoptr(GError) error = NULL;
	struct definition *definition = NULL;

	if (change->live && guest_check_active(guest, &error) &&
		(definition = edited(change, guest->running, true, &error)) &&
		guest_set_running(guest, definition, &error) && change->ops->tell)
		change->ops->tell(change->change, guest);
	if (change->saved && !error && change_pick(guest, VIR_DOMAIN_AFFECT_CONFIG, &error) &&
		(definition = edited(change, guest->saved, false, &error)))
		registry_save(guest->registry, guest, definition, &error);
	if (!change->live && !error && change->ops->tell_saved)
		change->ops->tell(change->change, guest);
	finish(change, error);
}

static void ask(struct change *change);

static void answered(void *data, JsonObject *answer, const GError *error)
{
	struct change *change = data;

	if (error) {
		finish(change, error);
		return;
	}
	if (change->ops->answered)
		change->ops->answered(change->change, change->step - 1, answer);
	ask(change);
}

static void opened(void *data, const char *problem)
{
	struct change *change = data;
	g_autoptr(GError) error = NULL;

	if (!problem) {
		ask(change);
		return;
	}
	fault_set(&error, VIR_ERR_OPERATION_FAILED, "%s", problem);
	finish(change, error);
}

static void open_by_keeper(struct change *change, const struct change_request *request)
{
	g_autoptr(GError) error = NULL;

	*request->opener = guest_open(change->guest, request->name, request->members,
		request->files, opened, change, &error);
	g_ptr_array_unref(request->files);
	if (error)
		finish(change, error);
}

static void ask(struct change *change)
{
	struct change_request request = {.fd = -1};
	g_autoptr(GError) error = NULL;

	bool more = change->live && change->ops->request &&
		    change->ops->request(
			    change->change, change->guest, change->step++, &request, &error);

	if (more && request.opener)
		open_by_keeper(change, &request);
	else if (more)
		guest_ask(change->guest, request.name, request.members, request.fd, answered,
			change);
	else if (error)
		finish(change, error);
	else
		commit(change);
}

static void next(struct guest *guest)
{
	struct change *change = g_queue_peek_head(&guest->changes);
	g_autoptr(GError) error = NULL;

	if (!change || change->step)
		return;
	if (try(change, &error))
		ask(change);
	else
		finish(change, error);
}

void change_begin(struct guest *guest, unsigned affect, const struct change_ops *ops, void *data,
	guest_done done, void *done_data)
{
	struct change *change = g_new0(struct change, 1);
	bool current = !(affect & (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG));

	change->guest = guest;
	change->live = current ? guest_is_active(guest) : affect & VIR_DOMAIN_AFFECT_LIVE;
	change->saved = current ? !change->live : affect & VIR_DOMAIN_AFFECT_CONFIG;
	change->ops = ops;
	change->change = data;
	change->done = done;
	change->data = done_data;
	g_queue_push_tail(&guest->changes, change);
	if (g_queue_get_length(&guest->changes) == 1)
		next(guest);
}

void change_fail_all(struct guest *guest)
{
	g_autoptr(GError) error = NULL;
	struct change *change;

	fault_set(&error, VIR_ERR_OPERATION_INVALID, "domain is not running");
	while ((change = g_queue_pop_head(&guest->changes))) {
		change->ops->free(change->change);
		change->done(change->data, error);
		g_free(change);
	}
}

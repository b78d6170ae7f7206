// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/events.h"

#include <libvirt/libvirt.h>
#include <string.h>

#define CALLBACKS_MAX 1024u

struct callback {
	int number;
	enum event_about about;
	int event;
	char *uuid; /* NULL: of all */
	bool old;
};

void callback_free(void *data)
{
	struct callback *callback = data;

	g_free(callback->uuid);
	g_free(callback);
}

int event_add_callback(
	struct client *client, enum event_about about, int event, const char *uuid, bool old)
{
	GPtrArray *callbacks = client_callbacks(client);
	struct callback *callback;

	if (callbacks->len >= CALLBACKS_MAX)
		return -1;
	callback = g_new0(struct callback, 1);
	callback->number = client_server(client)->last_callback++;
	callback->about = about;
	callback->event = event;
	callback->uuid = g_strdup(uuid);
	callback->old = old;
	g_ptr_array_add(callbacks, callback);
	return callback->number;
}

bool event_remove_callback(struct client *client, enum event_about about, int number)
{
	GPtrArray *callbacks = client_callbacks(client);

	for (guint i = 0; i < callbacks->len; i++) {
		const struct callback *callback = g_ptr_array_index(callbacks, i);

		if (callback->old || callback->about != about || callback->number != number)
			continue;
		g_ptr_array_remove_index(callbacks, i);
		return true;
	}
	return false;
}

bool event_remove_old(struct client *client, int event)
{
	GPtrArray *callbacks = client_callbacks(client);

	for (guint i = 0; i < callbacks->len; i++) {
		const struct callback *callback = g_ptr_array_index(callbacks, i);

		if (!callback->old || callback->event != event)
			continue;
		g_ptr_array_remove_index(callbacks, i);
		return true;
	}
	return false;
}

static void send_event(
	struct client *client, int procedure, const struct packet_format *format, const void *event)
{
	const struct wire_header header = {
		.prog = WIRE_REMOTE_PROGRAM,
		.vers = WIRE_VERSION,
		.procedure = procedure,
		.type = WIRE_MESSAGE,
	};

	client_send(client, &header, format, event);
}

/* ---- guests ---------------------------------------------------------------------------------- */

/* All begin with the callback's number and the guest. Texts belong to the event. */
union message {
	struct wire_domain_event any;
	struct wire_lifecycle_event lifecycle;
	struct wire_balloon_event balloon;
	struct wire_device_event device;
	struct wire_tray_event tray;
	struct wire_size_event size;
	struct wire_io_error_event io_error;
	struct wire_io_error_reason_event io_error_reason;
	struct wire_metadata_event metadata;
	struct wire_tunable_event tunable;
};

static void fill_lifecycle(union message *message, const struct guest_event *event)
{
	message->lifecycle.event = event->type;
	message->lifecycle.detail = event->detail;
}

static void fill_balloon(union message *message, const struct guest_event *event)
{
	message->balloon.actual = event->kib;
}

static void fill_device(union message *message, const struct guest_event *event)
{
	message->device.alias = (char *)event->alias;
}

static void fill_tray(union message *message, const struct guest_event *event)
{
	message->tray.alias = (char *)event->alias;
	message->tray.reason = event->type;
}

static void fill_size(union message *message, const struct guest_event *event)
{
	message->size.alias = (char *)event->alias;
	message->size.size = event->kib;
}

static void fill_io_error(union message *message, const struct guest_event *event)
{
	message->io_error_reason.path = (char *)event->text;
	message->io_error_reason.alias = (char *)event->alias;
	message->io_error_reason.action = event->type;
	message->io_error_reason.reason = (char *)event->reason;
}

static void fill_metadata(union message *message, const struct guest_event *event)
{
	message->metadata.type = event->type;
	message->metadata.uri = event->text ? (wire_optional)&event->text : NULL;
}

static void fill_tunable(union message *message, const struct guest_event *event)
{
	message->tunable.parameters.parameters_val = (struct wire_parameter *)event->parameters;
	message->tunable.parameters.parameters_len = event->parameter_count;
}

#define F(name) PACKET_FORMAT(wire_##name)

/* The procedures that tell of it, in the form with callback numbers. */
static const struct kind {
	int event;
	int procedure;
	const struct packet_format *format;
	void (*fill)(union message *message, const struct guest_event *event); /* or NULL */
} kinds[] = {
	{VIR_DOMAIN_EVENT_ID_LIFECYCLE, 318, F(lifecycle_event), fill_lifecycle},
	{VIR_DOMAIN_EVENT_ID_REBOOT, 319, F(domain_event), NULL},
	{VIR_DOMAIN_EVENT_ID_IO_ERROR, 322, F(io_error_event), fill_io_error},
	{VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON, 324, F(io_error_reason_event), fill_io_error},
	{VIR_DOMAIN_EVENT_ID_TRAY_CHANGE, 328, F(tray_event), fill_tray},
	{VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, 331, F(balloon_event), fill_balloon},
	{VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, 333, F(device_event), fill_device},
	{VIR_DOMAIN_EVENT_ID_TUNABLE, 346, F(tunable_event), fill_tunable},
	{VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, 354, F(device_event), fill_device},
	{VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, 363, F(tunable_event), fill_tunable},
	{VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, 367, F(device_event), fill_device},
	{VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, 379, F(metadata_event), fill_metadata},
	{VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE, 438, F(size_event), fill_size},
};

static const struct kind *find_kind(int event)
{
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (kinds[i].event == event)
			return &kinds[i];
	return NULL;
}

/* The form of clients before libvirt 1.3, of the two oldest events. */
static void send_old(
	struct client *client, struct wire_domain domain, const struct guest_event *event)
{
	const struct wire_lifecycle_event_old lifecycle = {domain, event->type, event->detail};
	const struct wire_domain_event_old reboot = {domain};

	if (event->id == VIR_DOMAIN_EVENT_ID_LIFECYCLE)
		send_event(client, 107, F(lifecycle_event_old), &lifecycle);
	else if (event->id == VIR_DOMAIN_EVENT_ID_REBOOT)
		send_event(client, 169, F(domain_event_old), &reboot);
}

static void tell_client(
	struct client *client, const struct guest *guest, const struct guest_event *event)
{
	const struct kind *kind = find_kind(event->id);
	const char *uuid = guest_definition(guest)->uuid;
	const GPtrArray *callbacks = client_callbacks(client);
	union message message = {.any.domain = guest_wire(guest)};

	if (event->id == VIR_DOMAIN_EVENT_ID_LIFECYCLE && event->text)
		message.any.domain.name = (char *)event->text;
	if (kind->fill)
		kind->fill(&message, event);
	for (guint i = 0; i < callbacks->len; i++) {
		const struct callback *callback = g_ptr_array_index(callbacks, i);

		if (callback->about != EVENT_GUEST || callback->event != event->id ||
			(callback->uuid && strcmp(callback->uuid, uuid) != 0))
			continue;
		message.any.callback = callback->number;
		if (callback->old)
			send_old(client, message.any.domain, event);
		else
			send_event(client, kind->procedure, kind->format, &message);
	}
}

static void tell_guest(void *data, const struct guest *guest, const struct guest_event *event)
{
	struct server *server = data;
	struct guest_event with_reason = *event;

	g_assert(find_kind(event->id));
	with_reason.id = VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON;
	for (guint i = 0; i < server->clients->len; i++) {
		struct client *client = g_ptr_array_index(server->clients, i);

		tell_client(client, guest, event);
		if (event->id == VIR_DOMAIN_EVENT_ID_IO_ERROR)
			tell_client(client, guest, &with_reason);
	}
}

const struct registry_events server_events = {
	.guest = tell_guest,
};

/* ---- pools and networks ---------------------------------------------------------------------- */

/* message begins with the callback's number. */
static void tell_all(struct server *server, enum event_about about, int event, const char *uuid,
	int procedure, const struct packet_format *format, void *message)
{
	for (guint i = 0; i < server->clients->len; i++) {
		struct client *client = g_ptr_array_index(server->clients, i);
		const GPtrArray *callbacks = client_callbacks(client);

		for (guint j = 0; j < callbacks->len; j++) {
			const struct callback *callback = g_ptr_array_index(callbacks, j);

			if (callback->about != about || callback->event != event ||
				(callback->uuid && strcmp(callback->uuid, uuid) != 0))
				continue;
			*(int *)message = callback->number;
			send_event(client, procedure, format, message);
		}
	}
}

void event_tell_pool(
	struct server *server, const struct wire_pool *pool, const char *uuid, int event)
{
	struct wire_pool_event message = {.pool = *pool, .event = event};

	tell_all(server, EVENT_POOL, VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE, uuid, 370, F(pool_event),
		&message);
}

void event_tell_refresh(struct server *server, const struct wire_pool *pool, const char *uuid)
{
	struct wire_pool_refresh_event message = {.pool = *pool};

	tell_all(server, EVENT_POOL, VIR_STORAGE_POOL_EVENT_ID_REFRESH, uuid, 373,
		F(pool_refresh_event), &message);
}

void event_tell_network(
	struct server *server, const struct wire_network *network, const char *uuid, int event)
{
	struct wire_network_event message = {.network = *network, .event = event};

	tell_all(server, EVENT_NETWORK, VIR_NETWORK_EVENT_ID_LIFECYCLE, uuid, 315, F(network_event),
		&message);
}

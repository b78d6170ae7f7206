// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/events.h"
#include "model/loop.h"
#include "model/worker.h"

#include <glib/gi18n.h>
#include <libvirt/virterror.h>
#include <libxml/parser.h>

static void print_nothing(void *data, virErrorPtr error)
{
}

static void print_no_xml_error(void *data, const char *format, ...)
{
}

void events_start(void)
{
	static gsize once;

	if (!g_once_init_enter(&once))
		return;
	virSetErrorFunc(NULL, print_nothing);
	// libvirt's drivers read files with libxml2, which would print on the console's terminal.
	xmlInitParser();
	xmlSetGenericErrorFunc(NULL, print_no_xml_error);
	xmlThrDefSetGenericErrorFunc(NULL, print_no_xml_error);
	virInitialize();
	loop_start();
	g_once_init_leave(&once, 1);
}

static void tell(struct worker *worker, virDomainPtr domain, enum note_kind kind, guint64 bytes)
{
	struct note note = {.kind = kind, .bytes = bytes};

	if (virDomainGetUUIDString(domain, note.uuid) == 0)
		worker_tell(worker, &note);
}

static int on_lifecycle(
	virConnectPtr connection, virDomainPtr domain, int event, int detail, void *data)
{
	switch (event) {
	case VIR_DOMAIN_EVENT_STARTED:
		tell(data, domain, NOTE_STARTED, 0);
		break;
	case VIR_DOMAIN_EVENT_UNDEFINED:
	case VIR_DOMAIN_EVENT_STOPPED:
		tell(data, domain, NOTE_GONE, 0);
		break;
	default:
		tell(data, domain, NOTE_GUEST, 0);
	}
	return 0;
}

static void on_change(virConnectPtr connection, virDomainPtr domain, void *data)
{
	tell(data, domain, NOTE_GUEST, 0);
}

static void on_balloon(
	virConnectPtr connection, virDomainPtr domain, unsigned long long kib, void *data)
{
	tell(data, domain, NOTE_MEMORY, kib * 1024);
}

static void on_device(virConnectPtr connection, virDomainPtr domain, const char *alias, void *data)
{
	tell(data, domain, NOTE_GUEST, 0);
}

static void on_metadata(
	virConnectPtr connection, virDomainPtr domain, int type, const char *uri, void *data)
{
	tell(data, domain, NOTE_GUEST, 0);
}

static void on_tunable(virConnectPtr connection, virDomainPtr domain, virTypedParameterPtr params,
	int count, void *data)
{
	tell(data, domain, NOTE_GUEST, 0);
}

static void on_tray(
	virConnectPtr connection, virDomainPtr domain, const char *alias, int reason, void *data)
{
	tell(data, domain, NOTE_GUEST, 0);
}

static void on_disk(virConnectPtr connection, virDomainPtr domain, const char *old,
	const char *fresh, const char *alias, int reason, void *data)
{
	tell(data, domain, NOTE_GUEST, 0);
}

static const struct {
	int id;
	virConnectDomainEventGenericCallback callback;
} followed[] = {
	{VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle)},
	{VIR_DOMAIN_EVENT_ID_REBOOT, VIR_DOMAIN_EVENT_CALLBACK(on_change)},
	{VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_balloon)},
	{VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(on_device)},
	{VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device)},
	{VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_metadata)},
	{VIR_DOMAIN_EVENT_ID_TUNABLE, VIR_DOMAIN_EVENT_CALLBACK(on_tunable)},
	{VIR_DOMAIN_EVENT_ID_TRAY_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_tray)},
	{VIR_DOMAIN_EVENT_ID_DISK_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_disk)},
};

G_STATIC_ASSERT(G_N_ELEMENTS(followed) <= EVENTS_MOST);

static void drop_worker(void *data)
{
	worker_unref(data);
}

static const char *close_reason(int reason)
{
	switch (reason) {
	case VIR_CONNECT_CLOSE_REASON_EOF:
		return N_("the hypervisor closed the connection");
	case VIR_CONNECT_CLOSE_REASON_KEEPALIVE:
		return N_("the hypervisor stopped answering");
	case VIR_CONNECT_CLOSE_REASON_CLIENT:
		return N_("the connection was closed here");
	default:
		return N_("the connection broke");
	}
}

static void on_close(virConnectPtr connection, int reason, void *data)
{
	struct note note = {.kind = NOTE_CLOSED, .text = close_reason(reason)};

	worker_tell(((struct events *)data)->worker, &note);
}

// Drivers without a connection that can break take the callback and never let go of it; so whoever
// is first, libvirt or events_deregister, drops the reference.
static void drop_close(void *data)
{
	struct events *events = data;

	if (g_atomic_int_compare_and_exchange(&events->close_held, 1, 0))
		worker_unref(events->worker);
}

static void register_close(struct events *events, virConnectPtr connection)
{
	worker_ref(events->worker);
	g_atomic_int_set(&events->close_held, 1);
	if (virConnectRegisterCloseCallback(connection, on_close, events, drop_close) < 0)
		drop_close(events);
}

void events_register(struct events *events, virConnectPtr connection)
{
	for (unsigned i = 0; i < EVENTS_MOST; i++)
		events->ids[i] = -1;
	for (unsigned i = 0; i < G_N_ELEMENTS(followed); i++) {
		events->ids[i] = virConnectDomainEventRegisterAny(connection, NULL, followed[i].id,
			followed[i].callback, worker_ref(events->worker), drop_worker);
		if (events->ids[i] < 0)
			worker_unref(events->worker);
	}
	register_close(events, connection);
}

void events_deregister(struct events *events, virConnectPtr connection)
{
	virConnectUnregisterCloseCallback(connection, on_close);
	drop_close(events);
	for (unsigned i = 0; i < EVENTS_MOST; i++)
		if (events->ids[i] >= 0)
			virConnectDomainEventDeregisterAny(connection, events->ids[i]);
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/edit.h"
#include "model/connection_private.h"
#include "model/devices.h"
#include "model/error.h"
#include "model/job_private.h"
#include "model/worker.h"
#include "model/xml.h"

#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>

// ---- reading ----------------------------------------------------------------------------------------

struct reading_task {
	struct task task;
	unsigned number;
	char *uuid, *name;
	void (*done)(struct edit_answer *answer, void *data); // NULL once told or forgotten
	void *data;
	struct edit_answer answer;
};

// Those under way. Main thread.
static GPtrArray *under_way;
static unsigned last_number;

// What the hypervisor can do for a machine like this; NULL where it does not tell.
static char *read_capabilities(virConnectPtr connection, const char *xml)
{
	xmlDoc *tree = xml_parse(xml, -1, "", NULL);
	xmlNode *domain = tree ? xmlDocGetRootElement(tree) : NULL;
	xmlNode *type = xml_child(xml_child(domain, "os", NULL), "type", NULL);
	xmlNode *emulator = xml_child(xml_child(domain, "devices", NULL), "emulator", NULL);
	g_autofree char *path = emulator ? xml_text(emulator) : NULL;
	g_autofree char *arch = xml_attribute(type, "arch");
	g_autofree char *machine = xml_attribute(type, "machine");
	g_autofree char *kind = xml_attribute(domain, "type");
	char *told = virConnectGetDomainCapabilities(connection, path, arch, machine, kind, 0);

	xmlFreeDoc(tree);
	return told;
}

static void read_guest(virConnectPtr connection, struct reading_task *reading)
{
	virDomainPtr domain = virDomainLookupByUUIDString(connection, reading->uuid);
	struct definition *definition;

	if (!domain) {
		g_autofree char *headline = g_strdup_printf(_("Cannot find guest '%s'"), reading->name);

		error_set_libvirt(&reading->answer.error, headline);
		return;
	}
	definition = definition_read(domain, &reading->answer.error);
	virDomainFree(domain);
	reading->answer.definition = definition;
	if (definition)
		reading->answer.capabilities = read_capabilities(
			connection, definition->saved ? definition->saved : definition->running);
}

static void run_reading(struct worker *worker, virConnectPtr connection, struct task *task)
{
	struct reading_task *reading = (struct reading_task *)task;

	if (connection)
		read_guest(connection, reading);
	else
		g_set_error(&reading->answer.error, MODEL_ERROR, MODEL_ERROR_NOT_CONNECTED,
			_("%s is not connected at the moment."), worker_uri(worker));
}

static void tell(struct reading_task *reading)
{
	void (*done)(struct edit_answer *answer, void *data) = reading->done;

	reading->done = NULL;
	if (done)
		done(&reading->answer, reading->data);
}

static bool done_reading(struct connection *connection, struct task *task)
{
	tell((struct reading_task *)task);
	return false;
}

// Also when the worker was left behind: then nobody was told yet.
static void free_reading(struct task *task)
{
	struct reading_task *reading = (struct reading_task *)task;

	if (reading->done) {
		definition_free(g_steal_pointer(&reading->answer.definition));
		g_clear_error(&reading->answer.error);
		g_set_error(&reading->answer.error, MODEL_ERROR, MODEL_ERROR_NOT_CONNECTED,
			_("The connection to the host of '%s' was given up."), reading->name);
		tell(reading);
	}
	g_ptr_array_remove_fast(under_way, reading);
	definition_free(reading->answer.definition);
	free(reading->answer.capabilities);
	g_clear_error(&reading->answer.error);
	g_free(reading->uuid);
	g_free(reading->name);
	g_free(reading);
}

static gboolean refuse(gpointer data)
{
	free_reading(data);
	return G_SOURCE_REMOVE;
}

unsigned edit_read(struct guest *guest, void (*done)(struct edit_answer *answer, void *data),
	void *data)
{
	struct reading_task *reading = g_new0(struct reading_task, 1);

	if (!under_way)
		under_way = g_ptr_array_new();
	g_ptr_array_add(under_way, reading);
	reading->task.run = run_reading;
	reading->task.done = done_reading;
	reading->task.free = free_reading;
	reading->number = ++last_number;
	reading->uuid = g_strdup(guest->uuid);
	reading->name = g_strdup(guest->name);
	reading->done = done;
	reading->data = data;
	if (guest->connection)
		worker_submit(guest->connection->private->worker, &reading->task);
	else
		g_idle_add(refuse, reading);
	return reading->number;
}

void edit_forget(unsigned number)
{
	for (guint i = 0; number && under_way && i < under_way->len; i++) {
		struct reading_task *reading = under_way->pdata[i];

		if (reading->number == number)
			reading->done = NULL;
	}
}

// ---- verbs ------------------------------------------------------------------------------------------

static bool save(struct call *call, virDomainPtr domain, GError **error)
{
	char *warning = NULL;

	if (!definition_save(domain, call_get(call, "BASE"), call_get(call, "XML"),
		    call_get(call, "REASON"), &warning, error))
		return false;
	call->output = warning;
	return true;
}

static bool attach(struct call *call, virDomainPtr domain, GError **error)
{
	if (virDomainAttachDeviceFlags(domain, call_get(call, "XML"), VIR_DOMAIN_AFFECT_LIVE) == 0)
		return true;
	return call_fail(error, _("Cannot plug the device into guest '%s'"), call->target);
}

// How long a guest may take to let go of a device, and how often one looks.
#define LET_GO_SECONDS 20
#define LOOK_USEC 100000

// Whether the running guest still has the device, by its name; false too where it has none.
static bool still_there(virDomainPtr domain, const struct document *device)
{
	char *xml = virDomainGetXMLDesc(domain, 0);
	DOCUMENT_AUTO struct document *running = xml ? document_new(xml, -1, "", NULL) : NULL;

	free(xml);
	return running && device_same(running, document_root(device));
}

// Unplugging asks the guest, which answers when it has done so.
static bool wait_until_gone(struct call *call, virDomainPtr domain, GError **error)
{
	DOCUMENT_AUTO struct document *device =
		document_new(call_get(call, "XML"), -1, _("the device"), error);
	gint64 until = g_get_monotonic_time() + LET_GO_SECONDS * G_USEC_PER_SEC;

	if (!device)
		return false;
	while (still_there(domain, device)) {
		if (g_get_monotonic_time() > until || g_atomic_int_get(&call->cancelled)) {
			g_set_error(error, MODEL_ERROR, MODEL_ERROR_FAILED,
				_("Guest '%s' has not let go of the device yet; it goes as soon as the guest does."),
				call->target);
			return false;
		}
		g_usleep(LOOK_USEC);
	}
	return true;
}

static bool detach(struct call *call, virDomainPtr domain, GError **error)
{
	if (virDomainDetachDeviceFlags(domain, call_get(call, "XML"), VIR_DOMAIN_AFFECT_LIVE) == 0)
		return wait_until_gone(call, domain, error);
	return call_fail(error, _("Cannot unplug the device from guest '%s'"), call->target);
}

static char *virsh_define(const struct request *request, const struct guest *guest)
{
	return g_strdup_printf("edit %s", guest->name);
}

static char *virsh_attach(const struct request *request, const struct guest *guest)
{
	return g_strdup_printf("attach-device %s DEVICE.xml --live", guest->name);
}

static char *virsh_detach(const struct request *request, const struct guest *guest)
{
	return g_strdup_printf("detach-device %s DEVICE.xml --live", guest->name);
}

#define TEXT(argument)                                                                             \
	{                                                                                          \
		.name = argument, .kind = ARGUMENT_TEXT, .help = ""                                \
	}
#define GUEST                                                                                      \
	{                                                                                          \
		.name = "GUEST", .kind = ARGUMENT_GUEST, .help = ""                                \
	}

const struct verb edit_save = {
	.name = "save-definition",
	.label = N_("Save the definition"),
	.title_one = N_("Save the definition of %s"),
	.flags = VERB_CHANGES,
	.arguments = {GUEST, TEXT("XML"), TEXT("BASE"), TEXT("REASON")},
	.on_guest = save,
	.virsh = virsh_define,
};

const struct verb edit_attach = {
	.name = "attach-device",
	.label = N_("Plug in"),
	.title_one = N_("Plug a device into %s"),
	.flags = VERB_CHANGES | VERB_ON_ACTIVE,
	.arguments = {GUEST, TEXT("XML")},
	.on_guest = attach,
	.virsh = virsh_attach,
};

const struct verb edit_detach = {
	.name = "detach-device",
	.label = N_("Unplug"),
	.title_one = N_("Unplug a device from %s"),
	.flags = VERB_CHANGES | VERB_ON_ACTIVE,
	.arguments = {GUEST, TEXT("XML")},
	.on_guest = detach,
	.virsh = virsh_detach,
};

bool edit_conflicted(const struct job *job)
{
	const struct job_step *step = job->steps->len ? job->steps->pdata[0] : NULL;

	return step && step->state == JOB_FAILED &&
	       step->private->error_code == MODEL_ERROR_CONFLICT;
}

const char *edit_editor(void)
{
	const char *visual = g_getenv("VISUAL"), *plain = g_getenv("EDITOR");

	return visual && *visual ? visual : plain && *plain ? plain : "vi";
}

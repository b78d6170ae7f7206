// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/actions.h"
#include "model/error.h"
#include "model/xml.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <libvirt/virterror.h>
#include <string.h>

const char *const shutdown_modes[] = {"acpi", "agent", "initctl", "signal", "paravirt", NULL};

bool domain_is_active(virDomainPtr domain)
{
	return virDomainIsActive(domain) == 1;
}

bool last_call_unsupported(void)
{
	int code = virGetLastErrorCode();

	return code == VIR_ERR_NO_SUPPORT || code == VIR_ERR_INVALID_ARG ||
	       code == VIR_ERR_ARGUMENT_UNSUPPORTED || code == VIR_ERR_OPERATION_UNSUPPORTED;
}

static bool say(struct call *call, const char *sentence)
{
	g_autoptr(GString) text = g_string_new(NULL);

	g_string_printf(text, sentence, call->target);
	call->output = g_strdup(text->str);
	return true;
}

bool action_start(struct call *call, virDomainPtr domain, GError **error)
{
	unsigned flags = call_get(call, "--paused") ? VIR_DOMAIN_START_PAUSED : 0;

	if (virDomainCreateWithFlags(domain, flags) < 0)
		return call_fail(error, _("Cannot start guest '%s'"), call->target);
	return say(call, flags ? _("%s is started, and paused.") : _("%s is started."));
}

// The mode's bit: libvirt's shutdown and reboot flags are the same.
static unsigned mode_flag(const struct call *call)
{
	static const unsigned flags[] = {VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
		VIR_DOMAIN_SHUTDOWN_GUEST_AGENT, VIR_DOMAIN_SHUTDOWN_INITCTL,
		VIR_DOMAIN_SHUTDOWN_SIGNAL, VIR_DOMAIN_SHUTDOWN_PARAVIRT};
	const char *mode = call_get(call, "--mode");

	for (unsigned i = 0; mode && shutdown_modes[i]; i++)
		if (!strcmp(shutdown_modes[i], mode))
			return flags[i];
	return 0;
}

bool action_shutdown(struct call *call, virDomainPtr domain, GError **error)
{
	unsigned flags = mode_flag(call);
	int done = flags ? virDomainShutdownFlags(domain, flags) : virDomainShutdown(domain);

	if (done < 0)
		return call_fail(error, _("Cannot shut down guest '%s'"), call->target);
	return say(call, _("%s is told to shut down."));
}

bool action_reboot(struct call *call, virDomainPtr domain, GError **error)
{
	if (virDomainReboot(domain, mode_flag(call)) < 0)
		return call_fail(error, _("Cannot reboot guest '%s'"), call->target);
	return say(call, _("%s is told to reboot."));
}

bool action_reset(struct call *call, virDomainPtr domain, GError **error)
{
	if (virDomainReset(domain, 0) < 0)
		return call_fail(error, _("Cannot reset guest '%s'"), call->target);
	return say(call, _("%s is reset."));
}

bool action_destroy(struct call *call, virDomainPtr domain, GError **error)
{
	unsigned flags = call_get(call, "--graceful") ? VIR_DOMAIN_DESTROY_GRACEFUL : 0;

	if (virDomainDestroyFlags(domain, flags) < 0)
		return call_fail(error, _("Cannot switch off guest '%s'"), call->target);
	return say(call, _("%s is switched off."));
}

bool action_pause(struct call *call, virDomainPtr domain, GError **error)
{
	if (virDomainSuspend(domain) < 0)
		return call_fail(error, _("Cannot pause guest '%s'"), call->target);
	return say(call, _("%s is paused."));
}

bool action_resume(struct call *call, virDomainPtr domain, GError **error)
{
	int state = 0;
	int done;

	// A guest that its own power management put to sleep wakes by another call.
	if (virDomainGetState(domain, &state, NULL, 0) == 0 && state == VIR_DOMAIN_PMSUSPENDED)
		done = virDomainPMWakeup(domain, 0);
	else
		done = virDomainResume(domain);
	if (done < 0)
		return call_fail(error, _("Cannot resume guest '%s'"), call->target);
	return say(call, _("%s goes on."));
}

bool action_save(struct call *call, virDomainPtr domain, GError **error)
{
	const char *path = call_get(call, "--to");
	int done = path ? virDomainSave(domain, path) : virDomainManagedSave(domain, 0);

	if (done < 0)
		return call_fail(error, _("Cannot save guest '%s'"), call->target);
	return say(call, _("%s is saved."));
}

bool action_restore(struct call *call, virDomainPtr domain, GError **error)
{
	if (virDomainHasManagedSaveImage(domain, 0) == 0) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_STATE,
			_("Cannot restore guest '%s': it has no saved state."), call->target);
		return false;
	}
	if (virDomainCreate(domain) < 0)
		return call_fail(error, _("Cannot restore guest '%s'"), call->target);
	return say(call, _("%s is restored."));
}

bool action_restore_file(struct call *call, virConnectPtr connection, GError **error)
{
	const char *path = call_get(call, "--from");

	if (!path) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("Name the guest to restore, or a file of the host with --from."));
		return false;
	}
	if (virDomainRestore(connection, path) < 0)
		return call_fail(error, _("Cannot restore a guest from '%s'"), path);
	return say(call, _("The guest in '%s' is restored."));
}

bool action_autostart(struct call *call, virDomainPtr domain, GError **error)
{
	bool off = call_get(call, "--disable");

	if (virDomainSetAutostart(domain, !off) < 0)
		return call_fail(error, _("Cannot change whether guest '%s' starts with its host"),
			call->target);
	return say(call,
		off ? _("%s no longer starts with its host.") : _("%s starts with its host."));
}

bool action_rename(struct call *call, virDomainPtr domain, GError **error)
{
	const char *name = call_get(call, "NAME");

	if (virDomainRename(domain, name, 0) < 0)
		return call_fail(error, _("Cannot rename guest '%s' to '%s'"), call->target, name);
	call->output = g_strdup_printf(_("%s is now called %s."), call->target, name);
	return true;
}

bool action_dump(struct call *call, virDomainPtr domain, GError **error)
{
	unsigned flags = call_get(call, "--inactive") ? VIR_DOMAIN_XML_INACTIVE : 0;
	char *xml = virDomainGetXMLDesc(domain, flags);

	if (!xml)
		return call_fail(
			error, _("Cannot read the definition of guest '%s'"), call->target);
	call->output = g_strdup(xml);
	free(xml);
	return true;
}

// Reads at most XML_MOST bytes of a file, which may also be a pipe.
static char *read_file(const char *path, GError **error)
{
	g_autoptr(GFile) file = g_file_new_for_path(path);
	g_autoptr(GError) cause = NULL;
	g_autoptr(GFileInputStream) stream = g_file_read(file, NULL, &cause);
	g_autofree char *text = g_malloc(XML_MOST + 2);
	gsize length = 0;

	if (!stream || !g_input_stream_read_all(
			       G_INPUT_STREAM(stream), text, XML_MOST + 1, &length, NULL, &cause)) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND, _("Cannot read '%s': %s"),
			path, cause->message);
		return NULL;
	}
	if (length > XML_MOST || memchr(text, 0, length)) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("Cannot read '%s': it is no definition of a guest, or larger than 16 "
			  "MiB."),
			path);
		return NULL;
	}
	text[length] = 0;
	return g_realloc(g_steal_pointer(&text), length + 1);
}

static virDomainPtr define(virConnectPtr connection, const char *xml)
{
	virDomainPtr domain = virDomainDefineXMLFlags(connection, xml, VIR_DOMAIN_DEFINE_VALIDATE);

	if (!domain && last_call_unsupported())
		domain = virDomainDefineXML(connection, xml);
	return domain;
}

bool action_define(struct call *call, virConnectPtr connection, GError **error)
{
	const char *path = call_get(call, "FILE");
	g_autofree char *xml = read_file(path, error);
	virDomainPtr domain;
	xmlDoc *doc;

	if (!xml)
		return false;
	doc = xml_parse(xml, -1, path, error);
	if (!doc)
		return false;
	xmlFreeDoc(doc);
	domain = define(connection, xml);
	if (!domain)
		return call_fail(error, _("Cannot define a guest from '%s'"), path);
	call->output = g_strdup_printf(_("%s is defined."), virDomainGetName(domain));
	virDomainFree(domain);
	return true;
}

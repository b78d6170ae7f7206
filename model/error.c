// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/error.h"

#include <glib/gi18n.h>
#include <libvirt/virterror.h>
#include <string.h>

G_DEFINE_QUARK(lodge - model - error, model_error)

// What a libvirt error means here, and the way out a person can take.
struct meaning {
	int libvirt;
	enum model_error code;
	const char *way_out; // N_(), NULL for none
};

static const struct meaning meanings[] = {
	{VIR_ERR_NO_DOMAIN, MODEL_ERROR_NOT_FOUND, N_("The guest is no longer on this host.")},
	{VIR_ERR_NO_STORAGE_VOL, MODEL_ERROR_NOT_FOUND, NULL},
	{VIR_ERR_NO_CONNECT, MODEL_ERROR_NOT_CONNECTED, NULL},
	{VIR_ERR_INVALID_CONN, MODEL_ERROR_NOT_CONNECTED,
		N_("The connection was lost; it is made again by itself. Try once more then.")},
	{VIR_ERR_SYSTEM_ERROR, MODEL_ERROR_FAILED, NULL},
	{VIR_ERR_RPC, MODEL_ERROR_NOT_CONNECTED, NULL},
	{VIR_ERR_AUTH_FAILED, MODEL_ERROR_REFUSED,
		N_("Log in as a user in the group 'libvirt', or as root.")},
	{VIR_ERR_AUTH_CANCELLED, MODEL_ERROR_REFUSED,
		N_("Log in as a user in the group 'libvirt', or as root.")},
	{VIR_ERR_AUTH_UNAVAILABLE, MODEL_ERROR_REFUSED,
		N_("Log in as a user in the group 'libvirt', or as root.")},
	{VIR_ERR_ACCESS_DENIED, MODEL_ERROR_REFUSED, NULL},
	{VIR_ERR_OPERATION_DENIED, MODEL_ERROR_REFUSED, NULL},
	{VIR_ERR_NO_SUPPORT, MODEL_ERROR_UNSUPPORTED, NULL},
	{VIR_ERR_OPERATION_UNSUPPORTED, MODEL_ERROR_UNSUPPORTED, NULL},
	{VIR_ERR_ARGUMENT_UNSUPPORTED, MODEL_ERROR_UNSUPPORTED, NULL},
	{VIR_ERR_CONFIG_UNSUPPORTED, MODEL_ERROR_UNSUPPORTED,
		N_("Change the guest's definition, then try again.")},
	{VIR_ERR_OPERATION_INVALID, MODEL_ERROR_STATE, NULL},
	{VIR_ERR_OPERATION_ABORTED, MODEL_ERROR_CANCELLED, NULL},
	{VIR_ERR_OPERATION_TIMEOUT, MODEL_ERROR_FAILED,
		N_("Another operation on the guest is still under way. Try again when it has "
		   "ended.")},
	{VIR_ERR_AGENT_UNRESPONSIVE, MODEL_ERROR_FAILED,
		N_("The guest has no running agent; the mode 'acpi' needs none.")},
	{VIR_ERR_NO_NETWORK, MODEL_ERROR_FAILED,
		N_("Define the network on the host, or plug the guest into another one.")},
	{VIR_ERR_XML_ERROR, MODEL_ERROR_USAGE, NULL},
	{VIR_ERR_XML_DETAIL, MODEL_ERROR_USAGE, NULL},
	{VIR_ERR_INVALID_ARG, MODEL_ERROR_USAGE, NULL},
};

static const struct meaning *find_meaning(int libvirt)
{
	static const struct meaning other = {0, MODEL_ERROR_FAILED, NULL};

	for (unsigned i = 0; i < G_N_ELEMENTS(meanings); i++)
		if (meanings[i].libvirt == libvirt)
			return &meanings[i];
	return &other;
}

// libvirt opens its messages with a class that says nothing to a person who reads on.
static const char *without_class(const char *reason)
{
	static const char *const classes[] = {"internal error: ",
		"Requested operation is not valid: ", "operation failed: ",
		"unsupported configuration: ", "argument unsupported: ", "invalid argument: ",
		"XML error: "};

	for (unsigned i = 0; i < G_N_ELEMENTS(classes); i++)
		if (g_str_has_prefix(reason, classes[i]) && reason[strlen(classes[i])])
			return reason + strlen(classes[i]);
	return reason;
}

void error_set_libvirt(GError **error, const char *headline)
{
	virErrorPtr last = virGetLastError();
	const struct meaning *meaning = find_meaning(last ? last->code : 0);
	const char *reason =
		last && last->message ? last->message : _("the hypervisor gave no reason");
	g_auto(GStrv) lines = g_strsplit(without_class(reason), "\n", 2);
	g_autoptr(GString) text = g_string_new(NULL);

	g_string_printf(text, "%s: %s", headline, lines[0] ? g_strchomp(lines[0]) : "");
	if (lines[0] && lines[1])
		g_string_append_printf(text, "\n%s", g_strchomp(lines[1]));
	if (meaning->way_out)
		g_string_append_printf(text, "\n%s", _(meaning->way_out));
	g_set_error_literal(error, MODEL_ERROR, (int)meaning->code, text->str);
}

char *error_headline(const GError *error)
{
	return g_strndup(error->message, strcspn(error->message, "\n"));
}

char *error_details(const GError *error)
{
	const char *rest = strchr(error->message, '\n');

	return rest && rest[1] ? g_strdup(rest + 1) : NULL;
}

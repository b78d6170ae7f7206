// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/definition.h"
#include "model/audit.h"
#include "model/clock.h"
#include "model/error.h"
#include "model/revision.h"
#include "model/schema.h"

#include <glib/gi18n.h>
#include <libvirt/virterror.h>
#include <string.h>

void definition_free(struct definition *definition)
{
	if (!definition)
		return;
	g_free(definition->uri);
	g_free(definition->uuid);
	g_free(definition->name);
	g_free(definition->saved);
	g_free(definition->running);
	g_free(definition);
}

// A read-only connection may not see passwords.
static char *read_xml(virDomainPtr domain, unsigned flags)
{
	char *xml = virDomainGetXMLDesc(domain, flags | VIR_DOMAIN_XML_SECURE);

	return xml ? xml : virDomainGetXMLDesc(domain, flags);
}

struct definition *definition_read(virDomainPtr domain, GError **error)
{
	struct definition *definition = g_new0(struct definition, 1);
	char uuid[VIR_UUID_STRING_BUFLEN] = "";

	definition->name = g_strdup(virDomainGetName(domain));
	definition->uri = virConnectGetURI(virDomainGetConnect(domain));
	virDomainGetUUIDString(domain, uuid);
	definition->uuid = g_strdup(uuid);
	if (virDomainIsPersistent(domain) == 1)
		definition->saved = read_xml(domain, VIR_DOMAIN_XML_INACTIVE);
	if (virDomainIsActive(domain) == 1)
		definition->running = read_xml(domain, 0);
	if (definition->saved || definition->running)
		return definition;
	g_autofree char *headline =
		g_strdup_printf(_("Cannot read the definition of guest '%s'"), definition->name);
	error_set_libvirt(error, headline);
	definition_free(definition);
	return NULL;
}

char *definition_problems(const struct document *document)
{
	struct schema *schema = schema_new(NULL, NULL);
	g_autoptr(GPtrArray) problems = schema ? schema_check(schema, document) : NULL;
	GString *text = g_string_new(NULL);

	for (guint i = 0; problems && i < problems->len; i++)
		g_string_append_printf(text, "%s%s", i ? "\n" : "",
			((struct schema_problem *)problems->pdata[i])->sentence);
	schema_free(schema);
	return g_string_free(text, text->len == 0);
}

static bool check(const char *name, const char *xml, GError **error)
{
	g_autofree char *what = g_strdup_printf(_("the definition of '%s'"), name);
	DOCUMENT_AUTO struct document *document = document_new(xml, -1, what, error);
	g_autofree char *problems = document ? definition_problems(document) : NULL;

	if (!document)
		return false;
	if (!problems)
		return true;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
		_("The definition of '%s' breaks libvirt's schema:\n%s"), name, problems);
	return false;
}

static bool still_is(const struct definition *now, const char *base, GError **error)
{
	if (!g_strcmp0(now->saved, base))
		return true;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_CONFLICT,
		_("Someone else changed the definition of '%s' meanwhile: merge the two and try again."),
		now->name);
	return false;
}

// Drivers that cannot validate take a definition without.
static virDomainPtr define(virConnectPtr connection, const char *xml)
{
	virDomainPtr domain = virDomainDefineXMLFlags(connection, xml, VIR_DOMAIN_DEFINE_VALIDATE);
	int code = domain ? VIR_ERR_OK : virGetLastErrorCode();

	if (code == VIR_ERR_INVALID_ARG || code == VIR_ERR_NO_SUPPORT ||
		code == VIR_ERR_ARGUMENT_UNSUPPORTED)
		domain = virDomainDefineXML(connection, xml);
	return domain;
}

static void keep_revisions(const struct definition *before, virDomainPtr defined, const char *reason,
	char **warning)
{
	g_autofree char *user = audit_user();
	g_autofree char *saved = read_xml(defined, VIR_DOMAIN_XML_INACTIVE);
	g_autoptr(GError) cause = NULL;
	gint64 now = clock_now();

	if ((before->saved && !revision_add(before->uri, before->uuid, before->saved, user,
				      _("as it was before"), now, &cause)) ||
		(saved && !revision_add(before->uri, before->uuid, saved, user, reason, now, &cause)))
		*warning = g_strdup(cause->message);
}

bool definition_save(virDomainPtr domain, const char *base, const char *xml, const char *reason,
	char **warning, GError **error)
{
	DEFINITION_AUTO struct definition *now = NULL;
	virDomainPtr defined;

	*warning = NULL;
	if (!check(virDomainGetName(domain), xml, error))
		return false;
	now = definition_read(domain, error);
	if (!now || !still_is(now, base, error))
		return false;
	defined = define(virDomainGetConnect(domain), xml);
	if (!defined) {
		g_autofree char *headline =
			g_strdup_printf(_("Cannot save the definition of guest '%s'"), now->name);

		error_set_libvirt(error, headline);
		return false;
	}
	keep_revisions(now, defined, reason, warning);
	virDomainFree(defined);
	return true;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/actions.h"
#include "model/metadata.h"

#include <glib/gi18n.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

// The saved definition where there is one, else the running one.
static unsigned read_from(virDomainPtr domain)
{
	return virDomainIsPersistent(domain) == 1 ? VIR_DOMAIN_AFFECT_CONFIG
						  : VIR_DOMAIN_AFFECT_LIVE;
}

static bool read_metadata(
	struct call *call, virDomainPtr domain, struct metadata *metadata, GError **error)
{
	char *xml = virDomainGetMetadata(
		domain, VIR_DOMAIN_METADATA_ELEMENT, METADATA_URI, read_from(domain));

	if (!xml && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_METADATA)
		return call_fail(error, _("Cannot read the notes of guest '%s'"), call->target);
	metadata_parse(xml, metadata);
	free(xml);
	return true;
}

static bool write_metadata(
	struct call *call, virDomainPtr domain, const struct metadata *metadata, GError **error)
{
	g_autofree char *xml = metadata_write(metadata);
	unsigned flags = read_from(domain);

	if (domain_is_active(domain))
		flags |= VIR_DOMAIN_AFFECT_LIVE;
	if (virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, xml, METADATA_PREFIX,
		    METADATA_URI, flags) == 0)
		return true;
	return call_fail(error, _("Cannot write the notes of guest '%s'"), call->target);
}

static void add_word(GPtrArray *words, const char *word)
{
	if (*word && !g_ptr_array_find_with_equal_func(words, word, g_str_equal, NULL))
		g_ptr_array_add(words, g_strdup(word));
}

static void remove_word(GPtrArray *words, const char *word)
{
	unsigned index;

	if (g_ptr_array_find_with_equal_func(words, word, g_str_equal, &index))
		g_ptr_array_remove_index(words, index);
}

// Applies --set, --add and --remove, each a comma-separated list.
static char **edit(const struct call *call, char **old)
{
	GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
	static const char *const options[] = {"--set", "--add", "--remove"};

	for (unsigned i = 0; !call_get(call, "--set") && old[i]; i++)
		add_word(words, old[i]);
	for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
		const char *list = call_get(call, options[i]);
		g_auto(GStrv) parts = g_strsplit(list ? list : "", ",", -1);

		for (unsigned k = 0; parts[k]; k++)
			(i == 2 ? remove_word : add_word)(words, g_strstrip(parts[k]));
	}
	g_ptr_array_add(words, NULL);
	g_ptr_array_set_free_func(words, NULL);
	return (char **)g_ptr_array_free(words, FALSE);
}

static bool annotate(struct call *call, virDomainPtr domain, char ***(*field)(struct metadata *),
	const char *none, const char *some, GError **error)
{
	struct metadata metadata;
	char ***words = field(&metadata);
	g_autofree char *joined = NULL;
	char **edited;
	bool done;

	if (!read_metadata(call, domain, &metadata, error))
		return false;
	edited = edit(call, *words);
	g_strfreev(*words);
	*words = edited;
	joined = g_strjoinv(", ", edited);
	done = write_metadata(call, domain, &metadata, error);
	if (done) {
		g_autoptr(GString) text = g_string_new(NULL);

		g_string_printf(text, *joined ? some : none, call->target, joined);
		call->output = g_strdup(text->str);
	}
	metadata_clear(&metadata);
	return done;
}

static char ***groups_of(struct metadata *metadata)
{
	return &metadata->groups;
}

static char ***tags_of(struct metadata *metadata)
{
	return &metadata->tags;
}

bool action_group(struct call *call, virDomainPtr domain, GError **error)
{
	return annotate(call, domain, groups_of, _("%s is in no group."),
		_("%s is in the groups: %s."), error);
}

bool action_tag(struct call *call, virDomainPtr domain, GError **error)
{
	return annotate(
		call, domain, tags_of, _("%s has no tags."), _("%s has the tags: %s."), error);
}

bool action_note(struct call *call, virDomainPtr domain, GError **error)
{
	const char *text = call_get(call, "TEXT");
	struct metadata metadata;
	bool done;

	if (!read_metadata(call, domain, &metadata, error))
		return false;
	g_free(metadata.notes);
	metadata.notes = text && *text ? g_strdup(text) : NULL;
	done = write_metadata(call, domain, &metadata, error);
	if (done)
		call->output = g_strdup_printf(metadata.notes ? _("The notes of %s are written.")
							      : _("%s has no notes now."),
			call->target);
	metadata_clear(&metadata);
	return done;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/drafting.h"
#include "model/audit.h"
#include "model/clock.h"
#include "model/error.h"
#include "model/key.h"
#include "model/metadata.h"
#include "model/xml.h"

#include <glib/gi18n.h>
#include <string.h>

#define OURS "/domain/metadata/*[local-name()='guest' and namespace-uri()='" METADATA_URI "']"
#define NOTES OURS "/*[local-name()='notes']"

// ---- begin and end ----------------------------------------------------------------------------------

static bool open_documents(struct drafting *drafting, const char *base, const char *text,
	GError **error)
{
	g_autofree char *what =
		g_strdup_printf(_("the definition of '%s'"), drafting->definition->name);
	DOCUMENT_AUTO struct document *from = document_new(base, -1, what, error);
	struct document *document = from ? document_new(base, -1, what, error) : NULL;

	if (!document || (strcmp(base, text) && !document_replace(document, text, -1, error))) {
		document_free(document);
		return false;
	}
	document_free(drafting->from);
	document_free(drafting->document);
	drafting->from = g_steal_pointer(&from);
	drafting->document = document;
	g_array_set_size(drafting->marks, 0);
	if (document_edits(document)) {
		unsigned none = 0;

		g_array_append_val(drafting->marks, none);
	}
	drafting_settle(drafting);
	return true;
}

struct drafting *drafting_new(struct definition *definition, GError **error)
{
	struct drafting *drafting = g_new0(struct drafting, 1);

	drafting->definition = definition;
	drafting->marks = g_array_new(FALSE, FALSE, sizeof(unsigned));
	drafting->began = clock_now();
	if (!definition->saved)
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_STATE,
			_("Guest '%s' is not saved: it has no definition for a next start to edit."),
			definition->name);
	else if (open_documents(drafting, definition->saved, definition->saved, error))
		return drafting;
	drafting_free(drafting);
	return NULL;
}

void drafting_free(struct drafting *drafting)
{
	if (!drafting)
		return;
	definition_free(drafting->definition);
	document_free(drafting->from);
	document_free(drafting->document);
	g_array_unref(drafting->marks);
	g_free(drafting->last);
	g_free(drafting);
}

struct draft *drafting_left(const struct drafting *drafting, GError **error)
{
	return draft_read(drafting->definition->uri, drafting->definition->uuid, error);
}

bool drafting_resume(struct drafting *drafting, const struct draft *draft, GError **error)
{
	if (!open_documents(drafting, draft->base, draft->xml, error))
		return false;
	drafting->began = draft->began;
	return true;
}

bool drafting_rebase(struct drafting *drafting, struct definition *now, const char *text,
	GError **error)
{
	if (!now->saved) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_STATE,
			_("Guest '%s' is not saved: it has no definition for a next start to edit."),
			now->name);
		return false;
	}
	if (!open_documents(drafting, now->saved, text, error))
		return false;
	definition_free(drafting->definition);
	drafting->definition = now;
	return true;
}

// ---- changes ------------------------------------------------------------------------------------------

void drafting_settle(struct drafting *drafting)
{
	g_clear_pointer(&drafting->last, g_free);
}

// Before a change: one more of the same value takes the place of the former.
static void begin(struct drafting *drafting, const char *name)
{
	unsigned edits;

	if (name && !g_strcmp0(name, drafting->last)) {
		document_undo_to(drafting->document,
			g_array_index(drafting->marks, unsigned, drafting->marks->len - 1));
		return;
	}
	g_free(drafting->last);
	drafting->last = g_strdup(name);
	edits = document_edits(drafting->document);
	g_array_append_val(drafting->marks, edits);
}

// After it: what did not work, or changed nothing, leaves nothing to take back.
static bool end(struct drafting *drafting, bool done)
{
	unsigned mark = g_array_index(drafting->marks, unsigned, drafting->marks->len - 1);

	if (!done)
		document_undo_to(drafting->document, mark);
	if (document_edits(drafting->document) == mark) {
		g_array_set_size(drafting->marks, drafting->marks->len - 1);
		drafting_settle(drafting);
	}
	return done;
}

bool drafting_set(struct drafting *drafting, const char *key, const char *value, GError **error)
{
	g_autofree char *old = NULL;

	begin(drafting, key);
	old = key_get(drafting->document, key, NULL);
	if (!g_strcmp0(old ? old : "", value))
		return end(drafting, true);
	return end(drafting, key_set(drafting->document, key, value, error));
}

static xmlNode *find(struct drafting *drafting, const char *xpath, GError **error)
{
	xmlNode *element = document_find(drafting->document, xpath);

	if (!element)
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND,
			_("The draft no longer has what was shown here."));
	return element;
}

static bool set_at(struct drafting *drafting, const char *xpath, const char *attribute,
	const char *value, GError **error)
{
	xmlNode *element = find(drafting, xpath, error);

	if (!element)
		return false;
	if (!attribute)
		return document_set_text(drafting->document, element, value, error);
	if (!*value)
		return document_remove_attribute(drafting->document, element, attribute, error);
	return document_set_attribute(drafting->document, element, attribute, value, error);
}

bool drafting_set_at(struct drafting *drafting, const char *xpath, const char *attribute,
	const char *value, GError **error)
{
	g_autofree char *name = g_strdup_printf("%s@%s", xpath, attribute ? attribute : "");

	begin(drafting, name);
	return end(drafting, set_at(drafting, xpath, attribute, value, error));
}

bool drafting_insert(
	struct drafting *drafting, const char *xpath, const char *fragment, GError **error)
{
	xmlNode *parent = find(drafting, xpath, error);

	begin(drafting, NULL);
	return end(drafting,
		parent && document_insert(drafting->document, parent, NULL, fragment, error));
}

bool drafting_remove(struct drafting *drafting, const char *xpath, GError **error)
{
	xmlNode *element = find(drafting, xpath, error);

	begin(drafting, NULL);
	return end(drafting, element && document_remove(drafting->document, element, error));
}

bool drafting_replace(struct drafting *drafting, const char *text, GError **error)
{
	begin(drafting, NULL);
	if (!strcmp(document_text(drafting->document, NULL), text))
		return end(drafting, true);
	return end(drafting, document_replace(drafting->document, text, -1, error));
}

bool drafting_undo(struct drafting *drafting)
{
	guint count = drafting->marks->len;

	if (!count)
		return false;
	document_undo_to(
		drafting->document, g_array_index(drafting->marks, unsigned, count - 1));
	g_array_set_size(drafting->marks, count - 1);
	drafting_settle(drafting);
	return true;
}

// ---- notes --------------------------------------------------------------------------------------------

char *drafting_notes(const struct drafting *drafting)
{
	xmlNode *notes = document_find(drafting->document, NOTES);

	return notes ? xml_text(notes) : NULL;
}

// Our element where it is, made where it is not. Children take its prefix.
static xmlNode *make_ours(struct document *document, GError **error)
{
	xmlNode *ours = document_find(document, OURS), *before = NULL;

	if (ours)
		return ours;
	if (!document_find(document, "/domain/metadata")) {
		// In libvirt's own order: behind the names.
		before = document_find(document,
			"/domain/*[not(self::name or self::uuid or self::genid or self::title or "
			"self::description)]");
		if (!document_insert(
			    document, document_root(document), before, "<metadata/>", error))
			return NULL;
	}
	if (!document_insert(document, document_find(document, "/domain/metadata"), NULL,
		    "<lodge:guest xmlns:lodge=\"" METADATA_URI "\"/>", error))
		return NULL;
	return document_find(document, OURS);
}

static bool make_notes(struct document *document, GError **error)
{
	xmlNode *ours = make_ours(document, error);
	g_autofree char *fragment = NULL;

	if (!ours)
		return false;
	fragment = ours->ns->prefix ? g_strdup_printf("<%s:notes/>", ours->ns->prefix) :
				      g_strdup("<notes/>");
	return document_insert(document, ours, NULL, fragment, error);
}

static bool set_notes(struct document *document, const char *notes, GError **error)
{
	xmlNode *element = document_find(document, NOTES);

	if (!*notes)
		return !element || document_remove(document, element, error);
	if (!element && !make_notes(document, error))
		return false;
	return document_set_text(document, document_find(document, NOTES), notes, error);
}

bool drafting_set_notes(struct drafting *drafting, const char *notes, GError **error)
{
	g_autofree char *old = NULL;

	begin(drafting, "notes");
	old = drafting_notes(drafting);
	if (!strcmp(old ? old : "", notes))
		return end(drafting, true);
	return end(drafting, set_notes(drafting->document, notes, error));
}

// ---- on disk ------------------------------------------------------------------------------------------

bool drafting_changed(const struct drafting *drafting)
{
	return strcmp(document_text(drafting->document, NULL), document_text(drafting->from, NULL));
}

bool drafting_drop(struct drafting *drafting, GError **error)
{
	return draft_drop(drafting->definition->uri, drafting->definition->uuid, error);
}

bool drafting_keep(struct drafting *drafting, GError **error)
{
	g_autofree char *user = audit_user();
	const struct draft draft = {
		.xml = (char *)document_text(drafting->document, NULL),
		.base = (char *)document_text(drafting->from, NULL),
		.began = drafting->began,
		.changed = clock_now(),
		.user = user,
	};

	if (!drafting_changed(drafting))
		return drafting_drop(drafting, error);
	return draft_write(
		drafting->definition->uri, drafting->definition->uuid, &draft, error);
}

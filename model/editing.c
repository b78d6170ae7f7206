// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/editing.h"
#include "model/definition.h"
#include "model/difference.h"
#include "model/error.h"
#include "model/format.h"
#include "model/key.h"
#include "model/plan.h"
#include "model/revision.h"
#include "model/tune.h"
#include "model/xml.h"

#include <glib/gi18n.h>
#include <string.h>

// ---- what was asked for ---------------------------------------------------------------------------

static unsigned asked_when(const struct call *call, unsigned otherwise)
{
	if (call_get(call, "--both"))
		return PLAN_NOW | PLAN_NEXT_START;
	if (call_get(call, "--now"))
		return PLAN_NOW;
	return call_get(call, "--next-boot") ? PLAN_NEXT_START : otherwise;
}

static char **assignments(const struct call *call)
{
	return g_strsplit(call_get(call, "KEY=VALUE"), "\n", -1);
}

static void add_line(GString *text, const char *line)
{
	g_string_append_printf(text, "%s%s", text->len ? "\n" : "", line);
}

// ---- resize ---------------------------------------------------------------------------------------

static void tell_step(const struct plan_step *step, void *data)
{
	if (step->state == PLAN_DONE)
		add_line(data, step->result);
}

static void dry_run(const struct plan *plan, GString *text)
{
	if (!plan->steps->len)
		add_line(text, _("There is nothing to change."));
	for (guint i = 0; i < plan->steps->len; i++) {
		const struct plan_step *step = plan->steps->pdata[i];
		g_autofree char *words = plan_step_words(step);
		g_autofree char *virsh = plan_step_virsh(plan, step);
		g_autofree char *line = step->state == PLAN_IMPOSSIBLE ?
						g_strdup_printf("%s: %s", words, step->why) :
						g_strdup_printf("%s: virsh %s", words, virsh);

		add_line(text, line);
	}
}

// Steps that were done before one failed are part of the error.
static void add_holding(const struct plan *plan, GError **error)
{
	g_autoptr(GString) holds = g_string_new(NULL);

	for (guint i = 0; i < plan->steps->len; i++)
		tell_step(plan->steps->pdata[i], holds);
	if (holds->len && error && *error) {
		g_autofree char *before = g_strdup((*error)->message);

		g_free((*error)->message);
		(*error)->message = g_strdup_printf(_("%s\nWhat was done before holds: %s."), before,
			g_strdelimit(holds->str, "\n", ';'));
	}
}

static bool run_plan(struct plan *plan, virDomainPtr domain, GString *text, GError **error)
{
	if (plan_run(plan, domain, tell_step, text, error))
		return true;
	add_holding(plan, error);
	return false;
}

bool action_resize(struct call *call, virDomainPtr domain, GError **error)
{
	g_auto(GStrv) wishes = assignments(call);
	unsigned when = asked_when(call, PLAN_NOW);
	struct plan *plan = plan_new(domain, (const char *const *)wishes, when, error);
	g_autoptr(GString) text = g_string_new(NULL);
	bool done = plan != NULL;

	if (done && call_get(call, "--dry-run"))
		dry_run(plan, text);
	else if (done)
		done = run_plan(plan, domain, text, error);
	if (done && !text->len)
		add_line(text, _("There is nothing to change."));
	if (done)
		call->output = g_strdup(text->str);
	plan_free(plan);
	return done;
}

// ---- set --------------------------------------------------------------------------------------------

// The resize wish that a key's assignment means for the running guest; NULL where it means none.
static char *wish_of(const char *assignment)
{
	static const char *const table[][2] = {
		{"currentMemory=", "memory="}, {"tune.shares=", "weight="}, {"tune.vcpupin.", "pin."}};
	const char *slash, *tune;

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		if (g_str_has_prefix(assignment, table[i][0]))
			return g_strconcat(table[i][1], assignment + strlen(table[i][0]), NULL);
	if (g_str_has_prefix(assignment, "vcpus=")) {
		slash = strchr(assignment, '/');
		return slash ? g_strndup(assignment, (gsize)(slash - assignment)) : g_strdup(assignment);
	}
	tune = strstr(assignment, ".iotune.");
	if (g_str_has_prefix(assignment, "disk.") && tune)
		return g_strdup_printf("%.*s.%s", (int)(tune - assignment), assignment, tune + 8);
	return NULL;
}

// The device of the running guest that a "disk.vda.…" or "nic.0.…" key is about.
static xmlNode *device_of(const struct document *document, const char *assignment)
{
	g_auto(GStrv) parts = g_strsplit(assignment, ".", 3);
	g_autofree char *xpath = NULL;

	if (g_strv_length(parts) < 3 || strpbrk(parts[1], "'\"[]"))
		return NULL;
	if (!strcmp(parts[0], "disk"))
		xpath = g_strdup_printf("/domain/devices/disk[target/@dev='%s']", parts[1]);
	else if (!strcmp(parts[0], "nic"))
		xpath = g_strdup_printf(
			"/domain/devices/interface[%u]", (unsigned)g_ascii_strtoull(parts[1], NULL, 10) + 1);
	return xpath ? document_find(document, xpath) : NULL;
}

// A device of the running guest changed as the assignment says, by libvirt's device update.
static bool update_device(
	virDomainPtr domain, const char *running, const char *assignment, GError **error)
{
	DOCUMENT_AUTO struct document *document =
		document_new(running, -1, _("the running definition"), error);
	g_autofree char *xml = NULL;
	xmlNode *device;

	if (!document || !key_assign(document, assignment, error))
		return false;
	device = device_of(document, assignment);
	if (!device) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_UNSUPPORTED,
			_("'%s' cannot be changed while the guest runs: use --next-boot."), assignment);
		return false;
	}
	xml = xml_dump(device);
	if (virDomainUpdateDeviceFlags(domain, xml, VIR_DOMAIN_AFFECT_LIVE) == 0)
		return true;
	g_autofree char *headline =
		g_strdup_printf(_("Cannot change '%s' in the running guest"), assignment);
	error_set_libvirt(error, headline);
	return false;
}

// What libvirt has no device update for.
static bool tune_assigned(virDomainPtr domain, const char *running, const char *assignment,
	bool *known, GError **error)
{
	const char *equals = strchr(assignment, '=');
	g_autofree char *key = equals ? g_strndup(assignment, (gsize)(equals - assignment)) : NULL;
	DOCUMENT_AUTO struct document *document = NULL;

	*known = key && tune_knows(key);
	if (!*known)
		return false;
	// The key's own rules come first.
	document = document_new(running, -1, _("the running definition"), error);
	return document && key_assign(document, assignment, error) &&
	       tune_now(domain, key, equals + 1, error);
}

static bool set_one_now(virDomainPtr domain, const char *running, const char *assignment,
	GString *text, GError **error)
{
	g_autofree char *wish = wish_of(assignment);
	const char *const wishes[] = {wish, NULL};
	struct plan *plan;
	bool done, known;

	if (!wish) {
		done = tune_assigned(domain, running, assignment, &known, error) ||
		       (!known && update_device(domain, running, assignment, error));
		if (done)
			g_string_append_printf(text, _("%s%s takes effect now."), text->len ? "\n" : "", assignment);
		return done;
	}
	plan = plan_new(domain, wishes, PLAN_NOW, error);
	done = plan && run_plan(plan, domain, text, error);
	plan_free(plan);
	return done;
}

static bool set_now(virDomainPtr domain, const struct definition *definition, char **changes,
	GString *text, GError **error)
{
	if (!definition->running) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_STATE,
			_("Guest '%s' is off: use --next-boot."), definition->name);
		return false;
	}
	for (; *changes; changes++)
		if (!set_one_now(domain, definition->running, *changes, text, error))
			return false;
	return true;
}

static bool set_saved(virDomainPtr domain, const struct definition *definition, char **changes,
	const char *reason, GString *text, GError **error)
{
	g_autofree char *what = g_strdup_printf(_("the definition of '%s'"), definition->name);
	DOCUMENT_AUTO struct document *before = NULL;
	DOCUMENT_AUTO struct document *after = NULL;
	g_autoptr(GPtrArray) words = NULL;
	g_autofree char *warning = NULL;

	if (!definition->saved) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_STATE,
			_("Guest '%s' is not saved: what it has can be changed with --now only."),
			definition->name);
		return false;
	}
	before = document_new(definition->saved, -1, what, error);
	after = before ? document_new(definition->saved, -1, what, error) : NULL;
	if (!after)
		return false;
	for (; *changes; changes++)
		if (!key_assign(after, *changes, error))
			return false;
	words = difference_changes(before, after);
	if (!words->len)
		return true;
	if (!definition_save(
		    domain, definition->saved, document_text(after, NULL), reason, &warning, error))
		return false;
	for (guint i = 0; i < words->len; i++) {
		g_autofree char *line = change_words(words->pdata[i]);

		g_string_append_printf(text, _("%s%s, at next start."), text->len ? "\n" : "", line);
	}
	if (warning)
		add_line(text, warning);
	return true;
}

bool action_set(struct call *call, virDomainPtr domain, GError **error)
{
	unsigned when = asked_when(call, PLAN_NEXT_START);
	DEFINITION_AUTO struct definition *definition = definition_read(domain, error);
	g_auto(GStrv) changes = assignments(call);
	g_autofree char *all = g_strjoinv(" ", changes);
	g_autofree char *reason = g_strconcat("set ", all, NULL);
	g_autoptr(GString) text = g_string_new(NULL);

	// What is saved first: it is checked whole before anything is done.
	if (!definition ||
		(when & PLAN_NEXT_START && !set_saved(domain, definition, changes, reason, text, error)) ||
		(when & PLAN_NOW && !set_now(domain, definition, changes, text, error)))
		return false;
	call->output = g_strdup(text->len ? text->str : _("There is nothing to change."));
	return true;
}

// Resizing is several commands, which are told one by one by --dry-run and on the screen; here
// stands the first word of the most frequent.
char *virsh_resize(const struct request *request, const struct guest *guest)
{
	const char *changes = request_get(request, "KEY=VALUE");
	static const char *const table[][2] = {
		{"memory=", "setmem %s --live --size %s"}, {"vcpus=", "setvcpus %s --live --count %s"}};

	for (gsize i = 0; changes && i < G_N_ELEMENTS(table); i++)
		if (g_str_has_prefix(changes, table[i][0])) {
			g_autofree char *value = g_strdup(changes + strlen(table[i][0]));
			g_autoptr(GString) words = g_string_new(NULL);

			g_string_printf(words, table[i][1], guest->name, g_strdelimit(value, "\n", '\0'));
			return g_strdup(words->str);
		}
	return NULL;
}

char *virsh_set(const struct request *request, const struct guest *guest)
{
	return g_strdup_printf("edit %s", guest->name);
}

// ---- diff and revisions -----------------------------------------------------------------------------

// A side of a diff: "running", "saved", "draft" or a revision's number.
static char *side_text(const struct definition *definition, const char *side, GError **error)
{
	guint64 number;

	if (!strcmp(side, "running") && definition->running)
		return g_strdup(definition->running);
	if (!strcmp(side, "saved") && definition->saved)
		return g_strdup(definition->saved);
	if (!strcmp(side, "draft")) {
		struct draft *draft = draft_read(definition->uri, definition->uuid, error);
		char *text = draft ? g_strdup(draft->xml) : NULL;

		draft_free(draft);
		if (text || (error && *error))
			return text;
	} else if (g_ascii_string_to_unsigned(side, 10, 1, G_MAXUINT, &number, NULL)) {
		return revision_read(definition->uri, definition->uuid, (unsigned)number, error);
	}
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND,
		_("Guest '%s' has no definition '%s': it is running, saved, draft or a revision's number."),
		definition->name, side);
	return NULL;
}

static bool add_words(const char *from, const char *to, GString *text, GError **error)
{
	DOCUMENT_AUTO struct document *a = document_new(from, -1, _("the first definition"), error);
	DOCUMENT_AUTO struct document *b =
		a ? document_new(to, -1, _("the second definition"), error) : NULL;
	g_autoptr(GPtrArray) changes = b ? difference_changes(a, b) : NULL;

	for (guint i = 0; changes && i < changes->len; i++) {
		g_autofree char *line = change_words(changes->pdata[i]);

		add_line(text, line);
	}
	return b != NULL;
}

bool action_diff(struct call *call, virDomainPtr domain, GError **error)
{
	DEFINITION_AUTO struct definition *definition = definition_read(domain, error);
	const char *from = call_get(call, "--from") ? call_get(call, "--from") : "saved";
	const char *to = call_get(call, "--to") ? call_get(call, "--to") : "running";
	g_autofree char *a = definition ? side_text(definition, from, error) : NULL;
	g_autofree char *b = a ? side_text(definition, to, error) : NULL;
	g_autofree char *lines = NULL;
	g_autoptr(GString) text = g_string_new(NULL);

	if (!b)
		return false;
	if (call_get(call, "--words"))
		return add_words(a, b, text, error) && (call->output = g_strdup(text->str), true);
	lines = difference_lines(a, from, b, to, error);
	if (!lines)
		return false;
	call->output = g_steal_pointer(&lines);
	return true;
}

bool action_revisions(struct call *call, virDomainPtr domain, GError **error)
{
	DEFINITION_AUTO struct definition *definition = definition_read(domain, error);
	g_autoptr(GPtrArray) list = NULL;
	g_autoptr(GString) text = g_string_new(NULL);

	if (!definition)
		return false;
	if (call_get(call, "--show")) {
		call->output = side_text(definition, call_get(call, "--show"), error);
		return call->output != NULL;
	}
	list = revision_list(definition->uri, definition->uuid);
	for (guint i = 0; i < list->len; i++) {
		const struct revision *revision = list->pdata[i];
		g_autofree char *date = format_date(revision->time);
		g_autofree char *line = g_strdup_printf(
			"%4u  %s  %-16s  %s", revision->number, date, revision->user, revision->reason);

		add_line(text, line);
	}
	call->output = g_strdup(text->len ? text->str : _("There are no revisions yet."));
	return true;
}

bool action_restore_revision(struct call *call, virDomainPtr domain, GError **error)
{
	DEFINITION_AUTO struct definition *definition = definition_read(domain, error);
	const char *number = call_get(call, "NUMBER");
	g_autofree char *xml = NULL;
	g_autofree char *reason = NULL;
	g_autofree char *warning = NULL;

	if (!definition)
		return false;
	xml = side_text(definition, number, error);
	reason = g_strdup_printf(_("back to revision %s"), number);
	if (!xml || !definition_save(domain, definition->saved, xml, reason, &warning, error))
		return false;
	call->output = g_strdup_printf(_("%s has the definition of revision %s again, at next start.%s%s"),
		call->target, number, warning ? "\n" : "", warning ? warning : "");
	return true;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/plan.h"
#include "model/clock.h"
#include "model/error.h"
#include "model/format.h"
#include "model/plan_kind.h"
#include "model/xml.h"

#include <glib/gi18n.h>
#include <libvirt/virterror.h>
#include <libxml/xpath.h>
#include <string.h>

// ---- text ---------------------------------------------------------------------------------------

static char *cpus_text(gint64 set)
{
	GString *text = g_string_new(NULL);

	for (int cpu = 0, first; cpu < PLAN_CPUS; cpu++) {
		if (!(set >> cpu & 1))
			continue;
		for (first = cpu; cpu + 1 < PLAN_CPUS && set >> (cpu + 1) & 1;)
			cpu++;
		g_string_append_printf(text, "%s%d", text->len ? "," : "", first);
		if (cpu > first)
			g_string_append_printf(text, "-%d", cpu);
	}
	return g_string_free(text, FALSE);
}

char *plan_value_text(const struct plan_step *step, gint64 value)
{
	if (value == PLAN_NONE)
		return g_strdup(_("none"));
	if (value == PLAN_UNKNOWN)
		return g_strdup("-");
	switch (step->kind->unit) {
	case UNIT_KIB:
		return format_size_long((double)value * 1024);
	case UNIT_BYTES:
		return format_size_long((double)value);
	case UNIT_BYTE_RATE:
		return format_rate_long((double)value);
	case UNIT_PERCENT:
		return g_strdup_printf("%" G_GINT64_FORMAT " %%", value);
	case UNIT_CPUS:
		return cpus_text(value);
	default:
		return g_strdup_printf("%" G_GINT64_FORMAT, value);
	}
}

enum plan_unit plan_step_unit(const struct plan_step *step)
{
	return step->kind->unit;
}

bool plan_step_one_way(const struct plan_step *step)
{
	return step->kind->one_way;
}

char *plan_step_label(const struct plan_step *step)
{
	g_auto(GStrv) parts = g_strsplit(_(step->kind->label), "%s", 2);

	return g_strjoinv(step->member ? step->member : "", parts);
}

char *plan_wish_text(const struct plan_step *step, gint64 value)
{
	if (value == PLAN_NONE)
		return g_strdup("none");
	switch (step->kind->unit) {
	case UNIT_KIB:
		return g_strdup_printf("%" G_GINT64_FORMAT "KiB", value);
	case UNIT_BYTES:
	case UNIT_BYTE_RATE:
		return g_strdup_printf("%" G_GINT64_FORMAT "B", value);
	case UNIT_CPUS:
		return cpus_text(value);
	default:
		return g_strdup_printf("%" G_GINT64_FORMAT, value);
	}
}

char *plan_step_words(const struct plan_step *step)
{
	g_autofree char *label = plan_step_label(step);
	g_autofree char *from = plan_value_text(step, step->from);
	g_autofree char *to = plan_value_text(step, step->to);

	return g_strdup_printf("%s %s -> %s", label, from, to);
}

char *plan_step_virsh(const struct plan *plan, const struct plan_step *step)
{
	g_autofree char *guest = g_shell_quote(plan->guest);
	g_autofree char *words = step->kind->virsh(
		strpbrk(plan->guest, " '\"\\$&|;<>()*?[]#~`!{}") ? guest : plan->guest, step);

	if (step->kind->live_only)
		return g_steal_pointer(&words);
	return g_strconcat(words, plan->when & PLAN_NOW ? " --live" : "",
		plan->when & PLAN_NEXT_START ? " --config" : "", NULL);
}

// ---- reading what there is --------------------------------------------------------------------------

static unsigned impact_of(unsigned when)
{
	return (when & PLAN_NOW ? VIR_DOMAIN_AFFECT_LIVE : 0) |
	       (when & PLAN_NEXT_START ? VIR_DOMAIN_AFFECT_CONFIG : 0);
}

// Of a value that is changed in both, the running one is looked at.
static unsigned read_impact(const struct plan *plan)
{
	return plan->when & PLAN_NOW ? VIR_DOMAIN_AFFECT_LIVE : VIR_DOMAIN_AFFECT_CONFIG;
}

static void step_free(struct plan_step *step)
{
	g_free(step->name);
	g_free(step->member);
	g_free(step->why);
	g_free(step->result);
	g_free(step);
}

// A step with nothing wished; NULL where the hypervisor does not have the value.
static struct plan_step *read_step(struct plan *plan, virDomainPtr domain,
	const struct plan_kind *kind, const char *name, const char *member)
{
	struct plan_step *step = g_new0(struct plan_step, 1);

	step->kind = kind;
	step->name = g_strdup(name);
	step->member = g_strdup(member);
	step->least = kind->unit == UNIT_KIB ? 1024 : 1;
	step->most = PLAN_NONE;
	step->left = PLAN_UNKNOWN;
	if ((kind->live_only && !plan->active) ||
		!kind->read(domain, step, read_impact(plan), &step->from)) {
		step_free(step);
		return NULL;
	}
	step->to = step->from;
	step->saved = PLAN_UNKNOWN;
	if (plan->active && !kind->live_only)
		kind->read(domain, step, VIR_DOMAIN_AFFECT_CONFIG, &step->saved);
	if (kind->bounds)
		kind->bounds(domain, step);
	return step;
}

static char *fill_name(const struct plan_kind *kind, const char *shown)
{
	g_auto(GStrv) parts = g_strsplit(kind->name, "*", 2);

	return g_strjoinv(shown, parts);
}

static void add_step(struct plan *plan, virDomainPtr domain, const struct plan_kind *kind,
	const char *shown, const char *member)
{
	g_autofree char *name = shown ? fill_name(kind, shown) : g_strdup(kind->name);
	struct plan_step *step = read_step(plan, domain, kind, name, member);

	if (step)
		g_ptr_array_add(plan->steps, step);
}

static char *member_of(const struct plan_kind *kind, xmlNode *node)
{
	const char *attribute = kind->member_attribute;

	if (!strcmp(attribute, "mac"))
		return xml_attribute(xml_child(node, "mac", NULL), "address");
	if (!strcmp(attribute, "alias"))
		return xml_attribute(xml_child(node, "alias", NULL), "name");
	return xml_attribute(node, attribute);
}

// A step for each device of the definition that the kind is about.
static void add_members(
	struct plan *plan, virDomainPtr domain, const struct plan_kind *kind, xmlDoc *definition)
{
	xmlXPathContext *context = xmlXPathNewContext(definition);
	xmlXPathObject *found =
		xmlXPathEvalExpression((const xmlChar *)kind->members, context);

	for (int i = 0; found && found->nodesetval && i < found->nodesetval->nodeNr; i++) {
		xmlNode *node = found->nodesetval->nodeTab[i];
		g_autofree char *number = g_strdup_printf("%d", i);
		g_autofree char *member = member_of(kind, node);

		if (member)
			add_step(plan, domain, kind, kind->by_number ? number : member, member);
	}
	xmlXPathFreeObject(found);
	xmlXPathFreeContext(context);
}

static void add_vcpus(struct plan *plan, virDomainPtr domain, const struct plan_kind *kind)
{
	int count = virDomainGetVcpusFlags(domain, read_impact(plan));

	for (int i = 0; i < count; i++) {
		g_autofree char *number = g_strdup_printf("%d", i);

		add_step(plan, domain, kind, number, number);
	}
}

static void add_kind(
	struct plan *plan, virDomainPtr domain, const struct plan_kind *kind, xmlDoc *definition)
{
	if (!kind->members)
		add_step(plan, domain, kind, NULL, NULL);
	else if (!*kind->members)
		add_vcpus(plan, domain, kind);
	else
		add_members(plan, domain, kind, definition);
}

// Whether a wish is for a value of that kind; all are where there are no wishes.
static bool is_wished(const struct plan_kind *kind, const char *const *wishes)
{
	g_autofree char *pattern = g_strconcat(kind->name, "=*", NULL);

	for (const char *const *wish = wishes; wish && *wish; wish++)
		if (g_pattern_match_simple(pattern, *wish))
			return true;
	return !wishes;
}

// Looks up the values that are wished for, or all.
static struct plan *survey(
	virDomainPtr domain, unsigned when, const char *const *wishes, GError **error)
{
	g_autofree char *xml = virDomainGetXMLDesc(domain, 0);
	xmlDoc *definition = xml ? xml_parse(xml, -1, _("the guest's definition"), NULL) : NULL;
	struct plan *plan;

	if (!definition) {
		g_autofree char *headline =
			g_strdup_printf(_("Cannot read what guest '%s' has"), virDomainGetName(domain));

		error_set_libvirt(error, headline);
		return NULL;
	}
	plan = g_new0(struct plan, 1);
	plan->guest = g_strdup(virDomainGetName(domain));
	plan->active = virDomainIsActive(domain) == 1;
	plan->when = plan->active ? when : PLAN_NEXT_START;
	plan->steps = g_ptr_array_new_with_free_func((GDestroyNotify)step_free);
	for (const struct plan_kind *kind = plan_kinds; kind->name; kind++)
		if (is_wished(kind, wishes))
			add_kind(plan, domain, kind, definition);
	xmlFreeDoc(definition);
	return plan;
}

struct plan *plan_survey(virDomainPtr domain, GError **error)
{
	return survey(domain, PLAN_NOW, NULL, error);
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	g_free(plan->guest);
	g_ptr_array_unref(plan->steps);
	g_free(plan);
}

char **plan_names(const struct plan *plan)
{
	char **names = g_new0(char *, plan->steps->len + 1);

	for (guint i = 0; i < plan->steps->len; i++)
		names[i] = g_strdup(((struct plan_step *)plan->steps->pdata[i])->name);
	return names;
}

// ---- wishes -------------------------------------------------------------------------------------------

static bool bad_value(const struct plan_step *step, const char *text, GError **error)
{
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE, _("'%s' is not a value for %s."), text,
		step->name);
	return false;
}

// "0-3,5"
static bool parse_cpus(const struct plan_step *step, const char *text, gint64 *value, GError **error)
{
	gint64 set = 0;

	for (const char *at = text; *at;) {
		char *end;
		guint64 first = g_ascii_strtoull(at, &end, 10), last = first;

		if (end == at || !g_ascii_isdigit(*at))
			return bad_value(step, text, error);
		if (*end == '-') {
			at = end + 1;
			last = g_ascii_strtoull(at, &end, 10);
			if (end == at)
				return bad_value(step, text, error);
		}
		if (last >= PLAN_CPUS || first > last || (*end && *end != ','))
			return bad_value(step, text, error);
		for (; first <= last; first++)
			set |= (gint64)1 << first;
		at = *end ? end + 1 : end;
	}
	*value = set;
	return set != 0 || bad_value(step, text, error);
}

static bool may_be_none(const struct plan_step *step)
{
	return step->kind->unit == UNIT_PERCENT || step->kind->unit == UNIT_BYTE_RATE ||
	       step->kind->unit == UNIT_RATE;
}

static bool parse_value(const struct plan_step *step, const char *text, gint64 *value, GError **error)
{
	g_autofree char *number = NULL;
	guint64 bytes;

	if (may_be_none(step) && (!strcmp(text, "none") || !strcmp(text, _("none")))) {
		*value = PLAN_NONE;
		return true;
	}
	switch (step->kind->unit) {
	case UNIT_KIB:
	case UNIT_BYTES:
	case UNIT_BYTE_RATE:
		if (!parse_size(text, step->kind->unit == UNIT_BYTE_RATE ? 1 : 1 << 20, &bytes, error))
			return false;
		*value = (gint64)(step->kind->unit == UNIT_KIB ? bytes / 1024 : bytes);
		return true;
	case UNIT_CPUS:
		return parse_cpus(step, text, value, error);
	default:
		number = g_strchomp(g_strdup(text));
		if (step->kind->unit == UNIT_PERCENT && g_str_has_suffix(number, "%"))
			number[strlen(number) - 1] = '\0';
		return g_ascii_string_to_signed(g_strchomp(number), 10, 0, G_MAXINT, value, NULL) ||
		       bad_value(step, text, error);
	}
}

static bool in_bounds(const struct plan_step *step)
{
	if (step->to == PLAN_NONE)
		return true;
	if (step->kind->unit == UNIT_CPUS)
		return step->most == PLAN_NONE || !(step->to & ~step->most);
	return step->to >= step->least && (step->most == PLAN_NONE || step->to <= step->most);
}

static char *refusal(const struct plan_step *step)
{
	g_autofree char *least = plan_value_text(step, step->least);
	g_autofree char *most = plan_value_text(step, step->most);

	if (step->kind->refuse && (step->to > step->least || step->most == PLAN_NONE))
		return step->kind->refuse(step);
	if (step->most == PLAN_NONE)
		return g_strdup_printf(_("It must be at least %s."), least);
	return g_strdup_printf(_("It must be from %s to %s."), least, most);
}

void plan_wish_number(struct plan *plan, struct plan_step *step, gint64 value)
{
	step->to = value;
	g_clear_pointer(&step->why, g_free);
	g_clear_pointer(&step->result, g_free);
	step->state = PLAN_WAITING;
	// What holds at the next start only is judged by libvirt, not by the running guest's bounds.
	if (plan->when & PLAN_NOW && step->to != step->from && !in_bounds(step)) {
		step->why = refusal(step);
		step->state = PLAN_IMPOSSIBLE;
	}
}

bool plan_wish(struct plan *plan, struct plan_step *step, const char *value, GError **error)
{
	gint64 to;

	if (!parse_value(step, value, &to, error))
		return false;
	plan_wish_number(plan, step, to);
	return true;
}

struct plan_step *plan_find(const struct plan *plan, const char *name)
{
	for (guint i = 0; i < plan->steps->len; i++)
		if (!strcmp(((struct plan_step *)plan->steps->pdata[i])->name, name))
			return plan->steps->pdata[i];
	return NULL;
}

// Says what there is, all of it.
static bool unknown_name(const char *name, virDomainPtr domain, GError **error)
{
	struct plan *plan = plan_survey(domain, error);
	g_auto(GStrv) names = plan ? plan_names(plan) : NULL;
	g_autofree char *all = plan ? g_strjoinv(", ", names) : NULL;

	if (plan)
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("Guest '%s' has no '%s' that can be resized; it has: %s."), plan->guest,
			name, all);
	plan_free(plan);
	return false;
}

static bool take_wish(struct plan *plan, virDomainPtr domain, const char *wish, GError **error)
{
	const char *equals = strchr(wish, '=');
	g_autofree char *name = equals ? g_strndup(wish, (gsize)(equals - wish)) : NULL;
	struct plan_step *step;

	if (!equals) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE, _("'%s' is not of the form NAME=VALUE."),
			wish);
		return false;
	}
	step = plan_find(plan, name);
	return step ? plan_wish(plan, step, equals + 1, error) : unknown_name(name, domain, error);
}

// Steps that wish nothing go; the rest stay in the table's order.
static void drop_idle(struct plan *plan)
{
	for (guint i = plan->steps->len; i-- > 0;) {
		const struct plan_step *step = plan->steps->pdata[i];

		if (step->to == step->from && step->state == PLAN_WAITING)
			g_ptr_array_remove_index(plan->steps, i);
	}
}

struct plan *plan_new(virDomainPtr domain, const char *const *wishes, unsigned when, GError **error)
{
	struct plan *plan = survey(domain, when, wishes, error);

	for (; plan && *wishes; wishes++)
		if (!take_wish(plan, domain, *wishes, error)) {
			plan_free(plan);
			return NULL;
		}
	if (plan)
		drop_idle(plan);
	return plan;
}

// ---- running ------------------------------------------------------------------------------------------

// Reads until the value is there or the kind's time is over; the last value read.
static gint64 settle(struct plan *plan, virDomainPtr domain, const struct plan_step *step, gint64 wished)
{
	gint64 until = g_get_monotonic_time() + step->kind->settle * G_USEC_PER_SEC;
	gint64 value = PLAN_UNKNOWN;

	while (step->kind->read(domain, step, read_impact(plan), &value) && value != wished &&
		g_get_monotonic_time() < until)
		g_usleep(50000);
	return value;
}

// The hypervisor may round: a page of memory, a KiB a second.
static bool arrived(const struct plan_step *step, gint64 value, gint64 wished)
{
	gint64 slack = step->kind->unit == UNIT_KIB ? 1024 : step->kind->unit == UNIT_BYTE_RATE ? 1023 : 0;

	if (value < 0 || wished < 0)
		return value == wished;
	return ABS(value - wished) <= slack;
}

static void set_result(
	const struct plan *plan, virDomainPtr domain, struct plan_step *step, gint64 value)
{
	g_autofree char *label = plan_step_label(step);
	g_autofree char *text = plan_value_text(step, value);
	g_autofree char *says = step->kind->guest_says && plan->active && plan->when & PLAN_NOW ?
					step->kind->guest_says(domain, step) :
					NULL;

	g_free(step->result);
	step->result =
		g_strdup_printf("%s %s%s (%.2f s)", label, text, says ? says : "", step->seconds);
}

static bool step_failed(struct plan_step *step, gint64 value, gint64 wished, GError **error)
{
	g_autofree char *label = plan_step_label(step);
	g_autofree char *has = plan_value_text(step, value);
	g_autofree char *wish = plan_value_text(step, wished);

	if (step->kind->unit == UNIT_KIB && wished < value)
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_FAILED,
			_("The guest did not give the memory back: it has %s, and %s was asked for."), has,
			wish);
	else
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_FAILED,
			_("%s is %s, and %s was asked for: the guest or hypervisor did not follow."), label,
			has, wish);
	return false;
}

// Not every driver takes both at once: then it is one after the other.
static bool write_value(
	virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 wished)
{
	unsigned both = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;

	if (step->kind->write(domain, step, impact, wished))
		return true;
	return impact == both && virGetLastErrorCode() == VIR_ERR_INVALID_ARG &&
	       step->kind->write(domain, step, VIR_DOMAIN_AFFECT_LIVE, wished) &&
	       step->kind->write(domain, step, VIR_DOMAIN_AFFECT_CONFIG, wished);
}

// One value written and read back.
static bool bring_to(struct plan *plan, virDomainPtr domain, struct plan_step *step, gint64 wished,
	GError **error)
{
	unsigned when = step->kind->live_only ? PLAN_NOW : plan->when;
	gint64 start = clock_monotonic(), value;

	if (!write_value(domain, step, impact_of(when), wished)) {
		g_autofree char *label = plan_step_label(step);
		g_autofree char *text = plan_value_text(step, wished);
		g_autofree char *headline = g_strdup_printf(_("Cannot set %s to %s"), label, text);

		error_set_libvirt(error, headline);
		return false;
	}
	value = settle(plan, domain, step, wished);
	step->seconds = (double)(clock_monotonic() - start) / G_USEC_PER_SEC;
	if (!arrived(step, value, wished))
		return step_failed(step, value, wished, error);
	set_result(plan, domain, step, value);
	return true;
}

static bool run_step(struct plan *plan, virDomainPtr domain, struct plan_step *step, GError **error)
{
	GError *cause = NULL;

	if (step->state == PLAN_IMPOSSIBLE) {
		g_set_error_literal(error, MODEL_ERROR, MODEL_ERROR_STATE, step->why);
		return false;
	}
	if (bring_to(plan, domain, step, step->to, &cause)) {
		step->state = PLAN_DONE;
		return true;
	}
	step->state = PLAN_FAILED;
	step->why = g_strdup(cause->message);
	g_propagate_error(error, cause);
	return false;
}

bool plan_run(struct plan *plan, virDomainPtr domain, plan_told *told, void *data, GError **error)
{
	for (guint i = 0; i < plan->steps->len; i++) {
		struct plan_step *step = plan->steps->pdata[i];
		bool done;

		if (step->to == step->from)
			continue;
		done = run_step(plan, domain, step, error);
		if (told)
			told(step, data);
		if (!done)
			return false;
	}
	return true;
}

// The next start may have had another value than the running guest.
static bool put_back_saved(
	const struct plan *plan, virDomainPtr domain, const struct plan_step *step, GError **error)
{
	g_autofree char *label = NULL;
	g_autofree char *headline = NULL;

	if (!plan->active || !(plan->when & PLAN_NEXT_START) || step->saved == PLAN_UNKNOWN ||
		step->saved == step->from)
		return true;
	if (step->kind->write(domain, step, VIR_DOMAIN_AFFECT_CONFIG, step->saved))
		return true;
	label = plan_step_label(step);
	headline = g_strdup_printf(_("Cannot put back %s for the next start"), label);
	error_set_libvirt(error, headline);
	return false;
}

bool plan_put_back(struct plan *plan, virDomainPtr domain, GError **error)
{
	for (guint i = plan->steps->len; i-- > 0;) {
		struct plan_step *step = plan->steps->pdata[i];

		if (step->state != PLAN_DONE || step->from == PLAN_UNKNOWN || step->kind->one_way)
			continue;
		if (!bring_to(plan, domain, step, step->from, error) ||
			!put_back_saved(plan, domain, step, error))
			return false;
		step->state = PLAN_PUT_BACK;
	}
	return true;
}

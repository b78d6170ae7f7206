// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "screens/guest_columns.h"
#include "screens/guest_facts.h"

/* One fact: its label, and its value as a new string (NULL: not known). */
struct fact {
	const char *label;
	char *(*value)(const struct guest *guest);
};

static char *state_value(const struct guest *g)
{
	const char *reason = guest_reason_words(g);

	if (guest_stale(g) > 0) {
		g_autofree char *age = format_duration(guest_age(g));

		return g_strdup_printf(_("%s, as it was %s ago"), guest_state_word(g), age);
	}
	if (!reason || !strcmp(reason, guest_state_word(g)))
		return g_strdup(guest_state_word(g));
	return g_strdup_printf("%s (%s)", guest_state_word(g), reason);
}

static char *uptime_value(const struct guest *g)
{
	g_autofree char *time = format_duration(guest_uptime(g));

	return g->started_at_least ? g_strdup_printf(_("at least %s"), time) : g_strdup(time);
}

static char *vcpus_value(const struct guest *g)
{
	if (!guest_active(g))
		return g_strdup_printf(_("%u at start, most %u"), g->vcpus, g->vcpus_max);
	return g_strdup_printf(_("%u now, most %u"), g->vcpus, g->vcpus_max);
}

static char *cpu_value(const struct guest *g)
{
	g_autofree char *use = format_percent(g->cpu);
	g_autofree char *host = format_percent(g->cpu_host);
	g_autofree char *own = format_percent(g->cpu_allocation);

	return guest_active(g) ? g_strdup_printf(_("%s %%, of its own %s %%, of the host %s %%"),
					 use, own, host)
			       : NULL;
}

static char *memory_value(const struct guest *g)
{
	g_autofree char *now = format_size_long((double)g->memory);
	g_autofree char *most = format_size_long((double)g->memory_max);

	return g_strdup_printf(_("%s, most %s"), now, most);
}

/* What the guest uses of its memory, and what it takes on the host. */
static char *in_use_value(const struct guest *g)
{
	g_autofree char *inside = format_size_long(g->memory_used);
	g_autofree char *host = format_size_long(g->memory_rss);

	return guest_active(g) ? g_strdup_printf(_("inside %s, on the host %s"), inside, host)
			       : NULL;
}

/* Groups first, then tags with a '#'. */
static char *labels_value(const struct guest *g)
{
	GString *text = g_string_new(NULL);

	for (char **group = g->groups; group && *group; group++)
		g_string_append_printf(text, "%s%s", text->len ? " " : "", *group);
	for (char **tag = g->tags; tag && *tag; tag++)
		g_string_append_printf(text, "%s#%s", text->len ? " " : "", *tag);
	return g_string_free(text, FALSE);
}

static char *disk_value(const struct guest *g)
{
	g_autofree char *read = format_rate_long(g->read_rate);
	g_autofree char *written = format_rate_long(g->write_rate);

	return guest_active(g) ? g_strdup_printf(_("read %s, write %s"), read, written) : NULL;
}

static char *net_value(const struct guest *g)
{
	g_autofree char *rx = format_rate_long(g->rx_rate);
	g_autofree char *tx = format_rate_long(g->tx_rate);

	return guest_active(g) ? g_strdup_printf(_("rx %s, tx %s"), rx, tx) : NULL;
}

static char *host_value(const struct guest *g)
{
	return g->connection ? g_strdup_printf("%s (%s)", g->connection->name, g->connection->uri)
			     : NULL;
}

static char *type_value(const struct guest *g)
{
	const char *type = g->type ? g->type : "-", *os = g->os_type ? g->os_type : "-";

	if (!g->persistent)
		return g_strdup_printf(_("%s %s, gone when it stops"), type, os);
	return g_strdup_printf("%s %s", type, os);
}

static char *autostart_value(const struct guest *g)
{
	return g_strdup(g->autostart ? _("yes") : _("no"));
}

static char *uuid_value(const struct guest *g)
{
	return g_strdup(g->uuid);
}

static char *title_value(const struct guest *g)
{
	return g_strdup(g->title);
}

static const struct fact fact_table[] = {
	{N_("State"), state_value},
	{N_("Up for"), uptime_value},
	{N_("CPU"), cpu_value},
	{N_("vCPUs"), vcpus_value},
	{N_("Memory"), memory_value},
	{N_("In use"), in_use_value},
	{N_("Disks"), disk_value},
	{N_("Network"), net_value},
	{N_("Host"), host_value},
	{N_("Type"), type_value},
	{N_("Autostart"), autostart_value},
	{N_("Groups"), labels_value},
	{N_("Title"), title_value},
	{N_("UUID"), uuid_value},
};

struct facts *guest_facts_new(void)
{
	const char *labels[G_N_ELEMENTS(fact_table)];

	for (size_t i = 0; i < G_N_ELEMENTS(fact_table); i++)
		labels[i] = _(fact_table[i].label);
	return facts_new(labels, G_N_ELEMENTS(fact_table));
}

void guest_facts_fill(struct facts *facts, const struct guest *guest)
{
	for (size_t i = 0; i < G_N_ELEMENTS(fact_table); i++)
		facts_take(facts, i, fact_table[i].value(guest));
}

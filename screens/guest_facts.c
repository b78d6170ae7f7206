// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <math.h>

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

	if (!reason)
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

	return guest_active(g) ?
		g_strdup_printf(_("%s %%, of its own %s %%, of the host %s %%"), use, own, host) : NULL;
}

static char *memory_value(const struct guest *g)
{
	g_autofree char *now = format_size_long((double)g->memory);
	g_autofree char *most = format_size_long((double)g->memory_max);

	return g_strdup_printf(_("%s, most %s"), now, most);
}

static char *used_value(const struct guest *g)
{
	return isnan(g->memory_used) ? NULL : format_size_long(g->memory_used);
}

static char *rss_value(const struct guest *g)
{
	return isnan(g->memory_rss) ? NULL : format_size_long(g->memory_rss);
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
	return g->connection ? g_strdup_printf("%s (%s)", g->connection->name, g->connection->uri) :
			       NULL;
}

static char *type_value(const struct guest *g)
{
	return g_strdup_printf("%s, %s", g->type ? g->type : "-", g->os_type ? g->os_type : "-");
}

static char *kept_value(const struct guest *g)
{
	return g_strdup(g->persistent ? _("yes") : _("no, it is gone when it stops"));
}

static char *autostart_value(const struct guest *g)
{
	return g_strdup(g->autostart ? _("yes") : _("no"));
}

static char *groups_value(const struct guest *g)
{
	return g->groups ? g_strjoinv(", ", g->groups) : NULL;
}

static char *tags_value(const struct guest *g)
{
	return g->tags ? g_strjoinv(", ", g->tags) : NULL;
}

static char *uuid_value(const struct guest *g)
{
	return g_strdup(g->uuid);
}

static char *title_value(const struct guest *g)
{
	return g_strdup(g->title);
}

static char *age_value(const struct guest *g)
{
	g_autofree char *age = format_duration(guest_age(g));

	return guest_stale(g) > 0 ? g_strdup_printf(_("%s ago"), age) : g_strdup(_("now"));
}

static const struct fact fact_table[] = {
	{ N_("State"), state_value },
	{ N_("Up for"), uptime_value },
	{ N_("CPU"), cpu_value },
	{ N_("vCPUs"), vcpus_value },
	{ N_("Memory"), memory_value },
	{ N_("Used inside"), used_value },
	{ N_("On the host"), rss_value },
	{ N_("Disks"), disk_value },
	{ N_("Network"), net_value },
	{ N_("Host"), host_value },
	{ N_("Type"), type_value },
	{ N_("Kept"), kept_value },
	{ N_("Autostart"), autostart_value },
	{ N_("Title"), title_value },
	{ N_("Groups"), groups_value },
	{ N_("Tags"), tags_value },
	{ N_("UUID"), uuid_value },
	{ N_("Figures of"), age_value },
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

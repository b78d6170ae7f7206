// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "screens/host_tree.h"

/*
 * Ids of nodes: "*" for all hosts, the connection's name, the name with "\n" and a group, and the
 * name with "\n\n" for its line of state. Neither names nor groups hold a newline.
 */
#define ALL_HOSTS "*"

static void add(struct tree *tree, const char *id, int depth, const char *label, const char *badge,
	enum ui_style style)
{
	tree_add(tree, &(struct tree_node){
			       .id = id,
			       .depth = depth,
			       .label = label,
			       .badge = badge,
			       .style = style,
		       });
}

static bool answers(const struct connection *c)
{
	return c->state == CONNECTION_CONNECTED && connection_silence(c) <= 0;
}

/* group -> number of guests in it. */
static GHashTable *count_groups(const struct connection *c)
{
	GHashTable *counts = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < c->guests->len; i++) {
		const struct guest *guest = g_ptr_array_index(c->guests, i);

		for (char **group = guest->groups; group && *group; group++) {
			int n = GPOINTER_TO_INT(g_hash_table_lookup(counts, *group));

			g_hash_table_insert(counts, *group, GINT_TO_POINTER(n + 1));
		}
	}
	return counts;
}

static void add_groups(struct tree *tree, const struct connection *c, int depth)
{
	g_autoptr(GHashTable) counts = count_groups(c);
	g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(counts), (GCompareFunc)strcmp);
	enum ui_style style = answers(c) ? STYLE_TEXT : STYLE_DIM;

	for (GList *at = names; at; at = at->next) {
		int n = GPOINTER_TO_INT(g_hash_table_lookup(counts, at->data));
		g_autofree char *badge = g_strdup_printf("%d", n);
		g_autofree char *id = g_strconcat(c->name, "\n", at->data, NULL);

		add(tree, id, depth, at->data, badge, style);
	}
}

static char *host_badge(const struct connection *c)
{
	g_autofree char *driver = c->host.driver ? g_ascii_strdown(c->host.driver, -1) : NULL;

	if (!driver)
		return NULL;
	return g_strdup_printf("%s %u", driver, c->guests->len);
}

/* Few words for the tree; the status line tells the whole. */
static char *short_status(const struct connection *c)
{
	/* Also while it is tried again. */
	if (c->state == CONNECTION_LOST || (c->state == CONNECTION_CONNECTING && c->failures))
		return g_strdup(_("not connected"));
	if (c->state == CONNECTION_CONNECTED && connection_silence(c) <= 0)
		return g_strdup(_("reading guests"));
	if (connection_silence(c) > 0)
		return g_strdup_printf(_("silent for %.0f s"), connection_silence(c));
	return connection_status(c);
}

static void add_connection(struct tree *tree, const struct connection *c, int depth)
{
	g_autofree char *badge = host_badge(c);
	bool ok = answers(c) && c->complete;

	add(tree, c->name, depth, c->name, badge, ok ? STYLE_TEXT : STYLE_DIM);
	if (!ok) {
		g_autofree char *id = g_strconcat(c->name, "\n\n", NULL);
		g_autofree char *status = short_status(c);
		g_autofree char *label = g_strdup_printf("(%s)", status);

		tree_add(tree, &(struct tree_node){.id = id,
				       .depth = depth + 1,
				       .label = label,
				       .style = STYLE_WARN,
				       .note = true});
	}
	add_groups(tree, c, depth + 1);
}

void host_tree_fill(struct tree *tree, const struct model *model)
{
	bool several = model->connections->len > 1;

	tree_begin(tree);
	if (several) {
		guint guests = 0;
		g_autofree char *badge = NULL;

		for (guint i = 0; i < model->connections->len; i++)
			guests += ((struct connection *)g_ptr_array_index(model->connections, i))
					  ->guests->len;
		badge = g_strdup_printf("%u", guests);
		add(tree, ALL_HOSTS, 0, _("All hosts"), badge, STYLE_TEXT);
	}
	for (guint i = 0; i < model->connections->len; i++)
		add_connection(tree, g_ptr_array_index(model->connections, i), several ? 1 : 0);
	tree_end(tree);
}

/* The group in a node's id, NULL for a host. */
static const char *group_of_id(const char *id)
{
	const char *newline = id ? strchr(id, '\n') : NULL;

	return newline && newline[1] != '\n' ? newline + 1 : NULL;
}

struct connection *host_tree_connection(const struct tree *tree, const struct model *model)
{
	const char *id = tree_selected(tree);
	g_autofree char *name = id ? g_strndup(id, strcspn(id, "\n")) : NULL;

	for (guint i = 0; i < model->connections->len; i++) {
		struct connection *c = g_ptr_array_index(model->connections, i);

		if (g_strcmp0(c->name, name) == 0)
			return c;
	}
	return NULL;
}

static void add_guests(GPtrArray *guests, const struct connection *c, const char *group)
{
	for (guint i = 0; i < c->guests->len; i++) {
		struct guest *guest = g_ptr_array_index(c->guests, i);

		if (!group || (guest->groups &&
				      g_strv_contains((const char *const *)guest->groups, group)))
			g_ptr_array_add(guests, guest_ref(guest));
	}
}

GPtrArray *host_tree_guests(const struct tree *tree, const struct model *model)
{
	GPtrArray *guests = g_ptr_array_new_with_free_func((GDestroyNotify)guest_unref);
	const struct connection *one = host_tree_connection(tree, model);
	const char *group = group_of_id(tree_selected(tree));

	for (guint i = 0; i < model->connections->len; i++) {
		const struct connection *c = g_ptr_array_index(model->connections, i);

		if (!one || c == one)
			add_guests(guests, c, group);
	}
	return guests;
}

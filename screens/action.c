// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "screens/action.h"
#include "ui/dialog.h"
#include "ui/menu.h"

/* ---- verbs on guests ---- */

static bool verb_fits(const struct verb *verb, const struct guest *guest)
{
	bool active = guest_active(guest);

	if ((verb->flags & VERB_ON_ACTIVE) && !active)
		return false;
	return !((verb->flags & VERB_ON_INACTIVE) && active);
}

/* A question waiting for its answer. */
struct asked {
	struct console *console;
	struct request *request;
};

static void asked_free(void *p)
{
	struct asked *asked = p;

	request_free(asked->request);
	g_free(asked);
}

static void asked_answered(bool yes, void *p)
{
	struct asked *asked = p;

	if (yes)
		console_run(asked->console, g_steal_pointer(&asked->request));
}

/* The guests' names, each with its host when there are several hosts. */
static char **names_of(const struct console *console, const GPtrArray *guests)
{
	GPtrArray *names = g_ptr_array_new();
	bool hosts = console->model->connections->len > 1;

	for (guint i = 0; i < guests->len; i++) {
		const struct guest *guest = g_ptr_array_index(guests, i);

		g_ptr_array_add(names, hosts ? guest_full_name(guest) : g_strdup(guest->name));
	}
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

/* "Shut down 3 guests?", what may be lost, and which guests are left out. */
static char *question_text(const struct request *request, unsigned left_out)
{
	const struct verb *verb = request->verb;
	unsigned n = request->guests->len;
	GString *text = g_string_new(NULL);
	g_autofree char *title = NULL;

	if (n == 1) {
		const struct guest *guest = g_ptr_array_index(request->guests, 0);

		title = g_strdup_printf(_(verb->title_one), guest->name);
	} else {
		title = g_strdup_printf(_(verb->title_many), n);
	}
	/* TRANSLATORS: makes a question of a title like "Shut down 3 guests". */
	g_string_append_printf(text, _("%s?"), title);
	if (verb->loses)
		g_string_append_printf(text, "\n%s", _(verb->loses));
	if (left_out) {
		g_string_append_c(text, '\n');
		g_string_append_printf(text,
			ngettext("%u marked guest is left out: its state does not allow it.",
				"%u marked guests are left out: their state does not allow it.",
				left_out),
			left_out);
	}
	return g_string_free(text, FALSE);
}

/* The commands that would do the same, one a line: what Yes does, before it is pressed. */
static char *commands_of(const struct request *request)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < request->guests->len; i++) {
		g_autofree char *command =
			request_virsh(request, g_ptr_array_index(request->guests, i));

		if (command)
			g_string_append_printf(text, "%s%s", text->len ? "\n" : "", command);
	}
	return g_string_free(text, FALSE);
}

static void ask_first(struct console *console, struct request *request, unsigned left_out)
{
	g_autofree char *text = question_text(request, left_out);
	g_auto(GStrv) names = names_of(console, request->guests);
	g_autofree char *commands = commands_of(request);
	struct asked *asked = g_new0(struct asked, 1);
	struct dialog_question question = {
		.title = _(request->verb->label),
		.text = text,
		.details = *commands ? commands : NULL,
		.names = request->guests->len > 1 ? (const char *const *)names : NULL,
	};

	asked->console = console;
	asked->request = request;
	dialog_ask(console->app, &question, asked_answered, asked, asked_free);
}

static bool must_ask(const struct console *console, const struct request *request)
{
	const struct verb *verb = request->verb;

	if (!(verb->flags & VERB_CHANGES) || !settings_confirm(console->settings, verb->name))
		return false;
	return request->guests->len > 1 ||
	       (request->guests->len == 1 && (verb->flags & VERB_CONFIRM));
}

static void ask_or_run(struct console *console, struct request *request, unsigned left_out)
{
	if (must_ask(console, request))
		ask_first(console, request, left_out);
	else
		console_run(console, request);
}

/* None of the guests is in a state for the verb: says so for the first. */
static void tell_unfit(const struct place *place, const struct verb *verb)
{
	const struct guest *guest = g_ptr_array_index(place->guests, 0);

	if (place->guests->len > 1)
		ui_app_toast(place->console->app, UI_TOAST_WARN,
			_("None of the marked guests is in a state for that."));
	else
		ui_app_toast(place->console->app, UI_TOAST_WARN, _("%s: not while it is '%s'."),
			guest->name, guest_state_word(guest));
}

void action_verb(
	const struct place *place, const char *name, const char *argument, const char *value)
{
	const struct verb *verb = verb_find(name);
	struct request *request;
	unsigned left_out = 0;

	if (!verb || !place->guests->len)
		return;
	request = request_new(place->console->model, verb);
	for (guint i = 0; i < place->guests->len; i++) {
		struct guest *guest = g_ptr_array_index(place->guests, i);

		if (verb_fits(verb, guest))
			request_add_guest(request, guest);
		else
			left_out++;
	}
	if (argument)
		request_set(request, argument, value);
	if (!request->guests->len) {
		tell_unfit(place, verb);
		request_free(request);
	} else {
		ask_or_run(place->console, request, left_out);
	}
}

void action_request(struct console *console, struct request *request)
{
	ask_or_run(console, request, 0);
}

void action_run(const struct action *action, const struct place *place)
{
	if ((action->needs_guest || action->verb) && !place->guests->len)
		ui_app_toast(place->console->app, UI_TOAST_INFO, _("There is no guest here."));
	else if (action->run)
		action->run(place);
	else if (action->verb)
		action_verb(place, action->verb, NULL, NULL);
}

/* ---- keys and menu ---- */

static uint32_t key_of(struct console *console, const struct action *action)
{
	g_autofree char *name = g_strconcat("keys.", action->id, NULL);
	const char *own = settings_text(console->settings, name);
	uint32_t key = own && *own ? ui_key_from_name(own) : UIK_NONE;

	return key == UIK_NONE && action->key ? ui_key_from_name(action->key) : key;
}

static bool menu_enabled(int id, void *data)
{
	const struct action_set *set = data;
	const struct action *action = &set->actions[id];
	const struct verb *verb = action->verb ? verb_find(action->verb) : NULL;
	const struct place *place = &set->place;

	if (place->console->model->read_only && verb && (verb->flags & VERB_CHANGES))
		return false;
	if (!verb)
		return !action->needs_guest || place->guests->len;
	for (guint i = 0; i < place->guests->len; i++)
		if (verb_fits(verb, g_ptr_array_index(place->guests, i)))
			return true;
	return false;
}

static void make_menu(struct action_set *set)
{
	size_t used = 0;

	memset(set->menu, 0, (set->n + 1) * sizeof(*set->menu));
	for (size_t i = 0; i < set->n; i++) {
		const struct action *action = &set->actions[i];

		if (!action->label)
			continue;
		set->menu[used++] = (struct menu_item){
			.label = action->label,
			.key = set->keys[i] ? ui_key_name(set->keys[i]) : NULL,
			.id = (int)i,
			.enabled = menu_enabled,
		};
	}
}

void action_set_init(
	struct action_set *set, struct console *console, const struct action *actions, size_t n)
{
	*set = (struct action_set){.actions = actions, .n = n};
	set->keys = g_new0(uint32_t, n);
	set->menu = g_new0(struct menu_item, n + 1);
	action_set_reload(set, console);
}

void action_set_reload(struct action_set *set, struct console *console)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->actions[i].id)
			set->keys[i] = key_of(console, &set->actions[i]);
	make_menu(set);
}

void action_set_release(struct action_set *set)
{
	g_clear_pointer(&set->keys, g_free);
	g_clear_pointer(&set->menu, g_free);
	g_clear_pointer(&set->place.guests, g_ptr_array_unref);
}

const struct action *action_of_key(const struct action_set *set, uint32_t key)
{
	for (size_t i = 0; i < set->n; i++)
		if (key && set->keys[i] == key)
			return &set->actions[i];
	return NULL;
}

void action_keys(const struct action_set *set, struct keybar *bar)
{
	for (size_t i = 0; i < set->n; i++) {
		int f = ui_key_f(set->keys[i]);

		if (f && set->actions[i].bar)
			keybar_set(bar, f, _(set->actions[i].bar));
	}
}

static void menu_picked(int id, void *data)
{
	struct action_set *set = data;

	action_run(&set->actions[id], &set->place);
}

void action_menu(struct action_set *set, const char *title, const struct place *place)
{
	g_clear_pointer(&set->place.guests, g_ptr_array_unref);
	set->place = *place;
	g_ptr_array_ref(set->place.guests);
	menu_popup(place->console->app, title, set->menu, -1, -1, menu_picked, set);
}

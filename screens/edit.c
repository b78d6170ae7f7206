// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "model/devices.h"
#include "screens/edit.h"
#include "screens/edit_private.h"
#include "screens/help.h"
#include "ui/dialog.h"
#include "ui/page.h"

enum { BUTTON_ESC, BUTTON_DROP, BUTTON_GO_ON };

/* ---- what is shown ---- */

static const struct edit_node *selected(const struct edit *edit)
{
	const struct edit_node *node = edit_node_find(edit, tree_selected(edit->tree));

	return node ? node : g_ptr_array_index(edit->nodes, 0);
}

static void show_branch(struct edit *edit, const struct edit_node *node)
{
	g_autofree char *text = edit_branch_text(edit, node);

	textview_set_text(edit->text, text);
	stack_show(edit->stack, SIDE_TEXT);
}

static void show_node(struct edit *edit, const struct edit_node *node)
{
	/* The form's fields go: the focus must not be on one. */
	if (edit->screen.app && widget_inside(edit->screen.focus, WIDGET(edit->form)))
		ui_screen_focus(&edit->screen, WIDGET(edit->tree));
	drafting_settle(edit->draft);
	edit->shown = node;
	frame_set_title(edit->frame, node->label);
	widget_set_help(WIDGET(edit->stack), _(node->page->help));
	if (node->element || node->page->kind == EDIT_FORM) {
		edit_form_fill(edit, node);
		stack_show(edit->stack, SIDE_FORM);
	} else if (node->page->kind == EDIT_BRANCH) {
		show_branch(edit, node);
	} else if (node->page->kind == EDIT_XML) {
		textview_set_text(edit->xml, document_text(edit->draft->document, NULL));
		stack_show(edit->stack, SIDE_XML);
	} else {
		edit_revisions_fill(edit);
		stack_show(edit->stack, SIDE_REVISIONS);
	}
	ui_screen_relayout(&edit->screen);
}

static void compare(struct edit *edit)
{
	g_clear_pointer(&edit->changes, g_ptr_array_unref);
	edit->changes = device_changes(edit->draft->from, edit->draft->document);
}

bool edit_keep(struct edit *edit)
{
	GError *error = NULL;

	later_cancel(&edit->later);
	if (!edit->draft || drafting_keep(edit->draft, &error)) {
		g_clear_pointer(&edit->trouble, g_free);
		return true;
	}
	/* Told once, not at each key. */
	if (g_strcmp0(edit->trouble, error->message)) {
		g_free(edit->trouble);
		edit->trouble = g_strdup(error->message);
		console_error(edit->console, error);
	} else {
		g_error_free(error);
	}
	return false;
}

static void follow(void *data)
{
	struct edit *edit = data;

	edit_keep(edit);
	compare(edit);
	edit_tree_fill(edit);
	edit_form_refresh(edit);
	ui_screen_touch(&edit->screen);
}

void edit_touched(struct edit *edit)
{
	later_ask(&edit->later);
}

void edit_renew(struct edit *edit)
{
	const char *id = tree_selected(edit->tree);
	g_autofree char *was = g_strdup(id ? id : "overview");

	edit_keep(edit);
	if (edit->screen.app && widget_inside(edit->screen.focus, WIDGET(edit->form)))
		ui_screen_focus(&edit->screen, WIDGET(edit->tree));
	g_ptr_array_set_size(edit->rows, 0);
	form_clear(edit->form);
	compare(edit);
	edit_nodes_fill(edit);
	edit_tree_fill(edit);
	tree_select(edit->tree, was);
	show_node(edit, selected(edit));
}

void edit_go(struct edit *edit, const char *id)
{
	if (tree_select(edit->tree, id))
		show_node(edit, selected(edit));
}

/* ---- the definition ---- */

static void begin(struct edit *edit)
{
	widget_set_disabled(WIDGET(edit->tree), false);
	edit_renew(edit);
	ui_screen_focus(&edit->screen, WIDGET(edit->tree));
}

static void fail(struct edit *edit, GError *error)
{
	struct console *console = edit->console;

	ui_app_close(console->app, &edit->screen);
	console_error(console, error);
}

/* A draft that is no XML, as `lodge edit` may leave one, stays as it is. */
static void go_on(struct edit *edit)
{
	GError *error = NULL;
	struct draft *draft = drafting_left(edit->draft, &error);

	if (draft && drafting_resume(edit->draft, draft, &error))
		begin(edit);
	else
		fail(edit, error ? error : g_error_new(MODEL_ERROR, MODEL_ERROR_NOT_FOUND,
						   _("The draft is no longer there.")));
	draft_free(draft);
}

static bool left_answered(struct dialog *dialog, int id, void *data)
{
	struct edit *edit = data;
	GError *error = NULL;

	ui_app_close(edit->console->app, dialog_screen(dialog));
	if (id == BUTTON_DROP) {
		if (!drafting_drop(edit->draft, &error))
			console_error(edit->console, error);
		begin(edit);
	} else if (id == BUTTON_GO_ON) {
		go_on(edit);
	} else {
		ui_app_close(edit->console->app, &edit->screen);
	}
	return false;
}

/* How many changes a draft holds; 0 when it cannot be read. */
static unsigned draft_changes(const struct draft *draft)
{
	DOCUMENT_AUTO struct document *from = document_new(draft->base, -1, "", NULL);
	DOCUMENT_AUTO struct document *to = from ? document_new(draft->xml, -1, "", NULL) : NULL;
	g_autoptr(GPtrArray) changes = to ? device_changes(from, to) : NULL;

	return changes ? changes->len : 0;
}

static void tell_left(struct edit *edit, const struct draft *draft)
{
	struct box *box = column_new(1);
	struct dialog *dialog;
	unsigned n = draft_changes(draft);
	g_autofree char *began = format_date(draft->began);
	g_autofree char *changed = format_date(draft->changed);
	g_autofree char *text = g_strdup_printf(
		ngettext("A draft of '%s' is still there: begun %s, last changed %s, %u change.",
			"A draft of '%s' is still there: begun %s, last changed %s, %u changes.", n),
		edit->guest->name, began, changed, n);

	box_add(box, WIDGET(label_new(text, STYLE_TEXT)), 0, 0);
	if (strcmp(draft->base, edit->draft->definition->saved) != 0)
		box_add(box, WIDGET(label_new(_("The saved definition was changed since: the review "
						"merges the two."), STYLE_EMPHASIS)), 0, 0);
	dialog = dialog_new(_("Draft"), WIDGET(box));
	dialog_button(dialog, _("&Go on with it"), 10, BUTTON_GO_ON, false);
	dialog_button(dialog, _("&Drop it"), 5, BUTTON_DROP, false);
	dialog_button(dialog, _("&Cancel"), 9, BUTTON_ESC, false);
	dialog_default(dialog, BUTTON_GO_ON);
	dialog_open(edit->console->app, dialog, left_answered, edit, NULL);
}

static void read_done(struct edit_answer *answer, void *data)
{
	struct edit *edit = data;
	GError *error = NULL;
	struct draft *draft;

	edit->reading = 0;
	if (answer->error) {
		fail(edit, g_steal_pointer(&answer->error));
		return;
	}
	edit->draft = drafting_new(g_steal_pointer(&answer->definition), &error);
	if (!edit->draft) {
		fail(edit, error);
		return;
	}
	edit->capability = capability_new(answer->capabilities);
	draft = drafting_left(edit->draft, &error);
	if (error)
		console_error(edit->console, error);
	if (draft)
		tell_left(edit, draft);
	else
		begin(edit);
	draft_free(draft);
}

/* ---- leaving ---- */

void edit_finish(struct edit *edit)
{
	GError *error = NULL;

	later_cancel(&edit->later);
	if (edit->draft && !drafting_drop(edit->draft, &error))
		console_error(edit->console, error);
	g_clear_pointer(&edit->draft, drafting_free);
	ui_app_close_one(edit->console->app, &edit->screen);
}

static void drop_answered(bool yes, void *data)
{
	if (yes)
		edit_finish(data);
}

static void ask_drop(struct edit *edit)
{
	/* White space and comments are a change, too. */
	unsigned n = edit->changes ? MAX(edit->changes->len, 1) : 1;
	g_autofree char *text = NULL;
	struct dialog_question question = {
		.title = _("Drop the draft"), .yes = _("&Drop"), .no = _("&Keep") };

	if (!edit->draft || !drafting_changed(edit->draft)) {
		edit_finish(edit);
		return;
	}
	text = g_strdup_printf(ngettext("%u change of '%s' in this draft is lost.",
				       "%u changes of '%s' in this draft are lost.", n),
		n, edit->guest->name);
	question.text = text;
	dialog_ask(edit->console->app, &question, drop_answered, edit, NULL);
}

/* The draft stays for the next time. */
static void leave(struct edit *edit)
{
	bool kept = edit->draft && drafting_changed(edit->draft) && edit_keep(edit);

	ui_app_close(edit->console->app, &edit->screen);
	if (kept)
		ui_app_toast(edit->console->app, UI_TOAST_INFO,
			_("The draft of %s is kept: F4 goes on with it."), edit->guest->name);
}

/* ---- keys ---- */

static void undo(struct edit *edit)
{
	if (!drafting_undo(edit->draft)) {
		ui_app_toast(edit->console->app, UI_TOAST_INFO, _("There is nothing to take back."));
		return;
	}
	edit_renew(edit);
	ui_app_toast(edit->console->app, UI_TOAST_INFO, _("The last change is taken back."));
}

static bool shows_xml(const struct edit *edit)
{
	return edit->shown && edit->shown->page->kind == EDIT_XML;
}

static void open_prompt(struct edit *edit)
{
	GPtrArray *guests = g_ptr_array_new_with_free_func((GDestroyNotify)guest_unref);

	if (!edit->guest->gone)
		g_ptr_array_add(guests, guest_ref(edit->guest));
	console_prompt(edit->console, guests);
}

static bool draft_key(struct edit *edit, uint32_t key)
{
	if (edit_revisions_key(edit, key))
		return true;
	switch (key) {
	case UIK_F(3):
		edit_add(edit);
		return true;
	case UIK_F(4):
		edit_xml_here(edit);
		return true;
	case UIK_F(5):
		edit_remove(edit);
		return true;
	case UIK_F(6):
		undo(edit);
		return true;
	case UIK_F(7):
		edit_xml_elsewhere(edit);
		return true;
	case ':':
		open_prompt(edit);
		return true;
	default:
		return false;
	}
}

static enum ui_result edit_key(struct ui_screen *screen, uint32_t key)
{
	struct edit *edit = (struct edit *)screen;

	if (key == UIK_ESC && edit->draft && !widget_has_focus(WIDGET(edit->tree))) {
		ui_screen_focus(screen, WIDGET(edit->tree));
		return UI_HANDLED;
	}
	if (key == UIK_ESC) {
		leave(edit);
		return UI_HANDLED;
	}
	return edit->draft && edit->shown && draft_key(edit, key) ? UI_HANDLED : UI_IGNORED;
}

static void edit_keys(struct ui_screen *screen, struct keybar *bar)
{
	struct edit *edit = (struct edit *)screen;

	keybar_set(bar, 1, _("Help"));
	if (!edit->shown)
		return;
	keybar_set(bar, 3, _("Add"));
	keybar_set(bar, 4, shows_xml(edit) ? _("Edit") : NULL);
	keybar_set(bar, 5, edit->shown->element ? _("Remove") : NULL);
	keybar_set(bar, 6, _("Undo"));
	keybar_set(bar, 7, shows_xml(edit) ? _("Editor") : NULL);
	if (edit->shown->page->kind == EDIT_REVISIONS && edit->revision_list->len) {
		keybar_set(bar, 2, _("View"));
		keybar_set(bar, 5, _("Restore"));
		keybar_set(bar, 7, _("Compare"));
	}
}

static void button_pressed(struct edit *edit, const char *name)
{
	if (g_strcmp0(name, "drop") == 0)
		ask_drop(edit);
	else if (g_strcmp0(name, "back") == 0)
		leave(edit);
	else if (g_strcmp0(name, "review") == 0 && edit->shown)
		edit_review(edit);
}

static enum ui_result edit_event(struct ui_screen *screen, struct widget *from, enum ui_result what)
{
	struct edit *edit = (struct edit *)screen;

	if (!from)
		return UI_HANDLED;
	if (widget_is_button(from)) {
		button_pressed(edit, from->name);
	} else if (from == WIDGET(edit->tree)) {
		if (what != UI_CHANGED)
			show_node(edit, selected(edit));
		if (what == UI_ACTIVATED)
			widget_grab_focus(WIDGET(edit->stack));
	} else if (from == WIDGET(edit->revisions)) {
		if (what == UI_ACTIVATED)
			edit_revisions_key(edit, UIK_ENTER);
	} else if (what == UI_CHANGED) {
		edit_form_changed(edit, from);
	} else if (what == UI_ACTIVATED && widget_is_field(from)) {
		struct widget *next = widget_focus_next(WIDGET(edit->form), from, true);

		if (next)
			ui_screen_focus(screen, next);
	}
	ui_screen_touch(screen);
	return UI_HANDLED;
}

/* ---- the screen's ops ---- */

static char *edit_title(struct ui_screen *screen)
{
	struct edit *edit = (struct edit *)screen;
	unsigned n = edit->changes ? edit->changes->len : 0;
	g_autofree char *began = NULL;

	if (edit->guest->gone)
		return g_strdup_printf(_("Edit %s - gone from its host"), edit->guest->name);
	if (!edit->shown)
		return g_strdup_printf(_("Edit %s"), edit->guest->name);
	began = format_time(edit->draft->began);
	began[5] = '\0';
	if (!drafting_changed(edit->draft))
		return g_strdup_printf(_("Edit %s - no changes yet"), edit->guest->name);
	if (!n)
		return g_strdup_printf(_("Edit %s - draft of %s"), edit->guest->name, began);
	return g_strdup_printf(ngettext("Edit %s - draft of %s, %u change",
				       "Edit %s - draft of %s, %u changes", n),
		edit->guest->name, began, n);
}

static char *edit_status(struct ui_screen *screen)
{
	struct edit *edit = (struct edit *)screen;
	struct widget *focus = screen->focus;
	const char *wrong = focus && widget_is_field(focus) ? field_error((struct field *)focus) : NULL;

	/* All of it, where beside the field is no room. */
	return g_strdup(wrong ? wrong : edit_form_help(edit));
}

static void model_changed(struct model *model, const struct model_change *change, void *data)
{
	struct edit *edit = data;

	if (change->guest == edit->guest)
		ui_screen_touch(&edit->screen);
}

static void edit_destroy(struct ui_screen *screen)
{
	struct edit *edit = (struct edit *)screen;

	/* Typed in the last thirtieth of a second. */
	if (edit->draft && edit->shown && edit->later.source)
		drafting_keep(edit->draft, NULL);
	later_cancel(&edit->later);
	edit_forget(edit->reading);
	console_forget(edit->console, edit);
	model_unwatch(edit->console->model, edit->watch);
	drafting_free(edit->draft);
	capability_free(edit->capability);
	g_ptr_array_unref(edit->nodes);
	g_ptr_array_unref(edit->rows);
	g_clear_pointer(&edit->changes, g_ptr_array_unref);
	g_clear_pointer(&edit->revision_list, g_ptr_array_unref);
	guest_unref(edit->guest);
	g_free(edit->trouble);
	g_free(edit);
}

static const struct ui_screen_ops edit_ops = {
	.name = "edit",
	.title = edit_title,
	.status = edit_status,
	.keys = edit_keys,
	.key = edit_key,
	.event = edit_event,
	.destroy = edit_destroy,
	.help = N_("The definition of a guest in forms. All pages work on one draft; nothing happens to "
		   "the guest before F10, Review, and Apply there.\n\n"
		   "F3 adds a device, F5 removes the one shown, F6 takes back the last change. F8 leaves "
		   "and keeps the draft, F9 drops it."),
};

static struct widget *make_stack(struct edit *edit)
{
	edit->stack = stack_new();
	edit->text = textview_new(TEXTVIEW_PLAIN);
	edit->form = form_new();
	edit->xml = textview_new(TEXTVIEW_XML);
	edit->revisions = list_new(LIST_PLAIN);
	stack_add(edit->stack, WIDGET(edit->text));
	stack_add(edit->stack, WIDGET(edit->form));
	stack_add(edit->stack, WIDGET(edit->xml));
	stack_add(edit->stack, WIDGET(edit->revisions));
	return WIDGET(edit->stack);
}

static struct widget *make_body(struct edit *edit)
{
	struct page page;

	edit->tree = tree_new();
	widget_set_disabled(WIDGET(edit->tree), true);
	page = page_new(_("Pages"), WIDGET(edit->tree), "", make_stack(edit), true);
	edit->frame = page.right;
	button_row_add(page.buttons, _("Dro&p draft"), 9, "drop");
	button_row_add(page.buttons, _("&Back"), 8, "back");
	button_row_add(page.buttons, _("&Review"), 10, "review");
	return WIDGET(page.box);
}

void edit_open(struct console *console, struct guest *guest)
{
	struct edit *edit = g_new0(struct edit, 1);

	edit->console = console;
	edit->guest = guest_ref(guest);
	edit->later = (struct later){ .func = follow, .data = edit };
	edit->nodes = g_ptr_array_new_with_free_func((GDestroyNotify)edit_node_free);
	edit->rows = g_ptr_array_new_with_free_func((GDestroyNotify)edit_row_shown_free);
	ui_screen_init(&edit->screen, &edit_ops, make_body(edit));
	edit->screen.focus = WIDGET(edit->tree);
	textview_set_text(edit->text, _("The definition is being read…"));
	edit->watch = model_watch(console->model, model_changed, edit);
	ui_app_push(console->app, &edit->screen);
	edit->reading = edit_read(guest, read_done, edit);
}

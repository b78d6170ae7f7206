// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/field.h"

#include <string.h>

#include "ui/field_private.h"

void field_init(struct field *f, const struct widget_ops *ops, const struct field_kind *kind,
	const char *text)
{
	widget_init(&f->widget, ops);
	g_assert(g_str_has_prefix(ops->name, "field")); // widget_is_field() goes by it
	f->kind = kind;
	f->text = g_strdup(text ? text : "");
	f->first = g_strdup(f->text);
}

void field_destroy(struct widget *w)
{
	struct field *f = (struct field *)w;

	g_free(f->text);
	g_free(f->first);
	g_free(f->error);
	g_free(f->foreign_error);
}

static void replace_text(struct field *f, const char *text)
{
	char *copy = g_strdup(text ? text : "");

	g_free(f->text);
	f->text = copy;
	f->checked = false;
	g_clear_pointer(&f->foreign_error, g_free);
}

enum ui_result field_update(struct field *f, const char *text)
{
	if (strcmp(f->text, text) == 0)
		return UI_HANDLED;
	replace_text(f, text);
	return UI_CHANGED;
}

const char *field_text(const struct field *f)
{
	return f->text;
}

void field_set_text(struct field *f, const char *text)
{
	replace_text(f, text);
	if (f->kind->taken)
		f->kind->taken(f);
	widget_touch(&f->widget);
}

bool field_changed(const struct field *f)
{
	return strcmp(f->text, f->first) != 0;
}

void field_accept(struct field *f)
{
	g_free(f->first);
	f->first = g_strdup(f->text);
}

void field_set_validator(
	struct field *f, bool (*valid)(const char *text, void *data, GError **error), void *data)
{
	f->valid = valid;
	f->valid_data = data;
	f->checked = false;
}

static void check(struct field *f)
{
	g_autoptr(GError) error = NULL;

	f->checked = true;
	g_clear_pointer(&f->error, g_free);
	if (f->kind->wrong)
		f->error = f->kind->wrong(f);
	if (!f->error && f->valid && !f->valid(f->text, f->valid_data, &error))
		f->error = g_strdup(error ? error->message : "?");
}

const char *field_error(struct field *f)
{
	if (f->widget.disabled || f->widget.hidden)
		return NULL;
	if (f->foreign_error)
		return f->foreign_error;
	if (!f->checked)
		check(f);
	return f->error;
}

void field_set_error(struct field *f, const char *sentence)
{
	g_free(f->foreign_error);
	f->foreign_error = g_strdup(sentence);
	widget_relayout(&f->widget);
}

void field_set_secret(struct field *f, bool secret)
{
	f->secret = secret;
}

void field_set_optional(struct field *f, bool optional)
{
	f->optional = optional;
	f->checked = false;
}

gint64 field_number(const struct field *f)
{
	gint64 value;

	return f->number && number_parse(f->number, f->text, &value, NULL) ? value : -1;
}

void field_set_number(struct field *f, gint64 value)
{
	g_autofree char *text = value < 0 ? g_strdup("") : number_format(f->number, value);

	field_set_text(f, text);
}

void field_set_range(struct field *f, gint64 min, gint64 max)
{
	f->min = min;
	f->max = max;
	f->checked = false;
	if (f->kind->taken)
		f->kind->taken(f);
	widget_touch(&f->widget);
}

bool widget_is_field(const struct widget *w)
{
	return g_str_has_prefix(w->ops->name, "field");
}

enum ui_style field_style(const struct field *f)
{
	return f->widget.disabled  ? STYLE_FIELD_OFF
	       : f->widget.focused ? STYLE_FIELD_FOCUS
				   : STYLE_FIELD;
}

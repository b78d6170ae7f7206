// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/settings.h"
#include "model/error.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static const char *const themes[] = {"yast", "dark", "light", "highcontrast", "mono", NULL};
static const char *const auto_yes_no[] = {"auto", "yes", "no", NULL};

const struct setting settings_table[] = {
	{"connections.uris", SETTING_LIST, "", 0, 0, NULL, N_("Connections"),
		N_("Hypervisors to open at the start, as libvirt URIs; none: the local ones that "
		   "answer.")},
	{"model.refresh", SETTING_NUMBER, "1", 0.1, 3600, NULL, N_("Refresh"),
		N_("Seconds between two samples of all figures.")},
	{"model.audit", SETTING_TEXT, "", 0, 0, NULL, N_("Audit log"),
		N_("File of the audit log; empty: lodge/audit.log in the state directory.")},
	{"model.audit-size", SETTING_NUMBER, "1048576", 4096, 1e9, NULL, N_("Audit log size"),
		N_("Bytes after which the audit log is rotated.")},
	{"ui.theme", SETTING_CHOICE, "yast", 0, 0, themes, N_("Theme"),
		N_("Colours of the console.")},
	{"ui.ascii", SETTING_CHOICE, "auto", 0, 0, auto_yes_no, N_("Pure ASCII"),
		N_("Draw lines and charts with ASCII only; auto: when the locale is not UTF-8.")},
	{"ui.mouse", SETTING_BOOL, "true", 0, 0, NULL, N_("Mouse"),
		N_("Let the mouse work in the console.")},
	{"ui.braille", SETTING_BOOL, "false", 0, 0, NULL, N_("Braille"),
		N_("For braille displays: the cursor stands on the focused item, nothing is told "
		   "by drawing.")},
	{"columns.guests", SETTING_LIST, "name;state;vcpus;cpu;memory;disk", 0, 0, NULL,
		N_("Columns"), N_("Columns of the table of guests, in their order.")},
	{.name = NULL},
};

struct settings {
	char *path;
	GKeyFile *user;
	GKeyFile *system;
	GError *broken; // why the user's file may not be written over
	bool changed;
};

const struct setting *setting_find(const char *name)
{
	for (const struct setting *setting = settings_table; setting->name; setting++)
		if (!strcmp(setting->name, name))
			return setting;
	return NULL;
}

// Splits "group.key"; false when it is not of that form.
static bool split(const char *name, char **group, char **key)
{
	const char *dot = strchr(name, '.');

	if (!dot || dot == name || !dot[1])
		return false;
	*group = g_strndup(name, (gsize)(dot - name));
	*key = g_strdup(dot + 1);
	return true;
}

// The kind of a name, also of the open groups; false for an unknown one.
static bool find_kind(const char *name, enum setting_kind *kind)
{
	static const struct {
		const char *prefix;
		enum setting_kind kind;
	} open[] = {
		{"keys.", SETTING_TEXT}, {"columns.", SETTING_LIST}, {"confirm.", SETTING_BOOL}};
	const struct setting *setting = setting_find(name);

	if (setting) {
		*kind = setting->kind;
		return true;
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(open); i++) {
		if (g_str_has_prefix(name, open[i].prefix) && name[strlen(open[i].prefix)]) {
			*kind = open[i].kind;
			return true;
		}
	}
	return false;
}

static bool load(GKeyFile *file, const char *path, GError **error)
{
	g_autoptr(GError) cause = NULL;
	GKeyFileFlags flags = G_KEY_FILE_KEEP_COMMENTS | G_KEY_FILE_KEEP_TRANSLATIONS;

	if (g_key_file_load_from_file(file, path, flags, &cause) ||
		g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT))
		return true;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_FAILED,
		_("Cannot read the settings in '%s': %s"), path, cause->message);
	return false;
}

struct settings *settings_load(const char *path, GError **error)
{
	struct settings *settings = g_new0(struct settings, 1);
	g_autoptr(GError) problem = NULL;

	settings->path =
		path ? g_strdup(path)
		     : g_build_filename(g_get_user_config_dir(), "lodge", "lodge.conf", NULL);
	settings->user = g_key_file_new();
	settings->system = g_key_file_new();
	load(settings->system, SYSCONFDIR "/lodge/lodge.conf", &problem);
	load(settings->user, settings->path, &settings->broken);
	if (settings->broken)
		g_propagate_error(error, g_error_copy(settings->broken));
	else if (problem)
		g_propagate_error(error, g_steal_pointer(&problem));
	return settings;
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	g_key_file_unref(settings->user);
	g_key_file_unref(settings->system);
	g_clear_error(&settings->broken);
	g_free(settings->path);
	g_free(settings);
}

const char *settings_path(const struct settings *settings)
{
	return settings->path;
}

static bool parse_bool(const char *text, bool *value)
{
	static const char *const yes[] = {"true", "yes", "on", "1", NULL};
	static const char *const no[] = {"false", "no", "off", "0", NULL};
	g_autofree char *lower = g_ascii_strdown(text, -1);

	*value = g_strv_contains(yes, g_strstrip(lower));
	return *value || g_strv_contains(no, lower);
}

static bool parse_number(const struct setting *setting, const char *text, double *value)
{
	char *end;

	*value = g_ascii_strtod(text, &end);
	if (end == text || end[strspn(end, " \t")] || *value != *value)
		return false;
	return !setting || (*value >= setting->least && *value <= setting->most);
}

// Whether the text is a value of that setting; says in a sentence why not.
static bool check(const char *name, const char *text, GError **error)
{
	const struct setting *setting = setting_find(name);
	enum setting_kind kind;
	bool truth;
	double number;

	if (!find_kind(name, &kind)) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE, _("There is no setting '%s'."),
			name);
		return false;
	}
	if (kind == SETTING_BOOL && !parse_bool(text, &truth)) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("The setting '%s' is true or false, not '%s'."), name, text);
		return false;
	}
	if (kind == SETTING_NUMBER && !parse_number(setting, text, &number)) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("The setting '%s' is a number from %g to %g, not '%s'."), name,
			setting->least, setting->most, text);
		return false;
	}
	if (kind == SETTING_CHOICE && !g_strv_contains(setting->choices, text)) {
		g_autofree char *choices = g_strjoinv(", ", (char **)setting->choices);

		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("The setting '%s' is one of %s, not '%s'."), name, choices, text);
		return false;
	}
	return true;
}

static char *lookup(GKeyFile *file, const char *name)
{
	g_autofree char *group = NULL;
	g_autofree char *key = NULL;
	g_autofree char *text = NULL;

	if (!split(name, &group, &key))
		return NULL;
	text = g_key_file_get_string(file, group, key, NULL);
	if (text && !check(name, g_strstrip(text), NULL))
		g_clear_pointer(&text, g_free);
	return g_steal_pointer(&text);
}

// The value as the file has it: lists still joined by semicolons.
static char *value_of(struct settings *settings, const char *name)
{
	const struct setting *setting = setting_find(name);
	char *text = lookup(settings->user, name);

	if (!text)
		text = lookup(settings->system, name);
	return text ? text : g_strdup(setting ? setting->fallback : NULL);
}

const char *settings_text(struct settings *settings, const char *name)
{
	g_autofree char *text = value_of(settings, name);

	return text ? g_intern_string(text) : NULL;
}

char **settings_list(struct settings *settings, const char *name)
{
	g_autofree char *text = value_of(settings, name);
	g_auto(GStrv) parts = g_strsplit(text ? text : "", ";", -1);
	g_autoptr(GStrvBuilder) list = g_strv_builder_new();

	for (unsigned i = 0; parts[i]; i++)
		if (*g_strstrip(parts[i]))
			g_strv_builder_add(list, parts[i]);
	return g_strv_builder_end(list);
}

double settings_number(struct settings *settings, const char *name)
{
	g_autofree char *text = value_of(settings, name);

	return text ? g_ascii_strtod(text, NULL) : 0;
}

bool settings_bool(struct settings *settings, const char *name)
{
	g_autofree char *text = value_of(settings, name);
	bool value = false;

	return text && parse_bool(text, &value) && value;
}

bool settings_confirm(struct settings *settings, const char *verb)
{
	g_autofree char *name = g_strconcat("confirm.", verb, NULL);
	g_autofree char *text = value_of(settings, name);
	bool value = true;

	return !text || !parse_bool(text, &value) || value;
}

bool settings_set(struct settings *settings, const char *name, const char *value, GError **error)
{
	g_autofree char *group = NULL;
	g_autofree char *key = NULL;

	if (!check(name, value ? value : "", value ? error : NULL) && value)
		return false;
	if (!split(name, &group, &key))
		return false;
	if (value)
		g_key_file_set_string(settings->user, group, key, value);
	else
		g_key_file_remove_key(settings->user, group, key, NULL);
	settings->changed = true;
	return true;
}

bool settings_set_list(
	struct settings *settings, const char *name, const char *const *values, GError **error)
{
	g_autofree char *joined = NULL;

	for (unsigned i = 0; values[i]; i++) {
		if (strchr(values[i], ';')) {
			g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
				_("'%s' cannot be kept in a list: it has a semicolon."), values[i]);
			return false;
		}
	}
	joined = g_strjoinv(";", (char **)values);
	return settings_set(settings, name, joined, error);
}

bool settings_changed(const struct settings *settings)
{
	return settings->changed;
}

bool settings_save(struct settings *settings, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(settings->path);
	g_autofree char *text = NULL;
	g_autoptr(GError) cause = NULL;
	gsize length;

	if (settings->broken) {
		g_propagate_error(error, g_error_copy(settings->broken));
		return false;
	}
	g_mkdir_with_parents(folder, 0700);
	text = g_key_file_to_data(settings->user, &length, NULL);
	if (!g_file_set_contents_full(settings->path, text, (gssize)length,
		    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, &cause)) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_FAILED,
			_("Cannot save the settings in '%s': %s"), settings->path, cause->message);
		return false;
	}
	settings->changed = false;
	return true;
}

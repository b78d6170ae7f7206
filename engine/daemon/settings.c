// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/settings.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#define SESSION_IDLE_S 300u

G_DEFINE_QUARK(lodge - settings - error, settings_error)

static bool fail(GError **error, const char *value, const char *expected)
{
	g_set_error(
		error, SETTINGS_ERROR, SETTINGS_ERROR_INVALID, "'%s' is not %s", value, expected);
	return false;
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool read_mode(const char *text, void *value, GError **error)
{
	char *end;
	gint64 mode = g_ascii_strtoll(text, &end, 8);

	/* A socket can be connected to by who can write to it. */
	if (!*text || *end || mode < 0 || mode > 0777)
		return fail(error, text, "a mode like 0660");
	*(mode_t *)value = (mode_t)mode;
	return true;
}

static bool read_group(const char *text, void *value, GError **error)
{
	const struct group *group = getgrnam(text);
	guint64 number;

	if (group)
		*(gid_t *)value = group->gr_gid;
	else if (g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT32, &number, NULL))
		*(gid_t *)value = (gid_t)number;
	else
		return fail(error, text, "a group of this host");
	return true;
}

/* Monitors look them up for themselves. */
static bool read_guest_group(const char *text, void *value, GError **error)
{
	gid_t group;

	if (!read_group(text, &group, error))
		return false;
	g_free(*(char **)value);
	*(char **)value = g_strdup(text);
	return true;
}

static bool read_guest_user(const char *text, void *value, GError **error)
{
	struct settings *settings = value;
	const struct passwd *user = getpwnam(text);
	guint64 number;

	if (!user && !g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT32, &number, NULL))
		return fail(error, text, "a user of this host");
	g_free(settings->guest_user);
	settings->guest_user = g_strdup(text);
	settings->guest_uid = user ? user->pw_uid : (uid_t)number;
	return true;
}

static bool read_folders(const char *text, void *value, GError **error)
{
	g_auto(GStrv) folders = g_strsplit(text, ":", -1);

	for (char **at = folders; *at; at++)
		if (!g_path_is_absolute(*at))
			return fail(error, *at, "an absolute path");
	g_strfreev(*(char ***)value);
	*(char ***)value = g_steal_pointer(&folders);
	return true;
}

static bool read_policy(const char *text, void *value, GError **error)
{
	static const char *const names[] = {
		[POLICY_ALLOW] = "allow",
		[POLICY_WARN] = "warn",
		[POLICY_REFUSE] = "refuse",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*(enum settings_policy *)value = (enum settings_policy)i;
		return true;
	}
	return fail(error, text, "allow, warn or refuse");
}

static bool read_number(const char *text, void *value, GError **error)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(text, 10, 0, 1000000, &number, NULL))
		return fail(error, text, "a number from 0 to 1000000");
	*(unsigned *)value = (unsigned)number;
	return true;
}

static const struct rule {
	const char *group, *key;
	size_t offset;
	bool (*read)(const char *text, void *value, GError **error);
} rules[] = {
	{"sockets", "mode", offsetof(struct settings, mode), read_mode},
	{"sockets", "read-only-mode", offsetof(struct settings, read_only_mode), read_mode},
	{"sockets", "group", offsetof(struct settings, group), read_group},
	{"paths", "allowed", offsetof(struct settings, allowed), read_folders},
	{"guests", "user", 0, read_guest_user},
	{"guests", "group", offsetof(struct settings, guest_group), read_guest_group},
	{"admission", "memory", offsetof(struct settings, memory), read_policy},
	{"admission", "memory-limit", offsetof(struct settings, memory_limit), read_number},
	{"admission", "vcpus", offsetof(struct settings, vcpus), read_policy},
	{"admission", "vcpus-limit", offsetof(struct settings, vcpus_limit), read_number},
	{"autostart", "delay", offsetof(struct settings, autostart_delay), read_number},
	{"idle", "timeout", offsetof(struct settings, idle_timeout), read_number},
};

/* ---- the file -------------------------------------------------------------------------------- */

static const struct rule *find_rule(const char *group, const char *key)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
		if (strcmp(rules[i].group, group) == 0 && strcmp(rules[i].key, key) == 0)
			return &rules[i];
	return NULL;
}

static bool read_key(struct settings *settings, GKeyFile *file, const char *group, const char *key,
	GError **error)
{
	const struct rule *rule = find_rule(group, key);
	g_autofree char *text = NULL;

	if (!rule) {
		g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_INVALID,
			"[%s] has no setting '%s'", group, key);
		return false;
	}
	text = g_key_file_get_string(file, group, key, error);
	if (!text)
		return false;
	if (rule->read(text, (char *)settings + rule->offset, error))
		return true;
	g_prefix_error(error, "[%s] %s: ", group, key);
	return false;
}

static bool read_group_of(
	struct settings *settings, GKeyFile *file, const char *group, GError **error)
{
	g_auto(GStrv) keys = g_key_file_get_keys(file, group, NULL, error);

	for (char **key = keys; key && *key; key++)
		if (!read_key(settings, file, group, *key, error))
			return false;
	return keys != NULL;
}

static bool read_file(struct settings *settings, const char *path, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) problem = NULL;
	g_auto(GStrv) groups = NULL;

	if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &problem)) {
		if (g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
			return true;
		g_propagate_error(error, g_steal_pointer(&problem));
		return false;
	}
	groups = g_key_file_get_groups(file, NULL);
	for (char **group = groups; *group; group++)
		if (!read_group_of(settings, file, *group, error))
			return false;
	return true;
}

struct settings *settings_read(const char *path, bool system, GError **error)
{
	struct settings *settings = g_new0(struct settings, 1);

	settings->mode = settings->read_only_mode = 0600;
	settings->group = (gid_t)-1;
	settings->guest_uid = (uid_t)-1;
	settings->memory = settings->vcpus = POLICY_WARN;
	settings->memory_limit = 100;
	settings->vcpus_limit = 800;
	settings->idle_timeout = system ? 0 : SESSION_IDLE_S;
	if (read_file(settings, path, error))
		return settings;
	g_prefix_error(error, "cannot use '%s': ", path);
	settings_free(settings);
	return NULL;
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	g_strfreev(settings->allowed);
	g_free(settings->guest_user);
	g_free(settings->guest_group);
	g_free(settings);
}

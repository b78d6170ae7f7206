// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * lodged.conf(5): what the host's administrator has decided, read once at the start. Plain data.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#define SETTINGS_ERROR settings_error_quark()
GQuark settings_error_quark(void);

enum settings_error {
	SETTINGS_ERROR_INVALID, /* an unknown group or key, or a value that cannot be */
};

/* What is done about more than the host has. */
enum settings_policy {
	POLICY_ALLOW,
	POLICY_WARN, /* done, and told */
	POLICY_REFUSE,
};

struct settings {
	mode_t mode, read_only_mode; /* of the sockets */
	gid_t group;                 /* of the sockets, or -1: the daemon's own */
	char **allowed;              /* folders that guests' files may be in; NULL: any */
	char *guest_user, *guest_group; /* that monitors become; NULL: the daemon's own */
	uid_t guest_uid;                /* the user's, or -1 */
	enum settings_policy memory, vcpus;
	unsigned memory_limit;    /* all guests' memory, per cent of the host's */
	unsigned vcpus_limit;     /* all guests' vCPUs, per cent of the host's CPUs */
	unsigned autostart_delay; /* seconds between two guests */
	unsigned idle_timeout;    /* seconds; 0: never */
};

/* Reads the file; one that is not there means the defaults, for which system says whose daemon it
 * is. Errors: SETTINGS_ERROR, G_KEY_FILE_ERROR, G_FILE_ERROR. */
struct settings *settings_read(const char *path, bool system, GError **error);
void settings_free(struct settings *settings);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * All guests the daemon knows, and what of them is on disk (see store.h for where). Main thread.
 * Errors are those of fault.h, or of GLib where a file could not be written.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/daemon/guest.h"
#include "engine/daemon/settings.h"
#include "engine/daemon/store.h"

/* What has happened to a guest. */
struct guest_event {
	int id; /* a virDomainEventID; it says what else counts: */
	/* LIFECYCLE: virDomainEventType and its detail. METADATA_CHANGE: virDomainMetadataType.
	 * IO_ERROR: virDomainEventIOErrorAction. TRAY_CHANGE: virDomainEventTrayChangeReason. */
	int type, detail;
	const char *alias;  /* DEVICE_*, MEMORY_DEVICE_SIZE_CHANGE, IO_ERROR, TRAY_CHANGE */
	/* METADATA_CHANGE: the URI or NULL. IO_ERROR: the image's path. LIFECYCLE: the name the
	 * guest had, where that is another one, or NULL. */
	const char *text;
	const char *reason; /* IO_ERROR: "enospc" or "" */
	uint64_t kib;       /* BALLOON_CHANGE, MEMORY_DEVICE_SIZE_CHANGE */
	const struct wire_parameter *parameters; /* TUNABLE, JOB_COMPLETED */
	unsigned parameter_count;
};

struct registry_events {
	void (*guest)(void *data, const struct guest *guest, const struct guest_event *event);
};

struct registry {
	const struct store *store;
	const struct settings *settings;
	const char *program; /* lodge-vmm */
	const struct registry_events *events;
	void *data;
	GPtrArray *guests;   /* struct guest, in the order they came */
	GHashTable *by_uuid; /* its text → struct guest */
	GHashTable *by_name;
	int last_id;
	struct cgroup *cgroup; /* or NULL: guests are in the daemon's own */
	struct autostart *autostart; /* the guests marked for autostart, until all are started */
};

struct registry *registry_new(const struct store *store, const struct settings *settings,
	const char *program, const struct registry_events *events, void *data);
/* Lets go of all guests; those that run go on. */
void registry_free(struct registry *registry);

/* Reads what is on disk, finds the guests that run, and starts those that are to be started, once
 * for each boot of the host. Files that cannot be used are left alone and reported by report. */
void registry_load(struct registry *registry, void (*report)(const char *sentence));

/* Does a guest run, or wait for its start? */
bool registry_is_busy(const struct registry *registry);

struct guest *registry_find_uuid(struct registry *registry, const unsigned char uuid[16]);
struct guest *registry_find_name(struct registry *registry, const char *name);
struct guest *registry_find_id(struct registry *registry, int id);
/* By the UUID of what a client sent. NULL sets the error. */
struct guest *registry_find(
	struct registry *registry, const struct wire_domain *domain, GError **error);

/* Adds a definition, or replaces the saved one of the guest with this UUID. */
struct guest *registry_define(struct registry *registry, const char *text, GError **error);
/* A guest without a saved definition, not yet started; one that does not run is used as it is. */
struct guest *registry_add_transient(struct registry *registry, const char *text, GError **error);
bool registry_undefine(struct registry *registry, struct guest *guest, GError **error);
bool registry_rename(
	struct registry *registry, struct guest *guest, const char *name, GError **error);
bool registry_set_autostart(
	struct registry *registry, struct guest *guest, bool autostart, GError **error);
/* Takes the definition as the saved one, on disk first. */
bool registry_save(struct registry *registry, struct guest *guest, struct definition *definition,
	GError **error);

/* Tells the clients. An IO_ERROR is told as IO_ERROR_REASON, too. */
void registry_tell_event(
	struct registry *registry, const struct guest *guest, const struct guest_event *event);
/* Of the lifecycle. */
void registry_tell(struct registry *registry, const struct guest *guest, int type, int detail);

/* For guest.c. */
int registry_next_id(struct registry *registry);
/* The guest has ended: frees it when nothing of it is saved. */
void registry_ended(struct registry *registry, struct guest *guest);

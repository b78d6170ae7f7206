// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Changes of a guest's definition, the running one, the saved one or both: first they are tried on
 * the definitions, then the monitor is asked for what it takes, and when it has done all of it the
 * definitions are changed. The changes of one guest follow each other. Main thread.
 *
 * affect is libvirt's VIR_DOMAIN_AFFECT_*, and may be 0: then it means the running guest where
 * there is one, else the saved definition.
 */
#pragma once

#include "engine/daemon/guest.h"

/* One request to the monitor. */
struct change_request {
	const char *name;
	JsonObject *members; /* or NULL */
	int fd;              /* or -1 */
	/* It is for the monitor's keeper: what that opens is the change's (opener.h), with these
	 * files (struct file; taken). Or NULL. */
	struct opener **opener;
	GPtrArray *files;
};

/* What a change is; the change itself belongs to the queue. */
struct change_ops {
	/* May be called often, on definitions that others have changed meanwhile. */
	definition_editor edit;
	/* Fills in the step-th request to the monitor; false: no more, or the error is set. NULL:
	 * the monitor need not know. Called before the running definition is changed. */
	bool (*request)(void *change, struct guest *guest, unsigned step,
		struct change_request *request, GError **error);
	/* What the monitor has answered to the step-th request; or NULL. */
	void (*answered)(void *change, unsigned step, JsonObject *answer);
	/* The running guest has been changed; or NULL. tell_saved: also when only the saved
	 * definition has. */
	void (*tell)(void *change, struct guest *guest);
	bool tell_saved;
	void (*free)(void *change);
};

/* Takes change; done may be called before it returns. */
void change_begin(struct guest *guest, unsigned affect, const struct change_ops *ops, void *change,
	guest_done done, void *data);
/* For guest.c: fails all that wait, when the guest is forgotten. */
void change_fail_all(struct guest *guest);

/* The definition that affect means, for who only looks; NULL sets the error. */
const struct definition *change_pick(const struct guest *guest, unsigned affect, GError **error);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A guest's share of the host's processors: weight and quotas in <cputune>, by libvirt's parameters
 * of the scheduler. Main thread.
 */
#pragma once

#include "engine/daemon/guest.h"
#include "engine/daemon/parameters.h"

/* How many there are. */
#define SCHEDULER_PARAMETERS 9

/* All of them in libvirt's order, added to parameters. live: with the usual values of what the
 * definition does not say, else 0 for that. */
void scheduler_read(
	const struct definition *definition, bool live, struct parameters *parameters);
/* By libvirt's parameters, in its ranges; 0 leaves a running guest's as it is, and takes it out of
 * the saved definition. I/O threads, which guests do not have, cannot be limited. */
void scheduler_set(struct guest *guest, unsigned affect, const struct wire_parameter *parameters,
	unsigned count, guest_done done, void *data);

/* <cputune> of a <domain>, made where it is missing. */
xmlNode *scheduler_put_cputune(xmlNode *root);
/* The event of changed parameters; clears them. */
void scheduler_tell(const struct guest *guest, struct parameters *parameters);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Devices that come, go and change, given as libvirt's device elements; in the running guest and in
 * the definitions, by affect as change.h has it. Main thread.
 */
#pragma once

#include "engine/daemon/guest.h"

void plug_attach(
	struct guest *guest, unsigned affect, const char *xml, guest_done done, void *data);
void plug_detach(
	struct guest *guest, unsigned affect, const char *xml, guest_done done, void *data);
void plug_detach_alias(
	struct guest *guest, unsigned affect, const char *alias, guest_done done, void *data);
/* affect may have VIR_DOMAIN_DEVICE_MODIFY_FORCE, too. */
void plug_update(
	struct guest *guest, unsigned affect, const char *xml, guest_done done, void *data);

/* A device of the running guest has gone; name is the control protocol's. Tells it, once. */
void plug_removed(struct guest *guest, const char *name);
/* The guest has not let go of a device. */
void plug_refused(struct guest *guest, const char *name);
/* A <memory> device has this much plugged now. */
void plug_count_added(struct guest *guest); /* from the definition, to guest->added */
void plug_resized(struct guest *guest, const char *alias, uint64_t kib);

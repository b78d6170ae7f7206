// SPDX-License-Identifier: GPL-3.0-or-later
/* What requests for disks and for network cards have in common. Main thread. */
#pragma once

#include "engine/vmm/control.h"
#include "engine/vmm/devices.h"

/* Reads "xml", which must be of this kind, and plugs it; ends the call. The answer's member of
 * this name is the device's. */
void control_plug(struct control_call *call, enum device_kind kind, const char *member);
/* Asks the guest to let the device go that the request's member names; ends the call when it has,
 * will not, or has had its time. */
void control_unplug(struct control_call *call, enum device_kind kind, const char *member);
/* The device that the request's member names; NULL: there is none, and the call has ended. */
struct device_slot *control_device(
	struct control_call *call, enum device_kind kind, const char *member);
/* A number of an object of the request, [0, max]; value is left alone where it is missing. */
bool control_amount(
	JsonObject *object, const char *name, uint64_t max, uint64_t *value, GError **error);

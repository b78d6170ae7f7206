// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Limits of disks (<iotune>) and network cards (<bandwidth>), by libvirt's typed parameters; in the
 * running guest and in the definitions, by affect as change.h has it. Main thread.
 */
#pragma once

#include "engine/daemon/guest.h"
#include "engine/daemon/parameters.h"

void limits_set_disk(struct guest *guest, unsigned affect, const char *disk,
	const struct wire_parameter *parameters, unsigned count, guest_done done, void *data);
/* All of libvirt's parameters; disk is its target or its image. */
bool limits_get_disk(const struct definition *definition, const char *disk,
	struct parameters *parameters, GError **error);

void limits_set_nic(struct guest *guest, unsigned affect, const char *nic,
	const struct wire_parameter *parameters, unsigned count, guest_done done, void *data);
bool limits_get_nic(const struct definition *definition, const char *nic,
	struct parameters *parameters, GError **error);
/* How many parameters there are of each. */
#define LIMITS_DISK_PARAMETERS 20
#define LIMITS_NIC_PARAMETERS 7

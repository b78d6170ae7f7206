// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the keeper keeps for each device that needs a program: what it is, and the program where it
 * runs. Disks of formats other than raw and of Ceph have a qemu-storage-daemon (block/storage.h),
 * network cards of type user a passt (net/passt_program.h); other devices are not here.
 *
 * Errors: G_IO_ERROR, sentences. Main thread.
 */
#pragma once

#include "engine/common/config.h"
#include "engine/vmm/keeper_wire.h"

struct keeper_devices;

/* Those of the definition, which outlives it. Takes the images that have been given (given.h). */
struct keeper_devices *keeper_devices_new(const struct machine_config *config);
/* Ends all programs. */
void keeper_devices_free(struct keeper_devices *devices);

/* A list of descriptors (int), which are closed with it. */
GArray *keeper_files_new(void);
void keeper_files_free(GArray *files);

/* The device that config (config_read_device(); taken) consists of; its program is started with
 * the first use. files, taken: none, or a disk's image and what that stands on, or a card's log. The
 * one of its name is replaced, if that was never used. owner:
 * whoever keeper_devices_forget() is called for; or NULL. The name, which belongs to the devices, or
 * NULL: it is in use, or needs no program. */
const char *keeper_devices_add(struct keeper_devices *devices, struct machine_config *config,
	GArray *files, const void *owner, GError **error);
/* Is there a disk, or a network card, of this name? */
bool keeper_devices_has(const struct keeper_devices *devices, bool disk, const char *name);
/* Starts its program, if it is a disk whose program has not been: so that what is wrong is said to
 * the trusted client. On an error the device is gone. */
bool keeper_devices_open(struct keeper_devices *devices, const char *name, GError **error);
/* What the owner has added and nobody has used ends. */
void keeper_devices_forget(struct keeper_devices *devices, const void *owner);

/* Carries out a request of the machine's process. A descriptor that the caller closes, or -1. */
int keeper_devices_answer(struct keeper_devices *devices, const struct keeper_request *request,
	struct keeper_answer *answer);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which other images an image stands on: its backing chain, as the headers of the images say. Who can
 * write to an image, a guest for one, can have it name any file of the host: nothing in it is
 * believed, and nothing opened here; who opens what is named judges it (files.h).
 *
 * qcow2: QEMU, docs/interop/qcow2.txt, "Header" and "Header extensions". QED: docs/interop/qed_spec.txt.
 * VMDK: VMware, Virtual Disk Format 5.0, "Hosted Sparse Extent Header", and where QEMU's block/vmdk.c
 * looks for the descriptor. Other formats name no files, or QEMU does not follow them.
 *
 * Any thread. Errors are those of fault.h.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Reads the header of the image of this format (libvirt's name; NULL: raw) that fd is, and which is
 * called path. *backing becomes the path of the image it stands on and *backing_format its format
 * (NULL: raw), for the caller to free; *backing is NULL where there is none. */
bool chain_next(int fd, const char *path, const char *format, char **backing,
	char **backing_format, GError **error);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A file's bytes to or from a client's stream. The file is read and written by a thread of its own:
 * a slow disk stops neither the daemon nor other clients. Main thread but for that.
 */
#pragma once

#include "engine/daemon/client.h"

/* Called when all is done and has worked; what the client sent is on the disk. */
typedef void (*transfer_done)(void *data);

/* Begins a stream in answer to call: length bytes from offset of the file, or all from there when
 * length is 0. upload: the client sends them; otherwise it gets them. Takes the file's descriptor.
 * data is freed by free_data when the transfer has ended; done may be NULL. False: the client has
 * left or has too many streams, and nothing was begun. */
bool transfer_begin(struct call *call, int file, uint64_t offset, uint64_t length, bool upload,
	transfer_done done, void *data, GDestroyNotify free_data);

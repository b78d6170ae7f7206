// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reading the file of a saved guest (format.h), as a stream. Nothing in it is believed: what is
 * damaged, cut off or made up is an error, with a sentence. Any one thread.
 *
 * Errors: STATE_ERROR, G_FILE_ERROR.
 */
#pragma once

#include "engine/vmm/memory.h"
#include "engine/vmm/save/format.h"

struct save_reader;

/* Reads the header and all records. fd is the caller's, and stays open until the reader is freed.
 */
struct save_reader *save_reader_open(int fd, GError **error);
void save_reader_free(struct save_reader *reader);

/* The records, which whoever they belong to takes out. */
struct state_in *save_reader_state(struct save_reader *reader);

/* Reads the rest, guest memory, into memory that is zero, or with NULL only looks at it. true: the
 * file is whole. */
bool save_read_memory(struct save_reader *reader, struct guest_memory *memory, GError **error);

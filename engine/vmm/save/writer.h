// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Writing the file of a saved guest (format.h), as a stream: to a file, a pipe, a socket. Any one
 * thread.
 */
#pragma once

#include "engine/vmm/memory.h"
#include "engine/vmm/save/state.h"

#include <stdatomic.h>

struct save_writer {
	int fd;          /* the caller's */
	bool plain_file; /* else nobody may be there who reads */
	uint64_t sections;
	uint32_t sum;
	/* For other threads: how many bytes of guest memory have been looked at, and whether it is
	 * to end with G_IO_ERROR_CANCELLED. */
	_Atomic uint64_t done;
	atomic_bool cancelled;
};

void save_writer_init(struct save_writer *writer, int fd);
/* Header and records. Errors: G_FILE_ERROR. */
bool save_write_records(struct save_writer *writer, const struct state_out *out, GError **error);
/* Nobody writes to memory meanwhile. */
bool save_write_memory(
	struct save_writer *writer, const struct guest_memory *memory, GError **error);
bool save_write_end(struct save_writer *writer, GError **error);

/* The parts of guest memory, by rising address: false after the last. */
bool save_region(const struct guest_memory *memory, unsigned number, uint64_t *address,
	uint8_t **at, uint64_t *size);

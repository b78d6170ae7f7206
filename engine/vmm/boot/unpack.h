// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Unpacking of compressed kernel payloads: legacy LZ4 frames (what Linux uses; lz4's
 * doc/lz4_Frame_format.md, "Legacy frame"), gzip, xz, zstd, or not compressed at all.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where unpacked bytes go, in order. The first piece is at least UNPACK_FIRST bytes long, unless
 * there are not so many. */
#define UNPACK_FIRST 65536u

struct unpack_sink {
	bool (*take)(struct unpack_sink *sink, const uint8_t *data, size_t length, GError **error);
	/*
	 * For formats whose blocks can be unpacked side by side; all NULL where they must be taken.
	 * room() and put() come after the first piece, from any thread and in any order:
	 * room() says where the bytes [offset, offset + length) of the whole may be unpacked to
	 * (NULL: elsewhere, the caller finds a place), and put() that they are at data, which is
	 * where room() said or elsewhere. took() ends it: length bytes were put in all.
	 */
	uint8_t *(*room)(struct unpack_sink *sink, uint64_t offset, size_t length);
	void (*put)(struct unpack_sink *sink, uint64_t offset, const uint8_t *data, size_t length);
	void (*took)(struct unpack_sink *sink, uint64_t length);
};

/* Memory for a short time, in large pages where the host has them: a kernel is packed in many
 * MiB, and a fault for each 4 KiB would be felt. */
void *unpack_scratch_new(size_t size);
void unpack_scratch_free(void *scratch, size_t size);

/* The most that is unpacked: a packed bomb ends here. */
#define UNPACK_MAX (1ull << 30)

/* Whether unpack() knows the format. */
bool unpack_known(const uint8_t *data, size_t length);

/* Errors: G_IO_ERROR_INVALID_DATA where the data are damaged or end too early, and the sink's. */
bool unpack(const uint8_t *data, size_t length, struct unpack_sink *sink, GError **error);

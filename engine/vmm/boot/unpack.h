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
};

/* The most that is unpacked: a packed bomb ends here. */
#define UNPACK_MAX (1ull << 30)

/* Whether unpack() knows the format. */
bool unpack_known(const uint8_t *data, size_t length);

/* Errors: G_IO_ERROR_INVALID_DATA where the data are damaged or end too early, and the sink's. */
bool unpack(const uint8_t *data, size_t length, struct unpack_sink *sink, GError **error);

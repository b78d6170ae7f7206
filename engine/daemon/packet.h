// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Packets of the wire protocol (wire.x), between bytes and structs. Nothing here knows clients or
 * guests. Any thread.
 *
 * What is decoded is allocated by the C library and freed by packet_free_value(); strings that are
 * put into a value to be encoded may come from g_malloc(), which is the same allocator.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/daemon/wire.h"

#define PACKET_ERROR packet_error_quark()
GQuark packet_error_quark(void);

enum packet_error {
	PACKET_ERROR_LENGTH,  /* the length is one that no packet has */
	PACKET_ERROR_HEADER,  /* not a header of this protocol */
	PACKET_ERROR_PAYLOAD, /* not the arguments of the call, or more than them */
};

/* One kind of value: how it is read and written, and its struct's size. NULL stands for none. */
struct packet_format {
	xdrproc_t xdr;
	size_t size;
};

/* For a struct wire_NAME. */
#define PACKET_FORMAT(name)                                                                        \
	&(const struct packet_format)                                                              \
	{                                                                                          \
		(xdrproc_t) xdr_##name, sizeof(struct name)                                        \
	}

/* A packet in a buffer; payload points into the buffer. */
struct packet {
	struct wire_header header;
	const uint8_t *payload;
	size_t payload_size;
};

/* Looks for a packet at the beginning of what has come so far. *used becomes the bytes it takes, or
 * 0 when it is not whole yet. Errors: PACKET_ERROR. */
bool packet_find(
	const uint8_t *bytes, size_t size, struct packet *packet, size_t *used, GError **error);

/* Reads the payload as a value of this format, in fresh memory (NULL for none); every length and
 * count in it is within the protocol's limits. Errors: PACKET_ERROR_PAYLOAD. */
bool packet_read_value(const struct packet *packet, const struct packet_format *format,
	void **value, GError **error);
void packet_free_value(const struct packet_format *format, void *value);
/* The same, for a value whose own memory belongs to somebody else. */
void packet_clear_value(const struct packet_format *format, void *value);

/* Appends a packet. False (and nothing appended) when the value is beyond the protocol's limits;
 * format and value are NULL for an empty payload. */
bool packet_append(GByteArray *bytes, const struct wire_header *header,
	const struct packet_format *format, const void *value);
/* The same with bytes as they are for a payload. */
bool packet_append_bytes(
	GByteArray *bytes, const struct wire_header *header, const void *payload, size_t size);

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/packet.h"

#include <stdlib.h>
#include <string.h>

G_DEFINE_QUARK(lodge - packet - error, packet_error)

static uint32_t get_u32(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return GUINT32_FROM_BE(value);
}

static void put_u32(uint8_t *bytes, uint32_t value)
{
	value = GUINT32_TO_BE(value);
	memcpy(bytes, &value, sizeof(value));
}

static bool read_header(const uint8_t *bytes, struct wire_header *header, GError **error)
{
	header->prog = get_u32(bytes);
	header->vers = get_u32(bytes + 4);
	header->procedure = (int)get_u32(bytes + 8);
	header->type = (wire_type)get_u32(bytes + 12);
	header->serial = get_u32(bytes + 16);
	header->status = (wire_status)get_u32(bytes + 20);
	if ((unsigned)header->type <= WIRE_REPLY_WITH_FDS &&
		(unsigned)header->status <= WIRE_CONTINUE)
		return true;
	g_set_error(error, PACKET_ERROR, PACKET_ERROR_HEADER,
		"a packet of type %u and status %u is none of this protocol", header->type,
		header->status);
	return false;
}

bool packet_find(
	const uint8_t *bytes, size_t size, struct packet *packet, size_t *used, GError **error)
{
	uint32_t length;

	*used = 0;
	if (size < WIRE_LENGTH_SIZE)
		return true;
	length = get_u32(bytes);
	if (length < WIRE_LENGTH_SIZE + WIRE_HEADER_SIZE ||
		length > WIRE_LENGTH_SIZE + WIRE_PACKET_MAX) {
		g_set_error(error, PACKET_ERROR, PACKET_ERROR_LENGTH,
			"a packet of %u bytes is none of this protocol", length);
		return false;
	}
	/* A wrong header is refused without waiting for its payload. */
	if (size < WIRE_LENGTH_SIZE + WIRE_HEADER_SIZE)
		return true;
	if (!read_header(bytes + WIRE_LENGTH_SIZE, &packet->header, error))
		return false;
	if (size < length)
		return true;
	packet->payload = bytes + WIRE_LENGTH_SIZE + WIRE_HEADER_SIZE;
	packet->payload_size = length - WIRE_LENGTH_SIZE - WIRE_HEADER_SIZE;
	*used = length;
	return true;
}

static bool decode(const struct packet *packet, const struct packet_format *format, void *value)
{
	XDR xdr;
	bool ok;

	xdrmem_create(&xdr, (char *)packet->payload, (u_int)packet->payload_size, XDR_DECODE);
	ok = format->xdr(&xdr, value) && xdr_getpos(&xdr) == packet->payload_size;
	xdr_destroy(&xdr);
	return ok;
}

bool packet_read_value(const struct packet *packet, const struct packet_format *format,
	void **value, GError **error)
{
	void *read = format ? calloc(1, format->size) : NULL;

	g_assert(read || !format);
	if (format ? decode(packet, format, read) : packet->payload_size == 0) {
		*value = read;
		return true;
	}
	packet_free_value(format, read);
	g_set_error(error, PACKET_ERROR, PACKET_ERROR_PAYLOAD,
		"the arguments of procedure %d cannot be read", packet->header.procedure);
	return false;
}

void packet_clear_value(const struct packet_format *format, void *value)
{
	if (format && value)
		xdr_free(format->xdr, value);
}

void packet_free_value(const struct packet_format *format, void *value)
{
	packet_clear_value(format, value);
	free(value);
}

static void append_header(GByteArray *bytes, const struct wire_header *header, size_t payload)
{
	uint8_t head[WIRE_LENGTH_SIZE + WIRE_HEADER_SIZE];
	const uint32_t words[] = {
		(uint32_t)(sizeof(head) + payload),
		header->prog,
		header->vers,
		(uint32_t)header->procedure,
		(uint32_t)header->type,
		header->serial,
		(uint32_t)header->status,
	};

	G_STATIC_ASSERT(sizeof(words) == sizeof(head));
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		put_u32(head + 4 * i, words[i]);
	g_byte_array_append(bytes, head, sizeof(head));
}

bool packet_append(GByteArray *bytes, const struct wire_header *header,
	const struct packet_format *format, const void *value)
{
	size_t payload = format ? xdr_sizeof(format->xdr, (void *)value) : 0;
	guint before = bytes->len;
	XDR xdr;
	bool ok;

	/* A size of 0 is how a value that breaks a limit shows: no value of ours is empty. */
	if ((format && !payload) || payload > WIRE_PACKET_MAX - WIRE_HEADER_SIZE)
		return false;
	append_header(bytes, header, payload);
	if (!format)
		return true;
	g_byte_array_set_size(bytes, bytes->len + (guint)payload);
	xdrmem_create(&xdr, (char *)bytes->data + bytes->len - payload, (u_int)payload, XDR_ENCODE);
	ok = format->xdr(&xdr, (void *)value);
	xdr_destroy(&xdr);
	if (!ok)
		g_byte_array_set_size(bytes, before);
	return ok;
}

bool packet_append_bytes(
	GByteArray *bytes, const struct wire_header *header, const void *payload, size_t size)
{
	if (size > WIRE_PACKET_MAX - WIRE_HEADER_SIZE)
		return false;
	append_header(bytes, header, size);
	g_byte_array_append(bytes, payload, (guint)size);
	return true;
}

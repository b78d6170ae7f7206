// SPDX-License-Identifier: GPL-3.0-or-later
// Packets of the wire protocol: a whole one of any procedure with any arguments, or any bytes.
#include "engine/daemon/packet.h"
#include "engine/daemon/procedure.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What could be read can be written; a text with a NUL in it ends there, so it may be less.
static void check_value(const struct procedure *procedure, const struct packet *packet)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GByteArray) again = g_byte_array_new();
	void *value = NULL;

	if (!packet_read_value(packet, procedure->args, &value, &error)) {
		g_assert(error->domain == PACKET_ERROR && !value);
		return;
	}
	g_assert(packet_append(again, &packet->header, procedure->args, value));
	g_assert(again->len <= WIRE_LENGTH_SIZE + WIRE_HEADER_SIZE + packet->payload_size);
	packet_free_value(procedure->args, value);
}

static void check(const uint8_t *bytes, size_t size)
{
	g_autoptr(GError) error = NULL;
	struct packet packet = { 0 };
	size_t used = 1;

	if (!packet_find(bytes, size, &packet, &used, &error)) {
		g_assert(error->domain == PACKET_ERROR && !used);
		return;
	}
	g_assert(used <= size);
	if (!used)
		return;
	for (int number = 1; number < 450; number++)
		if (procedure_find(number))
			check_value(procedure_find(number), &packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wire_header header = { WIRE_REMOTE_PROGRAM, WIRE_VERSION, 1, WIRE_CALL, 1, WIRE_OK };
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint32 length;

	check(data, size);
	g_assert(packet_append(bytes, &header, NULL, NULL));
	g_byte_array_append(bytes, data, (guint)size);
	length = GUINT32_TO_BE(bytes->len);
	memcpy(bytes->data, &length, sizeof(length));
	check(bytes->data, bytes->len);
	return 0;
}

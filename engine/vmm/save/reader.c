// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/save/reader.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <lz4.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define CHUNK_SIZE (SAVE_CHUNK_PAGES * MEMORY_PAGE_SIZE)

struct save_reader {
	int fd;
	uint64_t sections; /* read so far, with sum */
	uint32_t sum;
	struct save_section next; /* the header of the section whose content is next */
	struct state_in *state;
	uint8_t *buffer; /* for a chunk */
};

static bool damaged(const char *what, GError **error)
{
	g_set_error(error, STATE_ERROR, STATE_ERROR_DAMAGED, _("it is damaged (%s)"), what);
	return false;
}

static bool read_all(struct save_reader *reader, void *data, size_t length, GError **error)
{
	uint8_t *at = data;

	while (length) {
		ssize_t n = read(reader->fd, at, length);
		int code = errno;

		if (n > 0) {
			at += n;
			length -= (size_t)n;
		} else if (n == 0) {
			g_set_error_literal(
				error, STATE_ERROR, STATE_ERROR_DAMAGED, _("it ends too early"));
			return false;
		} else if (code != EINTR) {
			g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
				_("it cannot be read: %s"), g_strerror(code));
			return false;
		}
	}
	return true;
}

static bool read_header(struct save_reader *reader, GError **error)
{
	struct save_header header;

	if (!read_all(reader, &header, sizeof(header), error))
		return false;
	if (memcmp(header.magic, SAVE_MAGIC, sizeof(header.magic)) != 0) {
		g_set_error_literal(error, STATE_ERROR, STATE_ERROR_DAMAGED,
			_("it is no saved guest of this program"));
		return false;
	}
	if (header.checksum != (uint32_t)crc32_z(0, (const Bytef *)&header,
				       offsetof(struct save_header, checksum)))
		return damaged(_("header"), error);
	if (header.version == SAVE_VERSION)
		return true;
	g_set_error(error, STATE_ERROR, STATE_ERROR_VERSION,
		_("it was written by another version of this program (format %u, not %u)"),
		header.version, SAVE_VERSION);
	return false;
}

/* The header of the next section; the end's is not counted. */
static bool read_section(struct save_reader *reader, GError **error)
{
	struct save_section *section = &reader->next;

	if (!read_all(reader, section, sizeof(*section), error))
		return false;
	if (section->checksum != (uint32_t)crc32_z(0, (const Bytef *)section,
					 offsetof(struct save_section, checksum)) ||
		!memchr(section->name, 0, sizeof(section->name)))
		return damaged(_("the beginning of a section"), error);
	if (strcmp(section->name, SAVE_END) == 0)
		return true;
	reader->sections++;
	reader->sum = (uint32_t)crc32_z(
		reader->sum, (const Bytef *)&section->checksum, sizeof(section->checksum));
	return true;
}

static bool read_content(struct save_reader *reader, void *to, GError **error)
{
	if (!read_all(reader, to, reader->next.length, error))
		return false;
	if ((uint32_t)crc32_z(0, to, reader->next.length) == reader->next.content)
		return true;
	return damaged(reader->next.name, error);
}

static bool read_record(struct save_reader *reader, GError **error)
{
	g_autofree uint8_t *content = NULL;
	size_t length = reader->next.length;

	if (length > SAVE_RECORD_MAX)
		return damaged(reader->next.name, error);
	content = g_malloc(length + 1);
	return read_content(reader, content, error) &&
	       state_in_add(reader->state, reader->next.name,
		       g_bytes_new_take(g_steal_pointer(&content), length), error);
}

static bool is_record(const struct save_reader *reader)
{
	return strcmp(reader->next.name, SAVE_MEMORY) != 0 &&
	       strcmp(reader->next.name, SAVE_END) != 0;
}

static bool read_records(struct save_reader *reader, GError **error)
{
	if (!read_header(reader, error))
		return false;
	for (;;) {
		if (!read_section(reader, error))
			return false;
		if (!is_record(reader))
			return true;
		if (!read_record(reader, error))
			return false;
	}
}

struct save_reader *save_reader_open(int fd, GError **error)
{
	struct save_reader *reader = g_new0(struct save_reader, 1);

	reader->fd = fd;
	reader->state = state_in_new();
	reader->buffer = g_malloc(sizeof(struct save_chunk) + CHUNK_SIZE);
	if (read_records(reader, error))
		return reader;
	save_reader_free(reader);
	return NULL;
}

void save_reader_free(struct save_reader *reader)
{
	if (!reader)
		return;
	state_in_free(reader->state);
	g_free(reader->buffer);
	g_free(reader);
}

struct state_in *save_reader_state(struct save_reader *reader)
{
	return reader->state;
}

/* ---- memory ---- */

static bool unpack(const struct save_chunk *chunk, const uint8_t *from, size_t length, uint8_t *to,
	size_t size)
{
	if (chunk->packed)
		return LZ4_decompress_safe(
			       (const char *)from, (char *)to, (int)length, (int)size) == (int)size;
	if (length != size)
		return false;
	memcpy(to, from, size);
	return true;
}

static bool put_chunk(struct save_reader *reader, const struct save_chunk *chunk, size_t length,
	struct guest_memory *memory)
{
	uint64_t size = chunk->pages * MEMORY_PAGE_SIZE;
	void *to = memory_at(memory, chunk->address, size);

	if (!to || !unpack(chunk, reader->buffer + sizeof(*chunk), length, to, size))
		return false;
	memory_dirty(memory, chunk->address, size);
	return true;
}

static bool read_chunk(struct save_reader *reader, struct guest_memory *memory, GError **error)
{
	size_t length = reader->next.length;
	struct save_chunk chunk;

	if (length < sizeof(chunk) || length > sizeof(chunk) + CHUNK_SIZE)
		return damaged(SAVE_MEMORY, error);
	if (!read_content(reader, reader->buffer, error))
		return false;
	memcpy(&chunk, reader->buffer, sizeof(chunk));
	if (!chunk.pages || chunk.pages > SAVE_CHUNK_PAGES || chunk.packed > 1 ||
		chunk.address % MEMORY_PAGE_SIZE)
		return damaged(SAVE_MEMORY, error);
	return !memory || put_chunk(reader, &chunk, length - sizeof(chunk), memory) ||
	       damaged(SAVE_MEMORY, error);
}

static bool read_end(struct save_reader *reader, GError **error)
{
	struct save_end end;

	if (reader->next.length != sizeof(end))
		return damaged(SAVE_END, error);
	if (!read_content(reader, &end, error))
		return false;
	if (end.sections != reader->sections || end.sum != reader->sum)
		return damaged(SAVE_END, error);
	return true;
}

bool save_read_memory(struct save_reader *reader, struct guest_memory *memory, GError **error)
{
	while (strcmp(reader->next.name, SAVE_END) != 0) {
		if (strcmp(reader->next.name, SAVE_MEMORY) != 0)
			return damaged(reader->next.name, error);
		if (!read_chunk(reader, memory, error) || !read_section(reader, error))
			return false;
	}
	return read_end(reader, error);
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/save/writer.h"

#include "engine/vmm/save/format.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <limits.h>
#include <lz4.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define CHUNK_SIZE (SAVE_CHUNK_PAGES * MEMORY_PAGE_SIZE)

static bool is_cancelled(const struct save_writer *writer, GError **error)
{
	if (!atomic_load(&writer->cancelled))
		return false;
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _("it was cancelled"));
	return true;
}

/* How much may be written without waiting for somebody who reads (a pipe takes PIPE_BUF bytes when
 * it says that it takes any); 0: nothing now. */
static size_t room(const struct save_writer *writer, size_t length)
{
	struct pollfd fd = {.fd = writer->fd, .events = POLLOUT};

	if (writer->plain_file)
		return length;
	return poll(&fd, 1, 100) > 0 ? MIN(length, PIPE_BUF) : 0;
}

static bool write_all(struct save_writer *writer, const void *data, size_t length, GError **error)
{
	const uint8_t *at = data;

	while (length) {
		size_t part = room(writer, length);
		ssize_t n = part ? write(writer->fd, at, part) : -1;
		int code = part ? errno : EINTR;

		if (n > 0) {
			at += n;
			length -= (size_t)n;
		} else if (n < 0 && code == EINTR) {
			if (is_cancelled(writer, error))
				return false;
		} else {
			g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
				_("it cannot be written: %s"), g_strerror(n == 0 ? ENOSPC : code));
			return false;
		}
	}
	return true;
}

void save_writer_init(struct save_writer *writer, int fd)
{
	struct stat status;

	*writer = (struct save_writer){.fd = fd};
	writer->plain_file =
		fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode));
}

static bool write_section(struct save_writer *writer, const char *name, const void *data,
	size_t length, GError **error)
{
	struct save_section section = {.length = length};

	g_assert(strlen(name) < sizeof(section.name));
	memcpy(section.name, name, strlen(name));
	section.content = (uint32_t)crc32_z(0, data, length);
	section.checksum = (uint32_t)crc32_z(
		0, (const Bytef *)&section, offsetof(struct save_section, checksum));
	writer->sections++;
	writer->sum = (uint32_t)crc32_z(
		writer->sum, (const Bytef *)&section.checksum, sizeof(section.checksum));
	return write_all(writer, &section, sizeof(section), error) &&
	       write_all(writer, data, length, error);
}

bool save_write_records(struct save_writer *writer, const struct state_out *out, GError **error)
{
	struct save_header header = {.version = SAVE_VERSION};
	const uint8_t *data;
	const char *name;
	size_t length;

	memcpy(header.magic, SAVE_MAGIC, sizeof(header.magic));
	header.checksum = (uint32_t)crc32_z(
		0, (const Bytef *)&header, offsetof(struct save_header, checksum));
	if (!write_all(writer, &header, sizeof(header), error))
		return false;
	for (unsigned i = 0; (name = state_out_record(out, i, &data, &length)); i++)
		if (!write_section(writer, name, data, length, error))
			return false;
	return true;
}

/* A block of the region that comes and goes; one that is not there has no size. */
static bool block_at(const struct guest_memory *memory, uint64_t block, uint64_t *address,
	uint8_t **at, uint64_t *size)
{
	if (!memory->region || block >= memory->region_size >> MEMORY_BLOCK_SHIFT)
		return false;
	*address = memory->region_start + (block << MEMORY_BLOCK_SHIFT);
	*at = memory->region + (block << MEMORY_BLOCK_SHIFT);
	*size = memory->plugged[block] ? MEMORY_BLOCK_SIZE : 0;
	return true;
}

bool save_region(const struct guest_memory *memory, unsigned number, uint64_t *address,
	uint8_t **at, uint64_t *size)
{
	switch (number) {
	case 0:
		*address = 0;
		*at = memory->low;
		*size = memory->low_size;
		return true;
	case 1:
		*address = MEMORY_HIGH_START;
		*at = memory->high;
		*size = memory->high_size;
		return true;
	default:
		return block_at(memory, number - 2, address, at, size);
	}
}

static bool is_zero(const uint8_t *page)
{
	uint64_t first;

	memcpy(&first, page, sizeof(first));
	return !first && !memcmp(page, page + sizeof(first), MEMORY_PAGE_SIZE - sizeof(first));
}

/* buffer has room for a chunk that LZ4 has made larger. */
static bool write_chunk(struct save_writer *writer, uint64_t address, const uint8_t *at,
	uint32_t pages, uint8_t *buffer, GError **error)
{
	struct save_chunk chunk = {.address = address, .pages = pages, .packed = 1};
	int size = (int)(pages * MEMORY_PAGE_SIZE);
	int packed = LZ4_compress_default(
		(const char *)at, (char *)buffer + sizeof(chunk), size, LZ4_compressBound(size));

	if (packed <= 0 || packed >= size) {
		chunk.packed = 0;
		packed = size;
		memcpy(buffer + sizeof(chunk), at, (size_t)size);
	}
	memcpy(buffer, &chunk, sizeof(chunk));
	return write_section(writer, SAVE_MEMORY, buffer, sizeof(chunk) + (size_t)packed, error);
}

/* The run of pages that are not zero at offset, none longer than a chunk. */
static uint32_t run_at(const uint8_t *at, uint64_t offset, uint64_t size)
{
	uint64_t end = MIN(size, offset + CHUNK_SIZE);
	uint64_t last = offset;

	while (last < end && !is_zero(at + last))
		last += MEMORY_PAGE_SIZE;
	return (uint32_t)((last - offset) / MEMORY_PAGE_SIZE);
}

static bool write_region(struct save_writer *writer, uint64_t address, const uint8_t *at,
	uint64_t size, uint8_t *buffer, GError **error)
{
	for (uint64_t offset = 0; offset < size;) {
		uint32_t pages = run_at(at, offset, size);
		uint64_t step = MAX(pages, 1) * MEMORY_PAGE_SIZE;

		if (is_cancelled(writer, error))
			return false;
		if (pages &&
			!write_chunk(writer, address + offset, at + offset, pages, buffer, error))
			return false;
		offset += step;
		atomic_fetch_add(&writer->done, step);
	}
	return true;
}

bool save_write_memory(
	struct save_writer *writer, const struct guest_memory *memory, GError **error)
{
	g_autofree uint8_t *buffer =
		g_malloc(sizeof(struct save_chunk) + (size_t)LZ4_compressBound(CHUNK_SIZE));
	uint64_t address, size;
	uint8_t *at;

	for (unsigned i = 0; save_region(memory, i, &address, &at, &size); i++)
		if (!write_region(writer, address, at, size, buffer, error))
			return false;
	return true;
}

bool save_write_end(struct save_writer *writer, GError **error)
{
	struct save_end end = {.sections = writer->sections, .sum = writer->sum};

	return write_section(writer, SAVE_END, &end, sizeof(end), error);
}

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The file of a saved guest: bytes of it replaced. With its checksums as they were nothing but the
 * file as it was may be taken; with new ones, as somebody would write it who means harm, whatever
 * is taken must be a machine that works.
 *
 * The first byte says which; then each four bytes are a section, a place in it and a value.
 */
#include "config.h"

#include "engine/vmm/dev/pci.h"
#include "engine/vmm/save/parts.h"
#include "engine/vmm/save/save.h"
#include "engine/vmm/save/writer.h"
#include "tests/engine/savebox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A good file, in its sections. */
static uint8_t *good;
static size_t good_length;
static GArray *places; /* size_t: where each section begins */

static int write_good(void)
{
	struct savebox *box = savebox_new();
	g_autoptr(GRand) random = g_rand_new_with_seed(1);
	struct save_writer writer;
	struct state_out *out;
	int fd = memfd_create("good", MFD_CLOEXEC);

	savebox_shake(box, random);
	memset(box->parts->memory->low + 0x5000, 0x5a, 0x3000);
	out = savebox_save(box);
	save_writer_init(&writer, fd);
	g_assert(save_write_records(&writer, out, NULL));
	g_assert(save_write_memory(&writer, box->parts->memory, NULL));
	g_assert(save_write_end(&writer, NULL));
	state_out_free(out);
	savebox_free(box);
	return fd;
}

static void remove_files(void)
{
	savebox_end();
	g_free(good);
	g_array_unref(places);
}

static void set_up(void)
{
	struct save_section section;
	int fd;

	savebox_begin();
	atexit(remove_files);
	fd = write_good();
	good_length = (size_t)lseek(fd, 0, SEEK_END);
	good = g_malloc(good_length);
	g_assert(pread(fd, good, good_length, 0) == (ssize_t)good_length);
	close(fd);
	places = g_array_new(FALSE, FALSE, sizeof(size_t));
	for (size_t at = sizeof(struct save_header); at < good_length;) {
		memcpy(&section, good + at, sizeof(section));
		g_array_append_val(places, at);
		at += sizeof(section) + section.length;
	}
}

static uint32_t sum_of(const uint8_t *data, size_t length)
{
	return (uint32_t)crc32_z(0, data, length);
}

/* Makes all checksums right again. */
static void sign(uint8_t *file)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < places->len; i++) {
		uint8_t *at = file + g_array_index(places, size_t, i);
		struct save_section section;
		struct save_end end = {places->len - 1, sum};

		memcpy(&section, at, sizeof(section));
		if (i + 1 == places->len)
			memcpy(at + sizeof(section), &end, sizeof(end));
		section.content = sum_of(at + sizeof(section), section.length);
		memcpy(at, &section, sizeof(section));
		section.checksum = sum_of(at, offsetof(struct save_section, checksum));
		memcpy(at, &section, sizeof(section));
		sum = (uint32_t)crc32_z(
			sum, (const Bytef *)&section.checksum, sizeof(section.checksum));
	}
}

/* Content alone, so that the sections stay where they are. */
static void change(uint8_t *file, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 4 <= size; i += 4) {
		uint8_t *at = file + g_array_index(places, size_t, data[i] % places->len);
		struct save_section section;

		memcpy(&section, at, sizeof(section));
		if (section.length)
			at[sizeof(section) + (data[i + 1] | data[i + 2] << 8) % section.length] =
				data[i + 3];
	}
}

static int open_bytes(const uint8_t *bytes, size_t length)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	g_assert(write(fd, bytes, length) == (ssize_t)length);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* The machine as it goes on, for a moment. */
static void use(struct savebox *box)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(2);
	struct state_out *out;

	g_mutex_lock(&box->parts->lock->mutex);
	clock_resume(box->parts->clock);
	pci_bus_freeze(box->parts->pci, false);
	g_mutex_unlock(&box->parts->lock->mutex);
	for (unsigned i = 0; i < 4; i++)
		g_main_context_iteration(NULL, FALSE);
	savebox_shake(box, random);
	g_mutex_lock(&box->parts->lock->mutex);
	clock_pause(box->parts->clock);
	g_mutex_unlock(&box->parts->lock->mutex);
	out = savebox_save(box);
	state_out_free(out);
}

static void restore(int fd)
{
	struct save_reader *reader = save_reader_open(fd, NULL);
	struct savebox *box = reader ? savebox_new() : NULL;
	g_autoptr(GError) error = NULL;

	if (reader && save_check(save_reader_state(reader), box->config, NULL)) {
		g_free(save_definition(save_reader_state(reader), NULL));
		if (save_restore(box->parts, reader, &error))
			use(box);
		else
			g_assert(error && *error->message);
	}
	savebox_free(box);
	save_reader_free(reader);
}

/* Any bytes, or the good file with some replaced and its checksums left. */
static void read_only(const uint8_t *data, size_t size)
{
	g_autofree uint8_t *file = g_memdup2(good, good_length);
	struct save_reader *reader;
	bool whole, same;
	int fd;

	for (size_t i = 1; i + 3 <= size; i += 3)
		file[(data[i] | data[i + 1] << 8) % good_length] ^= data[i + 2];
	same = memcmp(file, good, good_length) == 0;
	fd = size % 2 ? open_bytes(data, size) : open_bytes(file, good_length);
	reader = save_reader_open(fd, NULL);
	whole = reader && save_read_memory(reader, NULL, NULL);
	g_assert(whole == (size % 2 == 0 && same));
	save_reader_free(reader);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree uint8_t *file = NULL;
	int fd;

	if (!good)
		set_up();
	if (!size)
		return 0;
	if (data[0] >= 32) {
		read_only(data, size);
		return 0;
	}
	file = g_memdup2(good, good_length);
	/* Few at a time, or nothing gets further than the first record. */
	change(file, data + 1, MIN(size - 1, 4u * (1 + data[0] % 4)));
	sign(file);
	fd = open_bytes(file, good_length);
	restore(fd);
	close(fd);
	return 0;
}

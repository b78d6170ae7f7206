// SPDX-License-Identifier: GPL-3.0-or-later
/* What is kept of a machine: every field table, a machine's records, and the file they lie in. */
#include <config.h>

#include "engine/vmm/save/parts.h"
#include "engine/vmm/save/reader.h"
#include "engine/vmm/save/writer.h"
#include "engine/vmm/dev/rtc.h"
#include "tests/engine/savebox.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static GRand *chance;

static int begin(void **state)
{
	uint32_t seed = g_random_int();

	savebox_begin();
	print_message("seed %u\n", seed);
	chance = g_rand_new_with_seed(seed);
	return 0;
}

static int end(void **state)
{
	savebox_end();
	g_rand_free(chance);
	return 0;
}

/* ---- field tables --------------------------------------------------- */

static uint64_t any(uint64_t min, uint64_t max)
{
	uint64_t value = (uint64_t)g_rand_int(chance) << 32 | g_rand_int(chance);

	return max - min == UINT64_MAX ? value : min + value % (max - min + 1);
}

static uint64_t most(const struct field *field)
{
	uint64_t fits = field->size >= 8 ? UINT64_MAX : (1ull << field->size * 8) - 1;

	return field->kind == FIELD_KIND_FLAG ? 1 : MIN(field->max, fits);
}

/* Random bytes as the table allows them, encoded. */
static void make_up(const struct field *fields, GByteArray *to)
{
	for (const struct field *field = fields; field->name; field++)
		for (size_t i = 0; i < field->count; i++) {
			uint64_t value = any(field->min, most(field));

			if (field->kind == FIELD_KIND_STRUCT)
				make_up(field->fields, to);
			else if (field->kind != FIELD_KIND_BYTES)
				g_byte_array_append(to, (uint8_t *)&value, (guint)field->size);
			for (size_t j = 0; field->kind == FIELD_KIND_BYTES && j < field->size; j++)
				g_byte_array_append(to, (uint8_t[]){(uint8_t)any(0, 255)}, 1);
		}
}

static size_t struct_size(const struct field *fields)
{
	size_t size = 0;

	for (const struct field *field = fields; field->name; field++)
		size = MAX(size, field->offset + field->size * field->count);
	return size;
}

static void assert_goes_round(const struct field *fields)
{
	GByteArray *made_up = g_byte_array_new(), *again = g_byte_array_new();
	g_autofree void *at = g_aligned_alloc0(1, struct_size(fields) + 64, 64);

	make_up(fields, made_up);
	assert_int_equal(made_up->len, fields_length(fields));
	assert_null(fields_decode(fields, made_up->data, at));
	fields_encode(fields, at, again);
	assert_int_equal(again->len, made_up->len);
	assert_memory_equal(again->data, made_up->data, again->len);
	g_byte_array_unref(made_up);
	g_byte_array_unref(again);
	g_aligned_free(g_steal_pointer(&at));
}

/* One past what a top-level field may be is refused by its name, and changes nothing. */
static unsigned assert_ranges_hold(const struct field *fields)
{
	size_t size = struct_size(fields);
	g_autofree uint8_t *at = g_malloc0(size), *zero = g_malloc0(size);
	GByteArray *made_up = g_byte_array_new();
	unsigned ranges = 0;
	size_t place = 0;

	make_up(fields, made_up);
	for (const struct field *field = fields; field->name; field++) {
		uint64_t over = most(field) + 1, kept = 0;
		size_t element = field->kind == FIELD_KIND_STRUCT ? fields_length(field->fields)
								  : field->size;

		if ((field->kind == FIELD_KIND_INTEGER || field->kind == FIELD_KIND_FLAG) && over &&
			(element == 8 || over >> element * 8 == 0)) {
			memcpy(&kept, made_up->data + place, element);
			memcpy(made_up->data + place, &over, element);
			assert_string_equal(fields_decode(fields, made_up->data, at), field->name);
			assert_memory_equal(at, zero, size);
			memcpy(made_up->data + place, &kept, element);
			ranges++;
		}
		place += element * field->count;
	}
	g_byte_array_unref(made_up);
	return ranges;
}

static void every_table_goes_round(void **state)
{
	struct savebox *box = savebox_new();
	struct state_out *out = savebox_save(box);
	unsigned tables = 0, ranges = 0;
	const uint8_t *data;
	size_t length;

	for (unsigned i = 0; state_out_record(out, i, &data, &length); i++) {
		const struct field *fields = state_out_fields(out, i);

		if (!fields)
			continue;
		for (unsigned j = 0; j < 20; j++)
			assert_goes_round(fields);
		ranges += assert_ranges_hold(fields);
		tables++;
	}
	assert_true(tables >= 40);
	assert_true(ranges >= 60);
	state_out_free(out);
	savebox_free(box);
}

static void tables_are_told_apart(void **state)
{
	struct one {
		uint8_t a, b;
		uint16_t c[2];
	};
	const struct field two[] = {FIELD(struct one, a), FIELD(struct one, b), FIELD_END};
	const struct field other_order[] = {FIELD(struct one, b), FIELD(struct one, a), FIELD_END};
	const struct field array[] = {FIELD_ARRAY(struct one, c), FIELD_END};
	const struct field bytes[] = {FIELD_BYTES(struct one, c), FIELD_END};
	const struct field range[] = {
		FIELD_RANGE(struct one, a, 1, 2), FIELD(struct one, b), FIELD_END};

	assert_int_not_equal(fields_layout(two), fields_layout(other_order));
	assert_int_not_equal(fields_layout(array), fields_layout(bytes));
	assert_int_equal(fields_layout(two), fields_layout(range));
}

/* ---- a machine's records -------------------------------------------- */

/* The clock chip is kept as a difference to the host's clock, which goes on meanwhile. */
static bool is_compared(const char *name)
{
	return strcmp(name, "rtc.0") != 0;
}

static void assert_same(const struct state_out *a, const struct state_out *b)
{
	const uint8_t *data, *other;
	size_t length, other_length;
	const char *name;
	unsigned i;

	for (i = 0; (name = state_out_record(a, i, &data, &length)); i++) {
		assert_string_equal(name, state_out_record(b, i, &other, &other_length));
		if (is_compared(name) &&
			(length != other_length || (length && memcmp(data, other, length) != 0)))
			fail_msg("'%s' is not what it was", name);
	}
	assert_null(state_out_record(b, i, &data, &length));
}

static void a_machine_comes_out_as_it_went_in(void **state)
{
	for (unsigned i = 0; i < 40; i++) {
		struct savebox *first = savebox_new(), *second = savebox_new();
		struct state_out *saved, *again;
		struct state_in *in;
		g_autoptr(GError) error = NULL;

		savebox_shake(first, chance);
		saved = savebox_save(first);
		in = savebox_turn(saved);
		assert_true(save_check(in, second->config, &error));
		g_free(save_definition(in, NULL));
		if (!load_blocks(second->parts, in, &error) ||
			!load_parts(second->parts, in, &error))
			fail_msg("%s", error->message);
		again = savebox_save(second);
		assert_same(saved, again);
		state_out_free(saved);
		state_out_free(again);
		state_in_free(in);
		savebox_free(first);
		savebox_free(second);
	}
}

/* One record that is missing, or one too many, is an error. */
static void each_record_is_needed(void **state)
{
	struct savebox *box = savebox_new();
	struct state_out *out = savebox_save(box);
	const uint8_t *data;
	const char *name;
	size_t length;

	for (unsigned i = 5; (name = state_out_record(out, i, &data, &length)); i++) {
		struct savebox *other = savebox_new();
		struct state_in *in = savebox_turn(out);
		g_autoptr(GError) error = NULL;
		g_auto(GStrv) parts = g_strsplit(name, ".", 2);

		assert_true(save_check(in, other->config, &error));
		g_free(save_definition(in, NULL));
		assert_true(load_blocks(other->parts, in, &error));
		g_bytes_unref(state_get_bytes(in, parts[0], (unsigned)atoi(parts[1]), NULL));
		if (i % 2) {
			assert_false(load_parts(other->parts, in, &error));
		} else {
			state_in_add(in, name, g_bytes_new(data, length), NULL);
			state_in_add(in, "stranger.0", g_bytes_new("", 0), NULL);
			assert_false(load_parts(other->parts, in, &error));
			assert_non_null(strstr(error->message, "stranger"));
		}
		state_in_free(in);
		savebox_free(other);
	}
	state_out_free(out);
	savebox_free(box);
}

static void the_clock_chip_goes_with_the_host(void **state)
{
	struct savebox *box = savebox_new();
	struct state_out *out = state_out_new();
	struct state_in *in;
	int64_t offset;

	rtc_save(box->parts->rtc, 1000000, out);
	offset = rtc_get_state(box->parts->rtc)->offset;
	in = savebox_turn(out);
	assert_true(rtc_load(box->parts->rtc, 1000500, in, NULL));
	assert_int_equal(rtc_get_state(box->parts->rtc)->offset, offset + 500);
	state_in_free(in);
	state_out_free(out);
	savebox_free(box);
}

/* ---- the file ------------------------------------------------------- */

/* Memory of all kinds: zero, the same over and over, noise. */
static void fill_memory(struct guest_memory *memory)
{
	for (uint64_t at = 0; at < memory->low_size; at += MEMORY_PAGE_SIZE) {
		int kind = g_rand_int_range(chance, 0, 6);

		if (kind == 0)
			memset(memory->low + at, (int)any(1, 255), MEMORY_PAGE_SIZE);
		for (unsigned i = 0; kind == 1 && i < MEMORY_PAGE_SIZE; i++)
			memory->low[at + i] = (uint8_t)any(0, 255);
		if (kind == 2)
			memory->low[at + MEMORY_PAGE_SIZE - 1] = 1;
	}
}

static int write_file(struct savebox *box)
{
	struct state_out *out = savebox_save(box);
	struct save_writer writer;
	int fd = memfd_create("saved", MFD_CLOEXEC);

	save_writer_init(&writer, fd);
	assert_true(save_write_records(&writer, out, NULL));
	assert_true(save_write_memory(&writer, box->parts->memory, NULL));
	assert_true(save_write_end(&writer, NULL));
	assert_int_equal(atomic_load(&writer.done), SAVEBOX_MEMORY);
	state_out_free(out);
	return fd;
}

/* NULL: it is whole; else why not. */
static char *read_file(int fd, struct guest_memory *memory)
{
	g_autoptr(GError) error = NULL;
	struct save_reader *reader;
	bool ok;

	lseek(fd, 0, SEEK_SET);
	reader = save_reader_open(fd, &error);
	ok = reader && save_read_memory(reader, memory, &error);
	save_reader_free(reader);
	assert_int_equal(ok, !error);
	return ok ? NULL : g_strdup(error->message);
}

static void memory_comes_out_as_it_went_in(void **state)
{
	struct savebox *box = savebox_new();
	struct guest_memory *memory = memory_new(SAVEBOX_MEMORY, NULL);
	int fd;

	memory_clear(box->parts->memory);
	fill_memory(box->parts->memory);
	fd = write_file(box);
	assert_null(read_file(fd, memory));
	assert_memory_equal(memory->low, box->parts->memory->low, SAVEBOX_MEMORY);
	memory_free(memory);
	close(fd);
	savebox_free(box);
}

static void assert_refused(int fd, const char *how, size_t at)
{
	g_autofree char *why = read_file(fd, NULL);

	if (!why)
		fail_msg("%s at %zu was not found", how, at);
}

static void any_damage_is_found(void **state)
{
	struct savebox *box = savebox_new();
	int fd;
	off_t length;

	memory_clear(box->parts->memory);
	fill_memory(box->parts->memory);
	fd = write_file(box);
	length = lseek(fd, 0, SEEK_END);
	for (unsigned i = 0; i < 400; i++) {
		/* Half of them in the records, which are a small part of it. */
		off_t at = (off_t)any(0, (uint64_t)(i % 2 ? length : MIN(length, 30000)) - 1);
		uint8_t byte, other;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		other = byte ^ (uint8_t)(1u << any(0, 7));
		assert_int_equal(pwrite(fd, &other, 1, at), 1);
		assert_refused(fd, "a bit turned", (size_t)at);
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	for (unsigned i = 0; i < 200; i++) {
		off_t at = (off_t)any(0, (uint64_t)length - 1);

		assert_int_equal(ftruncate(fd, i % 4 ? at : length - 1 - (off_t)i), 0);
		assert_refused(fd, "an early end", (size_t)at);
		close(fd);
		fd = write_file(box);
		length = lseek(fd, 0, SEEK_END);
	}
	assert_null(read_file(fd, NULL));
	close(fd);
	savebox_free(box);
}

/* Sections that are whole but not where they were. */
static void a_section_moved_is_found(void **state)
{
	struct savebox *box = savebox_new();
	int fd = write_file(box), other = memfd_create("moved", MFD_CLOEXEC);
	off_t length = lseek(fd, 0, SEEK_END);
	g_autofree uint8_t *all = g_malloc((size_t)length);
	struct save_section section;
	size_t first = sizeof(struct save_header), second;

	assert_int_equal(pread(fd, all, (size_t)length, 0), length);
	memcpy(&section, all + first, sizeof(section));
	second = first + sizeof(section) + section.length;
	/* Without the first. */
	assert_int_equal(pwrite(other, all, first, 0), first);
	assert_int_equal(pwrite(other, all + second, (size_t)length - second, (off_t)first),
		(ssize_t)((size_t)length - second));
	assert_refused(other, "a section left out", 0);
	/* With the first twice. */
	assert_int_equal(pwrite(other, all, second, 0), second);
	assert_int_equal(pwrite(other, all + first, (size_t)length - first, (off_t)second),
		(ssize_t)((size_t)length - first));
	assert_refused(other, "a section doubled", 0);
	close(fd);
	close(other);
	savebox_free(box);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_table_goes_round),
		cmocka_unit_test(tables_are_told_apart),
		cmocka_unit_test(a_machine_comes_out_as_it_went_in),
		cmocka_unit_test(each_record_is_needed),
		cmocka_unit_test(the_clock_chip_goes_with_the_host),
		cmocka_unit_test(memory_comes_out_as_it_went_in),
		cmocka_unit_test(any_damage_is_found),
		cmocka_unit_test(a_section_moved_is_found),
	};

	return cmocka_run_group_tests(tests, begin, end);
}

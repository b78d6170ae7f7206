// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How fast a guest's memory is saved to a file, with it on the disk at the end, and read again: MB
 * of guest memory a second, the median of three, for memory of different kinds.
 */
#include <config.h>

#include "engine/vmm/save/reader.h"
#include "engine/vmm/save/writer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY (512ull << 20)
#define RUNS 3

struct kind {
	const char *name;
	void (*fill)(uint8_t *page, uint64_t number);
};

static void fill_text(uint8_t *page, uint64_t number)
{
	for (unsigned i = 0; i < MEMORY_PAGE_SIZE; i += 32)
		snprintf((char *)page + i, 32, "%016lx %04x lodge", number * 7919, i);
}

static void fill_noise(uint8_t *page, uint64_t number)
{
	uint64_t x = number * 0x9e3779b97f4a7c15 + 1;

	for (unsigned i = 0; i < MEMORY_PAGE_SIZE; i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(page + i, &x, 8);
	}
}

/* As a guest has it: a half never touched, the rest mostly code and data. */
static void fill_mixed(uint8_t *page, uint64_t number)
{
	if (number % 512 < 256)
		return;
	if (number % 8 == 0)
		fill_noise(page, number);
	else
		fill_text(page, number);
}

static const struct kind kinds[] = {
	{"text", fill_text},
	{"noise", fill_noise},
	{"mixed", fill_mixed},
};

static double seconds(void)
{
	return (double)g_get_monotonic_time() / G_USEC_PER_SEC;
}

static double save(int fd, const struct guest_memory *memory)
{
	struct state_out *nothing = state_out_new();
	struct save_writer writer;
	double begin = seconds();

	g_assert(ftruncate(fd, 0) == 0);
	lseek(fd, 0, SEEK_SET);
	save_writer_init(&writer, fd);
	g_assert(save_write_records(&writer, nothing, NULL));
	g_assert(save_write_memory(&writer, memory, NULL));
	g_assert(save_write_end(&writer, NULL));
	fsync(fd);
	state_out_free(nothing);
	return seconds() - begin;
}

static double restore(int fd)
{
	struct guest_memory *memory = memory_new(MEMORY, NULL);
	double begin = seconds();
	struct save_reader *reader;

	lseek(fd, 0, SEEK_SET);
	reader = save_reader_open(fd, NULL);
	g_assert(reader && save_read_memory(reader, memory, NULL));
	begin = seconds() - begin;
	save_reader_free(reader);
	memory_free(memory);
	return begin;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double rate(double *times)
{
	qsort(times, RUNS, sizeof(*times), compare);
	return (double)MEMORY / 1e6 / times[RUNS / 2];
}

static void measure(const struct kind *kind, int fd)
{
	struct guest_memory *memory = memory_new(MEMORY, NULL);
	double out[RUNS], in[RUNS];
	struct stat status;

	for (uint64_t i = 0; i < MEMORY / MEMORY_PAGE_SIZE; i++)
		kind->fill(memory->low + i * MEMORY_PAGE_SIZE, i);
	for (unsigned i = 0; i < RUNS; i++) {
		out[i] = save(fd, memory);
		in[i] = restore(fd);
	}
	fstat(fd, &status);
	printf("%-8s save %6.0f MB/s  restore %6.0f MB/s  file %5.1f %% of memory\n", kind->name,
		rate(out), rate(in), 100.0 * (double)status.st_size / (double)MEMORY);
	memory_free(memory);
}

int main(void)
{
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp("lodge-bench-XXXXXX", &path, NULL);

	g_assert(fd >= 0);
	unlink(path);
	printf("saving and restoring %llu MiB of guest memory\n", MEMORY >> 20);
	for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
		measure(&kinds[i], fd);
	close(fd);
	return 0;
}

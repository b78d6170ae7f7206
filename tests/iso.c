// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/iso.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <glib.h>
#include <stdbool.h>
#include <string.h>

/* Sectors: 16 is the primary volume descriptor, 17 ends the descriptors (ECMA-119, 6.7.1). */
#define SECTOR 2048u
#define DESCRIPTOR 16u
#define TERMINATOR 17u
#define PATH_TABLE 18u
#define ROOT 19u
#define FILE_DATA 20u
#define SECTORS 32u

#define FILE_NAME "HELLO.TXT;1"

/* 7.3.3: both byte orders. */
static void put_both32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = at[7 - i] = (uint8_t)(value >> 8 * i);
}

static void put_both16(uint8_t *at, uint16_t value)
{
	at[0] = at[3] = (uint8_t)value;
	at[1] = at[2] = (uint8_t)(value >> 8);
}

/* 9.1; the record's length. */
static size_t put_record(uint8_t *at, uint32_t sector, uint32_t length, bool folder,
	const char *name, size_t name_length)
{
	size_t size = (33 + name_length + 1) & ~(size_t)1;

	at[0] = (uint8_t)size;
	put_both32(at + 2, sector);
	put_both32(at + 10, length);
	memcpy(at + 18, (const uint8_t[]){126, 11, 23, 12, 0, 0, 0}, 7);
	at[25] = folder ? 2 : 0;
	put_both16(at + 28, 1);
	at[32] = (uint8_t)name_length;
	memcpy(at + 33, name, name_length);
	return size;
}

/* 8.4 */
static void put_descriptor(uint8_t *at, const char *volume)
{
	memcpy(at, "\1CD001\1", 7);
	memset(at + 8, ' ', 64);
	memcpy(at + 40, volume, strlen(volume));
	put_both32(at + 80, SECTORS);
	put_both16(at + 120, 1);
	put_both16(at + 124, 1);
	put_both16(at + 128, SECTOR);
	put_both32(at + 132, 10);
	at[140] = PATH_TABLE;
	put_record(at + 156, ROOT, SECTOR, true, "\0", 1);
	memset(at + 190, ' ', 623);
	at[881] = 1;
}

static void put_folder(uint8_t *at, uint32_t file_length)
{
	at += put_record(at, ROOT, SECTOR, true, "\0", 1);
	at += put_record(at, ROOT, SECTOR, true, "\1", 1);
	put_record(at, FILE_DATA, file_length, false, FILE_NAME, strlen(FILE_NAME));
}

void iso_write(const char *path, const char *volume, const char *text)
{
	g_autofree uint8_t *image = g_malloc0(SECTORS * SECTOR);

	assert_true(strlen(volume) <= 32 && strlen(text) <= SECTOR);
	put_descriptor(image + DESCRIPTOR * SECTOR, volume);
	memcpy(image + TERMINATOR * SECTOR, "\377CD001\1", 7);
	memcpy(image + PATH_TABLE * SECTOR, "\1\0\23\0\0\0\1\0\0\0", 10);
	put_folder(image + ROOT * SECTOR, (uint32_t)strlen(text));
	memcpy(image + FILE_DATA * SECTOR, text, strlen(text));
	assert_true(g_file_set_contents(path, (char *)image, SECTORS * SECTOR, NULL));
}

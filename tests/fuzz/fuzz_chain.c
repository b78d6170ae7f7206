// SPDX-License-Identifier: GPL-3.0-or-later
// Headers of images: a qcow2 one with a backing file that is changed in any places, or any bytes.
#include "config.h"

#include "engine/daemon/chain.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE 1024u
#define NAME_AT 160u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put32(uint8_t *bytes, size_t at, uint32_t value)
{
	value = GUINT32_TO_BE(value);
	memcpy(bytes + at, &value, sizeof(value));
}

// As qemu-img 7.2 writes it, without the tables.
static void make_qcow2(uint8_t *bytes)
{
	memset(bytes, 0, SIZE);
	put32(bytes, 0, 0x514649fb);
	put32(bytes, 4, 3);
	put32(bytes, 12, NAME_AT);
	put32(bytes, 16, 8);
	put32(bytes, 20, 16);
	put32(bytes, 28, 1 << 20);
	put32(bytes, 100, 112);
	put32(bytes, 112, 0xe2792aca);
	put32(bytes, 116, 5);
	memcpy(bytes + 120, "qcow2", 5);
	memcpy(bytes + NAME_AT, "base.img", 8);
}

static bool is_format(const char *format)
{
	static const char *const formats[] = { "qcow2", "qed", "vmdk", "vdi", "vhdx", "vpc", NULL };

	return !format || g_strv_contains(formats, format);
}

// A path, or nothing, or an error; and the same again.
static bool check(const uint8_t *bytes, size_t size, const char *format)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	g_autofree char *backing = NULL, *backing_format = NULL;
	g_autoptr(GError) error = NULL;
	bool ok;

	g_assert(write(fd, bytes, size) == (ssize_t)size);
	ok = chain_next(fd, "/images/top.img", format, &backing, &backing_format, &error);
	g_assert(ok == !error);
	g_assert(ok || (!backing && !backing_format));
	g_assert(!backing || (g_path_is_absolute(backing) && g_utf8_validate(backing, -1, NULL)));
	g_assert(is_format(backing_format));
	close(fd);
	return ok && backing;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const formats[] = { NULL, "raw", "qcow2", "qed", "vmdk", "nonsense" };
	uint8_t bytes[SIZE];

	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
		check(data, size, formats[i]);
	make_qcow2(bytes);
	g_assert(check(bytes, SIZE, "qcow2"));
	for (size_t i = 0; i + 2 < size && i < 24; i += 3)
		bytes[(data[i] << 8 | data[i + 1]) % 256] = data[i + 2];
	check(bytes, SIZE, "qcow2");
	return 0;
}

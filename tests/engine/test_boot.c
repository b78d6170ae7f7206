// SPDX-License-Identifier: GPL-3.0-or-later
/* Kernel loaders and ACPI tables, without a processor: what lies in memory, and what is refused. */
#include "tests/folder.h"
#include "engine/vmm/boot/acpi.h"
#include "engine/vmm/boot/boot.h"
#include "engine/vmm/boot/elf.h"
#include "engine/vmm/layout.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <elf.h>
#include <glib/gstdio.h>
#include <lz4.h>
#include <lzma.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define MIB (1u << 20)
#define ENTRY 0x100010u
#define LOAD_ADDRESS 0x100000u

static char *directory;

static int make_directory(void **state)
{
	directory = g_dir_make_tmp("lodge-boot-XXXXXX", NULL);
	return directory ? 0 : -1;
}

static int remove_directory(void **state)
{
	folder_remove(directory);
	return 0;
}

/* ---- images ------------------------------------------------------------------------------------ */

/* A 64-bit ELF kernel of size bytes of pattern at 1 MiB, with or without PVH note. */
static GByteArray *make_elf(size_t size, bool note)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr programs[2];
		Elf64_Nhdr note;
		char name[4];
		uint32_t entry;
	} head = {
		.header = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = ENTRY,
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = note ? 2 : 1,
		},
		.programs = {
			{ .p_type = PT_LOAD, .p_offset = 4096, .p_vaddr = LOAD_ADDRESS,
				.p_paddr = LOAD_ADDRESS, .p_filesz = size, .p_memsz = size + MIB },
			{ .p_type = PT_NOTE, .p_filesz = 20 },
		},
		.note = { 4, 4, 18 },
		.name = "Xen",
		.entry = ENTRY + 0x20,
	};
	GByteArray *elf = g_byte_array_new();

	head.programs[1].p_offset = offsetof(__typeof__(head), note);
	g_byte_array_append(elf, (uint8_t *)&head, sizeof(head));
	g_byte_array_set_size(elf, (unsigned)(4096 + size));
	memset(elf->data + sizeof(head), 0, 4096 - sizeof(head));
	for (size_t i = 0; i < size; i++)
		elf->data[4096 + i] = (uint8_t)(i * 7 + (i >> 9));
	return elf;
}

static void append32(GByteArray *bytes, uint32_t value)
{
	g_byte_array_append(bytes, (uint8_t *)&value, 4);
}

static GByteArray *pack_lz4(const GByteArray *plain)
{
	GByteArray *packed = g_byte_array_new();
	size_t room = (size_t)LZ4_compressBound(8 * MIB);
	g_autofree char *block = g_malloc(room);

	append32(packed, 0x184c2102);
	for (unsigned at = 0; at < plain->len; at += 8 * MIB) {
		int n = LZ4_compress_default((char *)plain->data + at, block,
			(int)MIN(plain->len - at, 8 * MIB), (int)room);

		assert_true(n > 0);
		append32(packed, (uint32_t)n);
		g_byte_array_append(packed, (uint8_t *)block, (unsigned)n);
	}
	append32(packed, plain->len);
	return packed;
}

static GByteArray *pack_gzip(const GByteArray *plain)
{
	GByteArray *packed = g_byte_array_new();
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
	g_byte_array_set_size(packed, (unsigned)deflateBound(&z, plain->len));
	z.next_in = plain->data;
	z.avail_in = plain->len;
	z.next_out = packed->data;
	z.avail_out = packed->len;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	g_byte_array_set_size(packed, (unsigned)z.total_out);
	deflateEnd(&z);
	return packed;
}

static GByteArray *pack_xz(const GByteArray *plain)
{
	GByteArray *packed = g_byte_array_new();
	size_t length = 0;

	g_byte_array_set_size(packed, (unsigned)lzma_stream_buffer_bound(plain->len));
	assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, plain->data, plain->len,
				 packed->data, &length, packed->len),
		LZMA_OK);
	g_byte_array_set_size(packed, (unsigned)length);
	append32(packed, plain->len);
	return packed;
}

static GByteArray *pack_zstd(const GByteArray *plain)
{
	GByteArray *packed = g_byte_array_new();
	size_t length;

	g_byte_array_set_size(packed, (unsigned)ZSTD_compressBound(plain->len));
	length = ZSTD_compress(packed->data, packed->len, plain->data, plain->len, 3);
	assert_false(ZSTD_isError(length));
	g_byte_array_set_size(packed, (unsigned)length);
	append32(packed, plain->len);
	return packed;
}

static GByteArray *pack_not(const GByteArray *plain)
{
	GByteArray *packed = g_byte_array_new();

	g_byte_array_append(packed, plain->data, plain->len);
	return packed;
}

static void put(GByteArray *image, unsigned at, uint64_t value, unsigned size)
{
	memcpy(image->data + at, &value, size);
}

/* A bzImage, protocol 2.15, around a payload. */
static GByteArray *make_bzimage(const GByteArray *payload)
{
	GByteArray *image = g_byte_array_new();

	g_byte_array_set_size(image, 2048);
	memset(image->data, 0, image->len);
	put(image, 0x1f1, 2, 1);       /* setup sectors: 3 in all */
	put(image, 0x1fe, 0xaa55, 2);
	put(image, 0x201, 0x66, 1);    /* end of header: 0x268 */
	memcpy(image->data + 0x202, "HdrS", 4);
	put(image, 0x206, 0x20f, 2);
	put(image, 0x211, 1, 1);       /* loaded high */
	put(image, 0x22c, 0x7fffffff, 4);
	put(image, 0x236, 1, 2);       /* 64-bit entry at 0x200 */
	put(image, 0x238, 2047, 4);
	put(image, 0x248, 512, 4);     /* payload: after 512 bytes of code */
	put(image, 0x24c, payload->len, 4);
	put(image, 0x258, 2 * MIB, 8); /* preferred address */
	put(image, 0x260, MIB, 4);     /* room to unpack */
	g_byte_array_append(image, payload->data, payload->len);
	return image;
}

static char *write_file(const char *name, const GByteArray *bytes)
{
	char *path = g_build_filename(directory, name, NULL);

	assert_true(g_file_set_contents(path, (char *)bytes->data, bytes->len, NULL));
	return path;
}

/* ---- loading ------------------------------------------------------------------------------------ */

struct attempt {
	struct guest_memory *memory;
	struct vcpu_state state;
	char *error;
	bool ok;
};

static struct attempt attempt_boot(const char *kernel, const char *initrd, const char *cmdline,
	uint64_t memory_size)
{
	struct machine_config config = {
		.kernel = (char *)kernel,
		.initrd = (char *)initrd,
		.cmdline = (char *)cmdline,
		.vcpus = 2,
		.vcpus_max = 4,
		.serials = g_ptr_array_new(),
	};
	g_autoptr(GError) error = NULL;
	struct attempt attempt = { .memory = memory_new(memory_size, NULL) };
	struct boot *boot = boot_open(&config, &error);

	attempt.ok = boot && boot_load(boot, attempt.memory, &attempt.state, &error);
	attempt.error = error ? g_strdup(error->message) : NULL;
	assert_int_equal(attempt.ok, error == NULL);
	boot_free(boot);
	g_ptr_array_free(config.serials, TRUE);
	return attempt;
}

static void attempt_clear(struct attempt *attempt)
{
	memory_free(attempt->memory);
	g_free(attempt->error);
}

static void assert_pattern(const struct attempt *attempt, const GByteArray *elf)
{
	assert_memory_equal(attempt->memory->low + LOAD_ADDRESS, elf->data + 4096, elf->len - 4096);
	assert_int_equal(attempt->memory->low[LOAD_ADDRESS + elf->len - 4096], 0);
}

static uint64_t word(const struct attempt *attempt, uint64_t address, unsigned size)
{
	uint64_t value = 0;

	assert_true(memory_read(attempt->memory, address, &value, size));
	return value;
}

static void bzimages_of_all_packings_are_entered_by_pvh(void **state)
{
	static const struct {
		const char *name;
		GByteArray *(*pack)(const GByteArray *plain);
		size_t size;
	} cases[] = {
		{ "lz4", pack_lz4, 3 * MIB },
		{ "lz4-blocks", pack_lz4, 17 * MIB },
		{ "gzip", pack_gzip, 3 * MIB + 5 },
		{ "xz", pack_xz, 2 * MIB },
		{ "zstd", pack_zstd, 3 * MIB },
		{ "not", pack_not, MIB },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GByteArray) elf = make_elf(cases[i].size, true);
		g_autoptr(GByteArray) payload = cases[i].pack(elf);
		g_autoptr(GByteArray) image = make_bzimage(payload);
		g_autofree char *path = write_file(cases[i].name, image);
		struct attempt attempt = attempt_boot(path, NULL, "a=b", 32 * MIB);

		if (!attempt.ok)
			fail_msg("%s: %s", cases[i].name, attempt.error);
		assert_pattern(&attempt, elf);
		assert_int_equal(attempt.state.rip, ENTRY + 0x20);
		assert_int_equal(attempt.state.cr0 & 0x80000001, 1);
		assert_int_equal(word(&attempt, attempt.state.gpr[3], 4), 0x336ec578);
		attempt_clear(&attempt);
	}
}

static void the_start_info_has_it_all(void **state)
{
	g_autoptr(GByteArray) elf = make_elf(MIB, true);
	g_autoptr(GByteArray) module = make_elf(70000, false);
	g_autofree char *kernel = write_file("kernel", elf);
	g_autofree char *initrd = write_file("initrd, with blanks", module);
	struct attempt attempt = attempt_boot(kernel, initrd, "console=ttyS0", 16 * MIB);
	uint64_t info = attempt.state.gpr[3], modules = word(&attempt, info + 16, 8);
	uint64_t map = word(&attempt, info + 40, 8), ram = 0;

	assert_true(attempt.ok);
	assert_string_equal((char *)attempt.memory->low + word(&attempt, info + 24, 8),
		"console=ttyS0");
	assert_int_equal(word(&attempt, info + 12, 4), 1);
	assert_int_equal(word(&attempt, modules + 8, 8), module->len);
	assert_memory_equal(attempt.memory->low + word(&attempt, modules, 8), module->data,
		module->len);
	for (uint64_t i = 0; i < word(&attempt, info + 48, 4); i++)
		if (word(&attempt, map + i * 24 + 16, 4) == 1)
			ram = word(&attempt, map + i * 24, 8) + word(&attempt, map + i * 24 + 8, 8);
	assert_int_equal(ram, 16 * MIB);
	attempt_clear(&attempt);
}

static void memory_above_4_gib_is_in_the_map(void **state)
{
	g_autoptr(GByteArray) elf = make_elf(MIB, true);
	g_autofree char *kernel = write_file("kernel", elf);
	struct attempt attempt = attempt_boot(kernel, NULL, NULL, 4ull << 30);
	uint64_t info = attempt.state.gpr[3], map = word(&attempt, info + 40, 8);
	uint64_t last = map + (word(&attempt, info + 48, 4) - 1) * 24;

	assert_true(attempt.ok);
	assert_int_equal(word(&attempt, last, 8), 4ull << 30);
	assert_int_equal(word(&attempt, last + 8, 8), 1ull << 30);
	attempt_clear(&attempt);
}

static void a_kernel_without_note_is_entered_in_long_mode(void **state)
{
	g_autoptr(GByteArray) elf = make_elf(MIB, false);
	g_autoptr(GByteArray) payload = pack_lz4(elf);
	g_autoptr(GByteArray) image = make_bzimage(payload);
	g_autofree char *plain = write_file("plain", elf);
	g_autofree char *packed = write_file("packed", image);
	const char *paths[] = { plain, packed };

	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
		struct attempt attempt = attempt_boot(paths[i], paths[i], "x", 16 * MIB);
		uint64_t page = attempt.state.gpr[6];

		assert_true(attempt.ok);
		assert_int_equal(attempt.state.rip, ENTRY);
		assert_int_equal(attempt.state.efer, 0x500);
		assert_int_equal(attempt.state.cr0 & 0x80000001, 0x80000001);
		assert_int_equal(word(&attempt, page + 0x202, 4), 0x53726448);
		assert_string_equal((char *)attempt.memory->low + word(&attempt, page + 0x228, 4),
			"x");
		assert_true(word(&attempt, page + 0x21c, 4) > MIB / 2 || i == 1);
		assert_pattern(&attempt, elf);
		attempt_clear(&attempt);
	}
}

/* Packed in an unknown way: the image itself is started at its 64-bit entry. */
static void an_unknown_packing_unpacks_itself(void **state)
{
	g_autoptr(GByteArray) payload = g_byte_array_new();
	g_autoptr(GByteArray) image = NULL;
	g_autofree char *path = NULL;
	struct attempt attempt;

	g_byte_array_append(payload, (const uint8_t *)"\x89LZO what", 9);
	image = make_bzimage(payload);
	path = write_file("lzo", image);
	attempt = attempt_boot(path, NULL, NULL, 16 * MIB);
	assert_true(attempt.ok);
	assert_int_equal(attempt.state.rip, 2 * MIB + 0x200);
	assert_memory_equal(attempt.memory->low + 2 * MIB + 512, payload->data, payload->len);
	attempt_clear(&attempt);
}

static void assert_refused(const char *kernel, const char *initrd, uint64_t memory,
	const char *sentence)
{
	struct attempt attempt = attempt_boot(kernel, initrd, NULL, memory);

	assert_false(attempt.ok);
	if (!strstr(attempt.error, sentence))
		fail_msg("'%s' does not say '%s'", attempt.error, sentence);
	assert_null(strchr(attempt.error, '\n'));
	attempt_clear(&attempt);
}

static void what_cannot_boot_is_said_in_one_sentence(void **state)
{
	g_autoptr(GByteArray) elf = make_elf(3 * MIB, true);
	g_autoptr(GByteArray) payload = pack_gzip(elf);
	g_autoptr(GByteArray) image = make_bzimage(payload);
	g_autoptr(GByteArray) text = g_byte_array_new();
	g_autofree char *kernel = write_file("kernel", image);
	g_autofree char *noise = NULL, *empty = NULL, *plain = NULL, *narrow = NULL;

	g_byte_array_append(text, (const uint8_t *)"#!/bin/sh\n", 10);
	noise = write_file("noise", text);
	g_byte_array_set_size(text, 0);
	empty = write_file("empty", text);
	assert_refused("/nonexistent/vmlinuz", NULL, 16 * MIB, "No such file");
	assert_refused(directory, NULL, 16 * MIB, "Is a directory");
	assert_refused(kernel, "/nonexistent/initrd", 16 * MIB, "'/nonexistent/initrd'");
	assert_refused(noise, NULL, 16 * MIB, "neither a Linux bzImage nor");
	assert_refused(empty, NULL, 16 * MIB, "neither a Linux bzImage nor");
	assert_refused(kernel, NULL, 3 * MIB, "too little memory for it: it must lie from 1 to 5");
	plain = write_file("plain", elf);
	assert_refused(kernel, plain, 7 * MIB, "too little memory for '");
	assert_refused(kernel, NULL, MIB, "more than 1 MiB");
	elf->data[18] = EM_ARM;
	narrow = write_file("narrow", elf);
	assert_refused(narrow, NULL, 16 * MIB, "not an ELF program for x86");
}

/* Cut anywhere, or with a byte changed, an image boots or is refused; nothing else happens. */
static void damaged_images_do_no_harm(void **state)
{
	static GByteArray *(*const packs[])(const GByteArray *) = { pack_lz4, pack_gzip, pack_xz,
		pack_zstd, pack_not };
	unsigned refused = 0;

	for (size_t p = 0; p < G_N_ELEMENTS(packs); p++) {
		g_autoptr(GByteArray) elf = make_elf(100000, p != 3);
		g_autoptr(GByteArray) payload = packs[p](elf);
		g_autoptr(GByteArray) image = make_bzimage(payload);

		for (unsigned i = 0; i < 60; i++) {
			g_autoptr(GByteArray) copy = g_byte_array_new();
			unsigned at = i < 30 ? image->len * i / 30
					     : 0x1f0 + (i - 30) * 23 % (image->len - 0x1f0);
			g_autofree char *path = NULL;
			struct attempt attempt;

			g_byte_array_append(copy, image->data, i < 30 ? at : image->len);
			if (i >= 30)
				copy->data[at] ^= (uint8_t)(1u << i % 8) | 0x80;
			path = write_file("damaged", copy);
			attempt = attempt_boot(path, NULL, NULL, 8 * MIB);
			refused += !attempt.ok;
			if (i < 30)
				assert_false(attempt.ok);
			attempt_clear(&attempt);
		}
	}
	assert_true(refused >= 150);
}

static void random_elf_headers_do_no_harm(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(4);
	unsigned loaded = 0;

	for (unsigned i = 0; i < 2000; i++) {
		g_autoptr(GByteArray) elf = make_elf(5000, true);
		struct guest_memory *memory = memory_new(4 * MIB, NULL);
		struct elf_loader loader;
		uint32_t entry;

		for (unsigned changes = 0; changes < 3; changes++)
			elf->data[g_rand_int_range(random, 4, 220)] =
				(uint8_t)g_rand_int(random);
		elf_loader_init(&loader, memory);
		if (loader.sink.take(&loader.sink, elf->data, elf->len, NULL) &&
			elf_loader_finish(&loader, NULL))
			loaded++;
		elf_loader_pvh_entry(&loader, &entry);
		elf_loader_release(&loader);
		memory_free(memory);
	}
	assert_in_range(loaded, 1, 1999);
}

/* ---- ACPI --------------------------------------------------------------------------------------- */

static uint8_t sum(const uint8_t *data, size_t length)
{
	uint8_t total = 0;

	while (length--)
		total = (uint8_t)(total + *data++);
	return total;
}

static const uint8_t *table_at(const struct guest_memory *memory, uint64_t address)
{
	const uint8_t *table = memory_at(memory, address, 36);
	uint32_t length;

	assert_in_range(address, LAYOUT_ACPI, LAYOUT_HIGH - 1);
	memcpy(&length, table + 4, 4);
	assert_in_range(length, 36, LAYOUT_HIGH - address);
	assert_int_equal(sum(table, length), 0);
	return table;
}

static void acpi_tables_are_whole(void **state)
{
	struct guest_memory *memory = memory_new(2 * MIB, NULL);
	uint64_t rsdp = acpi_load(memory,
		&(struct acpi_config){ .present = 7, .vcpus_max = 64, .serials = 2 });
	const uint8_t *root = memory_at(memory, rsdp, 36), *xsdt;
	const char *found[3];
	uint64_t address;
	unsigned enabled = 0, capable = 0;

	assert_memory_equal(root, "RSD PTR ", 8);
	assert_int_equal(sum(root, 20), 0);
	assert_int_equal(sum(root, 36), 0);
	memcpy(&address, root + 24, 8);
	xsdt = table_at(memory, address);
	assert_memory_equal(xsdt, "XSDT", 4);
	assert_int_equal(xsdt[4], 36 + 3 * 8);
	for (unsigned i = 0; i < 3; i++) {
		memcpy(&address, xsdt + 36 + i * 8, 8);
		found[i] = (const char *)table_at(memory, address);
	}
	assert_memory_equal(found[0], "FACP", 4);
	memcpy(&address, found[0] + 140, 8);
	assert_memory_equal(table_at(memory, address), "DSDT", 4);
	assert_memory_equal(found[1], "APIC", 4);
	for (unsigned at = 44; found[1][at] == 0; at += 8) {
		enabled += found[1][at + 4] == 1;
		capable += found[1][at + 4] == 2;
	}
	assert_int_equal(enabled, 3);
	assert_int_equal(capable, 61);
	assert_memory_equal(found[2], "MCFG", 4);
	memory_free(memory);
}

/* A processor in the middle may be missing; where memory may come is said by the SRAT. */
static void acpi_tells_of_what_may_come(void **state)
{
	struct guest_memory *memory = memory_new(2 * MIB, NULL);
	uint64_t rsdp, address, base, length;
	const uint8_t *root, *xsdt, *srat;
	unsigned at = 48;

	assert_true(memory_add_region(memory, 0x180000000, 64 * MIB, NULL));
	rsdp = acpi_load(
		memory, &(struct acpi_config){ .present = 5, .vcpus_max = 3, .serials = 1 });
	root = memory_at(memory, rsdp, 36);
	memcpy(&address, root + 24, 8);
	xsdt = table_at(memory, address);
	assert_int_equal(xsdt[4], 36 + 4 * 8);
	memcpy(&address, xsdt + 36 + 8, 8);
	assert_int_equal(table_at(memory, address)[44 + 8 + 4], 2);
	memcpy(&address, xsdt + 36 + 3 * 8, 8);
	srat = table_at(memory, address);
	assert_memory_equal(srat, "SRAT", 4);
	while (srat[at] == 0)
		at += 16;
	assert_int_equal(at, 48 + 3 * 16);
	at += 40; /* boot memory */
	memcpy(&base, srat + at + 8, 8);
	memcpy(&length, srat + at + 16, 8);
	assert_true(base == 0x180000000);
	assert_true(length == 64 * MIB);
	assert_int_equal(srat[at + 28], 3);
	memory_free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bzimages_of_all_packings_are_entered_by_pvh),
		cmocka_unit_test(the_start_info_has_it_all),
		cmocka_unit_test(memory_above_4_gib_is_in_the_map),
		cmocka_unit_test(a_kernel_without_note_is_entered_in_long_mode),
		cmocka_unit_test(an_unknown_packing_unpacks_itself),
		cmocka_unit_test(what_cannot_boot_is_said_in_one_sentence),
		cmocka_unit_test(damaged_images_do_no_harm),
		cmocka_unit_test(random_elf_headers_do_no_harm),
		cmocka_unit_test(acpi_tables_are_whole),
		cmocka_unit_test(acpi_tells_of_what_may_come),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}

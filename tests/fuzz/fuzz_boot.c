// SPDX-License-Identifier: GPL-3.0-or-later
// Kernel images: good ones of each format with bytes of them replaced and their end cut off.
#include <config.h>

#include "engine/vmm/boot/boot.h"

#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY_SIZE (8u << 20)
#define ELF_SIZE 8192u
#define IMAGE_MAX 20000u

struct image {
	uint8_t data[IMAGE_MAX];
	size_t length;
};

static void put(struct image *image, size_t at, uint64_t value, size_t size)
{
	memcpy(image->data + at, &value, size);
	image->length = MAX(image->length, at + size);
}

static void make_elf(struct image *image, bool note)
{
	Elf64_Ehdr header = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_machine = EM_X86_64,
		.e_entry = 0x100000,
		.e_phoff = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = note ? 2 : 1,
	};
	Elf64_Phdr load = { .p_type = PT_LOAD, .p_offset = 4096, .p_vaddr = 0x100000,
		.p_paddr = 0x100000, .p_filesz = 4096, .p_memsz = 10000 };
	Elf64_Phdr notes = { .p_type = PT_NOTE, .p_offset = 512, .p_filesz = 20 };

	memcpy(image->data, &header, sizeof(header));
	memcpy(image->data + 64, &load, sizeof(load));
	memcpy(image->data + 64 + sizeof(load), &notes, sizeof(notes));
	put(image, 512, 4, 4);
	put(image, 516, 4, 4);
	put(image, 520, 18, 4);
	memcpy(image->data + 524, "Xen", 4);
	put(image, 528, 0x100000, 4);
	image->length = ELF_SIZE;
}

static void make_bzimage(struct image *image, bool packed)
{
	struct image elf = { .length = 0 };
	uLongf length = IMAGE_MAX - 1536;

	make_elf(&elf, true);
	put(image, 0x1f1, 1, 1);
	put(image, 0x1fe, 0xaa55, 2);
	put(image, 0x201, 0x66, 1);
	memcpy(image->data + 0x202, "HdrS", 4);
	put(image, 0x206, 0x20f, 2);
	put(image, 0x211, 1, 1);
	put(image, 0x22c, 0x7fffffff, 4);
	put(image, 0x236, 1, 2);
	put(image, 0x238, 2047, 4);
	put(image, 0x248, 512, 4);
	put(image, 0x258, 2 << 20, 8);
	put(image, 0x260, 1 << 20, 4);
	if (packed) {
		z_stream z = { .next_in = elf.data, .avail_in = (uInt)elf.length,
			.next_out = image->data + 1536, .avail_out = (uInt)length };

		g_assert(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, 0) == Z_OK);
		g_assert(deflate(&z, Z_FINISH) == Z_STREAM_END);
		length = z.total_out;
		deflateEnd(&z);
	} else {
		memcpy(image->data + 1536, elf.data, elf.length);
		length = elf.length;
	}
	put(image, 0x24c, length, 4);
	image->length = 1536 + length;
}

static void make_multiboot(struct image *image)
{
	static const uint32_t header[] = { 0x1badb002, 0x10003, -(0x1badb002u + 0x10003), 0x100000,
		0x100000, 0x101000, 0x102000, 0x100020 };

	memcpy(image->data, header, sizeof(header));
	image->length = 4096;
}

static void make_image(struct image *image, unsigned kind)
{
	if (kind == 0)
		make_multiboot(image);
	else if (kind < 3)
		make_elf(image, kind == 1);
	else
		make_bzimage(image, kind == 3);
}

// Three bytes of input are a place, near the beginning more often than not, and a value.
static void mutate(struct image *image, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 2 < size; i += 3) {
		size_t place = data[i] | (size_t)(data[i + 1] & (i % 2 ? 0xff : 3)) << 8;

		image->data[place % image->length] = data[i + 2];
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image image = { .length = 0 };
	struct guest_memory *memory;
	struct vcpu_state state;
	struct machine_config config = { .vcpus = 1, .vcpus_max = 1 };
	g_autofree char *path = NULL;
	g_autoptr(GError) error = NULL;
	struct boot *boot;
	int fd;

	if (size < 4)
		return 0;
	make_image(&image, data[0] % 5);
	mutate(&image, data + 3, MIN(size - 3, 30u));
	if (data[1] < 64)
		image.length = image.length * data[2] / 256;
	fd = memfd_create("image", MFD_CLOEXEC);
	g_assert(fd >= 0 && write(fd, image.data, image.length) == (ssize_t)image.length);
	config.kernel = path = g_strdup_printf("/proc/self/fd/%d", fd);
	config.serials = g_ptr_array_new();
	config.initrd = data[1] & 1 ? path : NULL;
	memory = memory_new(MEMORY_SIZE, NULL);
	boot = boot_open(&config, NULL);
	g_assert(boot && memory);
	g_assert(boot_load(boot, memory, &state, &error) == (error == NULL));
	boot_free(boot);
	memory_free(memory);
	g_ptr_array_free(config.serials, TRUE);
	close(fd);
	return 0;
}

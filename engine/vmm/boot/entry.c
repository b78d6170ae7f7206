// SPDX-License-Identifier: GPL-3.0-or-later
/* The states in which kernels are entered, and what they are told: PVH and Linux's 64-bit way. */
#include "engine/vmm/boot/image.h"
#include "engine/vmm/layout.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <string.h>

/* Registers' numbers in struct vcpu_state. */
enum { EBX = 3, ESI = 6 };
enum { ES, CS, SS, DS, FS, GS };

#define CODE 0xb       /* type: execute, read, accessed */
#define DATA 0x3       /* type: read, write, accessed */
#define SEGMENT 0x90   /* S, present */
#define LONG 0x2000    /* L */
#define BIG 0x4000     /* D/B */
#define GRANULAR 0x8000 /* G */
#define UNUSABLE 0x10000

/* A GDT descriptor as the manual packs it (Intel SDM volume 3, figure 3-8): base 0, limit 4 GiB. */
#define DESCRIPTOR(flags) (0x000f00000000ffffull | (uint64_t)((flags) & 0xf0ff) << 40)

static struct vcpu_segment flat(uint16_t selector, uint32_t attributes)
{
	return (struct vcpu_segment){ 0, 0xffffffff, selector, attributes };
}

static void set_common(struct vcpu_state *state, uint64_t entry)
{
	memset(state, 0, sizeof(*state));
	state->rip = entry;
	state->rflags = 2;
	state->cr0 = 0x11; /* PE, ET */
	for (int i = ES; i <= GS; i++)
		state->segment[i] = flat(0x18, DATA | SEGMENT | BIG | GRANULAR);
	state->segment[CS] = flat(0x10, CODE | SEGMENT | BIG | GRANULAR);
	state->tr = (struct vcpu_segment){ 0, 0x67, 0, 0x8b }; /* a busy 32-bit TSS */
	state->ldtr = (struct vcpu_segment){ 0, 0, 0, UNUSABLE };
	/* x87 control word and MXCSR after power-on. */
	memcpy(state->fxsave, (const uint8_t[]){ 0x7f, 0x03 }, 2);
	memcpy(state->fxsave + 24, (const uint8_t[]){ 0x80, 0x1f }, 2);
}

void boot_state_protected(struct vcpu_state *state, uint32_t entry)
{
	set_common(state, entry);
}

static void write_identity_map(struct guest_memory *memory)
{
	const uint64_t table = 0x3, large = 0x83; /* present, writable; page size */
	uint64_t *pml4 = memory_at(memory, LAYOUT_PAGE_TABLES, 6 * MEMORY_PAGE_SIZE);
	uint64_t *pdpt = pml4 + 512;

	pml4[0] = (LAYOUT_PAGE_TABLES + MEMORY_PAGE_SIZE) | table;
	for (unsigned i = 0; i < 4; i++)
		pdpt[i] = (LAYOUT_PAGE_TABLES + (2 + i) * MEMORY_PAGE_SIZE) | table;
	for (uint64_t i = 0; i < 4 * 512; i++)
		pdpt[512 + i] = i << 21 | large;
	memory_dirty(memory, LAYOUT_PAGE_TABLES, 6 * MEMORY_PAGE_SIZE);
}

void boot_state_long(struct guest_memory *memory, struct vcpu_state *state, uint64_t entry)
{
	const uint32_t code = CODE | SEGMENT | LONG | GRANULAR;
	const uint32_t data = DATA | SEGMENT | BIG | GRANULAR;
	const uint64_t gdt[] = { 0, 0, DESCRIPTOR(code), DESCRIPTOR(data) };

	set_common(state, entry);
	memory_write(memory, LAYOUT_GDT, gdt, sizeof(gdt));
	write_identity_map(memory);
	state->gdtr = (struct vcpu_table){ LAYOUT_GDT, sizeof(gdt) - 1 };
	state->segment[CS] = flat(0x10, code);
	state->cr0 = 0x80000011; /* PG, ET, PE */
	state->cr4 = 0x20;       /* PAE */
	state->cr3 = LAYOUT_PAGE_TABLES;
	state->efer = 0x500; /* LMA, LME */
}

bool boot_place_cmdline(struct boot_job *job, uint64_t limit, GError **error)
{
	uint64_t length = strlen(job->cmdline) + 1;

	limit = MIN(limit, LAYOUT_CMDLINE_SIZE);
	if (length > limit) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
			_("the command line is longer than the kernel's %llu bytes"),
			(unsigned long long)limit);
		return false;
	}
	return memory_write(job->memory, LAYOUT_CMDLINE, job->cmdline, length);
}

bool boot_place_file(struct boot_job *job, const struct boot_file *file, uint64_t limit,
	uint64_t *address, GError **error)
{
	uint64_t size = (file->size + MEMORY_PAGE_SIZE - 1) & ~(MEMORY_PAGE_SIZE - 1);
	uint64_t top = MIN(job->memory->low_size, limit) & ~(MEMORY_PAGE_SIZE - 1);
	void *at;

	if (size > top || top - size < job->kernel_end) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
			_("the guest has too little memory for '%s': %llu MiB beside the kernel's "
			  "first %llu MiB"),
			file->path, (unsigned long long)((size + 0xfffff) >> 20),
			(unsigned long long)((job->kernel_end + 0xfffff) >> 20));
		return false;
	}
	*address = top - size;
	at = memory_at(job->memory, *address, size);
	if (!boot_file_read(file, 0, at, file->size, error))
		return false;
	memory_dirty(job->memory, *address, file->size);
	return true;
}

/* ---- PVH: Xen, docs/misc/pvh.pandoc and xen/include/public/arch-x86/hvm/start_info.h -------- */

#define PVH_MAGIC 0x336ec578u

struct pvh_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t modules;
	uint64_t cmdline;
	uint64_t rsdp;
	uint64_t map;
	uint32_t map_entries;
	uint32_t reserved;
};

struct pvh_module {
	uint64_t address;
	uint64_t size;
	uint64_t cmdline;
	uint64_t reserved;
};

struct pvh_map_entry {
	uint64_t address;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

static uint32_t write_pvh_map(const struct boot_job *job, uint64_t at)
{
	for (unsigned i = 0; i < job->map.count; i++) {
		const struct boot_map_entry *from = &job->map.entries[i];
		struct pvh_map_entry entry = { from->address, from->size, from->type, 0 };

		memory_write(job->memory, at + i * sizeof(entry), &entry, sizeof(entry));
	}
	return job->map.count;
}

/* The kernel maps its modules by 32-bit addresses early. */
#define PVH_MODULE_LIMIT 0x80000000ull

bool boot_enter_pvh(struct boot_job *job, uint32_t entry, struct vcpu_state *state, GError **error)
{
	const uint64_t map = LAYOUT_BOOT_TABLES + 0x800;
	struct pvh_start_info info = {
		.magic = PVH_MAGIC,
		.version = 1,
		.cmdline = LAYOUT_CMDLINE,
		.rsdp = job->rsdp,
		.map = map,
	};

	if (!boot_place_cmdline(job, LAYOUT_CMDLINE_SIZE, error))
		return false;
	info.map_entries = write_pvh_map(job, map);
	if (job->files->len) {
		const struct boot_file *file = g_ptr_array_index(job->files, 0);
		struct pvh_module module = { .size = file->size };

		if (!boot_place_file(job, file, PVH_MODULE_LIMIT, &module.address, error))
			return false;
		info.modules = LAYOUT_BOOT_TABLES;
		info.module_count = 1;
		memory_write(job->memory, LAYOUT_BOOT_TABLES, &module, sizeof(module));
	}
	memory_write(job->memory, LAYOUT_START_INFO, &info, sizeof(info));
	boot_state_protected(state, entry);
	state->gpr[EBX] = LAYOUT_START_INFO;
	return true;
}

/* ---- Linux's 64-bit entry: Documentation/arch/x86/boot.rst and zero-page.rst ---------------- */

#define ZERO_PAGE_SIZE 4096
#define ZERO_RSDP 0x070
#define ZERO_E820_ENTRIES 0x1e8
#define ZERO_HEADER 0x1f1
#define ZERO_BOOT_FLAG 0x1fe
#define ZERO_MAGIC 0x202
#define ZERO_LOADER_TYPE 0x210
#define ZERO_RAMDISK 0x218
#define ZERO_RAMDISK_SIZE 0x21c
#define ZERO_CMDLINE 0x228
#define ZERO_INITRD_MAX 0x22c
#define ZERO_CMDLINE_SIZE 0x238
#define ZERO_E820 0x2d0
#define E820_ENTRY 20

static void put(uint8_t *page, unsigned at, uint64_t value, unsigned size)
{
	value = GUINT64_TO_LE(value);
	memcpy(page + at, &value, size);
}

static uint32_t get32(const uint8_t *page, unsigned at)
{
	uint32_t value;

	memcpy(&value, page + at, sizeof(value));
	return GUINT32_FROM_LE(value);
}

static void put_e820(uint8_t *page, const struct boot_map *map)
{
	for (unsigned i = 0; i < map->count; i++) {
		put(page, ZERO_E820 + i * E820_ENTRY, map->entries[i].address, 8);
		put(page, ZERO_E820 + i * E820_ENTRY + 8, map->entries[i].size, 8);
		put(page, ZERO_E820 + i * E820_ENTRY + 16, map->entries[i].type, 4);
	}
	page[ZERO_E820_ENTRIES] = (uint8_t)map->count;
}

bool boot_enter_linux64(struct boot_job *job, uint64_t entry, const uint8_t *header,
	size_t header_length, struct vcpu_state *state, GError **error)
{
	uint8_t page[ZERO_PAGE_SIZE] = { 0 };
	uint64_t cmdline_size = LAYOUT_CMDLINE_SIZE, initrd_max = PVH_MODULE_LIMIT;

	put(page, ZERO_BOOT_FLAG, 0xaa55, 2);
	memcpy(page + ZERO_MAGIC, "HdrS", 4);
	if (header) {
		memcpy(page + ZERO_HEADER, header, MIN(header_length, ZERO_E820 - ZERO_HEADER));
		cmdline_size = (uint64_t)get32(page, ZERO_CMDLINE_SIZE) + 1;
		initrd_max = (uint64_t)get32(page, ZERO_INITRD_MAX) + 1;
	}
	if (!boot_place_cmdline(job, cmdline_size, error))
		return false;
	if (job->files->len) {
		const struct boot_file *file = g_ptr_array_index(job->files, 0);
		uint64_t address;

		if (!boot_place_file(job, file, initrd_max, &address, error))
			return false;
		put(page, ZERO_RAMDISK, address, 4);
		put(page, ZERO_RAMDISK_SIZE, file->size, 4);
	}
	put(page, ZERO_RSDP, job->rsdp, 8);
	put(page, ZERO_LOADER_TYPE, 0xff, 1); /* a loader without a number */
	put(page, ZERO_CMDLINE, LAYOUT_CMDLINE, 4);
	put_e820(page, &job->map);
	memory_write(job->memory, LAYOUT_START_INFO, page, sizeof(page));
	boot_state_long(job->memory, state, entry);
	state->gpr[ESI] = LAYOUT_START_INFO;
	return true;
}

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Multiboot 1 (The Multiboot Specification, version 0.6.96): images whose header gives addresses,
 * and 32-bit ELF files. What the definition's initrd names are the modules.
 */
#include "engine/vmm/boot/elf.h"
#include "engine/vmm/boot/image.h"
#include "engine/vmm/layout.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <string.h>

#define HEADER_MAGIC 0x1badb002u
#define LOADER_MAGIC 0x2badb002u
#define HEADER_SEARCH 8192
#define HEADER_ADDRESSES (1u << 16)
#define MODULES_MAX 64
#define CHUNK (1u << 20)

#define INFO_MEMORY (1u << 0)
#define INFO_CMDLINE (1u << 2)
#define INFO_MODULES (1u << 3)
#define INFO_MAP (1u << 6)
#define INFO_LOADER (1u << 9)

struct header {
	uint32_t magic;
	uint32_t flags;
	uint32_t checksum;
	/* With HEADER_ADDRESSES. */
	uint32_t header_address;
	uint32_t load_address;
	uint32_t load_end;
	uint32_t bss_end;
	uint32_t entry;
};

struct info {
	uint32_t flags;
	uint32_t lower_kib;
	uint32_t upper_kib;
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t module_count;
	uint32_t modules;
	uint32_t symbols[4];
	uint32_t map_length;
	uint32_t map;
	uint32_t drives_length;
	uint32_t drives;
	uint32_t config_table;
	uint32_t loader_name;
	uint32_t apm_table;
};

struct module {
	uint32_t start;
	uint32_t end;
	uint32_t string;
	uint32_t reserved;
};

struct map_entry {
	uint32_t size; /* of what follows */
	uint64_t address;
	uint64_t length;
	uint32_t type;
} __attribute__((packed));

/* Offset of the header in the file's head, or -1. */
static int64_t find_header(const struct boot_job *job, struct header *header)
{
	uint64_t end = MIN(job->head_length, HEADER_SEARCH);

	for (uint64_t at = 0; at + 12 <= end; at += 4) {
		memset(header, 0, sizeof(*header));
		memcpy(header, job->head + at, 12);
		if (header->magic != HEADER_MAGIC ||
			header->magic + header->flags + header->checksum != 0)
			continue;
		if (!(header->flags & HEADER_ADDRESSES))
			return (int64_t)at;
		if (job->head_length - at < sizeof(*header))
			return -1;
		memcpy(header, job->head + at, sizeof(*header));
		return (int64_t)at;
	}
	return -1;
}

static bool probe(const struct boot_job *job)
{
	struct header header;

	return find_header(job, &header) >= 0;
}

static bool fail(GError **error, const char *sentence)
{
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, sentence);
	return false;
}

static bool load_addresses(struct boot_job *job, const struct header *header, uint64_t at,
	uint32_t *entry, GError **error)
{
	uint64_t before = (uint64_t)header->header_address - header->load_address;
	uint64_t start, length, size;
	void *to;

	if (header->load_address > header->header_address || before > at)
		return fail(error, _("the addresses in its Multiboot header make no sense"));
	start = at - before;
	length = job->kernel->size - start;
	if (header->load_end) {
		if (header->load_end < header->load_address)
			return fail(error, _("the addresses in its Multiboot header make no sense"));
		if (header->load_end - header->load_address > length)
			return fail(error, _("it is truncated"));
		length = header->load_end - header->load_address;
	}
	size = length;
	if (header->bss_end > header->load_address)
		size = MAX(size, (uint64_t)header->bss_end - header->load_address);
	to = memory_at(job->memory, header->load_address, size);
	if (!to) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
			_("the guest has too little memory for it: it must lie from %u to %llu MiB"),
			header->load_address >> 20,
			(unsigned long long)((header->load_address + size + 0xfffff) >> 20));
		return false;
	}
	if (!boot_file_read(job->kernel, start, to, length, error))
		return false;
	memory_dirty(job->memory, header->load_address, length);
	job->kernel_end = header->load_address + size;
	*entry = header->entry;
	return true;
}

static bool feed_elf(struct boot_job *job, struct elf_loader *loader, uint32_t *entry,
	GError **error)
{
	g_autofree uint8_t *chunk = g_malloc(CHUNK);

	for (uint64_t at = 0; at < job->kernel->size;) {
		uint64_t length = MIN(job->kernel->size - at, CHUNK);

		if (!boot_file_read(job->kernel, at, chunk, length, error) ||
			!loader->sink.take(&loader->sink, chunk, length, error))
			return false;
		at += length;
	}
	if (!elf_loader_finish(loader, error))
		return false;
	if (loader->wide)
		return fail(error,
			_("Multiboot wants a 32-bit ELF program; this one has 64 bits and gives no "
			  "addresses in its header"));
	job->kernel_end = loader->high;
	*entry = (uint32_t)elf_loader_entry(loader);
	return true;
}

static bool load_elf(struct boot_job *job, uint32_t *entry, GError **error)
{
	struct elf_loader loader;
	bool ok;

	elf_loader_init(&loader, job->memory);
	ok = feed_elf(job, &loader, entry, error);
	elf_loader_release(&loader);
	return ok;
}

/* Strings go one after the other behind the command line. */
static bool add_string(struct boot_job *job, uint64_t *next, const char *string, uint32_t *address,
	GError **error)
{
	uint64_t length = strlen(string) + 1;

	if (length > LAYOUT_CMDLINE + LAYOUT_CMDLINE_SIZE - *next)
		return fail(error, _("the command lines of kernel and modules are too long"));
	memory_write(job->memory, *next, string, length);
	*address = (uint32_t)*next;
	*next += length;
	return true;
}

/* Modules go page-aligned above the kernel, in order. */
static bool add_modules(struct boot_job *job, struct info *info, uint64_t *strings, GError **error)
{
	const uint64_t table = LAYOUT_BOOT_TABLES + 0x800;

	if (job->files->len > MODULES_MAX)
		return fail(error, _("there are more than 64 modules"));
	for (unsigned i = 0; i < job->files->len; i++) {
		const struct boot_file *file = g_ptr_array_index(job->files, i);
		uint64_t start = (job->kernel_end + MEMORY_PAGE_SIZE - 1) & ~(MEMORY_PAGE_SIZE - 1);
		struct module module = { (uint32_t)start, (uint32_t)(start + file->size), 0, 0 };
		void *at = memory_at(job->memory, start, file->size);

		if (!at || start + file->size > MEMORY_HOLE_START) {
			g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
				_("the guest has too little memory for the module '%s'"), file->path);
			return false;
		}
		if (!boot_file_read(file, 0, at, file->size, error) ||
			!add_string(job, strings, g_ptr_array_index(job->file_arguments, i),
				&module.string, error))
			return false;
		memory_dirty(job->memory, start, file->size);
		memory_write(job->memory, table + i * sizeof(module), &module, sizeof(module));
		job->kernel_end = start + file->size;
	}
	info->module_count = job->files->len;
	info->modules = table;
	info->flags |= INFO_MODULES;
	return true;
}

static void add_map(struct boot_job *job, struct info *info)
{
	const uint64_t at = LAYOUT_BOOT_TABLES;

	for (unsigned i = 0; i < job->map.count; i++) {
		const struct boot_map_entry *from = &job->map.entries[i];
		struct map_entry entry = { sizeof(entry) - 4, from->address, from->size,
			from->type };

		memory_write(job->memory, at + i * sizeof(entry), &entry, sizeof(entry));
	}
	info->map = at;
	info->map_length = job->map.count * (uint32_t)sizeof(struct map_entry);
	info->lower_kib = LAYOUT_EBDA >> 10;
	info->upper_kib = (uint32_t)((job->memory->low_size - MIN(job->memory->low_size,
		LAYOUT_HIGH)) >> 10);
	info->flags |= INFO_MAP | INFO_MEMORY;
}

/* The first word of a Multiboot command line is the image's path (as loaders pass it). */
static char *make_cmdline(const struct boot_job *job)
{
	return *job->cmdline ? g_strconcat(job->kernel->path, " ", job->cmdline, NULL)
			     : g_strdup(job->kernel->path);
}

static bool load(struct boot_job *job, struct vcpu_state *state, GError **error)
{
	struct header header;
	int64_t at = find_header(job, &header);
	g_autofree char *cmdline = make_cmdline(job);
	struct info info = { .flags = INFO_CMDLINE | INFO_LOADER };
	uint64_t strings = LAYOUT_CMDLINE;
	uint32_t entry = 0;

	if (header.flags & HEADER_ADDRESSES
			? !load_addresses(job, &header, (uint64_t)at, &entry, error)
			: !load_elf(job, &entry, error))
		return false;
	if (!add_string(job, &strings, cmdline, &info.cmdline, error) ||
		!add_string(job, &strings, "lodge-vmm", &info.loader_name, error) ||
		!add_modules(job, &info, &strings, error))
		return false;
	add_map(job, &info);
	memory_write(job->memory, LAYOUT_START_INFO, &info, sizeof(info));
	boot_state_protected(state, entry);
	state->gpr[0] = LOADER_MAGIC;
	state->gpr[3] = LAYOUT_START_INFO;
	return true;
}

const struct boot_format boot_format_multiboot = {
	.name = "Multiboot",
	.probe = probe,
	.load = load,
};

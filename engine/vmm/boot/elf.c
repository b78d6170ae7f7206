// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/boot/elf.h"

#include <elf.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <string.h>

#define NOTE_PHYS32_ENTRY 18

static bool fail(GError **error, const char *sentence)
{
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, sentence);
	return false;
}

/* A program header of either class, in 64 bits. */
static Elf64_Phdr read_header(const uint8_t *data, bool wide)
{
	Elf64_Phdr header;
	Elf32_Phdr narrow;

	if (wide) {
		memcpy(&header, data, sizeof(header));
		return header;
	}
	memcpy(&narrow, data, sizeof(narrow));
	return (Elf64_Phdr){
		.p_type = narrow.p_type,
		.p_offset = narrow.p_offset,
		.p_vaddr = narrow.p_vaddr,
		.p_paddr = narrow.p_paddr,
		.p_filesz = narrow.p_filesz,
		.p_memsz = narrow.p_memsz,
	};
}

static bool add_load(struct elf_loader *loader, const Elf64_Phdr *header, GError **error)
{
	struct elf_segment *segment = &loader->segments[loader->count];

	if (!header->p_memsz)
		return true;
	if (loader->count == ELF_SEGMENTS_MAX || header->p_filesz > header->p_memsz ||
		header->p_offset + header->p_filesz < header->p_offset)
		return fail(error, _("its ELF program headers make no sense"));
	if (!memory_at(loader->memory, header->p_paddr, header->p_memsz)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
			_("the guest has too little memory for it: it must lie from %llu to %llu MiB"),
			(unsigned long long)(header->p_paddr >> 20),
			(unsigned long long)((header->p_paddr + header->p_memsz + 0xfffff) >> 20));
		return false;
	}
	loader->count++;
	segment->offset = header->p_offset;
	segment->address = header->p_paddr;
	segment->file_size = header->p_filesz;
	segment->memory_size = header->p_memsz;
	if (loader->entry >= header->p_vaddr && loader->entry - header->p_vaddr < header->p_memsz)
		loader->virtual_entry_base = header->p_vaddr - header->p_paddr;
	loader->low = MIN(loader->low, header->p_paddr);
	loader->high = MAX(loader->high, header->p_paddr + header->p_memsz);
	return true;
}

static bool add_note(struct elf_loader *loader, const Elf64_Phdr *header, GError **error)
{
	struct elf_segment *segment = &loader->segments[loader->count];

	if (loader->count == ELF_SEGMENTS_MAX ||
		header->p_filesz > ELF_NOTES_MAX - loader->notes_length ||
		header->p_offset + header->p_filesz < header->p_offset)
		return fail(error, _("its ELF program headers make no sense"));
	loader->count++;
	segment->offset = header->p_offset;
	segment->address = loader->notes_length;
	segment->file_size = header->p_filesz;
	segment->note = true;
	loader->notes_length += header->p_filesz;
	return true;
}

struct elf_table {
	uint64_t offset;
	unsigned count;
	unsigned entry_size;
};

/* Reads the ELF header; false where it is not one for an x86 program. */
static bool read_elf_header(struct elf_loader *loader, const uint8_t *data, size_t length,
	struct elf_table *table)
{
	union {
		Elf64_Ehdr wide;
		Elf32_Ehdr narrow;
	} header;

	if (length < sizeof(header) || memcmp(data, ELFMAG, SELFMAG) != 0 ||
		data[EI_DATA] != ELFDATA2LSB)
		return false;
	memcpy(&header, data, sizeof(header));
	loader->wide = data[EI_CLASS] == ELFCLASS64;
	if (loader->wide) {
		*table = (struct elf_table){ header.wide.e_phoff, header.wide.e_phnum,
			header.wide.e_phentsize };
		loader->entry = header.wide.e_entry;
		return header.wide.e_machine == EM_X86_64 &&
			table->entry_size == sizeof(Elf64_Phdr);
	}
	*table = (struct elf_table){ header.narrow.e_phoff, header.narrow.e_phnum,
		header.narrow.e_phentsize };
	loader->entry = header.narrow.e_entry;
	return header.narrow.e_machine == EM_386 && table->entry_size == sizeof(Elf32_Phdr);
}

static bool read_headers(struct elf_loader *loader, const uint8_t *data, size_t length,
	GError **error)
{
	struct elf_table table;

	if (!read_elf_header(loader, data, length, &table))
		return fail(error, _("it is not an ELF program for x86"));
	if (table.offset > length || table.count > (length - table.offset) / table.entry_size)
		return fail(error, _("its ELF program headers are not at its beginning"));
	for (unsigned i = 0; i < table.count; i++) {
		Elf64_Phdr header =
			read_header(data + table.offset + i * table.entry_size, loader->wide);

		if (header.p_type == PT_LOAD && !add_load(loader, &header, error))
			return false;
		if (header.p_type == PT_NOTE && !add_note(loader, &header, error))
			return false;
	}
	if (!loader->high)
		return fail(error, _("it has nothing to load"));
	loader->notes = g_malloc0(loader->notes_length + 1);
	return true;
}

/* Copies what of [offset, offset + length) belongs to the segment and is not there yet. */
static void copy_part(const struct elf_loader *loader, const struct elf_segment *segment,
	uint64_t offset, const uint8_t *data, size_t length)
{
	uint64_t from = MAX(segment->offset, offset);
	uint64_t to = MIN(segment->offset + segment->file_size, offset + length);
	uint64_t address = segment->address + (from - segment->offset);

	if (from >= to)
		return;
	data += from - offset;
	if (segment->note)
		memcpy(loader->notes + address, data, to - from);
	else if (memory_at(loader->memory, address, to - from) == data)
		memory_dirty(loader->memory, address, to - from);
	else
		memory_write(loader->memory, address, data, to - from);
}

static void put(struct unpack_sink *sink, uint64_t offset, const uint8_t *data, size_t length)
{
	const struct elf_loader *loader = (struct elf_loader *)sink;

	for (unsigned i = 0; i < loader->count; i++)
		copy_part(loader, &loader->segments[i], offset, data, length);
}

static void took(struct unpack_sink *sink, uint64_t length)
{
	struct elf_loader *loader = (struct elf_loader *)sink;

	loader->at += length;
}

static bool take(struct unpack_sink *sink, const uint8_t *data, size_t length, GError **error)
{
	struct elf_loader *loader = (struct elf_loader *)sink;

	if (loader->at == 0 && !read_headers(loader, data, length, error))
		return false;
	put(sink, loader->at, data, length);
	took(sink, length);
	return true;
}

/* In guest memory, where all of it belongs to one segment, and to no other. */
static uint8_t *room(struct unpack_sink *sink, uint64_t offset, size_t length)
{
	const struct elf_loader *loader = (struct elf_loader *)sink;
	const struct elf_segment *owner = NULL;

	for (unsigned i = 0; i < loader->count; i++) {
		const struct elf_segment *segment = &loader->segments[i];
		uint64_t end = segment->offset + segment->file_size;

		if (segment->note || offset >= end || offset + length <= segment->offset)
			continue;
		if (owner || offset < segment->offset || offset + length > end)
			return NULL;
		owner = segment;
	}
	return owner ? memory_at(loader->memory, owner->address + (offset - owner->offset), length)
		     : NULL;
}

void elf_loader_init(struct elf_loader *loader, struct guest_memory *memory)
{
	memset(loader, 0, sizeof(*loader));
	loader->sink.take = take;
	loader->sink.room = room;
	loader->sink.put = put;
	loader->sink.took = took;
	loader->memory = memory;
	loader->low = UINT64_MAX;
}

void elf_loader_release(struct elf_loader *loader)
{
	g_clear_pointer(&loader->notes, g_free);
}

bool elf_loader_finish(struct elf_loader *loader, GError **error)
{
	if (loader->at == 0)
		return fail(error, _("it is empty"));
	for (unsigned i = 0; i < loader->count; i++)
		if (loader->segments[i].offset + loader->segments[i].file_size > loader->at)
			return fail(error, _("it is truncated"));
	return true;
}

bool elf_loader_pvh_entry(const struct elf_loader *loader, uint32_t *entry)
{
	uint64_t at = 0;

	while (loader->notes && loader->notes_length - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note;
		uint64_t left = loader->notes_length - at - sizeof(note);
		uint64_t name, content;

		memcpy(&note, loader->notes + at, sizeof(note));
		name = ((uint64_t)note.n_namesz + 3) & ~3ull;
		content = ((uint64_t)note.n_descsz + 3) & ~3ull;
		if (name > left || content > left - name)
			return false;
		at += sizeof(note);
		if (note.n_type == NOTE_PHYS32_ENTRY && note.n_namesz == 4 && note.n_descsz >= 4 &&
			memcmp(loader->notes + at, "Xen", 4) == 0) {
			memcpy(entry, loader->notes + at + name, sizeof(*entry));
			return true;
		}
		at += name + content;
	}
	return false;
}

uint64_t elf_loader_entry(const struct elf_loader *loader)
{
	return loader->entry - loader->virtual_entry_base;
}

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Loading an ELF image (System V ABI, "Program Loading"), 32 or 64 bits, x86, into guest memory
 * at its segments' physical addresses, from bytes that come in order: each piece is copied where
 * it belongs, and forgotten.
 */
#pragma once

#include "engine/vmm/boot/unpack.h"
#include "engine/vmm/memory.h"

#define ELF_SEGMENTS_MAX 32
#define ELF_NOTES_MAX 65536u

struct elf_segment {
	uint64_t offset;  /* in the file */
	uint64_t address; /* physical; of a note: in the buffer */
	uint64_t file_size;
	uint64_t memory_size;
	bool note;
};

struct elf_loader {
	struct unpack_sink sink; /* first: bytes are given to this */
	struct guest_memory *memory;
	uint64_t at; /* bytes seen */
	bool wide;   /* ELF64 */
	uint64_t entry;
	uint64_t virtual_entry_base; /* what to subtract from entry for a physical address */
	struct elf_segment segments[ELF_SEGMENTS_MAX];
	unsigned count;
	uint8_t *notes;
	uint64_t notes_length;
	uint64_t low, high; /* physical range of the loaded segments */
};

/* memory must be zero where the image goes. */
void elf_loader_init(struct elf_loader *loader, struct guest_memory *memory);
void elf_loader_release(struct elf_loader *loader);

/* After the last byte: errors where it was not the last the headers speak of. */
bool elf_loader_finish(struct elf_loader *loader, GError **error);

/* The 32-bit entry point of Xen's note 18, PHYS32_ENTRY (xen/include/public/elfnote.h). */
bool elf_loader_pvh_entry(const struct elf_loader *loader, uint32_t *entry);

/* The physical address of the ELF header's entry point. */
uint64_t elf_loader_entry(const struct elf_loader *loader);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the loaders of kernel formats share: the job of booting one image once, and the formats
 * themselves as a table of ops (boot.c).
 *
 * A format's load() puts kernel, modules and tables into memory that is all zero, and describes
 * the boot processor's registers at the kernel's entry.
 */
#pragma once

#include "engine/vmm/boot/file.h"
#include "engine/vmm/boot/map.h"
#include "engine/vmm/cpu/vcpu.h"

/* How much of the file's beginning a format is told by: Multiboot's header lies in the first 8
 * KiB, Linux's setup code has at most 32 KiB. */
#define BOOT_HEAD_SIZE 65536u

struct boot_job {
	struct guest_memory *memory;
	const struct boot_file *kernel;
	const char *initrd;  /* the definition's text: a path, or Multiboot's list; or NULL */
	GPtrArray *files;    /* struct boot_file: what initrd names, in order */
	GPtrArray *file_arguments; /* char *: for each of them, the string that goes with it */
	const char *cmdline; /* never NULL */
	struct boot_map map;
	uint64_t rsdp; /* guest address of ACPI's root */
	uint8_t *head; /* the kernel file's beginning… */
	uint64_t head_length; /* …at most BOOT_HEAD_SIZE bytes */
	uint64_t kernel_end;  /* first free address above the kernel, set by load() */
};

struct boot_format {
	const char *name;
	/* Whether the file is one of this format, by its head. */
	bool (*probe)(const struct boot_job *job);
	bool (*load)(struct boot_job *job, struct vcpu_state *state, GError **error);
};

extern const struct boot_format boot_format_bzimage;
extern const struct boot_format boot_format_multiboot;
extern const struct boot_format boot_format_elf;

/* Reads file to the top of RAM below limit, page-aligned, at or above job->kernel_end. Errors:
 * too little memory, with the sizes. */
bool boot_place_file(struct boot_job *job, const struct boot_file *file, uint64_t limit,
	uint64_t *address, GError **error);

/* Puts the command line at LAYOUT_CMDLINE. Errors: longer than limit bytes with its NUL. */
bool boot_place_cmdline(struct boot_job *job, uint64_t limit, GError **error);

/* Entries that formats share; the image is loaded already, job->kernel_end set. */
bool boot_enter_pvh(struct boot_job *job, uint32_t entry, struct vcpu_state *state,
	GError **error);
/* The 64-bit boot protocol (Linux, Documentation/arch/x86/boot.rst); header is the setup header
 * of a bzImage from 0x1f1 on with its length, or NULL where there is none. */
bool boot_enter_linux64(struct boot_job *job, uint64_t entry, const uint8_t *header,
	size_t header_length, struct vcpu_state *state, GError **error);

/* Registers: flat 32-bit protected mode without paging. */
void boot_state_protected(struct vcpu_state *state, uint32_t entry);
/* Registers: 64-bit mode on the identity page tables and GDT, which are put into memory. */
void boot_state_long(struct guest_memory *memory, struct vcpu_state *state, uint64_t entry);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The memory map as told to kernels: which physical addresses are RAM. Types are those of ACPI's
 * INT 15h E820h (ACPI 6.4, table 15.4), which PVH, Linux and Multiboot share.
 */
#pragma once

#include "engine/vmm/memory.h"

#define BOOT_MAP_MAX 8

enum boot_map_type {
	BOOT_MAP_RAM = 1,
	BOOT_MAP_RESERVED = 2,
};

struct boot_map_entry {
	uint64_t address;
	uint64_t size;
	enum boot_map_type type;
};

struct boot_map {
	struct boot_map_entry entries[BOOT_MAP_MAX];
	unsigned count;
};

void boot_map_fill(struct boot_map *map, const struct guest_memory *memory);

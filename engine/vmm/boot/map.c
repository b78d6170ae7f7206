// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/boot/map.h"

#include "engine/vmm/dev/pci.h"
#include "engine/vmm/layout.h"

static void add(struct boot_map *map, uint64_t address, uint64_t size, enum boot_map_type type)
{
	map->entries[map->count++] = (struct boot_map_entry){ address, size, type };
}

void boot_map_fill(struct boot_map *map, const struct guest_memory *memory)
{
	map->count = 0;
	add(map, 0, LAYOUT_EBDA, BOOT_MAP_RAM);
	add(map, LAYOUT_EBDA, 0xa0000 - LAYOUT_EBDA, BOOT_MAP_RESERVED);
	add(map, LAYOUT_ACPI, LAYOUT_HIGH - LAYOUT_ACPI, BOOT_MAP_RESERVED);
	if (memory->low_size > LAYOUT_HIGH)
		add(map, LAYOUT_HIGH, memory->low_size - LAYOUT_HIGH, BOOT_MAP_RAM);
	/* Linux uses ECAM only where the map says that nothing else is there. */
	add(map, PCI_ECAM_BASE, PCI_ECAM_SIZE, BOOT_MAP_RESERVED);
	if (memory->high_size)
		add(map, MEMORY_HIGH_START, memory->high_size, BOOT_MAP_RAM);
}

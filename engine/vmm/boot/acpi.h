// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The ACPI tables (ACPI 6.4, chapter 5): RSDP, XSDT, FADT, MADT, MCFG, SRAT (where memory may be
 * plugged, as memory says), and the DSDT, which iasl
 * compiles from dsdt.asl and what it includes at build time and which gets the values that are the machine's own
 * filled in.
 */
#pragma once

#include "engine/vmm/memory.h"

struct acpi_config {
	/* APIC ids 0 to vcpus_max - 1, of which those are there whose bit is set; the others are
	 * given as "may come later". */
	uint64_t present;
	unsigned vcpus_max;
	unsigned serials; /* how many of COM1 to COM4 there are */
};

/* Writes all tables to LAYOUT_ACPI. Returns the RSDP's address. memory must reach beyond 1 MiB. */
uint64_t acpi_load(struct guest_memory *memory, const struct acpi_config *config);

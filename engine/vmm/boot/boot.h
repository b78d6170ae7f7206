// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Booting: from kernel, initrd and command line to a guest memory and a boot processor that stands
 * at the kernel's entry. Formats: bzImage, ELF with a PVH note or 64-bit Linux, Multiboot 1.
 *
 * Files are opened once and read again at each load (a reset). Main thread.
 */
#pragma once

#include "engine/common/config.h"
#include "engine/vmm/cpu/vcpu.h"
#include "engine/vmm/memory.h"

struct boot;

/* Opens the files that config names. Errors: G_FILE_ERROR. */
struct boot *boot_open(const struct machine_config *config, GError **error);
void boot_free(struct boot *boot);

/* The processors that are there: bit n is APIC id n. Before the first time: those of the definition. */
void boot_set_present(struct boot *boot, uint64_t present);

/* Puts everything into memory, which must be all zero, ACPI tables included, and fills in the boot processor's registers. Errors: one sentence with the
 * file's path: unknown format, truncated, too little memory… */
bool boot_load(const struct boot *boot, struct guest_memory *memory, struct vcpu_state *state,
	GError **error);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where everything is: the machine's address map in one place. Ranges that a chip's own header
 * defines are repeated here by name only.
 *
 * Guest physical memory
 *	0x00000000  RAM, up to MEMORY_HOLE_START (memory.h); its first MiB as PC firmware leaves it:
 *	  0x00000500  LAYOUT_GDT         the boot processor's first GDT
 *	  0x00001000  LAYOUT_START_INFO  PVH start info, Multiboot info or Linux's boot_params
 *	  0x00002000  LAYOUT_BOOT_TABLES memory map and module lists that go with it
 *	  0x00010000  LAYOUT_PAGE_TABLES identity map of 4 GiB for the 64-bit entry
 *	  0x00020000  LAYOUT_CMDLINE     the command line
 *	  0x0009fc00  LAYOUT_EBDA        end of conventional memory
 *	  0x000e0000  LAYOUT_ACPI        RSDP and ACPI tables
 *	  0x00100000  LAYOUT_HIGH        kernels
 *	0xe0000000  PCI_ECAM_BASE        configuration space of bus 0
 *	0xe8000000  PCI_WINDOW_BASE      BARs
 *	0xfec00000  IOAPIC_BASE
 *	0xfee00000  LAPIC_DEFAULT_BASE
 *	0xfeffc000  LAYOUT_KVM_TSS       pages the KVM backend needs on some processors
 *	0x100000000 MEMORY_HIGH_START    the rest of RAM
 *	            memory devices, each from the next multiple of 2 GiB (memplug.h)
 *	0x8000000000 PCI_WINDOW64_BASE   64-bit BARs
 *
 * I/O ports
 *	0x20 0xa0 0x4d0  8259s        0x40 0x61  8254        0x60 0x64  i8042
 *	0x70 0x71        MC146818     0x2e8 0x2f8 0x3e8 0x3f8  serial ports COM4 2 3 1
 *	0x505            pvpanic
 *	0x600-0x627      ACPI (pm.h)  0xcf8-0xcff  PCI, 0xcf9 reset
 *	0x640-0x64f      PCI hotplug (pcihp.h)
 *	0x660-0x66f      CPU hotplug (cpuhp.h)
 *
 * Global system interrupts
 *	0 8254   3 COM2, COM4   4 COM1, COM3   8 MC146818   9 ACPI (SCI)
 *	16-23 PCI INTA# by slot (pci_intx_gsi())
 *
 * PCI slots, bus 0: 0 host bridge, 1 up: disks, network cards, console, balloon, entropy, in the
 * order of the definition; what is plugged later takes the first that is free.
 */
#pragma once

#define LAYOUT_GDT 0x500ull
#define LAYOUT_START_INFO 0x1000ull
#define LAYOUT_BOOT_TABLES 0x2000ull
#define LAYOUT_BOOT_TABLES_END 0x10000ull
#define LAYOUT_PAGE_TABLES 0x10000ull
#define LAYOUT_CMDLINE 0x20000ull
#define LAYOUT_CMDLINE_SIZE 0x10000ull
#define LAYOUT_EBDA 0x9fc00ull
#define LAYOUT_ACPI 0xe0000ull
#define LAYOUT_HIGH 0x100000ull
/* Three pages of task state, then one of page tables. */
#define LAYOUT_KVM_TSS 0xfeffc000ull
#define LAYOUT_KVM_IDENTITY 0xfeffb000ull

#define LAYOUT_GSI_COM1 4
#define LAYOUT_GSI_COM2 3
#define LAYOUT_GSI_RTC 8

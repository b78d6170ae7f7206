// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/boot/acpi.h"

#include "engine/vmm/dev/ioapic.h"
#include "engine/vmm/dev/pci.h"
#include "engine/vmm/dev/pm.h"
#include "engine/vmm/dev/rtc.h"
#include "engine/vmm/layout.h"

#include <string.h>

/* Compiled from dsdt.asl. */
#include "engine/vmm/boot/dsdt.hex"

#define HEADER_SIZE 36
#define TABLE_MAX 32768

/* A table being written: bytes are appended, the header is completed at the end. */
struct table {
	uint8_t data[TABLE_MAX];
	size_t length;
};

static void put(struct table *table, uint64_t value, size_t size)
{
	g_assert(size <= 8 && table->length + size <= TABLE_MAX);
	value = GUINT64_TO_LE(value);
	memcpy(table->data + table->length, &value, size);
	table->length += size;
}

static void put_at(struct table *table, size_t at, uint64_t value, size_t size)
{
	size_t end = table->length;

	table->length = at;
	put(table, value, size);
	table->length = MAX(end, table->length);
}

static void put_zeroes(struct table *table, size_t size)
{
	g_assert(table->length + size <= TABLE_MAX);
	memset(table->data + table->length, 0, size);
	table->length += size;
}

static uint8_t checksum(const uint8_t *data, size_t length)
{
	uint8_t sum = 0;

	while (length--)
		sum = (uint8_t)(sum + *data++);
	return (uint8_t)-sum;
}

static void begin(struct table *table, const char *signature, uint8_t revision)
{
	table->length = 0;
	put_zeroes(table, HEADER_SIZE);
	memcpy(table->data, signature, 4);
	table->data[8] = revision;
	memcpy(table->data + 10, "LODGE LODGEVMM", 14);
	table->data[24] = 1;
	memcpy(table->data + 28, "LODG", 4);
	table->data[32] = 1;
}

/* Where the next table goes; tables are 64-byte aligned, as the FACS must be. */
struct writer {
	struct guest_memory *memory;
	uint64_t at;
};

static uint64_t write_bytes(struct writer *writer, const void *data, size_t length)
{
	uint64_t address = writer->at;

	g_assert(address + length <= LAYOUT_HIGH);
	memory_write(writer->memory, address, data, length);
	writer->at = (address + length + 63) & ~63ull;
	return address;
}

static uint64_t finish(struct writer *writer, struct table *table)
{
	put_at(table, 4, table->length, 4);
	table->data[9] = 0;
	table->data[9] = checksum(table->data, table->length);
	return write_bytes(writer, table->data, table->length);
}

/* ---- DSDT ------------------------------------------------------------------------------------ */

/* The byte that Name (name, 0xA5) in dsdt.asl holds: NameOp, name, BytePrefix, value. */
static void patch_byte(struct table *table, const char *name, uint8_t value)
{
	for (size_t at = HEADER_SIZE; at + 7 <= table->length; at++) {
		uint8_t *op = table->data + at;

		if (op[0] == 0x08 && memcmp(op + 1, name, 4) == 0 && op[5] == 0x0a) {
			op[6] = value;
			return;
		}
	}
	g_assert_not_reached();
}

static uint64_t write_dsdt(struct writer *writer, struct table *table,
	const struct acpi_config *config)
{
	G_STATIC_ASSERT(sizeof(dsdt_aml_code) <= TABLE_MAX);
	memcpy(table->data, dsdt_aml_code, sizeof(dsdt_aml_code));
	table->length = sizeof(dsdt_aml_code);
	patch_byte(table, "SERP", (uint8_t)((1u << config->serials) - 1));
	return finish(writer, table);
}

/* ---- FADT: table 5.9 ------------------------------------------------------------------------- */

#define FADT_SIZE 276
#define FADT_WBINVD (1u << 0)
#define FADT_PROC_C1 (1u << 2)
#define FADT_NO_SLEEP_BUTTON (1u << 5)
#define FADT_NO_RTC_WAKE (1u << 6)
#define FADT_TIMER_32 (1u << 8)
#define FADT_RESET_REGISTER (1u << 10)
#define FADT_BOOT_LEGACY (1u << 0)
#define FADT_BOOT_NO_VGA (1u << 2)
#define FADT_BOOT_NO_ASPM (1u << 4)
#define PROFILE_SERVER 4

/* A Generic Address Structure of an I/O port, 5.2.3.2. */
static void put_port(struct table *table, size_t at, uint64_t port, unsigned bytes)
{
	unsigned access = bytes == 1 ? 1 : bytes == 2 ? 2 : 3;

	put_at(table, at, 1, 1);
	put_at(table, at + 1, bytes * 8, 1);
	put_at(table, at + 3, access, 1);
	put_at(table, at + 4, port, 8);
}

/* The fixed hardware's ports, in 32 bits and as address structures. */
static void put_fixed_hardware(struct table *table)
{
	put_at(table, 56, PM_EVENT, 4);
	put_at(table, 64, PM_CONTROL, 4);
	put_at(table, 76, PM_TIMER, 4);
	put_at(table, 80, PM_GPE, 4);
	put_at(table, 88, 4, 1);
	put_at(table, 89, 2, 1);
	put_at(table, 91, 4, 1);
	put_at(table, 92, 8, 1);
	put_port(table, 148, PM_EVENT, 4);
	put_port(table, 172, PM_CONTROL, 2);
	put_port(table, 208, PM_TIMER, 4);
	put_port(table, 220, PM_GPE, 8);
	/* GPE registers are read by bytes, and 64 bits wide in all. */
	put_at(table, 223, 1, 1);
}

static uint64_t write_fadt(struct writer *writer, struct table *table, uint64_t facs, uint64_t dsdt)
{
	begin(table, "FACP", 6);
	put_zeroes(table, FADT_SIZE - HEADER_SIZE);
	put_at(table, 36, facs, 4);
	put_at(table, 40, dsdt, 4);
	put_at(table, 45, PROFILE_SERVER, 1);
	put_at(table, 46, PM_SCI, 2);
	put_at(table, 96, 0xfff, 2); /* no C2 */
	put_at(table, 98, 0xfff, 2); /* no C3 */
	put_at(table, 108, RTC_CENTURY, 1);
	put_at(table, 109, FADT_BOOT_LEGACY | FADT_BOOT_NO_VGA | FADT_BOOT_NO_ASPM, 2);
	put_at(table, 112,
		FADT_WBINVD | FADT_PROC_C1 | FADT_NO_SLEEP_BUTTON | FADT_NO_RTC_WAKE |
			FADT_TIMER_32 | FADT_RESET_REGISTER,
		4);
	put_port(table, 116, PM_RESET, 1);
	put_at(table, 128, PM_RESET_VALUE, 1);
	put_at(table, 131, 4, 1); /* minor version */
	put_at(table, 140, dsdt, 8);
	put_fixed_hardware(table);
	return finish(writer, table);
}

static uint64_t write_facs(struct writer *writer)
{
	uint8_t facs[64] = "FACS";

	facs[4] = sizeof(facs);
	facs[32] = 2;
	return write_bytes(writer, facs, sizeof(facs));
}

/* ---- MADT: 5.2.12 ---------------------------------------------------------------------------- */

#define MADT_PCAT_COMPAT 1
#define MADT_LAPIC_ENABLED 1
#define MADT_LAPIC_ONLINE_CAPABLE 2
#define MADT_ACTIVE_HIGH_LEVEL 0x0d

static void put_lapic(struct table *table, unsigned id, bool there)
{
	put(table, 0, 1);
	put(table, 8, 1);
	put(table, id, 1);
	put(table, id, 1);
	put(table, there ? MADT_LAPIC_ENABLED : MADT_LAPIC_ONLINE_CAPABLE, 4);
}

static void put_override(struct table *table, unsigned irq, unsigned gsi, unsigned flags)
{
	put(table, 2, 1);
	put(table, 10, 1);
	put(table, 0, 1);
	put(table, irq, 1);
	put(table, gsi, 4);
	put(table, flags, 2);
}

static uint64_t write_madt(struct writer *writer, struct table *table,
	const struct acpi_config *config)
{
	begin(table, "APIC", 5);
	put(table, LAPIC_DEFAULT_BASE, 4);
	put(table, MADT_PCAT_COMPAT, 4);
	for (unsigned id = 0; id < config->vcpus_max; id++)
		put_lapic(table, id, config->present >> id & 1);
	/* The I/O APIC, id 0, from GSI 0 on. */
	put(table, 1, 1);
	put(table, 12, 1);
	put(table, 0, 2);
	put(table, IOAPIC_BASE, 4);
	put(table, 0, 4);
	put_override(table, 0, 2, 0);
	put_override(table, PM_SCI, PM_SCI, MADT_ACTIVE_HIGH_LEVEL);
	/* NMI on LINT1 of all processors. */
	put(table, 4, 1);
	put(table, 6, 1);
	put(table, 0xff, 1);
	put(table, 0, 2);
	put(table, 1, 1);
	return finish(writer, table);
}

static uint64_t write_mcfg(struct writer *writer, struct table *table)
{
	begin(table, "MCFG", 1);
	put_zeroes(table, 8);
	put(table, PCI_ECAM_BASE, 8);
	put(table, 0, 2); /* segment */
	put(table, 0, 1); /* first bus */
	put(table, PCI_ECAM_SIZE / 0x100000 - 1, 1);
	put(table, 0, 4);
	return finish(writer, table);
}

/* ---- SRAT: 5.2.16, all in one domain --------------------------------------------------------- */

#define SRAT_ENABLED 1
#define SRAT_HOTPLUGGABLE 2

static void put_memory_affinity(struct table *table, uint64_t base, uint64_t length, unsigned flags)
{
	if (!length)
		return;
	put(table, 1, 1);
	put(table, 40, 1);
	put(table, 0, 4); /* domain */
	put(table, 0, 2);
	put(table, base, 8);
	put(table, length, 8);
	put(table, 0, 4);
	put(table, flags, 4);
	put(table, 0, 8);
}

/* Tells Linux how far memory may reach one day, so that it maps devices' buffers to suit. */
static uint64_t write_srat(struct writer *writer, struct table *table,
	const struct acpi_config *config)
{
	const struct guest_memory *memory = writer->memory;

	begin(table, "SRAT", 3);
	put(table, 1, 4);
	put_zeroes(table, 8);
	for (unsigned id = 0; id < config->vcpus_max; id++) {
		put(table, 0, 1);
		put(table, 16, 1);
		put(table, 0, 1); /* domain */
		put(table, id, 1);
		put(table, SRAT_ENABLED, 4);
		put_zeroes(table, 8);
	}
	put_memory_affinity(table, 0, memory->low_size, SRAT_ENABLED);
	put_memory_affinity(table, MEMORY_HIGH_START, memory->high_size, SRAT_ENABLED);
	put_memory_affinity(table, memory->region_start, memory->region_size,
		SRAT_ENABLED | SRAT_HOTPLUGGABLE);
	return finish(writer, table);
}

uint64_t acpi_load(struct guest_memory *memory, const struct acpi_config *config)
{
	struct writer writer = { memory, LAYOUT_ACPI + 64 };
	g_autofree struct table *table = g_new0(struct table, 1);
	uint64_t dsdt = write_dsdt(&writer, table, config);
	uint64_t tables[4] = {
		write_fadt(&writer, table, write_facs(&writer), dsdt),
		write_madt(&writer, table, config),
		write_mcfg(&writer, table),
	};
	size_t count = 3;
	uint8_t rsdp[36] = "RSD PTR ";
	uint64_t xsdt;

	if (memory->region_size)
		tables[count++] = write_srat(&writer, table, config);
	begin(table, "XSDT", 1);
	for (size_t i = 0; i < count; i++)
		put(table, tables[i], 8);
	xsdt = GUINT64_TO_LE(finish(&writer, table));
	memcpy(rsdp + 9, "LODGE ", 6);
	rsdp[15] = 2; /* revision */
	rsdp[20] = sizeof(rsdp);
	memcpy(rsdp + 24, &xsdt, 8);
	rsdp[8] = checksum(rsdp, 20);
	rsdp[32] = checksum(rsdp, sizeof(rsdp));
	memory_write(memory, LAYOUT_ACPI, rsdp, sizeof(rsdp));
	return LAYOUT_ACPI;
}

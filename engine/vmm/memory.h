// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Guest memory: the RAM of one machine, as the guest's physical addresses see it.
 *
 * RAM lies from 0 up to the PCI hole (MEMORY_HOLE_START) and, what does not fit, from 4 GiB up.
 * It is one private anonymous mapping of the host, filled on first touch, so that an address is
 * turned into a host pointer by a compare and an add.
 *
 * Threads: the layout is fixed after memory_new(). Bytes are shared with running vCPUs, like RAM
 * on hardware: ordering is the caller's business (virtio uses the atomics of <stdatomic.h>).
 * All functions may be called from any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define MEMORY_PAGE_SHIFT 12
#define MEMORY_PAGE_SIZE (1ull << MEMORY_PAGE_SHIFT)

/* Guest physical addresses from here to 4 GiB are never RAM: PCI windows, ECAM, APICs, ROM. */
#define MEMORY_HOLE_START 0xc0000000ull
#define MEMORY_HIGH_START 0x100000000ull

struct guest_memory {
	uint8_t *low;       /* host address of guest physical 0 */
	uint64_t low_size;  /* bytes, at most MEMORY_HOLE_START */
	uint8_t *high;      /* host address of guest physical 4 GiB, or NULL */
	uint64_t high_size; /* bytes */

	/*
	 * Code tracking for the software CPU; both NULL when no vCPU needs it.
	 *
	 * code_gen[page] counts changes of a page that holds decoded code. code_page[page] is
	 * non-zero while some vCPU holds decoded code of the page: who writes to such a page must
	 * bump code_gen after the bytes are in place (memory_dirty() does both checks).
	 * Indexed by memory_page_index(); one entry per RAM page.
	 */
	uint32_t *code_gen;
	uint8_t *code_page;
	uint64_t pages; /* entries in each */
};

/* Maps size bytes (a multiple of the page size) of zeroed RAM. Errors: G_FILE_ERROR with errno. */
struct guest_memory *memory_new(uint64_t size, GError **error);
void memory_free(struct guest_memory *mem);

/* Makes all RAM zero again, and gives it back to the host until it is touched. No vCPU runs and
 * no device writes meanwhile. */
void memory_clear(struct guest_memory *mem);

/* Allocates the code tracking arrays (host memory is taken as pages of them are touched). */
bool memory_track_code(struct guest_memory *mem, GError **error);

/* The host address of [gpa, gpa + length), or NULL where any byte of it is not RAM. */
static inline void *memory_at(const struct guest_memory *mem, uint64_t gpa, uint64_t length)
{
	if (G_LIKELY(gpa < mem->low_size && length <= mem->low_size - gpa))
		return mem->low + gpa;
	if (gpa >= MEMORY_HIGH_START && gpa - MEMORY_HIGH_START < mem->high_size &&
		length <= mem->high_size - (gpa - MEMORY_HIGH_START))
		return mem->high + (gpa - MEMORY_HIGH_START);
	return NULL;
}

/* The index of a RAM page in code_gen and code_page; gpa must be RAM. */
static inline uint64_t memory_page_index(const struct guest_memory *mem, uint64_t gpa)
{
	if (gpa >= MEMORY_HIGH_START)
		gpa -= MEMORY_HIGH_START - mem->low_size;
	return gpa >> MEMORY_PAGE_SHIFT;
}

/* Tells the code tracking that a device or loader has written [gpa, gpa + length) (RAM). */
void memory_dirty(struct guest_memory *mem, uint64_t gpa, uint64_t length);

/* Copies to and from guest memory; false, with nothing copied, where a byte is not RAM.
 * memory_write() includes memory_dirty(). */
bool memory_read(const struct guest_memory *mem, uint64_t gpa, void *data, uint64_t length);
bool memory_write(struct guest_memory *mem, uint64_t gpa, const void *data, uint64_t length);

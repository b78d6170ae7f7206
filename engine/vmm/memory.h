// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Guest memory: the RAM of one machine, as the guest's physical addresses see it.
 *
 * RAM lies from 0 up to the PCI hole (MEMORY_HOLE_START) and, what does not fit, from 4 GiB up.
 * It is one private anonymous mapping of the host, filled on first touch, so that an address is
 * turned into a host pointer by a compare and an add.
 *
 * Beyond boot memory there may be a region whose blocks become RAM and cease to be while the guest
 * runs (virtio-mem): "plugged" ones are RAM to everybody, others are not. A pointer into a block
 * that has been unplugged meanwhile still reaches memory of the guest's, which it has no more use
 * for: nothing of the host's is harmed.
 *
 * Threads: the layout is fixed after memory_new() and memory_add_region(), and before vCPUs are
 * made; the plugged blocks are changed with the machine lock held. Bytes are shared with running
 * vCPUs, like RAM on hardware: ordering is the caller's business (virtio uses the atomics of
 * <stdatomic.h>). All functions may be called from any thread.
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

/* What is plugged at a time is a multiple of this. */
#define MEMORY_BLOCK_SHIFT 21
#define MEMORY_BLOCK_SIZE (1ull << MEMORY_BLOCK_SHIFT)

struct guest_memory {
	uint8_t *low;       /* host address of guest physical 0 */
	uint64_t low_size;  /* bytes, at most MEMORY_HOLE_START */
	uint8_t *high;      /* host address of guest physical 4 GiB, or NULL */
	uint64_t high_size; /* bytes */

	/* The region of blocks that come and go; all as if it were nowhere where there is none. */
	uint8_t *region;       /* host address of guest physical region_start, or NULL */
	uint64_t region_start; /* UINT64_MAX where there is none */
	uint64_t region_size;  /* bytes */
	uint8_t *plugged;      /* of each block: whether it is RAM; read without lock */

	/*
	 * Code tracking for the software CPU; both NULL when no vCPU needs it.
	 *
	 * code_gen[page] counts changes of a page that holds decoded code. code_page[page] is
	 * non-zero while some vCPU holds decoded code of the page: who writes to such a page must
	 * bump code_gen after the bytes are in place (memory_dirty() does both checks).
	 * Indexed by memory_page_index(); one entry per RAM page, those that may be plugged too.
	 */
	uint32_t *code_gen;
	uint8_t *code_page;
	uint64_t pages; /* entries in each */
};

/* Maps size bytes (a multiple of the page size) of zeroed RAM. Errors: G_FILE_ERROR with errno. */
struct guest_memory *memory_new(uint64_t size, GError **error);
void memory_free(struct guest_memory *mem);

/* Adds the region, once: start is beyond boot memory, both are multiples of MEMORY_BLOCK_SIZE.
 * Nothing is plugged. Errors as above. */
bool memory_add_region(struct guest_memory *mem, uint64_t start, uint64_t size, GError **error);
/* Makes blocks of the region RAM (zeroed), or gives what is in them back to the host. gpa and
 * length are multiples of MEMORY_BLOCK_SIZE. Lock held. */
void memory_plug(struct guest_memory *mem, uint64_t gpa, uint64_t length, bool plugged);
/* How many bytes of a part of the region are plugged. */
uint64_t memory_plugged(const struct guest_memory *mem, uint64_t gpa, uint64_t length);

/* Makes all RAM zero again, and gives it back to the host until it is touched; nothing is plugged
 * then. No vCPU runs and no device writes meanwhile. */
void memory_clear(struct guest_memory *mem);

/* Allocates the code tracking arrays (host memory is taken as pages of them are touched). */
bool memory_track_code(struct guest_memory *mem, GError **error);

/* memory_at() for the region. */
void *memory_at_plugged(const struct guest_memory *mem, uint64_t gpa, uint64_t length);

/* The host address of [gpa, gpa + length), or NULL where any byte of it is not RAM. */
static inline void *memory_at(const struct guest_memory *mem, uint64_t gpa, uint64_t length)
{
	if (G_LIKELY(gpa < mem->low_size && length <= mem->low_size - gpa))
		return mem->low + gpa;
	if (gpa >= MEMORY_HIGH_START && gpa - MEMORY_HIGH_START < mem->high_size &&
		length <= mem->high_size - (gpa - MEMORY_HIGH_START))
		return mem->high + (gpa - MEMORY_HIGH_START);
	if (G_UNLIKELY(gpa >= mem->region_start))
		return memory_at_plugged(mem, gpa, length);
	return NULL;
}

/* The index of a RAM page in code_gen and code_page; gpa must be RAM. */
static inline uint64_t memory_page_index(const struct guest_memory *mem, uint64_t gpa)
{
	if (gpa >= mem->region_start)
		gpa -= mem->region_start - mem->low_size - mem->high_size;
	else if (gpa >= MEMORY_HIGH_START)
		gpa -= MEMORY_HIGH_START - mem->low_size;
	return gpa >> MEMORY_PAGE_SHIFT;
}

/* Tells the code tracking that a device or loader has written [gpa, gpa + length) (RAM). */
void memory_dirty(struct guest_memory *mem, uint64_t gpa, uint64_t length);

/* Copies to and from guest memory; false, with nothing copied, where a byte is not RAM.
 * memory_write() includes memory_dirty(). */
bool memory_read(const struct guest_memory *mem, uint64_t gpa, void *data, uint64_t length);
bool memory_write(struct guest_memory *mem, uint64_t gpa, const void *data, uint64_t length);

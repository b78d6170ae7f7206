// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/memory.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/mman.h>

static void *map_zeroed(uint64_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

/*
 * Guest RAM lies as the guest's own large pages do, and in large pages where the host has them:
 * far fewer faults and TLB misses, for the guest and for the software CPU.
 */
#define LARGE_PAGE (2ull << 20)

static void *map_guest(uint64_t size)
{
	uint8_t *at = map_zeroed(size + LARGE_PAGE);
	uint64_t before;

	if (!at)
		return NULL;
	before = -(uintptr_t)at & (LARGE_PAGE - 1);
	if (before)
		munmap(at, before);
	munmap(at + before + size, LARGE_PAGE - before);
	madvise(at + before, size, MADV_HUGEPAGE);
	return at + before;
}

static bool set_map_error(const char *what, uint64_t size, GError **error)
{
	int code = errno;

	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
		_("cannot get %llu MiB of host memory for %s: %s"),
		(unsigned long long)(size >> 20), what, g_strerror(code));
	return false;
}

struct guest_memory *memory_new(uint64_t size, GError **error)
{
	struct guest_memory *mem;
	uint8_t *at;

	g_assert(size && size % MEMORY_PAGE_SIZE == 0);
	at = map_guest(size);
	if (!at) {
		set_map_error(_("the guest"), size, error);
		return NULL;
	}
	mem = g_new0(struct guest_memory, 1);
	mem->low = at;
	mem->low_size = MIN(size, MEMORY_HOLE_START);
	mem->high_size = size - mem->low_size;
	mem->high = mem->high_size ? at + mem->low_size : NULL;
	mem->pages = size >> MEMORY_PAGE_SHIFT;
	mem->region_start = UINT64_MAX;
	return mem;
}

bool memory_add_region(struct guest_memory *mem, uint64_t start, uint64_t size, GError **error)
{
	g_assert(!mem->region && !mem->code_gen && size);
	g_assert(start % MEMORY_BLOCK_SIZE == 0 && size % MEMORY_BLOCK_SIZE == 0);
	g_assert(start >= MEMORY_HIGH_START + mem->high_size);
	mem->region = map_guest(size);
	if (!mem->region)
		return set_map_error(_("the guest"), size, error);
	mem->region_start = start;
	mem->region_size = size;
	mem->plugged = g_malloc0(size >> MEMORY_BLOCK_SHIFT);
	mem->pages += size >> MEMORY_PAGE_SHIFT;
	return true;
}

/* The region's first block of [gpa, gpa + length), which lies in it. */
static uint8_t *blocks_at(const struct guest_memory *mem, uint64_t gpa, uint64_t length)
{
	g_assert(gpa >= mem->region_start && length <= mem->region_size &&
		 gpa - mem->region_start <= mem->region_size - length);
	return mem->plugged + ((gpa - mem->region_start) >> MEMORY_BLOCK_SHIFT);
}

void memory_plug(struct guest_memory *mem, uint64_t gpa, uint64_t length, bool plugged)
{
	uint8_t *blocks = blocks_at(mem, gpa, length);

	for (uint64_t i = 0; i < length >> MEMORY_BLOCK_SHIFT; i++)
		__atomic_store_n(&blocks[i], plugged, __ATOMIC_RELEASE);
	if (plugged)
		return;
	madvise(mem->region + (gpa - mem->region_start), length, MADV_DONTNEED);
	memory_dirty(mem, gpa, length);
}

uint64_t memory_plugged(const struct guest_memory *mem, uint64_t gpa, uint64_t length)
{
	const uint8_t *blocks = blocks_at(mem, gpa, length);
	uint64_t count = 0;

	for (uint64_t i = 0; i < length >> MEMORY_BLOCK_SHIFT; i++)
		count += __atomic_load_n(&blocks[i], __ATOMIC_RELAXED);
	return count << MEMORY_BLOCK_SHIFT;
}

void *memory_at_plugged(const struct guest_memory *mem, uint64_t gpa, uint64_t length)
{
	uint64_t offset = gpa - mem->region_start, end = offset + length;

	if (offset >= mem->region_size || length > mem->region_size - offset)
		return NULL;
	for (uint64_t i = offset >> MEMORY_BLOCK_SHIFT;
		i << MEMORY_BLOCK_SHIFT < MAX(end, offset + 1); i++)
		if (!__atomic_load_n(&mem->plugged[i], __ATOMIC_ACQUIRE))
			return NULL;
	return mem->region + offset;
}

void memory_free(struct guest_memory *mem)
{
	if (!mem)
		return;
	if (mem->code_gen)
		munmap(mem->code_gen, mem->pages * sizeof(*mem->code_gen));
	if (mem->code_page)
		munmap(mem->code_page, mem->pages);
	munmap(mem->low, mem->low_size + mem->high_size);
	if (mem->region)
		munmap(mem->region, mem->region_size);
	g_free(mem->plugged);
	g_free(mem);
}

void memory_clear(struct guest_memory *mem)
{
	madvise(mem->low, mem->low_size + mem->high_size, MADV_DONTNEED);
	memory_dirty(mem, 0, mem->low_size);
	if (mem->high_size)
		memory_dirty(mem, MEMORY_HIGH_START, mem->high_size);
	if (mem->region)
		memory_plug(mem, mem->region_start, mem->region_size, false);
}

bool memory_track_code(struct guest_memory *mem, GError **error)
{
	if (!mem->code_gen)
		mem->code_gen = map_zeroed(mem->pages * sizeof(*mem->code_gen));
	if (mem->code_gen && !mem->code_page)
		mem->code_page = map_zeroed(mem->pages);
	if (mem->code_gen && mem->code_page)
		return true;
	return set_map_error(_("code tracking"), mem->pages * sizeof(*mem->code_gen), error);
}

void memory_dirty(struct guest_memory *mem, uint64_t gpa, uint64_t length)
{
	uint64_t first, last;

	if (!mem->code_gen || !length)
		return;
	first = memory_page_index(mem, gpa);
	last = memory_page_index(mem, gpa + length - 1);
	/* Pairs with the vCPU that marks a page before it reads the bytes to decode: either it
	 * sees our bytes, or we see its mark. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (uint64_t page = first; page <= last; page++)
		if (__atomic_load_n(&mem->code_page[page], __ATOMIC_RELAXED))
			__atomic_fetch_add(&mem->code_gen[page], 1, __ATOMIC_SEQ_CST);
}

bool memory_read(const struct guest_memory *mem, uint64_t gpa, void *data, uint64_t length)
{
	const void *at = memory_at(mem, gpa, length);

	if (at)
		memcpy(data, at, length);
	return at != NULL;
}

bool memory_write(struct guest_memory *mem, uint64_t gpa, const void *data, uint64_t length)
{
	void *at = memory_at(mem, gpa, length);

	if (!at)
		return false;
	memcpy(at, data, length);
	memory_dirty(mem, gpa, length);
	return true;
}

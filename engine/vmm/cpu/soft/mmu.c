// SPDX-License-Identifier: GPL-3.0-or-later
// Page walks, and what the soft TLB holds of their results.
//
// SDM volume 3, chapter "Paging": 32-bit, PAE and 4-level paging are one walk over a row of
// figures; access rights are worked out for one set of the TLB at a time.

#include "engine/vmm/cpu/soft/system.h"
#include "engine/vmm/dev/lapic.h"

#define PTE_P 0x1u
#define PTE_W 0x2u
#define PTE_U 0x4u
#define PTE_A 0x20u
#define PTE_D 0x40u
#define PTE_PS 0x80u
#define PTE_G 0x100u
#define PTE_NX (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

#define ERROR_P 0x1u
#define ERROR_W 0x2u
#define ERROR_U 0x4u
#define ERROR_RSVD 0x8u
#define ERROR_I 0x10u

#define LEVELS_MAX 4

struct paging {
	uint8_t top_shift;
	uint8_t index_bits;
	uint8_t entry_size;
};

static const struct paging paging_32 = {.top_shift = 22, .index_bits = 10, .entry_size = 4};
static const struct paging paging_pae = {.top_shift = 21, .index_bits = 9, .entry_size = 8};
static const struct paging paging_long = {.top_shift = 39, .index_bits = 9, .entry_size = 8};

struct walk {
	const struct paging *paging;
	unsigned levels; /* entries read */
	struct {
		uint64_t gpa, value;
	} level[LEVELS_MAX];
	unsigned shift; /* of the page */
	uint64_t gpa;   /* of the linear address */
	bool user, writable, nx, global, dirty;
	uint32_t error; /* P and RSVD, where the walk failed */
};

static uint64_t entry_load(struct soft_cpu *cpu, uint64_t gpa, unsigned size)
{
	void *host = memory_at(cpu->memory, gpa, size);
	if (host == NULL)
		return 0;
	if (size == 4)
		return atomic_load_explicit((_Atomic uint32_t *)host, memory_order_relaxed);
	return atomic_load_explicit((_Atomic uint64_t *)host, memory_order_relaxed);
}

/* Sets bits in an entry if it still is what was read. */
static bool entry_set(
	struct soft_cpu *cpu, uint64_t gpa, unsigned size, uint64_t old, uint64_t bits)
{
	void *host = memory_at(cpu->memory, gpa, size);
	bool done;

	if ((old & bits) == bits)
		return true;
	if (host == NULL)
		return false;
	if (size == 4) {
		uint32_t expected = (uint32_t)old;
		done = atomic_compare_exchange_strong(
			(_Atomic uint32_t *)host, &expected, (uint32_t)(old | bits));
	} else {
		done = atomic_compare_exchange_strong((_Atomic uint64_t *)host, &old, old | bits);
	}
	if (done)
		memory_dirty(cpu->memory, gpa, size);
	return done;
}

static uint64_t bits_between(unsigned low, unsigned high)
{
	return ((2ull << (high - low)) - 1) << low;
}

/* Bits that must be 0 in a present entry (SDM volume 3, figures 4-4, 4-7 and 4-11). */
static uint64_t entry_reserved(
	const struct soft_cpu *cpu, const struct paging *paging, unsigned shift, uint64_t value)
{
	uint64_t reserved;

	if (paging == &paging_32)
		return shift == 22 && (value & PTE_PS) && (cpu->cr4 & SOFT_CR4_PSE) ? 1u << 21 : 0;
	reserved = bits_between(SOFT_PHYSICAL_BITS, 51);
	if (paging == &paging_pae)
		reserved |= bits_between(52, 62);
	if (!(cpu->efer & SOFT_EFER_NXE))
		reserved |= PTE_NX;
	if (shift == 39)
		reserved |= PTE_PS;
	else if (shift > MEMORY_PAGE_SHIFT && (value & PTE_PS))
		reserved |= bits_between(13, shift - 1);
	return reserved;
}

static bool entry_is_leaf(
	const struct soft_cpu *cpu, const struct paging *paging, unsigned shift, uint64_t value)
{
	if (shift == MEMORY_PAGE_SHIFT)
		return true;
	if (paging == &paging_32 && !(cpu->cr4 & SOFT_CR4_PSE))
		return false;
	return value & PTE_PS;
}

static void walk_leaf(const struct soft_cpu *cpu, struct walk *w, uint64_t linear, uint64_t value)
{
	uint64_t low = (1ull << w->shift) - 1;
	uint64_t base = value & PTE_ADDRESS & ~low;

	if (w->paging == &paging_32) {
		base &= 0xffffffff;
		if (w->shift == 22)
			base |= (value >> 13 & 0xff) << 32;
	}
	w->gpa = base | (linear & low);
	w->global = (value & PTE_G) && (cpu->cr4 & SOFT_CR4_PGE);
	w->dirty = value & PTE_D;
}

/* Takes one entry in: false where it ends the walk with w->error. */
static bool walk_entry(struct soft_cpu *cpu, struct walk *w, uint64_t gpa)
{
	uint64_t value = entry_load(cpu, gpa, w->paging->entry_size);

	w->error = 0;
	if (!(value & PTE_P))
		return false;
	w->error = ERROR_P | ERROR_RSVD;
	if (value & entry_reserved(cpu, w->paging, w->shift, value))
		return false;
	w->user &= (value & PTE_U) != 0;
	w->writable &= (value & PTE_W) != 0;
	w->nx |= w->paging != &paging_32 && (value & PTE_NX);
	w->level[w->levels].gpa = gpa;
	w->level[w->levels++].value = value;
	return true;
}

static bool walk_tables(struct soft_cpu *cpu, struct walk *w, uint64_t table, uint64_t linear)
{
	const struct paging *p = w->paging;
	uint64_t mask = (1ull << p->index_bits) - 1;

	for (w->shift = p->top_shift;; w->shift -= p->index_bits) {
		if (!walk_entry(cpu, w, table + (linear >> w->shift & mask) * p->entry_size))
			return false;
		uint64_t value = w->level[w->levels - 1].value;
		if (entry_is_leaf(cpu, p, w->shift, value)) {
			walk_leaf(cpu, w, linear, value);
			return true;
		}
		table = value & PTE_ADDRESS;
	}
}

static bool walk(struct soft_cpu *cpu, struct walk *w, uint64_t linear)
{
	*w = (struct walk){.user = true, .writable = true};
	if (!(cpu->cr0 & SOFT_CR0_PG)) {
		w->shift = MEMORY_PAGE_SHIFT;
		w->gpa = (uint32_t)linear;
		w->dirty = true;
		return true;
	}
	if (cpu->efer & SOFT_EFER_LMA) {
		w->paging = &paging_long;
		return walk_tables(cpu, w, cpu->cr3 & PTE_ADDRESS, linear);
	}
	linear = (uint32_t)linear;
	if (cpu->cr4 & SOFT_CR4_PAE) {
		uint64_t pdpte = cpu->pdpte[linear >> 30];
		w->paging = &paging_pae;
		return (pdpte & PTE_P) && walk_tables(cpu, w, pdpte & PTE_ADDRESS, linear);
	}
	w->paging = &paging_32;
	return walk_tables(cpu, w, cpu->cr3 & 0xfffff000, linear);
}

/* What a set may do with the page: SOFT_TLB_CAN_*; the dirty bit apart. */
static uint32_t walk_rights(const struct soft_cpu *cpu, const struct walk *w, enum soft_tlb_set set)
{
	uint32_t rights = SOFT_TLB_CAN_READ | SOFT_TLB_CAN_WRITE | SOFT_TLB_CAN_EXEC;

	if (w->paging == NULL)
		return rights;
	if (set == SOFT_SET_USER) {
		if (!w->user)
			return 0;
		if (!w->writable)
			rights &= ~SOFT_TLB_CAN_WRITE;
	} else {
		if (!w->writable && (cpu->cr0 & SOFT_CR0_WP))
			rights &= ~SOFT_TLB_CAN_WRITE;
		if (w->user && (cpu->cr4 & SOFT_CR4_SMEP))
			rights &= ~SOFT_TLB_CAN_EXEC;
		if (w->user && set == SOFT_SET_SMAP && (cpu->cr4 & SOFT_CR4_SMAP))
			rights &= ~(SOFT_TLB_CAN_READ | SOFT_TLB_CAN_WRITE);
	}
	if (w->nx)
		rights &= ~SOFT_TLB_CAN_EXEC;
	return rights;
}

/* Sets the accessed bits on the way and the dirty bit; false where an entry has changed. */
static bool walk_mark(struct soft_cpu *cpu, struct walk *w, bool dirty)
{
	for (unsigned i = 0; i < w->levels; i++) {
		uint64_t bits = PTE_A;
		if (dirty && i == w->levels - 1)
			bits |= PTE_D;
		if (!entry_set(
			    cpu, w->level[i].gpa, w->paging->entry_size, w->level[i].value, bits))
			return false;
	}
	w->dirty |= dirty;
	return true;
}

static const uint32_t access_rights[] = {
	[SOFT_READ] = SOFT_TLB_CAN_READ,
	[SOFT_WRITE] = SOFT_TLB_CAN_WRITE,
	[SOFT_EXEC] = SOFT_TLB_CAN_EXEC,
};

static _Noreturn void raise_page_fault(struct soft_cpu *cpu, enum soft_tlb_set set, uint64_t linear,
	enum soft_access access, uint32_t error)
{
	bool nxe = (cpu->efer & SOFT_EFER_NXE) && (cpu->cr4 & SOFT_CR4_PAE);

	if (access == SOFT_WRITE)
		error |= ERROR_W;
	if (set == SOFT_SET_USER)
		error |= ERROR_U;
	if (access == SOFT_EXEC && (nxe || (cpu->cr4 & SOFT_CR4_SMEP)))
		error |= ERROR_I;
	soft_raise_page(cpu, linear, error);
}

/* The reverse index of entries that may write: see soft_cpu.tlb_writers. */
#define WRITER_MANY 0xffffu

static uint16_t *writer_of(struct soft_cpu *cpu, uint64_t gpa)
{
	if (G_UNLIKELY(cpu->tlb_writers == NULL))
		cpu->tlb_writers = g_new0(uint16_t, cpu->memory->pages);
	return &cpu->tlb_writers[memory_page_index(cpu->memory, gpa)];
}

/* number: set * SOFT_TLB_ENTRIES + index. */
static bool entry_may_write(const struct soft_cpu *cpu, unsigned number, uint64_t gpa)
{
	const struct soft_tlb_info *info =
		&cpu->tlbs[number / SOFT_TLB_ENTRIES].info[number % SOFT_TLB_ENTRIES];

	return info->gpa == gpa && (info->flags & SOFT_TLB_CAN_WRITE);
}

static void writer_add(struct soft_cpu *cpu, unsigned set, unsigned index, uint64_t gpa)
{
	uint16_t *writer = writer_of(cpu, gpa);
	uint16_t own = 1 + set * SOFT_TLB_ENTRIES + index;

	if (*writer == WRITER_MANY)
		return;
	if (*writer != 0 && *writer != own && entry_may_write(cpu, *writer - 1u, gpa))
		*writer = WRITER_MANY;
	else
		*writer = own;
}

static void entry_invalidate(struct soft_tlb *tlb, unsigned index)
{
	uint64_t invalid = soft_tlb_invalid(index);

	tlb->entry[index].tag[SOFT_READ] = invalid;
	tlb->entry[index].tag[SOFT_WRITE] = invalid;
	tlb->entry[index].tag[SOFT_EXEC] = invalid;
	tlb->info[index].page = invalid;
	tlb->info[index].flags = 0;
}

static void tlb_log(struct soft_tlb *tlb, unsigned index, bool global)
{
	if (global) {
		if (tlb->logged_global < SOFT_TLB_LOG)
			tlb->log_global[tlb->logged_global] = (uint16_t)index;
		tlb->logged_global++;
	} else {
		if (tlb->logged < SOFT_TLB_LOG)
			tlb->log[tlb->logged] = (uint16_t)index;
		tlb->logged++;
	}
}

static void tlb_note_large(struct soft_tlb *tlb, const struct walk *w, uint64_t linear)
{
	unsigned region = linear >> 22 & 255;

	tlb->large[region / 64] |= 1ull << region % 64;
	if (w->shift == 30)
		tlb->huge |= 1ull << (linear >> 30 & 63);
}

/* Host address of the page, or NULL for what must go through the slow path. */
static uint8_t *page_host(struct soft_cpu *cpu, uint64_t page)
{
	if (cpu->lapic != NULL && lapic_page(cpu->lapic) == page)
		return NULL;
	return memory_at(cpu->memory, page, MEMORY_PAGE_SIZE);
}

static void entry_fill(struct soft_cpu *cpu, enum soft_tlb_set set, uint64_t linear,
	const struct walk *w, uint32_t rights)
{
	struct soft_tlb *tlb = &cpu->tlbs[set];
	unsigned index = soft_tlb_index(linear);
	struct soft_tlb_entry *e = &tlb->entry[index];
	struct soft_tlb_info *info = &tlb->info[index];
	uint64_t page = linear & SOFT_PAGE_MASK;
	bool fresh = info->page != page;

	entry_invalidate(tlb, index);
	if (!w->dirty)
		rights &= ~SOFT_TLB_CAN_WRITE;
	info->page = page;
	info->gpa = w->gpa & SOFT_PAGE_MASK;
	info->flags = rights | (w->global ? SOFT_TLB_GLOBAL : 0) |
		      (w->shift > MEMORY_PAGE_SHIFT ? SOFT_TLB_LARGE : 0) |
		      (soft_debug_watches(cpu, page) ? SOFT_TLB_WATCH : 0);
	e->host = page_host(cpu, info->gpa);
	if (fresh)
		tlb_log(tlb, index, w->global);
	if (w->shift > MEMORY_PAGE_SHIFT)
		tlb_note_large(tlb, w, linear);
	if (e->host == NULL)
		return;
	if (rights & SOFT_TLB_CAN_EXEC)
		e->tag[SOFT_EXEC] = page;
	if (info->flags & SOFT_TLB_WATCH)
		return;
	if (rights & SOFT_TLB_CAN_READ)
		e->tag[SOFT_READ] = page;
	if (rights & SOFT_TLB_CAN_WRITE) {
		/* The tag goes in before the question, as who marks a page asks for it to be
		 * withdrawn only after that. */
		uint8_t *code = &cpu->memory->code_page[memory_page_index(cpu->memory, info->gpa)];
		writer_add(cpu, set, index, info->gpa);
		e->tag[SOFT_WRITE] = page;
		if (__atomic_load_n(code, __ATOMIC_SEQ_CST) != 0)
			e->tag[SOFT_WRITE] = soft_tlb_invalid(index);
	}
}

unsigned soft_tlb_fill(
	struct soft_cpu *cpu, enum soft_tlb_set set, uint64_t linear, enum soft_access access)
{
	struct walk w;
	uint32_t rights;

	if (cpu->efer & SOFT_EFER_LMA) {
		if (!soft_canonical(linear))
			soft_raise_canonical(cpu);
	} else {
		linear = (uint32_t)linear;
	}
	do {
		if (!walk(cpu, &w, linear))
			raise_page_fault(cpu, set, linear, access, w.error);
		rights = walk_rights(cpu, &w, set);
		if (!(rights & access_rights[access]))
			raise_page_fault(cpu, set, linear, access, ERROR_P);
	} while (!walk_mark(cpu, &w, access == SOFT_WRITE));
	entry_fill(cpu, set, linear, &w, rights);
	return soft_tlb_index(linear);
}

static void flush_logged(struct soft_tlb *tlb, const uint16_t *log, uint32_t logged, bool global)
{
	for (unsigned i = 0; i < logged; i++) {
		if (global || !(tlb->info[log[i]].flags & SOFT_TLB_GLOBAL))
			entry_invalidate(tlb, log[i]);
	}
}

static void flush_all_entries(struct soft_tlb *tlb, bool global)
{
	for (unsigned i = 0; i < SOFT_TLB_ENTRIES; i++) {
		if (global || !(tlb->info[i].flags & SOFT_TLB_GLOBAL))
			entry_invalidate(tlb, i);
	}
}

static void flush_kind(struct soft_tlb *tlb, const uint16_t *log, uint32_t *logged, bool global)
{
	if (*logged > SOFT_TLB_ENTRIES)
		flush_all_entries(tlb, global);
	else
		flush_logged(tlb, log, *logged, global);
	*logged = 0;
}

/* The jump cache is told: the lower half of the addresses, the upper one, or both. */
static void flushed(struct soft_cpu *cpu, bool lower, bool upper)
{
	cpu->flushes[0] += lower;
	cpu->flushes[1] += upper;
	soft_update_mode(cpu);
}

void soft_tlb_flush(struct soft_cpu *cpu)
{
	for (unsigned set = 0; set < SOFT_SETS; set++) {
		struct soft_tlb *tlb = &cpu->tlbs[set];
		flush_kind(tlb, tlb->log, &tlb->logged, true);
		flush_kind(tlb, tlb->log_global, &tlb->logged_global, true);
		memset(tlb->large, 0, sizeof(tlb->large));
		tlb->huge = 0;
	}
	flushed(cpu, true, true);
}

void soft_tlb_flush_nonglobal(struct soft_cpu *cpu)
{
	for (unsigned set = 0; set < SOFT_SETS; set++) {
		struct soft_tlb *tlb = &cpu->tlbs[set];
		flush_kind(tlb, tlb->log, &tlb->logged, false);
	}
	flushed(cpu, true, false);
}

/* Drops entries of large pages within [first, first + length). */
static void flush_large(struct soft_tlb *tlb, uint64_t first, uint64_t length)
{
	uint64_t pages = MIN(length >> MEMORY_PAGE_SHIFT, SOFT_TLB_ENTRIES);
	unsigned start = soft_tlb_index(first);

	for (uint64_t i = 0; i < pages; i++) {
		unsigned index = (start + i) % SOFT_TLB_ENTRIES;
		const struct soft_tlb_info *info = &tlb->info[index];
		if ((info->flags & SOFT_TLB_LARGE) && info->page - first < length)
			entry_invalidate(tlb, index);
	}
}

static void flush_page_in(struct soft_tlb *tlb, uint64_t linear)
{
	unsigned index = soft_tlb_index(linear);
	unsigned region = linear >> 22 & 255;

	if (tlb->info[index].page == (linear & SOFT_PAGE_MASK))
		entry_invalidate(tlb, index);
	if (tlb->huge >> (linear >> 30 & 63) & 1)
		flush_large(tlb, linear & ~0x3fffffffull, 1u << 30);
	else if (tlb->large[region / 64] >> region % 64 & 1)
		flush_large(tlb, linear & ~0x3fffffull, 1u << 22);
}

void soft_tlb_flush_page(struct soft_cpu *cpu, uint64_t linear)
{
	if (!(cpu->efer & SOFT_EFER_LMA))
		linear = (uint32_t)linear;
	for (unsigned set = 0; set < SOFT_SETS; set++)
		flush_page_in(&cpu->tlbs[set], linear);
	flushed(cpu, !(linear >> 63), linear >> 63);
}

static bool withdraw_write(struct soft_cpu *cpu, unsigned number, uint64_t gpa)
{
	unsigned index = number % SOFT_TLB_ENTRIES;

	if (!entry_may_write(cpu, number, gpa))
		return false;
	cpu->tlbs[number / SOFT_TLB_ENTRIES].entry[index].tag[SOFT_WRITE] = soft_tlb_invalid(index);
	return true;
}

void soft_tlb_protect(struct soft_cpu *cpu, uint64_t gpa)
{
	uint16_t *writer = writer_of(cpu, gpa);
	unsigned found = 0, last = 0;

	gpa &= SOFT_PAGE_MASK;
	if (*writer == 0)
		return;
	if (*writer != WRITER_MANY) {
		withdraw_write(cpu, *writer - 1u, gpa);
		return;
	}
	for (unsigned number = 0; number < SOFT_SETS * SOFT_TLB_ENTRIES; number++) {
		if (withdraw_write(cpu, number, gpa)) {
			found++;
			last = number;
		}
	}
	if (found <= 1)
		*writer = found == 0 ? 0 : (uint16_t)(1 + last);
}

bool soft_translate(struct soft_cpu *cpu, uint64_t linear, uint64_t *gpa)
{
	struct walk w;

	if (((cpu->efer & SOFT_EFER_LMA) && !soft_canonical(linear)) || !walk(cpu, &w, linear))
		return false;
	*gpa = w.gpa;
	return true;
}

bool soft_pdpte_load(struct soft_cpu *cpu, uint64_t cr3)
{
	uint64_t pdpte[4];

	for (unsigned i = 0; i < 4; i++) {
		pdpte[i] = entry_load(cpu, (cr3 & 0xffffffe0) + 8 * i, 8);
		if ((pdpte[i] & PTE_P) &&
			(pdpte[i] & (bits_between(SOFT_PHYSICAL_BITS, 63) | 0x1e6)) != 0)
			return false;
	}
	memcpy(cpu->pdpte, pdpte, sizeof(pdpte));
	return true;
}

void soft_mmu_free(struct soft_cpu *cpu)
{
	g_clear_pointer(&cpu->tlb_writers, g_free);
}

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Guest memory as instructions see it: by linear address, through the soft TLB.
 *
 * The fast path is a compare and a host access, inline; slow ones (TLB miss, page crossing, MMIO,
 * pages that hold code, watched pages) are in access.c. Everything here may raise #PF; then
 * nothing was stored. Only the vCPU's thread.
 */
#pragma once

#include "engine/vmm/cpu/soft/decode.h"
#include "engine/vmm/cpu/soft/soft.h"

/* Builds in which handlers return to a loop, see ops.h. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SOFT_LOOPED 1
#endif
#endif
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__)
#define SOFT_LOOPED 1
#endif

/* GLib's hints are lost on the way through inline functions. */
#define SOFT_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define SOFT_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* Unaligned host accesses that stay one access. */
struct soft_u16 { volatile uint16_t v; } __attribute__((packed, may_alias));
struct soft_u32 { volatile uint32_t v; } __attribute__((packed, may_alias));
struct soft_u64 { volatile uint64_t v; } __attribute__((packed, may_alias));

/* Slow paths (access.c). size 1, 2, 4, 8. */
uint64_t soft_load_slow(struct soft_cpu *cpu, enum soft_tlb_set set, uint64_t linear,
	unsigned size);
void soft_store_slow(struct soft_cpu *cpu, enum soft_tlb_set set, uint64_t linear, uint64_t value,
	unsigned size);

/*
 * The slow side of what handlers do inline. Called so that nothing of the caller's need be saved
 * around the call (its registers are kept but for RAX), as otherwise each handler would save on
 * its fast path, too. what: size, and for soft_operand_slow() the access, for soft_rmw_miss()
 * LOCK, from bit 8.
 */
uint64_t soft_load_miss(struct soft_cpu *cpu, uint64_t linear, unsigned what);
uint64_t soft_store_miss(struct soft_cpu *cpu, uint64_t linear, unsigned what, uint64_t value);
uint64_t soft_rmw_miss(struct soft_cpu *cpu, uint64_t linear, unsigned what);
uint64_t soft_rmw_end(struct soft_cpu *cpu);
uint64_t soft_operand_slow(struct soft_cpu *cpu, const struct soft_insn *insn, unsigned what);

#ifdef SOFT_LOOPED
#define SOFT_LOAD_MISS(cpu, linear, what) soft_load_miss(cpu, linear, what)
#define SOFT_STORE_MISS(cpu, linear, what, value) soft_store_miss(cpu, linear, what, value)
#define SOFT_RMW_MISS(cpu, linear, what) soft_rmw_miss(cpu, linear, what)
#define SOFT_RMW_END(cpu) soft_rmw_end(cpu)
#define SOFT_OPERAND_SLOW(cpu, insn, what) soft_operand_slow(cpu, insn, what)
#else
/* By the thunks in access.c: what in EAX, linear in RDX, value in RCX. The red zone is stepped
 * over. */
#define SOFT_THUNK(name, ...) \
	({ \
		uint64_t thunk_result; \
		__asm__ volatile("lea -128(%%rsp), %%rsp\n\t" \
				 "call " #name "_thunk\n\t" \
				 "lea 128(%%rsp), %%rsp" \
			: "=a"(thunk_result) \
			: __VA_ARGS__ \
			: "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", \
			"xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", \
			"xmm15"); \
		thunk_result; \
	})
#define SOFT_LOAD_MISS(cpu, linear, what) \
	SOFT_THUNK(soft_load_miss, "D"(cpu), "d"(linear), "a"(what))
#define SOFT_STORE_MISS(cpu, linear, what, value) \
	SOFT_THUNK(soft_store_miss, "D"(cpu), "d"(linear), "a"(what), "c"((uint64_t)(value)))
#define SOFT_RMW_MISS(cpu, linear, what) SOFT_THUNK(soft_rmw_miss, "D"(cpu), "d"(linear), "a"(what))
#define SOFT_RMW_END(cpu) SOFT_THUNK(soft_rmw_end, "D"(cpu), "a"(0))
#define SOFT_OPERAND_SLOW(cpu, insn, what) \
	SOFT_THUNK(soft_operand_slow, "D"(cpu), "S"(insn), "a"(what))
#endif

/* Lets the others run on, where a locked access across two pages has stopped them. */
void soft_rmw_release(struct soft_cpu *cpu);

/* A register of a device: the local APIC's page is the vCPU's own, all else the memory bus's.
 * Both park the floating point state first. */
uint64_t soft_mmio_read(struct soft_cpu *cpu, uint64_t gpa, unsigned size);
void soft_mmio_write(struct soft_cpu *cpu, uint64_t gpa, uint64_t value, unsigned size);

/* Any length (FXSAVE, descriptors, task states): all pages are checked before a byte is copied. */
void soft_load_bytes(struct soft_cpu *cpu, uint64_t linear, void *data, unsigned length);
void soft_store_bytes(struct soft_cpu *cpu, uint64_t linear, const void *data, unsigned length);
/* The same as implicit supervisor accesses. */
void soft_load_bytes_sys(struct soft_cpu *cpu, uint64_t linear, void *data, unsigned length);
void soft_store_bytes_sys(struct soft_cpu *cpu, uint64_t linear, const void *data, unsigned length);
/* Raises what a store there would raise. */
void soft_probe_write(struct soft_cpu *cpu, uint64_t linear, unsigned length);
void soft_probe_write_sys(struct soft_cpu *cpu, uint64_t linear, unsigned length);
void soft_probe_read(struct soft_cpu *cpu, uint64_t linear, unsigned length);

/* Host pointer to [linear, linear + length) for one access kind where it lies in one ordinary RAM
 * page (faulting as usual), else NULL: for REP string operations and vector loads. A pointer for
 * writing is never given into a page that holds code. */
uint8_t *soft_page_pointer(struct soft_cpu *cpu, uint64_t linear, unsigned length,
	enum soft_access access);

/*
 * Read-modify-write. soft_rmw() gives a host pointer to size bytes (1, 2, 4, 8; 16 aligned) at
 * linear, writable and faulting as a write does. After the bytes are changed by one access, or by
 * an atomic one under LOCK, soft_rmw_done() finishes it; nothing that raises may come between.
 */

static inline enum soft_tlb_set soft_data_set(const struct soft_cpu *cpu)
{
	return cpu->mode >> SOFT_MODE_SET_SHIFT & 3;
}

/* The set of implicit supervisor accesses (descriptor tables, task states, interrupt stacks). */
static inline enum soft_tlb_set soft_system_set(const struct soft_cpu *cpu)
{
	return cpu->cr4 & SOFT_CR4_SMAP ? SOFT_SET_SMAP : SOFT_SET_SYSTEM;
}

/* Page offset where [linear, linear + size) may be accessed straight, else something larger than
 * a page less size. */
#define SOFT_FAST(entry, linear, access, size) \
	SOFT_LIKELY(((linear) ^ (entry)->tag[access]) <= MEMORY_PAGE_SIZE - (size))

#define SOFT_DEFINE_ACCESS(bits, type) \
	static inline type soft_load_in##bits(struct soft_cpu *cpu, struct soft_tlb *tlb, \
		uint64_t linear) \
	{ \
		const struct soft_tlb_entry *e = &tlb->entry[soft_tlb_index(linear)]; \
		if (SOFT_FAST(e, linear, SOFT_READ, bits / 8)) \
			return SOFT_HOST##bits(e->host + (linear & ~SOFT_PAGE_MASK)); \
		return soft_load_slow(cpu, (unsigned)(tlb - cpu->tlbs), linear, bits / 8); \
	} \
	static inline void soft_store_in##bits(struct soft_cpu *cpu, struct soft_tlb *tlb, \
		uint64_t linear, type value) \
	{ \
		const struct soft_tlb_entry *e = &tlb->entry[soft_tlb_index(linear)]; \
		if (SOFT_FAST(e, linear, SOFT_WRITE, bits / 8)) \
			SOFT_HOST##bits(e->host + (linear & ~SOFT_PAGE_MASK)) = value; \
		else \
			soft_store_slow(cpu, (unsigned)(tlb - cpu->tlbs), linear, value, \
				bits / 8); \
	} \
	/* At the current privilege level. */ \
	static inline __attribute__((always_inline)) type soft_load##bits(struct soft_cpu *cpu, \
		uint64_t linear) \
	{ \
		const struct soft_tlb_entry *e = &cpu->tlb->entry[soft_tlb_index(linear)]; \
		if (SOFT_FAST(e, linear, SOFT_READ, bits / 8)) \
			return SOFT_HOST##bits(e->host + (linear & ~SOFT_PAGE_MASK)); \
		return SOFT_LOAD_MISS(cpu, linear, bits / 8); \
	} \
	static inline __attribute__((always_inline)) void soft_store##bits(struct soft_cpu *cpu, \
		uint64_t linear, type value) \
	{ \
		const struct soft_tlb_entry *e = &cpu->tlb->entry[soft_tlb_index(linear)]; \
		if (SOFT_FAST(e, linear, SOFT_WRITE, bits / 8)) \
			SOFT_HOST##bits(e->host + (linear & ~SOFT_PAGE_MASK)) = value; \
		else \
			SOFT_STORE_MISS(cpu, linear, bits / 8, value); \
	} \
	/* As implicit supervisor accesses. */ \
	static inline type soft_load_sys##bits(struct soft_cpu *cpu, uint64_t linear) \
	{ \
		return soft_load_in##bits(cpu, &cpu->tlbs[soft_system_set(cpu)], linear); \
	} \
	static inline void soft_store_sys##bits(struct soft_cpu *cpu, uint64_t linear, type value) \
	{ \
		soft_store_in##bits(cpu, &cpu->tlbs[soft_system_set(cpu)], linear, value); \
	}

#define SOFT_HOST8(p) (*(volatile uint8_t *)(p))
#define SOFT_HOST16(p) (((struct soft_u16 *)(p))->v)
#define SOFT_HOST32(p) (((struct soft_u32 *)(p))->v)
#define SOFT_HOST64(p) (((struct soft_u64 *)(p))->v)

SOFT_DEFINE_ACCESS(8, uint8_t)
SOFT_DEFINE_ACCESS(16, uint16_t)
SOFT_DEFINE_ACCESS(32, uint32_t)
SOFT_DEFINE_ACCESS(64, uint64_t)

static inline __attribute__((always_inline)) void *soft_rmw(struct soft_cpu *cpu, uint64_t linear,
	unsigned size, bool lock)
{
	const struct soft_tlb_entry *e = &cpu->tlb->entry[soft_tlb_index(linear)];
	if (SOFT_FAST(e, linear, SOFT_WRITE, size))
		return e->host + (linear & ~SOFT_PAGE_MASK);
	return (void *)SOFT_RMW_MISS(cpu, linear, size | lock << 8);
}

static inline __attribute__((always_inline)) void soft_rmw_done(struct soft_cpu *cpu)
{
	if (SOFT_UNLIKELY(cpu->rmw))
		SOFT_RMW_END(cpu);
}

/* The memory operand's offset in its segment (effective address), cut to the address size. For FS
 * and GS in 64-bit mode it includes the base: use soft_operand() for accesses. */
static inline uint64_t soft_effective(const struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t sum = cpu->gpr[insn->base] + (cpu->gpr[insn->index] << insn->scale) + insn->disp;
	return insn->asize == 8 ? sum : insn->asize == 4 ? (uint32_t)sum : (uint16_t)sum;
}

/* Linear address of the memory operand of size bytes, checked against its segment. */
static inline __attribute__((always_inline)) uint64_t soft_operand(struct soft_cpu *cpu,
	const struct soft_insn *insn, unsigned size, enum soft_access access)
{
	if (SOFT_LIKELY(insn->address == SOFT_ADDRESS_FLAT))
		return cpu->gpr[insn->base] + (cpu->gpr[insn->index] << insn->scale) + insn->disp;
	return SOFT_OPERAND_SLOW(cpu, insn, size | access << 8);
}

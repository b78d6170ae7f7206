// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/cpu/soft/access.h"
#include "engine/vmm/cpu/soft/block.h"
#include "engine/vmm/cpu/soft/system.h"
#include "engine/vmm/dev/lapic.h"

#include <string.h>

/* soft_cpu.rmw */
enum { RMW_NONE, RMW_DIRECT, RMW_BOUNCE };

/* A part of an access that lies in one page: bytes of RAM, or (host NULL) registers at gpa. */
struct span {
	uint8_t *host;
	uint64_t gpa;
	unsigned length;
};

static const uint32_t need[] = {
	[SOFT_READ] = SOFT_TLB_CAN_READ,
	[SOFT_WRITE] = SOFT_TLB_CAN_WRITE,
	[SOFT_EXEC] = SOFT_TLB_CAN_EXEC,
};

/* A code page that was written to often enough is data again. */
static void regain_write(struct soft_cpu *cpu, struct soft_tlb *tlb, unsigned index)
{
	const struct soft_tlb_info *info = &tlb->info[index];
	if (!tlb->entry[index].host || info->flags & SOFT_TLB_WATCH)
		return;
	uint64_t page = memory_page_index(cpu->memory, info->gpa);
	if (!__atomic_load_n(&cpu->memory->code_page[page], __ATOMIC_SEQ_CST))
		tlb->entry[index].tag[SOFT_WRITE] = info->page;
}

/* An entry of a page that was not plugged when it was made, and is now. */
static bool became_ram(struct soft_cpu *cpu, const struct soft_tlb *tlb, unsigned index)
{
	return !tlb->entry[index].host && tlb->info[index].gpa >= cpu->memory->region_start &&
		memory_at(cpu->memory, tlb->info[index].gpa, MEMORY_PAGE_SIZE);
}

/* The part of [linear, linear + length) in its first page, permissions checked. */
static struct span resolve(struct soft_cpu *cpu, enum soft_tlb_set set, uint64_t linear,
	unsigned length, enum soft_access access)
{
	struct soft_tlb *tlb = &cpu->tlbs[set];
	if (!soft_long64(cpu) && !(cpu->mode & SOFT_MODE_LONG))
		linear = (uint32_t)linear;
	unsigned index = soft_tlb_index(linear);
	const struct soft_tlb_info *info = &tlb->info[index];
	uint64_t offset = linear & ~SOFT_PAGE_MASK;
	length = MIN(length, MEMORY_PAGE_SIZE - offset);
	if (info->page != (linear & SOFT_PAGE_MASK) || !(info->flags & need[access]) ||
		became_ram(cpu, tlb, index))
		soft_tlb_fill(cpu, set, linear, access);
	if (info->flags & SOFT_TLB_WATCH)
		soft_debug_data(cpu, linear, length, access);
	uint8_t *host = tlb->entry[index].host;
	return (struct span){host ? host + offset : NULL, info->gpa + offset, length};
}

static bool crosses(uint64_t linear, unsigned length)
{
	return (linear & ~SOFT_PAGE_MASK) + length > MEMORY_PAGE_SIZE;
}

/* A flat segment ends at 4 GiB, and its operands do not go around. */
static void check_end(struct soft_cpu *cpu, uint64_t linear, unsigned length)
{
	if (cpu->current && cpu->mode & SOFT_MODE_FLAT && linear + length > 1ull << 32)
		soft_raise_canonical(cpu);
}

/* The local APIC's page is the vCPU's own. */
static bool is_lapic(struct soft_cpu *cpu, uint64_t gpa)
{
	return cpu->lapic && (gpa & SOFT_PAGE_MASK) == lapic_page(cpu->lapic);
}

uint64_t soft_mmio_read(struct soft_cpu *cpu, uint64_t gpa, unsigned size)
{
	soft_fp_park(&cpu->fp);
	soft_count(cpu, VCPU_CAUSE_MEMORY);
	if (is_lapic(cpu, gpa))
		return lapic_read(cpu->lapic, gpa & ~SOFT_PAGE_MASK, size);
	return bus_read(cpu->env->mmio, gpa, size);
}

void soft_mmio_write(struct soft_cpu *cpu, uint64_t gpa, uint64_t value, unsigned size)
{
	soft_fp_park(&cpu->fp);
	soft_count(cpu, VCPU_CAUSE_MEMORY);
	if (is_lapic(cpu, gpa))
		lapic_write(cpu->lapic, gpa & ~SOFT_PAGE_MASK, value, size);
	else
		bus_write(cpu->env->mmio, gpa, value, size);
}

static void span_read(struct soft_cpu *cpu, const struct span *span, uint8_t *data)
{
	if (span->host) {
		memcpy(data, span->host, span->length);
		return;
	}
	for (unsigned i = 0; i < span->length; i++)
		data[i] = soft_mmio_read(cpu, span->gpa + i, 1);
}

static void span_write(struct soft_cpu *cpu, const struct span *span, const uint8_t *data)
{
	if (!span->host) {
		for (unsigned i = 0; i < span->length; i++)
			soft_mmio_write(cpu, span->gpa + i, data[i], 1);
		return;
	}
	memcpy(span->host, data, span->length);
	uint64_t page = memory_page_index(cpu->memory, span->gpa);
	if (__atomic_load_n(&cpu->memory->code_page[page], __ATOMIC_SEQ_CST))
		soft_code_written(cpu, span->gpa, span->length);
}

static uint64_t host_load(const uint8_t *host, unsigned size)
{
	switch (size) {
	case 1:
		return SOFT_HOST8(host);
	case 2:
		return SOFT_HOST16(host);
	case 4:
		return SOFT_HOST32(host);
	default:
		return SOFT_HOST64(host);
	}
}

static void host_store(uint8_t *host, uint64_t value, unsigned size)
{
	switch (size) {
	case 1:
		SOFT_HOST8(host) = value;
		break;
	case 2:
		SOFT_HOST16(host) = value;
		break;
	case 4:
		SOFT_HOST32(host) = value;
		break;
	default:
		SOFT_HOST64(host) = value;
		break;
	}
}

static void load_bytes(struct soft_cpu *cpu, enum soft_tlb_set set, uint64_t linear, uint8_t *data,
	unsigned length)
{
	/* All pages first: nothing is read from a device for an access that then faults. */
	for (unsigned done = 0; crosses(linear, length) && done < length;)
		done += resolve(cpu, set, linear + done, length - done, SOFT_READ).length;
	for (unsigned done = 0; done < length;) {
		struct span span = resolve(cpu, set, linear + done, length - done, SOFT_READ);
		span_read(cpu, &span, data + done);
		done += span.length;
	}
}

static void probe(struct soft_cpu *cpu, enum soft_tlb_set set, uint64_t linear, unsigned length,
	enum soft_access access)
{
	for (unsigned done = 0; done < length;)
		done += resolve(cpu, set, linear + done, length - done, access).length;
}

static void store_bytes(struct soft_cpu *cpu, enum soft_tlb_set set, uint64_t linear,
	const uint8_t *data, unsigned length)
{
	if (crosses(linear, length))
		probe(cpu, set, linear, length, SOFT_WRITE);
	for (unsigned done = 0; done < length;) {
		struct span span = resolve(cpu, set, linear + done, length - done, SOFT_WRITE);
		span_write(cpu, &span, data + done);
		done += span.length;
	}
}

uint64_t soft_load_slow(struct soft_cpu *cpu, enum soft_tlb_set set, uint64_t linear, unsigned size)
{
	if (crosses(linear, size)) {
		uint64_t value = 0;
		check_end(cpu, linear, size);
		load_bytes(cpu, set, linear, (uint8_t *)&value, size);
		return value;
	}
	struct span span = resolve(cpu, set, linear, size, SOFT_READ);
	return span.host ? host_load(span.host, size) : soft_mmio_read(cpu, span.gpa, size);
}

void soft_store_slow(
	struct soft_cpu *cpu, enum soft_tlb_set set, uint64_t linear, uint64_t value, unsigned size)
{
	if (crosses(linear, size)) {
		check_end(cpu, linear, size);
		store_bytes(cpu, set, linear, (const uint8_t *)&value, size);
		return;
	}
	struct span span = resolve(cpu, set, linear, size, SOFT_WRITE);
	if (!span.host) {
		soft_mmio_write(cpu, span.gpa, value, size);
		return;
	}
	host_store(span.host, value, size);
	uint64_t page = memory_page_index(cpu->memory, span.gpa);
	if (__atomic_load_n(&cpu->memory->code_page[page], __ATOMIC_SEQ_CST))
		soft_code_written(cpu, span.gpa, size);
	else
		regain_write(cpu, &cpu->tlbs[set], soft_tlb_index(linear));
}

void soft_load_bytes(struct soft_cpu *cpu, uint64_t linear, void *data, unsigned length)
{
	if (crosses(linear, length))
		check_end(cpu, linear, length);
	load_bytes(cpu, soft_data_set(cpu), linear, data, length);
}

void soft_store_bytes(struct soft_cpu *cpu, uint64_t linear, const void *data, unsigned length)
{
	if (crosses(linear, length))
		check_end(cpu, linear, length);
	store_bytes(cpu, soft_data_set(cpu), linear, data, length);
}

void soft_load_bytes_sys(struct soft_cpu *cpu, uint64_t linear, void *data, unsigned length)
{
	load_bytes(cpu, soft_system_set(cpu), linear, data, length);
}

void soft_store_bytes_sys(struct soft_cpu *cpu, uint64_t linear, const void *data, unsigned length)
{
	store_bytes(cpu, soft_system_set(cpu), linear, data, length);
}

void soft_probe_write(struct soft_cpu *cpu, uint64_t linear, unsigned length)
{
	if (crosses(linear, length))
		check_end(cpu, linear, length);
	probe(cpu, soft_data_set(cpu), linear, length, SOFT_WRITE);
}

void soft_probe_write_sys(struct soft_cpu *cpu, uint64_t linear, unsigned length)
{
	probe(cpu, soft_system_set(cpu), linear, length, SOFT_WRITE);
}

void soft_probe_read(struct soft_cpu *cpu, uint64_t linear, unsigned length)
{
	if (crosses(linear, length))
		check_end(cpu, linear, length);
	probe(cpu, soft_data_set(cpu), linear, length, SOFT_READ);
}

uint8_t *soft_page_pointer(
	struct soft_cpu *cpu, uint64_t linear, unsigned length, enum soft_access access)
{
	if (crosses(linear, length))
		return NULL;
	unsigned index = soft_tlb_index(linear);
	struct soft_tlb *tlb = cpu->tlb;
	if (tlb->entry[index].tag[access] != (linear & SOFT_PAGE_MASK)) {
		resolve(cpu, soft_data_set(cpu), linear, length, access);
		if (access == SOFT_WRITE)
			regain_write(cpu, tlb, index);
	}
	if (tlb->entry[index].tag[access] != (linear & SOFT_PAGE_MASK))
		return NULL;
	return tlb->entry[index].host + (linear & ~SOFT_PAGE_MASK);
}

static void bounce(struct soft_cpu *cpu, uint64_t linear, unsigned size, bool world)
{
	cpu->slow_rmw.linear = linear;
	cpu->slow_rmw.size = size;
	cpu->slow_rmw.world = world;
	cpu->rmw = RMW_BOUNCE;
}

/* The operand is copied aside, and back when it was changed; under LOCK nobody else runs meanwhile.
 */
static void *rmw_bounce(struct soft_cpu *cpu, uint64_t linear, unsigned size, bool lock)
{
	check_end(cpu, linear, size);
	probe(cpu, soft_data_set(cpu), linear, size, SOFT_WRITE);
	if (lock)
		soft_world_stop(cpu);
	bounce(cpu, linear, size, lock);
	load_bytes(cpu, soft_data_set(cpu), linear, (uint8_t *)cpu->slow_rmw.bounce, size);
	return cpu->slow_rmw.bounce;
}

static void *rmw_slow(struct soft_cpu *cpu, uint64_t linear, unsigned size, bool lock)
{
	if (crosses(linear, size))
		return rmw_bounce(cpu, linear, size, lock);
	struct span span = resolve(cpu, soft_data_set(cpu), linear, size, SOFT_WRITE);
	if (!span.host) {
		uint64_t value = soft_mmio_read(cpu, span.gpa, MIN(size, 8));
		cpu->slow_rmw.bounce[0] = value;
		cpu->slow_rmw.bounce[1] = size > 8 ? soft_mmio_read(cpu, span.gpa + 8, 8) : 0;
		bounce(cpu, linear, size, false);
		return cpu->slow_rmw.bounce;
	}
	uint64_t page = memory_page_index(cpu->memory, span.gpa);
	if (__atomic_load_n(&cpu->memory->code_page[page], __ATOMIC_SEQ_CST)) {
		cpu->slow_rmw.gpa = span.gpa;
		cpu->slow_rmw.size = size;
		cpu->rmw = RMW_DIRECT;
	} else {
		regain_write(cpu, cpu->tlb, soft_tlb_index(linear));
	}
	return span.host;
}

/* Writes back what was read from registers or across two pages. */
static void bounce_back(struct soft_cpu *cpu)
{
	enum soft_tlb_set set = soft_data_set(cpu);
	uint64_t linear = cpu->slow_rmw.linear;
	unsigned size = cpu->slow_rmw.size;
	if (crosses(linear, size) || size > 8)
		store_bytes(cpu, set, linear, (const uint8_t *)cpu->slow_rmw.bounce, size);
	else
		soft_store_slow(cpu, set, linear, cpu->slow_rmw.bounce[0], size);
	soft_rmw_release(cpu);
}

void soft_rmw_release(struct soft_cpu *cpu)
{
	if (cpu->slow_rmw.world)
		soft_world_resume(cpu);
	cpu->slow_rmw.world = false;
}

uint64_t soft_rmw_end(struct soft_cpu *cpu)
{
	uint32_t how = cpu->rmw;
	cpu->rmw = RMW_NONE;
	if (how == RMW_DIRECT)
		soft_code_written(cpu, cpu->slow_rmw.gpa, cpu->slow_rmw.size);
	else
		bounce_back(cpu);
	return 0;
}

uint64_t soft_load_miss(struct soft_cpu *cpu, uint64_t linear, unsigned what)
{
	return soft_load_slow(cpu, soft_data_set(cpu), linear, what);
}

uint64_t soft_store_miss(struct soft_cpu *cpu, uint64_t linear, unsigned what, uint64_t value)
{
	soft_store_slow(cpu, soft_data_set(cpu), linear, value, what);
	return 0;
}

uint64_t soft_rmw_miss(struct soft_cpu *cpu, uint64_t linear, unsigned what)
{
	return (uintptr_t)rmw_slow(cpu, linear, what & 0xff, what >> 8);
}

uint64_t soft_operand_slow(struct soft_cpu *cpu, const struct soft_insn *insn, unsigned what)
{
	uint64_t offset = soft_effective(cpu, insn);
	if (insn->address == SOFT_ADDRESS_FLAT32)
		return offset;
	return soft_segment_linear(cpu, insn->seg, offset, what & 0xff, what >> 8);
}

#ifndef SOFT_LOOPED
/* clang-format off */
/* From the handlers' convention (access.h) to C's and back. RSP need not be aligned before. */
#define THUNK(name, arguments) \
	__asm__(".pushsection .text\n" \
		".globl " #name "_thunk\n.hidden " #name "_thunk\n" \
		".type " #name "_thunk, @function\n" \
		#name "_thunk:\n" \
		".cfi_startproc\n" \
		"push %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset %rbp, -16\n" \
		"mov %rsp, %rbp\n.cfi_def_cfa_register %rbp\n" \
		"push %rdi\npush %rsi\npush %rdx\npush %rcx\n" \
		"push %r8\npush %r9\npush %r10\npush %r11\n" \
		"and $-16, %rsp\n" arguments "call " #name "\n" \
		"lea -64(%rbp), %rsp\n" \
		"pop %r11\npop %r10\npop %r9\npop %r8\n" \
		"pop %rcx\npop %rdx\npop %rsi\npop %rdi\n" \
		"pop %rbp\n.cfi_def_cfa %rsp, 8\n" \
		"ret\n.cfi_endproc\n" \
		".size " #name "_thunk, . - " #name "_thunk\n.popsection\n")

THUNK(soft_load_miss, "mov %rdx, %rsi\nmov %eax, %edx\n");
THUNK(soft_store_miss, "mov %rdx, %rsi\nmov %eax, %edx\n");
THUNK(soft_rmw_miss, "mov %rdx, %rsi\nmov %eax, %edx\n");
THUNK(soft_rmw_end, "");
THUNK(soft_operand_slow, "mov %eax, %edx\n");
/* clang-format on */
#endif

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/cpu/soft/block.h"
#include "engine/vmm/cpu/soft/fuse.h"
#include "engine/vmm/cpu/soft/ops.h"

#include <string.h>
#include <sys/mman.h>

/* Decoded blocks are carved from one mapping, and all forgotten when it is full. */
#define ARENA_SIZE (8u << 20)
#define BUCKET_BITS 15
#define BUCKETS (1u << BUCKET_BITS)
#define INSN_MAX 15

/* What of the mode word decoding depends on. */
#define BLOCK_MODE                                                                                 \
	(SOFT_MODE_CODE32 | SOFT_MODE_CODE64 | SOFT_MODE_STACK32 | SOFT_MODE_PROTECTED |           \
		SOFT_MODE_V86 | SOFT_MODE_LONG | SOFT_MODE_FLAT)

/* Blocks of an idle vCPU are forgotten where they take more than this, and it ran less than 1/REST
 * of a time. */
#define REST_SIZE (1u << 20)
#define REST 20
#define REST_NS 2000000000ull

struct soft_blocks {
	uint8_t *arena;
	size_t used;
	uint64_t rest_from, woke, ran; /* ns: the time looked at, last wake, running in it */
	struct soft_block *bucket[BUCKETS];
	/* Where a block is put together. */
	struct soft_insn building[SOFT_BLOCK_MAX + 2];
	/* Instructions that run alone: decoded each time, never linked to. */
	uint32_t scratch_generation;
	struct soft_block *scratch;
};

struct soft_blocks *soft_blocks_new(void)
{
	struct soft_blocks *blocks = g_new0(struct soft_blocks, 1);
	blocks->arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	g_assert(blocks->arena != MAP_FAILED);
	blocks->scratch = g_malloc0(sizeof(struct soft_block) + 3 * sizeof(struct soft_insn));
	blocks->scratch->generation = &blocks->scratch_generation;
	return blocks;
}

void soft_blocks_free(struct soft_blocks *blocks)
{
	if (!blocks)
		return;
	munmap(blocks->arena, ARENA_SIZE);
	g_free(blocks->scratch);
	g_free(blocks);
}

static void forget_jumps(struct soft_cpu *cpu)
{
	memset(cpu->jump, 0, sizeof cpu->jump);
}

void soft_blocks_flush(struct soft_cpu *cpu)
{
	struct soft_blocks *blocks = cpu->blocks;
	madvise(blocks->arena, ARENA_SIZE, MADV_DONTNEED);
	blocks->used = 0;
	memset(blocks->bucket, 0, sizeof blocks->bucket);
	cpu->link_from = NULL;
	forget_jumps(cpu);
}

void soft_blocks_rest(struct soft_cpu *cpu)
{
	struct soft_blocks *blocks = cpu->blocks;
	uint64_t now = clock_ns(cpu->env->clock);
	blocks->ran += now - blocks->woke;
	if (now - blocks->rest_from < REST_NS)
		return;
	if (blocks->used > REST_SIZE && blocks->ran < (now - blocks->rest_from) / REST)
		soft_blocks_flush(cpu);
	blocks->rest_from = now;
	blocks->ran = 0;
}

void soft_blocks_wake(struct soft_cpu *cpu)
{
	cpu->blocks->woke = clock_ns(cpu->env->clock);
}

/* Marking pages that hold code. */

static void post_protect(struct soft_cpu *cpu, uint64_t page)
{
	g_mutex_lock(&cpu->protect_lock);
	g_array_append_val(cpu->protect_pages, page);
	g_mutex_unlock(&cpu->protect_lock);
	soft_post(cpu, SOFT_PENDING_PROTECT);
}

static void mark_page(struct soft_cpu *cpu, uint64_t gpa)
{
	uint8_t *mark = &cpu->memory->code_page[memory_page_index(cpu->memory, gpa)];
	if (__atomic_exchange_n(mark, SOFT_CODE_STORES, __ATOMIC_SEQ_CST))
		return;
	soft_tlb_protect(cpu, gpa & SOFT_PAGE_MASK);
	for (unsigned i = 0; i < VCPU_MAX && cpu->machine->cpus > 1; i++) {
		struct soft_cpu *other = cpu->machine->cpu[i];
		if (other && other != cpu)
			post_protect(other, gpa & SOFT_PAGE_MASK);
	}
}

void soft_blocks_protect(struct soft_cpu *cpu)
{
	soft_unpost(cpu, SOFT_PENDING_PROTECT);
	g_mutex_lock(&cpu->protect_lock);
	for (unsigned i = 0; i < cpu->protect_pages->len; i++) {
		uint64_t gpa = g_array_index(cpu->protect_pages, uint64_t, i);
		soft_tlb_protect(cpu, gpa);
		uint64_t page = memory_page_index(cpu->memory, gpa);
		__atomic_fetch_add(&cpu->memory->code_gen[page], 1, __ATOMIC_SEQ_CST);
	}
	g_array_set_size(cpu->protect_pages, 0);
	g_mutex_unlock(&cpu->protect_lock);
}

/* Lets the rest of the running block, from the next instruction on, leave it. */
static void cut_block(const struct soft_insn *current, uint64_t from, uint64_t to)
{
	bool hit = false;
	const struct soft_insn *last = current;
	while (!(last->prefixes & SOFT_IS_LAST)) {
		last++;
		hit |= last->offset < to && last->offset + last->length > from;
	}
	for (struct soft_insn *insn = (struct soft_insn *)last; hit && insn > current; insn--)
		insn->run = soft_op_leave;
}

static void cut_if_running(struct soft_cpu *cpu, uint64_t gpa, unsigned length)
{
	uint64_t origin = cpu->gpr[SOFT_ORIGIN], block;
	if (!soft_long64(cpu))
		origin = (uint32_t)(origin + cpu->seg[SOFT_CS].base);
	if (!soft_translate(cpu, origin, &block) || gpa + length <= block)
		return;
	cut_block(cpu->current, gpa < block ? 0 : gpa - block, gpa + length - block);
}

static void written_page(struct soft_cpu *cpu, uint64_t gpa)
{
	uint64_t page = memory_page_index(cpu->memory, gpa);
	uint8_t *mark = &cpu->memory->code_page[page];
	uint8_t stores = __atomic_load_n(mark, __ATOMIC_RELAXED);
	if (stores)
		__atomic_compare_exchange_n(
			mark, &stores, stores - 1, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	__atomic_fetch_add(&cpu->memory->code_gen[page], 1, __ATOMIC_SEQ_CST);
}

void soft_code_written(struct soft_cpu *cpu, uint64_t gpa, unsigned length)
{
	written_page(cpu, gpa);
	if (((gpa + length - 1) ^ gpa) & SOFT_PAGE_MASK)
		written_page(cpu, gpa + length - 1);
	if (cpu->current)
		cut_if_running(cpu, gpa, length);
}

/* Finding what to run. */

static struct soft_block **bucket_of(struct soft_blocks *blocks, uint64_t gpa, uint32_t mode)
{
	uint64_t hash = (gpa ^ (uint64_t)mode << 40) * 0x9e3779b97f4a7c15ull;
	return &blocks->bucket[hash >> (64 - BUCKET_BITS)];
}

/* Host pointer and physical address of the code byte at a linear address, or faults. Where there is
 * no RAM the bytes read as ones (and decode to #UD). */
static const uint8_t *fetch(struct soft_cpu *cpu, uint64_t linear, uint64_t *gpa)
{
	static const uint8_t nothing[MEMORY_PAGE_SIZE] = {[0 ... MEMORY_PAGE_SIZE - 1] = 0xff};
	unsigned index = soft_tlb_index(linear);
	struct soft_tlb *tlb = cpu->tlb;
	if (tlb->entry[index].tag[SOFT_EXEC] != (linear & SOFT_PAGE_MASK)) {
		if (soft_long64(cpu) && !soft_canonical(linear))
			soft_raise_code(cpu, SOFT_GP, 0);
		index = soft_tlb_fill(cpu, soft_data_set(cpu), linear, SOFT_EXEC);
	}
	uint64_t offset = linear & ~SOFT_PAGE_MASK;
	*gpa = tlb->info[index].gpa + offset;
	return (tlb->entry[index].host ? tlb->entry[index].host : nothing) + offset;
}

static uint64_t code_linear(struct soft_cpu *cpu, uint64_t rip)
{
	if (soft_long64(cpu))
		return rip;
	if (rip > cpu->seg[SOFT_CS].limit)
		soft_raise_code(cpu, SOFT_GP, 0);
	return (uint32_t)(cpu->seg[SOFT_CS].base + rip);
}

/* An instruction that stands for what cannot be decoded. */
static void set_invalid(struct soft_insn *insn, int why)
{
	insn->run = why == SOFT_DECODE_LONG ? soft_op_too_long : soft_op_invalid;
	insn->length = 1;
	insn->row = 0;
}

/* The pseudo-instruction that runs on at `offset`. */
static void set_continue(struct soft_insn *insn, unsigned offset)
{
	memset(insn, 0, sizeof *insn);
	insn->run = soft_op_continue;
	insn->offset = offset;
	insn->imm = offset;
}

static bool ends_block(const struct soft_insn *insn)
{
	if (insn->run == soft_op_invalid || insn->run == soft_op_too_long)
		return true;
	return soft_opcode_at(insn->row)->flags & (SOFT_END | SOFT_BRANCH);
}

static bool falls_through(const struct soft_insn *insn)
{
	return insn->run != soft_op_invalid && insn->run != soft_op_too_long &&
	       soft_opcode_at(insn->row)->flags & SOFT_CC_IN_OPCODE;
}

/* Ends the list after `count` instructions; how many there are then. */
static unsigned finish(struct soft_insn *insns, unsigned count, unsigned offset, bool ended)
{
	if (!ended || falls_through(&insns[count - 1]))
		set_continue(&insns[count++], offset);
	insns[count - 1].prefixes |= SOFT_IS_LAST;
	soft_quiet(insns, count);
	soft_fuse(insns, count);
	return count;
}

static struct soft_block *allocate(struct soft_cpu *cpu, unsigned insns, unsigned length)
{
	struct soft_blocks *blocks = cpu->blocks;
	size_t size = sizeof(struct soft_block) + insns * sizeof(struct soft_insn) + length;
	size = (size + 15) & ~(size_t)15;
	if (blocks->used + size > ARENA_SIZE)
		soft_blocks_flush(cpu);
	struct soft_block *block = (struct soft_block *)(blocks->arena + blocks->used);
	blocks->used += size;
	block->insns = insns;
	block->length = length;
	block->bytes = (uint8_t *)&block->insn[insns];
	return block;
}

/* Decodes up to the page's end; *length is how many bytes were taken, 0 where the very first
 * instruction crosses it. */
static unsigned decode_run(
	struct soft_cpu *cpu, const uint8_t *code, unsigned available, unsigned *length)
{
	struct soft_insn *insns = cpu->blocks->building;
	unsigned count = 0, offset = 0;
	bool ended = false;
	while (!ended && count < SOFT_BLOCK_MAX && offset < available) {
		struct soft_insn *insn = &insns[count];
		insn->offset = offset;
		int taken = soft_decode(insn, code + offset, available - offset, cpu->mode);
		if (taken == SOFT_DECODE_MORE)
			break;
		if (taken < 0)
			set_invalid(insn, taken);
		count++;
		offset += insn->length;
		ended = ends_block(insn);
	}
	*length = offset;
	return count ? finish(insns, count, offset, ended) : 0;
}

static uint32_t generation_of(struct soft_cpu *cpu, uint64_t gpa, const uint32_t **generation)
{
	mark_page(cpu, gpa);
	*generation = &cpu->memory->code_gen[memory_page_index(cpu->memory, gpa)];
	return __atomic_load_n(*generation, __ATOMIC_SEQ_CST);
}

/* Puts what was just decoded into `building` into the cache. */
static struct soft_block *add_block(
	struct soft_cpu *cpu, uint64_t gpa, const uint8_t *code, unsigned length, unsigned insns)
{
	struct soft_block *block = allocate(cpu, insns, length);
	memcpy(block->insn, cpu->blocks->building, insns * sizeof(struct soft_insn));
	memcpy(block->bytes, code, length);
	block->mode = cpu->mode & BLOCK_MODE;
	block->gpa = gpa;
	block->rest_generation = NULL;
	struct soft_block **bucket = bucket_of(cpu->blocks, gpa, block->mode);
	block->next = *bucket;
	*bucket = block;
	return block;
}

/* Decodes a block of the page's code; NULL where the first instruction crosses the page. */
static struct soft_block *make_block(struct soft_cpu *cpu, const uint8_t *host, uint64_t gpa)
{
	uint8_t code[SOFT_BLOCK_MAX * INSN_MAX];
	unsigned length, available = MIN(sizeof code, MEMORY_PAGE_SIZE - (gpa & ~SOFT_PAGE_MASK));
	const uint32_t *generation;
	uint32_t decoded = generation_of(cpu, gpa, &generation);
	/* Decoded from a copy: the guest may be writing. */
	memcpy(code, host, available);
	unsigned insns = decode_run(cpu, code, available, &length);
	if (!insns)
		return NULL;
	struct soft_block *block = add_block(cpu, gpa, code, length, insns);
	block->generation = generation;
	block->decoded = decoded;
	return block;
}

static uint64_t rest_linear(const struct soft_cpu *cpu, uint64_t linear)
{
	uint64_t rest = (linear & SOFT_PAGE_MASK) + MEMORY_PAGE_SIZE;
	return soft_long64(cpu) ? rest : (uint32_t)rest;
}

/* The block of the one instruction that crosses the page; NULL where the rest is not in RAM. */
static struct soft_block *make_crossing(
	struct soft_cpu *cpu, const uint8_t *host, uint64_t gpa, uint64_t linear)
{
	uint8_t code[INSN_MAX];
	uint64_t rest_gpa;
	struct soft_insn *insn = cpu->blocks->building;
	unsigned first = MEMORY_PAGE_SIZE - (gpa & ~SOFT_PAGE_MASK);
	const uint8_t *rest = fetch(cpu, rest_linear(cpu, linear), &rest_gpa);
	if (!memory_at(cpu->memory, rest_gpa, 1))
		return NULL;
	const uint32_t *generation, *rest_generation;
	uint32_t decoded = generation_of(cpu, gpa, &generation);
	uint32_t rest_decoded = generation_of(cpu, rest_gpa, &rest_generation);
	memcpy(code, host, first);
	memcpy(code + first, rest, INSN_MAX - first);
	insn->offset = 0;
	int taken = soft_decode(insn, code, INSN_MAX, cpu->mode);
	if (taken < 0)
		set_invalid(insn, taken);
	unsigned length = taken < 0 ? INSN_MAX : insn->length;
	unsigned insns = finish(insn, 1, insn->length, ends_block(insn));
	struct soft_block *block = add_block(cpu, gpa, code, length, insns);
	block->generation = generation;
	block->decoded = decoded;
	block->rest_generation = rest_generation;
	block->rest_decoded = rest_decoded;
	block->rest_gpa = rest_gpa;
	return block;
}

/* Is a block that crosses a page still what lies at linear and in the page after it? */
static bool crossing_true(
	struct soft_cpu *cpu, struct soft_block *block, const uint8_t *host, uint64_t linear)
{
	uint64_t rest_gpa;
	const uint8_t *rest = fetch(cpu, rest_linear(cpu, linear), &rest_gpa);
	if (rest_gpa != block->rest_gpa)
		return false;
	if (block->decoded == __atomic_load_n(block->generation, __ATOMIC_ACQUIRE) &&
		block->rest_decoded == __atomic_load_n(block->rest_generation, __ATOMIC_ACQUIRE))
		return true;
	unsigned first = MIN(block->length, MEMORY_PAGE_SIZE - (linear & ~SOFT_PAGE_MASK));
	uint32_t decoded = generation_of(cpu, block->gpa, &block->generation);
	uint32_t rest_decoded = generation_of(cpu, rest_gpa, &block->rest_generation);
	if (memcmp(block->bytes, host, first) != 0 ||
		memcmp(block->bytes + first, rest, block->length - first) != 0)
		return false;
	block->decoded = decoded;
	block->rest_decoded = rest_decoded;
	return true;
}

/* One instruction in the scratch block, whichever pages it lies in. */
static struct soft_block *scratch_block(struct soft_cpu *cpu, uint64_t linear)
{
	uint8_t code[INSN_MAX];
	uint64_t gpa;
	struct soft_block *block = cpu->blocks->scratch;
	unsigned first = MIN(INSN_MAX, MEMORY_PAGE_SIZE - (linear & ~SOFT_PAGE_MASK));
	memcpy(code, fetch(cpu, linear, &gpa), first);
	struct soft_insn *insn = block->insn;
	insn->offset = 0;
	int taken = soft_decode(insn, code, first, cpu->mode);
	if (taken == SOFT_DECODE_MORE) {
		uint64_t rest = linear + first;
		if (!soft_long64(cpu))
			rest = (uint32_t)rest;
		memcpy(code + first, fetch(cpu, rest, &gpa), INSN_MAX - first);
		insn->offset = 0;
		taken = soft_decode(insn, code, INSN_MAX, cpu->mode);
	}
	if (taken < 0)
		set_invalid(insn, taken);
	block->mode = cpu->mode & BLOCK_MODE;
	block->length = insn->length;
	block->insns = finish(insn, 1, insn->length, ends_block(insn));
	return block;
}

/* Is a block whose page has changed still what memory holds? */
static bool block_true(struct soft_cpu *cpu, struct soft_block *block, const uint8_t *host)
{
	if (block->decoded == __atomic_load_n(block->generation, __ATOMIC_ACQUIRE))
		return true;
	uint32_t now = generation_of(cpu, block->gpa, &block->generation);
	if (memcmp(block->bytes, host, block->length) != 0)
		return false;
	block->decoded = now;
	return true;
}

static struct soft_block *find_block(
	struct soft_cpu *cpu, const uint8_t *host, uint64_t gpa, uint64_t linear)
{
	uint32_t mode = cpu->mode & BLOCK_MODE;
	struct soft_block **slot = bucket_of(cpu->blocks, gpa, mode);
	for (; *slot; slot = &(*slot)->next) {
		struct soft_block *block = *slot;
		if (block->gpa != gpa || block->mode != mode)
			continue;
		if (block->rest_generation ? crossing_true(cpu, block, host, linear)
					   : block_true(cpu, block, host))
			return block;
		/* Jumps and links to it fail on the generation, and it is never looked up again. */
		*slot = block->next;
		break;
	}
	struct soft_block *block = make_block(cpu, host, gpa);
	return block ? block : make_crossing(cpu, host, gpa, linear);
}

/* Links the branch that led here straight to the block, where both lie in one page: then they share
 * their virtual page at any address. */
static void link_branch(
	struct soft_cpu *cpu, const struct soft_insn *from, struct soft_block *block)
{
	uint64_t target = cpu->gpr[SOFT_ORIGIN] + from->imm;
	uint64_t base = soft_long64(cpu) ? 0 : cpu->seg[SOFT_CS].base;
	bool near = !((target + base) >> MEMORY_PAGE_SHIFT ^
		      (cpu->gpr[SOFT_ORIGIN] + base) >> MEMORY_PAGE_SHIFT);
	if (near && target == cpu->rip && cpu->mode & (SOFT_MODE_CODE64 | SOFT_MODE_FLAT))
		((struct soft_insn *)from)->link = block;
}

/* Notes where the block is for those who jump there: not for one that crosses a page, nor for a
 * page of the upper half that a change of CR3 may take away. */
static void note_jump(struct soft_cpu *cpu, struct soft_block *block, uint64_t linear)
{
	unsigned half = cpu->rip >> 63;
	const struct soft_tlb_info *info = &cpu->tlb->info[soft_tlb_index(linear)];
	if (half && !(info->flags & SOFT_TLB_GLOBAL))
		return;
	struct soft_jump *jump = soft_jump_entry(cpu, cpu->rip);
	*jump = (struct soft_jump){.rip = cpu->rip, .key = cpu->jump_key[half], .block = block};
}

struct soft_block *soft_block_at(struct soft_cpu *cpu, bool single)
{
	uint64_t gpa, linear = code_linear(cpu, cpu->rip);
	const uint8_t *host = fetch(cpu, linear, &gpa);
	struct soft_block *block = NULL;
	if (!single && memory_at(cpu->memory, gpa, 1))
		block = find_block(cpu, host, gpa, linear);
	/* Only now: making the block may have forgotten all others. */
	const struct soft_insn *from = cpu->link_from;
	cpu->link_from = NULL;
	if (!block)
		return scratch_block(cpu, linear);
	if (block->rest_generation)
		return block;
	if (from)
		link_branch(cpu, from, block);
	note_jump(cpu, block, linear);
	return block;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzes the software CPU: arbitrary code in every mode, over descriptor and page tables that the
// input damages. Nothing a guest runs may crash the process or reach memory that is not the
// guest's, whose RAM has unmapped pages around it.
//
// Input: a header (struct input), then up to 16 pokes of 3 bytes into the tables, then code.
#include "config.h"

#include "engine/vmm/cpu/soft/soft.h"
#include "engine/vmm/cpu/soft/stub.h"
#include "engine/vmm/cpu/vcpu.h"

#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM_SIZE 0x40000u
#define GUARD_SIZE 0x100000u
#define TICK_US 300 // how long an input runs at most, about twice this

// Guest physical addresses; linear ones are the same.
#define PML4 0x1000u
#define PDPT 0x2000u
#define PD 0x3000u
#define PT 0x4000u
#define PDPT_PAE 0x5000u
#define PD_LEGACY 0x6000u
#define GDT 0x7000u
#define IDT_LONG 0x8000u
#define IDT 0x9000u
#define TSS 0xa000u
#define STACK 0xd000u
#define HANDLER 0xe000u
#define CODE 0x10000u
#define TABLES_END CODE // pokes go below

enum mode { REAL, VIRTUAL, PROTECTED16, PROTECTED32, COMPATIBILITY, LONG, MODES };

struct input {
	uint8_t mode, options, flags_low, flags_high;
	uint8_t offset; // of the code before or in its page
	uint8_t pokes;
	uint8_t gpr[16];
	uint8_t fcw, mxcsr;
};

// Bits of options.
#define OPTION_USER 0x1u
#define OPTION_PAGING 0x2u
#define OPTION_PAE 0x4u
#define OPTION_SMALL_STACK 0x8u
#define OPTION_NO_FPU 0x10u
#define OPTION_SMAP 0x20u

static struct {
	struct machine_lock lock;
	struct vcpu_env env;
	struct vcpu_backend *backend;
	struct vcpu *vcpu;
	uint8_t *ram;
} guest;

static void *tick(void *unused)
{
	for (;;) {
		usleep(TICK_US);
		vcpu_kick(guest.vcpu);
	}
	return NULL;
}

static void guard(const uint8_t *at)
{
	void *want = (void *)(uintptr_t)at;
	void *got = mmap(want, GUARD_SIZE, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (got != want && got != MAP_FAILED)
		munmap(got, GUARD_SIZE);
}

static void make_guest(void)
{
	g_mutex_init(&guest.lock.mutex);
	guest.env.memory = memory_new(RAM_SIZE, NULL);
	guest.env.lock = &guest.lock;
	guest.env.ports = bus_new("ports", &guest.lock);
	guest.env.mmio = bus_new("mmio", &guest.lock);
	guest.env.clock = clock_new(g_main_context_new(), &guest.lock, NULL);
	guest.env.count = guest.env.count_max = 1;
	guest.ram = guest.env.memory->low;
	guard(guest.ram - GUARD_SIZE);
	guard(guest.ram + RAM_SIZE);
	guest.backend = vcpu_backend_soft.open(&guest.env, NULL);
	guest.vcpu = guest.backend->ops->vcpu_new(guest.backend, 0, NULL);
	g_assert(guest.vcpu);
	g_thread_unref(g_thread_new("tick", tick, NULL));
}

static void put64(uint32_t address, uint64_t value)
{
	memcpy(guest.ram + address, &value, sizeof(value));
}

static void make_page_tables(void)
{
	put64(PML4, PDPT | 0x27);
	put64(PDPT, PD | 0x27);
	put64(PDPT_PAE, PD | 1);
	put64(PD, PT | 0x27);
	put64(PD + 8, 0x0000e7); // a large page over the same memory
	put64(PD_LEGACY, 0x000000e7 | (uint64_t)(PT | 0x27) << 32);
	for (unsigned page = 0; page < RAM_SIZE >> 12; page++)
		put64(PT + page * 8, page << 12 | 0x67);
	put64(PT + (RAM_SIZE >> 12) * 8, 0xfee00067); // the local APIC
	put64(PT + (RAM_SIZE >> 12) * 8 + 8, 0xd0000067);
}

static void make_tables(void)
{
	static const uint64_t descriptors[] = {0, 0x00af9b000000ffff, 0x00cf93000000ffff,
		0x00cffb000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff, 0x00009b000000ffff,
		0x000093000000ffff, 0x00008b000000ffff | TSS << 16, 0, 0x0000e50000500000, // task gate
		0x0000820000000fff | GDT << 16, 0x0000ec0000080000 | HANDLER, 0};

	memcpy(guest.ram + GDT, descriptors, sizeof(descriptors));
	for (unsigned vector = 0; vector < 256; vector++) {
		put64(IDT_LONG + vector * 16, HANDLER | 8u << 16 | 0xee0000000000);
		put64(IDT + vector * 8, HANDLER | 8u << 16 | 0xee0000000000);
		memcpy(guest.ram + vector * 4, &(uint32_t){HANDLER}, 4);
	}
	put64(TSS + 4, STACK);
	put64(TSS + 8, (uint64_t)0x10 << 0);
	guest.ram[HANDLER] = 0xcf; // IRET
}

static struct vcpu_segment segment(uint32_t base, uint32_t limit, uint16_t selector,
	uint32_t attributes)
{
	return (struct vcpu_segment){
		.base = base,
		.limit = limit,
		.selector = selector,
		.attributes = attributes,
	};
}

static void set_segments(struct vcpu_state *state, const struct vcpu_segment *code,
	const struct vcpu_segment *rest)
{
	for (unsigned i = 0; i < 6; i++)
		state->segment[i] = *rest;
	state->segment[SOFT_CS] = *code;
}

static void set_mode(struct vcpu_state *state, const struct input *in)
{
	bool user = in->options & OPTION_USER;
	uint32_t dpl = user ? 0x60 : 0;
	uint16_t rpl = user ? 3 : 0;
	struct vcpu_segment code = segment(0, UINT32_MAX, (user ? 0x18 : 0x08) | rpl, 0xc09b | dpl);
	struct vcpu_segment rest = segment(0, UINT32_MAX, (user ? 0x20 : 0x10) | rpl, 0xc093 | dpl);

	if (in->options & OPTION_SMALL_STACK)
		rest.attributes &= ~SOFT_SEG_DB;
	state->cr0 = SOFT_CR0_PE | SOFT_CR0_ET | SOFT_CR0_NE;
	state->rip = CODE + in->offset;
	switch (in->mode % MODES) {
	case REAL:
		state->cr0 &= ~SOFT_CR0_PE;
		code = segment(CODE, 0xffff, CODE >> 4, 0x9b);
		rest = segment(CODE, 0xffff, CODE >> 4, 0x93);
		state->rip = in->offset;
		break;
	case VIRTUAL:
		state->rflags |= SOFT_VM;
		code = rest = segment(CODE, 0xffff, CODE >> 4, 0xf3);
		state->rip = in->offset;
		break;
	case PROTECTED16:
		code.attributes &= ~SOFT_SEG_DB;
		break;
	case LONG:
		code.attributes = (code.attributes & ~SOFT_SEG_DB) | SOFT_SEG_L;
		break;
	}
	set_segments(state, &code, &rest);
}

static void set_paging(struct vcpu_state *state, const struct input *in)
{
	bool wide = in->mode % MODES >= COMPATIBILITY;

	if (wide || (in->options & OPTION_PAGING && in->mode % MODES != REAL))
		state->cr0 |= SOFT_CR0_PG | SOFT_CR0_WP;
	state->cr4 = SOFT_CR4_PSE | SOFT_CR4_PGE | SOFT_CR4_FSGSBASE;
	if (wide || in->options & OPTION_PAE)
		state->cr4 |= SOFT_CR4_PAE;
	if (wide)
		state->efer = SOFT_EFER_LME | SOFT_EFER_LMA | SOFT_EFER_SCE | SOFT_EFER_NXE;
	state->cr3 = wide ? PML4 : in->options & OPTION_PAE ? PDPT_PAE : PD_LEGACY;
	state->idtr = (struct vcpu_table){.base = wide ? IDT_LONG : IDT, .limit = wide ? 0xfff : 0x7ff};
	if (in->mode % MODES == REAL)
		state->idtr = (struct vcpu_table){.limit = 0x3ff};
}

static uint64_t register_value(uint8_t code)
{
	static const uint64_t bases[] = {0, CODE, CODE + 0x1ff0, PML4, GDT, RAM_SIZE - 8, 0x1ff8,
		0x7ffffffffff8, 0xffff800000000000, UINT32_MAX - 7, TSS, STACK, 0x200000, 0x80, 0xfee00000,
		UINT64_MAX - 7};

	return bases[code >> 4] + (code & 15);
}

static void set_registers(struct vcpu_state *state, const struct input *in)
{
	struct soft_fx_image image = {
		.fcw = in->fcw | 0x300,
		.mxcsr = in->mxcsr << 7 & 0xffff,
	};

	for (unsigned i = 0; i < 16; i++)
		state->gpr[i] = register_value(in->gpr[i]);
	memcpy(state->fxsave, &image, sizeof(image));
	state->rflags = 2 | ((in->flags_low | in->flags_high << 8) & 0x7fd5);
	if (!(in->options & OPTION_NO_FPU))
		state->cr4 |= SOFT_CR4_OSFXSR | SOFT_CR4_OSXMMEXCPT;
	else
		state->cr0 |= SOFT_CR0_TS | SOFT_CR0_MP;
	if (in->options & OPTION_SMAP)
		state->cr4 |= SOFT_CR4_SMAP | SOFT_CR4_SMEP;
}

static void load_memory(const struct input *in, const uint8_t *data, size_t size)
{
	unsigned pokes = in->pokes % 17;

	memset(guest.ram, 0, RAM_SIZE);
	make_page_tables();
	make_tables();
	for (; pokes && size >= 3; pokes--, data += 3, size -= 3)
		guest.ram[(data[0] | data[1] << 8) % TABLES_END] = data[2];
	memcpy(guest.ram + CODE + in->offset, data, MIN(size, 0x8000));
	memory_dirty(guest.env.memory, 0, RAM_SIZE);
}

static void set_state(const struct input *in)
{
	struct vcpu_state state = {
		.gdtr = {.base = GDT, .limit = 0x7f},
		.tr = segment(TSS, 0xffff, 0x40, 0x8b),
		.ldtr = segment(GDT, 0xfff, 0x58, 0x82),
	};

	set_registers(&state, in);
	set_mode(&state, in);
	uint64_t cr4 = state.cr4;
	set_paging(&state, in);
	state.cr4 |= cr4;
	guest.vcpu->ops->set_state(guest.vcpu, &state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in;

	if (size < sizeof(in))
		return -1;
	if (!guest.vcpu)
		make_guest();
	soft_stubs_handle_sigfpe(); // the fuzzer has installed its own
	memcpy(&in, data, sizeof(in));
	load_memory(&in, data + sizeof(in), size - sizeof(in));
	guest.vcpu->ops->reset(guest.vcpu);
	set_state(&in);
	vcpu_run(guest.vcpu);
	return 0;
}

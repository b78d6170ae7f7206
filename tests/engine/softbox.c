// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "tests/engine/softbox.h"

#include <string.h>

#define RAM_SIZE 0x40000u

// Guest physical (and, below 2 MiB, supervisor linear) addresses.
#define PML4 0x1000u
#define PDPT 0x2000u
#define PD 0x3000u
#define PT_CODE 0x4000u
#define PT_DATA 0x5000u
#define PT_LOW 0x6000u
#define GDT 0x7000u
#define IDT 0x8000u
#define TSS 0x9000u
#define HANDLERS 0xa000u
#define STACK_TOP 0xc000u
#define CODE 0x10000u
#define DATA 0x11000u // NATIVE_WRITABLE

#define PRESENT 0x1u
#define WRITABLE 0x2u
#define USER 0x4u
#define ACCESSED 0x20u
#define DIRTY 0x40u
#define NO_EXECUTE (1ull << 63)

#define KERNEL_CODE 0x10
#define KERNEL_DATA 0x18
#define USER_CODE32 0x23
#define USER_DATA 0x2b
#define USER_CODE64 0x33
#define TASK 0x40

struct softbox {
	struct machine_lock lock;
	struct vcpu_env env;
	struct soft_machine *machine;
	struct soft_cpu *cpu;
	uint8_t *ram;
	const uint8_t *data;
	unsigned vector; // the handler's that wrote its port
};

static void put64(struct softbox *box, uint32_t address, uint64_t value)
{
	memcpy(box->ram + address, &value, sizeof(value));
}

static uint64_t get64(struct softbox *box, uint32_t address)
{
	uint64_t value;

	memcpy(&value, box->ram + address, sizeof(value));
	return value;
}

static void map_page(struct softbox *box, uint32_t table, uint64_t linear, uint64_t entry)
{
	put64(box, table + (linear >> 12 & 511) * 8, entry | PRESENT | ACCESSED | DIRTY);
}

static void make_page_tables(struct softbox *box)
{
	const uint64_t branch = PRESENT | WRITABLE | USER | ACCESSED;

	put64(box, PML4, PDPT | branch);
	put64(box, PDPT, PD | branch);
	put64(box, PD, PT_LOW | branch);
	put64(box, PD + (NATIVE_CODE >> 21) * 8, PT_CODE | branch);
	put64(box, PD + (NATIVE_DATA >> 21) * 8, PT_DATA | branch);
	for (uint64_t page = 0; page < RAM_SIZE; page += NATIVE_PAGE)
		map_page(box, PT_LOW, page, page | WRITABLE);
	map_page(box, PT_CODE, NATIVE_CODE, CODE | USER);
	map_page(box, PT_DATA, NATIVE_WRITABLE, DATA | USER | WRITABLE | NO_EXECUTE);
	map_page(box, PT_DATA, NATIVE_WRITABLE + NATIVE_PAGE,
		(DATA + NATIVE_PAGE) | USER | WRITABLE | NO_EXECUTE);
	map_page(box, PT_DATA, NATIVE_WRITABLE + 2 * NATIVE_PAGE,
		(DATA + 2 * NATIVE_PAGE) | USER | NO_EXECUTE);
}

static void make_tables(struct softbox *box)
{
	put64(box, GDT + KERNEL_CODE, 0x00af9b000000ffff);
	put64(box, GDT + KERNEL_DATA, 0x00cf93000000ffff);
	put64(box, GDT + (USER_CODE32 & ~7), 0x00cffb000000ffff);
	put64(box, GDT + (USER_DATA & ~7), 0x00cff3000000ffff);
	put64(box, GDT + (USER_CODE64 & ~7), 0x00affb000000ffff);
	put64(box, GDT + TASK, 0x0000890000000067 | (uint64_t)TSS << 16);
	put64(box, TSS + 4, STACK_TOP); // RSP0; its I/O map lies outside the limit
	box->ram[TSS + 102] = 0x68;
	for (unsigned vector = 0; vector < 256; vector++) {
		uint64_t handler = HANDLERS + vector * 16;
		uint64_t type = vector == 3 || vector == 4 ? 0xee : 0x8e;

		put64(box, IDT + vector * 16, (handler & 0xffff) | KERNEL_CODE << 16 | type << 40);
		box->ram[handler] = 0xe6; // out vector, al
		box->ram[handler + 1] = vector;
		box->ram[handler + 2] = 0xf4;
	}
}

static void port_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct softbox *box = device;

	box->vector = offset;
	soft_post(box->cpu, SOFT_PENDING_KICK);
}

static const struct bus_ops port_ops = {
	.write = port_write,
};

static struct vcpu_segment segment(uint16_t selector, uint32_t attributes)
{
	return (struct vcpu_segment){
		.selector = selector,
		.limit = UINT32_MAX,
		.attributes = attributes,
	};
}

static void system_state(struct softbox *box)
{
	struct soft_cpu *cpu = box->cpu;

	cpu->cr0 = SOFT_CR0_PE | SOFT_CR0_MP | SOFT_CR0_ET | SOFT_CR0_NE | SOFT_CR0_WP | SOFT_CR0_AM |
			   SOFT_CR0_PG;
	cpu->cr3 = PML4;
	cpu->cr4 = SOFT_CR4_PAE | SOFT_CR4_OSFXSR | SOFT_CR4_OSXMMEXCPT | SOFT_CR4_PGE;
	cpu->efer = SOFT_EFER_SCE | SOFT_EFER_LME | SOFT_EFER_LMA | SOFT_EFER_NXE;
	cpu->gdtr = (struct vcpu_table){.base = GDT, .limit = 0x4f};
	cpu->idtr = (struct vcpu_table){.base = IDT, .limit = 0xfff};
	cpu->tr = (struct vcpu_segment){.base = TSS, .limit = 0x67, .selector = TASK, .attributes = 0x8b};
	cpu->ldtr = (struct vcpu_segment){.attributes = SOFT_SEG_UNUSABLE};
	soft_tlb_flush(cpu);
}

struct softbox *softbox_new(const uint8_t data[NATIVE_DATA_SIZE])
{
	struct softbox *box = g_new0(struct softbox, 1);

	g_mutex_init(&box->lock.mutex);
	box->env.memory = memory_new(RAM_SIZE, NULL);
	g_assert(box->env.memory && memory_track_code(box->env.memory, NULL));
	box->env.lock = &box->lock;
	box->env.ports = bus_new("ports", &box->lock);
	box->env.mmio = bus_new("mmio", &box->lock);
	box->env.clock = clock_new(NULL, &box->lock, NULL);
	box->env.count = box->env.count_max = 1;
	box->ram = box->env.memory->low;
	box->data = data;
	bus_claim(box->env.ports, 0, 256, &port_ops, box);
	make_page_tables(box);
	make_tables(box);
	memcpy(box->ram + DATA, data, NATIVE_DATA_SIZE);
	box->machine = soft_machine_new(&box->env);
	box->cpu = soft_cpu_new(box->machine, 0, NULL);
	g_assert(box->cpu);
	system_state(box);
	return box;
}

void softbox_free(struct softbox *box)
{
	soft_cpu_free(box->cpu);
	soft_machine_free(box->machine);
	clock_free(box->env.clock);
	bus_free(box->env.ports);
	bus_free(box->env.mmio);
	memory_free(box->env.memory);
	g_mutex_clear(&box->lock.mutex);
	g_free(box);
}

struct soft_cpu *softbox_cpu(struct softbox *box)
{
	return box->cpu;
}

static void enter(struct softbox *box, const struct native_case *test)
{
	struct soft_cpu *cpu = box->cpu;

	memcpy(cpu->gpr, test->in.gpr, sizeof(test->in.gpr));
	cpu->seg[SOFT_CS] = test->compat ? segment(USER_CODE32, 0xc0fb) : segment(USER_CODE64, 0xa0fb);
	cpu->seg[SOFT_SS] = cpu->seg[SOFT_DS] = cpu->seg[SOFT_ES] = segment(USER_DATA, 0xc0f3);
	cpu->seg[SOFT_FS] = segment(0, SOFT_SEG_UNUSABLE);
	cpu->seg[SOFT_GS] = cpu->seg[SOFT_FS];
	cpu->seg[SOFT_GS].base = NATIVE_GS_BASE;
	cpu->rip = test->in.rip;
	cpu->cr2 = 0;
	soft_set_rflags(cpu, test->in.rflags);
	soft_fp_set(&cpu->fp, &test->in.fx);
	soft_update_mode(cpu);
}

static bool has_error_code(unsigned vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

static void capture(struct softbox *box, struct native_case *test)
{
	struct soft_cpu *cpu = box->cpu;
	uint32_t frame = STACK_TOP - 40; // RIP, CS, RFLAGS, RSP, SS

	memcpy(test->out.gpr, cpu->gpr, sizeof(test->out.gpr));
	test->vector = box->vector;
	test->error = has_error_code(box->vector) ? get64(box, frame - 8) : 0;
	test->out.rip = get64(box, frame);
	test->out.rflags = get64(box, frame + 16);
	test->out.gpr[SOFT_RSP] = get64(box, frame + 24);
	test->cr2 = cpu->cr2;
	soft_fp_get(&cpu->fp, &test->out.fx);
	memcpy(test->data, box->ram + DATA, NATIVE_DATA_SIZE);
}

void softbox_run(struct softbox *box, struct native_case *test)
{
	uint8_t page[NATIVE_PAGE];

	memset(page, 0xcc, sizeof(page));
	memcpy(page + test->offset, test->code, test->length);
	memory_write(box->env.memory, CODE, page, sizeof(page));
	memcpy(box->ram + DATA, box->data, 2 * NATIVE_PAGE);
	enter(box, test);
	g_assert(soft_cpu_run(box->cpu) == VCPU_EXIT_KICKED);
	soft_unpost(box->cpu, SOFT_PENDING_KICK);
	capture(box, test);
}

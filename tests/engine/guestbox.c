// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/engine/guestbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define TIMEOUT_US (120 * G_USEC_PER_SEC)
#define TRACE_MAX 4096
#define PTE 0x67 /* present, writable, user, accessed, dirty */
#define LARGE 0x80

struct guestbox {
	struct machine_lock lock;
	GMainContext *context;
	struct vcpu_env env;
	struct vcpu_backend *backend;
	struct vcpu *vcpu[VCPU_MAX];
	enum vcpu_exit exit[VCPU_MAX];
	const uint8_t *blob;
	const uint8_t *handlers32, *handlers64;
	uint32_t trace[TRACE_MAX];
	unsigned count;
	gint running; /* vCPU threads */
	gint ended;
};

/* ---- what programs write to ---- */

static void end_run(struct guestbox *box)
{
	g_atomic_int_set(&box->ended, 1);
	for (unsigned i = 0; i < box->env.count; i++)
		vcpu_kick(box->vcpu[i]);
	g_main_context_wakeup(box->context);
}

static void port_trace(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct guestbox *box = device;

	if (box->count < TRACE_MAX)
		box->trace[box->count++] = (uint32_t)value;
}

static void port_end(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	end_run(device);
}

static const struct bus_ops trace_ops = {.write = port_trace};
static const struct bus_ops end_ops = {.write = port_end};

/* ---- making it ---- */

static void warn(void *data, const char *message)
{
	g_test_message("%s", message);
}

struct guestbox *guestbox_new(unsigned vcpus)
{
	struct guestbox *box = g_new0(struct guestbox, 1);

	g_mutex_init(&box->lock.mutex);
	box->context = g_main_context_new();
	box->env = (struct vcpu_env){
		.memory = memory_new(GUEST_MEMORY, NULL),
		.ports = bus_new("ports", &box->lock),
		.mmio = bus_new("mmio", &box->lock),
		.clock = clock_new(box->context, &box->lock, NULL),
		.lock = &box->lock,
		.count = vcpus,
		.count_max = vcpus,
		.warn = warn,
	};
	bus_claim(box->env.ports, GUEST_TRACE_PORT, 4, &trace_ops, box);
	bus_claim(box->env.ports, GUEST_END_PORT, 1, &end_ops, box);
	box->backend = vcpu_backend_soft.open(&box->env, NULL);
	assert_non_null(box->backend);
	for (unsigned i = 0; i < vcpus; i++) {
		box->vcpu[i] = box->backend->ops->vcpu_new(box->backend, i, NULL);
		assert_non_null(box->vcpu[i]);
	}
	return box;
}

void guestbox_free(struct guestbox *box)
{
	for (unsigned i = 0; i < box->env.count; i++)
		box->vcpu[i]->ops->free(box->vcpu[i]);
	box->backend->ops->close(box->backend);
	clock_free(box->env.clock);
	bus_free(box->env.ports);
	bus_free(box->env.mmio);
	memory_free(box->env.memory);
	g_main_context_unref(box->context);
	g_mutex_clear(&box->lock.mutex);
	g_free(box);
}

void *guestbox_memory(struct guestbox *box, uint64_t gpa)
{
	return memory_at(box->env.memory, gpa, 8);
}

static void put64(struct guestbox *box, uint64_t gpa, uint64_t value)
{
	assert_true(memory_write(box->env.memory, gpa, &value, sizeof(value)));
}

static void put32(struct guestbox *box, uint64_t gpa, uint32_t value)
{
	assert_true(memory_write(box->env.memory, gpa, &value, sizeof(value)));
}

/* ---- tables ---- */

static void make_gdt(struct guestbox *box)
{
	static const uint64_t gdt[] = {
		[SEL_CODE32 / 8] = 0x00cf9b000000ffff,
		[SEL_DATA / 8] = 0x00cf93000000ffff,
		[SEL_CODE64 / 8] = 0x00af9b000000ffff,
		[SEL_USER_CODE32 / 8] = 0x00cffb000000ffff,
		[SEL_USER_DATA / 8] = 0x00cff3000000ffff,
		[SEL_USER_CODE64 / 8] = 0x00affb000000ffff,
		[SEL_CODE16 / 8] = 0x00009b000000ffff | (uint64_t)GUEST_BASE << 16,
		[SEL_DATA16 / 8] = 0x000093000000ffff | (uint64_t)GUEST_BASE << 16,
		[SEL_TSS / 8] = 0x00008b0000000067 | (uint64_t)GUEST_TSS << 16,
	};

	memory_write(box->env.memory, GUEST_GDT, gdt, sizeof(gdt));
	for (unsigned offset = sizeof(gdt); offset < GUEST_GDT_SIZE; offset += 8)
		put64(box, GUEST_GDT + offset, 0);
}

/* INT3, INTO and vectors from 0x80 may be called by user code. */
static uint64_t gate_type(unsigned vector)
{
	return vector == 3 || vector == 4 || vector >= 0x80 ? 0xee : 0x8e;
}

static void make_idt(struct guestbox *box)
{
	for (unsigned vector = 0; vector < 256; vector++) {
		uint64_t type = gate_type(vector) << 40;
		uint64_t h64 = GUEST_BASE + (uint64_t)(box->handlers64 - box->blob) + vector * 16;
		uint64_t h32 = GUEST_BASE + (uint64_t)(box->handlers32 - box->blob) + vector * 16;
		put64(box, GUEST_IDT + vector * 16,
			(h64 & 0xffff) | SEL_CODE64 << 16 | type | (h64 >> 16 & 0xffff) << 48);
		put64(box, GUEST_IDT + vector * 16 + 8, h64 >> 32);
		put64(box, GUEST_IDT32 + vector * 8,
			(h32 & 0xffff) | SEL_CODE32 << 16 | type | (h32 >> 16 & 0xffff) << 48);
	}
}

static void make_tss(struct guestbox *box, bool wide)
{
	memset(memory_at(box->env.memory, GUEST_TSS, 0x1000), 0, 0x1000);
	put32(box, GUEST_TSS + 4, GUEST_STACK_INNER);
	if (wide)
		put64(box, GUEST_TSS + 0x24, GUEST_STACK_IST);
	else
		put32(box, GUEST_TSS + 8, SEL_DATA);
	put32(box, GUEST_TSS + 0x64, 0x68 << 16);
}

static void make_pages(struct guestbox *box, enum guest_mode mode)
{
	const uint64_t root = GUEST_TABLES;
	bool wide = mode == GUEST_LONG || mode == GUEST_REAL;

	memset(memory_at(box->env.memory, root, 0x4000), 0, 0x4000);
	if (mode == GUEST_PAGED32) {
		put32(box, root, (GUEST_TABLES + 0x1000) | PTE);
		for (unsigned i = 0; i < 1024; i++)
			put32(box, root + 0x1000 + 4 * i, i << 12 | PTE);
	} else if (mode == GUEST_PAE) {
		put64(box, root, (root + 0x2000) | 1);
	} else if (wide) {
		put64(box, root, (root + 0x1000) | PTE);
		put64(box, root + 0x1000, (root + 0x2000) | PTE);
	}
	if (mode == GUEST_PAE || wide) {
		put64(box, root + 0x2000, (root + 0x3000) | PTE);
		put64(box, root + 0x2008, 0x200000 | PTE | LARGE);
		for (unsigned i = 0; i < 512; i++)
			put64(box, root + 0x3000 + 8 * i, i << 12 | PTE);
	}
}

/* ---- running ---- */

static struct vcpu_segment segment(uint16_t selector, uint32_t attributes)
{
	return (struct vcpu_segment){
		.selector = selector, .limit = 0xffffffff, .attributes = attributes};
}

static void state_real(struct vcpu_state *s, uint64_t entry)
{
	s->rip = entry - GUEST_BASE;
	for (unsigned i = 0; i < 6; i++)
		s->segment[i] = (struct vcpu_segment){.selector = GUEST_BASE / 16,
			.base = GUEST_BASE,
			.limit = 0xffff,
			.attributes = i == 1 ? 0x9b : 0x93};
	s->segment[2] = (struct vcpu_segment){.limit = 0xffff, .attributes = 0x93};
	s->idtr.limit = 0x3ff;
	s->cr0 = 0x10;
}

static void state_protected(struct vcpu_state *s, enum guest_mode mode)
{
	bool wide = mode == GUEST_LONG;

	for (unsigned i = 0; i < 6; i++)
		s->segment[i] = segment(SEL_DATA, 0xc093);
	s->segment[1] = wide ? segment(SEL_CODE64, 0xa09b) : segment(SEL_CODE32, 0xc09b);
	s->idtr = (struct vcpu_table){
		.base = wide ? GUEST_IDT : GUEST_IDT32, .limit = wide ? 0xfff : 0x7ff};
	s->cr0 = 0x31 | (mode == GUEST_FLAT32 ? 0 : 0x80000000);
	s->cr3 = GUEST_TABLES;
	if (wide || mode == GUEST_PAE)
		s->cr4 = 0x20;
	if (wide || mode == GUEST_PAE)
		s->efer = 0x800 | (wide ? 0x501 : 0);
}

static void set_state(struct guestbox *box, enum guest_mode mode, uint64_t entry)
{
	struct vcpu_state s = {
		.rip = entry,
		.rflags = 2,
		.gpr[4] = GUEST_STACK,
		.gdtr = {.base = GUEST_GDT, .limit = GUEST_GDT_SIZE - 1},
		.ldtr = {.attributes = 0x10000},
		.tr = {.selector = SEL_TSS, .base = GUEST_TSS, .limit = 0x67, .attributes = 0x8b},
	};

	s.fxsave[0] = 0x7f;
	s.fxsave[1] = 3;
	s.fxsave[24] = 0x80;
	s.fxsave[25] = 0x1f;
	if (mode == GUEST_REAL)
		state_real(&s, entry);
	else
		state_protected(&s, mode);
	box->vcpu[0]->ops->set_state(box->vcpu[0], &s);
}

static void *run_thread(void *data)
{
	struct guestbox *box = ((void **)data)[0];
	struct vcpu *vcpu = ((void **)data)[1];
	enum vcpu_exit exit;

	while ((exit = vcpu_run(vcpu)) == VCPU_EXIT_KICKED && !g_atomic_int_get(&box->ended))
		;
	box->exit[vcpu->id] = exit;
	if (exit != VCPU_EXIT_KICKED)
		end_run(box);
	g_atomic_int_add(&box->running, -1);
	g_main_context_wakeup(box->context);
	return NULL;
}

static gboolean wake(void *data)
{
	return G_SOURCE_CONTINUE;
}

/* Serves the machine's timers until all vCPUs are back. */
static void serve(struct guestbox *box)
{
	int64_t end = g_get_monotonic_time() + TIMEOUT_US;
	GSource *tick = g_timeout_source_new(20);
	bool late = false;

	g_source_set_callback(tick, wake, NULL, NULL);
	g_source_attach(tick, box->context);
	while (g_atomic_int_get(&box->running) > 0) {
		g_main_context_iteration(box->context, TRUE);
		if (!late && g_get_monotonic_time() > end) {
			late = true;
			end_run(box);
		}
	}
	g_source_destroy(tick);
	g_source_unref(tick);
	if (late)
		fail_msg("the guest program did not end; trace of %u: %#x %#x %#x %#x %#x %#x…",
			box->count, box->trace[0], box->trace[1], box->trace[2], box->trace[3],
			box->trace[4], box->trace[5]);
}

void guestbox_load(struct guestbox *box, const uint8_t *start, const uint8_t *end)
{
	box->blob = start;
	assert_true(end - start <= 0x10000);
	assert_true(memory_write(box->env.memory, GUEST_BASE, start, (uint64_t)(end - start)));
	/* The handlers come first in every blob: their places are told at its end. */
	memcpy(&box->handlers32, end - 16, 8);
	memcpy(&box->handlers64, end - 8, 8);
	box->handlers32 = start + (uintptr_t)box->handlers32;
	box->handlers64 = start + (uintptr_t)box->handlers64;
}

enum vcpu_exit guestbox_run(struct guestbox *box, enum guest_mode mode, const uint8_t *entry)
{
	GThread *thread[VCPU_MAX];
	void *data[VCPU_MAX][2];

	make_gdt(box);
	make_idt(box);
	make_tss(box, mode == GUEST_LONG);
	make_pages(box, mode);
	put64(box, GUEST_RESUME, 0);
	memset(memory_at(box->env.memory, GUEST_VARIABLES, 0x100), 0, 0x100);
	for (unsigned i = 0; i < box->env.count; i++)
		box->vcpu[i]->ops->reset(box->vcpu[i]);
	set_state(box, mode, GUEST_BASE + (uint64_t)(entry - box->blob));
	box->count = 0;
	box->ended = 0;
	box->running = (gint)box->env.count;
	for (unsigned i = 0; i < box->env.count; i++) {
		data[i][0] = box;
		data[i][1] = box->vcpu[i];
		thread[i] = g_thread_new("vcpu", run_thread, data[i]);
	}
	serve(box);
	for (unsigned i = 0; i < box->env.count; i++)
		g_thread_join(thread[i]);
	return box->exit[0];
}

/* ---- looking at it ---- */

unsigned guestbox_count(const struct guestbox *box)
{
	return box->count;
}

uint32_t guestbox_value(const struct guestbox *box, unsigned i)
{
	assert_true(i < box->count);
	return box->trace[i];
}

struct vcpu *guestbox_vcpu(struct guestbox *box, unsigned id)
{
	return box->vcpu[id];
}

const struct vcpu_env *guestbox_env(const struct guestbox *box)
{
	return &box->env;
}

void guestbox_check(
	struct guestbox *box, const char *file, int line, const uint32_t *values, unsigned count)
{
	bool same = count == box->count && memcmp(values, box->trace, 4 * count) == 0;
	g_autoptr(GString) text = g_string_new(NULL);

	if (same)
		return;
	g_string_append_printf(text, "%s:%d: trace:", file, line);
	for (unsigned i = 0; i < MAX(count, box->count); i++) {
		if (i < box->count)
			g_string_append_printf(text, " %#x", box->trace[i]);
		else
			g_string_append(text, " nothing");
		if (i >= count)
			g_string_append(text, " (unexpected)");
		else if (i >= box->count || values[i] != box->trace[i])
			g_string_append_printf(text, " (expected %#x)", values[i]);
	}
	fail_msg("%s", text->str);
}

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A small machine around soft vCPUs, made through the vCPU interface's own door: memory, buses,
 * clock, the interrupt chips, and guest programs that report by ports.
 *
 * A guest program (guest_*.S) is one blob of position-dependent code, loaded at GUEST_BASE. It
 * writes 32-bit values to port GUEST_TRACE_PORT, which make up the trace that a test compares, and
 * ends by writing to GUEST_END_PORT. Exceptions and interrupts go to handlers of the blob
 * (guest_common.h).
 */
#pragma once

#include "engine/vmm/cpu/vcpu.h"
#include "tests/engine/guest_common.h"

struct guestbox;

/* The state in which a program begins. Descriptor tables are in place in all of them. */
enum guest_mode {
	GUEST_REAL,    /* CS:IP = GUEST_BASE / 16 : entry; long mode's page tables are there */
	GUEST_FLAT32,  /* level 0, paging off */
	GUEST_PAGED32, /* the same under 32-bit paging, identity by 4 KiB pages below 4 MiB */
	GUEST_PAE,     /* the same under PAE paging */
	GUEST_LONG,    /* level 0, 64-bit, identity by 4 KiB pages below 2 MiB */
};

struct guestbox *guestbox_new(unsigned vcpus);
void guestbox_free(struct guestbox *box);

/* The blob of a guest_*.S file. */
void guestbox_load(struct guestbox *box, const uint8_t *start, const uint8_t *end);
/* Lets processor 0 begin at an address within the blob, and the others wait for SIPI; returns when
 * the program has ended (KICKED) or died. Fails the test after two minutes. */
enum vcpu_exit guestbox_run(struct guestbox *box, enum guest_mode mode, const uint8_t *entry);

/* The trace of the last run must be these values. */
#define guestbox_expect(box, ...)                                                                  \
	guestbox_check(box, __FILE__, __LINE__, (const uint32_t[]){__VA_ARGS__},                   \
		sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
void guestbox_check(
	struct guestbox *box, const char *file, int line, const uint32_t *values, unsigned count);
unsigned guestbox_count(const struct guestbox *box);
uint32_t guestbox_value(const struct guestbox *box, unsigned i);

/* Guest physical memory. */
void *guestbox_memory(struct guestbox *box, uint64_t gpa);
struct vcpu *guestbox_vcpu(struct guestbox *box, unsigned id);
const struct vcpu_env *guestbox_env(const struct guestbox *box);

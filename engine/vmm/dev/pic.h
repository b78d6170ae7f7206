// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The pair of 8259A interrupt controllers (Intel 8259A data sheet), ports 0x20-0x21 and
 * 0xa0-0xa1, with the edge/level registers 0x4d0-0x4d1 (ELCR). The second one sits on IRQ 2.
 *
 * Power-on ELCR is PIC_ELCR_DEFAULT: the SCI and the lines PCI INTx falls back to are level
 * triggered, as firmware would set them.
 *
 * Threads: with the machine lock held.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/save/state.h"

#define PIC_ELCR_DEFAULT 0x0e00u /* IRQ 9, 10, 11 */

/* One 8259A. */
struct pic_chip {
	uint8_t irr, imr, isr, lines, elcr;
	uint8_t base;     /* vector of input 0 (ICW2) */
	uint8_t priority; /* input with the highest priority */
	uint8_t icw;      /* next ICW expected, 0: none */
	bool icw4;        /* ICW4 follows */
	bool auto_eoi, rotate_auto, special_nested, special_mask, poll, read_isr;
};

struct pic;

/* output is called with the level of the INT wire each time it changes. */
struct pic *pic_new(struct bus *ports, void (*output)(void *data, bool level), void *data);
void pic_free(struct pic *pic);
void pic_reset(struct pic *pic);

/* The level of ISA IRQ 0-15. */
void pic_set(struct pic *pic, unsigned irq, bool level);
/* The acknowledge cycle: the vector, spurious (IRQ 7) where nothing waits. */
int pic_acknowledge(struct pic *pic);

/* which: 0 or 1. */
const struct pic_chip *pic_get_state(const struct pic *pic, unsigned which);

/* Saving: state.h. */
void pic_save(const struct pic *pic, struct state_out *out);
bool pic_load(struct pic *pic, struct state_in *in, GError **error);

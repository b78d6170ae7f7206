// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The 8042 keyboard controller (IBM PS/2 Hardware Interface Technical Reference, "Keyboard and
 * Auxiliary Device Controller"), ports 0x60 and 0x64: enough to say that no keyboard and no mouse
 * are there, to answer self tests, and to reset the machine (command 0xfe).
 *
 * Threads: with the machine lock held.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/save/state.h"

struct i8042_state {
	uint8_t config;  /* the command byte */
	uint8_t command; /* a command whose data byte is awaited, or 0 */
	uint8_t output;  /* the byte to read at port 0x60 */
	bool output_full;
	bool output_aux; /* it comes from the auxiliary port */
};

struct i8042;

/* reset is called with the lock held when the guest pulls the reset line. */
struct i8042 *i8042_new(struct bus *ports, void (*reset)(void *machine), void *machine);
void i8042_free(struct i8042 *i8042);
void i8042_reset(struct i8042 *i8042);

const struct i8042_state *i8042_get_state(const struct i8042 *i8042);

/* Saving: state.h. */
void i8042_save(const struct i8042 *i8042, struct state_out *out);
bool i8042_load(struct i8042 *i8042, struct state_in *in, GError **error);

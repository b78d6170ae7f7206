// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A 16550A UART with its FIFOs (National Semiconductor PC16550D data sheet): eight ports at base.
 * Sends as fast as the host side takes bytes; the baud rate is only remembered.
 *
 * Threads: with the machine lock held.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/dev/chardev.h"
#include "engine/vmm/irq.h"
#include "engine/vmm/save/state.h"

/* The PC's four: port and GSI. */
#define SERIAL_COM1 0x3f8u /* GSI 4 */
#define SERIAL_COM2 0x2f8u /* GSI 3 */
#define SERIAL_COM3 0x3e8u /* GSI 4 */
#define SERIAL_COM4 0x2e8u /* GSI 3 */

#define SERIAL_FIFO 16

struct serial_state {
	uint8_t ier, fcr, lcr, mcr, lsr, msr, scratch;
	uint16_t divisor;
	uint8_t rx[SERIAL_FIFO]; /* a ring: rx_count bytes from rx_first on */
	uint8_t rx_first, rx_count;
	uint8_t tx[SERIAL_FIFO]; /* bytes the host side has not taken yet */
	uint8_t tx_count;
	bool thr_interrupt; /* transmitter-empty interrupt pending */
	bool rx_refused;    /* the host side waits for room */
};

struct serial;

/* chardev may be NULL (bytes go nowhere); it must outlive the port. */
struct serial *serial_new(
	struct bus *ports, uint16_t base, struct irq_line irq, struct chardev *chardev);
void serial_free(struct serial *serial);
void serial_reset(struct serial *serial);

const struct serial_state *serial_get_state(const struct serial *serial);

/* Saving: state.h; index is the port's number. */
void serial_save(const struct serial *serial, unsigned index, struct state_out *out);
bool serial_load(struct serial *serial, unsigned index, struct state_in *in, GError **error);

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/serial.h"

#include <glib.h>
#include <string.h>

/* PC16550D, table II "Summary of Registers". */
enum {
	REG_DATA,
	REG_IER,
	REG_IIR, /* FCR when written */
	REG_LCR,
	REG_MCR,
	REG_LSR,
	REG_MSR,
	REG_SCRATCH,
	REGS,
};

#define IER_RECEIVED 0x01
#define IER_TRANSMIT 0x02
#define IER_LINE 0x04
#define IIR_NONE 0x01
#define IIR_TRANSMIT 0x02
#define IIR_RECEIVED 0x04
#define IIR_LINE 0x06
#define IIR_TIMEOUT 0x0c
#define IIR_FIFO 0xc0
#define FCR_ENABLE 0x01
#define FCR_CLEAR_RX 0x02
#define FCR_CLEAR_TX 0x04
#define LCR_DLAB 0x80
#define MCR_LOOP 0x10
#define LSR_READY 0x01
#define LSR_OVERRUN 0x02
#define LSR_ERRORS 0x1e
#define LSR_THRE 0x20
#define LSR_TEMT 0x40
#define MSR_CTS 0x10
#define MSR_DSR 0x20
#define MSR_RI 0x40
#define MSR_DCD 0x80

struct serial {
	struct serial_state s;
	struct bus *ports;
	uint16_t base;
	struct irq_line irq;
	struct chardev *chardev;
};

static bool serial_fifo(const struct serial *serial)
{
	return serial->s.fcr & FCR_ENABLE;
}

static unsigned serial_depth(const struct serial *serial)
{
	return serial_fifo(serial) ? SERIAL_FIFO : 1;
}

static unsigned serial_trigger(const struct serial *serial)
{
	static const uint8_t levels[] = {1, 4, 8, 14};

	return serial_fifo(serial) ? levels[serial->s.fcr >> 6] : 1;
}

/* The interrupt identification, without the FIFO bits. Bytes below the trigger level count as
 * timed out at once: the sender is not a slow wire. */
static uint8_t serial_identify(const struct serial *serial)
{
	if (serial->s.ier & IER_LINE && serial->s.lsr & LSR_ERRORS)
		return IIR_LINE;
	if (serial->s.ier & IER_RECEIVED && serial->s.rx_count)
		return serial->s.rx_count >= serial_trigger(serial) ? IIR_RECEIVED : IIR_TIMEOUT;
	if (serial->s.ier & IER_TRANSMIT && serial->s.thr_interrupt)
		return IIR_TRANSMIT;
	return IIR_NONE;
}

static void serial_update(struct serial *serial)
{
	if (serial->s.rx_count)
		serial->s.lsr |= LSR_READY;
	else
		serial->s.lsr &= ~LSR_READY;
	irq_set(&serial->irq, serial_identify(serial) != IIR_NONE);
}

/* ---- receiving ---- */

static unsigned serial_put(struct serial *serial, const uint8_t *data, unsigned length)
{
	unsigned room = serial_depth(serial) - MIN(serial->s.rx_count, serial_depth(serial));
	unsigned taken = MIN(room, length);

	for (unsigned i = 0; i < taken; i++) {
		unsigned at = (serial->s.rx_first + serial->s.rx_count++) % SERIAL_FIFO;

		serial->s.rx[at] = data[i];
	}
	return taken;
}

static size_t serial_receive(void *device, const void *data, size_t length)
{
	struct serial *serial = device;
	unsigned taken = 0;

	if (!(serial->s.mcr & MCR_LOOP))
		taken = serial_put(serial, data, MIN(length, SERIAL_FIFO));
	serial->s.rx_refused = taken < length;
	serial_update(serial);
	return taken;
}

static void serial_resume(struct serial *serial)
{
	if (!serial->s.rx_refused || serial->s.rx_count || serial->s.mcr & MCR_LOOP)
		return;
	serial->s.rx_refused = false;
	chardev_resume(serial->chardev);
}

static uint8_t serial_read_data(struct serial *serial)
{
	uint8_t value;

	if (!serial->s.rx_count)
		return 0;
	value = serial->s.rx[serial->s.rx_first];
	serial->s.rx_first = (serial->s.rx_first + 1) % SERIAL_FIFO;
	serial->s.rx_count--;
	serial_resume(serial);
	return value;
}

/* ---- sending ---- */

static void serial_sent(struct serial *serial)
{
	serial->s.lsr |= LSR_THRE | LSR_TEMT;
	serial->s.thr_interrupt = true;
}

/* Hands what is held to the host side. */
static void serial_flush(struct serial *serial)
{
	size_t taken = chardev_write(serial->chardev, serial->s.tx, serial->s.tx_count);

	taken = MIN(taken, serial->s.tx_count);
	serial->s.tx_count -= taken;
	memmove(serial->s.tx, serial->s.tx + taken, serial->s.tx_count);
	if (!serial->s.tx_count)
		serial_sent(serial);
}

static void serial_writable(void *device)
{
	struct serial *serial = device;

	if (serial->s.tx_count)
		serial_flush(serial);
	serial_update(serial);
}

static void serial_write_data(struct serial *serial, uint8_t value)
{
	serial->s.thr_interrupt = false;
	if (serial->s.mcr & MCR_LOOP) {
		if (!serial_put(serial, &value, 1))
			serial->s.lsr |= LSR_OVERRUN;
		serial_sent(serial);
		return;
	}
	/* A full transmitter loses the byte, as on hardware: the driver did not look at LSR. */
	if (serial->s.tx_count < serial_depth(serial))
		serial->s.tx[serial->s.tx_count++] = value;
	serial->s.lsr &= ~(LSR_THRE | LSR_TEMT);
	serial_flush(serial);
}

/* ---- registers ---- */

static void serial_write_fcr(struct serial *serial, uint8_t value)
{
	bool switched = (value ^ serial->s.fcr) & FCR_ENABLE;

	serial->s.fcr = value & (0xc0 | FCR_ENABLE);
	if (switched || value & FCR_CLEAR_RX) {
		serial->s.rx_count = serial->s.rx_first = 0;
		serial_resume(serial);
	}
	if ((switched || value & FCR_CLEAR_TX) && serial->s.tx_count) {
		serial->s.tx_count = 0;
		serial_sent(serial);
	}
}

static void serial_write_ier(struct serial *serial, uint8_t value)
{
	bool enabled = value & ~serial->s.ier & IER_TRANSMIT;

	serial->s.ier = value & 0x0f;
	if (enabled && serial->s.lsr & LSR_THRE)
		serial->s.thr_interrupt = true;
}

/* In loopback the modem inputs are the outputs: DTR, RTS, OUT1, OUT2 to DSR, CTS, RI, DCD. */
static uint8_t serial_modem(const struct serial *serial)
{
	uint8_t mcr = serial->s.mcr;

	if (!(mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (mcr & 1 ? MSR_DSR : 0) | (mcr & 2 ? MSR_CTS : 0) | (mcr & 4 ? MSR_RI : 0) |
	       (mcr & 8 ? MSR_DCD : 0);
}

static void serial_write_mcr(struct serial *serial, uint8_t value)
{
	serial->s.mcr = value & 0x1f;
	serial_resume(serial);
}

static uint8_t serial_read_iir(struct serial *serial)
{
	uint8_t id = serial_identify(serial);

	if (id == IIR_TRANSMIT)
		serial->s.thr_interrupt = false;
	return id | (serial_fifo(serial) ? IIR_FIFO : 0);
}

static uint8_t serial_read_lsr(struct serial *serial)
{
	uint8_t value = serial->s.lsr;

	serial->s.lsr &= ~LSR_ERRORS;
	return value;
}

static uint8_t serial_read_register(struct serial *serial, unsigned reg)
{
	bool dlab = serial->s.lcr & LCR_DLAB;

	switch (reg) {
	case REG_DATA:
		return dlab ? serial->s.divisor & 0xff : serial_read_data(serial);
	case REG_IER:
		return dlab ? serial->s.divisor >> 8 : serial->s.ier;
	case REG_IIR:
		return serial_read_iir(serial);
	case REG_LCR:
		return serial->s.lcr;
	case REG_MCR:
		return serial->s.mcr;
	case REG_LSR:
		return serial_read_lsr(serial);
	case REG_MSR:
		return serial_modem(serial);
	default:
		return serial->s.scratch;
	}
}

static void serial_write_register(struct serial *serial, unsigned reg, uint8_t value)
{
	bool dlab = serial->s.lcr & LCR_DLAB;

	if (reg == REG_DATA && dlab)
		serial->s.divisor = (serial->s.divisor & 0xff00) | value;
	else if (reg == REG_DATA)
		serial_write_data(serial, value);
	else if (reg == REG_IER && dlab)
		serial->s.divisor = (serial->s.divisor & 0xff) | value << 8;
	else if (reg == REG_IER)
		serial_write_ier(serial, value);
	else if (reg == REG_IIR)
		serial_write_fcr(serial, value);
	else if (reg == REG_LCR)
		serial->s.lcr = value;
	else if (reg == REG_MCR)
		serial_write_mcr(serial, value);
	else if (reg == REG_SCRATCH)
		serial->s.scratch = value;
}

static uint64_t serial_read(void *device, uint64_t offset, unsigned size)
{
	struct serial *serial = device;
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)serial_read_register(serial, offset + i) << 8 * i;
	serial_update(serial);
	return value;
}

static void serial_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct serial *serial = device;

	for (unsigned i = 0; i < size; i++)
		serial_write_register(serial, offset + i, value >> 8 * i);
	serial_update(serial);
}

static const struct bus_ops serial_bus_ops = {
	.read = serial_read,
	.write = serial_write,
};

static const struct chardev_client serial_client = {
	.receive = serial_receive,
	.writable = serial_writable,
};

void serial_reset(struct serial *serial)
{
	bool refused = serial->s.rx_refused;

	memset(&serial->s, 0, sizeof(serial->s));
	serial->s.lsr = LSR_THRE | LSR_TEMT;
	serial->s.divisor = 12;
	serial->s.rx_refused = refused;
	serial_resume(serial);
	serial_update(serial);
}

struct serial *serial_new(
	struct bus *ports, uint16_t base, struct irq_line irq, struct chardev *chardev)
{
	struct serial *serial = g_new0(struct serial, 1);

	serial->ports = ports;
	serial->base = base;
	serial->irq = irq;
	serial->chardev = chardev;
	serial_reset(serial);
	bus_claim(ports, base, REGS, &serial_bus_ops, serial);
	chardev_connect(chardev, &serial_client, serial);
	return serial;
}

void serial_free(struct serial *serial)
{
	if (!serial)
		return;
	chardev_connect(serial->chardev, NULL, NULL);
	bus_release(serial->ports, serial->base, serial);
	g_free(serial);
}

const struct serial_state *serial_get_state(const struct serial *serial)
{
	return &serial->s;
}

/* ---- saving ---- */

static const struct field serial_state_fields[] = {
	FIELD(struct serial_state, ier),
	FIELD(struct serial_state, fcr),
	FIELD(struct serial_state, lcr),
	FIELD(struct serial_state, mcr),
	FIELD(struct serial_state, lsr),
	FIELD(struct serial_state, msr),
	FIELD(struct serial_state, scratch),
	FIELD(struct serial_state, divisor),
	FIELD_BYTES(struct serial_state, rx),
	FIELD_RANGE(struct serial_state, rx_first, 0, SERIAL_FIFO - 1),
	FIELD_RANGE(struct serial_state, rx_count, 0, SERIAL_FIFO),
	FIELD_BYTES(struct serial_state, tx),
	FIELD_RANGE(struct serial_state, tx_count, 0, SERIAL_FIFO),
	FIELD_FLAG(struct serial_state, thr_interrupt),
	FIELD_FLAG(struct serial_state, rx_refused),
	FIELD_END,
};

void serial_save(const struct serial *serial, unsigned index, struct state_out *out)
{
	state_put(out, "serial", index, serial_state_fields, &serial->s);
}

bool serial_load(struct serial *serial, unsigned index, struct state_in *in, GError **error)
{
	bool refused = serial->s.rx_refused;

	if (!state_get(in, "serial", index, serial_state_fields, &serial->s, error))
		return false;
	/* Whether a host side waits is a matter of the one that is there now. */
	serial->s.rx_refused = refused;
	if (serial->s.tx_count)
		serial_flush(serial);
	serial_update(serial);
	return true;
}

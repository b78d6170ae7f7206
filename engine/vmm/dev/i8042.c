// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/i8042.h"

#include <glib.h>
#include <string.h>

#define DATA_PORT 0x60
#define COMMAND_PORT 0x64
#define STATUS_OUTPUT 0x01
#define STATUS_SYSTEM 0x04 /* self test passed */
#define STATUS_COMMAND 0x08
#define STATUS_UNLOCKED 0x10
#define STATUS_AUX 0x20
#define CONFIG_DISABLE_KEYBOARD 0x10
#define CONFIG_DISABLE_AUX 0x20
#define RESEND 0xfe /* what a controller answers for a device that does not */

/* Commands, by what port 0x64 is written. */
enum {
	READ_CONFIG = 0x20,
	WRITE_CONFIG = 0x60,
	DISABLE_AUX = 0xa7,
	ENABLE_AUX = 0xa8,
	TEST_AUX = 0xa9,
	SELF_TEST = 0xaa,
	TEST_KEYBOARD = 0xab,
	DISABLE_KEYBOARD = 0xad,
	ENABLE_KEYBOARD = 0xae,
	READ_OUTPUT_PORT = 0xd0,
	WRITE_OUTPUT_PORT = 0xd1,
	WRITE_KEYBOARD_BUFFER = 0xd2,
	WRITE_AUX_BUFFER = 0xd3,
	WRITE_AUX = 0xd4,
	PULSE_FIRST = 0xf0,
};

struct i8042 {
	struct i8042_state s;
	struct bus *ports;
	void (*reset)(void *machine);
	void *machine;
};

static void i8042_answer(struct i8042 *i8042, uint8_t value, bool aux)
{
	i8042->s.output = value;
	i8042->s.output_full = true;
	i8042->s.output_aux = aux;
}

static void i8042_command(struct i8042 *i8042, uint8_t command)
{
	i8042->s.command = 0;
	switch (command) {
	case READ_CONFIG:
		i8042_answer(i8042, i8042->s.config, false);
		break;
	case DISABLE_AUX:
		i8042->s.config |= CONFIG_DISABLE_AUX;
		break;
	case ENABLE_AUX:
		i8042->s.config &= ~CONFIG_DISABLE_AUX;
		break;
	case TEST_AUX:
		i8042_answer(i8042, 0xff, false); /* general error: no such port */
		break;
	case SELF_TEST:
		i8042_answer(i8042, 0x55, false);
		break;
	case TEST_KEYBOARD:
		i8042_answer(i8042, 0x00, false);
		break;
	case DISABLE_KEYBOARD:
		i8042->s.config |= CONFIG_DISABLE_KEYBOARD;
		break;
	case ENABLE_KEYBOARD:
		i8042->s.config &= ~CONFIG_DISABLE_KEYBOARD;
		break;
	case READ_OUTPUT_PORT:
		i8042_answer(i8042, 0x03, false); /* reset line high, A20 on */
		break;
	case WRITE_CONFIG:
	case WRITE_OUTPUT_PORT:
	case WRITE_KEYBOARD_BUFFER:
	case WRITE_AUX_BUFFER:
	case WRITE_AUX:
		i8042->s.command = command;
		break;
	default:
		/* Pulls the output lines whose bit is clear; line 0 is the reset. */
		if (command >= PULSE_FIRST && !(command & 1))
			i8042->reset(i8042->machine);
	}
}

static void i8042_data(struct i8042 *i8042, uint8_t value)
{
	uint8_t command = i8042->s.command;

	i8042->s.command = 0;
	switch (command) {
	case WRITE_CONFIG:
		i8042->s.config = value;
		break;
	case WRITE_OUTPUT_PORT:
		if (!(value & 1))
			i8042->reset(i8042->machine);
		break;
	case WRITE_KEYBOARD_BUFFER:
	case WRITE_AUX_BUFFER:
		i8042_answer(i8042, value, command == WRITE_AUX_BUFFER);
		break;
	default:
		i8042_answer(i8042, RESEND, command == WRITE_AUX);
	}
}

static uint64_t data_read(void *device, uint64_t offset, unsigned size)
{
	struct i8042 *i8042 = device;

	i8042->s.output_full = i8042->s.output_aux = false;
	return i8042->s.output;
}

static void data_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	i8042_data(device, value);
}

static uint64_t status_read(void *device, uint64_t offset, unsigned size)
{
	const struct i8042_state *s = &((struct i8042 *)device)->s;

	return STATUS_SYSTEM | STATUS_UNLOCKED | (s->output_full ? STATUS_OUTPUT : 0) |
	       (s->output_aux ? STATUS_AUX : 0) | (s->command ? STATUS_COMMAND : 0);
}

static void command_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	i8042_command(device, value);
}

static const struct bus_ops data_ops = {
	.read = data_read,
	.write = data_write,
};

static const struct bus_ops command_ops = {
	.read = status_read,
	.write = command_write,
};

void i8042_reset(struct i8042 *i8042)
{
	memset(&i8042->s, 0, sizeof(i8042->s));
	i8042->s.config = STATUS_SYSTEM | CONFIG_DISABLE_KEYBOARD | CONFIG_DISABLE_AUX;
}

struct i8042 *i8042_new(struct bus *ports, void (*reset)(void *machine), void *machine)
{
	struct i8042 *i8042 = g_new0(struct i8042, 1);

	i8042->ports = ports;
	i8042->reset = reset;
	i8042->machine = machine;
	i8042_reset(i8042);
	bus_claim(ports, DATA_PORT, 1, &data_ops, i8042);
	bus_claim(ports, COMMAND_PORT, 1, &command_ops, i8042);
	return i8042;
}

void i8042_free(struct i8042 *i8042)
{
	if (!i8042)
		return;
	bus_release(i8042->ports, DATA_PORT, i8042);
	bus_release(i8042->ports, COMMAND_PORT, i8042);
	g_free(i8042);
}

const struct i8042_state *i8042_get_state(const struct i8042 *i8042)
{
	return &i8042->s;
}

/* ---- saving ---- */

static const struct field i8042_state_fields[] = {
	FIELD(struct i8042_state, config),
	FIELD(struct i8042_state, command),
	FIELD(struct i8042_state, output),
	FIELD_FLAG(struct i8042_state, output_full),
	FIELD_FLAG(struct i8042_state, output_aux),
	FIELD_END,
};

void i8042_save(const struct i8042 *i8042, struct state_out *out)
{
	state_put(out, "i8042", 0, i8042_state_fields, &i8042->s);
}

bool i8042_load(struct i8042 *i8042, struct state_in *in, GError **error)
{
	return state_get(in, "i8042", 0, i8042_state_fields, &i8042->s, error);
}

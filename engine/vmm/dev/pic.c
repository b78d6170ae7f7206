// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/pic.h"

#include <glib.h>
#include <string.h>

#define CASCADE 2 /* input of the first chip where the second sits */
#define ELCR_PORT 0x4d0
#define NONE 8

struct pic {
	struct pic_chip chip[2];
	struct bus *ports;
	bool int_wire;
	void (*output)(void *data, bool level);
	void *data;
};

static const uint16_t pic_ports[2] = {0x20, 0xa0};

/* The input with the highest priority among mask: 0 highest, counted from chip->priority. */
static unsigned chip_rank(const struct pic_chip *chip, uint8_t mask)
{
	unsigned rank = 0;

	if (!mask)
		return NONE;
	while (!(mask & 1u << ((rank + chip->priority) & 7)))
		rank++;
	return rank;
}

/* The input to deliver now, or -1. */
static int chip_request(const struct pic *pic, unsigned which)
{
	const struct pic_chip *chip = &pic->chip[which];
	uint8_t serving = chip->isr;
	unsigned rank;

	if (chip->special_mask)
		serving &= ~chip->imr;
	/* The cascade does not block itself: the second chip ranks its own inputs. */
	if (chip->special_nested && which == 0)
		serving &= ~(1u << CASCADE);
	rank = chip_rank(chip, chip->irr & ~chip->imr);
	if (rank == NONE || rank >= chip_rank(chip, serving))
		return -1;
	return (rank + chip->priority) & 7;
}

static void chip_set(struct pic_chip *chip, unsigned input, bool level)
{
	uint8_t bit = 1u << input;

	if (chip->elcr & bit)
		chip->irr = level ? chip->irr | bit : chip->irr & ~bit;
	else if (level && !(chip->lines & bit))
		chip->irr |= bit;
	chip->lines = level ? chip->lines | bit : chip->lines & ~bit;
}

/* Carries the second chip's output to the first's input, and the first's to the processor. */
static void pic_update(struct pic *pic)
{
	bool cascade = chip_request(pic, 1) >= 0;
	bool level;

	/* The INT wire of an 8259 drops between interrupts, so each request is an edge. */
	if (cascade && !(pic->chip[0].isr & 1u << CASCADE))
		pic->chip[0].lines &= ~(1u << CASCADE);
	chip_set(&pic->chip[0], CASCADE, cascade);
	if (!cascade)
		pic->chip[0].irr &= ~(1u << CASCADE);
	level = chip_request(pic, 0) >= 0;
	if (level == pic->int_wire)
		return;
	pic->int_wire = level;
	pic->output(pic->data, level);
}

void pic_set(struct pic *pic, unsigned irq, bool level)
{
	g_assert(irq < 16);
	if (irq == CASCADE)
		return;
	chip_set(&pic->chip[irq / 8], irq % 8, level);
	pic_update(pic);
}

static void chip_serve(struct pic_chip *chip, unsigned input)
{
	uint8_t bit = 1u << input;

	if (chip->auto_eoi) {
		if (chip->rotate_auto)
			chip->priority = (input + 1) & 7;
	} else {
		chip->isr |= bit;
	}
	if (!(chip->elcr & bit))
		chip->irr &= ~bit;
}

/* One chip's acknowledge: its input, 7 (spurious) where nothing waits. */
static unsigned chip_acknowledge(struct pic *pic, unsigned which)
{
	int input = chip_request(pic, which);

	if (input < 0)
		return 7;
	chip_serve(&pic->chip[which], input);
	return input;
}

int pic_acknowledge(struct pic *pic)
{
	unsigned input = chip_acknowledge(pic, 0);
	int vector = pic->chip[0].base + input;

	if (input == CASCADE)
		vector = pic->chip[1].base + chip_acknowledge(pic, 1);
	pic_update(pic);
	return vector;
}

/* ---- commands: 8259A data sheet, "Initialization Command Words", "Operation Command Words" ----
 */

static void chip_init(struct pic_chip *chip, uint8_t icw1)
{
	uint8_t lines = chip->lines, elcr = chip->elcr;

	memset(chip, 0, sizeof(*chip));
	chip->lines = lines;
	chip->elcr = elcr;
	chip->irr = lines & elcr;
	chip->icw = 2;
	chip->icw4 = icw1 & 1;
}

/* The single-chip bit of ICW1 is not taken: on a PC there are two. */
static void chip_write_icw(struct pic_chip *chip, uint8_t value)
{
	if (chip->icw == 2) {
		chip->base = value & 0xf8;
		chip->icw = 3;
	} else if (chip->icw == 3) {
		chip->icw = chip->icw4 ? 4 : 0;
	} else {
		chip->special_nested = value >> 4 & 1;
		chip->auto_eoi = value >> 1 & 1;
		chip->icw = 0;
	}
}

static void chip_end(struct pic_chip *chip, unsigned input, bool rotate)
{
	if (input >= 8)
		return;
	chip->isr &= ~(1u << input);
	if (rotate)
		chip->priority = (input + 1) & 7;
}

static unsigned chip_serving(const struct pic_chip *chip)
{
	unsigned rank = chip_rank(chip, chip->isr);

	return rank == NONE ? NONE : (rank + chip->priority) & 7;
}

static void chip_write_ocw2(struct pic_chip *chip, uint8_t value)
{
	switch (value >> 5) {
	case 0:
	case 4:
		chip->rotate_auto = value >> 7;
		break;
	case 1:
	case 5:
		chip_end(chip, chip_serving(chip), value >> 7);
		break;
	case 3:
	case 7:
		chip_end(chip, value & 7, value >> 7);
		break;
	case 6:
		chip->priority = ((value & 7) + 1) & 7;
		break;
	}
}

static void chip_write_ocw3(struct pic_chip *chip, uint8_t value)
{
	if (value & 0x04)
		chip->poll = true;
	if (value & 0x02)
		chip->read_isr = value & 1;
	if (value & 0x40)
		chip->special_mask = value >> 5 & 1;
}

static void pic_write(struct pic *pic, unsigned which, uint64_t offset, uint8_t value)
{
	struct pic_chip *chip = &pic->chip[which];

	if (offset == 0 && value & 0x10)
		chip_init(chip, value);
	else if (offset == 0 && value & 0x08)
		chip_write_ocw3(chip, value);
	else if (offset == 0)
		chip_write_ocw2(chip, value);
	else if (chip->icw)
		chip_write_icw(chip, value);
	else
		chip->imr = value;
	pic_update(pic);
}

static uint8_t pic_poll(struct pic *pic, unsigned which)
{
	bool waiting = chip_request(pic, which) >= 0;
	uint8_t value = chip_acknowledge(pic, which);

	pic->chip[which].poll = false;
	pic_update(pic);
	return waiting ? 0x80 | value : 0;
}

static uint8_t pic_read(struct pic *pic, unsigned which, uint64_t offset)
{
	struct pic_chip *chip = &pic->chip[which];

	if (chip->poll)
		return pic_poll(pic, which);
	if (offset)
		return chip->imr;
	return chip->read_isr ? chip->isr : chip->irr;
}

static uint64_t pic_read_first(void *device, uint64_t offset, unsigned size)
{
	return pic_read(device, 0, offset);
}

static uint64_t pic_read_second(void *device, uint64_t offset, unsigned size)
{
	return pic_read(device, 1, offset);
}

static void pic_write_first(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	pic_write(device, 0, offset, value);
}

static void pic_write_second(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	pic_write(device, 1, offset, value);
}

static const struct bus_ops pic_bus_ops[2] = {
	{.read = pic_read_first, .write = pic_write_first},
	{.read = pic_read_second, .write = pic_write_second},
};

static uint64_t elcr_read(void *device, uint64_t offset, unsigned size)
{
	struct pic *pic = device;

	return pic->chip[offset].elcr | (size == 2 ? pic->chip[1].elcr << 8 : 0);
}

/* IRQ 0, 1, 2, 8 and 13 are always edge-triggered. */
static void elcr_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	static const uint8_t fixed[2] = {0x07, 0x21};
	struct pic *pic = device;

	for (unsigned i = 0; i < size; i++)
		pic->chip[offset + i].elcr = (value >> 8 * i) & 0xff & ~fixed[offset + i];
}

static const struct bus_ops elcr_bus_ops = {
	.read = elcr_read,
	.write = elcr_write,
};

void pic_reset(struct pic *pic)
{
	for (unsigned i = 0; i < 2; i++) {
		uint8_t lines = pic->chip[i].lines;

		memset(&pic->chip[i], 0, sizeof(pic->chip[i]));
		pic->chip[i].lines = lines;
		pic->chip[i].elcr = (uint16_t)PIC_ELCR_DEFAULT >> 8 * i & 0xff;
		/* Not initialised: nothing gets through. */
		pic->chip[i].imr = 0xff;
	}
	pic_update(pic);
}

struct pic *pic_new(struct bus *ports, void (*output)(void *data, bool level), void *data)
{
	struct pic *pic = g_new0(struct pic, 1);

	pic->ports = ports;
	pic->output = output;
	pic->data = data;
	pic_reset(pic);
	for (unsigned i = 0; i < 2; i++)
		bus_claim(ports, pic_ports[i], 2, &pic_bus_ops[i], pic);
	bus_claim(ports, ELCR_PORT, 2, &elcr_bus_ops, pic);
	return pic;
}

void pic_free(struct pic *pic)
{
	if (!pic)
		return;
	for (unsigned i = 0; i < 2; i++)
		bus_release(pic->ports, pic_ports[i], pic);
	bus_release(pic->ports, ELCR_PORT, pic);
	g_free(pic);
}

const struct pic_chip *pic_get_state(const struct pic *pic, unsigned which)
{
	return &pic->chip[which];
}

/* ---- saving ---- */

static const struct field pic_chip_fields[] = {
	FIELD(struct pic_chip, irr),
	FIELD(struct pic_chip, imr),
	FIELD(struct pic_chip, isr),
	FIELD(struct pic_chip, lines),
	FIELD(struct pic_chip, elcr),
	FIELD(struct pic_chip, base),
	FIELD_RANGE(struct pic_chip, priority, 0, 7),
	FIELD_RANGE(struct pic_chip, icw, 0, 4),
	FIELD_FLAG(struct pic_chip, icw4),
	FIELD_FLAG(struct pic_chip, auto_eoi),
	FIELD_FLAG(struct pic_chip, rotate_auto),
	FIELD_FLAG(struct pic_chip, special_nested),
	FIELD_FLAG(struct pic_chip, special_mask),
	FIELD_FLAG(struct pic_chip, poll),
	FIELD_FLAG(struct pic_chip, read_isr),
	FIELD_END,
};

void pic_save(const struct pic *pic, struct state_out *out)
{
	for (unsigned i = 0; i < 2; i++)
		state_put(out, "pic", i, pic_chip_fields, &pic->chip[i]);
}

bool pic_load(struct pic *pic, struct state_in *in, GError **error)
{
	for (unsigned i = 0; i < 2; i++)
		if (!state_get(in, "pic", i, pic_chip_fields, &pic->chip[i], error))
			return false;
	/* Who hears the wire has its level in its own state. */
	pic->int_wire = chip_request(pic, 0) >= 0;
	return true;
}

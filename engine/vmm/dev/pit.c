// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/pit.h"

#include <glib.h>
#include <string.h>

#define PIT_PORT 0x40
#define CONTROL_PORT 0x61
#define CHANNELS 3
#define PERIOD_MIN 50000u /* ns */
#define REFRESH_NS 15085u /* the memory refresh bit of port 0x61 toggles at this pace */

struct pit {
	struct pit_channel channel[CHANNELS];
	uint8_t control; /* port 0x61 bits 0 and 1 */
	struct bus *ports;
	struct machine_clock *clock;
	struct irq_line irq;
	struct clock_timer *timer;
};

static uint64_t ticks_of_ns(uint64_t ns)
{
	return (unsigned __int128)ns * PIT_HZ / CLOCK_HZ;
}

/* The first nanosecond at which that many ticks have passed. */
static uint64_t ns_of_ticks(uint64_t ticks)
{
	return ((unsigned __int128)ticks * CLOCK_HZ + PIT_HZ - 1) / PIT_HZ;
}

/* Modes 2 and 3 reload themselves; the data sheet calls 6 and 7 the same. */
static bool channel_periodic(const struct pit_channel *channel)
{
	return channel->mode == 2 || channel->mode == 3;
}

/* Ticks counted since the count was loaded. */
static uint64_t channel_ticks(const struct pit *pit, const struct pit_channel *channel)
{
	if (!channel->armed)
		return 0;
	if (!channel->gate && channel->mode != 1 && channel->mode != 5)
		return channel->paused;
	return channel->paused + ticks_of_ns(clock_ns(pit->clock) - channel->start);
}

static bool channel_out(const struct pit *pit, const struct pit_channel *channel)
{
	uint64_t ticks = channel_ticks(pit, channel);

	if (!channel->armed)
		return channel->mode != 0;
	switch (channel->mode) {
	case 0:
	case 1:
		return ticks >= channel->reload;
	case 2:
		return !channel->gate || ticks % channel->reload != channel->reload - 1;
	case 3:
		return !channel->gate || ticks % channel->reload < (channel->reload + 1) / 2;
	default:
		return ticks != channel->reload;
	}
}

static uint16_t to_bcd(unsigned value)
{
	return value / 1000 % 10 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10;
}

static unsigned from_bcd(uint16_t value)
{
	return (value >> 12) * 1000 + (value >> 8 & 15) * 100 + (value >> 4 & 15) * 10 +
	       (value & 15);
}

static uint16_t channel_count(const struct pit *pit, const struct pit_channel *channel)
{
	uint64_t ticks = channel_ticks(pit, channel);
	uint64_t count;

	if (channel->mode == 2)
		count = channel->reload - ticks % channel->reload;
	else if (channel->mode == 3)
		count = channel->reload - 2 * ticks % channel->reload;
	else
		count = channel->reload - ticks;
	return channel->bcd ? to_bcd(count % 10000) : count;
}

/* Channel 0: the deadline of its next rising edge. Periods too short to serve are skipped; a count
 * that is over before it is looked at, as a short one is on a busy host, is told all the same. */
static void pit_schedule(struct pit *pit)
{
	struct pit_channel *channel = &pit->channel[0];
	uint64_t ticks = channel_ticks(pit, channel), next = channel->reload;
	uint64_t earliest = channel_periodic(channel) ? clock_ns(pit->clock) + PERIOD_MIN : 0;

	if (!channel->armed || channel->mode == 1 || channel->mode == 5)
		next = 0;
	else if (channel_periodic(channel))
		next = (ticks / channel->reload + 1) * channel->reload;
	else if (!channel->due)
		next = 0;
	if (next)
		timer_set(pit->timer, MAX(channel->start + ns_of_ticks(next), earliest));
	else
		timer_cancel(pit->timer);
}

static void pit_fired(void *data)
{
	struct pit *pit = data;

	pit->channel[0].due = false;
	irq_set(&pit->irq, false);
	irq_set(&pit->irq, true);
	pit_schedule(pit);
}

static void pit_set_count(struct pit *pit, unsigned which, uint16_t value)
{
	struct pit_channel *channel = &pit->channel[which];

	if (channel->bcd)
		channel->reload = value ? from_bcd(value) : 10000;
	else
		channel->reload = value ? value : 65536;
	channel->start = clock_ns(pit->clock);
	channel->paused = 0;
	/* Modes 1 and 5 wait for the gate's edge. */
	channel->armed = channel->mode != 1 && channel->mode != 5;
	if (which == 0) {
		channel->due = true;
		irq_set(&pit->irq, false); /* each expiry is a rising edge */
		pit_schedule(pit);
	}
}

static void pit_write_count(struct pit *pit, unsigned which, uint8_t value)
{
	struct pit_channel *channel = &pit->channel[which];

	if (channel->access == 1) {
		pit_set_count(pit, which, value);
	} else if (channel->access == 2) {
		pit_set_count(pit, which, value << 8);
	} else if (!channel->write_high) {
		channel->write_low = value;
		channel->write_high = true;
	} else {
		channel->write_high = false;
		pit_set_count(pit, which, value << 8 | channel->write_low);
	}
}

static void channel_latch_count(const struct pit *pit, struct pit_channel *channel)
{
	if (channel->count_latched)
		return;
	channel->latched_count = channel_count(pit, channel);
	channel->count_latched = true;
}

static void channel_latch_status(const struct pit *pit, struct pit_channel *channel)
{
	if (channel->status_latched)
		return;
	channel->latched_status = channel_out(pit, channel) << 7 | !channel->armed << 6 |
				  channel->access << 4 | channel->mode << 1 | channel->bcd;
	channel->status_latched = true;
}

static void pit_read_back(struct pit *pit, uint8_t value)
{
	for (unsigned i = 0; i < CHANNELS; i++) {
		if (!(value & 2u << i))
			continue;
		if (!(value & 0x20))
			channel_latch_count(pit, &pit->channel[i]);
		if (!(value & 0x10))
			channel_latch_status(pit, &pit->channel[i]);
	}
}

/* The control word, 8254 data sheet figure 7. */
static void pit_write_control(struct pit *pit, uint8_t value)
{
	struct pit_channel *channel;

	if (value >> 6 == 3) {
		pit_read_back(pit, value);
		return;
	}
	channel = &pit->channel[value >> 6];
	if (!(value & 0x30)) {
		channel_latch_count(pit, channel);
		return;
	}
	channel->access = value >> 4 & 3;
	channel->mode = value >> 1 & 7;
	if (channel->mode > 5)
		channel->mode -= 4;
	channel->bcd = value & 1;
	channel->armed = false;
	channel->write_high = channel->read_high = false;
	channel->count_latched = channel->status_latched = false;
	if (channel == &pit->channel[0]) {
		channel->due = false;
		timer_cancel(pit->timer);
		irq_set(&pit->irq, false);
	}
}

static uint8_t pit_read_count(struct pit *pit, struct pit_channel *channel)
{
	uint16_t count;
	bool high = channel->access == 2;

	if (channel->status_latched) {
		channel->status_latched = false;
		return channel->latched_status;
	}
	count = channel->count_latched ? channel->latched_count : channel_count(pit, channel);
	if (channel->access == 3) {
		high = channel->read_high;
		channel->read_high = !channel->read_high;
	}
	if (channel->access != 3 || high)
		channel->count_latched = false;
	return high ? count >> 8 : count;
}

static uint64_t pit_read(void *device, uint64_t offset, unsigned size)
{
	struct pit *pit = device;

	return offset < CHANNELS ? pit_read_count(pit, &pit->channel[offset]) : 0xff;
}

static void pit_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct pit *pit = device;

	if (offset < CHANNELS)
		pit_write_count(pit, offset, value);
	else
		pit_write_control(pit, value);
}

static const struct bus_ops pit_bus_ops = {
	.read = pit_read,
	.write = pit_write,
};

/* 8254 data sheet, figure 23: gate low holds modes 0, 2, 3, 4; a rising edge starts modes 1, 2, 3
 * and 5 anew. */
static void pit_set_gate(struct pit *pit, bool gate)
{
	struct pit_channel *channel = &pit->channel[2];

	if (gate == channel->gate)
		return;
	if (!gate) {
		if (channel->mode != 1 && channel->mode != 5)
			channel->paused = channel_ticks(pit, channel);
		channel->gate = false;
		return;
	}
	channel->gate = true;
	if (channel->mode == 1 || channel->mode == 5)
		channel->armed = true;
	if (channel->mode != 0 && channel->mode != 4)
		channel->paused = 0;
	channel->start = clock_ns(pit->clock);
}

static uint64_t control_read(void *device, uint64_t offset, unsigned size)
{
	struct pit *pit = device;
	uint64_t refresh = clock_ns(pit->clock) / REFRESH_NS & 1;

	return pit->control | refresh << 4 | (uint64_t)channel_out(pit, &pit->channel[2]) << 5;
}

static void control_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct pit *pit = device;

	pit->control = value & 3;
	pit_set_gate(pit, value & 1);
}

static const struct bus_ops control_bus_ops = {
	.read = control_read,
	.write = control_write,
};

void pit_reset(struct pit *pit)
{
	memset(pit->channel, 0, sizeof(pit->channel));
	for (unsigned i = 0; i < CHANNELS; i++) {
		pit->channel[i].reload = 65536;
		pit->channel[i].access = 3;
		pit->channel[i].mode = i == 2 ? 0 : 3;
		pit->channel[i].gate = i != 2;
	}
	pit->control = 0;
	timer_cancel(pit->timer);
}

struct pit *pit_new(struct bus *ports, struct machine_clock *clock, struct irq_line irq)
{
	struct pit *pit = g_new0(struct pit, 1);

	pit->ports = ports;
	pit->clock = clock;
	pit->irq = irq;
	pit->timer = timer_new(clock, pit_fired, pit);
	pit_reset(pit);
	bus_claim(ports, PIT_PORT, 4, &pit_bus_ops, pit);
	bus_claim(ports, CONTROL_PORT, 1, &control_bus_ops, pit);
	return pit;
}

void pit_free(struct pit *pit)
{
	if (!pit)
		return;
	bus_release(pit->ports, PIT_PORT, pit);
	bus_release(pit->ports, CONTROL_PORT, pit);
	timer_free(pit->timer);
	g_free(pit);
}

const struct pit_channel *pit_get_state(const struct pit *pit, unsigned channel)
{
	return &pit->channel[channel];
}

/* ---- saving ---- */

static const struct field pit_channel_fields[] = {
	FIELD_RANGE(struct pit_channel, mode, 0, 5),
	FIELD_RANGE(struct pit_channel, access, 1, 3),
	FIELD_FLAG(struct pit_channel, bcd),
	FIELD_FLAG(struct pit_channel, gate),
	FIELD_FLAG(struct pit_channel, write_high),
	FIELD_FLAG(struct pit_channel, read_high),
	FIELD(struct pit_channel, write_low),
	FIELD_FLAG(struct pit_channel, count_latched),
	FIELD_FLAG(struct pit_channel, status_latched),
	FIELD(struct pit_channel, latched_status),
	FIELD(struct pit_channel, latched_count),
	FIELD_RANGE(struct pit_channel, reload, 1, 65536),
	FIELD_FLAG(struct pit_channel, armed),
	FIELD_FLAG(struct pit_channel, due),
	FIELD(struct pit_channel, start),
	FIELD(struct pit_channel, paused),
	FIELD_END,
};

static const struct field pit_fields[] = {
	FIELD_STRUCTS(struct pit, channel, pit_channel_fields),
	FIELD_RANGE(struct pit, control, 0, 3),
	FIELD_END,
};

void pit_save(const struct pit *pit, struct state_out *out)
{
	state_put(out, "pit", 0, pit_fields, pit);
}

bool pit_load(struct pit *pit, struct state_in *in, GError **error)
{
	if (!state_get(in, "pit", 0, pit_fields, pit, error))
		return false;
	for (unsigned i = 0; i < CHANNELS; i++)
		if (pit->channel[i].start > clock_ns(pit->clock))
			return state_damaged("pit", 0, "start", error);
	pit_schedule(pit);
	return true;
}

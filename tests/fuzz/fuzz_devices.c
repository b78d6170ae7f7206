// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Fuzzes the PC's chips: the input is a program of port, MMIO and MSR accesses, wire changes and
 * host events. Nothing may crash or go round for ever.
 *
 * Each step is 8 bytes: operation, selector, two bytes of offset, four of value.
 */
#include "config.h"

#include "engine/vmm/dev/debugexit.h"
#include "engine/vmm/dev/i8042.h"
#include "engine/vmm/dev/ioapic.h"
#include "engine/vmm/dev/irqchip.h"
#include "engine/vmm/dev/pci.h"
#include "engine/vmm/dev/pm.h"
#include "engine/vmm/dev/rtc.h"
#include "engine/vmm/dev/serial.h"

#include <string.h>

#define CPUS 3
#define STEPS_MAX 500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void told(void *cpu)
{
}

static void told_startup(void *cpu, uint8_t vector)
{
}

static const struct lapic_ops cpu_ops = {
	.interrupt = told,
	.nmi = told,
	.init = told,
	.startup = told_startup,
};

static const struct pm_ops pm_fuzz_ops = {.power_off = told, .reset = told};

static void exited(void *machine, int status)
{
}

static size_t chardev_take(struct chardev *chardev, const void *data, size_t length)
{
	static unsigned turn;

	return MIN(length, turn++ % 3);
}

static void chardev_go_on(struct chardev *chardev)
{
}

static const struct chardev_ops chardev_fuzz_ops = {.write = chardev_take, .resume = chardev_go_on};

struct machine {
	struct machine_lock lock;
	GMainContext *context;
	struct machine_clock *clock;
	struct bus *ports, *mmio;
	struct irqchip *chip;
	struct pm *pm;
	struct pci_bus *pci;
	struct rtc *rtc;
	struct serial *serial;
	struct i8042 *i8042;
	struct debugexit *debugexit;
	struct chardev chardev;
};

static struct machine *machine_new(void)
{
	struct machine *m = g_new0(struct machine, 1);
	struct irq_router *router;

	g_mutex_init(&m->lock.mutex);
	m->context = g_main_context_new();
	m->clock = clock_new(m->context, &m->lock, NULL);
	m->ports = bus_new("ports", &m->lock);
	m->mmio = bus_new("mmio", &m->lock);
	m->chip = irqchip_new(m->ports, m->mmio, m->clock, &m->lock, CPUS);
	router = irqchip_router(m->chip);
	for (unsigned i = 0; i < CPUS; i++)
		lapic_connect(irqchip_lapic(m->chip, i), &cpu_ops, m);
	m->pm = pm_new(m->ports, m->clock, (struct irq_line){router, PM_SCI}, &pm_fuzz_ops, m);
	m->pci = pci_bus_new(m->ports, m->mmio, router);
	m->rtc = rtc_new(m->ports, m->clock, (struct irq_line){router, 8}, 1700000000, 1 << 30, 0);
	m->chardev.ops = &chardev_fuzz_ops;
	m->serial = serial_new(m->ports, SERIAL_COM1, (struct irq_line){router, 4}, &m->chardev);
	m->i8042 = i8042_new(m->ports, told, m);
	m->debugexit = debugexit_new(m->ports, 0xf4, exited, m);
	return m;
}

static void machine_free(struct machine *m)
{
	debugexit_free(m->debugexit);
	i8042_free(m->i8042);
	serial_free(m->serial);
	rtc_free(m->rtc);
	pci_bus_free(m->pci);
	pm_free(m->pm);
	irqchip_free(m->chip);
	bus_free(m->ports);
	bus_free(m->mmio);
	clock_free(m->clock);
	g_main_context_unref(m->context);
	g_mutex_clear(&m->lock.mutex);
	g_free(m);
}

/* Ports that somebody answers at, by number, so that the input need not guess them. */
static uint16_t port_of(uint8_t selector, uint16_t offset)
{
	static const uint16_t ports[] = {0x20, 0xa0, 0x4d0, 0x40, 0x60, 0x61, 0x64, 0x70, 0xf4,
		SERIAL_COM1, PM_EVENT, PM_CONTROL, PM_TIMER, PM_GPE, 0xcf8, 0};

	return ports[selector % 16] + (selector % 16 == 15 ? offset : offset % 8);
}

static void lapic_step(struct machine *m, uint8_t selector, uint16_t offset, uint32_t value)
{
	struct lapic *lapic = irqchip_lapic(m->chip, selector % CPUS);
	uint64_t read;

	switch (selector >> 4) {
	case 0 ... 3:
		lapic_write(lapic, offset & 0xff0, value, 4);
		break;
	case 4:
		lapic_read(lapic, offset & 0xfff, 1u << (value & 3));
		break;
	case 5:
		lapic_msr_write(lapic, 0x800 + offset % 0x60, value | (uint64_t)offset << 32);
		break;
	case 6:
		lapic_msr_read(lapic, 0x800 + offset % 0x60, &read);
		break;
	case 7:
		lapic_msr_write(lapic, LAPIC_MSR_BASE, (value & 0xfffff000) | (offset & 0xc00));
		break;
	case 8:
		lapic_msr_write(lapic, LAPIC_MSR_TSC_DEADLINE, (uint64_t)value << (offset & 31));
		break;
	case 9:
		lapic_set_tsc_offset(lapic, (uint64_t)value << (offset & 63));
		break;
	case 10:
		lapic_set_cr8(lapic, value);
		break;
	case 11:
		lapic_poll(lapic);
		break;
	default:
		if (lapic_pending(lapic))
			lapic_accept(lapic);
	}
}

static void host_step(struct machine *m, uint8_t selector, uint32_t value)
{
	uint8_t bytes[32] = {'x'};

	g_mutex_lock(&m->lock.mutex);
	switch (selector % 6) {
	case 0:
		irq_set(&(struct irq_line){irqchip_router(m->chip), value % IRQ_LINES},
			value >> 31);
		break;
	case 1:
		irq_message(irqchip_router(m->chip), 0xfee00000u | (value & 0xff00c), value >> 8);
		break;
	case 2:
		chardev_receive(&m->chardev, bytes, value % sizeof(bytes));
		break;
	case 3:
		chardev_writable(&m->chardev);
		break;
	case 4:
		pm_press_power(m->pm);
		pm_raise_gpe(m->pm, value % 32);
		break;
	case 5:
		if (value % 16 == 0)
			irqchip_reset(m->chip);
		break;
	}
	g_mutex_unlock(&m->lock.mutex);
}

static void step(struct machine *m, const uint8_t *bytes)
{
	unsigned length = 1u << (bytes[0] >> 6) % 3;
	uint16_t offset = bytes[2] | bytes[3] << 8;
	uint32_t value;

	memcpy(&value, bytes + 4, 4);
	switch (bytes[0] & 7) {
	case 0:
	case 1:
		bus_write(m->ports, port_of(bytes[1], offset), value, length);
		break;
	case 2:
		bus_read(m->ports, port_of(bytes[1], offset), length);
		break;
	case 3:
		bus_write(m->mmio, IOAPIC_BASE + (offset & 0xff0), value, 4);
		break;
	case 4:
		bus_read(m->mmio, IOAPIC_BASE + (offset & 0xff), 1u << (value & 3));
		break;
	case 5:
		lapic_step(m, bytes[1], offset, value);
		break;
	case 6:
		host_step(m, bytes[1], value);
		break;
	case 7:
		/* Timers that are due; never waits. */
		g_main_context_iteration(m->context, FALSE);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine *m = machine_new();

	for (size_t i = 0; i + 8 <= size && i < STEPS_MAX * 8; i += 8)
		step(m, data + i);
	machine_free(m);
	return 0;
}

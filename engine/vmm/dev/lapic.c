// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/lapic_internal.h"
#include "engine/vmm/save/state.h"

#include <glib.h>
#include <string.h>

/* Register offsets in the page; x2APIC's MSR is 0x800 + offset / 16. Intel SDM volume 3, table
 * "Local APIC Register Address Map". */
enum {
	REG_ID = 0x20,
	REG_VERSION = 0x30,
	REG_TPR = 0x80,
	REG_PPR = 0xa0,
	REG_EOI = 0xb0,
	REG_LDR = 0xd0,
	REG_DFR = 0xe0,
	REG_SVR = 0xf0,
	REG_ISR = 0x100,
	REG_TMR = 0x180,
	REG_IRR = 0x200,
	REG_ESR = 0x280,
	REG_ICR = 0x300,
	REG_ICR_HIGH = 0x310,
	REG_LVT_TIMER = 0x320,
	REG_LVT_ERROR = 0x370,
	REG_INITIAL = 0x380,
	REG_CURRENT = 0x390,
	REG_DIVIDE = 0x3e0,
	REG_SELF = 0x3f0, /* x2APIC only */
};

#define VERSION 0x00050014u /* integrated, six LVT entries */
#define BASE_BSP (1ull << 8)
#define BASE_X2APIC (1ull << 10)
#define BASE_ENABLE (1ull << 11)
#define BASE_RESERVED (0xffull | 1ull << 9 | ~((1ull << 46) - 1))
#define SVR_ENABLE (1u << 8)
#define LVT_MODE(lvt) ((lvt) >> 8 & 7)
#define ESR_SEND_ILLEGAL (1u << 5)
#define ESR_RECEIVE_ILLEGAL (1u << 6)
#define ESR_REGISTER_ILLEGAL (1u << 7)

static const uint32_t lvt_writable[LAPIC_LVTS] = {
	[LAPIC_LVT_TIMER] = 0x700ff,
	[LAPIC_LVT_THERMAL] = 0x107ff,
	[LAPIC_LVT_PERFORMANCE] = 0x107ff,
	[LAPIC_LVT_LINT0] = 0x1a7ff,
	[LAPIC_LVT_LINT1] = 0x1a7ff,
	[LAPIC_LVT_ERROR] = 0x100ff,
};

/* ---- bits of the 256-bit registers ---- */

static bool bitmap_set(_Atomic uint32_t *map, uint8_t vector)
{
	return atomic_fetch_or(&map[vector / 32], 1u << vector % 32) & 1u << vector % 32;
}

static bool bitmap_clear(_Atomic uint32_t *map, uint8_t vector)
{
	return atomic_fetch_and(&map[vector / 32], ~(1u << vector % 32)) & 1u << vector % 32;
}

static int bitmap_highest(const _Atomic uint32_t *map)
{
	for (int word = 7; word >= 0; word--) {
		uint32_t bits = atomic_load_explicit(&map[word], memory_order_relaxed);

		if (bits)
			return word * 32 + 31 - __builtin_clz(bits);
	}
	return -1;
}

/* ---- priorities ---- */

static bool lapic_enabled(const struct lapic *lapic)
{
	return lapic->s.base & BASE_ENABLE;
}

static bool lapic_is_x2(const struct lapic *lapic)
{
	return lapic->s.base & BASE_X2APIC;
}

static uint32_t lapic_ppr(const struct lapic *lapic)
{
	uint32_t tpr = atomic_load_explicit(&lapic->s.tpr, memory_order_relaxed);
	int served = bitmap_highest(lapic->s.isr);

	if (served < 0 || tpr >> 4 >= (uint32_t)served >> 4)
		return tpr;
	return (uint32_t)served & 0xf0;
}

/* The vector that IRR holds above the processor's priority, or -1. */
static int lapic_deliverable(const struct lapic *lapic)
{
	int vector = bitmap_highest(lapic->s.irr);

	if (vector < 0 || !lapic_enabled(lapic) || (uint32_t)vector >> 4 <= lapic_ppr(lapic) >> 4)
		return -1;
	return vector;
}

static bool lapic_extint(const struct lapic *lapic)
{
	uint32_t lvt = lapic->s.lvt[LAPIC_LVT_LINT0];

	if (!atomic_load_explicit(&lapic->lint0, memory_order_relaxed))
		return false;
	return !lapic_enabled(lapic) ||
	       (LVT_MODE(lvt) == LAPIC_EXTINT && !(lvt & LAPIC_LVT_MASKED));
}

bool lapic_pending(const struct lapic *lapic)
{
	return lapic_extint(lapic) || lapic_deliverable(lapic) >= 0;
}

static void lapic_interrupt(struct lapic *lapic)
{
	if (lapic->cpu)
		lapic->ops->interrupt(lapic->cpu);
}

static void lapic_recheck(struct lapic *lapic)
{
	if (lapic_pending(lapic))
		lapic_interrupt(lapic);
}

int lapic_accept(struct lapic *lapic)
{
	int vector;

	if (lapic_extint(lapic)) {
		g_mutex_lock(&lapic->lock->mutex);
		vector = lapic->chip_ops->acknowledge(lapic->chip);
		g_mutex_unlock(&lapic->lock->mutex);
	} else {
		vector = lapic_deliverable(lapic);
		if (vector < 0)
			return -1;
		bitmap_clear(lapic->s.irr, vector);
		bitmap_set(lapic->s.isr, vector);
	}
	lapic_recheck(lapic);
	return vector;
}

static void lapic_eoi(struct lapic *lapic)
{
	int vector = bitmap_highest(lapic->s.isr);

	if (vector < 0)
		return;
	bitmap_clear(lapic->s.isr, vector);
	if (bitmap_clear(lapic->s.tmr, vector)) {
		g_mutex_lock(&lapic->lock->mutex);
		lapic->chip_ops->eoi(lapic->chip, vector);
		g_mutex_unlock(&lapic->lock->mutex);
	}
	lapic_recheck(lapic);
}

static void lapic_set_tpr(struct lapic *lapic, uint32_t tpr)
{
	uint32_t old = atomic_exchange(&lapic->s.tpr, tpr & 0xff);

	if (tpr < old)
		lapic_recheck(lapic);
}

unsigned lapic_cr8(const struct lapic *lapic)
{
	return lapic->s.tpr >> 4;
}

void lapic_set_cr8(struct lapic *lapic, unsigned value)
{
	lapic_set_tpr(lapic, (value & 15) << 4);
}

/* ---- receiving ---- */

static void lapic_error(struct lapic *lapic, uint32_t bit)
{
	if (!(atomic_fetch_or(&lapic->s.esr_new, bit) & bit))
		lapic_deliver_lvt(lapic, LAPIC_LVT_ERROR);
}

static void lapic_deliver_fixed(struct lapic *lapic, uint8_t vector, bool level)
{
	if (!lapic_enabled(lapic) || !(lapic->s.spurious & SVR_ENABLE))
		return;
	if (vector < 16) {
		lapic_error(lapic, ESR_RECEIVE_ILLEGAL);
		return;
	}
	if (level)
		bitmap_set(lapic->s.tmr, vector);
	else
		bitmap_clear(lapic->s.tmr, vector);
	/* Who set the bit first also tells the vCPU. */
	if (!bitmap_set(lapic->s.irr, vector))
		lapic_interrupt(lapic);
}

void lapic_deliver(struct lapic *lapic, enum lapic_mode mode, uint8_t vector, bool level)
{
	if (mode == LAPIC_FIXED || mode == LAPIC_LOWEST) {
		lapic_deliver_fixed(lapic, vector, level);
		return;
	}
	if (!lapic->cpu)
		return;
	if (mode == LAPIC_NMI)
		lapic->ops->nmi(lapic->cpu);
	else if (mode == LAPIC_INIT)
		lapic->ops->init(lapic->cpu);
	else if (mode == LAPIC_STARTUP)
		lapic->ops->startup(lapic->cpu, vector);
}

void lapic_deliver_lvt(struct lapic *lapic, enum lapic_lvt which)
{
	uint32_t lvt = lapic->s.lvt[which];

	if (lvt & LAPIC_LVT_MASKED)
		return;
	/* A fixed LINT is taken as edge-triggered: nothing here drives one as a level. */
	if (which == LAPIC_LVT_TIMER || which == LAPIC_LVT_ERROR)
		lapic_deliver(lapic, LAPIC_FIXED, lvt & 0xff, false);
	else if (LVT_MODE(lvt) != LAPIC_EXTINT)
		lapic_deliver(lapic, LVT_MODE(lvt), lvt & 0xff, false);
}

void lapic_set_lint0(struct lapic *lapic, bool level)
{
	if (atomic_exchange(&lapic->lint0, level) || !level)
		return;
	if (lapic_extint(lapic))
		lapic_interrupt(lapic);
	else
		lapic_deliver_lvt(lapic, LAPIC_LVT_LINT0);
}

void lapic_pulse_lint1(struct lapic *lapic)
{
	lapic_deliver_lvt(lapic, LAPIC_LVT_LINT1);
}

/* ---- sending ---- */

static uint32_t lapic_ldr(const struct lapic *lapic)
{
	if (lapic_is_x2(lapic))
		return lapic->id >> 4 << 16 | 1u << (lapic->id & 15);
	return lapic->s.ldr;
}

/* Intel SDM volume 3, "Logical Destination Mode" and "x2APIC ... Logical Destination". */
static bool lapic_matches_logical(const struct lapic *lapic, uint32_t destination)
{
	uint32_t ldr = lapic_ldr(lapic);

	if (destination == 0xffffffffu)
		return true;
	if (lapic_is_x2(lapic))
		return destination >> 16 == ldr >> 16 && destination & ldr & 0xffff;
	ldr >>= 24;
	if (lapic->s.dfr >> 28 == 0xf)
		return destination & ldr & 0xff;
	return ((destination & 0xf0) == 0xf0 || (destination & 0xf0) == (ldr & 0xf0)) &&
	       destination & ldr & 0xf;
}

static bool lapic_matches(const struct lapic *lapic, uint32_t destination, bool logical)
{
	if (logical)
		return lapic_matches_logical(lapic, destination);
	return destination == lapic->id || destination == 0xff || destination == 0xffffffffu;
}

static void lapic_set_send_lowest(
	const struct lapic_set *set, uint32_t destination, bool logical, uint8_t vector, bool level)
{
	struct lapic *best = NULL;

	for (unsigned i = 0; i < set->count; i++) {
		struct lapic *lapic = set->lapics[i];

		if (!lapic_matches(lapic, destination, logical) ||
			!(lapic->s.spurious & SVR_ENABLE))
			continue;
		if (!best || lapic_ppr(lapic) >> 4 < lapic_ppr(best) >> 4)
			best = lapic;
	}
	if (best)
		lapic_deliver_fixed(best, vector, level);
}

void lapic_set_send(const struct lapic_set *set, uint32_t destination, bool logical,
	enum lapic_mode mode, uint8_t vector, bool level)
{
	if (!logical && destination < set->count) {
		lapic_deliver(set->lapics[destination], mode, vector, level);
		return;
	}
	if (mode == LAPIC_LOWEST) {
		lapic_set_send_lowest(set, destination, logical, vector, level);
		return;
	}
	for (unsigned i = 0; i < set->count; i++) {
		if (lapic_matches(set->lapics[i], destination, logical))
			lapic_deliver(set->lapics[i], mode, vector, level);
	}
}

static void lapic_send_all(
	struct lapic *lapic, bool self, enum lapic_mode mode, uint8_t vector, bool level)
{
	for (unsigned i = 0; i < lapic->set->count; i++) {
		if (self || lapic->set->lapics[i] != lapic)
			lapic_deliver(lapic->set->lapics[i], mode, vector, level);
	}
}

static void lapic_send_icr(struct lapic *lapic)
{
	uint32_t icr = lapic->s.icr;
	enum lapic_mode mode = icr >> 8 & 7;
	uint8_t vector = icr & 0xff;
	bool level = icr >> 15 & 1;
	uint32_t destination = lapic->s.icr >> 32;

	if (!lapic_is_x2(lapic))
		destination >>= 24;
	if ((mode == LAPIC_FIXED || mode == LAPIC_LOWEST) && vector < 16) {
		lapic_error(lapic, ESR_SEND_ILLEGAL);
		return;
	}
	if (mode == LAPIC_INIT && level && !(icr & 1 << 14))
		return; /* INIT level de-assert: only the bus's arbitration ids ever cared */
	/* The trigger mode of an IPI other than INIT is ignored: always edge. */
	switch (icr >> 18 & 3) {
	case 0:
		lapic_set_send(lapic->set, destination, icr >> 11 & 1, mode, vector, false);
		break;
	case 1:
		lapic_deliver(lapic, mode, vector, false);
		break;
	default:
		lapic_send_all(lapic, (icr >> 18 & 3) == 2, mode, vector, false);
	}
}

/* ---- registers ---- */

static uint32_t lapic_read_register(struct lapic *lapic, uint32_t reg)
{
	switch (reg) {
	case REG_ID:
		return lapic_is_x2(lapic) ? lapic->id : lapic->id << 24;
	case REG_VERSION:
		return VERSION;
	case REG_TPR:
		return lapic->s.tpr;
	case REG_PPR:
		return lapic_ppr(lapic);
	case REG_LDR:
		return lapic_ldr(lapic);
	case REG_DFR:
		return lapic->s.dfr;
	case REG_SVR:
		return lapic->s.spurious;
	case REG_ISR ... REG_ISR + 0x70:
		return lapic->s.isr[(reg - REG_ISR) >> 4];
	case REG_TMR ... REG_TMR + 0x70:
		return lapic->s.tmr[(reg - REG_TMR) >> 4];
	case REG_IRR ... REG_IRR + 0x70:
		return lapic->s.irr[(reg - REG_IRR) >> 4];
	case REG_ESR:
		return lapic->s.esr;
	case REG_ICR:
		return lapic->s.icr;
	case REG_ICR_HIGH:
		return lapic->s.icr >> 32;
	case REG_LVT_TIMER ... REG_LVT_ERROR:
		return lapic->s.lvt[(reg - REG_LVT_TIMER) >> 4];
	case REG_INITIAL:
		return lapic->s.initial;
	case REG_CURRENT:
		return lapic_timer_current(lapic);
	case REG_DIVIDE:
		return lapic->s.divide;
	default:
		return 0;
	}
}

static void lapic_write_lvt(struct lapic *lapic, enum lapic_lvt which, uint32_t value)
{
	value &= lvt_writable[which];
	if (!(lapic->s.spurious & SVR_ENABLE))
		value |= LAPIC_LVT_MASKED;
	if (which == LAPIC_LVT_TIMER) {
		lapic_timer_set_lvt(lapic, value);
		return;
	}
	lapic->s.lvt[which] = value;
	if (which == LAPIC_LVT_LINT0)
		lapic_recheck(lapic);
}

static void lapic_write_spurious(struct lapic *lapic, uint32_t value)
{
	lapic->s.spurious = value & 0x3ff;
	if (value & SVR_ENABLE)
		return;
	for (unsigned i = 0; i < LAPIC_LVTS; i++)
		lapic->s.lvt[i] |= LAPIC_LVT_MASKED;
}

/* ICR: bits 12 and 13 (status, reserved), 16-17 and 20-31 do not stick. */
static void lapic_write_icr(struct lapic *lapic, uint64_t value)
{
	lapic->s.icr = value & 0xffffffff000ccfffull;
	lapic_send_icr(lapic);
}

static void lapic_write_register(struct lapic *lapic, uint32_t reg, uint32_t value)
{
	switch (reg) {
	case REG_TPR:
		lapic_set_tpr(lapic, value & 0xff);
		break;
	case REG_EOI:
		lapic_eoi(lapic);
		break;
	case REG_LDR:
		lapic->s.ldr = value & 0xff000000u;
		break;
	case REG_DFR:
		lapic->s.dfr = value | 0x0fffffffu;
		break;
	case REG_SVR:
		lapic_write_spurious(lapic, value);
		break;
	case REG_ESR:
		lapic->s.esr = atomic_exchange(&lapic->s.esr_new, 0);
		break;
	case REG_ICR:
		lapic_write_icr(lapic, (lapic->s.icr & ~0xffffffffull) | value);
		break;
	case REG_ICR_HIGH:
		lapic->s.icr = (lapic->s.icr & 0xffffffffull) | (uint64_t)(value & 0xff000000u)
									<< 32;
		break;
	case REG_LVT_TIMER ... REG_LVT_ERROR:
		lapic_write_lvt(lapic, (reg - REG_LVT_TIMER) >> 4, value);
		break;
	case REG_INITIAL:
		lapic_timer_set_initial(lapic, value);
		break;
	case REG_DIVIDE:
		lapic_timer_set_divide(lapic, value);
		break;
	case REG_ID:
	case REG_VERSION:
		break;
	default:
		lapic_error(lapic, ESR_REGISTER_ILLEGAL);
	}
}

uint64_t lapic_page(const struct lapic *lapic)
{
	if ((lapic->s.base & (BASE_ENABLE | BASE_X2APIC)) != BASE_ENABLE)
		return UINT64_MAX;
	return lapic->s.base & ~0xfffull;
}

uint64_t lapic_read(struct lapic *lapic, uint32_t offset, unsigned size)
{
	uint32_t value;

	if ((offset & 0xf) + size > 4)
		return 0;
	value = lapic_read_register(lapic, offset & 0xff0) >> (offset & 3) * 8;
	return size == 4 ? value : value & ((1u << size * 8) - 1);
}

void lapic_write(struct lapic *lapic, uint32_t offset, uint64_t value, unsigned size)
{
	if (size == 4 && !(offset & 0xf))
		lapic_write_register(lapic, offset & 0xff0, value);
}

/* ---- MSRs ---- */

static bool x2_readable(uint32_t reg)
{
	switch (reg) {
	case REG_ID:
	case REG_VERSION:
	case REG_TPR:
	case REG_PPR:
	case REG_LDR:
	case REG_SVR:
	case REG_ISR ... REG_IRR + 0x70:
	case REG_ESR:
	case REG_ICR:
	case REG_LVT_TIMER ... REG_CURRENT:
	case REG_DIVIDE:
		return true;
	default:
		return false;
	}
}

static bool x2_writable(uint32_t reg)
{
	switch (reg) {
	case REG_TPR:
	case REG_EOI:
	case REG_SVR:
	case REG_ESR:
	case REG_ICR:
	case REG_LVT_TIMER ... REG_INITIAL:
	case REG_DIVIDE:
	case REG_SELF:
		return true;
	default:
		return false;
	}
}

bool lapic_msr_read(struct lapic *lapic, uint32_t msr, uint64_t *value)
{
	uint32_t reg = (msr - LAPIC_MSR_X2APIC_FIRST) << 4;

	if (msr == LAPIC_MSR_BASE) {
		*value = lapic->s.base;
		return true;
	}
	if (msr == LAPIC_MSR_TSC_DEADLINE) {
		lapic_poll(lapic);
		*value = lapic->s.tsc_deadline;
		return true;
	}
	if (msr < LAPIC_MSR_X2APIC_FIRST || msr > LAPIC_MSR_X2APIC_LAST || !lapic_is_x2(lapic) ||
		!x2_readable(reg))
		return false;
	*value = reg == REG_ICR ? lapic->s.icr : lapic_read_register(lapic, reg);
	return true;
}

static bool x2_write(struct lapic *lapic, uint32_t reg, uint64_t value)
{
	if (!x2_writable(reg) || (reg != REG_ICR && value >> 32))
		return false;
	if ((reg == REG_EOI || reg == REG_ESR) && value)
		return false;
	if ((reg == REG_TPR || reg == REG_SELF) && value > 0xff)
		return false;
	if (reg == REG_ICR)
		lapic_write_icr(lapic, value);
	else if (reg == REG_SELF)
		lapic_deliver(lapic, LAPIC_FIXED, value, false);
	else
		lapic_write_register(lapic, reg, value);
	return true;
}

/* Intel SDM volume 3, "x2APIC State Transitions": x2APIC is left only through disabled, and
 * entered only from xAPIC. */
static bool lapic_write_base(struct lapic *lapic, uint64_t value)
{
	uint64_t old = lapic->s.base;
	bool was_x2 = old & BASE_X2APIC, is_x2 = value & BASE_X2APIC;
	bool was_on = old & BASE_ENABLE, is_on = value & BASE_ENABLE;

	if (value & BASE_RESERVED || (is_x2 && !is_on) || (was_x2 && is_on && !is_x2) ||
		(!was_on && is_x2))
		return false;
	if (was_on && !is_on)
		lapic_init(lapic);
	lapic->s.base = value;
	return true;
}

bool lapic_msr_write(struct lapic *lapic, uint32_t msr, uint64_t value)
{
	if (msr == LAPIC_MSR_BASE)
		return lapic_write_base(lapic, value);
	if (msr == LAPIC_MSR_TSC_DEADLINE) {
		lapic_timer_set_tsc_deadline(lapic, value);
		return true;
	}
	if (msr < LAPIC_MSR_X2APIC_FIRST || msr > LAPIC_MSR_X2APIC_LAST || !lapic_is_x2(lapic))
		return false;
	return x2_write(lapic, (msr - LAPIC_MSR_X2APIC_FIRST) << 4, value);
}

/* ---- life ---- */

void lapic_init(struct lapic *lapic)
{
	struct lapic_state *s = &lapic->s;

	g_mutex_lock(&lapic->timer_mutex);
	s->initial = s->divide = 0;
	s->tsc_deadline = s->timer_start = 0;
	s->deadline = 0;
	g_mutex_unlock(&lapic->timer_mutex);
	for (unsigned i = 0; i < 8; i++)
		s->irr[i] = s->tmr[i] = s->isr[i] = 0;
	s->tpr = s->ldr = s->esr = s->esr_new = 0;
	s->icr = 0;
	s->dfr = 0xffffffffu;
	s->spurious = 0xff;
	for (unsigned i = 0; i < LAPIC_LVTS; i++)
		s->lvt[i] = LAPIC_LVT_MASKED;
	/* Firmware leaves the boot processor in virtual wire mode; there is none here. */
	if (lapic->id == 0)
		s->lvt[LAPIC_LVT_LINT0] = LAPIC_EXTINT << 8;
}

void lapic_reset(struct lapic *lapic)
{
	lapic->s.base = LAPIC_DEFAULT_BASE | BASE_ENABLE | (lapic->id ? 0 : BASE_BSP);
	lapic->s.tsc_offset = 0;
	lapic_init(lapic);
}

struct lapic *lapic_new(unsigned id, const struct lapic_set *set,
	const struct lapic_chip_ops *chip_ops, void *chip, struct machine_clock *clock,
	struct machine_lock *lock)
{
	struct lapic *lapic = g_new0(struct lapic, 1);

	lapic->id = id;
	lapic->set = set;
	lapic->chip_ops = chip_ops;
	lapic->chip = chip;
	lapic->clock = clock;
	lapic->lock = lock;
	g_mutex_init(&lapic->timer_mutex);
	lapic->timer = timer_new(clock, lapic_timer_fired, lapic);
	lapic_reset(lapic);
	return lapic;
}

void lapic_free(struct lapic *lapic)
{
	if (!lapic)
		return;
	timer_free(lapic->timer);
	g_mutex_clear(&lapic->timer_mutex);
	g_free(lapic);
}

void lapic_connect(struct lapic *lapic, const struct lapic_ops *ops, void *cpu)
{
	lapic->ops = ops;
	/* Others may send to it from now on. */
	g_atomic_pointer_set(&lapic->cpu, cpu);
}

unsigned lapic_id(const struct lapic *lapic)
{
	return lapic->id;
}

const struct lapic_state *lapic_get_state(const struct lapic *lapic)
{
	return &lapic->s;
}

/* ---- saving ---- */

static const struct field lapic_state_fields[] = {
	FIELD(struct lapic_state, base),
	FIELD_ARRAY(struct lapic_state, irr),
	FIELD_ARRAY(struct lapic_state, tmr),
	FIELD_ARRAY(struct lapic_state, isr),
	FIELD_RANGE(struct lapic_state, tpr, 0, 255),
	FIELD(struct lapic_state, spurious),
	FIELD(struct lapic_state, ldr),
	FIELD(struct lapic_state, dfr),
	FIELD(struct lapic_state, esr),
	FIELD(struct lapic_state, esr_new),
	FIELD_ARRAY(struct lapic_state, lvt),
	FIELD(struct lapic_state, icr),
	FIELD_RANGE(struct lapic_state, divide, 0, 0xb),
	FIELD(struct lapic_state, initial),
	FIELD(struct lapic_state, timer_start),
	FIELD(struct lapic_state, deadline),
	FIELD(struct lapic_state, tsc_deadline),
	FIELD(struct lapic_state, tsc_offset),
	FIELD_END,
};

static const struct field lapic_fields[] = {
	FIELD_STRUCT(struct lapic, s, lapic_state_fields),
	FIELD_FLAG(struct lapic, lint0),
	FIELD_END,
};

void lapic_save(const struct lapic *lapic, struct state_out *out)
{
	state_put(out, "lapic", lapic->id, lapic_fields, lapic);
}

bool lapic_load(struct lapic *lapic, struct state_in *in, GError **error)
{
	if (!state_get(in, "lapic", lapic->id, lapic_fields, lapic, error))
		return false;
	if (lapic->s.timer_start > clock_ns(lapic->clock))
		return state_damaged("lapic", lapic->id, "timer_start", error);
	lapic_timer_loaded(lapic);
	return true;
}

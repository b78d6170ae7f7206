// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ACPI's fixed hardware (ACPI 6.4, chapter 4.8): PM1 event and control blocks, PM timer, one GPE
 * block, the SCI, sleep state S5, the power button, and the reset register at port 0xcf9.
 *
 * Ports, as the FADT must give them:
 *	PM_EVENT    4 bytes  PM1a_EVT_BLK (status, enable)
 *	PM_CONTROL  2 bytes  PM1a_CNT_BLK
 *	PM_TIMER    4 bytes  PM_TMR_BLK, 32 bits (TMR_VAL_EXT), 3.579545 MHz
 *	PM_GPE      8 bytes  GPE0_BLK (4 bytes status, 4 bytes enable: 32 events)
 *	PM_RESET    1 byte   RESET_REG, value PM_RESET_VALUE
 * The DSDT's \_S5 must be { PM_S5_TYPE, PM_S5_TYPE }. There is no SMI_CMD port: SCI_EN reads 1.
 *
 * Threads: with the machine lock held.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/clock.h"
#include "engine/vmm/irq.h"
#include "engine/vmm/save/state.h"

#define PM_EVENT 0x600u
#define PM_CONTROL 0x604u
#define PM_TIMER 0x608u
#define PM_GPE 0x620u
#define PM_RESET 0xcf9u
#define PM_RESET_VALUE 0x06u
#define PM_S5_TYPE 5u
#define PM_SCI 9u /* GSI, level-triggered, active high */
#define PM_TIMER_HZ 3579545ull

struct pm_state {
	uint16_t status, enable, control;
	uint32_t gpe_status, gpe_enable;
	uint64_t carry; /* how often the timer's top bit had changed when status was last seen */
	uint8_t reset;  /* last value written to PM_RESET */
};

/* What the guest asks of the machine; called in the vCPU's thread with the lock held. */
struct pm_ops {
	void (*power_off)(void *machine); /* S5 */
	void (*reset)(void *machine);     /* hard reset by port 0xcf9 */
};

struct pm;

struct pm *pm_new(struct bus *ports, struct machine_clock *clock, struct irq_line sci,
	const struct pm_ops *ops, void *machine);
void pm_free(struct pm *pm);
void pm_reset(struct pm *pm);

/* Somebody presses the power button: an orderly shutdown, if the guest listens. */
void pm_press_power(struct pm *pm);
/* Raises general purpose event 0-31. */
void pm_raise_gpe(struct pm *pm, unsigned event);

const struct pm_state *pm_get_state(const struct pm *pm);

/* Saving: state.h. */
void pm_save(const struct pm *pm, struct state_out *out);
bool pm_load(struct pm *pm, struct state_in *in, GError **error);

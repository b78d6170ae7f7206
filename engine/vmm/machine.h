// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A machine: everything a guest's configuration asks for, wired together, and its life: start,
 * pause, reset, power off, end.
 *
 * Threads: these functions belong to the main thread, which runs the machine's main context.
 * vCPUs run in threads of their own; what they or devices ask for (power off, reset, errors) is
 * carried out in the main context.
 */
#pragma once

#include "engine/common/config.h"
#include "engine/common/stats.h"
#include "engine/vmm/cpu/vcpu.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

enum machine_state {
	MACHINE_PAUSED,    /* made but not started, or paused */
	MACHINE_RUNNING,
	MACHINE_HELD,      /* stands still for a while: machine_hold() */
	MACHINE_PRESERVED, /* powered off or crashed, kept for a look */
	MACHINE_ENDED,
};

/* What happens to a machine, told by its listener. detail is a sentence, or NULL. */
enum machine_event {
	MACHINE_EVENT_STARTED,
	MACHINE_EVENT_PAUSED,
	MACHINE_EVENT_RESUMED,
	MACHINE_EVENT_RESET,
	MACHINE_EVENT_POWERED_OFF,
	MACHINE_EVENT_CRASHED,  /* detail: why, then registers on further lines */
	MACHINE_EVENT_WARNING,  /* detail: something of the guest's that is not emulated */
	MACHINE_EVENT_ENDED,    /* the machine will do nothing more: free it */
};

struct kept;
struct save;
struct save_reader;

struct machine_options {
	GMainContext *context;
	/* Instead of booting the guest goes on from this file (save/reader.h), or NULL. Not used
	 * after machine_new(). */
	struct save_reader *restore;
	/* The process's terminal is the first serial port of type pty or stdio. */
	bool terminal;
	/* Input on the terminal is filtered by this (terminal.h), or NULL. */
	size_t (*terminal_filter)(void *data, char *bytes, size_t length);
	void *terminal_filter_data;
	/* A write of v to this port ends the machine with exit status v << 1 | 1; 0: no port. */
	uint16_t debug_exit_port;
	/* Where its statistics are kept, seen from outside; outlives the machine. NULL: they are
	 * kept where nobody else sees them. */
	struct stats_page *stats;
	/* Caps and weights are the monitor's business even where a control group could be had. */
	bool no_cgroup;
	/* Who starts programs for devices; outlives the machine. NULL: nobody. */
	struct kept *kept;
	/* In the main context, lock not held. */
	void (*event)(void *data, enum machine_event event, const char *detail);
	/* What else the control protocol calls an event (engine/common/control.h). fields: taken,
	 * more members, or NULL. May be NULL. */
	void (*notify)(void *data, const char *event, const char *detail, JsonObject *fields);
	void *event_data;
};

struct machine;

/* What a machine is made of, for the requests that change it while it is there. All of it belongs to
 * the machine. */
struct machine_parts {
	struct machine *machine;
	const struct machine_config *config;
	GMainContext *context;
	struct machine_lock *lock;
	struct machine_clock *clock;
	struct guest_memory *memory;
	struct bus *ports;
	struct bus *mmio;
	struct vcpu_backend *backend;
	struct cpus *cpus;
	struct cpuplug *cpuplug;
	struct pm *pm;
	struct rtc *rtc;
	struct i8042 *i8042;
	struct serial *serials[CONFIG_SERIALS_MAX];
	struct host_chardev *serial_hosts[CONFIG_SERIALS_MAX];
	struct pci_bus *pci;
	struct devices *devices;
	struct kept *kept; /* or NULL */
	struct memplug *memplug;
	struct stats_page *stats; /* always there */
	struct scheduling *scheduling;
	struct statistics *statistics;
};

/* Makes the machine and loads the guest; it is paused at its first instruction. config must
 * outlive it. Errors are whole sentences. */
struct machine *machine_new(const struct machine_config *config,
	const struct machine_options *options, GError **error);
/* Ends the guest, if it runs. */
void machine_free(struct machine *machine);

/* From MACHINE_PAUSED; false where the machine is in another state. */
bool machine_resume(struct machine *machine);
bool machine_pause(struct machine *machine);
/* As the reset button: the guest boots anew. Not after the end. */
bool machine_reset(struct machine *machine);
/* Presses the power button; the guest may listen or not. */
bool machine_press_power(struct machine *machine);
/* Ends the guest at once; the process's exit status is 0. */
void machine_quit(struct machine *machine);

/* A running or paused guest stands still, is not resumed or reset, and its devices do not touch its
 * memory by themselves, until machine_release(), after which it is as before. Errors:
 * G_IO_ERROR_BUSY in another state, and where it is just about to end by itself. */
bool machine_hold(struct machine *machine, GError **error);
/* Does nothing where it is not held (any more). */
void machine_release(struct machine *machine);
/* What is under way while it is held (save/save.h), or NULL; freed with the machine. */
void machine_set_save(struct machine *machine, struct save *save);
struct save *machine_get_save(const struct machine *machine);
/* The wall clock that a guest of this configuration is shown, in seconds since 1970. */
int64_t machine_wall_clock(const struct machine_config *config);

enum machine_state machine_state(const struct machine *machine);
/* After MACHINE_EVENT_ENDED: 0 after power off or quit, else what the debug port or a crash says. */
int machine_exit_status(const struct machine *machine);
const struct machine_parts *machine_parts(const struct machine *machine);
/* Tells the listener's notify(); fields is taken. */
void machine_notify(struct machine *machine, const char *event, const char *detail,
	JsonObject *fields);
const struct machine_config *machine_config(const struct machine *machine);
/* "kvm" or "soft". */
const char *machine_backend(const struct machine *machine);
/* Nanoseconds the guest has run since it was started. */
uint64_t machine_uptime(const struct machine *machine);
/* Where the console of serial port 0-3 or virtio port index can be reached; NULL: nowhere. */
const char *machine_serial_path(const struct machine *machine, unsigned index);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The person's terminal while a guest uses it as its serial console: raw mode, restored whatever
 * happens (return, exit, fatal signals; not SIGKILL), and the escape key Ctrl-], which begins a
 * command to the monitor.
 *
 * There is one terminal per process. Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define TERMINAL_ESCAPE 0x1d /* Ctrl-] */

/* Raw mode on standard input, if it is a terminal; says whether it is. */
bool terminal_raw(void);
/* Back to what it was; does nothing where nothing was changed. Async-signal-safe. */
void terminal_restore(void);

enum terminal_command {
	TERMINAL_QUIT,
	TERMINAL_POWER_BUTTON,
	TERMINAL_RESET,
	TERMINAL_PAUSE, /* or go on */
};

/* The state of the escape key between reads. */
struct terminal_keys {
	bool escaped;
	void (*command)(void *data, enum terminal_command command);
	void *data;
};

/* A filter for host_chardev_set_filter(): takes the escape key and what follows it out. */
size_t terminal_filter(void *keys, char *bytes, size_t length);

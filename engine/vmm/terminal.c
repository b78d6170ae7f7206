// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/terminal.h"

#include <glib/gi18n.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved;
static volatile sig_atomic_t is_raw;

void terminal_restore(void)
{
	if (!is_raw)
		return;
	is_raw = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

static const int fatal[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGQUIT, SIGSYS };
static struct sigaction before[sizeof(fatal) / sizeof(fatal[0])];

/* The terminal first, then whoever had the signal before: a fault comes again by itself when we
 * return, a signal that was sent is sent again. */
static void on_fatal(int number, siginfo_t *info, void *context)
{
	terminal_restore();
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		if (fatal[i] == number)
			sigaction(number, &before[i], NULL);
	if (info->si_code <= 0)
		raise(number);
}

static void watch_fatal_signals(void)
{
	struct sigaction action = { .sa_sigaction = on_fatal, .sa_flags = SA_SIGINFO };

	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		sigaction(fatal[i], &action, &before[i]);
}

bool terminal_raw(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &saved) < 0)
		return false;
	raw = saved;
	cfmakeraw(&raw);
	/* Line feeds of our own messages, and of guests that send none but them, still go to the
	 * beginning of the line. */
	raw.c_oflag |= OPOST;
	watch_fatal_signals();
	atexit(terminal_restore);
	is_raw = 1;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	return true;
}

static void show_help(void)
{
	fputs(_("\r\n[Ctrl-] then: q end the guest, p power button, r reset, s stop or go on, "
		"] send Ctrl-]]\r\n"),
		stderr);
}

/* The key after the escape key; true: it is for the guest. */
static bool run_command(struct terminal_keys *keys, char key)
{
	static const struct {
		char key;
		enum terminal_command command;
	} commands[] = {
		{ 'q', TERMINAL_QUIT },
		{ '.', TERMINAL_QUIT },
		{ 'p', TERMINAL_POWER_BUTTON },
		{ 'r', TERMINAL_RESET },
		{ 's', TERMINAL_PAUSE },
	};

	keys->escaped = false;
	if (key == ']' || key == TERMINAL_ESCAPE)
		return true;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (key == commands[i].key) {
			keys->command(keys->data, commands[i].command);
			return false;
		}
	show_help();
	return false;
}

size_t terminal_filter(void *data, char *bytes, size_t length)
{
	struct terminal_keys *keys = data;
	size_t kept = 0;

	for (size_t i = 0; i < length; i++) {
		if (keys->escaped) {
			if (run_command(keys, bytes[i]))
				bytes[kept++] = TERMINAL_ESCAPE;
		} else if (bytes[i] == TERMINAL_ESCAPE) {
			keys->escaped = true;
		} else {
			bytes[kept++] = bytes[i];
		}
	}
	return kept;
}

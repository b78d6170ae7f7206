// SPDX-License-Identifier: GPL-3.0-or-later
// Runs a program in a terminal of our own and looks at its screen: keystrokes in, plain text out.
//
// The program runs in a pty; what it writes goes through libvterm. All waiting is for something
// (a text, a golden screen, the program's end) with a limit of HARNESS_PATIENCE_MS; nothing sleeps
// for a fixed time. What does not come fails the test (cmocka) and shows the screen as it was.
//
// The program gets this process's environment with TERM, LC_ALL, TZ=UTC0 and LODGE_CLOCK set, and
// NO_COLOR, LANGUAGE, LINES, COLUMNS removed, then the caller's own.
#pragma once

#include <glib.h>
#include <stdbool.h>

/// Generous: a loaded machine under a sanitizer is slow, and nobody waits longer than needed.
#define HARNESS_PATIENCE_MS 120000
/// 2023-11-14 22:13:20 UTC, the frozen clock unless env says otherwise.
#define HARNESS_CLOCK "1700000000"

struct harness;

struct harness_options {
	const char *const *argv; // NULL-terminated; argv[0] is a path or in PATH
	const char *const *env;	 // "NAME=value" or "NAME" to unset; NULL-terminated; may be NULL
	int width, height;	 // 0: 80×24
	const char *term;	 // NULL: "xterm-256color"
	const char *locale;	 // LC_ALL; NULL: "C.UTF-8"
	const char *folder;	 // where it is started; NULL: here
};

/// The path of a program of the build: harness_program("lodge"); LEAF is relative to the top of the
/// build tree (environment top_builddir, else "."). The caller frees.
char *harness_program(const char *leaf);

struct harness *harness_start(const struct harness_options *options);
/// Ends the program (SIGHUP, then SIGKILL) if it still runs, and frees; NULL is fine.
void harness_stop(struct harness *h);

/// Presses keys: names separated by spaces as tmux spells them (Enter Tab BTab Esc Up Down Left
/// Right Home End PPage NPage IC DC BSpace Space F1…F12 S-F1 M-x C-x) or text in single quotes:
/// harness_keys(h, "F4 'web1' Tab C-u '99' F10"). An Esc is followed by a pause, so that it is one.
void harness_keys(struct harness *h, const char *keys);
/// Raw bytes: for garbage, pastes and mouse reports.
void harness_bytes(struct harness *h, const void *bytes, size_t n);
/// A left click (press and release) at a cell, 0-based, as SGR reports.
void harness_click(struct harness *h, int x, int y);
void harness_resize(struct harness *h, int width, int height);
/// Sends the program a signal.
void harness_signal(struct harness *h, int sig);
/// The program's process id.
int harness_pid(const struct harness *h);

/// The screen as lines of text without trailing blanks, each ended by a newline. The caller frees.
char *harness_screen(struct harness *h);
/// Where the cursor is; returns whether it is visible.
bool harness_cursor(struct harness *h, int *x, int *y);
/// What stands out at a cell: 'r' reverse, 'b' bold, 'u' underline as a string, then its colours:
/// "b 15/4"; "-" for the terminal's own. The caller frees.
char *harness_cell(struct harness *h, int x, int y);
/// Bytes written by the program so far.
guint64 harness_written(const struct harness *h);

/// Waits until TEXT is on the screen (within one line); fails the test when it does not come.
void harness_expect(struct harness *h, const char *text);
/// Waits until it is not.
void harness_expect_gone(struct harness *h, const char *text);
/// Waits until the cursor is visible at X, Y.
void harness_expect_cursor(struct harness *h, int x, int y);
/// Waits for a text without failing: whether it came within MS.
bool harness_wait(struct harness *h, const char *text, int ms);
/// Waits until nothing was written for QUIET_MS (for byte counts; prefer harness_expect).
void harness_quiet(struct harness *h, int quiet_ms);
/// Waits until the program ends; its exit code, or 128 plus the signal.
int harness_exit(struct harness *h);

/// Waits until the screen is the one in tests/screens/golden/NAME.txt. With LODGE_GOLDEN_UPDATE=1
/// writes that file instead, once the screen is quiet. Fails with both screens when it stays
/// different.
void harness_golden(struct harness *h, const char *name);
/// The same at 80×24, at 120×40 (NAME-120x40), and at 80×24 again, where it is as it was.
void harness_golden_sizes(struct harness *h, const char *name);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A running passt(1): the program that gives a guest the host's own network without privileges, with
 * one end of a socket pair. It ends with the other end, too. One thread.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

struct passt_program_config {
	const char *program;          /* NULL: "passt" by PATH */
	const char *const *arguments; /* further ones (-t 2222:22 …), NULL-terminated; or NULL */
	uint16_t mtu;                 /* told to the guest; 0: passt's own default */
	const char *log_path;         /* passt's log, or NULL for none */
	int log;                      /* the same, opened, the caller's; or -1: log_path is opened */
};

struct passt_program;

/* Starts it; *fd is the socket, the caller's. Errors: G_IO_ERROR; the sentence says what to do. */
struct passt_program *passt_program_new(
	const struct passt_program_config *config, int *fd, GError **error);
/* Ends it. */
void passt_program_free(struct passt_program *passt);

GPid passt_program_pid(const struct passt_program *passt);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A real Linux guest of the daemon under test: it says again and again what it has (report), to a
 * file. What fails here fails the test (cmocka).
 */
#pragma once

#include "tests/daemon/daemon.h"

/* The guest's name, and the address of its network card. */
#define LINUX_GUEST "linux"
#define LINUX_MAC "52:54:00:11:22:33"
#define LINUX_DIGITS "77"

/* A group's setup and teardown: daemon_prepare(), and the guest runs: 3 vCPUs, of which 1 is there,
 * 256 MiB and a memory device for 128 more, a disk vda of 16 MiB, the network card, a balloon. */
int linux_prepare(void **state);
int linux_clean_up(void **state);

/* A file of the test's folder, so many MiB of zeros. The path is the caller's. */
char *linux_disk(const char *name, unsigned mib);
/* Waits until what it says has this in it: of a line that begins after now. */
void linux_comes_to_say(const char *part);
/* virsh, which writes all events to this file from here on; to be ended by linux_listen_end(). */
GPid linux_listen(const char *file);
void linux_listen_end(GPid listener);
/* Waits until the file has this in it. */
void await_text(const char *file, const char *part);
/* The definition's file. */
char *linux_definition(void);

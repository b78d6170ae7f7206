// SPDX-License-Identifier: GPL-3.0-or-later
/* Going into the background. Called before anything else has threads or sources. */
#pragma once

#include <stdbool.h>

/* Forks. In the parent this does not return: it ends with status 0 when the child has called
 * daemonize_ready(), and with the child's own status otherwise. Returns what to hand to that, or
 * -1: it could not fork. */
int daemonize_begin(void);
/* The child: standard output and error go to the log from now on, and the parent ends. */
void daemonize_ready(int handle, const char *log);

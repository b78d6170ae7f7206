// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Sets of host CPUs as libvirt writes them: "0-3,^2,8" (a ^ takes what was named before out again).
 */
#pragma once

#include <glib.h>
#include <sched.h>
#include <stdbool.h>

/* *set is written on success. Errors: G_CONVERT_ERROR, a sentence; a set that is empty is one. */
bool cpuset_parse(const char *text, cpu_set_t *set, GError **error);
/* "0-1,3"; "" where it is empty. Free with g_free(). */
char *cpuset_format(const cpu_set_t *set);

// SPDX-License-Identifier: GPL-3.0-or-later
/* Sets of host CPUs: libvirt's bit maps (CPU 0 is bit 0 of byte 0), and texts like "0-1,3". */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The text of a map, "" for an empty one. Free with g_free(). */
char *cpumap_format(const uint8_t *map, size_t length);
/* Sets the bits of text in map, which is cleared; CPUs beyond it are left out. NULL: all of cpus.
 * False: this is no such text. */
bool cpumap_parse(const char *text, unsigned cpus, uint8_t *map, size_t length);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Errors as libvirt's clients know them: a GError whose domain is FAULT and whose code is a
 * virErrorNumber. The sentences are those of libvirt's QEMU driver, in English: tools compare
 * them, and the daemon does not know the language of the person at the other end. Any thread.
 */
#pragma once

#include <glib.h>
#include <libvirt/virterror.h>
#include <stdbool.h>

#include "engine/daemon/wire.h"

#define FAULT fault_quark()
GQuark fault_quark(void);

/* Sets an error: libvirt's headline for the code, if it has one, and the sentence. Returns false.
 */
G_GNUC_PRINTF(3, 4)
bool fault_set(GError **error, virErrorNumber code, const char *format, ...);

/* VIR_ERR_INVALID_ARG without the headline: libvirt writes some so. */
G_GNUC_PRINTF(2, 3)
bool fault_set_argument(GError **error, const char *format, ...);

/* As the wire's error object; an error of another domain is an internal one. The strings are to be
 * freed with packet_clear_value(). */
void fault_to_wire(const GError *error, struct wire_error *wire);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What only the monitor knows of a running guest's devices: where they are on its PCI bus, and at
 * which pseudo terminals its consoles are. In the XML as libvirt's QEMU driver has it:
 * <address>, and for consoles of type pty <source path=…> (and the attribute tty of <console>). Main thread.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "engine/daemon/definition.h"

/* The definition with what "status" (engine/common/control.h) tells. NULL: there is nothing new. */
struct definition *places_put(const struct definition *definition, JsonObject *status);

/* Device is in this slot; an <address> that it has is replaced. */
void places_put_slot(xmlNode *device, unsigned slot);
/* Takes out what is of one run only: terminals, not addresses. */
void places_drop_terminal(xmlNode *device);

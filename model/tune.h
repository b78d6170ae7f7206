// SPDX-License-Identifier: GPL-3.0-or-later
// Values of a definition that a running guest takes on by calls of their own: its share of the host's
// processors, memory and disks, and how often its balloon tells. Worker threads only.
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

// Whether a key ("tune.quota", "balloon.period") is one of them.
bool tune_knows(const char *key);

// Gives the running guest that value, as text of the key's kind; an empty one takes a limit away. False
// with a sentence.
bool tune_now(virDomainPtr domain, const char *key, const char *value, GError **error);

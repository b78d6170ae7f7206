// SPDX-License-Identifier: GPL-3.0-or-later
// What a connection can do for a guest, by libvirt's domain capabilities: which values of a key it
// knows, and which devices. What it does not tell counts as possible. Any one thread at a time.
#pragma once

#include <glib.h>
#include <stdbool.h>

struct capability;

// Reads the XML; NULL where there is none or it cannot be read, which all below take.
struct capability *capability_new(const char *xml);
void capability_free(struct capability *capability); // takes NULL

// Why a key ("disk.vda.bus") can have no value at all here: one sentence; NULL where it can. Caller
// frees.
char *capability_missing(const struct capability *capability, const char *key);

// Whether the key may have that value here.
bool capability_allows(
	const struct capability *capability, const char *key, const char *value);

// Why there can be no device of that element ("tpm", "rng") here, as the editor adds it: a few words;
// NULL where there can. Caller frees.
char *capability_device_missing(const struct capability *capability, const char *element);

// The most vCPUs a guest can have here; 0: not told.
unsigned capability_vcpus(const struct capability *capability);

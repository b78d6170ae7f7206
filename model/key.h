// SPDX-License-Identifier: GPL-3.0-or-later
// Keys: the values of a domain definition that have a name, such as "memory", "vcpus" or
// "disk.vda.cache". One table serves `lodge set`, `lodge xml set` and the forms; lodge-xml(7) lists it.
//
// A key is an element's text, an attribute, or an element's being there. Setting one edits the
// document in place (model/document.h); elements on the way are made where they may be, devices
// must exist. An empty value removes what the key names.
#pragma once

#include "model/document.h"

#include <glib.h>
#include <stdbool.h>

enum key_kind {
	KEY_TEXT,
	KEY_NUMBER,   // a whole number within the key's range
	KEY_SIZE,     // "2GiB"; an element's text with its unit attribute, bytes
	KEY_CHOICE,   // one of the key's choices
	KEY_PRESENCE, // "yes" where the element is there, "no" where not
	KEY_LIST,     // several elements' attributes, "hd,network"
	KEY_VCPUS,    // "NOW/MAXIMUM", or one number for both
	KEY_SOURCE,   // where a disk or NIC is from: the attribute that its type asks for
};

// When a change of a running guest's value can take effect.
enum key_effect {
	KEY_AT_NEXT_START,
	KEY_NOW, // the hypervisor can change it in the running guest
};

struct key {
	const char *name; // "*" stands for a device's or member's own name: "disk.*.cache"
	enum key_kind kind;
	// From the root: "os/kernel", "os/bootmenu@enable". "!" before a step: it must exist. In a
	// filter "%s" stands for the name, "%n" for it as a number from 0, made 1-based.
	const char *path;
	const char *choices; // "yes no", for KEY_CHOICE
	guint64 least, most; // for KEY_NUMBER; most 0: no bound
	enum key_effect effect;
	const char *help; // one sentence, N_()
};

// The table, NULL-named at its end (model/key_table.c).
extern const struct key keys[];

// The key of a concrete name; *member gets what stands for "*" (caller frees; NULL where there is
// none). NULL with a sentence for a name nobody knows.
const struct key *key_find(const char *name, char **member, GError **error);

// The value, or NULL without an error where it is not set. Caller frees.
char *key_get(const struct document *document, const char *name, GError **error);

// Sets it. False with a sentence, and the document as it was: unknown key, no such device, a value
// out of range or not among the choices, an unknown unit.
bool key_set(struct document *document, const char *name, const char *value, GError **error);

// Reads "KEY=VALUE" and sets it.
bool key_assign(struct document *document, const char *assignment, GError **error);

// An element that holds a size, as bytes ("536870912 bytes"); NULL for any other. Caller frees.
char *key_size_text(xmlNode *element);

// The names that can be used with this document, "*" filled in; NULL-terminated, caller frees.
char **key_names(const struct document *document);

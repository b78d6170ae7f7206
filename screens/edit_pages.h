// SPDX-License-Identifier: GPL-3.0-or-later
// The pages of the definition editor as data: which keys (model/key.h) stand on which page, and
// which kinds of devices there are.
#pragma once

#include <stdbool.h>
#include <stddef.h>

/// How a row's value is shown where its key's kind does not say it all.
enum edit_look {
	LOOK_PLAIN,
	LOOK_LINES,	  // several lines of text
	LOOK_VCPUS_NOW,	  // the first half of "vcpus"
	LOOK_VCPUS_MOST,  // the second half
	LOOK_NOTES,	  // Lodge's own notes, no key
	LOOK_EACH,	  // a row for each value there is: KEY ends with "*"
};

struct edit_row {
	const char *key;   // "disk.*.bus", '*' stands for the page's device; NULL: a heading
	const char *label; // N_(), what stands before the field
	enum edit_look look;
	const char *hint; // N_(), what stands behind it; NULL none
};

enum edit_kind {
	EDIT_FORM,	// rows of keys
	EDIT_BRANCH,	// devices, one node each; the page lists them
	EDIT_XML,
	EDIT_REVISIONS,
};

struct edit_page {
	const char *id;
	const char *label; // N_()
	enum edit_kind kind;
	const struct edit_row *rows; // ends with a label of NULL
	const char *elements; // EDIT_BRANCH: " disk " or the like; NULL: all that no other has
	const char *areas;    // beginnings of the names of changes that are this page's
	const char *help;     // N_()
};

extern const struct edit_page edit_pages[];
extern const size_t n_edit_pages;

/// The rows of a device's page by its element's name; NULL: its attributes one by one.
const struct edit_row *edit_device_rows(const char *element);

/// A value that the form of a new device asks for.
struct edit_ask {
	const char *label; // N_()
	const char *value; // what stands there first; "MAC": a new address, "DISK", "DRIVE": the next
			   // target of a disk, of a CD drive
	const char *choices; // space-separated, NULL: free text
	bool needed;
	const char *key; // whose values the host may not all know; NULL: none
};

#define EDIT_ASKS 4

/// Something that F3 adds. FRAGMENT is XML with %0 … %3 for what was asked; instead KEY sets the
/// key made of %0 to %1.
struct edit_addition {
	const char *label; // N_()
	const char *element;
	struct edit_ask asks[EDIT_ASKS];
	const char *fragment;
	const char *key;
};

extern const struct edit_addition edit_additions[];
extern const size_t n_edit_additions;

// SPDX-License-Identifier: GPL-3.0-or-later
// Revisions and drafts of definitions, kept on disk under the XDG state directory (lodge/), by
// connection and guest UUID.
//
// A revision is a definition as it was saved once, with who, when and why: revisions/HOST/UUID/
// 0001.xml and 0001.info (a key file). Numbers only grow. A draft is a definition being edited with
// the saved one it began from: drafts/HOST/UUID.xml, .base and .info; it is there until applied or
// dropped, so that it survives the console. Files are written whole or not at all.
//
// Any thread; of two consoles the later one's draft stays.
#pragma once

#include <glib.h>
#include <stdbool.h>

struct revision {
	unsigned number; // 1, 2, 3…
	gint64 time;     // microseconds since 1970
	char *user;
	char *reason; // may be empty
	char *uri;    // the connection
};

void revision_free(struct revision *revision); // takes NULL

// Keeps a definition as the guest's newest revision; its number, or 0 with a sentence. Where it
// equals the newest one already kept, that one's number.
unsigned revision_add(const char *uri, const char *uuid, const char *xml, const char *user,
	const char *reason, gint64 when, GError **error);

// All of a guest, oldest first (struct revision *); empty where there are none. Files that are
// broken are left out. Caller unrefs.
GPtrArray *revision_list(const char *uri, const char *uuid);

// The definition of a revision; NULL with a sentence where there is none. Caller frees.
char *revision_read(const char *uri, const char *uuid, unsigned number, GError **error);

struct draft {
	char *xml;  // as edited so far
	char *base; // the saved definition it began from
	gint64 began, changed; // microseconds since 1970
	char *user;
};

void draft_free(struct draft *draft); // takes NULL

// The guest's draft, or NULL without an error where there is none.
struct draft *draft_read(const char *uri, const char *uuid, GError **error);
bool draft_write(const char *uri, const char *uuid, const struct draft *draft, GError **error);
// Does nothing where there is none.
bool draft_drop(const char *uri, const char *uuid, GError **error);

// SPDX-License-Identifier: GPL-3.0-or-later
// What the console keeps in a guest's own definition, so that it travels with the guest: groups,
// tags and notes, one element in <metadata> under our namespace:
//
//	<lodge:guest xmlns:lodge="urn:lodge:guest:1">
//	  <lodge:group>shop</lodge:group> <lodge:tag>db</lodge:tag> <lodge:notes>…</lodge:notes>
//	</lodge:guest>
//
// Pure text functions, any thread.
#pragma once

#include <glib.h>
#include <stdbool.h>

#define METADATA_URI "urn:lodge:guest:1"
#define METADATA_PREFIX "lodge"

// Text longer than this is refused when read from outside, in bytes.
#define METADATA_MOST (64 * 1024)

struct metadata {
	char **groups; // NULL-terminated, never NULL
	char **tags;   // NULL-terminated, never NULL
	char *notes;   // NULL for none
};

// Reads our element, as text; NULL or unreadable text gives empty metadata and false.
bool metadata_parse(const char *xml, struct metadata *metadata);

// Our element as text for virDomainSetMetadata, the prefix left out of the declaration as libvirt
// adds it; NULL when everything is empty (the element is then removed). Caller frees.
char *metadata_write(const struct metadata *metadata);

// The same from a parsed element (struct _xmlNode is libxml2's xmlNode; NULL: empty metadata). The
// texts are the caller's to clear.
struct _xmlNode;
void metadata_read(struct _xmlNode *root, struct metadata *metadata);

void metadata_clear(struct metadata *metadata);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The file of a saved guest.
 *
 *	struct save_header
 *	sections, each a struct save_section and its content:
 *	    records   one for each chip, device and processor, and what tells the guest; by name,
 *	              "pm.0" (state.h)
 *	    "memory"  guest memory, as often as there is some: struct save_chunk and its pages
 *	    "end"     struct save_end; nothing follows
 *
 * Numbers are little-endian. Memory that is zero is left out; the rest is in runs of at most
 * SAVE_CHUNK_PAGES, by rising address, each packed as one LZ4 block where that makes it smaller.
 *
 * Every byte is under a checksum (CRC-32, as zlib's): a section's header has its own and its
 * content's, and the end has one over all of these, so that a section that is missing, too many or
 * in another place is found as well.
 *
 * A file is written to be read by the same version of the program: SAVE_VERSION goes up with each
 * change of what is described here, and each record tells the layout of its own fields.
 *
 * Records that tell the guest: "identity.0" (struct save_identity), "name.0", "uuid.0" (empty where
 * it has none) and "definition.0", the domain XML it was started with.
 */
#pragma once

#include "engine/vmm/save/state.h"

#define SAVE_MAGIC "LodgeVM\x1a"
#define SAVE_VERSION 2u
#define SAVE_CHUNK_PAGES 256u
/* Longest content of a record. */
#define SAVE_RECORD_MAX (16u << 20)

#define SAVE_MEMORY "memory"
#define SAVE_END "end"

struct save_header {
	char magic[8];
	uint32_t version;
	uint32_t checksum; /* of what comes before it, as below */
};

struct save_section {
	char name[STATE_NAME_MAX]; /* filled up with zeroes, at least one */
	uint64_t length;
	uint32_t content; /* checksum of the content */
	uint32_t checksum;
};

struct save_chunk {
	uint64_t address; /* guest physical, of the first page */
	uint32_t pages;
	uint32_t packed; /* 1: as an LZ4 block */
};

struct save_end {
	uint64_t sections; /* before this one */
	uint64_t sum;      /* CRC-32 over the checksums of their headers, in order */
};

G_STATIC_ASSERT(sizeof(struct save_header) == 16);
G_STATIC_ASSERT(sizeof(struct save_section) == 56);
G_STATIC_ASSERT(sizeof(struct save_chunk) == 16);
G_STATIC_ASSERT(sizeof(struct save_end) == 16);

/* What must be the same in the machine that is to go on. */
struct save_identity {
	char backend[8]; /* as vcpu_backend_ops has it */
	uint64_t memory; /* bytes at boot */
	uint32_t vcpus_max;
	uint32_t serials;
};

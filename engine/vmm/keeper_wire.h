// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the machine's process may ask its keeper (kept.h is who asks, keeper.h who answers): one
 * message of a SOCK_SEQPACKET pair each, of a fixed size, so that the keeper, who is trusted, has
 * nothing to parse that comes from a process that a guest may own.
 *
 * A device is asked for by the name that the definition, or a trusted client, has given it; what
 * it means is the keeper's to know.
 */
#pragma once

#include <stdint.h>

enum keeper_verb {
	KEEPER_DISK, /* a new connection to the disk's server, its image grown to size unless 0 */
	KEEPER_NIC,  /* a new cable to a network program, which is started for it */
	KEEPER_DROP_DISK, /* the guest has it no more. Not answered */
	KEEPER_DROP_NIC,
	KEEPER_VERBS,
};

#define KEEPER_NAME_SIZE 256

struct keeper_request {
	uint32_t verb;
	uint32_t reserved;
	uint64_t size;               /* bytes */
	char name[KEEPER_NAME_SIZE]; /* as control.h calls it; ends with 0 */
};

/* With it, where it has worked, the descriptor. */
struct keeper_answer {
	uint32_t ok;
	uint32_t reserved;
	char export_name[64]; /* of KEEPER_DISK: what to ask the server for */
	char sentence[1024];  /* why not */
};

// SPDX-License-Identifier: GPL-3.0-or-later
/* What the two files of the CD-ROM drive share: cdrom.c, cdrom_mmc.c. Nobody else includes this. */
#pragma once

#include "engine/vmm/dev/cdrom.h"

#include <glib.h>

/* Sense: key << 16 | additional code << 8 | qualifier (SPC-4, 4.5.6 and annex F). */
#define SENSE_NONE 0u
#define SENSE_NO_MEDIUM_CLOSED 0x023a01u
#define SENSE_NO_MEDIUM_OPEN 0x023a02u
#define SENSE_UNREADABLE 0x031100u
#define SENSE_UNKNOWN_COMMAND 0x052000u
#define SENSE_NO_SUCH_BLOCK 0x052100u
#define SENSE_INVALID_FIELD 0x052400u
#define SENSE_NOT_SAVED 0x053900u
#define SENSE_REMOVAL_PREVENTED 0x055302u
#define SENSE_CHANGED 0x062800u
#define SENSE_POWER_ON 0x062900u
#define SENSE_MEDIUM_GONE 0x063a00u

/* Events of the media class, MMC-6, 6.6.4.3. */
enum cdrom_event {
	CDROM_EVENT_NONE,
	CDROM_EVENT_EJECT_REQUEST,
	CDROM_EVENT_NEW_MEDIUM,
	CDROM_EVENT_REMOVAL,
};

/* What is saved: what a guest can see. */
struct cdrom_state {
	uint64_t blocks; /* of the medium, in the tray or on it; 0: none */
	bool open;
	bool locked;
	uint8_t event;   /* that has not been reported */
	uint32_t unit_attention; /* sense that waits for the next command, or SENSE_NONE */
};

struct cdrom {
	struct cdrom_state state;
	const struct cdrom_ops *ops;
	void *data;
	char name[20 + 1];
	char serial[CDROM_SERIAL_MAX + 1]; /* "": none */
};

/* Whether there is something to read. */
bool cdrom_ready(const struct cdrom *cdrom);

/* Ends the answer with a sense. */
void cdrom_fail(struct cdrom_answer *answer, uint32_t sense);
/* Ends it with the first length of its bytes, or fewer: allocation is what the guest has room for. */
void cdrom_reply(struct cdrom_answer *answer, unsigned length, unsigned allocation);
/* Clears the bytes of an answer to be filled in. */
uint8_t *cdrom_clear(struct cdrom_answer *answer, unsigned length);

unsigned cdrom_get_be16(const uint8_t *at);
uint32_t cdrom_get_be32(const uint8_t *at);
void cdrom_put_be16(uint8_t *at, unsigned value);
void cdrom_put_be32(uint8_t *at, uint32_t value);

/* Carries out one command; the answer is GOOD without data at first. */
typedef void (*cdrom_command)(
	struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer);

/* Those of MMC-6 that tell of the drive and the medium: cdrom_mmc.c. */
void cdrom_mode_sense_6(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer);
void cdrom_mode_sense_10(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer);
void cdrom_read_toc(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer);
void cdrom_get_configuration(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer);
void cdrom_get_event(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer);
void cdrom_read_disc_information(
	struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer);
void cdrom_read_track_information(
	struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer);
void cdrom_read_dvd_structure(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer);
void cdrom_mechanism_status(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer);

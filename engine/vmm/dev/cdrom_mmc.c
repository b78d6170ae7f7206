// SPDX-License-Identifier: GPL-3.0-or-later
/* The CD-ROM drive's commands that tell of drive and medium. Sections are of MMC-6. */
#include "engine/vmm/dev/cdrom_internal.h"

#include <string.h>

/* A CD of 80 minutes, 75 blocks a second. */
#define CD_BLOCKS (80u * 60 * 75)
/* Where the first block lies in minutes, seconds and frames: after a lead-in of two seconds. */
#define CD_LEAD_IN 150u

#define PROFILE_NONE 0x0000u
#define PROFILE_CD_ROM 0x0008u
#define PROFILE_DVD_ROM 0x0010u

static unsigned profile_of(const struct cdrom *cdrom)
{
	if (!cdrom_ready(cdrom))
		return PROFILE_NONE;
	return cdrom->state.blocks > CD_BLOCKS ? PROFILE_DVD_ROM : PROFILE_CD_ROM;
}

static uint32_t blocks_of(const struct cdrom *cdrom)
{
	return (uint32_t)MIN(cdrom->state.blocks, UINT32_MAX);
}

/* What needs a medium. */
static bool check_medium(const struct cdrom *cdrom, struct cdrom_answer *answer)
{
	if (cdrom_ready(cdrom))
		return true;
	cdrom_fail(answer,
		cdrom->state.open ? SENSE_NO_MEDIUM_OPEN : SENSE_NO_MEDIUM_CLOSED);
	return false;
}

/* ---- mode pages: SPC-4, 7.5 ---- */

#define PAGE_ERRORS 0x01
#define PAGE_CAPABILITIES 0x2a
#define PAGE_ALL 0x3f

/* Read error recovery (7.2.4): as it comes. */
static unsigned put_error_page(uint8_t *at)
{
	at[0] = PAGE_ERRORS;
	at[1] = 10;
	return 12;
}

/* Capabilities and mechanical status (annex of MMC-6; MMC-3, 6.3.11): reads data of CDs and DVDs,
 * ejects, locks, has a tray. Speeds are in KB a second, of a CD 50 times as fast as the first. */
static unsigned put_capabilities_page(const struct cdrom *cdrom, uint8_t *at)
{
	at[0] = PAGE_CAPABILITIES;
	at[1] = 20;
	at[2] = 0x1f;
	at[4] = 0x40;
	at[6] = 0x29 | (cdrom->state.locked ? 0x02 : 0);
	cdrom_put_be16(at + 8, 50 * 176);
	cdrom_put_be16(at + 12, 2048);
	cdrom_put_be16(at + 14, 50 * 176);
	return 22;
}

/* The pages that are asked for, behind a header; 0: there is no such page. */
static unsigned put_pages(const struct cdrom *cdrom, unsigned page, uint8_t *at)
{
	unsigned length = 0;

	if (page == PAGE_ERRORS || page == PAGE_ALL)
		length += put_error_page(at + length);
	if (page == PAGE_CAPABILITIES || page == PAGE_ALL)
		length += put_capabilities_page(cdrom, at + length);
	return length;
}

/* None of the values can be changed: page control 1 asks which. */
static void clear_values(uint8_t *page, unsigned length)
{
	for (unsigned at = 0; at < length; at += 2u + page[at + 1])
		memset(page + at + 2, 0, page[at + 1]);
}

/* The length of header and pages; 0: failed. */
static unsigned mode_sense(struct cdrom *cdrom, const uint8_t *cdb, unsigned header,
	struct cdrom_answer *answer)
{
	uint8_t *pages = cdrom_clear(answer, 64) + header;
	unsigned control = cdb[2] >> 6;
	unsigned length = put_pages(cdrom, cdb[2] & 0x3f, pages);

	if (control == 3) {
		cdrom_fail(answer, SENSE_NOT_SAVED);
		return 0;
	}
	if (!length || (cdb[3] && cdb[3] != 0xff)) {
		cdrom_fail(answer, SENSE_INVALID_FIELD);
		return 0;
	}
	if (control == 1)
		clear_values(pages, length);
	return header + length;
}

void cdrom_mode_sense_6(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	unsigned length = mode_sense(cdrom, cdb, 4, answer);

	if (!length)
		return;
	answer->bytes[0] = (uint8_t)(length - 1);
	cdrom_reply(answer, length, cdb[4]);
}

void cdrom_mode_sense_10(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	unsigned length = mode_sense(cdrom, cdb, 8, answer);

	if (!length)
		return;
	cdrom_put_be16(answer->bytes, length - 2);
	cdrom_reply(answer, length, cdrom_get_be16(cdb + 7));
}

/* ---- table of contents: 6.25 ---- */

#define TRACK_LEAD_OUT 0xaa
#define TRACK_DATA 0x14 /* ADR 1: position; control 4: data, uninterrupted */

/* A block's address, or minute, second and frame; what is beyond their range is their end. */
static void put_address(uint8_t *at, uint32_t block, bool msf)
{
	uint64_t frames = (uint64_t)block + CD_LEAD_IN;

	if (!msf) {
		cdrom_put_be32(at, block);
		return;
	}
	frames = MIN(frames, 256u * 60 * 75 - 1);
	at[1] = (uint8_t)(frames / 75 / 60);
	at[2] = (uint8_t)(frames / 75 % 60);
	at[3] = (uint8_t)(frames % 75);
}

static uint8_t *put_track(uint8_t *at, uint8_t track, uint32_t block, bool msf)
{
	at[1] = TRACK_DATA;
	at[2] = track;
	put_address(at + 4, block, msf);
	return at + 8;
}

void cdrom_read_toc(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	uint8_t *data = cdrom_clear(answer, 20), *at = data + 4;
	unsigned format = cdb[2] & 0x0f, track = cdb[6];
	bool msf = cdb[1] & 2;

	if (!check_medium(cdrom, answer))
		return;
	/* Where drives before MMC had it. */
	if (!format)
		format = cdb[9] >> 6;
	if (format > 1 || (format == 0 && track > 1 && track != TRACK_LEAD_OUT)) {
		cdrom_fail(answer, SENSE_INVALID_FIELD);
		return;
	}
	/* Format 1 has the first track of the last session. */
	if (format == 1 || track <= 1)
		at = put_track(at, 1, 0, msf);
	if (format == 0)
		at = put_track(at, TRACK_LEAD_OUT, blocks_of(cdrom), msf);
	data[2] = data[3] = 1;
	cdrom_put_be16(data, (unsigned)(at - data) - 2);
	cdrom_reply(answer, (unsigned)(at - data), cdrom_get_be16(cdb + 7));
}

/* ---- features: 5, 6.5 ---- */

struct features {
	unsigned first;    /* the lowest that is asked for */
	bool one, current; /* only that one; only those that are current */
	uint8_t *at;
};

/* Adds a feature with data, unless it is not asked for. flags: version << 2 | persistent << 1 |
 * current. */
static void add_feature(struct features *features, unsigned code, uint8_t flags,
	const uint8_t *data, uint8_t length)
{
	if (code < features->first || (features->one && code != features->first) ||
		(features->current && !(flags & 1)))
		return;
	cdrom_put_be16(features->at, code);
	features->at[2] = flags;
	features->at[3] = length;
	if (length)
		memcpy(features->at + 4, data, length);
	features->at += 4 + length;
}

static void add_features(struct features *features, unsigned profile)
{
	bool cd = profile == PROFILE_CD_ROM, dvd = profile == PROFILE_DVD_ROM;
	const uint8_t profiles[] = {0x00, PROFILE_DVD_ROM, dvd, 0, 0x00, PROFILE_CD_ROM, cd, 0};
	static const uint8_t core[] = {0, 0, 0, 1, 0x01, 0, 0, 0}; /* on a SCSI bus */
	static const uint8_t removable[] = {0x29, 0, 0, 0};       /* tray, ejects, locks */
	static const uint8_t readable[] = {0, 0, CDROM_BLOCK >> 8, 0, 0, 16, 0, 0};
	static const uint8_t cd_read[] = {0, 0, 0, 0};
	static const uint8_t dvd_read[] = {0, 0, 0, 0};

	add_feature(features, 0x0000, 0x03, profiles, sizeof(profiles));
	add_feature(features, 0x0001, 0x0b, core, sizeof(core));
	add_feature(features, 0x0003, 0x03, removable, sizeof(removable));
	add_feature(features, 0x0010, cd || dvd, readable, sizeof(readable));
	add_feature(features, 0x001e, 0x08 | cd, cd_read, sizeof(cd_read));
	add_feature(features, 0x001f, 0x04 | dvd, dvd_read, sizeof(dvd_read));
}

void cdrom_get_configuration(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	uint8_t *data = cdrom_clear(answer, 128);
	unsigned profile = profile_of(cdrom), kind = cdb[1] & 3, length;
	struct features features = {
		.first = cdrom_get_be16(cdb + 2),
		.one = kind == 2,
		.current = kind == 1,
		.at = data + 8,
	};

	if (kind == 3) {
		cdrom_fail(answer, SENSE_INVALID_FIELD);
		return;
	}
	add_features(&features, profile);
	length = (unsigned)(features.at - data);
	cdrom_put_be32(data, length - 4);
	cdrom_put_be16(data + 6, profile);
	cdrom_reply(answer, length, cdrom_get_be16(cdb + 7));
}

/* ---- events: 6.6 ---- */

#define EVENTS_MEDIA (1u << 4)
#define CLASS_MEDIA 4
#define NO_EVENT_AVAILABLE 0x80

void cdrom_get_event(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	uint8_t *data = cdrom_clear(answer, 8);
	bool media = cdb[4] & EVENTS_MEDIA;
	unsigned length = media ? 8 : 4, allocation = cdrom_get_be16(cdb + 7);

	/* Not polled: it would be answered when there is something to tell. */
	if (!(cdb[1] & 1)) {
		cdrom_fail(answer, SENSE_INVALID_FIELD);
		return;
	}
	cdrom_put_be16(data, length - 2);
	data[2] = media ? CLASS_MEDIA : NO_EVENT_AVAILABLE;
	data[3] = EVENTS_MEDIA;
	if (media) {
		data[4] = cdrom->state.event;
		data[5] = (cdrom->state.open ? 0x01 : 0) | (cdrom_ready(cdrom) ? 0x02 : 0);
		if (allocation > 4)
			cdrom->state.event = CDROM_EVENT_NONE;
	}
	cdrom_reply(answer, length, allocation);
}

/* ---- the medium ---- */

/* 6.21: one session of one track, complete and closed. */
void cdrom_read_disc_information(
	struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	uint8_t *data = cdrom_clear(answer, 34);

	if (!check_medium(cdrom, answer))
		return;
	if (cdb[1] & 7) {
		cdrom_fail(answer, SENSE_INVALID_FIELD);
		return;
	}
	cdrom_put_be16(data, 32);
	data[2] = 0x0e;
	data[3] = data[4] = data[5] = data[6] = 1;
	data[7] = 0x20; /* for every use */
	memset(data + 16, 0xff, 8); /* no lead-in or lead-out to write */
	cdrom_reply(answer, 34, cdrom_get_be16(cdb + 7));
}

/* Whether what READ TRACK INFORMATION asks for is in the one track: a block, a track, a session. */
static bool names_track(const struct cdrom *cdrom, const uint8_t *cdb)
{
	uint32_t number = cdrom_get_be32(cdb + 2);

	switch (cdb[1] & 3) {
	case 0:
		return number < cdrom->state.blocks;
	case 1:
	case 2:
		return number == 1;
	default:
		return false;
	}
}

/* 6.26 */
void cdrom_read_track_information(
	struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	uint8_t *data = cdrom_clear(answer, 36);

	if (!check_medium(cdrom, answer))
		return;
	if (!names_track(cdrom, cdb)) {
		cdrom_fail(answer, SENSE_INVALID_FIELD);
		return;
	}
	cdrom_put_be16(data, 34);
	data[2] = data[3] = 1;
	data[5] = TRACK_DATA & 0x0f;
	data[6] = 0x01; /* mode 1 */
	cdrom_put_be32(data + 24, blocks_of(cdrom));
	cdrom_reply(answer, 36, cdrom_get_be16(cdb + 7));
}

/* 6.22, format 0: physical format. A DVD-ROM of one layer of 120 mm, which begins at block 0x30000. */
#define DVD_FIRST 0x30000u

void cdrom_read_dvd_structure(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	uint8_t *data;

	if (!check_medium(cdrom, answer))
		return;
	if (profile_of(cdrom) != PROFILE_DVD_ROM || cdb[1] & 0x0f || cdb[6] || cdb[7]) {
		cdrom_fail(answer, SENSE_INVALID_FIELD);
		return;
	}
	data = cdrom_clear(answer, CDROM_ANSWER_MAX);
	cdrom_put_be16(data, CDROM_ANSWER_MAX - 2);
	data[4] = 0x01; /* DVD-ROM, version 1 */
	data[5] = 0x0f; /* 120 mm, no maximum rate */
	data[6] = 0x01; /* one layer, embossed */
	cdrom_put_be32(data + 8, DVD_FIRST);
	cdrom_put_be32(data + 12, (uint32_t)MIN(cdrom->state.blocks + DVD_FIRST - 1, 0xffffff));
	cdrom_reply(answer, CDROM_ANSWER_MAX, cdrom_get_be16(cdb + 8));
}

/* 6.13: no changer. */
void cdrom_mechanism_status(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	uint8_t *data = cdrom_clear(answer, 8);

	data[1] = cdrom->state.open ? 0x10 : 0;
	cdrom_reply(answer, 8, cdrom_get_be16(cdb + 8));
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/cdrom_internal.h"

#include <string.h>

/* SPC-4, 6.4.2: a removable CD/DVD device that speaks SPC-4, with command queueing. */
#define DEVICE_TYPE 0x05
#define REMOVABLE 0x80
#define VERSION_SPC4 0x06
#define RESPONSE_FORMAT 0x02
#define COMMAND_QUEUEING 0x02
#define VENDOR "LODGE   "
#define PRODUCT "CD-ROM          "
#define REVISION "1   "
#define INQUIRY_LENGTH 36u

/* ---- answers ---- */

static void put_sense(uint8_t bytes[CDROM_SENSE_SIZE], uint32_t sense)
{
	memset(bytes, 0, CDROM_SENSE_SIZE);
	bytes[0] = 0x70; /* fixed format, current error: SPC-4, 4.5.3 */
	bytes[2] = (uint8_t)(sense >> 16);
	bytes[7] = CDROM_SENSE_SIZE - 8;
	bytes[12] = (uint8_t)(sense >> 8);
	bytes[13] = (uint8_t)sense;
}

void cdrom_fail(struct cdrom_answer *answer, uint32_t sense)
{
	answer->status = SCSI_CHECK_CONDITION;
	answer->of_medium = false;
	answer->length = 0;
	put_sense(answer->sense, sense);
}

void cdrom_unreadable(struct cdrom_answer *answer)
{
	cdrom_fail(answer, SENSE_UNREADABLE);
}

void cdrom_reply(struct cdrom_answer *answer, unsigned length, unsigned allocation)
{
	answer->length = MIN(length, allocation);
}

uint8_t *cdrom_clear(struct cdrom_answer *answer, unsigned length)
{
	g_assert(length <= CDROM_ANSWER_MAX);
	return memset(answer->bytes, 0, length);
}

unsigned cdrom_get_be16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

uint32_t cdrom_get_be32(const uint8_t *at)
{
	return (uint32_t)cdrom_get_be16(at) << 16 | cdrom_get_be16(at + 2);
}

void cdrom_put_be16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void cdrom_put_be32(uint8_t *at, uint32_t value)
{
	cdrom_put_be16(at, value >> 16);
	cdrom_put_be16(at + 2, value & 0xffff);
}

/* ---- tray and medium ---- */

bool cdrom_ready(const struct cdrom *cdrom)
{
	return cdrom->state.blocks && !cdrom->state.open;
}

static uint32_t not_ready(const struct cdrom *cdrom)
{
	return cdrom->state.open ? SENSE_NO_MEDIUM_OPEN : SENSE_NO_MEDIUM_CLOSED;
}

static void tell_tray(struct cdrom *cdrom)
{
	if (cdrom->ops)
		cdrom->ops->tray(cdrom->data);
}

/* The guest finds another medium, or none where one was. */
static void medium_came(struct cdrom *cdrom)
{
	cdrom->state.unit_attention = SENSE_CHANGED;
	cdrom->state.event = CDROM_EVENT_NEW_MEDIUM;
}

static void medium_went(struct cdrom *cdrom)
{
	cdrom->state.unit_attention = SENSE_MEDIUM_GONE;
	cdrom->state.event = CDROM_EVENT_REMOVAL;
}

bool cdrom_is_open(const struct cdrom *cdrom)
{
	return cdrom->state.open;
}

bool cdrom_is_locked(const struct cdrom *cdrom)
{
	return cdrom->state.locked;
}

static void open_tray(struct cdrom *cdrom)
{
	bool ready = cdrom_ready(cdrom);

	if (cdrom->state.open)
		return;
	cdrom->state.open = true;
	if (ready)
		medium_went(cdrom);
	else if (cdrom->state.event == CDROM_EVENT_EJECT_REQUEST)
		cdrom->state.event = CDROM_EVENT_NONE;
	tell_tray(cdrom);
}

bool cdrom_open(struct cdrom *cdrom, bool force)
{
	if (cdrom->state.locked && !cdrom->state.open && !force) {
		cdrom->state.event = CDROM_EVENT_EJECT_REQUEST;
		return false;
	}
	cdrom->state.locked = false;
	open_tray(cdrom);
	return true;
}

void cdrom_ask_no_more(struct cdrom *cdrom)
{
	if (cdrom->state.event == CDROM_EVENT_EJECT_REQUEST)
		cdrom->state.event = CDROM_EVENT_NONE;
}

void cdrom_close(struct cdrom *cdrom)
{
	if (!cdrom->state.open)
		return;
	cdrom->state.open = false;
	if (cdrom_ready(cdrom))
		medium_came(cdrom);
	tell_tray(cdrom);
}

void cdrom_put(struct cdrom *cdrom, uint64_t size)
{
	bool was = cdrom_ready(cdrom);

	cdrom->state.blocks = size / CDROM_BLOCK;
	if (cdrom_ready(cdrom))
		medium_came(cdrom);
	else if (was)
		medium_went(cdrom);
}

void cdrom_reset(struct cdrom *cdrom)
{
	bool locked = cdrom->state.locked;

	cdrom->state.locked = false;
	cdrom->state.unit_attention = SENSE_POWER_ON;
	cdrom->state.event = CDROM_EVENT_NONE;
	if (locked)
		tell_tray(cdrom);
}

/* ---- commands of SPC-4 ---- */

static void test_unit_ready(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	if (!cdrom_ready(cdrom))
		cdrom_fail(answer, not_ready(cdrom));
}

/* 6.39; descriptor format (DESC) is not offered. */
static void request_sense(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	uint32_t sense = cdrom->state.unit_attention;

	if (cdb[1] & 1) {
		cdrom_fail(answer, SENSE_INVALID_FIELD);
		return;
	}
	if (!sense && !cdrom_ready(cdrom))
		sense = not_ready(cdrom);
	cdrom->state.unit_attention = SENSE_NONE;
	put_sense(answer->bytes, sense);
	cdrom_reply(answer, CDROM_SENSE_SIZE, cdb[4]);
}

/* 7.8.15: the pages that there are. */
static unsigned put_page_list(const struct cdrom *cdrom, uint8_t *list)
{
	unsigned count = 0;

	list[count++] = 0x00;
	if (*cdrom->serial)
		list[count++] = 0x80;
	list[count++] = 0x83;
	return count;
}

/* 7.8.5: one designator in ASCII, T10's vendor and what tells the drive from others. */
static unsigned put_designator(const struct cdrom *cdrom, uint8_t *at)
{
	const char *own = *cdrom->serial ? cdrom->serial : cdrom->name;
	size_t length = strlen(own);

	at[0] = 0x02;
	at[1] = 0x01;
	at[3] = (uint8_t)(8 + length);
	memcpy(at + 4, VENDOR, 8);
	memcpy(at + 12, own, length);
	return (unsigned)(12 + length);
}

static void inquire_page(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	uint8_t *page = cdrom_clear(answer, 256);
	unsigned length = 0;

	if (cdb[2] == 0x00) {
		length = put_page_list(cdrom, page + 4);
	} else if (cdb[2] == 0x80 && *cdrom->serial) {
		length = (unsigned)strlen(cdrom->serial);
		memcpy(page + 4, cdrom->serial, length);
	} else if (cdb[2] == 0x83) {
		length = put_designator(cdrom, page + 4);
	} else {
		cdrom_fail(answer, SENSE_INVALID_FIELD);
		return;
	}
	page[0] = DEVICE_TYPE;
	page[1] = cdb[2];
	cdrom_put_be16(page + 2, length);
	cdrom_reply(answer, 4 + length, cdrom_get_be16(cdb + 3));
}

/* 6.4 */
static void inquiry(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	uint8_t *data;

	if (cdb[1] & 1) {
		inquire_page(cdrom, cdb, answer);
		return;
	}
	if (cdb[1] || cdb[2]) {
		cdrom_fail(answer, SENSE_INVALID_FIELD);
		return;
	}
	data = cdrom_clear(answer, INQUIRY_LENGTH);
	data[0] = DEVICE_TYPE;
	data[1] = REMOVABLE;
	data[2] = VERSION_SPC4;
	data[3] = RESPONSE_FORMAT;
	data[4] = INQUIRY_LENGTH - 5;
	data[7] = COMMAND_QUEUEING;
	memcpy(data + 8, VENDOR, 8);
	memcpy(data + 16, PRODUCT, 16);
	memcpy(data + 32, REVISION, 4);
	cdrom_reply(answer, INQUIRY_LENGTH, cdrom_get_be16(cdb + 3));
}

/* 6.33: the one logical unit, 0. */
static void report_luns(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	uint32_t allocation = cdrom_get_be32(cdb + 6);

	if (cdb[2] > 2 || allocation < 16) {
		cdrom_fail(answer, SENSE_INVALID_FIELD);
		return;
	}
	/* 1: only well known logical units, of which there is none. */
	cdrom_clear(answer, 16)[3] = cdb[2] == 1 ? 0 : 8;
	cdrom_reply(answer, cdb[2] == 1 ? 8 : 16, allocation);
}

/* ---- commands of MMC-6 that do something ---- */

/* 6.30 */
static void read_capacity(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	uint8_t *data = cdrom_clear(answer, 8);

	if (!cdrom_ready(cdrom)) {
		cdrom_fail(answer, not_ready(cdrom));
		return;
	}
	cdrom_put_be32(data, (uint32_t)MIN(cdrom->state.blocks - 1, UINT32_MAX));
	cdrom_put_be32(data + 4, CDROM_BLOCK);
	cdrom_reply(answer, 8, 8);
}

static void read_blocks(
	struct cdrom *cdrom, uint64_t first, uint64_t count, struct cdrom_answer *answer)
{
	uint64_t blocks = cdrom->state.blocks;

	if (!cdrom_ready(cdrom)) {
		cdrom_fail(answer, not_ready(cdrom));
		return;
	}
	if (first > blocks || count > blocks - first) {
		cdrom_fail(answer, SENSE_NO_SUCH_BLOCK);
		return;
	}
	answer->of_medium = count != 0;
	answer->offset = first * CDROM_BLOCK;
	answer->length = count * CDROM_BLOCK;
}

/* 6.23, 6.24 */
static void read_10(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	read_blocks(cdrom, cdrom_get_be32(cdb + 2), cdrom_get_be16(cdb + 7), answer);
}

static void read_12(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	read_blocks(cdrom, cdrom_get_be32(cdb + 2), cdrom_get_be32(cdb + 6), answer);
}

/* 6.36: there is no head to move. */
static void seek_10(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	if (!cdrom_ready(cdrom))
		cdrom_fail(answer, not_ready(cdrom));
	else if (cdrom_get_be32(cdb + 2) >= cdrom->state.blocks)
		cdrom_fail(answer, SENSE_NO_SUCH_BLOCK);
}

/* 6.42: LoEj with Start loads, without it ejects; the rest is of a motor. */
static void start_stop_unit(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	bool start = cdb[4] & 1, move = cdb[4] & 2;

	if (cdb[4] >> 4 || !move)
		return;
	if (start)
		cdrom_close(cdrom);
	else if (cdrom->state.locked && !cdrom->state.open)
		cdrom_fail(answer, SENSE_REMOVAL_PREVENTED);
	else
		open_tray(cdrom);
}

/* 6.18 */
static void prevent_removal(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
	bool was = cdrom->state.locked;

	cdrom->state.locked = cdb[4] & 1;
	if (was && !cdrom->state.locked)
		tell_tray(cdrom);
}

/* SET CD SPEED (6.37): it is as fast as it can be. */
static void set_speed(struct cdrom *cdrom, const uint8_t *cdb, struct cdrom_answer *answer)
{
}

/* ---- all of them ---- */

static const struct {
	uint8_t code;
	bool early; /* is carried out though a unit attention waits (SPC-4, 5.14; MMC-6, 4.1.6) */
	cdrom_command run;
} commands[] = {
	{0x00, false, test_unit_ready},
	{0x03, true, request_sense},
	{0x12, true, inquiry},
	{0x1a, false, cdrom_mode_sense_6},
	{0x1b, false, start_stop_unit},
	{0x1e, false, prevent_removal},
	{0x25, false, read_capacity},
	{0x28, false, read_10},
	{0x2b, false, seek_10},
	{0x43, false, cdrom_read_toc},
	{0x46, true, cdrom_get_configuration},
	{0x4a, true, cdrom_get_event},
	{0x51, false, cdrom_read_disc_information},
	{0x52, false, cdrom_read_track_information},
	{0x5a, false, cdrom_mode_sense_10},
	{0xa0, true, report_luns},
	{0xa8, false, read_12},
	{0xad, false, cdrom_read_dvd_structure},
	{0xbb, false, set_speed},
	{0xbd, false, cdrom_mechanism_status},
};

void cdrom_execute(
	struct cdrom *cdrom, const uint8_t cdb[CDROM_CDB_MAX], struct cdrom_answer *answer)
{
	uint32_t attention = cdrom->state.unit_attention;

	answer->status = SCSI_GOOD;
	answer->of_medium = false;
	answer->offset = answer->length = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (commands[i].code != cdb[0])
			continue;
		if (attention && !commands[i].early) {
			cdrom->state.unit_attention = SENSE_NONE;
			cdrom_fail(answer, attention);
			return;
		}
		commands[i].run(cdrom, cdb, answer);
		return;
	}
	cdrom_fail(answer, SENSE_UNKNOWN_COMMAND);
}

struct cdrom *cdrom_new(
	const char *name, const char *serial, const struct cdrom_ops *ops, void *data)
{
	struct cdrom *cdrom = g_new0(struct cdrom, 1);

	g_strlcpy(cdrom->name, name, sizeof(cdrom->name));
	if (serial)
		g_strlcpy(cdrom->serial, serial, sizeof(cdrom->serial));
	cdrom->state.unit_attention = SENSE_POWER_ON;
	cdrom->ops = ops;
	cdrom->data = data;
	return cdrom;
}

void cdrom_free(struct cdrom *cdrom)
{
	g_free(cdrom);
}

/* ---- saving ---- */

static const struct field cdrom_fields[] = {
	FIELD(struct cdrom_state, blocks),
	FIELD_FLAG(struct cdrom_state, open),
	FIELD_FLAG(struct cdrom_state, locked),
	FIELD_RANGE(struct cdrom_state, event, CDROM_EVENT_NONE, CDROM_EVENT_REMOVAL),
	FIELD_RANGE(struct cdrom_state, unit_attention, 0, 0xffffff),
	FIELD_END,
};

void cdrom_save(const struct cdrom *cdrom, unsigned index, struct state_out *out)
{
	state_put(out, "cdrom", index, cdrom_fields, &cdrom->state);
}

bool cdrom_load(struct cdrom *cdrom, unsigned index, struct state_in *in, GError **error)
{
	uint64_t blocks = cdrom->state.blocks;
	struct cdrom_state loaded;

	if (!state_get(in, "cdrom", index, cdrom_fields, &loaded, error))
		return false;
	cdrom->state = loaded;
	if (loaded.blocks != blocks)
		cdrom_put(cdrom, blocks * CDROM_BLOCK);
	return true;
}

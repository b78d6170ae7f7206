// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A CD-ROM drive as a SCSI logical unit: its tray, its medium, and the commands of SPC-4 and MMC-6
 * that a guest's driver needs of a drive that only reads data. It knows no transport
 * (virtio_scsi.h) and no image: a command's answer says which bytes of the medium are wanted.
 *
 * The medium is one session of one data track in blocks of 2048 bytes. One with more blocks than a
 * CD of 80 minutes has is a DVD.
 *
 * A medium that has come or gone is told to the guest as SCSI does: by a unit attention on the
 * next command (SPC-4, 5.14), and by an event that GET EVENT STATUS NOTIFICATION reports (MMC-6,
 * 6.6); sense codes are those of SPC-4, annex F.
 *
 * Threads: with the machine lock held.
 */
#pragma once

#include "engine/vmm/save/state.h"

#include <stdbool.h>
#include <stdint.h>

#define CDROM_BLOCK 2048u
#define CDROM_CDB_MAX 16u
#define CDROM_SENSE_SIZE 18u
/* The longest answer that is not of the medium. */
#define CDROM_ANSWER_MAX 2052u
#define CDROM_SERIAL_MAX 36u

/* SAM-5, 5.3.1. */
#define SCSI_GOOD 0x00
#define SCSI_CHECK_CONDITION 0x02

struct cdrom;

struct cdrom_ops {
	/* The tray has moved, or the guest has unlocked it. */
	void (*tray)(void *data);
};

/* What a command comes to. */
struct cdrom_answer {
	uint8_t status;
	uint8_t sense[CDROM_SENSE_SIZE]; /* with CHECK CONDITION */
	/* The data: bytes [offset, offset + length) of the medium, or the first length of bytes. */
	bool of_medium;
	uint64_t offset, length;
	uint8_t bytes[CDROM_ANSWER_MAX];
};

/* name, up to 20 characters, tells it from the guest's other drives; serial: up to
 * CDROM_SERIAL_MAX characters, or NULL. ops and data outlive it, or are NULL. The tray is closed,
 * with no medium in it. */
struct cdrom *cdrom_new(
	const char *name, const char *serial, const struct cdrom_ops *ops, void *data);
void cdrom_free(struct cdrom *cdrom);

/* Carries out a command; what is not in cdb is 0. */
void cdrom_execute(
	struct cdrom *cdrom, const uint8_t cdb[CDROM_CDB_MAX], struct cdrom_answer *answer);
/* The answer where the bytes it wants cannot be read. */
void cdrom_unreadable(struct cdrom_answer *answer);
/* As after power-on: the tray is unlocked, and the guest is told. */
void cdrom_reset(struct cdrom *cdrom);

bool cdrom_is_open(const struct cdrom *cdrom);
bool cdrom_is_locked(const struct cdrom *cdrom);
/* Opens the tray. A guest that has locked it is asked to open it, instead (false), unless by
 * force, which unlocks it. */
bool cdrom_open(struct cdrom *cdrom, bool force);
/* The request to open is taken back. */
void cdrom_ask_no_more(struct cdrom *cdrom);
void cdrom_close(struct cdrom *cdrom);
/* Puts a medium of so many bytes into the tray, in place of what is in it; less than a block:
 * none. */
void cdrom_put(struct cdrom *cdrom, uint64_t size);

/* Saving. A medium of another size than the saved one counts as changed. */
void cdrom_save(const struct cdrom *cdrom, unsigned index, struct state_out *out);
bool cdrom_load(struct cdrom *cdrom, unsigned index, struct state_in *in, GError **error);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The state of a machine's parts on its way out to a file and in again: named records, each made by
 * one field table. All of it but guest memory; a few hundred KiB at most.
 *
 * Every chip and device has a pair of functions of this form:
 *
 *	void pm_save(const struct pm *pm, struct state_out *out);
 *	bool pm_load(struct pm *pm, struct state_in *in, GError **error);
 *
 * save() is called with the machine stopped: vCPUs, clock and disks stand still. load() is called
 * on a device just made, in a machine that stands still, after those of the clock, the interrupt
 * controllers and the vCPUs; it sets the timers that the state asks for and leaves interrupt lines
 * at the levels it finds in it. After a load() that failed the machine is not used any more.
 *
 * Threads: with the machine lock held.
 */
#pragma once

#include "engine/vmm/save/field.h"

#define STATE_NAME_MAX 40

#define STATE_ERROR state_error_quark()
GQuark state_error_quark(void);

enum state_error {
	STATE_ERROR_DAMAGED, /* what no save writes */
	STATE_ERROR_VERSION, /* written by another version */
	STATE_ERROR_FOREIGN, /* of a machine that is made differently */
};

/* ---- out ---- */

struct state_out;

struct state_out *state_out_new(void);
void state_out_free(struct state_out *out);

/* Adds a record. name and index (of several alike) together are unique. */
void state_put(struct state_out *out, const char *name, unsigned index, const struct field *fields,
	const void *from);
void state_put_bytes(
	struct state_out *out, const char *name, unsigned index, const void *data, size_t length);

/* For who writes the file: the records in their order; NULL after the last. data and name belong to
 * out. */
const char *state_out_record(
	const struct state_out *out, unsigned number, const uint8_t **data, size_t *length);
/* The table that a record was made by, after four bytes that tell it; NULL for bytes alone. */
const struct field *state_out_fields(const struct state_out *out, unsigned number);

/* ---- in ---- */

struct state_in;

struct state_in *state_in_new(void);
void state_in_free(struct state_in *in);
/* For who reads the file; bytes is taken. STATE_ERROR_DAMAGED where the name was there before. */
bool state_in_add(struct state_in *in, const char *name, GBytes *bytes, GError **error);

bool state_has(const struct state_in *in, const char *name, unsigned index);
/* Takes the record and fills in the struct. Errors: it is missing, other than the table, or has a
 * value that cannot be; nothing is changed then. */
bool state_get(struct state_in *in, const char *name, unsigned index, const struct field *fields,
	void *to, GError **error);
/* The caller's. */
GBytes *state_get_bytes(struct state_in *in, const char *name, unsigned index, GError **error);
/* The same as text. */
char *state_get_text(struct state_in *in, const char *name, unsigned index, GError **error);
/* Whether all records were taken: STATE_ERROR_FOREIGN where a device of the file is not there. */
bool state_in_finish(const struct state_in *in, GError **error);

/* For load(): a record that says what cannot be, or something of another machine; false. */
bool state_damaged(const char *name, unsigned index, const char *field, GError **error);
bool state_foreign(const char *name, unsigned index, GError **error);

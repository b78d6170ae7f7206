// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Lists of libvirt's typed parameters, as the wire has them. What is in them is from the C
 * library's allocator: a list that is put into a result belongs to the result. Any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/daemon/wire.h"

/* All zero: an empty one. */
struct parameters {
	struct wire_parameter *at;
	unsigned count, room;
};

void parameters_add_int(struct parameters *parameters, const char *field, int value);
void parameters_add_uint(struct parameters *parameters, const char *field, unsigned value);
void parameters_add_llong(struct parameters *parameters, const char *field, int64_t value);
void parameters_add_ullong(struct parameters *parameters, const char *field, uint64_t value);
void parameters_add_text(struct parameters *parameters, const char *field, const char *value);
/* Takes the last ones away. */
void parameters_shorten(struct parameters *parameters, unsigned count);
void parameters_clear(struct parameters *parameters);

/* Names and types (VIR_TYPED_PARAM_*) that a call takes, ended by one without name. */
struct parameter_kind {
	const char *field;
	int type;
};

/* Whether all are of these kinds, none twice; sets libvirt's error. */
bool parameters_check(const struct wire_parameter *parameters, unsigned count,
	const struct parameter_kind *kinds, GError **error);
/* NULL: it is not among them. */
const struct wire_parameter *parameters_find(
	const struct wire_parameter *parameters, unsigned count, const char *field);
/* An independent copy. */
struct wire_parameter *parameters_copy(const struct wire_parameter *parameters, unsigned count);
void parameters_free(struct wire_parameter *parameters, unsigned count);

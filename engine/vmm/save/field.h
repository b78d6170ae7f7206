// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Field tables: what of a device's state is kept in a file, and in which form.
 *
 * A device keeps what its guest can see in a plain struct and describes it once:
 *
 *	static const struct field pm_fields[] = {
 *		FIELD(struct pm_state, status),
 *		FIELD_RANGE(struct pm_state, reset, 0, 0x0e),
 *		FIELD_END,
 *	};
 *
 * Encoded, the fields follow each other without gaps, integers as little-endian numbers of their
 * size. What is decoded has been looked at first: a flag is 0 or 1, a number with a range lies in
 * it. So a device that uses a field as an index gives it a range here, and need not look again.
 *
 * Integers are unsigned for their ranges. _Atomic fields are described as plain ones; nobody else
 * uses them meanwhile. Any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_kind {
	FIELD_KIND_INTEGER, /* size 1, 2, 4 or 8 */
	FIELD_KIND_FLAG,    /* a bool */
	FIELD_KIND_BYTES,   /* size bytes as they are */
	FIELD_KIND_STRUCT,  /* described by fields */
};

struct field {
	const char *name; /* NULL ends a table */
	enum field_kind kind;
	size_t offset; /* in its struct */
	size_t size;   /* of one element in its struct */
	size_t count;  /* elements of an array, else 1 */
	uint64_t min, max;
	const struct field *fields;
};

#define FIELD_AT(type, member) offsetof(type, member)
#define FIELD_SIZE(type, member) sizeof(((type *)NULL)->member)

#define FIELD(type, member) FIELD_RANGE(type, member, 0, UINT64_MAX)
#define FIELD_RANGE(type, member, least, most)                                                     \
	{                                                                                          \
		.name = #member, .kind = FIELD_KIND_INTEGER, .offset = FIELD_AT(type, member),     \
		.size = FIELD_SIZE(type, member), .count = 1, .min = (least), .max = (most)        \
	}
#define FIELD_ARRAY(type, member)                                                                  \
	{                                                                                          \
		.name = #member, .kind = FIELD_KIND_INTEGER, .offset = FIELD_AT(type, member),     \
		.size = FIELD_SIZE(type, member[0]),                                               \
		.count = FIELD_SIZE(type, member) / FIELD_SIZE(type, member[0]),                   \
		.max = UINT64_MAX                                                                  \
	}
#define FIELD_FLAG(type, member)                                                                   \
	{                                                                                          \
		.name = #member, .kind = FIELD_KIND_FLAG, .offset = FIELD_AT(type, member),        \
		.size = FIELD_SIZE(type, member), .count = 1                                       \
	}
#define FIELD_FLAGS(type, member)                                                                  \
	{                                                                                          \
		.name = #member, .kind = FIELD_KIND_FLAG, .offset = FIELD_AT(type, member),        \
		.size = FIELD_SIZE(type, member[0]),                                               \
		.count = FIELD_SIZE(type, member) / FIELD_SIZE(type, member[0])                    \
	}
#define FIELD_BYTES(type, member)                                                                  \
	{                                                                                          \
		.name = #member, .kind = FIELD_KIND_BYTES, .offset = FIELD_AT(type, member),       \
		.size = FIELD_SIZE(type, member), .count = 1                                       \
	}
#define FIELD_STRUCT(type, member, table)                                                          \
	{                                                                                          \
		.name = #member, .kind = FIELD_KIND_STRUCT, .offset = FIELD_AT(type, member),      \
		.size = FIELD_SIZE(type, member), .count = 1, .fields = (table)                    \
	}
#define FIELD_STRUCTS(type, member, table)                                                         \
	{                                                                                          \
		.name = #member, .kind = FIELD_KIND_STRUCT, .offset = FIELD_AT(type, member),      \
		.size = FIELD_SIZE(type, member[0]),                                               \
		.count = FIELD_SIZE(type, member) / FIELD_SIZE(type, member[0]), .fields = (table) \
	}
#define FIELD_END                                                                                  \
	{                                                                                          \
		.name = NULL                                                                       \
	}

/* Bytes that the fields take when encoded. */
size_t fields_length(const struct field *fields);
/* Tells tables apart: names, kinds, sizes and order (not ranges) make it. */
uint32_t fields_layout(const struct field *fields);
/* Appends the fields of a struct. */
void fields_encode(const struct field *fields, const void *from, GByteArray *to);
/* Fills them in from fields_length() bytes. NULL when that has worked; else nothing is changed and
 * it is the name of the first field with a value that cannot be. */
const char *fields_decode(const struct field *fields, const uint8_t *from, void *to);

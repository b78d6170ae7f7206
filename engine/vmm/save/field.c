// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/save/field.h"

#include <string.h>

G_STATIC_ASSERT(G_BYTE_ORDER == G_LITTLE_ENDIAN);

static size_t element_length(const struct field *field)
{
	return field->kind == FIELD_KIND_STRUCT ? fields_length(field->fields) : field->size;
}

size_t fields_length(const struct field *fields)
{
	size_t length = 0;

	for (const struct field *field = fields; field->name; field++)
		length += element_length(field) * field->count;
	return length;
}

/* FNV-1a. */
static uint32_t mix(uint32_t hash, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return hash;
}

uint32_t fields_layout(const struct field *fields)
{
	uint32_t hash = 2166136261u;

	for (const struct field *field = fields; field->name; field++) {
		uint32_t facts[4] = {
			field->kind, (uint32_t)element_length(field), (uint32_t)field->count, 0};

		if (field->kind == FIELD_KIND_STRUCT)
			facts[3] = fields_layout(field->fields);
		hash = mix(hash, field->name, strlen(field->name) + 1);
		hash = mix(hash, facts, sizeof(facts));
	}
	return hash;
}

void fields_encode(const struct field *fields, const void *from, GByteArray *to)
{
	for (const struct field *field = fields; field->name; field++)
		for (size_t i = 0; i < field->count; i++) {
			const uint8_t *at = (const uint8_t *)from + field->offset + i * field->size;

			if (field->kind == FIELD_KIND_STRUCT)
				fields_encode(field->fields, at, to);
			else
				g_byte_array_append(to, at, (guint)field->size);
		}
}

static bool value_fits(const struct field *field, const uint8_t *at)
{
	uint64_t value = 0;

	if (field->kind == FIELD_KIND_BYTES)
		return true;
	memcpy(&value, at, field->size);
	if (field->kind == FIELD_KIND_FLAG)
		return value <= 1;
	return value >= field->min && value <= field->max;
}

static const char *check(const struct field *fields, const uint8_t *from)
{
	for (const struct field *field = fields; field->name; field++)
		for (size_t i = 0; i < field->count; i++, from += element_length(field)) {
			const char *wrong = NULL;

			if (field->kind == FIELD_KIND_STRUCT)
				wrong = check(field->fields, from);
			else if (!value_fits(field, from))
				wrong = field->name;
			if (wrong)
				return wrong;
		}
	return NULL;
}

static void fill(const struct field *fields, const uint8_t *from, void *to)
{
	for (const struct field *field = fields; field->name; field++)
		for (size_t i = 0; i < field->count; i++, from += element_length(field)) {
			uint8_t *at = (uint8_t *)to + field->offset + i * field->size;

			if (field->kind == FIELD_KIND_STRUCT)
				fill(field->fields, from, at);
			else
				memcpy(at, from, field->size);
		}
}

const char *fields_decode(const struct field *fields, const uint8_t *from, void *to)
{
	const char *wrong = check(fields, from);

	if (!wrong)
		fill(fields, from, to);
	return wrong;
}

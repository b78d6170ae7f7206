// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/save/state.h"

#include <glib/gi18n.h>
#include <string.h>

G_DEFINE_QUARK(lodge - state - error, state_error)

struct record {
	char *name;
	const struct field *fields; /* or NULL */
	GByteArray *bytes;
};

struct state_out {
	GPtrArray *records; /* struct record */
};

struct state_in {
	GHashTable *records; /* name to GBytes */
};

static char *full_name(const char *name, unsigned index)
{
	char *full = g_strdup_printf("%s.%u", name, index);

	g_assert(strlen(full) < STATE_NAME_MAX);
	return full;
}

/* ---- out ---- */

static void record_free(void *data)
{
	struct record *record = data;

	g_free(record->name);
	g_byte_array_unref(record->bytes);
	g_free(record);
}

struct state_out *state_out_new(void)
{
	struct state_out *out = g_new0(struct state_out, 1);

	out->records = g_ptr_array_new_with_free_func(record_free);
	return out;
}

void state_out_free(struct state_out *out)
{
	if (!out)
		return;
	g_ptr_array_unref(out->records);
	g_free(out);
}

static GByteArray *add_record(
	struct state_out *out, const char *name, unsigned index, const struct field *fields)
{
	struct record *record = g_new(struct record, 1);

	*record = (struct record){full_name(name, index), fields, g_byte_array_new()};
	for (unsigned i = 0; i < out->records->len; i++)
		g_assert(!g_str_equal(
			((struct record *)g_ptr_array_index(out->records, i))->name, record->name));
	g_ptr_array_add(out->records, record);
	return record->bytes;
}

/* Each record of a table begins with what tells the table. */
void state_put(struct state_out *out, const char *name, unsigned index, const struct field *fields,
	const void *from)
{
	GByteArray *bytes = add_record(out, name, index, fields);
	uint32_t layout = fields_layout(fields);

	g_byte_array_append(bytes, (const uint8_t *)&layout, sizeof(layout));
	fields_encode(fields, from, bytes);
}

void state_put_bytes(
	struct state_out *out, const char *name, unsigned index, const void *data, size_t length)
{
	g_byte_array_append(add_record(out, name, index, NULL), data, (guint)length);
}

const char *state_out_record(
	const struct state_out *out, unsigned number, const uint8_t **data, size_t *length)
{
	const struct record *record;

	if (number >= out->records->len)
		return NULL;
	record = g_ptr_array_index(out->records, number);
	*data = record->bytes->data;
	*length = record->bytes->len;
	return record->name;
}

const struct field *state_out_fields(const struct state_out *out, unsigned number)
{
	g_assert(number < out->records->len);
	return ((const struct record *)g_ptr_array_index(out->records, number))->fields;
}

/* ---- in ---- */

struct state_in *state_in_new(void)
{
	struct state_in *in = g_new0(struct state_in, 1);

	in->records = g_hash_table_new_full(
		g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
	return in;
}

void state_in_free(struct state_in *in)
{
	if (!in)
		return;
	g_hash_table_unref(in->records);
	g_free(in);
}

bool state_in_add(struct state_in *in, const char *name, GBytes *bytes, GError **error)
{
	if (g_hash_table_insert(in->records, g_strdup(name), bytes))
		return true;
	g_set_error(
		error, STATE_ERROR, STATE_ERROR_DAMAGED, _("the part '%s' is there twice"), name);
	return false;
}

bool state_has(const struct state_in *in, const char *name, unsigned index)
{
	g_autofree char *full = full_name(name, index);

	return g_hash_table_contains(in->records, full);
}

GBytes *state_get_bytes(struct state_in *in, const char *name, unsigned index, GError **error)
{
	g_autofree char *full = full_name(name, index);
	GBytes *bytes = g_hash_table_lookup(in->records, full);

	if (!bytes) {
		g_set_error(error, STATE_ERROR, STATE_ERROR_FOREIGN,
			_("the state of '%s', which this guest has, is missing"), full);
		return NULL;
	}
	g_bytes_ref(bytes);
	g_hash_table_remove(in->records, full);
	return bytes;
}

char *state_get_text(struct state_in *in, const char *name, unsigned index, GError **error)
{
	g_autoptr(GBytes) bytes = state_get_bytes(in, name, index, error);
	size_t length;
	const char *text;

	if (!bytes)
		return NULL;
	text = g_bytes_get_data(bytes, &length);
	return g_strndup(length ? text : "", length);
}

bool state_get(struct state_in *in, const char *name, unsigned index, const struct field *fields,
	void *to, GError **error)
{
	g_autoptr(GBytes) bytes = state_get_bytes(in, name, index, error);
	uint32_t layout = 0;
	const uint8_t *data;
	const char *wrong;
	size_t length;

	if (!bytes)
		return false;
	data = g_bytes_get_data(bytes, &length);
	if (length >= sizeof(layout))
		memcpy(&layout, data, sizeof(layout));
	if (length != sizeof(layout) + fields_length(fields) || layout != fields_layout(fields)) {
		g_set_error(error, STATE_ERROR, STATE_ERROR_VERSION,
			_("the state of '%s.%u' is that of another version of this program"), name,
			index);
		return false;
	}
	wrong = fields_decode(fields, data + sizeof(layout), to);
	return !wrong || state_damaged(name, index, wrong, error);
}

bool state_in_finish(const struct state_in *in, GError **error)
{
	GHashTableIter iter;
	void *name;

	g_hash_table_iter_init(&iter, in->records);
	if (!g_hash_table_iter_next(&iter, &name, NULL))
		return true;
	g_set_error(error, STATE_ERROR, STATE_ERROR_FOREIGN,
		_("it has the state of '%s', which this guest has not"), (const char *)name);
	return false;
}

bool state_damaged(const char *name, unsigned index, const char *field, GError **error)
{
	g_set_error(error, STATE_ERROR, STATE_ERROR_DAMAGED,
		_("the state of '%s.%u' is damaged (%s)"), name, index, field);
	return false;
}

bool state_foreign(const char *name, unsigned index, GError **error)
{
	g_set_error(error, STATE_ERROR, STATE_ERROR_FOREIGN,
		_("'%s.%u' was another device when the guest was saved"), name, index);
	return false;
}

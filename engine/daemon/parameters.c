// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/parameters.h"

#include "engine/daemon/fault.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>

static struct wire_value *add(struct parameters *parameters, const char *field, int type)
{
	struct wire_parameter *parameter;

	if (parameters->count == parameters->room) {
		parameters->room = parameters->room ? 2 * parameters->room : 16;
		parameters->at = realloc(
			parameters->at, parameters->room * sizeof(*parameters->at));
		g_assert(parameters->at);
	}
	parameter = &parameters->at[parameters->count++];
	memset(parameter, 0, sizeof(*parameter));
	parameter->field = g_strdup(field);
	parameter->value.type = type;
	return &parameter->value;
}

void parameters_add_int(struct parameters *parameters, const char *field, int value)
{
	add(parameters, field, VIR_TYPED_PARAM_INT)->wire_value_u.i = value;
}

void parameters_add_uint(struct parameters *parameters, const char *field, unsigned value)
{
	add(parameters, field, VIR_TYPED_PARAM_UINT)->wire_value_u.ui = value;
}

void parameters_add_llong(struct parameters *parameters, const char *field, int64_t value)
{
	add(parameters, field, VIR_TYPED_PARAM_LLONG)->wire_value_u.l = value;
}

void parameters_add_ullong(struct parameters *parameters, const char *field, uint64_t value)
{
	add(parameters, field, VIR_TYPED_PARAM_ULLONG)->wire_value_u.ul = value;
}

void parameters_add_text(struct parameters *parameters, const char *field, const char *value)
{
	add(parameters, field, VIR_TYPED_PARAM_STRING)->wire_value_u.s = g_strdup(value);
}

static void clear_one(struct wire_parameter *parameter)
{
	free(parameter->field);
	if (parameter->value.type == VIR_TYPED_PARAM_STRING)
		free(parameter->value.wire_value_u.s);
}

void parameters_free(struct wire_parameter *parameters, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		clear_one(&parameters[i]);
	free(parameters);
}

void parameters_shorten(struct parameters *parameters, unsigned count)
{
	while (parameters->count > count)
		clear_one(&parameters->at[--parameters->count]);
}

void parameters_clear(struct parameters *parameters)
{
	parameters_free(parameters->at, parameters->count);
	memset(parameters, 0, sizeof(*parameters));
}

const struct wire_parameter *parameters_find(
	const struct wire_parameter *parameters, unsigned count, const char *field)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(parameters[i].field, field) == 0)
			return &parameters[i];
	return NULL;
}

struct wire_parameter *parameters_copy(const struct wire_parameter *parameters, unsigned count)
{
	struct wire_parameter *copy = calloc(count + 1, sizeof(*copy));

	g_assert(copy);
	for (unsigned i = 0; i < count; i++) {
		copy[i] = parameters[i];
		copy[i].field = g_strdup(parameters[i].field);
		if (copy[i].value.type == VIR_TYPED_PARAM_STRING)
			copy[i].value.wire_value_u.s =
				g_strdup(parameters[i].value.wire_value_u.s);
	}
	return copy;
}

static const char *type_name(int type)
{
	static const char *const names[] = {
		"unknown", "int", "uint", "llong", "ullong", "double", "boolean", "string"};

	return type > 0 && type < (int)G_N_ELEMENTS(names) ? names[type] : names[0];
}

static bool check_one(const struct wire_parameter *parameter, const struct parameter_kind *kinds,
	GError **error)
{
	for (; kinds->field; kinds++) {
		if (strcmp(kinds->field, parameter->field) != 0)
			continue;
		return kinds->type == parameter->value.type ||
		       fault_set(error, VIR_ERR_INVALID_ARG,
			       "invalid type '%s' for parameter '%s', expected '%s'",
			       type_name(parameter->value.type), parameter->field,
			       type_name(kinds->type));
	}
	return fault_set(error, VIR_ERR_INVALID_ARG, "parameter '%s' not supported",
		parameter->field);
}

bool parameters_check(const struct wire_parameter *parameters, unsigned count,
	const struct parameter_kind *kinds, GError **error)
{
	for (unsigned i = 0; i < count; i++) {
		if (!check_one(&parameters[i], kinds, error))
			return false;
		if (parameters_find(parameters, i, parameters[i].field))
			return fault_set(error, VIR_ERR_INVALID_ARG,
				"parameter '%s' occurs multiple times", parameters[i].field);
	}
	return true;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/fault.h"

#include <stdlib.h>
#include <string.h>

G_DEFINE_QUARK(lodge - fault, fault)

/* What libvirt writes before the sentence, and the part that it says the error comes from. */
static const struct {
	virErrorNumber code;
	virErrorDomain domain;
	const char *headline;
} kinds[] = {
	{VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, "internal error"},
	{VIR_ERR_NO_SUPPORT, VIR_FROM_NONE,
		"this function is not supported by the connection driver"},
	{VIR_ERR_INVALID_ARG, VIR_FROM_QEMU, "invalid argument"},
	{VIR_ERR_OPERATION_FAILED, VIR_FROM_QEMU, "operation failed"},
	{VIR_ERR_OPERATION_DENIED, VIR_FROM_QEMU, "operation forbidden"},
	{VIR_ERR_OPERATION_INVALID, VIR_FROM_QEMU, "Requested operation is not valid"},
	{VIR_ERR_OPERATION_UNSUPPORTED, VIR_FROM_QEMU, "Operation not supported"},
	{VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_QEMU, "unsupported configuration"},
	{VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN, "XML error"},
	{VIR_ERR_NO_DOMAIN, VIR_FROM_QEMU, "Domain not found"},
	{VIR_ERR_NO_DOMAIN_METADATA, VIR_FROM_QEMU, "metadata not found"},
	{VIR_ERR_DEVICE_MISSING, VIR_FROM_QEMU, "device not found"},
	{VIR_ERR_ARGUMENT_UNSUPPORTED, VIR_FROM_QEMU, "argument unsupported"},
	{VIR_ERR_OPERATION_ABORTED, VIR_FROM_QEMU, "operation aborted"},
	{VIR_ERR_NO_STORAGE_POOL, VIR_FROM_STORAGE, "Storage pool not found"},
	{VIR_ERR_NO_STORAGE_VOL, VIR_FROM_STORAGE, "Storage volume not found"},
	{VIR_ERR_STORAGE_VOL_EXIST, VIR_FROM_STORAGE, NULL},
	{VIR_ERR_NO_NETWORK, VIR_FROM_NETWORK, "Network not found"},
	{VIR_ERR_RPC, VIR_FROM_RPC, NULL},
	{VIR_ERR_SYSTEM_ERROR, VIR_FROM_QEMU, NULL},
	{VIR_ERR_AUTH_FAILED, VIR_FROM_RPC, "authentication failed"},
};

static size_t find_kind(int code)
{
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		if ((int)kinds[i].code == code)
			return i;
	return 0;
}

bool fault_set(GError **error, virErrorNumber code, const char *format, ...)
{
	const char *headline = kinds[find_kind((int)code)].headline;
	va_list args;
	va_start(args, format);
	g_autofree char *sentence = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, FAULT, (int)code, "%s%s%s", headline ? headline : "",
		headline ? ": " : "", sentence);
	return false;
}

bool fault_set_argument(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *sentence = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(error, FAULT, VIR_ERR_INVALID_ARG, sentence);
	return false;
}

static wire_optional some_text(char *text)
{
	wire_optional optional = malloc(sizeof(*optional));

	g_assert(optional);
	*optional = text;
	return optional;
}

void fault_to_wire(const GError *error, struct wire_error *wire)
{
	bool ours = error->domain == FAULT;
	const char *headline = ours ? "" : "internal error: ";

	memset(wire, 0, sizeof(*wire));
	wire->code = ours ? error->code : VIR_ERR_INTERNAL_ERROR;
	wire->domain = (int)kinds[find_kind(wire->code)].domain;
	wire->level = VIR_ERR_ERROR;
	wire->message = some_text(g_strconcat(headline, error->message, NULL));
	wire->str1 = some_text(g_strdup("%s"));
	wire->str2 = some_text(g_strdup(error->message));
	wire->int1 = -1;
	wire->int2 = -1;
}

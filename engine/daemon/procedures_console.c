// SPDX-License-Identifier: GPL-3.0-or-later
/* Consoles and channels of running guests. */
#include "engine/daemon/console.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/procedure.h"

#include <libvirt/libvirt.h>

/* NULL: the call has been answered. */
static struct guest *find(struct call *call, unsigned known)
{
	const struct wire_domain_optional_flags_args *args = call->args;
	g_autoptr(GError) error = NULL;
	struct guest *guest = registry_find(call->server->registry, &args->domain, &error);

	if (guest && (args->flags & ~known))
		fault_set(&error, VIR_ERR_INVALID_ARG, "unsupported flags (0x%x)",
			args->flags & ~known);
	if (!error && guest_check_active(guest, &error))
		return guest;
	call_done(call, error);
	return NULL;
}

static void do_open_console(struct call *call)
{
	const struct wire_domain_optional_flags_args *args = call->args;
	struct guest *guest = find(call, VIR_DOMAIN_CONSOLE_FORCE | VIR_DOMAIN_CONSOLE_SAFE);

	if (guest)
		console_open(call, guest, args->text ? *args->text : NULL,
			args->flags & VIR_DOMAIN_CONSOLE_FORCE);
}

static void do_open_channel(struct call *call)
{
	const struct wire_domain_optional_flags_args *args = call->args;
	struct guest *guest = find(call, VIR_DOMAIN_CHANNEL_FORCE);

	if (guest)
		console_open_channel(call, guest, args->text ? *args->text : NULL,
			args->flags & VIR_DOMAIN_CHANNEL_FORCE);
}

#define F(name) PACKET_FORMAT(wire_##name)

const struct procedure procedures_console[] = {
	{201, "virDomainOpenConsole", F(domain_optional_flags_args), NULL, PROCEDURE_WRITES, NULL,
		do_open_console},
	{296, "virDomainOpenChannel", F(domain_optional_flags_args), NULL, PROCEDURE_WRITES, NULL,
		do_open_channel},
	{0, NULL, NULL, NULL, 0, NULL, NULL},
};

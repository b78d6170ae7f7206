// SPDX-License-Identifier: GPL-3.0-or-later
/* Consoles and channels of running guests. */
#include "engine/daemon/console.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/procedure.h"

#include <libvirt/libvirt.h>

static void open_stream(struct call *call, bool channel, unsigned known, unsigned force)
{
	const struct wire_domain_optional_flags_args *args = call->args;
	struct registry *registry = call->server->registry;
	g_autoptr(GError) error = NULL;
	struct guest *guest = registry_find(registry, &args->domain, &error);

	if (guest && (args->flags & ~known))
		fault_set(&error, VIR_ERR_INVALID_ARG, "unsupported flags (0x%x)",
			args->flags & ~known);
	if (!guest || error || !guest_check_active(guest, &error)) {
		call_done(call, error);
		return;
	}
	console_open(call, guest, args->text ? *args->text : NULL, channel, args->flags & force);
}

static void do_open_console(struct call *call)
{
	open_stream(call, false, VIR_DOMAIN_CONSOLE_FORCE | VIR_DOMAIN_CONSOLE_SAFE,
		VIR_DOMAIN_CONSOLE_FORCE);
}

static void do_open_channel(struct call *call)
{
	open_stream(call, true, VIR_DOMAIN_CHANNEL_FORCE, VIR_DOMAIN_CHANNEL_FORCE);
}

#define F(name) PACKET_FORMAT(wire_##name)

const struct procedure procedures_console[] = {
	{201, "virDomainOpenConsole", F(domain_optional_flags_args), NULL, PROCEDURE_WRITES, NULL,
		do_open_console},
	{296, "virDomainOpenChannel", F(domain_optional_flags_args), NULL, PROCEDURE_WRITES, NULL,
		do_open_channel},
	{0, NULL, NULL, NULL, 0, NULL, NULL},
};

// SPDX-License-Identifier: GPL-3.0-or-later
/* Starting and ending guests: what must wait for a monitor. */
#include "engine/daemon/fault.h"
#include "engine/daemon/procedure.h"

#include <libvirt/libvirt.h>
#include <string.h>

static void refuse(struct call *call, virErrorNumber code, const char *sentence)
{
	g_autoptr(GError) error = NULL;

	fault_set(&error, code, "%s", sentence);
	call_done(call, error);
}

/* NULL: the call has been answered. */
static struct guest *find(struct call *call, unsigned flags, unsigned known)
{
	g_autoptr(GError) error = NULL;
	struct guest *guest = registry_find(call->server->registry, call->args, &error);

	if (guest && (flags & ~known))
		fault_set(&error, VIR_ERR_INVALID_ARG, "unsupported flags (0x%x)", flags & ~known);
	if (!error)
		return guest;
	call_done(call, error);
	return NULL;
}

static unsigned call_flags(const struct call *call)
{
	return ((const struct wire_domain_flags_args *)call->args)->flags;
}

static void return_domain(struct call *call, struct server *server)
{
	const struct guest *guest = g_hash_table_lookup(server->registry->by_uuid, call->uuid);
	struct wire_domain *domain = &((struct wire_domain_ret *)call->ret)->domain;

	if (guest) {
		*domain = guest_wire(guest);
		domain->name = g_strdup(domain->name);
	}
}

static void start(struct call *call, struct guest *guest, unsigned flags)
{
	const struct guest_launch how = {
		.paused = flags & VIR_DOMAIN_START_PAUSED,
		.fresh = flags & VIR_DOMAIN_START_FORCE_BOOT,
		.restore = -1,
	};

	guest_start_with(guest, &how, call_done, call);
}

static void do_create(struct call *call)
{
	struct guest *guest = find(call, 0, 0);

	if (guest)
		start(call, guest, 0);
}

static void do_create_flags(struct call *call)
{
	unsigned flags = call_flags(call);
	struct guest *guest = find(call, flags,
		VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_FORCE_BOOT |
			VIR_DOMAIN_START_BYPASS_CACHE);

	if (!guest)
		return;
	memcpy(call->uuid, guest_definition(guest)->uuid, sizeof(call->uuid));
	call->complete = return_domain;
	start(call, guest, flags);
}

static void do_create_xml(struct call *call)
{
	const struct wire_text_flags_args *args = call->args;
	g_autoptr(GError) error = NULL;
	struct guest *guest;

	if (args->flags & ~(unsigned)(VIR_DOMAIN_START_VALIDATE | VIR_DOMAIN_START_PAUSED)) {
		refuse(call, VIR_ERR_OPERATION_UNSUPPORTED,
			"a guest can only be created without files, and outlives its maker");
		return;
	}
	guest = registry_add_transient(call->server->registry, args->text, &error);
	if (!guest) {
		call_done(call, error);
		return;
	}
	memcpy(call->uuid, guest_definition(guest)->uuid, sizeof(call->uuid));
	call->complete = return_domain;
	start(call, guest, args->flags);
}

static void do_destroy(struct call *call)
{
	struct guest *guest = find(call, 0, 0);

	if (guest)
		guest_destroy(guest, false, call_done, call);
}

static void do_destroy_flags(struct call *call)
{
	unsigned flags = call_flags(call);
	struct guest *guest = find(call, flags, VIR_DOMAIN_DESTROY_GRACEFUL);

	if (guest)
		guest_destroy(guest, flags & VIR_DOMAIN_DESTROY_GRACEFUL, call_done, call);
}

static void do_shutdown(struct call *call)
{
	struct guest *guest = find(call, 0, 0);

	if (guest)
		guest_request(guest, "powerdown", call_done, call);
}

/* No guest has the agent that could be asked to. */
static bool wants_agent(struct call *call, const struct guest *guest, unsigned agent)
{
	if (!guest_is_active(guest) || !(call_flags(call) & agent))
		return false;
	refuse(call, VIR_ERR_ARGUMENT_UNSUPPORTED, "QEMU guest agent is not configured");
	return true;
}

static void do_shutdown_flags(struct call *call)
{
	struct guest *guest = find(call, call_flags(call),
		VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN | VIR_DOMAIN_SHUTDOWN_GUEST_AGENT);

	if (guest && !wants_agent(call, guest, VIR_DOMAIN_SHUTDOWN_GUEST_AGENT))
		guest_request(guest, "powerdown", call_done, call);
}

static void do_reboot(struct call *call)
{
	struct guest *guest = find(call, call_flags(call),
		VIR_DOMAIN_REBOOT_ACPI_POWER_BTN | VIR_DOMAIN_REBOOT_GUEST_AGENT);

	if (guest && !wants_agent(call, guest, VIR_DOMAIN_REBOOT_GUEST_AGENT))
		guest_reboot(guest, call_done, call);
}

static void do_reset(struct call *call)
{
	struct guest *guest = find(call, call_flags(call), 0);

	if (guest)
		guest_request(guest, "reset", call_done, call);
}

static void do_suspend(struct call *call)
{
	struct guest *guest = find(call, 0, 0);

	if (!guest)
		return;
	/* As with libvirt, a second time is no error. */
	if (guest->state == VIR_DOMAIN_PAUSED)
		call_done(call, NULL);
	else
		guest_request(guest, "pause", call_done, call);
}

static void do_resume(struct call *call)
{
	struct guest *guest = find(call, 0, 0);

	if (!guest)
		return;
	if (guest->state == VIR_DOMAIN_RUNNING)
		refuse(call, VIR_ERR_OPERATION_INVALID, "domain is already running");
	else
		guest_request(guest, "resume", call_done, call);
}

#define F(name) PACKET_FORMAT(wire_##name)
#define WRITES PROCEDURE_WRITES

const struct procedure procedures_life[] = {
	{9, "virDomainCreate", F(domain_args), NULL, WRITES, NULL, do_create},
	{10, "virDomainCreateXML", F(text_flags_args), F(domain_ret), WRITES, NULL, do_create_xml},
	{12, "virDomainDestroy", F(domain_args), NULL, WRITES, NULL, do_destroy},
	{27, "virDomainReboot", F(domain_flags_args), NULL, WRITES, NULL, do_reboot},
	{28, "virDomainResume", F(domain_args), NULL, WRITES, NULL, do_resume},
	{33, "virDomainShutdown", F(domain_args), NULL, WRITES, NULL, do_shutdown},
	{34, "virDomainSuspend", F(domain_args), NULL, WRITES, NULL, do_suspend},
	{196, "virDomainCreateWithFlags", F(domain_flags_args), F(domain_ret), WRITES, NULL,
		do_create_flags},
	{234, "virDomainDestroyFlags", F(domain_flags_args), NULL, WRITES, NULL, do_destroy_flags},
	{245, "virDomainReset", F(domain_flags_args), NULL, WRITES, NULL, do_reset},
	{258, "virDomainShutdownFlags", F(domain_flags_args), NULL, WRITES, NULL,
		do_shutdown_flags},
	{0, NULL, NULL, NULL, 0, NULL, NULL},
};

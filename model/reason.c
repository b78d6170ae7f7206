// SPDX-License-Identifier: GPL-3.0-or-later
// Why a guest is in its state, in words. The numbers are libvirt's virDomain*Reason.
#include "model/guest.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static const char *const running[] = {
	[VIR_DOMAIN_RUNNING_BOOTED] = N_("started"),
	[VIR_DOMAIN_RUNNING_MIGRATED] = N_("moved here from another host"),
	[VIR_DOMAIN_RUNNING_RESTORED] = N_("restored from a saved state"),
	[VIR_DOMAIN_RUNNING_FROM_SNAPSHOT] = N_("restored from a snapshot"),
	[VIR_DOMAIN_RUNNING_UNPAUSED] = N_("resumed"),
	[VIR_DOMAIN_RUNNING_MIGRATION_CANCELED] = N_("its move to another host was cancelled"),
	[VIR_DOMAIN_RUNNING_SAVE_CANCELED] = N_("saving it was cancelled"),
	[VIR_DOMAIN_RUNNING_WAKEUP] = N_("woken up"),
	[VIR_DOMAIN_RUNNING_CRASHED] = N_("crashed inside, and goes on"),
	[VIR_DOMAIN_RUNNING_POSTCOPY] = N_("runs here while its memory still arrives"),
};

static const char *const paused[] = {
	[VIR_DOMAIN_PAUSED_USER] = N_("paused by the administrator"),
	[VIR_DOMAIN_PAUSED_MIGRATION] = N_("moving to another host"),
	[VIR_DOMAIN_PAUSED_SAVE] = N_("being saved"),
	[VIR_DOMAIN_PAUSED_DUMP] = N_("its memory is being dumped"),
	[VIR_DOMAIN_PAUSED_IOERROR] =
		N_("a disk had an error: free space on the host, then resume"),
	[VIR_DOMAIN_PAUSED_WATCHDOG] = N_("its watchdog went off"),
	[VIR_DOMAIN_PAUSED_FROM_SNAPSHOT] = N_("restored from a snapshot"),
	[VIR_DOMAIN_PAUSED_SHUTTING_DOWN] = N_("shutting down"),
	[VIR_DOMAIN_PAUSED_SNAPSHOT] = N_("a snapshot is being made"),
	[VIR_DOMAIN_PAUSED_CRASHED] = N_("crashed inside"),
	[VIR_DOMAIN_PAUSED_STARTING_UP] = N_("starting"),
	[VIR_DOMAIN_PAUSED_POSTCOPY] = N_("moved away, its memory still leaves"),
	[VIR_DOMAIN_PAUSED_POSTCOPY_FAILED] = N_("moving its memory failed"),
};

static const char *const shutting_down[] = {
	[VIR_DOMAIN_SHUTDOWN_USER] = N_("told to by the administrator"),
};

static const char *const off[] = {
	[VIR_DOMAIN_SHUTOFF_SHUTDOWN] = N_("shut down"),
	[VIR_DOMAIN_SHUTOFF_DESTROYED] = N_("switched off"),
	[VIR_DOMAIN_SHUTOFF_CRASHED] = N_("crashed"),
	[VIR_DOMAIN_SHUTOFF_MIGRATED] = N_("moved to another host"),
	[VIR_DOMAIN_SHUTOFF_SAVED] = N_("saved"),
	[VIR_DOMAIN_SHUTOFF_FAILED] = N_("could not start"),
	[VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT] = N_("restored from a snapshot"),
	[VIR_DOMAIN_SHUTOFF_DAEMON] = N_("the hypervisor's daemon lost it"),
};

static const char *const crashed[] = {
	[VIR_DOMAIN_CRASHED_PANICKED] = N_("its kernel panicked"),
};

const char *guest_reason_words(const struct guest *guest)
{
	static const struct {
		const char *const *words;
		int count;
	} tables[GUEST_STATES] = {
		[GUEST_RUNNING] = {running, G_N_ELEMENTS(running)},
		[GUEST_PAUSED] = {paused, G_N_ELEMENTS(paused)},
		[GUEST_SHUTDOWN] = {shutting_down, G_N_ELEMENTS(shutting_down)},
		[GUEST_OFF] = {off, G_N_ELEMENTS(off)},
		[GUEST_CRASHED] = {crashed, G_N_ELEMENTS(crashed)},
	};
	int reason = guest->reason;

	if (reason < 0 || reason >= tables[guest->state].count ||
		!tables[guest->state].words[reason])
		return NULL;
	return _(tables[guest->state].words[reason]);
}

// SPDX-License-Identifier: GPL-3.0-or-later
/* Whether the sandbox is entered: for devices, too, which are linked without the rest of it. */
#include <config.h>

#include "engine/vmm/sandbox.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <stdatomic.h>

static atomic_bool entered;

void sandbox_set_entered(void)
{
	atomic_store(&entered, true);
}

bool sandbox_is_entered(void)
{
	return atomic_load(&entered);
}

bool sandbox_allows_paths(GError **error)
{
	if (!sandbox_is_entered())
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
		_("The monitor is sandboxed and can open nothing by itself any more: the request "
		  "must bring an open descriptor"));
	return false;
}

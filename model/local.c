// SPDX-License-Identifier: GPL-3.0-or-later
// The hypervisors of this machine: those whose sockets accept.
#include "model/model.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <unistd.h>

// A non-blocking connect tells at once whether anybody listens; a full queue means somebody does.
static bool listens(const char *path)
{
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
	g_autoptr(GSocket) socket =
		g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);
	g_autoptr(GError) error = NULL;

	if (!socket || strlen(path) > 107)
		return false;
	g_socket_set_blocking(socket, FALSE);
	return g_socket_connect(socket, address, NULL, &error) ||
	       g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PENDING) ||
	       g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
}

static bool listens_in(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, "libvirt", name, NULL);

	return listens(path);
}

// A driver has its own socket where the daemons are modular; libvirtd serves all where they are not,
// and then what the driver needs is looked for as well.
struct local {
	const char *uri, *socket;
	const char *needs; // NULL: only where it has its own socket
};

static const struct local locals[] = {
	{"qemu:///system", "virtqemud-sock", "/usr/bin/qemu-system-x86_64"},
	{"xen:///system", "virtxend-sock", "/proc/xen/capabilities"},
	// Every libvirtd serves LXC too, mostly without containers: an empty host in the tree.
	{"lxc:///system", "virtlxcd-sock", NULL},
};

char **model_local_uris(void)
{
	g_autoptr(GStrvBuilder) uris = g_strv_builder_new();
	bool monolith = listens_in("/run", "libvirt-sock");
	const char *runtime = g_get_user_runtime_dir();

	for (unsigned i = 0; i < G_N_ELEMENTS(locals); i++) {
		bool usable = monolith && locals[i].needs && access(locals[i].needs, F_OK) == 0;

		if (usable || listens_in("/run", locals[i].socket))
			g_strv_builder_add(uris, locals[i].uri);
	}
	if (geteuid() &&
		(listens_in(runtime, "libvirt-sock") || listens_in(runtime, "virtqemud-sock")))
		g_strv_builder_add(uris, "qemu:///session");
	return g_strv_builder_end(uris);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// The hypervisors of this machine: the bundled engine, and those on whose sockets somebody listens.
#include "model/bundled.h"
#include "model/model.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

// The kernel's list of sockets tells who listens. Connecting would tell too, and would make systemd
// start a daemon that nobody asked for.
#define SOCKETS "/proc/net/unix"
#define LISTENING 0x10000

// One line: "address: references protocol flags type state inode path".
static bool is_listener(const char *line, const char *path)
{
	g_auto(GStrv) fields = g_strsplit(line, " ", 8);
	const char *found = g_strv_length(fields) == 8 ? g_strchug(fields[7]) : "";

	// Older daemons say /var/run for what is /run.
	if (g_str_has_prefix(found, "/var/run/"))
		found += strlen("/var");
	return !strcmp(found, path) && g_ascii_strtoull(fields[3], NULL, 16) & LISTENING;
}

static bool listens(const char *path)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	bool found = false;

	if (access(path, R_OK | W_OK) || !g_file_get_contents(SOCKETS, &text, NULL, NULL))
		return false;
	lines = g_strsplit(text, "\n", -1);
	for (unsigned i = 0; lines[i] && !found; i++)
		found = is_listener(lines[i], path);
	return found;
}

static bool listens_in(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, "libvirt", name, NULL);

	return listens(path);
}

// A driver has its own socket where the daemons are modular; libvirtd serves all where they are
// not, and then what the driver needs is looked for as well.
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
	const char *bundled = bundled_default();

	if (bundled)
		g_strv_builder_add(uris, bundled);

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

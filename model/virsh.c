// SPDX-License-Identifier: GPL-3.0-or-later
// Each verb in virsh's words, so that a change can be repeated, scripted and learnt from.
#include "model/actions.h"
#include "model/metadata.h"

#include <string.h>

static char *quote(const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./,:+@%=";

	return *word && strspn(word, plain) == strlen(word) ? g_strdup(word) : g_shell_quote(word);
}

// "VERB GUEST", then each option that was given as " OPTION" or " OPTION VALUE".
static char *words(const char *verb, const struct request *request, const struct guest *guest,
	const char *const *options)
{
	g_autofree char *name = quote(guest->name);
	g_autoptr(GString) line = g_string_new(NULL);

	g_string_printf(line, "%s %s", verb, name);
	for (unsigned i = 0; options && options[i]; i++) {
		const char *value = request_get(request, options[i]);
		g_autofree char *quoted = value && *value ? quote(value) : NULL;

		if (value)
			g_string_append_printf(line, " %s", options[i]);
		if (quoted)
			g_string_append_printf(line, " %s", quoted);
	}
	return g_string_free(g_steal_pointer(&line), FALSE);
}

char *virsh_start(const struct request *request, const struct guest *guest)
{
	return words("start", request, guest, (const char *const[]){"--paused", NULL});
}

char *virsh_shutdown(const struct request *request, const struct guest *guest)
{
	return words("shutdown", request, guest, (const char *const[]){"--mode", NULL});
}

char *virsh_reboot(const struct request *request, const struct guest *guest)
{
	return words("reboot", request, guest, (const char *const[]){"--mode", NULL});
}

char *virsh_reset(const struct request *request, const struct guest *guest)
{
	return words("reset", request, guest, NULL);
}

char *virsh_destroy(const struct request *request, const struct guest *guest)
{
	return words("destroy", request, guest, (const char *const[]){"--graceful", NULL});
}

char *virsh_pause(const struct request *request, const struct guest *guest)
{
	return words("suspend", request, guest, NULL);
}

char *virsh_resume(const struct request *request, const struct guest *guest)
{
	return words(
		guest->state == GUEST_SUSPENDED ? "dompmwakeup" : "resume", request, guest, NULL);
}

char *virsh_save(const struct request *request, const struct guest *guest)
{
	const char *path = request_get(request, "--to");
	g_autofree char *name = quote(guest->name);
	g_autofree char *file = path ? quote(path) : NULL;

	return file ? g_strdup_printf("save %s %s", name, file)
		    : g_strdup_printf("managedsave %s", name);
}

char *virsh_restore(const struct request *request, const struct guest *guest)
{
	const char *path = request_get(request, "--from");
	g_autofree char *file = path ? quote(path) : NULL;

	if (guest)
		return words("start", request, guest, NULL);
	return file ? g_strdup_printf("restore %s", file) : NULL;
}

char *virsh_autostart(const struct request *request, const struct guest *guest)
{
	return words("autostart", request, guest, (const char *const[]){"--disable", NULL});
}

char *virsh_rename(const struct request *request, const struct guest *guest)
{
	g_autofree char *name = quote(guest->name);
	g_autofree char *fresh = quote(request_get(request, "NAME"));

	return g_strdup_printf("domrename %s %s", name, fresh);
}

char *virsh_delete(const struct request *request, const struct guest *guest)
{
	return words("undefine --managed-save --snapshots-metadata --checkpoints-metadata --nvram",
		request, guest, (const char *const[]){"--storage", NULL});
}

char *virsh_define(const struct request *request, const struct guest *guest)
{
	g_autofree char *file = quote(request_get(request, "FILE"));

	return g_strdup_printf("define --validate %s", file);
}

char *virsh_dump(const struct request *request, const struct guest *guest)
{
	return words("dumpxml", request, guest, (const char *const[]){"--inactive", NULL});
}

// The element itself depends on what the guest has so far, so this opens it in the editor.
char *virsh_metadata(const struct request *request, const struct guest *guest)
{
	g_autofree char *name = quote(guest->name);

	return g_strdup_printf(
		"metadata %s --uri " METADATA_URI " --key " METADATA_PREFIX " --edit", name);
}

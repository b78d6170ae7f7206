// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/policy.h"

#include "engine/daemon/fault.h"
#include "engine/daemon/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- paths ----------------------------------------------------------------------------------- */

/* Without links; of a file that is not there, its folder without links and its name. NULL: neither.
 */
static char *resolve(const char *path)
{
	char *real = realpath(path, NULL), *folder, *full;

	if (real)
		return real;
	g_autofree char *parent = g_path_get_dirname(path), *name = g_path_get_basename(path);
	/* A link that leads nowhere may lead somewhere when the file is opened. */
	if (errno != ENOENT || g_file_test(path, G_FILE_TEST_IS_SYMLINK))
		return NULL;
	folder = realpath(parent, NULL);
	full = folder ? g_build_filename(folder, name, NULL) : NULL;
	free(folder);
	return full;
}

static bool is_in(const char *path, const char *folder)
{
	g_autofree char *real = realpath(folder, NULL);
	size_t length = real ? strlen(real) : 0;

	return real && strncmp(path, real, length) == 0 &&
	       (path[length] == '/' || path[length] == '\0' || length == 1);
}

/* real: NULL where it cannot be told. */
static bool judge_path(
	const struct settings *settings, const char *real, const char *path, GError **error)
{
	for (char **at = settings->allowed; real && *at; at++)
		if (is_in(real, *at))
			return true;
	return fault_set(error, VIR_ERR_OPERATION_DENIED,
		"'%s' is not in a folder that lodged.conf allows", path);
}

bool policy_check_path(const struct settings *settings, const char *path, GError **error)
{
	g_autofree char *real = NULL;

	if (!path || !settings->allowed)
		return true;
	real = resolve(path);
	return judge_path(settings, real, path, error);
}

bool policy_check_opened(const struct settings *settings, int fd, const char *path, GError **error)
{
	g_autofree char *link = NULL, *real = NULL;

	if (!settings || !settings->allowed)
		return true;
	link = g_strdup_printf("/proc/self/fd/%d", fd);
	real = g_file_read_link(link, NULL);
	return judge_path(settings, real, path, error);
}

/* ---- admission ------------------------------------------------------------------------------- */

/* Adds to *warning or sets the error; the sentence is taken. */
static bool judge_amount(enum settings_policy policy, char *sentence, char **warning, GError **error)
{
	g_autofree char *text = sentence;

	if (policy == POLICY_REFUSE)
		return fault_set(error, VIR_ERR_OPERATION_DENIED, "%s", text);
	if (policy == POLICY_WARN && !*warning)
		*warning = g_steal_pointer(&text);
	return true;
}

bool policy_admit(
	struct registry *registry, uint64_t memory, unsigned vcpus, char **warning, GError **error)
{
	const struct settings *settings = registry->settings;
	uint64_t memory_limit = host_memory("MemTotal") * settings->memory_limit / 100;
	unsigned vcpus_limit, needed = vcpus;
	struct host host;
	bool ok = true;

	*warning = NULL;
	host_read(&host);
	vcpus_limit = (unsigned)host.cpus * settings->vcpus_limit / 100;
	memory >>= 10;
	for (guint i = 0; i < registry->guests->len; i++) {
		const struct guest *guest = g_ptr_array_index(registry->guests, i);

		if (!guest_is_active(guest))
			continue;
		memory += guest->running->config->memory >> 10;
		needed += guest->running->config->vcpus;
	}
	if (memory > memory_limit)
		ok = judge_amount(settings->memory,
			g_strdup_printf("the guests' memory would be %" G_GUINT64_FORMAT
					" MiB, and the limit is %" G_GUINT64_FORMAT " MiB",
				memory >> 10, memory_limit >> 10),
			warning, error);
	if (ok && needed > vcpus_limit)
		ok = judge_amount(settings->vcpus,
			g_strdup_printf("the guests' vCPUs would be %u, and the limit is %u",
				needed, vcpus_limit),
			warning, error);
	if (!ok)
		g_clear_pointer(warning, g_free);
	return ok;
}

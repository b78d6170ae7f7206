// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * May this guest run here? What lodged.conf allows: the folders that files are in, and how much of
 * the host guests may take together. Main thread. Errors are those of fault.h.
 */
#pragma once

#include "engine/daemon/definition.h"
#include "engine/daemon/registry.h"

/* Is the file, or where it would be made, in one of the allowed folders? Symbolic links count as
 * what they lead to: at this moment. Who is to open it uses files.h. */
bool policy_check_path(const struct settings *settings, const char *path, GError **error);
/* Is what has been opened? By where it is now; path is what to call it. settings NULL: it is one of
 * the daemon's own. */
bool policy_check_opened(
	const struct settings *settings, int fd, const char *path, GError **error);
/* Is there room for this much more, beside the guests that run? *warning becomes a sentence, to be
 * freed, where there is not but the policy is to warn only; NULL otherwise. */
bool policy_admit(
	struct registry *registry, uint64_t memory, unsigned vcpus, char **warning, GError **error);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * May this guest run here? What lodged.conf allows: the folders that files are in, and how much of
 * the host guests may take together. Main thread. Errors are those of fault.h.
 */
#pragma once

#include "engine/daemon/definition.h"
#include "engine/daemon/registry.h"

/* Is the file, or where it would be made, in one of the allowed folders? Symbolic links count as
 * what they lead to. */
bool policy_check_path(const struct settings *settings, const char *path, GError **error);
/* All files that the definition names. */
bool policy_check_paths(
	const struct settings *settings, const struct machine_config *config, GError **error);
/* Is there room for this much more, beside the guests that run? *warning becomes a sentence, to be
 * freed, where there is not but the policy is to warn only; NULL otherwise. */
bool policy_admit(
	struct registry *registry, uint64_t memory, unsigned vcpus, char **warning, GError **error);

// SPDX-License-Identifier: GPL-3.0-or-later
// Verbs that change definitions and sizes: set, resize, diff, revisions, restore-revision. Job
// threads (see model/verb.h).
#pragma once

#include "model/verb.h"

bool action_set(struct call *call, virDomainPtr domain, GError **error);
bool action_resize(struct call *call, virDomainPtr domain, GError **error);
bool action_diff(struct call *call, virDomainPtr domain, GError **error);
bool action_revisions(struct call *call, virDomainPtr domain, GError **error);
bool action_restore_revision(struct call *call, virDomainPtr domain, GError **error);
char *virsh_resize(const struct request *request, const struct guest *guest);
char *virsh_set(const struct request *request, const struct guest *guest);

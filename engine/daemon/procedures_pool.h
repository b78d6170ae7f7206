// SPDX-License-Identifier: GPL-3.0-or-later
/* What the procedures of pools and of volumes share. Main thread. */
#pragma once

#include "engine/daemon/client.h"
#include "engine/daemon/pool.h"

/* The pool that the arguments begin with; NULL sets the error. */
struct pool *procedure_pool(const struct call *call, GError **error);
/* Its name is the receiver's to free. */
struct wire_pool procedure_wire_pool(const struct pool *pool);
/* Tells the clients that its volumes have changed. */
void procedure_tell_refresh(struct server *server, const struct pool *pool);

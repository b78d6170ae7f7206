// SPDX-License-Identifier: GPL-3.0-or-later
// The title line of a host: CPU, memory, and what its guests were promised.
#pragma once

#include "model/model.h"

/// Of CONNECTION, or of all together when it is NULL; shorter where the terminal is narrower than
/// 100 cells. The caller frees.
char *host_line(const struct model *model, const struct connection *connection, int width);

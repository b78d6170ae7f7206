// SPDX-License-Identifier: GPL-3.0-or-later
/* passt's command line for a network of the configuration (passt(1)). */
#pragma once

#include "engine/common/config.h"

/* Arguments that follow the program's own; free with g_strfreev(). */
char **netargs_passt(const struct config_net *config);

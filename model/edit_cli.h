// SPDX-License-Identifier: GPL-3.0-or-later
// `lodge edit GUEST`: the saved definition in the user's own editor, checked, and saved if nobody else
// changed it meanwhile. What was typed is a draft on disk until it is saved or dropped; on a terminal
// the user is asked what shall become of it, else it stays. Main thread.
#pragma once

#include "model/cli.h"
#include "model/verb.h"

// Returns the exit code: 0 saved, or nothing changed; MODEL_ERROR_CANCELLED dropped; else the error's,
// and the draft is kept.
int edit_cli_run(struct cli *cli, const struct request *request);

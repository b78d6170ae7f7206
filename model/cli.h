// SPDX-License-Identifier: GPL-3.0-or-later
// The command line: `lodge [OPTIONS] VERB [ARGUMENTS]` runs the same verbs as the screens, waits
// for the result and prints it. Main thread, no main loop of the caller running.
#pragma once

#include "model/model.h"

#include <stdbool.h>
#include <stdio.h>

struct cli {
	struct model *model; // opened with the wanted connections; cli_run waits for them
	bool json;           // --json; also understood after the verb
	FILE *out;           // results
	FILE *err;           // errors, one sentence and its details
};

// Runs `words` (NULL-terminated, the verb first). Returns the exit code: 0 done, else enum
// model_error's; when several guests fail, the first one's. "help" prints all verbs, "help VERB"
// one.
int cli_run(struct cli *cli, const char *const *words);

// Whether these words need a hypervisor at all: help, the log and words that are no verb do not.
bool cli_needs_hosts(const char *const *words);

// Prints an error, its details below; the exit code that is its own.
int cli_complain(const struct cli *cli, const GError *error);

// One line per verb, for --help. Caller frees.
char *cli_verbs(void);

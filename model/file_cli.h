// SPDX-License-Identifier: GPL-3.0-or-later
// `lodge xml`: definitions in plain files, without any hypervisor.
//
//	lodge xml set FILE [KEY=VALUE…]	prints the document with the values set; with none, the file
//	lodge xml get FILE [KEY…]	prints values; with no key, all that are set
//	lodge xml check FILE…		checks against libvirt's schema
//	lodge xml diff [--words] A B	compares two files
//	lodge xml keys			lists the keys
//
// FILE "-" is the standard input.
#pragma once

#include <stdio.h>

// Runs `words` (NULL-terminated, after "xml"). Exit codes as model/error.h's; check gives 1 where
// a file has problems, diff 1 where the files differ, as diff(1).
int file_cli_run(const char *const *words, FILE *out, FILE *err);

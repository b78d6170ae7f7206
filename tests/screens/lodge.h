// SPDX-License-Identifier: GPL-3.0-or-later
// The program `lodge` under test, on libvirt's test driver with a frozen clock, with settings, logs,
// drafts and revisions in a home of each test's own.
#pragma once

#include "tests/screens/harness.h"

/// The home of the test that runs.
extern char *lodge_home;

/// A test's setup and teardown.
int lodge_make_home(void **state);
int lodge_remove_home(void **state);
/// Every test finds the program as on its first day.
#define IN_A_HOME(test) cmocka_unit_test_setup_teardown(test, lodge_make_home, lodge_remove_home)

/// The test driver's URI for a file of tests/screens. The caller frees.
char *lodge_host(const char *file);

struct lodge_options {
	const char *uri;
	const char *const *words; // after --uri; NULL-terminated; may be NULL
	int width, height;	  // 0: 80×24
	const char *term, *locale; // as struct harness_options has them
	const char *language;	  // "de"; NULL: English
	const char *editor;	  // $VISUAL; NULL: "false"
	const char *folder;	  // where it is started; NULL: here
};

struct harness *lodge_start(const struct lodge_options *options);
/// The console's F9, and its good end.
void lodge_quit(struct harness *h);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Measuring what the backends are worth on this host. A KVM without hardware behind it (nested
 * emulation, as some cloud hosts have it) works but can be slower than the software CPU; callers
 * choose by these figures.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct probe_result {
	const char *name; /* "kvm", "soft" */
	bool works;
	char *error;           /* why it does not work: a sentence, or NULL; owned */
	uint64_t instructions; /* a second, in a loop of integer arithmetic and memory accesses */
	uint64_t exits;        /* a second, of writes to a port that nobody has */
	uint64_t open_ns;      /* from opening the backend to a vCPU that can run */
};

/* Measures the backend of vcpu_backends[index], for about a fifth of a second; false past the
 * last one. probe_result_clear() afterwards. */
bool probe_backend(unsigned index, struct probe_result *result);
void probe_result_clear(struct probe_result *result);

/* All backends as JSON text with a line feed at its end; free with g_free(). */
char *probe_json(void);

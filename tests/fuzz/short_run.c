// SPDX-License-Identifier: GPL-3.0-or-later
// A short run of a fuzz target with random inputs, for `make check` where libFuzzer is not at hand.
// The seed is printed; LODGE_SEED repeats a run, LODGE_INPUTS sets the number of inputs.
#include "config.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef INPUTS
#define INPUTS 8000u
#endif
#define INPUT_MAX 600u
#define TIMEOUT_S 600 // a target that hangs ends by SIGALRM

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = g_getenv(name);

	return text ? g_ascii_strtoull(text, NULL, 0) : otherwise;
}

static void test_random_inputs(void **state)
{
	uint32_t seed = from_environment("LODGE_SEED", (uint64_t)time(NULL));
	unsigned inputs = from_environment("LODGE_INPUTS", INPUTS);
	g_autoptr(GRand) random = g_rand_new_with_seed(seed);
	uint8_t data[INPUT_MAX];

	print_message("LODGE_SEED=%u, %u inputs\n", seed, inputs);
	alarm(TIMEOUT_S);
	for (unsigned i = 0; i < inputs; i++) {
		size_t size = g_rand_int_range(random, 0, INPUT_MAX);

		for (size_t at = 0; at < size; at++)
			data[at] = g_rand_int(random) >> 24;
		LLVMFuzzerTestOneInput(data, size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_inputs),
	};

	return cmocka_run_group_tests_name("short fuzz run", tests, NULL, NULL);
}

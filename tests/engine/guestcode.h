// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Guest code written as assembly in a test: GUEST(name, "instructions") makes the bytes from name
 * to name_end, position-independent of the test. "ud2" must be their last resort.
 */
#pragma once

#include <stdint.h>

#define GUEST(name, text) \
	extern const uint8_t name[], name##_end[] __attribute__((visibility("hidden"))); \
	__asm__(".pushsection .rodata\n" #name ":\n" text "\n" #name "_end:\n.code64\n.popsection\n")

/* Ends the run of processor 0 with AL. */
#define GUEST_EXIT "out %al, $0xf4\n"

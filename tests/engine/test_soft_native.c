// SPDX-License-Identifier: GPL-3.0-or-later
// The differential test: generated code runs on the software CPU and on this processor, and must end
// with the same registers, flags, memory and exception. The seed is printed; LODGE_SEED repeats a
// run, LODGE_CASES sets the cases for each row of the decoder's tables.
#include "config.h"

#include "engine/vmm/cpu/soft/simd.h"
#include "tests/engine/gencode.h"
#include "tests/engine/native.h"
#include "tests/engine/softbox.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#ifdef LODGE_SANITIZED
#define CASES_PER_ROW 60u
#else
#define CASES_PER_ROW 400u
#endif
#define FAILURES_SHOWN 20u

static const char *const group_names[SOFT_GROUPS] = {
	"alu", "incdec", "shift", "double shift", "muldiv", "bit", "scan", "mov", "extend", "lea", "xchg",
	"cmpxchg", "stack", "branch", "call", "setcc", "cmov", "string", "flag", "bcd", "crc", "nop",
	"system", "io", "x87", "mmx", "sse", "sse2", "sse3", "ssse3", "sse41", "sse42", "aes", "pclmul",
	"fxsr"};

struct harness {
	uint8_t data[NATIVE_DATA_SIZE];
	struct native *native;
	struct softbox *box;
	struct gencode gen;
	struct gencode_case info[NATIVE_BATCH];
	unsigned cases, failures, faults;
	unsigned group_done[SOFT_GROUPS]; // first instructions that ran to their end
	unsigned *row_done;
	uint64_t seed;
};

static void fill_data(struct harness *harness)
{
	struct gencode *gen = &harness->gen;

	for (unsigned i = 0; i + 8 <= NATIVE_DATA_SIZE; i += 8) {
		uint64_t value = gencode_random(gen);

		if (value % 5 == 0) // some stack words lead into the code page
			value = GENCODE_LANDING + (value >> 32) % GENCODE_LANDING_SIZE;
		else if (value % 5 == 1)
			value = (value >> 40) << 48 | 0x3ff0; // small or middling as numbers of any kind
		memcpy(harness->data + i, &value, sizeof(value));
	}
}

static int setup(void **state)
{
	struct harness *harness = g_new0(struct harness, 1);
	const char *seed = g_getenv("LODGE_SEED");

	harness->seed = seed ? g_ascii_strtoull(seed, NULL, 0) : (uint64_t)time(NULL) * 1000003;
	harness->gen.state = harness->seed;
	print_message("LODGE_SEED=%#" G_GINT64_MODIFIER "x\n", harness->seed);
	fill_data(harness);
	harness->native = native_new(harness->data);
	harness->box = softbox_new(harness->data);
	harness->row_done = g_new0(unsigned, soft_opcodes());
	*state = harness;
	return 0;
}

static int teardown(void **state)
{
	struct harness *harness = *state;

	native_free(harness->native);
	softbox_free(harness->box);
	g_free(harness->row_done);
	g_free(harness);
	return 0;
}

static void print_case(const struct native_case *test, const struct gencode_case *info)
{
	for (unsigned i = 0; i < info->count; i++) {
		unsigned end = i + 1 < info->count ? info->offset[i + 1] : test->length;

		print_message("  %#" G_GINT64_MODIFIER "x %s:", test->in.rip + info->offset[i],
			soft_opcode_at(info->row[i])->name);
		for (unsigned j = info->offset[i]; j < end; j++)
			print_message(" %02x", test->code[j]);
		print_message("\n");
	}
}

static void print_end(const char *who, const struct native_case *test)
{
	print_message("  %s ended at %#" G_GINT64_MODIFIER "x by vector %u, error code %#x, cr2 %#"
		G_GINT64_MODIFIER "x\n", who, test->out.rip, test->vector, test->error, test->cr2);
}

// Reports a difference; true where there is one.
static bool differs(GString *report, const char *what, uint64_t native, uint64_t soft)
{
	if (native != soft)
		g_string_append_printf(report,
			"  %s: native %#" G_GINT64_MODIFIER "x, soft %#" G_GINT64_MODIFIER "x\n", what, native,
			soft);
	return native != soft;
}

static void compare_bytes(GString *report, const char *what, const uint8_t *native,
	const uint8_t *soft, unsigned length)
{
	for (unsigned i = 0; i < length; i++) {
		if (native[i] == soft[i])
			continue;
		g_string_append_printf(report, "  %s + %#x: native", what, i);
		for (unsigned j = i; j < MIN(length, i + 16); j++)
			g_string_append_printf(report, " %02x", native[j]);
		g_string_append(report, ", soft");
		for (unsigned j = i; j < MIN(length, i + 16); j++)
			g_string_append_printf(report, " %02x", soft[j]);
		g_string_append(report, "\n");
		return;
	}
}

static void compare_fp(GString *report, const struct soft_fx_image *native,
	const struct soft_fx_image *soft)
{
	char what[16];

	differs(report, "fcw", native->fcw, soft->fcw);
	differs(report, "fsw", native->fsw, soft->fsw);
	differs(report, "ftw", native->ftw, soft->ftw);
	differs(report, "mxcsr", native->mxcsr & SOFT_MXCSR_MASK, soft->mxcsr);
	for (unsigned i = 0; i < 8; i++) {
		snprintf(what, sizeof(what), "st%u", i);
		compare_bytes(report, what, native->st[i], soft->st[i], 10);
	}
	for (unsigned i = 0; i < 16; i++) {
		snprintf(what, sizeof(what), "xmm%u", i);
		compare_bytes(report, what, native->xmm[i], soft->xmm[i], 16);
	}
}

static const struct soft_opcode *faulting_row(const struct native_case *native,
	const struct gencode_case *info)
{
	for (unsigned i = 0; i < info->count && native->vector != SOFT_BP; i++)
		if (native->out.rip == native->in.rip + info->offset[i])
			return soft_opcode_at(info->row[i]);
	return NULL;
}

static bool is_ours(uint64_t linear)
{
	return linear - NATIVE_CODE < NATIVE_PAGE ||
		   linear - NATIVE_DATA < 2 * NATIVE_PAGE + NATIVE_DATA_SIZE;
}

static void compare_exception(GString *report, const struct native_case *native,
	const struct native_case *soft, const struct gencode_case *info)
{
	bool coded = native->vector == soft->vector &&
				 (native->vector == 8 || (native->vector >= 10 && native->vector <= 14));
	const struct soft_opcode *row = faulting_row(native, info);
	// The x87 environments and FXRSTOR's image are read in any order.
	bool any_order = row && (row->group == SOFT_G_X87 || row->group == SOFT_G_FXSR);
	uint32_t error = UINT32_MAX;

	// Whether a page outside of the case's is not there or not for it is each side's own affair.
	if (native->vector == SOFT_PF_FAULT && !is_ours(native->cr2))
		error &= ~1u;

	differs(report, "vector", native->vector, soft->vector);
	differs(report, "rip", native->out.rip, soft->out.rip);
	if (coded)
		differs(report, "error code", native->error & error, soft->error & error);
	if (coded && native->vector == SOFT_PF_FAULT &&
		!(any_order && soft->cr2 + 512 - native->cr2 < 1024))
		differs(report, "cr2", native->cr2, soft->cr2);
}

// Which of two bad addresses an instruction trips over first is the processor's own affair.
static bool either_fault(const struct native_case *native, const struct native_case *soft,
	const struct gencode_case *info)
{
	const struct soft_opcode *row = faulting_row(native, info);

	if (!row || soft->out.rip != native->out.rip || soft->vector < SOFT_SS_FAULT ||
		soft->vector > SOFT_PF_FAULT || native->vector < SOFT_SS_FAULT ||
		native->vector > SOFT_PF_FAULT)
		return false;
	return row->flags & (SOFT_STACK | SOFT_STRING) || row->group == SOFT_G_CALL ||
		   row->group == SOFT_G_X87 || row->group == SOFT_G_FXSR;
}

// Processors may leave words of a faulted ENTER, PUSHA or CALL below the stack pointer; we do not.
static bool may_have_pushed(const struct native_case *native, const struct gencode_case *info)
{
	const struct soft_opcode *row = faulting_row(native, info);

	return row && row->flags & SOFT_STACK;
}

// Processors may have loaded some registers of a faulted POPA; we load all or none.
static bool may_have_popped(const struct native_case *native, const struct gencode_case *info)
{
	const struct soft_opcode *row = faulting_row(native, info);

	return row && strcmp(row->name, "popa") == 0;
}

static void compare_registers(GString *report, const struct native_case *native,
	const struct native_case *soft)
{
	static const char *const names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8",
		"r9", "r10", "r11", "r12", "r13", "r14", "r15"};
	uint64_t mask = native->compat ? UINT32_MAX : UINT64_MAX;

	for (unsigned i = 0; i < (native->compat ? 8 : 16); i++)
		differs(report, names[i], native->out.gpr[i] & mask, soft->out.gpr[i] & mask);
}

// What differs, as text; empty where nothing does.
static GString *compare(const struct native_case *native, const struct native_case *soft,
	const struct gencode_case *info)
{
	uint64_t flags = (SOFT_ARITHMETIC | SOFT_DF | SOFT_TF | SOFT_NT | SOFT_ID) & ~info->undefined;
	GString *report = g_string_new(NULL);

	if (!either_fault(native, soft, info))
		compare_exception(report, native, soft, info);
	if (!may_have_popped(native, info))
		compare_registers(report, native, soft);
	differs(report, "rflags", native->out.rflags & flags, soft->out.rflags & flags);
	compare_fp(report, &native->out.fx, &soft->out.fx);
	if (!may_have_pushed(native, info))
		compare_bytes(report, "data", native->data, soft->data, NATIVE_DATA_SIZE);
	return report;
}

static void check_case(struct harness *harness, struct native_case *native,
	const struct gencode_case *info)
{
	static struct native_case soft;
	GString *report;

	soft = *native;
	softbox_run(harness->box, &soft);
	report = compare(native, &soft, info);
	harness->cases++;
	harness->faults += native->vector != SOFT_BP;
	// A fault elsewhere than at the first instruction means that this ran.
	if (native->vector == SOFT_BP || native->out.rip != native->in.rip) {
		harness->group_done[soft_opcode_at(info->row[0])->group]++;
		harness->row_done[info->row[0]]++;
	}
	if (report->len && harness->failures++ < FAILURES_SHOWN) {
		print_message("Differs (%s code):\n", native->compat ? "32-bit" : "64-bit");
		print_case(native, info);
		print_end("native", native);
		print_end("soft", &soft);
		print_message("%s", report->str);
	}
	g_string_free(report, TRUE);
}

static void run_batch(struct harness *harness, unsigned count)
{
	if (!count)
		return;
	native_run(harness->native, count);
	for (unsigned i = 0; i < count; i++)
		check_case(harness, &native_cases(harness->native)[i], &harness->info[i]);
}

static unsigned cases_per_row(void)
{
	const char *cases = g_getenv("LODGE_CASES");

	return cases ? g_ascii_strtoull(cases, NULL, 0) : CASES_PER_ROW;
}

// Every row, `cases` times, alone and followed by others.
static void run_rows(struct harness *harness, bool compat, unsigned cases)
{
	struct native_case *batch = native_cases(harness->native);
	unsigned filled = 0;

	for (unsigned row = 0; row < soft_opcodes(); row++) {
		const struct soft_opcode *opcode = soft_opcode_at(row);

		if (!gencode_can_test(opcode) || !soft_simd_supported(opcode->group))
			continue;
		for (unsigned i = 0; i < cases; i++) {
			unsigned length = i % 4 == 3 ? GENCODE_MAX : 1;

			batch[filled].compat = compat;
			if (gencode_make(&harness->gen, row, length, &batch[filled], &harness->info[filled]))
				filled++;
			if (filled == NATIVE_BATCH) {
				run_batch(harness, filled);
				filled = 0;
			}
		}
	}
	run_batch(harness, filled);
}

static void test_long64(void **state)
{
	struct harness *harness = *state;

	soft_stubs_handle_sigfpe();
	run_rows(harness, false, cases_per_row());
	assert_int_equal(harness->failures, 0);
}

static void test_compat(void **state)
{
	struct harness *harness = *state;

	if (!native_has_compat(harness->native)) {
		print_message("Skipped: this kernel runs no 32-bit code.\n");
		skip();
	}
	soft_stubs_handle_sigfpe();
	run_rows(harness, true, cases_per_row() / 2);
	assert_int_equal(harness->failures, 0);
}

// More cases of a row that only ever faulted so far, as few do by chance.
static void insist_on_row(struct harness *harness, unsigned row)
{
	struct native_case *batch = native_cases(harness->native);
	bool compat = soft_opcode_at(row)->flags & SOFT_NO64;
	unsigned filled = 0;

	for (unsigned i = 0; i < 20 * NATIVE_BATCH && !harness->row_done[row]; i++) {
		batch[filled].compat = compat;
		if (gencode_make(&harness->gen, row, 1, &batch[filled], &harness->info[filled]))
			filled++;
		if (filled == NATIVE_BATCH) {
			run_batch(harness, filled);
			filled = 0;
		}
	}
}

// Every group that can be tested was, and every row ran to its end at least once.
static void test_coverage(void **state)
{
	struct harness *harness = *state;
	bool compat = native_has_compat(harness->native);
	unsigned missing = 0;

	soft_stubs_handle_sigfpe();
	print_message("%u cases, %u of them ended by a fault\n", harness->cases, harness->faults);
	for (unsigned row = 0; row < soft_opcodes(); row++) {
		const struct soft_opcode *opcode = soft_opcode_at(row);

		if (!gencode_can_test(opcode) || !soft_simd_supported(opcode->group))
			continue;
		if (opcode->flags & SOFT_NO64 && !compat)
			continue;
		insist_on_row(harness, row);
		if (harness->row_done[row])
			continue;
		print_message("Never ran: %s (%02x)\n", opcode->name, opcode->opcode);
		missing++;
	}
	for (unsigned group = 0; group < SOFT_GROUPS; group++)
		if (harness->group_done[group])
			print_message("%s %u%s", group_names[group], harness->group_done[group],
				group + 1 < SOFT_GROUPS ? ", " : "\n");
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long64),
		cmocka_unit_test(test_compat),
		cmocka_unit_test(test_coverage),
	};

	return cmocka_run_group_tests_name("soft against native", tests, setup, teardown);
}

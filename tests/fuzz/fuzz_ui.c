// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzes what takes bytes from terminals and people: the key decoder, text and numbers with units.
//
// Input: one byte that says where to cut the rest in two (a slow line), then the bytes.
#include "config.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "ui/key.h"
#include "ui/number.h"
#include "ui/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void drain(struct ui_decoder *d)
{
	struct ui_input in;

	while (ui_decoder_next(d, &in)) {
		g_assert(in.key != UIK_NONE);
		if (in.key == UIK_MOUSE)
			g_assert(in.mouse.x >= 0 && in.mouse.y >= 0);
	}
}

static void fuzz_keys(const uint8_t *data, size_t size, size_t cut)
{
	struct ui_decoder *d = ui_decoder_new(false);

	ui_decoder_feed(d, data, cut);
	drain(d);
	ui_decoder_feed(d, data + cut, size - cut);
	drain(d);
	for (int i = 0; i < 10; i++) { // whatever is open ends some time
		ui_decoder_timeout(d);
		drain(d);
	}
	g_assert(!ui_decoder_pending(d));
	ui_decoder_free(d);
}

static void fuzz_text(const char *text, int cells)
{
	g_autofree char *clean = text_clean(text, true), *line = text_clean(text, false);
	g_autofree char *cut = text_ellipsis(line, cells),
			*fit = text_fit(line, cells, TEXT_CENTRE);
	g_auto(GStrv) lines = text_wrap(text, cells);

	g_assert(g_utf8_validate(clean, -1, NULL) && g_utf8_validate(fit, -1, NULL));
	g_assert(!strchr(line, '\n') && !strchr(line, '\033'));
	g_assert(text_width(cut) <= cells);
	g_assert(text_width(fit) == cells);
	for (char **l = lines; *l; l++)
		g_assert(text_width(*l) <=
			 MAX(cells, 2)); // a wide character goes into no single cell
}

static void fuzz_number(const char *text)
{
	static const struct number_kind *const kinds[] = {
		&NUMBER_BYTES, &NUMBER_RATE, &NUMBER_PERCENT, &NUMBER_COUNT, &NUMBER_SECONDS};

	for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
		g_autofree char *shown = NULL;
		gint64 value, again;

		if (!number_parse(kinds[k], text, &value, NULL))
			continue;
		shown = number_format(kinds[k], value);
		g_assert(value >= 0 && number_parse(kinds[k], shown, &again, NULL) &&
			 again == value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = NULL;

	if (size < 1)
		return 0;
	text = g_strndup((const char *)data + 1, size - 1);
	fuzz_keys(data + 1, size - 1, data[0] % size);
	fuzz_text(text, data[0] % 80);
	fuzz_number(text);
	return 0;
}

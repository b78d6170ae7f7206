// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/paint.h"
#include "ui/logview.h"
#include "ui/textview.h"
#include "ui/xmlcolour.h"

static enum ui_result key(struct textview *tv, uint32_t k)
{
	return WIDGET(tv)->ops->key(WIDGET(tv), k);
}

/* One letter per byte for what it was taken for. */
static enum xml_state parts_of(const char *line, enum xml_state from, char *letters)
{
	guint8 parts[128];
	enum xml_state state = xmlcolour_line(line, from, parts);
	size_t i;

	for (i = 0; line[i]; i++)
		letters[i] = "t<navc"[parts[i]];
	letters[i] = '\0';
	return state;
}

static void xml_is_told_apart(void **state)
{
	char letters[128];

	assert_int_equal(
		parts_of("<cpu mode='host'>x</cpu>", XML_STATE_TEXT, letters), XML_STATE_TEXT);
	assert_string_equal(letters, "<nnn<aaaa<vvvvvv<t<<nnn<");
	assert_int_equal(parts_of("a <!-- b", XML_STATE_TEXT, letters), XML_STATE_COMMENT);
	assert_string_equal(letters, "ttcccccc");
	assert_int_equal(parts_of("c --> <a", XML_STATE_COMMENT, letters), XML_STATE_TAG);
	assert_string_equal(letters, "ccccct<n");
	assert_int_equal(parts_of("x=\"1", XML_STATE_TAG, letters), XML_STATE_DOUBLE);
	assert_string_equal(letters, "a<vv");
	assert_int_equal(parts_of("<![CDATA[<b>]]>t", XML_STATE_TEXT, letters), XML_STATE_TEXT);
	assert_string_equal(letters, "ccccccccccccccct");
}

static void xml_takes_any_bytes(void **state)
{
	guint32 seed = 1;

	for (int round = 0; round < 2000; round++) {
		char line[64];
		guint8 parts[64];

		for (int i = 0; i < 63; i++) {
			seed = seed * 1103515245 + 12345;
			line[i] = "<>/='\"!-[]abc &;?\xff"[(seed >> 16) % 18];
		}
		line[63] = '\0';
		for (enum xml_state s = XML_STATE_TEXT; s <= XML_STATE_CDATA; s++) {
			memset(parts, 0xee, sizeof(parts));
			assert_in_range(
				xmlcolour_line(line, s, parts), XML_STATE_TEXT, XML_STATE_CDATA);
			for (size_t i = 0; i < 63; i++)
				assert_in_range(parts[i], XML_PART_TEXT, XML_PART_COMMENT);
		}
	}
}

static void shows_and_scrolls(void **state)
{
	struct textview *tv = textview_new(TEXTVIEW_PLAIN);

	textview_set_text(tv, "one\ntwo\nthree\nfour\n");
	assert_int_equal(textview_lines(tv), 4);
	paint(WIDGET(tv), 20, 2);
	assert_line(0, "one");
	assert_int_equal(key(tv, UIK_END), UI_HANDLED);
	paint(WIDGET(tv), 20, 2);
	assert_line(1, "four");
	assert_int_equal(textview_top(tv), 2);
	key(tv, UIK_HOME);
	assert_int_equal(textview_top(tv), 0);
	key(tv, UIK_UP);
	assert_int_equal(textview_top(tv), 0);
	widget_free(WIDGET(tv));
}

static void colours_xml(void **state)
{
	struct textview *tv = textview_new(TEXTVIEW_XML);

	textview_set_text(tv, "<cpu mode='host'>\n  text\n</cpu>");
	paint(WIDGET(tv), 30, 3);
	assert_line(0, "<cpu mode='host'>");
	assert_int_equal(painted_style(1, 0), STYLE_SYNTAX_NAME);
	assert_int_equal(painted_style(5, 0), STYLE_SYNTAX_ATTR);
	assert_int_equal(painted_style(11, 0), STYLE_SYNTAX_VALUE);
	assert_int_equal(painted_style(3, 1), STYLE_TEXT);
	key(tv, UIK_RIGHT);
	paint(WIDGET(tv), 30, 3);
	assert_line(0, "e='host'>");
	widget_free(WIDGET(tv));
}

static void searches(void **state)
{
	struct textview *tv = textview_new(TEXTVIEW_PLAIN);

	textview_set_text(tv, "alpha\nbeta\ngamma\nBETA two\nend");
	paint(WIDGET(tv), 20, 3);
	assert_int_equal(key(tv, '/'), UI_CHANGED);
	for (const char *c = "beta"; *c; c++)
		assert_int_equal(key(tv, (uint32_t)*c), UI_CHANGED);
	assert_int_equal(textview_hit(tv), 1);
	paint(WIDGET(tv), 20, 3);
	assert_line(2, "/beta");
	key(tv, UIK_ENTER);
	assert_int_equal(key(tv, 'n'), UI_CHANGED);
	assert_int_equal(textview_hit(tv), 3);
	paint(WIDGET(tv), 20, 3);
	assert_int_equal(painted_style(0, 3 - textview_top(tv)), STYLE_MATCH);
	key(tv, 'n');
	assert_int_equal(textview_hit(tv), 1);
	key(tv, 'N');
	assert_int_equal(textview_hit(tv), 3);
	assert_false(textview_search(tv, "nothing"));
	assert_int_equal(textview_hit(tv), -1);
	widget_free(WIDGET(tv));
}

static void appends_and_follows(void **state)
{
	struct textview *tv = textview_new(TEXTVIEW_PLAIN);

	textview_set_text(tv, "a");
	paint(WIDGET(tv), 20, 2);
	textview_append(tv, "b\nc\nd\n");
	paint(WIDGET(tv), 20, 2);
	assert_int_equal(textview_lines(tv), 4);
	assert_line(0, "d                  ▲");
	widget_free(WIDGET(tv));
}

static void bad_bytes_are_cleaned(void **state)
{
	struct textview *tv = textview_new(TEXTVIEW_PLAIN);

	textview_set_text(tv, "a\x1b[31mb\xff");
	paint(WIDGET(tv), 20, 2);
	assert_line(0, "a?[31mb?");
	widget_free(WIDGET(tv));
}

static void the_log_follows_until_held(void **state)
{
	struct logview *lv = logview_new("empty");

	paint(WIDGET(lv), 40, 2);
	assert_line(0, " empty");
	logview_add(lv, "12:00:00", LOGVIEW_INFO, "first", NULL);
	logview_add(lv, "12:00:01", LOGVIEW_ERROR, "second", "why");
	assert_true(logview_follows(lv));
	assert_string_equal(logview_details(lv), "why");
	paint(WIDGET(lv), 40, 2);
	assert_line(0, "  12:00:00 info    first");
	assert_line(1, "▸ 12:00:01 error   second             …");
	assert_int_equal(painted_style(11, 0), STYLE_TEXT);
	assert_int_equal(WIDGET(lv)->ops->key(WIDGET(lv), UIK_UP), UI_MOVED);
	logview_add(lv, "12:00:02", LOGVIEW_WARNING, "third", NULL);
	assert_false(logview_follows(lv));
	assert_string_equal(logview_text(lv), "first");
	WIDGET(lv)->ops->key(WIDGET(lv), UIK_END);
	assert_true(logview_follows(lv));
	widget_free(WIDGET(lv));
}

static void the_log_forgets_the_oldest(void **state)
{
	struct logview *lv = logview_new(NULL);

	for (int i = 0; i < LOGVIEW_MOST + 10; i++) {
		g_autofree char *text = g_strdup_printf("line %d", i);

		logview_add(lv, "12:00:00", LOGVIEW_INFO, text, NULL);
	}
	assert_int_equal(logview_count(lv), LOGVIEW_MOST);
	assert_string_equal(logview_text(lv), "line 2009");
	widget_free(WIDGET(lv));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xml_is_told_apart),
		cmocka_unit_test(xml_takes_any_bytes),
		cmocka_unit_test(shows_and_scrolls),
		cmocka_unit_test(colours_xml),
		cmocka_unit_test(searches),
		cmocka_unit_test(appends_and_follows),
		cmocka_unit_test(bad_bytes_are_cleaned),
		cmocka_unit_test(the_log_follows_until_held),
		cmocka_unit_test(the_log_forgets_the_oldest),
	};

	return paint_run(tests);
}

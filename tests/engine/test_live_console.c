// SPDX-License-Identifier: GPL-3.0-or-later
/* Consoles of a running guest: many who look, one who writes, a log, the last 64 KiB. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "tests/engine/livebox.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct livebox *box;
static char *directory, *log_path;

static int prepare(void **state)
{
	g_autofree char *devices = NULL;

	directory = g_dir_make_tmp("lodge-consoles-XXXXXX", NULL);
	log_path = g_build_filename(directory, "log", NULL);
	assert_true(g_file_set_contents(log_path, "before\n", -1, NULL));
	devices = g_strdup_printf("<console type='null'><log file='%s' append='on'/>"
				  "<target type='virtio'/></console>",
		log_path);
	box = livebox_new(&(struct livebox_config){
		.sandbox = true,
		.name = "consoles",
		.memory = 128,
		.devices = devices,
	});
	g_free(livebox_shell(box, "modprobe virtio_console"));
	livebox_shell_until(box, "test -c /dev/hvc0 && echo there", "there");
	return 0;
}

static int clean(void **state)
{
	livebox_free(box);
	g_unlink(log_path);
	g_rmdir(directory);
	g_free(log_path);
	g_free(directory);
	return 0;
}

/* One who looks. */
struct viewer {
	int fd;
	GString *text;
	bool closed;
};

static bool attach(struct viewer *viewer, const char *console, const char *more, char **sentence)
{
	g_autofree char *request = g_strdup_printf(
		"{\"do\": \"attach-console\", \"console\": \"%s\"%s}", console, more);
	g_autoptr(JsonObject) answer = NULL;
	int pair[2];
	bool worked;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	answer = liveclient_answer(box->control,
		liveclient_ask_fds(box->control, request, &pair[1], 1));
	close(pair[1]);
	worked = !json_object_has_member(answer, "error");
	if (sentence)
		*sentence = worked ? NULL
				   : g_strdup(json_object_get_string_member(answer, "error"));
	*viewer = (struct viewer){ .fd = pair[0], .text = g_string_new(NULL) };
	return worked;
}

static void detach(struct viewer *viewer)
{
	close(viewer->fd);
	g_string_free(viewer->text, TRUE);
}

static void read_some(struct viewer *viewer)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(viewer->fd, bytes, sizeof(bytes))) > 0)
		g_string_append_len(viewer->text, bytes, n);
	if (n == 0 || errno != EAGAIN)
		viewer->closed = true;
}

/* Waits until the viewer has got the text, or its connection has been closed. */
static bool got(struct viewer *viewer, const char *text)
{
	gint64 end = g_get_monotonic_time() + LIVEBOX_DEADLINE_S * G_USEC_PER_SEC;

	while (g_get_monotonic_time() < end) {
		read_some(viewer);
		if (strstr(viewer->text->str, text))
			return true;
		if (viewer->closed)
			return false;
		livebox_pump(box, 20);
	}
	fail_msg("'%s' did not come", text);
	return false;
}

static void send_text(struct viewer *viewer, const char *text)
{
	assert_int_equal(write(viewer->fd, text, strlen(text)), strlen(text));
}

static long number_of(const char *console, const char *member)
{
	g_autoptr(JsonObject) answer = livebox_get(box, "{\"do\": \"consoles\"}");
	JsonArray *list = json_object_get_array_member(answer, "consoles");

	for (unsigned i = 0; i < json_array_get_length(list); i++) {
		JsonObject *object = json_array_get_object_element(list, i);

		if (strcmp(json_object_get_string_member(object, "console"), console) == 0)
			return strcmp(member, "writer") == 0
				? json_object_get_boolean_member(object, member)
				: json_object_get_int_member(object, member);
	}
	fail_msg("there is no console %s", console);
	return -1;
}

/* Those that have left are seen to in their time. */
static void wait_number(const char *console, const char *member, long expected)
{
	gint64 end = g_get_monotonic_time() + LIVEBOX_DEADLINE_S * G_USEC_PER_SEC;

	while (number_of(console, member) != expected) {
		assert_true(g_get_monotonic_time() < end);
		livebox_pump(box, 20);
	}
}

static void who_comes_late_gets_what_was_written(void **state)
{
	struct viewer viewer;

	/* The serial port is the test's own terminal at the same time. */
	g_free(livebox_shell(box, "echo ear''ly"));
	assert_true(attach(&viewer, "serial0", "", NULL));
	assert_true(got(&viewer, "early"));
	assert_true(got(&viewer, "Linux version"));
	g_free(livebox_shell(box, "echo la''ter"));
	assert_true(got(&viewer, "later"));
	assert_int_equal(number_of("serial0", "readers"), 1);
	assert_int_equal(number_of("serial0", "writer"), 0);
	/* It only reads. */
	send_text(&viewer, "echo un''heard >/tmp/unheard\n");
	g_free(livebox_shell(box, "echo a''gain"));
	assert_true(got(&viewer, "again"));
	assert_int_equal(livebox_try_shell(box, NULL, "test -e /tmp/unheard"), 1);
	detach(&viewer);
	wait_number("serial0", "readers", 0);
}

static void only_the_last_64_kib_are_kept(void **state)
{
	struct viewer viewer;

	g_free(livebox_shell(box, "echo fir''st >/dev/hvc0; "
				  "awk 'BEGIN { for (i = 1; i <= 9000; i++) printf \"line %%07d\\n\", i }' "
				  ">/dev/hvc0; echo e''nd >/dev/hvc0"));
	assert_true(attach(&viewer, "virtio0", "", NULL));
	assert_true(got(&viewer, "end"));
	assert_null(strstr(viewer.text->str, "first"));
	assert_true(viewer.text->len <= 65536);
	assert_true(viewer.text->len > 60000);
	detach(&viewer);
}

static void one_writes_and_is_replaced_by_force(void **state)
{
	struct viewer first, second;
	g_autofree char *sentence = NULL;

	g_free(livebox_shell(box, "stty -F /dev/hvc0 -echo; (while read line </dev/hvc0; do "
				  "echo \"heard $line\" >/dev/hvc0; done) >/dev/null 2>&1 &"));
	assert_true(attach(&first, "virtio0", ", \"write\": true", NULL));
	send_text(&first, "one\n");
	assert_true(got(&first, "heard one"));
	assert_int_equal(number_of("virtio0", "writer"), 1);
	assert_false(attach(&second, "virtio0", ", \"write\": true", &sentence));
	assert_non_null(strstr(sentence, "force"));
	detach(&second);
	assert_true(attach(&second, "virtio0", ", \"write\": true, \"force\": true", NULL));
	send_text(&first, "not me\n");
	send_text(&second, "two\n");
	assert_true(got(&second, "heard two"));
	assert_true(got(&first, "heard two"));
	assert_null(strstr(second.text->str, "not me"));
	detach(&second);
	wait_number("virtio0", "writer", 0);
	detach(&first);
}

static void a_slow_reader_costs_others_nothing(void **state)
{
	struct viewer slow, quick;

	assert_true(attach(&slow, "virtio0", "", NULL));
	assert_true(attach(&quick, "virtio0", "", NULL));
	for (int i = 0; i < 10; i++) {
		g_autofree char *mark = g_strdup_printf("mark %d.", i);

		g_free(livebox_shell(box, "awk 'BEGIN { for (i = 1; i <= 3000; i++) "
					  "printf \"many lines %%09d\\n\", i }' >/dev/hvc0; "
					  "echo %s >/dev/hvc0", mark));
		assert_true(got(&quick, mark));
	}
	/* That is far too much to keep for it: it is dropped, at a whole piece of what it had got before. */
	assert_false(got(&slow, "mark 9."));
	assert_true(slow.closed);
	/* The quick one has missed no line. */
	for (int i = 1; i <= 3000; i += 777) {
		g_autofree char *line = g_strdup_printf("many lines %09d", i);

		assert_non_null(strstr(quick.text->str, line));
	}
	wait_number("virtio0", "readers", 1);
	detach(&slow);
	detach(&quick);
}

static void the_log_has_it_all(void **state)
{
	g_autofree char *text = NULL;
	gsize length;

	g_free(livebox_shell(box, "echo log''ged >/dev/hvc0"));
	for (int i = 0; !text || !strstr(text, "logged"); i++) {
		assert_true(i < LIVEBOX_DEADLINE_S * 20);
		g_free(text);
		assert_true(g_file_get_contents(log_path, &text, &length, NULL));
		livebox_pump(box, 50);
	}
	assert_true(g_str_has_prefix(text, "before\n"));
	assert_non_null(strstr(text, "first"));
	assert_non_null(strstr(text, "heard two"));
}

static void wrong_requests_are_refused(void **state)
{
	struct viewer viewer;
	g_autofree char *sentence = NULL;
	int fds[2];
	g_autoptr(JsonObject) answer = NULL;

	assert_false(attach(&viewer, "virtio7", "", &sentence));
	assert_non_null(strstr(sentence, "no console"));
	detach(&viewer);
	g_free(livebox_refused(box, "{\"do\": \"attach-console\", \"console\": \"serial0\"}"));
	g_free(livebox_refused(box, "{\"do\": \"attach-console\"}"));
	assert_int_equal(pipe(fds), 0);
	answer = liveclient_answer(box->control,
		liveclient_ask_fds(box->control,
			"{\"do\": \"attach-console\", \"console\": \"serial0\"}", &fds[1], 1));
	assert_true(json_object_has_member(answer, "error"));
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_comes_late_gets_what_was_written),
		cmocka_unit_test(only_the_last_64_kib_are_kept),
		cmocka_unit_test(one_writes_and_is_replaced_by_force),
		cmocka_unit_test(a_slow_reader_costs_others_nothing),
		cmocka_unit_test(the_log_has_it_all),
		cmocka_unit_test(wrong_requests_are_refused),
	};

	return cmocka_run_group_tests(tests, prepare, clean);
}

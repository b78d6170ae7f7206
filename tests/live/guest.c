// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/live/guest.h"
#include "tests/screens/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const names[LIVE_GUESTS] = {"alpha", "beta", "gamma"};

static const char usual_definition[] = LIVE_DEFINITION("  <name>@NAME@</name>\n"
						       "  <memory unit='MiB'>192</memory>\n"
						       "  <vcpu>1</vcpu>\n",
	"");

int live_patience(void)
{
	const char *wanted = g_getenv("LODGE_LIVE_PATIENCE");

	return wanted ? (int)g_ascii_strtoll(wanted, NULL, 10) : 240;
}

static const char *build_dir(void)
{
	const char *dir = g_getenv("top_builddir");

	return dir ? dir : ".";
}

bool live_bundled(void)
{
	return !g_strcmp0(g_getenv("LODGE_LIVE_SERVER"), "private-lodged");
}

static const char *source_dir(void)
{
	const char *dir = g_getenv("top_srcdir");

	return dir ? dir : ".";
}

/* Runs a script of the tests: whether it succeeded. Its standard output, without the last newline, and
 * what it complained of; caller frees both. */
static bool try_script(const char *script, const char *verb, const char *dir, char **out, char **err)
{
	g_autofree char *path = g_build_filename(source_dir(), script, NULL);
	char *argv[] = {path, (char *)(verb ? verb : dir), (char *)(verb ? dir : NULL), NULL};
	g_autoptr(GError) error = NULL;
	int status;

	*out = *err = NULL;
	if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, out, err, &status, &error)) {
		*err = g_strdup(error->message);
		return false;
	}
	g_strchomp(*out);
	return g_spawn_check_wait_status(status, NULL);
}

/* The same where failing is the test's failure. Caller frees. */
static char *run_script(const char *script, const char *verb, const char *dir)
{
	g_autofree char *err = NULL;
	char *out;

	if (!try_script(script, verb, dir, &out, &err))
		fail_msg("%s failed:\n%s", script, err);
	return out;
}

static void fill(GString *xml, const char *mark, const char *value)
{
	g_string_replace(xml, mark, value, 0);
}

/* The script that starts and ends the hypervisor: libvirtd's, or what LODGE_LIVE_SERVER says. */
static const char *server_script(void)
{
	return live_bundled() ? "tests/live/private-lodged" : "tests/live/private-libvirtd";
}

static void define_guest(
	struct live *live, unsigned i, const char *guest_dir, const char *definition)
{
	struct live_guest *guest = &live->guest[i];
	g_autoptr(GString) xml = g_string_new(definition);
	g_autofree char *kernel = g_build_filename(guest_dir, "vmlinuz", NULL);
	g_autofree char *initrd = g_build_filename(guest_dir, "initrd", NULL);

	guest->name = names[i];
	guest->said = g_string_new(NULL);
	guest->file = g_strdup_printf("%s/%s.xml", live->dir, guest->name);
	guest->socket = g_strdup_printf("%s/%s.sock", live->dir, guest->name);
	fill(xml, "@NAME@", guest->name);
	fill(xml, "@KERNEL@", kernel);
	fill(xml, "@INITRD@", initrd);
	fill(xml, "@SERIAL@", guest->socket);
	fill(xml, "@DIR@", live->dir);
	assert_true(g_file_set_contents(guest->file, xml->str, -1, NULL));
}

void live_start(struct live **live, const char *definition)
{
	struct live *made = *live = g_new0(struct live, 1);
	g_autofree char *built = g_canonicalize_filename(build_dir(), NULL);
	g_autofree char *guest_dir = g_build_filename(built, "guest", NULL);

	for (unsigned i = 0; i < LIVE_GUESTS; i++)
		made->guest[i].fd = -1;
	g_free(run_script("tests/guest/make-guest", NULL, guest_dir));
	made->dir = g_strdup("/tmp/lodge-live.XXXXXX");
	assert_non_null(g_mkdtemp(made->dir));
	for (unsigned i = 0; i < LIVE_GUESTS; i++)
		define_guest(made, i, guest_dir, definition ? definition : usual_definition);
	live_start_libvirtd(made);
}

void live_start_libvirtd(struct live *live)
{
	g_free(live->uri);
	live->uri = run_script(server_script(), "start", live->dir);
}

void live_kill_libvirtd(struct live *live)
{
	g_free(run_script(server_script(), "kill", live->dir));
}

int live_libvirtd_pid(struct live *live)
{
	g_autofree char *path = g_build_filename(
		live->dir, live_bundled() ? "lodged.pid" : "libvirtd.pid", NULL);
	g_autofree char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL)
		? (int)g_ascii_strtoll(text, NULL, 10)
		: 0;
}

static void guest_clear(struct live_guest *guest)
{
	if (guest->fd >= 0)
		close(guest->fd);
	if (guest->said)
		g_string_free(guest->said, TRUE);
	g_free(guest->file);
	g_free(guest->socket);
}

static void remove_dir(char *dir)
{
	char *argv[] = {"rm", "-rf", dir, NULL};
	g_autofree char *out = NULL, *err = NULL;

	if (!try_script(server_script(), "stop", dir, &out, &err))
		print_message("%s stop: %s\n", server_script(), err);
	g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
}

void live_free(struct live *live)
{
	if (!live)
		return;
	if (live->dir)
		remove_dir(live->dir);
	for (unsigned i = 0; i < LIVE_GUESTS; i++)
		guest_clear(&live->guest[i]);
	g_free(live->uri);
	g_free(live->dir);
	g_free(live);
}

char *live_disk(struct live *live, const char *name, gint64 bytes)
{
	char *path = g_build_filename(live->dir, name, NULL);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	close(fd);
	return path;
}

// ---- the console ------------------------------------------------------------------------------------------

struct harness *live_console(struct live *live, int width, int height, const char *const *env)
{
	g_autofree char *program = harness_program("lodge");
	g_autofree char *state = g_strdup_printf("XDG_STATE_HOME=%s/state", live->dir);
	g_autofree char *config = g_strdup_printf("XDG_CONFIG_HOME=%s/config", live->dir);
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	const char *argv[] = {program, "--uri", live->uri, NULL};
	struct harness *console;

	g_ptr_array_add(all, "LODGE_CLOCK");
	g_ptr_array_add(all, state);
	g_ptr_array_add(all, config);
	for (; env && *env; env++)
		g_ptr_array_add(all, (char *)*env);
	g_ptr_array_add(all, NULL);
	console = harness_start(&(struct harness_options){.argv = argv,
		.env = (const char *const *)all->pdata, .width = width, .height = height});
	harness_expect(console, "F3Add");
	harness_expect(console, live_bundled() ? "lodge 0" : "qemu 0");
	return console;
}

void live_expect(struct harness *console, const char *text)
{
	for (int i = 0; i < LIVE_PATIENCE; i++)
		if (harness_wait(console, text, 1000))
			return;
	harness_expect(console, text);
}

void live_console_starts(struct harness *console, struct live *live, const char *name)
{
	g_autofree char *keys = g_strdup_printf("F3 '%s' Enter", live->guest[0].file);
	g_autofree char *defined = g_strdup_printf("%s is defined.", name);
	g_autofree char *row = g_strdup_printf("▸ %s", name);

	harness_keys(console, keys);
	live_expect(console, defined);
	live_expect(console, row);
	harness_keys(console, "F10");
	live_expect(console, "running");
	live_guest_ready(&live->guest[0], LIVE_PATIENCE);
}

char *live_virsh(struct live *live, const char *words)
{
	g_autofree char *command = g_strdup_printf("virsh -c '%s' %s", live->uri, words);
	char *argv[] = {"/bin/sh", "-c", command, NULL};
	g_autofree char *err = NULL;
	char *out = NULL;
	int status;

	assert_true(g_spawn_sync(
		NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status, NULL));
	if (!g_spawn_check_wait_status(status, NULL))
		fail_msg("%s: %s", command, err);
	return out;
}

void live_console_quits(struct harness *console)
{
	harness_keys(console, "F9");
	assert_int_equal(harness_exit(console), 0);
}

char *live_audit_log(struct live *live)
{
	g_autofree char *path = g_build_filename(live->dir, "state", "lodge", "audit.log", NULL);
	char *log = NULL;

	assert_true(g_file_get_contents(path, &log, NULL, NULL));
	return log;
}

// ---- the serial line -------------------------------------------------------------------------------------

static bool connect_guest(struct live_guest *guest)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (guest->fd >= 0)
		return true;
	g_strlcpy(address.sun_path, guest->socket, sizeof(address.sun_path));
	guest->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(guest->fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
		g_string_truncate(guest->said, 0);
		guest->read = 0;
		return true;
	}
	close(guest->fd);
	guest->fd = -1;
	return false;
}

/* Reads what there is, for at most 200 ms. A guest that went away is connected to again. */
static void listen_to(struct live_guest *guest)
{
	struct pollfd poll_fd = {.events = POLLIN};
	char buffer[4096];
	ssize_t n;

	if (!connect_guest(guest)) {
		g_usleep(100000);
		return;
	}
	poll_fd.fd = guest->fd;
	if (poll(&poll_fd, 1, 200) <= 0)
		return;
	n = read(guest->fd, buffer, sizeof(buffer));
	if (n > 0) {
		g_string_append_len(guest->said, buffer, n);
	} else if (n == 0 || errno != EINTR) {
		close(guest->fd);
		guest->fd = -1;
	}
}

void live_guest_expect(struct live_guest *guest, const char *text, int seconds)
{
	gint64 until = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
	char *found;

	while (!(found = strstr(guest->said->str + MIN(guest->read, guest->said->len), text))) {
		if (g_get_monotonic_time() > until)
			fail_msg("guest %s did not say '%s' within %d s; it said:\n%s", guest->name, text,
				seconds, guest->said->str);
		listen_to(guest);
	}
	guest->read = (gsize)(found - guest->said->str) + strlen(text);
}

void live_guest_say(struct live_guest *guest, const char *line)
{
	g_autofree char *typed = g_strdup_printf("%s\n", line);
	gsize left = strlen(typed);

	if (!connect_guest(guest))
		fail_msg("guest %s has no serial line", guest->name);
	for (char *at = typed; left;) {
		/* A line's buffer in the guest is short: small pieces. */
		ssize_t n = write(guest->fd, at, MIN(left, 16));

		if (n <= 0)
			fail_msg("guest %s does not listen", guest->name);
		at += n;
		left -= (gsize)n;
		g_usleep(5000);
	}
}

void live_guest_ready(struct live_guest *guest, int seconds)
{
	gint64 until = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;

	while (!strstr(guest->said->str + MIN(guest->read, guest->said->len), "he is up")) {
		if (g_get_monotonic_time() > until)
			fail_msg("guest %s did not boot within %d s; it said:\n%s", guest->name, seconds,
				guest->said->str);
		for (int i = 0; i < 5; i++)
			listen_to(guest);
		if (guest->fd >= 0)
			live_guest_say(guest, "echo h\"\"e is up");
	}
	guest->read = guest->said->len;
}

char *live_guest_ask(struct live_guest *guest, const char *command)
{
	static unsigned asked;
	/* The marks are put together by the shell, so that its echo does not hold them. */
	unsigned n = ++asked;
	g_autofree char *line = g_strdup_printf("echo be\"\"gin%u; %s; echo e\"\"nd%u", n, command, n);
	g_autofree char *begin = g_strdup_printf("begin%u", n);
	g_autofree char *end = g_strdup_printf("end%u", n);
	gsize from;
	g_autofree char *text = NULL;
	char *last;

	live_guest_say(guest, line);
	live_guest_expect(guest, begin, LIVE_PATIENCE);
	from = guest->read;
	live_guest_expect(guest, end, LIVE_PATIENCE);
	text = g_strndup(guest->said->str + from, guest->read - strlen(end) - from);
	g_strchomp(g_strdelimit(text, "\r", '\n'));
	last = strrchr(text, '\n');
	return g_strdup(last ? last + 1 : text);
}

double live_guest_number(struct live_guest *guest, const char *command)
{
	g_autofree char *answer = live_guest_ask(guest, command);

	return g_ascii_strtod(answer, NULL);
}

void live_guest_wait_between(
	struct live_guest *guest, const char *command, double least, double most)
{
	gint64 until = g_get_monotonic_time() + LIVE_PATIENCE * G_USEC_PER_SEC;
	double number;

	while ((number = live_guest_number(guest, command)) < least || number > most) {
		if (g_get_monotonic_time() > until)
			fail_msg("'%s' says %g, not from %g to %g", command, number, least, most);
		g_usleep(500000);
	}
}

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a client writes to the control socket: any bytes, in pieces, with descriptors. Each line
 * gets at most one answer, which is JSON, and the monitor goes on.
 *
 * The first byte is what the rest is made of: whatever comes, or requests made of words. A byte
 * 0xff ends a piece, and where the next begins with 0xfe a descriptor goes with it.
 */
#include "config.h"

#include "engine/vmm/control.h"
#include "engine/common/control.h"
#include "tests/engine/savebox.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct control *control;
static struct savebox *box;
static char *path;

static void tear_down(void)
{
	control_free(control);
	savebox_free(box);
	savebox_end();
	g_rmdir(path);
	g_free(path);
}

static void make_machine(void)
{
	savebox_free(box);
	box = savebox_new();
	control_set_machine(control, box->machine);
}

static void set_up(void)
{
	g_autofree char *place = NULL;
	g_autoptr(GError) error = NULL;

	path = g_dir_make_tmp("lodge-control-XXXXXX", NULL);
	place = g_build_filename(path, "socket", NULL);
	control = control_new(place, control_machine_tables, g_main_context_default(), &error);
	if (!control)
		g_error("%s", error->message);
	savebox_begin();
	make_machine();
	atexit(tear_down);
}

static int connect_client(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", path);
	g_assert(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

static void run_loop(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void send_piece(int fd, const uint8_t *data, size_t size)
{
	bool with = size && data[0] == 0xfe;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} ancillary = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec iov = {(uint8_t *)data + with, size - with};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	int null = with ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;

	if (with) {
		memcpy(CMSG_DATA(&ancillary.header), &null, sizeof(null));
		message.msg_control = &ancillary;
		message.msg_controllen = sizeof(ancillary);
	}
	if (iov.iov_len)
		sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (null >= 0)
		close(null);
	run_loop();
}

/* Answers are objects that say how it went; events say which. */
static unsigned look_at(const char *line)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonObject *object;

	g_assert(json_parser_load_from_data(parser, line, -1, NULL));
	object = json_node_get_object(json_parser_get_root(parser));
	g_assert(object);
	if (json_object_has_member(object, CONTROL_EVENT))
		return 0;
	g_assert(json_object_has_member(object, CONTROL_OK) !=
		 json_object_has_member(object, CONTROL_ERROR));
	return 1;
}

static unsigned count_answers(int fd)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_auto(GStrv) lines = NULL;
	unsigned answers = 0;
	char bytes[4096];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
		g_string_append_len(text, bytes, n);
		run_loop();
	}
	lines = g_strsplit(text->str, "\n", -1);
	for (char **line = lines; *line && line[1]; line++)
		answers += look_at(*line);
	return answers;
}

/* Requests made of words; each byte takes one. */
static GByteArray *from_words(const uint8_t *data, size_t size)
{
	static const char *const words[] = {"{\"do\": \"", "\"}\n", "\", \"", "\": ", "\"", "{",
		"}", "[", "]", ", ", ": ", "\n", "status", "pause", "reset", "powerdown", "vcpus",
		"set-vcpus", "memory", "set-memory", "set-balloon-period", "disks", "nics",
		"consoles", "set-disk-limits", "set-nic-limits", "set-link", "set-virtio-mem",
		"count", "size", "disk", "nic", "up", "id", "timeout", "vda", "true", "false",
		"null", "0", "1", "-1", "1e9", "99999999999999999999", "total_bytes",
		"read_iops_max", "inbound", "average", "seconds", "console", "virtio0", "quit",
		"\xc3", " "};
	GByteArray *bytes = g_byte_array_new();

	for (size_t i = 0; i < size; i++) {
		const char *word = words[data[i] % G_N_ELEMENTS(words)];

		g_byte_array_append(bytes, (const uint8_t *)word, (guint)strlen(word));
	}
	return bytes;
}

/* What would reach out of this process. */
static bool is_harmless(const GByteArray *bytes)
{
	/* The last could spell the others. */
	static const char *const harmful[] = {
		"save", "plug", "resize", "attach", "set-cpu", "pin", "\\u"};

	for (unsigned i = 0; i < G_N_ELEMENTS(harmful); i++)
		if (memmem(bytes->data, bytes->len, harmful[i], strlen(harmful[i])))
			return false;
	return true;
}

static void talk(const GByteArray *bytes)
{
	int fd = connect_client();
	unsigned lines = 0;
	guint begin = 0;

	run_loop();
	for (guint i = 0; i <= bytes->len; i++) {
		lines += i < bytes->len && bytes->data[i] == '\n';
		if (i < bytes->len && bytes->data[i] != 0xff)
			continue;
		send_piece(fd, bytes->data + begin, i - begin);
		begin = i + 1;
	}
	g_assert(count_answers(fd) <= lines);
	close(fd);
	run_loop();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	GByteArray *bytes;

	if (!control)
		set_up();
	if (size < 2)
		return 0;
	bytes = data[0] & 1 ? from_words(data + 1, size - 1)
			    : g_byte_array_append(g_byte_array_new(), data + 1, (guint)size - 1);
	if (is_harmless(bytes))
		talk(bytes);
	g_byte_array_unref(bytes);
	if (machine_state(box->machine) == MACHINE_ENDED)
		make_machine();
	return 0;
}

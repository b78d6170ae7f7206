// SPDX-License-Identifier: GPL-3.0-or-later
// A whole lodged with a client that calls its procedures with any arguments that the protocol
// allows: numbers of all sizes, and texts that mean something here (names, definitions, paths). Its
// guests' monitors end at once; everything lies in a folder of its own.
#include <config.h>

#include "engine/daemon/client.h"
#include "engine/daemon/events.h"
#include "engine/daemon/pool.h"
#include "engine/daemon/procedure.h"
#include "tests/folder.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define UUID "11111111-1111-1111-1111-111111111111"
#define CALLS_MOST 12u
#define PROCEDURE_LAST 444
// No file grows beyond this: a volume may be asked to have any size.
#define FILE_MOST (1u << 20)
// What has not been answered by then waits for a monitor that is not there.
#define WAIT_MS 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *root;
static struct store *store;
static struct settings *settings;
static struct server server;
static GPtrArray *words; // texts, of which the arguments are made

// ---- what the daemon is made of
// --------------------------------------------------------------------

static void ignore(const char *sentence)
{
}

static void end(void)
{
	server_close(&server);
	registry_free(server.registry);
	pools_free(server.pools);
	settings_free(settings);
	store_close(store);
	g_ptr_array_unref(words);
	folder_remove_tree(root);
	g_free(root);
}

static void add_words(void)
{
	static const char *const plain[] = {"", "g", "p", "default", "v", "a/b", "<a/>",
		"<b xmlns='urn:x'/>", "urn:x", "x", "vda", "52:54:00:00:00:01", "serial0",
		"cpu_shares", "vcpu_quota", "0-1", "/", "<domain", "qemu", "x86_64",
		"total_bytes_sec", "inbound.average"};
	static const char *const made[] = {
		"<domain type='qemu'><name>g</name><uuid>" UUID
		"</uuid><memory unit='MiB'>8</memory><os>"
		"<type>hvm</type><kernel>%s/k</kernel></os><devices><serial "
		"type='pty'/></devices></domain>",
		"<domain type='qemu'><name>h</name><memory>9999</memory><vcpu "
		"current='1'>4</vcpu><os>"
		"<type>hvm</type><kernel>%s/k</kernel></os></domain>",
		"<pool type='dir'><name>p</name><uuid>" UUID
		"</uuid><target><path>%s/p</path></target></pool>",
		"<pool type='dir'><name>q</name><target><path>%s/q</path></target></pool>",
		"<volume><name>v</name><capacity unit='K'>64</capacity></volume><!--%s-->",
		"<disk type='file' device='disk'><source file='%s/d'/><target dev='vda' "
		"bus='virtio'/></disk>",
		"<interface type='user'><mac address='52:54:00:00:00:01'/><model "
		"type='virtio'/></interface><!--%s-->",
		"%s/p/v",
		"%s/p",
		"%s/file",
	};

	words = g_ptr_array_new_with_free_func(g_free);
	for (size_t i = 0; i < G_N_ELEMENTS(plain); i++)
		g_ptr_array_add(words, g_strdup(plain[i]));
	for (size_t i = 0; i < G_N_ELEMENTS(made); i++) {
		g_auto(GStrv) parts = g_strsplit(made[i], "%s", -1);

		g_ptr_array_add(words, g_strjoinv(root, parts));
	}
}

static void begin(void)
{
	const struct rlimit limit = {FILE_MOST, FILE_MOST};
	g_autofree char *socket = NULL;

	setrlimit(RLIMIT_FSIZE, &limit);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	root = g_dir_make_tmp("lodge-calls-XXXXXX", NULL);
	store = store_open(root, STORE_SYSTEM, &socket, NULL);
	settings = settings_read(store->settings, true, NULL);
	settings->allowed = g_new0(char *, 2);
	settings->allowed[0] = g_strdup(root);
	server.registry = registry_new(store, settings, "/bin/false", &server_events, &server);
	server.pools = pools_new(store, settings);
	if (!server_listen(&server, NULL))
		abort();
	registry_load(server.registry, ignore);
	pools_load(server.pools, ignore);
	add_words();
	atexit(end);
}

// ---- arguments out of any bytes
// ----------------------------------------------------------------------

struct source {
	const uint8_t *at, *end;
	const char *word; // the text whose length has just been given away
};

static uint8_t next_byte(struct source *source)
{
	return source->at < source->end ? *source->at++ : 0;
}

// Most numbers are small, some are any; and some are the length of a text, in case that one
// follows.
static bool_t get_number(XDR *xdr, long *number)
{
	struct source *source = (struct source *)xdr->x_private;
	uint8_t kind = next_byte(source);
	uint32_t value = 0;

	source->word = NULL;
	if (kind < 112) {
		*number = kind % 8;
	} else if (kind < 240) {
		source->word = g_ptr_array_index(words, kind % words->len);
		*number = (long)strlen(source->word);
	} else {
		for (int i = 0; i < 4; i++)
			value = value << 8 | next_byte(source);
		*number = (int32_t)value;
	}
	return TRUE;
}

static bool_t get_bytes(XDR *xdr, char *bytes, u_int count)
{
	struct source *source = (struct source *)xdr->x_private;

	memset(bytes, 0, count);
	if (source->word && strlen(source->word) == count)
		memcpy(bytes, source->word, count);
	else if (count == 16)
		memset(bytes, next_byte(source) < 200 ? 0x11 : 0, count);
	else
		for (u_int i = 0; i < count && count >= 4; i++)
			bytes[i] = (char)next_byte(source);
	source->word = NULL;
	return TRUE;
}

static void nothing(XDR *xdr)
{
}

static int32_t *no_buffer(XDR *xdr, u_int count)
{
	return NULL;
}

static const struct xdr_ops generator = {
	.x_getlong = get_number,
	.x_getbytes = get_bytes,
	.x_inline = no_buffer,
	.x_destroy = nothing,
};

// Appends a call with such arguments. False: they would be beyond the protocol's limits.
static bool append_call(GByteArray *bytes, const struct procedure *procedure, unsigned serial,
	struct source *source)
{
	const struct wire_header header = {
		WIRE_REMOTE_PROGRAM, WIRE_VERSION, procedure->number, WIRE_CALL, serial, WIRE_OK};
	const struct packet_format *format = procedure->args;
	XDR xdr = {.x_op = XDR_DECODE,
		.x_ops = (struct xdr_ops *)&generator,
		.x_private = (void *)source};
	void *value = format ? calloc(1, format->size) : NULL;
	bool ok = (!format || format->xdr(&xdr, value)) &&
		  packet_append(bytes, &header, format, value);

	packet_free_value(format, value);
	return ok;
}

// ---- the client
// --------------------------------------------------------------------------------------

static int connect_client(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, store->socket, sizeof(address.sun_path));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		abort();
	return fd;
}

// Everything that comes is a whole packet; those that are answers count.
static unsigned take_answers(GByteArray *in)
{
	unsigned answers = 0;

	for (;;) {
		struct packet packet;
		size_t used;

		if (!packet_find(in->data, in->len, &packet, &used, NULL))
			abort();
		if (!used)
			return answers;
		answers += packet.header.type == WIRE_REPLY;
		g_byte_array_remove_range(in, 0, (guint)used);
	}
}

static void wait_for_answers(int fd, unsigned count)
{
	gint64 until = g_get_monotonic_time() + WAIT_MS * 1000;
	g_autoptr(GByteArray) in = g_byte_array_new();

	while (count && g_get_monotonic_time() < until) {
		guint8 bytes[65536];
		bool moved = g_main_context_iteration(NULL, FALSE);
		ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		unsigned answers;

		if (n == 0)
			return;
		if (n > 0)
			g_byte_array_append(in, bytes, (guint)n);
		else if (!moved)
			g_usleep(200);
		answers = take_answers(in);
		count -= MIN(answers, count);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wire_header open_header = {
		WIRE_REMOTE_PROGRAM, WIRE_VERSION, 1, WIRE_CALL, 1, WIRE_OK};
	const struct wire_open_args open_args = {0};
	struct source source = {data, data + size, NULL};
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	unsigned calls = 1;
	int fd;

	if (!root)
		begin();
	packet_append(bytes, &open_header, PACKET_FORMAT(wire_open_args), &open_args);
	for (unsigned i = 0; i < CALLS_MOST && source.at < source.end; i++) {
		int number = (next_byte(&source) << 8 | next_byte(&source)) % PROCEDURE_LAST;
		const struct procedure *procedure = procedure_find(number);

		// The second opening of a connection, and its end, are other tests' matter.
		if (procedure && number > 2)
			calls += append_call(bytes, procedure, calls + 1, &source);
	}
	fd = connect_client();
	if (send(fd, bytes->data, bytes->len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)bytes->len)
		wait_for_answers(fd, calls);
	close(fd);
	while (g_main_context_iteration(NULL, FALSE))
		;
	return 0;
}

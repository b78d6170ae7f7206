// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Clients of a monitor that are killed (kill -9) in the middle of each request there is: with half
 * a line sent, as soon as it is sent, and while it waits for the answer. The monitor goes on and
 * answers others, keeps no descriptor, and what was asked for is done whole or not at all.
 */
#include <config.h>

#include "tests/engine/livebox.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1 << 20)
#define UNPLUG_DISK "{\"do\": \"unplug-disk\", \"disk\": \"vdb\", \"timeout\": 0}"
#define UNPLUG_NIC "{\"do\": \"unplug-nic\", \"nic\": \"" PLUGGED_MAC "\", \"timeout\": 0}"
#define MAC "52:54:00:00:00:01"
#define PLUGGED_MAC "52:54:00:00:00:02"

static struct livebox *box;
static char *directory;

static char *in_directory(const char *name)
{
	return g_build_filename(directory, name, NULL);
}

static char *make_image(const char *name)
{
	char *path = in_directory(name);

	assert_true(g_file_set_contents(path, "", 0, NULL));
	assert_int_equal(truncate(path, MIB), 0);
	return path;
}

/* ---- the guest: it has one of each, and sleeps ------------------------ */

static struct livebox *start(const char *name)
{
	const char *top = g_getenv("top_builddir");
	g_autofree char *kernel =
		g_build_filename(top ? top : ".", "tests/engine/boot/actions.elf", NULL);
	g_autofree char *disk = make_image("disk");
	g_autofree char *devices = g_strdup_printf(
		"<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
		"<source file='%s'/><target dev='vda' bus='virtio'/></disk>"
		"<controller type='scsi' model='virtio-scsi'/>"
		"<disk type='file' device='cdrom'><target dev='sda' bus='scsi'/><readonly/></disk>"
		"<interface type='user'><mac address='" MAC "'/><model type='virtio'/></interface>"
		"<memory model='virtio-mem'><target><size unit='MiB'>64</size>"
		"<node>0</node><block unit='MiB'>2</block><requested unit='KiB'>0"
		"</requested></target><alias name='more'/></memory>",
		disk);
	struct livebox *made = livebox_new(&(struct livebox_config){.name = name,
		.kernel = kernel,
		.cmdline = "h",
		.vcpus = 1,
		.vcpus_max = 2,
		.memory = 16 + 64,
		.domain = "<maxMemory slots='2' unit='GiB'>1</maxMemory>",
		.devices = devices});

	livebox_wait_console(made, "asleep");
	return made;
}

static int begin(void **state)
{
	directory = g_dir_make_tmp("lodge-clients-XXXXXX", NULL);
	box = start("live-clients");
	return 0;
}

static int end(void **state)
{
	g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
	const char *name;

	livebox_free(box);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = in_directory(name);

		g_unlink(path);
	}
	g_rmdir(directory);
	g_free(directory);
	return 0;
}

/* ---- a client that is killed ------------------------------------------- */

enum end {
	HALF,    /* of the line is sent */
	AT_ONCE, /* as soon as the line is sent */
	WAITING, /* when the monitor has got it, and answers others */
	ENDS,
};

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

/* In the child: nothing of cmocka's. */
static void send_line(int fd, const char *line, size_t length, int with)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} ancillary = {.bytes = {0}};
	struct iovec iov = {(char *)line, length};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	if (with >= 0) {
		message.msg_control = &ancillary;
		message.msg_controllen = sizeof(ancillary);
		ancillary.header.cmsg_level = SOL_SOCKET;
		ancillary.header.cmsg_type = SCM_RIGHTS;
		ancillary.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&ancillary.header), &with, sizeof(with));
	}
	if (sendmsg(fd, &message, 0) != (ssize_t)length)
		_exit(1);
}

/* Until it has sent: then the pipe tells. with: a descriptor that goes along, or -1. */
static pid_t begin_client(const char *line, enum end end, int with)
{
	g_autofree char *whole = g_strconcat(line, "\n", NULL);
	size_t length = end == HALF ? strlen(whole) / 2 : strlen(whole);
	int told[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		send_line(connect_to(box->socket), whole, length, with);
		if (end == AT_ONCE)
			raise(SIGKILL);
		if (write(told[1], "!", 1) == 1)
			pause();
		_exit(1);
	}
	close(told[1]);
	assert_int_equal(read(told[0], &byte, 1), end == AT_ONCE ? 0 : 1);
	close(told[0]);
	return pid;
}

static void kill_client(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Without those by which the monitor looks at its own threads now and then. */
static unsigned count_files(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/fd", pid);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	unsigned count = 0;
	const char *name;

	assert_non_null(dir);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *link = g_build_filename(path, name, NULL);
		g_autofree char *file = g_file_read_link(link, NULL);

		count += file && !g_str_has_prefix(file, "/proc/");
	}
	return count;
}

static void await_files(unsigned expected)
{
	gint64 end = g_get_monotonic_time() + LIVEBOX_DEADLINE_S * G_USEC_PER_SEC;

	while (count_files(box->pid) != expected) {
		if (g_get_monotonic_time() > end)
			fail_msg("%u descriptors instead of %u", count_files(box->pid), expected);
		livebox_pump(box, 20);
	}
}

/* ---- the requests -------------------------------------------------------- */

/* Asks something that may be refused, too. */
static void try(const char *line)
{
	unsigned id = liveclient_ask(box->control, "%s", line);

	json_object_unref(liveclient_answer(box->control, id));
}

/* What the answer to a request says, as text. */
static char *describe(const char *query)
{
	g_autoptr(JsonObject) answer = livebox_get(box, "{\"do\": \"%s\"}", query);
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);
	char *text;

	json_object_remove_member(answer, "id");
	json_object_remove_member(answer, "uptime");
	json_node_set_object(node, answer);
	text = json_to_string(node, FALSE);
	json_node_unref(node);
	return text;
}

enum with {
	NOTHING,
	IMAGE,  /* opened */
	FRAMES, /* a datagram socket */
	STREAM,
};

struct request {
	const char *name;
	const char *more;  /* members of the request, with ", " before */
	enum with with;
	const char *query; /* shows whether it has been carried out; NULL: nothing does */
	const char *undo;  /* brings back what was; or NULL */
	bool leaves;       /* unplugged by a reset, as the guest answers to nothing */
	const char *needs; /* another request to be carried out before; or NULL */
};

static const struct request requests[] = {
	{.name = "status"},
	{.name = "pause", .query = "status", .undo = "{\"do\": \"resume\"}"},
	{.name = "resume", .query = "status"},
	{.name = "reset"},
	{.name = "powerdown"},
	{.name = "set-vcpus", .more = ", \"count\": 2",
		.undo = "{\"do\": \"set-vcpus\", \"count\": 1, \"timeout\": 0}"},
	{.name = "vcpus"},
	{.name = "set-cpu", .more = ", \"cap\": 70, \"weight\": 30", .query = "vcpus",
		.undo = "{\"do\": \"set-cpu\", \"cap\": 0, \"weight\": 100}"},
	{.name = "pin", .more = ", \"vcpu\": 0, \"cpus\": \"0\""},
	{.name = "memory"},
	{.name = "set-memory", .more = ", \"size\": 8388608", .query = "memory",
		.undo = "{\"do\": \"set-memory\", \"size\": 16777216}"},
	{.name = "set-balloon-period", .more = ", \"seconds\": 9", .query = "memory",
		.undo = "{\"do\": \"set-balloon-period\", \"seconds\": 0}"},
	{.name = "set-virtio-mem", .more = ", \"alias\": \"more\", \"requested\": 4194304",
		.query = "memory",
		.undo = "{\"do\": \"set-virtio-mem\", \"alias\": \"more\", \"requested\": 0}"},
	{.name = "plug-disk", .with = IMAGE, .query = "disks", .leaves = true,
		.more = ", \"xml\": \"<disk type='file' device='disk'><driver name='qemu' "
			"type='raw'/><source file='given'/><target dev='vdb' bus='virtio'/></disk>\"",
		.undo = UNPLUG_DISK},
	{.name = "unplug-disk", .more = ", \"disk\": \"vdb\"", .needs = "plug-disk",
		.undo = UNPLUG_DISK, .leaves = true},
	{.name = "resize-disk", .more = ", \"disk\": \"vda\", \"size\": 1048576"},
	{.name = "set-disk-limits", .query = "disks",
		.more = ", \"disk\": \"vda\", \"total_bytes\": 7000, \"read_iops\": 90",
		.undo = "{\"do\": \"set-disk-limits\", \"disk\": \"vda\", \"total_bytes\": 0, "
			"\"read_iops\": 0}"},
	{.name = "change-medium", .with = IMAGE, .query = "disks",
		.more = ", \"disk\": \"sda\", \"force\": true, \"xml\": \"<disk type='file' "
			"device='cdrom'><source file='given'/><target dev='sda' bus='scsi'/>"
			"<readonly/></disk>\"",
		.undo = "{\"do\": \"change-medium\", \"disk\": \"sda\", \"force\": true, "
			"\"xml\": \"<disk type='file' device='cdrom'>"
			"<target dev='sda' bus='scsi'/><readonly/></disk>\"}"},
	{.name = "disks"},
	{.name = "plug-nic", .with = FRAMES, .query = "nics", .leaves = true,
		.more = ", \"xml\": \"<interface type='ethernet'><mac address='" PLUGGED_MAC
			"'/><model type='virtio'/></interface>\"",
		.undo = UNPLUG_NIC},
	{.name = "unplug-nic", .more = ", \"nic\": \"" PLUGGED_MAC "\"", .needs = "plug-nic",
		.undo = UNPLUG_NIC, .leaves = true},
	{.name = "set-link", .more = ", \"nic\": \"" MAC "\", \"up\": false", .query = "nics",
		.undo = "{\"do\": \"set-link\", \"nic\": \"" MAC "\", \"up\": true}"},
	{.name = "set-nic-limits", .query = "nics",
		.more = ", \"nic\": \"" MAC "\", \"inbound\": {\"average\": 5}, "
			"\"outbound\": {\"average\": 6}",
		.undo = "{\"do\": \"set-nic-limits\", \"nic\": \"" MAC
			"\", \"inbound\": {\"average\": 0}, \"outbound\": {\"average\": 0}}"},
	{.name = "nics"},
	{.name = "consoles"},
	{.name = "attach-console", .with = STREAM,
		.more = ", \"console\": \"serial0\", \"write\": true, \"force\": true"},
	{.name = "save", .with = STREAM, .more = ", \"keep\": true"},
	{.name = "save-cancel"},
	{.name = "quit"},
};

static int open_with(enum with with, int *other)
{
	g_autofree char *image = NULL;
	int pair[2];

	*other = -1;
	if (with == NOTHING)
		return -1;
	if (with == IMAGE) {
		image = make_image("given");
		return open(image, O_RDWR | O_CLOEXEC);
	}
	assert_int_equal(socketpair(AF_UNIX,
				 SOCK_CLOEXEC | (with == FRAMES ? SOCK_DGRAM : SOCK_STREAM), 0,
				 pair),
		0);
	*other = pair[1];
	return pair[0];
}

/* Carries out another one by a client that stays. */
static void prepare(const char *name)
{
	for (size_t i = 0; name && i < G_N_ELEMENTS(requests); i++) {
		const struct request *request = &requests[i];
		g_autofree char *line = NULL;
		int other, with;

		if (!g_str_equal(request->name, name))
			continue;
		with = open_with(request->with, &other);
		line = g_strdup_printf("{\"do\": \"%s\"%s}", name, request->more);
		json_object_unref(liveclient_answer(
			box->control, liveclient_ask_fds(box->control, line, &with, 1)));
		close(with);
		if (other >= 0)
			close(other);
	}
}

/* The client and what it was given are gone; also the other end, which nobody else has. */
static void send_and_kill(const struct request *request, enum end end)
{
	g_autofree char *line = g_strdup_printf("{\"do\": \"%s\"%s, \"id\": 1}", request->name,
		request->more ? request->more : "");
	int other, with = open_with(request->with, &other);
	pid_t pid = begin_client(line, end, with);

	if (with >= 0)
		close(with);
	if (other >= 0)
		close(other);
	/* The monitor does one thing after the other. */
	if (end == WAITING)
		livebox_do(box, "{\"do\": \"status\"}");
	kill_client(pid);
}

/* Waits until a query says something else (or the same, where it was but half a request). */
static void await_effect(const struct request *request, enum end kind, const char *before)
{
	gint64 end = g_get_monotonic_time() + LIVEBOX_DEADLINE_S * G_USEC_PER_SEC;

	for (;;) {
		g_autofree char *now = describe(request->query);

		if (!g_str_equal(now, before) == (kind != HALF))
			return;
		if (g_get_monotonic_time() > end)
			fail_msg("%s: %s", request->name, now);
		livebox_pump(box, 20);
	}
}

/* As it was before the request. */
static void undo(const struct request *request)
{
	if (request->undo)
		try(request->undo);
	if (request->leaves)
		livebox_do(box, "{\"do\": \"reset\"}");
}

static void assert_says(const char *query, const char *expected)
{
	g_autofree char *text = describe(query);

	assert_string_equal(text, expected);
}

static void each_request_outlives_its_client(void **state)
{
	unsigned files;

	/* What is made when it is first needed. */
	livebox_do(box, "{\"do\": \"status\"}");
	files = count_files(box->pid);
	for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
		const struct request *request = &requests[i];

		for (enum end kind = HALF; kind < ENDS; kind++) {
			g_autofree char *before =
				request->query ? describe(request->query) : NULL;

			/* Half of it does no harm; the rest has a guest of its own. */
			if (g_str_equal(request->name, "quit") && kind != HALF)
				continue;
			prepare(request->needs);
			send_and_kill(request, kind);
			if (request->query && !g_str_equal(request->name, "resume"))
				await_effect(request, kind, before);
			undo(request);
			livebox_do(box, "{\"do\": \"status\"}");
			await_files(files);
			if (request->undo && before)
				assert_says(request->query, before);
		}
	}
}

/* The table above has all that the monitor knows. */
static void no_request_is_forgotten(void **state)
{
	const char *top = g_getenv("top_srcdir");
	g_autofree char *folder = g_build_filename(top ? top : ".", "engine/vmm", NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	g_autoptr(GRegex) regex =
		g_regex_new("^\\s*\\{\\s*\"([a-z-]+)\", do_", G_REGEX_MULTILINE, 0, NULL);
	unsigned found = 0;
	const char *name;

	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL), *text = NULL;
		g_autoptr(GMatchInfo) match = NULL;

		if (!g_str_has_prefix(name, "control_") || !g_str_has_suffix(name, ".c"))
			continue;
		assert_true(g_file_get_contents(path, &text, NULL, NULL));
		for (g_regex_match(regex, text, 0, &match); g_match_info_matches(match);
			g_match_info_next(match, NULL)) {
			g_autofree char *request = g_match_info_fetch(match, 1);
			bool known = false;

			for (size_t i = 0; i < G_N_ELEMENTS(requests); i++)
				known = known || g_str_equal(requests[i].name, request);
			if (!known)
				fail_msg("'%s' is not tried", request);
			found++;
		}
	}
	assert_int_equal(found, G_N_ELEMENTS(requests));
}

/* A save whose client is killed goes on: the file comes to be whole, and the monitor ends. */
static void a_save_outlives_its_client(void **state)
{
	g_autofree char *file = in_directory("saved"), *line = NULL;

	line = g_strdup_printf("{\"do\": \"save\", \"path\": \"%s\"}", file);
	kill_client(begin_client(line, AT_ONCE, -1));
	assert_int_equal(livebox_wait_end(box), 0);
	livebox_start(box, (const char *const[]){"--restore", file, NULL});
	livebox_do(box, "{\"do\": \"status\"}");
}

/* ---- a save for which the guest is held ---------------------------------- */

static void assert_state(const char *expected)
{
	g_autoptr(JsonObject) status = livebox_get(box, "{\"do\": \"status\"}");

	assert_string_equal(json_object_get_string_member(status, "state"), expected);
}

static void await_resumed(void)
{
	json_object_unref(liveclient_event(box->control, "resumed"));
	assert_state("running");
}

/* The file is written, and the guest waits for what becomes of it. */
static void hold(struct liveclient *client, const char *file)
{
	g_autoptr(JsonObject) answer = liveclient_answer(client,
		liveclient_ask(client,
			"{\"do\": \"save\", \"path\": \"%s\", \"hold\": true}", file));

	assert_true(json_object_has_member(answer, "ok"));
	assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
	assert_state("paused");
	liveclient_forget_events(box->control);
}

/* Whenever the client is killed, the guest goes on as if nothing had been. */
static void a_held_save_ends_with_its_client(void **state)
{
	g_autofree char *file = in_directory("held"), *line = NULL;
	struct liveclient *client = livebox_connect(box);

	hold(client, file);
	liveclient_free(client);
	await_resumed();
	line = g_strdup_printf("{\"do\": \"save\", \"path\": \"%s\", \"hold\": true}", file);
	for (enum end kind = AT_ONCE; kind < ENDS; kind++) {
		pid_t pid = begin_client(line, kind, -1);

		/* Until it is under way, or has been. */
		json_object_unref(liveclient_event(box->control, "paused"));
		kill_client(pid);
		await_resumed();
	}
}

/* One that was paused stays so. */
static void a_paused_guest_stays_paused(void **state)
{
	g_autofree char *file = in_directory("held");
	struct liveclient *client = livebox_connect(box);

	livebox_do(box, "{\"do\": \"pause\"}");
	hold(client, file);
	g_free(livebox_refused(box, "{\"do\": \"resume\"}"));
	liveclient_free(client);
	/* It can be saved again when the client's leaving has been seen. */
	for (;;) {
		g_autoptr(JsonObject) answer = liveclient_answer(
			box->control, liveclient_ask(box->control, "{\"do\": \"resume\"}"));

		if (json_object_has_member(answer, "ok"))
			break;
		livebox_pump(box, 20);
	}
	assert_state("running");
}

/* Only the client for which it is held lets it go on, or ends it. */
static void a_held_guest_waits_for_its_client(void **state)
{
	g_autofree char *file = in_directory("held");
	struct liveclient *client = livebox_connect(box);

	hold(client, file);
	g_free(livebox_refused(box, "{\"do\": \"resume\"}"));
	g_free(livebox_refused(box, "{\"do\": \"reset\"}"));
	g_free(livebox_refused(box, "{\"do\": \"save-cancel\"}"));
	g_free(livebox_refused(box, "{\"do\": \"save\", \"path\": \"%s.other\"}", file));
	assert_state("paused");
	json_object_unref(liveclient_answer(
		client, liveclient_ask(client, "{\"do\": \"save-cancel\"}")));
	await_resumed();
	hold(client, file);
	liveclient_ask(client, "{\"do\": \"quit\"}");
	assert_int_equal(livebox_wait_end(box), 0);
	livebox_start(box, (const char *const[]){"--restore", file, NULL});
	livebox_do(box, "{\"do\": \"status\"}");
}

static void quit_outlives_its_client(void **state)
{
	kill_client(begin_client("{\"do\": \"quit\"}", AT_ONCE, -1));
	assert_int_equal(livebox_wait_end(box), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_outlives_its_client),
		cmocka_unit_test(no_request_is_forgotten),
		cmocka_unit_test(a_save_outlives_its_client),
		cmocka_unit_test(a_held_save_ends_with_its_client),
		cmocka_unit_test(a_paused_guest_stays_paused),
		cmocka_unit_test(a_held_guest_waits_for_its_client),
		cmocka_unit_test(quit_outlives_its_client),
	};

	return cmocka_run_group_tests(tests, begin, end);
}

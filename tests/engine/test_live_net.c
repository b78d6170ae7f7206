// SPDX-License-Identifier: GPL-3.0-or-later
/* Network cards that come, go, lose their link and are limited while the guest runs, as the guest and
 * the other end of the cable see them. */
#include "config.h"

#include "tests/engine/livebox.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The guest is slow where the machine is: it is given all the time that the test has. */
#define PATIENT "\"timeout\": 250"
#define FIRST_MAC "52:54:00:aa:00:01"
#define MAC "52:54:00:aa:00:02"
#define FRAME 1000u /* bytes of each that is sent to the guest */

static struct livebox *box;

static int boot(void **state)
{
	const char *builddir = g_getenv("top_builddir");
	g_autofree char *blast = g_strdup_printf(
		"%s/tests/engine/linux/blast:/bin/blast", builddir ? builddir : ".");

	livebox_add_files("net", (const char *const[]){ blast, NULL });
	box = livebox_new(&(struct livebox_config){
		.name = "live-net",
		.vcpus = 2,
		.devices = "<interface type='user'><mac address='" FIRST_MAC "'/><model type='virtio'/>"
			   "<bandwidth><inbound average='100000' peak='200000' burst='300'/>"
			   "</bandwidth></interface>",
	});
	return 0;
}

static int end(void **state)
{
	livebox_free(box);
	return 0;
}

/* The guest's name of the card; waits until it has one. */
static char *guest_name(const char *mac)
{
	return livebox_device(box, "/sys/class/net/*/address", mac);
}

static void wait_gone(const char *name)
{
	g_autofree char *path = g_strconcat("/sys/class/net/", name, NULL);

	livebox_wait_path_gone(box, path);
}

/* Plugs a card whose cable ends in fd. */
static void plug_fd(const char *mac, int fd, const char *more)
{
	g_autofree char *request = g_strdup_printf(
		"{\"do\": \"plug-nic\", \"xml\": \"<interface type='ethernet'><mac address='%s'/>"
		"<model type='virtio'/>%s</interface>\"}",
		mac, more);
	unsigned id = liveclient_ask_fds(box->control, request, &fd, 1);
	g_autoptr(JsonObject) answer = liveclient_answer(box->control, id);

	assert_true(json_object_has_member(answer, "ok"));
	assert_string_equal(json_object_get_string_member(answer, "nic"), mac);
}

/* Plugs a card whose cable's other end is the test's; that. */
static int plug_socket(const char *mac, const char *more)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	plug_fd(mac, pair[1], more);
	close(pair[1]);
	return pair[0];
}

static void unplug(const char *mac)
{
	livebox_do(box, "{\"do\": \"unplug-nic\", \"nic\": \"%s\", " PATIENT "}", mac);
}

/* ---- tests --------------------------------------------------------------------------------------------- */

static JsonObject *nic_of(JsonObject *answer, const char *mac)
{
	JsonArray *nics = json_object_get_array_member(answer, "nics");

	for (unsigned i = 0; i < json_array_get_length(nics); i++) {
		JsonObject *nic = json_array_get_object_element(nics, i);

		if (strcmp(json_object_get_string_member(nic, "nic"), mac) == 0)
			return nic;
	}
	fail_msg("there is no card %s", mac);
	return NULL;
}

static void cards_are_told(void **state)
{
	g_autoptr(JsonObject) answer = livebox_get(box, "{\"do\": \"nics\"}");
	JsonObject *nic = nic_of(answer, FIRST_MAC);
	JsonObject *inbound = json_object_get_object_member(
		json_object_get_object_member(nic, "limits"), "inbound");

	assert_true(json_object_get_boolean_member(nic, "up"));
	assert_int_equal(json_object_get_int_member(inbound, "average"), 100000);
	assert_int_equal(json_object_get_int_member(inbound, "peak"), 200000);
	assert_int_equal(json_object_get_int_member(inbound, "burst"), 300);
}

static void the_link_goes_down_and_up(void **state)
{
	g_autofree char *name = guest_name(FIRST_MAC);
	g_autofree char *line = g_strdup_printf("cat /sys/class/net/%s/carrier", name);
	g_autoptr(JsonObject) answer = NULL;

	livebox_shell_until(box, line, "1");
	livebox_do(box, "{\"do\": \"set-link\", \"nic\": \"" FIRST_MAC "\", \"up\": false}");
	livebox_shell_until(box, line, "0");
	answer = livebox_get(box, "{\"do\": \"nics\"}");
	assert_false(json_object_get_boolean_member(nic_of(answer, FIRST_MAC), "up"));
	livebox_do(box, "{\"do\": \"set-link\", \"nic\": \"" FIRST_MAC "\", \"up\": true}");
	livebox_shell_until(box, line, "1");
}

static void wrong_requests_are_refused(void **state)
{
	static const struct {
		const char *request;
		const char *answer;
	} cases[] = {
		{ "{\"do\": \"plug-nic\", \"xml\": \"<interface type='user'><mac address='" FIRST_MAC
		  "'/><model type='virtio'/></interface>\"}",
			"already" },
		{ "{\"do\": \"plug-nic\", \"xml\": \"<interface type='bridge'>"
		  "<source bridge='a-name-that-is-too-long'/><model type='virtio'/></interface>\"}",
			"cannot be the name" },
		{ "{\"do\": \"plug-nic\", \"xml\": \"<interface type='ethernet'>"
		  "<model type='virtio'/><portForward proto='tcp'><range start='1'/></portForward>"
		  "</interface>\"}",
			"type='user'" },
		{ "{\"do\": \"plug-nic\", \"xml\": \"<disk type='file'><source file='/x'/>"
		  "<target dev='vdx'/></disk>\"}",
			"not of the kind" },
		{ "{\"do\": \"unplug-nic\", \"nic\": \"52:54:00:00:00:00\"}", "no network card" },
		{ "{\"do\": \"set-link\", \"nic\": \"" FIRST_MAC "\"}", "\"up\"" },
		{ "{\"do\": \"set-nic-limits\", \"nic\": \"" FIRST_MAC "\", \"inbound\": 5}",
			"object" },
		{ "{\"do\": \"set-nic-limits\", \"nic\": \"" FIRST_MAC
		  "\", \"inbound\": {\"peak\": 5}}",
			"need an average" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *sentence = livebox_refused(box, "%s", cases[i].request);

		if (!strstr(sentence, cases[i].answer))
			fail_msg("%s: %s", cases[i].request, sentence);
	}
}

/* Bytes that arrive in so many ms. */
static size_t drain(int fd, int ms)
{
	gint64 until = g_get_monotonic_time() + ms * 1000;
	size_t count = 0;
	char frame[70000];

	for (;;) {
		gint64 left = until - g_get_monotonic_time();
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

		ssize_t n;

		if (left <= 0 || poll(&poll_fd, 1, (int)(left / 1000) + 1) <= 0)
			break;
		n = recv(fd, frame, sizeof(frame), MSG_DONTWAIT);

		count += n > 0 ? (size_t)n : 0;
	}
	return count;
}

/* The guest sends datagrams as fast as it can to where nobody is. */
static void start_sending(const char *name)
{
	g_free(livebox_shell(box,
		"rm -f /tmp/stop; ip addr add 10.9.0.1/24 dev %s; ip link set %s up; "
		"arp -s 10.9.0.2 52:54:00:00:00:99; blast 10.9.0.2 >/dev/null 2>&1 &",
		name, name));
}

static void sending_is_limited(void **state)
{
	int fd = plug_socket(MAC, "");
	g_autofree char *name = guest_name(MAC);
	size_t limited, unlimited = 0;
	double seconds;
	gint64 start;

	start_sending(name);
	while (unlimited < 100000)
		unlimited += drain(fd, 500);
	livebox_do(box,
		"{\"do\": \"set-nic-limits\", \"nic\": \"" MAC "\", \"outbound\": "
		"{\"average\": 40, \"burst\": 20}}");
	/* What was let through before; then what the limit lets through, and the burst. */
	drain(fd, 500);
	start = g_get_monotonic_time();
	limited = drain(fd, 4000);
	seconds = (double)(g_get_monotonic_time() - start) / 1e6;
	print_message("%zu bytes in %.1f s at 40 KiB/s\n", limited, seconds);
	assert_true(limited <= (seconds * 40 + 20 + 5) * 1024);
	while (limited == 0)
		limited = drain(fd, 500);
	g_free(livebox_shell(box, "touch /tmp/stop; ip link set %s down; ip addr flush dev %s", name,
		name));
	unplug(MAC);
	wait_gone(name);
	close(fd);
}

/* Sends frames to the guest until so many ms are over, as fast as the cable takes them. */
static void flood(int fd, int ms)
{
	gint64 until = g_get_monotonic_time() + ms * 1000;
	uint8_t frame[FRAME] = { 0x52, 0x54, 0x00, 0xaa, 0x00, 0x02, 0x52, 0x54, 0x00, 0x00, 0x00,
		0x99, 0x88, 0xb5 };

	while (g_get_monotonic_time() < until) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

		if (poll(&poll_fd, 1, 50) > 0)
			send(fd, frame, sizeof(frame), MSG_DONTWAIT | MSG_NOSIGNAL);
	}
}

static void receiving_is_limited(void **state)
{
	int fd = plug_socket(MAC, "<bandwidth><inbound average='50' burst='10'/></bandwidth>");
	g_autofree char *name = guest_name(MAC);
	long before, after;
	double seconds;
	gint64 start;

	g_free(livebox_shell(box, "ip link set %s up", name));
	before = livebox_shell_number(box, "cat /sys/class/net/%s/statistics/rx_bytes", name);
	start = g_get_monotonic_time();
	flood(fd, 4000);
	after = livebox_shell_number(box, "cat /sys/class/net/%s/statistics/rx_bytes", name);
	seconds = (double)(g_get_monotonic_time() - start) / 1e6;
	print_message("%ld bytes in %.1f s at 50 KiB/s\n", after - before, seconds);
	assert_true(after - before <= (seconds * 50 + 10 + 5) * 1024);
	assert_true(after - before > 0);
	livebox_do(box,
		"{\"do\": \"set-nic-limits\", \"nic\": \"" MAC "\", \"inbound\": {\"average\": 0}}");
	unplug(MAC);
	wait_gone(name);
	close(fd);
}

static void a_card_comes_without_a_link(void **state)
{
	int fd = plug_socket(MAC, "<link state='down'/>");
	g_autofree char *name = guest_name(MAC);
	g_autofree char *line = g_strdup_printf("cat /sys/class/net/%s/carrier", name);

	g_free(livebox_shell(box, "ip link set %s up", name));
	livebox_shell_until(box, line, "0");
	livebox_do(box, "{\"do\": \"set-link\", \"nic\": \"" MAC "\", \"up\": true}");
	livebox_shell_until(box, line, "1");
	/* The other end hangs up: that is seen, too, and harms nobody. */
	close(fd);
	unplug(MAC);
	wait_gone(name);
}

static void a_user_network_comes_and_goes(void **state)
{
	g_autofree char *mac = livebox_plug_kept(box, "nic",
		"<interface type='user'><mac address='" MAC "'/><model type='virtio'/></interface>",
		-1);
	g_autofree char *name = guest_name(mac);

	g_free(livebox_shell(box,
		"ip link set %s up; udhcpc -i %s -n -q -t 20 >/dev/null 2>&1; "
		"ip addr show %s | grep 'inet '",
		name, name, name));
	unplug(mac);
	wait_gone(name);
}

static void cards_come_and_go_under_load(void **state)
{
	for (unsigned i = 0; i < 6; i++) {
		g_autofree char *mac = g_strdup_printf("52:54:00:bb:00:%02x", i);
		int fd = plug_socket(mac, "");
		g_autofree char *name = guest_name(mac);

		start_sending(name);
		while (!drain(fd, 200))
			livebox_pump(box, 0);
		unplug(mac);
		wait_gone(name);
		g_free(livebox_shell(box, "touch /tmp/stop"));
		close(fd);
	}
}

static void a_guest_that_does_not_answer_is_said_so(void **state)
{
	int fd = plug_socket(MAC, "");
	g_autofree char *name = guest_name(MAC), *sentence = NULL;
	struct liveclient *client = livebox_connect(box);

	liveclient_forget_events(box->control);
	livebox_do(box, "{\"do\": \"pause\"}");
	sentence = livebox_refused(
		box, "{\"do\": \"unplug-nic\", \"nic\": \"" MAC "\", \"timeout\": 0.3}");
	assert_non_null(strstr(sentence, "go yet"));
	/* Another asks too, and dies at once. */
	liveclient_ask(client, "{\"do\": \"unplug-nic\", \"nic\": \"" MAC "\", " PATIENT "}");
	liveclient_free(client);
	livebox_do(box, "{\"do\": \"resume\"}");
	json_object_unref(liveclient_event(box->control, "device-removed"));
	wait_gone(name);
	close(fd);
}

/* ---- a TAP device in a network of the test's own ------------------------------------------------------- */

static bool send_fd(int socket, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} ancillary = { 0 };
	struct iovec iov = { "", 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &ancillary,
		.msg_controllen = sizeof(ancillary) };

	ancillary.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&ancillary.header), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) == 1;
}

static int receive_fd(int socket)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} ancillary;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &ancillary,
		.msg_controllen = sizeof(ancillary) };
	int fd = -1;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/* In a child: a TAP device at 10.9.1.1 in a network namespace; it lives until the socket ends. */
static void run_network(int socket_fd)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
	int tun, control;
	char byte;

	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		_exit(1);
	tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (tun < 0 || ioctl(tun, TUNSETIFF, &request))
		_exit(1);
	control = socket(AF_INET, SOCK_DGRAM, 0);
	*address = (struct sockaddr_in){ .sin_family = AF_INET };
	inet_pton(AF_INET, "10.9.1.1", &address->sin_addr);
	if (ioctl(control, SIOCSIFADDR, &request))
		_exit(1);
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(control, SIOCSIFFLAGS, &request) || !send_fd(socket_fd, tun))
		_exit(1);
	close(tun);
	_exit(read(socket_fd, &byte, 1) != 0);
}

static void a_tap_device_reaches_its_host(void **state)
{
	g_autofree char *name = NULL;
	int pair[2], tun;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		run_network(pair[1]);
	}
	close(pair[1]);
	tun = receive_fd(pair[0]);
	if (tun >= 0) {
		plug_fd(MAC, tun, "");
		close(tun);
		name = guest_name(MAC);
		g_free(livebox_shell(box, "ip addr add 10.9.1.2/24 dev %s; ip link set %s up", name,
			name));
		livebox_shell_until(box, "ping -c 1 -W 5 10.9.1.1 >/dev/null 2>&1; echo $?", "0");
		g_free(livebox_shell(box, "ping -c 3 -s 1400 -W 60 10.9.1.1"));
		unplug(MAC);
		wait_gone(name);
	}
	close(pair[0]);
	waitpid(pid, NULL, 0);
	if (tun < 0)
		skip(); /* no TAP devices here */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cards_are_told),
		cmocka_unit_test(the_link_goes_down_and_up),
		cmocka_unit_test(wrong_requests_are_refused),
		cmocka_unit_test(sending_is_limited),
		cmocka_unit_test(receiving_is_limited),
		cmocka_unit_test(a_card_comes_without_a_link),
		cmocka_unit_test(a_user_network_comes_and_goes),
		cmocka_unit_test(cards_come_and_go_under_load),
		cmocka_unit_test(a_guest_that_does_not_answer_is_said_so),
		cmocka_unit_test(a_tap_device_reaches_its_host),
	};

	return cmocka_run_group_tests(tests, boot, end);
}

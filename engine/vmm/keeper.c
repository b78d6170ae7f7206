// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/given.h"
#include "engine/vmm/keeper_private.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const int forwarded[] = { SIGTERM, SIGINT, SIGHUP };

/* ---- signals -------------------------------------------------------------------------------------- */

static void mask_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (unsigned i = 0; i < G_N_ELEMENTS(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(how, &set, NULL);
}

void keeper_signals(void (*handler)(int number))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	for (unsigned i = 0; i < G_N_ELEMENTS(forwarded); i++)
		sigaction(forwarded[i], &action, NULL);
	mask_signals(SIG_UNBLOCK);
}

/* One byte a signal. */
static int signal_pipe[2] = { -1, -1 };

static void on_signal(int number)
{
	int code = errno;
	char byte = (char)number;

	if (write(signal_pipe[1], &byte, 1) < 0)
		errno = code; /* it is full of them */
	errno = code;
}

/* Where the process cannot be reached by a signal yet, it sees that nobody is there. */
static gboolean signal_came(int fd, GIOCondition condition, void *data)
{
	struct keeper *keeper = data;
	char number;

	while (read(fd, &number, 1) == 1)
		if (pidfd_send_signal(keeper->pidfd, number, NULL, 0) < 0 && keeper->fd >= 0)
			shutdown(keeper->fd, SHUT_RDWR);
	return G_SOURCE_CONTINUE;
}

/* ---- the two processes ---------------------------------------------------------------------------- */

/* What the one between them tells. */
struct birth {
	pid_t machine; /* as this process knows it */
	int code;      /* errno, where there is none */
};

static bool fail(int code, GError **error)
{
	g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(code),
		_("the guest's process cannot be made: %s"), g_strerror(code));
	return false;
}

/* In the machine's process: waits until it is the keeper's child, and ends with it from then on. The
 * keeper may have gone before that. */
static struct kept *settle(int fd)
{
	char byte;

	if (recv(fd, &byte, 1, 0) != 1)
		_exit(EXIT_FAILURE);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		_exit(EXIT_FAILURE);
	return kept_new(fd);
}

/* In the process between the two: its next child is the first of a process namespace, which cannot
 * be had for oneself. Returns in that child; the child's parent ends, so that it becomes the
 * keeper's. */
static void give_birth(bool own_namespace, int fd)
{
	struct birth birth = { 0 };

	if (own_namespace)
		sandbox_own_processes();
	birth.machine = fork();
	if (birth.machine == 0)
		return;
	birth.code = errno;
	if (send(fd, &birth, sizeof(birth), MSG_NOSIGNAL) < 0)
		_exit(EXIT_FAILURE);
	_exit(EXIT_SUCCESS);
}

static bool adopt(struct keeper *keeper, pid_t between, GError **error)
{
	struct birth birth = { .machine = -1, .code = ECHILD };

	if (recv(keeper->fd, &birth, sizeof(birth), 0) < 0)
		birth.code = errno;
	waitpid(between, NULL, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	if (birth.machine < 0)
		return fail(birth.code, error);
	keeper->machine = birth.machine;
	keeper->pidfd = pidfd_open(birth.machine, 0);
	return keeper->pidfd >= 0 || fail(errno, error);
}

/* In the keeper, with a machine's process that waits. */
static bool take_seat(
	struct keeper *keeper, const struct keeper_options *options, GError **error)
{
	if (options->socket) {
		keeper->control = control_new(
			options->socket, keeper_tables, g_main_context_default(), error);
		if (!keeper->control)
			return false;
		control_set_keeper(keeper->control, keeper, keeper_client_left);
	}
	if (options->sandbox && !sandbox_keep(&options->identity, error))
		return false;
	prctl(PR_SET_NAME, "lodge-keeper");
	return send(keeper->fd, "", 1, MSG_NOSIGNAL) == 1 || fail(errno, error);
}

static struct keeper *keeper_new(const struct machine_config *config)
{
	struct keeper *keeper = g_new0(struct keeper, 1);

	keeper->guest = g_strdup(config->name);
	keeper->devices = keeper_devices_new(config);
	keeper->fd = keeper->pidfd = -1;
	return keeper;
}

static bool keep(struct keeper *keeper, const struct keeper_options *options, pid_t between,
	GError **error)
{
	if (between > 0 && adopt(keeper, between, error) && take_seat(keeper, options, error)) {
		given_forget();
		return true;
	}
	if (between < 0)
		fail(errno, error);
	/* A machine's process that waits sees the end of its socket. */
	shutdown(keeper->fd, SHUT_RDWR);
	if (keeper->machine > 0)
		waitpid(keeper->machine, NULL, 0);
	return false;
}

struct keeper *keeper_fork(const struct machine_config *config, const struct keeper_options *options,
	struct kept **kept, GError **error)
{
	struct keeper *keeper;
	int pair[2];
	pid_t between;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		fail(errno, error);
		return NULL;
	}
	keeper = keeper_new(config);
	mask_signals(SIG_BLOCK);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	between = fork();
	if (between == 0) {
		/* The images of what needs a program are nothing for the machine. */
		keeper_free(keeper);
		close(pair[0]);
		give_birth(options->sandbox, pair[1]);
		*kept = settle(pair[1]);
		return NULL;
	}
	close(pair[1]);
	keeper->fd = pair[0];
	if (keep(keeper, options, between, error))
		return keeper;
	keeper_free(keeper);
	return NULL;
}

void keeper_free(struct keeper *keeper)
{
	if (!keeper)
		return;
	control_free(keeper->control);
	keeper_devices_free(keeper->devices);
	if (keeper->fd >= 0)
		close(keeper->fd);
	if (keeper->pidfd >= 0)
		close(keeper->pidfd);
	g_free(keeper->guest);
	g_free(keeper);
}

/* ---- what it is asked ----------------------------------------------------------------------------- */

struct machine_config *keeper_read(const struct keeper *keeper, const char *xml, GError **error)
{
	return config_read_device(xml, strlen(xml), keeper->guest, error);
}

void keeper_learn(struct keeper *keeper, const char *xml)
{
	struct machine_config *config = keeper_read(keeper, xml, NULL);
	bool disk = config && config->disks->len;
	g_autofree char *name = NULL;

	if (disk)
		name = g_strdup(((struct config_disk *)g_ptr_array_index(config->disks, 0))->target);
	else if (config && config->nets->len)
		name = config_net_name(g_ptr_array_index(config->nets, 0));
	/* The definition knows better. */
	if (name && !keeper_devices_has(keeper->devices, disk, name))
		keeper_devices_add(keeper->devices, config, keeper_files_new(), NULL, NULL);
	else
		config_free(config);
}

static void send_answer(const struct keeper *keeper, struct keeper_answer *answer, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} ancillary = { 0 };
	struct iovec iov = { answer, sizeof(*answer) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		ancillary.header.cmsg_level = SOL_SOCKET;
		ancillary.header.cmsg_type = SCM_RIGHTS;
		ancillary.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&ancillary.header), &fd, sizeof(fd));
		message.msg_control = &ancillary;
		message.msg_controllen = sizeof(ancillary);
	}
	/* Who asks waits for it: there is room, or nobody wants it. */
	if (sendmsg(keeper->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		shutdown(keeper->fd, SHUT_RDWR);
}

static bool is_valid(const struct keeper_request *request)
{
	return request->verb < KEEPER_VERBS &&
		memchr(request->name, '\0', sizeof(request->name)) != NULL;
}

static bool is_answered(const struct keeper_request *request)
{
	return request->verb == KEEPER_DISK || request->verb == KEEPER_NIC;
}

static gboolean request_came(int fd, GIOCondition condition, void *data)
{
	struct keeper *keeper = data;
	struct keeper_request request;
	struct keeper_answer answer;
	ssize_t n = recv(fd, &request, sizeof(request), MSG_DONTWAIT);
	int given;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n != (ssize_t)sizeof(request) || !is_valid(&request)) {
		shutdown(fd, SHUT_RDWR);
		return G_SOURCE_REMOVE;
	}
	given = keeper_devices_answer(keeper->devices, &request, &answer);
	if (is_answered(&request))
		send_answer(keeper, &answer, given);
	if (given >= 0)
		close(given);
	return G_SOURCE_CONTINUE;
}

/* ---- until the end -------------------------------------------------------------------------------- */

static gboolean machine_ended(int fd, GIOCondition condition, void *data)
{
	g_main_loop_quit(((struct keeper *)data)->loop);
	return G_SOURCE_REMOVE;
}

static GSource *watch(int fd, GUnixFDSourceFunc callback, struct keeper *keeper)
{
	GSource *source = g_unix_fd_source_new(fd, G_IO_IN);

	g_source_set_callback(source, G_SOURCE_FUNC(callback), keeper, NULL);
	g_source_attach(source, g_main_context_default());
	return source;
}

static void unwatch(GSource *source)
{
	g_source_destroy(source);
	g_source_unref(source);
}

static int status_of(const struct keeper *keeper)
{
	int status = 0;

	while (waitpid(keeper->machine, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	g_printerr(_("The process of guest '%s' was ended by signal %d (%s)\n"), keeper->guest,
		WTERMSIG(status), strsignal(WTERMSIG(status)));
	return 128 + WTERMSIG(status);
}

int keeper_run(struct keeper *keeper)
{
	GSource *requests, *end, *signals;

	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		g_error("there is no pipe: %s", g_strerror(errno));
	keeper->loop = g_main_loop_new(NULL, FALSE);
	requests = watch(keeper->fd, request_came, keeper);
	end = watch(keeper->pidfd, machine_ended, keeper);
	signals = watch(signal_pipe[0], signal_came, keeper);
	keeper_signals(on_signal);
	signal(SIGPIPE, SIG_IGN);
	g_main_loop_run(keeper->loop);
	unwatch(requests);
	unwatch(end);
	unwatch(signals);
	g_main_loop_unref(keeper->loop);
	return status_of(keeper);
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/chardevs.h"

#include "engine/vmm/given.h"
#include "engine/vmm/viewers.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <poll.h>
#include <pty.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BUFFER_SIZE 65536u
#define INPUT_SIZE 4096u
/* What may wait for the log's file. */
#define LOG_MAX (1u << 20)

struct host_chardev {
	struct chardev base; /* first: devices know this */
	struct machine_lock *lock;
	GMainContext *context;
	char *path;
	bool unlink_path;

	int in_fd, out_fd; /* the same one, or two; -1: nobody there */
	int listen_fd;
	int pty_epoll; /* of a pseudo terminal: ready when something happens to it; -1: it is none */

	GSource *in_source, *out_source, *listen_source;
	GSource *pty_source; /* while nobody has the pseudo terminal open */
	GSource *flush_source; /* made ready when output begins to wait */

	/* Output that waits. */
	uint8_t out[BUFFER_SIZE];
	size_t out_length;
	bool client_waits; /* a write() took less than it was given */

	/* Input the device had no room for. */
	char in[INPUT_SIZE];
	size_t in_length;

	struct viewers *viewers;
	int log_fd;   /* -1: none */
	GString *log; /* what waits for it */

	size_t (*filter)(void *data, char *bytes, size_t length);
	void *filter_data;
};

static void watch_input(struct host_chardev *host);
static void wait_for_peer(struct host_chardev *host);

static void drop_source(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static GSource *watch_fd(struct host_chardev *host, int fd, GIOCondition condition,
	GUnixFDSourceFunc callback)
{
	GSource *source = g_unix_fd_source_new(fd, condition);

	g_source_set_callback(source, G_SOURCE_FUNC(callback), host, NULL);
	g_source_attach(source, host->context);
	return source;
}

static bool is_hung_up(const struct host_chardev *host)
{
	struct pollfd poll_fd = { .fd = host->out_fd };

	return host->pty_epoll >= 0 && poll(&poll_fd, 1, 0) > 0 && poll_fd.revents & POLLHUP;
}

/* Who was there may have left something behind. */
static bool has_input(const struct host_chardev *host)
{
	struct pollfd poll_fd = { .fd = host->in_fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) > 0 && poll_fd.revents & POLLIN;
}

/* The peer is gone for now or for good. Lock held. */
static void lose_peer(struct host_chardev *host)
{
	drop_source(&host->in_source);
	drop_source(&host->out_source);
	host->out_length = 0;
	if (host->pty_epoll >= 0) {
		wait_for_peer(host);
	} else if (host->listen_fd >= 0 && host->in_fd >= 0) {
		close(host->in_fd);
		host->in_fd = host->out_fd = -1;
	}
	if (host->client_waits) {
		host->client_waits = false;
		chardev_writable(&host->base);
	}
}

static gboolean output_ready(int fd, GIOCondition condition, void *data);

/* A file takes it at once, or never: a disk that is full, say. Lock held. */
static void flush_log(struct host_chardev *host)
{
	size_t done = 0;

	while (done < host->log->len) {
		ssize_t n = write(host->log_fd, host->log->str + done, host->log->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	g_string_truncate(host->log, 0);
}

/* Writes what waits, as far as the host takes it. Lock held. */
static void flush(struct host_chardev *host)
{
	size_t done = 0;

	if (host->out_fd < 0 || is_hung_up(host))
		done = host->out_length;
	while (done < host->out_length) {
		ssize_t n = write(host->out_fd, host->out + done, host->out_length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		/* A full disk or a closed pipe: nobody will ever read it. */
		done = n < 0 ? host->out_length : done + (size_t)n;
	}
	memmove(host->out, host->out + done, host->out_length - done);
	host->out_length -= done;
	if (host->out_length && !host->out_source)
		host->out_source = watch_fd(host, host->out_fd, G_IO_OUT, output_ready);
	if (!host->out_length)
		drop_source(&host->out_source);
	if (host->client_waits && host->out_length < BUFFER_SIZE / 2) {
		host->client_waits = false;
		chardev_writable(&host->base);
	}
}

static gboolean output_ready(int fd, GIOCondition condition, void *data)
{
	struct host_chardev *host = data;

	g_mutex_lock(&host->lock->mutex);
	flush_log(host);
	viewers_flush(host->viewers);
	flush(host);
	g_mutex_unlock(&host->lock->mutex);
	return G_SOURCE_CONTINUE;
}

static gboolean flush_due(void *data)
{
	struct host_chardev *host = data;

	g_source_set_ready_time(host->flush_source, -1);
	return output_ready(-1, 0, data);
}

/* A source that is ready when its ready time is set. */
static gboolean dispatch(GSource *source, GSourceFunc callback, void *data)
{
	return callback(data);
}

static GSourceFuncs flush_funcs = { .dispatch = dispatch };

static size_t host_write(struct chardev *base, const void *data, size_t length)
{
	struct host_chardev *host = (struct host_chardev *)base;
	size_t taken = host->out_fd < 0 ? length : MIN(length, BUFFER_SIZE - host->out_length);
	bool due;

	if (host->log_fd >= 0)
		taken = MIN(taken, LOG_MAX - host->log->len);
	due = viewers_put(host->viewers, data, taken);
	if (host->log_fd >= 0)
		g_string_append_len(host->log, data, (gssize)taken);
	if (host->out_fd >= 0) {
		memcpy(host->out + host->out_length, data, taken);
		host->out_length += taken;
	}
	/* What waits already will be seen to, or wait for its reader. */
	if (taken && (due || host->log_fd >= 0 || host->out_length == taken))
		g_source_set_ready_time(host->flush_source, 0);
	host->client_waits = taken < length;
	return taken;
}

/* Hands input to the device; what it does not take stays, and no more is read; but the keys of who
 * filters it work always. Lock held. */
static void deliver(struct host_chardev *host)
{
	size_t taken = chardev_receive(&host->base, host->in, host->in_length);

	host->in_length -= taken;
	memmove(host->in, host->in + taken, host->in_length);
	if (host->in_length && !host->filter)
		drop_source(&host->in_source);
	else if (!host->in_source && !host->pty_source)
		watch_input(host);
}

static void host_resume(struct chardev *base)
{
	struct host_chardev *host = (struct host_chardev *)base;

	if (host->in_length)
		deliver(host);
	viewers_resume(host->viewers);
}

/* From an attached viewer; what the device does not take, the viewer keeps. Lock held. */
static size_t viewer_input(void *data, const char *bytes, size_t length)
{
	struct host_chardev *host = data;

	return chardev_receive(&host->base, bytes, length);
}

static const struct chardev_ops host_ops = {
	.write = host_write,
	.resume = host_resume,
};

/* After what waits already; too much is dropped. Lock held. */
static void take_input(struct host_chardev *host, const char *bytes, size_t length)
{
	length = MIN(length, sizeof(host->in) - host->in_length);
	memcpy(host->in + host->in_length, bytes, length);
	host->in_length += length;
	deliver(host);
}

static gboolean input_ready(int fd, GIOCondition condition, void *data)
{
	struct host_chardev *host = data;
	char bytes[INPUT_SIZE];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n > 0 && host->filter)
		n = (ssize_t)host->filter(host->filter_data, bytes, (size_t)n);
	else if (n <= 0)
		n = -1;
	g_mutex_lock(&host->lock->mutex);
	if (n < 0 && host->in_fd != host->out_fd) {
		/* The end of standard input is no reason to stop the output. */
		drop_source(&host->in_source);
	} else if (n < 0) {
		lose_peer(host);
	} else {
		take_input(host, bytes, (size_t)n);
	}
	g_mutex_unlock(&host->lock->mutex);
	return G_SOURCE_CONTINUE;
}

static void watch_input(struct host_chardev *host)
{
	if (host->in_fd >= 0)
		host->in_source = watch_fd(host, host->in_fd, G_IO_IN | G_IO_HUP, input_ready);
}

static gboolean pty_ready(int fd, GIOCondition condition, void *data)
{
	struct host_chardev *host = data;
	struct epoll_event event;

	epoll_wait(fd, &event, 1, 0);
	g_mutex_lock(&host->lock->mutex);
	if (!is_hung_up(host) || has_input(host)) {
		drop_source(&host->pty_source);
		if (!host->in_length)
			watch_input(host);
	}
	g_mutex_unlock(&host->lock->mutex);
	return G_SOURCE_CONTINUE;
}

/* A pseudo terminal that nobody has open is hung up, for poll() always ready. By edges epoll tells
 * only when somebody has written to it, so that nobody has to look at it again and again; what the guest
 * writes meanwhile asks by itself (is_hung_up()). */
static void wait_for_peer(struct host_chardev *host)
{
	if (!host->pty_source)
		host->pty_source = watch_fd(host, host->pty_epoll, G_IO_IN, pty_ready);
}

static gboolean peer_comes(int fd, GIOCondition condition, void *data)
{
	struct host_chardev *host = data;
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (peer < 0)
		return G_SOURCE_CONTINUE;
	g_mutex_lock(&host->lock->mutex);
	/* One at a time, the newest: the one before may have left without our having noticed. */
	if (host->in_fd >= 0)
		lose_peer(host);
	host->in_fd = host->out_fd = peer;
	if (!host->in_length)
		watch_input(host);
	g_mutex_unlock(&host->lock->mutex);
	return G_SOURCE_CONTINUE;
}

/* ---- the kinds -------------------------------------------------------------------------------- */

static bool fail(const char *path, GError **error)
{
	int code = errno;

	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
		_("cannot open '%s' for a console: %s"), path, g_strerror(code));
	return false;
}

static bool open_pty(struct host_chardev *host, GError **error)
{
	char name[128];
	int master, slave;
	struct termios raw = { 0 };
	struct epoll_event event = { .events = EPOLLIN | EPOLLHUP | EPOLLET };

	cfmakeraw(&raw);
	if (openpty(&master, &slave, NULL, &raw, NULL) < 0)
		return fail("/dev/ptmx", error);
	ttyname_r(slave, name, sizeof(name));
	close(slave);
	fcntl(master, F_SETFD, FD_CLOEXEC);
	g_unix_set_fd_nonblocking(master, TRUE, NULL);
	host->path = g_strdup(name);
	host->in_fd = host->out_fd = master;
	host->pty_epoll = epoll_create1(EPOLL_CLOEXEC);
	if (host->pty_epoll < 0 || epoll_ctl(host->pty_epoll, EPOLL_CTL_ADD, master, &event) < 0)
		return fail(name, error);
	wait_for_peer(host);
	return true;
}

static bool open_file(struct host_chardev *host, const struct config_chardev *config, GError **error)
{
	host->path = g_strdup(config->path);
	host->out_fd = given_open(config->path,
		O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
			(config->append ? O_APPEND : O_TRUNC),
		0600);
	return host->out_fd >= 0 || fail(config->path, error);
}

static bool make_ready(int fd, const struct sockaddr_un *address, bool listens)
{
	const struct sockaddr *at = (const struct sockaddr *)address;
	bool connected = connect(fd, at, sizeof(*address)) == 0;

	if (!listens)
		return connected;
	/* What a monitor that was killed left behind. */
	if (!connected && errno == ECONNREFUSED)
		unlink(address->sun_path);
	return bind(fd, at, sizeof(*address)) == 0 && listen(fd, 1) == 0;
}

/* One that listens, or is connected. */
static void use_socket(struct host_chardev *host, int fd, bool listens)
{
	if (listens) {
		host->listen_fd = fd;
		host->listen_source = watch_fd(host, fd, G_IO_IN, peer_comes);
	} else {
		host->in_fd = host->out_fd = fd;
		watch_input(host);
	}
}

static bool open_socket(struct host_chardev *host, const struct config_chardev *config,
	GError **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (!config->path)
		return true;
	host->path = g_strdup(config->path);
	if (given_has(config->path)) {
		fd = given_open(config->path, O_RDWR | O_NONBLOCK, 0);
		if (fd < 0)
			return fail(config->path, error);
		use_socket(host, fd, config->listen);
		return true;
	}
	if (strlen(config->path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return fail(config->path, error);
	}
	strcpy(address.sun_path, config->path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!make_ready(fd, &address, config->listen)) {
		fail(config->path, error);
		close(fd);
		return false;
	}
	host->unlink_path = config->listen;
	use_socket(host, fd, config->listen);
	return true;
}

/* A file description of our own, so that it can be non-blocking without a surprise for who shares
 * the old one. What cannot be opened again (a socket) is used as it is. */
static int reopen(int fd, int flags)
{
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
	struct stat status;
	int own;

	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return dup(fd);
	own = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	return own >= 0 ? own : dup(fd);
}

static struct host_chardev *alloc(GMainContext *context, struct machine_lock *lock)
{
	struct host_chardev *host = g_new0(struct host_chardev, 1);

	host->base.ops = &host_ops;
	host->lock = lock;
	host->context = context;
	host->in_fd = host->out_fd = host->listen_fd = host->log_fd = host->pty_epoll = -1;
	host->log = g_string_new(NULL);
	host->viewers = viewers_new(context, lock, &(struct viewers_ops){ viewer_input, host });
	host->flush_source = g_source_new(&flush_funcs, sizeof(GSource));
	g_source_set_callback(host->flush_source, flush_due, host, NULL);
	g_source_attach(host->flush_source, context);
	return host;
}

static bool open_log(struct host_chardev *host, const char *path, bool append, GError **error)
{
	host->log_fd = given_open(path,
		O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (append ? O_APPEND : O_TRUNC), 0600);
	return host->log_fd >= 0 || fail(path, error);
}

bool host_chardev_attach(
	struct host_chardev *host, int fd, bool write, bool force, GError **error)
{
	return viewers_attach(host->viewers, fd, write, force, error);
}

unsigned host_chardev_readers(const struct host_chardev *host)
{
	return viewers_count(host->viewers);
}

bool host_chardev_has_writer(const struct host_chardev *host)
{
	return viewers_has_writer(host->viewers);
}

struct host_chardev *host_chardev_new(const struct config_chardev *config, GMainContext *context,
	struct machine_lock *lock, GError **error)
{
	struct host_chardev *host;
	bool ok = true;

	if (config->kind == CONFIG_CHARDEV_STDIO)
		return host_chardev_new_stdio(config, context, lock, error);
	host = alloc(context, lock);
	if (config->kind == CONFIG_CHARDEV_PTY)
		ok = open_pty(host, error);
	else if (config->kind == CONFIG_CHARDEV_FILE)
		ok = open_file(host, config, error);
	else if (config->kind == CONFIG_CHARDEV_UNIX)
		ok = open_socket(host, config, error);
	if (ok && (!config->log || open_log(host, config->log, config->log_append, error)))
		return host;
	host_chardev_free(host);
	return NULL;
}

struct host_chardev *host_chardev_new_stdio(const struct config_chardev *config,
	GMainContext *context, struct machine_lock *lock, GError **error)
{
	struct host_chardev *host = alloc(context, lock);

	host->in_fd = reopen(STDIN_FILENO, O_RDONLY);
	host->out_fd = reopen(STDOUT_FILENO, O_WRONLY);
	if (host->out_fd < 0) {
		fail("/dev/stdout", error);
		host_chardev_free(host);
		return NULL;
	}
	watch_input(host);
	if (!config->log || open_log(host, config->log, config->log_append, error))
		return host;
	host_chardev_free(host);
	return NULL;
}

void host_chardev_set_filter(struct host_chardev *host,
	size_t (*filter)(void *data, char *bytes, size_t length), void *data)
{
	host->filter = filter;
	host->filter_data = data;
}

struct chardev *host_chardev_base(struct host_chardev *host)
{
	return &host->base;
}

const char *host_chardev_path(const struct host_chardev *host)
{
	return host->path;
}

/* The last words, for a reader that is slow but there: up to a second. */
static void drain(struct host_chardev *host)
{
	for (int i = 0; i < 10 && host->out_length; i++) {
		struct pollfd poll_fd = { .fd = host->out_fd, .events = POLLOUT };

		poll(&poll_fd, 1, 100);
		flush(host);
	}
}

void host_chardev_free(struct host_chardev *host)
{
	if (!host)
		return;
	host->base.client = NULL;
	flush_log(host);
	viewers_free(host->viewers);
	g_string_free(host->log, TRUE);
	if (host->log_fd >= 0)
		close(host->log_fd);
	drain(host);
	drop_source(&host->in_source);
	drop_source(&host->out_source);
	drop_source(&host->listen_source);
	drop_source(&host->pty_source);
	drop_source(&host->flush_source);
	if (host->in_fd >= 0)
		close(host->in_fd);
	if (host->out_fd >= 0 && host->out_fd != host->in_fd)
		close(host->out_fd);
	if (host->listen_fd >= 0)
		close(host->listen_fd);
	if (host->pty_epoll >= 0)
		close(host->pty_epoll);
	if (host->unlink_path)
		unlink(host->path);
	g_free(host->path);
	g_free(host);
}

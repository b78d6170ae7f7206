// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "engine/vmm/net/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEVICE "/dev/net/tun"
#define HEADER_MAX 64  /* a virtio header that a device given to us may want before each frame */
#define ROUND_MAX 64   /* frames before others get their turn */
#define PARTS_MAX 256

struct tap {
	struct net_backend base;
	struct machine_lock *lock;
	GMainContext *context;
	int fd;
	bool socket;
	size_t header; /* bytes before each frame */
	char name[IFNAMSIZ];
	GSource *source;
	void *tag;
	bool blocked; /* send() has said NET_BUSY */
	size_t waiting; /* bytes of the frame that the card had no room for; 0: none */
	uint8_t frame[HEADER_MAX + NET_FRAME_MAX];
};

/* What to wait for, by what there is to do. */
static void tap_watch(struct tap *tap)
{
	GIOCondition condition = G_IO_ERR;

	if (!tap->waiting)
		condition |= G_IO_IN;
	if (tap->blocked)
		condition |= G_IO_OUT;
	g_source_modify_unix_fd(tap->source, tap->tag, condition);
}

/* ---- to the network ------------------------------------------------------------------------------------ */

static enum net_sent tap_send(
	struct net_backend *backend, const struct iovec *iov, unsigned iov_count)
{
	static const uint8_t header[HEADER_MAX];
	struct tap *tap = (struct tap *)backend;
	struct iovec parts[PARTS_MAX + 1];
	unsigned count = 0;
	ssize_t n;

	if (iov_count > PARTS_MAX)
		return NET_DROPPED;
	if (tap->header)
		parts[count++] = (struct iovec){ (void *)header, tap->header };
	memcpy(parts + count, iov, iov_count * sizeof(*iov));
	count += iov_count;
	do {
		n = writev(tap->fd, parts, (int)count);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN) {
		tap->blocked = true;
		tap_watch(tap);
		return NET_BUSY;
	}
	return n < 0 ? NET_DROPPED : NET_SENT;
}

/* ---- from the network ---------------------------------------------------------------------------------- */

/* Gives the card the frame that waits; false: it has no room. */
static bool tap_deliver(struct tap *tap)
{
	const struct net_client *client = tap->base.client;

	if (tap->waiting && client &&
		!client->receive(tap->base.device, tap->frame + tap->header,
			tap->waiting - tap->header))
		return false;
	tap->waiting = 0;
	return true;
}

static void tap_read(struct tap *tap)
{
	for (unsigned i = 0; i < ROUND_MAX && tap_deliver(tap); i++) {
		ssize_t n = read(tap->fd, tap->frame, sizeof(tap->frame));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= (ssize_t)tap->header)
			break;
		tap->waiting = (size_t)n;
	}
	tap_deliver(tap);
	if (tap->base.client)
		tap->base.client->received(tap->base.device);
}

static void tap_resume(struct net_backend *backend)
{
	struct tap *tap = (struct tap *)backend;

	if (!tap_deliver(tap))
		return;
	if (tap->base.client)
		tap->base.client->received(tap->base.device);
	tap_watch(tap);
}

static gboolean tap_ready(void *data)
{
	struct tap *tap = data;
	GIOCondition condition;

	g_mutex_lock(&tap->lock->mutex);
	condition = g_source_query_unix_fd(tap->source, tap->tag);
	if (condition & G_IO_IN)
		tap_read(tap);
	if (condition & G_IO_OUT && tap->blocked) {
		tap->blocked = false;
		if (tap->base.client)
			tap->base.client->writable(tap->base.device);
	}
	if (condition & (G_IO_ERR | G_IO_HUP) && !(condition & (G_IO_IN | G_IO_OUT))) {
		/* The other end of a socket, or the device, is gone for good. */
		tap->base.link_up = false;
		if (tap->base.client)
			tap->base.client->link_changed(tap->base.device);
		g_source_destroy(tap->source);
	} else {
		tap_watch(tap);
	}
	g_mutex_unlock(&tap->lock->mutex);
	return G_SOURCE_CONTINUE;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, void *data)
{
	return callback(data);
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

/* ---- the device ---------------------------------------------------------------------------------------- */

static bool fail(const struct tap *tap, const char *what, GError **error)
{
	int saved = errno;

	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved), "%s '%s': %s", what, tap->name,
		g_strerror(saved));
	return false;
}

static bool make_device(struct tap *tap, const struct net_tap_config *config, GError **error)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int saved;

	g_strlcpy(request.ifr_name, config->name ? config->name : "vnet%d", IFNAMSIZ);
	tap->fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (tap->fd >= 0 && ioctl(tap->fd, TUNSETIFF, &request) == 0) {
		g_strlcpy(tap->name, request.ifr_name, IFNAMSIZ);
		return true;
	}
	saved = errno;
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved),
		_("Cannot make a TAP device for the network card (that needs the right to manage the "
		  "host's network): %s"),
		g_strerror(saved));
	return false;
}

/* Brings it up, in its bridge. The address begins with fe, so that the bridge does not take it for
 * its own. */
static bool set_up_device(const struct tap *tap, const struct net_tap_config *config, int control,
	GError **error)
{
	struct ifreq request = { 0 };

	g_strlcpy(request.ifr_name, tap->name, IFNAMSIZ);
	request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(request.ifr_hwaddr.sa_data, config->mac, 6);
	request.ifr_hwaddr.sa_data[0] = (char)0xfe;
	if (ioctl(control, SIOCSIFHWADDR, &request) < 0)
		return fail(tap, _("Cannot set the address of the TAP device"), error);
	request.ifr_mtu = config->mtu;
	if (config->mtu && ioctl(control, SIOCSIFMTU, &request) < 0)
		return fail(tap, _("Cannot set the MTU of the TAP device"), error);
	if (config->bridge) {
		struct ifreq bridge = { 0 };

		if (ioctl(control, SIOCGIFINDEX, &request) < 0)
			return fail(tap, _("Cannot find the TAP device"), error);
		bridge.ifr_ifindex = request.ifr_ifindex;
		g_strlcpy(bridge.ifr_name, config->bridge, IFNAMSIZ);
		if (ioctl(control, SIOCBRADDIF, &bridge) < 0) {
			int saved = errno;

			g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved),
				_("Cannot put the TAP device '%s' into the bridge '%s': %s"),
				tap->name, config->bridge, g_strerror(saved));
			return false;
		}
	}
	if (ioctl(control, SIOCGIFFLAGS, &request) < 0)
		return fail(tap, _("Cannot bring up the TAP device"), error);
	request.ifr_flags |= IFF_UP;
	return ioctl(control, SIOCSIFFLAGS, &request) == 0 ||
		fail(tap, _("Cannot bring up the TAP device"), error);
}

static bool open_device(struct tap *tap, const struct net_tap_config *config, GError **error)
{
	int control;
	bool ok;

	if (!make_device(tap, config, error))
		return false;
	control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ok = set_up_device(tap, config, control, error);
	close(control);
	return ok;
}

/* Looks at what was given to us. */
static bool take_device(struct tap *tap, GError **error)
{
	struct ifreq request = { 0 };
	int header = 0, type = 0;
	socklen_t length = sizeof(type);

	if (ioctl(tap->fd, TUNGETIFF, &request) == 0 && request.ifr_flags & IFF_TAP &&
		request.ifr_flags & IFF_NO_PI) {
		g_strlcpy(tap->name, request.ifr_name, IFNAMSIZ);
		if (request.ifr_flags & IFF_VNET_HDR)
			ioctl(tap->fd, TUNGETVNETHDRSZ, &header);
		/* No frames without checksums, and none of many packets. */
		ioctl(tap->fd, TUNSETOFFLOAD, 0);
		tap->header = (size_t)CLAMP(header, 0, HEADER_MAX);
		return true;
	}
	tap->socket = getsockopt(tap->fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 &&
		(type == SOCK_DGRAM || type == SOCK_SEQPACKET);
	if (tap->socket)
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
		_("The descriptor is neither a TAP device without packet information nor a socket "
		  "for datagrams"));
	return false;
}

/* ---- life ------------------------------------------------------------------------------------------------ */

static void tap_free(struct net_backend *backend)
{
	struct tap *tap = (struct tap *)backend;

	if (tap->source) {
		g_source_destroy(tap->source);
		g_source_unref(tap->source);
	}
	if (tap->fd >= 0)
		close(tap->fd);
	g_free(tap);
}

static const struct net_backend_ops tap_ops = {
	.send = tap_send,
	.resume = tap_resume,
	.free = tap_free,
};

struct net_backend *net_tap_new(const struct net_tap_config *config, GMainContext *context,
	struct machine_lock *lock, GError **error)
{
	struct tap *tap = g_new0(struct tap, 1);

	tap->base.ops = &tap_ops;
	tap->lock = lock;
	tap->fd = config->fd;
	if (!(config->fd >= 0 ? take_device(tap, error) : open_device(tap, config, error)) ||
		!g_unix_set_fd_nonblocking(tap->fd, TRUE, error)) {
		tap_free(&tap->base);
		return NULL;
	}
	tap->base.link_up = true;
	tap->source = g_source_new(&source_funcs, sizeof(GSource));
	tap->tag = g_source_add_unix_fd(tap->source, tap->fd, G_IO_IN | G_IO_ERR);
	g_source_set_callback(tap->source, tap_ready, tap, NULL);
	g_source_attach(tap->source, context);
	return &tap->base;
}

const char *net_tap_name(const struct net_backend *backend)
{
	const struct tap *tap = (const struct tap *)backend;

	return tap->socket ? NULL : tap->name;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/kept.h"

#include "engine/vmm/keeper_wire.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct kept {
	int fd;
};

struct kept *kept_new(int fd)
{
	struct kept *kept = g_new(struct kept, 1);

	kept->fd = fd;
	return kept;
}

void kept_free(struct kept *kept)
{
	if (!kept)
		return;
	close(kept->fd);
	g_free(kept);
}

int kept_fd(const struct kept *kept)
{
	return kept->fd;
}

static bool lost(GError **error)
{
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CLOSED,
		_("there is no keeper that could start a program for it"));
	return false;
}

static bool ask(struct kept *kept, enum keeper_verb verb, const char *name, uint64_t size,
	GError **error)
{
	struct keeper_request request = { .verb = verb, .size = size };
	ssize_t n;

	if (!kept)
		return lost(error);
	if (g_strlcpy(request.name, name, sizeof(request.name)) >= sizeof(request.name)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
			_("the device's name is too long: '%s'"), name);
		return false;
	}
	do {
		n = send(kept->fd, &request, sizeof(request), MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(request) || lost(error);
}

/* One message, and the descriptor that is with it, or -1. */
static bool receive(struct kept *kept, struct keeper_answer *answer, int *fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} ancillary;
	struct iovec iov = { answer, sizeof(*answer) };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &ancillary,
		.msg_controllen = sizeof(ancillary),
	};
	const struct cmsghdr *part;
	ssize_t n;

	do {
		n = recvmsg(kept->fd, &message, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	part = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	*fd = -1;
	if (part && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(part), sizeof(*fd));
	return n == (ssize_t)sizeof(*answer);
}

static int answered(struct kept *kept, char **export_name, GError **error)
{
	struct keeper_answer answer;
	int fd;

	if (!receive(kept, &answer, &fd)) {
		lost(error);
		return -1;
	}
	if (!answer.ok || fd < 0) {
		g_autofree char *sentence = NULL;

		answer.sentence[sizeof(answer.sentence) - 1] = '\0';
		sentence = g_utf8_make_valid(answer.sentence, -1);
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, sentence);
		return -1;
	}
	if (export_name)
		*export_name = g_strndup(answer.export_name, sizeof(answer.export_name));
	return fd;
}

int kept_disk(
	struct kept *kept, const char *name, uint64_t size, char **export_name, GError **error)
{
	return ask(kept, KEEPER_DISK, name, size, error) ? answered(kept, export_name, error) : -1;
}

int kept_nic(struct kept *kept, const char *name, GError **error)
{
	return ask(kept, KEEPER_NIC, name, 0, error) ? answered(kept, NULL, error) : -1;
}

void kept_drop_disk(struct kept *kept, const char *name)
{
	ask(kept, KEEPER_DROP_DISK, name, 0, NULL);
}

void kept_drop_nic(struct kept *kept, const char *name)
{
	ask(kept, KEEPER_DROP_NIC, name, 0, NULL);
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX 200

struct audit {
	int fd;
	bool reported;
};

struct audit *audit_open(const char *path, GError **error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	int code = errno;
	struct audit *audit;

	if (fd < 0) {
		g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
			"cannot open '%s': %s", path, g_strerror(code));
		return NULL;
	}
	audit = g_new0(struct audit, 1);
	audit->fd = fd;
	return audit;
}

void audit_close(struct audit *audit)
{
	if (!audit)
		return;
	close(audit->fd);
	g_free(audit);
}

/* What a client has sent cannot end the line, or its quotes. */
static char *clean(const char *text)
{
	g_autofree char *start = g_strndup(text, TEXT_MAX);
	g_autofree char *valid = g_utf8_make_valid(start, -1);

	for (char *at = valid; *at; at++)
		if ((guchar)*at < ' ' || *at == 0x7f)
			*at = ' ';
	return g_strescape(valid, NULL);
}

void audit_write(struct audit *audit, const struct audit_peer *peer, const char *what,
	const char *subject, const char *problem)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
	g_autofree char *about = subject ? clean(subject) : NULL;
	g_autofree char *why = problem ? clean(problem) : NULL;
	g_autofree char *line = NULL;

	if (!audit)
		return;
	line = g_strdup_printf("%s uid=%u gid=%u pid=%d %s%s%s%s%s%s\n", time, peer->uid, peer->gid,
		peer->pid, what, about ? " \"" : "", about ? about : "", about ? "\"" : "",
		why ? ": " : "", why ? why : "");
	if (write(audit->fd, line, strlen(line)) == (ssize_t)strlen(line) || audit->reported)
		return;
	audit->reported = true;
	g_printerr("lodged: the audit log cannot be written: %s\n", g_strerror(errno));
}

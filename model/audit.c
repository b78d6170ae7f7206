// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/audit.h"
#include "model/clock.h"
#include "model/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIELDS 7

struct audit {
	char *path;
	guint64 most;
	GQueue pending; // char *, lines with their newline, oldest first
};

void audit_record_free(struct audit_record *record)
{
	if (!record)
		return;
	g_free(record->user);
	g_free(record->uri);
	g_free(record->target);
	g_free(record->verb);
	g_free(record->result);
	g_free(record->command);
	g_free(record);
}

struct audit *audit_new(const char *path, guint64 most)
{
	struct audit *audit = g_new0(struct audit, 1);

	audit->path = path ? g_strdup(path)
			   : g_build_filename(g_get_user_state_dir(), "lodge", "audit.log", NULL);
	audit->most = most ? most : 1024 * 1024;
	g_queue_init(&audit->pending);
	return audit;
}

const char *audit_path(const struct audit *audit)
{
	return audit->path;
}

unsigned audit_pending(const struct audit *audit)
{
	return audit->pending.length;
}

char *audit_user(void)
{
	const struct passwd *entry = getpwuid(getuid());
	g_autofree char *name =
		entry ? g_strdup(entry->pw_name) : g_strdup_printf("uid %u", (unsigned)getuid());
	const char *sudo = g_getenv("SUDO_USER");
	const char *ssh = g_getenv("SSH_CONNECTION");
	GString *user = g_string_new(name);

	if (sudo && *sudo && strcmp(sudo, name))
		g_string_append_printf(user, " by %s", sudo);
	if (!ssh)
		ssh = g_getenv("SSH_CLIENT");
	if (ssh && *ssh)
		g_string_append_printf(user, " from %.*s", (int)strcspn(ssh, " "), ssh);
	return g_string_free(user, FALSE);
}

static void append_field(GString *line, const char *text, char end)
{
	for (; text && *text; text++) {
		if (*text == '\t')
			g_string_append(line, "\\t");
		else if (*text == '\n')
			g_string_append(line, "\\n");
		else if (*text == '\\')
			g_string_append(line, "\\\\");
		else
			g_string_append_c(line, *text);
	}
	g_string_append_c(line, end);
}

static char *read_field(const char *text)
{
	GString *field = g_string_new(NULL);

	for (; *text; text++) {
		if (*text != '\\' || !text[1]) {
			g_string_append_c(field, *text);
			continue;
		}
		text++;
		g_string_append_c(field, *text == 't' ? '\t' : *text == 'n' ? '\n' : *text);
	}
	return g_string_free(field, FALSE);
}

static struct audit_record *read_line(const char *line)
{
	g_auto(GStrv) fields = g_strsplit(line, "\t", FIELDS + 1);
	g_autoptr(GDateTime) time = NULL;
	struct audit_record *record;

	if (g_strv_length(fields) != FIELDS || !g_utf8_validate(line, -1, NULL))
		return NULL;
	time = g_date_time_new_from_iso8601(fields[0], NULL);
	if (!time)
		return NULL;
	record = g_new0(struct audit_record, 1);
	record->time = g_date_time_to_unix(time) * G_USEC_PER_SEC;
	record->user = read_field(fields[1]);
	record->uri = read_field(fields[2]);
	record->target = read_field(fields[3]);
	record->verb = read_field(fields[4]);
	record->result = read_field(fields[5]);
	record->command = read_field(fields[6]);
	return record;
}

static bool fail(GError **error, const struct audit *audit, int code)
{
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_FAILED,
		_("Cannot write the audit log '%s': %s. Its lines are kept in memory meanwhile."),
		audit->path, g_strerror(code));
	return false;
}

static void rotate(const struct audit *audit, int fd)
{
	g_autofree char *old = NULL;
	struct stat status;

	// Only a plain file is rotated: a log that is a device or a pipe stays where it is.
	if (fstat(fd, &status) || !S_ISREG(status.st_mode) || (guint64)status.st_size < audit->most)
		return;
	old = g_strconcat(audit->path, ".1", NULL);
	g_rename(audit->path, old);
}

// One write per line, so that lines of several consoles do not mix. A line that did not fit whole
// is taken back.
static int write_line(int fd, const char *line)
{
	size_t length = strlen(line);
	off_t before = lseek(fd, 0, SEEK_END);
	ssize_t written = write(fd, line, length);

	if (written == (ssize_t)length)
		return 0;
	int code = written < 0 ? errno : ENOSPC;

	if (written > 0 && before >= 0 && ftruncate(fd, before))
		code = errno;
	return code;
}

bool audit_flush(struct audit *audit, GError **error)
{
	int code = 0;
	int fd = g_open(audit->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 && errno == ENOENT) {
		g_autofree char *folder = g_path_get_dirname(audit->path);

		g_mkdir_with_parents(folder, 0700);
		fd = g_open(audit->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		return fail(error, audit, errno);
	while (audit->pending.length && !code) {
		code = write_line(fd, g_queue_peek_head(&audit->pending));
		if (!code)
			g_free(g_queue_pop_head(&audit->pending));
	}
	rotate(audit, fd);
	close(fd);
	return code ? fail(error, audit, code) : true;
}

bool audit_add(struct audit *audit, const char *uri, const char *target, const char *verb,
	const char *result, const char *command, GError **error)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(clock_now() / G_USEC_PER_SEC);
	g_autofree char *when = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
	g_autofree char *user = audit_user();
	GString *line = g_string_new(NULL);

	append_field(line, when, '\t');
	append_field(line, user, '\t');
	append_field(line, uri, '\t');
	append_field(line, target, '\t');
	append_field(line, verb, '\t');
	append_field(line, result, '\t');
	append_field(line, command, '\n');
	g_queue_push_tail(&audit->pending, g_string_free(line, FALSE));
	while (audit->pending.length > AUDIT_PENDING)
		g_free(g_queue_pop_head(&audit->pending));
	return audit_flush(audit, error);
}

static void read_lines(GPtrArray *records, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (unsigned i = 0; lines[i]; i++) {
		struct audit_record *record = read_line(lines[i]);

		if (record)
			g_ptr_array_add(records, record);
	}
}

// A file that is not there counts as empty, and so does one that is no plain file.
static bool read_log(GPtrArray *records, const char *path, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autofree char *text = NULL;

	if (!g_file_test(path, G_FILE_TEST_EXISTS) || !g_file_test(path, G_FILE_TEST_IS_REGULAR))
		return true;
	if (!g_file_get_contents(path, &text, NULL, &cause)) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_FAILED,
			_("Cannot read the audit log '%s': %s"), path, cause->message);
		return false;
	}
	read_lines(records, text);
	return true;
}

GPtrArray *audit_read(struct audit *audit, unsigned most, GError **error)
{
	g_autofree char *old = g_strconcat(audit->path, ".1", NULL);
	GPtrArray *records = g_ptr_array_new_with_free_func((GDestroyNotify)audit_record_free);

	if (!read_log(records, old, error) || !read_log(records, audit->path, error)) {
		g_ptr_array_unref(records);
		return NULL;
	}
	for (GList *line = audit->pending.head; line; line = line->next)
		read_lines(records, line->data);
	if (most && records->len > most)
		g_ptr_array_remove_range(records, 0, records->len - most);
	return records;
}

void audit_free(struct audit *audit)
{
	if (!audit)
		return;
	if (audit->pending.length)
		audit_flush(audit, NULL);
	g_queue_clear_full(&audit->pending, g_free);
	g_free(audit->path);
	g_free(audit);
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/daemon/save.h"

#include "engine/daemon/fault.h"
#include "engine/daemon/files.h"
#include "engine/daemon/parameters.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* So much more may the XML grow by save_file_define(). */
#define SPARE 32768u
#define ROOM_MAX (4u << 20)
#define ALIGN 4096u

struct saving {
	struct guest *guest;
	char *path;        /* where it will be, for messages */
	bool pipe;         /* it is there, and what comes is for who reads it */
	int folder;        /* that is in; -1 with a pipe */
	char *name, *part; /* as what, and as what until then */
	guest_done done;
	void *data;
	gint64 begun;
	uint64_t bytes, total;
};

void save_free(struct saving *saving)
{
	if (!saving)
		return;
	if (saving->folder >= 0)
		close(saving->folder);
	g_free(saving->path);
	g_free(saving->name);
	g_free(saving->part);
	g_free(saving);
}

static bool fail(GError **error, const char *what, const char *path)
{
	return fault_set(
		error, VIR_ERR_SYSTEM_ERROR, "%s '%s': %s", what, path, g_strerror(errno));
}

/* ---- files ----------------------------------------------------------------------------------- */

static bool write_all(int fd, const void *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes = (const char *)bytes + n;
		size -= (size_t)n;
	}
	return true;
}

static bool read_all(int fd, void *bytes, size_t size)
{
	while (size) {
		ssize_t n = read(fd, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes = (char *)bytes + n;
		size -= (size_t)n;
	}
	return true;
}

static bool write_head(int fd, const char *xml, bool running, uint32_t room)
{
	struct save_file_header header = {
		.magic = SAVE_FILE_MAGIC,
		.version = GUINT32_TO_LE(SAVE_FILE_VERSION),
		.running = GUINT32_TO_LE(running),
		.length = GUINT32_TO_LE((uint32_t)strlen(xml)),
		.room = GUINT32_TO_LE(room),
	};
	g_autofree char *text = g_malloc0(room);

	memcpy(text, xml, strlen(xml));
	return write_all(fd, &header, sizeof(header)) && write_all(fd, text, room);
}

static uint32_t room_for(const char *xml)
{
	size_t size = sizeof(struct save_file_header) + strlen(xml) + SPARE;

	return (uint32_t)((size + ALIGN - 1) / ALIGN * ALIGN - sizeof(struct save_file_header));
}

static bool read_head(struct save_file *file, uint32_t *room)
{
	struct save_file_header header;
	uint32_t length;

	if (!read_all(file->fd, &header, sizeof(header)))
		return false;
	length = GUINT32_FROM_LE(header.length);
	*room = GUINT32_FROM_LE(header.room);
	if (memcmp(header.magic, SAVE_FILE_MAGIC, sizeof(header.magic)) != 0 ||
		GUINT32_FROM_LE(header.version) != SAVE_FILE_VERSION || *room > ROOM_MAX ||
		length >= *room)
		return false;
	file->running = GUINT32_FROM_LE(header.running) == 1;
	file->xml = g_malloc(*room);
	if (!read_all(file->fd, file->xml, *room))
		return false;
	file->xml[length] = '\0';
	return strlen(file->xml) == length;
}

static bool open_file(struct save_file *file, const struct settings *settings, const char *path,
	enum file_use use, uint32_t *room, GError **error)
{
	*file = (struct save_file){.fd = file_open(settings, path, use, error)};
	return file->fd >= 0 &&
	       (read_head(file, room) ||
		       fault_set(error, VIR_ERR_OPERATION_FAILED, "%s",
			       "image magic is incorrect"));
}

bool save_file_open(
	struct save_file *file, const struct settings *settings, const char *path, GError **error)
{
	uint32_t room;

	return open_file(file, settings, path, FILE_SAVED, &room, error);
}

void save_file_clear(struct save_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	g_clear_pointer(&file->xml, g_free);
}

/* The definition that a file has, or another one of the same guest. */
static struct definition *read_definition(
	const struct save_file *file, const char *xml, GError **error)
{
	struct definition *definition = definition_read(file->xml, error), *other;

	if (!definition || !xml)
		return definition;
	other = definition_read(xml, error);
	if (other && (memcmp(other->uuid_bytes, definition->uuid_bytes, 16) != 0 ||
			     other->config->memory != definition->config->memory ||
			     other->config->vcpus_max != definition->config->vcpus_max)) {
		fault_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
			"the definition is of another machine than the one that was saved");
		g_clear_pointer(&other, definition_free);
	}
	definition_free(definition);
	return other;
}

static bool is_running(bool was, unsigned state)
{
	return state & VIR_DOMAIN_SAVE_RUNNING || (was && !(state & VIR_DOMAIN_SAVE_PAUSED));
}

bool save_file_define(const struct settings *settings, const char *path, const char *xml,
	unsigned state, GError **error)
{
	struct save_file file = {.fd = -1};
	struct definition *definition = NULL;
	uint32_t room;
	bool ok;

	if (open_file(&file, settings, path, FILE_SAVED_EDIT, &room, error))
		definition = read_definition(&file, xml, error);
	ok = definition != NULL;
	if (ok && strlen(definition->xml) >= room)
		ok = fault_set(error, VIR_ERR_OPERATION_FAILED, "new xml too large to fit in file");
	if (ok && (lseek(file.fd, 0, SEEK_SET) < 0 ||
			  !write_head(file.fd, definition->xml, is_running(file.running, state),
				  room)))
		ok = fail(error, "failed to write header to domain save file", path);
	definition_free(definition);
	save_file_clear(&file);
	return ok;
}

char *save_file_describe(const struct settings *settings, const char *path, GError **error)
{
	struct save_file file = {.fd = -1};
	struct definition *definition = NULL;
	char *xml = NULL;

	if (save_file_open(&file, settings, path, error))
		definition = definition_read(file.xml, error);
	if (definition)
		xml = definition_inactive_xml(definition);
	definition_free(definition);
	save_file_clear(&file);
	return xml;
}

char *save_managed_path(const struct guest *guest)
{
	return store_path(guest->registry->store->saves, guest_definition(guest)->uuid, ".save");
}

bool save_is_managed(const struct guest *guest)
{
	g_autofree char *path = save_managed_path(guest);

	return g_access(path, F_OK) == 0;
}

bool save_remove_managed(const struct guest *guest, GError **error)
{
	g_autofree char *path = save_managed_path(guest);

	return store_remove(path, error);
}

/* ---- saving ---------------------------------------------------------------------------------- */

static void measure(const struct saving *saving, struct save_job *job)
{
	job->done = saving->bytes;
	job->total = MAX(saving->total, saving->bytes);
	job->elapsed = (uint64_t)(g_get_monotonic_time() - saving->begun) / 1000;
}

bool save_progress(const struct guest *guest, struct save_job *job)
{
	if (guest->saving)
		measure(guest->saving, job);
	return guest->saving != NULL;
}

void save_describe(const struct save_job *job, struct parameters *parameters)
{
	uint64_t left = job->total - job->done;

	parameters_add_int(parameters, VIR_DOMAIN_JOB_OPERATION, VIR_DOMAIN_JOB_OPERATION_SAVE);
	parameters_add_ullong(parameters, VIR_DOMAIN_JOB_TIME_ELAPSED, job->elapsed);
	parameters_add_ullong(parameters, VIR_DOMAIN_JOB_DATA_TOTAL, job->total);
	parameters_add_ullong(parameters, VIR_DOMAIN_JOB_DATA_PROCESSED, job->done);
	parameters_add_ullong(parameters, VIR_DOMAIN_JOB_DATA_REMAINING, left);
	parameters_add_ullong(parameters, VIR_DOMAIN_JOB_MEMORY_TOTAL, job->total);
	parameters_add_ullong(parameters, VIR_DOMAIN_JOB_MEMORY_PROCESSED, job->done);
	parameters_add_ullong(parameters, VIR_DOMAIN_JOB_MEMORY_REMAINING, left);
}

void save_told(struct guest *guest, uint64_t done, uint64_t total)
{
	if (!guest->saving)
		return;
	guest->saving->bytes = done;
	guest->saving->total = total;
}

bool save_completed(struct guest *guest, bool keep, struct save_job *job)
{
	if (!guest->job_done)
		return false;
	*job = *guest->job_done;
	if (!keep)
		g_clear_pointer(&guest->job_done, g_free);
	return true;
}

static void tell_completed(struct guest *guest, const struct saving *saving)
{
	struct save_job *job = g_new0(struct save_job, 1);
	struct parameters parameters = {0};
	struct guest_event event = {.id = VIR_DOMAIN_EVENT_ID_JOB_COMPLETED};

	measure(saving, job);
	job->done = job->total;
	g_free(guest->job_done);
	guest->job_done = job;
	save_describe(job, &parameters);
	parameters_add_int(&parameters, VIR_DOMAIN_JOB_SUCCESS, 1);
	event.parameters = parameters.at;
	event.parameter_count = parameters.count;
	registry_tell_event(guest->registry, guest, &event);
	parameters_clear(&parameters);
}

static void drop_file(const struct saving *saving)
{
	if (!saving->pipe)
		unlinkat(saving->folder, saving->part, 0);
}

static bool come_under_name(const struct saving *saving, GError **error)
{
	int fd;

	if (saving->pipe)
		return true;
	if (renameat(saving->folder, saving->part, saving->folder, saving->name) < 0)
		return fail(error, "cannot rename the saved guest to", saving->path);
	fd = openat(saving->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	return true;
}

/* ---- for the next daemon --------------------------------------------------------------------- */

/* "DEVICE INODE PATH": what is at the path is removed only where it is this file; what is at
 * PATH.part is the daemon's own from when there is a note. */
static char *note_path(const struct guest *guest)
{
	return store_path(guest->folder, "saving", "");
}

/* fd -1: it is not there yet. */
static bool write_note(const struct guest *guest, const struct saving *saving, int fd,
	GError **error)
{
	g_autofree char *note = note_path(guest), *text = NULL;
	struct stat status = {0};

	if (saving->pipe)
		return true;
	if (fd >= 0 && fstat(fd, &status) < 0)
		return fail(error, "cannot write", saving->path);
	text = g_strdup_printf("%ju %ju %s", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino,
		saving->path);
	return store_write_volatile(note, text, error);
}

static void remove_note(const struct guest *guest)
{
	g_autofree char *note = note_path(guest);

	g_unlink(note);
}

/* What a note says, in its folder; name is in use by the noted file, or not (any more). */
struct noted {
	int folder;
	char *name, *part;
	bool named;
};

static void noted_clear(struct noted *noted)
{
	if (noted->folder >= 0)
		close(noted->folder);
	g_free(noted->name);
	g_free(noted->part);
}

static bool read_note(const struct guest *guest, struct noted *noted)
{
	g_autofree char *managed = save_managed_path(guest), *note = note_path(guest);
	g_autofree char *text = NULL;
	const struct settings *settings = guest->registry->settings;
	uintmax_t device, inode;
	struct stat status;
	int length = 0;

	*noted = (struct noted){.folder = -1};
	if (!g_file_get_contents(note, &text, NULL, NULL) ||
		sscanf(text, "%ju %ju %n", &device, &inode, &length) != 2 || !text[length])
		return false;
	if (strcmp(text + length, managed) == 0)
		settings = NULL;
	noted->folder = file_open_folder(settings, text + length, NULL);
	noted->name = g_path_get_basename(text + length);
	noted->part = g_strconcat(noted->name, ".part", NULL);
	noted->named = noted->folder >= 0 &&
		       fstatat(noted->folder, noted->name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		       status.st_dev == device && status.st_ino == inode;
	return noted->folder >= 0;
}

void save_undo(struct guest *guest)
{
	struct noted noted;

	save_remove_managed(guest, NULL);
	/* Not one of this daemon's own. */
	if (guest->saving)
		return;
	if (read_note(guest, &noted)) {
		unlinkat(noted.folder, noted.part, 0);
		if (noted.named)
			unlinkat(noted.folder, noted.name, 0);
	}
	noted_clear(&noted);
	remove_note(guest);
}

bool save_has_worked(const struct guest *guest)
{
	struct noted noted;
	bool worked = read_note(guest, &noted) && noted.named;

	noted_clear(&noted);
	return worked;
}

/* ---- the monitor ----------------------------------------------------------------------------- */

static void ignore(void *data, JsonObject *answer, const GError *problem)
{
}

/* It must not go on: what it does now is not in the file. */
static void told_to_quit(void *data, JsonObject *answer, const GError *problem)
{
	const struct guest *guest = data;

	if (problem)
		monitor_terminate(guest->monitor, true);
}

static void saved(void *data, JsonObject *answer, const GError *problem)
{
	struct guest *guest = data;
	struct saving *saving = g_steal_pointer(&guest->saving);
	bool cancelled = guest->save_cancelled;
	g_autoptr(GError) error = NULL;

	guest->save_cancelled = false;
	if (!problem && come_under_name(saving, &error)) {
		tell_completed(guest, saving);
		guest_leave_saved(guest, saving->done, saving->data);
		guest_ask(guest, "quit", NULL, -1, told_to_quit, guest);
	} else {
		drop_file(saving);
		remove_note(guest);
		if (!problem)
			guest_ask(guest, "save-cancel", NULL, -1, ignore, guest);
		if (cancelled)
			fault_set(&error, VIR_ERR_OPERATION_ABORTED,
				"domain save job: canceled by client");
		saving->done(saving->data, error ? error : problem);
	}
	save_free(saving);
}

static bool make_folder(const char *path, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);

	return g_mkdir_with_parents(folder, 0700) == 0 || fail(error, "cannot make", folder);
}

static int open_part(const struct saving *saving, GError **error)
{
	int fd = openat(saving->folder, saving->part,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd < 0)
		fail(error, "Failed to create file", saving->path);
	return fd;
}

/* One that takes the head at once: nobody waits here for who reads. */
static int open_pipe(const struct settings *settings, const struct saving *saving, uint32_t head,
	GError **error)
{
	int fd = file_open(settings, saving->path, FILE_PIPE, error);

	if (fd < 0 || fcntl(fd, F_GETPIPE_SZ) >= (int)head || fcntl(fd, F_SETPIPE_SZ, head) >= 0)
		return fd;
	fail(error, "cannot write", saving->path);
	close(fd);
	return -1;
}

/* The file as far as it is ours; -1 sets the error. */
static int begin_file(const struct guest *guest, const struct saving *saving,
	const struct definition *definition, bool running, GError **error)
{
	const struct settings *settings = guest->registry->settings;
	uint32_t room = room_for(definition->xml);
	uint32_t head = room + (uint32_t)sizeof(struct save_file_header);
	int fd = -1;

	if (saving->pipe)
		fd = open_pipe(settings, saving, head, error);
	else if (write_note(guest, saving, -1, error))
		fd = open_part(saving, error);
	if (fd < 0) {
		remove_note(guest);
		return fd;
	}
	if (!write_head(fd, definition->xml, running, room))
		fail(error, "cannot write", saving->path);
	else if (write_note(guest, saving, fd, error))
		return fd;
	close(fd);
	drop_file(saving);
	remove_note(guest);
	return -1;
}

static bool check(const struct guest *guest, const char *path, GError **error)
{
	if (!guest_check_active(guest, error))
		return false;
	if (guest->saving)
		return fault_set(error, VIR_ERR_OPERATION_TIMEOUT,
			"cannot acquire state change lock (held by a save)");
	if (!path)
		return guest->saved || fault_set(error, VIR_ERR_OPERATION_INVALID,
					       "cannot do managed save for transient domain");
	return g_path_is_absolute(path) ||
	       fault_set(error, VIR_ERR_INVALID_ARG, "'%s' is not a whole path", path);
}

/* What goes into the file: what the guest runs with, or the client's own version. */
static struct definition *pick_definition(
	const struct guest *guest, const char *xml, GError **error)
{
	const struct save_file file = {.fd = -1, .xml = guest->running->xml};

	return read_definition(&file, xml, error);
}

/* path NULL: managed. */
static struct saving *saving_new(const struct guest *guest, const char *path, GError **error)
{
	const struct settings *settings = path ? guest->registry->settings : NULL;
	struct saving *saving = g_new0(struct saving, 1);
	struct stat status;

	saving->path = path ? g_strdup(path) : save_managed_path(guest);
	saving->name = g_path_get_basename(saving->path);
	saving->part = g_strconcat(saving->name, ".part", NULL);
	saving->folder = -1;
	saving->begun = g_get_monotonic_time();
	/* Until the monitor has told. */
	saving->total = guest->running->config->memory;
	saving->pipe = path && stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
	if (!saving->pipe && (path || make_folder(saving->path, error)))
		saving->folder = file_open_folder(settings, saving->path, error);
	if (saving->pipe || saving->folder >= 0)
		return saving;
	save_free(saving);
	return NULL;
}

void save_begin(struct guest *guest, const char *path, const char *xml, unsigned state,
	guest_done done, void *data)
{
	bool running = guest->state == VIR_DOMAIN_RUNNING;
	struct definition *definition = NULL;
	g_autoptr(GError) error = NULL;
	struct saving *saving;
	JsonObject *members;
	int fd = -1;

	if (!check(guest, path, &error) || !(definition = pick_definition(guest, xml, &error))) {
		done(data, error);
		return;
	}
	saving = saving_new(guest, path, &error);
	if (saving)
		fd = begin_file(guest, saving, definition, is_running(running, state), &error);
	definition_free(definition);
	if (fd < 0) {
		save_free(saving);
		done(data, error);
		return;
	}
	saving->done = done;
	saving->data = data;
	guest->saving = saving;
	guest->save_cancelled = false;
	g_clear_pointer(&guest->job_done, g_free);
	members = json_object_new();
	json_object_set_boolean_member(members, "hold", TRUE);
	guest_ask(guest, "save", members, fd, saved, guest);
}

void save_abort(struct guest *guest, guest_done done, void *data)
{
	g_autoptr(GError) error = NULL;

	if (guest_check_active(guest, &error) && guest->saving) {
		guest->save_cancelled = true;
		guest_request(guest, "save-cancel", done, data);
		return;
	}
	if (!error)
		fault_set(&error, VIR_ERR_OPERATION_INVALID, "no job is active on the domain");
	done(data, error);
}

/* ---- restoring ------------------------------------------------------------------------------- */

void save_restore(struct registry *registry, const char *path, const char *xml, unsigned state,
	struct guest **guest, guest_done done, void *data)
{
	struct save_file file = {.fd = -1};
	struct definition *definition = NULL;
	g_autoptr(GError) error = NULL;

	*guest = NULL;
	if (save_file_open(&file, registry->settings, path, &error))
		definition = read_definition(&file, xml, &error);
	if (definition)
		*guest = registry_add_transient(registry, definition->xml, &error);
	if (*guest) {
		struct guest_launch launch = {
			.paused = !is_running(file.running, state),
			.restore = file.fd,
		};

		file.fd = -1;
		guest_start_with(*guest, &launch, done, data);
	} else {
		done(data, error);
	}
	definition_free(definition);
	save_file_clear(&file);
}

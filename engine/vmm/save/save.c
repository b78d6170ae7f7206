// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/save/save.h"

#include "engine/vmm/block/block.h"
#include "engine/vmm/devices.h"
#include "engine/vmm/sandbox.h"
#include "engine/vmm/save/parts.h"
#include "engine/vmm/save/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRESS_MS 100

struct save {
	struct machine *machine;
	char *path;      /* or NULL */
	char *temporary; /* beside it; NULL when it is gone or has its name */
	struct state_out *state;
	GPtrArray *disks; /* struct block_backend, not owned */
	struct save_writer writer;
	GThread *thread;
	GError *error; /* the thread's */
	GSource *finished, *progress;
	void (*ended)(void *data, GError *error);
	void *data;
};

static bool fail(int code, const char *path, GError **error)
{
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
		_("'%s' cannot be written: %s"), path, g_strerror(code));
	return false;
}

/* ---- the thread ---- */

struct flush {
	struct block_request request;
	GMutex mutex;
	GCond cond;
	bool done;
	int error;
};

static void flushed(struct block_request *request, int error)
{
	struct flush *flush = request->opaque;

	g_mutex_lock(&flush->mutex);
	flush->error = error;
	flush->done = true;
	g_cond_signal(&flush->cond);
	g_mutex_unlock(&flush->mutex);
}

static int flush_disk(struct block_backend *disk)
{
	struct flush flush = {
		.request = {.op = BLOCK_FLUSH, .done = flushed, .opaque = &flush},
	};

	g_mutex_init(&flush.mutex);
	g_cond_init(&flush.cond);
	block_submit(disk, &flush.request);
	g_mutex_lock(&flush.mutex);
	while (!flush.done)
		g_cond_wait(&flush.cond, &flush.mutex);
	g_mutex_unlock(&flush.mutex);
	g_mutex_clear(&flush.mutex);
	g_cond_clear(&flush.cond);
	return flush.error;
}

/* What the guest has written must not be older than what it remembers of it. */
static bool flush_disks(struct save *save, GError **error)
{
	for (unsigned i = 0; i < save->disks->len; i++) {
		struct block_backend *disk = g_ptr_array_index(save->disks, i);
		int code = disk->read_only ? 0 : flush_disk(disk);

		if (!code)
			continue;
		g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
			_("a disk of the guest cannot be flushed: %s"), g_strerror(code));
		return false;
	}
	return true;
}

/* A pipe or socket cannot be synchronised. */
static bool sync_file(int fd, const char *path, GError **error)
{
	if (fsync(fd) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP)
		return true;
	return fail(errno, path, error);
}

static bool sync_directory(const char *path, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(path);
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && sync_file(fd, directory, error);

	if (fd < 0)
		return fail(errno, directory, error);
	close(fd);
	return ok;
}

static bool put_in_place(struct save *save, GError **error)
{
	if (!save->path)
		return true;
	if (rename(save->temporary, save->path) < 0)
		return fail(errno, save->path, error);
	g_clear_pointer(&save->temporary, g_free);
	return sync_directory(save->path, error);
}

static bool write_file(struct save *save, GError **error)
{
	const struct machine_parts *parts = machine_parts(save->machine);

	return flush_disks(save, error) && save_write_records(&save->writer, save->state, error) &&
	       save_write_memory(&save->writer, parts->memory, error) &&
	       save_write_end(&save->writer, error) &&
	       sync_file(save->writer.fd, save->path ? save->path : _("the file"), error) &&
	       put_in_place(save, error);
}

static void *write_thread(void *data)
{
	struct save *save = data;

	sandbox_thread(SANDBOX_BLOCK);
	write_file(save, &save->error);
	g_source_set_ready_time(save->finished, 0);
	return NULL;
}

/* ---- the main thread ---- */

static void drop_source(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

void save_free(struct save *save)
{
	if (!save)
		return;
	atomic_store(&save->writer.cancelled, true);
	if (save->thread)
		g_thread_join(save->thread);
	drop_source(&save->finished);
	drop_source(&save->progress);
	if (save->temporary)
		unlink(save->temporary);
	if (save->writer.fd >= 0)
		close(save->writer.fd);
	g_clear_error(&save->error);
	if (save->disks)
		g_ptr_array_unref(save->disks);
	state_out_free(save->state);
	g_free(save->temporary);
	g_free(save->path);
	g_free(save);
}

static uint64_t total(const struct save *save)
{
	const struct guest_memory *memory = machine_parts(save->machine)->memory;
	uint64_t address, size, sum = 0;
	uint8_t *at;

	for (unsigned i = 0; save_region(memory, i, &address, &at, &size); i++)
		sum += size;
	return sum;
}

static gboolean tell_progress(void *data)
{
	struct save *save = data;
	JsonObject *fields = json_object_new();

	json_object_set_int_member(fields, "done", (gint64)atomic_load(&save->writer.done));
	json_object_set_int_member(fields, "total", (gint64)total(save));
	machine_notify(save->machine, "save", NULL, fields);
	return G_SOURCE_CONTINUE;
}

static gboolean finish(void *data)
{
	struct save *save = data;
	void (*ended)(void *data, GError *error) = save->ended;
	void *ended_data = save->data;
	GError *error;

	g_clear_pointer(&save->thread, g_thread_join);
	error = g_steal_pointer(&save->error);
	if (!error)
		tell_progress(save);
	machine_set_save(save->machine, NULL);
	save_free(save);
	ended(ended_data, error);
	return G_SOURCE_REMOVE;
}

static gboolean dispatch_finished(GSource *source, GSourceFunc callback, void *data)
{
	g_source_set_ready_time(source, -1);
	return callback(data);
}

static GSourceFuncs finished_funcs = {.dispatch = dispatch_finished};

static void watch(struct save *save)
{
	GMainContext *context = machine_parts(save->machine)->context;

	save->finished = g_source_new(&finished_funcs, sizeof(GSource));
	g_source_set_callback(save->finished, finish, save, NULL);
	g_source_attach(save->finished, context);
	save->progress = g_timeout_source_new(PROGRESS_MS);
	g_source_set_callback(save->progress, tell_progress, save, NULL);
	g_source_attach(save->progress, context);
}

static bool open_file(struct save *save, const char *path, GError **error)
{
	if (!sandbox_allows_paths(error))
		return false;
	save->path = g_strdup(path);
	save->temporary = g_strdup_printf("%s.XXXXXX", path);
	save_writer_init(
		&save->writer, g_mkstemp_full(save->temporary, O_WRONLY | O_CLOEXEC, 0600));
	if (save->writer.fd >= 0)
		return true;
	g_clear_pointer(&save->temporary, g_free);
	return fail(errno, path, error);
}

static void list_disks(struct save *save)
{
	const GPtrArray *slots = devices_list(machine_parts(save->machine)->devices);

	save->disks = g_ptr_array_new();
	for (unsigned i = 0; i < slots->len; i++) {
		const struct device_slot *slot = g_ptr_array_index(slots, i);

		if (slot->disk)
			g_ptr_array_add(save->disks, slot->disk);
	}
}

/* The guest stands still. */
static bool begin(struct save *save, const char *path, GError **error)
{
	const struct machine_parts *parts = machine_parts(save->machine);

	devices_drain(parts->devices);
	list_disks(save);
	return save_parts(parts, save->state, error) && (!path || open_file(save, path, error));
}

bool save_start(struct machine *machine, const char *path, int fd,
	void (*ended)(void *data, GError *error), void *data, GError **error)
{
	struct save *save = g_new0(struct save, 1);

	save->machine = machine;
	save_writer_init(&save->writer, path ? -1 : fd);
	save->state = state_out_new();
	save->ended = ended;
	save->data = data;
	if (!machine_hold(machine, error)) {
		save_free(save);
		return false;
	}
	if (!begin(save, path, error)) {
		save_free(save);
		machine_release(machine);
		return false;
	}
	watch(save);
	machine_set_save(machine, save);
	save->thread = g_thread_new("save", write_thread, save);
	return true;
}

bool save_cancel(struct machine *machine)
{
	struct save *save = machine_get_save(machine);

	if (save)
		atomic_store(&save->writer.cancelled, true);
	return save != NULL;
}

bool save_restore(const struct machine_parts *parts, struct save_reader *reader, GError **error)
{
	return load_blocks(parts, save_reader_state(reader), error) &&
	       save_read_memory(reader, parts->memory, error) &&
	       load_parts(parts, save_reader_state(reader), error);
}

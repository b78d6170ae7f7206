// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct waiter {
	void (*done)(void *data, const GError *error);
	void *data;
};

/* What one thread does. */
struct round {
	GHashTable *folders; /* char * */
	GQueue waiters;      /* struct waiter */
	GThread *thread;
	GError *error; /* the first one */
};

static struct {
	struct round *now;  /* its thread runs, or has ended and is to be joined; or NULL */
	struct round *next; /* NULL: nothing was noted since */
	guint turn;         /* the source that begins the next one, or 0 */
	uint64_t noted;
} the;

static struct round *round_new(void)
{
	struct round *round = g_new0(struct round, 1);

	round->folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_queue_init(&round->waiters);
	return round;
}

static void round_free(struct round *round)
{
	g_hash_table_unref(round->folders);
	g_queue_clear_full(&round->waiters, g_free);
	g_clear_error(&round->error);
	g_free(round);
}

static void sync_one(struct round *round, const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if ((fd < 0 || fsync(fd) < 0) && !round->error) {
		int code = errno;

		round->error = g_error_new(G_FILE_ERROR, (int)g_file_error_from_errno(code),
			"cannot write '%s': %s", folder, g_strerror(code));
		g_printerr("lodged: %s\n", round->error->message);
	}
	if (fd >= 0)
		close(fd);
}

static void sync_all(struct round *round)
{
	GHashTableIter at;
	void *folder;

	g_hash_table_iter_init(&at, round->folders);
	while (g_hash_table_iter_next(&at, &folder, NULL))
		sync_one(round, folder);
}

static gboolean round_ended(void *data);

static void *run(void *data)
{
	sync_all(data);
	g_idle_add_full(G_PRIORITY_DEFAULT, round_ended, data, NULL);
	return NULL;
}

static gboolean begin(void *data)
{
	the.turn = 0;
	/* Otherwise when that one has ended. */
	if (the.next && !the.now) {
		the.now = g_steal_pointer(&the.next);
		the.now->thread = g_thread_new("sync", run, the.now);
	}
	return G_SOURCE_REMOVE;
}

static void tell(struct round *round)
{
	struct waiter *waiter;

	while ((waiter = g_queue_pop_head(&round->waiters))) {
		waiter->done(waiter->data, round->error);
		g_free(waiter);
	}
	round_free(round);
}

static gboolean round_ended(void *data)
{
	struct round *round = g_steal_pointer(&the.now);

	g_thread_join(round->thread);
	begin(NULL);
	tell(round);
	return G_SOURCE_REMOVE;
}

void sync_note(const char *path)
{
	the.noted++;
	if (!the.next)
		the.next = round_new();
	g_hash_table_add(the.next->folders, g_path_get_dirname(path));
	/* What else is ready in this turn of the loop may come along. */
	if (!the.turn)
		the.turn = g_idle_add_full(G_PRIORITY_DEFAULT, begin, NULL, NULL);
}

uint64_t sync_noted(void)
{
	return the.noted;
}

void sync_wait(void (*done)(void *data, const GError *error), void *data)
{
	struct round *round = the.next ? the.next : the.now;
	struct waiter *waiter;

	if (!round) {
		done(data, NULL);
		return;
	}
	waiter = g_new0(struct waiter, 1);
	waiter->done = done;
	waiter->data = data;
	g_queue_push_tail(&round->waiters, waiter);
}

/* Who is told may change more. */
void sync_finish(void)
{
	while (the.now || the.next) {
		struct round *now = g_steal_pointer(&the.now), *next = g_steal_pointer(&the.next);

		if (now) {
			g_thread_join(now->thread);
			g_source_remove_by_user_data(now);
			tell(now);
		}
		if (next) {
			sync_all(next);
			tell(next);
		}
	}
	if (the.turn)
		g_source_remove(the.turn);
	the.turn = 0;
}

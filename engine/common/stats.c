// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/common/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A write takes under a microsecond; a reader that finds one this often will not find better. */
#define TRIES 1000u

G_DEFINE_QUARK(lodge-stats-error, stats_error)

#define WHOLE_WORDS(type) _Static_assert(sizeof(type) % 8 == 0, "copied as words")
WHOLE_WORDS(struct stats_guest);
WHOLE_WORDS(struct stats_vcpu);
WHOLE_WORDS(struct stats_disk);
WHOLE_WORDS(struct stats_nic);
_Static_assert(sizeof(struct stats_vcpu) % 64 == 0, "vCPUs do not share cache lines");
_Static_assert(offsetof(struct stats_page, guest) == 64, "the head is as in every version");

struct stats_reader {
	const struct stats_page *page;
};

/* ---- readers ---------------------------------------------------------------------------------------- */

static bool fail(const char *path, GError **error)
{
	int code = errno;

	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
		_("cannot open the statistics '%s': %s"), path, g_strerror(code));
	return false;
}

static bool is_ours(const struct stats_page *page)
{
	return __atomic_load_n(&page->magic, __ATOMIC_ACQUIRE) == STATS_MAGIC &&
		page->version == STATS_VERSION && page->size == sizeof(*page);
}

static const struct stats_page *map_page(int fd, const char *path, GError **error)
{
	struct stat status;
	void *page;

	if (fstat(fd, &status) < 0)
		return fail(path, error), NULL;
	page = S_ISREG(status.st_mode) && status.st_size == sizeof(struct stats_page)
		? mmap(NULL, sizeof(struct stats_page), PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0)
		: NULL;
	if (page == MAP_FAILED)
		return fail(path, error), NULL;
	if (page && is_ours(page))
		return page;
	if (page)
		munmap(page, sizeof(struct stats_page));
	g_set_error(error, STATS_ERROR, STATS_ERROR_FOREIGN,
		_("'%s' holds no statistics of this version's monitor"), path);
	return NULL;
}

struct stats_reader *stats_reader_open(const char *path, GError **error)
{
	/* Nobody's pipe or terminal is waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	const struct stats_page *page;
	struct stats_reader *reader;

	if (fd < 0)
		return fail(path, error), NULL;
	page = map_page(fd, path, error);
	close(fd);
	if (!page)
		return NULL;
	reader = g_new0(struct stats_reader, 1);
	reader->page = page;
	return reader;
}

void stats_reader_free(struct stats_reader *reader)
{
	if (!reader)
		return;
	munmap((void *)reader->page, sizeof(*reader->page));
	g_free(reader);
}

/* Word by word: the other side may be storing them. */
static void copy(void *to, const void *from, size_t size)
{
	uint64_t *target = to;
	const uint64_t *source = from;

	for (size_t i = 0; i < size / 8; i++)
		target[i] = stats_get(&source[i]);
}

static uint64_t read_begin(const uint64_t *sequence)
{
	return __atomic_load_n(sequence, __ATOMIC_ACQUIRE);
}

/* Was it even, and is it still the same? */
static bool read_worked(const uint64_t *sequence, uint64_t before)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return !(before & 1) && stats_get(sequence) == before;
}

/* The page may say anything. */
static void tame(struct stats_guest *guest)
{
	guest->name[sizeof(guest->name) - 1] = '\0';
	guest->uuid[sizeof(guest->uuid) - 1] = '\0';
	guest->vcpu_records = MIN(guest->vcpu_records, STATS_VCPUS_MAX);
	guest->disk_records = MIN(guest->disk_records, STATS_DISKS_MAX);
	guest->nic_records = MIN(guest->nic_records, STATS_NICS_MAX);
}

static bool read_sampled(const struct stats_page *from, struct stats_page *page)
{
	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t before = read_begin(&from->sequence);

		copy(&page->guest, &from->guest, sizeof(page->guest));
		tame(&page->guest);
		copy(page->vcpus, from->vcpus, page->guest.vcpu_records * sizeof(*page->vcpus));
		page->sequence = before;
		if (read_worked(&from->sequence, before))
			return true;
	}
	return false;
}

static bool read_record(const struct stats_record *from, struct stats_record *record, size_t size)
{
	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t before = read_begin(&from->sequence);

		copy(record, from, size);
		record->name[sizeof(record->name) - 1] = '\0';
		if (read_worked(&from->sequence, before))
			return true;
	}
	return false;
}

bool stats_reader_read(const struct stats_reader *reader, struct stats_page *page)
{
	const struct stats_page *from = reader->page;

	page->magic = STATS_MAGIC;
	page->version = STATS_VERSION;
	page->size = sizeof(*page);
	if (!read_sampled(from, page))
		return false;
	for (unsigned i = 0; i < page->guest.disk_records; i++)
		if (!read_record(&from->disks[i].record, &page->disks[i].record,
			    sizeof(page->disks[i])))
			return false;
	for (unsigned i = 0; i < page->guest.nic_records; i++)
		if (!read_record(&from->nics[i].record, &page->nics[i].record,
			    sizeof(page->nics[i])))
			return false;
	return true;
}

/* ---- writers ---------------------------------------------------------------------------------------- */

/* A file that a monitor before has left may be mapped by somebody: it is not used again. */
static int make_file(const char *path, GError **error)
{
	int fd;

	if (unlink(path) < 0 && errno != ENOENT)
		return fail(path, error), -1;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(path, error), -1;
	/* A tmpfs that is full says so now, not by a SIGBUS later. */
	errno = posix_fallocate(fd, 0, sizeof(struct stats_page));
	if (!errno)
		return fd;
	fail(path, error);
	close(fd);
	unlink(path);
	return -1;
}

struct stats_page *stats_page_new(const char *path, GError **error)
{
	int fd = path ? make_file(path, error) : -1;
	struct stats_page *page;

	if (path && fd < 0)
		return NULL;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE,
		path ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
	if (page == MAP_FAILED)
		fail(path ? path : "", error);
	if (fd >= 0)
		close(fd);
	if (page == MAP_FAILED)
		return NULL;
	page->version = STATS_VERSION;
	page->size = sizeof(*page);
	__atomic_store_n(&page->magic, STATS_MAGIC, __ATOMIC_RELEASE);
	return page;
}

void stats_page_free(struct stats_page *page)
{
	if (page)
		munmap(page, sizeof(*page));
}

static void begin(uint64_t *sequence)
{
	stats_add(sequence, 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static void end(uint64_t *sequence)
{
	__atomic_store_n(sequence, stats_get(sequence) + 1, __ATOMIC_RELEASE);
}

void stats_begin(struct stats_page *page)
{
	begin(&page->sequence);
}

void stats_end(struct stats_page *page)
{
	end(&page->sequence);
}

/* An empty record of a table with entries of this size; count: how many were ever used. */
static void *add_record(void *table, size_t size, unsigned max, uint64_t *count, const char *name)
{
	for (unsigned i = 0; i < max; i++) {
		struct stats_record *record = (void *)((char *)table + i * size);

		if (record->present)
			continue;
		begin(&record->sequence);
		memset((char *)record + sizeof(record->sequence), 0, size - sizeof(record->sequence));
		g_strlcpy(record->name, name, sizeof(record->name));
		record->present = 1;
		end(&record->sequence);
		if (*count <= i)
			stats_set(count, i + 1);
		return record;
	}
	return NULL;
}

struct stats_disk *stats_add_disk(struct stats_page *page, const char *name)
{
	return add_record(page->disks, sizeof(*page->disks), STATS_DISKS_MAX,
		&page->guest.disk_records, name);
}

struct stats_nic *stats_add_nic(struct stats_page *page, const char *name)
{
	return add_record(page->nics, sizeof(*page->nics), STATS_NICS_MAX, &page->guest.nic_records,
		name);
}

static void remove_record(struct stats_record *record)
{
	begin(&record->sequence);
	stats_set(&record->present, 0);
	end(&record->sequence);
}

void stats_remove_disk(struct stats_disk *disk)
{
	if (disk)
		remove_record(&disk->record);
}

void stats_remove_nic(struct stats_nic *nic)
{
	if (nic)
		remove_record(&nic->record);
}

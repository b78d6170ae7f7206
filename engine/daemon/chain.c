// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/daemon/chain.h"

#include "engine/daemon/fault.h"

#include <string.h>
#include <unistd.h>

/* So much of an image's beginning is looked at; QCOW2 headers end within the first cluster, which
 * may be larger, but nothing that writes them comes near this. */
#define HEAD_SIZE 65536u
#define NAME_MAX_SIZE 1023u

struct image {
	int fd;
	const char *path;
	uint8_t *head; /* HEAD_SIZE bytes, what the file does not have is 0 */
	char *backing, *format;
};

static uint32_t be32(const struct image *image, size_t at)
{
	uint32_t value;

	memcpy(&value, image->head + at, sizeof(value));
	return GUINT32_FROM_BE(value);
}

static uint64_t be64(const struct image *image, size_t at)
{
	return (uint64_t)be32(image, at) << 32 | be32(image, at + 4);
}

static uint64_t le64(const struct image *image, size_t at)
{
	uint64_t value;

	memcpy(&value, image->head + at, sizeof(value));
	return GUINT64_FROM_LE(value);
}

/* As much as there is, zeros behind it. */
static void read_at(int fd, uint8_t *bytes, size_t size, uint64_t offset)
{
	size_t done = 0;
	ssize_t n = 0;

	memset(bytes, 0, size);
	if (offset > (uint64_t)G_MAXINT64 - size)
		return;
	while (done < size &&
		(n = pread(fd, bytes + done, size - done, (off_t)(offset + done))) > 0)
		done += (size_t)n;
}

static bool broken(const struct image *image, GError **error)
{
	return fault_set(error, VIR_ERR_INTERNAL_ERROR,
		"the header of image '%s' is not one of its format", image->path);
}

static bool no_other_files(const struct image *image, GError **error)
{
	return fault_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
		"image '%s' has data in other files, which only qcow2 images may have, by a backing "
		"file",
		image->path);
}

/* ---- qcow2 ------------------------------------------------------------------------------------- */

#define QCOW2_MAGIC 0x514649fbu
#define QCOW2_VERSION 4
#define QCOW2_BACKING_OFFSET 8
#define QCOW2_BACKING_SIZE 16
#define QCOW2_HEADER_2 72u /* the size of version 2's */
#define QCOW2_FEATURES 72
#define QCOW2_FEATURE_DATA_FILE (1u << 2)
#define QCOW2_HEADER_LENGTH 100
#define QCOW2_HEADER_3 104u
#define QCOW2_EXTENSION_FORMAT 0xe2792acau

/* In the directory of the image that names it; a protocol ("nbd:", "json:") stands before any '/',
 * as QEMU sees it. */
static char *whole_path(const struct image *image, const char *name)
{
	g_autofree char *folder = g_path_get_dirname(image->path);

	if (name[strcspn(name, ":/")] == ':')
		return NULL;
	return g_path_is_absolute(name) ? g_strdup(name) : g_build_filename(folder, name, NULL);
}

static bool is_text(const char *name, size_t size)
{
	if (strlen(name) != size || !g_utf8_validate(name, (gssize)size, NULL))
		return false;
	for (; *name; name++)
		if (g_ascii_iscntrl(*name))
			return false;
	return true;
}

static bool read_backing(struct image *image, GError **error)
{
	uint64_t offset = be64(image, QCOW2_BACKING_OFFSET);
	uint32_t size = be32(image, QCOW2_BACKING_SIZE);
	char name[NAME_MAX_SIZE + 1] = "";

	if (!offset)
		return true;
	if (!size || size > NAME_MAX_SIZE)
		return broken(image, error);
	read_at(image->fd, (uint8_t *)name, size, offset);
	if (!is_text(name, size))
		return broken(image, error);
	image->backing = whole_path(image, name);
	return image->backing ||
	       fault_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
		       "the backing file '%s' of image '%s' is not a file of this host", name,
		       image->path);
}

/* Extensions: type, length, that many bytes filled up to 8; a type of 0 ends them. */
static bool read_format(struct image *image, size_t at, GError **error)
{
	while (at <= HEAD_SIZE - 8) {
		uint32_t type = be32(image, at), size = be32(image, at + 4);

		at += 8;
		if (!type)
			return true;
		if (size > HEAD_SIZE - at)
			return broken(image, error);
		if (type == QCOW2_EXTENSION_FORMAT) {
			g_free(image->format);
			image->format = g_strndup((const char *)image->head + at, size);
		}
		at += (size + 7) & ~7ull;
	}
	return broken(image, error);
}

static bool read_qcow2(struct image *image, GError **error)
{
	uint32_t version = be32(image, QCOW2_VERSION);
	size_t extensions = version == 2 ? QCOW2_HEADER_2 : be32(image, QCOW2_HEADER_LENGTH);

	if (be32(image, 0) != QCOW2_MAGIC || (version != 2 && version != 3))
		return broken(image, error);
	if (version == 3 && extensions < QCOW2_HEADER_3)
		return broken(image, error);
	if (version == 3 && be64(image, QCOW2_FEATURES) & QCOW2_FEATURE_DATA_FILE)
		return no_other_files(image, error);
	if (!read_backing(image, error) || !read_format(image, extensions, error))
		return false;
	return !image->backing || image->format ||
	       fault_set(error, VIR_ERR_OPERATION_INVALID,
		       "format of backing image '%s' of image '%s' was not specified in the image "
		       "metadata (See https://libvirt.org/kbase/backing_chains.html for "
		       "troubleshooting)",
		       image->backing, image->path);
}

/* ---- others ------------------------------------------------------------------------------------ */

#define QED_FEATURES 16
#define QED_FEATURE_BACKING_FILE 1u

static bool read_qed(struct image *image, GError **error)
{
	if (memcmp(image->head, "QED", 4) != 0)
		return broken(image, error);
	return !(le64(image, QED_FEATURES) & QED_FEATURE_BACKING_FILE) ||
	       no_other_files(image, error);
}

#define VMDK_CAPACITY 12 /* 0: the embedded descriptor lists files */
#define VMDK_DESCRIPTOR 0x200
#define VMDK_DESCRIPTOR_SIZE (20 * 512)
#define VMDK_PARENT "parentFileNameHint"

/* Of the one kind that is a single file; its embedded descriptor may name a parent. */
static bool read_vmdk(struct image *image, GError **error)
{
	const uint8_t *text = image->head + VMDK_DESCRIPTOR;

	if (memcmp(image->head, "KDMV", 4) != 0 || !le64(image, VMDK_CAPACITY))
		return no_other_files(image, error);
	return !memmem(text, VMDK_DESCRIPTOR_SIZE, VMDK_PARENT, strlen(VMDK_PARENT)) ||
	       no_other_files(image, error);
}

static bool read_nothing(struct image *image, GError **error)
{
	return true;
}

static const struct reader {
	const char *format;
	bool (*read)(struct image *image, GError **error);
} readers[] = {
	{"raw", read_nothing},
	{"qcow2", read_qcow2},
	{"qed", read_qed},
	{"vmdk", read_vmdk},
	{"vdi", read_nothing},
	{"vhdx", read_nothing},
	{"vpc", read_nothing},
};

static const struct reader *find_reader(const char *format)
{
	for (size_t i = 0; i < G_N_ELEMENTS(readers); i++)
		if (strcmp(readers[i].format, format) == 0)
			return &readers[i];
	return NULL;
}

static bool is_known(const struct image *image, GError **error)
{
	return !image->backing || find_reader(image->format) ||
	       fault_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
		       "the backing file '%s' of image '%s' has an unknown format", image->backing,
		       image->path);
}

bool chain_next(int fd, const char *path, const char *format, char **backing,
	char **backing_format, GError **error)
{
	const struct reader *reader = find_reader(format ? format : "raw");
	g_autofree uint8_t *head = g_malloc(HEAD_SIZE);
	struct image image = {.fd = fd, .path = path, .head = head};
	bool ok;

	*backing = *backing_format = NULL;
	if (!reader)
		return broken(&image, error);
	read_at(fd, head, HEAD_SIZE, 0);
	ok = reader->read(&image, error) && is_known(&image, error);
	if (ok)
		*backing = g_steal_pointer(&image.backing);
	if (ok && *backing && strcmp(image.format, "raw") != 0)
		*backing_format = g_steal_pointer(&image.format);
	g_free(image.backing);
	g_free(image.format);
	return ok;
}

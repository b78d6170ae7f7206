// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/qemu_img.h"

#include "engine/common/config.h"
#include "engine/daemon/fault.h"

#include <json-glib/json-glib.h>
#include <string.h>

static bool run(GPtrArray *arguments, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autofree char *said = NULL;
	int status = 0;

	g_ptr_array_add(arguments, NULL);
	if (!g_spawn_sync(NULL, (char **)arguments->pdata, NULL,
		    G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &said,
		    &status, &cause))
		return fault_set(error, VIR_ERR_INTERNAL_ERROR, "unable to run qemu-img: %s",
			cause->message);
	return status == 0 || fault_set(error, VIR_ERR_INTERNAL_ERROR,
				      "Child process (qemu-img %s) unexpected exit status %d: %s",
				      (const char *)g_ptr_array_index(arguments, 1),
				      g_spawn_check_wait_status(status, NULL) ? 0 : status >> 8,
				      g_strstrip(said));
}

G_GNUC_PRINTF(2, 3) static void say(GPtrArray *arguments, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_ptr_array_add(arguments, g_strdup_vprintf(format, args));
	va_end(args);
}

static GPtrArray *begin(const char *command)
{
	GPtrArray *arguments = g_ptr_array_new_with_free_func(g_free);

	say(arguments, "qemu-img");
	say(arguments, "%s", command);
	return arguments;
}

/* ---- what is read ---------------------------------------------------------------------------- */

static JsonObject *node(const char *path, const char *format)
{
	JsonObject *image = json_object_new(), *file = json_object_new();

	json_object_set_string_member(file, "driver", "file");
	json_object_set_string_member(file, "filename", path);
	json_object_set_string_member(image, "driver", format ? format : "raw");
	json_object_set_object_member(image, "file", file);
	return image;
}

/* Without a "backing" QEMU would open what the header names; raw images have none. */
static void end_chain(JsonObject *image)
{
	if (strcmp(json_object_get_string_member(image, "driver"), "raw") != 0)
		json_object_set_null_member(image, "backing");
}

char *qemu_img_source(const struct config_disk *disk)
{
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	JsonObject *image = node(disk->path, disk->format), *last = image;
	g_autofree char *text = NULL;

	for (guint i = 0; disk->backing && i < disk->backing->len; i++) {
		const struct config_backing *backing = g_ptr_array_index(disk->backing, i);
		JsonObject *next = node(backing->path, backing->format);

		json_object_set_object_member(last, "backing", next);
		last = next;
	}
	end_chain(last);
	json_node_take_object(root, image);
	text = json_to_string(root, FALSE);
	return g_strconcat("json:", text, NULL);
}

/* ---- what is made ---------------------------------------------------------------------------- */

static void say_options(GPtrArray *arguments, const struct volume_wish *wish)
{
	if (wish->qcow2 && wish->version == 2)
		say(arguments, "-ocompat=0.10");
	if (wish->qcow2 && wish->preallocate)
		say(arguments, "-opreallocation=%s",
			wish->allocation < wish->capacity ? "metadata" : "falloc");
}

static bool create(const char *file, const struct volume_wish *wish, GError **error)
{
	g_autoptr(GPtrArray) arguments = begin("create");

	say(arguments, "-q");
	say(arguments, "-fqcow2");
	say_options(arguments, wish);
	if (wish->backing) {
		/* It need not be opened: the size is known. */
		say(arguments, "-u");
		say(arguments, "-b%s", wish->backing);
		say(arguments, "-F%s", wish->backing_format);
	}
	say(arguments, "%s", file);
	say(arguments, "%" G_GUINT64_FORMAT, wish->capacity);
	return run(arguments, error);
}

static bool convert(const char *file, const struct volume_wish *wish, GError **error)
{
	g_autoptr(GPtrArray) arguments = begin("convert");

	say(arguments, "-O%s", wish->qcow2 ? "qcow2" : "raw");
	say_options(arguments, wish);
	say(arguments, "%s", wish->source);
	say(arguments, "%s", file);
	return run(arguments, error);
}

static bool resize(const char *file, const char *format, const char *how, uint64_t capacity,
	GError **error)
{
	g_autoptr(GPtrArray) arguments = begin("resize");

	say(arguments, "-q");
	say(arguments, "-f%s", format);
	if (how)
		say(arguments, "%s", how);
	say(arguments, "%s", file);
	say(arguments, "%" G_GUINT64_FORMAT, capacity);
	return run(arguments, error);
}

bool qemu_img_create(const char *file, const struct volume_wish *wish, GError **error)
{
	if (!wish->source)
		return create(file, wish, error);
	return convert(file, wish, error) &&
	       (wish->capacity <= wish->source_capacity ||
		       resize(file, wish->qcow2 ? "qcow2" : "raw", NULL, wish->capacity, error));
}

bool qemu_img_resize(const struct volume *volume, uint64_t capacity, GError **error)
{
	const char *how = capacity < volume->capacity ? "--shrink" : NULL;

	return resize(volume->path, "qcow2", how, capacity, error);
}

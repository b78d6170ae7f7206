// SPDX-License-Identifier: GPL-3.0-or-later
/* How much memory the guest has: at boot, in its balloon, and plugged later. */
#include <config.h>

#include "engine/common/config_reader.h"

#include <glib/gi18n.h>
#include <string.h>

/* The units of libvirt's scaled integers: decimal and binary, by their letters. */
static uint64_t unit_factor(const char *unit)
{
	static const struct {
		const char *name;
		uint64_t factor;
	} units[] = {
		{"b", 1},
		{"bytes", 1},
		{"KB", 1000},
		{"k", 1024},
		{"KiB", 1024},
		{"MB", 1000000},
		{"M", 1ull << 20},
		{"MiB", 1ull << 20},
		{"GB", 1000000000},
		{"G", 1ull << 30},
		{"GiB", 1ull << 30},
		{"T", 1ull << 40},
		{"TiB", 1ull << 40},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
		if (strcmp(units[i].name, unit) == 0)
			return units[i].factor;
	return 0;
}

/* Bytes, rounded up to whole pages. */
static bool read_size(
	const struct config_reader *reader, xmlNode *node, uint64_t *size, GError **error)
{
	g_autofree char *unit = config_attribute(node, "unit");
	uint64_t factor = unit_factor(unit ? unit : "KiB");
	uint64_t number;

	if (!factor)
		return config_fail(reader, node, CONFIG_ERROR_INVALID, error,
			_("'%s' is not a unit of memory"), unit);
	if (!config_number(reader, node, NULL, 0, CONFIG_MEMORY_MAX, &number, error))
		return false;
	if (number > CONFIG_MEMORY_MAX / factor || number * factor < CONFIG_MEMORY_MIN)
		return config_fail(reader, node, CONFIG_ERROR_INVALID, error,
			_("<%s> must be from 1 MiB to 1 TiB"), (const char *)node->name);
	*size = (number * factor + 4095) & ~4095ull;
	return true;
}

bool config_read_boot_memory(struct config_reader *reader, xmlNode *node, GError **error)
{
	return read_size(reader, node, &reader->config->memory, error);
}

bool config_read_current_memory(struct config_reader *reader, xmlNode *node, GError **error)
{
	reader->memory_current_seen = true;
	return read_size(reader, node, &reader->config->memory_current, error);
}

bool config_read_max_memory(struct config_reader *reader, xmlNode *node, GError **error)
{
	g_autofree char *text = config_attribute(node, "slots");
	uint64_t slots;

	if (!text)
		return config_fail(
			reader, node, CONFIG_ERROR_MISSING, error, _("<maxMemory> has no 'slots'"));
	if (!config_number(reader, node, "slots", 1, 256, &slots, error))
		return false;
	reader->config->memory_slots = (unsigned)slots;
	return read_size(reader, node, &reader->config->memory_max, error);
}

/* ---- devices --------------------------------------------------------------------------------- */

static struct config_memory *last_memory(struct config_reader *reader)
{
	GPtrArray *memories = reader->config->memories;

	return g_ptr_array_index(memories, memories->len - 1);
}

bool config_read_memory_device(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_memory *memory = g_new0(struct config_memory, 1);

	memory->alias = g_strdup_printf("virtiomem%u", reader->config->memories->len);
	memory->block = CONFIG_MEMORY_BLOCK_MIN;
	g_ptr_array_add(reader->config->memories, memory);
	if (!config_attribute_is(node, "model", "virtio-mem"))
		return config_fail(
			reader, node, CONFIG_ERROR_MISSING, error, _("<memory> has no 'model'"));
	return true;
}

/* The children of <target> are read after it: size is looked at here since it must be there. */
bool config_read_memory_target(struct config_reader *reader, xmlNode *node, GError **error)
{
	for (const xmlNode *child = node->children; child; child = child->next)
		if (child->type == XML_ELEMENT_NODE &&
			strcmp((const char *)child->name, "size") == 0)
			return true;
	return config_fail(reader, node, CONFIG_ERROR_MISSING, error, _("<size> is missing"));
}

bool config_read_memory_size(struct config_reader *reader, xmlNode *node, GError **error)
{
	return read_size(reader, node, &last_memory(reader)->size, error);
}

bool config_read_memory_node(struct config_reader *reader, xmlNode *node, GError **error)
{
	uint64_t number;

	return config_number(reader, node, NULL, 0, 0, &number, error);
}

bool config_read_memory_block(struct config_reader *reader, xmlNode *node, GError **error)
{
	uint64_t *block = &last_memory(reader)->block;

	if (!read_size(reader, node, block, error))
		return false;
	if (*block < CONFIG_MEMORY_BLOCK_MIN || *block & (*block - 1))
		return config_fail(reader, node, CONFIG_ERROR_INVALID, error,
			_("<block> must be a power of two, 2 MiB or more"));
	return true;
}

/* Unlike other sizes it may be 0. */
bool config_read_memory_requested(struct config_reader *reader, xmlNode *node, GError **error)
{
	g_autofree char *text = config_text(node);

	if (strcmp(text, "0") == 0)
		return true;
	return read_size(reader, node, &last_memory(reader)->requested, error);
}

bool config_read_memory_alias(struct config_reader *reader, xmlNode *node, GError **error)
{
	g_autofree char *name = config_attribute(node, "name");

	if (!name || !*name)
		return config_fail(
			reader, node, CONFIG_ERROR_MISSING, error, _("<alias> has no 'name'"));
	g_free(last_memory(reader)->alias);
	last_memory(reader)->alias = g_steal_pointer(&name);
	return true;
}

static bool check_device(const struct config_reader *reader, const xmlNode *root,
	const struct config_memory *memory, GError **error)
{
	if (!memory->size)
		return config_fail(reader, root, CONFIG_ERROR_MISSING, error,
			_("memory device '%s' has no <target>"), memory->alias);
	if (memory->size % memory->block || memory->requested % memory->block)
		return config_fail(reader, root, CONFIG_ERROR_INVALID, error,
			_("memory device '%s': sizes must be multiples of its <block>"),
			memory->alias);
	if (memory->requested > memory->size)
		return config_fail(reader, root, CONFIG_ERROR_INVALID, error,
			_("memory device '%s': more is requested than its size"), memory->alias);
	return true;
}

bool config_check_memory(const struct config_reader *reader, const xmlNode *root, GError **error)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
	struct machine_config *config = reader->config;
	uint64_t devices = 0;

	for (unsigned i = 0; i < config->memories->len; i++) {
		const struct config_memory *memory = g_ptr_array_index(config->memories, i);

		if (!check_device(reader, root, memory, error))
			return false;
		if (!g_hash_table_add(names, memory->alias))
			return config_fail(reader, root, CONFIG_ERROR_INVALID, error,
				_("there are two memory devices '%s'"), memory->alias);
		devices += memory->size;
	}
	if (config->memories->len > config->memory_slots)
		return config_fail(reader, root, CONFIG_ERROR_INVALID, error,
			_("there are %u memory devices, more than the slots of <maxMemory>"),
			config->memories->len);
	if (config->memory_max && config->memory > config->memory_max)
		return config_fail(reader, root, CONFIG_ERROR_INVALID, error,
			_("<memory> is more than <maxMemory>"));
	/* As libvirt has it, <memory> is boot memory and devices together. */
	if (devices && config->memory < devices + CONFIG_MEMORY_MIN)
		return config_fail(reader, root, CONFIG_ERROR_INVALID, error,
			_("<memory> must be the memory at boot and the sizes of all memory devices "
			  "together"));
	config->memory -= devices;
	return true;
}

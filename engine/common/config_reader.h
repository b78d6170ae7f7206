// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reading a domain XML by rules: what the walker (config.c) and the table (config_rules.c) of
 * the guest configuration share. Nobody else includes this.
 */
#pragma once

#include "engine/common/config.h"

#include <libxml/tree.h>

/* The state of one reading. */
struct config_reader {
	struct machine_config *config;
	const char *file_name;
	struct config_chardev *chardev; /* the one being read, for its <source> */
	bool console_seen;
	bool memory_current_seen;
};

enum config_rule_flags {
	CONFIG_RULE_MANY = 1 << 0, /* may stand there more than once */
	CONFIG_RULE_TEXT = 1 << 1, /* holds text */
	CONFIG_RULE_TREE = 1 << 2, /* holds anything: not looked into */
	CONFIG_RULE_NESTED = 1 << 3, /* may hold one of its own kind */
};

/* One element that is understood. */
struct config_rule {
	const char *path; /* "domain/devices/disk" */
	/* Attributes, separated by blanks: "name" takes any value, "name=a|b" these; a value that
	 * ends in * is a prefix. NULL: none. */
	const char *attributes;
	unsigned flags;
	/* Called before the element's children; NULL: there is nothing to keep. */
	bool (*read)(struct config_reader *reader, xmlNode *node, GError **error);
};

/* Ended by an entry without a path. */
extern const struct config_rule config_rules[];

/* <cputune> (config_cputune.c). */
bool config_read_shares(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_period(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_quota(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_vcpupin(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_emulatorpin(struct config_reader *reader, xmlNode *node, GError **error);

/* Sets an error with the node's file and line before the sentence; returns false. */
G_GNUC_PRINTF(5, 6)
bool config_fail(const struct config_reader *reader, const xmlNode *node, enum config_error code,
	GError **error, const char *format, ...);

/* The attribute's value, or NULL; the element's text without blanks around. Free with g_free(). */
char *config_attribute(const xmlNode *node, const char *name);
char *config_text(const xmlNode *node);
bool config_attribute_is(const xmlNode *node, const char *name, const char *value);

/* An unsigned decimal number of the attribute or (name NULL) of the text, within [min, max]. */
bool config_number(const struct config_reader *reader, const xmlNode *node, const char *name,
	uint64_t min, uint64_t max, uint64_t *number, GError **error);

/* What rules call for memory, and what can be said only of the whole (config_memory.c). */
bool config_read_boot_memory(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_current_memory(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_max_memory(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_memory_device(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_memory_target(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_memory_size(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_memory_node(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_memory_block(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_memory_requested(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_memory_alias(struct config_reader *reader, xmlNode *node, GError **error);
bool config_check_memory(const struct config_reader *reader, const xmlNode *root, GError **error);

/* What rules call for disks and network cards (config_devices.c). */
bool config_read_disk(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_disk_driver(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_disk_source(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_disk_host(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_disk_config(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_disk_auth(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_disk_backing(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_disk_target(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_disk_serial(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_disk_readonly(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_disk_shareable(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_iotune(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_interface(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_mac(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_interface_source(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_interface_target(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_interface_backend(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_interface_mtu(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_interface_link(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_bandwidth(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_interface_ip(struct config_reader *reader, xmlNode *node, GError **error);
bool config_read_range(struct config_reader *reader, xmlNode *node, GError **error);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The devices in a definition's tree: finding them by what clients call them, naming them, and the
 * elements of their limits. Any thread, one at a time for one tree.
 */
#pragma once

#include "engine/daemon/tree.h"

/* <devices>; always there in a complete definition. */
xmlNode *devices_list(const xmlNode *root);
/* By its target or the path of its image; NULL: there is none. */
xmlNode *devices_find_disk(const xmlNode *root, const char *name);
/* By its address, the name of its host device, or its alias. */
xmlNode *devices_find_nic(const xmlNode *root, const char *name);
/* <memory> by its alias. */
xmlNode *devices_find_memory(const xmlNode *root, const char *alias);
xmlNode *devices_find_alias(const xmlNode *root, const char *alias);

/* The name by which the control protocol knows it; NULL: it has none. Free with g_free(). */
char *devices_control_name(const xmlNode *device);
/* The path of a <disk>'s image or medium, or NULL. Free with g_free(). */
char *devices_image(const xmlNode *disk);
/* The alias, or NULL. Free with g_free(). */
char *devices_alias(const xmlNode *device);
/* Adds a copy of device behind those of its kind. */
xmlNode *devices_insert(xmlNode *root, const xmlNode *device);

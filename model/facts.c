// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/facts.h"
#include "model/format.h"
#include "model/metadata.h"
#include "model/xml.h"

#include <string.h>

void guest_disk_free(struct guest_disk *disk)
{
	g_free(disk->target);
	g_free(disk->source);
	g_free(disk->device);
	history_clear(&disk->read_history);
	history_clear(&disk->write_history);
	g_free(disk);
}

void guest_nic_free(struct guest_nic *nic)
{
	g_free(nic->target);
	g_free(nic->mac);
	g_free(nic->source);
	g_free(nic->type);
	g_free(nic->model);
	history_clear(&nic->rx_history);
	history_clear(&nic->tx_history);
	g_free(nic);
}

void facts_free(struct facts *facts)
{
	g_clear_error(&facts->error);
	g_free(facts->uuid);
	g_free(facts->name);
	g_free(facts->title);
	g_free(facts->description);
	g_free(facts->type);
	g_free(facts->os_type);
	g_strfreev(facts->groups);
	g_strfreev(facts->tags);
	g_free(facts->notes);
	g_clear_pointer(&facts->disks, g_ptr_array_unref);
	g_clear_pointer(&facts->nics, g_ptr_array_unref);
	g_free(facts);
}

// A memory element in bytes: libvirt's units are those of parse_size, KiB when there is none.
static guint64 read_memory(xmlNode *node)
{
	g_autofree char *number = xml_text(node);
	g_autofree char *unit = xml_attribute(node, "unit");
	g_autofree char *text =
		g_strconcat(number ? g_strstrip(number) : "", unit ? unit : "KiB", NULL);
	guint64 bytes = 0;

	return parse_size(text, 1, &bytes, NULL) ? bytes : 0;
}

static unsigned read_count(const char *text)
{
	guint64 value;

	if (!text || !g_ascii_string_to_unsigned(text, 10, 0, 65536, &value, NULL))
		return 0;
	return (unsigned)value;
}

static void read_vcpus(struct facts *facts, xmlNode *root)
{
	xmlNode *node = xml_child(root, "vcpu", NULL);
	g_autofree char *most = xml_text(node);
	g_autofree char *current = xml_attribute(node, "current");

	facts->vcpus_max = read_count(most ? g_strstrip(most) : NULL);
	facts->vcpus = current ? read_count(current) : facts->vcpus_max;
}

// The first of a source's attributes that names what is behind a device.
static char *read_source(xmlNode *device, const char *const *attributes)
{
	xmlNode *source = xml_child(device, "source", NULL);

	for (unsigned i = 0; attributes[i]; i++) {
		char *value = xml_attribute(source, attributes[i]);

		if (value)
			return value;
	}
	return NULL;
}

static struct guest_disk *read_disk(xmlNode *node)
{
	static const char *const attributes[] = {"file", "dev", "dir", "volume", "name", NULL};
	struct guest_disk *disk = g_new0(struct guest_disk, 1);

	disk->target = xml_attribute(xml_child(node, "target", NULL), "dev");
	disk->device = xml_attribute(node, "device");
	disk->source = read_source(node, attributes);
	if (!disk->device)
		disk->device = g_strdup("disk");
	disk->read_rate = disk->write_rate = disk->read_ops = disk->write_ops = NAN;
	return disk;
}

static struct guest_nic *read_nic(xmlNode *node)
{
	static const char *const attributes[] = {"network", "bridge", "dev", "path", NULL};
	struct guest_nic *nic = g_new0(struct guest_nic, 1);

	nic->target = xml_attribute(xml_child(node, "target", NULL), "dev");
	nic->mac = xml_attribute(xml_child(node, "mac", NULL), "address");
	nic->source = read_source(node, attributes);
	nic->type = xml_attribute(node, "type");
	nic->model = xml_attribute(xml_child(node, "model", NULL), "type");
	nic->rx_rate = nic->tx_rate = NAN;
	return nic;
}

static void read_balloon(struct facts *facts, xmlNode *devices)
{
	xmlNode *balloon = xml_child(devices, "memballoon", NULL);
	g_autofree char *model = xml_attribute(balloon, "model");

	facts->balloon_quiet =
		g_strcmp0(model, "virtio") == 0 && !xml_child(balloon, "stats", NULL);
}

static void read_devices(struct facts *facts, xmlNode *devices)
{
	facts->disks = g_ptr_array_new_with_free_func((GDestroyNotify)guest_disk_free);
	facts->nics = g_ptr_array_new_with_free_func((GDestroyNotify)guest_nic_free);
	facts->has_console =
		xml_child(devices, "console", NULL) || xml_child(devices, "serial", NULL);
	read_balloon(facts, devices);
	for (xmlNode *node = xml_child(devices, "disk", NULL); node;
		node = xml_next(node, "disk", NULL))
		g_ptr_array_add(facts->disks, read_disk(node));
	for (xmlNode *node = xml_child(devices, "interface", NULL); node;
		node = xml_next(node, "interface", NULL))
		g_ptr_array_add(facts->nics, read_nic(node));
}

static char *read_line(xmlNode *root, const char *name)
{
	char *text = xml_text(xml_child(root, name, NULL));

	if (text && !*g_strstrip(text))
		g_clear_pointer(&text, g_free);
	return text;
}

static void read_root(struct facts *facts, xmlNode *root)
{
	xmlNode *metadata = xml_child(root, "metadata", NULL);
	struct metadata ours;

	metadata_read(xml_child(metadata, "guest", METADATA_URI), &ours);
	facts->groups = ours.groups;
	facts->tags = ours.tags;
	facts->notes = ours.notes;
	facts->title = read_line(root, "title");
	facts->description = read_line(root, "description");
	facts->type = xml_attribute(root, "type");
	facts->os_type = read_line(xml_child(root, "os", NULL), "type");
	facts->memory_max = read_memory(xml_child(root, "memory", NULL));
	facts->memory = read_memory(xml_child(root, "currentMemory", NULL));
	if (!facts->memory)
		facts->memory = facts->memory_max;
	read_vcpus(facts, root);
	read_devices(facts, xml_child(root, "devices", NULL));
}

bool facts_read_xml(struct facts *facts, const char *xml)
{
	g_autofree char *what = g_strdup_printf("the definition of '%s'", facts->name);
	xmlDoc *doc = xml_parse(xml, -1, what, &facts->error);

	if (!doc)
		return false;
	read_root(facts, xmlDocGetRootElement(doc));
	xmlFreeDoc(doc);
	return true;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/engine/savebox.h"

#include "engine/vmm/dev/pci.h"
#include "engine/vmm/save/parts.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static char *directory;

/* A kernel that is as small as can be: a Multiboot header that says where it is loaded, and HLT. */
static const uint32_t kernel[] = {
	0x1badb002, 0x00010000, 0xe4514ffe, /* magic, flags: addresses follow, checksum */
	0x00100000, 0x00100000, 0, 0,       /* header, load, end of data and of zeroes: all */
	0x00100020, 0xf4f4f4f4,             /* entry; HLT */
};

static char *in_directory(const char *name)
{
	return g_build_filename(directory, name, NULL);
}

void savebox_begin(void)
{
	g_autofree char *image = NULL, *disk = NULL;

	directory = g_dir_make_tmp("lodge-savebox-XXXXXX", NULL);
	g_assert(directory);
	image = in_directory("kernel");
	disk = in_directory("disk");
	g_assert(g_file_set_contents(image, (const char *)kernel, sizeof(kernel), NULL));
	g_assert(g_file_set_contents(disk, "", 0, NULL));
	g_assert(truncate(disk, 1 << 20) == 0);
}

void savebox_end(void)
{
	g_autofree char *image = in_directory("kernel"), *disk = in_directory("disk");

	g_unlink(image);
	g_unlink(disk);
	g_rmdir(directory);
	g_clear_pointer(&directory, g_free);
}

static struct machine_config *define(void)
{
	g_autofree char *text = g_strdup_printf(
		"<domain type='qemu'><name>box</name><memory unit='KiB'>%llu</memory>"
		"<vcpu current='2'>3</vcpu><os><type>hvm</type><kernel>%s/kernel</kernel></os>"
		"<devices><disk type='file' device='disk'><driver name='qemu' type='raw'/>"
		"<source file='%s/disk'/><target dev='vda' bus='virtio'/><serial>one</serial>"
		"<shareable/></disk><disk type='file' device='cdrom'><source file='%s/disk'/>"
		"<target dev='sda' bus='scsi'/></disk>"
		"<serial type='null'/><serial type='null'/>"
		"<console type='null'><target type='virtio'/></console>"
		"<channel type='null'><target type='virtio' name='org.lodge.0'/></channel>"
		"<memballoon model='virtio'/><rng model='virtio'><backend model='random'>"
		"/dev/urandom</backend></rng></devices></domain>",
		(unsigned long long)(SAVEBOX_MEMORY >> 10), directory, directory,
		directory);
	g_autoptr(GError) error = NULL;
	struct machine_config *config = config_read_memory(text, strlen(text), "box.xml", &error);

	if (!config)
		g_error("%s", error->message);
	return config;
}

struct savebox *savebox_new(void)
{
	struct savebox *box = g_new0(struct savebox, 1);
	const struct machine_options options = {.context = g_main_context_default()};
	g_autoptr(GError) error = NULL;

	box->config = define();
	box->machine = machine_new(box->config, &options, &error);
	if (!box->machine)
		g_error("%s", error->message);
	box->parts = machine_parts(box->machine);
	return box;
}

void savebox_free(struct savebox *box)
{
	if (!box)
		return;
	machine_free(box->machine);
	config_free(box->config);
	g_free(box);
}

/* Chips, then configuration space and what it has put into the PCI windows. Not the 8259s' trigger
 * modes: where one changes under a request, the next look at the wire ends that, as on a chip. */
static void poke(struct savebox *box, GRand *random)
{
	static const uint16_t ports[] = {0x20, 0xa0, 0x40, 0x61, 0x60, 0x64, 0x70, 0x3f8, 0x2f8,
		0x600, 0x620, 0x640, 0x660, 0xcf8};
	uint32_t value = g_rand_int(random);
	unsigned size = 1u << g_rand_int_range(random, 0, 3);
	unsigned at = (unsigned)g_rand_int_range(random, 0, 8);

	switch (g_rand_int_range(random, 0, 5)) {
	case 0:
	case 1:
		bus_write(box->parts->ports,
			ports[g_rand_int_range(random, 0, G_N_ELEMENTS(ports))] + at, value, size);
		break;
	case 2:
		bus_write(box->parts->mmio, 0xfec00000 + (at & 1) * 0x10, value & 0xff, 4);
		break;
	case 3:
		bus_write(box->parts->mmio,
			PCI_ECAM_BASE + ((value & 7) << 15) + (value >> 8 & 0xfc), value >> 16,
			size);
		break;
	default:
		bus_write(box->parts->mmio, PCI_WINDOW_BASE + (value & 0x3fffc),
			g_rand_int(random) >> at * 4, size);
	}
}

void savebox_shake(struct savebox *box, GRand *random)
{
	for (unsigned i = 0; i < 500; i++)
		poke(box, random);
}

struct state_out *savebox_save(struct savebox *box)
{
	struct state_out *out = state_out_new();
	g_autoptr(GError) error = NULL;

	if (!save_parts(box->parts, out, &error))
		g_error("%s", error->message);
	return out;
}

struct state_in *savebox_turn(const struct state_out *out)
{
	struct state_in *in = state_in_new();
	const uint8_t *data;
	const char *name;
	size_t length;

	for (unsigned i = 0; (name = state_out_record(out, i, &data, &length)); i++)
		g_assert(state_in_add(in, name, g_bytes_new(data, length), NULL));
	return in;
}

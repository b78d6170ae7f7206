// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/boot/boot.h"

#include "engine/vmm/boot/acpi.h"
#include "engine/vmm/boot/image.h"
#include "engine/vmm/layout.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <string.h>

/* Asked in this order: a bzImage may hold anything in its first 8 KiB. */
static const struct boot_format *const formats[] = {
	&boot_format_bzimage,
	&boot_format_multiboot,
	&boot_format_elf,
};

struct boot {
	const struct machine_config *config;
	struct boot_file *kernel;
	GPtrArray *files;
	GPtrArray *file_arguments;
	uint64_t present; /* processors */
};

static void free_file(void *file)
{
	boot_file_free(file);
}

static bool open_initrd(struct boot *boot, GError **error)
{
	g_auto(GStrv) items = NULL, paths = config_initrd_paths(boot->config, &items);

	for (unsigned i = 0; paths[i]; i++) {
		struct boot_file *file = boot_file_open(paths[i], error);

		if (!file)
			return false;
		g_ptr_array_add(boot->files, file);
		g_ptr_array_add(boot->file_arguments, g_strdup(items[i]));
	}
	return true;
}

struct boot *boot_open(const struct machine_config *config, GError **error)
{
	struct boot *boot = g_new0(struct boot, 1);

	boot->config = config;
	boot->present = UINT64_MAX >> (64 - config->vcpus);
	boot->files = g_ptr_array_new_with_free_func(free_file);
	boot->file_arguments = g_ptr_array_new_with_free_func(g_free);
	boot->kernel = boot_file_open(config->kernel, error);
	if (!boot->kernel || !open_initrd(boot, error)) {
		boot_free(boot);
		return NULL;
	}
	return boot;
}

void boot_set_present(struct boot *boot, uint64_t present)
{
	boot->present = present;
}

void boot_free(struct boot *boot)
{
	if (!boot)
		return;
	boot_file_free(boot->kernel);
	g_ptr_array_free(boot->files, TRUE);
	g_ptr_array_free(boot->file_arguments, TRUE);
	g_free(boot);
}

static const struct boot_format *find_format(const struct boot_job *job)
{
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
		if (formats[i]->probe(job))
			return formats[i];
	return NULL;
}

static bool load_format(struct boot_job *job, struct vcpu_state *state, GError **error)
{
	const struct boot_format *format = find_format(job);

	if (!format) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
			_("it is neither a Linux bzImage nor an ELF or Multiboot image"));
		return false;
	}
	return format->load(job, state, error);
}

bool boot_load(const struct boot *boot, struct guest_memory *memory, struct vcpu_state *state,
	GError **error)
{
	/* Formats look at fixed places in the head, however short the file is. */
	g_autofree uint8_t *head = g_malloc0(BOOT_HEAD_SIZE);
	struct boot_job job = {
		.memory = memory,
		.kernel = boot->kernel,
		.initrd = boot->config->initrd,
		.files = boot->files,
		.file_arguments = boot->file_arguments,
		.cmdline = boot->config->cmdline ? boot->config->cmdline : "",
		.head = head,
		.head_length = MIN(boot->kernel->size, BOOT_HEAD_SIZE),
	};

	if (memory->low_size <= LAYOUT_HIGH) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
			_("the guest has too little memory to boot anything: more than 1 MiB is "
			  "needed"));
		return false;
	}
	if (!boot_file_read(boot->kernel, 0, head, job.head_length, error))
		return false;
	boot_map_fill(&job.map, memory);
	job.rsdp = acpi_load(memory,
		&(struct acpi_config){
			.present = boot->present,
			.vcpus_max = boot->config->vcpus_max,
			.serials = boot->config->serials->len,
		});
	if (load_format(&job, state, error))
		return true;
	g_prefix_error(error, _("cannot boot '%s': "), boot->kernel->path);
	return false;
}

// SPDX-License-Identifier: GPL-3.0-or-later
/* A kernel as a plain ELF file: entered by its PVH note, or, 64 bits wide, as Linux is. */
#include "engine/vmm/boot/elf.h"
#include "engine/vmm/boot/image.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <string.h>

#define CHUNK (1u << 20)

static bool probe(const struct boot_job *job)
{
	return job->head_length >= 4 && memcmp(job->head, "\x7f" "ELF", 4) == 0;
}

static bool feed(const struct boot_file *file, struct unpack_sink *sink, GError **error)
{
	g_autofree uint8_t *chunk = g_malloc(CHUNK);

	for (uint64_t at = 0; at < file->size;) {
		uint64_t length = MIN(file->size - at, CHUNK);

		if (!boot_file_read(file, at, chunk, length, error) ||
			!sink->take(sink, chunk, length, error))
			return false;
		at += length;
	}
	return true;
}

static bool enter(struct boot_job *job, const struct elf_loader *loader, struct vcpu_state *state,
	GError **error)
{
	uint32_t entry;

	job->kernel_end = loader->high;
	if (elf_loader_pvh_entry(loader, &entry))
		return boot_enter_pvh(job, entry, state, error);
	if (loader->wide)
		return boot_enter_linux64(job, elf_loader_entry(loader), NULL, 0, state, error);
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
		_("it is a 32-bit ELF program with neither a PVH note nor a Multiboot header"));
	return false;
}

static bool load(struct boot_job *job, struct vcpu_state *state, GError **error)
{
	struct elf_loader loader;
	bool ok;

	elf_loader_init(&loader, job->memory);
	ok = feed(job->kernel, &loader.sink, error) && elf_loader_finish(&loader, error) &&
		enter(job, &loader, state, error);
	elf_loader_release(&loader);
	return ok;
}

const struct boot_format boot_format_elf = {
	.name = "ELF",
	.probe = probe,
	.load = load,
};

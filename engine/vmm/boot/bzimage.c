// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Linux's bzImage (Documentation/arch/x86/boot.rst). The packed kernel in it is unpacked here, on
 * the host, and entered by its PVH note, or by Linux's 64-bit entry; only where it is packed in a
 * way we do not know does the image's own code do it.
 */
#include "engine/vmm/boot/elf.h"
#include "engine/vmm/boot/image.h"
#include "engine/vmm/layout.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <string.h>

/* Offsets in the file. */
#define SETUP_SECTS 0x1f1
#define BOOT_FLAG 0x1fe
#define JUMP_LENGTH 0x201
#define MAGIC 0x202
#define VERSION 0x206
#define LOADFLAGS 0x211
#define XLOADFLAGS 0x236
#define PAYLOAD_OFFSET 0x248
#define PAYLOAD_LENGTH 0x24c
#define PREF_ADDRESS 0x258
#define INIT_SIZE 0x260
#define HEADER_END 0x268

#define VERSION_PAYLOAD 0x208
#define VERSION_64 0x20c
#define LOADED_HIGH 1
#define XLF_KERNEL_64 1
#define ENTRY_64 0x200

static uint64_t field(const struct boot_job *job, unsigned at, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, job->head + at, size);
	return GUINT64_FROM_LE(value);
}

static bool probe(const struct boot_job *job)
{
	return job->head_length >= HEADER_END && field(job, BOOT_FLAG, 2) == 0xaa55 &&
		memcmp(job->head + MAGIC, "HdrS", 4) == 0;
}

static bool fail(GError **error, const char *sentence)
{
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, sentence);
	return false;
}

/* Where the protected-mode part begins in the file. */
static uint64_t setup_size(const struct boot_job *job)
{
	uint64_t sectors = field(job, SETUP_SECTS, 1);

	return ((sectors ? sectors : 4) + 1) * 512;
}

static bool enter_unpacked(struct boot_job *job, const struct elf_loader *loader,
	struct vcpu_state *state, GError **error)
{
	uint32_t entry;

	job->kernel_end = loader->high;
	if (elf_loader_pvh_entry(loader, &entry))
		return boot_enter_pvh(job, entry, state, error);
	if (!loader->wide)
		return fail(error, _("it is a 32-bit kernel without PVH entry"));
	return boot_enter_linux64(job, elf_loader_entry(loader), job->head + SETUP_SECTS,
		(size_t)(MAGIC + field(job, JUMP_LENGTH, 1) - SETUP_SECTS), state, error);
}

static bool load_payload(struct boot_job *job, const uint8_t *payload, size_t length,
	struct vcpu_state *state, GError **error)
{
	struct elf_loader loader;
	bool ok;

	elf_loader_init(&loader, job->memory);
	ok = unpack(payload, length, &loader.sink, error) && elf_loader_finish(&loader, error) &&
		enter_unpacked(job, &loader, state, error);
	elf_loader_release(&loader);
	return ok;
}

/* The image unpacks itself, at its preferred address. */
static bool load_whole(struct boot_job *job, struct vcpu_state *state, GError **error)
{
	uint64_t start = setup_size(job);
	uint64_t length = job->kernel->size - start;
	uint64_t address = field(job, PREF_ADDRESS, 8);
	uint64_t room = MAX(length, field(job, INIT_SIZE, 4));
	void *at = memory_at(job->memory, address, room);

	if (field(job, VERSION, 2) < VERSION_64 || !(field(job, XLOADFLAGS, 2) & XLF_KERNEL_64))
		return fail(error, _("it has no 64-bit entry"));
	if (!at || address < LAYOUT_HIGH) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
			_("the guest has too little memory for it: it needs %llu MiB"),
			(unsigned long long)((address + room + 0xfffff) >> 20));
		return false;
	}
	if (!boot_file_read(job->kernel, start, at, length, error))
		return false;
	memory_dirty(job->memory, address, length);
	job->kernel_end = address + room;
	return boot_enter_linux64(job, address + ENTRY_64, job->head + SETUP_SECTS,
		(size_t)(MAGIC + field(job, JUMP_LENGTH, 1) - SETUP_SECTS), state, error);
}

static bool load_packed(struct boot_job *job, uint64_t start, uint8_t *payload, size_t length,
	struct vcpu_state *state, GError **error)
{
	if (!boot_file_read(job->kernel, start, payload, length, error))
		return false;
	if (!unpack_known(payload, length))
		return load_whole(job, state, error);
	return load_payload(job, payload, length, state, error);
}

static bool load(struct boot_job *job, struct vcpu_state *state, GError **error)
{
	uint64_t start = setup_size(job) + field(job, PAYLOAD_OFFSET, 4);
	uint64_t length = field(job, PAYLOAD_LENGTH, 4);
	uint8_t *payload;
	bool ok;

	if (field(job, VERSION, 2) < VERSION_PAYLOAD || !(field(job, LOADFLAGS, 1) & LOADED_HIGH))
		return fail(error, _("its boot protocol is too old"));
	if (start > job->kernel->size || length > job->kernel->size - start || !length)
		return fail(error, _("it is truncated"));
	payload = unpack_scratch_new(length);
	ok = load_packed(job, start, payload, length, state, error);
	unpack_scratch_free(payload, length);
	return ok;
}

const struct boot_format boot_format_bzimage = {
	.name = "bzImage",
	.probe = probe,
	.load = load,
};

// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/keeper_devices.h"

#include "engine/vmm/block/storage.h"
#include "engine/vmm/given.h"
#include "engine/vmm/net/passt_program.h"
#include "engine/vmm/netargs.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <unistd.h>

struct kept_device {
	char *name;
	const struct config_disk *disk;
	const struct config_net *net;
	struct machine_config *own_config; /* holds those, where it was added */
	const void *owner;
	bool used; /* the machine's process has asked for it */
	/* int: a disk's opened image and what that stands on, until the program has them; a card's
	 * log. Or empty. */
	GArray *files;
	struct storage *storage;
	struct passt_program *passt;
};

struct keeper_devices {
	GPtrArray *list; /* struct kept_device */
};

GArray *keeper_files_new(void)
{
	return g_array_new(FALSE, FALSE, sizeof(int));
}

void keeper_files_free(GArray *files)
{
	for (unsigned i = 0; i < files->len; i++)
		close(g_array_index(files, int, i));
	g_array_free(files, TRUE);
}

static void device_free(void *data)
{
	struct kept_device *device = data;

	storage_free(device->storage);
	passt_program_free(device->passt);
	keeper_files_free(device->files);
	config_free(device->own_config);
	g_free(device->name);
	g_free(device);
}

static struct kept_device *add_disk(struct keeper_devices *devices, const struct config_disk *disk)
{
	struct kept_device *device = g_new0(struct kept_device, 1);

	device->name = g_strdup(disk->target);
	device->disk = disk;
	device->files = keeper_files_new();
	g_ptr_array_add(devices->list, device);
	return device;
}

static struct kept_device *add_net(struct keeper_devices *devices, const struct config_net *net)
{
	struct kept_device *device = g_new0(struct kept_device, 1);

	device->name = config_net_name(net);
	device->net = net;
	device->files = keeper_files_new();
	g_ptr_array_add(devices->list, device);
	return device;
}

static void take_given(struct kept_device *device, const char *path, int flags)
{
	int fd = path && given_has(path) ? given_open(path, flags | O_CLOEXEC, 0) : -1;

	if (fd >= 0)
		g_array_append_val(device->files, fd);
}

static void take_images(struct kept_device *device)
{
	const struct config_disk *disk = device->disk;

	take_given(device, disk->path, disk->readonly ? O_RDONLY : O_RDWR);
	for (unsigned i = 0; disk->backing && i < disk->backing->len; i++) {
		const struct config_backing *backing = g_ptr_array_index(disk->backing, i);

		take_given(device, backing->path, O_RDONLY);
	}
}

static bool needs_storage(const struct config_disk *disk)
{
	return disk->format || disk->rbd;
}

struct keeper_devices *keeper_devices_new(const struct machine_config *config)
{
	struct keeper_devices *devices = g_new(struct keeper_devices, 1);

	devices->list = g_ptr_array_new_with_free_func(device_free);
	for (unsigned i = 0; i < config->disks->len; i++)
		if (needs_storage(g_ptr_array_index(config->disks, i)))
			take_images(add_disk(devices, g_ptr_array_index(config->disks, i)));
	for (unsigned i = 0; i < config->nets->len; i++) {
		const struct config_net *net = g_ptr_array_index(config->nets, i);

		if (!net->tap)
			take_given(add_net(devices, net), net->log, O_WRONLY | O_APPEND);
	}
	return devices;
}

void keeper_devices_free(struct keeper_devices *devices)
{
	if (!devices)
		return;
	g_ptr_array_free(devices->list, TRUE);
	g_free(devices);
}

/* A disk may have the name of a card. */
static struct kept_device *find(const struct keeper_devices *devices, bool disk, const char *name)
{
	for (unsigned i = 0; i < devices->list->len; i++) {
		struct kept_device *device = g_ptr_array_index(devices->list, i);

		if ((device->disk != NULL) == disk && g_ascii_strcasecmp(device->name, name) == 0)
			return device;
	}
	return NULL;
}

bool keeper_devices_has(const struct keeper_devices *devices, bool disk, const char *name)
{
	return find(devices, disk, name) != NULL;
}

/* ---- for trusted clients -------------------------------------------------------------------------- */

static struct kept_device *add(
	struct keeper_devices *devices, const struct machine_config *config, GError **error)
{
	const struct config_disk *disk =
		config->disks->len ? g_ptr_array_index(config->disks, 0) : NULL;
	const struct config_net *net = config->nets->len ? g_ptr_array_index(config->nets, 0) : NULL;
	const char *problem = NULL;

	if (disk && !needs_storage(disk))
		problem = _("The disk needs no program: it is plugged as it is");
	else if (net && net->tap)
		problem = _("The network card needs no program: it is plugged as it is");
	else if (net && !net->mac_given)
		problem = _("The network card needs an address (<mac address='…'/>)");
	else if (!disk && !net)
		problem = _("The element is not of the kind that the request is for");
	if (problem) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, problem);
		return NULL;
	}
	return disk ? add_disk(devices, disk) : add_net(devices, net);
}

/* The device is the last of the list. Whether it may be there. */
static bool replace(struct keeper_devices *devices, const struct kept_device *device, GError **error)
{
	struct kept_device *old = find(devices, device->disk != NULL, device->name);

	if (old == device)
		return true;
	if (!old->used) {
		g_ptr_array_remove(devices->list, old);
		return true;
	}
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS, _("The guest has a device '%s' already"),
		device->name);
	return false;
}

/* Where files are given, others are not opened. */
static bool may_open(const char *path, GError **error)
{
	if (!given_any())
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, _("cannot open '%s': %s"), path,
		g_strerror(EACCES));
	return false;
}

/* Are its files there, or may its program open them by itself? */
static bool check_files(const struct kept_device *device, GError **error)
{
	const struct config_disk *disk = device->disk;
	const char *path = disk ? disk->path : device->net->log;
	unsigned needed = path ? 1 + (disk && disk->backing ? disk->backing->len : 0) : 0;

	if (!device->files->len)
		return !path || may_open(path, error);
	if (device->files->len == needed)
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
		_("'%s' has %u files, and %u descriptors came with it"), device->name, needed,
		device->files->len);
	return false;
}

const char *keeper_devices_add(struct keeper_devices *devices, struct machine_config *config,
	GArray *files, const void *owner, GError **error)
{
	struct kept_device *device = add(devices, config, error);

	if (!device) {
		config_free(config);
		keeper_files_free(files);
		return NULL;
	}
	device->own_config = config;
	keeper_files_free(device->files);
	device->files = files;
	device->owner = owner;
	if (check_files(device, error) && replace(devices, device, error))
		return device->name;
	g_ptr_array_remove(devices->list, device);
	return NULL;
}

static struct storage *storage_of(struct kept_device *device, GError **error)
{
	if (device->storage || !check_files(device, error))
		return device->storage;
	device->storage = storage_new(device->disk, (const int *)(const void *)device->files->data,
		device->files->len, error);
	keeper_files_free(device->files);
	device->files = keeper_files_new();
	return device->storage;
}

bool keeper_devices_open(struct keeper_devices *devices, const char *name, GError **error)
{
	struct kept_device *device = find(devices, true, name);

	if (!device || storage_of(device, error))
		return true;
	g_prefix_error(error, _("Cannot open the disk '%s': "),
		device->disk->rbd ? device->disk->rbd : device->disk->path);
	g_ptr_array_remove(devices->list, device);
	return false;
}

void keeper_devices_forget(struct keeper_devices *devices, const void *owner)
{
	for (unsigned i = devices->list->len; i-- > 0;) {
		const struct kept_device *device = g_ptr_array_index(devices->list, i);

		if (device->owner == owner && owner && !device->used)
			g_ptr_array_remove_index(devices->list, i);
	}
}

/* ---- for the machine's process -------------------------------------------------------------------- */

static int connect_disk(
	struct kept_device *device, uint64_t size, struct keeper_answer *answer, GError **error)
{
	g_autofree char *export_name = NULL;
	struct storage *storage = storage_of(device, error);
	int fd = storage ? storage_connect(storage, size, &export_name, error) : -1;

	if (fd >= 0)
		g_strlcpy(answer->export_name, export_name, sizeof(answer->export_name));
	return fd;
}

static int connect_nic(struct kept_device *device, GError **error)
{
	g_auto(GStrv) arguments = netargs_passt(device->net);
	int fd;

	if (!check_files(device, error))
		return -1;
	g_clear_pointer(&device->passt, passt_program_free);
	device->passt = passt_program_new(
		&(struct passt_program_config){
			.arguments = (const char *const *)arguments,
			.mtu = device->net->mtu,
			.log_path = device->net->log,
			.log = device->files->len ? g_array_index(device->files, int, 0) : -1,
		},
		&fd, error);
	return device->passt ? fd : -1;
}

static int connect_device(struct keeper_devices *devices, const struct keeper_request *request,
	struct keeper_answer *answer, GError **error)
{
	bool disk = request->verb == KEEPER_DISK;
	struct kept_device *device = find(devices, disk, request->name);

	if (!device) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
			_("the keeper has not been asked to open '%s' before"), request->name);
		return -1;
	}
	device->used = true;
	return disk ? connect_disk(device, request->size, answer, error)
		    : connect_nic(device, error);
}

static void drop(struct keeper_devices *devices, bool disk, const char *name)
{
	struct kept_device *device = find(devices, disk, name);

	if (device)
		g_ptr_array_remove(devices->list, device);
}

int keeper_devices_answer(struct keeper_devices *devices, const struct keeper_request *request,
	struct keeper_answer *answer)
{
	g_autoptr(GError) error = NULL;
	int fd;

	*answer = (struct keeper_answer){ 0 };
	if (request->verb == KEEPER_DROP_DISK || request->verb == KEEPER_DROP_NIC) {
		drop(devices, request->verb == KEEPER_DROP_DISK, request->name);
		return -1;
	}
	fd = connect_device(devices, request, answer, &error);
	answer->ok = fd >= 0;
	if (error)
		g_strlcpy(answer->sentence, error->message, sizeof(answer->sentence));
	return fd;
}

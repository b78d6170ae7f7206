// SPDX-License-Identifier: GPL-3.0-or-later
/* Network cards: where the cable goes on the host, and the virtio device. */
#include <config.h>

#include "engine/vmm/devices_private.h"

#include "engine/vmm/dev/virtio_net.h"
#include "engine/vmm/kept.h"
#include "engine/vmm/net/passt.h"
#include "engine/vmm/net/tap.h"
#include "engine/vmm/sandbox.h"

#include <glib/gi18n.h>

#define TAP_MTU 1500u

static void free_nic(void *device)
{
	virtio_net_free(device);
}

static void passt_warns(void *data, const char *message)
{
	const struct device_slot *slot = data;
	const struct virtio_env *env = &slot->devices->env;
	g_autofree char *text =
		g_strdup_printf(_("Network card %s: %s"), slot->name, message);

	env->warn(env->warn_data, text);
}

static int ask_passt(void *data, GError **error)
{
	const struct device_slot *slot = data;

	return kept_nic(slot->devices->parts->kept, slot->name, error);
}

static void end_passt(void *data)
{
	const struct device_slot *slot = data;

	kept_drop_nic(slot->devices->parts->kept, slot->name);
}

static struct net_backend *open_user(struct device_slot *slot, GError **error)
{
	const struct machine_parts *parts = slot->devices->parts;

	return net_passt_new(
		&(struct net_passt_config){
			.open = ask_passt,
			.close = end_passt,
			.warn = passt_warns,
			.data = slot,
		},
		parts->context, parts->lock, error);
}

static struct net_backend *open_tap(
	struct device_slot *slot, const struct config_net *config, int fd, GError **error)
{
	const struct machine_parts *parts = slot->devices->parts;

	return net_tap_new(
		&(struct net_tap_config){
			.fd = fd,
			.name = config->tap_name,
			.bridge = config->bridge,
			.mac = config->mac,
			.mtu = config->mtu,
		},
		parts->context, parts->lock, error);
}

static uint16_t mtu_of(const struct config_net *config)
{
	if (config->mtu)
		return config->mtu;
	return config->tap ? TAP_MTU : NET_PASST_MTU;
}

bool nic_make(struct device_slot *slot, const struct config_net *config, unsigned pci_slot, int fd,
	GError **error)
{
	struct devices *devices = slot->devices;
	struct virtio_net *net;

	if (fd < 0 && config->tap && !sandbox_allows_paths(error))
		return false;
	/* Who gives a descriptor has made the network, of whatever type it is. */
	slot->net = config->tap || fd >= 0 ? open_tap(slot, config, fd, error)
					   : open_user(slot, error);
	if (!slot->net)
		return false;
	slot->net_config = config;
	g_mutex_lock(&devices->parts->lock->mutex);
	net = virtio_net_new(&devices->env, config->mac, mtu_of(config), slot->net);
	virtio_net_set_link(net, !config->link_down);
	virtio_net_set_limits(net, &config->inbound, &config->outbound);
	slot->nic_stats = stats_add_nic(devices->parts->stats, slot->name);
	virtio_net_count(net, slot->nic_stats);
	g_mutex_unlock(&devices->parts->lock->mutex);
	return devices_plug_slot(slot, pci_slot, virtio_net_device(net), net, free_nic, error);
}

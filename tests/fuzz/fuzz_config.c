// SPDX-License-Identifier: GPL-3.0-or-later
// Guest definitions: a good one with bytes of it replaced, or any bytes at all.
#include "engine/common/config.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char definition[] =
	"<domain type='qemu'><name>web</name><uuid>563fd893-d8b6-4685-9a2d-4d240da8aad4</uuid>"
	"<memory unit='MiB'>512</memory><currentMemory>262144</currentMemory>"
	"<vcpu placement='static' current='2'>4</vcpu><os><type arch='x86_64' machine='q35'>hvm"
	"</type><kernel>/k</kernel><initrd>/i</initrd><cmdline>a b=c</cmdline></os><features><acpi/>"
	"<apic/></features><cpu mode='host-passthrough'><topology sockets='4' cores='1' threads='1'/>"
	"</cpu><clock offset='utc'><timer name='hpet' present='no'/></clock>"
	"<on_reboot>restart</on_reboot><devices><disk type='file' device='disk'>"
	"<driver name='qemu' type='raw' cache='none' discard='unmap'/><source file='/d'/>"
	"<target dev='vda' bus='virtio'/><serial>s</serial><readonly/></disk>"
	"<interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/>"
	"<mtu size='1500'/><ip family='ipv4' address='10.0.0.2' prefix='24'/>"
	"<portForward proto='tcp' address='127.0.0.1'><range start='2022' end='2023' to='22'/>"
	"</portForward></interface><serial type='unix'><source mode='bind' path='/s'/></serial>"
	"<console type='pty'><target type='virtio'/></console><channel type='unix'>"
	"<source mode='bind'/><target type='virtio' name='n'/></channel>"
	"<memballoon model='virtio'><stats period='5'/></memballoon><rng model='virtio'>"
	"<backend model='random'>/dev/urandom</backend></rng></devices></domain>";

// Each three bytes of input are a place and a value.
static char *mutate(const uint8_t *data, size_t size)
{
	char *text = g_strdup(definition);

	for (size_t i = 0; i + 2 < size; i += 3) {
		size_t place = (data[i] | (size_t)data[i + 1] << 8) % strlen(definition);

		text[place] = data[i + 2] ? (char)data[i + 2] : ' ';
	}
	return text;
}

// What is read is whole, and what is refused has a sentence with the place.
static void check(const struct machine_config *config, const GError *error)
{
	g_assert((config != NULL) == (error == NULL));
	if (!config) {
		g_assert(error->domain == CONFIG_ERROR && g_str_has_prefix(error->message, "f.xml:"));
		return;
	}
	g_assert(config->name && *config->name && config->kernel && *config->kernel);
	g_assert(config->vcpus >= 1 && config->vcpus <= config->vcpus_max);
	g_assert(config->vcpus_max <= CONFIG_VCPUS_MAX);
	g_assert(config->memory >= CONFIG_MEMORY_MIN && config->memory <= CONFIG_MEMORY_MAX);
	g_assert(config->memory % 4096 == 0 && config->memory_current <= config->memory);
	g_assert(config->serials->len <= CONFIG_SERIALS_MAX);
	for (unsigned i = 0; i < config->disks->len; i++)
		g_assert(((struct config_disk *)g_ptr_array_index(config->disks, i))->path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	struct machine_config *config;
	g_autofree char *text = NULL;

	if (!size)
		return 0;
	if (data[0] < 16) {
		config = config_read_memory((const char *)data + 1, size - 1, "f.xml", &error);
	} else {
		// Few changes at a time, or nothing is ever accepted.
		text = mutate(data + 1, MIN(size - 1, 3u * (data[0] % 4)));
		config = config_read_memory(text, strlen(text), "f.xml", &error);
	}
	check(config, error);
	config_free(config);
	return 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/host.h"

#include "engine/common/config.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

static uint64_t ticks_to_ns(uint64_t ticks)
{
	return ticks * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* The number behind "key" at the beginning of a line of text, 0 when there is none. */
static double number_after(const char *text, const char *key)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (g_str_has_prefix(line, key))
			return g_ascii_strtod(
				line + strlen(key) + strspn(line + strlen(key), " \t:"), NULL);
	}
	return 0;
}

void host_read(struct host *host)
{
	g_autofree char *text = NULL;
	struct utsname name;

	memset(host, 0, sizeof(*host));
	uname(&name);
	g_strlcpy(host->model, name.machine, sizeof(host->model));
	host->memory = host_memory("MemTotal");
	host->cpus = (int)MAX(1, sysconf(_SC_NPROCESSORS_ONLN));
	host->sockets = host->threads = 1;
	host->cores = host->cpus;
	if (!g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL))
		return;
	host->mhz = (int)number_after(text, "cpu MHz");
	int cores = (int)number_after(text, "cpu cores");
	int siblings = (int)number_after(text, "siblings");
	if (cores < 1 || siblings < cores || siblings % cores || host->cpus % siblings)
		return;
	host->cores = cores;
	host->threads = siblings / cores;
	host->sockets = host->cpus / siblings;
}

uint64_t host_memory(const char *field)
{
	g_autofree char *text = NULL, *key = g_strconcat(field, ":", NULL);

	if (!g_file_get_contents("/proc/meminfo", &text, NULL, NULL))
		return 0;
	return (uint64_t)number_after(text, key);
}

bool host_cpu_time(int cpu, struct host_cpu_time *time)
{
	g_autofree char *text = NULL;
	g_autofree char *key = cpu < 0 ? g_strdup("cpu ") : g_strdup_printf("cpu%d ", cpu);
	unsigned long long user, nice, system, idle, iowait, irq, softirq;

	if (!g_file_get_contents("/proc/stat", &text, NULL, NULL))
		return false;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!g_str_has_prefix(line, key))
			continue;
		if (sscanf(line + strlen(key), "%llu %llu %llu %llu %llu %llu %llu", &user, &nice,
			    &system, &idle, &iowait, &irq, &softirq) != 7)
			return false;
		time->user = ticks_to_ns(user + nice);
		time->kernel = ticks_to_ns(system + irq + softirq);
		time->idle = ticks_to_ns(idle);
		time->iowait = ticks_to_ns(iowait);
		return true;
	}
	return false;
}

void host_process(int pid, struct host_process *process)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid), *text = NULL;
	unsigned long long user, system;
	const char *after;
	long rss;

	memset(process, 0, sizeof(*process));
	if (pid <= 0 || !g_file_get_contents(path, &text, NULL, NULL))
		return;
	/* The program's name may hold anything. */
	after = strrchr(text, ')');
	if (!after || sscanf(after + 1,
			      " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d "
			      "%*d %*d "
			      "%*d %*u %*u %ld",
			      &user, &system, &rss) != 3)
		return;
	process->user = ticks_to_ns(user);
	process->system = ticks_to_ns(system);
	process->rss = (uint64_t)rss * (uint64_t)sysconf(_SC_PAGESIZE) >> 10;
}

bool host_has_kvm(void)
{
	return access("/dev/kvm", R_OK | W_OK) == 0;
}

/* What a file of the kernel's about SMBIOS is in libvirt's XML. */
static const struct {
	const char *part, *entry, *file;
} smbios[] = {
	{"bios", "vendor", "bios_vendor"},
	{"bios", "version", "bios_version"},
	{"bios", "date", "bios_date"},
	{"bios", "release", "bios_release"},
	{"system", "manufacturer", "sys_vendor"},
	{"system", "product", "product_name"},
	{"system", "version", "product_version"},
	{"system", "serial", "product_serial"},
	{"system", "uuid", "product_uuid"},
	{"system", "sku", "product_sku"},
	{"system", "family", "product_family"},
	{"baseBoard", "manufacturer", "board_vendor"},
	{"baseBoard", "product", "board_name"},
	{"baseBoard", "version", "board_version"},
	{"baseBoard", "serial", "board_serial"},
	{"baseBoard", "asset", "board_asset_tag"},
	{"chassis", "manufacturer", "chassis_vendor"},
	{"chassis", "version", "chassis_version"},
	{"chassis", "serial", "chassis_serial"},
	{"chassis", "asset", "chassis_asset_tag"},
};

static char *smbios_text(const char *file)
{
	g_autofree char *path = g_strconcat("/sys/class/dmi/id/", file, NULL), *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL) || !*g_strstrip(text) ||
		!g_utf8_validate(text, -1, NULL))
		return NULL;
	return g_markup_escape_text(text, -1);
}

char *host_sysinfo(void)
{
	g_autoptr(GString) xml = g_string_new("<sysinfo type='smbios'>\n");
	const char *part = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(smbios); i++) {
		g_autofree char *text = smbios_text(smbios[i].file);

		if (!text)
			continue;
		if (g_strcmp0(part, smbios[i].part) != 0) {
			if (part)
				g_string_append_printf(xml, "  </%s>\n", part);
			part = smbios[i].part;
			g_string_append_printf(xml, "  <%s>\n", part);
		}
		g_string_append_printf(
			xml, "    <entry name='%s'>%s</entry>\n", smbios[i].entry, text);
	}
	if (!part)
		return NULL;
	g_string_append_printf(xml, "  </%s>\n</sysinfo>\n", part);
	return g_strdup(xml->str);
}

static char *host_uuid(void)
{
	g_autofree char *text = NULL;

	if (!g_file_get_contents("/etc/machine-id", &text, NULL, NULL) || strlen(text) < 32)
		return g_strdup("00000000-0000-0000-0000-000000000000");
	return g_strdup_printf(
		"%.8s-%.4s-%.4s-%.4s-%.12s", text, text + 8, text + 12, text + 16, text + 20);
}

static void append_guest(GString *xml, const char *arch, int bits, const char *emulator, bool kvm)
{
	g_string_append_printf(xml,
		"  <guest>\n    <os_type>hvm</os_type>\n    <arch name='%s'>\n"
		"      <wordsize>%d</wordsize>\n      <emulator>%s</emulator>\n"
		"      <machine maxCpus='%d'>lodge</machine>\n      <domain type='qemu'/>\n%s"
		"    </arch>\n    <features>\n      <acpi default='on' toggle='no'/>\n"
		"      <apic default='on' toggle='no'/>\n    </features>\n  </guest>\n",
		arch, bits, emulator, CONFIG_VCPUS_MAX, kvm ? "      <domain type='kvm'/>\n" : "");
}

char *host_capabilities(const char *emulator)
{
	g_autofree char *uuid = host_uuid(), *path = g_markup_escape_text(emulator, -1);
	GString *xml = g_string_new("<capabilities>\n\n");
	bool kvm = host_has_kvm();
	struct host host;

	host_read(&host);
	g_string_append_printf(xml,
		"  <host>\n    <uuid>%s</uuid>\n    <cpu>\n      <arch>x86_64</arch>\n"
		"      <topology sockets='%d' dies='1' cores='%d' threads='%d'/>\n    </cpu>\n"
		"    <topology>\n      <cells num='1'>\n        <cell id='0'>\n"
		"          <memory unit='KiB'>%" G_GUINT64_FORMAT "</memory>\n"
		"          <cpus num='%d'>\n",
		uuid, host.sockets, host.cores, host.threads, host.memory, host.cpus);
	for (int i = 0; i < host.cpus; i++)
		g_string_append_printf(xml, "            <cpu id='%d'/>\n", i);
	g_string_append(xml, "          </cpus>\n        </cell>\n      </cells>\n    "
			     "</topology>\n  </host>\n\n");
	append_guest(xml, "i686", 32, path, kvm);
	append_guest(xml, "x86_64", 64, path, kvm);
	g_string_append(xml, "\n</capabilities>\n");
	return g_string_free(xml, FALSE);
}

char *host_domain_capabilities(const char *emulator, bool kvm, const char *machine)
{
	g_autofree char *path = g_markup_escape_text(emulator, -1);
	g_autofree char *name = g_markup_escape_text(machine, -1);

	return g_strdup_printf(
		"<domainCapabilities>\n  <path>%s</path>\n  <domain>%s</domain>\n"
		"  <machine>%s</machine>\n  <arch>x86_64</arch>\n  <vcpu max='%d'/>\n"
		"  <os supported='yes'>\n    <loader supported='no'/>\n  </os>\n  <cpu>\n"
		"    <mode name='host-passthrough' supported='yes'/>\n"
		"    <mode name='maximum' supported='yes'/>\n"
		"    <mode name='host-model' supported='no'/>\n"
		"    <mode name='custom' supported='no'/>\n  </cpu>\n  <devices>\n"
		"    <disk supported='yes'>\n      <enum name='diskDevice'>\n"
		"        <value>disk</value>\n        <value>cdrom</value>\n      </enum>\n"
		"      <enum name='bus'>\n        <value>virtio</value>\n"
		"        <value>scsi</value>\n      </enum>\n    </disk>\n"
		"    <graphics supported='no'/>\n    <video supported='no'/>\n"
		"    <hostdev supported='no'/>\n    <rng supported='yes'>\n"
		"      <enum name='model'>\n        <value>virtio</value>\n      </enum>\n"
		"      <enum name='backendModel'>\n        <value>random</value>\n"
		"        <value>builtin</value>\n      </enum>\n    </rng>\n"
		"    <filesystem supported='no'/>\n    <tpm supported='no'/>\n  </devices>\n"
		"  <features>\n    <gic supported='no'/>\n    <vmcoreinfo supported='no'/>\n"
		"    <genid supported='no'/>\n    <sev supported='no'/>\n  </features>\n"
		"</domainCapabilities>\n",
		path, kvm ? "kvm" : "qemu", name, CONFIG_VCPUS_MAX);
}

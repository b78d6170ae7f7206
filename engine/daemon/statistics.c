// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/statistics.h"

#include "engine/daemon/host.h"
#include "engine/daemon/store.h"

#include <string.h>

const struct stats_page *statistics_read(struct guest *guest)
{
	static struct stats_page page;
	g_autofree char *path = NULL;

	if (!guest_is_active(guest))
		return NULL;
	if (!guest->statistics) {
		path = store_path(guest->folder, STATISTICS_FILE, "");
		guest->statistics = stats_reader_open(path, NULL);
	}
	return guest->statistics && stats_reader_read(guest->statistics, &page) ? &page : NULL;
}

void statistics_forget(struct guest *guest)
{
	g_clear_pointer(&guest->statistics, stats_reader_free);
}

const struct stats_disk *statistics_disk(const struct stats_page *page, const char *name)
{
	for (uint64_t i = 0; page && i < page->guest.disk_records; i++)
		if (page->disks[i].record.present &&
			strcmp(page->disks[i].record.name, name) == 0)
			return &page->disks[i];
	return NULL;
}

const struct stats_nic *statistics_nic(const struct stats_page *page, const char *name)
{
	for (uint64_t i = 0; page && i < page->guest.nic_records; i++)
		if (page->nics[i].record.present && strcmp(page->nics[i].record.name, name) == 0)
			return &page->nics[i];
	return NULL;
}

uint64_t statistics_balloon(const struct guest *guest, const struct stats_page *page)
{
	if (guest->balloon)
		return guest->balloon;
	return page && page->guest.balloon_actual
		       ? page->guest.balloon_actual >> 10
		       : guest_definition(guest)->config->memory_current >> 10;
}

uint64_t statistics_memory(const struct guest *guest, const struct stats_page *page)
{
	return statistics_balloon(guest, page) + guest->added;
}

void statistics_cpu(
	const struct guest *guest, const struct stats_page *page, struct statistics_cpu *cpu)
{
	struct host_process process;

	memset(cpu, 0, sizeof(*cpu));
	if (page && page->guest.cpu_ns) {
		cpu->total = page->guest.cpu_ns;
		cpu->user = page->guest.cpu_user_ns;
		cpu->system = page->guest.cpu_system_ns;
		cpu->resident = page->guest.resident >> 10;
		return;
	}
	if (!guest->monitor || !monitor_pid(guest->monitor))
		return;
	host_process(monitor_pid(guest->monitor), &process);
	cpu->user = process.user;
	cpu->system = process.system;
	cpu->total = process.user + process.system;
	cpu->resident = process.rss;
}

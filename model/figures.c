// SPDX-License-Identifier: GPL-3.0-or-later
// Counters to figures: differences between two samples, divided by the time between them.
#include "model/guest_private.h"

#include <string.h>

// Change of a counter; NAN when one end is unknown or it went back (the guest began anew).
static double change(guint64 before, guint64 now)
{
	if (before == SAMPLE_UNKNOWN || now == SAMPLE_UNKNOWN || now < before)
		return NAN;
	return (double)(now - before);
}

static double known(guint64 value)
{
	return value == SAMPLE_UNKNOWN ? NAN : (double)value;
}

// Adds what is known; a sum of nothing known stays NAN.
static void add(double *sum, double value)
{
	if (!isnan(value))
		*sum = isnan(*sum) ? value : *sum + value;
}

static void take_vcpu(struct guest_vcpu *vcpu, const struct sample_vcpu *sample, double elapsed_ns)
{
	vcpu->state = sample->state;
	vcpu->use = 100 * change(vcpu->time, sample->time) / elapsed_ns;
	vcpu->waiting = 100 * change(vcpu->wait, sample->wait) / elapsed_ns;
	vcpu->steal = 100 * change(vcpu->delay, sample->delay) / elapsed_ns;
	vcpu->time = sample->time;
	vcpu->wait = sample->wait;
	vcpu->delay = sample->delay;
	history_add(&vcpu->use_history, vcpu->use);
}

static void take_vcpus(struct guest *guest, const struct sample_guest *sample, double elapsed_ns)
{
	unsigned count = sample->vcpu ? sample->vcpu->len : 0;

	guest->wait = guest->steal = NAN;
	if (guest->vcpu->len > count)
		g_ptr_array_set_size(guest->vcpu, (int)count);
	for (unsigned i = 0; i < count; i++) {
		struct guest_vcpu *vcpu;

		if (i == guest->vcpu->len) {
			vcpu = g_new0(struct guest_vcpu, 1);
			vcpu->time = vcpu->wait = vcpu->delay = SAMPLE_UNKNOWN;
			g_ptr_array_add(guest->vcpu, vcpu);
		}
		vcpu = guest->vcpu->pdata[i];
		take_vcpu(vcpu, &g_array_index(sample->vcpu, struct sample_vcpu, i), elapsed_ns);
		add(&guest->wait, vcpu->waiting);
		add(&guest->steal, vcpu->steal);
	}
}

static void take_cpu(
	struct guest *guest, const struct sample_guest *sample, double elapsed_ns, unsigned cpus)
{
	guest->cpu = 100 * change(guest->private->cpu_time, sample->cpu_time) / elapsed_ns;
	guest->cpu_host = cpus ? guest->cpu / cpus : NAN;
	guest->cpu_allocation = guest->vcpus ? guest->cpu / guest->vcpus : NAN;
	take_vcpus(guest, sample, elapsed_ns);
	history_add(&guest->cpu_history, guest->cpu);
}

static void take_memory(struct guest *guest, const struct sample_guest *sample)
{
	guint64 spare = sample->usable != SAMPLE_UNKNOWN ? sample->usable : sample->unused;

	guest->memory_rss = known(sample->rss);
	guest->memory_used = change(spare, sample->available);
	history_add(&guest->memory_history,
		isnan(guest->memory_used) && sample->cpu_time != SAMPLE_UNKNOWN
			? (double)guest->memory
			: guest->memory_used);
}

static void take_disk(struct guest_disk *disk, const struct sample_disk *sample, double seconds)
{
	double rates[4];

	for (unsigned i = 0; i < 4; i++) {
		rates[i] = disk->counted ? change(disk->counters[i], sample->counters[i]) / seconds
					 : NAN;
		disk->counters[i] = sample->counters[i];
	}
	disk->counted = true;
	disk->read_rate = rates[0];
	disk->write_rate = rates[1];
	disk->read_ops = rates[2];
	disk->write_ops = rates[3];
	disk->allocation = sample->allocation ? sample->allocation : disk->allocation;
	disk->capacity = sample->capacity ? sample->capacity : disk->capacity;
	disk->physical = sample->physical ? sample->physical : disk->physical;
	history_add(&disk->read_history, rates[0]);
	history_add(&disk->write_history, rates[1]);
}

static const struct sample_disk *find_disk(const GArray *disks, const char *target)
{
	for (unsigned i = 0; disks && target && i < disks->len; i++) {
		const struct sample_disk *disk = &g_array_index(disks, struct sample_disk, i);

		if (disk->target && !strcmp(disk->target, target))
			return disk;
	}
	return NULL;
}

static void take_disks(struct guest *guest, const struct sample_guest *sample, double seconds)
{
	guest->read_rate = guest->write_rate = guest->read_ops = guest->write_ops = NAN;
	for (unsigned i = 0; i < guest->disks->len; i++) {
		struct guest_disk *disk = guest->disks->pdata[i];
		const struct sample_disk *found = find_disk(sample->disks, disk->target);

		if (!found)
			continue;
		take_disk(disk, found, seconds);
		add(&guest->read_rate, disk->read_rate);
		add(&guest->write_rate, disk->write_rate);
		add(&guest->read_ops, disk->read_ops);
		add(&guest->write_ops, disk->write_ops);
	}
	history_add(&guest->read_history, guest->read_rate);
	history_add(&guest->write_history, guest->write_rate);
}

// By name; where the definition has none (some drivers name them only in the sample), by place.
static const struct sample_nic *find_nic(
	const GArray *nics, const struct guest_nic *nic, unsigned place)
{
	for (unsigned i = 0; nics && nic->target && i < nics->len; i++) {
		const struct sample_nic *found = &g_array_index(nics, struct sample_nic, i);

		if (found->target && !strcmp(found->target, nic->target))
			return found;
	}
	return nics && !nic->target && place < nics->len
		       ? &g_array_index(nics, struct sample_nic, place)
		       : NULL;
}

static void take_nic(struct guest_nic *nic, const struct sample_nic *sample, double seconds)
{
	nic->rx_rate = nic->counted ? change(nic->counters[0], sample->rx) / seconds : NAN;
	nic->tx_rate = nic->counted ? change(nic->counters[1], sample->tx) / seconds : NAN;
	nic->counters[0] = sample->rx;
	nic->counters[1] = sample->tx;
	nic->counted = true;
	history_add(&nic->rx_history, nic->rx_rate);
	history_add(&nic->tx_history, nic->tx_rate);
}

static void take_nics(struct guest *guest, const struct sample_guest *sample, double seconds)
{
	guest->rx_rate = guest->tx_rate = NAN;
	for (unsigned i = 0; i < guest->nics->len; i++) {
		struct guest_nic *nic = guest->nics->pdata[i];
		const struct sample_nic *found = find_nic(sample->nics, nic, i);

		if (!found)
			continue;
		take_nic(nic, found, seconds);
		add(&guest->rx_rate, nic->rx_rate);
		add(&guest->tx_rate, nic->tx_rate);
	}
	history_add(&guest->rx_history, guest->rx_rate);
	history_add(&guest->tx_history, guest->tx_rate);
}

static void take_sizes(struct guest *guest, const struct sample_guest *sample)
{
	if (sample->vcpus != SAMPLE_UNKNOWN && sample->vcpus)
		guest->vcpus = (unsigned)MIN(sample->vcpus, 65536);
	if (sample->vcpus_max != SAMPLE_UNKNOWN && sample->vcpus_max)
		guest->vcpus_max = (unsigned)MIN(sample->vcpus_max, 65536);
	if (sample->memory != SAMPLE_UNKNOWN)
		guest->memory = sample->memory;
	if (sample->memory_max != SAMPLE_UNKNOWN)
		guest->memory_max = sample->memory_max;
}

void guest_take_sample(
	struct guest *guest, const struct sample_guest *sample, gint64 taken, unsigned cpus)
{
	// With the no-wait flag a busy guest tells less than it did: its figures stay, and age.
	bool silent = guest_active(guest) && guest->private->cpu_time != SAMPLE_UNKNOWN &&
		      sample->cpu_time == SAMPLE_UNKNOWN;
	double elapsed = (double)(taken - guest->private->taken);

	if (silent)
		return;
	guest->seen = taken;
	take_sizes(guest, sample);
	if (!guest_active(guest))
		return;
	if (elapsed <= 0)
		elapsed = NAN; // a time that stands still gives no rates
	take_cpu(guest, sample, elapsed * 1000, cpus);
	take_memory(guest, sample);
	take_disks(guest, sample, elapsed / G_USEC_PER_SEC);
	take_nics(guest, sample, elapsed / G_USEC_PER_SEC);
	guest->private->cpu_time = sample->cpu_time;
	guest->private->taken = taken;
}

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The memory balloon (virtio 1.2, section 5.5): inflating gives pages back to the host, deflating
 * is by touch; statistics queue; free page reporting; deflating on the guest's out-of-memory.
 * All pages are of 4 KiB.
 */
#pragma once

#include "engine/vmm/dev/virtio.h"

struct virtio_balloon;

/* The guest's own view of its memory (5.5.6.3, and Linux's later tags); bytes, or counts where the
 * tag says so. UINT64_MAX where the guest did not tell. */
struct virtio_balloon_stats {
	uint64_t swap_in, swap_out;          /* bytes */
	uint64_t major_faults, minor_faults; /* counts */
	uint64_t free, total, available;     /* bytes */
	uint64_t caches;                     /* bytes */
	uint64_t hugetlb_allocations, hugetlb_failures;
	uint64_t updated_ns; /* machine time of the last report, 0: never */
};

/* deflate_on_oom: the guest may take pages back when it runs out of memory. It counts them as its
 * own then; otherwise its total becomes less. */
struct virtio_balloon *virtio_balloon_new(const struct virtio_env *env, bool deflate_on_oom);
void virtio_balloon_free(struct virtio_balloon *balloon);
struct virtio_device *virtio_balloon_device(struct virtio_balloon *balloon);

/* How many pages the guest should give up; it follows as it can. Lock held. */
void virtio_balloon_set_target(struct virtio_balloon *balloon, uint32_t pages);
uint32_t virtio_balloon_target(const struct virtio_balloon *balloon);
/* How many it says it has given up. */
uint32_t virtio_balloon_actual(const struct virtio_balloon *balloon);
/* Asks for statistics every period_ns of machine time; 0 stops. */
void virtio_balloon_set_period(struct virtio_balloon *balloon, uint64_t period_ns);
uint64_t virtio_balloon_period(const struct virtio_balloon *balloon);
const struct virtio_balloon_stats *virtio_balloon_get_stats(const struct virtio_balloon *balloon);
/* Called with the lock held after actual or the statistics changed. NULL: nobody. */
void virtio_balloon_set_listener(
	struct virtio_balloon *balloon, void (*changed)(void *data), void *data);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Limits on a disk: a block backend in front of another, which lets reads and writes pass so fast
 * and no faster (libvirt's <iotune>). Discards and write zeroes count as writes without bytes;
 * a flush passes at once. Reads wait behind reads and writes behind writes, in their order.
 *
 * A burst is as libvirt means it: "max" is the rate and "max_length" the seconds that it may last
 * after a rest; between bursts the limit's rate holds. Without "max" a tenth of a second's worth may
 * pass at once.
 */
#pragma once

#include "engine/common/config.h"
#include "engine/vmm/block/block.h"

/* inner: taken. What waits is let go by context. */
struct block_backend *block_limit_new(struct block_backend *inner, GMainContext *context);
struct block_backend *block_limit_inner(struct block_backend *backend);
/* Puts another backend behind the limits, which stay, and frees the old one. inner: taken. Nothing
 * is submitted meanwhile; what was is waited for (as block_drain()). */
void block_limit_replace(struct block_backend *backend, struct block_backend *inner);

/* Sets all CONFIG_LIMITS limits, now. Any thread. */
void block_limit_set(struct block_backend *backend, const struct config_rate *limits);
const struct config_rate *block_limit_get(const struct block_backend *backend);
/* Where the ns that requests have waited are counted; NULL: nowhere. */
void block_limit_count(struct block_backend *backend, uint64_t *waited_ns);

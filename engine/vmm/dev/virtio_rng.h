// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The entropy device (virtio 1.2, section 5.4), from the host's getrandom().
 */
#pragma once

#include "engine/vmm/dev/virtio.h"

struct virtio_rng;

struct virtio_rng *virtio_rng_new(const struct virtio_env *env);
void virtio_rng_free(struct virtio_rng *rng);
struct virtio_device *virtio_rng_device(struct virtio_rng *rng);

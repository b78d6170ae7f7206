// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/virtio_rng.h"

#include <glib.h>
#include <linux/virtio_ids.h>
#include <sys/random.h>

#define QUEUE_SIZE 64
#define REQUEST_MAX 4096u /* bytes given at once; a driver that wants more asks again */

struct virtio_rng {
	struct virtio_device dev;
};

static uint32_t rng_fill(const struct virtq_chain *chain)
{
	uint8_t bytes[REQUEST_MAX];
	ssize_t got = getrandom(bytes, MIN(chain->in_length, REQUEST_MAX), GRND_NONBLOCK);

	return got > 0 ? virtq_chain_write(chain, 0, bytes, got) : 0;
}

static void virtio_rng_kick(struct virtio_device *dev, unsigned queue)
{
	struct virtq_chain chain;

	while (virtq_pop(dev, queue, &chain))
		virtq_push(dev, queue, &chain, rng_fill(&chain));
	/* An entropy request is rare: no need to save the driver's next notification. */
	while (virtq_want_kicks(dev, queue, true) && virtq_pop(dev, queue, &chain))
		virtq_push(dev, queue, &chain, rng_fill(&chain));
	virtq_notify(dev, queue);
}

static const struct virtio_ops virtio_rng_ops = {
	.name = "virtio-rng",
	.id = VIRTIO_ID_RNG,
	.class_code = 0x00ff00,
	.kick = virtio_rng_kick,
};

struct virtio_rng *virtio_rng_new(const struct virtio_env *env)
{
	struct virtio_rng *rng = g_new0(struct virtio_rng, 1);

	virtio_device_init(&rng->dev, &virtio_rng_ops, env, 0);
	virtio_add_queue(&rng->dev, QUEUE_SIZE);
	return rng;
}

void virtio_rng_free(struct virtio_rng *rng)
{
	if (!rng)
		return;
	virtio_device_release(&rng->dev);
	g_free(rng);
}

struct virtio_device *virtio_rng_device(struct virtio_rng *rng)
{
	return &rng->dev;
}

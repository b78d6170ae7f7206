// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/bucket.h"

#include <glib.h>

#define NS 1e9
/* Of a second: what passes at once where no size is given, and within the peak. */
#define SLICE 10

static uint64_t slice(uint64_t rate)
{
	return MAX(rate / SLICE, 1);
}

static double leak(double level, uint64_t rate, uint64_t ns)
{
	return MAX(level - (double)rate * (double)ns / NS, 0);
}

static void bucket_leak(struct bucket *bucket, uint64_t now)
{
	uint64_t ns = now > bucket->seen ? now - bucket->seen : 0;

	bucket->level = leak(bucket->level, bucket->rate, ns);
	bucket->peak_level = leak(bucket->peak_level, bucket->peak, ns);
	bucket->seen = MAX(now, bucket->seen);
}

void bucket_set(
	struct bucket *bucket, uint64_t rate, uint64_t size, uint64_t peak, uint64_t now)
{
	bucket_leak(bucket, now);
	bucket->rate = rate;
	bucket->size = size ? size : slice(rate);
	bucket->peak = peak;
	/* What passed under another limit is not paid for under this one. */
	bucket->level = MIN(bucket->level, (double)bucket->size);
	bucket->peak_level = peak ? MIN(bucket->peak_level, (double)slice(peak)) : 0;
}

/* ns until the level is down at the size. */
static uint64_t wait_for(double level, uint64_t size, uint64_t rate)
{
	double over = level - (double)size;

	return over > 0 ? (uint64_t)(over / (double)rate * NS) + 1 : 0;
}

uint64_t bucket_wait(struct bucket *bucket, uint64_t now)
{
	uint64_t wait, peak = 0;

	if (!bucket->rate)
		return 0;
	bucket_leak(bucket, now);
	wait = wait_for(bucket->level, bucket->size, bucket->rate);
	if (bucket->peak)
		peak = wait_for(bucket->peak_level, slice(bucket->peak), bucket->peak);
	return MAX(wait, peak);
}

void bucket_take(struct bucket *bucket, uint64_t amount, uint64_t now)
{
	if (!bucket->rate)
		return;
	bucket_leak(bucket, now);
	bucket->level += (double)amount;
	if (bucket->peak)
		bucket->peak_level += (double)amount;
}

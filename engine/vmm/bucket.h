// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A token bucket, for what may pass only so fast: bytes or operations of disks and network cards.
 *
 * What passes fills the bucket, which empties at the rate. Something may pass while the level is
 * not above the size, and then passes whole, so that what is larger than the bucket waits its time
 * and is never stuck. With a peak, what passes within the size passes no faster than the peak.
 *
 * Amounts are the caller's (bytes, operations), rates per second, times ns of any clock that does
 * not go back. Plain data; the caller locks.
 */
#pragma once

#include <stdint.h>

struct bucket {
	uint64_t rate; /* 0: no limit */
	uint64_t size; /* how much may pass at once after a rest */
	uint64_t peak; /* 0: as fast as it comes */
	double level, peak_level;
	uint64_t seen; /* when the levels were right */
};

/* Sets the limit; a size of 0 is a tenth of a second at the rate. The level stays. */
void bucket_set(
	struct bucket *bucket, uint64_t rate, uint64_t size, uint64_t peak, uint64_t now);
/* ns until something may pass, 0 where it may now. */
uint64_t bucket_wait(struct bucket *bucket, uint64_t now);
/* So much passes now. */
void bucket_take(struct bucket *bucket, uint64_t amount, uint64_t now);

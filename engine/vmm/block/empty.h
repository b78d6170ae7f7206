// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The backend of a drive without a medium: 0 bytes, read-only. Whatever is asked of it fails with
 * ENOMEDIUM, at once and in the caller's thread. So who uses it sends it nothing with a lock held
 * that done takes; nothing fits into 0 bytes anyway.
 */
#pragma once

#include "engine/vmm/block/block.h"

struct block_backend *block_empty_new(void);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Descriptors that are looked at all the time, though something happens to few of them: the main
 * loop polls one descriptor in their place (epoll(7)), so that a thousand guests that do nothing
 * cost its turns nothing. Main thread, default main context.
 */
#pragma once

#include <stdint.h>

struct watch;

/* something is called in the main loop whenever one of these events (EPOLLIN…) is there; EPOLLHUP
 * and EPOLLERR always count. It may remove this watch and others. NULL: the kernel will not (errno). */
struct watch *watch_add(int fd, uint32_t events, void (*something)(void *data), void *data);
/* Before the descriptor is closed. NULL: nothing. */
void watch_remove(struct watch *watch);

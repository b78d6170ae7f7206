// SPDX-License-Identifier: GPL-3.0-or-later
// The event loop that libvirt asks of its user: handles and timeouts on a context of its own, run
// by a thread of its own. libvirt's ready-made loop will not do: it runs GLib's default context,
// which is the main thread's.
#pragma once

// Registers with libvirt and starts the thread; once per process, before any connection is opened.
void loop_start(void);

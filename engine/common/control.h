// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The control protocol of a running monitor: what lodge-vmm --control SOCKET speaks.
 *
 * A UNIX stream socket; both sides send JSON objects, one a line (at most CONTROL_LINE_MAX bytes,
 * UTF-8). Several clients may be connected.
 *
 * A request has "do", one of the names below, and may have "id" (any JSON value), which comes back
 * in the answer. Answers: {"id": …, "ok": true, …} or {"id": …, "error": "a sentence"}. Requests of
 * one client are answered in order.
 *
 *	{"do": "status"}     → "state": "running" | "paused" | "preserved", "name", "uuid" (or null),
 *	                       "backend": "kvm" | "soft", "vcpus", "memory" (bytes), "pid",
 *	                       "uptime" (ns the guest has run), "serials": [path or null, …]
 *	{"do": "pause"}      the guest stands still, its clock too
 *	{"do": "resume"}
 *	{"do": "reset"}      as the reset button
 *	{"do": "powerdown"}  presses the power button: the guest may follow or not
 *	{"do": "quit"}       ends guest and monitor at once
 *
 * Events come unasked, to all clients: {"event": "started" | "paused" | "resumed" | "reset" |
 * "powered-off" | "crashed" | "warning" | "ended"}, with "detail" where there is a sentence.
 *
 * A line that is no request is answered with an error; one that is too long, or a client that does
 * not read its answers, ends the connection.
 */
#pragma once

#define CONTROL_LINE_MAX 65536u

#define CONTROL_DO "do"
#define CONTROL_ID "id"
#define CONTROL_OK "ok"
#define CONTROL_ERROR "error"
#define CONTROL_EVENT "event"
#define CONTROL_DETAIL "detail"

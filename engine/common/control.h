// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The control protocol of a running monitor: what lodge-vmm --control SOCKET speaks.
 *
 * A UNIX stream socket; both sides send JSON objects, one a line (at most CONTROL_LINE_MAX bytes,
 * UTF-8). Several clients may be connected.
 *
 * A request has "do", one of the names below, and may have "id" (any JSON value), which comes back
 * in the answer. Answers: {"id": …, "ok": true, …} or {"id": …, "error": "a sentence"}. A request
 * that waits for the guest is answered when the guest has done it, or with an error after
 * "timeout" seconds (a number, CONTROL_TIMEOUT where it is missing); requests that came later may
 * be answered earlier. A request that takes a descriptor gets it as SCM_RIGHTS data of the
 * message that its line is in (at most CONTROL_FDS_MAX; others are closed).
 *
 * Amounts are bytes, times nanoseconds and rates per second, unless said. Devices have the names
 * of the definition: disks their target ("vda"), network cards their MAC address in lower case
 * ("52:54:00:00:00:01"), consoles "serial0"-"serial3" and "virtio0"….
 *
 * Life
 *	status         → "state": "running" | "paused" | "preserved", "name", "uuid" (or null),
 *	                 "backend": "kvm" | "soft", "vcpus" (present now), "vcpus_max", "memory"
 *	                 (bytes at boot), "pid" (of the machine's process), "uptime" (ns the guest has run),
 *	                 "serials": [path or null, …], "ports": the same for the virtio consoles,
 *	                 "devices": [{"device", "slot" (on PCI bus 0)}, …], where the others are
 *	                 "console0"…, "balloon", "rng0"… and memory devices by their alias,
 *	                 "sandbox": [what could not be given up, …]
 *	pause          the guest stands still, its clock too
 *	resume
 *	reset          as the reset button
 *	powerdown      presses the power button: the guest may follow or not
 *	quit           ends guest and monitor at once
 *
 * Processors
 *	set-vcpus      "count": 1 to the definition's maximum. Waits: the guest takes new ones on line
 *	               and lets old ones go. → "vcpus". On a time-out the error says which are
 *	               missing, and they stay asked for.
 *	vcpus          → "vcpus": [{"id", "present": bool, "online": bool (the guest has started
 *	               it), "thread": the host's id of its thread or 0, "cpus": "0-1,3" (host CPUs it
 *	               may use)}, …], one for each up to the maximum; "emulator": "0-1" (host
 *	               CPUs of all other threads); "weight", "quota", "period"…: all that set-cpu has
 *	set-cpu        any of "cap": per cent of one host CPU over all vCPUs, 0 for none; "weight":
 *	               1 to 10000, 100 is usual; and microseconds of one host CPU in each period:
 *	               "quota" and "period" of the whole (what "cap" is a short form of),
 *	               "vcpu_quota" and "vcpu_period" of each vCPU, "emulator_quota" and
 *	               "emulator_period" of all other threads (only with a control group); quotas
 *	               0: none, what is not named stays. → "by": "cgroup" | "monitor"
 *	pin            "cpus": "0-1,3" (host CPUs), and "vcpu": id or "emulator": true
 *
 * Memory
 *	memory         → "boot", "target" (what the balloon was asked to leave), "actual" (what it
 *	               leaves), "statistics": {"swap_in", "swap_out", "major_faults", "minor_faults",
 *	               "free", "total", "available", "caches", "last_update" (seconds since
 *	               1970)}, those that the guest tells; "period": seconds, as below;
 *	               "devices": [{"alias", "size" (most), "block", "requested", "plugged"}, …]
 *	               (virtio-mem)
 *	set-memory     "size": the balloon's target; answered at once, see the event
 *	set-balloon-period  "seconds": 0 for none
 *	set-virtio-mem "alias", "requested": answered at once, see the event
 *
 * Disks
 *	plug-disk      "xml": a <disk> element; with a descriptor, that is the opened image. What needs a
 *	               program must be open (see "The keeper"). → "disk", "slot"
 *	unplug-disk    "disk". Waits.
 *	resize-disk    "disk", "size": an image that is smaller is grown; the guest is told
 *	set-disk-limits  "disk", and of libvirt's <iotune> any of "total_bytes", "read_bytes",
 *	               "write_bytes", "total_iops", "read_iops", "write_iops" (a second), each also
 *	               with "_max" (burst rate) and "_max_length" (seconds); 0: no limit; what is not
 *	               named stays
 *	change-medium  "disk": a CD-ROM drive; "xml": its <disk> element as it is to be, with another
 *	               <source> or none (an empty drive); with a descriptor, that is the opened
 *	               image. A guest that has locked the tray is asked to open it, and this waits;
 *	               with "force": true it is opened all the same. The tray is closed afterwards.
 *	disks          → "disks": [{"disk", "size", "limits": {…}, "drive": {"medium": path or null,
 *	               "open", "locked": bool (the tray)} of a CD-ROM drive}, …]
 *
 * Networks
 *	plug-nic       "xml": an <interface> element; with a descriptor, that is the TAP device (or
 *	               a datagram socket, each datagram a frame). What needs a program must be open
 *	               (see "The keeper"). → "nic", "slot"
 *	unplug-nic     "nic". Waits.
 *	set-link       "nic", "up": bool
 *	set-nic-limits "nic", "inbound" and/or "outbound": {"average", "peak" (KiB a second),
 *	               "burst" (KiB)}, average 0: no limit
 *	nics           → "nics": [{"nic", "up": bool, "limits": {"inbound": {…}, "outbound": {…}}}, …]
 *
 * Consoles
 *	consoles       → "consoles": [{"console", "readers", "writer": bool}, …]
 *	attach-console "console", "write": bool, "force": bool (takes the writing from who has it),
 *	               with one descriptor, a stream socket: gets the last 64 KiB that the guest has
 *	               written and then what it writes; what is written to it is the guest's input.
 *	               Without "write" it is only read.
 *
 * Saving
 *	save           "path", or a descriptor. The guest is paused while it is written, and the monitor
 *	               ends when that has worked ("keep": true: the guest goes on instead). Answered
 *	               at the end; see the event. On an error the guest goes on.
 *	               "hold": true: when it is written, the guest stays paused and the monitor
 *	               there, for the client to put the file where it belongs, and then to "quit".
 *	               When the client leaves before that, also while it is written, the guest goes
 *	               on as after an error: the file is of no use then.
 *	               What was set on the guest while it ran (limits, quotas, weight, pins, links,
 *	               the balloon's target and period) is kept in the file.
 *	save-cancel    stops it, the guest goes on; by the client for which it is held also then
 *
 * Events come unasked, to all clients: {"event": …, "detail": a sentence where there is one, …}
 *	started paused resumed reset powered-off crashed warning ended
 *	panic          the guest's kernel says that it has crashed; with a <panic> device, "crashed"
 *	               follows, and what <on_crash> says is done
 *	balloon        "actual": it has changed
 *	vcpus          "vcpus": those on line in the guest have changed
 *	virtio-mem     "alias", "plugged"
 *	device-added, device-removed   "device"
 *	unplug-refused "device": the guest will not let it go
 *	tray           "disk", "open": bool: the tray of a CD-ROM drive has moved
 *	io-error       "disk", "detail", "write": bool; at most one a second of each disk
 *	save           "done", "total": bytes; at most ten a second
 *
 * The keeper
 *
 * The process that the guest runs in can start no program and open no file: a guest may own it one
 * day. The first process of lodge-vmm, its keeper, does so for it, and has a socket of its own
 * (lodge-vmm --keeper SOCKET), which takes the same lines and answers in the same way, for clients
 * that it trusts to name files. Disks of formats other than raw and of Ceph (qemu-storage-daemon) and
 * network cards of type user (passt) are opened there first, and then plugged at the control socket
 * by the same element without a descriptor; the process of the guest asks the keeper for what has
 * that name. The devices of the definition are open.
 *	open-disk      "xml": a <disk> element; with descriptors, these are the opened image and
 *	               what it stands on, as <backingStore> has it. → "disk"
 *	open-nic       "xml": an <interface> element that has an address (<mac>); with a descriptor, that
 *	               is the opened log of passt. → "nic"
 * Its program ends when the guest has let the device go, or its plugging has failed. What has been
 * opened and was not asked for is closed when the connection ends that has opened it, or when the
 * same name is opened again; the name of a device that the guest has is refused.
 *
 * A line that is no request is answered with an error; one that is too long, or a client that does
 * not read its answers, ends the connection.
 */
#pragma once

#define CONTROL_LINE_MAX 65536u
/* Most descriptors that one message may carry. */
#define CONTROL_FDS_MAX 20u
/* Seconds that the guest has to do what it is asked. */
#define CONTROL_TIMEOUT 5.0

#define CONTROL_DO "do"
#define CONTROL_ID "id"
#define CONTROL_OK "ok"
#define CONTROL_ERROR "error"
#define CONTROL_EVENT "event"
#define CONTROL_DETAIL "detail"
#define CONTROL_TIMEOUT_MEMBER "timeout"

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A guest's configuration: one struct read from a libvirt domain XML.
 *
 * The elements that are understood, and the values their attributes may have, are one table
 * (config_rules.c). Whatever is not in it is refused with its name and line: the engine never
 * runs a guest that differs silently from its definition. lodge-vmm(8) documents the table,
 * and the few elements that are accepted because every tool writes them though the engine
 * decides the matter by itself (PCI addresses, controllers, the emulator's path).
 *
 * Format: https://libvirt.org/formatdomain.html. Strings and lists belong to the struct. Plain
 * data: any thread, one at a time.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Most of what one machine can have. */
#define CONFIG_VCPUS_MAX 64
#define CONFIG_SERIALS_MAX 4
#define CONFIG_DEVICES_MAX 24
#define CONFIG_CAP_MAX (100 * CONFIG_VCPUS_MAX)
#define CONFIG_WEIGHT_MAX 10000
/* libvirt's limits of a period and a quota, and its usual period. */
#define CONFIG_PERIOD_US 100000u
#define CONFIG_PERIOD_MIN_US 1000u
#define CONFIG_PERIOD_MAX_US 1000000u
#define CONFIG_QUOTA_MIN_US 1000u
#define CONFIG_QUOTA_MAX_US 17592186044415u
#define CONFIG_MEMORY_MIN (1ull << 20)
#define CONFIG_MEMORY_MAX (1ull << 40)

#define CONFIG_ERROR config_error_quark()
GQuark config_error_quark(void);

enum config_error {
	CONFIG_ERROR_SYNTAX,      /* not XML */
	CONFIG_ERROR_UNSUPPORTED, /* libvirt may know it, this engine does not */
	CONFIG_ERROR_INVALID,     /* a value that cannot be */
	CONFIG_ERROR_MISSING,     /* something that is needed is not there */
};

/* <domain type=…>: kvm is the hardware's, qemu the software CPU, as libvirt means them. */
enum config_cpu {
	CONFIG_CPU_KVM,
	CONFIG_CPU_SOFT,
};

/* <on_poweroff>, <on_reboot>, <on_crash>. */
enum config_action {
	CONFIG_ACTION_DESTROY,
	CONFIG_ACTION_RESTART,
	CONFIG_ACTION_PRESERVE, /* stopped, but kept for a look */
};

enum config_chardev_kind {
	CONFIG_CHARDEV_PTY, /* in the foreground, the first one is the terminal itself */
	CONFIG_CHARDEV_STDIO,
	CONFIG_CHARDEV_FILE,
	CONFIG_CHARDEV_UNIX,
	CONFIG_CHARDEV_NULL,
};

struct config_chardev {
	enum config_chardev_kind kind;
	char *path;  /* FILE and UNIX; NULL for others */
	bool append; /* FILE: keep what is there */
	bool listen; /* UNIX: make the socket (mode "bind") */
	char *log;       /* a file that gets all that the guest writes, too; or NULL */
	bool log_append; /* keep what is in it */
};

/* A virtio console port: <console> with target virtio (name is NULL), or <channel>. */
struct config_port {
	struct config_chardev chardev;
	char *name; /* the channel's name in the guest, or NULL */
};

/* <iotune>, in its words: one limit of six. */
enum config_limit {
	CONFIG_LIMIT_TOTAL_BYTES,
	CONFIG_LIMIT_READ_BYTES,
	CONFIG_LIMIT_WRITE_BYTES,
	CONFIG_LIMIT_TOTAL_IOPS,
	CONFIG_LIMIT_READ_IOPS,
	CONFIG_LIMIT_WRITE_IOPS,
	CONFIG_LIMITS,
};
/* "total_bytes"…; the element's name is this and "_sec". */
extern const char *const config_limit_names[CONFIG_LIMITS];

struct config_rate {
	uint64_t rate;        /* a second; 0: no limit */
	uint64_t max;         /* while in a burst, a second; 0: no bursts */
	uint64_t max_length;  /* seconds that a burst may last; 0: 1 */
};
#define CONFIG_RATE_MAX 1000000000000ull
#define CONFIG_BURST_SECONDS_MAX 86400u
/* What cannot be of a limit, a half sentence; NULL: nothing. */
const char *config_rate_problem(const struct config_rate *rate);

/* error_policy: what becomes of a request that the host could not carry out. */
enum config_on_error {
	CONFIG_ON_ERROR_REPORT, /* the guest is told */
	CONFIG_ON_ERROR_IGNORE, /* the guest is told that it worked */
	CONFIG_ON_ERROR_STOP,   /* the guest is paused, and the request tried again when it goes on */
	CONFIG_ON_ERROR_ENOSPC, /* STOP where the host has no space left, else REPORT */
};

/* An image that another one stands on. */
struct config_backing {
	char *path;
	char *format; /* NULL: raw */
	bool block;   /* a block device of the host */
};
#define CONFIG_BACKING_MAX 16u

struct config_disk {
	char *path;   /* the image; NULL for RBD, and for a CD-ROM drive without a medium */
	char *target; /* vda…; of a CD-ROM drive sda… */
	char *serial; /* or NULL */
	char *format; /* NULL: raw, which needs no help; else qemu's name: "qcow2" */
	bool block;   /* a block device of the host */
	/* struct config_backing: what the image stands on, the nearest first; NULL: nothing is said of
	 * it, and the image's header counts. */
	GPtrArray *backing;
	bool cdrom;   /* a CD-ROM drive on the SCSI bus, which is read-only; else virtio */
	bool tray_open; /* of it, at the start */
	bool readonly;
	bool shareable; /* may be open in other machines too */
	bool discard;   /* discard="unmap" */
	enum config_on_error on_write_error, on_read_error;
	struct config_rate limits[CONFIG_LIMITS];

	/* A Ceph RADOS block device: "pool/image". */
	char *rbd;            /* or NULL */
	char *rbd_user;       /* or NULL: ceph's own default */
	char *rbd_conf;       /* ceph.conf, or NULL for the default */
	GPtrArray *rbd_hosts; /* char *: "name:port" or "name"; NULL: those of ceph.conf */
};

/* Ports of the host that lead to the guest: [start, end] to start of the guest's range. */
struct config_forward {
	bool udp;
	char *address; /* of the host, or NULL for all */
	char *device;  /* interface of the host, or NULL */
	uint16_t start;
	uint16_t end;
	uint16_t to;
	bool exclude; /* the range is left out of an earlier one */
};

/* <bandwidth>, libvirt's units: KiB a second and KiB. */
struct config_bandwidth {
	uint64_t average; /* 0: no limit */
	uint64_t peak;    /* 0: as fast as it comes, within the burst */
	uint64_t burst;   /* 0: a tenth of a second's */
};
#define CONFIG_BANDWIDTH_MAX 1000000000ull
const char *config_bandwidth_problem(const struct config_bandwidth *bandwidth);

/* A network card: a user-mode network (one passt process), or a TAP device on the host. */
struct config_net {
	uint8_t mac[6];
	bool mac_given;  /* else made from the guest's name */
	bool tap;        /* types bridge and ethernet */
	char *bridge;    /* the host's bridge that the TAP device joins, or NULL */
	char *tap_name;  /* of the TAP device, or NULL for the next free one */
	bool link_down;
	struct config_bandwidth inbound, outbound; /* as the guest sees them */
	char *device;  /* the host's interface to copy addresses and routes from, or NULL */
	char *address; /* IPv4 address for the guest, or NULL: the host's own */
	unsigned prefix;
	char *log;           /* passt's log file, or NULL */
	uint16_t mtu;        /* 0: passt's default */
	GPtrArray *forwards; /* struct config_forward */
};

/* Its MAC address as text, in lower case; free with g_free(). */
char *config_net_name(const struct config_net *net);

/* A virtio-mem device. All bytes; size and requested are multiples of block. */
struct config_memory {
	char *alias; /* <alias>, or "virtiomem" and a number */
	uint64_t size;
	uint64_t block; /* a power of two, CONFIG_MEMORY_BLOCK_MIN or more */
	uint64_t requested;
};
#define CONFIG_MEMORY_BLOCK_MIN (2ull << 20)
/* So much time of one host CPU in each period, as control groups have it. */
struct config_quota {
	uint64_t quota_us;  /* CONFIG_QUOTA_MIN_US to CONFIG_QUOTA_MAX_US; 0: no limit */
	unsigned period_us; /* CONFIG_PERIOD_MIN_US to CONFIG_PERIOD_MAX_US */
};

/* <cputune>: its share of the host's processors. CPU sets as libvirt writes them (cpuset.h). */
struct config_cputune {
	struct config_quota whole;    /* the whole process */
	struct config_quota vcpu;     /* each vCPU */
	struct config_quota emulator; /* all threads that are no vCPU's, together */
	unsigned weight;              /* 1 to CONFIG_WEIGHT_MAX; 0: 100, as usual */
	char *vcpu_pins[CONFIG_VCPUS_MAX]; /* or NULL */
	char *emulator_pin;                /* or NULL */
};

/* path, format: taken. */
struct config_backing *config_backing_new(char *path, char *format, bool block);
/* An empty list of them. */
GPtrArray *config_backing_list(void);

struct machine_config {
	char *text; /* the definition as it was read */
	char *name;
	char *uuid; /* canonical text, or NULL */
	enum config_cpu cpu;
	uint64_t memory;         /* bytes at boot: <memory> less the memory devices */
	uint64_t memory_current; /* bytes, at most memory: where the balloon starts */
	uint64_t memory_max;     /* <maxMemory>, or 0 */
	unsigned memory_slots;   /* its slots */
	unsigned vcpus;          /* at boot */
	unsigned vcpus_max;
	struct config_cputune cputune;

	char *kernel;
	char *initrd;  /* or NULL; for Multiboot: modules, "path arguments,path arguments" */
	char *cmdline; /* or NULL */

	enum config_action on_poweroff;
	enum config_action on_reboot;
	enum config_action on_crash;
	bool rtc_localtime; /* the clock chip shows the host's local time */

	GPtrArray *memories; /* struct config_memory */
	GPtrArray *disks;    /* struct config_disk */
	GPtrArray *nets;     /* struct config_net */
	GPtrArray *serials;  /* struct config_chardev, COM1 to COM4 */
	GPtrArray *ports;    /* struct config_port */
	bool panic; /* a kernel that says it has crashed is dealt with as on_crash has it */
	unsigned rngs;       /* entropy devices, fed by the host's getrandom() */
	bool balloon;
	bool balloon_deflate_on_oom;
	bool balloon_reporting; /* free page reporting */
	unsigned balloon_period; /* seconds between statistics; 0: none */
};

/* Reads a definition. file_name stands in messages, which begin "file:line: ". Errors:
 * CONFIG_ERROR, and G_FILE_ERROR for config_read_file(). */
struct machine_config *config_read_file(const char *path, GError **error);
struct machine_config *config_read_memory(const char *text, size_t length, const char *file_name,
	GError **error);
/* Reads one device, a <disk> or <interface> element, by the same rules, for the guest of this
 * name; the configuration has this device and nothing else. */
struct machine_config *config_read_device(const char *text, size_t length, const char *guest,
	GError **error);
void config_free(struct machine_config *config);
/* Whether <type machine=…> may be this. */
bool config_knows_machine(const char *machine);

/* The paths of <initrd>, ended by NULL: none, one, or for a list of Multiboot modules that of each.
 * *items (or NULL) becomes the list with what stands behind each path. Free with g_strfreev(). */
char **config_initrd_paths(const struct machine_config *config, char ***items);


// SPDX-License-Identifier: GPL-3.0-or-later
/* The procedures that lodged has, and the names of those that it has not. Main thread. */
#pragma once

#include "engine/daemon/client.h"
#include "engine/daemon/events.h"

enum procedure_flags {
	/* Not for read-only connections, and written to the audit log, with what it is about: the
	 * text that the arguments begin with (the name in a struct that they begin with), or for a
	 * function with XML in its name the one that the result begins with. */
	PROCEDURE_WRITES = 1 << 0,
	PROCEDURE_EARLY = 1 << 1,   /* before the connection is opened, too */
	PROCEDURE_UNNAMED = 1 << 2, /* it WRITES, but its arguments do not begin with a text */
};

struct procedure {
	int number;
	const char *name;                 /* of libvirt's function, for messages */
	const struct packet_format *args; /* NULL: none */
	const struct packet_format *ret;  /* NULL: none */
	unsigned flags;
	/* Answers at once: fills ret in. */
	bool (*run)(struct call *call, GError **error);
	/* Or later, by call_done(). */
	void (*begin)(struct call *call);
};

/* Ended by one without a name; a procedure stands in one of them. */
extern const struct procedure procedures_host[];
extern const struct procedure procedures_guest[];
extern const struct procedure procedures_life[];
extern const struct procedure procedures_stats[];
extern const struct procedure procedures_console[];
extern const struct procedure procedures_pool[];
extern const struct procedure procedures_volume[];
extern const struct procedure procedures_network[];
extern const struct procedure procedures_devices[];
extern const struct procedure procedures_resources[];
extern const struct procedure procedures_save[];

/* NULL when there is none. */
const struct procedure *procedure_find(int number);
/* libvirt's function behind any number of a program of the protocol, or NULL. */
const char *procedure_name(unsigned program, int number);

/* For procedures that run at once: what they answer. True. */
bool procedure_return_int(struct call *call, int value);
bool procedure_return_text(struct call *call, char *text); /* taken */
/* Whether the flags are among those known; sets libvirt's error. */
bool procedure_check_flags(unsigned flags, unsigned known, GError **error);
/* Registers the caller for an event, as event_add_callback() does; answers with the number. */
bool procedure_register(struct call *call, enum event_about about, int event, const char *uuid,
	GError **error);

/* The guest that a call names (all arguments that name one begin with it), where its flags are among
 * those known. Errors: no such guest, unsupported flags. */
struct guest *procedure_guest(
	const struct call *call, unsigned flags, unsigned known, GError **error);
/* The same; NULL: the call has been answered. */
struct guest *procedure_guest_or_answer(struct call *call, unsigned flags, unsigned known);

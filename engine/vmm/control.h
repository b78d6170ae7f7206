// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The control socket of a machine, and of its keeper (keeper.h); the protocol is documented in
 * engine/common/control.h.
 *
 * Requests are carried out by the functions in the tables at the end, one file for each kind
 * (control_life.c…). Main thread.
 */
#pragma once

#include "engine/vmm/machine.h"

#include <json-glib/json-glib.h>

struct control;
struct control_request;
struct keeper;

/* Listens at path (made with mode 0600, removed when freed) for the requests of these tables, ended
 * by NULL. Errors: G_FILE_ERROR, in use by another monitor among them. */
struct control *control_new(const char *path, const struct control_request *const *tables,
	GMainContext *context, GError **error);
void control_free(struct control *control);

/* The machine that requests are for. Until then they are answered with an error. */
void control_set_machine(struct control *control, struct machine *machine);
/* The same for the keeper. left is called when a client has gone (control_client()). */
void control_set_keeper(struct control *control, struct keeper *keeper,
	void (*left)(struct keeper *keeper, const void *client));
/* Tells all clients. fields: taken; more members for the event, or NULL. */
void control_event(struct control *control, const char *event, const char *detail,
	JsonObject *fields);

/* ---- for requests --------------------------------------------------------------------------------- */

/* A request under way. It ends by exactly one of control_done() and control_fail(), now or later. A
 * client that has left is no reason not to end it. */
struct control_call;

#define CONTROL_CALL_ERROR control_call_error_quark()
GQuark control_call_error_quark(void);

enum control_call_error {
	CONTROL_CALL_ERROR_INVALID, /* a request that cannot be */
	CONTROL_CALL_ERROR_REFUSED, /* the machine cannot do it, now or at all */
	CONTROL_CALL_ERROR_TIMEOUT, /* the guest has not followed */
};

struct control_request {
	const char *name;
	void (*run)(struct control_call *call);
};

struct machine *control_machine(const struct control_call *call);
struct keeper *control_keeper(const struct control_call *call);
/* Who asks, as nothing but a name for it; NULL: it has left. */
const void *control_client(const struct control_call *call);
/* What is filled in before control_done(). */
JsonObject *control_answer(const struct control_call *call);

/* Answers; the call is gone. */
void control_done(struct control_call *call);
/* Answers with the error, and takes it. */
void control_fail(struct control_call *call, GError *error);
/* The same with a sentence. */
void control_refuse(struct control_call *call, const char *sentence);

/* Calls left when the client of this call leaves, if it has not already; one of each client. */
void control_watch(struct control_call *call, void (*left)(struct machine *machine));
/* No more, by any call of that client. False: nothing was to be called. */
bool control_unwatch(struct control_call *call);

/* Calls late when the guest has had its time (the request's "timeout"), unless the call has ended
 * before. late ends the call. */
void control_wait(struct control_call *call, void (*late)(struct control_call *call, void *data),
	void *data);

/* Members of the request. Those that take a GError set it where the member is missing or not such a
 * value; text belongs to the call. */
bool control_has(const struct control_call *call, const char *member);
/* The request as a whole; the call's. */
JsonObject *control_members(const struct control_call *call);
const char *control_text(const struct control_call *call, const char *member, GError **error);
bool control_number(const struct control_call *call, const char *member, uint64_t min, uint64_t max,
	uint64_t *value, GError **error);
/* false where it is missing. */
bool control_flag(const struct control_call *call, const char *member);
/* NULL where it is missing or no object. */
JsonObject *control_object(const struct control_call *call, const char *member);
/* The next of the descriptors that came with the request, or -1; the caller's from now on. */
int control_take_fd(struct control_call *call);

/* The members that "set-cpu" sets. */
struct scheduling;
void control_describe_scheduling(JsonObject *answer, const struct scheduling *scheduling);

/* Tables ended by an entry without name. */
extern const struct control_request control_life_requests[];
extern const struct control_request control_cpu_requests[];
extern const struct control_request control_sched_requests[];
extern const struct control_request control_memory_requests[];
extern const struct control_request control_disk_requests[];
extern const struct control_request control_net_requests[];
extern const struct control_request control_console_requests[];
extern const struct control_request control_save_requests[];
/* All of them. */
extern const struct control_request *const control_machine_tables[];

// SPDX-License-Identifier: GPL-3.0-or-later
// Verbs: the operations of the console, in one table. Screens, the `:` prompt and the command line
// look them up here and run them the same way.
//
// A verb is of one of three kinds:
//  - it works on guests (start, shutdown, dump…): `on_guest` runs once per guest, off the main
//    thread, and the whole is a job;
//  - it works on a connection (define, restore): `on_connection` runs once, off the main thread,
//    and is a job too;
//  - it only tells what the model knows (list, info, log): `report` runs in the main thread and
//    answers at once. `top` is one that reports again and again.
// `edit` alone is none of them: the command line runs an editor, the console opens a screen.
// Main thread unless said otherwise.
#pragma once

#include "model/job.h"

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>
#include <stdio.h>

struct model;
struct connection;
struct request;
struct call;

enum verb_flags {
	VERB_CHANGES = 1 << 0,     // changes something: refused with --readonly, audited
	VERB_LOSES = 1 << 1,       // may lose data of a guest: ask first
	VERB_ON_ACTIVE = 1 << 2,   // makes sense for an active guest only
	VERB_ON_INACTIVE = 1 << 3, // makes sense for a guest that is off only
	VERB_PROGRESS = 1 << 5,    // libvirt tells its progress and can stop it
	VERB_REPEATS = 1 << 6,     // a report that the command line gives again and again (top)
	VERB_MEASURES = 1 << 7,    // a report that wants rates, and so two samples
	VERB_INTERACTIVE = 1 << 8, // neither job nor report: each door has its own way (edit)
	VERB_CONFIRM = 1 << 4,     // screens ask before, unless the setting confirm.NAME says no
};

enum argument_kind {
	ARGUMENT_GUESTS, // one or more guests, or none where `optional`: all
	ARGUMENT_GUEST,  // exactly one
	ARGUMENT_TEXT,
	ARGUMENT_FILE,
	ARGUMENT_CHOICE,      // one of `choices`
	ARGUMENT_NUMBER,      // a decimal number, fractions allowed
	ARGUMENT_FLAG,        // an option without a value
	ARGUMENT_HOST,        // a connection's name or URI; fills the request's connection
	ARGUMENT_ASSIGNMENTS, // one or more KEY=VALUE words; their text is joined by newlines
	ARGUMENT_DISKS,       // targets of the guest's disks, comma-separated: "vda,vdb"
};

// One argument. A name that begins with "--" is an option and may stand anywhere.
struct argument {
	const char *name; // "GUEST", "FILE", "--count"
	enum argument_kind kind;
	bool optional;
	const char *const *choices; // NULL-terminated, for ARGUMENT_CHOICE
	const char *help;           // one sentence, to be translated with _()
};

#define VERB_ARGUMENTS 7

struct verb {
	const char *name;
	const char *label;      // for menus and buttons: N_("Shut down"); & comes from the screens
	const char *help;       // one sentence, N_()
	const char *title_one;  // N_("Shut down %s")
	const char *title_many; // N_("Shut down %u guests"); NULL when it is never more than one
	const char *loses;      // what may be lost, for the question; N_(), NULL for nothing
	unsigned flags;
	struct argument arguments[VERB_ARGUMENTS]; // ends with a NULL name
	// A job's thread. On success may set the call's output. NULL for other kinds. A verb may
	// have both: it works on the connection when the request names no guests.
	bool (*on_guest)(struct call *call, virDomainPtr domain, GError **error);
	bool (*on_connection)(struct call *call, virConnectPtr connection, GError **error);
	// Main thread. Appends to the output, as text or (request->json) JSON.
	bool (*report)(const struct request *request, GString *output, GError **error);
	// Main thread: the equivalent virsh words without "virsh -c URI"; NULL when there is none.
	char *(*virsh)(const struct request *request, const struct guest *guest);
};

// The table, NULL-named at its end; and the entry of that name, or NULL.
extern const struct verb verbs[];
const struct verb *verb_find(const char *name);

// "shutdown GUEST... [--mode MODE]": the usage line. Caller frees.
char *verb_usage(const struct verb *verb);

// What a user asked for: a verb, the guests it is about, its other arguments by name.
struct request {
	struct model *model;
	const struct verb *verb;
	GPtrArray *guests;             // struct guest *, held
	struct connection *connection; // for verbs on a connection: --uri's or the only one
	GHashTable *values;            // argument name -> text; flags have ""
	bool json;                     // the output is wanted as JSON
};

// An empty request for filling by screens: add guests with request_add_guest, arguments with
// request_set. Values are checked when it runs.
struct request *request_new(struct model *model, const struct verb *verb);
void request_add_guest(struct request *request, struct guest *guest);
void request_set(struct request *request, const char *name, const char *value);
const char *request_get(const struct request *request, const char *name); // NULL when not given
void request_free(struct request *request);                               // takes NULL

// Reads words ("shutdown", "web1", "web2") into a request. Guests are named as in model_find_guest.
// `selected` (struct guest *, may be NULL) stand in when a verb needs guests and none are named:
// the marked guests of a screen. NULL with a sentence: MODEL_ERROR_USAGE, MODEL_ERROR_NOT_FOUND.
struct request *request_parse(
	struct model *model, const char *const *words, GPtrArray *selected, GError **error);

// The same from one line, with shell quoting: the `:` prompt's door.
struct request *request_parse_line(
	struct model *model, const char *line, GPtrArray *selected, GError **error);

// Runs a request as a job and returns at once; the result comes as MODEL_JOB. A `report` verb's job
// is finished on return, its text in the first step's output. NULL with a sentence when it cannot
// begin: MODEL_ERROR_REFUSED (--readonly), MODEL_ERROR_USAGE (missing or wrong argument),
// MODEL_ERROR_NOT_CONNECTED. The request stays the caller's. The job is borrowed from the model.
struct job *request_run(const struct request *request, GError **error);

// "Shut down web1", "Shut down 3 guests": the job's title and the question's headline. Caller
// frees.
char *request_title(const struct request *request);

// The equivalent command, whole: "virsh -c qemu:///system shutdown web1"; NULL when there is none.
// Caller frees.
char *request_virsh(const struct request *request, const struct guest *guest);

// The words that can stand at the end of `line` instead of its last, unfinished word: verbs,
// guests, options, choices, files, disks. NULL-terminated, sorted, never NULL; caller frees.
char **verb_complete(struct model *model, const char *line);

// ---- for the functions in the table, and the rooms that add verbs -----------------------------

// A running step, off the main thread: holds copies, touches nothing of the model.
struct call {
	const struct verb *verb;
	char *target;       // the guest's name, or the file
	GHashTable *values; // as in request; read only
	bool json;
	char *output;   // set by the function on success; taken over
	gint cancelled; // atomic: 1 when the user cancelled
};

// An argument's value, or NULL. Any thread.
const char *call_get(const struct call *call, const char *name);

// Sets error to "HEADLINE: libvirt's reason", with a code from model/error.h, from libvirt's last
// error of this thread. Always returns false. `headline` is a translated format.
bool call_fail(GError **error, const char *headline, ...) G_GNUC_PRINTF(2, 3);

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A client of QMP, QEMU's monitor protocol (https://www.qemu.org/docs/master/interop/qmp-spec.html):
 * JSON objects, one a line. One command at a time; each waits for its answer, QMP_PATIENCE_S at
 * most. One thread.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

#define QMP_PATIENCE_S 30

struct qmp;

/* fd: a connected socket, taken. */
struct qmp *qmp_new(int fd);
void qmp_free(struct qmp *qmp);

/* Takes the greeting and begins. Errors: G_IO_ERROR. */
bool qmp_begin(struct qmp *qmp, GError **error);
/* Carries out a command; arguments: taken, or NULL. Errors: what the other side says, or that it
 * does not answer. */
bool qmp_do(struct qmp *qmp, const char *command, JsonObject *arguments, GError **error);
/* Waits for an event, of which others are forgotten; one that came during the last command counts. */
bool qmp_wait(struct qmp *qmp, const char *event, GError **error);
/* Asks it to end and waits until it has; false: it has not in its time. */
bool qmp_end(struct qmp *qmp);

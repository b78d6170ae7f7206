// SPDX-License-Identifier: GPL-3.0-or-later
// What the verbs of model/verb.c do to a guest or a connection, and the virsh words for it. All
// actions run in a job's thread, the words in the main thread.
#pragma once

#include "model/verb.h"

extern const char *const shutdown_modes[]; // NULL-terminated

// model/actions.c
bool action_start(struct call *call, virDomainPtr domain, GError **error);
bool action_shutdown(struct call *call, virDomainPtr domain, GError **error);
bool action_reboot(struct call *call, virDomainPtr domain, GError **error);
bool action_reset(struct call *call, virDomainPtr domain, GError **error);
bool action_destroy(struct call *call, virDomainPtr domain, GError **error);
bool action_pause(struct call *call, virDomainPtr domain, GError **error);
bool action_resume(struct call *call, virDomainPtr domain, GError **error);
bool action_save(struct call *call, virDomainPtr domain, GError **error);
bool action_restore(struct call *call, virDomainPtr domain, GError **error);
bool action_autostart(struct call *call, virDomainPtr domain, GError **error);
bool action_rename(struct call *call, virDomainPtr domain, GError **error);
bool action_dump(struct call *call, virDomainPtr domain, GError **error);
bool action_restore_file(struct call *call, virConnectPtr connection, GError **error);
bool action_define(struct call *call, virConnectPtr connection, GError **error);

// model/delete.c
bool action_delete(struct call *call, virDomainPtr domain, GError **error);

// model/annotate.c: groups, tags and notes in the definition's metadata
bool action_group(struct call *call, virDomainPtr domain, GError **error);
bool action_tag(struct call *call, virDomainPtr domain, GError **error);
bool action_note(struct call *call, virDomainPtr domain, GError **error);

// model/virsh.c
char *virsh_start(const struct request *request, const struct guest *guest);
char *virsh_shutdown(const struct request *request, const struct guest *guest);
char *virsh_reboot(const struct request *request, const struct guest *guest);
char *virsh_reset(const struct request *request, const struct guest *guest);
char *virsh_destroy(const struct request *request, const struct guest *guest);
char *virsh_pause(const struct request *request, const struct guest *guest);
char *virsh_resume(const struct request *request, const struct guest *guest);
char *virsh_save(const struct request *request, const struct guest *guest);
char *virsh_restore(const struct request *request, const struct guest *guest);
char *virsh_autostart(const struct request *request, const struct guest *guest);
char *virsh_rename(const struct request *request, const struct guest *guest);
char *virsh_delete(const struct request *request, const struct guest *guest);
char *virsh_define(const struct request *request, const struct guest *guest);
char *virsh_dump(const struct request *request, const struct guest *guest);
char *virsh_metadata(const struct request *request, const struct guest *guest);

// model/report.c
bool report_list(const struct request *request, GString *output, GError **error);
bool report_info(const struct request *request, GString *output, GError **error);
bool report_top(const struct request *request, GString *output, GError **error);
bool report_log(const struct request *request, GString *output, GError **error);

// Whether a guest is under way; false also when the call fails. A job's thread.
bool domain_is_active(virDomainPtr domain);

// Whether libvirt's last error says that the driver knows no such flag or call.
bool last_call_unsupported(void);

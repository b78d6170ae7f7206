// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/reading.h"
#include "model/error.h"
#include "model/worker.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

// Seconds between two looks of a balloon that nobody asked for statistics so far.
#define BALLOON_PERIOD 2

static char *take_string(char *text)
{
	char *copy = text ? g_utf8_make_valid(text, -1) : NULL;

	free(text);
	return copy;
}

void host_facts_read(virConnectPtr connection, struct host_facts *facts)
{
	unsigned long version = 0;
	virNodeInfo node;

	memset(facts, 0, sizeof(*facts));
	facts->hostname = take_string(virConnectGetHostname(connection));
	facts->driver = g_strdup(virConnectGetType(connection));
	if (virConnectGetVersion(connection, &version) == 0 && version)
		facts->version = g_strdup_printf(
			"%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
	if (virNodeGetInfo(connection, &node) == 0) {
		facts->cpus = node.cpus;
		facts->memory = (guint64)node.memory * 1024;
	}
}

void host_facts_clear(struct host_facts *facts)
{
	g_clear_pointer(&facts->hostname, g_free);
	g_clear_pointer(&facts->driver, g_free);
	g_clear_pointer(&facts->version, g_free);
}

// libvirt does not tell when a guest started; on this machine its drivers leave a file that does.
static gint64 read_started(virConnectPtr connection, const char *uri, const char *name)
{
	const char *driver = virConnectGetType(connection);
	g_autofree char *lower = driver ? g_ascii_strdown(driver, -1) : NULL;
	g_autofree char *file = g_strconcat(name, ".pid", NULL);
	g_autofree char *plain = g_strndup(uri, strcspn(uri, "?"));
	g_autofree char *path = NULL;
	GStatBuf status;

	if (!strstr(plain, ":///") || !lower || strchr(name, '/'))
		return 0;
	if (g_str_has_suffix(plain, "/session"))
		path = g_build_filename(
			g_get_user_runtime_dir(), "libvirt", lower, "run", file, NULL);
	else
		path = g_build_filename("/run/libvirt", lower, file, NULL);
	return g_stat(path, &status) == 0 ? (gint64)status.st_mtime * G_USEC_PER_SEC : 0;
}

static void read_flags(virDomainPtr domain, struct facts *facts)
{
	int autostart = 0;

	virDomainGetAutostart(domain, &autostart);
	facts->autostart = autostart == 1;
	facts->persistent = virDomainIsPersistent(domain) == 1;
	facts->managed_save = facts->persistent && virDomainHasManagedSaveImage(domain, 0) == 1;
	facts->flags_known = true;
}

static void read_definition(virDomainPtr domain, struct facts *facts)
{
	g_autofree char *xml = take_string(virDomainGetXMLDesc(domain, 0));

	if (xml)
		facts_read_xml(facts, xml);
	else
		error_set_libvirt(&facts->error, _("Cannot read the definition"));
}

static void read_domain(
	struct worker *worker, virConnectPtr connection, virDomainPtr domain, struct facts *facts)
{
	unsigned id = virDomainGetID(domain);

	facts->id = id == (unsigned)-1 ? -1 : (int)id;
	facts->name = g_utf8_make_valid(virDomainGetName(domain), -1);
	read_definition(domain, facts);
	worker_alive(worker);
	if (facts->id < 0)
		return;
	facts->started = read_started(connection, worker_uri(worker), facts->name);
	if (facts->balloon_quiet && !worker_read_only(worker) &&
		strcmp(virConnectGetType(connection), "TEST"))
		virDomainSetMemoryStatsPeriod(domain, BALLOON_PERIOD, VIR_DOMAIN_AFFECT_LIVE);
}

// After a failed call about a guest: it left, or else the connection has the fault.
static struct facts *judge(struct facts *facts, GError **error)
{
	if (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN) {
		facts->gone = true;
		return facts;
	}
	error_set_libvirt(error, _("Cannot read a guest"));
	facts_free(facts);
	return NULL;
}

struct facts *guest_facts_read(struct worker *worker, virConnectPtr connection, const char *uuid,
	bool brief, GError **error)
{
	struct facts *facts = g_new0(struct facts, 1);
	virDomainPtr domain;
	bool known;

	facts->uuid = g_strdup(uuid);
	domain = virDomainLookupByUUIDString(connection, uuid);
	if (!domain)
		return judge(facts, error);
	known = virDomainGetState(domain, &facts->state, &facts->reason, 0) == 0;
	if (known)
		read_domain(worker, connection, domain, facts);
	else
		facts = judge(facts, error);
	if (known && !brief)
		read_flags(domain, facts);
	virDomainFree(domain);
	return facts;
}

static bool collect(virConnectPtr connection, unsigned filter, unsigned flag, GHashTable *flags)
{
	virDomainPtr *domains = NULL;
	int count = virConnectListAllDomains(connection, &domains, filter);

	for (int i = 0; i < count; i++) {
		char uuid[VIR_UUID_STRING_BUFLEN];

		if (virDomainGetUUIDString(domains[i], uuid) == 0) {
			unsigned old = GPOINTER_TO_UINT(g_hash_table_lookup(flags, uuid));

			g_hash_table_replace(flags, g_strdup(uuid), GUINT_TO_POINTER(old | flag));
		}
		virDomainFree(domains[i]);
	}
	free(domains);
	return count >= 0;
}

GHashTable *guest_flags_read(virConnectPtr connection)
{
	GHashTable *flags = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	if (collect(connection, VIR_CONNECT_LIST_DOMAINS_AUTOSTART, GUEST_FLAG_AUTOSTART, flags) &&
		collect(connection, VIR_CONNECT_LIST_DOMAINS_PERSISTENT, GUEST_FLAG_PERSISTENT,
			flags) &&
		collect(connection, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, GUEST_FLAG_MANAGED_SAVE,
			flags))
		return flags;
	g_hash_table_unref(flags);
	return NULL;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Deleting a guest, with those of its disks that were asked for by name. Everything that can be
// refused is refused before anything is deleted.
#include "model/actions.h"
#include "model/error.h"
#include "model/facts.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// One disk to be deleted: a volume of the host's storage, else a file of this machine.
struct doomed {
	char *target, *path;
	virStorageVolPtr volume; // NULL: the file `path`
};

static void free_doomed(void *data)
{
	struct doomed *doomed = data;

	if (doomed->volume)
		virStorageVolFree(doomed->volume);
	g_free(doomed->target);
	g_free(doomed->path);
	g_free(doomed);
}

static struct facts *read_facts(virDomainPtr domain, unsigned flags)
{
	struct facts *facts = g_new0(struct facts, 1);
	char *xml = virDomainGetXMLDesc(domain, flags);

	facts->name = g_strdup(virDomainGetName(domain));
	if (xml && facts_read_xml(facts, xml)) {
		free(xml);
		return facts;
	}
	free(xml);
	facts_free(facts);
	return NULL;
}

static const struct guest_disk *find_disk(const struct facts *facts, const char *target)
{
	for (unsigned i = 0; i < facts->disks->len; i++) {
		const struct guest_disk *disk = facts->disks->pdata[i];

		if (!g_strcmp0(disk->target, target))
			return disk;
	}
	return NULL;
}

static bool uses(virDomainPtr domain, const char *path)
{
	struct facts *facts = read_facts(domain, 0);
	bool found = false;

	for (unsigned i = 0; facts && !found && i < facts->disks->len; i++)
		found = !g_strcmp0(((struct guest_disk *)facts->disks->pdata[i])->source, path);
	if (facts)
		facts_free(facts);
	return found;
}

// The name of another guest that has that disk, or NULL.
static char *find_user(virDomainPtr domain, const char *path)
{
	virDomainPtr *domains = NULL;
	int count = virConnectListAllDomains(virDomainGetConnect(domain), &domains, 0);
	char *user = NULL;

	for (int i = 0; i < count; i++) {
		const char *name = virDomainGetName(domains[i]);

		if (!user && strcmp(name, virDomainGetName(domain)) && uses(domains[i], path))
			user = g_strdup(name);
		virDomainFree(domains[i]);
	}
	free(domains);
	return user;
}

static bool refuse(GError **error, const struct call *call, int code, const char *reason)
{
	g_set_error(
		error, MODEL_ERROR, code, _("Cannot delete guest '%s': %s"), call->target, reason);
	return false;
}

static bool is_local(virDomainPtr domain)
{
	char *uri = virConnectGetURI(virDomainGetConnect(domain));
	bool local = uri && strstr(uri, ":///");

	free(uri);
	return local;
}

static bool find_storage(
	struct call *call, virDomainPtr domain, struct doomed *doomed, GError **error)
{
	struct stat status;
	g_autofree char *reason = NULL;

	doomed->volume = virStorageVolLookupByPath(virDomainGetConnect(domain), doomed->path);
	if (doomed->volume)
		return true;
	if (is_local(domain) && lstat(doomed->path, &status) == 0 && S_ISREG(status.st_mode))
		return true;
	reason = g_strdup_printf(
		_("its disk '%s' (%s) is neither a volume of the host's storage pools "
		  "nor a file of this machine. Nothing was deleted."),
		doomed->target, doomed->path);
	return refuse(error, call, MODEL_ERROR_FAILED, reason);
}

static struct doomed *doom(struct call *call, virDomainPtr domain, const struct facts *facts,
	const char *target, GError **error)
{
	const struct guest_disk *disk = find_disk(facts, target);
	g_autofree char *user = NULL;
	g_autofree char *reason = NULL;
	struct doomed *doomed;

	if (!disk || !disk->source || strcmp(disk->device, "disk"))
		reason = g_strdup_printf(_("it has no disk '%s'. Nothing was deleted."), target);
	else if ((user = find_user(domain, disk->source)))
		reason = g_strdup_printf(
			_("its disk '%s' (%s) also belongs to guest '%s'. Nothing was deleted."),
			target, disk->source, user);
	if (reason) {
		refuse(error, call, user ? MODEL_ERROR_REFUSED : MODEL_ERROR_NOT_FOUND, reason);
		return NULL;
	}
	doomed = g_new0(struct doomed, 1);
	doomed->target = g_strdup(target);
	doomed->path = g_strdup(disk->source);
	if (find_storage(call, domain, doomed, error))
		return doomed;
	free_doomed(doomed);
	return NULL;
}

// The disks named, each of them checked; NULL when one may not be deleted.
static GPtrArray *doom_named(struct call *call, virDomainPtr domain, GError **error)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(free_doomed);
	const char *named = call_get(call, "--storage");
	g_auto(GStrv) targets = g_strsplit(named ? named : "", ",", -1);
	struct facts *facts = read_facts(domain, VIR_DOMAIN_XML_INACTIVE);
	bool fine = facts != NULL;

	for (unsigned i = 0; fine && targets[i]; i++) {
		struct doomed *doomed = doom(call, domain, facts, g_strstrip(targets[i]), error);

		fine = doomed != NULL;
		if (fine)
			g_ptr_array_add(all, doomed);
	}
	if (facts)
		facts_free(facts);
	else
		call_fail(error, _("Cannot read the definition of guest '%s'"), call->target);
	if (fine)
		return all;
	g_ptr_array_unref(all);
	return NULL;
}

// With everything that only the definition leads to; drivers that know less get less.
static bool undefine(virDomainPtr domain)
{
	static const unsigned tries[] = {
		VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
			VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM,
		VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA,
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(tries); i++) {
		if (virDomainUndefineFlags(domain, tries[i]) == 0)
			return true;
		if (!last_call_unsupported())
			return false;
	}
	return virDomainUndefine(domain) == 0;
}

static bool delete_disk(struct call *call, const struct doomed *doomed, GError **error)
{
	if (doomed->volume) {
		if (virStorageVolDelete(doomed->volume, 0) == 0)
			return true;
		return call_fail(error, _("Guest '%s' is deleted, but its disk '%s' (%s) is not"),
			call->target, doomed->target, doomed->path);
	}
	if (unlink(doomed->path) == 0)
		return true;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_FAILED,
		_("Guest '%s' is deleted, but its disk '%s' (%s) is not: %s"), call->target,
		doomed->target, doomed->path, g_strerror(errno));
	return false;
}

bool action_delete(struct call *call, virDomainPtr domain, GError **error)
{
	g_autoptr(GPtrArray) doomed = NULL;
	g_autoptr(GString) told = g_string_new(NULL);

	if (domain_is_active(domain))
		return refuse(
			error, call, MODEL_ERROR_STATE, _("it is running. Shut it down first."));
	doomed = doom_named(call, domain, error);
	if (!doomed)
		return false;
	if (!undefine(domain))
		return call_fail(error, _("Cannot delete guest '%s'"), call->target);
	for (unsigned i = 0; i < doomed->len; i++) {
		const struct doomed *disk = doomed->pdata[i];

		if (!delete_disk(call, disk, error))
			return false;
		g_string_append_printf(
			told, "%s%s (%s)", told->len ? ", " : "", disk->target, disk->path);
	}
	call->output =
		told->len ? g_strdup_printf(_("%s is deleted, with %s."), call->target, told->str)
			  : g_strdup_printf(_("%s is deleted; its disks stay."), call->target);
	return true;
}

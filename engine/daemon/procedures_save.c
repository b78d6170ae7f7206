// SPDX-License-Identifier: GPL-3.0-or-later
/* Saving guests to files and going on from there, and the job that this is. */
#include "engine/daemon/fault.h"
#include "engine/daemon/parameters.h"
#include "engine/daemon/procedure.h"
#include "engine/daemon/save.h"

#include <libvirt/libvirt.h>
#include <string.h>

#define STATES ((unsigned)(VIR_DOMAIN_SAVE_RUNNING | VIR_DOMAIN_SAVE_PAUSED))
#define SAVE_FLAGS (STATES | VIR_DOMAIN_SAVE_BYPASS_CACHE)
#define NONE -1

static bool check_flags(unsigned flags, unsigned known, GError **error)
{
	if (flags & ~known)
		return fault_set(error, VIR_ERR_INVALID_ARG, "unsupported flags (0x%x)",
			flags & ~known);
	return (flags & STATES) != STATES ||
	       fault_set(error, VIR_ERR_INVALID_ARG,
		       "running and paused flags are mutually exclusive");
}

static struct guest *find(const struct call *call, unsigned flags, unsigned known, GError **error)
{
	struct guest *guest = registry_find(call->server->registry, call->args, error);

	return guest && check_flags(flags, known, error) ? guest : NULL;
}

/* ---- saving ---------------------------------------------------------------------------------- */

static void save(struct call *call, const char *path, const wire_optional xml, unsigned flags)
{
	g_autoptr(GError) error = NULL;
	struct guest *guest = find(call, flags, SAVE_FLAGS, &error);

	if (guest)
		save_begin(guest, path, xml ? *xml : NULL, flags, call_done, call);
	else
		call_done(call, error);
}

static void do_save(struct call *call)
{
	const struct wire_domain_text_args *args = call->args;

	save(call, args->text, NULL, 0);
}

static void do_save_flags(struct call *call)
{
	const struct wire_save_args *args = call->args;

	save(call, args->path, args->xml, args->flags);
}

static void do_managed_save(struct call *call)
{
	const struct wire_domain_flags_args *args = call->args;

	save(call, NULL, NULL, args->flags);
}

static bool do_has_managed(struct call *call, GError **error)
{
	const struct wire_domain_flags_args *args = call->args;
	struct guest *guest = find(call, args->flags, 0, error);

	if (!guest)
		return false;
	((struct wire_int_ret *)call->ret)->value = save_is_managed(guest);
	return true;
}

static bool do_remove_managed(struct call *call, GError **error)
{
	const struct wire_domain_flags_args *args = call->args;
	struct guest *guest = find(call, args->flags, 0, error);

	return guest && save_remove_managed(guest, error);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void restore(struct call *call, const char *path, const wire_optional xml, unsigned flags)
{
	g_autoptr(GError) error = NULL;
	struct guest *guest;

	if (check_flags(flags, SAVE_FLAGS, &error))
		save_restore(call->server->registry, path, xml ? *xml : NULL, flags, &guest,
			call_done, call);
	else
		call_done(call, error);
}

static void do_restore(struct call *call)
{
	restore(call, ((const struct wire_text_args *)call->args)->text, NULL, 0);
}

static void do_restore_flags(struct call *call)
{
	const struct wire_restore_args *args = call->args;

	restore(call, args->path, args->xml, args->flags);
}

static const struct settings *settings_of(const struct call *call)
{
	return call->server->registry->settings;
}

static bool return_text(struct call *call, char *text)
{
	((struct wire_text_ret *)call->ret)->text = text;
	return text != NULL;
}

static bool do_image_xml(struct call *call, GError **error)
{
	const struct wire_text_flags_args *args = call->args;

	return check_flags(args->flags, VIR_DOMAIN_SAVE_IMAGE_XML_SECURE, error) &&
	       return_text(call, save_file_describe(settings_of(call), args->text, error));
}

static bool do_image_define(struct call *call, GError **error)
{
	const struct wire_image_define_args *args = call->args;

	return check_flags(args->flags, STATES, error) &&
	       save_file_define(
		       settings_of(call), args->path, args->xml, args->flags, error);
}

/* The path of the guest's managed file, or NULL. Free with g_free(). */
static char *find_managed(struct call *call, unsigned flags, unsigned known, GError **error)
{
	struct guest *guest = find(call, flags, known, error);

	if (guest && save_is_managed(guest))
		return save_managed_path(guest);
	if (guest)
		fault_set(error, VIR_ERR_OPERATION_INVALID,
			"domain does not have managed save image");
	return NULL;
}

static bool do_managed_xml(struct call *call, GError **error)
{
	const struct wire_domain_flags_args *args = call->args;
	g_autofree char *path =
		find_managed(call, args->flags, VIR_DOMAIN_SAVE_IMAGE_XML_SECURE, error);

	return path && return_text(call, save_file_describe(NULL, path, error));
}

static bool do_managed_define(struct call *call, GError **error)
{
	const struct wire_domain_optional_flags_args *args = call->args;
	g_autofree char *path = find_managed(call, args->flags, STATES, error);

	return path &&
	       (args->text || fault_set(error, VIR_ERR_INVALID_ARG, "there is no definition")) &&
	       save_file_define(NULL, path, *args->text, args->flags, error);
}

/* ---- the job --------------------------------------------------------------------------------- */

/* VIR_DOMAIN_JOB_NONE: there is none; NONE sets the error, as libvirt has it of guests that are off. */
static int find_job(
	const struct call *call, unsigned flags, struct save_job *job, GError **error)
{
	struct guest *guest = find(call, flags,
		VIR_DOMAIN_JOB_STATS_COMPLETED | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED, error);

	if (!guest)
		return NONE;
	if (flags & VIR_DOMAIN_JOB_STATS_COMPLETED)
		return save_completed(guest, flags & VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED, job)
			       ? VIR_DOMAIN_JOB_COMPLETED
			       : VIR_DOMAIN_JOB_NONE;
	if (!guest_check_active(guest, error))
		return NONE;
	return save_progress(guest, job) ? VIR_DOMAIN_JOB_UNBOUNDED : VIR_DOMAIN_JOB_NONE;
}

static bool do_job_info(struct call *call, GError **error)
{
	struct wire_job_info_ret *ret = call->ret;
	struct save_job job = {0};

	ret->type = find_job(call, 0, &job, error);
	ret->elapsed = job.elapsed;
	ret->data_total = ret->memory_total = job.total;
	ret->data_processed = ret->memory_processed = job.done;
	ret->data_remaining = ret->memory_remaining = job.total - job.done;
	return ret->type != NONE;
}

static bool do_job_stats(struct call *call, GError **error)
{
	const struct wire_domain_flags_args *args = call->args;
	struct wire_job_stats_ret *ret = call->ret;
	struct parameters parameters = {0};
	struct save_job job;

	ret->type = find_job(call, args->flags, &job, error);
	if (ret->type == NONE)
		return false;
	if (ret->type == VIR_DOMAIN_JOB_NONE)
		return true;
	save_describe(&job, &parameters);
	if (ret->type == VIR_DOMAIN_JOB_COMPLETED)
		parameters_add_int(&parameters, VIR_DOMAIN_JOB_SUCCESS, 1);
	ret->parameters.parameters_val = parameters.at;
	ret->parameters.parameters_len = parameters.count;
	return true;
}

static void abort_job(struct call *call, unsigned flags)
{
	g_autoptr(GError) error = NULL;
	struct guest *guest = find(call, flags, 0, &error);

	if (guest)
		save_abort(guest, call_done, call);
	else
		call_done(call, error);
}

static void do_abort_job(struct call *call)
{
	abort_job(call, 0);
}

static void do_abort_job_flags(struct call *call)
{
	abort_job(call, ((const struct wire_domain_flags_args *)call->args)->flags);
}

#define F(name) PACKET_FORMAT(wire_##name)
#define WRITES PROCEDURE_WRITES

const struct procedure procedures_save[] = {
	{54, "virDomainRestore", F(text_args), NULL, WRITES, NULL, do_restore},
	{55, "virDomainSave", F(domain_text_args), NULL, WRITES, NULL, do_save},
	{163, "virDomainGetJobInfo", F(domain_args), F(job_info_ret), 0, do_job_info, NULL},
	{164, "virDomainAbortJob", F(domain_args), NULL, WRITES, NULL, do_abort_job},
	{182, "virDomainManagedSave", F(domain_flags_args), NULL, WRITES, NULL, do_managed_save},
	{183, "virDomainHasManagedSaveImage", F(domain_flags_args), F(int_ret), 0, do_has_managed,
		NULL},
	{184, "virDomainManagedSaveRemove", F(domain_flags_args), NULL, WRITES, do_remove_managed,
		NULL},
	{232, "virDomainSaveFlags", F(save_args), NULL, WRITES, NULL, do_save_flags},
	{233, "virDomainRestoreFlags", F(restore_args), NULL, WRITES, NULL, do_restore_flags},
	{235, "virDomainSaveImageGetXMLDesc", F(text_flags_args), F(text_ret), WRITES,
		do_image_xml, NULL},
	{236, "virDomainSaveImageDefineXML", F(image_define_args), NULL, WRITES, do_image_define,
		NULL},
	{298, "virDomainGetJobStats", F(domain_flags_args), F(job_stats_ret), 0, do_job_stats,
		NULL},
	{388, "virDomainManagedSaveGetXMLDesc", F(domain_flags_args), F(text_ret), WRITES,
		do_managed_xml, NULL},
	{389, "virDomainManagedSaveDefineXML", F(domain_optional_flags_args), NULL, WRITES,
		do_managed_define, NULL},
	{442, "virDomainAbortJobFlags", F(domain_flags_args), NULL, WRITES, NULL,
		do_abort_job_flags},
	{0, NULL, NULL, NULL, 0, NULL, NULL},
};

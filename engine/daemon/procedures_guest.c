// SPDX-License-Identifier: GPL-3.0-or-later
/* Finding guests, their definitions, and what is known of them without asking anybody. */
#include "engine/daemon/change.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/procedure.h"
#include "engine/daemon/resources.h"
#include "engine/daemon/save.h"
#include "engine/daemon/statistics.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>

#define AFFECT (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

/* All arguments that name a guest begin with it. */
static struct guest *find(const struct call *call, GError **error)
{
	return registry_find(call->server->registry, call->args, error);
}

static struct wire_domain copy_domain(const struct guest *guest)
{
	struct wire_domain domain = guest_wire(guest);

	domain.name = g_strdup(domain.name);
	return domain;
}

static bool return_text(struct call *call, char *text)
{
	((struct wire_text_ret *)call->ret)->text = text;
	return text != NULL;
}

/* ---- finding --------------------------------------------------------------------------------- */

static bool return_domain(struct call *call, const struct guest *guest)
{
	((struct wire_domain_ret *)call->ret)->domain = copy_domain(guest);
	return true;
}

static bool do_lookup_id(struct call *call, GError **error)
{
	int id = ((const struct wire_int_args *)call->args)->value;
	struct guest *guest = registry_find_id(call->server->registry, id);

	return guest ? return_domain(call, guest)
		     : fault_set(error, VIR_ERR_NO_DOMAIN, "no domain with matching id %d", id);
}

static bool do_lookup_name(struct call *call, GError **error)
{
	const char *name = ((const struct wire_text_args *)call->args)->text;
	struct guest *guest = registry_find_name(call->server->registry, name);

	return guest ? return_domain(call, guest)
		     : fault_set(
			       error, VIR_ERR_NO_DOMAIN, "no domain with matching name '%s'", name);
}

static bool do_lookup_uuid(struct call *call, GError **error)
{
	const struct wire_uuid_args *args = call->args;
	struct guest *guest =
		registry_find_uuid(call->server->registry, (const unsigned char *)args->uuid);
	char text[37];

	if (guest)
		return return_domain(call, guest);
	uuid_format((const unsigned char *)args->uuid, text);
	return fault_set(error, VIR_ERR_NO_DOMAIN, "no domain with matching uuid '%s'", text);
}

static bool one_of(unsigned flags, unsigned yes, unsigned no, bool is)
{
	return !(flags & (yes | no)) || (flags & (is ? yes : no));
}

/* Only looked at when it is asked for: there may be many. */
static bool is_managed(const struct guest *guest, unsigned flags)
{
	return (flags & (VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE |
				VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE)) &&
	       save_is_managed(guest);
}

static bool is_listed(const struct guest *guest, unsigned flags)
{
	unsigned states =
		flags & (VIR_CONNECT_LIST_DOMAINS_RUNNING | VIR_CONNECT_LIST_DOMAINS_PAUSED |
				VIR_CONNECT_LIST_DOMAINS_SHUTOFF | VIR_CONNECT_LIST_DOMAINS_OTHER);
	unsigned state = guest->state == VIR_DOMAIN_RUNNING   ? VIR_CONNECT_LIST_DOMAINS_RUNNING
			 : guest->state == VIR_DOMAIN_PAUSED  ? VIR_CONNECT_LIST_DOMAINS_PAUSED
			 : guest->state == VIR_DOMAIN_SHUTOFF ? VIR_CONNECT_LIST_DOMAINS_SHUTOFF
							      : VIR_CONNECT_LIST_DOMAINS_OTHER;

	return one_of(flags, VIR_CONNECT_LIST_DOMAINS_ACTIVE, VIR_CONNECT_LIST_DOMAINS_INACTIVE,
		       guest_is_active(guest)) &&
	       one_of(flags, VIR_CONNECT_LIST_DOMAINS_PERSISTENT,
		       VIR_CONNECT_LIST_DOMAINS_TRANSIENT, guest->saved != NULL) &&
	       one_of(flags, VIR_CONNECT_LIST_DOMAINS_AUTOSTART,
		       VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART, guest->autostart) &&
	       one_of(flags, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE,
		       VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE, is_managed(guest, flags)) &&
	       one_of(flags, VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT,
		       VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT, false) &&
	       one_of(flags, VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT,
		       VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT, false) &&
	       (!states || (states & state));
}

static bool do_list_all(struct call *call, GError **error)
{
	const struct wire_list_args *args = call->args;
	struct wire_domains_ret *ret = call->ret;
	const GPtrArray *guests = call->server->registry->guests;

	ret->domains.domains_val = calloc(guests->len + 1, sizeof(*ret->domains.domains_val));
	for (guint i = 0; i < guests->len; i++) {
		const struct guest *guest = g_ptr_array_index(guests, i);

		if (!is_listed(guest, args->flags))
			continue;
		ret->count++;
		if (args->need_results)
			ret->domains.domains_val[ret->domains.domains_len++] = copy_domain(guest);
	}
	return true;
}

static bool do_list_ids(struct call *call, GError **error)
{
	int max = ((const struct wire_int_args *)call->args)->value;
	struct wire_ids_ret *ret = call->ret;
	const GPtrArray *guests = call->server->registry->guests;

	ret->ids.ids_val = calloc(guests->len + 1, sizeof(int));
	for (guint i = 0; i < guests->len && (int)ret->ids.ids_len < max; i++) {
		const struct guest *guest = g_ptr_array_index(guests, i);

		if (guest_is_active(guest))
			ret->ids.ids_val[ret->ids.ids_len++] = guest->id;
	}
	return true;
}

static bool do_list_defined(struct call *call, GError **error)
{
	int max = ((const struct wire_int_args *)call->args)->value;
	struct wire_names_ret *ret = call->ret;
	const GPtrArray *guests = call->server->registry->guests;

	ret->names.names_val = calloc(guests->len + 1, sizeof(char *));
	for (guint i = 0; i < guests->len && (int)ret->names.names_len < max; i++) {
		const struct guest *guest = g_ptr_array_index(guests, i);

		if (!guest_is_active(guest))
			ret->names.names_val[ret->names.names_len++] = g_strdup(guest_name(guest));
	}
	return true;
}

static int count_active(const struct call *call, bool active)
{
	const GPtrArray *guests = call->server->registry->guests;
	int count = 0;

	for (guint i = 0; i < guests->len; i++)
		count += guest_is_active(g_ptr_array_index(guests, i)) == active;
	return count;
}

static bool do_count_active(struct call *call, GError **error)
{
	return procedure_return_int(call, count_active(call, true));
}

static bool do_count_defined(struct call *call, GError **error)
{
	return procedure_return_int(call, count_active(call, false));
}

/* ---- definitions ----------------------------------------------------------------------------- */

static bool define(struct call *call, const char *xml, GError **error)
{
	struct registry *registry = call->server->registry;
	struct guest *guest = registry_define(registry, xml, error);

	return guest && return_domain(call, guest);
}

static bool do_define(struct call *call, GError **error)
{
	return define(call, ((const struct wire_text_args *)call->args)->text, error);
}

static bool do_define_flags(struct call *call, GError **error)
{
	const struct wire_text_flags_args *args = call->args;

	/* Every definition is validated. */
	return procedure_check_flags(args->flags, VIR_DOMAIN_DEFINE_VALIDATE, error) &&
	       define(call, args->text, error);
}

static bool undefine(struct call *call, unsigned flags, GError **error)
{
	struct guest *guest = find(call, error);

	if (!guest)
		return false;
	if (guest->saved && save_is_managed(guest)) {
		if (!(flags & VIR_DOMAIN_UNDEFINE_MANAGED_SAVE))
			return fault_set(error, VIR_ERR_OPERATION_INVALID,
				"Refusing to undefine while domain managed save image exists");
		if (!save_remove_managed(guest, error))
			return false;
	}
	return registry_undefine(call->server->registry, guest, error);
}

static bool do_undefine(struct call *call, GError **error)
{
	return undefine(call, 0, error);
}

static bool do_undefine_flags(struct call *call, GError **error)
{
	const struct wire_domain_flags_args *args = call->args;

	/* There is never a snapshot, a checkpoint, or firmware's memory to go too. */
	return procedure_check_flags(args->flags,
		       VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
			       VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA |
			       VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM,
		       error) &&
	       undefine(call, args->flags, error);
}

static bool do_get_xml(struct call *call, GError **error)
{
	const struct wire_domain_flags_args *args = call->args;
	struct guest *guest = find(call, error);
	bool live;

	if (!guest || !procedure_check_flags(args->flags,
			      VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE |
				      VIR_DOMAIN_XML_MIGRATABLE | VIR_DOMAIN_XML_UPDATE_CPU,
			      error))
		return false;
	live = guest_is_active(guest) && !(args->flags & VIR_DOMAIN_XML_INACTIVE);
	if (live && args->flags & VIR_DOMAIN_XML_MIGRATABLE)
		return return_text(call, definition_inactive_xml(guest->running));
	if (live) {
		resources_refresh(guest);
		return return_text(call, resources_live_xml(guest));
	}
	return return_text(call, guest->saved ? g_strdup(guest->saved->xml)
					      : definition_inactive_xml(guest->running));
}

static bool do_rename(struct call *call, GError **error)
{
	const struct wire_domain_optional_flags_args *args = call->args;
	struct guest *guest = find(call, error);

	return guest && procedure_check_flags(args->flags, 0, error) &&
	       (args->text || fault_set(error, VIR_ERR_INVALID_ARG, "there is no new name")) &&
	       registry_rename(call->server->registry, guest, *args->text, error) &&
	       procedure_return_int(call, 0);
}

static bool do_get_autostart(struct call *call, GError **error)
{
	struct guest *guest = find(call, error);

	return guest && procedure_return_int(call, guest->autostart);
}

static bool do_set_autostart(struct call *call, GError **error)
{
	const struct wire_domain_int_args *args = call->args;
	struct guest *guest = find(call, error);

	return guest &&
	       registry_set_autostart(call->server->registry, guest, args->value != 0, error);
}

static bool do_get_metadata(struct call *call, GError **error)
{
	const struct wire_get_metadata_args *args = call->args;
	struct guest *guest = find(call, error);
	const struct definition *definition;

	if (!guest || !procedure_check_flags(args->flags, AFFECT, error))
		return false;
	definition = change_pick(guest, args->flags, error);
	return definition && return_text(call, definition_get_metadata(definition, args->type,
						       args->uri ? *args->uri : NULL, error));
}

struct metadata {
	int type;
	char *text, *key, *uri;
};

static void metadata_free(void *data)
{
	struct metadata *metadata = data;

	g_free(metadata->text);
	g_free(metadata->key);
	g_free(metadata->uri);
	g_free(metadata);
}

static bool edit_metadata(void *data, xmlNode *root, bool live, GError **error)
{
	const struct metadata *metadata = data;

	return definition_put_metadata(
		root, metadata->type, metadata->text, metadata->key, metadata->uri, error);
}

static void tell_metadata(void *data, struct guest *guest)
{
	const struct metadata *metadata = data;
	const struct guest_event event = {
		.id = VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
		.type = metadata->type,
		.text = metadata->uri,
	};

	registry_tell_event(guest->registry, guest, &event);
}

static const struct change_ops metadata_ops = {
	.edit = edit_metadata,
	.tell = tell_metadata,
	.tell_saved = true,
	.free = metadata_free,
};

static char *copy_optional(const wire_optional text)
{
	return text ? g_strdup(*text) : NULL;
}

static void do_set_metadata(struct call *call)
{
	const struct wire_set_metadata_args *args = call->args;
	g_autoptr(GError) error = NULL;
	struct guest *guest = find(call, &error);
	struct metadata *metadata;

	if (!guest || !procedure_check_flags(args->flags, AFFECT, &error)) {
		call_done(call, error);
		return;
	}
	metadata = g_new0(struct metadata, 1);
	metadata->type = args->type;
	metadata->text = copy_optional(args->metadata);
	metadata->key = copy_optional(args->key);
	metadata->uri = copy_optional(args->uri);
	change_begin(guest, args->flags, &metadata_ops, metadata, call_done, call);
}

/* ---- facts ----------------------------------------------------------------------------------- */

static bool do_is_active(struct call *call, GError **error)
{
	struct guest *guest = find(call, error);

	return guest && procedure_return_int(call, guest_is_active(guest));
}

static bool do_is_persistent(struct call *call, GError **error)
{
	struct guest *guest = find(call, error);

	return guest && procedure_return_int(call, guest->saved != NULL);
}

static bool do_is_updated(struct call *call, GError **error)
{
	struct guest *guest = find(call, error);

	return guest && procedure_return_int(call, guest->updated);
}

/* What cannot be: no guest has a snapshot. */
static bool do_zero(struct call *call, GError **error)
{
	return find(call, error) && procedure_return_int(call, 0);
}

static bool do_get_info(struct call *call, GError **error)
{
	struct guest *guest = find(call, error);
	struct wire_domain_info_ret *ret = call->ret;
	const struct stats_page *page;
	struct statistics_cpu cpu;
	const struct machine_config *config;

	if (!guest)
		return false;
	config = guest_definition(guest)->config;
	page = statistics_read(guest);
	statistics_cpu(guest, page, &cpu);
	ret->state = (unsigned char)guest->state;
	ret->max_memory = definition_memory(config);
	ret->memory = statistics_memory(guest, page);
	ret->vcpus = (unsigned short)config->vcpus;
	ret->cpu_time = cpu.total;
	return true;
}

static bool do_get_state(struct call *call, GError **error)
{
	struct guest *guest = find(call, error);
	struct wire_state_ret *ret = call->ret;

	if (!guest)
		return false;
	ret->state = guest->state;
	ret->reason = guest->reason;
	return true;
}

static bool do_control_info(struct call *call, GError **error)
{
	struct guest *guest = find(call, error);

	/* All zero: the monitor can be asked. */
	return guest && guest_check_active(guest, error);
}

static bool do_max_memory(struct call *call, GError **error)
{
	struct guest *guest = find(call, error);

	if (!guest)
		return false;
	((struct wire_number_ret *)call->ret)->value =
		definition_memory(guest_definition(guest)->config);
	return true;
}

static bool do_max_vcpus(struct call *call, GError **error)
{
	struct guest *guest = find(call, error);

	return guest && procedure_return_int(call, (int)guest_definition(guest)->config->vcpus_max);
}

static bool do_os_type(struct call *call, GError **error)
{
	return find(call, error) && return_text(call, g_strdup("hvm"));
}

static bool do_get_messages(struct call *call, GError **error)
{
	const struct wire_domain_flags_args *args = call->args;
	struct wire_texts_ret *ret = call->ret;
	const struct guest *guest = find(call, error);

	if (!guest || !procedure_check_flags(args->flags,
			      VIR_DOMAIN_MESSAGE_DEPRECATION | VIR_DOMAIN_MESSAGE_TAINTING, error))
		return false;
	if (!guest->message)
		return true;
	ret->texts.texts_len = 1;
	ret->texts.texts_val = calloc(1, sizeof(char *));
	ret->texts.texts_val[0] = g_strdup(guest->message);
	return true;
}

#define F(name) PACKET_FORMAT(wire_##name)
#define WRITES PROCEDURE_WRITES

const struct procedure procedures_guest[] = {
	{11, "virDomainDefineXML", F(text_args), F(domain_ret), WRITES, do_define, NULL},
	{14, "virDomainGetXMLDesc", F(domain_flags_args), F(text_ret), 0, do_get_xml, NULL},
	{15, "virDomainGetAutostart", F(domain_args), F(int_ret), 0, do_get_autostart, NULL},
	{16, "virDomainGetInfo", F(domain_args), F(domain_info_ret), 0, do_get_info, NULL},
	{17, "virDomainGetMaxMemory", F(domain_args), F(number_ret), 0, do_max_memory, NULL},
	{18, "virDomainGetMaxVcpus", F(domain_args), F(int_ret), 0, do_max_vcpus, NULL},
	{19, "virDomainGetOSType", F(domain_args), F(text_ret), 0, do_os_type, NULL},
	{21, "virConnectListDefinedDomains", F(int_args), F(names_ret), 0, do_list_defined, NULL},
	{22, "virDomainLookupByID", F(int_args), F(domain_ret), 0, do_lookup_id, NULL},
	{23, "virDomainLookupByName", F(text_args), F(domain_ret), 0, do_lookup_name, NULL},
	{24, "virDomainLookupByUUID", F(uuid_args), F(domain_ret), 0, do_lookup_uuid, NULL},
	{25, "virConnectNumOfDefinedDomains", NULL, F(int_ret), 0, do_count_defined, NULL},
	{29, "virDomainSetAutostart", F(domain_int_args), NULL, WRITES, do_set_autostart, NULL},
	{35, "virDomainUndefine", F(domain_args), NULL, WRITES, do_undefine, NULL},
	{37, "virConnectListDomains", F(int_args), F(ids_ret), 0, do_list_ids, NULL},
	{51, "virConnectNumOfDomains", NULL, F(int_ret), 0, do_count_active, NULL},
	{150, "virDomainIsActive", F(domain_args), F(int_ret), 0, do_is_active, NULL},
	{151, "virDomainIsPersistent", F(domain_args), F(int_ret), 0, do_is_persistent, NULL},
	{187, "virDomainSnapshotNum", F(domain_flags_args), F(int_ret), 0, do_zero, NULL},
	{202, "virDomainIsUpdated", F(domain_args), F(int_ret), 0, do_is_updated, NULL},
	{212, "virDomainGetState", F(domain_flags_args), F(state_ret), 0, do_get_state, NULL},
	{229, "virDomainGetControlInfo", F(domain_flags_args), F(control_info_ret), 0,
		do_control_info, NULL},
	{231, "virDomainUndefineFlags", F(domain_flags_args), NULL, WRITES, do_undefine_flags,
		NULL},
	{264, "virDomainSetMetadata", F(set_metadata_args), NULL, WRITES, NULL, do_set_metadata},
	{265, "virDomainGetMetadata", F(get_metadata_args), F(text_ret), 0, do_get_metadata, NULL},
	{273, "virConnectListAllDomains", F(list_args), F(domains_ret), 0, do_list_all, NULL},
	{350, "virDomainDefineXMLFlags", F(text_flags_args), F(domain_ret), WRITES, do_define_flags,
		NULL},
	{358, "virDomainRename", F(domain_optional_flags_args), F(int_ret), WRITES, do_rename,
		NULL},
	{426, "virDomainGetMessages", F(domain_flags_args), F(texts_ret), 0, do_get_messages, NULL},
	{0, NULL, NULL, NULL, 0, NULL, NULL},
};

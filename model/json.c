// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report.h"

static void add_text(JsonBuilder *json, const char *name, const char *text)
{
	json_builder_set_member_name(json, name);
	if (text)
		json_builder_add_string_value(json, text);
	else
		json_builder_add_null_value(json);
}

// Figures in steps of 1/64: no reader wants more, and what is exact in binary prints short.
static void add_number(JsonBuilder *json, const char *name, double value)
{
	json_builder_set_member_name(json, name);
	value = round(value * 64) / 64;
	if (isnan(value))
		json_builder_add_null_value(json);
	else if (value == floor(value) && fabs(value) < 1e15)
		json_builder_add_int_value(json, (gint64)value);
	else
		json_builder_add_double_value(json, value);
}

// Counts and bytes; 0 means unknown where `unknown` says so.
static void add_count(JsonBuilder *json, const char *name, guint64 value, bool unknown)
{
	json_builder_set_member_name(json, name);
	if (!value && unknown)
		json_builder_add_null_value(json);
	else
		json_builder_add_int_value(json, (gint64)value);
}

static void add_bool(JsonBuilder *json, const char *name, bool value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_boolean_value(json, value);
}

static void add_words(JsonBuilder *json, const char *name, char **words)
{
	json_builder_set_member_name(json, name);
	json_builder_begin_array(json);
	for (unsigned i = 0; words[i]; i++)
		json_builder_add_string_value(json, words[i]);
	json_builder_end_array(json);
}

void json_add_time(JsonBuilder *json, const char *name, gint64 when)
{
	g_autoptr(GDateTime) time =
		when ? g_date_time_new_from_unix_utc(when / G_USEC_PER_SEC) : NULL;
	g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;

	add_text(json, name, text);
}

static void add_brief(JsonBuilder *json, const struct guest *guest)
{
	add_text(json, "host", guest->connection ? guest->connection->name : NULL);
	add_text(json, "uri", guest->connection ? guest->connection->uri : NULL);
	add_text(json, "name", guest->name);
	add_text(json, "uuid", guest->uuid);
	add_text(json, "state", guest_state_name(guest));
	add_text(json, "title", guest->title);
	add_count(json, "vcpus", guest->vcpus, true);
	add_count(json, "vcpus_max", guest->vcpus_max, true);
	add_count(json, "memory", guest->memory, true);
	add_count(json, "memory_max", guest->memory_max, true);
	add_bool(json, "autostart", guest->autostart);
	add_bool(json, "persistent", guest->persistent);
	add_words(json, "groups", guest->groups);
	add_words(json, "tags", guest->tags);
}

static void add_figures(JsonBuilder *json, const struct guest *guest)
{
	add_number(json, "age", guest_age(guest));
	add_number(json, "uptime", guest_uptime(guest));
	add_number(json, "cpu", guest->cpu);
	add_number(json, "cpu_host", guest->cpu_host);
	add_number(json, "cpu_allocation", guest->cpu_allocation);
	add_number(json, "wait", guest->wait);
	add_number(json, "steal", guest->steal);
	add_number(json, "memory_used", guest->memory_used);
	add_number(json, "memory_rss", guest->memory_rss);
	add_number(json, "read_rate", guest->read_rate);
	add_number(json, "write_rate", guest->write_rate);
	add_number(json, "read_ops", guest->read_ops);
	add_number(json, "write_ops", guest->write_ops);
	add_number(json, "rx_rate", guest->rx_rate);
	add_number(json, "tx_rate", guest->tx_rate);
}

static void add_disk(JsonBuilder *json, const struct guest_disk *disk)
{
	json_builder_begin_object(json);
	add_text(json, "target", disk->target);
	add_text(json, "device", disk->device);
	add_text(json, "source", disk->source);
	add_count(json, "capacity", disk->capacity, true);
	add_count(json, "allocation", disk->allocation, true);
	add_number(json, "read_rate", disk->read_rate);
	add_number(json, "write_rate", disk->write_rate);
	add_number(json, "read_ops", disk->read_ops);
	add_number(json, "write_ops", disk->write_ops);
	json_builder_end_object(json);
}

static void add_nic(JsonBuilder *json, const struct guest_nic *nic)
{
	json_builder_begin_object(json);
	add_text(json, "mac", nic->mac);
	add_text(json, "type", nic->type);
	add_text(json, "source", nic->source);
	add_text(json, "model", nic->model);
	add_text(json, "target", nic->target);
	add_number(json, "rx_rate", nic->rx_rate);
	add_number(json, "tx_rate", nic->tx_rate);
	json_builder_end_object(json);
}

static void add_vcpu(JsonBuilder *json, const struct guest_vcpu *vcpu)
{
	json_builder_begin_object(json);
	add_number(json, "use", vcpu->use);
	add_number(json, "wait", vcpu->waiting);
	add_number(json, "steal", vcpu->steal);
	json_builder_end_object(json);
}

static void add_devices(JsonBuilder *json, const struct guest *guest)
{
	json_builder_set_member_name(json, "disks");
	json_builder_begin_array(json);
	for (unsigned i = 0; i < guest->disks->len; i++)
		add_disk(json, guest->disks->pdata[i]);
	json_builder_end_array(json);
	json_builder_set_member_name(json, "nics");
	json_builder_begin_array(json);
	for (unsigned i = 0; i < guest->nics->len; i++)
		add_nic(json, guest->nics->pdata[i]);
	json_builder_end_array(json);
	json_builder_set_member_name(json, "cpus");
	json_builder_begin_array(json);
	for (unsigned i = 0; i < guest->vcpu->len; i++)
		add_vcpu(json, guest->vcpu->pdata[i]);
	json_builder_end_array(json);
}

void json_guest_brief(JsonBuilder *json, const struct guest *guest)
{
	json_builder_begin_object(json);
	add_brief(json, guest);
	json_builder_end_object(json);
}

void json_guest_figures(JsonBuilder *json, const struct guest *guest)
{
	json_builder_begin_object(json);
	add_text(json, "host", guest->connection ? guest->connection->name : NULL);
	add_text(json, "name", guest->name);
	add_text(json, "state", guest_state_name(guest));
	add_count(json, "vcpus", guest->vcpus, true);
	add_count(json, "memory", guest->memory, true);
	add_figures(json, guest);
	json_builder_end_object(json);
}

void json_guest(JsonBuilder *json, const struct guest *guest)
{
	json_builder_begin_object(json);
	add_brief(json, guest);
	add_text(json, "type", guest->type);
	add_text(json, "os_type", guest->os_type);
	add_text(json, "description", guest->description);
	add_text(json, "notes", guest->notes);
	add_bool(json, "managed_save", guest->managed_save);
	json_add_time(json, "started", guest->started);
	add_figures(json, guest);
	add_devices(json, guest);
	json_builder_end_object(json);
}

void json_audit_record(JsonBuilder *json, const struct audit_record *record)
{
	json_builder_begin_object(json);
	json_add_time(json, "time", record->time);
	add_text(json, "user", record->user);
	add_text(json, "uri", record->uri);
	add_text(json, "target", record->target);
	add_text(json, "verb", record->verb);
	add_text(json, "result", record->result);
	add_text(json, "command", record->command);
	json_builder_end_object(json);
}

static void add_step(JsonBuilder *json, const struct job_step *step)
{
	static const char *const states[] = {"queued", "running", "done", "failed", "cancelled"};

	json_builder_begin_object(json);
	add_text(json, "target", step->target);
	add_text(json, "uri", step->uri);
	add_text(json, "state", states[step->state]);
	add_text(json, "output", step->output);
	add_text(json, "error", step->error);
	add_text(json, "details", step->details);
	add_text(json, "command", step->command);
	json_builder_end_object(json);
}

void json_job(JsonBuilder *json, const struct job *job)
{
	json_builder_begin_object(json);
	add_text(json, "verb", job->verb->name);
	add_bool(json, "done", job->state == JOB_DONE);
	json_builder_set_member_name(json, "results");
	json_builder_begin_array(json);
	for (unsigned i = 0; i < job->steps->len; i++)
		add_step(json, job->steps->pdata[i]);
	json_builder_end_array(json);
	json_builder_end_object(json);
}

char *json_text(JsonBuilder *json, bool compact)
{
	JsonNode *root = json_builder_get_root(json);
	g_autofree char *text = json_to_string(root, !compact);

	json_node_unref(root);
	return g_strconcat(text, "\n", NULL);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// What comes from outside: definitions, metadata, the records of the bulk call; and the figures
// made of them.
#include "model/events.h"
#include "model/facts.h"
#include "model/guest_private.h"
#include "model/sample.h"
#include "model/xml.h"
#include "tests/unit/model_helper.h"

#include <libvirt/libvirt.h>

static struct facts *read_facts(const char *xml)
{
	struct facts *facts = g_new0(struct facts, 1);

	facts->name = g_strdup("web");
	facts->uuid = g_strdup("u");
	facts_read_xml(facts, xml);
	return facts;
}

static void a_definition_becomes_facts(void **state)
{
	struct facts *facts = read_facts(
		"<domain type='kvm'><title> Shop </title><memory unit='GiB'>4</memory>"
		"<currentMemory>2097152</currentMemory><vcpu current='2'>8</vcpu>"
		"<metadata><x:other xmlns:x='urn:x'/><l:guest xmlns:l='" METADATA_URI "'>"
		"<l:group>shop</l:group><l:group> "
		"</l:group><l:group>shop</l:group><l:tag>db</l:tag>"
		"<l:notes>call Ann\nfirst</l:notes></l:guest></metadata>"
		"<os><type>hvm</type></os><devices>"
		"<disk type='block' device='disk'><source dev='/dev/x'/><target dev='vda'/></disk>"
		"<disk type='file' device='cdrom'><target dev='sda'/></disk>"
		"<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/>"
		"<target dev='vnet3'/><model type='virtio'/></interface>"
		"<serial type='pty'/><memballoon model='virtio'/></devices></domain>");
	const struct guest_disk *disk;
	const struct guest_nic *nic;

	assert_null(facts->error);
	assert_string_equal(facts->title, "Shop");
	assert_string_equal(facts->type, "kvm");
	assert_true(facts->memory_max == 4ull << 30 && facts->memory == 2ull << 30);
	assert_int_equal(facts->vcpus, 2);
	assert_int_equal(facts->vcpus_max, 8);
	assert_int_equal(g_strv_length(facts->groups), 1);
	assert_string_equal(facts->tags[0], "db");
	assert_string_equal(facts->notes, "call Ann\nfirst");
	assert_true(facts->has_console && facts->balloon_quiet);
	assert_int_equal(facts->disks->len, 2);
	disk = facts->disks->pdata[0];
	assert_string_equal(disk->source, "/dev/x");
	disk = facts->disks->pdata[1];
	assert_null(disk->source);
	assert_string_equal(disk->device, "cdrom");
	nic = facts->nics->pdata[0];
	assert_string_equal(nic->target, "vnet3");
	assert_string_equal(nic->source, "br0");
	facts_free(facts);
}

static void strange_definitions_do_no_harm(void **state)
{
	static const char *const strange[] = {"<domain/>",
		"<domain><memory unit='parsecs'>7</memory><vcpu>-3</vcpu></domain>",
		("<domain><vcpu>99999999999999999999</vcpu>"
		 "<memory>99999999999999999999999</memory></domain>"),
		"<x><devices><disk/><interface/></devices></x>",
		"<domain><metadata/><devices/></domain>"};

	for (unsigned i = 0; i < G_N_ELEMENTS(strange); i++) {
		struct facts *facts = read_facts(strange[i]);

		assert_null(facts->error);
		assert_int_equal(facts->vcpus_max, 0);
		assert_true(facts->memory == 0);
		facts_free(facts);
	}
}

static void xml_that_attacks_is_refused(void **state)
{
	g_autofree char *big = g_strnfill(XML_MOST + 1, ' ');
	const char *const bad[] = {"", "no xml", "<a><b></a>",
		"<!DOCTYPE a [<!ENTITY x 'yyyyyyyyyy'><!ENTITY z '&x;&x;&x;&x;'>]><a>&z;</a>",
		"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", big};

	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(xml_parse(bad[i], -1, "'web'", &error));
		assert_non_null(strstr(error->message, "'web'"));
	}
}

static void metadata_survives_a_round_trip(void **state)
{
	char *groups[] = {"a & b", NULL};
	char *tags[] = {"<x>", "y", NULL};
	struct metadata before = {groups, tags, "1 < 2\nand so on"};
	struct metadata empty = {(char *[]){NULL}, (char *[]){NULL}, NULL};
	struct metadata after;
	g_autofree char *xml = metadata_write(&before);

	assert_null(metadata_write(&empty));
	assert_true(metadata_parse(xml, &after));
	assert_string_equal(after.groups[0], "a & b");
	assert_string_equal(after.tags[0], "<x>");
	assert_string_equal(after.tags[1], "y");
	assert_string_equal(after.notes, "1 < 2\nand so on");
	metadata_clear(&after);
	assert_false(metadata_parse("<broken", &after));
	assert_null(after.groups[0]);
	metadata_clear(&after);
	assert_false(metadata_parse(NULL, &after));
	metadata_clear(&after);
}

// The records of one guest: a list that libvirt's own functions fill.
struct record {
	virTypedParameterPtr params;
	int count, room;
};

static void put(struct record *record, const char *name, unsigned long long value)
{
	assert_int_equal(virTypedParamsAddULLong(
				 &record->params, &record->count, &record->room, name, value),
		0);
}

static void put_text(struct record *record, const char *name, const char *value)
{
	assert_int_equal(virTypedParamsAddString(
				 &record->params, &record->count, &record->room, name, value),
		0);
}

static void take(struct guest *guest, struct record *record, gint64 when)
{
	struct sample_guest sample;

	sample_guest_init(&sample);
	sample_read(&sample, record->params, record->count);
	guest_take_sample(guest, &sample, when, 8);
	sample_guest_clear(&sample);
	virTypedParamsFree(record->params, record->count);
	memset(record, 0, sizeof(*record));
}

static struct guest *running_guest(void)
{
	struct guest *guest = guest_new(NULL, "u", "web");
	struct facts *facts = read_facts(
		"<domain><vcpu>2</vcpu><memory>4194304</memory><devices>"
		"<disk><target dev='vda'/></disk><interface><target dev='vnet0'/></interface>"
		"</devices></domain>");

	facts->id = 1;
	facts->state = GUEST_RUNNING;
	guest_take_facts(guest, facts);
	facts_free(facts);
	return guest;
}

static void put_counters(struct record *record, unsigned factor)
{
	put(record, "cpu.time", 500000000ull * factor);
	put(record, "vcpu.current", 2);
	put(record, "vcpu.0.time", 300000000ull * factor);
	put(record, "vcpu.0.wait", 100000000ull * factor);
	put(record, "vcpu.0.delay", 20000000ull * factor);
	put(record, "vcpu.1.time", 200000000ull * factor);
	put(record, "balloon.current", 2097152);
	put(record, "balloon.available", 2000000);
	put(record, "balloon.usable", 500000);
	put_text(record, "block.0.name", "vda");
	put(record, "block.0.rd.bytes", 1000 * factor);
	put(record, "block.0.wr.bytes", 2000 * factor);
	put(record, "block.0.rd.reqs", 10 * factor);
	put(record, "block.0.wr.reqs", 20 * factor);
	put(record, "block.0.capacity", 1 << 30);
	put_text(record, "net.0.name", "vnet0");
	put(record, "net.0.rx.bytes", 3000 * factor);
	put(record, "net.0.tx.bytes", 4000 * factor);
}

static void counters_become_figures(void **state)
{
	struct guest *guest = running_guest();
	struct record record = {0};
	const struct guest_vcpu *vcpu;

	put_counters(&record, 1);
	take(guest, &record, 1000000);
	assert_true(isnan(guest->cpu) && isnan(guest->read_rate));
	assert_true(guest->memory == 2ull << 30);
	assert_true(guest->memory_used == 1500000.0 * 1024);
	put_counters(&record, 2);
	take(guest, &record, 3000000); // two seconds later
	assert_true(fabs(guest->cpu - 25) < 1e-6);
	assert_true(fabs(guest->cpu_host - 25.0 / 8) < 1e-6);
	assert_true(fabs(guest->cpu_allocation - 12.5) < 1e-6);
	assert_true(fabs(guest->wait - 5) < 1e-6);
	assert_true(fabs(guest->steal - 1) < 1e-6);
	assert_true(guest->read_rate == 500 && guest->write_rate == 1000);
	assert_true(guest->read_ops == 5 && guest->write_ops == 10);
	assert_true(guest->rx_rate == 1500 && guest->tx_rate == 2000);
	assert_int_equal(guest->vcpu->len, 2);
	vcpu = guest->vcpu->pdata[0];
	assert_true(fabs(vcpu->use - 15) < 1e-6);
	assert_true(fabs(history_last(&guest->cpu_history) - 25) < 1e-4);
	assert_true(history_last(&guest->write_history) == 1000);
	guest_unref(guest);
}

static void counters_that_go_back_give_no_figure(void **state)
{
	struct guest *guest = running_guest();
	struct record record = {0};

	put_counters(&record, 5);
	take(guest, &record, 1000000);
	put_counters(&record, 1);
	take(guest, &record, 2000000);
	assert_true(isnan(guest->cpu) && isnan(guest->read_rate) && isnan(guest->rx_rate));
	put_counters(&record, 2);
	take(guest, &record, 2000000); // no time passed
	assert_true(isnan(guest->cpu) && isnan(guest->read_rate));
	guest_unref(guest);
}

static void a_busy_guest_keeps_its_figures_and_ages(void **state)
{
	struct guest *guest = running_guest();
	struct record record = {0};

	put_counters(&record, 1);
	take(guest, &record, 1000000);
	put_counters(&record, 2);
	take(guest, &record, 2000000);
	put(&record, "vcpu.current", 2);
	take(guest, &record, 9000000); // the no-wait answer of a busy guest
	assert_true(fabs(guest->cpu - 50) < 1e-6);
	assert_true(guest->seen == 2000000);
	guest_unref(guest);
}

static void hostile_records_are_bounded(void **state)
{
	struct guest *guest = running_guest();
	struct record record = {0};

	put(&record, "vcpu.4294967295.time", 1);
	put(&record, "vcpu.99999999999999999999.time", 1);
	put(&record, "block.5000.rd.bytes", 1);
	put(&record, "net.-1.rx.bytes", 1);
	put(&record, "block..rd.bytes", 1);
	put(&record, "balloon.current", G_MAXUINT64 - 1);
	put(&record, "vcpu.3.", 1);
	put_text(&record, "block.0.name", "\xff\xfe");
	put_text(&record, "cpu.time", "text");
	put(&record, "state.state", 77);
	take(guest, &record, 1000000);
	assert_int_equal(guest->vcpu->len, 4);
	assert_true(guest->memory == 4ull << 30);
	guest_unref(guest);
}

static const struct sample_guest *only_guest(const struct sample *sample)
{
	assert_non_null(sample);
	assert_int_equal(sample->guests->len, 1);
	return &g_array_index(sample->guests, struct sample_guest, 0);
}

static void drivers_without_the_bulk_call_are_asked_guest_by_guest(void **state)
{
	virConnectPtr connection = virConnectOpen("test:///default");
	struct sample_limits limits = {.no_bulk = true};
	struct sample_limits none = {.no_nowait = true};
	struct sample *sample = sample_take(connection, &limits, NULL);
	const struct sample_guest *guest = only_guest(sample);

	assert_string_equal(guest->name, "test");
	assert_int_equal(guest->state, GUEST_RUNNING);
	assert_int_equal(guest->vcpus, 2);
	assert_true(guest->memory == 2ull << 30 && guest->memory_max == 8ull << 30);
	assert_true(guest->cpu_time != SAMPLE_UNKNOWN);
	sample_free(sample);

	sample = sample_take(connection, &none, NULL);
	guest = only_guest(sample);
	assert_int_equal(guest->state, GUEST_RUNNING);
	assert_true(guest->cpu_time == SAMPLE_UNKNOWN); // this driver's bulk call tells states only
	assert_false(none.no_bulk);
	sample_free(sample);
	virConnectClose(connection);
}

static void a_broken_connection_is_an_error(void **state)
{
	struct sample_limits limits = {0};
	g_autoptr(GError) error = NULL;

	assert_null(sample_take(NULL, &limits, &error));
	assert_non_null(strstr(error->message, "Cannot read the figures"));
}

static void states_have_words(void **state)
{
	struct guest *guest = guest_new(NULL, "u", "web");

	for (int number = -1; number < 12; number++) {
		guest_take_state(guest, -1, number, number);
		assert_true(strlen(guest_state_word(guest)) > 1);
		assert_true(strlen(guest_state_name(guest)) > 1);
		assert_true(!guest_reason_words(guest) || *guest_reason_words(guest));
	}
	guest_take_state(guest, -1, GUEST_OFF, VIR_DOMAIN_SHUTOFF_SAVED);
	guest_take_flags(guest, true, true, true);
	assert_string_equal(guest_state_word(guest), "saved");
	assert_true(isnan(guest_uptime(guest)));
	guest_unref(guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_definition_becomes_facts),
		cmocka_unit_test(strange_definitions_do_no_harm),
		cmocka_unit_test(xml_that_attacks_is_refused),
		cmocka_unit_test(metadata_survives_a_round_trip),
		cmocka_unit_test(counters_become_figures),
		cmocka_unit_test(counters_that_go_back_give_no_figure),
		cmocka_unit_test(a_busy_guest_keeps_its_figures_and_ages),
		cmocka_unit_test(hostile_records_are_bounded),
		cmocka_unit_test(drivers_without_the_bulk_call_are_asked_guest_by_guest),
		cmocka_unit_test(a_broken_connection_is_an_error),
		cmocka_unit_test(states_have_words),
	};

	helper_begin();
	events_start();
	return helper_end(cmocka_run_group_tests(tests, NULL, NULL));
}

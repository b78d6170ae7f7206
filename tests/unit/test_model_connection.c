// SPDX-License-Identifier: GPL-3.0-or-later
// Connections against libvirt's own test driver and against hosts that do not answer.
#include "model/connection_private.h"
#include "tests/unit/model_helper.h"

#include <libvirt/libvirt.h>
#include <sys/socket.h>
#include <sys/un.h>

struct fixture {
	struct settings *settings;
	struct model *model;
	unsigned told[MODEL_MESSAGE + 1]; // how often each event came
};

static void count(struct model *model, const struct model_change *change, void *data)
{
	((struct fixture *)data)->told[change->event]++;
}

static void set_up(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->settings = settings_load(NULL, NULL);
	fixture->model = model_new(fixture->settings, 0);
	model_watch(fixture->model, count, fixture);
	model_set_interval(fixture->model, 100);
}

static void tear_down(struct fixture *fixture)
{
	model_free(fixture->model);
	settings_free(fixture->settings);
	helper_run(20); // what was on its way arrives, and is dropped
}

static void a_host_tells_its_guests(void **state)
{
	struct fixture fixture;
	struct connection *connection;
	struct guest *guest;

	set_up(&fixture);
	g_autofree char *uri = helper_host("tells.xml", 12);

	connection = model_add(fixture.model, uri, NULL);
	assert_non_null(connection);
	assert_string_equal(connection->name, "test");
	assert_true(model_wait(fixture.model, 10000));
	assert_int_equal(connection->state, CONNECTION_CONNECTED);
	assert_string_equal(connection->host.driver, "TEST");
	assert_true(connection->host.cpus > 0 && connection->host.memory > 0);
	assert_int_equal(connection->guests->len, 12);
	// Sorted as people count: web2 before web10.
	guest = connection->guests->pdata[2];
	assert_string_equal(guest->name, "web2");
	assert_true(guest->defined && guest->persistent && guest_active(guest));
	assert_int_equal(guest->vcpus, 2);
	assert_int_equal(guest->vcpus_max, 4);
	assert_true(guest->memory == 2ull << 30 && guest->memory_max == 4ull << 30);
	assert_string_equal(guest->groups[0], "shop");
	assert_true(guest->started_at_least && guest_uptime(guest) >= 0);
	helper_until(connection->host.cpus_promised == 24);
	assert_true(connection->host.memory_promised == 24ull << 30);
	assert_int_equal(fixture.told[MODEL_GUEST_ADDED], 12);
	tear_down(&fixture);
}

static void one_sample_at_a_time(void **state)
{
	struct fixture fixture;
	struct connection *connection;
	unsigned before;

	set_up(&fixture);
	connection = model_add(fixture.model, "test:///default", NULL);
	assert_true(model_wait(fixture.model, 10000));
	helper_until(!connection->private->refreshing);
	before = fixture.told[MODEL_REFRESHED];
	for (unsigned i = 0; i < 100; i++)
		model_refresh(fixture.model);
	model_set_interval(fixture.model, 3600000);
	helper_until(!connection->private->refreshing);
	assert_int_equal(fixture.told[MODEL_REFRESHED], before + 1);
	assert_true(guest_age(connection->guests->pdata[0]) < 5);
	tear_down(&fixture);
}

// Another client of the same host does something: events tell, long before the next sample.
static void events_tell_what_others_do(void **state)
{
	struct fixture fixture;
	struct connection *connection;
	virConnectPtr other = virConnectOpen("test:///default");
	virDomainPtr domain = virDomainLookupByName(other, "test");
	struct guest *guest;

	set_up(&fixture);
	connection = model_add(fixture.model, "test:///default", NULL);
	assert_true(model_wait(fixture.model, 10000));
	model_set_interval(fixture.model, 3600000);
	guest = connection_guest(connection, "test");
	assert_non_null(guest);
	assert_int_equal(virDomainSuspend(domain), 0);
	helper_until(guest->state == GUEST_PAUSED);
	assert_int_equal(virDomainDestroy(domain), 0);
	helper_until(guest->state == GUEST_OFF && guest->id == -1);
	assert_int_equal(virDomainCreate(domain), 0);
	helper_until(guest->state == GUEST_RUNNING && !guest->started_at_least);
	assert_int_equal(virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_TITLE, "Shop front", NULL,
				 NULL, VIR_DOMAIN_AFFECT_LIVE),
		0);
	helper_until(!g_strcmp0(guest->title, "Shop front"));
	virDomainFree(domain);
	virConnectClose(other);
	tear_down(&fixture);
}

static void a_guest_that_vanishes_stays_readable(void **state)
{
	static const char xml[] = "<domain type='test'><name>passing</name><memory>1024</memory>"
				  "<os><type>hvm</type></os></domain>";
	struct fixture fixture;
	struct connection *connection;
	virConnectPtr other = virConnectOpen("test:///default");
	virDomainPtr domain;
	struct guest *guest;

	set_up(&fixture);
	connection = model_add(fixture.model, "test:///default", NULL);
	assert_true(model_wait(fixture.model, 10000));
	domain = virDomainCreateXML(other, xml, 0);
	assert_non_null(domain);
	helper_until(connection_guest(connection, "passing"));
	guest = guest_ref(connection_guest(connection, "passing"));
	helper_until(guest->defined);
	assert_false(guest->persistent);
	assert_int_equal(virDomainDestroy(domain), 0);
	helper_until(guest->gone);
	assert_null(connection_guest(connection, "passing"));
	assert_string_equal(guest->name, "passing");
	assert_int_equal(fixture.told[MODEL_GUEST_REMOVED], 1);
	helper_until(!guest->connection);
	tear_down(&fixture);
	guest_unref(guest);
	virDomainFree(domain);
	virConnectClose(other);
}

static void a_host_that_refuses_is_tried_again(void **state)
{
	struct fixture fixture;
	struct connection *connection;
	g_autofree char *file = helper_path("later.xml");
	g_autofree char *uri = g_strconcat("test://", file, NULL);
	g_autofree char *status = NULL;
	g_autofree char *made = NULL;

	set_up(&fixture);
	connection = model_add(fixture.model, uri, NULL);
	assert_false(model_wait(fixture.model, 10000));
	assert_int_equal(connection->state, CONNECTION_LOST);
	assert_non_null(strstr(connection->reason, uri));
	assert_true(connection->retry_at > g_get_monotonic_time());
	status = connection_status(connection);
	assert_non_null(strstr(status, "next try in"));
	assert_int_equal(fixture.told[MODEL_MESSAGE], 1);
	helper_until(connection->failures == 2); // tried again by itself after a second
	assert_true(connection->retry_at - g_get_monotonic_time() > 1 * G_USEC_PER_SEC);
	assert_int_equal(fixture.told[MODEL_MESSAGE], 1); // the same reason is told once

	made = helper_host("later.xml", 1);
	connection_retry(connection);
	helper_until(connection->complete);
	assert_int_equal(connection->guests->len, 1);
	assert_int_equal(connection->failures, 0);
	assert_null(connection->reason);
	tear_down(&fixture);
}

// A socket that accepts and never says a word.
static int silent_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(path) < sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static void a_host_that_hangs_holds_up_nobody(void **state)
{
	struct fixture fixture;
	g_autofree char *path = helper_path("silent");
	g_autofree char *uri = g_strconcat("test+unix:///default?socket=", path, NULL);
	g_autofree char *status = NULL;
	int fd = silent_socket(path);
	struct connection *hung, *fine;
	unsigned before;
	gint64 start;

	set_up(&fixture);
	hung = model_add(fixture.model, uri, NULL);
	fine = model_add(fixture.model, "test:///default", NULL);
	helper_until(fine->complete);
	before = fixture.told[MODEL_REFRESHED];
	helper_until(connection_silence(hung) > 3);
	assert_true(fixture.told[MODEL_REFRESHED] > before + 10);
	assert_int_equal(hung->state, CONNECTION_CONNECTING);
	status = connection_status(hung);
	assert_non_null(strstr(status, "no answer for"));

	connection_retry(hung); // leaves the stuck thread behind
	assert_true(connection_silence(hung) == 0);
	start = g_get_monotonic_time();
	model_free(fixture.model);
	assert_true(g_get_monotonic_time() - start < G_USEC_PER_SEC);
	settings_free(fixture.settings);
	close(fd); // both threads end now
	helper_run(200);
}

static void connections_have_names_and_go(void **state)
{
	struct fixture fixture;
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) twice = NULL;
	g_autofree char *uri = helper_host("named.xml", 2);
	static const char *const wrong[] = {"", "has space", "tab\tbed", "\xff\xfe"};

	set_up(&fixture);
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++)
		assert_null(model_add(fixture.model, wrong[i], NULL));
	assert_non_null(model_add(fixture.model, "test:///default", NULL));
	assert_non_null(model_add(fixture.model, uri, NULL));
	assert_null(model_add(fixture.model, uri, &twice));
	assert_int_equal(twice->code, MODEL_ERROR_USAGE);
	assert_true(model_wait(fixture.model, 10000));
	assert_non_null(model_connection(fixture.model, "test-2"));
	assert_non_null(model_find_guest(fixture.model, "test-2/web0", NULL));
	assert_null(model_find_guest(fixture.model, "test/web0", &error));
	assert_int_equal(error->code, MODEL_ERROR_NOT_FOUND);
	assert_non_null(
		model_find_guest(fixture.model, "00000000-0000-4000-8000-000000000001", NULL));
	model_remove(fixture.model, model_connection(fixture.model, "test-2"));
	assert_null(model_find_guest(fixture.model, "web0", NULL));
	assert_int_equal(fixture.told[MODEL_CONNECTION_REMOVED], 1);
	tear_down(&fixture);
}

static void a_name_on_two_hosts_wants_its_host(void **state)
{
	struct fixture fixture;
	g_autofree char *one = helper_host("one.xml", 1);
	g_autofree char *two = helper_host("two.xml", 1);
	g_autoptr(GError) error = NULL;

	set_up(&fixture);
	model_add(fixture.model, one, NULL);
	model_add(fixture.model, two, NULL);
	assert_true(model_wait(fixture.model, 10000));
	assert_null(model_find_guest(fixture.model, "web0", &error));
	assert_non_null(strstr(error->message, "more than one"));
	assert_non_null(model_find_guest(fixture.model, "test-2/web0", NULL));
	tear_down(&fixture);
}

static void a_thousand_guests_come_in_slices(void **state)
{
	struct fixture fixture;
	g_autofree char *uri = helper_host("thousand.xml", 1000);
	struct connection *connection;

	set_up(&fixture);
	connection = model_add(fixture.model, uri, NULL);
	assert_true(model_wait(fixture.model, 60000));
	assert_int_equal(connection->guests->len, 1000);
	for (unsigned i = 0; i < 1000; i++)
		assert_true(((struct guest *)connection->guests->pdata[i])->defined);
	tear_down(&fixture);
}

static void no_host_is_a_sentence(void **state)
{
	struct fixture fixture;
	g_autoptr(GError) error = NULL;
	static const char *const bad[] = {"no uri", NULL};

	set_up(&fixture);
	assert_false(model_open(fixture.model, bad, &error));
	assert_int_equal(error->code, MODEL_ERROR_USAGE);
	settings_set(fixture.settings, "connections.uris", "test:///default", NULL);
	assert_true(model_open(fixture.model, NULL, NULL));
	assert_non_null(model_connection(fixture.model, "test:///default"));
	tear_down(&fixture);
}

static void local_hosts_are_those_that_listen(void **state)
{
	g_autofree char *folder = helper_path("libvirt");
	g_autofree char *path = helper_path("libvirt/libvirt-sock");
	g_auto(GStrv) before = model_local_uris();
	g_auto(GStrv) after = NULL;
	int fd;

	assert_false(g_strv_contains((const char *const *)before, "qemu:///session"));
	assert_int_equal(g_mkdir(folder, 0700), 0);
	fd = silent_socket(path);
	after = model_local_uris();
	// A session is a user's; root has the system's hypervisors.
	assert_int_equal(
		g_strv_contains((const char *const *)after, "qemu:///session"), geteuid() != 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_tells_its_guests),
		cmocka_unit_test(one_sample_at_a_time),
		cmocka_unit_test(events_tell_what_others_do),
		cmocka_unit_test(a_guest_that_vanishes_stays_readable),
		cmocka_unit_test(a_host_that_refuses_is_tried_again),
		cmocka_unit_test(a_host_that_hangs_holds_up_nobody),
		cmocka_unit_test(connections_have_names_and_go),
		cmocka_unit_test(a_name_on_two_hosts_wants_its_host),
		cmocka_unit_test(a_thousand_guests_come_in_slices),
		cmocka_unit_test(no_host_is_a_sentence),
		cmocka_unit_test(local_hosts_are_those_that_listen),
	};

	helper_begin();
	return helper_end(cmocka_run_group_tests(tests, NULL, NULL));
}

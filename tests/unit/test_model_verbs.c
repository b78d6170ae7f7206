// SPDX-License-Identifier: GPL-3.0-or-later
// Every verb, as a line at the prompt, on libvirt's test driver: what it does, says, refuses.
#include "tests/unit/model_helper.h"

#include <libvirt/libvirt.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct settings *settings;
static struct model *model;
static struct connection *host;

static int set_up(void **state)
{
	g_autofree char *uri = helper_host("verbs.xml", 3);

	settings = settings_load(NULL, NULL);
	model = model_new(settings, 0);
	host = model_add(model, uri, NULL);
	assert_true(model_wait(model, 10000));
	return 0;
}

static int tear_down(void **state)
{
	model_free(model);
	settings_free(settings);
	helper_run(20);
	return 0;
}

static struct job *run(const char *line)
{
	g_autoptr(GError) error = NULL;
	struct request *request = request_parse_line(model, line, NULL, &error);
	struct job *job = request ? request_run(request, &error) : NULL;

	if (!job)
		fail_msg("'%s': %s", line, error->message);
	request_free(request);
	helper_until(job_finished(job));
	return job;
}

static struct job_step *step_of(struct job *job)
{
	return job->steps->pdata[0];
}

// Runs a line that must succeed; what it says must hold `words`.
static void good(const char *line, const char *words)
{
	struct job *job = run(line);

	if (job->state != JOB_DONE)
		fail_msg("'%s' failed: %s", line, step_of(job)->error);
	if (!strstr(step_of(job)->output, words))
		fail_msg("'%s' says: %s", line, step_of(job)->output);
}

// Runs a line whose step must fail with a sentence that holds `words`.
static void bad(const char *line, const char *words)
{
	struct job *job = run(line);

	assert_int_equal(job->state, JOB_FAILED);
	if (!strstr(step_of(job)->error, words))
		fail_msg("'%s' says: %s", line, step_of(job)->error);
}

// A line that cannot begin.
static void refused(const char *line, int code, const char *words)
{
	g_autoptr(GError) error = NULL;
	struct request *request = request_parse_line(model, line, NULL, &error);

	if (request)
		assert_null(request_run(request, &error));
	request_free(request);
	assert_non_null(error);
	if (error->code != code || !strstr(error->message, words))
		fail_msg("'%s': %d: %s", line, error->code, error->message);
}

static struct guest *guest(const char *name)
{
	struct guest *found = connection_guest(host, name);

	assert_non_null(found);
	return found;
}

static void a_guest_is_paused_and_goes_on(void **state)
{
	good("pause web0", "web0 is paused.");
	helper_until(guest("web0")->state == GUEST_PAUSED);
	assert_string_equal(guest_reason_words(guest("web0")), "paused by the administrator");
	good("resume web0", "web0 goes on.");
	helper_until(guest("web0")->state == GUEST_RUNNING);
	bad("start web0", "Cannot start guest 'web0': Domain 'web0' is already running");
}

static void a_guest_is_switched_off_and_started(void **state)
{
	good("shutdown web0", "told to shut down");
	helper_until(guest("web0")->state == GUEST_OFF);
	assert_true(isnan(guest_uptime(guest("web0"))));
	good("start web0", "is started");
	helper_until(guest("web0")->state == GUEST_RUNNING);
	good("destroy web0", "switched off");
	helper_until(guest("web0")->state == GUEST_OFF);
	bad("start --paused web0", "Cannot start guest 'web0': "); // not in this driver
	good("start web0", "is started");
	good("reset web0", "is reset");
	good("reboot web0", "told to reboot");
}

static void a_guest_is_saved_and_restored(void **state)
{
	g_autofree char *file = helper_path("web1.save");
	g_autofree char *save = g_strdup_printf("save web1 --to '%s'", file);
	g_autofree char *restore = g_strdup_printf("restore --from '%s'", file);

	good("save web0", "web0 is saved.");
	helper_until(guest("web0")->managed_save);
	assert_string_equal(guest_state_word(guest("web0")), "saved");
	good("restore web0", "web0 is restored.");
	helper_until(guest("web0")->state == GUEST_RUNNING && !guest("web0")->managed_save);
	good("destroy web0", "off");
	bad("restore web0", "has no saved state");
	good(save, "web1 is saved.");
	helper_until(guest("web1")->state == GUEST_OFF);
	good(restore, "is restored.");
	helper_until(guest("web1")->state == GUEST_RUNNING);
	bad("restore", "Name the guest");
}

static void flags_and_names_change(void **state)
{
	good("autostart web2", "starts with its host");
	helper_until(guest("web2")->autostart);
	good("autostart --disable web2", "no longer");
	helper_until(!guest("web2")->autostart);
	bad("rename web2 shop", "Cannot rename guest 'web2' to 'shop': ");
	good("destroy web2", "off");
	good("rename web2 shop", "web2 is now called shop.");
	helper_until(connection_guest(host, "shop"));
	assert_null(connection_guest(host, "web2"));
	assert_string_equal(((struct guest *)host->guests->pdata[0])->name, "shop");
}

static void groups_tags_and_notes_live_in_the_definition(void **state)
{
	good("tag web0 --set db,ssd", "db, ssd");
	helper_until(g_strv_length(guest("web0")->tags) == 2);
	good("tag web0 --add db,fast --remove ssd", "db, fast");
	good("group web0 --add test", "shop, test");
	good("note web0 'call <Ann> & Bob'", "written");
	helper_until(guest("web0")->notes);
	assert_string_equal(guest("web0")->notes, "call <Ann> & Bob");
	assert_string_equal(guest("web0")->groups[1], "test");
	good("dump web0", "lodge:tag>fast<");
	good("note web0", "no notes");
	good("group web0 --set ''", "no group");
	helper_until(!guest("web0")->groups[0] && !guest("web0")->notes);
}

static void a_definition_is_defined_and_deleted(void **state)
{
	g_autofree char *file =
		helper_write("new.xml", "<domain "
					"type='test'><name>fresh</name><memory>1024</"
					"memory><os><type>hvm</type></os></domain>");
	g_autofree char *broken = helper_write("broken.xml", "<domain>\n<name>x</domain>");
	g_autofree char *define = g_strdup_printf("define '%s'", file);
	g_autofree char *define_broken = g_strdup_printf("define '%s'", broken);

	good(define, "fresh is defined.");
	helper_until(connection_guest(host, "fresh") && guest("fresh")->defined);
	good("delete fresh", "fresh is deleted; its disks stay.");
	helper_until(!connection_guest(host, "fresh"));
	bad(define_broken, "line 2");
	bad("define /nowhere/x.xml", "Cannot read '/nowhere/x.xml': ");
	bad("delete web0", "it is running");
}

static void storage_is_deleted_only_when_asked_by_name(void **state)
{
	g_autofree char *image = helper_write("disk.img", "data");
	g_autofree char *other = helper_write("other.img", "data");
	g_autofree char *xml = g_strdup_printf(
		"<domain "
		"type='test'><name>fresh</name><memory>1024</memory><os><type>hvm</type></os>"
		"<devices><disk type='file' device='disk'><source file='%s'/><target "
		"dev='vda'/></disk>"
		"<disk type='file' device='disk'><source file='%s'/><target dev='vdb'/></disk>"
		"<disk type='file' device='disk'><source file='/guest/0.img'/><target "
		"dev='vdc'/></disk>"
		"</devices></domain>",
		image, other);
	g_autofree char *file = helper_write("storage.xml", xml);
	g_autofree char *define = g_strdup_printf("define '%s'", file);

	good(define, "defined");
	helper_until(connection_guest(host, "fresh") && guest("fresh")->disks->len == 3);
	bad("delete fresh --storage vda,vdz", "no disk 'vdz'");
	bad("delete fresh --storage vda,vdc", "also belongs to guest 'web0'");
	assert_true(g_file_test(image, G_FILE_TEST_EXISTS));
	good("delete fresh --storage vda", "with vda");
	assert_false(g_file_test(image, G_FILE_TEST_EXISTS));
	assert_true(g_file_test(other, G_FILE_TEST_EXISTS));
}

static void several_guests_are_one_job(void **state)
{
	struct job *job = run("shutdown web0 web1 web2");
	g_autofree char *summary = job_summary(job);

	assert_string_equal(job->title, "Shut down 3 guests");
	assert_int_equal(job->steps->len, 3);
	assert_int_equal(job_count(job, JOB_DONE), 3);
	assert_true(job_progress(job) == 1);
	assert_non_null(strstr(summary, "done"));
	helper_until(guest("web1")->state == GUEST_OFF && guest("web2")->state == GUEST_OFF);
	good("start web1", "started");
	job = run("start web0 web1 web2");
	assert_int_equal(job->state, JOB_FAILED);
	assert_int_equal(job_count(job, JOB_FAILED), 1);
	g_free(summary);
	summary = job_summary(job);
	assert_non_null(strstr(summary, "1 of 3 failed: Cannot start guest 'web1'"));
}

static void selected_guests_stand_in(void **state)
{
	g_autoptr(GPtrArray) selected = g_ptr_array_new();
	struct request *request;

	g_ptr_array_add(selected, guest("web0"));
	g_ptr_array_add(selected, guest("web2"));
	request = request_parse_line(model, "pause", selected, NULL);
	assert_int_equal(request->guests->len, 2);
	request_free(request);
	request = request_parse_line(model, "pause web1", selected, NULL);
	assert_int_equal(request->guests->len, 1);
	request_free(request);
	g_ptr_array_set_size(selected, 1);
	request = request_parse_line(model, "rename other", selected, NULL);
	assert_string_equal(request_get(request, "NAME"), "other");
	assert_ptr_equal(request->guests->pdata[0], guest("web0"));
	request_free(request);
}

static void wrong_lines_are_told_apart(void **state)
{
	refused("frobnicate", MODEL_ERROR_USAGE, "no command 'frobnicate'");
	refused("", MODEL_ERROR_USAGE, "no command");
	refused("start 'web0", MODEL_ERROR_USAGE, "quotation mark");
	refused("start", MODEL_ERROR_USAGE, "start GUEST...");
	refused("start nobody", MODEL_ERROR_NOT_FOUND, "no guest 'nobody'");
	refused("start --fast web0", MODEL_ERROR_USAGE, "no option '--fast'");
	refused("start --paused=yes web0", MODEL_ERROR_USAGE, "takes no value");
	refused("shutdown web0 --mode", MODEL_ERROR_USAGE, "wants a value");
	refused("shutdown web0 --mode kindly", MODEL_ERROR_USAGE, "is one of acpi");
	refused("rename web0", MODEL_ERROR_USAGE, "NAME is missing");
	refused("rename web0 a b", MODEL_ERROR_USAGE, "one word too many");
	refused("define x.xml --host mars", MODEL_ERROR_NOT_FOUND, "no connection 'mars'");
	refused("log --count many", MODEL_ERROR_USAGE, "no number");
}

static void read_only_refuses_every_change(void **state)
{
	model->read_only = true;
	for (const struct verb *verb = verbs; verb->name; verb++) {
		struct request *request = request_new(model, verb);
		g_autoptr(GError) error = NULL;

		request_add_guest(request, guest("web0"));
		request_set(request, "NAME", "x");
		request_set(request, "FILE", "x");
		if (verb->flags & VERB_CHANGES) {
			assert_null(request_run(request, &error));
			assert_int_equal(error->code, MODEL_ERROR_REFUSED);
		} else {
			struct job *job = request_run(request, &error);

			assert_non_null(job);
			helper_until(job_finished(job));
		}
		request_free(request);
	}
}

static void the_table_is_whole(void **state)
{
	static const char *const wanted[] = {"list", "info", "start", "shutdown", "reboot", "reset",
		"destroy", "pause", "resume", "save", "restore", "autostart", "rename", "delete",
		"define", "dump", "top", "log"};

	for (unsigned i = 0; i < G_N_ELEMENTS(wanted); i++)
		assert_non_null(verb_find(wanted[i]));
	for (const struct verb *verb = verbs; verb->name; verb++) {
		g_autofree char *usage = verb_usage(verb);

		assert_true(g_str_has_prefix(usage, verb->name));
		assert_non_null(verb->help);
		assert_non_null(verb->label);
		assert_non_null(verb->title_one);
		assert_true(verb->on_guest || verb->on_connection || verb->report ||
			    (verb->flags & VERB_INTERACTIVE));
		assert_true(!(verb->flags & VERB_CHANGES) || verb->virsh);
		assert_true(!(verb->flags & VERB_LOSES) || verb->loses);
	}
}

static void every_change_is_audited_with_its_command(void **state)
{
	g_autoptr(GPtrArray) records = NULL;
	const struct audit_record *record;
	g_autofree char *command = NULL;

	good("pause web0", "paused");
	bad("start web0", "Cannot start");
	good("dump web0", "<domain"); // changes nothing: not in the log
	records = audit_read(model->audit, 2, NULL);
	assert_int_equal(records->len, 2);
	record = records->pdata[0];
	command = g_strdup_printf("virsh -c %s suspend web0", host->uri);
	assert_string_equal(record->command, command);
	assert_string_equal(record->target, "test/web0");
	assert_string_equal(record->uri, host->uri);
	assert_string_equal(record->result, "ok");
	record = records->pdata[1];
	assert_true(g_str_has_prefix(record->result, "Cannot start guest 'web0': "));
	good("log --count 1", "start test/web0: Cannot start");
}

static void commands_are_quoted(void **state)
{
	struct request *request = request_parse_line(model, "rename web0 'two words'", NULL, NULL);
	g_autofree char *command = request_virsh(request, guest("web0"));

	assert_true(g_str_has_suffix(command, " domrename web0 'two words'"));
	request_free(request);
}

static void assert_completes(const char *line, const char *joined)
{
	g_auto(GStrv) words = verb_complete(model, line);
	g_autofree char *found = g_strjoinv(" ", words);

	if (strcmp(found, joined))
		fail_msg("'%s' completes to '%s', not '%s'", line, found, joined);
}

static void words_are_completed(void **state)
{
	assert_completes("shu", "shutdown");
	assert_completes("start w", "web0 web1 web2");
	assert_completes("start web0 web", "web0 web1 web2");
	assert_completes("start test/", "test/web0 test/web1 test/web2");
	assert_completes("start --", "--paused");
	assert_completes("shutdown web0 --mode a", "acpi agent");
	assert_completes("delete web0 --storage ", "vda");
	assert_completes("define x --host t", "test");
	assert_completes("frobnicate w", "");
	assert_completes("start 'w", "");
	assert_completes("define /de", "/dev/");
}

static void cancelling_a_finished_job_does_nothing(void **state)
{
	struct job *job = run("pause web0");

	assert_false(job_can_cancel(job));
	job_cancel(job);
	assert_int_equal(job->state, JOB_DONE);
	good("resume web0", "goes on");
}

static void queued_steps_can_be_cancelled(void **state)
{
	struct request *request = request_new(model, verb_find("pause"));
	struct job *job;

	for (unsigned i = 0; i < host->guests->len; i++)
		request_add_guest(request, host->guests->pdata[i]);
	job = job_ref(request_run(request, NULL));
	request_free(request);
	job_cancel(job); // no lane has told anything yet: what has not begun never will
	helper_until(job_finished(job));
	assert_int_equal(job_count(job, JOB_DONE) + job_count(job, JOB_CANCELLED), job->steps->len);
	for (unsigned i = 0; i < job->steps->len; i++) {
		const struct job_step *step = job->steps->pdata[i];
		const struct guest *target = step->guest;

		helper_until(
			target->state == (step->state == JOB_DONE ? GUEST_PAUSED : GUEST_RUNNING));
	}
	job_unref(job);
}

static void a_host_that_is_gone_refuses_at_once(void **state)
{
	model_add(model, "test:///nowhere/at/all.xml", NULL);
	helper_until(model_connection(model, "test-2")->state == CONNECTION_LOST);
	refused("define x.xml --host test-2", MODEL_ERROR_NOT_CONNECTED, "not connected");
	refused("define x.xml", MODEL_ERROR_USAGE, "name the one");
}

// The user removes a connection while a verb is on its way there.
static void jobs_end_when_their_host_is_given_up(void **state)
{
	struct request *request = request_parse_line(model, "save web0 web1 web2", NULL, NULL);
	struct job *job = job_ref(request_run(request, NULL));
	const struct job_step *step;

	request_free(request);
	model_remove(model, host);
	assert_true(job_finished(job));
	assert_int_equal(job->state, JOB_FAILED);
	assert_int_equal(job_count(job, JOB_FAILED), 3);
	step = job->steps->pdata[2];
	assert_non_null(strstr(step->error, "given up"));
	assert_true(step->guest->gone && !step->guest->connection);
	job_unref(job);
	helper_run(100); // the lanes end; nobody listens any more
}

static void a_vanished_guest_is_a_sentence(void **state)
{
	struct request *request = request_new(model, verb_find("pause"));
	g_autoptr(GError) error = NULL;

	request_add_guest(request, guest("web0"));
	good("destroy web0", "off");
	good("delete web0", "deleted");
	helper_until(!connection_guest(host, "web0"));
	assert_null(request_run(request, &error));
	assert_non_null(error);
	request_free(request);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_guest_is_paused_and_goes_on),
		TEST(a_guest_is_switched_off_and_started),
		TEST(a_guest_is_saved_and_restored),
		TEST(flags_and_names_change),
		TEST(groups_tags_and_notes_live_in_the_definition),
		TEST(a_definition_is_defined_and_deleted),
		TEST(storage_is_deleted_only_when_asked_by_name),
		TEST(several_guests_are_one_job),
		TEST(selected_guests_stand_in),
		TEST(wrong_lines_are_told_apart),
		TEST(read_only_refuses_every_change),
		TEST(the_table_is_whole),
		TEST(every_change_is_audited_with_its_command),
		TEST(commands_are_quoted),
		TEST(words_are_completed),
		TEST(cancelling_a_finished_job_does_nothing),
		TEST(queued_steps_can_be_cancelled),
		TEST(a_host_that_is_gone_refuses_at_once),
		TEST(a_vanished_guest_is_a_sentence),
		TEST(jobs_end_when_their_host_is_given_up),
	};

	helper_begin();
	return helper_end(cmocka_run_group_tests(tests, NULL, NULL));
}

// SPDX-License-Identifier: GPL-3.0-or-later
/* Whole machines with small guests, on both backends: boot, power off, reset, pause, the button. */
#include "tests/folder.h"
#include "engine/vmm/machine.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEBUG_PORT 244
/* What the guests' finish macro leaves: 5 << 1 | 1. */
#define FINISHED 11
#define DEADLINE_S 300

/* One run of a guest: its definition, what it wrote, and what happened. */
struct run {
	const char *type;    /* "kvm" or "qemu" */
	const char *kernel;  /* of the boot guests */
	const char *cmdline; /* or NULL */
	const char *initrd;
	const char *extra; /* further XML in <domain>, or NULL */
	const char *devices;

	struct machine_config *config;
	struct machine *machine;
	GMainLoop *loop;
	char *output_path;
	unsigned events[MACHINE_EVENT_ENDED + 1];
	bool late;
	char *error;
	unsigned watch;
	void (*seen)(struct run *run); /* called once the guest has written something */
};

static char *directory;
static bool kvm_there;

static int prepare(void **state)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	kvm_there = fd >= 0;
	if (kvm_there)
		close(fd);
	else
		print_message("KVM is skipped: /dev/kvm cannot be opened\n");
	directory = g_dir_make_tmp("lodge-machine-XXXXXX", NULL);
	return directory ? 0 : -1;
}

static int remove_directory(void **state)
{
	folder_remove(directory);
	return 0;
}

/* ---- running a guest ------------------------------------------------------------------------- */

static char *guest_path(const char *name)
{
	const char *build = g_getenv("top_builddir");

	return g_build_filename(build ? build : ".", "tests/engine/boot", name, NULL);
}

static char *definition_of(const struct run *run)
{
	g_autofree char *kernel = guest_path(run->kernel);
	g_autofree char *initrd =
		run->initrd ? g_strdup_printf("<initrd>%s</initrd>", run->initrd) : g_strdup("");

	return g_strdup_printf(
		"<domain type='%s'><name>test</name><memory unit='MiB'>16</memory>"
		"<os><type>hvm</type><kernel>%s</kernel>%s<cmdline>%s</cmdline></os>%s"
		"<devices><serial type='file'><source path='%s'/></serial>"
		"<memballoon model='none'/>%s</devices></domain>",
		run->type, kernel, initrd, run->cmdline ? run->cmdline : "",
		run->extra ? run->extra : "", run->output_path, run->devices ? run->devices : "");
}

static struct machine_config *define(struct run *run)
{
	g_autofree char *text = definition_of(run);
	g_autoptr(GError) error = NULL;
	struct machine_config *config = config_read_memory(text, strlen(text), "test.xml", &error);

	if (!config)
		fail_msg("%s", error->message);
	return config;
}

static void on_event(void *data, enum machine_event event, const char *detail)
{
	struct run *run = data;

	run->events[event]++;
	if (event == MACHINE_EVENT_CRASHED)
		print_message("crash: %s\n", detail);
	if (event == MACHINE_EVENT_ENDED)
		g_main_loop_quit(run->loop);
}

static gboolean too_late(void *data)
{
	struct run *run = data;

	run->late = true;
	g_main_loop_quit(run->loop);
	return G_SOURCE_REMOVE;
}

static char *output_of(const struct run *run)
{
	char *text = NULL;

	assert_true(g_file_get_contents(run->output_path, &text, NULL, NULL));
	return text;
}

static gboolean look_at_output(void *data)
{
	struct run *run = data;
	g_autofree char *text = output_of(run);

	if (!*text)
		return G_SOURCE_CONTINUE;
	run->watch = 0;
	run->seen(run);
	return G_SOURCE_REMOVE;
}

static bool run_start(struct run *run)
{
	struct machine_options options = {
		.context = g_main_context_default(),
		.debug_exit_port = DEBUG_PORT,
		.event = on_event,
		.event_data = run,
	};
	g_autoptr(GError) error = NULL;

	run->output_path = g_build_filename(directory, "output", NULL);
	run->loop = g_main_loop_new(NULL, FALSE);
	run->config = define(run);
	run->machine = machine_new(run->config, &options, &error);
	run->error = error ? g_strdup(error->message) : NULL;
	return run->machine != NULL;
}

/* Runs to the end; the exit status. */
static int run_to_end(struct run *run)
{
	unsigned deadline = g_timeout_add_seconds(DEADLINE_S, too_late, run);
	int status;

	if (run->seen)
		run->watch = g_timeout_add(20, look_at_output, run);
	assert_true(machine_resume(run->machine));
	g_main_loop_run(run->loop);
	if (!run->late)
		g_source_remove(deadline);
	if (run->watch)
		g_source_remove(run->watch);
	assert_false(run->late);
	status = machine_exit_status(run->machine);
	g_clear_pointer(&run->machine, machine_free);
	return status;
}

static void run_clear(struct run *run)
{
	machine_free(run->machine);
	config_free(run->config);
	g_main_loop_unref(run->loop);
	g_free(run->output_path);
	g_free(run->error);
}

static int run_guest(struct run *run)
{
	if (!run_start(run))
		fail_msg("%s", run->error);
	return run_to_end(run);
}

/* The same on both backends. */
static void on_both(void (*test)(const char *type))
{
	test("qemu");
	if (kvm_there)
		test("kvm");
}

/* ---- booting ----------------------------------------------------------------------------------- */

static char *write_module(const char *name, const char *text)
{
	char *path = g_build_filename(directory, name, NULL);

	/* With the NUL at its end: the guests write modules out as strings. */
	assert_true(g_file_set_contents(path, text, (gssize)strlen(text) + 1, NULL));
	return path;
}

static void boot_pvh(const char *type)
{
	g_autofree char *module = write_module("one", "module");
	struct run run = { .type = type, .kernel = "pvh.elf", .cmdline = "hello-", .initrd = module };

	assert_int_equal(run_guest(&run), FINISHED);
	g_autofree char *output = output_of(&run);
	assert_string_equal(output, "hello-module");
	run_clear(&run);
}

static void pvh_guests_boot(void **state)
{
	on_both(boot_pvh);
}

static void boot_multiboot_kernel(const char *type, const char *kernel)
{
	g_autofree char *one = write_module("one", "first");
	g_autofree char *two = write_module("two", "second");
	g_autofree char *modules = g_strdup_printf("%s a=b,%s", one, two);
	g_autofree char *path = guest_path(kernel);
	g_autofree char *expected =
		g_strdup_printf("%s x y|%s a=b|first|%s|second", path, one, two);
	struct run run = { .type = type, .kernel = kernel, .cmdline = "x y", .initrd = modules };

	assert_int_equal(run_guest(&run), FINISHED);
	g_autofree char *output = output_of(&run);
	assert_string_equal(output, expected);
	run_clear(&run);
}

static void boot_multiboot(const char *type)
{
	boot_multiboot_kernel(type, "multiboot.elf");
	boot_multiboot_kernel(type, "addresses.bin");
}

static void multiboot_guests_boot(void **state)
{
	on_both(boot_multiboot);
}

static void boot_linux64(const char *type)
{
	struct run run = { .type = type, .kernel = "linux64.elf", .cmdline = "long mode" };

	assert_int_equal(run_guest(&run), FINISHED);
	g_autofree char *output = output_of(&run);
	assert_string_equal(output, "long mode");
	run_clear(&run);
}

static void guests_without_note_boot_in_long_mode(void **state)
{
	on_both(boot_linux64);
}

/* ---- ends ----------------------------------------------------------------------------------------- */

static void power_off(const char *type)
{
	struct run run = { .type = type, .kernel = "actions.elf", .cmdline = "p" };

	assert_int_equal(run_guest(&run), 0);
	assert_int_equal(run.events[MACHINE_EVENT_POWERED_OFF], 1);
	assert_int_equal(run.events[MACHINE_EVENT_ENDED], 1);
	run_clear(&run);
}

static void power_off_ends_with_0(void **state)
{
	on_both(power_off);
}

static void reset_all_ways(const char *type)
{
	/* Triple fault, port 0xcf9, keyboard controller. */
	static const char *const ways[] = { "t", "r", "k" };

	for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
		struct run again = { .type = type, .kernel = "actions.elf", .cmdline = ways[i] };
		struct run once = { .type = type, .kernel = "actions.elf", .cmdline = ways[i],
			.extra = "<on_reboot>destroy</on_reboot>" };

		assert_int_equal(run_guest(&again), FINISHED);
		assert_int_equal(again.events[MACHINE_EVENT_RESET], 1);
		g_autofree char *output = output_of(&again);
		assert_string_equal(output, "again");
		run_clear(&again);

		assert_int_equal(run_guest(&once), 0);
		assert_int_equal(once.events[MACHINE_EVENT_RESET], 0);
		run_clear(&once);
	}
}

static void resets_follow_the_definition(void **state)
{
	on_both(reset_all_ways);
}

static void quit_machine(struct run *run)
{
	assert_int_equal(machine_state(run->machine), MACHINE_PRESERVED);
	machine_quit(run->machine);
}

static gboolean when_preserved(void *data)
{
	struct run *run = data;

	if (machine_state(run->machine) != MACHINE_PRESERVED)
		return G_SOURCE_CONTINUE;
	quit_machine(run);
	return G_SOURCE_REMOVE;
}

static void preserve(const char *type)
{
	struct run run = { .type = type, .kernel = "actions.elf", .cmdline = "p",
		.extra = "<on_poweroff>preserve</on_poweroff>" };

	g_timeout_add(20, when_preserved, &run);
	assert_int_equal(run_guest(&run), 0);
	run_clear(&run);
}

static void a_preserved_guest_waits_for_its_end(void **state)
{
	on_both(preserve);
}

/* ---- while it runs ---------------------------------------------------------------------------------- */

static size_t output_length(const struct run *run)
{
	g_autofree char *text = output_of(run);

	return strlen(text);
}

static void iterate_for(unsigned ms)
{
	gint64 end = g_get_monotonic_time() + ms * 1000;

	while (g_get_monotonic_time() < end) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(1000);
	}
}

static gboolean pause_and_go_on(void *data)
{
	struct run *run = data;
	size_t before, after;
	uint64_t uptime;

	assert_true(machine_pause(run->machine));
	assert_false(machine_pause(run->machine));
	iterate_for(50); /* what had been written already arrives */
	before = output_length(run);
	uptime = machine_uptime(run->machine);
	iterate_for(100);
	assert_int_equal(output_length(run), before);
	assert_int_equal(machine_uptime(run->machine), uptime);
	assert_true(machine_resume(run->machine));
	for (unsigned i = 0; i < 200 && output_length(run) == before; i++)
		iterate_for(20);
	after = output_length(run);
	assert_true(after > before);
	assert_true(machine_reset(run->machine));
	machine_quit(run->machine);
	return G_SOURCE_REMOVE;
}

static void pause_later(struct run *run)
{
	g_idle_add(pause_and_go_on, run);
}

static void pause_guest(const char *type)
{
	struct run run = { .type = type, .kernel = "actions.elf", .cmdline = "d",
		.seen = pause_later };

	assert_int_equal(run_guest(&run), 0);
	assert_int_equal(run.events[MACHINE_EVENT_PAUSED], 1);
	assert_int_equal(run.events[MACHINE_EVENT_RESUMED], 1);
	assert_int_equal(run.events[MACHINE_EVENT_RESET], 1);
	run_clear(&run);
}

static void a_paused_guest_stands_still(void **state)
{
	on_both(pause_guest);
}

static void press(struct run *run)
{
	assert_true(machine_press_power(run->machine));
}

static void press_button(const char *type)
{
	struct run run = { .type = type, .kernel = "actions.elf", .cmdline = "b", .seen = press };

	assert_int_equal(run_guest(&run), 0);
	assert_int_equal(run.events[MACHINE_EVENT_POWERED_OFF], 1);
	run_clear(&run);
}

static void the_power_button_reaches_the_guest(void **state)
{
	on_both(press_button);
}

/* The whole program: a network needs its keeper. */
static void misuse_ports(const char *type)
{
	struct run run = { .type = type, .kernel = "actions.elf", .cmdline = "m",
		.devices = "<interface type='user'><model type='virtio'/></interface>"
			   "<rng model='virtio'><backend model='random'/></rng>" };
	const char *build = g_getenv("top_builddir");
	g_autofree char *program = g_build_filename(build ? build : ".", "lodge-vmm", NULL);
	g_autofree char *path = g_build_filename(directory, "guest.xml", NULL);
	g_autofree char *text = NULL;
	const char *arguments[] = { program, "--debug-exit", G_STRINGIFY(DEBUG_PORT), path, NULL };
	int status = -1;

	run.output_path = g_build_filename(directory, "output", NULL);
	text = definition_of(&run);
	assert_true(g_file_set_contents(path, text, -1, NULL));
	assert_true(g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL,
		NULL, &status, NULL));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), FINISHED);
	g_free(run.output_path);
}

static void any_port_may_be_written(void **state)
{
	on_both(misuse_ports);
}

/* ---- what does not start ------------------------------------------------------------------------------ */

static void a_disk_has_one_machine(void **state)
{
	g_autofree char *disk = g_build_filename(directory, "disk", NULL);
	g_autofree char *xml = g_strdup_printf(
		"<disk type='file' device='disk'><source file='%s'/><target dev='vda'/></disk>", disk);
	struct run first = { .type = "qemu", .kernel = "actions.elf", .cmdline = "d", .devices = xml };
	struct run second = first;

	assert_true(g_file_set_contents(disk, "", 0, NULL));
	assert_int_equal(truncate(disk, 1 << 20), 0);
	assert_true(run_start(&first));
	assert_false(run_start(&second));
	assert_non_null(strstr(second.error, disk));
	assert_non_null(strstr(second.error, "use"));
	run_clear(&second);
	run_clear(&first);
	if (!run_start(&second))
		fail_msg("%s", second.error);
	run_clear(&second);
}

static void what_is_missing_is_said(void **state)
{
	struct run kernel = { .type = "qemu", .kernel = "nothing.elf" };
	struct run disk = { .type = "qemu", .kernel = "pvh.elf",
		.devices = "<disk type='file' device='disk'><source file='/nonexistent/d'/>"
			   "<target dev='vda'/></disk>" };

	assert_false(run_start(&kernel));
	assert_non_null(strstr(kernel.error, "nothing.elf"));
	run_clear(&kernel);
	assert_false(run_start(&disk));
	assert_non_null(strstr(disk.error, "/nonexistent/d"));
	run_clear(&disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pvh_guests_boot),
		cmocka_unit_test(multiboot_guests_boot),
		cmocka_unit_test(guests_without_note_boot_in_long_mode),
		cmocka_unit_test(power_off_ends_with_0),
		cmocka_unit_test(resets_follow_the_definition),
		cmocka_unit_test(a_preserved_guest_waits_for_its_end),
		cmocka_unit_test(a_paused_guest_stands_still),
		cmocka_unit_test(the_power_button_reaches_the_guest),
		cmocka_unit_test(any_port_may_be_written),
		cmocka_unit_test(a_disk_has_one_machine),
		cmocka_unit_test(what_is_missing_is_said),
	};

	return cmocka_run_group_tests(tests, prepare, remove_directory);
}

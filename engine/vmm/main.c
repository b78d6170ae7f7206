// SPDX-License-Identifier: GPL-3.0-or-later
/* lodge-vmm: one guest, in the foreground. */
#include <config.h>

#include "engine/vmm/control.h"
#include "engine/vmm/given.h"
#include "engine/vmm/keeper.h"
#include "engine/vmm/machine.h"
#include "engine/vmm/probe.h"
#include "engine/vmm/sandbox.h"
#include "engine/vmm/save/devlist.h"
#include "engine/vmm/save/parts.h"
#include "engine/vmm/save/reader.h"
#include "engine/vmm/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <string.h>
#include <unistd.h>

struct options {
	gboolean check;
	gboolean probe;
	gboolean version;
	gboolean paused;
	gboolean no_cgroup;
	gboolean no_sandbox;
	gboolean no_terminal;
	char *control, *keeper; /* sockets */
	char *restore;  /* a file, or */
	int restore_fd; /* a descriptor; -1: the guest boots */
	char *statistics;
	struct sandbox_options identity;
	int debug_exit;
	char **given; /* FD:PATH */
	char **files;
};

/* A saved guest that goes on. */
struct saved {
	int fd;
	struct save_reader *reader;
};

struct monitor {
	GMainLoop *loop;
	struct machine *machine;
	struct control *control;
	struct kept *kept;
	struct stats_page *stats; /* or NULL */
	struct terminal_keys keys;
	const char *name;
	bool terminal;
};

/* A message on its own lines, whatever the guest has written on the terminal. Not by GLib, which
 * opens files to find the terminal's character set: in the sandbox that would be the end. */
G_GNUC_PRINTF(2, 3)
static void say(const struct monitor *monitor, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *message = g_strdup_vprintf(format, args);
	va_end(args);
	g_auto(GStrv) lines = g_strsplit(message, "\n", -1);
	const char *end = monitor->terminal ? "\r\n" : "\n";

	if (monitor->terminal)
		fputs(end, stderr);
	for (char **line = lines; *line; line++)
		fprintf(stderr, "%s%s%s", line == lines ? "lodge-vmm: " : "", *line, end);
}

static const char *event_name(enum machine_event event)
{
	static const char *const names[] = {
		[MACHINE_EVENT_STARTED] = "started",
		[MACHINE_EVENT_PAUSED] = "paused",
		[MACHINE_EVENT_RESUMED] = "resumed",
		[MACHINE_EVENT_RESET] = "reset",
		[MACHINE_EVENT_POWERED_OFF] = "powered-off",
		[MACHINE_EVENT_CRASHED] = "crashed",
		[MACHINE_EVENT_WARNING] = "warning",
		[MACHINE_EVENT_ENDED] = "ended",
	};

	return names[event];
}

static void on_notify(void *data, const char *event, const char *detail, JsonObject *fields)
{
	struct monitor *monitor = data;

	if (monitor->control)
		control_event(monitor->control, event, detail, fields);
	else if (fields)
		json_object_unref(fields);
}

static void on_event(void *data, enum machine_event event, const char *detail)
{
	struct monitor *monitor = data;

	if (event == MACHINE_EVENT_WARNING)
		say(monitor, "%s: %s", monitor->name, detail);
	if (event == MACHINE_EVENT_CRASHED)
		say(monitor, _("Guest '%s' has crashed: %s"), monitor->name, detail ? detail : "");
	on_notify(monitor, event_name(event), detail, NULL);
	if (event == MACHINE_EVENT_ENDED)
		g_main_loop_quit(monitor->loop);
}

static void on_command(void *data, enum terminal_command command)
{
	struct monitor *monitor = data;

	switch (command) {
	case TERMINAL_QUIT:
		machine_quit(monitor->machine);
		break;
	case TERMINAL_POWER_BUTTON:
		machine_press_power(monitor->machine);
		break;
	case TERMINAL_RESET:
		machine_reset(monitor->machine);
		break;
	case TERMINAL_PAUSE:
		if (machine_pause(monitor->machine))
			say(monitor, _("stopped; Ctrl-] s goes on"));
		else
			machine_resume(monitor->machine);
		break;
	}
}

/* Signals wake the main loop by this; GLib's own way needs a thread, and would have it before the
 * sandbox. */
static int signal_fd = -1;

static void on_signal(int number)
{
	int code = errno;
	uint64_t one = 1;

	if (write(signal_fd, &one, sizeof(one)) < 0)
		errno = code; /* it is full: it wakes anyway */
	errno = code;
}

static gboolean signal_came(int fd, GIOCondition condition, void *data)
{
	struct monitor *monitor = data;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) > 0 && monitor->machine)
		machine_quit(monitor->machine);
	return G_SOURCE_CONTINUE;
}

/* Without its keeper nobody would know of it. */
static gboolean keeper_gone(int fd, GIOCondition condition, void *data)
{
	struct monitor *monitor = data;

	if (monitor->machine)
		machine_quit(monitor->machine);
	return G_SOURCE_REMOVE;
}

static void watch_signals(struct monitor *monitor)
{
	signal_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	g_unix_fd_add(signal_fd, G_IO_IN, signal_came, monitor);
	g_unix_fd_add(kept_fd(monitor->kept), G_IO_HUP, keeper_gone, monitor);
	keeper_signals(on_signal);
	signal(SIGPIPE, SIG_IGN);
}

/* Everything is open: the rest is given up. */
static bool enter_sandbox(const struct options *options, GError **error)
{
	return options->no_sandbox || sandbox_enter(&options->identity, error);
}

static int run(struct monitor *monitor, const struct machine_config *config,
	const struct options *options, struct save_reader *saved, GError **error)
{
	const struct machine_options machine_options = {
		.context = g_main_context_default(),
		.restore = saved,
		.terminal = !options->no_terminal,
		.terminal_filter = monitor->terminal ? terminal_filter : NULL,
		.terminal_filter_data = &monitor->keys,
		.debug_exit_port = (uint16_t)options->debug_exit,
		.stats = monitor->stats,
		.no_cgroup = options->no_cgroup,
		.kept = monitor->kept,
		.event = on_event,
		.notify = on_notify,
		.event_data = monitor,
	};
	int status;

	if (options->control) {
		monitor->control = control_new(options->control, control_machine_tables,
			g_main_context_default(), error);
		if (!monitor->control)
			return EXIT_FAILURE;
	}
	monitor->machine = machine_new(config, &machine_options, error);
	if (!monitor->machine)
		return EXIT_FAILURE;
	if (!enter_sandbox(options, error)) {
		machine_free(monitor->machine);
		return EXIT_FAILURE;
	}
	if (monitor->control)
		control_set_machine(monitor->control, monitor->machine);
	if (!options->paused)
		machine_resume(monitor->machine);
	g_main_loop_run(monitor->loop);
	status = machine_exit_status(monitor->machine);
	machine_free(monitor->machine);
	return status;
}

/* The file of a saved guest, for messages. */
static const char *saved_name(const struct options *options)
{
	return options->restore ? options->restore : _("the descriptor");
}

static bool has_terminal(const struct machine_config *config)
{
	for (unsigned i = 0; i < config->serials->len; i++) {
		const struct config_chardev *serial = g_ptr_array_index(config->serials, i);

		if (serial->kind == CONFIG_CHARDEV_PTY || serial->kind == CONFIG_CHARDEV_STDIO)
			return true;
	}
	return false;
}

static void complain(const struct machine_config *config, const struct options *options, bool saved,
	const GError *error)
{
	if (error && saved)
		g_printerr(_("Cannot restore guest '%s' from %s: %s\n"), config->name,
			saved_name(options), error->message);
	else if (error)
		g_printerr(_("Cannot start guest '%s': %s\n"), config->name, error->message);
}

/* The machine's process; its exit status. */
static int be_machine(const struct machine_config *config, const struct options *options,
	const struct saved *saved, bool terminal, struct kept *kept)
{
	g_autoptr(GError) error = NULL;
	struct monitor monitor = {
		.loop = g_main_loop_new(NULL, FALSE),
		.name = config->name,
		.kept = kept,
		.keys = { .command = on_command, .data = &monitor },
		.terminal = terminal,
	};
	int status = EXIT_FAILURE;

	sandbox_prepare();
	watch_signals(&monitor);
	if (!options->statistics || (monitor.stats = stats_page_new(options->statistics, &error)))
		status = run(&monitor, config, options, saved ? saved->reader : NULL, &error);
	stats_page_free(monitor.stats);
	control_free(monitor.control);
	terminal_restore();
	complain(config, options, saved, error);
	g_main_loop_unref(monitor.loop);
	kept_free(kept);
	return status;
}

static void learn(void *data, const char *xml)
{
	keeper_learn(data, xml);
}

/* The keeper's process; its exit status. A saved guest's file is the machine's alone. */
static int be_keeper(struct keeper *keeper, const struct saved *saved)
{
	int status;

	if (saved) {
		save_plugged(save_reader_state(saved->reader), learn, keeper);
		close(saved->fd);
	}
	status = keeper_run(keeper);
	terminal_restore();
	keeper_free(keeper);
	return status;
}

/* Runs the guest of a definition; the exit status of either process. saved: or NULL. */
static int run_guest(const struct machine_config *config, const struct options *options,
	const struct saved *saved)
{
	const struct keeper_options keeper_options = {
		.sandbox = !options->no_sandbox,
		.identity = options->identity,
		.socket = options->keeper,
	};
	bool terminal = !options->no_terminal && has_terminal(config) && terminal_raw();
	g_autoptr(GError) error = NULL;
	struct kept *kept = NULL;
	struct keeper *keeper = keeper_fork(config, &keeper_options, &kept, &error);

	if (keeper)
		return be_keeper(keeper, saved);
	if (kept)
		return be_machine(config, options, saved, terminal, kept);
	terminal_restore();
	complain(config, options, saved, error);
	return EXIT_FAILURE;
}

static bool restores(const struct options *options)
{
	return options->restore || options->restore_fd >= 0;
}

static bool parse_options(struct options *options, int *argc, char ***argv, GError **error)
{
	const GOptionEntry entries[] = {
		{ "check", 0, 0, G_OPTION_ARG_NONE, &options->check,
			N_("Read the definition, say what is wrong with it, and stop"), NULL },
		{ "control", 0, 0, G_OPTION_ARG_FILENAME, &options->control,
			N_("Listen for control requests at a UNIX socket"), N_("SOCKET") },
		{ "debug-exit", 0, 0, G_OPTION_ARG_INT, &options->debug_exit,
			N_("End with status v << 1 | 1 when the guest writes v to this port"),
			N_("PORT") },
		{ "file", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->given,
			N_("A file of the definition that is open already; with it, no other is opened"),
			N_("FD:PATH") },
		{ "keeper", 0, 0, G_OPTION_ARG_FILENAME, &options->keeper,
			N_("Listen at a UNIX socket for who opens what is plugged later"),
			N_("SOCKET") },
		{ "no-cgroup", 0, 0, G_OPTION_ARG_NONE, &options->no_cgroup,
			N_("Keep caps and weights without a control group"), NULL },
		{ "no-sandbox", 0, 0, G_OPTION_ARG_NONE, &options->no_sandbox,
			N_("Give up no rights when the guest is set up"), NULL },
		{ "no-terminal", 0, 0, G_OPTION_ARG_NONE, &options->no_terminal,
			N_("A console of type pty gets a new pseudo terminal, not this one"), NULL },
		{ "paused", 0, 0, G_OPTION_ARG_NONE, &options->paused,
			N_("Load the guest, and start it when a control request says so"), NULL },
		{ "probe", 0, 0, G_OPTION_ARG_NONE, &options->probe,
			N_("Measure what KVM and the software CPU are worth here, as JSON"), NULL },
		{ "group", 0, 0, G_OPTION_ARG_STRING, &options->identity.group,
			N_("Become this group when the guest is set up"), N_("GROUP") },
		{ "user", 0, 0, G_OPTION_ARG_STRING, &options->identity.user,
			N_("Become this user when the guest is set up"), N_("USER") },
		{ "statistics", 0, 0, G_OPTION_ARG_FILENAME, &options->statistics,
			N_("Keep the guest's statistics in a file that others can map"),
			N_("FILE") },
		{ "restore", 0, 0, G_OPTION_ARG_FILENAME, &options->restore,
			N_("The guest goes on from where it was saved to a file"), N_("FILE") },
		{ "restore-fd", 0, 0, G_OPTION_ARG_INT, &options->restore_fd,
			N_("The same with a descriptor"), N_("NUMBER") },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &options->version,
			N_("Show the version"), NULL },
		{ G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->files, NULL,
			N_("GUEST.xml") },
		{ NULL, 0, 0, 0, NULL, NULL, NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);

	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(context,
		_("Runs one guest, defined by a libvirt domain XML, in the foreground."));
	if (!g_option_context_parse(context, argc, argv, error))
		return false;
	for (char **at = options->given; at && *at; at++)
		if (!given_add(*at, error))
			return false;
	if (options->debug_exit < 0 || options->debug_exit > 0xffff) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			_("%d is not a port"), options->debug_exit);
		return false;
	}
	if (options->probe || options->version || (options->files && !options->files[1]))
		return true;
	/* The saved guest's file has its definition. */
	if (restores(options) && !options->files)
		return true;
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
		_("Give the file of one guest's definition (see --help)"));
	return false;
}

/* The definition that was given, or the one in the file; and whether the file is of that guest. */
static struct machine_config *read_saved(
	const struct options *options, struct save_reader *saved, GError **error)
{
	struct state_in *state = save_reader_state(saved);
	g_autofree char *text = save_definition(state, error);
	struct machine_config *config = NULL;

	if (text && options->files)
		config = config_read_file(options->files[0], error);
	else if (text)
		config = config_read_memory(text, strlen(text), saved_name(options), error);
	if (config && save_check(state, config, error))
		return config;
	config_free(config);
	return NULL;
}

static int restore_from(const struct options *options, int fd, GError **error)
{
	struct save_reader *reader = save_reader_open(fd, error);
	struct machine_config *config = reader ? read_saved(options, reader, error) : NULL;
	int status = EXIT_FAILURE;

	if (config && !options->check)
		status = run_guest(config, options, &(struct saved){ fd, reader });
	else if (config && save_read_memory(reader, NULL, error))
		status = EXIT_SUCCESS;
	save_reader_free(reader);
	config_free(config);
	return status;
}

static int restore_guest(const struct options *options)
{
	g_autoptr(GError) error = NULL;
	int fd = options->restore ? open(options->restore, O_RDONLY | O_CLOEXEC)
				  : options->restore_fd;
	int status;

	if (fd < 0) {
		g_printerr(_("'%s' cannot be opened: %s\n"), options->restore, g_strerror(errno));
		return EXIT_FAILURE;
	}
	status = restore_from(options, fd, &error);
	close(fd);
	if (error)
		g_printerr(_("Cannot restore the guest from %s: %s\n"), saved_name(options),
			error->message);
	return status;
}

static int run_options(const struct options *options)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *json = NULL;
	struct machine_config *config;
	int status = EXIT_SUCCESS;

	if (options->version) {
		g_print("lodge-vmm %s\n", PACKAGE_VERSION);
		return EXIT_SUCCESS;
	}
	if (options->probe) {
		json = probe_json();
		g_print("%s", json);
		return EXIT_SUCCESS;
	}
	if (restores(options))
		return restore_guest(options);
	config = config_read_file(options->files[0], &error);
	if (!config) {
		g_printerr("%s\n", error->message);
		return EXIT_FAILURE;
	}
	if (!options->check)
		status = run_guest(config, options, NULL);
	config_free(config);
	return status;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	struct options options = { .restore_fd = -1 };
	int status = 2;

	setlocale(LC_ALL, "");
	bindtextdomain(PACKAGE, LOCALEDIR);
	textdomain(PACKAGE);
	if (parse_options(&options, &argc, &argv, &error))
		status = run_options(&options);
	else
		g_printerr("%s\n", error->message);
	g_free(options.control);
	g_free(options.restore);
	g_free(options.statistics);
	g_strfreev(options.given);
	g_free(options.keeper);
	g_free((char *)options.identity.user);
	g_free((char *)options.identity.group);
	g_strfreev(options.files);
	return status;
}

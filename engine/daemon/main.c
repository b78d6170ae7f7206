// SPDX-License-Identifier: GPL-3.0-or-later
/* lodged: the bundled engine's daemon, in the foreground. */
#include <config.h>

#include "engine/daemon/client.h"
#include "engine/daemon/events.h"
#include "engine/daemon/registry.h"
#include "engine/daemon/store.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>

struct options {
	char *root;
	char *monitor;
	gboolean version;
};

static gboolean on_signal(void *data)
{
	g_main_loop_quit(data);
	return G_SOURCE_CONTINUE;
}

static void report(const char *sentence)
{
	g_printerr("lodged: %s\n", sentence);
}

/* lodge-vmm beside this program, or where it is installed. */
static char *find_monitor(const struct options *options)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;
	g_autofree char *beside = folder ? g_build_filename(folder, "lodge-vmm", NULL) : NULL;

	if (options->monitor)
		return g_canonicalize_filename(options->monitor, NULL);
	if (beside && g_file_test(beside, G_FILE_TEST_IS_EXECUTABLE))
		return g_steal_pointer(&beside);
	return g_build_filename(SBINDIR, "lodge-vmm", NULL);
}

static int serve(const struct store *store, const char *monitor)
{
	g_autoptr(GError) error = NULL;
	struct server server = {.fd = -1};
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);
	int status = EXIT_FAILURE;

	g_unix_signal_add(SIGTERM, on_signal, loop);
	g_unix_signal_add(SIGINT, on_signal, loop);
	g_unix_signal_add(SIGHUP, on_signal, loop);
	signal(SIGPIPE, SIG_IGN);
	server.registry = registry_new(store, monitor, &server_events, &server);
	if (server_listen(&server, store->socket, &error)) {
		registry_load(server.registry, report);
		g_main_loop_run(loop);
		status = EXIT_SUCCESS;
	} else {
		report(error->message);
	}
	server_close(&server);
	registry_free(server.registry);
	g_main_loop_unref(loop);
	return status;
}

static bool parse_options(struct options *options, int *argc, char ***argv, GError **error)
{
	const GOptionEntry entries[] = {
		{"root", 0, 0, G_OPTION_ARG_FILENAME, &options->root,
			N_("Keep everything under one folder"), N_("FOLDER")},
		{"monitor", 0, 0, G_OPTION_ARG_FILENAME, &options->monitor,
			N_("The program that runs a guest"), N_("PROGRAM")},
		{"version", 0, 0, G_OPTION_ARG_NONE, &options->version, N_("Show the version"),
			NULL},
		{NULL, 0, 0, 0, NULL, NULL, NULL},
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);

	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(
		context, _("Runs guests, and speaks libvirt's protocol with who manages them."));
	return g_option_context_parse(context, argc, argv, error);
}

static int run(const struct options *options)
{
	g_autofree char *root = options->root ? g_canonicalize_filename(options->root, NULL) : NULL;
	g_autofree char *monitor = find_monitor(options);
	g_autoptr(GError) error = NULL;
	struct store *store;
	int status;

	if (options->version) {
		g_print("lodged %s\n", PACKAGE_VERSION);
		return EXIT_SUCCESS;
	}
	store = store_open(root, &error);
	if (!store) {
		report(error->message);
		return EXIT_FAILURE;
	}
	status = serve(store, monitor);
	store_close(store);
	return status;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	struct options options = {0};
	int status = 2;

	setlocale(LC_ALL, "");
	bindtextdomain(PACKAGE, LOCALEDIR);
	textdomain(PACKAGE);
	if (parse_options(&options, &argc, &argv, &error))
		status = run(&options);
	else
		report(error->message);
	g_free(options.root);
	g_free(options.monitor);
	return status;
}

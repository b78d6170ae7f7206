// SPDX-License-Identifier: GPL-3.0-or-later
/* lodged: the bundled engine's daemon. */
#include <config.h>

#include "engine/daemon/audit.h"
#include "engine/daemon/client.h"
#include "engine/daemon/daemonize.h"
#include "engine/daemon/events.h"
#include "engine/daemon/pool.h"
#include "engine/daemon/registry.h"
#include "engine/daemon/settings.h"
#include "engine/daemon/store.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* How long another daemon may take until it listens. */
#define OTHER_MS 30000

struct options {
	char *root;
	char *settings;
	char *monitor;
	gboolean system, session;
	gboolean daemon;
	gboolean version;
};

struct daemon {
	struct server server;
	GMainLoop *loop;
	gint64 last_used; /* monotonic */
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

/* ---- running --------------------------------------------------------------------------------- */

static gboolean leave_when_idle(void *data)
{
	struct daemon *daemon = data;
	const struct registry *registry = daemon->server.registry;
	gint64 now = g_get_monotonic_time();

	if (server_is_wanted(&daemon->server) || registry_is_busy(registry))
		daemon->last_used = now;
	else if (now - daemon->last_used >=
		 registry->settings->idle_timeout * (gint64)G_USEC_PER_SEC)
		g_main_loop_quit(daemon->loop);
	return G_SOURCE_CONTINUE;
}

static bool begin(struct daemon *daemon, const struct options *options, int handle, GError **error)
{
	const struct store *store = daemon->server.registry->store;
	g_autofree char *audit = store_path(store->own_log, "audit", ".log");
	g_autofree char *log = store_path(store->own_log, "lodged", ".log");

	daemon->server.audit = audit_open(audit, error);
	if (!daemon->server.audit || !server_listen(&daemon->server, error))
		return false;
	if (options->daemon)
		daemonize_ready(handle, log);
	registry_load(daemon->server.registry, report);
	pools_load(daemon->server.pools, report);
	daemon->last_used = g_get_monotonic_time();
	if (daemon->server.registry->settings->idle_timeout)
		g_timeout_add_seconds(1, leave_when_idle, daemon);
	return true;
}

static int serve(const struct store *store, const struct settings *settings,
	const struct options *options, int handle)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *monitor = find_monitor(options);
	struct daemon daemon = {.loop = g_main_loop_new(NULL, FALSE)};
	int status = EXIT_FAILURE;

	g_unix_signal_add(SIGTERM, on_signal, daemon.loop);
	g_unix_signal_add(SIGINT, on_signal, daemon.loop);
	g_unix_signal_add(SIGHUP, on_signal, daemon.loop);
	signal(SIGPIPE, SIG_IGN);
	daemon.server.registry =
		registry_new(store, settings, monitor, &server_events, &daemon.server);
	daemon.server.pools = pools_new(store, settings);
	if (begin(&daemon, options, handle, &error)) {
		g_main_loop_run(daemon.loop);
		status = EXIT_SUCCESS;
	} else {
		report(error->message);
	}
	server_close(&daemon.server);
	registry_free(daemon.server.registry);
	pools_free(daemon.server.pools);
	audit_close(daemon.server.audit);
	g_main_loop_unref(daemon.loop);
	return status;
}

static bool listens(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	ok = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Who only wants a daemon to run has one. */
static bool another_listens(const char *path)
{
	for (int ms = 0; ms < OTHER_MS; ms += 10) {
		if (listens(path))
			return true;
		g_usleep(10000);
	}
	return false;
}

/* A running guest takes three descriptors, a client one. Where systemd starts daemons they may have
 * 1,024 unless they ask (select(2) knows no more; nobody uses it here). */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int run(const struct options *options)
{
	g_autofree char *root = options->root ? g_canonicalize_filename(options->root, NULL) : NULL;
	g_autofree char *other = NULL;
	g_autoptr(GError) error = NULL;
	enum store_place place = options->system    ? STORE_SYSTEM
				 : options->session ? STORE_SESSION
						    : STORE_USUAL;
	int status = EXIT_FAILURE, handle = options->daemon ? daemonize_begin() : -1;
	struct store *store = store_open(root, place, &other, &error);
	struct settings *settings = NULL;

	allow_descriptors();
	if (store)
		settings = settings_read(options->settings ? options->settings : store->settings,
			store->system, &error);
	if (settings)
		status = serve(store, settings, options, handle);
	else if (options->daemon && g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_AGAIN) &&
		 another_listens(other))
		status = EXIT_SUCCESS;
	else
		report(error->message);
	settings_free(settings);
	store_close(store);
	return status;
}

/* ---- options --------------------------------------------------------------------------------- */

static bool parse_options(struct options *options, int *argc, char ***argv, GError **error)
{
	const GOptionEntry entries[] = {
		{"daemon", 0, 0, G_OPTION_ARG_NONE, &options->daemon,
			N_("Go into the background once clients can connect"), NULL},
		{"system", 0, 0, G_OPTION_ARG_NONE, &options->system,
			N_("Be the host's own instance"), NULL},
		{"session", 0, 0, G_OPTION_ARG_NONE, &options->session,
			N_("Be the user's own instance"), NULL},
		{"root", 0, 0, G_OPTION_ARG_FILENAME, &options->root,
			N_("Keep everything under one folder"), N_("FOLDER")},
		{"config", 0, 0, G_OPTION_ARG_FILENAME, &options->settings,
			N_("The settings, in place of lodged.conf"), N_("FILE")},
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
	if (!g_option_context_parse(context, argc, argv, error))
		return false;
	if (options->system && options->session)
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
			_("--system and --session exclude each other"));
	else if (*argc > 1)
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
			_("there is one argument too many: %s"), (*argv)[1]);
	else
		return true;
	return false;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	struct options options = {0};
	int status = 2;

	setlocale(LC_ALL, "");
	bindtextdomain(PACKAGE, LOCALEDIR);
	textdomain(PACKAGE);
	if (!parse_options(&options, &argc, &argv, &error)) {
		report(error->message);
	} else if (options.version) {
		g_print("lodged %s\n", PACKAGE_VERSION);
		status = EXIT_SUCCESS;
	} else {
		status = run(&options);
	}
	g_free(options.root);
	g_free(options.settings);
	g_free(options.monitor);
	return status;
}

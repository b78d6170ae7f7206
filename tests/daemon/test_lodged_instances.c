// SPDX-License-Identifier: GPL-3.0-or-later
/* How lodged starts, listens, decides and leaves: settings, instances, sockets, audit log. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "tests/daemon/daemon.h"
#include "tests/folder.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char *path_of(const char *name)
{
	return g_build_filename(daemon_under_test.root, name, NULL);
}

static void write_settings(const char *text)
{
	g_autofree char *path = path_of("etc/lodged.conf");

	assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* Runs lodged to its end; what it says on standard error. */
static char *run_lodged(const char *const *arguments, int *status)
{
	g_autofree char *program = g_build_filename(daemon_under_test.build, "lodged", NULL);
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	g_autofree char *said_file = path_of("said");
	char *said = NULL;
	pid_t pid;

	/* A daemon that stays must not keep a pipe of ours. */
	g_ptr_array_add(all, program);
	for (; *arguments; arguments++)
		g_ptr_array_add(all, (char *)*arguments);
	g_ptr_array_add(all, NULL);
	pid = fork();
	if (pid == 0) {
		int fd = open(said_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, STDERR_FILENO);
		execv(program, (char **)all->pdata);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, status, 0), pid);
	assert_true(g_file_get_contents(said_file, &said, NULL, NULL));
	return said;
}

/* ---- settings -------------------------------------------------------------------------------- */

static void is_refused(const char *settings, const char *why)
{
	const char *arguments[] = {"--root", daemon_under_test.root, NULL};
	g_autofree char *said = NULL;
	int status;

	write_settings(settings);
	said = run_lodged(arguments, &status);
	if (!strstr(said, why))
		print_message("%s\n", said);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_non_null(strstr(said, why));
}

static void wrong_settings_are_named(void **state)
{
	daemon_end(SIGTERM);
	is_refused("[sockets]\nmood=0600\n", "[sockets] has no setting 'mood'");
	is_refused("[shoes]\nsize=42\n", "[shoes] has no setting 'size'");
	is_refused("[sockets]\nmode=rw\n", "[sockets] mode: 'rw' is not a mode like 0660");
	is_refused(
		"[sockets]\ngroup=no-such-group\n", "'no-such-group' is not a group of this host");
	is_refused("[paths]\nallowed=here:/there\n", "'here' is not an absolute path");
	is_refused("[admission]\nmemory=maybe\n", "'maybe' is not allow, warn or refuse");
	is_refused("[idle]\ntimeout=-1\n", "'-1' is not a number");
	is_refused("nonsense\n", "cannot use");
	write_settings("");
	daemon_start();
}

static unsigned mode_of(const char *name)
{
	g_autofree char *path = path_of(name);
	struct stat info;

	assert_int_equal(stat(path, &info), 0);
	return info.st_mode & 07777;
}

static void sockets_have_the_modes_of_the_settings(void **state)
{
	assert_int_equal(mode_of("run/lodged.sock"), 0600);
	assert_int_equal(mode_of("run/lodged-ro.sock"), 0600);
	assert_int_equal(mode_of("run"), 0700);
	daemon_restart_with("[sockets]\nmode=0660\nread-only-mode=0666\n");
	assert_int_equal(mode_of("run/lodged.sock"), 0660);
	assert_int_equal(mode_of("run/lodged-ro.sock"), 0666);
	assert_int_equal(mode_of("run"), 0711);
	assert_int_equal(mode_of("run/guests"), 0700);
	daemon_restart_with("");
}

static void the_second_socket_is_to_look_only(void **state)
{
	g_autofree char *uri = g_strdup_printf(
		"lodge+unix:///system?socket=%s/run/lodged-ro.sock", daemon_under_test.root);
	g_autofree char *listed = NULL, *problem = NULL;

	define("look", "01", "b", "");
	listed = virsh_at(uri, true, "list --all --name");
	assert_string_equal(listed, "look");
	problem = virsh_at(uri, false, "undefine look");
	assert_non_null(strstr(problem, "read only access prevents virDomainUndefine"));
	g_free(virsh_at(uri, false, "pool-destroy default"));
	g_free(virsh_at(uri, false, "metadata look urn:x --key x --set '<a/>'"));
	g_free(virsh_at(uri, true, "dumpxml look"));
	done("undefine look");
}

static void changes_are_written_to_the_audit_log(void **state)
{
	g_autofree char *path = path_of("log/lodged/audit.log"), *text = NULL, *who = NULL;

	define("noted", "02", "b", "");
	g_free(virsh_at(daemon_under_test.uri, false, "destroy noted"));
	g_free(virsh_at(daemon_under_test.uri, true, "dominfo noted"));
	done("undefine noted");
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	who = g_strdup_printf(" uid=%u gid=%u pid=", getuid(), getgid());
	assert_non_null(strstr(text, who));
	assert_non_null(strstr(text, "virDomainDefineXML \"noted\"\n"));
	assert_non_null(
		strstr(text, "virDomainDestroy \"noted\": Requested operation is not valid"));
	assert_null(strstr(text, "virDomainGetInfo"));
	assert_int_equal(mode_of("log/lodged/audit.log"), 0600);
}

/* ---- what guests may ------------------------------------------------------------------------- */

static void only_allowed_folders_are_opened(void **state)
{
	g_autofree char *allowed = path_of("allowed"), *kernel = NULL, *settings = NULL,
			*link = NULL;
	g_autofree char *xml = path_of("guest.xml"), *text = NULL;

	define("out", "03", "b", "");
	g_mkdir(allowed, 0700);
	settings = g_strdup_printf("[paths]\nallowed=/nowhere:%s\n", allowed);
	daemon_restart_with(settings);
	has("is not in a folder that lodged.conf allows", false, "start out");
	/* A link out of the folder is out of the folder. */
	link = g_build_filename(allowed, "link", NULL);
	kernel = g_build_filename(daemon_under_test.build, "tests/engine/boot/actions.elf", NULL);
	assert_int_equal(symlink(kernel, link), 0);
	text = g_strdup_printf(
		"<domain type='qemu'><name>link</name><memory unit='MiB'>8</memory><os>"
		"<type>hvm</type><kernel>%s</kernel><cmdline>b</cmdline></os></domain>",
		link);
	assert_true(g_file_set_contents(xml, text, -1, NULL));
	done("define %s", xml);
	has("is not in a folder that lodged.conf allows", false, "start link");
	has("is not in a folder", false, "pool-define-as x dir --target /tmp");
	g_unlink(link);
	g_autofree char *copy = g_strdup_printf("cp '%s' '%s'", kernel, link);
	assert_int_equal(system(copy), 0);
	done("start link");
	done("destroy link");
	done("undefine link");
	daemon_restart_with("");
	done("start out");
	done("destroy out");
	done("undefine out");
}

static void admission_refuses_or_warns(void **state)
{
	define("one", "04", "b", "");
	define("two", "05", "b", "");
	daemon_restart_with("[admission]\nmemory=refuse\nmemory-limit=0\n");
	has("operation forbidden: the guests' memory would be 8 MiB, and the limit is 0 MiB", false,
		"start one");
	says("shut off (failed)", "domstate one --reason");
	daemon_restart_with("[admission]\nvcpus=refuse\nvcpus-limit=0\n");
	has("the guests' vCPUs would be 1, and the limit is 0", false, "start one");
	daemon_restart_with("[admission]\nvcpus=warn\nvcpus-limit=0\n");
	done("start one");
	has("the guests' vCPUs would be 1", true, "dominfo one");
	done("destroy one");
	daemon_restart_with("");
	done("undefine one");
	done("undefine two");
}

/* Who was started when: their logs are made in this order. */
static void guests_are_started_in_order(void **state)
{
	const char *mark =
		"<metadata><l:autostart xmlns:l='urn:lodge:autostart:1' order='%d'/></metadata>";
	g_autofree char *last = g_strdup_printf(mark, 2), *first = g_strdup_printf(mark, -5);
	g_autofree char *done_mark = path_of("run/autostarted"), *first_id = NULL, *last_id = NULL,
			*id = NULL;

	define("aaa", "06", "b", last);
	define("mmm", "07", "b", "");
	define("zzz", "08", "b", first);
	done("autostart aaa");
	done("autostart mmm");
	done("autostart zzz");
	daemon_end(SIGTERM);
	/* As after a boot of the host. */
	g_unlink(done_mark);
	daemon_start();
	comes_to_say("running", "domstate aaa");
	first_id = virsh("domid zzz");
	id = virsh("domid mmm");
	last_id = virsh("domid aaa");
	assert_true(atoi(first_id) < atoi(id) && atoi(id) < atoi(last_id));
	done("destroy aaa");
	done("destroy mmm");
	done("destroy zzz");
	/* Once for a boot. */
	daemon_end(SIGTERM);
	daemon_start();
	says("", "list --name");
	done("undefine aaa");
	done("undefine mmm");
	done("undefine zzz");
}

static void guests_wait_for_their_delay(void **state)
{
	g_autofree char *done_mark = path_of("run/autostarted");

	define("now", "09", "b", "");
	define("later", "10", "b",
		"<metadata><l:autostart xmlns:l='urn:lodge:autostart:1' order='1' delay='3600'/>"
		"</metadata>");
	done("autostart now");
	done("autostart later");
	daemon_end(SIGTERM);
	g_unlink(done_mark);
	daemon_start();
	comes_to_say("running", "domstate now");
	says("shut off", "domstate later");
	done("destroy now");
	done("undefine now");
	done("undefine later");
}

/* ---- starting and leaving -------------------------------------------------------------------- */

/* The process that holds the instance's lock. */
static pid_t holder_of(const char *lock)
{
	GDir *processes = g_dir_open("/proc", 0, NULL);
	const char *name;
	pid_t found = 0;

	while (!found && (name = g_dir_read_name(processes))) {
		g_autofree char *folder = g_build_filename("/proc", name, "fd", NULL);
		GDir *files = g_ascii_isdigit(*name) ? g_dir_open(folder, 0, NULL) : NULL;
		const char *file;

		while (files && !found && (file = g_dir_read_name(files))) {
			g_autofree char *link = g_build_filename(folder, file, NULL);
			g_autofree char *target = g_file_read_link(link, NULL);

			if (target && strcmp(target, lock) == 0)
				found = atoi(name);
		}
		g_clear_pointer(&files, g_dir_close);
	}
	g_dir_close(processes);
	return found;
}

static bool is_locked(const char *lock)
{
	int fd = open(lock, O_RDONLY | O_CLOEXEC);
	bool locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;

	if (fd >= 0)
		close(fd);
	return locked;
}

static void wait_until_free(const char *lock)
{
	for (int i = 0; i < PATIENCE_S * 100 && is_locked(lock); i++)
		g_usleep(10000);
	assert_false(is_locked(lock));
}

static void many_starts_make_one_daemon(void **state)
{
	g_autofree char *program = g_build_filename(daemon_under_test.build, "lodged", NULL);
	g_autofree char *lock = path_of("run/lodged.sock.lock");
	char *arguments[] = {program, "--daemon", "--root", daemon_under_test.root, NULL};
	GPid pids[8];
	int status;

	daemon_end(SIGTERM);
	for (size_t i = 0; i < G_N_ELEMENTS(pids); i++)
		assert_true(g_spawn_async(NULL, arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
			NULL, &pids[i], NULL));
	for (size_t i = 0; i < G_N_ELEMENTS(pids); i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
		/* Whichever has ended first: it listens. */
		int fd = connect_raw();
		assert_true(fd >= 0);
		close(fd);
	}
	kill(holder_of(lock), SIGTERM);
	wait_until_free(lock);
	daemon_start();
}

static void a_daemon_that_cannot_start_says_so_in_the_foreground(void **state)
{
	const char *arguments[] = {"--daemon", "--root", "/dev/null/nowhere", NULL};
	const char *both[] = {"--system", "--session", NULL};
	const char *more[] = {"more", NULL};
	g_autofree char *said = NULL;
	int status;

	said = run_lodged(arguments, &status);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_non_null(strstr(said, "cannot make the folder"));
	g_free(run_lodged(both, &status));
	assert_int_equal(WEXITSTATUS(status), 2);
	g_free(run_lodged(more, &status));
	assert_int_equal(WEXITSTATUS(status), 2);
}

static void a_session_lives_in_the_users_folders(void **state)
{
	const char *arguments[] = {"--session", "--daemon", NULL};
	g_autofree char *home = path_of("home"), *lock = path_of("home/run/lodge/lodged.sock.lock");
	g_autofree char *settings = path_of("home/config/lodge/engine/lodged.conf");
	g_autofree char *guests = path_of("home/config/lodge/engine/guests");
	g_autofree char *images = path_of("home/data/lodge/images"), *said = NULL, *uri = NULL,
			*xml = NULL;
	g_autofree char *command = NULL;
	int status;

	static const char *const folders[][2] = {{"XDG_CONFIG_HOME", "home/config"},
		{"XDG_RUNTIME_DIR", "home/run"}, {"XDG_DATA_HOME", "home/data"},
		{"XDG_CACHE_HOME", "home/cache"}, {"HOME", "home"}};
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *path = path_of(folders[i][1]);

		g_mkdir_with_parents(path, 0700);
		g_setenv(folders[i][0], path, TRUE);
	}
	g_mkdir_with_parents(guests, 0700);
	assert_true(g_file_set_contents(settings, "[idle]\ntimeout=2\n", -1, NULL));
	said = run_lodged(arguments, &status);
	assert_int_equal(status, 0);
	assert_string_equal(said, "");
	uri = g_strdup_printf("lodge+unix:///session?socket=%s/run/lodge/lodged.sock", home);
	xml = write_guest("mine", "11", "b", "");
	command = g_strdup_printf("define %s", xml);
	g_free(virsh_at(uri, true, command));
	assert_true(g_file_test(images, G_FILE_TEST_IS_DIR));
	g_free(virsh_at(uri, true, "start mine"));
	/* Idle it is not, as long as a guest runs: three times as long as it may be idle. */
	g_usleep(3 * G_USEC_PER_SEC);
	assert_true(is_locked(lock));
	g_free(virsh_at(uri, true, "destroy mine"));
	wait_until_free(lock);
	/* Nobody was killed: the next one knows the guest. */
	g_free(run_lodged(arguments, &status));
	g_free(virsh_at(uri, true, "undefine mine"));
	wait_until_free(lock);
}

/* The console's command line as another user, who has nothing but a home: what it says. Where the
 * test is not root's, as the same user. */
static char *as_a_new_user(const char *home, const char *words)
{
	const char *who = getuid() ? "" : "setpriv --reuid 65534 --regid 65534 --clear-groups ";
	g_autofree char *command = g_strdup_printf(
		"%senv -u XDG_CONFIG_HOME -u XDG_RUNTIME_DIR -u XDG_DATA_HOME -u XDG_CACHE_HOME"
		" -u XDG_STATE_HOME HOME='%s' LC_ALL=C.UTF-8 '%s/lodge' %s",
		who, home, daemon_under_test.build, words);
	g_autofree char *errors = NULL;
	char *output = NULL;
	int status;

	assert_true(g_spawn_command_line_sync(command, &output, &errors, &status, NULL));
	if (status)
		fail_msg("%s: %s", command, errors);
	return output;
}

static bool others_can_run_it(const char *home)
{
	g_autofree char *command = g_strdup_printf(
		"setpriv --reuid 65534 --regid 65534 --clear-groups test -x '%s/lodge' -a -w '%s'",
		daemon_under_test.build, home);

	return getuid() || system(command) == 0;
}

static void a_new_user_types_lodge(void **state)
{
	g_autofree char *home = g_dir_make_tmp("lodge-home-XXXXXX", NULL);
	g_autofree char *lock = g_build_filename(home, ".cache/lodge/lodged.sock.lock", NULL);
	g_autofree char *xml = g_build_filename(home, "guest.xml", NULL);
	g_autofree char *made = write_guest("mine", "12", "b", ""), *text = NULL, *define = NULL;
	g_autofree char *settings = g_build_filename(home, ".config/lodge/engine", NULL);
	g_autofree char *listed = NULL, *file = g_build_filename(settings, "lodged.conf", NULL);

	assert_true(g_file_get_contents(made, &text, NULL, NULL));
	assert_true(g_file_set_contents(xml, text, -1, NULL));
	assert_int_equal(g_mkdir_with_parents(settings, 0755), 0);
	assert_true(g_file_set_contents(file, "[idle]\ntimeout=1\n", -1, NULL));
	g_autofree char *give = g_strdup_printf("chown -R 65534:65534 '%s'", home);
	if (!getuid())
		assert_int_equal(system(give), 0);
	if (!others_can_run_it(home)) {
		folder_remove_tree(home);
		skip();
	}
	/* Each command finds a daemon, or makes one. */
	g_free(as_a_new_user(home, "list"));
	define = g_strdup_printf("define '%s'", xml);
	g_free(as_a_new_user(home, define));
	g_free(as_a_new_user(home, "start mine"));
	listed = as_a_new_user(home, "list");
	assert_non_null(strstr(listed, "mine  running"));
	g_free(as_a_new_user(home, "destroy mine"));
	wait_until_free(lock);
	folder_remove_tree(home);
}

/* As systemd does: the socket is there first, and stays. */
static void a_socket_may_be_handed_over(void **state)
{
	g_autofree char *program = g_build_filename(daemon_under_test.build, "lodged", NULL);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), status;
	pid_t pid;

	daemon_end(SIGTERM);
	g_strlcpy(address.sun_path, daemon_under_test.socket, sizeof(address.sun_path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 5), 0);
	pid = fork();
	if (pid == 0) {
		g_autofree char *self = g_strdup_printf("%d", (int)getpid());

		g_setenv("LISTEN_PID", self, TRUE);
		g_setenv("LISTEN_FDS", "1", TRUE);
		if (fd != 3) {
			dup2(fd, 3);
			close(fd);
		}
		execl(program, program, "--root", daemon_under_test.root, NULL);
		_exit(127);
	}
	says("", "list --all --name");
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(g_file_test(daemon_under_test.socket, G_FILE_TEST_EXISTS));
	close(fd);
	daemon_start();
}

/* Where systemd's own checker is installed; the units' program is where they were built for. */
static void the_units_are_valid(void **state)
{
	const char *units[] = {"lodged.service", "lodged.socket", "lodged-ro.socket"};
	g_autofree char *folder = path_of("units"), *program = NULL, *said = NULL, *check = NULL;
	int status;

	if (!(program = g_find_program_in_path("systemd-analyze")))
		skip();
	g_mkdir(folder, 0700);
	for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
		g_autofree char *copy = g_strdup_printf(
			"sed 's|^ExecStart=[^ ]*|ExecStart=%s/lodged|' "
			"'%s/engine/daemon/systemd/%s' >'%s/%s'",
			daemon_under_test.build, daemon_under_test.build, units[i], folder, units[i]);

		assert_int_equal(system(copy), 0);
	}
	check = g_strdup_printf("sh -c 'cd \"%s\" && exec 2>&1; systemd-analyze verify --man=no "
				"./lodged.service ./lodged.socket ./lodged-ro.socket'",
		folder);
	assert_true(g_spawn_command_line_sync(check, &said, NULL, &status, NULL));
	if (status || *said)
		print_message("%s\n", said);
	assert_int_equal(status, 0);
	assert_string_equal(said, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_settings_are_named),
		cmocka_unit_test(sockets_have_the_modes_of_the_settings),
		cmocka_unit_test(the_second_socket_is_to_look_only),
		cmocka_unit_test(changes_are_written_to_the_audit_log),
		cmocka_unit_test(only_allowed_folders_are_opened),
		cmocka_unit_test(admission_refuses_or_warns),
		cmocka_unit_test(guests_are_started_in_order),
		cmocka_unit_test(guests_wait_for_their_delay),
		cmocka_unit_test(many_starts_make_one_daemon),
		cmocka_unit_test(a_daemon_that_cannot_start_says_so_in_the_foreground),
		cmocka_unit_test(a_session_lives_in_the_users_folders),
		cmocka_unit_test(a_new_user_types_lodge),
		cmocka_unit_test(a_socket_may_be_handed_over),
		cmocka_unit_test(the_units_are_valid),
	};

	return cmocka_run_group_tests_name(
		"lodged: instances", tests, daemon_prepare, daemon_clean_up);
}

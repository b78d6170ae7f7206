// SPDX-License-Identifier: GPL-3.0-or-later
// The definition editor through its real door, on libvirt's test driver with a frozen clock. Each
// test has settings, drafts and revisions of its own.
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/screens/lodge.h"

/* The console on edit.xml; OPTION is one more argument or NULL. */
static struct harness *start_with(const char *option, const char *editor)
{
	g_autofree char *uri = lodge_host("edit.xml");
	struct harness *h = lodge_start(&(struct lodge_options){
		.uri = uri,
		.words = (const char *const[]){ option, NULL },
		.editor = editor,
	});

	harness_expect(h, "test 2");
	harness_expect(h, "F12More");
	return h;
}

/* The editor on the guest of that name: "full" is off, "live" runs. */
static struct harness *open_editor(const char *guest)
{
	struct harness *h = start_with(NULL, NULL);

	if (strcmp(guest, "live") == 0)
		harness_keys(h, "Down");
	harness_keys(h, "F4");
	harness_expect(h, "no changes yet");
	return h;
}

/* Leaves an editor in which nothing was changed. */
static void leave(struct harness *h)
{
	harness_keys(h, "F8");
	harness_expect(h, "F12More");
	lodge_quit(h);
}

/* The file of that ending below the state directory, or NULL. */
static char *state_file(const char *kind, const char *ending)
{
	g_autofree char *command = g_strdup_printf(
		"find %s/state/lodge/%s -type f -name '*%s'", lodge_home, kind, ending);
	g_autofree char *complaints = NULL; // where there is no such directory yet
	char *output = NULL;

	if (!g_spawn_command_line_sync(command, &output, &complaints, NULL, NULL) || !*g_strstrip(output))
		g_clear_pointer(&output, g_free);
	return output;
}

static char *draft_text(void)
{
	g_autofree char *path = state_file("drafts", ".xml");
	char *text = NULL;

	if (path)
		g_file_get_contents(path, &text, NULL, NULL);
	return text;
}

static bool draft_is_there(void)
{
	g_autofree char *text = draft_text();

	return text != NULL;
}

/* The draft on disk gets that text soon. */
static void expect_draft(const char *part)
{
	for (int i = 0; i < 1000; i++) {
		g_autofree char *text = draft_text();

		if (text && strstr(text, part))
			return;
		g_usleep(10000);
	}
	fail_msg("the draft on disk never had: %s", part);
}

/* It is gone soon: what the screen says comes before what the disk has. */
static void expect_no_draft(void)
{
	for (int i = 0; i < 1000 && draft_is_there(); i++)
		g_usleep(10000);
	assert_false(draft_is_there());
}

/* ---- pages ---- */

static void every_page(void **state)
{
	static const char *const pages[][2] = { { "Name", "overview" }, { "Topology", "cpus" },
		{ "Backing", "memory" }, { "Firmware and machine", "boot" },
		{ "F3 adds one.", "disks" }, { "Serial number", "disk" }, { "read only", "cdrom" },
		{ "default", "network" }, { "Largest packet", "nic" }, { "Graphics vnc", "consoles" },
		{ "target port", "serial" }, { "target type", "console" }, { "Listens at", "graphics" },
		{ "Watchdog i6300esb", "devices" }, { "CPU weight", "tuning" },
		{ "Description", "notes" }, { "<domain", "xml" }, { "none yet", "revisions" } };
	struct harness *h = open_editor("full");

	for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
		g_autofree char *name = g_strdup_printf("edit-%s", pages[i][1]);

		harness_expect(h, pages[i][0]);
		harness_golden_sizes(h, name);
		harness_keys(h, "Down");
	}
	leave(h);
}

static void wide_and_narrow(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "Down");
	harness_expect(h, "Topology");
	harness_resize(h, 120, 40);
	harness_golden(h, "edit-cpus-120x40");
	leave(h);
}

static void other_devices(void **state)
{
	struct harness *h = open_editor("full");

	for (int i = 0; i < 13; i++)
		harness_keys(h, "Down");
	harness_expect(h, "Watchdog i6300esb");
	harness_keys(h, "Right Down Down Down");
	harness_expect(h, "When it barks");
	harness_keys(h, "Down");
	harness_expect(h, "Figures every (s)");
	harness_golden_sizes(h, "edit-balloon");
	leave(h);
}

static void from_everywhere(void **state)
{
	struct harness *h = start_with(NULL, NULL);

	harness_keys(h, "F7");
	harness_expect(h, "Edit…");
	harness_keys(h, "'e'");
	harness_expect(h, "no changes yet");
	harness_keys(h, "F8");
	harness_expect(h, "F12More");
	harness_keys(h, "F2");
	harness_expect(h, "full - off");
	harness_keys(h, "F4");
	harness_expect(h, "no changes yet");
	harness_keys(h, "F8");
	harness_expect(h, "full - off");
	harness_keys(h, "F8");
	harness_expect(h, "F12More");
	lodge_quit(h);
}

/* ---- values ---- */

static void each_kind_of_value(void **state)
{
	struct harness *h = open_editor("full");

	/* Text, vCPUs, size, choice on the overview. */
	harness_keys(h, "Enter Tab C-u 'A title' Tab C-u '3' Tab Tab C-u '2.5 GiB' Tab Tab Right");
	harness_expect(h, "4 changes");
	expect_draft("<title>A title</title>");
	expect_draft("current='3'");
	expect_draft("2621440</currentMemory>");
	/* Presence and number. */
	harness_keys(h, "Esc Down Down");
	harness_expect(h, "Backing");
	harness_keys(h, "Enter Tab Tab Tab Tab Space");
	harness_expect(h, "[x] huge pages");
	expect_draft("<hugepages/>");
	harness_keys(h, "Esc Down");
	harness_expect(h, "Boot menu");
	harness_keys(h, "Enter C-u 'cdrom,hd' Tab Tab C-u '500'");
	expect_draft("timeout='500'");
	harness_keys(h, "Esc");
	harness_golden_sizes(h, "edit-values");
	harness_keys(h, "F8");
	harness_expect(h, "The draft of full is kept");
	lodge_quit(h);
}

static void unset_by_emptying(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "Enter Tab C-u");
	harness_expect(h, "1 change");
	harness_keys(h, "Esc F10");
	harness_expect(h, "title: The file server removed");
	harness_keys(h, "F8 F6");
	harness_expect(h, "no changes yet");
	leave(h);
}

static void wrong_values(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "Enter Tab Tab C-u '6x'");
	harness_expect(h, "'6x' for vcpus is not a whole number from 1 to 8.");
	harness_golden_sizes(h, "edit-wrong");
	harness_keys(h, "C-u '9'");
	harness_expect(h, "'9' for vcpus is not a whole number from 1 to 8.");
	harness_keys(h, "Tab Tab C-u '3 parsecs'");
	harness_expect(h, "parsecs");
	harness_keys(h, "Esc");
	harness_expect(h, "no changes yet");
	leave(h);
}

static void typing_back_changes_nothing(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "Enter Tab Tab C-u '2'");
	harness_expect(h, "1 change");
	harness_keys(h, "C-u '4'");
	harness_expect(h, "no changes yet");
	expect_no_draft();
	leave(h);
}

static void undo_step_by_step(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "Enter Tab C-u 'One title' Tab C-u '2'");
	harness_expect(h, "2 changes");
	harness_keys(h, "F6");
	harness_expect(h, "1 change");
	harness_expect(h, "vCPUs at start  [4");
	harness_keys(h, "F6");
	harness_expect(h, "no changes yet");
	harness_expect(h, "The file server");
	harness_keys(h, "F6");
	harness_expect(h, "There is nothing to take back.");
	leave(h);
}

static void notes_in_the_metadata(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "End Up Up Enter Tab Tab C-e '!' Enter 'Really.'");
	expect_draft("<lodge:notes>Ask Ann before a reboot.!\nReally.</lodge:notes>");
	harness_keys(h, "Esc F6");
	harness_expect(h, "no changes yet");
	leave(h);
}

/* ---- devices ---- */

static void add_and_remove_devices(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "F3");
	harness_expect(h, "Serial console");
	harness_golden_sizes(h, "edit-add");
	harness_keys(h, "Enter");
	harness_expect(h, "Format");
	harness_golden_sizes(h, "edit-add-disk");
	harness_keys(h, "F10");
	harness_expect(h, "This is needed.");
	harness_keys(h, "'/srv/more.qcow2' F10");
	harness_expect(h, "1 change");
	expect_draft("<target dev='vdb' bus='virtio'/>");
	harness_golden_sizes(h, "edit-disk-added");
	/* The NIC goes. */
	harness_keys(h, "Down Down");
	harness_expect(h, "Largest packet");
	harness_keys(h, "F5");
	harness_expect(h, "52:54:00:00:01:01 is removed from the draft");
	harness_expect(h, "2 changes");
	harness_keys(h, "F6");
	harness_expect(h, "1 change");
	harness_keys(h, "F5");
	harness_expect(h, "Choose a device in the list at the left first.");
	harness_keys(h, "F8");
	harness_expect(h, "is kept");
	lodge_quit(h);
}

static void add_without_questions(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "F3 'Serial' Enter");
	harness_expect(h, "1 change");
	expect_draft("<serial type='pty'/>");
	/* A CPU feature and a pinning are values, added the same way. */
	harness_keys(h, "F3 End Up Enter 'avx2' F10");
	expect_draft("<feature name='avx2' policy='require'/>");
	harness_keys(h, "F3 End Enter C-u '1' Tab '4-5' F10");
	expect_draft("<vcpupin vcpu='1' cpuset='4-5'/>");
	harness_keys(h, "F8");
	harness_expect(h, "is kept");
	lodge_quit(h);
}

/* ---- the draft ---- */

static void draft_survives(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "Enter Tab C-u 'Half done'");
	expect_draft("<title>Half done</title>");
	/* The session is lost. */
	harness_stop(h);
	h = start_with(NULL, NULL);
	harness_keys(h, "F4");
	harness_golden_sizes(h, "edit-draft-left");
	harness_keys(h, "F10");
	harness_expect(h, "Half done");
	harness_expect(h, "1 change");
	harness_keys(h, "F9");
	harness_expect(h, "1 change of 'full' in this draft is lost.");
	harness_golden_sizes(h, "edit-drop");
	/* The focus is on Keep. */
	harness_keys(h, "Enter");
	harness_expect(h, "Half done");
	harness_keys(h, "F9 F10");
	harness_expect(h, "F12More");
	expect_no_draft();
	lodge_quit(h);
}

static void draft_dropped_on_opening(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "Enter Tab C-u 'Half done'");
	expect_draft("<title>Half done</title>");
	harness_keys(h, "F8");
	harness_expect(h, "is kept");
	/* Esc leaves it as it is. */
	harness_keys(h, "F4");
	harness_expect(h, "is still there");
	harness_keys(h, "Esc");
	harness_expect(h, "F12More");
	assert_true(draft_is_there());
	harness_keys(h, "F4");
	harness_expect(h, "is still there");
	harness_keys(h, "F5");
	harness_expect(h, "no changes yet");
	expect_no_draft();
	harness_keys(h, "F9");
	harness_expect(h, "F12More");
	lodge_quit(h);
}

/* ---- review and apply ---- */

static void review_apply_and_undo(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "F10");
	harness_expect(h, "The draft changes nothing yet.");
	harness_keys(h, "Enter Tab C-u 'New title' Tab Tab C-u '16' Esc F10");
	harness_expect(h, "Review full - 2 changes");
	harness_golden_sizes(h, "edit-review");
	harness_keys(h, "Tab 'because' F10");
	harness_expect(h, "full is saved with 2 changes.");
	expect_no_draft();
	/* Undo: the first revision becomes the draft. */
	harness_keys(h, "F4");
	harness_expect(h, "New title");
	harness_keys(h, "End");
	harness_expect(h, "2023-11-14 22:13");
	harness_expect(h, "because");
	harness_keys(h, "Enter Up Enter");
	harness_expect(h, "Revision 1 of full");
	harness_expect(h, "<title>The file server</title>");
	harness_keys(h, "F8 F7");
	harness_expect(h, "+  <title>New title</title>");
	harness_golden_sizes(h, "edit-revision-compared");
	harness_keys(h, "F8 F5");
	harness_expect(h, "The draft is revision 1 now");
	harness_expect(h, "2 changes");
	harness_keys(h, "F10");
	harness_expect(h, "title: New title -> The file server");
	harness_keys(h, "F10");
	harness_expect(h, "full is saved with 2 changes.");
	harness_keys(h, "F4");
	harness_expect(h, "The file server");
	leave(h);
}

static void problems_come_first(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "F3 'NIC on' Enter Tab C-u 'no address' F10");
	harness_expect(h, "1 change");
	harness_keys(h, "F10");
	harness_expect(h, "The definition breaks libvirt's schema");
	harness_golden_sizes(h, "edit-review-problems");
	harness_keys(h, "F10");
	harness_expect(h, "breaks libvirt's schema:");
	harness_keys(h, "Enter F8 F8");
	harness_expect(h, "is kept");
	assert_true(draft_is_there());
	lodge_quit(h);
}

static void running_guest_now(void **state)
{
	struct harness *h = open_editor("live");

	harness_keys(h, "Enter Tab Tab C-u '4' Esc F10");
	harness_expect(h, "Takes effect now and at next start:");
	harness_golden_sizes(h, "edit-review-live");
	harness_keys(h, "F10");
	harness_expect(h, "Done now: vcpus: 2/4 -> 4");
	harness_expect(h, "Review live - applied");
	harness_keys(h, "F10");
	harness_expect(h, "F12More");
	harness_expect(h, "4/4");
	lodge_quit(h);
}

/* The test driver cannot plug: what was done before holds and says so. */
static void what_holds_is_told(void **state)
{
	struct harness *h = open_editor("live");

	harness_keys(h, "Enter Tab Tab C-u '3' Esc F3 Enter '/srv/b.img' F10 F10");
	harness_expect(h, "disk vdb is added");
	harness_keys(h, "F10");
	harness_expect(h, "Done now: vcpus: 2/4 -> 3/4");
	harness_expect(h, "Failed: plug in disk vdb");
	harness_expect(h, "What was done holds; the rest takes effect at next start.");
	harness_expect(h, "applied in part");
	harness_keys(h, "F8");
	harness_expect(h, "3/4");
	expect_no_draft();
	lodge_quit(h);
}

static void running_guest_later(void **state)
{
	struct harness *h = open_editor("live");

	harness_keys(h, "Enter Tab Tab C-u '4' Esc F10 Tab Tab Space");
	harness_expect(h, "Takes effect at next start:");
	harness_keys(h, "F10");
	harness_expect(h, "live is saved: 1 change takes effect at next start.");
	harness_expect(h, "2/4");
	lodge_quit(h);
}

static void gone_meanwhile(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "Enter Tab C-u 'Too late'");
	expect_draft("Too late");
	harness_keys(h, "Esc F10");
	harness_expect(h, "Review full");
	harness_keys(h, "F8 : 'delete full' Enter");
	harness_expect(h, "Delete full?");
	harness_keys(h, "F10");
	harness_expect(h, "gone from its host");
	harness_keys(h, "F10 F10");
	harness_expect(h, "full is gone from its host; the draft is kept.");
	assert_true(draft_is_there());
	harness_keys(h, "F8 F8");
	lodge_quit(h);
}

static void nothing_with_readonly(void **state)
{
	struct harness *h = start_with("--readonly", NULL);

	harness_keys(h, "F4");
	harness_expect(h, "no changes yet");
	harness_keys(h, "Enter Tab C-u 'Look only' Esc F10 F10");
	harness_expect(h, "--readonly");
	harness_keys(h, "Enter F8 F8");
	harness_expect(h, "is kept");
	lodge_quit(h);
}

/* ---- conflicts ---- */

static void merged_without_conflict(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "Enter Tab C-u 'Mine'");
	expect_draft("Mine");
	/* Another way changes the same definition. */
	harness_keys(h, "Esc : 'set full on_crash=preserve' Enter");
	harness_expect(h, "on_crash");
	harness_keys(h, "F10 F10");
	harness_expect(h, "on_crash: destroy -> preserve");
	harness_golden_sizes(h, "edit-merge");
	harness_keys(h, "F10");
	harness_expect(h, "The draft holds both changes now");
	harness_expect(h, "crashes         [preserve");
	harness_keys(h, "F10");
	harness_expect(h, "title: The file server -> Mine");
	harness_keys(h, "F10");
	harness_expect(h, "full is saved with 1 change.");
	lodge_quit(h);
}

static void merged_with_conflict(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "Enter Tab C-u 'Mine'");
	expect_draft("Mine");
	harness_keys(h, "Esc : 'set full title=Theirs' Enter");
	harness_expect(h, "Theirs");
	harness_keys(h, "F10 F10");
	harness_expect(h, "<<<<<<< yours");
	harness_golden_sizes(h, "edit-merge-conflict");
	harness_keys(h, "F10");
	harness_expect(h, "Both changed the same lines");
	/* The markers are no XML; the text stays until it is right or given up. */
	harness_keys(h, "F4");
	harness_expect(h, "Merge full");
	harness_keys(h, "F10");
	harness_expect(h, "Cannot read the definition of 'full': line");
	harness_keys(h, "F9 F6");
	harness_expect_gone(h, "<<<<<<<");
	harness_expect(h, "<title>Theirs</title>");
	harness_keys(h, "F9");
	harness_expect(h, "Mine");
	harness_keys(h, "F10 F10");
	harness_expect(h, "<<<<<<< yours");
	harness_keys(h, "F5 F10");
	harness_expect(h, "The draft holds both changes now");
	harness_keys(h, "F10");
	harness_expect(h, "title: Theirs -> Mine");
	harness_keys(h, "F10");
	harness_expect(h, "full is saved with 1 change.");
	lodge_quit(h);
}

/* ---- XML ---- */

static void xml_in_place(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "End Up");
	harness_expect(h, "<domain");
	harness_keys(h, "Enter / 'vcpu' Enter");
	harness_expect(h, "<vcpu");
	harness_keys(h, "F4 End BSpace");
	harness_golden_sizes(h, "edit-xml-here");
	harness_keys(h, "F10");
	harness_expect(h, "Cannot read the definition of 'full': line");
	harness_expect_cursor(h, 1, 3);
	/* The cursor is on the line of the error: the slip is at the end of the one before. */
	harness_keys(h, "Up End '>' Enter '  <!-- by hand -->' F10");
	expect_draft("<!-- by hand -->");
	harness_expect(h, "draft of");
	harness_keys(h, "F10");
	harness_expect(h, "Only white space or comments differ.");
	harness_keys(h, "F8 F6");
	harness_expect(h, "no changes yet");
	leave(h);
}

/* The editor is any command; its text is looked at before it is taken. */
static void xml_in_an_editor(void **state)
{
	struct harness *h = start_with(NULL,
		"sh -c 'grep -q broken \"$0\" && sed -i s/broken/whole/ \"$0\" && exit; "
		"sed -i \"s/The file server/broken<title/\" \"$0\"'");

	harness_keys(h, "F4");
	harness_expect(h, "no changes yet");
	harness_keys(h, "End Up F7");
	harness_expect(h, "Edit again");
	harness_keys(h, "F9");
	harness_expect(h, "no changes yet");
	leave(h);
}

static void editor_that_fails(void **state)
{
	struct harness *h = open_editor("full");

	harness_keys(h, "F7");
	harness_expect(h, "The editor 'false' failed");
	harness_keys(h, "Enter");
	leave(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_HOME(every_page), IN_A_HOME(wide_and_narrow), IN_A_HOME(other_devices), IN_A_HOME(from_everywhere),
		IN_A_HOME(each_kind_of_value), IN_A_HOME(unset_by_emptying), IN_A_HOME(wrong_values),
		IN_A_HOME(typing_back_changes_nothing), IN_A_HOME(undo_step_by_step), IN_A_HOME(notes_in_the_metadata),
		IN_A_HOME(add_and_remove_devices), IN_A_HOME(add_without_questions), IN_A_HOME(draft_survives),
		IN_A_HOME(draft_dropped_on_opening), IN_A_HOME(review_apply_and_undo), IN_A_HOME(problems_come_first),
		IN_A_HOME(running_guest_now), IN_A_HOME(what_holds_is_told), IN_A_HOME(running_guest_later),
		IN_A_HOME(gone_meanwhile), IN_A_HOME(nothing_with_readonly), IN_A_HOME(merged_without_conflict),
		IN_A_HOME(merged_with_conflict), IN_A_HOME(xml_in_place), IN_A_HOME(xml_in_an_editor),
		IN_A_HOME(editor_that_fails),
	};

	/* One test alone: LODGE_TEST='merged_*'. */
	if (g_getenv("LODGE_TEST"))
		cmocka_set_test_filter(g_getenv("LODGE_TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// The table of verbs.
#include "model/verb.h"
#include "model/actions.h"
#include "model/editing.h"

#include <glib/gi18n.h>
#include <string.h>

static const char *const states[] = {
	"running", "paused", "off", "saved", "crashed", "suspended", "shutdown", "active", NULL};

#define GUESTS                                                                                     \
	{                                                                                          \
		.name = "GUEST", .kind = ARGUMENT_GUESTS, .help = N_("Guests, by name.")           \
	}
#define ONE_GUEST                                                                                  \
	{                                                                                          \
		.name = "GUEST", .kind = ARGUMENT_GUEST, .help = N_("The guest, by name.")         \
	}
#define ALL_GUESTS                                                                                 \
	{                                                                                          \
		.name = "GUEST", .kind = ARGUMENT_GUESTS, .optional = true,                        \
		.help = N_("Guests, by name; none: all.")                                          \
	}
#define FLAG(option, text)                                                                         \
	{                                                                                          \
		.name = option, .kind = ARGUMENT_FLAG, .optional = true, .help = text              \
	}
#define OPTION(option, what, text)                                                                 \
	{                                                                                          \
		.name = option, .kind = what, .optional = true, .help = text                       \
	}
#define CHOICE(option, words, text)                                                                \
	{                                                                                          \
		.name = option, .kind = ARGUMENT_CHOICE, .optional = true, .choices = words,       \
		.help = text                                                                       \
	}
#define CHANGES(text)                                                                              \
	{                                                                                          \
		.name = "KEY=VALUE", .kind = ARGUMENT_ASSIGNMENTS, .help = text                    \
	}
#define HOST                                                                                       \
	OPTION("--host", ARGUMENT_HOST, N_("The host to do it on, when several are connected."))

const struct verb verbs[] = {
	{
		.name = "list",
		.label = N_("List"),
		.help = N_("Lists guests with their state and size."),
		.title_one = N_("List %s"),
		.title_many = N_("List %u guests"),
		.arguments = {ALL_GUESTS,
			CHOICE("--state", states, N_("Only guests in that state."))},
		.report = report_list,
	},
	{
		.name = "info",
		.label = N_("Information"),
		.help = N_("Tells everything known about guests, with their figures now."),
		.title_one = N_("Information on %s"),
		.title_many = N_("Information on %u guests"),
		.flags = VERB_MEASURES,
		.arguments = {GUESTS},
		.report = report_info,
	},
	{
		.name = "start",
		.label = N_("Start"),
		.help = N_("Starts guests; one with a saved state goes on from there."),
		.title_one = N_("Start %s"),
		.title_many = N_("Start %u guests"),
		.flags = VERB_CHANGES | VERB_ON_INACTIVE,
		.arguments = {GUESTS,
			FLAG("--paused", N_("Leave it paused before its first instruction."))},
		.on_guest = action_start,
		.virsh = virsh_start,
	},
	{
		.name = "shutdown",
		.label = N_("Shut down"),
		.help = N_("Asks guests to shut down, as the power button does."),
		.title_one = N_("Shut down %s"),
		.title_many = N_("Shut down %u guests"),
		.flags = VERB_CHANGES | VERB_ON_ACTIVE | VERB_CONFIRM,
		.arguments = {GUESTS,
			CHOICE("--mode", shutdown_modes, N_("How to ask the guest."))},
		.on_guest = action_shutdown,
		.virsh = virsh_shutdown,
	},
	{
		.name = "reboot",
		.label = N_("Reboot"),
		.help = N_("Asks guests to reboot."),
		.title_one = N_("Reboot %s"),
		.title_many = N_("Reboot %u guests"),
		.flags = VERB_CHANGES | VERB_ON_ACTIVE | VERB_CONFIRM,
		.arguments = {GUESTS,
			CHOICE("--mode", shutdown_modes, N_("How to ask the guest."))},
		.on_guest = action_reboot,
		.virsh = virsh_reboot,
	},
	{
		.name = "reset",
		.label = N_("Reset"),
		.help = N_("Resets guests at once, as the reset button does."),
		.title_one = N_("Reset %s"),
		.title_many = N_("Reset %u guests"),
		.loses = N_("What the guest has not yet written to its disks is lost."),
		.flags = VERB_CHANGES | VERB_LOSES | VERB_ON_ACTIVE | VERB_CONFIRM,
		.arguments = {GUESTS},
		.on_guest = action_reset,
		.virsh = virsh_reset,
	},
	{
		.name = "destroy",
		.label = N_("Switch off"),
		.help = N_("Switches guests off at once, as pulling the plug does."),
		.title_one = N_("Switch off %s"),
		.title_many = N_("Switch off %u guests"),
		.loses = N_("What the guest has not yet written to its disks is lost."),
		.flags = VERB_CHANGES | VERB_LOSES | VERB_ON_ACTIVE | VERB_CONFIRM,
		.arguments = {GUESTS,
			FLAG("--graceful",
				N_("Only when it ends by itself when told to, unharmed."))},
		.on_guest = action_destroy,
		.virsh = virsh_destroy,
	},
	{
		.name = "pause",
		.label = N_("Pause"),
		.help = N_("Stops guests where they are; they keep their memory."),
		.title_one = N_("Pause %s"),
		.title_many = N_("Pause %u guests"),
		.flags = VERB_CHANGES | VERB_ON_ACTIVE,
		.arguments = {GUESTS},
		.on_guest = action_pause,
		.virsh = virsh_pause,
	},
	{
		.name = "resume",
		.label = N_("Resume"),
		.help = N_("Lets paused or suspended guests go on."),
		.title_one = N_("Resume %s"),
		.title_many = N_("Resume %u guests"),
		.flags = VERB_CHANGES | VERB_ON_ACTIVE,
		.arguments = {GUESTS},
		.on_guest = action_resume,
		.virsh = virsh_resume,
	},
	{
		.name = "save",
		.label = N_("Save"),
		.help = N_("Writes guests' memory to disk and switches them off; start goes on "
			   "from there."),
		.title_one = N_("Save %s"),
		.title_many = N_("Save %u guests"),
		.flags = VERB_CHANGES | VERB_ON_ACTIVE | VERB_PROGRESS | VERB_CONFIRM,
		.arguments = {GUESTS, OPTION("--to", ARGUMENT_FILE,
					      N_("A file of the host, instead of its own place."))},
		.on_guest = action_save,
		.virsh = virsh_save,
	},
	{
		.name = "restore",
		.label = N_("Restore"),
		.help = N_("Lets saved guests go on, or one that was saved to a file."),
		.title_one = N_("Restore %s"),
		.title_many = N_("Restore %u guests"),
		.flags = VERB_CHANGES | VERB_ON_INACTIVE,
		.arguments = {{.name = "GUEST",
				      .kind = ARGUMENT_GUESTS,
				      .optional = true,
				      .help = N_("Guests, by name.")},
			OPTION("--from", ARGUMENT_FILE,
				N_("A file of the host that 'save --to' wrote.")),
			HOST},
		.on_guest = action_restore,
		.on_connection = action_restore_file,
		.virsh = virsh_restore,
	},
	{
		.name = "autostart",
		.label = N_("Autostart"),
		.help = N_("Lets guests start together with their host."),
		.title_one = N_("Autostart of %s"),
		.title_many = N_("Autostart of %u guests"),
		.flags = VERB_CHANGES,
		.arguments = {GUESTS, FLAG("--disable", N_("No longer start with the host."))},
		.on_guest = action_autostart,
		.virsh = virsh_autostart,
	},
	{
		.name = "rename",
		.label = N_("Rename"),
		.help = N_("Gives a guest that is off another name."),
		.title_one = N_("Rename %s"),
		.flags = VERB_CHANGES | VERB_ON_INACTIVE,
		.arguments = {ONE_GUEST,
			{.name = "NAME", .kind = ARGUMENT_TEXT, .help = N_("The new name.")}},
		.on_guest = action_rename,
		.virsh = virsh_rename,
	},
	{
		.name = "delete",
		.label = N_("Delete"),
		.help = N_("Deletes guests that are off; their disks stay unless named."),
		.title_one = N_("Delete %s"),
		.title_many = N_("Delete %u guests"),
		.loses = N_(
			"The definition and a saved state are lost, and every disk that is named."),
		.flags = VERB_CHANGES | VERB_LOSES | VERB_ON_INACTIVE | VERB_CONFIRM,
		.arguments = {GUESTS, OPTION("--storage", ARGUMENT_DISKS,
					      N_("Disks to delete too, as in vda,vdb."))},
		.on_guest = action_delete,
		.virsh = virsh_delete,
	},
	{
		.name = "define",
		.label = N_("Define"),
		.help = N_("Defines a guest from a file with its libvirt XML."),
		.title_one = N_("Define a guest from %s"),
		.flags = VERB_CHANGES,
		.arguments = {{.name = "FILE",
				      .kind = ARGUMENT_FILE,
				      .help = N_("The file of this machine.")},
			HOST},
		.on_connection = action_define,
		.virsh = virsh_define,
	},
	{
		.name = "dump",
		.label = N_("Definition"),
		.help = N_("Prints guests' definitions as libvirt XML."),
		.title_one = N_("Definition of %s"),
		.title_many = N_("Definitions of %u guests"),
		.arguments = {GUESTS, FLAG("--inactive", N_("The one for the next start."))},
		.on_guest = action_dump,
		.virsh = virsh_dump,
	},
	{
		.name = "group",
		.label = N_("Groups"),
		.help = N_("Puts guests into groups; groups are kept in the definition."),
		.title_one = N_("Groups of %s"),
		.title_many = N_("Groups of %u guests"),
		.flags = VERB_CHANGES,
		.arguments = {GUESTS,
			OPTION("--set", ARGUMENT_TEXT, N_("Exactly these, as in shop,test.")),
			OPTION("--add", ARGUMENT_TEXT, N_("These too.")),
			OPTION("--remove", ARGUMENT_TEXT, N_("These no longer."))},
		.on_guest = action_group,
		.virsh = virsh_metadata,
	},
	{
		.name = "tag",
		.label = N_("Tags"),
		.help = N_("Gives guests tags; tags are kept in the definition."),
		.title_one = N_("Tags of %s"),
		.title_many = N_("Tags of %u guests"),
		.flags = VERB_CHANGES,
		.arguments = {GUESTS,
			OPTION("--set", ARGUMENT_TEXT, N_("Exactly these, as in db,ssd.")),
			OPTION("--add", ARGUMENT_TEXT, N_("These too.")),
			OPTION("--remove", ARGUMENT_TEXT, N_("These no longer."))},
		.on_guest = action_tag,
		.virsh = virsh_metadata,
	},
	{
		.name = "note",
		.label = N_("Notes"),
		.help = N_("Writes the notes of a guest; they are kept in the definition."),
		.title_one = N_("Notes of %s"),
		.flags = VERB_CHANGES,
		.arguments = {ONE_GUEST, {.name = "TEXT",
						 .kind = ARGUMENT_TEXT,
						 .optional = true,
						 .help = N_("The text; none: no notes.")}},
		.on_guest = action_note,
		.virsh = virsh_metadata,
	},
	{
		.name = "resize",
		.label = N_("Resize…"),
		.help = N_("Changes what running guests have: vCPUs, memory, CPU cap, limits."),
		.title_one = N_("Resize %s"),
		.title_many = N_("Resize %u guests"),
		.flags = VERB_CHANGES,
		.arguments = {GUESTS,
			CHANGES(N_("What to change, such as vcpus=4 memory=3GiB cap=150%.")),
			FLAG("--both", N_("Now and at the next start.")),
			FLAG("--next-boot", N_("At the next start only.")),
			FLAG("--dry-run", N_("Only tell what would be done."))},
		.on_guest = action_resize,
		.virsh = virsh_resize,
	},
	{
		.name = "set",
		.label = N_("Set…"),
		.help = N_(
			"Sets named values of guests' definitions; lodge-xml(7) lists the keys."),
		.title_one = N_("Set values of %s"),
		.title_many = N_("Set values of %u guests"),
		.flags = VERB_CHANGES,
		.arguments = {GUESTS, CHANGES(N_("What to set, such as memory=2GiB vcpus=4/8.")),
			FLAG("--next-boot", N_("In the saved definition: the default.")),
			FLAG("--now", N_("In the running guest only.")),
			FLAG("--both", N_("Now and at the next start."))},
		.on_guest = action_set,
		.virsh = virsh_set,
	},
	{
		.name = "edit",
		.label = N_("Edit…"),
		.help = N_("Edits a guest's saved definition as XML, in the editor that VISUAL or EDITOR "
			   "names."),
		.title_one = N_("Edit %s"),
		.flags = VERB_CHANGES | VERB_INTERACTIVE,
		.arguments = {ONE_GUEST,
			OPTION("--reason", ARGUMENT_TEXT, N_("Why; kept with the revision."))},
		.virsh = virsh_set,
	},
	{
		.name = "diff",
		.label = N_("Differences"),
		.help = N_("Compares a guest's definitions: saved, running, draft or a revision's "
			   "number."),
		.title_one = N_("Differences of %s"),
		.title_many = N_("Differences of %u guests"),
		.arguments = {ONE_GUEST,
			OPTION("--from", ARGUMENT_TEXT, N_("One side; saved where not given.")),
			OPTION("--to", ARGUMENT_TEXT,
				N_("The other side; running where not given.")),
			FLAG("--words", N_("Value by value instead of line by line."))},
		.on_guest = action_diff,
	},
	{
		.name = "revisions",
		.label = N_("Revisions"),
		.help = N_("Lists the definitions a guest had, or shows one."),
		.title_one = N_("Revisions of %s"),
		.title_many = N_("Revisions of %u guests"),
		.arguments = {ONE_GUEST,
			OPTION("--show", ARGUMENT_TEXT, N_("Print the revision of that number."))},
		.on_guest = action_revisions,
	},
	{
		.name = "restore-revision",
		.label = N_("Restore a revision…"),
		.help = N_("Makes an earlier definition the saved one again."),
		.title_one = N_("Restore a revision of %s"),
		.title_many = N_("Restore a revision of %u guests"),
		.flags = VERB_CHANGES,
		.arguments = {ONE_GUEST, {.name = "NUMBER",
						 .kind = ARGUMENT_TEXT,
						 .help = N_("The revision's number.")}},
		.on_guest = action_restore_revision,
		.virsh = virsh_set,
	},
	{
		.name = "top",
		.label = N_("Figures"),
		.help = N_("Prints the figures of active guests, again and again."),
		.title_one = N_("Figures of %s"),
		.title_many = N_("Figures of %u guests"),
		.flags = VERB_REPEATS,
		.arguments = {ALL_GUESTS,
			OPTION("--count", ARGUMENT_NUMBER,
				N_("How many samples; none: until interrupted.")),
			OPTION("--interval", ARGUMENT_NUMBER, N_("Seconds between two samples."))},
		.report = report_top,
	},
	{
		.name = "log",
		.label = N_("Audit log"),
		.help = N_("Prints the audit log: who changed what, and what came of it."),
		.title_one = N_("Audit log %s"),
		.title_many = N_("Audit log of %u guests"),
		.arguments = {ALL_GUESTS, OPTION("--count", ARGUMENT_NUMBER,
						  N_("Only the newest lines, that many."))},
		.report = report_log,
	},
	{.name = NULL},
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (!strcmp(verb->name, name))
			return verb;
	return NULL;
}

static const char *value_word(const struct argument *argument)
{
	static const char *const words[] = {
		[ARGUMENT_TEXT] = "TEXT",
		[ARGUMENT_FILE] = "FILE",
		[ARGUMENT_NUMBER] = "NUMBER",
		[ARGUMENT_HOST] = "HOST",
		[ARGUMENT_DISKS] = "DISKS",
	};

	return argument->kind < G_N_ELEMENTS(words) && words[argument->kind] ? words[argument->kind]
									     : "GUEST";
}

static void append_argument(GString *usage, const struct argument *argument)
{
	bool option = g_str_has_prefix(argument->name, "--");

	g_string_append(usage, argument->optional ? " [" : " ");
	g_string_append(usage, argument->name);
	if (argument->kind == ARGUMENT_GUESTS || argument->kind == ARGUMENT_ASSIGNMENTS)
		g_string_append(usage, "...");
	if (argument->kind == ARGUMENT_CHOICE) {
		g_autofree char *choices = g_strjoinv("|", (char **)argument->choices);

		g_string_append_printf(usage, " %s", choices);
	} else if (option && argument->kind != ARGUMENT_FLAG) {
		g_string_append_printf(usage, " %s", value_word(argument));
	}
	if (argument->optional)
		g_string_append_c(usage, ']');
}

char *verb_usage(const struct verb *verb)
{
	GString *usage = g_string_new(verb->name);

	for (const struct argument *argument = verb->arguments; argument->name; argument++)
		append_argument(usage, argument);
	return g_string_free(usage, FALSE);
}

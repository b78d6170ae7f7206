// SPDX-License-Identifier: GPL-3.0-or-later
// The texts behind F1.
#pragma once

#include <glib/gi18n.h>

// clang-format off

#define HELP_GUESTS N_( \
	"Lodge shows the guests of all hypervisors it is connected to, and keeps their " \
	"figures fresh.\n\n" \
	"Tab goes between the list of hosts and the table. F1 always tells about what has " \
	"the focus; Shift-F1 lists the hotkeys; F7 opens what can be done, F12 the rest; ':' " \
	"takes commands.")

#define HELP_GUEST_TABLE N_( \
	"The guests of the host or group chosen at the left.\n\n" \
	"Enter opens a guest. Space marks it, '*' marks all; what you do next is done to all " \
	"that are marked, after one question that names them.\n" \
	"F7 opens what can be done, F10 starts or opens, F5 deletes, F3 adds, x shows the " \
	"XML, F6 resizes: '+' and '-' do so at once with vCPUs, '}' and '{' with memory.\n" \
	"'/' filters while you type, 's' and a letter sorts, 'c' chooses columns, Left and " \
	"Right scroll columns that do not fit, '<' and '>' size the column sorted by.\n\n" \
	"vCPU: now/most. CPU%: 100 is one whole CPU; the bar is the part of its own vCPUs. " \
	"Memory: used inside, when the guest tells, and given. Disk: bytes read and written " \
	"a second.\n" \
	"Grey rows are of a host that does not answer; the age of their data stands in CPU%.")

#define HELP_HOST_TREE N_( \
	"The hosts and the groups of their guests. What is chosen here is shown at the " \
	"right.\n\n" \
	"Right and Left open and close, Enter goes to the table. F2 tells about the host, F3 " \
	"adds a connection, F5 removes one, r tries again at once.\n\n" \
	"A host that does not answer is tried again by itself, with pauses that grow to a " \
	"minute.")

#define HELP_GUEST N_( \
	"One guest: choose a page at the left. F7 opens what can be done to it, F8 goes back.")

#define HELP_GUEST_TREE N_( \
	"The pages of this guest. The page at the right changes with the cursor; Enter goes " \
	"into it, F8 goes back to all guests.")

#define HELP_XML N_( \
	"The guest's definition, as libvirt keeps it.\n\n" \
	"'/' searches, n and N go to the next and the former hit; the arrow keys scroll, " \
	"also sideways.")

#define HELP_JOBS N_( \
	"Operations with their progress, newest first; messages; and the audit log, which " \
	"holds every change with its time, user, result and the virsh command that does the " \
	"same.\n\n" \
	"Enter or F2 shows all about the line under the cursor. F5 cancels a running " \
	"operation, where the hypervisor can.")

#define HELP_RESIZE N_( \
	"What the guest has now, and what it shall have. Up and Down go from line to line; type " \
	"a number, with a unit where you like, or use + and -; an empty limit means none.\n" \
	"Below stands what each change does, when it holds and the virsh command that does the " \
	"same, or why it cannot be. F4 raises what the guest can have at most, from its next " \
	"start on. F3 shows the less common lines.\n\n" \
	"F10 makes the changes one after the other and reads each back; the first that fails " \
	"stops the rest. F5 puts back what was changed last.\n" \
	"A guest gives memory back as fast as it can: that may take a while.")

#define HELP_SETTINGS N_( \
	"The settings are kept in lodge.conf in your configuration directory; see " \
	"lodge.conf(5). F10 saves and applies them, F9 drops what was changed.")
// clang-format on

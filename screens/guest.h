// SPDX-License-Identifier: GPL-3.0-or-later
// One guest: pages at the left, at the right its figures live, its parts, notes and XML.
#pragma once

#include "screens/console.h"

enum guest_page {
	GUEST_PAGE_OVERVIEW,
	GUEST_PAGE_VCPUS,
	GUEST_PAGE_DISKS,
	GUEST_PAGE_NICS,
	GUEST_PAGE_NOTES,
	GUEST_PAGE_XML,
	GUEST_PAGES
};

/// Opens with PAGE in front.
struct ui_screen *guest_screen_new(
	struct console *console, struct guest *guest, enum guest_page page);

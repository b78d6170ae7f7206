// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A small CD-ROM image for tests: an ISO 9660 file system (ECMA-119) with one file.
 */
#pragma once

/* Writes the image: volume is its label, up to 32 characters of A-Z, 0-9 and _; the file's name is
 * HELLO.TXT, and text, up to 2048 bytes, is what it holds. Fails the test on an error. */
void iso_write(const char *path, const char *volume, const char *text);

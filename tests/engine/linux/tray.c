// SPDX-License-Identifier: GPL-3.0-or-later
/* In the guest: tray open|close DEVICE moves the tray of a CD-ROM drive. */
#include <fcntl.h>
#include <linux/cdrom.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	int fd = argc == 3 ? open(argv[2], O_RDONLY | O_NONBLOCK) : -1;
	unsigned long request = fd >= 0 && strcmp(argv[1], "open") == 0 ? CDROMEJECT : CDROMCLOSETRAY;

	if (fd >= 0 && ioctl(fd, request, 0) == 0)
		return 0;
	perror("tray");
	return 1;
}

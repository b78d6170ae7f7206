// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Preloaded into a lodged: where it syncs a folder named "guests", it notes that in LODGE_GATE.log
 * (a letter each), and waits until there is a file LODGE_GATE.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_guests(int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return 0;
	path[length] = '\0';
	return strcmp(strrchr(path, '/'), "/guests") == 0;
}

static void wait_at(const char *gate)
{
	char log[PATH_MAX];
	int fd;

	snprintf(log, sizeof(log), "%s.log", gate);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || write(fd, "s", 1) != 1)
		abort();
	close(fd);
	while (access(gate, F_OK) < 0)
		usleep(10000);
}

int fsync(int fd)
{
	int (*real)(int fd) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	const char *gate = getenv("LODGE_GATE");

	if (gate && is_guests(fd))
		wait_at(gate);
	return real(fd);
}

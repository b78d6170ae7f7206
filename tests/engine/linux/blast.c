// SPDX-License-Identifier: GPL-3.0-or-later
/* blast ADDRESS: sends UDP datagrams of 1000 bytes there as fast as they go, until /tmp/stop is. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	static char bytes[1000];

	if (argc < 2 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 2;
	while (access("/tmp/stop", F_OK))
		for (int i = 0; i < 16; i++)
			if (sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
				usleep(1000);
	return 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
/* poke PORT VALUE: writes 32 bits to an I/O port. */
#include <stdlib.h>
#include <sys/io.h>

int main(int argc, char **argv)
{
	unsigned long port = argc == 3 ? strtoul(argv[1], NULL, 0) : 0;

	if (!port || ioperm(port, 4, 1))
		return 2;
	outl((unsigned)strtoul(argv[2], NULL, 0), (unsigned short)port);
	return 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How fast a libvirt server is, as its client sees it: defining, reading and counting many guests,
 * and starting some.
 *
 *	bench_lodged URI KERNEL PID FOLDER COUNT...
 *
 * Prints one line for each kind of call and number of guests. PID is the server's, for its memory.
 * KERNEL is a Multiboot file: some guests are started with it, with disks in FOLDER, which the caller
 * removes.
 */
#include <glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STARTED 5
#define ROUNDS 21

static double now_ms(void)
{
	return (double)g_get_monotonic_time() / 1000;
}

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

static void fail(const char *what)
{
	const virError *error = virGetLastError();

	fprintf(stderr, "bench_lodged: %s: %s\n", what, error ? error->message : "?");
	exit(1);
}

/* Where the guests' disks lie. */
static const char *folder;

static char *image(unsigned index)
{
	return g_strdup_printf("%s/bench%u.img", folder, index);
}

static char *definition(unsigned index, const char *kernel)
{
	g_autofree char *path = image(index);

	return g_strdup_printf(
		"<domain type='qemu'><name>bench%u</name>"
		"<uuid>00000000-0000-4000-9000-%012u</uuid>"
		"<title>Guest number %u</title><memory unit='MiB'>64</memory>"
		"<vcpu current='1'>2</vcpu><os><type arch='x86_64'>hvm</type><kernel>%s</kernel>"
		"<cmdline>b</cmdline></os><features><acpi/><apic/></features>"
		"<devices><disk type='file' device='disk'><driver name='qemu' type='raw'/>"
		"<source file='%s'/><target dev='vda' bus='virtio'/></disk>"
		"<interface type='user'><mac address='52:54:00:00:%02x:%02x'/>"
		"<model type='virtio'/></interface>"
		"<serial type='null'/><memballoon model='virtio'/></devices></domain>",
		index, index, index, kernel, path, index >> 8 & 0xff, index & 0xff);
}

static unsigned resident_kib(const char *pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%s/status", pid), *text = NULL;
	const char *line;

	if (!g_file_get_contents(path, &text, NULL, NULL) || !(line = strstr(text, "VmRSS:")))
		return 0;
	return (unsigned)strtoul(line + 6, NULL, 10);
}

static void define_all(virConnectPtr connection, virDomainPtr *guests, unsigned count,
	const char *kernel)
{
	double begun = now_ms();

	for (unsigned i = 0; i < count; i++) {
		g_autofree char *xml = definition(i, kernel);

		guests[i] = virDomainDefineXML(connection, xml);
		if (!guests[i])
			fail("define");
	}
	printf("define %u %.4f\n", count, (now_ms() - begun) / count);
}

static void read_all(virDomainPtr *guests, unsigned count)
{
	double begun = now_ms();

	for (unsigned i = 0; i < count; i++) {
		char *xml = virDomainGetXMLDesc(guests[i], 0);

		if (!xml)
			fail("dumpxml");
		free(xml);
	}
	printf("dumpxml %u %.4f\n", count, (now_ms() - begun) / count);
}

static double stats_ms(virConnectPtr connection)
{
	virDomainStatsRecordPtr *records = NULL;
	double begun = now_ms();

	if (virConnectGetAllDomainStats(
		    connection, 0, &records, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT) < 0)
		fail("domstats");
	virDomainStatsRecordListFree(records);
	return now_ms() - begun;
}

static void count_all(virConnectPtr connection, const char *name, unsigned count)
{
	double times[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++)
		times[i] = stats_ms(connection);
	printf("%s %u %.4f\n", name, count, median(times, ROUNDS));
}

static void list_all(virConnectPtr connection, unsigned count)
{
	double times[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		virDomainPtr *guests = NULL;
		double begun = now_ms();
		int found = virConnectListAllDomains(connection, &guests, 0);

		times[i] = now_ms() - begun;
		for (int j = 0; j < found; j++)
			virDomainFree(guests[j]);
		free(guests);
	}
	printf("list %u %.4f\n", count, median(times, ROUNDS));
}

static void make_image(unsigned index)
{
	g_autofree char *path = image(index);
	static const char zeros[1 << 20];

	g_file_set_contents(path, zeros, sizeof(zeros), NULL);
}

static void start_some(virConnectPtr connection, virDomainPtr *guests)
{
	double times[STARTED];

	for (unsigned i = 0; i < STARTED; i++) {
		double begun;

		make_image(i);
		begun = now_ms();
		if (virDomainCreate(guests[i]) < 0)
			fail("start");
		times[i] = now_ms() - begun;
	}
	printf("start 1 %.4f\n", median(times, STARTED));
	count_all(connection, "domstats-running", STARTED);
	for (unsigned i = 0; i < STARTED; i++)
		virDomainDestroy(guests[i]);
}

static void measure(virConnectPtr connection, const char *kernel, const char *pid, unsigned count)
{
	g_autofree virDomainPtr *guests = g_new0(virDomainPtr, count);

	define_all(connection, guests, count, kernel);
	read_all(guests, count);
	list_all(connection, count);
	count_all(connection, "domstats", count);
	printf("memory-KiB %u %u\n", count, resident_kib(pid));
	if (count <= 10)
		start_some(connection, guests);
	for (unsigned i = 0; i < count; i++) {
		virDomainUndefine(guests[i]);
		virDomainFree(guests[i]);
	}
}

int main(int argc, char **argv)
{
	virConnectPtr connection = argc > 5 ? virConnectOpen(argv[1]) : NULL;

	if (!connection)
		fail("URI KERNEL PID FOLDER COUNT...");
	folder = argv[4];
	for (int i = 5; i < argc; i++)
		measure(connection, argv[2], argv[3], (unsigned)atoi(argv[i]));
	virConnectClose(connection);
	return 0;
}

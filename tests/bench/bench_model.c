// SPDX-License-Identifier: GPL-3.0-or-later
// What 1,000 guests of libvirt's test driver cost the model: times, CPU, memory. Figures only.
#include "model/connection_private.h"
#include "model/model.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define GUESTS 1000
#define SECONDS 10

static void write_host(const char *path)
{
	g_autoptr(GString) xml = g_string_new("<node>\n");

	for (unsigned i = 0; i < GUESTS; i++)
		g_string_append_printf(xml,
			"<domain type='test'><name>web%u</name>"
			"<uuid>00000000-0000-4000-8000-%012u</uuid>"
			"<memory>4194304</memory><currentMemory>2097152</currentMemory>"
			"<vcpu current='2'>4</vcpu><os><type>hvm</type></os>"
			"<devices><disk type='file' device='disk'><source file='/guest/%u.img'/>"
			"<target dev='vda'/></disk></devices></domain>\n",
			i, i, i);
	g_string_append(xml, "</node>\n");
	g_file_set_contents(path, xml->str, -1, NULL);
}

static double cpu_seconds(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// Longest turn of the main loop while it runs, microseconds; the time in poll does not count.
static gint64 longest_turn;

static gint poll_apart(GPollFD *fds, guint count, gint timeout)
{
	static gint64 began;
	gint64 now = g_get_monotonic_time();
	gint result;

	if (began)
		longest_turn = MAX(longest_turn, now - began);
	result = g_poll(fds, count, timeout);
	began = g_get_monotonic_time();
	return result;
}

static long resident_kib(void)
{
	g_autofree char *text = NULL;
	const char *line;

	if (!g_file_get_contents("/proc/self/status", &text, NULL, NULL))
		return 0;
	line = g_strstr_len(text, -1, "VmRSS:");
	return line ? strtol(line + 6, NULL, 10) : 0;
}

static gboolean stop(gpointer data)
{
	*(bool *)data = true;
	return G_SOURCE_REMOVE;
}

static void measure_rest(void)
{
	double before = cpu_seconds(RUSAGE_SELF);
	bool over = false;

	longest_turn = 0;
	g_timeout_add_seconds(SECONDS, stop, &over);
	while (!over)
		g_main_context_iteration(NULL, TRUE);
	printf("model: CPU at one refresh a second: %.2f %% of a core\n",
		(cpu_seconds(RUSAGE_SELF) - before) / SECONDS * 100);
	printf("model: longest turn of the main loop: %.2f ms\n", (double)longest_turn / 1000);
	printf("model: resident: %.1f MiB\n", (double)resident_kib() / 1024);
}

static void measure_opening(struct connection *connection)
{
	gint64 began = g_get_monotonic_time();

	while (!connection->guests->len)
		g_main_context_iteration(NULL, TRUE);
	printf("model: first of %u guests after %.0f ms\n", GUESTS,
		(double)(g_get_monotonic_time() - began) / 1000);
	while (!connection->complete)
		g_main_context_iteration(NULL, TRUE);
	printf("model: all definitions after %.0f ms\n",
		(double)(g_get_monotonic_time() - began) / 1000);
	printf("model: longest turn of the main loop meanwhile: %.2f ms\n",
		(double)longest_turn / 1000);
}

int main(void)
{
	g_autofree char *folder = g_dir_make_tmp("lodge-bench-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "host.xml", NULL);
	g_autofree char *uri = g_strconcat("test://", path, NULL);
	struct settings *settings = settings_load(path, NULL);
	struct model *model;

	write_host(path);
	g_main_context_set_poll_func(NULL, poll_apart);
	model = model_new(settings, MODEL_READ_ONLY);
	measure_opening(model_add(model, uri, NULL));
	measure_rest();
	model_free(model);
	settings_free(settings);
	g_unlink(path);
	g_rmdir(folder);
	return 0;
}

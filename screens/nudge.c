// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "model/resize.h"
#include "screens/nudge.h"
#include "screens/resize_line.h"

/* A value of a guest on its way. Keys that come faster than the hypervisor follows move the goal;
 * what was sent is followed by what is then wanted. */
struct nudge {
	struct console *console;
	struct guest *guest; // held
	const char *name;    // "vcpus", "memory"
	gint64 sent, goal;   // in the plan's units
	bool good;           // the last one sent holds
	gint64 arrived;      // when the goal was reached, by the machine's clock; 0: under way
};

static GPtrArray *under_way; // struct nudge *

/* For so long after its end the goal is believed rather than what was read before. */
#define BELIEVED (2 * G_USEC_PER_SEC)

static void nudge_free(void *p)
{
	struct nudge *nudge = p;

	guest_unref(nudge->guest);
	g_free(nudge);
}

static void forget_old(void)
{
	gint64 now = g_get_monotonic_time();

	for (guint i = under_way ? under_way->len : 0; i-- > 0;) {
		const struct nudge *nudge = g_ptr_array_index(under_way, i);

		if (nudge->arrived && now > nudge->arrived + BELIEVED)
			g_ptr_array_remove_index_fast(under_way, i);
	}
}

static struct nudge *find(const struct guest *guest, const char *name)
{
	forget_old();
	for (guint i = 0; under_way && i < under_way->len; i++) {
		struct nudge *nudge = g_ptr_array_index(under_way, i);

		if (nudge->guest == guest && !strcmp(nudge->name, name))
			return nudge;
	}
	return NULL;
}

static void told(struct console *console, struct job *job, void *data)
{
	struct nudge *nudge = data;
	const struct job_step *step = g_ptr_array_index(job->steps, 0);

	nudge->good = step->state == JOB_DONE;
	if (nudge->good)
		ui_app_toast(console->app, UI_TOAST_GOOD, "%s: %s  %s", nudge->guest->name,
			step->output, step->command);
	else
		ui_app_toast(console->app, UI_TOAST_BAD, "%s",
			step->error ? step->error : nudge->guest->name);
}

static void send(struct nudge *nudge);

/* Also where it could not begin, and at the console's end. */
static void over(void *data)
{
	struct nudge *nudge = data;

	if (nudge->good && nudge->goal != nudge->sent && !nudge->guest->gone) {
		send(nudge);
		return;
	}
	if (nudge->good)
		nudge->arrived = g_get_monotonic_time();
	else
		g_ptr_array_remove_fast(under_way, nudge);
}

static void send(struct nudge *nudge)
{
	struct request *request = resize_request_by_name(
		nudge->console->model, nudge->guest, nudge->name, nudge->goal);

	nudge->sent = nudge->goal;
	nudge->good = false;
	nudge->arrived = 0;
	console_run_then(nudge->console, request, told, nudge, over);
}

static void go_to(const struct place *place, struct guest *guest, const char *name, gint64 goal)
{
	struct nudge *nudge = find(guest, name);

	if (nudge) {
		nudge->goal = goal;
		if (nudge->arrived)
			send(nudge);
		return;
	}
	nudge = g_new0(struct nudge, 1);
	*nudge = (struct nudge){.console = place->console,
		.guest = guest_ref(guest),
		.name = name,
		.goal = goal};
	if (!under_way)
		under_way = g_ptr_array_new_with_free_func(nudge_free);
	g_ptr_array_add(under_way, nudge);
	send(nudge);
}

/* What it is now, or will be once what is under way has arrived. */
static gint64 present(const struct guest *guest, const char *name, gint64 now)
{
	const struct nudge *nudge = find(guest, name);

	return nudge ? nudge->goal : now;
}

static void refuse(const struct place *place, char *why)
{
	ui_app_toast(place->console->app, UI_TOAST_WARN, "%s", why);
	g_free(why);
}

static void nudge_vcpus(const struct place *place, struct guest *guest, int by)
{
	gint64 goal = present(guest, "vcpus", guest->vcpus) + by;

	if (!guest->vcpus)
		refuse(place, g_strdup_printf(_("%s: its vCPUs are not known yet."), guest->name));
	else if (goal < 1)
		refuse(place, g_strdup_printf(_("%s needs one vCPU at least."), guest->name));
	else if (goal > guest->vcpus_max)
		refuse(place, g_strdup_printf(_("%s can have %u vCPUs at most: F6 raises that for "
						"the next start."),
				      guest->name, guest->vcpus_max));
	else
		go_to(place, guest, "vcpus", goal);
}

/* Up or down to the next whole step, and to the most where that is nearer. */
static gint64 stepped(const struct guest *guest, gint64 now, int by)
{
	gint64 most = (gint64)guest->memory_max, step = resize_memory_step(most);
	gint64 goal = by > 0 ? now / step * step + step : (now - 1) / step * step;

	return now < most ? MIN(goal, most) : goal;
}

static void nudge_memory(const struct place *place, struct guest *guest, int by)
{
	gint64 now = present(guest, "memory", (gint64)guest->memory / 1024) * 1024;
	gint64 goal = stepped(guest, now, by);
	bool used = guest_active(guest) && by < 0 && guest->memory_used > (double)goal;
	g_autofree char *size = NULL;

	if (!guest->memory) {
		refuse(place, g_strdup_printf(_("%s: its memory is not known yet."), guest->name));
	} else if (goal > (gint64)guest->memory_max) {
		size = format_size_long((double)guest->memory_max);
		refuse(place, g_strdup_printf(_("%s can have %s at most: F6 raises that for the "
						"next start."),
				      guest->name, size));
	} else if (goal <= 0 || used) {
		size = format_size_long(used ? guest->memory_used : (double)now);
		refuse(place, g_strdup_printf(_("%s uses %s: less can be had with F6."),
				      guest->name, size));
	} else {
		go_to(place, guest, "memory", goal / 1024);
	}
}

static void nudge_all(const struct place *place, int by,
	void (*nudge)(const struct place *place, struct guest *guest, int by))
{
	if (place->console->model->read_only) {
		refuse(place, g_strdup(_("Nothing is changed with --readonly.")));
		return;
	}
	for (guint i = 0; i < place->guests->len; i++)
		nudge(place, g_ptr_array_index(place->guests, i), by);
}

void nudge_vcpus_up(const struct place *place)
{
	nudge_all(place, 1, nudge_vcpus);
}

void nudge_vcpus_down(const struct place *place)
{
	nudge_all(place, -1, nudge_vcpus);
}

void nudge_memory_up(const struct place *place)
{
	nudge_all(place, 1, nudge_memory);
}

void nudge_memory_down(const struct place *place)
{
	nudge_all(place, -1, nudge_memory);
}

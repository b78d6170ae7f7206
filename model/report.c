// SPDX-License-Identifier: GPL-3.0-or-later
// The verbs that only tell: list, info, top, log.
#include "model/report.h"
#include "model/actions.h"

#include <glib/gi18n.h>
#include <string.h>

// ---- a table of text ---------------------------------------------------------------------------

// Columns a text takes on a terminal.
static unsigned width_of(const char *text)
{
	unsigned width = 0;

	for (; *text; text = g_utf8_next_char(text)) {
		gunichar c = g_utf8_get_char(text);

		width += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
	}
	return width;
}

// What comes from outside must not steer the terminal it is printed on.
static char *clean(const char *text)
{
	char *copy = g_utf8_make_valid(text ? text : "", -1);

	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = ' ';
	return copy;
}

struct text_table {
	GPtrArray *cells; // char *, row by row
	unsigned columns;
	const char *align; // one letter a column: l or r
};

static void add_cell(struct text_table *table, char *text)
{
	g_autofree char *taken = text;

	g_ptr_array_add(table->cells, clean(taken));
}

static void pad(GString *out, unsigned count)
{
	while (count--)
		g_string_append_c(out, ' ');
}

static void write_row(
	const struct text_table *table, unsigned row, const unsigned *widths, GString *out)
{
	for (unsigned i = 0; i < table->columns; i++) {
		const char *cell = table->cells->pdata[row * table->columns + i];
		unsigned space = widths[i] - width_of(cell);

		if (table->align[i] == 'r')
			pad(out, space);
		g_string_append(out, cell);
		if (i + 1 < table->columns) {
			if (table->align[i] == 'l')
				pad(out, space);
			pad(out, 2);
		}
	}
	g_string_append_c(out, '\n');
}

// Writes and empties the table.
static void write_table(struct text_table *table, GString *out)
{
	g_autofree unsigned *widths = g_new0(unsigned, table->columns);

	for (unsigned i = 0; i < table->cells->len; i++)
		widths[i % table->columns] =
			MAX(widths[i % table->columns], width_of(table->cells->pdata[i]));
	for (unsigned row = 0; row < table->cells->len / table->columns; row++)
		write_row(table, row, widths, out);
	g_ptr_array_unref(table->cells);
}

static struct text_table new_table(const char *const *headings, const char *align)
{
	struct text_table table = {
		g_ptr_array_new_with_free_func(g_free), (unsigned)strlen(align), align};

	for (unsigned i = 0; i < table.columns; i++)
		add_cell(&table, g_strdup(_(headings[i])));
	return table;
}

// ---- which guests ------------------------------------------------------------------------------

static bool wanted(const struct request *request, const struct guest *guest, bool active_only)
{
	const char *state = request_get(request, "--state");

	if (state && !strcmp(state, "active"))
		return guest_active(guest);
	if (state)
		return !strcmp(state, guest_state_name(guest));
	return !active_only || guest_active(guest);
}

// The guests a report is about: those named, else all. Borrowed.
static GPtrArray *choose(const struct request *request, bool active_only)
{
	GPtrArray *guests = g_ptr_array_new();
	GPtrArray *connections = request->model->connections;

	for (unsigned i = 0; i < request->guests->len; i++)
		if (wanted(request, request->guests->pdata[i], false))
			g_ptr_array_add(guests, request->guests->pdata[i]);
	for (unsigned i = 0; !request->guests->len && i < connections->len; i++) {
		const struct connection *connection = connections->pdata[i];

		for (unsigned k = 0; k < connection->guests->len; k++)
			if (wanted(request, connection->guests->pdata[k], active_only))
				g_ptr_array_add(guests, connection->guests->pdata[k]);
	}
	return guests;
}

static char *name_of(const struct request *request, const struct guest *guest)
{
	return request->model->connections->len > 1 ? guest_full_name(guest)
						    : g_strdup(guest->name);
}

static void report_json(const struct request *request, bool active_only,
	void (*add)(JsonBuilder *json, const struct guest *guest), GString *output)
{
	g_autoptr(JsonBuilder) json = json_builder_new();
	g_autoptr(GPtrArray) guests = choose(request, active_only);
	g_autofree char *text = NULL;

	json_builder_begin_array(json);
	for (unsigned i = 0; i < guests->len; i++)
		add(json, guests->pdata[i]);
	json_builder_end_array(json);
	text = json_text(json, request->verb->flags & VERB_REPEATS);
	g_string_append(output, text);
}

// ---- list --------------------------------------------------------------------------------------

static char *vcpus_of(const struct guest *guest)
{
	return guest->vcpus ? g_strdup_printf("%u/%u", guest->vcpus, guest->vcpus_max)
			    : g_strdup("-");
}

static double size_or_unknown(guint64 bytes)
{
	return bytes ? (double)bytes : NAN;
}

bool report_list(const struct request *request, GString *output, GError **error)
{
	static const char *const headings[] = {N_("Name"), N_("State"), N_("vCPU"), N_("Memory"),
		N_("Most"), N_("Autostart"), N_("Title")};
	struct text_table table;
	g_autoptr(GPtrArray) guests = NULL;

	if (request->json) {
		report_json(request, false, json_guest_brief, output);
		return true;
	}
	guests = choose(request, false);
	table = new_table(headings, "llrrrll");
	for (unsigned i = 0; i < guests->len; i++) {
		const struct guest *guest = guests->pdata[i];

		add_cell(&table, name_of(request, guest));
		add_cell(&table, g_strdup(guest_state_word(guest)));
		add_cell(&table, vcpus_of(guest));
		add_cell(&table, format_size(size_or_unknown(guest->memory)));
		add_cell(&table, format_size(size_or_unknown(guest->memory_max)));
		add_cell(&table, g_strdup(guest->autostart ? _("yes") : _("no")));
		add_cell(&table, g_strdup(guest->title));
	}
	write_table(&table, output);
	return true;
}

// ---- info --------------------------------------------------------------------------------------

static void add_line(GString *output, const char *label, char *value)
{
	g_autofree char *taken = value;
	g_autofree char *text = clean(taken);
	unsigned width = width_of(label) + 1;

	g_string_append_printf(output, "%s:", label);
	pad(output, width < 18 ? 18 - width : 1);
	g_string_append_printf(output, "%s\n", text);
}

static char *state_line(const struct guest *guest)
{
	const char *reason = guest_reason_words(guest);

	return reason ? g_strdup_printf("%s (%s)", guest_state_word(guest), reason)
		      : g_strdup(guest_state_word(guest));
}

static char *memory_line(const struct guest *guest)
{
	g_autofree char *used = format_size_long(guest->memory_used);
	g_autofree char *now = format_size_long(size_or_unknown(guest->memory));
	g_autofree char *most = format_size_long(size_or_unknown(guest->memory_max));

	return g_strdup_printf(_("%s in use, %s now, %s at most"), used, now, most);
}

static char *cpu_line(const struct guest *guest)
{
	g_autofree char *cpu = format_percent(guest->cpu);
	g_autofree char *host = format_percent(guest->cpu_host);
	g_autofree char *wait = format_percent(guest->wait);
	g_autofree char *steal = format_percent(guest->steal);

	return g_strdup_printf(_("%s %% of one, %s %% of the host; wait %s %%, steal %s %%"), cpu,
		host, wait, steal);
}

static char *uptime_line(const struct guest *guest)
{
	g_autofree char *uptime = format_duration(guest_uptime(guest));

	return guest->started_at_least ? g_strdup_printf(_("at least %s"), uptime)
				       : g_steal_pointer(&uptime);
}

static void add_disk_lines(GString *output, const struct guest *guest)
{
	for (unsigned i = 0; i < guest->disks->len; i++) {
		const struct guest_disk *disk = guest->disks->pdata[i];
		g_autofree char *label = g_strdup_printf(_("Disk %s"), disk->target);
		g_autofree char *size = format_size_long(size_or_unknown(disk->capacity));
		g_autofree char *read = format_rate_long(disk->read_rate);
		g_autofree char *write = format_rate_long(disk->write_rate);

		add_line(output, label,
			g_strdup_printf(_("%s, %s, read %s, write %s"),
				disk->source ? disk->source : _("empty"), size, read, write));
	}
}

static void add_nic_lines(GString *output, const struct guest *guest)
{
	for (unsigned i = 0; i < guest->nics->len; i++) {
		const struct guest_nic *nic = guest->nics->pdata[i];
		g_autofree char *rx = format_rate_long(nic->rx_rate);
		g_autofree char *tx = format_rate_long(nic->tx_rate);

		add_line(output, _("Network"),
			g_strdup_printf(_("%s on %s %s, received %s, sent %s"),
				nic->mac ? nic->mac : "-", nic->type ? nic->type : "-",
				nic->source ? nic->source : "", rx, tx));
	}
}

static void add_words_line(GString *output, const char *label, char **words)
{
	if (words[0])
		add_line(output, label, g_strjoinv(", ", words));
}

static void add_text_line(GString *output, const char *label, const char *text)
{
	if (text)
		add_line(output, label, g_strdup(text));
}

static void append_info(GString *output, const struct guest *guest)
{
	add_line(output, _("Name"), g_strdup(guest->name));
	add_line(output, _("Host"), g_strdup(guest->connection ? guest->connection->name : "-"));
	add_line(output, "UUID", g_strdup(guest->uuid));
	add_text_line(output, _("Title"), guest->title);
	add_text_line(output, _("Description"), guest->description);
	add_line(output, _("State"), state_line(guest));
	if (guest_active(guest))
		add_line(output, _("Running for"), uptime_line(guest));
	add_line(output, "vCPU", vcpus_of(guest));
	add_line(output, "CPU", cpu_line(guest));
	add_line(output, _("Memory"), memory_line(guest));
	add_disk_lines(output, guest);
	add_nic_lines(output, guest);
	add_line(output, _("Autostart"), g_strdup(guest->autostart ? _("yes") : _("no")));
	add_line(output, _("Kept when off"), g_strdup(guest->persistent ? _("yes") : _("no")));
	add_words_line(output, _("Groups"), guest->groups);
	add_words_line(output, _("Tags"), guest->tags);
	add_text_line(output, _("Notes"), guest->notes);
}

bool report_info(const struct request *request, GString *output, GError **error)
{
	if (request->json) {
		report_json(request, false, json_guest, output);
		return true;
	}
	for (unsigned i = 0; i < request->guests->len; i++) {
		if (i)
			g_string_append_c(output, '\n');
		append_info(output, request->guests->pdata[i]);
	}
	return true;
}

// ---- top ---------------------------------------------------------------------------------------

static void add_top_row(
	struct text_table *table, const struct request *request, const struct guest *guest)
{
	add_cell(table, name_of(request, guest));
	add_cell(table, g_strdup(guest_state_word(guest)));
	add_cell(table, vcpus_of(guest));
	add_cell(table, format_percent(guest->cpu));
	add_cell(table, format_percent(guest->wait));
	add_cell(table, format_percent(guest->steal));
	add_cell(table, format_size_pair(guest->memory_used, size_or_unknown(guest->memory)));
	add_cell(table, format_rate(guest->read_rate));
	add_cell(table, format_rate(guest->write_rate));
	add_cell(table, format_rate(guest->rx_rate));
	add_cell(table, format_rate(guest->tx_rate));
}

bool report_top(const struct request *request, GString *output, GError **error)
{
	static const char *const headings[] = {N_("Name"), N_("State"), N_("vCPU"), N_("CPU%"),
		N_("Wait"), N_("Steal"), N_("Memory"), N_("Read"), N_("Write"), N_("Rx"), N_("Tx")};
	struct text_table table;
	g_autoptr(GPtrArray) guests = NULL;

	if (request->json) {
		report_json(request, true, json_guest_figures, output);
		return true;
	}
	guests = choose(request, true);
	table = new_table(headings, "llrrrrrrrrr");
	for (unsigned i = 0; i < guests->len; i++)
		add_top_row(&table, request, guests->pdata[i]);
	write_table(&table, output);
	return true;
}

// ---- log ---------------------------------------------------------------------------------------

static bool about(const struct request *request, const struct audit_record *record)
{
	for (unsigned i = 0; i < request->guests->len; i++) {
		g_autofree char *name = guest_full_name(request->guests->pdata[i]);

		if (!strcmp(name, record->target))
			return true;
	}
	return !request->guests->len;
}

static void append_record(GString *output, const struct audit_record *record)
{
	g_autofree char *when = format_date(record->time);
	g_autofree char *user = clean(record->user);
	g_autofree char *target = clean(record->target);
	g_autofree char *result = clean(record->result);
	g_autofree char *verb = clean(record->verb);

	g_string_append_printf(output, "%s  %s  %s %s: %s\n", when, user, verb, target, result);
}

bool report_log(const struct request *request, GString *output, GError **error)
{
	const char *count = request_get(request, "--count");
	g_autoptr(GPtrArray) records = audit_read(
		request->model->audit, count ? (unsigned)g_ascii_strtod(count, NULL) : 0, error);
	g_autoptr(JsonBuilder) json = json_builder_new();
	g_autofree char *text = NULL;

	if (!records)
		return false;
	json_builder_begin_array(json);
	for (unsigned i = 0; i < records->len; i++) {
		if (!about(request, records->pdata[i]))
			continue;
		if (request->json)
			json_audit_record(json, records->pdata[i]);
		else
			append_record(output, records->pdata[i]);
	}
	json_builder_end_array(json);
	if (!request->json)
		return true;
	text = json_text(json, false);
	g_string_append(output, text);
	return true;
}

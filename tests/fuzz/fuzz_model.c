// SPDX-License-Identifier: GPL-3.0-or-later
// What reaches the model from outside: definitions, metadata, the records of the bulk call, lines
// at the prompt. The first byte of an input chooses.
#include "model/facts.h"
#include "model/metadata.h"
#include "model/model.h"
#include "model/sample.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char definition[] =
	"<domain type='kvm' id='1'><name>web</name><title>t</title><memory "
	"unit='KiB'>4194304</memory>"
	"<currentMemory>2097152</currentMemory><vcpu current='2'>4</vcpu><metadata>"
	"<lodge:guest xmlns:lodge='" METADATA_URI "'><lodge:group>a</lodge:group>"
	"<lodge:tag>b</lodge:tag><lodge:notes>c</lodge:notes></lodge:guest></metadata>"
	"<os><type>hvm</type></os><devices><disk type='file' device='disk'><source file='/x'/>"
	"<target dev='vda'/></disk><interface type='network'><mac address='52:54:00:00:00:01'/>"
	"<source network='n'/><target dev='vnet0'/></interface><memballoon model='virtio'/>"
	"</devices></domain>";

// The document with bytes of it replaced: each three bytes of input are a place and a value.
static char *mutate(const uint8_t *data, size_t size)
{
	char *text = g_strdup(definition);
	size_t length = strlen(text);

	for (size_t i = 0; i + 2 < size; i += 3) {
		size_t place = (data[i] | (size_t)data[i + 1] << 8) % length;

		text[place] = data[i + 2] ? (char)data[i + 2] : ' ';
	}
	return text;
}

static void try_definition(const uint8_t *data, size_t size)
{
	struct facts *facts = g_new0(struct facts, 1);
	g_autofree char *xml = mutate(data, size);

	facts->name = g_strdup("web");
	g_assert(facts_read_xml(facts, xml) == !facts->error);
	g_assert(facts->error || (facts->groups && facts->disks && facts->nics));
	facts_free(facts);
}

static void try_metadata(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autofree char *written = NULL;
	struct metadata metadata, again;

	metadata_parse(text, &metadata);
	written = metadata_write(&metadata);
	g_assert(metadata_parse(written, &again) == (written != NULL));
	g_assert(g_strv_equal(
		(const char *const *)metadata.groups, (const char *const *)again.groups));
	metadata_clear(&metadata);
	metadata_clear(&again);
}

static void try_record(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"vcpu.%u.time", "vcpu.%u.state", "block.%u.rd.bytes",
		"block.%u.name", "net.%u.rx.bytes", "net.%u", "balloon.current%.0u", "cpu.time%.0u",
		"state.state%.0u", "vcpu.current%.0u", "block.%u.%u", ".%u"};
	struct sample_guest guest;

	sample_guest_init(&guest);
	for (size_t i = 0; i + 7 < size; i += 8) {
		virTypedParameter param = {.type = data[i + 1] % 10};
		g_autofree char *text = g_strndup((const char *)data + i, 4);
		uint32_t index;

		memcpy(&index, data + i + 2, sizeof(index));
		g_snprintf(param.field, sizeof(param.field), names[data[i] % G_N_ELEMENTS(names)],
			data[i + 7] & 1 ? index : index % 5000, index);
		param.value.ul = (guint64)index << data[i + 6] % 33;
		if (param.type == VIR_TYPED_PARAM_STRING)
			param.value.s = text;
		sample_read(&guest, &param, 1);
	}
	g_assert(!guest.vcpu || guest.vcpu->len <= 4096);
	sample_guest_clear(&guest);
}

static void try_line(const uint8_t *data, size_t size)
{
	static struct model *model;
	g_autofree char *raw = g_strndup((const char *)data, size);
	g_autofree char *valid = g_utf8_make_valid(raw, -1);
	const struct verb *verb = &verbs[size ? data[0] % 18 : 0];
	g_autofree char *line = g_strconcat(verb->name, " ", valid, NULL);
	struct request *request;

	if (!model)
		model = model_new(settings_load("/nonexistent/lodge.conf", NULL), MODEL_READ_ONLY);
	request = request_parse_line(model, line, NULL, NULL);
	request_free(request);
	g_strfreev(verb_complete(model, line));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(const uint8_t *, size_t) = {
		try_definition, try_metadata, try_record, try_line};
	g_autofree char *text = NULL;
	guint64 bytes;

	if (!size)
		return 0;
	tries[data[0] % G_N_ELEMENTS(tries)](data + 1, size - 1);
	text = g_strndup((const char *)data, size);
	parse_size(text, 1, &bytes, NULL);
	return 0;
}

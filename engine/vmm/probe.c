// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/probe.h"

#include "engine/vmm/boot/image.h"
#include "engine/vmm/cpu/vcpu.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define PROBE_MEMORY (4u << 20)
#define PROBE_CODE 0x10000u
#define PROBE_DURATION_NS 100000000ull

/* Rounds are counted in ESI. */
#define INTEGER_INSTRUCTIONS 8
static const uint8_t integer_loop[] = {
	0x01, 0xc3,                   /* 1: add %eax, %ebx */
	0x31, 0xd8,                   /* xor %ebx, %eax */
	0x89, 0x5d, 0x00,             /* mov %ebx, (%ebp) */
	0xc1, 0xc0, 0x05,             /* rol $5, %eax */
	0x03, 0x55, 0x00,             /* add (%ebp), %edx */
	0x46,                         /* inc %esi */
	0x85, 0xf6,                   /* test %esi, %esi */
	0xeb, 0xee,                   /* jmp 1b */
};

static const uint8_t port_loop[] = {
	0xe6, 0xe9, /* 1: out %al, $0xe9 */
	0x46,       /* inc %esi */
	0xeb, 0xfb, /* jmp 1b */
};

enum { EBP = 5, ESI = 6 };

/* A machine of memory and one vCPU. */
struct bench {
	struct machine_lock lock;
	struct machine_clock *clock;
	struct vcpu_env env;
	struct vcpu_backend *backend;
	struct vcpu *cpu;
};

static void warn(void *data, const char *message)
{
}

static void bench_release(struct bench *bench)
{
	if (bench->cpu)
		bench->cpu->ops->free(bench->cpu);
	if (bench->backend)
		bench->backend->ops->close(bench->backend);
	bus_free(bench->env.ports);
	bus_free(bench->env.mmio);
	clock_free(bench->clock);
	memory_free(bench->env.memory);
	g_mutex_clear(&bench->lock.mutex);
}

static bool bench_init(struct bench *bench, const struct vcpu_backend_ops *ops, GError **error)
{
	memset(bench, 0, sizeof(*bench));
	g_mutex_init(&bench->lock.mutex);
	bench->env = (struct vcpu_env){
		.ports = bus_new("ports", &bench->lock),
		.mmio = bus_new("memory", &bench->lock),
		.lock = &bench->lock,
		.count = 1,
		.count_max = 1,
		.warn = warn,
	};
	bench->env.clock = bench->clock = clock_new(g_main_context_default(), &bench->lock, error);
	if (!bench->clock)
		return false;
	bench->env.memory = memory_new(PROBE_MEMORY, error);
	if (!bench->env.memory)
		return false;
	bench->backend = ops->open(&bench->env, error);
	if (!bench->backend)
		return false;
	bench->cpu = ops->vcpu_new(bench->backend, 0, error);
	return bench->cpu != NULL;
}

static void *kick_later(void *data)
{
	struct bench *bench = data;

	g_usleep(PROBE_DURATION_NS / 1000);
	vcpu_kick(bench->cpu);
	return NULL;
}

/* Rounds of a loop a second; 0 where the vCPU cannot run it. */
static uint64_t measure(struct bench *bench, const uint8_t *code, size_t length, char **error)
{
	struct vcpu_state state;
	uint64_t start;
	enum vcpu_exit why;
	GThread *thread;

	memory_write(bench->env.memory, PROBE_CODE, code, length);
	bench->cpu->ops->reset(bench->cpu);
	boot_state_protected(&state, PROBE_CODE);
	state.gpr[EBP] = 2 * PROBE_CODE;
	bench->cpu->ops->set_state(bench->cpu, &state);
	thread = g_thread_new("probe", kick_later, bench);
	start = clock_ns(bench->clock);
	why = vcpu_run(bench->cpu);
	start = clock_ns(bench->clock) - start;
	g_thread_join(thread);
	if (why != VCPU_EXIT_KICKED) {
		*error = g_strdup(bench->cpu->error ? bench->cpu->error : "");
		return 0;
	}
	bench->cpu->ops->get_state(bench->cpu, &state);
	return (uint64_t)((double)(state.gpr[ESI] & 0xffffffff) * 1e9 / (double)start);
}

bool probe_backend(unsigned index, struct probe_result *result)
{
	const struct vcpu_backend_ops *ops = vcpu_backends[index];
	g_autoptr(GError) error = NULL;
	struct bench bench;
	gint64 start = g_get_monotonic_time();

	memset(result, 0, sizeof(*result));
	if (!ops)
		return false;
	result->name = ops->name;
	if (bench_init(&bench, ops, &error)) {
		result->open_ns = (uint64_t)(g_get_monotonic_time() - start) * 1000;
		result->instructions = INTEGER_INSTRUCTIONS *
			measure(&bench, integer_loop, sizeof(integer_loop), &result->error);
		if (!result->error)
			result->exits = measure(&bench, port_loop, sizeof(port_loop), &result->error);
		result->works = !result->error;
	} else {
		result->error = g_strdup(error->message);
	}
	bench_release(&bench);
	return true;
}

void probe_result_clear(struct probe_result *result)
{
	g_clear_pointer(&result->error, g_free);
}

char *probe_json(void)
{
	g_autoptr(JsonBuilder) builder = json_builder_new();
	g_autoptr(JsonNode) root = NULL;
	g_autofree char *text = NULL;
	struct probe_result result;

	json_builder_begin_object(builder);
	for (unsigned i = 0; probe_backend(i, &result); i++) {
		json_builder_set_member_name(builder, result.name);
		json_builder_begin_object(builder);
		json_builder_set_member_name(builder, "works");
		json_builder_add_boolean_value(builder, result.works);
		if (result.works) {
			json_builder_set_member_name(builder, "instructions_per_second");
			json_builder_add_int_value(builder, (gint64)result.instructions);
			json_builder_set_member_name(builder, "exits_per_second");
			json_builder_add_int_value(builder, (gint64)result.exits);
			json_builder_set_member_name(builder, "open_ns");
			json_builder_add_int_value(builder, (gint64)result.open_ns);
		} else {
			json_builder_set_member_name(builder, "error");
			json_builder_add_string_value(builder, result.error);
		}
		json_builder_end_object(builder);
		probe_result_clear(&result);
	}
	json_builder_end_object(builder);
	root = json_builder_get_root(builder);
	text = json_to_string(root, TRUE);
	return g_strconcat(text, "\n", NULL);
}

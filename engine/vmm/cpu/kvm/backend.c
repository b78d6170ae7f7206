// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/cpu/kvm/kvm.h"
#include "engine/vmm/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool kvm_try(int fd, unsigned long request, void *argument, const char *what, GError **error)
{
	int code;

	if (ioctl(fd, request, argument) >= 0)
		return true;
	code = errno;
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
		_("KVM on this host cannot be used: %s failed: %s"), what, g_strerror(code));
	return false;
}

static void set_line(struct irq_router *router, unsigned gsi, bool level)
{
	struct kvm_backend *backend =
		(struct kvm_backend *)((char *)router - offsetof(struct kvm_backend, router));
	struct kvm_irq_level line = { .irq = gsi, .level = level };

	ioctl(backend->vm, KVM_IRQ_LINE, &line);
}

static void send_message(struct irq_router *router, uint64_t address, uint32_t data)
{
	struct kvm_backend *backend =
		(struct kvm_backend *)((char *)router - offsetof(struct kvm_backend, router));
	struct kvm_msi message = {
		.address_lo = (uint32_t)address,
		.address_hi = (uint32_t)(address >> 32),
		.data = data,
	};

	ioctl(backend->vm, KVM_SIGNAL_MSI, &message);
}

static const struct irq_router_ops router_ops = {
	.set = set_line,
	.message = send_message,
};

static int open_device(GError **error)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int code = errno;

	if (fd >= 0)
		return fd;
	if (code == ENOENT || code == ENODEV || code == ENXIO)
		g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
			_("This host has no KVM (there is no /dev/kvm): use the software CPU "
			  "(type='qemu')"));
	else if (code == EACCES || code == EPERM)
		g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
			_("You may not use KVM (/dev/kvm): join the group that owns it, or use the "
			  "software CPU (type='qemu')"));
	else
		g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
			_("/dev/kvm cannot be opened: %s; use the software CPU (type='qemu')"),
			g_strerror(code));
	return -1;
}

static bool check_capabilities(int kvm, const struct vcpu_env *env, GError **error)
{
	static const struct {
		int capability;
		const char *name;
	} needed[] = {
		{ KVM_CAP_IRQCHIP, "in-kernel irqchip" },
		{ KVM_CAP_PIT2, "in-kernel PIT" },
		{ KVM_CAP_SIGNAL_MSI, "MSI" },
		{ KVM_CAP_IRQ_ROUTING, "IRQ routing" },
		{ KVM_CAP_IMMEDIATE_EXIT, "immediate exit" },
		{ KVM_CAP_EXT_CPUID, "CPUID" },
	};

	if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS,
			_("/dev/kvm speaks another version of its interface"));
		return false;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(needed); i++)
		if (ioctl(kvm, KVM_CHECK_EXTENSION, needed[i].capability) <= 0) {
			g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS,
				_("KVM on this host is too old: it has no %s"), needed[i].name);
			return false;
		}
	if (ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS) < (int)env->count_max) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
			_("KVM on this host allows no %u vCPUs"), env->count_max);
		return false;
	}
	return true;
}

static bool add_memory(struct kvm_backend *backend, unsigned slot, uint64_t address, void *at,
	uint64_t size, GError **error)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = address,
		.memory_size = size,
		.userspace_addr = (uintptr_t)at,
	};

	return !size ||
		kvm_try(backend->vm, KVM_SET_USER_MEMORY_REGION, &region,
			"KVM_SET_USER_MEMORY_REGION", error);
}

/* As irq.h has it: GSI 0 is I/O APIC pin 2, GSI 2 goes nowhere. */
static bool set_routes(struct kvm_backend *backend, GError **error)
{
	g_autofree struct kvm_irq_routing *table =
		g_malloc0(sizeof(*table) + 2 * IRQ_LINES * sizeof(table->entries[0]));

	for (unsigned gsi = 0; gsi < IRQ_LINES; gsi++) {
		struct kvm_irq_routing_entry entry = { .gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP };

		if (gsi == 2)
			continue;
		if (gsi < 16) {
			entry.u.irqchip.irqchip = gsi < 8 ? KVM_IRQCHIP_PIC_MASTER
							  : KVM_IRQCHIP_PIC_SLAVE;
			entry.u.irqchip.pin = gsi % 8;
			table->entries[table->nr++] = entry;
		}
		entry.u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
		entry.u.irqchip.pin = gsi == 0 ? 2 : gsi;
		table->entries[table->nr++] = entry;
	}
	return kvm_try(backend->vm, KVM_SET_GSI_ROUTING, table, "KVM_SET_GSI_ROUTING", error);
}

/* MSRs the kernel does not know come to us, to be logged; without it the guest just gets its
 * fault. */
static void ask_for_unknown_msrs(struct kvm_backend *backend)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR,
		.args = { KVM_MSR_EXIT_REASON_UNKNOWN },
	};

	ioctl(backend->vm, KVM_ENABLE_CAP, &cap);
}

static bool save_chips(struct kvm_backend *backend, GError **error)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(backend->power_on.chip); i++) {
		backend->power_on.chip[i].chip_id = i;
		if (!kvm_try(backend->vm, KVM_GET_IRQCHIP, &backend->power_on.chip[i],
			    "KVM_GET_IRQCHIP", error))
			return false;
	}
	return kvm_try(backend->vm, KVM_GET_PIT2, &backend->power_on.pit, "KVM_GET_PIT2", error);
}

void kvm_chips_reset(struct kvm_backend *backend)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(backend->power_on.chip); i++)
		ioctl(backend->vm, KVM_SET_IRQCHIP, &backend->power_on.chip[i]);
	ioctl(backend->vm, KVM_SET_PIT2, &backend->power_on.pit);
}

static bool make_machine(struct kvm_backend *backend, GError **error)
{
	const struct guest_memory *mem = backend->env->memory;
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	__u64 identity = LAYOUT_KVM_IDENTITY;

	backend->vm = ioctl(backend->kvm, KVM_CREATE_VM, 0);
	if (backend->vm < 0)
		return kvm_try(backend->kvm, KVM_CREATE_VM, 0, "KVM_CREATE_VM", error);
	ask_for_unknown_msrs(backend);
	return kvm_try(backend->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity,
		       "KVM_SET_IDENTITY_MAP_ADDR", error) &&
		kvm_try(backend->vm, KVM_SET_TSS_ADDR, (void *)LAYOUT_KVM_TSS, "KVM_SET_TSS_ADDR",
			error) &&
		kvm_try(backend->vm, KVM_CREATE_IRQCHIP, NULL, "KVM_CREATE_IRQCHIP", error) &&
		kvm_try(backend->vm, KVM_CREATE_PIT2, &pit, "KVM_CREATE_PIT2", error) &&
		set_routes(backend, error) && save_chips(backend, error) &&
		add_memory(backend, 0, 0, mem->low, mem->low_size, error) &&
		add_memory(backend, 1, MEMORY_HIGH_START, mem->high, mem->high_size, error) &&
		add_memory(backend, 2, mem->region_start, mem->region, mem->region_size, error);
}

static void ignore_signal(int number)
{
}

static void backend_close(struct vcpu_backend *base)
{
	struct kvm_backend *backend = (struct kvm_backend *)base;

	if (backend->vm >= 0)
		close(backend->vm);
	if (backend->kvm >= 0)
		close(backend->kvm);
	g_free(backend->cpuid);
	g_free(backend);
}

static bool backend_init(struct kvm_backend *backend, GError **error)
{
	int size;

	backend->kvm = open_device(error);
	if (backend->kvm < 0 || !check_capabilities(backend->kvm, backend->env, error) ||
		!make_machine(backend, error))
		return false;
	size = ioctl(backend->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size < (int)sizeof(struct kvm_run))
		return kvm_try(-1, KVM_GET_VCPU_MMAP_SIZE, 0, "KVM_GET_VCPU_MMAP_SIZE", error);
	backend->run_size = (size_t)size;
	backend->cpuid = kvm_cpuid_new(backend->kvm, error);
	return backend->cpuid != NULL;
}

static struct vcpu_backend *backend_open(const struct vcpu_env *env, GError **error)
{
	struct kvm_backend *backend = g_new0(struct kvm_backend, 1);
	struct sigaction action = { .sa_handler = ignore_signal };

	backend->base.ops = &vcpu_backend_kvm;
	backend->base.router = &backend->router;
	backend->router.ops = &router_ops;
	backend->env = env;
	backend->kvm = backend->vm = -1;
	if (!backend_init(backend, error)) {
		backend_close(&backend->base);
		return NULL;
	}
	/* Without SA_RESTART: KVM_RUN must return. */
	sigaction(KVM_KICK_SIGNAL, &action, NULL);
	return &backend->base;
}

const struct vcpu_backend_ops vcpu_backend_kvm = {
	.name = "kvm",
	.open = backend_open,
	.vcpu_new = kvm_vcpu_new,
	.save = kvm_backend_save,
	.load = kvm_backend_load,
	.close = backend_close,
};

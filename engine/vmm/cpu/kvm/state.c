// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/cpu/kvm/kvm.h"

#include <string.h>
#include <sys/ioctl.h>

#define MSR_TSC 0x10
#define MSR_TSC_ADJUST 0x3b

/* KVM's registers in the manual's order. */
static void copy_gprs(struct kvm_regs *regs, uint64_t *gpr, bool out)
{
	__u64 *from[16] = { &regs->rax, &regs->rcx, &regs->rdx, &regs->rbx, &regs->rsp, &regs->rbp,
		&regs->rsi, &regs->rdi, &regs->r8, &regs->r9, &regs->r10, &regs->r11, &regs->r12,
		&regs->r13, &regs->r14, &regs->r15 };

	for (int i = 0; i < 16; i++)
		if (out)
			gpr[i] = *from[i];
		else
			*from[i] = gpr[i];
}

static struct vcpu_segment get_segment(const struct kvm_segment *from)
{
	return (struct vcpu_segment){
		.base = from->base,
		.limit = from->limit,
		.selector = from->selector,
		.attributes = from->type | from->s << 4 | from->dpl << 5 | from->present << 7 |
			from->avl << 12 | from->l << 13 | from->db << 14 | from->g << 15 |
			from->unusable << 16,
	};
}

static struct kvm_segment make_segment(const struct vcpu_segment *from)
{
	return (struct kvm_segment){
		.base = from->base,
		.limit = from->limit,
		.selector = from->selector,
		.type = from->attributes & 15,
		.s = from->attributes >> 4 & 1,
		.dpl = from->attributes >> 5 & 3,
		.present = from->attributes >> 7 & 1,
		.avl = from->attributes >> 12 & 1,
		.l = from->attributes >> 13 & 1,
		.db = from->attributes >> 14 & 1,
		.g = from->attributes >> 15 & 1,
		.unusable = from->attributes >> 16 & 1,
	};
}

/* The FXSAVE image (Intel SDM volume 1, table 10-2) and KVM's struct of the same. */
static void get_fpu(const struct kvm_fpu *fpu, uint8_t *image)
{
	memset(image, 0, 512);
	memcpy(image, &fpu->fcw, 2);
	memcpy(image + 2, &fpu->fsw, 2);
	image[4] = fpu->ftwx;
	memcpy(image + 6, &fpu->last_opcode, 2);
	memcpy(image + 8, &fpu->last_ip, 8);
	memcpy(image + 16, &fpu->last_dp, 8);
	memcpy(image + 24, &fpu->mxcsr, 4);
	memcpy(image + 32, fpu->fpr, sizeof(fpu->fpr));
	memcpy(image + 160, fpu->xmm, sizeof(fpu->xmm));
}

static void set_fpu(struct kvm_fpu *fpu, const uint8_t *image)
{
	memset(fpu, 0, sizeof(*fpu));
	memcpy(&fpu->fcw, image, 2);
	memcpy(&fpu->fsw, image + 2, 2);
	fpu->ftwx = image[4];
	memcpy(&fpu->last_opcode, image + 6, 2);
	memcpy(&fpu->last_ip, image + 8, 8);
	memcpy(&fpu->last_dp, image + 16, 8);
	memcpy(&fpu->mxcsr, image + 24, 4);
	memcpy(fpu->fpr, image + 32, sizeof(fpu->fpr));
	memcpy(fpu->xmm, image + 160, sizeof(fpu->xmm));
}

static void get_system(const struct kvm_sregs *sregs, struct vcpu_state *state)
{
	const struct kvm_segment *segments[] = { &sregs->es, &sregs->cs, &sregs->ss, &sregs->ds,
		&sregs->fs, &sregs->gs };

	for (int i = 0; i < 6; i++)
		state->segment[i] = get_segment(segments[i]);
	state->ldtr = get_segment(&sregs->ldt);
	state->tr = get_segment(&sregs->tr);
	state->gdtr = (struct vcpu_table){ sregs->gdt.base, sregs->gdt.limit };
	state->idtr = (struct vcpu_table){ sregs->idt.base, sregs->idt.limit };
	state->cr0 = sregs->cr0;
	state->cr2 = sregs->cr2;
	state->cr3 = sregs->cr3;
	state->cr4 = sregs->cr4;
	state->efer = sregs->efer;
}

static void set_system(struct kvm_sregs *sregs, const struct vcpu_state *state)
{
	struct kvm_segment *segments[] = { &sregs->es, &sregs->cs, &sregs->ss, &sregs->ds,
		&sregs->fs, &sregs->gs };

	for (int i = 0; i < 6; i++)
		*segments[i] = make_segment(&state->segment[i]);
	sregs->ldt = make_segment(&state->ldtr);
	sregs->tr = make_segment(&state->tr);
	sregs->gdt.base = state->gdtr.base;
	sregs->gdt.limit = state->gdtr.limit;
	sregs->idt.base = state->idtr.base;
	sregs->idt.limit = state->idtr.limit;
	sregs->cr0 = state->cr0;
	sregs->cr2 = state->cr2;
	sregs->cr3 = state->cr3;
	sregs->cr4 = state->cr4;
	sregs->efer = state->efer;
}

void kvm_vcpu_get_state(struct vcpu *base, struct vcpu_state *state)
{
	struct kvm_vcpu *cpu = (struct kvm_vcpu *)base;
	struct kvm_regs regs = { 0 };
	struct kvm_sregs sregs = { 0 };
	struct kvm_fpu fpu = { 0 };

	ioctl(cpu->fd, KVM_GET_REGS, &regs);
	ioctl(cpu->fd, KVM_GET_SREGS, &sregs);
	ioctl(cpu->fd, KVM_GET_FPU, &fpu);
	memset(state, 0, sizeof(*state));
	copy_gprs(&regs, state->gpr, true);
	state->rip = regs.rip;
	state->rflags = regs.rflags;
	get_system(&sregs, state);
	get_fpu(&fpu, state->fxsave);
}

void kvm_vcpu_set_state(struct vcpu *base, const struct vcpu_state *state)
{
	struct kvm_vcpu *cpu = (struct kvm_vcpu *)base;
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct kvm_regs regs = { .rip = state->rip, .rflags = state->rflags };
	struct kvm_sregs sregs = { 0 };
	struct kvm_fpu fpu;

	copy_gprs(&regs, (uint64_t *)state->gpr, false);
	/* The APIC's base, CR8 and pending interrupts stay. */
	ioctl(cpu->fd, KVM_GET_SREGS, &sregs);
	set_system(&sregs, state);
	set_fpu(&fpu, state->fxsave);
	ioctl(cpu->fd, KVM_SET_SREGS, &sregs);
	ioctl(cpu->fd, KVM_SET_REGS, &regs);
	ioctl(cpu->fd, KVM_SET_FPU, &fpu);
	ioctl(cpu->fd, KVM_SET_MP_STATE, &runnable);
}

bool kvm_move_msr(int fd, unsigned long request, struct kvm_msr_entry *entry)
{
	g_autofree struct kvm_msrs *one = g_malloc0(sizeof(*one) + sizeof(*entry));
	bool ok;

	one->nmsrs = 1;
	one->entries[0] = *entry;
	ok = ioctl(fd, request, one) == 1;
	*entry = one->entries[0];
	return ok;
}

struct kvm_msrs *kvm_read_msrs(const struct kvm_vcpu *cpu)
{
	g_autofree struct kvm_msr_list *list =
		g_malloc0(sizeof(*list) + KVM_MSRS_MAX * sizeof(list->indices[0]));
	struct kvm_msrs *msrs =
		g_malloc0(sizeof(*msrs) + KVM_MSRS_MAX * sizeof(msrs->entries[0]));

	list->nmsrs = KVM_MSRS_MAX;
	if (ioctl(cpu->backend->kvm, KVM_GET_MSR_INDEX_LIST, list) < 0)
		return msrs;
	for (unsigned i = 0; i < list->nmsrs; i++) {
		struct kvm_msr_entry entry = { .index = list->indices[i] };

		if (entry.index != MSR_TSC && entry.index != MSR_TSC_ADJUST &&
			kvm_move_msr(cpu->fd, KVM_GET_MSRS, &entry))
			msrs->entries[msrs->nmsrs++] = entry;
	}
	return msrs;
}

bool kvm_power_on_save(struct kvm_vcpu *cpu, GError **error)
{
	struct kvm_power_on *state = &cpu->power_on;

	state->msrs = kvm_read_msrs(cpu);
	return kvm_try(cpu->fd, KVM_GET_REGS, &state->regs, "KVM_GET_REGS", error) &&
		kvm_try(cpu->fd, KVM_GET_SREGS, &state->sregs, "KVM_GET_SREGS", error) &&
		kvm_try(cpu->fd, KVM_GET_FPU, &state->fpu, "KVM_GET_FPU", error) &&
		kvm_try(cpu->fd, KVM_GET_LAPIC, &state->lapic, "KVM_GET_LAPIC", error) &&
		kvm_try(cpu->fd, KVM_GET_MP_STATE, &state->mp_state, "KVM_GET_MP_STATE", error) &&
		kvm_try(cpu->fd, KVM_GET_VCPU_EVENTS, &state->events, "KVM_GET_VCPU_EVENTS",
			error) &&
		kvm_try(cpu->fd, KVM_GET_DEBUGREGS, &state->debugregs, "KVM_GET_DEBUGREGS", error) &&
		kvm_try(cpu->fd, KVM_GET_XCRS, &state->xcrs, "KVM_GET_XCRS", error);
}

void kvm_power_on_restore(struct kvm_vcpu *cpu)
{
	struct kvm_power_on *state = &cpu->power_on;

	/* The APIC's mode (in sregs) before its registers, which depend on it. */
	ioctl(cpu->fd, KVM_SET_SREGS, &state->sregs);
	ioctl(cpu->fd, KVM_SET_REGS, &state->regs);
	ioctl(cpu->fd, KVM_SET_FPU, &state->fpu);
	ioctl(cpu->fd, KVM_SET_XCRS, &state->xcrs);
	for (unsigned i = 0; i < state->msrs->nmsrs; i++)
		kvm_move_msr(cpu->fd, KVM_SET_MSRS, &state->msrs->entries[i]);
	ioctl(cpu->fd, KVM_SET_LAPIC, &state->lapic);
	ioctl(cpu->fd, KVM_SET_DEBUGREGS, &state->debugregs);
	ioctl(cpu->fd, KVM_SET_VCPU_EVENTS, &state->events);
	ioctl(cpu->fd, KVM_SET_MP_STATE, &state->mp_state);
}

char *kvm_vcpu_describe(struct kvm_vcpu *cpu)
{
	struct vcpu_state s;
	static const char *const names[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15" };
	GString *text = g_string_new(NULL);

	kvm_vcpu_get_state(&cpu->base, &s);
	g_string_append_printf(text, "rip %016lx  rflags %08lx  cr0 %08lx cr2 %016lx cr3 %016lx "
				     "cr4 %08lx efer %04lx",
		s.rip, s.rflags, s.cr0, s.cr2, s.cr3, s.cr4, s.efer);
	for (int i = 0; i < 16; i++)
		g_string_append_printf(text, "%s%-3s %016lx", i % 4 ? "  " : "\n", names[i],
			s.gpr[i]);
	g_string_append_printf(text, "\ncs %04x base %lx attributes %x  ss %04x  ds %04x",
		s.segment[1].selector, s.segment[1].base, s.segment[1].attributes,
		s.segment[2].selector, s.segment[3].selector);
	return g_string_free(text, FALSE);
}

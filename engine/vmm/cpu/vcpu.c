// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/cpu/vcpu.h"

const struct vcpu_backend_ops *const vcpu_backends[] = {
	&vcpu_backend_kvm,
	&vcpu_backend_soft,
	NULL,
};

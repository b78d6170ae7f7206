// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "engine/vmm/cpu/soft/fpstate.h"
#include "engine/vmm/cpu/soft/stub.h"

#include <string.h>

static uint32_t host_mxcsr(void)
{
	uint32_t value;

	__asm__ volatile("stmxcsr %0" : "=m"(value));
	return value;
}

static void set_host_mxcsr(uint32_t value)
{
	__asm__ volatile("ldmxcsr %0" : : "m"(value));
}

void soft_fp_reset(struct soft_fp *fp)
{
	if (!fp->stubs)
		fp->stubs = soft_stubs_new(NULL);
	soft_fp_park(fp);
	memset(fp->xmm, 0, sizeof(fp->xmm));
	memset(&fp->x87, 0, sizeof(fp->x87));
	fp->x87.fcw = 0x40;
	fp->x87.ftw = 0xff;
	fp->mxcsr = SOFT_MXCSR_DEFAULT;
	fp->x87_unmasked = true;
	fp->fop = fp->fcs = fp->fds = 0;
	fp->fip = fp->fdp = 0;
}

void soft_fp_free(struct soft_fp *fp)
{
	soft_fp_park(fp);
	g_clear_pointer(&fp->stubs, soft_stubs_free);
}

// The x87 half of the image is all that counts; the host's MXCSR goes through it unchanged, and its
// XMM registers hold nothing of ours between two instructions.
void soft_fp_use_x87_slow(struct soft_fp *fp)
{
	fp->x87.mxcsr = host_mxcsr();
	__asm__ volatile("fxrstor64 %0"
					 :
					 : "m"(fp->x87)
					 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
					 "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	fp->live |= SOFT_FP_X87;
}

void soft_fp_use_mxcsr_slow(struct soft_fp *fp)
{
	soft_stubs_enter(fp->stubs);
	set_host_mxcsr(fp->mxcsr);
	fp->live |= SOFT_FP_MXCSR;
}

void soft_fp_park_slow(struct soft_fp *fp)
{
	if (fp->live & SOFT_FP_X87)
		__asm__ volatile("fxsave64 %0; fninit" : "=m"(fp->x87));
	if (fp->live & SOFT_FP_MXCSR) {
		fp->mxcsr = host_mxcsr();
		set_host_mxcsr(SOFT_MXCSR_DEFAULT);
	}
	fp->live = 0;
}

void soft_fp_get(struct soft_fp *fp, struct soft_fx_image *image)
{
	soft_fp_park(fp);
	memset(image, 0, sizeof(*image));
	image->fcw = fp->x87.fcw;
	image->fsw = fp->x87.fsw;
	image->ftw = fp->x87.ftw;
	image->fop = fp->fop;
	image->fip = fp->fip;
	image->fdp = fp->fdp;
	image->mxcsr = fp->mxcsr;
	image->mxcsr_mask = SOFT_MXCSR_MASK;
	memcpy(image->st, fp->x87.st, sizeof(image->st));
	memcpy(image->xmm, fp->xmm, sizeof(image->xmm));
}

// Reserved bits of a control word read as the 387 left them.
static uint16_t loaded_control(uint16_t control)
{
	return (control & 0x1f3f) | 0x40;
}

// Loading a status word makes the processor work out ES and B anew.
static uint16_t loaded_status(uint16_t control, uint16_t status)
{
	bool pending = status & ~control & SOFT_FCW_EXCEPTIONS;

	return (status & 0x7f7f) | (pending ? 0x8000 | SOFT_FSW_ES : 0);
}

void soft_fp_set(struct soft_fp *fp, const struct soft_fx_image *image)
{
	soft_fp_park(fp);
	memset(&fp->x87, 0, sizeof(fp->x87));
	fp->x87.fcw = loaded_control(image->fcw);
	fp->x87.fsw = loaded_status(image->fcw, image->fsw);
	fp->x87.ftw = image->ftw;
	for (unsigned i = 0; i < 8; i++)
		memcpy(fp->x87.st[i], image->st[i], 10);
	fp->x87_unmasked = (image->fcw & SOFT_FCW_EXCEPTIONS) != SOFT_FCW_EXCEPTIONS;
	fp->fop = image->fop & 0x7ff;
	fp->fip = image->fip;
	fp->fdp = image->fdp;
	fp->fcs = fp->fds = 0;
	fp->mxcsr = image->mxcsr & SOFT_MXCSR_MASK;
	memcpy(fp->xmm, image->xmm, sizeof(fp->xmm));
}

// SPDX-License-Identifier: GPL-3.0-or-later
/* Entered by PVH: checks the start info, writes command line and first module to COM1. */
#include "guest.inc"

	.section .note.Xen, "a", @note
	.long 4, 4, 18
	.asciz "Xen"
	.long _start

	.text
	.globl _start
_start:
	movl $stack_end, %esp
	movl %ebx, %ebp
	cmpl $0x336ec578, (%ebx)
	jne bad
	cmpl $1, 4(%ebx)
	jb bad
	movl %cr0, %eax
	testl $1, %eax
	jz bad
	testl $0x80000000, %eax
	jnz bad
	/* bss is zero */
	cmpl $0, bss_word
	jne bad
	/* the RSDP's signature */
	movl 32(%ebx), %esi
	cmpl $0x20445352, (%esi)
	jne bad
	/* the memory map has entries, the first is RAM from 0 */
	cmpl $2, 48(%ebx)
	jb bad
	movl 40(%ebx), %esi
	cmpl $0, (%esi)
	jne bad
	cmpl $1, 16(%esi)
	jne bad

	movl 24(%ebx), %esi
	call print
	cmpl $1, 12(%ebp)
	jne no_module
	movl 16(%ebp), %esi
	movl (%esi), %esi
	call print
no_module:
	finish 5
bad:
	finish 9
	define_print

	.bss
	.balign 4096
bss_word:
	.skip 8192
stack_end:

// SPDX-License-Identifier: GPL-3.0-or-later
/* Entered by Multiboot: writes command line and modules to COM1. With ADDRESSES the header says
 * where the image belongs, for a file that is no ELF. */
#include "guest.inc"

#ifdef ADDRESSES
#define FLAGS 0x10003
#else
#define FLAGS 0x3
#endif

	.text
	.globl _start
header:
	.long 0x1badb002, FLAGS, -(0x1badb002 + FLAGS)
#ifdef ADDRESSES
	.long header, header, edata, end, _start
#endif
_start:
	movl $stack_end, %esp
	cmpl $0x2badb002, %eax
	jne bad
	movl %ebx, %ebp
	cmpl $0, bss_word
	jne bad
	/* memory, command line, modules, map */
	movl (%ebp), %eax
	andl $0x4d, %eax
	cmpl $0x4d, %eax
	jne bad
	cmpl $0, 8(%ebp)
	je bad
	movl 16(%ebp), %esi
	call print
	movl 20(%ebp), %ecx
	movl 24(%ebp), %edi
next:
	testl %ecx, %ecx
	jz done
	movl $separator, %esi
	call print
	movl 8(%edi), %esi
	call print
	movl $separator, %esi
	call print
	/* The tests' modules end with NUL. */
	movl (%edi), %esi
	call print
	addl $16, %edi
	decl %ecx
	jmp next
done:
	finish 5
bad:
	finish 9
	define_print
separator:
	.asciz "|"
	.balign 4
edata:
	.bss
	.balign 16
bss_word:
	.skip 4096
stack_end:
end:

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Included by guest programs: the common part of their handlers. */

	.section .rodata
	.balign 16
	.globl guest_start
	.hidden guest_start
guest_start:

	.code32
handler32:
	push %eax
	mov 4(%esp), %eax
	TRACE_EAX
	mov 8(%esp), %eax
	TRACE_EAX
	ss mov GUEST_RESUME, %eax
	test %eax, %eax
	jz 1f
	mov %eax, 12(%esp)
	ss movl $0, GUEST_RESUME
1:	pop %eax
	add $8, %esp
	iret
	HANDLERS 32

	.code64
handler64:
	push %rax
	mov 8(%rsp), %eax
	TRACE_EAX
	mov 16(%rsp), %eax
	TRACE_EAX
	mov GUEST_RESUME, %rax
	test %rax, %rax
	jz 1f
	mov %rax, 24(%rsp)
	movq $0, GUEST_RESUME
1:	pop %rax
	add $16, %rsp
	iretq
	HANDLERS 64

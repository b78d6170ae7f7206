// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/cpu/soft/soft.h"

/* Lets others have the world while one is stopping it. With the lock held and this vCPU counted as
 * running. */
static void wait_stopped(struct soft_machine *machine)
{
	if (!machine->world_stopped)
		return;
	machine->world_running--;
	g_cond_broadcast(&machine->world_cond);
	while (machine->world_stopped)
		g_cond_wait(&machine->world_cond, &machine->world_lock);
	machine->world_running++;
}

void soft_world_enter(struct soft_cpu *cpu)
{
	struct soft_machine *machine = cpu->machine;
	g_mutex_lock(&machine->world_lock);
	while (machine->world_stopped)
		g_cond_wait(&machine->world_cond, &machine->world_lock);
	machine->world_running++;
	g_mutex_unlock(&machine->world_lock);
}

void soft_world_leave(struct soft_cpu *cpu)
{
	struct soft_machine *machine = cpu->machine;
	g_mutex_lock(&machine->world_lock);
	machine->world_running--;
	g_cond_broadcast(&machine->world_cond);
	g_mutex_unlock(&machine->world_lock);
}

void soft_world_wait(struct soft_cpu *cpu)
{
	struct soft_machine *machine = cpu->machine;
	soft_unpost(cpu, SOFT_PENDING_PAUSE);
	g_mutex_lock(&machine->world_lock);
	wait_stopped(machine);
	g_mutex_unlock(&machine->world_lock);
}

void soft_world_stop(struct soft_cpu *cpu)
{
	struct soft_machine *machine = cpu->machine;
	g_mutex_lock(&machine->world_lock);
	wait_stopped(machine);
	machine->world_stopped = true;
	for (unsigned i = 0; i < VCPU_MAX; i++) {
		struct soft_cpu *other = machine->cpu[i];
		if (other && other != cpu)
			soft_post(other, SOFT_PENDING_PAUSE);
	}
	while (machine->world_running > 1)
		g_cond_wait(&machine->world_cond, &machine->world_lock);
	g_mutex_unlock(&machine->world_lock);
}

void soft_world_resume(struct soft_cpu *cpu)
{
	struct soft_machine *machine = cpu->machine;
	g_mutex_lock(&machine->world_lock);
	machine->world_stopped = false;
	g_cond_broadcast(&machine->world_cond);
	g_mutex_unlock(&machine->world_lock);
}

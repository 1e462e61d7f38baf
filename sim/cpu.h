/* What a host's software costs: a processor that is busy for stated times, and the account of where they went.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_CPU_H
#define SIM_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A host of a laboratory that has a `cpu` has ONE processor, which does one thing at a time, first come first served, each
 * thing to its end. Each thing has a cost of its own in virtual time, which is an input of the model and is written in the
 * scenario: nothing here was measured on a machine. What the model counts:
 *
 *   an application's call      syscall, + copy of its bytes between the application and the stack; on an SMC connection + smc_send
 *                              for a send; the call's effect comes when that time is over
 *   an application that slept  wakeup, before its next call; it then runs until it sleeps again, or its time slice is over and
 *                              another one waits
 *   a frame of IP, in or out   tcp_packet for the first of a burst, tcp_segment for each further one (what GRO and TSO save): the
 *                              stack sees it, or it leaves, when that time is over. A burst ends after 64 KiB, or when the
 *                              processor has caught up. A segment without data is always a tcp_segment: it is
 *                              made, or looked at, in the burst it acknowledges
 *   work that a device brings  interrupt, if the processor was idle (interrupts are off while it polls), + smc_receive for each
 *                              completion or signal of an RDMA or dibs device
 *   post                       each work request, and each CDC through a dibs device
 *   a move of a dibs device    bytes by the rate `move`, unless the peer's memory is mapped (no_copy)
 *
 * What it does not: caches, memory bandwidth shared with others, several processors, preemption in the middle of a call, the scheduler's choice, power
 * states, interrupt moderation by time. RDMA itself (placing bytes, ACKs) costs the processor nothing: the NIC does it. Integer
 * arithmetic only; the same costs give the same run. */

enum cpu_work { CPU_SYSCALL, CPU_COPY, CPU_WAKEUP, CPU_INTERRUPT, CPU_TCP, CPU_SMC, CPU_MOVE, CPU_WORKS };
/* "syscall", "copy" …; NULL beyond. */
const char *cpu_work_name(unsigned work);

struct cpu_costs { /* nanoseconds, and bytes a second (0: no time at all) */
    uint64_t syscall_ns, wakeup_ns, interrupt_ns;
    uint64_t tcp_packet_ns, tcp_segment_ns;
    uint64_t smc_send_ns, smc_receive_ns, post_ns;
    uint64_t copy_rate, move_rate;
};

enum { CPU_BURST_BYTES = 65536 };

struct cpu_burst {
    uint64_t until_ns;  /* the burst goes on for what comes before */
    uint64_t bytes;
};

struct cpu {
    struct cpu_costs costs;
    uint64_t free_ns;            /* busy until then */
    uint64_t spent_ns[CPU_WORKS];
    uint64_t rests_ns[2];        /* of divisions by the rates, so that many small copies cost what one long one does */
    struct cpu_burst in, out;
};

void cpu_init(struct cpu *cpu, const struct cpu_costs *costs);
/* Busy at this time? */
bool cpu_busy(const struct cpu *cpu, uint64_t now_ns);
/* Puts work behind what is to be done already; returns when it is done. Saturates far beyond any run. */
uint64_t cpu_spend(struct cpu *cpu, enum cpu_work work, uint64_t cost_ns, uint64_t now_ns);
/* The same for bytes at the rate `copy` (CPU_COPY) or `move` (CPU_MOVE). */
uint64_t cpu_spend_bytes(struct cpu *cpu, enum cpu_work work, uint64_t bytes, uint64_t now_ns);
/* A frame of the IP stack, in or out. `bare`: a segment of TCP that only acknowledges. */
uint64_t cpu_spend_frame(struct cpu *cpu, bool out, bool bare, size_t length, uint64_t now_ns);
/* Something came from a device: an interrupt if the processor is idle. */
uint64_t cpu_interrupt(struct cpu *cpu, uint64_t now_ns);
/* All work so far; what is begun counts as done. */
uint64_t cpu_total_ns(const struct cpu *cpu);

#ifdef __cplusplus
}
#endif

#endif

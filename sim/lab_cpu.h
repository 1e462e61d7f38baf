/* The processor of a laboratory's host: what waits for it, and what the host's parts ask of it.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_LAB_CPU_H
#define SIM_LAB_CPU_H

#include "sim/cpu.h"
#include "sim/lab.h"

#ifdef __cplusplus
extern "C" {
#endif

struct port;
struct lab_cpu;
struct lab_interface;

/* Frames that wait for the processor of a host; more are dropped, as from a full receive ring. */
enum { LAB_CPU_FRAMES = 8192 };

int lab_cpu_new(struct lab_host *host, const struct cpu_costs *costs, struct lab_cpu **out);
void lab_cpu_free(struct lab_cpu *cpu);
/* The port that the host's IP stack gets instead of `real`; it owns nothing of it. SMC_ERR_NOMEM. */
int lab_cpu_port(struct lab_cpu *cpu, struct port *real, struct port **out);
/* A frame for the IP stack: it comes there when its time is over. */
void lab_cpu_frame(struct lab_cpu *cpu, struct lab_interface *interface, const uint8_t *frame, size_t length);

/* The endpoint was woken from outside (a completion, a signal): it may run when that time is over. */
void lab_cpu_device(struct lab_cpu *cpu);
/* When the endpoint, which wants to run at next_ns, may. */
uint64_t lab_cpu_endpoint_ns(const struct lab_cpu *cpu, uint64_t next_ns);
/* Around its run: the first completion was paid before; the others, and what was posted, are paid behind. */
void lab_cpu_endpoint_begin(struct lab_cpu *cpu);
void lab_cpu_endpoint_end(struct lab_cpu *cpu);
/* Counts what the RDMA device was given and what it told. */
void lab_cpu_posted(struct lab_cpu *cpu, bool send);
void lab_cpu_polled(struct lab_cpu *cpu, unsigned completions);

/* An application's call may go on: false while the processor is busy (then something happens once it is not). Around the call
 * itself: begin and end, which pays for what the call posted. */
bool lab_cpu_may_call(struct lab_cpu *cpu);
void lab_cpu_begin(struct lab_cpu *cpu);
void lab_cpu_end(struct lab_cpu *cpu);
/* The costs of a call: bytes sent or received on this socket. Returns when it is over. */
uint64_t lab_cpu_call(struct lab_cpu *cpu, const struct lab_socket *socket, bool send, uint64_t bytes);
/* One application runs at a time. lab_cpu_enter: it wants to, and its `run` is called when it does (perhaps at once), with the time
 * at which its wakeup is over. lab_cpu_yields: it has had its time slice, and another one waits: it should leave and enter
 * again. lab_cpu_leave: it sleeps, or is no more; harmless if it neither runs nor waits. */
enum { LAB_CPU_SLICE_NS = 1000000 };
struct lab_cpu_turn {
    struct lab_cpu_turn *next;
    void (*run)(void *user, uint64_t at_ns);
    void *user;
    bool waits;
};
void lab_cpu_enter(struct lab_cpu *cpu, struct lab_cpu_turn *turn);
bool lab_cpu_yields(const struct lab_cpu *cpu, const struct lab_cpu_turn *turn);
void lab_cpu_leave(struct lab_cpu *cpu, struct lab_cpu_turn *turn);

/* For scripts and tests. NULL: the host has no such model. */
const struct cpu *lab_host_cpu(const struct lab_host *host);
uint64_t lab_host_cpu_dropped(const struct lab_host *host);

#ifdef __cplusplus
}
#endif

#endif

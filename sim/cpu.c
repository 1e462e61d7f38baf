/* The processor of a host: one queue of work, and the account of it.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/cpu.h"

#include <string.h>

#define SECOND_NS UINT64_C(1000000000)
#define LATEST_NS (UINT64_MAX / 4)

const char *cpu_work_name(unsigned work)
{
    static const char *const names[CPU_WORKS] = {"syscall", "copy", "wakeup", "interrupt", "tcp", "smc", "move"};
    return work < CPU_WORKS ? names[work] : NULL;
}

void cpu_init(struct cpu *cpu, const struct cpu_costs *costs)
{
    memset(cpu, 0, sizeof(*cpu));
    cpu->costs = *costs;
}

bool cpu_busy(const struct cpu *cpu, uint64_t now_ns)
{
    return cpu->free_ns > now_ns;
}

uint64_t cpu_spend(struct cpu *cpu, enum cpu_work work, uint64_t cost_ns, uint64_t now_ns)
{
    uint64_t begin = cpu->free_ns > now_ns ? cpu->free_ns : now_ns;
    if (begin > LATEST_NS || cost_ns > LATEST_NS)
        return begin;
    cpu->spent_ns[work] += cost_ns;
    cpu->free_ns = begin + cost_ns;
    return cpu->free_ns;
}

/* bytes × 10⁹ / rate. The rest is kept for the next time. */
static uint64_t time_of(uint64_t bytes, uint64_t rate, uint64_t *rest)
{
    if (rate == 0)
        return 0;
    if (rate > UINT64_MAX / 2 || bytes > UINT64_MAX / 2 / SECOND_NS) /* no rate of a memory; more than any call has */
        return LATEST_NS;
    uint64_t scaled = bytes * SECOND_NS + *rest;
    *rest = scaled % rate;
    return scaled / rate;
}

uint64_t cpu_spend_bytes(struct cpu *cpu, enum cpu_work work, uint64_t bytes, uint64_t now_ns)
{
    bool move = work == CPU_MOVE;
    uint64_t cost = time_of(bytes, move ? cpu->costs.move_rate : cpu->costs.copy_rate, &cpu->rests_ns[move]);
    return cpu_spend(cpu, work, cost, now_ns);
}

/* Frames that come while earlier ones of the burst are still being worked on are merged with them. */
uint64_t cpu_spend_frame(struct cpu *cpu, bool out, bool bare, size_t length, uint64_t now_ns)
{
    struct cpu_burst *burst = out ? &cpu->out : &cpu->in;
    if (bare)
        return cpu_spend(cpu, CPU_TCP, cpu->costs.tcp_segment_ns, now_ns);
    bool merged = burst->until_ns > now_ns && burst->bytes + length <= CPU_BURST_BYTES;
    burst->bytes = merged ? burst->bytes + length : length;
    burst->until_ns = cpu_spend(cpu, CPU_TCP, merged ? cpu->costs.tcp_segment_ns : cpu->costs.tcp_packet_ns, now_ns);
    return burst->until_ns;
}

uint64_t cpu_interrupt(struct cpu *cpu, uint64_t now_ns)
{
    return cpu_spend(cpu, CPU_INTERRUPT, cpu_busy(cpu, now_ns) ? 0 : cpu->costs.interrupt_ns, now_ns);
}

uint64_t cpu_total_ns(const struct cpu *cpu)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < CPU_WORKS; i++)
        total += cpu->spent_ns[i];
    return total;
}

/* Makes the faults of a plan strike and end at their times, and connections begin.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "devices/dibs_parts.h"
#include "devices/roce.h"

#include <string.h>

static bool message_meant(void *user, const struct net_frame_info *info)
{
    const struct explore_message *m = ((struct explore_match *)user)->message;
    if (m->clc >= 0)
        return info->clc_type == m->clc;
    if (m->tcp_flags != 0)
        return (info->tcp_flags & m->tcp_flags) != 0;
    if (m->opcode >= 0)
        return info->roce && info->opcode == m->opcode;
    if (info->message < 0 || (m->llc == 0xfe ? info->message != 0xfe : (info->message & 0xdf) != m->llc))
        return false;
    return m->response < 0 || ((info->llc_flags & 0x80) != 0) == (m->response != 0);
}

static struct fault_plan *plan_of(struct explore_run *run, const struct explore_fault *f, unsigned dir)
{
    if (f->dir != 0 && f->dir != dir + 1)
        return NULL;
    return net_link_faults(lab_link_net(run->links[f->where]), dir == 0 ? NET_A_TO_B : NET_B_TO_A);
}

static void set_rates(struct explore_run *run, const struct explore_fault *f, bool on)
{
    struct fault_rates rates = {.loss = (uint32_t)f->p, .duplicate = (uint32_t)f->q, .reorder = (uint32_t)f->r, .corrupt = (uint32_t)f->s,
                                .corrupt_deep = (uint32_t)f->t, .reorder_ns = 200 * SIM_US};
    for (unsigned dir = 0; dir < 2; dir++) {
        struct fault_plan *plan = plan_of(run, f, dir);
        if (plan != NULL)
            (void)fault_set_rates(plan, on ? &rates : NULL);
    }
}

static void add_rule(struct explore_run *run, const struct explore_fault *f, unsigned index)
{
    run->matches[index].message = &explore_messages[f->p];
    struct fault_rule rule = {.action = f->t ? FAULT_DUPLICATE : f->s != 0 ? FAULT_DELAY : FAULT_DROP,
                              .match = message_meant,
                              .user = &run->matches[index],
                              .skip = (uint32_t)f->q,
                              .count = (uint32_t)(f->r != 0 ? f->r : 1),
                              .delay_ns = f->s};
    for (unsigned dir = 0; dir < 2; dir++) {
        struct fault_plan *plan = plan_of(run, f, dir);
        if (plan != NULL)
            (void)fault_add(plan, &rule);
    }
}

static void partition(struct explore_run *run, const struct explore_fault *f, bool on)
{
    for (unsigned dir = 0; dir < 2; dir++) {
        struct fault_plan *plan = plan_of(run, f, dir);
        if (plan != NULL)
            fault_partition(plan, on);
    }
}

static void device_name(const struct explore_fault *f, char out[48])
{
    snprintf(out, 48, "%s.%s", explore_host_names[f->where / 10], explore_device_kinds[f->where % 10]);
}

static void roce_fault(struct explore_run *run, const struct explore_fault *f, bool on)
{
    struct lab_interface *nic = run->nics[f->where / 10][f->where % 10];
    struct roce_fault rule = {.what = (enum roce_fault_what)f->p, .operations = (unsigned)f->q, .first = (uint32_t)f->r,
                              .every = f->s > 1, .times = (uint32_t)f->s, .argument = f->t};
    if (!on)
        (void)lab_interface_add_fault(nic, NULL);
    else
        (void)lab_interface_add_fault(nic, &rule);
}

static void dibs_fault(struct explore_run *run, const struct explore_fault *f, bool on)
{
    char name[48];
    device_name(f, name);
    struct dibs_faults *faults = lab_dibs_faults(run->lab, name);
    if (faults == NULL)
        return;
    if (f->kind == EXPLORE_FAULT_DIBS_SLOW) {
        faults->hold_until_ns = on ? f->until : 0;
        faults->event_copies = on ? (uint32_t)f->p : 0;
    } else if (on) {
        (void)dibs_faults_add(faults, (enum dibs_fault_point)f->p, (uint32_t)f->q, (uint32_t)f->r, -(int)f->s);
    } else {
        faults->count = 0;
    }
}

static void present(struct explore_run *run, const struct explore_fault *f, bool on)
{
    char name[48];
    run->device_gone |= !on;
    if (run->licence.killed[f->where / 10])
        return;
    if (on)
        run->back[f->where / 10] |= f->kind == EXPLORE_FAULT_ROCE_GONE ? 1u << SMC_MODE_R : 1u << SMC_MODE_D;
    if (f->kind == EXPLORE_FAULT_ROCE_GONE) {
        (void)lab_interface_roce_present(run->nics[f->where / 10][f->where % 10], on);
    } else {
        device_name(f, name);
        (void)lab_dibs_present(run->lab, name, on);
    }
}

static void kill_host(struct explore_run *run, unsigned host)
{
    if (run->kills >> host & 1)
        return;
    run->kills |= 1u << host;
    explore_saw(run, EXPLORE_HOST_KILLED);
    (void)lab_host_kill(run->hosts[host]);
}

static void turn(struct explore_run *run, unsigned index, bool on)
{
    const struct explore_fault *f = &run->plan->faults[index];
    switch ((enum explore_fault_kind)f->kind) {
    case EXPLORE_FAULT_RATES: set_rates(run, f, on); break;
    case EXPLORE_FAULT_MESSAGE:
        if (on)
            add_rule(run, f, index);
        break;
    case EXPLORE_FAULT_FLAP: (void)lab_link_up(run->links[f->where], !on); break;
    case EXPLORE_FAULT_PARTITION: partition(run, f, on); break;
    case EXPLORE_FAULT_ROCE_GONE:
    case EXPLORE_FAULT_DIBS_GONE: present(run, f, !on); break;
    case EXPLORE_FAULT_ROCE: roce_fault(run, f, on); break;
    case EXPLORE_FAULT_DIBS:
    case EXPLORE_FAULT_DIBS_SLOW: dibs_fault(run, f, on); break;
    case EXPLORE_FAULT_KILL:
        if (on)
            kill_host(run, (unsigned)f->where);
        break;
    case EXPLORE_FAULT_MEMORY:
        if (on)
            explore_memory_arm(&run->memory, f);
        else
            explore_memory_disarm(&run->memory);
        break;
    case EXPLORE_FAULT_COUNT: break;
    }
}

static void begin_fault(void *ctx, uint64_t now_ns)
{
    const struct explore_step *s = ctx;
    (void)now_ns;
    explore_sample(s->run);
    turn(s->run, s->index, true);
}

static void end_fault(void *ctx, uint64_t now_ns)
{
    const struct explore_step *s = ctx;
    (void)now_ns;
    turn(s->run, s->index, false);
}

static void begin_connection(void *ctx, uint64_t now_ns)
{
    const struct explore_step *s = ctx;
    (void)now_ns;
    explore_connect(s->run, s->index);
}

/* Faults first, so that those at time 0 are there when the first connection begins. */
bool explore_schedule(struct explore_run *run)
{
    const struct explore_plan *p = run->plan;
    struct explore_step *s = run->steps;
    int error = 0;
    for (unsigned i = 0; i < p->fault_count && error == 0; i++) {
        *s = (struct explore_step){.run = run, .index = i};
        error = sim_at(run->sim, p->faults[i].at, begin_fault, s);
        if (error == 0)
            error = sim_at(run->sim, p->faults[i].until, end_fault, s);
        s++;
    }
    for (unsigned i = 0; i < p->conn_count && error == 0; i++) {
        *s = (struct explore_step){.run = run, .index = i};
        error = sim_at(run->sim, p->conns[i].start, begin_connection, s++);
    }
    if (error != 0)
        explore_fail(run, "the plan cannot be built", "out of memory");
    return error == 0;
}

/* Whatever is still wrong ends: what overlapping faults left, what rules hold. */
void explore_heal(struct explore_run *run)
{
    const struct explore_plan *p = run->plan;
    explore_memory_disarm(&run->memory);
    for (unsigned i = 0; i < p->link_count; i++) {
        struct net_link *link = lab_link_net(run->links[i]);
        for (int d = NET_A_TO_B; d <= NET_B_TO_A; d++) {
            fault_clear(net_link_faults(link, (enum net_direction)d));
            (void)net_link_let_go(link, (enum net_direction)d, 0);
        }
        if (!net_link_is_up(link))
            (void)lab_link_up(run->links[i], true);
    }
    for (unsigned i = 0; i < p->fault_count; i++) {
        uint64_t kind = p->faults[i].kind;
        if (kind == EXPLORE_FAULT_ROCE_GONE || kind == EXPLORE_FAULT_DIBS_GONE || kind == EXPLORE_FAULT_ROCE || kind == EXPLORE_FAULT_DIBS ||
            kind == EXPLORE_FAULT_DIBS_SLOW)
            turn(run, i, false);
    }
}

/* Plans near another: the same hosts and wires, with a few other numbers, and a fault more or less.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "plan_draw.h"

#include "sim/engine.h"

#include <string.h>

/* Bugs lie beside bugs. Only such numbers change as leave what the plan may legally end in: who talks to whom and how each side ends
 * stays, and how hard a fault strikes. */

static uint64_t *one_of(struct sim_random *r, uint64_t *const *values, unsigned n)
{
    return values[explore_below(r, n)];
}

/* A little more or less; never below 0. */
static uint64_t moved(struct sim_random *r, uint64_t value)
{
    uint64_t by = explore_spread(r, SIM_US, 10 * SIM_MS);
    return explore_one_in(r, 2) ? value + by : value > by ? value - by : 0;
}

static void change_link(struct sim_random *r, struct explore_link *l)
{
    static const uint64_t rates[] = {20, 50, 100, 200, 1000, 10000};
    if (explore_one_in(r, 2))
        l->rate = rates[explore_below(r, 6)] * 1000000;
    else
        l->delay = explore_spread(r, 1000, 1000000);
}

static void change_conn(struct sim_random *r, struct explore_conn *c)
{
    struct explore_side *s = &c->side[explore_below(r, 2)];
    switch (explore_below(r, 4)) {
    case 0: c->start = moved(r, c->start); break;
    case 1: s->bytes = explore_one_in(r, 2) ? s->bytes / 2 : explore_spread(r, 1, 1 << 20); break;
    case 2: *one_of(r, (uint64_t *const[]){&s->chunk, &s->read}, 2) = explore_one_in(r, 2) ? 0 : explore_spread(r, 512, 65536); break;
    default: *one_of(r, (uint64_t *const[]){&s->read_delay, &s->write_delay}, 2) = explore_one_in(r, 2) ? 0 : explore_spread(r, 1000, 1000000);
    }
}

static void strike_elsewhere(struct sim_random *r, const struct explore_plan *p, struct explore_fault *f)
{
    if (f->kind == EXPLORE_FAULT_ROCE || f->kind == EXPLORE_FAULT_ROCE_GONE) {
        uint64_t host = explore_below(r, p->host_count);
        f->where = 10 * host + explore_below(r, p->hosts[host].nics);
    } else if (f->kind <= EXPLORE_FAULT_PARTITION) {
        f->where = explore_below(r, p->link_count);
    }
}

static void change_fault(struct sim_random *r, const struct explore_plan *p, struct explore_fault *f)
{
    switch (explore_below(r, 4)) {
    case 0: f->at = moved(r, f->at); break;
    case 1: f->until = moved(r, f->until); break;
    case 2: strike_elsewhere(r, p, f); break;
    default:
        if (f->kind == EXPLORE_FAULT_ROCE)
            *one_of(r, (uint64_t *const[]){&f->r, &f->s}, 2) = 1 + explore_below(r, 6);
        else if (f->kind == EXPLORE_FAULT_MESSAGE)
            f->q = explore_below(r, 6);
    }
    if (f->until < f->at)
        f->until = f->at;
}

/* One that is there strikes once more, at another time or place. */
static void add_fault(struct sim_random *r, struct explore_plan *p)
{
    if (p->fault_count == 0 || p->fault_count == EXPLORE_FAULTS)
        return;
    struct explore_fault *f = &p->faults[p->fault_count];
    *f = p->faults[explore_below(r, p->fault_count++)];
    uint64_t length = f->until - f->at;
    f->at = moved(r, f->at);
    f->until = f->at + length;
    strike_elsewhere(r, p, f);
}

static void drop_fault(struct sim_random *r, struct explore_plan *p)
{
    if (p->fault_count < 2)
        return;
    uint64_t gone = explore_below(r, p->fault_count);
    memmove(&p->faults[gone], &p->faults[gone + 1], (--p->fault_count - gone) * sizeof(p->faults[0]));
}

static void change(struct sim_random *r, struct explore_plan *p)
{
    switch (explore_below(r, 12)) {
    case 0: p->net_seed = sim_random_next(r); break;
    case 1:
    case 2:
    case 3:
        if (p->link_count > 0)
            change_link(r, &p->links[explore_below(r, p->link_count)]);
        break;
    case 4:
    case 5:
    case 6:
        if (p->conn_count > 0)
            change_conn(r, &p->conns[explore_below(r, p->conn_count)]);
        break;
    case 7: add_fault(r, p); break;
    case 8: drop_fault(r, p); break;
    default:
        if (p->fault_count > 0)
            change_fault(r, p, &p->faults[explore_below(r, p->fault_count)]);
    }
}

void explore_near(const struct explore_plan *base, uint64_t seed, struct explore_plan *out)
{
    struct sim_random r;
    char problem[256];
    sim_random_init(&r, seed, "near");
    do {
        *out = *base;
        out->seed = seed;
        for (uint64_t n = 1 + explore_below(&r, 5); n > 0; n--)
            change(&r, out);
    } while (!explore_plan_check(out, problem));
}

/* Makes a failing plan simpler: leaves out what is not needed, and turns numbers to zero or halves them.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "campaign.h"

#include <smc/error.h>

#include <stdlib.h>
#include <string.h>

struct shrinking {
    struct explore_shrunk *best;
    struct explore_plan *candidate;
    unsigned budget;
    bool progress;
};

/* Keeps the candidate if it fails in the same way. */
static bool try_it(struct shrinking *s)
{
    struct explore_outcome outcome;
    char problem[256];
    if (s->best->tried >= s->budget || !explore_plan_check(s->candidate, problem))
        return false;
    s->best->tried++;
    if (explore_run_apart(s->candidate, NULL, &outcome) != 0 || !outcome.failed || strcmp(outcome.kind, s->best->outcome.kind) != 0)
        return false;
    s->best->plan = *s->candidate;
    s->best->outcome = outcome;
    s->best->kept++;
    s->progress = true;
    return true;
}

static void begin(struct shrinking *s)
{
    *s->candidate = s->best->plan;
}

/* ---- leaving out ---- */
static void drop_range(void *list, unsigned *count, size_t size, unsigned from, unsigned n)
{
    char *p = list;
    memmove(p + from * size, p + (from + n) * size, (*count - from - n) * size);
    *count -= n;
    memset(p + *count * size, 0, n * size);
}

/* Halves first, then single ones, as a bisection would. */
static void drop_from(struct shrinking *s, size_t list, size_t count_at, size_t size, unsigned least)
{
    const unsigned *count = (const unsigned *)(const void *)((const char *)&s->best->plan + count_at);
    for (unsigned n = *count > 1 ? *count / 2 : 1; n > 0; n /= 2) {
        for (unsigned from = 0; from + n <= *count && *count >= least + n;) {
            begin(s);
            drop_range((char *)s->candidate + list, (unsigned *)(void *)((char *)s->candidate + count_at), size, from, n);
            if (!try_it(s))
                from += n;
        }
    }
}

/* The last host, if nobody talks to it. */
static void drop_hosts(struct shrinking *s)
{
    while (s->best->plan.host_count > 2) {
        begin(s);
        struct explore_plan *p = s->candidate;
        unsigned last = --p->host_count;
        memset(&p->hosts[last], 0, sizeof(p->hosts[last]));
        for (unsigned i = 0; i < p->link_count;) {
            if (p->links[i].a < 100 && p->links[i].a / 10 == last)
                drop_range(p->links, &p->link_count, sizeof(p->links[0]), i, 1);
            else
                i++;
        }
        if (!try_it(s))
            return;
    }
}

/* ---- numbers ---- */
static void simplify(struct shrinking *s, size_t offset, uint64_t plainest)
{
    uint64_t *value = (uint64_t *)(void *)((char *)s->candidate + offset);
    const uint64_t *best = (const uint64_t *)(const void *)((const char *)&s->best->plan + offset);
    if (*best <= plainest)
        return;
    begin(s);
    *value = plainest;
    if (try_it(s))
        return;
    while (*best / 2 > plainest) {
        begin(s);
        *value = *best / 2;
        if (!try_it(s))
            return;
    }
}

static void simplify_all(struct shrinking *s, size_t offset, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        simplify(s, offset + i * sizeof(uint64_t), 0);
}

#define AT(member) offsetof(struct explore_plan, member)

static void simplify_faults(struct shrinking *s)
{
    for (unsigned i = 0; i < s->best->plan.fault_count; i++) {
        size_t at = AT(faults) + i * sizeof(struct explore_fault);
        const struct explore_fault *f = &s->best->plan.faults[i];
        if (f->kind == EXPLORE_FAULT_RATES)
            for (unsigned r = 0; r < 5; r++)
                simplify(s, at + offsetof(struct explore_fault, p) + r * sizeof(uint64_t), 0);
        simplify(s, at + offsetof(struct explore_fault, until), f->at);
        simplify(s, at + offsetof(struct explore_fault, at), 0);
    }
}

static void simplify_conns(struct shrinking *s)
{
    for (unsigned i = 0; i < s->best->plan.conn_count; i++) {
        size_t at = AT(conns) + i * sizeof(struct explore_conn);
        simplify(s, at + offsetof(struct explore_conn, start), 0);
        simplify(s, at + offsetof(struct explore_conn, plain), 0);
        simplify(s, at + offsetof(struct explore_conn, fast_open), 0);
        simplify_all(s, at + offsetof(struct explore_conn, side), 2 * explore_side_fields.count);
    }
}

/* Hosts of different address families, or VLANs, could not talk at all. */
static bool is_common(const char *field)
{
    return strcmp(field, "ipv6") == 0 || strcmp(field, "vlan") == 0;
}

static void simplify_common(struct shrinking *s)
{
    begin(s);
    for (unsigned i = 0; i < s->candidate->host_count; i++)
        s->candidate->hosts[i].ipv6 = 0;
    if (s->best->plan.hosts[0].ipv6 != 0)
        (void)try_it(s);
    begin(s);
    for (unsigned i = 0; i < s->candidate->host_count; i++)
        s->candidate->hosts[i].vlan = 0;
    if (s->best->plan.hosts[0].vlan != 0)
        (void)try_it(s);
}

static void simplify_rest(struct shrinking *s)
{
    simplify(s, AT(settle), 0);
    simplify(s, AT(xoff), 0);
    simplify(s, AT(ecn), 0);
    simplify_common(s);
    for (unsigned i = 0; i < s->best->plan.host_count; i++)
        for (unsigned f = 0; f < explore_host_fields.count; f++)
            if (strcmp(explore_host_fields.names[f], "nics") != 0 && !is_common(explore_host_fields.names[f]))
                simplify(s, AT(hosts) + i * sizeof(struct explore_host) + f * sizeof(uint64_t), 0);
    for (unsigned i = 0; i < s->best->plan.link_count; i++)
        simplify_all(s, AT(links) + i * sizeof(struct explore_link) + 2 * sizeof(uint64_t), explore_link_fields.count - 2);
}

void explore_shrink(const struct explore_plan *plan, const struct explore_outcome *outcome, unsigned budget, struct explore_shrunk *out)
{
    struct shrinking s = {.best = out, .candidate = malloc(sizeof(*s.candidate)), .budget = budget, .progress = true};
    out->plan = *plan;
    out->outcome = *outcome;
    out->tried = out->kept = 0;
    while (s.candidate != NULL && s.progress && out->tried < budget) {
        s.progress = false;
        drop_from(&s, AT(conns), AT(conn_count), sizeof(struct explore_conn), 1);
        drop_from(&s, AT(faults), AT(fault_count), sizeof(struct explore_fault), 0);
        drop_hosts(&s);
        simplify_faults(&s);
        simplify_conns(&s);
        simplify_rest(&s);
    }
    free(s.candidate);
}

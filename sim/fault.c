/* Decides what goes wrong: partition, rules, chance, in this order.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/fault.h"

#include "sim/hash.h"

#include <string.h>

enum { MILLION = 1000000, PROTO_TCP = 6, PROTO_ICMPV6 = 58 };

static void start_stream(struct sim_random *r, uint64_t seed, const char *name, const char *concern)
{
    sim_random_init(r, sim_hash_64(name, strlen(name), seed), concern);
}

void fault_init(struct fault_plan *plan, const struct smc_alloc *alloc, uint64_t seed,
                const char *name)
{
    memset(plan, 0, sizeof *plan);
    plan->alloc = alloc;
    plan->next_number = 1;
    start_stream(&plan->loss, seed, name, "loss");
    start_stream(&plan->duplicate, seed, name, "duplicate");
    start_stream(&plan->reorder, seed, name, "reorder");
    start_stream(&plan->corrupt, seed, name, "corrupt");
    start_stream(&plan->jitter, seed, name, "jitter");
}

void fault_free(struct fault_plan *plan)
{
    smc_alloc_release(plan->alloc, plan->rules, plan->capacity, sizeof *plan->rules);
    plan->rules = NULL;
    plan->nrules = plan->capacity = 0;
}

int fault_set_rates(struct fault_plan *plan, const struct fault_rates *rates)
{
    static const struct fault_rates none;
    if (rates == NULL)
        rates = &none;
    if (rates->loss > MILLION || rates->duplicate > MILLION || rates->reorder > MILLION ||
        rates->corrupt > MILLION || rates->corrupt_deep > MILLION)
        return SMC_ERR_ARGUMENT;
    plan->rates = *rates;
    return 0;
}

void fault_partition(struct fault_plan *plan, bool on)
{
    plan->partitioned = on;
}

int fault_add(struct fault_plan *plan, const struct fault_rule *rule)
{
    if (plan->nrules == FAULT_RULES_MAX)
        return SMC_ERR_NOSPACE;
    if (plan->nrules == plan->capacity) {
        uint32_t more = plan->capacity > 0 ? plan->capacity * 2 : 4;
        struct fault_entry *rules =
            smc_alloc_grow(plan->alloc, plan->rules, plan->capacity, more, sizeof *rules);
        if (rules == NULL)
            return SMC_ERR_NOMEM;
        plan->rules = rules;
        plan->capacity = more;
    }
    plan->rules[plan->nrules++] = (struct fault_entry){.number = plan->next_number, .rule = *rule};
    return (int)plan->next_number++;
}

static struct fault_entry *find(const struct fault_plan *plan, uint32_t number)
{
    for (uint32_t i = 0; i < plan->nrules; i++)
        if (plan->rules[i].number == number)
            return &plan->rules[i];
    return NULL;
}

static void remove_entry(struct fault_plan *plan, struct fault_entry *e)
{
    size_t behind = plan->nrules - (size_t)(e - plan->rules) - 1;
    memmove(e, e + 1, behind * sizeof *e);
    plan->nrules--;
}

int fault_remove(struct fault_plan *plan, uint32_t number)
{
    struct fault_entry *e = find(plan, number);
    if (e == NULL)
        return SMC_ERR_NOTFOUND;
    remove_entry(plan, e);
    return 0;
}

void fault_clear(struct fault_plan *plan)
{
    plan->partitioned = false;
    plan->nrules = 0;
    memset(&plan->rates, 0, sizeof plan->rates);
}

int64_t fault_taken(const struct fault_plan *plan, uint32_t number)
{
    const struct fault_entry *e = find(plan, number);
    return e == NULL ? SMC_ERR_NOTFOUND : (int64_t)e->taken;
}

bool fault_is_active(const struct fault_plan *plan)
{
    const struct fault_rates *r = &plan->rates;
    return plan->partitioned || plan->nrules > 0 || r->loss || r->duplicate || r->reorder ||
           r->corrupt || r->corrupt_deep || r->jitter_ns;
}

/* ---- deciding ---- */

/* Bits that a checksum covers, or the frame is damaged as a whole. Eight neighbouring bits at most: a
 * ones' complement sum of 16-bit words always notices those, so what passes it is a bug of the receiver. */
static void corrupt_deeply(struct fault_plan *plan, const struct net_frame_info *info,
                           struct fault_verdict *out)
{
    bool covered = info->l4 != 0 && info->payload_end > info->l4 &&
                   (info->ip_protocol == PROTO_TCP || info->ip_protocol == PROTO_ICMPV6 ||
                    info->roce);
    if (!covered) {
        out->corrupt = true;
        plan->counts.corrupted++;
        return;
    }
    out->flip_at = (uint32_t)sim_random_range(&plan->corrupt, info->l4, info->payload_end - 1u);
    out->flip = (uint8_t)sim_random_range(&plan->corrupt, 1, 255);
    plan->counts.flipped++;
}

static void apply_rule(struct fault_plan *plan, const struct fault_entry *e,
                       const struct net_frame_info *info, struct fault_verdict *out)
{
    out->rule = e->number;
    plan->counts.by_rules++;
    switch (e->rule.action) {
    case FAULT_DROP:
        out->drop = true;
        plan->counts.lost++;
        break;
    case FAULT_DUPLICATE:
        out->duplicate = true;
        out->copy_late_ns = e->rule.delay_ns;
        plan->counts.duplicated++;
        break;
    case FAULT_CORRUPT:
        out->corrupt = true;
        plan->counts.corrupted++;
        break;
    case FAULT_CORRUPT_DEEP:
        corrupt_deeply(plan, info, out);
        break;
    case FAULT_DELAY:
        out->late_ns = e->rule.delay_ns;
        out->overtaken = true;
        plan->counts.reordered++;
        break;
    case FAULT_HOLD:
        out->hold = true;
        out->late_ns = e->rule.delay_ns;
        plan->counts.held++;
        break;
    case FAULT_PASS:
        break;
    }
}

static bool rule_meets(struct fault_rule *rule, const struct net_frame_info *info)
{
    if (rule->match == NULL)
        return true;
    bool own = rule->match == net_frame_matches && rule->user == NULL;
    return rule->match(own ? &rule->pattern : rule->user, info);
}

static bool ask_rules(struct fault_plan *plan, const struct net_frame_info *info,
                      struct fault_verdict *out)
{
    for (uint32_t i = 0; i < plan->nrules; i++) {
        struct fault_entry *e = &plan->rules[i];
        if (!rule_meets(&e->rule, info) || e->seen++ < e->rule.skip)
            continue;
        e->taken++;
        apply_rule(plan, e, info, out);
        if (e->rule.count != 0 && e->taken == e->rule.count)
            remove_entry(plan, e);
        return true;
    }
    return false;
}

static void ask_chance(struct fault_plan *plan, const struct net_frame_info *info,
                       struct fault_verdict *out)
{
    const struct fault_rates *r = &plan->rates;
    if (sim_random_chance(&plan->loss, r->loss, MILLION)) {
        out->drop = true;
        plan->counts.lost++;
        return;
    }
    if (sim_random_chance(&plan->corrupt, r->corrupt, MILLION)) {
        out->corrupt = true;
        plan->counts.corrupted++;
    } else if (sim_random_chance(&plan->corrupt, r->corrupt_deep, MILLION)) {
        corrupt_deeply(plan, info, out);
    }
    if (sim_random_chance(&plan->duplicate, r->duplicate, MILLION)) {
        out->duplicate = true;
        out->copy_late_ns = sim_random_range(&plan->duplicate, 0, r->reorder_ns);
        plan->counts.duplicated++;
    }
    if (r->jitter_ns > 0)
        out->late_ns = sim_random_range(&plan->jitter, 0, r->jitter_ns);
    if (sim_random_chance(&plan->reorder, r->reorder, MILLION)) {
        out->late_ns += sim_random_range(&plan->reorder, 0, r->reorder_ns);
        out->overtaken = true;
        plan->counts.reordered++;
    }
}

void fault_decide(struct fault_plan *plan, const uint8_t *bytes, size_t length,
                  struct fault_verdict *out)
{
    struct net_frame_info info;
    memset(out, 0, sizeof *out);
    plan->counts.frames++;
    if (plan->partitioned) {
        out->drop = true;
        plan->counts.partitioned++;
        return;
    }
    bool look = plan->nrules > 0 || plan->rates.corrupt_deep > 0;
    if (look)
        net_frame_classify(bytes, length, &info);
    if (plan->nrules > 0 && ask_rules(plan, &info, out))
        return;
    if (!look) /* only corruption looks */
        info.l4 = 0;
    ask_chance(plan, &info, out);
}

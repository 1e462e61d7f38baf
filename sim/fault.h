/* What goes wrong on one direction of a link: by chance, by rule, or altogether.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include "sim/network_frame.h"
#include "sim/random.h"

#include <smc/alloc.h>
#include <smc/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A plan decides about one frame after the other; the network carries it out. Each kind of chance has a
 * random stream of its own, named after the link: turning one on does not change when another strikes.
 * A frame first meets the partition, then the rules in the order of their numbers (the first that takes
 * it decides alone), then chance. */

/* Chances are frames in a million. */
struct fault_rates {
    uint32_t loss;
    uint32_t duplicate;    /* comes twice */
    uint32_t reorder;      /* is late by up to reorder_ns, so that others overtake it */
    uint32_t corrupt;      /* bad FCS: takes its time on the wire and is dropped by whoever receives it */
    uint32_t corrupt_deep; /* one to eight neighbouring bits flipped, behind the link layer, with a good
                            * FCS: TCP's checksum or the ICRC has to catch it. Frames without either
                            * (ARP …) get a bad FCS instead */
    uint64_t reorder_ns;
    uint64_t jitter_ns;    /* every frame is late by up to this, in order */
};

enum fault_action {
    FAULT_DROP,
    FAULT_DUPLICATE,
    FAULT_CORRUPT,
    FAULT_CORRUPT_DEEP,
    FAULT_DELAY, /* by delay_ns; others overtake it */
    FAULT_HOLD,  /* until net_link_let_go(), or for delay_ns if that is not 0 */
    FAULT_PASS,  /* unharmed, whatever other rules and chance would do */
};

struct fault_rule {
    enum fault_action action;
    net_frame_match match; /* NULL: every frame */
    void *user;            /* of match, borrowed as long as the rule is there */
    struct net_frame_pattern pattern; /* used instead when match is net_frame_matches and user NULL */
    uint32_t skip;         /* lets this many that match go by */
    uint32_t count;        /* then takes this many and is gone; 0: all from then on */
    uint64_t delay_ns;
};

/* What happens to a frame. */
struct fault_verdict {
    bool drop, duplicate, corrupt, hold;
    uint32_t rule;      /* the rule that decided, 0: none */
    uint64_t late_ns;   /* beyond the delay of the link */
    bool overtaken;     /* later frames do not wait for it */
    uint32_t flip_at;   /* deep corruption: offset, and the bits; flip 0: none */
    uint8_t flip;
    uint64_t copy_late_ns; /* of the duplicate */
};

struct fault_counts {
    uint64_t frames, lost, duplicated, reordered, corrupted, flipped, held, partitioned;
    uint64_t by_rules;
};

enum { FAULT_RULES_MAX = 256 };

struct fault_entry {
    uint32_t number, seen, taken;
    struct fault_rule rule;
};

struct fault_plan {
    const struct smc_alloc *alloc;
    struct fault_rates rates;
    bool partitioned;
    struct fault_counts counts;
    struct sim_random loss, duplicate, reorder, corrupt, jitter; /* one stream a concern */
    struct fault_entry *rules;
    uint32_t nrules, capacity, next_number;
};

/* Nothing goes wrong. The streams are those of `name` in the run `seed`. */
void fault_init(struct fault_plan *plan, const struct smc_alloc *alloc, uint64_t seed,
                const char *name);
void fault_free(struct fault_plan *plan);
/* Replaces all rates; NULL: nothing by chance. SMC_ERR_ARGUMENT: more than a million. */
int fault_set_rates(struct fault_plan *plan, const struct fault_rates *rates);
/* Nothing passes; rules and chance are not asked. */
void fault_partition(struct fault_plan *plan, bool on);
/* Returns the rule's number, 1 or more. SMC_ERR_NOMEM; SMC_ERR_NOSPACE: FAULT_RULES_MAX are there. */
int fault_add(struct fault_plan *plan, const struct fault_rule *rule);
/* SMC_ERR_NOTFOUND: gone already. What it holds stays held. */
int fault_remove(struct fault_plan *plan, uint32_t number);
/* No partition, no rates, no rules. */
void fault_clear(struct fault_plan *plan);
/* How many frames a rule took; SMC_ERR_NOTFOUND when it is gone (it took all it wanted, or was removed). */
int64_t fault_taken(const struct fault_plan *plan, uint32_t number);
/* Something can happen to a frame at all. */
bool fault_is_active(const struct fault_plan *plan);

void fault_decide(struct fault_plan *plan, const uint8_t *bytes, size_t length,
                  struct fault_verdict *out);

#ifdef __cplusplus
}
#endif

#endif

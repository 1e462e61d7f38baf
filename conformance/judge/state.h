/* The inside of the judge, shared by its framework files; checks use check.h.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef JUDGE_STATE_H
#define JUDGE_STATE_H

#include "check.h"
#include "traces/order.h"

enum {
    JUDGE_LISTED_MAX = 50, /* listed findings of one requirement and verdict in a file */
    JUDGE_REQ_WORDS = (JUDGE_REQUIREMENTS + 63) / 64
};

/* What hangs at the `user` of a connection, group or link. */
struct judge_slots {
    void *area[JUDGE_AREAS];
    uint64_t undecided[JUDGE_REQ_WORDS]; /* requirements reported as inconclusive here */
};

struct judge {
    struct judge_options options;
    const struct trace_session_events *observer;
    void *observer_ctx;
    void (*on_finding)(void *ctx, const struct judge_finding *f);
    void *on_finding_ctx;
    struct trace_session *session;
    struct trace_order *order;
    struct judge_slots slots; /* of the capture */
    struct judge_finding **found;
    size_t nfound, found_cap, connections_cap;
    uint16_t listed[JUDGE_REQUIREMENTS][JUDGE_VERDICTS];
    bool no_memory, finished;
    int acting;               /* the side whose event is being told; -1: none */
    int counted;              /* the side for which the last evaluation counted; -1: none */
    enum judge_req broken;    /* the rule last found broken, until it is reported */
    bool any_broken;
    struct judge_result result;
};

/* The tracker's listener: the observer first, then setup, CLC, LLC, data. Its ctx is the struct judge. */
extern const struct trace_session_events judge_dispatch_events;

/* What a broken rule is, by level, whether an IMPL row binds, the deviation (NULL if none), the side and the options;
 * JUDGE_VERDICTS if it is not reported at all. */
enum judge_verdict judge_verdict_of(enum judge_level level, bool impl_binds, const char *deviation, int side,
                                    const struct judge_options *options);

void judge_slots_free(void **user);
void judge_connection_ended(struct judge *j, const struct trace_conn *c);
/* Sorts and publishes what was found. */
void judge_collect(struct judge *j);

#endif

/* The inside of the ladder collector: ladder.c keeps events, ladder_events.c makes them.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef JUDGE_LADDER_STATE_H
#define JUDGE_LADDER_STATE_H

#include "ladder.h"

/* Which event a finding leads to. */
struct judge_ladder_mark {
    struct judge_finding finding; /* its texts are not looked at */
    uint64_t ladder;
    uint64_t serial;              /* of the event; 0: the note number `note` */
    unsigned note;
};

struct judge_ladders {
    struct judge_ladder **all; /* by id */
    size_t n, cap;
    size_t live, kept_plain, kept_findings;
    struct judge_ladder *leaving; /* ended, but its last findings may still come */
    struct judge_ladder rest;
    struct judge_ladder_mark *marks;
    size_t nmarks, marks_cap;
    bool sorted;
    uint64_t dropped;
    uint64_t last_frame, last_ladder; /* of the newest event */
    struct trace_packet packet;       /* the packet at hand; its pointers are dead */
};

/* The ladder of a live connection, made on first use; NULL if there is no room. */
struct judge_ladder *judge_ladder_live(struct judge_ladders *l, const struct trace_conn *c);
/* Adds an event (a copy; its serial is given here). */
void judge_ladder_add(struct judge_ladders *l, struct judge_ladder *ladder, const struct judge_ladder_event *e);
/* The newest event of a ladder if it was not a note, else NULL. */
struct judge_ladder_event *judge_ladder_newest(struct judge_ladder *ladder);
/* The connection is over. */
void judge_ladder_end(struct judge_ladders *l, const struct trace_conn *c);
/* Decides whether the ladder that ended last is kept. */
void judge_ladder_settle(struct judge_ladders *l);
/* Describes the packet at hand: "RDMA WRITE only, PSN 0x12". */
void judge_ladder_describe(const struct trace_packet *p, char *label, size_t size);

#endif

/* What a ladder diagram shows: the events of each connection between its two hosts, in bounded memory.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * A collector listens to the tracker (as the judge's observer) and to the findings. Of a connection it keeps the first
 * JUDGE_LADDER_FIRST events and up to JUDGE_LADDER_AROUND more around findings: the JUDGE_LADDER_BEFORE events before one
 * and JUDGE_LADDER_AFTER after it. Consecutive RDMA WRITEs of one side are one event. LLC messages stand in the ladder of
 * every open connection of their group. A finding whose frame is in no ladder gets an event of its own (kind OTHER), one
 * about something absent an event without a frame (ABSENT), so that every finding leads somewhere; those that belong to no
 * connection stand in the ladder of the rest (id 0). */
#ifndef JUDGE_LADDER_H
#define JUDGE_LADDER_H

#include "result.h"
#include "traces/session.h"

enum {
    JUDGE_LADDER_FIRST = 50,
    JUDGE_LADDER_AROUND = 200,
    JUDGE_LADDER_BEFORE = 12,
    JUDGE_LADDER_AFTER = 8,
    JUDGE_LADDER_NOTES = 100,   /* OTHER and ABSENT of one ladder */
    JUDGE_LADDER_LIVE = 4096,   /* connections that are followed at a time */
    JUDGE_LADDER_PLAIN = 64,    /* finished connections without a finding that are kept */
    JUDGE_LADDER_FINDINGS = 256 /* ... with one */
};

enum judge_ladder_kind {
    JUDGE_EVENT_TCP, JUDGE_EVENT_CLC, JUDGE_EVENT_LLC, JUDGE_EVENT_CDC, JUDGE_EVENT_WRITE, JUDGE_EVENT_RECORD,
    JUDGE_EVENT_GAP,    /* packets are missing from the capture */
    JUDGE_EVENT_OTHER,  /* a frame that only a finding speaks of */
    JUDGE_EVENT_ABSENT, /* a finding about something that did not come */
    JUDGE_EVENT_KINDS
};

struct judge_ladder_event {
    uint64_t serial;            /* in the ladder, from 1: a jump is what was left out; 0: OTHER and ABSENT */
    uint64_t frame, last_frame; /* 0: no frame */
    uint64_t ts_ns;
    uint32_t packets;           /* merged into this event */
    uint8_t kind;               /* enum judge_ladder_kind */
    int8_t side;                /* who sent it; -1: nobody */
    uint8_t link;               /* number, 0: none or unknown */
    uint64_t bytes, from, to;   /* WRITE: length, and absolute positions if from < to */
    char label[80];             /* "CLC Proposal", "CDC 17 D" */
    char detail[112];           /* cursors, keys */
};

struct judge_ladder {
    uint64_t id;                /* of the connection; 0: the rest */
    struct trace_addr addr[2];
    uint16_t port[2];
    uint64_t first_ns;
    struct judge_ladder_event *events; /* by serial */
    size_t nevents, cap;
    uint64_t serial;            /* of the newest event: how many there were */
    unsigned around;            /* events kept beyond the first */
    unsigned after;             /* still to be kept behind the last finding */
    unsigned notes;             /* OTHER and ABSENT */
    bool finding;
    bool ended;
    /* The last events that were not kept, in case a finding comes. */
    struct judge_ladder_event *recent; /* [JUDGE_LADDER_BEFORE], NULL until needed */
    unsigned nrecent, recent_at;
};

struct judge_ladders;

/* NULL if memory is short. */
struct judge_ladders *judge_ladders_new(void);
void judge_ladders_free(struct judge_ladders *l);
/* For judge_new(): the ctx is the struct judge_ladders. */
extern const struct trace_session_events judge_ladder_events;
/* For judge_on_finding(). */
void judge_ladder_finding(void *ctx, const struct judge_finding *f);
/* The ladders that were kept, by connection, that of the rest (if it has events) last. */
size_t judge_ladders_count(const struct judge_ladders *l);
const struct judge_ladder *judge_ladders_get(const struct judge_ladders *l, size_t i);
/* Where a finding leads: its ladder, and the index of its event there. False if there was no room for it. */
bool judge_ladder_anchor(struct judge_ladders *l, const struct judge_finding *f, const struct judge_ladder **ladder,
                         size_t *event);
/* Index of the event that a frame belongs to (of several the shortest), or -1. */
ptrdiff_t judge_ladder_at(const struct judge_ladder *l, uint64_t frame);
/* Connections whose ladder was not kept for lack of room. */
uint64_t judge_ladders_dropped(const struct judge_ladders *l);

#endif

/* What the checks use among themselves; not for users of the judge.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * A check listens to the tracker's events (called before the state changes, see traces/session.h), counts an
 * evaluation for each rule it looks at, and reports when the rule is broken:
 *
 *   if (!judge_holds(j, REQ_CDC_002, e->seq == expected))
 *       judge_report(j, &(struct judge_case){.req = REQ_CDC_002, .side = e->side, .frame = e->frame,
 *                    .conn = e->conn, .offset = 2}, JT("%u", e->seq), JT("%u", expected), "CDC number …");
 *
 * What is not known (late start, gap in the capture) is never a fail: a check that cannot decide says
 * judge_inconclusive() once per object, or nothing, and does not count. */
#ifndef JUDGE_CHECK_H
#define JUDGE_CHECK_H

#include "catalogue_ids.h" /* generated from requirements.csv: enum judge_req { REQ_TCPOPT_001, … } */
#include "judge.h"

struct judge_case {
    enum judge_req req;
    int side;                 /* at fault: 0 client, 1 server, -1 unknown */
    uint64_t frame;           /* 0: something is absent */
    uint64_t related[JUDGE_MAX_RELATED]; /* 0 = unused */
    const struct trace_conn *conn;       /* may be NULL */
    const struct trace_group *group;     /* may be NULL */
    int64_t offset;           /* byte in the message; -1 if none (0 is a byte!) */
    bool v2;                  /* an IMPL row applies although conn/group do not (yet) say v2 or SMC-D */
    const char *deviation;    /* "A-45" when the caller checked that entry's exact predicate, else NULL */
};

/* Counts one evaluation of a rule and returns `ok`. */
bool judge_holds(struct judge *j, enum judge_req req, bool ok);
/* A broken rule. The verdict follows from level, mode, deviation and options: MUST fail, SHOULD warn, MAY nothing,
 * IMPL fail only in SMC-D, SMC-Rv2 and v2.1 (by conn, group or .v2), else nothing. */
void judge_report(struct judge *j, const struct judge_case *c, const char *seen, const char *expected,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
/* What the capture cannot show; at most once for each (requirement, connection or group). */
void judge_inconclusive(struct judge *j, const struct judge_case *c, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A short formatted text for seen/expected that lives to the end of the full expression. */
#define JT(...) judge_text((char[160]){0}, __VA_ARGS__)
const char *judge_text(char *buf160, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *judge_hex(char *buf160, const uint8_t *p, size_t n);
#define JHEX(p, n) judge_hex((char[160]){0}, p, n)

/* The areas of checks: each owns one slot of state per connection, group and link, allocated by itself (calloc) on first use
 * and freed by the framework with free(). */
enum judge_area { JUDGE_AREA_SETUP, JUDGE_AREA_CLC, JUDGE_AREA_LLC, JUDGE_AREA_DATA, JUDGE_AREA_CAPTURE, JUDGE_AREAS };
void **judge_conn_slot(struct trace_conn *c, enum judge_area area);
void **judge_group_slot(struct trace_group *g, enum judge_area area);
void **judge_link_slot(struct trace_link *l, enum judge_area area);
/* State of an area for the whole capture. */
void **judge_slot(struct judge *j, enum judge_area area);
/* Returns *slot, allocated with calloc(1, size) if it was NULL; NULL if memory is short. */
void *judge_state(void **slot, size_t size);

const struct judge_options *judge_options_of(const struct judge *j);

/* One table per area; ctx of every event is the struct judge. */
extern const struct trace_session_events judge_setup_events; /* check_setup.c: TCP option, TCP */
extern const struct trace_session_events judge_clc_events;   /* check_clc*.c */
extern const struct trace_session_events judge_llc_events;   /* check_llc*.c */
extern const struct trace_session_events judge_capture_events; /* check_capture.c: what the capture lacks */
extern const struct trace_session_events judge_data_events;  /* check_cdc.c, check_cursor.c, check_close.c … */

#endif

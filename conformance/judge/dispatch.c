/* Hands the tracker's events to the observer and to the areas of checks; keeps their slots.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "state.h"

#include <stdlib.h>

static const struct trace_session_events *const areas[JUDGE_AREAS] = {
    [JUDGE_AREA_SETUP] = &judge_setup_events,
    [JUDGE_AREA_CLC] = &judge_clc_events,
    [JUDGE_AREA_LLC] = &judge_llc_events,
    [JUDGE_AREA_DATA] = &judge_data_events,
    [JUDGE_AREA_CAPTURE] = &judge_capture_events,
};

/* `side`: who acts in the event, for judge_holds(); -1: nobody, or nobody knows. */
#define TELL(side_, member, ...)                                                           \
    do {                                                                                   \
        struct judge *judge_ = ctx;                                                        \
        judge_->acting = (side_);                                                          \
        if (judge_->observer != NULL && judge_->observer->member != NULL)                  \
            judge_->observer->member(judge_->observer_ctx, __VA_ARGS__);                   \
        for (unsigned area_ = 0; area_ < JUDGE_AREAS; area_++)                             \
            if (areas[area_]->member != NULL)                                              \
                areas[area_]->member(ctx, __VA_ARGS__);                                    \
    } while (0)

static void *slot(void **user, enum judge_area area)
{
    if (*user == NULL)
        *user = calloc(1, sizeof(struct judge_slots));
    return *user == NULL ? NULL : &((struct judge_slots *)*user)->area[area];
}

void **judge_conn_slot(struct trace_conn *c, enum judge_area area)
{
    return slot(&c->user, area);
}

void **judge_group_slot(struct trace_group *g, enum judge_area area)
{
    return slot(&g->user, area);
}

void **judge_link_slot(struct trace_link *l, enum judge_area area)
{
    return slot(&l->user, area);
}

void **judge_slot(struct judge *j, enum judge_area area)
{
    return &j->slots.area[area];
}

void *judge_state(void **slot_, size_t size)
{
    if (slot_ == NULL)
        return NULL;
    if (*slot_ == NULL)
        *slot_ = calloc(1, size);
    return *slot_;
}

void judge_slots_free(void **user)
{
    struct judge_slots *slots = *user;
    if (slots == NULL)
        return;
    for (unsigned area = 0; area < JUDGE_AREAS; area++)
        free(slots->area[area]);
    free(slots);
    *user = NULL;
}

static void packet(void *ctx, const struct trace_packet *p)
{
    TELL(-1, packet, p);
}

static void segment(void *ctx, struct trace_conn *c, int dir, const struct trace_packet *p, bool duplicate)
{
    TELL(dir, segment, c, dir, p, duplicate);
}

static void conn_open(void *ctx, struct trace_conn *c)
{
    TELL(-1, conn_open, c);
}

static void clc(void *ctx, const struct trace_clc_event *e)
{
    TELL(e->side, clc, e);
}

static void plain(void *ctx, struct trace_conn *c, int side, struct smc_view bytes, uint64_t frame, uint64_t ts_ns)
{
    TELL(side, plain, c, side, bytes, frame, ts_ns);
}

static void tcp_gap(void *ctx, struct trace_conn *c, int side, uint64_t n, uint64_t frame)
{
    TELL(-1, tcp_gap, c, side, n, frame);
}

static void fin(void *ctx, struct trace_conn *c, int side, uint64_t frame, uint64_t ts_ns)
{
    TELL(side, fin, c, side, frame, ts_ns);
}

static void rst(void *ctx, struct trace_conn *c, int side, uint64_t frame, uint64_t ts_ns)
{
    TELL(side, rst, c, side, frame, ts_ns);
}

static void group_open(void *ctx, struct trace_group *g)
{
    TELL(-1, group_open, g);
}

static void llc(void *ctx, const struct trace_llc_event *e)
{
    TELL(e->side, llc, e);
}

static void llc_done(void *ctx, const struct trace_llc_event *e)
{
    TELL(e->side, llc_done, e);
}

static void cdc(void *ctx, const struct trace_cdc_event *e)
{
    TELL(e->side, cdc, e);
}

static void cdc_done(void *ctx, const struct trace_cdc_event *e)
{
    TELL(e->side, cdc_done, e);
}

static void write_seen(void *ctx, const struct trace_write_event *e)
{
    TELL(e->side, write, e);
}

static void record(void *ctx, const struct trace_packet *p, struct trace_conn *c)
{
    TELL(-1, record, p, c);
}

static void request_other(void *ctx, struct trace_stream *s, struct trace_link *l, const struct trace_request *r,
                          uint8_t opcode)
{
    TELL(-1, request_other, s, l, r, opcode);
}

static void rc_gap(void *ctx, struct trace_stream *s, struct trace_link *l, uint32_t n, uint64_t frame)
{
    TELL(-1, rc_gap, s, l, n, frame);
}

static void rc_ack(void *ctx, struct trace_stream *s, struct trace_link *l, const struct trace_packet *p)
{
    TELL(-1, rc_ack, s, l, p);
}

static void rc_duplicate(void *ctx, struct trace_stream *s, struct trace_link *l, const struct trace_packet *p)
{
    TELL(-1, rc_duplicate, s, l, p);
}

static void conn_end(void *ctx, struct trace_conn *c)
{
    TELL(-1, conn_end, c);
    judge_connection_ended(ctx, c);
    judge_slots_free(&c->user);
}

static void group_end(void *ctx, struct trace_group *g)
{
    TELL(-1, group_end, g);
    for (struct trace_link *l = g->links; l != NULL; l = l->next)
        judge_slots_free(&l->user);
    judge_slots_free(&g->user);
}

static void finish(void *ctx, uint64_t last_frame, uint64_t last_ns)
{
    TELL(-1, finish, last_frame, last_ns);
}

const struct trace_session_events judge_dispatch_events = {
    .packet = packet,
    .segment = segment,
    .conn_open = conn_open,
    .clc = clc,
    .plain = plain,
    .tcp_gap = tcp_gap,
    .fin = fin,
    .rst = rst,
    .group_open = group_open,
    .llc = llc,
    .llc_done = llc_done,
    .cdc = cdc,
    .cdc_done = cdc_done,
    .write = write_seen,
    .record = record,
    .request_other = request_other,
    .rc_gap = rc_gap,
    .rc_ack = rc_ack,
    .rc_duplicate = rc_duplicate,
    .conn_end = conn_end,
    .group_end = group_end,
    .finish = finish,
};

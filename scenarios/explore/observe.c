/* Interesting states as the wire shows them: seen by the judge's own tracker, which tells this observer every message.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include <string.h>

const char *const explore_state_names[EXPLORE_STATES] = {
#define NAME(name, text) text,
    EXPLORE_STATE_LIST(NAME)
#undef NAME
};

enum { FLAG_B = 0x80, FLAG_P = 0x40, FLAG_U = 0x20, FLAG_D = 0x80, FLAG_C = 0x40, FLAG_A = 0x20 };

/* ---- data ---- */
static void watch_window(struct explore_run *run, const struct trace_cdc_event *e, const struct trace_conn_side *reader)
{
    bool full = e->prod_pos_ok && reader->cons_known && reader->ring_size != 0 && e->prod_pos - reader->cons_pos == reader->ring_size;
    if (e->prod.wrap > 0)
        explore_saw(run, EXPLORE_RING_WRAP);
    if (e->prod.wrap > 8)
        explore_saw(run, EXPLORE_WRAP_MANY);
    if (e->prod_pos_ok && reader->ring_size != 0 && e->prod_pos >= (uint64_t)reader->ring_size << 16)
        explore_saw(run, EXPLORE_WRAP_16);
    if (full)
        explore_saw(run, EXPLORE_RING_FULL);
    if (full && reader->cons_pos % reader->ring_size != 0)
        explore_saw(run, EXPLORE_RING_FULL_WRAP);
    if ((e->prod_flags & (FLAG_P | FLAG_U)) != 0 && full)
        explore_saw(run, EXPLORE_URGENT_CLOSED);
    if ((e->prod_flags & FLAG_U) != 0 && e->prod_pos_ok && reader->ring_size != 0 && e->prod_pos > 0 && e->prod_pos % reader->ring_size == 0)
        explore_saw(run, EXPLORE_URGENT_LAST);
    if ((e->conn_flags & FLAG_C) != 0 && full)
        explore_saw(run, EXPLORE_CLOSE_FULL);
}

static void watch_flags(struct explore_run *run, const struct trace_cdc_event *e, const struct trace_conn_side *own,
                        const struct trace_conn_side *other)
{
    if ((e->prod_flags & FLAG_B) != 0)
        explore_saw(run, EXPLORE_WRITER_BLOCKED);
    if ((e->prod_flags & FLAG_U) != 0)
        explore_saw(run, EXPLORE_URGENT);
    if (e->prod_pos_ok && own->prod_known && e->prod_pos == own->prod_pos && e->cons_pos_ok && own->cons_known && e->cons_pos != own->cons_pos)
        explore_saw(run, EXPLORE_UPDATE_ONLY);
    if ((e->conn_flags & FLAG_D) != 0 && (e->conn_flags & (FLAG_C | FLAG_A)) == 0)
        explore_saw(run, EXPLORE_CLOSE_HALF);
    if ((e->conn_flags & FLAG_C) != 0 && own->done && !own->closed)
        explore_saw(run, EXPLORE_CLOSE_DONE_THEN_CLOSED);
    if ((e->conn_flags & FLAG_C) != 0 && other->closed && !own->closed)
        explore_saw(run, EXPLORE_CLOSE_AFTER_EOF);
    if ((e->conn_flags & FLAG_A) != 0)
        explore_saw(run, other->aborted ? EXPLORE_CLOSE_ABORT_BOTH : EXPLORE_CLOSE_ABORT);
    /* Closed before the other's C can have arrived: within two milliseconds of each other. */
    if ((e->conn_flags & FLAG_C) != 0 && !own->closed && other->closed && e->ts_ns - other->closed_ns < 2000)
        explore_saw(run, EXPLORE_CLOSE_BOTH);
}

static void cdc(void *ctx, const struct trace_cdc_event *e)
{
    struct explore_run *run = ctx;
    if (e->validation)
        explore_saw(run, EXPLORE_FO_VALIDATION);
    if (e->conn == NULL || !e->valid || e->validation)
        return;
    const struct trace_conn_side *own = &e->conn->side[e->side], *other = &e->conn->side[!e->side];
    watch_window(run, e, other);
    watch_flags(run, e, own, other);
    if (own->replaying)
        explore_saw(run, EXPLORE_FO_REPLAY);
}

/* ---- link groups ---- */
static struct explore_flows *flows_of(struct explore_run *run, uint64_t group)
{
    for (unsigned i = 0; i < run->flow_count; i++)
        if (run->flows[i].group == group)
            return &run->flows[i];
    if (run->flow_count == EXPLORE_GROUPS)
        return NULL;
    struct explore_flows *f = &run->flows[run->flow_count++];
    *f = (struct explore_flows){.group = group};
    return f;
}

static void watch_pair(struct explore_run *run, unsigned a, unsigned b)
{
    static const struct { unsigned char a, b, state; } pairs[] = {
        {2, 2, EXPLORE_P_ADD_ADD}, {2, 4, EXPLORE_P_ADD_DEL}, {2, 5, EXPLORE_P_ADD_REQ}, {2, 6, EXPLORE_P_ADD_CRK}, {2, 7, EXPLORE_P_ADD_TST},
        {2, 9, EXPLORE_P_ADD_DRK}, {4, 4, EXPLORE_P_DEL_DEL}, {4, 5, EXPLORE_P_DEL_REQ}, {4, 6, EXPLORE_P_DEL_CRK}, {4, 7, EXPLORE_P_DEL_TST},
        {4, 9, EXPLORE_P_DEL_DRK}, {5, 6, EXPLORE_P_REQ_CRK}, {5, 7, EXPLORE_P_REQ_TST}, {5, 9, EXPLORE_P_REQ_DRK}, {6, 6, EXPLORE_P_CRK_CRK}, {6, 7, EXPLORE_P_CRK_TST},
        {6, 9, EXPLORE_P_CRK_DRK}, {7, 9, EXPLORE_P_DRK_TST}, {9, 9, EXPLORE_P_DRK_DRK}, {7, 7, EXPLORE_P_TST_TST}};
    _Static_assert(EXPLORE_STATES <= 255, "a state fits a byte");
    for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if ((pairs[i].a == a && pairs[i].b == b) || (pairs[i].a == b && pairs[i].b == a))
            explore_saw(run, (enum explore_state)pairs[i].state);
}

/* Which requests of a group have no answer yet; the pairs that a new one makes with them. A flow with itself counts only when
 * both sides have one. */
static void watch_flows(struct explore_run *run, const struct trace_llc_event *e)
{
    struct explore_flows *f = flows_of(run, e->group->id);
    unsigned type = e->info.type, bit = 1u << (type & 15);
    if (f == NULL || type > 15)
        return;
    if (e->info.response) {
        f->open[!e->side] &= ~bit;
        if (type == 2)
            f->open[!e->side] &= ~(1u << 5);
        return;
    }
    for (unsigned other = 1; other < 16; other++) {
        bool here = (f->open[e->side] >> other & 1) != 0 && other != type, there = (f->open[!e->side] >> other & 1) != 0;
        if (here || there)
            watch_pair(run, type, other);
    }
    f->open[e->side] |= bit;
    if (type == 2)
        f->open[!e->side] &= ~(1u << 5); /* what REQUEST ADD LINK asked for */
}

static void watch_add(struct explore_run *run, const struct trace_llc_event *e)
{
    if (e->info.response && e->info.reject)
        explore_saw(run, EXPLORE_ADD_REJECTED);
    for (const struct trace_conn *c = e->group->conns; c != NULL && !e->info.response; c = c->group_next)
        if (c->side[0].cdc_count + c->side[1].cdc_count > 0 && c->closed == TRACE_CLOSED_OPEN && !c->side[0].closed && !c->side[1].closed)
            explore_saw(run, EXPLORE_LINK_DURING_DATA);
    if (run->link_lost && !e->info.response)
        explore_saw(run, EXPLORE_LINK_REPLACED);
}

static void llc(void *ctx, const struct trace_llc_event *e)
{
    struct explore_run *run = ctx;
    if (!e->valid || e->group == NULL || e->side < 0 || e->replayed)
        return;
    watch_flows(run, e);
    switch (e->info.type) {
    case 2: watch_add(run, e); break;
    case 3: explore_saw(run, EXPLORE_ADD_CONTINUED); break;
    case 4:
        run->link_lost |= !e->info.all;
        if (!e->info.response)
            explore_saw(run, e->side == 0 ? EXPLORE_DELETE_BY_CLIENT : EXPLORE_DELETE_BY_SERVER);
        if (e->info.all)
            explore_saw(run, EXPLORE_DELETE_ALL);
        break;
    case 5: explore_saw(run, EXPLORE_ADD_REQUESTED); break;
    case 7: explore_saw(run, EXPLORE_TEST_LINK); break;
    case 8: explore_saw(run, EXPLORE_RKEY_CONTINUED); break;
    default: break;
    }
    if (e->info.response && e->info.negative)
        explore_saw(run, e->info.retry ? EXPLORE_RKEY_RETRY : EXPLORE_RKEY_NEGATIVE);
}

/* ---- handshakes ---- */
static void watch_mode(struct explore_run *run, const struct trace_conn *c, const struct trace_clc_event *e)
{
    bool smcd = c->accept.path == SMC_PATH_D;
    if (e->version >= 2)
        explore_saw(run, smcd ? EXPLORE_MODE_D2 : EXPLORE_MODE_R2);
    else
        explore_saw(run, smcd ? EXPLORE_MODE_D1 : EXPLORE_MODE_R1);
    if (!e->conn->first_contact)
        explore_saw(run, EXPLORE_GROUP_REUSED);
}

static void clc(void *ctx, const struct trace_clc_event *e)
{
    struct explore_run *run = ctx;
    if (e->broken)
        return;
    if (e->type == SMC_CLC_CONFIRM && e->conn->accepted)
        watch_mode(run, e->conn, e);
    if (e->decline_valid)
        explore_saw_decline(run, e->decline.diagnosis);
}

static void conn_end(void *ctx, struct trace_conn *c)
{
    struct explore_run *run = ctx;
    if (c->release > 0 && c->mode != TRACE_MODE_TCP)
        explore_saw(run, EXPLORE_RELEASE_1);
    if (!c->option[0] || !c->option[1])
        explore_saw(run, EXPLORE_NO_OPTION);
}

const struct trace_session_events explore_watch = {.clc = clc, .llc = llc, .cdc = cdc, .conn_end = conn_end};

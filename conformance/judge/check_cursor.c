/* Checks of cursors: inside their rings, never back, never past each other; updates and flags that go with them.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_data.h"

/* ---- counts ---- */

static void count_broken(struct data_cdc *x, const char *what, uint32_t count, uint32_t ring,
                         uint32_t other, int64_t offset)
{
    bool below = count < x->a.origin;
    bool urgent = (x->pf & DATA_U) && offset == (x->e->smcd ? 10 : 12);
    bool foreign = !below && other > ring && count - x->a.origin < other;
    enum judge_req req = below     ? REQ_CURSOR_004 /* [CURSOR-004] */
                         : urgent  ? REQ_CURSOR_027
                         : foreign ? REQ_CURSOR_025
                                   : REQ_CURSOR_006;
    struct judge_case k = judge_data_case(&x->a, req, offset);
    judge_holds(x->a.j, req, false);
    judge_report(x->a.j, &k, JT("%s count %u", what, count),
                 JT("%u to %u", x->a.origin, x->a.origin + ring - 1), "%s",
                 below     ? "the cursor points into the eyecatcher"
                 : urgent  ? "the urgent byte would lie outside the ring"
                 : foreign ? "the count fits the other side's ring, not the one it belongs to"
                           : "the count is beyond the end of the ring");
}

static void counts(struct data_cdc *x)
{
    uint32_t writes = x->a.ring[!x->a.side], reads = x->a.ring[x->a.side];
    const struct data_side *me = x->a.me;
    x->prod_ok = judge_data_position(&x->a, x->prod, writes, me->prod, me->prod_pos, &x->prod_pos);
    x->cons_ok = judge_data_position(&x->a, x->cons, reads, me->cons, me->cons_pos, &x->cons_pos);
    if (writes) {
        judge_holds(x->a.j, x->a.origin ? REQ_CURSOR_004 : REQ_CURSOR_005, true);
        if (!judge_holds(x->a.j, REQ_CURSOR_006, x->prod_ok)) /* [CURSOR-006] [CURSOR-025] */
            count_broken(x, "producer", x->prod.count, writes, reads, x->e->smcd ? 10 : 12);
    }
    if (reads && !judge_holds(x->a.j, REQ_CURSOR_006, x->cons_ok))
        count_broken(x, "consumer", x->cons.count, reads, writes, x->e->smcd ? 18 : 20);
    if (reads && writes && reads != writes)
        judge_holds(x->a.j, REQ_CURSOR_025, true);
}

/* ---- producer ---- */

static bool beyond(struct data_cdc *x, uint64_t limit)
{
    struct data_side *me = x->a.me;
    if (x->a.peer->cons_unsure)
        return false;
    uint64_t pos = (uint64_t)x->prod_pos, ring = x->a.ring[!x->a.side];
    if (pos <= limit) {
        judge_holds(x->a.j, REQ_CURSOR_007, true);
        judge_holds(x->a.j, REQ_CURSOR_026, true);
        me->beyond_pos = 0;
        return false;
    }
    if (me->write_over &&
        pos <= me->written_pos) /* it was written: the WRITE is the fault [CURSOR-001] */
        return false;
    enum judge_req req = me->beyond_pos && pos > me->beyond_pos ? REQ_CURSOR_026 : REQ_CURSOR_007;
    judge_holds(x->a.j, req, false);
    judge_data_pend(&x->a, req, true, pos - ring, x->a.peer->cons_pos, x->e->smcd ? 8 : 10,
                    me->prod_frame);
    me->beyond_pos = pos;
    return true;
}

static void no_wrap(struct data_cdc *x)
{
    struct judge_case k = judge_data_case(&x->a, REQ_CURSOR_003, x->e->smcd ? 8 : 10);
    judge_holds(x->a.j, REQ_CURSOR_003, false);
    judge_report(
        x->a.j, &k, JT("producer %u:%u", x->prod.wrap, x->prod.count),
        JT("producer %u:%u", (uint16_t)(x->prod.wrap + 1), x->prod.count),
        "the WRITEs reached the end of the ring and the wrap sequence was not incremented");
}

/* Data were written around the end, and the cursor stands where they end, one wrap too low. */
static bool wrap_missing(const struct data_cdc *x)
{
    uint64_t ring = x->a.ring[!x->a.side];
    const struct data_side *me = x->a.me;
    if ((uint64_t)x->prod_pos + ring != me->written_pos || me->replaying || me->off_origin)
        return false;
    return (uint64_t)x->prod_pos < me->prod_pos || (x->pf & DATA_B);
}

static void producer(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    uint64_t ring = x->a.ring[!x->a.side], limit = x->a.peer->cons_pos + ring;
    struct judge_case k = judge_data_case(&x->a, REQ_CURSOR_007, x->e->smcd ? 8 : 10);
    if (!x->prod_ok)
        return;
    if (x->prod_pos >= 0 && wrap_missing(x)) {
        no_wrap(x);
        x->prod.wrap++; /* what was meant */
        x->prod_pos += (int64_t)ring;
        x->prod_taken = true;
        return;
    }
    if (x->prod_pos < (int64_t)me->prod_pos) {
        if (x->kind == DATA_REPLAY || me->replaying)
            return;
        judge_holds(x->a.j, REQ_CURSOR_007, false);
        judge_report(x->a.j, &k, JT("producer %u:%u", x->prod.wrap, x->prod.count),
                     JT("not before %u:%u", me->prod.wrap, me->prod.count),
                     "the producer cursor goes back");
        return;
    }
    x->prod_taken = !beyond(x, limit);
    if (!x->prod_taken || (uint64_t)x->prod_pos == me->prod_pos || (uint64_t)x->prod_pos != limit ||
        me->written_pos < (uint64_t)x->prod_pos)
        return;
    k.req = REQ_CURSOR_003; /* [CURSOR-003]: full by all that the writer can know */
    k.offset = x->e->smcd ? 22 : 24;
    if (!judge_holds(x->a.j, REQ_CURSOR_003, (x->pf & DATA_B) != 0))
        judge_report(x->a.j, &k, JT("flags 0x%02x", x->pf), "B (0x80) set",
                     "the ring is full and B is not set");
}

/* ---- consumer ---- */

static void ahead(struct data_cdc *x)
{
    struct data_side *peer = x->a.peer;
    uint64_t pos = (uint64_t)x->cons_pos;
    struct judge_case k = judge_data_case(&x->a, REQ_CDC_013, x->e->smcd ? 16 : 18);
    if (peer->f_prod_frame && pos <= peer->f_prod) {
        k.related[0] = peer->f_prod_frame;
        judge_holds(x->a.j, REQ_CDC_013, false); /* [CDC-013] */
        judge_report(x->a.j, &k, JT("consumer at %llu", (unsigned long long)pos),
                     JT("at most %llu", (unsigned long long)peer->prod_pos),
                     "the consumer follows the cursor of a failover validation, in which cursors "
                     "mean nothing");
        return;
    }
    if (peer->stale_frame && pos <= peer->stale_pos) {
        k.req = REQ_CDC_003; /* [CDC-003] */
        k.deviation = peer->stale_equal ? "A-31" : NULL;
        k.related[0] = peer->stale_frame;
        judge_holds(x->a.j, REQ_CDC_003, false);
        judge_report(x->a.j, &k, JT("consumer at %llu", (unsigned long long)pos),
                     JT("at most %llu", (unsigned long long)peer->prod_pos),
                     "what a message with an old number announced was consumed");
        x->cons_taken = true;
        return;
    }
    judge_holds(x->a.j, REQ_CURSOR_008, false);
    judge_data_pend(&x->a, REQ_CURSOR_008, false, pos, peer->prod_pos, x->e->smcd ? 16 : 18,
                    peer->prod_frame);
}

static void consumer(struct data_cdc *x)
{
    struct data_side *me = x->a.me, *peer = x->a.peer;
    struct judge_case k = judge_data_case(&x->a, REQ_CDC_009, x->e->smcd ? 16 : 18);
    if (!x->cons_ok)
        return;
    if (x->kind == DATA_REPLAY) { /* may say what it said the first time */
        x->cons_taken = x->cons_pos >= 0 && (uint64_t)x->cons_pos <= peer->prod_pos;
        return;
    }
    if (!judge_holds(x->a.j, REQ_CDC_009, x->cons_pos >= (int64_t)me->cons_pos)) { /* [CDC-009] */
        judge_report(x->a.j, &k, JT("consumer %u:%u", x->cons.wrap, x->cons.count),
                     JT("not before %u:%u", me->cons.wrap, me->cons.count),
                     "the consumer cursor goes back");
        return;
    }
    if (peer->stale_frame && peer->prod_pos >= peer->stale_pos)
        peer->stale_frame = 0;
    if (x->cons_pos > (int64_t)peer->prod_pos) {
        if ((peer->prod_unsure && (uint64_t)x->cons_pos <= peer->written_pos) ||
            (uint64_t)x->cons_pos <= peer->left_pos)
            return;
        ahead(x);
        return;
    }
    judge_holds(x->a.j, REQ_CURSOR_008, true);
    if (peer->f_prod_frame)
        judge_holds(x->a.j, REQ_CDC_013, true);
    x->cons_taken = true;
}

void judge_cursor_values(struct data_cdc *x)
{
    counts(x);
    if (x->kind == DATA_OLD)
        return;
    producer(x);
    consumer(x);
}

/* ---- urgent data ---- */

void judge_cursor_flags(struct data_cdc *x)
{
    struct judge_case k = judge_data_case(&x->a, REQ_CURSOR_015, x->e->smcd ? 22 : 24);
    if (!(x->pf & DATA_U) || x->kind == DATA_OLD)
        return;
    if (!judge_holds(x->a.j, REQ_CURSOR_015, (x->pf & DATA_P) != 0)) /* [CURSOR-015] */
        judge_report(x->a.j, &k, JT("flags 0x%02x", x->pf), "U (0x20) only together with P (0x40)",
                     "urgent data present without urgent data pending");
    k.req = REQ_CURSOR_027;
    k.offset = x->e->smcd ? 8 : 10;
    if (x->prod_ok && !judge_holds(x->a.j, REQ_CURSOR_027, x->prod_pos > 0)) /* [CURSOR-027] */
        judge_report(x->a.j, &k, JT("producer %u:%u", x->prod.wrap, x->prod.count),
                     "a cursor one beyond the urgent byte",
                     "an urgent byte before the first byte of the stream");
}

/* ---- updates ---- */

/* A message that only tells the consumer cursor. */
static bool dedicated(const struct data_cdc *x)
{
    const struct data_side *me = x->a.me;
    if (x->kind != DATA_NEW || me->after_f || me->replaying || me->writes || !x->prod_ok ||
        !x->cons_taken || me->rst_ns)
        return false;
    if (me->cdcs == 0 && x->cons_pos == 0) /* says nothing at all */
        return false;
    return (uint64_t)x->prod_pos == me->prod_pos && (x->cf & ~me->conn_flags) == 0 &&
           !(x->pf & (DATA_B | DATA_P | DATA_U | DATA_R)) && me->prod_flags == x->pf &&
           !me->closed.set && !me->aborted.set;
}

/* By the messages that this side surely had when it sent the one at hand. */
static bool blocked_lately(const struct data_act *a)
{
    struct data_side *peer = a->peer;
    if ((peer->prod_flags & DATA_B) || !peer->b_clear.set)
        return (peer->prod_flags & DATA_B) != 0;
    judge_data_delivered(a, !a->side, &peer->b_clear, 0);
    return peer->b_clear.ack_ns == 0 || peer->b_clear.ack_ns + DATA_GRACE_NS > judge_data_posted(a);
}

static void needless(struct data_cdc *x, uint64_t gain, uint64_t window, uint64_t ring)
{
    struct judge_case k = judge_data_case(&x->a, REQ_CURSOR_010, x->e->smcd ? 16 : 18);
    judge_report(x->a.j, &k,
                 JT("%llu bytes gained, window %llu of %llu", (unsigned long long)gain,
                    (unsigned long long)window, (unsigned long long)ring),
                 "window below half and a tenth gained, or B, R or urgent data",
                 "a CDC that only updates the consumer cursor was not called for");
}

/* When an update is called for [CURSOR-010] [CURSOR-023]. The window is the smallest that the reader can know of. */
static void called_for(struct data_cdc *x)
{
    const struct data_side *me = x->a.me, *peer = x->a.peer;
    uint64_t ring = x->a.ring[x->a.side], gain = (uint64_t)x->cons_pos - me->cons_pos;
    uint64_t used = peer->prod_pos > me->cons_pos ? peer->prod_pos - me->cons_pos : 0;
    uint64_t window = ring > used ? ring - used : 0;
    bool urgent = peer->attention || peer->asked.set || peer->urgent_open;
    if (ring == 0)
        return;
    if (gain == 0 && me->f.set && judge_data_posted(&x->a) < me->f.ts_ns + 50 * DATA_MS)
        return; /* lost with the old link, and the same message once more [FAILOVER-007] */
    bool blocked = blocked_lately(&x->a) && gain > 0;
    bool earned = gain > 0 && gain * 10 >= ring && window * 2 <= ring;
    if (!judge_holds(x->a.j, REQ_CURSOR_010, urgent || blocked || earned)) {
        needless(x, gain, window, ring);
        return;
    }
    if (urgent || blocked)
        return;
    uint64_t limit = ring / 10 > 2304 ? ring / 10 : 2304;
    struct judge_case k = judge_data_case(&x->a, REQ_CURSOR_023, x->e->smcd ? 16 : 18);
    if (!judge_holds(x->a.j, REQ_CURSOR_023, gain >= limit)) /* [CURSOR-023] */
        judge_report(x->a.j, &k, JT("%llu bytes gained", (unsigned long long)gain),
                     JT("%llu bytes", (unsigned long long)limit),
                     "an update below the limit of a tenth of the ring or 2304 bytes");
}

static void late_answer(const struct data_act *a, uint64_t frame)
{
    struct data_sent *asked = &a->peer->asked;
    struct judge_case k = judge_data_case(a, REQ_CURSOR_012, -1);
    k.frame = frame;
    k.related[0] = asked->frame;
    if (!asked->set || a->me->closed.set || a->me->aborted.set || a->c->rst)
        return;
    judge_data_delivered(a, !a->side, asked, 0);
    if (!asked->ack_ns)
        return;
    bool late = a->now > asked->ack_ns + DATA_LONG_NS;
    if (frame == 0 && !late)
        return;
    if (!judge_holds(a->j, REQ_CURSOR_012, !late)) /* [CURSOR-012] */
        judge_report(a->j, &k,
                     JT("%llu ms", (unsigned long long)((a->now - asked->ack_ns) / DATA_MS)),
                     "an update at once", "the peer asked for a cursor update (R) and had to wait");
}

void judge_cursor_update(struct data_cdc *x)
{
    late_answer(&x->a, x->a.frame);
    if (dedicated(x))
        called_for(x);
}

void judge_cursor_end(const struct data_act *a)
{
    bool link_lives = a->me->link == NULL || a->me->link->state == TRACE_LINK_ACTIVE;
    if (link_lives && !a->c->group->gone)
        late_answer(a, 0);
}

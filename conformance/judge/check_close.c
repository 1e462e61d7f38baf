/* Checks of the ways a connection ends: D, C and A, what they answer, what may follow them.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_data.h"

/* ---- after D ---- */

static void after_done(const struct data_act *a, uint64_t to, bool again)
{
    const struct data_side *me = a->me, *peer = a->peer;
    bool passive = (peer->done.set && peer->done.frame < me->done.frame) ||
                   (peer->closed.set && peer->closed.frame < me->done.frame);
    enum judge_req req = passive ? REQ_CLOSE_011 : REQ_CDC_010;
    if (!me->done.set)
        return;
    if (to <= me->done_pos || again) {
        judge_holds(a->j, req, true);
        return;
    }
    judge_data_broken(a, req, me->done.frame, JT("data up to %llu", (unsigned long long)to),
                      JT("no data beyond %llu", (unsigned long long)me->done_pos),
                      "data after sending done (D)");
}

/* ---- after C and A ---- */

/* A C or A once more, after the peer's own crossed the first. */
static bool crossed(const struct data_act *a, const struct data_sent *mine,
                    const struct data_sent *theirs)
{
    struct data_sent s = *mine;
    if (!theirs->set)
        return false;
    judge_data_delivered(a, a->side, &s, 0);
    return s.ack_ns == 0 || s.ack_ns > theirs->ts_ns;
}

static void after_abort(struct data_cdc *x)
{
    const struct data_side *me = x->a.me, *peer = x->a.peer;
    bool again = (x->cf & DATA_A) && peer->aborted.set && !x->prod_taken;
    if ((x->cf & DATA_A) && peer->aborted.set && (uint64_t)x->prod_pos == me->prod_pos)
        again = true;
    if (again && crossed(&x->a, &me->aborted, &peer->aborted))
        judge_data_broken(
            &x->a, REQ_CLOSE_019, me->aborted.frame, "A once more", "nothing after crossing As",
            "both sides aborted at once, and one of them aborts again"); /* [CLOSE-019] */
    else if (again)
        judge_data_broken(&x->a, REQ_CLOSE_016, peer->aborted.frame, "A once more",
                          "nothing after A was answered by A",
                          "an A that answered an A is answered again"); /* [CLOSE-016] */
    else
        judge_data_broken(&x->a, REQ_CLOSE_015, me->aborted.frame, "a CDC", "nothing after A",
                          "a CDC after the own A"); /* [CLOSE-015] */
}

static void after_close(struct data_cdc *x)
{
    const struct data_side *me = x->a.me, *peer = x->a.peer;
    bool answer = peer->closed.set && peer->closed.frame > me->closed.frame && (x->cf & DATA_C);
    if ((x->cf & DATA_A) && !peer->closed.set &&
        !peer->aborted.set) /* the group ends before the peer closed */
        return;
    if (answer && crossed(&x->a, &me->closed, &peer->closed))
        judge_data_broken(
            &x->a, REQ_CLOSE_013, me->closed.frame, "C once more", "nothing after crossing Cs",
            "both sides closed at once, and one of them closes again"); /* [CLOSE-013] */
    else
        judge_data_broken(&x->a, REQ_CDC_011, me->closed.frame, "a CDC", "nothing after C",
                          "a CDC after C"); /* [CDC-011] */
}

/* The same words again because a link failed. */
static bool repetition(const struct data_cdc *x)
{
    const struct data_side *me = x->a.me;
    return x->kind == DATA_REPLAY ||
           (x->kind == DATA_OLD && me->closed.set && me->closed.link != x->a.link);
}

static void after_end(struct data_cdc *x)
{
    const struct data_side *me = x->a.me, *peer = x->a.peer;
    if (repetition(x))
        return;
    if (me->aborted.set)
        after_abort(x);
    else if (me->closed.set)
        after_close(x);
    else
        return;
    (void)peer;
}

/* ---- C and A as they come ---- */

/* The highest position of the peer that this side must know of by now. */
static uint64_t known_producer(const struct data_act *a)
{
    struct data_side *peer = a->peer;
    uint64_t sent = judge_data_posted(a);
    uint64_t pos = peer->acked_prod_ns + DATA_GRACE_NS <= sent ? peer->acked_prod : 0;
    judge_data_acks(a, !a->side);
    for (unsigned i = 0; i < peer->nnotes; i++) {
        const struct data_note *n = &peer->notes[i];
        if (n->sent.ack_ns && n->sent.ack_ns + DATA_GRACE_NS <= sent && n->prod_pos > pos)
            pos = n->prod_pos;
    }
    return pos;
}

/* A reader that closes without having read the urgent byte, or that read it out of line. */
static void urgent_left(const struct data_cdc *x)
{
    struct judge_case k = judge_data_case(&x->a, REQ_CURSOR_018, 18);
    k.related[0] = x->a.peer->urgent_frame;
    k.deviation = "A-46";
    judge_holds(x->a.j, REQ_CURSOR_018, false);
    judge_report(x->a.j, &k, JT("consumer at %lld", (long long)x->cons_pos),
                 JT("%llu", (unsigned long long)x->a.peer->urgent_pos),
                 "the consumption of the urgent byte was never confirmed");
}

/* [CLOSE-002] */
static void unread(struct data_cdc *x)
{
    struct data_side *peer = x->a.peer;
    uint64_t known = known_producer(&x->a),
             read = x->cons_taken ? (uint64_t)x->cons_pos : x->a.me->cons_pos;
    struct judge_case k = judge_data_case(&x->a, REQ_CLOSE_002, 25);
    if (!x->cons_ok || !x->cons_taken)
        return;
    if (judge_holds(x->a.j, REQ_CLOSE_002, known <= read))
        return;
    if (peer->urgent_open && peer->urgent_pos == known && known - read == 1) {
        k.deviation = "A-47";
        urgent_left(x);
    }
    k.related[0] = peer->prod_frame;
    judge_report(x->a.j, &k, JT("C with %llu bytes unread", (unsigned long long)(known - read)),
                 "A (0x20)", "a connection with unread data is closed without abort");
}

/* B may stand although nothing waits, if the last data just filled the ring. */
static bool exactly_full(const struct data_cdc *x)
{
    const struct data_side *me = x->a.me;
    uint64_t pos = x->prod_taken ? (uint64_t)x->prod_pos : me->prod_pos,
             ring = x->a.ring[!x->a.side];
    bool full = pos == x->a.peer->cons_pos + ring || pos == ring;
    for (unsigned i = 0; i < DATA_FULLS; i++)
        full |= me->fulls[i] != 0 && me->fulls[i] == pos;
    return full;
}

/* D or C while data wait [CLOSE-003], C where only a reset tells the loss [CLOSE-006]. */
static void waiting_data(struct data_cdc *x)
{
    const struct data_side *me = x->a.me, *peer = x->a.peer;
    bool passive = peer->closed.set && !me->done.set && (x->cf & DATA_C);
    bool expired = me->blocked_unsent &&
                   x->a.now > me->blocked_ns + 3 * DATA_LONG_NS / 2; /* a timer may end the wait */
    bool blocked = (x->pf & DATA_B) && !exactly_full(x) && !expired;
    if (!judge_holds(x->a.j, REQ_CLOSE_003, !blocked)) {
        judge_data_broken(&x->a, REQ_CLOSE_003, me->blocked_frame,
                          JT("flags 0x%02x 0x%02x", x->pf, x->cf), "D and C without B",
                          "the side says that it is done while data wait (B)");
        return;
    }
    if (!passive || !me->blocked_unsent)
        return;
    bool dropped = !(x->pf & DATA_B) && (uint64_t)x->prod_pos == me->prod_pos;
    if (dropped)
        judge_data_broken(
            &x->a, REQ_CLOSE_006, me->blocked_frame, "C, B gone and nothing written", "A (0x20)",
            "the peer closed while data waited, and the answer is C instead of a reset");
}

/* How long what was posted before A came can take to leave. Of SMC-D nobody sees when the signal comes that follows the move. */
static uint64_t under_way(const struct data_act *a)
{
    return judge_data_lossy(a) || !a->link ? DATA_GRACE_NS : DATA_MS;
}

/* The data of this side were written when A had been there for a moment, and nothing was under way any more. */
static bool began_after(const struct data_act *a, const struct data_sent *abort)
{
    judge_data_acks(a, a->side);
    for (unsigned i = 0; i < a->me->nnotes; i++)
        if (!a->me->notes[i].sent.ack_ns || a->me->notes[i].sent.ack_ns > abort->ack_ns)
            return false;
    return a->me->last_write.set && a->me->last_write.ts_ns > abort->ack_ns + under_way(a);
}

/* C in the place of the answer to A [CLOSE-016]. */
static void answer(struct data_cdc *x)
{
    struct data_side *me = x->a.me, *peer = x->a.peer;
    bool data = x->prod_taken && (uint64_t)x->prod_pos > me->prod_pos && !(x->cf & DATA_A);
    if (me->closed.set || me->aborted.set ||
        !judge_data_delivered(&x->a, !x->a.side, &peer->aborted, data ? under_way(&x->a) : DATA_GRACE_NS))
        return;
    if (!(x->cf & DATA_A) && judge_data_posted(&x->a) <= peer->aborted.ack_ns) /* queued since before A */
        return;
    if (data && !began_after(&x->a, &peer->aborted)) /* it may have been under way */
        return;
    if (x->cf & DATA_A)
        judge_holds(x->a.j, REQ_CLOSE_016, true);
    else if (x->cf & DATA_C)
        judge_data_broken(&x->a, REQ_CLOSE_016, peer->aborted.frame, "C", "A (0x20)",
                          "A is answered by C");
    else if (data)
        judge_data_broken(&x->a, REQ_CDC_012, peer->aborted.frame, "data", "A (0x20)",
                          "the receiver of A goes on sending"); /* [CDC-012] */
}

static void fin_before(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    struct judge_case k = judge_data_case(&x->a, REQ_CLOSE_023, -1);
    bool late = me->fin_ns && !me->done.set && x->a.now > me->fin_ns + DATA_LONG_NS;
    k.frame = me->fin_ns ? me->fin_frame : x->a.frame;
    k.related[0] = me->fin_ns ? x->a.frame : 0;
    if (judge_holds(x->a.j, REQ_CLOSE_023, me->fin_ns == 0) || me->late_data) /* [CLOSE-023] */
        return;
    k.deviation = late ? NULL : "A-50";
    me->late_data = true;
    judge_report(x->a.j, &k,
                 JT("FIN in frame %llu, C in frame %llu", (unsigned long long)me->fin_frame,
                    (unsigned long long)x->a.frame),
                 "C before FIN", "the TCP FIN is ahead of C");
}

/* Data long after the FIN of the side that sends them, without D. */
static void after_fin(const struct data_act *a)
{
    struct data_side *me = a->me;
    struct judge_case k = judge_data_case(a, REQ_CLOSE_023, -1);
    if (!me->fin_ns || me->done.set || me->closed.set || me->late_data ||
        a->now <= me->fin_ns + DATA_LONG_NS)
        return;
    k.related[0] = me->fin_frame;
    me->late_data = true;
    judge_holds(a->j, REQ_CLOSE_023, false);
    judge_report(
        a->j, &k,
        JT("data %llu ms after FIN", (unsigned long long)((a->now - me->fin_ns) / DATA_MS)),
        "C before FIN", "data go on after the TCP FIN of their sender");
}

/* A message of the side that reset the connection [CDC-014] [CLOSE-018]. */
static void after_rst(const struct data_act *a, uint64_t cons, bool abort)
{
    const struct data_side *me = a->me;
    if (!me->rst_ns || abort || judge_data_posted(a) <= me->rst_ns + 2 * DATA_GRACE_NS)
        return;
    if (cons > me->rst_peer_prod)
        judge_data_broken(a, REQ_CDC_014, me->rst_frame,
                          JT("consumer at %llu", (unsigned long long)cons),
                          JT("nothing consumed beyond %llu", (unsigned long long)me->rst_peer_prod),
                          "a side consumes what came after it reset the connection");
    else
        judge_data_broken(a, REQ_CLOSE_018, me->rst_frame, "data or cursors", "at most A",
                          "a side goes on after it reset the connection");
}

void judge_close_cdc(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    bool ends = (x->cf & (DATA_C | DATA_D) & ~me->conn_flags) != 0;
    after_end(x);
    if (x->prod_taken && (uint64_t)x->prod_pos > me->prod_pos) {
        after_done(&x->a, (uint64_t)x->prod_pos, x->kind != DATA_NEW);
        after_fin(&x->a);
    }
    after_rst(&x->a, x->cons_ok && x->cons_pos > 0 ? (uint64_t)x->cons_pos : 0,
              (x->cf & (DATA_A | DATA_C)) != 0);
    answer(x);
    if (ends && !(x->cf & DATA_A) && x->kind == DATA_NEW && x->prod_ok)
        waiting_data(x);
    if ((x->cf & DATA_C) && !(x->cf & DATA_A) && !me->closed.set && !x->a.peer->aborted.set &&
        x->kind == DATA_NEW)
        unread(x);
    if ((x->cf & DATA_C) && !me->closed.set)
        fin_before(x);
}

void judge_close_write(const struct data_act *a, uint64_t from, uint64_t to, bool placed)
{
    const struct data_side *me = a->me;
    bool again = me->replaying && placed && from < me->replay_end;
    if (again)
        return;
    if (me->aborted.set && !me->closed.set)
        judge_data_broken(a, REQ_CLOSE_015, me->aborted.frame, "a WRITE", "nothing after A",
                          "a WRITE after the own A");
    else if (me->closed.set &&
             (a->peer->closed.set || a->peer->aborted.set)) /* the element may have a new owner */
        judge_data_pend_foreign(a, REQ_CDC_011, me->closed.frame);
    else if (me->closed.set)
        judge_data_broken(a, REQ_CDC_011, me->closed.frame, "a WRITE", "nothing after C",
                          "a WRITE after C");
    else if (placed)
        after_done(a, to, false);
    after_rst(a, 0, false);
    after_fin(a);
}

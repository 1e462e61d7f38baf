/* Checks of failover: the F message, the link a connection uses, what a receiver of F does.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_data.h"

#include <string.h>

static bool below(uint16_t x, uint16_t y)
{
    return (int16_t)(uint16_t)(x - y) < 0;
}

/* ---- links ---- */

/* What a slow link had queued at that time may come still: it has not paused since, nor has the port that it shares with others. What was
 * captured first may have begun to leave before: 4 KiB take 3.3 ms at 10 Mbit/s. */
static bool drains(const struct data_act *a, uint64_t since_ns)
{
    return judge_data_busy(a) <= since_ns + 5 * DATA_MS && a->now < since_ns + DATA_LONG_NS;
}

/* When the message at hand may have been given to its link, if the network holds it no longer than it held another one there. What comes
 * when packets that stand behind it have passed had been given to it before those. */
static uint64_t given(const struct data_act *a)
{
    const struct data_link *k = *judge_link_slot(a->link, JUDGE_AREA_DATA);
    uint64_t held = k ? k->held_ns[a->side] : 0;
    return a->by + held < a->now ? a->by : a->now - held;
}

static const struct data_left *left_of(const struct data_act *a)
{
    for (unsigned i = 0; i < a->me->nleft; i++)
        if (a->me->left[i].link == a->link)
            return &a->me->left[i];
    return NULL;
}

static void left_drop(struct data_side *x, const struct trace_link *l)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < x->nleft; i++)
        if (x->left[i].link != l)
            x->left[kept++] = x->left[i];
    x->nleft = kept;
}

static void left_add(struct data_side *x, const struct data_left *l)
{
    left_drop(x, l->link);
    x->nleft -= x->nleft == TRACE_MAX_LEFT;
    memmove(&x->left[1], &x->left[0], x->nleft * sizeof x->left[0]);
    x->left[0] = *l;
    x->nleft++;
}

/* Number of what the side said last over the link that it is on; of F, if nothing else was said there. */
static uint16_t last_there(const struct data_side *me)
{
    return me->after_f ? me->f_seq : me->replay_seq ? me->replay_seq : me->last_seq;
}

/* Goes over to the link of the message at hand. What was queued on any link it left before may still be on its way. */
static void leave(const struct data_act *a, uint64_t f_frame)
{
    const struct trace_link *from = a->me->link ? a->me->link : a->d->first_link;
    left_drop(a->me, a->link);
    if (from && from != a->link)
        left_add(a->me, &(struct data_left){.link = from, .ns = a->now, .f_frame = f_frame, .last_known = !a->me->moved, .f_only = a->me->after_f, .last = last_there(a->me)});
}

/* On a link that this side left by F, and not just because a queue was still being emptied for so long, or the network held it. */
static bool left_behind(const struct data_act *a, uint64_t grace_ns)
{
    const struct data_left *l = left_of(a);
    return l && l->f_frame && given(a) > l->ns + grace_ns && !drains(a, l->ns);
}

/* The same for a side that moved without F: what its old link had queued may still be on its way. */
static bool queued_behind(const struct data_act *a)
{
    const struct data_left *l = left_of(a);
    return l && !l->f_frame && (given(a) <= l->ns + 50 * DATA_MS || drains(a, l->ns));
}

/* The message that followed the last one on a link which its side has left, where it has been said again over another one since: it was
 * given to that link before, and the network held it. What would be said again over the wrong link has a number of before. */
static bool held(const struct data_act *a, const struct data_cdc *x)
{
    const struct data_left *l = left_of(a);
    uint16_t step = x && l ? (uint16_t)(x->e->seq - l->last) : 0;
    return (step == 1 || (step == 2 && l->f_only)) && l->last_known && !below(a->me->last_seq, x->e->seq) && a->now < l->ns + DATA_LONG_NS;
}

/* It was posted before its side was seen where it is: it was captured before, or what stands behind it was. Its number says so, too; that
 * of F is compared with the one of the F that came first. */
static bool told_late(const struct data_act *a, const struct data_cdc *x)
{
    const struct data_side *me = a->me;
    if (!x || !me->link || me->link == a->link || a->by >= me->link_ns)
        return false;
    bool by_f = me->f.set && me->link == me->f.link;
    return x->e->validation && by_f ? !below(me->f_seq, x->e->seq) : !below(me->last_seq, x->e->seq);
}

static bool dead(const struct data_act *a)
{
    const struct trace_link *l = a->link;
    if (l->state != TRACE_LINK_GONE || a->c->group->gone || !l->gone_ns || !l->delete_frame)
        return false;
    return left_behind(a, DATA_GRACE_NS) || (l->gone_ns + 50 * DATA_MS < given(a) && !drains(a, l->gone_ns));
}

static bool closing(const struct data_act *a)
{
    const struct data_side *me = a->me, *peer = a->peer;
    return me->done.set || me->closed.set || me->aborted.set || peer->done.set ||
           peer->closed.set || peer->aborted.set || a->c->rst || me->left_flags || peer->left_flags;
}

/* No F tells what was lost with the old link, and messages given to it when it was dead are on no wire. */
static void moved(const struct data_act *a)
{
    struct data_side *me = a->me;
    leave(a, 0);
    me->moved = true;
    me->moved_ns = a->now;
    me->replaying = true;
    me->replay_end = me->written_pos > me->prod_pos ? me->written_pos : me->prod_pos;
    me->replay_from = me->replay_end;
    me->f_from = 0; /* no number says from where on it writes again */
    me->f_sent_ns = judge_data_posted(a);
}

static void no_validation(const struct data_act *a, uint64_t frame, unsigned before)
{
    struct judge_case k = judge_data_case(a, REQ_FAILOVER_002, -1);
    k.frame = frame;
    judge_holds(a->j, REQ_FAILOVER_002, false);
    judge_report(a->j, &k, JT("data on link %u, before on link %u", a->link->number, before),
                 "a failover validation (F) first",
                 "the first message on another link is no failover validation");
}

/* A side that had said D, C or A, or was told so, changes links without F [FAILOVER-019]. When its word was lost with the old link,
 * what it writes again comes before the word: of a WRITE only the next CDC can tell. */
static void without_f(const struct data_act *a, bool write, uint8_t conn_flags)
{
    struct data_side *me = a->me;
    bool word = (conn_flags & (DATA_D | DATA_C | DATA_A)) != 0; /* it ended before it could move */
    bool excused = word || closing(a) || (me->cdcs == 0 && me->writes == 0);
    unsigned before = me->link ? me->link->number : 0;
    if (!excused && !write) {
        no_validation(a, a->frame, before);
        return;
    }
    if (!excused) {
        me->unnamed_link = a->link;
        me->unnamed_frame = a->frame;
        me->unnamed_before = (uint8_t)before;
    }
    moved(a);
}

/* The first CDC, or F, behind such a WRITE. */
static void named(const struct data_act *a, bool word)
{
    struct data_side *me = a->me;
    if (me->unnamed_link != a->link)
        return;
    me->unnamed_link = NULL;
    if (!word && !closing(a))
        no_validation(a, me->unnamed_frame, me->unnamed_before);
}

/* Nothing was sent over the link that CLC named. */
static bool first_on(const struct data_act *a)
{
    return !a->me->link && a->d->first_link && a->d->first_link != a->link;
}

/* What is said over the link at hand may be older than what brought this side to where it is: it waited in the queue of a slow link. */
static bool was_queued(const struct data_act *a)
{
    const struct trace_link *now = a->me->link;
    return now && now != a->link && !left_of(a) && drains(a, a->me->link_ns);
}

static bool may_be_older(const struct data_act *a)
{
    return was_queued(a) && !trace_link_lost(a->me->link, a->side);
}

static uint64_t f_of(const struct data_sent *f, const struct trace_link *l)
{
    return f->set && f->link == l ? f->frame : 0;
}

static void is_overtaken(const struct data_act *a)
{
    struct data_side *me = a->me;
    left_add(me, &(struct data_left){.link = a->link, .ns = me->link_ns, .f_frame = f_of(&me->f, me->link)});
}

static void come(const struct data_act *a)
{
    a->me->link = a->link;
    a->me->link_ns = a->now;
}

static void remember(const struct data_act *a, bool doubt)
{
    struct data_side *me = a->me;
    me->before = (struct data_before){.link = doubt ? me->link : NULL,
                                      .ns = me->link_ns,
                                      .f = me->f,
                                      .f_sent_ns = me->f_sent_ns,
                                      .f_seq = me->f_seq,
                                      .last = me->after_f ? 0 : me->replay_seq ? me->replay_seq : me->last_seq};
}

/* What came last was older: its link has failed, or nothing came over it but what was queued, and the side goes on where it was. */
static bool went_back(const struct data_act *a)
{
    if (a->me->before.link != a->link || trace_link_lost(a->link, a->side))
        return false;
    return trace_link_lost(a->me->link, a->side) || left_behind(a, 50 * DATA_MS);
}

/* What came over its link meanwhile was taken for stragglers, and not followed. */
static void go_back(const struct data_act *a)
{
    struct data_side *me = a->me;
    const struct data_before *x = &me->before;
    left_drop(me, x->link);
    left_add(me, &(struct data_left){.link = me->link, .ns = x->ns, .f_frame = f_of(&x->f, x->link)});
    me->link = x->link;
    me->link_ns = x->ns;
    me->f = x->f;
    me->f_seq = x->f_seq;
    me->f_sent_ns = x->f_sent_ns;
    me->f_beyond = me->f_doubt = false;
    me->unnamed_link = NULL;
    me->after_f = x->f.set && x->last == 0;
    me->replay_seq = x->last != 0 && below(x->last, me->last_seq) ? x->last : 0;
    if (x->last != 0 && below(me->last_seq, x->last))
        me->last_seq = x->last;
    me->written.lost = true;
    me->before.link = NULL;
}

/* A number that was said before, and not the last word once more: who moves without F repeats no other. */
static bool says_old(const struct data_act *a, const struct data_cdc *x)
{
    const struct data_side *me = a->me;
    return x && (below(x->e->seq, me->last_seq) || (x->e->seq == me->last_seq && !me->closed.set && !me->aborted.set));
}

/* What seemed to be last comes over a link that its side has lost meanwhile, while the one before lives, or has an old number: it was
 * older. */
static bool empties(const struct data_act *a, const struct data_cdc *x)
{
    const struct data_side *me = a->me;
    if (!me->before.link || a->link != me->link)
        return false;
    return (trace_link_lost(me->link, a->side) && !trace_link_lost(me->before.link, a->side)) || (me->moved_ns && says_old(a, x));
}

/* Goes over without F. False: it does not, what is said here is old. */
static bool goes_over(const struct data_act *a, const struct data_cdc *x)
{
    bool doubt = may_be_older(a);
    if ((doubt && trace_link_lost(a->link, a->side)) || (was_queued(a) && says_old(a, x))) {
        is_overtaken(a);
        return false;
    }
    remember(a, doubt);
    without_f(a, !x, x ? x->cf : 0);
    return true;
}

bool judge_failover_link(const struct data_act *a, const struct data_cdc *x)
{
    struct data_side *me = a->me;
    const struct data_left *left = left_of(a);
    struct judge_case k = judge_data_case(a, REQ_FAILOVER_001, -1);
    if (!a->link)
        return true;
    if (held(a, x) || told_late(a, x))
        return false;
    if (dead(a)) { /* [FAILOVER-001] */
        k.related[0] = a->link->gone_frame;
        judge_holds(a->j, REQ_FAILOVER_001, false);
        judge_report(a->j, &k, JT("link %u", a->link->number), "another link of the group",
                     "a connection goes on over a link that was deleted");
        return true;
    }
    if (empties(a, x)) {
        go_back(a);
        return false;
    }
    if (me->link == a->link) {
        if (!drains(a, me->before.ns)) /* it was not queued there */
            me->before.link = NULL;
        if (x)
            named(a, (x->cf & (DATA_D | DATA_C | DATA_A)) != 0);
        return true;
    }
    if (went_back(a)) {
        go_back(a);
        return true;
    }
    if (queued_behind(a))
        return false;
    if (me->link && me->f.set && me->f.link == a->link)
        judge_holds(a->j, REQ_FAILOVER_001, true);
    else if (left && left->f_frame) { /* [FAILOVER-009] */
        if (!left_behind(a, 50 * DATA_MS)) /* as long as the tracker waits for what is on its way */
            return false;
        k.req = REQ_FAILOVER_009;
        k.related[0] = left->f_frame;
        judge_holds(a->j, REQ_FAILOVER_009, false);
        judge_report(a->j, &k, JT("link %u", a->link->number), JT("link %u", me->f.link->number),
                     "a message on the old link after the failover validation");
        me->before.link = NULL;
    } else if ((me->link || first_on(a)) && !goes_over(a, x)) /* CLC named the first one */
        return false;
    come(a);
    return true;
}

void judge_failover_straggler(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    int64_t pos;
    me->left_flags |= x->cf;
    for (unsigned i = 0; i < me->nleft; i++)
        if (me->left[i].link == x->a.link && below(me->left[i].last, x->e->seq)) {
            me->left[i].last = x->e->seq;
            me->left[i].f_only = false;
        }
    if (me->before.link == x->a.link)
        me->before.last = x->e->seq;
    if (judge_data_position(&x->a, x->prod, x->a.ring[!x->a.side], me->prod, me->prod_pos, &pos) &&
        pos > (int64_t)me->left_pos)
        me->left_pos = (uint64_t)pos;
    if (!judge_data_position(&x->a, x->cons, x->a.ring[x->a.side], me->cons, me->cons_pos, &pos) || pos <= (int64_t)me->cons_pos)
        return;
    me->cons_unsure = true; /* until it says so on its new link */
    if ((uint64_t)pos > me->left_cons && (uint64_t)pos <= x->a.peer->prod_pos)
        me->left_cons = (uint64_t)pos;
}

/* ---- F ---- */

/* The numbers go on below the one of F: it was never sent, and its receiver had to know [FAILOVER-004]. */
static void f_of_nothing(struct data_cdc *x)
{
    const struct data_side *me = x->a.me;
    struct judge_case k = judge_data_case(&x->a, REQ_FAILOVER_002, 2);
    k.frame = me->f.frame;
    k.related[0] = x->a.frame;
    judge_holds(x->a.j, REQ_FAILOVER_002, false);
    judge_report(x->a.j, &k, JT("number %u", me->f_seq),
                 JT("at most %u, the last one sent", me->last_seq),
                 "a failover validation names a number that was never sent");
    if (!me->f_ignored)
        return;
    k.req = REQ_FAILOVER_004;
    k.side = !x->a.side;
    k.frame = me->f_ignored;
    k.related[0] = me->f.frame;
    k.offset = -1;
    judge_holds(x->a.j, REQ_FAILOVER_004, false);
    judge_report(x->a.j, &k, JT("F with number %u, last received %u", me->f_seq, me->last_seq),
                 "reset of the connection",
                 "data were lost by the word of F, and the receiver goes on");
}

bool judge_failover_next(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    if (x->e->smcd || !me->after_f)
        return true;
    /* By A-45 one more was completed than F says; with the last packets of the old link it may not have been captured. */
    if (me->f_seq == me->last_seq && x->e->seq == (uint16_t)(me->f_seq + 2)) {
        x->a.d->gap = true;
        return false;
    }
    if (!me->f_beyond)
        return true;
    me->f_beyond = false;
    if ((int16_t)(uint16_t)(x->e->seq - me->f_seq) >
        0) { /* what it named was sent, and not captured */
        x->a.d->gap = true;
        return false;
    }
    f_of_nothing(x);
    return true;
}

static void number_report(struct data_cdc *x, uint16_t expected, const char *deviation,
                          const char *message)
{
    struct judge_case k = judge_data_case(&x->a, REQ_FAILOVER_002, 2);
    k.deviation = deviation;
    judge_holds(x->a.j, REQ_FAILOVER_002, false);
    judge_report(x->a.j, &k, JT("number %u", x->e->seq), JT("number %u", expected), "%s", message);
}

/* When the peer last acknowledged a message over the link that this side leaves and then said something there that arrived: until
 * then no acknowledgement died with the link. */
static uint64_t alive_until(const struct data_act *a)
{
    uint64_t alive = 0;
    judge_data_acks(a, !a->side);
    for (unsigned i = 0; i < a->peer->nnotes; i++) {
        const struct data_sent *s = &a->peer->notes[i].sent;
        if (s->ack_ns && s->link == a->me->link && s->ts_ns > alive)
            alive = s->ts_ns;
    }
    return alive;
}

static void higher(const struct data_act *a, const struct data_note *n, uint64_t by, uint16_t *seq, bool *any)
{
    if (!n->sent.ack_ns || n->sent.ack_ns > by || n->sent.link != a->me->link || (*any && !below(*seq, n->seq)))
        return;
    *seq = n->seq;
    *any = true;
}

/* Highest number whose acknowledgement had come to this side's NIC by then; far below `acked` if none had. */
static uint16_t completed_by(const struct data_act *a, uint64_t by, uint16_t acked)
{
    const struct data_side *me = a->me;
    uint16_t seq = (uint16_t)(acked - 0x4000);
    bool any = false;
    for (unsigned i = 0; i < 2; i++)
        higher(a, &me->marks[i], by, &seq, &any);
    for (unsigned i = 0; i < me->nnotes; i++)
        higher(a, &me->notes[i], by, &seq, &any);
    return seq;
}

/* A completion may be under way from the NIC to the software for a while, and holds up all behind it: what is not completed when
 * the link is left is sent again, although it was acknowledged. F was not posted before the link was dead [FAILOVER-009], nor
 * before it can have been on its own. */
static uint64_t told_until(const struct data_act *a, uint64_t alive)
{
    uint64_t posted = judge_data_posted(a), left = posted > alive ? posted : alive;
    uint64_t told = left > DATA_GRACE_NS ? left - DATA_GRACE_NS : 0;
    return told < alive ? told : alive;
}

/* It says that completions had not come. Then it has to say again, or write again, what comes behind the number (A-45: or behind the
 * next one): the message after F tells. */
static void doubt(const struct data_act *a, uint16_t seq, uint16_t sure)
{
    struct data_side *me = a->me;
    uint16_t next = (uint16_t)(seq + 1);
    me->f_doubt = true;
    me->f_sure = sure;
    me->f_last = me->last_seq;
    me->f_again = me->nnotes == DATA_NOTES && me->dropped_seq == next ? me->dropped_prod : UINT64_MAX;
    for (unsigned i = 0; i < me->nnotes; i++)
        if (me->notes[i].seq == next)
            me->f_again = me->notes[i].prod_pos;
}

/* The message with the number that is the next new one announces what was written again in one go. */
static bool skipped(const struct data_cdc *x)
{
    const struct data_side *me = x->a.me;
    const struct data_group *g = *judge_group_slot(x->a.c->group, JUDGE_AREA_DATA);
    uint64_t consumed = judge_data_consumed(x->a.peer), from = me->f_again > consumed ? me->f_again : consumed;
    if (me->f_again == UINT64_MAX || !x->prod_ok || x->prod_pos <= (int64_t)from || from >= me->replay_end)
        return false;
    if (x->cf != 0 || me->written.lost || me->off_origin || x->a.d->nocopy[!x->a.side] || (g && g->stray[x->a.side] > me->f.frame))
        return false;
    return judge_spans_hole(&me->written, from, from + 1) == from;
}

void judge_failover_replay(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    struct judge_case k = judge_data_case(&x->a, REQ_FAILOVER_002, 2);
    bool repeated = !below(me->f_last, x->e->seq), late = below((uint16_t)(me->f_seq + 2), x->e->seq);
    if (!me->f_doubt)
        return;
    me->f_doubt = false;
    if (repeated ? !late : !skipped(x))
        return;
    k.frame = me->f.frame;
    k.related[0] = x->a.frame;
    judge_holds(x->a.j, REQ_FAILOVER_002, false);
    judge_report(x->a.j, &k, JT("number %u", me->f_seq), JT("number %u", me->f_sure),
                 "a failover validation names a number from which on its sender neither says nor writes again what followed");
}

/* [FAILOVER-002] */
static void number(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    uint16_t seq = x->e->seq, acked = me->acked_ns ? me->acked_seq : me->cdcs == 0 ? 0 : seq;
    uint64_t alive = alive_until(&x->a);
    uint16_t sure = completed_by(&x->a, alive, acked), known = completed_by(&x->a, told_until(&x->a, alive), acked);
    me->f_beyond = below(me->last_seq, seq);
    me->f_ignored = 0;
    me->f_doubt = false;
    if (me->f_beyond)
        return;
    if (!below(seq, acked))
        judge_holds(x->a.j, REQ_FAILOVER_002, true);
    else if (seq == (uint16_t)(acked - 1) || seq == (uint16_t)(sure - 1) || seq == (uint16_t)(known - 1))
        number_report(x, acked, "A-45",
                      "a failover validation names one less than the last number whose sending was "
                      "completed");
    else if (below(seq, known))
        number_report(x, known, NULL,
                      "a failover validation names the last number whose sending was completed");
    else
        doubt(&x->a, seq, sure);
}

/* Had its side heard this long before it gave F to the link? F may have waited in a queue. */
static bool heard(const struct data_cdc *x, struct data_sent *s)
{
    struct data_act a = x->a;
    a.now = judge_data_posted(&x->a);
    return judge_data_delivered(&a, !a.side, s, DATA_GRACE_NS);
}

/* [FAILOVER-019] */
static void active_only(struct data_cdc *x)
{
    struct data_side *me = x->a.me, *peer = x->a.peer;
    struct judge_case k = judge_data_case(&x->a, REQ_FAILOVER_019, 24);
    bool over = me->done.set || me->closed.set || me->aborted.set ||
                heard(x, &peer->done) || heard(x, &peer->closed);
    if (!judge_holds(x->a.j, REQ_FAILOVER_019, !over))
        judge_report(x->a.j, &k, "F on a connection that is closing", "no F: only the link changes",
                     "only active connections send a failover validation");
}

/* From where on data were lost: nothing that was acknowledged, consumed, or completed by the word of F. */
static uint64_t lost_from(const struct data_cdc *x)
{
    const struct data_side *me = x->a.me;
    uint64_t from = me->acked_prod > x->a.peer->cons_pos ? me->acked_prod : x->a.peer->cons_pos;
    for (unsigned i = 0; i < me->nnotes; i++) {
        const struct data_note *n = &me->notes[i];
        bool placed = n->sent.ack_ns || (n->data.set && n->data.ack_ns) ||
                      (int16_t)(uint16_t)(x->e->seq - n->seq) >= 0;
        if (placed && n->prod_pos > from)
            from = n->prod_pos;
    }
    return from;
}

/* From where on its sender writes again, as the number of F says; one that is older than all that is remembered says nothing. */
static uint64_t again_from(const struct data_side *me, uint16_t seq)
{
    bool older = me->nnotes > 0;
    for (unsigned i = me->nnotes; i-- > 0;) {
        if (me->notes[i].seq == seq)
            return me->notes[i].prod_pos;
        older &= below(seq, me->notes[i].seq);
    }
    if (seq == me->dropped_seq && me->nnotes == DATA_NOTES)
        return me->dropped_prod;
    return older ? 0 : me->replay_end;
}

static void begin_replay(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    struct data_sent last = me->last_write;
    me->replay_end = me->written_pos > me->prod_pos ? me->written_pos : me->prod_pos;
    me->unsure_pos = 0;
    me->replay_from = lost_from(x);
    me->f_from = again_from(me, x->e->seq);
    me->replaying = true;
    if (!judge_data_delivered(&x->a, x->a.side, &last, 0)) {
        me->written.n = 0;
        me->written.lost = false;
    }
    if (me->notes_lost || !me->acked_ns) /* nobody can say what was lost */
        me->replay_from = me->replay_end;
}

/* An F may wait in the queue of a slow link until that fails too, and the next F comes first. It names no more than that one did. Or
 * the side was closing by then, and moved without. */
static bool may_be_older_f(const struct data_cdc *x)
{
    const struct data_side *me = x->a.me;
    bool by_f = me->f.set && me->link == me->f.link;
    return may_be_older(&x->a) && (by_f ? !below(me->f_seq, x->e->seq) : me->moved_ns != 0);
}

/* What the side sent since tells which one is the older: its link was used beyond that number, and lived when that was acknowledged.
 * What waits in the port of a link that has just failed is sent and acknowledged, too, but nobody is told. */
static bool overtaken(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    const struct trace_link *now = me->link, *l = x->a.link;
    bool sure = trace_link_lost(l, x->a.side);
    uint64_t alive = alive_until(&x->a);
    judge_data_acks(&x->a, x->a.side);
    for (unsigned i = 0; i < me->nnotes; i++) {
        const struct data_note *n = &me->notes[i];
        sure |= n->sent.link == now && n->sent.ack_ns && n->sent.ack_ns < alive && below((uint16_t)(x->e->seq + 1), n->seq); /* one less is A-45 */
    }
    if (sure)
        is_overtaken(&x->a);
    return sure;
}

void judge_failover_validation(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    int64_t pos;
    bool doubt = may_be_older_f(x);
    if (told_late(&x->a, x)) {
        is_overtaken(&x->a);
        return;
    }
    if (doubt && overtaken(x))
        return;
    remember(&x->a, doubt);
    judge_data_acks(&x->a, x->a.side);
    judge_holds(x->a.j, REQ_CDC_013, true);
    number(x);
    named(&x->a, false);
    if (!doubt)
        active_only(x);
    if (!me->f.set)
        me->f_first_ns = x->a.now;
    begin_replay(x);
    leave(&x->a, x->a.frame);
    me->f = (struct data_sent){.set = true,
                               .link = x->a.link,
                               .psn = x->e->request->psn,
                               .frame = x->a.frame,
                               .ts_ns = x->a.now};
    me->f_sent_ns = judge_data_posted(&x->a);
    me->f_seq = x->e->seq;
    come(&x->a);
    me->moved_ns = 0;
    me->after_f = true;
    me->writes = 0;
    me->replay_seq = 0;
    if (judge_data_position(&x->a, x->prod, x->a.ring[!x->a.side], me->prod, me->prod_pos, &pos) &&
        pos > (int64_t)me->prod_pos) {
        me->f_prod = (uint64_t)pos;
        me->f_prod_frame = x->a.frame;
    }
}

/* ---- what the receiver of F does ---- */

/* A message of a side that received an F. */
void judge_failover_receiver(const struct data_act *a)
{
    struct data_side *sender = a->peer;
    if (!sender->f.set || !judge_data_delivered(a, !a->side, &sender->f, DATA_GRACE_NS))
        return;
    if (sender->f_beyond && !sender->f_ignored)
        sender->f_ignored = a->frame;
    else if (!sender->f_beyond)
        judge_holds(a->j, REQ_FAILOVER_005, true);
}

/* Whoever resets several connections at once ends their group. */
static void group_rst(const struct data_act *a)
{
    struct data_group *g = a->c->group ? judge_state(judge_group_slot(a->c->group, JUDGE_AREA_DATA), sizeof *g) : NULL;
    if (!g)
        return;
    if (g->rst_ns && g->rst_conn != a->c->id && a->now <= g->rst_ns + DATA_MS)
        g->rsts_ns = a->now;
    g->rst_ns = a->now;
    g->rst_conn = a->c->id;
}

/* Did that link, or what shares its port, send without a pause since then? */
static bool queued_since(const struct data_act *a, const struct trace_link *l, uint64_t ns)
{
    struct data_act there = *a;
    there.link = (struct trace_link *)(uintptr_t)l;
    return l && judge_data_busy(&there) <= ns;
}

/* Was the link that the Confirm names lost at about that time, so that a RST that waited in a queue may answer the Confirm [CLC-040]? Who
 * says so by DELETE LINK says it behind that queue, too. */
static bool named_a_lost_link(const struct data_act *a)
{
    const struct trace_link *l = a->d->first_link;
    uint64_t confirm = a->c->confirm_ns;
    if (!l || l->state < TRACE_LINK_DELETING)
        return false;
    uint64_t long_after = queued_since(a, a->peer->f.link, confirm) ? DATA_LONG_NS : DATA_GRACE_NS;
    return a->peer->f_first_ns < confirm + DATA_MS || (l->delete_ns && l->delete_ns < confirm + long_after);
}

/* When that note's link is deleted, the completions that its NIC has not told of by then are lost. */
static bool tells(const struct data_note *n, uint16_t seq, uint64_t by)
{
    uint64_t deleted = n->sent.link ? n->sent.link->delete_ns : 0;
    if (deleted && deleted < by)
        by = deleted;
    return n->sent.ack_ns && n->sent.ack_ns + DATA_GRACE_NS <= by && !below(n->seq, seq);
}

/* Did the receiver of F have what its number says? What was acknowledged just before may have been under way from its NIC to the
 * software, on another queue than F itself. */
static bool surely_received(const struct data_act *a, const struct data_side *sender)
{
    bool sure = sender->f_seq == 0;
    judge_data_acks(a, !a->side);
    for (unsigned i = 0; i < 2; i++)
        sure |= tells(&sender->marks[i], sender->f_seq, sender->f.ts_ns);
    for (unsigned i = 0; i < sender->nnotes; i++)
        sure |= tells(&sender->notes[i], sender->f_seq, sender->f.ts_ns);
    return sure;
}

/* [FAILOVER-005] */
void judge_failover_rst(const struct data_act *a)
{
    struct data_side *sender = a->peer;
    struct judge_case k = judge_data_case(a, REQ_FAILOVER_005, -1);
    group_rst(a);
    if (!sender->f.set || sender->f_beyond || !sender->after_f || closing(a) ||
        !judge_data_sure(a) || !sender->f.link)
        return;
    if (sender->f.link->state != TRACE_LINK_ACTIVE || a->now > sender->f.ts_ns + DATA_GRACE_NS || !surely_received(a, sender))
        return;
    uint64_t answers_ns = a->c->confirm_ns + (named_a_lost_link(a) ? DATA_LONG_NS : DATA_GRACE_NS / 2);
    if ((a->me->cdcs == 0 && a->me->writes == 0 && a->now < answers_ns) || a->c->confirm_ns >= sender->f.ts_ns)
        return;
    k.related[0] = sender->f.frame;
    a->me->rst_f = true;
    a->me->rst_case = k;
    a->me->rst_f_seq = sender->f_seq;
    a->me->rst_last_seq = sender->last_seq;
    a->me->rst_psn = sender->f.link->end[!a->side].tx ? sender->f.link->end[!a->side].tx->next_psn : 0;
}

static bool with_others(const struct data_act *a, uint64_t rst_ns)
{
    const struct data_group *g = a->c->group ? *judge_group_slot(a->c->group, JUDGE_AREA_DATA) : NULL;
    return g && g->rsts_ns && g->rsts_ns + DATA_MS >= rst_ns && g->rsts_ns <= rst_ns + DATA_MS;
}

static bool crossed(const struct data_act *a)
{
    uint64_t mine = a->me->rst_ns, theirs = a->peer->rst_ns;
    return theirs && mine <= theirs + DATA_GRACE_NS && theirs <= mine + DATA_GRACE_NS;
}

/* Does the side send over the link that F came over when what was queued has left, or acknowledge what came after its RST? A link that
 * did not pause since may still empty its queue, older acknowledgements included, though nobody is behind it any more. */
static bool goes_on(const struct data_act *a, const struct trace_link *l, uint64_t queued)
{
    const struct data_link *k = *judge_link_slot((struct trace_link *)(uintptr_t)l, JUDGE_AREA_DATA);
    unsigned n = k ? k->n[!a->side] : 0;
    uint64_t rst = a->me->rst_ns;
    bool answers = n > 0 && judge_psn_ahead(k->ack[!a->side][n - 1].psn, a->me->rst_psn) < 0x800000;
    return k && ((k->last_ns[a->side] > rst + queued && k->busy_ns[a->side] > rst) || answers);
}

/* Where the capture ends too soon to tell: was all acknowledged that came over that link, F included, or does anything wait? */
static bool answered(const struct data_act *a, const struct trace_link *l)
{
    const struct data_link *k = *judge_link_slot((struct trace_link *)(uintptr_t)l, JUDGE_AREA_DATA);
    unsigned n = k ? k->n[!a->side] : 0;
    return n > 0 && k->last_ns[!a->side] <= a->me->rst_ns && judge_psn_ahead(a->me->rst_psn, k->ack[!a->side][n - 1].psn) == 1;
}

/* The whole group may have ended, with the link that F came over: only who goes on with that link reset because of F. RSTs of both
 * sides crossed each other, for nobody answers a RST: both saw the link fail. */
void judge_failover_end(const struct data_act *a)
{
    const struct data_side *me = a->me;
    uint64_t queued = judge_data_lossy(a) ? DATA_GRACE_NS : DATA_MS; /* that may leave yet */
    const struct trace_link *l = a->peer->f.link;
    if (me->done.set || me->closed.set) /* the network held what it had said before it reset */
        return;
    if (!me->rst_f || crossed(a) || with_others(a, me->rst_ns))
        return;
    if (!goes_on(a, l, queued) && !(a->now <= me->rst_ns + DATA_GRACE_NS && answered(a, l)))
        return;
    judge_holds(a->j, REQ_FAILOVER_005, false);
    judge_report(a->j, &me->rst_case, JT("RST after F with number %u", me->rst_f_seq),
                 JT("no reaction: %u was received", me->rst_last_seq),
                 "a connection is reset although the failover validation shows no loss");
}

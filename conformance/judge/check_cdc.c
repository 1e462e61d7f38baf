/* Checks of the CDC message: length, token, number, and data that stand before their announcement.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_data.h"

enum { CDC_BYTES = 44, TYPE_CDC = 0xfe };

/* ---- the message ---- */

static void group_cut(const struct trace_cdc_event *e)
{
    struct data_group *g =
        e->group ? judge_state(judge_group_slot(e->group, JUDGE_AREA_DATA), sizeof *g) : NULL;
    if (g)
        g->cut = true;
}

static bool is_cut(const struct judge *j, const struct trace_cdc_event *e)
{
    (void)j;
    struct data_group *g = e->group ? *judge_group_slot(e->group, JUDGE_AREA_DATA) : NULL;
    return g && g->cut;
}

/* A message that only the capture made short says nothing, and nothing after it is certain. */
static void cut(struct judge *j, const struct trace_cdc_event *e)
{
    struct judge_case k = {
        .req = REQ_CDC_001, .side = e->side, .frame = e->frame, .group = e->group, .offset = -1};
    group_cut(e);
    if (e->group)
        judge_inconclusive(j, &k, "CDC messages are cut by the snap length of the capture");
}

bool judge_cdc_message(struct judge *j, const struct trace_cdc_event *e)
{
    size_t have = smc_view_len(e->bytes);
    struct judge_case k = {
        .req = REQ_CDC_001, .side = e->side, .frame = e->frame, .conn = e->conn, .group = e->group};
    if (e->smcd)
        return e->valid;
    const struct trace_request *r = e->request;
    if (r->headless || have == 0 || e->bytes.p[0] != TYPE_CDC)
        return false;
    k.offset = -1;
    if (!judge_holds(j, REQ_CDC_001, r->len == CDC_BYTES)) /* [CDC-001] */
        judge_report(j, &k, JT("%u bytes", r->len), "44 bytes", "a CDC message has 44 bytes");
    k.offset = 1;
    if (have > 1 && e->bytes.p[1] != CDC_BYTES)
        judge_report(j, &k, JT("length byte %u", e->bytes.p[1]), "length byte 44",
                     "the length byte of a CDC message is 44");
    if (!e->valid && r->len > have)
        cut(j, e);
    else if (!e->valid) /* the receiver drops it: what comes after has a hole */
        group_cut(e);
    return e->valid && !is_cut(j, e);
}

/* ---- token ---- */

/* Would the message continue what this connection's side said and wrote? `data`: it must announce what was just written. */
static bool continues(const struct trace_cdc_event *e, struct judge *j, struct trace_conn *c,
                      bool data)
{
    struct data_act a;
    int64_t pos;
    if (c->group != e->group || c->declined || !*judge_conn_slot(c, JUDGE_AREA_DATA) ||
        !judge_data_act(&a, j, c, e->side, e->link, e->frame, e->ts_ns) || !judge_data_sure(&a))
        return false;
    return !e->validation && a.d->started && e->seq == (uint16_t)(a.me->last_seq + 1) &&
           a.me->link == e->link && (!data || a.me->written_pos > a.me->prod_pos) &&
           judge_data_position(&a, e->prod, a.ring[!e->side], a.me->prod, a.me->prod_pos, &pos) &&
           (uint64_t)pos == a.me->written_pos;
}

/* The connection, other than `not`, whose data the message announces: by its number, link and cursor it can be no other's. */
static struct trace_conn *announces(struct judge *j, const struct trace_cdc_event *e,
                                    const struct trace_conn * not, bool data)
{
    struct trace_conn *found = NULL;
    for (struct trace_conn *c = e->group ? e->group->conns : NULL; c; c = c->group_next) {
        if (c == not || !continues(e, j, c, data))
            continue;
        if (found)
            return NULL;
        found = c;
    }
    return found;
}

/* The tracker forgets a connection some time after both FINs; in SMC both sides may still only have said D. */
void judge_cdc_ended(const struct data_act *a)
{
    struct data_group *g = judge_state(judge_group_slot(a->c->group, JUDGE_AREA_DATA), sizeof *g);
    const struct data_conn *d = a->d;
    bool over = (d->side[0].closed.set || d->side[0].aborted.set) &&
                (d->side[1].closed.set || d->side[1].aborted.set);
    for (int i = 0; g && !over && i < 2; i++)
        g->ended[i][g->nended[i]++ % DATA_ENDED] = a->c->side[i].token;
}

static bool ended(const struct trace_cdc_event *e)
{
    const struct data_group *g = *judge_group_slot(e->group, JUDGE_AREA_DATA);
    unsigned n = g ? g->nended[!e->side] : 0;
    for (unsigned i = 0; i < n && i < DATA_ENDED; i++)
        if (g->ended[!e->side][i] == e->token)
            return true;
    return n > DATA_ENDED;
}

static bool handshake_runs(const struct trace_group *g)
{
    for (const struct trace_conn *c = g->conns; c; c = c->group_next)
        if (c->accepted && !c->confirmed && !c->declined)
            return true;
    return false;
}

static void wrong_token(struct judge *j, const struct trace_cdc_event *e,
                        const struct trace_conn *c)
{
    struct judge_case k = {.req = REQ_CDC_005,
                           .side = e->side,
                           .frame = e->frame,
                           .conn = c,
                           .group = e->group,
                           .offset = 4};
    judge_report(
        j, &k, JT("token 0x%08x", e->token), JT("token 0x%08x", c->side[!e->side].token),
        "the message announces what was written for another connection than its token names");
}

/* Without data only a capture that shows every connection tells a wrong token from that of an unknown connection. */
static void unknown_token(struct judge *j, const struct trace_cdc_event *e)
{
    struct data_act a;
    struct trace_conn *c = announces(j, e, NULL, false);
    if (c && !e->group->late && !e->group->incomplete &&
        judge_data_act(&a, j, c, e->side, e->link, e->frame, e->ts_ns))
        judge_data_pend_foreign(&a, REQ_CDC_005, 0);
}

/* The token names no connection [CDC-005]. */
struct trace_conn *judge_cdc_token(struct judge *j, const struct trace_cdc_event *e)
{
    if (!e->group || handshake_runs(e->group) || ended(e))
        return NULL;
    struct trace_conn *c = announces(j, e, NULL, true);
    if (!c) {
        unknown_token(j, e);
        return NULL;
    }
    judge_holds(j, REQ_CDC_005, false);
    wrong_token(j, e, c);
    return c;
}

/* Tokens of the connection before are compared when a connection is first used [CDC-006]. */
void judge_cdc_successive_tokens(const struct data_act *a)
{
    struct trace_group *g = a->c->group;
    struct data_group *s = judge_state(judge_group_slot(g, JUDGE_AREA_DATA), sizeof *s);
    if (!s || g->smcd)
        return;
    for (int i = 0; i < 2; i++) {
        uint32_t token = a->c->side[i].token, before = s->token[i];
        struct judge_case k = {.req = REQ_CDC_006,
                               .side = i,
                               .frame = i == 0 ? a->c->confirm_frame : a->c->accept_frame,
                               .conn = a->c,
                               .group = g,
                               .offset = 46};
        if (!a->c->side[i].given)
            continue;
        if (s->token_known[i]) {
            bool next = token - before == 1 || before - token == 1;
            k.deviation =
                token != 0 && before != 0 ? "A-51" : NULL; /* one counter a host, from 1 */
            if (!judge_holds(a->j, REQ_CDC_006, !next))
                judge_report(a->j, &k, JT("tokens 0x%08x and 0x%08x", before, token),
                             "tokens that cannot be guessed",
                             "alert tokens of successive connections are consecutive numbers");
        }
        s->token[i] = token;
        s->token_known[i] = true;
    }
}

/* ---- number ---- */

static const struct data_note *note_of(const struct data_side *x, uint16_t seq)
{
    for (unsigned i = x->nnotes; i-- > 0;)
        if (x->notes[i].seq == seq && x->notes[i].sent.set)
            return &x->notes[i];
    return NULL;
}

/* A message of old number after F: the same words once more [FAILOVER-007]. */
static void repeated(struct data_cdc *x)
{
    const struct data_note *n = note_of(x->a.me, x->e->seq);
    int64_t pos;
    x->kind = DATA_REPLAY;
    x->a.me->replay_seq = x->e->seq;
    if (!n || !judge_data_position(&x->a, x->prod, x->a.ring[!x->a.side], x->a.me->prod,
                                   x->a.me->prod_pos, &pos))
        return;
    struct judge_case k = judge_data_case(&x->a, REQ_FAILOVER_007, 2);
    k.related[0] = n->sent.frame;
    if (!judge_holds(x->a.j, REQ_FAILOVER_007, pos <= (int64_t)n->prod_pos))
        judge_report(x->a.j, &k, JT("number %u, producer at %lld", x->e->seq, (long long)pos),
                     JT("number above %u, or producer at %llu", x->a.me->last_seq,
                        (unsigned long long)n->prod_pos),
                     "a repetition that merges lost messages takes a number above all of them");
}

/* C or A once more on another link: a side that is closing sends no F [FAILOVER-019], and after C and A there is no new number. */
static bool last_word_again(const struct data_cdc *x)
{
    const struct data_side *me = x->a.me;
    const struct data_sent *word = me->aborted.set ? &me->aborted : &me->closed;
    return word->set && word->link != NULL && word->link != x->a.link && x->e->seq == me->last_seq;
}

static bool may_repeat(const struct data_cdc *x)
{
    const struct data_side *me = x->a.me;
    uint16_t seq = x->e->seq;
    if ((int16_t)(uint16_t)(seq - me->last_seq) > 0)
        return false;
    if (last_word_again(x))
        return true;
    if (me->after_f)
        return (int16_t)(uint16_t)(seq - me->f_seq) > 0;
    return me->replay_seq && seq == (uint16_t)(me->replay_seq + 1);
}

static void old_number(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    int64_t pos;
    x->kind = DATA_OLD;
    me->old_seqs += me->old_seqs < 255;
    me->cons_unsure = true;
    if (!judge_data_position(&x->a, x->prod, x->a.ring[!x->a.side], me->prod, me->prod_pos, &pos) ||
        pos < 0)
        return;
    if ((uint64_t)pos > me->prod_pos) {
        me->stale_pos = (uint64_t)pos;
        me->stale_frame = x->a.frame;
        me->stale_equal = x->e->seq == me->last_seq;
    }
}

static void take_number(struct data_cdc *x)
{
    x->kind = DATA_NEW;
    x->a.me->last_seq = x->e->seq;
    x->a.me->old_seqs = 0;
    x->a.me->replay_seq = 0;
}

/* Messages that were given to a link which had died are on no wire. They held data, which come again at once (the first copies may
 * be lost in turn, and what is captured is sent much later), or updates, which were due. */
static bool may_be_lost(const struct data_cdc *x)
{
    const struct data_side *me = x->a.me, *peer = x->a.peer;
    int64_t pos;
    uint32_t ring = x->a.ring[x->a.side];
    bool placed = judge_data_position(&x->a, x->cons, ring, me->cons, me->cons_pos, &pos);
    bool due = placed && (pos - (int64_t)me->cons_pos) * 10 >= (int64_t)ring;
    return judge_data_posted(&x->a) < me->f.ts_ns + 50 * DATA_MS || due || (peer->prod_flags & DATA_B) ||
           peer->attention || peer->urgent_open;
}

/* A ends what is sent again after F: what has not come again yet never does. So does the peer's A, which may be answered much later. */
static bool cuts_replay(const struct data_cdc *x, int step)
{
    const struct data_side *me = x->a.me, *peer = x->a.peer;
    uint64_t until = me->f.ts_ns + 50 * DATA_MS;
    return (x->cf & DATA_A) && me->f.set && me->f.link == x->a.link && step > 0 && step <= DATA_NOTES &&
           (judge_data_posted(&x->a) < until || (peer->aborted.set && peer->aborted.ts_ns < until));
}

static void number_broken(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    int step = (int16_t)(uint16_t)(x->e->seq - me->last_seq);
    bool f = me->after_f && step > 0;
    if ((f && may_be_lost(x)) || (me->moved && step > 0) || cuts_replay(x, step)) {
        take_number(x);
        return;
    }
    struct judge_case k = judge_data_case(&x->a, f ? REQ_FAILOVER_003 : REQ_CDC_002, 2);
    k.related[0] = f ? me->f.frame : me->nnotes ? me->notes[me->nnotes - 1].sent.frame : 0;
    judge_holds(x->a.j, k.req, false);
    judge_report(x->a.j, &k, JT("number %u", x->e->seq),
                 JT("number %u", (uint16_t)(me->last_seq + 1)), "%s",
                 f ? "a failover validation takes no number: the next one follows the last one sent"
                 : me->cdcs == 0 ? "the first CDC of a connection has number 1"
                 : step > 0      ? "CDC numbers are skipped"
                                 : "a CDC number was used before");
    if (step > 0 || me->cdcs == 0)
        take_number(x);
    else
        old_number(x);
    me->old_seq = x->e->seq;
}

struct trace_conn *judge_cdc_number(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    uint16_t step = (uint16_t)(x->e->seq - me->last_seq);
    if (x->e->smcd)
        return NULL;
    judge_holds(x->a.j, REQ_CDC_005, true);
    if (step == 1 || (step > 1 && step <= 1 + me->old_seqs)) { /* [CDC-002] */
        judge_holds(x->a.j, me->after_f ? REQ_FAILOVER_003 : REQ_CDC_002, true);
        take_number(x);
        return NULL;
    }
    if (me->old_seq && (uint16_t)(x->e->seq - me->old_seq) == 1 &&
        me->old_seqs) { /* the numbers go on from there */
        take_number(x);
        return NULL;
    }
    if (may_repeat(x)) {
        repeated(x);
        return NULL;
    }
    struct trace_conn *other = announces(x->a.j, x->e, x->a.c, true);
    if (other) {
        judge_holds(x->a.j, REQ_CDC_005, false);
        wrong_token(x->a.j, x->e, other);
        return other;
    }
    number_broken(x);
    return NULL;
}

/* ---- announced data ---- */

static void hole(struct data_cdc *x, uint64_t from, uint64_t to)
{
    struct data_side *me = x->a.me;
    bool lost = me->replaying && from < me->replay_end;
    struct judge_case k =
        judge_data_case(&x->a, lost ? REQ_FAILOVER_006 : REQ_CDC_007, x->e->smcd ? 8 : 10);
    k.related[0] = lost ? me->f.frame : 0;
    judge_report(
        x->a.j, &k,
        JT("announced up to %llu, written without a hole up to %llu", (unsigned long long)to,
           (unsigned long long)from),
        "every announced byte written before", "%s",
        lost ? "data lost with the old link are not written again before the cursor passes them"
             : "the producer cursor announces data that are not written yet");
    me->missing = (struct data_span){from, to};
}

/* The reader gave its element to a younger connection, because a RST ended this one for it: what is written late seems to be that one's. */
static bool given_again(const struct data_act *a)
{
    const struct trace_conn_side *ring = &a->c->side[!a->side];
    for (const struct trace_conn *c = ring->rmb && a->c->rst ? a->c->group->conns : NULL; c; c = c->group_next)
        if (c->id > a->c->id && c->side[!a->side].rmb == ring->rmb && c->side[!a->side].rmbe_index == ring->rmbe_index)
            return true;
    return false;
}

/* Every byte up to the producer cursor was written before [CDC-007]; what was lost with a link, once more [FAILOVER-006]. */
static void written_before(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    uint64_t from = me->replaying ? me->replay_from : me->prod_pos, to = (uint64_t)x->prod_pos;
    if (me->replaying && judge_data_consumed(x->a.peer) > from)
        from = judge_data_consumed(x->a.peer);
    if ((x->cf & DATA_A) && (me->moved || me->f.set)) /* whoever is told A reads no more: nothing is written again */
        return;
    if (!x->prod_ok || x->prod_pos < 0 || me->off_origin || me->written.lost ||
        x->a.d->nocopy[!x->a.side] || to <= from)
        return;
    uint64_t at = judge_spans_hole(&me->written, from, to);
    const struct data_group *g = *judge_group_slot(x->a.c->group, JUDGE_AREA_DATA);
    if (at != to && ((g && g->stray[x->a.side] > me->cdc_frame) || given_again(&x->a))) /* it may have been this one's */
        return;
    judge_holds(x->a.j, me->replaying ? REQ_FAILOVER_006 : REQ_CDC_007, at == to);
    if (at != to)
        hole(x, at, to);
}

void judge_cdc_announced(struct data_cdc *x)
{
    if (x->kind == DATA_OLD)
        return;
    written_before(x);
}

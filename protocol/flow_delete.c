/* DELETE LINK: of one link, of all, by either role.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

enum { DRAIN_STEP_NS = 1000000 };

static void del_fired(struct smc_timer *timer);

int smc_flow_delete_send(struct smc_flow *f, struct smc_link *carrier, uint8_t number, uint32_t reason, bool orderly)
{
    struct smc_llc_info m = {.type = SMC_LLC_DELETE_LINK, .link_number = number, .reason = reason, .orderly = orderly};
    return smc_flow_send(f, carrier, &m);
}

/* ---- What is wanted ----------------------------------------------------------------------------- */
static struct flow_want *find_want(struct smc_flow *f, uint8_t number)
{
    for (unsigned i = 0; i < FLOW_DELETES; i++)
        if (f->wants[i].number == number)
            return &f->wants[i];
    return NULL;
}

static void drop_want(struct smc_flow *f, unsigned i)
{
    memmove(&f->wants[i], &f->wants[i + 1], (FLOW_DELETES - i - 1) * sizeof(f->wants[0]));
    f->wants[FLOW_DELETES - 1].number = 0;
}

/* Once for a number. There are more places than links; the last one is for numbers of no link. */
void smc_flow_want_delete(struct smc_flow *f, uint8_t number, uint32_t reason, bool orderly)
{
    struct flow_want *w = number != 0 ? find_want(f, number) : NULL;
    bool running = f->del.state != FLOW_DEL_IDLE && f->del.number == number;
    if (number == 0 || w != NULL || running)
        return;
    w = find_want(f, 0);
    if (w == NULL) {
        smc_flow_drop(f);
        return;
    }
    *w = (struct flow_want){.number = number, .reason = reason, .orderly = orderly};
    smc_flow_kick(f);
}

bool smc_flow_told(const struct smc_flow *f)
{
    for (unsigned i = 0; i < FLOW_DELETES; i++)
        if (f->wants[i].number != 0)
            return true;
    return false;
}

/* ---- Taking a link out of use -------------------------------------------------------------------- */
static bool alive(const struct smc_endpoint *ep, const struct smc_flow *f, const struct smc_group *g, unsigned slot,
                  const struct smc_link *link)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH (n, following, &ep->groups) /* a connection that could not move may have taken the group along */
        if (SMC_LIST_ENTRY(n, struct smc_group, all) == g)
            return g->flow == f && !g->dying && g->links[slot] == link;
    return false;
}

/* Takes a link out of use: its connections move, those that cannot are ended. False: the group may be gone. */
static bool quiesce(struct smc_flow *f, struct smc_link *link)
{
    struct smc_group *g = f->group;
    struct smc_endpoint *ep = g->ep;
    unsigned slot = link->slot;
    if (link->state == SMC_LINK_ACTIVE) {
        link->state = SMC_LINK_INACTIVE;
        smc_group_update_type(g);
    }
    if (smc_list_empty(&link->conns))
        return true;
    smc_failover_link(link);
    while (alive(ep, f, g, slot, link) && !smc_list_empty(&link->conns)) {
        struct smc_connection *c = SMC_LIST_ENTRY(link->conns.next, struct smc_connection, of_link);
        smc_close_abort(c, SMC_ERR_RESET);
        if (alive(ep, f, g, slot, link) && c->link == link)
            smc_group_detach(c);
    }
    return alive(ep, f, g, slot, link);
}

/* The peer's end has failed. What that had sent may still be in the network, and where the peer writes the same bytes again it is
 * harmless; but once they are read new ones take their place. So nothing may come over it any more when the next F does
 * [FAILOVER-009]. False: the group may be gone. */
static bool shut_out(struct smc_flow *f, struct smc_link *on, struct smc_link *link, const struct smc_llc_info *m)
{
    struct smc_group *g = f->group;
    unsigned slot = link->slot;
    if (m->reason != SMC_LLC_DEL_LOST_PATH || on == link || link->state == SMC_LINK_ACTIVATING)
        return true;
    struct smc_endpoint *ep = g->ep;
    smc_link_down(link);
    return alive(ep, f, g, slot, link);
}

static void free_link(struct smc_flow *f, uint8_t number)
{
    struct smc_link *link = number != 0 ? smc_group_link_by_number(f->group, number) : NULL;
    if (link == NULL || link == smc_flow_deref(f, f->add.fresh))
        return;
    smc_flow_out_drop(f, smc_flow_ref(link));
    f->down = (uint16_t)(f->down & ~(1u << link->slot));
    smc_flow_share_end(f, link->slot);
    smc_link_free(link);
    smc_group_update_type(f->group);
}

static void del_end(struct smc_flow *f)
{
    smc_timer_cancel(&f->group->ep->timers, &f->del.timer);
    memset(&f->del, 0, sizeof(f->del));
    smc_flow_rkey_settled(f);
}

static void end_group(struct smc_flow *f, uint32_t reason, bool tell)
{
    f->end_group = true;
    f->end_reason = reason;
    f->end_tell = tell;
    smc_flow_kick(f);
}

static void wait_step(struct smc_flow *f, uint8_t state, uint64_t ns)
{
    f->del.state = state;
    smc_flow_timer(f, &f->del.timer, ns, del_fired);
}

/* ---- The server's exchange ---------------------------------------------------------------------- */
static void server_send(struct smc_flow *f)
{
    struct flow_del *d = &f->del;
    struct smc_link *link = smc_group_link_by_number(f->group, d->number);
    struct smc_link *carrier = smc_flow_carrier(f, NULL, link);
    if (carrier == NULL) { /* the last link goes */
        uint32_t reason = d->reason;
        bool tell = link != NULL && link->confirmed;
        del_end(f);
        end_group(f, reason, tell);
        return;
    }
    d->carrier = smc_flow_ref(carrier);
    wait_step(f, FLOW_DEL_ANSWER, flow_profile(f)->llc_timeout_ns);
    if (smc_flow_delete_send(f, carrier, d->number, d->reason, d->orderly) < 0)
        smc_flow_fail_link(f, carrier); /* [LLC-065]: smc_flow_delete_lost() sends it again */
}

/* Nothing that was posted is left on the link? */
static bool drained(const struct smc_flow *f)
{
    const struct smc_link *link = smc_flow_deref(f, f->del.link);
    return link == NULL || smc_wr_pending(link) == 0 || f->group->ep->now_ns >= f->del.until_ns;
}

bool smc_flow_delete_start(struct smc_flow *f)
{
    struct flow_want w = f->wants[0];
    if (w.number == 0)
        return false;
    drop_want(f, 0);
    struct smc_link *link = smc_group_link_by_number(f->group, w.number);
    struct flow_del *d = &f->del;
    d->number = w.number;
    d->reason = w.reason;
    d->orderly = w.orderly;
    d->until_ns = f->group->ep->now_ns + flow_profile(f)->llc_timeout_ns;
    d->state = FLOW_DEL_DRAIN;
    d->link = link != NULL ? smc_flow_ref(link) : (struct smc_flow_ref){0};
    if (link != NULL && smc_flow_carrier(f, NULL, link) != NULL && !quiesce(f, link))
        return true;
    if (w.orderly && !drained(f))
        wait_step(f, FLOW_DEL_DRAIN, DRAIN_STEP_NS);
    else
        server_send(f);
    return true;
}

static void server_done(struct smc_flow *f)
{
    free_link(f, f->del.number);
    f->want_add = true; /* if one is wanted is seen when its turn comes */
    del_end(f);
}

static void server_silence(struct smc_flow *f) /* [LLC-066] */
{
    struct smc_link *carrier = smc_flow_deref(f, f->del.carrier);
    if (smc_flow_waits(f, f->del.carrier)) {
        wait_step(f, FLOW_DEL_ANSWER, flow_profile(f)->llc_timeout_ns);
    } else if (flow_profile(f)->carrier_survives || carrier == NULL) {
        server_done(f); /* */
    } else {
        smc_flow_fail_link(f, carrier);
    }
}

static void server_answered(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m)
{
    if (f->add.state == FLOW_ADD_DELETE && smc_flow_deref(f, f->add.carrier) == link && m->link_number == f->add.fresh.number) {
        smc_flow_server_give_up(f);
        return;
    }
    if (f->del.state != FLOW_DEL_ANSWER || smc_flow_deref(f, f->del.carrier) != link || m->link_number != f->del.number) {
        smc_flow_drop(f); /* [LLC-068] */
        return;
    }
    server_done(f); /* [LLC-036]; also if the link was unknown to the client [LLC-037] */
}

/* A client wants a link deleted: served by an exchange of our own [LLC-041] [LLC-084]. */
static void server_asked(struct smc_flow *f, struct smc_link *on, const struct smc_llc_info *m)
{
    struct smc_link *link = m->link_number != 0 ? smc_group_link_by_number(f->group, m->link_number) : NULL;
    if (f->add.state >= FLOW_ADD_RESPONSE && m->link_number != 0 && m->link_number == f->add.fresh.number) {
        if (f->add.state != FLOW_ADD_DELETE)
            smc_flow_add_failed(f); /* the client gave the new link up [LLC-083] */
        return;
    }
    if (m->link_number == 0 || (link == NULL && flow_profile(f)->llc_errors_dropped)) {
        smc_flow_drop(f);
        return;
    }
    smc_flow_want_delete(f, m->link_number, m->reason, m->orderly); /* [LLC-040] [LLC-046] */
    if (link != NULL)
        (void)shut_out(f, on, link, m);
}

/* ---- The client's side --------------------------------------------------------------------------- */
/* Sends what was not sent yet; the server's own request ends it, or time. */
void smc_flow_client_tell(struct smc_flow *f)
{
    uint64_t now = f->group->ep->now_ns;
    for (unsigned i = 0; i < FLOW_DELETES; i++) {
        struct flow_want *w = &f->wants[i];
        struct smc_link *link = w->number != 0 ? smc_group_link_by_number(f->group, w->number) : NULL;
        struct smc_link *carrier = smc_flow_carrier(f, NULL, link);
        if (w->number == 0 || w->told)
            continue;
        if (carrier == NULL) {
            end_group(f, w->reason, link != NULL && smc_flow_usable(link));
            return;
        }
        w->told = true;
        w->slot = carrier->slot;
        w->until_ns = now + flow_profile(f)->llc_timeout_ns;
        if (f->del.state == FLOW_DEL_IDLE)
            wait_step(f, FLOW_DEL_IDLE, flow_profile(f)->llc_timeout_ns);
        if (smc_flow_delete_send(f, carrier, w->number, w->reason, w->orderly) < 0)
            smc_flow_fail_link(f, carrier);
        bool at_once = link != NULL && flow_profile(f)->client_frees_at_once;
        if (at_once && (smc_flow_carrier(f, NULL, link) != NULL)) {
            uint8_t number = w->number;
            if (!quiesce(f, link))
                return;
            free_link(f, number);
        }
    }
}

/* The server has not acted: what has failed is freed all the same. */
static void client_silence(struct smc_flow *f)
{
    uint64_t now = f->group->ep->now_ns, next = UINT64_MAX;
    for (unsigned i = 0; i < FLOW_DELETES;) {
        struct flow_want *w = &f->wants[i];
        if (w->number == 0)
            break;
        if (w->told && w->until_ns <= now) {
            struct smc_link *link = smc_group_link_by_number(f->group, w->number);
            if (link != NULL && !smc_flow_usable(link))
                free_link(f, w->number);
            drop_want(f, i);
            continue;
        }
        if (w->told && w->until_ns < next)
            next = w->until_ns;
        i++;
    }
    if (next != UINT64_MAX)
        smc_timer_set(&f->group->ep->timers, &f->del.timer, next, del_fired);
    smc_flow_kick(f);
}

static void answer(struct smc_flow *f, struct smc_link *link, const uint8_t *request, uint32_t reason)
{
    uint8_t bytes[SMC_LLC_BYTES];
    memcpy(bytes, request, sizeof(bytes));
    smc_store_be(bytes + 5, 4, reason);
    if (smc_flow_echo(f, link, bytes, 0) < 0)
        smc_flow_fail_link(f, link);
}

static void client_rearm(struct smc_flow *f)
{
    del_end(f);
    if (smc_flow_told(f))
        wait_step(f, FLOW_DEL_IDLE, flow_profile(f)->llc_timeout_ns);
}

/* Orderly: everything has left the link. Answers, then frees it once the answer has left too. */
static void client_answer(struct smc_flow *f)
{
    struct flow_del *d = &f->del;
    struct smc_link *carrier = smc_flow_deref(f, d->carrier), *link = smc_flow_deref(f, d->link);
    if (carrier != NULL)
        answer(f, carrier, d->request, 0);
    d->until_ns = f->group->ep->now_ns + flow_profile(f)->llc_timeout_ns;
    if (carrier != NULL && carrier == link) {
        wait_step(f, FLOW_DEL_SENT, DRAIN_STEP_NS);
        return;
    }
    free_link(f, d->number);
    client_rearm(f);
}

static void forget_want(struct smc_flow *f, uint8_t number)
{
    for (unsigned i = 0; i < FLOW_DELETES; i++)
        if (f->wants[i].number == number && f->wants[i].told) {
            drop_want(f, i);
            return;
        }
}

static void client_begin(struct smc_flow *f, struct smc_link *on, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes)
{
    struct flow_del *d = &f->del;
    d->link = smc_flow_ref(link);
    d->carrier = smc_flow_ref(on);
    d->number = m->link_number;
    memcpy(d->request, bytes, sizeof(d->request));
    d->until_ns = f->group->ep->now_ns + flow_profile(f)->llc_timeout_ns;
    d->state = FLOW_DEL_DRAIN;
    if (!quiesce(f, link) || !shut_out(f, on, link, m))
        return;
    if (m->orderly && link->state != SMC_LINK_UNUSED && !drained(f) && on != link)
        wait_step(f, FLOW_DEL_DRAIN, DRAIN_STEP_NS);
    else
        client_answer(f);
}

/* The server repeats what is running over another link, since it has lost the first one: there it waits for the answer [LLC-066]. */
static bool asked_again(struct smc_flow *f, struct smc_link *on, const struct smc_link *link, const uint8_t *bytes)
{
    struct flow_del *d = &f->del;
    if (on == link || smc_flow_deref(f, d->link) != link || smc_flow_deref(f, d->carrier) == on)
        return false;
    if (d->state == FLOW_DEL_SENT) { /* the answer went with the link */
        answer(f, on, bytes, 0);
        return true;
    }
    d->carrier = smc_flow_ref(on);
    memcpy(d->request, bytes, sizeof(d->request));
    return true;
}

/* A request of the server; always answered [LLC-035]. */
static void client_asked(struct smc_flow *f, struct smc_link *on, const struct smc_llc_info *m, const uint8_t *bytes)
{
    struct smc_link *link = m->link_number != 0 ? smc_group_link_by_number(f->group, m->link_number) : NULL;
    if (m->link_number != 0)
        forget_want(f, m->link_number);
    if (f->add.fresh.set && m->link_number == f->add.fresh.number) { /* [LLC-083] */
        answer(f, on, bytes, m->reason);
        smc_flow_add_free(f);
        smc_flow_add_end(f);
        return;
    }
    if (link == NULL) { /* [LLC-037] */
        answer(f, on, bytes, SMC_LLC_DEL_UNKNOWN_LINK);
        smc_flow_kick(f);
        return;
    }
    if (f->del.state != FLOW_DEL_IDLE) { /* the server runs one at a time */
        if (!asked_again(f, on, link, bytes))
            smc_flow_drop(f);
        return;
    }
    if (smc_flow_carrier(f, NULL, link) == NULL) { /* nothing would be left */
        answer(f, on, bytes, 0);
        end_group(f, m->reason, false);
        return;
    }
    client_begin(f, on, link, m, bytes);
}

/* ---- All of them --------------------------------------------------------------------------------- */
/* The server repeats a client's request as its own [LLC-039]; a client says nothing [LLC-038]. */
static void delete_all(struct smc_flow *f, struct smc_link *on, const struct smc_llc_info *m)
{
    struct smc_llc_info own = {.type = SMC_LLC_DELETE_LINK, .all = true, .orderly = true, .reason = m->reason};
    if (f->group->client || smc_flow_send(f, on, &own) < 0) {
        end_group(f, m->reason, false);
        return;
    }
    del_end(f);
    f->del.reason = m->reason;
    f->del.link = f->del.carrier = smc_flow_ref(on);
    f->del.number = 0;
    f->del.until_ns = f->group->ep->now_ns + flow_profile(f)->llc_timeout_ns;
    f->group->sync_error = true; /* takes no new connection */
    wait_step(f, FLOW_DEL_SENT, DRAIN_STEP_NS);
}

void smc_flow_delete_input(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes)
{
    bool client = f->group->client;
    if (f->del.state == FLOW_DEL_SENT && f->del.number == 0)
        smc_flow_drop(f); /* the group is ending */
    else if (m->response && client)
        smc_flow_drop(f);
    else if (m->response)
        server_answered(f, link, m);
    else if (m->all)
        delete_all(f, link, m);
    else if (client)
        client_asked(f, link, m, bytes);
    else
        server_asked(f, link, m);
}

/* ---- Time and failures --------------------------------------------------------------------------- */
static void sent(struct smc_flow *f)
{
    uint8_t number = f->del.number;
    uint32_t reason = f->del.reason;
    if (!drained(f)) {
        wait_step(f, FLOW_DEL_SENT, DRAIN_STEP_NS);
    } else if (number == 0) {
        del_end(f);
        end_group(f, reason, false);
    } else {
        free_link(f, number);
        client_rearm(f);
    }
}

static void del_fired(struct smc_timer *timer)
{
    struct flow_del *d = SMC_LIST_ENTRY(timer, struct flow_del, timer);
    struct smc_flow *f = SMC_LIST_ENTRY(d, struct smc_flow, del);
    switch (d->state) {
    case FLOW_DEL_IDLE:
        client_silence(f);
        break;
    case FLOW_DEL_DRAIN:
        if (!drained(f))
            wait_step(f, FLOW_DEL_DRAIN, DRAIN_STEP_NS);
        else if (f->group->client)
            client_answer(f);
        else
            server_send(f);
        break;
    case FLOW_DEL_ANSWER:
        server_silence(f);
        break;
    default:
        sent(f);
    }
}

/* The link that carries the exchange has failed: again, over another one. The link itself: nothing more to wait for. */
void smc_flow_delete_lost(struct smc_flow *f, const struct smc_link *link)
{
    struct flow_del *d = &f->del;
    bool carrier = d->carrier.set && d->carrier.slot == link->slot;
    if (d->state == FLOW_DEL_ANSWER && carrier) {
        wait_step(f, FLOW_DEL_DRAIN, 0);
        d->until_ns = 0;
    } else if (f->group->client && d->state != FLOW_DEL_IDLE && carrier) {
        d->carrier.set = false;
        d->until_ns = 0;
        wait_step(f, d->state, 0);
    }
    for (unsigned i = 0; f->group->client && i < FLOW_DELETES; i++)
        if (f->wants[i].slot == link->slot)
            f->wants[i].told = false; /* the request may be lost: it is told again */
}

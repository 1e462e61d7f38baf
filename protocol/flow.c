/* LLC of a link group: what is wanted, what may run, which message goes where.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

static void flow_work(struct smc_timer *timer);

struct smc_flow_ref smc_flow_ref(const struct smc_link *link)
{
    return (struct smc_flow_ref){.slot = link->slot, .number = link->number, .set = true};
}

struct smc_link *smc_flow_deref(const struct smc_flow *f, struct smc_flow_ref ref)
{
    struct smc_link *link = ref.set ? f->group->links[ref.slot] : NULL;
    return link != NULL && link->number == ref.number ? link : NULL;
}

bool smc_flow_usable(const struct smc_link *link)
{
    return link != NULL && link->state == SMC_LINK_ACTIVE && !link->going_down;
}

/* The link of `preferred`, if it works, else the first one that does, other than `not`. */
struct smc_link *smc_flow_carrier(const struct smc_flow *f, const struct smc_link *preferred, const struct smc_link *not)
{
    const struct smc_group *g = f->group;
    if (preferred != NULL && preferred != not && smc_flow_usable(preferred) && !(f->down >> preferred->slot & 1))
        return g->links[preferred->slot];
    for (unsigned i = 0; i < g->link_slots; i++)
        if (g->links[i] != not && smc_flow_usable(g->links[i]) && !(f->down >> i & 1))
            return g->links[i];
    return NULL;
}

void smc_flow_timer(struct smc_flow *f, struct smc_timer *timer, uint64_t after_ns, smc_timer_fn *fn)
{
    smc_timer_set(&f->group->ep->timers, timer, f->group->ep->now_ns + after_ns, fn);
}

void smc_flow_kick(struct smc_flow *f)
{
    if (!f->work.set)
        smc_flow_timer(f, &f->work, 0, flow_work);
}

void smc_flow_drop(struct smc_flow *f)
{
    f->group->ep->counters.llc_dropped++;
}

void smc_flow_fail_link(struct smc_flow *f, const struct smc_link *link)
{
    f->down = (uint16_t)(f->down | 1u << link->slot);
    smc_flow_kick(f);
}

void smc_flow_activate(struct smc_flow *f, struct smc_link *link)
{
    link->confirmed = true;
    f->active_ns[link->slot] = f->group->ep->now_ns;
    smc_link_active(link);
    smc_flow_keepalive_start(link);
}

int smc_flow_init(struct smc_group *group)
{
    struct smc_flow *f = smc_alloc_zeroed(group->ep->alloc, 1, sizeof(*f));
    if (f == NULL)
        return SMC_ERR_NOMEM;
    f->group = group;
    smc_list_init(&f->rkeys);
    group->eyecatcher_own = group->eyecatcher_own && group->version == 1; /* v2 has none [LLC-012] */
    group->flow = f;
    return 0;
}

/* Handshakes are told last, one after the other: they may give up their connection, but find no flow any more. */
void smc_flow_free(struct smc_group *group)
{
    struct smc_flow *f = group->flow;
    if (f == NULL)
        return;
    struct smc_connection *first = f->add.first;
    f->add.first = NULL;
    group->flow = NULL; /* who is called now finds no flow any more */
    smc_flow_rkey_free(f);
    struct smc_timer *timers[] = {&f->work, &f->out_timer, &f->ask_timer, &f->add.timer, &f->del.timer, &f->rkey.timer, &f->held.timer,
                                  &f->turn_timer, &group->retry_timer};
    for (unsigned i = 0; i < sizeof(timers) / sizeof(timers[0]); i++)
        smc_timer_cancel(&group->ep->timers, timers[i]);
    for (unsigned i = 0; i < group->link_slots; i++)
        if (group->links[i] != NULL)
            smc_timer_cancel(&group->ep->timers, &group->links[i]->test_timer);
    smc_flow_out_free(f);
    smc_alloc_release(group->ep->alloc, f, 1, sizeof(*f));
    if (first != NULL)
        smc_hs_llc_failed(first, SMC_ERR_GONE, 0);
}

const char *smc_flow_name(const struct smc_group *group)
{
    static const char *const add[] = {"none", "CONFIRM LINK", "ADD LINK", "ADD LINK", "ADD LINK", "ADD LINK", "ADD LINK", "ADD LINK"};
    const struct smc_flow *f = group->flow;
    if (f == NULL)
        return "none";
    if (f->add.state != FLOW_ADD_IDLE)
        return add[f->add.state];
    if (f->del.state != FLOW_DEL_IDLE)
        return "DELETE LINK";
    if (f->rkey.state != FLOW_RKEY_IDLE)
        return f->rkey.state == FLOW_RKEY_CONFIRM ? "CONFIRM RKEY" : "DELETE RKEY";
    return f->asked ? "REQUEST ADD LINK" : "none";
}

/* ---- What is to be done ------------------------------------------------------------------------- */
static bool idle(const struct smc_flow *f) /* [LLC-043] */
{
    return f->add.state == FLOW_ADD_IDLE && f->del.state == FLOW_DEL_IDLE && f->rkey.state == FLOW_RKEY_IDLE;
}

static void start_next(struct smc_flow *f)
{
    if (!f->group->client) {
        if (idle(f) && smc_flow_delete_start(f))
            return;
        if (idle(f) && f->want_add) {
            smc_flow_server_start(f);
            return;
        }
    } else {
        smc_flow_client_tell(f); /* group 1 of the rules: at any time */
        if (f->want_ask && f->add.state == FLOW_ADD_IDLE && f->del.state == FLOW_DEL_IDLE)
            smc_flow_client_ask(f);
        if (smc_flow_told(f))
            return; /* the server is about to change the group: a key sent now would have to be sent again */
    }
    if (idle(f) && !smc_flow_rkey_start(f) && idle(f))
        smc_flow_rkey_delete_start(f);
}

static struct smc_link *next_down(struct smc_flow *f)
{
    for (unsigned i = 0; i < f->group->link_slots; i++) {
        if (!(f->down >> i & 1))
            continue;
        f->down = (uint16_t)(f->down & ~(1u << i));
        if (f->group->links[i] != NULL)
            return f->group->links[i];
    }
    return NULL;
}

static void flow_work(struct smc_timer *timer)
{
    struct smc_flow *f = SMC_LIST_ENTRY(timer, struct smc_flow, work);
    struct smc_group *group = f->group;
    if (group->dying)
        return;
    if (f->end_group) {
        f->end_group = false;
        smc_group_terminate(group, f->end_reason, f->end_tell);
        return;
    }
    for (unsigned i = 0; f->lost != 0 && i < group->link_slots; i++)
        if (f->lost >> i & 1) {
            f->lost = (uint16_t)(f->lost & ~(1u << i));
            smc_flow_kick(f);
            smc_flow_add_lost(f, i);
            return;
        }
    struct smc_link *failed = next_down(f);
    if (failed == NULL) {
        start_next(f);
        return;
    }
    smc_flow_kick(f);
    if (failed->state == SMC_LINK_ACTIVE)
        smc_link_down(failed); /* comes back by smc_flow_link_lost(), or ends the group */
    else
        smc_flow_add_lost(f, failed->slot);
}

void smc_flow_link_lost(struct smc_link *link)
{
    struct smc_flow *f = link->group->flow;
    if (f == NULL || link->group->dying)
        return;
    struct smc_flow_ref on = smc_flow_ref(link);
    smc_timer_cancel(&link->group->ep->timers, &link->test_timer);
    f->down = (uint16_t)(f->down & ~(1u << link->slot));
    smc_flow_out_drop(f, on);
    if (f->remote.open && f->remote.on.slot == link->slot)
        f->remote.open = false;
    if (f->asker.set && f->asker.slot == link->slot)
        f->asker.set = false;
    bool fresh = smc_flow_deref(f, f->add.fresh) == link;
    if (!fresh && link->number != 0)
        smc_flow_want_delete(f, link->number, SMC_LLC_DEL_LOST_PATH, flow_profile(f)->lost_link_orderly);
    smc_flow_rkey_lost(f, link);
    smc_flow_delete_lost(f, link);
    f->lost = (uint16_t)(f->lost | 1u << link->slot); /* the caller still holds the link */
    smc_flow_kick(f);
}

/* ---- Input -------------------------------------------------------------------------------------- */
static bool handled(struct smc_flow *f, struct smc_link *link, const uint8_t *bytes, size_t length)
{
    switch (smc_llc_classify(smc_view_of(bytes, length))) {
    case SMC_LLC_KNOWN:
        return false;
    case SMC_LLC_UNKNOWN: /* [LLC-004] */
    case SMC_LLC_NOT_CDC: /* [LLC-005] */
    case SMC_LLC_EMPTY:
        if (!flow_profile(f)->llc_errors_dropped)
            smc_flow_fail_link(f, link);
        break;
    default: /* [LLC-003] [LLC-074] */
        break;
    }
    smc_flow_drop(f);
    return true;
}

static void dispatch(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes)
{
    switch (m->type) {
    case SMC_LLC_CONFIRM_LINK:
        smc_flow_confirm_input(f, link, m);
        return;
    case SMC_LLC_ADD_LINK:
        smc_flow_add_input(f, link, m, bytes);
        return;
    case SMC_LLC_ADD_LINK_CONT:
        smc_flow_add_continuation(f, link, m);
        return;
    case SMC_LLC_DELETE_LINK:
        smc_flow_delete_input(f, link, m, bytes);
        return;
    case SMC_LLC_REQ_ADD_LINK:
        if (m->response)
            smc_flow_client_answer(f, link);
        else
            smc_flow_server_asked(f, link, m);
        return;
    case SMC_LLC_CONFIRM_RKEY:
    case SMC_LLC_CONFIRM_RKEY_CONT:
    case SMC_LLC_DELETE_RKEY:
        if (m->response)
            smc_flow_rkey_response(f, link, m, bytes);
        else if (m->type == SMC_LLC_CONFIRM_RKEY)
            smc_flow_remote_confirm(f, link, m, bytes);
        else if (m->type == SMC_LLC_DELETE_RKEY)
            smc_flow_remote_delete(f, link, m, bytes);
        else
            smc_flow_remote_more(f, link, m, bytes);
        return;
    default: /* SMC_LLC_TEST_LINK */
        smc_flow_keepalive_input(f, link, m, bytes);
    }
}

void smc_flow_input(struct smc_link *link, const uint8_t *bytes, size_t length)
{
    struct smc_flow *f = link->group->flow;
    struct smc_llc_info m;
    struct smc_reject why;
    if (f == NULL || link->group->dying || f->end_group)
        return;
    link->last_received_ns = link->group->ep->now_ns;
    if (handled(f, link, bytes, length))
        return;
    if (!smc_llc_decode(smc_view_of(bytes, length), &m, &why)) { /* [LLC-001] [LLC-069] */
        smc_flow_drop(f);
        if (!flow_profile(f)->llc_errors_dropped)
            smc_flow_fail_link(f, link);
        return;
    }
    if (m.version != link->group->version || (m.version == 2 && m.length_order == SMC_FITS_NONE)) { /* [LLC-075] */
        smc_flow_drop(f);
        return;
    }
    link->group->ep->counters.llc_received[m.type & 15]++;
    dispatch(f, link, &m, bytes);
}

/* ---- What others ask for ------------------------------------------------------------------------ */
void smc_flow_add_link(struct smc_group *group)
{
    struct smc_flow *f = group->flow;
    if (f == NULL || group->dying)
        return;
    if (group->client)
        f->want_ask = true;
    else
        f->want_add = true;
    smc_flow_kick(f);
}

void smc_flow_port_up(struct smc_rnic *rnic, uint8_t port)
{
    struct smc_list *n, *following;
    (void)port; /* which port a group can use is found out when its turn comes */
    SMC_LIST_EACH (n, following, &rnic->ep->groups) {
        struct smc_group *group = SMC_LIST_ENTRY(n, struct smc_group, all);
        if (!group->smc_d && !group->first_contact)
            smc_flow_add_link(group);
    }
}

void smc_flow_delete_link(struct smc_link *link, uint32_t reason, bool orderly)
{
    struct smc_flow *f = link->group->flow;
    if (f == NULL || link->group->dying || link->number == 0)
        return;
    smc_flow_want_delete(f, link->number, reason, orderly);
}

void smc_flow_delete_all(struct smc_group *group, uint32_t reason)
{
    struct smc_flow *f = group->flow;
    struct smc_link *link = f != NULL ? smc_flow_carrier(f, NULL, NULL) : NULL;
    if (link == NULL)
        return;
    struct smc_llc_info m = {.type = SMC_LLC_DELETE_LINK, .all = true, .reason = reason}; /* [LLC-034] [LLC-085] */
    smc_flow_send(f, link, &m);
}

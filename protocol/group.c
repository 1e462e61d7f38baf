/* Link groups: found, made, joined, left, ended (state-machines §2, §9.1).
 * SPDX-License-Identifier: BSD-3-Clause */
#include "link.h"

enum { GROUP_ID_STEP = 256, MAX_CONNS_V1 = 255 };

static struct smc_group *group_of(struct smc_list *n)
{
    return SMC_LIST_ENTRY(n, struct smc_group, all);
}

/* ---- Looking for one ---- */
static struct smc_link *fitting_link(struct smc_group *g, const struct smc_choice *choice)
{
    for (unsigned i = 0; i < g->link_slots; i++) {
        struct smc_link *link = g->links[i];
        if (link == NULL || link->state != SMC_LINK_ACTIVE || link->failing || !smc_gid_equal(&link->peer_gid, &choice->peer_gid))
            continue;
        if (choice->version < 2 && memcmp(link->peer_mac, choice->peer_mac, sizeof(link->peer_mac)) != 0)
            continue;
        if (!choice->client || link->peer_qpn == choice->peer_qpn)
            return link;
    }
    return NULL;
}

/* A Proposal of version 2 alone does not say who its sender is: the GID of a link has to do (wire-format §2.2). */
static bool same_id(const struct smc_group *g, const struct smc_choice *choice)
{
    static const uint8_t unsaid[sizeof(choice->peer_id)];
    if (choice->version >= 2 && !choice->client && memcmp(choice->peer_id, unsaid, sizeof(unsaid)) == 0)
        return true;
    return memcmp(g->peer_id, choice->peer_id, sizeof(g->peer_id)) == 0;
}

/* TCP roles, reversed, need another group (RFC 7609 2.2.3); a group belongs to one VLAN in version 1 [ROCE-013]. */
static bool same_peer_r(const struct smc_group *g, const struct smc_choice *choice)
{
    return !g->smc_d && g->client == choice->client && g->version == choice->version && same_id(g, choice);
}

static bool same_vlan(const struct smc_group *g, const struct smc_choice *choice)
{
    return choice->version >= 2 ||
           (g->vlan_valid == choice->vlan_valid && (!g->vlan_valid || g->vlan_id == choice->vlan_id));
}

/* The server alone decides that a group is full [CLC-080]: the client's count may run behind. */
static bool has_room(const struct smc_group *g)
{
    return g->client || (g->connections < g->max_conns && !smc_rtoken_full(g));
}

/* All who share a loopback have its one GID: containers on it are told apart by their addresses. */
static bool same_sharer(const struct smc_group *g, const struct smc_choice *choice)
{
    return !smc_gid_equal(&choice->peer_gid, &choice->device->device->gid) ||
           (smc_gid_equal(&g->own_ip, &choice->own_ip) && smc_gid_equal(&g->peer_ip, &choice->peer_ip));
}

static bool fits_d(const struct smc_group *g, const struct smc_choice *choice)
{
    return g->smc_d && g->device == choice->device && smc_gid_equal(&g->peer_gid, &choice->peer_gid) && /* 128 bits */
           same_sharer(g, choice);
}

/* Not settled: whoever needs it has to wait. But a group of SMC-D serves both roles, and the client of its first contact has it whole
 * when it has sent its Confirm: as a server it may name it at once, and that can overtake the Confirm. */
static bool unsettled(const struct smc_group *g, const struct smc_choice *choice)
{
    return g->first_contact && !(choice->smc_d && choice->client && !g->client);
}

struct smc_group *smc_group_find(struct smc_endpoint *ep, const struct smc_choice *choice, struct smc_link **link, bool *no_link)
{
    *link = NULL;
    *no_link = false;
    for (struct smc_list *n = ep->groups.next; n != &ep->groups; n = n->next) {
        struct smc_group *g = group_of(n);
        if (g->sync_error || unsettled(g, choice) || !same_vlan(g, choice))
            continue;
        if (choice->smc_d) {
            if (fits_d(g, choice))
                return g;
            continue;
        }
        if (!same_peer_r(g, choice))
            continue;
        struct smc_link *found = fitting_link(g, choice);
        if (found != NULL && has_room(g)) {
            *link = choice->client ? found : NULL;
            *no_link = false;
            return g;
        }
        *no_link |= found == NULL;
    }
    return NULL;
}

/* ---- Making one ---- */
static struct smc_group *group_alloc(struct smc_endpoint *ep, const struct smc_choice *choice)
{
    struct smc_group *g = smc_alloc_zeroed(ep->alloc, 1, sizeof(*g));
    if (g == NULL)
        return NULL;
    struct smc_list *nodes[] = {&g->all, &g->of_device, &g->conns, &g->rmbs, &g->sndbufs};
    for (unsigned i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        smc_list_init(nodes[i]);
    g->ep = ep;
    g->client = choice->client;
    g->smc_d = choice->smc_d;
    g->version = choice->version;
    g->release = choice->release;
    g->features = choice->features;
    g->max_conns = choice->max_conns != 0 ? choice->max_conns : MAX_CONNS_V1;
    g->max_links = choice->max_links != 0 ? choice->max_links : ep->profile.max_links;
    if (g->max_links >= SMC_LINK_SLOTS_MAX)
        g->max_links = SMC_LINK_SLOTS_MAX - 1;
    memcpy(g->eid, choice->eid, sizeof(g->eid));
    memcpy(g->peer_id, choice->peer_id, sizeof(g->peer_id));
    g->vlan_valid = choice->vlan_valid;
    g->vlan_id = choice->vlan_id;
    g->first_contact = true;
    return g;
}

static void name_group(struct smc_group *g)
{
    g->ep->next_group += GROUP_ID_STEP;
    if (g->ep->next_group == 0)
        g->ep->next_group = GROUP_ID_STEP;
    g->id = g->ep->next_group;
}

static int start_r(struct smc_group *g, const struct smc_choice *choice)
{
    struct smc_link *link;
    g->link_slots = g->max_links + 1u; /* one more for a while: asymmetric, or about to go */
    g->eyecatcher_own = g->ep->profile.rmbe_eyecatcher;
    int error = smc_flow_init(g);
    if (error == 0)
        error = smc_link_new(g, choice->rnic, choice->port, choice->gid_index, &link);
    if (error != 0) {
        smc_flow_free(g);
        return error;
    }
    link->peer_gid = choice->peer_gid;
    memcpy(link->peer_mac, choice->peer_mac, sizeof(link->peer_mac));
    link->peer_qpn = choice->peer_qpn;
    link->v2_direct = choice->route.direct;
    memcpy(link->next_hop_mac, choice->route.next_hop_mac, sizeof(link->next_hop_mac));
    return 0;
}

static int start_d(struct smc_group *g, const struct smc_choice *choice)
{
    g->device = choice->device;
    g->own_ip = choice->own_ip;
    g->peer_ip = choice->peer_ip;
    g->peer_gid = choice->peer_gid;
    return smc_smcd_group_start(g);
}

int smc_group_new(struct smc_endpoint *ep, const struct smc_choice *choice, struct smc_group **out)
{
    struct smc_group *g = group_alloc(ep, choice);
    if (g == NULL)
        return SMC_ERR_NOMEM;
    name_group(g);
    int error = g->smc_d ? start_d(g, choice) : start_r(g, choice);
    if (error != 0) {
        smc_alloc_release(ep->alloc, g, 1, sizeof(*g));
        return error;
    }
    smc_list_add_tail(&ep->groups, &g->all);
    ep->counters.groups_created++;
    *out = g;
    return 0;
}

/* ---- Links of a group ---- */
unsigned smc_group_active_links(const struct smc_group *g)
{
    unsigned active = 0;
    for (unsigned i = 0; i < g->link_slots; i++)
        active += g->links[i] != NULL && g->links[i]->state == SMC_LINK_ACTIVE;
    return active;
}

static bool same_rnic(const struct smc_link *a, const struct smc_link *b)
{
    return a->rnic == b->rnic && a->port == b->port;
}

struct smc_link *smc_group_other_link(struct smc_group *g, const struct smc_link *not, bool on_other_rnic)
{
    for (unsigned i = 0; i < g->link_slots; i++) {
        struct smc_link *link = g->links[i];
        if (link == NULL || link == not || link->state != SMC_LINK_ACTIVE || link->failing)
            continue;
        if (!on_other_rnic || not == NULL || !same_rnic(link, not))
            return link;
    }
    return NULL;
}

/* The best that two active links make: one symmetric pair is a symmetric group, whatever else there is for a while. */
static enum smc_group_type pair_type(const struct smc_link *a, const struct smc_link *b)
{
    if (same_rnic(a, b))
        return SMC_GROUP_ASYMMETRIC_LOCAL;
    if (smc_gid_equal(&a->peer_gid, &b->peer_gid))
        return SMC_GROUP_ASYMMETRIC_PEER;
    return SMC_GROUP_SYMMETRIC;
}

static enum smc_group_type best_type(const struct smc_group *g)
{
    enum smc_group_type best = SMC_GROUP_NONE;
    for (unsigned i = 0; i < g->link_slots; i++) {
        for (unsigned k = i + 1; k < g->link_slots; k++) {
            const struct smc_link *a = g->links[i], *b = g->links[k];
            if (a == NULL || b == NULL || a->state != SMC_LINK_ACTIVE || b->state != SMC_LINK_ACTIVE)
                continue;
            enum smc_group_type type = pair_type(a, b);
            if (type == SMC_GROUP_SYMMETRIC)
                return type;
            best = type > best ? type : best;
        }
    }
    return best;
}

void smc_group_update_type(struct smc_group *g)
{
    unsigned active = smc_group_active_links(g);
    for (unsigned i = 0; i < g->link_slots && active == 1; i++)
        if (g->links[i] != NULL && g->links[i]->state == SMC_LINK_ACTIVE)
            g->links[i]->asymmetric = false; /* it stays: there is nothing that it could be beside */
    g->type = active == 0 ? SMC_GROUP_NONE : active == 1 ? SMC_GROUP_SINGLE : best_type(g);
}

/* ---- Joining ---- */
static bool may_carry(const struct smc_group *g, const struct smc_link *link, bool asymmetric)
{
    if (link == NULL || link->failing)
        return false;
    if (link->state == SMC_LINK_ACTIVATING)
        return g->first_contact; /* the first link is confirmed with its first connection */
    return link->state == SMC_LINK_ACTIVE && (asymmetric || !link->asymmetric);
}

/* The server goes round the links, the client takes the first if the Accept did not name one. Asymmetric ones are on their way
 * out and serve only when there is nothing else. */
static struct smc_link *choose_link(struct smc_group *g)
{
    for (int asymmetric = 0; asymmetric <= 1; asymmetric++) {
        struct smc_link *fit[SMC_LINK_SLOTS_MAX];
        unsigned count = 0;
        for (unsigned i = 0; i < g->link_slots; i++)
            if (may_carry(g, g->links[i], asymmetric != 0))
                fit[count++] = g->links[i];
        if (count > 0)
            return fit[g->client ? 0 : g->spread++ % count];
    }
    return NULL;
}

static int choose_for(struct smc_group *g, struct smc_link **link)
{
    if (g->dying)
        return SMC_ERR_GONE;
    if (g->smc_d) {
        *link = NULL;
        return 0;
    }
    if (!g->client && g->connections >= g->max_conns)
        return SMC_ERR_NOSPACE;
    if (*link == NULL)
        *link = choose_link(g);
    else if (!may_carry(g, *link, true))
        return SMC_ERR_GONE;
    return *link != NULL ? 0 : SMC_ERR_GONE;
}

int smc_group_attach(struct smc_group *g, struct smc_link *link, struct smc_connection *c)
{
    int error = choose_for(g, &link);
    if (error == 0)
        error = smc_ep_token_new(c);
    if (error != 0)
        return error;
    smc_timer_cancel(&g->ep->timers, &g->idle_timer);
    c->group = g;
    c->link = link;
    c->peer_row = -1;
    smc_list_remove(&c->of_group);
    smc_list_add_tail(&g->conns, &c->of_group);
    g->connections++;
    if (link != NULL) {
        smc_list_add_tail(&link->conns, &c->of_link);
        link->connections++;
    }
    return 0;
}

/* ---- Leaving ---- */
static void idle_runs_out(struct smc_timer *timer)
{
    smc_group_terminate(SMC_LIST_ENTRY(timer, struct smc_group, idle_timer), SMC_LLC_DEL_PROGRAM, true);
}

static void start_idle(struct smc_group *g)
{
    const struct smc_profile *p = &g->ep->profile;
    uint64_t after = g->client ? p->group_idle_client_ns : p->group_idle_server_ns;
    if (after != 0)
        smc_timer_set(&g->ep->timers, &g->idle_timer, g->ep->now_ns + after, idle_runs_out);
}

/* SENDs under way outlive the connection's part in the group, their callbacks do not. */
static void forget_sends(struct smc_group *g, struct smc_connection *c)
{
    for (unsigned i = 0; i < g->link_slots; i++)
        if (g->links[i] != NULL)
            smc_wr_dismiss_ctx(g->links[i], c, SMC_ERR_GONE);
}

static void leave_link(struct smc_connection *c)
{
    smc_list_remove(&c->wants_slot);
    smc_list_remove(&c->of_link);
    if (c->link != NULL)
        c->link->connections--;
    c->link = NULL;
}

void smc_group_detach(struct smc_connection *c)
{
    struct smc_group *g = c->group;
    if (g == NULL)
        return;
    forget_sends(g, c);
    if (!g->smc_d && g->flow != NULL)
        smc_flow_forget(c);
    smc_buf_release(c);
    smc_rtoken_leave(g, c);
    leave_link(c);
    smc_list_remove(&c->of_group);
    g->connections--;
    smc_ep_token_free(c);
    c->group = NULL;
    c->peer_row = -1;
    if (g->connections > 0 || g->dying)
        return;
    if (g->first_contact || g->sync_error) /* a DMB's event would overtake the Decline, and reset what falls back */
        smc_group_terminate(g, SMC_LLC_DEL_PROGRAM, !g->smc_d || !g->first_contact);
    else
        start_idle(g);
}

/* ---- Waiting for a first contact ---- */
static void resume(struct smc_list *waiting)
{
    struct smc_list batch; /* whoever has to wait for another one comes again behind */
    smc_list_init(&batch);
    while (!smc_list_empty(waiting)) {
        struct smc_list *n = waiting->next;
        smc_list_remove(n);
        smc_list_add_tail(&batch, n);
    }
    while (!smc_list_empty(&batch)) {
        struct smc_connection *c = SMC_LIST_ENTRY(batch.next, struct smc_connection, of_group);
        smc_list_remove(&c->of_group);
        smc_hs_resume(c);
    }
}

void smc_group_settled(struct smc_group *g)
{
    if (!g->first_contact)
        return;
    g->first_contact = false;
    resume(g->client ? &g->ep->pending_client : &g->ep->pending_server);
}

/* ---- The end ---- */
void smc_group_hold(struct smc_group *g)
{
    g->holds++;
}

static bool any_link(const struct smc_group *g)
{
    for (unsigned i = 0; i < g->link_slots; i++)
        if (g->links[i] != NULL)
            return true;
    return false;
}

static void group_free(struct smc_group *g)
{
    const struct smc_alloc *alloc = g->ep->alloc;
    smc_timer_cancel(&g->ep->timers, &g->idle_timer);
    smc_timer_cancel(&g->ep->timers, &g->retry_timer);
    smc_buf_free_all(g);
    smc_alloc_release(alloc, g->rtokens, (size_t)g->rtoken_rows * g->link_slots, sizeof(*g->rtokens));
    smc_alloc_release(alloc, g->gids, g->gid_count, sizeof(struct smc_gid));
    smc_alloc_release(alloc, g, 1, sizeof(*g));
}

bool smc_group_release(struct smc_group *g)
{
    if (--g->holds > 0 || !g->dying || g->lingering)
        return true;
    group_free(g);
    return false;
}

void smc_group_link_gone(struct smc_group *g)
{
    if (g->lingering && !any_link(g))
        g->lingering = false; /* whoever freed the link holds the group and lets it go */
}

static void free_links(struct smc_group *g, bool all)
{
    for (unsigned i = 0; i < g->link_slots; i++) {
        struct smc_link *link = g->links[i];
        if (link != NULL && (all || link->going_down || smc_wr_pending(link) == 0))
            smc_link_free(link);
    }
}

static void linger_runs_out(struct smc_timer *timer)
{
    struct smc_group *g = SMC_LIST_ENTRY(timer, struct smc_group, idle_timer);
    smc_group_hold(g);
    free_links(g, true);
    (void)smc_group_release(g);
}

/* What a QP has not sent when it is destroyed is never sent, so the links stay until DELETE LINK and the connections' aborts have
 * left, or until it is clear that they cannot. */
static void linger(struct smc_group *g)
{
    free_links(g, g->ep->profile.llc_timeout_ns == 0);
    g->lingering = any_link(g);
    if (g->lingering)
        smc_timer_set(&g->ep->timers, &g->idle_timer, g->ep->now_ns + g->ep->profile.llc_timeout_ns, linger_runs_out);
}

/* Each is out of the group before the next is looked at, whatever its abort sets off (B-41). */
static void abort_all(struct smc_group *g)
{
    while (!smc_list_empty(&g->conns)) {
        struct smc_connection *c = SMC_LIST_ENTRY(g->conns.next, struct smc_connection, of_group);
        smc_close_abort(c, SMC_ERR_RESET);
        if (c->group == g)
            smc_group_detach(c);
    }
}

static void end_r(struct smc_group *g, uint32_t reason, bool tell)
{
    if (tell && g->flow != NULL && smc_group_active_links(g) > 0)
        smc_flow_delete_all(g, reason);
    smc_flow_free(g); /* before the connections go: a first contact under way may still end in a Decline */
    abort_all(g);
    linger(g);
}

static void stop_timers(struct smc_group *g)
{
    smc_timer_cancel(&g->ep->timers, &g->idle_timer);
    smc_timer_cancel(&g->ep->timers, &g->retry_timer);
    for (unsigned i = 0; i < g->link_slots; i++)
        if (g->links[i] != NULL)
            smc_timer_cancel(&g->ep->timers, &g->links[i]->test_timer);
}

void smc_group_terminate(struct smc_group *g, uint32_t reason, bool tell)
{
    if (g->dying)
        return;
    smc_group_hold(g);
    g->dying = true;
    smc_list_remove(&g->all);
    stop_timers(g); /* no timer outlives its group (B-14) */
    g->ep->counters.groups_freed++;
    if (g->smc_d) {
        abort_all(g);
        smc_smcd_group_end(g, tell);
    } else {
        end_r(g, reason, tell);
    }
    smc_group_settled(g); /* whoever waited for it tries a first contact of its own */
    (void)smc_group_release(g);
}

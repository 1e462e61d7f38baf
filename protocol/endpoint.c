/* The endpoint: creation, the run loop, what is common to all connections.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "core.h"

#include <assert.h>

enum { TOKEN_SLOTS_MIN = 16, EVENTS_ALL = 0x7f };

/* ---- Randomness, names -------------------------------------------------------------------------- */
uint64_t smc_ep_random(struct smc_endpoint *ep)
{
    uint64_t z = (ep->random += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

bool smc_ep_pnet_match(const char *a, const char *b)
{
    return a[0] == '\0' || b[0] == '\0' || strcmp(a, b) == 0;
}

/* ---- Notes for the run loop --------------------------------------------------------------------- */
void smc_ep_wake(struct smc_endpoint *ep)
{
    if (!ep->again) {
        ep->again = true;
        if (!ep->running)
            ep->config.ops->wake(ep->config.host);
    }
}

void smc_ep_event(struct smc_connection *c, unsigned events)
{
    c->events |= (uint8_t)(events & EVENTS_ALL);
    if (smc_list_empty(&c->ready))
        smc_list_add_tail(&c->ep->ready, &c->ready);
    smc_ep_wake(c->ep);
}

void smc_ep_work(struct smc_connection *c)
{
    if (smc_list_empty(&c->work))
        smc_list_add_tail(&c->ep->work, &c->work);
    smc_ep_wake(c->ep);
}

/* ---- Alert tokens: open hashing by the token, linear probing ------------------------------------- */
static uint32_t token_home(uint32_t token, uint32_t slots)
{
    return (uint32_t)((token * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (slots - 1);
}

static void token_put(struct smc_connection **slots, uint32_t count, struct smc_connection *c)
{
    uint32_t i = token_home(c->token, count);
    while (slots[i] != NULL)
        i = (i + 1) & (count - 1);
    slots[i] = c;
}

static int tokens_grow(struct smc_endpoint *ep)
{
    uint32_t slots = ep->token_slots != 0 ? ep->token_slots * 2 : TOKEN_SLOTS_MIN;
    struct smc_connection **grown = smc_alloc_zeroed(ep->alloc, slots, sizeof(struct smc_connection *));
    if (grown == NULL)
        return SMC_ERR_NOMEM;
    for (uint32_t i = 0; i < ep->token_slots; i++)
        if (ep->by_token[i] != NULL)
            token_put(grown, slots, ep->by_token[i]);
    smc_alloc_release(ep->alloc, ep->by_token, ep->token_slots, sizeof(struct smc_connection *));
    ep->by_token = grown;
    ep->token_slots = slots;
    return 0;
}

struct smc_connection *smc_ep_token_find(struct smc_endpoint *ep, uint32_t token)
{
    if (ep->token_slots == 0 || token == 0)
        return NULL;
    for (uint32_t i = token_home(token, ep->token_slots);; i = (i + 1) & (ep->token_slots - 1)) {
        if (ep->by_token[i] == NULL || ep->by_token[i]->token == token)
            return ep->by_token[i];
    }
}

int smc_ep_token_new(struct smc_connection *c)
{
    struct smc_endpoint *ep = c->ep;
    if (ep->token_count * 2 >= ep->token_slots && tokens_grow(ep) != 0)
        return SMC_ERR_NOMEM;
    do {
        /* RFC 7609 1.2: not a bare index; Linux counts. */
        c->token = ep->profile.alert_tokens_count ? ++ep->next_token : (uint32_t)smc_ep_random(ep);
    } while (c->token == 0 || smc_ep_token_find(ep, c->token) != NULL);
    token_put(ep->by_token, ep->token_slots, c);
    ep->token_count++;
    return 0;
}

void smc_ep_token_free(struct smc_connection *c)
{
    struct smc_endpoint *ep = c->ep;
    if (c->token == 0 || ep->token_slots == 0)
        return;
    uint32_t mask = ep->token_slots - 1, i = token_home(c->token, ep->token_slots);
    while (ep->by_token[i] != c) {
        if (ep->by_token[i] == NULL)
            return; /* it was never put in */
        i = (i + 1) & mask;
    }
    ep->by_token[i] = NULL;
    ep->token_count--;
    /* Those behind it may have been displaced by it: put again up to the next gap. */
    for (i = (i + 1) & mask; ep->by_token[i] != NULL; i = (i + 1) & mask) {
        struct smc_connection *moved = ep->by_token[i];
        ep->by_token[i] = NULL;
        token_put(ep->by_token, ep->token_slots, moved);
    }
    c->token = 0;
}

/* ---- Creation and end --------------------------------------------------------------------------- */
static bool config_is_complete(const struct smc_endpoint_config *c)
{
    return c->alloc != NULL && c->profile != NULL && c->ops != NULL && c->ops->tcp_send != NULL &&
           c->ops->tcp_shutdown != NULL && c->ops->tcp_abort != NULL && c->ops->event != NULL && c->ops->route != NULL &&
           c->ops->wake != NULL && c->profile->max_links >= 1 && c->profile->max_links < SMC_LINK_SLOTS_MAX &&
           c->profile->max_conns >= 16 && c->profile->rmbes_per_rmb >= 1 && c->release <= 1;
}

int smc_endpoint_new(const struct smc_endpoint_config *config, struct smc_endpoint **out)
{
    if (!config_is_complete(config))
        return SMC_ERR_ARGUMENT;
    struct smc_endpoint *ep = smc_alloc_zeroed(config->alloc, 1, sizeof(*ep));
    if (ep == NULL)
        return SMC_ERR_NOMEM;
    ep->config = *config;
    ep->profile = *config->profile;
    ep->config.profile = &ep->profile;
    ep->alloc = config->alloc;
    ep->random = config->seed;
    if (ep->config.os_type == 0)
        ep->config.os_type = SMC_OS_LINUX;
    for (unsigned i = 0; i < sizeof(ep->config.hostname); i++)
        if (ep->config.hostname[i] == 0)
            ep->config.hostname[i] = ' ';
    struct smc_list *heads[] = {&ep->connections,  &ep->groups,         &ep->ready,          &ep->work,       &ep->doomed,    &ep->rnics,
                                &ep->dibs_devices, &ep->pending_server, &ep->pending_client, &ep->handshakes, &ep->signalled, &ep->gone_dibs};
    for (unsigned i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        smc_list_init(heads[i]);
    *out = ep;
    return 0;
}

static void connection_free(struct smc_connection *c)
{
    struct smc_endpoint *ep = c->ep;
    smc_timer_cancel(&ep->timers, &c->timer);
    struct smc_list *nodes[] = {&c->all, &c->ready, &c->work, &c->of_group, &c->of_link, &c->wants_slot, &c->signalled};
    for (unsigned i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        smc_list_remove(nodes[i]);
    smc_ep_token_free(c);
    smc_alloc_release(ep->alloc, c, 1, sizeof(*c));
}

static void free_doomed(struct smc_endpoint *ep)
{
    while (!smc_list_empty(&ep->doomed))
        connection_free(SMC_LIST_ENTRY(ep->doomed.next, struct smc_connection, all));
}

void smc_ep_doom(struct smc_connection *c)
{
    assert(c->hs == NULL && c->group == NULL);
    if (c->freed)
        return;
    c->freed = true;
    smc_list_remove(&c->all);
    smc_list_remove(&c->work);
    smc_list_remove(&c->signalled);
    smc_list_add_tail(&c->ep->doomed, &c->all);
    smc_ep_wake(c->ep);
}

static void end_connection(struct smc_connection *c)
{
    if (c->mode != SMC_MODE_TCP && !c->tcp_dead)
        c->ep->config.ops->tcp_abort(c->ep->config.host, c->user);
    c->tcp_dead = true;
    if (c->hs != NULL)
        smc_hs_abandon(c);
}

void smc_endpoint_free(struct smc_endpoint *ep)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH(n, following, &ep->connections)
        end_connection(SMC_LIST_ENTRY(n, struct smc_connection, all));
    while (!smc_list_empty(&ep->groups))
        smc_group_terminate(SMC_LIST_ENTRY(ep->groups.next, struct smc_group, all), SMC_LLC_DEL_PROGRAM, true);
    while (!smc_list_empty(&ep->rnics))
        smc_rnic_remove(SMC_LIST_ENTRY(ep->rnics.next, struct smc_rnic, node));
    if (ep->dibs != NULL)
        smc_dibs_use_stop(ep);
    while (!smc_list_empty(&ep->connections))
        connection_free(SMC_LIST_ENTRY(ep->connections.next, struct smc_connection, all));
    free_doomed(ep);
    smc_alloc_release(ep->alloc, ep->by_token, ep->token_slots, sizeof(struct smc_connection *));
    smc_alloc_release(ep->alloc, ep, 1, sizeof(*ep));
}

/* ---- Devices ------------------------------------------------------------------------------------ */
int smc_endpoint_add_rdma(struct smc_endpoint *ep, struct smc_rdma_device *device, const char *pnet, uint64_t now_ns)
{
    ep->now_ns = now_ns;
    return smc_rnic_add(ep, device, pnet != NULL ? pnet : "");
}

int smc_endpoint_remove_rdma(struct smc_endpoint *ep, struct smc_rdma_device *device, uint64_t now_ns)
{
    ep->now_ns = now_ns;
    for (struct smc_list *n = ep->rnics.next; n != &ep->rnics; n = n->next) {
        struct smc_rnic *rnic = SMC_LIST_ENTRY(n, struct smc_rnic, node);
        if (rnic->device == device) {
            smc_rnic_remove(rnic);
            return 0;
        }
    }
    return SMC_ERR_NOTFOUND;
}

static const struct smc_group *group_with(const struct smc_endpoint *ep, uint32_t id)
{
    for (const struct smc_list *n = ep->groups.next; n != &ep->groups; n = n->next) {
        const struct smc_group *g = (const struct smc_group *)(const void *)((const char *)n - offsetof(struct smc_group, all));
        if (g->id == id && !g->dying)
            return g;
    }
    return NULL;
}

int smc_endpoint_delete_link(struct smc_endpoint *ep, uint32_t group, uint8_t number, bool orderly, uint64_t now_ns)
{
    const struct smc_group *g = group_with(ep, group);
    struct smc_link *link = NULL;
    bool other = false;
    ep->now_ns = now_ns;
    for (unsigned i = 0; g != NULL && i < g->link_slots && i < SMC_LINK_SLOTS_MAX; i++) {
        struct smc_link *l = g->links[i];
        if (l != NULL && l->state == SMC_LINK_ACTIVE && l->number != number)
            other = true;
        else if (l != NULL && l->state == SMC_LINK_ACTIVE)
            link = l;
    }
    if (link == NULL)
        return SMC_ERR_NOTFOUND;
    if (!other)
        return SMC_ERR_STATE;
    smc_flow_delete_link(link, SMC_LLC_DEL_OPERATOR, orderly);
    return 0;
}

int smc_endpoint_use_dibs(struct smc_endpoint *ep, struct smc_dibs *dibs, uint64_t now_ns)
{
    ep->now_ns = now_ns;
    return ep->dibs != NULL ? SMC_ERR_EXISTS : smc_dibs_use_start(ep, dibs);
}

int smc_endpoint_set_dibs_pnet(struct smc_endpoint *ep, struct smc_dibs_device *device, const char *pnet)
{
    size_t length = pnet != NULL ? strlen(pnet) : 0;
    if (length >= SMC_PNET_BYTES)
        return SMC_ERR_ARGUMENT;
    for (struct smc_list *n = ep->dibs_devices.next; n != &ep->dibs_devices; n = n->next) {
        struct smc_dibs_use *use = SMC_LIST_ENTRY(n, struct smc_dibs_use, node);
        if (use->device == device) {
            memset(use->pnet, 0, sizeof(use->pnet));
            if (length > 0)
                memcpy(use->pnet, pnet, length);
            return 0;
        }
    }
    return SMC_ERR_NOTFOUND;
}

/* ---- The run loop ------------------------------------------------------------------------------- */
uint64_t smc_endpoint_next_ns(const struct smc_endpoint *ep)
{
    return ep->again ? 0 : smc_timers_next_ns(&ep->timers);
}

static void deliver_events(struct smc_endpoint *ep)
{
    while (!smc_list_empty(&ep->ready)) {
        struct smc_connection *c = SMC_LIST_ENTRY(ep->ready.next, struct smc_connection, ready);
        unsigned events = c->events;
        smc_list_remove(&c->ready);
        c->events = 0;
        if (events != 0)
            ep->config.ops->event(ep->config.host, c, c->user, events);
    }
}

static void run_work(struct smc_endpoint *ep)
{
    struct smc_list batch; /* what is noted meanwhile waits for the next round */
    smc_list_init(&batch);
    while (!smc_list_empty(&ep->work)) {
        struct smc_list *n = ep->work.next;
        smc_list_remove(n);
        smc_list_add_tail(&batch, n);
    }
    while (!smc_list_empty(&batch)) {
        struct smc_connection *c = SMC_LIST_ENTRY(batch.next, struct smc_connection, work);
        smc_list_remove(&c->work);
        smc_conn_work(c);
    }
}

static void run_once(struct smc_endpoint *ep)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH(n, following, &ep->rnics)
        smc_rnic_poll(SMC_LIST_ENTRY(n, struct smc_rnic, node));
    if (ep->dibs != NULL)
        smc_dibs_poll(ep);
    while (smc_timers_run_one(&ep->timers, ep->now_ns))
        ;
    run_work(ep);
    deliver_events(ep);
    free_doomed(ep);
}

/* A round makes only finite work, but two endpoints on one loopback device could keep each other busy for ever at
 * one instant; so a run has a bound, and what is left is done when the host comes again (next_ns says 0). */
enum { ROUNDS_MAX = 64 };

void smc_endpoint_run(struct smc_endpoint *ep, uint64_t now_ns)
{
    if (ep->running)
        return;
    ep->running = true;
    ep->now_ns = now_ns;
    unsigned rounds = 0;
    do {
        ep->again = false;
        run_once(ep);
    } while (ep->again && ++rounds < ROUNDS_MAX);
    ep->running = false;
}

/* RDMA devices in use: ports and GIDs, completions and events noted by their callbacks and acted on by the run loop.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "link.h"

#define BIT(event) (1u << (event))
enum { QP_EVENTS = BIT(SMC_RDMA_QP_FATAL) | BIT(SMC_RDMA_QP_ACCESS_ERROR) };

static struct smc_link *link_of(struct smc_list *n)
{
    return SMC_LIST_ENTRY(n, struct smc_link, of_rnic);
}

/* ---- Callbacks: they come from within the device, so they note and no more ---- */
static void completed(void *user, struct smc_rdma_cq *cq)
{
    struct smc_rnic *rnic = user;
    struct smc_list *n, *following;
    SMC_LIST_EACH(n, following, &rnic->links) {
        struct smc_link *link = link_of(n);
        if ((link->send_cq == cq || link->receive_cq == cq) && smc_list_empty(&link->completions))
            smc_list_add_tail(&rnic->cqs_noted, &link->completions);
    }
    smc_ep_wake(rnic->ep);
}

static void event(void *user, const struct smc_rdma_event *e)
{
    struct smc_rnic *rnic = user;
    struct smc_list *n, *following;
    if (e->type == SMC_RDMA_QP_FATAL || e->type == SMC_RDMA_QP_ACCESS_ERROR) {
        SMC_LIST_EACH(n, following, &rnic->links)
            link_of(n)->failing |= link_of(n)->qp == e->qp;
        rnic->events |= QP_EVENTS;
    } else if (e->type == SMC_RDMA_DEVICE_FATAL) {
        rnic->events |= BIT(SMC_RDMA_DEVICE_FATAL);
    } else if (e->type == SMC_RDMA_PORT_ERROR || e->type == SMC_RDMA_PORT_ACTIVE || e->type == SMC_RDMA_GID_CHANGE) {
        rnic->port_events[e->port] |= (uint8_t)BIT(e->type);
        rnic->events |= BIT(e->type);
    }
    smc_ep_wake(rnic->ep);
}

/* ---- What a removed device is replaced by: nobody who still names it comes to harm ---- */
static int gone_port(struct smc_rdma_device *d, uint8_t port, struct smc_rdma_port *out)
{
    (void)d, (void)port, (void)out;
    return SMC_ERR_GONE;
}

static int gone_gid(struct smc_rdma_device *d, uint8_t port, uint32_t index, struct smc_rdma_gid_entry *out)
{
    (void)d, (void)port, (void)index, (void)out;
    return SMC_ERR_GONE;
}

static const struct smc_rdma_ops gone_ops = {.query_port = gone_port, .query_gid = gone_gid}; /* no link has it any more */
static struct smc_rdma_device gone_device = {.ops = &gone_ops, .name = "removed"};            /* never written */

static void after_completed(void *user, struct smc_rdma_cq *cq)
{
    (void)user, (void)cq;
}

static void after_event(void *user, const struct smc_rdma_event *e)
{
    (void)user, (void)e;
}

/* ---- Ports and GIDs ---- */
static bool is_v4_mapped(const struct smc_gid *gid)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(gid->bytes, prefix, sizeof(prefix)) == 0;
}

int smc_rnic_find_gid(struct smc_rnic *rnic, uint8_t port, uint8_t version, bool vlan_valid, uint16_t vlan_id,
                      uint32_t *index, struct smc_rdma_gid_entry *entry)
{
    const struct smc_rdma_ops *ops = rnic->device->ops;
    enum smc_rdma_gid_type type = version >= 2 ? SMC_RDMA_GID_ROCE_V2 : SMC_RDMA_GID_ROCE_V1;
    struct smc_rdma_port state;
    struct smc_rdma_gid_entry e;
    bool found = false;
    if (ops->query_port(rnic->device, port, &state) != 0)
        return SMC_ERR_NOTFOUND;
    for (uint32_t i = 0; i < state.gid_count && ops->query_gid(rnic->device, port, i, &e) == 0; i++) {
        if (smc_gid_is_zero(&e.gid) || e.type != type || e.vlan_valid != vlan_valid || (vlan_valid && e.vlan_id != vlan_id))
            continue;
        bool best = version < 2 || is_v4_mapped(&e.gid); /* v2 asks for IPv4, and takes IPv6 if there is nothing else */
        if (!found || best) {
            *index = i;
            *entry = e;
            found = true;
        }
        if (best)
            break;
    }
    return found ? 0 : SMC_ERR_NOTFOUND;
}

/* How near a port is to what a group uses: 0: another device, 1: another port of one in use, 2: in use itself. What only the
 * asymmetric link uses is free: that link goes when a symmetric one comes [LLC-018]. */
static unsigned nearness(const struct smc_group *g, const struct smc_rnic *rnic, uint8_t port)
{
    unsigned near = 0;
    for (unsigned i = 0; i < g->link_slots; i++) {
        const struct smc_link *link = g->links[i];
        if (link == NULL || link->going_down || link->asymmetric || link->rnic != rnic)
            continue;
        near = link->port == port ? 2 : near > 1 ? near : 1;
    }
    return near;
}

static const char *pnet_of(const struct smc_group *g)
{
    for (unsigned i = 0; i < g->link_slots; i++)
        if (g->links[i] != NULL && g->links[i]->rnic != NULL)
            return g->links[i]->rnic->pnet;
    return "";
}

struct candidate {
    struct smc_rnic *rnic;
    uint8_t port;
    uint32_t gid_index;
    unsigned near;
};

static void try_port(const struct smc_group *g, struct smc_rnic *rnic, uint8_t port, struct candidate *best)
{
    struct smc_rdma_port state;
    struct smc_rdma_gid_entry entry;
    uint32_t index;
    unsigned near = nearness(g, rnic, port);
    if ((best->rnic != NULL && near >= best->near) || rnic->device->ops->query_port(rnic->device, port, &state) != 0 ||
        !state.active || smc_rnic_find_gid(rnic, port, g->version, g->vlan_valid, g->vlan_id, &index, &entry) != 0)
        return;
    *best = (struct candidate){.rnic = rnic, .port = port, .gid_index = index, .near = near};
}

int smc_link_find_port(struct smc_group *group, struct smc_rnic **rnic, uint8_t *port, uint32_t *gid_index, bool *asymmetric)
{
    struct smc_endpoint *ep = group->ep;
    struct candidate best = {0};
    struct smc_list *n, *following;
    SMC_LIST_EACH(n, following, &ep->rnics) {
        struct smc_rnic *r = SMC_LIST_ENTRY(n, struct smc_rnic, node);
        if (r->gone || !smc_ep_pnet_match(r->pnet, pnet_of(group)))
            continue;
        for (unsigned p = 1; p <= r->device->port_count; p++)
            try_port(group, r, (uint8_t)p, &best);
    }
    if (best.rnic == NULL)
        return SMC_ERR_NOTFOUND;
    *rnic = best.rnic;
    *port = best.port;
    *gid_index = best.gid_index;
    *asymmetric = best.near == 2;
    return 0;
}

/* ---- Own peer id: an instance, and the MAC of the first port that has one; then never changed ---- */
static bool port_mac(struct smc_rdma_device *device, uint8_t port, uint8_t *mac)
{
    static const uint8_t none[6] = {0};
    struct smc_rdma_port state;
    struct smc_rdma_gid_entry entry;
    if (device->ops->query_port(device, port, &state) != 0)
        return false;
    for (uint32_t i = 0; i < state.gid_count && device->ops->query_gid(device, port, i, &entry) == 0; i++) {
        if (smc_gid_is_zero(&entry.gid) || memcmp(entry.mac, none, sizeof(none)) == 0)
            continue;
        memcpy(mac, entry.mac, sizeof(entry.mac));
        return true;
    }
    return false;
}

static void choose_peer_id(struct smc_rnic *rnic)
{
    static const uint8_t none[8] = {0};
    struct smc_endpoint *ep = rnic->ep;
    uint8_t mac[6];
    if (memcmp(ep->peer_id, none, sizeof(none)) != 0)
        return;
    for (unsigned port = 1; port <= rnic->device->port_count; port++) {
        if (!port_mac(rnic->device, (uint8_t)port, mac))
            continue;
        uint64_t instance = smc_ep_random(ep);
        ep->peer_id[0] = (uint8_t)instance;
        ep->peer_id[1] = (uint8_t)(instance >> 8);
        memcpy(ep->peer_id + 2, mac, sizeof(mac));
        return;
    }
}

/* ---- Events ---- */
static bool gid_is_there(const struct smc_link *link)
{
    struct smc_rdma_gid_entry entry;
    return link->rnic->device->ops->query_gid(link->rnic->device, link->port, link->gid_index, &entry) == 0 &&
           smc_gid_equal(&entry.gid, &link->gid);
}

static void mark_port(struct smc_rnic *rnic, uint8_t port, bool gids_only)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH(n, following, &rnic->links) {
        struct smc_link *link = link_of(n);
        if (link->port == port && !(gids_only && gid_is_there(link)))
            link->failing = true;
    }
}

static void mark_all(struct smc_rnic *rnic)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH(n, following, &rnic->links)
        link_of(n)->failing = true;
}

static struct smc_link *first_failing(struct smc_rnic *rnic)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH(n, following, &rnic->links)
        if (link_of(n)->failing && !link_of(n)->going_down)
            return link_of(n);
    return NULL;
}

/* All that fail are marked before the first goes down, so that nothing moves to one that is next. The list is looked at
 * anew each time: the end of one link may be the end of others. */
static void take_down(struct smc_rnic *rnic)
{
    struct smc_link *link;
    while ((link = first_failing(rnic)) != NULL)
        smc_link_down(link);
}

static void mark_ports(struct smc_rnic *rnic)
{
    for (unsigned port = 1; port <= rnic->device->port_count; port++) { /* others do not exist [FAILOVER-014] */
        unsigned events = rnic->port_events[port];
        if (events & BIT(SMC_RDMA_PORT_ERROR))
            mark_port(rnic, (uint8_t)port, false);
        if (events & BIT(SMC_RDMA_GID_CHANGE))
            mark_port(rnic, (uint8_t)port, true);
    }
}

/* A new GID may be as good as a new port. */
static void ports_up(struct smc_rnic *rnic, const uint8_t *events)
{
    struct smc_rdma_port state;
    for (unsigned port = 1; port <= rnic->device->port_count; port++)
        if ((events[port] & (BIT(SMC_RDMA_PORT_ACTIVE) | BIT(SMC_RDMA_GID_CHANGE))) != 0 &&
            rnic->device->ops->query_port(rnic->device, (uint8_t)port, &state) == 0 && state.active)
            smc_flow_port_up(rnic, (uint8_t)port);
}

static void handle_events(struct smc_rnic *rnic)
{
    uint8_t events[sizeof(rnic->port_events)];
    unsigned all = rnic->events;
    if (all == 0)
        return;
    rnic->events = 0;
    memcpy(events, rnic->port_events, sizeof(events));
    mark_ports(rnic);
    memset(rnic->port_events, 0, sizeof(rnic->port_events));
    if (all & BIT(SMC_RDMA_DEVICE_FATAL))
        mark_all(rnic);
    choose_peer_id(rnic);
    take_down(rnic);
    if ((all & BIT(SMC_RDMA_DEVICE_FATAL)) == 0)
        ports_up(rnic, events);
}

static void poll_noted(struct smc_rnic *rnic)
{
    struct smc_list batch; /* what is noted meanwhile waits for the next round; a link that is freed leaves the batch */
    smc_list_init(&batch);
    while (!smc_list_empty(&rnic->cqs_noted)) {
        struct smc_list *n = rnic->cqs_noted.next;
        smc_list_remove(n);
        smc_list_add_tail(&batch, n);
    }
    while (!smc_list_empty(&batch)) {
        struct smc_link *link = SMC_LIST_ENTRY(batch.next, struct smc_link, completions);
        smc_list_remove(&link->completions);
        smc_wr_poll(link);
    }
}

static bool handshakes_left(struct smc_endpoint *ep)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH(n, following, &ep->connections)
        if (SMC_LIST_ENTRY(n, struct smc_connection, all)->hs != NULL)
            return true;
    return false;
}

static void rnic_free(struct smc_rnic *rnic)
{
    smc_list_remove(&rnic->node);
    smc_alloc_release(rnic->ep->alloc, rnic, 1, sizeof(*rnic));
}

void smc_rnic_poll(struct smc_rnic *rnic)
{
    if (rnic->gone) { /* a handshake may have chosen it */
        if (!handshakes_left(rnic->ep))
            rnic_free(rnic);
        return;
    }
    /* Completions first: what arrived before a failure counts. */
    poll_noted(rnic);
    handle_events(rnic);
}

/* ---- Coming and going ---- */
static bool in_use(struct smc_endpoint *ep, const struct smc_rdma_device *device)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH(n, following, &ep->rnics)
        if (SMC_LIST_ENTRY(n, struct smc_rnic, node)->device == device)
            return true;
    return false;
}

int smc_rnic_add(struct smc_endpoint *ep, struct smc_rdma_device *device, const char *pnet)
{
    size_t length = strlen(pnet);
    if (length >= SMC_PNET_BYTES)
        return SMC_ERR_ARGUMENT;
    if (in_use(ep, device))
        return SMC_ERR_EXISTS;
    struct smc_rnic *rnic = smc_alloc_zeroed(ep->alloc, 1, sizeof(*rnic));
    if (rnic == NULL)
        return SMC_ERR_NOMEM;
    rnic->ep = ep;
    rnic->device = device;
    memcpy(rnic->pnet, pnet, length);
    smc_list_init(&rnic->links);
    smc_list_init(&rnic->cqs_noted);
    smc_list_add_tail(&ep->rnics, &rnic->node);
    device->handler = (struct smc_rdma_handler){.completed = completed, .event = event, .user = rnic};
    choose_peer_id(rnic);
    for (unsigned port = 1; port <= device->port_count; port++) /* groups that lack a second link may have one now */
        rnic->port_events[port] = (uint8_t)BIT(SMC_RDMA_PORT_ACTIVE);
    rnic->events = BIT(SMC_RDMA_PORT_ACTIVE);
    smc_ep_wake(ep);
    return 0;
}

/* Links that a flow still talks about lose their device and stay as husks until the flow frees them. */
static void clear_links(struct smc_rnic *rnic)
{
    while (!smc_list_empty(&rnic->links)) {
        struct smc_link *link = link_of(rnic->links.next);
        if (link->group->dying)
            smc_link_free(link);
        else
            smc_link_clear(link);
    }
}

void smc_rnic_remove(struct smc_rnic *rnic)
{
    struct smc_rdma_device *device = rnic->device;
    if (!rnic->gone) {
        poll_noted(rnic);
        mark_all(rnic);
        take_down(rnic);
        clear_links(rnic);
        device->handler = (struct smc_rdma_handler){.completed = after_completed, .event = after_event};
        rnic->gone = true;
        rnic->device = &gone_device;
    }
    if (!handshakes_left(rnic->ep))
        rnic_free(rnic);
}

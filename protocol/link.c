/* Links: a queue pair with all it needs, brought up step by step, taken down, freed.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "link.h"

/* As Linux (smc_ib.c), for every profile: what a peer measures must not depend on our manner of speaking SMC. */
enum {
    MIN_RNR_TIMER = 5, /* 0.12 ms */
    ACK_TIMEOUT = 15,  /* 4.096 µs × 2^15 = 134 ms */
    RETRY_COUNT = 7,   /* [ROCE-006] about 1 s until a peer counts as gone: below llc_timeout_ns */
    RNR_RETRY = 7,     /* [ROCE-006] without end: a slow peer is no dead one */
    HOPS_ROUTED = 64,
    PSN_MASK = 0xffffff
};

static const struct smc_rdma_ops *ops_of(const struct smc_link *link)
{
    return link->rnic->device->ops;
}

/* ---- Numbers ---- */
struct smc_link *smc_group_link_by_number(struct smc_group *group, uint8_t number)
{
    for (unsigned i = 0; i < group->link_slots; i++)
        if (group->links[i] != NULL && group->links[i]->number == number)
            return group->links[i];
    return NULL;
}

/* No number comes again before all others have [LLC-019], and none that a link still has [LLC-020] (B-17). There are 255
 * numbers for 9 links at most. */
uint8_t smc_link_next_number(struct smc_group *group)
{
    do
        group->last_link_number++;
    while (group->last_link_number == 0 || smc_group_link_by_number(group, group->last_link_number) != NULL);
    return group->last_link_number;
}

/* ---- Creation ---- */
static int query(struct smc_link *link)
{
    struct smc_rdma_port port;
    struct smc_rdma_gid_entry entry;
    int error = ops_of(link)->query_port(link->rnic->device, link->port, &port);
    if (error == 0)
        error = ops_of(link)->query_gid(link->rnic->device, link->port, link->gid_index, &entry);
    if (error != 0)
        return error;
    if (!port.active)
        return SMC_ERR_GONE;
    if (smc_gid_is_zero(&entry.gid))
        return SMC_ERR_NOTFOUND;
    link->mtu = (uint8_t)port.active_mtu;
    link->gid = entry.gid;
    memcpy(link->mac, entry.mac, sizeof(link->mac));
    return 0;
}

static int to_init(struct smc_link *link)
{
    struct smc_rdma_qp_change change = {.state = SMC_RDMA_QP_INIT};
    change.init.port = link->port;
    int error = ops_of(link)->modify_qp(link->rnic->device, link->qp, &change);
    /* Before the peer can know that there is a QP [ROCE-007]. */
    return error != 0 ? error : smc_wr_post_receives(link);
}

/* PD and MRs are the link's own: an rkey of one link is worth nothing on another [ROCE-001]. The CQs can hold whatever
 * the QP can have under way, so they cannot overrun. */
static int make_qp(struct smc_link *link)
{
    struct smc_rdma_device *device = link->rnic->device;
    struct smc_rdma_qp_config config = {0};
    int error = device->ops->alloc_pd(device, &link->pd);
    if (error == 0)
        error = smc_wr_new(link);
    if (error != 0)
        return error;
    smc_wr_config(link, &config);
    error = device->ops->create_cq(device, config.max_send, &link->send_cq);
    if (error == 0)
        error = device->ops->create_cq(device, config.max_receive, &link->receive_cq);
    config.send_cq = link->send_cq;
    config.receive_cq = link->receive_cq;
    if (error == 0)
        error = device->ops->create_qp(device, link->pd, &config, &link->qp);
    if (error != 0)
        return error;
    link->qpn = device->ops->qp_number(link->qp);
    return to_init(link);
}

static struct smc_link *link_alloc(struct smc_group *group, unsigned slot)
{
    struct smc_link *link = smc_alloc_zeroed(group->ep->alloc, 1, sizeof(*link));
    if (link == NULL)
        return NULL;
    struct smc_list *nodes[] = {&link->of_rnic, &link->completions, &link->conns, &link->send_waiters};
    for (unsigned i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        smc_list_init(nodes[i]);
    link->group = group;
    link->slot = (uint8_t)slot;
    link->state = SMC_LINK_ACTIVATING;
    return link;
}

int smc_link_new(struct smc_group *group, struct smc_rnic *rnic, uint8_t port, uint32_t gid_index, struct smc_link **out)
{
    unsigned slot = 0;
    while (slot < group->link_slots && group->links[slot] != NULL)
        slot++;
    if (slot == group->link_slots)
        return SMC_ERR_NOSPACE;
    if (rnic->gone || group->dying)
        return SMC_ERR_GONE;
    struct smc_link *link = link_alloc(group, slot);
    if (link == NULL)
        return SMC_ERR_NOMEM;
    link->rnic = rnic;
    link->port = port;
    link->gid_index = gid_index;
    smc_list_add_tail(&rnic->links, &link->of_rnic);
    int error = query(link);
    if (error == 0)
        error = make_qp(link);
    if (error != 0) {
        smc_link_clear(link);
        smc_alloc_release(group->ep->alloc, link, 1, sizeof(*link));
        return error;
    }
    link->psn = (uint32_t)smc_ep_random(group->ep) & PSN_MASK;
    link->user_id = group->id + ++group->user_ids;
    if (!group->client)
        link->number = smc_link_next_number(group);
    group->links[slot] = link;
    *out = link;
    return 0;
}

/* ---- Up ---- */
int smc_link_rtr(struct smc_link *link)
{
    struct smc_rdma_qp_change change = {.state = SMC_RDMA_QP_RTR};
    bool routed = link->group->version >= 2 && !link->v2_direct;
    uint8_t peer_mtu = link->peer_mtu != 0 ? link->peer_mtu : link->mtu;
    if (peer_mtu > SMC_RDMA_MTU_4096)
        return SMC_ERR_PROTOCOL;
    uint8_t mtu = peer_mtu < link->mtu ? peer_mtu : link->mtu;
    change.rtr.remote_gid = link->peer_gid;
    memcpy(change.rtr.remote_mac, routed ? link->next_hop_mac : link->peer_mac, sizeof(link->peer_mac));
    change.rtr.remote_qp_number = link->peer_qpn;
    change.rtr.receive_psn = link->peer_psn;
    change.rtr.gid_index = link->gid_index;
    change.rtr.path_mtu = (enum smc_rdma_mtu)mtu;
    change.rtr.min_rnr_timer = MIN_RNR_TIMER;
    change.rtr.hop_limit = routed ? HOPS_ROUTED : 1;
    if (link->qp == NULL)
        return SMC_ERR_GONE;
    int error = ops_of(link)->modify_qp(link->rnic->device, link->qp, &change);
    if (error == 0)
        link->mtu = mtu;
    return error;
}

int smc_link_rts(struct smc_link *link)
{
    struct smc_rdma_qp_change change = {.state = SMC_RDMA_QP_RTS};
    change.rts.send_psn = link->psn;
    change.rts.ack_timeout = ACK_TIMEOUT;
    change.rts.retry_count = RETRY_COUNT;
    change.rts.rnr_retry = RNR_RETRY;
    return link->qp == NULL ? SMC_ERR_GONE : ops_of(link)->modify_qp(link->rnic->device, link->qp, &change);
}

void smc_link_active(struct smc_link *link)
{
    if (link->state != SMC_LINK_ACTIVATING)
        return;
    link->state = SMC_LINK_ACTIVE;
    link->confirmed = true;
    link->last_received_ns = link->group->ep->now_ns;
    link->group->ep->counters.links_added++;
    smc_group_update_type(link->group);
}

/* ---- Down ---- */
static void stop_qp(struct smc_link *link)
{
    struct smc_rdma_qp_change change = {.state = SMC_RDMA_QP_ERR};
    /* From now on the device acknowledges nothing that nobody would look at. */
    if (link->qp != NULL)
        (void)ops_of(link)->modify_qp(link->rnic->device, link->qp, &change);
}

/* Connections that could not move end with their link. A peer that can still reach their RMBEs may write there. */
static void abort_left(struct smc_group *group, unsigned slot, const struct smc_link *link)
{
    while (!group->dying && group->links[slot] == link && !smc_list_empty(&link->conns)) {
        struct smc_connection *c = SMC_LIST_ENTRY(link->conns.next, struct smc_connection, of_link);
        smc_close_abort(c, SMC_ERR_RESET);
        if (c->link == link) {
            c->peer_silent = true;
            smc_group_detach(c);
        }
    }
}

/* Whoever is called here may take down another link, end the group, or both: so it is held, and looked at again each time. */
static void leave(struct smc_link *link, bool was_active)
{
    struct smc_group *group = link->group;
    unsigned slot = link->slot;
    smc_group_hold(group);
    smc_wr_dismiss(link, SMC_ERR_IO);
    if (was_active && !group->dying) {
        smc_group_update_type(group);
        if (smc_group_active_links(group) == 0)
            smc_group_terminate(group, SMC_LLC_DEL_LOST_PATH, false);
        else
            smc_failover_link(link);
        abort_left(group, slot, link);
    }
    if (!group->dying && group->links[slot] == link)
        smc_flow_link_lost(link);
    (void)smc_group_release(group);
}

void smc_link_down(struct smc_link *link)
{
    struct smc_group *group = link->group;
    bool was_active = link->state == SMC_LINK_ACTIVE;
    if (link->going_down) /* once only: port, QP and completions tell the same news (state-machines §2) */
        return;
    link->going_down = link->failing = true;
    link->state = SMC_LINK_INACTIVE;
    smc_timer_cancel(&group->ep->timers, &link->test_timer);
    group->ep->counters.links_lost += was_active;
    stop_qp(link);
    if (!group->dying)
        leave(link, was_active);
    else if (group->lingering)
        smc_link_free(link); /* else smc_group_terminate() is at work and does it */
}

static void destroy_queues(struct smc_link *link)
{
    struct smc_rdma_device *device = link->rnic->device;
    if (link->qp != NULL)
        (void)device->ops->destroy_qp(device, link->qp);
    if (link->send_cq != NULL)
        (void)device->ops->destroy_cq(device, link->send_cq);
    if (link->receive_cq != NULL)
        (void)device->ops->destroy_cq(device, link->receive_cq);
    link->qp = NULL;
    link->send_cq = link->receive_cq = NULL;
}

void smc_link_clear(struct smc_link *link)
{
    struct smc_rnic *rnic = link->rnic;
    if (rnic == NULL)
        return;
    if (rnic->polled == link)
        rnic->polled = NULL;
    destroy_queues(link); /* completions not polled are gone: what they owe is paid here */
    smc_list_remove(&link->completions);
    smc_list_remove(&link->of_rnic);
    smc_wr_dismiss(link, SMC_ERR_GONE);
    smc_buf_unregister_link(link->group, link);
    smc_wr_free(link);
    if (link->pd != NULL)
        (void)rnic->device->ops->dealloc_pd(rnic->device, link->pd);
    link->pd = NULL;
    link->rnic = NULL;
}

static void wake_all(struct smc_link *link)
{
    while (!smc_list_empty(&link->send_waiters)) {
        struct smc_connection *c = SMC_LIST_ENTRY(link->send_waiters.next, struct smc_connection, wants_slot);
        smc_list_remove(&c->wants_slot);
        smc_ep_work(c);
    }
}

void smc_link_free(struct smc_link *link)
{
    struct smc_group *group = link->group;
    struct smc_endpoint *ep = group->ep;
    unsigned slot = link->slot;
    link->going_down = true; /* nothing is sent from the callbacks that follow */
    link->state = SMC_LINK_UNUSED;
    smc_timer_cancel(&ep->timers, &link->test_timer);
    smc_group_hold(group);
    abort_left(group, slot, link);
    if (group->links[slot] == link) { /* else the last connection took the group along */
        smc_link_clear(link);
        wake_all(link);
        smc_rtoken_clear_link(group, slot);
        group->links[slot] = NULL;
        smc_alloc_release(ep->alloc, link, 1, sizeof(*link));
        smc_group_update_type(group);
        smc_failover_link_freed(group, slot);
        smc_group_link_gone(group);
    }
    (void)smc_group_release(group);
}

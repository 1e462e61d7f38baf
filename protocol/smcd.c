/* SMC-D over dibs: the endpoint as a client of the registry; groups, DMBs, moves, signals and events (state-machines §9).
 * SPDX-License-Identifier: BSD-3-Clause */
#include "core.h"

enum {
    EVENT_SHUTDOWN = 0x80, /* software events of SMC-D (§9.4) */
    EVENT_TEST_LINK = 0x83,
    TEST_REQUEST = 1,
    TEST_RESPONSE = 2,
    VLAN_ANY = 0xfff,
    VLAN_PROBE = 0x1fff /* no VLAN: a device that takes it is ISMv2 capable (§9.3) */
};

/* ---- The eight bytes of a software event: group id, VLAN, code; little endian, as everywhere in our DMBs ---- */
static uint64_t event_info(uint32_t group_id, uint16_t vlan, uint16_t code)
{
    return group_id | (uint64_t)vlan << 32 | (uint64_t)code << 48;
}

static uint16_t group_vlan(const struct smc_group *g)
{
    return g->vlan_valid ? g->vlan_id : 0;
}

/* ---- VLANs: added with the first group that uses one, deleted with the last [SMCD: vlan] ---- */
static int vlan_find(const struct smc_dibs_use *use, uint16_t id)
{
    for (uint32_t i = 0; i < use->vlan_count; i++)
        if (use->vlans[i].id == id)
            return (int)i;
    return -1;
}

int smc_smcd_vlan_get(struct smc_dibs_use *use, uint16_t id)
{
    int at = vlan_find(use, id);
    if (at < 0) {
        void *grown = smc_alloc_grow(use->ep->alloc, use->vlans, use->vlan_count, use->vlan_count + 1, sizeof(use->vlans[0]));
        if (grown == NULL)
            return SMC_ERR_NOMEM;
        use->vlans = grown;
        at = (int)use->vlan_count++;
        use->vlans[at].id = id;
        use->vlans[at].groups = 0;
    }
    int error = use->vlans[at].groups == 0 ? smc_dibs_add_vlan_id(use->device, id) : 0;
    if (error == 0)
        use->vlans[at].groups++;
    return error == 0 || error == SMC_ERR_NOMEM ? error : SMC_ERR_UNSUPPORTED; /* an entry without groups is harmless */
}

void smc_smcd_vlan_put(struct smc_dibs_use *use, uint16_t id)
{
    int at = vlan_find(use, id);
    if (at < 0 || use->vlans[at].groups == 0)
        return;
    if (--use->vlans[at].groups == 0 && !use->gone)
        (void)smc_dibs_del_vlan_id(use->device, id);
}

/* ---- Groups ---- */
int smc_smcd_group_start(struct smc_group *group)
{
    struct smc_dibs_use *use = group->device;
    if (use->gone)
        return SMC_ERR_GONE;
    if (group->vlan_valid && group->version < 2) {
        int error = smc_smcd_vlan_get(use, group->vlan_id);
        if (error != 0)
            return error;
    }
    group->link_id = group->id;
    smc_list_add_tail(&use->groups, &group->of_device);
    return 0;
}

void smc_smcd_group_end(struct smc_group *group, bool tell)
{
    struct smc_dibs_use *use = group->device;
    if (use == NULL || smc_list_empty(&group->of_device))
        return;
    /* Once, and not to a peer that shut down first (§9.4). A first contact that failed is told by its Decline, which an event
     * would overtake. Fire and forget: a device may not have events. */
    if (tell && !group->first_contact && !use->gone && !group->peer_shut_down && !group->shutdown_sent) {
        group->shutdown_sent = true;
        (void)smc_dibs_signal_event(use->device, &group->peer_gid, true, EVENT_SHUTDOWN,
                                    event_info(group->peer_link_id, group_vlan(group), 0));
    }
    if (group->vlan_valid && group->version < 2)
        smc_smcd_vlan_put(use, group->vlan_id);
    smc_list_remove(&group->of_device);
}

/* ---- DMBs ---- */
static int index_room(struct smc_dibs_use *use, uint32_t index)
{
    if (index < use->by_index_count)
        return 0;
    uint32_t count = use->by_index_count != 0 ? use->by_index_count : 64;
    while (count <= index)
        count *= 2;
    struct smc_rmb **grown =
        smc_alloc_grow(use->ep->alloc, use->by_index, use->by_index_count, count, sizeof(struct smc_rmb *));
    if (grown == NULL)
        return SMC_ERR_NOMEM;
    use->by_index = grown;
    use->by_index_count = count;
    return 0;
}

int smc_smcd_register(struct smc_rmb *rmb, struct smc_connection *c)
{
    struct smc_group *group = rmb->group;
    struct smc_dibs_use *use = group->device;
    if (use->gone)
        return SMC_ERR_GONE;
    rmb->dmb = (struct smc_dibs_dmb){.rgid = group->peer_gid,
                                     .length = rmb->rmbe_bytes,
                                     .vlan_valid = group->vlan_valid && group->version < 2,
                                     .vlan_id = group->vlan_id};
    int error = smc_dibs_register_dmb(&group->ep->dibs_client, use->device, &rmb->dmb);
    if (error != 0)
        return error;
    error = index_room(use, rmb->dmb.index);
    if (error != 0) {
        (void)smc_dibs_unregister_dmb(&group->ep->dibs_client, use->device, &rmb->dmb);
        return error;
    }
    rmb->memory = rmb->dmb.data;
    rmb->user = c;
    use->by_index[rmb->dmb.index] = rmb;
    return 0;
}

void smc_smcd_unregister(struct smc_rmb *rmb)
{
    struct smc_dibs_use *use = rmb->group->device;
    if (rmb->memory == NULL)
        return;
    use->by_index[rmb->dmb.index] = NULL;
    (void)smc_dibs_unregister_dmb(&rmb->group->ep->dibs_client, use->device, &rmb->dmb);
    rmb->memory = NULL;
    rmb->user = NULL;
}

int smc_smcd_move(struct smc_connection *c, uint32_t offset, const void *data, uint32_t size, bool signal)
{
    struct smc_dibs_use *use = c->group->device;
    if (use->gone)
        return SMC_ERR_GONE;
    int error = smc_dibs_move_data(use->device, c->peer_dmb_token, c->peer_rmbe_index, signal, offset, data, size);
    if (error != 0) { /* the next one may succeed, but the ring has a hole by then */
        c->move_failed = true;
        smc_ep_work(c);
    }
    return error;
}

/* ---- No copy: the peer's ring is the send buffer (§9.5) ---- */
int smc_smcd_attach(struct smc_connection *c)
{
    struct smc_dibs_use *use = c->group->device;
    const struct smc_dibs_ops *ops = use->device->ops;
    if (use->gone || !c->ep->config.no_copy || ops->attach_dmb == NULL || !ops->support_mmapped_rdmb(use->device))
        return SMC_ERR_UNSUPPORTED;
    struct smc_sndbuf *ghost = smc_alloc_zeroed(c->ep->alloc, 1, sizeof(*ghost));
    if (ghost == NULL)
        return SMC_ERR_NOMEM;
    struct smc_dibs_dmb dmb = {.token = c->peer_dmb_token};
    int error = smc_dibs_attach_dmb(use->device, &dmb);
    if (error == 0 && dmb.length < c->peer_rmbe_bytes) { /* the peer's CLC announced more than there is */
        (void)smc_dibs_detach_dmb(use->device, c->peer_dmb_token);
        error = SMC_ERR_RANGE;
    }
    if (error != 0) {
        smc_alloc_release(c->ep->alloc, ghost, 1, sizeof(*ghost));
        return error;
    }
    smc_list_init(&ghost->node);
    ghost->group = c->group;
    ghost->memory = dmb.data;
    ghost->bytes = c->peer_rmbe_bytes;
    ghost->used = ghost->ghost = true;
    c->sndbuf = ghost;
    return 0;
}

void smc_smcd_detach(struct smc_connection *c)
{
    if (c->sndbuf == NULL || !c->sndbuf->ghost)
        return;
    if (!c->group->device->gone)
        (void)smc_dibs_detach_dmb(c->group->device->device, c->peer_dmb_token);
    smc_alloc_release(c->ep->alloc, c->sndbuf, 1, sizeof(*c->sndbuf));
    c->sndbuf = NULL;
}

/* ---- The client of the registry. Signals and events are only noted here; smc_dibs_poll() acts. ---- */
static struct smc_endpoint *endpoint_of(struct smc_dibs_client *client)
{
    return SMC_LIST_ENTRY(client, struct smc_endpoint, dibs_client);
}

static void use_free(struct smc_dibs_use *use)
{
    const struct smc_alloc *alloc = use->ep->alloc;
    smc_list_remove(&use->node);
    smc_alloc_release(alloc, use->by_index, use->by_index_count, sizeof(struct smc_rmb *));
    smc_alloc_release(alloc, use->vlans, use->vlan_count, sizeof(use->vlans[0]));
    smc_alloc_release(alloc, use, 1, sizeof(*use));
}

/* A handshake under way may have chosen a device that went: its memory stays until there is none. */
static void free_gone(struct smc_endpoint *ep)
{
    for (const struct smc_list *n = ep->connections.next; n != &ep->connections; n = n->next)
        if (((const struct smc_connection *)(const void *)((const char *)n - offsetof(struct smc_connection, all)))->hs != NULL)
            return;
    while (!smc_list_empty(&ep->gone_dibs))
        use_free(SMC_LIST_ENTRY(ep->gone_dibs.next, struct smc_dibs_use, node));
}

static bool probe_v2(struct smc_dibs_device *device)
{
    if (device->ops->get_fabric_id(device) >= SMC_DIBS_EMULATED_FABRIC_FIRST)
        return true;
    if (smc_dibs_add_vlan_id(device, VLAN_PROBE) != 0)
        return false;
    (void)smc_dibs_del_vlan_id(device, VLAN_PROBE);
    return true;
}

bool smc_dibs_v2_capable(struct smc_dibs_use *use)
{
    return use->v2_capable;
}

/* §9.3: loopback first, then devices without PNET id, then those with: the order of offers. A device's PNET id is told later
 * (smc_endpoint_set_dibs_pnet), so here only the loopback is put in front. */
static void add_dev(struct smc_dibs_client *client, struct smc_dibs_device *device)
{
    struct smc_endpoint *ep = endpoint_of(client);
    free_gone(ep);
    struct smc_dibs_use *use = smc_alloc_zeroed(ep->alloc, 1, sizeof(*use));
    if (use == NULL)
        return; /* not used then: the endpoint goes on without this device */
    use->ep = ep;
    use->device = device;
    smc_list_init(&use->node);
    smc_list_init(&use->groups);
    use->v2_capable = probe_v2(device);
    if (device->ops->get_fabric_id(device) == SMC_DIBS_LOOPBACK_FABRIC)
        smc_list_add_head(&ep->dibs_devices, &use->node);
    else
        smc_list_add_tail(&ep->dibs_devices, &use->node);
    *smc_dibs_client_data(client, device) = use;
}

static void del_dev(struct smc_dibs_client *client, struct smc_dibs_device *device)
{
    struct smc_endpoint *ep = endpoint_of(client);
    struct smc_dibs_use *use = *smc_dibs_client_data(client, device);
    if (use == NULL)
        return;
    while (!smc_list_empty(&use->groups))
        smc_group_terminate(SMC_LIST_ENTRY(use->groups.next, struct smc_group, of_device), SMC_LLC_DEL_PROGRAM, true);
    use->gone = true;
    smc_list_remove(&use->node);
    smc_list_add_tail(&ep->gone_dibs, &use->node);
    free_gone(ep);
}

static void handle_irq(struct smc_dibs_client *client, struct smc_dibs_device *device, uint32_t index, uint16_t mask)
{
    (void)mask; /* a signal says "look at the CDC block", and there is one element in a DMB */
    struct smc_endpoint *ep = endpoint_of(client);
    struct smc_dibs_use *use = *smc_dibs_client_data(client, device);
    if (use == NULL || index >= use->by_index_count || use->by_index[index] == NULL)
        return;
    struct smc_connection *c = use->by_index[index]->user;
    if (c == NULL || c->freed)
        return;
    if (smc_list_empty(&c->signalled))
        smc_list_add_tail(&ep->signalled, &c->signalled);
    smc_ep_wake(ep);
}

static void note_end(struct smc_dibs_use *use, const struct smc_gid *gid, uint16_t vlan, bool shutdown)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH(n, following, &use->groups) {
        struct smc_group *g = SMC_LIST_ENTRY(n, struct smc_group, of_device);
        /* An event for one peer leaves the others alone, all 128 bits count (B-27). */
        bool peer = smc_gid_is_zero(gid) || smc_gid_equal(gid, &g->peer_gid);
        if (!peer || (vlan != VLAN_ANY && vlan != group_vlan(g)))
            continue;
        g->end_noted = g->sync_error = true;
        g->peer_shut_down |= shutdown;
    }
    smc_ep_wake(use->ep);
}

static void software_event(struct smc_dibs_use *use, const struct smc_dibs_event *event)
{
    uint16_t vlan = (uint16_t)(event->data >> 32), code = (uint16_t)(event->data >> 48);
    if (event->code == EVENT_SHUTDOWN) {
        note_end(use, &event->gid, vlan, true);
    } else if (event->code == EVENT_TEST_LINK && code == TEST_REQUEST) {
        /* More requests than can be owed at one time are dropped, as events may be. */
        if (use->test_answers < sizeof(use->test_gids) / sizeof(use->test_gids[0]))
            use->test_gids[use->test_answers++] = event->gid;
        smc_ep_wake(use->ep);
    }
}

static void handle_event(struct smc_dibs_client *client, struct smc_dibs_device *device, const struct smc_dibs_event *event)
{
    struct smc_dibs_use *use = *smc_dibs_client_data(client, device);
    if (use == NULL)
        return;
    if (event->type == SMC_DIBS_EVENT_DEVICE)
        note_end(use, &event->gid, VLAN_ANY, true);
    else if (event->type == SMC_DIBS_EVENT_SOFTWARE)
        software_event(use, event);
}

static const struct smc_dibs_client_ops client_ops = {
    .add_dev = add_dev, .del_dev = del_dev, .handle_irq = handle_irq, .handle_event = handle_event};

int smc_dibs_use_start(struct smc_endpoint *ep, struct smc_dibs *dibs)
{
    ep->dibs_client = (struct smc_dibs_client){.ops = &client_ops, .name = "smc"};
    int error = smc_dibs_register_client(dibs, &ep->dibs_client);
    if (error == 0)
        ep->dibs = dibs;
    return error;
}

void smc_dibs_use_stop(struct smc_endpoint *ep)
{
    (void)smc_dibs_unregister_client(ep->dibs, &ep->dibs_client);
    ep->dibs = NULL;
    while (!smc_list_empty(&ep->dibs_devices))
        use_free(SMC_LIST_ENTRY(ep->dibs_devices.next, struct smc_dibs_use, node));
    while (!smc_list_empty(&ep->gone_dibs))
        use_free(SMC_LIST_ENTRY(ep->gone_dibs.next, struct smc_dibs_use, node));
}

static bool end_one(struct smc_dibs_use *use)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH(n, following, &use->groups) {
        struct smc_group *g = SMC_LIST_ENTRY(n, struct smc_group, of_device);
        if (g->end_noted) {
            smc_group_terminate(g, SMC_LLC_DEL_PROGRAM, false);
            return true;
        }
    }
    return false;
}

static void poll_device(struct smc_dibs_use *use)
{
    while (end_one(use))
        ;
    while (use->test_answers > 0)
        (void)smc_dibs_signal_event(use->device, &use->test_gids[--use->test_answers], true, EVENT_TEST_LINK,
                                    event_info(0, 0, TEST_RESPONSE));
}

void smc_dibs_poll(struct smc_endpoint *ep)
{
    /* Signals first: what a peer wrote before it went must still be read. */
    while (!smc_list_empty(&ep->signalled)) {
        struct smc_connection *c = SMC_LIST_ENTRY(ep->signalled.next, struct smc_connection, signalled);
        smc_list_remove(&c->signalled);
        if (!c->freed && c->rmb != NULL)
            smc_cdc_smcd_input(c);
    }
    struct smc_list *n, *following;
    SMC_LIST_EACH(n, following, &ep->dibs_devices)
        poll_device(SMC_LIST_ENTRY(n, struct smc_dibs_use, node));
}

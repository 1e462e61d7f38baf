/* A fake RDMA device and doubles of the core's other parts, for the tests of groups, links, work requests and buffers.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The device records what is posted and completes it when the test says so. It counts what lives and every misuse (a PD given
 * back with MRs in it …), and can fail at the n-th operation. Memory comes from an allocator that can fail likewise. */
#ifndef SMC_LINK_FAKE_H
#define SMC_LINK_FAKE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "conn.h"
#include "link.h"
#include "testing/check_main.h"

/* ---- Failing at the n-th request, of memory or of the device ---- */
static struct { long countdown; size_t live; } fake_memory = {.countdown = -1};
static long fake_device_countdown = -1;

static bool fake_fails(long *countdown)
{
    return *countdown >= 0 && (*countdown)-- == 0;
}

static void *fake_allocate(void *user, size_t size)
{
    (void)user;
    if (fake_fails(&fake_memory.countdown))
        return NULL;
    fake_memory.live += size;
    void *block = malloc(size);
    memset(block, 0xa5, size);
    return block;
}

static void *fake_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)user;
    if (fake_fails(&fake_memory.countdown))
        return NULL;
    fake_memory.live += new_size - old_size;
    return realloc(block, new_size);
}

static void fake_release(void *user, void *block, size_t size)
{
    (void)user;
    ck_assert_ptr_nonnull(block);
    fake_memory.live -= size;
    free(block);
}

static const struct smc_alloc fake_alloc = {fake_allocate, fake_resize, fake_release, NULL};

/* ---- The device ---- */
enum { FAKE_PORTS = 2, FAKE_GIDS = 4, FAKE_POSTS = 256 };
struct smc_rdma_pd { unsigned mrs, qps; };
struct smc_rdma_cq {
    struct smc_rdma_completion entries[2 * FAKE_POSTS];
    unsigned count, depth, qps;
};
struct fake_post {
    struct smc_rdma_send send;
    struct smc_rdma_piece pieces[2];
    uint8_t bytes[64]; /* the first ones */
    uint32_t length;
};
struct smc_rdma_qp {
    struct smc_rdma_pd *pd;
    struct smc_rdma_qp_config config;
    enum smc_rdma_qp_state state;
    struct smc_rdma_qp_change rtr, rts;
    uint32_t number;
    struct fake_post sends[FAKE_POSTS];
    struct smc_rdma_receive receives[FAKE_POSTS];
    struct smc_rdma_piece receive_pieces[FAKE_POSTS];
    unsigned send_count, receive_count;
};
struct fake_device {
    struct smc_rdma_device device; /* first */
    struct smc_rdma_port ports[FAKE_PORTS + 1];
    struct smc_rdma_gid_entry gids[FAKE_PORTS + 1][FAKE_GIDS];
    unsigned pds, mrs, cqs, qps, misuses;
    uint32_t next;
    unsigned mr_limit; /* 0: none */
};

static struct fake_device *fake_of(struct smc_rdma_device *d)
{
    return (struct fake_device *)(void *)d;
}

static int fake_query_port(struct smc_rdma_device *d, uint8_t port, struct smc_rdma_port *out)
{
    if (port == 0 || port > d->port_count)
        return SMC_ERR_NOTFOUND;
    *out = fake_of(d)->ports[port];
    return 0;
}

static int fake_query_gid(struct smc_rdma_device *d, uint8_t port, uint32_t index, struct smc_rdma_gid_entry *out)
{
    if (port == 0 || port > d->port_count || index >= FAKE_GIDS)
        return SMC_ERR_NOTFOUND;
    *out = fake_of(d)->gids[port][index];
    return 0;
}

static int fake_alloc_pd(struct smc_rdma_device *d, struct smc_rdma_pd **out)
{
    if (fake_fails(&fake_device_countdown))
        return SMC_ERR_NOSPACE;
    *out = calloc(1, sizeof(**out));
    fake_of(d)->pds++;
    return 0;
}

static int fake_dealloc_pd(struct smc_rdma_device *d, struct smc_rdma_pd *pd)
{
    fake_of(d)->misuses += pd->mrs != 0 || pd->qps != 0;
    fake_of(d)->pds--;
    free(pd);
    return 0;
}

static int fake_reg_mr(struct smc_rdma_device *d, struct smc_rdma_pd *pd, void *memory, size_t length, unsigned access,
                       struct smc_rdma_mr *mr)
{
    struct fake_device *f = fake_of(d);
    if (fake_fails(&fake_device_countdown) || (f->mr_limit != 0 && f->mrs >= f->mr_limit))
        return SMC_ERR_NOSPACE;
    uint32_t key = ++f->next;
    *mr = (struct smc_rdma_mr){.pd = pd, .memory = memory, .length = length, .lkey = key,
                               .rkey = access & SMC_RDMA_REMOTE_WRITE ? key : 0, .remote_address = (uint64_t)key << 32};
    pd->mrs++;
    f->mrs++;
    return 0;
}

static int fake_dereg_mr(struct smc_rdma_device *d, struct smc_rdma_mr *mr)
{
    mr->pd->mrs--;
    fake_of(d)->mrs--;
    return 0;
}

static int fake_create_cq(struct smc_rdma_device *d, uint32_t depth, struct smc_rdma_cq **out)
{
    if (fake_fails(&fake_device_countdown))
        return SMC_ERR_NOSPACE;
    *out = calloc(1, sizeof(**out));
    (*out)->depth = depth;
    fake_of(d)->cqs++;
    return 0;
}

static int fake_destroy_cq(struct smc_rdma_device *d, struct smc_rdma_cq *cq)
{
    fake_of(d)->misuses += cq->qps != 0;
    fake_of(d)->cqs--;
    free(cq);
    return 0;
}

static int fake_poll_cq(struct smc_rdma_device *d, struct smc_rdma_cq *cq, struct smc_rdma_completion *out, int count)
{
    (void)d;
    int n = (int)cq->count < count ? (int)cq->count : count;
    memcpy(out, cq->entries, (size_t)n * sizeof(*out));
    cq->count -= (unsigned)n;
    memmove(cq->entries, cq->entries + n, cq->count * sizeof(*out));
    return n;
}

static int fake_create_qp(struct smc_rdma_device *d, struct smc_rdma_pd *pd, const struct smc_rdma_qp_config *config,
                          struct smc_rdma_qp **out)
{
    if (fake_fails(&fake_device_countdown))
        return SMC_ERR_NOSPACE;
    *out = calloc(1, sizeof(**out));
    (*out)->pd = pd;
    (*out)->config = *config;
    (*out)->number = 0x10 + ++fake_of(d)->next;
    pd->qps++;
    config->send_cq->qps++;
    config->receive_cq->qps++;
    fake_of(d)->qps++;
    return 0;
}

static uint32_t fake_qp_number(const struct smc_rdma_qp *qp)
{
    return qp->number;
}

static enum smc_rdma_qp_state fake_qp_state(const struct smc_rdma_qp *qp)
{
    return qp->state;
}

static void fake_push(struct smc_rdma_device *d, struct smc_rdma_cq *cq, struct smc_rdma_completion completion)
{
    fake_of(d)->misuses += cq->count >= cq->depth;
    cq->entries[cq->count++] = completion;
    if (cq->count == 1)
        d->handler.completed(d->handler.user, cq);
}

/* The first n sends posted are done; unsignaled good ones without a completion. */
static void fake_complete(struct smc_rdma_device *d, struct smc_rdma_qp *qp, unsigned n, enum smc_rdma_status status)
{
    for (; n > 0 && qp->send_count > 0; n--) {
        struct smc_rdma_send send = qp->sends[0].send;
        memmove(qp->sends, qp->sends + 1, --qp->send_count * sizeof(qp->sends[0]));
        if (send.signaled || status != SMC_RDMA_SUCCESS)
            fake_push(d, qp->config.send_cq,
                      (struct smc_rdma_completion){.id = send.id, .qp = qp, .opcode = send.opcode, .status = status});
    }
}

static bool fake_arrives_as(struct smc_rdma_device *d, struct smc_rdma_qp *qp, const uint8_t *bytes, size_t length,
                            enum smc_rdma_status status)
{
    if (qp->receive_count == 0)
        return false;
    struct smc_rdma_piece piece = qp->receive_pieces[0];
    uint64_t id = qp->receives[0].id;
    qp->receive_count--;
    memmove(qp->receive_pieces, qp->receive_pieces + 1, qp->receive_count * sizeof(piece));
    memmove(qp->receives, qp->receives + 1, qp->receive_count * sizeof(qp->receives[0]));
    if (status == SMC_RDMA_SUCCESS && length <= piece.length && length > 0)
        memcpy(piece.mr->memory + piece.offset, bytes, length);
    fake_push(d, qp->config.receive_cq,
              (struct smc_rdma_completion){.id = id, .qp = qp, .opcode = SMC_RDMA_RECV, .status = status, .length = (uint32_t)length});
    return true;
}

static inline bool fake_arrives(struct smc_rdma_device *d, struct smc_rdma_qp *qp, const uint8_t *bytes, size_t length)
{
    return fake_arrives_as(d, qp, bytes, length, SMC_RDMA_SUCCESS);
}

static int fake_modify_qp(struct smc_rdma_device *d, struct smc_rdma_qp *qp, const struct smc_rdma_qp_change *change)
{
    if (change->state != SMC_RDMA_QP_ERR && change->state != qp->state + 1)
        return SMC_ERR_STATE;
    if (fake_fails(&fake_device_countdown))
        return SMC_ERR_NOMEM;
    qp->state = change->state;
    if (change->state == SMC_RDMA_QP_RTR)
        qp->rtr = *change;
    if (change->state == SMC_RDMA_QP_RTS)
        qp->rts = *change;
    if (change->state == SMC_RDMA_QP_ERR) {
        fake_complete(d, qp, FAKE_POSTS, SMC_RDMA_FLUSHED);
        while (fake_arrives_as(d, qp, NULL, 0, SMC_RDMA_FLUSHED))
            ;
    }
    return 0;
}

static int fake_destroy_qp(struct smc_rdma_device *d, struct smc_rdma_qp *qp)
{
    qp->pd->qps--;
    qp->config.send_cq->qps--;
    qp->config.receive_cq->qps--;
    fake_of(d)->qps--;
    free(qp);
    return 0;
}

static int fake_post_send(struct smc_rdma_device *d, struct smc_rdma_qp *qp, const struct smc_rdma_send *send)
{
    if (fake_fails(&fake_device_countdown))
        return SMC_ERR_NOMEM;
    if (qp->send_count == qp->config.max_send) {
        fake_of(d)->misuses++;
        return SMC_ERR_NOSPACE;
    }
    struct fake_post *post = &qp->sends[qp->send_count++];
    memset(post, 0, sizeof(*post));
    post->send = *send;
    for (uint32_t i = 0; i < send->piece_count; i++) {
        const struct smc_rdma_piece *p = &send->pieces[i];
        fake_of(d)->misuses += p->mr->pd != qp->pd || p->offset + p->length > p->mr->length;
        post->pieces[i] = *p;
        if (i == 0)
            memcpy(post->bytes, p->mr->memory + p->offset, p->length < sizeof(post->bytes) ? p->length : sizeof(post->bytes));
        post->length += p->length;
    }
    return 0;
}

static int fake_post_receive(struct smc_rdma_device *d, struct smc_rdma_qp *qp, const struct smc_rdma_receive *receive)
{
    if (fake_fails(&fake_device_countdown))
        return SMC_ERR_NOMEM;
    if (qp->state == SMC_RDMA_QP_RESET)
        return SMC_ERR_STATE;
    if (qp->receive_count == qp->config.max_receive) {
        fake_of(d)->misuses++;
        return SMC_ERR_NOSPACE;
    }
    fake_of(d)->misuses += receive->piece_count != 1;
    qp->receive_pieces[qp->receive_count] = receive->pieces[0];
    qp->receives[qp->receive_count++] = *receive;
    return 0;
}

static const struct smc_rdma_ops fake_rdma_ops = {
    .query_port = fake_query_port, .query_gid = fake_query_gid, .alloc_pd = fake_alloc_pd, .dealloc_pd = fake_dealloc_pd,
    .reg_mr = fake_reg_mr, .dereg_mr = fake_dereg_mr, .create_cq = fake_create_cq, .destroy_cq = fake_destroy_cq,
    .poll_cq = fake_poll_cq, .create_qp = fake_create_qp, .qp_number = fake_qp_number, .qp_state = fake_qp_state,
    .modify_qp = fake_modify_qp, .destroy_qp = fake_destroy_qp, .post_send = fake_post_send, .post_receive = fake_post_receive};

/* ---- Doubles ---- */
const uint8_t smc_conn_eyecatcher[SMC_EYECATCHER] = {0xd9, 0xd4, 0xc2, 0xc5};

static struct {
    unsigned flow_input, cdc_input, works, wakes, aborts, failovers, lost, port_ups, delete_all, delete_rkey, resumed, forgot,
        smcd_ends, hosed, moves;
    size_t last_length;
    uint8_t last_first;
    bool smcd_told, failover_keeps; /* failover_keeps: connections stay where they are */
    struct smc_link *flow_ends_link; /* smc_flow_input() frees it */
    bool flow_ends_group, flow_free_on_loss, delete_all_sends;
    struct smc_connection *order[64];
    unsigned worked;
} seen;

uint64_t smc_ep_random(struct smc_endpoint *ep)
{
    return ++ep->random * UINT64_C(0x9e3779b97f4a7c15);
}
void smc_ep_wake(struct smc_endpoint *ep)
{
    ep->again = true;
    seen.wakes++;
}
void smc_ep_work(struct smc_connection *c)
{
    seen.works++;
    if (seen.worked < 64)
        seen.order[seen.worked++] = c;
}
int smc_ep_token_new(struct smc_connection *c)
{
    void *slot = fake_allocate(NULL, 1); /* a request that can fail */
    if (slot == NULL)
        return SMC_ERR_NOMEM;
    fake_release(NULL, slot, 1);
    c->token = ++c->ep->next_token;
    return 0;
}
void smc_ep_token_free(struct smc_connection *c)
{
    c->token = 0;
}
bool smc_ep_pnet_match(const char *a, const char *b)
{
    return a[0] == 0 || b[0] == 0 || strcmp(a, b) == 0;
}
int smc_flow_init(struct smc_group *group)
{
    group->flow = smc_alloc_zeroed(group->ep->alloc, 1, 1);
    return group->flow == NULL ? SMC_ERR_NOMEM : 0;
}
void smc_flow_free(struct smc_group *group)
{
    smc_alloc_release(group->ep->alloc, group->flow, 1, 1);
    group->flow = NULL;
}
void smc_flow_input(struct smc_link *link, const uint8_t *bytes, size_t length)
{
    seen.flow_input++;
    seen.last_length = length;
    seen.last_first = bytes[0];
    if (seen.flow_ends_group)
        smc_group_terminate(link->group, 0, false);
    else if (seen.flow_ends_link == link)
        smc_link_free(link);
    seen.hosed += bytes[0] != seen.last_first; /* still there, although its link is not */
}
void smc_cdc_input(struct smc_link *link, const uint8_t *bytes, size_t length)
{
    (void)link;
    seen.cdc_input++;
    seen.last_length = length;
    seen.last_first = bytes[0];
}
void smc_flow_link_lost(struct smc_link *link)
{
    seen.lost++;
    if (seen.flow_free_on_loss)
        smc_link_free(link);
}
void smc_flow_forget(struct smc_connection *c)
{
    (void)c;
    seen.forgot++;
}
void smc_flow_delete_rkey(struct smc_rmb *rmb)
{
    ck_assert(rmb->deleting);
    seen.delete_rkey++;
}
void smc_flow_delete_all(struct smc_group *group, uint32_t reason)
{
    uint8_t message[SMC_LLC_BYTES] = {SMC_LLC_DELETE_LINK, SMC_LLC_BYTES};
    struct smc_link *link = smc_group_other_link(group, NULL, false);
    (void)reason;
    seen.delete_all++;
    if (seen.delete_all_sends && link != NULL)
        ck_assert_int_eq(smc_wr_send(link, message, sizeof(message), NULL, NULL), 0);
}
void smc_flow_port_up(struct smc_rnic *rnic, uint8_t port)
{
    (void)rnic;
    ck_assert_uint_ge(port, 1);
    seen.port_ups++;
}
void smc_hs_resume(struct smc_connection *c)
{
    seen.resumed++;
    if (c->hs != NULL) /* has to wait again */
        smc_list_add_tail(&c->ep->pending_server, &c->of_group);
}
void smc_close_abort(struct smc_connection *c, int error)
{
    seen.aborts++;
    c->error = (int8_t)error;
    if (seen.aborts % 2 == 0) /* some leave by themselves */
        smc_group_detach(c);
}
void smc_failover_link_freed(struct smc_group *group, unsigned slot)
{
    (void)group, (void)slot;
}

void smc_failover_link(struct smc_link *from)
{
    struct smc_link *to = smc_group_other_link(from->group, from, false);
    seen.failovers++;
    while (!seen.failover_keeps && !smc_list_empty(&from->conns)) {
        struct smc_connection *c = SMC_LIST_ENTRY(from->conns.next, struct smc_connection, of_link);
        smc_list_remove(&c->of_link);
        seen.moves++;
        from->connections--;
        c->link = to;
        to->connections++;
        smc_list_add_tail(&to->conns, &c->of_link);
    }
}
int smc_smcd_group_start(struct smc_group *group)
{
    void *slot = fake_allocate(NULL, 1);
    if (slot == NULL)
        return SMC_ERR_NOMEM;
    fake_release(NULL, slot, 1);
    (void)group;
    return 0;
}
void smc_smcd_group_end(struct smc_group *group, bool tell)
{
    (void)group;
    seen.smcd_ends++;
    seen.smcd_told = tell;
}
static unsigned fake_dmbs, fake_dmb_limit;
int smc_smcd_register(struct smc_rmb *rmb, struct smc_connection *c)
{
    if (fake_dmb_limit != 0 && fake_dmbs >= fake_dmb_limit)
        return SMC_ERR_NOSPACE;
    rmb->memory = fake_allocate(NULL, rmb->rmbe_bytes);
    if (rmb->memory == NULL)
        return SMC_ERR_NOMEM;
    rmb->user = c;
    fake_dmbs++;
    return 0;
}
void smc_smcd_unregister(struct smc_rmb *rmb)
{
    if (rmb->memory == NULL)
        return;
    fake_dmbs--;
    fake_release(NULL, rmb->memory, rmb->rmbe_bytes);
    rmb->memory = NULL;
}
void smc_smcd_detach(struct smc_connection *c)
{
    smc_alloc_release(c->ep->alloc, c->sndbuf, 1, sizeof(*c->sndbuf));
    c->sndbuf = NULL;
}

/* ---- A host with two devices ---- */
static struct smc_endpoint fake_ep;
static struct fake_device fake_devices[2];

static void fake_gid(struct smc_rdma_gid_entry *e, unsigned device, unsigned port, enum smc_rdma_gid_type type, bool v4)
{
    *e = (struct smc_rdma_gid_entry){.type = type, .mac = {2, 0, 0, 0, (uint8_t)device, (uint8_t)port}};
    e->gid.bytes[0] = v4 ? 0 : 0xfe;
    e->gid.bytes[10] = e->gid.bytes[11] = v4 ? 0xff : 0;
    e->gid.bytes[14] = (uint8_t)device;
    e->gid.bytes[15] = (uint8_t)(port + 16u * type);
}

static void fake_device_init(struct fake_device *f, unsigned number, uint8_t ports)
{
    *f = (struct fake_device){.device = {.ops = &fake_rdma_ops, .name = number == 0 ? "fake0" : "fake1", .port_count = ports}};
    for (unsigned p = 1; p <= ports; p++) {
        f->ports[p] = (struct smc_rdma_port){.active = true, .active_mtu = SMC_RDMA_MTU_1024, .gid_count = FAKE_GIDS};
        fake_gid(&f->gids[p][0], number, p, SMC_RDMA_GID_ROCE_V1, false);
        fake_gid(&f->gids[p][1], number, p, SMC_RDMA_GID_ROCE_V2, false);
        fake_gid(&f->gids[p][2], number, p, SMC_RDMA_GID_ROCE_V2, true);
    }
}

static struct smc_rnic *fake_rnic(unsigned i)
{
    struct smc_list *n = fake_ep.rnics.next;
    while (i-- > 0)
        n = n->next;
    return SMC_LIST_ENTRY(n, struct smc_rnic, node);
}

static void fake_start(const struct smc_profile *profile)
{
    memset(&seen, 0, sizeof(seen));
    fake_memory.countdown = fake_device_countdown = -1;
    fake_memory.live = fake_dmbs = fake_dmb_limit = 0;
    fake_ep = (struct smc_endpoint){.profile = *profile, .alloc = &fake_alloc, .now_ns = 1000};
    struct smc_list *heads[] = {&fake_ep.connections, &fake_ep.groups, &fake_ep.rnics, &fake_ep.pending_server, &fake_ep.pending_client, &fake_ep.handshakes};
    for (unsigned i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        smc_list_init(heads[i]);
    for (unsigned i = 0; i < 2; i++) {
        fake_device_init(&fake_devices[i], i, i == 0 ? 1 : 2);
        ck_assert_int_eq(smc_rnic_add(&fake_ep, &fake_devices[i].device, ""), 0);
        smc_rnic_poll(fake_rnic(i));
    }
    seen.port_ups = 0;
}

static inline void fake_poll(void)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH(n, following, &fake_ep.rnics)
        smc_rnic_poll(SMC_LIST_ENTRY(n, struct smc_rnic, node));
    while (smc_timers_run_one(&fake_ep.timers, fake_ep.now_ns))
        ;
}

/* Ends everything and looks for what is left over. */
static void fake_stop(void)
{
    fake_memory.countdown = fake_device_countdown = -1;
    while (!smc_list_empty(&fake_ep.groups))
        smc_group_terminate(SMC_LIST_ENTRY(fake_ep.groups.next, struct smc_group, all), 0, true);
    while (!smc_list_empty(&fake_ep.rnics))
        smc_rnic_remove(SMC_LIST_ENTRY(fake_ep.rnics.next, struct smc_rnic, node));
    ck_assert_uint_eq(fake_memory.live, 0);
    ck_assert_uint_eq(fake_dmbs, 0);
    ck_assert_uint_eq(seen.hosed, 0);
    ck_assert_uint_eq(smc_timers_next_ns(&fake_ep.timers), UINT64_MAX);
    for (unsigned i = 0; i < 2; i++) {
        const struct fake_device *f = &fake_devices[i];
        ck_assert_uint_eq(f->pds + f->mrs + f->cqs + f->qps, 0);
        ck_assert_uint_eq(f->misuses, 0);
    }
}

static struct smc_choice fake_choice(bool client, uint8_t version)
{
    struct smc_choice choice = {.client = client, .version = version, .max_conns = 255, .max_links = 2, .rnic = fake_rnic(0), .port = 1,
                                .gid_index = version < 2 ? 0 : 2, .peer_id = {1, 2, 3}, .peer_mac = {9, 9}, .peer_qpn = 77};
    choice.peer_gid.bytes[15] = 200;
    choice.route.direct = true;
    return choice;
}

static inline void fake_up(struct smc_link *link)
{
    ck_assert_int_eq(smc_link_rtr(link), 0);
    ck_assert_int_eq(smc_link_rts(link), 0);
    smc_link_active(link);
}

static inline struct smc_group *fake_group(bool client, uint8_t version)
{
    struct smc_choice choice = fake_choice(client, version);
    struct smc_group *g;
    ck_assert_int_eq(smc_group_new(&fake_ep, &choice, &g), 0);
    fake_up(g->links[0]);
    smc_group_settled(g);
    return g;
}

/* Another active link, over the second device, to another GID of the peer. */
static inline struct smc_link *fake_second(struct smc_group *g)
{
    struct smc_rnic *rnic;
    struct smc_link *link;
    uint8_t port;
    uint32_t index;
    bool asymmetric;
    ck_assert_int_eq(smc_link_find_port(g, &rnic, &port, &index, &asymmetric), 0);
    ck_assert_int_eq(smc_link_new(g, rnic, port, index, &link), 0);
    link->peer_gid.bytes[15] = 201;
    link->asymmetric = asymmetric;
    ck_assert_int_eq(smc_buf_register_link(g, link), 0);
    fake_up(link);
    return link;
}

static inline void fake_connection(struct smc_connection *c)
{
    *c = (struct smc_connection){.ep = &fake_ep, .state = SMC_STATE_INIT, .peer_row = -1};
    struct smc_list *nodes[] = {&c->all, &c->ready, &c->work, &c->of_group, &c->of_link, &c->wants_slot, &c->signalled};
    for (unsigned i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        smc_list_init(nodes[i]);
}

#endif

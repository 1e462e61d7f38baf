/* For tests of the handshake: two endpoints whose groups, links, buffers, flows and devices are doubles that the test controls.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Included by one file of a test program. Connections, CLC and timers are the real ones. What one side sends over TCP waits in the
 * pair's buffer until fake_pump() hands it over; each side's calls are noted in its log, in order. */
#ifndef SMC_HANDSHAKE_FAKE_H
#define SMC_HANDSHAKE_FAKE_H

#include <stdio.h>
#include <stdlib.h>

#include "handshake.h"
#include "testing/check_main.h"

enum { CLIENT, SERVER, PAIRS = 8, FAKE_IN = 70000, FAKE_LOG = 2048, FAKE_VLAN = 42 };
#define SECOND UINT64_C(1000000000)
#define NEED(condition, ...)                                                                                                 \
    do {                                                                                                                     \
        if (!(condition))                                                                                                    \
            ck_abort_msg(#condition ": " __VA_ARGS__);                                                                       \
    } while (0)

struct fake_end { /* one connection */
    unsigned pair, side;
    struct smc_connection *c;
    uint8_t in[FAKE_IN]; /* bytes that TCP has received */
    size_t in_length;
    unsigned events, aborts;
    bool cut; /* what it sends is lost from now on */
};

struct fake_side {
    struct smc_endpoint ep;
    struct smc_rdma_device rdma;
    struct smc_rnic rnic;
    struct smc_dibs_device dibs[2]; /* native, emulated */
    struct smc_dibs_use use[2];
    char log[FAKE_LOG];
    /* What goes wrong. */
    int new_error, attach_error, rmb_error, rtr_error, rts_error, rtoken_error, send_error, route_error, query_error, vlan_error;
    unsigned route_waits;
    unsigned vlans; /* held */
    bool two_ports;
    bool indirect, needs_confirm, rkey_waits, no_link, llc_by_hand, port_down;
    unsigned groups;           /* alive */
    struct smc_connection *llc, *rkey; /* who waits for it */
};

static struct fake_side fake[2];
static struct fake_end fake_ends[PAIRS][2];
static uint64_t fake_now;
static uint32_t fake_counter;
static size_t fake_bytes;     /* allocated */
static unsigned fake_budget;  /* allocations left; 0: no limit */

/* ---- Memory ---- */
static void *fake_allocate(void *user, size_t size)
{
    (void)user;
    if (fake_budget > 0 && --fake_budget == 0) {
        fake_budget = 1;
        return NULL;
    }
    fake_bytes += size;
    return malloc(size);
}

static void *fake_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    void *grown = fake_allocate(user, new_size);
    if (grown == NULL)
        return NULL;
    if (block != NULL)
        memcpy(grown, block, old_size < new_size ? old_size : new_size);
    free(block);
    fake_bytes -= old_size;
    return grown;
}

static void fake_release(void *user, void *block, size_t size)
{
    (void)user;
    fake_bytes -= size;
    free(block);
}
static const struct smc_alloc fake_alloc = {.allocate = fake_allocate, .resize = fake_resize, .release = fake_release};

static struct fake_side *fake_of(const struct smc_endpoint *ep)
{
    return ep == &fake[CLIENT].ep ? &fake[CLIENT] : &fake[SERVER];
}

static void fake_note(const struct smc_endpoint *ep, const char *what)
{
    struct fake_side *s = fake_of(ep);
    size_t used = strlen(s->log);
    if (used + strlen(what) + 2 < FAKE_LOG)
        snprintf(s->log + used, FAKE_LOG - used, "%s%s", used > 0 ? " " : "", what);
}

/* ---- The host ---- */
static int fake_tcp_send(void *host, void *conn_user, const uint8_t *bytes, size_t length)
{
    struct fake_side *s = host;
    struct fake_end *e = conn_user, *peer = &fake_ends[e->pair][!e->side];
    char text[16];
    if (s->send_error != 0)
        return s->send_error;
    snprintf(text, sizeof(text), "send:%u", length > 4 ? bytes[4] : 0);
    fake_note(&s->ep, text);
    if (e->cut)
        return 0;
    NEED(peer->in_length + length <= FAKE_IN, "too much");
    memcpy(peer->in + peer->in_length, bytes, length);
    peer->in_length += length;
    return 0;
}

static void fake_tcp_shutdown(void *host, void *conn_user)
{
    (void)host, (void)conn_user;
    ck_abort_msg("a handshake sends no FIN");
}

static void fake_tcp_abort(void *host, void *conn_user)
{
    struct fake_side *s = host;
    ((struct fake_end *)conn_user)->aborts++;
    fake_note(&s->ep, "abort");
}

static void fake_event(void *host, struct smc_connection *c, void *conn_user, unsigned events)
{
    (void)host, (void)c, (void)conn_user, (void)events;
}

static int fake_route(void *host, const struct smc_gid *own, const struct smc_gid *peer, struct smc_route *out)
{
    struct fake_side *s = host;
    (void)own, (void)peer;
    if (s->route_waits > 0) {
        s->route_waits--;
        return SMC_ERR_WOULDBLOCK;
    }
    out->direct = !s->indirect;
    memset(out->next_hop_mac, 0x77, 6);
    return s->route_error;
}

static void fake_wake(void *host)
{
    (void)host;
}
static const struct smc_host_ops fake_ops = {.tcp_send = fake_tcp_send, .tcp_shutdown = fake_tcp_shutdown, .tcp_abort = fake_tcp_abort,
                                             .event = fake_event, .route = fake_route, .wake = fake_wake};

/* ---- endpoint.c ---- */
void smc_ep_event(struct smc_connection *c, unsigned events)
{
    struct fake_end *e = c->user;
    NEED((events & SMC_EVENT_CONNECTED) == 0 || (e->events & SMC_EVENT_CONNECTED) == 0, "connected twice");
    e->events |= events;
}

bool smc_ep_pnet_match(const char *a, const char *b)
{
    return a[0] == '\0' || b[0] == '\0' || strcmp(a, b) == 0;
}

/* ---- Ports and dibs devices ---- */
static int fake_query_port(struct smc_rdma_device *device, uint8_t port, struct smc_rdma_port *out)
{
    (void)port;
    *out = (struct smc_rdma_port){.active = true, .active_mtu = SMC_RDMA_MTU_1024, .gid_count = 2};
    return SMC_LIST_ENTRY(device, struct fake_side, rdma)->port_down ? SMC_ERR_GONE : 0;
}
static const struct smc_rdma_ops fake_rdma_ops = {.query_port = fake_query_port};

int smc_rnic_find_gid(struct smc_rnic *rnic, uint8_t port, uint8_t version, bool vlan_valid, uint16_t vlan_id, uint32_t *index,
                      struct smc_rdma_gid_entry *entry)
{
    struct fake_side *s = fake_of(rnic->ep);
    uint8_t id = (uint8_t)(s - fake + 1);
    (void)vlan_valid, (void)vlan_id;
    if (port != 1 && !s->two_ports)
        return SMC_ERR_NOTFOUND;
    *index = version;
    *entry = (struct smc_rdma_gid_entry){.mac = {2, 0, 0x5e, 0, 0, id}};
    entry->gid = version >= 2 ? (struct smc_gid){{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = id}} : (struct smc_gid){{0xfe, 0x80, [15] = id}};
    entry->gid.bytes[14] = (uint8_t)(port - 1);
    return 0;
}

static uint16_t fake_fabric(struct smc_dibs_device *device)
{
    return (uint16_t)(device->gid.bytes[0] == 0xee ? 0xffff : 0x7c0);
}
static const struct smc_dibs_ops fake_dibs_ops = {.get_fabric_id = fake_fabric};

int smc_dibs_query_remote_gid(struct smc_dibs_device *device, const struct smc_gid *rgid, bool vlan_valid, uint16_t vlan_id)
{
    const struct fake_side *s = fake;
    (void)vlan_valid, (void)vlan_id;
    for (unsigned i = 0; i < 2; i++)
        for (unsigned k = 0; k < 2; k++)
            if (device == &fake[i].dibs[k])
                s = &fake[i];
    if (s->query_error != 0)
        return s->query_error;
    return rgid->bytes[0] == device->gid.bytes[0] ? 0 : SMC_ERR_UNREACHABLE;
}

bool smc_dibs_v2_capable(struct smc_dibs_use *use)
{
    return use->v2_capable;
}

int smc_smcd_vlan_get(struct smc_dibs_use *use, uint16_t id)
{
    struct fake_side *s = fake_of(use->ep);
    NEED(id == FAKE_VLAN, "VLAN %u", id);
    s->vlans += s->vlan_error == 0;
    return s->vlan_error;
}

void smc_smcd_vlan_put(struct smc_dibs_use *use, uint16_t id)
{
    NEED(id == FAKE_VLAN && fake_of(use->ep)->vlans > 0, "VLAN %u", id);
    fake_of(use->ep)->vlans--;
}

/* ---- Groups ---- */
static bool fake_fits(const struct smc_group *g, const struct smc_choice *choice)
{
    if (g->sync_error || g->first_contact || g->smc_d != choice->smc_d || g->client != choice->client || g->version != choice->version)
        return false;
    return g->smc_d ? g->device == choice->device && smc_gid_equal(&g->peer_gid, &choice->peer_gid)
                    : smc_gid_equal(&g->links[0]->peer_gid, &choice->peer_gid);
}

struct smc_group *smc_group_find(struct smc_endpoint *ep, const struct smc_choice *choice, struct smc_link **link, bool *no_link)
{
    *link = NULL;
    *no_link = false;
    for (struct smc_list *n = ep->groups.next; n != &ep->groups; n = n->next) {
        struct smc_group *g = SMC_LIST_ENTRY(n, struct smc_group, all);
        if (!fake_fits(g, choice))
            continue;
        *no_link = fake_of(ep)->no_link || (!g->smc_d && choice->client && g->links[0]->peer_qpn != choice->peer_qpn);
        if (*no_link)
            continue;
        *link = g->links[0];
        return g;
    }
    return NULL;
}

static struct smc_link *fake_link(struct smc_group *g, const struct smc_choice *choice)
{
    struct smc_link *link = calloc(1, sizeof(*link));
    link->group = g;
    link->state = SMC_LINK_ACTIVATING;
    link->gid = choice->gid;
    memcpy(link->mac, choice->mac, 6);
    link->qpn = ++fake_counter;
    link->psn = 0x100 + fake_counter;
    link->mtu = SMC_RDMA_MTU_1024;
    return link;
}

int smc_group_new(struct smc_endpoint *ep, const struct smc_choice *choice, struct smc_group **out)
{
    fake_note(ep, "new");
    if (fake_of(ep)->new_error != 0)
        return fake_of(ep)->new_error;
    struct smc_group *g = smc_alloc_zeroed(ep->alloc, 1, sizeof(*g));
    if (g == NULL)
        return SMC_ERR_NOMEM;
    g->ep = ep;
    g->client = choice->client;
    g->smc_d = choice->smc_d;
    g->version = choice->version;
    g->release = choice->release;
    g->max_conns = choice->max_conns;
    g->max_links = choice->max_links;
    g->device = choice->device;
    g->peer_gid = choice->peer_gid;
    g->link_id = ++fake_counter;
    g->first_contact = true;
    memcpy(g->peer_id, choice->peer_id, 8);
    smc_list_init(&g->conns);
    smc_list_add_tail(&ep->groups, &g->all);
    if (!g->smc_d) {
        g->link_slots = 3;
        g->links[0] = fake_link(g, choice);
        NEED(choice->rnic != NULL, "a group of SMC-R needs a port");
    }
    fake_of(ep)->groups++;
    *out = g;
    return 0;
}

static void fake_group_free(struct smc_group *g)
{
    const struct smc_alloc *alloc = g->ep->alloc;
    fake_of(g->ep)->groups--;
    smc_alloc_release(alloc, g->gids, g->gid_count, 16);
    smc_alloc_release(alloc, g->rtokens, g->rtoken_rows * (size_t)g->link_slots, sizeof(*g->rtokens));
    for (unsigned i = 0; i < 3; i++)
        free(g->links[i]);
    smc_alloc_release(alloc, g, 1, sizeof(*g));
}

void smc_group_hold(struct smc_group *g)
{
    g->holds++;
}

bool smc_group_release(struct smc_group *g)
{
    if (--g->holds > 0 || !g->dying)
        return true;
    fake_group_free(g);
    return false;
}

int smc_group_attach(struct smc_group *g, struct smc_link *link, struct smc_connection *c)
{
    fake_note(g->ep, "attach");
    if (fake_of(g->ep)->attach_error != 0)
        return fake_of(g->ep)->attach_error;
    c->group = g;
    c->link = g->smc_d ? NULL : link != NULL ? link : g->links[0];
    c->token = ++fake_counter;
    smc_list_add_tail(&g->conns, &c->of_group);
    g->connections++;
    return 0;
}

static void fake_give_back(struct smc_connection *c)
{
    if (c->rmb == NULL)
        return;
    free(c->rmb->mrs);
    free(c->rmb);
    c->rmb = NULL;
}

void smc_group_detach(struct smc_connection *c)
{
    struct smc_group *g = c->group;
    if (g == NULL)
        return;
    fake_give_back(c);
    smc_list_remove(&c->of_group);
    c->group = NULL;
    c->link = NULL;
    c->peer_row = -1;
    if (--g->connections == 0 && !g->dying && (g->first_contact || g->sync_error))
        smc_group_terminate(g, 0, true);
}

static void fake_resume(struct smc_list *waiting)
{
    struct smc_list batch;
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
    fake_resume(g->client ? &g->ep->pending_client : &g->ep->pending_server);
}

void smc_group_terminate(struct smc_group *g, uint32_t reason, bool tell)
{
    (void)reason, (void)tell;
    if (g->dying)
        return;
    g->dying = true;
    fake_note(g->ep, "terminate");
    smc_group_hold(g);
    smc_list_remove(&g->all);
    while (!smc_list_empty(&g->conns))
        smc_close_abort(SMC_LIST_ENTRY(g->conns.next, struct smc_connection, of_group), SMC_ERR_RESET);
    smc_group_settled(g);
    (void)smc_group_release(g);
}

int smc_rtoken_add(struct smc_group *g, const struct smc_link *link, uint32_t rkey, uint64_t va)
{
    (void)g, (void)link, (void)va;
    return fake_of(g->ep)->rtoken_error != 0 ? fake_of(g->ep)->rtoken_error : (int)(rkey % 200);
}

/* ---- Links, buffers, flows ---- */
int smc_link_rtr(struct smc_link *link)
{
    fake_note(link->group->ep, "rtr");
    NEED(link->peer_mtu != 0 && !smc_gid_is_zero(&link->gid), "RTR without the peer's values");
    if (link->peer_mtu < link->mtu)
        link->mtu = link->peer_mtu;
    return fake_of(link->group->ep)->rtr_error;
}

int smc_link_rts(struct smc_link *link)
{
    fake_note(link->group->ep, "rts");
    return fake_of(link->group->ep)->rts_error;
}

int smc_buf_rmb(struct smc_connection *c, uint32_t wanted_bytes)
{
    (void)wanted_bytes;
    fake_note(c->ep, "rmb");
    if (fake_of(c->ep)->rmb_error != 0)
        return fake_of(c->ep)->rmb_error;
    c->rmb = calloc(1, sizeof(*c->rmb));
    c->rmb->mrs = calloc(3, sizeof(*c->rmb->mrs));
    c->rmb->bsize = 2;
    c->rmb->mrs[0].rkey = ++fake_counter;
    c->rmb->mrs[0].remote_address = 0x10000 * fake_counter;
    c->rmb->dmb.token = 0xd0d0000000000000 + fake_counter;
    c->rmbe_index = c->group->smc_d ? 0 : 1;
    return 0;
}

bool smc_rmb_needs_confirm(const struct smc_rmb *rmb)
{
    (void)rmb;
    return fake[CLIENT].needs_confirm || fake[SERVER].needs_confirm;
}

void smc_flow_confirm_rkey(struct smc_connection *c)
{
    fake_note(c->ep, "rkey");
    fake_of(c->ep)->rkey = c;
    if (!fake_of(c->ep)->rkey_waits)
        smc_hs_rkey_done(c, 0);
}

void smc_flow_first_contact(struct smc_group *g, struct smc_connection *c)
{
    fake_note(g->ep, "llc");
    NEED(fake_of(g->ep)->llc == NULL, "one first contact at a time");
    fake_of(g->ep)->llc = c;
}

void smc_flow_abandon(struct smc_group *g, struct smc_connection *c)
{
    if (fake_of(g->ep)->llc == c)
        fake_of(g->ep)->llc = NULL;
}

void smc_flow_forget(struct smc_connection *c)
{
    if (fake_of(c->ep)->rkey == c)
        fake_of(c->ep)->rkey = NULL;
}

/* ---- Connections ---- */
void smc_conn_start(struct smc_connection *c)
{
    fake_note(c->ep, "start");
    NEED(c->hs == NULL && c->group != NULL && c->rmb != NULL, "started too early");
    c->mode = c->group->smc_d ? SMC_MODE_D : SMC_MODE_R;
    c->state = SMC_STATE_ACTIVE;
    c->started = true;
}

void smc_close_abort(struct smc_connection *c, int error)
{
    struct fake_end *e = c->user;
    fake_note(c->ep, "close-abort");
    if (c->hs != NULL)
        smc_hs_abandon(c);
    c->error = (int8_t)error;
    c->state = SMC_STATE_CLOSED;
    e->events |= SMC_EVENT_ERROR;
    smc_group_detach(c);
}

void smc_close_tcp_eof(struct smc_connection *c)
{
    c->tcp_fin_received = true;
}

void smc_close_tcp_reset(struct smc_connection *c)
{
    c->tcp_dead = true;
}

/* ---- Sides and pairs ---- */
struct fake_kind {
    const char *name;
    bool v1, v2, r, d, native, emulated;
    uint8_t release;
    enum smc_mode mode;
    uint8_t version;
    size_t proposal, accept_first, confirm_first, accept_next, confirm_next; /* bytes, Linux profile */
};
static const struct fake_kind fake_kinds[] = {
    {"R v1", true, false, true, false, false, false, 0, SMC_MODE_R, 1, 92, 68, 68, 68, 68},
    {"R v2", false, true, true, false, false, false, 0, SMC_MODE_R, 2, 156, 160, 180, 108, 108},
    {"R v2.1", false, true, true, false, false, false, 1, SMC_MODE_R, 2, 156, 160, 180, 108, 108},
    {"R v1 and v2.1", true, true, true, false, false, false, 1, SMC_MODE_R, 2, 164, 160, 180, 108, 108},
    {"D v1", true, false, false, true, true, false, 0, SMC_MODE_D, 1, 92, 48, 48, 48, 48},
    {"D v2", false, true, false, true, true, false, 0, SMC_MODE_D, 2, 214, 114, 114, 78, 78},
    {"D v2.1, emulated", false, true, false, true, false, true, 1, SMC_MODE_D, 2, 224, 130, 130, 78, 78},
    {"everything", true, true, true, true, true, true, 1, SMC_MODE_D, 2, 232, 130, 130, 78, 78},
};
enum { FAKE_KINDS = sizeof(fake_kinds) / sizeof(fake_kinds[0]), KIND_R1 = 0, KIND_R2 = 2, KIND_D1 = 4, KIND_D2 = 6, KIND_ALL = 7 };

static void fake_devices(struct fake_side *s, const struct fake_kind *kind)
{
    uint8_t id = (uint8_t)(s - fake + 1);
    s->rdma = (struct smc_rdma_device){.ops = &fake_rdma_ops, .name = "rnic", .port_count = 2};
    s->rnic.ep = &s->ep;
    s->rnic.device = &s->rdma;
    if (kind->r)
        smc_list_add_tail(&s->ep.rnics, &s->rnic.node);
    for (unsigned i = 0; i < 2; i++) {
        s->dibs[i] = (struct smc_dibs_device){.ops = &fake_dibs_ops, .gid = {{(uint8_t)(i == 1 ? 0xee : 0x15), [7] = id, [15] = i == 1 ? id : 0}}};
        s->use[i].ep = &s->ep;
        s->use[i].device = &s->dibs[i];
        s->use[i].v2_capable = true;
        smc_list_init(&s->use[i].groups);
        if (i == 1 ? kind->emulated : kind->native)
            smc_list_add_tail(&s->ep.dibs_devices, &s->use[i].node);
    }
    memcpy(s->ep.peer_id, (const uint8_t[8]){0, id, 2, 0, 0x5e, 0, 0, id}, kind->r ? 8 : 0);
}

static void fake_side_up(struct fake_side *s, const struct fake_kind *kind, const struct smc_profile *profile)
{
    memset(s, 0, sizeof(*s));
    s->ep.config = (struct smc_endpoint_config){.alloc = &fake_alloc, .ops = &fake_ops, .host = s, .v1 = kind->v1, .v2 = kind->v2,
                                                .smc_r = kind->r, .smc_d = kind->d, .release = kind->release,
                                                .emulated_ism = kind->emulated, .os_type = SMC_OS_LINUX};
    memset(s->ep.config.hostname, ' ', 32);
    s->ep.profile = *profile;
    s->ep.config.profile = &s->ep.profile;
    s->ep.alloc = &fake_alloc;
    struct smc_list *heads[] = {&s->ep.connections, &s->ep.groups, &s->ep.rnics, &s->ep.dibs_devices, &s->ep.pending_server, &s->ep.pending_client, &s->ep.handshakes};
    for (unsigned i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        smc_list_init(heads[i]);
    ck_assert_int_eq(smc_endpoint_add_ueid(&s->ep, "UEID"), 0);
    fake_devices(s, kind);
}

static void fake_up(const struct fake_kind *kind, const struct smc_profile *profile)
{
    fake_now = SECOND;
    fake_counter = 0;
    fake_budget = 0;
    memset(fake_ends, 0, sizeof(fake_ends));
    fake_side_up(&fake[CLIENT], kind, profile);
    fake_side_up(&fake[SERVER], kind, profile);
}

static const struct smc_ip_prefix fake_nets[2] = {{{{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}}, 24},
                                                  {{{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2}}, 24}};

static int fake_open(unsigned pair, unsigned side, const struct smc_connection_config *more)
{
    struct fake_end *e = &fake_ends[pair][side];
    struct smc_connection_config config = more != NULL ? *more : (struct smc_connection_config){.option = true};
    config.client = side == CLIENT;
    config.own_ip = fake_nets[side].address;
    config.peer_ip = fake_nets[!side].address;
    config.prefixes = &fake_nets[side];
    config.prefix_count = 1;
    e->pair = pair;
    e->side = side;
    return smc_connection_new(&fake[side].ep, &config, e, fake_now, &e->c);
}

static void fake_connect(unsigned pair)
{
    ck_assert_int_eq(fake_open(pair, SERVER, NULL), 0);
    ck_assert_int_eq(fake_open(pair, CLIENT, NULL), 0);
}

/* Hands over what one end has received. Was anything used? */
static bool fake_feed(struct fake_end *e)
{
    if (e->in_length == 0 || e->c == NULL)
        return false;
    uint8_t *copy = malloc(e->in_length); /* of exactly that size, so that a sanitizer sees a byte read beyond it */
    memcpy(copy, e->in, e->in_length);
    size_t length = e->in_length, used = smc_tcp_input(e->c, copy, length, fake_now);
    free(copy);
    NEED(used <= length, "more than there was");
    NEED(used == 0 || e->in_length >= length, "bytes got lost");
    memmove(e->in, e->in + used, e->in_length - used);
    e->in_length -= used;
    return used > 0;
}

static bool fake_peer_confirmed(const struct smc_connection *c)
{
    const struct fake_end *e = c->user;
    const struct smc_connection *peer = fake_ends[e->pair][!e->side].c;
    return peer != NULL && (peer->hs != NULL ? peer->hs->state == SMC_HS_LLC : peer->mode == SMC_MODE_R);
}

/* LLC of those whose peer has come as far. */
static bool fake_llc(void)
{
    bool did = false;
    for (unsigned s = 0; s < 2; s++) {
        struct smc_connection *c = fake[s].llc;
        if (c == NULL || fake[s].llc_by_hand || !fake_peer_confirmed(c))
            continue;
        fake[s].llc = NULL;
        c->link->state = SMC_LINK_ACTIVE;
        smc_hs_llc_done(c, 0);
        did = true;
    }
    return did;
}

static void fake_pump(void)
{
    bool did = true;
    while (did) {
        did = false;
        for (unsigned p = 0; p < PAIRS; p++)
            for (unsigned s = 0; s < 2; s++)
                did |= fake_feed(&fake_ends[p][s]);
        did |= fake_llc();
    }
}

/* Until then, with all that is due before. */
static void fake_run(uint64_t for_ns)
{
    uint64_t until = fake_now + for_ns;
    for (;;) {
        uint64_t next = UINT64_MAX;
        for (unsigned s = 0; s < 2; s++)
            next = smc_timers_next_ns(&fake[s].ep.timers) < next ? smc_timers_next_ns(&fake[s].ep.timers) : next;
        if (next > until)
            break;
        fake_now = next > fake_now ? next : fake_now;
        for (unsigned s = 0; s < 2; s++) {
            fake[s].ep.now_ns = fake_now;
            while (smc_timers_run_one(&fake[s].ep.timers, fake_now))
                ;
        }
        fake_pump();
    }
    fake_now = until;
    fake[0].ep.now_ns = fake[1].ep.now_ns = fake_now;
}

static void fake_close(struct fake_end *e)
{
    struct smc_connection *c = e->c;
    if (c == NULL)
        return;
    smc_hs_abandon(c);
    smc_group_detach(c);
    smc_list_remove(&c->all);
    smc_alloc_release(&fake_alloc, c, 1, sizeof(*c));
    e->c = NULL;
}

/* Closes everything; nothing may be left. */
static void fake_down(void)
{
    for (unsigned p = 0; p < PAIRS; p++)
        for (unsigned s = 0; s < 2; s++)
            fake_close(&fake_ends[p][s]);
    for (unsigned s = 0; s < 2; s++) {
        while (!smc_list_empty(&fake[s].ep.groups))
            smc_group_terminate(SMC_LIST_ENTRY(fake[s].ep.groups.next, struct smc_group, all), 0, false);
        NEED(fake[s].groups == 0, "a group is left");
        NEED(fake[s].vlans == 0, "a VLAN is still held");
        NEED(smc_timers_next_ns(&fake[s].ep.timers) == UINT64_MAX, "a timer is left");
        NEED(smc_list_empty(&fake[s].ep.pending_client) && smc_list_empty(&fake[s].ep.pending_server), "somebody still waits");
        NEED(fake[s].llc == NULL && fake[s].rkey == NULL, "a flow still knows a connection");
    }
    NEED(fake_bytes == 0, "%zu bytes are left", fake_bytes);
}

#endif

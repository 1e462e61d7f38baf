/* Two link groups, client and server, wired together for the tests of LLC: the rest of the core is played here.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Every message passes wire[], in order per link; `filter` may drop or hold it. Time moves by run(). */
#ifndef SMC_FLOW_FAKE_H
#define SMC_FLOW_FAKE_H

#include <check.h>
#include <stdlib.h>

#include "flow.h"

#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

enum { SERVER, CLIENT, RNICS = 9, WIRE = 4096, LOG = 4096, QPNS = 4096 };
struct packet { int from; uint32_t to_qpn; uint8_t number; uint8_t *bytes; size_t length; bool held; };
struct side {
    struct smc_endpoint ep;
    struct smc_group *g;
    struct smc_rnic rnics[RNICS];
    unsigned ups; /* rnics that are up */
    struct smc_connection c, c2;
    int llc, rkey, rkeys;     /* results: 1 none yet */
    uint32_t diagnosis;
    unsigned ended, freed_rmbs, failovers, aborted;
    uint32_t end_reason;
    unsigned full;            /* sends that still find no slot */
    unsigned fail_new;        /* smc_link_new() fails */
    int route;                /* what the host says */
    unsigned pending;         /* SENDs not completed */
    uint64_t posted[SMC_LINK_SLOTS_MAX], completed[SMC_LINK_SLOTS_MAX]; /* work of links, by slot */
};
static struct side sides[2];
static struct packet wire[WIRE];
static unsigned wire_count, dropped;
static uint64_t now;
static struct { int from; uint8_t number, type, flags; uint8_t bytes[44]; uint64_t at; } messages[LOG];
static unsigned logged;
static bool rts[QPNS];
static uint32_t next_qpn, next_rkey;
/* 0 deliver, 1 drop, 2 hold */
static int (*filter)(int from, const uint8_t *bytes, uint8_t number);
static long allocations_left; /* -1: no limit */
static long blocks;

/* ---- memory ---- */
static inline void *fake_allocate(void *user, size_t size)
{
    (void)user;
    if (allocations_left == 0)
        return NULL;
    if (allocations_left > 0)
        allocations_left--;
    blocks++;
    return malloc(size);
}
static inline void *fake_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)user;
    (void)old_size;
    return realloc(block, new_size);
}
static inline void fake_release(void *user, void *block, size_t size)
{
    (void)user;
    (void)size;
    blocks--;
    free(block);
}
static const struct smc_alloc heap = {fake_allocate, fake_resize, fake_release, NULL};

static inline int side_of(const struct smc_endpoint *ep) { return ep == &sides[CLIENT].ep; }

/* ---- the core, as far as LLC meets it ---- */
uint64_t smc_ep_random(struct smc_endpoint *ep) { return ep->random += 0x9e3779b97f4a7c15u; }

int smc_wr_send(struct smc_link *link, const uint8_t *bytes, size_t length, smc_wr_done_fn *done, void *ctx)
{
    struct side *s = &sides[side_of(link->group->ep)];
    (void)done;
    (void)ctx;
    if (!rts[link->qpn])
        return SMC_ERR_STATE;
    if (s->full > 0) {
        s->full--;
        return SMC_ERR_NOSPACE;
    }
    if (logged < LOG) {
        messages[logged].from = side_of(link->group->ep);
        messages[logged].number = link->number;
        messages[logged].type = bytes[0];
        messages[logged].flags = bytes[3];
        messages[logged].at = now;
        memcpy(messages[logged++].bytes, bytes, 44);
    }
    int fate = filter != NULL ? filter(side_of(link->group->ep), bytes, link->number) : 0;
    if (fate == 1 || wire_count == WIRE) {
        dropped++;
        return 0;
    }
    struct packet *p = &wire[wire_count++];
    *p = (struct packet){side_of(link->group->ep), link->peer_qpn, link->number, malloc(length), length, fate == 2};
    memcpy(p->bytes, bytes, length);
    return 0;
}
unsigned smc_wr_pending(const struct smc_link *link) { return sides[side_of(link->group->ep)].pending; }

uint64_t smc_wr_fence(const struct smc_link *link)
{
    const struct side *s = &sides[side_of(link->group->ep)];
    return s->completed[link->slot] < s->posted[link->slot] ? s->posted[link->slot] : 0;
}
bool smc_wr_passed(const struct smc_link *link, uint64_t fence)
{
    return sides[side_of(link->group->ep)].completed[link->slot] >= fence;
}

unsigned smc_group_active_links(const struct smc_group *g)
{
    unsigned n = 0;
    for (unsigned i = 0; i < g->link_slots; i++)
        n += g->links[i] != NULL && g->links[i]->state == SMC_LINK_ACTIVE;
    return n;
}
void smc_group_update_type(struct smc_group *g) { g->type = smc_group_active_links(g) > 1 ? SMC_GROUP_SYMMETRIC : SMC_GROUP_SINGLE; }
struct smc_link *smc_group_link_by_number(struct smc_group *g, uint8_t number)
{
    for (unsigned i = 0; i < g->link_slots; i++)
        if (g->links[i] != NULL && g->links[i]->number == number)
            return g->links[i];
    return NULL;
}
void smc_group_detach(struct smc_connection *c)
{
    smc_list_remove(&c->of_link);
    c->link->connections--;
    c->link = NULL;
}
void smc_group_terminate(struct smc_group *g, uint32_t reason, bool tell)
{
    struct side *s = &sides[side_of(g->ep)];
    if (g->dying)
        return;
    g->dying = true;
    if (tell) {
        g->dying = false;
        smc_flow_delete_all(g, reason);
        g->dying = true;
    }
    s->ended++;
    s->end_reason = reason;
    smc_list_remove(&g->all);
    smc_list_init(&g->all);
    smc_flow_free(g);
    for (unsigned i = 0; i < g->link_slots; i++) {
        if (g->links[i] == NULL)
            continue;
        while (!smc_list_empty(&g->links[i]->conns))
            smc_group_detach(SMC_LIST_ENTRY(g->links[i]->conns.next, struct smc_connection, of_link));
        smc_link_free(g->links[i]);
    }
    while (!smc_list_empty(&g->rmbs))
        smc_buf_free_rmb(SMC_LIST_ENTRY(g->rmbs.next, struct smc_rmb, node));
}
int smc_rtoken_find(const struct smc_group *g, const struct smc_link *link, uint32_t rkey)
{
    for (unsigned i = 0; i < SMC_RTOKEN_ROWS; i++)
        if (g->rtokens[i * g->link_slots + link->slot].valid && g->rtokens[i * g->link_slots + link->slot].rkey == rkey)
            return (int)i;
    return SMC_ERR_NOTFOUND;
}
static inline void put_token(struct smc_group *g, int row, const struct smc_link *link, uint32_t rkey, uint64_t va)
{
    g->rtokens[(unsigned)row * g->link_slots + link->slot] = (struct smc_rtoken){rkey, va, true};
}
int smc_rtoken_add(struct smc_group *g, const struct smc_link *link, uint32_t rkey, uint64_t va)
{
    int row = smc_rtoken_find(g, link, rkey);
    for (int i = 0; row < 0 && i < SMC_RTOKEN_ROWS; i++)
        if (!flow_bit(g->rtoken_used, (unsigned)i))
            row = i;
    if (row < 0)
        return SMC_ERR_NOSPACE;
    flow_bit_put(g->rtoken_used, (unsigned)row, true);
    put_token(g, row, link, rkey, va);
    return row;
}
int smc_rtoken_map(struct smc_group *g, const struct smc_link *known, uint32_t reference, const struct smc_link *link, uint32_t rkey,
                   uint64_t va)
{
    int row = smc_rtoken_find(g, known, reference);
    if (row >= 0)
        put_token(g, row, link, rkey, va);
    return row;
}
int smc_rtoken_delete(struct smc_group *g, const struct smc_link *link, uint32_t rkey)
{
    int row = smc_rtoken_find(g, link, rkey);
    if (row < 0)
        return row;
    flow_bit_put(g->rtoken_used, (unsigned)row, false);
    memset(&g->rtokens[(unsigned)row * g->link_slots], 0, g->link_slots * sizeof(g->rtokens[0]));
    return 0;
}

uint8_t smc_link_next_number(struct smc_group *g)
{
    do
        g->last_link_number++;
    while (g->last_link_number == 0 || smc_group_link_by_number(g, g->last_link_number) != NULL);
    return g->last_link_number;
}
int smc_link_new(struct smc_group *g, struct smc_rnic *rnic, uint8_t port, uint32_t gid_index, struct smc_link **out)
{
    struct side *s = &sides[side_of(g->ep)];
    unsigned slot = 0;
    while (slot < g->link_slots && g->links[slot] != NULL)
        slot++;
    if (slot == g->link_slots)
        return SMC_ERR_NOSPACE;
    if (s->fail_new > 0) {
        s->fail_new--;
        return SMC_ERR_NOMEM;
    }
    struct smc_link *l = smc_alloc_zeroed(g->ep->alloc, 1, sizeof(*l));
    if (l == NULL)
        return SMC_ERR_NOMEM;
    uint8_t tag = (uint8_t)(0x10 * side_of(g->ep) + (rnic - s->rnics));
    l->group = g;
    l->rnic = rnic;
    l->port = port;
    l->gid_index = gid_index;
    l->slot = (uint8_t)slot;
    l->state = SMC_LINK_ACTIVATING;
    l->qpn = ++next_qpn;
    l->psn = next_qpn + 100;
    l->mtu = (uint8_t)(3 + side_of(g->ep));
    l->mac[0] = 2;
    l->mac[5] = tag;
    l->gid.bytes[0] = 0xfe;
    l->gid.bytes[1] = 0x80;
    l->gid.bytes[15] = tag;
    if (!g->client)
        l->number = smc_link_next_number(g);
    smc_list_init(&l->conns);
    smc_list_init(&l->send_waiters);
    g->links[slot] = l;
    *out = l;
    return 0;
}
int smc_link_rtr(struct smc_link *link)
{
    if (link->peer_mtu != 0 && link->peer_mtu < link->mtu)
        link->mtu = link->peer_mtu;
    return link->peer_qpn != 0 ? 0 : SMC_ERR_STATE;
}
int smc_link_rts(struct smc_link *link)
{
    rts[link->qpn] = true;
    return 0;
}
void smc_link_active(struct smc_link *link)
{
    link->state = SMC_LINK_ACTIVE;
    smc_group_update_type(link->group);
}
void smc_link_down(struct smc_link *link)
{
    struct smc_group *g = link->group;
    if (link->going_down)
        return;
    bool was = link->state == SMC_LINK_ACTIVE;
    link->going_down = true;
    link->state = SMC_LINK_INACTIVE;
    rts[link->qpn] = false;
    if (was && smc_group_active_links(g) == 0) {
        smc_group_terminate(g, SMC_LLC_DEL_LOST_PATH, false);
        return;
    }
    smc_failover_link(link);
    smc_flow_link_lost(link);
}
void smc_link_free(struct smc_link *link)
{
    struct smc_group *g = link->group;
    if (!smc_list_empty(&link->conns))
        abort();
    rts[link->qpn] = false;
    smc_timer_cancel(&g->ep->timers, &link->test_timer);
    for (unsigned i = 0; i < SMC_RTOKEN_ROWS; i++)
        g->rtokens[i * g->link_slots + link->slot].valid = false;
    smc_buf_unregister_link(g, link);
    g->links[link->slot] = NULL;
    smc_alloc_release(g->ep->alloc, link, 1, sizeof(*link));
}
int smc_link_find_port(struct smc_group *g, struct smc_rnic **rnic, uint8_t *port, uint32_t *gid_index, bool *asymmetric)
{
    struct side *s = &sides[side_of(g->ep)];
    *port = 1;
    *gid_index = 0;
    for (unsigned i = 0; i < RNICS; i++) {
        bool used = false;
        for (unsigned k = 0; k < g->link_slots; k++)
            used = used || (g->links[k] != NULL && g->links[k]->rnic == &s->rnics[i]);
        *rnic = &s->rnics[i];
        *asymmetric = false;
        if (!used && (s->ups >> i & 1))
            return 0;
    }
    for (unsigned i = 0; i < RNICS; i++) {
        *rnic = &s->rnics[i];
        *asymmetric = true;
        if (s->ups >> i & 1)
            return 0;
    }
    return SMC_ERR_NOTFOUND;
}
int smc_rnic_find_gid(struct smc_rnic *rnic, uint8_t port, uint8_t version, bool vlan_valid, uint16_t vlan_id, uint32_t *index,
                      struct smc_rdma_gid_entry *entry)
{
    struct side *s = &sides[side_of(rnic->ep)];
    uint8_t tag = (uint8_t)(0x10 * side_of(rnic->ep) + (rnic - s->rnics));
    (void)port; (void)version; (void)vlan_valid; (void)vlan_id;
    memset(entry, 0, sizeof(*entry));
    *index = 0;
    entry->mac[0] = 2;
    entry->mac[5] = tag;
    entry->gid.bytes[0] = 0xfe;
    entry->gid.bytes[1] = 0x80;
    entry->gid.bytes[15] = tag;
    return 0;
}

static inline void register_rmb(struct smc_rmb *rmb, const struct smc_link *link)
{
    rmb->mrs[link->slot].rkey = ++next_rkey;
    rmb->mrs[link->slot].remote_address = 0x10000u * next_rkey;
    flow_bit_put(rmb->registered, link->slot, true);
}
int smc_buf_register_link(struct smc_group *g, struct smc_link *link)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH (n, following, &g->rmbs)
        register_rmb(SMC_LIST_ENTRY(n, struct smc_rmb, node), link);
    return 0;
}
void smc_buf_unregister_link(struct smc_group *g, struct smc_link *link)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH (n, following, &g->rmbs) {
        flow_bit_put(SMC_LIST_ENTRY(n, struct smc_rmb, node)->registered, link->slot, false);
        flow_bit_put(SMC_LIST_ENTRY(n, struct smc_rmb, node)->announced, link->slot, false);
    }
}
static inline struct smc_rmb *add_rmb(int side, bool announced)
{
    struct smc_group *g = sides[side].g;
    struct smc_rmb *rmb = calloc(1, sizeof(*rmb));
    rmb->mrs = calloc(g->link_slots, sizeof(rmb->mrs[0]));
    rmb->group = g;
    rmb->rmbes_used = 1;
    for (unsigned i = 0; i < g->link_slots; i++)
        if (g->links[i] != NULL)
            register_rmb(rmb, g->links[i]);
    smc_list_add_tail(&g->rmbs, &rmb->node);
    if (announced && g->links[0] != NULL) { /* as CLC does */
        struct side *peer = &sides[!side];
        flow_bit_put(rmb->announced, 0, true);
        (void)smc_rtoken_add(peer->g, peer->g->links[0], rmb->mrs[0].rkey, rmb->mrs[0].remote_address);
    }
    return rmb;
}
void smc_buf_free_rmb(struct smc_rmb *rmb)
{
    sides[side_of(rmb->group->ep)].freed_rmbs++;
    smc_list_remove(&rmb->node);
    free(rmb->mrs);
    free(rmb);
}
bool smc_rmb_needs_confirm(const struct smc_rmb *rmb)
{
    for (unsigned i = 0; i < rmb->group->link_slots; i++)
        if (smc_flow_usable(rmb->group->links[i]) && !flow_bit(rmb->announced, i))
            return true;
    return false;
}
void smc_failover_link_freed(struct smc_group *group, unsigned slot)
{
    (void)group, (void)slot;
}

void smc_failover_link(struct smc_link *from)
{
    struct smc_group *g = from->group;
    sides[side_of(g->ep)].failovers++;
    for (unsigned i = 0; i < g->link_slots; i++) {
        struct smc_link *to = g->links[i];
        if (to == from || to == NULL || to->state != SMC_LINK_ACTIVE)
            continue;
        while (!smc_list_empty(&from->conns)) {
            struct smc_connection *c = SMC_LIST_ENTRY(from->conns.next, struct smc_connection, of_link);
            smc_list_remove(&c->of_link);
            smc_list_add_tail(&to->conns, &c->of_link);
            c->link = to;
        }
    }
}
void smc_close_abort(struct smc_connection *c, int error)
{
    (void)error;
    sides[side_of(c->ep)].aborted++;
}
void smc_hs_llc_done(struct smc_connection *c, int error)
{
    sides[side_of(c->ep)].llc = error;
    sides[side_of(c->ep)].g->first_contact = false;
}
void smc_hs_llc_alone(struct smc_connection *c)
{
    smc_hs_llc_done(c, 0);
}
void smc_hs_llc_failed(struct smc_connection *c, int error, uint32_t diagnosis)
{
    struct side *s = &sides[side_of(c->ep)];
    s->llc = error;
    s->diagnosis = diagnosis;
    smc_group_terminate(s->g, 0, false); /* what the end of the first connection does */
}
void smc_hs_rkey_done(struct smc_connection *c, int error)
{
    sides[side_of(c->ep)].rkey = error;
    sides[side_of(c->ep)].rkeys++;
}
static inline int fake_route(void *host, const struct smc_gid *own, const struct smc_gid *peer, struct smc_route *out)
{
    struct side *s = host;
    (void)own; (void)peer;
    out->direct = true;
    return s->route;
}
static const struct smc_host_ops host_ops = {.route = fake_route};

/* ---- running ---- */
static inline void deliver(struct packet *p)
{
    struct smc_group *g = sides[!p->from].g;
    for (unsigned i = 0; !g->dying && i < g->link_slots; i++)
        if (g->links[i] != NULL && g->links[i]->qpn == p->to_qpn) {
            smc_flow_input(g->links[i], p->bytes, p->length);
            break;
        }
    free(p->bytes);
}
/* The first that is not held, nor behind a held one of its link. */
static inline bool deliver_one(void)
{
    for (unsigned i = 0; i < wire_count; i++) {
        bool blocked = wire[i].held;
        for (unsigned k = 0; k < i; k++)
            blocked = blocked || (wire[k].held && wire[k].to_qpn == wire[i].to_qpn && wire[k].from == wire[i].from);
        if (blocked)
            continue;
        struct packet p = wire[i];
        memmove(&wire[i], &wire[i + 1], (--wire_count - i) * sizeof(wire[0]));
        deliver(&p);
        return true;
    }
    return false;
}
static inline void release_held(void)
{
    for (unsigned i = 0; i < wire_count; i++)
        wire[i].held = false;
}
static inline void step(void)
{
    bool again = true;
    while (again) {
        again = deliver_one();
        for (int i = 0; i < 2; i++) {
            sides[i].ep.now_ns = now;
            again = smc_timers_run_one(&sides[i].ep.timers, now) || again;
        }
    }
}
static inline void run(uint64_t ns)
{
    uint64_t end = now + ns;
    for (;;) {
        step();
        uint64_t a = smc_timers_next_ns(&sides[0].ep.timers), b = smc_timers_next_ns(&sides[1].ep.timers);
        uint64_t next = a < b ? a : b;
        if (next > end)
            break;
        now = next > now ? next : now;
    }
    now = end;
    step();
}

/* ---- setting up ---- */
static inline void make_side(int i, const struct smc_profile *profile, uint8_t version, unsigned rnics, uint8_t max_links)
{
    struct side *s = &sides[i];
    memset(s, 0, sizeof(*s));
    s->ep.alloc = &heap;
    s->ep.profile = *profile;
    s->ep.config.ops = &host_ops;
    s->ep.config.host = s;
    s->ep.now_ns = now;
    s->ep.random = (uint64_t)i + 1;
    smc_list_init(&s->ep.groups);
    s->ups = (1u << rnics) - 1;
    for (unsigned k = 0; k < RNICS; k++)
        s->rnics[k].ep = &s->ep;
    struct smc_group *g = s->g = calloc(1, sizeof(*g));
    g->ep = &s->ep;
    g->id = 0x300;
    g->client = i == CLIENT;
    g->version = version;
    g->max_links = max_links;
    g->max_conns = 255;
    g->link_slots = max_links + 1u;
    g->first_contact = true;
    g->eyecatcher_own = version == 1 && profile->rmbe_eyecatcher;
    smc_list_init(&g->rmbs);
    smc_list_init(&g->conns);
    smc_list_add_tail(&s->ep.groups, &g->all);
    g->rtokens = calloc((size_t)SMC_RTOKEN_ROWS * g->link_slots, sizeof(g->rtokens[0]));
    s->llc = s->rkey = 1;
    struct smc_connection *cs[] = {&s->c, &s->c2};
    for (unsigned k = 0; k < 2; k++) {
        cs[k]->ep = &s->ep;
        cs[k]->group = g;
        smc_list_init(&cs[k]->of_link);
    }
}
static inline bool wire_up(const struct smc_profile *server, const struct smc_profile *client, uint8_t version, unsigned server_rnics,
                    unsigned client_rnics, uint8_t max_links)
{
    wire_count = logged = dropped = next_qpn = next_rkey = 0;
    now = SECOND;
    filter = NULL;
    memset(rts, 0, sizeof(rts));
    make_side(SERVER, server, version, server_rnics, max_links);
    make_side(CLIENT, client, version, client_rnics, max_links);
    struct smc_link *l[2];
    for (int i = 0; i < 2; i++)
        if (smc_link_new(sides[i].g, &sides[i].rnics[0], 1, 0, &l[i]) < 0 || smc_flow_init(sides[i].g) < 0)
            return false;
    for (int i = 0; i < 2; i++) {
        l[i]->peer_gid = l[!i]->gid;
        memcpy(l[i]->peer_mac, l[!i]->mac, 6);
        l[i]->peer_qpn = l[!i]->qpn;
        smc_list_add_tail(&l[i]->conns, &sides[i].c.of_link);
        sides[i].c.link = l[i];
    }
    smc_link_rts(l[SERVER]);
    sides[SERVER].c.rmb = add_rmb(SERVER, true);
    sides[CLIENT].c.rmb = add_rmb(CLIENT, true);
    return true;
}
static inline void first_contact(void)
{
    smc_flow_first_contact(sides[CLIENT].g, &sides[CLIENT].c);
    smc_flow_first_contact(sides[SERVER].g, &sides[SERVER].c);
}
static inline void tear_down(void)
{
    filter = NULL;
    for (int i = 0; i < 2; i++) {
        if (sides[i].g == NULL)
            continue;
        smc_group_terminate(sides[i].g, 0, false);
        free(sides[i].g->rtokens);
        free(sides[i].g);
        sides[i].g = NULL;
    }
    while (wire_count > 0)
        free(wire[--wire_count].bytes);
}
static inline unsigned count(int from, uint8_t type, uint8_t flags)
{
    unsigned n = 0;
    for (unsigned i = 0; i < logged; i++)
        n += messages[i].from == from && messages[i].type == type && messages[i].flags == flags;
    return n;
}
static inline const uint8_t *last(int from, uint8_t type)
{
    for (unsigned i = logged; i-- > 0;)
        if (messages[i].from == from && messages[i].type == type)
            return messages[i].bytes;
    return NULL;
}
/* A message of side `from`, made by the test, put in on the link of that number. */
static inline void inject(int from, uint8_t number, struct smc_llc_info m)
{
    uint8_t bytes[512];
    struct smc_link *l = smc_group_link_by_number(sides[!from].g, number);
    m.version = sides[from].g->version;
    size_t length = smc_llc_encode(&m, bytes, sizeof(bytes));
    if (l != NULL && length > 0)
        smc_flow_input(l, bytes, length);
}

/* ---- what the tests have in common ---- */
static const struct smc_profile *const profiles[] = {&smc_profile_rfc, &smc_profile_linux};
#define PROFILE(i) profiles[(i) & 1]
#define VERSION(i) (uint8_t)((i) >> 1 & 1 ? 2 : 1)
#define T(i) (uint8_t)(VERSION(i) == 2 ? 0x20 : 0)

static inline void up(int i, unsigned server_rnics, unsigned client_rnics, uint8_t max_links)
{
    ck_assert(wire_up(PROFILE(i), PROFILE(i), VERSION(i), server_rnics, client_rnics, max_links));
    first_contact();
    run(SECOND);
    ck_assert_int_eq(sides[SERVER].llc, 0);
    ck_assert_int_eq(sides[CLIENT].llc, 0);
}
static inline unsigned links(int side) { return smc_group_active_links(sides[side].g); }
static inline unsigned slots(int side)
{
    unsigned n = 0;
    for (unsigned i = 0; i < sides[side].g->link_slots; i++)
        n += sides[side].g->links[i] != NULL;
    return n;
}
static uint8_t awaited;
static inline int drop_type(int from, const uint8_t *bytes, uint8_t number)
{
    (void)from; (void)number;
    return (bytes[0] & 15) == awaited && (bytes[3] & 0x80) ? 1 : 0;
}
static inline int drop_request(int from, const uint8_t *bytes, uint8_t number)
{
    (void)from; (void)number;
    return (bytes[0] & 15) == awaited && !(bytes[3] & 0x80) ? 1 : 0;
}
static inline int hold_type(int from, const uint8_t *bytes, uint8_t number)
{
    (void)from; (void)number;
    return (bytes[0] & 15) == awaited && (bytes[3] & 0x80) ? 2 : 0;
}
static inline struct smc_link *link_of(int side, uint8_t number) { return smc_group_link_by_number(sides[side].g, number); }

static inline void reset_alloc(void) { allocations_left = -1; }

#endif

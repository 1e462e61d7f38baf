/* Plans with an aim: each class reaches what plans drawn at random reach too seldom, or only at a price that few seeds may cost.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "plan_draw.h"

#include "devices/dibs_parts.h"
#include "devices/roce.h"
#include "sim/engine.h"

#include <smc/rdma.h>

/* Of ten thousand seeds. What is left is plain. */
static const struct { enum explore_class class; unsigned share; } shares[] = {
    {EXPLORE_CLASS_FAILOVER, 400}, {EXPLORE_CLASS_LINKS, 150}, {EXPLORE_CLASS_KEEPALIVE, 600}, {EXPLORE_CLASS_CROWD, 40},
    {EXPLORE_CLASS_LONG, 17}, /* seconds each */ {EXPLORE_CLASS_DEVICE, 250}, {EXPLORE_CLASS_REFUSED, 250},
    {EXPLORE_CLASS_LOSSLESS, 200}};

enum explore_class explore_class_of(uint64_t seed)
{
    struct sim_random r;
    sim_random_init(&r, seed, "class");
    uint64_t n = explore_below(&r, 10000);
    for (unsigned i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        if (n < shares[i].share)
            return shares[i].class;
        n -= shares[i].share;
    }
    return EXPLORE_CLASS_PLAIN;
}

/* ---- what they share ---- */
/* Two hosts with cables from NIC to NIC, one way of doing SMC-R between them, nothing in the way. */
static void two_hosts(struct sim_random *r, struct explore_plan *p, uint64_t profile, uint64_t nics)
{
    uint64_t versions = explore_below(r, 3), ipv6 = explore_one_in(r, 4);
    p->host_count = 2;
    p->settle = explore_one_in(r, 4);
    for (unsigned i = 0; i < 2; i++) {
        p->hosts[i] = (struct explore_host){.profile = profile, .versions = versions, .paths = 1, .nics = nics, .ipv6 = ipv6};
        p->hosts[i].release0 = explore_one_in(r, 6);
        p->hosts[i].rmb = UINT64_C(16384) << explore_below(r, 3);
    }
    for (uint64_t n = 0; n < nics; n++)
        explore_add_link(r, p, n, 10 + n);
}

/* Two hosts of one machine that reach each other by one kind of dibs device, and by TCP. */
static uint64_t one_machine(struct sim_random *r, struct explore_plan *p)
{
    uint64_t kind = explore_below(r, 3);
    two_hosts(r, p, explore_one_in(r, 3), 1);
    for (unsigned i = 0; i < 2; i++) {
        struct explore_host *h = &p->hosts[i];
        h->paths = 0;
        h->roce = 3;
        h->machine = 1;
        h->devices = UINT64_C(1) << kind;
        h->versions = kind == 0 ? h->versions : 2; /* what is not a native ISM exists from version 2.1 on */
        h->release0 = 0;
    }
    return kind;
}

/* Both ways the same amount, at most; no quirks. */
static struct explore_conn *small_conn(struct sim_random *r, struct explore_plan *p, uint64_t most)
{
    struct explore_conn *c = &p->conns[p->conn_count++];
    *c = (struct explore_conn){.client = 0, .server = 1};
    for (unsigned s = 0; s < 2; s++)
        c->side[s].bytes = 1 + explore_below(r, most);
    return c;
}

static struct explore_conn *any_conn(struct sim_random *r, struct explore_plan *p, uint64_t scale)
{
    struct explore_conn *c = &p->conns[p->conn_count++];
    *c = (struct explore_conn){.client = explore_one_in(r, 6), .start = explore_below(r, 5 * SIM_MS)};
    c->server = !c->client;
    explore_draw_side(r, &c->side[0], scale);
    explore_draw_side(r, &c->side[1], scale);
    if (explore_one_in(r, 4)) /* the urgent byte is the last of the ring, where the profile has no eyecatcher */
        c->side[0].urgent = UINT64_C(16384) << explore_below(r, 2);
    return c;
}

static struct explore_fault *fault(struct explore_plan *p, enum explore_fault_kind kind, uint64_t at, uint64_t length)
{
    struct explore_fault *f = &p->faults[p->fault_count++];
    *f = (struct explore_fault){.kind = kind, .at = at, .until = at + length};
    return f;
}

/* ---- links are lost while connections stand in every state of their end ---- */
static void strike(struct sim_random *r, struct explore_plan *p, uint64_t link, uint64_t at, uint64_t length)
{
    uint64_t where = explore_one_in(r, 2) ? link : 10 + link; /* the NIC of either host */
    switch (explore_below(r, 4)) {
    case 0: fault(p, EXPLORE_FAULT_ROCE_GONE, at, length)->where = where; break;
    case 1: {
        struct explore_fault *f = fault(p, EXPLORE_FAULT_ROCE, at, length);
        f->where = where;
        f->p = explore_one_in(r, 2) ? ROCE_FAULT_QP_FATAL : ROCE_FAULT_ERROR_COMPLETION;
        f->r = explore_spread(r, 1, 16);
        f->s = 1;
        f->t = f->p == ROCE_FAULT_ERROR_COMPLETION ? SMC_RDMA_RETRY_EXCEEDED : 0;
        break;
    }
    default: fault(p, EXPLORE_FAULT_FLAP, at, length)->where = link;
    }
}

/* Says little, and then stands half closed for a while: D from one side or both, C from one side. */
static void stand_closing(struct sim_random *r, struct explore_conn *c)
{
    static const unsigned char ends[][2] = {{EXPLORE_END_HALF, EXPLORE_END_HALF}, {EXPLORE_END_HALF, EXPLORE_END_DONE},
                                            {EXPLORE_END_HALF, EXPLORE_END_LATE}, {EXPLORE_END_RDWR, EXPLORE_END_HALF},
                                            {EXPLORE_END_DONE, EXPLORE_END_DONE}};
    unsigned which = (unsigned)explore_below(r, sizeof(ends) / sizeof(ends[0])), first = (unsigned)explore_below(r, 2);
    for (unsigned s = 0; s < 2; s++) {
        struct explore_side *side = &c->side[s];
        *side = (struct explore_side){.bytes = 1 + explore_below(r, 20000), .end = ends[which][s ^ first]};
        side->hold = explore_one_in(r, 4) ? 0 : explore_spread(r, 10 * SIM_MS, 800 * SIM_MS);
    }
}

static void draw_failover(struct sim_random *r, struct explore_plan *p)
{
    two_hosts(r, p, explore_one_in(r, 3), 2);
    unsigned wanted = (unsigned)(5 + explore_below(r, 6));
    for (unsigned i = 0; i < wanted; i++) {
        struct explore_conn *c = any_conn(r, p, 1);
        if (i % 3 != 0)
            stand_closing(r, c);
    }
    uint64_t at = explore_spread(r, 10 * SIM_MS, 200 * SIM_MS), link = explore_below(r, 2);
    unsigned strikes = (unsigned)(1 + explore_below(r, 3));
    for (unsigned i = 0; i < strikes; i++, link = !link) {
        uint64_t length = explore_spread(r, 2 * SIM_MS, 60 * SIM_MS);
        strike(r, p, link, at, length);
        at += length + explore_spread(r, 5 * SIM_MS, 200 * SIM_MS); /* the other one may be there again */
    }
}

/* ---- more links than two: only version 1, and only where both sides want them ---- */
static void draw_many_links(struct sim_random *r, struct explore_plan *p)
{
    two_hosts(r, p, !explore_one_in(r, 3), 3 + explore_below(r, 4));
    for (unsigned i = 0; i < 2; i++) {
        p->hosts[i].versions = 1;
        p->hosts[i].max_links = 3 + explore_below(r, 6);
        p->hosts[i].rmbes = 1 + explore_below(r, 4);
    }
    unsigned wanted = (unsigned)(4 + explore_below(r, 6)), strikes = (unsigned)explore_below(r, 4);
    for (unsigned i = 0; i < wanted; i++)
        any_conn(r, p, 4)->start = explore_spread(r, SIM_MS, 60 * SIM_MS);
    uint64_t at = explore_spread(r, 5 * SIM_MS, 60 * SIM_MS);
    for (unsigned i = 0; i < strikes; i++, at += explore_spread(r, 5 * SIM_MS, 100 * SIM_MS))
        strike(r, p, explore_below(r, p->link_count), at, explore_spread(r, 2 * SIM_MS, 60 * SIM_MS));
}

/* ---- idle links are tested; just then connections begin or end, or a link comes back ---- */
static void draw_keepalive(struct sim_random *r, struct explore_plan *p)
{
    enum { BEGIN, END, BACK };
    static const unsigned char often[] = {BEGIN, END, END, BACK, BACK};
    unsigned what = often[explore_below(r, 5)];
    two_hosts(r, p, explore_one_in(r, 2), what == BACK ? 2 : 1 + explore_below(r, 2));
    /* How long things take is counted in trips there and back, so that one falls into the other. */
    uint64_t delay = explore_spread(r, 500 * SIM_US, 2 * SIM_MS), trip = 2 * delay;
    for (unsigned i = 0; i < p->link_count; i++) {
        p->links[i].rate = 0;
        p->links[i].delay = delay;
    }
    for (unsigned i = 0; i < 3; i++) { /* the last message of all of these begins the 30 s */
        struct explore_conn *c = small_conn(r, p, 1000);
        c->side[0].hold = c->side[1].hold = what == END ? 30 * SIM_S - 2 * trip + explore_below(r, 4 * trip) : 50 * SIM_S;
    }
    uint64_t begin = 30 * SIM_S + 4 * trip + explore_below(r, 8 * trip); /* a handshake and a second link took their time */
    for (unsigned i = 0; i < 8; i++) {
        struct explore_conn *c = small_conn(r, p, 80000);
        c->start = what == BEGIN ? begin + explore_below(r, trip / 4) : 40 * SIM_S;
        c->side[0].rmb = UINT64_C(16384) << explore_below(r, 4); /* buffers of other sizes need keys of their own */
        c->side[1].rmb = UINT64_C(16384) << explore_below(r, 4);
    }
    struct explore_fault *f = fault(p, EXPLORE_FAULT_RATES, 41 * SIM_S, SIM_S);
    f->p = explore_spread(r, 1000, 20000);
    if (what == BACK) { /* its loss is the last message */
        p->hosts[0].versions = p->hosts[1].versions = 2;
        f = fault(p, EXPLORE_FAULT_FLAP, SIM_S, 30 * SIM_S + explore_below(r, 4 * trip));
        f->where = explore_below(r, 2);
    }
}

/* ---- more connections at once than a group holds ---- */
static void draw_crowd(struct sim_random *r, struct explore_plan *p)
{
    two_hosts(r, p, explore_one_in(r, 2), 1 + explore_below(r, 2));
    unsigned wanted = (unsigned)(262 + explore_below(r, 30));
    for (unsigned i = 0; i < 2; i++)
        p->hosts[i].rmb = p->hosts[i].sndbuf = 16384;
    for (unsigned i = 0; i < p->link_count; i++)
        p->links[i].rate = 0;
    for (unsigned i = 0; i < wanted; i++) {
        struct explore_conn *c = small_conn(r, p, 3000);
        c->start = explore_below(r, 300 * SIM_MS);
        c->side[0].hold = 3 * SIM_S;
        c->side[1].hold = 3 * SIM_S;
    }
    if (explore_one_in(r, 2)) {
        struct explore_fault *f = fault(p, EXPLORE_FAULT_RATES, 0, SIM_S);
        f->p = explore_spread(r, 100, 2000);
    }
}

/* ---- enough bytes for the 16-bit wrap sequence number to wrap itself ---- */
static void draw_long(struct sim_random *r, struct explore_plan *p)
{
    two_hosts(r, p, explore_one_in(r, 2), 1);
    for (unsigned i = 0; i < 2; i++)
        p->hosts[i].mtu = 9000; /* few frames */
    p->links[0] = (struct explore_link){.a = 0, .b = 10};
    unsigned writer = (unsigned)explore_below(r, 2);
    struct explore_conn *c = small_conn(r, p, 100000);
    c->side[writer].bytes = (UINT64_C(1) << 30) + 100000 + explore_below(r, 400000);
    c->side[writer].chunk = 65536;
    c->side[!writer].rmb = 16384;
    (void)small_conn(r, p, 100000);
    struct explore_fault *f = fault(p, EXPLORE_FAULT_RATES, explore_below(r, 100 * SIM_MS), 20 * SIM_MS);
    f->p = explore_spread(r, 100, 5000);
}

/* ---- devices that come back, are full, or refuse a VLAN ---- */
static void draw_device(struct sim_random *r, struct explore_plan *p)
{
    bool rdma = explore_one_in(r, 2);
    uint64_t kind = 0;
    if (rdma)
        two_hosts(r, p, explore_one_in(r, 3), 1);
    else
        kind = one_machine(r, p);
    unsigned wanted = (unsigned)(5 + explore_below(r, 6));
    for (unsigned i = 0; i < wanted; i++)
        any_conn(r, p, 2)->start = explore_one_in(r, 3) ? 0 : explore_spread(r, SIM_MS, 200 * SIM_MS);
    /* Often in the first handshakes. */
    struct explore_fault *f = fault(p, rdma ? EXPLORE_FAULT_ROCE_GONE : EXPLORE_FAULT_DIBS_GONE,
                                    explore_one_in(r, 2) ? explore_spread(r, 20 * SIM_US, SIM_MS) : explore_spread(r, SIM_MS, 60 * SIM_MS),
                                    explore_spread(r, SIM_MS, 40 * SIM_MS));
    f->where = 10 * explore_below(r, 2) + kind;
}

static void refuse_dmbs(struct sim_random *r, struct explore_plan *p, bool vlan)
{
    uint64_t kind = one_machine(r, p);
    for (unsigned i = 0; i < 2 && vlan; i++) {
        p->hosts[i].devices = 1; /* only ISM, and only in version 1, is told of VLANs */
        p->hosts[i].versions = 1;
        p->hosts[i].vlan = 7;
    }
    struct explore_fault *f = fault(p, EXPLORE_FAULT_DIBS, 0, 50 * SIM_MS);
    f->where = 10 * explore_below(r, 2) + (vlan ? 0 : kind);
    f->p = vlan ? DIBS_FAULT_VLAN : DIBS_FAULT_REGISTER;
    f->q = vlan ? 0 : explore_below(r, 2);
    f->r = vlan ? 4 : 12; /* each size, each version */
    f->s = (uint64_t)-(vlan ? SMC_ERR_UNSUPPORTED : SMC_ERR_NOSPACE);
}

/* CONFIRM LINK is not answered in time: the NIC holds back what its host sends. */
static void hold_first_link(struct sim_random *r, struct explore_plan *p)
{
    two_hosts(r, p, explore_one_in(r, 3), 1);
    struct explore_fault *f = fault(p, EXPLORE_FAULT_ROCE, 0, 8 * SIM_S);
    f->where = 10 * explore_below(r, 2);
    f->p = ROCE_FAULT_HOLD_QP;
    f->q = ROCE_ON_SEND;
    f->r = 1;
    f->s = 1;
    f->t = explore_spread(r, SIM_S, 6 * SIM_S);
}

/* ---- handshakes that end in a Decline which plain plans do not lead to ---- */
static void draw_refused(struct sim_random *r, struct explore_plan *p)
{
    switch (explore_below(r, 4)) {
    case 0:
        two_hosts(r, p, explore_one_in(r, 3), 1);
        p->hosts[explore_below(r, 2)].wide = 1;
        p->hosts[0].versions = p->hosts[1].versions = explore_below(r, 2);
        break;
    case 1: refuse_dmbs(r, p, false); break;
    case 2: refuse_dmbs(r, p, true); break;
    default: hold_first_link(r, p);
    }
    unsigned wanted = (unsigned)(4 + explore_below(r, 6));
    for (unsigned i = 0; i < wanted; i++)
        any_conn(r, p, 2)->start = explore_one_in(r, 2) ? 0 : explore_spread(r, SIM_MS, 100 * SIM_MS);
}

/* ---- several write to one, through switches that stop them or have them slow down ---- */
static void draw_lossless(struct sim_random *r, struct explore_plan *p)
{
    static const uint64_t rates[] = {1000000000, 1000000000, 200000000, 100000000};
    uint64_t nics = 1 + explore_below(r, 2), which = explore_below(r, 3), rate = rates[explore_below(r, 4)];
    two_hosts(r, p, explore_one_in(r, 3), nics);
    p->link_count = 0;
    p->host_count = (unsigned)(3 + explore_below(r, 2));
    for (unsigned i = 0; i < p->host_count; i++) {
        p->hosts[i] = p->hosts[0];
        p->hosts[i].rmb = UINT64_C(65536) << explore_below(r, 3);
        for (uint64_t n = 0; n < nics; n++) {
            explore_add_link(r, p, 10 * i + n, 100 + n);
            p->links[p->link_count - 1].rate = rate;
            p->links[p->link_count - 1].queue = 0;
        }
    }
    explore_congest(r, p, which != 1, which != 0);
    unsigned wanted = (unsigned)(5 + explore_below(r, 6));
    for (unsigned i = 0; i < wanted; i++) {
        struct explore_conn *c = any_conn(r, p, 1);
        c->client = 1 + i % (p->host_count - 1);
        c->server = 0;
        c->side[0].write_delay = c->side[1].read_delay = 0;
        c->side[0].chunk = 0;
    }
    if (nics == 2 && !explore_one_in(r, 4))
        strike(r, p, explore_below(r, 2), explore_spread(r, 2 * SIM_MS, 50 * SIM_MS), explore_spread(r, 2 * SIM_MS, 60 * SIM_MS));
    struct explore_fault *f = fault(p, EXPLORE_FAULT_RATES, explore_below(r, 20 * SIM_MS), 20 * SIM_MS); /* a "go on" may be lost */
    f->where = explore_below(r, p->link_count);
    f->p = explore_spread(r, 100, 5000);
}

void explore_draw_class(enum explore_class class, struct explore_plan *p)
{
    struct sim_random r;
    sim_random_init(&r, p->seed, "aim");
    switch (class) {
    case EXPLORE_CLASS_FAILOVER: draw_failover(&r, p); break;
    case EXPLORE_CLASS_LINKS: draw_many_links(&r, p); break;
    case EXPLORE_CLASS_KEEPALIVE: draw_keepalive(&r, p); break;
    case EXPLORE_CLASS_CROWD: draw_crowd(&r, p); break;
    case EXPLORE_CLASS_LONG: draw_long(&r, p); break;
    case EXPLORE_CLASS_DEVICE: draw_device(&r, p); break;
    case EXPLORE_CLASS_REFUSED: draw_refused(&r, p); break;
    case EXPLORE_CLASS_LOSSLESS: draw_lossless(&r, p); break;
    case EXPLORE_CLASS_PLAIN:
    case EXPLORE_CLASS_COUNT: break;
    }
}

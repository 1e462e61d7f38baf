/* Draws plans from seeds: one random stream a concern, so that a change in one leaves the others as they were.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "plan_draw.h"

#include "devices/dibs_parts.h"
#include "devices/roce.h"
#include "sim/engine.h"
#include "sim/random.h"
#include "wire/llc.h"

#include <string.h>

const struct explore_message explore_messages[] = {
    {"CLC Proposal", 1, -1, -1, 0, -1},     {"CLC Accept", 2, -1, -1, 0, -1},
    {"CLC Confirm", 3, -1, -1, 0, -1},      {"CLC Decline", 4, -1, -1, 0, -1},
    {"CONFIRM LINK", -1, 1, 0, 0, -1},      {"CONFIRM LINK", -1, 1, 1, 0, -1},
    {"ADD LINK", -1, 2, 0, 0, -1},          {"ADD LINK", -1, 2, 1, 0, -1},
    {"ADD LINK CONTINUATION", -1, 3, -1, 0, -1}, {"DELETE LINK", -1, 4, 0, 0, -1},
    {"DELETE LINK", -1, 4, 1, 0, -1},       {"REQUEST ADD LINK", -1, 5, -1, 0, -1},
    {"CONFIRM RKEY", -1, 6, 0, 0, -1},      {"CONFIRM RKEY", -1, 6, 1, 0, -1},
    {"DELETE RKEY", -1, 9, 0, 0, -1},       {"DELETE RKEY", -1, 9, 1, 0, -1},
    {"TEST LINK", -1, 7, -1, 0, -1},        {"CDC", -1, 0xfe, -1, 0, -1},
    {"TCP SYN", -1, -1, -1, 2, -1},         {"TCP FIN", -1, -1, -1, 1, -1},
    {"RoCE ACK", -1, -1, -1, 0, 0x11},
};
const unsigned explore_message_count = sizeof(explore_messages) / sizeof(explore_messages[0]);

const char *explore_fault_name(uint64_t kind)
{
#define NAME(name, text) text,
    static const char *const names[] = {EXPLORE_FAULT_KINDS(NAME)};
#undef NAME
    return kind < EXPLORE_FAULT_COUNT ? names[kind] : "?";
}

/* ---- hosts ---- */
enum shape { LINK, TWO, SWITCH, TWO_SWITCHES, UNEQUAL, VLAN, MACHINE, MIXED, SHAPES };

static void draw_host(struct sim_random *r, struct explore_host *h)
{
    static const uint64_t rings[] = {0, 0, 16384, 16384, 32768, 65536, 131072, 524288};
    h->profile = explore_one_in(r, 5);
    h->versions = explore_one_in(r, 4) ? 1 + explore_below(r, 2) : 0;
    h->paths = explore_one_in(r, 8) ? 1 + explore_below(r, 2) : 0;
    h->release0 = explore_one_in(r, 6);
    h->roce = explore_one_in(r, 6) ? 1 + explore_below(r, 2) : 0;
    h->no_copy = explore_one_in(r, 3);
    h->autocork = explore_one_in(r, 4);
    h->eid = explore_one_in(r, 16) ? 1 + explore_below(r, 2) : 0;
    h->ipsec = explore_one_in(r, 200);
    h->rmb = rings[explore_below(r, 8)];
    h->sndbuf = rings[explore_below(r, 8)];
    h->max_conns = explore_one_in(r, 6) ? 16 : 0;
    h->max_links = explore_one_in(r, 6) ? 2 + explore_below(r, 3) : 0; /* 1 cannot be said before v2.1 */
    h->rmbes = explore_one_in(r, 4) ? 1 + explore_below(r, 8) : 0;
}

/* Most runs have one profile on both sides: peers of different ones mostly fall back. */
static void draw_hosts(struct sim_random *r, struct explore_plan *p)
{
    uint64_t profile = explore_one_in(r, 3);
    bool same = !explore_one_in(r, 6);
    uint64_t ipv6 = explore_one_in(r, 4);
    for (unsigned i = 0; i < p->host_count; i++) {
        draw_host(r, &p->hosts[i]);
        if (same)
            p->hosts[i].profile = profile;
        p->hosts[i].ipv6 = ipv6;
    }
}

static void draw_devices(struct sim_random *r, struct explore_plan *p, enum shape shape)
{
    uint64_t devices = 1 + explore_below(r, 7);
    for (unsigned i = 0; i < p->host_count; i++) {
        struct explore_host *h = &p->hosts[i];
        if (shape == MACHINE || (shape == MIXED && i < 2)) {
            h->machine = 1;
            h->devices = explore_one_in(r, 5) ? 1 + explore_below(r, 7) : devices;
            if (i > 1) /* all ports of a loopback have one GID: three stacks on it cannot be told apart */
                h->devices &= ~(uint64_t)2;
            if (shape == MACHINE && explore_one_in(r, 2))
                h->roce = 3;
            if (h->paths == 1 && !explore_one_in(r, 4))
                h->paths = 0;
        } else if (explore_one_in(r, 8)) {
            h->devices = 1; /* an ISM that reaches nobody */
        }
    }
}

void explore_add_link(struct sim_random *r, struct explore_plan *p, uint64_t a, uint64_t b)
{
    static const uint64_t rates[] = {0, 0, 1000000000, 100000000, 100000000, 50000000};
    struct explore_link *l = &p->links[p->link_count++];
    l->a = a;
    l->b = b;
    l->rate = rates[explore_below(r, 6)];
    l->delay = explore_one_in(r, 3) ? 0 : explore_spread(r, 1000, 1000000);
    l->queue = explore_one_in(r, 8) ? 65536 : 0;
    l->mtu = 0;
}

static void draw_links(struct sim_random *r, struct explore_plan *p, enum shape shape)
{
    bool two = shape == TWO || shape == TWO_SWITCHES || shape == UNEQUAL;
    bool switched = shape == SWITCH || shape == TWO_SWITCHES || shape == MIXED || shape == UNEQUAL || p->host_count > 2;
    for (unsigned i = 0; i < p->host_count; i++)
        p->hosts[i].nics = two && !(shape == UNEQUAL && i == p->host_count - 1) ? 2 : 1;
    if (shape == UNEQUAL && explore_one_in(r, 2)) { /* the other way round */
        uint64_t nics = p->hosts[0].nics;
        p->hosts[0].nics = p->hosts[p->host_count - 1].nics;
        p->hosts[p->host_count - 1].nics = nics;
    }
    /* Not 1: a trunk sends its native VLAN without a tag, and hosts that want one would not hear each other. */
    uint64_t vlan = shape == VLAN || explore_one_in(r, 16) ? 2 + explore_below(r, 4093) : 0;
    for (unsigned i = 0; i < p->host_count; i++)
        p->hosts[i].vlan = vlan;
    if (!switched) {
        for (unsigned n = 0; n < p->hosts[0].nics; n++)
            explore_add_link(r, p, n, 10 + n);
        return;
    }
    /* One switch carries both NICs of a host when the other has only one. */
    for (unsigned i = 0; i < p->host_count; i++)
        for (unsigned n = 0; n < p->hosts[i].nics && p->link_count < EXPLORE_LINKS; n++)
            explore_add_link(r, p, 10 * i + n, 100 + (shape == TWO_SWITCHES ? n : 0));
}

static void draw_topology(struct explore_plan *p)
{
    struct sim_random r;
    sim_random_init(&r, p->seed, "topology");
    static const enum shape often[] = {LINK, TWO, TWO, TWO, SWITCH, TWO_SWITCHES, TWO_SWITCHES, UNEQUAL, UNEQUAL, VLAN, MACHINE, MACHINE,
                                       MACHINE, MIXED};
    enum shape shape = often[explore_below(&r, sizeof(often) / sizeof(often[0]))];
    p->host_count = shape == SWITCH || shape == MACHINE ? (unsigned)(2 + explore_below(&r, 3)) : shape == MIXED ? 3 : 2;
    p->settle = explore_one_in(&r, 4);
    draw_links(&r, p, shape);
    struct sim_random hosts;
    sim_random_init(&hosts, p->seed, "hosts");
    draw_hosts(&hosts, p);
    draw_devices(&hosts, p, shape);
}

void explore_congest(struct sim_random *r, struct explore_plan *p, bool flow_control, bool congestion_control)
{
    p->xoff = flow_control ? explore_spread(r, 16384, 131072) : 0;
    p->ecn = congestion_control ? explore_spread(r, 16384, 131072) : 0;
    for (unsigned i = 0; i < p->host_count; i++) {
        p->hosts[i].dscp = flow_control ? EXPLORE_LOSSLESS_DSCP : 0;
        p->hosts[i].dcqcn = congestion_control;
    }
}

static void draw_congestion(struct explore_plan *p)
{
    struct sim_random r;
    sim_random_init(&r, p->seed, "congestion");
    uint64_t which = 1 + explore_below(&r, 3);
    if (explore_one_in(&r, 6) && p->links[0].b >= 100)
        explore_congest(&r, p, (which & 1) != 0, (which & 2) != 0);
}

/* ---- traffic ---- */
void explore_draw_side(struct sim_random *r, struct explore_side *s, uint64_t scale)
{
    s->bytes = explore_one_in(r, 12) ? explore_below(r, 2000) : explore_spread(r, 98304, 524287) / scale;
    s->chunk = explore_one_in(r, 3) ? explore_spread(r, 512, 65536) : 0;
    s->read = explore_one_in(r, 3) ? explore_spread(r, 2048, 65536) : 0;
    s->read_delay = explore_one_in(r, 3) ? explore_spread(r, 1000, 3000000) : 0;
    s->write_delay = explore_one_in(r, 2) ? explore_spread(r, 1000, 3000000) : 0;
    /* Not so slow that a run takes minutes. */
    if (s->read_delay > 100000 && s->read != 0 && s->read < 8192)
        s->read = 8192;
    if (s->write_delay > 100000 && s->chunk != 0 && s->chunk < 8192)
        s->chunk = 8192;
    s->urgent = explore_one_in(r, 6) ? explore_spread(r, 1000, 100000) : 0;
    s->inline_urgent = explore_one_in(r, 3);
    s->read_urgent = !explore_one_in(r, 3);
    s->cork = explore_one_in(r, 10);
    s->nodelay = explore_one_in(r, 4);
    s->rmb = explore_one_in(r, 6) ? 16384u << explore_below(r, 4) : 0;
    s->sndbuf = explore_one_in(r, 6) ? 16384u << explore_below(r, 4) : 0;
}

static void draw_ends(struct sim_random *r, struct explore_conn *c)
{
    unsigned other = (unsigned)explore_below(r, 2), first = !other;
    switch (explore_below(r, 10)) {
    case 0: case 1: case 2: break;
    case 3: case 4: c->side[first].end = EXPLORE_END_HALF; break;
    case 5: c->side[first].end = c->side[other].end = EXPLORE_END_HALF; break;
    case 6:
        c->side[first].end = EXPLORE_END_HALF;
        c->side[other].end = EXPLORE_END_LATE;
        break;
    case 7: c->side[first].end = EXPLORE_END_RDWR; break;
    case 8: c->side[first].end = explore_one_in(r, 2) ? EXPLORE_END_EARLY : EXPLORE_END_LINGER0; break;
    default:
        c->side[first].end = EXPLORE_END_ABORT;
        c->side[first].end_at = explore_below(r, c->side[other].bytes + 1);
        if (explore_one_in(r, 3)) {
            c->side[other].end = EXPLORE_END_ABORT;
            c->side[other].end_at = explore_below(r, c->side[first].bytes + 1);
        }
    }
}

/* So many at once get through only where the net and the servers can take them in the six seconds that a handshake waits: no
 * queue so short that TCP's repetitions all meet in it again and again, no profiles of which each handshake is a first contact
 * that fails, which a server can only do one after the other. */
static void make_room(struct explore_plan *p)
{
    for (unsigned i = 0; i < p->link_count; i++)
        p->links[i].rate = p->links[i].queue = 0;
    for (unsigned i = 1; i < p->host_count; i++)
        p->hosts[i].profile = p->hosts[0].profile;
}

static void draw_traffic(struct explore_plan *p)
{
    struct sim_random r;
    sim_random_init(&r, p->seed, "traffic");
    bool crowd = explore_one_in(&r, 300), many = explore_one_in(&r, 12);
    p->conn_count = (unsigned)(crowd ? 260 + explore_below(&r, 60) : many ? 15 + explore_below(&r, 22) : 6 + explore_below(&r, 9));
    uint64_t scale = crowd ? 64 : many ? 4 : 1;
    bool together = explore_one_in(&r, 3);
    if (crowd)
        make_room(p);
    for (unsigned i = 0; i < p->conn_count; i++) {
        struct explore_conn *c = &p->conns[i];
        /* Mostly one pair and one direction: groups are shared. */
        c->client = i > 0 && !explore_one_in(&r, 4) ? p->conns[0].client : explore_below(&r, p->host_count);
        c->server = i > 0 && c->client == p->conns[0].client && !explore_one_in(&r, 4) ? p->conns[0].server
                                                                               : (c->client + 1 + explore_below(&r, p->host_count - 1)) % p->host_count;
        c->start = together || i == 0 ? explore_below(&r, 1000) * SIM_US / 10 : explore_spread(&r, 100000, 60 * SIM_MS);
        c->plain = explore_one_in(&r, 60);
        c->fast_open = explore_one_in(&r, 100);
        explore_draw_side(&r, &c->side[0], scale);
        explore_draw_side(&r, &c->side[1], scale);
        draw_ends(&r, c);
    }
}

/* ---- faults ---- */
static void draw_rates(struct sim_random *r, struct explore_fault *f)
{
    uint64_t which = 1 + explore_below(r, 31);
    uint64_t most = explore_one_in(r, 4) ? 30000 : 5000;
    if (which & 1)
        f->p = explore_spread(r, 100, most);
    if (which & 2)
        f->q = explore_spread(r, 100, 20000);
    if (which & 4)
        f->r = explore_spread(r, 100, 20000);
    if (which & 8)
        f->s = explore_spread(r, 100, most);
    if (which & 16)
        f->t = explore_spread(r, 100, most);
}

static void draw_message(struct sim_random *r, struct explore_fault *f)
{
    f->p = explore_below(r, explore_message_count);
    f->q = explore_one_in(r, 2) ? explore_below(r, 4) : 0;
    f->r = 1 + (explore_one_in(r, 3) ? explore_below(r, 3) : 0);
    f->s = explore_one_in(r, 2) ? explore_spread(r, 100000, 3 * SIM_S) : 0;
    f->t = explore_one_in(r, 5);
}

static void draw_roce(struct sim_random *r, struct explore_fault *f)
{
    static const uint64_t kinds[] = {ROCE_FAULT_DELAY_COMPLETION, ROCE_FAULT_ERROR_COMPLETION, ROCE_FAULT_LATE_WRITE, ROCE_FAULT_RNR,
                                     ROCE_FAULT_HOLD_QP, ROCE_FAULT_QP_FATAL, ROCE_FAULT_DEVICE_FATAL, ROCE_FAULT_REFUSE_MR,
                                     ROCE_FAULT_REFUSE_QP, ROCE_FAULT_QP_FATAL, ROCE_FAULT_ERROR_COMPLETION, ROCE_FAULT_RNR};
    f->p = kinds[explore_below(r, sizeof(kinds) / sizeof(kinds[0]))];
    f->q = 0;
    f->r = explore_spread(r, 1, 400);
    f->s = 1 + (explore_one_in(r, 4) ? explore_below(r, 8) : 0);
    if (f->p == ROCE_FAULT_DELAY_COMPLETION || f->p == ROCE_FAULT_HOLD_QP)
        f->t = explore_spread(r, 10000, 20 * SIM_MS);
    if (f->p == ROCE_FAULT_ERROR_COMPLETION)
        f->t = SMC_RDMA_RETRY_EXCEEDED;
    if (f->p == ROCE_FAULT_DEVICE_FATAL)
        f->s = 1;
}

static void draw_dibs(struct sim_random *r, struct explore_fault *f)
{
    static const struct { uint64_t point; int error; } plain[] = {{DIBS_FAULT_REGISTER, SMC_ERR_NOSPACE}, {DIBS_FAULT_REGISTER, SMC_ERR_NOMEM},
                                                               {DIBS_FAULT_QUERY, SMC_ERR_UNREACHABLE}, {DIBS_FAULT_ATTACH, SMC_ERR_NOTFOUND},
                                                               {DIBS_FAULT_MOVE, SMC_ERR_IO}, {DIBS_FAULT_MOVE, SMC_ERR_IO},
                                                               {DIBS_FAULT_VLAN, SMC_ERR_NOSPACE}};
    uint64_t i = explore_below(r, sizeof(plain) / sizeof(plain[0]));
    f->p = plain[i].point;
    f->q = f->p == DIBS_FAULT_MOVE ? explore_below(r, 200) : explore_below(r, 4);
    f->r = 1 + explore_below(r, f->p == DIBS_FAULT_REGISTER ? 12 : 2);
    if (f->p == DIBS_FAULT_MOVE)
        f->r = 1; /* the second might be A's, and where TCP's RST is lost as well nothing tells the peer */
    f->s = (uint64_t)-plain[i].error;
}

/* A device of a host of a machine, as 10 × host + number of its kind (0 ISM, 1 loopback, 2 ivshmem); false: there is none. */
static bool draw_device(struct sim_random *r, const struct explore_plan *p, uint64_t *where)
{
    uint64_t found[EXPLORE_HOSTS * 3];
    unsigned n = 0;
    for (unsigned h = 0; h < p->host_count; h++)
        for (unsigned k = 0; k < 3; k++)
            if (p->hosts[h].devices >> k & 1)
                found[n++] = 10 * h + k;
    if (n > 0)
        *where = found[explore_below(r, n)];
    return n > 0;
}

static bool draw_nic(struct sim_random *r, const struct explore_plan *p, uint64_t *where)
{
    uint64_t host = explore_below(r, p->host_count);
    *where = 10 * host + explore_below(r, p->hosts[host].nics);
    return p->hosts[host].roce != 3;
}

static void draw_fault(struct sim_random *r, const struct explore_plan *p, struct explore_fault *f)
{
    static const enum explore_fault_kind often[] = {
        EXPLORE_FAULT_RATES,     EXPLORE_FAULT_RATES, EXPLORE_FAULT_RATES, EXPLORE_FAULT_MESSAGE,   EXPLORE_FAULT_MESSAGE, EXPLORE_FAULT_MESSAGE,
        EXPLORE_FAULT_FLAP,      EXPLORE_FAULT_FLAP,  EXPLORE_FAULT_FLAP,  EXPLORE_FAULT_PARTITION, EXPLORE_FAULT_ROCE_GONE, EXPLORE_FAULT_ROCE_GONE,
        EXPLORE_FAULT_ROCE,      EXPLORE_FAULT_ROCE,  EXPLORE_FAULT_ROCE,  EXPLORE_FAULT_DIBS,      EXPLORE_FAULT_DIBS,    EXPLORE_FAULT_DIBS_SLOW,
        EXPLORE_FAULT_DIBS_GONE, EXPLORE_FAULT_KILL,  EXPLORE_FAULT_MEMORY};
    memset(f, 0, sizeof(*f));
    f->kind = often[explore_below(r, sizeof(often) / sizeof(often[0]))];
    bool dibs = f->kind == EXPLORE_FAULT_DIBS || f->kind == EXPLORE_FAULT_DIBS_SLOW || f->kind == EXPLORE_FAULT_DIBS_GONE;
    bool roce = f->kind == EXPLORE_FAULT_ROCE || f->kind == EXPLORE_FAULT_ROCE_GONE;
    f->where = explore_below(r, p->link_count);
    if ((dibs && !draw_device(r, p, &f->where)) || (roce && !draw_nic(r, p, &f->where))) {
        f->kind = EXPLORE_FAULT_RATES;
        f->where = explore_below(r, p->link_count);
    }
    f->dir = explore_one_in(r, 2) ? 1 + explore_below(r, 2) : 0;
    f->at = explore_one_in(r, 4) ? 0 : explore_spread(r, 100000, 100 * SIM_MS);
    f->until = f->at + explore_spread(r, SIM_MS, explore_one_in(r, 12) ? 20 * SIM_S : 2 * SIM_S);
    switch (f->kind) {
    case EXPLORE_FAULT_RATES: draw_rates(r, f); break;
    case EXPLORE_FAULT_MESSAGE: draw_message(r, f); break;
    case EXPLORE_FAULT_ROCE: draw_roce(r, f); break;
    case EXPLORE_FAULT_DIBS: draw_dibs(r, f); break;
    case EXPLORE_FAULT_DIBS_SLOW:
        f->until = f->at + explore_spread(r, 10000, 50 * SIM_MS);
        f->p = explore_below(r, 3);
        break;
    case EXPLORE_FAULT_KILL:
        f->where = explore_below(r, p->host_count);
        break;
    case EXPLORE_FAULT_MEMORY:
        f->p = explore_spread(r, 1, 2000);
        f->q = 1 + (explore_one_in(r, 2) ? explore_below(r, 40) : 0);
        f->r = explore_one_in(r, 3) ? 1 + explore_below(r, 100) : 0;
        f->until = f->at + explore_spread(r, SIM_MS, 100 * SIM_MS);
        break;
    default: break;
    }
}

static void draw_faults(struct explore_plan *p)
{
    struct sim_random r;
    sim_random_init(&r, p->seed, "faults");
    unsigned wanted = explore_one_in(&r, 16) ? 0 : (unsigned)(1 + explore_below(&r, 4));
    bool soft = explore_one_in(&r, 2); /* half of the runs must not lose a single connection */
    while (p->fault_count < wanted) {
        struct explore_fault *f = &p->faults[p->fault_count];
        draw_fault(&r, p, f);
        if (f->kind == EXPLORE_FAULT_KILL && !explore_one_in(&r, 3))
            continue;
        if (!soft || f->kind == EXPLORE_FAULT_RATES || f->kind == EXPLORE_FAULT_MESSAGE || f->kind == EXPLORE_FAULT_DIBS_SLOW)
            p->fault_count++;
    }
}

void explore_draw(uint64_t seed, struct explore_plan *out)
{
    struct sim_random r;
    memset(out, 0, sizeof(*out));
    out->seed = seed;
    sim_random_init(&r, seed, "net");
    out->net_seed = sim_random_next(&r);
    enum explore_class class = explore_class_of(seed);
    if (class != EXPLORE_CLASS_PLAIN) {
        explore_draw_class(class, out);
        return;
    }
    draw_topology(out);
    draw_congestion(out);
    draw_traffic(out);
    draw_faults(out);
}

/* ---- what may happen ---- */
static bool fault_is_hard(const struct explore_fault *f)
{
    uint64_t length = f->until - f->at;
    switch (f->kind) {
    case EXPLORE_FAULT_RATES: return f->p + f->s + f->t > 40000;
    /* Late or lost again and again beyond what a message's timer waits. */
    case EXPLORE_FAULT_MESSAGE: return (f->s == 0 && f->r > 2) || f->s > SIM_S;
    case EXPLORE_FAULT_DIBS_SLOW: return length > SIM_S;
    default: return true;
    }
}

void explore_licence_of(const struct explore_plan *p, struct explore_licence *out)
{
    memset(out, 0, sizeof(*out));
    for (unsigned i = 0; i < p->fault_count; i++) {
        const struct explore_fault *f = &p->faults[i];
        out->hard |= fault_is_hard(f);
        out->memory |= f->kind == EXPLORE_FAULT_MEMORY;
        if (f->kind == EXPLORE_FAULT_KILL)
            out->killed[f->where] = true;
        if (f->until > out->heal)
            out->heal = f->until;
    }
}

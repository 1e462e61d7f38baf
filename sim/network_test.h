/* What tests of the network share: memory that can run out, hosts that remember, frames.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_NETWORK_TEST_H
#define SIM_NETWORK_TEST_H

#include "sim/capture.h"
#include "sim/network.h"
#include "sim/network_frame.h"
#include "wire/icrc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

struct ledger {
    size_t held_bytes, calls;
    size_t fail_from; /* this call and all later ones fail; 0: none */
    size_t fail_at;   /* this call fails; 0: none */
    struct smc_alloc alloc;
};

static inline void *ledger_allocate(void *user, size_t size)
{
    struct ledger *l = user;
    l->calls++;
    if ((l->fail_from != 0 && l->calls >= l->fail_from) || l->calls == l->fail_at)
        return NULL;
    l->held_bytes += size;
    void *block = malloc(size);
    memset(block, 0xa5, size);
    return block;
}

static inline void ledger_release(void *user, void *block, size_t size)
{
    struct ledger *l = user;
    ck_assert_uint_ge(l->held_bytes, size);
    l->held_bytes -= size;
    free(block);
}

static inline void *ledger_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    void *grown = ledger_allocate(user, new_size);
    if (grown != NULL && block != NULL) {
        memcpy(grown, block, old_size < new_size ? old_size : new_size);
        ledger_release(user, block, old_size);
    }
    return grown;
}

static inline void ledger_init(struct ledger *l)
{
    memset(l, 0, sizeof *l);
    l->alloc = (struct smc_alloc){ledger_allocate, ledger_resize, ledger_release, l};
}

/* ---- hosts ---- */

enum { GOT_MAX = 4096, GOT_BYTES = 2048 };

struct got {
    uint64_t at_ns;
    size_t length;
    uint8_t bytes[GOT_BYTES];
};

struct host {
    struct port *port;
    struct got *got;
    unsigned n;
    unsigned ups, downs;
    bool echo; /* sends back what comes, ends exchanged */
};

static inline void host_frame(void *user, struct port *port, const uint8_t *frame, size_t length,
                              uint64_t now_ns)
{
    struct host *h = user;
    ck_assert_uint_lt(h->n, GOT_MAX);
    struct got *g = &h->got[h->n++];
    g->at_ns = now_ns;
    g->length = length;
    memcpy(g->bytes, frame, length < GOT_BYTES ? length : GOT_BYTES);
    if (h->echo) {
        uint8_t back[GOT_BYTES];
        memcpy(back, g->bytes, length < GOT_BYTES ? length : GOT_BYTES);
        memcpy(back, g->bytes + 6, 6);
        memcpy(back + 6, port->mac, 6);
        port_send(port, back, length, now_ns);
    }
}

static inline void host_link(void *user, struct port *port, bool up, uint64_t now_ns)
{
    struct host *h = user;
    (void)port;
    (void)now_ns;
    *(up ? &h->ups : &h->downs) += 1;
}

static inline void mac_of(unsigned i, uint8_t mac[6])
{
    const uint8_t m[6] = {0x02, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i};
    memcpy(mac, m, 6);
}

static inline void host_init(struct host *h, struct net *net, const char *name, unsigned i)
{
    uint8_t mac[6];
    memset(h, 0, sizeof *h);
    mac_of(i, mac);
    h->got = calloc(GOT_MAX, sizeof *h->got);
    h->port = net_port_new(net, name, mac);
    ck_assert_ptr_nonnull(h->port);
    h->port->receiver = (struct port_receiver){host_frame, host_link, h};
}

static inline void host_free(struct host *h)
{
    free(h->got);
}

/* Two hosts (1 and 2) and a link. */
struct pair {
    struct ledger ledger;
    struct sim *sim;
    struct net *net;
    struct host a, b;
    struct net_link *link;
};

static inline void pair_init(struct pair *p, const struct net_params *params, uint64_t seed)
{
    ledger_init(&p->ledger);
    p->sim = sim_new(&p->ledger.alloc, seed);
    p->net = net_new(p->sim, &p->ledger.alloc);
    host_init(&p->a, p->net, "a.eth0", 1);
    host_init(&p->b, p->net, "b.eth0", 2);
    p->link = net_link_new(p->net, p->a.port, p->b.port, params);
    ck_assert_ptr_nonnull(p->link);
    ck_assert_int_eq(sim_run_until(p->sim, 0), 0); /* link is up */
}

static inline void pair_free(struct pair *p)
{
    net_free(p->net);
    sim_free(p->sim);
    host_free(&p->a);
    host_free(&p->b);
    ck_assert_uint_eq(p->ledger.held_bytes, 0);
}

static inline void run(struct sim *sim, uint64_t until_ns)
{
    ck_assert_int_eq(sim_run_until(sim, until_ns), 0);
}

/* ---- frames ---- */

/* A frame of an experimental type, `fill` in its last bytes. Returns length. */
static inline size_t make_frame(uint8_t *f, unsigned from, unsigned to, size_t length, uint8_t fill)
{
    memset(f, fill, length);
    mac_of(to, f);
    mac_of(from, f + 6);
    smc_eth_put_ethertype(f, 0x88b6);
    return length;
}

static inline bool send_frame(struct sim *sim, struct host *h, unsigned from, unsigned to,
                              size_t length, uint8_t fill)
{
    uint8_t f[9216];
    return port_send(h->port, f, make_frame(f, from, to, length, fill), sim_now(sim));
}

/* IPv4 header with checksum: 10.0.0.<from> to 10.0.0.<to>. */
static inline void make_ipv4(uint8_t *ip, unsigned from, unsigned to, unsigned protocol, size_t bytes,
                             unsigned tos)
{
    memset(ip, 0, 20);
    smc_ipv4_put_version(ip, 4);
    smc_ipv4_put_ihl(ip, 5);
    smc_ipv4_put_tos(ip, (uint8_t)tos);
    smc_ipv4_put_total_length(ip, (uint16_t)(20 + bytes));
    smc_ipv4_put_ttl(ip, 64);
    smc_ipv4_put_protocol(ip, (uint8_t)protocol);
    smc_ipv4_put_src(ip, 0x0a000000u + from);
    smc_ipv4_put_dst(ip, 0x0a000000u + to);
    smc_ipv4_put_checksum(ip, net_sum_finish(net_sum(ip, 20, 0)));
}

struct test_segment {
    unsigned from, to; /* last byte of 10.0.0.x and number of the MAC */
    unsigned to_mac;   /* 0: as `to` */
    uint16_t sport, dport, window;
    uint32_t seq, ack;
    uint8_t flags;
    const uint8_t *options;
    size_t n_options; /* a multiple of 4 */
    const uint8_t *data;
    size_t n_data;
};

static inline size_t make_tcp(uint8_t *f, const struct test_segment *s)
{
    uint8_t *tcp = f + 34;
    size_t header = 20 + s->n_options, bytes = header + s->n_data;
    struct net_frame_info info;
    mac_of(s->to_mac ? s->to_mac : s->to, f);
    mac_of(s->from, f + 6);
    smc_eth_put_ethertype(f, SMC_ETHERTYPE_IPV4);
    make_ipv4(f + 14, s->from, s->to, 6, bytes, 0);
    memset(tcp, 0, 20);
    smc_tcp_put_sport(tcp, s->sport);
    smc_tcp_put_dport(tcp, s->dport);
    smc_tcp_put_seq(tcp, s->seq);
    smc_tcp_put_ack_seq(tcp, s->ack);
    smc_tcp_put_data_offset(tcp, (uint8_t)(header / 4));
    tcp[13] = s->flags;
    smc_tcp_put_window(tcp, s->window);
    if (s->n_options > 0)
        memcpy(tcp + 20, s->options, s->n_options);
    if (s->n_data > 0)
        memcpy(tcp + header, s->data, s->n_data);
    net_frame_classify(f, 34 + bytes, &info);
    smc_tcp_put_checksum(tcp, net_frame_transport_sum(&info));
    return 34 + bytes;
}

/* RoCEv2 over IPv4 with ICRC; `data` of a multiple of 4 bytes follows the BTH. */
static inline size_t make_roce(uint8_t *f, unsigned from, unsigned to, uint8_t opcode, uint32_t qp,
                               uint32_t psn, const uint8_t *data, size_t n, unsigned tos)
{
    uint8_t *udp = f + 34, *bth = udp + 8;
    uint32_t icrc;
    size_t bytes = 8 + 12 + n + 4;
    mac_of(to, f);
    mac_of(from, f + 6);
    smc_eth_put_ethertype(f, SMC_ETHERTYPE_IPV4);
    make_ipv4(f + 14, from, to, 17, bytes, tos);
    memset(udp, 0, 20);
    smc_udp_put_sport(udp, 49152);
    smc_udp_put_dport(udp, 4791);
    smc_udp_put_length(udp, (uint16_t)bytes);
    smc_bth_put_opcode(bth, opcode);
    smc_bth_put_dqpn(bth, qp);
    smc_bth_put_psn(bth, psn);
    memcpy(bth + 12, data, n);
    ck_assert(smc_icrc(smc_view_of(f + 14, 20 + bytes - 4), NULL, &icrc));
    smc_icrc_put(bth + 12 + n, icrc);
    return 34 + bytes;
}

static inline bool ipv4_holds(const uint8_t *f)
{
    return net_sum_finish(net_sum(f + 14, 20, 0)) == 0;
}

static inline bool transport_holds(const uint8_t *f, size_t n)
{
    struct net_frame_info info;
    net_frame_classify(f, n, &info);
    return info.l4 != 0 && net_frame_transport_sum(&info) == 0;
}

#endif

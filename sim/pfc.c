/* Flow control by priority and congestion marks in egress queues.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/network_internal.h"

#include <string.h>

enum { QUANTUM_BITS = 512, OPCODE_PAUSE = 0x0001, OPCODE_PFC = 0x0101, MILLION = 1000000 };

/* Where a link has no limit of rate, pauses are counted as if it had this one. */
#define RATE_ASSUMED UINT64_C(100000000000)

struct pfc_port {
    struct net_port *port;
    struct pfc_config config;
    uint64_t paused_until[NET_PRIORITIES]; /* by the neighbour */
    uint32_t ingress[NET_PRIORITIES];      /* bytes in the switch that came in here */
    uint8_t stopped;                       /* priorities that the neighbour was told to stop */
    struct sim_timer resume, refresh;
};

struct ecn_port {
    struct ecn_config config;
    struct sim_random random;
};

static const uint8_t flow_control_mac[6] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x01};

/* ---- frames ---- */

void pfc_frame(uint8_t frame[PFC_FRAME_BYTES], const uint8_t src_mac[6], uint8_t enable,
               uint16_t quanta)
{
    uint8_t *pfc = frame + smc_eth_size;
    memset(frame, 0, PFC_FRAME_BYTES);
    smc_eth_put_dst(frame, flow_control_mac);
    smc_eth_put_src(frame, src_mac);
    smc_eth_put_ethertype(frame, SMC_ETHERTYPE_FLOW_CONTROL);
    smc_pfc_put_opcode(pfc, OPCODE_PFC);
    smc_pfc_put_enable(pfc, enable);
    for (unsigned i = 0; i < NET_PRIORITIES; i++)
        if (enable >> i & 1)
            smc_store_be(pfc + 4 + 2 * i, 2, quanta);
}

static void send_pause(struct net_port *port, uint8_t enable, uint16_t quanta, uint64_t now_ns)
{
    uint8_t frame[PFC_FRAME_BYTES];
    pfc_frame(frame, port->port.mac, enable, quanta);
    struct net_buffer *b = net_buffer_new(port->net, frame, sizeof frame, sizeof frame);
    struct net_packet *p = b != NULL ? net_packet_new(port->net, b) : NULL;
    if (p == NULL) {
        port->stats.no_memory++;
        return;
    }
    port->stats.pause_sent++;
    net_port_queue_control(port, p, now_ns);
}

static uint64_t pause_ns(const struct net_port *port, uint32_t quanta)
{
    uint64_t rate = net_port_rate(port);
    return (uint64_t)quanta * QUANTUM_BITS * SIM_S / (rate > 0 ? rate : RATE_ASSUMED);
}

/* ---- told to stop ---- */

bool pfc_is_paused(const struct net_port *port, unsigned priority, uint64_t now_ns)
{
    return port->pfc != NULL && port->pfc->paused_until[priority] > now_ns;
}

static void await_resume(struct pfc_port *pfc, uint64_t now_ns)
{
    uint64_t first = SIM_NEVER;
    for (unsigned i = 0; i < NET_PRIORITIES; i++)
        if (pfc->paused_until[i] > now_ns && pfc->paused_until[i] < first)
            first = pfc->paused_until[i];
    (void)sim_timer_set(pfc->port->net->sim, &pfc->resume, first); /* reserved */
}

static void resume(void *ctx, uint64_t now_ns)
{
    struct pfc_port *pfc = ctx;
    await_resume(pfc, now_ns);
    net_port_kick(pfc->port, now_ns);
}

void pfc_receive(struct net_port *port, const struct net_packet *packet, uint64_t now_ns)
{
    struct smc_view v = smc_view_of(packet->buffer->bytes, packet->buffer->length);
    struct pfc_port *pfc = port->pfc;
    struct smc_pfc h;
    port->stats.pause_received++;
    if (pfc == NULL || !smc_pfc_at(v, smc_eth_size, &h))
        return;
    bool plain = smc_pfc_opcode(h) == OPCODE_PAUSE; /* its one time stands where PFC has the vector */
    if (!plain && smc_pfc_opcode(h) != OPCODE_PFC)
        return;
    unsigned enable = plain ? 0xff : smc_pfc_enable(h);
    for (unsigned i = 0; i < NET_PRIORITIES; i++) {
        uint32_t quanta = (uint32_t)smc_load_be(h.p + (plain ? 2 : 4 + 2 * i), 2);
        if (enable >> i & 1)
            pfc->paused_until[i] = now_ns + pause_ns(port, quanta);
    }
    resume(pfc, now_ns);
}

/* ---- tells to stop ---- */

static bool has_lossless(const struct pfc_port *pfc, unsigned priority)
{
    return pfc->config.lossless >> priority & 1;
}

/* Half a pause later the neighbour must hear again, or it goes on. */
static void stop_again(struct pfc_port *pfc, uint64_t now_ns)
{
    uint64_t half = pause_ns(pfc->port, pfc->config.quanta) / 2;
    (void)sim_timer_set(pfc->port->net->sim, &pfc->refresh,
                        pfc->stopped != 0 ? now_ns + (half > 0 ? half : 1) : SIM_NEVER);
}

static void refresh(void *ctx, uint64_t now_ns)
{
    struct pfc_port *pfc = ctx;
    send_pause(pfc->port, pfc->stopped, pfc->config.quanta, now_ns);
    stop_again(pfc, now_ns);
}

bool pfc_charge(struct net_port *ingress, struct net_packet *p, uint64_t now_ns)
{
    struct pfc_port *pfc = ingress->pfc;
    if (pfc == NULL)
        return true;
    unsigned priority = pfc_priority(ingress, p);
    if (!has_lossless(pfc, priority))
        return true;
    uint64_t account = (uint64_t)pfc->ingress[priority] + p->buffer->length;
    if (account > (uint64_t)pfc->config.xoff_bytes + pfc->config.headroom_bytes)
        return false;
    p->charged = ingress;
    p->charged_bytes = p->buffer->length; /* tags may come and go before it leaves */
    pfc->ingress[priority] = (uint32_t)account;
    if (account > pfc->config.xoff_bytes && !(pfc->stopped >> priority & 1)) {
        pfc->stopped |= (uint8_t)(1u << priority);
        send_pause(ingress, (uint8_t)(1u << priority), pfc->config.quanta, now_ns);
        stop_again(pfc, now_ns);
    }
    return true;
}

void pfc_uncharge(struct net_packet *p)
{
    struct net_port *ingress = p->charged;
    p->charged = NULL;
    if (ingress == NULL || ingress->pfc == NULL)
        return;
    struct pfc_port *pfc = ingress->pfc;
    unsigned priority = p->priority;
    uint64_t now = sim_now(p->net->sim);
    uint32_t n = p->charged_bytes, have = pfc->ingress[priority];
    pfc->ingress[priority] -= n < have ? n : have; /* less: flow control was turned off and on */
    if (!(pfc->stopped >> priority & 1) || pfc->ingress[priority] > pfc->config.xon_bytes)
        return;
    pfc->stopped &= (uint8_t)~(1u << priority);
    send_pause(ingress, (uint8_t)(1u << priority), 0, now);
    stop_again(pfc, now);
}

bool pfc_is_lossless(const struct net_packet *p)
{
    return p->charged != NULL;
}

unsigned pfc_priority(struct net_port *egress, struct net_packet *p)
{
    struct net_frame_info info;
    if (egress->pfc == NULL)
        return 0; /* one queue; p->priority keeps what the ingress found */
    if (p->priority_known)
        return p->priority;
    net_frame_classify(p->buffer->bytes, p->buffer->length, &info);
    p->priority = egress->pfc->config.trust == PFC_TRUST_PCP ? info.pcp : info.tos >> 5;
    p->priority_known = true;
    return p->priority;
}

/* ---- configuration ---- */

static struct pfc_port *make(struct net_port *port)
{
    struct pfc_port *pfc = smc_alloc_zeroed(port->net->alloc, 1, sizeof *pfc);
    if (pfc == NULL)
        return NULL;
    pfc->port = port;
    sim_timer_init(&pfc->resume, resume, pfc);
    sim_timer_init(&pfc->refresh, refresh, pfc);
    if (sim_timer_reserve(port->net->sim, &pfc->resume) != 0 ||
        sim_timer_reserve(port->net->sim, &pfc->refresh) != 0) {
        sim_timer_release(port->net->sim, &pfc->resume);
        smc_alloc_release(port->net->alloc, pfc, 1, sizeof *pfc);
        return NULL;
    }
    return pfc;
}

static void unmake(struct net_port *port)
{
    if (port->pfc == NULL)
        return;
    sim_timer_release(port->net->sim, &port->pfc->resume);
    sim_timer_release(port->net->sim, &port->pfc->refresh);
    smc_alloc_release(port->net->alloc, port->pfc, 1, sizeof *port->pfc);
    port->pfc = NULL;
}

int pfc_enable(struct port *p, const struct pfc_config *config)
{
    struct net_port *port = net_port_of(p);
    if (port->queued_frames > 0)
        return SMC_ERR_STATE;
    if (config == NULL) {
        if (port->pfc != NULL && port->pfc->stopped != 0)
            send_pause(port, port->pfc->stopped, 0, sim_now(port->net->sim));
        unmake(port);
        return 0;
    }
    if (config->xon_bytes > config->xoff_bytes)
        return SMC_ERR_ARGUMENT;
    if (port->pfc == NULL)
        port->pfc = make(port);
    if (port->pfc == NULL)
        return SMC_ERR_NOMEM;
    port->pfc->config = *config;
    if (config->quanta == 0)
        port->pfc->config.quanta = UINT16_MAX;
    return 0;
}

bool pfc_paused(const struct port *p, unsigned priority)
{
    const struct net_port *port = (const struct net_port *)p;
    return priority < NET_PRIORITIES && pfc_is_paused(port, priority, sim_now(port->net->sim));
}

uint32_t pfc_ingress_bytes(const struct port *p, unsigned priority)
{
    const struct pfc_port *pfc = ((const struct net_port *)p)->pfc;
    return pfc != NULL && priority < NET_PRIORITIES ? pfc->ingress[priority] : 0;
}

void pfc_reset(struct net_port *port)
{
    struct pfc_port *pfc = port->pfc;
    if (pfc == NULL)
        return;
    memset(pfc->paused_until, 0, sizeof pfc->paused_until);
    pfc->stopped = 0; /* what still stands in the account is told anew with the next frame */
    sim_timer_cancel(port->net->sim, &pfc->resume);
    sim_timer_cancel(port->net->sim, &pfc->refresh);
}

void pfc_free(struct net_port *port)
{
    unmake(port);
    smc_alloc_release(port->net->alloc, port->ecn, 1, sizeof *port->ecn);
    port->ecn = NULL;
}

/* ---- ECN ---- */

int ecn_enable(struct port *p, const struct ecn_config *config)
{
    struct net_port *port = net_port_of(p);
    if (config == NULL) {
        smc_alloc_release(port->net->alloc, port->ecn, 1, sizeof *port->ecn);
        port->ecn = NULL;
        return 0;
    }
    if (config->min_bytes > config->max_bytes || config->max_per_million > MILLION)
        return SMC_ERR_ARGUMENT;
    if (port->ecn == NULL) {
        port->ecn = smc_alloc_zeroed(port->net->alloc, 1, sizeof *port->ecn);
        if (port->ecn == NULL)
            return SMC_ERR_NOMEM;
        uint64_t seed = sim_hash_64(port->name, strlen(port->name), sim_seed(port->net->sim));
        sim_random_init(&port->ecn->random, seed, "ecn");
    }
    port->ecn->config = *config;
    return 0;
}

static bool is_unlucky(struct ecn_port *ecn, uint32_t queued)
{
    const struct ecn_config *c = &ecn->config;
    if (queued <= c->min_bytes)
        return false;
    if (queued > c->max_bytes)
        return true;
    uint64_t span = (uint64_t)c->max_bytes - c->min_bytes;
    return sim_random_chance(&ecn->random, (uint64_t)c->max_per_million * (queued - c->min_bytes), span * MILLION);
}

void ecn_mark(struct net_port *egress, struct net_packet *p, uint32_t queued)
{
    if (egress->ecn == NULL || !is_unlucky(egress->ecn, queued))
        return;
    if (!net_packet_unshare(p)) {
        egress->stats.no_memory++; /* goes on unmarked */
        return;
    }
    if (net_frame_mark_ce(p->buffer->bytes, p->buffer->length))
        egress->stats.ecn_marked++;
}

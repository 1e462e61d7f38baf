/* SYN cookies: a middlebox completes the handshake for the server, then joins two connections into one.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/middlebox_internal.h"

#include <string.h>

enum {
    FLAG_SYN = 2,
    FLAG_RST = 4,
    FLAG_ACK = 16,
    PROTO_TCP = 6,
    TRIES_MAX = 6,
    MSS_OPTION_BYTES = 4,
    FRAME_MAX = 14 + 8 + 60 + 24,
    HOPS = 64,
    MSS_V4 = 1460,
    MSS_V6 = 1440,
    WINDOW = 65535,
};

#define RETRY_NS SIM_S

/* What the box's own segments say. */
struct segment {
    bool swapped; /* to whom the model frame came from */
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t window;
    bool with_mss;
};

/* The cookie proves that the client saw our SYN-ACK; here it only has to be hard to hit by accident. */
static uint32_t cookie_of(const struct net_box *box, const struct tuple *t, uint32_t client_isn)
{
    uint8_t key[16 + 16 + 2 + 2 + 4];
    memcpy(key, t->src, 16);
    memcpy(key + 16, t->dst, 16);
    smc_store_be(key + 32, 2, t->sport);
    smc_store_be(key + 34, 2, t->dport);
    smc_store_be(key + 36, 4, client_isn);
    return (uint32_t)sim_hash_64(key, sizeof key, box->secret);
}

/* ---- segments of the box ---- */

static void swap_ends(uint8_t *frame, const struct net_frame_info *model)
{
    const uint8_t *from = model->bytes, *ip = from + model->l3;
    memcpy(frame, from + 6, 6);
    memcpy(frame + 6, from, 6);
    if (model->ip_version == 4) {
        memcpy(frame + model->l3 + 12, ip + 16, 4);
        memcpy(frame + model->l3 + 16, ip + 12, 4);
    } else {
        memcpy(frame + model->l3 + 8, ip + 24, 16);
        memcpy(frame + model->l3 + 24, ip + 8, 16);
    }
}

/* An IP header without options, of the model's family and addresses; returns its size. */
static size_t put_ip(uint8_t *ip, const struct net_frame_info *model, size_t tcp_bytes)
{
    const uint8_t *from = model->bytes + model->l3;
    if (model->ip_version == 6) {
        memset(ip, 0, smc_ipv6_size);
        smc_ipv6_put_version(ip, 6);
        smc_ipv6_put_payload_length(ip, (uint16_t)tcp_bytes);
        smc_ipv6_put_next_header(ip, PROTO_TCP);
        smc_ipv6_put_hop_limit(ip, HOPS);
        memcpy(ip + 8, from + 8, 32);
        return smc_ipv6_size;
    }
    memset(ip, 0, smc_ipv4_size);
    smc_ipv4_put_version(ip, 4);
    smc_ipv4_put_ihl(ip, 5);
    smc_ipv4_put_total_length(ip, (uint16_t)(smc_ipv4_size + tcp_bytes));
    smc_ipv4_put_dont_fragment(ip, 1);
    smc_ipv4_put_ttl(ip, HOPS);
    smc_ipv4_put_protocol(ip, PROTO_TCP);
    memcpy(ip + 12, from + 12, 8);
    return smc_ipv4_size;
}

static size_t put_tcp(uint8_t *tcp, const struct net_frame_info *model, const struct segment *s)
{
    size_t size = smc_tcp_size + (s->with_mss ? MSS_OPTION_BYTES : 0);
    memset(tcp, 0, size);
    smc_tcp_put_sport(tcp, s->swapped ? model->dport : model->sport);
    smc_tcp_put_dport(tcp, s->swapped ? model->sport : model->dport);
    smc_tcp_put_seq(tcp, s->seq);
    smc_tcp_put_ack_seq(tcp, s->ack);
    smc_tcp_put_data_offset(tcp, (uint8_t)(size / 4));
    tcp[13] = s->flags;
    smc_tcp_put_window(tcp, s->window);
    if (s->with_mss) {
        tcp[smc_tcp_size] = 2;
        tcp[smc_tcp_size + 1] = MSS_OPTION_BYTES;
        smc_store_be(tcp + smc_tcp_size + 2, 2, model->ip_version == 4 ? MSS_V4 : MSS_V6);
    }
    return size;
}

/* A segment of the model frame's connection: same link-layer header and addresses. */
static void send_segment(struct net_box *box, unsigned side, const struct net_frame_info *model,
                         const struct segment *s, bool hidden)
{
    uint8_t frame[FRAME_MAX];
    struct net_frame_info info;
    if (model->l3 > 14 + 8)
        return; /* more tags than any host of ours sends */
    size_t tcp_bytes = smc_tcp_size + (s->with_mss ? MSS_OPTION_BYTES : 0);
    memcpy(frame, model->bytes, model->l3);
    size_t l4 = model->l3 + put_ip(frame + model->l3, model, tcp_bytes);
    size_t length = l4 + put_tcp(frame + l4, model, s);
    if (s->swapped)
        swap_ends(frame, model);
    if (model->ip_version == 4)
        smc_ipv4_put_checksum(frame + model->l3,
                              net_sum_finish(net_sum(frame + model->l3, smc_ipv4_size, 0)));
    net_frame_classify(frame, length, &info);
    smc_tcp_put_checksum(frame + l4, net_frame_transport_sum(&info));
    box_send(box, side, frame, length, hidden);
}

/* ---- the client's side ---- */

static void answer_syn(struct net_box *box, const struct net_frame_info *info, const struct tuple *t)
{
    uint32_t isn = (uint32_t)smc_load_be(info->bytes + info->l4 + 4, 4);
    struct segment s = {.swapped = true, .seq = cookie_of(box, t, isn), .ack = isn + 1,
                        .flags = FLAG_SYN | FLAG_ACK, .window = WINDOW, .with_mss = true};
    struct flow *old = flow_find(&box->cookie_flows, t->src, t->sport, t->dst, t->dport);
    if (old != NULL)
        flow_remove(box, &box->cookie_flows, old);
    box->stats.cookies_sent++;
    send_segment(box, 0, info, &s, false);
}

static void ask_server(struct net_box *box, struct flow *f)
{
    struct net_frame_info model;
    net_frame_classify(f->ack->bytes, f->ack->length, &model);
    struct segment s = {.seq = f->client_isn, .flags = FLAG_SYN, .window = f->window,
                        .with_mss = true};
    f->tries++;
    send_segment(box, 1, &model, &s, true);
    if (!sim_timer_is_set(&box->retry))
        (void)sim_timer_set(box->net->sim, &box->retry, sim_now(box->net->sim) + RETRY_NS);
}

/* The first ACK: does it carry our cookie? */
static void prove(struct net_box *box, struct net_packet *packet, const struct net_frame_info *info,
                  const struct tuple *t)
{
    const uint8_t *tcp = info->bytes + info->l4;
    uint32_t isn = (uint32_t)smc_load_be(tcp + 4, 4) - 1;
    uint32_t cookie = (uint32_t)smc_load_be(tcp + 8, 4) - 1;
    if (cookie != cookie_of(box, t, isn)) {
        box->stats.cookies_refused++;
        return;
    }
    struct flow *f = flow_add(box, &box->cookie_flows, t->src, t->sport, t->dst, t->dport);
    if (f == NULL)
        return; /* the client will say it again */
    f->client_isn = isn;
    f->cookie = cookie;
    f->window = (uint16_t)smc_load_be(tcp + 14, 2);
    f->ack = packet->buffer;
    f->ack->refs++;
    box->stats.cookies_proved++;
    ask_server(box, f);
}

void cookies_retry(void *ctx, uint64_t now_ns)
{
    struct net_box *box = ctx;
    struct flows *flows = &box->cookie_flows;
    (void)now_ns;
    for (uint32_t i = flows->count; i-- > 0;) {
        struct flow *f = &flows->entry[i];
        if (f->open)
            continue;
        if (f->tries >= TRIES_MAX)
            flow_remove(box, flows, f);
        else
            ask_server(box, f);
    }
}

/* ---- shifting ---- */

static bool shift_number(struct net_packet *packet, struct net_frame_info *info, size_t at,
                         uint32_t by)
{
    if (!net_packet_unshare(packet))
        return false;
    uint8_t *tcp = packet->buffer->bytes + info->l4;
    uint32_t before = net_sum(tcp + at, 4, 0);
    smc_store_be(tcp + at, 4, (uint32_t)smc_load_be(tcp + at, 4) + by);
    net_sum_adjust(tcp + 16, before, net_sum(tcp + at, 4, 0));
    net_frame_classify(packet->buffer->bytes, packet->buffer->length, info);
    return true;
}

/* SACK blocks need no shifting: the box's SYN-ACK did not offer SACK. */
static enum verdict from_client(struct net_box *box, struct net_packet *packet,
                                struct net_frame_info *info)
{
    struct tuple t;
    box_tuple(info, &t);
    if (box->cookie_port != 0 && t.dport != box->cookie_port)
        return BOX_PASS;
    if ((info->tcp_flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN) {
        answer_syn(box, info, &t);
        return BOX_TAKEN;
    }
    struct flow *f = flow_find(&box->cookie_flows, t.src, t.sport, t.dst, t.dport);
    if (f == NULL) {
        if ((info->tcp_flags & (FLAG_ACK | FLAG_RST)) == FLAG_ACK)
            prove(box, packet, info, &t);
        return BOX_TAKEN;
    }
    f->used_ns = sim_now(box->net->sim);
    if (!f->open)
        return BOX_TAKEN; /* comes again when the server is there */
    if ((info->tcp_flags & FLAG_ACK) && !shift_number(packet, info, 8, 0 - f->shift))
        return BOX_TAKEN;
    if (info->tcp_flags & FLAG_RST)
        flow_remove(box, &box->cookie_flows, f);
    return BOX_PASS;
}

/* ---- the server's side ---- */

static void server_answered(struct net_box *box, const struct net_frame_info *info, struct flow *f)
{
    uint32_t isn = (uint32_t)smc_load_be(info->bytes + info->l4 + 4, 4);
    struct segment s = {.swapped = true, .seq = f->client_isn + 1, .ack = isn + 1,
                        .flags = FLAG_ACK, .window = f->window};
    f->open = true;
    f->shift = f->cookie - isn;
    if (f->ack != NULL)
        net_buffer_drop(box->net, f->ack);
    f->ack = NULL;
    send_segment(box, 1, info, &s, true);
}

static enum verdict from_server(struct net_box *box, struct net_packet *packet,
                                struct net_frame_info *info)
{
    struct tuple t;
    box_tuple(info, &t);
    struct flow *f = flow_find(&box->cookie_flows, t.dst, t.dport, t.src, t.sport);
    if (f == NULL)
        return BOX_PASS;
    f->used_ns = sim_now(box->net->sim);
    if (info->tcp_flags & FLAG_SYN) {
        server_answered(box, info, f);
        return BOX_TAKEN;
    }
    /* A server that refuses says so with number 0; for the client it must be the next one expected. */
    uint32_t by = f->open ? f->shift : f->cookie + 1;
    bool rst = info->tcp_flags & FLAG_RST;
    if (!f->open && !rst)
        return BOX_TAKEN;
    if (!shift_number(packet, info, 4, by))
        return BOX_TAKEN;
    if (rst)
        flow_remove(box, &box->cookie_flows, f);
    return BOX_PASS;
}

enum verdict cookies_treat(struct net_box *box, unsigned from, struct net_packet *packet,
                           struct net_frame_info *info)
{
    return from == 0 ? from_client(box, packet, info) : from_server(box, packet, info);
}

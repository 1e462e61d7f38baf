/* The box itself: passes frames, strips options, keeps flows; the treatments stand in files of their own.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/middlebox_internal.h"

#include "wire/tcp_option.h"

#include <stdio.h>
#include <string.h>

enum { PROTO_TCP = 6, OPTION_END = 0, OPTION_NOP = 1, FLAG_SYN = 2 };

/* ---- flows ---- */

static void put_mapped(uint8_t to[16], const uint8_t *ipv4)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    memcpy(to, prefix, sizeof prefix);
    memcpy(to + 12, ipv4, 4);
}

void box_tuple(const struct net_frame_info *info, struct tuple *out)
{
    const uint8_t *ip = info->bytes + info->l3;
    if (info->ip_version == 4) {
        put_mapped(out->src, ip + 12);
        put_mapped(out->dst, ip + 16);
    } else {
        memcpy(out->src, ip + 8, 16);
        memcpy(out->dst, ip + 24, 16);
    }
    out->sport = info->sport;
    out->dport = info->dport;
}

struct flow *flow_find(struct flows *flows, const uint8_t client[16], uint16_t client_port,
                       const uint8_t server[16], uint16_t server_port)
{
    for (uint32_t i = flows->count; i-- > 0;) { /* the latest are asked for most */
        struct flow *f = &flows->entry[i];
        if (f->client_port == client_port && f->server_port == server_port &&
            memcmp(f->client, client, 16) == 0 && memcmp(f->server, server, 16) == 0)
            return f;
    }
    return NULL;
}

void flow_remove(struct net_box *box, struct flows *flows, struct flow *f)
{
    if (f->ack != NULL)
        net_buffer_drop(box->net, f->ack);
    size_t behind = flows->count - (size_t)(f - flows->entry) - 1;
    memmove(f, f + 1, behind * sizeof *f);
    flows->count--;
}

static void forget_oldest(struct net_box *box, struct flows *flows)
{
    struct flow *oldest = &flows->entry[0];
    for (uint32_t i = 1; i < flows->count; i++)
        if (flows->entry[i].used_ns < oldest->used_ns)
            oldest = &flows->entry[i];
    flow_remove(box, flows, oldest);
    box->stats.flows_forgotten++;
}

struct flow *flow_add(struct net_box *box, struct flows *flows, const uint8_t client[16],
                      uint16_t client_port, const uint8_t server[16], uint16_t server_port)
{
    if (flows->count == FLOWS_MAX)
        forget_oldest(box, flows);
    if (flows->count == flows->capacity) {
        uint32_t more = flows->capacity > 0 ? flows->capacity * 2 : 8;
        struct flow *grown =
            smc_alloc_grow(box->net->alloc, flows->entry, flows->capacity, more, sizeof *grown);
        if (grown == NULL)
            return NULL;
        flows->entry = grown;
        flows->capacity = more;
    }
    struct flow *f = &flows->entry[flows->count++];
    memset(f, 0, sizeof *f);
    memcpy(f->client, client, 16);
    memcpy(f->server, server, 16);
    f->client_port = client_port;
    f->server_port = server_port;
    f->used_ns = sim_now(box->net->sim);
    return f;
}

void flows_free(struct net_box *box, struct flows *flows)
{
    for (uint32_t i = 0; i < flows->count; i++)
        if (flows->entry[i].ack != NULL)
            net_buffer_drop(box->net, flows->entry[i].ack);
    smc_alloc_release(box->net->alloc, flows->entry, flows->capacity, sizeof *flows->entry);
    *flows = (struct flows){0};
}

/* ---- options ---- */

/* Overwrites the options in place; returns how many. */
static unsigned overwrite(uint8_t *options, size_t n)
{
    unsigned found = 0;
    for (size_t i = 0, len = 1; i < n && options[i] != OPTION_END; i += len) {
        len = 1;
        if (options[i] == OPTION_NOP)
            continue;
        if (n - i < 2 || options[i + 1] < 2 || options[i + 1] > n - i)
            break;
        len = options[i + 1];
        if (options[i] != SMC_TCP_OPTION_KIND)
            continue;
        memset(options + i, OPTION_NOP, len);
        found++;
    }
    return found;
}

static bool has_option(const struct net_frame_info *info)
{
    size_t end = info->payload, at = info->l4 + (size_t)smc_tcp_size;
    for (; at < end; at++) /* cheap and perhaps wrong: overwrite() looks properly */
        if (info->bytes[at] == SMC_TCP_OPTION_KIND)
            return true;
    return false;
}

static void strip(struct net_box *box, struct net_packet *packet, const struct net_frame_info *info)
{
    if (info->ip_protocol != PROTO_TCP || info->payload == 0 || !(info->tcp_flags & FLAG_SYN) ||
        !has_option(info) || !net_packet_unshare(packet))
        return;
    uint8_t *tcp = packet->buffer->bytes + info->l4;
    size_t header = (size_t)(info->payload - info->l4);
    uint32_t before = net_sum(tcp, header, 0);
    box->stats.options_stripped += overwrite(tcp + smc_tcp_size, header - smc_tcp_size);
    net_sum_adjust(tcp + 16, before, net_sum(tcp, header, 0));
}

/* ---- passing ---- */

void box_send(struct net_box *box, unsigned side, const uint8_t *frame, size_t length, bool hidden)
{
    size_t padded = length < NET_MIN_FRAME ? NET_MIN_FRAME : length;
    struct net_buffer *b = net_buffer_new(box->net, frame, length, padded);
    struct net_packet *p = b != NULL ? net_packet_new(box->net, b) : NULL;
    if (p == NULL) {
        box->side[side]->stats.no_memory++;
        return;
    }
    b->tapped = hidden;
    if (box->net->point == NET_CAPTURE_SENT)
        net_capture_once(box->net, b, sim_now(box->net->sim));
    (void)net_port_queue(box->side[side], p, sim_now(box->net->sim));
}

/* The capture of the run stands on the clients' side of a box that rewrites. */
static void tap(struct net_box *box, unsigned from, struct net_packet *packet, uint64_t now_ns)
{
    if (from == 0 && (box->cookies || box->n_servers > 0) &&
        box->net->point == NET_CAPTURE_DELIVERED)
        net_capture_once(box->net, packet->buffer, now_ns);
}

static void box_arrive(struct net_port *port, struct net_packet *packet, uint64_t now_ns)
{
    struct net_box *box = port->owner;
    unsigned from = port->index, to = !from;
    struct net_frame_info info;
    enum verdict verdict = BOX_PASS;
    tap(box, from, packet, now_ns);
    net_frame_classify(packet->buffer->bytes, packet->buffer->length, &info);
    if (box->cookies && info.ip_protocol == PROTO_TCP && info.payload != 0)
        verdict = cookies_treat(box, from, packet, &info);
    if (verdict == BOX_PASS && box->n_servers > 0)
        verdict = balance_treat(box, from, packet, &info);
    if (verdict == BOX_TAKEN) {
        net_packet_free(packet);
        return;
    }
    if (box->strip & (to == 0 ? NET_BOX_TOWARD_0 : NET_BOX_TOWARD_1))
        strip(box, packet, &info);
    (void)net_port_queue(box->side[to], packet, now_ns);
}

static const struct net_port_kind box_kind = {box_arrive, NULL};

/* ---- making ---- */

static void free_box(struct net_part *part)
{
    struct net_box *box = (struct net_box *)part;
    sim_timer_release(box->net->sim, &box->retry);
    flows_free(box, &box->cookie_flows);
    flows_free(box, &box->balanced_flows);
    smc_alloc_release(box->net->alloc, box, 1, sizeof *box);
}

static bool make_sides(struct net_box *box, const char *name)
{
    for (unsigned i = 0; i < 2; i++) {
        char text[NET_NAME_MAX * 2];
        uint8_t mac[6];
        snprintf(text, sizeof text, "%.*s.%u", NET_NAME_MAX, name, i);
        smc_store_be(mac, 4, sim_hash_64(text, strlen(text), 0));
        smc_store_be(mac + 4, 2, i);
        mac[0] = 0x02;
        box->side[i] = net_port_make(box->net, text, mac, &box_kind, box, i);
        if (box->side[i] == NULL)
            return false;
    }
    return true;
}

struct net_box *net_box_new(struct net *net, const char *name)
{
    if (name[0] == '\0' || strlen(name) + 3 > NET_NAME_MAX)
        return NULL;
    struct net_box *box = smc_alloc_zeroed(net->alloc, 1, sizeof *box);
    if (box == NULL)
        return NULL;
    box->net = net;
    box->secret = sim_hash_64(name, strlen(name), sim_seed(net->sim));
    sim_timer_init(&box->retry, cookies_retry, box);
    struct net_port **before = net->last_port;
    if (sim_timer_reserve(net->sim, &box->retry) == 0 && make_sides(box, name)) {
        net_add_part(net, &box->part, free_box);
        return box;
    }
    net_ports_unmake(net, before);
    free_box(&box->part);
    return NULL;
}

struct port *net_box_port(struct net_box *box, unsigned side)
{
    return &box->side[side != 0]->port;
}

void net_box_strip_option(struct net_box *box, unsigned toward)
{
    box->strip = toward;
}

void net_box_syn_cookies(struct net_box *box, bool on, uint16_t tcp_port)
{
    box->cookies = on;
    box->cookie_port = tcp_port;
    if (!on)
        flows_free(box, &box->cookie_flows);
}

const struct net_box_stats *net_box_stats(const struct net_box *box)
{
    return &box->stats;
}

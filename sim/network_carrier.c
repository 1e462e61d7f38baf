/* Links whose frames another simulator carries: handing packets over and taking them back.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/network_internal.h"

/* ---- what the carrier has ---- */

static void hand_over(struct net_packet *p)
{
    net_packet_enlist(p); /* net_free() finds it */
    p->net->carried++;
}

static void take_back(struct net_packet *p)
{
    net_packet_delist(p);
    p->net->carried--;
}

bool net_carry(struct net_port *port, struct net_packet *p)
{
    hand_over(p);
    if (port->carrier->send(port->carried_end, p, p->buffer->bytes, p->buffer->length))
        return true;
    take_back(p);
    return false;
}

bool net_carry_direct(const struct net_port *port, const struct net_packet *p)
{
    return port->carrier != NULL && port->pfc == NULL && port->ecn == NULL && !pfc_is_lossless(p) && port->queued_frames == 0;
}

void net_carry_on(struct net_port *from, struct net_packet *p, uint64_t late_ns)
{
    hand_over(p);
    if (from->carrier->propagate(from->carried_end, p, p->buffer->bytes, p->buffer->length, late_ns))
        return;
    take_back(p); /* its bytes are on their way to another process */
    net_packet_free(p);
}

/* ---- what it gives back ---- */

void net_carrier_sent(struct port *from, struct net_packet *p, uint64_t now_ns)
{
    struct net_port *port = net_port_of(from);
    take_back(p);
    if (port->sending == p)
        port->sending = NULL;
    net_put_on_wire(port, p, now_ns);
    net_port_kick(port, now_ns);
}

void net_carrier_arrived(struct net_packet *p, uint64_t now_ns)
{
    take_back(p);
    net_arrive(p, now_ns);
}

static uint64_t *counter_of(struct net_port *port, enum net_carrier_loss why)
{
    return why == NET_LOST_QUEUE ? &port->stats.queue_drops : why == NET_LOST_ERROR ? &port->stats.fault_drops : &port->stats.link_drops;
}

void net_carrier_lost(struct port *from, struct net_packet *p, enum net_carrier_loss why)
{
    struct net_port *port = net_port_of(from);
    bool was_sending = port->sending == p;
    take_back(p);
    if (was_sending)
        port->sending = NULL;
    ++*counter_of(port, why);
    net_packet_free(p);
    if (was_sending && why != NET_LOST_LINK)
        net_port_kick(port, sim_now(port->net->sim));
}

void net_carrier_entered(struct port *to, const uint8_t *bytes, size_t length, uint64_t now_ns)
{
    struct net_port *port = net_port_of(to);
    struct net_buffer *b = net_buffer_new(port->net, bytes, length, length);
    struct net_packet *p = b != NULL ? net_packet_new(port->net, b) : NULL;
    if (p == NULL) {
        port->stats.no_memory++;
        return;
    }
    p->port = port;
    p->link_epoch = port->link->epoch;
    net_arrive(p, now_ns);
}

bool net_carrier_mark_ce(struct port *from, struct net_packet *p, const uint8_t **bytes)
{
    struct net_port *port = net_port_of(from);
    if (!net_packet_unshare(p)) {
        port->stats.no_memory++;
        return false;
    }
    *bytes = p->buffer->bytes;
    if (net_frame_mark_ce(p->buffer->bytes, p->buffer->length)) {
        port->stats.ecn_marked++;
        return true;
    }
    struct net_frame_info info;
    net_frame_classify(p->buffer->bytes, p->buffer->length, &info);
    return (info.tos & 3) == 3; /* a hop before has marked it */
}

/* ---- links ---- */

int net_link_carry(struct net_link *link, const struct net_carrier *carrier, const struct net_option *options,
                   unsigned option_count, char *problem, size_t problem_size)
{
    struct net_carried_link wanted = {.link = link, .end = {&link->end[0]->port, &link->end[1]->port},
                                      .params = link->wire[0].params, .options = options, .option_count = option_count};
    void *ends[2] = {NULL, NULL};
    int error = carrier->link(carrier->user, &wanted, ends, problem, problem_size);
    for (unsigned i = 0; error == 0 && i < 2; i++) {
        link->end[i]->carrier = carrier;
        link->end[i]->carried_end = ends[i];
    }
    return error;
}

size_t net_frames_carried(const struct net *net)
{
    return net->carried;
}

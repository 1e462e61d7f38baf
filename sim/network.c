/* The net itself and its ports: what a host hands over, what it is handed.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/network_internal.h"

#include <string.h>

struct net *net_new(struct sim *sim, const struct smc_alloc *alloc)
{
    struct net *net = smc_alloc_zeroed(alloc, 1, sizeof *net);
    if (net == NULL)
        return NULL;
    net->sim = sim;
    net->alloc = alloc;
    net->last_port = &net->ports;
    return net;
}

struct sim *net_sim(struct net *net)
{
    return net->sim;
}

static void free_queue(struct net_queue *q)
{
    struct net_packet *p;
    while ((p = net_queue_take(q)) != NULL)
        net_packet_free(p);
}

static void free_port(struct net *net, struct net_port *port)
{
    sim_timer_release(net->sim, &port->tx);
    sim_timer_release(net->sim, &port->told);
    smc_alloc_release(net->alloc, port, 1, sizeof *port);
}

static void free_links(struct net *net)
{
    while (net->links != NULL) {
        struct net_link *link = net->links;
        net->links = link->next;
        for (unsigned i = 0; i < 2; i++) {
            free_queue(&link->wire[i].held);
            fault_free(&link->wire[i].faults);
        }
        smc_alloc_release(net->alloc, link, 1, sizeof *link);
    }
}

/* Packets before the ports whose accounts they stand in. */
static void free_packets(struct net *net)
{
    while (net->on_wires != NULL) {
        struct net_packet *p = net->on_wires;
        net->on_wires = p->wire_next;
        net_packet_free(p);
    }
    for (struct net_port *port = net->ports; port != NULL; port = port->next) {
        if (port->sending != NULL && port->carrier == NULL) /* a carrier's is among those on wires */
            net_packet_free(port->sending);
        free_queue(&port->control);
        for (unsigned i = 0; i < NET_PRIORITIES; i++)
            free_queue(&port->queue[i]);
    }
}

void net_free(struct net *net)
{
    if (net == NULL)
        return;
    for (struct net_port *port = net->ports; port != NULL; port = port->next)
        pfc_free(port); /* first: freeing packets must send no PAUSE any more */
    free_packets(net);
    free_links(net);
    while (net->parts != NULL) {
        struct net_part *part = net->parts;
        net->parts = part->next;
        part->free(part);
    }
    while (net->ports != NULL) {
        struct net_port *port = net->ports;
        net->ports = port->next;
        free_port(net, port);
    }
    net_buffers_free(net);
    smc_alloc_release(net->alloc, net, 1, sizeof *net);
}

void net_add_part(struct net *net, struct net_part *part, void (*release)(struct net_part *part))
{
    part->free = release;
    part->next = net->parts;
    net->parts = part;
}

/* ---- captures ---- */

void net_set_capture(struct net *net, struct capture *capture, enum net_capture_point point)
{
    net->capture = capture;
    net->point = point;
}

void net_port_tap(struct port *port, struct capture *capture, unsigned directions)
{
    net_port_of(port)->tap = (struct net_tap){capture, capture != NULL ? directions : 0};
}

void net_capture_once(struct net *net, struct net_buffer *buffer, uint64_t now_ns)
{
    if (net->capture == NULL || buffer->tapped)
        return;
    buffer->tapped = true;
    capture_put(net->capture, now_ns, buffer->bytes, buffer->length);
}

/* ---- a host's port ---- */

static bool is_for(const struct net_port *port, const uint8_t *frame)
{
    return (frame[0] & 1) != 0 || memcmp(frame, port->port.mac, 6) == 0;
}

static void host_arrive(struct net_port *port, struct net_packet *packet, uint64_t now_ns)
{
    struct port *p = &port->port;
    const struct net_buffer *b = packet->buffer;
    if (port->net->point == NET_CAPTURE_DELIVERED && is_for(port, b->bytes))
        net_capture_once(port->net, packet->buffer, now_ns);
    if (p->receiver.frame != NULL)
        p->receiver.frame(p->receiver.user, p, b->bytes, b->length, now_ns);
    net_packet_free(packet);
}

static void host_link(struct net_port *port, bool up, uint64_t now_ns)
{
    struct port *p = &port->port;
    if (p->receiver.link != NULL)
        p->receiver.link(p->receiver.user, p, up, now_ns);
}

static const struct net_port_kind host_kind = {host_arrive, host_link};

static bool refuse(struct net_port *port, uint64_t *counter)
{
    port->stats.refused++;
    if (counter != NULL)
        ++*counter;
    return false;
}

static bool host_send(struct port *p, const uint8_t *frame, size_t length, uint64_t now_ns)
{
    struct net_port *port = net_port_of(p);
    if (port->link == NULL || !port->link->up || length < 14)
        return refuse(port, NULL);
    if (net_too_long(port, frame, length))
        return refuse(port, &port->stats.too_long);
    size_t on_wire = length < NET_MIN_FRAME ? NET_MIN_FRAME : length;
    struct net_buffer *b = net_buffer_new(port->net, frame, length, on_wire);
    struct net_packet *packet = b != NULL ? net_packet_new(port->net, b) : NULL;
    if (packet == NULL)
        return refuse(port, &port->stats.no_memory);
    return net_port_queue(port, packet, now_ns);
}

static uint32_t host_mtu(const struct port *p)
{
    const struct net_port *port = (const struct net_port *)p;
    return port->link != NULL ? port->link->wire[port->side].params.mtu : NET_MTU_DEFAULT;
}

static bool host_link_up(const struct port *p)
{
    const struct net_port *port = (const struct net_port *)p;
    return port->link != NULL && port->link->up;
}

static const struct port_ops host_ops = {host_send, host_mtu, host_link_up};

struct port *net_port_new(struct net *net, const char *name, const uint8_t mac[6])
{
    struct net_port *port = net_port_make(net, name, mac, &host_kind, NULL, 0);
    return port != NULL ? &port->port : NULL;
}

/* ---- all ports ---- */

/* The link went up or down; told by an event, so that who did it is not called back. */
static void tell_link(void *ctx, uint64_t now_ns)
{
    struct net_port *port = ctx;
    bool up = port->link != NULL && port->link->up;
    if (up == port->told_up)
        return;
    port->told_up = up;
    if (port->kind->link != NULL)
        port->kind->link(port, up, now_ns);
}

struct net_port *net_port_make(struct net *net, const char *name, const uint8_t mac[6],
                               const struct net_port_kind *kind, void *owner, uint32_t index)
{
    size_t n = strlen(name);
    if (n == 0 || n >= NET_NAME_MAX || net_port_find(net, name) != NULL)
        return NULL;
    struct net_port *port = smc_alloc_zeroed(net->alloc, 1, sizeof *port);
    if (port == NULL)
        return NULL;
    port->port.ops = &host_ops;
    memcpy(port->port.mac, mac, 6);
    memcpy(port->name, name, n + 1);
    port->net = net;
    port->kind = kind;
    port->owner = owner;
    port->index = index;
    net_queue_init(&port->control);
    for (unsigned i = 0; i < NET_PRIORITIES; i++)
        net_queue_init(&port->queue[i]);
    net_port_init_tx(port);
    sim_timer_init(&port->told, tell_link, port);
    if (sim_timer_reserve(net->sim, &port->tx) != 0 ||
        sim_timer_reserve(net->sim, &port->told) != 0) {
        free_port(net, port);
        return NULL;
    }
    *net->last_port = port;
    net->last_port = &port->next;
    return port;
}

void net_ports_unmake(struct net *net, struct net_port **before)
{
    struct net_port *port = *before;
    *before = NULL;
    net->last_port = before;
    while (port != NULL) {
        struct net_port *next = port->next;
        free_port(net, port);
        port = next;
    }
}

struct port *net_port_find(struct net *net, const char *name)
{
    for (struct net_port *port = net->ports; port != NULL; port = port->next)
        if (strcmp(port->name, name) == 0)
            return &port->port;
    return NULL;
}

const char *net_port_name(const struct port *port)
{
    return ((const struct net_port *)port)->name;
}

uint32_t net_port_queued(const struct port *port)
{
    return ((const struct net_port *)port)->queued_bytes;
}

const struct net_stats *net_port_stats(const struct port *port)
{
    return &((const struct net_port *)port)->stats;
}

struct net_link *net_port_link(const struct port *port)
{
    return ((const struct net_port *)port)->link;
}

enum net_direction net_port_direction(const struct port *port)
{
    return ((const struct net_port *)port)->side == 0 ? NET_A_TO_B : NET_B_TO_A;
}

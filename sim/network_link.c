/* Links: queues and transmitters at both ends, faults and propagation between them.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/network_frame.h"
#include "sim/network_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- on the wire ---- */

void net_packet_enlist(struct net_packet *p)
{
    struct net *net = p->net;
    p->wire_next = net->on_wires;
    p->wire_back = &net->on_wires;
    if (p->wire_next != NULL)
        p->wire_next->wire_back = &p->wire_next;
    net->on_wires = p;
}

void net_packet_delist(struct net_packet *p)
{
    *p->wire_back = p->wire_next;
    if (p->wire_next != NULL)
        p->wire_next->wire_back = p->wire_back;
}

static bool is_control(const struct net_buffer *b)
{
    return b->bytes[12] == 0x88 && b->bytes[13] == 0x08;
}

void net_arrive(struct net_packet *p, uint64_t now_ns)
{
    struct net_port *port = p->port;
    if (!port->link->up || p->link_epoch != port->link->epoch) {
        port->link->end[!port->side]->stats.link_drops++;
        net_packet_free(p);
        return;
    }
    if (p->bad_fcs) {
        port->stats.fcs_errors++;
        net_packet_free(p);
        return;
    }
    port->stats.received++;
    port->stats.received_bytes += p->buffer->length;
    if (port->tap.directions & NET_TAP_IN)
        capture_put(port->tap.capture, now_ns, p->buffer->bytes, p->buffer->length);
    if (is_control(p->buffer)) { /* MAC control ends at the MAC, whoever owns it */
        pfc_receive(port, p, now_ns);
        net_packet_free(p);
        return;
    }
    port->kind->arrive(port, p, now_ns);
}

static void arrive(void *ctx, uint64_t now_ns)
{
    struct net_packet *p = ctx;
    net_packet_delist(p);
    net_arrive(p, now_ns);
}

/* The packet arrives at the other end after the delay; it keeps its place in line unless `overtaken`. */
static void launch(struct net_port *from, struct net_packet *p, uint64_t now_ns, uint64_t late_ns,
                   bool overtaken)
{
    struct net_link *link = from->link;
    struct net_wire *wire = &link->wire[from->side];
    uint64_t at = now_ns + wire->params.delay_ns + late_ns;
    if (!overtaken) {
        if (at < wire->last_arrival_ns)
            at = wire->last_arrival_ns;
        wire->last_arrival_ns = at;
    }
    p->port = link->end[!from->side];
    p->link_epoch = link->epoch;
    if (from->carrier != NULL) {
        net_carry_on(from, p, at - now_ns - wire->params.delay_ns);
        return;
    }
    sim_timer_init(&p->timer, arrive, p);
    if (sim_timer_set(p->net->sim, &p->timer, at) != 0) {
        from->stats.no_memory++;
        net_packet_free(p);
        return;
    }
    net_packet_enlist(p);
}

static void launch_copy(struct net_port *from, const struct net_packet *p, uint64_t now_ns,
                        uint64_t late_ns)
{
    /* A buffer of its own: the capture of the run shows both. */
    const struct net_buffer *b = p->buffer;
    struct net_buffer *copy = net_buffer_new(p->net, b->bytes, b->length, b->length);
    struct net_packet *twin = copy != NULL ? net_packet_new(p->net, copy) : NULL;
    if (twin == NULL) {
        from->stats.no_memory++;
        return;
    }
    launch(from, twin, now_ns, late_ns, late_ns > 0);
}

/* ---- held frames ---- */

static void unlink_held(struct net_queue *q, const struct net_packet *wanted)
{
    unsigned n = q->frames;
    while (n-- > 0) {
        struct net_packet *p = net_queue_take(q);
        if (p != wanted)
            net_queue_put(q, p);
    }
}

static void hold_ends(void *ctx, uint64_t now_ns)
{
    struct net_packet *p = ctx;
    struct net_port *from = p->port;
    unlink_held(&from->link->wire[from->side].held, p);
    launch(from, p, now_ns, 0, true);
}

static void hold(struct net_port *from, struct net_packet *p, uint64_t now_ns,
                 const struct fault_verdict *verdict)
{
    p->port = from;
    p->rule = verdict->rule;
    sim_timer_init(&p->timer, hold_ends, p);
    if (verdict->late_ns > 0 &&
        sim_timer_set(p->net->sim, &p->timer, now_ns + verdict->late_ns) != 0) {
        from->stats.no_memory++;
        net_packet_free(p);
        return;
    }
    net_queue_put(&from->link->wire[from->side].held, p);
}

unsigned net_link_let_go(struct net_link *link, enum net_direction dir, uint32_t rule)
{
    struct net_queue *held = &link->wire[dir].held;
    unsigned gone = 0;
    for (unsigned n = held->frames; n > 0; n--) {
        struct net_packet *p = net_queue_take(held);
        if (rule != 0 && p->rule != rule) {
            net_queue_put(held, p);
            continue;
        }
        sim_timer_cancel(link->net->sim, &p->timer);
        launch(link->end[dir], p, sim_now(link->net->sim), 0, true);
        gone++;
    }
    return gone;
}

unsigned net_link_held(const struct net_link *link, enum net_direction dir)
{
    return link->wire[dir].held.frames;
}

/* ---- faults ---- */

static void carry_out(struct net_port *from, struct net_packet *p, uint64_t now_ns,
                      const struct fault_verdict *verdict)
{
    if (verdict->duplicate)
        launch_copy(from, p, now_ns, verdict->copy_late_ns);
    if (verdict->flip != 0) {
        if (!net_packet_unshare(p)) {
            from->stats.no_memory++;
            net_packet_free(p);
            return;
        }
        p->buffer->bytes[verdict->flip_at] ^= verdict->flip;
    }
    p->bad_fcs = verdict->corrupt;
    if (verdict->hold)
        hold(from, p, now_ns, verdict);
    else
        launch(from, p, now_ns, verdict->late_ns, verdict->overtaken);
}

void net_put_on_wire(struct net_port *from, struct net_packet *p, uint64_t now_ns)
{
    struct fault_plan *faults = &from->link->wire[from->side].faults;
    struct fault_verdict verdict;
    pfc_uncharge(p);
    from->stats.sent++;
    from->stats.sent_bytes += p->buffer->length;
    if (from->tap.directions & NET_TAP_OUT)
        capture_put(from->tap.capture, now_ns, p->buffer->bytes, p->buffer->length);
    if (from->net->point == NET_CAPTURE_SENT && from->owner == NULL)
        net_capture_once(from->net, p->buffer, now_ns);
    if (!fault_is_active(faults)) {
        launch(from, p, now_ns, 0, false);
        return;
    }
    fault_decide(faults, p->buffer->bytes, p->buffer->length, &verdict);
    if (verdict.drop) {
        from->stats.fault_drops++;
        net_packet_free(p);
        return;
    }
    carry_out(from, p, now_ns, &verdict);
}

/* ---- transmitter ---- */

uint64_t net_port_rate(const struct net_port *port)
{
    return port->link != NULL ? port->link->wire[port->side].params.rate_bps : 0;
}

static uint64_t serialization_ns(const struct net_port *port, const struct net_packet *p)
{
    uint64_t rate = net_port_rate(port);
    uint64_t bits = ((uint64_t)p->buffer->length + NET_WIRE_EXTRA) * 8;
    return rate == 0 ? 0 : (bits * SIM_S + rate - 1) / rate;
}

static struct net_packet *next_packet(struct net_port *port, uint64_t now_ns)
{
    struct net_packet *p = net_queue_take(&port->control);
    if (p != NULL || port->queued_frames == 0)
        return p;
    for (unsigned i = 1; i <= NET_PRIORITIES && p == NULL; i++) {
        unsigned priority = (port->turn + i) % NET_PRIORITIES;
        if (port->queue[priority].frames == 0 || pfc_is_paused(port, priority, now_ns))
            continue;
        p = net_queue_take(&port->queue[priority]);
        port->turn = priority;
        port->queued_bytes -= p->buffer->length;
        port->queued_frames--;
    }
    return p;
}

/* The carrier drops it where it has a queue of its own that is full. */
static void carry_next(struct net_port *port, struct net_packet *p)
{
    port->sending = p;
    if (net_carry(port, p))
        return;
    port->sending = NULL;
    port->stats.queue_drops++;
    net_packet_free(p);
}

void net_port_kick(struct net_port *port, uint64_t now_ns)
{
    while (port->sending == NULL && port->link != NULL && port->link->up) {
        struct net_packet *p = next_packet(port, now_ns);
        if (p == NULL)
            return;
        if (port->carrier != NULL) {
            carry_next(port, p);
            continue;
        }
        uint64_t takes = serialization_ns(port, p);
        if (takes > 0) {
            port->sending = p;
            (void)sim_timer_set(port->net->sim, &port->tx, now_ns + takes); /* reserved */
            return;
        }
        net_put_on_wire(port, p, now_ns);
    }
}

static void sent(void *ctx, uint64_t now_ns)
{
    struct net_port *port = ctx;
    struct net_packet *p = port->sending;
    port->sending = NULL;
    net_put_on_wire(port, p, now_ns);
    net_port_kick(port, now_ns);
}

void net_port_init_tx(struct net_port *port)
{
    sim_timer_init(&port->tx, sent, port);
}

/* ---- queue ---- */

bool net_too_long(const struct net_port *port, const uint8_t *bytes, size_t length)
{
    size_t header = 14;
    while (length >= header + 4 &&
           ((bytes[header - 2] == 0x81 && bytes[header - 1] == 0x00) ||
            (bytes[header - 2] == 0x88 && bytes[header - 1] == 0xa8)))
        header += 4;
    return length > header + port->link->wire[port->side].params.mtu;
}

static bool drop(struct net_packet *p, uint64_t *counter)
{
    ++*counter;
    net_packet_free(p);
    return false;
}

static bool is_full(const struct net_port *port, const struct net_packet *p, unsigned priority)
{
    const struct net_params *limit = &port->link->wire[port->side].params;
    const struct net_queue *queue = &port->queue[priority];
    if (port->sending == NULL && port->queued_frames == 0)
        return false; /* goes out at once, whatever the limit */
    return (limit->queue_bytes != 0 &&
            (uint64_t)queue->bytes + p->buffer->length > limit->queue_bytes) ||
           (limit->queue_frames != 0 && queue->frames >= limit->queue_frames);
}

void net_port_drop_roce(struct port *of)
{
    struct net_port *port = (struct net_port *)of;
    for (unsigned i = 0; i < NET_PRIORITIES; i++) {
        struct net_queue *q = &port->queue[i];
        for (uint32_t n = q->frames; n > 0; n--) {
            struct net_packet *p = net_queue_take(q);
            struct net_frame_info info;
            net_frame_classify(p->buffer->bytes, p->buffer->length, &info);
            if (!info.roce) {
                net_queue_put(q, p);
                continue;
            }
            port->queued_bytes -= p->buffer->length;
            port->queued_frames--;
            (void)drop(p, &port->stats.link_drops);
        }
    }
}

bool net_port_queue(struct net_port *port, struct net_packet *p, uint64_t now_ns)
{
    if (port->link == NULL || !port->link->up)
        return drop(p, &port->stats.link_drops);
    if (net_too_long(port, p->buffer->bytes, p->buffer->length))
        return drop(p, &port->stats.too_long);
    if (net_carry_direct(port, p))
        return net_carry(port, p) || drop(p, &port->stats.queue_drops);
    unsigned priority = pfc_priority(port, p);
    if (is_full(port, p, priority) && !pfc_is_lossless(p))
        return drop(p, &port->stats.queue_drops);
    ecn_mark(port, p, port->queue[priority].bytes);
    net_queue_put(&port->queue[priority], p);
    port->queued_bytes += p->buffer->length;
    port->queued_frames++;
    if (port->queued_bytes > port->stats.queued_peak)
        port->stats.queued_peak = port->queued_bytes;
    net_port_kick(port, now_ns);
    return true;
}

void net_port_queue_control(struct net_port *port, struct net_packet *p, uint64_t now_ns)
{
    if (port->link == NULL || !port->link->up) {
        (void)drop(p, &port->stats.link_drops);
        return;
    }
    net_queue_put(&port->control, p);
    net_port_kick(port, now_ns);
}

static void lose_queue(struct net_port *port, struct net_queue *q)
{
    struct net_packet *p;
    while ((p = net_queue_take(q)) != NULL)
        (void)drop(p, &port->stats.link_drops);
}

static void lose_queues(struct net_port *port)
{
    if (port->carrier != NULL)
        port->carrier->flush(port->carried_end); /* what is in transmission, too */
    else if (port->sending != NULL)
        (void)drop(port->sending, &port->stats.link_drops);
    port->sending = NULL;
    sim_timer_cancel(port->net->sim, &port->tx);
    lose_queue(port, &port->control);
    for (unsigned i = 0; i < NET_PRIORITIES; i++)
        lose_queue(port, &port->queue[i]);
    port->queued_bytes = port->queued_frames = 0;
}

/* ---- links ---- */

static bool complete(struct net_params *out, const struct net_params *in)
{
    static const struct net_params none;
    *out = in != NULL ? *in : none;
    if (out->mtu == 0)
        out->mtu = NET_MTU_DEFAULT;
    return out->mtu >= NET_MTU_MIN && out->mtu <= NET_MTU_MAX;
}

static void tell(struct net_port *port)
{
    (void)sim_timer_set(port->net->sim, &port->told, sim_now(port->net->sim)); /* reserved */
}

static void join(struct net_link *link, unsigned side, struct net_port *port)
{
    char name[NET_NAME_MAX + 8];
    link->end[side] = port;
    port->link = link;
    port->side = side;
    net_queue_init(&link->wire[side].held);
    snprintf(name, sizeof name, "%s ->", port->name);
    fault_init(&link->wire[side].faults, link->net->alloc, sim_seed(link->net->sim), name);
    tell(port);
}

struct net_link *net_link_new(struct net *net, struct port *a, struct port *b,
                              const struct net_params *params)
{
    struct net_params both;
    if (a == b || net_port_of(a)->link != NULL || net_port_of(b)->link != NULL ||
        !complete(&both, params))
        return NULL;
    struct net_link *link = smc_alloc_zeroed(net->alloc, 1, sizeof *link);
    if (link == NULL)
        return NULL;
    link->net = net;
    link->up = true;
    link->wire[0].params = link->wire[1].params = both;
    join(link, 0, net_port_of(a));
    join(link, 1, net_port_of(b));
    link->next = net->links;
    net->links = link;
    return link;
}

struct port *net_link_end(const struct net_link *link, enum net_direction from)
{
    return &link->end[from]->port;
}

int net_link_set_params(struct net_link *link, enum net_direction dir,
                        const struct net_params *params)
{
    struct net_params wanted;
    if (!complete(&wanted, params))
        return SMC_ERR_ARGUMENT;
    if (wanted.mtu != link->wire[dir].params.mtu && link->up)
        return SMC_ERR_STATE;
    link->wire[dir].params = wanted;
    link->wire[!dir].params.mtu = wanted.mtu;
    return 0;
}

const struct net_params *net_link_params(const struct net_link *link, enum net_direction dir)
{
    return &link->wire[dir].params;
}

void net_link_set_up(struct net_link *link, bool up)
{
    if (link->up == up)
        return;
    link->up = up;
    link->epoch++;
    for (unsigned i = 0; i < 2; i++) {
        if (!up)
            lose_queues(link->end[i]);
        link->wire[i].last_arrival_ns = 0;
        pfc_reset(link->end[i]);
        tell(link->end[i]);
    }
}

bool net_link_is_up(const struct net_link *link)
{
    return link->up;
}

struct fault_plan *net_link_faults(struct net_link *link, enum net_direction dir)
{
    return &link->wire[dir].faults;
}

/* Pools of frame buffers and packets: after the first frames of a run nothing is allocated any more.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/network_internal.h"

#include <string.h>

static const uint32_t class_bytes[NET_CLASSES] = {256, 2048, 10240, 65536 + 64};

/* ---- buffers ---- */

struct net_buffer *net_buffer_new(struct net *net, const uint8_t *bytes, size_t n, size_t length)
{
    unsigned c = 0;
    while (c < NET_CLASSES && class_bytes[c] < length)
        c++;
    if (c == NET_CLASSES)
        return NULL;
    struct net_buffer *b = net->free_buffers[c];
    if (b != NULL)
        net->free_buffers[c] = b->next;
    else
        b = net->alloc->allocate(net->alloc->user, sizeof *b + class_bytes[c]);
    if (b == NULL)
        return NULL;
    b->refs = 1;
    b->length = (uint32_t)length;
    b->size_class = (uint8_t)c;
    b->tapped = false;
    b->next = NULL;
    memcpy(b->bytes, bytes, n);
    memset(b->bytes + n, 0, length - n);
    return b;
}

void net_buffer_drop(struct net *net, struct net_buffer *b)
{
    if (--b->refs > 0)
        return;
    b->next = net->free_buffers[b->size_class];
    net->free_buffers[b->size_class] = b;
}

/* ---- packets ---- */

static void arrive_nowhere(void *ctx, uint64_t now_ns)
{
    (void)ctx;
    (void)now_ns;
}

struct net_packet *net_packet_new(struct net *net, struct net_buffer *buffer)
{
    struct net_packet *p = net->free_packets;
    if (p != NULL)
        net->free_packets = p->next;
    else
        p = net->alloc->allocate(net->alloc->user, sizeof *p);
    if (p == NULL) {
        net_buffer_drop(net, buffer);
        return NULL;
    }
    memset(p, 0, sizeof *p);
    sim_timer_init(&p->timer, arrive_nowhere, p);
    p->net = net;
    p->buffer = buffer;
    net->packets_alive++;
    return p;
}

struct net_packet *net_packet_share(struct net_packet *packet)
{
    packet->buffer->refs++;
    struct net_packet *p = net_packet_new(packet->net, packet->buffer);
    if (p != NULL) {
        p->priority = packet->priority;
        p->priority_known = packet->priority_known;
    }
    return p;
}

bool net_packet_unshare(struct net_packet *packet)
{
    struct net_buffer *old = packet->buffer;
    if (old->refs == 1)
        return true;
    struct net_buffer *b = net_buffer_new(packet->net, old->bytes, old->length, old->length);
    if (b == NULL)
        return false;
    b->tapped = old->tapped;
    net_buffer_drop(packet->net, old);
    packet->buffer = b;
    return true;
}

void net_packet_free(struct net_packet *p)
{
    struct net *net = p->net;
    sim_timer_cancel(net->sim, &p->timer); /* one that is held may be waiting */
    pfc_uncharge(p);
    net_buffer_drop(net, p->buffer);
    p->next = net->free_packets;
    net->free_packets = p;
    net->packets_alive--;
}

void net_buffers_free(struct net *net)
{
    for (unsigned c = 0; c < NET_CLASSES; c++)
        while (net->free_buffers[c] != NULL) {
            struct net_buffer *b = net->free_buffers[c];
            net->free_buffers[c] = b->next;
            net->alloc->release(net->alloc->user, b, sizeof *b + class_bytes[c]);
        }
    while (net->free_packets != NULL) {
        struct net_packet *p = net->free_packets;
        net->free_packets = p->next;
        net->alloc->release(net->alloc->user, p, sizeof *p);
    }
}

size_t net_frames_alive(const struct net *net)
{
    return net->packets_alive;
}

/* ---- queues ---- */

void net_queue_init(struct net_queue *q)
{
    *q = (struct net_queue){.last = &q->first};
}

void net_queue_put(struct net_queue *q, struct net_packet *packet)
{
    packet->next = NULL;
    *q->last = packet;
    q->last = &packet->next;
    q->bytes += packet->buffer->length;
    q->frames++;
}

struct net_packet *net_queue_take(struct net_queue *q)
{
    struct net_packet *p = q->first;
    if (p == NULL)
        return NULL;
    q->first = p->next;
    if (q->first == NULL)
        q->last = &q->first;
    q->bytes -= p->buffer->length;
    q->frames--;
    p->next = NULL;
    return p;
}

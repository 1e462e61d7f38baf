/* The seam below every device: a port sends and receives Ethernet frames, whatever kind of network it is on.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_PORT_H
#define DEVICES_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One host's network interface seen from above. Above it sit the software RoCE NIC and the host's TCP;
 * below it the simulated, the ns-3 or the live network, each of which implements struct port_ops.
 *
 *     NIC, TCP ── port_send ──▶ port ──▶ network        (the frame is captured here, on its way out)
 *     NIC, TCP ◀── receiver ─── port ◀── network        (and here, on its way in)
 *
 * A frame starts with the destination MAC and ends before the frame check sequence. Padding to 60
 * bytes is the network's business: a sender may hand over less, a receiver must expect padding.
 * `mtu` counts what follows the Ethernet header and VLAN tags, so a frame has at most
 * mtu + 14 + 4 × tags bytes. Frames arrive late, twice, out of order, damaged or not at all; they are
 * hostile until checked.
 *
 * Time is in nanoseconds of a clock that never runs backwards, with an origin that only the network
 * knows; in a simulation it is virtual. It is an argument here and read nowhere.
 *
 * One thread at a time uses a port. A network never calls the receiver from within port_send, not even
 * when both ends are on the same host: it queues, so that a sender is never re-entered. */

struct port;

/* What is above. Installed once, before the first frame; both functions mandatory. A port has ONE
 * receiver: a host that has several (RoCE takes UDP 4791 and EtherType 0x8915, TCP the rest) tells them
 * apart itself. */
struct port_receiver {
    /* `frame` is borrowed for the call. The receiver may send from within it. */
    void (*frame)(void *user, struct port *port, const uint8_t *frame, size_t length,
                  uint64_t now_ns);
    /* The link went up or down; called only when that changed. */
    void (*link)(void *user, struct port *port, bool up, uint64_t now_ns);
    void *user;
};

/* What is below. */
struct port_ops {
    /* Takes a copy of the frame. true: it is on its way or lost like any frame; false: refused now
     * (link down, queue full, longer than the MTU allows), and the sender may act on that. */
    bool (*send)(struct port *port, const uint8_t *frame, size_t length, uint64_t now_ns);
    /* Bytes behind the Ethernet header; 68 or more; may change while the link is down only. */
    uint32_t (*mtu)(const struct port *port);
    bool (*link_up)(const struct port *port);
};

/* The network owns the object and fills in ops and mac; the host above sets the receiver. */
struct port {
    const struct port_ops *ops;
    uint8_t mac[6]; /* constant; frames for others may arrive too (a mirror, a live tap) */
    struct port_receiver receiver;
};

static inline bool port_send(struct port *port, const uint8_t *frame, size_t length,
                             uint64_t now_ns)
{
    return port->ops->send(port, frame, length, now_ns);
}

static inline uint32_t port_mtu(const struct port *port)
{
    return port->ops->mtu(port);
}

static inline bool port_link_up(const struct port *port)
{
    return port->ops->link_up(port);
}

#ifdef __cplusplus
}
#endif

#endif

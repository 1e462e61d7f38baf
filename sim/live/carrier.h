/* Frame carriers: how Ethernet frames leave this process for a real network, and come in.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_LIVE_CARRIER_H
#define SIM_LIVE_CARRIER_H

#include "sim/live/live.h"

/* Frames from the destination MAC on, without FCS. A carrier never blocks: what cannot leave at once waits (at most 8 MiB; then
 * it is lost, as on any network). */
struct live_carrier;

struct live_carrier_stats {
    uint64_t sent, received, lost; /* frames; lost: no room outside */
};

/* All of them: NULL, and why in `error` (as large as LIVE_ERROR).
 *
 * dgram: QEMU's `-netdev dgram` with unix sockets, one frame a datagram: binds `own` (made, removed at the end), sends to `peer`.
 * stream: QEMU's `-netdev stream`, `socket`: 4 bytes of length, big endian, then the frame; connects to `path`.
 * tap: /dev/net/tun; made if there is none of that name; the device is set up (needs CAP_NET_ADMIN).
 * packet: AF_PACKET on an existing interface, promiscuous (needs CAP_NET_RAW); what this machine itself sends there is not seen.
 * fd: a descriptor that has one frame a read and write (a socket pair of tests); closed at the end. */
enum { LIVE_ERROR = 256 };
struct live_carrier *live_carrier_dgram(const char *own, const char *peer, char *error);
struct live_carrier *live_carrier_stream(const char *path, char *error);
struct live_carrier *live_carrier_tap(const char *name, char *error);
struct live_carrier *live_carrier_packet(const char *interface, char *error);
struct live_carrier *live_carrier_fd(int fd, bool stream, char *error);

/* The MAC address of what "packet:INTERFACE" names; for "tap:NAME" that of the device (the other end of the wire). False: none. */
bool live_carrier_mac(const char *text, uint8_t mac[6]);

/* Begins to read: `frame` is called for each frame that comes, within an event of the engine. */
void live_carrier_start(struct live_carrier *carrier, struct live *live,
                        void (*frame)(void *user, const uint8_t *bytes, size_t length), void *user);
void live_carrier_send(struct live_carrier *carrier, const uint8_t *bytes, size_t length);
struct live_carrier_stats live_carrier_stats(const struct live_carrier *carrier);
/* False: the other side has closed it. */
bool live_carrier_alive(const struct live_carrier *carrier);
void live_carrier_free(struct live_carrier *carrier); /* NULL is allowed */

#endif

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
 * packet: AF_PACKET on an existing interface, promiscuous (needs CAP_NET_RAW); what this machine itself sends there is not seen. What
 *   a kernel left for hardware to do (checksums, cutting long TCP segments) is done here: sim/live/offload.h.
 * fd: a descriptor that has one frame a read and write (a socket pair of tests); closed at the end. */
enum { LIVE_ERROR = 256 };
struct live_carrier *live_carrier_dgram(const char *own, const char *peer, char *error);
struct live_carrier *live_carrier_stream(const char *path, char *error);
struct live_carrier *live_carrier_tap(const char *name, char *error);
struct live_carrier *live_carrier_packet(const char *interface, char *error);
struct live_carrier *live_carrier_fd(int fd, bool stream, char *error);

/* "tap:NAME", "packet:INTERFACE" or "stream:PATH", as on a command line. */
struct live_carrier *live_carrier_open(const char *text, char *error);

/* The kernel's own interface at the other end: of "tap:NAME" that device, of "packet:INTERFACE" the other end of that veth, if it is
 * in this network namespace. False: there is none, and why in `error` (LIVE_ERROR). */
enum { LIVE_INTERFACE = 16 }; /* IFNAMSIZ */
bool live_carrier_far_end(const char *text, char name[LIVE_INTERFACE], uint8_t mac[6], char *error);

/* Begins to read: `frame` is called for each frame that comes, within an event of the engine. */
void live_carrier_start(struct live_carrier *carrier, struct live *live,
                        void (*frame)(void *user, const uint8_t *bytes, size_t length), void *user);
void live_carrier_send(struct live_carrier *carrier, const uint8_t *bytes, size_t length);
struct live_carrier_stats live_carrier_stats(const struct live_carrier *carrier);
/* False: the other side has closed it. */
bool live_carrier_alive(const struct live_carrier *carrier);
/* Whoever reads this carrier first has nothing of what came before: what waits in the kernel is thrown away. Not for a stream. */
void live_carrier_drain(struct live_carrier *carrier);
void live_carrier_free(struct live_carrier *carrier); /* NULL is allowed */

#endif

/* What a kernel leaves to a NIC's hardware, done by us: checksums, and the cutting of long TCP segments.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_LIVE_OFFLOAD_H
#define SIM_LIVE_OFFLOAD_H

#include <stddef.h>
#include <stdint.h>

/* Between two interfaces of one machine (veth), and behind a NIC that joins what it received (GRO), AF_PACKET shows frames that never
 * were on any wire: a TCP checksum that covers the pseudo header alone, a segment of 64 KiB. With PACKET_VNET_HDR each frame comes
 * behind a header that says so: struct virtio_net_hdr of linux/virtio_net.h, in the machine's byte order, of this size. */
enum { LIVE_OFFLOAD = 10 };

/* `bytes`: header and frame; the frame is changed. Calls `frame` for each frame as it would be on a wire. Returns how many frames
 * were thrown away: 1 where the header says what cannot be (an offset outside, TCP that is none) or what we do not do (UDP in one
 * piece for several datagrams). */
unsigned live_offload_finish(uint8_t *bytes, size_t length, void (*frame)(void *user, const uint8_t *bytes, size_t length), void *user);

#endif

/* A learning switch with VLANs.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_SWITCH_H
#define SIM_SWITCH_H

#include "sim/network.h"
#include "sim/pfc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Store and forward. A frame belongs to one VLAN: that of its tag or, untagged (or with VLAN id 0), the
 * port's own. It leaves by the port on which its destination was last seen in that VLAN, or by all of
 * the VLAN; untagged on access ports and in a trunk's native VLAN, tagged otherwise. Frames to
 * 01:80:c2:00:00:0x stay on their link.
 *
 * A new port is a trunk of all VLANs with native VLAN 1: frames pass as they came. What was learned is
 * forgotten after 300 s without a frame, and when the port's link goes down. Where the table is full or
 * memory is short nothing is learned and frames are flooded. */
enum { NET_VLAN_MAX = 4094, SWITCH_PORTS_MAX = 4096, SWITCH_STATIONS_MAX = 65536 };
#define SWITCH_AGE_NS (UINT64_C(300) * SIM_S)

struct net_switch;

/* Ports are named "<name>.0", "<name>.1" … NULL: memory short, name taken or too long, no port or more
 * than SWITCH_PORTS_MAX. Freed with the net. */
struct net_switch *net_switch_new(struct net *net, const char *name, unsigned ports);
/* NULL: no such port. */
struct port *net_switch_port(struct net_switch *sw, unsigned i);
/* A free port, in order; NULL: none. */
struct port *net_switch_free_port(struct net_switch *sw);

/* Only frames of this VLAN, untagged (tagged ones of it are taken in too). SMC_ERR_ARGUMENT. */
int net_switch_access(struct net_switch *sw, unsigned i, uint16_t vlan);
/* Tagged frames of the VLANs listed (n 0: all), untagged ones belong to `native` (0: are dropped).
 * SMC_ERR_ARGUMENT. */
int net_switch_trunk(struct net_switch *sw, unsigned i, uint16_t native, const uint16_t *vlans,
                     size_t n);
/* An entry that is neither learned nor forgotten. SMC_ERR_ARGUMENT; SMC_ERR_NOMEM; SMC_ERR_NOSPACE. */
int net_switch_set_station(struct net_switch *sw, uint16_t vlan, const uint8_t mac[6], unsigned i);
/* The port on which a station is; -1: not known. */
int net_switch_find_station(struct net_switch *sw, uint16_t vlan, const uint8_t mac[6]);
/* Ports of one group (not 0; 0: of none, as at first) lead to the same places: several ways to one fabric,
 * as with equal-cost routes or link aggregation. A frame for a station behind one of them leaves by that
 * of the group's ports which are up that the hash of its flow names (net_frame_flow, seeded by the
 * switch's name, so that the switches of a fabric choose independently); flooded frames leave by the first. What
 * came in through the group never leaves through it again: a fabric of leaves and spines has no loops.
 * SMC_ERR_ARGUMENT. */
int net_switch_set_group(struct net_switch *sw, unsigned i, uint16_t group);
/* Forgets all that was learned. */
void net_switch_flush(struct net_switch *sw);

/* pfc_enable() and ecn_enable() for all ports. The first error; earlier ports stay changed. */
int net_switch_enable_pfc(struct net_switch *sw, const struct pfc_config *config);
int net_switch_enable_ecn(struct net_switch *sw, const struct ecn_config *config);

#ifdef __cplusplus
}
#endif

#endif

/* Flow control and congestion marks: PAUSE by priority (802.1Qbb), ECN in egress queues.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_PFC_H
#define SIM_PFC_H

#include "devices/port.h"
#include "sim/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Off unless enabled, port by port. Without it a port has one queue and ignores PAUSE frames.
 *
 * A port with flow control has a queue a priority, served in turn, and stops those that a PFC or PAUSE
 * frame of its neighbour names. A switch's port also counts what came in through it and has not left the
 * switch yet, by priority. When a lossless priority passes xoff_bytes it tells its neighbour to stop, and
 * again before the pause ends; when it falls to xon_bytes, to go on. Frames of a lossless priority are
 * never dropped by an egress queue's limit; they are when the ingress account passes xoff_bytes +
 * headroom_bytes: headroom must hold what is under way when the PAUSE is sent. */
enum pfc_trust { PFC_TRUST_PCP, PFC_TRUST_DSCP }; /* priority: of the VLAN tag, or the upper 3 bits of DSCP */

struct pfc_config {
    uint8_t lossless; /* a bit a priority */
    enum pfc_trust trust;
    uint32_t xoff_bytes, xon_bytes, headroom_bytes; /* xon_bytes <= xoff_bytes */
    uint16_t quanta;  /* of 512 bit times; 0: 65535 */
};

/* Copies the configuration; NULL turns it off (and lets go whatever was stopped). SMC_ERR_NOMEM;
 * SMC_ERR_ARGUMENT: xon above xoff; SMC_ERR_STATE: frames are queued (enable it before). */
int pfc_enable(struct port *port, const struct pfc_config *config);
/* Is this priority stopped by the neighbour now? */
bool pfc_paused(const struct port *port, unsigned priority);
/* What a switch's port has taken in and not yet got rid of. */
uint32_t pfc_ingress_bytes(const struct port *port, unsigned priority);

/* ECN-capable frames (IPv4, IPv6) that enter an egress queue (of their priority) of q bytes are marked CE
 * with this chance, the congestion point of DCQCN (figure 5 of the paper, see devices/roce_dcqcn.h):
 *     0                               q <= min          K_min
 *     max_per_million (q − min) / (max − min)           P_max at K_max
 *     1                               q > max */
struct ecn_config {
    uint32_t min_bytes, max_bytes; /* min <= max */
    uint32_t max_per_million;
};
/* NULL: off. SMC_ERR_NOMEM, SMC_ERR_ARGUMENT. */
int ecn_enable(struct port *port, const struct ecn_config *config);

/* The 60 bytes of a PFC frame: for each bit of `enable` a pause of `quanta` (0: go on). */
enum { PFC_FRAME_BYTES = 60 };
void pfc_frame(uint8_t frame[PFC_FRAME_BYTES], const uint8_t src_mac[6], uint8_t enable,
               uint16_t quanta);

#ifdef __cplusplus
}
#endif

#endif

/* What two sides agree on: pure functions over what one side has and what the other one's message says.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * They look at no endpoint and call nobody, so every combination of versions, paths, devices and EIDs can be tried. A result
 * that is a diagnosis is 0 or the code of a Decline (SMC_DIAG_…). Source: state-machines §1.6, §1.10; wire-format §2. */
#ifndef SMC_NEGOTIATE_H
#define SMC_NEGOTIATE_H

#include <smc/endpoint.h>

#include "eid.h"

enum {
    SMC_OWN_DEVICES_MAX = 16, /* dibs devices looked at for one connection */
    SMC_STEPS_MAX = 2 * SMC_OWN_DEVICES_MAX + 8,
    SMC_FEATURE_EMULATED = 0x0001,
    SMC_MAX_CONNS_MIN = 16
};

struct smc_own_device { /* dibs */
    struct smc_gid gid;
    uint16_t chid; /* from SMC_CHID_EMULATED on: emulated, 128-bit GID */
    bool v2_capable;
    bool no_v1; /* refused the VLAN of the connection */
};

/* What one host has for one connection. */
struct smc_own {
    bool v1, v2, smc_r, smc_d; /* wanted at all */
    uint8_t release;           /* of version 2: 0 or 1 */
    bool emulated;             /* emulated ISM devices are used */
    uint8_t max_conns, max_links;
    bool smcd_area, always_v2, subnet_number; /* the Proposal's form (struct smc_profile) */
    struct smc_eids eids;
    uint8_t peer_id[8];
    bool r1, r2; /* there is a port for SMC-R v1, v2 */
    struct smc_gid r1_gid, r2_gid;
    uint8_t r1_mac[6];
    struct smc_gid own_ip, peer_ip;
    const struct smc_ip_prefix *prefixes; /* borrowed */
    unsigned prefix_count;
    struct smc_own_device devices[SMC_OWN_DEVICES_MAX]; /* in order of preference */
    unsigned device_count;
};

/* Which devices a Proposal names: indexes into own->devices. */
struct smc_offered {
    int native; /* in the locator area (SMC-D v1, and v2 if it is capable); -1: none */
    uint8_t listed[SMC_CLC_MAX_GIDS];
    unsigned listed_count;
};

struct smc_agreement {
    bool smc_d;
    uint8_t version, release; /* release: only what a first contact says */
    uint8_t max_conns, max_links;
    uint16_t features;
    uint8_t eid[SMC_CLC_EID_BYTES]; /* version 2 */
    /* SMC-D */
    unsigned device; /* index into own->devices */
    uint16_t chid;
    /* The peer's GID: SMC-D its device's, SMC-R its port's. */
    struct smc_gid peer_gid;
};

/* One thing that a server tries, or the reason why it does not. */
struct smc_step {
    uint32_t diagnosis; /* not 0: ruled out; the first of these is the Decline's reason */
    bool final;         /* and nothing after it may be tried */
    struct smc_agreement agreement;
};

/* The Proposal of a client, ready to be encoded. A diagnosis: nothing can be offered, Decline in its place. */
uint32_t smc_negotiate_proposal(const struct smc_own *own, struct smc_clc_proposal_info *out, struct smc_offered *offered);

/* What a server tries, in order (§1.6): 1 to SMC_STEPS_MAX steps. Reachability of a device or a port is the caller's to find
 * out when it tries; SMC-R steps leave the port to it too. */
unsigned smc_negotiate_server(const struct smc_own *own, const struct smc_clc_proposal_info *proposal,
                              struct smc_step steps[SMC_STEPS_MAX]);

/* A client's check of an Accept against what it has sent [CLC-061, -065, -066, -067, -076, -078]. */
uint32_t smc_negotiate_accept(const struct smc_own *own, const struct smc_clc_proposal_info *sent,
                              const struct smc_offered *offered, const struct smc_clc_accept_info *accept,
                              struct smc_agreement *out);

/* A server's check of a Confirm against its own Accept [CLC-065, CLC-068]. */
uint32_t smc_negotiate_confirm(const struct smc_clc_accept_info *sent, const struct smc_clc_accept_info *confirm);

/* Does the Proposal's IP area name a network of ours? [CLC-020, CLC-021] */
bool smc_negotiate_same_network(const struct smc_own *own, const struct smc_clc_proposal_info *proposal);

bool smc_gid_is_ipv4(const struct smc_gid *gid); /* ::ffff:a.b.c.d */

#endif

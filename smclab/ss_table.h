/* Rows of the tables of smclab ss.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMCLAB_SS_TABLE_H
#define SMCLAB_SS_TABLE_H

#include "look.h"

#include <smc/endpoint.h>

struct ss_row {
    const char *host;  /* whose it is */
    const char *state; /* of the socket, whatever the mode: LISTEN, INIT, ACTIVE … */
    uint64_t inode;
    unsigned uid;
    bool tcp;          /* there is a TCP connection: addresses, mode */
    struct smc_gid own, peer;
    uint16_t own_port, peer_port;
    unsigned interface;
    enum smc_mode mode;
    uint32_t fallback, peer_diagnosis;
    bool info_known, link_known;
    struct smc_connection_info info;
    struct smc_link_info link;
};

void ss_put_header(const struct look *look);
/* Nothing, where the options do not ask for it. */
void ss_put_row(const struct look *look, const struct ss_row *row);
void ss_put_group_header(const struct look *look, bool smc_d);
void ss_put_group_r(const struct look *look, const char *host, const struct smc_group_info *group);
void ss_put_group_d(const struct look *look, const char *host, const struct smc_group_info *group);
void ss_put_link_header(const struct look *look);
void ss_put_links(const struct look *look, const char *host, const struct smc_group_info *group);

#endif

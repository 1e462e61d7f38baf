/* What the parts of Device Memory TCP share: the runs of bytes from bound queues, and the table of tokens.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_TCP_DEVMEM_PARTS_H
#define SIM_TCP_DEVMEM_PARTS_H

#include "sim/tcp_devmem.h"
#include "sim/tcp_parts.h"

/* Bytes from .. to - 1 of the stream that came by a bound queue. */
struct tcp_run {
    uint32_t from, to;
    devmem_netmem mem; /* one reference; 0: the bytes are host memory and in the receive ring */
    uint32_t offset;   /* in the chunk */
    bool unreadable;   /* part of an unreadable packet; so are its host bytes */
};

struct tcp_devmem {
    struct tcp_run *runs; /* first .. end - 1, ascending, not overlapping */
    uint32_t first, end, capacity;
    devmem_netmem *tokens; /* token t at t - 1; 0: free. One reference each */
    uint32_t token_room, outstanding;
    uint32_t token_hint; /* nothing below is free */
};

/* A token for one more reference. 0: no memory. */
uint32_t tcp_devmem_token(struct tcp_conn *conn, devmem_netmem mem);

#endif

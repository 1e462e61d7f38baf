/* Applications that exchange patterns over the stack and compare every byte; the result as JSON.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_TRAFFIC_H
#define CONFORMANCE_AGENT_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "conformance/agent/stack/stack.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Each connection begins with 32 bytes from the client, little endian: "SMCT", kind, number, 0 (4 bytes
 * each), bytes that the client and that the server will send (8 bytes each). Then, by kind:
 *
 *     DUPLEX    patterns both ways
 *     UPLOAD    a pattern from the client; the server answers with totals of 8 bytes: so many bytes of
 *               the pattern have arrived and were right
 *     DOWNLOAD  the same with the sides changed
 *
 * Byte i of a pattern depends on the connection's number, the direction and i alone. */
enum traffic_kind { TRAFFIC_DUPLEX, TRAFFIC_UPLOAD, TRAFFIC_DOWNLOAD };

struct traffic_config {
    const struct smc_alloc *alloc; /* borrowed, as all pointers here */
    struct stack *stack;
    bool client;
    enum stack_family family;
    const char *address;
    uint16_t port;
    unsigned connections; /* client: opened, all at once; server: served */
    unsigned opening;     /* client: so many handshakes at one time; 0: all */
    bool mixed;           /* client: UPLOAD and DOWNLOAD in turn, else `kind` */
    enum traffic_kind kind;
    uint64_t up_bytes, down_bytes; /* a connection */
    bool log; /* "V number total": verified, before it is acknowledged; "A number total": acknowledged by the peer */
    FILE *out;
};

struct traffic;

int traffic_new(const struct traffic_config *config, struct traffic **out);
void traffic_free(struct traffic *traffic);
/* For stack_run: every connection is over. */
const bool *traffic_done(const struct traffic *traffic);
/* One line of JSON. true: all connections ended in order, with every byte, in the mode expected
 * (SMC_MODE_NONE: in any). */
bool traffic_report(const struct traffic *traffic, enum smc_mode expected);
/* Ends what is not over yet. */
void traffic_stop(struct traffic *traffic);

#ifdef __cplusplus
}
#endif

#endif

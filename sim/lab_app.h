/* Applications that measure: request and response, and streams, on hosts whose software may cost time (sim/cpu.h).
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_LAB_APP_H
#define SIM_LAB_APP_H

#include "sim/lab.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One on each end of a connection. All of them do one call at a time, pay for it on their host's processor, and sleep when there
 * is nothing they can do; every byte is compared with the pattern.
 *   caller    sends requests, at most `depth` of them without a response; each has a latency: from the beginning of its
 *             send() to the end of the recv() that brought its last byte
 *   answerer  sends a response for each whole request
 *   sender    sends `count` × request bytes, the last of them with NODELAY; receiver reads them */
enum lab_app_kind { LAB_APP_CALLER, LAB_APP_ANSWERER, LAB_APP_SENDER, LAB_APP_RECEIVER };
enum { LAB_APP_DEPTH_MAX = 1024, LAB_APP_CHUNK_MAX = 1 << 20, LAB_APP_CALL_MAX = 64 << 20 };

struct lab_app_plan {
    enum lab_app_kind kind;
    uint64_t request_bytes, response_bytes, count;
    unsigned depth;        /* 0: 1 */
    uint32_t chunk;        /* the longest single send() or recv(); 0: 64 KiB */
    uint64_t think_ns;     /* a caller between a response and its next request */
    uint64_t pattern;      /* of what the caller or sender sends; what comes back has pattern + 1 */
};

struct lab_app_state {
    bool done;                 /* everything was sent and received */
    bool wrong;                /* a byte differed */
    bool failed;               /* the connection broke, or the stream ended early */
    uint64_t sent, received;   /* bytes */
    uint64_t calls;            /* responses received whole */
    uint64_t send_calls, receive_calls; /* to the stack */
    uint64_t begin_ns, end_ns; /* of the first step and of the last byte received */
    uint64_t latency_sum_ns, latency_min_ns, latency_max_ns;
    uint64_t silence_ns, silence_at_ns; /* the longest time between two calls that received something, and its beginning */
};

/* SMC_ERR_EXISTS: the socket has traffic; SMC_ERR_ARGUMENT; SMC_ERR_NOMEM. */
int lab_app_start(struct lab_socket *socket, const struct lab_app_plan *plan);
/* Ends it; the socket is the script's again. Not from within an event of the socket. */
void lab_app_stop(struct lab_socket *socket);
/* All zero without an application. */
void lab_app_get(const struct lab_socket *socket, struct lab_app_state *out);
/* The latency that `share` per million of the calls did not exceed, to 1/32 of it; 0 without calls. */
uint64_t lab_app_quantile(const struct lab_socket *socket, uint32_t share);

#ifdef __cplusplus
}
#endif

#endif

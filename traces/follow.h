/* The application's bytes of one connection, one direction, as they were announced.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Plain TCP gives its payload; SMC-R and SMC-D are rebuilt from writes into the peer's ring and the producer cursor:
 * every byte that the cursor announced, read or not, urgent bytes in place, replays after a failover once. */
#ifndef TRACE_FOLLOW_H
#define TRACE_FOLLOW_H

#include "session.h"

struct trace_follow {
    /* set by the caller */
    uint64_t connection;         /* trace_conn id */
    int side;                    /* whose bytes: TRACE_C2S, TRACE_S2C */
    int (*put)(void *ctx, const uint8_t *p, size_t n); /* non-zero: could not be written, stop */
    void *put_ctx;
    /* results */
    bool found;                  /* the connection exists */
    uint64_t written;            /* bytes given to put */
    bool missing;                /* the byte at offset `written` is missing: `why` says why, `frame` where */
    const char *why;
    uint64_t frame;              /* 0 if none */
    bool put_failed, no_memory;
    /* private: an image of the peer's ring and which of its bytes hold data not yet delivered */
    uint8_t *image, *valid;
    uint32_t ring;
    uint64_t cdcs;
};

/* Listener for trace_session_new(); ctx is the struct trace_follow. */
extern const struct trace_session_events trace_follow_events;
/* Frees what the listener allocated; the results stay. */
void trace_follow_free(struct trace_follow *f);

#endif

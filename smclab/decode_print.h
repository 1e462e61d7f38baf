/* How smclab decode prints a message.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMCLAB_DECODE_PRINT_H
#define SMCLAB_DECODE_PRINT_H

#include "wire/message.h"

#include <stdio.h>

struct decoded {
    uint64_t frame, ts_ns;
    const char *protocol;   /* CLC, LLC, CDC, RECORD, TCPOPT */
    uint64_t connection;    /* 0: none known */
    char from[64], to[64];  /* "ip:port"; of RoCE the addresses; of a record the GIDs; "" if not known */
    bool has_qp;
    uint32_t qp;            /* destination QP of RoCE */
    struct smc_view bytes;  /* the message */
    bool cut;               /* the wire had more of it */
    uint32_t data_bytes;    /* RECORD: what it carries */
    bool valid;
    struct smc_reject reject; /* if not valid */
    struct smc_parsed parsed; /* if not valid: what stands before the fault; message NULL if it is not known */
};

/* One JSON object and a newline. */
void decode_print_json(const struct decoded *m, FILE *out);
void decode_print_text(const struct decoded *m, FILE *out);

#endif

/* What the judge says of one capture: findings, connections, how often each requirement was evaluated.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef JUDGE_RESULT_H
#define JUDGE_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum judge_level { JUDGE_MUST, JUDGE_SHOULD, JUDGE_MAY, JUDGE_IMPL };
enum judge_verdict { JUDGE_FAIL, JUDGE_WARN, JUDGE_DEVIATION, JUDGE_INCONCLUSIVE, JUDGE_VERDICTS };
enum judge_fault { JUDGE_FAULT_CLIENT, JUDGE_FAULT_SERVER, JUDGE_FAULT_UNKNOWN };

/* A row of the catalogue (requirements.csv, embedded at build time). */
struct judge_requirement {
    const char *id, *source, *area, *text, *observable, *how, *negative;
    enum judge_level level;
};
/* All rows, in the order of the file; indexes are the constants REQ_… of catalogue_ids.h. */
extern const struct judge_requirement judge_catalogue[];
extern const size_t judge_catalogue_size;
/* Index of an id, or -1. */
int judge_requirement_index(const char *id);

enum { JUDGE_MAX_RELATED = 4 };

struct judge_finding {
    int requirement;          /* index */
    enum judge_verdict verdict;
    const char *deviation;    /* entry of deviations.c, or NULL */
    enum judge_fault at_fault;
    uint64_t frame;           /* 0: something is absent */
    uint64_t related[JUDGE_MAX_RELATED];
    unsigned nrelated;
    uint64_t connection;      /* trace_conn id, 0 if none */
    int64_t offset;           /* byte in the message, -1 if none */
    char *seen, *expected, *message; /* owned, never NULL */
};

/* A connection; small, so that millions fit (fallback is a static string). */
struct judge_connection {
    uint64_t id;
    uint8_t client_addr[16], server_addr[16];
    uint16_t client_port, server_port;
    uint8_t mode;             /* enum trace_mode */
    uint8_t version, release; /* 0 if none */
    uint8_t closed;           /* enum trace_closed */
    bool bytes_known[2];
    bool declined;
    uint32_t decline;
    uint64_t group;           /* 0 if none */
    const char *fallback;     /* NULL if none */
    uint64_t bytes[2];        /* client to server, server to client */
};

struct judge_result {
    const char *file;         /* owned */
    uint64_t packets;
    char *error;              /* NULL, or why the file could not be read to its end */
    struct judge_connection *connections; /* by id */
    size_t nconnections;
    struct judge_finding *findings;       /* by frame, requirement */
    size_t nfindings;
    uint64_t dropped_findings; /* beyond the limit per requirement: counted in summary, not listed */
    uint64_t *exercised;       /* [judge_catalogue_size] */
    /* [client, server] of them: evaluated by what that side did, or found broken by it. What no event of one side decides (silence
     * at the end that broke nothing) is in neither. */
    uint64_t *exercised_by[2];
    uint64_t summary[JUDGE_VERDICTS];
    bool anything_judged;      /* at least one SMC requirement was evaluated */
};

#endif

/* The agent's sockets, as its socket and traffic files see them.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_SOCKET_H
#define CONFORMANCE_AGENT_SOCKET_H

#include "conformance/agent/agent.h"

struct agent_traffic;
struct agent_slow;

struct agent_socket {
    struct agent_source source; /* the first member: the loop knows only this */
    struct agent_socket *next;
    uint64_t id;
    bool listening, connecting, smc;
    bool told_readable, told_writable, told_urgent, told_eof, told_error;
    uint32_t sndbuf;            /* of SMC, once smc_diag has told it */
    struct agent_traffic *traffic;
    struct agent_slow *slow;    /* a shutdown that the kernel takes its time for */
};

/* Asks epoll again for what has not been told yet, or what the traffic waits for. */
void agent_socket_arm(struct agent *a, struct agent_socket *s);
void agent_socket_close(struct agent *a, struct agent_socket *s, bool abort);

/* ---- agent_slow.c: calls in which the kernel may sleep. They get a thread; the caller waits at most some 20 ms for it. ---- */
/* 0 (done, or still under way: *pending), or an errno. */
int agent_slow_shutdown(struct agent_socket *s, int how, bool *pending);
/* Closes s->source.fd, after a shutdown that is still under way. True: still under way. */
bool agent_slow_close(struct agent_socket *s);

/* ---- agent_traffic.c ---- */
int agent_traffic_start(struct agent *a, struct agent_socket *s, const struct agent_line *line);
/* Reads and writes what goes. The socket may be closed afterwards (dead: source.fd < 0). */
void agent_traffic_progress(struct agent *a, struct agent_socket *s);
uint32_t agent_traffic_interest(const struct agent_traffic *t); /* EPOLLIN, EPOLLOUT */
uint64_t agent_traffic_next_ns(const struct agent_traffic *t);
void agent_traffic_tick(struct agent *a, struct agent_socket *s, uint64_t now_ns);
void agent_traffic_print(const struct agent_traffic *t, struct agent_text *out);
void agent_traffic_free(struct agent_traffic *t);

/* ---- agent_diag.c: smc_diag ---- */
struct agent_diag {
    bool found;
    uint64_t inode;
    uint32_t sndbuf;
    uint8_t link;           /* of SMC-R; 0: none */
    char gid[41], peer_gid[41];
    struct agent_text *out; /* " NAME=VALUE"… as `info` answers; NULL: only sndbuf is wanted */
};
int agent_diag_find(struct agent *a, struct agent_diag *d);
/* agent_smc.c: " version= group=" of an SMC-R connection, as far as they can be told. */
void agent_smc_print_group(const struct agent_diag *d, struct agent_text *out);
/* All of them: "1.state=…"… and count=. */
int agent_diag_all(struct agent *a, struct agent_text *out);

#endif

/* Inside of the stack: sockets and who may touch them.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_STACK_PARTS_H
#define CONFORMANCE_AGENT_STACK_PARTS_H

#include "conformance/agent/stack/stack.h"

enum { STACK_PARTS = 16, STACK_INPUT = 8192 };

enum stack_stage { STAGE_CONNECTING, STAGE_SMC, STAGE_PLAIN, STAGE_LISTENING, STAGE_OVER };

struct stack_socket {
    struct stack *stack;
    struct stack_socket *next;
    int fd;
    enum stack_family family;
    enum stack_stage stage;
    bool client;
    const struct stack_ops *ops;
    void *user;
    struct smc_connection *smc;
    uint32_t interest; /* of epoll; 0: not in it */
    /* What TCP received and SMC did not take, or the application after a fallback has not read. */
    uint8_t input[STACK_INPUT];
    size_t input_head, input_end;
    uint8_t *output; /* CLC messages that TCP did not take yet */
    size_t output_length, output_room;
    bool shutdown_wanted; /* FIN behind the output */
    bool tcp_eof, tcp_eof_told, blocked;
    bool told_connected, told_error, closed;
    bool smc_over; /* it said CLOSED before it was closed: then it says no more */
    int error;
    uint32_t fallback, peer_diagnosis;
};

struct stack {
    const struct smc_alloc *alloc;
    struct stack_config config;
    struct smc_endpoint *endpoint;
    struct smc_dibs dibs;
    int epoll;
    struct stack_part parts[STACK_PARTS];
    unsigned part_count;
    struct stack_socket *sockets;
    bool some_over; /* sockets wait to be freed */
};

extern const struct smc_host_ops stack_host_ops;

/* Readable, writable or broken: what epoll said. */
void stack_socket_ready(struct stack_socket *s, uint32_t events);
void stack_socket_free(struct stack_socket *s);

#endif

/* The inside of a kernel host: its sockets, and what the files share.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_TARGETS_KERNEL_INTERNAL_H
#define CONFORMANCE_TARGETS_KERNEL_INTERNAL_H

#include "conformance/targets/kernel_host.h"

/* What is known of a socket, so that the agent is not asked after every event of the engine. */
struct kernel_socket {
    struct kernel_socket *next;
    uint64_t number;
    const struct lab_host *host; /* whose it is */
    uint64_t empty_until, full_until; /* it said EAGAIN: asked again when it says it can, or at this time */
    struct lab_outside_info info;
    bool info_known, traffic_known, has_traffic;
    uint64_t info_at, traffic_at;
    struct lab_traffic_state traffic;
};

struct kernel_port {
    struct kernel_host *kernel;
    unsigned index;
};

/* Where both hosts of a script are this kernel, NICs from this one on are the second host's. */
enum { KERNEL_SECOND = 1, KERNEL_HOSTS = 2 };

struct kernel_host {
    struct kernel_agent agent;
    struct live *live;
    struct live_watch watch;
    struct lab *lab;
    struct lab_host *hosts[KERNEL_HOSTS];
    struct lab_outside outside, second;
    struct lab_outside_ops first_ops, second_ops;
    enum kernel_both both;
    struct kernel_nic nics[KERNEL_NICS];
    struct kernel_port ports[KERNEL_NICS];
    char names[KERNEL_NICS][32];
    bool link_down[KERNEL_NICS];
    bool rxe_leaves[KERNEL_NICS]; /* taken away, and the kernel has not said that it is done */
    unsigned nic_count;
    bool no_smc[KERNEL_HOSTS];
    bool v1, complained, dispatching; /* v1: it speaks version 1 in this run */
    char version[128], complaint[1024];
    struct kernel_socket *sockets;
};

int kernel_error(int number); /* errno → SMC_ERR_* */
/* 0, or lab_outside_fail() with what was asked and what the agent said. */
int kernel_check(struct kernel_host *kernel, int result, const char *what, const char *answer);

/* " space=NAME" where the host has a network namespace of its own, else "". */
const char *kernel_space(const struct kernel_host *kernel, const struct lab_host *host);
bool kernel_has_no_smc(const struct kernel_host *kernel, const struct lab_host *host);

/* kernel_both.c: both hosts of a script in one kernel */
extern const struct lab_outside_ops kernel_ops;
void kernel_seen(struct kernel_host *kernel, const char *line); /* a frame that the agent captured */

/* kernel_socket.c */
int kernel_listen(void *user, struct lab_socket *socket, uint16_t port, const struct lab_socket_config *config, uint64_t *number);
int kernel_connect(void *user, struct lab_socket *socket, const char *address, uint16_t port, const struct lab_socket_config *config,
                   uint64_t *number);
int64_t kernel_send(void *user, uint64_t number, const void *data, size_t length, unsigned flags);
int64_t kernel_recv(void *user, uint64_t number, void *data, size_t length, unsigned flags);
uint32_t kernel_room(void *user, uint64_t number);
int kernel_shutdown(void *user, uint64_t number, enum smc_how how);
int kernel_close(void *user, uint64_t number);
int kernel_set(void *user, uint64_t number, enum smc_option option, int64_t value);
int kernel_info(void *user, uint64_t number, struct lab_outside_info *out);
int kernel_traffic(void *user, uint64_t number, const struct lab_traffic *traffic);
int kernel_traffic_get(void *user, uint64_t number, struct lab_traffic_state *out);
int kernel_traffic_stop(void *user, uint64_t number);
void kernel_sockets_free(struct kernel_host *kernel);
/* kernel_event.c: the agent's descriptor can be read */
void kernel_agent_ready(void *user, uint64_t now_ns);
/* Events that came while an answer was waited for are told at once, but not from within the present event. */
void kernel_tell_later(struct kernel_host *kernel);
struct kernel_socket *kernel_socket_get(struct kernel_host *kernel, uint64_t number); /* made if there is none; NULL: no memory */
void kernel_read_traffic(const char *line, struct lab_traffic_state *out);

#endif

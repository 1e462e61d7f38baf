/* Our endpoint as a program: libsmc in real time, beside the kernel's TCP sockets, over real devices.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_STACK_H
#define CONFORMANCE_AGENT_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include <smc/endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What sim/lab.h is in virtual time: one host. The kernel's sockets carry CLC (and the data after a
 * fallback), the clock is CLOCK_MONOTONIC, devices are what the caller adds.
 *
 *     application ── stack_send, stack_recv … ──▶ stack ── libsmc ── dibs or rdma device
 *                 ◀── stack_ops.event ───────────       ── non-blocking TCP socket
 *
 * One thread. Everything happens inside stack_run(); the functions below are called before it or from
 * the callbacks. */
struct stack;
struct stack_socket;

/* What carries a socket's bytes. */
enum stack_family {
    STACK_SMC,        /* our endpoint, negotiated over a TCP socket */
    STACK_TCP,        /* plain TCP */
    STACK_KERNEL_SMC, /* the kernel's AF_SMC */
};

/* Whether a TCP connection's two SYNs carried the SMC option (a kernel's TCP shows it to nobody). */
struct stack_option {
    /* NULL: both sides are known to speak SMC, the option is not needed. */
    int (*prepare)(void *user, int fd, bool listener);
    bool (*agreed)(void *user, int fd, bool client);
    void *user;
};

struct stack_config {
    const struct smc_alloc *alloc;     /* borrowed, as all pointers here */
    const struct smc_profile *profile; /* NULL: smc_profile_linux */
    const char *hostname;
    const char *ueid; /* NULL: "SMCLAB.EID" */
    uint64_t seed;
    bool smc_r, smc_d;
    uint32_t rmb_bytes; /* 0: the endpoint's default */
    struct stack_option option;
};

struct stack_ops {
    /* enum SMC_EVENT_*; CONNECTED, ERROR and CLOSED come once. After CLOSED the socket is gone. */
    void (*event)(void *user, struct stack_socket *s, unsigned events);
    /* A new socket of a listener; it has the listener's ops and user. CONNECTED follows. */
    void (*accepted)(void *user, struct stack_socket *s);
};

/* SMC_ERR_*; SMC_ERR_IO: errno. */
int stack_new(const struct stack_config *config, struct stack **out);
/* Sockets are closed without a word, devices must be removed first. */
void stack_free(struct stack *stack);
struct smc_endpoint *stack_endpoint(struct stack *stack);
struct smc_dibs *stack_dibs(struct stack *stack);
uint64_t stack_now_ns(void);

/* Something beside the endpoint that wants to run: a device, an application's timer. All but `user` may be
 * absent (fd: -1). `ready` is called when fd is readable. At most 16. */
struct stack_part {
    int fd;
    void (*ready)(void *user, uint64_t now_ns);
    uint64_t (*next_ns)(void *user);
    void (*run)(void *user, uint64_t now_ns);
    void *user;
};
int stack_add_part(struct stack *stack, const struct stack_part *part);

/* Until `done` (may be NULL) is true or the clock says `until_ns`. */
void stack_run(struct stack *stack, const bool *done, uint64_t until_ns);

/* IPv4 addresses in text. SMC_ERR_ARGUMENT, SMC_ERR_NOMEM, SMC_ERR_IO (errno). */
int stack_listen(struct stack *stack, enum stack_family family, const char *address, uint16_t port, const struct stack_ops *ops,
                 void *user, struct stack_socket **out);
int stack_connect(struct stack *stack, enum stack_family family, const char *address, uint16_t port,
                  const struct stack_ops *ops, void *user, struct stack_socket **out);
void stack_set_user(struct stack_socket *s, void *user);

/* As smc_send and smc_recv, in every mode. */
int64_t stack_send(struct stack_socket *s, const void *data, size_t length);
int64_t stack_recv(struct stack_socket *s, void *data, size_t length);
int stack_shutdown(struct stack_socket *s);
/* How long a close may take to send what is left; without it 2 s, and then the peer is told ABORT. For the kernel's AF_SMC,
 * whose close() waits itself, the same. */
void stack_set_linger(struct stack_socket *s, unsigned seconds);
/* CLOSED follows when everything is over, maybe at once. */
void stack_close(struct stack_socket *s);

enum smc_mode stack_mode(const struct stack_socket *s);
int stack_error(const struct stack_socket *s);
uint32_t stack_fallback(const struct stack_socket *s, uint32_t *peer_diagnosis);

#ifdef __cplusplus
}
#endif

#endif

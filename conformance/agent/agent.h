/* The agent from the inside: what its files share.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_AGENT_H
#define CONFORMANCE_AGENT_AGENT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "conformance/agent/agent_line.h"

#ifndef AF_SMC
#define AF_SMC 43
#endif
enum { AGENT_IPPROTO_SMC = 256, AGENT_FIRST_ACCEPTED = 1000000 };

/* One thread, one epoll. A source is a descriptor that the loop watches; what the kernel may do slowly (close, shutdown, taking a
 * device away) is done by a thread or a process of its own. */
struct agent;
struct agent_source {
    int fd;
    uint32_t interest; /* EPOLLIN … */
    void (*ready)(struct agent *agent, struct agent_source *source, uint32_t events);
};

struct agent_socket;
struct agent_child;
struct agent_saved;
struct agent_space;
struct agent_capture;

struct agent {
    int epoll;
    struct agent_source channel, kmsg, signals;
    int channel_out;             /* the same descriptor as the channel, or another one */
    bool init;                   /* we are pid 1 of a machine of our own */
    bool ended;                  /* the channel is closed, or poweroff */
    bool poweroff;
    bool child;                  /* a process that holds sockets for another agent */
    bool writes_wait;            /* the channel is full */
    sigset_t mask;               /* of the caller */
    char *line;                  /* what has come of the next line */
    size_t line_length, line_room;
    bool skipping;               /* the line was too long */
    struct agent_text out;
    size_t out_done;
    char why[512];               /* the text of an error answer */

    struct agent_socket *sockets, *dead;
    uint64_t next_accepted;
    struct agent_child *children;
    struct agent_saved *saved;   /* sysctls that were changed */
    uint64_t children_made;
    struct agent_space *spaces;  /* network namespaces that were made; home: the one we began in, or 0 */
    int home;
    struct agent_capture *captures;

    unsigned bad;                /* kernel lines that mean trouble, since last asked */
    struct agent_text log;       /* kernel lines at level warning or worse, since last asked */
    bool log_lost;
};

/* ---- agent.c: channel and loop ---- */
struct agent_setup {
    int in, out;     /* descriptors of the channel */
    bool init;
    bool child;
    bool no_kmsg;    /* do not watch the kernel's log */
    uint64_t first_accepted;
};
/* Serves one asker until it leaves, or asks to power off (then *poweroff is set). 0, or -1 and errno. */
int agent_serve(const struct agent_setup *setup, bool *poweroff);
/* 0, or an errno. */
int agent_watch(struct agent *a, struct agent_source *s, uint32_t interest);
void agent_unwatch(struct agent *a, struct agent_source *s);
/* A line "* …" with its LF. */
void agent_event(struct agent *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void agent_event_text(struct agent *a, const struct agent_text *text);
uint64_t agent_now_ns(void);
/* Fails a request with a text: returns `error`. */
int agent_fail(struct agent *a, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A verb: 0, or an errno; adds " NAME=VALUE"… to the answer. */
typedef int agent_verb_fn(struct agent *a, const struct agent_line *line, struct agent_text *answer);
struct agent_verb {
    const char *name, *names; /* "*": any names */
    agent_verb_fn *run;
};
extern const struct agent_verb agent_verbs_net[], agent_verbs_smc[], agent_verbs_socket[], agent_verbs_system[], agent_verbs_space[],
    agent_verbs_module[], agent_verbs_local[];
/* 0 if given and fine; EINVAL (with a text) if missing or not a number of at most `most`. */
int agent_need_number(struct agent *a, const struct agent_line *line, const char *name, uint64_t most, uint64_t *out);
int agent_need(struct agent *a, const struct agent_line *line, const char *name, const char **out);
/* 0 (with *out untouched if it is not given), or EINVAL. */
int agent_may_number(struct agent *a, const struct agent_line *line, const char *name, uint64_t most, uint64_t *out);

/* ---- agent_socket.c, agent_traffic.c ---- */
void agent_sockets_close_all(struct agent *a);
void agent_sockets_tick(struct agent *a);
/* When agent_sockets_tick() is due, UINT64_MAX: never. */
uint64_t agent_sockets_next_ns(const struct agent *a);
void agent_sockets_bury(struct agent *a);

/* ---- agent_child.c: processes that hold sockets, programs, slow calls ---- */
/* Does a verb belong to a socket that a child holds? Then it is done there: true, and *status as a verb's. */
bool agent_child_takes(struct agent *a, const struct agent_line *line, struct agent_text *answer, int *status);
/* A child that will hold the socket of this line: forwards the line to it. */
int agent_child_start(struct agent *a, const struct agent_line *line, struct agent_text *answer);
void agent_child_reap(struct agent *a);
/* 0, or ETIMEDOUT with the text of where in the kernel one sleeps that does not die. */
int agent_children_kill(struct agent *a);
agent_verb_fn agent_program_start, agent_program_signal;
/* Does `work` in a process of its own and tells "* WHAT error=…" when it is done; what: the event's name and names. */
int agent_child_slowly(struct agent *a, const char *what, int (*work)(void *user), void *user);

/* The same, but waited for: ETIMEDOUT, with the text of where it sleeps, if the kernel does not come back. */
int agent_child_wait(struct agent *a, const char *what, int (*work)(void *user), void *user, unsigned timeout_ms);

/* ---- agent_netlink.c etc. ---- */
int agent_net_reset(struct agent *a);
/* In the network namespace that we are in: 0, or an errno; the interface's index, or 0: none has it. */
int agent_net_set_up(int index, bool up);
int agent_net_by_mac(const char *mac);
int agent_smc_reset(struct agent *a);
int agent_sysctl_set(struct agent *a, const char *name, const char *value);
void agent_sysctl_restore(struct agent *a);
int agent_sysctl_write(const char *name, const char *value);
/* A file of the kernel that is there already: 0, or an errno. */
int agent_write_file(const char *path, const char *text);

/* ---- agent_system.c ---- */
void agent_kmsg_open(struct agent *a);
/* A time that is enough for a kernel that is as slow as `smclab.slow=N` on its command line says. */
unsigned agent_patience(unsigned ms);
void agent_boot(void);            /* pid 1: file systems, modules, limits */
int agent_open_port(void);        /* the virtio-serial port; -1 */
int agent_load(const char *name, bool start_only); /* modules of /modules/index: NULL: all "+" ones; 0 or an errno */
int agent_unload(const char *name);
bool agent_has_smc(void);

#endif

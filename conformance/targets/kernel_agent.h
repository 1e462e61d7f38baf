/* Speaking to an agent (docs/agent.md) while a laboratory runs: ask and wait for the answer, keep the events.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_TARGETS_KERNEL_AGENT_H
#define CONFORMANCE_TARGETS_KERNEL_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smc/endpoint.h>

struct kernel_event; /* a line without "* " */

struct kernel_agent {
    int fd;            /* borrowed; made nonblocking */
    uint64_t number;   /* of the last request */
    unsigned slower;   /* the kernel: every time-out is so many times longer; 0 and 1: not at all */
    bool dead;         /* no answer in time, hung up, or memory short: every later request fails at once */
    char *in;          /* what was read and not used yet */
    size_t length, room, used;
    char *answer;      /* of the last request */
    struct kernel_request *waiting;
    /* Called while an answer is waited for, instead of sleeping: lets time pass for everything else, at most some milliseconds.
     * False: it cannot, now. May be NULL. Requests made from within it are answered, too. */
    bool (*pass)(void *user);
    void *pass_user;
    struct kernel_event *first, **last;
};

enum { KERNEL_ANSWER_MS = 20000, KERNEL_RESET_MS = 60000 };

void kernel_agent_init(struct kernel_agent *agent, int fd, uint64_t first_number);
void kernel_agent_end(struct kernel_agent *agent);

/* Sends a request (without its number) and waits for the answer. 0: "ok", whose text is *answer (valid until the next request;
 * may be NULL); else a negative errno that the agent named, or -EIO: no agent any more; *answer says more. */
int kernel_agent_ask(struct kernel_agent *agent, unsigned timeout_ms, const char **answer, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with a prepared line (long ones). */
int kernel_agent_ask_line(struct kernel_agent *agent, unsigned timeout_ms, const char **answer, const char *line);

/* Reads what is there without waiting. */
void kernel_agent_read(struct kernel_agent *agent);
/* The next event, oldest first; NULL: none. Freed by the caller with free(). */
char *kernel_agent_event(struct kernel_agent *agent);
bool kernel_agent_has_event(const struct kernel_agent *agent);

/* NAME=VALUE in an answer or event. Text: with %XX undone, into `out`; false: there is none, or it is too long. */
bool kernel_agent_text(const char *line, const char *name, char *out, size_t size);
/* Bytes in hex, at most `size`: how many; -1: there are none, too many, or no hex. */
long kernel_agent_bytes(const char *line, const char *name, uint8_t *out, size_t size);
/* `otherwise` if there is none. */
uint64_t kernel_agent_number(const char *line, const char *name, uint64_t otherwise);
/* Where the value begins, up to a blank; NULL: none. */
const char *kernel_agent_value(const char *line, const char *name, size_t *length);

/* A link's state as agents number it: as the kernel's netlink does (net/smc/smc_core.h). */
enum smc_link_state kernel_agent_link_state(uint64_t number);

#endif

/* The loop: devices, endpoint and sockets get their turn when they are due, in real time.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/agent/stack/stack_parts.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 64, ROUNDS = 64, NS_PER_S = 1000000000 };

uint64_t stack_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

struct smc_endpoint *stack_endpoint(struct stack *stack)
{
    return stack->endpoint;
}

struct smc_dibs *stack_dibs(struct stack *stack)
{
    return &stack->dibs;
}

/* Parts are marked in epoll's data by their number, sockets by their address. */
int stack_add_part(struct stack *stack, const struct stack_part *part)
{
    if (stack->part_count == STACK_PARTS)
        return SMC_ERR_NOSPACE;
    struct stack_part *p = &stack->parts[stack->part_count];
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = p};
    *p = *part;
    if (p->fd >= 0 && epoll_ctl(stack->epoll, EPOLL_CTL_ADD, p->fd, &event) != 0)
        return SMC_ERR_IO;
    stack->part_count++;
    return 0;
}

static uint64_t next_ns(const struct stack *stack)
{
    uint64_t next = smc_endpoint_next_ns(stack->endpoint);
    for (unsigned i = 0; i < stack->part_count; i++) {
        const struct stack_part *p = &stack->parts[i];
        uint64_t other = p->next_ns != NULL ? p->next_ns(p->user) : UINT64_MAX;
        if (other < next)
            next = other;
    }
    return next;
}

static void run_due(struct stack *stack, uint64_t now)
{
    for (unsigned i = 0; i < stack->part_count; i++) {
        const struct stack_part *p = &stack->parts[i];
        if (p->next_ns != NULL && p->next_ns(p->user) <= now)
            p->run(p->user, now);
    }
    if (smc_endpoint_next_ns(stack->endpoint) <= now)
        smc_endpoint_run(stack->endpoint, now);
}

static void bury(struct stack *stack)
{
    struct stack_socket **link = &stack->sockets;
    while (*link != NULL) {
        struct stack_socket *s = *link;
        if (s->stage != STAGE_OVER) {
            link = &s->next;
            continue;
        }
        *link = s->next;
        stack_socket_free(s);
    }
    stack->some_over = false;
}

static bool is_part(const struct stack *stack, const void *ptr)
{
    for (unsigned i = 0; i < stack->part_count; i++)
        if (ptr == &stack->parts[i])
            return true;
    return false;
}

/* A socket that ended in this very batch stays in memory until all of it is done. */
static void take_events(struct stack *stack)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(stack->epoll, events, EVENTS, 0);
    for (int i = 0; i < n; i++) {
        void *ptr = events[i].data.ptr;
        if (is_part(stack, ptr)) {
            struct stack_part *p = ptr;
            p->ready(p->user, stack_now_ns());
        } else if (((struct stack_socket *)ptr)->stage != STAGE_OVER)
            stack_socket_ready(ptr, events[i].events);
    }
}

static void wait_until(const struct stack *stack, uint64_t when_ns)
{
    struct pollfd ready = {.fd = stack->epoll, .events = POLLIN};
    uint64_t now = stack_now_ns(), left = when_ns > now ? when_ns - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(left / NS_PER_S), .tv_nsec = (long)(left % NS_PER_S)};
    (void)ppoll(&ready, 1, &timeout, NULL);
}

void stack_run(struct stack *stack, const bool *done, uint64_t until_ns)
{
    while ((done == NULL || !*done) && stack_now_ns() < until_ns) {
        for (unsigned round = 0; round < ROUNDS && next_ns(stack) <= stack_now_ns(); round++)
            run_due(stack, stack_now_ns());
        take_events(stack);
        if (stack->some_over)
            bury(stack);
        uint64_t next = next_ns(stack);
        if (done == NULL || !*done)
            wait_until(stack, next < until_ns ? next : until_ns);
    }
}

static int start(struct stack *stack)
{
    const struct stack_config *c = &stack->config;
    struct smc_endpoint_config config = {.alloc = c->alloc,
                                         .profile = c->profile != NULL ? c->profile : &smc_profile_linux,
                                         .ops = &stack_host_ops,
                                         .host = stack,
                                         .seed = c->seed,
                                         .v1 = true,
                                         .v2 = true,
                                         .smc_r = c->smc_r,
                                         .smc_d = c->smc_d,
                                         .release = 1,
                                         .emulated_ism = true,
                                         .rmb_bytes = c->rmb_bytes,
                                         .sndbuf_bytes = c->rmb_bytes};
    memset(config.hostname, ' ', sizeof(config.hostname));
    size_t length = c->hostname != NULL ? strlen(c->hostname) : 0;
    memcpy(config.hostname, c->hostname != NULL ? c->hostname : "", length < 32 ? length : 32);
    int error = smc_endpoint_new(&config, &stack->endpoint);
    if (error == 0)
        error = smc_endpoint_add_ueid(stack->endpoint, c->ueid != NULL ? c->ueid : "SMCLAB.EID");
    if (error == 0)
        error = smc_endpoint_use_dibs(stack->endpoint, &stack->dibs, stack_now_ns());
    return error;
}

int stack_new(const struct stack_config *config, struct stack **out)
{
    struct stack *stack = smc_alloc_zeroed(config->alloc, 1, sizeof(*stack));
    if (stack == NULL)
        return SMC_ERR_NOMEM;
    stack->alloc = config->alloc;
    stack->config = *config;
    smc_dibs_init(&stack->dibs, config->alloc);
    stack->epoll = epoll_create1(EPOLL_CLOEXEC);
    int error = stack->epoll >= 0 ? start(stack) : SMC_ERR_IO;
    if (error != 0) {
        stack_free(stack);
        return error;
    }
    *out = stack;
    return 0;
}

void stack_free(struct stack *stack)
{
    if (stack->endpoint != NULL)
        smc_endpoint_free(stack->endpoint);
    while (stack->sockets != NULL) {
        struct stack_socket *s = stack->sockets;
        stack->sockets = s->next;
        s->smc = NULL;
        stack_socket_free(s);
    }
    (void)smc_dibs_free(&stack->dibs);
    if (stack->epoll >= 0)
        close(stack->epoll);
    smc_alloc_release(stack->alloc, stack, 1, sizeof(*stack));
}

/* The agent's loop: requests come in as lines and are answered at once, in order; what happens later is told by events.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "agent.h"
#include "agent_space.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 65536, OUT_MOST = 8 << 20, BATCH = 32 };

uint64_t agent_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

int agent_fail(struct agent *a, int error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(a->why, sizeof(a->why), format, args);
    va_end(args);
    return error;
}

int agent_watch(struct agent *a, struct agent_source *s, uint32_t interest)
{
    struct epoll_event event = {.events = interest, .data = {.ptr = s}};
    s->interest = interest;
    return epoll_ctl(a->epoll, EPOLL_CTL_ADD, s->fd, &event) == 0 ? 0 : errno;
}

void agent_unwatch(struct agent *a, struct agent_source *s)
{
    if (s->fd >= 0)
        epoll_ctl(a->epoll, EPOLL_CTL_DEL, s->fd, NULL);
}

/* ---- What goes out ---- */
static void flush_out(struct agent *a)
{
    while (a->out_done < a->out.length) {
        ssize_t n = write(a->channel_out, a->out.p + a->out_done, a->out.length - a->out_done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n <= 0) {
            a->ended = true; /* nobody reads any more */
            return;
        }
        a->out_done += (size_t)n;
    }
    if (a->out_done == a->out.length)
        a->out.length = a->out_done = 0;
}

static size_t out_waiting(const struct agent *a)
{
    return a->out.length - a->out_done;
}

void agent_event(struct agent *a, const char *format, ...)
{
    va_list args;
    char line[1024];
    va_start(args, format);
    int n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(line))
        return;
    agent_text_print(&a->out, "* %s\n", line);
}

void agent_event_text(struct agent *a, const struct agent_text *text)
{
    agent_text_print(&a->out, "* ");
    agent_text_add(&a->out, text->p, text->length);
    agent_text_add(&a->out, "\n", 1);
}

/* ---- Requests ---- */
int agent_may_number(struct agent *a, const struct agent_line *line, const char *name, uint64_t most, uint64_t *out)
{
    if (agent_line_number(line, name, most, out) < 0)
        return agent_fail(a, EINVAL, "%s is a number up to %llu", name, (unsigned long long)most);
    return 0;
}

int agent_need(struct agent *a, const struct agent_line *line, const char *name, const char **out)
{
    *out = agent_line_get(line, name);
    return *out != NULL ? 0 : agent_fail(a, EINVAL, "%s needs %s=", line->verb, name);
}

int agent_need_number(struct agent *a, const struct agent_line *line, const char *name, uint64_t most, uint64_t *out)
{
    const char *text;
    int status = agent_need(a, line, name, &text);
    return status != 0 ? status : agent_may_number(a, line, name, most, out);
}

static const struct agent_verb *find_verb(const char *name)
{
    const struct agent_verb *const tables[] = {agent_verbs_socket, agent_verbs_net, agent_verbs_smc, agent_verbs_system,
                                               agent_verbs_space, agent_verbs_module, agent_verbs_local};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        for (const struct agent_verb *v = tables[i]; v->name != NULL; v++)
            if (strcmp(v->name, name) == 0)
                return v;
    return NULL;
}

static int run_verb(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    const struct agent_verb *verb = find_verb(line->verb);
    if (verb == NULL)
        return agent_fail(a, EINVAL, "there is no verb '%.40s'", line->verb);
    const char *unknown = strcmp(verb->names, "*") == 0 ? NULL : agent_line_unknown(line, verb->names);
    if (unknown != NULL)
        return agent_fail(a, EINVAL, "%s has no name '%.40s'", line->verb, unknown);
    int status;
    return agent_child_takes(a, line, answer, &status) ? status : verb->run(a, line, answer);
}

static int run_where(struct agent *a, struct agent_line *line, struct agent_text *answer)
{
    const char *space = agent_space_take(line);
    int status = space != NULL ? agent_space_enter(a, line, space) : 0;
    if (status != 0)
        return status;
    status = run_verb(a, line, answer);
    if (space != NULL)
        agent_space_leave(a);
    return status;
}

static void answer(struct agent *a, uint64_t number, int status, const struct agent_text *text)
{
    agent_text_print(&a->out, "%llu ", (unsigned long long)number);
    if (status == 0) {
        agent_text_print(&a->out, "ok");
        agent_text_add(&a->out, text->p, text->length);
    } else {
        agent_text_print(&a->out, "error %s", agent_error_name(status));
        if (a->why[0] != '\0')
            agent_text_print(&a->out, " %s", a->why);
    }
    agent_text_add(&a->out, "\n", 1);
}

static void do_line(struct agent *a, char *text, size_t length)
{
    struct agent_line line;
    struct agent_text more = {0};
    a->why[0] = '\0';
    if (length == 0)
        return;
    const char *wrong = agent_line_parse(text, length, &line);
    int status = wrong != NULL ? agent_fail(a, EINVAL, "%s", wrong) : run_where(a, &line, &more);
    if (more.failed)
        status = ENOMEM;
    if (!a->poweroff)
        answer(a, line.number, status, &more);
    agent_text_free(&more);
    if (a->out.failed) {
        /* What could not be told is lost, and with it the order of answers: better to end than to lie. */
        a->ended = true;
    }
}

/* Takes bytes of the stream and does every line that is complete. */
static void take_bytes(struct agent *a, const char *bytes, size_t n)
{
    while (n > 0 && !a->ended) {
        const char *end = memchr(bytes, '\n', n);
        size_t part = end != NULL ? (size_t)(end - bytes) : n;
        if (!a->skipping && a->line_length + part > AGENT_LINE_MOST) {
            a->skipping = true;
            a->why[0] = '\0';
            answer(a, 0, agent_fail(a, EMSGSIZE, "a line has at most 1 MiB"), NULL);
        }
        if (!a->skipping) {
            memcpy(a->line + a->line_length, bytes, part);
            a->line_length += part;
        }
        if (end == NULL)
            return;
        if (!a->skipping)
            do_line(a, a->line, a->line_length);
        a->skipping = false;
        a->line_length = 0;
        bytes = end + 1;
        n -= part + 1;
    }
}

static void channel_ready(struct agent *a, struct agent_source *s, uint32_t events)
{
    char bytes[READ_SIZE];
    if ((events & EPOLLOUT) != 0)
        flush_out(a);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0 || a->ended)
        return;
    ssize_t n = read(s->fd, bytes, sizeof(bytes));
    if (n > 0)
        take_bytes(a, bytes, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR && errno != EWOULDBLOCK))
        a->ended = true;
}

/* Who does not read answers is not asked for more requests; events still go on. */
static void arm_channel(struct agent *a)
{
    uint32_t interest = (out_waiting(a) < OUT_MOST ? EPOLLIN : 0u) | (out_waiting(a) > 0 ? EPOLLOUT : 0u);
    struct epoll_event event = {.events = interest, .data = {.ptr = &a->channel}};
    if (interest == a->channel.interest)
        return;
    a->channel.interest = interest;
    epoll_ctl(a->epoll, EPOLL_CTL_MOD, a->channel.fd, &event);
}

static void signals_ready(struct agent *a, struct agent_source *s, uint32_t events)
{
    struct signalfd_siginfo info;
    (void)events;
    while (read(s->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            a->ended = a->poweroff = true;
    }
    agent_child_reap(a);
}

static int wait_ms(const struct agent *a)
{
    uint64_t next = agent_sockets_next_ns(a), now = agent_now_ns();
    if (next == UINT64_MAX)
        return -1;
    if (next <= now)
        return 0;
    uint64_t ms = (next - now + 999999) / 1000000;
    return ms > 60000 ? 60000 : (int)ms;
}

static void run_loop(struct agent *a)
{
    struct epoll_event events[BATCH];
    while (!a->ended) {
        flush_out(a);
        arm_channel(a);
        int n = epoll_wait(a->epoll, events, BATCH, wait_ms(a));
        for (int i = 0; i < n && !a->ended; i++) {
            struct agent_source *s = events[i].data.ptr;
            if (s->fd >= 0) /* it may have gone in this very round */
                s->ready(a, s, events[i].events);
        }
        agent_sockets_tick(a);
        agent_sockets_bury(a);
    }
}

static int open_sources(struct agent *a, const struct agent_setup *setup)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    if (!setup->child) {
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
    }
    sigprocmask(SIG_BLOCK, &set, &a->mask);
    a->channel = (struct agent_source){.fd = setup->in, .ready = channel_ready};
    a->signals = (struct agent_source){.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), .ready = signals_ready};
    if (a->signals.fd < 0)
        return errno;
    int status = agent_watch(a, &a->channel, EPOLLIN);
    return status != 0 ? status : agent_watch(a, &a->signals, EPOLLIN);
}

static void say_ready(struct agent *a)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    agent_event(a, "ready uptime=%llu",
                (unsigned long long)t.tv_sec * 1000000000ull + (unsigned long long)t.tv_nsec);
}

static void end(struct agent *a)
{
    (void)agent_children_kill(a);
    agent_captures_end(a);
    agent_sockets_close_all(a);
    agent_sockets_bury(a);
    agent_spaces_reset(a);
    if (a->kmsg.fd >= 0)
        close(a->kmsg.fd);
    if (a->signals.fd >= 0) {
        close(a->signals.fd);
        sigprocmask(SIG_SETMASK, &a->mask, NULL);
    }
    if (a->epoll >= 0)
        close(a->epoll);
    agent_text_free(&a->out);
    agent_text_free(&a->log);
    free(a->line);
}

int agent_serve(const struct agent_setup *setup, bool *poweroff)
{
    struct agent a = {.init = setup->init, .child = setup->child, .kmsg = {.fd = -1}, .signals = {.fd = -1}};
    a.channel_out = setup->out;
    a.next_accepted = setup->first_accepted;
    a.line = malloc(AGENT_LINE_MOST + 1);
    a.epoll = epoll_create1(EPOLL_CLOEXEC);
    int status = a.line == NULL ? ENOMEM : a.epoll < 0 ? errno : open_sources(&a, setup);
    if (status == 0) {
        if (!setup->no_kmsg)
            agent_kmsg_open(&a);
        if (!setup->child)
            say_ready(&a);
        run_loop(&a);
        flush_out(&a);
    }
    *poweroff = a.poweroff;
    end(&a);
    errno = status;
    return status == 0 ? 0 : -1;
}

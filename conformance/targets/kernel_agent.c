/* The asker's end of the agent's channel: lines out, answers and events in.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/targets/kernel_agent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2 << 20 };

struct kernel_request { /* on the stack of who asks */
    struct kernel_request *next;
    uint64_t number;
    bool done;
    char *answer;
};

struct kernel_event {
    struct kernel_event *next;
    char *line;
};

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void kernel_agent_init(struct kernel_agent *a, int fd, uint64_t first_number)
{
    memset(a, 0, sizeof(*a));
    a->fd = fd;
    a->number = first_number;
    a->last = &a->first;
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void kernel_agent_end(struct kernel_agent *a)
{
    char *line;
    while ((line = kernel_agent_event(a)) != NULL)
        free(line);
    free(a->in);
    free(a->answer);
    memset(a, 0, sizeof(*a));
    a->fd = -1;
}

/* ---- lines in ---- */
static void keep_event(struct kernel_agent *a, const char *line)
{
    struct kernel_event *e = calloc(1, sizeof(*e));
    char *copy = e != NULL ? strdup(line) : NULL;
    if (copy == NULL) {
        free(e);
        a->dead = true;
        return;
    }
    e->line = copy;
    *a->last = e;
    a->last = &e->next;
}

bool kernel_agent_has_event(const struct kernel_agent *a)
{
    return a->first != NULL;
}

char *kernel_agent_event(struct kernel_agent *a)
{
    struct kernel_event *e = a->first;
    if (e == NULL)
        return NULL;
    char *line = e->line;
    a->first = e->next;
    if (a->first == NULL)
        a->last = &a->first;
    free(e);
    return line;
}

static bool make_room(struct kernel_agent *a)
{
    if (a->used > 0) {
        memmove(a->in, a->in + a->used, a->length - a->used);
        a->length -= a->used;
        a->used = 0;
    }
    if (a->room - a->length >= 65536)
        return true;
    size_t room = a->room != 0 ? 2 * a->room : 262144;
    char *grown = room <= 2 * LINE_MAX_BYTES ? realloc(a->in, room) : NULL;
    if (grown == NULL)
        return false;
    a->in = grown;
    a->room = room;
    return true;
}

/* Reads once. False: nothing was there. */
static bool fill(struct kernel_agent *a)
{
    if (a->dead || !make_room(a)) {
        a->dead = true;
        return false;
    }
    ssize_t n = read(a->fd, a->in + a->length, a->room - a->length);
    if (n > 0)
        a->length += (size_t)n;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        a->dead = true;
    return n > 0;
}

/* The next line that was read whole; it stays valid until the next fill(). */
static char *next_line(struct kernel_agent *a)
{
    char *start = a->in + a->used, *end = a->length > a->used ? memchr(start, '\n', a->length - a->used) : NULL;
    if (end == NULL)
        return NULL;
    *end = '\0';
    a->used = (size_t)(end + 1 - a->in);
    return start;
}

/* To whom asked for it; one that comes too late is nobody's. */
static void keep_answer(struct kernel_agent *a, const char *line)
{
    char *end;
    uint64_t n = strtoull(line, &end, 10);
    for (struct kernel_request *r = a->waiting; r != NULL && end != line && *end == ' '; r = r->next) {
        if (r->number != n || r->done)
            continue;
        r->answer = strdup(end + 1);
        r->done = true;
        a->dead |= r->answer == NULL;
        return;
    }
}

static void take_lines(struct kernel_agent *a)
{
    char *line;
    while ((line = next_line(a)) != NULL) {
        if (strncmp(line, "* ", 2) == 0)
            keep_event(a, line + 2);
        else
            keep_answer(a, line);
    }
}

void kernel_agent_read(struct kernel_agent *a)
{
    while (fill(a))
        take_lines(a);
    take_lines(a);
}

/* ---- requests ---- */
static bool wait_for(struct kernel_agent *a, short events, int64_t deadline)
{
    struct pollfd polled = {.fd = a->fd, .events = events};
    int64_t left = deadline - clock_ms();
    int n = poll(&polled, 1, left > 0 ? (int)left : 0);
    return n > 0 || (n < 0 && errno == EINTR);
}

static bool put(struct kernel_agent *a, const char *bytes, size_t length, int64_t deadline)
{
    while (length > 0 && !a->dead) {
        ssize_t n = write(a->fd, bytes, length);
        if (n > 0) {
            bytes += n;
            length -= (size_t)n;
            continue;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            a->dead = true;
        /* The agent may wait for us to read before it reads on. */
        (void)fill(a);
        if (!wait_for(a, POLLIN | POLLOUT, deadline))
            a->dead = true;
    }
    return !a->dead;
}

static int errno_of(const char *name, size_t length)
{
    static const struct { const char *name; int number; } known[] = {
        {"EAGAIN", EAGAIN}, {"ECONNRESET", ECONNRESET}, {"ECONNREFUSED", ECONNREFUSED}, {"ECONNABORTED", ECONNABORTED},
        {"EPIPE", EPIPE}, {"ENOTCONN", ENOTCONN}, {"EINVAL", EINVAL}, {"ETIMEDOUT", ETIMEDOUT}, {"EHOSTUNREACH", EHOSTUNREACH},
        {"ENETUNREACH", ENETUNREACH}, {"ENOMEM", ENOMEM}, {"EOPNOTSUPP", EOPNOTSUPP}, {"ENOENT", ENOENT}, {"EEXIST", EEXIST},
        {"EBADF", EBADF}, {"EADDRINUSE", EADDRINUSE}, {"ENOSYS", ENOSYS}, {"EPERM", EPERM}, {"ENODEV", ENODEV},
        {"EINPROGRESS", EINPROGRESS}, {"EALREADY", EALREADY}, {"EISCONN", EISCONN}, {"EHOSTDOWN", EHOSTDOWN}, {"EPROTO", EPROTO},
        {"ENFILE", ENFILE}, {"EBUSY", EBUSY}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strlen(known[i].name) == length && memcmp(known[i].name, name, length) == 0)
            return known[i].number;
    return EINVAL;
}

static int result_of(const struct kernel_agent *a, const char **answer)
{
    const char *text = a->answer;
    if (strncmp(text, "ok", 2) == 0 && (text[2] == ' ' || text[2] == '\0')) {
        if (answer != NULL)
            *answer = text + 2;
        return 0;
    }
    if (strncmp(text, "error ", 6) != 0)
        return -EPROTO;
    size_t length = strcspn(text + 6, " ");
    if (answer != NULL)
        *answer = text + 6;
    return -errno_of(text + 6, length);
}

static void wait_answer(struct kernel_agent *a, struct kernel_request *request, int64_t deadline)
{
    for (;;) {
        kernel_agent_read(a);
        if (request->done)
            return;
        if (clock_ms() >= deadline)
            a->dead = true;
        if (a->dead)
            return;
        if (a->pass == NULL || !a->pass(a->pass_user))
            (void)wait_for(a, POLLIN, deadline);
    }
}

int kernel_agent_ask_line(struct kernel_agent *a, unsigned timeout_ms, const char **answer, const char *line)
{
    char head[32];
    int64_t deadline = clock_ms() + (int64_t)timeout_ms * (a->slower > 1 ? a->slower : 1);
    struct kernel_request request = {.next = a->waiting, .number = ++a->number};
    if (answer != NULL)
        *answer = "the agent does not answer";
    int n = snprintf(head, sizeof(head), "%" PRIu64 " ", request.number);
    a->waiting = &request;
    bool sent = !a->dead && put(a, head, (size_t)n, deadline) && put(a, line, strlen(line), deadline) && put(a, "\n", 1, deadline);
    if (sent)
        wait_answer(a, &request, deadline);
    a->waiting = request.next;
    if (!request.done || request.answer == NULL)
        return -EIO;
    free(a->answer);
    a->answer = request.answer;
    return result_of(a, answer);
}

int kernel_agent_ask(struct kernel_agent *a, unsigned timeout_ms, const char **answer, const char *format, ...)
{
    char *line = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&line, format, args);
    va_end(args);
    if (n < 0)
        return -ENOMEM;
    int result = kernel_agent_ask_line(a, timeout_ms, answer, line);
    free(line);
    return result;
}

/* ---- values ---- */
const char *kernel_agent_value(const char *line, const char *name, size_t *length)
{
    size_t n = strlen(name);
    for (const char *at = line; *at != '\0';) {
        at += strspn(at, " ");
        size_t word = strcspn(at, " ");
        if (word > n && at[n] == '=' && memcmp(at, name, n) == 0) {
            *length = word - n - 1;
            return at + n + 1;
        }
        at += word;
    }
    return NULL;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool kernel_agent_text(const char *line, const char *name, char *out, size_t size)
{
    size_t length, to = 0;
    const char *value = kernel_agent_value(line, name, &length);
    if (value == NULL)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = value[i];
        if (c == '%' && i + 2 < length && digit(value[i + 1]) >= 0 && digit(value[i + 2]) >= 0) {
            c = (char)(digit(value[i + 1]) << 4 | digit(value[i + 2]));
            i += 2;
        }
        if (to + 1 >= size)
            return false;
        out[to++] = c;
    }
    out[to] = '\0';
    return true;
}

long kernel_agent_bytes(const char *line, const char *name, uint8_t *out, size_t size)
{
    size_t digits;
    const char *hex = kernel_agent_value(line, name, &digits);
    if (hex == NULL || digits % 2 != 0 || digits / 2 > size)
        return -1;
    for (size_t i = 0; i < digits; i += 2) {
        if (digit(hex[i]) < 0 || digit(hex[i + 1]) < 0)
            return -1;
        out[i / 2] = (uint8_t)(digit(hex[i]) << 4 | digit(hex[i + 1]));
    }
    return (long)(digits / 2);
}

enum smc_link_state kernel_agent_link_state(uint64_t number)
{
    static const enum smc_link_state states[] = {SMC_LINK_UNUSED, SMC_LINK_INACTIVE, SMC_LINK_ACTIVATING, SMC_LINK_ACTIVE};
    return number < 4 ? states[number] : SMC_LINK_UNUSED;
}

uint64_t kernel_agent_number(const char *line, const char *name, uint64_t otherwise)
{
    size_t length;
    const char *value = kernel_agent_value(line, name, &length);
    char *end;
    if (value == NULL || length == 0)
        return otherwise;
    uint64_t n = strtoull(value, &end, 0);
    return end == value + length ? n : otherwise;
}

/* Talking to an agent and waiting for its answer: for tests and for people.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/targets/vm.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool wait_for(int fd, short events, uint64_t until_ms)
{
    uint64_t now = now_ms();
    struct pollfd wait = {.fd = fd, .events = events};
    return poll(&wait, 1, now < until_ms ? (int)(until_ms - now) : 0) > 0;
}

static int write_all(int fd, const char *p, size_t n, uint64_t until_ms)
{
    while (n > 0) {
        ssize_t done = send(fd, p, n, MSG_NOSIGNAL);
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        } else if ((errno != EAGAIN && errno != EINTR) || !wait_for(fd, POLLOUT, until_ms)) {
            return VM_FAILED;
        }
    }
    return VM_OK;
}

static int read_more(struct vm_talk *talk, uint64_t until_ms)
{
    enum { STEP = 65536 };
    if (talk->room - talk->length < STEP) {
        char *p = realloc(talk->buffer, talk->room + 2 * STEP);
        if (p == NULL)
            return VM_FAILED;
        talk->buffer = p;
        talk->room += 2 * STEP;
    }
    ssize_t n;
    while ((n = read(talk->fd, talk->buffer + talk->length, STEP)) < 0 && (errno == EAGAIN || errno == EINTR))
        if (!wait_for(talk->fd, POLLIN, until_ms))
            return VM_FAILED;
    if (n <= 0)
        return VM_FAILED;
    talk->length += (size_t)n;
    return VM_OK;
}

/* The next line, without its LF, valid until the next call. */
static char *next_line(struct vm_talk *talk, uint64_t until_ms)
{
    if (talk->skip > 0) {
        talk->length -= talk->skip;
        memmove(talk->buffer, talk->buffer + talk->skip, talk->length);
        talk->skip = 0;
    }
    char *end;
    while (talk->length == 0 || (end = memchr(talk->buffer, '\n', talk->length)) == NULL)
        if (read_more(talk, until_ms) != VM_OK)
            return NULL;
    *end = '\0';
    talk->skip = (size_t)(end - talk->buffer) + 1;
    return talk->buffer;
}

static void tell(struct vm_talk *talk, const char *line)
{
    if (talk->event != NULL)
        talk->event(talk->user, line);
}

int vm_talk(struct vm_talk *talk, const char *request, char *answer, size_t answer_size, unsigned timeout_ms)
{
    uint64_t until = now_ms() + timeout_ms;
    size_t size = strlen(request) + 32;
    char *line = malloc(size);
    if (line == NULL)
        return VM_FAILED;
    int n = snprintf(line, size, "%lu %s\n", ++talk->number, request);
    int status = write_all(talk->fd, line, (size_t)n, until);
    free(line);
    while (status == VM_OK) {
        char *got = next_line(talk, until), *end;
        if (got == NULL)
            return VM_FAILED;
        if (got[0] == '*') {
            tell(talk, got[1] == ' ' ? got + 2 : got + 1);
            continue;
        }
        if (strtoul(got, &end, 10) != talk->number || *end != ' ')
            continue; /* an answer to a request that was given up */
        snprintf(answer, answer_size, "%s", end + 1);
        return VM_OK;
    }
    return status;
}

int vm_talk_wait(struct vm_talk *talk, const char *begins, char *out, size_t out_size, unsigned timeout_ms)
{
    uint64_t until = now_ms() + timeout_ms;
    for (;;) {
        char *line = next_line(talk, until);
        if (line == NULL)
            return VM_FAILED;
        if (line[0] != '*' || line[1] != ' ')
            continue;
        if (strncmp(line + 2, begins, strlen(begins)) == 0) {
            snprintf(out, out_size, "%s", line + 2);
            return VM_OK;
        }
        tell(talk, line + 2);
    }
}

void vm_talk_end(struct vm_talk *talk)
{
    free(talk->buffer);
    talk->buffer = NULL;
    talk->length = talk->room = talk->skip = 0;
}

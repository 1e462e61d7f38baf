/* Many runs: a process each, so that one that crashes, hangs or eats its memory takes nothing else along.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "runner.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct worker {
    pid_t pid; /* 0: free */
    int pipe;
    size_t index;
    int64_t deadline_ms;
    bool killed;
    char *bytes;
    size_t length, room;
};

struct pool {
    const struct runner_options *options;
    const char *const *paths;
    size_t count, started;
    json_t **records;
    struct worker *workers;
    struct pollfd *polled;
    bool out_of_memory;
};

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void done(struct pool *pool, size_t index, json_t *record)
{
    pool->records[index] = record;
    pool->out_of_memory |= record == NULL;
    if (pool->options->progress != NULL && record != NULL)
        pool->options->progress(pool->options->progress_user, index, record);
}

/* Of a run that left none. */
static json_t *record_of(const struct pool *pool, size_t index, const char *reason)
{
    struct runner_options options = *pool->options;
    if (options.roles != NULL)
        options.role = options.roles[index];
    return runner_record(&options, pool->paths[index], "error", reason);
}

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        bytes += n;
        length -= (size_t)n;
    }
    return 0;
}

/* In the child. It leaves without flushing what the parent had in its buffers. */
static void work(struct pool *pool, size_t index, int fd)
{
    struct runner_options options = *pool->options;
    if (options.roles != NULL)
        options.role = options.roles[index];
    json_t *record = options.work != NULL ? options.work(options.work_user, index) : runner_run(&options, pool->paths[index]);
    char *bytes = record != NULL ? json_dumps(record, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    _exit(bytes != NULL && write_all(fd, bytes, strlen(bytes)) == 0 ? 0 : 1);
}

static int start(struct pool *pool, struct worker *w, size_t index)
{
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody would read its result */
        /* A worker of its own has no business with the pipes of the others. */
        for (unsigned i = 0; i < pool->options->jobs; i++)
            if (pool->workers[i].pid != 0)
                close(pool->workers[i].pipe);
        work(pool, index, ends[1]);
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return -1;
    }
    *w = (struct worker){.pid = pid, .pipe = ends[0], .index = index,
                         .deadline_ms = clock_ms() + (int64_t)pool->options->wall_seconds * 1000};
    return 0;
}

static void start_next(struct pool *pool, struct worker *w)
{
    size_t index = pool->started++;
    if (pool->options->progress != NULL)
        pool->options->progress(pool->options->progress_user, index, NULL);
    char why[1024] = "";
    if (pool->options->before != NULL && pool->options->before(pool->options->before_user, why, sizeof(why)) != 0) {
        done(pool, index, record_of(pool, index, why));
        return;
    }
    if (start(pool, w, index) == 0)
        return;
    char reason[160];
    snprintf(reason, sizeof(reason), "a process cannot be started: %s", strerror(errno));
    done(pool, index, record_of(pool, index, reason));
}

/* What became of a process that left no record. */
static void tell(const struct pool *pool, const struct worker *w, int status, char *reason, size_t room)
{
    if (w->killed)
        snprintf(reason, room, "it was stopped after %u seconds", pool->options->wall_seconds);
    else if (WIFSIGNALED(status))
        snprintf(reason, room, "the process that ran it was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(reason, room, "the process that ran it ended with status %d and left no result", WEXITSTATUS(status));
}

static void collect(struct pool *pool, struct worker *w)
{
    int status = 0;
    close(w->pipe);
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        ;
    w->pid = 0;
    json_t *record = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? json_loadb(w->bytes, w->length, 0, NULL) : NULL;
    if (record == NULL) {
        char reason[160];
        tell(pool, w, status, reason, sizeof(reason));
        record = record_of(pool, w->index, reason);
    }
    free(w->bytes);
    done(pool, w->index, record);
}

/* False: the other end has closed, or there is no memory for more. */
static bool take(struct worker *w)
{
    if (w->room - w->length < 65536) {
        char *grown = realloc(w->bytes, w->room + 262144);
        if (grown == NULL)
            return false;
        w->bytes = grown;
        w->room += 262144;
    }
    ssize_t n = read(w->pipe, w->bytes + w->length, w->room - w->length);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    w->length += (size_t)n;
    return n > 0;
}

static void enforce_limits(struct pool *pool)
{
    int64_t now = clock_ms();
    for (unsigned i = 0; i < pool->options->jobs; i++) {
        struct worker *w = &pool->workers[i];
        if (w->pid == 0 || w->killed || now < w->deadline_ms)
            continue;
        w->killed = true;
        kill(w->pid, SIGKILL);
    }
}

static bool stopped(const struct pool *pool)
{
    return pool->options->stop != NULL && *pool->options->stop != 0;
}

/* One round: waits until something came, takes it. False: nothing runs any more. */
static bool round_of(struct pool *pool)
{
    unsigned jobs = pool->options->jobs, running = 0;
    for (unsigned i = 0; i < jobs; i++) {
        while (pool->workers[i].pid == 0 && pool->started < pool->count && !stopped(pool))
            start_next(pool, &pool->workers[i]);
        pool->polled[i] = (struct pollfd){.fd = pool->workers[i].pid != 0 ? pool->workers[i].pipe : -1, .events = POLLIN};
        running += pool->workers[i].pid != 0;
    }
    if (running == 0)
        return false;
    int ready = poll(pool->polled, jobs, 200);
    for (unsigned i = 0; ready > 0 && i < jobs; i++)
        if (pool->polled[i].revents != 0 && !take(&pool->workers[i]))
            collect(pool, &pool->workers[i]);
    enforce_limits(pool);
    return true;
}

int runner_run_all(const struct runner_options *options, const char *const *paths, size_t count, json_t **records)
{
    struct pool pool = {.options = options, .paths = paths, .count = count, .records = records};
    pool.workers = calloc(options->jobs, sizeof(*pool.workers));
    pool.polled = calloc(options->jobs, sizeof(*pool.polled));
    pool.out_of_memory = pool.workers == NULL || pool.polled == NULL;
    while (!pool.out_of_memory && !stopped(&pool) && round_of(&pool))
        ;
    /* Only short memory and a wish to stop leave workers behind. */
    for (unsigned i = 0; pool.workers != NULL && i < options->jobs; i++)
        if (pool.workers[i].pid != 0) {
            kill(pool.workers[i].pid, SIGKILL);
            collect(&pool, &pool.workers[i]);
        }
    free(pool.workers);
    free(pool.polled);
    return pool.out_of_memory ? -1 : 0;
}

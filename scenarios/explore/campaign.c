/* Many seeds in several processes: each worker takes the next seed, the parent adds up what they tell.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "apart.h"

#include "sim/hash.h"

#include <smc/error.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS_MAX = 256 };

/* What the processes share: the next seed to take, and which one each of them is at. */
struct shared {
    atomic_uint_least64_t next;
    atomic_uint_least64_t at[JOBS_MAX]; /* index + 1; 0: none */
};

struct worker {
    pid_t pid;
    int from;
    FILE *errors;
};

struct message {
    uint64_t index;
    struct explore_outcome outcome;
};

/* Of a seed, for the medians. */
struct figures {
    uint32_t events, connections, faults, bytes[2];
};

struct state {
    const struct explore_campaign *campaign;
    struct explore_results *out;
    struct shared *shared;
    struct worker workers[JOBS_MAX];
    unsigned jobs;
    uint64_t total, done;
    struct figures *figures;
    size_t failure_room;
};

uint64_t explore_campaign_size(const struct explore_campaign *c)
{
    uint64_t n = c->last - c->first + 1;
    return c->shards > 1 ? (n > c->shard ? (n - c->shard - 1) / c->shards + 1 : 0) : n;
}

static uint64_t seed_at(const struct explore_campaign *c, uint64_t index)
{
    return c->first + (c->shards > 1 ? index * c->shards + c->shard : index);
}

void explore_campaign_plan(const struct explore_campaign *c, uint64_t seed, struct explore_plan *out)
{
    if (c->near != NULL)
        explore_near(c->near, seed, out);
    else
        explore_draw(seed, out);
}

/* ---- workers ---- */
static _Noreturn void work(const struct state *s, unsigned number, int to, FILE *errors)
{
    struct explore_plan *plan = malloc(sizeof(*plan));
    struct message m;
    dup2(fileno(errors), STDERR_FILENO);
    for (;;) {
        m.index = atomic_fetch_add(&s->shared->next, 1);
        if (m.index >= s->total || plan == NULL)
            _exit(plan == NULL);
        atomic_store(&s->shared->at[number], m.index + 1);
        /* Only what the last seed said counts. */
        if (ftruncate(STDERR_FILENO, 0) == 0)
            lseek(STDERR_FILENO, 0, SEEK_SET);
        alarm(EXPLORE_SECONDS);
        explore_campaign_plan(s->campaign, seed_at(s->campaign, m.index), plan);
        explore_run(plan, NULL, &m.outcome);
        if (!explore_write_all(to, &m, sizeof(m)))
            _exit(1);
        atomic_store(&s->shared->at[number], 0);
    }
}

static int start_worker(struct state *s, unsigned number)
{
    struct worker *w = &s->workers[number];
    int ends[2];
    if (w->errors == NULL && (w->errors = tmpfile()) == NULL)
        return SMC_ERR_IO;
    if (pipe(ends) != 0)
        return SMC_ERR_IO;
    fflush(NULL);
    w->pid = fork();
    if (w->pid == 0) {
        close(ends[0]);
        work(s, number, ends[1], w->errors);
    }
    close(ends[1]);
    w->from = ends[0];
    return w->pid > 0 ? 0 : SMC_ERR_IO;
}

/* ---- adding up ---- */
static int note_failure(struct state *s, uint64_t seed, const struct explore_outcome *o)
{
    struct explore_results *r = s->out;
    if (r->failure_count == s->failure_room) {
        size_t room = s->failure_room != 0 ? 2 * s->failure_room : 16;
        struct explore_failure *grown = realloc(r->failures, room * sizeof(*grown));
        if (grown == NULL)
            return SMC_ERR_NOMEM;
        r->failures = grown;
        s->failure_room = room;
    }
    struct explore_failure *f = &r->failures[r->failure_count++];
    memset(f, 0, sizeof(*f));
    f->seed = seed;
    memcpy(f->kind, o->kind, sizeof(f->kind));
    memcpy(f->why, o->why, sizeof(f->why));
    return 0;
}

/* Sums, so that the order in which seeds are done, and the way they are divided, makes no difference. */
static int take(struct state *s, const struct message *m)
{
    uint64_t seed = seed_at(s->campaign, m->index);
    const struct explore_outcome *o = &m->outcome;
    const uint64_t words[3] = {seed, o->digest[0], o->digest[1]};
    s->done++;
    s->out->seeds++;
    s->out->events += o->events;
    s->out->digest[0] += sim_hash_64(words, sizeof(words), 1);
    s->out->digest[1] += sim_hash_64(words, sizeof(words), 2);
    for (unsigned i = 0; i < EXPLORE_STATES; i++)
        s->out->states[i] += o->states[i] != 0;
    s->figures[m->index] = (struct figures){(uint32_t)o->events, (uint32_t)o->connections, (uint32_t)o->faults,
                                            {(uint32_t)o->bytes[0], (uint32_t)o->bytes[1]}};
    int error = o->failed ? note_failure(s, seed, o) : 0;
    if (s->campaign->progress != NULL)
        s->campaign->progress(s->campaign->user, s->done, s->total, s->out->failure_count);
    return error;
}

/* A worker has ended: nothing more to do, or a crash, which is a failure of its seed. */
static int bury(struct state *s, unsigned number)
{
    struct worker *w = &s->workers[number];
    struct message m;
    int status = 0;
    close(w->from);
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        ;
    w->pid = 0;
    uint64_t at = atomic_exchange(&s->shared->at[number], 0);
    if (at == 0)
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : SMC_ERR_IO;
    m.index = at - 1;
    explore_crashed(status, w->errors, &m.outcome);
    int error = take(s, &m);
    return error != 0 ? error : start_worker(s, number);
}

static int serve(struct state *s)
{
    int error = 0;
    while (error == 0) {
        struct pollfd fds[JOBS_MAX];
        unsigned numbers[JOBS_MAX], n = 0;
        for (unsigned i = 0; i < s->jobs; i++) {
            if (s->workers[i].pid != 0) {
                fds[n] = (struct pollfd){.fd = s->workers[i].from, .events = POLLIN};
                numbers[n++] = i;
            }
        }
        if (n == 0)
            return 0;
        if (poll(fds, n, -1) < 0)
            continue;
        for (unsigned i = 0; i < n && error == 0; i++) {
            struct message m;
            if ((fds[i].revents & (POLLIN | POLLHUP)) == 0)
                continue;
            error = explore_read_all(fds[i].fd, &m, sizeof(m)) ? take(s, &m) : bury(s, numbers[i]);
        }
    }
    return error;
}

/* ---- the figures ---- */
static int by_value(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static uint64_t median(const struct state *s, uint32_t *values, size_t offset)
{
    for (uint64_t i = 0; i < s->total; i++)
        memcpy(&values[i], (const char *)&s->figures[i] + offset, sizeof(values[i]));
    qsort(values, s->total, sizeof(*values), by_value);
    return s->total > 0 ? values[s->total / 2] : 0;
}

static void find_medians(struct state *s)
{
    uint32_t *values = calloc(s->total + 1, sizeof(*values));
    if (values == NULL)
        return;
    s->out->median_events = median(s, values, offsetof(struct figures, events));
    s->out->median_connections = median(s, values, offsetof(struct figures, connections));
    s->out->median_faults = median(s, values, offsetof(struct figures, faults));
    s->out->median_bytes[0] = median(s, values, offsetof(struct figures, bytes[0]));
    s->out->median_bytes[1] = median(s, values, offsetof(struct figures, bytes[1]));
    free(values);
}

static int by_seed(const void *a, const void *b)
{
    const struct explore_failure *x = a, *y = b;
    return (x->seed > y->seed) - (x->seed < y->seed);
}

static void stop_workers(struct state *s)
{
    for (unsigned i = 0; i < s->jobs; i++) {
        if (s->workers[i].pid > 0) {
            kill(s->workers[i].pid, SIGKILL);
            waitpid(s->workers[i].pid, NULL, 0);
            close(s->workers[i].from);
        }
        if (s->workers[i].errors != NULL)
            fclose(s->workers[i].errors);
    }
}

int explore_campaign_run(const struct explore_campaign *campaign, struct explore_results *out)
{
    struct state *s = calloc(1, sizeof(*s));
    int error = 0;
    memset(out, 0, sizeof(*out));
    if (s == NULL)
        return SMC_ERR_NOMEM;
    s->campaign = campaign;
    s->out = out;
    s->total = explore_campaign_size(campaign);
    s->jobs = campaign->jobs > 0 && campaign->jobs < JOBS_MAX ? campaign->jobs : 1;
    s->figures = calloc(s->total + 1, sizeof(*s->figures));
    void *shared = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    s->shared = shared;
    if (s->figures == NULL || shared == MAP_FAILED)
        error = SMC_ERR_NOMEM;
    for (unsigned i = 0; i < s->jobs && error == 0; i++)
        error = start_worker(s, i);
    if (error == 0)
        error = serve(s);
    stop_workers(s);
    if (error == 0)
        find_medians(s);
    if (out->failure_count > 0) /* else there is no array */
        qsort(out->failures, out->failure_count, sizeof(*out->failures), by_seed);
    if (shared != MAP_FAILED)
        munmap(shared, sizeof(struct shared));
    free(s->figures);
    free(s);
    return error;
}

void explore_results_free(struct explore_results *r)
{
    free(r->failures);
    r->failures = NULL;
    r->failure_count = 0;
}

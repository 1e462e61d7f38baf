/* A run of the laboratory: its memory, its capture, its time and its end.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_internal.h"
#include "sim/plain_alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { EVENT_LIMIT = 200 * 1000 * 1000 };

/* ---- Memory: that of the caller, counted ---- */
static void *counted_allocate(void *user, size_t size)
{
    struct lab *lab = user;
    void *block = lab->inner->allocate(lab->inner->user, size);
    if (block != NULL) {
        lab->blocks++;
        lab->bytes += size;
    }
    return block;
}

static void *counted_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    struct lab *lab = user;
    void *grown = lab->inner->resize(lab->inner->user, block, old_size, new_size);
    if (grown != NULL) {
        lab->blocks += block == NULL;
        lab->bytes += new_size - old_size;
    }
    return grown;
}

static void counted_release(void *user, void *block, size_t size)
{
    struct lab *lab = user;
    lab->blocks--;
    lab->bytes -= size;
    lab->inner->release(lab->inner->user, block, size);
}

void *lab_alloc(struct lab *lab, size_t size)
{
    return smc_alloc_zeroed(&lab->alloc, 1, size);
}

void lab_release(struct lab *lab, void *block, size_t size)
{
    smc_alloc_release(&lab->alloc, block, 1, size);
}

int lab_fail(struct lab *lab, int error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(lab->problem, sizeof(lab->problem), format, args);
    va_end(args);
    return error;
}

int lab_join_name(struct lab_host *host, const char *name, char out[LAB_NAME])
{
    int n = snprintf(out, LAB_NAME, "%s.%s", host->name, name);
    return n > 0 && n < LAB_NAME ? 0 : lab_fail(host->lab, SMC_ERR_ARGUMENT, "the name \"%s\" is too long", name);
}

const char *lab_problem(const struct lab *lab)
{
    return lab->problem;
}

struct sim *lab_sim(struct lab *lab)
{
    return lab->sim;
}

/* ---- Beginning ---- */
static int open_capture(struct lab *lab, const struct lab_config *config)
{
    char error[LAB_PROBLEM];
    if (config->capture == NULL && !config->capture_hashed && config->sink == NULL)
        return 0;
    struct capture_options options = {.path = config->capture, .sink = config->sink, .user = config->sink_user};
    int result = capture_open(&lab->alloc, &options, &lab->capture, error, sizeof(error));
    return result == 0 ? 0 : lab_fail(lab, result, "%s", error);
}

int lab_new(const struct lab_config *config, struct lab **out)
{
    const struct smc_alloc *inner = config->alloc != NULL ? config->alloc : &plain_alloc;
    struct lab *lab = smc_alloc_zeroed(inner, 1, sizeof(*lab));
    if (lab == NULL)
        return SMC_ERR_NOMEM;
    lab->inner = inner;
    lab->alloc = (struct smc_alloc){counted_allocate, counted_resize, counted_release, lab};
    lab->hosts_end = &lab->hosts;
    lab->links_end = &lab->links;
    lab->sockets_end = &lab->sockets;
    lab->clock = config->clock;
    *out = lab;
    lab->sim = sim_new(&lab->alloc, config->seed);
    lab->net = lab->sim != NULL ? net_new(lab->sim, &lab->alloc) : NULL;
    if (lab->net == NULL)
        return lab_fail(lab, SMC_ERR_NOMEM, "out of memory");
    sim_set_limit(lab->sim, config->event_limit != 0 ? config->event_limit : EVENT_LIMIT);
    int error = open_capture(lab, config);
    if (error == 0 && lab->capture != NULL)
        net_set_capture(lab->net, lab->capture, NET_CAPTURE_DELIVERED);
    return error;
}

/* ---- Time ---- */
static int explain(struct lab *lab, int error)
{
    if (error == SMC_ERR_TIMEOUT)
        return lab_fail(lab, error, "the limit of %llu events is reached at %llu ns: nothing comes to rest",
                        (unsigned long long)sim_events(lab->sim), (unsigned long long)sim_now(lab->sim));
    return error;
}

int lab_step(struct lab *lab, uint64_t at_ns)
{
    if (lab->clock != NULL)
        return explain(lab, lab->clock->step(lab->clock->user, lab->sim, at_ns));
    if (sim_next_ns(lab->sim) > at_ns)
        return explain(lab, sim_run_until(lab->sim, at_ns));
    return explain(lab, sim_step(lab->sim));
}

int lab_run_until(struct lab *lab, uint64_t at_ns)
{
    int more = 1;
    if (lab->clock == NULL)
        return explain(lab, sim_run_until(lab->sim, at_ns));
    while (more > 0)
        more = lab_step(lab, at_ns);
    return more;
}

void lab_digest(const struct lab *lab, uint64_t value[2])
{
    if (lab->capture != NULL)
        capture_digest(lab->capture, value);
    else
        sim_digest(lab->sim, value);
}

/* ---- End ---- */
static void free_network(struct lab *lab)
{
    net_free(lab->net);
    while (lab->links != NULL) {
        struct lab_link *link = lab->links;
        lab->links = link->next;
        lab_release(lab, link, sizeof(*link));
    }
    while (lab->boxes != NULL) {
        struct lab_box *b = lab->boxes;
        lab->boxes = b->next;
        lab_release(lab, b, sizeof(*b));
    }
    while (lab->switches != NULL) {
        struct lab_switch *s = lab->switches;
        lab->switches = s->next;
        lab_release(lab, s, sizeof(*s));
    }
}

static void free_hosts(struct lab *lab)
{
    while (lab->hosts != NULL) {
        struct lab_host *host = lab->hosts;
        lab->hosts = host->next;
        lab_host_free(host);
    }
    while (lab->sockets != NULL) {
        struct lab_socket *s = lab->sockets;
        lab->sockets = s->next;
        lab_socket_free(s);
    }
    smc_alloc_release(&lab->alloc, lab->socket_table, lab->socket_room, sizeof(struct lab_socket *));
    while (lab->machines != NULL) {
        struct lab_machine *m = lab->machines;
        lab->machines = m->next;
        lab_machine_free(lab, m);
    }
}

int lab_free(struct lab *lab)
{
    if (lab == NULL)
        return 0;
    free_hosts(lab);
    if (lab->net != NULL)
        free_network(lab);
    int error = capture_close(lab->capture);
    sim_free(lab->sim);
    if (lab->blocks != 0) {
        fprintf(stderr, "smclab: a run left %llu blocks (%llu bytes) behind: that is a bug of smclab\n",
                (unsigned long long)lab->blocks, (unsigned long long)lab->bytes);
        error = SMC_ERR_BUSY;
    }
    smc_alloc_release(lab->inner, lab, 1, sizeof(*lab));
    return error;
}

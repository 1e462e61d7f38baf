/* The judge from packet to result: order of time, tracking, checks, the table of connections.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "state.h"
#include "traces/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two interfaces of one host are captured a few milliseconds apart; what lies further apart was sent so. */
static const uint64_t window_ns = 50 * 1000 * 1000;
static const size_t window_packets = 1024;

int judge_requirement_index(const char *id)
{
    for (size_t i = 0; i < judge_catalogue_size; i++)
        if (strcmp(judge_catalogue[i].id, id) == 0)
            return (int)i;
    return -1;
}

const struct judge_options *judge_options_of(const struct judge *j)
{
    return &j->options;
}

static int track(void *ctx, const struct trace_raw *raw)
{
    struct judge *j = ctx;
    return trace_session_input(j->session, raw);
}

struct judge *judge_new(const char *file, const struct judge_options *options,
                        const struct trace_session_events *observer, void *observer_ctx)
{
    struct judge *j = calloc(1, sizeof *j);
    if (j == NULL)
        return NULL;
    if (options != NULL)
        j->options = *options;
    j->observer = observer;
    j->observer_ctx = observer_ctx;
    j->result.file = strdup(file);
    j->result.exercised = calloc(judge_catalogue_size, sizeof(uint64_t));
    for (unsigned side = 0; side < 2; side++)
        j->result.exercised_by[side] = calloc(judge_catalogue_size, sizeof(uint64_t));
    j->acting = -1;
    j->session = trace_session_new(&judge_dispatch_events, j);
    j->order = trace_order_new(window_ns, window_packets, track, j);
    if (j->result.file == NULL || j->result.exercised == NULL || j->result.exercised_by[0] == NULL ||
        j->result.exercised_by[1] == NULL || j->session == NULL || j->order == NULL) {
        judge_free(j);
        return NULL;
    }
    return j;
}

void judge_on_finding(struct judge *j, void (*fn)(void *ctx, const struct judge_finding *f), void *ctx)
{
    j->on_finding = fn;
    j->on_finding_ctx = ctx;
}

int judge_input(struct judge *j, const struct trace_raw *raw)
{
    j->result.packets++;
    if (trace_order_put(j->order, raw) != 0)
        j->no_memory = true;
    return j->no_memory ? -1 : 0;
}

/* Bytes of one direction, if the capture shows all of them. */
static bool bytes_of(const struct trace_conn *c, int side, uint64_t *bytes)
{
    if (c->late || c->incomplete)
        return false;
    if (c->mode == TRACE_MODE_TCP) {
        *bytes = c->plain_bytes[side];
        return true;
    }
    *bytes = c->side[side].prod_pos;
    /* Without a single CDC the data path was not captured (SMC-D on a real device never is). */
    return c->mode != TRACE_MODE_UNKNOWN && c->side[side].prod_known && c->side[0].cdc_count + c->side[1].cdc_count > 0;
}

void judge_connection_ended(struct judge *j, const struct trace_conn *c)
{
    struct judge_result *r = &j->result;
    if (r->nconnections == j->connections_cap) {
        size_t cap = j->connections_cap ? 2 * j->connections_cap : 16;
        struct judge_connection *more = realloc(r->connections, cap * sizeof(struct judge_connection));
        if (more == NULL) {
            j->no_memory = true;
            return;
        }
        r->connections = more;
        j->connections_cap = cap;
    }
    struct judge_connection *out = &r->connections[r->nconnections++];
    *out = (struct judge_connection){.id = c->id, .client_port = c->port[0], .server_port = c->port[1],
        .mode = (uint8_t)c->mode, .version = c->version, .release = c->release, .closed = (uint8_t)c->closed,
        .declined = c->declined, .decline = c->decline_code, .fallback = trace_conn_fallback(c),
        .group = c->group != NULL ? c->group->id : 0};
    memcpy(out->client_addr, c->addr[0].b, sizeof out->client_addr);
    memcpy(out->server_addr, c->addr[1].b, sizeof out->server_addr);
    for (int side = 0; side < 2; side++)
        out->bytes_known[side] = bytes_of(c, side, &out->bytes[side]);
}

const struct judge_result *judge_finish(struct judge *j, const char *error)
{
    if (j->finished)
        return &j->result;
    j->finished = true;
    if (trace_order_flush(j->order) != 0)
        j->no_memory = true;
    trace_session_finish(j->session);
    judge_collect(j);
    if (error == NULL && j->no_memory)
        error = "out of memory";
    if (error != NULL)
        j->result.error = strdup(error);
    return &j->result;
}

const struct judge_result *judge_result_of(const struct judge *j)
{
    return &j->result;
}

void judge_free(struct judge *j)
{
    if (j == NULL)
        return;
    if (j->session != NULL && j->order != NULL && j->result.exercised != NULL)
        judge_finish(j, NULL); /* the tracker's objects give back what hangs on them */
    trace_order_free(j->order);
    trace_session_free(j->session);
    for (size_t i = 0; i < j->nfound; i++) {
        free(j->found[i]->seen);
        free(j->found[i]->expected);
        free(j->found[i]->message);
        free(j->found[i]);
    }
    free(j->found);
    for (unsigned area = 0; area < JUDGE_AREAS; area++)
        free(j->slots.area[area]);
    free((char *)(uintptr_t)j->result.file);
    free(j->result.error);
    free(j->result.connections);
    free(j->result.findings); /* the texts were those of j->found */
    free(j->result.exercised);
    free(j->result.exercised_by[0]);
    free(j->result.exercised_by[1]);
    free(j);
}

struct judge *judge_file(const char *path, const struct judge_options *options,
                         const struct trace_session_events *observer, void *observer_ctx, char *error, size_t error_size)
{
    struct trace_reader *reader = trace_reader_open(path, error, error_size);
    if (reader == NULL)
        return NULL;
    struct judge *j = judge_new(path, options, observer, observer_ctx);
    if (j == NULL) {
        snprintf(error, error_size, "%s: out of memory", path);
        trace_reader_close(reader);
        return NULL;
    }
    struct trace_raw raw;
    enum trace_read got;
    while ((got = trace_reader_next(reader, &raw)) == TRACE_READ_PACKET)
        if (judge_input(j, &raw) != 0)
            break;
    judge_finish(j, got == TRACE_READ_ERROR ? trace_reader_error(reader) : NULL);
    trace_reader_close(reader);
    return j;
}

/* Rebuilding one direction of one connection: a ring image, filled by writes and emptied by the producer cursor.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "follow.h"

#include <stdlib.h>

static void miss(struct trace_follow *f, const char *why, uint64_t frame)
{
    if (f->missing)
        return;
    f->missing = true;
    f->why = why;
    f->frame = frame;
}

static void deliver(struct trace_follow *f, const uint8_t *p, size_t n)
{
    if (n == 0 || f->missing || f->put_failed)
        return;
    if (f->put(f->put_ctx, p, n) != 0) {
        f->put_failed = true;
        return;
    }
    f->written += n;
}

static bool mine(const struct trace_follow *f, const struct trace_conn *c, int side)
{
    return c && c->id == f->connection && side == f->side;
}

static void on_open(void *ctx, struct trace_conn *c)
{
    struct trace_follow *f = ctx;
    if (c->id == f->connection)
        f->found = true;
}

static void on_plain(void *ctx, struct trace_conn *c, int side, struct smc_view bytes, uint64_t frame, uint64_t ns)
{
    struct trace_follow *f = ctx;
    (void)ns;
    if (!mine(f, c, side))
        return;
    if (c->late && f->written == 0)
        miss(f, "the capture began inside the connection", frame);
    if (c->mode != TRACE_MODE_SMCR && c->mode != TRACE_MODE_SMCD)
        deliver(f, bytes.p, smc_view_len(bytes));
}

static void on_tcp_gap(void *ctx, struct trace_conn *c, int side, uint64_t n, uint64_t frame)
{
    struct trace_follow *f = ctx;
    (void)n;
    bool handshake = c->phase == TRACE_CLC_PROPOSAL || c->phase == TRACE_CLC_ACCEPT || c->phase == TRACE_CLC_CONFIRM;
    if (mine(f, c, side) && !handshake && c->mode != TRACE_MODE_SMCR && c->mode != TRACE_MODE_SMCD)
        miss(f, "TCP bytes are missing from the capture (cut or lost packets)", frame);
}

static bool ring_ready(struct trace_follow *f, uint32_t ring)
{
    if (f->ring == ring && f->image)
        return true;
    if (ring == 0)
        return false;
    free(f->image);
    free(f->valid);
    f->image = malloc(ring);
    f->valid = calloc(ring, 1);
    f->ring = ring;
    f->no_memory = !f->image || !f->valid;
    return !f->no_memory;
}

static void on_write(void *ctx, const struct trace_write_event *e)
{
    struct trace_follow *f = ctx;
    if (!mine(f, e->conn, e->side) || !e->pos_ok || f->missing || !ring_ready(f, e->conn->side[!e->side].ring_size))
        return;
    size_t have = smc_view_len(e->bytes) < e->len ? smc_view_len(e->bytes) : e->len;
    for (size_t i = 0; i < e->len; i++) {
        uint64_t pos = e->from + i;
        if (pos < f->written) /* replayed after a failover */
            continue;
        f->valid[pos % f->ring] = i < have;
        if (i < have)
            f->image[pos % f->ring] = e->bytes.p[i];
    }
}

static void advance(struct trace_follow *f, uint64_t to, uint64_t frame)
{
    while (f->written < to && !f->missing && !f->put_failed) {
        uint32_t at = (uint32_t)(f->written % f->ring);
        uint32_t n = 0;
        while (at + n < f->ring && f->written + n < to && f->valid[at + n])
            n++;
        if (n == 0) {
            miss(f, "the bytes that this cursor announces are not in the capture", frame);
            return;
        }
        memset(f->valid + at, 0, n);
        deliver(f, f->image + at, n);
    }
}

static void on_cdc(void *ctx, const struct trace_cdc_event *e)
{
    struct trace_follow *f = ctx;
    if (!e->conn || e->conn->id != f->connection || !e->valid)
        return;
    f->cdcs++;
    if (e->side != f->side || e->validation || e->stale)
        return;
    const struct trace_conn_side *w = &e->conn->side[e->side];
    if (!w->prod_known)
        miss(f, "the capture began inside the connection", e->frame);
    else if (!e->prod_pos_ok)
        miss(f, "this cursor lies outside the ring", e->frame);
    else if (e->prod_pos > f->written && ring_ready(f, e->conn->side[!e->side].ring_size))
        advance(f, e->prod_pos, e->frame);
}

static void on_conn_end(void *ctx, struct trace_conn *c)
{
    struct trace_follow *f = ctx;
    if (c->id != f->connection || f->missing)
        return;
    if (c->mode == TRACE_MODE_SMCD && f->cdcs == 0)
        miss(f, "SMC-D data crosses no wire, and the capture holds no SMC-D records", 0);
    else if (c->mode == TRACE_MODE_SMCR && f->cdcs == 0 && !c->rst) /* reset before anything was sent: no byte */
        miss(f, "the data path of the connection is not in the capture", 0);
    else if (c->mode == TRACE_MODE_UNKNOWN && c->late)
        miss(f, "the capture began inside the connection", c->first_frame);
}

const struct trace_session_events trace_follow_events = {
    .conn_open = on_open,
    .plain = on_plain,
    .tcp_gap = on_tcp_gap,
    .write = on_write,
    .cdc = on_cdc,
    .conn_end = on_conn_end,
};

void trace_follow_free(struct trace_follow *f)
{
    free(f->image);
    free(f->valid);
    f->image = f->valid = NULL;
}

/* Watching: every frame that arrives is followed by the tracker, and each message kept for the script to ask about.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "wire/cdc.h"
#include "wire/tcp_option.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEN_MAX = 1 << 20, LADDER_LINES = 60 };

static void *grow(void *block, size_t *room, size_t wanted, size_t size)
{
    size_t count = *room != 0 ? *room : 256;
    while (count < wanted)
        count *= 2;
    void *grown = realloc(block, count * size);
    if (grown != NULL)
        *room = count;
    return grown;
}

static bool keep_bytes(struct run *run, struct seen *m, struct smc_view bytes)
{
    size_t length = smc_view_len(bytes);
    if (run->bytes_count + length > run->bytes_room) {
        uint8_t *grown = grow(run->bytes, &run->bytes_room, run->bytes_count + length, 1);
        if (grown == NULL)
            return false;
        run->bytes = grown;
    }
    if (length > 0)
        memcpy(run->bytes + run->bytes_count, bytes.p, length);
    m->offset = (uint32_t)run->bytes_count;
    m->length = (uint32_t)length;
    run->bytes_count += length;
    return true;
}

static void keep(struct run *run, struct seen *m, struct smc_view bytes)
{
    if (run->seen_count == run->seen_room) {
        struct seen *grown = run->seen_count < SEEN_MAX ? grow(run->seen, &run->seen_room, run->seen_count + 1, sizeof(*grown)) : NULL;
        if (grown == NULL) {
            run->watch_failed = true;
            return;
        }
        run->seen = grown;
    }
    m->at_ns = run_now(run);
    if (!keep_bytes(run, m, bytes)) {
        run->watch_failed = true;
        return;
    }
    run->seen[run->seen_count++] = *m;
}

static void who(struct run *run, const uint8_t address[16], char out[24])
{
    snprintf(out, 24, "%s", lab_owner_of(run->lab, address));
}

static void conn_ends(struct run *run, struct seen *m, const struct trace_conn *c, int side)
{
    who(run, c->addr[side].b, m->from);
    who(run, c->addr[!side].b, m->to);
    m->conn = c->id;
}

static void stream_ends(struct run *run, struct seen *m, const struct trace_stream *s)
{
    who(run, s->src.b, m->from);
    who(run, s->dst.b, m->to);
}

static void set_name(struct seen *m, const char *name)
{
    snprintf(m->name, sizeof(m->name), "%s", name);
}

/* ---- what the tracker tells ---- */
static void segment(void *ctx, struct trace_conn *c, int dir, const struct trace_packet *p, bool duplicate)
{
    struct run *run = ctx;
    struct seen m = {.link = -1, .frame = p->raw.frame};
    if (duplicate || (!p->tcp.syn && !p->tcp.rst && !p->tcp.fin))
        return;
    set_name(&m, p->tcp.syn ? "TCP SYN" : p->tcp.rst ? "TCP RST" : "TCP FIN");
    conn_ends(run, &m, c, dir);
    size_t at;
    unsigned length = 0;
    struct smc_view option = {0};
    if (p->tcp.syn && smc_tcp_option_find(p->tcp.options, &at, &length) != SMC_OPTION_ABSENT) {
        option = smc_view_sub(p->tcp.options, at, length);
        m.message = &smc_tcp_option_message;
    }
    m.data_length = length; /* of the option; 0: absent */
    keep(run, &m, option);
}

static void clc(void *ctx, const struct trace_clc_event *e)
{
    struct run *run = ctx;
    struct seen m = {.link = -1, .frame = e->frame, .message = smc_clc_identify(e->bytes)};
    const char *name = message_name(e->bytes, true);
    set_name(&m, name != NULL ? name : "CLC ?");
    conn_ends(run, &m, e->conn, e->side);
    keep(run, &m, e->bytes);
}

static void llc(void *ctx, const struct trace_llc_event *e)
{
    struct run *run = ctx;
    if (e->replayed)
        return;
    struct seen m = {.link = e->link != NULL ? e->link->number : -1, .frame = e->request->frame, .message = smc_llc_identify(e->bytes)};
    const char *name = message_name(e->bytes, false);
    set_name(&m, name != NULL ? name : "LLC ?");
    stream_ends(run, &m, e->stream);
    keep(run, &m, e->bytes);
}

static void cdc(void *ctx, const struct trace_cdc_event *e)
{
    struct run *run = ctx;
    struct seen m = {.link = e->link != NULL ? e->link->number : -1, .frame = e->frame,
                     .message = e->smcd ? &smc_smcd_cdc_le_message : &smc_cdc_message};
    set_name(&m, "CDC");
    if (e->conn != NULL)
        conn_ends(run, &m, e->conn, e->side);
    else if (e->stream != NULL)
        stream_ends(run, &m, e->stream);
    keep(run, &m, e->smcd ? smc_view_sub(e->bytes, 0, smc_smcd_cdc_le_size) : e->bytes);
}

static void write_seen(void *ctx, const struct trace_write_event *e)
{
    struct run *run = ctx;
    if (e->stream == NULL)
        return; /* a move: told as a record */
    struct seen m = {.link = e->link != NULL ? e->link->number : -1, .frame = e->frame, .data_length = e->len};
    set_name(&m, "RDMA WRITE");
    stream_ends(run, &m, e->stream);
    m.conn = e->conn != NULL ? e->conn->id : 0;
    keep(run, &m, (struct smc_view){0});
}

static void record(void *ctx, const struct trace_packet *p, struct trace_conn *c)
{
    struct run *run = ctx;
    struct seen m = {.link = -1, .frame = p->raw.frame, .data_length = (uint32_t)p->payload_wire_len, .message = &smc_smcd_record_message};
    const char *op = "?";
    for (const struct smc_value_name *v = smc_values_record_op; v->name != NULL; v++)
        if (v->value == smc_smcd_record_operation(p->record))
            op = v->name;
    snprintf(m.name, sizeof(m.name), "SMC-D %s", op);
    m.conn = c != NULL ? c->id : 0;
    who(run, smc_smcd_record_src_gid(p->record), m.from);
    who(run, smc_smcd_record_dst_gid(p->record), m.to);
    keep(run, &m, smc_view_of(p->record.p, smc_smcd_record_size));
}

static const struct trace_session_events watch_events = {
    .segment = segment, .clc = clc, .llc = llc, .cdc = cdc, .write = write_seen, .record = record};

int watch_start(struct run *run)
{
    run->session = trace_session_new(&watch_events, run);
    return run->session != NULL ? 0 : SMC_ERR_NOMEM;
}

void watch_frame(void *user, uint64_t at_ns, const uint8_t *bytes, size_t length)
{
    struct run *run = user;
    if (run->session == NULL)
        return;
    run->frame_ns = at_ns;
    struct trace_raw raw = {.frame = ++run->frame, .ts_ns = at_ns, .bytes = smc_view_of(bytes, length), .wire_len = (uint32_t)length,
                            .linktype = 1};
    if (trace_session_input(run->session, &raw) != 0)
        run->watch_failed = true;
}

void watch_end(struct run *run)
{
    if (run->session != NULL)
        trace_session_free(run->session);
    run->session = NULL;
    free(run->seen);
    free(run->bytes);
    run->seen = NULL;
    run->bytes = NULL;
}

/* ---- what a script asks ---- */
struct more {
    size_t count;
};

static bool has_more(struct run *run, void *ctx)
{
    return run->seen_count > ((struct more *)ctx)->count;
}

/* lab.seen_count() */
static int seen_count(lua_State *L)
{
    if (run_of(L)->options->unwatched)
        return luaL_error(L, "a sweep keeps no messages: smclab run does");
    lua_pushinteger(L, (lua_Integer)run_of(L)->seen_count);
    return 1;
}

/* lab.seen(i) → message, i from 1; nil */
static int seen_at(lua_State *L)
{
    struct run *run = run_of(L);
    lua_Integer i = luaL_checkinteger(L, 1);
    if (i < 1 || (size_t)i > run->seen_count)
        return 0;
    const struct seen *m = &run->seen[i - 1];
    message_push(L, m, run->bytes + m->offset);
    return 1;
}

/* lab.seen_name(i) → name, from: without taking it apart */
static int seen_name(lua_State *L)
{
    struct run *run = run_of(L);
    lua_Integer i = luaL_checkinteger(L, 1);
    if (i < 1 || (size_t)i > run->seen_count)
        return 0;
    lua_pushstring(L, run->seen[i - 1].name);
    lua_pushstring(L, run->seen[i - 1].from);
    return 2;
}

/* lab.wait_seen(count, until) → bool: more than `count` messages were seen */
static int wait_seen(lua_State *L)
{
    struct run *run = run_of(L);
    struct more more = {(size_t)luaL_checkinteger(L, 1)};
    lua_pushboolean(L, run_wait(run, has_more, &more, (uint64_t)luaL_checkinteger(L, 2)));
    return 1;
}

void watch_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"seen_count", seen_count}, {"seen", seen_at}, {"seen_name", seen_name}, {"wait_seen", wait_seen}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}

/* ---- the ladder of a failure: what was seen last ---- */
static size_t ladder_line(const struct seen *m, const char *left, char *out, size_t room)
{
    bool right = strcmp(m->from, left) != 0;
    char what[64];
    if (m->link >= 0)
        snprintf(what, sizeof(what), "%s (link %d)", m->name, m->link);
    else
        snprintf(what, sizeof(what), "%s", m->name);
    int n = snprintf(out, room, "  %12.6f ms  %-10s %s %-34s %s %s\n", (double)m->at_ns / 1e6, right ? m->to : m->from,
                     right ? "<──" : "───", what, right ? "───" : "──>", right ? m->from : m->to);
    return n > 0 && (size_t)n < room ? (size_t)n : 0;
}

void watch_ladder(const struct run *run, char *out, size_t room)
{
    size_t from = run->seen_count > LADDER_LINES ? run->seen_count - LADDER_LINES : 0, at = 0;
    const char *left = run->seen_count > 0 ? run->seen[0].from : "";
    out[0] = '\0';
    for (size_t i = from; i < run->seen_count; i++) {
        size_t n = ladder_line(&run->seen[i], left, out + at, room - at);
        if (n == 0)
            break;
        at += n;
    }
}

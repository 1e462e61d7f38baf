/* The applications of a run: each sends a pattern, checks every byte it gets, and ends in its own way.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "sim/hash.h"

#include <stdlib.h>
#include <string.h>

enum { BUFFER = 65536, CHUNK = 16384 };

/* ---- the pattern: a stream of its own for each side, urgent bytes in it unlike what follows them ---- */
static bool is_urgent(const struct explore_side *s, uint64_t at)
{
    return s->urgent >= 2 && (at + 1) % s->urgent == 0 && at + 1 < s->bytes;
}

/* Fills n bytes; room for n + 1. An urgent byte is never what comes next, so that one that was skipped shows. */
static void pattern_of(const struct explore_app *writer, uint64_t from, uint8_t *to, size_t n)
{
    lab_pattern(sim_mix(writer->run->plan->net_seed) + 2 * writer->conn + writer->side, from, to, n + 1);
    if (writer->plan->urgent < 2)
        return;
    for (size_t i = 0; i < n; i++)
        if (is_urgent(writer->plan, from + i))
            to[i] = (uint8_t)~to[i + 1];
}

static const char *side_name(const struct explore_app *app)
{
    return app->side == 0 ? "client" : "server";
}

/* ---- reading ---- */
static void check_byte(struct explore_app *app, uint8_t got, uint8_t expected, uint64_t limit)
{
    if (app->position >= limit)
        explore_fail(app->run, "more bytes than were sent", "connection %u: the %s received more than the %llu bytes that were sent", app->conn,
                     side_name(app), (unsigned long long)limit);
    else if (got != expected)
        explore_fail(app->run, "wrong byte", "connection %u: the %s received a wrong byte at %llu (mode %d)", app->conn, side_name(app),
                     (unsigned long long)app->position, (int)app->mode);
}

static void check_bytes(struct explore_app *app, const uint8_t *bytes, size_t n)
{
    static uint8_t expected[2 * BUFFER + 16];
    const struct explore_side *w = app->peer->plan;
    uint64_t from = app->position, limit = app->peer->sent;
    bool may_skip = !app->plan->inline_urgent && w->urgent >= 2;
    pattern_of(app->peer, from, expected, may_skip ? n + n / (w->urgent - 1) + 2 : n);
    if (w->urgent < 2 && from + n <= limit && memcmp(bytes, expected, n) == 0) { /* a gibibyte is not looked at byte by byte */
        app->position += n;
        return;
    }
    for (size_t i = 0; i < n && !app->run->out->failed; i++) {
        if (may_skip && is_urgent(w, app->position) && bytes[i] != expected[app->position - from]) {
            app->position++;
            explore_saw(app->run, EXPLORE_URGENT_SKIPPED);
        } else if (w->urgent >= 2 && is_urgent(w, app->position)) {
            explore_saw(app->run, EXPLORE_URGENT_INLINE);
        }
        check_byte(app, bytes[i], expected[app->position - from], limit);
        app->position++;
    }
}

static void at_end(struct explore_app *app)
{
    const struct explore_app *w = app->peer;
    bool last_skipped = app->position + 1 == w->sent && is_urgent(w->plan, app->position);
    app->eof = true;
    if (w->plan->end != EXPLORE_END_LINGER0 && app->position != w->sent && !last_skipped && w->error == 0)
        explore_fail(app->run, "the stream ended early", "connection %u: the %s saw the end of the stream at %llu of %llu bytes sent", app->conn,
                     side_name(app), (unsigned long long)app->position, (unsigned long long)w->sent);
}

static void pause(struct explore_app *app, struct sim_timer *timer, bool *paused, uint64_t delay)
{
    *paused = sim_timer_set(app->run->sim, timer, sim_now(app->run->sim) + delay) == 0;
}

static size_t most_to_read(const struct explore_app *app)
{
    uint64_t most = app->plan->read != 0 && app->plan->read < BUFFER ? app->plan->read : BUFFER;
    /* Who aborts in the middle leaves the rest unread. */
    if (app->plan->end == EXPLORE_END_ABORT && app->plan->end_at - app->position < most)
        most = app->plan->end_at - app->position;
    return (size_t)most;
}

static void read_some(struct explore_app *app)
{
    static uint8_t bytes[BUFFER];
    while (!app->read_paused && !app->run->out->failed) {
        size_t most = most_to_read(app);
        if (most == 0 && !app->eof)
            return;
        int64_t n = lab_recv(app->socket, bytes, app->eof ? 1 : most, 0);
        if (app->eof) {
            if (n > 0)
                explore_fail(app->run, "data behind the end", "connection %u: the %s read a byte behind the end of the stream", app->conn,
                             side_name(app));
            return;
        }
        if (n < 0)
            return;
        if (n == 0) {
            at_end(app);
            return;
        }
        check_bytes(app, bytes, (size_t)n);
        if (app->plan->read_delay != 0)
            pause(app, &app->read_timer, &app->read_paused, app->plan->read_delay);
    }
}

static void read_urgent(struct explore_app *app)
{
    uint8_t byte, expected[2];
    const struct explore_side *w = app->peer->plan;
    if (app->closed || !app->plan->read_urgent || app->plan->inline_urgent || w->urgent < 2 || lab_recv(app->socket, &byte, 1, SMC_MSG_OOB) != 1)
        return;
    explore_saw(app->run, EXPLORE_URGENT_READ);
    for (uint64_t at = w->urgent - 1; at < app->peer->sent; at += w->urgent) {
        pattern_of(app->peer, at, expected, 1);
        if (is_urgent(w, at) && expected[0] == byte)
            return;
    }
    explore_fail(app->run, "wrong urgent byte", "connection %u: the %s read an urgent byte that was never sent", app->conn, side_name(app));
}

/* ---- writing ---- */
static bool may_write(const struct explore_app *app)
{
    return !app->write_paused && !app->write_failed && !app->shut && app->sent < app->plan->bytes &&
           (app->plan->end != EXPLORE_END_LATE || app->eof);
}

/* How much goes with the next call, and whether its last byte is urgent. */
static size_t next_piece(const struct explore_app *app, unsigned *flags)
{
    uint64_t n = app->plan->chunk != 0 && app->plan->chunk < BUFFER ? app->plan->chunk : CHUNK;
    if (n > app->plan->bytes - app->sent)
        n = app->plan->bytes - app->sent;
    *flags = 0;
    if (app->plan->urgent >= 2) {
        uint64_t next = app->sent / app->plan->urgent * app->plan->urgent + app->plan->urgent - 1; /* the next urgent byte */
        if (next < app->sent + n) {
            n = next + 1 - app->sent;
            *flags = is_urgent(app->plan, next) ? SMC_MSG_OOB : 0;
        }
    }
    return (size_t)n;
}

static void write_some(struct explore_app *app)
{
    static uint8_t bytes[BUFFER + 1];
    while (may_write(app) && !app->run->out->failed) {
        unsigned flags;
        size_t n = next_piece(app, &flags);
        pattern_of(app, app->sent, bytes, n);
        /* What is under way counts as sent at once: the peer may get it before this returns (no-copy). */
        int64_t taken = lab_send(app->socket, bytes, n, flags);
        if (taken <= 0) {
            app->write_failed = taken != SMC_ERR_WOULDBLOCK && taken != SMC_ERR_NOMEM;
            if (taken == SMC_ERR_NOMEM)
                pause(app, &app->write_timer, &app->write_paused, SIM_MS);
            return;
        }
        app->sent += (uint64_t)taken;
        if (app->plan->write_delay != 0)
            pause(app, &app->write_timer, &app->write_paused, app->plan->write_delay);
    }
}

/* ---- ending ---- */
static void note_closing(struct explore_app *app)
{
    if (app->closing_ns == 0)
        app->closing_ns = sim_now(app->run->sim);
}

void explore_app_close(struct explore_app *app)
{
    if (app->closed || app->socket == NULL)
        return;
    struct smc_connection *c = lab_socket_connection(app->socket);
    app->closed = true;
    note_closing(app);
    app->closed_unread = c != NULL && app->mode != SMC_MODE_TCP && app->connected && smc_readable(c) > 0;
    if (app->closed_unread)
        explore_saw(app->run, EXPLORE_CLOSE_UNREAD);
    if (app->plan->end == EXPLORE_END_LINGER0 && app->connected)
        (void)lab_set_option(app->socket, SMC_OPTION_LINGER_NS, 0);
    lab_close(app->socket);
}

static void end_if_due(struct explore_app *app)
{
    const struct explore_side *p = app->plan;
    bool sent = app->sent >= p->bytes, got = app->position >= app->peer->plan->bytes;
    bool half = p->end == EXPLORE_END_HALF || p->end == EXPLORE_END_RDWR;
    if (app->closed)
        return;
    if (half && sent && (p->end == EXPLORE_END_HALF || got) && !app->shut) {
        app->shut = true;
        if (p->end == EXPLORE_END_RDWR)
            note_closing(app);
        (void)lab_shutdown(app->socket, p->end == EXPLORE_END_HALF ? SMC_SHUT_WR : SMC_SHUT_RDWR);
    }
    if (sent && p->cork && !app->uncorked) { /* what is held back goes only when the application says so, or has closed */
        app->uncorked = true;
        (void)lab_set_option(app->socket, SMC_OPTION_CORK, 0);
    }
    bool done = false;
    switch (p->end) {
    case EXPLORE_END_DONE: done = sent && (got || app->eof); break;
    case EXPLORE_END_LATE: done = sent && app->eof; break;
    case EXPLORE_END_HALF:
    case EXPLORE_END_RDWR: done = app->shut && app->eof; break;
    case EXPLORE_END_ABORT: done = app->position >= p->end_at || app->eof; break;
    default: done = sent; break;
    }
    if (done && p->hold != 0 && app->error == 0) {
        if (!app->held)
            pause(app, &app->hold_timer, &app->held, p->hold);
        done = false;
    }
    /* The other end has closed altogether: what is not sent can never be. */
    if (done || app->write_failed || app->error != 0)
        explore_app_close(app);
}

static void progress(struct explore_app *app)
{
    if (app->closed || !app->connected || app->run->out->failed)
        return;
    read_some(app);
    write_some(app);
    if (app->plan->end == EXPLORE_END_LATE || app->eof)
        read_some(app);
    end_if_due(app);
}

static void read_again(void *ctx, uint64_t now_ns)
{
    struct explore_app *app = ctx;
    (void)now_ns;
    app->read_paused = false;
    progress(app);
}

static void write_again(void *ctx, uint64_t now_ns)
{
    struct explore_app *app = ctx;
    (void)now_ns;
    app->write_paused = false;
    progress(app);
}

static void close_at_last(void *ctx, uint64_t now_ns)
{
    (void)now_ns;
    explore_app_close(ctx);
}

/* ---- events ---- */
static uint64_t host_of(const struct explore_app *app)
{
    const struct explore_conn *c = &app->run->plan->conns[app->conn];
    return app->side == 0 ? c->client : c->server;
}

/* What the host does in this mode it does with one device. */
static bool only_device(const struct explore_host *h, enum smc_mode mode)
{
    return mode == SMC_MODE_R ? h->nics == 1 : (h->devices & (h->devices - 1)) == 0;
}

static void connected(struct explore_app *app)
{
    app->connected = true;
    app->mode = lab_socket_mode(app->socket);
    uint64_t host = host_of(app);
    if (only_device(&app->run->plan->hosts[host], app->mode) && (app->run->back[host] >> app->mode & 1) != 0)
        explore_saw(app->run, EXPLORE_DEVICE_BACK);
    if (app->plan->cork)
        (void)lab_set_option(app->socket, SMC_OPTION_CORK, 1);
}

static void event(void *user, struct lab_socket *socket, unsigned events)
{
    struct explore_app *app = user;
    if (app->socket == NULL)
        app->socket = socket;
    if ((events & SMC_EVENT_CLOSED) != 0) {
        if (app->ended)
            explore_fail(app->run, "closed twice", "connection %u: the %s was told twice that it is closed", app->conn, side_name(app));
        app->ended = true;
        app->closed = true;
        return;
    }
    if ((events & SMC_EVENT_CONNECTED) != 0)
        connected(app);
    if ((events & SMC_EVENT_ERROR) != 0 && app->error == 0) {
        app->error = lab_socket_error(socket) != 0 ? lab_socket_error(socket) : SMC_ERR_RESET;
        app->error_ns = sim_now(app->run->sim);
    }
    if (app->connected && (events & SMC_EVENT_URGENT) != 0)
        read_urgent(app);
    progress(app);
    if (app->error != 0)
        explore_app_close(app);
}

static const struct lab_socket_ops client_ops = {.event = event};
static const struct lab_socket_ops server_ops = {.event = event};

static void accepted(void *user, struct lab_socket *listener, struct lab_socket *socket)
{
    struct explore_app *app = user;
    (void)listener;
    if (app->socket != NULL) { /* a connection request that was answered twice */
        lab_socket_set_ops(socket, NULL, NULL);
        lab_close(socket);
        return;
    }
    app->socket = socket;
    lab_socket_set_ops(socket, &server_ops, app);
}

static struct lab_socket_config config_of(const struct explore_app *app)
{
    const struct explore_conn *c = &app->run->plan->conns[app->conn];
    return (struct lab_socket_config){.tcp_only = c->plain != 0,
                                      .fast_open = c->fast_open != 0,
                                      .nodelay = app->plan->nodelay != 0,
                                      .oob_inline = app->plan->inline_urgent != 0,
                                      .rmb_bytes = (uint32_t)app->plan->rmb,
                                      .sndbuf_bytes = (uint32_t)app->plan->sndbuf,
                                      .ops = &client_ops,
                                      .user = (void *)(uintptr_t)app};
}

static void app_init(struct explore_run *run, unsigned conn, unsigned side)
{
    struct explore_app *app = &run->apps[2 * conn + side];
    app->run = run;
    app->conn = conn;
    app->side = side;
    app->plan = &run->plan->conns[conn].side[side];
    app->peer = &run->apps[2 * conn + !side];
    sim_timer_init(&app->read_timer, read_again, app);
    sim_timer_init(&app->write_timer, write_again, app);
    sim_timer_init(&app->hold_timer, close_at_last, app);
}

bool explore_listen(struct explore_run *run, unsigned conn)
{
    static const struct lab_socket_ops ops = {.accepted = accepted};
    app_init(run, conn, 0);
    app_init(run, conn, 1);
    struct explore_app *server = &run->apps[2 * conn + 1];
    struct lab_socket_config config = config_of(server);
    config.ops = &ops;
    int error = lab_listen(run->hosts[run->plan->conns[conn].server], (uint16_t)(EXPLORE_PORT + conn), &config, &run->listeners[conn]);
    if (error != 0)
        explore_fail(run, "the plan cannot be built", "a listener: %s", lab_problem(run->lab));
    return error == 0;
}

void explore_connect(struct explore_run *run, unsigned conn)
{
    const struct explore_conn *c = &run->plan->conns[conn];
    struct explore_app *client = &run->apps[2 * conn];
    struct lab_socket_config config = config_of(client);
    int error = lab_connect(run->hosts[c->client], explore_host_names[c->server], (uint16_t)(EXPLORE_PORT + conn), &config, &client->socket);
    if (error != 0) {
        client->error = error;
        client->closed = client->ended = true;
    }
}

/* ---- the verdict on connections ---- */
bool explore_app_done(const struct explore_app *app)
{
    if (app->socket != NULL)
        return app->ended;
    /* A server that nobody reached. */
    return app->side == 1 && app->peer->ended;
}

static bool wants_abort(uint64_t end)
{
    return end == EXPLORE_END_EARLY || end == EXPLORE_END_ABORT || end == EXPLORE_END_LINGER0;
}

/* Who closes waits for its last data only for so long; then it aborts, which tells the truth: not all has arrived [CLOSE-003]. A
 * net that is full, not broken, can keep data for that long. */
static bool drained_too_long(const struct explore_run *run, const struct explore_app *app)
{
    const struct explore_app *closer = app->peer;
    bool smc = closer->mode == SMC_MODE_R || closer->mode == SMC_MODE_D;
    uint64_t drain = run->plan->hosts[host_of(closer)].profile == 0 ? smc_profile_linux.close_drain_ns : smc_profile_rfc.close_drain_ns;
    return smc && closer->closing_ns != 0 && app->error == SMC_ERR_RESET && app->error_ns >= closer->closing_ns + drain;
}

static bool may_fail(const struct explore_run *run, const struct explore_app *app)
{
    return run->licence.hard || run->congested || drained_too_long(run, app) || wants_abort(app->plan->end) || wants_abort(app->peer->plan->end);
}

static void check_end(struct explore_run *run, const struct explore_app *app)
{
    const struct explore_side *w = app->peer->plan;
    bool got_all = app->position >= w->bytes || (app->position + 1 == w->bytes && is_urgent(w, app->position));
    char kind[EXPLORE_KIND];
    snprintf(kind, sizeof(kind), "failed without a cause: %s", smc_error_text(app->error));
    if (app->error != 0 && !may_fail(run, app))
        explore_fail(run, kind, "connection %u: the %s failed (%s) though nothing was lost for long: %llu of %llu bytes received",
                     app->conn, side_name(app), smc_error_text(app->error), (unsigned long long)app->position, (unsigned long long)w->bytes);
    else if (!got_all && app->error == 0 && !may_fail(run, app))
        explore_fail(run, "bytes are missing", "connection %u: the %s received %llu of %llu bytes and no error", app->conn, side_name(app),
                     (unsigned long long)app->position, (unsigned long long)w->bytes);
    if (got_all && app->connected)
        run->out->bytes[!app->side] += app->position;
}

void explore_check_ends(struct explore_run *run)
{
    for (unsigned i = 0; i < 2 * run->plan->conn_count; i++) {
        struct explore_app *app = &run->apps[i];
        uint64_t host = app->side == 0 ? run->plan->conns[app->conn].client : run->plan->conns[app->conn].server;
        if (run->licence.killed[host])
            continue;
        check_end(run, app);
    }
}

void explore_apps_free(struct explore_run *run)
{
    for (unsigned i = 0; run->apps != NULL && i < 2 * run->plan->conn_count; i++) {
        sim_timer_release(run->sim, &run->apps[i].read_timer);
        sim_timer_release(run->sim, &run->apps[i].write_timer);
        sim_timer_release(run->sim, &run->apps[i].hold_timer);
    }
}

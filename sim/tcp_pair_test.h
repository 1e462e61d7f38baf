/* For tests: two stacks on a cable in virtual time, with faults, a log of segments and an allocator that fails on demand.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_TCP_PAIR_TEST_H
#define SIM_TCP_PAIR_TEST_H

#include "sim/tcp.h"
#include "wire/carrier_layouts.h"

#include "testing/check_main.h"

#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
enum { PAIR_LOG = 4096, PAIR_QUEUE = 8192, PORT_HTTP = 80 };
enum { F_FIN = 1, F_SYN = 2, F_RST = 4, F_PSH = 8, F_ACK = 16, F_URG = 32 };

/* ---- memory ---- */
struct test_memory {
    struct smc_alloc alloc;
    size_t live, calls;
    size_t fail_at; /* this call fails; 0: none */
};

static inline void *test_allocate(void *user, size_t size)
{
    struct test_memory *memory = user;
    if (++memory->calls == memory->fail_at)
        return NULL;
    memory->live += size;
    void *block = malloc(size);
    ck_assert_ptr_nonnull(block);
    return block;
}

static inline void *test_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    struct test_memory *memory = user;
    if (++memory->calls == memory->fail_at)
        return NULL;
    memory->live += new_size - old_size;
    return realloc(block, new_size);
}

static inline void test_release(void *user, void *block, size_t size)
{
    struct test_memory *memory = user;
    ck_assert_uint_ge(memory->live, size);
    memory->live -= size;
    free(block);
}

/* ---- the cable ---- */
struct pair;
struct end {
    struct port port; /* first */
    struct pair *pair;
    int index;
    bool down;
    uint32_t mtu;
    struct ip_stack *stack;
    struct ip_address v4, v6;
    unsigned wakes;
};

struct in_flight {
    uint64_t at, order;
    int to;
    size_t length;
    uint8_t *bytes;
};

/* A TCP segment that one end sent. */
struct logged {
    uint64_t at;
    int from;
    unsigned flags;
    uint32_t seq, ack, length;
    uint16_t window, urgent;
    bool lost;
    size_t options_length;
    uint8_t options[40];
};

struct pair {
    struct test_memory memory;
    struct end end[2];
    struct in_flight queue[PAIR_QUEUE];
    size_t nqueue;
    uint64_t now, order, delay, random;
    unsigned loss, duplicate, corrupt, reorder; /* of 1000 */
    /* true: lose this frame */
    bool (*drop)(struct pair *pair, int from, const struct logged *segment);
    unsigned drops; /* for `drop` */
    /* Takes a frame for an end in place of ip_frame(); may be NULL. */
    void (*deliver)(struct pair *pair, int to, const uint8_t *frame, size_t length);
    void *deliver_user;
    struct logged log[PAIR_LOG];
    size_t nlog;
    size_t arps;
    uint8_t last[2][2048]; /* the last frame each end sent */
    size_t last_length[2];
};

static inline uint32_t pair_random(struct pair *pair)
{
    pair->random = pair->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(pair->random >> 33);
}

static inline bool pair_chance(struct pair *pair, unsigned of_1000)
{
    return of_1000 > 0 && pair_random(pair) % 1000 < of_1000;
}

static inline void pair_deliver_later(struct pair *pair, int to, const uint8_t *frame,
                                      size_t length, uint64_t at)
{
    ck_assert_uint_lt(pair->nqueue, PAIR_QUEUE);
    struct in_flight *f = &pair->queue[pair->nqueue++];
    *f = (struct in_flight){.at = at, .order = pair->order++, .to = to, .length = length};
    f->bytes = malloc(length);
    memcpy(f->bytes, frame, length);
}

/* A view of the TCP header in a frame; false: something else. Checks the checksum of nothing. */
static inline bool pair_segment(const uint8_t *frame, size_t length, struct logged *out)
{
    struct smc_view v = smc_view_of(frame, length);
    struct smc_eth eth;
    struct smc_tcp tcp;
    memset(out, 0, sizeof(*out));
    if (!smc_eth_at(v, 0, &eth))
        return false;
    size_t at = 14, end = length;
    if (smc_eth_ethertype(eth) == 0x0800 && length >= 34 && frame[23] == 6) {
        at = 34;
        end = 14 + (size_t)smc_load_be(frame + 16, 2);
    } else if (smc_eth_ethertype(eth) == 0x86dd && length >= 54 && frame[20] == 6) {
        at = 54;
        end = 54 + (size_t)smc_load_be(frame + 18, 2);
    } else
        return false;
    if (!smc_tcp_at(v, at, &tcp) || end > length)
        return false;
    size_t header = smc_tcp_data_offset(tcp) * 4u;
    if (header < 20 || at + header > end)
        return false;
    out->flags = tcp.p[13];
    out->seq = smc_tcp_seq(tcp);
    out->ack = smc_tcp_ack_seq(tcp);
    out->length = (uint32_t)(end - at - header);
    out->window = smc_tcp_window(tcp);
    out->urgent = smc_tcp_urgent(tcp);
    out->options_length = header - 20;
    memcpy(out->options, tcp.p + 20, header - 20);
    return true;
}

static inline bool pair_note(struct pair *pair, int from, const uint8_t *frame, size_t length)
{
    struct logged segment;
    if (length >= 14 && smc_load_be(frame + 12, 2) == 0x0806)
        pair->arps++;
    if (!pair_segment(frame, length, &segment))
        return pair_chance(pair, pair->loss);
    segment.at = pair->now;
    segment.from = from;
    segment.lost = pair_chance(pair, pair->loss) ||
                   (pair->drop != NULL && pair->drop(pair, from, &segment));
    if (pair->nlog < PAIR_LOG)
        pair->log[pair->nlog++] = segment;
    return segment.lost;
}

static inline bool pair_send(struct port *port, const uint8_t *frame, size_t length, uint64_t now)
{
    struct end *end = (struct end *)port;
    struct pair *pair = end->pair;
    ck_assert_uint_le(length, end->mtu + 18u);
    if (end->down)
        return false;
    if (length <= sizeof(pair->last[0])) {
        memcpy(pair->last[end->index], frame, length);
        pair->last_length[end->index] = length;
    }
    if (pair_note(pair, end->index, frame, length))
        return true;
    uint64_t at = now + pair->delay;
    if (pair_chance(pair, pair->reorder))
        at += pair_random(pair) % (4 * pair->delay + 1);
    pair_deliver_later(pair, 1 - end->index, frame, length, at);
    if (pair_chance(pair, pair->corrupt))
        pair->queue[pair->nqueue - 1].bytes[pair_random(pair) % length] ^=
            (uint8_t)(1u << pair_random(pair) % 8);
    if (pair_chance(pair, pair->duplicate))
        pair_deliver_later(pair, 1 - end->index, frame, length, at + pair->delay / 2);
    return true;
}

static inline uint32_t pair_mtu(const struct port *port)
{
    return ((const struct end *)port)->mtu;
}

static inline bool pair_up(const struct port *port)
{
    return !((const struct end *)port)->down;
}

static inline void pair_wake(void *user)
{
    ((struct end *)user)->wakes++;
}

static const struct port_ops pair_ops = {pair_send, pair_mtu, pair_up};

static inline struct ip_address pair_address(const char *text)
{
    struct ip_address address;
    ck_assert(ip_from_text(text, &address));
    return address;
}

static inline void pair_end_init(struct pair *pair, int i, const struct ip_config *config)
{
    struct end *end = &pair->end[i];
    struct ip_config own = *config;
    *end = (struct end){.pair = pair, .index = i, .mtu = 1500};
    end->port = (struct port){.ops = &pair_ops, .mac = {2, 0, 0, 0, 0, (uint8_t)(1 + i)}};
    end->v4 = pair_address(i == 0 ? "192.0.2.1" : "192.0.2.2");
    end->v6 = pair_address(i == 0 ? "2001:db8::1" : "2001:db8::2");
    own.alloc = &pair->memory.alloc;
    own.seed = config->seed + 77u * (unsigned)i;
    own.wake = pair_wake;
    own.user = end;
    end->stack = ip_stack_new(&own);
    if (end->stack == NULL)
        return;
    const struct ip_interface_config interface = {.port = &end->port};
    if (ip_add_interface(end->stack, &interface) != 0 ||
        ip_add_address(end->stack, 0, end->v4, 24) != 0 ||
        ip_add_address(end->stack, 0, end->v6, 64) != 0) {
        ip_stack_free(end->stack);
        end->stack = NULL;
    }
}

/* A stack is NULL if memory failed for it. */
static inline struct pair *pair_new_with(const struct ip_config *config, size_t fail_at)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    ck_assert_ptr_nonnull(pair);
    pair->memory.alloc = (struct smc_alloc){test_allocate, test_resize, test_release, &pair->memory};
    pair->memory.fail_at = fail_at;
    pair->delay = 5 * MS;
    pair->now = SECOND;
    pair->random = config->seed + 1;
    pair_end_init(pair, 0, config);
    pair_end_init(pair, 1, config);
    return pair;
}

static inline struct pair *pair_new(void)
{
    const struct ip_config config = {.seed = 42};
    return pair_new_with(&config, 0);
}

/* Everything must be given back. */
static inline void pair_free(struct pair *pair)
{
    for (size_t i = 0; i < pair->nqueue; i++)
        free(pair->queue[i].bytes);
    ip_stack_free(pair->end[0].stack);
    ip_stack_free(pair->end[1].stack);
    ck_assert_uint_eq(pair->memory.live, 0);
    free(pair);
}

static inline size_t pair_earliest(const struct pair *pair)
{
    size_t best = 0;
    for (size_t i = 1; i < pair->nqueue; i++)
        if (pair->queue[i].at < pair->queue[best].at ||
            (pair->queue[i].at == pair->queue[best].at &&
             pair->queue[i].order < pair->queue[best].order))
            best = i;
    return best;
}

static inline uint64_t pair_next(const struct pair *pair)
{
    uint64_t at = pair->nqueue > 0 ? pair->queue[pair_earliest(pair)].at : UINT64_MAX;
    for (int i = 0; i < 2; i++)
        if (pair->end[i].stack != NULL && ip_next_ns(pair->end[i].stack) < at)
            at = ip_next_ns(pair->end[i].stack);
    return at;
}

static inline void pair_step(struct pair *pair)
{
    if (pair->nqueue > 0) {
        size_t best = pair_earliest(pair);
        struct in_flight f = pair->queue[best];
        if (f.at <= pair->now) {
            pair->queue[best] = pair->queue[--pair->nqueue];
            if (pair->end[f.to].stack != NULL && !pair->end[f.to].down) {
                if (pair->deliver != NULL)
                    pair->deliver(pair, f.to, f.bytes, f.length);
                else
                    ip_frame(pair->end[f.to].stack, 0, f.bytes, f.length, pair->now);
            }
            free(f.bytes);
            return;
        }
    }
    for (int i = 0; i < 2; i++)
        if (pair->end[i].stack != NULL && ip_next_ns(pair->end[i].stack) <= pair->now)
            ip_run(pair->end[i].stack, pair->now);
}

/* Runs for that long, or until nothing is left to do. */
static inline void pair_run(struct pair *pair, uint64_t duration)
{
    uint64_t until = pair->now + duration, next;
    unsigned steps = 0;
    while ((next = pair_next(pair)) <= until) {
        ck_assert_uint_lt(steps++, 5000000);
        if (next > pair->now)
            pair->now = next;
        pair_step(pair);
    }
    pair->now = until;
}

/* ---- a program at one end ---- */
struct app {
    struct tcp_conn *conn;
    struct tcp_listener *listener;
    unsigned accepted, established, readable, writable, urgent, eof, reset, closed;
    int error;
    uint8_t *out, *in; /* what is still to be sent; what came */
    size_t out_length, out_done, in_length, in_room;
    bool close_when_done, close_on_eof, no_read;
};

static inline void app_push(struct app *app)
{
    while (app->out_done < app->out_length) {
        int64_t n = tcp_send(app->conn, app->out + app->out_done, app->out_length - app->out_done);
        if (n <= 0)
            return;
        app->out_done += (size_t)n;
    }
    if (app->close_when_done && app->out_length > 0) {
        app->close_when_done = false;
        ck_assert_int_eq(tcp_shutdown_write(app->conn), 0);
    }
}

static inline void app_pull(struct app *app)
{
    int64_t n;
    if (app->in == NULL)
        app->in = malloc(app->in_room = 1 << 22);
    while ((n = tcp_read(app->conn, app->in + app->in_length, app->in_room - app->in_length)) > 0)
        app->in_length += (size_t)n;
}

static inline void app_established(void *user, struct tcp_conn *conn)
{
    struct app *app = user;
    ck_assert_ptr_eq(conn, app->conn);
    app->established++;
    app_push(app);
}
static inline void app_readable(void *user, struct tcp_conn *conn)
{
    (void)conn;
    struct app *app = user;
    app->readable++;
    if (!app->no_read)
        app_pull(app);
}
static inline void app_writable(void *user, struct tcp_conn *conn)
{
    (void)conn;
    ((struct app *)user)->writable++;
    app_push(user);
}
static inline void app_urgent(void *user, struct tcp_conn *conn)
{
    (void)conn;
    ((struct app *)user)->urgent++;
}
static inline void app_eof(void *user, struct tcp_conn *conn)
{
    struct app *app = user;
    app->eof++;
    if (app->close_on_eof) {
        tcp_close(conn);
        app->conn = NULL;
    }
}
static inline void app_reset(void *user, struct tcp_conn *conn, int error)
{
    (void)conn;
    ((struct app *)user)->reset++;
    ((struct app *)user)->error = error;
}
static inline void app_closed(void *user, struct tcp_conn *conn)
{
    (void)conn;
    ((struct app *)user)->closed++;
}
static inline void app_accepted(void *user, struct tcp_listener *listener);

static const struct tcp_callbacks app_callbacks = {
    app_accepted, app_established, app_readable, app_writable,
    app_urgent,   app_eof,         app_reset,    app_closed};

static inline void app_accepted(void *user, struct tcp_listener *listener)
{
    struct app *app = user;
    app->accepted++;
    if (app->conn == NULL) {
        app->conn = tcp_accept(listener, &app_callbacks, app);
        app_push(app);
    }
}

static inline void app_free(struct app *app)
{
    free(app->in);
    free(app->out);
    app->in = app->out = NULL;
}

static inline void app_fill(struct app *app, size_t length, uint32_t seed)
{
    app->out = malloc(length);
    app->out_length = length;
    for (size_t i = 0; i < length; i++) {
        seed = seed * 1664525u + 1013904223u;
        app->out[i] = (uint8_t)(seed >> 24);
    }
}

static inline void pair_listen(struct pair *pair, struct app *app, const struct tcp_options *options)
{
    static const struct ip_address any;
    ck_assert_int_eq(tcp_listen(pair->end[1].stack, any, PORT_HTTP, 8, options, &app_callbacks, app,
                                &app->listener),
                     0);
}

static inline void pair_connect(struct pair *pair, struct app *app,
                                const struct tcp_options *options, bool v6)
{
    ck_assert_int_eq(tcp_connect(pair->end[0].stack, v6 ? pair->end[1].v6 : pair->end[1].v4,
                                 PORT_HTTP, options, &app_callbacks, app, &app->conn),
                     0);
}

/* Both ends established. */
static inline void pair_open(struct pair *pair, struct app *client, struct app *server)
{
    pair_listen(pair, server, NULL);
    pair_connect(pair, client, NULL, false);
    pair_run(pair, 200 * MS);
    ck_assert_uint_eq(client->established, 1);
    ck_assert_ptr_nonnull(server->conn);
}

static inline enum tcp_state app_state(const struct app *app)
{
    return tcp_info(app->conn).state;
}

static inline size_t pair_count_flags(const struct pair *pair, int from, unsigned mask,
                                      unsigned flags)
{
    size_t n = 0;
    for (size_t i = 0; i < pair->nlog; i++)
        n += pair->log[i].from == from && (pair->log[i].flags & mask) == flags;
    return n;
}

#endif

/* Pattern traffic: a flow a connection, a writer and a reader in each.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/agent/stack/traffic.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <termios.h>

#include "wire/field.h"

enum { HEADER_BYTES = 32, CHUNK = 32768, ACK_BYTES = 8, ACK_EVERY = 65536, FLOWS_MAX = 4096, AGAIN_NS = 100000000, LINGER_S = 30 };
static const char magic[4] = {'S', 'M', 'C', 'T'};

struct flow {
    struct traffic *traffic;
    struct stack_socket *socket;
    uint32_t number;
    enum traffic_kind kind;
    enum smc_mode mode;
    bool waits, opening; /* for its turn to be opened; for its connection */
    bool connected, started, writes_acks, reads_acks, shut, eof, over, wrong;
    uint8_t header[HEADER_BYTES], ack[ACK_BYTES];
    size_t header_done;        /* bytes of it written or read */
    size_t ack_in, ack_out;    /* bytes of the total under way; ack_out 0: none */
    uint64_t write_total, read_total;
    uint64_t sent, received;   /* of patterns; received: and right */
    uint64_t acked, told;      /* by the peer, to the peer */
    uint64_t wrong_at;
    int error;
    uint32_t fallback, peer_diagnosis;
};

struct traffic {
    struct traffic_config config;
    struct flow *flows;
    unsigned flow_count, opening, connected, over, open, most_open, most_groups;
    struct stack_socket *listener;
    bool done;
    uint64_t start_ns, end_ns, open_ns;
};

/* ---- patterns ---- */

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void pattern(uint32_t number, bool up, uint64_t from, uint8_t *to, size_t n)
{
    uint64_t base = mix(((uint64_t)number << 1 | (up ? 1 : 0)) + UINT64_C(0x9e3779b97f4a7c15));
    for (size_t i = 0; i < n;) {
        uint64_t word = mix(base + (from + i) / 8);
        for (unsigned b = (unsigned)((from + i) % 8); b < 8 && i < n; b++, i++)
            to[i] = (uint8_t)(word >> (b * 8));
    }
}

/* ---- the life of a flow ---- */

static bool client(const struct flow *f)
{
    return f->traffic->config.client;
}

static void say(const struct flow *f, char what, uint64_t total)
{
    const struct traffic_config *c = &f->traffic->config;
    if (!c->log)
        return;
    fprintf(c->out, "%c %" PRIu32 " %" PRIu64 "\n", what, f->number, total);
    fflush(c->out);
    (void)tcdrain(fileno(c->out)); /* a machine's console: out of the machine, should it die now */
}

static void give_up(struct flow *f, int error)
{
    if (f->error == 0)
        f->error = error;
    stack_close(f->socket);
}

static void wrong(struct flow *f, uint64_t at)
{
    f->wrong = true;
    f->wrong_at = at;
    give_up(f, SMC_ERR_PROTOCOL);
}

static void start(struct flow *f)
{
    bool up = f->kind == TRAFFIC_UPLOAD, down = f->kind == TRAFFIC_DOWNLOAD;
    f->started = true;
    f->writes_acks = client(f) ? down : up;
    f->reads_acks = client(f) ? up : down;
    uint64_t first = smc_load_le(f->header + 16, 8), second = smc_load_le(f->header + 24, 8);
    f->write_total = client(f) ? first : second;
    f->read_total = client(f) ? second : first;
}

static void make_header(struct flow *f)
{
    const struct traffic_config *c = &f->traffic->config;
    memcpy(f->header, magic, sizeof(magic));
    smc_store_le(f->header + 4, 4, f->kind);
    smc_store_le(f->header + 8, 4, f->number);
    smc_store_le(f->header + 16, 8, f->kind == TRAFFIC_DOWNLOAD ? 0 : c->up_bytes);
    smc_store_le(f->header + 24, 8, f->kind == TRAFFIC_UPLOAD ? 0 : c->down_bytes);
}

/* ---- writing ---- */

/* false: no more room now (and there will be an event: that was said by WOULDBLOCK), or the connection broke. */
static bool push(struct flow *f, const uint8_t *bytes, size_t length, size_t *done)
{
    *done = 0;
    while (*done < length) {
        int64_t n = stack_send(f->socket, bytes + *done, length - *done);
        if (n < 0) {
            if (n != SMC_ERR_WOULDBLOCK)
                give_up(f, (int)n);
            return false;
        }
        *done += (size_t)n;
    }
    return true;
}

static bool write_acks(struct flow *f)
{
    size_t n;
    for (;;) {
        if (f->ack_out == 0) {
            bool last = f->eof && f->told < f->received;
            if (f->received - f->told < ACK_EVERY && f->received != f->read_total && !last)
                return true;
            if (f->received == f->told)
                return true;
            say(f, 'V', f->received); /* first: what was said here was verified before the peer could hear of it */
            f->told = f->received;
            smc_store_le(f->ack, ACK_BYTES, f->told);
        }
        bool all = push(f, f->ack + f->ack_out, ACK_BYTES - f->ack_out, &n);
        f->ack_out = (f->ack_out + n) % ACK_BYTES;
        if (!all)
            return false;
    }
}

static bool write_pattern(struct flow *f)
{
    uint8_t bytes[CHUNK];
    while (f->sent < f->write_total) {
        uint64_t left = f->write_total - f->sent;
        size_t n = left < sizeof(bytes) ? (size_t)left : sizeof(bytes), done;
        pattern(f->number, client(f), f->sent, bytes, n);
        bool all = push(f, bytes, n, &done);
        f->sent += done;
        if (!all)
            return false;
    }
    return true;
}

static bool written(const struct flow *f)
{
    if (f->writes_acks)
        return f->eof && f->ack_out == 0 && f->told == f->received;
    return f->sent == f->write_total && (!f->reads_acks || f->acked == f->write_total);
}

static void write_all(struct flow *f)
{
    if (client(f) && f->header_done < HEADER_BYTES) {
        size_t n;
        bool all = push(f, f->header + f->header_done, HEADER_BYTES - f->header_done, &n);
        f->header_done += n;
        if (!all)
            return;
    }
    if (!(f->writes_acks ? write_acks(f) : write_pattern(f)) || !written(f) || f->shut)
        return;
    f->shut = true;
    int error = stack_shutdown(f->socket);
    if (error != 0 && error != SMC_ERR_STATE)
        give_up(f, error);
}

/* ---- reading ---- */

static void take_acks(struct flow *f, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        f->ack[f->ack_in++] = bytes[i];
        if (f->ack_in < ACK_BYTES)
            continue;
        f->ack_in = 0;
        uint64_t total = smc_load_le(f->ack, ACK_BYTES);
        if (total < f->acked || total > f->sent) {
            wrong(f, f->acked);
            return;
        }
        f->acked = total;
        say(f, 'A', total);
    }
}

static void take_pattern(struct flow *f, const uint8_t *bytes, size_t n)
{
    uint8_t expected[CHUNK];
    pattern(f->number, !client(f), f->received, expected, n);
    if (memcmp(bytes, expected, n) == 0 && n <= f->read_total - f->received) {
        f->received += n;
        return;
    }
    size_t i = 0;
    while (i < n && bytes[i] == expected[i])
        i++;
    wrong(f, f->received + i);
}

static size_t take_header(struct flow *f, const uint8_t *bytes, size_t n)
{
    size_t wanted = HEADER_BYTES - f->header_done, used = n < wanted ? n : wanted;
    memcpy(f->header + f->header_done, bytes, used);
    f->header_done += used;
    if (f->header_done < HEADER_BYTES)
        return used;
    f->kind = (enum traffic_kind)smc_load_le(f->header + 4, 4);
    f->number = (uint32_t)smc_load_le(f->header + 8, 4);
    if (memcmp(f->header, magic, sizeof(magic)) != 0 || f->kind > TRAFFIC_DOWNLOAD)
        wrong(f, 0);
    else
        start(f);
    return used;
}

static void take(struct flow *f, const uint8_t *bytes, size_t n)
{
    size_t used = f->started ? 0 : take_header(f, bytes, n);
    if (!f->started || used == n)
        return;
    if (f->reads_acks)
        take_acks(f, bytes + used, n - used);
    else
        take_pattern(f, bytes + used, n - used);
}

static void read_all(struct flow *f)
{
    uint8_t bytes[CHUNK];
    while (!f->eof && !f->over && f->error == 0) {
        int64_t n = stack_recv(f->socket, bytes, sizeof(bytes));
        if (n == SMC_ERR_WOULDBLOCK)
            return;
        if (n < 0)
            give_up(f, (int)n);
        else if (n == 0)
            f->eof = true;
        else
            take(f, bytes, (size_t)n);
        if (f->writes_acks && f->error == 0)
            (void)write_acks(f);
    }
}

static bool complete(const struct flow *f)
{
    return f->started && f->eof && f->shut && !f->wrong && f->error == 0 && f->received == f->read_total &&
           f->sent == f->write_total && (!f->reads_acks || f->acked == f->write_total);
}

static void proceed(struct flow *f)
{
    if (f->over || !f->connected)
        return;
    if (client(f) && !f->started)
        return; /* the others are not there yet */
    read_all(f);
    if (f->started && !f->over && f->error == 0)
        write_all(f);
    if (!f->over && f->eof && (f->shut || !f->started || f->received < f->read_total))
        stack_close(f->socket);
}

/* ---- events ---- */

static void count_groups(struct traffic *t)
{
    struct smc_group_info info;
    unsigned n = 0;
    while (smc_endpoint_get_group(stack_endpoint(t->config.stack), n, &info))
        n++;
    if (n > t->most_groups)
        t->most_groups = n;
}

/* The client's connections begin when all are there, so that they are there at once. */
static void start_all(struct traffic *t)
{
    for (unsigned i = 0; i < t->flow_count; i++) {
        struct flow *f = &t->flows[i];
        if (f->over || f->error != 0)
            continue;
        make_header(f);
        start(f);
        proceed(f);
    }
}

/* Another one may be opened. */
static void opened(struct flow *f)
{
    if (!f->opening)
        return;
    f->opening = false;
    f->traffic->opening--;
}

static void connected(struct flow *f)
{
    struct traffic *t = f->traffic;
    opened(f);
    f->connected = true;
    f->mode = stack_mode(f->socket);
    stack_set_linger(f->socket, LINGER_S); /* a slow machine needs longer than two seconds for a full buffer */
    f->fallback = stack_fallback(f->socket, &f->peer_diagnosis);
    t->connected++;
    if (++t->open > t->most_open)
        t->most_open = t->open;
    count_groups(t);
}

static void flow_over(struct flow *f)
{
    struct traffic *t = f->traffic;
    if (f->over)
        return;
    f->over = true;
    f->socket = NULL;
    opened(f);
    if (f->connected)
        t->open--;
    else
        t->connected++; /* nobody need wait for it */
    t->over++;
    t->done = t->over == t->config.connections;
    if (t->done)
        t->end_ns = stack_now_ns();
}

/* A client may be there before its server. */
static void broke(struct flow *f, int error)
{
    struct traffic *t = f->traffic;
    if (f->connected)
        read_all(f); /* what arrived before */
    if (!f->connected && client(f) && error == SMC_ERR_UNREACHABLE) {
        opened(f);
        f->waits = true;
        stack_close(f->socket);
        f->socket = NULL;
        t->open_ns = stack_now_ns() + AGAIN_NS;
    } else if (!f->over)
        give_up(f, error);
}

static void event(void *user, struct stack_socket *s, unsigned events)
{
    struct flow *f = user;
    if (f == NULL)
        return; /* the listener, or one more than there should be */
    struct traffic *t = f->traffic;
    bool waited = t->config.client && t->connected < t->config.connections;
    if ((events & SMC_EVENT_CONNECTED) != 0)
        connected(f);
    if ((events & SMC_EVENT_ERROR) != 0)
        broke(f, stack_error(s));
    if ((events & SMC_EVENT_CLOSED) != 0 && !f->waits)
        flow_over(f);
    if (waited && t->connected == t->config.connections)
        start_all(t);
    proceed(f);
}

static void accepted(void *user, struct stack_socket *s);
static const struct stack_ops ops = {.event = event, .accepted = accepted};

static void accepted(void *user, struct stack_socket *s)
{
    struct traffic *t = user;
    struct flow *f = t->flow_count < t->config.connections ? &t->flows[t->flow_count++] : NULL;
    stack_set_user(s, f);
    if (f == NULL) {
        stack_close(s);
        return;
    }
    if (t->start_ns == 0)
        t->start_ns = stack_now_ns();
    f->traffic = t;
    f->socket = s;
}

static int open_flow(struct flow *f)
{
    const struct traffic_config *c = &f->traffic->config;
    return stack_connect(c->stack, c->family, c->address, c->port, &ops, f, &f->socket);
}

static uint64_t next_ns(void *user)
{
    const struct traffic *t = user;
    return t->opening < t->config.opening ? t->open_ns : UINT64_MAX;
}

static void run(void *user, uint64_t now_ns)
{
    struct traffic *t = user;
    (void)now_ns;
    for (unsigned i = 0; i < t->flow_count && t->opening < t->config.opening; i++) {
        struct flow *f = &t->flows[i];
        if (!f->waits)
            continue;
        f->waits = false;
        f->opening = true;
        t->opening++;
        f->error = open_flow(f);
        if (f->error != 0)
            flow_over(f);
    }
    if (t->opening < t->config.opening)
        t->open_ns = UINT64_MAX; /* nobody waits */
}

static void open_all(struct traffic *t)
{
    const struct traffic_config *c = &t->config;
    t->start_ns = stack_now_ns();
    t->flow_count = c->connections;
    for (unsigned i = 0; i < c->connections; i++) {
        struct flow *f = &t->flows[i];
        f->traffic = t;
        f->number = i;
        f->kind = !c->mixed ? c->kind : i % 2 == 0 ? TRAFFIC_UPLOAD : TRAFFIC_DOWNLOAD;
        f->waits = true;
    }
    t->open_ns = 0;
}

static int start_traffic(struct traffic *t)
{
    const struct traffic_config *c = &t->config;
    const struct stack_part part = {.fd = -1, .next_ns = next_ns, .run = run, .user = t};
    if (t->config.opening == 0)
        t->config.opening = c->connections;
    t->open_ns = UINT64_MAX;
    if (!c->client)
        return stack_listen(c->stack, c->family, c->address, c->port, &ops, t, &t->listener);
    open_all(t);
    return stack_add_part(c->stack, &part);
}

int traffic_new(const struct traffic_config *config, struct traffic **out)
{
    if (config->connections == 0 || config->connections > FLOWS_MAX)
        return SMC_ERR_ARGUMENT;
    struct traffic *t = smc_alloc_zeroed(config->alloc, 1, sizeof(*t));
    if (t == NULL)
        return SMC_ERR_NOMEM;
    t->config = *config;
    t->flows = smc_alloc_zeroed(config->alloc, config->connections, sizeof(*t->flows));
    int error = t->flows != NULL ? start_traffic(t) : SMC_ERR_NOMEM;
    if (error != 0) {
        traffic_free(t);
        return error;
    }
    *out = t;
    return 0;
}

void traffic_free(struct traffic *t)
{
    smc_alloc_release(t->config.alloc, t->flows, t->config.connections, sizeof(*t->flows));
    smc_alloc_release(t->config.alloc, t, 1, sizeof(*t));
}

const bool *traffic_done(const struct traffic *t)
{
    return &t->done;
}

void traffic_stop(struct traffic *t)
{
    for (unsigned i = 0; i < t->flow_count; i++)
        if (t->flows[i].waits)
            t->flows[i].error = SMC_ERR_TIMEOUT;
        else if (!t->flows[i].over)
            give_up(&t->flows[i], SMC_ERR_TIMEOUT);
    t->open_ns = UINT64_MAX;
    if (t->listener == NULL)
        return;
    stack_set_user(t->listener, NULL); /* it is no flow */
    stack_close(t->listener);
    t->listener = NULL;
}

/* ---- the report ---- */

static const char *mode_name(enum smc_mode mode)
{
    static const char *const names[] = {"none", "TCP", "R", "D"};
    return names[mode];
}

static void report_flow(const struct traffic *t, const struct flow *f)
{
    fprintf(t->config.out,
            "{\"number\":%" PRIu32 ",\"mode\":\"%s\",\"error\":\"%s\",\"fallback\":\"0x%08" PRIx32 "\",\"peer_diagnosis\":\"0x%08" PRIx32
            "\",\"sent\":%" PRIu64 ",\"acked\":%" PRIu64 ",\"received\":%" PRIu64 ",\"wrong\":%s,\"wrong_at\":%" PRIu64 "}",
            f->number, mode_name(f->mode), f->error != 0 ? smc_error_name(f->error) : "", f->fallback, f->peer_diagnosis, f->sent,
            f->acked, f->received, f->wrong ? "true" : "false", f->wrong_at);
}

bool traffic_report(const struct traffic *t, enum smc_mode expected)
{
    FILE *out = t->config.out;
    unsigned complete_count = 0, modes[4] = {0}, wrong_count = 0, listed = 0;
    uint64_t sent = 0, received = 0;
    for (unsigned i = 0; i < t->flow_count; i++) {
        const struct flow *f = &t->flows[i];
        complete_count += complete(f) && (expected == SMC_MODE_NONE || f->mode == expected);
        modes[f->mode]++;
        wrong_count += f->wrong;
        sent += f->sent;
        received += f->received;
    }
    const struct smc_counters *counters = smc_endpoint_counters(stack_endpoint(t->config.stack));
    uint64_t end = t->end_ns != 0 ? t->end_ns : stack_now_ns();
    fprintf(out,
            "RESULT {\"role\":\"%s\",\"connections\":%u,\"complete\":%u,\"modes\":{\"none\":%u,\"TCP\":%u,\"R\":%u,\"D\":%u},"
            "\"at_once\":%u,\"groups\":%u,\"links_added\":%" PRIu64 ",\"links_lost\":%" PRIu64 ",\"failovers\":%" PRIu64 ","
            "\"wrong\":%u,\"sent\":%" PRIu64 ",\"received\":%" PRIu64 ",\"ms\":%" PRIu64 ",\"broken\":[",
            t->config.client ? "client" : "server", t->config.connections, complete_count, modes[SMC_MODE_NONE], modes[SMC_MODE_TCP],
            modes[SMC_MODE_R], modes[SMC_MODE_D], t->most_open, t->most_groups,
            counters->links_added, counters->links_lost, counters->failovers, wrong_count, sent, received,
            t->start_ns != 0 ? (end - t->start_ns) / 1000000 : 0);
    for (unsigned i = 0; i < t->flow_count; i++) {
        const struct flow *f = &t->flows[i];
        if (complete(f) && (expected == SMC_MODE_NONE || f->mode == expected))
            continue;
        fputs(listed++ > 0 ? "," : "", out);
        report_flow(t, f);
    }
    fputs("]}\n", out);
    fflush(out);
    return complete_count == t->config.connections;
}

/* Traffic that the agent makes by itself: the same patterns, rules and hashes as the laboratory's (sim/lab_traffic.c).
 * SPDX-License-Identifier: BSD-3-Clause */
#include "agent_socket.h"

#include "sim/hash.h"
#include "sim/pattern.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { CHUNK = 16384, BUFFER = 65536, TURN = 1 << 20 };

struct agent_traffic {
    uint64_t send_bytes, send_chunk, send_pattern, receive_pattern, receive_bytes, read_chunk, read_delay_ns, write_delay_ns;
    uint64_t close_when_done, shutdown_when_sent, echo;
    uint64_t sent, received, wrong_at;
    struct sim_hash sent_hash, received_hash;
    uint64_t read_at_ns, write_at_ns; /* paused until then; 0: not paused */
    size_t turn;                      /* bytes since the loop gave us the turn */
    bool done, wrong, eof, shut, failed, told;
    int error;
    uint8_t *echoed;                  /* what was read and not sent back yet */
    size_t echoed_length;
};

static void note_error(struct agent_traffic *t, int error)
{
    t->failed = true;
    t->error = error;
}

static void note_sent(struct agent_traffic *t, const uint8_t *bytes, size_t n)
{
    sim_hash_add(&t->sent_hash, bytes, n);
    t->sent += n;
    t->turn += n;
}

/* Bytes taken; 0: none now, or never again (then `failed`). */
static size_t send_some(struct agent_socket *s, const uint8_t *bytes, size_t n)
{
    struct agent_traffic *t = s->traffic;
    ssize_t taken = send(s->source.fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR && errno != ENOBUFS)
        note_error(t, errno);
    if (taken <= 0)
        return 0;
    note_sent(t, bytes, (size_t)taken);
    return (size_t)taken;
}

static void write_pattern(struct agent_socket *s)
{
    struct agent_traffic *t = s->traffic;
    uint8_t bytes[BUFFER];
    size_t chunk = t->send_chunk == 0 ? CHUNK : t->send_chunk < BUFFER ? (size_t)t->send_chunk : BUFFER;
    while (t->write_at_ns == 0 && !t->failed && t->sent < t->send_bytes && t->turn < TURN) {
        uint64_t left = t->send_bytes - t->sent;
        size_t n = left < chunk ? (size_t)left : chunk;
        sim_pattern(t->send_pattern, t->sent, bytes, n);
        size_t taken = send_some(s, bytes, n);
        if (taken > 0 && t->write_delay_ns != 0)
            t->write_at_ns = agent_now_ns() + t->write_delay_ns;
        if (taken < n)
            return;
    }
}

static void write_echo(struct agent_socket *s)
{
    struct agent_traffic *t = s->traffic;
    while (t->echoed_length > 0 && !t->failed && t->turn < TURN) {
        size_t taken = send_some(s, t->echoed, t->echoed_length);
        if (taken == 0)
            return;
        t->echoed_length -= taken;
        memmove(t->echoed, t->echoed + taken, t->echoed_length);
    }
}

static void check(struct agent_traffic *t, const uint8_t *bytes, size_t n)
{
    uint8_t expected[BUFFER];
    sim_pattern(t->receive_pattern, t->received, expected, n);
    bool differs = memcmp(bytes, expected, n) != 0;
    for (size_t i = 0; differs && i < n && !t->wrong; i++) {
        if (bytes[i] != expected[i]) {
            t->wrong = true;
            t->wrong_at = t->received + i;
        }
    }
    if (!t->echo && t->received + n > t->receive_bytes && !t->wrong) {
        t->wrong = true; /* more than was sent */
        t->wrong_at = t->receive_bytes;
    }
    sim_hash_add(&t->received_hash, bytes, n);
    t->received += n;
    t->turn += n;
}

static void read_pattern(struct agent_socket *s)
{
    struct agent_traffic *t = s->traffic;
    uint8_t bytes[BUFFER];
    size_t most = t->read_chunk != 0 && t->read_chunk < BUFFER ? (size_t)t->read_chunk : BUFFER;
    while (t->read_at_ns == 0 && !t->eof && !t->failed && t->turn < TURN) {
        size_t room = t->echo ? BUFFER - t->echoed_length : most;
        if (room > most)
            room = most;
        if (room == 0)
            return;
        ssize_t n = recv(s->source.fd, bytes, room, MSG_DONTWAIT);
        if (n < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
                note_error(t, errno);
            return;
        }
        if (n == 0) {
            t->eof = true;
            return;
        }
        check(t, bytes, (size_t)n);
        if (t->echo) {
            memcpy(t->echoed + t->echoed_length, bytes, (size_t)n);
            t->echoed_length += (size_t)n;
        }
        if (t->read_delay_ns != 0)
            t->read_at_ns = agent_now_ns() + t->read_delay_ns;
    }
}

void agent_traffic_print(const struct agent_traffic *t, struct agent_text *out)
{
    uint64_t sent[2], received[2];
    sim_hash_value(&t->sent_hash, sent);
    sim_hash_value(&t->received_hash, received);
    agent_text_print(out, " sent=%" PRIu64 " received=%" PRIu64 " sent_hash=0x%" PRIx64 " received_hash=0x%" PRIx64, t->sent,
                     t->received, sent[0], received[0]);
    agent_text_print(out, " done=%d wrong=%d wrong_at=%" PRIu64 " eof=%d error=%s", t->done, t->wrong, t->wrong_at, t->eof,
                     t->failed ? agent_error_name(t->error) : "");
}

static void tell(struct agent *a, struct agent_socket *s)
{
    struct agent_text text = {0};
    struct agent_traffic *t = s->traffic;
    if (t->told || (!t->done && !t->wrong && !t->failed))
        return;
    t->told = true;
    agent_text_print(&text, "traffic id=%" PRIu64, s->id);
    agent_traffic_print(t, &text);
    agent_event_text(a, &text);
    agent_text_free(&text);
}

/* As the laboratory decides it: all sent, all received. */
static void close_if_done(struct agent *a, struct agent_socket *s)
{
    struct agent_traffic *t = s->traffic;
    bool pending;
    bool sent = t->echo ? t->eof && t->echoed_length == 0 : t->sent == t->send_bytes;
    bool received = t->echo ? t->eof : t->received >= t->receive_bytes;
    if (sent && t->shutdown_when_sent && !t->shut) {
        t->shut = true;
        (void)agent_slow_shutdown(s, SHUT_WR, &pending);
    }
    if (sent && received)
        t->done = true;
    bool close_now = t->done && !t->told && t->close_when_done;
    tell(a, s);
    if (close_now)
        agent_socket_close(a, s, false);
}

void agent_traffic_progress(struct agent *a, struct agent_socket *s)
{
    struct agent_traffic *t = s->traffic;
    if (s->connecting || s->source.fd < 0)
        return;
    t->turn = 0;
    read_pattern(s);
    if (t->echo) {
        write_echo(s);
        read_pattern(s);
    } else {
        write_pattern(s);
    }
    close_if_done(a, s);
    if (s->source.fd >= 0)
        agent_socket_arm(a, s);
}

uint32_t agent_traffic_interest(const struct agent_traffic *t)
{
    bool reads = t->read_at_ns == 0 && !t->eof && !t->failed && (!t->echo || t->echoed_length < BUFFER);
    bool writes = t->write_at_ns == 0 && !t->failed && (t->echo ? t->echoed_length > 0 : t->sent < t->send_bytes);
    return (reads ? EPOLLIN : 0u) | (writes ? EPOLLOUT : 0u);
}

uint64_t agent_traffic_next_ns(const struct agent_traffic *t)
{
    uint64_t read_at = t->read_at_ns != 0 ? t->read_at_ns : UINT64_MAX;
    uint64_t write_at = t->write_at_ns != 0 ? t->write_at_ns : UINT64_MAX;
    return read_at < write_at ? read_at : write_at;
}

void agent_traffic_tick(struct agent *a, struct agent_socket *s, uint64_t now_ns)
{
    struct agent_traffic *t = s->traffic;
    bool due = agent_traffic_next_ns(t) <= now_ns;
    if (t->read_at_ns != 0 && t->read_at_ns <= now_ns)
        t->read_at_ns = 0;
    if (t->write_at_ns != 0 && t->write_at_ns <= now_ns)
        t->write_at_ns = 0;
    if (due)
        agent_traffic_progress(a, s);
}

void agent_traffic_free(struct agent_traffic *t)
{
    if (t != NULL)
        free(t->echoed);
    free(t);
}

int agent_traffic_start(struct agent *a, struct agent_socket *s, const struct agent_line *line)
{
    struct agent_traffic *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return ENOMEM;
    const struct {
        const char *name;
        uint64_t most, *to;
    } fields[] = {
        {"send_bytes", UINT64_MAX / 2, &t->send_bytes}, {"send_chunk", UINT64_MAX, &t->send_chunk},
        {"send_pattern", UINT64_MAX, &t->send_pattern}, {"receive_pattern", UINT64_MAX, &t->receive_pattern},
        {"receive_bytes", UINT64_MAX / 2, &t->receive_bytes}, {"read_chunk", UINT64_MAX, &t->read_chunk},
        {"read_delay_ns", UINT64_MAX / 2, &t->read_delay_ns}, {"write_delay_ns", UINT64_MAX / 2, &t->write_delay_ns},
        {"close_when_done", 1, &t->close_when_done}, {"shutdown_when_sent", 1, &t->shutdown_when_sent}, {"echo", 1, &t->echo},
    };
    int status = 0;
    for (size_t i = 0; status == 0 && i < sizeof(fields) / sizeof(fields[0]); i++)
        status = agent_may_number(a, line, fields[i].name, fields[i].most, fields[i].to);
    if (status == 0 && t->echo && (t->echoed = malloc(BUFFER)) == NULL)
        status = ENOMEM;
    if (status != 0) {
        agent_traffic_free(t);
        return status;
    }
    sim_hash_init(&t->sent_hash, 0);
    sim_hash_init(&t->received_hash, 0);
    s->traffic = t;
    agent_traffic_progress(a, s);
    return 0;
}

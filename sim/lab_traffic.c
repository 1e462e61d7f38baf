/* Applications with a pattern: they write a pseudo-random stream, read one, and compare every byte.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_internal.h"
#include "sim/pattern.h"

enum { CHUNK = 16384, BUFFER = 65536 };

struct lab_run {
    struct lab_traffic plan;
    struct lab_traffic_state state;
    struct lab_socket *socket;
    struct sim_hash sent, received;
    struct sim_timer read_timer, write_timer;
    bool eof, shut, paused_read, paused_write, failed;
    uint8_t *echo; /* what was read and not sent back yet */
    size_t echo_length;
};

void lab_pattern(uint64_t pattern, uint64_t from, void *to, size_t n)
{
    sim_pattern(pattern, from, to, n);
}

static void close_if_done(struct lab_run *run)
{
    const struct lab_traffic *plan = &run->plan;
    bool sent = plan->echo ? run->eof && run->echo_length == 0 : run->state.sent == plan->send_bytes;
    bool received = plan->echo ? run->eof : run->state.received >= plan->receive_bytes;
    if (sent && plan->shutdown_when_sent && !run->shut) {
        run->shut = true;
        (void)lab_shutdown(run->socket, SMC_SHUT_WR);
    }
    if (!sent || !received || run->state.done)
        return;
    run->state.done = true;
    if (plan->close_when_done)
        lab_close(run->socket);
}

static void note_sent(struct lab_run *run, const uint8_t *bytes, size_t n)
{
    sim_hash_add(&run->sent, bytes, n);
    run->state.sent += n;
}

static void pause_writing(struct lab_run *run)
{
    struct sim *sim = run->socket->lab->sim;
    run->paused_write = true;
    if (sim_timer_set(sim, &run->write_timer, sim_now(sim) + run->plan.write_delay_ns) != 0)
        run->paused_write = false; /* no memory for a pause: go on without */
}

static void write_pattern(struct lab_run *run)
{
    const struct lab_traffic *plan = &run->plan;
    uint8_t bytes[BUFFER];
    size_t chunk = plan->send_chunk != 0 ? (size_t)plan->send_chunk : CHUNK;
    while (!run->paused_write && !run->failed && run->state.sent < plan->send_bytes) {
        uint64_t left = plan->send_bytes - run->state.sent;
        size_t n = chunk < sizeof(bytes) ? chunk : sizeof(bytes);
        if (n > left)
            n = (size_t)left;
        /* Not more than fits: what is not taken would be made again. A full one is asked with one byte, so that it tells
         * when there is room. */
        uint32_t room = lab_writable(run->socket);
        if (n > room)
            n = room > 0 ? room : 1;
        lab_pattern(plan->send_pattern, run->state.sent, bytes, n);
        int64_t taken = lab_send(run->socket, bytes, n, 0);
        if (taken <= 0) {
            run->failed = taken != SMC_ERR_WOULDBLOCK && taken != SMC_ERR_NOMEM;
            return;
        }
        note_sent(run, bytes, (size_t)taken);
        if (plan->write_delay_ns != 0)
            pause_writing(run);
    }
}

static void write_echo(struct lab_run *run)
{
    while (run->echo_length > 0) {
        int64_t taken = lab_send(run->socket, run->echo, run->echo_length, 0);
        if (taken <= 0) {
            run->failed = taken != SMC_ERR_WOULDBLOCK && taken != SMC_ERR_NOMEM;
            return;
        }
        note_sent(run, run->echo, (size_t)taken);
        run->echo_length -= (size_t)taken;
        memmove(run->echo, run->echo + taken, run->echo_length);
    }
}

static void check(struct lab_run *run, const uint8_t *bytes, size_t n)
{
    uint8_t expected[BUFFER];
    lab_pattern(run->plan.receive_pattern, run->state.received, expected, n);
    bool differs = memcmp(bytes, expected, n) != 0;
    for (size_t i = 0; differs && i < n && !run->state.wrong; i++) {
        if (bytes[i] != expected[i]) {
            run->state.wrong = true;
            run->state.wrong_at = run->state.received + i;
        }
    }
    if (!run->plan.echo && run->state.received + n > run->plan.receive_bytes && !run->state.wrong) {
        run->state.wrong = true; /* more than was sent */
        run->state.wrong_at = run->plan.receive_bytes;
    }
    sim_hash_add(&run->received, bytes, n);
    run->state.received += n;
}

static void pause_reading(struct lab_run *run)
{
    struct sim *sim = run->socket->lab->sim;
    run->paused_read = true;
    if (sim_timer_set(sim, &run->read_timer, sim_now(sim) + run->plan.read_delay_ns) != 0)
        run->paused_read = false;
}

static void read_pattern(struct lab_run *run)
{
    uint8_t bytes[BUFFER];
    size_t most = run->plan.read_chunk != 0 && run->plan.read_chunk < BUFFER ? (size_t)run->plan.read_chunk : BUFFER;
    while (!run->paused_read && !run->eof) {
        size_t room = run->plan.echo ? BUFFER - run->echo_length : most;
        if (room > most)
            room = most;
        if (room == 0)
            return;
        int64_t n = lab_recv(run->socket, bytes, room, 0);
        if (n < 0)
            return;
        if (n == 0) {
            run->eof = true;
            return;
        }
        check(run, bytes, (size_t)n);
        if (run->plan.echo) {
            memcpy(run->echo + run->echo_length, bytes, (size_t)n);
            run->echo_length += (size_t)n;
        }
        if (run->plan.read_delay_ns != 0)
            pause_reading(run);
    }
}

static void progress(struct lab_run *run)
{
    if (run->socket->closed || !run->socket->told_connected)
        return;
    read_pattern(run);
    if (run->plan.echo) {
        write_echo(run);
        read_pattern(run);
    } else {
        write_pattern(run);
    }
    close_if_done(run);
}

static void read_again(void *ctx, uint64_t now_ns)
{
    struct lab_run *run = ctx;
    (void)now_ns;
    run->paused_read = false;
    progress(run);
}

static void write_again(void *ctx, uint64_t now_ns)
{
    struct lab_run *run = ctx;
    (void)now_ns;
    run->paused_write = false;
    progress(run);
}

int lab_traffic_start(struct lab_socket *s, const struct lab_traffic *traffic)
{
    if (s->host->outside != NULL)
        return lab_outside_traffic(s, traffic);
    if (s->run != NULL)
        return lab_fail(s->lab, SMC_ERR_EXISTS, "socket %u has its traffic already", s->id);
    if (s->host->cpu != NULL) /* it would go on at times when the processor is busy */
        return lab_fail(s->lab, SMC_ERR_UNSUPPORTED, "%s has a cpu: its applications are streams and calls (sim/lab_app.h)",
                        s->host->name);
    struct lab_run *run = lab_alloc(s->lab, sizeof(*run));
    if (run == NULL)
        return SMC_ERR_NOMEM;
    run->plan = *traffic;
    run->socket = s;
    if (traffic->echo && (run->echo = lab_alloc(s->lab, BUFFER)) == NULL) {
        lab_release(s->lab, run, sizeof(*run));
        return SMC_ERR_NOMEM;
    }
    sim_hash_init(&run->sent, 0);
    sim_hash_init(&run->received, 0);
    sim_timer_init(&run->read_timer, read_again, run);
    sim_timer_init(&run->write_timer, write_again, run);
    s->run = run;
    progress(run);
    return 0;
}

void lab_traffic_event(struct lab_socket *s, unsigned events)
{
    if ((events & (SMC_EVENT_CONNECTED | SMC_EVENT_READABLE | SMC_EVENT_WRITABLE | SMC_EVENT_EOF | SMC_EVENT_ERROR)) != 0)
        progress(s->run);
}

void lab_traffic_get(const struct lab_socket *s, struct lab_traffic_state *out)
{
    uint64_t value[2];
    if (s->host->outside != NULL) {
        lab_outside_traffic_get(s, out);
        return;
    }
    memset(out, 0, sizeof(*out));
    if (s->run == NULL)
        return;
    *out = s->run->state;
    sim_hash_value(&s->run->sent, value);
    out->sent_hash = value[0];
    sim_hash_value(&s->run->received, value);
    out->received_hash = value[0];
}

void lab_traffic_stop(struct lab_socket *s)
{
    struct lab_run *run = s->run;
    if (run == NULL && !s->closed && s->host->outside != NULL) /* a closed one may have lost its host */
        lab_outside_traffic_stop(s);
    if (run == NULL)
        return;
    sim_timer_release(s->lab->sim, &run->read_timer);
    sim_timer_release(s->lab->sim, &run->write_timer);
    if (run->echo != NULL)
        lab_release(s->lab, run->echo, BUFFER);
    lab_release(s->lab, run, sizeof(*run));
    s->run = NULL;
}

/* Applications that measure. Each is a little machine: one call, its cost, its effect, the next.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_app.h"

#include "sim/lab_cpu.h"
#include "sim/lab_internal.h"

enum { CHUNK = 65536, SUB_BITS = 5, SUBS = 1 << SUB_BITS, CLASSES = (64 - SUB_BITS) * SUBS + SUBS };

struct lab_app {
    struct lab_app_plan plan;
    struct lab_app_state state;
    struct lab_socket *socket;
    struct sim_timer timer;      /* the call under way ends, or the application wakes */
    struct lab_cpu_turn turn;
    bool asleep, thinking;
    uint32_t sending;            /* of the call under way: its bytes leave when it ends */
    uint64_t out_total, in_total;
    uint64_t last_received_ns;
    uint64_t begun;              /* calls begun */
    uint64_t begun_ns[LAB_APP_DEPTH_MAX];
    uint32_t histogram[CLASSES]; /* of latencies: SUBS classes for each power of two */
    uint32_t chunk;
    uint8_t *buffer, *expected;  /* chunk bytes each */
};

/* ---- Latencies ---- */
static unsigned class_of(uint64_t ns)
{
    unsigned shift = 0;
    while (ns >> shift >= 2 * SUBS)
        shift++;
    return shift * SUBS + (unsigned)(ns >> shift);
}

/* The largest value of a class. */
static uint64_t value_of(unsigned class)
{
    unsigned shift = class < 2 * SUBS ? 0 : class / SUBS - 1;
    uint64_t low = (uint64_t)(class - shift * SUBS) << shift;
    return low + ((UINT64_C(1) << shift) - 1);
}

static void note_latency(struct lab_app *app, uint64_t ns)
{
    struct lab_app_state *s = &app->state;
    unsigned class = class_of(ns);
    app->histogram[class < CLASSES ? class : CLASSES - 1]++;
    s->latency_sum_ns += ns;
    if (s->calls == 1 || ns < s->latency_min_ns)
        s->latency_min_ns = ns;
    if (ns > s->latency_max_ns)
        s->latency_max_ns = ns;
}

uint64_t lab_app_quantile(const struct lab_socket *s, uint32_t share)
{
    if (s->app == NULL || s->app->state.calls == 0 || share > 1000000)
        return 0;
    const struct lab_app *app = s->app;
    uint64_t wanted = app->state.calls / 1000000 * share + app->state.calls % 1000000 * share / 1000000, seen = 0;
    for (unsigned i = 0; i < CLASSES; i++) {
        seen += app->histogram[i];
        if (seen > 0 && seen >= wanted)
            return value_of(i) < app->state.latency_max_ns ? value_of(i) : app->state.latency_max_ns;
    }
    return app->state.latency_max_ns;
}

/* ---- What may be sent, what is expected ---- */
static uint64_t out_allowed(const struct lab_app *app)
{
    const struct lab_app_plan *p = &app->plan;
    if (p->kind == LAB_APP_CALLER) {
        uint64_t calls = app->state.calls + p->depth < p->count ? app->state.calls + p->depth : p->count;
        return calls * p->request_bytes;
    }
    if (p->kind == LAB_APP_ANSWERER)
        return app->state.received / p->request_bytes * p->response_bytes;
    return app->out_total;
}

static uint32_t room_of(const struct lab_socket *s)
{
    return s->told_connected && !s->closed ? lab_writable(s) : 0;
}

static bool can_receive(const struct lab_app *app)
{
    const struct lab_socket *s = app->socket;
    if (s->closed || !s->told_connected)
        return false;
    if (s->mode != SMC_MODE_TCP)
        return s->smc != NULL && (smc_readable(s->smc) > 0 || (s->events & (SMC_EVENT_EOF | SMC_EVENT_ERROR)) != 0);
    if (s->tcp == NULL)
        return true;
    struct tcp_info info = tcp_info(s->tcp);
    return info.unread > 0 || info.eof || s->error != 0;
}

static bool wants_to_send(const struct lab_app *app)
{
    return !app->thinking && app->state.sent < out_allowed(app);
}

static void check_done(struct lab_app *app)
{
    app->state.done = app->state.sent == app->out_total && app->state.received == app->in_total;
}

/* ---- Steps ---- */
static uint64_t now_of(const struct lab_app *app)
{
    return sim_now(app->socket->lab->sim);
}

static void fail(struct lab_app *app)
{
    app->state.failed = !app->state.done;
}

static void next_at(struct lab_app *app, uint64_t at)
{
    if (sim_timer_set(app->socket->lab->sim, &app->timer, at) != 0)
        fail(app); /* reserved: only before lab_app_start() has ended */
}

static uint64_t pay(struct lab_app *app, bool send, uint64_t bytes)
{
    struct lab_cpu *cpu = app->socket->host->cpu;
    return cpu != NULL ? lab_cpu_call(cpu, app->socket, send, bytes) : now_of(app);
}

static int64_t call(struct lab_app *app, bool send, size_t length)
{
    struct lab_cpu *cpu = app->socket->host->cpu;
    if (cpu != NULL)
        lab_cpu_begin(cpu);
    int64_t n = send ? lab_send_now(app->socket, app->buffer, length, 0) : lab_recv_now(app->socket, app->buffer, length, 0);
    if (cpu != NULL)
        lab_cpu_end(cpu);
    return n;
}

static void note_calls(struct lab_app *app, uint64_t end_ns)
{
    struct lab_app_state *s = &app->state;
    while (app->plan.kind == LAB_APP_CALLER && s->calls < s->received / app->plan.response_bytes) {
        uint64_t begun = app->begun_ns[s->calls % app->plan.depth];
        s->calls++;
        note_latency(app, end_ns - begun);
        app->thinking |= app->plan.think_ns > 0;
    }
}

static void note_received(struct lab_app *app, size_t n, uint64_t end_ns)
{
    struct lab_app_state *s = &app->state;
    uint64_t pattern = app->plan.pattern + (app->plan.kind == LAB_APP_CALLER);
    lab_pattern(pattern, s->received, app->expected, n);
    s->wrong |= memcmp(app->buffer, app->expected, n) != 0;
    if (s->received > 0 && end_ns - app->last_received_ns > s->silence_ns) {
        s->silence_ns = end_ns - app->last_received_ns;
        s->silence_at_ns = app->last_received_ns;
    }
    app->last_received_ns = end_ns;
    s->received += n;
    s->receive_calls++;
    s->end_ns = end_ns;
    note_calls(app, end_ns);
    check_done(app);
}

static void receive(struct lab_app *app)
{
    uint64_t left = app->in_total - app->state.received;
    int64_t n = call(app, false, left < app->chunk ? (left > 0 ? (size_t)left : 1) : app->chunk);
    if (n <= 0 || (uint64_t)n > left) {
        fail(app); /* an error, or the end, or more than was sent */
        return;
    }
    uint64_t end = pay(app, false, (uint64_t)n);
    note_received(app, (size_t)n, end);
    next_at(app, app->thinking ? end + app->plan.think_ns : end);
}

/* A message of its own each: what is sent never belongs to two. */
static void begin_send(struct lab_app *app)
{
    struct lab_app_state *s = &app->state;
    uint64_t message = app->plan.kind == LAB_APP_ANSWERER ? app->plan.response_bytes : app->plan.request_bytes;
    uint64_t left = message - s->sent % message;
    uint32_t room = room_of(app->socket);
    if (app->plan.kind == LAB_APP_CALLER && s->sent % message == 0 && app->begun <= s->sent / message)
        app->begun_ns[app->begun++ % app->plan.depth] = now_of(app);
    app->sending = left < app->chunk ? (uint32_t)left : app->chunk;
    if (app->sending > room)
        app->sending = room;
    next_at(app, pay(app, true, app->sending));
}

static void end_send(struct lab_app *app)
{
    uint32_t n = app->sending;
    app->sending = 0;
    if (app->plan.kind == LAB_APP_SENDER && app->state.sent + n == app->out_total)
        (void)lab_set_option(app->socket, SMC_OPTION_NODELAY, 1); /* nothing comes behind it: it waits for no acknowledgement */
    lab_pattern(app->plan.pattern + (app->plan.kind == LAB_APP_ANSWERER), app->state.sent, app->buffer, n);
    int64_t taken = call(app, true, n);
    if (taken < 0 && taken != SMC_ERR_WOULDBLOCK && taken != SMC_ERR_NOMEM) {
        fail(app);
        return;
    }
    app->state.send_calls++;
    app->state.sent += taken > 0 ? (uint64_t)taken : 0;
    check_done(app);
}

/* A full stack is asked with one byte, so that it tells when there is room. */
static bool ask_for_room(struct lab_app *app)
{
    lab_pattern(app->plan.pattern + (app->plan.kind == LAB_APP_ANSWERER), app->state.sent, app->buffer, 1);
    int64_t taken = call(app, true, 1);
    if (taken == 1)
        app->state.sent++;
    else if (taken != SMC_ERR_WOULDBLOCK && taken != SMC_ERR_NOMEM)
        fail(app);
    return taken == 1;
}

static void woken(void *user, uint64_t at_ns)
{
    next_at(user, at_ns);
}

static void wake(struct lab_app *app)
{
    struct lab_cpu *cpu = app->socket->host->cpu;
    app->asleep = false;
    if (cpu != NULL)
        lab_cpu_enter(cpu, &app->turn);
    else
        next_at(app, now_of(app));
}

static void sleep_now(struct lab_app *app)
{
    struct lab_cpu *cpu = app->socket->host->cpu;
    app->asleep = true;
    if (cpu != NULL)
        lab_cpu_leave(cpu, &app->turn);
}

/* It has had its time, and goes behind those that wait. */
static bool yields(struct lab_app *app)
{
    struct lab_cpu *cpu = app->socket->host->cpu;
    if (cpu == NULL || !lab_cpu_yields(cpu, &app->turn))
        return false;
    sleep_now(app);
    wake(app);
    return true;
}

static void step(void *ctx, uint64_t now_ns)
{
    struct lab_app *app = ctx;
    if (app->state.begin_ns == 0)
        app->state.begin_ns = app->last_received_ns = now_ns;
    if (app->sending > 0)
        end_send(app);
    else
        app->thinking = false;
    if (app->state.failed)
        sleep_now(app);
    if (app->state.failed || sim_timer_is_set(&app->timer) || yields(app))
        return;
    if (!app->state.done && can_receive(app))
        receive(app);
    else if (wants_to_send(app) && room_of(app->socket) > 0)
        begin_send(app);
    else if (wants_to_send(app) && app->socket->told_connected && ask_for_room(app))
        next_at(app, now_ns);
    else
        sleep_now(app);
}

void lab_app_event(struct lab_socket *s)
{
    struct lab_app *app = s->app;
    bool useful = can_receive(app) || (wants_to_send(app) && room_of(s) > 0);
    if (app->asleep && !app->state.done && !app->state.failed && useful)
        wake(app);
}

/* ---- Beginning, end ---- */
static bool plan_is_good(const struct lab_app_plan *p)
{
    bool calls = p->kind == LAB_APP_CALLER || p->kind == LAB_APP_ANSWERER;
    return p->request_bytes > 0 && p->request_bytes <= LAB_APP_CALL_MAX && p->count > 0 && p->count < 1u << 30 &&
           p->depth <= LAB_APP_DEPTH_MAX && p->chunk <= LAB_APP_CHUNK_MAX &&
           (!calls || (p->response_bytes > 0 && p->response_bytes <= LAB_APP_CALL_MAX));
}

static void set_totals(struct lab_app *app)
{
    const struct lab_app_plan *p = &app->plan;
    uint64_t requests = p->count * p->request_bytes, responses = p->count * p->response_bytes;
    app->out_total = p->kind == LAB_APP_ANSWERER ? responses : p->kind == LAB_APP_RECEIVER ? 0 : requests;
    app->in_total = p->kind == LAB_APP_CALLER ? responses : p->kind == LAB_APP_SENDER ? 0 : requests;
}

static void app_free(struct lab_app *app)
{
    struct lab *lab = app->socket->lab;
    if (app->socket->host != NULL && app->socket->host->cpu != NULL)
        lab_cpu_leave(app->socket->host->cpu, &app->turn);
    sim_timer_release(lab->sim, &app->timer);
    if (app->buffer != NULL)
        lab_release(lab, app->buffer, app->chunk);
    if (app->expected != NULL)
        lab_release(lab, app->expected, app->chunk);
    lab_release(lab, app, sizeof(*app));
}

int lab_app_start(struct lab_socket *s, const struct lab_app_plan *plan)
{
    if (s->run != NULL || s->app != NULL)
        return lab_fail(s->lab, SMC_ERR_EXISTS, "socket %u has its traffic already", s->id);
    if (!plan_is_good(plan))
        return lab_fail(s->lab, SMC_ERR_ARGUMENT,
                        "calls and streams: 1 byte to 64 MiB a message, a depth of at most %d, chunks of at most 1 MiB", LAB_APP_DEPTH_MAX);
    struct lab_app *app = lab_alloc(s->lab, sizeof(*app));
    if (app == NULL)
        return SMC_ERR_NOMEM;
    app->plan = *plan;
    app->plan.depth = plan->depth != 0 ? plan->depth : 1;
    app->chunk = plan->chunk != 0 ? plan->chunk : CHUNK;
    app->socket = s;
    set_totals(app);
    sim_timer_init(&app->timer, step, app);
    app->buffer = lab_alloc(s->lab, app->chunk);
    app->expected = lab_alloc(s->lab, app->chunk);
    if (app->buffer == NULL || app->expected == NULL || sim_timer_reserve(s->lab->sim, &app->timer) != 0) {
        app_free(app);
        return SMC_ERR_NOMEM;
    }
    app->turn = (struct lab_cpu_turn){.run = woken, .user = app};
    s->app = app;
    wake(app);
    return 0;
}

void lab_app_stop(struct lab_socket *s)
{
    lab_app_free(s);
}

void lab_app_free(struct lab_socket *s)
{
    if (s->app != NULL)
        app_free(s->app);
    s->app = NULL;
}

void lab_app_get(const struct lab_socket *s, struct lab_app_state *out)
{
    if (s->app != NULL)
        *out = s->app->state;
    else
        memset(out, 0, sizeof(*out));
}

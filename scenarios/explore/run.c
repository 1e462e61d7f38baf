/* Runs one plan: safety under faults, then liveness without, then the books are closed.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "sim/capture.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Everything that waits for an answer gives up sooner: TEST LINK after 32 s, a turn of LLC after 20 s, TCP's later
 * retransmissions after a partition of 20 s. */
#define PATIENCE_NS (150 * SIM_S)
#define SETTLE_NS (700 * SIM_S) /* idle groups go after 610 s */
enum { EVENT_LIMIT = 4000000, ETHERNET = 1 };

void explore_fail(struct explore_run *run, const char *kind, const char *format, ...)
{
    va_list args;
    if (run->out->failed)
        return;
    run->out->failed = true;
    snprintf(run->out->kind, sizeof(run->out->kind), "%s", kind);
    va_start(args, format);
    vsnprintf(run->out->why, sizeof(run->out->why), format, args);
    va_end(args);
}

/* ---- the judge looks on ---- */
/* A segment that TCP's checksum catches is in the capture, but nobody takes it; the judge, who sees captures of offloading hosts
 * too, cannot look at that checksum. */
static bool dropped_by_tcp(const uint8_t *bytes, size_t length)
{
    struct net_frame_info info;
    net_frame_classify(bytes, length, &info);
    return info.ip_protocol == 6 && info.l4 != 0 && net_frame_transport_sum(&info) != 0;
}

static void frame_seen(void *user, uint64_t at_ns, const uint8_t *bytes, size_t length)
{
    struct explore_run *run = user;
    if (run->corrupts && dropped_by_tcp(bytes, length)) {
        run->frame++;
        return;
    }
    struct trace_raw raw = {.frame = ++run->frame,
                            .ts_ns = CAPTURE_EPOCH_S * SIM_S + at_ns,
                            .linktype = ETHERNET,
                            .wire_len = (uint32_t)length,
                            .bytes = smc_view_of(bytes, length)};
    if (judge_input(run->judge, &raw) != 0)
        run->judge_failed = true;
}

static void take_finding(struct explore_run *run, const struct judge_finding *f)
{
    static const char *const faults[] = {"client", "server", "unknown"};
    const struct judge_requirement *r = &judge_catalogue[f->requirement];
    char kind[EXPLORE_KIND];
    snprintf(kind, sizeof(kind), "judge: %s", r->id);
    explore_fail(run, kind, "judge: %s by %s, frame %llu: %s; expected %s", r->id, faults[f->at_fault], (unsigned long long)f->frame,
                 f->message[0] != '\0' ? f->message : f->seen, f->expected);
}

static void hear_verdict(struct explore_run *run)
{
    const struct judge_result *result = judge_finish(run->judge, NULL);
    for (size_t i = 0; i < result->nfindings; i++)
        if (result->findings[i].verdict == JUDGE_FAIL)
            take_finding(run, &result->findings[i]);
    if (run->judge_failed)
        explore_fail(run, "judge: out of memory", "the judge ran out of memory");
}

/* ---- phases ---- */
static bool step(struct explore_run *run, uint64_t until)
{
    /* Finely at the beginning, where things happen; coarsely when little does. */
    uint64_t now = sim_now(run->sim), slice = now < 100 * SIM_MS ? 2 * SIM_MS : now / 50;
    uint64_t next = sim_next_ns(run->sim), to = now + slice;
    if (next > to)
        to = next;
    if (to > until)
        to = until;
    int error = lab_run_until(run->lab, to);
    if (error == SMC_ERR_TIMEOUT)
        explore_fail(run, "never comes to rest", "%s", lab_problem(run->lab));
    else if (error != 0)
        explore_fail(run, "the run stopped", "%s", smc_error_text(error));
    explore_sample(run);
    return !run->out->failed;
}

static bool all_done(const struct explore_run *run)
{
    for (unsigned i = 0; i < 2 * run->plan->conn_count; i++)
        if (!explore_app_done(&run->apps[i]))
            return false;
    return true;
}

static void pass(struct explore_run *run, uint64_t until)
{
    while (sim_now(run->sim) < until && !all_done(run) && step(run, until))
        ;
}

static uint64_t last_start(const struct explore_plan *p)
{
    uint64_t last = 0;
    for (unsigned i = 0; i < p->conn_count; i++)
        if (p->conns[i].start > last)
            last = p->conns[i].start;
    return last;
}

static uint64_t host_of(const struct explore_run *run, const struct explore_app *app)
{
    const struct explore_conn *c = &run->plan->conns[app->conn];
    return app->side == 0 ? c->client : c->server;
}

/* Some ends are never told that the other is gone: of a host without power; of a plain TCP connection whose RST was lost. Their
 * applications give up by themselves. */
static bool may_hang(const struct explore_run *run, const struct explore_app *app)
{
    if (run->licence.killed[host_of(run, app)] || run->licence.killed[host_of(run, app->peer)])
        return true;
    return run->licence.hard && app->mode != SMC_MODE_R && app->mode != SMC_MODE_D && app->peer->ended;
}

static void give_up(struct explore_run *run)
{
    for (unsigned i = 0; i < 2 * run->plan->conn_count; i++) {
        struct explore_app *app = &run->apps[i];
        if (!explore_app_done(app) && may_hang(run, app)) {
            app->forced = true;
            explore_app_close(app);
        }
    }
}

static void find_stuck(struct explore_run *run)
{
    for (unsigned i = 0; i < 2 * run->plan->conn_count; i++) {
        const struct explore_app *app = &run->apps[i];
        char kind[EXPLORE_KIND];
        if (explore_app_done(app) || app->forced || (app->socket == NULL && app->peer->socket == NULL))
            continue;
        const char *state = app->socket != NULL ? lab_socket_state(app->socket) : "not reached";
        snprintf(kind, sizeof(kind), "stuck in %s", state);
        explore_fail(run, kind, "connection %u: the %s is stuck in %s (mode %d, sent %llu of %llu, received %llu of %llu, error %d, its peer %s)",
                     app->conn, app->side == 0 ? "client" : "server", state, (int)app->mode, (unsigned long long)app->sent,
                     (unsigned long long)app->plan->bytes, (unsigned long long)app->position, (unsigned long long)app->peer->plan->bytes,
                     app->error, app->peer->socket != NULL ? lab_socket_state(app->peer->socket) : "not reached");
    }
}

/* Idle groups must go by themselves. */
static void settle(struct explore_run *run)
{
    uint64_t until = sim_now(run->sim) + SETTLE_NS;
    struct smc_group_info info;
    while (sim_now(run->sim) < until && step(run, until))
        ;
    for (unsigned h = 0; h < run->plan->host_count && !run->out->failed; h++) {
        const struct smc_endpoint *e = lab_host_endpoint(run->hosts[h]);
        if (smc_endpoint_get_group(e, 0, &info))
            explore_fail(run, "an idle group stays", "%s still has a link group with %u connections and %u links, flow %s",
                         explore_host_names[h], info.connections, info.link_count, info.flow);
        else if (smc_endpoint_counters(e)->groups_freed > 0)
            explore_saw(run, EXPLORE_GROUP_IDLE);
        if (smc_endpoint_next_connection(e, NULL) != NULL)
            explore_fail(run, "a connection stays", "%s still has a connection though all sockets are closed", explore_host_names[h]);
    }
}

static void live(struct explore_run *run)
{
    uint64_t heal = run->licence.heal, last = last_start(run->plan);
    if (last > heal)
        heal = last;
    while (sim_now(run->sim) <= heal && step(run, heal + 1))
        ;
    explore_heal(run);
    pass(run, heal + PATIENCE_NS);
    if (run->out->failed)
        return;
    give_up(run);
    pass(run, sim_now(run->sim) + SIM_S);
    if (run->out->failed)
        return;
    find_stuck(run);
    explore_check_ends(run);
    run->out->events = sim_events(run->sim);
    bool killed = false;
    for (unsigned h = 0; h < EXPLORE_HOSTS; h++)
        killed |= run->licence.killed[h];
    if (run->plan->settle && !killed && !run->out->failed)
        settle(run);
}

/* ---- beginning and end ---- */
static bool begin(struct explore_run *run, const char *capture)
{
    const struct explore_plan *p = run->plan;
    struct judge_options options = {.strict = false};
    struct lab_config config = {.alloc = &run->memory.alloc,
                                .seed = p->net_seed,
                                .capture = capture,
                                .capture_hashed = true,
                                .sink = frame_seen,
                                .sink_user = run,
                                .event_limit = EVENT_LIMIT};
    explore_memory_init(&run->memory);
    explore_licence_of(p, &run->licence);
    for (unsigned i = 0; i < p->fault_count; i++) {
        run->corrupts |= p->faults[i].kind == EXPLORE_FAULT_RATES && p->faults[i].t != 0;
        options.lossy |= p->faults[i].kind <= EXPLORE_FAULT_PARTITION; /* captured is what the link has let through */
    }
    run->apps = calloc(2 * p->conn_count + 1, sizeof(*run->apps));
    run->listeners = calloc(p->conn_count + 1, sizeof(struct lab_socket *));
    run->steps = calloc(p->conn_count + p->fault_count + 1, sizeof(*run->steps));
    run->judge = judge_new("explore", &options, &explore_watch, run);
    if (run->apps == NULL || run->listeners == NULL || run->steps == NULL || run->judge == NULL || lab_new(&config, &run->lab) != 0) {
        explore_fail(run, "out of memory", "out of memory, or the capture cannot be written: %s", run->lab != NULL ? lab_problem(run->lab) : "");
        return false;
    }
    run->sim = lab_sim(run->lab);
    return explore_build(run) && explore_schedule(run);
}

static void count_delivered(struct explore_run *run)
{
    for (unsigned c = 0; run->apps != NULL && c < run->plan->conn_count; c++) {
        const struct explore_app *client = &run->apps[2 * c], *server = client + 1;
        run->out->connections += client->connected && server->connected;
        run->out->delivered += client->connected && client->error == 0 && server->error == 0 && client->position >= server->sent &&
                               server->position >= client->sent;
    }
}

static void end(struct explore_run *run)
{
    if (run->lab != NULL) {
        lab_digest(run->lab, run->out->digest);
        if (run->out->events == 0)
            run->out->events = sim_events(run->sim);
        run->out->now_ns = sim_now(run->sim);
        explore_apps_free(run);
        if (lab_free(run->lab) == SMC_ERR_BUSY || run->memory.blocks != 0)
            explore_fail(run, "memory is left behind", "%llu blocks of memory were not given back", (unsigned long long)run->memory.blocks);
        if (run->memory.wrong_sizes != 0)
            explore_fail(run, "memory given back with a wrong size", "%llu blocks of memory were given back with a size they do not have",
                         (unsigned long long)run->memory.wrong_sizes);
    }
    if (run->judge != NULL) {
        if (!run->out->failed || strncmp(run->out->kind, "judge", 5) == 0)
            hear_verdict(run);
        judge_free(run->judge);
    }
    free(run->apps);
    free(run->listeners);
    free(run->steps);
}

void explore_run(const struct explore_plan *plan, const char *capture, struct explore_outcome *out)
{
    struct explore_run *run = calloc(1, sizeof(*run));
    memset(out, 0, sizeof(*out));
    if (run == NULL) {
        out->failed = true;
        snprintf(out->kind, sizeof(out->kind), "out of memory");
        return;
    }
    run->plan = plan;
    run->out = out;
    out->faults = plan->fault_count;
    if (begin(run, capture)) {
        live(run);
        explore_sample_end(run);
        count_delivered(run);
    }
    out->frames = run->frame;
    end(run);
    free(run);
}

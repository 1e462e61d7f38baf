/* Running one scenario: the sandbox, the laboratory and the watcher together, and how it ended.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"
#include "target.h"

#include "sim/lab_outside.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRIPT_BYTES_MAX = 1 << 20, LADDER_BYTES = 16384 };

static const char paused_text[] = "paused";
static const char header_text[] = "header only";

/* ---- the script's text ---- */
static char *read_file(const char *path, size_t *length, char *error, size_t error_size)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t n = 0;
    if (file != NULL && (text = malloc(SCRIPT_BYTES_MAX + 1)) != NULL)
        n = fread(text, 1, SCRIPT_BYTES_MAX + 1, file);
    if (text == NULL || ferror(file) || n > SCRIPT_BYTES_MAX) {
        snprintf(error, error_size, "%s: %s", path, n > SCRIPT_BYTES_MAX ? "longer than 1 MiB: no scenario" : strerror(errno));
        free(text);
        text = NULL;
    }
    if (file != NULL)
        fclose(file);
    *length = n;
    return text;
}

/* ---- primitives that the prelude uses and scripts do not ---- */
static void read_list(lua_State *L, int table, const char *field, void (*put)(struct script_header *h, const char *text),
                      struct script_header *h)
{
    if (lua_getfield(L, table, field) == LUA_TTABLE) {
        for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
            put(h, luaL_checkstring(L, -1));
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void put_requirement(struct script_header *h, const char *text)
{
    if (h->requirement_count < SCRIPT_IDS)
        snprintf(h->requirements[h->requirement_count++], SCRIPT_ID, "%s", text);
}

static void put_target(struct script_header *h, const char *text)
{
    if (h->target_count < SCRIPT_TARGETS)
        snprintf(h->targets[h->target_count++], sizeof(h->targets[0]), "%s", text);
}

bool script_is_for(const struct script_header *h, const char *target)
{
    for (unsigned i = 0; i < h->target_count; i++)
        if (strcmp(h->targets[i], target) == 0 || (strcmp(target, "host") == 0 && strcmp(h->targets[i], "vm") == 0))
            return true;
    return false;
}

static void put_role(struct script_header *h, const char *text)
{
    if (h->role_count < SCRIPT_ROLES)
        snprintf(h->roles[h->role_count++], sizeof(h->roles[0]), "%s", text);
}

/* lab.header { … } */
static int header(lua_State *L)
{
    struct run *run = run_of(L);
    struct script_header *h = &run->result->header;
    luaL_checktype(L, 1, LUA_TTABLE);
    snprintf(h->title, sizeof(h->title), "%s", field_text(L, 1, "title", ""));
    snprintf(h->source, sizeof(h->source), "%s", field_text(L, 1, "source", ""));
    h->hostile = field_bool(L, 1, "hostile", false);
    h->any_version = field_bool(L, 1, "any_version", false);
    read_list(L, 1, "requirements", put_requirement, h);
    read_list(L, 1, "targets", put_target, h);
    read_list(L, 1, "roles", put_role, h);
    if (h->target_count == 0)
        put_target(h, "sim");
    return run->options->header_only ? luaL_error(L, "%s", header_text) : 0;
}

/* lab.finding { id =, by =, verdict = } */
static int finding(lua_State *L)
{
    struct script_result *r = run_of(L)->result;
    luaL_checktype(L, 1, LUA_TTABLE);
    if (r->finding_count == SCRIPT_FINDINGS)
        return luaL_error(L, "more than %d findings are announced", SCRIPT_FINDINGS);
    struct script_finding *f = &r->findings[r->finding_count++];
    memset(f, 0, sizeof(*f));
    const char *id = field_text(L, 1, "id", NULL);
    if (id == NULL)
        return luaL_error(L, "expect_finding: which id?");
    snprintf(f->id, sizeof(f->id), "%s", id);
    snprintf(f->by, sizeof(f->by), "%s", field_text(L, 1, "by", ""));
    snprintf(f->verdict, sizeof(f->verdict), "%s", field_text(L, 1, "verdict", "fail"));
    f->maybe = field_bool(L, 1, "maybe", false);
    return 0;
}

static void put_bug_finding(struct script_header *h, const char *text)
{
    struct script_result *r = (struct script_result *)((char *)h - offsetof(struct script_result, header));
    struct script_bug *b = &r->bugs[r->bug_count - 1];
    if (b->finding_count < SCRIPT_ROLES)
        snprintf(b->findings[b->finding_count++], SCRIPT_ID, "%s", text);
}

/* lab.known_bug { bug =, real =, failure =, findings = { … } } */
static int known_bug(lua_State *L)
{
    struct script_result *r = run_of(L)->result;
    luaL_checktype(L, 1, LUA_TTABLE);
    if (r->bug_count == SCRIPT_BUGS)
        return luaL_error(L, "more than %d bugs are known", SCRIPT_BUGS);
    const char *number = field_text(L, 1, "bug", NULL);
    if (number == NULL)
        return luaL_error(L, "known_bug: which bug of docs/linux.md?");
    struct script_bug *b = &r->bugs[r->bug_count++];
    memset(b, 0, sizeof(*b));
    snprintf(b->bug, sizeof(b->bug), "%s", number);
    snprintf(b->real, sizeof(b->real), "%s", field_text(L, 1, "real", ""));
    snprintf(b->failure, sizeof(b->failure), "%s", field_text(L, 1, "failure", ""));
    read_list(L, 1, "findings", put_bug_finding, &r->header);
    return 0;
}

/* Where in the script we are: "file:line". */
static void where(struct run *run, char out[320])
{
    lua_Debug ar;
    snprintf(out, 320, "%s", run->script_name);
    for (int level = 0; lua_getstack(run->L, level, &ar) == 1; level++) {
        lua_getinfo(run->L, "Sl", &ar);
        if (strcmp(ar.source + 1, run->script_name) == 0 && ar.currentline > 0) {
            snprintf(out, 320, "%s:%d", run->script_name, ar.currentline);
            return;
        }
    }
}

/* lab.fail(text): an expectation failed */
static int fail(lua_State *L)
{
    struct run *run = run_of(L);
    char place[320];
    where(run, place);
    run->result->verdict = SCRIPT_FAIL;
    snprintf(run->result->reason, sizeof(run->result->reason), "%s: %s (at %.6f ms)", place, luaL_checkstring(L, 1),
             (double)run_now(run) / 1e6);
    return luaL_error(L, "failed");
}

static int open_lab(lua_State *L)
{
    static const luaL_Reg functions[] = {{"header", header}, {"finding", finding}, {"known_bug", known_bug}, {"fail", fail}, {NULL, NULL}};
    luaL_newlib(L, functions);
    host_open(L);
    net_open(L);
    socket_open(L);
    fault_open(L);
    devmem_open(L);
    congestion_open(L);
    measure_open(L);
    info_open(L);
    watch_open(L);
    message_open(L);
    return 1;
}

/* ---- errors ---- */
static int on_error(lua_State *L)
{
    struct run *run = run_of(L);
    const char *text = lua_tostring(L, 1);
    if (run->result->verdict == SCRIPT_FAIL || text == NULL)
        return 1;
    char place[320];
    where(run, place);
    /* The message of a script's own error begins with its place already. */
    if (strncmp(text, run->script_name, strlen(run->script_name)) == 0)
        return 1;
    lua_pushfstring(L, "%s: %s", place, text);
    return 1;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static int call(struct run *run, const char *text, size_t length, const char *name, int arguments)
{
    lua_State *L = run->L;
    int base = lua_gettop(L) - arguments + 1;
    int error = luaL_loadbufferx(L, text, length, name, "t");
    if (error == LUA_OK) {
        lua_insert(L, base);
        lua_pushcfunction(L, on_error);
        lua_insert(L, base);
        error = lua_pcall(L, arguments, 0, base);
    }
    if (error == LUA_OK) {
        lua_settop(L, 0);
        return 0;
    }
    const char *why = lua_tostring(L, -1);
    if (why == NULL)
        why = "an error that is no text";
    bool on_purpose = (run->result->paused && ends_with(why, paused_text)) ||
                      (run->options->header_only && ends_with(why, header_text)) ||
                      (run->options->experiment_only && ends_with(why, script_experiment_text));
    if (!on_purpose && run->result->verdict != SCRIPT_FAIL) {
        run->result->verdict = SCRIPT_ERROR;
        snprintf(run->result->reason, sizeof(run->result->reason), "%s", why);
    }
    return -1;
}

__attribute__((format(printf, 2, 3))) static int error_result(struct script_result *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    out->verdict = SCRIPT_ERROR;
    vsnprintf(out->reason, sizeof(out->reason), format, args);
    va_end(args);
    return -1;
}

/* What the target has to do before the script; -1: it said why. */
static int target_says(struct run *run, int error, const char *why)
{
    return error == 0 ? 0 : error_result(run->result, "the target %s: %s", run->options->target->name, why);
}

static bool only_reads(const struct script_options *options)
{
    return options->header_only || options->experiment_only;
}

static int start(struct run *run)
{
    const struct script_target *target = only_reads(run->options) ? NULL : run->options->target;
    bool watched = !run->options->unwatched;
    struct lab_config config = {.seed = run->options->seed, .capture = run->options->capture, .capture_hashed = watched,
                                .sink = watched ? watch_frame : NULL, .sink_user = run};
    char why[1024] = "";
    if (target != NULL && target->prepare != NULL &&
        target_says(run, target->prepare(target->user, &config, why, sizeof(why)), why) != 0)
        return -1;
    int error = lab_new(&config, &run->lab);
    if (error != 0)
        return error_result(run->result, "the laboratory cannot start: %s",
                            run->lab != NULL && lab_problem(run->lab)[0] != '\0' ? lab_problem(run->lab) : smc_error_text(error));
    if (watch_start(run) != 0 || (run->L = sandbox_new(run)) == NULL)
        return error_result(run->result, "%s", "out of memory");
    if (target == NULL || target->begin == NULL)
        return 0;
    return target_says(run, target->begin(target->user, run->lab, why, sizeof(why)), why);
}

static void finish(struct run *run)
{
    struct script_result *r = run->result;
    struct sim *sim = lab_sim(run->lab);
    r->events = sim_events(sim);
    r->messages = run->seen_count;
    r->now_ns = sim_now(sim);
    if (lab_outside_name(run->lab) != NULL)
        snprintf(r->role, sizeof(r->role), "%s", lab_outside_name(run->lab));
    r->all_real = lab_both_outside(run->lab);
    if (!run->ran_inspect && run->inspect != NULL && !run->options->header_only)
        run->inspect(run->inspect_user, run->lab);
    if (r->verdict == SCRIPT_FAIL) {
        char *ladder = malloc(LADDER_BYTES);
        if (ladder != NULL) {
            watch_ladder(run, ladder, LADDER_BYTES);
            r->ladder = ladder;
        }
    }
    if (r->verdict == SCRIPT_ERROR && lab_refused(run->lab) != NULL) {
        r->verdict = SCRIPT_SKIP;
        snprintf(r->reason, sizeof(r->reason), "%s", lab_refused(run->lab));
    }
    if (run->watch_failed && r->verdict == SCRIPT_PASS)
        error_result(r, "%s", "memory was short: not every message was kept");
}

static void end_target(struct run *run)
{
    const struct script_target *target = only_reads(run->options) ? NULL : run->options->target;
    char failure[SCRIPT_TEXT] = "";
    if (target == NULL || target->end == NULL)
        return;
    target->end(target->user, run->lab, failure, sizeof(failure));
    if (failure[0] == '\0' || run->result->verdict != SCRIPT_PASS)
        return;
    run->result->verdict = SCRIPT_FAIL;
    snprintf(run->result->reason, sizeof(run->result->reason), "%s", failure);
}

static void end(struct run *run)
{
    int error = 0;
    while (run->edits != NULL) /* no function of the script is called any more */
        fault_free_edits(run);
    end_target(run);
    if (run->lab != NULL) {
        lab_digest(run->lab, run->result->digest);
        error = lab_free(run->lab);
    }
    if (run->L != NULL)
        lua_close(run->L); /* behind the lab, whose rules and hooks lie in its memory */
    watch_end(run);
    while (run->waiters != NULL)
        socket_free_waiters(run);
    if (error != 0 && run->result->verdict == SCRIPT_PASS)
        error_result(run->result, "at the end of the run: %s", smc_error_text(error));
}

static void run_text(struct run *run, const char *text, size_t length)
{
    char chunk[300];
    snprintf(chunk, sizeof(chunk), "@%s", run->script_name);
    lua_pushcfunction(run->L, open_lab);
    if (lua_pcall(run->L, 0, 1, 0) != LUA_OK) {
        error_result(run->result, "%s", lua_tostring(run->L, -1));
        return;
    }
    lua_pushinteger(run->L, (lua_Integer)run->options->seed);
    if (call(run, (const char *)prelude_text, prelude_length, "=prelude", 2) == 0)
        (void)call(run, text, length, chunk, 0);
}

void script_run(const struct script_options *options, void (*inspect)(void *user, struct lab *lab), void *user,
                struct script_result *out)
{
    struct run run = {.options = options, .result = out, .inspect = inspect, .inspect_user = user};
    size_t length = 0;
    memset(out, 0, sizeof(*out));
    snprintf(run.script_name, sizeof(run.script_name), "%s", options->path);
    char *file = NULL;
    if (options->text == NULL) {
        char error[512];
        file = read_file(options->path, &length, error, sizeof(error));
        if (file == NULL) {
            error_result(out, "%s", error);
            return;
        }
    }
    const char *text = options->text != NULL ? options->text : file;
    if (options->text != NULL)
        length = strlen(options->text);
    if (start(&run) == 0) {
        run_text(&run, text, length);
        finish(&run);
    }
    end(&run);
    free(file);
    if (out->verdict == SCRIPT_PASS && out->header.title[0] == '\0')
        error_result(out, "%s: a scenario begins with scenario { title = … }", options->path);
}

void script_result_free(struct script_result *result)
{
    free(result->ladder);
    free(result->experiment);
    result->ladder = result->experiment = NULL;
}

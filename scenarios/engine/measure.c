/* Experiments, for scripts: the parameters of this run, what it measured; hosts' processors; applications that measure.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "sim/lab_app.h"
#include "sim/lab_cpu.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 256, PLOTS_MAX = 16, REPETITIONS_MAX = 10000 };

const char script_experiment_text[] = "experiment only";

/* ---- costs of a host's software: a name, or { "name", syscall = "0.2 us", … } ---- */
/* Round figures of the right size for a server of these years, of no machine in particular: docs/experiments.md. */
static const struct cpu_costs server_costs = {.syscall_ns = 200, .wakeup_ns = 2000, .interrupt_ns = 1000, .tcp_packet_ns = 1500,
                                              .tcp_segment_ns = 200, .smc_send_ns = 400, .smc_receive_ns = 400, .post_ns = 150,
                                              .copy_rate = UINT64_C(10000000000), .move_rate = UINT64_C(10000000000)};

static void check_cost_names(lua_State *L, int table)
{
    static const char *const names[] = {"syscall", "wakeup", "interrupt", "tcp_packet", "tcp_segment", "smc_send",
                                        "smc_receive", "post", "copy", "move"};
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pop(L, 1);
        bool known = lua_type(L, -1) != LUA_TSTRING;
        for (size_t i = 0; !known && i < sizeof(names) / sizeof(names[0]); i++)
            known = strcmp(names[i], lua_tostring(L, -1)) == 0;
        if (!known)
            luaL_error(L, "a cpu has no cost \"%s\" (sim/cpu.h)", lua_tostring(L, -1));
    }
}

static void named_costs(lua_State *L, const char *name, struct cpu_costs *out)
{
    if (strcmp(name, "server") == 0)
        *out = server_costs;
    else
        luaL_error(L, "there are no costs \"%s\": server", name);
}

bool measure_costs(lua_State *L, int table, struct cpu_costs *out)
{
    memset(out, 0, sizeof(*out));
    int type = lua_getfield(L, table, "cpu"), at = lua_gettop(L);
    if (type == LUA_TSTRING)
        named_costs(L, lua_tostring(L, at), out);
    if (type == LUA_TTABLE) {
        check_cost_names(L, at);
        if (lua_rawgeti(L, at, 1) != LUA_TNIL)
            named_costs(L, luaL_checkstring(L, -1), out);
        lua_pop(L, 1);
        out->syscall_ns = field_time(L, at, "syscall", out->syscall_ns);
        out->wakeup_ns = field_time(L, at, "wakeup", out->wakeup_ns);
        out->interrupt_ns = field_time(L, at, "interrupt", out->interrupt_ns);
        out->tcp_packet_ns = field_time(L, at, "tcp_packet", out->tcp_packet_ns);
        out->tcp_segment_ns = field_time(L, at, "tcp_segment", out->tcp_segment_ns);
        out->smc_send_ns = field_time(L, at, "smc_send", out->smc_send_ns);
        out->smc_receive_ns = field_time(L, at, "smc_receive", out->smc_receive_ns);
        out->post_ns = field_time(L, at, "post", out->post_ns);
        out->copy_rate = field_speed(L, at, "copy", out->copy_rate);
        out->move_rate = field_speed(L, at, "move", out->move_rate);
    } else if (type != LUA_TSTRING && type != LUA_TNIL) {
        luaL_error(L, "cpu: \"server\", or a table of costs");
    }
    lua_pop(L, 1);
    return type != LUA_TNIL;
}

static void set_number(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

/* lab.costs(name) → table, as a host's `cpu` takes it */
static int costs_of(lua_State *L)
{
    struct cpu_costs c;
    named_costs(L, luaL_checkstring(L, 1), &c);
    lua_newtable(L);
    set_number(L, "syscall", c.syscall_ns);
    set_number(L, "wakeup", c.wakeup_ns);
    set_number(L, "interrupt", c.interrupt_ns);
    set_number(L, "tcp_packet", c.tcp_packet_ns);
    set_number(L, "tcp_segment", c.tcp_segment_ns);
    set_number(L, "smc_send", c.smc_send_ns);
    set_number(L, "smc_receive", c.smc_receive_ns);
    set_number(L, "post", c.post_ns);
    set_number(L, "copy", c.copy_rate);
    set_number(L, "move", c.move_rate);
    return 1;
}

/* lab.cpu(host) → { busy =, syscall =, copy =, … } in nanoseconds so far; nil: it has no processor of the model */
static int cpu_of(lua_State *L)
{
    struct lab_host *host = lab_find_host(run_of(L)->lab, luaL_checkstring(L, 1));
    if (host == NULL)
        return luaL_error(L, "there is no host \"%s\"", lua_tostring(L, 1));
    const struct cpu *cpu = lab_host_cpu(host);
    if (cpu == NULL)
        return 0;
    lua_newtable(L);
    set_number(L, "busy", cpu_total_ns(cpu));
    set_number(L, "dropped", lab_host_cpu_dropped(host));
    for (unsigned i = 0; i < CPU_WORKS; i++)
        set_number(L, cpu_work_name(i), cpu->spent_ns[i]);
    return 1;
}

/* ---- applications ---- */
static struct lab_socket *socket_at(lua_State *L, int index)
{
    lua_Integer id = luaL_checkinteger(L, index);
    for (struct lab_socket *s = lab_next_socket(run_of(L)->lab, NULL); s != NULL; s = lab_next_socket(run_of(L)->lab, s))
        if (lab_socket_id(s) == id)
            return s;
    luaL_error(L, "there is no socket %d", (int)id);
    return NULL;
}

/* lab.app(id, kind, { request =, response =, count =, depth =, chunk =, think =, pattern = }) */
static int app_start(lua_State *L)
{
    static const char *const kinds[] = {"caller", "answerer", "sender", "receiver", NULL};
    luaL_checktype(L, 3, LUA_TTABLE);
    struct lab_app_plan plan = {.kind = (enum lab_app_kind)luaL_checkoption(L, 2, NULL, kinds),
                                .request_bytes = field_size(L, 3, "request", 0),
                                .response_bytes = field_size(L, 3, "response", 0),
                                .count = field_number(L, 3, "count", 1),
                                .depth = (unsigned)field_number(L, 3, "depth", 1),
                                .chunk = (uint32_t)field_size(L, 3, "chunk", 0),
                                .think_ns = field_time(L, 3, "think", 0),
                                .pattern = field_number(L, 3, "pattern", 1)};
    return check_error(L, lab_app_start(socket_at(L, 1), &plan));
}

static bool app_over(struct run *run, void *ctx)
{
    struct lab_app_state state;
    (void)run;
    lab_app_get(ctx, &state);
    return state.done || state.wrong || state.failed;
}

/* lab.app_state(id, time) → table; waits so long for its end */
static int app_state(lua_State *L)
{
    struct run *run = run_of(L);
    struct lab_socket *s = socket_at(L, 1);
    struct lab_app_state state;
    uint64_t within = arg_time(L, 2, "within");
    if (within > 0)
        run_wait(run, app_over, s, run_now(run) + within);
    lab_app_get(s, &state);
    lua_newtable(L);
#define BOOL(field) (lua_pushboolean(L, state.field), lua_setfield(L, -2, #field));
    BOOL(done) BOOL(wrong) BOOL(failed)
#undef BOOL
#define ONE(field, name) set_number(L, name, state.field);
    ONE(sent, "sent") ONE(received, "received") ONE(calls, "calls") ONE(send_calls, "send_calls")
    ONE(receive_calls, "receive_calls") ONE(begin_ns, "begin") ONE(end_ns, "finish") ONE(latency_sum_ns, "latency_sum")
    ONE(latency_min_ns, "min") ONE(latency_max_ns, "max") ONE(silence_ns, "silence") ONE(silence_at_ns, "silence_at")
#undef ONE
    set_number(L, "p50", lab_app_quantile(s, 500000));
    set_number(L, "p99", lab_app_quantile(s, 990000));
    return 1;
}

static int app_stop(lua_State *L)
{
    lab_app_stop(socket_at(L, 1));
    return 0;
}

/* ---- the experiment's declaration, as JSON: see script.h ---- */
/* A value as it stands in the CSV; NULL: not a number, text or truth. */
static json_t *value_json(lua_State *L, int index)
{
    if (lua_type(L, index) == LUA_TBOOLEAN)
        return json_string(lua_toboolean(L, index) ? "true" : "false");
    if (lua_type(L, index) != LUA_TSTRING && lua_type(L, index) != LUA_TNUMBER)
        return NULL;
    lua_pushvalue(L, index); /* lua_tostring would change a number in the table's copy */
    const char *text = lua_tostring(L, -1);
    json_t *value = strpbrk(text, ",\"\n\r#") == NULL && text[0] != '\0' ? json_string(text) : NULL;
    lua_pop(L, 1);
    return value;
}

static void values_json(lua_State *L, int table, const char *name, json_t *values)
{
    lua_Integer n = lua_istable(L, table) ? luaL_len(L, table) : 0;
    if (n < 1 || n > VALUES_MAX)
        luaL_error(L, "experiment: %s wants a list of 1 to %d values", name, VALUES_MAX);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, table, i);
        json_t *value = value_json(L, lua_gettop(L));
        if (value == NULL)
            luaL_error(L, "experiment: value %d of %s is no number, truth or text without commas and quotes", (int)i, name);
        json_array_append_new(values, value);
        lua_pop(L, 1);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_name(const char *text)
{
    size_t n = strlen(text);
    return n > 0 && n < SCRIPT_NAME &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n && (text[0] < '0' || text[0] > '9');
}

/* The names of a table of lists, sorted: the order of columns. They stay alive in the table. */
static unsigned parameter_names(lua_State *L, int table, const char *names[SCRIPT_PARAMETERS])
{
    unsigned n = 0;
    luaL_checktype(L, table, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING || !is_name(lua_tostring(L, -1)) || strcmp(lua_tostring(L, -1), "seed") == 0)
            luaL_error(L, "experiment: a parameter needs a name of letters, digits and _, and it cannot be \"seed\"");
        if (n == SCRIPT_PARAMETERS)
            luaL_error(L, "experiment: at most %d parameters", SCRIPT_PARAMETERS);
        names[n++] = lua_tostring(L, -1);
    }
    qsort(names, n, sizeof(names[0]), compare_names);
    return n;
}

/* On the stack: the list of values of a parameter in this kind of run (quick or not). */
static void push_values(lua_State *L, const char *name, bool quick)
{
    if (quick && lua_getfield(L, 1, "quick") == LUA_TTABLE) {
        if (lua_getfield(L, -1, name) == LUA_TTABLE)
            return;
        lua_pop(L, 1);
    }
    lua_getfield(L, 1, "parameters");
    lua_getfield(L, -1, name);
    if (quick && lua_istable(L, -1)) { /* the first alone */
        lua_rawgeti(L, -1, 1);
        lua_createtable(L, 1, 0);
        lua_insert(L, -2);
        lua_rawseti(L, -2, 1);
    }
}

static void parameters_json(lua_State *L, bool quick, json_t *all)
{
    const char *names[SCRIPT_PARAMETERS];
    lua_getfield(L, 1, "parameters");
    unsigned n = parameter_names(L, lua_gettop(L), names);
    for (unsigned i = 0; i < n; i++) {
        json_t *values = json_array();
        json_array_append_new(all, json_pack("{s:s,s:o}", "name", names[i], "values", values));
        push_values(L, names[i], quick);
        values_json(L, lua_gettop(L), names[i], values);
        lua_settop(L, 2);
    }
    lua_settop(L, 1);
}

static void measures_json(lua_State *L, json_t *all)
{
    size_t i;
    json_t *name;
    lua_getfield(L, 1, "measures");
    values_json(L, 2, "measures", all);
    json_array_foreach(all, i, name)
        if (!is_name(json_string_value(name)) || i >= SCRIPT_MEASURES)
            luaL_error(L, "experiment: at most %d measures, with names of letters, digits and _", SCRIPT_MEASURES);
    lua_settop(L, 1);
}

static json_t *text_json(lua_State *L, int table, const char *field)
{
    const char *text = field_text(L, table, field, NULL);
    return text != NULL ? json_string(text) : json_null();
}

static void where_json(lua_State *L, int table, json_t *where)
{
    if (lua_getfield(L, table, "where") == LUA_TTABLE) {
        int at = lua_gettop(L);
        lua_pushnil(L);
        while (lua_next(L, at) != 0) {
            json_t *value = lua_type(L, -2) == LUA_TSTRING ? value_json(L, lua_gettop(L)) : NULL;
            if (value == NULL)
                luaL_error(L, "experiment: where wants parameter = value");
            json_object_set_new(where, lua_tostring(L, -2), value);
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
}

static void plots_json(lua_State *L, json_t *all)
{
    lua_Integer n = lua_getfield(L, 1, "plots") == LUA_TTABLE ? luaL_len(L, 2) : 0;
    if (n > PLOTS_MAX)
        luaL_error(L, "experiment: at most %d plots", PLOTS_MAX);
    for (lua_Integer i = 1; i <= n; i++) {
        if (lua_rawgeti(L, 2, i) != LUA_TTABLE)
            luaL_error(L, "experiment: a plot is a table { x =, y =, by = }");
        json_t *plot = json_object(), *where = json_object();
        json_array_append_new(all, plot);
        json_object_set_new(plot, "where", where);
        static const char *const texts[] = {"x", "y", "by", "title", "log"};
        for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
            json_object_set_new(plot, texts[k], text_json(L, 3, texts[k]));
        where_json(L, 3, where);
        lua_settop(L, 2);
    }
    lua_settop(L, 1);
}

static void check_fields(lua_State *L)
{
    static const char *const known[] = {"parameters", "repetitions", "measures", "plots", "quick"};
    lua_pushnil(L);
    while (lua_next(L, 1) != 0) {
        lua_pop(L, 1);
        bool is = false;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            is |= lua_type(L, -1) == LUA_TSTRING && strcmp(known[i], lua_tostring(L, -1)) == 0;
        if (!is)
            luaL_error(L, "an experiment has no field \"%s\"", luaL_tolstring(L, -1, NULL));
    }
}

static json_t *part(json_t *o, const char *key)
{
    json_t *list = json_array();
    json_object_set_new(o, key, list);
    return list;
}

static int drop_declaration(lua_State *L)
{
    json_decref(*(json_t **)lua_touserdata(L, 1));
    return 0;
}

/* Every part is hung into the whole before it is filled, and the whole into a userdata: an error leaves nothing behind. */
static json_t *new_declaration(lua_State *L)
{
    json_t **o = lua_newuserdatauv(L, sizeof(*o), 0);
    *o = NULL;
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, drop_declaration);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    *o = json_object();
    lua_setfield(L, LUA_REGISTRYINDEX, "smclab.experiment");
    return *o;
}

static char *declaration(lua_State *L)
{
    uint64_t repetitions = field_number(L, 1, "repetitions", 10);
    if (repetitions < 1 || repetitions > REPETITIONS_MAX)
        luaL_error(L, "experiment: repetitions from 1 to %d", REPETITIONS_MAX);
    json_t *o = new_declaration(L);
    json_object_set_new(o, "repetitions", json_integer((json_int_t)repetitions));
    parameters_json(L, false, part(o, "parameters"));
    parameters_json(L, true, part(o, "quick"));
    measures_json(L, part(o, "measures"));
    plots_json(L, part(o, "plots"));
    return json_dumps(o, JSON_COMPACT);
}

/* Pushes the table of this run's values: a point of the sweep, or (a plain `smclab run`) the first of the quick one. */
static void push_parameters(lua_State *L)
{
    const char *names[SCRIPT_PARAMETERS];
    const struct script_point *point = run_of(L)->options->point;
    lua_newtable(L);
    lua_getfield(L, 1, "parameters");
    unsigned n = parameter_names(L, 3, names);
    if (point != NULL && point->count != n)
        luaL_error(L, "experiment: the parameters are not those that were declared before");
    for (unsigned i = 0; i < n; i++) {
        push_values(L, names[i], point == NULL || point->quick);
        if (lua_rawgeti(L, -1, point != NULL ? (lua_Integer)point->index[i] + 1 : 1) == LUA_TNIL)
            luaL_error(L, "experiment: %s has no such value", names[i]);
        lua_setfield(L, 2, names[i]);
        lua_settop(L, 3);
    }
    lua_settop(L, 2);
}

/* lab.experiment { … } → the parameters of this run */
static int experiment(lua_State *L)
{
    struct run *run = run_of(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (run->result->experiment != NULL)
        return luaL_error(L, "a file has one experiment");
    check_fields(L);
    run->result->experiment = declaration(L);
    if (run->result->experiment == NULL)
        return luaL_error(L, "out of memory");
    if (run->options->experiment_only)
        return luaL_error(L, "%s", script_experiment_text);
    push_parameters(L);
    return 1;
}

/* lab.measure(name, value, unit) */
static int measure(lua_State *L)
{
    struct script_result *r = run_of(L)->result;
    const char *name = luaL_checkstring(L, 1), *unit = luaL_optstring(L, 3, "");
    double value = luaL_checknumber(L, 2);
    if (!is_name(name) || strlen(unit) >= SCRIPT_UNIT || strpbrk(unit, ",\"\n\r#[]") != NULL)
        return luaL_error(L, "measure: a name of letters, digits and _, and a short unit");
    if (!isfinite(value))
        return luaL_error(L, "measure: %s is not finite", name);
    for (unsigned i = 0; i < r->measure_count; i++)
        if (strcmp(r->measures[i].name, name) == 0)
            return luaL_error(L, "measure: %s was told already", name);
    if (r->measure_count == SCRIPT_MEASURES)
        return luaL_error(L, "measure: at most %d", SCRIPT_MEASURES);
    struct script_measure *m = &r->measures[r->measure_count++];
    memcpy(m->name, name, strlen(name) + 1);
    memcpy(m->unit, unit, strlen(unit) + 1);
    m->value = value;
    return 0;
}

void measure_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"costs", costs_of},       {"cpu", cpu_of},           {"app", app_start},   {"app_state", app_state},
                                         {"app_stop", app_stop},    {"measure", measure}, {"experiment", experiment},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}

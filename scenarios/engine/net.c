/* Links, switches and time, for scripts.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"
#include "link_options.h"
#include "target.h"

#include "sim/lab_outside.h"
#include "sim/network.h"

#include <string.h>

#define QUIET_NS (300 * SIM_MS)

/* lab.link(a, b, { … }) → the link's name */
static int add_link(lua_State *L)
{
    struct run *run = run_of(L);
    struct lab_link *link;
    luaL_checktype(L, 3, LUA_TTABLE);
    struct lab_link_config config = {.name = field_text(L, 3, "name", NULL),
                                     .rate_bits = field_rate(L, 3, "rate", 0),
                                     .delay_ns = field_time(L, 3, "delay", 0),
                                     .queue_bytes = (uint32_t)field_size(L, 3, "queue", 0),
                                     .mtu = (uint32_t)field_size(L, 3, "mtu", 0)};
    const char *a = luaL_checkstring(L, 1), *b = luaL_checkstring(L, 2);
    struct link_options options;
    link_options_read(L, 3, &options);
    config.options = options.list;
    config.option_count = options.count;
    check_error(L, lab_add_link(run->lab, a, b, &config, &link));
    if (config.name != NULL)
        lua_pushstring(L, config.name);
    else
        lua_pushfstring(L, "%s--%s", a, b);
    return 1;
}

static int add_switch(lua_State *L)
{
    return check_error(L, lab_add_switch(run_of(L)->lab, luaL_checkstring(L, 1), (unsigned)luaL_optinteger(L, 2, 0)));
}

static int add_box(lua_State *L)
{
    return check_error(L, lab_add_box(run_of(L)->lab, luaL_checkstring(L, 1), luaL_checkstring(L, 2)));
}

/* lab.balance(box, address, { hosts … }) */
static int balance(lua_State *L)
{
    struct run *run = run_of(L);
    struct lab_host *servers[16];
    unsigned n = 0;
    luaL_checktype(L, 3, LUA_TTABLE);
    for (lua_Integer i = 1; lua_rawgeti(L, 3, i) != LUA_TNIL && n < 16; i++) {
        servers[n] = lab_find_host(run->lab, luaL_checkstring(L, -1));
        if (servers[n] == NULL)
            return luaL_error(L, "there is no host \"%s\"", lua_tostring(L, -1));
        n++;
        lua_pop(L, 1);
    }
    return check_error(L, lab_box_balance(run->lab, luaL_checkstring(L, 1), luaL_checkstring(L, 2), servers, n));
}

/* lab.patience() → how much longer everything may take than the script says */
static int patience(lua_State *L)
{
    const struct script_target *target = run_of(L)->options->target;
    lua_pushinteger(L, target != NULL && target->patience > 1 ? target->patience : 1);
    return 1;
}

/* lab.real_time() → is a host of the script real, so that its times are, too? */
static int real_time(lua_State *L)
{
    const struct script_target *target = run_of(L)->options->target;
    lua_pushboolean(L, target != NULL && target->role != NULL);
    return 1;
}

/* lab.wait(time) */
static int wait_time(lua_State *L)
{
    struct run *run = run_of(L);
    run_wait(run, NULL, NULL, run_now(run) + arg_time(L, 1, "wait"));
    return 0;
}

static bool quiet(struct run *run, void *ctx)
{
    uint64_t *deadline = ctx;
    uint64_t next = lab_next_ns(run->lab), now = run_now(run);
    if (lab_outside_name(run->lab) != NULL) /* nobody knows what is under way outside */
        return now >= *deadline || (now > run->frame_ns + QUIET_NS && next > now + QUIET_NS);
    return now >= *deadline || next == SIM_NEVER || next > now + 2 * SIM_S;
}

static int wait_quiet(lua_State *L)
{
    struct run *run = run_of(L);
    uint64_t deadline = run_now(run) + 60 * SIM_S;
    run_wait(run, quiet, &deadline, deadline);
    return 0;
}

static int now(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)run_now(run_of(L)));
    return 1;
}

/* lab.time(text) → nanoseconds; lab.size(text) → bytes; lab.share(text) → per million */
static int time_of(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)arg_time(L, 1, "time"));
    return 1;
}

static int size_of(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)arg_size(L, 1, "size"));
    return 1;
}

static int share_of(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)arg_share(L, 1, "share"));
    return 1;
}

/* lab.random(n) → 1 … n */
static int draw(lua_State *L)
{
    struct sim_random *r = lua_touserdata(L, lua_upvalueindex(1));
    lua_Integer n = luaL_checkinteger(L, 1);
    luaL_argcheck(L, n >= 1, 1, "1 or more is wanted");
    lua_pushinteger(L, (lua_Integer)sim_random_below(r, (uint64_t)n) + 1);
    return 1;
}

void net_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"link", add_link}, {"switch", add_switch}, {"box", add_box}, {"balance", balance}, {"wait", wait_time}, {"wait_quiet", wait_quiet},
                                         {"now", now}, {"patience", patience}, {"real_time", real_time}, {"time", time_of},      {"size", size_of},   {"share", share_of},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    struct sim_random *r = lua_newuserdatauv(L, sizeof(*r), 0);
    sim_random_init(r, run_of(L)->options->seed, "script");
    lua_pushcclosure(L, draw, 1);
    lua_setfield(L, -2, "random");
}

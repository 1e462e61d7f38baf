/* The sandbox: what a script may use, how much memory and how many steps; nothing in it depends on the machine.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include <lualib.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_LIMIT = 256 << 20, STEPS_PER_HOOK = 10000 };
static const uint64_t step_limit = UINT64_C(400) * 1000 * 1000;

struct run *run_of(lua_State *L)
{
    struct run *run;
    memcpy(&run, lua_getextraspace(L), sizeof(run));
    return run;
}

static void *allocate(void *user, void *block, size_t old_size, size_t new_size)
{
    struct run *run = user;
    if (block == NULL)
        old_size = 0; /* then it is a kind of object, not a size */
    if (new_size == 0) {
        run->lua_bytes -= old_size;
        free(block);
        return NULL;
    }
    if (new_size > old_size && run->lua_bytes + (new_size - old_size) > MEMORY_LIMIT)
        return NULL;
    void *grown = realloc(block, new_size);
    if (grown != NULL)
        run->lua_bytes = run->lua_bytes - old_size + new_size;
    return grown;
}

static void count_steps(lua_State *L, lua_Debug *ar)
{
    struct run *run = run_of(L);
    (void)ar;
    run->steps += STEPS_PER_HOOK;
    if (run->steps > step_limit)
        luaL_error(L, "the script has run for too many steps: an endless loop?");
}

/* ---- pairs in an order that is the same in every run: numbers ascending, then texts by their bytes ---- */
static int before(lua_State *L)
{
    int a = lua_type(L, 1), b = lua_type(L, 2);
    if (a != b)
        lua_pushboolean(L, a == LUA_TNUMBER);
    else if (a == LUA_TNUMBER)
        lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
    else
        lua_pushboolean(L, strcmp(lua_tostring(L, 1), lua_tostring(L, 2)) < 0);
    return 1;
}

static int step(lua_State *L)
{
    /* upvalues: table, sorted keys, position */
    for (;;) {
        lua_Integer i = lua_tointeger(L, lua_upvalueindex(3)) + 1;
        lua_pushinteger(L, i);
        lua_replace(L, lua_upvalueindex(3));
        if (lua_rawgeti(L, lua_upvalueindex(2), i) == LUA_TNIL)
            return 1;
        lua_pushvalue(L, -1);
        if (lua_gettable(L, lua_upvalueindex(1)) != LUA_TNIL)
            return 2;
        lua_pop(L, 2); /* removed meanwhile */
    }
}

static int ordered_pairs(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_newtable(L);
    lua_Integer n = 0;
    lua_pushnil(L);
    while (lua_next(L, 1) != 0) {
        lua_pop(L, 1);
        int type = lua_type(L, -1);
        if (type != LUA_TNUMBER && type != LUA_TSTRING)
            return luaL_error(L, "pairs: a key is a %s; only numbers and texts have an order", lua_typename(L, type));
        lua_pushvalue(L, -1);
        lua_rawseti(L, 2, ++n);
    }
    lua_getglobal(L, "table");
    lua_getfield(L, -1, "sort");
    lua_pushvalue(L, 2);
    lua_pushcfunction(L, before);
    lua_call(L, 2, 0);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, step, 3);
    return 1;
}

static void forbid(lua_State *L, const char *const *names)
{
    for (; *names != NULL; names++) {
        lua_pushnil(L);
        lua_setglobal(L, *names);
    }
}

static void forbid_field(lua_State *L, const char *table, const char *field)
{
    lua_getglobal(L, table);
    lua_pushnil(L);
    lua_setfield(L, -2, field);
    lua_pop(L, 1);
}

static int open_libraries(lua_State *L)
{
    /* tostring of a table would show an address; `collectgarbage` would tell of memory. */
    static const char *const forbidden[] = {"dofile", "loadfile", "load", "collectgarbage", "print", "next", "warn", "rawequal", NULL};
    luaL_requiref(L, "_G", luaopen_base, 1);
    luaL_requiref(L, "table", luaopen_table, 1);
    luaL_requiref(L, "string", luaopen_string, 1);
    luaL_requiref(L, "math", luaopen_math, 1);
    forbid(L, forbidden);
    forbid_field(L, "math", "random");
    forbid_field(L, "math", "randomseed");
    forbid_field(L, "string", "dump");
    lua_pushcfunction(L, ordered_pairs);
    lua_setglobal(L, "pairs");
    return 0;
}

lua_State *sandbox_new(struct run *run)
{
    lua_State *L = lua_newstate(allocate, run);
    if (L == NULL)
        return NULL;
    memcpy(lua_getextraspace(L), &run, sizeof(run));
    lua_pushcfunction(L, open_libraries);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
        lua_close(L);
        return NULL;
    }
    lua_sethook(L, count_steps, LUA_MASKCOUNT, STEPS_PER_HOOK);
    return L;
}

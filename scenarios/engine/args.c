/* A script's values: times, sizes, rates, shares with their units; fields of tables.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit times[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {"min", 60000000000u}, {NULL, 0}};
static const struct unit sizes[] = {{"", 1},         {"B", 1},          {"KiB", 1024},          {"K", 1024},
                                    {"MiB", 1 << 20}, {"M", 1 << 20}, {"GiB", 1ull << 30}, {NULL, 0}};
static const struct unit rates[] = {{"bit/s", 1}, {"kbit/s", 1000}, {"Mbit/s", 1000000}, {"Gbit/s", 1000000000}, {NULL, 0}};
static const struct unit speeds[] = {{"B/s", 1}, {"kB/s", 1000}, {"MB/s", 1000000}, {"GB/s", 1000000000}, {NULL, 0}};
static const struct unit shares[] = {{"ppm", 1}, {"%", 10000}, {NULL, 0}};

/* "1.5 ms" in units of the list; decimals are exact, nothing is rounded up. False: not of that form. */
static bool parse(const char *text, const struct unit *units, uint64_t *out)
{
    uint64_t whole = 0, part = 0, scale = 1;
    const char *p = text;
    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (whole > UINT64_MAX / 100)
            return false;
        whole = whole * 10 + (uint64_t)(*p - '0');
    }
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9' && scale < 1000000000; p++, scale *= 10)
            part = part * 10 + (uint64_t)(*p - '0');
    while (*p == ' ')
        p++;
    for (; units->name != NULL; units++) {
        if (strcmp(p, units->name) != 0)
            continue;
        if (whole > UINT64_MAX / units->factor / 4 || part > UINT64_MAX / units->factor)
            return false;
        *out = whole * units->factor + part * units->factor / scale;
        return true;
    }
    return false;
}

int script_parse_time(const char *text, uint64_t *ns)
{
    static const struct unit none[] = {{"", 1}, {NULL, 0}};
    return parse(text, times, ns) || parse(text, none, ns) ? 0 : -1;
}

static uint64_t value_of(lua_State *L, int index, const char *what, const struct unit *units, const char *example)
{
    uint64_t value;
    if (lua_isinteger(L, index) && lua_tointeger(L, index) >= 0)
        return (uint64_t)lua_tointeger(L, index);
    if (lua_type(L, index) == LUA_TSTRING && parse(lua_tostring(L, index), units, &value))
        return value;
    return (uint64_t)luaL_error(L, "%s: \"%s\" is not like %s", what, luaL_tolstring(L, index, NULL), example);
}

uint64_t arg_time(lua_State *L, int index, const char *what)
{
    return value_of(L, index, what, times, "\"250 ms\", \"1.5 s\", or a number of nanoseconds");
}

uint64_t arg_size(lua_State *L, int index, const char *what)
{
    return value_of(L, index, what, sizes, "\"64 KiB\", or a number of bytes");
}

uint64_t arg_rate(lua_State *L, int index, const char *what)
{
    return value_of(L, index, what, rates, "\"10 Gbit/s\", or a number of bits per second");
}

static uint64_t arg_speed(lua_State *L, int index, const char *what)
{
    return value_of(L, index, what, speeds, "\"10 GB/s\", or a number of bytes per second");
}

uint32_t arg_share(lua_State *L, int index, const char *what)
{
    uint64_t value = value_of(L, index, what, shares, "\"1 %\", \"300 ppm\", or a number per million");
    return value <= 1000000 ? (uint32_t)value : (uint32_t)luaL_error(L, "%s: more than all of them", what);
}

bool field_bool(lua_State *L, int table, const char *name, bool otherwise)
{
    bool value = lua_getfield(L, table, name) == LUA_TNIL ? otherwise : lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/* The text stays in the table, and so alive. */
const char *field_text(lua_State *L, int table, const char *name, const char *otherwise)
{
    int type = lua_getfield(L, table, name);
    if (type != LUA_TNIL && type != LUA_TSTRING)
        luaL_error(L, "%s: a text is wanted, not a %s", name, lua_typename(L, type));
    const char *value = type == LUA_TNIL ? otherwise : lua_tostring(L, -1);
    lua_pop(L, 1);
    return value;
}

typedef uint64_t value_fn(lua_State *L, int index, const char *what);

static uint64_t field_value(lua_State *L, int table, const char *name, uint64_t otherwise, value_fn *get)
{
    uint64_t value = lua_getfield(L, table, name) == LUA_TNIL ? otherwise : get(L, -1, name);
    lua_pop(L, 1);
    return value;
}

uint64_t field_time(lua_State *L, int table, const char *name, uint64_t otherwise)
{
    return field_value(L, table, name, otherwise, arg_time);
}

uint64_t field_size(lua_State *L, int table, const char *name, uint64_t otherwise)
{
    return field_value(L, table, name, otherwise, arg_size);
}

uint64_t field_rate(lua_State *L, int table, const char *name, uint64_t otherwise)
{
    return field_value(L, table, name, otherwise, arg_rate);
}

uint64_t field_speed(lua_State *L, int table, const char *name, uint64_t otherwise)
{
    return field_value(L, table, name, otherwise, arg_speed);
}

static uint64_t arg_number(lua_State *L, int index, const char *what)
{
    if (!lua_isinteger(L, index))
        luaL_error(L, "%s: a whole number is wanted, not %s", what, luaL_tolstring(L, index, NULL));
    return (uint64_t)lua_tointeger(L, index);
}

uint64_t field_number(lua_State *L, int table, const char *name, uint64_t otherwise)
{
    return field_value(L, table, name, otherwise, arg_number);
}

int check_error(lua_State *L, int error)
{
    if (error == 0)
        return 0;
    const char *problem = lab_problem(run_of(L)->lab);
    return luaL_error(L, "%s", problem[0] != '\0' ? problem : smc_error_text(error));
}

/* The options of a link for whoever carries it (ns-3): a table of a script as pairs of texts.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "link_options.h"

#include <stdio.h>

/* The value on top of the stack, which stays. */
static void put_option(lua_State *L, struct link_options *o, const char *prefix, const char *name)
{
    if (o->count == LINK_OPTIONS)
        luaL_error(L, "ns3: more than %d options", LINK_OPTIONS);
    char *key = o->text[o->count][0], *value = o->text[o->count][1];
    int type = lua_type(L, -1), long_key = snprintf(key, OPTION_TEXT, "%s%s", prefix, name), long_value = 0;
    if (type == LUA_TBOOLEAN)
        long_value = snprintf(value, OPTION_TEXT, "%s", lua_toboolean(L, -1) ? "true" : "false");
    else if (type == LUA_TSTRING || type == LUA_TNUMBER)
        long_value = snprintf(value, OPTION_TEXT, "%s", luaL_tolstring(L, -1, NULL));
    else
        luaL_error(L, "ns3: %s is a text, a number or a boolean, not a %s", key, lua_typename(L, type));
    if (type != LUA_TBOOLEAN)
        lua_pop(L, 1);
    if (long_key >= OPTION_TEXT || long_value >= OPTION_TEXT)
        luaL_error(L, "ns3: %s is too long", key);
    o->list[o->count++] = (struct net_option){key, value};
}

/* { queue = "ns3::RedQueueDisc", UseEcn = true, error = { "ns3::RateErrorModel", ErrorRate = 0.01 } } at `table`: what is nested
 * becomes "error" and "error.ErrorRate". */
static void read_options(lua_State *L, int table, struct link_options *o, const char *outer)
{
    char prefix[OPTION_TEXT] = "";
    luaL_checktype(L, table, LUA_TTABLE);
    if (outer != NULL)
        snprintf(prefix, sizeof(prefix), "%s.", outer);
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING && lua_type(L, -1) == LUA_TTABLE && outer == NULL)
            read_options(L, lua_gettop(L), o, lua_tostring(L, -2));
        else if (lua_type(L, -2) == LUA_TSTRING)
            put_option(L, o, prefix, lua_tostring(L, -2));
        else if (outer != NULL)
            put_option(L, o, "", outer);
        else
            luaL_error(L, "ns3: options have names");
    }
}

void link_options_read(lua_State *L, int table, struct link_options *o)
{
    o->count = 0;
    if (lua_getfield(L, table, "ns3") != LUA_TNIL)
        read_options(L, lua_gettop(L), o, NULL);
    lua_pop(L, 1);
}

/* Looking into a host: groups, links, counters. For scripts.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "sim/lab_outside.h"

static struct smc_endpoint *endpoint_at(lua_State *L, int index)
{
    struct lab_host *host = lab_find_host(run_of(L)->lab, luaL_checkstring(L, index));
    if (host != NULL)
        check_error(L, lab_inside_only(host, "it has no counters of ours"));
    struct smc_endpoint *ep = host != NULL ? lab_host_endpoint(host) : NULL;
    if (ep == NULL)
        luaL_error(L, "there is no host \"%s\" with SMC", lua_tostring(L, index));
    return ep;
}

static void set_number(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void push_link(lua_State *L, const struct smc_link_info *l)
{
    static const char *const states[] = {"UNUSED", "ACTIVATING", "ACTIVE", "INACTIVE"};
    lua_newtable(L);
    set_number(L, "number", l->number);
    set_text(L, "state", states[l->state & 3]);
    set_text(L, "device", l->device);
    set_number(L, "port", l->port);
    set_number(L, "qpn", l->qp_number);
    set_number(L, "peer_qpn", l->peer_qp_number);
    set_number(L, "connections", l->connections);
    lua_pushboolean(L, l->asymmetric);
    lua_setfield(L, -2, "asymmetric");
}

static bool get_group(lua_State *L, unsigned index, struct smc_group_info *out)
{
    struct lab_host *host = lab_find_host(run_of(L)->lab, luaL_checkstring(L, 1));
    if (host == NULL || !lab_host_is_outside(host))
        return smc_endpoint_get_group(endpoint_at(L, 1), index, out);
    int result = lab_outside_group(host, index, out);
    if (result < 0)
        check_error(L, result);
    return result > 0;
}

/* lab.group(host, i) → table, i from 1; nil */
static int group(lua_State *L)
{
    static const char *const types[] = {"NONE", "SINGLE", "SYMMETRIC", "ASYMMETRIC_PEER", "ASYMMETRIC_LOCAL"};
    struct smc_group_info g;
    lua_Integer i = luaL_checkinteger(L, 2);
    if (i < 1 || !get_group(L, (unsigned)i - 1, &g))
        return 0;
    lua_newtable(L);
    set_number(L, "id", g.id);
    set_text(L, "role", g.client ? "client" : "server");
    set_text(L, "path", g.smc_d ? "D" : "R");
    set_text(L, "type", g.smc_d ? "NONE" : types[g.type % 5]);
    set_text(L, "flow", g.flow);
    set_number(L, "version", g.version);
    set_number(L, "release", g.release);
    set_number(L, "connections", g.connections);
    set_number(L, "max_conns", g.max_conns);
    set_number(L, "max_links", g.max_links);
    set_number(L, "rmbs", g.rmbs);
    set_number(L, "rtokens", g.rtokens);
    lua_newtable(L);
    for (unsigned n = 0; n < g.link_count; n++) {
        push_link(L, &g.links[n]);
        lua_rawseti(L, -2, n + 1);
    }
    lua_setfield(L, -2, "links");
    return 1;
}

static int group_count(lua_State *L)
{
    struct smc_group_info g;
    unsigned n = 0;
    while (get_group(L, n, &g))
        n++;
    lua_pushinteger(L, n);
    return 1;
}

/* lab.delete_link(host, number, i, orderly): of the host's i-th group */
static int delete_link(lua_State *L)
{
    struct lab_host *host = lab_find_host(run_of(L)->lab, luaL_checkstring(L, 1));
    lua_Integer number = luaL_checkinteger(L, 2), i = luaL_checkinteger(L, 3);
    struct smc_group_info g;
    if (host != NULL)
        check_error(L, lab_inside_only(host, "its links cannot be deleted"));
    if (number < 1 || number > 255 || i < 1 || !smc_endpoint_get_group(endpoint_at(L, 1), (unsigned)i - 1, &g))
        return luaL_error(L, "%s has no link %d in group %d", lua_tostring(L, 1), (int)number, (int)i);
    return check_error(L, lab_host_delete_link(host, g.id, (uint8_t)number, lua_toboolean(L, 4)));
}

static void push_path(lua_State *L, const char *name, const struct smc_path_counters *p)
{
    lua_newtable(L);
#define ONE(field) set_number(L, #field, p->field);
    ONE(connections_v1) ONE(connections_v2) ONE(rx_bytes) ONE(tx_bytes) ONE(rx_requests) ONE(tx_requests)
    ONE(rx_buffer_small) ONE(rx_buffer_small_peer) ONE(rx_buffer_full) ONE(rx_buffer_reuse) ONE(rx_buffer_alloc)
    ONE(rx_buffer_downgraded) ONE(tx_buffer_small) ONE(tx_buffer_small_peer) ONE(tx_buffer_full) ONE(tx_buffer_full_peer)
    ONE(tx_buffer_reuse) ONE(tx_buffer_alloc) ONE(tx_buffer_downgraded) ONE(urgent_sent) ONE(urgent_received) ONE(cork) ONE(nodelay)
#undef ONE
    lua_setfield(L, -2, name);
}

/* lab.counters(host) → table */
static int counters(lua_State *L)
{
    const struct smc_counters *c = smc_endpoint_counters(endpoint_at(L, 1));
    lua_newtable(L);
    push_path(L, "r", &c->r);
    push_path(L, "d", &c->d);
#define ONE(field) set_number(L, #field, c->field);
    ONE(client_handshakes) ONE(server_handshakes) ONE(client_fallbacks) ONE(server_fallbacks) ONE(handshake_errors) ONE(llc_dropped)
    ONE(cdc_sent) ONE(cdc_received) ONE(cdc_dropped) ONE(links_added) ONE(links_lost) ONE(groups_created) ONE(groups_freed)
    ONE(failovers)
#undef ONE
    return 1;
}

void info_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"group", group}, {"group_count", group_count}, {"counters", counters},
                                         {"delete_link", delete_link}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}

/* Flow control, ECN, DCQCN and several ways through switches: settings and counters, for scripts.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "devices/roce.h"
#include "sim/network.h"
#include "sim/pfc.h"

#include <string.h>

/* ---- tables with known fields only ---- */
static void check_fields(lua_State *L, int table, const char *what, const char *const *known)
{
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pop(L, 1);
        const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "1";
        unsigned i = 0;
        while (known[i] != NULL && strcmp(known[i], name) != 0)
            i++;
        if (known[i] == NULL)
            luaL_error(L, "%s has no field \"%s\"", what, name);
    }
}

/* Pushes the field: a table with known fields, where `true` stands for an empty one. False (and nothing is pushed): it is not
 * there, or `false`. */
static bool push_table(lua_State *L, int table, const char *name, const char *const *known)
{
    int type = lua_getfield(L, table, name);
    if (type == LUA_TNIL || (type == LUA_TBOOLEAN && !lua_toboolean(L, -1))) {
        lua_pop(L, 1);
        return false;
    }
    if (type == LUA_TBOOLEAN) {
        lua_pop(L, 1);
        lua_newtable(L);
    } else if (type != LUA_TTABLE) {
        luaL_error(L, "%s: true, false or a table is wanted", name);
    }
    check_fields(L, lua_gettop(L), name, known);
    return true;
}

static uint32_t field_u32(lua_State *L, int table, const char *name, uint64_t otherwise)
{
    uint64_t value = field_size(L, table, name, otherwise);
    return value <= UINT32_MAX ? (uint32_t)value : (uint32_t)luaL_error(L, "%s: too large", name);
}

static uint32_t field_up_to(lua_State *L, int table, const char *name, uint32_t most)
{
    uint64_t value = field_number(L, table, name, 0);
    return value <= most ? (uint32_t)value : (uint32_t)luaL_error(L, "%s: 0 to %d", name, (int)most);
}

/* ---- flow control and marks ---- */
static bool trusts_pcp(lua_State *L, int table)
{
    const char *trust = field_text(L, table, "trust", "dscp");
    if (strcmp(trust, "dscp") != 0 && strcmp(trust, "pcp") != 0)
        luaL_error(L, "trust: \"dscp\" or \"pcp\"");
    return strcmp(trust, "pcp") == 0;
}

static uint8_t lossless_at(lua_State *L, int table)
{
    uint8_t set = 0;
    if (lua_getfield(L, table, "lossless") == LUA_TNIL) {
        lua_pop(L, 1);
        return 1 << 3;
    }
    luaL_checktype(L, -1, LUA_TTABLE);
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
        lua_Integer priority = luaL_checkinteger(L, -1);
        if (priority < 0 || priority > 7)
            luaL_error(L, "lossless: a list of priorities, 0 to 7");
        set |= (uint8_t)(1u << priority);
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    return set;
}

static bool pfc_at(lua_State *L, int table, struct pfc_config *c)
{
    static const char *const known[] = {"lossless", "xoff", "xon", "headroom", "trust", "quanta", NULL};
    if (!push_table(L, table, "pfc", known))
        return false;
    int t = lua_gettop(L);
    *c = (struct pfc_config){.lossless = lossless_at(L, t),
                             .trust = trusts_pcp(L, t) ? PFC_TRUST_PCP : PFC_TRUST_DSCP,
                             .xoff_bytes = field_u32(L, t, "xoff", 64 << 10),
                             .headroom_bytes = field_u32(L, t, "headroom", 64 << 10),
                             .quanta = (uint16_t)field_up_to(L, t, "quanta", UINT16_MAX)};
    c->xon_bytes = field_u32(L, t, "xon", c->xoff_bytes / 4 * 3);
    lua_pop(L, 1);
    return true;
}

/* K_min, K_max, P_max as in the DCQCN paper, section 6. */
static bool ecn_at(lua_State *L, int table, struct ecn_config *c)
{
    static const char *const known[] = {"min", "max", "share", NULL};
    if (!push_table(L, table, "ecn", known))
        return false;
    int t = lua_gettop(L);
    *c = (struct ecn_config){.min_bytes = field_u32(L, t, "min", 5000), .max_bytes = field_u32(L, t, "max", 200000)};
    c->max_per_million = lua_getfield(L, t, "share") != LUA_TNIL ? arg_share(L, -1, "share") : 10000;
    lua_pop(L, 2);
    return true;
}

/* lab.switch_flow(switch, { pfc =, ecn = }) */
static int switch_flow(lua_State *L)
{
    struct pfc_config pfc;
    struct ecn_config ecn;
    luaL_checktype(L, 2, LUA_TTABLE);
    bool has_pfc = pfc_at(L, 2, &pfc), has_ecn = ecn_at(L, 2, &ecn);
    return check_error(L, lab_switch_flow(run_of(L)->lab, luaL_checkstring(L, 1), has_pfc ? &pfc : NULL, has_ecn ? &ecn : NULL));
}

/* lab.switch_group(switch, link, group); lab.switch_station(switch, interface, link) */
static int switch_group(lua_State *L)
{
    return check_error(L, lab_switch_group(run_of(L)->lab, luaL_checkstring(L, 1), luaL_checkstring(L, 2),
                                           (unsigned)luaL_checkinteger(L, 3)));
}

static int switch_station(lua_State *L)
{
    return check_error(L, lab_switch_station(run_of(L)->lab, luaL_checkstring(L, 1), luaL_checkstring(L, 2), luaL_checkstring(L, 3)));
}

/* ---- DCQCN ---- */

/* "1/256" of ONE. */
static uint32_t gain_at(lua_State *L, int table)
{
    const char *text = field_text(L, table, "g", NULL);
    uint64_t parts[2] = {0, 0};
    unsigned n = 0;
    if (text == NULL)
        return 0;
    for (const char *p = text; n < 2 && parts[n] < 1000000; p++) {
        if (*p >= '0' && *p <= '9')
            parts[n] = parts[n] * 10 + (uint64_t)(*p - '0');
        else if (*p == '/' && n == 0)
            n = 1;
        else
            n = *p == '\0' && n == 1 ? 2 : 3;
    }
    if (n != 2 || parts[0] == 0 || parts[0] > parts[1])
        return (uint32_t)luaL_error(L, "g: \"%s\" is not like \"1/256\"", text);
    return (uint32_t)(parts[0] * ROCE_DCQCN_ONE / parts[1]);
}

static bool dcqcn_at(lua_State *L, int table, struct roce_dcqcn *d)
{
    static const char *const known[] = {"line_rate", "g", "K", "T", "B", "F", "R_AI", "R_HAI", "R_MIN", "N", "cnp_dscp", NULL};
    if (!push_table(L, table, "dcqcn", known))
        return false;
    int t = lua_gettop(L);
    *d = (struct roce_dcqcn){.line_rate = field_rate(L, t, "line_rate", 0),
                             .g = gain_at(L, t),
                             .K_ns = field_time(L, t, "K", 0),
                             .T_ns = field_time(L, t, "T", 0),
                             .B_bytes = field_size(L, t, "B", 0),
                             .F = field_up_to(L, t, "F", 1000),
                             .R_AI = field_rate(L, t, "R_AI", 0),
                             .R_HAI = field_rate(L, t, "R_HAI", 0),
                             .R_MIN = field_rate(L, t, "R_MIN", 0),
                             .N_ns = field_time(L, t, "N", 0),
                             .cnp_dscp = (uint8_t)field_up_to(L, t, "cnp_dscp", 63)};
    lua_pop(L, 1);
    struct roce_dcqcn complete = *d;
    if (!roce_dcqcn_complete(&complete))
        luaL_error(L, "dcqcn: a value is out of range (devices/roce_dcqcn.h)");
    return true;
}

void congestion_interface(lua_State *L, int table, struct lab_interface_config *c, struct roce_dcqcn *dcqcn)
{
    static const char *const known[] = {"trust", NULL};
    c->dscp = (uint8_t)field_up_to(L, table, "dscp", 63);
    c->priority = (uint8_t)field_up_to(L, table, "priority", 7);
    c->dcqcn = dcqcn_at(L, table, dcqcn) ? dcqcn : NULL;
    if (!push_table(L, table, "pfc", known))
        return;
    c->flow_control = true;
    c->trust_pcp = trusts_pcp(L, lua_gettop(L));
    lua_pop(L, 1);
}

/* ---- counters ---- */
static void set_number(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

#define PORT_COUNTERS(X)                                                                                                  \
    X(sent) X(sent_bytes) X(received) X(received_bytes) X(refused) X(queue_drops) X(too_long) X(fault_drops) X(link_drops) \
    X(fcs_errors) X(filtered) X(no_memory) X(ecn_marked) X(pause_sent) X(pause_received)

static void push_stats(lua_State *L, const struct net_stats *s, uint64_t queued)
{
    lua_newtable(L);
#define ONE(field) set_number(L, #field, s->field);
    PORT_COUNTERS(ONE)
#undef ONE
    set_number(L, "queued_peak", s->queued_peak);
    set_number(L, "queued", queued);
}

/* lab.port_counters(link, owner) → table: of the end that belongs to a host, an interface or a switch */
static int port_counters(lua_State *L)
{
    struct lab_link *link = lab_find_link(run_of(L)->lab, luaL_checkstring(L, 1));
    const struct port *port = link != NULL ? lab_link_port(link, luaL_checkstring(L, 2)) : NULL;
    if (port == NULL)
        return luaL_error(L, "\"%s\" is at neither end of the link \"%s\"", lua_tostring(L, 2), lua_tostring(L, 1));
    push_stats(L, net_port_stats(port), net_port_queued(port));
    return 1;
}

/* lab.switch_counters(switch) → table: the sums over its ports, the highest peak of one */
static int switch_counters(lua_State *L)
{
    struct lab *lab = run_of(L)->lab;
    const char *name = luaL_checkstring(L, 1);
    struct net_stats sum = {0};
    uint64_t queued = 0;
    const struct port *port;
    unsigned i = 0;
    for (; (port = lab_switch_port(lab, name, i)) != NULL; i++) {
        const struct net_stats *s = net_port_stats(port);
#define ONE(field) sum.field += s->field;
        PORT_COUNTERS(ONE)
#undef ONE
        if (s->queued_peak > sum.queued_peak)
            sum.queued_peak = s->queued_peak;
        queued += net_port_queued(port);
    }
    if (i == 0)
        return luaL_error(L, "there is no switch \"%s\"", name);
    push_stats(L, &sum, queued);
    return 1;
}

static void push_flow(lua_State *L, const struct roce_flow *f)
{
    lua_newtable(L);
    set_number(L, "qpn", f->qp_number);
    set_number(L, "remote_qpn", f->remote_qp_number);
    set_number(L, "R_C", f->rp.R_C);
    set_number(L, "R_T", f->rp.R_T);
    set_number(L, "alpha", (uint64_t)f->rp.alpha * 1000000 / ROCE_DCQCN_ONE); /* per million */
    set_number(L, "byte_stage", f->rp.byte_stage);
    set_number(L, "time_stage", f->rp.time_stage);
}

/* lab.roce(host, interface) → table: counters of the RoCE NIC, and its flows */
static int roce_counters_of(lua_State *L)
{
    struct run *run = run_of(L);
    struct lab_host *host = lab_find_host(run->lab, luaL_checkstring(L, 1));
    struct lab_interface *interface = host != NULL ? lab_host_interface(host, luaL_checkstring(L, 2)) : NULL;
    const struct roce *roce = interface != NULL ? lab_interface_roce(interface) : NULL;
    struct roce_dcqcn params;
    struct roce_flow flow;
    if (roce == NULL)
        return luaL_error(L, "%s.%s is no interface with a RoCE device", lua_tostring(L, 1), lua_tostring(L, 2));
    const struct roce_counters *c = roce_counters(roce);
    lua_newtable(L);
#define ONE(field) set_number(L, #field, c->field);
    ONE(packets_sent) ONE(bytes_sent) ONE(packets_received) ONE(bytes_received) ONE(payload_sent) ONE(payload_placed)
    ONE(retransmissions) ONE(timeouts) ONE(acks_sent) ONE(acks_received) ONE(sequence_naks_sent) ONE(sequence_naks_received)
    ONE(rnr_naks_sent) ONE(rnr_naks_received) ONE(duplicates) ONE(out_of_sequence) ONE(ce_received) ONE(cnps_sent)
    ONE(cnps_received) ONE(port_refusals) ONE(lost_no_link) ONE(qp_errors)
#undef ONE
    if (roce_dcqcn_params(roce, &params))
        set_number(L, "line_rate", params.line_rate);
    lua_newtable(L);
    for (unsigned i = 0; roce_get_flow(roce, i, run_now(run), &flow); i++) {
        push_flow(L, &flow);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "flows");
    return 1;
}

void congestion_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"switch_flow", switch_flow},         {"switch_group", switch_group},
                                         {"switch_station", switch_station},   {"switch_counters", switch_counters},
                                         {"port_counters", port_counters},     {"roce", roce_counters_of},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}

/* Hosts, interfaces and devices, for scripts.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"
#include "target.h"

#include "devices/roce_dcqcn.h"

#include "sim/cpu.h"

#include <string.h>

static struct lab_host *host_at(lua_State *L, int index)
{
    const char *name = luaL_checkstring(L, index);
    struct lab_host *host = lab_find_host(run_of(L)->lab, name);
    if (host == NULL)
        luaL_error(L, "there is no host \"%s\"", name);
    return host;
}

/* ---- profiles: a name, or { "name", field = value … } ---- */
#define FLAGS(X)                                                                                                             \
    X(rmbe_eyecatcher) X(proposal_smcd_area) X(proposal_always_v2) X(subnet_number) X(confirm_repeats_f) X(v2_little_endian) \
    X(add_link_target_own) X(alert_tokens_count) X(require_no_eyecatcher) X(window_update_linux) X(urgent_blocks_window)    \
    X(confirm_link_decline) X(first_link_is_enough) X(rkey_in_parallel) X(abort_closes_at_once) X(failover_resends)         \
    X(option_even_lengths) X(llc_errors_dropped) X(carrier_survives) X(lost_link_orderly) X(client_frees_at_once)          \
    X(test_link_zero) X(delete_rkey_single)
#define NUMBERS(X) X(rmbes_per_rmb) X(max_links) X(max_conns)
#define TIMES(X)                                                                                                              \
    X(clc_timeout_ns) X(clc_decline_timeout_ns) X(confirm_link_timeout_ns) X(add_link_timeout_ns) X(later_link_timeout_ns)   \
    X(llc_timeout_ns) X(llc_turn_timeout_ns) X(send_slot_timeout_ns) X(request_add_link_timeout_ns) X(test_link_idle_ns)     \
    X(test_link_reply_ns) X(group_idle_server_ns) X(group_idle_client_ns) X(close_drain_ns) X(close_guard_ns)                \
    X(second_link_retry_ns) X(cork_ns)

static void override(lua_State *L, int table, struct smc_profile *p)
{
#define FLAG(name) p->name = field_bool(L, table, #name, p->name);
#define NUMBER(name) p->name = (uint8_t)field_number(L, table, #name, p->name);
#define TIME(name) p->name = field_time(L, table, #name, p->name);
    FLAGS(FLAG) NUMBERS(NUMBER) TIMES(TIME)
#undef FLAG
#undef NUMBER
#undef TIME
}

static bool known_field(const char *name)
{
#define NAME(field) #field,
    static const char *const names[] = {FLAGS(NAME) NUMBERS(NAME) TIMES(NAME)};
#undef NAME
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void named_profile(lua_State *L, const char *name, struct smc_profile *out)
{
    if (strcmp(name, "linux") == 0)
        *out = smc_profile_linux;
    else if (strcmp(name, "rfc") == 0)
        *out = smc_profile_rfc;
    else
        luaL_error(L, "there is no profile \"%s\": linux, rfc", name);
}

static void profile_at(lua_State *L, int index, struct smc_profile *out)
{
    if (lua_type(L, index) == LUA_TSTRING) {
        named_profile(L, lua_tostring(L, index), out);
        return;
    }
    luaL_checktype(L, index, LUA_TTABLE);
    lua_rawgeti(L, index, 1);
    named_profile(L, luaL_optstring(L, -1, "linux"), out);
    lua_pop(L, 1);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING && !known_field(lua_tostring(L, -1)))
            luaL_error(L, "a profile has no field \"%s\" (struct smc_profile)", lua_tostring(L, -1));
    }
    override(L, index, out);
}

/* ---- hosts ---- */
enum { PATIENT_ACK_TIMEOUT = 17 }; /* 0.54 s, eight times */

static bool list_has(lua_State *L, int table, const char *field, const char *text, lua_Integer number)
{
    bool found = false;
    if (lua_getfield(L, table, field) == LUA_TTABLE) {
        for (lua_Integer i = 1; !found && lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
            found = text != NULL ? lua_isstring(L, -1) && strcmp(lua_tostring(L, -1), text) == 0
                                 : lua_isinteger(L, -1) && lua_tointeger(L, -1) == number;
            lua_pop(L, 1);
        }
    }
    lua_settop(L, 2);
    return found;
}

static void read_ueids(lua_State *L, struct lab_host_config *c)
{
    if (lua_getfield(L, 2, "ueids") == LUA_TTABLE) {
        lua_Integer n = luaL_len(L, -1);
        if (n > 8)
            luaL_error(L, "ueids: at most 8");
        c->no_ueid = n == 0;
        for (lua_Integer i = 1; i <= n; i++) {
            lua_rawgeti(L, -1, i);
            c->ueids[i - 1] = luaL_checkstring(L, -1); /* the table keeps it */
            lua_pop(L, 1);
        }
    }
    lua_settop(L, 2);
}

/* lab.host(name, { … }) */
static int add_host(lua_State *L)
{
    struct lab_host *host;
    struct smc_profile profile = smc_profile_linux;
    struct cpu_costs costs;
    luaL_checktype(L, 2, LUA_TTABLE);
    if (lua_getfield(L, 2, "profile") != LUA_TNIL)
        profile_at(L, 3, &profile);
    lua_settop(L, 2);
    struct lab_host_config c = {.name = luaL_checkstring(L, 1),
                                .profile = &profile,
                                .no_smc = !field_bool(L, 2, "smc", true),
                                .v1 = list_has(L, 2, "versions", NULL, 1),
                                .v2 = list_has(L, 2, "versions", NULL, 2),
                                .smc_r = list_has(L, 2, "paths", "R", 0),
                                .smc_d = list_has(L, 2, "paths", "D", 0),
                                .release = (uint8_t)field_number(L, 2, "release", 1),
                                .release_set = true,
                                .no_copy = field_bool(L, 2, "no_copy", false),
                                .autocork = field_bool(L, 2, "autocork", false),
                                .emulated_ism_off = !field_bool(L, 2, "emulated_ism", true),
                                .ipsec = field_bool(L, 2, "ipsec", false),
                                .rmb_bytes = (uint32_t)field_size(L, 2, "rmb", 0),
                                .sndbuf_bytes = (uint32_t)field_size(L, 2, "sndbuf", 0),
                                .machine = field_text(L, 2, "machine", NULL)};
    c.retry_given = lua_getfield(L, 2, "retry_count") != LUA_TNIL || lua_getfield(L, 2, "ack_timeout") != LUA_TNIL;
    c.retry_count = (uint8_t)field_number(L, 2, "retry_count", 7) & 7;
    c.ack_timeout = (uint8_t)field_number(L, 2, "ack_timeout", 15) & 31;
    lua_settop(L, 2);
    if (measure_costs(L, 2, &costs))
        c.cpu = &costs;
    const char *seid = field_text(L, 2, "seid", NULL);
    if (seid != NULL) {
        size_t length = strlen(seid);
        c.seid_enabled = true;
        memset(c.seid, ' ', sizeof(c.seid));
        memcpy(c.seid, seid, length < sizeof(c.seid) ? length : sizeof(c.seid));
    }
    const struct script_target *target = run_of(L)->options->target;
    if (target != NULL && target->no_v1 && run_of(L)->result->header.any_version)
        c.v1 = c.v2 = false; /* all */
    if (target != NULL && target->patience > 1 && !c.retry_given) {
        /* A machine that is emulated, or busy, may sleep for a second: that is no dead peer. */
        c.retry_given = true;
        c.retry_count = 7;
        c.ack_timeout = PATIENT_ACK_TIMEOUT;
    }
    read_ueids(L, &c);
    unsigned *made = strcmp(profile.name, "rfc") == 0 ? &run_of(L)->result->rfc_hosts : &run_of(L)->result->linux_hosts;
    *made += !c.no_smc;
    return check_error(L, lab_add_host(run_of(L)->lab, &c, &host));
}

/* lab.interface(host, name, { … }) */
static int add_interface(lua_State *L)
{
    struct lab_interface *interface;
    struct lab_host *host = host_at(L, 1);
    luaL_checktype(L, 3, LUA_TTABLE);
    struct lab_interface_config c = {.name = luaL_checkstring(L, 2),
                                     .address = field_text(L, 3, "address", NULL),
                                     .gateway = field_text(L, 3, "gateway", NULL),
                                     .mtu = (uint32_t)field_number(L, 3, "mtu", 0),
                                     .vlan = (uint16_t)field_number(L, 3, "vlan", 0),
                                     .pnet = field_text(L, 3, "pnet", NULL)};
    if (lua_getfield(L, 3, "roce") == LUA_TSTRING) {
        const char *kind = lua_tostring(L, -1);
        c.roce_v1_only = strcmp(kind, "v1") == 0;
        c.roce_v2_only = strcmp(kind, "v2") == 0;
        if (!c.roce_v1_only && !c.roce_v2_only)
            return luaL_error(L, "roce: true, false, \"v1\" or \"v2\"");
    } else {
        c.no_roce = !lua_isnil(L, -1) && !lua_toboolean(L, -1);
    }
    struct roce_dcqcn dcqcn;
    congestion_interface(L, 3, &c, &dcqcn);
    return check_error(L, lab_add_interface(host, &c, &interface));
}

/* lab.device(host, kind, { … }) */
static int add_device(lua_State *L)
{
    struct lab_host *host = host_at(L, 1);
    luaL_checktype(L, 3, LUA_TTABLE);
    struct lab_dibs_config c = {.kind = luaL_checkstring(L, 2),
                                .name = field_text(L, 3, "name", NULL),
                                .gid = field_number(L, 3, "gid", 0),
                                .chid = (uint16_t)field_number(L, 3, "chid", 0),
                                .pnet = field_text(L, 3, "pnet", NULL),
                                .signal_delay_ns = field_time(L, 3, "signal_delay", 0)};
    return check_error(L, lab_add_dibs(host, &c));
}

static struct lab_interface *interface_at(lua_State *L, int host, int name)
{
    struct run *run = run_of(L);
    const char *full = lua_pushfstring(L, "%s.%s", luaL_checkstring(L, host), luaL_checkstring(L, name));
    struct lab_host *h = lab_find_host(run->lab, lua_tostring(L, host));
    struct lab_interface *interface = h != NULL ? lab_host_interface(h, luaL_checkstring(L, name)) : NULL;
    if (interface == NULL)
        luaL_error(L, "there is no interface \"%s\"", full);
    lua_pop(L, 1);
    return interface;
}

/* lab.present(host, "roce eth0" or a dibs device's name, bool) */
static int set_present(lua_State *L)
{
    struct run *run = run_of(L);
    const char *what = luaL_checkstring(L, 2);
    bool present = lua_toboolean(L, 3);
    if (strncmp(what, "roce ", 5) == 0) {
        lua_pushstring(L, what + 5);
        return check_error(L, lab_interface_roce_present(interface_at(L, 1, lua_gettop(L)), present));
    }
    const char *name = lua_pushfstring(L, "%s.%s", luaL_checkstring(L, 1), what);
    return check_error(L, lab_dibs_present(run->lab, name, present));
}

static int set_address(lua_State *L)
{
    return check_error(L, lab_interface_set_address(interface_at(L, 1, 2), luaL_checkstring(L, 3)));
}

static int kill_host(lua_State *L)
{
    return check_error(L, lab_host_kill(host_at(L, 1)));
}

static int inject_frame(lua_State *L)
{
    size_t length;
    struct lab_interface *interface = interface_at(L, 1, 2);
    const char *bytes = luaL_checklstring(L, 3, &length);
    return check_error(L, lab_inject_frame(interface, bytes, length));
}

void host_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"host", add_host},         {"interface", add_interface}, {"device", add_device},
                                         {"present", set_present},   {"set_address", set_address}, {"kill", kill_host},
                                         {"inject_frame", inject_frame}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}

/* What goes wrong: rates and rules of links, fault plans of devices, messages changed as they leave. For scripts.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "devices/dibs_parts.h"
#include "devices/roce.h"
#include "sim/lab_outside.h"
#include "sim/network.h"
#include "wire/clc.h"
#include "wire/llc.h"

#include <stdlib.h>
#include <string.h>

static struct lab_link *link_at(lua_State *L, int index)
{
    struct lab_link *link = lab_find_link(run_of(L)->lab, luaL_checkstring(L, index));
    if (link == NULL)
        luaL_error(L, "there is no link \"%s\"", lua_tostring(L, index));
    return link;
}

/* The directions that a sender's name means: those that leave one of its ports; nil: both. */
static unsigned directions(lua_State *L, struct net_link *link, int index)
{
    const char *from = luaL_optstring(L, index, NULL);
    unsigned found = 0;
    if (from == NULL)
        return 3;
    for (int d = NET_A_TO_B; d <= NET_B_TO_A; d++) {
        const char *port = net_port_name(net_link_end(link, (enum net_direction)d));
        size_t n = strlen(from);
        if (strncmp(port, from, n) == 0 && (port[n] == '\0' || port[n] == '.'))
            found |= 1u << d;
    }
    if (found == 0)
        luaL_error(L, "\"%s\" is at neither end of that link", from);
    return found;
}

/* lab.rate(link, kind, share, time or nil, from or nil) */
static int set_rate(lua_State *L)
{
    static const char *const kinds[] = {"loss", "duplicate", "reorder", "corrupt", "corrupt_deep", "jitter", NULL};
    struct net_link *link = lab_link_net(link_at(L, 1));
    int kind = luaL_checkoption(L, 2, NULL, kinds);
    unsigned dirs = directions(L, link, 5);
    for (int d = 0; d < 2; d++) {
        if ((dirs & 1u << d) == 0)
            continue;
        struct fault_plan *plan = net_link_faults(link, (enum net_direction)d);
        struct fault_rates rates = plan->rates;
        uint32_t *shares[] = {&rates.loss, &rates.duplicate, &rates.reorder, &rates.corrupt, &rates.corrupt_deep};
        if (kind == 5) {
            rates.jitter_ns = arg_time(L, 3, "jitter");
        } else {
            *shares[kind] = arg_share(L, 3, kinds[kind]);
            if (kind == 2)
                rates.reorder_ns = lua_isnoneornil(L, 4) ? 50000 : arg_time(L, 4, "late by");
        }
        check_error(L, fault_set_rates(plan, &rates));
    }
    return 0;
}

static int clear(lua_State *L)
{
    struct net_link *link = lab_link_net(link_at(L, 1));
    fault_clear(net_link_faults(link, NET_A_TO_B));
    fault_clear(net_link_faults(link, NET_B_TO_A));
    return 0;
}

static int message_number(lua_State *L, const char *name)
{
    if (strcmp(name, "CDC") == 0)
        return 0xfe;
    for (const struct smc_value_name *v = smc_values_llc_type; v->name != NULL; v++)
        if (strcmp(v->name, name) == 0)
            return (int)v->value;
    return luaL_error(L, "\"%s\" is no message", name);
}

/* v1 and v2 types of one LLC message: the pattern matches a type byte, so a predicate of our own looks at both. */
struct wanted {
    struct net_frame_pattern pattern;
    int message;
    bool smc_only, data;
};

static bool meant(void *user, const struct net_frame_info *info)
{
    struct wanted *w = user;
    if (!net_frame_matches(&w->pattern, info))
        return false;
    if (w->data)
        return info->roce && info->opcode >= SMC_BTH_WRITE_FIRST && info->opcode <= SMC_BTH_WRITE_ONLY_IMM;
    if (w->message < 0)
        return true;
    return w->message == 0xfe ? info->message == 0xfe : info->message >= 0 && (info->message & 0xdf) == w->message;
}

static void read_pattern(lua_State *L, int table, struct wanted *w)
{
    static const char *const clc[] = {"", "CLC Proposal", "CLC Accept", "CLC Confirm", "CLC Decline"};
    const struct net_frame_pattern any = NET_FRAME_PATTERN_ANY;
    w->pattern = any;
    w->message = -1;
    lua_rawgeti(L, table, 1);
    const char *name = luaL_optstring(L, -1, "any");
    lua_pop(L, 1);
    for (int type = 1; type <= 4; type++)
        if (strcmp(name, clc[type]) == 0)
            w->pattern.clc_type = type;
    if (strcmp(name, "TCP SYN") == 0)
        w->pattern.tcp_flags_set = 2;
    else if (strcmp(name, "TCP FIN") == 0)
        w->pattern.tcp_flags_set = 1;
    else if (strcmp(name, "TCP RST") == 0)
        w->pattern.tcp_flags_set = 4;
    else if (strcmp(name, "TCP") == 0)
        w->pattern.ip_protocol = 6;
    else if (strcmp(name, "ARP") == 0)
        w->pattern.ethertype = SMC_ETHERTYPE_ARP;
    else if (strcmp(name, "RDMA WRITE") == 0)
        w->data = true;
    else if (strcmp(name, "RoCE") == 0)
        w->pattern.dport = 4791;
    else if (strcmp(name, "RoCE ACK") == 0)
        w->pattern.opcode = SMC_BTH_ACK;
    else if (strcmp(name, "any") != 0 && w->pattern.clc_type < 0)
        w->message = message_number(L, name);
    if (lua_getfield(L, table, "response") != LUA_TNIL)
        w->pattern.response = lua_toboolean(L, -1);
    lua_pop(L, 1);
}

/* lab.rule(link, action, { "NAME", from =, nth =, count =, by = }) */
static int add_rule(lua_State *L)
{
    static const char *const actions[] = {"drop", "copy", "corrupt", "corrupt_deep", "delay", "hold", "pass", NULL};
    struct net_link *link = lab_link_net(link_at(L, 1));
    int action = luaL_checkoption(L, 2, NULL, actions);
    luaL_checktype(L, 3, LUA_TTABLE);
    struct wanted *w = lua_newuserdatauv(L, sizeof(*w), 0); /* lives as long as the state: the registry keeps it */
    memset(w, 0, sizeof(*w));
    luaL_ref(L, LUA_REGISTRYINDEX);
    read_pattern(L, 3, w);
    uint64_t nth = field_number(L, 3, "nth", 1);
    struct fault_rule rule = {.action = (enum fault_action)action, .match = meant, .user = w,
                              .skip = (uint32_t)(nth > 0 ? nth - 1 : 0),
                              .count = (uint32_t)field_number(L, 3, "count", 1),
                              .delay_ns = field_time(L, 3, "by", 0)};
    lua_getfield(L, 3, "from");
    unsigned dirs = directions(L, link, lua_gettop(L));
    for (int d = 0; d < 2; d++) {
        if ((dirs & 1u << d) == 0)
            continue;
        int number = fault_add(net_link_faults(link, (enum net_direction)d), &rule);
        if (number < 0)
            check_error(L, number);
    }
    return 0;
}

static int release(lua_State *L)
{
    struct net_link *link = lab_link_net(link_at(L, 1));
    unsigned n = net_link_let_go(link, NET_A_TO_B, 0) + net_link_let_go(link, NET_B_TO_A, 0);
    lua_pushinteger(L, n);
    return 1;
}

/* lab.partition(link, bool, from) */
static int partition(lua_State *L)
{
    struct net_link *link = lab_link_net(link_at(L, 1));
    unsigned dirs = directions(L, link, 3);
    for (int d = 0; d < 2; d++)
        if ((dirs & 1u << d) != 0)
            fault_partition(net_link_faults(link, (enum net_direction)d), lua_toboolean(L, 2));
    return 0;
}

static int link_up(lua_State *L)
{
    return check_error(L, lab_link_up(link_at(L, 1), lua_toboolean(L, 2)));
}

static int error_number(lua_State *L, const char *name)
{
    for (int e = -1; e > -64; e--) {
        const char *known = smc_error_name(e);
        if (known != NULL && strcmp(known + strlen("SMC_ERR_"), name) == 0)
            return e;
    }
    return luaL_error(L, "there is no error \"%s\"", name);
}

/* lab.dibs_fault(host, device, point, { after =, times =, error =, hold =, copies = }) */
static int dibs_fault(lua_State *L)
{
    static const char *const points[] = {"query", "register", "attach", "move", "event", "vlan", "signals", NULL};
    const char *name = lua_pushfstring(L, "%s.%s", luaL_checkstring(L, 1), luaL_checkstring(L, 2));
    struct dibs_faults *faults = lab_dibs_faults(run_of(L)->lab, name);
    if (faults == NULL)
        return luaL_error(L, "there is no dibs device \"%s\"", name);
    int point = luaL_checkoption(L, 3, NULL, points);
    luaL_checktype(L, 4, LUA_TTABLE);
    if (point == 6) {
        faults->hold_until_ns = run_now(run_of(L)) + field_time(L, 4, "hold", 0);
        faults->event_copies = (uint32_t)field_number(L, 4, "copies", 0);
        return 0;
    }
    return check_error(L, dibs_faults_add(faults, (enum dibs_fault_point)point, (uint32_t)field_number(L, 4, "after", 0),
                                          (uint32_t)field_number(L, 4, "times", 1),
                                          error_number(L, field_text(L, 4, "error", "IO"))));
}

/* lab.roce_fault(host, interface, { "what", operations = "write", first =, every =, times =, argument = }) */
static int roce_fault(lua_State *L)
{
    static const char *const kinds[] = {"drop completion", "delay completion", "error completion", "not placed", "late write", "rnr",
                                        "hold qp", "qp fatal", "device fatal", "refuse mr", "refuse qp", "refuse change", NULL};
    struct lab_host *host = lab_find_host(run_of(L)->lab, luaL_checkstring(L, 1));
    struct lab_interface *interface = host != NULL ? lab_host_interface(host, luaL_checkstring(L, 2)) : NULL;
    if (interface == NULL)
        return luaL_error(L, "there is no interface \"%s.%s\"", lua_tostring(L, 1), lua_tostring(L, 2));
    if (lua_isnoneornil(L, 3))
        return check_error(L, lab_interface_add_fault(interface, NULL));
    luaL_checktype(L, 3, LUA_TTABLE);
    const char *operations = field_text(L, 3, "operations", "");
    struct roce_fault fault = {.operations = (strstr(operations, "send") != NULL ? ROCE_ON_SEND : 0u) |
                                             (strstr(operations, "write") != NULL ? ROCE_ON_WRITE : 0u) |
                                             (strstr(operations, "recv") != NULL ? ROCE_ON_RECV : 0u),
                               .first = (uint32_t)field_number(L, 3, "first", 1),
                               .every = (uint32_t)field_number(L, 3, "every", 0),
                               .times = (uint32_t)field_number(L, 3, "times", 1),
                               .argument = field_time(L, 3, "argument", 0)};
    lua_rawgeti(L, 3, 1);
    fault.what = (enum roce_fault_what)luaL_checkoption(L, -1, NULL, kinds);
    return check_error(L, lab_interface_add_fault(interface, &fault));
}

/* ---- messages changed as they leave a host ---- */
enum edit_of { OF_BOTH, OF_REQUEST, OF_RESPONSE };

struct edit {
    struct edit *next;
    struct lab_host *host;
    char name[32];
    enum edit_of of; /* LLC messages */
    int table, function; /* references */
    uint64_t skip, count;
    bool drop;
};

static bool apply(struct run *run, struct edit *e, uint8_t *bytes, size_t *length, size_t room)
{
    lua_State *L = run->L;
    int top = lua_gettop(L);
    bool keep = true;
    lua_rawgeti(L, LUA_REGISTRYINDEX, e->table);
    if (e->drop) {
        keep = false;
    } else if (e->function != LUA_NOREF) {
        size_t n;
        lua_rawgeti(L, LUA_REGISTRYINDEX, e->function);
        lua_pushlstring(L, (const char *)bytes, *length);
        lua_call(L, 1, 1);
        if (lua_toboolean(L, -1)) {
            const char *changed = luaL_checklstring(L, -1, &n);
            *length = n < room ? n : room;
            memcpy(bytes, changed, *length);
        } else {
            keep = false; /* nil or false: it does not leave */
        }
    } else {
        (void)message_edit(L, top + 1, bytes, *length);
    }
    lua_settop(L, top);
    return keep;
}

/* What a host's hook is told besides: whose message it is. */
struct editor {
    struct run *run;
    struct lab_host *host;
};

static bool is_meant(const struct edit *e, const struct lab_host *host, const char *name, bool response)
{
    return e->count > 0 && e->host == host && strcmp(e->name, name) == 0 &&
           (e->of == OF_BOTH || response == (e->of == OF_RESPONSE));
}

static bool on_message(void *user, struct lab_socket *socket, uint8_t *bytes, size_t *length, size_t room)
{
    const struct editor *editor = user;
    struct run *run = editor->run;
    bool keep = true, response = *length > 3 && (bytes[3] & 0x80) != 0;
    const char *name = message_name(smc_view_of(bytes, *length), socket != NULL);
    for (struct edit *e = run->edits; e != NULL && name != NULL && keep; e = e->next) {
        if (!is_meant(e, editor->host, name, response))
            continue;
        if (e->skip > 0) {
            e->skip--;
            continue;
        }
        e->count--;
        keep = apply(run, e, bytes, length, room);
    }
    return keep;
}

static enum edit_of read_of(lua_State *L)
{
    static const char *const names[] = {"both", "request", "response", NULL};
    lua_getfield(L, 2, "of");
    int of = luaL_checkoption(L, -1, "both", names);
    lua_pop(L, 1);
    return (enum edit_of)of;
}

static void watch_host(lua_State *L, struct run *run, struct lab_host *host)
{
    struct editor *editor = lua_newuserdatauv(L, sizeof(*editor), 0);
    *editor = (struct editor){run, host};
    luaL_ref(L, LUA_REGISTRYINDEX); /* lives as long as the state */
    lab_edit(host, on_message, editor);
}

/* lab.edit(host, { "NAME", of =, field = value, nth =, count =, bytes = function, drop = true }) */
static int add_edit(lua_State *L)
{
    struct run *run = run_of(L);
    struct lab_host *host = lab_find_host(run->lab, luaL_checkstring(L, 1));
    luaL_checktype(L, 2, LUA_TTABLE);
    if (host == NULL)
        return luaL_error(L, "there is no host \"%s\"", lua_tostring(L, 1));
    check_error(L, lab_inside_only(host, "its messages cannot be changed as they leave"));
    enum edit_of of = read_of(L);
    struct edit *e = calloc(1, sizeof(*e)), **end = &run->edits;
    if (e == NULL)
        return luaL_error(L, "out of memory");
    e->of = of;
    lua_rawgeti(L, 2, 1);
    strncpy(e->name, luaL_optstring(L, -1, ""), sizeof(e->name) - 1);
    e->host = host;
    e->skip = field_number(L, 2, "nth", 1) - 1;
    e->count = field_number(L, 2, "count", 1);
    e->drop = field_bool(L, 2, "drop", false);
    e->function = LUA_NOREF;
    if (lua_getfield(L, 2, "bytes") == LUA_TFUNCTION)
        e->function = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushvalue(L, 2);
    lua_pushnil(L);
    lua_setfield(L, -2, "drop");
    e->table = luaL_ref(L, LUA_REGISTRYINDEX);
    while (*end != NULL)
        end = &(*end)->next;
    *end = e;
    watch_host(L, run, host);
    return 0;
}

void fault_free_edits(struct run *run)
{
    struct edit *first = run->edits;
    run->edits = first->next;
    free(first);
}

void fault_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"rate", set_rate},       {"clear", clear},           {"rule", add_rule}, {"release", release},
                                         {"partition", partition}, {"link_up", link_up},       {"edit", add_edit}, {"dibs_fault", dibs_fault},
                                         {"roce_fault", roce_fault},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}

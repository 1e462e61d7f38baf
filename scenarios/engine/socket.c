/* Sockets and traffic, for scripts. A socket is a number (its id) to them; the prelude makes an object of it.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "sim/lab_outside.h"

#include <stdlib.h>
#include <string.h>

static struct lab_socket *socket_at(lua_State *L, int index)
{
    lua_Integer id = luaL_checkinteger(L, index);
    struct lab_socket *s = id > 0 && id <= UINT32_MAX ? lab_find_socket(run_of(L)->lab, (unsigned)id) : NULL;
    if (s == NULL)
        luaL_error(L, "there is no socket %d", (int)id);
    return s;
}

static struct lab_host *host_at(lua_State *L, int index)
{
    struct lab_host *host = lab_find_host(run_of(L)->lab, luaL_checkstring(L, index));
    if (host == NULL)
        luaL_error(L, "there is no host \"%s\"", lua_tostring(L, index));
    return host;
}

static struct lab_socket_config config_at(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TTABLE);
    return (struct lab_socket_config){.tcp_only = field_bool(L, index, "tcp_only", false),
                                      .fast_open = field_bool(L, index, "fast_open", false),
                                      .nodelay = field_bool(L, index, "nodelay", false),
                                      .cork = field_bool(L, index, "cork", false),
                                      .oob_inline = field_bool(L, index, "oob_inline", false),
                                      .rmb_bytes = (uint32_t)field_size(L, index, "rmb", 0),
                                      .sndbuf_bytes = (uint32_t)field_size(L, index, "sndbuf", 0),
                                      .tcp_bytes = (uint32_t)field_size(L, index, "tcp_buffer", 0)};
}

/* ---- connections that wait to be accepted: in the order in which their mode became known ---- */
struct waiter {
    struct waiter *next;
    struct lab_socket *listener, *socket;
};

static void accepted(void *user, struct lab_socket *listener, struct lab_socket *socket)
{
    struct run *run = user;
    struct waiter **end = &run->waiters, *w = calloc(1, sizeof(*w));
    lab_socket_set_ops(socket, NULL, NULL);
    if (w == NULL) {
        lab_close(socket);
        return;
    }
    w->listener = listener;
    w->socket = socket;
    while (*end != NULL)
        end = &(*end)->next;
    *end = w;
}

static const struct lab_socket_ops listener_ops = {.accepted = accepted};

/* lab.listen(host, port, { … }) → id */
static int listen_on(lua_State *L)
{
    struct lab_socket_config config = config_at(L, 3);
    struct lab_socket *s;
    config.ops = &listener_ops;
    config.user = run_of(L);
    check_error(L, lab_listen(host_at(L, 1), (uint16_t)luaL_checkinteger(L, 2), &config, &s));
    lua_pushinteger(L, lab_socket_id(s));
    return 1;
}

/* lab.connect(host, peer, port, { … }) → id */
static int connect_to(lua_State *L)
{
    struct lab_socket_config config = config_at(L, 4);
    struct lab_socket *s;
    check_error(L, lab_connect(host_at(L, 1), luaL_checkstring(L, 2), (uint16_t)luaL_checkinteger(L, 3), &config, &s));
    lua_pushinteger(L, lab_socket_id(s));
    return 1;
}

struct accept_wait {
    struct lab_socket *listener;
    struct waiter *found;
};

static bool has_accepted(struct run *run, void *ctx)
{
    struct accept_wait *a = ctx;
    for (struct waiter *w = run->waiters; w != NULL; w = w->next) {
        if (w->listener == a->listener) {
            a->found = w;
            return true;
        }
    }
    return false;
}

/* lab.accept(listener, time) → id, or nil */
static int accept_from(lua_State *L)
{
    struct run *run = run_of(L);
    struct accept_wait a = {.listener = socket_at(L, 1)};
    if (!run_wait(run, has_accepted, &a, run_now(run) + arg_time(L, 2, "within")))
        return 0;
    for (struct waiter **w = &run->waiters; *w != NULL; w = &(*w)->next) {
        if (*w == a.found) {
            *w = a.found->next;
            break;
        }
    }
    lua_pushinteger(L, lab_socket_id(a.found->socket));
    free(a.found);
    return 1;
}

static bool is_connected(struct run *run, void *ctx)
{
    (void)run;
    return (lab_socket_events(ctx) & (SMC_EVENT_CONNECTED | SMC_EVENT_ERROR | SMC_EVENT_CLOSED)) != 0;
}

/* lab.connected(id, time) → bool */
static int connected(lua_State *L)
{
    struct run *run = run_of(L);
    lua_pushboolean(L, run_wait(run, is_connected, socket_at(L, 1), run_now(run) + arg_time(L, 2, "within")));
    return 1;
}

/* ---- bytes ---- */
struct transfer_wait {
    struct lab_socket *socket;
    const char *data;
    char *to;
    size_t length, done;
    unsigned flags;
    int64_t result;
};

static bool sent_all(struct run *run, void *ctx)
{
    struct transfer_wait *t = ctx;
    (void)run;
    if (lab_socket_mode(t->socket) == SMC_MODE_NONE && lab_socket_error(t->socket) == 0)
        return false;
    do {
        t->result = lab_send(t->socket, t->data + t->done, t->length - t->done, t->flags);
        if (t->result > 0)
            t->done += (size_t)t->result;
    } while (t->result > 0 && t->done < t->length);
    return t->done == t->length || (t->result < 0 && t->result != SMC_ERR_WOULDBLOCK && t->result != SMC_ERR_NOMEM);
}

static int push_error(lua_State *L, int64_t error)
{
    const char *name = smc_error_name((int)error);
    lua_pushstring(L, name != NULL ? name + strlen("SMC_ERR_") : "?");
    return 1;
}

/* lab.send(id, bytes, flags, time) → bytes taken, error name or nil */
static int send_bytes(lua_State *L)
{
    struct run *run = run_of(L);
    size_t length;
    const char *data = luaL_checklstring(L, 2, &length);
    struct transfer_wait t = {.socket = socket_at(L, 1), .data = data, .length = length, .flags = (unsigned)luaL_checkinteger(L, 3)};
    if (arg_time(L, 4, "within") == 0)
        (void)sent_all(run, &t);
    else
        run_wait(run, sent_all, &t, run_now(run) + arg_time(L, 4, "within"));
    lua_pushinteger(L, (lua_Integer)t.done);
    if (t.result < 0)
        return 1 + push_error(L, t.result);
    return 1;
}

static bool received_all(struct run *run, void *ctx)
{
    struct transfer_wait *t = ctx;
    (void)run;
    if (lab_socket_mode(t->socket) == SMC_MODE_NONE && lab_socket_error(t->socket) == 0)
        return false;
    do {
        t->result = lab_recv(t->socket, t->to + t->done, t->length - t->done, t->flags);
        if (t->result > 0)
            t->done += (size_t)t->result;
    } while (t->result > 0 && t->done < t->length && (t->flags & (SMC_MSG_PEEK | SMC_MSG_OOB)) == 0);
    return t->done == t->length || t->result == 0 || (t->result < 0 && t->result != SMC_ERR_WOULDBLOCK) ||
           ((t->flags & SMC_MSG_PEEK) != 0 && t->result > 0);
}

/* lab.receive(id, n, flags, time) → bytes, error name ("END" at the end of the stream) or nil */
static int receive_bytes(lua_State *L)
{
    struct run *run = run_of(L);
    lua_Integer n = luaL_checkinteger(L, 2);
    luaL_argcheck(L, n >= 0 && n <= 64 << 20, 2, "0 to 64 MiB");
    struct lab_socket *s = socket_at(L, 1);
    luaL_Buffer b;
    struct transfer_wait t = {.socket = s, .to = luaL_buffinitsize(L, &b, (size_t)n), .length = (size_t)n,
                              .flags = (unsigned)luaL_checkinteger(L, 3)};
    uint64_t within = arg_time(L, 4, "within");
    bool done = within == 0 ? received_all(run, &t) : run_wait(run, received_all, &t, run_now(run) + within);
    luaL_pushresultsize(&b, t.done);
    if (t.result < 0 && t.done < t.length)
        return 1 + push_error(L, t.result);
    if (done && t.result == 0 && t.done < t.length) {
        lua_pushliteral(L, "END");
        return 2;
    }
    return 1;
}

static int shut_down(lua_State *L)
{
    static const char *const names[] = {"read", "write", "both", NULL};
    int how = luaL_checkoption(L, 2, "write", names);
    int error = lab_shutdown(socket_at(L, 1), (enum smc_how)how);
    return error == 0 ? 0 : push_error(L, error);
}

static int close_it(lua_State *L)
{
    lab_close(socket_at(L, 1));
    return 0;
}

static int set_options(lua_State *L)
{
    struct lab_socket *s = socket_at(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    static const struct { const char *name; enum smc_option option; } flags[] = {
        {"nodelay", SMC_OPTION_NODELAY}, {"cork", SMC_OPTION_CORK}, {"oob_inline", SMC_OPTION_OOBINLINE}, {"keepalive", SMC_OPTION_KEEPALIVE}};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (lua_getfield(L, 2, flags[i].name) != LUA_TNIL)
            (void)lab_set_option(s, flags[i].option, lua_toboolean(L, -1));
        lua_pop(L, 1);
    }
    if (lua_getfield(L, 2, "linger") != LUA_TNIL)
        (void)lab_set_option(s, SMC_OPTION_LINGER_NS, (int64_t)arg_time(L, -1, "linger"));
    lua_pop(L, 1);
    return 0;
}

/* ---- what can be asked ---- */
static void set_number(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static void set_cursor(lua_State *L, const char *name, const struct smc_cursor_info *c)
{
    lua_createtable(L, 0, 2);
    set_number(L, "wrap", c->wrap);
    set_number(L, "count", c->count);
    lua_setfield(L, -2, name);
}

static void set_connection(lua_State *L, const struct smc_connection_info *i)
{
    set_number(L, "version", i->version);
    set_number(L, "release", i->release);
    set_number(L, "group", i->group_id);
    set_number(L, "link", i->link_number);
    set_number(L, "token", i->alert_token);
    set_number(L, "peer_token", i->peer_alert_token);
    set_number(L, "rmb_bytes", i->rmb_bytes);
    set_number(L, "sndbuf_bytes", i->sndbuf_bytes);
    set_number(L, "peer_rmb_bytes", i->peer_rmb_bytes);
    set_number(L, "rx_bytes", i->rx_bytes);
    set_number(L, "tx_bytes", i->tx_bytes);
    set_number(L, "rx_cdc", i->rx_cdc);
    set_number(L, "tx_cdc", i->tx_cdc);
    set_number(L, "tx_writes", i->tx_writes);
    set_number(L, "rx_prod_flags", i->rx_prod_flags);
    set_number(L, "rx_conn_flags", i->rx_conn_flags);
    set_number(L, "tx_prod_flags", i->tx_prod_flags);
    set_number(L, "tx_conn_flags", i->tx_conn_flags);
    set_cursor(L, "rx_prod", &i->rx_prod);
    set_cursor(L, "rx_cons", &i->rx_cons);
    set_cursor(L, "tx_prod", &i->tx_prod);
    set_cursor(L, "tx_cons", &i->tx_cons);
    set_cursor(L, "tx_prep", &i->tx_prep);
    set_cursor(L, "tx_sent", &i->tx_sent);
    set_cursor(L, "tx_fin", &i->tx_fin);
}

/* Of a host outside: what its cursors say is there to be read. */
static uint64_t between(const struct smc_connection_info *i)
{
    uint64_t lap = i->rx_prod.wrap != i->rx_cons.wrap ? i->rmb_bytes : 0;
    return lap + i->rx_prod.count - i->rx_cons.count;
}

/* lab.socket_info(id) → table */
static int socket_info(lua_State *L)
{
    static const char *const modes[] = {"none", "TCP", "SMC-R", "SMC-D"};
    struct lab_socket *s = socket_at(L, 1);
    uint32_t peer_diagnosis = 0, fallback = lab_socket_fallback(s, &peer_diagnosis);
    lua_newtable(L);
    lua_pushstring(L, modes[lab_socket_mode(s)]);
    lua_setfield(L, -2, "mode");
    lua_pushstring(L, lab_socket_state(s));
    lua_setfield(L, -2, "state");
    if (lab_socket_error(s) != 0) {
        push_error(L, lab_socket_error(s));
        lua_setfield(L, -2, "error");
    }
    set_number(L, "fallback", fallback);
    set_number(L, "peer_diagnosis", peer_diagnosis);
    set_number(L, "events", lab_socket_events(s));
    struct lab_outside_info outside;
    if (lab_host_is_outside(lab_socket_host(s)) && lab_outside_info(s, &outside) && outside.smc) {
        set_connection(L, &outside.connection);
        set_number(L, "readable", between(&outside.connection));
        set_number(L, "writable", lab_writable(s));
        return 1;
    }
    struct smc_connection *c = lab_socket_connection(s);
    if (c != NULL) {
        struct smc_connection_info info;
        smc_connection_get_info(c, &info);
        set_connection(L, &info);
        set_number(L, "readable", info.mode == SMC_MODE_R || info.mode == SMC_MODE_D ? smc_readable(c) : 0);
        set_number(L, "writable", info.mode == SMC_MODE_R || info.mode == SMC_MODE_D ? smc_writable(c) : 0);
    }
    return 1;
}

struct state_wait {
    struct lab_socket *socket;
    const char *state;
};

static bool in_state(struct run *run, void *ctx)
{
    struct state_wait *w = ctx;
    struct lab_socket_view view;
    (void)run;
    lab_socket_view(w->socket, &view);
    if (view.closed && lab_host_is_outside(lab_socket_host(w->socket)))
        return true; /* a kernel does not show what it does with a socket that no program has any more */
    return strcmp(lab_socket_state(w->socket), w->state) == 0;
}

/* lab.wait_state(id, name, time) → bool, state */
static int wait_state(lua_State *L)
{
    struct run *run = run_of(L);
    struct state_wait w = {.socket = socket_at(L, 1), .state = luaL_checkstring(L, 2)};
    lua_pushboolean(L, run_wait(run, in_state, &w, run_now(run) + arg_time(L, 3, "within")));
    lua_pushstring(L, lab_socket_state(w.socket));
    return 2;
}

struct events_wait {
    struct lab_socket *socket;
    unsigned events;
};

static bool has_events(struct run *run, void *ctx)
{
    struct events_wait *w = ctx;
    (void)run;
    return (lab_socket_events(w->socket) & w->events) != 0;
}

/* lab.wait_events(id, bits, time) → bool */
static int wait_events(lua_State *L)
{
    struct run *run = run_of(L);
    struct events_wait w = {.socket = socket_at(L, 1), .events = (unsigned)luaL_checkinteger(L, 2)};
    lua_pushboolean(L, run_wait(run, has_events, &w, run_now(run) + arg_time(L, 3, "within")));
    return 1;
}

/* ---- patterns ---- */
static int pattern(lua_State *L)
{
    lua_Integer n = luaL_checkinteger(L, 1);
    luaL_argcheck(L, n >= 0 && n <= 64 << 20, 1, "0 to 64 MiB");
    luaL_Buffer b;
    char *to = luaL_buffinitsize(L, &b, (size_t)n);
    lab_pattern((uint64_t)luaL_checkinteger(L, 2), 0, to, (size_t)n);
    luaL_pushresultsize(&b, (size_t)n);
    return 1;
}

/* lab.traffic(id, { send =, receive =, … }) */
static int traffic(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    struct lab_traffic t = {.send_bytes = field_size(L, 2, "send", 0),
                            .receive_bytes = field_size(L, 2, "receive", 0),
                            .send_pattern = field_number(L, 2, "send_pattern", 1),
                            .receive_pattern = field_number(L, 2, "receive_pattern", 2),
                            .send_chunk = field_size(L, 2, "chunk", 0),
                            .read_chunk = field_size(L, 2, "read_chunk", 0),
                            .read_delay_ns = field_time(L, 2, "read_delay", 0),
                            .write_delay_ns = field_time(L, 2, "write_delay", 0),
                            .close_when_done = field_bool(L, 2, "close", false),
                            .shutdown_when_sent = field_bool(L, 2, "shutdown", false),
                            .echo = field_bool(L, 2, "echo", false)};
    return check_error(L, lab_traffic_start(socket_at(L, 1), &t));
}

static bool traffic_done(struct run *run, void *ctx)
{
    struct lab_traffic_state state;
    (void)run;
    lab_traffic_get(ctx, &state);
    return state.done || state.wrong || lab_socket_error(ctx) != 0;
}

/* lab.traffic_state(id, time) → { sent =, received =, done =, wrong_at = } */
static int traffic_state(lua_State *L)
{
    struct run *run = run_of(L);
    struct lab_socket *s = socket_at(L, 1);
    uint64_t within = arg_time(L, 2, "within");
    if (within > 0)
        run_wait(run, traffic_done, s, run_now(run) + within);
    struct lab_traffic_state state;
    lab_traffic_get(s, &state);
    lua_newtable(L);
    set_number(L, "sent", state.sent);
    set_number(L, "received", state.received);
    lua_pushboolean(L, state.done);
    lua_setfield(L, -2, "done");
    if (state.wrong)
        set_number(L, "wrong_at", state.wrong_at);
    return 1;
}

static int traffic_stop(lua_State *L)
{
    lab_traffic_stop(socket_at(L, 1));
    return 0;
}

/* ---- hostile ---- */
static int inject_tcp(lua_State *L)
{
    size_t length;
    const char *bytes = luaL_checklstring(L, 2, &length);
    return check_error(L, lab_inject_tcp(socket_at(L, 1), bytes, length));
}

static int inject_link(lua_State *L)
{
    size_t length;
    const char *bytes = luaL_checklstring(L, 2, &length);
    return check_error(L, lab_inject_link(socket_at(L, 1), (uint8_t)luaL_optinteger(L, 3, 0), bytes, length));
}

static int inject_smcd(lua_State *L)
{
    size_t length;
    const char *bytes = luaL_checklstring(L, 3, &length);
    return check_error(L, lab_inject_smcd(socket_at(L, 1), (uint32_t)luaL_checkinteger(L, 2), bytes, length));
}

static int mute(lua_State *L)
{
    check_error(L, lab_inside_only(lab_socket_host(socket_at(L, 1)), "its CLC cannot be kept back"));
    lab_mute(socket_at(L, 1), lua_toboolean(L, 2));
    return 0;
}

void socket_free_waiters(struct run *run)
{
    struct waiter *first = run->waiters;
    run->waiters = first->next;
    free(first);
}

void socket_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"listen", listen_on},
                                         {"connect", connect_to},
                                         {"accept", accept_from},
                                         {"connected", connected},
                                         {"send", send_bytes},
                                         {"receive", receive_bytes},
                                         {"shutdown", shut_down},
                                         {"close", close_it},
                                         {"set", set_options},
                                         {"socket_info", socket_info},
                                         {"wait_state", wait_state},
                                         {"wait_events", wait_events},
                                         {"pattern", pattern},
                                         {"traffic", traffic},
                                         {"traffic_state", traffic_state},
                                         {"traffic_stop", traffic_stop},
                                         {"inject_tcp", inject_tcp},
                                         {"inject_link", inject_link},
                                         {"inject_smcd", inject_smcd},
                                         {"mute", mute},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}

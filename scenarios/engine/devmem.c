/* Device Memory TCP, for scripts: NICs, buffers, bindings, and what a socket receives. Errors are names: "EEXIST".
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "sim/lab_devmem.h"

#include <string.h>

enum { CMSGS_MAX = 1024, RECEIVE_MAX = 16 << 20 };

static struct lab_host *host_at(lua_State *L, int index)
{
    struct lab_host *host = lab_find_host(run_of(L)->lab, luaL_checkstring(L, index));
    if (host == NULL)
        luaL_error(L, "there is no host \"%s\"", lua_tostring(L, index));
    return host;
}

static struct lab_interface *interface_at(lua_State *L, int host, int name)
{
    struct lab_interface *interface = lab_host_interface(host_at(L, host), luaL_checkstring(L, name));
    if (interface == NULL)
        luaL_error(L, "there is no interface \"%s.%s\"", lua_tostring(L, host), lua_tostring(L, name));
    return interface;
}

static struct devmem_nic *nic_at(lua_State *L, int host, int name)
{
    struct devmem_nic *nic = lab_devmem_nic(interface_at(L, host, name));
    if (nic == NULL)
        luaL_error(L, "%s.%s has no NIC with queues", lua_tostring(L, host), lua_tostring(L, name));
    return nic;
}

static struct lab_socket *socket_at(lua_State *L, int index)
{
    lua_Integer id = luaL_checkinteger(L, index);
    for (struct lab_socket *s = lab_next_socket(run_of(L)->lab, NULL); s != NULL; s = lab_next_socket(run_of(L)->lab, s))
        if (lab_socket_id(s) == id)
            return s;
    luaL_error(L, "there is no socket %d", (int)id);
    return NULL;
}

static void set_number(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static void set_bool(lua_State *L, const char *name, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

/* A number, or nil and the error's name. */
static int push_result(lua_State *L, int64_t result)
{
    if (result >= 0) {
        lua_pushinteger(L, (lua_Integer)result);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, devmem_error_name(result));
    return 2;
}

/* ---- NICs ---- */
/* lab.devmem_nic(host, interface, { queues =, split =, queue_ops =, checksum =, pack =, split_above =, split_late = }) */
static int new_nic(lua_State *L)
{
    struct lab_interface *interface = interface_at(L, 1, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    const struct devmem_nic_config c = {.queues = (uint32_t)field_number(L, 3, "queues", 4),
                                        .no_split = !field_bool(L, 3, "split", true),
                                        .no_queue_ops = !field_bool(L, 3, "queue_ops", true),
                                        .no_checksum = !field_bool(L, 3, "checksum", true),
                                        .pack = field_bool(L, 3, "pack", false),
                                        .split_above = (uint32_t)field_size(L, 3, "split_above", 0),
                                        .split_late = (uint32_t)field_size(L, 3, "split_late", 0)};
    return push_result(L, lab_devmem_nic_new(interface, &c));
}

static int unregister(lua_State *L)
{
    return push_result(L, lab_devmem_unregister(interface_at(L, 1, 2)));
}

static int set_split(lua_State *L)
{
    return push_result(L, devmem_nic_set_split(nic_at(L, 1, 2), lua_toboolean(L, 3)));
}

static int set_rss(lua_State *L)
{
    struct devmem_nic *nic = nic_at(L, 1, 2);
    return push_result(L, devmem_nic_set_rss(nic, (uint32_t)luaL_checkinteger(L, 3), (uint32_t)luaL_checkinteger(L, 4)));
}

/* lab.devmem_rule(host, interface, { port =, from_port =, queue = }) → number */
static int add_rule(lua_State *L)
{
    struct devmem_nic *nic = nic_at(L, 1, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    const struct devmem_rule rule = {.dport = (uint16_t)field_number(L, 3, "port", 0),
                                     .sport = (uint16_t)field_number(L, 3, "from_port", 0),
                                     .queue = (uint32_t)field_number(L, 3, "queue", 0)};
    return push_result(L, devmem_nic_add_rule(nic, &rule));
}

static int remove_rule(lua_State *L)
{
    return push_result(L, devmem_nic_remove_rule(nic_at(L, 1, 2), (int)luaL_checkinteger(L, 3)));
}

static int restart(lua_State *L)
{
    return push_result(L, devmem_queue_restart(nic_at(L, 1, 2), (uint32_t)luaL_checkinteger(L, 3)));
}

/* lab.devmem_queue(host, interface, queue) → table */
static int queue_info(lua_State *L)
{
    struct devmem_queue_info i = devmem_nic_queue(nic_at(L, 1, 2), (uint32_t)luaL_checkinteger(L, 3));
    lua_newtable(L);
    set_bool(L, "alive", i.alive);
    set_number(L, "dmabuf", i.dmabuf_id);
    set_number(L, "memory", i.memory_id);
    set_number(L, "packets", i.packets);
    set_number(L, "split", i.split);
    set_number(L, "no_memory", i.no_memory);
    set_number(L, "dead", i.dead);
    set_number(L, "restarts", i.restarts);
    return 1;
}

/* ---- buffers and bindings ---- */
static int new_buffer(lua_State *L)
{
    return push_result(L, lab_devmem_buffer_new(host_at(L, 1), arg_size(L, 2, "buffer")));
}

/* lab.devmem_read(host, buffer, offset, n) → bytes */
static int read_buffer(lua_State *L)
{
    luaL_Buffer b;
    struct lab_host *host = host_at(L, 1);
    lua_Integer offset = luaL_checkinteger(L, 3), n = luaL_checkinteger(L, 4);
    luaL_argcheck(L, offset >= 0, 3, "an offset in the buffer");
    luaL_argcheck(L, n >= 0 && n <= RECEIVE_MAX, 4, "0 to 16 MiB");
    char *to = luaL_buffinitsize(L, &b, (size_t)n);
    int error = lab_devmem_read(host, (int)luaL_checkinteger(L, 2), (uint64_t)offset, to, (size_t)n);
    luaL_pushresultsize(&b, error == 0 ? (size_t)n : 0);
    return error == 0 ? 1 : push_result(L, error);
}

static int close_fd(lua_State *L)
{
    return push_result(L, lab_devmem_close_fd(host_at(L, 1), (int)luaL_checkinteger(L, 2)));
}

static int open_netlink(lua_State *L)
{
    return push_result(L, lab_devmem_netlink_open(host_at(L, 1), lua_toboolean(L, 2)));
}

static int close_netlink(lua_State *L)
{
    return push_result(L, lab_devmem_netlink_close(host_at(L, 1), (int)luaL_checkinteger(L, 2)));
}

/* lab.devmem_bind(host, interface, { netlink =, buffer =, queues = { … }, type = }) → id */
static int bind(lua_State *L)
{
    struct devmem_queue_id queues[DEVMEM_QUEUES_MAX];
    luaL_checktype(L, 3, LUA_TTABLE);
    bool tx = strcmp(field_text(L, 3, "type", "rx"), "tx") == 0;
    struct lab_devmem_bind b = {.interface = interface_at(L, 1, 2),
                                .netlink = (int)field_number(L, 3, "netlink", 0),
                                .buffer = (int)field_number(L, 3, "buffer", 0),
                                .queues = queues};
    lua_getfield(L, 3, "queues");
    luaL_checktype(L, -1, LUA_TTABLE);
    lua_Integer n = luaL_len(L, -1);
    luaL_argcheck(L, n <= DEVMEM_QUEUES_MAX, 3, "too many queues");
    for (; b.count < (size_t)n; b.count++) {
        lua_rawgeti(L, -1, (lua_Integer)b.count + 1);
        queues[b.count] = (struct devmem_queue_id){tx ? DEVMEM_QUEUE_TX : DEVMEM_QUEUE_RX, (uint32_t)luaL_checkinteger(L, -1)};
        lua_pop(L, 1);
    }
    return push_result(L, lab_devmem_bind(host_at(L, 1), &b));
}

/* lab.devmem_binding(host, id) → table; nil: not known any more */
static int binding(lua_State *L)
{
    struct devmem *model = lab_host_devmem(host_at(L, 1));
    struct devmem_binding_info i = {.known = false};
    if (model != NULL)
        i = devmem_binding(model, (uint32_t)luaL_checkinteger(L, 2));
    if (!i.known)
        return 0;
    lua_newtable(L);
    set_bool(L, "bound", i.bound);
    set_bool(L, "device", i.ifindex != 0);
    set_number(L, "chunks", i.chunks);
    set_number(L, "available", i.available);
    return 1;
}

/* lab.devmem_state(host) → { buffers =, bindings =, pools =, skbs =, tap = { packets =, bytes =, readable = }, log = { … } } */
static int state(lua_State *L)
{
    struct lab_host *host = host_at(L, 1);
    struct devmem *model = lab_host_devmem(host);
    if (model == NULL)
        return luaL_error(L, "out of memory");
    struct devmem_objects o = devmem_objects(model);
    struct lab_devmem_tap tap = lab_devmem_tap(host);
    const char *text;
    uint32_t queue;
    lua_newtable(L);
    set_number(L, "buffers", o.buffers);
    set_number(L, "bindings", o.bindings);
    set_number(L, "pools", o.pools);
    set_number(L, "skbs", o.skbs);
    lua_newtable(L);
    set_number(L, "packets", tap.packets);
    set_number(L, "bytes", tap.bytes);
    set_number(L, "readable", tap.readable);
    lua_setfield(L, -2, "tap");
    lua_newtable(L);
    for (unsigned i = 0; (text = lab_devmem_note(host, i, &queue)) != NULL; i++) {
        lua_createtable(L, 0, 2);
        lua_pushstring(L, text);
        lua_setfield(L, -2, "text");
        set_number(L, "queue", queue);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "log");
    return 1;
}

/* lab.devmem_fault(host, step, { queue =, after =, times = }) */
static int add_fault(lua_State *L)
{
    static const char *const steps[] = {"get", "attach", "map", "chunks", "alloc", "stop", "start", "restore", NULL};
    struct lab_host *host = host_at(L, 1);
    int step = luaL_checkoption(L, 2, NULL, steps);
    luaL_checktype(L, 3, LUA_TTABLE);
    int error = lab_devmem_fault(host, (enum devmem_step)step, (uint32_t)field_number(L, 3, "queue", DEVMEM_NO_QUEUE),
                                 (uint32_t)field_number(L, 3, "after", 0), (uint32_t)field_number(L, 3, "times", 1));
    return error == 0 ? 0 : luaL_error(L, "no room for another fault");
}

/* ---- sockets ---- */
struct receive {
    struct lab_socket *socket;
    struct tcp_devmem_message message;
    struct tcp_devmem_iov iov;
    size_t control_room;
    uint32_t flags;
    int64_t result;
};

static bool received(struct run *run, void *ctx)
{
    struct receive *r = ctx;
    (void)run;
    r->message.control_length = r->control_room;
    r->result = lab_devmem_recv(r->socket, &r->message, r->flags);
    return r->result != DEVMEM_EAGAIN;
}

/* A piece of the stream on top of the stack; `copied` moves over host bytes. */
static void push_piece(lua_State *L, const struct tcp_devmem_cmsg *c, const char *host, size_t *copied)
{
    bool dmabuf = c->type == TCP_SCM_DEVMEM_DMABUF;
    lua_createtable(L, 0, 5);
    lua_pushstring(L, dmabuf ? "DMABUF" : "LINEAR");
    lua_setfield(L, -2, "kind");
    set_number(L, "size", c->frag_size);
    set_number(L, "offset", c->frag_offset);
    set_number(L, "token", c->frag_token);
    set_number(L, "dmabuf", c->dmabuf_id);
    if (!dmabuf) {
        lua_pushlstring(L, host + *copied, c->frag_size);
        lua_setfield(L, -2, "bytes");
        *copied += c->frag_size;
    }
}

/* The cmsgs in their order as `pieces`, those in device memory again as `fragments`; host bytes as `linear`, or `plain` when
 * there was no cmsg. */
static void push_message(lua_State *L, const struct receive *r)
{
    struct tcp_devmem_cmsg c;
    const char *host = r->iov.base;
    size_t at = 0, copied = 0;
    lua_Integer pieces = 0, fragments = 0;
    lua_createtable(L, 0, 6);
    set_number(L, "bytes", (uint64_t)r->result);
    set_bool(L, "truncated", (r->message.flags & TCP_MSG_CTRUNC) != 0);
    lua_newtable(L);
    lua_newtable(L);
    while (tcp_devmem_next_cmsg(r->message.control, r->message.control_length, &at, &c)) {
        push_piece(L, &c, host, &copied);
        if (c.type == TCP_SCM_DEVMEM_DMABUF) {
            lua_pushvalue(L, -1);
            lua_rawseti(L, -3, ++fragments);
        }
        lua_rawseti(L, -3, ++pieces);
    }
    lua_setfield(L, -3, "fragments");
    lua_setfield(L, -2, "pieces");
    lua_pushlstring(L, host, copied);
    lua_setfield(L, -2, "linear");
    lua_pushlstring(L, host, pieces == 0 ? (size_t)r->result : 0);
    lua_setfield(L, -2, "plain");
}

/* lab.devmem_receive(id, n, { control =, flag =, time = }) → table; nil and "END" or an error's name */
static int receive(lua_State *L)
{
    struct run *run = run_of(L);
    lua_Integer n = luaL_checkinteger(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    luaL_argcheck(L, n >= 1 && n <= RECEIVE_MAX, 2, "1 byte to 16 MiB");
    struct receive r = {.socket = socket_at(L, 1), .flags = TCP_MSG_DONTWAIT};
    if (field_bool(L, 3, "flag", true))
        r.flags |= TCP_MSG_SOCK_DEVMEM;
    r.control_room = (size_t)field_size(L, 3, "control", 64 * TCP_CMSG_SPACE);
    luaL_argcheck(L, r.control_room <= CMSGS_MAX * TCP_CMSG_SPACE, 3, "control: too large");
    r.iov = (struct tcp_devmem_iov){lua_newuserdatauv(L, (size_t)n, 0), (size_t)n};
    r.message = (struct tcp_devmem_message){.iov = &r.iov, .iov_count = 1, .control = lua_newuserdatauv(L, r.control_room + 1, 0)};
    uint64_t within = field_time(L, 3, "time", 0);
    if (within == 0)
        (void)received(run, &r);
    else
        (void)run_wait(run, received, &r, run_now(run) + within);
    if (r.result < 0)
        return push_result(L, r.result);
    if (r.result > 0) {
        push_message(L, &r);
        return 1;
    }
    lua_pushnil(L);
    lua_pushliteral(L, "END");
    return 2;
}

/* lab.devmem_dontneed(id, bytes) → how many were given back */
static int dontneed(lua_State *L)
{
    size_t length;
    struct lab_socket *s = socket_at(L, 1);
    const char *bytes = luaL_checklstring(L, 2, &length);
    return push_result(L, lab_devmem_dontneed(s, bytes, length));
}

static int socket_info(lua_State *L)
{
    struct tcp_devmem_info i = lab_devmem_info(socket_at(L, 1));
    lua_newtable(L);
    set_number(L, "tokens", i.tokens);
    set_number(L, "fragments", i.fragments);
    return 1;
}

void devmem_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"devmem_nic", new_nic},
                                         {"devmem_unregister", unregister},
                                         {"devmem_set_split", set_split},
                                         {"devmem_rss", set_rss},
                                         {"devmem_rule", add_rule},
                                         {"devmem_remove_rule", remove_rule},
                                         {"devmem_restart", restart},
                                         {"devmem_queue", queue_info},
                                         {"devmem_buffer", new_buffer},
                                         {"devmem_read", read_buffer},
                                         {"devmem_close_fd", close_fd},
                                         {"devmem_netlink", open_netlink},
                                         {"devmem_netlink_close", close_netlink},
                                         {"devmem_bind", bind},
                                         {"devmem_binding", binding},
                                         {"devmem_state", state},
                                         {"devmem_fault", add_fault},
                                         {"devmem_receive", receive},
                                         {"devmem_dontneed", dontneed},
                                         {"devmem_info", socket_info},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}

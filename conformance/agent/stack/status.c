/* The status socket's answers, in the lines of docs/agent.md; what they say is taken from the endpoint when it is asked.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/agent/stack/status.h"

#include "conformance/agent/agent_line.h"
#include "conformance/agent/stack/stack_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { ASKERS = 8, REQUEST = 256, EVENTS = ASKERS + 1, ANSWER_MOST = 16 << 20 };

struct asker {
    int fd; /* -1: nobody */
    uint64_t last; /* when it was heard of: a count */
    char line[REQUEST];
    size_t length;
    struct agent_text out;
    size_t done;
};

struct status {
    struct stack *stack;
    int epoll, listener;
    uint64_t count;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct asker askers[ASKERS];
};

/* ---- the answers ---- */
static const char *mode_name(const struct stack_socket *s)
{
    switch (stack_mode(s)) {
    case SMC_MODE_R: return "SMC-R";
    case SMC_MODE_D: return "SMC-D";
    case SMC_MODE_TCP: return "TCP";
    default: return "none";
    }
}

static const char *state_name(const struct stack_socket *s)
{
    if (s->stage == STAGE_LISTENING)
        return "LISTEN";
    if (s->closed && s->smc == NULL)
        return "CLOSED";
    if (s->smc == NULL || s->stage == STAGE_PLAIN)
        return s->stage == STAGE_CONNECTING ? "INIT" : "ACTIVE";
    struct smc_connection_info i;
    smc_connection_get_info(s->smc, &i);
    return i.mode == SMC_MODE_TCP ? "ACTIVE" : smc_state_name(i.state);
}

static void put_address(struct agent_text *out, const char *p, const char *name, int fd,
                        int (*get)(int fd, struct sockaddr *address, socklen_t *size))
{
    struct sockaddr_in a;
    socklen_t size = sizeof(a);
    char text[INET_ADDRSTRLEN];
    if (get(fd, (struct sockaddr *)&a, &size) == 0 && a.sin_family == AF_INET && inet_ntop(AF_INET, &a.sin_addr, text, sizeof(text)) != NULL)
        agent_text_print(out, " %s%s=%s %s%s_port=%u", p, name, text, p, name, ntohs(a.sin_port));
}

static void put_gid(struct agent_text *out, const char *p, const char *name, const struct smc_gid *gid)
{
    char text[INET6_ADDRSTRLEN];
    if (inet_ntop(AF_INET6, gid->bytes, text, sizeof(text)) != NULL)
        agent_text_print(out, " %s%s=%s", p, name, text);
}

static void put_cursor(struct agent_text *out, const char *p, const char *name, struct smc_cursor_info c)
{
    agent_text_print(out, " %s%s=%u:%" PRIu32, p, name, c.wrap, c.count);
}

static void put_info(struct agent_text *out, const char *p, const struct smc_connection_info *i)
{
    agent_text_print(out, " %sversion=%u %sgroup=0x%" PRIx32 " %slink=%u %srole=%s", p, i->version, p, i->group_id, p, i->link_number, p,
                     i->client ? "client" : "server");
    agent_text_print(out, " %stoken=0x%" PRIx32 " %ssndbuf=%" PRIu32 " %srmb=%" PRIu32 " %speer_rmb=%" PRIu32, p, i->alert_token, p,
                     i->sndbuf_bytes, p, i->rmb_bytes, p, i->peer_rmb_bytes);
    put_cursor(out, p, "rx_prod", i->rx_prod);
    put_cursor(out, p, "rx_cons", i->rx_cons);
    put_cursor(out, p, "tx_prod", i->tx_prod);
    put_cursor(out, p, "tx_cons", i->tx_cons);
    put_cursor(out, p, "tx_prep", i->tx_prep);
    put_cursor(out, p, "tx_sent", i->tx_sent);
    put_cursor(out, p, "tx_fin", i->tx_fin);
    agent_text_print(out, " %srx_flags=0x%x:0x%x %stx_flags=0x%x:0x%x", p, i->rx_prod_flags, i->rx_conn_flags, p, i->tx_prod_flags,
                     i->tx_conn_flags);
}

static void put_link_of(struct agent_text *out, const char *p, const struct smc_endpoint *endpoint, const struct smc_connection_info *i)
{
    struct smc_group_info g;
    for (unsigned n = 0; smc_endpoint_get_group(endpoint, n, &g); n++)
        for (unsigned k = 0; g.id == i->group_id && k < g.link_count; k++)
            if (g.links[k].number == i->link_number) {
                agent_text_print(out, " %sport=%u", p, g.links[k].port);
                agent_text_print(out, " %sdevice=", p);
                agent_text_value(out, g.links[k].device, strlen(g.links[k].device));
                put_gid(out, p, "gid", &g.links[k].gid);
                put_gid(out, p, "peer_gid", &g.links[k].peer_gid);
            }
}

static void put_socket(struct agent_text *out, const char *p, const struct stack_socket *s)
{
    struct stat file;
    uint32_t peer = 0, fallback = stack_fallback(s, &peer);
    agent_text_print(out, " %smode=%s %sstate=%s", p, mode_name(s), p, state_name(s));
    if (s->fd >= 0 && fstat(s->fd, &file) == 0)
        agent_text_print(out, " %sinode=%" PRIu64 " %suid=%u", p, (uint64_t)file.st_ino, p, (unsigned)getuid());
    if (s->fd >= 0) {
        put_address(out, p, "own", s->fd, getsockname);
        put_address(out, p, "peer", s->fd, getpeername);
    }
    if (fallback != 0)
        agent_text_print(out, " %sfallback=0x%08" PRIx32 " %speer_diagnosis=0x%08" PRIx32, p, fallback, p, peer);
    if (s->smc == NULL || s->stage == STAGE_PLAIN)
        return;
    struct smc_connection_info i;
    smc_connection_get_info(s->smc, &i);
    if (i.mode != SMC_MODE_R && i.mode != SMC_MODE_D)
        return;
    put_info(out, p, &i);
    if (i.mode == SMC_MODE_R)
        put_link_of(out, p, s->stack->endpoint, &i);
}

static void put_hello(const struct stack *stack, struct agent_text *out)
{
    agent_text_print(out, " protocol=1 smc=1 init=0 now=%" PRIu64, stack_now_ns());
    agent_text_pair(out, "kernel", "libsmc");
    agent_text_pair(out, "host", stack->config.hostname != NULL ? stack->config.hostname : "");
}

static void put_connections(const struct stack *stack, struct agent_text *out)
{
    unsigned count = 0;
    char prefix[16];
    for (const struct stack_socket *s = stack->sockets; s != NULL; s = s->next) {
        if (s->stage == STAGE_OVER || s->family != STACK_SMC)
            continue;
        snprintf(prefix, sizeof(prefix), "%u.", ++count);
        put_socket(out, prefix, s);
    }
    agent_text_print(out, " count=%u", count);
}

static void put_groups(const struct stack *stack, struct agent_text *out)
{
    struct smc_group_info g;
    unsigned n = 0;
    for (; smc_endpoint_get_group(stack->endpoint, n, &g); n++) {
        agent_text_print(out, " %u.kind=%s %u.id=0x%" PRIx32 " %u.role=%d %u.type=%d %u.vlan=%u %u.connections=%" PRIu32, n + 1,
                         g.smc_d ? "SMC-D" : "SMC-R", n + 1, g.id, n + 1, !g.client, n + 1, (int)g.type, n + 1,
                         g.vlan_valid ? g.vlan_id : 0, n + 1, g.connections);
        agent_text_print(out, " %u.version=%u %u.release=%u %u.max_conns=%" PRIu32 " %u.max_links=%" PRIu32, n + 1, g.version, n + 1,
                         g.release, n + 1, g.max_conns, n + 1, g.max_links);
    }
    agent_text_print(out, " count=%u", n);
}

/* As the kernel numbers them. */
static unsigned state_number(enum smc_link_state state)
{
    return state == SMC_LINK_ACTIVE ? 3 : state == SMC_LINK_ACTIVATING ? 2 : state == SMC_LINK_INACTIVE ? 1 : 0;
}

static void put_links(const struct stack *stack, struct agent_text *out)
{
    struct smc_group_info g;
    unsigned count = 0;
    char p[16];
    for (unsigned n = 0; smc_endpoint_get_group(stack->endpoint, n, &g); n++)
        for (unsigned k = 0; k < g.link_count; k++) {
            const struct smc_link_info *l = &g.links[k];
            snprintf(p, sizeof(p), "%u.", ++count);
            agent_text_print(out, " %sgroup=0x%" PRIx32 " %snumber=%u %sstate=%u %sport=%u %sconnections=%" PRIu32, p, g.id, p, l->number, p,
                             state_number(l->state), p, l->port, p, l->connections);
            agent_text_print(out, " %sdevice=", p);
            agent_text_value(out, l->device, strlen(l->device));
            put_gid(out, p, "gid", &l->gid);
            put_gid(out, p, "peer_gid", &l->peer_gid);
        }
    agent_text_print(out, " count=%u", count);
}

static void put_sizes(struct agent_text *out, const char *path, const char *name, const uint64_t sizes[SMC_STATS_SIZES])
{
    static const char *const names[SMC_STATS_SIZES] = {"8k", "16k", "32k", "64k", "128k", "256k", "512k", "1024k", "more"};
    for (unsigned i = 0; i < SMC_STATS_SIZES; i++)
        agent_text_print(out, " 1.%s.%s.%s=%" PRIu64, path, name, names[i], sizes[i]);
}

static void put_path(struct agent_text *out, const char *path, const struct smc_path_counters *c)
{
    const struct {
        const char *name;
        uint64_t value;
    } all[] = {
        {"client_v1", c->connections_v1}, {"client_v2", c->connections_v2}, {"rx_bytes", c->rx_bytes}, {"tx_bytes", c->tx_bytes},
        {"rx_calls", c->rx_requests}, {"tx_calls", c->tx_requests}, {"urgent", c->urgent_sent + c->urgent_received},
        {"cork", c->cork}, {"nodelay", c->nodelay}, {"sendpage", c->sendpage}, {"splice", c->splice},
        {"rx.too_small", c->rx_buffer_small}, {"rx.too_small_peer", c->rx_buffer_small_peer}, {"rx.full", c->rx_buffer_full},
        {"rx.reused", c->rx_buffer_reuse}, {"rx.allocated", c->rx_buffer_alloc}, {"rx.downgraded", c->rx_buffer_downgraded},
        {"tx.too_small", c->tx_buffer_small}, {"tx.too_small_peer", c->tx_buffer_small_peer}, {"tx.full", c->tx_buffer_full},
        {"tx.full_peer", c->tx_buffer_full_peer}, {"tx.reused", c->tx_buffer_reuse}, {"tx.allocated", c->tx_buffer_alloc},
        {"tx.downgraded", c->tx_buffer_downgraded},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        agent_text_print(out, " 1.%s.%s=%" PRIu64, path, all[i].name, all[i].value);
    put_sizes(out, path, "rx_size", c->rx_size);
    put_sizes(out, path, "tx_size", c->tx_size);
    put_sizes(out, path, "rx_rmb_size", c->rx_rmb_size);
    put_sizes(out, path, "tx_rmb_size", c->tx_rmb_size);
}

static void put_stats(const struct stack *stack, struct agent_text *out)
{
    const struct smc_counters *c = smc_endpoint_counters(stack->endpoint);
    put_path(out, "smcr", &c->r);
    put_path(out, "smcd", &c->d);
    agent_text_print(out, " 1.client_handshake_errors=%" PRIu64 " count=1", c->handshake_errors);
}

static void put_fallbacks(const struct stack *stack, struct agent_text *out)
{
    const struct smc_counters *c = smc_endpoint_counters(stack->endpoint);
    unsigned count = 0;
    for (unsigned i = 0; i < 2 * SMC_STATS_REASONS; i++) {
        bool server = i >= SMC_STATS_REASONS;
        unsigned k = i % SMC_STATS_REASONS;
        uint32_t code = server ? c->server_reasons[k].code : c->client_reasons[k].code;
        uint64_t times = server ? c->server_reasons[k].count : c->client_reasons[k].count;
        if (times == 0)
            continue;
        count++;
        agent_text_print(out, " %u.server=%d %u.servers=%" PRIu64 " %u.clients=%" PRIu64 " %u.reason=0x%" PRIx32 " %u.count=%" PRIu64, count,
                         server, count, c->server_fallbacks, count, c->client_fallbacks, count, code, count, times);
    }
    agent_text_print(out, " count=%u", count);
}

static void answer(struct status *status, struct agent_text *out, char *text, size_t length)
{
    static const struct {
        const char *verb;
        void (*put)(const struct stack *stack, struct agent_text *out);
    } verbs[] = {{"hello", put_hello}, {"connections", put_connections}, {"groups", put_groups},
                 {"links", put_links}, {"stats", put_stats},             {"fallbacks", put_fallbacks}};
    struct agent_line line;
    const char *wrong = agent_line_parse(text, length, &line);
    for (size_t i = 0; wrong == NULL && i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(verbs[i].verb, line.verb) == 0) {
            agent_text_print(out, "%" PRIu64 " ok", line.number);
            verbs[i].put(status->stack, out);
            agent_text_add(out, "\n", 1);
            return;
        }
    agent_text_print(out, "%" PRIu64 " error EINVAL %s\n", line.number,
                     wrong != NULL ? wrong : "an endpoint answers hello, connections, groups, links, stats, fallbacks");
}

/* ---- who asks ---- */
static void drop(struct asker *k)
{
    if (k->fd >= 0)
        close(k->fd);
    agent_text_free(&k->out);
    *k = (struct asker){.fd = -1};
}

static void watch(struct status *status, struct asker *k, int how)
{
    struct epoll_event event = {.events = k->done < k->out.length ? EPOLLOUT : EPOLLIN, .data.ptr = k};
    if (epoll_ctl(status->epoll, how, k->fd, &event) != 0)
        drop(k);
}

/* Where all seats are taken, whoever has been silent longest goes. */
static void take_asker(struct status *status)
{
    struct asker *seat = status->askers;
    int fd = accept4(status->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    for (struct asker *k = status->askers; k < status->askers + ASKERS; k++)
        if (seat->fd >= 0 && (k->fd < 0 || k->last < seat->last))
            seat = k;
    drop(seat);
    seat->fd = fd;
    seat->last = ++status->count;
    watch(status, seat, EPOLL_CTL_ADD);
}

/* False: it is gone, or says what nobody can read. */
static bool read_request(struct status *status, struct asker *k)
{
    ssize_t n = read(k->fd, k->line + k->length, sizeof(k->line) - 1 - k->length);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    k->length += (size_t)n;
    k->last = ++status->count;
    for (char *end; (end = memchr(k->line, '\n', k->length)) != NULL;) {
        size_t used = (size_t)(end - k->line) + 1;
        *end = '\0';
        answer(status, &k->out, k->line, used - 1);
        k->length -= used;
        memmove(k->line, k->line + used, k->length);
    }
    return k->length < sizeof(k->line) - 1 && !k->out.failed && k->out.length < ANSWER_MOST;
}

static bool write_answer(struct asker *k)
{
    ssize_t n = send(k->fd, k->out.p + k->done, k->out.length - k->done, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    k->done += (size_t)n;
    if (k->done == k->out.length)
        k->done = k->out.length = 0;
    return true;
}

static void ready(void *user, uint64_t now_ns)
{
    struct status *status = user;
    struct epoll_event events[EVENTS];
    int n = epoll_wait(status->epoll, events, EVENTS, 0);
    bool newcomer = false;
    (void)now_ns;
    for (int i = 0; i < n; i++) {
        struct asker *k = events[i].data.ptr;
        if (k == NULL) {
            newcomer = true; /* after all others: he may get the seat of one of them */
            continue;
        }
        bool fine = k->fd >= 0 && ((events[i].events & EPOLLOUT) != 0 ? write_answer(k) : read_request(status, k));
        if (!fine)
            drop(k);
        else
            watch(status, k, EPOLL_CTL_MOD);
    }
    if (newcomer)
        take_asker(status);
}

/* ---- beginning and end ---- */
static int begin(struct status *status, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct epoll_event event = {.events = EPOLLIN};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    status->epoll = epoll_create1(EPOLL_CLOEXEC);
    status->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (status->epoll < 0 || status->listener < 0)
        return SMC_ERR_IO;
    mode_t mask = umask(0177);
    bool bound = bind(status->listener, (struct sockaddr *)&address, sizeof(address)) == 0;
    umask(mask);
    if (!bound)
        return SMC_ERR_IO;
    snprintf(status->path, sizeof(status->path), "%s", path);
    if (listen(status->listener, ASKERS) != 0 || epoll_ctl(status->epoll, EPOLL_CTL_ADD, status->listener, &event) != 0)
        return SMC_ERR_IO;
    return stack_add_part(status->stack, &(struct stack_part){.fd = status->epoll, .ready = ready, .user = status});
}

int status_open(struct stack *stack, const char *path, struct status **out)
{
    struct status *status;
    if (strlen(path) >= sizeof(status->path))
        return SMC_ERR_ARGUMENT;
    status = calloc(1, sizeof(*status));
    if (status == NULL)
        return SMC_ERR_NOMEM;
    status->stack = stack;
    status->epoll = status->listener = -1;
    for (unsigned i = 0; i < ASKERS; i++)
        status->askers[i].fd = -1;
    int error = begin(status, path), why = errno;
    if (error == 0)
        *out = status;
    else
        status_close(status);
    errno = why;
    return error;
}

void status_close(struct status *status)
{
    if (status == NULL)
        return;
    for (unsigned i = 0; i < ASKERS; i++)
        drop(&status->askers[i]);
    if (status->listener >= 0)
        close(status->listener);
    if (status->epoll >= 0)
        close(status->epoll);
    if (status->path[0] != '\0')
        unlink(status->path);
    free(status);
}

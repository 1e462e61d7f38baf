/* The agent's socket verbs: AF_SMC, IPPROTO_SMC and TCP sockets do what the asker says; their edges become events.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "agent_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/sockios.h>

enum { RECV_MOST = 500000, BACKLOG = 4096 };
#define OPTIONS "nodelay cork oobinline keepalive linger rcvbuf sndbuf process"

static struct agent_socket *find(struct agent *a, uint64_t id)
{
    for (struct agent_socket *s = a->sockets; s != NULL; s = s->next)
        if (s->id == id)
            return s;
    return NULL;
}

static int need_socket(struct agent *a, const struct agent_line *line, struct agent_socket **out)
{
    uint64_t id = 0;
    int status = agent_need_number(a, line, "id", UINT64_MAX, &id);
    if (status != 0)
        return status;
    *out = find(a, id);
    return *out != NULL ? 0 : agent_fail(a, EBADF, "there is no socket %" PRIu64, id);
}

/* ---- Events ---- */
static uint32_t wanted(const struct agent_socket *s)
{
    if (s->listening)
        return EPOLLIN;
    if (s->connecting)
        return EPOLLOUT;
    uint32_t in = s->traffic != NULL ? agent_traffic_interest(s->traffic)
                                     : (s->told_readable ? 0u : EPOLLIN) | (s->told_writable ? 0u : EPOLLOUT);
    return in | (s->told_urgent ? 0u : EPOLLPRI) | (s->told_eof ? 0u : EPOLLRDHUP);
}

/* Edge-triggered, so that a hang-up that lasts costs nothing; MOD looks again at what is there now. */
void agent_socket_arm(struct agent *a, struct agent_socket *s)
{
    struct epoll_event event = {.events = wanted(s) | EPOLLET, .data = {.ptr = &s->source}};
    epoll_ctl(a->epoll, EPOLL_CTL_MOD, s->source.fd, &event);
}

static int take_error(const struct agent_socket *s)
{
    int error = 0;
    socklen_t size = sizeof(error);
    return getsockopt(s->source.fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

/* What is new among these events, as the asker's list; *error is that of the socket. */
static const char *news(struct agent_socket *s, uint32_t events, char list[96], int *error)
{
    const struct {
        uint32_t bit;
        bool *told;
        const char *name;
    } edges[] = {
        {EPOLLIN, &s->told_readable, "readable"}, {EPOLLOUT, &s->told_writable, "writable"},
        {EPOLLPRI, &s->told_urgent, "urgent"},    {EPOLLRDHUP, &s->told_eof, "eof"},
        {EPOLLERR, &s->told_error, "error"},
    };
    size_t at = 0;
    *error = 0;
    list[0] = '\0';
    if (s->connecting && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
        *error = take_error(s);
        s->connecting = false;
        if (*error == 0)
            at += (size_t)snprintf(list, 96, "connected,");
        else
            events |= EPOLLERR;
    }
    if (s->traffic != NULL)
        events &= ~(uint32_t)(EPOLLIN | EPOLLOUT);
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        if ((events & edges[i].bit) == 0 || *edges[i].told)
            continue;
        *edges[i].told = true;
        at += (size_t)snprintf(list + at, 96 - at, "%s,", edges[i].name);
        if (edges[i].bit == EPOLLERR && *error == 0)
            *error = take_error(s);
    }
    if (at > 0)
        list[at - 1] = '\0';
    return list;
}

static void socket_ready(struct agent *a, struct agent_source *source, uint32_t events)
{
    struct agent_socket *s = (struct agent_socket *)source;
    char list[96];
    int error;
    if (*news(s, events, list, &error) != '\0') {
        if (error != 0)
            agent_event(a, "socket id=%" PRIu64 " events=%s error=%s", s->id, list, agent_error_name(error));
        else
            agent_event(a, "socket id=%" PRIu64 " events=%s", s->id, list);
    }
    if (s->traffic != NULL)
        agent_traffic_progress(a, s);
    if (s->source.fd >= 0)
        agent_socket_arm(a, s);
}

/* ---- Making and ending them ---- */
static struct agent_socket *add_socket(struct agent *a, int fd, uint64_t id, bool smc)
{
    struct agent_socket *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->source = (struct agent_source){.fd = fd, .ready = socket_ready};
    s->id = id;
    s->smc = smc;
    s->next = a->sockets;
    a->sockets = s;
    return s;
}

/* Out of the list; its memory goes when the loop is through with this round. */
static void bury(struct agent *a, struct agent_socket *s)
{
    for (struct agent_socket **p = &a->sockets; *p != NULL; p = &(*p)->next)
        if (*p == s) {
            *p = s->next;
            break;
        }
    s->source.fd = -1;
    s->next = a->dead;
    a->dead = s;
}

void agent_socket_close(struct agent *a, struct agent_socket *s, bool abort)
{
    agent_unwatch(a, &s->source);
    if (abort) {
        struct linger linger = {.l_onoff = 1, .l_linger = 0};
        setsockopt(s->source.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    }
    (void)agent_slow_close(s);
    bury(a, s);
}

void agent_sockets_close_all(struct agent *a)
{
    while (a->sockets != NULL)
        agent_socket_close(a, a->sockets, true);
}

void agent_sockets_bury(struct agent *a)
{
    while (a->dead != NULL) {
        struct agent_socket *s = a->dead;
        a->dead = s->next;
        agent_traffic_free(s->traffic);
        free(s);
    }
}

uint64_t agent_sockets_next_ns(const struct agent *a)
{
    uint64_t next = UINT64_MAX;
    for (const struct agent_socket *s = a->sockets; s != NULL; s = s->next) {
        uint64_t at = s->traffic != NULL ? agent_traffic_next_ns(s->traffic) : UINT64_MAX;
        next = at < next ? at : next;
    }
    return next;
}

void agent_sockets_tick(struct agent *a)
{
    uint64_t now = 0;
    for (struct agent_socket *s = a->sockets, *next; s != NULL; s = next) {
        next = s->next;
        if (s->traffic == NULL || agent_traffic_next_ns(s->traffic) == UINT64_MAX)
            continue;
        if (now == 0)
            now = agent_now_ns();
        agent_traffic_tick(a, s, now);
    }
}

/* ---- Options ---- */
static int set_linger(struct agent *a, int fd, const char *text)
{
    char *end;
    long seconds = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || seconds < -1 || seconds > 65535)
        return agent_fail(a, EINVAL, "linger is a number of seconds, or -1");
    struct linger linger = {.l_onoff = seconds >= 0, .l_linger = seconds >= 0 ? (int)seconds : 0};
    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0 ? 0 : errno;
}

static int set_options(struct agent *a, int fd, const struct agent_line *line)
{
    static const struct {
        const char *name;
        int level, option;
        uint64_t most;
    } all[] = {
        {"nodelay", IPPROTO_TCP, TCP_NODELAY, 1},    {"cork", IPPROTO_TCP, TCP_CORK, 1},
        {"oobinline", SOL_SOCKET, SO_OOBINLINE, 1},  {"keepalive", SOL_SOCKET, SO_KEEPALIVE, 1},
        {"rcvbuf", SOL_SOCKET, SO_RCVBUF, 1 << 30},  {"sndbuf", SOL_SOCKET, SO_SNDBUF, 1 << 30},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        uint64_t number = UINT64_MAX;
        int status = agent_may_number(a, line, all[i].name, all[i].most, &number);
        int value = (int)number;
        if (status == 0 && number != UINT64_MAX && setsockopt(fd, all[i].level, all[i].option, &value, sizeof(value)) != 0)
            status = errno;
        if (status != 0)
            return status;
    }
    const char *linger = agent_line_get(line, "linger");
    return linger != NULL ? set_linger(a, fd, linger) : 0;
}

/* ---- Opening ---- */
union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static int fill_address(struct agent *a, const char *text, uint64_t port, union address *out, socklen_t *size)
{
    memset(out, 0, sizeof(*out));
    if (strchr(text, ':') != NULL) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons((uint16_t)port);
        *size = sizeof(out->v6);
        if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1)
            return 0;
    } else {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons((uint16_t)port);
        *size = sizeof(out->v4);
        if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1)
            return 0;
    }
    return agent_fail(a, EINVAL, "'%.60s' is not an address", text);
}

static int open_fd(struct agent *a, const char *family, int ip, bool *smc)
{
    *smc = strcmp(family, "tcp") != 0;
    if (strcmp(family, "smc") == 0)
        return socket(AF_SMC, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, ip == AF_INET6 ? 1 : 0);
    if (strcmp(family, "ipproto") == 0)
        return socket(ip, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, AGENT_IPPROTO_SMC);
    if (strcmp(family, "tcp") == 0)
        return socket(ip, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    errno = agent_fail(a, EINVAL, "family is smc, ipproto or tcp");
    return -1;
}

struct opening {
    uint64_t id, port;
    union address address, from;
    socklen_t size, from_size; /* from_size 0: not given */
    int fd;
    bool smc;
};

static int open_socket(struct agent *a, const struct agent_line *line, struct opening *o)
{
    const char *address, *family = agent_line_get(line, "family"), *from = agent_line_get(line, "from");
    memset(o, 0, sizeof(*o));
    o->fd = -1;
    int status = agent_need_number(a, line, "id", AGENT_FIRST_ACCEPTED - 1, &o->id);
    if (status == 0)
        status = agent_need_number(a, line, "port", 65535, &o->port);
    if (status == 0)
        status = agent_need(a, line, "address", &address);
    if (status == 0)
        status = fill_address(a, address, o->port, &o->address, &o->size);
    if (status == 0 && from != NULL)
        status = fill_address(a, from, 0, &o->from, &o->from_size);
    if (status == 0 && find(a, o->id) != NULL)
        status = agent_fail(a, EEXIST, "there is a socket %" PRIu64, o->id);
    if (status != 0)
        return status;
    o->fd = open_fd(a, family != NULL ? family : "smc", o->address.any.sa_family, &o->smc);
    return o->fd >= 0 ? set_options(a, o->fd, line) : errno;
}

static int watch_socket(struct agent *a, struct agent_socket *s)
{
    int status = agent_watch(a, &s->source, wanted(s) | EPOLLET);
    if (status != 0)
        agent_socket_close(a, s, true);
    return status;
}

static void accept_ready(struct agent *a, struct agent_source *source, uint32_t events)
{
    struct agent_socket *listener = (struct agent_socket *)source;
    union address peer;
    (void)events;
    for (;;) {
        socklen_t size = sizeof(peer);
        char text[INET6_ADDRSTRLEN] = "";
        memset(&peer, 0, sizeof(peer));
        int fd = accept4(source->fd, &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK)
                agent_event(a, "socket id=%" PRIu64 " events=error error=%s", listener->id, agent_error_name(errno));
            return;
        }
        struct agent_socket *s = add_socket(a, fd, a->next_accepted++, listener->smc);
        if (s == NULL) {
            close(fd);
            return;
        }
        bool v6 = peer.any.sa_family == AF_INET6;
        inet_ntop(v6 ? AF_INET6 : AF_INET, v6 ? (void *)&peer.v6.sin6_addr : (void *)&peer.v4.sin_addr, text, sizeof(text));
        agent_event(a, "accepted listener=%" PRIu64 " id=%" PRIu64 " peer=%s port=%u", listener->id, s->id, text,
                    ntohs(v6 ? peer.v6.sin6_port : peer.v4.sin_port));
        s->told_writable = true; /* an accepted one is connected and writable: no event says so */
        (void)watch_socket(a, s);
    }
}

static int listen_on(struct agent *a, struct opening *o)
{
    int one = 1;
    setsockopt(o->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(o->fd, &o->address.any, o->size) != 0 || listen(o->fd, BACKLOG) != 0)
        return errno;
    struct agent_socket *s = add_socket(a, o->fd, o->id, o->smc);
    if (s == NULL)
        return ENOMEM;
    o->fd = -1;
    s->listening = true;
    s->source.ready = accept_ready;
    return watch_socket(a, s);
}

static int connect_to(struct agent *a, struct opening *o)
{
    if (o->from_size > 0 && bind(o->fd, &o->from.any, o->from_size) != 0)
        return errno;
    bool now = connect(o->fd, &o->address.any, o->size) == 0;
    if (!now && errno != EINPROGRESS)
        return errno;
    struct agent_socket *s = add_socket(a, o->fd, o->id, o->smc);
    if (s == NULL)
        return ENOMEM;
    o->fd = -1;
    s->connecting = true;
    return watch_socket(a, s);
}

/* Opens what the line describes, here or in a process of its own, and lets `begin` take the descriptor. */
static int open_and(struct agent *a, const struct agent_line *line, struct agent_text *answer,
                    int (*begin)(struct agent *a, struct opening *o))
{
    struct opening o;
    uint64_t process = 0;
    int status = agent_may_number(a, line, "process", 1, &process);
    if (status != 0)
        return status;
    if (process == 1 && !a->child)
        return agent_child_start(a, line, answer);
    status = open_socket(a, line, &o);
    if (status == 0)
        status = begin(a, &o);
    if (o.fd >= 0)
        close(o.fd);
    return status;
}

static int verb_listen(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    return open_and(a, line, answer, listen_on);
}

static int verb_connect(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    return open_and(a, line, answer, connect_to);
}

/* ---- Data ---- */
static int verb_send(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct agent_socket *s;
    const char *hex;
    uint64_t oob = 0, more = 0;
    int status = need_socket(a, line, &s);
    if (status == 0)
        status = agent_need(a, line, "bytes", &hex);
    if (status == 0)
        status = agent_may_number(a, line, "oob", 1, &oob);
    if (status == 0)
        status = agent_may_number(a, line, "more", 1, &more);
    if (status != 0)
        return status;
    size_t digits = strlen(hex);
    char *bytes = malloc(digits + 1);
    if (bytes == NULL)
        return ENOMEM;
    memcpy(bytes, hex, digits + 1);
    long n = agent_unhex(bytes);
    ssize_t taken = n < 0 ? 0 : send(s->source.fd, bytes, (size_t)n,
                                     MSG_DONTWAIT | MSG_NOSIGNAL | (oob ? MSG_OOB : 0) | (more ? MSG_MORE : 0));
    status = n < 0 ? agent_fail(a, EINVAL, "bytes are pairs of hex digits") : taken < 0 ? errno : 0;
    free(bytes);
    if (n >= 0 && taken < n) { /* full: room is news again */
        s->told_writable = false;
        agent_socket_arm(a, s);
    }
    if (status == 0)
        agent_text_print(answer, " n=%zd", taken);
    return status;
}

static int receive(struct agent *a, struct agent_socket *s, size_t most, int flags, struct agent_text *answer)
{
    uint8_t *bytes = malloc(most > 0 ? most : 1);
    if (bytes == NULL)
        return ENOMEM;
    ssize_t n = recv(s->source.fd, bytes, most, MSG_DONTWAIT | flags);
    int status = n < 0 ? errno : 0;
    if (n >= 0) {
        agent_text_print(answer, " n=%zd bytes=", n);
        agent_text_hex(answer, bytes, (size_t)n);
        if (n == 0 && most > 0)
            agent_text_print(answer, " eof=1");
    }
    free(bytes);
    if ((flags & MSG_OOB) != 0)
        s->told_urgent = false;
    else if (n != 0) /* the end stays the end */
        s->told_readable = false;
    agent_socket_arm(a, s);
    return status;
}

static int verb_recv(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct agent_socket *s;
    uint64_t most = 65536, peek = 0, oob = 0;
    int status = need_socket(a, line, &s);
    if (status == 0)
        status = agent_may_number(a, line, "max", RECV_MOST, &most);
    if (status == 0)
        status = agent_may_number(a, line, "peek", 1, &peek);
    if (status == 0)
        status = agent_may_number(a, line, "oob", 1, &oob);
    if (status != 0)
        return status;
    return receive(a, s, (size_t)most, (peek ? MSG_PEEK : 0) | (oob ? MSG_OOB : 0), answer);
}

static uint64_t inode_of(const struct agent_socket *s)
{
    struct stat st;
    return fstat(s->source.fd, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

/* An estimate: what the buffer holds at most, less what is in it. */
static int verb_room(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct agent_socket *s;
    int queued = 0, buffer = 0, status = need_socket(a, line, &s);
    socklen_t size = sizeof(buffer);
    if (status != 0)
        return status;
    if (s->smc && s->sndbuf == 0) {
        struct agent_diag d = {.inode = inode_of(s)};
        if (agent_diag_find(a, &d) == 0)
            s->sndbuf = d.sndbuf;
        a->why[0] = '\0';
    }
    if (ioctl(s->source.fd, SIOCOUTQ, &queued) != 0 || getsockopt(s->source.fd, SOL_SOCKET, SO_SNDBUF, &buffer, &size) != 0)
        return errno;
    if (s->sndbuf != 0)
        buffer = (int)s->sndbuf;
    agent_text_print(answer, " n=%d", buffer > queued ? buffer - queued : 0);
    return 0;
}

static int verb_shutdown(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct agent_socket *s;
    const char *how;
    bool pending;
    int status = need_socket(a, line, &s);
    if (status == 0)
        status = agent_need(a, line, "how", &how);
    if (status != 0)
        return status;
    int number = strcmp(how, "read") == 0 ? SHUT_RD : strcmp(how, "write") == 0 ? SHUT_WR : strcmp(how, "both") == 0 ? SHUT_RDWR : -1;
    if (number < 0)
        return agent_fail(a, EINVAL, "how is read, write or both");
    status = agent_slow_shutdown(s, number, &pending);
    if (pending)
        agent_text_print(answer, " pending=1");
    return status;
}

static int verb_close(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct agent_socket *s;
    int status = need_socket(a, line, &s);
    (void)answer;
    if (status == 0)
        agent_socket_close(a, s, strcmp(line->verb, "abort") == 0);
    return status;
}

static int verb_kill(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct agent_socket *s;
    int status = need_socket(a, line, &s);
    (void)answer; /* one that a child holds does not come here */
    return status != 0 ? status : agent_fail(a, EPERM, "only the process of a socket with process=1 can be killed");
}

static int verb_set(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct agent_socket *s;
    int status = need_socket(a, line, &s);
    (void)answer;
    return status != 0 ? status : set_options(a, s->source.fd, line);
}

/* ---- Looking ---- */
static void put_tcp(const struct agent_socket *s, struct agent_text *answer)
{
    static const char *const names[] = {"", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE",
                                        "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING"};
    struct tcp_info info;
    socklen_t size = sizeof(info);
    memset(&info, 0, sizeof(info));
    if (getsockopt(s->source.fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || info.tcpi_state >= sizeof(names) / sizeof(names[0]))
        return;
    agent_text_print(answer, " tcp=%s", names[info.tcpi_state]);
}

static void put_name(struct agent_text *answer, const char *name, const union address *a)
{
    char text[INET6_ADDRSTRLEN] = "";
    bool v6 = a->any.sa_family == AF_INET6;
    inet_ntop(v6 ? AF_INET6 : AF_INET, v6 ? (const void *)&a->v6.sin6_addr : (const void *)&a->v4.sin_addr, text, sizeof(text));
    agent_text_print(answer, " %s=%s %s_port=%u", name, text, name, ntohs(v6 ? a->v6.sin6_port : a->v4.sin_port));
}

static void put_names(const struct agent_socket *s, struct agent_text *answer)
{
    union address a;
    socklen_t size = sizeof(a);
    memset(&a, 0, sizeof(a));
    if (getsockname(s->source.fd, &a.any, &size) == 0)
        put_name(answer, "own", &a);
    size = sizeof(a);
    memset(&a, 0, sizeof(a));
    if (getpeername(s->source.fd, &a.any, &size) == 0)
        put_name(answer, "peer", &a);
}

static int verb_info(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct agent_socket *s;
    int mark = 0, status = need_socket(a, line, &s);
    if (status != 0)
        return status;
    struct agent_diag d = {.inode = inode_of(s), .out = answer};
    if (s->smc && (status = agent_diag_find(a, &d)) != 0)
        return status;
    if (!d.found)
        agent_text_print(answer, " mode=%s state=%s", s->smc ? "none" : "TCP", s->smc ? "CLOSED" : "TCP");
    if (d.link != 0)
        agent_smc_print_group(&d, answer);
    put_names(s, answer);
    put_tcp(s, answer);
    if (ioctl(s->source.fd, SIOCATMARK, &mark) == 0)
        agent_text_print(answer, " mark=%d", mark != 0);
    return 0;
}

static int verb_connections(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    (void)line;
    return agent_diag_all(a, answer);
}

static int verb_traffic(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct agent_socket *s;
    int status = need_socket(a, line, &s);
    (void)answer;
    if (status == 0 && s->traffic != NULL)
        status = agent_fail(a, EEXIST, "socket %" PRIu64 " has its traffic already", s->id);
    if (status == 0)
        status = agent_traffic_start(a, s, line);
    return status;
}

static int verb_traffic_get(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct agent_socket *s;
    int status = need_socket(a, line, &s);
    if (status == 0 && s->traffic == NULL)
        status = agent_fail(a, ENOENT, "socket %" PRIu64 " has no traffic", s->id);
    if (status == 0)
        agent_traffic_print(s->traffic, answer);
    return status;
}

static int verb_traffic_stop(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct agent_socket *s;
    int status = need_socket(a, line, &s);
    (void)answer;
    if (status != 0)
        return status;
    agent_traffic_free(s->traffic);
    s->traffic = NULL;
    s->told_readable = s->told_writable = false;
    agent_socket_arm(a, s);
    return 0;
}

const struct agent_verb agent_verbs_socket[] = {
    {"listen", "id address port family " OPTIONS, verb_listen},
    {"connect", "id address port family from " OPTIONS, verb_connect},
    {"send", "id bytes oob more", verb_send},
    {"recv", "id max peek oob", verb_recv},
    {"room", "id", verb_room},
    {"shutdown", "id how", verb_shutdown},
    {"close", "id", verb_close},
    {"abort", "id", verb_close},
    {"kill", "id", verb_kill},
    {"set", "id nodelay cork oobinline keepalive linger rcvbuf sndbuf", verb_set},
    {"info", "id", verb_info},
    {"connections", "", verb_connections},
    {"traffic", "id send_bytes send_chunk send_pattern receive_pattern receive_bytes read_chunk read_delay_ns write_delay_ns "
                "close_when_done shutdown_when_sent echo", verb_traffic},
    {"traffic_get", "id", verb_traffic_get},
    {"traffic_stop", "id", verb_traffic_stop},
    {NULL, NULL, NULL},
};

/* Sockets of the stack: the kernel's TCP below, SMC beside it, one face above.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/agent/stack/stack_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conformance/agent/stack/route.h"

enum { FAMILY_SMC = 43, SMC_PROTO_IPV4 = 0, BACKLOG = 1024, OUTPUT_MAX = 1 << 16, PREFIX = 24 };

static void tell(struct stack_socket *s, unsigned events)
{
    if (events != 0 && s->ops->event != NULL)
        s->ops->event(s->user, s, events);
}

/* ---- the kernel's socket ---- */

static void watch(struct stack_socket *s, uint32_t interest)
{
    struct epoll_event event = {.events = interest, .data.ptr = s};
    if (s->fd < 0 || s->interest == interest)
        return;
    int how = s->interest == 0 ? EPOLL_CTL_ADD : interest == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    (void)epoll_ctl(s->stack->epoll, how, s->fd, &event);
    s->interest = interest;
}

/* A socket with both directions ended would report that for ever: it leaves the epoll. */
static void watch_as_needed(struct stack_socket *s)
{
    bool full = s->stage == STAGE_SMC && s->input_end == sizeof(s->input) && s->input_head == 0;
    uint32_t interest = s->tcp_eof || full ? 0 : EPOLLIN;
    if (s->stage == STAGE_CONNECTING || s->output_length > 0 || (s->stage == STAGE_PLAIN && s->blocked))
        interest |= EPOLLOUT;
    watch(s, interest);
}

static void close_fd(struct stack_socket *s, bool abort)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (s->fd < 0)
        return;
    if (abort)
        (void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    watch(s, 0);
    close(s->fd);
    s->fd = -1;
}

static void over(struct stack_socket *s)
{
    if (s->stage == STAGE_OVER)
        return;
    close_fd(s, false);
    s->stage = STAGE_OVER;
    s->stack->some_over = true;
    tell(s, SMC_EVENT_CLOSED);
}

static void failed(struct stack_socket *s, int error)
{
    if (s->error == 0)
        s->error = error;
    if (s->told_error)
        return;
    s->told_error = true;
    tell(s, SMC_EVENT_ERROR);
}

static void connected(struct stack_socket *s)
{
    if (s->told_connected)
        return;
    s->told_connected = true;
    tell(s, SMC_EVENT_CONNECTED);
}

/* ---- from SMC ---- */

static void push_output(struct stack_socket *s)
{
    size_t sent = 0;
    while (s->fd >= 0 && sent < s->output_length) {
        ssize_t n = send(s->fd, s->output + sent, s->output_length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    if (sent > 0)
        memmove(s->output, s->output + sent, s->output_length - sent);
    s->output_length -= sent;
    if (s->shutdown_wanted && s->output_length == 0 && s->fd >= 0) {
        (void)shutdown(s->fd, SHUT_WR);
        s->shutdown_wanted = false;
    }
}

static int tcp_send(void *host, void *user, const uint8_t *bytes, size_t length)
{
    struct stack_socket *s = user;
    const struct smc_alloc *alloc = s->stack->alloc;
    (void)host;
    if (s->fd < 0 || s->output_length + length > OUTPUT_MAX)
        return SMC_ERR_RESET;
    if (s->output_length + length > s->output_room) {
        uint8_t *grown = smc_alloc_grow(alloc, s->output, s->output_room, s->output_length + length, 1);
        if (grown == NULL)
            return SMC_ERR_RESET;
        s->output = grown;
        s->output_room = s->output_length + length;
    }
    memcpy(s->output + s->output_length, bytes, length);
    s->output_length += length;
    push_output(s);
    watch_as_needed(s);
    return 0;
}

static void tcp_shutdown(void *host, void *user)
{
    struct stack_socket *s = user;
    (void)host;
    s->shutdown_wanted = true;
    push_output(s);
}

static void tcp_abort(void *host, void *user)
{
    (void)host;
    close_fd(user, true);
}

/* Its data were kept from the application until now. */
static void fell_back(struct stack_socket *s)
{
    s->fallback = smc_connection_fallback(s->smc, &s->peer_diagnosis);
    s->stage = STAGE_PLAIN;
    connected(s);
    if (s->stage == STAGE_PLAIN && (s->input_end > s->input_head || s->tcp_eof))
        tell(s, SMC_EVENT_READABLE);
    if (s->stage == STAGE_PLAIN)
        watch_as_needed(s);
}

static void smc_event(void *host, struct smc_connection *c, void *user, unsigned events)
{
    struct stack_socket *s = user;
    (void)host;
    bool gone = (events & SMC_EVENT_CLOSED) != 0 && s->closed;
    s->smc_over |= (events & SMC_EVENT_CLOSED) != 0;
    if ((events & SMC_EVENT_CONNECTED) != 0 && smc_connection_mode(c) == SMC_MODE_TCP)
        fell_back(s);
    else if ((events & SMC_EVENT_CONNECTED) != 0)
        connected(s);
    if ((events & SMC_EVENT_ERROR) != 0)
        failed(s, smc_connection_error(c));
    unsigned rest = events & (SMC_EVENT_READABLE | SMC_EVENT_WRITABLE | SMC_EVENT_EOF | SMC_EVENT_URGENT);
    if (s->stage == STAGE_SMC)
        tell(s, rest);
    if (gone) {
        s->smc = NULL; /* it dies when this returns */
        over(s);
    }
}

static int route(void *host, const struct smc_gid *own, const struct smc_gid *peer, struct smc_route *out)
{
    (void)host;
    return stack_route(own, peer, out);
}

static void wake(void *host)
{
    (void)host; /* the loop asks before it waits */
}

const struct smc_host_ops stack_host_ops = {.tcp_send = tcp_send,
                                            .tcp_shutdown = tcp_shutdown,
                                            .tcp_abort = tcp_abort,
                                            .event = smc_event,
                                            .route = route,
                                            .wake = wake};

/* ---- from TCP ---- */

static void feed_smc(struct stack_socket *s)
{
    while (s->smc != NULL && s->input_end > s->input_head && smc_connection_mode(s->smc) != SMC_MODE_TCP) {
        size_t used = smc_tcp_input(s->smc, s->input + s->input_head, s->input_end - s->input_head, stack_now_ns());
        s->input_head += used;
        if (used == 0)
            break;
    }
    if (s->input_head > 0) {
        memmove(s->input, s->input + s->input_head, s->input_end - s->input_head);
        s->input_end -= s->input_head;
        s->input_head = 0;
    }
    if (s->tcp_eof && !s->tcp_eof_told && s->smc != NULL && smc_connection_mode(s->smc) != SMC_MODE_TCP) {
        s->tcp_eof_told = true;
        smc_tcp_eof(s->smc, stack_now_ns());
    }
}

static void tcp_broke(struct stack_socket *s)
{
    s->tcp_eof = true;
    if (s->smc != NULL)
        smc_tcp_reset(s->smc, stack_now_ns());
    if (s->stage == STAGE_PLAIN || s->smc == NULL)
        failed(s, SMC_ERR_RESET);
}

static void read_tcp(struct stack_socket *s)
{
    while (s->fd >= 0 && !s->tcp_eof && s->input_end < sizeof(s->input)) {
        ssize_t n = recv(s->fd, s->input + s->input_end, sizeof(s->input) - s->input_end, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            tcp_broke(s);
            return;
        }
        s->tcp_eof = n == 0;
        s->input_end += (size_t)n;
        feed_smc(s);
        if (n == 0 || s->stage != STAGE_SMC)
            break;
    }
}

/* ---- life ---- */

static struct smc_gid gid_of(const struct sockaddr_in *address)
{
    struct smc_gid gid = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};
    memcpy(gid.bytes + 12, &address->sin_addr, 4);
    return gid;
}

static int start_smc(struct stack_socket *s)
{
    const struct stack_option *option = &s->stack->config.option;
    struct sockaddr_in own, peer;
    socklen_t own_length = sizeof(own), peer_length = sizeof(peer);
    if (getsockname(s->fd, (struct sockaddr *)&own, &own_length) != 0 ||
        getpeername(s->fd, (struct sockaddr *)&peer, &peer_length) != 0)
        return SMC_ERR_RESET;
    struct smc_connection_config config = {.client = s->client, .own_ip = gid_of(&own), .peer_ip = gid_of(&peer)};
    struct smc_ip_prefix prefix = {.address = config.own_ip, .length = PREFIX};
    config.prefixes = &prefix;
    config.prefix_count = 1;
    config.option = option->agreed == NULL || option->agreed(option->user, s->fd, s->client);
    return smc_connection_new(s->stack->endpoint, &config, s, stack_now_ns(), &s->smc);
}

static void established(struct stack_socket *s)
{
    if (s->family != STACK_SMC) {
        s->stage = STAGE_PLAIN;
        watch_as_needed(s);
        connected(s);
        return;
    }
    const int on = 1;
    (void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    s->stage = STAGE_SMC;
    int error = start_smc(s);
    if (error != 0)
        failed(s, error);
    else
        watch_as_needed(s);
}

static struct stack_socket *socket_new(struct stack *stack, enum stack_family family, int fd)
{
    struct stack_socket *s = smc_alloc_zeroed(stack->alloc, 1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->stack = stack;
    s->family = family;
    s->fd = fd;
    s->next = stack->sockets;
    stack->sockets = s;
    return s;
}

void stack_socket_free(struct stack_socket *s)
{
    close_fd(s, false);
    smc_alloc_release(s->stack->alloc, s->output, s->output_room, 1);
    smc_alloc_release(s->stack->alloc, s, 1, sizeof(*s));
}

static void accept_all(struct stack_socket *listener)
{
    for (;;) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            return;
        struct stack_socket *s = socket_new(listener->stack, listener->family, fd);
        if (s == NULL) {
            close(fd);
            return;
        }
        s->ops = listener->ops;
        s->user = listener->user;
        if (s->ops->accepted != NULL)
            s->ops->accepted(s->user, s);
        if (s->stage != STAGE_OVER)
            established(s);
    }
}

static void finish_connect(struct stack_socket *s)
{
    int error = 0;
    socklen_t length = sizeof(error);
    struct sockaddr_storage peer;
    socklen_t peer_length = sizeof(peer);
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        error = errno;
    else if (error == 0 && getpeername(s->fd, (struct sockaddr *)&peer, &peer_length) != 0)
        error = ECONNREFUSED; /* AF_SMC does not always say why */
    if (error != 0)
        failed(s, error == ECONNREFUSED || error == EHOSTUNREACH ? SMC_ERR_UNREACHABLE : error == ETIMEDOUT ? SMC_ERR_TIMEOUT : SMC_ERR_RESET);
    else
        established(s);
}

static void plain_ready(struct stack_socket *s, uint32_t events)
{
    unsigned what = 0;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !s->tcp_eof)
        what |= SMC_EVENT_READABLE;
    if ((events & EPOLLOUT) != 0 && s->blocked) {
        s->blocked = false;
        what |= SMC_EVENT_WRITABLE;
    }
    tell(s, what);
}

void stack_socket_ready(struct stack_socket *s, uint32_t events)
{
    if (s->stage == STAGE_LISTENING) {
        accept_all(s);
        return;
    }
    if (s->stage == STAGE_CONNECTING) {
        finish_connect(s);
    } else if (s->stage == STAGE_PLAIN) {
        plain_ready(s, events);
    } else {
        push_output(s);
        read_tcp(s);
    }
    if (s->stage != STAGE_OVER)
        watch_as_needed(s);
}

static int open_socket(enum stack_family family)
{
    if (family == STACK_KERNEL_SMC)
        return socket(FAMILY_SMC, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, SMC_PROTO_IPV4);
    return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int prepare(struct stack *stack, enum stack_family family, const char *address, uint16_t port, bool listener,
                   struct sockaddr_in *to, struct stack_socket **out)
{
    const struct stack_option *option = &stack->config.option;
    const int on = 1;
    *to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, address, &to->sin_addr) != 1)
        return SMC_ERR_ARGUMENT;
    int fd = open_socket(family);
    if (fd < 0)
        return SMC_ERR_IO;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (family == STACK_SMC && option->prepare != NULL && option->prepare(option->user, fd, listener) != 0) {
        close(fd);
        return SMC_ERR_IO;
    }
    *out = socket_new(stack, family, fd);
    if (*out == NULL)
        close(fd);
    return *out != NULL ? 0 : SMC_ERR_NOMEM;
}

/* Nothing has been told to anybody yet. */
static int drop(struct stack_socket *s)
{
    int why = errno;
    close_fd(s, false);
    s->stage = STAGE_OVER;
    s->stack->some_over = true;
    errno = why;
    return SMC_ERR_IO;
}

int stack_listen(struct stack *stack, enum stack_family family, const char *address, uint16_t port, const struct stack_ops *ops,
                 void *user, struct stack_socket **out)
{
    struct sockaddr_in to;
    struct stack_socket *s;
    int error = prepare(stack, family, address, port, true, &to, &s);
    if (error != 0)
        return error;
    s->ops = ops;
    s->user = user;
    s->stage = STAGE_LISTENING;
    if (bind(s->fd, (const struct sockaddr *)&to, sizeof(to)) != 0 || listen(s->fd, BACKLOG) != 0)
        return drop(s);
    watch(s, EPOLLIN);
    *out = s;
    return 0;
}

int stack_connect(struct stack *stack, enum stack_family family, const char *address, uint16_t port,
                  const struct stack_ops *ops, void *user, struct stack_socket **out)
{
    struct sockaddr_in to;
    struct stack_socket *s;
    int error = prepare(stack, family, address, port, false, &to, &s);
    if (error != 0)
        return error;
    s->ops = ops;
    s->user = user;
    s->client = true;
    s->stage = STAGE_CONNECTING;
    if (connect(s->fd, (const struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS)
        return drop(s);
    watch(s, EPOLLOUT);
    *out = s;
    return 0;
}

/* ---- the face ---- */

void stack_set_user(struct stack_socket *s, void *user)
{
    s->user = user;
}

int64_t stack_send(struct stack_socket *s, const void *data, size_t length)
{
    if (s->stage == STAGE_SMC)
        return s->smc != NULL ? smc_send(s->smc, data, length, 0, stack_now_ns()) : SMC_ERR_RESET;
    if (s->stage != STAGE_PLAIN || s->fd < 0)
        return SMC_ERR_STATE;
    ssize_t n = send(s->fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0)
        return n;
    if (errno != EAGAIN && errno != EINTR)
        return SMC_ERR_RESET;
    s->blocked = true;
    watch_as_needed(s);
    return SMC_ERR_WOULDBLOCK;
}

static int64_t recv_plain(struct stack_socket *s, void *data, size_t length)
{
    size_t kept = s->input_end - s->input_head;
    if (kept > 0) {
        kept = kept < length ? kept : length;
        memcpy(data, s->input + s->input_head, kept);
        s->input_head += kept;
        return (int64_t)kept;
    }
    ssize_t n = s->tcp_eof || s->fd < 0 ? 0 : recv(s->fd, data, length, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return SMC_ERR_WOULDBLOCK;
    if (n <= 0)
        s->tcp_eof = true;
    return n < 0 ? SMC_ERR_RESET : n;
}

int64_t stack_recv(struct stack_socket *s, void *data, size_t length)
{
    if (s->stage == STAGE_SMC)
        return s->smc != NULL ? smc_recv(s->smc, data, length, 0, stack_now_ns()) : SMC_ERR_RESET;
    return s->stage == STAGE_PLAIN ? recv_plain(s, data, length) : SMC_ERR_STATE;
}

int stack_shutdown(struct stack_socket *s)
{
    if (s->stage == STAGE_SMC)
        return s->smc != NULL ? smc_shutdown(s->smc, SMC_SHUT_WR, stack_now_ns()) : SMC_ERR_RESET;
    return s->stage == STAGE_PLAIN && shutdown(s->fd, SHUT_WR) == 0 ? 0 : SMC_ERR_STATE;
}

void stack_set_linger(struct stack_socket *s, unsigned seconds)
{
    const struct linger wait = {.l_onoff = 1, .l_linger = (int)seconds};
    if (s->smc != NULL && s->stage == STAGE_SMC)
        (void)smc_set_option(s->smc, SMC_OPTION_LINGER_NS, (int64_t)seconds * 1000000000, stack_now_ns());
    else if (s->fd >= 0 && s->family == STACK_KERNEL_SMC)
        (void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &wait, sizeof(wait));
}

void stack_close(struct stack_socket *s)
{
    if (s->closed)
        return;
    s->closed = true;
    if (s->smc != NULL)
        smc_close(s->smc, stack_now_ns());
    if (s->smc_over)
        s->smc = NULL;
    if (s->smc == NULL)
        over(s);
    else if (s->stage == STAGE_PLAIN)
        close_fd(s, false);
}

enum smc_mode stack_mode(const struct stack_socket *s)
{
    if (s->smc != NULL && s->stage == STAGE_SMC)
        return smc_connection_mode(s->smc);
    return s->told_connected ? SMC_MODE_TCP : SMC_MODE_NONE;
}

int stack_error(const struct stack_socket *s)
{
    return s->error;
}

uint32_t stack_fallback(const struct stack_socket *s, uint32_t *peer_diagnosis)
{
    if (peer_diagnosis != NULL)
        *peer_diagnosis = s->peer_diagnosis;
    return s->fallback;
}

/* The ivshmem server's side of the protocol: clients, what waits for each, files that travel with it.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/ivshmem_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "wire/field.h"

enum { MESSAGE_BYTES = 8, PROTOCOL_VERSION = 0, SHARED_MEMORY = -1, NO_VECTOR = -1, EVENTS = 64 };

/* The files with which a client is interrupted. They outlive it while messages that carry them wait. */
struct bell {
    uint32_t references, count;
    int fds[];
};

struct message {
    int64_t number;
    struct bell *bell; /* NULL: none of a peer's */
    int vector;        /* of the bell; NO_VECTOR */
};

struct client {
    struct client *next; /* by ID, ascending */
    int fd;
    uint16_t id;
    struct bell *bell;
    struct message *queue;
    size_t head, count, room; /* of the queue */
    size_t sent;              /* bytes of the first message */
    bool waits_for_room, out;
};

struct ivshmem_server {
    const struct smc_alloc *alloc;
    struct ivshmem_server_config config;
    struct sockaddr_un address;
    int epoll, listener, memory;
    int spare; /* given up to be able to turn somebody away when there are no more files */
    struct client *clients;
    unsigned client_count, refused;
};

/* ---- bells ---- */

static size_t bell_bytes(uint32_t count)
{
    return sizeof(struct bell) + count * sizeof(int);
}

static void bell_put(struct ivshmem_server *s, struct bell *bell)
{
    if (bell == NULL || --bell->references > 0)
        return;
    uint32_t count = s->config.vectors;
    for (uint32_t i = 0; i < bell->count; i++)
        close(bell->fds[i]);
    s->alloc->release(s->alloc->user, bell, bell_bytes(count));
}

static struct bell *bell_new(struct ivshmem_server *s)
{
    struct bell *bell = smc_alloc_zeroed(s->alloc, 1, bell_bytes(s->config.vectors));
    if (bell == NULL)
        return NULL;
    bell->references = 1;
    for (; bell->count < s->config.vectors; bell->count++) {
        bell->fds[bell->count] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (bell->fds[bell->count] < 0) {
            bell_put(s, bell);
            return NULL;
        }
    }
    return bell;
}

/* ---- what waits for a client ---- */

static bool queue_grow(struct ivshmem_server *s, struct client *c)
{
    size_t room = c->room == 0 ? 16 : c->room * 2;
    struct message *queue = smc_alloc_zeroed(s->alloc, room, sizeof(*queue));
    if (queue == NULL)
        return false;
    for (size_t i = 0; i < c->count; i++)
        queue[i] = c->queue[(c->head + i) % c->room];
    smc_alloc_release(s->alloc, c->queue, c->room, sizeof(*queue));
    c->queue = queue;
    c->room = room;
    c->head = 0;
    return true;
}

static void say(struct ivshmem_server *s, struct client *c, int64_t number, struct bell *bell, int vector)
{
    if (c->out || (c->count == c->room && !queue_grow(s, c))) {
        c->out = true;
        return;
    }
    struct message *m = &c->queue[(c->head + c->count++) % c->room];
    *m = (struct message){.number = number, .bell = bell, .vector = vector};
    if (bell != NULL)
        bell->references++;
}

static void introduce(struct ivshmem_server *s, struct client *to, const struct client *peer)
{
    for (uint32_t v = 0; v < s->config.vectors; v++)
        say(s, to, peer->id, peer->bell, (int)v);
}

/* Takes out what was not sent yet about a peer that is gone, so that a client that does not read costs no more than who is
 * there. Returns whether the client knows of the peer. */
static bool forget(struct ivshmem_server *s, struct client *c, const struct bell *bell)
{
    size_t kept = 0;
    uint32_t taken = 0;
    for (size_t i = 0; i < c->count; i++) {
        struct message m = c->queue[(c->head + i) % c->room];
        if (m.bell == bell && (i > 0 || c->sent == 0)) {
            m.bell->references--; /* the peer itself still holds one */
            taken++;
        } else
            c->queue[(c->head + kept++) % c->room] = m;
    }
    c->count = kept;
    return taken < s->config.vectors;
}

static void greet(struct ivshmem_server *s, struct client *c) /* [IVSHMEM-003] */
{
    say(s, c, PROTOCOL_VERSION, NULL, NO_VECTOR);
    say(s, c, c->id, NULL, NO_VECTOR);
    say(s, c, SHARED_MEMORY, NULL, NO_VECTOR);
    for (const struct client *peer = s->clients; peer != NULL; peer = peer->next)
        if (peer != c && !peer->out)
            introduce(s, c, peer);
    introduce(s, c, c);
}

static int file_of(const struct ivshmem_server *s, const struct message *m)
{
    if (m->bell != NULL)
        return m->bell->fds[m->vector];
    return m->number == SHARED_MEMORY ? s->memory : -1;
}

/* The file goes with the first byte of its message. [IVSHMEM-004] */
static ssize_t send_message(const struct ivshmem_server *s, const struct client *c, const struct message *m)
{
    uint8_t bytes[MESSAGE_BYTES];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    int file = c->sent == 0 ? file_of(s, m) : -1;
    smc_store_le(bytes, sizeof(bytes), (uint64_t)m->number);
    struct iovec iov = {.iov_base = bytes + c->sent, .iov_len = sizeof(bytes) - c->sent};
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
    if (file >= 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = sizeof(control.bytes);
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(cmsg), &file, sizeof(int));
    }
    return sendmsg(c->fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void watch(struct ivshmem_server *s, struct client *c, bool room)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | (room ? EPOLLOUT : 0), .data.ptr = c};
    if (c->waits_for_room == room)
        return;
    c->waits_for_room = room;
    (void)epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &event);
}

static void flush(struct ivshmem_server *s, struct client *c)
{
    while (c->count > 0 && !c->out) {
        struct message *m = &c->queue[c->head];
        ssize_t n = send_message(s, c, m);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            c->out = true;
        if (n < 0)
            break;
        c->sent += (size_t)n;
        if (c->sent < MESSAGE_BYTES)
            continue;
        bell_put(s, m->bell);
        c->sent = 0;
        c->head = (c->head + 1) % c->room;
        c->count--;
    }
    watch(s, c, c->count > 0 && !c->out);
}

/* ---- clients that come and go ---- */

static void client_free(struct ivshmem_server *s, struct client *c)
{
    for (; c->count > 0; c->count--, c->head = (c->head + 1) % c->room)
        bell_put(s, c->queue[c->head].bell);
    smc_alloc_release(s->alloc, c->queue, c->room, sizeof(*c->queue));
    bell_put(s, c->bell);
    if (c->fd >= 0)
        close(c->fd); /* and out of the epoll */
    smc_alloc_release(s->alloc, c, 1, sizeof(*c));
}

static void link_in(struct ivshmem_server *s, struct client *c)
{
    struct client **link = &s->clients;
    uint16_t id = 0;
    while (*link != NULL && (*link)->id == id) {
        id++;
        link = &(*link)->next;
    }
    c->id = id; /* the lowest that is free; the first client has 0 [IVSHMEM-007] */
    c->next = *link;
    *link = c;
    s->client_count++;
}

static void flush_all(struct ivshmem_server *s)
{
    for (struct client *c = s->clients; c != NULL; c = c->next)
        flush(s, c);
}

/* Who was put out while others were told of it is found in the next round. */
static void let_go(struct ivshmem_server *s)
{
    struct client **link = &s->clients;
    while (*link != NULL) {
        struct client *c = *link;
        if (!c->out) {
            link = &c->next;
            continue;
        }
        *link = c->next;
        s->client_count--;
        for (struct client *other = s->clients; other != NULL; other = other->next)
            if (forget(s, other, c->bell))
                say(s, other, c->id, NULL, NO_VECTOR); /* [IVSHMEM-005] */
        if (s->config.changed != NULL)
            s->config.changed(s->config.user, c->id, false);
        client_free(s, c);
        flush_all(s);
        link = &s->clients; /* the flush may have put others out */
    }
}

static struct client *client_new(struct ivshmem_server *s, int fd)
{
    struct client *c = smc_alloc_zeroed(s->alloc, 1, sizeof(*c));
    if (c == NULL)
        return NULL;
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
    c->fd = -1;
    c->bell = bell_new(s);
    if (c->bell == NULL || epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        client_free(s, c);
        return NULL;
    }
    c->fd = fd;
    return c;
}

static void welcome(struct ivshmem_server *s, int fd)
{
    uint32_t most = s->config.max_clients != 0 ? s->config.max_clients : IVSHMEM_SERVER_CLIENTS;
    struct client *c = s->client_count < most ? client_new(s, fd) : NULL;
    if (c == NULL) {
        s->refused++;
        close(fd);
        return;
    }
    link_in(s, c);
    greet(s, c);
    for (struct client *peer = s->clients; peer != NULL; peer = peer->next)
        if (peer != c)
            introduce(s, peer, c);
    if (s->config.changed != NULL)
        s->config.changed(s->config.user, c->id, true);
    flush_all(s);
    let_go(s);
}

/* Without a file for it a connection would wait in the backlog and wake the server for ever. */
static bool turn_away(struct ivshmem_server *s)
{
    if (s->spare < 0)
        return false;
    close(s->spare);
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    s->refused++;
    return fd >= 0;
}

static void accept_all(struct ivshmem_server *s)
{
    for (;;) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            welcome(s, fd);
        else if (errno == EMFILE || errno == ENFILE) {
            if (!turn_away(s))
                return;
        } else if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

/* A client has nothing to say: bytes from it are as good as its end. */
static void client_ready(struct ivshmem_server *s, struct client *c, uint32_t events)
{
    char byte;
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        ssize_t n = recv(c->fd, &byte, 1, MSG_DONTWAIT);
        if (n > 0)
            s->refused++;
        if (n >= 0 || (errno != EAGAIN && errno != EINTR))
            c->out = true;
    }
    if ((events & EPOLLOUT) != 0)
        flush(s, c);
}

void ivshmem_server_run(struct ivshmem_server *s)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(s->epoll, events, EVENTS, 0);
    bool knock = false;
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr == NULL)
            knock = true;
        else
            client_ready(s, events[i].data.ptr, events[i].events);
    }
    let_go(s);
    if (knock) /* last: `events` names clients, and these must not change before */
        accept_all(s);
}

int ivshmem_server_fd(const struct ivshmem_server *s)
{
    return s->epoll;
}

unsigned ivshmem_server_clients(const struct ivshmem_server *s)
{
    return s->client_count;
}

unsigned ivshmem_server_refused(const struct ivshmem_server *s)
{
    return s->refused;
}

/* ---- life ---- */

static int open_memory(struct ivshmem_server *s)
{
    s->memory = memfd_create("ivshmem", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (s->memory < 0 || ftruncate(s->memory, (off_t)s->config.memory_bytes) != 0 ||
        fcntl(s->memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return SMC_ERR_IO;
    return 0;
}

/* A path that nobody answers on was left behind by a server that died. */
static bool abandoned(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    struct stat info;
    bool is_socket = lstat(address->sun_path, &info) == 0 && S_ISSOCK(info.st_mode);
    int failed = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    int why = errno;
    close(fd);
    return is_socket && failed != 0 && why == ECONNREFUSED;
}

static int bind_to(struct ivshmem_server *s)
{
    const struct sockaddr *address = (const struct sockaddr *)&s->address;
    if (bind(s->listener, address, sizeof(s->address)) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return SMC_ERR_IO;
    if (!abandoned(&s->address))
        return SMC_ERR_EXISTS;
    if (unlink(s->address.sun_path) != 0 || bind(s->listener, address, sizeof(s->address)) != 0)
        return SMC_ERR_IO;
    return 0;
}

static int open_listener(struct ivshmem_server *s)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->listener < 0)
        return SMC_ERR_IO;
    int error = bind_to(s);
    if (error != 0) {
        close(s->listener);
        s->listener = -1; /* the path is not ours to remove */
        return error;
    }
    /* Whoever may open the socket gets the memory: the owner alone, until he says otherwise. */
    if (chmod(s->address.sun_path, S_IRUSR | S_IWUSR) != 0 || listen(s->listener, SOMAXCONN) != 0 ||
        epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &event) != 0)
        return SMC_ERR_IO;
    return 0;
}

static bool config_ok(const struct ivshmem_server_config *c)
{
    return c->path != NULL && c->path[0] != '\0' && strlen(c->path) < sizeof(((struct sockaddr_un *)0)->sun_path) &&
           c->memory_bytes >= 4096 && (c->memory_bytes & (c->memory_bytes - 1)) == 0 && c->memory_bytes <= (uint64_t)1 << 46 &&
           c->vectors >= 1 && c->vectors <= IVSHMEM_SERVER_VECTORS && c->max_clients <= IVSHMEM_SERVER_CLIENTS;
}

int ivshmem_server_create(const struct ivshmem_server_config *config, struct ivshmem_server **out)
{
    if (!config_ok(config))
        return SMC_ERR_ARGUMENT;
    struct ivshmem_server *s = smc_alloc_zeroed(config->alloc, 1, sizeof(*s));
    if (s == NULL)
        return SMC_ERR_NOMEM;
    s->alloc = config->alloc;
    s->config = *config;
    s->address.sun_family = AF_UNIX;
    memcpy(s->address.sun_path, config->path, strlen(config->path));
    s->memory = s->listener = -1;
    s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    int error = s->epoll >= 0 ? open_memory(s) : SMC_ERR_IO;
    if (error == 0)
        error = open_listener(s);
    if (error != 0) {
        int why = errno;
        ivshmem_server_destroy(s);
        errno = why;
        return error;
    }
    *out = s;
    return 0;
}

void ivshmem_server_destroy(struct ivshmem_server *s)
{
    while (s->clients != NULL) {
        struct client *c = s->clients;
        s->clients = c->next;
        client_free(s, c);
    }
    if (s->listener >= 0)
        unlink(s->address.sun_path);
    const int files[] = {s->listener, s->memory, s->spare, s->epoll};
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (files[i] >= 0)
            close(files[i]);
    smc_alloc_release(s->alloc, s, 1, sizeof(*s));
}

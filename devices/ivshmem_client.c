/* The client's side of the ivshmem server's protocol, and the doorbells of its peers.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/ivshmem_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "wire/field.h"

enum { MESSAGE_BYTES = 8, FILES_MAX = 4, EVENTS = 16, QUIET_MS = 200, SERVER = -1 };

enum stage { WANT_VERSION, WANT_ID, WANT_MEMORY, WANT_PEERS };

struct peer {
    struct peer *next;
    uint16_t id;
    uint32_t vectors;
    int fds[IVSHMEM_CLIENT_VECTORS];
};

struct ivshmem_client {
    const struct smc_alloc *alloc;
    struct ivshmem_client_config config;
    int epoll, socket;
    enum stage stage;
    uint8_t bytes[MESSAGE_BYTES]; /* of a message that has not arrived whole */
    size_t have;
    int file; /* that came with it; -1 */
    uint8_t *memory;
    size_t memory_bytes;
    uint16_t id;
    struct peer me;
    struct peer *peers;
    bool settled; /* no more own vectors are to be expected */
};

/* ---- peers ---- */

static struct peer **find(struct ivshmem_client *c, uint16_t id)
{
    struct peer **link = &c->peers;
    while (*link != NULL && (*link)->id != id)
        link = &(*link)->next;
    return link;
}

static void silence(struct peer *p)
{
    while (p->vectors > 0)
        close(p->fds[--p->vectors]);
}

static void tell(struct ivshmem_client *c, uint16_t id, bool present)
{
    if (c->config.peer != NULL)
        c->config.peer(c->config.user, id, present);
}

static void peer_left(struct ivshmem_client *c, uint16_t id)
{
    struct peer **link = find(c, id), *p = *link;
    if (p == NULL)
        return; /* [IVSHMEM-005] */
    *link = p->next;
    silence(p);
    smc_alloc_release(c->alloc, p, 1, sizeof(*p));
    tell(c, id, false);
}

static int add_own_vector(struct ivshmem_client *c, int file)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = (int)c->me.vectors};
    if (c->me.vectors == c->config.vectors) {
        close(file); /* [IVSHMEM-006] */
        return 0;
    }
    if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, file, &event) != 0) {
        close(file);
        return SMC_ERR_PROTOCOL; /* no file one could wait for */
    }
    c->me.fds[c->me.vectors++] = file;
    return 0;
}

/* Files come in the order of the vectors. */
static int add_vector(struct ivshmem_client *c, uint16_t id, int file)
{
    (void)fcntl(file, F_SETFL, O_NONBLOCK); /* a bell must never block who rings it */
    if (id == c->id)
        return add_own_vector(c, file);
    struct peer **link = find(c, id), *p = *link;
    if (p == NULL) {
        p = *link = smc_alloc_zeroed(c->alloc, 1, sizeof(*p));
        if (p == NULL) {
            close(file);
            return SMC_ERR_NOMEM;
        }
        p->id = id;
        tell(c, id, true);
    }
    if (p->vectors == IVSHMEM_CLIENT_VECTORS)
        close(file);
    else
        p->fds[p->vectors++] = file;
    return 0;
}

/* ---- messages ---- */

static int map_memory(struct ivshmem_client *c, int file)
{
    struct stat info;
    uint64_t most = c->config.memory_bytes != 0 ? c->config.memory_bytes : (uint64_t)4 << 30;
    int error = SMC_ERR_PROTOCOL;
    if (fstat(file, &info) == 0 && info.st_size >= 4096 && (uint64_t)info.st_size <= most) {
        void *memory = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        error = memory != MAP_FAILED ? 0 : SMC_ERR_IO;
        if (error == 0) {
            c->memory = memory;
            c->memory_bytes = (size_t)info.st_size;
        }
    }
    close(file);
    return error;
}

static int peer_message(struct ivshmem_client *c, int64_t number, int file)
{
    if (number < 0 || number > UINT16_MAX) {
        if (file >= 0)
            close(file);
        return SMC_ERR_PROTOCOL;
    }
    if (file >= 0)
        return add_vector(c, (uint16_t)number, file);
    if (number != c->id)
        peer_left(c, (uint16_t)number);
    return 0;
}

/* [IVSHMEM-003] A file that has no business here is closed. */
static int take(struct ivshmem_client *c, int64_t number, int file)
{
    bool wanted = c->stage == WANT_MEMORY || c->stage == WANT_PEERS;
    if (file >= 0 && !wanted) {
        close(file);
        return SMC_ERR_PROTOCOL;
    }
    switch (c->stage) {
    case WANT_VERSION:
        c->stage = WANT_ID;
        return number == 0 ? 0 : SMC_ERR_PROTOCOL;
    case WANT_ID:
        c->id = c->me.id = (uint16_t)number;
        c->stage = WANT_MEMORY;
        return number >= 0 && number <= UINT16_MAX ? 0 : SMC_ERR_PROTOCOL;
    case WANT_MEMORY:
        c->stage = WANT_PEERS;
        if (number == -1 && file >= 0)
            return map_memory(c, file);
        if (file >= 0)
            close(file);
        return SMC_ERR_PROTOCOL;
    default:
        return peer_message(c, number, file);
    }
}

/* Keeps the one file that belongs to the message under way. */
static int take_files(struct ivshmem_client *c, struct msghdr *header)
{
    int error = (header->msg_flags & MSG_CTRUNC) != 0 ? SMC_ERR_PROTOCOL : 0;
    for (struct cmsghdr *m = CMSG_FIRSTHDR(header); m != NULL; m = CMSG_NXTHDR(header, m)) {
        if (m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (m->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int file;
            memcpy(&file, CMSG_DATA(m) + i * sizeof(int), sizeof(int));
            if (c->file < 0 && error == 0) {
                c->file = file;
                continue;
            }
            close(file);
            error = SMC_ERR_PROTOCOL;
        }
    }
    return error;
}

/* 1: a message was taken; 0: nothing more at the moment. [IVSHMEM-004] */
static int receive(struct ivshmem_client *c)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FILES_MAX * sizeof(int))];
    } control;
    struct iovec iov = {.iov_base = c->bytes + c->have, .iov_len = MESSAGE_BYTES - c->have};
    struct msghdr header = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    ssize_t n = recvmsg(c->socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : SMC_ERR_GONE;
    int error = take_files(c, &header);
    if (n == 0)
        return c->have > 0 ? SMC_ERR_PROTOCOL : SMC_ERR_GONE;
    c->have += (size_t)n;
    if (error != 0 || c->have < MESSAGE_BYTES)
        return error != 0 ? error : 1;
    int file = c->file;
    c->file = -1;
    c->have = 0;
    error = take(c, (int64_t)smc_load_le(c->bytes, MESSAGE_BYTES), file);
    return error != 0 ? error : 1;
}

static void hang_up(struct ivshmem_client *c)
{
    if (c->socket >= 0)
        close(c->socket);
    c->socket = -1;
    if (c->file >= 0)
        close(c->file);
    c->file = -1;
}

static int listen_to_server(struct ivshmem_client *c)
{
    int result = 1;
    while (result == 1 && c->socket >= 0)
        result = receive(c);
    if (result < 0)
        hang_up(c);
    return result < 0 ? result : 0;
}

static void hear(struct ivshmem_client *c, uint16_t vector)
{
    uint64_t count;
    /* A peer that closed its end of something that is no eventfd would wake us for ever. */
    if (read(c->me.fds[vector], &count, sizeof(count)) == 0)
        (void)epoll_ctl(c->epoll, EPOLL_CTL_DEL, c->me.fds[vector], NULL);
    if (c->config.interrupt != NULL)
        c->config.interrupt(c->config.user, vector);
}

int ivshmem_client_run(struct ivshmem_client *c)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(c->epoll, events, EVENTS, 0), error = 0;
    for (int i = 0; i < n; i++) {
        if (events[i].data.fd != SERVER)
            hear(c, (uint16_t)events[i].data.fd);
        else if (error == 0)
            error = listen_to_server(c);
    }
    return error;
}

int ivshmem_client_fd(const struct ivshmem_client *c)
{
    return c->epoll;
}

bool ivshmem_client_ready(const struct ivshmem_client *c)
{
    return c->memory != NULL && c->me.vectors > 0 && (c->settled || c->me.vectors == c->config.vectors);
}

int ivshmem_client_wait(struct ivshmem_client *c, int timeout_ms)
{
    for (int waited = 0; !ivshmem_client_ready(c);) {
        struct pollfd ready = {.fd = c->epoll, .events = POLLIN};
        int n = poll(&ready, 1, QUIET_MS);
        if (n < 0 && errno != EINTR)
            return SMC_ERR_IO;
        int error = ivshmem_client_run(c);
        if (error != 0)
            return error;
        if (n != 0)
            continue;
        c->settled = c->me.vectors > 0; /* fewer than wanted: the server has no more */
        waited += QUIET_MS;
        if (!c->settled && waited >= timeout_ms)
            return SMC_ERR_TIMEOUT;
    }
    return 0;
}

/* ---- the face ---- */

static uint32_t bar_read(void *user, uint32_t offset)
{
    const struct ivshmem_client *c = user;
    return offset == IVSHMEM_POSITION ? c->id : 0;
}

/* [IVSHMEM-002] [IVSHMEM-008] */
static void bar_write(void *user, uint32_t offset, uint32_t value)
{
    struct ivshmem_client *c = user;
    const uint64_t one = 1;
    uint16_t id = (uint16_t)(value >> 16), vector = (uint16_t)value;
    if (offset != IVSHMEM_DOORBELL)
        return;
    const struct peer *p = id == c->id ? &c->me : *find(c, id);
    if (p != NULL && vector < p->vectors && write(p->fds[vector], &one, sizeof(one)) < 0)
        return; /* full: it is rung already */
}

struct ivshmem_bars ivshmem_client_bars(struct ivshmem_client *c)
{
    return (struct ivshmem_bars){.memory = c->memory,
                                 .memory_bytes = c->memory_bytes,
                                 .vectors = c->me.vectors,
                                 .read = bar_read,
                                 .write = bar_write,
                                 .user = c};
}

unsigned ivshmem_client_peers(const struct ivshmem_client *c)
{
    unsigned n = 0;
    for (const struct peer *p = c->peers; p != NULL; p = p->next)
        n++;
    return n;
}

static int open_socket(struct ivshmem_client *c)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct epoll_event event = {.events = EPOLLIN, .data.fd = SERVER};
    memcpy(address.sun_path, c->config.path, strlen(c->config.path));
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    c->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->epoll < 0 || c->socket < 0 || connect(c->socket, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->socket, &event) != 0)
        return SMC_ERR_IO;
    return 0;
}

int ivshmem_client_connect(const struct ivshmem_client_config *config, struct ivshmem_client **out)
{
    if (config->path == NULL || strlen(config->path) >= sizeof(((struct sockaddr_un *)0)->sun_path) || config->vectors < 1 ||
        config->vectors > IVSHMEM_CLIENT_VECTORS)
        return SMC_ERR_ARGUMENT;
    struct ivshmem_client *c = smc_alloc_zeroed(config->alloc, 1, sizeof(*c));
    if (c == NULL)
        return SMC_ERR_NOMEM;
    c->alloc = config->alloc;
    c->config = *config;
    c->epoll = c->socket = c->file = -1;
    int error = open_socket(c);
    if (error != 0) {
        int why = errno;
        ivshmem_client_close(c);
        errno = why;
        return error;
    }
    *out = c;
    return 0;
}

void ivshmem_client_close(struct ivshmem_client *c)
{
    hang_up(c);
    while (c->peers != NULL) {
        struct peer *p = c->peers;
        c->peers = p->next;
        silence(p);
        smc_alloc_release(c->alloc, p, 1, sizeof(*p));
    }
    silence(&c->me);
    if (c->memory != NULL)
        munmap(c->memory, c->memory_bytes);
    if (c->epoll >= 0)
        close(c->epoll);
    smc_alloc_release(c->alloc, c, 1, sizeof(*c));
}

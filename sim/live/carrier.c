/* Frame carriers: unix sockets as QEMU has them, TAP, AF_PACKET; the queue of what cannot leave at once.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/live/carrier.h"

#include "sim/live/offload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { FRAME_MAX = 65536 + 32, WAITING_MAX = 8 << 20, FRAMES_A_TURN = 256 };

struct waiting {
    struct waiting *next;
    size_t length, done;
    uint8_t bytes[];
};

struct live_carrier {
    int fd;
    bool stream, dead;
    bool packet;        /* before each frame stands a struct virtio_net_hdr */
    char own_path[108]; /* removed at the end; "" none */
    struct live_watch watch;
    void (*frame)(void *user, const uint8_t *bytes, size_t length);
    void *user;
    struct waiting *first, **last;
    size_t waiting_bytes;
    struct live_carrier_stats stats;
    size_t have; /* of a stream */
    uint8_t in[LIVE_OFFLOAD + FRAME_MAX];
};

/* ---- sending ---- */
static void queue(struct live_carrier *c, const uint8_t *head, size_t head_length, const uint8_t *bytes, size_t length)
{
    size_t all = head_length + length;
    struct waiting *w = c->waiting_bytes + all <= WAITING_MAX ? malloc(sizeof(*w) + all) : NULL;
    if (w == NULL) {
        c->stats.lost++;
        return;
    }
    w->next = NULL;
    w->length = all;
    w->done = 0;
    memcpy(w->bytes, head, head_length);
    memcpy(w->bytes + head_length, bytes, length);
    *c->last = w;
    c->last = &w->next;
    c->waiting_bytes += all;
    c->watch.writing = true;
}

/* Nobody listens yet, or has gone: as on a cable that is not plugged in. */
static bool nobody_there(int error)
{
    return error == ECONNREFUSED || error == ENOENT || error == ENOTCONN || error == ENETDOWN || error == EIO;
}

void live_carrier_send(struct live_carrier *c, const uint8_t *bytes, size_t length)
{
    uint32_t size = htonl((uint32_t)length);
    uint8_t head[LIVE_OFFLOAD] = {0}; /* of a packet: nothing is left to be done */
    size_t head_length = c->stream ? 4 : c->packet ? LIVE_OFFLOAD : 0;
    if (c->stream)
        memcpy(head, &size, 4);
    if (c->dead || length == 0 || length > FRAME_MAX) {
        c->stats.lost++;
        return;
    }
    c->stats.sent++;
    if (c->first == NULL && !c->stream) {
        struct iovec both[2] = {{head, head_length}, {(void *)(uintptr_t)bytes, length}};
        if (writev(c->fd, both, 2) >= 0)
            return;
        if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR) {
            c->stats.lost++;
            c->dead = !nobody_there(errno) && errno != EMSGSIZE && errno != EINVAL;
            return;
        }
    }
    queue(c, head, head_length, bytes, length);
}

static void flush(struct live_carrier *c)
{
    while (c->first != NULL) {
        struct waiting *w = c->first;
        ssize_t n = write(c->fd, w->bytes + w->done, w->length - w->done);
        if (n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == EINTR))
            return;
        if (n < 0) {
            c->stats.lost++;
            c->dead = c->stream;
        } else {
            w->done += (size_t)n;
            if (c->stream && w->done < w->length)
                continue;
        }
        c->first = w->next;
        c->waiting_bytes -= w->length;
        free(w);
    }
    c->last = &c->first;
    c->watch.writing = false;
}

/* ---- receiving ---- */
static void give(struct live_carrier *c, const uint8_t *bytes, size_t length)
{
    c->stats.received++;
    c->frame(c->user, bytes, length);
}

static void give_one(void *user, const uint8_t *bytes, size_t length)
{
    give(user, bytes, length);
}

static bool from_this_machine(const struct sockaddr_storage *from)
{
    struct sockaddr_ll link;
    if (from->ss_family != AF_PACKET)
        return false;
    memcpy(&link, from, sizeof(link));
    return link.sll_pkttype == PACKET_OUTGOING;
}

static ssize_t receive(struct live_carrier *c, bool *own)
{
    struct sockaddr_storage from = {0};
    socklen_t size = sizeof(from);
    ssize_t n = recvfrom(c->fd, c->in, sizeof(c->in), MSG_DONTWAIT, (struct sockaddr *)&from, &size);
    if (n < 0 && errno == ENOTSOCK)
        n = read(c->fd, c->in, sizeof(c->in));
    *own = n > 0 && from_this_machine(&from);
    return n;
}

static void read_frames(struct live_carrier *c)
{
    for (unsigned i = 0; i < FRAMES_A_TURN; i++) {
        bool own;
        ssize_t n = receive(c, &own);
        if (n < 0)
            return;
        if (n > 0 && !own && c->packet)
            c->stats.lost += live_offload_finish(c->in, (size_t)n, give_one, c);
        else if (n >= ETH_HLEN && !own)
            give(c, c->in, (size_t)n);
        if (c->watch.live == NULL)
            return; /* ended from within */
    }
}

static void read_stream(struct live_carrier *c)
{
    ssize_t n = read(c->fd, c->in + c->have, sizeof(c->in) - c->have);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        c->dead = true;
        live_unwatch(&c->watch);
    }
    if (n <= 0)
        return;
    c->have += (size_t)n;
    size_t at = 0;
    while (c->have - at >= 4) {
        uint32_t length;
        memcpy(&length, c->in + at, 4);
        length = ntohl(length);
        if (length > FRAME_MAX) { /* no way to find the next frame */
            c->dead = true;
            live_unwatch(&c->watch);
            return;
        }
        if (c->have - at - 4 < length)
            break;
        if (length >= ETH_HLEN)
            give(c, c->in + at + 4, length);
        at += 4 + length;
    }
    memmove(c->in, c->in + at, c->have - at);
    c->have -= at;
}

static void ready(void *user, uint64_t now_ns)
{
    struct live_carrier *c = user;
    (void)now_ns;
    flush(c);
    if (c->stream)
        read_stream(c);
    else
        read_frames(c);
}

/* ---- making and ending ---- */
static struct live_carrier *fail(int fd, char *error, const char *what)
{
    snprintf(error, LIVE_ERROR, "%s: %s", what, strerror(errno));
    if (fd >= 0)
        close(fd);
    return NULL;
}

struct live_carrier *live_carrier_fd(int fd, bool stream, char *error)
{
    struct live_carrier *c = calloc(1, sizeof(*c));
    if (c == NULL || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) {
        free(c);
        return fail(fd, error, "a carrier of frames");
    }
    c->fd = fd;
    c->stream = stream;
    c->last = &c->first;
    return c;
}

static int unix_address(const char *path, struct sockaddr_un *out)
{
    memset(out, 0, sizeof(*out));
    out->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof(out->sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(out->sun_path, path, strlen(path));
    return 0;
}

struct live_carrier *live_carrier_dgram(const char *own, const char *peer, char *error)
{
    struct sockaddr_un here, there;
    int room = 4 << 20;
    if (unix_address(own, &here) != 0 || unix_address(peer, &there) != 0)
        return fail(-1, error, own);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)unlink(own); /* of a run that was killed */
    if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0)
        return fail(fd, error, own);
    if (connect(fd, (struct sockaddr *)&there, sizeof(there)) != 0)
        return fail(fd, error, peer);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    struct live_carrier *c = live_carrier_fd(fd, false, error);
    if (c != NULL)
        memcpy(c->own_path, here.sun_path, sizeof(c->own_path));
    return c;
}

struct live_carrier *live_carrier_stream(const char *path, char *error)
{
    struct sockaddr_un there;
    if (unix_address(path, &there) != 0)
        return fail(-1, error, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&there, sizeof(there)) != 0)
        return fail(fd, error, path);
    return live_carrier_fd(fd, true, error);
}

static int bring_up(const char *name)
{
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), result = -1;
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
        request.ifr_flags |= IFF_UP;
        result = ioctl(fd, SIOCSIFFLAGS, &request);
    }
    if (fd >= 0)
        close(fd);
    return result;
}

struct live_carrier *live_carrier_tap(const char *name, char *error)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return fail(fd, error, "/dev/net/tun");
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (ioctl(fd, TUNSETIFF, &request) != 0 || bring_up(request.ifr_name) != 0)
        return fail(fd, error, name);
    return live_carrier_fd(fd, false, error);
}

struct live_carrier *live_carrier_packet(const char *interface, char *error)
{
    struct sockaddr_ll here = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    here.sll_ifindex = (int)if_nametoindex(interface);
    if (here.sll_ifindex == 0)
        return fail(-1, error, interface);
    struct packet_mreq all = {.mr_ifindex = here.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), yes = 1;
    if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &yes, sizeof(yes)) != 0 ||
        bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) != 0)
        return fail(fd, error, interface);
    struct live_carrier *c = live_carrier_fd(fd, false, error);
    if (c != NULL)
        c->packet = true;
    return c;
}

struct live_carrier *live_carrier_open(const char *text, char *error)
{
    if (strncmp(text, "tap:", 4) == 0)
        return live_carrier_tap(text + 4, error);
    if (strncmp(text, "packet:", 7) == 0)
        return live_carrier_packet(text + 7, error);
    if (strncmp(text, "stream:", 7) == 0)
        return live_carrier_stream(text + 7, error);
    snprintf(error, LIVE_ERROR, "%s: tap:NAME, packet:INTERFACE or stream:PATH", text);
    return NULL;
}

/* The other end of a veth: the link that its own refers to (and that refers back). */
static bool veth_peer(const char *name, char out[LIVE_INTERFACE])
{
    char path[64], back[LIVE_INTERFACE];
    unsigned peer = 0;
    for (unsigned i = 0; i < 2; i++) {
        const char *of = i == 0 ? name : out;
        snprintf(path, sizeof(path), "/sys/class/net/%.*s/iflink", LIVE_INTERFACE - 1, of);
        FILE *file = fopen(path, "re");
        bool read = file != NULL && fscanf(file, "%u", &peer) == 1;
        if (file != NULL)
            fclose(file);
        if (!read || peer == if_nametoindex(of) || if_indextoname(peer, i == 0 ? out : back) == NULL)
            return false;
    }
    return strcmp(back, name) == 0;
}

bool live_carrier_far_end(const char *text, char name[LIVE_INTERFACE], uint8_t mac[6], char *error)
{
    struct ifreq request = {0};
    bool tap = strncmp(text, "tap:", 4) == 0, packet = strncmp(text, "packet:", 7) == 0;
    if (tap)
        snprintf(name, LIVE_INTERFACE, "%s", text + 4);
    if (!tap && !(packet && veth_peer(text + 7, name))) {
        snprintf(error, LIVE_ERROR, "%s leads to no interface of this machine: tap:NAME, or packet:VETH with its other end here too", text);
        return false;
    }
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    bool known = fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &request) == 0;
    if (known)
        memcpy(mac, request.ifr_hwaddr.sa_data, 6);
    else
        snprintf(error, LIVE_ERROR, "%s: %s", name, strerror(errno));
    if (fd >= 0)
        close(fd);
    return known;
}

void live_carrier_drain(struct live_carrier *c)
{
    bool own;
    while (!c->stream && receive(c, &own) > 0)
        ;
}

void live_carrier_start(struct live_carrier *c, struct live *live,
                        void (*frame)(void *user, const uint8_t *bytes, size_t length), void *user)
{
    c->frame = frame;
    c->user = user;
    c->watch.fd = c->fd;
    c->watch.ready = ready;
    c->watch.user = c;
    live_watch(live, &c->watch);
}

struct live_carrier_stats live_carrier_stats(const struct live_carrier *c)
{
    return c->stats;
}

bool live_carrier_alive(const struct live_carrier *c)
{
    return !c->dead;
}

void live_carrier_free(struct live_carrier *c)
{
    if (c == NULL)
        return;
    live_unwatch(&c->watch);
    while (c->first != NULL) {
        struct waiting *w = c->first;
        c->first = w->next;
        free(w);
    }
    close(c->fd);
    if (c->own_path[0] != '\0')
        (void)unlink(c->own_path);
    free(c);
}

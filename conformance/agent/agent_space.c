/* Network namespaces, and captures of interfaces that lead to no wire (`lo`).
 * SPDX-License-Identifier: BSD-3-Clause */
#include "agent_space.h"

#include "agent_netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>

enum { SPACES = 16, FRAME = 65536 + 64, FRAMES_A_ROUND = 64 };

struct agent_space {
    struct agent_space *next;
    char name[32];
    int fd;
};

static int open_own(void)
{
    return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* ---- NICs ---- */
static void move_nic(int index, int fd)
{
    struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_change = IFF_UP};
    struct agent_nl m;
    char spare[IFNAMSIZ];
    (void)agent_net_set_up(index, false); /* with its name it could not come into a namespace where that is taken */
    snprintf(spare, sizeof(spare), "moved%d", index);
    agent_nl_begin(&m, RTM_NEWLINK, 0);
    agent_nl_add(&m, &info, sizeof(info));
    agent_nl_u32(&m, IFLA_NET_NS_FD, (uint32_t)fd);
    agent_nl_string(&m, IFLA_IFNAME, spare);
    (void)agent_nl_talk(NETLINK_ROUTE, &m, NULL, NULL);
}

/* The NICs of the namespace that we are in go to the one that `fd` is. */
static void move_nics(int fd)
{
    struct if_nameindex *all = if_nameindex();
    for (struct if_nameindex *i = all; i != NULL && i->if_index != 0; i++)
        if (strcmp(i->if_name, "lo") != 0)
            move_nic((int)i->if_index, fd);
    if_freenameindex(all);
}

/* ---- Namespaces ---- */
static int make_space(struct agent *a, const char *name, struct agent_space **out)
{
    unsigned count = 0;
    for (const struct agent_space *s = a->spaces; s != NULL; s = s->next)
        count++;
    if (name[0] == '\0' || strlen(name) >= sizeof((*out)->name) || count == SPACES)
        return agent_fail(a, EINVAL, "a space has a name of 1 to 31 characters, and there are at most %d", SPACES);
    if (a->home <= 0 && (a->home = open_own()) < 0)
        return agent_fail(a, errno, "this kernel has no network namespaces");
    struct agent_space *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return ENOMEM;
    snprintf(s->name, sizeof(s->name), "%s", name);
    s->fd = -1;
    int status = unshare(CLONE_NEWNET) == 0 ? 0 : errno;
    if (status == 0 && (s->fd = open_own()) < 0)
        status = errno;
    if (status == 0)
        (void)agent_net_set_up((int)if_nametoindex("lo"), true);
    agent_space_leave(a);
    if (status != 0) {
        free(s);
        return agent_fail(a, status, "no network namespace can be made");
    }
    s->next = a->spaces;
    a->spaces = s;
    *out = s;
    return 0;
}

const char *agent_space_take(struct agent_line *line)
{
    for (unsigned i = 0; i < line->count; i++)
        if (strcmp(line->pair[i].name, "space") == 0) {
            const char *name = line->pair[i].value;
            line->count--;
            memmove(&line->pair[i], &line->pair[i + 1], (line->count - i) * sizeof(line->pair[0]));
            return name;
        }
    return NULL;
}

int agent_space_enter(struct agent *a, const struct agent_line *line, const char *name)
{
    const char *mac = agent_line_get(line, "mac");
    struct agent_space *s = a->spaces;
    while (s != NULL && strcmp(s->name, name) != 0)
        s = s->next;
    int status = s == NULL ? make_space(a, name, &s) : 0;
    if (status != 0)
        return status;
    int index = mac != NULL ? agent_net_by_mac(mac) : 0;
    if (index != 0)
        move_nic(index, s->fd);
    return setns(s->fd, CLONE_NEWNET) == 0 ? 0 : agent_fail(a, errno, "the space %s cannot be entered", name);
}

void agent_space_leave(struct agent *a)
{
    if (a->home > 0 && setns(a->home, CLONE_NEWNET) != 0)
        a->ended = true; /* nothing that comes would be done where it should be */
}

void agent_spaces_reset(struct agent *a)
{
    while (a->spaces != NULL) {
        struct agent_space *s = a->spaces;
        a->spaces = s->next;
        if (setns(s->fd, CLONE_NEWNET) == 0)
            move_nics(a->home);
        agent_space_leave(a);
        close(s->fd);
        free(s);
    }
}

/* ---- Captures ---- */
struct agent_capture {
    struct agent_source source; /* the first member */
    struct agent_capture *next;
    char name[IFNAMSIZ];
};

static void frames_ready(struct agent *a, struct agent_source *source, uint32_t events)
{
    struct agent_capture *c = (struct agent_capture *)source;
    struct sockaddr_ll from;
    static uint8_t frame[FRAME];
    (void)events;
    for (int i = 0; i < FRAMES_A_ROUND; i++) {
        socklen_t size = sizeof(from);
        ssize_t n = recvfrom(source->fd, frame, sizeof(frame), MSG_DONTWAIT, (struct sockaddr *)&from, &size);
        if (n < 0)
            return;
        if (from.sll_pkttype == PACKET_OUTGOING) /* it comes in again */
            continue;
        struct agent_text text = {0};
        agent_text_print(&text, "frame interface=%s bytes=", c->name);
        agent_text_hex(&text, frame, (size_t)n);
        if (!text.failed)
            agent_event_text(a, &text);
        agent_text_free(&text);
    }
}

static void end_capture(struct agent *a, struct agent_capture *c)
{
    for (struct agent_capture **p = &a->captures; *p != NULL; p = &(*p)->next)
        if (*p == c) {
            *p = c->next;
            break;
        }
    agent_unwatch(a, &c->source);
    close(c->source.fd);
    free(c);
}

void agent_captures_end(struct agent *a)
{
    while (a->captures != NULL)
        end_capture(a, a->captures);
}

static int begin_capture(struct agent *a, const char *name)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(name)};
    int size = 8 << 20;
    if (at.sll_ifindex == 0 || strlen(name) >= IFNAMSIZ)
        return agent_fail(a, ENODEV, "there is no interface %.20s", name);
    struct agent_capture *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ENOMEM;
    snprintf(c->name, sizeof(c->name), "%s", name);
    c->source = (struct agent_source){.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), .ready = frames_ready};
    int status = c->source.fd < 0 ? errno : 0;
    if (status == 0) {
        (void)setsockopt(c->source.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
        status = bind(c->source.fd, (struct sockaddr *)&at, sizeof(at)) == 0 ? agent_watch(a, &c->source, EPOLLIN) : errno;
    }
    if (status != 0) {
        if (c->source.fd >= 0)
            close(c->source.fd);
        free(c);
        return agent_fail(a, status, "%.20s cannot be captured", name);
    }
    c->next = a->captures;
    a->captures = c;
    return 0;
}

static int verb_capture(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    const char *name;
    uint64_t on;
    int status = agent_need(a, line, "interface", &name);
    (void)answer;
    if (status == 0)
        status = agent_need_number(a, line, "on", 1, &on);
    if (status != 0)
        return status;
    for (struct agent_capture *c = a->captures; c != NULL; c = c->next)
        if (strcmp(c->name, name) == 0) {
            if (on == 0)
                end_capture(a, c);
            return 0;
        }
    return on == 1 ? begin_capture(a, name) : 0;
}

const struct agent_verb agent_verbs_space[] = {{"capture", "interface on", verb_capture}, {NULL, NULL, NULL}};

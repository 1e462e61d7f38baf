/* Netlink: messages out, messages in. The kernel is the peer; still nothing it says is read beyond what came.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "agent_netlink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/genetlink.h>

enum { RECEIVE = 65536, SECONDS = 30 };

void agent_nl_begin(struct agent_nl *m, uint16_t type, uint16_t flags)
{
    memset(m, 0, sizeof(*m));
    m->u.head.nlmsg_type = type;
    m->u.head.nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST);
    m->u.head.nlmsg_len = NLMSG_HDRLEN;
}

void agent_nl_add(struct agent_nl *m, const void *bytes, size_t n)
{
    size_t at = m->u.head.nlmsg_len, padded = NLMSG_ALIGN(n);
    if (m->full || padded > AGENT_NL_ROOM - at) {
        m->full = true;
        return;
    }
    if (n > 0)
        memcpy(m->u.bytes + at, bytes, n);
    m->u.head.nlmsg_len = (uint32_t)(at + padded);
}

void agent_nl_attr(struct agent_nl *m, uint16_t type, const void *bytes, size_t n)
{
    struct nlattr head = {.nla_len = (uint16_t)(NLA_HDRLEN + n), .nla_type = type};
    if (n > 4096) {
        m->full = true;
        return;
    }
    agent_nl_add(m, &head, sizeof(head));
    agent_nl_add(m, bytes, n);
}

void agent_nl_u8(struct agent_nl *m, uint16_t type, uint8_t value)
{
    agent_nl_attr(m, type, &value, sizeof(value));
}

void agent_nl_u32(struct agent_nl *m, uint16_t type, uint32_t value)
{
    agent_nl_attr(m, type, &value, sizeof(value));
}

void agent_nl_string(struct agent_nl *m, uint16_t type, const char *text)
{
    agent_nl_attr(m, type, text, strlen(text) + 1);
}

/* 1: more to come; 0: done; else -errno. */
static int do_message(const struct nlmsghdr *h, bool dump, agent_nl_fn *each, void *user)
{
    int error = 0;
    if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE) {
        if (h->nlmsg_len >= NLMSG_HDRLEN + sizeof(error))
            memcpy(&error, (const char *)h + NLMSG_HDRLEN, sizeof(error));
        return error < 0 ? error : 0;
    }
    int status = each != NULL ? each(user, h) : 0;
    (void)dump;
    return status != 0 ? -status : 1;
}

static int read_answers(int fd, bool dump, agent_nl_fn *each, void *user)
{
    char *buffer = malloc(RECEIVE);
    int status = buffer == NULL ? -ENOMEM : 1;
    while (status == 1) {
        ssize_t got = recv(fd, buffer, RECEIVE, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            status = got == 0 ? -EIO : errno == EAGAIN ? -ETIMEDOUT : -errno;
            break;
        }
        size_t left = (size_t)got, at = 0;
        while (status == 1 && left - at >= NLMSG_HDRLEN) {
            struct nlmsghdr h;
            memcpy(&h, buffer + at, sizeof(h));
            if (h.nlmsg_len < NLMSG_HDRLEN || h.nlmsg_len > left - at)
                break;
            status = do_message((const struct nlmsghdr *)(const void *)(buffer + at), dump, each, user);
            at += NLMSG_ALIGN(h.nlmsg_len) < left - at ? NLMSG_ALIGN(h.nlmsg_len) : left - at;
        }
    }
    free(buffer);
    return -status;
}

int agent_nl_talk(int protocol, struct agent_nl *m, agent_nl_fn *each, void *user)
{
    if (m->full)
        return EMSGSIZE;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return errno;
    struct timeval timeout = {.tv_sec = SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    bool dump = (m->u.head.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
    if (!dump)
        m->u.head.nlmsg_flags |= NLM_F_ACK;
    m->u.head.nlmsg_seq = 1;
    struct sockaddr_nl to = {.nl_family = AF_NETLINK};
    int status = sendto(fd, m->u.bytes, m->u.head.nlmsg_len, 0, (struct sockaddr *)&to, sizeof(to)) < 0
                     ? errno : read_answers(fd, dump, each, user);
    close(fd);
    return status;
}

bool agent_nla_next(const uint8_t **at, const uint8_t *end, struct agent_nla *out)
{
    struct nlattr head;
    if ((size_t)(end - *at) < NLA_HDRLEN)
        return false;
    memcpy(&head, *at, sizeof(head));
    if (head.nla_len < NLA_HDRLEN || head.nla_len > (size_t)(end - *at))
        return false;
    out->type = head.nla_type & NLA_TYPE_MASK;
    out->p = *at + NLA_HDRLEN;
    out->n = head.nla_len - (size_t)NLA_HDRLEN;
    size_t whole = NLA_ALIGN(head.nla_len);
    *at += whole < (size_t)(end - *at) ? whole : (size_t)(end - *at);
    return true;
}

bool agent_nla_find(const uint8_t *from, const uint8_t *end, uint16_t type, struct agent_nla *out)
{
    while (agent_nla_next(&from, end, out))
        if (out->type == type)
            return true;
    return false;
}

uint64_t agent_nla_number(const struct agent_nla *a)
{
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    switch (a->n) {
    case 1:
        return a->p[0];
    case 2:
        memcpy(&two, a->p, 2);
        return two;
    case 4:
        memcpy(&four, a->p, 4);
        return four;
    case 8:
        memcpy(&eight, a->p, 8);
        return eight;
    default:
        return 0;
    }
}

const uint8_t *agent_nl_attrs(const struct nlmsghdr *m, size_t header, const uint8_t **end)
{
    const uint8_t *p = (const uint8_t *)m;
    size_t from = NLMSG_HDRLEN + NLMSG_ALIGN(header);
    *end = p + m->nlmsg_len;
    return from <= m->nlmsg_len ? p + from : *end;
}

/* ---- Generic netlink ---- */
void agent_genl_begin(struct agent_nl *m, uint16_t family, uint8_t command, uint8_t version, uint16_t flags)
{
    struct genlmsghdr head = {.cmd = command, .version = version};
    agent_nl_begin(m, family, flags);
    agent_nl_add(m, &head, sizeof(head));
}

static int take_family(void *user, const struct nlmsghdr *m)
{
    const uint8_t *end, *from = agent_nl_attrs(m, AGENT_GENL_HEADER, &end);
    struct agent_nla a;
    if (agent_nla_find(from, end, CTRL_ATTR_FAMILY_ID, &a))
        *(uint16_t *)user = (uint16_t)agent_nla_number(&a);
    return 0;
}

uint16_t agent_genl_family(const char *name)
{
    struct agent_nl m;
    uint16_t family = 0;
    agent_genl_begin(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, 0);
    agent_nl_string(&m, CTRL_ATTR_FAMILY_NAME, name);
    return agent_nl_talk(NETLINK_GENERIC, &m, take_family, &family) == 0 ? family : 0;
}

/* ---- Printing ---- */
static void print_one(struct agent_text *out, const char *prefix, const struct agent_nla_field *f, const struct agent_nla *a)
{
    char inner[96];
    switch (f->kind) {
    case AGENT_NLA_NUMBER:
        agent_text_print(out, " %s%s=%llu", prefix, f->name, (unsigned long long)agent_nla_number(a));
        break;
    case AGENT_NLA_HEX:
        agent_text_print(out, " %s%s=0x%llx", prefix, f->name, (unsigned long long)agent_nla_number(a));
        break;
    case AGENT_NLA_STRING:
        agent_text_print(out, " %s%s=", prefix, f->name);
        agent_text_value(out, (const char *)a->p, a->n);
        break;
    default:
        snprintf(inner, sizeof(inner), "%s%s%s", prefix, f->name != NULL ? f->name : "", f->name != NULL ? "." : "");
        agent_nla_print(out, inner, f->nested, a->p, a->p + a->n);
        break;
    }
}

void agent_nla_print(struct agent_text *out, const char *prefix, const struct agent_nla_field *fields, const uint8_t *from,
                     const uint8_t *end)
{
    struct agent_nla a;
    while (agent_nla_next(&from, end, &a))
        for (const struct agent_nla_field *f = fields; f->type != 0 || f->name != NULL; f++)
            if (f->type == a.type)
                print_one(out, prefix, f, &a);
}

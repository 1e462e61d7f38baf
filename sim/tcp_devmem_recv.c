/* recvmsg with device memory: linear bytes copied, fragments announced by cmsgs, one token for each.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_devmem_parts.h"

#define ASKED_MAX UINT32_C(0x7ffff000) /* what one call of Linux moves at most */

enum { CMSG_HEADER = 16 };

struct reading {
    struct tcp_conn *conn;
    struct tcp_devmem_message *message;
    bool devmem;         /* MSG_SOCK_DEVMEM */
    uint32_t left, done; /* bytes */
    uint32_t skip;       /* unread bytes before the first of ours */
    uint32_t run;        /* the first run that may matter */
    size_t iov, iov_at;  /* where copied bytes go */
    size_t control_used;
    bool any, any_plain; /* something was received; it was ordinary */
};

/* ---- control messages ---- */
static bool cmsg_has_room(const struct reading *r)
{
    return r->message->control != NULL &&
           r->message->control_length - r->control_used >= TCP_CMSG_SPACE;
}

static void put_cmsg(struct reading *r, const struct tcp_devmem_cmsg *cmsg)
{
    uint8_t *p = (uint8_t *)r->message->control + r->control_used;
    smc_store_le(p, 8, TCP_CMSG_SPACE);
    smc_store_le(p + 8, 4, TCP_SOL_SOCKET);
    smc_store_le(p + 12, 4, cmsg->type);
    p += CMSG_HEADER;
    smc_store_le(p, 8, cmsg->frag_offset);
    smc_store_le(p + 8, 4, cmsg->frag_size);
    smc_store_le(p + 12, 4, cmsg->frag_token);
    smc_store_le(p + 16, 4, cmsg->dmabuf_id);
    smc_store_le(p + 20, 4, 0);
    r->control_used += TCP_CMSG_SPACE;
}

bool tcp_devmem_next_cmsg(const void *control, size_t length, size_t *at,
                          struct tcp_devmem_cmsg *out)
{
    if (*at > length || length - *at < TCP_CMSG_SPACE)
        return false;
    const uint8_t *p = (const uint8_t *)control + *at;
    if (smc_load_le(p, 8) != TCP_CMSG_SPACE)
        return false;
    *out = (struct tcp_devmem_cmsg){.level = (uint32_t)smc_load_le(p + 8, 4),
                                    .type = (uint32_t)smc_load_le(p + 12, 4),
                                    .frag_offset = smc_load_le(p + 16, 8),
                                    .frag_size = (uint32_t)smc_load_le(p + 24, 4),
                                    .frag_token = (uint32_t)smc_load_le(p + 28, 4),
                                    .dmabuf_id = (uint32_t)smc_load_le(p + 32, 4),
                                    .flags = (uint32_t)smc_load_le(p + 36, 4)};
    *at += TCP_CMSG_SPACE;
    return true;
}

/* ---- iovecs ---- */
/* The next `n` bytes of the ring; there is room for them, but perhaps no memory. */
static int copy_out(struct reading *r, uint32_t n)
{
    uint32_t offset = r->skip + r->done;
    size_t iov = r->iov, at = r->iov_at;
    while (n > 0) {
        const struct tcp_devmem_iov *v = &r->message->iov[iov];
        if (at == v->length) {
            iov++;
            at = 0;
            continue;
        }
        if (v->base == NULL)
            return DEVMEM_EFAULT;
        uint32_t part = v->length - at < n ? (uint32_t)(v->length - at) : n;
        tcp_ring_read(&r->conn->receive, offset, (uint8_t *)v->base + at, part);
        offset += part;
        at += part;
        n -= part;
    }
    r->iov = iov;
    r->iov_at = at;
    return 0;
}

/* ---- one piece of the stream: bytes received, 0 to stop here, or an error ---- */
static int64_t take_plain(struct reading *r, uint32_t n)
{
    int error = copy_out(r, n);
    return error != 0 ? error : (int64_t)n;
}

static int64_t take_linear(struct reading *r, uint32_t n)
{
    if (!cmsg_has_room(r)) {
        r->message->flags |= TCP_MSG_CTRUNC;
        return DEVMEM_ETOOSMALL;
    }
    int error = copy_out(r, n);
    if (error != 0)
        return error;
    put_cmsg(r, &(struct tcp_devmem_cmsg){.type = TCP_SCM_DEVMEM_LINEAR, .frag_size = n});
    return n;
}

/* Room first, token second: no token without its cmsg [DEVMEM-002]. */
static int64_t take_fragment(struct reading *r, const struct tcp_run *run, uint32_t at, uint32_t n)
{
    if (!devmem_netmem_is_dmabuf(run->mem))
        return DEVMEM_ENODEV;
    if (!cmsg_has_room(r)) {
        r->message->flags |= TCP_MSG_CTRUNC;
        return DEVMEM_ETOOSMALL;
    }
    uint32_t token = tcp_devmem_token(r->conn, run->mem);
    if (token == 0)
        return DEVMEM_ENOMEM;
    uint64_t offset = devmem_netmem_offset(run->mem) + run->offset + (at - run->from);
    put_cmsg(r, &(struct tcp_devmem_cmsg){.type = TCP_SCM_DEVMEM_DMABUF,
                                          .frag_offset = offset,
                                          .frag_size = n,
                                          .frag_token = token,
                                          .dmabuf_id = devmem_netmem_id(run->mem)});
    return n;
}

/* The run that the byte at `at` is in, or the next one behind it; NULL: none. */
static const struct tcp_run *find_run(struct reading *r, uint32_t at)
{
    const struct tcp_devmem *d = r->conn->devmem;
    if (d == NULL)
        return NULL;
    while (r->run < d->end && seq_upto(d->runs[r->run].to, at))
        r->run++;
    return r->run < d->end ? &d->runs[r->run] : NULL;
}

static int64_t take_piece(struct reading *r)
{
    uint32_t at = r->conn->rcv_read + r->skip + r->done;
    const struct tcp_run *run = find_run(r, at);
    bool plain = run == NULL || seq_before(at, run->from);
    if (r->any && r->any_plain != plain && r->devmem)
        return 0; /* never both kinds in one answer */
    r->any_plain = plain;
    if (plain)
        return take_plain(r, run == NULL ? r->left : tcp_min(r->left, run->from - at));
    uint32_t n = tcp_min(r->left, run->to - at);
    if (run->unreadable && !r->devmem)
        return DEVMEM_EFAULT; /* [DEVMEM-001] */
    if (run->mem != 0)
        return take_fragment(r, run, at, n);
    return r->devmem ? take_linear(r, n) : take_plain(r, n);
}

static int64_t asked(const struct tcp_devmem_message *message)
{
    uint64_t sum = 0;
    if (message->iov == NULL && message->iov_count > 0)
        return DEVMEM_EFAULT;
    for (size_t i = 0; i < message->iov_count && sum < ASKED_MAX; i++)
        sum += message->iov[i].length < ASKED_MAX ? message->iov[i].length : ASKED_MAX;
    return (int64_t)(sum < ASKED_MAX ? sum : ASKED_MAX);
}

static int64_t nothing(struct tcp_conn *conn, uint32_t skip)
{
    tcp_consume(conn, skip);
    switch (tcp_nothing_to_read(conn)) {
    case 0:
        return 0;
    case SMC_ERR_WOULDBLOCK:
        return DEVMEM_EAGAIN;
    case SMC_ERR_RESET:
        return DEVMEM_ECONNRESET;
    case SMC_ERR_TIMEOUT:
        return DEVMEM_ETIMEDOUT;
    case SMC_ERR_UNREACHABLE:
        return DEVMEM_EHOSTUNREACH;
    default:
        return DEVMEM_ENOTCONN;
    }
}

int64_t tcp_devmem_recv(struct tcp_conn *conn, struct tcp_devmem_message *message, uint32_t flags)
{
    int64_t want = asked(message), n = 1;
    struct reading r = {.conn = conn,
                        .message = message,
                        .devmem = (flags & TCP_MSG_SOCK_DEVMEM) != 0,
                        .run = conn->devmem != NULL ? conn->devmem->first : 0};
    message->flags = 0;
    if ((flags & ~(uint32_t)(TCP_MSG_SOCK_DEVMEM | TCP_MSG_DONTWAIT)) != 0)
        want = DEVMEM_EINVAL;
    uint32_t have = tcp_span(conn, &r.skip);
    if (want > 0 && have == 0)
        want = nothing(conn, r.skip);
    r.left = want > 0 ? tcp_min((uint32_t)want, have) : 0;
    while (r.left > 0 && (n = take_piece(&r)) > 0) {
        r.any = true;
        r.done += (uint32_t)n;
        r.left -= (uint32_t)n;
    }
    message->control_length = r.control_used;
    if (r.done == 0)
        return want > 0 ? n : want;
    tcp_consume(conn, r.skip + r.done);
    return r.done;
}

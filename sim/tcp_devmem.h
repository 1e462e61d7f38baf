/* Device Memory TCP on a simulated host: frames by way of a NIC's queues, recvmsg with its cmsgs, tokens and DONTNEED.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_TCP_DEVMEM_H
#define SIM_TCP_DEVMEM_H

#include "devices/devmem.h"
#include "sim/tcp.h"

/* How a host gets it:
 *
 *     devmem_new(), devmem_nic_new()          once; the NIC stands for the receive side of one port
 *     tcp_devmem_frame(stack, i, nic, …)      where the host otherwise calls ip_frame(stack, i, …)
 *     devmem_netlink_open(), devmem_bind_rx() what the application does before, with its dma-buf
 *     devmem_nic_add_rule()                   so that its flow, and no other, reaches the bound queue
 *     readable callback → tcp_devmem_recv() … tcp_devmem_setsockopt(SO_DEVMEM_DONTNEED)
 *
 * The payload of a bound queue never is in a buffer of this stack: the reassembly queue holds references
 * to fragments at the sequence numbers where they belong, in order or not. What the NIC could not split,
 * and the bytes before the split point, are host memory of a bound queue; what came by another
 * queue is ordinary data. Connections that never see a bound queue are as before.
 *
 * The struct devmem outlives the stack, or at least its connections. */

enum {
    TCP_SOL_SOCKET = 1,
    TCP_SCM_DEVMEM_LINEAR = 78, /* asm-generic's values; other architectures may differ */
    TCP_SCM_DEVMEM_DMABUF = 79,
    TCP_SO_DEVMEM_DONTNEED = 80,
    TCP_MSG_PEEK = 2,
    TCP_MSG_CTRUNC = 8,
    TCP_MSG_DONTWAIT = 0x40,
    TCP_MSG_SOCK_DEVMEM = 0x2000000,
    TCP_DONTNEED_ENTRIES = 128, /* in one call */
    TCP_DONTNEED_FRAGS = 1024,  /* in one call */
    TCP_DMABUF_CMSG = 24,       /* bytes of struct dmabuf_cmsg */
    TCP_DMABUF_TOKEN = 8,       /* bytes of struct dmabuf_token */
    TCP_CMSG_SPACE = 16 + TCP_DMABUF_CMSG /* one control message: a 64-bit cmsghdr and that */
};

/* A frame came in by the port of `interface`, through the NIC: steered, split, given to the stack. As
 * ip_frame() otherwise. What the NIC dropped is counted there. */
void tcp_devmem_frame(struct ip_stack *stack, int interface, struct devmem_nic *nic,
                      const uint8_t *frame, size_t length, uint64_t now_ns);

struct tcp_devmem_iov {
    void *base;
    size_t length;
};

/* msghdr. `control`: 64-bit cmsghdrs, little endian: u64 cmsg_len, u32 level, u32 type, then 24 bytes of
 * struct dmabuf_cmsg, without padding between. */
struct tcp_devmem_message {
    const struct tcp_devmem_iov *iov;
    size_t iov_count;
    void *control;
    size_t control_length; /* room, and afterwards what was written */
    uint32_t flags;        /* afterwards: TCP_MSG_CTRUNC if the room ended before the data */
};

/* recvmsg. `flags`: TCP_MSG_SOCK_DEVMEM, TCP_MSG_DONTWAIT (always so). Bytes received, at most what the iovecs
 * hold in all: what is in device memory counts but is not written there.
 *
 * With TCP_MSG_SOCK_DEVMEM, in the order of the stream: ordinary bytes are copied, without a cmsg [DEVMEM-004];
 * host bytes of a bound queue are copied and announced by SCM_DEVMEM_LINEAR with frag_size alone [DEVMEM-003];
 * bytes in device memory are announced by SCM_DEVMEM_DMABUF: offset in the dma-buf, size, token, dmabuf
 * id [DEVMEM-002]. Copied bytes follow one another in the iovecs. A call yields either ordinary bytes or bytes of a
 * bound queue, never both. A fragment that does not fit the rest is given in parts, each with a token. The
 * control buffer ends: stops before that fragment with TCP_MSG_CTRUNC; no token is lost.
 * Without it, host bytes only, and not those of a split packet.
 *
 * 0: end of stream, or no room asked for. EAGAIN; EFAULT: an unreadable packet first without
 * TCP_MSG_SOCK_DEVMEM, or an iovec without memory; ETOOSMALL: not even one cmsg has room; ENODEV: a
 * fragment of another provider; ENOMEM: no room for a token; EINVAL: other flags (there is no peeking at
 * fragments), no iovecs; ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENOTCONN. Errors only if nothing was received; then
 * nothing has changed. */
int64_t tcp_devmem_recv(struct tcp_conn *conn, struct tcp_devmem_message *message, uint32_t flags);

/* SOL_SOCKET, SO_DEVMEM_DONTNEED: `value` is `length` bytes of struct dmabuf_token {u32 start, u32 count},
 * little endian. Returns how many fragments were given back. Tokens that are not outstanding are skipped; as in
 * Linux they count for the limit of 1,024 names in a call, behind which the rest is left
 * [DEVMEM-007, DEVMEM-008]. `conn` NULL: a socket that is not TCP.
 * ENOPROTOOPT: another option; EBADF: not TCP, checked before the length; EINVAL: more than 128 entries,
 * or not whole ones [DEVMEM-006]; EFAULT: no memory there. */
int64_t tcp_devmem_setsockopt(struct tcp_conn *conn, int level, int option, const void *value,
                              size_t length);

/* A control message taken apart. */
struct tcp_devmem_cmsg {
    uint32_t level, type;
    uint64_t frag_offset;
    uint32_t frag_size, frag_token, dmabuf_id, flags;
};
/* The one at *at, which goes on to the next. false: no more, or not whole. */
bool tcp_devmem_next_cmsg(const void *control, size_t length, size_t *at,
                          struct tcp_devmem_cmsg *out);

struct tcp_devmem_info {
    uint32_t tokens;    /* outstanding */
    uint32_t fragments; /* pieces received and not read, host bytes of bound queues among them */
};
struct tcp_devmem_info tcp_devmem_info(const struct tcp_conn *conn);

#endif

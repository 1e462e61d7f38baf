/* The laboratory: Device Memory TCP on a host — its NICs, device buffers, netlink sockets, faults, and the calls of a socket.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_LAB_DEVMEM_H
#define SIM_LAB_DEVMEM_H

#include "sim/lab.h"
#include "sim/tcp_devmem.h"

/* A NIC of devices/devmem.h stands between the port of an interface and the IP stack: what is not RoCE goes through its queues.
 * Buffers and netlink sockets are numbered from 1 in a host; whoever made a buffer holds a reference to it. What is still there
 * when the run ends is closed then. Functions return 0, a number, or an error of enum devmem_error. */
enum { LAB_DEVMEM_BUFFERS = 16, LAB_DEVMEM_NETLINKS = 16, LAB_DEVMEM_FAULTS = 16, LAB_DEVMEM_NOTES = 16 };

/* The host's part; made when first asked for. NULL: out of memory. */
struct devmem *lab_host_devmem(struct lab_host *host);

/* Puts a NIC in front of the stack; `ifindex` of the config is chosen anew each time. What no rule takes goes to queue 0. EEXIST: it
 * has one; EINVAL, ENOMEM. After unregister the interface receives nothing but RoCE, until it gets a NIC again. */
int lab_devmem_nic_new(struct lab_interface *interface, const struct devmem_nic_config *config);
struct devmem_nic *lab_devmem_nic(struct lab_interface *interface); /* NULL: none */
int lab_devmem_unregister(struct lab_interface *interface);         /* ENODEV */
/* What a packet socket on that NIC saw: packets, their bytes, and how many of these it could read. */
struct lab_devmem_tap {
    uint64_t packets, bytes, readable;
};
struct lab_devmem_tap lab_devmem_tap(const struct lab_host *host);

/* Device memory that only the NIC's DMA and lab_devmem_read() reach. A number; EINVAL, ENOMEM, ENOSPC. */
int lab_devmem_buffer_new(struct lab_host *host, uint64_t bytes);
/* As the device sees it. EBADF, ERANGE. */
int lab_devmem_read(struct lab_host *host, int buffer, uint64_t offset, void *out, size_t length);
/* The application closes its descriptor; the bytes can still be read. EBADF. */
int lab_devmem_close_fd(struct lab_host *host, int buffer);

/* A number; ENOMEM, ENOSPC. */
int lab_devmem_netlink_open(struct lab_host *host, bool admin);
int lab_devmem_netlink_close(struct lab_host *host, int netlink); /* EBADF */
struct lab_devmem_bind {
    int netlink, buffer;
    struct lab_interface *interface; /* one without a NIC: ENODEV */
    const struct devmem_queue_id *queues;
    size_t count;
};
/* As devmem_bind_rx(); EBADF: no such netlink socket. */
int64_t lab_devmem_bind(struct lab_host *host, const struct lab_devmem_bind *bind);

/* A step of a bind or a restart fails: the one behind the next `after`, and so on, `times` times. `queue`: DEVMEM_NO_QUEUE
 * means every one. ENOSPC. */
int lab_devmem_fault(struct lab_host *host, enum devmem_step step, uint32_t queue, uint32_t after, uint32_t times);
/* What the model logged, from 0 on; NULL: no more. */
const char *lab_devmem_note(const struct lab_host *host, unsigned i, uint32_t *queue);

/* tcp_devmem_recv(), tcp_devmem_setsockopt(SO_DEVMEM_DONTNEED), tcp_devmem_info() of a socket whose mode is TCP. Others: EBADF,
 * and nothing. */
int64_t lab_devmem_recv(struct lab_socket *socket, struct tcp_devmem_message *message, uint32_t flags);
int64_t lab_devmem_dontneed(struct lab_socket *socket, const void *value, size_t length);
struct tcp_devmem_info lab_devmem_info(const struct lab_socket *socket);

#endif

/* Device Memory TCP on the hosts of a laboratory: what an application and its machine have beside the stack.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_devmem.h"

#include "sim/lab_cpu.h"
#include "sim/lab_internal.h"

#include <stdio.h>

/* Where the NIC's DMA finds device memory: no pointer of ours, so nobody can follow it by mistake. */
#define DEVICE_ADDRESS UINT64_C(0x7000000000)

struct fault {
    enum devmem_step step;
    uint32_t queue, after, times;
};

struct note {
    const char *text; /* static */
    uint32_t queue;
};

/* The memory of a device that has bytes of its own. */
struct device_memory {
    struct lab *lab;
    uint8_t *bytes;
    size_t size;
};

struct lab_devmem {
    struct devmem *model;
    uint32_t last_ifindex;
    struct devmem_buffer *buffers[LAB_DEVMEM_BUFFERS];
    int fds[LAB_DEVMEM_BUFFERS]; /* 0: closed */
    struct devmem_netlink *netlinks[LAB_DEVMEM_NETLINKS];
    struct fault faults[LAB_DEVMEM_FAULTS];
    struct note notes[LAB_DEVMEM_NOTES];
    unsigned fault_count, note_count;
    struct lab_devmem_tap tap;
};

/* ---- faults and what is logged ---- */
static bool step_fails(void *user, enum devmem_step step, uint32_t queue)
{
    struct lab_devmem *d = user;
    for (unsigned i = 0; i < d->fault_count; i++) {
        struct fault *f = &d->faults[i];
        if (f->step != step || f->times == 0 || (f->queue != DEVMEM_NO_QUEUE && f->queue != queue))
            continue;
        if (f->after > 0) {
            f->after--;
            continue;
        }
        f->times--;
        return true;
    }
    return false;
}

static void note(void *user, const char *text, uint32_t ifindex, uint32_t queue)
{
    struct lab_devmem *d = user;
    (void)ifindex;
    if (d->note_count < LAB_DEVMEM_NOTES)
        d->notes[d->note_count++] = (struct note){text, queue};
}

int lab_devmem_fault(struct lab_host *host, enum devmem_step step, uint32_t queue, uint32_t after, uint32_t times)
{
    if (lab_host_devmem(host) == NULL)
        return DEVMEM_ENOMEM;
    struct lab_devmem *d = host->devmem;
    if (d->fault_count == LAB_DEVMEM_FAULTS)
        return DEVMEM_ENOSPC;
    d->faults[d->fault_count++] = (struct fault){step, queue, after, times};
    return 0;
}

const char *lab_devmem_note(const struct lab_host *host, unsigned i, uint32_t *queue)
{
    const struct lab_devmem *d = host->devmem;
    if (d == NULL || i >= d->note_count)
        return NULL;
    *queue = d->notes[i].queue;
    return d->notes[i].text;
}

/* ---- the host's part ---- */
struct devmem *lab_host_devmem(struct lab_host *host)
{
    if (host->devmem != NULL)
        return host->devmem->model;
    struct lab_devmem *d = lab_alloc(host->lab, sizeof(*d));
    if (d == NULL)
        return NULL;
    const struct devmem_config config = {.alloc = &host->lab->alloc, .fail = step_fails, .log = note, .user = d};
    d->last_ifindex = 1; /* that of a loopback interface */
    d->model = devmem_new(&config);
    if (d->model == NULL) {
        lab_release(host->lab, d, sizeof(*d));
        return NULL;
    }
    host->devmem = d;
    return d->model;
}

/* Faults end with the run: what is closed now has nobody left to be told of an error. */
void lab_devmem_free(struct lab_host *host)
{
    struct lab_devmem *d = host->devmem;
    if (d == NULL)
        return;
    d->fault_count = 0;
    for (unsigned i = 0; i < LAB_DEVMEM_BUFFERS; i++)
        if (d->buffers[i] != NULL)
            devmem_buffer_put(d->buffers[i]);
    devmem_free(d->model);
    host->devmem = NULL;
    lab_release(host->lab, d, sizeof(*d));
}

/* ---- NICs ---- */
static void tapped(void *user, const uint8_t *bytes, size_t readable, size_t length)
{
    struct lab_devmem *d = user;
    (void)bytes;
    d->tap.packets++;
    d->tap.bytes += length;
    d->tap.readable += readable;
}

int lab_devmem_nic_new(struct lab_interface *interface, const struct devmem_nic_config *config)
{
    struct devmem *model = lab_host_devmem(interface->host);
    if (interface->nic != NULL)
        return DEVMEM_EEXIST;
    if (model == NULL)
        return DEVMEM_ENOMEM;
    struct lab_devmem *d = interface->host->devmem;
    struct devmem_nic_config own = *config;
    own.ifindex = ++d->last_ifindex;
    int error = devmem_nic_new(model, &own, &interface->nic);
    if (error != 0)
        return error;
    interface->nic_ifindex = own.ifindex;
    interface->nic_gone = false;
    devmem_nic_set_tap(interface->nic, tapped, d);
    return devmem_nic_set_rss(interface->nic, 0, 1);
}

struct devmem_nic *lab_devmem_nic(struct lab_interface *interface)
{
    return interface->nic;
}

int lab_devmem_unregister(struct lab_interface *interface)
{
    if (interface->nic == NULL)
        return DEVMEM_ENODEV;
    devmem_nic_unregister(interface->nic);
    interface->nic = NULL;
    interface->nic_gone = true;
    return 0;
}

struct lab_devmem_tap lab_devmem_tap(const struct lab_host *host)
{
    return host->devmem != NULL ? host->devmem->tap : (struct lab_devmem_tap){0, 0, 0};
}

void lab_devmem_frame(struct lab_interface *interface, const uint8_t *frame, size_t length, uint64_t now_ns)
{
    if (interface->nic != NULL)
        tcp_devmem_frame(interface->host->stack, interface->ip, interface->nic, frame, length, now_ns);
    else if (!interface->nic_gone)
        ip_frame(interface->host->stack, interface->ip, frame, length, now_ns);
}

/* ---- device memory ---- */
static int map(void *user, struct devmem_segment out[DEVMEM_SEGMENTS_MAX])
{
    const struct device_memory *m = user;
    out[0] = (struct devmem_segment){DEVICE_ADDRESS, m->size};
    return 1;
}

static void dma_write(void *user, uint64_t address, const void *data, size_t length)
{
    struct device_memory *m = user;
    memcpy(m->bytes + (address - DEVICE_ADDRESS), data, length);
}

static void device_read(void *user, uint64_t offset, void *out, size_t length)
{
    const struct device_memory *m = user;
    memcpy(out, m->bytes + offset, length);
}

static void device_release(void *user)
{
    struct device_memory *m = user;
    struct lab *lab = m->lab;
    if (m->bytes != NULL)
        lab_release(lab, m->bytes, m->size);
    lab_release(lab, m, sizeof(*m));
}

static const struct devmem_exporter device = {
    .map = map, .dma_write = dma_write, .read = device_read, .release = device_release};

static int export_memory(struct lab_host *host, uint64_t bytes, struct devmem_buffer **out)
{
    struct device_memory *m = lab_alloc(host->lab, sizeof(*m));
    if (m == NULL)
        return DEVMEM_ENOMEM;
    m->lab = host->lab;
    m->size = (size_t)bytes;
    m->bytes = lab_alloc(host->lab, m->size);
    int error = m->bytes == NULL ? DEVMEM_ENOMEM : devmem_buffer_export(host->devmem->model, &device, m, bytes, out);
    if (error != 0)
        device_release(m);
    return error;
}

int lab_devmem_buffer_new(struct lab_host *host, uint64_t bytes)
{
    int i = 0;
    if (bytes == 0 || bytes > 1u << 30)
        return DEVMEM_EINVAL;
    if (lab_host_devmem(host) == NULL)
        return DEVMEM_ENOMEM;
    struct lab_devmem *d = host->devmem;
    while (i < LAB_DEVMEM_BUFFERS && d->buffers[i] != NULL)
        i++;
    if (i == LAB_DEVMEM_BUFFERS)
        return DEVMEM_ENOSPC;
    int fd, error = export_memory(host, bytes, &d->buffers[i]);
    if (error != 0)
        return error;
    fd = devmem_buffer_fd(d->buffers[i]);
    if (fd < 0) {
        devmem_buffer_put(d->buffers[i]);
        d->buffers[i] = NULL;
        return fd;
    }
    d->fds[i] = fd;
    return i + 1;
}

static struct devmem_buffer *buffer_of(const struct lab_host *host, int number)
{
    return host->devmem != NULL && number >= 1 && number <= LAB_DEVMEM_BUFFERS ? host->devmem->buffers[number - 1] : NULL;
}

int lab_devmem_read(struct lab_host *host, int buffer, uint64_t offset, void *out, size_t length)
{
    const struct devmem_buffer *b = buffer_of(host, buffer);
    return b != NULL ? devmem_buffer_read(b, offset, out, length) : DEVMEM_EBADF;
}

int lab_devmem_close_fd(struct lab_host *host, int buffer)
{
    if (buffer_of(host, buffer) == NULL)
        return DEVMEM_EBADF;
    int fd = host->devmem->fds[buffer - 1];
    host->devmem->fds[buffer - 1] = 0;
    return devmem_close_fd(host->devmem->model, fd);
}

/* ---- bindings ---- */
int lab_devmem_netlink_open(struct lab_host *host, bool admin)
{
    int i = 0;
    if (lab_host_devmem(host) == NULL)
        return DEVMEM_ENOMEM;
    struct lab_devmem *d = host->devmem;
    while (i < LAB_DEVMEM_NETLINKS && d->netlinks[i] != NULL)
        i++;
    if (i == LAB_DEVMEM_NETLINKS)
        return DEVMEM_ENOSPC;
    int error = devmem_netlink_open(d->model, admin, &d->netlinks[i]);
    return error != 0 ? error : i + 1;
}

static struct devmem_netlink **netlink_of(const struct lab_host *host, int number)
{
    if (host->devmem == NULL || number < 1 || number > LAB_DEVMEM_NETLINKS || host->devmem->netlinks[number - 1] == NULL)
        return NULL;
    return &host->devmem->netlinks[number - 1];
}

int lab_devmem_netlink_close(struct lab_host *host, int netlink)
{
    struct devmem_netlink **n = netlink_of(host, netlink);
    if (n == NULL)
        return DEVMEM_EBADF;
    devmem_netlink_close(*n);
    *n = NULL;
    return 0;
}

int64_t lab_devmem_bind(struct lab_host *host, const struct lab_devmem_bind *bind)
{
    struct devmem_netlink **n = netlink_of(host, bind->netlink);
    if (n == NULL)
        return DEVMEM_EBADF;
    struct devmem_bind b = {.ifindex = bind->interface->nic != NULL ? bind->interface->nic_ifindex : 0,
                            .fd = buffer_of(host, bind->buffer) != NULL ? host->devmem->fds[bind->buffer - 1] : 0,
                            .queues = bind->queues,
                            .count = bind->count};
    return devmem_bind_rx(*n, &b);
}

/* ---- sockets ---- */
static struct tcp_conn *tcp_of(const struct lab_socket *s)
{
    return !s->closed && s->mode == SMC_MODE_TCP ? s->tcp : NULL;
}

/* What lies in device memory is not copied. */
static uint64_t copied_of(const struct tcp_devmem_message *message, uint64_t bytes)
{
    struct tcp_devmem_cmsg c;
    size_t at = 0;
    while (tcp_devmem_next_cmsg(message->control, message->control_length, &at, &c))
        if (c.type == TCP_SCM_DEVMEM_DMABUF && c.frag_size <= bytes)
            bytes -= c.frag_size;
    return bytes;
}

int64_t lab_devmem_recv(struct lab_socket *s, struct tcp_devmem_message *message, uint32_t flags)
{
    struct tcp_conn *tcp = tcp_of(s);
    if (tcp == NULL)
        return DEVMEM_EBADF;
    if (s->host->cpu != NULL && !lab_cpu_may_call(s->host->cpu))
        return DEVMEM_EAGAIN;
    int64_t n = tcp_devmem_recv(tcp, message, flags);
    if (s->host->cpu != NULL && n > 0)
        (void)lab_cpu_call(s->host->cpu, s, false, copied_of(message, (uint64_t)n));
    lab_host_touch(s->host);
    return n;
}

int64_t lab_devmem_dontneed(struct lab_socket *s, const void *value, size_t length)
{
    if (s->host->cpu != NULL)
        (void)lab_cpu_call(s->host->cpu, s, false, 0);
    return tcp_devmem_setsockopt(tcp_of(s), TCP_SOL_SOCKET, TCP_SO_DEVMEM_DONTNEED, value, length);
}

struct tcp_devmem_info lab_devmem_info(const struct lab_socket *s)
{
    const struct tcp_conn *tcp = tcp_of(s);
    return tcp != NULL ? tcp_devmem_info(tcp) : (struct tcp_devmem_info){0, 0};
}

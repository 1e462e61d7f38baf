/* Measures Device Memory TCP: one net_iov taken and recycled, in cycles, and bytes received by reference and by copy.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The kernel's page pool is published with 8 to 10 cycles for allocate and recycle (the devmem series' bench_page_pool
 * runs). Here: the same fast path of devices/devmem_pool.h beside malloc/free of a page and beside a bare array used
 * as a stack, which is the least it could cost. Cycles are the processor's time stamp counter where there is one
 * (constant rate, not the core's clock), else nanoseconds; the line says which. */
#include "devices/devmem_pool.h"
#include "sim/plain_alloc.h"
#include "wire/carrier_layouts.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>
#define UNIT "TSC cycles"
static uint64_t ticks(void)
{
    return __rdtsc();
}
#else
#define UNIT "ns"
static uint64_t ticks(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
#endif

enum { ROUNDS = 15, TURNS = 1000000, BATCH = 32, PAGES = 256, IFINDEX = 1 };

/* The compiler may not think the value away, nor keep memory in registers across. */
static inline void used(uintptr_t value)
{
    __asm__ volatile("" : : "r"(value) : "memory");
}

/* ---- the fast path ---- */
struct work {
    struct devmem_pool *pool;
    void *array[BATCH];
    unsigned top;
};

static void one_iov(struct work *w)
{
    for (unsigned i = 0; i < TURNS; i++) {
        devmem_netmem mem = devmem_pool_take(w->pool);
        used(mem);
        devmem_pool_give(mem);
    }
}

static void batch_of_iovs(struct work *w)
{
    devmem_netmem held[BATCH];
    for (unsigned i = 0; i < TURNS / BATCH; i++) {
        for (unsigned k = 0; k < BATCH; k++)
            held[k] = devmem_pool_take(w->pool);
        used((uintptr_t)held);
        for (unsigned k = 0; k < BATCH; k++)
            devmem_pool_give(held[k]);
    }
}

static void one_malloc(struct work *w)
{
    (void)w;
    for (unsigned i = 0; i < TURNS; i++) {
        void *block = malloc(DEVMEM_PAGE);
        used((uintptr_t)block);
        free(block);
    }
}

static void one_of_array(struct work *w)
{
    for (unsigned i = 0; i < TURNS; i++) {
        void *page = w->array[--w->top];
        used((uintptr_t)page);
        w->array[w->top++] = page;
        used((uintptr_t)w);
    }
}

/* Ticks an element, the best of some rounds. */
static double measure(void (*what)(struct work *), struct work *w, unsigned elements)
{
    uint64_t best = UINT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = ticks();
        what(w);
        uint64_t took = ticks() - start;
        best = took < best ? took : best;
    }
    return (double)best / elements;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- a host with one bound queue ---- */
struct host {
    struct devmem *host;
    struct devmem_nic *nic;
    struct devmem_netlink *netlink;
    struct devmem_buffer *buffer;
    uint32_t id;
};

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench/devmem: %s failed\n", what);
    exit(2);
}

static struct host set_up(void)
{
    const struct devmem_config config = {.alloc = &plain_alloc};
    const struct devmem_nic_config nic = {.ifindex = IFINDEX, .queues = 2};
    static const struct devmem_queue_id queue = {DEVMEM_QUEUE_RX, 1};
    struct host h = {.host = devmem_new(&config)};
    must(h.host != NULL && devmem_nic_new(h.host, &nic, &h.nic) == 0 &&
             devmem_netlink_open(h.host, true, &h.netlink) == 0 &&
             devmem_buffer_new(h.host, (uint64_t)PAGES * DEVMEM_PAGE, &h.buffer) == 0,
         "set-up");
    const struct devmem_bind bind = {IFINDEX, devmem_buffer_fd(h.buffer), &queue, 1, false};
    int64_t id = devmem_bind_rx(h.netlink, &bind);
    must(id > 0, "bind");
    h.id = (uint32_t)id;
    const struct devmem_rule rule = {.dport = 1, .queue = 1};
    must(devmem_nic_set_rss(h.nic, 0, 1) == 0 && devmem_nic_add_rule(h.nic, &rule) >= 0, "steering");
    return h;
}

static void tear_down(struct host *h)
{
    must(devmem_binding(h->host, h->id).available == PAGES, "getting every net_iov back");
    devmem_buffer_put(h->buffer);
    devmem_free(h->host);
}

static size_t build_frame(uint8_t *frame, uint16_t dport, size_t payload)
{
    struct smc_ipv4_fields ip = {.version = 4, .ihl = 5, .total_length = (uint16_t)(40 + payload), .ttl = 1, .protocol = 6};
    struct smc_tcp_fields tcp = {.dport = dport, .sport = 1, .data_offset = 5};
    memset(frame, 0, 14);
    frame[12] = 8;
    smc_ipv4_encode(&ip, frame + 14);
    smc_tcp_encode(&tcp, frame + 34);
    memset(frame + 54, 0xa5, payload);
    return 54 + payload;
}

/* The pool of net_iovs is inside the queue: found by a packet's fragment. */
static void fast_path(struct host *h)
{
    uint8_t frame[200];
    struct devmem_skb *skb = NULL;
    must(devmem_nic_rx(h->nic, frame, build_frame(frame, 1, 100), &skb) == 0 && skb->unreadable, "receiving");
    struct work w = {.pool = devmem_mem_of(skb->frags[0].mem)->pool, .top = BATCH};
    devmem_skb_free(skb);
    devmem_netmem warm[BATCH];
    for (unsigned i = 0; i < BATCH; i++)
        must((warm[i] = devmem_pool_take(w.pool)) != 0, "filling the pool");
    for (unsigned i = 0; i < BATCH; i++) {
        devmem_pool_give(warm[i]);
        w.array[i] = frame;
    }
    double one = measure(one_iov, &w, TURNS);
    double batch = measure(batch_of_iovs, &w, TURNS / BATCH * BATCH);
    double heap = measure(one_malloc, &w, TURNS);
    double array = measure(one_of_array, &w, TURNS);
    printf("allocate and recycle one net_iov   %6.1f " UNIT "  (published for the kernel's page pool: 8 to 10 cycles)\n", one);
    printf("the same, %d at a time             %6.1f " UNIT "\n", BATCH, batch);
    printf("malloc and free of a page          %6.1f " UNIT "  %.2f x the net_iov\n", heap, heap / one);
    printf("array of pages as a stack          %6.1f " UNIT "  %.2f x the net_iov\n", array, array / one);
}

/* ---- bytes: received by reference, against received into pages and copied to the application ---- */
static double receive(struct host *h, uint16_t dport, size_t payload, bool copy)
{
    static uint8_t frame[70000], application[70000];
    enum { BYTES = 1 << 28 };
    size_t length = build_frame(frame, dport, payload), packets = BYTES / payload;
    double best = 0;
    for (int round = 0; round < 3; round++) {
        double start = seconds();
        for (size_t i = 0; i < packets; i++) {
            struct devmem_skb *skb = NULL;
            must(devmem_nic_rx(h->nic, frame, length, &skb) == 0 && skb->unreadable != copy, "receiving");
            if (copy)
                must(devmem_skb_copy(skb, 54, application, (uint32_t)payload) == 0, "copying");
            used((uintptr_t)application);
            devmem_skb_free(skb);
        }
        double rate = (double)packets * (double)payload / (seconds() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

static void bytes(struct host *h)
{
    static const size_t sizes[] = {1448, 4096, 8948, 65483};
    static uint8_t from[65536], to[65536];
    double best = 0;
    for (int round = 0; round < 3; round++) {
        double start = seconds();
        for (int i = 0; i < 4096; i++) {
            memcpy(to, from, sizeof(from));
            used((uintptr_t)to);
        }
        double rate = 4096.0 * sizeof(from) / (seconds() - start);
        best = rate > best ? rate : best;
    }
    printf("plain memcpy, 64 KiB               %6.2f GB/s\n", best / 1e9);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        double device = receive(h, 1, sizes[i], false), copied = receive(h, 2, sizes[i], true);
        printf("payload of %5zu bytes: to device memory %5.2f GB/s, to pages and copied %5.2f GB/s, ratio %.2f\n", sizes[i],
               device / 1e9, copied / 1e9, device / copied);
    }
    puts("(the model's NIC writes payload and adds up its checksum by this processor, in both columns; real ones do not)");
}

int main(void)
{
    struct host h = set_up();
    fast_path(&h);
    bytes(&h);
    tear_down(&h);
    return 0;
}

/* For tests of Device Memory TCP: device memory that kills whoever reads it, an allocator that fails on demand, frames.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_DEVMEM_MEMORY_TEST_H
#define DEVICES_DEVMEM_MEMORY_TEST_H

#include "devices/devmem.h"
#include "wire/carrier_layouts.h"

#include "testing/check_main.h"

#include <sys/mman.h>

/* ---- device memory: pages without any right, but during the NIC's DMA and the device's own reading ---- */
struct trap_memory {
    uint8_t *bytes;
    size_t size;
    unsigned attached, mapped, released;
    int attach_error;
    int segments; /* what map returns; 0: one that fits */
    struct devmem_segment segment[DEVMEM_SEGMENTS_MAX];
};

#define TRAP_ADDRESS UINT64_C(0x7000000000)

static inline int trap_attach(void *user)
{
    struct trap_memory *m = user;
    if (m->attach_error != 0)
        return m->attach_error;
    m->attached++;
    return 0;
}

static inline void trap_detach(void *user)
{
    struct trap_memory *m = user;
    ck_assert_uint_gt(m->attached, m->mapped > 0 ? m->mapped - 1 : 0);
    m->attached--;
}

static inline int trap_map(void *user, struct devmem_segment out[DEVMEM_SEGMENTS_MAX])
{
    struct trap_memory *m = user;
    if (m->segments < 0)
        return m->segments;
    m->mapped++;
    memcpy(out, m->segment, sizeof(m->segment));
    if (m->segments > 0)
        return m->segments > 100 ? 0 : m->segments;
    out[0] = (struct devmem_segment){TRAP_ADDRESS, m->size};
    return 1;
}

static inline void trap_unmap(void *user)
{
    struct trap_memory *m = user;
    ck_assert_uint_gt(m->mapped, 0);
    m->mapped--;
}

static inline void trap_write(void *user, uint64_t address, const void *data, size_t length)
{
    struct trap_memory *m = user;
    ck_assert_uint_gt(m->mapped, 0);
    uint64_t at = address - TRAP_ADDRESS;
    ck_assert_uint_le(at, m->size);
    ck_assert_uint_le(length, m->size - at);
    ck_assert_uint_le(at % DEVMEM_PAGE + length, DEVMEM_PAGE);
    ck_assert_int_eq(mprotect(m->bytes, m->size, PROT_READ | PROT_WRITE), 0);
    memcpy(m->bytes + at, data, length);
    ck_assert_int_eq(mprotect(m->bytes, m->size, PROT_NONE), 0);
}

static inline void trap_read(void *user, uint64_t offset, void *out, size_t length)
{
    struct trap_memory *m = user;
    ck_assert_int_eq(mprotect(m->bytes, m->size, PROT_READ), 0);
    memcpy(out, m->bytes + offset, length);
    ck_assert_int_eq(mprotect(m->bytes, m->size, PROT_NONE), 0);
}

static inline void trap_release(void *user)
{
    struct trap_memory *m = user;
    ck_assert_uint_eq(m->attached + m->mapped, 0);
    m->released++;
    ck_assert_int_eq(munmap(m->bytes, m->size), 0);
}

static const struct devmem_exporter trap_exporter = {trap_attach, trap_detach, trap_map,    trap_unmap,
                                                     trap_write,  trap_read,   trap_release};

/* A descriptor that alone keeps the buffer. *out may be NULL. */
static inline int trap_fd(struct devmem *host, struct trap_memory *m, size_t pages,
                          struct devmem_buffer **out)
{
    struct devmem_buffer *buffer = NULL;
    m->size = pages * DEVMEM_PAGE;
    m->bytes = mmap(NULL, m->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(m->bytes, MAP_FAILED);
    if (devmem_buffer_export(host, &trap_exporter, m, m->size, &buffer) != 0) {
        munmap(m->bytes, m->size);
        return DEVMEM_ENOMEM;
    }
    int fd = devmem_buffer_fd(buffer);
    if (out != NULL)
        *out = buffer;
    devmem_buffer_put(buffer);
    return fd;
}

/* ---- host memory ---- */
struct devmem_test_memory {
    struct smc_alloc alloc;
    size_t live, calls;
    size_t fail_at; /* this call fails; 0: none */
};

static inline void *devmem_test_allocate(void *user, size_t size)
{
    struct devmem_test_memory *m = user;
    if (++m->calls == m->fail_at)
        return NULL;
    m->live += size;
    return malloc(size);
}

static inline void *devmem_test_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    struct devmem_test_memory *m = user;
    if (++m->calls == m->fail_at)
        return NULL;
    m->live += new_size - old_size;
    return realloc(block, new_size);
}

static inline void devmem_test_release(void *user, void *block, size_t size)
{
    struct devmem_test_memory *m = user;
    ck_assert_uint_ge(m->live, size);
    m->live -= size;
    free(block);
}

static inline void devmem_test_memory_init(struct devmem_test_memory *m, size_t fail_at)
{
    *m = (struct devmem_test_memory){.fail_at = fail_at};
    m->alloc = (struct smc_alloc){devmem_test_allocate, devmem_test_resize, devmem_test_release, m};
}

/* ---- faults: the nth call of a step fails ---- */
struct devmem_test_faults {
    unsigned seen[DEVMEM_STEPS];
    unsigned fail[DEVMEM_STEPS]; /* which one, from 1; 0: none */
    unsigned logged;
    uint32_t logged_queue;
};

static inline bool devmem_test_fail(void *user, enum devmem_step step, uint32_t queue)
{
    struct devmem_test_faults *f = user;
    ck_assert_int_eq(queue == DEVMEM_NO_QUEUE, step < DEVMEM_STEP_ALLOC);
    return ++f->seen[step] == f->fail[step];
}

static inline void devmem_test_log(void *user, const char *text, uint32_t ifindex, uint32_t queue)
{
    struct devmem_test_faults *f = user;
    ck_assert_uint_gt(strlen(text), 0);
    ck_assert_uint_gt(ifindex, 0);
    f->logged++;
    f->logged_queue = queue;
}

/* ---- frames ---- */
struct devmem_test_frame {
    bool v6, bad_checksum;
    uint16_t vlan; /* 0: no tag */
    uint16_t sport, dport;
    uint8_t protocol; /* 0: TCP */
    unsigned tcp_options; /* bytes, a multiple of 4 */
    size_t payload;
    uint8_t seed; /* of the payload */
};

static inline uint32_t devmem_test_sum(uint32_t sum, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)p[i] << (i % 2 == 0 ? 8 : 0);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static inline uint8_t devmem_test_byte(uint8_t seed, size_t i)
{
    return (uint8_t)(seed * 31u + i * 7u + (i >> 8) * 13u);
}

/* 192.0.2.9 or 2001:db8::9 → …7. Returns the length; the payload stands at the end. */
static inline size_t devmem_test_build(const struct devmem_test_frame *f, uint8_t *out)
{
    size_t at = 12, tcp = smc_tcp_size + f->tcp_options, segment = tcp + f->payload;
    uint8_t protocol = f->protocol != 0 ? f->protocol : 6;
    memset(out, 0, 14 + 4 + 40 + segment);
    out[0] = out[6] = 2;
    if (f->vlan != 0) {
        smc_store_be(out + at, 2, 0x8100);
        smc_store_be(out + at + 2, 2, f->vlan);
        at += 4;
    }
    smc_store_be(out + at, 2, f->v6 ? 0x86dd : 0x0800);
    at += 2;
    uint8_t *ip = out + at;
    uint32_t sum = devmem_test_sum((uint32_t)(segment >> 16) + (uint32_t)(segment & 0xffff) + protocol, NULL, 0);
    if (f->v6) {
        struct smc_ipv6_fields h = {.version = 6, .payload_length = (uint16_t)segment, .next_header = protocol, .hop_limit = 9};
        h.src[0] = h.dst[0] = 0x20;
        h.src[15] = 9;
        h.dst[15] = 7;
        smc_ipv6_encode(&h, ip);
        sum = devmem_test_sum(sum, ip + 8, 32);
        at += 40;
    } else {
        struct smc_ipv4_fields h = {.version = 4, .ihl = 5, .total_length = (uint16_t)(20 + segment),
                                    .ttl = 9, .protocol = protocol, .src = 0xc0000209, .dst = 0xc0000207};
        smc_ipv4_encode(&h, ip);
        smc_ipv4_put_checksum(ip, (uint16_t)~devmem_test_sum(0, ip, 20));
        sum = devmem_test_sum(sum, ip + 12, 8);
        at += 20;
    }
    struct smc_tcp_fields t = {.sport = f->sport, .dport = f->dport, .ack = 1, .data_offset = (uint8_t)(tcp / 4)};
    smc_tcp_encode(&t, out + at);
    memset(out + at + smc_tcp_size, 1, f->tcp_options);
    for (size_t i = 0; i < f->payload; i++)
        out[at + tcp + i] = devmem_test_byte(f->seed, i);
    smc_tcp_put_checksum(out + at, (uint16_t)(~devmem_test_sum(sum, out + at, segment) ^ f->bad_checksum));
    return at + segment;
}

#endif

/* For tests of dibs devices: memory that runs short, hosts whose client takes notes, an observer, random traffic.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_DIBS_TESTING_H
#define DEVICES_DIBS_TESTING_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <smc/dibs.h>

#include "devices/dibs_parts.h"
#include "devices/dibs_record.h"
#include "wire/smcd_record_layouts.h"

/* ---- memory ---- */

struct test_memory {
    struct smc_alloc alloc;
    size_t held, calls;
    size_t fail_at; /* the number of the call that fails, from 1; 0: none */
};

static inline void *test_allocate(void *user, size_t size)
{
    struct test_memory *m = (struct test_memory *)user;
    if (++m->calls == m->fail_at)
        return NULL;
    m->held += size;
    void *block = malloc(size);
    memset(block, 0xa5, size);
    return block;
}

static inline void test_release(void *user, void *block, size_t size)
{
    struct test_memory *m = (struct test_memory *)user;
    m->held -= size;
    free(block);
}

static inline void *test_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    void *grown = test_allocate(user, new_size);
    if (grown != NULL && block != NULL) {
        memcpy(grown, block, old_size < new_size ? old_size : new_size);
        test_release(user, block, old_size);
    }
    return grown;
}

static inline void test_memory_init(struct test_memory *m)
{
    memset(m, 0, sizeof(*m));
    m->alloc.allocate = test_allocate;
    m->alloc.resize = test_resize;
    m->alloc.release = test_release;
    m->alloc.user = m;
}

/* ---- a host: one registry, one client ---- */

struct test_host {
    struct smc_dibs_client client; /* first */
    struct smc_dibs dibs;
    uint32_t irqs, events, wakes;
    uint32_t last_index;
    uint16_t last_mask;
    uint32_t irqs_of[5000];
    struct smc_dibs_event last_event, events_seen[64];
};

static inline void test_add(struct smc_dibs_client *client, struct smc_dibs_device *device)
{
    (void)client;
    (void)device;
}

static inline void test_irq(struct smc_dibs_client *client, struct smc_dibs_device *device,
                            uint32_t index, uint16_t mask)
{
    struct test_host *h = (struct test_host *)client;
    (void)device;
    h->irqs++;
    h->last_index = index;
    h->last_mask = mask;
    h->irqs_of[index]++;
}

static inline void test_event(struct smc_dibs_client *client, struct smc_dibs_device *device,
                              const struct smc_dibs_event *event)
{
    struct test_host *h = (struct test_host *)client;
    (void)device;
    if (h->events < 64)
        h->events_seen[h->events] = *event;
    h->events++;
    h->last_event = *event;
}

static inline void test_wake(void *user)
{
    ((struct test_host *)user)->wakes++;
}

static const struct smc_dibs_client_ops test_client_ops = {test_add, test_add, test_irq,
                                                           test_event};

static inline void test_host_init(struct test_host *h, const struct smc_alloc *alloc)
{
    memset(h, 0, sizeof(*h));
    h->client.ops = &test_client_ops;
    smc_dibs_init(&h->dibs, alloc);
    ck_assert_int_eq(smc_dibs_register_client(&h->dibs, &h->client), 0);
}

static inline void test_host_end(struct test_host *h)
{
    ck_assert_int_eq(smc_dibs_unregister_client(&h->dibs, &h->client), 0);
    ck_assert_int_eq(smc_dibs_free(&h->dibs), 0);
}

static inline int test_register(struct test_host *h, struct smc_dibs_device *device,
                                const struct smc_gid *rgid, uint32_t length,
                                struct smc_dibs_dmb *dmb)
{
    memset(dmb, 0, sizeof(*dmb));
    dmb->rgid = *rgid;
    dmb->length = length;
    return smc_dibs_register_dmb(&h->client, device, dmb);
}

static inline bool test_all_zero(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (data[i] != 0)
            return false;
    return true;
}

static inline uint64_t test_hash(const uint8_t *data, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ data[i]) * 0x100000001b3u;
    return hash;
}

/* ---- an observer ---- */

struct test_records {
    struct dibs_observer observer;
    uint32_t count;
    struct smc_smcd_record_fields header[256];
    size_t length[256];
    uint8_t first[256][32]; /* the first bytes of each record's data */
};

static inline void test_record(void *user, const struct smc_smcd_record_fields *header,
                               const uint8_t *data, size_t length)
{
    struct test_records *r = (struct test_records *)user;
    ck_assert_uint_lt(r->count, 256);
    ck_assert_uint_le(length, SMC_RECORD_MAX_DATA);
    r->header[r->count] = *header;
    r->length[r->count] = length;
    if (length > 0)
        memcpy(r->first[r->count], data, length < 32 ? length : 32);
    r->count++;
}

static inline void test_records_init(struct test_records *r)
{
    memset(r, 0, sizeof(*r));
    r->observer.record = test_record;
    r->observer.user = r;
}

/* ---- random traffic between two owners ----
 * Each host owns some DMBs that the other writes; a mirror in ordinary memory takes the same writes.
 * Now and then a DMB is given back and another one taken, and moves that must fail are tried. After
 * every step the contents are the mirror's; every DMB that was signalled is heard of. */
enum { TRAFFIC_DMBS = 6, TRAFFIC_BYTES = 5 * DIBS_PAGE_BYTES };

struct test_traffic {
    struct test_host *host[2];
    struct smc_dibs_device *device[2];
    void (*settle)(void *user); /* lets late interrupts arrive */
    void *user;
    uint64_t random;
    struct smc_dibs_dmb dmb[2][TRAFFIC_DMBS]; /* data NULL: none */
    uint8_t mirror[2][TRAFFIC_DMBS][TRAFFIC_BYTES];
    uint32_t moved, refused, turnover;
};

static inline uint32_t traffic_pick(struct test_traffic *t, uint32_t below)
{
    return (uint32_t)(dibs_random(&t->random) % below);
}

static inline void traffic_renew(struct test_traffic *t, uint32_t side, uint32_t slot)
{
    struct smc_dibs_dmb *dmb = &t->dmb[side][slot];
    if (dmb->data != NULL) {
        struct smc_dibs_dmb old = *dmb;
        ck_assert_int_eq(smc_dibs_unregister_dmb(&t->host[side]->client, t->device[side], dmb), 0);
        ck_assert_int_eq(smc_dibs_move_data(t->device[!side], old.token, 0, true, 0, "x", 1),
                         SMC_ERR_NOTFOUND);
        t->turnover++;
    }
    uint32_t length = (1 + traffic_pick(t, 5)) * DIBS_PAGE_BYTES;
    ck_assert_int_eq(
        test_register(t->host[side], t->device[side], &t->device[!side]->gid, length, dmb), 0);
    ck_assert(test_all_zero(dmb->data, length));
    memset(t->mirror[side][slot], 0, TRAFFIC_BYTES);
}

static inline void traffic_move(struct test_traffic *t, uint32_t side, uint32_t slot)
{
    uint8_t data[9000];
    struct smc_dibs_dmb *dmb = &t->dmb[side][slot];
    uint32_t offset = traffic_pick(t, dmb->length + 1);
    uint32_t size = traffic_pick(t, sizeof(data));
    bool signal = traffic_pick(t, 2) != 0, fits = offset + size <= dmb->length;
    for (uint32_t i = 0; i < size; i++)
        data[i] = (uint8_t)dibs_random(&t->random);
    uint32_t before = t->host[side]->irqs_of[dmb->index];
    int error = smc_dibs_move_data(t->device[!side], dmb->token, slot, signal, offset, data, size);
    ck_assert_int_eq(error, fits ? 0 : SMC_ERR_RANGE);
    if (fits)
        memcpy(t->mirror[side][slot] + offset, data, size);
    if (fits)
        t->moved++;
    else
        t->refused++;
    t->settle(t->user);
    ck_assert_uint_eq(t->host[side]->irqs_of[dmb->index], before + (fits && signal));
    if (fits && signal)
        ck_assert_uint_eq(t->host[side]->last_mask, dibs_element_mask(slot));
}

static inline void traffic_compare(struct test_traffic *t)
{
    for (uint32_t side = 0; side < 2; side++)
        for (uint32_t i = 0; i < TRAFFIC_DMBS; i++)
            ck_assert_uint_eq(test_hash(t->dmb[side][i].data, t->dmb[side][i].length),
                              test_hash(t->mirror[side][i], t->dmb[side][i].length));
}

static inline void test_traffic_run(struct test_traffic *t, uint32_t steps)
{
    for (uint32_t side = 0; side < 2; side++)
        for (uint32_t i = 0; i < TRAFFIC_DMBS; i++)
            traffic_renew(t, side, i);
    for (uint32_t step = 0; step < steps; step++) {
        uint32_t side = traffic_pick(t, 2), slot = traffic_pick(t, TRAFFIC_DMBS);
        if (traffic_pick(t, 16) == 0)
            traffic_renew(t, side, slot);
        else
            traffic_move(t, side, slot);
        if (step % 16 == 0)
            traffic_compare(t);
    }
    traffic_compare(t);
    ck_assert_uint_gt(t->moved, steps / 4);
    ck_assert_uint_gt(t->refused, 0);
    ck_assert_uint_gt(t->turnover, 0);
    for (uint32_t side = 0; side < 2; side++)
        for (uint32_t i = 0; i < TRAFFIC_DMBS; i++)
            ck_assert_int_eq(
                smc_dibs_unregister_dmb(&t->host[side]->client, t->device[side], &t->dmb[side][i]),
                0);
}

#endif

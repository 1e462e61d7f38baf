/* Tests of the ISM model: control blocks, stores, summary bits, the event queue, VLANs, peers that go.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/ism.h"

#include "devices/dibs_testing.h"
#include "testing/check_main.h"
#include "wire/field.h"

enum { PAGE = DIBS_PAGE_BYTES, FUNCTIONS = 4 };

struct world {
    struct test_memory memory;
    struct test_host host[FUNCTIONS];
    struct ism_fabric *fabric;
    struct ism_function *f[FUNCTIONS]; /* 0 to 2: CHID 0x7c0; 3: another */
    struct smc_dibs_device *dev[FUNCTIONS];
    struct test_records records;
};

static struct world w;

/* What stands in a DMB at the moment of the interrupt. */
static const uint8_t *watched;
static uint8_t seen_at_interrupt;

static void wake(void *user)
{
    test_wake(user);
    if (watched != NULL)
        seen_at_interrupt = *watched;
}

static struct ism_function_config function_config(int i)
{
    return (struct ism_function_config){.gid = 0x100 + (uint64_t)i,
                                        .chid = i == 3 ? 0x7c1 : 0x7c0,
                                        .pnet = "NET1",
                                        .name = "ism",
                                        .v2_capable = i != 2,
                                        .wake = wake,
                                        .user = &w.host[i]};
}

static void set_up(void)
{
    struct ism_config config = {.seed = 5, .interrupt_delay_ns = 100};
    test_memory_init(&w.memory);
    test_records_init(&w.records);
    ck_assert_int_eq(ism_fabric_create(&config, &w.memory.alloc, &w.fabric), 0);
    for (int i = 0; i < FUNCTIONS; i++) {
        struct ism_function_config c = function_config(i);
        test_host_init(&w.host[i], &w.memory.alloc);
        ck_assert_int_eq(ism_function_create(w.fabric, &c, &w.f[i]), 0);
        w.dev[i] = ism_function_device(w.f[i]);
        ck_assert_int_eq(smc_dibs_add_device(&w.host[i].dibs, w.dev[i]), 0);
    }
}

static void tear_down(void)
{
    for (int i = 0; i < FUNCTIONS; i++) {
        ck_assert_int_eq(ism_fabric_destroy(w.fabric), SMC_ERR_BUSY);
        ck_assert_int_eq(ism_function_destroy(w.f[i]), SMC_ERR_BUSY);
        ck_assert_int_eq(smc_dibs_remove_device(&w.host[i].dibs, w.dev[i]), 0);
        ck_assert_int_eq(ism_function_destroy(w.f[i]), 0);
        test_host_end(&w.host[i]);
    }
    ck_assert_int_eq(ism_fabric_destroy(w.fabric), 0);
    ck_assert_uint_eq(w.memory.held, 0);
}

/* A DMB of function `owner` for function `writer`. */
static struct smc_dibs_dmb take(int owner, int writer, uint32_t length)
{
    struct smc_dibs_dmb dmb;
    ck_assert_int_eq(test_register(&w.host[owner], w.dev[owner], &w.dev[writer]->gid, length, &dmb),
                     0);
    return dmb;
}

static void run(int i)
{
    uint64_t now = 1000;
    while (ism_next_ns(w.f[i]) != UINT64_MAX) {
        ism_run(w.f[i], now);
        now += 100;
    }
}

/* ---- control blocks ---- */

static uint8_t block[ISM_BLOCK_BYTES];

static uint32_t command(int i, uint32_t code, uint16_t length)
{
    smc_store_be(block, 4, code);
    smc_store_be(block + 6, 2, length);
    ism_command(w.f[i], block, sizeof(block));
    ck_assert_uint_eq(smc_load_be(block, 4), code);
    return (uint32_t)smc_load_be(block + 4, 2);
}

START_TEST(commands_are_answered_in_their_blocks)
{
    struct smc_dibs_dmb dmb = take(0, 1, PAGE);
    ck_assert_uint_eq(command(0, ISM_READ_GID, 8), ISM_OK);
    ck_assert_uint_eq(smc_load_be(block + 6, 2), 16);
    ck_assert_uint_eq(smc_load_be(block + 8, 8), 0x100);
    ck_assert_uint_eq(command(0, ISM_QUERY_INFO, 8), ISM_OK);
    ck_assert_uint_eq(smc_load_be(block + 6, 2), 200);
    ck_assert_uint_eq(smc_load_be(block + 12, 4), 1 << 20);
    ck_assert_uint_eq(smc_load_be(block + 24, 8), 0x100);
    ck_assert_uint_ne(smc_load_be(block + 32, 8), 0);   /* sba */
    ck_assert_uint_eq(smc_load_be(block + 48, 4), 512); /* event queue */
    ck_assert_uint_eq(smc_load_be(block + 56, 4), 1);   /* DMBs owned */
    ck_assert_uint_eq(smc_load_be(block + 60, 4), 0);   /* used */
    ck_assert_uint_eq(smc_load_be(block + 68, 4), 1);   /* VLAN ids: the reserved one */
    ck_assert_uint_eq(smc_load_be(block + 72, 2), 0x1fff);
    ck_assert_uint_eq(command(1, ISM_QUERY_INFO, 8), ISM_OK);
    ck_assert_uint_eq(smc_load_be(block + 60, 4), 1);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&w.host[0].client, w.dev[0], &dmb), 0);
}
END_TEST

START_TEST(hostile_blocks_get_an_error)
{
    ck_assert_uint_eq(command(0, 0x7777, 8), ISM_ERROR);
    ck_assert_uint_eq(smc_load_be(block + 6, 2), 8);
    for (uint32_t code = 0; code < 0x20; code++)
        ck_assert_uint_eq(command(0, code, 7), ISM_ERROR);
    uint8_t *small = malloc(39); /* REG_DMB needs 40 */
    memset(small, 0, 39);
    smc_store_be(small, 4, ISM_REG_DMB);
    smc_store_be(small + 6, 2, 40);
    ism_command(w.f[0], small, 39);
    ck_assert_uint_eq(smc_load_be(small + 4, 2), ISM_ERROR);
    ism_command(w.f[0], small, 7); /* not even a header */
    free(small);
    /* SBA twice, memory that was not mapped, an index out of range, no whole page. */
    memset(block, 0, sizeof(block));
    ck_assert_uint_eq(command(0, ISM_REG_SBA, 16), ISM_ERROR);
    uint8_t *memory = calloc(1, 3 * PAGE);
    uint64_t address;
    ck_assert_int_eq(ism_map(w.f[0], memory, 2 * PAGE, &address), 0);
    const uint64_t bad[][3] = {
        {address, 3 * PAGE, 40}, {address + 1, PAGE, 40},      {address + 2 * PAGE, PAGE, 40},
        {address, PAGE, 1920},   {address, PAGE - 1, 40},      {address, 0, 40},
        {0, PAGE, 40},           {UINT64_MAX - 4095, PAGE, 40}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(block, 0, sizeof(block));
        smc_store_be(block + 8, 8, bad[i][0]);
        smc_store_be(block + 16, 4, bad[i][1]);
        smc_store_be(block + 20, 4, bad[i][2]);
        smc_store_be(block + 32, 8, 0x101);
        ck_assert_uint_eq(command(0, ISM_REG_DMB, 40), ISM_ERROR);
    }
    memset(block, 0, sizeof(block));
    smc_store_be(block + 8, 8, address);
    smc_store_be(block + 16, 4, 2 * PAGE);
    smc_store_be(block + 20, 4, 40);
    smc_store_be(block + 32, 8, 0x101);
    ck_assert_uint_eq(command(0, ISM_REG_DMB, 40), ISM_OK);
    uint64_t token = smc_load_be(block + 8, 8);
    ck_assert_int_eq(ism_store(w.f[1], token | 5, "abc", 3), 0);
    ck_assert_mem_eq(memory + 5, "abc", 3);
    ism_unmap(w.f[0], address); /* ends the registration */
    ck_assert_int_eq(ism_store(w.f[1], token | 5, "abc", 3), SMC_ERR_NOTFOUND);
    free(memory);
}
END_TEST

/* ---- reachability ---- */

START_TEST(equal_chid_and_vlan_make_a_peer_reachable) /* [SMCD-025] [DIBS-016] [SMCD-030] */
{
    const struct smc_gid *one = &w.dev[1]->gid;
    struct smc_gid extended = *one;
    extended.bytes[15] = 1; /* not a GID of ISM, B-27 */
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[0], one, false, 0), 0);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[0], &extended, false, 0), SMC_ERR_UNREACHABLE);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[0], &w.dev[3]->gid, false, 0),
                     SMC_ERR_UNREACHABLE);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[0], one, true, 7), SMC_ERR_UNREACHABLE);
    ck_assert_int_eq(smc_dibs_add_vlan_id(w.dev[0], 7), 0);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[0], one, true, 7), SMC_ERR_UNREACHABLE);
    ck_assert_int_eq(smc_dibs_add_vlan_id(w.dev[1], 7), 0);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[0], one, true, 7), 0);
    ck_assert_uint_eq(command(1, ISM_SET_VLAN, 8), ISM_OK);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[0], one, false, 0), SMC_ERR_UNREACHABLE);
    ck_assert_uint_eq(command(1, ISM_RESET_VLAN, 8), ISM_OK);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[0], one, false, 0), 0);
    ck_assert_int_eq(smc_dibs_del_vlan_id(w.dev[1], 7), 0);
    ck_assert_int_eq(smc_dibs_del_vlan_id(w.dev[1], 7), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[0], one, true, 7), SMC_ERR_UNREACHABLE);
    struct smc_dibs_dmb dmb;
    ck_assert_int_eq(test_register(&w.host[0], w.dev[0], &w.dev[3]->gid, PAGE, &dmb),
                     SMC_ERR_UNREACHABLE);
}
END_TEST

START_TEST(the_reserved_vlan_tells_version_2_hardware)
{
    ck_assert(ism_function_v2_capable(w.f[0]));
    ck_assert(!ism_function_v2_capable(w.f[2]));
    ck_assert_str_eq(ism_function_pnet(w.f[0]), "NET1");
    ck_assert_int_eq(smc_dibs_add_vlan_id(w.dev[2], ISM_RESERVED_VLAN), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(smc_dibs_add_vlan_id(w.dev[2], 0), SMC_ERR_ARGUMENT);
    for (uint16_t id = 1; id <= ISM_VLANS; id++)
        ck_assert_int_eq(smc_dibs_add_vlan_id(w.dev[2], id), 0);
    ck_assert_int_eq(smc_dibs_add_vlan_id(w.dev[2], 99), SMC_ERR_NOSPACE);
    ck_assert_int_eq(smc_dibs_add_vlan_id(w.dev[2], 5), 0); /* is there already */
}
END_TEST

/* ---- DMBs and stores ---- */

START_TEST(only_the_named_peer_writes_inside_the_dmb) /* [SMCD-011] [DIBS-012] */
{
    struct smc_dibs_dmb dmb = take(0, 1, 2 * PAGE);
    static uint8_t data[2 * PAGE + 1];
    memset(data, 3, sizeof(data));
    ck_assert_int_eq(smc_dibs_move_data(w.dev[2], dmb.token, 0, true, 0, data, 1),
                     SMC_ERR_PERMISSION);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[3], dmb.token, 0, true, 0, data, 1),
                     SMC_ERR_NOTFOUND);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], dmb.token + 1, 0, true, 0, data, 1),
                     SMC_ERR_NOTFOUND);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], dmb.token, 0, true, 0, data, 2 * PAGE + 1),
                     SMC_ERR_RANGE);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], dmb.token, 0, true, UINT32_MAX, data, 1),
                     SMC_ERR_RANGE);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], dmb.token, 0, true, 1, data, UINT32_MAX),
                     SMC_ERR_RANGE);
    ck_assert(test_all_zero(dmb.data, dmb.length));
    ck_assert_uint_eq(ism_next_ns(w.f[0]), UINT64_MAX);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], dmb.token, 0, true, 0, data, 2 * PAGE), 0);
    ck_assert_mem_eq(dmb.data, data, 2 * PAGE);
    ck_assert_int_eq(ism_store(w.f[1], dmb.token | (PAGE - 1), data, 2), SMC_ERR_RANGE);
    struct smc_dibs_dmb old = dmb;
    ck_assert_int_eq(smc_dibs_unregister_dmb(&w.host[0].client, w.dev[0], &dmb), 0);
    ck_assert_int_eq(w.dev[0]->ops->unregister_dmb(w.dev[0], &old), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], old.token, 0, true, 0, data, 1),
                     SMC_ERR_NOTFOUND);
    run(0); /* its signal is gone with it [SMCD-008] */
    ck_assert_uint_eq(w.host[0].irqs, 0);
}
END_TEST

START_TEST(indexes_are_32_to_1919) /* [SMCD-016] */
{
    static struct smc_dibs_dmb dmb[ISM_DMBS - ISM_FIRST_DMB + 1];
    uint32_t count = ISM_DMBS - ISM_FIRST_DMB;
    for (uint32_t i = 0; i < count; i++) {
        dmb[i] = take(0, 1, PAGE);
        ck_assert_uint_eq(dmb[i].index, ISM_FIRST_DMB + i);
    }
    ck_assert_int_eq(test_register(&w.host[0], w.dev[0], &w.dev[1]->gid, PAGE, &dmb[count]),
                     SMC_ERR_NOSPACE);
    for (uint32_t i = 0; i < count; i++)
        ck_assert_int_eq(smc_dibs_move_data(w.dev[1], dmb[i].token, i, true, 0, &i, 4), 0);
    run(0);
    ck_assert_uint_eq(w.host[0].irqs, count);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_eq(w.host[0].irqs_of[dmb[i].index], 1);
        ck_assert_mem_eq(dmb[i].data, &i, 4);
        ck_assert_int_eq(smc_dibs_unregister_dmb(&w.host[0].client, w.dev[0], &dmb[i]), 0);
    }
}
END_TEST

START_TEST(signals_wait_for_the_owner_and_coalesce) /* [SMCD-007] */
{
    struct smc_dibs_dmb dmb = take(0, 1, PAGE);
    uint32_t wakes = w.host[0].wakes;
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], dmb.token, 0, true, 0, "ab", 2), 0);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], dmb.token, 3, true, 0, NULL, 0), 0);
    ck_assert_uint_eq(w.host[0].wakes, wakes + 1); /* one interrupt */
    ck_assert_uint_eq(ism_next_ns(w.f[0]), 0);
    ism_run(w.f[0], 50);
    ck_assert_uint_eq(w.host[0].irqs, 0);
    ck_assert_uint_eq(ism_next_ns(w.f[0]), 150);
    ism_run(w.f[0], 150);
    ck_assert_uint_eq(w.host[0].irqs, 1);
    ck_assert_uint_eq(w.host[0].last_mask, 0x1200);
    ck_assert_uint_eq(ism_next_ns(w.f[0]), UINT64_MAX);
    ism_function_faults(w.f[0])->hold_until_ns = 9000;
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], dmb.token, 0, true, 0, "ab", 2), 0);
    ism_run(w.f[0], 8000);
    ck_assert_uint_eq(ism_next_ns(w.f[0]), 9000);
    ism_run(w.f[0], 9000);
    ck_assert_uint_eq(w.host[0].irqs, 2);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&w.host[0].client, w.dev[0], &dmb), 0);
}
END_TEST

START_TEST(a_signal_comes_when_all_pages_of_its_move_are_in_place)
{
    struct smc_dibs_dmb dmb = take(0, 1, 4 * PAGE);
    static uint8_t data[3 * PAGE];
    memset(data, 8, sizeof(data));
    watched = dmb.data + 100 + 3 * PAGE - 1;
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], dmb.token, 0, true, 100, data, sizeof(data)), 0);
    ck_assert_uint_eq(ism_next_ns(w.f[0]), 0);
    ck_assert_uint_eq(seen_at_interrupt, 8);
    watched = NULL;
    ck_assert_int_eq(smc_dibs_unregister_dmb(&w.host[0].client, w.dev[0], &dmb), 0);
    struct smc_dibs_dmb next = take(0, 1, PAGE); /* does not inherit the signal [SMCD-008] */
    ck_assert_uint_eq(next.index, dmb.index);
    run(0);
    ck_assert_uint_eq(w.host[0].irqs, 0);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&w.host[0].client, w.dev[0], &next), 0);
}
END_TEST

/* ---- events ---- */

START_TEST(events_arrive_in_order_and_a_full_queue_refuses) /* [SMCD-029] */
{
    for (int round = 0; round < 3; round++) { /* the index wraps at 15 */
        uint32_t sent = 0;
        w.host[0].events = 0;
        while (smc_dibs_signal_event(w.dev[1], &w.dev[0]->gid, true, 0x80, sent) == 0)
            sent++;
        ck_assert_uint_eq(sent, 13); /* 14 fit, one place is kept */
        ck_assert_int_eq(smc_dibs_signal_event(w.dev[1], &w.dev[0]->gid, true, 0x80, 0),
                         SMC_ERR_IO);
        run(0);
        ck_assert_uint_eq(w.host[0].events, sent);
        for (uint32_t i = 0; i < sent; i++) {
            ck_assert_uint_eq(w.host[0].events_seen[i].data, i);
            ck_assert_uint_eq(w.host[0].events_seen[i].code, 0x80);
            ck_assert(smc_gid_equal(&w.host[0].events_seen[i].gid, &w.dev[1]->gid));
        }
    }
    ck_assert_int_eq(smc_dibs_signal_event(w.dev[1], &w.dev[3]->gid, true, 1, 1),
                     SMC_ERR_UNREACHABLE);
    ck_assert_int_eq(smc_dibs_signal_event(w.dev[1], &w.dev[0]->gid, false, 1, 1), 0);
    ck_assert_uint_eq(ism_next_ns(w.f[0]), UINT64_MAX); /* no interrupt asked for */
    ism_function_faults(w.f[0])->event_copies = 1;
    ck_assert_int_eq(smc_dibs_signal_event(w.dev[1], &w.dev[0]->gid, true, 2, 2), 0);
    w.host[0].events = 0;
    run(0);
    ck_assert_uint_eq(w.host[0].events, 4); /* both, each twice */
}
END_TEST

START_TEST(a_vanished_peer_is_told_to_those_who_had_dmbs_for_it) /* [SMCD-012] [SMCD-027] */
{
    struct smc_dibs_dmb to_1 = take(0, 1, PAGE), other = take(0, 2, PAGE),
                        from_1 = take(1, 0, PAGE);
    struct smc_dibs_dmb unconcerned = take(2, 0, PAGE);
    ism_function_fail(w.f[1]);
    ism_function_fail(w.f[1]);
    run(0);
    run(2);
    ck_assert_uint_eq(w.host[0].events, 1);
    ck_assert_int_eq(w.host[0].last_event.type, SMC_DIBS_EVENT_DEVICE);
    ck_assert_int_eq(w.host[0].last_event.subtype, SMC_DIBS_SUBTYPE_DISABLED);
    ck_assert(smc_gid_equal(&w.host[0].last_event.gid, &w.dev[1]->gid));
    ck_assert_uint_eq(w.host[2].events, 0);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[0], from_1.token, 0, true, 0, "x", 1),
                     SMC_ERR_NOTFOUND);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], to_1.token, 0, true, 0, "x", 1), SMC_ERR_GONE);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[1], &w.dev[0]->gid, false, 0), SMC_ERR_GONE);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[0], &w.dev[1]->gid, false, 0),
                     SMC_ERR_UNREACHABLE);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&w.host[1].client, w.dev[1], &from_1), 0);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&w.host[0].client, w.dev[0], &to_1), 0);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&w.host[0].client, w.dev[0], &other), 0);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&w.host[2].client, w.dev[2], &unconcerned), 0);
}
END_TEST

START_TEST(news_of_a_vanished_peer_survive_a_full_queue)
{
    struct smc_dibs_dmb a = take(0, 1, PAGE), b = take(0, 2, PAGE);
    while (smc_dibs_signal_event(w.dev[1], &w.dev[0]->gid, true, 1, 1) == 0)
        continue;
    ism_function_fail(w.f[1]);
    ism_function_fail(w.f[2]); /* no room for a second one: the first says "all" */
    run(0);
    ck_assert_uint_eq(w.host[0].events, 14);
    ck_assert_int_eq(w.host[0].last_event.type, SMC_DIBS_EVENT_DEVICE);
    ck_assert(smc_gid_is_zero(&w.host[0].last_event.gid));
    ck_assert_int_eq(smc_dibs_unregister_dmb(&w.host[0].client, w.dev[0], &a), 0);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&w.host[0].client, w.dev[0], &b), 0);
}
END_TEST

START_TEST(a_function_with_a_late_interrupt_goes_last) /* [DIBS-020] [DIBS-024], B-50 */
{
    struct smc_dibs_dmb dmb = take(0, 1, PAGE);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], dmb.token, 0, true, 0, "x", 1), 0);
    smc_dibs_device_get(w.dev[0]);
    ck_assert_int_eq(smc_dibs_remove_device(&w.host[0].dibs, w.dev[0]), 0);
    ck_assert_int_eq(ism_function_destroy(w.f[0]), 0);
    ism_run(w.f[0], 5000);
    smc_dibs_irq(w.dev[0], dmb.index, 1);
    ck_assert_uint_eq(w.host[0].irqs, 0);
    struct ism_function_config config = function_config(0); /* the same GID again */
    struct ism_function *again;
    ck_assert_int_eq(ism_function_create(w.fabric, &config, &again), 0);
    ck_assert_int_eq(ism_function_create(w.fabric, &config, &again), SMC_ERR_EXISTS);
    smc_dibs_device_put(w.dev[0]);
    w.f[0] = again;
    w.dev[0] = ism_function_device(again);
    ck_assert_int_eq(smc_dibs_add_device(&w.host[0].dibs, w.dev[0]), 0);
}
END_TEST

/* ---- records, faults, memory, traffic ---- */

START_TEST(moves_are_recorded_from_writer_to_owner)
{
    ism_fabric_observe(w.fabric, &w.records.observer);
    w.records.observer.byte_order = SMC_ORDER_BIG;
    struct smc_dibs_dmb dmb = take(0, 1, 2 * PAGE);
    static uint8_t data[5000];
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], dmb.token, 0, true, 1000, data, 5000), 0);
    ck_assert_int_eq(smc_dibs_signal_event(w.dev[1], &w.dev[0]->gid, true, 0x83, 0x0102), 0);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&w.host[0].client, w.dev[0], &dmb), 0);
    ck_assert_uint_eq(w.records.count, 7);
    const struct smc_smcd_record_fields *h = w.records.header;
    ck_assert_uint_eq(h[0].operation, SMC_RECORD_REGISTER);
    ck_assert_mem_eq(h[0].src_gid, w.dev[0]->gid.bytes, 16);
    ck_assert_mem_eq(h[0].dst_gid, w.dev[1]->gid.bytes, 16);
    for (int i = 1; i < 5; i++) { /* across page boundaries it is still one move */
        ck_assert_uint_eq(h[i].operation, SMC_RECORD_MOVE);
        ck_assert_uint_eq(h[i].fragment_offset, 1400 * (uint32_t)(i - 1));
        ck_assert_uint_eq(h[i].offset, 1000);
        ck_assert_uint_eq(h[i].total, 5000);
        ck_assert_uint_eq(h[i].signal, i == 4);
        ck_assert_uint_eq(h[i].index, dmb.index);
        ck_assert_uint_eq(h[i].byte_order, SMC_ORDER_BIG);
        ck_assert_mem_eq(h[i].src_gid, w.dev[1]->gid.bytes, 16);
    }
    ck_assert_uint_eq(h[5].operation, SMC_RECORD_EVENT);
    ck_assert_uint_eq(h[5].index, 0x83);
    ck_assert_mem_eq(w.records.first[5], "\0\0\0\0\0\0\1\2", 8);
    ck_assert_uint_eq(h[6].operation, SMC_RECORD_UNREGISTER);
    ism_fabric_observe(w.fabric, NULL);
}
END_TEST

START_TEST(planned_faults_happen_and_change_nothing) /* [SMCD-010] */
{
    struct smc_dibs_dmb dmb = take(0, 1, 2 * PAGE), refused;
    static uint8_t data[2 * PAGE] = {1};
    dibs_faults_add(ism_function_faults(w.f[1]), DIBS_FAULT_MOVE, 1, 1, SMC_ERR_IO);
    dibs_faults_add(ism_function_faults(w.f[0]), DIBS_FAULT_REGISTER, 0, 1, SMC_ERR_NOSPACE);
    dibs_faults_add(ism_function_faults(w.f[0]), DIBS_FAULT_VLAN, 0, 1, SMC_ERR_NOSPACE);
    dibs_faults_add(ism_function_faults(w.f[0]), DIBS_FAULT_QUERY, 0, 1, SMC_ERR_UNREACHABLE);
    dibs_faults_add(ism_function_faults(w.f[0]), DIBS_FAULT_EVENT, 0, 1, SMC_ERR_IO);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], dmb.token, 0, false, 0, NULL, 0), 0);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], dmb.token, 0, true, 0, data, sizeof(data)),
                     SMC_ERR_IO);
    ck_assert(test_all_zero(dmb.data, dmb.length));
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], dmb.token, 0, false, 0, data, sizeof(data)), 0);
    ck_assert_int_eq(test_register(&w.host[0], w.dev[0], &w.dev[1]->gid, PAGE, &refused),
                     SMC_ERR_NOSPACE);
    ck_assert_int_eq(smc_dibs_add_vlan_id(w.dev[0], 5), SMC_ERR_NOSPACE);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[0], &w.dev[1]->gid, false, 0),
                     SMC_ERR_UNREACHABLE);
    ck_assert_int_eq(smc_dibs_signal_event(w.dev[0], &w.dev[1]->gid, true, 1, 1), SMC_ERR_IO);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&w.host[0].client, w.dev[0], &dmb), 0);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    struct ism_function_config config = function_config(0);
    struct ism_function *function;
    struct smc_dibs_dmb dmb;
    size_t held = w.memory.held;
    config.gid = 0x999;
    for (size_t nth = 1; nth <= 5; nth++) { /* the function, two areas, two mappings */
        w.memory.calls = 0;
        w.memory.fail_at = nth;
        ck_assert_int_eq(ism_function_create(w.fabric, &config, &function), SMC_ERR_NOMEM);
        ck_assert_uint_eq(w.memory.held, held);
    }
    for (size_t nth = 1; nth <= 2; nth++) {
        w.memory.calls = 0;
        w.memory.fail_at = nth;
        ck_assert_int_eq(test_register(&w.host[0], w.dev[0], &w.dev[1]->gid, PAGE, &dmb),
                         SMC_ERR_NOMEM);
        ck_assert_uint_eq(w.memory.held, held);
    }
    w.memory.fail_at = 0;
    ck_assert_int_eq(ism_function_create(w.fabric, &config, &function), 0);
    ck_assert_int_eq(ism_function_destroy(function), 0);
    ck_assert_uint_eq(w.memory.held, held);
}
END_TEST

static void let_interrupts_arrive(void *user)
{
    (void)user;
    run(0);
    run(1);
}

START_TEST(random_traffic_of_two_owners_arrives_unchanged)
{
    static struct test_traffic t;
    for (uint64_t seed = 0; seed < 20; seed++) {
        t = (struct test_traffic){.host = {&w.host[0], &w.host[1]},
                                  .device = {w.dev[0], w.dev[1]},
                                  .settle = let_interrupts_arrive,
                                  .random = seed};
        test_traffic_run(&t, 300);
    }
}
END_TEST

static Suite *ism_suite(void)
{
    Suite *suite = suite_create("ism");
    TCase *tc = tcase_create("ism");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, commands_are_answered_in_their_blocks);
    tcase_add_test(tc, hostile_blocks_get_an_error);
    tcase_add_test(tc, equal_chid_and_vlan_make_a_peer_reachable);
    tcase_add_test(tc, the_reserved_vlan_tells_version_2_hardware);
    tcase_add_test(tc, only_the_named_peer_writes_inside_the_dmb);
    tcase_add_test(tc, indexes_are_32_to_1919);
    tcase_add_test(tc, signals_wait_for_the_owner_and_coalesce);
    tcase_add_test(tc, a_signal_comes_when_all_pages_of_its_move_are_in_place);
    tcase_add_test(tc, events_arrive_in_order_and_a_full_queue_refuses);
    tcase_add_test(tc, a_vanished_peer_is_told_to_those_who_had_dmbs_for_it);
    tcase_add_test(tc, news_of_a_vanished_peer_survive_a_full_queue);
    tcase_add_test(tc, a_function_with_a_late_interrupt_goes_last);
    tcase_add_test(tc, moves_are_recorded_from_writer_to_owner);
    tcase_add_test(tc, planned_faults_happen_and_change_nothing);
    tcase_add_test(tc, every_allocation_may_fail);
    tcase_add_test(tc, random_traffic_of_two_owners_arrives_unchanged);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(ism_suite)

/* Tests of the dibs loopback, above all of what its model in Linux got wrong.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/loopback.h"

#include "devices/dibs_testing.h"
#include "testing/check_main.h"

enum { PAGE = DIBS_PAGE_BYTES };

struct world {
    struct test_memory memory;
    struct test_host a, b; /* two namespaces */
    struct loopback *loopback;
    struct loopback_port *port_a, *port_b;
    struct smc_dibs_device *dev_a, *dev_b;
    struct test_records records;
};

static struct world w; /* one test a process */

static void set_up(void)
{
    struct loopback_config config = {.seed = 1};
    test_memory_init(&w.memory);
    test_records_init(&w.records);
    test_host_init(&w.a, &w.memory.alloc);
    test_host_init(&w.b, &w.memory.alloc);
    memset(w.a.irqs_of, 0, sizeof(w.a.irqs_of));
    ck_assert_int_eq(loopback_create(&config, &w.memory.alloc, &w.loopback), 0);
    ck_assert_int_eq(loopback_port_create(w.loopback, "lo", test_wake, &w.a, &w.port_a), 0);
    ck_assert_int_eq(loopback_port_create(w.loopback, "lo", test_wake, &w.b, &w.port_b), 0);
    w.dev_a = loopback_port_device(w.port_a);
    w.dev_b = loopback_port_device(w.port_b);
    ck_assert_int_eq(smc_dibs_add_device(&w.a.dibs, w.dev_a), 0);
    ck_assert_int_eq(smc_dibs_add_device(&w.b.dibs, w.dev_b), 0);
}

static void tear_down(void)
{
    ck_assert_int_eq(loopback_port_destroy(w.port_a), SMC_ERR_BUSY);
    ck_assert_int_eq(smc_dibs_remove_device(&w.a.dibs, w.dev_a), 0);
    ck_assert_int_eq(smc_dibs_remove_device(&w.b.dibs, w.dev_b), 0);
    ck_assert_int_eq(loopback_destroy(w.loopback), SMC_ERR_BUSY);
    ck_assert_int_eq(loopback_port_destroy(w.port_a), 0);
    ck_assert_int_eq(loopback_port_destroy(w.port_b), 0);
    ck_assert_int_eq(loopback_destroy(w.loopback), 0);
    test_host_end(&w.a);
    test_host_end(&w.b);
    ck_assert_uint_eq(w.memory.held, 0);
}

static struct smc_dibs_dmb take(uint32_t length)
{
    struct smc_dibs_dmb dmb;
    ck_assert_int_eq(test_register(&w.b, w.dev_b, &w.dev_a->gid, length, &dmb), 0);
    return dmb;
}

static int give_back(struct smc_dibs_dmb *dmb)
{
    return smc_dibs_unregister_dmb(&w.b.client, w.dev_b, dmb);
}

static int move(uint64_t token, bool signal, uint32_t offset, const void *data, uint32_t size)
{
    return smc_dibs_move_data(w.dev_a, token, 0, signal, offset, data, size);
}

START_TEST(only_all_128_bits_make_a_device_reachable) /* [DIBS-015] [CLC-071], B-27 */
{
    struct smc_gid half = w.dev_a->gid;
    ck_assert_uint_eq(smc_dibs_fabric_id(w.dev_a), 0xFFFF);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev_a, &w.dev_b->gid, true, 5), 0);
    half.bytes[15] ^= 1;
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev_a, &half, false, 0), SMC_ERR_UNREACHABLE);
    struct smc_dibs_dmb dmb;
    ck_assert_int_eq(test_register(&w.b, w.dev_b, &half, PAGE, &dmb), SMC_ERR_UNREACHABLE);
    struct loopback *other;
    struct loopback_config config = {.seed = 2};
    ck_assert_int_eq(loopback_create(&config, &w.memory.alloc, &other), 0);
    struct loopback_port *port;
    ck_assert_int_eq(loopback_port_create(other, "lo2", NULL, NULL, &port), 0);
    ck_assert(!smc_gid_equal(&loopback_port_device(port)->gid, &w.dev_a->gid));
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev_a, &loopback_port_device(port)->gid, false, 0),
                     SMC_ERR_UNREACHABLE);
    ck_assert_int_eq(loopback_port_destroy(port), 0);
    ck_assert_int_eq(loopback_destroy(other), 0);
}
END_TEST

START_TEST(a_move_crosses_namespaces_and_signals_within_the_call) /* [SMCD-023] [DIBS-008] */
{
    struct smc_dibs_dmb dmb = take(2 * PAGE);
    ck_assert(test_all_zero(dmb.data, dmb.length));
    ck_assert_int_eq(smc_dibs_move_data(w.dev_a, dmb.token, 3, true, 100, "hello", 5), 0);
    ck_assert_mem_eq(dmb.data + 100, "hello", 5);
    ck_assert_uint_eq(w.b.irqs, 1);
    ck_assert_uint_eq(w.b.last_index, dmb.index);
    ck_assert_uint_eq(w.b.last_mask, 0x0200); /* 0x1000 rotated right by 3 */
    ck_assert_uint_eq(w.a.irqs, 0);
    ck_assert_int_eq(move(dmb.token, true, dmb.length, NULL, 0), 0); /* a signal alone */
    ck_assert_uint_eq(w.b.irqs, 2);
    ck_assert_int_eq(smc_dibs_signal_event(w.dev_a, &w.dev_b->gid, true, 1, 1),
                     SMC_ERR_UNSUPPORTED);
    ck_assert_int_eq(smc_dibs_add_vlan_id(w.dev_a, 1), SMC_ERR_UNSUPPORTED);
    ck_assert_int_eq(give_back(&dmb), 0);
}
END_TEST

START_TEST(moves_are_bounded_in_64_bits) /* [DIBS-012], B-33 */
{
    struct smc_dibs_dmb dmb = take(PAGE);
    static uint8_t data[PAGE + 1];
    memset(data, 7, sizeof(data));
    ck_assert_int_eq(move(dmb.token, true, 0, data, PAGE + 1), SMC_ERR_RANGE);
    ck_assert_int_eq(move(dmb.token, true, 1, data, PAGE), SMC_ERR_RANGE);
    ck_assert_int_eq(move(dmb.token, true, PAGE, data, 1), SMC_ERR_RANGE);
    ck_assert_int_eq(move(dmb.token, true, UINT32_MAX, data, 1), SMC_ERR_RANGE);
    ck_assert_int_eq(move(dmb.token, true, UINT32_MAX, data, UINT32_MAX), SMC_ERR_RANGE);
    ck_assert_int_eq(move(dmb.token, true, 2, data, UINT32_MAX), SMC_ERR_RANGE);
    ck_assert_int_eq(move(dmb.token ^ 1, true, 0, data, 1), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(move(0, true, 0, data, 1), SMC_ERR_NOTFOUND);
    ck_assert(test_all_zero(dmb.data, PAGE));
    ck_assert_uint_eq(w.b.irqs, 0);
    ck_assert_int_eq(move(dmb.token, false, 0, data, PAGE), 0);
    ck_assert_int_eq(give_back(&dmb), 0);
}
END_TEST

START_TEST(lengths_are_pages_up_to_a_mebibyte)
{
    struct smc_dibs_dmb dmb;
    const uint32_t bad[] = {0, 1, PAGE - 1, PAGE + 1, (1 << 20) + PAGE, UINT32_MAX};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(test_register(&w.b, w.dev_b, &w.dev_a->gid, bad[i], &dmb),
                         SMC_ERR_ARGUMENT);
    dmb = take(1 << 20);
    ck_assert(test_all_zero(dmb.data, dmb.length));
    ck_assert_int_eq(give_back(&dmb), 0);
}
END_TEST

START_TEST(there_are_5000_dmbs_with_indexes_and_tokens_of_their_own) /* [DIBS-009] */
{
    static struct smc_dibs_dmb dmb[5001];
    static bool seen[5000];
    for (uint32_t i = 0; i < 5000; i++) {
        /* Both ports draw from one set. */
        struct test_host *h = i % 2 ? &w.a : &w.b;
        ck_assert_int_eq(test_register(h, i % 2 ? w.dev_a : w.dev_b, &w.dev_a->gid, PAGE, &dmb[i]),
                         0);
        ck_assert_uint_lt(dmb[i].index, 5000);
        ck_assert(!seen[dmb[i].index]);
        seen[dmb[i].index] = true;
    }
    ck_assert_int_eq(test_register(&w.b, w.dev_b, &w.dev_a->gid, PAGE, &dmb[5000]),
                     SMC_ERR_NOSPACE);
    ck_assert_uint_eq(loopback_dmb_count(w.loopback), 5000);
    for (uint32_t i = 0; i < 5000; i++)
        ck_assert_int_eq(move(dmb[i].token, false, i % PAGE, &i, 1), 0);
    for (uint32_t i = 0; i < 5000; i++) {
        ck_assert_uint_eq(dmb[i].data[i % PAGE], (uint8_t)i);
        ck_assert_int_eq(smc_dibs_unregister_dmb(i % 2 ? &w.a.client : &w.b.client,
                                                 i % 2 ? w.dev_a : w.dev_b, &dmb[i]),
                         0);
    }
    ck_assert_uint_eq(loopback_dmb_count(w.loopback), 0);
}
END_TEST

START_TEST(attached_memory_outlives_its_owner) /* [SMCD-019] [SMCD-020] [DIBS-011] [DIBS-013] */
{
    struct smc_dibs_dmb dmb = take(PAGE), seen = {.token = dmb.token};
    ck_assert(smc_dibs_support_mmapped_rdmb(w.dev_a));
    ck_assert_int_eq(smc_dibs_detach_dmb(w.dev_a, dmb.token), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(smc_dibs_attach_dmb(w.dev_a, &seen), 0);
    ck_assert_ptr_eq(seen.data, dmb.data);
    ck_assert_uint_eq(seen.length, PAGE);
    struct smc_dibs_dmb third = {.token = dmb.token};
    ck_assert_int_eq(smc_dibs_attach_dmb(w.dev_b, &third), SMC_ERR_PERMISSION);
    ck_assert_int_eq(smc_dibs_detach_dmb(w.dev_b, dmb.token), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(give_back(&dmb), 0);
    ck_assert_int_eq(give_back(&dmb),
                     SMC_ERR_NOTFOUND); /* must not take the attacher's reference */
    ck_assert_int_eq(w.dev_b->ops->unregister_dmb(w.dev_b, &dmb), SMC_ERR_NOTFOUND);
    memset(seen.data, 9, PAGE); /* under the address sanitizer: still there */
    ck_assert_int_eq(move(dmb.token, true, 0, "x", 1), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(smc_dibs_attach_dmb(w.dev_a, &third), SMC_ERR_NOTFOUND);
    ck_assert_uint_eq(loopback_dmb_count(w.loopback), 1);
    ck_assert_int_eq(smc_dibs_detach_dmb(w.dev_a, dmb.token), 0);
    ck_assert_int_eq(smc_dibs_detach_dmb(w.dev_a, dmb.token), SMC_ERR_NOTFOUND);
    ck_assert_uint_eq(loopback_dmb_count(w.loopback), 0);
}
END_TEST

START_TEST(an_index_is_free_when_owner_and_attacher_are_gone) /* [DIBS-014], B-33 */
{
    struct smc_dibs_dmb old = take(PAGE), seen = {.token = old.token};
    ck_assert_int_eq(smc_dibs_attach_dmb(w.dev_a, &seen), 0);
    ck_assert_int_eq(give_back(&old), 0);
    struct smc_dibs_dmb next = take(PAGE);
    ck_assert_uint_ne(next.index, old.index);
    ck_assert_int_eq(smc_dibs_detach_dmb(w.dev_a, old.token), 0);
    struct smc_dibs_dmb again; /* the other namespace takes it */
    ck_assert_int_eq(test_register(&w.a, w.dev_a, &w.dev_b->gid, PAGE, &again), 0);
    ck_assert_uint_eq(again.index, old.index);
    ck_assert_uint_ne(again.token, old.token);
    ck_assert_int_eq(smc_dibs_move_data(w.dev_b, again.token, 0, true, 0, "x", 1), 0);
    ck_assert_uint_eq(w.a.irqs, 1);
    ck_assert_uint_eq(w.b.irqs, 0); /* the stale owner hears nothing */
    ck_assert_int_eq(give_back(&next), 0);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&w.a.client, w.dev_a, &again), 0);
}
END_TEST

START_TEST(what_a_port_left_attached_goes_with_it)
{
    struct smc_dibs_dmb dmb = take(PAGE), seen = {.token = dmb.token};
    ck_assert_int_eq(smc_dibs_attach_dmb(w.dev_a, &seen), 0);
    ck_assert_int_eq(smc_dibs_attach_dmb(w.dev_a, &seen), 0);
    ck_assert_int_eq(give_back(&dmb), 0);
    ck_assert_int_eq(smc_dibs_remove_device(&w.a.dibs, w.dev_a), 0);
    smc_dibs_device_get(w.dev_a);
    ck_assert_int_eq(loopback_port_destroy(w.port_a), 0);
    ck_assert_uint_eq(loopback_dmb_count(w.loopback), 0);
    smc_dibs_irq(w.dev_a, 0, 1);
    smc_dibs_device_put(w.dev_a); /* the object went with this */
    ck_assert_int_eq(loopback_port_create(w.loopback, "lo", NULL, NULL, &w.port_a), 0);
    w.dev_a = loopback_port_device(w.port_a);
    ck_assert_int_eq(smc_dibs_add_device(&w.a.dibs, w.dev_a), 0);
}
END_TEST

START_TEST(held_signals_coalesce_and_come) /* [SMCD-007] */
{
    struct smc_dibs_dmb one = take(PAGE), two = take(PAGE);
    ck_assert_uint_eq(loopback_next_ns(w.port_b), UINT64_MAX);
    loopback_faults(w.loopback)->hold_until_ns = 500;
    ck_assert_int_eq(smc_dibs_move_data(w.dev_a, one.token, 0, true, 0, "a", 1), 0);
    ck_assert_int_eq(smc_dibs_move_data(w.dev_a, one.token, 1, true, 1, "b", 1), 0);
    ck_assert_int_eq(move(two.token, true, 0, "c", 1), 0);
    ck_assert_mem_eq(one.data, "ab", 2);
    ck_assert_uint_eq(w.b.irqs, 0);
    ck_assert_uint_gt(w.b.wakes, 0);
    ck_assert_uint_eq(loopback_next_ns(w.port_b), 500);
    loopback_run(w.port_b, 499);
    ck_assert_uint_eq(w.b.irqs, 0);
    loopback_run(w.port_b, 500);
    ck_assert_uint_eq(w.b.irqs, 2);
    ck_assert_uint_eq(w.b.irqs_of[one.index], 1);
    ck_assert_uint_eq(loopback_next_ns(w.port_b), UINT64_MAX);
    ck_assert_int_eq(move(two.token, true, 0, "c", 1), 0);
    ck_assert_uint_eq(w.b.irqs, 3);
    ck_assert_int_eq(give_back(&one), 0);
    ck_assert_int_eq(give_back(&two), 0);
}
END_TEST

START_TEST(planned_faults_happen_and_change_nothing)
{
    struct dibs_faults *faults = loopback_faults(w.loopback);
    struct smc_dibs_dmb dmb, refused;
    ck_assert_int_eq(dibs_faults_add(faults, DIBS_FAULT_REGISTER, 1, 1, SMC_ERR_NOMEM), 0);
    ck_assert_int_eq(dibs_faults_add(faults, DIBS_FAULT_MOVE, 0, 2, SMC_ERR_IO), 0);
    ck_assert_int_eq(dibs_faults_add(faults, DIBS_FAULT_ATTACH, 0, 1, SMC_ERR_NOTFOUND), 0);
    dmb = take(PAGE);
    ck_assert_int_eq(test_register(&w.b, w.dev_b, &w.dev_a->gid, PAGE, &refused), SMC_ERR_NOMEM);
    ck_assert_ptr_null(refused.data);
    ck_assert_uint_eq(loopback_dmb_count(w.loopback), 1);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(move(dmb.token, true, 0, "x", 1), SMC_ERR_IO);
    ck_assert(test_all_zero(dmb.data, PAGE));
    ck_assert_uint_eq(w.b.irqs, 0);
    ck_assert_int_eq(move(dmb.token, true, 0, "x", 1), 0);
    ck_assert_int_eq(smc_dibs_attach_dmb(w.dev_a, &dmb), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(give_back(&dmb), 0);
}
END_TEST

START_TEST(every_operation_is_recorded_with_who_did_it)
{
    loopback_observe(w.loopback, &w.records.observer);
    struct smc_dibs_dmb dmb = take(2 * PAGE);
    static uint8_t data[3000] = {0xfe};
    ck_assert_int_eq(move(dmb.token, true, 32, data, 3000), 0);
    ck_assert_int_eq(move(dmb.token, true, 0, NULL, 0), 0);
    ck_assert_int_eq(move(dmb.token, true, 0, data, 2 * PAGE + 1), SMC_ERR_RANGE);
    ck_assert_int_eq(smc_dibs_attach_dmb(w.dev_a, &dmb), 0);
    memcpy(dmb.data + 64, "direct", 6);
    smc_dibs_wrote(w.dev_a, dmb.token, 64, 6);
    smc_dibs_wrote(w.dev_a, dmb.token, 2 * PAGE, 1); /* wrong: ignored */
    smc_dibs_wrote(w.dev_b, dmb.token, 64, 6);       /* not attached there */
    ck_assert_int_eq(smc_dibs_detach_dmb(w.dev_a, dmb.token), 0);
    ck_assert_int_eq(give_back(&dmb), 0);
    const uint8_t operations[] = {SMC_RECORD_REGISTER, SMC_RECORD_MOVE,   SMC_RECORD_MOVE,
                                  SMC_RECORD_MOVE,     SMC_RECORD_SIGNAL, SMC_RECORD_ATTACH,
                                  SMC_RECORD_MOVE,     SMC_RECORD_DETACH, SMC_RECORD_UNREGISTER};
    const uint32_t totals[] = {2 * PAGE, 3000, 3000, 3000, 0, 2 * PAGE, 6, 0, 0};
    const uint32_t fragments[] = {0, 0, 1400, 2800, 0, 0, 0, 0, 0};
    const uint8_t signals[] = {0, 0, 0, 1, 1, 0, 0, 0, 0};
    ck_assert_uint_eq(w.records.count, 9);
    for (int i = 0; i < 9; i++) {
        const struct smc_smcd_record_fields *h = &w.records.header[i];
        ck_assert_uint_eq(h->operation, operations[i]);
        ck_assert_uint_eq(h->total, totals[i]);
        ck_assert_uint_eq(h->fragment_offset, fragments[i]);
        ck_assert_uint_eq(h->signal, signals[i]);
        ck_assert_uint_eq(h->token, dmb.token);
        ck_assert_uint_eq(h->index, dmb.index);
        ck_assert_mem_eq(h->src_gid, w.dev_a->gid.bytes, 16);
        ck_assert_mem_eq(h->dst_gid, w.dev_a->gid.bytes, 16);
    }
    ck_assert_uint_eq(w.records.length[3], 200);
    ck_assert_mem_eq(w.records.first[6], "direct", 6);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    struct loopback_config config = {.seed = 3};
    struct loopback *lo = NULL;
    struct loopback_port *port = NULL;
    struct smc_dibs_dmb dmb;
    size_t held = w.memory.held;
    int error = SMC_ERR_NOMEM;
    size_t attempts = 0;
    for (size_t nth = 1; error != 0; nth++, attempts++) {
        w.memory.calls = 0;
        w.memory.fail_at = nth;
        error = loopback_create(&config, &w.memory.alloc, &lo);
        if (error == 0 && (error = loopback_port_create(lo, "x", NULL, NULL, &port)) != 0)
            ck_assert_int_eq(loopback_destroy(lo), 0);
        if (error == 0 &&
            (error = smc_dibs_add_device(&w.a.dibs, loopback_port_device(port))) != 0) {
            ck_assert_int_eq(loopback_port_destroy(port), 0);
            ck_assert_int_eq(loopback_destroy(lo), 0);
        }
        struct smc_dibs_device *device = error == 0 ? loopback_port_device(port) : NULL;
        if (error == 0 && (error = test_register(&w.a, device, &device->gid, PAGE, &dmb)) != 0) {
            smc_dibs_remove_device(&w.a.dibs, device);
            ck_assert_int_eq(loopback_port_destroy(port), 0);
            ck_assert_int_eq(loopback_destroy(lo), 0);
        }
        if (error != 0) {
            ck_assert_int_eq(error, SMC_ERR_NOMEM);
            ck_assert_uint_eq(w.memory.held, held);
        }
    }
    w.memory.fail_at = 0;
    ck_assert_uint_eq(attempts, 8); /* 3 + 1 + 1 + 2 fail, then none */
    smc_dibs_remove_device(&w.a.dibs, loopback_port_device(port)); /* takes the DMB back */
    ck_assert_int_eq(loopback_port_destroy(port), 0);
    ck_assert_int_eq(loopback_destroy(lo), 0);
}
END_TEST

static void nothing_to_wait_for(void *user)
{
    (void)user;
}

START_TEST(random_traffic_of_two_owners_arrives_unchanged)
{
    static struct test_traffic t;
    for (uint64_t seed = 0; seed < 20; seed++) {
        t = (struct test_traffic){.host = {&w.a, &w.b},
                                  .device = {w.dev_a, w.dev_b},
                                  .settle = nothing_to_wait_for,
                                  .random = seed};
        test_traffic_run(&t, 300);
    }
}
END_TEST

static Suite *loopback_suite(void)
{
    Suite *suite = suite_create("loopback");
    TCase *tc = tcase_create("loopback");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, only_all_128_bits_make_a_device_reachable);
    tcase_add_test(tc, a_move_crosses_namespaces_and_signals_within_the_call);
    tcase_add_test(tc, moves_are_bounded_in_64_bits);
    tcase_add_test(tc, lengths_are_pages_up_to_a_mebibyte);
    tcase_add_test(tc, there_are_5000_dmbs_with_indexes_and_tokens_of_their_own);
    tcase_add_test(tc, attached_memory_outlives_its_owner);
    tcase_add_test(tc, an_index_is_free_when_owner_and_attacher_are_gone);
    tcase_add_test(tc, what_a_port_left_attached_goes_with_it);
    tcase_add_test(tc, held_signals_coalesce_and_come);
    tcase_add_test(tc, planned_faults_happen_and_change_nothing);
    tcase_add_test(tc, every_operation_is_recorded_with_who_did_it);
    tcase_add_test(tc, every_allocation_may_fail);
    tcase_add_test(tc, random_traffic_of_two_owners_arrives_unchanged);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(loopback_suite)

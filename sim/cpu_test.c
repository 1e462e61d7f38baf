/* The processor of a host: what each kind of work costs, what bursts save, and that nothing is lost in divisions.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/cpu.h"

#include "testing/check_main.h"

static const struct cpu_costs costs = {.syscall_ns = 100, .wakeup_ns = 1000, .interrupt_ns = 500, .tcp_packet_ns = 300,
                                       .tcp_segment_ns = 20, .copy_rate = UINT64_C(10000000000), .move_rate = UINT64_C(40000000000)};

START_TEST(work_waits_for_what_was_there_before)
{
    struct cpu cpu;
    cpu_init(&cpu, &costs);
    ck_assert(!cpu_busy(&cpu, 0));
    ck_assert_uint_eq(cpu_spend(&cpu, CPU_SYSCALL, 100, 1000), 1100);
    ck_assert(cpu_busy(&cpu, 1099) && !cpu_busy(&cpu, 1100));
    ck_assert_uint_eq(cpu_spend(&cpu, CPU_WAKEUP, 50, 1050), 1150);
    ck_assert_uint_eq(cpu_spend(&cpu, CPU_SYSCALL, 10, 5000), 5010);
    ck_assert_uint_eq(cpu.spent_ns[CPU_SYSCALL], 110);
    ck_assert_uint_eq(cpu_total_ns(&cpu), 160);
}
END_TEST

START_TEST(bytes_take_their_time_at_every_rate)
{
    static const uint64_t rates[] = {1000000, 3000000000, 10000000000, 20000000000, 400000000000};
    for (unsigned i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct cpu cpu;
        const struct cpu_costs c = {.copy_rate = rates[i]};
        cpu_init(&cpu, &c);
        uint64_t end = cpu_spend_bytes(&cpu, CPU_COPY, 64 << 20, 0);
        ck_assert_uint_eq(end, (UINT64_C(64) << 20) * 1000000000 / rates[i]);
        ck_assert_uint_gt(end, 0);
    }
}
END_TEST

START_TEST(many_small_copies_cost_what_one_long_one_does)
{
    struct cpu small, large;
    cpu_init(&small, &costs);
    cpu_init(&large, &costs);
    for (unsigned i = 0; i < 100000; i++)
        (void)cpu_spend_bytes(&small, CPU_COPY, 7, 0);
    (void)cpu_spend_bytes(&large, CPU_COPY, 700000, 0);
    ck_assert_uint_eq(small.free_ns, large.free_ns);
    ck_assert_uint_eq(small.free_ns, 70000);
}
END_TEST

START_TEST(no_rate_is_no_time_and_no_length_overflows)
{
    struct cpu cpu;
    const struct cpu_costs none = {0}, absurd = {.copy_rate = 1};
    cpu_init(&cpu, &none);
    ck_assert_uint_eq(cpu_spend_bytes(&cpu, CPU_COPY, UINT64_MAX, 5), 5);
    cpu_init(&cpu, &absurd);
    uint64_t end = cpu_spend_bytes(&cpu, CPU_COPY, UINT64_MAX, 5);
    ck_assert_uint_gt(end, UINT64_C(1) << 60);
    ck_assert_uint_ge(cpu_spend(&cpu, CPU_SYSCALL, UINT64_MAX, 5), end);
    ck_assert_uint_lt(cpu.free_ns, UINT64_MAX);
}
END_TEST

START_TEST(frames_of_a_burst_are_merged_while_the_processor_is_behind)
{
    struct cpu cpu;
    cpu_init(&cpu, &costs);
    ck_assert_uint_eq(cpu_spend_frame(&cpu, false, false, 9000, 0), 300);   /* the first */
    ck_assert_uint_eq(cpu_spend_frame(&cpu, false, false, 9000, 200), 320); /* comes while it is worked on */
    ck_assert_uint_eq(cpu_spend_frame(&cpu, true, false, 9000, 200), 620);  /* the other way: a burst of its own */
    ck_assert_uint_eq(cpu_spend_frame(&cpu, false, false, 9000, 1000), 1300); /* caught up: a new one */
    ck_assert_uint_eq(cpu.spent_ns[CPU_TCP], 920);
}
END_TEST

START_TEST(a_burst_ends_after_64_kib)
{
    struct cpu cpu;
    cpu_init(&cpu, &costs);
    for (unsigned i = 0; i < 7; i++)
        (void)cpu_spend_frame(&cpu, false, false, 9000, 0);
    ck_assert_uint_eq(cpu.spent_ns[CPU_TCP], 300 + 6 * 20);
    (void)cpu_spend_frame(&cpu, false, false, 9000, 0);
    ck_assert_uint_eq(cpu.spent_ns[CPU_TCP], 2 * 300 + 6 * 20);
}
END_TEST

START_TEST(acknowledgements_begin_no_burst)
{
    struct cpu cpu;
    cpu_init(&cpu, &costs);
    ck_assert_uint_eq(cpu_spend_frame(&cpu, false, true, 66, 0), 20);
    ck_assert_uint_eq(cpu_spend_frame(&cpu, false, false, 66, 0), 320);
}
END_TEST

START_TEST(an_interrupt_costs_only_an_idle_processor)
{
    struct cpu cpu;
    cpu_init(&cpu, &costs);
    ck_assert_uint_eq(cpu_interrupt(&cpu, 10), 510);
    ck_assert_uint_eq(cpu_interrupt(&cpu, 20), 510);
    ck_assert_uint_eq(cpu_interrupt(&cpu, 510), 1010);
    ck_assert_uint_eq(cpu.spent_ns[CPU_INTERRUPT], 1000);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cpu");
    TCase *c = tcase_create("cpu");
    tcase_add_test(c, work_waits_for_what_was_there_before);
    tcase_add_test(c, bytes_take_their_time_at_every_rate);
    tcase_add_test(c, many_small_copies_cost_what_one_long_one_does);
    tcase_add_test(c, no_rate_is_no_time_and_no_length_overflows);
    tcase_add_test(c, frames_of_a_burst_are_merged_while_the_processor_is_behind);
    tcase_add_test(c, a_burst_ends_after_64_kib);
    tcase_add_test(c, acknowledgements_begin_no_burst);
    tcase_add_test(c, an_interrupt_costs_only_an_idle_processor);
    suite_add_tcase(s, c);
    return s;
}

CHECK_MAIN(suite)

/* TCP tracking: order, beginnings and ends, bounds, case by case.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_test.h"

/* ---- order ---- */

START_TEST(the_first_copy_of_a_byte_wins)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1004, 9001, TEXT("DEF")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1003, 9001, TEXT("cdefg")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("12345678")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("........9")});
    ck_assert_str_eq((char *)S.bytes[TRACE_C2S], "12cDEFg89");
    ck_assert_uint_eq(S.gaps[TRACE_C2S], 0);
}
END_TEST

START_TEST(data_names_the_frame_that_carried_it)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1004, 9001, TEXT("def")}); /* frame 4 */
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("abc")});
    ck_assert_uint_eq(S.last_data_frame, 4);
}
END_TEST

START_TEST(a_keepalive_probe_is_no_data)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("abc")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1003, 9001, TEXT("?")});
    ck_assert_uint_eq(S.duplicates, 1);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1003, 9001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1004, 9001, TEXT("d")});
    ck_assert_str_eq((char *)S.bytes[TRACE_C2S], "abcd");
}
END_TEST

START_TEST(a_capture_may_begin_with_a_keepalive_probe)
{
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1000, 9001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("abc")});
    ck_assert_str_eq((char *)S.bytes[TRACE_C2S], "abc");
    ck_assert_uint_eq(S.gaps[TRACE_C2S], 0);
}
END_TEST

START_TEST(an_ack_captured_before_its_data_opens_no_gap)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1004, TEXT("ok")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9003, TEXT("abc")});
    ck_assert_str_eq((char *)S.bytes[TRACE_C2S], "abc");
    ck_assert_uint_eq(S.gaps[TRACE_C2S], 0);
}
END_TEST

START_TEST(a_hole_that_was_acknowledged_is_a_gap)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1004, 9001, TEXT("def")});
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1001, .bytes = NULL});
    ck_assert_uint_eq(S.length[TRACE_C2S], 0);
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1003, .bytes = NULL}); /* a part of it: the third byte may come */
    ck_assert_uint_eq(S.gap_bytes[TRACE_C2S], 2);
    ck_assert_uint_eq(S.delivered[TRACE_C2S], 0);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("abc")});
    ck_assert_uint_eq(S.gap_bytes[TRACE_C2S], 2);
    ck_assert_mem_eq(S.bytes[TRACE_C2S], "\0\0cdef", 6);
}
END_TEST

START_TEST(lost_last_bytes_show_in_the_senders_next_ack)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9069, TEXT("confirm")}); /* 68 bytes of the server are lost */
    ck_assert_uint_eq(S.gaps[TRACE_S2C], 0);
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9069, 1008, .bytes = NULL});
    ck_assert_uint_eq(S.gap_bytes[TRACE_S2C], 68);
    ck_assert_uint_eq(S.flow->bytes[TRACE_S2C], 68);
}
END_TEST

START_TEST(lost_last_bytes_show_at_the_end_at_the_latest)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9069, TEXT("confirm")});
    trace_tcp_finish(S.t);
    ck_assert_uint_eq(S.gap_bytes[TRACE_S2C], 68);
    ck_assert_uint_eq(S.ends, 1);
}
END_TEST

START_TEST(what_waits_behind_a_hole_comes_at_the_end)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1004, 9001, TEXT("def")});
    trace_tcp_finish(S.t);
    ck_assert_mem_eq(S.bytes[TRACE_C2S], "\0\0\0def", 6);
    ck_assert_uint_eq(S.gap_bytes[TRACE_C2S], 3);
    ck_assert_uint_eq(S.fins[TRACE_C2S], 1);
}
END_TEST

START_TEST(bytes_far_outside_any_window_are_ignored)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001 + (UINT32_C(3) << 29), 9001, TEXT("junk")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("abc")});
    trace_tcp_finish(S.t);
    ck_assert_uint_eq(S.length[TRACE_C2S], 3);
}
END_TEST

START_TEST(a_fast_open_carries_data_in_its_syn)
{
    shoot(&S, (struct shot){TRACE_C2S, SYN, 1000, 0, TEXT("early")});
    shoot(&S, (struct shot){TRACE_S2C, SYN | ACK, 9000, 1006, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1006, 9001, TEXT("late")});
    ck_assert_str_eq((char *)S.bytes[TRACE_C2S], "earlylate");
    ck_assert_uint_eq(S.ends, 0);
}
END_TEST

/* ---- beginnings and ends ---- */

START_TEST(a_repeated_syn_is_a_duplicate)
{
    shoot(&S, (struct shot){TRACE_C2S, SYN, 1000, 0, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, SYN, 1000, 0, .bytes = NULL});
    ck_assert_uint_eq(S.duplicates, 1);
    shoot(&S, (struct shot){TRACE_S2C, SYN | ACK, 9000, 1001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_S2C, SYN | ACK, 9000, 1001, .bytes = NULL});
    ck_assert_uint_eq(S.duplicates, 2);
    ck_assert(S.flow->syn_seen[0] && S.flow->syn_seen[1] && S.flow->roles_known);
    ck_assert_uint_eq(S.flow->id, 1);
}
END_TEST

START_TEST(the_lower_port_is_guessed_to_be_the_servers)
{
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1001, TEXT("x")});
    ck_assert_uint_eq(S.flow->port[TRACE_C2S], CLIENT_PORT);
    ck_assert_uint_eq(S.delivered[TRACE_S2C], 1);
    ck_assert(!S.flow->roles_known);
}
END_TEST

START_TEST(a_late_syn_corrects_guessed_roles)
{
    /* the low port is the client's: guessed wrongly */
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1001, .bytes = NULL});
    ck_assert_uint_eq(S.flow->port[TRACE_C2S], CLIENT_PORT);
    shoot(&S, (struct shot){TRACE_S2C, SYN, 9000, 0, .bytes = NULL});
    ck_assert_uint_eq(S.ends, 0);
    ck_assert_uint_eq(S.flow->port[TRACE_C2S], SERVER_PORT);
    ck_assert(S.flow->roles_known && S.flow->syn_seen[TRACE_C2S]);
}
END_TEST

START_TEST(guessed_roles_can_be_exchanged_in_the_middle_of_a_packet)
{
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("ab")});
    ck_assert_uint_eq(S.delivered[TRACE_C2S], 2);
    S.delivered[TRACE_S2C] = 2; /* so that on_data()'s own arithmetic follows the exchange */
    S.delivered[TRACE_C2S] = 0;
    S.swap_at_segment = true;
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1003, 9001, TEXT("cd")});
    ck_assert_uint_eq(S.delivered[TRACE_S2C], 4);
    ck_assert_uint_eq(S.flow->bytes[TRACE_S2C], 4);
    ck_assert_uint_eq(S.flow->port[TRACE_S2C], CLIENT_PORT);
    trace_tcp_swap_roles(S.t, S.flow);
    ck_assert_uint_eq(S.flow->bytes[TRACE_C2S], 4);
}
END_TEST

START_TEST(known_roles_are_not_exchanged)
{
    handshake(&S);
    trace_tcp_swap_roles(S.t, S.flow);
    ck_assert_uint_eq(S.flow->port[TRACE_C2S], CLIENT_PORT);
}
END_TEST

START_TEST(a_new_syn_on_old_ports_is_a_new_flow)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("abc")});
    shoot(&S, (struct shot){TRACE_C2S, SYN, 777000, 0, .bytes = NULL});
    ck_assert_uint_eq(S.ends, 1);
    ck_assert_uint_eq(S.ended[0], 1);
    ck_assert_uint_eq(S.flow->id, 2);
    ck_assert_uint_eq(S.flow->bytes[TRACE_C2S], 0);
}
END_TEST

START_TEST(a_new_syn_ack_shows_a_new_flow_whose_syn_was_lost)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_S2C, SYN | ACK, 555000, 777001, .bytes = NULL});
    ck_assert_uint_eq(S.ends, 1);
    ck_assert_uint_eq(S.flow->id, 2);
    /* the SYN-ACK says where the client's stream begins, so a lost first segment is a gap */
    shoot(&S, (struct shot){TRACE_C2S, ACK, 777003, 555001, TEXT("c")});
    shoot(&S, (struct shot){TRACE_S2C, ACK, 555001, 777004, .bytes = NULL});
    ck_assert_uint_eq(S.gap_bytes[TRACE_C2S], 2);
}
END_TEST

START_TEST(a_late_syn_is_not_a_new_flow)
{
    shoot(&S, (struct shot){TRACE_S2C, SYN | ACK, 9000, 1001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, SYN, 1000, 0, .bytes = NULL});
    ck_assert_uint_eq(S.ends, 0);
    ck_assert(S.flow->syn_seen[0] && S.flow->syn_seen[1]);
}
END_TEST

START_TEST(both_may_open_at_once)
{
    shoot(&S, (struct shot){TRACE_C2S, SYN, 1000, 0, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_S2C, SYN, 9000, 0, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, SYN | ACK, 1000, 9001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_S2C, SYN | ACK, 9000, 1001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1001, TEXT("ab")});
    ck_assert_uint_eq(S.ends, 0);
    ck_assert_uint_eq(S.delivered[TRACE_S2C], 2);
    ck_assert_uint_eq(S.flow->port[TRACE_C2S], CLIENT_PORT);
}
END_TEST

START_TEST(a_fin_waits_for_the_bytes_before_it)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1004, 9001, TEXT("def")}); /* frame 4 */
    ck_assert_uint_eq(S.fins[TRACE_C2S], 0);
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1004, 9001, TEXT("def")});
    ck_assert_uint_eq(S.duplicates, 1);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("abc")});
    ck_assert_uint_eq(S.fins[TRACE_C2S], 1);
    ck_assert_uint_eq(S.fin_frame[TRACE_C2S], 4);
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1007, 9001, .bytes = NULL});
    ck_assert_uint_eq(S.fins[TRACE_C2S], 1);
    ck_assert_uint_eq(S.duplicates, 2);
}
END_TEST

START_TEST(nothing_comes_behind_a_fin)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1003, 9001, TEXT("cdefg")});
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1005, 9001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("ab")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1006, 9001, TEXT("xyz")});
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1009, .bytes = NULL});
    trace_tcp_finish(S.t);
    ck_assert_uint_eq(S.fins[TRACE_C2S], 1);
    ck_assert_uint_eq(S.gaps[TRACE_C2S], 0);
    ck_assert_str_eq((char *)S.bytes[TRACE_C2S], "abcdefg");
}
END_TEST

START_TEST(a_reset_is_reported_once_a_side)
{
    handshake(&S);
    for (int i = 0; i < 3; i++)
        shoot(&S, (struct shot){TRACE_C2S, RST | ACK, 1001, 9001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_S2C, RST, 9001, 0, TEXT("reason")});
    ck_assert_uint_eq(S.rsts[TRACE_C2S], 1);
    ck_assert_uint_eq(S.rsts[TRACE_S2C], 1);
    ck_assert_uint_eq(S.duplicates, 2);
    ck_assert_uint_eq(S.length[TRACE_S2C], 0);
}
END_TEST

static void close_both(void)
{
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1001, 9001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_S2C, ACK | FIN, 9001, 1002, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1002, 9002, .bytes = NULL});
}

/* A packet of another connection, s seconds later. */
static void later(unsigned s)
{
    struct shot x = {TRACE_C2S, SYN, 5, 0, .bytes = NULL};
    struct trace_packet p = packet_of(&x);
    p.src.b[0] = 77;
    p.raw.ts_ns = time_now += s * UINT64_C(1000000000);
    MUST(trace_tcp_input(S.t, &p) == 0);
}

START_TEST(a_closed_flow_is_forgotten_after_ten_seconds)
{
    handshake(&S);
    if (_i == 0)
        close_both();
    else
        shoot(&S, (struct shot){TRACE_S2C, RST, 9001, 0, .bytes = NULL});
    later(9);
    ck_assert_uint_eq(S.ends, 0);
    later(2);
    ck_assert_uint_eq(S.ends, 1);
    ck_assert_uint_eq(S.ended[0], 1);
}
END_TEST

START_TEST(a_flow_whose_last_fin_was_not_captured_is_closed_too)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1001, 9001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1002, 9002, .bytes = NULL}); /* acknowledges a FIN nobody saw */
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9002, 1002, .bytes = NULL});
    later(11);
    ck_assert_uint_eq(S.ends, 1);
    ck_assert_uint_eq(S.gaps[TRACE_S2C], 0);
}
END_TEST

START_TEST(of_closed_flows_the_last_2048_are_kept)
{
    struct trace_tcp_events quiet = {.end = on_end};
    S.t->ev = quiet;
    for (uint32_t i = 0; i < 2048 + 50; i++) {
        struct shot x = {TRACE_C2S, RST, 5, 0, .bytes = NULL};
        struct trace_packet p = packet_of(&x);
        smc_store_be(p.src.b, 4, i);
        MUST(trace_tcp_input(S.t, &p) == 0);
    }
    later(0);
    ck_assert_uint_eq(S.ends, 50);
    for (unsigned i = 0; i < 50; i++)
        ck_assert_uint_eq(S.ended[i], i + 1);
}
END_TEST

START_TEST(an_open_flow_is_not_forgotten)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1001, 9001, .bytes = NULL});
    later(3600);
    ck_assert_uint_eq(S.ends, 0);
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1002, TEXT("still here")});
    ck_assert_uint_eq(S.delivered[TRACE_S2C], 10);
}
END_TEST

START_TEST(flows_end_in_order_of_id)
{
    struct shot x = {TRACE_C2S, SYN, 5, 0, .bytes = NULL};
    for (int i = 0; i < 60; i++) {
        struct trace_packet p = packet_of(&x);
        p.src.b[3] = (uint8_t)(i * 37);
        MUST(trace_tcp_input(S.t, &p) == 0);
    }
    trace_tcp_finish(S.t);
    ck_assert_uint_eq(S.ends, 60);
    for (unsigned i = 0; i < 60; i++)
        ck_assert_uint_eq(S.ended[i], i + 1);
}
END_TEST

/* ---- counting only ---- */

START_TEST(a_flow_nobody_reads_is_counted)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1004, 9001, TEXT("def")}); /* waits */
    trace_tcp_count_only(S.t, S.flow);
    ck_assert_uint_eq(S.t->held_bytes, 0);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("abc")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1010, 9001, TEXT("jk")}); /* three are still under way */
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1007, 9001, TEXT("ghi")});
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1012, 9001, TEXT("l")});
    ck_assert_uint_eq(S.flow->bytes[TRACE_C2S], 12);
    ck_assert_uint_eq(S.fins[TRACE_C2S], 1);
    trace_tcp_finish(S.t);
    ck_assert_uint_eq(S.delivered[TRACE_C2S], 0);
    ck_assert_uint_eq(S.gaps[TRACE_C2S], 0);
}
END_TEST

START_TEST(a_listener_may_lose_interest_in_the_middle_of_a_delivery)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1004, 9001, TEXT("de")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1008, 9001, TEXT("hi")});
    S.count_only_at_data = true;
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, .bytes = "abcdefghijk", .len = 11, .captured = 10});
    ck_assert_uint_eq(S.delivered[TRACE_C2S], 3);
    ck_assert_uint_eq(S.flow->bytes[TRACE_C2S], 11);
    shoot(&S, (struct shot){TRACE_C2S, RST, 1012, 0, .bytes = NULL});
    ck_assert_uint_eq(S.rsts[TRACE_C2S], 1);
    ck_assert_uint_eq(S.gaps[TRACE_C2S], 0);
}
END_TEST

/* ---- bounds ---- */

START_TEST(a_flood_behind_a_hole_is_let_through)
{
    static uint8_t bytes[1000];
    uint32_t step = _i == 0 ? 1000 : 2; /* in a row, or a byte here and there */
    uint32_t len = _i == 0 ? 1000 : 1;
    handshake(&S);
    for (uint32_t k = 0; k < 40000; k++) {
        shoot(&S, (struct shot){TRACE_C2S, ACK, 1002 + k * step, 9001, bytes, len, 0});
        MUST(S.t->held_bytes <= TRACE_TCP_HOLD_BYTES);
    }
    ck_assert_uint_gt(S.delivered[TRACE_C2S], 0);
    trace_tcp_finish(S.t);
    ck_assert_uint_eq(S.delivered[TRACE_C2S], 40000 * len);
    ck_assert_uint_eq(S.t->held_bytes, 0);
}
END_TEST

START_TEST(all_flows_together_keep_a_bounded_amount)
{
    static uint8_t bytes[60000];
    struct trace_tcp_events quiet = {.end = on_end};
    S.t->ev = quiet;
    for (int flow = 0; flow < 100; flow++) {
        for (uint32_t k = 0; k < 18; k++) {
            struct shot x = {TRACE_C2S, ACK, k == 0 ? 1 : 10 + k * 60000, 0, bytes, k == 0 ? 1 : 60000, 0};
            struct trace_packet p = packet_of(&x);
            p.src.b[3] = (uint8_t)flow;
            MUST(trace_tcp_input(S.t, &p) == 0);
            MUST(S.t->held_bytes <= (size_t)64 << 20);
        }
    }
    ck_assert_uint_gt(S.t->held_bytes, (size_t)60 << 20);
    trace_tcp_finish(S.t);
    ck_assert_uint_eq(S.ends, 100);
}
END_TEST

START_TEST(beyond_the_limit_the_flow_idle_longest_is_forgotten)
{
    handshake(&S);                            /* flow 1 */
    later(0);                                 /* flow 2 */
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("busy")});
    S.t->flows = TRACE_TCP_MAX_FLOWS;         /* as if there were so many */
    struct shot x = {TRACE_C2S, SYN, 5, 0, .bytes = NULL};
    struct trace_packet p = packet_of(&x);
    p.src.b[1] = 5;
    ck_assert_int_eq(trace_tcp_input(S.t, &p), 0);
    ck_assert_uint_eq(S.ends, 1);
    ck_assert_uint_eq(S.ended[0], 2);
    ck_assert_uint_eq(S.t->flows, TRACE_TCP_MAX_FLOWS);
}
END_TEST

START_TEST(many_flows_are_told_apart)
{
    enum { FLOWS = 5000 };
    struct trace_tcp_events quiet = {.end = on_end};
    S.t->ev = quiet;
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < FLOWS; i++) {
            struct shot x = {round == 1 ? TRACE_S2C : TRACE_C2S, ACK, 1 + (uint32_t)round, 0, TEXT("x")};
            struct trace_packet p = packet_of(&x);
            uint8_t *far = round == 1 ? p.dst.b : p.src.b;
            smc_store_be(far + 4, 4, i);
            MUST(trace_tcp_input(S.t, &p) == 0);
            MUST(S.t->last->pub.id == i + 1);
        }
    }
    ck_assert_uint_eq(S.t->flows, FLOWS);
    for (uint32_t i = 0; i < FLOWS; i += 2) { /* every other one ends; the rest must still be found */
        struct shot x = {TRACE_C2S, SYN, 70000, 0, .bytes = NULL};
        struct trace_packet p = packet_of(&x);
        smc_store_be(p.src.b + 4, 4, i);
        MUST(trace_tcp_input(S.t, &p) == 0);
        ck_assert_uint_gt(S.t->last->pub.id, FLOWS);
    }
    for (uint32_t i = 1; i < FLOWS; i += 2) {
        struct shot x = {TRACE_C2S, ACK, 70000, 0, .bytes = NULL};
        struct trace_packet p = packet_of(&x);
        smc_store_be(p.src.b + 4, 4, i);
        MUST(trace_tcp_input(S.t, &p) == 0);
        ck_assert_uint_eq(S.t->last->pub.id, i + 1);
    }
    ck_assert_uint_eq(S.ends, FLOWS / 2);
}
END_TEST

static void add_order(TCase *c)
{
    tcase_add_test(c, the_first_copy_of_a_byte_wins);
    tcase_add_test(c, data_names_the_frame_that_carried_it);
    tcase_add_test(c, a_keepalive_probe_is_no_data);
    tcase_add_test(c, a_capture_may_begin_with_a_keepalive_probe);
    tcase_add_test(c, an_ack_captured_before_its_data_opens_no_gap);
    tcase_add_test(c, a_hole_that_was_acknowledged_is_a_gap);
    tcase_add_test(c, lost_last_bytes_show_in_the_senders_next_ack);
    tcase_add_test(c, lost_last_bytes_show_at_the_end_at_the_latest);
    tcase_add_test(c, what_waits_behind_a_hole_comes_at_the_end);
    tcase_add_test(c, bytes_far_outside_any_window_are_ignored);
    tcase_add_test(c, a_fast_open_carries_data_in_its_syn);
}

static void add_life(TCase *c)
{
    tcase_add_test(c, a_repeated_syn_is_a_duplicate);
    tcase_add_test(c, the_lower_port_is_guessed_to_be_the_servers);
    tcase_add_test(c, a_late_syn_corrects_guessed_roles);
    tcase_add_test(c, guessed_roles_can_be_exchanged_in_the_middle_of_a_packet);
    tcase_add_test(c, known_roles_are_not_exchanged);
    tcase_add_test(c, a_new_syn_on_old_ports_is_a_new_flow);
    tcase_add_test(c, a_new_syn_ack_shows_a_new_flow_whose_syn_was_lost);
    tcase_add_test(c, a_late_syn_is_not_a_new_flow);
    tcase_add_test(c, both_may_open_at_once);
    tcase_add_test(c, a_fin_waits_for_the_bytes_before_it);
    tcase_add_test(c, nothing_comes_behind_a_fin);
    tcase_add_test(c, a_reset_is_reported_once_a_side);
    tcase_add_loop_test(c, a_closed_flow_is_forgotten_after_ten_seconds, 0, 2);
    tcase_add_test(c, a_flow_whose_last_fin_was_not_captured_is_closed_too);
    tcase_add_test(c, of_closed_flows_the_last_2048_are_kept);
    tcase_add_test(c, an_open_flow_is_not_forgotten);
    tcase_add_test(c, flows_end_in_order_of_id);
}

static void add_bounds(TCase *c)
{
    tcase_add_test(c, a_flow_nobody_reads_is_counted);
    tcase_add_test(c, a_listener_may_lose_interest_in_the_middle_of_a_delivery);
    tcase_add_loop_test(c, a_flood_behind_a_hole_is_let_through, 0, 2);
    tcase_add_test(c, all_flows_together_keep_a_bounded_amount);
    tcase_add_test(c, beyond_the_limit_the_flow_idle_longest_is_forgotten);
    tcase_add_test(c, many_flows_are_told_apart);
}

int main(void)
{
    const add_fn groups[] = {add_order, add_life, add_bounds};
    const char *const names[] = {"order", "beginnings and ends", "bounds"};
    return run_groups("tcp", groups, names, 3);
}

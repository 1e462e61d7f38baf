/* Tests of the end of a connection: every row of the table of socket states in both profiles, drains, timers, TCP beside it.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conn_fake_test.h"

#define SECOND UINT64_C(1000000000)

static void drop_words(unsigned i) /* what the peer of side i was told goes nowhere */
{
    for (unsigned l = 0; l < FAKE_LINKS; l++) {
        fake[i].queue[l].carried = fake[i].queue[l].end;
        while (fake_complete(&fake[i], l, FAKE_OPS) > 0)
            ;
    }
}

/* Side 0 alone; its peer says only what the script makes it say. */
static void settle(void)
{
    for (unsigned n = 0; n < 4; n++) {
        fake_work(&fake[0]);
        if (fake_r())
            drop_words(0);
    }
}

static void flag(uint8_t flags, uint32_t bytes)
{
    struct fake_cdc w = fake_words(0, bytes);
    w.conn_flags |= flags;
    fake_inject(0, &w);
}

static void terminate(void)
{
    fake_terminate(&fake[0]);
    for (unsigned l = 0; l < FAKE_LINKS; l++)
        fake_flush(&fake[0], l);
}

static void later(uint64_t ns)
{
    fake[0].ep.now_ns += ns;
    while (smc_timers_run_one(&fake[0].ep.timers, fake[0].ep.now_ns))
        ;
}

/* c close, w shutdown(WR), b shutdown(RDWR); D C A the peer's flags, u a byte from it; r RST, f FIN; g 25 seconds; t the group
 * ends. */
static void act(char what)
{
    struct smc_connection *c = fake[0].c;
    uint64_t now = fake[0].ep.now_ns;
    switch (what) {
    case 'c': smc_close(c, now); break;
    case 'w': ck_assert_int_eq(smc_shutdown(c, SMC_SHUT_WR, now), 0); break;
    case 'b': ck_assert_int_eq(smc_shutdown(c, SMC_SHUT_RDWR, now), 0); break;
    case 'D': flag(SMC_CONN_D, 0); break;
    case 'C': flag(SMC_CONN_C, 0); break;
    case 'A': flag(SMC_CONN_A, 0); break;
    case 'u': flag(0, 1); break;
    case 'r': smc_close_tcp_reset(c); break;
    case 'f': smc_close_tcp_eof(c); break;
    case 'g': later(25 * SECOND); break;
    case 't': terminate(); break;
    default: ck_abort_msg("no such act: %c", what);
    }
    settle();
}

enum { N = 0, D = 0x80, C = 0x40, A = 0x20 };
#define ST(name) SMC_STATE_##name

static const struct row {
    const char *script;
    enum smc_state rfc, lnx;
    uint8_t said;      /* connection flags in the last message, 0: none was sent */
    unsigned messages; /* sent in all */
    int rfc_error, lnx_error;
} rows[] = {
    {"", ST(ACTIVE), ST(ACTIVE), N, 0, 0, 0},
    {"f", ST(ACTIVE), ST(ACTIVE), N, 0, 0, 0},
    {"c", ST(PEERCLOSEWAIT1), ST(PEERCLOSEWAIT1), C, 1, 0, 0},
    {"b", ST(PEERCLOSEWAIT1), ST(PEERCLOSEWAIT1), C, 1, 0, 0},
    {"uc", ST(PEERABORTWAIT), ST(PEERCLOSEWAIT1), A, 1, 0, 0},
    {"w", ST(PEERCLOSEWAIT1), ST(PEERCLOSEWAIT1), D, 1, 0, 0},
    {"ww", ST(PEERCLOSEWAIT1), ST(PEERCLOSEWAIT1), D, 1, 0, 0},
    {"D", ST(APPCLOSEWAIT1), ST(APPCLOSEWAIT1), N, 0, 0, 0},
    {"C", ST(APPCLOSEWAIT1), ST(APPCLOSEWAIT1), N, 0, 0, 0},
    {"wD", ST(PEERCLOSEWAIT2), ST(PEERCLOSEWAIT2), D, 1, 0, 0},
    {"wC", ST(APPFINCLOSEWAIT), ST(APPFINCLOSEWAIT), D, 1, 0, 0},
    {"wDC", ST(APPFINCLOSEWAIT), ST(APPFINCLOSEWAIT), D, 1, 0, 0},
    {"cD", ST(PEERCLOSEWAIT2), ST(PEERCLOSEWAIT2), C, 1, 0, 0},
    {"cC", ST(CLOSED), ST(CLOSED), C, 1, 0, 0},
    {"cDC", ST(CLOSED), ST(CLOSED), C, 1, 0, 0},
    {"wc", ST(PEERCLOSEWAIT1), ST(PEERCLOSEWAIT1), D | C, 2, 0, 0},
    {"wcC", ST(CLOSED), ST(CLOSED), D | C, 2, 0, 0},
    {"wDc", ST(PEERCLOSEWAIT2), ST(PEERCLOSEWAIT2), D | C, 2, 0, 0},
    {"wDcC", ST(CLOSED), ST(CLOSED), D | C, 2, 0, 0},
    {"wCc", ST(CLOSED), ST(CLOSED), D | C, 2, 0, 0},
    {"bC", ST(APPFINCLOSEWAIT), ST(APPFINCLOSEWAIT), C, 1, 0, 0},
    {"bCc", ST(CLOSED), ST(CLOSED), C, 1, 0, 0},
    {"bc", ST(PEERCLOSEWAIT1), ST(PEERCLOSEWAIT1), C, 1, 0, 0},
    {"bcC", ST(CLOSED), ST(CLOSED), C, 1, 0, 0},
    {"Dw", ST(APPCLOSEWAIT2), ST(APPCLOSEWAIT2), D, 1, 0, 0},
    {"Cw", ST(APPCLOSEWAIT2), ST(APPCLOSEWAIT2), D, 1, 0, 0},
    {"Cc", ST(CLOSED), ST(CLOSED), C, 1, 0, 0},
    {"Dc", ST(PEERFINCLOSEWAIT), ST(PEERFINCLOSEWAIT), C, 1, 0, 0},
    {"DcC", ST(CLOSED), ST(CLOSED), C, 1, 0, 0},
    {"DCc", ST(CLOSED), ST(CLOSED), C, 1, 0, 0},
    {"Dwc", ST(PEERFINCLOSEWAIT), ST(PEERFINCLOSEWAIT), D | C, 2, 0, 0},
    {"DwcC", ST(CLOSED), ST(CLOSED), D | C, 2, 0, 0},
    {"Cwc", ST(CLOSED), ST(CLOSED), D | C, 2, 0, 0},
    {"uDc", ST(PEERABORTWAIT), ST(PEERFINCLOSEWAIT), A, 1, 0, 0},
    {"uCc", ST(CLOSED), ST(CLOSED), A, 1, 0, 0},
    {"wuc", ST(PEERABORTWAIT), ST(PEERCLOSEWAIT1), D | A, 2, 0, 0},
    {"A", ST(PROCESSABORT), ST(PROCESSABORT), N, 0, SMC_ERR_RESET, SMC_ERR_RESET},
    {"Ac", ST(CLOSED), ST(CLOSED), A, 1, SMC_ERR_RESET, SMC_ERR_RESET},
    {"AAc", ST(CLOSED), ST(CLOSED), A, 1, SMC_ERR_RESET, SMC_ERR_RESET},
    {"DA", ST(PROCESSABORT), ST(PROCESSABORT), N, 0, SMC_ERR_RESET, SMC_ERR_RESET},
    {"wA", ST(PROCESSABORT), ST(PROCESSABORT), D, 1, SMC_ERR_RESET, SMC_ERR_RESET},
    {"wDA", ST(PROCESSABORT), ST(PROCESSABORT), D, 1, SMC_ERR_RESET, SMC_ERR_RESET},
    {"wCA", ST(PROCESSABORT), ST(PROCESSABORT), D, 1, SMC_ERR_RESET, SMC_ERR_RESET},
    {"wAc", ST(CLOSED), ST(CLOSED), D | A, 2, SMC_ERR_RESET, SMC_ERR_RESET},
    {"cA", ST(CLOSED), ST(CLOSED), C, 1, 0, 0},
    {"cDA", ST(CLOSED), ST(CLOSED), C, 1, 0, 0},
    {"wcA", ST(CLOSED), ST(CLOSED), D | C, 2, 0, 0},
    {"DwA", ST(CLOSED), ST(CLOSED), D, 1, SMC_ERR_RESET, SMC_ERR_RESET},
    {"DcA", ST(CLOSED), ST(CLOSED), C, 1, 0, 0},
    {"ucA", ST(CLOSED), ST(CLOSED), A, 1, 0, 0},
    {"cg", ST(CLOSED), ST(PEERCLOSEWAIT1), C, 1, SMC_ERR_TIMEOUT, 0},
    {"wg", ST(PEERCLOSEWAIT1), ST(PEERCLOSEWAIT1), D, 1, 0, 0},
    {"wcg", ST(CLOSED), ST(PEERCLOSEWAIT1), D | C, 2, SMC_ERR_TIMEOUT, 0},
    {"bg", ST(PEERCLOSEWAIT1), ST(PEERCLOSEWAIT1), C, 1, 0, 0},
    {"bcg", ST(CLOSED), ST(PEERCLOSEWAIT1), C, 1, SMC_ERR_TIMEOUT, 0},
    {"Dcg", ST(CLOSED), ST(PEERFINCLOSEWAIT), C, 1, SMC_ERR_TIMEOUT, 0},
    {"ucg", ST(CLOSED), ST(PEERCLOSEWAIT1), A, 1, SMC_ERR_TIMEOUT, 0},
    {"r", ST(PEERABORTWAIT), ST(CLOSED), A, 1, SMC_ERR_RESET, SMC_ERR_RESET},
    {"rA", ST(CLOSED), ST(CLOSED), A, 1, SMC_ERR_RESET, SMC_ERR_RESET},
    {"rC", ST(CLOSED), ST(CLOSED), A, 1, SMC_ERR_RESET, SMC_ERR_RESET},
    {"rg", ST(CLOSED), ST(CLOSED), A, 1, SMC_ERR_RESET, SMC_ERR_RESET},
    {"rc", ST(PEERABORTWAIT), ST(CLOSED), A, 1, SMC_ERR_RESET, SMC_ERR_RESET},
    {"rcA", ST(CLOSED), ST(CLOSED), A, 1, SMC_ERR_RESET, SMC_ERR_RESET},
    {"ru", ST(PEERABORTWAIT), ST(CLOSED), A, 1, SMC_ERR_RESET, SMC_ERR_RESET},
    {"cr", ST(PEERCLOSEWAIT1), ST(CLOSED), C, 1, 0, 0},
    {"crC", ST(CLOSED), ST(CLOSED), C, 1, 0, 0},
    {"Cr", ST(APPCLOSEWAIT1), ST(APPCLOSEWAIT1), N, 0, 0, 0},
    {"Dr", ST(PEERABORTWAIT), ST(CLOSED), A, 1, SMC_ERR_RESET, SMC_ERR_RESET},
    {"wCrc", ST(CLOSED), ST(CLOSED), D | C, 2, 0, 0},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]), KINDS = 4 };

static void run(const char *script)
{
    for (const char *p = script; *p != '\0'; p++)
        act(*p);
}

/* Whatever went before: the group ends, the application closes if it has not; exactly one CLOSED, and the object goes. */
static void finish(void)
{
    terminate();
    ck_assert_int_eq(fake[0].c->state, SMC_STATE_CLOSED);
    if (!fake[0].c->freed)
        smc_close(fake[0].c, fake[0].ep.now_ns);
    settle();
    ck_assert_uint_eq(fake[0].closed_events, 1);
    ck_assert_uint_eq(fake[0].dooms, 1);
    ck_assert_uint_le(fake[0].fins, 1);
    ck_assert_uint_le(fake[0].aborts, 1);
    fake_end();
}

START_TEST(every_row_of_the_table)
{
    const struct row *r = &rows[_i / KINDS];
    fake_begin((enum fake_kind)(_i % KINDS));
    bool rfc = fake_profile() == &smc_profile_rfc;
    run(r->script);
    ck_assert_msg((rfc ? r->rfc : r->lnx) == (enum smc_state)fake[0].c->state, "%s: state %d, %s", r->script, fake[0].c->state,
                  "another state");
    ck_assert_msg(fake[0].seen_count == r->messages, "%s: %u messages", r->script, fake[0].seen_count);
    if (r->messages > 0)
        ck_assert_msg(fake_last(0).conn_flags == r->said, "%s: said 0x%02x", r->script, fake_last(0).conn_flags);
    ck_assert_msg(fake[0].c->error == (rfc ? r->rfc_error : r->lnx_error), "%s: error %d", r->script, fake[0].c->error);
    bool over = fake[0].c->state == SMC_STATE_CLOSED;
    ck_assert_uint_eq(fake[0].closed_events, over);
    ck_assert_uint_eq(fake[0].dooms, over && fake[0].c->app_closed);
    ck_assert_uint_eq(fake[0].detached, over);
    finish();
}
END_TEST

START_TEST(a_group_that_ends_ends_its_connections_in_every_state)
{
    const struct row *r = &rows[_i / KINDS];
    fake_begin((enum fake_kind)(_i % KINDS));
    run(r->script);
    bool was_over = fake[0].c->state == SMC_STATE_CLOSED;
    act('t');
    ck_assert_int_eq(fake[0].c->state, SMC_STATE_CLOSED); /* B-24 */
    ck_assert_uint_eq(fake[0].detached, 1);
    ck_assert_uint_eq(fake[0].closed_events, 1);
    if (!was_over && !fake[0].c->app_closed)
        ck_assert_int_ne(fake[0].c->error, 0);
    if (!fake_r() && strcmp(r->script, "") == 0)
        ck_assert_uint_eq(fake_last(0).conn_flags, A); /* a DMB can still be told */
    finish();
}
END_TEST

/* ---- With data ---- */
START_TEST(close_waits_for_what_was_sent)
{
    fake_begin((enum fake_kind)_i);
    while (fake_send(1, 20000, 0) > 0)
        fake_pump();
    smc_close(fake[1].c, 0);
    fake_pump();
    if (fake_kind == FAKE_D_NO_COPY) /* what was taken is in the peer's ring */
        ck_assert_int_eq(fake[1].c->state, SMC_STATE_PEERCLOSEWAIT1);
    else
        ck_assert_int_eq(fake[1].c->state, SMC_STATE_ACTIVE);
    while (fake_recv(0, 5000) > 0)
        fake_pump();
    ck_assert_uint_eq(fake_streams[1].sent, fake_streams[1].received);
    ck_assert_int_eq(fake[1].c->state, SMC_STATE_PEERCLOSEWAIT1);
    ck_assert_int_eq(fake_last(1).conn_flags, C);
    ck_assert_int_eq(fake_recv(0, 10), 0);
    smc_close(fake[0].c, 0);
    fake_pump();
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(fake[i].c->state, SMC_STATE_CLOSED);
        ck_assert_uint_eq(fake[i].dooms, 1);
        ck_assert_uint_eq(fake[i].fins, 1);
        ck_assert_uint_eq(fake[i].aborts, 0);
        ck_assert(!fake[i].c->peer_silent);
    }
    fake_end();
}
END_TEST

START_TEST(a_drain_that_takes_too_long_ends_in_an_abort)
{
    fake_begin((enum fake_kind)_i);
    while (fake_send(1, 20000, 0) > 0)
        fake_pump();
    smc_close(fake[1].c, 0);
    fake_later(3 * SECOND);
    ck_assert_int_eq(fake_last(1).conn_flags, A);
    ck_assert_int_eq(fake_recv(0, 10), SMC_ERR_RESET);
    fake_end();
}
END_TEST

START_TEST(linger_of_nought_closes_at_once)
{
    fake_begin((enum fake_kind)_i);
    ck_assert_int_eq(smc_set_option(fake[1].c, SMC_OPTION_LINGER_NS, 0, 0), 0);
    (void)fake_send(1, 100, 0);
    fake_pump();
    smc_close(fake[1].c, 0);
    fake_pump();
    ck_assert_int_eq(fake_last(1).conn_flags, C); /* nothing unsent, nothing unread: as any close */
    fake_end();
    fake_begin((enum fake_kind)_i);
    ck_assert_int_eq(smc_set_option(fake[1].c, SMC_OPTION_LINGER_NS, 0, 0), 0);
    while (fake_send(1, 60000, 0) > 0)
        fake_pump();
    smc_close(fake[1].c, 0);
    fake_pump();
    ck_assert_int_eq(fake_last(1).conn_flags, fake_kind == FAKE_D_NO_COPY ? C : A);
    fake_end();
}
END_TEST

START_TEST(the_peers_c_while_data_wait_is_answered_by_a)
{
    fake_begin((enum fake_kind)_i);
    while (fake_send(1, 20000, 0) > 0)
        fake_pump();
    struct fake_cdc w = fake_words(1, 0);
    w.conn_flags = C;
    fake_inject(1, &w);
    for (unsigned n = 0; n < 3; n++) {
        fake_work(&fake[1]);
        fake_complete(&fake[1], 0, FAKE_OPS);
    }
    bool waits = fake_kind != FAKE_D_NO_COPY;
    ck_assert_int_eq(fake[1].c->state, waits ? SMC_STATE_CLOSED : SMC_STATE_APPCLOSEWAIT1);
    if (waits)
        ck_assert_int_eq(fake_last(1).conn_flags, A); /* [CLOSE-006] */
    fake_end();
}
END_TEST

START_TEST(unread_data_abort_at_once_even_if_others_wait)
{
    fake_begin((enum fake_kind)_i);
    while (fake_send(1, 20000, 0) > 0)
        fake_pump();
    (void)fake_send(0, 10, 0);
    fake_pump();
    smc_close(fake[1].c, 0);
    fake_work(&fake[1]);
    ck_assert_uint_eq(fake_last(1).conn_flags, A); /* [CLOSE-002] */
    fake_end();
}
END_TEST

/* RST comes while no message can leave; the application sees it and closes. */
START_TEST(an_abort_that_is_still_to_be_said_stays_one)
{
    fake_begin((enum fake_kind)_i);
    while (fake_send(1, 20000, 0) > 0)
        fake_pump();
    smc_close_tcp_reset(fake[1].c);
    smc_close(fake[1].c, 0);
    fake_work(&fake[1]);
    ck_assert_uint_eq(fake_last(1).conn_flags, A); /* C would deny that data are lost [CLOSE-015] [CLOSE-018] */
    fake_end();
}
END_TEST

START_TEST(data_that_come_during_the_drain_are_unread)
{
    fake_begin((enum fake_kind)_i);
    while (fake_send(1, 20000, 0) > 0)
        fake_pump();
    smc_close(fake[1].c, 0);
    fake_pump();
    (void)fake_send(0, 10, 0);
    fake_pump();
    while (fake_recv(0, 5000) > 0)
        fake_pump();
    ck_assert_uint_eq(fake_last(1).conn_flags, A);
    fake_end();
}
END_TEST

START_TEST(close_and_shutdown_draw_the_cork)
{
    for (unsigned n = 0; n < 2; n++) {
        fake_begin((enum fake_kind)_i);
        ck_assert_int_eq(smc_set_option(fake[0].c, SMC_OPTION_CORK, 1, 0), 0);
        fake_pump();
        (void)fake_send(0, 100, SMC_MSG_MORE);
        fake_pump();
        ck_assert_uint_eq(fake[0].seen_count, 0);
        if (n == 0)
            smc_close(fake[0].c, 0);
        else
            ck_assert_int_eq(smc_shutdown(fake[0].c, SMC_SHUT_WR, 0), 0);
        fake_pump();
        ck_assert_int_eq(fake_recv(1, 1000), 100);
        ck_assert_int_eq(fake_recv(1, 1000), 0);
        fake_end();
    }
}
END_TEST

START_TEST(a_half_closed_connection_still_reads)
{
    fake_begin((enum fake_kind)_i);
    (void)fake_send(1, 100, 0);
    ck_assert_int_eq(smc_shutdown(fake[1].c, SMC_SHUT_WR, 0), 0);
    fake_pump();
    ck_assert_int_eq(fake_send(1, 1, 0), SMC_ERR_CLOSED);
    ck_assert_uint_ne(fake[0].events & SMC_EVENT_EOF, 0);
    ck_assert_int_eq(fake_recv(0, 1000), 100); /* data first [CLOSE-005] */
    ck_assert_int_eq(fake_recv(0, 1000), 0);
    ck_assert_int_eq(fake_send(0, 5000, 0), 5000);
    fake_pump();
    ck_assert_int_eq(fake_recv(1, 10000), 5000);
    ck_assert_uint_eq(fake[1].fins, fake_profile()->fin_with_done); /* */
    smc_close(fake[0].c, 0);
    fake_pump();
    ck_assert_int_eq(fake[0].c->state, SMC_STATE_PEERFINCLOSEWAIT);
    ck_assert_int_eq(fake[1].c->state, SMC_STATE_APPFINCLOSEWAIT);
    smc_close(fake[1].c, 0);
    fake_pump();
    ck_assert_int_eq(fake[0].c->state, SMC_STATE_CLOSED);
    ck_assert_int_eq(fake[1].c->state, SMC_STATE_CLOSED);
    fake_end();
}
END_TEST

START_TEST(both_may_close_or_abort_at_once)
{
    for (unsigned abort = 0; abort < 2; abort++) {
        fake_begin((enum fake_kind)_i);
        for (unsigned i = 0; i < 2; i++) {
            if (abort)
                smc_close_abort(fake[i].c, SMC_ERR_RESET);
            smc_close(fake[i].c, 0);
        }
        fake_work(&fake[0]);
        fake_work(&fake[1]);
        fake_pump();
        for (unsigned i = 0; i < 2; i++) {
            ck_assert_int_eq(fake[i].c->state, SMC_STATE_CLOSED);
            ck_assert_uint_eq(fake[i].seen_count, 1); /* [CLOSE-013] [CLOSE-019] */
            ck_assert_uint_eq(fake_last(i).conn_flags, abort ? A : C);
            ck_assert_uint_eq(fake[i].dooms, 1);
        }
        fake_end();
    }
}
END_TEST

START_TEST(fin_and_the_end_wait_for_the_completion_of_the_last_word)
{
    fake_begin((enum fake_kind)_i);
    struct fake_cdc w = fake_words(0, 0);
    w.conn_flags = C;
    fake_inject(0, &w);
    smc_close(fake[0].c, 0);
    fake_work(&fake[0]);
    ck_assert_int_eq(fake[0].c->state, SMC_STATE_CLOSED);
    ck_assert_uint_eq(fake[0].dooms, 0);
    ck_assert_uint_eq(fake[0].detached, 0); /* B-11, B-45 */
    ck_assert_uint_eq(fake[0].fins, 0);
    fake_deliver(&fake[0], 0, 1);
    fake_complete(&fake[0], 0, 1);
    fake_work(&fake[0]);
    ck_assert_uint_eq(fake[0].dooms, 1);
    ck_assert_uint_eq(fake[0].fins, 1);
    fake_end();
}
END_TEST

START_TEST(an_rmb_whose_peer_was_never_heard_is_marked)
{
    fake_begin((enum fake_kind)_i);
    run("cg");
    ck_assert_int_eq(fake[0].c->state, SMC_STATE_CLOSED);
    ck_assert(fake[0].c->peer_silent); /* [CLOSE-020] */
    ck_assert_uint_eq(fake[0].fins, 1);
    ck_assert_uint_eq(fake[0].aborts, 1); /* [CLOSE-014] */
    fake_end();
}
END_TEST

START_TEST(an_element_that_a_handshake_has_offered_is_marked_when_that_ends) /* [CLOSE-020] */
{
    for (unsigned offered = 0; offered < 2; offered++)
        for (unsigned abort = 0; abort < 2; abort++) {
            fake_begin((enum fake_kind)_i);
            struct smc_connection *c = fake[0].c;
            c->started = false;
            c->mode = SMC_MODE_NONE;
            c->state = SMC_STATE_INIT;
            c->offered = offered;
            if (abort)
                smc_close_abort(c, SMC_ERR_RESET);
            else
                smc_close(c, 0);
            ck_assert_uint_eq(c->peer_silent, offered);
            ck_assert_uint_eq(fake[0].detached, 1);
            fake_end();
        }
}
END_TEST

START_TEST(c_is_sent_without_a_send_buffer)
{
    fake_begin((enum fake_kind)_i);
    fake[0].buffer_error = SMC_ERR_NOMEM;
    ck_assert_int_eq(fake_send(0, 10, 0), SMC_ERR_NOMEM);
    run("c");
    ck_assert_uint_eq(fake_last(0).conn_flags, C); /* B-22 [CLOSE-027] */
    fake_end();
}
END_TEST

START_TEST(before_and_beside_smc_close_only_forgets)
{
    for (unsigned mode = 0; mode < 2; mode++) {
        fake_begin(FAKE_R_RFC);
        struct smc_connection *c = fake[0].c;
        c->started = false;
        c->mode = mode ? SMC_MODE_TCP : SMC_MODE_NONE;
        c->state = SMC_STATE_INIT;
        smc_close(c, 0);
        smc_close(c, 0);
        ck_assert_int_eq(c->state, SMC_STATE_CLOSED);
        ck_assert_uint_eq(fake[0].closed_events, 1);
        ck_assert_uint_eq(fake[0].dooms, 1);
        ck_assert_uint_eq(fake[0].fins + fake[0].aborts, 0); /* TCP is the host's */
        ck_assert_uint_eq(fake[0].detached, 1);
        fake_end();
    }
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
    fake_begin(FAKE_R_LINUX);
    struct smc_connection *c = fake[0].c;
    ck_assert_int_eq(smc_shutdown(c, (enum smc_how)7, 0), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(smc_shutdown(c, SMC_SHUT_RD, 0), 0);
    ck_assert_int_eq(fake_recv(0, 10), 0);
    run("c");
    ck_assert_int_eq(smc_shutdown(c, SMC_SHUT_WR, 0), SMC_ERR_STATE);
    ck_assert_int_eq(fake_send(0, 10, 0), SMC_ERR_CLOSED);
    ck_assert_int_eq(fake_recv(0, 10), SMC_ERR_STATE);
    fake_end();
}
END_TEST

static Suite *close_suite(void)
{
    Suite *suite = suite_create("close");
    TCase *tests = tcase_create("close");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, every_row_of_the_table, 0, ROWS * KINDS);
    tcase_add_loop_test(tests, a_group_that_ends_ends_its_connections_in_every_state, 0, ROWS * KINDS);
    tcase_add_loop_test(tests, close_waits_for_what_was_sent, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, a_drain_that_takes_too_long_ends_in_an_abort, 0, FAKE_D_NO_COPY);
    tcase_add_loop_test(tests, linger_of_nought_closes_at_once, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, the_peers_c_while_data_wait_is_answered_by_a, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, unread_data_abort_at_once_even_if_others_wait, 0, FAKE_D_NO_COPY);
    tcase_add_loop_test(tests, an_abort_that_is_still_to_be_said_stays_one, 0, FAKE_D_NO_COPY);
    tcase_add_loop_test(tests, data_that_come_during_the_drain_are_unread, 0, FAKE_D_NO_COPY);
    tcase_add_loop_test(tests, close_and_shutdown_draw_the_cork, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, a_half_closed_connection_still_reads, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, both_may_close_or_abort_at_once, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, fin_and_the_end_wait_for_the_completion_of_the_last_word, 0, FAKE_D_RFC);
    tcase_add_test(tests, an_rmb_whose_peer_was_never_heard_is_marked);
    tcase_add_test(tests, an_element_that_a_handshake_has_offered_is_marked_when_that_ends);
    tcase_add_loop_test(tests, c_is_sent_without_a_send_buffer, 0, FAKE_D_NO_COPY);
    tcase_add_test(tests, before_and_beside_smc_close_only_forgets);
    tcase_add_test(tests, what_makes_no_sense_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(close_suite)

/* The handshake against peers that break the rules: wrong, broken, oversized and mutated messages; the historic bugs of CLC.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "handshake_fake_test.h"

#include "wire/mutate.h"

#define PROFILE(i) ((i) % 2 == 0 ? &smc_profile_linux : &smc_profile_rfc)
#define KIND(i) (&fake_kinds[(i) / 2])
enum { STEPS = 3, PROPOSAL = 0, ACCEPT, CONFIRM };

/* A handshake whose next message, of this step, has arrived and is not yet read. Returns who reads it. */
static struct fake_end *at_step(const struct fake_kind *kind, const struct smc_profile *profile, unsigned step, bool again)
{
    fake_up(kind, profile);
    if (again) { /* subsequent contact */
        fake_connect(1);
        fake_pump();
    }
    fake_connect(0);
    if (step >= ACCEPT)
        ck_assert(fake_feed(&fake_ends[0][SERVER]));
    if (step >= CONFIRM)
        ck_assert(fake_feed(&fake_ends[0][CLIENT]));
    struct fake_end *e = &fake_ends[0][step == ACCEPT ? CLIENT : SERVER];
    NEED(e->in_length > 0, "no message");
    return e;
}

static void put(struct fake_end *e, const void *bytes, size_t length)
{
    memcpy(e->in, bytes, length);
    e->in_length = length;
}

static void is_broken(const struct fake_end *e, int error)
{
    NEED(e->c->hs == NULL && e->c->group == NULL, "it goes on");
    NEED(e->c->error == error && e->events == SMC_EVENT_ERROR, "error %d events %x", e->c->error, e->events);
    NEED(e->aborts == 1, "%u RSTs", e->aborts);
}

static void is_tcp(const struct fake_end *e, uint32_t reason)
{
    NEED(e->c->hs == NULL && e->c->group == NULL && e->c->mode == SMC_MODE_TCP, "mode %u", e->c->mode);
    NEED(e->c->fallback == reason && e->events == SMC_EVENT_CONNECTED && e->aborts == 0, "%x", (unsigned)e->c->fallback);
}

static bool has_sent(unsigned side, const char *what)
{
    return strstr(fake[side].log, what) != NULL;
}

/* ---- Messages that cannot be parsed, or are not due --------------------------------------------- */
START_TEST(a_wrong_type_terminates) /* [CLC-007] */
{
    for (unsigned step = 0; step < STEPS; step++) {
        for (unsigned other = 0; other < STEPS; other++) {
            if (other == step)
                continue;
            uint8_t bytes[1024];
            struct fake_end *e = at_step(KIND(_i), PROFILE(_i), other, false);
            size_t length = e->in_length;
            memcpy(bytes, e->in, length);
            fake_down();
            e = at_step(KIND(_i), PROFILE(_i), step, false);
            put(e, bytes, length);
            (void)fake_feed(e);
            is_broken(e, SMC_ERR_PROTOCOL);
            fake_down();
        }
    }
}
END_TEST

START_TEST(a_broken_head_terminates_at_once) /* [CLC-001] [CLC-004] [CLC-007] [CLC-008] */
{
    static const struct { unsigned at; uint8_t value; size_t needs; } bad[] = {
        {0, 0xe3, 1}, {1, 0, 2}, {2, 0xc4, 3}, {3, 0xc3, 4}, {4, 0, 8}, {4, 5, 8}, {4, 255, 8}, {7, 0, 8}, {6, 0, 8},
    };
    for (unsigned step = 0; step < STEPS; step++) {
        for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            struct fake_end *e = at_step(KIND(_i), PROFILE(_i), step, false);
            e->in[bad[i].at] = bad[i].value;
            if (bad[i].at == 6)
                e->in[5] = 0;
            e->in_length = bad[i].needs; /* no more is waited for */
            (void)fake_feed(e);
            is_broken(e, SMC_ERR_PROTOCOL);
            ck_assert(!has_sent(e->side, "send:4"));
            fake_down();
        }
    }
}
END_TEST

START_TEST(a_broken_trailer_terminates)
{
    for (unsigned step = 0; step < STEPS; step++) {
        for (unsigned byte = 1; byte <= 4; byte++) {
            struct fake_end *e = at_step(KIND(_i), PROFILE(_i), step, false);
            e->in[e->in_length - byte] ^= 0x40;
            (void)fake_feed(e);
            is_broken(e, SMC_ERR_PROTOCOL);
            fake_down();
        }
    }
}
END_TEST

START_TEST(tcps_end_is_the_end) /* §1.9 */
{
    for (unsigned step = 0; step < STEPS; step++) {
        for (unsigned reset = 0; reset < 2; reset++) {
            struct fake_end *e = at_step(KIND(_i), PROFILE(_i), step, false);
            e->in_length -= 1;
            (void)fake_feed(e);
            if (reset)
                smc_tcp_reset(e->c, fake_now);
            else
                smc_tcp_eof(e->c, fake_now);
            NEED(e->c->error == SMC_ERR_RESET && e->aborts == !reset && e->c->hs == NULL, "error %d", e->c->error);
            fake_down();
        }
    }
}
END_TEST

START_TEST(a_message_too_long_to_keep_passes_by) /* B-04 [CLC-013] */
{
    static uint8_t bytes[65535];
    for (unsigned end = 0; end < 3; end++) { /* FIN, RST, or all of it */
        struct fake_end *e = at_step(KIND(_i), PROFILE(_i), PROPOSAL, false);
        memcpy(bytes, e->in, e->in_length);
        bytes[5] = bytes[6] = 0xff;
        size_t used = smc_tcp_input(e->c, bytes, 700, fake_now);
        ck_assert_uint_eq(used, 700);
        for (used = 700; used + 1000 < 65535; used += 1000)
            ck_assert_uint_eq(smc_tcp_input(e->c, bytes + used, 1000, fake_now), 1000);
        ck_assert_ptr_nonnull(e->c->hs);
        if (end == 0)
            smc_tcp_eof(e->c, fake_now);
        else if (end == 1)
            smc_tcp_reset(e->c, fake_now);
        else
            (void)smc_tcp_input(e->c, bytes + used, 65535 - used, fake_now);
        ck_assert_int_eq(e->c->error, end == 2 ? SMC_ERR_PROTOCOL : SMC_ERR_RESET);
        fake_down();
    }
    struct fake_end *e = at_step(KIND(_i), PROFILE(_i), PROPOSAL, false);
    bytes[5] = bytes[6] = 0xff;
    ck_assert_uint_eq(smc_tcp_input(e->c, bytes, 700, fake_now), 700);
    fake_run(6 * SECOND); /* and if nothing comes any more, the timer ends it */
    is_broken(e, SMC_ERR_TIMEOUT);
    fake_down();
}
END_TEST

/* ---- Proposals ---------------------------------------------------------------------------------- */
static void proposal_with(const struct fake_kind *kind, size_t at, size_t size, uint64_t value, bool may_decline)
{
    struct fake_end *e = at_step(kind, &smc_profile_linux, PROPOSAL, false);
    smc_store_be(e->in + at, (unsigned)size, value);
    (void)fake_feed(e);
    if (!may_decline || e->c->mode != SMC_MODE_TCP)
        is_broken(e, SMC_ERR_PROTOCOL);
    fake_down();
}

START_TEST(counts_and_offsets_of_a_proposal_are_not_believed) /* B-01, B-02, B-03 */
{
    static const uint64_t offsets[] = {1, 39, 41, 0x7fff, 0xfff0, 0xffff};
    const struct fake_kind *all = &fake_kinds[KIND_ALL], *r1 = &fake_kinds[KIND_R1];
    for (unsigned i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        proposal_with(all, 38, 2, offsets[i], false); /* IP area [CLC-016] */
        proposal_with(r1, 38, 2, offsets[i], false);
        proposal_with(all, 50, 2, offsets[i], false); /* v2 extension [CLC-026] */
        proposal_with(all, 94, 2, offsets[i], false); /* SMC-Dv2 extension [CLC-027] */
    }
    for (unsigned count = 0; count < 256; count++) {
        if (count != 0)
            proposal_with(all, 87, 1, count, false); /* IPv6 prefixes [CLC-018] */
        if (count != 1)
            proposal_with(all, 88, 1, count, false); /* UEIDs [CLC-024] */
        if (count != 2)
            proposal_with(all, 89, 1, count, false); /* GIDs [CLC-025] */
    }
}
END_TEST

START_TEST(lengths_of_a_proposal_must_be_exact) /* [CLC-023] */
{
    for (unsigned kind = 0; kind < FAKE_KINDS; kind++) {
        for (int by = -4; by <= 4; by++) {
            if (by == 0)
                continue;
            struct fake_end *e = at_step(&fake_kinds[kind], &smc_profile_linux, PROPOSAL, false);
            size_t length = (size_t)((int)e->in_length + by);
            smc_store_be(e->in + 5, 2, length);
            memcpy(e->in + length - 4, smc_eyecatcher_r, 4);
            e->in_length = length;
            (void)fake_feed(e);
            is_broken(e, SMC_ERR_PROTOCOL);
            fake_down();
        }
    }
}
END_TEST

START_TEST(reserved_bits_change_nothing) /* [CLC-003] */
{
    struct fake_end *e = at_step(&fake_kinds[KIND_ALL], &smc_profile_linux, PROPOSAL, false);
    memset(e->in + 60, 0xff, 20);  /* locator area */
    memset(e->in + 85, 0xff, 2);   /* IP area */
    e->in[90] = 0xff;              /* v2 extension */
    e->in[91] |= 0x0e;
    memset(e->in + 92, 0xff, 2);
    memset(e->in + 88 + 28, 0xff, 12);
    memset(e->in + 160 + 32, 0xff, 16); /* SMC-Dv2 extension */
    fake_pump();
    ck_assert_uint_eq(e->c->mode, SMC_MODE_D);
    fake_down();
    e = at_step(&fake_kinds[KIND_R1], &smc_profile_linux, ACCEPT, false);
    e->in[7] |= 4;
    e->in[51] = e->in[60] = 0xff;
    fake_pump();
    ck_assert_uint_eq(e->c->mode, SMC_MODE_R);
    fake_down();
}
END_TEST

START_TEST(an_unreachable_gid_leaves_nothing_behind) /* B-30 */
{
    for (unsigned who = 0; who < 2; who++) {
        fake_up(&fake_kinds[KIND_R2], PROFILE(_i));
        fake[who].route_error = SMC_ERR_UNREACHABLE;
        fake_connect(0);
        fake_pump();
        is_tcp(&fake_ends[0][who], SMC_DIAG_NOROUTE);
        ck_assert_uint_eq(fake[0].groups + fake[1].groups, 0);
        fake_down();
    }
}
END_TEST

/* ---- Accepts ------------------------------------------------------------------------------------ */
static void accept_with(const struct fake_kind *kind, bool again, size_t at, size_t size, uint64_t value, uint32_t code)
{
    struct fake_end *e = at_step(kind, &smc_profile_linux, ACCEPT, again);
    smc_store_be(e->in + at, (unsigned)size, value);
    fake_pump();
    if (code == 0)
        NEED(e->c->mode == kind->mode, "byte %zu: %x", at, (unsigned)e->c->fallback);
    else
        is_tcp(e, code);
    fake_down();
}

START_TEST(bad_values_of_an_accept_are_declined_not_broken) /* [CLC-009] */
{
    const struct fake_kind *r1 = &fake_kinds[KIND_R1], *r2 = &fake_kinds[KIND_R2], *d2 = &fake_kinds[KIND_D2], *d1 = &fake_kinds[KIND_D1];
    for (unsigned mtu = 0; mtu < 16; mtu++) {
        accept_with(r1, false, 50, 1, 0x20 | mtu, mtu >= 1 && mtu <= 5 ? 0 : SMC_DIAG_CNFERR);
        accept_with(r1, true, 50, 1, 0x20 | mtu, 0); /* [CLC-036] */
    }
    accept_with(r1, false, 45, 1, 0, SMC_DIAG_CNFERR); /* RMBE index [CLC-037] */
    accept_with(r1, false, 45, 1, 255, 0);
    accept_with(r1, false, 45, 6, UINT64_C(0xff00000001f3), SMC_DIAG_CNFERR); /* 255 elements of 512 MiB [CLC-038] */
    accept_with(r2, false, 64, 1, 'X', SMC_DIAG_NOSMCDEV); /* EID [CLC-061] */
    accept_with(r2, false, 105, 1, 0x22, SMC_DIAG_RELEASEERR);
    accept_with(r2, false, 140, 1, 15, SMC_DIAG_MAXCONNERR); /* [CLC-066] */
    accept_with(r2, false, 141, 1, 3, SMC_DIAG_MAXLINKERR); /* [CLC-067] */
    accept_with(r2, false, 142, 2, 0xffff, 0);              /* features [CLC-069] */
    accept_with(r2, false, 104, 1, 0, SMC_DIAG_NOINDIRECT);
    accept_with(d1, false, 24, 1, 255, SMC_DIAG_CNFERR);    /* DMBE index [SMCD-009] */
    accept_with(d1, false, 25, 1, 0xf0, SMC_DIAG_CNFERR);   /* 512 MiB */
    accept_with(d2, false, 32, 2, 0, SMC_DIAG_NOSMCD2DEV);  /* CHID, B-39 [CLC-078] */
    accept_with(d2, false, 32, 2, 0x7c0, SMC_DIAG_NOSMCD2DEV);
    accept_with(d2, false, 32, 2, 0xfffe, SMC_DIAG_NOSMCD2DEV);
    accept_with(d2, false, 8, 8, 0, SMC_DIAG_NOSMCD2DEV);   /* a GID that cannot be reached [SMCD-025] */
}
END_TEST

START_TEST(a_mode_that_was_not_offered_is_declined) /* [CLC-076] */
{
    for (unsigned proposed = 0; proposed < FAKE_KINDS; proposed++) {
        for (unsigned accepted = 0; accepted < FAKE_KINDS; accepted++) {
            const struct fake_kind *p = &fake_kinds[proposed], *a = &fake_kinds[accepted];
            uint8_t bytes[1024];
            bool offered = a->mode == SMC_MODE_R ? p->r && (a->version == 2 ? p->v2 : p->v1) : p->d && (a->version == 2 ? p->v2 : p->v1);
            if (offered)
                continue;
            struct fake_end *e = at_step(a, &smc_profile_linux, ACCEPT, false);
            size_t length = e->in_length;
            memcpy(bytes, e->in, length);
            fake_down();
            e = at_step(p, &smc_profile_linux, ACCEPT, false);
            put(e, bytes, length);
            fake_pump();
            bool version = a->version == 2 ? p->v2 : p->v1;
            is_tcp(e, version ? SMC_DIAG_MODEUNSUPP : SMC_DIAG_VERSMISMAT);
            fake_down();
        }
    }
}
END_TEST

/* ---- Confirms: Decline on first contact of SMC-R, else RST [CLC-048] ------------------------------ */
static void confirm_with(const struct fake_kind *kind, bool again, size_t at, size_t size, uint64_t value, uint32_t code)
{
    struct fake_end *e = at_step(kind, &smc_profile_linux, CONFIRM, again), *client = &fake_ends[0][CLIENT];
    fake[CLIENT].llc_by_hand = true;
    smc_store_be(e->in + at, (unsigned)size, value);
    ck_assert(fake_feed(e));
    if (code == 0) {
        NEED(e->c->hs == NULL || e->c->hs->state == SMC_HS_LLC, "byte %zu", at);
    } else if (kind->mode == SMC_MODE_D || again) {
        is_broken(e, SMC_ERR_PROTOCOL);
        ck_assert(!has_sent(SERVER, "send:4"));
    } else {
        ck_assert_uint_eq(client->in[4], 4);
        fake_pump();
        is_tcp(client, SMC_DIAG_PEERDECL);
        fake_run(SECOND);
        is_tcp(e, code);
    }
    fake_down();
}

START_TEST(a_confirm_must_repeat_what_was_agreed)
{
    const struct fake_kind *r1 = &fake_kinds[KIND_R1], *r2 = &fake_kinds[KIND_R2], *d2 = &fake_kinds[KIND_D2], *d1 = &fake_kinds[KIND_D1];
    confirm_with(r1, false, 50, 1, 0x23, 0);
    confirm_with(r1, false, 50, 1, 0x26, SMC_DIAG_CNFERR);
    confirm_with(r1, false, 45, 1, 0, SMC_DIAG_CNFERR);
    confirm_with(r1, true, 45, 1, 0, SMC_DIAG_CNFERR);
    confirm_with(r1, true, 38, 3, 0xabcdef, SMC_DIAG_NOSRVLINK); /* no link of the group [CLC-040] */
    confirm_with(r1, true, 31, 1, 0x99, SMC_DIAG_NOSRVLINK);
    confirm_with(r2, false, 64, 1, 'X', SMC_DIAG_NOSMCDEV);
    confirm_with(r2, false, 105, 1, 0x20, SMC_DIAG_RELEASEERR); /* [CLC-065] */
    confirm_with(r2, false, 140, 1, 254, SMC_DIAG_MAXCONNERR);  /* [CLC-068] */
    confirm_with(r2, false, 141, 1, 1, SMC_DIAG_MAXLINKERR);
    confirm_with(d1, false, 25, 1, 0xf0, SMC_DIAG_CNFERR);
    confirm_with(d1, false, 8, 8, 77, SMC_DIAG_CNFERR); /* another peer than the DMB is for [SMCD-011] */
    confirm_with(d2, false, 66, 8, 77, SMC_DIAG_CNFERR);
    confirm_with(d2, true, 66, 8, 77, SMC_DIAG_CNFERR);
    confirm_with(d2, false, 75, 1, 0x20, SMC_DIAG_RELEASEERR);
}
END_TEST

START_TEST(a_confirm_may_name_another_link_of_the_group) /* [CLC-040] */
{
    for (unsigned known = 0; known < 2; known++) {
        struct fake_end *e = at_step(&fake_kinds[KIND_R1], PROFILE(_i), CONFIRM, true);
        struct smc_group *g = e->c->group;
        struct smc_link *other = calloc(1, sizeof(*other));
        *other = *g->links[0];
        other->slot = 1;
        other->peer_qpn = 0x4711;
        g->links[1] = other;
        g->rtoken_rows = 200;
        g->rtokens = smc_alloc_zeroed(&fake_alloc, 200 * 3, sizeof(*g->rtokens));
        uint32_t row = (uint32_t)smc_load_be(e->in + 41, 4) % 200;
        g->rtokens[row * 3].valid = known;
        smc_store_be(e->in + 38, 3, 0x4711);
        ck_assert(fake_feed(e));
        if (known) /* its RMB was announced on all links by CONFIRM RKEY */
            ck_assert_uint_eq(e->c->mode, SMC_MODE_R);
        else
            is_broken(e, SMC_ERR_PROTOCOL);
        fake_down();
    }
}
END_TEST

/* ---- Declines ----------------------------------------------------------------------------------- */
static size_t decline(uint8_t *bytes, uint8_t version, uint8_t low_bits, uint32_t diagnosis)
{
    struct smc_clc_decline_info info = {.version = version, .diagnosis = diagnosis};
    size_t length = smc_clc_encode_decline(&info, bytes, 64);
    bytes[7] |= low_bits;
    return length;
}

START_TEST(a_decline_falls_back_at_every_step_whatever_its_bits) /* B-05, B-21 [CLC-045] [CLC-046] [CLC-054] */
{
    static const uint32_t codes[] = {0, 0x03030000, 0xffffffff, 0x04000000};
    for (unsigned step = 0; step < STEPS; step++) {
        for (uint8_t bits = 0; bits < 16; bits++) {
            for (uint8_t version = 1; version <= 3; version++) {
                uint8_t bytes[64];
                struct fake_end *e = at_step(KIND(_i), PROFILE(_i), step, false);
                put(e, bytes, decline(bytes, version, bits, codes[bits % 4]));
                (void)fake_feed(e);
                is_tcp(e, SMC_DIAG_PEERDECL);
                ck_assert_uint_eq(e->c->peer_diagnosis, codes[bits % 4]);
                ck_assert(!has_sent(e->side, "send:4")); /* no answer */
                ck_assert_uint_eq(fake[e->side].groups, 0);
                fake_down();
            }
        }
    }
}
END_TEST

START_TEST(a_decline_of_the_wrong_length_terminates) /* [CLC-043] [CLC-044] */
{
    for (unsigned length = 0; length < 64; length++) {
        for (uint8_t version = 1; version <= 2; version++) {
            uint8_t bytes[64] = {0};
            if (length == (version == 1 ? 28u : 44u))
                continue;
            struct fake_end *e = at_step(&fake_kinds[KIND_ALL], PROFILE(_i), ACCEPT, false);
            (void)decline(bytes, version, 0, 1);
            smc_store_be(bytes + 5, 2, length);
            put(e, bytes, sizeof(bytes));
            (void)fake_feed(e);
            is_broken(e, SMC_ERR_PROTOCOL);
            fake_down();
        }
    }
}
END_TEST

START_TEST(out_of_sync_drops_the_group_that_was_meant) /* [CLC-052] */
{
    uint8_t bytes[64];
    for (unsigned s = 0; s < 2; s++) {
        struct fake_end *e = at_step(KIND(_i), PROFILE(_i), CONFIRM, true);
        put(e, bytes, decline(bytes, 2, s ? 8 : 0, SMC_DIAG_SYNCERR));
        (void)fake_feed(e);
        is_tcp(e, SMC_DIAG_PEERDECL);
        ck_assert_uint_eq(fake[SERVER].groups, s ? 0 : 1);
        ck_assert_int_eq(fake_ends[1][SERVER].c->error, s ? SMC_ERR_RESET : 0);
        fake_down();
    }
}
END_TEST

START_TEST(a_decline_ends_a_first_contact_in_llc) /* lenient in receiving: C.3 */
{
    uint8_t bytes[64];
    for (unsigned side = 0; side < 2; side++) {
        fake_up(&fake_kinds[KIND_R1], PROFILE(_i));
        fake[0].llc_by_hand = fake[1].llc_by_hand = true;
        fake_connect(0);
        fake_pump();
        struct fake_end *e = &fake_ends[0][side];
        put(e, bytes, decline(bytes, 1, 0, 7));
        memcpy(e->in + e->in_length, "data", 4);
        e->in_length += 4;
        (void)fake_feed(e);
        is_tcp(e, SMC_DIAG_PEERDECL);
        ck_assert_mem_eq(e->in, "data", 4);
        ck_assert_ptr_null(fake[side].llc);
        fake_down();
    }
}
END_TEST

START_TEST(a_decline_ends_every_kind_of_waiting)
{
    uint8_t bytes[64];
    fake_up(&fake_kinds[KIND_R2], PROFILE(_i)); /* for a route */
    fake[SERVER].route_waits = 50;
    fake_connect(0);
    fake_pump();
    ck_assert_uint_eq(fake_ends[0][SERVER].c->hs->state, SMC_HS_ROUTE);
    put(&fake_ends[0][SERVER], bytes, decline(bytes, 2, 0, 1));
    fake_pump();
    is_tcp(&fake_ends[0][SERVER], SMC_DIAG_PEERDECL);
    fake_down();
    struct fake_end *e = at_step(&fake_kinds[KIND_R2], PROFILE(_i), PROPOSAL, true); /* for CONFIRM RKEY */
    fake[SERVER].needs_confirm = fake[SERVER].rkey_waits = true;
    fake_pump();
    ck_assert_uint_eq(e->c->hs->state, SMC_HS_RKEY);
    put(e, bytes, decline(bytes, 2, 0, 1));
    fake_pump();
    is_tcp(e, SMC_DIAG_PEERDECL);
    ck_assert_ptr_null(fake[SERVER].rkey);
    fake_down();
    fake_up(&fake_kinds[KIND_R1], PROFILE(_i)); /* for another's first contact */
    fake[0].llc_by_hand = fake[1].llc_by_hand = true;
    fake_connect(0);
    fake_pump();
    fake_connect(1);
    fake_pump();
    e = &fake_ends[1][SERVER];
    ck_assert_uint_eq(e->c->hs->state, SMC_HS_PENDING);
    put(e, bytes, decline(bytes, 2, 0, 1));
    fake_pump();
    is_tcp(e, SMC_DIAG_PEERDECL);
    ck_assert(smc_list_empty(&fake[SERVER].ep.pending_server));
    fake_down();
}
END_TEST

START_TEST(a_message_while_nothing_is_due_terminates)
{
    fake_up(&fake_kinds[KIND_R2], PROFILE(_i));
    fake[SERVER].route_waits = 50;
    fake_connect(0);
    uint8_t bytes[1024];
    size_t length = fake_ends[0][SERVER].in_length;
    memcpy(bytes, fake_ends[0][SERVER].in, length);
    fake_pump();
    put(&fake_ends[0][SERVER], bytes, length); /* the Proposal once more */
    fake_pump();
    is_broken(&fake_ends[0][SERVER], SMC_ERR_PROTOCOL);
    fake_down();
}
END_TEST

/* ---- Anything ----------------------------------------------------------------------------------- */
/* Whatever came: it is over, or goes on as a handshake may; and the mode is one that both ends could have. */
static void is_sane(const struct fake_end *e)
{
    const struct smc_connection *c = e->c;
    if (c->hs != NULL) {
        NEED(e->events == 0 && c->mode == SMC_MODE_NONE && c->error == 0, "events in a handshake");
        return;
    }
    NEED((e->events == SMC_EVENT_CONNECTED) == (c->error == 0), "events %x error %d", e->events, c->error);
    NEED(c->error != 0 || c->mode != SMC_MODE_NONE, "connected to nothing");
    NEED((c->group != NULL) == (c->mode == SMC_MODE_R || c->mode == SMC_MODE_D), "a group in mode %u", c->mode);
    if (c->mode == SMC_MODE_R)
        NEED(c->peer_rmbe_index >= 1 && c->peer_rmbe_offset <= INT32_MAX && c->peer_row >= 0, "the peer's element");
    if (c->mode == SMC_MODE_D)
        NEED(c->peer_rmbe_index < 16 && c->peer_rmbe_bytes <= 1u << 20, "the peer's element");
}

/* LLC's timers are no part of this test: a first contact whose peer is gone ends by them. */
static void llc_loses_patience(void)
{
    for (unsigned s = 0; s < 2; s++) {
        struct smc_connection *c = fake[s].llc;
        fake[s].llc = NULL;
        if (c != NULL)
            smc_hs_llc_failed(c, SMC_ERR_TIMEOUT, SMC_DIAG_TIMEOUT_CL);
    }
    fake_run(3 * SECOND);
}

enum { ROUNDS = 300 };
START_TEST(mutated_messages_never_break_more_than_themselves)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned step = 0; step < STEPS; step++) {
            struct fake_end *e = at_step(KIND(_i), PROFILE(_i), step, round % 2 != 0);
            uint64_t seed = (uint64_t)_i * 1000003 + round * 31 + step;
            for (unsigned n = 0; n <= round % 3; n++)
                e->in_length = smc_mutate(e->in, e->in_length, 2048, seed + n * 7919);
            if (round % 5 == 0) { /* in pieces */
                uint8_t bytes[2048];
                size_t length = e->in_length, have = 0, from = 0;
                memcpy(bytes, e->in, length);
                e->in_length = 0;
                while (have < length && e->c->hs != NULL) {
                    have += 1 + have % 7;
                    have = have < length ? have : length;
                    from += smc_tcp_input(e->c, bytes + from, have - from, fake_now);
                }
            }
            fake_pump();
            is_sane(&fake_ends[0][0]);
            is_sane(&fake_ends[0][1]);
            fake_run(30 * SECOND);
            llc_loses_patience();
            for (unsigned s = 0; s < 2; s++)
                NEED(fake_ends[0][s].c->hs == NULL, "it waits for ever");
            is_sane(&fake_ends[0][0]);
            is_sane(&fake_ends[0][1]);
            fake_down();
        }
    }
}
END_TEST

START_TEST(no_prefix_of_a_handshake_hangs)
{
    for (unsigned step = 0; step < STEPS; step++) {
        struct fake_end *e = at_step(KIND(_i), PROFILE(_i), step, false);
        size_t whole = e->in_length;
        fake_down();
        for (size_t length = 0; length < whole; length++) {
            e = at_step(KIND(_i), PROFILE(_i), step, false);
            e->in_length = length;
            fake_pump();
            ck_assert_ptr_nonnull(e->c->hs);
            fake_run(6 * SECOND);
            is_broken(e, SMC_ERR_TIMEOUT);
            fake_down();
        }
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("handshake_hostile");
    TCase *t = tcase_create("hostile");
    tcase_set_timeout(t, 120);
#define KINDS_TIMES_PROFILES(test) tcase_add_loop_test(t, test, 0, 2 * FAKE_KINDS)
#define PROFILES(test) tcase_add_loop_test(t, test, 0, 2)
    KINDS_TIMES_PROFILES(a_wrong_type_terminates);
    KINDS_TIMES_PROFILES(a_broken_head_terminates_at_once);
    KINDS_TIMES_PROFILES(a_broken_trailer_terminates);
    KINDS_TIMES_PROFILES(tcps_end_is_the_end);
    KINDS_TIMES_PROFILES(a_message_too_long_to_keep_passes_by);
    tcase_add_test(t, counts_and_offsets_of_a_proposal_are_not_believed);
    tcase_add_test(t, lengths_of_a_proposal_must_be_exact);
    tcase_add_test(t, reserved_bits_change_nothing);
    PROFILES(an_unreachable_gid_leaves_nothing_behind);
    tcase_add_test(t, bad_values_of_an_accept_are_declined_not_broken);
    tcase_add_test(t, a_mode_that_was_not_offered_is_declined);
    tcase_add_test(t, a_confirm_must_repeat_what_was_agreed);
    PROFILES(a_confirm_may_name_another_link_of_the_group);
    KINDS_TIMES_PROFILES(a_decline_falls_back_at_every_step_whatever_its_bits);
    PROFILES(a_decline_of_the_wrong_length_terminates);
    KINDS_TIMES_PROFILES(out_of_sync_drops_the_group_that_was_meant);
    PROFILES(a_decline_ends_a_first_contact_in_llc);
    PROFILES(a_decline_ends_every_kind_of_waiting);
    PROFILES(a_message_while_nothing_is_due_terminates);
    KINDS_TIMES_PROFILES(mutated_messages_never_break_more_than_themselves);
    KINDS_TIMES_PROFILES(no_prefix_of_a_handshake_hangs);
    suite_add_tcase(s, t);
    return s;
}
CHECK_MAIN(make_suite)

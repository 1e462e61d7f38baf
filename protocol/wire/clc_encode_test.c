/* Tests of the CLC encoders: the computed examples come back byte by byte, random messages field by field.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire_test.h"

#include "wire/clc.h"

enum { ROUNDS = 3000, BIG = 8192 };

/* Decodes and encodes; the result must be the same bytes, and one byte less of room must be refused. */
static size_t encode_again(const struct smc_parsed *m, uint8_t *buf, size_t cap)
{
    struct smc_clc_proposal_info proposal;
    struct smc_clc_accept_info accept;
    struct smc_clc_decline_info decline;
    if (smc_clc_decode_proposal(m, &proposal))
        return smc_clc_encode_proposal(&proposal, buf, cap);
    if (smc_clc_decode_accept(m, &accept))
        return smc_clc_encode_accept(&accept, buf, cap);
    ck_assert(smc_clc_decode_decline(m, &decline));
    return smc_clc_encode_decline(&decline, buf, cap);
}

static void check_identity(const uint8_t *bytes, size_t n, const char *name)
{
    uint8_t *again = exactly(bytes, n);
    struct smc_parsed m;
    struct smc_reject why = {0};
    ck_assert_msg(smc_clc_parse(smc_view_of(bytes, n), &m, &why), "%s: %s %s", name, why.rule,
                  why.what);
    memset(again, 0xa5, n);
    ck_assert_uint_eq(encode_again(&m, again, n - 1), 0);
    ck_assert_uint_eq(encode_again(&m, again, n), n);
    ck_assert_msg(memcmp(bytes, again, n) == 0, "%s", name);
    free(again);
}

START_TEST(every_example_is_encoded_as_it_was)
{
    for (unsigned i = 0; i < NVECTORS; i++)
        if (strncmp(vectors[i].grammar, "clc_", 4) == 0)
            check_identity(vectors[i].bytes, vectors[i].size, vectors[i].name);
}
END_TEST

static struct smc_clc_proposal_info random_proposal(uint64_t *seed)
{
    static const uint8_t modes[] = {SMC_MODES_R, SMC_MODES_D, SMC_MODES_NONE, SMC_MODES_BOTH};
    struct smc_clc_proposal_info p = {0};
    p.version = (uint8_t)(1 + next_random(seed) % 2);
    p.typev1 = modes[next_random(seed) % (p.version == 1 ? 2 : 4)];
    p.typev2 = p.version == 1 ? SMC_MODES_R : modes[next_random(seed) % 4];
    random_bytes(seed, p.peer_id, sizeof(p.peer_id));
    random_bytes(seed, p.gid, sizeof(p.gid));
    random_bytes(seed, p.mac, sizeof(p.mac));
    p.has_ip_area = p.typev1 != SMC_MODES_NONE;
    p.has_v2_ext = p.version == 2 && p.typev2 != SMC_MODES_NONE;
    p.has_d_ext = p.has_v2_ext && p.typev2 != SMC_MODES_R;
    p.has_smcd_area = p.has_v2_ext || p.typev1 == SMC_MODES_D || p.typev1 == SMC_MODES_BOTH ||
                      next_random(seed) % 2;
    return p;
}

static void fill_areas(struct smc_clc_proposal_info *p, uint64_t *seed)
{
    if (p->has_smcd_area) {
        random_bytes(seed, p->ism_gid, sizeof(p->ism_gid));
        random_bytes(seed, p->oui, sizeof(p->oui));
        random_bytes(seed, p->vendor_options, sizeof(p->vendor_options));
        p->ism_chid = (uint16_t)next_random(seed);
    }
    if (p->has_ip_area) {
        p->subnet = (uint32_t)next_random(seed);
        p->mask_len = (uint8_t)next_random(seed);
        p->prefix_count = (uint8_t)(next_random(seed) % 9);
        random_bytes(seed, p->prefixes, p->prefix_count * sizeof(p->prefixes[0]));
    }
    if (p->has_v2_ext) {
        p->eid_count = (uint8_t)(next_random(seed) % 9);
        random_bytes(seed, p->eids, p->eid_count * sizeof(p->eids[0]));
        p->release = (uint8_t)(next_random(seed) % 16);
        p->seid_valid = next_random(seed) % 2;
        random_bytes(seed, p->roce_gid, sizeof(p->roce_gid));
        p->max_conns = (uint8_t)next_random(seed);
        p->max_links = (uint8_t)next_random(seed);
        p->features = (uint16_t)next_random(seed);
    }
    if (p->has_d_ext) {
        random_bytes(seed, p->seid, sizeof(p->seid));
        p->gid_count = (uint8_t)(next_random(seed) % 9);
        for (unsigned i = 0; i < p->gid_count; i++) {
            random_bytes(seed, p->entries[i].gid, sizeof(p->entries[i].gid));
            p->entries[i].chid = (uint16_t)next_random(seed);
        }
    }
}

START_TEST(random_proposals_survive)
{
    uint64_t seed = 6;
    uint8_t buf[SMC_CLC_MAX_PROPOSAL];
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct smc_clc_proposal_info in = random_proposal(&seed), out;
        struct smc_parsed m;
        struct smc_reject why;
        fill_areas(&in, &seed);
        size_t n = smc_clc_encode_proposal(&in, buf, sizeof(buf));
        ck_assert_uint_gt(n, 0);
        check_identity(buf, n, "proposal");
        ck_assert(smc_clc_parse(smc_view_of(buf, n), &m, &why));
        ck_assert(smc_clc_decode_proposal(&m, &out));
        ck_assert_int_eq(in.has_ip_area, out.has_ip_area);
        ck_assert_int_eq(in.has_smcd_area, out.has_smcd_area);
        ck_assert_int_eq(in.has_d_ext, out.has_d_ext);
        ck_assert_mem_eq(in.prefixes, out.prefixes, sizeof(in.prefixes));
        ck_assert_mem_eq(in.eids, out.eids, sizeof(in.eids));
        ck_assert_uint_eq(in.entries[7].chid, out.entries[7].chid);
    }
}
END_TEST

START_TEST(the_largest_proposal_fits_its_maximum)
{
    uint64_t seed = 7;
    struct smc_clc_proposal_info in = {.version = 2,
                                       .typev1 = SMC_MODES_BOTH,
                                       .typev2 = SMC_MODES_BOTH,
                                       .has_smcd_area = true,
                                       .has_ip_area = true,
                                       .has_v2_ext = true,
                                       .has_d_ext = true};
    uint8_t buf[BIG];
    fill_areas(&in, &seed);
    in.prefix_count = in.eid_count = in.gid_count = 8;
    ck_assert_uint_eq(smc_clc_encode_proposal(&in, buf, sizeof(buf)), SMC_CLC_MAX_PROPOSAL);
    check_identity(buf, SMC_CLC_MAX_PROPOSAL, "largest");
}
END_TEST

/* An SMC-R or SMC-D, v1 or v2, Accept or Confirm. */
static struct smc_clc_accept_info random_accept(uint64_t *seed, const uint8_t *gids)
{
    struct smc_clc_accept_info a = {0};
    a.type = next_random(seed) % 2 ? SMC_CLC_ACCEPT : SMC_CLC_CONFIRM;
    a.version = (uint8_t)(1 + next_random(seed) % 2);
    a.path = (uint8_t)(next_random(seed) % 2);
    a.first_contact = next_random(seed) % 2;
    a.has_eid = a.version == 2;
    if (a.version == 2 && a.first_contact)
        a.fce_len = next_random(seed) % 2 ? 36 : 52;
    a.has_gid_list = a.fce_len > 0 && a.path == SMC_PATH_R && a.type == SMC_CLC_CONFIRM;
    if (a.has_gid_list) {
        a.gid_count =
            (unsigned)(next_random(seed) % 200); /* 254 with 255 connections would be ambiguous */
        a.gids = smc_view_of(gids, (size_t)a.gid_count * 16);
    }
    return a;
}

static void fill_accept(struct smc_clc_accept_info *a, uint64_t *seed)
{
    random_bytes(seed, a->gid, a->path == SMC_PATH_R || a->has_eid ? 16 : 8);
    a->rmbe_index = (uint8_t)next_random(seed);
    a->bsize = (uint8_t)(next_random(seed) % 16);
    if (a->path == SMC_PATH_R) {
        random_bytes(seed, a->peer_id, sizeof(a->peer_id));
        random_bytes(seed, a->mac, sizeof(a->mac));
        a->qpn = (uint32_t)(next_random(seed) & 0xffffff);
        a->rkey = (uint32_t)next_random(seed);
        a->token = (uint32_t)next_random(seed);
        a->mtu = (uint8_t)(next_random(seed) % 16);
        a->rmb_va = next_random(seed);
        a->psn = (uint32_t)(next_random(seed) & 0xffffff);
    } else {
        a->dmb_token = next_random(seed);
        a->link_id = (uint32_t)next_random(seed);
        a->chid = a->has_eid ? (uint16_t)next_random(seed) : 0;
    }
    if (a->has_eid)
        random_bytes(seed, a->eid, sizeof(a->eid));
    if (a->fce_len == 0)
        return;
    a->v2_direct = next_random(seed) % 2;
    a->os_type = (uint8_t)(next_random(seed) % 16);
    a->release = (uint8_t)(next_random(seed) % 16);
    random_bytes(seed, a->hostname, sizeof(a->hostname));
    if (a->fce_len == 36)
        return;
    a->max_conns = 255; /* a value that is no count of the GIDs that follow */
    a->max_links = (uint8_t)next_random(seed);
    a->features = (uint16_t)next_random(seed);
    random_bytes(seed, a->vendor_options, sizeof(a->vendor_options));
}

START_TEST(random_accepts_and_confirms_survive)
{
    uint64_t seed = 8;
    uint8_t buf[BIG], gids[255 * 16];
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct smc_clc_accept_info in, out;
        struct smc_parsed m;
        struct smc_reject why;
        random_bytes(&seed, gids, sizeof(gids));
        in = random_accept(&seed, gids);
        fill_accept(&in, &seed);
        size_t n = smc_clc_encode_accept(&in, buf, sizeof(buf));
        check_identity(buf, n, "accept");
        ck_assert(smc_clc_parse(smc_view_of(buf, n), &m, &why));
        ck_assert(smc_clc_decode_accept(&m, &out));
        ck_assert_uint_eq(in.fce_len, out.fce_len);
        ck_assert_uint_eq(in.gid_count, out.gid_count);
        ck_assert_uint_eq(in.qpn, out.qpn);
        ck_assert_uint_eq(in.rmb_va, out.rmb_va);
        ck_assert_uint_eq(in.dmb_token, out.dmb_token);
        ck_assert_mem_eq(in.gid, out.gid, 16);
        ck_assert_mem_eq(in.hostname, out.hostname, 32);
    }
}
END_TEST

START_TEST(random_declines_survive)
{
    uint64_t seed = 9;
    uint8_t buf[64];
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct smc_clc_decline_info in = {.version = (uint8_t)(1 + next_random(&seed) % 2),
                                          .out_of_sync = next_random(&seed) % 2,
                                          .diagnosis = (uint32_t)next_random(&seed)};
        random_bytes(&seed, in.peer_id, sizeof(in.peer_id));
        for (unsigned i = 0; in.version == 2 && i < 4; i++)
            in.diagnosis4[i] = (uint32_t)next_random(&seed);
        in.os_type = in.version == 2 ? (uint8_t)(next_random(&seed) % 16) : 0;
        size_t n = smc_clc_encode_decline(&in, buf, sizeof(buf));
        ck_assert_uint_eq(n, in.version == 2 ? 44 : 28);
        check_identity(buf, n, "decline");
    }
}
END_TEST

START_TEST(an_info_that_contradicts_itself_is_not_encoded)
{
    uint8_t buf[BIG];
    struct smc_clc_proposal_info p = {.version = 1, .has_ip_area = true, .prefix_count = 9};
    ck_assert_uint_eq(smc_clc_encode_proposal(&p, buf, sizeof(buf)), 0);
    p = (struct smc_clc_proposal_info){
        .version = 2, .has_smcd_area = true, .has_v2_ext = true, .eid_count = 9};
    ck_assert_uint_eq(smc_clc_encode_proposal(&p, buf, sizeof(buf)), 0);
    p = (struct smc_clc_proposal_info){.version = 2, .has_v2_ext = true};
    ck_assert_uint_eq(smc_clc_encode_proposal(&p, buf, sizeof(buf)), 0);
    p = (struct smc_clc_proposal_info){.version = 2, .has_smcd_area = true, .has_d_ext = true};
    ck_assert_uint_eq(smc_clc_encode_proposal(&p, buf, sizeof(buf)), 0);
    struct smc_clc_accept_info a = {
        .type = SMC_CLC_ACCEPT, .version = 2, .has_eid = true, .fce_len = 40};
    ck_assert_uint_eq(smc_clc_encode_accept(&a, buf, sizeof(buf)), 0);
    a = (struct smc_clc_accept_info){.type = SMC_CLC_ACCEPT, .version = 1, .path = 2};
    ck_assert_uint_eq(smc_clc_encode_accept(&a, buf, sizeof(buf)), 0);
    a = (struct smc_clc_accept_info){
        .version = 2, .has_eid = true, .has_gid_list = true, .gid_count = 1};
    ck_assert_uint_eq(smc_clc_encode_accept(&a, buf, sizeof(buf)), 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("clc_encode");
    TCase *tc = tcase_create("clc_encode");
    tcase_add_test(tc, every_example_is_encoded_as_it_was);
    tcase_add_test(tc, random_proposals_survive);
    tcase_add_test(tc, the_largest_proposal_fits_its_maximum);
    tcase_add_test(tc, random_accepts_and_confirms_survive);
    tcase_add_test(tc, random_declines_survive);
    tcase_add_test(tc, an_info_that_contradicts_itself_is_not_encoded);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(make_suite)

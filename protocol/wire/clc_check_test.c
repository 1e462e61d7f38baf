/* Tests of the rules that one parsable CLC message can break.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire_test.h"

#include "wire/clc.h"

struct calls {
    unsigned n;
    struct smc_reject last;
};

static void record(void *ctx, const struct smc_reject *why)
{
    struct calls *calls = ctx;
    calls->n++;
    calls->last = *why;
}

static struct calls check_bytes(const uint8_t *p, size_t n)
{
    struct calls calls = {0};
    struct smc_parsed m;
    struct smc_reject why;
    ck_assert(smc_clc_parse(smc_view_of(p, n), &m, &why));
    ck_assert_uint_eq(smc_clc_check(&m, record, &calls), calls.n);
    return calls;
}

START_TEST(the_examples_break_no_rule)
{
    for (unsigned i = 0; i < NVECTORS; i++) {
        if (strncmp(vectors[i].grammar, "clc_", 4) != 0)
            continue;
        struct calls calls = check_bytes(vectors[i].bytes, vectors[i].size);
        ck_assert_msg(calls.n == 0, "%s: %s %s", vectors[i].name, calls.last.rule, calls.last.what);
    }
}
END_TEST

static const struct {
    const char *vector;
    uint16_t at;
    uint8_t value;
    const char *rule; /* NULL: allowed */
} cases[] = {
    {"proposal_v1_ip4", 3, 0xc4, "CLC-001"},
    {"proposal_v1_ip4", 44, 33, "CLC-021"},
    {"proposal_v1_ip6", 64, 129, "CLC-021"},
    {"proposal_v1_ip6", 81, 129, "CLC-021"},
    {"proposal_v2", 112, 15, "CLC-066"},
    {"proposal_v2", 113, 0, "CLC-067"},
    {"accept_r_v1", 67, 0xc4, "CLC-031"},
    {"accept_r_v1", 45, 0, "CLC-037"},
    {"accept_r_v1", 50, 0x63, "CLC-033"},
    {"accept_r_v1", 50, 0x53, NULL},
    {"accept_r_v1", 50, 0x20, "CLC-009"},
    {"accept_r_v1", 50, 0x26, "CLC-009"},
    {"accept_r_v1", 50, 0x2f, "CLC-009"},
    {"confirm_r_v1", 50, 0x29, NULL}, /* the MTU counts on first contact only [CLC-036] */
    {"accept_r_v1", 51, 0xff, NULL},  /* reserved [CLC-003] */
    {"accept_r_v2", 3, 0xc4, "CLC-058"},
    {"accept_r_v2", 140, 15, "CLC-066"},
    {"accept_r_v2", 141, 3, "CLC-067"},
    {"accept_r_v2", 141, 0, "CLC-067"},
    {"accept_r_v2", 142, 0xff, NULL}, /* unknown features [CLC-069] */
    {"accept_d_v1", 3, 0xd9, "CLC-056"},
    {"accept_d_v1", 25, 0x70, "SMCD-026"},
    {"accept_d_v1", 24, 255, "SMCD-009"},
    {"accept_d_v2", 3, 0xd9, "CLC-057"},
    {"accept_d_v2", 75, 0x20, "CLC-059"}, /* release 0 with 52 bytes */
    {"decline_v1", 27, 0xc4, "CLC-001"},
};

START_TEST(one_changed_byte_breaks_one_rule)
{
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n;
        uint8_t *p = vector_copy(cases[i].vector, &n);
        p[cases[i].at] = cases[i].value;
        struct calls calls = check_bytes(p, n);
        ck_assert_msg(calls.n == (cases[i].rule ? 1 : 0), "case %u: %u calls", i, calls.n);
        if (cases[i].rule)
            ck_assert_msg(strcmp(calls.last.rule, cases[i].rule) == 0, "case %u: %s", i,
                          calls.last.rule);
        free(p);
    }
}
END_TEST

static struct calls check_info(const struct smc_clc_accept_info *in)
{
    uint8_t buf[512];
    size_t n = smc_clc_encode_accept(in, buf, sizeof(buf));
    ck_assert_uint_gt(n, 0);
    return check_bytes(buf, n);
}

START_TEST(the_first_contact_extension_has_the_form_of_its_release)
{
    struct smc_clc_accept_info r = {.type = SMC_CLC_ACCEPT,
                                    .version = 2,
                                    .first_contact = true,
                                    .has_eid = true,
                                    .rmbe_index = 1,
                                    .mtu = 3,
                                    .fce_len = 36};
    struct smc_clc_accept_info d = {.type = SMC_CLC_ACCEPT,
                                    .version = 2,
                                    .path = SMC_PATH_D,
                                    .first_contact = true,
                                    .has_eid = true,
                                    .fce_len = 36};
    ck_assert_str_eq(check_info(&r).last.rule, "CLC-059");
    r.fce_len = 52; /* release 0: the limits are 0 and not evaluated */
    ck_assert_uint_eq(check_info(&r).n, 0);
    ck_assert_uint_eq(check_info(&d).n, 0);
    d.release = 1;
    ck_assert_str_eq(check_info(&d).last.rule, "CLC-059");
}
END_TEST

START_TEST(a_proposal_that_offers_without_its_areas_is_told)
{
    uint8_t buf[SMC_CLC_MAX_PROPOSAL];
    struct smc_clc_proposal_info p = {
        .version = 2, .typev1 = SMC_MODES_NONE, .typev2 = SMC_MODES_BOTH, .has_smcd_area = true};
    size_t n = smc_clc_encode_proposal(&p, buf, sizeof(buf));
    struct calls calls = check_bytes(buf, n);
    ck_assert_uint_eq(calls.n, 1);
    ck_assert_str_eq(calls.last.rule, "CLC-026");
    p.has_v2_ext = true;
    p.max_conns = 16;
    p.max_links = 1;
    n = smc_clc_encode_proposal(&p, buf, sizeof(buf));
    ck_assert_str_eq(check_bytes(buf, n).last.rule, "CLC-027");
    p.has_d_ext = true;
    n = smc_clc_encode_proposal(&p, buf, sizeof(buf));
    ck_assert_uint_eq(check_bytes(buf, n).n, 0);
    smc_clc_proposal_put_iparea_offset(buf, 40); /* [CLC-029] */
    calls = check_bytes(buf, n);
    ck_assert_str_eq(calls.last.rule, "CLC-029");
    ck_assert_uint_eq(calls.last.offset, 38);
    ck_assert_uint_eq(calls.last.seen, 40);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("clc_check");
    TCase *tc = tcase_create("clc_check");
    tcase_add_test(tc, the_examples_break_no_rule);
    tcase_add_test(tc, one_changed_byte_breaks_one_rule);
    tcase_add_test(tc, the_first_contact_extension_has_the_form_of_its_release);
    tcase_add_test(tc, a_proposal_that_offers_without_its_areas_is_told);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(make_suite)

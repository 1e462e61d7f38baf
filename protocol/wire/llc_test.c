/* Tests of LLC: classes of types, the computed examples, both byte orders, hostile counts.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire_test.h"

#include "wire/llc.h"

static struct smc_llc_info decoded(const uint8_t *p, size_t n)
{
    struct smc_llc_info info;
    struct smc_reject why = {0};
    ck_assert_msg(smc_llc_decode(smc_view_of(p, n), &info, &why), "%s %s", why.rule, why.what);
    return info;
}

static void refused(const uint8_t *bytes, size_t n, const char *rule)
{
    uint8_t *p = exactly(bytes, n);
    struct smc_llc_info info;
    struct smc_reject why = {0};
    ck_assert(!smc_llc_decode(smc_view_of(p, n), &info, &why));
    ck_assert_str_eq(why.rule, rule);
    free(p);
}

/* ---- types ---- */
START_TEST(the_first_byte_says_what_a_receiver_does)
{
    static const struct {
        uint8_t type;
        enum smc_llc_class class;
        const char *rule;
    } cases[] = {
        {0x80, SMC_LLC_OPTIONAL, "LLC-003"}, {0xbf, SMC_LLC_OPTIONAL, "LLC-003"},
        {0x0a, SMC_LLC_UNKNOWN, "LLC-004"},  {0x00, SMC_LLC_UNKNOWN, "LLC-004"},
        {0x05, SMC_LLC_UNKNOWN, "LLC-004"},  {0x3f, SMC_LLC_UNKNOWN, "LLC-004"},
        {0x41, SMC_LLC_UNKNOWN, "LLC-004"},  {0xc0, SMC_LLC_NOT_CDC, "LLC-005"},
        {0xff, SMC_LLC_NOT_CDC, "LLC-005"},  {0xfe, SMC_LLC_CDC, "LLC-005"},
        {0x23, SMC_LLC_V2_NONE, "LLC-074"},  {0x28, SMC_LLC_V2_NONE, "LLC-074"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[SMC_LLC_BYTES] = {cases[i].type, 44};
        ck_assert_int_eq(smc_llc_classify(smc_view_of(bytes, 1)), cases[i].class);
        refused(bytes, sizeof(bytes), cases[i].rule);
    }
    ck_assert_int_eq(smc_llc_classify(smc_view_of(vector_add_link, 1)), SMC_LLC_KNOWN);
    ck_assert_int_eq(smc_llc_classify(smc_view_of(vector_add_link, 0)), SMC_LLC_EMPTY);
    refused(vector_add_link, 0, "LLC-001");
    refused(vector_add_link, 3, "LLC-001");
}
END_TEST

START_TEST(v1_is_44_bytes_and_says_so) /* [LLC-001] */
{
    uint8_t bytes[48] = {0};
    refused(vector_test_link, 43, "LLC-001");
    memcpy(bytes, vector_test_link, 44);
    refused(bytes, 48, "LLC-001");
    bytes[1] = 43;
    refused(bytes, 44, "LLC-001");
    refused(vector_delete_rkey_v2, 43, "LLC-069");
}
END_TEST

/* ---- the examples ---- */
START_TEST(confirm_link_holds_what_the_table_says)
{
    struct smc_llc_info m = decoded(vector_confirm_link_response, 44);
    ck_assert(m.version == 1 && m.type == SMC_LLC_CONFIRM_LINK && m.response);
    ck_assert_uint_eq(m.no_eyecatcher, 3);
    ck_assert_uint_eq(m.qpn, 0x240);
    ck_assert_uint_eq(m.link_number, 1);
    ck_assert_uint_eq(m.link_user_id, 0x00020001);
    ck_assert_uint_eq(m.max_links, 2);
    ck_assert_mem_eq(m.mac, "\x02\x00\x5e\x00\x00\x11", 6);
    ck_assert(!decoded(vector_confirm_link, 44).response);
}
END_TEST

START_TEST(add_link_has_its_gid_at_offset_12) /* [LLC-022] */
{
    struct smc_llc_info m = decoded(vector_add_link, 44);
    ck_assert_uint_eq(smc_load_be(m.gid, 8), 0xfe80000000000000);
    ck_assert_uint_eq(m.qpn, 0x109);
    ck_assert_uint_eq(m.link_number, 2);
    ck_assert_uint_eq(m.mtu, SMC_MTU_1024);
    ck_assert_uint_eq(m.psn, 0xbeef);
    ck_assert(!m.reject && !m.response);
    m = decoded(vector_add_link_reject, 44);
    ck_assert(m.reject && m.response);
    ck_assert_uint_eq(m.reject_reason, SMC_LLC_REJECT_NO_ALT_PATH);
}
END_TEST

START_TEST(add_link_v2_carries_its_rtokens)
{
    struct smc_llc_info m = decoded(vector_add_link_v2, 88);
    ck_assert(m.version == 2 && m.has_ext && m.v2_direct);
    ck_assert_uint_eq(m.length, 88);
    ck_assert_uint_eq(m.length_order, SMC_FITS_BE);
    ck_assert_uint_eq(m.count, 1);
    ck_assert_uint_eq(m.nrtokens, 1);
    struct smc_llc_rtoken_fields t = smc_llc_info_rtoken(&m, 0);
    ck_assert_uint_eq(t.ref_rkey, 0xa1b2);
    ck_assert_uint_eq(t.new_rkey, 0xa1b3);
    ck_assert_uint_eq(t.new_va, 0x7f3a00010000);
    ck_assert_uint_eq(smc_load_be(m.target_gid + 8, 8), 0x0000ffff0a000001);
}
END_TEST

START_TEST(the_continuations_hold_their_tokens)
{
    struct smc_llc_info m = decoded(vector_add_link_cont, 44);
    ck_assert_uint_eq(m.link_number, 2);
    ck_assert_uint_eq(m.count, 1);
    ck_assert_uint_eq(m.nrtokens, 1);
    ck_assert_uint_eq(smc_llc_info_rtoken(&m, 0).new_rkey, 0xa1b3);
    m = decoded(vector_confirm_rkey_cont, 44);
    ck_assert_uint_eq(m.nothers, 1);
    ck_assert_uint_eq(m.others[0].link, 4);
    ck_assert_uint_eq(m.others[0].rkey, 0xa1b7);
    ck_assert_uint_eq(m.others[0].va, 0x7f3a00020000);
}
END_TEST

START_TEST(the_other_examples_hold_what_the_tables_say)
{
    struct smc_llc_info m = decoded(vector_delete_link, 44);
    ck_assert(m.orderly && !m.all && m.link_number == 2);
    ck_assert_uint_eq(m.reason, SMC_LLC_DEL_OPERATOR);
    ck_assert(decoded(vector_delete_link_all, 44).all);
    m = decoded(vector_confirm_rkey_retry, 44);
    ck_assert(m.response && m.negative && m.retry);
    ck_assert_uint_eq(m.rkey, 0xa1b4);
    ck_assert_uint_eq(m.va, 0x7f3a00020000);
    ck_assert_uint_eq(m.nothers, 1);
    ck_assert_uint_eq(m.others[0].link, 2);
    ck_assert_uint_eq(m.others[0].rkey, 0xa1b5);
    m = decoded(vector_delete_rkey_unknown, 44);
    ck_assert(m.negative && m.error_mask == 0x40 && m.nrkeys == 2);
    ck_assert_uint_eq(smc_llc_info_rkey(&m, 1), 0xa1b4);
    m = decoded(vector_delete_rkey_v2, 44);
    ck_assert(m.nrkeys == 2 && m.length_order == SMC_FITS_BE);
    ck_assert_uint_eq(smc_llc_info_rkey(&m, 0), 0xa1b2);
    m = decoded(vector_test_link, 44);
    ck_assert_uint_eq(m.user_data[15], 15);
    m = decoded(vector_req_add_link_v2, 60);
    ck_assert_uint_eq(m.ngids, 2);
    ck_assert_uint_eq(smc_load_be(m.gids + 24, 8), 0x0000ffff0a000101);
}
END_TEST

/* ---- byte orders ---- */
START_TEST(lengths_and_counts_are_read_in_the_order_that_fits) /* [LLC-075] */
{
    uint8_t *p = exactly(vector_add_link_v2, 88);
    smc_store_le(p + 1, 2, 88);
    smc_store_le(p + 70, 2, 1);
    struct smc_llc_info m = decoded(p, 88);
    ck_assert_uint_eq(m.length_order, SMC_FITS_LE);
    ck_assert_uint_eq(m.count_order, SMC_FITS_LE);
    ck_assert_uint_eq(m.count, 1);
    ck_assert_uint_eq(m.nrtokens, 1);
    smc_store_be(p + 1, 2, 43);
    ck_assert_uint_eq(decoded(p, 88).length_order, SMC_FITS_NONE);
    free(p);
}
END_TEST

/* ---- hostile counts ---- */
START_TEST(
    no_count_reaches_beyond_the_message) /* B-36; [LLC-056] [LLC-058] [LLC-070] [LLC-072] [LLC-076] */
{
    static const struct {
        const uint8_t *bytes;
        size_t size, at, width;
        uint32_t value;
        unsigned entries;
    } cases[] = {
        {vector_add_link_v2, 88, 70, 2, 255, 1},      {vector_add_link_v2, 88, 70, 2, 0xffff, 1},
        {vector_add_link_v2, 72, 70, 2, 5, 0},        {vector_add_link_v2, 44, 43, 1, 255, 0},
        {vector_delete_rkey_v2, 44, 4, 1, 255, 9},    {vector_req_add_link_v2, 60, 24, 1, 255, 2},
        {vector_delete_rkey, 44, 4, 1, 255, 8},       {vector_confirm_rkey, 44, 4, 1, 255, 2},
        {vector_confirm_rkey_cont, 44, 4, 1, 255, 3}, {vector_add_link_cont, 44, 5, 1, 255, 2},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t *p = exactly(cases[i].bytes, cases[i].size);
        smc_store_be(p + cases[i].at, (unsigned)cases[i].width, cases[i].value);
        struct smc_llc_info m = decoded(p, cases[i].size);
        uint64_t sum = 0;
        for (unsigned k = 0; k < m.nrkeys; k++)
            sum += smc_llc_info_rkey(&m, k);
        for (unsigned k = 0; k < m.nrtokens; k++)
            sum += smc_llc_info_rtoken(&m, k).new_va;
        for (unsigned k = 0; k < m.ngids * 16; k++)
            sum += m.gids[k];
        ck_assert_uint_eq(m.nrkeys + m.nrtokens + m.ngids + m.nothers, cases[i].entries);
        ck_assert(cases[i].entries == 0 || m.count == cases[i].value);
        ck_assert(sum > 0 || cases[i].entries == 0 || m.nothers > 0);
        free(p);
    }
}
END_TEST

START_TEST(an_extension_that_is_cut_short_is_refused) /* [LLC-070] */
{
    for (size_t n = 45; n < 72; n++)
        refused(vector_add_link_v2, n, "LLC-070");
}
END_TEST

/* ---- encoding ---- */
static void check_identity(const uint8_t *bytes, size_t n, const char *name)
{
    struct smc_llc_info info = decoded(bytes, n);
    uint8_t *again = exactly(bytes, n);
    memset(again, 0xa5, n);
    ck_assert_uint_eq(smc_llc_encode(&info, again, n - 1), 0);
    ck_assert_uint_eq(smc_llc_encode(&info, again, n), n);
    ck_assert_msg(memcmp(again, bytes, n) == 0, "%s", name);
    free(again);
}

START_TEST(every_example_is_encoded_as_it_was)
{
    for (unsigned i = 0; i < NVECTORS; i++)
        if (strncmp(vectors[i].grammar, "llc_", 4) == 0)
            check_identity(vectors[i].bytes, vectors[i].size, vectors[i].name);
}
END_TEST

/* Every field of every kind random; fields that the message does not have are not looked at. */
static struct smc_llc_info random_info(uint64_t *seed, const uint8_t *entries)
{
    struct smc_llc_info m = {0};
    random_bytes(seed, m.mac, sizeof(m.mac));
    random_bytes(seed, m.gid, sizeof(m.gid));
    random_bytes(seed, m.target_gid, sizeof(m.target_gid));
    random_bytes(seed, m.user_data, sizeof(m.user_data));
    uint64_t bits = next_random(seed);
    m.response = bits & 1;
    m.reject = bits & 2;
    m.negative = bits & 4;
    m.retry = bits & 8;
    m.all = bits & 16;
    m.orderly = bits & 32;
    m.v2_direct = bits & 64;
    m.has_ext = bits & 128;
    m.no_eyecatcher = bits >> 8 & 3;
    m.reject_reason = bits >> 10 & 15;
    m.mtu = bits >> 14 & 15;
    m.length_order = bits >> 18 & 1 ? SMC_FITS_LE : SMC_FITS_BE;
    m.count_order = bits >> 19 & 1 ? SMC_FITS_LE : SMC_FITS_BE;
    m.link_number = (uint8_t)(bits >> 20);
    m.max_links = (uint8_t)(bits >> 28);
    m.max_conns = (uint8_t)(bits >> 36);
    m.error_mask = (uint8_t)(bits >> 44);
    m.invalid_count = (uint8_t)(bits >> 52);
    m.qpn = (uint32_t)(next_random(seed) & 0xffffff);
    m.psn = (uint32_t)(next_random(seed) & 0xffffff);
    m.link_user_id = (uint32_t)next_random(seed);
    m.reason = (uint32_t)next_random(seed);
    m.rkey = (uint32_t)next_random(seed);
    m.va = next_random(seed);
    m.rkeys = m.rtokens = m.gids = entries;
    return m;
}

static void random_entries(struct smc_llc_info *m, uint64_t *seed)
{
    unsigned n = (unsigned)(next_random(seed) % 256);
    bool v2 = m->version == 2;
    m->nrtokens = m->type == SMC_LLC_ADD_LINK_CONT                  ? n % 3
                  : m->type == SMC_LLC_ADD_LINK && v2 && m->has_ext ? n
                                                                    : 0;
    m->nrkeys = m->type == SMC_LLC_DELETE_RKEY ? (v2 ? n : n % 9) : 0;
    m->ngids = m->type == SMC_LLC_REQ_ADD_LINK ? n : 0;
    m->nothers = m->type == SMC_LLC_CONFIRM_RKEY        ? n % 3
                 : m->type == SMC_LLC_CONFIRM_RKEY_CONT ? n % 4
                                                        : 0;
    for (unsigned i = 0; i < m->nothers; i++)
        m->others[i] = (struct smc_llc_token){
            .link = (uint8_t)(i + 1), .rkey = (uint32_t)next_random(seed), .va = next_random(seed)};
    m->count = m->nrtokens + m->nrkeys + m->ngids + m->nothers;
}

START_TEST(random_messages_survive)
{
    static const uint8_t v1[] = {1, 2, 3, 4, 6, 7, 8, 9}, v2[] = {1, 2, 4, 5, 6, 7, 9};
    static uint8_t entries[256 * 16], buf[SMC_LLC_V2_MAX];
    uint64_t seed = 10;
    random_bytes(&seed, entries, sizeof(entries));
    for (unsigned round = 0; round < 10000; round++) {
        struct smc_llc_info in = random_info(&seed, entries), out;
        in.version = (uint8_t)(1 + round % 2);
        in.type = in.version == 1 ? v1[next_random(&seed) % 8] : v2[next_random(&seed) % 7];
        random_entries(&in, &seed);
        size_t n = smc_llc_encode(&in, buf, sizeof(buf));
        ck_assert_uint_ge(n, SMC_LLC_BYTES);
        check_identity(buf, n, "random");
        out = decoded(buf, n);
        ck_assert_uint_eq(out.type, in.type);
        ck_assert_int_eq(out.response, in.response);
        ck_assert_uint_eq(out.count, in.count);
        ck_assert_uint_eq(out.nothers, in.nothers);
        ck_assert_uint_eq(out.nrtokens, in.nrtokens);
        ck_assert_uint_eq(out.nrkeys, in.nrkeys);
        ck_assert_uint_eq(out.ngids, in.ngids);
    }
}
END_TEST

START_TEST(messages_that_do_not_exist_are_not_encoded)
{
    uint8_t buf[SMC_LLC_V2_MAX];
    static const uint8_t none[16 * 600];
    struct smc_llc_info m = {.version = 2, .type = SMC_LLC_ADD_LINK_CONT};
    ck_assert_uint_eq(smc_llc_encode(&m, buf, sizeof(buf)), 0);
    m.type = SMC_LLC_CONFIRM_RKEY_CONT;
    ck_assert_uint_eq(smc_llc_encode(&m, buf, sizeof(buf)), 0);
    m = (struct smc_llc_info){.version = 1, .type = SMC_LLC_REQ_ADD_LINK};
    ck_assert_uint_eq(smc_llc_encode(&m, buf, sizeof(buf)), 0);
    m.type = 10;
    ck_assert_uint_eq(smc_llc_encode(&m, buf, sizeof(buf)), 0);
    m = (struct smc_llc_info){.version = 3, .type = SMC_LLC_TEST_LINK};
    ck_assert_uint_eq(smc_llc_encode(&m, buf, sizeof(buf)), 0);
    m = (struct smc_llc_info){
        .version = 1, .type = SMC_LLC_DELETE_RKEY, .nrkeys = 9, .rkeys = none};
    ck_assert_uint_eq(smc_llc_encode(&m, buf, sizeof(buf)), 0);
    m = (struct smc_llc_info){.version = 1, .type = SMC_LLC_CONFIRM_RKEY, .nothers = 3};
    ck_assert_uint_eq(smc_llc_encode(&m, buf, sizeof(buf)), 0);
    m = (struct smc_llc_info){
        .version = 2, .type = SMC_LLC_ADD_LINK, .has_ext = true, .nrtokens = 508, .rtokens = none};
    ck_assert_uint_eq(smc_llc_encode(&m, buf, sizeof(buf)), 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("llc");
    TCase *tc = tcase_create("llc");
    tcase_add_test(tc, the_first_byte_says_what_a_receiver_does);
    tcase_add_test(tc, v1_is_44_bytes_and_says_so);
    tcase_add_test(tc, confirm_link_holds_what_the_table_says);
    tcase_add_test(tc, add_link_has_its_gid_at_offset_12);
    tcase_add_test(tc, add_link_v2_carries_its_rtokens);
    tcase_add_test(tc, the_continuations_hold_their_tokens);
    tcase_add_test(tc, the_other_examples_hold_what_the_tables_say);
    tcase_add_test(tc, lengths_and_counts_are_read_in_the_order_that_fits);
    tcase_add_test(tc, no_count_reaches_beyond_the_message);
    tcase_add_test(tc, an_extension_that_is_cut_short_is_refused);
    tcase_add_test(tc, every_example_is_encoded_as_it_was);
    tcase_add_test(tc, random_messages_survive);
    tcase_add_test(tc, messages_that_do_not_exist_are_not_encoded);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(make_suite)

/* Tests of CLC: framing, the computed examples, hostile counts and offsets, rules of one message.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire_test.h"

#include "wire/clc.h"

/* ---- framing ---- */
START_TEST(a_stream_is_framed_byte_by_byte)
{
    for (unsigned i = 0; i < NVECTORS; i++) {
        if (strncmp(vectors[i].grammar, "clc_", 4) != 0)
            continue;
        for (size_t n = 0; n < vectors[i].size; n++) {
            uint8_t *p = exactly(vectors[i].bytes, n);
            size_t len;
            struct smc_reject why;
            ck_assert_int_eq(smc_clc_frame(smc_view_of(p, n), &len, &why), SMC_FRAME_MORE);
            ck_assert_uint_eq(len, n < 8 ? 0 : vectors[i].size);
            free(p);
        }
    }
}
END_TEST

START_TEST(what_follows_a_message_is_left_alone) /* [CLC-005] */
{
    uint8_t stream[68 + 5] = {0};
    size_t len;
    struct smc_reject why;
    memcpy(stream, vector_accept_r_v1, 68);
    memcpy(stream + 68, "hello", 5);
    ck_assert_int_eq(smc_clc_frame(smc_view_of(stream, sizeof(stream)), &len, &why), SMC_FRAME_OK);
    ck_assert_uint_eq(len, 68);
    struct smc_parsed m;
    ck_assert(!smc_clc_parse(smc_view_of(stream, sizeof(stream)), &m, &why));
    ck_assert_str_eq(why.rule, "CLC-008");
}
END_TEST

static void refuse_frame(const uint8_t *bytes, size_t n, const char *rule, size_t offset)
{
    uint8_t *p = exactly(bytes, n);
    size_t len;
    struct smc_reject why = {0};
    ck_assert_int_eq(smc_clc_frame(smc_view_of(p, n), &len, &why), SMC_FRAME_BAD);
    ck_assert_str_eq(why.rule, rule);
    ck_assert_uint_eq(why.offset, offset);
    struct smc_parsed m;
    ck_assert(!smc_clc_parse(smc_view_of(p, n), &m, &why));
    ck_assert_str_eq(why.rule, rule);
    free(p);
}

START_TEST(a_header_that_no_message_has_is_refused_at_once)
{
    static const struct {
        uint8_t bytes[8];
        const char *rule;
        size_t offset;
    } cases[] = {
        {{0xe2, 0xd4, 0xc3, 0xd8, 1, 0, 52, 0x10}, "CLC-001", 3},
        {{'G', 'E', 'T', ' ', '/', ' ', 'H', 'T'}, "CLC-001", 0},
        {{0xe2, 0xd4, 0xc3, 0xd9, 0, 0, 52, 0x10}, "CLC-007", 4},
        {{0xe2, 0xd4, 0xc3, 0xd9, 5, 0, 52, 0x10}, "CLC-007", 4},
        {{0xe2, 0xd4, 0xc3, 0xd9, 255, 0, 52, 0x10}, "CLC-007", 4},
        {{0xe2, 0xd4, 0xc3, 0xd9, 2, 0, 68, 0x08}, "CLC-004", 7},
        {{0xe2, 0xd4, 0xc3, 0xd9, 2, 0, 68, 0x1a}, "CLC-009", 7},
        {{0xe2, 0xd4, 0xc3, 0xd9, 1, 0, 0, 0x10}, "CLC-008", 5},
        {{0xe2, 0xd4, 0xc3, 0xd9, 1, 0, 7, 0x10}, "CLC-008", 5},
        {{0xe2, 0xd4, 0xc3, 0xd9, 1, 0, 51, 0x10}, "CLC-015", 5},
        {{0xe2, 0xd4, 0xc3, 0xd9, 1, 0, 43, 0x20}, "CLC-023", 5},
        {{0xe2, 0xd4, 0xc3, 0xd9, 2, 0, 67, 0x18}, "CLC-031", 5},
        {{0xe2, 0xd4, 0xc3, 0xd9, 2, 0, 69, 0x18}, "CLC-031", 5},
        {{0xe2, 0xd4, 0xc3, 0xd9, 3, 0xff, 0xff, 0x10}, "CLC-031", 5},
        {{0xe2, 0xd4, 0xc3, 0xd9, 4, 0, 44, 0x10}, "CLC-043", 5},
        {{0xe2, 0xd4, 0xc3, 0xd9, 4, 0, 28, 0x20}, "CLC-044", 5},
        {{0xe2, 0xd4, 0xc3, 0xc4, 2, 0, 49, 0x11}, "CLC-056", 5},
        {{0xe2, 0xd4, 0xc3, 0xc4, 2, 0, 77, 0x21}, "CLC-057", 5},
        {{0xe2, 0xd4, 0xc3, 0xd9, 2, 0, 107, 0x20}, "CLC-058", 5},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        refuse_frame(cases[i].bytes, 8, cases[i].rule, cases[i].offset);
}
END_TEST

START_TEST(bytes_that_cannot_become_an_eyecatcher_are_refused_before_there_are_eight)
{
    refuse_frame((const uint8_t *)"H", 1, "CLC-001", 0);
    refuse_frame((const uint8_t *)"\xe2\xd4\xc3\x00", 4, "CLC-001", 3);
    ck_assert_uint_eq(smc_clc_type_of(smc_view_of(vector_decline_v1, 8)), SMC_CLC_DECLINE);
    ck_assert_uint_eq(smc_clc_type_of(smc_view_of(vector_decline_v1, 7)), 0);
    ck_assert_ptr_null(smc_clc_identify(smc_view_of(vector_decline_v1, 7)));
    ck_assert_str_eq(smc_clc_identify(smc_view_of(vector_decline_v1, 8))->name, "clc_decline_v1");
}
END_TEST

/* ---- parsing, with one fact of a vector changed ---- */
struct edit {
    const char *vector;
    const char *rule; /* of the rejection; NULL: parsed all the same */
    struct {
        uint16_t at, size;
        uint32_t value;
    } put[3]; /* size 0: none */
};

static void apply(uint8_t *p, const struct edit *e)
{
    for (unsigned i = 0; i < 3; i++)
        smc_store_be(p + e->put[i].at, e->put[i].size, e->put[i].value);
}

static const struct edit edits[] = {
    {"proposal_v1_ip4", "CLC-001", {{51, 1, 0}}},
    {"accept_d_v2", "CLC-001", {{126, 4, 0x534d4344}}},
    {"proposal_v1_ip4", "CLC-016", {{38, 2, 41}}}, /* B-02, CVE-2024-49571 */
    {"proposal_v1_ip4", "CLC-016", {{38, 2, 0xffff}}},
    {"proposal_v2", "CLC-016", {{38, 2, 41}}},
    {"proposal_v1_ip4", "CLC-015", {{38, 2, 1}}}, /* the area does not fit any more */
    {"proposal_v1_ip4", "CLC-017", {{7, 1, 0x11}}},
    {"proposal_v2", "CLC-017", {{38, 2, 39}}},
    {"proposal_v1_ip6", "CLC-018", {{47, 1, 9}}},
    {"proposal_v1_ip6", "CLC-018", {{47, 1, 255}}},
    {"proposal_v1_ip6", "CLC-015", {{47, 1, 3}}},
    {"proposal_v1_ip6", "CLC-015", {{47, 1, 1}}},
    {"proposal_v1_ip4", "CLC-029", {{7, 1, 0x12}}},
    {"proposal_v1_ip4", NULL, {{7, 1, 0x1c}}}, /* [CLC-028] */
    {"proposal_v2", "CLC-024", {{88, 1, 9}}},  /* B-01, CVE-2024-49568 */
    {"proposal_v2", "CLC-024", {{88, 1, 255}}},
    {"proposal_v2", "CLC-023", {{88, 1, 0}}},
    {"proposal_v2", "CLC-023", {{88, 1, 8}}},
    {"proposal_v2", "CLC-025", {{89, 1, 9}}},
    {"proposal_v2", "CLC-025", {{89, 1, 255}}},
    {"proposal_v2", "CLC-023", {{89, 1, 3}}},
    {"proposal_v2", "CLC-023", {{89, 1, 1}}},
    {"proposal_v2", "CLC-026", {{50, 2, 0xffff}}},
    {"proposal_v2", "CLC-026", {{50, 2, 232 - 52 - 4}}},
    {"proposal_v2", "CLC-026", {{50, 2, 35}}},
    {"proposal_v2", "CLC-023", {{50, 2, 37}}},
    {"proposal_v2", "CLC-023", {{50, 2, 0}}},
    {"proposal_v2", "CLC-027", {{94, 2, 1}}}, /* B-03, CVE-2024-47408 */
    {"proposal_v2", "CLC-027", {{94, 2, 63}}},
    {"proposal_v2", "CLC-027", {{94, 2, 232 - 4 - 96}}},
    {"proposal_v2", "CLC-027", {{94, 2, 0xffff}}},
    {"proposal_v2", "CLC-023", {{94, 2, 65}}},
    {"proposal_v2", "CLC-023", {{94, 2, 0}}},
    {"proposal_v2", "CLC-029", {{7, 1, 0x2e}}}, /* typev1 none, and an IP area */
    {"proposal_v2", "CLC-023", {{7, 1, 0x2b}}}, /* typev2 none, and its extension */
    {"proposal_v2", NULL, {{7, 1, 0x9f}}},      /* [CLC-004] version 9 */
    {"accept_r_v1", NULL, {{7, 1, 0x1c}}},      /* [CLC-003] */
    {"accept_r_v2", "CLC-058", {{7, 1, 0x20}}}, /* F clear, extension there */
    {"confirm_r_v2", "CLC-060", {{156, 1, 255}}},
    {"confirm_r_v2", "CLC-060", {{156, 1, 2}}},
    {"confirm_r_v2", "CLC-058", {{156, 1, 0}}},
    {"accept_d_v2", "CLC-057", {{7, 1, 0x21}}},
    {"decline_v1", NULL, {{7, 1, 0x13}}}, /* [CLC-045] */
    {"decline_v2", NULL, {{7, 1, 0x2b}}},
};

START_TEST(one_changed_fact_gets_the_rule_it_breaks)
{
    for (unsigned i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        size_t n;
        uint8_t *p = vector_copy(edits[i].vector, &n);
        struct smc_parsed m;
        struct smc_reject why = {0};
        apply(p, &edits[i]);
        bool parsed = smc_clc_parse(smc_view_of(p, n), &m, &why);
        check_parse(parsed, &m, &why);
        ck_assert_msg(parsed == !edits[i].rule, "case %u: %s", i, parsed ? "parsed" : why.what);
        if (!parsed)
            ck_assert_msg(strcmp(why.rule, edits[i].rule) == 0, "case %u: %s %s", i, why.rule,
                          why.what);
        free(p);
    }
}
END_TEST

/* Sets the length field to the number of bytes, and the trailer. */
static void close_message(uint8_t *p, size_t n)
{
    smc_store_be(p + 5, 2, n);
    memcpy(p + n - 4, smc_eyecatcher_r, 4);
}

/* B-01: the counts are beyond their maximum and the message is long enough for them. */
START_TEST(counts_beyond_their_maximum_are_refused_even_if_the_entries_are_there)
{
    static const struct {
        unsigned eids, gids;
        const char *rule;
    } cases[] = {{9, 2, "CLC-024"}, {255, 2, "CLC-024"}, {1, 9, "CLC-025"}, {1, 255, "CLC-025"}};
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n = 88 + 40 + 32 * cases[i].eids + 48 + 10 * cases[i].gids + 4;
        uint8_t *p = calloc(1, n);
        struct smc_parsed m;
        struct smc_reject why;
        ck_assert_ptr_nonnull(p);
        memcpy(p, vector_proposal_v2, 128);
        p[88] = (uint8_t)cases[i].eids;
        p[89] = (uint8_t)cases[i].gids;
        smc_store_be(p + 94, 2, 32 + 32 * cases[i].eids);
        close_message(p, n);
        ck_assert(!smc_clc_parse(smc_view_of(p, n), &m, &why));
        ck_assert_str_eq(why.rule, cases[i].rule);
        free(p);
    }
}
END_TEST

/* [CLC-016]: a skipped area that is not the SMC-D area. */
START_TEST(an_unknown_area_before_the_ip_area_is_skipped)
{
    uint8_t bytes[52 + 20] = {0};
    struct smc_parsed m;
    struct smc_reject why;
    struct smc_clc_proposal_info info;
    memcpy(bytes, vector_proposal_v1_ip4, 40);
    smc_store_be(bytes + 38, 2, 20);
    memset(bytes + 40, 0xaa, 20);
    memcpy(bytes + 60, vector_proposal_v1_ip4 + 40, 8);
    close_message(bytes, sizeof(bytes));
    ck_assert(smc_clc_parse(smc_view_of(bytes, sizeof(bytes)), &m, &why));
    ck_assert(smc_clc_decode_proposal(&m, &info));
    ck_assert(info.has_ip_area && !info.has_smcd_area);
    ck_assert_uint_eq(info.subnet, 0x0a000000);
}
END_TEST

/* ---- decoding ---- */
static struct smc_parsed parsed_vector(const char *name, uint8_t **bytes)
{
    size_t n;
    struct smc_parsed m;
    struct smc_reject why;
    *bytes = vector_copy(name, &n);
    ck_assert(smc_clc_parse(smc_view_of(*bytes, n), &m, &why));
    return m;
}

START_TEST(the_v2_proposal_offers_everything)
{
    uint8_t *bytes;
    struct smc_clc_proposal_info p;
    struct smc_parsed m = parsed_vector("proposal_v2", &bytes);
    ck_assert(smc_clc_decode_proposal(&m, &p));
    ck_assert(p.v1_r && p.v1_d && p.v2_r && p.v2_d);
    ck_assert_uint_eq(p.version, 2);
    ck_assert_uint_eq(smc_load_be(p.peer_id, 8), 0x1a2b02005e000011);
    ck_assert_uint_eq(p.ism_chid, 0x07c0);
    ck_assert_uint_eq(smc_load_be(p.ism_gid, 8), 0x1122334455667788);
    ck_assert_uint_eq(p.subnet, 0x0a000000);
    ck_assert_uint_eq(p.mask_len, 24);
    ck_assert_uint_eq(p.eid_count, 1);
    ck_assert_mem_eq(p.eids[0], "FARM.UEID-01                    ", 32);
    ck_assert_uint_eq(p.release, 1);
    ck_assert(!p.seid_valid);
    ck_assert_uint_eq(p.max_conns, 255);
    ck_assert_uint_eq(p.max_links, 2);
    ck_assert_uint_eq(p.gid_count, 2);
    ck_assert_uint_eq(p.entries[0].chid, SMC_CHID_LOOPBACK);
    ck_assert_uint_eq(smc_load_be(p.entries[1].gid, 8), 0x8796a5b4c3d2e1f0);
    ck_assert_uint_eq(p.v2_offset, 36);
    ck_assert_uint_eq(p.d_offset, 64);
    free(bytes);
}
END_TEST

START_TEST(the_rfc_proposals_hold_their_subnet_or_prefixes)
{
    uint8_t *bytes;
    struct smc_clc_proposal_info p;
    struct smc_parsed m = parsed_vector("proposal_v1_ip6", &bytes);
    ck_assert(smc_clc_decode_proposal(&m, &p));
    ck_assert(p.v1_r && !p.v1_d && !p.v2_r && !p.v2_d && !p.has_smcd_area && !p.has_v2_ext);
    ck_assert_uint_eq(p.prefix_count, 2);
    ck_assert_uint_eq(smc_load_be(p.prefixes[1].prefix, 8), 0x20010db800020000);
    ck_assert_uint_eq(p.prefixes[1].length, 64);
    free(bytes);
}
END_TEST

START_TEST(the_smc_r_accepts_hold_what_the_tables_say)
{
    uint8_t *bytes;
    struct smc_clc_accept_info a;
    struct smc_parsed m = parsed_vector("accept_r_v1", &bytes);
    ck_assert(smc_clc_decode_accept(&m, &a));
    ck_assert(a.type == SMC_CLC_ACCEPT && a.version == 1 && a.path == SMC_PATH_R &&
              a.first_contact);
    ck_assert_uint_eq(a.qpn, 0x108);
    ck_assert_uint_eq(a.rkey, 0xa1b2);
    ck_assert_uint_eq(a.rmbe_index, 1);
    ck_assert_uint_eq(a.token, 5);
    ck_assert_uint_eq(smc_clc_buffer_size(a.bsize), 65536);
    ck_assert_uint_eq(smc_clc_mtu_bytes(a.mtu), 1024);
    ck_assert_uint_eq(a.rmb_va, 0x7f3a00010000);
    ck_assert_uint_eq(a.psn, 0xabcd);
    ck_assert(!a.has_eid && a.fce_len == 0 && !a.has_gid_list);
    free(bytes);
    m = parsed_vector("confirm_r_v2", &bytes);
    ck_assert(smc_clc_decode_accept(&m, &a));
    ck_assert(a.type == SMC_CLC_CONFIRM && a.version == 2 && a.has_eid && a.v2_direct);
    ck_assert_uint_eq(a.fce_len, 52);
    ck_assert_uint_eq(a.os_type, SMC_OS_LINUX);
    ck_assert_uint_eq(a.release, 1);
    ck_assert_uint_eq(a.max_conns, 255);
    ck_assert_uint_eq(a.gid_count, 1);
    ck_assert_uint_eq(smc_load_be(a.gids.p + 8, 8), 0x0000ffff0a000001);
    free(bytes);
}
END_TEST

START_TEST(the_smc_d_accepts_hold_what_the_tables_say)
{
    uint8_t *bytes;
    struct smc_clc_accept_info a;
    struct smc_parsed m = parsed_vector("accept_d_v1", &bytes);
    ck_assert(smc_clc_decode_accept(&m, &a));
    ck_assert(a.path == SMC_PATH_D && a.version == 1 && a.first_contact && !a.has_eid);
    ck_assert_uint_eq(a.dmb_token, 0x0000000100000021);
    ck_assert_uint_eq(a.link_id, 0x100);
    free(bytes);
    m = parsed_vector("accept_d_v2", &bytes);
    ck_assert(smc_clc_decode_accept(&m, &a));
    ck_assert_uint_eq(a.chid, SMC_CHID_LOOPBACK);
    ck_assert_uint_eq(smc_load_be(a.gid + 8, 8), 0x8796a5b4c3d2e1f0);
    ck_assert_uint_eq(a.fce_len, 52);
    ck_assert_mem_eq(a.hostname, "srv1 ", 5);
    free(bytes);
}
END_TEST

START_TEST(declines_hold_their_diagnosis)
{
    uint8_t *bytes;
    struct smc_clc_decline_info d;
    struct smc_clc_accept_info a;
    struct smc_clc_proposal_info p;
    struct smc_parsed m = parsed_vector("decline_v1_sync", &bytes);
    ck_assert(smc_clc_decode_decline(&m, &d));
    ck_assert(d.out_of_sync);
    ck_assert_uint_eq(d.diagnosis, 0x04000000);
    ck_assert(!smc_clc_decode_accept(&m, &a));
    ck_assert(!smc_clc_decode_proposal(&m, &p));
    free(bytes);
    m = parsed_vector("decline_v2", &bytes);
    ck_assert(smc_clc_decode_decline(&m, &d));
    ck_assert_uint_eq(d.diagnosis, SMC_DIAG_NOUEID);
    ck_assert_uint_eq(d.os_type, SMC_OS_LINUX);
    free(bytes);
    m = parsed_vector("accept_r_v1", &bytes);
    ck_assert(!smc_clc_decode_decline(&m, &d));
    free(bytes);
}
END_TEST

/* The two forms of the first-contact extension, before a list of GIDs and without one [CLC-059]. */
START_TEST(the_length_tells_which_first_contact_extension_it_is)
{
    for (unsigned gids = 0; gids <= 3; gids++)
        for (unsigned fce = 36; fce <= 52; fce += 16) {
            uint8_t list[48] = {0}, buf[300];
            struct smc_clc_accept_info out, in = {.type = SMC_CLC_CONFIRM,
                                                  .version = 2,
                                                  .first_contact = true,
                                                  .has_eid = true,
                                                  .fce_len = (uint8_t)fce,
                                                  .max_conns = 255,
                                                  .has_gid_list = true,
                                                  .gid_count = gids,
                                                  .gids = smc_view_of(list, 16 * gids)};
            struct smc_parsed m;
            struct smc_reject why;
            if (fce == 36)
                in.max_conns = 0;
            size_t n = smc_clc_encode_accept(&in, buf, sizeof(buf));
            ck_assert_uint_eq(n, 108 + fce + 4 + 16 * gids);
            ck_assert(smc_clc_parse(smc_view_of(buf, n), &m, &why));
            ck_assert(smc_clc_decode_accept(&m, &out));
            ck_assert_uint_eq(out.fce_len, fce);
            ck_assert_uint_eq(out.gid_count, gids);
        }
}
END_TEST

START_TEST(a_confirm_without_gid_list_is_refused) /* [CLC-060] */
{
    uint8_t buf[300];
    struct smc_parsed m;
    struct smc_reject why;
    struct smc_clc_accept_info in = {.type = SMC_CLC_CONFIRM,
                                     .version = 2,
                                     .first_contact = true,
                                     .has_eid = true,
                                     .fce_len = 52};
    size_t n = smc_clc_encode_accept(&in, buf, sizeof(buf));
    ck_assert_uint_eq(n, 160);
    ck_assert(!smc_clc_parse(smc_view_of(buf, n), &m, &why));
    ck_assert_str_eq(why.rule, "CLC-060");
    in.fce_len = 0; /* F, and no extension at all [CLC-058] */
    in.type = SMC_CLC_ACCEPT;
    n = smc_clc_encode_accept(&in, buf, sizeof(buf));
    ck_assert(!smc_clc_parse(smc_view_of(buf, n), &m, &why));
    ck_assert_str_eq(why.rule, "CLC-058");
    in.path = SMC_PATH_D;
    n = smc_clc_encode_accept(&in, buf, sizeof(buf));
    ck_assert_uint_eq(n, 78);
    ck_assert(!smc_clc_parse(smc_view_of(buf, n), &m, &why));
    ck_assert_str_eq(why.rule, "CLC-057");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("clc");
    TCase *tc = tcase_create("clc");
    tcase_add_test(tc, a_stream_is_framed_byte_by_byte);
    tcase_add_test(tc, what_follows_a_message_is_left_alone);
    tcase_add_test(tc, a_header_that_no_message_has_is_refused_at_once);
    tcase_add_test(tc, bytes_that_cannot_become_an_eyecatcher_are_refused_before_there_are_eight);
    tcase_add_test(tc, one_changed_fact_gets_the_rule_it_breaks);
    tcase_add_test(tc, counts_beyond_their_maximum_are_refused_even_if_the_entries_are_there);
    tcase_add_test(tc, an_unknown_area_before_the_ip_area_is_skipped);
    tcase_add_test(tc, the_v2_proposal_offers_everything);
    tcase_add_test(tc, the_rfc_proposals_hold_their_subnet_or_prefixes);
    tcase_add_test(tc, the_smc_r_accepts_hold_what_the_tables_say);
    tcase_add_test(tc, the_smc_d_accepts_hold_what_the_tables_say);
    tcase_add_test(tc, declines_hold_their_diagnosis);
    tcase_add_test(tc, the_length_tells_which_first_contact_extension_it_is);
    tcase_add_test(tc, a_confirm_without_gid_list_is_refused);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(make_suite)

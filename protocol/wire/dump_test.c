/* Tests of the text dump.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire_test.h"

#include "wire/carrier_layouts.h"
#include "wire/clc.h"
#include "wire/dump.h"
#include "wire/llc.h"
#include "wire/smcd_record_layouts.h"

struct text {
    char s[65536];
    size_t n;
};

static struct text text; /* of the last dump */

static void put(void *ctx, const char *s, size_t n)
{
    struct text *t = ctx;
    ck_assert_uint_lt(t->n + n, sizeof(t->s));
    memcpy(t->s + t->n, s, n);
    t->n += n;
    t->s[t->n] = 0;
}

static const struct smc_sink sink = {put, &text};

static const char *dumped(const char *message, const uint8_t *p, size_t n)
{
    struct smc_parsed m;
    struct smc_reject why;
    text.n = 0;
    text.s[0] = 0;
    ck_assert(smc_message_parse(message_named(message), smc_view_of(p, n), &m, &why));
    smc_dump_message(&m, 0, sink);
    return text.s;
}

START_TEST(a_message_is_shown_line_by_line)
{
    const char *expected =
        "CLC Decline v2, 44 bytes\n"
        "  CLC Decline\n"
        "      0  eyecatcher                              SMCR\n"
        "      4  message type                            4 (Decline)\n"
        "      5  message length                          44\n"
        "      7  version                                 2\n"
        "      7  out of sync                             no\n"
        "      8  sender peer id, instance                0x3c4d\n"
        "     10  sender peer id, MAC                     02:00:5e:00:00:22\n"
        "     16  peer diagnosis information              0x03030008 (peer sent no UEID)\n"
        "     20  OS type                                 2 (Linux)\n"
        "  further diagnosis codes of a v2 Decline\n"
        "     24  diagnosis 1                             0x00000000\n"
        "     28  diagnosis 2                             0x00000000\n"
        "     32  diagnosis 3                             0x00000000\n"
        "     36  diagnosis 4                             0x00000000\n"
        "     40  end eyecatcher                          SMCR\n";
    const char *seen = dumped("clc_decline_v2", vector_decline_v2, sizeof(vector_decline_v2));
    ck_assert_str_eq(seen, expected);
}
END_TEST

static void check_field(void *ctx, const struct smc_walk *w)
{
    (void)ctx;
    if (w->f->shown != SMC_SHOW_RSVD)
        ck_assert_msg(strstr(text.s, w->f->title) != NULL, "%s", w->f->title);
}

START_TEST(every_field_of_every_example_is_shown)
{
    for (unsigned i = 0; i < NVECTORS; i++) {
        struct smc_parsed m;
        struct smc_reject why;
        if (!message_named(vectors[i].grammar))
            continue;
        dumped(vectors[i].grammar, vectors[i].bytes, vectors[i].size);
        ck_assert(smc_message_parse(message_named(vectors[i].grammar),
                                    smc_view_of(vectors[i].bytes, vectors[i].size), &m, &why));
        smc_message_walk(&m, check_field, NULL);
    }
}
END_TEST

START_TEST(repetitions_are_numbered)
{
    const char *s = dumped("clc_proposal_v2", vector_proposal_v2, sizeof(vector_proposal_v2));
    ck_assert_ptr_nonnull(strstr(s, "ISM GID and CHID 2 of 2\n"));
    ck_assert_ptr_nonnull(strstr(s, "\"FARM.UEID-01\"\n"));
    ck_assert_ptr_nonnull(strstr(s, "10.0.0.0\n"));
    ck_assert_ptr_nonnull(strstr(s, "::ffff:10.0.0.1\n"));
    ck_assert_ptr_nonnull(strstr(s, "1122334455667788\n"));
    ck_assert_ptr_null(strstr(s, "reserved"));
}
END_TEST

START_TEST(bytes_outside_the_fields_are_shown)
{
    uint8_t bytes[44];
    memcpy(bytes, vector_delete_rkey_v2, 44);
    ck_assert_ptr_nonnull(
        strstr(dumped("llc_delete_rkey_v2", bytes, 44), "     16  28 zero bytes\n"));
    bytes[40] = 0xab;
    const char *s = dumped("llc_delete_rkey_v2", bytes, 44);
    ck_assert_ptr_nonnull(strstr(s, "00 00 00 00 00 00 00 00 ab 00 00 00\n"));
    bytes[6] = 1; /* a reserved field that is not zero */
    ck_assert_ptr_nonnull(strstr(dumped("llc_delete_rkey_v2", bytes, 44), "reserved"));
    uint8_t record[smc_smcd_record_size + 70] = {1, SMC_RECORD_MOVE};
    memset(record + smc_smcd_record_size, 0x11, 70);
    s = dumped("smcd_record", record, sizeof(record));
    ck_assert_ptr_nonnull(strstr(s, "\n     60  11 11"));
    ck_assert_ptr_nonnull(strstr(s, "\n     92  11 11"));
    ck_assert_ptr_nonnull(strstr(s, "\n    124  11 11 11 11 11 11\n"));
}
END_TEST

static const char *value(const struct smc_layout *layout, unsigned field, const uint8_t *p)
{
    text.n = 0;
    text.s[0] = 0;
    smc_dump_value(&layout->fields[field], p, sink);
    return text.s;
}

START_TEST(addresses_are_written_as_people_do)
{
    static const struct {
        uint8_t bytes[16];
        const char *text;
    } cases[] = {
        {{0}, "::"},
        {{[15] = 1}, "::1"},
        {{0xfe, 0x80, [8] = 0x50, 0x54, 0, 0xff, 0xfe, 0x12, 0x34, 0x56},
         "fe80::5054:ff:fe12:3456"},
        {{0x20, 1, 0xd, 0xb8, [15] = 0}, "2001:db8::"},
        {{0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0, 5}, "1:0:2::3:4:5"},
        {{0, 1, 0, 0, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7}, "1:0:2:3:4:5:6:7"},
        {{0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 0, 0, 6, 0, 7}, "::2:3:0:0:6:7"},
        {{[10] = 0xff, 0xff, 10, 0, 0, 255}, "::ffff:10.0.0.255"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_str_eq(value(&smc_clc_gid_layout, smc_clc_gid_i_gid, cases[i].bytes),
                         cases[i].text);
}
END_TEST

START_TEST(values_are_written_as_their_kind_says)
{
    uint8_t p[64] = {0};
    memcpy(p, "a\"b\\\x01", 5);
    ck_assert_str_eq(value(&smc_clc_eid_layout, smc_clc_eid_i_eid, p), "\"a\\x22b\\x5c\\x01\"");
    ck_assert_str_eq(value(&smc_clc_eid_layout, smc_clc_eid_i_eid, p + 32), "\"\"");
    ck_assert_str_eq(value(&smc_clc_trailer_layout, 0, smc_eyecatcher_d), "SMCD");
    ck_assert_str_eq(value(&smc_clc_trailer_layout, 0, (const uint8_t *)"\xe2\xd4\xc3\x00"),
                     "e2d4c300");
    ck_assert_str_eq(value(&smc_bth_layout, smc_bth_i_psn, vector_cdc_first), "0x000000");
    ck_assert_str_eq(value(&smc_bth_layout, smc_bth_i_opcode, (const uint8_t *)"\x81"),
                     "0x81 (CNP)");
    ck_assert_str_eq(value(&smc_vlan_layout, smc_vlan_i_dei, (const uint8_t *)"\x10\0\0"), "yes");
    ck_assert_str_eq(value(&smc_clc_header_layout, smc_clc_header_i_flags, vector_accept_r_v1),
                     "0x8");
}
END_TEST

START_TEST(a_carrier_and_a_rejection_have_their_text)
{
    static const uint8_t vlan[4] = {0x20, 0x05, 0x08, 0x00};
    struct smc_reject why = {
        .offset = 5, .field = "length", .rule = "CLC-008", .what = "too short", .seen = 7};
    text.n = 0;
    smc_dump_layout(&smc_vlan_layout, vlan, 14, 2, sink);
    ck_assert_ptr_nonnull(strstr(text.s, "     14  VLAN id                                 5\n"));
    ck_assert_ptr_nonnull(
        strstr(text.s, "     16  EtherType                               0x0800 (IPv4)\n"));
    text.n = 0;
    smc_dump_reject(&why, sink);
    ck_assert_str_eq(text.s, "offset 5 (length), CLC-008: too short; seen 0x7");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("dump");
    TCase *tc = tcase_create("dump");
    tcase_add_test(tc, a_message_is_shown_line_by_line);
    tcase_add_test(tc, every_field_of_every_example_is_shown);
    tcase_add_test(tc, repetitions_are_numbered);
    tcase_add_test(tc, bytes_outside_the_fields_are_shown);
    tcase_add_test(tc, addresses_are_written_as_people_do);
    tcase_add_test(tc, values_are_written_as_their_kind_says);
    tcase_add_test(tc, a_carrier_and_a_rejection_have_their_text);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(make_suite)

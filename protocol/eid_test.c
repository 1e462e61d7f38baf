/* Enterprise ids: syntax, a server's choice, an endpoint's list.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "eid.h"

#include "core.h"
#include "testing/check_main.h"

/* [CLC-063] */
START_TEST(the_syntax_of_a_ueid)
{
    static const char *const good[] = {"A", "0", "Z9", "FARM.UEID-01", "A..--", "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", "A   ", "9-"};
    static const char *const bad[] = {"", " A", ".A", "-A", "a", "Aa", "A_B", "A B", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456", "A\x80", "\xc3\x84", "A\n", " "};
    uint8_t eid[SMC_CLC_EID_BYTES];
    for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_msg(smc_eid_from_text(good[i], eid), "%s", good[i]);
        ck_assert_mem_eq(eid, good[i], strlen(good[i]));
        for (size_t k = strlen(good[i]); k < sizeof(eid); k++)
            ck_assert_uint_eq(eid[k], ' ');
    }
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!smc_eid_from_text(bad[i], eid), "%s", bad[i]);
}
END_TEST

/* Every byte at every place against the rule, said another way. */
START_TEST(every_byte_at_every_place)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", rest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    for (unsigned at = 0; at < SMC_CLC_EID_BYTES; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            uint8_t eid[SMC_CLC_EID_BYTES];
            memset(eid, 'X', sizeof(eid));
            eid[at] = (uint8_t)byte;
            bool allowed = byte != 0 && strchr(at == 0 ? first : rest, (int)byte) != NULL;
            bool blank_at_end = byte == ' ' && at == SMC_CLC_EID_BYTES - 1;
            if (smc_eid_valid(eid) != (allowed || blank_at_end))
                ck_abort_msg("byte %u at %u", byte, at);
        }
    }
}
END_TEST

static uint8_t pool[4][SMC_CLC_EID_BYTES];

static void fill_pool(void)
{
    static const char *const names[] = {"UEID-A", "UEID-B", "UEID-C", "IBM-SYSZ-ISMSEID000000001A2B8561"};
    for (unsigned i = 0; i < 4; i++)
        ck_assert(smc_eid_from_text(names[i], pool[i]));
}

/* The `code`-th ordered selection of at most two of three UEIDs. */
static unsigned pick(unsigned code, uint8_t out[2][SMC_CLC_EID_BYTES], int which[2])
{
    static const int lists[10][2] = {{-1, -1}, {0, -1}, {1, -1}, {2, -1}, {0, 1}, {1, 0}, {0, 2}, {2, 0}, {1, 2}, {2, 1}};
    unsigned n = 0;
    for (unsigned i = 0; i < 2; i++) {
        which[i] = lists[code][i];
        if (which[i] >= 0)
            memcpy(out[n++], pool[which[i]], SMC_CLC_EID_BYTES);
    }
    return n;
}

/* 10 lists of the server × 10 of the client × SEID enabled or not × valid or not × equal or not × D extension × path. [CLC-062] */
START_TEST(every_combination_of_lists_and_seids)
{
    unsigned seen[2] = {0};
    fill_pool();
    for (unsigned code = 0; code < 10 * 10 * 32; code++) {
        uint8_t own[2][SMC_CLC_EID_BYTES], out[SMC_CLC_EID_BYTES];
        int mine[2], theirs[2];
        struct smc_clc_proposal_info p = {0};
        bool enabled = code & 1, valid = code & 2, equal = code & 4, ext = code & 8, smc_d = code & 16;
        struct smc_eids eids = {.ueids = (const uint8_t(*)[SMC_CLC_EID_BYTES])own,
                                .ueid_count = pick(code / 32 % 10, own, mine),
                                .seid_enabled = enabled,
                                .seid = pool[3]};
        p.eid_count = (uint8_t)pick(code / 320, p.eids, theirs);
        p.seid_valid = valid;
        p.has_d_ext = ext;
        if (equal)
            memcpy(p.seid, pool[3], sizeof(p.seid));
        int expected = -1;
        for (int i = 0; i < 2 && expected < 0; i++) /* the client's order */
            if (theirs[i] >= 0 && (theirs[i] == mine[0] || theirs[i] == mine[1]))
                expected = theirs[i];
        if (smc_d && enabled && valid && equal && ext)
            expected = 3;
        bool found = smc_eid_choose(&eids, &p, smc_d, out);
        if (found != (expected >= 0) || (found && memcmp(out, pool[expected], sizeof(out)) != 0))
            ck_abort_msg("case %u", code);
        if (found && !smc_eid_offered(&p, smc_d, out)) /* [CLC-061]: what a server picks, the client has offered */
            ck_abort_msg("case %u: chosen, not offered", code);
        seen[found]++;
    }
    ck_assert_uint_gt(seen[0], 500);
    ck_assert_uint_gt(seen[1], 500);
}
END_TEST

START_TEST(only_what_was_offered_is_accepted)
{
    struct smc_clc_proposal_info p = {.eid_count = 2, .seid_valid = true, .has_d_ext = true};
    fill_pool();
    memcpy(p.eids[0], pool[0], 32);
    memcpy(p.eids[1], pool[1], 32);
    memcpy(p.seid, pool[3], 32);
    ck_assert(smc_eid_offered(&p, false, pool[0]) && smc_eid_offered(&p, true, pool[1]));
    ck_assert(!smc_eid_offered(&p, false, pool[2]) && !smc_eid_offered(&p, true, pool[2]));
    ck_assert(smc_eid_offered(&p, true, pool[3]) && !smc_eid_offered(&p, false, pool[3])); /* a SEID is SMC-D's alone */
    p.seid_valid = false;
    ck_assert(!smc_eid_offered(&p, true, pool[3]));
    p.eid_count = 255; /* hostile: nothing beyond the array is read */
    ck_assert(!smc_eid_offered(&p, true, pool[2]));
}
END_TEST

START_TEST(an_endpoint_keeps_eight_in_order)
{
    static struct smc_endpoint ep;
    char text[] = "UEID-0";
    for (unsigned i = 0; i < 8; i++) {
        text[5] = (char)('0' + i);
        ck_assert_int_eq(smc_endpoint_add_ueid(&ep, text), 0);
        ck_assert_int_eq(smc_endpoint_add_ueid(&ep, text), SMC_ERR_EXISTS);
    }
    ck_assert_int_eq(smc_endpoint_add_ueid(&ep, "UEID-8"), SMC_ERR_NOSPACE);
    ck_assert_int_eq(smc_endpoint_add_ueid(&ep, "ueid"), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(smc_endpoint_remove_ueid(&ep, "UEID-8"), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(smc_endpoint_remove_ueid(&ep, "UEID-3 "), 0); /* padding is no part of it */
    ck_assert_int_eq(smc_endpoint_remove_ueid(&ep, "?"), SMC_ERR_ARGUMENT);
    ck_assert_uint_eq(ep.ueid_count, 7);
    ck_assert_mem_eq(ep.ueids[2], "UEID-2 ", 7);
    ck_assert_mem_eq(ep.ueids[3], "UEID-4 ", 7);
    ck_assert_mem_eq(ep.ueids[6], "UEID-7 ", 7);
    ck_assert_int_eq(smc_endpoint_add_ueid(&ep, "UEID-3"), 0);
    ck_assert_mem_eq(ep.ueids[7], "UEID-3 ", 7);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("eid");
    TCase *t = tcase_create("eid");
    tcase_add_test(t, the_syntax_of_a_ueid);
    tcase_add_test(t, every_byte_at_every_place);
    tcase_add_test(t, every_combination_of_lists_and_seids);
    tcase_add_test(t, only_what_was_offered_is_accepted);
    tcase_add_test(t, an_endpoint_keeps_eight_in_order);
    suite_add_tcase(s, t);
    return s;
}
CHECK_MAIN(make_suite)

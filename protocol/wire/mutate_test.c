/* Tests of the mutator: it stays inside its buffer, repeats itself, and breaks what it should break.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "testing/check_main.h"

#include "wire/clc.h"
#include "wire/llc.h"
#include "wire/mutate.h"
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 20000, ROOM = 700 };

static size_t make_proposal(uint8_t *buffer)
{
    struct smc_clc_proposal_info info = {.version = 2, .typev1 = SMC_MODES_R, .typev2 = SMC_MODES_BOTH,
                                         .has_smcd_area = true, .has_ip_area = true, .prefix_count = 2,
                                         .has_v2_ext = true, .eid_count = 2, .gid_count = 2, .release = 1,
                                         .has_d_ext = true};
    return smc_clc_encode_proposal(&info, buffer, ROOM);
}

/* Mutates in a block of exactly `max` bytes, so that the sanitizer sees any access outside; a guard without it. */
static size_t mutate(const uint8_t *in, size_t size, size_t max, uint64_t seed, uint8_t *out)
{
    uint8_t *block = malloc(max + 8);
    size_t n;
    ck_assert_ptr_nonnull(block);
    memcpy(block, in, size);
    memset(block + max, 0x5a, 8);
    n = smc_mutate(block, size, max, seed);
    ck_assert_uint_le(n, max);
    for (unsigned i = 0; i < 8; i++)
        ck_assert_uint_eq(block[max + i], 0x5a);
    memcpy(out, block, n);
    free(block);
    return n;
}

START_TEST(stays_inside_the_buffer)
{
    uint8_t message[ROOM], out[ROOM];
    size_t size = make_proposal(message);
    ck_assert_uint_gt(size, 200);
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        size_t cut = seed % (size + 1);
        size_t n = mutate(message, cut, cut + seed % 50, seed, out);
        ck_assert_uint_eq(n == 0, cut + seed % 50 == 0);
    }
}
END_TEST

START_TEST(same_seed_same_bytes)
{
    uint8_t message[ROOM], first[ROOM], second[ROOM];
    size_t size = make_proposal(message);
    for (uint64_t seed = 0; seed < 1000; seed++) {
        size_t n = mutate(message, size, ROOM, seed, first);
        ck_assert_uint_eq(mutate(message, size, ROOM, seed, second), n);
        ck_assert_mem_eq(first, second, n);
    }
}
END_TEST

/* What the parser says of many mutations of one message. */
struct tally {
    unsigned accepted, changed, grown, shrunk, repaired;
    const char *rules[64]; /* those that rejections named */
    unsigned nrules;
};

static void note_rule(struct tally *t, const char *rule)
{
    for (unsigned i = 0; i < t->nrules; i++)
        if (strcmp(t->rules[i], rule) == 0)
            return;
    if (t->nrules < 64)
        t->rules[t->nrules++] = rule;
}

static struct tally tally_proposals(void)
{
    struct tally t = {0};
    uint8_t message[ROOM], out[ROOM];
    size_t size = make_proposal(message);
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        struct smc_parsed parsed;
        struct smc_reject why;
        size_t n = mutate(message, size, ROOM, seed, out);
        bool ok = smc_clc_parse(smc_view_of(out, n), &parsed, &why);
        t.accepted += ok;
        t.changed += n != size || memcmp(out, message, n) != 0;
        t.grown += n > size;
        t.shrunk += n < size;
        t.repaired += n != size && n > 8 && smc_load_be(out + 5, 2) == n;
        if (!ok)
            note_rule(&t, why.rule);
    }
    return t;
}

START_TEST(reaches_both_sides_of_the_parser)
{
    struct tally t = tally_proposals();
    ck_assert_uint_gt(t.changed, ROUNDS * 7 / 10);
    ck_assert_uint_gt(t.accepted, ROUNDS / 10);
    ck_assert_uint_lt(t.accepted, ROUNDS * 8 / 10);
    ck_assert_uint_gt(t.nrules, 12);
}
END_TEST

START_TEST(moves_sizes_with_and_without_the_length_field)
{
    struct tally t = tally_proposals();
    ck_assert_uint_gt(t.grown, ROUNDS / 50);
    ck_assert_uint_gt(t.shrunk, ROUNDS / 50);
    ck_assert_uint_gt(t.repaired, (t.grown + t.shrunk) / 5);
    ck_assert_uint_lt(t.repaired, (t.grown + t.shrunk) * 4 / 5);
}
END_TEST

/* A message inside something else (a capture) is found and changed in place. */
START_TEST(finds_a_message_inside_a_larger_buffer)
{
    uint8_t buffer[ROOM], out[ROOM];
    unsigned inside = 0;
    memset(buffer, 0x11, sizeof buffer);
    memset(buffer + 300, 0, 44);
    buffer[300] = SMC_LLC_ADD_LINK;
    buffer[301] = SMC_LLC_BYTES;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        ck_assert_uint_eq(mutate(buffer, sizeof buffer, ROOM, seed, out), sizeof buffer);
        inside += memcmp(out, buffer, 300) == 0 && memcmp(out + 344, buffer + 344, ROOM - 344) == 0;
    }
    ck_assert_uint_gt(inside, 900);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("mutate");
    TCase *tests = tcase_create("mutate");
    tcase_add_test(tests, stays_inside_the_buffer);
    tcase_add_test(tests, same_seed_same_bytes);
    tcase_add_test(tests, reaches_both_sides_of_the_parser);
    tcase_add_test(tests, moves_sizes_with_and_without_the_length_field);
    tcase_add_test(tests, finds_a_message_inside_a_larger_buffer);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)

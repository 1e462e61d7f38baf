/* Tests of the grammars and of what interprets them.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire_test.h"

#include "wire/cdc.h"
#include "wire/clc.h"
#include "wire/llc.h"

START_TEST(every_vector_is_the_message_it_is_named_after)
{
    unsigned parsed = 0;
    for (unsigned i = 0; i < NVECTORS; i++) {
        const struct smc_message *message = message_named(vectors[i].grammar);
        struct smc_parsed m;
        struct smc_reject why;
        if (vectors[i].grammar[0] == 0)
            continue;
        ck_assert_ptr_nonnull(message);
        uint8_t *p = exactly(vectors[i].bytes, vectors[i].size);
        ck_assert_msg(smc_message_parse(message, smc_view_of(p, vectors[i].size), &m, &why),
                      "%s: %s", vectors[i].name, why.what);
        check_parse(true, &m, &why);
        parsed++;
        free(p);
    }
    ck_assert_uint_ge(parsed, 35);
}
END_TEST

/* As a receiver does: CLC has a length field that tells a whole message from a cut one. */
static bool receive(const struct smc_message *message, struct smc_view bytes, struct smc_parsed *m,
                    struct smc_reject *why)
{
    return strncmp(message->name, "clc_", 4) == 0 ? smc_clc_parse(bytes, m, why)
                                                  : smc_message_parse(message, bytes, m, why);
}

START_TEST(every_cut_of_every_vector_is_refused)
{
    for (unsigned i = 0; i < NVECTORS; i++) {
        const struct smc_message *message = message_named(vectors[i].grammar);
        for (size_t n = 0; message && n < vectors[i].size; n++) {
            uint8_t *p = exactly(vectors[i].bytes, n);
            struct smc_parsed m;
            struct smc_reject why;
            bool parsed = receive(message, smc_view_of(p, n), &m, &why);
            check_parse(parsed, &m, &why);
            /* A v2 LLC message may end earlier: its entries then are fewer than counted [LLC-076]. */
            ck_assert_msg(!parsed || (message->end == SMC_END_PAD && n >= SMC_LLC_BYTES),
                          "%s at %zu", vectors[i].name, n);
            free(p);
        }
    }
}
END_TEST

START_TEST(exact_messages_refuse_one_byte_more)
{
    for (unsigned i = 0; i < NVECTORS; i++) {
        const struct smc_message *message = message_named(vectors[i].grammar);
        if (!message || message->end != SMC_END_EXACT)
            continue;
        uint8_t *p = calloc(1, vectors[i].size + 1);
        ck_assert_ptr_nonnull(p);
        memcpy(p, vectors[i].bytes, vectors[i].size);
        struct smc_parsed m;
        struct smc_reject why;
        ck_assert_msg(!smc_message_parse(message, smc_view_of(p, vectors[i].size + 1), &m, &why),
                      "%s", vectors[i].name);
        ck_assert_str_eq(why.rule, message->end_rule);
        free(p);
    }
}
END_TEST

static unsigned matching(const struct smc_message *const *family, uint8_t *bytes, size_t n)
{
    unsigned count = 0;
    const struct smc_message *none[2] = {NULL, NULL};
    for (; *family; family++) {
        none[0] = *family;
        count += smc_message_find(none, smc_view_of(bytes, n)) != NULL;
    }
    return count;
}

START_TEST(at_most_one_clc_and_one_llc_message_matches)
{
    uint8_t bytes[8] = {0xe2, 0xd4, 0xc3, 0xd9, 0, 0, 68, 0};
    for (unsigned type = 0; type < 256; type++)
        for (unsigned flags = 0; flags < 256; flags++) {
            bytes[4] = (uint8_t)type;
            bytes[7] = (uint8_t)flags;
            ck_assert_uint_le(matching(smc_clc_messages, bytes, sizeof(bytes)), 1);
        }
    for (unsigned type = 0; type < 256; type++) {
        bytes[0] = (uint8_t)type;
        ck_assert_uint_le(matching(smc_llc_messages, bytes, 4), 1);
    }
}
END_TEST

/* The tables themselves: what an interpreter relies on. */
static void check_term(const struct smc_message *message, const struct smc_term *t)
{
    if (t->kind == SMC_TERM_NONE || t->kind == SMC_TERM_ROOM)
        return;
    ck_assert_msg(t->layout && t->field < t->layout->nfields, "%s", message->name);
    ck_assert_int_ne(t->layout->fields[t->field].kind, SMC_BYTES);
}

static void check_grammar(const struct smc_message *message)
{
    ck_assert_uint_le(message->nparts, SMC_MESSAGE_PARTS);
    ck_assert_uint_gt(message->nparts, 0);
    ck_assert_uint_le(message->min, message->max);
    ck_assert_ptr_nonnull(message->end_rule);
    for (unsigned i = 0; i < SMC_MESSAGE_TERMS; i++) {
        check_term(message, &message->match[i]);
        ck_assert(message->match[i].kind == SMC_TERM_NONE ||
                  message->match[i].layout == message->parts[0].layout);
    }
    for (unsigned i = 0; i < message->nparts; i++) {
        const struct smc_part *part = &message->parts[i];
        ck_assert_ptr_nonnull(part->layout);
        ck_assert_ptr_nonnull(part->rule);
        ck_assert((part->place == SMC_AT_FIELD) == (part->offset.layout != NULL));
        ck_assert_msg(part->place != SMC_TAIL || i + 1 == message->nparts, "%s", message->name);
        ck_assert(part->count.kind == SMC_COUNT_ONE || part->count.layout);
        for (unsigned k = 0; k < SMC_MESSAGE_TERMS; k++) {
            check_term(message, &part->when[k]);
            check_term(message, &part->must[k].when);
            check_term(message, &part->must[k].holds);
        }
    }
}

START_TEST(every_grammar_can_be_interpreted)
{
    for (unsigned i = 0; smc_message_families[i]; i++)
        for (unsigned k = 0; smc_message_families[i][k]; k++)
            check_grammar(smc_message_families[i][k]);
}
END_TEST

struct seen {
    unsigned fields, repeated;
    size_t covered;
    bool eid;
};

static void see_field(void *ctx, const struct smc_walk *w)
{
    struct seen *seen = ctx;
    seen->fields++;
    seen->repeated += w->repeated;
    if (w->field == 0)
        seen->covered += w->layout->size;
    if (w->layout == &smc_clc_gid_chid_layout && w->index == 1 &&
        w->field == smc_clc_gid_chid_i_chid) {
        ck_assert_uint_eq(w->offset, 226);
        ck_assert_uint_eq(w->value, 0xffff);
        ck_assert_uint_eq(w->count, 2);
        ck_assert_uint_eq(smc_view_len(w->bytes), 2);
        seen->eid = true;
    }
}

static void see_gap(void *ctx, size_t offset, struct smc_view bytes)
{
    struct seen *seen = ctx;
    ck_assert_uint_lt(offset, 700);
    seen->covered += smc_view_len(bytes);
}

START_TEST(fields_and_gaps_together_are_the_whole_message)
{
    for (unsigned i = 0; i < NVECTORS; i++) {
        const struct smc_message *message = message_named(vectors[i].grammar);
        struct seen seen = {0};
        struct smc_parsed m;
        struct smc_reject why;
        if (!message)
            continue;
        ck_assert(
            smc_message_parse(message, smc_view_of(vectors[i].bytes, vectors[i].size), &m, &why));
        smc_message_walk(&m, see_field, &seen);
        smc_message_gaps(&m, see_gap, &seen);
        ck_assert_uint_eq(seen.covered, vectors[i].size);
        ck_assert_int_eq(seen.eid, strcmp(vectors[i].name, "proposal_v2") == 0);
    }
}
END_TEST

START_TEST(parts_are_found_by_layout_and_index)
{
    struct smc_parsed m;
    struct smc_reject why;
    struct smc_clc_gid_chid entry;
    struct smc_view v = smc_view_of(vector_proposal_v2, sizeof(vector_proposal_v2));
    ck_assert(smc_clc_parse(v, &m, &why));
    ck_assert_uint_eq(smc_part_count(&m, &smc_clc_gid_chid_layout), 2);
    ck_assert(SMC_PART(&m, clc_gid_chid, 1, &entry));
    ck_assert_ptr_eq(entry.p, vector_proposal_v2 + 218);
    ck_assert(!SMC_PART(&m, clc_gid_chid, 2, &entry));
    ck_assert(!smc_part_find(&m, &smc_clc_fce_layout, 0));
    ck_assert_uint_eq(smc_part_count(&m, &smc_clc_fce_layout), 0);
}
END_TEST

START_TEST(a_count_in_either_byte_order_is_read_as_what_fits)
{
    static const struct {
        unsigned read, fits, use, announced, order;
    } cases[] = {
        {0x0001, 1, 1, 1, SMC_FITS_BE},
        {0x0100, 1, 1, 1, SMC_FITS_LE},
        {0x0101, 257, 257, 257, SMC_FITS_BOTH},
        {0, 0, 0, 0, SMC_FITS_BOTH},
        {0x0500, 2, 2, 5, SMC_FITS_NONE},
        {0x0005, 2, 2, 5, SMC_FITS_NONE},
        {0x0001, 3, 1, 1, SMC_FITS_BE},
        {0x0100, 3, 1, 1, SMC_FITS_LE},
        {0xffff, 1, 1, 0xffff, SMC_FITS_NONE},
        {0x0100, 256, 256, 256, SMC_FITS_BE},
        {0, 5, 0, 0, SMC_FITS_BE},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned announced, order;
        ck_assert_uint_eq(smc_count_either(cases[i].read, cases[i].fits, &announced, &order),
                          cases[i].use);
        ck_assert_uint_eq(announced, cases[i].announced);
        ck_assert_uint_eq(order, cases[i].order);
    }
}
END_TEST

/* Every grammar against bytes that are nearly right: vectors with some bytes changed and another length. */
START_TEST(no_bytes_lead_a_parser_outside_the_message)
{
    uint64_t seed = 3;
    unsigned accepted = 0, refused = 0;
    for (unsigned round = 0; round < 40000; round++) {
        const struct vector *v = &vectors[next_random(&seed) % NVECTORS];
        const struct smc_message *message = message_named(v->grammar);
        size_t n = v->size + (next_random(&seed) % 4 == 0 ? next_random(&seed) % 64 : 0);
        uint8_t *p = calloc(1, n);
        struct smc_parsed m;
        struct smc_reject why;
        ck_assert_ptr_nonnull(p);
        memcpy(p, v->bytes, v->size);
        for (unsigned k = (unsigned)(next_random(&seed) % 4); k > 0; k--)
            p[next_random(&seed) % n] = (uint8_t)(next_random(&seed) >> 24);
        bool parsed = message && smc_message_parse(message, smc_view_of(p, n), &m, &why);
        if (message)
            check_parse(parsed, &m, &why);
        accepted += parsed;
        refused += !parsed;
        free(p);
    }
    ck_assert_uint_gt(accepted, 4000);
    ck_assert_uint_gt(refused, 4000);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("message");
    TCase *tc = tcase_create("message");
    tcase_add_test(tc, every_vector_is_the_message_it_is_named_after);
    tcase_add_test(tc, every_cut_of_every_vector_is_refused);
    tcase_add_test(tc, exact_messages_refuse_one_byte_more);
    tcase_add_test(tc, at_most_one_clc_and_one_llc_message_matches);
    tcase_add_test(tc, every_grammar_can_be_interpreted);
    tcase_add_test(tc, fields_and_gaps_together_are_the_whole_message);
    tcase_add_test(tc, parts_are_found_by_layout_and_index);
    tcase_add_test(tc, a_count_in_either_byte_order_is_read_as_what_fits);
    tcase_add_test(tc, no_bytes_lead_a_parser_outside_the_message);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(make_suite)

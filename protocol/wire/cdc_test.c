/* Tests of CDC, the SMC-D CDC block and the SMC-D record.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire_test.h"

#include "wire/cdc.h"

static struct smc_cdc parsed(const uint8_t *p)
{
    struct smc_cdc h;
    struct smc_reject why;
    ck_assert(smc_cdc_parse(smc_view_of(p, 44), &h, &why));
    return h;
}

START_TEST(the_examples_hold_their_cursors_and_flags)
{
    struct smc_cdc h = parsed(vector_cdc_first);
    ck_assert_uint_eq(smc_cdc_seqno(h), 1);
    ck_assert_uint_eq(smc_cdc_token(h), 7);
    ck_assert_uint_eq(smc_cdc_prod_count(h), 1000);
    h = parsed(vector_cdc_blocked);
    ck_assert(smc_cdc_writer_blocked(h) && !smc_cdc_urgent_pending(h));
    ck_assert_uint_eq(smc_cdc_prod_wrap(h), 2);
    ck_assert_uint_eq(smc_cdc_cons_wrap(h), 1);
    ck_assert_uint_eq(smc_cdc_cons_count(h), 1000);
    h = parsed(vector_cdc_failover);
    ck_assert(smc_cdc_failover_validation(h));
    ck_assert_uint_eq(smc_cdc_seqno(h), 15);
    h = parsed(vector_cdc_closed);
    ck_assert(smc_cdc_closed(h) && !smc_cdc_sending_done(h) && !smc_cdc_abnormal_close(h));
}
END_TEST

static void refused(const uint8_t *bytes, size_t n, const char *rule)
{
    uint8_t *p = exactly(bytes, n);
    struct smc_cdc h;
    struct smc_reject why = {0};
    ck_assert(!smc_cdc_parse(smc_view_of(p, n), &h, &why));
    ck_assert_str_eq(why.rule, rule);
    free(p);
}

START_TEST(cdc_is_44_bytes_of_type_fe) /* [CDC-001] [LLC-005] */
{
    uint8_t bytes[48] = {0};
    memcpy(bytes, vector_cdc_first, 44);
    for (size_t n = 0; n < 44; n++)
        refused(bytes, n, "CDC-001");
    refused(bytes, 48, "CDC-001");
    bytes[1] = 43;
    refused(bytes, 44, "CDC-001");
    bytes[0] = 0xc0;
    refused(bytes, 44, "LLC-005");
}
END_TEST

/* ---- SMC-D ---- */
START_TEST(the_block_is_the_same_in_both_byte_orders)
{
    struct smc_smcd_cdc_be_fields le, be;
    struct smc_reject why;
    ck_assert(smc_smcd_cdc_parse(smc_view_of(vector_smcd_cdc_le, 32), SMC_ORDER_LITTLE, &le, &why));
    ck_assert(smc_smcd_cdc_parse(smc_view_of(vector_smcd_cdc_be, 32), SMC_ORDER_BIG, &be, &why));
    ck_assert_uint_eq(le.prod_count, 1000);
    ck_assert_uint_eq(be.prod_count, 1000);
    ck_assert(smc_smcd_cdc_parse(smc_view_of(vector_smcd_cdc_le, 32), SMC_ORDER_BIG, &be, &why));
    ck_assert_uint_eq(be.prod_count, 0xe8030000);
}
END_TEST

START_TEST(a_block_survives_writing_and_reading)
{
    uint64_t seed = 11;
    for (unsigned round = 0; round < 2000; round++) {
        enum smc_record_order order = round % 2 ? SMC_ORDER_BIG : SMC_ORDER_LITTLE;
        uint8_t bytes[32], again[32];
        struct smc_smcd_cdc_be_fields fields;
        struct smc_reject why;
        random_bytes(&seed, bytes, sizeof(bytes));
        bytes[0] = SMC_CDC_TYPE;
        ck_assert(smc_smcd_cdc_parse(smc_view_of(bytes, 32), order, &fields, &why));
        smc_smcd_cdc_write(&fields, order, again);
        ck_assert_mem_eq(bytes, again, 32);
    }
}
END_TEST

START_TEST(a_block_of_another_size_or_type_is_refused) /* [SMCD-001] */
{
    struct smc_smcd_cdc_be_fields fields;
    struct smc_reject why = {0};
    uint8_t *p = exactly(vector_smcd_cdc_le, 31);
    ck_assert(!smc_smcd_cdc_parse(smc_view_of(p, 31), SMC_ORDER_LITTLE, &fields, &why));
    ck_assert_str_eq(why.rule, "SMCD-001");
    free(p);
    uint8_t bytes[32] = {0xfd};
    ck_assert(!smc_smcd_cdc_parse(smc_view_of(bytes, 32), SMC_ORDER_BIG, &fields, &why));
    ck_assert_uint_eq(why.seen, 0xfd);
}
END_TEST

/* ---- record ---- */
static size_t make_record(uint8_t *p, unsigned operation, unsigned total, unsigned from,
                          size_t data)
{
    struct smc_smcd_record_fields f = {.version = 1,
                                       .operation = (uint8_t)operation,
                                       .byte_order = SMC_ORDER_BIG,
                                       .token = 0x21,
                                       .total = total,
                                       .fragment_offset = from};
    smc_smcd_record_encode(&f, p);
    memset(p + smc_smcd_record_size, 0x5a, data);
    return smc_smcd_record_size + data;
}

static bool parse_record(const uint8_t *bytes, size_t n, size_t *data)
{
    uint8_t *p = exactly(bytes, n);
    struct smc_smcd_record h;
    struct smc_view view = {NULL, NULL};
    struct smc_reject why = {0};
    bool parsed = smc_smcd_record_parse(smc_view_of(p, n), &h, &view, &why);
    *data = parsed ? smc_view_len(view) : 0;
    if (!parsed)
        ck_assert_str_eq(why.rule, "FORMAT");
    free(p);
    return parsed;
}

START_TEST(a_record_has_the_data_of_its_fragment)
{
    uint8_t p[smc_smcd_record_size + 1500];
    size_t data;
    ck_assert(parse_record(p, make_record(p, SMC_RECORD_MOVE, 3000, 1400, 1400), &data));
    ck_assert_uint_eq(data, 1400);
    ck_assert(parse_record(p, make_record(p, SMC_RECORD_MOVE, 5, 0, 46), &data)); /* padded */
    ck_assert_uint_eq(data, 5);
    ck_assert(parse_record(p, make_record(p, SMC_RECORD_REGISTER, 65536, 0, 4), &data));
    ck_assert_uint_eq(data, 0);
}
END_TEST

START_TEST(records_that_cannot_be_are_refused)
{
    uint8_t p[smc_smcd_record_size + 1500];
    size_t data;
    ck_assert(!parse_record(p, make_record(p, SMC_RECORD_MOVE, 100, 101, 4), &data));
    ck_assert(!parse_record(p, make_record(p, SMC_RECORD_MOVE, 1500, 0, 1401), &data));
    ck_assert(!parse_record(p, make_record(p, 0, 0, 0, 0), &data));
    ck_assert(!parse_record(p, make_record(p, 8, 0, 0, 0), &data));
    size_t n = make_record(p, SMC_RECORD_SIGNAL, 0, 0, 0);
    ck_assert(!parse_record(p, n - 1, &data));
    p[0] = 2;
    ck_assert(!parse_record(p, n, &data));
    p[0] = 1;
    p[3] = 2;
    ck_assert(!parse_record(p, n, &data));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cdc");
    TCase *tc = tcase_create("cdc");
    tcase_add_test(tc, the_examples_hold_their_cursors_and_flags);
    tcase_add_test(tc, cdc_is_44_bytes_of_type_fe);
    tcase_add_test(tc, the_block_is_the_same_in_both_byte_orders);
    tcase_add_test(tc, a_block_survives_writing_and_reading);
    tcase_add_test(tc, a_block_of_another_size_or_type_is_refused);
    tcase_add_test(tc, a_record_has_the_data_of_its_fragment);
    tcase_add_test(tc, records_that_cannot_be_are_refused);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(make_suite)

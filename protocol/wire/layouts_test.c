/* Tests of the layouts: accessors, structs and descriptors say the same, and no bit is stated twice or left out.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire_test.h"

#include "wire/carrier_layouts.h"
#include "wire/cdc_layouts.h"
#include "wire/clc_layouts.h"
#include "wire/layouts.h"
#include "wire/llc_layouts.h"
#include "wire/smcd_record_layouts.h"

#define LAYOUTS(X)                                                                                 \
    X(clc_header)                                                                                  \
    X(clc_trailer) X(clc_proposal) X(clc_smcd_area) X(clc_ip_area) X(clc_ip6_prefix) X(clc_v2_ext) \
        X(clc_eid) X(clc_d_ext) X(clc_gid_chid) X(clc_accept_r) X(clc_accept_r_v2) X(clc_accept_d) \
            X(clc_accept_d_v1) X(clc_accept_d_v2) X(clc_fce) X(clc_fce_v2x) X(clc_gid_list)        \
                X(clc_gid) X(clc_decline) X(clc_decline_v2) X(tcp_option) X(llc_header)            \
                    X(llc_header_v2) X(llc_confirm_link) X(llc_add_link) X(llc_add_link_cont)      \
                        X(llc_delete_link) X(llc_confirm_rkey) X(llc_confirm_rkey_cont)            \
                            X(llc_test_link) X(llc_delete_rkey) X(llc_confirm_link_v2)             \
                                X(llc_add_link_v2) X(llc_delete_link_v2) X(llc_confirm_rkey_v2)    \
                                    X(llc_test_link_v2) X(llc_delete_rkey_v2) X(llc_rkey)          \
                                        X(llc_add_link_v2_ext) X(llc_rtoken)                       \
                                            X(llc_req_add_link_v2) X(cdc) X(smcd_cdc_le)           \
                                                X(smcd_cdc_be) X(smcd_record) X(eth) X(vlan)       \
                                                    X(sll) X(sll2) X(arp) X(ipv4) X(ipv6) X(nd)    \
                                                        X(nd_option) X(tcp) X(udp) X(bth) X(reth)  \
                                                            X(aeth) X(immdt) X(cnp) X(pause)       \
                                                                X(pfc) X(vxlan) X(gre) X(erspan)   \
                                                                    X(erspan3)

enum { MAX_LAYOUT = 128, ROUNDS = 200 };

struct typed {
    const struct smc_layout *layout;
    void (*again)(const uint8_t *from, uint8_t *to); /* decode, then encode */
};

#define AGAIN(L)                                                                                   \
    static void L##_again(const uint8_t *from, uint8_t *to)                                        \
    {                                                                                              \
        struct smc_##L h = {from};                                                                 \
        struct smc_##L##_fields fields;                                                            \
        smc_##L##_decode(h, &fields);                                                              \
        smc_##L##_encode(&fields, to);                                                             \
    }
LAYOUTS(AGAIN)
#define ROW(L) {&smc_##L##_layout, L##_again},
static const struct typed typed[] = {LAYOUTS(ROW)};
enum { COUNT = sizeof(typed) / sizeof(typed[0]) };

START_TEST(this_test_knows_every_layout)
{
    for (unsigned i = 0; smc_layouts[i]; i++) {
        bool found = false;
        for (unsigned k = 0; k < COUNT && !found; k++)
            found = typed[k].layout == smc_layouts[i];
        ck_assert_msg(found, "%s", smc_layouts[i]->name);
        ck_assert_uint_le(smc_layouts[i]->size, MAX_LAYOUT);
    }
}
END_TEST

static uint64_t bits_of(const struct smc_field *f)
{
    return f->mask ? f->mask : f->size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * f->size) - 1;
}

/* Counts how many fields claim each bit of a layout. */
static void count_bits(const struct smc_layout *l, uint8_t (*claims)[8])
{
    for (unsigned i = 0; i < l->nfields; i++) {
        const struct smc_field *f = &l->fields[i];
        for (unsigned bit = 0; bit < 8u * f->size; bit++) {
            unsigned byte = f->off + (f->kind == SMC_LEINT ? bit / 8 : f->size - 1 - bit / 8);
            bool mine = f->kind == SMC_BYTES || (bit < 64 && bits_of(f) >> bit & 1);
            claims[byte][bit % 8] = (uint8_t)(claims[byte][bit % 8] + mine);
        }
    }
}

START_TEST(every_bit_belongs_to_exactly_one_field)
{
    for (unsigned i = 0; i < COUNT; i++) {
        uint8_t claims[MAX_LAYOUT][8] = {{0}};
        count_bits(typed[i].layout, claims);
        for (unsigned byte = 0; byte < typed[i].layout->size; byte++)
            for (unsigned bit = 0; bit < 8; bit++)
                ck_assert_msg(claims[byte][bit] == 1, "%s: bit %u of byte %u is in %u fields",
                              typed[i].layout->name, bit, byte, claims[byte][bit]);
    }
}
END_TEST

START_TEST(encoding_what_was_decoded_gives_the_same_bytes)
{
    uint64_t seed = 1;
    for (unsigned i = 0; i < COUNT; i++) {
        size_t size = typed[i].layout->size;
        for (unsigned round = 0; round < ROUNDS; round++) {
            uint8_t before[MAX_LAYOUT], after[MAX_LAYOUT];
            random_bytes(&seed, before, size);
            memset(after, (int)round, sizeof(after));
            typed[i].again(before, after);
            ck_assert_msg(memcmp(before, after, size) == 0, "%s", typed[i].layout->name);
        }
    }
}
END_TEST

START_TEST(descriptors_read_and_write_what_the_accessors_do)
{
    uint64_t seed = 2;
    for (unsigned i = 0; i < COUNT; i++) {
        const struct smc_layout *l = typed[i].layout;
        uint8_t before[MAX_LAYOUT], after[MAX_LAYOUT] = {0};
        random_bytes(&seed, before, l->size);
        for (unsigned k = 0; k < l->nfields; k++) {
            const struct smc_field *f = &l->fields[k];
            if (f->kind == SMC_BYTES)
                memcpy(after + f->off, before + f->off, f->size);
            else
                smc_field_set(f, after, smc_field_get(f, before));
        }
        ck_assert_msg(memcmp(before, after, l->size) == 0, "%s", l->name);
    }
}
END_TEST

START_TEST(a_handle_is_made_only_where_all_its_bytes_are)
{
    uint8_t *p = exactly(vector_cdc_first, 44);
    struct smc_cdc h;
    ck_assert(smc_cdc_at(smc_view_of(p, 44), 0, &h));
    ck_assert_uint_eq(smc_cdc_prod_count(h), 1000);
    ck_assert(!smc_cdc_at(smc_view_of(p, 43), 0, &h));
    ck_assert(!smc_cdc_at(smc_view_of(p, 44), 1, &h));
    ck_assert(!smc_cdc_at(smc_view_of(p, 44), SIZE_MAX, &h));
    free(p);
}
END_TEST

START_TEST(a_view_never_leaves_its_parent)
{
    static const uint8_t bytes[8] = {0};
    struct smc_view v = smc_view_of(bytes, sizeof(bytes));
    ck_assert_uint_eq(smc_view_len(smc_view_sub(v, 3, 2)), 2);
    ck_assert_uint_eq(smc_view_len(smc_view_sub(v, 3, SIZE_MAX)), 5);
    ck_assert_uint_eq(smc_view_len(smc_view_sub(v, 9, 1)), 0);
    ck_assert_ptr_eq(smc_view_sub(v, SIZE_MAX, SIZE_MAX).p, bytes + 8);
}
END_TEST

START_TEST(values_have_names)
{
    const struct smc_field *type = &smc_clc_header_layout.fields[smc_clc_header_i_type];
    ck_assert_str_eq(smc_field_value_name(type, SMC_CLC_ACCEPT), "Accept");
    ck_assert_ptr_null(smc_field_value_name(type, 9));
    ck_assert_ptr_null(smc_field_value_name(&smc_cdc_layout.fields[smc_cdc_i_seqno], 1));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("layouts");
    TCase *tc = tcase_create("layouts");
    tcase_add_test(tc, this_test_knows_every_layout);
    tcase_add_test(tc, every_bit_belongs_to_exactly_one_field);
    tcase_add_test(tc, encoding_what_was_decoded_gives_the_same_bytes);
    tcase_add_test(tc, descriptors_read_and_write_what_the_accessors_do);
    tcase_add_test(tc, a_handle_is_made_only_where_all_its_bytes_are);
    tcase_add_test(tc, a_view_never_leaves_its_parent);
    tcase_add_test(tc, values_have_names);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(make_suite)

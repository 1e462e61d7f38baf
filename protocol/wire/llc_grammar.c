/* Grammars of the LLC messages.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * v1: exactly 44 bytes and the length byte says so [LLC-001]. v2: at least 44 bytes; the length field may be in either
 * byte order, so it bounds nothing [LLC-069, LLC-070, LLC-075]. */
#include "llc.h"

#define COUNT_OF(parts_) .nparts = sizeof(parts_) / sizeof((parts_)[0]), .parts = parts_

#define LLC_V1(L, title_, type_)                                                                   \
    static const struct smc_part L##_parts[] = {                                                   \
        {.layout = &smc_llc_##L##_layout,                                                          \
         .must = {{.holds = SMC_TERM(EQ, llc_##L, length, SMC_LLC_BYTES),                          \
                   .rule = "LLC-001",                                                              \
                   .what = "the length byte is not 44"}},                                          \
         .rule = "LLC-001"},                                                                       \
    };                                                                                             \
    static const struct smc_message llc_##L = {.name = "llc_" #L,                                  \
                                               .title = title_,                                    \
                                               .match = {SMC_TERM(EQ, llc_##L, type, type_)},      \
                                               .min = SMC_LLC_BYTES,                               \
                                               .max = SMC_LLC_BYTES,                               \
                                               .end_rule = "LLC-001",                              \
                                               COUNT_OF(L##_parts)};

LLC_V1(confirm_link, "CONFIRM LINK", SMC_LLC_CONFIRM_LINK)
LLC_V1(add_link, "ADD LINK", SMC_LLC_ADD_LINK)
LLC_V1(add_link_cont, "ADD LINK CONTINUATION", SMC_LLC_ADD_LINK_CONT)
LLC_V1(delete_link, "DELETE LINK", SMC_LLC_DELETE_LINK)
LLC_V1(confirm_rkey, "CONFIRM RKEY", SMC_LLC_CONFIRM_RKEY)
LLC_V1(test_link, "TEST LINK", SMC_LLC_TEST_LINK)
LLC_V1(confirm_rkey_cont, "CONFIRM RKEY CONTINUATION", SMC_LLC_CONFIRM_RKEY_CONT)
LLC_V1(delete_rkey, "DELETE RKEY", SMC_LLC_DELETE_RKEY)

static const struct smc_part confirm_link_v2_parts[] = {
    {.layout = &smc_llc_confirm_link_v2_layout, .rule = "LLC-069"},
};
static const struct smc_part delete_link_v2_parts[] = {
    {.layout = &smc_llc_delete_link_v2_layout, .rule = "LLC-069"},
};
static const struct smc_part confirm_rkey_v2_parts[] = {
    {.layout = &smc_llc_confirm_rkey_v2_layout, .rule = "LLC-069"},
};
static const struct smc_part test_link_v2_parts[] = {
    {.layout = &smc_llc_test_link_v2_layout, .rule = "LLC-069"},
};

/* A reject is 44 bytes, without the extension [LLC-077]. The count may exceed the entries [LLC-076]. */
static const struct smc_part add_link_v2_parts[] = {
    {.layout = &smc_llc_add_link_v2_layout, .rule = "LLC-069"},
    {.layout = &smc_llc_add_link_v2_ext_layout, .when = {SMC_ROOM(1)}, .rule = "LLC-070"},
    {.layout = &smc_llc_rtoken_layout,
     .count = SMC_COUNT(FIT_BOTH, llc_add_link_v2_ext, rkey_count, 0, NULL),
     .rule = "LLC-070"},
};

static const struct smc_part delete_rkey_v2_parts[] = {
    {.layout = &smc_llc_delete_rkey_v2_layout, .rule = "LLC-069"},
    {.layout = &smc_llc_rkey_layout,
     .count = SMC_COUNT(FIT, llc_delete_rkey_v2, count, 0, NULL),
     .rule = "LLC-070"},
};

/* The response has 44 bytes and counts no GID [LLC-078]. */
static const struct smc_part req_add_link_v2_parts[] = {
    {.layout = &smc_llc_req_add_link_v2_layout, .rule = "LLC-069"},
    {.layout = &smc_clc_gid_layout,
     .count = SMC_COUNT(FIT, llc_req_add_link_v2, gid_count, 0, NULL),
     .rule = "LLC-072"},
};

#define LLC_V2(L, title_, type_)                                                                   \
    static const struct smc_message llc_##L = {                                                    \
        .name = "llc_" #L,                                                                         \
        .title = title_,                                                                           \
        .match = {SMC_TERM(EQ, llc_##L, type, (type_) + SMC_LLC_V2_TYPE)},                         \
        .min = SMC_LLC_BYTES,                                                                      \
        .max = SMC_LLC_V2_MAX,                                                                     \
        .end = SMC_END_PAD,                                                                        \
        .end_rule = "LLC-069",                                                                     \
        COUNT_OF(L##_parts)};

LLC_V2(confirm_link_v2, "CONFIRM LINK v2", SMC_LLC_CONFIRM_LINK)
LLC_V2(add_link_v2, "ADD LINK v2", SMC_LLC_ADD_LINK)
LLC_V2(delete_link_v2, "DELETE LINK v2", SMC_LLC_DELETE_LINK)
LLC_V2(req_add_link_v2, "REQUEST ADD LINK v2", SMC_LLC_REQ_ADD_LINK)
LLC_V2(confirm_rkey_v2, "CONFIRM RKEY v2", SMC_LLC_CONFIRM_RKEY)
LLC_V2(test_link_v2, "TEST LINK v2", SMC_LLC_TEST_LINK)
LLC_V2(delete_rkey_v2, "DELETE RKEY v2", SMC_LLC_DELETE_RKEY)

const struct smc_message *const smc_llc_messages[] = {
    &llc_confirm_link,    &llc_add_link,     &llc_add_link_cont,     &llc_delete_link,
    &llc_confirm_rkey,    &llc_test_link,    &llc_confirm_rkey_cont, &llc_delete_rkey,
    &llc_confirm_link_v2, &llc_add_link_v2,  &llc_delete_link_v2,    &llc_req_add_link_v2,
    &llc_confirm_rkey_v2, &llc_test_link_v2, &llc_delete_rkey_v2,    NULL,
};

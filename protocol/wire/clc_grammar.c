/* Grammars of the CLC messages.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Offsets and counts come from the peer; every area is held inside the message by the interpreter (message.c).
 * Which id an area carries as its rule decides what a rejection says, so that id stands beside it. */
#include "clc.h"

#define TRAILER(id)                                                                                \
    {                                                                                              \
        .layout = &smc_clc_trailer_layout, .place = SMC_TAIL, .rule = id                           \
    }
#define COUNT_OF(parts_) .nparts = sizeof(parts_) / sizeof((parts_)[0]), .parts = parts_

enum { ANY_SIZE = 65535 }; /* of a length field */

/* ---- Proposal ---- */
#define OFFSET_AT_MOST_40 /* [CLC-016] CVE-2024-49571 */                                           \
    {                                                                                              \
        .holds = SMC_TERM(LE, clc_proposal, iparea_offset, 40), .rule = "CLC-016",                 \
        .what = "the offset to the IP area is more than 40"                                        \
    }
#define OFFSET_40_FOR_SMCD /* [CLC-017] */                                                         \
    {                                                                                              \
        .when = SMC_TERM(BITS, clc_proposal, typev1, SMC_MODES_D),                                 \
        .holds = SMC_TERM(EQ, clc_proposal, iparea_offset, 40), .rule = "CLC-017",                 \
        .what = "SMC-D v1 is offered and the offset to the IP area is not 40"                      \
    }

static const struct smc_part proposal_v1[] = {
    {.layout = &smc_clc_proposal_layout,
     .rule = "CLC-015",
     .must = {OFFSET_AT_MOST_40,
              OFFSET_40_FOR_SMCD,
              {.holds = SMC_TERM(NE, clc_proposal, typev1, SMC_MODES_NONE), /* [CLC-029] */
               .rule = "CLC-029",
               .what = "version 1 offers nothing"}}},
    {.layout = &smc_clc_smcd_area_layout,
     .when = {SMC_TERM(EQ, clc_proposal, iparea_offset, 40)},
     .rule = "CLC-015"},
    {.layout = &smc_clc_ip_area_layout,
     .place = SMC_AT_FIELD,
     .offset = SMC_TERM(NONE, clc_proposal, iparea_offset, 0),
     .rule = "CLC-015"},
    {.layout = &smc_clc_ip6_prefix_layout,
     .count = SMC_COUNT(FIELD, clc_ip_area, prefix_count, SMC_CLC_MAX_PREFIXES, "CLC-018"),
     .rule = "CLC-015"},
    TRAILER("CLC-015"),
};

/* typev2 is looked at here only: the version is 2 or more [CLC-028]. */
static const struct smc_part proposal_v2[] = {
    {.layout = &smc_clc_proposal_layout,
     .rule = "CLC-023",
     .must = {OFFSET_AT_MOST_40, OFFSET_40_FOR_SMCD}},
    {.layout = &smc_clc_smcd_area_layout,
     .when = {SMC_TERM(EQ, clc_proposal, iparea_offset, 40)},
     .rule = "CLC-023"},
    /* Without an IP area the offset is 0 [CLC-029] and the locator area follows at once. */
    {.layout = &smc_clc_smcd_area_layout,
     .when = {SMC_TERM(NE, clc_proposal, iparea_offset, 40),
              SMC_TERM(EQ, clc_proposal, typev1, SMC_MODES_NONE), SMC_ROOM(smc_clc_smcd_area_size)},
     .rule = "CLC-023"},
    {.layout = &smc_clc_ip_area_layout,
     .place = SMC_AT_FIELD,
     .when = {SMC_TERM(NE, clc_proposal, typev1, SMC_MODES_NONE)},
     .offset = SMC_TERM(NONE, clc_proposal, iparea_offset, 0),
     .rule = "CLC-023"},
    {.layout = &smc_clc_ip6_prefix_layout,
     .count = SMC_COUNT(FIELD, clc_ip_area, prefix_count, SMC_CLC_MAX_PREFIXES, "CLC-018"),
     .rule = "CLC-023"},
    {.layout = &smc_clc_v2_ext_layout,
     .place = SMC_AT_FIELD,
     .when = {SMC_TERM(NE, clc_proposal, typev2, SMC_MODES_NONE),
              SMC_TERM(NE, clc_smcd_area, v2_offset, 0)},
     .offset = SMC_TERM(NONE, clc_smcd_area, v2_offset, 0),
     .rule = "CLC-026",
     .no_gap = "CLC-023"},
    {.layout = &smc_clc_eid_layout,
     .count = SMC_COUNT(FIELD, clc_v2_ext, eid_count, SMC_CLC_MAX_EIDS, "CLC-024"),
     .rule = "CLC-023"},
    {.layout = &smc_clc_d_ext_layout,
     .place = SMC_AT_FIELD,
     .when = {SMC_TERM(BITS, clc_proposal, typev2, SMC_MODES_D),
              SMC_TERM(NE, clc_v2_ext, d_offset, 0)},
     .offset = SMC_TERM(NONE, clc_v2_ext, d_offset, 0),
     .rule = "CLC-027",
     .no_gap = "CLC-023"},
    {.layout = &smc_clc_gid_chid_layout,
     .when = {SMC_TERM(BITS, clc_proposal, typev2, SMC_MODES_D),
              SMC_TERM(NE, clc_v2_ext, d_offset, 0)},
     .count = SMC_COUNT(FIELD, clc_v2_ext, gid_count, SMC_CLC_MAX_GIDS, "CLC-025"),
     .rule = "CLC-023"},
    TRAILER("CLC-023"),
};

static const struct smc_message clc_proposal_v1 = {
    .name = "clc_proposal_v1",
    .title = "CLC Proposal v1",
    .match = {SMC_TERM(EQ, clc_proposal, type, SMC_CLC_PROPOSAL),
              SMC_TERM(EQ, clc_proposal, version, 1)},
    .min = 52,
    .max = ANY_SIZE,
    .end_rule = "CLC-015",
    COUNT_OF(proposal_v1)};

static const struct smc_message clc_proposal_v2 = {
    .name = "clc_proposal_v2",
    .title = "CLC Proposal v2",
    .match = {SMC_TERM(EQ, clc_proposal, type, SMC_CLC_PROPOSAL),
              SMC_TERM(GE, clc_proposal, version, 2)},
    .min = 44,
    .max = ANY_SIZE,
    .end_rule = "CLC-023",
    COUNT_OF(proposal_v2)};

/* ---- Accept and Confirm, SMC-R ---- */
static const struct smc_part accept_r_v1[] = {
    {.layout = &smc_clc_accept_r_layout, .rule = "CLC-031"},
    TRAILER("CLC-031"),
};

#define FIRST_CONTACT_R SMC_TERM(EQ, clc_accept_r, first_contact, 1)

/* The first-contact extension has 36 bytes or 52; only the length tells [CLC-059]. */
static const struct smc_part accept_r_v2[] = {
    {.layout = &smc_clc_accept_r_layout, .rule = "CLC-058"},
    {.layout = &smc_clc_accept_r_v2_layout, .rule = "CLC-058"},
    {.layout = &smc_clc_fce_layout, .when = {FIRST_CONTACT_R}, .rule = "CLC-058"},
    {.layout = &smc_clc_fce_v2x_layout,
     .when = {FIRST_CONTACT_R, SMC_ROOM(smc_clc_fce_v2x_size)},
     .rule = "CLC-058"},
    TRAILER("CLC-058"),
};

/* A list of GIDs follows the extension [CLC-060]. If the list would fill the message from here, there is no tail
 * of 16 bytes; a tail could look the same only by naming as many connections as there are GIDs and one more. */
static const struct smc_part confirm_r_v2[] = {
    {.layout = &smc_clc_accept_r_layout, .rule = "CLC-058"},
    {.layout = &smc_clc_accept_r_v2_layout, .rule = "CLC-058"},
    {.layout = &smc_clc_fce_layout, .when = {FIRST_CONTACT_R}, .rule = "CLC-058"},
    {.layout = &smc_clc_fce_v2x_layout,
     .when = {FIRST_CONTACT_R, SMC_ROOM(smc_clc_fce_v2x_size),
              SMC_TERM(UNFIT, clc_gid_list, count, smc_clc_gid_size)},
     .rule = "CLC-058"},
    {.layout = &smc_clc_gid_list_layout, .when = {FIRST_CONTACT_R}, .rule = "CLC-060"},
    {.layout = &smc_clc_gid_layout,
     .count = SMC_COUNT(FIELD, clc_gid_list, count, 0, NULL),
     .rule = "CLC-060"},
    TRAILER("CLC-058"),
};

#define ACCEPT_R(id_, title_, type_, version_kind, version_, min_, max_, rule_, parts_)            \
    static const struct smc_message clc_##id_ = {                                                  \
        .name = "clc_" #id_,                                                                       \
        .title = title_,                                                                           \
        .match = {SMC_TERM(EQ, clc_accept_r, type, type_),                                         \
                  SMC_TERM(version_kind, clc_accept_r, version, version_),                         \
                  SMC_TERM(EQ, clc_accept_r, path, SMC_PATH_R)},                                   \
        .min = min_,                                                                               \
        .max = max_,                                                                               \
        .end_rule = rule_,                                                                         \
        COUNT_OF(parts_)};

ACCEPT_R(accept_r_v1, "CLC Accept, SMC-R v1", SMC_CLC_ACCEPT, EQ, 1, 68, 68, "CLC-031", accept_r_v1)
ACCEPT_R(confirm_r_v1, "CLC Confirm, SMC-R v1", SMC_CLC_CONFIRM, EQ, 1, 68, 68, "CLC-031",
         accept_r_v1)
ACCEPT_R(accept_r_v2, "CLC Accept, SMC-R v2", SMC_CLC_ACCEPT, GE, 2, 108, 160, "CLC-058",
         accept_r_v2)
ACCEPT_R(confirm_r_v2, "CLC Confirm, SMC-R v2", SMC_CLC_CONFIRM, GE, 2, 108, 164 + 255 * 16,
         "CLC-058", confirm_r_v2)

/* ---- Accept and Confirm, SMC-D ---- */
static const struct smc_part accept_d_v1[] = {
    {.layout = &smc_clc_accept_d_layout, .rule = "CLC-056"},
    {.layout = &smc_clc_accept_d_v1_layout, .rule = "CLC-056"},
    TRAILER("CLC-056"),
};

#define FIRST_CONTACT_D SMC_TERM(EQ, clc_accept_d, first_contact, 1)

static const struct smc_part accept_d_v2[] = {
    {.layout = &smc_clc_accept_d_layout, .rule = "CLC-057"},
    {.layout = &smc_clc_accept_d_v2_layout, .rule = "CLC-057"},
    {.layout = &smc_clc_fce_layout, .when = {FIRST_CONTACT_D}, .rule = "CLC-057"},
    {.layout = &smc_clc_fce_v2x_layout,
     .when = {FIRST_CONTACT_D, SMC_ROOM(smc_clc_fce_v2x_size)},
     .rule = "CLC-057"},
    TRAILER("CLC-057"),
};

#define ACCEPT_D(id_, title_, type_, version_kind, version_, min_, max_, rule_, parts_)            \
    static const struct smc_message clc_##id_ = {                                                  \
        .name = "clc_" #id_,                                                                       \
        .title = title_,                                                                           \
        .match = {SMC_TERM(EQ, clc_accept_d, type, type_),                                         \
                  SMC_TERM(version_kind, clc_accept_d, version, version_),                         \
                  SMC_TERM(EQ, clc_accept_d, path, SMC_PATH_D)},                                   \
        .min = min_,                                                                               \
        .max = max_,                                                                               \
        .end_rule = rule_,                                                                         \
        COUNT_OF(parts_)};

ACCEPT_D(accept_d_v1, "CLC Accept, SMC-D v1", SMC_CLC_ACCEPT, EQ, 1, 48, 48, "CLC-056", accept_d_v1)
ACCEPT_D(confirm_d_v1, "CLC Confirm, SMC-D v1", SMC_CLC_CONFIRM, EQ, 1, 48, 48, "CLC-056",
         accept_d_v1)
ACCEPT_D(accept_d_v2, "CLC Accept, SMC-D v2", SMC_CLC_ACCEPT, GE, 2, 78, 130, "CLC-057",
         accept_d_v2)
ACCEPT_D(confirm_d_v2, "CLC Confirm, SMC-D v2", SMC_CLC_CONFIRM, GE, 2, 78, 130, "CLC-057",
         accept_d_v2)

/* ---- Decline ---- */
static const struct smc_part decline_v1[] = {
    {.layout = &smc_clc_decline_layout, .rule = "CLC-043"},
    TRAILER("CLC-043"),
};

static const struct smc_part decline_v2[] = {
    {.layout = &smc_clc_decline_layout, .rule = "CLC-044"},
    {.layout = &smc_clc_decline_v2_layout, .rule = "CLC-044"},
    TRAILER("CLC-044"),
};

static const struct smc_message clc_decline_v1 = {
    .name = "clc_decline_v1",
    .title = "CLC Decline v1",
    .match = {SMC_TERM(EQ, clc_decline, type, SMC_CLC_DECLINE),
              SMC_TERM(EQ, clc_decline, version, 1)},
    .min = 28,
    .max = 28,
    .end_rule = "CLC-043",
    COUNT_OF(decline_v1)};

static const struct smc_message clc_decline_v2 = {
    .name = "clc_decline_v2",
    .title = "CLC Decline v2",
    .match = {SMC_TERM(EQ, clc_decline, type, SMC_CLC_DECLINE),
              SMC_TERM(GE, clc_decline, version, 2)},
    .min = 44,
    .max = 44,
    .end_rule = "CLC-044",
    COUNT_OF(decline_v2)};

const struct smc_message *const smc_clc_messages[] = {
    &clc_proposal_v1,
    &clc_proposal_v2,
    &clc_accept_r_v1,
    &clc_accept_r_v2,
    &clc_confirm_r_v1,
    &clc_confirm_r_v2,
    &clc_accept_d_v1,
    &clc_accept_d_v2,
    &clc_confirm_d_v1,
    &clc_confirm_d_v2,
    &clc_decline_v1,
    &clc_decline_v2,
    NULL,
};

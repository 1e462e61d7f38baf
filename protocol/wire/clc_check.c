/* Rules that one parsable CLC message can break by itself.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * RFC 7609 C.6 tells bytes that cannot be parsed (terminate the connection) from values that are reserved or not
 * allowed (decline); these here are the second kind. */
#include "clc.h"

struct check {
    const struct smc_parsed *m;
    void (*broken)(void *ctx, const struct smc_reject *why);
    void *ctx;
    unsigned calls;
};

/* Reports unless `ok`; where and what is read from the field of the first part with this layout. The only fields of
 * kind SMC_BYTES that are checked here are eyecatchers. */
static void expect(struct check *c, bool ok, const struct smc_layout *layout, unsigned field,
                   const char *rule, const char *what)
{
    const uint8_t *p = smc_part_find(c->m, layout, 0);
    const struct smc_field *f = &layout->fields[field];
    if (ok || !p)
        return;
    struct smc_reject why = {.offset = (size_t)(p - c->m->bytes.p) + f->off,
                             .field = f->name,
                             .rule = rule,
                             .what = what,
                             .seen = f->kind == SMC_BYTES ? smc_load_be(p + f->off, 4)
                                                          : smc_field_get(f, p)};
    c->broken(c->ctx, &why);
    c->calls++;
}

#define EXPECT(c, ok, L, f, rule, what)                                                            \
    expect(c, ok, &smc_##L##_layout, smc_##L##_i_##f, rule, what)

/* The eyecatcher at the start; parsing has seen that both ends hold one of the two. */
static bool is(const uint8_t *p, const uint8_t *eyecatcher)
{
    return memcmp(p, eyecatcher, 4) == 0;
}

static bool both_ends(const struct smc_parsed *m, const uint8_t *eyecatcher)
{
    return is(m->bytes.p, eyecatcher) && is(m->bytes.end - smc_clc_trailer_size, eyecatcher);
}

static void check_proposal(struct check *c, const struct smc_clc_proposal_info *p)
{
    EXPECT(c, both_ends(c->m, smc_eyecatcher_r), clc_proposal, eyecatcher, "CLC-001",
           "a Proposal begins and ends with SMCR");
    EXPECT(c, p->typev1 != SMC_MODES_NONE || p->iparea_offset == 0, clc_proposal, iparea_offset,
           "CLC-029", "typev1 offers nothing and the offset to the IP area is not 0");
    EXPECT(c, p->mask_len <= 32, clc_ip_area, mask_len, "CLC-021",
           "the mask has more than 32 bits");
    for (unsigned i = 0; i < p->prefix_count; i++)
        EXPECT(c, p->prefixes[i].length <= 128, clc_ip6_prefix, length, "CLC-021",
               "a prefix has more than 128 bits");
}

/* What is offered to SMC-Rv2 from release 1 on; else the two fields are 0 and not evaluated [CLC-066] [CLC-067]. */
static void check_proposal_v2(struct check *c, const struct smc_clc_proposal_info *p)
{
    EXPECT(c, (!p->v2_r && !p->v2_d) || p->has_v2_ext, clc_smcd_area, v2_offset, "CLC-026",
           "version 2 is offered without a v2 extension");
    EXPECT(c, !p->v2_d || p->has_d_ext, clc_v2_ext, d_offset, "CLC-027",
           "SMC-Dv2 is offered without its extension");
    if (!p->v2_r || p->release < 1)
        return;
    EXPECT(c, p->max_conns >= 16, clc_v2_ext, max_conns, "CLC-066",
           "fewer than 16 connections are offered");
    EXPECT(c, p->max_links >= 1, clc_v2_ext, max_links, "CLC-067", "no link is offered");
}

static void check_accept_r(struct check *c, const struct smc_clc_accept_info *a)
{
    EXPECT(c, both_ends(c->m, smc_eyecatcher_r), clc_accept_r, eyecatcher,
           a->version < 2 ? "CLC-031" : "CLC-058", "an SMC-R message begins and ends with SMCR");
    EXPECT(c, a->rmbe_index > 0, clc_accept_r, rmbe_index, "CLC-037", "there is no RMBE index 0");
    EXPECT(c, a->bsize <= SMC_CLC_MAX_BSIZE_R, clc_accept_r, bsize, "CLC-033",
           "the RMBE has more than 512 KiB");
    if (a->first_contact) /* the MTU counts on first contact only [CLC-036] */
        EXPECT(c, smc_clc_mtu_bytes(a->mtu) != 0, clc_accept_r, mtu, "CLC-009",
               "the MTU code is reserved");
    if (a->version < 2 || !a->first_contact)
        return;
    EXPECT(c, a->fce_len == SMC_CLC_FCE_LONG, clc_fce, release, "CLC-059",
           "the first-contact extension of SMC-R has 36 bytes");
    if (a->fce_len != SMC_CLC_FCE_LONG || a->release < 1)
        return;
    EXPECT(c, a->max_conns >= 16, clc_fce_v2x, max_conns, "CLC-066", "fewer than 16 connections");
    EXPECT(c, a->max_links == 1 || a->max_links == 2, clc_fce_v2x, max_links, "CLC-067",
           "the number of links is neither 1 nor 2");
}

static void check_accept_d(struct check *c, const struct smc_clc_accept_info *a)
{
    EXPECT(c, both_ends(c->m, smc_eyecatcher_d), clc_accept_d, eyecatcher,
           a->version < 2 ? "CLC-056" : "CLC-057", "an SMC-D message begins and ends with SMCD");
    EXPECT(c, a->rmbe_index < 16, clc_accept_d, dmbe_index, "SMCD-009",
           "the signal mask has 16 elements");
    EXPECT(c, a->bsize <= SMC_CLC_MAX_BSIZE_D, clc_accept_d, bsize, "SMCD-026",
           "the DMBE has more than 1 MiB");
    if (a->version < 2 || !a->first_contact)
        return;
    EXPECT(c, a->fce_len == (a->release < 1 ? SMC_CLC_FCE_SHORT : SMC_CLC_FCE_LONG), clc_fce,
           release, "CLC-059",
           "the first-contact extension has 52 bytes in release 0 or 36 in a later one");
}

static void check_decline(struct check *c)
{
    EXPECT(c, both_ends(c->m, smc_eyecatcher_r), clc_decline, eyecatcher, "CLC-001",
           "a Decline begins and ends with SMCR");
}

unsigned smc_clc_check(const struct smc_parsed *m,
                       void (*broken)(void *ctx, const struct smc_reject *why), void *ctx)
{
    struct check c = {.m = m, .broken = broken, .ctx = ctx};
    struct smc_clc_proposal_info proposal;
    struct smc_clc_accept_info accept;
    if (smc_clc_decode_proposal(m, &proposal)) {
        check_proposal(&c, &proposal);
        check_proposal_v2(&c, &proposal);
    } else if (smc_clc_decode_accept(m, &accept)) {
        accept.path == SMC_PATH_R ? check_accept_r(&c, &accept) : check_accept_d(&c, &accept);
    } else {
        check_decline(&c);
    }
    return c.calls;
}

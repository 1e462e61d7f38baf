/* CLC messages one by one: what parsing refuses, and values that no message may carry.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_clc.h"

#include <string.h>

static enum judge_req rule(const char *id)
{
    int index = judge_requirement_index(id);
    return index < 0 ? REQ_CLC_008 : (enum judge_req)index;
}

static const char *type_name(unsigned type)
{
    static const char *const names[] = {"message", "Proposal", "Accept", "Confirm", "Decline"};
    return names[type < 5 ? type : 0];
}

/* ---- broken ---- */

static void report_broken(struct judge *j, const struct trace_clc_event *e, struct clc_conn *s)
{
    size_t n = smc_view_len(e->bytes);
    enum judge_req req = rule(e->reject.rule);
    judge_holds(j, req, false);
    s->broken = true;
    s->broken_side = e->side;
    s->broken_req = req;
    s->broken_frame = e->frame;
    s->broken_type = n > 4 ? e->bytes.p[4] : 0;
    s->broken_flags = n > 7 ? e->bytes.p[7] : 0;
    judge_report(j, &(struct judge_case){.req = req, .side = e->side, .frame = e->frame, .conn = e->conn,
                 .offset = (int64_t)e->reject.offset, .v2 = clc_impl_binds(e)},
                 JT("%s %#llx", e->reject.field, (unsigned long long)e->reject.seen), "a well-formed message",
                 "CLC %s: %s", type_name(e->type), e->reject.what);
}

/* The tracker's word for "FIN, RST or the end of the file inside a message": all its bytes are there and fit. */
static bool stream_ended(const struct trace_clc_event *e)
{
    return e->broken && e->reject.offset == smc_view_len(e->bytes) && strcmp(e->reject.field, "length") == 0 &&
           strcmp(e->reject.rule, "CLC-008") == 0;
}

void clc_message_cut(struct judge *j, const struct trace_conn *c, int side, uint64_t frame)
{
    judge_holds(j, REQ_CLC_008, false);
    judge_report(j, &(struct judge_case){.req = REQ_CLC_008, .side = side, .frame = frame, .conn = c, .offset = -1},
                 "FIN inside the message", "as many bytes as its length says", "the stream ends inside a CLC message");
}

/* ---- sound messages: which rules were evaluated ---- */

static void count(struct judge *j, const enum judge_req *reqs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        judge_holds(j, reqs[i], true);
}

#define COUNT(j, ...)                                                                              \
    count(j, (const enum judge_req[]){__VA_ARGS__},                                                \
          sizeof((const enum judge_req[]){__VA_ARGS__}) / sizeof(enum judge_req))

static void count_proposal(struct judge *j, const struct smc_clc_proposal_info *p)
{
    COUNT(j, REQ_CLC_016, p->version < 2 ? REQ_CLC_015 : REQ_CLC_023);
    if (p->typev1 & SMC_MODES_D && p->typev1 != SMC_MODES_NONE)
        COUNT(j, REQ_CLC_017);
    if (p->typev1 == SMC_MODES_NONE)
        COUNT(j, REQ_CLC_029);
    if (p->prefix_count > 0)
        COUNT(j, REQ_CLC_018);
    if (p->has_v2_ext)
        COUNT(j, REQ_CLC_024, REQ_CLC_026);
    if (p->has_d_ext)
        COUNT(j, REQ_CLC_025, REQ_CLC_027);
}

static void count_accept(struct judge *j, const struct smc_clc_accept_info *a)
{
    if (a->path == SMC_PATH_R)
        COUNT(j, a->version < 2 ? REQ_CLC_031 : REQ_CLC_058, REQ_CLC_033, REQ_CLC_037);
    else
        COUNT(j, a->version < 2 ? REQ_CLC_056 : REQ_CLC_057, REQ_SMCD_009, REQ_SMCD_026);
    if (a->fce_len != 0)
        COUNT(j, REQ_CLC_059);
    if (a->has_gid_list)
        COUNT(j, REQ_CLC_060);
    if (a->path == SMC_PATH_R && a->fce_len == SMC_CLC_FCE_LONG && a->release >= 1)
        COUNT(j, REQ_CLC_066, REQ_CLC_067);
}

/* ---- values ---- */

struct values {
    struct judge *j;
    const struct trace_clc_event *e;
};

/* [CLC-033] Linux 6.11 and later make elements of up to 4 MiB out of one piece of memory, aligned to its size. */
static bool large_but_aligned(const struct smc_clc_accept_info *a)
{
    return a->bsize <= 8 && a->rmb_va % smc_clc_buffer_size(a->bsize) == 0;
}

static void broken_value(void *ctx, const struct smc_reject *why)
{
    struct values *v = ctx;
    enum judge_req req = rule(why->rule);
    /* A reserved enumerated value and an impossible mask are the receiver's to decline: check_clc_react.c,
     * check_clc_negotiate.c. */
    if (req == REQ_CLC_009 || req == REQ_CLC_021)
        return;
    judge_report(v->j, &(struct judge_case){.req = req, .side = v->e->side, .frame = v->e->frame, .conn = v->e->conn,
                 .offset = (int64_t)why->offset, .v2 = clc_impl_binds(v->e),
                 .deviation = req == REQ_CLC_033 && large_but_aligned(&v->e->accept) ? "A-53" : NULL},
                 JT("%s %llu", why->field, (unsigned long long)why->seen), "a legal value", "CLC %s: %s",
                 type_name(v->e->type), why->what);
}

static bool is_ipv4(const struct trace_addr *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(a->b, mapped, sizeof mapped) == 0;
}

/* The IP area against the flow it travels in. */
static void check_ip_area(struct judge *j, const struct trace_clc_event *e)
{
    const struct smc_clc_proposal_info *p = &e->proposal;
    if (!p->has_ip_area || !is_ipv4(&e->conn->addr[0]))
        return;
    struct judge_case at_fault = {.req = REQ_CLC_019, .side = e->side, .frame = e->frame, .conn = e->conn,
                                  .offset = 40 + p->iparea_offset + 7, .v2 = clc_impl_binds(e)};
    if (!judge_holds(j, REQ_CLC_019, p->prefix_count == 0))
        judge_report(j, &at_fault, JT("%u prefixes", p->prefix_count), "0",
                     "the Proposal of an IPv4 connection carries IPv6 prefixes");
    if (p->mask_len > 32)
        return;
    /* [CLC-020] A subnet number has no host bits, and no host has an address in 224.0.0.0/3. */
    uint32_t host = p->mask_len == 32 ? 0 : UINT32_MAX >> p->mask_len;
    at_fault.req = REQ_CLC_020;
    at_fault.offset = 40 + p->iparea_offset;
    if (!judge_holds(j, REQ_CLC_020, (p->subnet & host) == 0 && p->subnet >> 29 != 7))
        judge_report(j, &at_fault, JT("%#010x/%u", p->subnet, p->mask_len), "address AND mask",
                     "the subnet field of the Proposal does not hold a subnet number");
}

void clc_message(struct judge *j, const struct trace_clc_event *e, struct clc_conn *s)
{
    struct smc_parsed m;
    struct smc_reject why;
    if (stream_ended(e)) {
        s->cut_frame[e->side] = e->frame;
        return;
    }
    /* Bytes without an eyecatcher may be plain TCP behind a Decline that was not captured. */
    if (e->broken && e->reject.offset < 4 && clc_capture_lacks(s, e->side, e->frame))
        return;
    if (e->broken || !smc_clc_parse(e->bytes, &m, &why)) {
        report_broken(j, e, s);
        return;
    }
    COUNT(j, REQ_CLC_001, REQ_CLC_007, REQ_CLC_008);
    if (e->proposal_valid) {
        count_proposal(j, &e->proposal);
        check_ip_area(j, e);
    } else if (e->accept_valid) {
        count_accept(j, &e->accept);
    } else {
        COUNT(j, e->version < 2 ? REQ_CLC_043 : REQ_CLC_044);
    }
    struct values v = {j, e};
    smc_clc_check(&m, broken_value, &v);
}

/* ---- what follows a broken message ---- */

static bool accept_of(struct smc_view bytes, struct smc_clc_accept_info *a)
{
    size_t len;
    struct smc_reject why;
    struct smc_parsed m;
    return smc_clc_frame(bytes, &len, &why) == SMC_FRAME_OK &&
           smc_clc_parse(smc_view_sub(bytes, 0, len), &m, &why) && smc_clc_decode_accept(&m, a);
}

/* A Proposal that cannot be parsed as a whole still says in byte 7 what it offers. */
static enum judge_req rule_of_answer(const struct clc_conn *s, const struct smc_clc_accept_info *a)
{
    unsigned version = s->broken_flags >> 4, typev1 = s->broken_flags & 3, typev2 = s->broken_flags >> 2 & 3;
    if (s->broken_type != SMC_CLC_PROPOSAL || a->type != SMC_CLC_ACCEPT)
        return s->broken_req;
    if (version == 1 && a->version >= 2)
        return REQ_CLC_028;
    if (typev1 == SMC_MODES_NONE && (version < 2 || typev2 == SMC_MODES_NONE))
        return REQ_CLC_030;
    return s->broken_req;
}

/* RFC 7609 C.6: whoever cannot parse a message terminates the connection. */
void clc_after_broken(struct judge *j, const struct trace_conn *c, struct clc_conn *s, int side, struct smc_view bytes,
                      uint64_t frame)
{
    struct smc_clc_accept_info a;
    if (!s->broken || s->broken_answered || side == s->broken_side)
        return;
    s->broken_answered = true;
    if (!accept_of(bytes, &a))
        return;
    enum judge_req req = rule_of_answer(s, &a);
    judge_holds(j, req, false);
    judge_report(j, &(struct judge_case){.req = req, .side = side, .frame = frame, .related = {s->broken_frame},
                 .conn = c, .offset = -1, .v2 = a.version >= 2 || s->broken_flags >> 4 >= 2 || a.path == SMC_PATH_D},
                 JT("%s", type_name(a.type)), "end of the connection",
                 "the handshake goes on although the message before breaks %s", judge_catalogue[s->broken_req].id);
}

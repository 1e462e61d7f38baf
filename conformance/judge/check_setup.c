/* The TCP option that announces SMC, and what may follow a handshake that lacks it.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"
#include "wire/tcp_option.h"

struct setup {
    enum smc_tcp_option_found syn[2];
    uint64_t syn_frame[2], ack_frame; /* of the SYN; of a later segment of the client that carries the option */
    bool syn_seen[2], crammed[2], looked[2], unasked;
};

static struct setup *setup_of(struct trace_conn *c)
{
    return judge_state(judge_conn_slot(c, JUDGE_AREA_SETUP), sizeof(struct setup));
}

static bool honoured(enum smc_tcp_option_found found)
{
    return found == SMC_OPTION_PRESENT || found == SMC_OPTION_LONG_EVEN;
}

/* The other experimental kind of RFC 6994 with our ExID: SMC's experiment is registered for 254. */
static bool wrong_kind(struct smc_view o, unsigned *at)
{
    for (size_t i = 0, n = smc_view_len(o); i < n && o.p[i] != 0;) {
        if (o.p[i] == 1) {
            i++;
            continue;
        }
        if (n - i < 2 || o.p[i + 1] < 2 || o.p[i + 1] > n - i)
            return false;
        if (o.p[i] == 253 && o.p[i + 1] >= 6 && smc_load_be(o.p + i + 2, 4) == SMC_TCP_OPTION_EXID) {
            *at = (unsigned)i;
            return true;
        }
        i += o.p[i + 1];
    }
    return false;
}

/* [TCPOPT-007] The option has 8 bytes of its own, on a 4-byte boundary: beside it only padding. */
static bool has_eight_bytes(struct smc_view o, size_t at)
{
    size_t from = at & ~(size_t)3, n = smc_view_len(o);
    if (from + SMC_TCP_OPTION_PADDED > n)
        return false;
    for (size_t i = 0; i < from + SMC_TCP_OPTION_PADDED && o.p[i] != 0;) {
        size_t size = o.p[i] == 1 ? 1 : o.p[i + 1]; /* the search for `at` has seen that these fit */
        if (o.p[i] != 1 && i != at && i + size > from)
            return false;
        i += size > 0 ? size : 1;
    }
    return true;
}

static void check_option(struct judge *j, const struct trace_conn *c, int dir, const struct trace_packet *p,
                         enum smc_tcp_option_found found, size_t at, unsigned length)
{
    unsigned other = 0;
    bool kind = found == SMC_OPTION_ABSENT && wrong_kind(p->tcp.options, &other);
    if (found == SMC_OPTION_ABSENT && !kind)
        return;
    if (judge_holds(j, REQ_TCPOPT_001, found == SMC_OPTION_PRESENT))
        return;
    const struct judge_case at_fault = {.req = REQ_TCPOPT_001, .side = dir, .frame = p->raw.frame, .conn = c,
                                        .offset = (int64_t)(kind ? other : at)};
    if (kind)
        judge_report(j, &at_fault, "kind 253", "kind 254",
                     "the TCP option with the ExID of SMC has the wrong kind, so that nobody finds it");
    else
        judge_report(j, &at_fault, JT("length %u", length), "length 6",
                     "the TCP option that announces SMC has a wrong length");
}

/* [TCPOPT-003] A server that can see the SYN answers the option only if the SYN carried it. */
static void check_answer(struct judge *j, const struct trace_conn *c, struct setup *s, uint64_t frame)
{
    if (!s->syn_seen[0] || s->unasked || !honoured(s->syn[1]))
        return;
    if (judge_holds(j, REQ_TCPOPT_003, s->syn[0] == SMC_OPTION_PRESENT))
        return;
    s->unasked = true;
    judge_report(j, &(struct judge_case){.req = REQ_TCPOPT_003, .side = 1, .frame = frame, .related = {s->syn_frame[0]},
                 .conn = c, .offset = -1, .deviation = s->syn[0] == SMC_OPTION_LONG_EVEN ? "A-44" : NULL},
                 "option in the SYN-ACK", "no option", "the SYN did not carry the SMC option and the SYN-ACK does");
}

static void on_syn(struct judge *j, struct trace_conn *c, struct setup *s, int dir, const struct trace_packet *p)
{
    size_t at = 0;
    unsigned length = 0;
    enum smc_tcp_option_found found = smc_tcp_option_find(p->tcp.options, &at, &length);
    bool again = s->syn_seen[dir] && s->syn[dir] == found;
    s->syn_seen[dir] = true;
    if (!honoured(s->syn[dir]))
        s->syn[dir] = found;
    if (again)
        return;
    s->syn_frame[dir] = p->raw.frame;
    s->crammed[dir] = found == SMC_OPTION_PRESENT && !has_eight_bytes(p->tcp.options, at);
    check_option(j, c, dir, p, found, at, length);
    if (dir == TRACE_S2C)
        check_answer(j, c, s, p->raw.frame);
}

static void segment(void *ctx, struct trace_conn *c, int dir, const struct trace_packet *p, bool duplicate)
{
    (void)duplicate;
    if (!p->tcp.syn && (dir != TRACE_C2S || smc_view_len(p->tcp.options) < 6))
        return;
    struct setup *s = setup_of(c);
    if (s == NULL)
        return;
    if (p->tcp.syn)
        on_syn(ctx, c, s, dir, p);
    else if (s->ack_frame == 0 && smc_tcp_option_find(p->tcp.options, NULL, NULL) == SMC_OPTION_PRESENT)
        s->ack_frame = p->raw.frame;
}

/* A whole, sound CLC message at the start of what a side sends: an application's own bytes do not look like that. */
static bool is_clc(struct smc_view bytes, uint8_t *version)
{
    size_t len;
    struct smc_reject why;
    struct smc_parsed m;
    if (smc_clc_frame(bytes, &len, &why) != SMC_FRAME_OK || !smc_clc_parse(smc_view_sub(bytes, 0, len), &m, &why))
        return false;
    *version = bytes.p[7] >> 4;
    return true;
}

static bool option_missing(const struct trace_conn *c, const struct setup *s)
{
    return c->flow != NULL && c->flow->roles_known && s->syn_seen[0] && s->syn_seen[1] &&
           (!honoured(s->syn[0]) || !honoured(s->syn[1]));
}

/* [TCPOPT-005] [TCPOPT-002] [TCPOPT-010]: SMC although the handshake did not announce it. */
static void report_clc(struct judge *j, const struct trace_conn *c, const struct setup *s, int side, uint64_t frame,
                       uint8_t version)
{
    struct judge_case at_fault = {.req = REQ_TCPOPT_005, .side = side, .frame = frame,
                                  .related = {s->syn_frame[0], s->syn_frame[1]}, .conn = c, .offset = 0,
                                  .v2 = version >= 2};
    bool on_ack = s->ack_frame != 0 && !honoured(s->syn[0]);
    judge_report(j, &at_fault, "CLC message", "application data",
                 "a CLC message although %s lacks the SMC option", honoured(s->syn[0]) ? "the SYN-ACK" : "the SYN");
    if (!on_ack)
        return;
    at_fault.related[2] = s->ack_frame;
    at_fault.req = side == TRACE_C2S ? REQ_TCPOPT_002 : REQ_TCPOPT_010;
    judge_holds(j, at_fault.req, false);
    judge_report(j, &at_fault, "option on a later segment", "option on the SYN",
                 side == TRACE_C2S ? "the client uses SMC and its SYN did not carry the option"
                                   : "the server takes the option from a segment without SYN");
}

static void plain(void *ctx, struct trace_conn *c, int side, struct smc_view bytes, uint64_t frame, uint64_t ts_ns)
{
    (void)ts_ns;
    if (c->phase != TRACE_CLC_NONE)
        return;
    struct setup *s = setup_of(c);
    if (s == NULL || s->looked[side] || !option_missing(c, s))
        return;
    s->looked[side] = true;
    uint8_t version = 0;
    bool clc = is_clc(bytes, &version);
    /* Plain TCP of hosts that never spoke of SMC says nothing about SMC. */
    if (!clc && !honoured(s->syn[0]) && !honoured(s->syn[1]))
        return;
    if (!judge_holds(ctx, REQ_TCPOPT_005, !clc))
        report_clc(ctx, c, s, side, frame, version);
}

/* Whether an IMPL row binds is known only when the server has chosen a version. */
static void clc(void *ctx, const struct trace_clc_event *e)
{
    struct trace_conn *c = e->conn;
    if (!e->accept_valid || e->side != TRACE_S2C || c->phase != TRACE_CLC_ACCEPT)
        return;
    struct setup *s = setup_of(c);
    if (s == NULL)
        return;
    if (s->syn_seen[0])
        judge_holds(ctx, REQ_TCPOPT_002, true);
    for (int side = 0; side < 2; side++)
        if (s->syn_seen[side] && !judge_holds(ctx, REQ_TCPOPT_007, !s->crammed[side]))
            judge_report(ctx, &(struct judge_case){.req = REQ_TCPOPT_007, .side = side, .frame = s->syn_frame[side],
                         .conn = c, .offset = -1, .v2 = e->version >= 2 || e->accept.path == SMC_PATH_D},
                         "option without padding", "8 aligned bytes or no option",
                         "the SMC option stands where 8 aligned bytes were not free");
}

const struct trace_session_events judge_setup_events = {.segment = segment, .plain = plain, .clc = clc};

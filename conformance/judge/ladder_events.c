/* From the tracker's events to those of a ladder: labels with numbers that people compare.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "ladder_state.h"
#include "wire/cdc_layouts.h"
#include "wire/tcp_option.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *value_name(const struct smc_value_name *names, uint64_t value, const char *otherwise)
{
    for (; names->name != NULL; names++)
        if (names->value == value)
            return names->name;
    return otherwise;
}

static struct judge_ladder_event event(enum judge_ladder_kind kind, int side, uint64_t frame, uint64_t ts_ns)
{
    struct judge_ladder_event e = {.kind = (uint8_t)kind, .side = (int8_t)side, .frame = frame, .last_frame = frame,
                                   .ts_ns = ts_ns, .packets = 1};
    return e;
}

static void __attribute__((format(printf, 3, 4))) add_text(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

#define LABEL(e, ...) add_text((e)->label, sizeof(e)->label, __VA_ARGS__)
#define DETAIL(e, ...) add_text((e)->detail, sizeof(e)->detail, __VA_ARGS__)

static void add(struct judge_ladders *l, const struct trace_conn *c, const struct judge_ladder_event *e)
{
    struct judge_ladder *ladder = c != NULL ? judge_ladder_live(l, c) : &l->rest;
    if (ladder != NULL)
        judge_ladder_add(l, ladder, e);
}

/* What concerns a whole group stands in the ladder of each of its open connections. */
static void add_group(struct judge_ladders *l, const struct trace_group *g, const struct judge_ladder_event *e)
{
    bool shown = false;
    for (const struct trace_conn *c = g != NULL ? g->conns : NULL; c != NULL; c = c->group_next) {
        struct judge_ladder *ladder = judge_ladder_live(l, c);
        if (ladder == NULL)
            continue;
        judge_ladder_add(l, ladder, e);
        shown = true;
    }
    if (!shown)
        add(l, NULL, e);
}

/* ---- TCP ---- */

static void packet(void *ctx, const struct trace_packet *p)
{
    struct judge_ladders *l = ctx;
    judge_ladder_settle(l);
    l->packet = *p;
}

static void segment(void *ctx, struct trace_conn *c, int dir, const struct trace_packet *p, bool duplicate)
{
    struct judge_ladder_event e = event(JUDGE_EVENT_TCP, dir, p->raw.frame, p->raw.ts_ns);
    if (!p->tcp.syn)
        return;
    LABEL(&e, "%s%s", p->tcp.has_ack ? "SYN-ACK" : "SYN", duplicate ? " again" : "");
    LABEL(&e, smc_tcp_option_find(p->tcp.options, NULL, NULL) != SMC_OPTION_ABSENT ? ", SMC option" : "");
    add(ctx, c, &e);
}

static void fin(void *ctx, struct trace_conn *c, int side, uint64_t frame, uint64_t ts_ns)
{
    struct judge_ladder_event e = event(JUDGE_EVENT_TCP, side, frame, ts_ns);
    LABEL(&e, "FIN");
    add(ctx, c, &e);
}

static void rst(void *ctx, struct trace_conn *c, int side, uint64_t frame, uint64_t ts_ns)
{
    struct judge_ladder_event e = event(JUDGE_EVENT_TCP, side, frame, ts_ns);
    LABEL(&e, "RST");
    add(ctx, c, &e);
}

/* A run of packets that mean the same is one event. */
static struct judge_ladder_event *run_of(struct judge_ladders *l, const struct trace_conn *c, enum judge_ladder_kind kind,
                                         int side, unsigned link)
{
    struct judge_ladder *ladder = judge_ladder_live(l, c);
    struct judge_ladder_event *e = ladder != NULL ? judge_ladder_newest(ladder) : NULL;
    return e != NULL && e->kind == kind && e->side == side && e->link == link && e->bytes > 0 ? e : NULL;
}

static void plain(void *ctx, struct trace_conn *c, int side, struct smc_view bytes, uint64_t frame, uint64_t ts_ns)
{
    struct judge_ladder_event fresh = event(JUDGE_EVENT_TCP, side, frame, ts_ns);
    struct judge_ladder_event *e = run_of(ctx, c, JUDGE_EVENT_TCP, side, 0);
    bool merged = e != NULL;
    if (!merged)
        e = &fresh;
    e->packets += merged;
    e->last_frame = frame;
    e->bytes += smc_view_len(bytes);
    e->label[0] = '\0';
    LABEL(e, "TCP data, %" PRIu64 " bytes", e->bytes);
    if (!merged && e->bytes > 0)
        add(ctx, c, e);
}

static void tcp_gap(void *ctx, struct trace_conn *c, int side, uint64_t n, uint64_t frame)
{
    struct judge_ladder_event e = event(JUDGE_EVENT_GAP, side, frame, 0);
    LABEL(&e, "TCP bytes missing from the capture");
    if (n > 0)
        DETAIL(&e, "%" PRIu64 " bytes", n);
    add(ctx, c, &e);
}

/* ---- CLC ---- */

static void clc_detail(struct judge_ladder_event *e, const struct trace_clc_event *m)
{
    if (m->proposal_valid) {
        const struct smc_clc_proposal_info *p = &m->proposal;
        DETAIL(e, "offers%s%s%s%s", p->v1_r ? " Rv1" : "", p->v1_d ? " Dv1" : "", p->v2_r ? " Rv2" : "", p->v2_d ? " Dv2" : "");
    } else if (m->accept_valid && m->accept.path == SMC_PATH_R) {
        DETAIL(e, "%sQP 0x%" PRIx32 " rkey 0x%" PRIx32 " token 0x%" PRIx32, m->accept.first_contact ? "first contact, " : "",
               m->accept.qpn, m->accept.rkey, m->accept.token);
    } else if (m->accept_valid) {
        DETAIL(e, "%sDMB token 0x%" PRIx64, m->accept.first_contact ? "first contact, " : "", m->accept.dmb_token);
    } else if (m->decline_valid) {
        DETAIL(e, "0x%08" PRIx32 " %s%s", m->decline.diagnosis, value_name(smc_values_clc_diagnosis, m->decline.diagnosis, ""),
               m->decline.out_of_sync ? ", out of sync" : "");
    } else if (m->broken) {
        DETAIL(e, "byte %zu (%s): %s", m->reject.offset, m->reject.field != NULL ? m->reject.field : "?",
               m->reject.what != NULL ? m->reject.what : "");
    }
}

static void clc(void *ctx, const struct trace_clc_event *m)
{
    struct judge_ladder_event e = event(JUDGE_EVENT_CLC, m->side, m->first_frame, m->ts_ns);
    e.last_frame = m->frame;
    LABEL(&e, "CLC %s", value_name(smc_values_clc_type, m->type, "(not CLC)"));
    if (m->version > 0)
        LABEL(&e, " v%u", m->version);
    LABEL(&e, m->broken ? ", refused" : "");
    clc_detail(&e, m);
    add(ctx, m->conn, &e);
}

/* ---- LLC ---- */

static void llc_detail(struct judge_ladder_event *e, const struct smc_llc_info *i)
{
    switch (i->type) {
    case SMC_LLC_CONFIRM_LINK:
    case SMC_LLC_ADD_LINK:
        DETAIL(e, "link %u, QP 0x%" PRIx32 "%s", i->link_number, i->qpn, i->reject ? ", rejected" : "");
        break;
    case SMC_LLC_DELETE_LINK:
        DETAIL(e, "link %u%s%s", i->link_number, i->all ? ", all" : "", i->orderly ? ", orderly" : "");
        break;
    case SMC_LLC_CONFIRM_RKEY:
        DETAIL(e, "rkey 0x%" PRIx32 "%s%s", i->rkey, i->negative ? ", negative" : "", i->retry ? ", retry" : "");
        break;
    case SMC_LLC_DELETE_RKEY:
        if (i->nrkeys > 0)
            DETAIL(e, "rkey 0x%" PRIx32, smc_llc_info_rkey(i, 0));
        DETAIL(e, "%s%s", i->nrkeys > 1 ? " and more" : "", i->negative ? ", negative" : "");
        break;
    default:
        DETAIL(e, "%s", i->negative ? "negative" : "");
    }
}

static void llc(void *ctx, const struct trace_llc_event *m)
{
    struct judge_ladder_event e = event(JUDGE_EVENT_LLC, m->side, m->request->frame, m->request->ts_ns);
    e.link = m->link != NULL ? m->link->number : 0;
    if (m->valid) {
        LABEL(&e, "%s%s%s", value_name(smc_values_llc_type, m->info.type, "LLC"), m->info.version > 1 ? " v2" : "",
              m->info.response ? " response" : "");
        llc_detail(&e, &m->info);
    } else {
        LABEL(&e, "LLC, not understood");
        DETAIL(&e, "byte %zu: %s", m->reject.offset, m->reject.what != NULL ? m->reject.what : "");
    }
    add_group(ctx, m->group, &e);
}

/* ---- data ---- */

static void cdc_flags(struct judge_ladder_event *e, const struct trace_cdc_event *m)
{
    static const struct {
        uint8_t bit;
        char letter;
    } prod[] = {{0x80, 'B'}, {0x40, 'P'}, {0x20, 'U'}, {0x10, 'R'}, {0x08, 'F'}}, conn[] = {{0x80, 'D'}, {0x40, 'C'}, {0x20, 'A'}};
    for (size_t i = 0; i < sizeof prod / sizeof prod[0]; i++)
        if (m->prod_flags & prod[i].bit)
            LABEL(e, " %c", prod[i].letter);
    for (size_t i = 0; i < sizeof conn / sizeof conn[0]; i++)
        if (m->conn_flags & conn[i].bit)
            LABEL(e, " %c", conn[i].letter);
}

static void cdc(void *ctx, const struct trace_cdc_event *m)
{
    struct judge_ladder_event e = event(JUDGE_EVENT_CDC, m->side, m->frame, m->ts_ns);
    e.link = m->link != NULL ? m->link->number : 0;
    if (m->smcd)
        LABEL(&e, "CDC");
    else
        LABEL(&e, "CDC %u", m->seq);
    cdc_flags(&e, m);
    DETAIL(&e, "producer %u:%" PRIu32 " consumer %u:%" PRIu32, m->prod.wrap, m->prod.count, m->cons.wrap, m->cons.count);
    if (m->conn == NULL)
        DETAIL(&e, ", token 0x%" PRIx32 " of no connection", m->token);
    if (m->conn != NULL)
        add(ctx, m->conn, &e);
    else
        add_group(ctx, m->group, &e);
}

static const char *target_name(enum trace_write_target t)
{
    static const char *const names[] = {"", ", element of no connection", ", outside of the ring", ", rkey was deleted",
                                        ", rkey unknown", ""};
    return names[t];
}

static void write_text(struct judge_ladder_event *e, const struct trace_write_event *m)
{
    e->label[0] = e->detail[0] = '\0';
    LABEL(e, "%s, %" PRIu64 " bytes", m->record != NULL ? "move" : "RDMA WRITE", e->bytes);
    if (e->packets > 1)
        LABEL(e, " in %" PRIu32 " packets", e->packets);
    if (m->pos_ok)
        DETAIL(e, "stream %" PRIu64 " to %" PRIu64, e->from, e->to);
    else if (m->rtoken != NULL)
        DETAIL(e, "rkey 0x%" PRIx32, m->rtoken->rkey);
    DETAIL(e, "%s", target_name(m->target));
}

static void write(void *ctx, const struct trace_write_event *m)
{
    struct judge_ladder_event fresh = event(JUDGE_EVENT_WRITE, m->side, m->frame, m->ts_ns), *e = NULL;
    unsigned number = m->link != NULL ? m->link->number : 0;
    bool ring = m->conn != NULL && m->target == TRACE_WRITE_RING && m->pos_ok;
    if (ring) {
        e = run_of(ctx, m->conn, JUDGE_EVENT_WRITE, m->side, number);
        if (e != NULL && e->to != m->from)
            e = NULL;
    }
    bool merged = e != NULL;
    if (!merged) {
        e = &fresh;
        e->link = (uint8_t)number;
        e->from = ring ? m->from : 0;
    }
    e->packets += merged;
    e->last_frame = m->frame;
    e->bytes += m->len;
    e->to = ring ? m->to : 0;
    write_text(e, m);
    if (merged)
        return;
    if (m->conn != NULL)
        add(ctx, m->conn, e);
    else
        add_group(ctx, m->group, e);
}

static void record(void *ctx, const struct trace_packet *p, struct trace_conn *c)
{
    unsigned op = smc_smcd_record_operation(p->record);
    if (op == SMC_RECORD_MOVE && c != NULL) /* told as write or CDC */
        return;
    struct judge_ladder_event e = event(JUDGE_EVENT_RECORD, -1, p->raw.frame, p->raw.ts_ns);
    LABEL(&e, "DMB %s", value_name(smc_values_record_op, op, "operation"));
    DETAIL(&e, "token 0x%" PRIx64, smc_smcd_record_token(p->record));
    add(ctx, c, &e);
}

static void rc_gap(void *ctx, struct trace_stream *s, struct trace_link *link, uint32_t n, uint64_t frame)
{
    struct judge_ladder_event e = event(JUDGE_EVENT_GAP, -1, frame, 0);
    (void)s;
    e.link = link != NULL ? link->number : 0;
    LABEL(&e, "RoCE packets missing from the capture");
    if (n > 0)
        DETAIL(&e, "%" PRIu32 " packet%s", n, n == 1 ? "" : "s");
    if (link != NULL)
        add_group(ctx, link->group, &e);
}

static void conn_end(void *ctx, struct trace_conn *c)
{
    judge_ladder_end(ctx, c);
}

void judge_ladder_describe(const struct trace_packet *p, char *label, size_t size)
{
    *label = '\0';
    if (p->proto == TRACE_TCP)
        add_text(label, size, "TCP%s%s%s, %" PRIu32 " bytes", p->tcp.syn ? " SYN" : "", p->tcp.fin ? " FIN" : "",
                 p->tcp.rst ? " RST" : "", p->payload_wire_len);
    else if (p->proto == TRACE_ROCE)
        add_text(label, size, "RoCE %s, QP 0x%" PRIx32 ", PSN %" PRIu32, value_name(smc_values_bth_opcode, p->roce.opcode, "packet"),
                 p->roce.dqpn, p->roce.psn);
    else
        add_text(label, size, p->proto == TRACE_RECORD ? "SMC-D record" : "packet");
}

const struct trace_session_events judge_ladder_events = {
    .packet = packet, .segment = segment, .clc = clc, .plain = plain, .tcp_gap = tcp_gap, .fin = fin, .rst = rst, .llc = llc,
    .cdc = cdc, .write = write, .record = record, .rc_gap = rc_gap, .conn_end = conn_end,
};

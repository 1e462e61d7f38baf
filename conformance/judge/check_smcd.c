/* Checks of SMC-D: records of moves and signals, the CDC block, elements and groups that CLC names.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_data.h"

#include "wire/cdc_layouts.h"

enum { BLOCK_BYTES = 32, TYPE_CDC = 0xfe };

/* ---- records ---- */

struct move {
    struct judge *j;
    struct judge_case k;
    const struct trace_packet *p;
    uint64_t at; /* in the element */
    uint32_t total;
    bool signal;
};

static void signalled(struct move *m, bool block)
{
    m->k.req = REQ_SMCD_003;
    m->k.offset = 2;
    if (!judge_holds(m->j, REQ_SMCD_003, m->signal == block)) /* [SMCD-003] */
        judge_report(
            m->j, &m->k, m->signal ? "signal" : "no signal", block ? "signal" : "no signal", "%s",
            block ? "the CDC block is moved without a signal" : "data are moved with a signal");
}

static void block_move(struct move *m)
{
    bool whole = m->at == 0 && m->total == BLOCK_BYTES;
    bool type = smc_view_len(m->p->payload) > 0 && m->p->payload.p[0] == TYPE_CDC;
    m->k.offset = 48;
    if (!judge_holds(m->j, REQ_SMCD_001, whole && type)) { /* [SMCD-001] */
        struct data_conn *d =
            *judge_conn_slot((struct trace_conn *)(uintptr_t)m->k.conn, JUDGE_AREA_DATA);
        d->side[m->k.side].prod_unsure = d->side[m->k.side].cons_unsure = true;
        d->side[m->k.side].written.lost = true;
        judge_report(m->j, &m->k,
                     JT("%u bytes at element offset %llu, first byte 0x%02x", m->total,
                        (unsigned long long)m->at,
                        smc_view_len(m->p->payload) ? m->p->payload.p[0] : 0),
                     "a CDC block of 32 bytes at offset 0, data from 32 on",
                     "a move into the place of the CDC block");
        return;
    }
    signalled(m, true);
}

static void moved(struct judge *j, const struct trace_packet *p, struct trace_conn *c, int owner)
{
    struct move m = {.j = j,
                     .p = p,
                     .total = smc_smcd_record_total(p->record),
                     .signal = smc_smcd_record_signal(p->record),
                     .k = {.req = REQ_SMCD_001,
                           .side = !owner,
                           .frame = p->raw.frame,
                           .conn = c,
                           .group = c->group}};
    uint64_t element = (uint64_t)c->side[owner].rmbe_index * c->side[owner].element_size;
    uint64_t offset = smc_smcd_record_offset(p->record);
    if (offset < element || smc_smcd_record_fragment_offset(p->record) != 0 || m.total == 0)
        return;
    m.at = offset - element;
    if (m.at < BLOCK_BYTES) {
        block_move(&m);
        return;
    }
    judge_holds(j, REQ_SMCD_001, true);
    signalled(&m, false);
}

static void byte_order(struct judge *j, const struct trace_packet *p, struct trace_conn *c,
                       struct data_conn *d, int side)
{
    uint8_t order = smc_smcd_record_byte_order(p->record);
    struct judge_case k = {.req = REQ_SMCD_006,
                           .side = side,
                           .frame = p->raw.frame,
                           .conn = c,
                           .group = c->group,
                           .offset = 3};
    if (!d->order_known) {
        d->order_known = true;
        d->order = order;
    }
    if (!judge_holds(j, REQ_SMCD_006, order == d->order)) /* [SMCD-006] */
        judge_report(j, &k, JT("byte order %u", order), JT("byte order %u", d->order),
                     "the byte order changes within a connection");
}

/* A long move takes several records: where one is missing the capture is not whole. */
static void in_sequence(const struct trace_packet *p, struct data_conn *d, int side)
{
    struct data_side *me = &d->side[side];
    uint32_t offset = smc_smcd_record_offset(p->record), total = smc_smcd_record_total(p->record);
    uint32_t at = smc_smcd_record_fragment_offset(p->record);
    bool goes_on = me->move_next && at == me->move_next && offset == me->move_offset &&
                   total == me->move_total;
    if (me->move_next ? !goes_on : at != 0)
        d->gap = true;
    me->move_offset = offset;
    me->move_total = total;
    me->move_next = at < total && total - at > p->payload_wire_len ? at + p->payload_wire_len : 0;
}

void judge_smcd_record(struct judge *j, const struct trace_packet *p, struct trace_conn *c)
{
    if (!c || c->mode != TRACE_MODE_SMCD)
        return;
    struct data_conn *d = judge_state(judge_conn_slot(c, JUDGE_AREA_DATA), sizeof *d);
    uint64_t token = smc_smcd_record_token(p->record);
    int owner = c->side[0].given && c->side[0].dmb_token == token ? 0 : 1;
    if (!d)
        return;
    if (smc_smcd_record_operation(p->record) == SMC_RECORD_ATTACH)
        d->nocopy[owner] = true; /* what is written into memory that was attached is not moved */
    if (smc_smcd_record_operation(p->record) != SMC_RECORD_MOVE)
        return;
    in_sequence(p, d, !owner);
    byte_order(j, p, c, d, !owner);
    moved(j, p, c, owner);
}

/* ---- the CDC block ---- */

static bool in_ring(const struct data_act *a, struct trace_cursor c, uint32_t ring)
{
    return ring && c.count >= a->origin && c.count < ring;
}

static struct trace_cursor swapped(struct trace_cursor c)
{
    uint8_t b[4];
    smc_store_le(b, 4, c.count);
    return (struct trace_cursor){(uint16_t)(c.wrap >> 8 | c.wrap << 8),
                                 (uint32_t)smc_load_be(b, 4)};
}

/* Cursors that make sense only when read the other way round. */
static void cursor_order(struct data_cdc *x)
{
    uint32_t writes = x->a.ring[!x->a.side], reads = x->a.ring[x->a.side];
    struct trace_cursor prod = swapped(x->prod), cons = swapped(x->cons);
    struct judge_case k = judge_data_case(&x->a, REQ_SMCD_006, 8);
    if ((in_ring(&x->a, x->prod, writes) && in_ring(&x->a, x->cons, reads)) ||
        !in_ring(&x->a, prod, writes) || !in_ring(&x->a, cons, reads))
        return;
    judge_holds(x->a.j, REQ_SMCD_006, false);
    judge_report(x->a.j, &k,
                 JT("producer %u:%u, consumer %u:%u", x->prod.wrap, x->prod.count, x->cons.wrap,
                    x->cons.count),
                 JT("producer %u:%u, consumer %u:%u", prod.wrap, prod.count, cons.wrap, cons.count),
                 "the CDC block is written in the other byte order");
    x->prod = prod;
    x->cons = cons;
}

/* [SMCD-005]: a flag that stands in the producer half only, where nobody reads it. */
static void flag_half(struct data_cdc *x)
{
    const uint8_t *p = x->e->bytes.p;
    struct judge_case k = judge_data_case(&x->a, REQ_SMCD_005, 14);
    unsigned prod = p[14] & 0xf8 & ~p[22], conn = p[15] & 0xe0 & ~p[23];
    if (!judge_holds(x->a.j, REQ_SMCD_005, prod == 0 && conn == 0))
        judge_report(x->a.j, &k, JT("flags 0x%02x 0x%02x in bytes 14 and 15", p[14], p[15]),
                     "flags in bytes 22 and 23",
                     "flags stand in the producer half of the CDC block");
    x->cf |= (uint8_t)conn; /* what was meant */
}

void judge_smcd_block(struct data_cdc *x)
{
    if (smc_view_len(x->e->bytes) < BLOCK_BYTES)
        return;
    cursor_order(x);
    flag_half(x);
}

/* ---- CLC ---- */

/* [SMCD-024]: a native GID with CHID 0 is no device. */
static void chid(struct judge *j, const struct trace_clc_event *e)
{
    const struct trace_conn *c = e->conn;
    struct judge_case k = {.req = REQ_SMCD_024,
                           .side = e->side,
                           .frame = e->frame,
                           .related = {c->proposal_frame},
                           .conn = c,
                           .offset = 7,
                           .v2 = true};
    /* Version 1 proposals have no CHID: the field is reserved there. */
    if (e->accept.type != SMC_CLC_ACCEPT || !c->proposed || c->proposal.version < 2 ||
        !c->proposal.has_smcd_area)
        return;
    bool used = e->accept.version < 2 ? c->proposal.ism_chid == 0 : e->accept.chid == 0;
    if (!judge_holds(j, REQ_SMCD_024, !used))
        judge_report(j, &k, "SMC-D accepted, CHID 0", "no SMC-D over a device without CHID",
                     "a native GID with CHID 0 is used");
}

void judge_smcd_clc(struct judge *j, const struct trace_clc_event *e)
{
    if (!e->accept_valid || e->accept.path != SMC_PATH_D)
        return;
    chid(j, e); /* sizes and indexes are read with the message: protocol/wire/clc_check.c */
}

/* [SMCD-018]: groups of SMC-D v1 belong to one VLAN. */
void judge_smcd_end(const struct data_act *a)
{
    const struct trace_conn *c = a->c;
    const struct trace_group *g = c->group;
    if (c->mode != TRACE_MODE_SMCD || c->version != 1 || !a->d->vlan_known || !g->vlan_known ||
        g->late)
        return;
    struct judge_case k = {.req = REQ_SMCD_018,
                           .side = TRACE_S2C,
                           .frame = c->accept_frame,
                           .related = {g->first_frame},
                           .conn = c,
                           .group = g,
                           .offset = 7};
    bool same = a->d->vlan_present == g->vlan_present && a->d->vlan == g->vlan;
    if (!judge_holds(a->j, REQ_SMCD_018, same))
        judge_report(a->j, &k, JT("VLAN %u", a->d->vlan), JT("VLAN %u", g->vlan),
                     "a link group is used again in another VLAN");
}

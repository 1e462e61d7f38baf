/* RoCE: keys of WRITEs, writes for each CDC, GIDs of SMC-Rv2, one VLAN for a link group.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_llc.h"

/* ---- RDMA WRITE ---- */

/* The RMB of the peer on this link that an address lies in, NULL if none that is known. */
static const struct trace_rtoken *token_at(const struct trace_write_event *e, uint64_t va)
{
    for (const struct trace_rmb *r = e->group->rmbs[!e->side]; r; r = r->next)
        for (unsigned i = 0; i < r->ntokens; i++) {
            const struct trace_rtoken *t = &r->tokens[i];
            uint64_t size = (uint64_t)r->element_size * r->elements;
            if (t->valid && t->link_number == e->link->number && va - t->va < size)
                return t;
        }
    return NULL;
}

/* [ROCE-005] A memory region has one rkey on a link: another one is a key of nothing. */
static void check_rkey(struct judge *j, const struct trace_write_event *e)
{
    const struct trace_rtoken *t = NULL;
    if (e->link->state == TRACE_LINK_GONE) /* what was in the network when the link failed reaches nobody; new data are [FAILOVER-001] */
        return;
    const struct llc_group *st = llc_group_state(e->group);
    bool deleted = e->target == TRACE_WRITE_DELETED;
    if (deleted && st && st->rkey_link[!e->side] != e->link && e->ts_ns <= st->rkey_ns[!e->side] + 50 * LLC_MS)
        return; /* two links are not captured in the order in which they were used */
    bool unknown = e->target == TRACE_WRITE_UNKNOWN;
    if (e->target == TRACE_WRITE_UNTRACKED && !e->rmb && !e->request->headless) {
        t = token_at(e, e->request->va);
        unknown = t && t->rkey != e->request->rkey;
    }
    if (e->target == TRACE_WRITE_UNTRACKED && !t)
        return;
    if (judge_holds(j, REQ_ROCE_005, !deleted && !unknown))
        return;
    uint64_t related = deleted && e->rtoken ? e->rtoken->deleted_frame : t ? t->frame : 0;
    judge_report(j, &(struct judge_case){.req = REQ_ROCE_005, .side = e->side, .frame = e->frame, .related = {related}, .conn = e->conn,
                                         .group = e->group, .offset = -1},
                 JT("rkey 0x%08x", e->request->rkey), t ? JT("0x%08x", t->rkey) : "an rkey that is valid on this link",
                 deleted ? "RDMA WRITE with an rkey that was deleted" : "RDMA WRITE with an rkey that was not announced for this link");
}

/* [ROCE-008] */
static void count_write(struct judge *j, const struct trace_write_event *e)
{
    struct llc_conn *c = e->conn ? llc_conn_state(e->conn) : NULL;
    if (!c)
        return;
    int side = e->side;
    if (c->writes_link[side] != e->link) { /* after a failover counting begins anew */
        c->writes_link[side] = e->link;
        c->writes[side] = 0;
        c->writes_unsure[side] = false;
    }
    if (e->request->headless || e->conn->incomplete)
        c->writes_unsure[side] = true;
    if (!e->request->first || c->writes_unsure[side])
        return;
    c->writes[side]++;
    if (e->conn->version < 2 || judge_holds(j, REQ_ROCE_008, c->writes[side] <= 2))
        return;
    judge_report(j, &(struct judge_case){.req = REQ_ROCE_008, .side = side, .frame = e->frame, .conn = e->conn, .group = e->group, .offset = -1},
                 JT("%u WRITEs since the last CDC", c->writes[side]), "at most 2", "more WRITEs before a CDC than a wrap explains");
}

void roce_write(struct judge *j, const struct trace_write_event *e)
{
    if (!e->group || !e->link || e->side < 0)
        return;
    check_rkey(j, e);
    count_write(j, e);
}

void roce_cdc(struct judge *j, const struct trace_cdc_event *e)
{
    struct llc_conn *c = e->conn && e->side >= 0 ? llc_conn_state(e->conn) : NULL;
    (void)j;
    if (!c)
        return;
    c->writes[e->side] = 0;
    c->writes_unsure[e->side] = false;
}

/* ---- GIDs ---- */

static bool link_local(const uint8_t *gid)
{
    return gid[0] == 0xfe && (gid[1] & 0xc0) == 0x80;
}

static void check_gid(struct judge *j, const struct judge_case *c, const uint8_t *gid)
{
    if (!judge_holds(j, REQ_ROCE_010, !link_local(gid)))
        judge_report(j, c, JHEX(gid, 16), "a routable GID, IPv4-mapped", "SMC-Rv2 with a link-local GID");
}

void roce_clc(struct judge *j, const struct trace_clc_event *e)
{
    const struct smc_clc_accept_info *a = &e->accept;
    if (!e->accept_valid || a->path != 0 || a->version < 2)
        return;
    struct judge_case c = {.req = REQ_ROCE_010, .side = e->side, .frame = e->frame, .conn = e->conn, .offset = 16, .v2 = true};
    check_gid(j, &c, a->gid);
    size_t list = a->has_gid_list ? (size_t)(a->gids.p - e->bytes.p) : 0;
    for (unsigned i = 0; a->has_gid_list && i < a->gid_count && 16 * (size_t)(i + 1) <= smc_view_len(a->gids); i++) {
        c.offset = (int64_t)(list + 16 * (size_t)i);
        check_gid(j, &c, a->gids.p + 16 * (size_t)i);
    }
}

void roce_gid(struct llc_msg *m)
{
    struct judge_case c = {.req = REQ_ROCE_010, .side = m->side, .frame = m->frame, .group = m->g, .offset = 12};
    if (m->info.version != 2)
        return;
    if (m->info.type == SMC_LLC_ADD_LINK && !m->info.reject)
        check_gid(m->j, &c, m->info.gid);
    for (unsigned i = 0; m->info.type == SMC_LLC_REQ_ADD_LINK && i < m->info.ngids; i++) {
        c.offset = 28 + 16 * (int64_t)i;
        check_gid(m->j, &c, m->info.gids + 16 * (size_t)i);
    }
}

/* ---- VLAN ---- */

/* [ROCE-013] The VLAN that a connection began in, against those of the group's others; priority tags are none. */
void roce_segment(struct judge *j, struct trace_conn *c, int dir, const struct trace_packet *p)
{
    struct llc_conn *own = dir == TRACE_C2S ? llc_conn_state(c) : NULL;
    if (!own)
        return;
    if (!own->vlan_seen) {
        own->vlan_seen = true;
        own->vlan = p->vlan_present ? p->vlan : 0;
    }
    if (own->vlan_judged || !c->group || !c->confirmed || c->version != 1)
        return;
    own->vlan_judged = true;
    for (struct trace_conn *o = c->group->conns; o; o = o->group_next) {
        struct llc_conn *other = o != c && o->confirmed ? llc_conn_state(o) : NULL;
        if (!other || !other->vlan_seen)
            continue;
        if (!judge_holds(j, REQ_ROCE_013, !own->vlan || !other->vlan || own->vlan == other->vlan))
            judge_report(j, &(struct judge_case){.req = REQ_ROCE_013, .side = -1, .frame = p->raw.frame, .related = {o->confirm_frame}, .conn = c,
                                                 .group = c->group, .offset = -1},
                         JT("VLAN %u", own->vlan), JT("VLAN %u", other->vlan), "connections of one link group are in different VLANs");
        return;
    }
}

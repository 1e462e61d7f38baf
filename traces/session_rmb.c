/* RMBs and the rkeys they have on each link of a group.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "session_internal.h"

#include <stdlib.h>

enum { DELETED_KEEP = 32 }; /* of each side of a group; up to 255 live ones come to them */

struct trace_rtoken *session_rmb_token(struct trace_rmb *r, uint8_t link_number)
{
    for (unsigned i = 0; i < r->ntokens; i++)
        if (r->tokens[i].link_number == link_number)
            return &r->tokens[i];
    return NULL;
}

/* `valid`: only keys that were not deleted. Deleted keys may come back for another RMB, so valid ones win anyway. */
struct trace_rmb *session_rmb_find(struct trace_group *g, int owner, uint8_t link_number, uint32_t rkey, bool valid,
                                   struct trace_rtoken **token)
{
    struct trace_rmb *deleted = NULL;
    for (struct trace_rmb *r = g->rmbs[owner]; r; r = r->next) {
        struct trace_rtoken *t = session_rmb_token(r, link_number);
        if (!t || t->rkey != rkey)
            continue;
        if (t->valid) {
            if (token)
                *token = t;
            return r;
        }
        if (!valid && !deleted) {
            deleted = r;
            if (token)
                *token = t;
        }
    }
    return deleted;
}

/* The key of a link that has gone, or if there is none the oldest: then there are more links than a group may have. */
static struct trace_rtoken *make_room(const struct trace_group *g, struct trace_rmb *r)
{
    for (unsigned i = 0; i < r->ntokens; i++) {
        bool lives = false;
        for (const struct trace_link *l = g->links; l; l = l->next)
            lives |= l->number == r->tokens[i].link_number && l->state != TRACE_LINK_GONE;
        if (!lives)
            return &r->tokens[i];
    }
    return &r->tokens[0];
}

void session_rmb_add_token(const struct trace_group *g, struct trace_rmb *r, uint8_t link_number, uint32_t rkey, uint64_t va, uint64_t frame)
{
    struct trace_rtoken *t = session_rmb_token(r, link_number);
    if (!t && r->ntokens < sizeof r->tokens / sizeof r->tokens[0])
        t = &r->tokens[r->ntokens++];
    if (!t)
        t = make_room(g, r);
    uint64_t first = t->valid && t->link_number == link_number && t->rkey == rkey ? t->first_frame : frame;
    *t = (struct trace_rtoken){.link_number = link_number, .valid = true, .rkey = rkey, .va = va, .frame = frame, .first_frame = first};
}

static bool is_deleted(const struct trace_rmb *r)
{
    for (unsigned i = 0; i < r->ntokens; i++)
        if (r->tokens[i].valid)
            return false;
    return true;
}

static bool is_used(const struct trace_group *g, const struct trace_rmb *r)
{
    for (const struct trace_conn *c = g->conns; c; c = c->group_next)
        if (c->side[r->owner].rmb == r)
            return true;
    return false;
}

/* What was deleted is kept so that a late use can be named; what was deleted long ago need not be named any more. */
static void forget_deleted(struct trace_group *g, int owner)
{
    unsigned deleted = 0;
    for (struct trace_rmb **at = &g->rmbs[owner], *r; (r = *at) != NULL;) {
        deleted += is_deleted(r);
        if (deleted <= DELETED_KEEP || !is_deleted(r) || is_used(g, r)) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        struct group *all = (struct group *)g;
        for (int i = 0; i < 2; i++) {
            if (all->last_rkey_rmb[i] == r)
                all->last_rkey_rmb[i] = NULL;
            if (all->cont_rmb[i] == r)
                all->cont_rmb[i] = NULL;
        }
        free(r);
    }
}

/* A buffer that is given again under the same key is the same RMB; else a new one. */
struct trace_rmb *session_rmb_announce(struct trace_session *s, struct trace_group *g, int owner, uint8_t link_number,
                                       uint32_t rkey, uint64_t va, uint64_t frame)
{
    struct trace_rtoken *t = NULL;
    struct trace_rmb *r = session_rmb_find(g, owner, link_number, rkey, false, &t);
    if (r && (t->valid || t->va == va)) {
        for (unsigned i = 0; i < r->ntokens && !t->valid; i++)
            if (&r->tokens[i] != t)
                r->tokens[i].valid = false;
        session_rmb_add_token(g, r, link_number, rkey, va, frame);
        ((struct rmb *)r)->delete_pending = NULL;
        return r;
    }
    forget_deleted(g, owner);
    struct rmb *fresh = calloc(1, sizeof *fresh);
    if (!fresh) {
        s->short_of_memory = true;
        return NULL;
    }
    fresh->pub.owner = owner;
    fresh->pub.next = g->rmbs[owner];
    g->rmbs[owner] = &fresh->pub;
    session_rmb_add_token(g, &fresh->pub, link_number, rkey, va, frame);
    return &fresh->pub;
}

void session_rmb_delete(struct trace_rmb *r, uint64_t frame)
{
    for (unsigned i = 0; i < r->ntokens; i++)
        if (r->tokens[i].valid) {
            r->tokens[i].valid = false;
            r->tokens[i].deleted_frame = frame;
        }
    ((struct rmb *)r)->delete_pending = NULL;
}

/* Receive and send buffers: RMBs and DMBs, their elements, registration on links, reuse.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conn.h"
#include "link.h"

enum {
    SIZE_SHIFT = 14,  /* 16 KiB, the compressed size 0 */
    MAX_CODE_R = 5,   /* 512 KiB [ROCE-016] */
    MAX_CODE_D = 6,   /* 1 MiB: the largest element of a DMB */
    DEFAULT_BYTES = 65536,
    RMBS_MAX = 255
};

static struct smc_path_counters *counters_of(const struct smc_group *g)
{
    return g->smc_d ? &g->ep->counters.d : &g->ep->counters.r;
}

/* ---- Sizes ---- */
static unsigned code_of(const struct smc_group *g, uint32_t wanted, uint32_t by_default)
{
    unsigned max = g->smc_d ? MAX_CODE_D : MAX_CODE_R, code = 0;
    uint32_t bytes = wanted != 0 ? wanted : by_default != 0 ? by_default : DEFAULT_BYTES;
    while (code < max && (UINT32_C(1) << (code + SIZE_SHIFT)) < bytes)
        code++;
    return code;
}

static uint32_t bytes_of(unsigned code)
{
    return UINT32_C(1) << (code + SIZE_SHIFT);
}

/* The counters' classes: ≤ 8 KiB, 16 KiB, 32 KiB … */
static unsigned class_of(uint32_t bytes)
{
    unsigned code = 0;
    while (bytes_of(code) < bytes)
        code++;
    return code + 1;
}

static bool is_shortage(int error)
{
    return error == SMC_ERR_NOMEM || error == SMC_ERR_NOSPACE;
}

/* ---- Registration ---- */
static bool is_usable(const struct smc_link *link)
{
    return link != NULL && link->pd != NULL && !link->going_down;
}

static int reg(const struct smc_link *link, void *memory, size_t bytes, unsigned access, struct smc_rdma_mr *mrs,
               uint8_t *registered)
{
    if (smc_link_bit(registered, link->slot))
        return 0;
    struct smc_rdma_device *device = link->rnic->device;
    int error = device->ops->reg_mr(device, link->pd, memory, bytes, access, &mrs[link->slot]);
    if (error == 0)
        smc_link_bit_set(registered, link->slot);
    return error;
}

static void unreg(const struct smc_link *link, struct smc_rdma_mr *mrs, uint8_t *registered)
{
    if (!smc_link_bit(registered, link->slot))
        return;
    (void)link->rnic->device->ops->dereg_mr(link->rnic->device, &mrs[link->slot]);
    smc_link_bit_clear(registered, link->slot);
}

static size_t rmb_bytes(const struct smc_rmb *rmb)
{
    return (size_t)rmb->rmbe_bytes * rmb->rmbe_count;
}

static int reg_rmb(struct smc_rmb *rmb, const struct smc_link *link)
{
    return reg(link, rmb->memory, rmb_bytes(rmb), SMC_RDMA_LOCAL_WRITE | SMC_RDMA_REMOTE_WRITE, rmb->mrs, rmb->registered);
}

static int reg_sndbuf(struct smc_sndbuf *b, const struct smc_link *link)
{
    return reg(link, b->memory, b->bytes, SMC_RDMA_LOCAL_READ, b->mrs, b->registered);
}

/* On all links that carry, or will: a connection may be moved to any of them. What was free when a link came was left out
 * and is made good here. */
static int reg_rmb_all(struct smc_rmb *rmb)
{
    const struct smc_group *g = rmb->group;
    int error = 0;
    for (unsigned i = 0; i < g->link_slots && error == 0; i++)
        if (is_usable(g->links[i]))
            error = reg_rmb(rmb, g->links[i]);
    return error;
}

static int reg_sndbuf_all(struct smc_sndbuf *b)
{
    const struct smc_group *g = b->group;
    int error = 0;
    for (unsigned i = 0; i < g->link_slots && error == 0; i++)
        if (is_usable(g->links[i]))
            error = reg_sndbuf(b, g->links[i]);
    return error;
}

static struct smc_rmb *rmb_of(struct smc_list *n)
{
    return SMC_LIST_ENTRY(n, struct smc_rmb, node);
}

static struct smc_sndbuf *sndbuf_of(struct smc_list *n)
{
    return SMC_LIST_ENTRY(n, struct smc_sndbuf, node);
}

int smc_buf_register_link(struct smc_group *group, struct smc_link *link)
{
    struct smc_list *n, *following;
    int error = 0;
    if (!is_usable(link))
        return SMC_ERR_GONE;
    SMC_LIST_EACH(n, following, &group->rmbs)
        if (error == 0 && rmb_of(n)->rmbes_used > 0 && !rmb_of(n)->deleting)
            error = reg_rmb(rmb_of(n), link);
    SMC_LIST_EACH(n, following, &group->sndbufs)
        if (error == 0 && sndbuf_of(n)->used)
            error = reg_sndbuf(sndbuf_of(n), link);
    if (error != 0)
        smc_buf_unregister_link(group, link);
    return error;
}

void smc_buf_unregister_link(struct smc_group *group, struct smc_link *link)
{
    struct smc_list *n, *following;
    if (group->smc_d || link->rnic == NULL)
        return;
    SMC_LIST_EACH(n, following, &group->rmbs) {
        unreg(link, rmb_of(n)->mrs, rmb_of(n)->registered);
        smc_link_bit_clear(rmb_of(n)->announced, link->slot);
    }
    SMC_LIST_EACH(n, following, &group->sndbufs) {
        unreg(link, sndbuf_of(n)->mrs, sndbuf_of(n)->registered);
        sndbuf_of(n)->fences[link->slot] = 0;
    }
}

/* ---- RMBs and DMBs ---- */
static void rmb_free(struct smc_rmb *rmb)
{
    struct smc_group *g = rmb->group;
    const struct smc_alloc *alloc = g->ep->alloc;
    for (unsigned i = 0; i < g->link_slots; i++)
        if (g->links[i] != NULL && g->links[i]->rnic != NULL)
            unreg(g->links[i], rmb->mrs, rmb->registered);
    if (g->smc_d)
        smc_smcd_unregister(rmb);
    else
        smc_alloc_release(alloc, rmb->memory, rmb_bytes(rmb), 1);
    smc_alloc_release(alloc, rmb->mrs, g->link_slots, sizeof(*rmb->mrs));
    if (!smc_list_empty(&rmb->node))
        g->rmb_count--;
    smc_list_remove(&rmb->node);
    smc_alloc_release(alloc, rmb, 1, sizeof(*rmb));
}

static uint8_t *element(const struct smc_rmb *rmb, unsigned index)
{
    return rmb->memory + (size_t)(rmb->group->smc_d ? 0 : index - 1) * rmb->rmbe_bytes;
}

/* Zero, so that no connection sees another's bytes [CURSOR-022], and the eyecatcher in front. */
static void clean_element(const struct smc_rmb *rmb, unsigned index)
{
    uint8_t *at = element(rmb, index);
    memset(at, 0, rmb->rmbe_bytes);
    if (!rmb->group->smc_d && rmb->group->eyecatcher_own)
        memcpy(at, smc_conn_eyecatcher, SMC_EYECATCHER);
}

static int fill_r(struct smc_rmb *rmb)
{
    struct smc_group *g = rmb->group;
    rmb->mrs = smc_alloc_zeroed(g->ep->alloc, g->link_slots, sizeof(*rmb->mrs));
    if (rmb->mrs == NULL)
        return SMC_ERR_NOMEM;
    rmb->memory = g->ep->alloc->allocate(g->ep->alloc->user, rmb_bytes(rmb));
    if (rmb->memory == NULL)
        return SMC_ERR_NOMEM;
    for (unsigned i = 1; i <= rmb->rmbe_count; i++)
        clean_element(rmb, i);
    return reg_rmb_all(rmb);
}

static int rmb_new(struct smc_connection *c, unsigned code, uint8_t count, struct smc_rmb **out)
{
    struct smc_group *g = c->group;
    struct smc_rmb *rmb = smc_alloc_zeroed(g->ep->alloc, 1, sizeof(*rmb));
    if (rmb == NULL)
        return SMC_ERR_NOMEM;
    smc_list_init(&rmb->node);
    rmb->group = g;
    rmb->bsize = (uint8_t)code;
    rmb->rmbe_bytes = bytes_of(code);
    rmb->rmbe_count = count;
    int error = g->smc_d ? smc_smcd_register(rmb, c) : fill_r(rmb);
    if (error != 0) {
        rmb_free(rmb);
        return error;
    }
    if (g->smc_d)
        memset(rmb->memory, 0, rmb->rmbe_bytes);
    smc_list_add_tail(&g->rmbs, &rmb->node);
    g->rmb_count++;
    *out = rmb;
    return 0;
}

static bool is_known_to_peer(const struct smc_rmb *rmb)
{
    return (rmb->announced[0] | rmb->announced[1]) != 0;
}

/* A place for another RMB: at most 255 of a group [LLC-055]; one that nobody uses or knows makes room. */
static bool make_room(struct smc_group *g)
{
    struct smc_list *n, *following;
    if (g->smc_d || g->rmb_count < RMBS_MAX)
        return true;
    SMC_LIST_EACH(n, following, &g->rmbs) {
        if (rmb_of(n)->rmbes_used == 0 && !rmb_of(n)->deleting && !is_known_to_peer(rmb_of(n))) {
            rmb_free(rmb_of(n));
            return true;
        }
    }
    return false;
}

static struct smc_rmb *reusable(struct smc_group *g, unsigned code)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH(n, following, &g->rmbs) {
        struct smc_rmb *rmb = rmb_of(n);
        if (rmb->bsize == code && rmb->rmbes_used < rmb->rmbe_count && !rmb->deleting && !rmb->tainted)
            return rmb;
    }
    return NULL;
}

/* As many elements as the profile wants, or a single one if memory does not suffice for that. */
static int fresh(struct smc_connection *c, unsigned code, struct smc_rmb **out)
{
    uint8_t count = c->group->smc_d ? 1 : c->ep->profile.rmbes_per_rmb;
    if (!make_room(c->group))
        return SMC_ERR_NOSPACE;
    int error = rmb_new(c, code, count, out);
    return is_shortage(error) && count > 1 ? rmb_new(c, code, 1, out) : error;
}

static int get_rmb(struct smc_connection *c, unsigned code, struct smc_rmb **out)
{
    struct smc_path_counters *counters = counters_of(c->group);
    struct smc_rmb *rmb = reusable(c->group, code);
    int error = rmb == NULL ? fresh(c, code, &rmb) : c->group->smc_d ? 0 : reg_rmb_all(rmb);
    if (error != 0)
        return error;
    if (rmb->rmbes_used > 0 || rmb->handed_out)
        counters->rx_buffer_reuse++;
    else
        counters->rx_buffer_alloc++;
    rmb->handed_out = true;
    *out = rmb;
    return 0;
}

static void take_element(struct smc_connection *c, struct smc_rmb *rmb)
{
    unsigned i = 0;
    while (smc_link_bit(rmb->used, i))
        i++;
    smc_link_bit_set(rmb->used, i);
    rmb->rmbes_used++;
    c->rmb = rmb;
    if (rmb->group->smc_d) {
        rmb->user = c;
        c->rmbe_index = 0;
        c->rx_ring = rmb->rmbe_bytes - SMC_SMCD_BLOCK;
    } else {
        c->rmbe_index = (uint8_t)(i + 1);
        c->rx_ring = rmb->rmbe_bytes - (rmb->group->eyecatcher_own ? SMC_EYECATCHER : 0);
    }
    counters_of(rmb->group)->rx_rmb_size[class_of(rmb->rmbe_bytes)]++;
}

int smc_buf_rmb(struct smc_connection *c, uint32_t wanted_bytes)
{
    unsigned wanted = code_of(c->group, wanted_bytes, c->ep->config.rmb_bytes), code = wanted;
    struct smc_rmb *rmb = NULL;
    int error = get_rmb(c, code, &rmb);
    while (is_shortage(error) && code > 0)
        error = get_rmb(c, --code, &rmb);
    if (error != 0)
        return error;
    counters_of(c->group)->rx_buffer_downgraded += code < wanted;
    take_element(c, rmb);
    return 0;
}

/* A link that is being added will know it, too, only if it is on the list: that may have been made while nobody used it [LLC-033]. */
static bool is_missing_on(const struct smc_rmb *rmb, const struct smc_link *link)
{
    bool awaited = link->state == SMC_LINK_ACTIVE || (link->state == SMC_LINK_ACTIVATING && !rmb->shared);
    return awaited && !smc_link_bit(rmb->announced, link->slot);
}

bool smc_rmb_needs_confirm(const struct smc_rmb *rmb)
{
    const struct smc_group *g = rmb->group;
    for (unsigned i = 0; !g->smc_d && i < g->link_slots; i++)
        if (g->links[i] != NULL && is_missing_on(rmb, g->links[i]))
            return true;
    return false;
}

void smc_buf_free_rmb(struct smc_rmb *rmb)
{
    rmb->deleting = rmb->delete_sent = false;
    memset(rmb->announced, 0, sizeof(rmb->announced));
    if (rmb->tainted || rmb->group->dying) /* tainted: its rkeys go, too */
        rmb_free(rmb);
}

/* ---- Giving back ---- */
static bool has_spare(const struct smc_rmb *rmb)
{
    const struct smc_list *head = &rmb->group->rmbs;
    for (struct smc_list *n = head->next; n != head; n = n->next)
        if (rmb_of(n) != rmb && rmb_of(n)->bsize == rmb->bsize && rmb_of(n)->rmbes_used == 0 && !rmb_of(n)->deleting)
            return true;
    return false;
}

/* An RMB of one element is deleted with its connection and confirmed again when it is reused (Linux); of those with several
 * elements one of each size is kept in reserve, known to the peer. */
static void retire(struct smc_rmb *rmb)
{
    struct smc_group *g = rmb->group;
    bool last = g->connections <= 1 && (g->first_contact || g->sync_error); /* the group ends at once */
    if (g->dying || last)
        return;
    if (!is_known_to_peer(rmb)) {
        rmb_free(rmb); /* a CONFIRM RKEY may be under way all the same: the next RMB has other rkeys */
    } else if (rmb->tainted || rmb->rmbe_count == 1 || has_spare(rmb)) {
        rmb->deleting = true;
        smc_flow_delete_rkey(rmb); /* [LLC-060] [LLC-061] */
    }
}

static void release_rmb(struct smc_connection *c)
{
    struct smc_rmb *rmb = c->rmb;
    unsigned index = c->rmbe_index;
    counters_of(rmb->group)->rx_rmb_size[class_of(rmb->rmbe_bytes)]--;
    clean_element(rmb, index);
    smc_link_bit_clear(rmb->used, rmb->group->smc_d ? 0 : index - 1);
    rmb->rmbes_used--;
    rmb->user = NULL;
    rmb->tainted |= c->peer_silent; /* it may still write [CLOSE-020] */
    c->rmb = NULL;
    c->rmbe_index = 0;
    if (rmb->group->smc_d && rmb->tainted)
        rmb_free(rmb); /* moves into it are refused from now on */
    else if (!rmb->group->smc_d && rmb->rmbes_used == 0)
        retire(rmb);
}

/* WRITEs out of it may still be under way, and be repeated: what they send must not become another connection's bytes. */
static void release_sndbuf(struct smc_connection *c)
{
    struct smc_sndbuf *b = c->sndbuf;
    struct smc_group *g = c->group;
    if (b->ghost) {
        smc_smcd_detach(c);
        c->sndbuf = NULL;
        return;
    }
    counters_of(g)->tx_rmb_size[class_of(b->bytes)]--;
    for (unsigned i = 0; i < g->link_slots; i++)
        b->fences[i] = g->links[i] != NULL ? smc_wr_fence(g->links[i]) : 0;
    b->used = false;
    c->sndbuf = NULL;
}

void smc_buf_release(struct smc_connection *c)
{
    if (c->sndbuf != NULL)
        release_sndbuf(c);
    if (c->rmb != NULL)
        release_rmb(c);
}

/* ---- Send buffers ---- */
static void sndbuf_free(struct smc_sndbuf *b)
{
    struct smc_group *g = b->group;
    const struct smc_alloc *alloc = g->ep->alloc;
    for (unsigned i = 0; i < g->link_slots; i++)
        if (g->links[i] != NULL && g->links[i]->rnic != NULL)
            unreg(g->links[i], b->mrs, b->registered);
    smc_list_remove(&b->node);
    smc_alloc_release(alloc, b->memory, b->bytes, 1);
    smc_alloc_release(alloc, b->mrs, g->link_slots, sizeof(*b->mrs));
    smc_alloc_release(alloc, b->fences, g->link_slots, sizeof(*b->fences));
    smc_alloc_release(alloc, b, 1, sizeof(*b));
}

static int fill_sndbuf(struct smc_sndbuf *b)
{
    struct smc_group *g = b->group;
    const struct smc_alloc *alloc = g->ep->alloc;
    b->memory = alloc->allocate(alloc->user, b->bytes);
    if (b->memory == NULL)
        return SMC_ERR_NOMEM;
    if (g->smc_d)
        return 0;
    b->mrs = smc_alloc_zeroed(alloc, g->link_slots, sizeof(*b->mrs));
    b->fences = smc_alloc_zeroed(alloc, g->link_slots, sizeof(*b->fences));
    return b->mrs == NULL || b->fences == NULL ? SMC_ERR_NOMEM : reg_sndbuf_all(b);
}

static int sndbuf_new(struct smc_group *g, unsigned code, struct smc_sndbuf **out)
{
    struct smc_sndbuf *b = smc_alloc_zeroed(g->ep->alloc, 1, sizeof(*b));
    if (b == NULL)
        return SMC_ERR_NOMEM;
    smc_list_init(&b->node);
    b->group = g;
    b->bytes = bytes_of(code);
    int error = fill_sndbuf(b);
    if (error != 0) {
        sndbuf_free(b);
        return error;
    }
    smc_list_add_tail(&g->sndbufs, &b->node);
    *out = b;
    return 0;
}

static bool is_quiet(const struct smc_sndbuf *b)
{
    for (unsigned i = 0; i < b->group->link_slots; i++)
        if (b->group->links[i] != NULL && !smc_wr_passed(b->group->links[i], b->fences[i]))
            return false;
    return true;
}

static struct smc_sndbuf *quiet_sndbuf(struct smc_group *g, uint32_t bytes)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH(n, following, &g->sndbufs)
        if (!sndbuf_of(n)->used && sndbuf_of(n)->bytes == bytes && is_quiet(sndbuf_of(n)))
            return sndbuf_of(n);
    return NULL;
}

static int get_sndbuf(struct smc_group *g, unsigned code, struct smc_sndbuf **out)
{
    struct smc_sndbuf *b = quiet_sndbuf(g, bytes_of(code));
    bool reused = b != NULL;
    int error = reused ? reg_sndbuf_all(b) : sndbuf_new(g, code, &b);
    if (error != 0)
        return error;
    memset(b->memory, 0, b->bytes);
    counters_of(g)->tx_buffer_reuse += reused;
    counters_of(g)->tx_buffer_alloc += !reused;
    *out = b;
    return 0;
}

int smc_buf_sndbuf(struct smc_connection *c)
{
    if (c->sndbuf != NULL)
        return 0;
    if (c->group == NULL)
        return SMC_ERR_NOMEM; /* nothing to have it from: the connection has ended */
    unsigned wanted = code_of(c->group, c->sndbuf_wanted, c->ep->config.sndbuf_bytes), code = wanted;
    struct smc_sndbuf *b = NULL;
    int error = get_sndbuf(c->group, code, &b);
    while (error != 0 && code > 0)
        error = get_sndbuf(c->group, --code, &b);
    if (error != 0)
        return SMC_ERR_NOMEM;
    counters_of(c->group)->tx_buffer_downgraded += code < wanted;
    counters_of(c->group)->tx_rmb_size[class_of(b->bytes)]++;
    b->used = true;
    c->sndbuf = b;
    return 0;
}

void smc_buf_free_all(struct smc_group *group)
{
    while (!smc_list_empty(&group->rmbs))
        rmb_free(rmb_of(group->rmbs.next));
    while (!smc_list_empty(&group->sndbufs))
        sndbuf_free(sndbuf_of(group->sndbufs.next));
}

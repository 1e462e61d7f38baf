/* How bytes of the send buffer reach the peer's ring: RDMA WRITEs (SMC-R) or moves into its DMB (SMC-D).
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conn.h"

enum { WRITES_MAX = 2, PIECES_MAX = 2 };

bool smc_transport_room(const struct smc_connection *c)
{
    if (c->mode == SMC_MODE_D)
        return true;
    return c->link != NULL && c->cdc_notes < SMC_SEND_SLOTS && smc_wr_send_room(c->link) > 0 &&
           smc_wr_write_room(c->link) >= WRITES_MAX;
}

uint8_t *smc_transport_ring(const struct smc_connection *c)
{
    const struct smc_rmb *rmb = c->rmb;
    if (c->group->smc_d)
        return rmb->memory + SMC_SMCD_BLOCK;
    return rmb->memory + (size_t)(c->rmbe_index - 1) * rmb->rmbe_bytes + (rmb->rmbe_bytes - c->rx_ring);
}

uint8_t *smc_transport_sndbuf(const struct smc_connection *c)
{
    return c->sndbuf->ghost ? c->sndbuf->memory + SMC_SMCD_BLOCK : c->sndbuf->memory;
}

/* ---- SMC-R ---- */
struct target {
    uint32_t rkey;
    uint64_t va; /* of the first byte of the ring */
    const struct smc_rdma_mr *mr;
};

static bool find_target(const struct smc_connection *c, struct target *t)
{
    const struct smc_group *g = c->group;
    unsigned slot = c->link->slot;
    if (c->peer_row < 0 || (uint32_t)c->peer_row >= g->rtoken_rows || c->sndbuf->mrs == NULL ||
        !(c->sndbuf->registered[slot / 8] >> (slot % 8) & 1))
        return false;
    const struct smc_rtoken *token = &g->rtokens[(size_t)c->peer_row * g->link_slots + slot];
    t->rkey = token->rkey;
    t->va = token->va + c->peer_rmbe_offset + (c->peer_rmbe_bytes - c->tx_ring);
    t->mr = &c->sndbuf->mrs[slot];
    return token->valid;
}

static unsigned cut(const struct smc_connection *c, const struct target *t, uint32_t from, uint32_t n,
                    struct smc_rdma_piece *pieces)
{
    uint32_t first = n < c->snd_ring - from ? n : c->snd_ring - from;
    pieces[0] = (struct smc_rdma_piece){.mr = t->mr, .offset = from, .length = first};
    pieces[1] = (struct smc_rdma_piece){.mr = t->mr, .offset = 0, .length = n - first};
    return n > first ? 2 : 1;
}

static int write_r(struct smc_connection *c, uint32_t from, uint32_t to, uint32_t n)
{
    struct target t;
    struct smc_rdma_piece pieces[PIECES_MAX];
    if (!find_target(c, &t))
        return SMC_ERR_NOTFOUND;
    while (n > 0) {
        uint32_t part = n < c->tx_ring - to ? n : c->tx_ring - to;
        unsigned count = cut(c, &t, from, part, pieces);
        int error = smc_wr_write(c->link, pieces, count, t.rkey, t.va + to);
        if (error != 0)
            return error;
        c->tx_writes++;
        n -= part;
        to = 0;
        from = from + part < c->snd_ring ? from + part : from + part - c->snd_ring;
    }
    return 0;
}

/* ---- SMC-D ---- */
static int write_d(struct smc_connection *c, uint32_t from, uint32_t to, uint32_t n)
{
    const uint8_t *buffer = smc_transport_sndbuf(c);
    while (n > 0) {
        uint32_t part = n < c->tx_ring - to ? n : c->tx_ring - to;
        if (part > c->snd_ring - from)
            part = c->snd_ring - from;
        if (c->sndbuf->ghost) { /* it is there already: whoever records the device's traffic is told */
            smc_dibs_wrote(c->group->device->device, c->peer_dmb_token, SMC_SMCD_BLOCK + to, part);
        } else {
            int error = smc_smcd_move(c, SMC_SMCD_BLOCK + to, buffer + from, part, false); /* [SMCD-003] */
            if (error != 0)
                return error;
        }
        c->tx_writes++;
        n -= part;
        to = to + part < c->tx_ring ? to + part : 0;
        from = from + part < c->snd_ring ? from + part : 0;
    }
    return 0;
}

int smc_transport_write(struct smc_connection *c, struct smc_cursor from, struct smc_cursor to, uint32_t n)
{
    return c->mode == SMC_MODE_D ? write_d(c, from.count, to.count, n) : write_r(c, from.count, to.count, n);
}

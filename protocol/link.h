/* What group.c, link*.c, wr.c and buffer.c share and nobody else needs.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_LINK_H
#define SMC_LINK_H

#include "core.h"

enum {
    SMC_WR_SMALL_BYTES = SMC_LLC_BYTES, /* what a slot for CDC and v1 LLC holds */
    SMC_WR_LARGE = SMC_SEND_SLOTS,      /* index of the one slot of a v2 link for longer messages */
    SMC_WR_SLOTS = SMC_SEND_SLOTS + 1,
    SMC_WR_PIECES = 2,                  /* of a WRITE: the send buffer's end and its beginning */
    /* Buffers of a v2 link hold 8 KiB each, as any receive may be a long message. Linux has 16 slots for messages on a link and
     * one for a long one: 24 take all that it can have under way and half as much again while we are busy. 192 KiB a link; a
     * peer that sends more meets RNR and repeats without end (rnr_retry 7), nothing is lost. */
    SMC_WR_V2_RECEIVES = 24
};

struct smc_wr_slot {
    smc_wr_done_fn *done; /* NULL: nobody waits (any more) */
    void *ctx;
    uint64_t order;  /* smc_wr.posted when it was posted, itself included */
    uint64_t writes; /* smc_wr.writes_posted then: when it completes, these have */
    bool used;
};

struct smc_wr {
    uint8_t *memory; /* small slots, the large one, receive buffers: one MR */
    size_t bytes;
    struct smc_rdma_mr mr;
    uint32_t large_bytes, receive_bytes, receives;
    struct smc_wr_slot slots[SMC_WR_SLOTS];
    unsigned pending; /* SENDs under way */
    uint64_t posted, completed, writes_posted, writes_completed;
    bool broken; /* a completion was an error: smc_link_down() when the poll is through */
};

static inline bool smc_link_bit(const uint8_t *bits, unsigned slot)
{
    return (bits[slot / 8] >> (slot % 8) & 1) != 0;
}

static inline void smc_link_bit_set(uint8_t *bits, unsigned slot)
{
    bits[slot / 8] |= (uint8_t)(1u << (slot % 8));
}

static inline void smc_link_bit_clear(uint8_t *bits, unsigned slot)
{
    bits[slot / 8] &= (uint8_t)~(1u << (slot % 8));
}

/* ---- wr.c */
int smc_wr_new(struct smc_link *link); /* memory and MR: link->wr */
void smc_wr_free(struct smc_link *link); /* the QP is gone */
void smc_wr_config(const struct smc_link *link, struct smc_rdma_qp_config *out); /* depths; not the CQs */
int smc_wr_post_receives(struct smc_link *link);
void smc_wr_poll(struct smc_link *link); /* all completions there are, or many; the link may be gone afterwards */
/* Calls every done that is owed, or those for `ctx`; what was posted goes on. */
void smc_wr_dismiss(struct smc_link *link, int error);
void smc_wr_dismiss_ctx(struct smc_link *link, const void *ctx, int error);

/* ---- link.c */
/* Gives back QP, CQs, PD and MRs; every done is called with SMC_ERR_GONE. The link is off its device (rnic NULL). */
void smc_link_clear(struct smc_link *link);

/* ---- group.c */
void smc_group_link_gone(struct smc_group *group); /* a link of a lingering group was freed: may free the group */

/* ---- group_rtoken.c */
void smc_rtoken_clear_link(struct smc_group *group, unsigned slot);
void smc_rtoken_leave(struct smc_group *group, const struct smc_connection *c); /* c goes: its row may be free now */
bool smc_rtoken_full(const struct smc_group *group);

#endif

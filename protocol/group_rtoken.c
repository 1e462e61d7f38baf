/* The peer's RMBs: a row for each, with an RToken for every link (RFC 7609 2.1: at most 255 a group).
 * SPDX-License-Identifier: BSD-3-Clause */
#include "link.h"

enum { ROWS_AT_FIRST = 8 };

static struct smc_rtoken *token_at(const struct smc_group *group, uint32_t row, unsigned slot)
{
    return &group->rtokens[(size_t)row * group->link_slots + slot];
}

static bool row_used(const struct smc_group *group, uint32_t row)
{
    return smc_link_bit(group->rtoken_used, row);
}

int smc_rtoken_find(const struct smc_group *group, const struct smc_link *link, uint32_t rkey)
{
    for (uint32_t row = 0; row < group->rtoken_rows; row++) {
        const struct smc_rtoken *token = token_at(group, row, link->slot);
        if (row_used(group, row) && token->valid && token->rkey == rkey)
            return (int)row;
    }
    return SMC_ERR_NOTFOUND;
}

bool smc_rtoken_full(const struct smc_group *group)
{
    unsigned used = 0;
    for (uint32_t row = 0; row < group->rtoken_rows; row++)
        used += row_used(group, row);
    return used == SMC_RTOKEN_ROWS;
}

static int grow(struct smc_group *group)
{
    uint32_t rows = group->rtoken_rows == 0 ? ROWS_AT_FIRST : group->rtoken_rows * 2;
    if (rows > SMC_RTOKEN_ROWS)
        rows = SMC_RTOKEN_ROWS;
    struct smc_rtoken *grown = smc_alloc_grow(group->ep->alloc, group->rtokens, (size_t)group->rtoken_rows * group->link_slots,
                                              (size_t)rows * group->link_slots, sizeof(*grown));
    if (grown == NULL)
        return SMC_ERR_NOMEM;
    group->rtokens = grown;
    group->rtoken_rows = rows;
    return 0;
}

static int free_row(struct smc_group *group)
{
    uint32_t row = 0;
    while (row < group->rtoken_rows && row_used(group, row))
        row++;
    if (row == SMC_RTOKEN_ROWS)
        return SMC_ERR_NOSPACE; /* [LLC-055] */
    if (row == group->rtoken_rows) {
        int error = grow(group);
        if (error != 0)
            return error;
    }
    smc_link_bit_set(group->rtoken_used, row);
    return (int)row;
}

static void set(struct smc_rtoken *token, uint32_t rkey, uint64_t va)
{
    *token = (struct smc_rtoken){.rkey = rkey, .va = va, .valid = true};
}

/* An rkey that is known, with another address: the peer's newest word about its own memory holds. */
int smc_rtoken_add(struct smc_group *group, const struct smc_link *link, uint32_t rkey, uint64_t va)
{
    int row = smc_rtoken_find(group, link, rkey);
    if (row == SMC_ERR_NOTFOUND)
        row = free_row(group);
    if (row >= 0)
        set(token_at(group, (uint32_t)row, link->slot), rkey, va);
    return row;
}

int smc_rtoken_map(struct smc_group *group, const struct smc_link *known, uint32_t reference, const struct smc_link *link,
                   uint32_t rkey, uint64_t va)
{
    int row = smc_rtoken_find(group, known, reference);
    if (row < 0)
        return row;
    set(token_at(group, (uint32_t)row, link->slot), rkey, va);
    return row;
}

static bool row_wanted(const struct smc_group *group, uint32_t row, const struct smc_connection *but)
{
    for (const struct smc_list *n = group->conns.next; n != &group->conns; n = n->next) {
        const struct smc_connection *c =
            (const struct smc_connection *)(const void *)((const char *)n - offsetof(struct smc_connection, of_group));
        if (c != but && c->peer_row == (int)row)
            return true;
    }
    return false;
}

static bool row_empty(const struct smc_group *group, uint32_t row)
{
    for (unsigned slot = 0; slot < group->link_slots; slot++)
        if (token_at(group, row, slot)->valid)
            return false;
    return true;
}

/* A row that a connection names is not given to another RMB: its bytes would go there. */
static void drop_row(struct smc_group *group, uint32_t row, const struct smc_connection *leaving)
{
    if (row_used(group, row) && row_empty(group, row) && !row_wanted(group, row, leaving))
        smc_link_bit_clear(group->rtoken_used, row);
}

int smc_rtoken_delete(struct smc_group *group, const struct smc_link *link, uint32_t rkey)
{
    int row = smc_rtoken_find(group, link, rkey);
    if (row < 0)
        return row;
    for (unsigned slot = 0; slot < group->link_slots; slot++)
        token_at(group, (uint32_t)row, slot)->valid = false;
    drop_row(group, (uint32_t)row, NULL);
    return 0;
}

void smc_rtoken_clear_link(struct smc_group *group, unsigned slot)
{
    for (uint32_t row = 0; row < group->rtoken_rows; row++) {
        token_at(group, row, slot)->valid = false;
        drop_row(group, row, NULL);
    }
}

void smc_rtoken_leave(struct smc_group *group, const struct smc_connection *c)
{
    if (c->peer_row >= 0 && (uint32_t)c->peer_row < group->rtoken_rows)
        drop_row(group, (uint32_t)c->peer_row, c);
}

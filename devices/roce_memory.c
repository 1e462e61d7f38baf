/* Protection domains and memory regions of the RoCE NIC, and who may touch which bytes.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/roce_internal.h"

enum { PAGE = 4096, KEY_ROUNDS = 4 };

int roce_alloc_pd(struct smc_rdma_device *device, struct smc_rdma_pd **out)
{
    struct roce *roce = roce_of(device);
    int error = roce_may(roce);
    if (error < 0)
        return error;
    struct smc_rdma_pd *pd = smc_alloc_zeroed(roce->alloc, 1, sizeof(*pd));
    if (pd == NULL)
        return SMC_ERR_NOMEM;
    pd->roce = roce;
    roce_list_append(&roce->pds, &pd->node);
    *out = pd;
    return 0;
}

static void free_pd(struct smc_rdma_pd *pd)
{
    roce_list_remove(&pd->node);
    smc_alloc_release(pd->roce->alloc, pd, 1, sizeof(*pd));
}

int roce_dealloc_pd(struct smc_rdma_device *device, struct smc_rdma_pd *pd)
{
    if (roce_of(device)->callbacks > 0)
        return SMC_ERR_REENTERED;
    if (pd == NULL || pd->roce != roce_of(device))
        return SMC_ERR_ARGUMENT;
    if (pd->users > 0)
        return SMC_ERR_BUSY;
    free_pd(pd);
    return 0;
}

/* Keys are a permutation of 1, 2, 3 …, keyed by the seed (a small Feistel network): none comes again
 * before all have been used, and one says little about the next. */
static uint32_t permute(uint64_t seed, uint32_t n)
{
    uint16_t left = (uint16_t)(n >> 16), right = (uint16_t)n;
    for (unsigned round = 0; round < KEY_ROUNDS; round++) {
        uint64_t x = seed + (((uint64_t)round + 1) << 16 | right);
        x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
        uint16_t next = (uint16_t)(left ^ x >> 48);
        left = right;
        right = next;
    }
    return (uint32_t)left << 16 | right;
}

static uint32_t new_key(struct roce *roce)
{
    uint32_t key;
    do
        key = permute(roce->config.seed, ++roce->next_key);
    while (key == 0 || roce_map_find(&roce->mr_map, key) != NULL);
    return key;
}

static bool access_allowed(unsigned access)
{
    unsigned all = SMC_RDMA_LOCAL_WRITE | SMC_RDMA_REMOTE_WRITE;
    return (access & ~all) == 0 && access != SMC_RDMA_REMOTE_WRITE;
}

/* Room in the made-up address space: whole pages, one left out behind each region. */
static uint64_t new_address(struct roce *roce, size_t length)
{
    uint64_t address = roce->next_address;
    roce->next_address += ((uint64_t)length / PAGE + 2) * PAGE;
    return address;
}

int roce_reg_mr(struct smc_rdma_device *device, struct smc_rdma_pd *pd, void *memory, size_t length,
                unsigned access, struct smc_rdma_mr *mr)
{
    struct roce *roce = roce_of(device);
    int error = roce_may(roce);
    if (error < 0)
        return error;
    if (pd == NULL || pd->roce != roce || memory == NULL || length == 0 || mr == NULL ||
        length > UINT64_C(1) << 40 || !access_allowed(access))
        return SMC_ERR_ARGUMENT;
    if (roce->mr_map.count >= roce->config.max_mrs)
        return SMC_ERR_NOSPACE;
    if (roce_fault_strikes_now(roce, ROCE_FAULT_REFUSE_MR, NULL, SMC_RDMA_RECV, NULL))
        return SMC_ERR_NOMEM;
    struct roce_mr *own = smc_alloc_zeroed(roce->alloc, 1, sizeof(*own));
    if (own == NULL)
        return SMC_ERR_NOMEM;
    uint32_t key = new_key(roce);
    error = roce_map_add(&roce->mr_map, roce->alloc, key, own);
    if (error < 0) {
        smc_alloc_release(roce->alloc, own, 1, sizeof(*own));
        return error;
    }
    own->pd = pd;
    own->memory = memory;
    own->length = length;
    own->base = new_address(roce, length);
    own->key = key;
    own->access = access;
    roce_list_append(&roce->mrs, &own->node);
    pd->users++;
    *mr = (struct smc_rdma_mr){.pd = pd,
                               .memory = memory,
                               .length = length,
                               .lkey = key,
                               .rkey = access & SMC_RDMA_REMOTE_WRITE ? key : 0,
                               .remote_address = own->base};
    return 0;
}

static void free_mr(struct roce *roce, struct roce_mr *mr)
{
    roce_map_remove(&roce->mr_map, mr->key);
    roce_list_remove(&mr->node);
    mr->pd->users--;
    smc_alloc_release(roce->alloc, mr, 1, sizeof(*mr));
}

int roce_dereg_mr(struct smc_rdma_device *device, struct smc_rdma_mr *mr)
{
    struct roce *roce = roce_of(device);
    if (roce->callbacks > 0)
        return SMC_ERR_REENTERED;
    if (mr == NULL)
        return SMC_ERR_ARGUMENT;
    struct roce_mr *own = roce_map_find(&roce->mr_map, mr->lkey);
    if (own == NULL || own->pd != mr->pd)
        return SMC_ERR_NOTFOUND;
    free_mr(roce, own);
    return 0;
}

void roce_free_mrs(struct roce *roce)
{
    while (!roce_list_empty(&roce->mrs))
        free_mr(roce, ROCE_OWNER(roce->mrs.next, struct roce_mr, node));
}

void roce_free_pds(struct roce *roce)
{
    while (!roce_list_empty(&roce->pds))
        free_pd(ROCE_OWNER(roce->pds.next, struct smc_rdma_pd, node));
    roce_map_free(&roce->mr_map, roce->alloc);
}

uint8_t *roce_remote_memory(const struct smc_rdma_qp *qp, uint32_t rkey, uint64_t address,
                            uint32_t length)
{
    const struct roce_mr *mr = roce_map_find(&qp->roce->mr_map, rkey);
    if (mr == NULL || mr->pd != qp->pd || !(mr->access & SMC_RDMA_REMOTE_WRITE))
        return NULL;
    if (address < mr->base || address - mr->base > mr->length ||
        length > mr->length - (address - mr->base))
        return NULL;
    return mr->memory + (size_t)(address - mr->base);
}

/* The piece's memory, or NULL. Looked up each time: it may have been
 * deregistered since the post. */
static uint8_t *piece_memory(const struct smc_rdma_qp *qp, const struct roce_piece *piece,
                             bool write)
{
    const struct roce_mr *mr = roce_map_find(&qp->roce->mr_map, piece->lkey);
    if (mr == NULL || mr->pd != qp->pd || (write && !(mr->access & SMC_RDMA_LOCAL_WRITE)))
        return NULL;
    if (piece->offset > mr->length || piece->length > mr->length - piece->offset)
        return NULL;
    return mr->memory + (size_t)piece->offset;
}

bool roce_pieces_valid(const struct smc_rdma_qp *qp, const struct roce_piece *pieces,
                       uint32_t count, bool write)
{
    for (uint32_t i = 0; i < count; i++)
        if (piece_memory(qp, &pieces[i], write) == NULL)
            return false;
    return true;
}

/* One loop for both directions: exactly one of `to` and `from` is given. */
static bool copy(const struct smc_rdma_qp *qp, const struct roce_piece *pieces, uint32_t count,
                 uint32_t offset, uint8_t *to, const uint8_t *from, uint32_t length)
{
    for (uint32_t i = 0; i < count && length > 0; i++) {
        if (offset >= pieces[i].length) {
            offset -= pieces[i].length;
            continue;
        }
        uint8_t *memory = piece_memory(qp, &pieces[i], from != NULL);
        if (memory == NULL)
            return false;
        uint32_t n = pieces[i].length - offset;
        n = n < length ? n : length;
        if (from != NULL) {
            memcpy(memory + offset, from, n);
            from += n;
        } else {
            memcpy(to, memory + offset, n);
            to += n;
        }
        length -= n;
        offset = 0;
    }
    return length == 0;
}

bool roce_gather(const struct smc_rdma_qp *qp, const struct roce_piece *pieces, uint32_t count,
                 uint32_t offset, uint8_t *to, uint32_t length)
{
    return copy(qp, pieces, count, offset, to, NULL, length);
}

bool roce_scatter(const struct smc_rdma_qp *qp, const struct roce_piece *pieces, uint32_t count,
                  uint32_t offset, const uint8_t *from, uint32_t length)
{
    return copy(qp, pieces, count, offset, NULL, from, length);
}

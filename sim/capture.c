/* Captures: one place through which every frame of a run goes on its way to file, memory and digest.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/capture.h"

#include "traces/writer.h"
#include "wire/smcd_record_layouts.h"

#include <stdio.h>
#include <string.h>

enum { LINKTYPE_ETHERNET = 1, FIRST_INDEX = 64, FIRST_STORE = 16384 };

struct kept {
    uint64_t at_ns;
    size_t offset, length;
};

struct capture {
    const struct smc_alloc *alloc;
    struct capture_options options;
    struct trace_writer *writer;
    struct sim_hash hash;
    uint64_t count;
    struct kept *index;
    size_t index_capacity;
    uint8_t *store;
    size_t store_used, store_capacity;
    int error;
};

int capture_open(const struct smc_alloc *alloc, const struct capture_options *options,
                 struct capture **out, char *error, size_t error_size)
{
    char text[512];
    struct capture *c = smc_alloc_zeroed(alloc, 1, sizeof *c);
    *out = NULL;
    if (error != NULL && error_size > 0)
        snprintf(error, error_size, "%s", smc_error_text(SMC_ERR_NOMEM));
    if (c == NULL)
        return SMC_ERR_NOMEM;
    c->alloc = alloc;
    c->options = *options;
    c->options.path = NULL; /* borrowed for this call only */
    sim_hash_init(&c->hash, 0);
    if (options->path != NULL) {
        c->writer = trace_writer_open(options->path, LINKTYPE_ETHERNET, CAPTURE_SNAPLEN, text,
                                      sizeof text);
        if (c->writer == NULL) {
            if (error != NULL && error_size > 0)
                snprintf(error, error_size, "%s", text);
            smc_alloc_release(alloc, c, 1, sizeof *c);
            return SMC_ERR_IO;
        }
    }
    *out = c;
    return 0;
}

int capture_close(struct capture *c)
{
    if (c == NULL)
        return 0;
    int error = c->error;
    if (trace_writer_close(c->writer) != 0)
        error = SMC_ERR_IO;
    smc_alloc_release(c->alloc, c->index, c->index_capacity, sizeof *c->index);
    smc_alloc_release(c->alloc, c->store, c->store_capacity, 1);
    smc_alloc_release(c->alloc, c, 1, sizeof *c);
    return error;
}

/* ---- memory ---- */

static bool grow_index(struct capture *c)
{
    if (c->count < c->index_capacity)
        return true;
    size_t more = c->index_capacity > 0 ? c->index_capacity * 2 : FIRST_INDEX;
    struct kept *index = smc_alloc_grow(c->alloc, c->index, c->index_capacity, more, sizeof *index);
    if (index == NULL)
        return false;
    c->index = index;
    c->index_capacity = more;
    return true;
}

static bool grow_store(struct capture *c, size_t n)
{
    size_t more = c->store_capacity > 0 ? c->store_capacity : FIRST_STORE;
    while (more - c->store_used < n)
        more *= 2;
    if (more == c->store_capacity)
        return true;
    uint8_t *store = smc_alloc_grow(c->alloc, c->store, c->store_capacity, more, 1);
    if (store == NULL)
        return false;
    c->store = store;
    c->store_capacity = more;
    return true;
}

static void keep(struct capture *c, uint64_t at_ns, const uint8_t *bytes, size_t length)
{
    if (c->error == SMC_ERR_NOMEM) /* one gap is enough: what is kept must have no hole */
        return;
    if (!grow_index(c) || !grow_store(c, length)) {
        c->error = SMC_ERR_NOMEM;
        return;
    }
    c->index[c->count] = (struct kept){at_ns, c->store_used, length};
    memcpy(c->store + c->store_used, bytes, length);
    c->store_used += length;
}

/* ---- frames ---- */

void capture_put(struct capture *c, uint64_t at_ns, const uint8_t *bytes, size_t length)
{
    sim_hash_add_u64(&c->hash, at_ns);
    sim_hash_add_u64(&c->hash, length);
    sim_hash_add(&c->hash, bytes, length);
    if (c->options.keep)
        keep(c, at_ns, bytes, length);
    c->count++;
    if (c->writer != NULL &&
        trace_writer_put(c->writer, CAPTURE_EPOCH_S * SIM_S + at_ns, smc_view_of(bytes, length),
                         (uint32_t)length) != 0)
        c->error = SMC_ERR_IO;
    if (c->options.sink != NULL)
        c->options.sink(c->options.user, at_ns, bytes, length);
}

int capture_record(struct capture *c, uint64_t at_ns, const uint8_t src_mac[6],
                   const uint8_t *dst_mac, const uint8_t *record, size_t length)
{
    uint8_t frame[smc_eth_size + smc_smcd_record_size + SMC_RECORD_MAX_DATA];
    if (length < smc_smcd_record_size || length > sizeof frame - smc_eth_size)
        return SMC_ERR_ARGUMENT;
    if (dst_mac != NULL)
        memcpy(frame, dst_mac, 6);
    else
        memset(frame, 0xff, 6);
    smc_eth_put_src(frame, src_mac);
    smc_eth_put_ethertype(frame, SMC_ETHERTYPE_SMCD_RECORD);
    memcpy(frame + smc_eth_size, record, length);
    capture_put(c, at_ns, frame, smc_eth_size + length);
    return 0;
}

uint64_t capture_count(const struct capture *c)
{
    return c->count;
}

bool capture_frame(const struct capture *c, uint64_t i, struct capture_entry *out)
{
    if (!c->options.keep || c->error == SMC_ERR_NOMEM || i >= c->count)
        return false;
    const struct kept *k = &c->index[i];
    *out = (struct capture_entry){k->at_ns, k->length, c->store + k->offset};
    return true;
}

void capture_digest(const struct capture *c, uint64_t value[2])
{
    sim_hash_value(&c->hash, value);
}

int capture_error(const struct capture *c)
{
    return c->error;
}

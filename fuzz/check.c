/* Checks that hold for every message that a parser accepted or refused.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "wire/field.h"
#include <stdlib.h>
#include <string.h>

void fuzz_give_up(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

/* Writing every field that was read gives the layout's bytes again. */
static void check_layout(const struct smc_layout *layout, const uint8_t *p)
{
    uint8_t copy[256];
    FUZZ_REQUIRE(layout->size <= sizeof copy);
    memset(copy, 0, layout->size);
    for (unsigned i = 0; i < layout->nfields; i++) {
        const struct smc_field *f = &layout->fields[i];
        if (f->kind == SMC_BYTES)
            memcpy(copy + f->off, p + f->off, f->size);
        else
            smc_field_set(f, copy, smc_field_get(f, p));
    }
    FUZZ_REQUIRE(memcmp(copy, p, layout->size) == 0);
}

/* Adds up the bytes that the walker reports, so that nothing is left out or reported twice. */
struct covered {
    size_t size;  /* of the message */
    size_t bytes; /* reported as gaps */
    unsigned fields;
};

static void count_field(void *ctx, const struct smc_walk *w)
{
    struct covered *seen = ctx;
    FUZZ_REQUIRE(w->offset <= seen->size && seen->size - w->offset >= w->f->size);
    FUZZ_REQUIRE(smc_view_len(w->bytes) == w->f->size);
    seen->fields++;
}

static void count_gap(void *ctx, size_t offset, struct smc_view bytes)
{
    struct covered *seen = ctx;
    FUZZ_REQUIRE(offset <= seen->size && seen->size - offset >= smc_view_len(bytes));
    seen->bytes += smc_view_len(bytes);
}

void fuzz_check_parsed(const struct smc_parsed *m)
{
    struct covered seen = {.size = smc_view_len(m->bytes)};
    size_t end = 0, parts = 0;
    unsigned fields = 0;
    for (unsigned i = 0; i < m->n; i++) {
        const struct smc_part_at *at = &m->at[i];
        FUZZ_REQUIRE(at->count >= 1 && at->off >= end && at->off <= seen.size);
        FUZZ_REQUIRE((seen.size - at->off) / at->layout->size >= at->count);
        for (unsigned k = 0; k < at->count; k++)
            check_layout(at->layout, m->bytes.p + at->off + (size_t)k * at->layout->size);
        end = at->off + (size_t)at->count * at->layout->size;
        parts += end - at->off;
        fields += at->count * at->layout->nfields;
    }
    smc_message_walk(m, count_field, &seen);
    smc_message_gaps(m, count_gap, &seen);
    FUZZ_REQUIRE(seen.fields == fields && seen.bytes + parts == seen.size);
}

void fuzz_check_reject(const struct smc_reject *why, size_t size)
{
    FUZZ_REQUIRE(why->field && why->rule && why->what);
    FUZZ_REQUIRE(why->offset <= size || why->offset <= 65535);
}

/* fmemopen() takes no empty buffer before POSIX 2018; a byte that is not read stands in. */
FILE *fuzz_open(const uint8_t *data, size_t size)
{
    static char none[1];
    union {
        const uint8_t *in;
        void *out; /* "rb": the stream does not write */
    } bytes = {.in = data};
    FILE *stream = size > 0 ? fmemopen(bytes.out, size, "rb") : fmemopen(none, sizeof none, "rb");
    FUZZ_REQUIRE(stream != NULL);
    if (size == 0)
        FUZZ_REQUIRE(fgetc(stream) == 0);
    return stream;
}

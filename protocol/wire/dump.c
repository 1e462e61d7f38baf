/* Text of a parsed message.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "dump.h"

#include <string.h>

enum { COLUMN_OFFSET = 5, COLUMN_TITLE = 40, BYTES_A_LINE = 32 };

/* ---- pieces of text ---- */
static void put(struct smc_sink sink, const char *s)
{
    sink.put(sink.ctx, s, strlen(s));
}

static void put_blanks(struct smc_sink sink, size_t n)
{
    while (n-- > 0)
        sink.put(sink.ctx, " ", 1);
}

/* At least `width` digits. */
static void put_number(struct smc_sink sink, uint64_t value, unsigned base, unsigned width)
{
    char text[24];
    size_t at = sizeof(text);
    for (; value > 0 || sizeof(text) - at < width || at == sizeof(text); value /= base)
        text[--at] = "0123456789abcdef"[value % base];
    sink.put(sink.ctx, text + at, sizeof(text) - at);
}

static unsigned digits(uint64_t value)
{
    unsigned n = 1;
    for (; value >= 10; value /= 10)
        n++;
    return n;
}

static void put_hex_bytes(struct smc_sink sink, const uint8_t *p, size_t n, const char *between)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            put(sink, between);
        put_number(sink, p[i], 16, 2);
    }
}

static void put_ip4(struct smc_sink sink, const uint8_t *p)
{
    for (unsigned i = 0; i < 4; i++) {
        if (i > 0)
            put(sink, ".");
        put_number(sink, p[i], 10, 1);
    }
}

/* Where the longest run of at least two zero groups begins (RFC 5952); 8 if there is none. */
static unsigned longest_zeros(const uint8_t *p, unsigned *run)
{
    unsigned best = 8;
    *run = 1;
    for (unsigned i = 0; i < 8; i++) {
        unsigned n = 0;
        while (i + n < 8 && smc_load_be(p + 2 * (size_t)(i + n), 2) == 0)
            n++;
        if (n > *run) {
            best = i;
            *run = n;
        }
    }
    return best;
}

static void put_ip6(struct smc_sink sink, const uint8_t *p)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    unsigned run;
    unsigned zeros = longest_zeros(p, &run);
    if (memcmp(p, mapped, sizeof(mapped)) == 0) {
        put(sink, "::ffff:");
        put_ip4(sink, p + 12);
        return;
    }
    for (unsigned i = 0; i < 8; i++) {
        if (i == zeros) {
            put(sink, "::");
            i += run - 1;
            continue;
        }
        if (i > 0 && i != zeros + run)
            put(sink, ":");
        put_number(sink, smc_load_be(p + 2 * (size_t)i, 2), 16, 1);
    }
}

/* Without the blanks that pad it; what is not printable as \xNN. */
static void put_ascii(struct smc_sink sink, const uint8_t *p, size_t n)
{
    while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == 0))
        n--;
    put(sink, "\"");
    for (size_t i = 0; i < n; i++) {
        char c = (char)p[i];
        if (p[i] >= 0x20 && p[i] < 0x7f && c != '"' && c != '\\') {
            sink.put(sink.ctx, &c, 1);
        } else {
            put(sink, "\\x");
            put_number(sink, p[i], 16, 2);
        }
    }
    put(sink, "\"");
}

static void put_eyecatcher(struct smc_sink sink, const uint8_t *p, size_t n)
{
    static const uint8_t smc[3] = {0xe2, 0xd4, 0xc3};
    if (n == 4 && memcmp(p, smc, 3) == 0 && (p[3] == 0xd9 || p[3] == 0xc4))
        put(sink, p[3] == 0xd9 ? "SMCR" : "SMCD");
    else
        put_hex_bytes(sink, p, n, "");
}

/* ---- values ---- */
static void put_bytes(struct smc_sink sink, const struct smc_field *f, const uint8_t *p)
{
    if (f->shown == SMC_SHOW_MAC)
        put_hex_bytes(sink, p, f->size, ":");
    else if (f->shown == SMC_SHOW_GID && f->size == 16)
        put_ip6(sink, p);
    else if (f->shown == SMC_SHOW_ASCII)
        put_ascii(sink, p, f->size);
    else if (f->shown == SMC_SHOW_EBCDIC)
        put_eyecatcher(sink, p, f->size);
    else
        put_hex_bytes(sink, p, f->size, "");
}

static void put_integer(struct smc_sink sink, const struct smc_field *f, uint64_t value)
{
    uint8_t address[4];
    const char *name = smc_field_value_name(f, value);
    if (f->shown == SMC_SHOW_FLAG) {
        put(sink, value ? "yes" : "no");
    } else if (f->shown == SMC_SHOW_IP4) {
        smc_store_be(address, 4, value);
        put_ip4(sink, address);
    } else if (f->shown == SMC_SHOW_DEC) {
        put_number(sink, value, 10, 1);
    } else {
        put(sink, "0x");
        put_number(sink, value, 16, f->mask ? 1 : 2u * f->size);
    }
    if (name) {
        put(sink, " (");
        put(sink, name);
        put(sink, ")");
    }
}

void smc_dump_value(const struct smc_field *f, const uint8_t *p, struct smc_sink sink)
{
    if (f->kind == SMC_BYTES)
        put_bytes(sink, f, p + f->off);
    else
        put_integer(sink, f, smc_field_get(f, p));
}

/* ---- lines ---- */
struct dump {
    struct smc_sink sink;
    unsigned indent;
};

static bool all_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != 0)
            return false;
    return true;
}

static void put_offset(const struct dump *d, size_t offset)
{
    unsigned width = digits(offset);
    put_blanks(d->sink, d->indent + (width < COLUMN_OFFSET ? COLUMN_OFFSET - width : 0));
    put_number(d->sink, offset, 10, 1);
    put(d->sink, "  ");
}

static void put_field(const struct dump *d, const struct smc_field *f, const uint8_t *p, size_t at)
{
    bool zero = f->kind == SMC_BYTES ? all_zero(p + f->off, f->size) : smc_field_get(f, p) == 0;
    size_t title = strlen(f->title);
    if (f->shown == SMC_SHOW_RSVD && zero)
        return;
    put_offset(d, at + f->off);
    put(d->sink, f->title);
    put_blanks(d->sink, title < COLUMN_TITLE ? COLUMN_TITLE - title : 1);
    smc_dump_value(f, p, d->sink);
    put(d->sink, "\n");
}

void smc_dump_layout(const struct smc_layout *layout, const uint8_t *p, size_t at, unsigned indent,
                     struct smc_sink sink)
{
    struct dump d = {sink, indent};
    for (unsigned i = 0; i < layout->nfields; i++)
        put_field(&d, &layout->fields[i], p, at);
}

static void put_heading(const struct dump *d, const struct smc_part_at *at, unsigned index)
{
    put_blanks(d->sink, d->indent);
    put(d->sink, at->layout->title);
    if (at->count > 1) {
        put(d->sink, " ");
        put_number(d->sink, index + 1, 10, 1);
        put(d->sink, " of ");
        put_number(d->sink, at->count, 10, 1);
    }
    put(d->sink, "\n");
}

static void put_gap(void *ctx, size_t offset, struct smc_view bytes)
{
    const struct dump *d = ctx;
    if (all_zero(bytes.p, smc_view_len(bytes))) {
        put_offset(d, offset);
        put_number(d->sink, smc_view_len(bytes), 10, 1);
        put(d->sink, " zero bytes\n");
        return;
    }
    for (; bytes.p < bytes.end;
         offset += BYTES_A_LINE, bytes = smc_view_sub(bytes, BYTES_A_LINE, SIZE_MAX)) {
        struct smc_view line = smc_view_sub(bytes, 0, BYTES_A_LINE);
        put_offset(d, offset);
        put_hex_bytes(d->sink, line.p, smc_view_len(line), " ");
        put(d->sink, "\n");
    }
}

void smc_dump_message(const struct smc_parsed *m, unsigned indent, struct smc_sink sink)
{
    struct dump d = {sink, indent + 2};
    put_blanks(sink, indent);
    put(sink, m->message->title);
    put(sink, ", ");
    put_number(sink, smc_view_len(m->bytes), 10, 1);
    put(sink, " bytes\n");
    for (unsigned i = 0; i < m->n; i++) {
        const struct smc_part_at *at = &m->at[i];
        for (unsigned k = 0; k < at->count; k++) {
            size_t off = at->off + (size_t)k * at->layout->size;
            if (at->layout->nfields > 1)
                put_heading(&d, at, k);
            smc_dump_layout(at->layout, m->bytes.p + off, off, indent + 2, sink);
        }
    }
    smc_message_gaps(m, put_gap, &d);
}

void smc_dump_reject(const struct smc_reject *why, struct smc_sink sink)
{
    put(sink, "offset ");
    put_number(sink, why->offset, 10, 1);
    put(sink, " (");
    put(sink, why->field);
    put(sink, "), ");
    put(sink, why->rule);
    put(sink, ": ");
    put(sink, why->what);
    put(sink, "; seen 0x");
    put_number(sink, why->seen, 16, 1);
}

/* Interprets message grammars: parse, find, walk. The tables themselves stand in clc_grammar.c, llc_grammar.c and
 * other_grammar.c.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "message.h"

#include <string.h>

const struct smc_message *const *const smc_message_families[] = {
    smc_clc_messages,
    smc_llc_messages,
    smc_other_messages,
    NULL,
};

/* What one run of the parser knows besides its result. */
struct run {
    struct smc_parsed *m;
    size_t limit; /* where the tail begins: nothing else may reach beyond */
    struct smc_reject *why;
};

static bool refuse(struct run *run, size_t offset, const char *field, const char *rule,
                   const char *what, uint64_t seen)
{
    *run->why = (struct smc_reject){
        .offset = offset, .field = field, .rule = rule, .what = what, .seen = seen};
    return false;
}

static const struct smc_part_at *part_of(const struct smc_parsed *m, const struct smc_layout *l)
{
    for (unsigned i = 0; i < m->n; i++)
        if (m->at[i].layout == l)
            return &m->at[i];
    return NULL;
}

static const uint8_t *base_of(const struct smc_parsed *m, const struct smc_layout *l)
{
    const struct smc_part_at *part = part_of(m, l);
    return part ? m->bytes.p + part->off : NULL;
}

/* SMC_TERM_UNFIT: would `layout` and the entries it counts not end exactly where the room ends? */
static bool unfit(const struct smc_term *t, struct smc_view room)
{
    size_t have = smc_view_len(room);
    if (have < t->layout->size)
        return true;
    uint64_t count = smc_field_get(&t->layout->fields[t->field], room.p);
    return t->layout->size + count * t->value != have;
}

static bool compare(unsigned kind, uint64_t seen, uint64_t value)
{
    switch (kind) {
    case SMC_TERM_EQ:
        return seen == value;
    case SMC_TERM_NE:
        return seen != value;
    case SMC_TERM_LE:
        return seen <= value;
    case SMC_TERM_GE:
        return seen >= value;
    default: /* SMC_TERM_BITS */
        return (seen & value) != 0;
    }
}

static bool holds(const struct run *run, const struct smc_term *t)
{
    const struct smc_parsed *m = run->m;
    if (t->kind == SMC_TERM_NONE)
        return true;
    if (t->kind == SMC_TERM_ROOM)
        return run->limit - m->end >= t->value;
    if (t->kind == SMC_TERM_UNFIT)
        return unfit(t, smc_view_sub(m->bytes, m->end, run->limit - m->end));
    const uint8_t *p = base_of(m, t->layout);
    return p && compare(t->kind, smc_field_get(&t->layout->fields[t->field], p), t->value);
}

static bool all_hold(const struct run *run, const struct smc_term *terms)
{
    for (unsigned i = 0; i < SMC_MESSAGE_TERMS && terms[i].kind != SMC_TERM_NONE; i++)
        if (!holds(run, &terms[i]))
            return false;
    return true;
}

/* The first byte behind an offset field, plus what it says. The part is present: `when` of every part that is
 * reached by an offset reads the same field; if not, it stands nowhere. */
static bool place_by_field(struct run *run, const struct smc_part *part, size_t *at)
{
    struct smc_parsed *m = run->m;
    const struct smc_field *f = &part->offset.layout->fields[part->offset.field];
    const struct smc_part_at *from = part_of(m, part->offset.layout);
    if (!from)
        return refuse(run, m->end, f->name, part->rule, "the area that holds the offset is missing",
                      0);
    uint64_t value = smc_field_get(f, m->bytes.p + from->off);
    size_t field_at = from->off + f->off;
    *at = field_at + f->size + (size_t)value;
    if (*at < m->end)
        return refuse(run, field_at, f->name, part->rule, "the offset leads into another area",
                      value);
    if (*at > run->limit || run->limit - *at < part->layout->size)
        return refuse(run, field_at, f->name, part->rule, "the offset leads outside the message",
                      value);
    if (*at > m->end && part->no_gap)
        return refuse(run, field_at, f->name, part->no_gap, "unused bytes before the area", value);
    return true;
}

static bool place(struct run *run, const struct smc_part *part, size_t *at)
{
    struct smc_parsed *m = run->m;
    if (part->place == SMC_AT_FIELD)
        return place_by_field(run, part, at);
    *at = part->place == SMC_TAIL ? run->limit : m->end;
    return true;
}

unsigned smc_count_either(unsigned big_endian_reading, unsigned fits, unsigned *announced,
                          unsigned *order)
{
    unsigned be = big_endian_reading & 0xffff;
    unsigned le = be >> 8 | (be & 0xff) << 8;
    unsigned exact = (be == fits ? SMC_FITS_BE : 0u) | (le == fits ? SMC_FITS_LE : 0u);
    if (exact ==
        SMC_FITS_NONE) /* [LLC-076]: the count may exceed the entries; it may also be less */
        exact = be <= fits ? SMC_FITS_BE : le <= fits ? SMC_FITS_LE : SMC_FITS_NONE;
    *order = exact;
    *announced = exact == SMC_FITS_LE || (exact == SMC_FITS_NONE && le < be) ? le : be;
    return *announced < fits ? *announced : fits;
}

static bool count_field(struct run *run, const struct smc_part *part, struct smc_part_at *at)
{
    const struct smc_count *c = &part->count;
    const struct smc_part_at *from = part_of(run->m, c->layout);
    if (!from) {
        at->count = 0;
        return true;
    }
    const struct smc_field *f = &c->layout->fields[c->field];
    uint64_t value = smc_field_get(f, run->m->bytes.p + from->off);
    size_t field_at = from->off + f->off;
    unsigned room =
        at->off < run->limit ? (unsigned)((run->limit - at->off) / part->layout->size) : 0;
    unsigned order;
    at->announced = (unsigned)value;
    at->count = value < room ? (unsigned)value : room;
    if (c->kind == SMC_COUNT_FIT_BOTH)
        at->count = smc_count_either((unsigned)value, room, &at->announced, &order);
    if (c->kind != SMC_COUNT_FIELD)
        return true;
    if (c->max && value > c->max)
        return refuse(run, field_at, f->name, c->max_rule, "more entries than may be", value);
    if (value > room)
        return refuse(run, field_at, f->name, part->rule,
                      "more entries than the message has bytes for", value);
    return true;
}

static bool check_musts(struct run *run, const struct smc_part *part)
{
    for (unsigned i = 0; i < SMC_MESSAGE_TERMS && part->must[i].rule; i++) {
        const struct smc_must *must = &part->must[i];
        if (!holds(run, &must->when) || holds(run, &must->holds))
            continue;
        const struct smc_part_at *from = part_of(run->m, must->holds.layout);
        const struct smc_field *f = &must->holds.layout->fields[must->holds.field];
        size_t at = (from ? from->off : 0) + f->off;
        return refuse(run, at, f->name, must->rule, must->what,
                      from ? smc_field_get(f, run->m->bytes.p + from->off) : 0);
    }
    return true;
}

static bool parse_part(struct run *run, unsigned index)
{
    struct smc_parsed *m = run->m;
    const struct smc_part *part = &m->message->parts[index];
    struct smc_part_at at = {.layout = part->layout, .count = 1, .announced = 1, .part = index};
    if (!all_hold(run, part->when))
        return true;
    if (!place(run, part, &at.off))
        return false;
    if (part->count.kind != SMC_COUNT_ONE && !count_field(run, part, &at))
        return false;
    if (at.count == 0)
        return true;
    size_t stop = part->place == SMC_TAIL ? smc_view_len(m->bytes) : run->limit;
    if (at.off > stop || stop - at.off < part->layout->size)
        return refuse(run, at.off, part->layout->fields[0].name, part->rule,
                      "the message ends before this area does", stop);
    m->at[m->n++] = at;
    if (part->place != SMC_TAIL)
        m->end = at.off + (size_t)at.count * part->layout->size;
    return check_musts(run, part);
}

static size_t tail_size(const struct smc_message *message)
{
    for (unsigned i = 0; i < message->nparts; i++)
        if (message->parts[i].place == SMC_TAIL)
            return message->parts[i].layout->size;
    return 0;
}

static bool size_fits(struct run *run, size_t len)
{
    const struct smc_message *message = run->m->message;
    if (len < message->min)
        return refuse(run, len, "length", message->end_rule, "the message is too short", len);
    if (len > message->max)
        return refuse(run, message->max, "length", message->end_rule, "the message is too long",
                      len);
    return true;
}

bool smc_message_parse(const struct smc_message *message, struct smc_view bytes,
                       struct smc_parsed *out, struct smc_reject *why)
{
    size_t len = smc_view_len(bytes);
    size_t tail = tail_size(message);
    struct run run = {.m = out, .why = why, .limit = len < tail ? 0 : len - tail};
    *out = (struct smc_parsed){.message = message, .bytes = bytes};
    if (!size_fits(&run, len))
        return false;
    for (unsigned i = 0; i < message->nparts; i++)
        if (!parse_part(&run, i))
            return false;
    if (message->end == SMC_END_EXACT && out->end != run.limit)
        return refuse(&run, out->end, "length", message->end_rule,
                      "the message is longer than its areas", len);
    return true;
}

/* Only what the terms read must be there: the first bytes of a stream are enough to identify a message. */
static bool matches(const struct smc_message *message, struct smc_view bytes)
{
    for (unsigned i = 0; i < SMC_MESSAGE_TERMS && message->match[i].kind != SMC_TERM_NONE; i++) {
        const struct smc_term *t = &message->match[i];
        const struct smc_field *f = &t->layout->fields[t->field];
        if (smc_view_len(bytes) < (size_t)f->off + f->size ||
            !compare(t->kind, smc_field_get(f, bytes.p), t->value))
            return false;
    }
    return true;
}

const struct smc_message *smc_message_find(const struct smc_message *const *family,
                                           struct smc_view bytes)
{
    for (; *family; family++)
        if (matches(*family, bytes))
            return *family;
    return NULL;
}

const uint8_t *smc_part_find(const struct smc_parsed *m, const struct smc_layout *layout,
                             unsigned index)
{
    const struct smc_part_at *part = part_of(m, layout);
    if (!part || index >= part->count)
        return NULL;
    return m->bytes.p + part->off + (size_t)index * layout->size;
}

unsigned smc_part_count(const struct smc_parsed *m, const struct smc_layout *layout)
{
    const struct smc_part_at *part = part_of(m, layout);
    return part ? part->count : 0;
}

static void walk_layout(struct smc_walk *w, struct smc_view bytes, size_t at,
                        void (*field)(void *ctx, const struct smc_walk *w), void *ctx)
{
    for (w->field = 0; w->field < w->layout->nfields; w->field++) {
        w->f = &w->layout->fields[w->field];
        w->offset = at + w->f->off;
        w->bytes = smc_view_of(bytes.p + w->offset, w->f->size);
        w->value = w->f->kind == SMC_BYTES ? 0 : smc_field_get(w->f, bytes.p + at);
        field(ctx, w);
    }
}

void smc_message_walk(const struct smc_parsed *m,
                      void (*field)(void *ctx, const struct smc_walk *w), void *ctx)
{
    for (unsigned i = 0; i < m->n; i++) {
        const struct smc_part_at *at = &m->at[i];
        struct smc_walk w = {
            .message = m->message, .layout = at->layout, .part = at->part, .count = at->count};
        w.repeated = m->message->parts[at->part].count.kind != SMC_COUNT_ONE;
        for (w.index = 0; w.index < at->count; w.index++)
            walk_layout(&w, m->bytes, at->off + (size_t)w.index * at->layout->size, field, ctx);
    }
}

/* Parts stand in ascending order and do not overlap, so gaps are what lies between neighbours. */
void smc_message_gaps(const struct smc_parsed *m,
                      void (*gap)(void *ctx, size_t offset, struct smc_view bytes), void *ctx)
{
    size_t end = 0;
    for (unsigned i = 0; i < m->n; i++) {
        const struct smc_part_at *at = &m->at[i];
        if (at->off > end)
            gap(ctx, end, smc_view_sub(m->bytes, end, at->off - end));
        end = at->off + (size_t)at->count * at->layout->size;
    }
    if (smc_view_len(m->bytes) > end)
        gap(ctx, end, smc_view_sub(m->bytes, end, SIZE_MAX));
}

/* Structure-aware mutation: find a message, choose a part and a field by its descriptor, break it in a way that counts.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "mutate.h"

#include "layout.h"
#include "message.h"
#include "smcd_record_layouts.h"
#include <string.h>

enum {
    SCAN_LIMIT = 1 << 20, /* bytes searched for messages inside a larger buffer */
    EYECATCHER_BEGIN = 0xe2
};

/* What one mutation works on: a message at `off` of the buffer, as far as the grammar understands it. */
struct target {
    uint8_t *data;
    size_t size; /* of the buffer */
    size_t max;
    size_t off, len; /* of the message */
    bool alone;      /* the message is the whole buffer and may grow and shrink */
    uint64_t random;
    struct smc_parsed parsed;
};

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* 0 <= result < n; n > 0. */
static size_t pick(struct target *t, size_t n)
{
    return (size_t)(next_random(&t->random) % n);
}

/* ---- finding a message ---- */

/* The families do not tell each other's messages apart: CLC begins with an eyecatcher; a record and a CONFIRM LINK
 * both begin with a 1, but only LLC has the length 44 behind it. */
static const struct smc_message *message_at(struct smc_view bytes)
{
    if (smc_view_len(bytes) >= smc_smcd_record_size && bytes.p[0] == 1 && bytes.p[1] != 44)
        return &smc_smcd_record_message;
    for (unsigned i = bytes.p[0] == EYECATCHER_BEGIN ? 0 : 1; smc_message_families[i]; i++) {
        const struct smc_message *found = smc_message_find(smc_message_families[i], bytes);
        if (found)
            return found;
    }
    return NULL;
}

static bool may_begin(const uint8_t *p)
{
    static const uint8_t eyecatcher[3] = {EYECATCHER_BEGIN, 0xd4, 0xc3};
    if (p[0] == EYECATCHER_BEGIN)
        return memcmp(p, eyecatcher, sizeof eyecatcher) == 0 && p[4] >= 1 && p[4] <= 4;
    return p[1] == 44 && (p[0] == 0xfe || (p[0] & 0xdf) - 1u < 9);
}

/* Reservoir choice of one place inside the buffer where a message begins; a CLC message's own end eyecatcher is no
 * such place, its type byte does not fit. */
static bool find_inside(struct target *t)
{
    size_t found = 0;
    size_t stop = t->size < SCAN_LIMIT ? t->size : SCAN_LIMIT;
    for (size_t i = 0; i + 8 <= stop; i++)
        if (may_begin(t->data + i) && pick(t, ++found) == 0)
            t->off = i;
    return found > 0;
}

static void parse_target(struct target *t, const struct smc_message *message)
{
    struct smc_reject why;
    struct smc_view bytes = smc_view_of(t->data + t->off, t->len);
    (void)smc_message_parse(message, bytes, &t->parsed, &why); /* what was understood before a fault is enough */
}

static size_t length_inside(const struct target *t)
{
    const uint8_t *p = t->data + t->off;
    size_t have = t->size - t->off;
    size_t said = p[0] == EYECATCHER_BEGIN ? (size_t)smc_load_be(p + 5, 2) : 44;
    return said < have ? said : have;
}

static bool find_message(struct target *t)
{
    const struct smc_message *message = message_at(smc_view_of(t->data, t->size));
    t->alone = message != NULL;
    t->off = 0;
    t->len = t->size;
    if (!message) {
        if (!find_inside(t))
            return false;
        t->len = length_inside(t);
        message = message_at(smc_view_of(t->data + t->off, t->len));
    }
    if (message)
        parse_target(t, message);
    return message && t->parsed.n > 0;
}

/* ---- fields ---- */

/* One field of one repetition of one part. */
struct place {
    const struct smc_field *f;
    uint8_t *p; /* where the layout begins */
};

static struct place place_of(struct target *t, unsigned part, unsigned field)
{
    const struct smc_part_at *at = &t->parsed.at[part];
    size_t off = at->off + pick(t, at->count) * at->layout->size;
    return (struct place){&at->layout->fields[field], t->data + t->off + off};
}

static struct place any_field(struct target *t)
{
    unsigned part = (unsigned)pick(t, t->parsed.n);
    return place_of(t, part, (unsigned)pick(t, t->parsed.at[part].layout->nfields));
}

static bool is_reference(const struct smc_term *term, const struct smc_layout *layout, unsigned field)
{
    return term->layout == layout && term->field == field;
}

/* Does this field steer the parser: a length, an offset, a count, or something a condition reads? */
static bool steers(const struct smc_message *message, const struct smc_layout *layout, unsigned field)
{
    if (strcmp(layout->fields[field].name, "length") == 0)
        return true;
    for (unsigned i = 0; i < message->nparts; i++) {
        const struct smc_part *part = &message->parts[i];
        if (is_reference(&part->offset, layout, field) ||
            (part->count.layout == layout && part->count.field == field))
            return true;
        for (unsigned k = 0; k < SMC_MESSAGE_TERMS; k++)
            if (is_reference(&part->when[k], layout, field))
                return true;
    }
    return false;
}

static bool steering_field(struct target *t, struct place *out)
{
    size_t found = 0;
    for (unsigned part = 0; part < t->parsed.n; part++) {
        const struct smc_layout *layout = t->parsed.at[part].layout;
        for (unsigned field = 0; field < layout->nfields; field++)
            if (steers(t->parsed.message, layout, field) && pick(t, ++found) == 0)
                *out = place_of(t, part, field);
    }
    return found > 0;
}

static uint64_t largest(const struct smc_field *f)
{
    if (f->mask)
        return f->mask / SMC_LOW_BIT(f->mask);
    return f->size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * f->size) - 1;
}

static uint64_t named_value(struct target *t, const struct smc_field *f)
{
    uint64_t value = 0;
    size_t n = 0;
    for (const struct smc_value_name *v = f->values; v && v->name; v++)
        if (pick(t, ++n) == 0)
            value = v->value;
    return value;
}

static uint64_t swapped(const struct smc_field *f, uint64_t value)
{
    uint8_t bytes[8] = {0};
    smc_store_le(bytes, f->size, value);
    return smc_load_be(bytes, f->size);
}

static uint64_t interesting(struct target *t, const struct smc_field *f, uint64_t now)
{
    switch (pick(t, 12)) {
    case 0:
        return 0;
    case 1:
        return 1;
    case 2:
        return f->lo;
    case 3:
        return f->hi;
    case 4:
        return f->hi + 1;
    case 5:
        return f->lo - 1;
    case 6:
        return largest(f);
    case 7:
        return now + 1;
    case 8:
        return now - 1;
    case 9:
        return named_value(t, f);
    case 10:
        return swapped(f, now);
    default:
        return next_random(&t->random);
    }
}

static void change_bytes(struct target *t, const struct place *at)
{
    uint8_t *p = at->p + at->f->off;
    size_t n = at->f->size;
    switch (pick(t, 4)) {
    case 0:
        memset(p, 0, n);
        break;
    case 1:
        memset(p, 0xff, n);
        break;
    case 2:
        p[pick(t, n)] ^= (uint8_t)(1u << pick(t, 8));
        break;
    default:
        p[pick(t, n)] = (uint8_t)next_random(&t->random);
    }
}

static void change_field(struct target *t, const struct place *at)
{
    if (at->f->kind == SMC_BYTES)
        change_bytes(t, at);
    else
        smc_field_set(at->f, at->p, interesting(t, at->f, smc_field_get(at->f, at->p)));
}

static void flip_reserved(struct target *t)
{
    size_t found = 0;
    struct place at = {0};
    for (unsigned part = 0; part < t->parsed.n; part++)
        for (unsigned field = 0; field < t->parsed.at[part].layout->nfields; field++)
            if (t->parsed.at[part].layout->fields[field].rule == SMC_RULE_ZERO && pick(t, ++found) == 0)
                at = place_of(t, part, field);
    if (found == 0)
        return;
    if (at.f->kind == SMC_BYTES)
        change_bytes(t, &at);
    else
        smc_field_set(at.f, at.p, next_random(&t->random));
}

/* ---- areas ---- */

static void set_length(struct target *t)
{
    const struct smc_layout *layout = t->parsed.at[0].layout;
    bool little = pick(t, 4) == 0;
    for (unsigned i = 0; i < layout->nfields; i++) {
        const struct smc_field *f = &layout->fields[i];
        if (strcmp(f->name, "length") != 0 || (size_t)f->off + f->size > t->size)
            continue;
        smc_field_set(f, t->data, little && f->size == 2 && t->data[0] != EYECATCHER_BEGIN ? swapped(f, t->size) : t->size);
    }
}

/* Opens (`n` more bytes) or closes a gap at `at` of a message that is the whole buffer. */
static bool open_gap(struct target *t, size_t at, size_t n)
{
    if (!t->alone || n > t->max - t->size || at > t->size)
        return false;
    memmove(t->data + at + n, t->data + at, t->size - at);
    t->size += n;
    return true;
}

static void close_gap(struct target *t, size_t at, size_t n)
{
    if (!t->alone || at + n > t->size || n >= t->size)
        return;
    memmove(t->data + at, t->data + at + n, t->size - at - n);
    t->size -= n;
}

/* Moves the count that rules a repeated part; the part's grammar knows where it stands. */
static void move_count(struct target *t, unsigned part, int by)
{
    const struct smc_count *count = &t->parsed.message->parts[t->parsed.at[part].part].count;
    for (unsigned i = 0; count->layout && i < t->parsed.n; i++) {
        if (t->parsed.at[i].layout != count->layout)
            continue;
        const struct smc_field *f = &count->layout->fields[count->field];
        uint8_t *p = t->data + t->off + t->parsed.at[i].off;
        smc_field_set(f, p, smc_field_get(f, p) + (uint64_t)(int64_t)by);
        return;
    }
}

static void double_area(struct target *t)
{
    unsigned part = (unsigned)pick(t, t->parsed.n);
    const struct smc_part_at *at = &t->parsed.at[part];
    size_t n = at->layout->size;
    if (!open_gap(t, at->off, n))
        return;
    memmove(t->data + at->off, t->data + at->off + n, n);
    if (pick(t, 2) == 0)
        move_count(t, part, 1);
}

static void remove_area(struct target *t)
{
    unsigned part = (unsigned)pick(t, t->parsed.n);
    const struct smc_part_at *at = &t->parsed.at[part];
    if (pick(t, 2) == 0)
        move_count(t, part, -1);
    close_gap(t, at->off, at->layout->size);
}

/* Copies one area over another, as far as both reach. */
static void copy_area(struct target *t)
{
    const struct smc_part_at *from = &t->parsed.at[pick(t, t->parsed.n)];
    const struct smc_part_at *to = &t->parsed.at[pick(t, t->parsed.n)];
    size_t n = from->layout->size < to->layout->size ? from->layout->size : to->layout->size;
    memmove(t->data + t->off + to->off, t->data + t->off + from->off, n);
}

static void resize(struct target *t)
{
    size_t n = 1 + pick(t, 40);
    size_t old = t->size;
    if (!t->alone)
        return;
    if (pick(t, 2) == 0)
        close_gap(t, t->size - (n < t->size ? n : t->size - 1), n < t->size ? n : t->size - 1);
    else if (open_gap(t, t->size, n))
        memset(t->data + old, (int)(next_random(&t->random) & 0xff), n);
}

/* ---- one mutation ---- */

static void mutate_message(struct target *t)
{
    struct place at;
    size_t before = t->size;
    switch (pick(t, 12)) {
    case 0:
    case 1:
    case 2:
        if (steering_field(t, &at))
            change_field(t, &at);
        break;
    case 3:
        flip_reserved(t);
        break;
    case 4:
        double_area(t);
        break;
    case 5:
        remove_area(t);
        break;
    case 6:
        copy_area(t);
        break;
    case 7:
        resize(t);
        break;
    default:
        at = any_field(t);
        change_field(t, &at);
    }
    if (t->alone && (t->size != before || pick(t, 8) == 0) && pick(t, 2) == 0)
        set_length(t);
}

static void mutate_blindly(struct target *t)
{
    t->data[pick(t, t->size)] ^= (uint8_t)(1 + pick(t, 255));
}

size_t smc_mutate(uint8_t *data, size_t size, size_t max, uint64_t seed)
{
    struct target t = {.data = data, .size = size, .max = max, .random = seed};
    if (max == 0)
        return 0;
    if (size == 0) {
        data[0] = (uint8_t)seed;
        return 1;
    }
    if (pick(&t, 16) == 0 || !find_message(&t)) {
        mutate_blindly(&t);
        return t.size;
    }
    for (size_t n = 1 + pick(&t, 3); n > 0; n--) {
        mutate_message(&t);
        if (t.size != size || !find_message(&t)) /* positions are stale once bytes have moved */
            break;
    }
    return t.size;
}

/* What a byte layout is made of: bounded views, integer accessors, descriptors, rejections.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Everything that crosses between two hosts is described by *layouts*: a layout is a fixed number of
 * bytes with named fields, stated once as an X-macro list (see layout.h). Areas that a message reaches
 * by an offset or repeats by a count are layouts of their own, tied together by a *message grammar*
 * (message.h). This header holds the pieces both are made of. It keeps no state and allocates nothing. */
#ifndef SMC_WIRE_FIELD_H
#define SMC_WIRE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bounded view of bytes somebody else owns; p <= end always. */
struct smc_view {
    const uint8_t *p;
    const uint8_t *end;
};

/* n bytes at p; p may be NULL if n is 0 (C does not let 0 be added to a null pointer). */
static inline struct smc_view smc_view_of(const void *p, size_t n)
{
    struct smc_view v = {(const uint8_t *)p, n > 0 ? (const uint8_t *)p + n : (const uint8_t *)p};
    return v;
}

static inline size_t smc_view_len(struct smc_view v)
{
    return (size_t)(v.end - v.p);
}

/* The part of a view from byte `off` on, at most `n` bytes; empty if it starts beyond the end. */
static inline struct smc_view smc_view_sub(struct smc_view v, size_t off, size_t n)
{
    size_t have = smc_view_len(v);
    size_t from = off < have ? off : have;
    size_t len = n < have - from ? n : have - from;
    return smc_view_of(from > 0 ? v.p + from : v.p, len);
}

/* Integer types by width in bytes, for generated accessors. */
typedef uint8_t smc_u1;
typedef uint16_t smc_u2;
typedef uint32_t smc_u3;
typedef uint32_t smc_u4;
typedef uint64_t smc_u8;

/* Big-endian load and store of 1, 2, 3, 4 or 8 bytes; `size` is a constant at every call, so this folds
 * into one or two instructions. */
static inline uint64_t smc_load_be(const uint8_t *p, unsigned size)
{
    switch (size) {
    case 1:
        return p[0];
    case 2:
        return (uint64_t)p[0] << 8 | p[1];
    case 3:
        return (uint64_t)p[0] << 16 | (uint64_t)p[1] << 8 | p[2];
    case 4:
        return (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3];
    default: {
        uint64_t hi = (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3];
        uint64_t lo = (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 | (uint64_t)p[6] << 8 | p[7];
        return hi << 32 | lo;
    }
    }
}

static inline void smc_store_be(uint8_t *p, unsigned size, uint64_t value)
{
    while (size-- > 0) {
        p[size] = (uint8_t)value;
        value >>= 8;
    }
}

static inline uint64_t smc_load_le(const uint8_t *p, unsigned size)
{
    uint64_t value = 0;
    while (size-- > 0)
        value = value << 8 | p[size];
    return value;
}

static inline void smc_store_le(uint8_t *p, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++, value >>= 8)
        p[i] = (uint8_t)value;
}

/* How a field is stored. */
enum smc_kind {
    SMC_UINT,   /* big-endian integer of 1, 2, 3, 4 or 8 bytes, or the bits `mask` of it */
    SMC_LEINT,  /* little-endian integer */
    SMC_BYTES,  /* opaque bytes */
};

/* How a field is shown to people. */
enum smc_shown {
    SMC_SHOW_DEC,
    SMC_SHOW_HEX,
    SMC_SHOW_FLAG,   /* one bit: name or nothing */
    SMC_SHOW_MAC,    /* 6 bytes */
    SMC_SHOW_GID,    /* 8 or 16 bytes; 16 as IPv6 text */
    SMC_SHOW_IP4,
    SMC_SHOW_ASCII,  /* blank padded text */
    SMC_SHOW_EBCDIC, /* eyecatchers */
    SMC_SHOW_RSVD,   /* not shown unless non-zero */
};

/* What a field may hold when it is sent. A receiver must not enforce SMC_RULE_ZERO (RFC 7609 A.2). */
enum smc_rule {
    SMC_RULE_ANY,
    SMC_RULE_ZERO, /* reserved: send zero, never validate */
    SMC_RULE_IN,   /* lo <= value <= hi */
    SMC_RULE_EYE,  /* the eyecatcher SMCR or SMCD */
};

struct smc_value_name {
    uint64_t value;
    const char *name;
};

struct smc_field {
    const char *name;  /* the accessor's name */
    const char *title; /* the standard's term */
    uint16_t off;      /* bytes from the layout's start */
    uint16_t size;     /* bytes */
    uint8_t kind;      /* enum smc_kind */
    uint8_t shown;     /* enum smc_shown */
    uint8_t rule;      /* enum smc_rule */
    uint64_t mask;     /* bits of the integer, 0 = all */
    uint64_t lo, hi;   /* for SMC_RULE_IN */
    const struct smc_value_name *values; /* ended by a NULL name; NULL if none */
};

struct smc_layout {
    const char *name;  /* as in smc_<name>_<field>() */
    const char *title;
    const char *source; /* RFC section, or the Linux file for Linux-only layouts */
    uint16_t size;      /* bytes */
    uint16_t nfields;
    const struct smc_field *fields;
};

/* Value of an integer field of a layout that starts at p. Not for the hot path: use the accessors. */
uint64_t smc_field_get(const struct smc_field *f, const uint8_t *p);

/* Stores an integer field; bits beyond its mask are left alone. */
void smc_field_set(const struct smc_field *f, uint8_t *p, uint64_t value);

/* Name of a field's value, or NULL. */
const char *smc_field_value_name(const struct smc_field *f, uint64_t value);

/* Why bytes were refused: where (byte offset in the message), which field, which rule (requirement id). */
struct smc_reject {
    size_t offset;
    const char *field; /* static string */
    const char *rule;  /* requirement id, static string */
    const char *what;  /* one clause for people, static string */
    uint64_t seen;     /* the value at fault */
};

#endif

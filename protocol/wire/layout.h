/* From one X-macro list per layout: typed handles, inline accessors, structs, encode, decode, descriptor.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * A list has the form
 *
 *   #define SMC_FIELDS_cdc(F, L) \
 *       F(L, seqno, 2, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "sequence number") ...
 *
 * with the columns: layout, field, offset, size in bytes, mask (0 = all bits), kind, shown, rule, lo, hi,
 * table of value names, title. SMC_LAYOUT(cdc, 44) then declares
 *
 *   struct smc_cdc { const uint8_t *p; }             a handle; made only by a bounds check:
 *   bool smc_cdc_at(view, off, struct smc_cdc *out)   false if `size` bytes are not there
 *   smc_cdc_seqno(handle)                             value (UINT) or pointer to the bytes (BYTES)
 *   smc_cdc_put_seqno(uint8_t *p, value)              writes a field of a layout that starts at p
 *   struct smc_cdc_fields, smc_cdc_decode(), smc_cdc_encode()
 *   SMC_CDC size is the enum constant smc_cdc_size
 *   enum { smc_cdc_i_seqno, ... }                     index of a field in the descriptor
 *   extern const struct smc_layout smc_cdc_layout     (SMC_LAYOUT_DEFINE in exactly one .c file)
 *
 * Encoding what was decoded gives the same bytes, reserved ones included, if the fields cover the layout
 * (asserted at compile time by the descriptor's unit test). */
#ifndef SMC_WIRE_LAYOUT_H
#define SMC_WIRE_LAYOUT_H

#include "field.h"
#include <string.h>

#define SMC_LOW_BIT(mask) ((mask) & (~(uint64_t)(mask) + 1))

/* ---- accessors ---- */
#define SMC_ACC_UINT(L, f, off, size, mask)                                                                 \
    static inline smc_u##size smc_##L##_##f(struct smc_##L h)                                               \
    {                                                                                                       \
        uint64_t raw = smc_load_be(h.p + (off), size);                                                      \
        return (smc_u##size)((mask) ? (raw & (mask)) / (SMC_LOW_BIT(mask) | !(mask)) : raw);                \
    }                                                                                                       \
    static inline void smc_##L##_put_##f(uint8_t *p, smc_u##size value)                                     \
    {                                                                                                       \
        uint64_t raw = (mask) ? smc_load_be(p + (off), size) & ~(uint64_t)(mask) : 0;                       \
        uint64_t bits = (mask) ? ((uint64_t)value * SMC_LOW_BIT(mask)) & (mask) : value;                    \
        smc_store_be(p + (off), size, raw | bits);                                                          \
    }
#define SMC_ACC_LEINT(L, f, off, size, mask)                                                                \
    static inline smc_u##size smc_##L##_##f(struct smc_##L h)                                               \
    {                                                                                                       \
        return (smc_u##size)smc_load_le(h.p + (off), size);                                                 \
    }                                                                                                       \
    static inline void smc_##L##_put_##f(uint8_t *p, smc_u##size value)                                     \
    {                                                                                                       \
        smc_store_le(p + (off), size, value);                                                               \
    }
#define SMC_ACC_BYTES(L, f, off, size, mask)                                                                \
    static inline const uint8_t *smc_##L##_##f(struct smc_##L h)                                            \
    {                                                                                                       \
        return h.p + (off);                                                                                 \
    }                                                                                                       \
    static inline void smc_##L##_put_##f(uint8_t *p, const uint8_t *value)                                  \
    {                                                                                                       \
        memcpy(p + (off), value, size);                                                                     \
    }
#define SMC_ACCESSOR(L, f, off, size, mask, kind, shown, rule, lo, hi, values, title)                       \
    SMC_ACC_##kind(L, f, off, size, mask)

/* ---- struct, decode, encode ---- */
#define SMC_MEMBER_UINT(f, size) smc_u##size f;
#define SMC_MEMBER_LEINT(f, size) smc_u##size f;
#define SMC_MEMBER_BYTES(f, size) uint8_t f[size];
#define SMC_MEMBER(L, f, off, size, mask, kind, shown, rule, lo, hi, values, title) SMC_MEMBER_##kind(f, size)
#define SMC_DEC_UINT(L, f) out->f = smc_##L##_##f(h);
#define SMC_DEC_LEINT(L, f) out->f = smc_##L##_##f(h);
#define SMC_DEC_BYTES(L, f) memcpy(out->f, smc_##L##_##f(h), sizeof out->f);
#define SMC_DECODE(L, f, off, size, mask, kind, shown, rule, lo, hi, values, title) SMC_DEC_##kind(L, f)
#define SMC_ENCODE(L, f, off, size, mask, kind, shown, rule, lo, hi, values, title)                         \
    smc_##L##_put_##f(p, in->f);
#define SMC_INDEX(L, f, off, size, mask, kind, shown, rule, lo, hi, values, title) smc_##L##_i_##f,

/* `bytes` is the layout's size. */
#define SMC_LAYOUT(L, bytes)                                                                                \
    struct smc_##L {                                                                                        \
        const uint8_t *p;                                                                                   \
    };                                                                                                      \
    enum { smc_##L##_size = (bytes) };                                                                      \
    enum { SMC_FIELDS_##L(SMC_INDEX, L) smc_##L##_nfields };                                                \
    static inline bool smc_##L##_at(struct smc_view v, size_t off, struct smc_##L *out)                     \
    {                                                                                                       \
        size_t have = smc_view_len(v);                                                                      \
        if (off > have || have - off < (bytes))                                                             \
            return false;                                                                                   \
        out->p = v.p + off;                                                                                 \
        return true;                                                                                        \
    }                                                                                                       \
    SMC_FIELDS_##L(SMC_ACCESSOR, L)                                                                         \
    struct smc_##L##_fields {                                                                               \
        SMC_FIELDS_##L(SMC_MEMBER, L)                                                                       \
    };                                                                                                      \
    static inline void smc_##L##_decode(struct smc_##L h, struct smc_##L##_fields *out)                     \
    {                                                                                                       \
        SMC_FIELDS_##L(SMC_DECODE, L)                                                                       \
    }                                                                                                       \
    /* Writes `bytes` bytes at p; bytes that no field covers become zero. */                                \
    static inline void smc_##L##_encode(const struct smc_##L##_fields *in, uint8_t *p)                      \
    {                                                                                                       \
        memset(p, 0, bytes);                                                                                \
        SMC_FIELDS_##L(SMC_ENCODE, L)                                                                       \
    }                                                                                                       \
    extern const struct smc_layout smc_##L##_layout;

/* ---- descriptor ---- */
#define SMC_DESCRIBE(L, f, off_, size_, mask_, kind_, shown_, rule_, lo_, hi_, values_, title_)             \
    {.name = #f, .title = title_, .off = off_, .size = size_, .kind = SMC_##kind_,                          \
     .shown = SMC_SHOW_##shown_, .rule = SMC_RULE_##rule_, .mask = mask_, .lo = lo_, .hi = hi_,             \
     .values = values_},
#define SMC_FITS(L, f, off, size, mask, kind, shown, rule, lo, hi, values, title)                           \
    _Static_assert((off) + (size) <= smc_##L##_size, #L "." #f " lies outside its layout");

#define SMC_LAYOUT_DEFINE(L, title_, source_)                                                               \
    SMC_FIELDS_##L(SMC_FITS, L)                                                                             \
    static const struct smc_field smc_##L##_field_list[] = {SMC_FIELDS_##L(SMC_DESCRIBE, L)};               \
    const struct smc_layout smc_##L##_layout = {                                                            \
        .name = #L, .title = title_, .source = source_, .size = smc_##L##_size,                             \
        .nfields = smc_##L##_nfields, .fields = smc_##L##_field_list};

#endif

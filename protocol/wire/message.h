/* Message grammars: which layouts make up a message, where each stands, when it is there and how often.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * A grammar is data. smc_message_parse() interprets it; so do the dump, the fuzz mutator and the generator of the
 * Wireshark plugin. To interpret one:
 *
 *   1. `tail` = size of the part whose place is SMC_TAIL, 0 if there is none. Bytes from `length - tail` on belong
 *      to that part alone. `end` = 0: where the parts seen so far end. room = length - tail - end.
 *   2. For each part in order, skip it unless all terms of `when` hold. A term (of `when`, `must` or `count`) that
 *      reads a field of a part which is not there does not hold; such a count is 0.
 *   3. Its position is `end` (SMC_NEXT), or the first byte behind the field `offset` plus that field's value
 *      (SMC_AT_FIELD), or length - tail (SMC_TAIL). It is rejected (`rule`) if it begins before `end`, or behind
 *      `end` where `no_gap` says so (rejected by that rule), or if it does not lie before the tail.
 *   4. It stands there `count` times (see enum smc_count_kind). `end` becomes the end of the last repetition.
 *      A part that stands there 0 times is absent.
 *   5. Each `must` of the part is checked as soon as it is placed: if its `when` holds (SMC_TERM_NONE: always),
 *      its `holds` must, else the message is rejected by its rule.
 *   6. At the end: SMC_END_EXACT: room must be 0, else rejected by `end_rule`; SMC_END_PAD: what is left is padding;
 *      SMC_END_DATA: what is left is payload.
 *   7. Before all of that: min <= length <= max, else rejected by `end_rule`. */
#ifndef SMC_WIRE_MESSAGE_H
#define SMC_WIRE_MESSAGE_H

#include "field.h"

enum {
    SMC_MESSAGE_TERMS = 4, /* terms of a `when`, musts of a part */
    SMC_MESSAGE_PARTS = 12 /* parts of a message */
};

enum smc_term_kind {
    SMC_TERM_NONE, /* ends a list; as a condition: always true */
    SMC_TERM_EQ,   /* field == value */
    SMC_TERM_NE,   /* field != value */
    SMC_TERM_LE,   /* field <= value */
    SMC_TERM_GE,   /* field >= value */
    SMC_TERM_BITS, /* (field & value) != 0 */
    SMC_TERM_ROOM, /* room >= value (layout and field unused) */
    SMC_TERM_UNFIT, /* if `layout` stood at `end`, it and as many entries of `value` bytes as its `field` says
                     * would not fill the room exactly. Decides between the two forms of the first-contact
                     * extension when a list of GIDs follows. */
};

struct smc_term {
    uint8_t kind;   /* enum smc_term_kind */
    uint16_t field; /* index into layout->fields */
    const struct smc_layout *layout;
    uint64_t value;
};

/* SMC_TERM(EQ, clc_proposal, typev1, 2) */
#define SMC_TERM(kind_, L, f, value_)                                                              \
    {                                                                                              \
        SMC_TERM_##kind_, smc_##L##_i_##f, &smc_##L##_layout, value_                               \
    }
#define SMC_ROOM(bytes)                                                                            \
    {                                                                                              \
        SMC_TERM_ROOM, 0, NULL, bytes                                                              \
    }

struct smc_must {
    struct smc_term when;
    struct smc_term holds;
    const char *rule; /* requirement id */
    const char *what; /* one clause for people: what is wrong if it does not hold */
};

enum smc_place { SMC_NEXT, SMC_AT_FIELD, SMC_TAIL };

enum smc_count_kind {
    SMC_COUNT_ONE, /* once */
    SMC_COUNT_FIELD, /* field; more than `max` (if not 0) is rejected by max_rule, not fitting by `rule` */
    SMC_COUNT_FIT, /* min(field, whole entries that fit into the room) */
    SMC_COUNT_FIT_BOTH, /* the same; the field may have been written in either byte order: see smc_count_either() */
};

struct smc_count {
    uint8_t kind;   /* enum smc_count_kind */
    uint16_t field; /* as in smc_term */
    const struct smc_layout *layout;
    unsigned max; /* 0: no limit but the room */
    const char *max_rule;
};

#define SMC_COUNT(kind_, L, f, max_, rule_)                                                        \
    {                                                                                              \
        SMC_COUNT_##kind_, smc_##L##_i_##f, &smc_##L##_layout, max_, rule_                         \
    }

struct smc_part {
    const struct smc_layout *layout;
    uint8_t place; /* enum smc_place */
    struct smc_term when[SMC_MESSAGE_TERMS];
    struct smc_term
        offset; /* SMC_AT_FIELD: layout and field of the offset; kind and value unused */
    struct smc_count count;
    struct smc_must must[SMC_MESSAGE_TERMS]; /* ended by a NULL rule */
    const char *rule; /* requirement that a position outside the message breaks */
    const char
        *no_gap; /* requirement that unused bytes before this part break; NULL: they are skipped */
};

enum smc_end { SMC_END_EXACT, SMC_END_PAD, SMC_END_DATA };

struct smc_message {
    const char *name;  /* clc_accept_r_v2 … */
    const char *title; /* CLC Accept, SMC-R v2 */
    /* Which bytes are this message: terms on parts[0].layout at byte 0. Of CLC's and of LLC's messages at most one
     * matches. */
    struct smc_term match[SMC_MESSAGE_TERMS];
    uint8_t nparts;
    uint8_t end;          /* enum smc_end */
    uint32_t min, max;    /* bytes, everything included */
    const char *end_rule; /* requirement that a wrong size breaks */
    const struct smc_part *parts;
};

/* The families, each ended by NULL, and all of them together. */
extern const struct smc_message *const smc_clc_messages[];
extern const struct smc_message *const smc_llc_messages[];
extern const struct smc_message
    *const smc_other_messages[]; /* CDC, SMC-D CDC, record, TCP option */
extern const struct smc_message *const *const smc_message_families[];

extern const struct smc_message smc_cdc_message;
extern const struct smc_message
    smc_smcd_cdc_le_message; /* the two share their bytes: who knows the order chooses */
extern const struct smc_message smc_smcd_cdc_be_message;
extern const struct smc_message smc_smcd_record_message;
extern const struct smc_message smc_tcp_option_message;

/* A part found in bytes: `count` layouts, one behind the other, the first at `off`. */
struct smc_part_at {
    const struct smc_layout *layout;
    size_t off;
    unsigned count; /* at least 1 */
    unsigned
        announced; /* what the count field said (in the order chosen); count if there is none */
    unsigned part; /* index into message->parts */
};

/* A parsed message. Borrows the bytes. After a rejection it holds the parts before the one at fault. */
struct smc_parsed {
    const struct smc_message *message;
    struct smc_view bytes;
    size_t end; /* where the parts end that stand before the tail; padding or data follows */
    unsigned n;
    struct smc_part_at at[SMC_MESSAGE_PARTS];
};

/* The message of a family that the bytes begin, or NULL. Only the bytes that its terms read must be there. */
const struct smc_message *smc_message_find(const struct smc_message *const *family,
                                           struct smc_view bytes);

/* Parses exactly these bytes. False: refused, and *why says so. Reads nothing outside `bytes`; time is linear in
 * the number of parts, not in what counts announce. */
bool smc_message_parse(const struct smc_message *message, struct smc_view bytes,
                       struct smc_parsed *out, struct smc_reject *why);

/* Bytes of repetition `index` of the first part with this layout (layout->size of them); NULL if it is not there. */
const uint8_t *smc_part_find(const struct smc_parsed *m, const struct smc_layout *layout,
                             unsigned index);

/* How many of this layout the message holds. */
unsigned smc_part_count(const struct smc_parsed *m, const struct smc_layout *layout);

/* A typed handle: struct smc_clc_eid eid; if (SMC_PART(m, clc_eid, i, &eid)) … smc_clc_eid_eid(eid) */
#define SMC_PART(m, L, index, handle)                                                              \
    (((handle)->p = smc_part_find(m, &smc_##L##_layout, index)) != NULL)

/* A count whose writer may have used either byte order, where `fits` entries have room: the reading that is `fits`,
 * else the one that is not more (big endian first), else `fits`. `order` gets SMC_FITS_*, the reading chosen. */
enum { SMC_FITS_NONE, SMC_FITS_BE, SMC_FITS_LE, SMC_FITS_BOTH };
unsigned smc_count_either(unsigned big_endian_reading, unsigned fits, unsigned *announced,
                          unsigned *order);

/* One field, as the walker reports it. */
struct smc_walk {
    const struct smc_message *message;
    const struct smc_layout *layout;
    unsigned part;  /* index into message->parts */
    unsigned index; /* repetition, from 0 */
    unsigned count; /* repetitions of this part; 1 if it is not a repeated one */
    bool repeated;  /* the grammar lets it stand there several times */
    unsigned field; /* index into layout->fields */
    const struct smc_field *f;
    size_t offset;         /* of the field's first byte in the message */
    uint64_t value;        /* integers; 0 for bytes */
    struct smc_view bytes; /* the field's bytes as they stand in the message */
};

/* Calls back for every field of every part, in order of the grammar, then of offset as listed in the layout. */
void smc_message_walk(const struct smc_parsed *m,
                      void (*field)(void *ctx, const struct smc_walk *w), void *ctx);

/* Calls back for every byte range that no part covers: gaps, padding, payload. */
void smc_message_gaps(const struct smc_parsed *m,
                      void (*gap)(void *ctx, size_t offset, struct smc_view bytes), void *ctx);

#endif

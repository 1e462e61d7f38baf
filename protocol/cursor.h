/* Ring cursors: a 16-bit wrap sequence and a count below the ring's size (RFC 7609 4.3; state-machines §5).
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_CURSOR_H
#define SMC_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

struct smc_cursor {
    uint32_t count; /* 0 … size - 1 */
    uint16_t wrap;
};

/* n ≤ size. [CURSOR: add] */
static inline struct smc_cursor smc_cursor_add(struct smc_cursor c, uint32_t size, uint32_t n)
{
    if (n >= size - c.count) {
        c.count = n - (size - c.count);
        c.wrap++;
    } else {
        c.count += n;
    }
    return c;
}

/* The cursor n bytes before c, several times round the ring if need be: a send buffer may be larger than the peer's ring. */
static inline struct smc_cursor smc_cursor_back(struct smc_cursor c, uint32_t size, uint32_t n)
{
    while (n > c.count) {
        n -= c.count;
        c.count = size;
        c.wrap--;
    }
    c.count -= n;
    return c;
}

/* How far `b` is ahead of `a`: 0 … size, or -1 if it is behind or further ahead than size. Wraps are compared as 16-bit
 * serial numbers. Counts must be below size. */
static inline int64_t smc_cursor_distance(struct smc_cursor a, struct smc_cursor b, uint32_t size)
{
    uint16_t wraps = (uint16_t)(b.wrap - a.wrap);
    if (wraps == 0)
        return b.count >= a.count ? (int64_t)(b.count - a.count) : -1;
    if (wraps == 1 && b.count <= a.count)
        return (int64_t)size - a.count + b.count;
    return -1;
}

/* Is b behind a (an old one that came late)? [CURSOR: serial arithmetic] */
static inline bool smc_cursor_before(struct smc_cursor b, struct smc_cursor a)
{
    int16_t wraps = (int16_t)(uint16_t)(b.wrap - a.wrap);
    return wraps < 0 || (wraps == 0 && b.count < a.count);
}

static inline bool smc_cursor_equal(struct smc_cursor a, struct smc_cursor b)
{
    return a.count == b.count && a.wrap == b.wrap;
}

#endif

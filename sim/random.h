/* Random streams of a run: one a concern, so that one more draw here changes nothing there.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* xoshiro256** (Blackman, Vigna), seeded by splitmix64. A value: copy it to fork a stream. */
struct sim_random {
    uint64_t s[4];
};

/* The stream `name` of the run `seed`; other names give independent streams. */
void sim_random_init(struct sim_random *r, uint64_t seed, const char *name);
uint64_t sim_random_next(struct sim_random *r);
/* 0 … n-1, each equally likely; 0 if n is 0. */
uint64_t sim_random_below(struct sim_random *r, uint64_t n);
/* low … high, both included; low <= high. */
uint64_t sim_random_range(struct sim_random *r, uint64_t low, uint64_t high);
/* True in `numerator` of `denominator` cases; nothing is drawn when that is never or always. */
bool sim_random_chance(struct sim_random *r, uint64_t numerator, uint64_t denominator);
void sim_random_bytes(struct sim_random *r, void *to, size_t n);
/* Puts `count` elements of `size` bytes into a random order. */
void sim_random_shuffle(struct sim_random *r, void *elements, size_t count, size_t size);

#ifdef __cplusplus
}
#endif

#endif

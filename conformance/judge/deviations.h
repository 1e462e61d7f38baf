/* Known deviations of implementations: which requirements each excuses, and by which exact predicate.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * A check that finds a rule broken tests the predicate by the bytes at hand, whoever sent them, and names the entry
 * in its judge_case. One byte outside the predicate is no deviation. */
#ifndef JUDGE_DEVIATIONS_H
#define JUDGE_DEVIATIONS_H

#include <stdbool.h>
#include <stddef.h>

enum { JUDGE_DEVIATION_REQUIREMENTS = 6 };

struct judge_deviation {
    const char *id;
    const char *implementation; /* whose it is: "linux" */
    const char *predicate;      /* what exactly is excused, in words */
    const char *requirements[JUDGE_DEVIATION_REQUIREMENTS]; /* ended by NULL if not full */
};

extern const struct judge_deviation judge_deviations[];
extern const size_t judge_deviations_size;

/* The entry of this id, or NULL. */
const struct judge_deviation *judge_deviation_find(const char *id);
/* Does the entry excuse this requirement? */
bool judge_deviation_excuses(const struct judge_deviation *d, const char *requirement);

/* Versions of Linux that have an entry: from `since` (NULL: any before) on, and no more from `until` (NULL: none that is known). */
struct judge_versions {
    const char *id, *since, *until;
};
extern const struct judge_versions judge_deviation_versions[]; /* ended by an id of NULL */
/* Is this implementation ("Linux 6.12.117+deb13-amd64") of these versions? True for a version that cannot be read. */
bool judge_versions_hold(const struct judge_versions *v, const char *implementation);
/* Has it the entry? True where the table says nothing. */
bool judge_deviation_in(const char *id, const char *implementation);

#endif

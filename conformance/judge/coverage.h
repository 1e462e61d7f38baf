/* What covers a requirement, from records of runs (the JSON files in coverage/), turned into a table at build time.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * A check counts only if some mutation made it fire. Of what shows on the wire, a scenario or a capture counts only if the
 * judge evaluated the requirement in its recorded run; of what no capture shows, a scenario that names it and passes, and
 * a unit test that asserts it. conformance/judge/coverage/record.py and record_scenarios.py make the records. */
#ifndef JUDGE_COVERAGE_H
#define JUDGE_COVERAGE_H

#include "result.h"

enum judge_cover { JUDGE_COVER_CHECK, JUDGE_COVER_SCENARIO, JUDGE_COVER_TEST };

struct judge_coverage {
    uint16_t requirement;  /* index */
    uint8_t kind;          /* enum judge_cover */
    const char *name;      /* CHECK: the mutation that made it fire; SCENARIO: its file; TEST: the capture judged, or the test's file */
};

/* By requirement, kind, name. */
extern const struct judge_coverage judge_coverage[];
extern const size_t judge_coverage_size;

/* A frame in which a requirement was broken, and one like it in which it was kept. */
struct judge_example {
    uint16_t requirement;
    uint64_t bad_frame, good_frame;     /* 0: none */
    const char *mutation, *base;        /* what was done to which capture */
    const char *seen, *expected, *message; /* what the judge said */
    const char *bad, *good;             /* the frames' SMC message, dumped; "" if there is none */
};

/* By requirement; at most one each. */
extern const struct judge_example judge_examples[];
extern const size_t judge_examples_size;
/* NULL if there is none. */
const struct judge_example *judge_example_of(size_t requirement);

/* Why a row is not covered by what was recorded; NULL if it is. */
const char *judge_uncovered(size_t requirement);
/* The stated reasons of rows that no passive capture can show, by index; NULL where there is none. */
extern const char *const judge_not_observable[];

/* Why no recorded scenario or test exercises a row; NULL if one does. */
const char *judge_unexercised(size_t requirement);
/* The stated reasons, by index; NULL where there is none. */
extern const char *const judge_not_exercised[];

#endif

/* Looks things up in the recorded coverage.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "coverage.h"

#include <string.h>

const struct judge_example *judge_example_of(size_t requirement)
{
    for (size_t i = 0; i < judge_examples_size; i++)
        if (judge_examples[i].requirement == requirement)
            return &judge_examples[i];
    return NULL;
}

/* Somebody checks it. On the wire that is the judge, and not merely a run that met the rule without a check ever having
 * fired; what shows in an implementation is checked by what a scenario expects and a test asserts. */
static bool covered(size_t requirement)
{
    bool wire = strcmp(judge_catalogue[requirement].observable, "wire") == 0;
    for (size_t i = 0; i < judge_coverage_size; i++)
        if (judge_coverage[i].requirement == requirement && (!wire || judge_coverage[i].kind == JUDGE_COVER_CHECK))
            return true;
    return false;
}

const char *judge_uncovered(size_t requirement)
{
    const char *observable = judge_catalogue[requirement].observable;
    if (covered(requirement))
        return NULL;
    if (judge_not_observable[requirement] != NULL)
        return judge_not_observable[requirement];
    if (strcmp(observable, "api") == 0)
        return "shows at the interface of an implementation, not in a capture; no scenario or test was recorded that drives it";
    if (strcmp(observable, "state") == 0)
        return "shows in the state of an implementation, not in a capture; no scenario or test was recorded that looks at it";
    if (strcmp(observable, "retired") == 0)
        return "retired: the rule was wrong, its id is not used again";
    return "no recorded mutation made a check fire";
}

const char *judge_unexercised(size_t requirement)
{
    for (size_t i = 0; i < judge_coverage_size; i++)
        if (judge_coverage[i].requirement == requirement && judge_coverage[i].kind != JUDGE_COVER_CHECK)
            return NULL;
    if (judge_not_exercised[requirement] != NULL)
        return judge_not_exercised[requirement];
    return judge_not_observable[requirement] != NULL ? judge_not_observable[requirement] : "no recorded scenario or test exercises it";
}

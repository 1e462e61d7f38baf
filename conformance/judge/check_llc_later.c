/* Findings that rest on something absent: told only when the stream that would have carried it went on without a gap.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * A lost packet of the capture shows when the next one of its stream comes. Until then a missing request or response may be
 * what the capture lost, so the finding waits. */
#include "check_llc.h"

#include <stdio.h>

void llc_later(struct llc_group *st, const struct judge_case *c, const struct trace_stream *proof, const char *seen,
               const char *expected, const char *message)
{
    if (!proof)
        return;
    for (unsigned i = 0; i < LLC_LATES; i++) {
        struct llc_late *l = &st->lates[i];
        if (l->proof)
            continue;
        l->proof = proof;
        l->what = *c;
        snprintf(l->seen, sizeof l->seen, "%s", seen);
        snprintf(l->expected, sizeof l->expected, "%s", expected);
        snprintf(l->message, sizeof l->message, "%s", message);
        st->any_late = true;
        return;
    }
}

void llc_later_proved(struct judge *j, struct llc_group *st, const struct trace_stream *s)
{
    bool any = false;
    for (unsigned i = 0; st->any_late && i < LLC_LATES; i++) {
        struct llc_late *l = &st->lates[i];
        if (l->proof == s) {
            l->proof = NULL;
            judge_holds(j, l->what.req, false);
            judge_report(j, &l->what, l->seen, l->expected, "%s", l->message);
        }
        any |= l->proof != NULL;
    }
    st->any_late = any;
}

void llc_later_lost(struct llc_group *st, const struct trace_stream *s)
{
    for (unsigned i = 0; st->any_late && i < LLC_LATES; i++)
        if (st->lates[i].proof == s)
            st->lates[i].proof = NULL;
}

/* Waiting: a script stands still while virtual time passes.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

uint64_t run_now(const struct run *run)
{
    return sim_now(lab_sim(run->lab));
}

static void inspect_if_due(struct run *run, uint64_t next)
{
    uint64_t at = run->options->pause_at_ns;
    if (at == 0 || run->ran_inspect || next < at)
        return;
    (void)lab_run_until(run->lab, at);
    run->ran_inspect = run->result->paused = true;
    if (run->inspect != NULL)
        run->inspect(run->inspect_user, run->lab);
    luaL_error(run->L, "paused");
}

bool run_wait(struct run *run, bool (*holds)(struct run *run, void *ctx), void *ctx, uint64_t until_ns)
{
    struct sim *sim = lab_sim(run->lab);
    while (!(holds != NULL && holds(run, ctx))) {
        uint64_t next = sim_next_ns(sim);
        inspect_if_due(run, next < until_ns ? next : until_ns);
        int more = lab_step(run->lab, until_ns);
        if (more < 0)
            check_error(run->L, more);
        if (more <= 0)
            return holds == NULL || holds(run, ctx);
    }
    return true;
}

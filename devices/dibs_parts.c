/* Fault plans of dibs devices: which operation fails, and how.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/dibs_parts.h"

static void drop_used_up(struct dibs_faults *faults)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < faults->count; i++)
        if (faults->rules[i].times > 0)
            faults->rules[kept++] = faults->rules[i];
    faults->count = kept;
}

int dibs_faults_add(struct dibs_faults *faults, enum dibs_fault_point point, uint32_t after,
                    uint32_t times, int error)
{
    drop_used_up(faults);
    if (faults->count == DIBS_MAX_FAULTS)
        return SMC_ERR_NOSPACE;
    faults->rules[faults->count++] = (struct dibs_fault){point, after, times, error};
    return 0;
}

int dibs_faults_ask(struct dibs_faults *faults, enum dibs_fault_point point)
{
    int error = 0;
    for (uint32_t i = 0; i < faults->count; i++) {
        struct dibs_fault *rule = &faults->rules[i];
        if (rule->point != point || rule->times == 0)
            continue;
        if (rule->after > 0) {
            rule->after--;
        } else if (error == 0) {
            rule->times--;
            error = rule->error;
        }
    }
    return error;
}

/* The fault plan of the RoCE NIC: which rule strikes which operation, and WRITEs kept back.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/roce_internal.h"

int roce_set_faults(struct roce *roce, const struct roce_fault *rules, size_t count)
{
    if (count > ROCE_FAULTS_MAX)
        return SMC_ERR_NOSPACE;
    for (size_t i = 0; i < count; i++) {
        if ((unsigned)rules[i].what > ROCE_FAULT_REFUSE_CHANGE || rules[i].operations > 7)
            return SMC_ERR_ARGUMENT;
        if (rules[i].what == ROCE_FAULT_ERROR_COMPLETION &&
            (rules[i].argument == SMC_RDMA_SUCCESS || rules[i].argument > SMC_RDMA_FLUSHED))
            return SMC_ERR_ARGUMENT;
    }
    for (size_t i = 0; i < count; i++)
        roce->rules[i] = (struct roce_rule){.fault = rules[i]};
    roce->rule_count = count;
    return 0;
}

uint32_t roce_fault_strikes(const struct roce *roce, size_t index)
{
    return index < roce->rule_count ? roce->rules[index].strikes : 0;
}

static bool looks_at(const struct roce_fault *fault, enum roce_fault_what what,
                     const struct smc_rdma_qp *qp, enum smc_rdma_opcode opcode)
{
    if (fault->what != what)
        return false;
    if (qp == NULL)
        return true;
    if (fault->operations != 0 && !(fault->operations & 1u << opcode))
        return false;
    if (fault->qp_number != 0 && fault->qp_number != qp->number)
        return false;
    return fault->matches == NULL || fault->matches(fault->user, qp->number, opcode);
}

/* Counts the operation; is it one to strike? */
static bool count(struct roce_rule *rule)
{
    const struct roce_fault *fault = &rule->fault;
    uint32_t first = fault->first > 0 ? fault->first : 1;
    uint32_t number = ++rule->seen;
    if (number < first || (fault->times > 0 && rule->strikes >= fault->times))
        return false;
    return number == first || (fault->every > 0 && (number - first) % fault->every == 0);
}

bool roce_fault_strikes_now(struct roce *roce, enum roce_fault_what what,
                            const struct smc_rdma_qp *qp, enum smc_rdma_opcode opcode,
                            uint64_t *argument)
{
    bool strikes = false;
    for (size_t i = 0; i < roce->rule_count; i++) {
        struct roce_rule *rule = &roce->rules[i];
        if (!looks_at(&rule->fault, what, qp, opcode) || !count(rule) || strikes)
            continue;
        strikes = true;
        rule->strikes++;
        roce->counters.faults++;
        if (argument != NULL)
            *argument = rule->fault.argument;
    }
    return strikes;
}

bool roce_late_keep(struct smc_rdma_qp *qp, uint32_t rkey, uint64_t address, const uint8_t *bytes,
                    uint32_t length)
{
    const struct smc_alloc *alloc = qp->roce->alloc;
    struct roce_late *late = alloc->allocate(alloc->user, sizeof(*late) + length);
    if (late == NULL)
        return false;
    *late = (struct roce_late){.address = address, .rkey = rkey, .length = length};
    memcpy(late->bytes, bytes, length);
    *qp->late_end = late;
    qp->late_end = &late->next;
    return true;
}

void roce_late_place(struct smc_rdma_qp *qp)
{
    while (qp->late != NULL) {
        struct roce_late *late = qp->late;
        uint8_t *memory = roce_remote_memory(qp, late->rkey, late->address, late->length);
        if (memory != NULL) {
            memcpy(memory, late->bytes, late->length);
            qp->roce->counters.payload_placed += late->length;
        }
        qp->late = late->next;
        smc_alloc_release(qp->roce->alloc, late, 1, sizeof(*late) + late->length);
    }
    qp->late_end = &qp->late;
}

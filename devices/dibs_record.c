/* Builds SMC-D records from what dibs devices do, and cuts long moves.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/dibs_record.h"

#include "wire/smcd_record_layouts.h"

static void fill(struct smc_smcd_record_fields *header, const struct dibs_operation *operation)
{
    memset(header, 0, sizeof(*header));
    header->version = 1;
    header->operation = operation->operation;
    memcpy(header->src_gid, operation->source.bytes, sizeof(header->src_gid));
    memcpy(header->dst_gid, operation->destination.bytes, sizeof(header->dst_gid));
    header->token = operation->token;
    header->index = operation->index;
    header->offset = operation->offset;
    header->total = operation->total;
}

void dibs_record(const struct dibs_observer *observer, const struct dibs_operation *operation,
                 const void *data)
{
    if (observer == NULL || observer->record == NULL)
        return;
    struct smc_smcd_record_fields header;
    fill(&header, operation);
    header.byte_order = observer->byte_order;
    if (operation->operation == SMC_RECORD_MOVE && operation->total == 0)
        header.operation = SMC_RECORD_SIGNAL;
    uint32_t left = data != NULL ? operation->total : 0;
    const uint8_t *at = data;
    do {
        uint32_t piece = left < SMC_RECORD_MAX_DATA ? left : SMC_RECORD_MAX_DATA;
        left -= piece;
        header.signal = operation->signal && left == 0;
        observer->record(observer->user, &header, at, piece);
        header.fragment_offset += piece;
        at = left > 0 ? at + piece : NULL;
    } while (left > 0);
}

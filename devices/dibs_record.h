/* What dibs devices do, told to an observer as SMC-D records, so that a simulation can capture it.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_DIBS_RECORD_H
#define DEVICES_DIBS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smc/gid.h>

#ifdef __cplusplus
extern "C" {
#endif

struct smc_smcd_record_fields; /* wire/smcd_record_layouts.h */

/* Whoever captures. `header` and `data` are borrowed for the call; `data` follows the header in the
 * record, len ≤ SMC_RECORD_MAX_DATA. Called in the order in which things happen, a move before its
 * signal is raised. Only what was carried out is reported, nothing that was refused. It must not call
 * the device. A device without an observer builds no records. */
struct dibs_observer {
    void (*record)(void *user, const struct smc_smcd_record_fields *header, const uint8_t *data,
                   size_t len);
    void *user;
    uint8_t byte_order; /* of the hosts, so of the CDC blocks in DMBs: enum smc_record_order */
};

/* One operation. Who is who:
 *   REGISTER, UNREGISTER   source: the owner; destination: the peer that may write (rgid)
 *   ATTACH, DETACH         source: who attaches; destination: the owner
 *   MOVE, SIGNAL           source: who writes; destination: the owner
 *   EVENT                  source: the peer it is about or from; destination: who is told.
 *                          `token` of a buffer event, `index`: code, `offset`: enum
 *                          smc_dibs_event_type; the data are the eight bytes of the event
 * `total` is the length of the DMB (REGISTER, ATTACH), of the move, or of the event's data. */
struct dibs_operation {
    uint8_t operation; /* enum smc_record_op */
    bool signal;
    struct smc_gid source, destination;
    uint64_t token;
    uint32_t index;
    uint32_t offset;
    uint32_t total;
};

/* Reports an operation with its `total` bytes of `data`, in records of at most SMC_RECORD_MAX_DATA
 * bytes of which only the last carries the signal flag; data NULL: one record without data.
 * A MOVE of no bytes becomes a SIGNAL. Nothing happens if observer is NULL or has no function. */
void dibs_record(const struct dibs_observer *observer, const struct dibs_operation *operation,
                 const void *data);

#ifdef __cplusplus
}
#endif

#endif

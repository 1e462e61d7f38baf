/* Captures of a run: to a file, into memory, to a function, and always into a digest.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_CAPTURE_H
#define SIM_CAPTURE_H

#include "sim/engine.h"
#include "sim/hash.h"

#include <smc/alloc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One capture takes Ethernet frames from any number of taps, in the order of the events. The same run
 * gives the same file, byte for byte; its time stamps are CAPTURE_EPOCH_S (2000-01-01 UTC, so that tools show
 * a date) plus virtual time. */
#define CAPTURE_EPOCH_S UINT64_C(946684800)
enum { CAPTURE_SNAPLEN = 262144 };

struct capture;

struct capture_options {
    const char *path; /* nanosecond pcap; NULL: no file */
    bool keep;        /* keep all bytes in memory for capture_frame() */
    /* Called for each frame, after the others; may be NULL. `bytes` is borrowed for the call; time is
     * virtual. It must not send frames. */
    void (*sink)(void *user, uint64_t at_ns, const uint8_t *bytes, size_t length);
    void *user;
};

struct capture_entry {
    uint64_t at_ns; /* virtual */
    size_t length;
    const uint8_t *bytes; /* good until the next frame is captured */
};

/* SMC_ERR_NOMEM; SMC_ERR_IO: the file cannot be written, `error` says why (may be NULL). */
int capture_open(const struct smc_alloc *alloc, const struct capture_options *options,
                 struct capture **out, char *error, size_t error_size);
/* Frees in every case. 0, SMC_ERR_IO: the file is not whole; SMC_ERR_NOMEM: a frame could not be kept in
 * memory (the digest and the file have it). NULL is allowed. */
int capture_close(struct capture *c);

void capture_put(struct capture *c, uint64_t at_ns, const uint8_t *bytes, size_t length);
/* An SMC-D record (wire/smcd_record_layouts.h: 60 bytes, then data) as a frame of EtherType 0x88B5.
 * `dst_mac` NULL: broadcast. SMC_ERR_ARGUMENT: shorter than a record, or longer than one may be. */
int capture_record(struct capture *c, uint64_t at_ns, const uint8_t src_mac[6],
                   const uint8_t *dst_mac, const uint8_t *record, size_t length);

uint64_t capture_count(const struct capture *c);
/* Frame i < capture_count(), if bytes are kept; false otherwise. */
bool capture_frame(const struct capture *c, uint64_t i, struct capture_entry *out);
/* Over times, lengths and bytes of all frames so far. */
void capture_digest(const struct capture *c, uint64_t value[2]);
/* What capture_close() would return. */
int capture_error(const struct capture *c);

#ifdef __cplusplus
}
#endif

#endif

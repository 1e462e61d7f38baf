/* Writing captures: nanosecond pcap, by libpcap.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACE_WRITER_H
#define TRACE_WRITER_H

#include "packet.h"

struct trace_writer;

/* linktype as LINKTYPE_…; snaplen in bytes. NULL on failure, `error` says why. */
struct trace_writer *trace_writer_open(const char *path, int linktype, uint32_t snaplen, char *error, size_t error_size);
/* 0, or -1 if it could not be written (full disk …). */
int trace_writer_put(struct trace_writer *w, uint64_t ts_ns, struct smc_view bytes, uint32_t wire_len);
/* Flushes and closes; -1 if anything could not be written. Frees in every case. */
int trace_writer_close(struct trace_writer *w);

#endif

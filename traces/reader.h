/* Reading capture files: pcap and pcapng by libpcap, from a path or standard input.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACE_READER_H
#define TRACE_READER_H

#include "packet.h"
#include <stdio.h>

struct trace_reader;

enum trace_read {
    TRACE_READ_PACKET, /* *raw is filled; its bytes live until the next call */
    TRACE_READ_END,    /* end of the file, everything was read */
    TRACE_READ_ERROR,  /* file unreadable or corrupt from here on: trace_reader_error() says what and where.
                          Everything before was delivered. */
};

/* Opens a capture; path "-" is standard input. NULL on failure; then `error` (at least 512 bytes) says what
 * was seen, where, and what to do (for a pcapng whose interfaces have different link types: the
 * editcap/mergecap line that helps). */
struct trace_reader *trace_reader_open(const char *path, char *error, size_t error_size);
/* The same on an open stream (fuzzers, memory); takes ownership of the stream in every case. */
struct trace_reader *trace_reader_open_stream(FILE *stream, const char *name, char *error, size_t error_size);
enum trace_read trace_reader_next(struct trace_reader *r, struct trace_raw *raw);
const char *trace_reader_error(const struct trace_reader *r);
const char *trace_reader_name(const struct trace_reader *r);
void trace_reader_close(struct trace_reader *r);

/* Several captures of one run as one (`--merge`): ordered by time, packets seen in more than one file
 * delivered once. Frames count in the merged order. */
struct trace_reader *trace_reader_open_merged(const char *const *paths, size_t n, char *error, size_t error_size);

#endif

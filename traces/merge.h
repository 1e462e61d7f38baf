/* Several captures of one run read as one: what trace_reader_open_merged() stands on.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Packets come in order of time (then of the files); within a file its own order stays. A packet seen at
 * several points is delivered once: what identifies it are its innermost addresses and transport headers, not
 * the frame around it, whose MACs, tags, TTL and padding change on the way. A retransmission is not a second
 * sight: the k-th sight of a packet in one file stands for the k-th in another, as long as they lie within
 * TRACE_MERGE_WINDOW_NS. */
#ifndef TRACE_MERGE_H
#define TRACE_MERGE_H

#include "reader.h"

#define TRACE_MERGE_WINDOW_NS UINT64_C(1000000000)
enum { TRACE_MERGE_MAX_FILES = 64 };

struct trace_merge;

/* NULL on failure, `error` says why (a file that cannot be opened, too many files, no memory). */
struct trace_merge *trace_merge_open(const char *const *paths, size_t n, char *error, size_t error_size);
/* A file that breaks off ends there; its error comes when all the others have ended. */
enum trace_read trace_merge_next(struct trace_merge *m, struct trace_raw *raw);
const char *trace_merge_error(const struct trace_merge *m);
void trace_merge_free(struct trace_merge *m);

#endif

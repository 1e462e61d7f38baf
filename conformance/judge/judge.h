/* The judge: one pass over a capture, constant memory per connection, a result at the end.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef JUDGE_H
#define JUDGE_H

#include "result.h"
#include "traces/session.h"

enum judge_implementation { JUDGE_IMPL_UNKNOWN, JUDGE_IMPL_LINUX, JUDGE_IMPL_OTHER };

struct judge_options {
    bool strict;                  /* deviations become what their requirement's level says */
    bool lossy;                   /* packets may have been lost before the capture point: what it shows may be the first copy that got so far */
    enum judge_implementation implementation[2]; /* [client, server]; UNKNOWN excuses by bytes alone */
};

struct judge;

/* `observer` (may be NULL) gets every event of the tracker before the checks do: ladder diagrams, dumps. `file` is
 * copied. NULL if memory is short. */
struct judge *judge_new(const char *file, const struct judge_options *options,
                        const struct trace_session_events *observer, void *observer_ctx);
/* Told of each finding when it is made (may be NULL); the finding lives until judge_free(). */
void judge_on_finding(struct judge *j, void (*fn)(void *ctx, const struct judge_finding *f), void *ctx);
/* One packet, in any order of time within 50 ms. -1 if memory is short. */
int judge_input(struct judge *j, const struct trace_raw *raw);
/* End of the capture; `error` (may be NULL) if the file could not be read to its end. The result lives until
 * judge_free(). */
const struct judge_result *judge_finish(struct judge *j, const char *error);
void judge_free(struct judge *j);

/* Opens, reads and judges a file ("-": standard input). Returns a judge whose judge_finish() was called, or NULL with
 * `error` filled if the file could not even be opened. */
struct judge *judge_file(const char *path, const struct judge_options *options,
                         const struct trace_session_events *observer, void *observer_ctx, char *error, size_t error_size);
const struct judge_result *judge_result_of(const struct judge *j);

#endif

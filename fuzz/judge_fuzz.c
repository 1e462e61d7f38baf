/* Fuzz target: the whole judge on a capture in memory: reader, trackers, checks, result.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "conformance/judge/judge.h"
#include "traces/reader.h"
#include <string.h>

static void check_finding(const struct judge_finding *f, uint64_t frames)
{
    FUZZ_REQUIRE(f->requirement >= 0 && (size_t)f->requirement < judge_catalogue_size);
    FUZZ_REQUIRE(f->verdict < JUDGE_VERDICTS && f->frame <= frames && f->nrelated <= JUDGE_MAX_RELATED);
    FUZZ_REQUIRE(f->seen && f->expected && f->message);
    FUZZ_REQUIRE((f->verdict == JUDGE_DEVIATION) == (f->deviation != NULL));
}

static void check_result(const struct judge_result *result, uint64_t frames)
{
    uint64_t total = 0;
    FUZZ_REQUIRE(result->packets == frames);
    for (size_t i = 0; i < result->nfindings; i++)
        check_finding(&result->findings[i], frames);
    for (unsigned i = 0; i < JUDGE_VERDICTS; i++)
        total += result->summary[i];
    FUZZ_REQUIRE(total == result->nfindings + result->dropped_findings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct judge_options options = {.strict = false};
    char error[512] = "";
    struct trace_raw raw;
    enum trace_read state;
    uint64_t frames = 0;
    struct trace_reader *reader = trace_reader_open_stream(fuzz_open(data, size), "fuzz", error, sizeof error);
    if (reader == NULL)
        return 0;
    struct judge *judge = judge_new("fuzz", &options, NULL, NULL);
    FUZZ_REQUIRE(judge != NULL);
    while ((state = trace_reader_next(reader, &raw)) == TRACE_READ_PACKET) {
        FUZZ_REQUIRE(judge_input(judge, &raw) == 0);
        frames++;
    }
    check_result(judge_finish(judge, state == TRACE_READ_ERROR ? trace_reader_error(reader) : NULL), frames);
    judge_free(judge);
    trace_reader_close(reader);
    return 0;
}

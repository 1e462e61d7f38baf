/* Measures trace_packet_decode(), ICRC verified, on the frames of real captures held in memory.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Floor: 5 million packets a second, so that the decoder never is what a judge of a million a second waits for. */
#include "traces/reader.h"

#include <stdlib.h>
#include <time.h>

enum { FLOOR = 5000000, ROUNDS = 5, PACKETS = 2000000 };

struct frames {
    size_t n;
    struct trace_raw *raw; /* bytes of their own */
};

static struct frames load(const char *name)
{
    char path[512], error[1024];
    const char *source = getenv("SMCLAB_SOURCE_DIR");
    struct frames all = {0, NULL};
    struct trace_raw raw;
    snprintf(path, sizeof path, "%s/traces/captures/%s.pcap", source ? source : ".", name);
    struct trace_reader *r = trace_reader_open(path, error, sizeof error);
    if (r == NULL) {
        fprintf(stderr, "%s\n", error);
        exit(2);
    }
    while (trace_reader_next(r, &raw) == TRACE_READ_PACKET) {
        size_t n = smc_view_len(raw.bytes);
        uint8_t *copy = malloc(n);
        all.raw = realloc(all.raw, (all.n + 1) * sizeof *all.raw);
        if (copy == NULL || all.raw == NULL)
            exit(2);
        raw.bytes = smc_view_of(memcpy(copy, raw.bytes.p, n), n);
        all.raw[all.n++] = raw;
    }
    trace_reader_close(r);
    return all;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Packets a second, the best of some rounds; every ICRC must hold, so that the work cannot be left out. */
static double measure(const struct frames *all)
{
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = seconds();
        size_t good = 0, roce = 0;
        struct trace_packet p;
        for (size_t i = 0; i < PACKETS; i++) {
            trace_packet_decode(&all->raw[i % all->n], true, &p);
            roce += p.proto == TRACE_ROCE;
            good += p.roce.icrc == TRACE_ICRC_GOOD;
        }
        double rate = PACKETS / (seconds() - start);
        best = rate > best ? rate : best;
        if (good != roce || good == 0)
            return 0;
    }
    return best;
}

int main(void)
{
    static const char *const names[] = {"6.12.107-v2-a-first-contact", "6.12.107-v2-c2-slow-reader-300kB",
                                        "6.12.107-smclo-v1pure-g6-failover-delete-rxe1"};
    int status = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct frames all = load(names[i]);
        double rate = measure(&all);
        printf("%-48s %6.1f million packets a second%s\n", names[i], rate / 1e6, rate < FLOOR ? "  <-- below the floor" : "");
        status |= rate < FLOOR;
        for (size_t k = 0; k < all.n; k++)
            free((void *)(uintptr_t)all.raw[k].bytes.p);
        free(all.raw);
    }
    return status;
}

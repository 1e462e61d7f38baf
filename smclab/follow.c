/* smclab follow: the application's bytes of a connection, or the list of connections.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include "traces/follow.h"
#include "traces/order.h"
#include "traces/reader.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "usage: smclab follow FILE\n"
    "       smclab follow --connection ID --direction c2s|s2c --raw FILE\n"
    "\n"
    "Without --connection: lists the connections of a capture. With it: writes the bytes that one application sent to\n"
    "standard output and nothing else. Plain TCP gives its payload; SMC-R is rebuilt from RDMA WRITEs and the producer\n"
    "cursor (urgent byte in place, read or not, across a failover), SMC-D from SMC-D records.\n"
    "\n"
    "  -c, --connection ID   as in the list and in `smclab check`: c1, c2 …\n"
    "  -d, --direction DIR   c2s: what the client sent; s2c: what the server sent\n"
    "      --raw             bytes to standard output (needed with --connection)\n"
    "  -h, --help            this text\n"
    "\n"
    "FILE may be - for standard input.\n"
    "Exit status: 0 every announced byte was written; 1 bytes are missing: what comes before them was written and the\n"
    "first missing one is named; 2 usage; 3 the file is unreadable or corrupt, or the output not writable; 77 the\n"
    "capture holds no TCP connection.\n";

struct options {
    const char *file;
    uint64_t connection;
    int side; /* -1: not said */
    bool raw;
};

/* ---- reading ---- */

static int emit(void *ctx, const struct trace_raw *raw)
{
    return trace_session_input(ctx, raw);
}

enum { WINDOW_PACKETS = 1024 };

/* Runs a capture past a listener; 0, or 3 after saying why. */
static int run(const char *file, const struct trace_session_events *events, void *ctx)
{
    char error[512];
    struct trace_reader *r = trace_reader_open(file, error, sizeof error);
    if (!r) {
        fprintf(stderr, "smclab follow: %s\n", error);
        return EXIT_INPUT;
    }
    struct trace_session *s = trace_session_new(events, ctx);
    struct trace_order *o = s ? trace_order_new(50000000, WINDOW_PACKETS, emit, s) : NULL;
    int status = 0;
    struct trace_raw raw;
    enum trace_read got = TRACE_READ_END;
    if (!o)
        status = EXIT_INPUT;
    while (o && (got = trace_reader_next(r, &raw)) == TRACE_READ_PACKET)
        if (trace_order_put(o, &raw) != 0)
            status = EXIT_INPUT;
    if (o && trace_order_flush(o) != 0)
        status = EXIT_INPUT;
    if (status != 0)
        fprintf(stderr, "smclab follow: out of memory while reading %s\n", file);
    if (o && got == TRACE_READ_ERROR) {
        fprintf(stderr, "smclab follow: %s\n", trace_reader_error(r));
        status = EXIT_INPUT;
    }
    if (s)
        trace_session_finish(s);
    trace_order_free(o);
    trace_session_free(s);
    trace_reader_close(r);
    return status;
}

/* ---- the list ---- */

struct row {
    uint64_t id, bytes[2];
    char client[64], server[64];
    const char *mode;
    uint8_t version;
};

struct list {
    struct row *rows;
    size_t n, cap;
    bool no_memory;
};

static const char *mode_name(const struct trace_conn *c)
{
    switch (c->mode) {
    case TRACE_MODE_SMCR:
        return "SMC-R";
    case TRACE_MODE_SMCD:
        return "SMC-D";
    default:
        return "TCP";
    }
}

static void list_conn(void *ctx, struct trace_conn *c)
{
    struct list *l = ctx;
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 64;
        struct row *grown = realloc(l->rows, cap * sizeof *grown);
        if (!grown) {
            l->no_memory = true;
            return;
        }
        l->rows = grown;
        l->cap = cap;
    }
    struct row *r = &l->rows[l->n++];
    bool smc = c->mode == TRACE_MODE_SMCR || c->mode == TRACE_MODE_SMCD;
    r->id = c->id;
    for (int i = 0; i < 2; i++)
        r->bytes[i] = smc ? c->side[i].prod_pos : c->plain_bytes[i];
    trace_endpoint_text(&c->addr[0], c->port[0], r->client, sizeof r->client);
    trace_endpoint_text(&c->addr[1], c->port[1], r->server, sizeof r->server);
    r->mode = mode_name(c);
    r->version = smc ? c->version : 0;
}

static int by_id(const void *x, const void *y)
{
    const struct row *a = x, *b = y;
    return (a->id > b->id) - (a->id < b->id);
}

static int list_connections(const char *file)
{
    static const struct trace_session_events events = {.conn_end = list_conn};
    struct list l = {0};
    int status = run(file, &events, &l);
    if (l.n)
        qsort(l.rows, l.n, sizeof *l.rows, by_id);
    if (l.n)
        printf("%-6s %-28s %-28s %-6s %-2s %14s %14s\n", "ID", "client", "server", "mode", "v", "c2s bytes", "s2c bytes");
    for (size_t i = 0; i < l.n; i++) {
        const struct row *r = &l.rows[i];
        char id[24];
        snprintf(id, sizeof id, "c%" PRIu64, r->id);
        printf("%-6s %-28s %-28s %-6s %-2.*u %14" PRIu64 " %14" PRIu64 "\n", id, r->client, r->server, r->mode,
               r->version ? 1 : 0, r->version, r->bytes[0], r->bytes[1]);
    }
    if (l.no_memory)
        fprintf(stderr, "smclab follow: out of memory, the list is not complete\n");
    if (status == 0 && l.n == 0) {
        fprintf(stderr, "smclab follow: %s holds no TCP connection\n", file);
        status = EXIT_NOTHING;
    }
    free(l.rows);
    return l.no_memory ? EXIT_INPUT : status;
}

/* ---- the bytes ---- */

static int put_stdout(void *ctx, const uint8_t *p, size_t n)
{
    (void)ctx;
    return fwrite(p, 1, n, stdout) == n ? 0 : -1;
}

static int write_bytes(const struct options *o)
{
    struct trace_follow f = {.connection = o->connection, .side = o->side, .put = put_stdout};
    int status = run(o->file, &trace_follow_events, &f);
    trace_follow_free(&f);
    if (fflush(stdout) != 0 || f.put_failed) {
        fprintf(stderr, "smclab follow: standard output: %s\n", strerror(errno));
        return EXIT_INPUT;
    }
    if (f.no_memory) {
        fprintf(stderr, "smclab follow: out of memory\n");
        return EXIT_INPUT;
    }
    if (!f.found) {
        fprintf(stderr, "smclab follow: %s has no connection c%" PRIu64 "; `smclab follow %s` lists them\n", o->file,
                o->connection, o->file);
        return status ? status : EXIT_USAGE;
    }
    if (f.missing) {
        fprintf(stderr, "smclab follow: first missing byte: %" PRIu64, f.written);
        if (f.frame)
            fprintf(stderr, " (frame %" PRIu64 ")", f.frame);
        fprintf(stderr, ": %s\n", f.why);
        return EXIT_FOUND;
    }
    return status;
}

static bool parse_id(const char *text, uint64_t *id)
{
    char *end;
    if (*text == 'c')
        text++;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *id = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *id > 0;
}

static int bad_usage(const char *what)
{
    fprintf(stderr, "smclab follow: %s\nTry `smclab follow --help`.\n", what);
    return EXIT_USAGE;
}

int cmd_follow(int argc, char **argv)
{
    static const struct option longs[] = {{"connection", required_argument, NULL, 'c'},
                                          {"direction", required_argument, NULL, 'd'},
                                          {"raw", no_argument, NULL, 'r'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct options o = {.side = -1};
    int c;
    optind = 1;
    while ((c = getopt_long(argc, argv, "c:d:h", longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return 0;
        } else if (c == 'c') {
            if (!parse_id(optarg, &o.connection))
                return bad_usage("--connection wants an ID as in the list, like c1");
        } else if (c == 'd') {
            if (strcmp(optarg, "c2s") != 0 && strcmp(optarg, "s2c") != 0)
                return bad_usage("--direction is c2s or s2c");
            o.side = strcmp(optarg, "c2s") == 0 ? TRACE_C2S : TRACE_S2C;
        } else if (c == 'r') {
            o.raw = true;
        } else {
            return bad_usage("unknown option");
        }
    }
    if (optind + 1 != argc)
        return bad_usage(optind == argc ? "which capture?" : "one capture at a time");
    o.file = argv[optind];
    if (!o.connection && o.side < 0 && !o.raw)
        return list_connections(o.file);
    if (!o.connection || o.side < 0 || !o.raw)
        return bad_usage("--connection, --direction and --raw go together");
    return write_bytes(&o);
}

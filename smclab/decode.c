/* smclab decode: every SMC message of a capture with its fields.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"
#include "decode_print.h"

#include "traces/order.h"
#include "traces/reader.h"
#include "traces/session.h"
#include "wire/cdc.h"
#include "wire/tcp_option.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: smclab decode [--format text|json] FILE…\n"
    "\n"
    "Prints every SMC message with its fields: the TCP option, CLC, LLC, CDC and SMC-D records.\n"
    "\n"
    "  -f, --format FORMAT   text (default), or json: one object a line and message\n"
    "  -h, --help            this text\n"
    "\n"
    "FILE may be - for standard input. In JSON, integers are numbers, those of 64 bits \"0x…\" strings, and bytes are\n"
    "strings of hexadecimal digits; \"rejected\" says why bytes are not a message that a receiver may accept.\n"
    "Exit status: 0 something was printed; 2 usage; 3 a file is unreadable or corrupt (what was readable is printed), or\n"
    "the output not writable; 77 no SMC message in it.\n";

enum { WINDOW_PACKETS = 4096 };
static const uint64_t window_ns = 50 * 1000 * 1000;

struct decode {
    bool json, quiet;
    uint64_t messages;
    unsigned record_order; /* of the last SMC-D record: its data may be a CDC block */
};

static void print(struct decode *d, const struct decoded *m)
{
    d->messages++;
    if (d->json)
        decode_print_json(m, stdout);
    else
        decode_print_text(m, stdout);
}

/* Endpoints of a TCP connection, by who sends. */
static void tcp_ends(struct decoded *m, const struct trace_conn *c, int side)
{
    trace_endpoint_text(&c->addr[side], c->port[side], m->from, sizeof m->from);
    trace_endpoint_text(&c->addr[!side], c->port[!side], m->to, sizeof m->to);
}

static void roce_ends(struct decoded *m, const struct trace_stream *s)
{
    trace_addr_text(&s->src, m->from, sizeof m->from);
    trace_addr_text(&s->dst, m->to, sizeof m->to);
    m->has_qp = true;
    m->qp = s->dqpn;
}

static void record_ends(struct decoded *m, struct smc_smcd_record r)
{
    struct trace_addr a;
    memcpy(a.b, smc_smcd_record_src_gid(r), sizeof a.b);
    trace_addr_text(&a, m->from, sizeof m->from);
    memcpy(a.b, smc_smcd_record_dst_gid(r), sizeof a.b);
    trace_addr_text(&a, m->to, sizeof m->to);
}

/* ---- what the tracker tells ---- */

static void segment(void *ctx, struct trace_conn *c, int dir, const struct trace_packet *p, bool duplicate)
{
    struct decoded m = {.frame = p->raw.frame, .ts_ns = p->raw.ts_ns, .protocol = "TCPOPT", .connection = c->id};
    size_t at;
    unsigned length;
    (void)duplicate;
    if (!p->tcp.syn || smc_tcp_option_find(p->tcp.options, &at, &length) == SMC_OPTION_ABSENT)
        return;
    m.bytes = smc_view_sub(p->tcp.options, at, length);
    m.valid = smc_message_parse(&smc_tcp_option_message, m.bytes, &m.parsed, &m.reject);
    tcp_ends(&m, c, dir);
    print(ctx, &m);
}

static void clc(void *ctx, const struct trace_clc_event *e)
{
    struct decoded m = {.frame = e->frame, .ts_ns = e->ts_ns, .protocol = "CLC", .connection = e->conn->id, .bytes = e->bytes};
    m.valid = smc_clc_parse(e->bytes, &m.parsed, &m.reject);
    tcp_ends(&m, e->conn, e->side);
    print(ctx, &m);
}

static void llc(void *ctx, const struct trace_llc_event *e)
{
    if (e->replayed) /* printed where it stood */
        return;
    struct decoded m = {.frame = e->request->frame, .ts_ns = e->request->ts_ns, .protocol = "LLC", .bytes = e->bytes, .cut = e->cut};
    m.valid = smc_llc_parse(e->bytes, &m.parsed, &m.reject);
    roce_ends(&m, e->stream);
    print(ctx, &m);
}

static void cdc(void *ctx, const struct trace_cdc_event *e)
{
    const struct decode *d = ctx;
    struct decoded m = {.frame = e->frame, .ts_ns = e->ts_ns, .protocol = "CDC", .bytes = e->bytes,
                        .connection = e->conn != NULL ? e->conn->id : 0};
    const struct smc_message *message = &smc_cdc_message;
    if (e->smcd) {
        message = d->record_order == SMC_ORDER_BIG ? &smc_smcd_cdc_be_message : &smc_smcd_cdc_le_message;
        m.bytes = smc_view_sub(e->bytes, 0, smc_smcd_cdc_le_size); /* data may follow in the same move */
    }
    m.valid = smc_message_parse(message, m.bytes, &m.parsed, &m.reject);
    if (e->stream != NULL)
        roce_ends(&m, e->stream);
    else if (e->conn != NULL)
        tcp_ends(&m, e->conn, e->side);
    print(ctx, &m);
}

static void record(void *ctx, const struct trace_packet *p, struct trace_conn *c)
{
    struct decode *d = ctx;
    struct decoded m = {.frame = p->raw.frame, .ts_ns = p->raw.ts_ns, .protocol = "RECORD", .connection = c != NULL ? c->id : 0};
    d->record_order = smc_smcd_record_byte_order(p->record);
    m.bytes = smc_view_of(p->record.p, smc_smcd_record_size);
    m.data_bytes = p->payload_wire_len;
    m.valid = smc_message_parse(&smc_smcd_record_message, m.bytes, &m.parsed, &m.reject);
    record_ends(&m, p->record);
    print(d, &m);
}

static const struct trace_session_events events = {.segment = segment, .clc = clc, .llc = llc, .cdc = cdc, .record = record};

/* ---- one file ---- */

static int emit(void *ctx, const struct trace_raw *raw)
{
    return trace_session_input(ctx, raw);
}

static int feed(struct trace_reader *r, struct trace_order *o)
{
    struct trace_raw raw;
    enum trace_read got;
    while ((got = trace_reader_next(r, &raw)) == TRACE_READ_PACKET)
        if (trace_order_put(o, &raw) != 0)
            return smclab_complain(EXIT_INPUT, "decode", "out of memory");
    if (trace_order_flush(o) != 0)
        return smclab_complain(EXIT_INPUT, "decode", "out of memory");
    if (got == TRACE_READ_ERROR)
        return smclab_complain(EXIT_INPUT, "decode", "%s", trace_reader_error(r));
    return 0;
}

static int decode_file(struct decode *d, const char *file)
{
    char error[1024];
    struct trace_reader *r = trace_reader_open(file, error, sizeof error);
    if (r == NULL)
        return smclab_complain(EXIT_INPUT, "decode", "%s", error);
    struct trace_session *s = trace_session_new(&events, d);
    struct trace_order *o = s != NULL ? trace_order_new(window_ns, WINDOW_PACKETS, emit, s) : NULL;
    int status = o != NULL ? feed(r, o) : smclab_complain(EXIT_INPUT, "decode", "out of memory");
    if (s != NULL)
        trace_session_finish(s);
    trace_order_free(o);
    trace_session_free(s);
    trace_reader_close(r);
    return status;
}

static int decode_files(struct decode *d, char **files, int n)
{
    int status = 0;
    for (int i = 0; i < n; i++) {
        uint64_t before = d->messages;
        if (n > 1 && !d->json)
            printf("%s==> %s <==\n", i > 0 ? "\n" : "", files[i]);
        int one = decode_file(d, files[i]);
        if (one == 0 && d->messages == before)
            smclab_complain(0, "decode", "%s: no SMC message in it", files[i]);
        status = smclab_worse(status, one);
    }
    if (status == 0 && d->messages == 0)
        status = EXIT_NOTHING;
    if (fflush(stdout) != 0 || ferror(stdout))
        status = smclab_worse(status, smclab_complain(EXIT_INPUT, "decode", "standard output: %s", strerror(errno)));
    return status;
}

int cmd_decode(int argc, char **argv)
{
    static const struct option longs[] = {
        {"format", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct decode d = {0};
    int c;
    optind = 1;
    while ((c = getopt_long(argc, argv, "f:h", longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (c != 'f')
            return EXIT_USAGE; /* getopt said what is wrong */
        d.json = strcmp(optarg, "json") == 0;
        if (!d.json && strcmp(optarg, "text") != 0)
            return smclab_bad_usage("decode", "--format %s: the formats are text and json", optarg);
    }
    if (optind == argc)
        return smclab_bad_usage("decode", "which capture?");
    return decode_files(&d, argv + optind, argc - optind);
}

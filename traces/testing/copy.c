/* Reads a capture, writes it again and prints what the decoder found in each packet, for comparison with other tools.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Use: trace_copy IN OUT. A line a packet, fields divided by tabs: frame, nanoseconds, length on the wire, then
 *   tcp   source, destination, sport, dport, seq, ack, payload length
 *   roce  source, destination, opcode, QP, PSN, va, rkey, DMA length, MSN (the last four empty if absent), ICRC
 *   record | other */
#include "traces/reader.h"
#include "traces/writer.h"

#include <inttypes.h>

static void print_tcp(const struct trace_packet *p)
{
    printf("\t%u\t%u\t%u\t%u\t%u", (unsigned)p->tcp.sport, (unsigned)p->tcp.dport, p->tcp.seq, p->tcp.has_ack ? p->tcp.ack : 0,
           p->payload_wire_len);
}

static void print_roce(const struct trace_packet *p)
{
    static const char *const icrc[] = {"unknown", "good", "bad"};
    const struct trace_roce *r = &p->roce;
    printf("\t%u\t%u\t%u", r->opcode, r->dqpn, r->psn);
    if (r->has_reth)
        printf("\t%" PRIu64 "\t%u\t%u", r->va, r->rkey, r->dma_length);
    else
        printf("\t\t\t");
    if (r->has_aeth)
        printf("\t%u", r->msn);
    else
        printf("\t");
    printf("\t%s", icrc[r->icrc]);
}

static void print_packet(const struct trace_packet *p)
{
    static const char *const names[] = {"other", "tcp", "roce", "record"};
    char src[46], dst[46];
    printf("%" PRIu64 "\t%" PRIu64 "\t%u\t%s", p->raw.frame, p->raw.ts_ns, p->raw.wire_len, names[p->proto]);
    if (p->proto == TRACE_TCP || p->proto == TRACE_ROCE)
        printf("\t%s\t%s", trace_addr_text(&p->src, src, sizeof src), trace_addr_text(&p->dst, dst, sizeof dst));
    if (p->proto == TRACE_TCP)
        print_tcp(p);
    if (p->proto == TRACE_ROCE)
        print_roce(p);
    printf("\n");
}

static int copy(struct trace_reader *in, const char *path)
{
    char error[1024];
    struct trace_writer *out = NULL;
    struct trace_raw raw;
    struct trace_packet p;
    enum trace_read result;
    while ((result = trace_reader_next(in, &raw)) == TRACE_READ_PACKET) {
        if (out == NULL)
            out = trace_writer_open(path, raw.linktype, 262144, error, sizeof error);
        if (out == NULL || trace_writer_put(out, raw.ts_ns, raw.bytes, raw.wire_len) != 0)
            return 1;
        trace_packet_decode(&raw, true, &p);
        print_packet(&p);
    }
    return trace_writer_close(out) != 0 || result != TRACE_READ_END;
}

int main(int argc, char **argv)
{
    char error[1024];
    struct trace_reader *in = argc == 3 ? trace_reader_open(argv[1], error, sizeof error) : NULL;
    if (in == NULL) {
        fprintf(stderr, "%s\n", argc == 3 ? error : "use: trace_copy IN OUT");
        return 2;
    }
    int status = copy(in, argv[2]);
    trace_reader_close(in);
    return status;
}

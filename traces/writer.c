/* Writes nanosecond pcap files by libpcap.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "traces/writer.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

struct trace_writer {
    pcap_t *pcap;
    pcap_dumper_t *dumper;
    bool failed;
};

struct trace_writer *trace_writer_open(const char *path, int linktype, uint32_t snaplen, char *error, size_t error_size)
{
    struct trace_writer *w = calloc(1, sizeof *w);
    if (w != NULL)
        w->pcap = pcap_open_dead_with_tstamp_precision(linktype, (int)snaplen, PCAP_TSTAMP_PRECISION_NANO);
    if (w == NULL || w->pcap == NULL) {
        snprintf(error, error_size, "%s: out of memory", path);
        free(w);
        return NULL;
    }
    w->dumper = pcap_dump_open(w->pcap, path);
    if (w->dumper == NULL) {
        snprintf(error, error_size, "%s", pcap_geterr(w->pcap)); /* names the path */
        pcap_close(w->pcap);
        free(w);
        return NULL;
    }
    return w;
}

int trace_writer_put(struct trace_writer *w, uint64_t ts_ns, struct smc_view bytes, uint32_t wire_len)
{
    struct pcap_pkthdr h = {
        .ts = {.tv_sec = (time_t)(ts_ns / 1000000000u), .tv_usec = (suseconds_t)(ts_ns % 1000000000u)},
        .caplen = (bpf_u_int32)smc_view_len(bytes),
        .len = wire_len,
    };
    if ((uint32_t)pcap_snapshot(w->pcap) < h.caplen)
        h.caplen = (bpf_u_int32)pcap_snapshot(w->pcap);
    pcap_dump((u_char *)w->dumper, &h, bytes.p);
    if (ferror(pcap_dump_file(w->dumper)))
        w->failed = true;
    return w->failed ? -1 : 0;
}

int trace_writer_close(struct trace_writer *w)
{
    if (w == NULL)
        return 0;
    bool failed = pcap_dump_flush(w->dumper) != 0 || w->failed;
    pcap_dump_close(w->dumper);
    pcap_close(w->pcap);
    free(w);
    return failed ? -1 : 0;
}

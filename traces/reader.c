/* Reads capture files by libpcap and explains what is wrong with those that cannot be read.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "traces/reader.h"

#include "traces/merge.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>

enum {
    STREAM_BUFFER = 1 << 17, /* few system calls, and what was read is still in the cache when it is looked at */
    ERROR_SIZE = 1024,
    PCAP_FILE_HEADER = 24,
    PCAP_RECORD_HEADER = 16,
    PCAPNG_FIRST_BYTE = 0x0a,
};

struct trace_reader {
    pcap_t *pcap;              /* NULL if merged */
    struct trace_merge *merge; /* NULL if one file */
    char *buffer;              /* of the stream */
    char *name;
    bool seekable;
    uint64_t consumed; /* offset of the next record in a pcap file; 0 for pcapng, where libpcap does not tell */
    bool pending; /* the first packet was read while opening */
    enum trace_read pending_result;
    struct trace_raw pending_raw;
    uint64_t frames;
    int linktype;
    char error[ERROR_SIZE];
};

/* ---- what went wrong ---- */

/* The name editcap has for a link type, or NULL. */
static const char *editcap_name(int linktype)
{
    switch (linktype) {
    case DLT_EN10MB:
        return "ether";
    case DLT_LINUX_SLL:
        return "linux-sll";
    case DLT_LINUX_SLL2:
        return "linux-sll2";
    case DLT_NULL:
        return "null";
    case DLT_LOOP:
        return "loop";
    case DLT_RAW:
        return "rawip";
    default:
        return NULL;
    }
}

/* libpcap reads a pcapng file only if all its interfaces are alike. */
static bool is_interface_mismatch(const char *text)
{
    return strstr(text, "different from the type of the first interface") != NULL;
}

static bool is_snapshot_mismatch(const char *text)
{
    return strstr(text, "different from the snapshot length of the first interface") != NULL;
}

static void explain_interfaces(const struct trace_reader *r, char *out, size_t size)
{
    const char *first = editcap_name(r->linktype);
    snprintf(out, size,
             "%s: its interfaces have different link types, which libpcap does not read. Write each interface to a "
             "file of its own and judge them as one run:\n"
             "  tshark -r %s -Y 'frame.interface_id == 0' -w - | editcap -F nsecpcap -T %s - part0.pcap\n"
             "  (likewise for interface 1, 2, ...; `capinfos %s` shows them, -T takes ether, linux-sll, linux-sll2, "
             "null, loop or rawip)\n"
             "  smclab check --merge part0.pcap part1.pcap",
             r->name, r->name, first ? first : "ether", r->name);
}

static void explain_snapshot(const struct trace_reader *r, char *out, size_t size)
{
    snprintf(out, size,
             "%s: its interfaces have different snapshot lengths, which libpcap does not read. Rewrite it:\n"
             "  editcap -F nsecpcap %s rewritten.pcap",
             r->name, r->name);
}

/* Where reading stopped: the frame that could not be read, where its record begins, how far the file was read. */
static void explain_stop(struct trace_reader *r, const char *text, char *out, size_t size)
{
    off_t reached = r->seekable ? ftello(pcap_file(r->pcap)) : -1;
    char where[80] = "";
    if (r->consumed > 0)
        snprintf(where, sizeof where, " at file offset %llu", (unsigned long long)r->consumed);
    else if (reached >= 0)
        snprintf(where, sizeof where, " before file offset %lld", (long long)reached);
    snprintf(out, size, "%s: frame %llu%s cannot be read: %s; what stands before it was read", r->name,
             (unsigned long long)r->frames + 1, where, text);
}

static void explain_read(struct trace_reader *r)
{
    const char *text = pcap_geterr(r->pcap);
    if (is_interface_mismatch(text))
        explain_interfaces(r, r->error, sizeof r->error);
    else if (is_snapshot_mismatch(text))
        explain_snapshot(r, r->error, sizeof r->error);
    else
        explain_stop(r, text, r->error, sizeof r->error);
}

static void explain_open(FILE *stream, bool seekable, const char *name, const char *text, char *out, size_t size)
{
    static const uint8_t gzip[2] = {0x1f, 0x8b}, zstd[4] = {0x28, 0xb5, 0x2f, 0xfd};
    uint8_t magic[4] = {0};
    const char *tool = NULL;
    if (seekable && fseeko(stream, 0, SEEK_SET) == 0 && fread(magic, 1, sizeof magic, stream) >= 2)
        tool = memcmp(magic, gzip, sizeof gzip) == 0 ? "gunzip" : memcmp(magic, zstd, sizeof zstd) == 0 ? "unzstd" : NULL;
    if (tool != NULL)
        snprintf(out, size, "%s: compressed; unpack it first: %s -c %s | smclab check -", name, tool, name);
    else
        snprintf(out, size, "%s: not a capture that can be read: %s", name, text);
}

/* ---- reading ---- */

static enum trace_read read_packet(struct trace_reader *r, struct trace_raw *raw)
{
    struct pcap_pkthdr *h;
    const u_char *bytes;
    int result = pcap_next_ex(r->pcap, &h, &bytes);
    if (result == PCAP_ERROR_BREAK)
        return TRACE_READ_END;
    if (result != 1) {
        explain_read(r);
        return TRACE_READ_ERROR;
    }
    raw->frame = ++r->frames;
    if (r->consumed > 0)
        r->consumed += PCAP_RECORD_HEADER + h->caplen;
    raw->ts_ns = (uint64_t)h->ts.tv_sec * 1000000000u + (uint64_t)h->ts.tv_usec; /* nanoseconds were asked for */
    raw->linktype = r->linktype;
    raw->wire_len = h->len > h->caplen ? h->len : h->caplen;
    raw->bytes = smc_view_of(bytes, h->caplen);
    return TRACE_READ_PACKET;
}

enum trace_read trace_reader_next(struct trace_reader *r, struct trace_raw *raw)
{
    if (r->merge != NULL) {
        enum trace_read result = trace_merge_next(r->merge, raw);
        if (result == TRACE_READ_ERROR)
            snprintf(r->error, sizeof r->error, "%s", trace_merge_error(r->merge));
        return result;
    }
    if (!r->pending)
        return read_packet(r, raw);
    if (r->pending_result == TRACE_READ_PACKET) /* the end and an error stay as they are */
        r->pending = false;
    *raw = r->pending_raw;
    return r->pending_result;
}

/* ---- opening and closing ---- */

static struct trace_reader *make(const char *name)
{
    struct trace_reader *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->name = strdup(name);
    if (r->name == NULL) {
        free(r);
        return NULL;
    }
    return r;
}

void trace_reader_close(struct trace_reader *r)
{
    if (r == NULL)
        return;
    if (r->merge != NULL)
        trace_merge_free(r->merge);
    if (r->pcap != NULL) {
        /* libpcap leaves standard input open, and the buffer must not outlive us. */
        FILE *stream = pcap_file(r->pcap);
        if (stream == stdin)
            setvbuf(stdin, NULL, _IONBF, 0);
        pcap_close(r->pcap);
    }
    free(r->buffer);
    free(r->name);
    free(r);
}

/* Reads the first packet at once: libpcap only then looks at the other interfaces of a pcapng file. */
static bool read_ahead(struct trace_reader *r, char *error, size_t error_size)
{
    r->pending = true;
    r->pending_result = read_packet(r, &r->pending_raw);
    if (r->pending_result != TRACE_READ_ERROR)
        return true;
    const char *text = pcap_geterr(r->pcap);
    if (!is_interface_mismatch(text) && !is_snapshot_mismatch(text))
        return true; /* reported where it belongs, when the packet is asked for */
    snprintf(error, error_size, "%s", r->error);
    return false;
}

struct trace_reader *trace_reader_open_stream(FILE *stream, const char *name, char *error, size_t error_size)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    struct trace_reader *r = make(name);
    if (r == NULL || (r->buffer = malloc(STREAM_BUFFER)) == NULL) {
        snprintf(error, error_size, "%s: out of memory", name);
        fclose(stream);
        trace_reader_close(r);
        return NULL;
    }
    setvbuf(stream, r->buffer, _IOFBF, STREAM_BUFFER);
    r->seekable = fseeko(stream, 0, SEEK_CUR) == 0;
    int first = getc(stream);
    if (first != EOF)
        ungetc(first, stream);
    r->consumed = first == PCAPNG_FIRST_BYTE ? 0 : PCAP_FILE_HEADER;
    r->pcap = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, text);
    if (r->pcap == NULL) {
        explain_open(stream, r->seekable, name, text, error, error_size);
        fclose(stream);
        trace_reader_close(r);
        return NULL;
    }
    r->linktype = pcap_datalink(r->pcap);
    if (!read_ahead(r, error, error_size)) {
        trace_reader_close(r);
        return NULL;
    }
    return r;
}

struct trace_reader *trace_reader_open(const char *path, char *error, size_t error_size)
{
    if (strcmp(path, "-") == 0)
        return trace_reader_open_stream(stdin, "standard input", error, error_size);
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        return NULL;
    }
    return trace_reader_open_stream(stream, path, error, error_size);
}

struct trace_reader *trace_reader_open_merged(const char *const *paths, size_t n, char *error, size_t error_size)
{
    struct trace_reader *r = make(n > 0 ? paths[0] : "");
    if (r == NULL) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    r->merge = trace_merge_open(paths, n, error, error_size);
    if (r->merge == NULL) {
        trace_reader_close(r);
        return NULL;
    }
    return r;
}

const char *trace_reader_error(const struct trace_reader *r)
{
    return r->error;
}

const char *trace_reader_name(const struct trace_reader *r)
{
    return r->name;
}

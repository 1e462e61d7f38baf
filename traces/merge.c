/* Merges captures by time and drops what another file showed already.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "traces/merge.h"

#include <stdlib.h>

enum {
    SEEN_MAX = 1 << 16, /* packets remembered; beyond, the oldest is forgotten early */
    SEEN_BUCKETS = 1 << 16,
};

struct source {
    struct trace_reader *reader;
    struct trace_raw raw; /* the packet at its head */
    bool open;
};

/* One packet, however often it was seen. Entries form a ring in order of first sight. */
struct seen {
    uint64_t key;
    uint64_t first_ns;
    uint32_t next;      /* in its bucket, 1-based */
    uint16_t delivered;
    bool used;
};

struct trace_merge {
    size_t n;
    struct source *sources;
    struct seen *seen;    /* SEEN_MAX */
    uint16_t *sights;     /* SEEN_MAX times n: per file */
    uint32_t *buckets;    /* 1-based index of the newest entry */
    uint32_t next;        /* entry to be used next */
    int at;               /* source whose packet was delivered last, or -1 */
    uint64_t frames;
    const char *error;    /* of the first file that broke off */
};

/* ---- identity of a packet ---- */

static uint64_t mix(uint64_t h, uint64_t value)
{
    h = (h ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static uint64_t mix_bytes(uint64_t h, const uint8_t *p, size_t n)
{
    for (; n >= 8; p += 8, n -= 8)
        h = mix(h, smc_load_be(p, 8));
    uint64_t last = n;
    while (n-- > 0)
        last = last << 8 | *p++;
    return mix(h, last);
}

static uint64_t key_of_tcp(uint64_t h, const struct trace_packet *p)
{
    const struct trace_tcp_header *t = &p->tcp;
    h = mix(h, (uint64_t)t->sport << 48 | (uint64_t)t->dport << 32 | t->seq);
    h = mix(h, (uint64_t)t->ack << 32 | (uint64_t)t->window << 16 | (unsigned)t->syn << 5 | (unsigned)t->fin << 4 |
                   (unsigned)t->rst << 3 | (unsigned)t->has_ack << 2 | (unsigned)t->psh << 1 | t->urg);
    return mix(h, p->payload_wire_len);
}

static uint64_t key_of_roce(uint64_t h, const struct trace_packet *p)
{
    const struct trace_roce *r = &p->roce;
    h = mix(h, (uint64_t)r->opcode << 56 | (uint64_t)r->dqpn << 32 | (uint64_t)r->psn << 8 | (unsigned)r->ackreq << 1 |
                   r->solicited);
    h = mix(h, r->va);
    h = mix(h, (uint64_t)r->rkey << 32 | r->dma_length);
    h = mix(h, (uint64_t)r->imm << 32 | (uint64_t)r->msn << 8 | (unsigned)r->aeth_kind << 5 | r->aeth_value);
    return mix(h, p->payload_wire_len);
}

static uint64_t key_of(const struct trace_raw *raw)
{
    struct trace_packet p;
    trace_packet_decode(raw, false, &p);
    uint64_t h = mix(UINT64_C(0x5347c0de), p.proto);
    h = mix_bytes(h, p.src.b, sizeof p.src.b);
    h = mix_bytes(h, p.dst.b, sizeof p.dst.b);
    switch (p.proto) {
    case TRACE_TCP:
        return key_of_tcp(h, &p);
    case TRACE_ROCE:
        return key_of_roce(h, &p);
    case TRACE_RECORD:
        h = mix_bytes(h, p.record.p, smc_smcd_record_size);
        return mix_bytes(h, p.payload.p, smc_view_len(p.payload));
    default:
        return mix_bytes(h, raw->bytes.p, smc_view_len(raw->bytes));
    }
}

/* ---- what was seen ---- */

static void forget(struct trace_merge *m, uint32_t index)
{
    struct seen *s = &m->seen[index];
    if (!s->used)
        return;
    uint32_t *link = &m->buckets[s->key % SEEN_BUCKETS];
    while (*link != index + 1)
        link = &m->seen[*link - 1].next;
    *link = s->next;
    s->used = false;
}

/* The entry of this packet if it is young enough. */
static struct seen *find(const struct trace_merge *m, uint64_t key, uint64_t now_ns)
{
    for (uint32_t i = m->buckets[key % SEEN_BUCKETS]; i != 0; i = m->seen[i - 1].next) {
        struct seen *s = &m->seen[i - 1];
        uint64_t apart = now_ns > s->first_ns ? now_ns - s->first_ns : s->first_ns - now_ns; /* files are not sorted */
        if (s->key == key)
            return apart <= TRACE_MERGE_WINDOW_NS ? s : NULL; /* the newest comes first */
    }
    return NULL;
}

static struct seen *remember(struct trace_merge *m, uint64_t key, uint64_t now_ns)
{
    uint32_t index = m->next, *bucket = &m->buckets[key % SEEN_BUCKETS];
    m->next = (m->next + 1) % SEEN_MAX;
    forget(m, index);
    m->seen[index] = (struct seen){.key = key, .first_ns = now_ns, .next = *bucket, .used = true};
    *bucket = index + 1;
    memset(m->sights + (size_t)index * m->n, 0, m->n * sizeof *m->sights);
    return &m->seen[index];
}

/* Whether this packet of file `from` is one more than all files together have shown. */
static bool is_new(struct trace_merge *m, size_t from, const struct trace_raw *raw)
{
    if (m->n == 1)
        return true;
    uint64_t key = key_of(raw);
    struct seen *s = find(m, key, raw->ts_ns);
    if (s == NULL)
        s = remember(m, key, raw->ts_ns);
    uint16_t *sights = m->sights + (size_t)(s - m->seen) * m->n + from;
    if (*sights < UINT16_MAX)
        ++*sights;
    if (*sights <= s->delivered)
        return false;
    s->delivered = *sights;
    return true;
}

/* ---- merging ---- */

static void advance(struct trace_merge *m, struct source *s)
{
    enum trace_read result = trace_reader_next(s->reader, &s->raw);
    s->open = result == TRACE_READ_PACKET;
    if (result == TRACE_READ_ERROR && m->error == NULL)
        m->error = trace_reader_error(s->reader);
}

/* The source whose head is oldest, or -1. */
static int oldest(const struct trace_merge *m)
{
    int best = -1;
    for (size_t i = 0; i < m->n; i++)
        if (m->sources[i].open && (best < 0 || m->sources[i].raw.ts_ns < m->sources[best].raw.ts_ns))
            best = (int)i;
    return best;
}

enum trace_read trace_merge_next(struct trace_merge *m, struct trace_raw *raw)
{
    for (;;) {
        if (m->at >= 0)
            advance(m, &m->sources[m->at]);
        m->at = oldest(m);
        if (m->at < 0)
            return m->error != NULL ? TRACE_READ_ERROR : TRACE_READ_END;
        *raw = m->sources[m->at].raw;
        if (is_new(m, (size_t)m->at, raw)) {
            raw->frame = ++m->frames;
            return TRACE_READ_PACKET;
        }
    }
}

const char *trace_merge_error(const struct trace_merge *m)
{
    return m->error;
}

static struct trace_merge *allocate(size_t n)
{
    struct trace_merge *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->n = n;
    m->at = -1;
    m->sources = calloc(n, sizeof *m->sources);
    m->seen = calloc(SEEN_MAX, sizeof *m->seen);
    m->sights = calloc(SEEN_MAX * n, sizeof *m->sights);
    m->buckets = calloc(SEEN_BUCKETS, sizeof *m->buckets);
    if (m->sources != NULL && m->seen != NULL && m->sights != NULL && m->buckets != NULL)
        return m;
    trace_merge_free(m);
    return NULL;
}

struct trace_merge *trace_merge_open(const char *const *paths, size_t n, char *error, size_t error_size)
{
    if (n == 0 || n > TRACE_MERGE_MAX_FILES) {
        snprintf(error, error_size, "%zu files cannot be merged, only 1 to %d", n, TRACE_MERGE_MAX_FILES);
        return NULL;
    }
    struct trace_merge *m = allocate(n);
    if (m == NULL) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        m->sources[i].reader = trace_reader_open(paths[i], error, error_size);
        if (m->sources[i].reader == NULL) {
            trace_merge_free(m);
            return NULL;
        }
        advance(m, &m->sources[i]);
    }
    return m;
}

void trace_merge_free(struct trace_merge *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; m->sources != NULL && i < m->n; i++)
        trace_reader_close(m->sources[i].reader);
    free(m->sources);
    free(m->seen);
    free(m->sights);
    free(m->buckets);
    free(m);
}

/* Messages as text for people and as JSON lines for programs.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Everything printed here comes from static tables or is made of digits, so that JSON needs no escaping; the dump
 * escapes what a message says in characters. */
#include "decode_print.h"

#include "wire/dump.h"

#include <inttypes.h>

static void put_hex(FILE *out, struct smc_view v)
{
    fputc('"', out);
    for (const uint8_t *p = v.p; p < v.end; p++)
        fprintf(out, "%02x", *p);
    fputc('"', out);
}

struct walk {
    FILE *out;
    bool more;
};

static void json_field(void *ctx, const struct smc_walk *w)
{
    struct walk *x = ctx;
    fprintf(x->out, "%s{\"layout\":\"%s\",\"index\":%u,\"name\":\"%s\",\"offset\":%zu,\"size\":%u,\"value\":", x->more ? "," : "",
            w->layout->name, w->index, w->f->name, w->offset, w->f->size);
    x->more = true;
    if (w->f->kind == SMC_BYTES)
        put_hex(x->out, w->bytes);
    else if (w->f->size == 8) /* more than a double holds */
        fprintf(x->out, "\"0x%016" PRIx64 "\"", w->value);
    else
        fprintf(x->out, "%" PRIu64, w->value);
    fputc('}', x->out);
}

static void json_string(FILE *out, const char *key, const char *value)
{
    if (value != NULL && *value != '\0')
        fprintf(out, ",\"%s\":\"%s\"", key, value);
    else
        fprintf(out, ",\"%s\":null", key);
}

static void json_reject(FILE *out, const struct smc_reject *r)
{
    fprintf(out, ",\"rejected\":{\"offset\":%zu", r->offset);
    json_string(out, "field", r->field);
    json_string(out, "rule", r->rule);
    json_string(out, "what", r->what);
    fprintf(out, ",\"seen\":\"0x%" PRIx64 "\"}", r->seen);
}

void decode_print_json(const struct decoded *m, FILE *out)
{
    struct walk x = {out, false};
    fprintf(out, "{\"frame\":%" PRIu64 ",\"time_ns\":%" PRIu64, m->frame, m->ts_ns);
    json_string(out, "from", m->from);
    json_string(out, "to", m->to);
    if (m->has_qp)
        fprintf(out, ",\"qp\":%" PRIu32, m->qp);
    if (m->connection != 0)
        fprintf(out, ",\"connection\":\"c%" PRIu64 "\"", m->connection);
    json_string(out, "protocol", m->protocol);
    json_string(out, "message", m->parsed.message != NULL ? m->parsed.message->name : NULL);
    fprintf(out, ",\"bytes\":%zu", smc_view_len(m->bytes));
    if (m->data_bytes > 0)
        fprintf(out, ",\"data_bytes\":%" PRIu32, m->data_bytes);
    if (m->cut)
        fputs(",\"cut\":true", out);
    if (!m->valid)
        json_reject(out, &m->reject);
    fputs(",\"fields\":[", out);
    if (m->parsed.message != NULL)
        smc_message_walk(&m->parsed, json_field, &x);
    fputs("]}\n", out);
}

static void put(void *ctx, const char *s, size_t n)
{
    fwrite(s, 1, n, ctx);
}

void decode_print_text(const struct decoded *m, FILE *out)
{
    const struct smc_sink sink = {put, out};
    uint64_t s = m->ts_ns / 1000000000, ns = m->ts_ns % 1000000000;
    fprintf(out, "frame %" PRIu64 ", %" PRIu64 ".%09" PRIu64 ", %s > %s", m->frame, s, ns, *m->from != '\0' ? m->from : "?",
            *m->to != '\0' ? m->to : "?");
    if (m->has_qp)
        fprintf(out, " QP 0x%06" PRIx32, m->qp);
    if (m->connection != 0)
        fprintf(out, ", c%" PRIu64, m->connection);
    fputc('\n', out);
    if (m->parsed.message != NULL)
        smc_dump_message(&m->parsed, 2, sink);
    else
        fprintf(out, "  %s, %zu bytes\n", m->protocol, smc_view_len(m->bytes));
    if (!m->valid) {
        fputs("  rejected: ", out);
        smc_dump_reject(&m->reject, sink);
        fputc('\n', out);
    }
    if (m->cut)
        fputs("  the capture holds only the beginning of this message\n", out);
}

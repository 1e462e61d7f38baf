/* What the writers of reports share.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "report_common.h"
#include "traces/session.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int (*write)(const struct judge_reports *r, FILE *out);
} formats[JUDGE_FORMATS] = {
    [JUDGE_TEXT] = {"text", judge_write_text},    [JUDGE_TAP] = {"tap", judge_write_tap},
    [JUDGE_JUNIT] = {"junit", judge_write_junit}, [JUDGE_JSON] = {"json", judge_write_json},
    [JUDGE_SARIF] = {"sarif", judge_write_sarif}, [JUDGE_HTML] = {"html", judge_write_html},
};

enum judge_format judge_format_of(const char *name, size_t length)
{
    for (unsigned f = 0; f < JUDGE_FORMATS; f++)
        if (strlen(formats[f].name) == length && memcmp(formats[f].name, name, length) == 0)
            return (enum judge_format)f;
    return JUDGE_FORMATS;
}

int judge_report_write(enum judge_format format, const struct judge_reports *reports, FILE *out)
{
    int status = formats[format].write(reports, out);
    if (fflush(out) != 0 || ferror(out))
        return -1;
    return status;
}

const char *judge_verdict_name(enum judge_verdict v)
{
    static const char *const names[] = {"fail", "warn", "deviation", "inconclusive"};
    return names[v];
}

const char *judge_level_name(enum judge_level l)
{
    static const char *const names[] = {"MUST", "SHOULD", "MAY", "IMPL"};
    return names[l];
}

const char *judge_fault_name(enum judge_fault f)
{
    static const char *const names[] = {"client", "server", "unknown"};
    return names[f];
}

const char *judge_mode_name(const struct judge_connection *c)
{
    return c->mode == TRACE_MODE_SMCR ? "SMC-R" : c->mode == TRACE_MODE_SMCD ? "SMC-D" : "TCP";
}

const char *judge_version_name(const struct judge_connection *c)
{
    if (c->version == 0)
        return NULL;
    if (c->version == 1)
        return "1";
    return c->release > 0 ? "2.1" : "2";
}

const char *judge_closed_name(const struct judge_connection *c)
{
    return c->closed == TRACE_CLOSED_NORMAL ? "normal" : c->closed == TRACE_CLOSED_ABORT ? "abort" : "open";
}

const char *judge_endpoint(const struct judge_connection *c, int side, char *buf)
{
    struct trace_addr a;
    memcpy(a.b, side == 0 ? c->client_addr : c->server_addr, sizeof a.b);
    return trace_endpoint_text(&a, side == 0 ? c->client_port : c->server_port, buf, JUDGE_ENDPOINT);
}

const char *judge_file_verdict(const struct judge_result *r)
{
    for (unsigned v = 0; v <= JUDGE_WARN; v++)
        if (r->summary[v] > 0)
            return judge_verdict_name((enum judge_verdict)v);
    if (r->error != NULL)
        return "unreadable";
    if (!r->anything_judged)
        return "nothing to judge";
    for (unsigned v = JUDGE_DEVIATION; v < JUDGE_VERDICTS; v++)
        if (r->summary[v] > 0)
            return judge_verdict_name((enum judge_verdict)v);
    return "pass";
}

size_t judge_exercised_count(const struct judge_result *r)
{
    size_t n = 0;
    for (size_t i = 0; i < judge_catalogue_size; i++)
        n += r->exercised[i] > 0;
    return n;
}

const struct judge_connection *judge_connection_of(const struct judge_result *r, uint64_t id)
{
    size_t low = 0, high = r->nconnections;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->connections[middle].id == id)
            return &r->connections[middle];
        if (r->connections[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

enum judge_verdict judge_requirement_verdict(const struct judge_result *r, size_t requirement)
{
    enum judge_verdict worst = JUDGE_VERDICTS;
    for (size_t i = 0; i < r->nfindings; i++)
        if ((size_t)r->findings[i].requirement == requirement && r->findings[i].verdict < worst)
            worst = r->findings[i].verdict;
    return worst;
}

/* ---- text made safe ---- */

/* Bytes of the UTF-8 character at p (which ends by a zero byte), its code in *code; 0 if there is none. Shortest
 * forms only, no surrogates. */
static size_t utf8(const unsigned char *p, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
    if (n <= 1) {
        *code = p[0];
        return n;
    }
    uint32_t c = p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    *code = c;
    return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

/* Characters that do something instead of being shown, and those that XML 1.0 does not have. */
static bool acts(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

char *judge_clean(const char *text, bool controls)
{
    char *out = malloc(4 * strlen(text) + 1), *o = out;
    if (out == NULL)
        return NULL;
    for (const unsigned char *p = (const unsigned char *)text; *p != 0;) {
        uint32_t code = 0;
        size_t n = utf8(p, &code);
        if (n > 0 && (controls || !acts(code))) {
            memcpy(o, p, n);
            o += n;
            p += n;
            continue;
        }
        for (size_t i = 0; i < (n > 0 ? n : 1); i++)
            o += sprintf(o, "\\x%02x", *p++);
    }
    *o = '\0';
    return out;
}

void judge_put_clean(FILE *out, const char *text)
{
    char *clean = judge_clean(text, false);
    fputs(clean != NULL ? clean : "(out of memory)", out);
    free(clean);
}

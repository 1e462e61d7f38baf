/* The report as JSON: the contract that other programs rely on (check.schema.json).
 * SPDX-License-Identifier: BSD-3-Clause */
#include "report_common.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

/* Connections may be millions: each is built, written and dropped, only the brackets around them are ours. */
static int put(FILE *out, json_t *value)
{
    int status = value != NULL ? json_dumpf(value, out, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY) : -1;
    json_decref(value);
    return status;
}

static json_t *string(const char *text)
{
    char *valid = judge_clean(text, true);
    json_t *value = valid != NULL ? json_string(valid) : NULL;
    free(valid);
    return value;
}

/* null for what is not known or not there */
static json_t *string_or_null(const char *text)
{
    return text != NULL && *text != '\0' ? string(text) : json_null();
}

static json_t *number_if(bool known, uint64_t n)
{
    return known ? json_integer((json_int_t)n) : json_null();
}

static json_t *name_if(bool known, char letter, uint64_t id)
{
    return known ? json_sprintf("%c%" PRIu64, letter, id) : json_null();
}

static json_t *connection(const struct judge_connection *c)
{
    char client[JUDGE_ENDPOINT], server[JUDGE_ENDPOINT];
    json_t *o = json_object();
    json_object_set_new(o, "id", name_if(true, 'c', c->id));
    json_object_set_new(o, "client", json_string(judge_endpoint(c, 0, client)));
    json_object_set_new(o, "server", json_string(judge_endpoint(c, 1, server)));
    json_object_set_new(o, "mode", json_string(judge_mode_name(c)));
    json_object_set_new(o, "version", string_or_null(judge_version_name(c)));
    json_object_set_new(o, "link_group", name_if(c->group != 0, 'g', c->group));
    json_object_set_new(o, "decline", c->declined ? json_sprintf("0x%08" PRIx32, c->decline) : json_null());
    json_object_set_new(o, "fallback", string_or_null(c->fallback));
    json_t *bytes = json_object();
    json_object_set_new(bytes, "client_to_server", number_if(c->bytes_known[0], c->bytes[0]));
    json_object_set_new(bytes, "server_to_client", number_if(c->bytes_known[1], c->bytes[1]));
    json_object_set_new(o, "bytes", bytes);
    json_object_set_new(o, "closed", json_string(judge_closed_name(c)));
    return o;
}

static json_t *finding(const struct judge_finding *f)
{
    const struct judge_requirement *r = &judge_catalogue[f->requirement];
    json_t *o = json_object(), *related = json_array();
    json_object_set_new(o, "requirement", json_string(r->id));
    json_object_set_new(o, "level", json_string(judge_level_name(r->level)));
    json_object_set_new(o, "verdict", json_string(judge_verdict_name(f->verdict)));
    json_object_set_new(o, "deviation", string_or_null(f->deviation));
    json_object_set_new(o, "at_fault", json_string(judge_fault_name(f->at_fault)));
    json_object_set_new(o, "frame", number_if(f->frame != 0, f->frame));
    for (unsigned i = 0; i < f->nrelated; i++)
        json_array_append_new(related, json_integer((json_int_t)f->related[i]));
    json_object_set_new(o, "related_frames", related);
    json_object_set_new(o, "connection", name_if(f->connection != 0, 'c', f->connection));
    json_object_set_new(o, "offset", number_if(f->offset >= 0, (uint64_t)f->offset));
    json_object_set_new(o, "seen", string_or_null(f->seen));
    json_object_set_new(o, "expected", string_or_null(f->expected));
    json_object_set_new(o, "message", string(f->message));
    return o;
}

static json_t *exercised(const uint64_t *counts)
{
    json_t *o = json_object();
    for (size_t i = 0; i < judge_catalogue_size; i++)
        if (counts[i] > 0)
            json_object_set_new(o, judge_catalogue[i].id, json_integer((json_int_t)counts[i]));
    return o;
}

json_t *judge_findings_json(const struct judge_result *result)
{
    json_t *all = json_array();
    for (size_t i = 0; i < result->nfindings; i++)
        json_array_append_new(all, finding(&result->findings[i]));
    return all;
}

json_t *judge_exercised_json(const struct judge_result *result)
{
    return exercised(result->exercised);
}

json_t *judge_exercised_by_json(const struct judge_result *result, unsigned side)
{
    return exercised(result->exercised_by[side]);
}

static int put_file(const struct judge_result *r, FILE *out)
{
    int bad = 0;
    fputs("{\"file\":", out);
    bad |= put(out, string(r->file));
    fprintf(out, ",\"packets\":%" PRIu64, r->packets);
    if (r->error != NULL) {
        fputs(",\"error\":", out);
        bad |= put(out, string(r->error));
    }
    fputs(",\"connections\":[", out);
    for (size_t i = 0; i < r->nconnections; i++) {
        fputs(i > 0 ? ",\n" : "\n", out);
        bad |= put(out, connection(&r->connections[i]));
    }
    fputs("],\n\"findings\":[", out);
    for (size_t i = 0; i < r->nfindings; i++) {
        fputs(i > 0 ? ",\n" : "\n", out);
        bad |= put(out, finding(&r->findings[i]));
    }
    fputs("],\n", out);
    if (r->dropped_findings > 0)
        fprintf(out, "\"findings_not_listed\":%" PRIu64 ",\n", r->dropped_findings);
    fputs("\"exercised\":", out);
    bad |= put(out, exercised(r->exercised));
    fputc('}', out);
    return bad;
}

int judge_write_json(const struct judge_reports *r, FILE *out)
{
    uint64_t sum[JUDGE_VERDICTS] = {0};
    int bad = 0;
    fputs("{\"version\":1,\"files\":[", out);
    for (size_t i = 0; i < r->nfiles; i++) {
        const struct judge_result *result = r->files[i].result;
        fputs(i > 0 ? ",\n" : "\n", out);
        bad |= put_file(result, out);
        for (unsigned v = 0; v < JUDGE_VERDICTS; v++)
            sum[v] += result->summary[v];
    }
    fputs("],\n\"summary\":{", out);
    for (unsigned v = 0; v < JUDGE_VERDICTS; v++)
        fprintf(out, "%s\"%s\":%" PRIu64, v > 0 ? "," : "", judge_verdict_name((enum judge_verdict)v), sum[v]);
    fputs("}}\n", out);
    return bad;
}

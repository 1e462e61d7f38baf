/* The report as SARIF 2.1.0, for code hosting sites and IDEs that show findings.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "report_common.h"

#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *string(const char *text)
{
    char *valid = judge_clean(text, false);
    json_t *value = valid != NULL ? json_string(valid) : NULL;
    free(valid);
    return value;
}

/* A file name as a relative URI reference or a file: URI; every byte that a path may not hold is percent-encoded. */
static json_t *uri(const char *path)
{
    char *out = malloc(3 * strlen(path) + 16), *o = out;
    if (out == NULL)
        return NULL;
    if (path[0] == '/')
        o = stpcpy(o, "file://");
    for (const unsigned char *p = (const unsigned char *)path; *p != 0; p++) {
        if (*p < 0x80 && (isalnum(*p) || strchr("/-._~", *p) != NULL))
            *o++ = (char)*p;
        else
            o += sprintf(o, "%%%02X", *p);
    }
    *o = '\0';
    json_t *value = json_string(out);
    free(out);
    return value;
}

static json_t *text_of(const char *text)
{
    json_t *o = json_object();
    json_object_set_new(o, "text", string(text));
    return o;
}

static json_t *rule(const struct judge_requirement *r)
{
    json_t *o = json_object(), *properties = json_object();
    json_object_set_new(o, "id", json_string(r->id));
    json_object_set_new(o, "shortDescription", text_of(r->text));
    json_object_set_new(o, "help", text_of(r->source));
    json_object_set_new(properties, "level", json_string(judge_level_name(r->level)));
    json_object_set_new(properties, "source", string(r->source));
    json_object_set_new(o, "properties", properties);
    return o;
}

/* Rules of the catalogue that findings speak of; index[requirement] gets the place in the array. */
static json_t *rules(const struct judge_reports *r, int *index)
{
    json_t *array = json_array();
    for (size_t i = 0; i < judge_catalogue_size; i++) {
        bool used = false;
        for (size_t f = 0; f < r->nfiles && !used; f++)
            used = judge_requirement_verdict(r->files[f].result, i) != JUDGE_VERDICTS;
        index[i] = used ? (int)json_array_size(array) : -1;
        if (used)
            json_array_append_new(array, rule(&judge_catalogue[i]));
    }
    return array;
}

static json_t *location(const char *file, const struct judge_finding *f)
{
    json_t *o = json_object(), *physical = json_object(), *artifact = json_object();
    json_object_set_new(artifact, "uri", uri(file));
    json_object_set_new(physical, "artifactLocation", artifact);
    json_object_set_new(o, "physicalLocation", physical);
    if (f->frame != 0 || f->connection != 0) { /* a frame is no line and no byte of the file: a logical place */
        json_t *logical = json_object();
        if (f->frame != 0)
            json_object_set_new(logical, "name", json_sprintf("frame %" PRIu64, f->frame));
        else
            json_object_set_new(logical, "name", json_sprintf("c%" PRIu64, f->connection));
        json_object_set_new(logical, "fullyQualifiedName",
                            json_sprintf("c%" PRIu64 "/frame %" PRIu64, f->connection, f->frame));
        json_object_set_new(o, "logicalLocations", json_pack("[o]", logical));
    }
    return o;
}

static json_t *properties(const struct judge_finding *f)
{
    json_t *o = json_object(), *related = json_array();
    json_object_set_new(o, "verdict", json_string(judge_verdict_name(f->verdict)));
    json_object_set_new(o, "atFault", json_string(judge_fault_name(f->at_fault)));
    json_object_set_new(o, "frame", f->frame != 0 ? json_integer((json_int_t)f->frame) : json_null());
    for (unsigned i = 0; i < f->nrelated; i++)
        json_array_append_new(related, json_integer((json_int_t)f->related[i]));
    json_object_set_new(o, "relatedFrames", related);
    json_object_set_new(o, "offset", f->offset >= 0 ? json_integer(f->offset) : json_null());
    json_object_set_new(o, "seen", string(f->seen));
    json_object_set_new(o, "expected", string(f->expected));
    return o;
}

/* SARIF: a result whose kind is not "fail" has the level "none"; "open" is what could not be decided. */
static json_t *result(const char *file, const struct judge_finding *f, const int *index)
{
    static const char *const levels[] = {"error", "warning", "note", "none"};
    json_t *o = json_object();
    json_object_set_new(o, "ruleId", json_string(judge_catalogue[f->requirement].id));
    json_object_set_new(o, "ruleIndex", json_integer(index[f->requirement]));
    json_object_set_new(o, "kind", json_string(f->verdict == JUDGE_INCONCLUSIVE ? "open" : "fail"));
    json_object_set_new(o, "level", json_string(levels[f->verdict]));
    json_object_set_new(o, "message", text_of(f->message));
    json_object_set_new(o, "locations", json_pack("[o]", location(file, f)));
    if (f->verdict == JUDGE_DEVIATION && f->deviation != NULL) {
        json_t *why = json_sprintf("known deviation %s", f->deviation);
        json_object_set_new(o, "suppressions", json_pack("[{s:s,s:s,s:o}]", "kind", "external", "status", "accepted",
                                                         "justification", why));
    }
    json_object_set_new(o, "properties", properties(f));
    return o;
}

static json_t *results(const struct judge_reports *r, const int *index)
{
    json_t *array = json_array();
    for (size_t i = 0; i < r->nfiles; i++) {
        const struct judge_result *file = r->files[i].result;
        for (size_t k = 0; k < file->nfindings; k++)
            json_array_append_new(array, result(file->file, &file->findings[k], index));
    }
    return array;
}

static json_t *invocation(const struct judge_reports *r)
{
    json_t *o = json_object(), *notes = json_array();
    for (size_t i = 0; i < r->nfiles; i++) {
        const struct judge_result *file = r->files[i].result;
        if (file->error == NULL)
            continue;
        json_t *note = json_object();
        json_object_set_new(note, "level", json_string("error"));
        json_object_set_new(note, "message", text_of(file->error));
        json_array_append_new(notes, note);
    }
    json_object_set_new(o, "executionSuccessful", json_boolean(json_array_size(notes) == 0));
    json_object_set_new(o, "toolExecutionNotifications", notes);
    return o;
}

int judge_write_sarif(const struct judge_reports *r, FILE *out)
{
    int *index = calloc(judge_catalogue_size, sizeof *index);
    if (index == NULL)
        return -1;
    json_t *driver = json_object(), *run = json_object(), *tool = json_object(), *log = json_object();
    json_object_set_new(driver, "name", json_string("smclab"));
    json_object_set_new(driver, "version", json_string(SMCLAB_VERSION));
    json_object_set_new(driver, "rules", rules(r, index));
    json_object_set_new(tool, "driver", driver);
    json_object_set_new(run, "tool", tool);
    json_object_set_new(run, "invocations", json_pack("[o]", invocation(r)));
    json_object_set_new(run, "results", results(r, index));
    json_object_set_new(log, "$schema", json_string("https://json.schemastore.org/sarif-2.1.0.json"));
    json_object_set_new(log, "version", json_string("2.1.0"));
    json_object_set_new(log, "runs", json_pack("[o]", run));
    int status = json_dumpf(log, out, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    fputc('\n', out);
    json_decref(log);
    free(index);
    return status;
}

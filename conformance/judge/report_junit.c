/* The report as JUnit XML: a test suite for each file, a test case for each requirement that it evaluated.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "report_common.h"

#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>

struct xml {
    xmlTextWriterPtr w;
    bool bad; /* something was not written */
};

static void note(struct xml *x, int result)
{
    if (result < 0)
        x->bad = true;
}

static void begin(struct xml *x, const char *name)
{
    note(x, xmlTextWriterStartElement(x->w, (const xmlChar *)name));
}

static void end(struct xml *x)
{
    note(x, xmlTextWriterEndElement(x->w));
}

/* Text and attributes are escaped by the writer; what XML 1.0 cannot hold at all, by judge_clean(). */
static void attribute(struct xml *x, const char *name, const char *value)
{
    char *clean = judge_clean(value, false);
    if (clean == NULL)
        x->bad = true;
    else
        note(x, xmlTextWriterWriteAttribute(x->w, (const xmlChar *)name, (const xmlChar *)clean));
    free(clean);
}

static void number(struct xml *x, const char *name, uint64_t n)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, n);
    attribute(x, name, text);
}

static void text(struct xml *x, const char *value)
{
    char *clean = judge_clean(value, false);
    if (clean == NULL)
        x->bad = true;
    else
        note(x, xmlTextWriterWriteString(x->w, (const xmlChar *)clean));
    free(clean);
}

static void put_finding(struct xml *x, const struct judge_finding *f)
{
    char place[160], byte[32] = "", deviation[32] = "";
    if (f->offset >= 0)
        snprintf(byte, sizeof byte, ", byte %" PRId64, f->offset);
    if (f->deviation != NULL)
        snprintf(deviation, sizeof deviation, " %s", f->deviation);
    snprintf(place, sizeof place, "%s%s, frame %" PRIu64 "%s, c%" PRIu64 ", at fault: %s: ", judge_verdict_name(f->verdict),
             deviation, f->frame, byte, f->connection, judge_fault_name(f->at_fault));
    text(x, place);
    text(x, f->message);
    text(x, "; seen ");
    text(x, f->seen);
    text(x, ", expected ");
    text(x, f->expected);
    note(x, xmlTextWriterWriteString(x->w, (const xmlChar *)"\n"));
}

/* All findings of a requirement with this verdict, in one element. */
static void put_verdict(struct xml *x, const struct judge_result *r, size_t requirement, enum judge_verdict v, const char *element)
{
    bool open = false;
    for (size_t i = 0; i < r->nfindings; i++) {
        const struct judge_finding *f = &r->findings[i];
        if ((size_t)f->requirement != requirement || f->verdict != v)
            continue;
        if (!open) {
            begin(x, element);
            if (strcmp(element, "system-out") != 0)
                attribute(x, "message", f->message);
            if (v == JUDGE_FAIL)
                attribute(x, "type", judge_level_name(judge_catalogue[requirement].level));
            open = true;
        }
        put_finding(x, f);
    }
    if (open)
        end(x);
}

static void put_case(struct xml *x, const struct judge_result *r, size_t requirement)
{
    enum judge_verdict worst = judge_requirement_verdict(r, requirement);
    if (r->exercised[requirement] == 0 && worst == JUDGE_VERDICTS)
        return;
    begin(x, "testcase");
    attribute(x, "classname", judge_catalogue[requirement].area);
    attribute(x, "name", judge_catalogue[requirement].id);
    number(x, "assertions", r->exercised[requirement]);
    if (worst == JUDGE_FAIL)
        put_verdict(x, r, requirement, JUDGE_FAIL, "failure");
    else if (worst == JUDGE_INCONCLUSIVE)
        put_verdict(x, r, requirement, JUDGE_INCONCLUSIVE, "skipped");
    else if (worst != JUDGE_VERDICTS)
        put_verdict(x, r, requirement, worst, "system-out");
    end(x);
}

static void put_error(struct xml *x, const struct judge_result *r)
{
    begin(x, "testcase");
    attribute(x, "classname", "capture");
    attribute(x, "name", "read to its end");
    begin(x, "error");
    attribute(x, "message", r->error);
    end(x);
    end(x);
}

struct counts {
    uint64_t tests, failures, errors, skipped;
};

static struct counts count(const struct judge_result *r)
{
    struct counts c = {.errors = r->error != NULL, .tests = r->error != NULL};
    for (size_t i = 0; i < judge_catalogue_size; i++) {
        enum judge_verdict worst = judge_requirement_verdict(r, i);
        c.tests += r->exercised[i] > 0 || worst != JUDGE_VERDICTS;
        c.failures += worst == JUDGE_FAIL;
        c.skipped += worst == JUDGE_INCONCLUSIVE;
    }
    return c;
}

static void put_counts(struct xml *x, struct counts c)
{
    number(x, "tests", c.tests);
    number(x, "failures", c.failures);
    number(x, "errors", c.errors);
    number(x, "skipped", c.skipped);
}

static void put_suite(struct xml *x, const struct judge_result *r)
{
    begin(x, "testsuite");
    attribute(x, "name", r->file);
    put_counts(x, count(r));
    for (size_t i = 0; i < judge_catalogue_size; i++)
        put_case(x, r, i);
    if (r->error != NULL)
        put_error(x, r);
    end(x);
}

static void put_all(struct xml *x, const struct judge_reports *r)
{
    struct counts all = {0};
    for (size_t i = 0; i < r->nfiles; i++) {
        struct counts c = count(r->files[i].result);
        all = (struct counts){all.tests + c.tests, all.failures + c.failures, all.errors + c.errors, all.skipped + c.skipped};
    }
    note(x, xmlTextWriterSetIndent(x->w, 1));
    note(x, xmlTextWriterStartDocument(x->w, NULL, "UTF-8", NULL));
    begin(x, "testsuites");
    attribute(x, "name", "smclab check");
    put_counts(x, all);
    for (size_t i = 0; i < r->nfiles; i++)
        put_suite(x, r->files[i].result);
    end(x);
    note(x, xmlTextWriterEndDocument(x->w));
}

int judge_write_junit(const struct judge_reports *r, FILE *out)
{
    xmlOutputBufferPtr buffer = xmlOutputBufferCreateFile(out, NULL); /* flushes `out`, does not close it */
    if (buffer == NULL)
        return -1;
    struct xml x = {.w = xmlNewTextWriter(buffer)};
    if (x.w == NULL) {
        xmlOutputBufferClose(buffer);
        return -1;
    }
    put_all(&x, r);
    xmlFreeTextWriter(x.w);
    return x.bad ? -1 : 0;
}

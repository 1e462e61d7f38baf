/* Runs as JUnit XML: a test case a scenario.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include "conformance/judge/report_common.h"

#include <libxml/xmlwriter.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct xml {
    xmlTextWriterPtr w;
    bool bad; /* something was not written */
};

static void note(struct xml *x, int result)
{
    x->bad |= result < 0;
}

static void begin(struct xml *x, const char *name)
{
    note(x, xmlTextWriterStartElement(x->w, (const xmlChar *)name));
}

static void end(struct xml *x)
{
    note(x, xmlTextWriterEndElement(x->w));
}

static void attribute(struct xml *x, const char *name, const char *value)
{
    char *clean = judge_clean(value, false);
    x->bad |= clean == NULL;
    if (clean != NULL)
        note(x, xmlTextWriterWriteAttribute(x->w, (const xmlChar *)name, (const xmlChar *)clean));
    free(clean);
}

static void number(struct xml *x, const char *name, size_t n)
{
    char text[24];
    snprintf(text, sizeof(text), "%zu", n);
    attribute(x, name, text);
}

/* Lines stay lines; what XML cannot hold is shown as \xNN. */
static void put_text(struct xml *x, const char *text)
{
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        char *line = strndup(text, n), *clean = line != NULL ? judge_clean(line, false) : NULL;
        x->bad |= clean == NULL;
        if (clean != NULL) {
            note(x, xmlTextWriterWriteString(x->w, (const xmlChar *)clean));
            note(x, xmlTextWriterWriteString(x->w, (const xmlChar *)"\n"));
        }
        free(clean);
        free(line);
        text += n;
        text += *text == '\n';
    }
}

static void put_outcome(struct xml *x, const json_t *r, const char *element)
{
    begin(x, element);
    attribute(x, "message", run_text(r, "reason"));
    if (strcmp(element, "skipped") != 0) {
        put_text(x, run_text(r, "reason"));
        put_text(x, run_text(r, "ladder"));
    }
    end(x);
}

static void put_case(struct xml *x, const json_t *r)
{
    const char *path = run_text(r, "scenario"), *verdict = run_text(r, "verdict"), *slash = strrchr(path, '/');
    char *folder = strndup(path, slash != NULL ? (size_t)(slash - path) : 0), name[560];
    bool real = run_text(r, "role")[0] != '\0' && run_text(r, "implementation")[0] != '\0';
    snprintf(name, sizeof(name), "%.256s, seed %" JSON_INTEGER_FORMAT "%s%.48s%s%.160s", slash != NULL ? slash + 1 : path,
             json_integer_value(json_object_get(r, "seed")), real ? ", " : "", real ? run_text(r, "role") : "", real ? " is " : "",
             real ? run_text(r, "implementation") : "");
    begin(x, "testcase");
    attribute(x, "classname", folder != NULL && folder[0] != '\0' ? folder : ".");
    attribute(x, "name", name);
    if (strcmp(verdict, "fail") == 0)
        put_outcome(x, r, "failure");
    else if (strcmp(verdict, "error") == 0)
        put_outcome(x, r, "error");
    else if (strcmp(verdict, "skip") == 0)
        put_outcome(x, r, "skipped");
    if (run_text(r, "capture")[0] != '\0') {
        begin(x, "system-out");
        put_text(x, run_text(r, "capture"));
        end(x);
    }
    end(x);
    free(folder);
}

static void put_counts(struct xml *x, struct run_summary sum, size_t count)
{
    number(x, "tests", count);
    number(x, "failures", sum.fail);
    number(x, "errors", sum.error);
    number(x, "skipped", sum.skip);
}

int run_write_junit(json_t *const *records, size_t count, FILE *out)
{
    struct run_summary sum = run_summary_of(records, count);
    xmlOutputBufferPtr buffer = xmlOutputBufferCreateFile(out, NULL); /* flushes `out`, does not close it */
    struct xml x = {.w = buffer != NULL ? xmlNewTextWriter(buffer) : NULL};
    if (x.w == NULL) {
        if (buffer != NULL)
            xmlOutputBufferClose(buffer);
        return -1;
    }
    note(&x, xmlTextWriterSetIndent(x.w, 1));
    note(&x, xmlTextWriterStartDocument(x.w, NULL, "UTF-8", NULL));
    begin(&x, "testsuites");
    attribute(&x, "name", "smclab run");
    put_counts(&x, sum, count);
    begin(&x, "testsuite");
    attribute(&x, "name", "scenarios");
    put_counts(&x, sum, count);
    for (size_t i = 0; i < count; i++)
        put_case(&x, records[i]);
    end(&x);
    end(&x);
    note(&x, xmlTextWriterEndDocument(x.w));
    xmlFreeTextWriter(x.w);
    return x.bad ? -1 : 0;
}

/* smclab requirements: the catalogue, and what covers each row according to the records.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include "conformance/judge/coverage.h"

#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: smclab requirements [--format text|json] [--missing RESULT.json]\n"
    "\n"
    "The catalogue of rules and what covers each: checks (that a recorded mutation made fire), scenarios and tests\n"
    "(captures and unit tests) that exercise it according to the records, and the reason why nothing checks or exercises it.\n"
    "\n"
    "  -f, --format FORMAT   text (default) or json\n"
    "  -m, --missing RESULT  only the rules that a capture can show and that RESULT, written by `smclab check --format json`\n"
    "                        or `smclab run --format json`, did not evaluate, and what would; - is standard input\n"
    "  -h, --help            this text\n"
    "\n"
    "Exit status: 0; 2 usage; 3 RESULT is unreadable or no such result.\n";

static const char *level_name(enum judge_level l)
{
    static const char *const names[] = {"MUST", "SHOULD", "MAY", "IMPL"};
    return names[l];
}

/* ---- JSON ---- */

static json_t *names(size_t requirement, enum judge_cover kind)
{
    json_t *array = json_array();
    for (size_t i = 0; i < judge_coverage_size; i++)
        if (judge_coverage[i].requirement == requirement && judge_coverage[i].kind == kind)
            json_array_append_new(array, json_string(judge_coverage[i].name));
    return array;
}

static json_t *row(size_t i)
{
    const struct judge_requirement *r = &judge_catalogue[i];
    const char *reason = judge_uncovered(i) != NULL ? judge_uncovered(i) : judge_unexercised(i);
    json_t *o = json_object();
    json_object_set_new(o, "id", json_string(r->id));
    json_object_set_new(o, "level", json_string(level_name(r->level)));
    json_object_set_new(o, "area", json_string(r->area));
    json_object_set_new(o, "source", json_string(r->source));
    json_object_set_new(o, "text", json_string(r->text));
    json_object_set_new(o, "observable", json_string(r->observable));
    json_object_set_new(o, "checks", names(i, JUDGE_COVER_CHECK));
    json_object_set_new(o, "scenarios", names(i, JUDGE_COVER_SCENARIO));
    json_object_set_new(o, "tests", names(i, JUDGE_COVER_TEST));
    json_object_set_new(o, "reason", reason != NULL ? json_string(reason) : json_null());
    return o;
}

static int put_json(const bool *shown)
{
    json_t *array = json_array();
    for (size_t i = 0; i < judge_catalogue_size; i++)
        if (shown[i])
            json_array_append_new(array, row(i));
    int bad = json_dumpf(array, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(array);
    return bad == 0 ? 0 : smclab_complain(EXIT_INPUT, "requirements", "standard output could not be written");
}

/* ---- text ---- */

static size_t count(size_t requirement, enum judge_cover kind)
{
    size_t n = 0;
    for (size_t i = 0; i < judge_coverage_size; i++)
        n += judge_coverage[i].requirement == requirement && judge_coverage[i].kind == kind;
    return n;
}

/* The first few; JSON has them all. */
static void put_names(const char *what, size_t requirement, enum judge_cover kind)
{
    enum { SHOWN = 3 };
    size_t n = 0;
    for (size_t i = 0; i < judge_coverage_size; i++) {
        if (judge_coverage[i].requirement != requirement || judge_coverage[i].kind != kind || n++ >= SHOWN)
            continue;
        if (n == 1)
            printf("%14s%s: %s", "", what, judge_coverage[i].name);
        else
            printf(", %s", judge_coverage[i].name);
    }
    if (n > SHOWN)
        printf(" and %zu more", n - SHOWN);
    if (n > 0)
        putchar('\n');
}

static void put_row(size_t i)
{
    const struct judge_requirement *r = &judge_catalogue[i];
    const char *reason = judge_uncovered(i);
    size_t checks = count(i, JUDGE_COVER_CHECK);
    printf("%-13s %-6s %-5s %s\n", r->id, level_name(r->level), r->observable, r->text);
    if (reason != NULL)
        printf("%14snot checked: %s\n", "", reason);
    else if (checks > 0)
        printf("%14schecked: %zu mutation%s made it fire\n", "", checks, checks == 1 ? "" : "s");
    else
        printf("%14schecked: by what follows\n", "");
    if (reason == NULL && judge_unexercised(i) != NULL)
        printf("%14snot exercised: %s\n", "", judge_unexercised(i));
    put_names("scenarios", i, JUDGE_COVER_SCENARIO);
    put_names("tests", i, JUDGE_COVER_TEST);
}

static void put_text(const bool *shown)
{
    size_t total = 0, checked = 0, exercised = 0;
    for (size_t i = 0; i < judge_catalogue_size; i++) {
        if (!shown[i])
            continue;
        put_row(i);
        total++;
        checked += judge_uncovered(i) == NULL;
        exercised += count(i, JUDGE_COVER_SCENARIO) + count(i, JUDGE_COVER_TEST) > 0;
    }
    printf("\n%zu requirements, %zu with a check that is known to work, %zu exercised by a recorded scenario or test", total, checked,
           exercised);
    if (total > 0)
        printf(" (%zu.%zu %%)", exercised * 100 / total, exercised * 1000 / total % 10);
    putchar('\n');
}

/* ---- what a run did not exercise ---- */

/* The run that would have evaluated it. */
static const char *would_show(size_t requirement)
{
    for (enum judge_cover kind = JUDGE_COVER_SCENARIO; kind <= JUDGE_COVER_TEST; kind++)
        for (size_t i = 0; i < judge_coverage_size; i++)
            if (judge_coverage[i].requirement == requirement && judge_coverage[i].kind == kind)
                return judge_coverage[i].name;
    return NULL;
}

static void put_missing(const bool *shown)
{
    size_t total = 0;
    for (size_t i = 0; i < judge_catalogue_size; i++) {
        const char *name = would_show(i), *reason = judge_uncovered(i);
        if (!shown[i])
            continue;
        total++;
        printf("%-13s %-6s %s\n", judge_catalogue[i].id, level_name(judge_catalogue[i].level), judge_catalogue[i].text);
        if (name != NULL)
            printf("%14sevaluated by %s\n", "", name);
        else
            printf("%14s%s\n", "", reason != NULL ? reason : "no recorded run evaluates it");
    }
    printf("\n%zu requirement%s that a capture can show %s not evaluated\n", total, total == 1 ? "" : "s", total == 1 ? "was" : "were");
}

/* By a capture of `check` or a run of `run`. */
static bool evaluated(const json_t *captures, const char *id)
{
    size_t i;
    json_t *capture;
    json_array_foreach(captures, i, capture)
        if (json_integer_value(json_object_get(json_object_get(capture, "exercised"), id)) > 0)
            return true;
    return false;
}

/* Leaves shown[] only where the result did not evaluate. */
static int leave_missing(const char *path, bool *shown)
{
    json_error_t error;
    json_t *result = strcmp(path, "-") == 0 ? json_loadf(stdin, 0, &error) : json_load_file(path, 0, &error);
    if (result == NULL)
        return smclab_complain(EXIT_INPUT, "requirements", "%s: line %d: %s", path, error.line, error.text);
    const json_t *files = json_object_get(result, "files"), *runs = json_object_get(result, "runs");
    const json_t *captures = files != NULL ? files : runs;
    int status = 0;
    if (json_integer_value(json_object_get(result, "version")) != 1 || !json_is_array(captures))
        status = smclab_complain(EXIT_INPUT, "requirements",
                                 "%s: not the result of `smclab check` or `smclab run` with --format json: no \"version\": 1 with \"files\" or "
                                 "\"runs\"", path);
    for (size_t i = 0; status == 0 && i < judge_catalogue_size; i++)
        shown[i] = strcmp(judge_catalogue[i].observable, "wire") == 0 && !evaluated(captures, judge_catalogue[i].id);
    json_decref(result);
    return status;
}

static int requirements(bool json, const char *missing)
{
    bool *shown = malloc(judge_catalogue_size * sizeof *shown);
    if (shown == NULL)
        return smclab_complain(EXIT_INPUT, "requirements", "out of memory");
    for (size_t i = 0; i < judge_catalogue_size; i++)
        shown[i] = true;
    int status = missing != NULL ? leave_missing(missing, shown) : 0;
    if (status == 0 && json)
        status = put_json(shown);
    else if (status == 0 && missing != NULL)
        put_missing(shown);
    else if (status == 0)
        put_text(shown);
    free(shown);
    return status;
}

int cmd_requirements(int argc, char **argv)
{
    static const struct option longs[] = {{"format", required_argument, NULL, 'f'},
                                          {"missing", required_argument, NULL, 'm'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    const char *missing = NULL;
    bool json = false;
    int c;
    optind = 1;
    while ((c = getopt_long(argc, argv, "f:m:h", longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return 0;
        } else if (c == 'm') {
            missing = optarg;
        } else if (c == 'f') {
            json = strcmp(optarg, "json") == 0;
            if (!json && strcmp(optarg, "text") != 0)
                return smclab_bad_usage("requirements", "--format %s: the formats are text and json", optarg);
        } else {
            return EXIT_USAGE; /* getopt said what is wrong */
        }
    }
    if (optind != argc)
        return smclab_bad_usage("requirements", "'%s' is not an option", argv[optind]);
    return requirements(json, missing);
}

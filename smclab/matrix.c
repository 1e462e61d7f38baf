/* smclab matrix: requirement × implementation, from the results of runs.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include "conformance/judge/matrix.h"

#include <getopt.h>
#include <jansson.h>
#include <string.h>

static const char usage[] =
    "usage: smclab matrix [-f text|json|html] RESULT.json…\n"
    "\n"
    "Joins the results of `smclab run --format json` to one table: each rule that a capture can show, and what the runs say of\n"
    "our core and of each implementation that was one of the hosts: fail, deviation (with the capture that shows it), pass,\n"
    "not exercised. - is standard input.\n"
    "\n"
    "  -f, --format FORMAT   text (default), json, html\n"
    "  -h, --help            this text\n"
    "\n"
    "Exit status: 0 no fail; 1 one; 2 usage; 3 a RESULT is unreadable or no such result; 77 nothing was judged in them.\n";

enum format { MATRIX_TEXT, MATRIX_JSON, MATRIX_HTML, MATRIX_FORMATS };

static int add_file(struct judge_matrix *m, const char *path)
{
    json_error_t error;
    json_t *result = strcmp(path, "-") == 0 ? json_loadf(stdin, 0, &error) : json_load_file(path, 0, &error), *record;
    const json_t *runs = json_object_get(result, "runs");
    size_t i;
    int status = 0;
    if (result == NULL)
        return smclab_complain(EXIT_INPUT, "matrix", "%s: line %d: %s", path, error.line, error.text);
    if (json_integer_value(json_object_get(result, "version")) != 1 || !json_is_array(runs))
        status = smclab_complain(EXIT_INPUT, "matrix", "%s: not the result of `smclab run --format json`: no \"version\": 1 with \"runs\"",
                                 path);
    json_array_foreach(runs, i, record)
        if (status == 0 && judge_matrix_add(m, record) != 0)
            status = smclab_complain(EXIT_INPUT, "matrix", "%s: out of memory, or more than %d implementations", path,
                                     JUDGE_MATRIX_COLUMNS);
    json_decref(result);
    return status;
}

static int put(const struct judge_matrix *m, enum format format)
{
    int bad = 0;
    if (format == MATRIX_TEXT) {
        judge_matrix_text(m, stdout);
    } else if (format == MATRIX_HTML) {
        judge_matrix_page(m, stdout);
    } else {
        json_t *json = judge_matrix_json(m);
        bad = json == NULL || json_dumpf(json, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER) != 0;
        putchar('\n');
        json_decref(json);
    }
    return bad ? smclab_complain(EXIT_INPUT, "matrix", "standard output could not be written") : 0;
}

static bool any_fail(const struct judge_matrix *m)
{
    size_t n[JUDGE_CELLS];
    for (size_t c = 0; c < m->ncolumns; c++) {
        judge_matrix_sums(m, c, n);
        if (n[JUDGE_CELL_FAIL] > 0)
            return true;
    }
    return false;
}

static int matrix(enum format format, char **paths, int count)
{
    struct judge_matrix m;
    int status = 0;
    judge_matrix_init(&m);
    for (int i = 0; i < count && status == 0; i++)
        status = add_file(&m, paths[i]);
    if (status == 0 && m.ncolumns == 0)
        status = smclab_complain(EXIT_NOTHING, "matrix", "nothing was judged in these runs");
    if (status == 0)
        status = put(&m, format);
    if (status == 0 && any_fail(&m))
        status = EXIT_FOUND;
    judge_matrix_free(&m);
    return status;
}

static enum format format_of(const char *name)
{
    static const char *const names[MATRIX_FORMATS] = {"text", "json", "html"};
    for (unsigned f = 0; f < MATRIX_FORMATS; f++)
        if (strcmp(names[f], name) == 0)
            return (enum format)f;
    return MATRIX_FORMATS;
}

int cmd_matrix(int argc, char **argv)
{
    static const struct option longs[] = {{"format", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    enum format format = MATRIX_TEXT;
    int c;
    optind = 1;
    while ((c = getopt_long(argc, argv, "f:h", longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (c != 'f')
            return EXIT_USAGE; /* getopt said what is wrong */
        format = format_of(optarg);
        if (format == MATRIX_FORMATS)
            return smclab_bad_usage("matrix", "--format %s: the formats are text, json and html", optarg);
    }
    if (optind == argc)
        return smclab_bad_usage("matrix", "which RESULTs?");
    return matrix(format, argv + optind, argc - optind);
}

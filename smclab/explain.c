/* smclab explain: one rule in full.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"
#include "explain_picture.h"

#include "conformance/judge/coverage.h"
#include "conformance/judge/deviations.h"

#include <ctype.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

static const char usage[] =
    "usage: smclab explain ID\n"
    "\n"
    "One rule in full: its text, level and source, how it is observed, a picture, known deviations, and a good and a bad\n"
    "frame from the records. An ID is for example CURSOR-012; `smclab requirements` lists them all.\n"
    "A known deviation by its entry, for example A-45.\n"
    "\n"
    "  -h, --help   this text\n";

static void put_indented(const char *text)
{
    bool start = true;
    for (; *text != '\0'; text++) {
        if (start && *text != '\n')
            fputs("  ", stdout);
        start = *text == '\n';
        putchar(*text);
    }
    if (!start)
        putchar('\n');
}

static const char *level_text(enum judge_level l)
{
    static const char *const texts[] = {
        "MUST: broken is a fail", "SHOULD: broken is a warn", "MAY: never reported",
        "IMPL: what implementations do; broken is a fail in SMC-D, SMC-Rv2 and v2.1, which no RFC describes"};
    return texts[l];
}

static const char *observable_text(const char *observable)
{
    if (strcmp(observable, "wire") == 0)
        return "on the wire";
    if (strcmp(observable, "api") == 0)
        return "at the interface of an implementation";
    if (strcmp(observable, "state") == 0)
        return "in the state of an implementation";
    return observable;
}

static void put_head(const struct judge_requirement *r)
{
    printf("%s  %s\n\n", r->id, r->text);
    printf("level      %s\nsource     %s\nobserved   %s: %s\n", level_text(r->level), r->source, observable_text(r->observable), r->how);
    printf("negative   %s\n", r->negative);
}

static void put_names(const char *what, size_t requirement, enum judge_cover kind)
{
    unsigned shown = 0;
    for (size_t i = 0; i < judge_coverage_size; i++)
        if (judge_coverage[i].requirement == requirement && judge_coverage[i].kind == kind)
            printf("%s%s", shown++ == 0 ? what : ", ", judge_coverage[i].name);
    if (shown > 0)
        putchar('\n');
}

static void put_coverage(size_t requirement)
{
    const char *reason = judge_uncovered(requirement);
    unsigned shown = 0;
    if (reason != NULL)
        printf("checked    no: %s\n", reason);
    for (size_t i = 0; i < judge_coverage_size; i++)
        if (judge_coverage[i].requirement == requirement && judge_coverage[i].kind == JUDGE_COVER_CHECK)
            printf("%s%s", shown++ == 0 ? "checked    by the judge; it fired for: " : ", ", judge_coverage[i].name);
    if (shown > 0)
        putchar('\n');
    put_names("scenarios  ", requirement, JUDGE_COVER_SCENARIO);
    put_names("tests      ", requirement, JUDGE_COVER_TEST);
}

static void put_deviations(const char *id)
{
    for (size_t i = 0; i < judge_deviations_size; i++)
        if (judge_deviation_excuses(&judge_deviations[i], id))
            printf("deviation  %s (%s): %s\n", judge_deviations[i].id, judge_deviations[i].implementation, judge_deviations[i].predicate);
}

static void put_pictures(const struct judge_requirement *r)
{
    const char *exchange = explain_exchange(r);
    const struct smc_layout *layout = explain_layout(r);
    if (exchange != NULL) {
        puts("\nThe exchange (-- TCP, ~~ messages over the link, == RDMA WRITE or DMB move)\n");
        put_indented(exchange);
    }
    if (layout != NULL) {
        puts("\nThe layout\n");
        explain_draw(layout, stdout);
    }
}

static void put_example(size_t requirement)
{
    const struct judge_example *e = judge_example_of(requirement);
    if (e == NULL) {
        puts("\nNo frames: no recorded mutation broke this rule.");
        return;
    }
    if (e->good_frame != 0) {
        printf("\nA good frame: %s, frame %" PRIu64 "\n\n", e->base, e->good_frame);
        put_indented(e->good);
    }
    printf("\nA bad one: %s, mutation %s", e->base, e->mutation);
    if (e->bad_frame != 0)
        printf(", frame %" PRIu64, e->bad_frame);
    printf("\n\n");
    put_indented(*e->bad != '\0' ? e->bad : e->bad_frame != 0 ? "no SMC message: a TCP segment or an RDMA WRITE\n"
                                                             : "no frame: something is absent\n");
    printf("\n  the judge says: %s\n", e->message);
    if (*e->seen != '\0' || *e->expected != '\0')
        printf("  seen %s, expected %s\n", *e->seen != '\0' ? e->seen : "nothing", *e->expected != '\0' ? e->expected : "nothing");
}

/* A known deviation, as findings name it. */
static int explain_deviation(const struct judge_deviation *d)
{
    printf("%s  Known deviation (%s)\n\nexcuses    ", d->id, d->implementation);
    for (size_t i = 0; i < JUDGE_DEVIATION_REQUIREMENTS && d->requirements[i] != NULL; i++)
        printf("%s%s", i ? ", " : "", d->requirements[i]);
    for (const struct judge_versions *v = judge_deviation_versions; v->id != NULL; v++)
        if (strcmp(v->id, d->id) == 0)
            printf("\nversions   %s%s%s%s, of a kernel that runs", v->since != NULL ? "from " : "", v->since != NULL ? v->since : "",
                   v->until != NULL ? " until " : "", v->until != NULL ? v->until : "");
    printf("\nexactly    %s\n\nAny byte outside this is judged by the requirement's level; --strict excuses nothing.\n", d->predicate);
    return 0;
}

static int explain(const char *name)
{
    char id[32] = "";
    for (size_t i = 0; name[i] != '\0' && i + 1 < sizeof id; i++)
        id[i] = (char)toupper((unsigned char)name[i]);
    int requirement = judge_requirement_index(id);
    const struct judge_deviation *deviation = judge_deviation_find(id);
    if (requirement < 0 && deviation != NULL)
        return explain_deviation(deviation);
    if (requirement < 0)
        return smclab_bad_usage("explain", "there is no requirement '%s'; `smclab requirements` lists them", name);
    const struct judge_requirement *r = &judge_catalogue[requirement];
    put_head(r);
    put_coverage((size_t)requirement);
    put_deviations(r->id);
    put_pictures(r);
    put_example((size_t)requirement);
    return 0;
}

int cmd_explain(int argc, char **argv)
{
    static const struct option longs[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int c;
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c != 'h')
            return EXIT_USAGE; /* getopt said what is wrong */
        fputs(usage, stdout);
        return 0;
    }
    if (optind + 1 != argc)
        return smclab_bad_usage("explain", optind == argc ? "which requirement?" : "one requirement at a time");
    return explain(argv[optind]);
}

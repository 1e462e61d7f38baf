/* smclab check: judges captures and writes reports.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include "conformance/judge/judge.h"
#include "conformance/judge/report.h"
#include "traces/reader.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: smclab check [OPTION…] FILE…\n"
    "\n"
    "Judges captures of SMC: who broke which rule, in which frame. Each FILE is judged alone; - is standard input.\n"
    "\n"
    "  -f, --format FORMAT        of standard output: text (default), tap, junit, json, sarif\n"
    "  -r, --report FORMAT=PATH   also writes this report; repeatable; html as well: one offline page\n"
    "      --strict               known deviations of an implementation count as what their rule says\n"
    "      --lossy                packets may have been lost before the place of the capture: a message may be older\n"
    "                             than the copy that is seen\n"
    "      --implementation WHO   client=NAME,server=NAME, NAME linux or other: a known deviation is excused only\n"
    "                             in the implementation that is known for it\n"
    "      --merge                the FILEs are one run seen in several places: ordered by time, duplicates dropped\n"
    "  -v, --verbose              text: every connection, and how often each requirement was evaluated\n"
    "  -h, --help                 this text\n"
    "\n"
    "Verdicts: fail (a MUST broken), warn (a SHOULD), deviation (known, told by its bytes), inconclusive (the capture\n"
    "does not show it). `smclab explain ID` tells about a rule.\n"
    "Exit status: 0 something was judged and there is no fail; 1 a fail; 2 usage; 3 a file is unreadable or corrupt (what\n"
    "was readable is still reported), or a report not writable; 77 nothing could be judged. The first of 2 1 3 77 0 counts.\n";

enum { MAX_REPORTS = 32 };

struct output {
    enum judge_format format;
    const char *path;
};

struct options {
    struct judge_options judge;
    enum judge_format format;
    struct output outputs[MAX_REPORTS];
    size_t noutputs;
    bool merge, verbose, ladders;
    char **files;
    size_t nfiles;
};

/* One judged capture. */
struct judged {
    struct judge *judge;            /* NULL: not even opened */
    struct judge_result unreadable; /* then this stands for its result */
    struct judge_ladders *ladders;
    const struct judge_result *result;
};

/* ---- progress: on a terminal, for what takes longer than a moment ---- */

struct progress {
    const char *file;
    uint64_t packets;
    struct timespec last;
    bool wanted, shown;
};

static void progress_start(struct progress *p, const char *file)
{
    *p = (struct progress){.file = file, .wanted = isatty(STDERR_FILENO) == 1};
    clock_gettime(CLOCK_MONOTONIC, &p->last);
}

static void progress_packet(struct progress *p)
{
    struct timespec now;
    if (!p->wanted || ++p->packets % 65536 != 0)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec - p->last.tv_sec < 1)
        return;
    p->last = now;
    p->shown = true;
    fprintf(stderr, "\r%.60s: %" PRIu64 " packets ", p->file, p->packets);
}

static void progress_end(const struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
}

/* ---- judging ---- */

static int no_memory(void)
{
    return smclab_complain(EXIT_INPUT, "check", "out of memory");
}

/* A file that gave nothing still stands in the reports. */
static int stand_in(struct judged *out, const char *name, const char *error)
{
    out->unreadable.file = strdup(name);
    out->unreadable.error = strdup(error);
    out->unreadable.exercised = calloc(judge_catalogue_size, sizeof(uint64_t));
    out->result = &out->unreadable;
    if (out->unreadable.file == NULL || out->unreadable.error == NULL || out->unreadable.exercised == NULL)
        return no_memory();
    return smclab_complain(EXIT_INPUT, "check", "%s", error);
}

static int read_all(struct judge *j, struct trace_reader *reader, const char *name)
{
    struct progress progress;
    struct trace_raw raw;
    enum trace_read got;
    progress_start(&progress, name);
    while ((got = trace_reader_next(reader, &raw)) == TRACE_READ_PACKET && judge_input(j, &raw) == 0)
        progress_packet(&progress);
    progress_end(&progress);
    const struct judge_result *r = judge_finish(j, got == TRACE_READ_ERROR ? trace_reader_error(reader) : NULL);
    if (r->error == NULL)
        return 0;
    return smclab_complain(EXIT_INPUT, "check", "%s: after %" PRIu64 " packets: %s", name, r->packets, r->error);
}

static int judge_reader(const struct options *o, struct trace_reader *reader, const char *name, struct judged *out)
{
    if (o->ladders && (out->ladders = judge_ladders_new()) == NULL)
        return no_memory();
    out->judge = judge_new(name, &o->judge, o->ladders ? &judge_ladder_events : NULL, out->ladders);
    if (out->judge == NULL)
        return no_memory();
    if (o->ladders)
        judge_on_finding(out->judge, judge_ladder_finding, out->ladders);
    int status = read_all(out->judge, reader, name);
    out->result = judge_result_of(out->judge);
    return status;
}

static int judge_one(const struct options *o, const char *name, struct judged *out)
{
    char error[1024];
    struct trace_reader *reader = trace_reader_open(name, error, sizeof error);
    if (reader == NULL)
        return stand_in(out, name, error);
    int status = judge_reader(o, reader, name, out);
    trace_reader_close(reader);
    return status;
}

static char *merged_name(const struct options *o)
{
    size_t size = 1;
    for (size_t i = 0; i < o->nfiles; i++)
        size += strlen(o->files[i]) + 3;
    char *name = calloc(size, 1);
    for (size_t i = 0; name != NULL && i < o->nfiles; i++) {
        strcat(name, i > 0 ? " + " : "");
        strcat(name, o->files[i]);
    }
    return name;
}

static int judge_merged(const struct options *o, struct judged *out)
{
    char error[1024], *name = merged_name(o);
    if (name == NULL)
        return no_memory();
    const char **paths = calloc(o->nfiles, sizeof *paths);
    for (size_t i = 0; paths != NULL && i < o->nfiles; i++)
        paths[i] = o->files[i];
    struct trace_reader *reader =
        paths != NULL ? trace_reader_open_merged(paths, o->nfiles, error, sizeof error) : NULL;
    int status = paths == NULL ? no_memory()
                 : reader == NULL ? stand_in(out, name, error)
                                  : judge_reader(o, reader, name, out);
    if (reader != NULL)
        trace_reader_close(reader);
    free(paths);
    free(name);
    return status;
}

/* ---- reports ---- */

static int write_path(const struct output *o, const struct judge_reports *reports)
{
    FILE *out = fopen(o->path, "wb");
    if (out == NULL)
        return smclab_complain(EXIT_INPUT, "check", "%s: %s; the report was not written", o->path, strerror(errno));
    int bad = judge_report_write(o->format, reports, out);
    int why = errno;
    if (fclose(out) != 0) {
        bad = -1;
        why = errno;
    }
    if (bad != 0)
        return smclab_complain(EXIT_INPUT, "check", "%s: %s; the report is not complete", o->path, strerror(why));
    return 0;
}

static int write_reports(const struct options *o, const struct judged *judged, size_t n)
{
    struct judge_report_file *files = calloc(n, sizeof *files);
    if (files == NULL)
        return no_memory();
    struct judge_reports reports = {.files = files, .verbose = o->verbose};
    for (size_t i = 0; i < n; i++)
        if (judged[i].result != NULL)
            files[reports.nfiles++] = (struct judge_report_file){judged[i].result, judged[i].ladders};
    int status = 0;
    if (judge_report_write(o->format, &reports, stdout) != 0)
        status = smclab_complain(EXIT_INPUT, "check", "standard output: %s", strerror(errno));
    for (size_t i = 0; i < o->noutputs; i++)
        status = smclab_worse(status, write_path(&o->outputs[i], &reports));
    free(files);
    return status;
}

/* 1, 77 or 0 for what was judged. Says which files had nothing to judge. */
static int verdict(const struct judged *judged, size_t n)
{
    bool any = false, fail = false;
    for (size_t i = 0; i < n; i++) {
        const struct judge_result *r = judged[i].result;
        if (r == NULL)
            continue;
        fail |= r->summary[JUDGE_FAIL] > 0;
        any |= r->anything_judged || r->nfindings > 0;
        if (!r->anything_judged && r->error == NULL)
            smclab_complain(0, "check", "%s: nothing to judge: %s", r->file,
                            r->packets == 0 ? "it holds no packet"
                                            : "no TCP handshake with the SMC option, no CLC, LLC, CDC or SMC-D record in it");
    }
    return fail ? EXIT_FOUND : any ? 0 : EXIT_NOTHING;
}

static void judged_free(struct judged *j)
{
    judge_free(j->judge);
    judge_ladders_free(j->ladders);
    free((char *)(uintptr_t)j->unreadable.file);
    free(j->unreadable.error);
    free(j->unreadable.exercised);
}

static int check(const struct options *o)
{
    size_t n = o->merge ? 1 : o->nfiles;
    struct judged *judged = calloc(n, sizeof *judged);
    if (judged == NULL)
        return no_memory();
    int status = 0;
    for (size_t i = 0; i < n; i++)
        status = smclab_worse(status, o->merge ? judge_merged(o, &judged[i]) : judge_one(o, o->files[i], &judged[i]));
    status = smclab_worse(status, verdict(judged, n));
    status = smclab_worse(status, write_reports(o, judged, n));
    for (size_t i = 0; i < n; i++)
        judged_free(&judged[i]);
    free(judged);
    return status;
}

/* ---- the command line ---- */

#define bad_usage(...) smclab_bad_usage("check", __VA_ARGS__)

static int parse_who(const char *text, struct judge_options *o)
{
    static const char *const sides[] = {"client=", "server="};
    for (const char *p = text; *p != '\0';) {
        int side = strncmp(p, sides[1], 7) == 0;
        if (strncmp(p, sides[side], 7) != 0)
            return -1;
        const char *name = p + 7;
        size_t length = strcspn(name, ",");
        if (length == 5 && strncmp(name, "linux", 5) == 0)
            o->implementation[side] = JUDGE_IMPL_LINUX;
        else if (length == 5 && strncmp(name, "other", 5) == 0)
            o->implementation[side] = JUDGE_IMPL_OTHER;
        else
            return -1;
        p = name + length;
        if (*p == ',' && *++p == '\0')
            return -1;
    }
    return *text == '\0' ? -1 : 0;
}

static int parse_report(const char *text, struct options *o)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals[1] == '\0')
        return bad_usage("--report wants FORMAT=PATH, not '%s'", text);
    struct output out = {judge_format_of(text, (size_t)(equals - text)), equals + 1};
    if (out.format == JUDGE_FORMATS)
        return bad_usage("--report %s: the formats are text, tap, junit, json, sarif and html", text);
    if (o->noutputs == MAX_REPORTS)
        return bad_usage("--report %s: that is one report too many", text);
    o->ladders |= out.format == JUDGE_HTML;
    o->outputs[o->noutputs++] = out;
    return 0;
}

static int parse_format(const char *text, struct options *o)
{
    o->format = judge_format_of(text, strlen(text));
    if (o->format == JUDGE_FORMATS)
        return bad_usage("--format %s: the formats are text, tap, junit, json and sarif", text);
    if (o->format == JUDGE_HTML)
        return bad_usage("--format %s: a page goes to a file: --report html=PATH", text);
    return 0;
}

/* Nobody means to overwrite a capture by its report. */
static int no_clobber(const struct options *o)
{
    for (size_t i = 0; i < o->noutputs; i++) {
        struct stat out, in;
        if (stat(o->outputs[i].path, &out) != 0 || !S_ISREG(out.st_mode))
            continue;
        for (size_t k = 0; k < o->nfiles; k++)
            if (stat(o->files[k], &in) == 0 && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
                return bad_usage("%s is one of the captures: a report would overwrite it", o->outputs[i].path);
    }
    return 0;
}

static int check_files(const struct options *o)
{
    int standard_input = 0;
    if (o->nfiles == 0)
        return bad_usage("which capture?");
    for (size_t i = 0; i < o->nfiles; i++)
        standard_input += strcmp(o->files[i], "-") == 0;
    if (standard_input > 1)
        return bad_usage("standard input can be read only once");
    return no_clobber(o);
}

enum { OPTION_STRICT = 256, OPTION_LOSSY, OPTION_WHO, OPTION_MERGE };

/* 0, or the exit status; -1: --help was answered. */
static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"format", required_argument, NULL, 'f'},        {"report", required_argument, NULL, 'r'},
        {"strict", no_argument, NULL, OPTION_STRICT},    {"implementation", required_argument, NULL, OPTION_WHO},
        {"merge", no_argument, NULL, OPTION_MERGE},      {"verbose", no_argument, NULL, 'v'},
        {"lossy", no_argument, NULL, OPTION_LOSSY},      {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int c, status = 0;
    optind = 1;
    while (status == 0 && (c = getopt_long(argc, argv, "f:r:vh", longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return -1;
        } else if (c == 'f') {
            status = parse_format(optarg, o);
        } else if (c == 'r') {
            status = parse_report(optarg, o);
        } else if (c == 'v') {
            o->verbose = true;
        } else if (c == OPTION_STRICT) {
            o->judge.strict = true;
        } else if (c == OPTION_LOSSY) {
            o->judge.lossy = true;
        } else if (c == OPTION_MERGE) {
            o->merge = true;
        } else if (c == OPTION_WHO && parse_who(optarg, &o->judge) == 0) {
            continue;
        } else {
            status = c == OPTION_WHO ? bad_usage("--implementation %s: it is client=linux,server=other or the like", optarg)
                                     : EXIT_USAGE; /* getopt said what is wrong */
        }
    }
    o->files = argv + optind;
    o->nfiles = (size_t)(argc - optind);
    return status != 0 ? status : check_files(o);
}

int cmd_check(int argc, char **argv)
{
    struct options o = {.format = JUDGE_TEXT};
    int status = parse(argc, argv, &o);
    if (status != 0)
        return status < 0 ? 0 : status;
    return check(&o);
}

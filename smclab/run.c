/* smclab run: runs scenarios, judges their captures and says what came of it.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include "commands.h"
#include "look.h"
#include "run_live.h"
#include "target.h"

#include "scenarios/engine/runner.h"
#include "scenarios/engine/script.h"
#include "scenarios/engine/target.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: smclab run [OPTION…] SCENARIO|FOLDER…\n"
    "\n"
    "Runs scenarios on simulated hosts, judges what they sent, and says whether all was as it must be. Of a FOLDER: every\n"
    "*.lua in it and below that is for the target. docs/scenarios.md is the language.\n"
    "\n"
    "      --target TARGET        sim (default), ns3, vm, host, remote\n"
    "      --no-v1                scenarios that do not depend on the version run without version 1, as with a stock kernel\n"
    "      --seed N               of the run, default 1: same scenario, same seed, same bytes\n"
    "  -o, --out DIR              one capture a run goes there, and why it did not pass; default smclab-out\n"
    "      --keep-captures WHICH  all (default), or failed: those of runs that pass are removed\n"
    "  -j, --jobs N               runs at a time, default: one a processor\n"
    "      --timeout SECONDS      a run that takes longer is an error, default 300\n"
    "  -f, --format FORMAT        of standard output: text (default), tap, junit, json, sarif\n"
    "  -r, --report FORMAT=PATH   also writes this report; repeatable; html as well: the judge's page of all captures\n"
    "\n"
    "A real kernel as one host of the scenarios (--target vm, host, remote):\n"
    "      --kernel NAME          of the virtual machine: debian (default), debian:backports, build:trixie, build:backports\n"
    "      --debug                a built kernel with KASAN and its like\n"
    "      --role HOST,…          which hosts of a script are the kernel, one run each; default: its first two\n"
    "      --patience N           whatever is waited for may take N times as long as the script says, default 3\n"
    "      --agent PATH           host: the unix socket of smclab-agent\n"
    "      --carrier KIND:NAME    host, remote: how frames get there: tap:NAME, packet:INTERFACE, stream:PATH\n"
    "      --remote ADDRESS/LEN   remote: the other machine; --remote-port N; --own ADDRESS/LEN: ours there\n"
    "\n"
    "      --pause-at TIME        stands still at that time of one SCENARIO (250ms, 1.5s …) and prints what `smclab ss`\n"
    "                             and `smclab stats` print\n"
    "  -h, --help                 this text\n"
    "\n"
    "Verdicts: pass; fail (an expectation of the scenario, or a fail of the judge that was not announced); error (the script,\n"
    "the file, a crash); skip (not for this target).\n"
    "Exit status: 0 something ran and all passed; 1 a fail; 2 usage; 3 an error, or something not writable; 77 nothing could\n"
    "be run. The first of 2 1 3 77 0 counts.\n";

enum { MAX_REPORTS = 32, MAX_JOBS = 256 };

struct output {
    enum run_format format;
    const char *path;
};

struct options {
    struct runner_options runner;
    enum run_format format;
    struct output outputs[MAX_REPORTS];
    size_t output_count;
    bool paused;
    uint64_t pause_at_ns;
    struct run_files files;
    struct run_live_options live_options;
    bool no_v1;
    struct run_live *live; /* NULL: nothing is real */
};

/* ---- progress, on a terminal ---- */
struct progress {
    const struct options *options;
    size_t done, bad;
    bool wanted;
};

static void show_progress(void *user, size_t index, const json_t *record)
{
    struct progress *p = user;
    if (record != NULL) {
        const char *verdict = run_text(record, "verdict");
        p->done++;
        p->bad += strcmp(verdict, "fail") == 0 || strcmp(verdict, "error") == 0;
        if (p->options->live != NULL)
            run_live_saw(p->options->live, record);
    }
    if (p->wanted)
        fprintf(stderr, "\r\033[K[%zu/%zu] %zu not passed  %.60s", p->done, p->options->files.count, p->bad,
                p->options->files.paths[index]);
}

/* ---- reports ---- */
static int write_path(const struct output *o, json_t *const *records, size_t count)
{
    FILE *out = fopen(o->path, "wb");
    if (out == NULL)
        return smclab_complain(EXIT_INPUT, "run", "%s: %s; the report was not written", o->path, strerror(errno));
    errno = 0;
    int bad = run_report_write(o->format, records, count, out), why = errno;
    if (fclose(out) != 0) {
        bad = -1;
        why = errno;
    }
    if (bad != 0)
        return smclab_complain(EXIT_INPUT, "run", "%s: %s; the report is not complete", o->path, strerror(why));
    return 0;
}

static int write_reports(const struct options *o, json_t *const *records)
{
    int status = 0;
    if (run_report_write(o->format, records, o->files.count, stdout) != 0)
        status = smclab_complain(EXIT_INPUT, "run", "standard output: %s", strerror(errno));
    for (size_t i = 0; i < o->output_count; i++)
        status = smclab_worse(status, write_path(&o->outputs[i], records, o->files.count));
    return status;
}

static int status_of(const struct options *o, json_t *const *records)
{
    struct run_summary sum = run_summary_of(records, o->files.count);
    if (sum.skip == o->files.count)
        return smclab_complain(EXIT_NOTHING, "run", "none of the scenarios is for the target %s", o->runner.target);
    return sum.fail > 0 ? EXIT_FOUND : sum.error > 0 ? EXIT_INPUT : 0;
}

static int run_all(struct options *o)
{
    struct progress progress = {.options = o, .wanted = isatty(STDERR_FILENO) == 1};
    json_t **records = calloc(o->files.count, sizeof(*records));
    o->runner.progress = show_progress;
    o->runner.progress_user = &progress;
    const char *const *paths = (const char *const *)o->files.paths;
    int status = EXIT_INPUT;
    if (records == NULL || runner_run_all(&o->runner, paths, o->files.count, records) != 0) {
        smclab_complain(0, "run", "out of memory");
    } else {
        if (progress.wanted)
            fputs("\r\033[K", stderr);
        status = status_of(o, records);
        status = smclab_worse(status, write_reports(o, records));
    }
    for (size_t i = 0; records != NULL && i < o->files.count; i++)
        json_decref(records[i]);
    free(records);
    return status;
}

/* ---- --pause-at ---- */
static void print_all(const struct look *look, struct lab *lab)
{
    look_print_ss(look, lab);
    putchar('\n');
    look_print_groups(look, lab);
    putchar('\n');
    look_print_links(look, lab);
    putchar('\n');
    look_print_stats(look, lab);
}

static int pause_one(const struct options *o)
{
    struct look look = {.command = "run", .path = o->files.paths[0], .seed = o->runner.seed, .at_ns = o->pause_at_ns,
                        .target = o->runner.script_target, .all = true,
                        .details = true, .print = print_all};
    if (o->files.count != 1)
        return smclab_bad_usage("run", "--pause-at wants one scenario, not %zu", o->files.count);
    return smclab_look(&look);
}

/* ---- the command line ---- */
#define bad_usage(...) smclab_bad_usage("run", __VA_ARGS__)

static int parse_report(const char *text, struct options *o)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals[1] == '\0')
        return bad_usage("--report wants FORMAT=PATH, not '%s'", text);
    struct output out = {run_format_of(text, (size_t)(equals - text)), equals + 1};
    if (out.format == RUN_FORMATS)
        return bad_usage("--report %s: the formats are text, tap, junit, json, sarif and html", text);
    if (o->output_count == MAX_REPORTS)
        return bad_usage("--report %s: that is one report too many", text);
    o->outputs[o->output_count++] = out;
    return 0;
}

static int parse_format(const char *text, struct options *o)
{
    o->format = run_format_of(text, strlen(text));
    if (o->format == RUN_FORMATS)
        return bad_usage("--format %s: the formats are text, tap, junit, json and sarif", text);
    if (o->format == RUN_HTML)
        return bad_usage("--format %s: a page goes to a file: --report html=PATH", text);
    return 0;
}

static int parse_target(const char *text, struct options *o)
{
    static const char *const later[] = {"ns3", "vm", "host", "remote"};
    if (strcmp(text, "sim") == 0)
        return 0;
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
        if (strcmp(text, later[i]) == 0) {
            o->runner.target = later[i];
            return 0;
        }
    return bad_usage("--target %s: the targets are sim, ns3, vm, host and remote", text);
}

static int parse_count(const char *text, const char *option, uint64_t limit, unsigned *out)
{
    uint64_t n;
    if (look_parse_number(text, limit, &n) != 0 || n == 0)
        return bad_usage("%s %s: a number from 1 to %u", option, text, (unsigned)limit);
    *out = (unsigned)n;
    return 0;
}

static int parse_keep(const char *text, struct options *o)
{
    o->runner.keep_failed_only = strcmp(text, "failed") == 0;
    return o->runner.keep_failed_only || strcmp(text, "all") == 0 ? 0 : bad_usage("--keep-captures %s: all or failed", text);
}

static int parse_carrier(const char *text, struct options *o)
{
    struct run_live_options *l = &o->live_options;
    if (l->carrier_count == sizeof(l->carriers) / sizeof(l->carriers[0]))
        return bad_usage("--carrier %s: that is one too many", text);
    l->carriers[l->carrier_count++] = text;
    return 0;
}

static int parse_port(const char *text, struct options *o)
{
    unsigned port = 0;
    int status = parse_count(text, "--remote-port", 65535, &port);
    o->live_options.remote_port = (uint16_t)port;
    return status;
}

enum { OPTION_TARGET = 256, OPTION_SEED, OPTION_KEEP, OPTION_TIMEOUT, OPTION_PAUSE, OPTION_KERNEL, OPTION_DEBUG,
       OPTION_ROLE, OPTION_PATIENCE, OPTION_AGENT, OPTION_CARRIER, OPTION_REMOTE, OPTION_OWN, OPTION_PORT, OPTION_NO_V1 };

static int option(struct options *o, int c)
{
    switch (c) {
    case 'f': return parse_format(optarg, o);
    case 'r': return parse_report(optarg, o);
    case 'o': o->runner.folder = optarg; return *optarg != '\0' ? 0 : bad_usage("--out wants a folder");
    case 'j': return parse_count(optarg, "--jobs", MAX_JOBS, &o->runner.jobs);
    case OPTION_TARGET: return parse_target(optarg, o);
    case OPTION_KEEP: return parse_keep(optarg, o);
    case OPTION_TIMEOUT: return parse_count(optarg, "--timeout", 86400, &o->runner.wall_seconds);
    case OPTION_KERNEL: o->live_options.kernel = optarg; return 0;
    case OPTION_DEBUG: o->live_options.debug = true; return 0;
    case OPTION_ROLE: o->live_options.roles = optarg; return 0;
    case OPTION_PATIENCE: return parse_count(optarg, "--patience", 100, &o->live_options.patience);
    case OPTION_AGENT: o->live_options.agent = optarg; return 0;
    case OPTION_CARRIER: return parse_carrier(optarg, o);
    case OPTION_REMOTE: o->live_options.remote = optarg; return 0;
    case OPTION_OWN: o->live_options.own = optarg; return 0;
    case OPTION_NO_V1: o->no_v1 = o->live_options.no_v1 = true; return 0;
    case OPTION_PORT: return parse_port(optarg, o);
    case OPTION_SEED:
        return look_parse_number(optarg, INT64_MAX, &o->runner.seed) == 0 ? 0 : bad_usage("--seed %s: a number", optarg);
    case OPTION_PAUSE:
        o->paused = true;
        return script_parse_time(optarg, &o->pause_at_ns) == 0 ? 0 : bad_usage("--pause-at %s: a time is 250ms, 1.5s or the like", optarg);
    default: return EXIT_USAGE; /* getopt said what is wrong */
    }
}

static int add_files(struct options *o, char **paths, int count)
{
    if (count <= 0)
        return bad_usage("which scenario?");
    for (int i = 0; i < count; i++)
        if (run_files_add(&o->files, paths[i]) != 0)
            return smclab_complain(EXIT_INPUT, "run", "%s: %s", paths[i], strerror(errno));
    if (o->files.count == 0)
        return smclab_complain(EXIT_NOTHING, "run", "%s: there is no scenario (*.lua) in it", paths[0]);
    return 0;
}

/* Nobody means to overwrite a scenario by its report. */
static int no_clobber(const struct options *o)
{
    for (size_t i = 0; i < o->output_count; i++) {
        struct stat out, in;
        if (stat(o->outputs[i].path, &out) != 0 || !S_ISREG(out.st_mode))
            continue;
        for (size_t k = 0; k < o->files.count; k++)
            if (stat(o->files.paths[k], &in) == 0 && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
                return bad_usage("%s is one of the scenarios: a report would overwrite it", o->outputs[i].path);
    }
    return 0;
}

/* 0, or the exit status; -1: --help was answered. */
static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"target", required_argument, NULL, OPTION_TARGET}, {"seed", required_argument, NULL, OPTION_SEED},
        {"out", required_argument, NULL, 'o'}, {"keep-captures", required_argument, NULL, OPTION_KEEP},
        {"jobs", required_argument, NULL, 'j'}, {"timeout", required_argument, NULL, OPTION_TIMEOUT},
        {"format", required_argument, NULL, 'f'}, {"report", required_argument, NULL, 'r'},
        {"kernel", required_argument, NULL, OPTION_KERNEL}, {"debug", no_argument, NULL, OPTION_DEBUG},
        {"role", required_argument, NULL, OPTION_ROLE}, {"patience", required_argument, NULL, OPTION_PATIENCE},
        {"agent", required_argument, NULL, OPTION_AGENT}, {"carrier", required_argument, NULL, OPTION_CARRIER},
        {"remote", required_argument, NULL, OPTION_REMOTE}, {"own", required_argument, NULL, OPTION_OWN},
        {"no-v1", no_argument, NULL, OPTION_NO_V1}, {"remote-port", required_argument, NULL, OPTION_PORT},
        {"pause-at", required_argument, NULL, OPTION_PAUSE}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int c, status = 0;
    optind = 1;
    while (status == 0 && (c = getopt_long(argc, argv, "f:r:o:j:h", longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return -1;
        }
        status = option(o, c);
    }
    if (status == 0)
        status = add_files(o, argv + optind, argc - optind);
    return status != 0 ? status : no_clobber(o);
}

static int run_live(struct options *o)
{
    if (o->paused)
        return smclab_bad_usage("run", "--pause-at stands still in virtual time: not with --target %s", o->runner.target);
    int status = run_live_start(&o->live_options, &o->runner, &o->files, &o->live);
    if (status == 0)
        status = run_all(o);
    return smclab_worse(status, run_live_end(o->live));
}

static int run(struct options *o, char **argv)
{
    static const struct script_target no_v1 = {.name = "sim", .no_v1 = true};
    if (run_live_is(o->runner.target))
        return run_live(o);
    o->runner.script_target = smclab_brought_target(o->runner.target);
    if (o->no_v1 && strcmp(o->runner.target, "sim") == 0)
        o->runner.script_target = &no_v1;
    if (o->runner.script_target == NULL && strcmp(o->runner.target, "ns3") == 0)
        return smclab_become_ns3(argv);
    if (o->runner.script_target == NULL && strcmp(o->runner.target, "sim") != 0)
        return smclab_complain(EXIT_NOTHING, "run", "this build has no target %s yet: only sim", o->runner.target);
    return o->paused ? pause_one(o) : run_all(o);
}

int cmd_run(int argc, char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct options o = {.format = RUN_TEXT,
                        .live_options = {.patience = 3},
                        .runner = {.target = "sim", .seed = 1, .folder = "smclab-out", .wall_seconds = 300,
                                   .jobs = processors < 1 ? 1 : processors > MAX_JOBS ? MAX_JOBS : (unsigned)processors}};
    int status = parse(argc, argv, &o);
    if (status == 0)
        status = run(&o, argv);
    run_files_free(&o.files);
    return status < 0 ? 0 : status;
}

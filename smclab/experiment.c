/* smclab experiment: sweeps over parameters and seeds; a CSV that can be gone on with, statistics, figures.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"
#include "look.h"
#include "target.h"

#include "scenarios/engine/sha256.h"
#include "scenarios/engine/target.h"
#include "scenarios/experiment/plot.h"
#include "scenarios/experiment/sweep.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: smclab experiment [OPTION…] FILE\n"
    "\n"
    "Runs an experiment file (docs/experiments.md): every combination of its parameters with every seed, in virtual time. Writes\n"
    "DIR/NAME.csv (a line a run), DIR/NAME.summary.csv (mean, standard deviation, 95 % confidence) and, with gnuplot, figures as\n"
    "SVG and PNG. What an interruption left in the CSV is not run again.\n"
    "\n"
    "      --target TARGET     sim (default), ns3\n"
    "      --quick             the reduced sweep of the file, one seed\n"
    "      --repetitions N     seeds a point, instead of the file's\n"
    "      --seed N            the first seed, default 1\n"
    "  -j, --jobs N            processes, default: one a processor. The results do not depend on it\n"
    "      --timeout SECONDS   a run that takes longer is an error, default 600\n"
    "  -o, --out DIR           default smclab-out/experiments\n"
    "      --resume            go on with the CSV that is there (the default)\n"
    "      --fresh             throw it away\n"
    "      --no-plots          tables only\n"
    "  -f, --format FORMAT     of standard output: text (default), csv, json\n"
    "  -h, --help              this text\n"
    "\n"
    "Exit status: 0 everything ran; 1 an expectation of the file failed; 2 usage; 3 an error, an interruption, or something not\n"
    "readable or writable; 77 the target is not here, or no gnuplot (the tables are written all the same). The first of 2 1 3 77 0\n"
    "counts.\n";

enum { MAX_JOBS = 256, PATH_ROOM = 4096 };
enum format { FORMAT_TEXT, FORMAT_CSV, FORMAT_JSON };

struct options {
    const char *path, *target, *out;
    bool quick, fresh, no_plots;
    unsigned jobs, timeout, repetitions;
    uint64_t seed;
    enum format format;
};

struct experiment {
    const struct options *options;
    struct experiment_plan plan;
    struct experiment_origin origin;
    struct experiment_table table;
    char stem[PATH_ROOM];
};

static volatile sig_atomic_t stop_wanted;

static void on_signal(int number)
{
    stop_wanted = number;
}

#define complain(status, ...) smclab_complain(status, "experiment", __VA_ARGS__)
#define bad_usage(...) smclab_bad_usage("experiment", __VA_ARGS__)

/* ---- progress, on a terminal ---- */
struct progress {
    struct timespec begun;
    size_t resumed;
};

static double seconds_since(const struct timespec *begun)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begun->tv_sec) + (double)(now.tv_nsec - begun->tv_nsec) / 1e9;
}

static void show_progress(void *user, size_t done, size_t wanted, const char *label)
{
    const struct progress *p = user;
    enum { WIDTH = 24 };
    char bar[WIDTH + 1], left[32] = "";
    size_t filled = wanted > 0 ? done * WIDTH / wanted : WIDTH;
    memset(bar, '.', WIDTH);
    memset(bar, '#', filled < WIDTH ? filled : WIDTH);
    bar[WIDTH] = '\0';
    if (done > p->resumed) {
        double s = seconds_since(&p->begun) / (double)(done - p->resumed) * (double)(wanted - done);
        snprintf(left, sizeof(left), "%.0f:%02d left  ", floor(s / 60), (int)fmod(s, 60));
    }
    fprintf(stderr, "\r\033[K[%s] %zu/%zu  %s%.60s", bar, done, wanted, left, label);
}

/* ---- standard output ---- */
static int print_json(const struct experiment *e)
{
    json_t *points = json_array();
    for (size_t i = 0; i < e->plan.points; i++) {
        struct script_point p = experiment_plan_point(&e->plan, i);
        json_t *parameters = json_object(), *measures = json_object();
        size_t runs = 0;
        for (unsigned k = 0; k < e->plan.parameter_count; k++)
            json_object_set_new(parameters, e->plan.parameters[k].name, json_string(e->plan.parameters[k].values[p.index[k]]));
        for (unsigned k = 0; k < e->plan.measure_count; k++) {
            struct experiment_summary s = experiment_summary_of(&e->table, i, k);
            runs = s.count;
            if (s.count > 0)
                json_object_set_new(measures, e->plan.measures[k],
                                    json_pack("{s:f,s:o,s:o,s:s}", "mean", s.mean, "deviation",
                                              s.count > 1 ? json_real(s.deviation) : json_null(), "ci95",
                                              s.count > 1 ? json_real(s.interval) : json_null(), "unit", e->table.units[k]));
        }
        json_array_append_new(points, json_pack("{s:o,s:I,s:o}", "parameters", parameters, "runs", (json_int_t)runs, "measures", measures));
    }
    const struct experiment_origin *o = &e->origin;
    json_t *all = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "title", o->title, "experiment", o->file, "sha256", o->sha256,
                            "engine", o->engine, "commit", o->commit, "build", o->build, "machine", o->machine, "seeds", o->seeds,
                            "command", o->command, "points", points);
    int bad = all == NULL || json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(10)) != 0;
    putchar('\n');
    json_decref(all);
    return bad ? complain(EXIT_INPUT, "standard output: the report cannot be written") : 0;
}

static void print_text(const struct experiment *e)
{
    char label[512];
    printf("%s: %s\n", e->origin.file, e->plan.title);
    for (size_t i = 0; i < e->plan.points; i++) {
        experiment_plan_label(&e->plan, i, label, sizeof(label));
        printf("  %s\n", label);
        for (unsigned k = 0; k < e->plan.measure_count; k++) {
            struct experiment_summary s = experiment_summary_of(&e->table, i, k);
            if (s.count > 1)
                printf("      %-20s %.6g ± %.3g %s\n", e->plan.measures[k], s.mean, s.interval, e->table.units[k]);
            else if (s.count == 1)
                printf("      %-20s %.6g %s\n", e->plan.measures[k], s.mean, e->table.units[k]);
        }
    }
    printf("%zu points, %zu of %zu runs (%zu were there before): %s.csv\n", e->plan.points, e->table.done, e->table.runs,
           e->table.resumed, e->stem);
}

static int print_result(const struct experiment *e)
{
    if (e->options->format == FORMAT_JSON)
        return print_json(e);
    if (e->options->format == FORMAT_CSV)
        return experiment_summary_print(&e->table, stdout) == 0 ? 0 : complain(EXIT_INPUT, "standard output: %s", strerror(errno));
    print_text(e);
    return 0;
}

/* ---- the sweep ---- */
static int finish(struct experiment *e)
{
    char path[PATH_ROOM + 16], error[1024] = "";
    int status = 0;
    if (e->table.done == e->table.runs && experiment_table_sort(&e->table, error, sizeof(error)) != 0)
        return complain(EXIT_INPUT, "%s", error);
    snprintf(path, sizeof(path), "%s.summary.csv", e->stem);
    if (e->table.done == 0)
        return complain(0, "nothing was measured");
    if (experiment_summary_write(&e->table, path, error, sizeof(error)) != 0)
        return complain(EXIT_INPUT, "%s", error);
    enum plot_result plots = e->options->no_plots ? PLOT_DONE : experiment_plot_all(&e->table, e->stem, error, sizeof(error));
    if (plots == PLOT_NO_GNUPLOT)
        status = complain(EXIT_NOTHING, "%s", error);
    if (plots == PLOT_FAILED)
        status = complain(EXIT_INPUT, "%s", error);
    return smclab_worse(status, print_result(e));
}

static int tell_failures(const struct experiment *e, const struct experiment_sweep *sweep)
{
    for (size_t i = 0; i < sweep->failed + sweep->errors && i < SWEEP_FAILURES; i++)
        complain(0, "%s", sweep->failures[i]);
    if (sweep->failed + sweep->errors > SWEEP_FAILURES)
        complain(0, "and %zu more", sweep->failed + sweep->errors - SWEEP_FAILURES);
    if (sweep->error[0] != '\0')
        return complain(EXIT_INPUT, "%s", sweep->error);
    if (stop_wanted)
        return complain(EXIT_INPUT, "interrupted; %zu of %zu runs are in %s: the same command goes on", e->table.done, e->table.runs,
                        e->table.path);
    return sweep->failed > 0 ? EXIT_FOUND : sweep->errors > 0 ? EXIT_INPUT : 0;
}

static int sweep_all(struct experiment *e)
{
    const struct options *o = e->options;
    struct sigaction action = {.sa_handler = on_signal}, old[2];
    struct progress progress = {.resumed = e->table.done};
    struct experiment_sweep sweep = {.path = o->path, .table = &e->table, .engine = o->target, .jobs = o->jobs,
                                     .target = smclab_brought_target(o->target), .wall_seconds = o->timeout, .stop = &stop_wanted,
                                     .progress = isatty(STDERR_FILENO) == 1 ? show_progress : NULL, .progress_user = &progress};
    clock_gettime(CLOCK_MONOTONIC, &progress.begun);
    sigaction(SIGINT, &action, &old[0]);
    sigaction(SIGTERM, &action, &old[1]);
    int bad = experiment_sweep_run(&sweep);
    sigaction(SIGINT, &old[0], NULL);
    sigaction(SIGTERM, &old[1], NULL);
    if (sweep.progress != NULL)
        fputs("\r\033[K", stderr);
    if (bad != 0)
        return complain(EXIT_INPUT, "out of memory");
    int status = tell_failures(e, &sweep);
    return stop_wanted ? status : smclab_worse(status, finish(e));
}

/* ---- where results go, where they come from ---- */
static int make_folders(const char *folder)
{
    char path[PATH_ROOM];
    if (snprintf(path, sizeof(path), "%s/", folder) >= (int)sizeof(path))
        return complain(EXIT_INPUT, "%s: the name is too long", folder);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return complain(EXIT_INPUT, "%s: %s", path, strerror(errno));
        *slash = '/';
    }
    return 0;
}

static int make_stem(struct experiment *e)
{
    const char *slash = strrchr(e->options->path, '/'), *name = slash != NULL ? slash + 1 : e->options->path;
    size_t length = strlen(name);
    length -= length > 4 && strcmp(name + length - 4, ".lua") == 0 ? 4 : 0;
    int n = snprintf(e->stem, sizeof(e->stem), "%s/%.*s", e->options->out, (int)length, name);
    return n > 0 && n < PATH_ROOM - 64 ? 0 : complain(EXIT_INPUT, "%s: the name is too long", e->options->path);
}

/* The line that makes it: what the results depend on, and nothing of where they went. */
static void make_command(const struct options *o, char *out, size_t room)
{
    size_t n = (size_t)snprintf(out, room, "smclab experiment");
    if (strcmp(o->target, "sim") != 0)
        n += (size_t)snprintf(out + n, room - n, " --target %s", o->target);
    if (o->quick)
        n += (size_t)snprintf(out + n, room - n, " --quick");
    if (o->repetitions != 0)
        n += (size_t)snprintf(out + n, room - n, " --repetitions %u", o->repetitions);
    if (o->seed != 1)
        n += (size_t)snprintf(out + n, room - n, " --seed %" PRIu64, o->seed);
    char path[ORIGIN_TEXT - 128];
    experiment_line(path, sizeof(path), o->path);
    snprintf(out + n, room - n, " %s", path);
}

static int fill_origin(struct experiment *e)
{
    struct experiment_origin *o = &e->origin;
    experiment_origin_fill(o);
    experiment_line(o->title, sizeof(o->title), e->plan.title);
    experiment_line(o->file, sizeof(o->file), e->options->path);
    snprintf(o->engine, sizeof(o->engine), "%s", e->options->target);
    snprintf(o->sweep, sizeof(o->sweep), "%s", e->options->quick ? "quick" : "full");
    snprintf(o->seeds, sizeof(o->seeds), "%" PRIu64 "..%" PRIu64, e->options->seed, e->options->seed + e->plan.repetitions - 1);
    make_command(e->options, o->command, sizeof(o->command));
    return sha256_file(e->options->path, o->sha256) == 0 ? 0 : complain(EXIT_INPUT, "%s: %s", e->options->path, strerror(errno));
}

static bool is_for(const struct experiment_plan *plan, const char *target)
{
    for (unsigned i = 0; i < plan->target_count; i++)
        if (strcmp(plan->targets[i], target) == 0)
            return true;
    return false;
}

static int with_plan(struct experiment *e)
{
    const struct options *o = e->options;
    char path[PATH_ROOM + 8], error[1024];
    if (!is_for(&e->plan, o->target))
        return complain(EXIT_NOTHING, "%s is not for the target %s: its header does not name it", o->path, o->target);
    if (o->repetitions != 0)
        e->plan.repetitions = o->repetitions;
    int status = fill_origin(e);
    if (status == 0)
        status = make_folders(o->out);
    if (status == 0)
        status = make_stem(e);
    if (status != 0)
        return status;
    snprintf(path, sizeof(path), "%s.csv", e->stem);
    e->table = (struct experiment_table){.plan = &e->plan, .origin = &e->origin, .first_seed = o->seed};
    if (experiment_table_open(&e->table, path, o->fresh, error, sizeof(error)) != 0)
        return complain(EXIT_INPUT, "%s", error);
    status = sweep_all(e);
    experiment_table_close(&e->table);
    return status;
}

static int experiment(const struct options *o)
{
    struct experiment *e = calloc(1, sizeof(*e));
    char error[2048];
    if (e == NULL)
        return complain(EXIT_INPUT, "out of memory");
    e->options = o;
    int status;
    if (experiment_plan_read(o->path, o->quick, &e->plan, error, sizeof(error)) != 0)
        status = complain(EXIT_INPUT, "%s: %s", o->path, error);
    else
        status = with_plan(e);
    experiment_plan_free(&e->plan);
    free(e);
    return status;
}

/* ---- the command line ---- */
static int parse_count(const char *text, const char *option, uint64_t limit, unsigned *out)
{
    uint64_t n;
    if (look_parse_number(text, limit, &n) != 0 || n == 0)
        return bad_usage("%s %s: a number from 1 to %u", option, text, (unsigned)limit);
    *out = (unsigned)n;
    return 0;
}

static int parse_format(const char *text, struct options *o)
{
    static const char *const names[] = {"text", "csv", "json"};
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            o->format = (enum format)i;
            return 0;
        }
    return bad_usage("--format %s: the formats are text, csv and json", text);
}

static int parse_target(const char *text, struct options *o)
{
    o->target = text;
    if (strcmp(text, "sim") == 0 || strcmp(text, "ns3") == 0)
        return 0;
    if (strcmp(text, "vm") == 0 || strcmp(text, "host") == 0 || strcmp(text, "remote") == 0)
        return bad_usage("--target %s: a sweep measures in virtual time; the targets are sim and ns3", text);
    return bad_usage("--target %s: the targets are sim and ns3", text);
}

enum { OPTION_TARGET = 256, OPTION_QUICK, OPTION_REPETITIONS, OPTION_SEED, OPTION_TIMEOUT, OPTION_RESUME, OPTION_FRESH, OPTION_NO_PLOTS };

static int option(struct options *o, int c)
{
    switch (c) {
    case 'f': return parse_format(optarg, o);
    case 'o': o->out = optarg; return *optarg != '\0' ? 0 : bad_usage("--out wants a folder");
    case 'j': return parse_count(optarg, "--jobs", MAX_JOBS, &o->jobs);
    case OPTION_TARGET: return parse_target(optarg, o);
    case OPTION_QUICK: o->quick = true; return 0;
    case OPTION_REPETITIONS: return parse_count(optarg, "--repetitions", 10000, &o->repetitions);
    case OPTION_SEED:
        return look_parse_number(optarg, UINT64_C(1) << 62, &o->seed) == 0 ? 0 : bad_usage("--seed %s: a number", optarg);
    case OPTION_TIMEOUT: return parse_count(optarg, "--timeout", 86400, &o->timeout);
    case OPTION_RESUME: o->fresh = false; return 0;
    case OPTION_FRESH: o->fresh = true; return 0;
    case OPTION_NO_PLOTS: o->no_plots = true; return 0;
    default: return EXIT_USAGE; /* getopt said what is wrong */
    }
}

/* 0, or the exit status; -1: --help was answered. */
static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"target", required_argument, NULL, OPTION_TARGET}, {"quick", no_argument, NULL, OPTION_QUICK},
        {"repetitions", required_argument, NULL, OPTION_REPETITIONS}, {"seed", required_argument, NULL, OPTION_SEED},
        {"jobs", required_argument, NULL, 'j'}, {"timeout", required_argument, NULL, OPTION_TIMEOUT},
        {"out", required_argument, NULL, 'o'}, {"resume", no_argument, NULL, OPTION_RESUME},
        {"fresh", no_argument, NULL, OPTION_FRESH}, {"no-plots", no_argument, NULL, OPTION_NO_PLOTS},
        {"format", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int c, status = 0;
    optind = 1;
    while (status == 0 && (c = getopt_long(argc, argv, "f:o:j:h", longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return -1;
        }
        status = option(o, c);
    }
    if (status == 0 && optind + 1 != argc)
        status = bad_usage(optind < argc ? "one experiment at a time" : "which experiment?");
    o->path = argv[optind];
    return status;
}

int cmd_experiment(int argc, char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct options o = {.target = "sim", .out = "smclab-out/experiments", .seed = 1, .timeout = 600,
                        .jobs = processors < 1 ? 1 : processors > MAX_JOBS ? MAX_JOBS : (unsigned)processors};
    int status = parse(argc, argv, &o);
    if (status == 0 && strcmp(o.target, "ns3") == 0 && smclab_brought_target("ns3") == NULL)
        return smclab_become_ns3(argv);
    if (status == 0)
        status = experiment(&o);
    return status < 0 ? 0 : status;
}

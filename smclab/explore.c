/* smclab explore: seeded runs under faults, in campaigns and one by one; what fails is shrunk and written down.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include "scenarios/explore/campaign.h"
#include "sim/hash.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: smclab explore [OPTION…]\n"
    "       smclab explore --near FILE [OPTION…]\n"
    "       smclab explore --replay SEED | --plan FILE [OPTION…]\n"
    "\n"
    "Each seed draws a network, hosts, traffic and faults, and runs them: first with the faults, then without. Every byte is\n"
    "compared, the judge looks on, and in the end every connection is closed and nothing is left behind. What fails is made\n"
    "as small as possible and written as a scenario.\n"
    "\n"
    "      --seeds A..B           which ones, both included; default 1..1000\n"
    "      --near FILE            each seed draws no plan of its own but varies that one (a plan, or a scenario that explore\n"
    "                             wrote): where one failure was others are near\n"
    "      --shard I/N            of them only each N-th, beginning with the I-th (0 to N-1): N such parts are the whole,\n"
    "                             and smclab merge joins their results\n"
    "  -j, --jobs N               processes; default: one a processor. The results do not depend on it\n"
    "      --replay SEED          one seed: its plan, what came of it, its capture\n"
    "      --plan FILE            the same of a plan, or of a scenario that explore wrote\n"
    "      --shrink N             at most so many runs to make a failure smaller, default 300; 0: not at all\n"
    "      --failures N           of so many kinds of failures the first is shrunk, default 8\n"
    "  -o, --out DIR              for scenarios and captures of failures; default smclab-out/explore\n"
    "  -f, --format FORMAT        of standard output: text (default), json\n"
    "  -h, --help                 this text\n"
    "\n"
    "docs/campaigns.md tells how to find and shrink a failure, and how to run a campaign on a cluster.\n"
    "Exit status: 0 no seed failed; 1 one did; 2 usage; 3 something could not be read or written.\n";

struct options {
    struct explore_campaign campaign;
    const char *out, *plan, *near;
    unsigned shrink, kinds;
    bool json, replay;
    uint64_t seed;
};

/* ---- reading options ---- */
static bool read_number(const char *text, uint64_t *out, char **end)
{
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *out = strtoull(text, end, 10);
    return errno == 0;
}

static bool whole_number(const char *text, uint64_t most, uint64_t *out)
{
    char *end;
    return read_number(text, out, &end) && *end == '\0' && *out <= most;
}

static bool read_seeds(const char *text, struct explore_campaign *c)
{
    char *end;
    if (!read_number(text, &c->first, &end))
        return false;
    c->last = c->first;
    if (*end == '\0')
        return true;
    return strncmp(end, "..", 2) == 0 && whole_number(end + 2, UINT64_MAX, &c->last) && c->last >= c->first && c->last - c->first < 1u << 30;
}

static bool read_shard(const char *text, struct explore_campaign *c)
{
    char *end;
    return read_number(text, &c->shard, &end) && *end == '/' && whole_number(end + 1, 1u << 20, &c->shards) && c->shard < c->shards;
}

static int read_option(struct options *o, int option, const char *value)
{
    uint64_t number = 0;
    switch (option) {
    case 's': return read_seeds(value, &o->campaign) ? 0 : smclab_bad_usage("explore", "--seeds %s: seeds look like 1..1000", value);
    case 'd': return read_shard(value, &o->campaign) ? 0 : smclab_bad_usage("explore", "--shard %s: a shard looks like 0/8", value);
    case 'j':
        if (!whole_number(value, 255, &number) || number == 0)
            return smclab_bad_usage("explore", "--jobs %s: from 1 to 255", value);
        o->campaign.jobs = (unsigned)number;
        return 0;
    case 'r':
        o->replay = true;
        return whole_number(value, UINT64_MAX, &o->seed) ? 0 : smclab_bad_usage("explore", "--replay %s: that is no seed", value);
    case 'p': o->plan = value; return 0;
    case 'e': o->near = value; return 0;
    case 'k':
    case 'n':
        if (!whole_number(value, 100000, &number))
            return smclab_bad_usage("explore", "%s is no number of runs or failures", value);
        *(option == 'k' ? &o->shrink : &o->kinds) = (unsigned)number;
        return 0;
    case 'o': o->out = value; return 0;
    case 'f':
        o->json = strcmp(value, "json") == 0;
        return o->json || strcmp(value, "text") == 0 ? 0 : smclab_bad_usage("explore", "--format %s: text or json", value);
    default: return EXIT_USAGE;
    }
}

/* -1: go on; else the exit status. */
static int read_options(struct options *o, int argc, char **argv)
{
    static const struct option known[] = {{"seeds", required_argument, NULL, 's'}, {"shard", required_argument, NULL, 'd'},
                                          {"jobs", required_argument, NULL, 'j'},  {"replay", required_argument, NULL, 'r'},
                                          {"plan", required_argument, NULL, 'p'},  {"near", required_argument, NULL, 'e'}, {"shrink", required_argument, NULL, 'k'},
                                          {"failures", required_argument, NULL, 'n'}, {"out", required_argument, NULL, 'o'},
                                          {"format", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "j:o:f:h", known, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (option == '?')
            return smclab_bad_usage("explore", "an option is unknown, or lacks its value");
        int status = read_option(o, option, optarg);
        if (status != 0)
            return status;
    }
    if (optind < argc)
        return smclab_bad_usage("explore", "'%s' is no option", argv[optind]);
    if (o->plan != NULL && o->near != NULL)
        return smclab_bad_usage("explore", "--plan runs one plan, --near varies one: not both");
    return -1;
}

/* ---- files ---- */
static int make_folders(const char *path)
{
    char part[512];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof(part))
        return -1;
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return -1;
    }
    return 0;
}

static int write_scenario(const struct explore_plan *plan, const struct explore_outcome *outcome, const char *path)
{
    FILE *to = fopen(path, "w");
    if (to == NULL)
        return smclab_complain(EXIT_INPUT, "explore", "%s: %s", path, strerror(errno));
    explore_scenario_write(plan, outcome, to);
    int bad = ferror(to);
    if (fclose(to) != 0 || bad)
        return smclab_complain(EXIT_INPUT, "explore", "%s could not be written", path);
    return 0;
}

/* ---- one run ---- */
static void print_outcome(const struct explore_outcome *o, const char *capture)
{
    char digest[SIM_HASH_TEXT];
    printf("%s\n", o->failed ? "FAILED" : "passed");
    if (o->failed)
        printf("  why          %s\n", o->why);
    printf("  events       %" PRIu64 ", %" PRIu64 " frames, %.3f s of virtual time\n", o->events, o->frames, (double)o->now_ns / 1e9);
    printf("  connections  %" PRIu64 " came up, %" PRIu64 " delivered everything, %" PRIu64 " and %" PRIu64 " bytes\n", o->connections, o->delivered,
           o->bytes[0], o->bytes[1]);
    printf("  digest       %s\n  capture      %s\n  states\n", sim_hash_text(o->digest, digest), capture);
    for (unsigned i = 0; i < EXPLORE_STATES; i++)
        if (o->states[i])
            printf("    %s\n", explore_state_names[i]);
}

static int load_plan(const char *path, struct explore_plan *plan)
{
    char problem[256];
    FILE *from = fopen(path, "r");
    if (from == NULL)
        return smclab_complain(EXIT_INPUT, "explore", "%s: %s", path, strerror(errno));
    bool ok = explore_plan_read(from, plan, problem);
    fclose(from);
    return ok ? 0 : smclab_complain(EXIT_INPUT, "explore", "%s: %s", path, problem);
}

static int shrink_one(const struct options *o, const struct explore_plan *plan, const struct explore_outcome *outcome, const char *path)
{
    struct explore_shrunk *shrunk = malloc(sizeof(*shrunk));
    if (shrunk == NULL)
        return smclab_complain(EXIT_INPUT, "explore", "out of memory");
    explore_shrink(plan, outcome, o->shrink, shrunk);
    int status = write_scenario(&shrunk->plan, &shrunk->outcome, path);
    if (status == 0)
        fprintf(stderr, "smclab explore: %s: %u connections, %u faults are left after %u runs\n", path, shrunk->plan.conn_count,
                shrunk->plan.fault_count, shrunk->tried);
    free(shrunk);
    return status;
}

static int replay(const struct options *o, struct explore_plan *plan)
{
    struct explore_outcome outcome;
    char capture[600], scenario[600];
    int status = 0;
    if (o->plan == NULL)
        explore_campaign_plan(&o->campaign, o->seed, plan);
    else if ((status = load_plan(o->plan, plan)) != 0)
        return status;
    if (make_folders(o->out) != 0)
        return smclab_complain(EXIT_INPUT, "explore", "%s: %s", o->out, strerror(errno));
    snprintf(capture, sizeof(capture), "%s/seed-%" PRIu64 ".pcap", o->out, plan->seed);
    snprintf(scenario, sizeof(scenario), "%s/seed-%" PRIu64 ".lua", o->out, plan->seed);
    explore_plan_write(plan, "", stdout);
    if (explore_run_apart(plan, capture, &outcome) != 0)
        return smclab_complain(EXIT_INPUT, "explore", "no process could be made: %s", strerror(errno));
    print_outcome(&outcome, capture);
    if (outcome.failed && o->plan == NULL && o->shrink > 0)
        status = shrink_one(o, plan, &outcome, scenario);
    return status != 0 ? status : outcome.failed ? EXIT_FOUND : 0;
}

/* ---- campaigns ---- */
struct progress {
    struct timespec begun, last;
    bool terminal;
};

static double seconds_since(const struct timespec *then)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

static void show_progress(void *user, uint64_t done, uint64_t all, uint64_t failures)
{
    struct progress *p = user;
    if (seconds_since(&p->last) < (p->terminal ? 1 : 30) && done < all)
        return;
    clock_gettime(CLOCK_MONOTONIC, &p->last);
    double passed = seconds_since(&p->begun);
    fprintf(stderr, "%s%" PRIu64 " of %" PRIu64 " seeds, %" PRIu64 " failed, %.1f a second%s", p->terminal ? "\r\033[K" : "", done, all, failures,
            passed > 0 ? (double)done / passed : 0, p->terminal && done < all ? "" : "\n");
}

static bool kind_seen(const struct explore_results *r, size_t before, const char *kind, const char **scenario)
{
    for (size_t i = 0; i < before; i++) {
        if (strcmp(r->failures[i].kind, kind) == 0) {
            *scenario = r->failures[i].scenario;
            return true;
        }
    }
    return false;
}

/* The first failure of each kind is run again with a capture, and shrunk. */
static int look_into(const struct options *o, struct explore_results *r, struct explore_plan *plan)
{
    unsigned kinds = 0;
    int status = 0;
    for (size_t i = 0; i < r->failure_count; i++) {
        struct explore_failure *f = &r->failures[i];
        struct explore_outcome outcome;
        const char *known;
        char capture[600];
        if (kind_seen(r, i, f->kind, &known)) {
            memcpy(f->scenario, known, sizeof(f->scenario));
            continue;
        }
        if (kinds++ >= o->kinds)
            continue;
        if (make_folders(o->out) != 0)
            return smclab_complain(EXIT_INPUT, "explore", "%s: %s", o->out, strerror(errno));
        snprintf(capture, sizeof(capture), "%s/seed-%" PRIu64 ".pcap", o->out, f->seed);
        snprintf(f->scenario, sizeof(f->scenario), "%s/seed-%" PRIu64 ".lua", o->out, f->seed);
        explore_campaign_plan(&o->campaign, f->seed, plan);
        if (explore_run_apart(plan, capture, &outcome) != 0)
            return smclab_complain(EXIT_INPUT, "explore", "no process could be made: %s", strerror(errno));
        status = smclab_worse(status, shrink_one(o, plan, &outcome, f->scenario));
    }
    return status;
}

static void print_states(const struct explore_results *r)
{
    printf("\nstates, and in how many runs each was reached:\n");
    for (unsigned i = 0; i < EXPLORE_STATES; i++)
        if (r->states[i] > 0)
            printf("  %10" PRIu64 "  %s\n", r->states[i], explore_state_names[i]);
    printf("never reached:\n");
    for (unsigned i = 0; i < EXPLORE_STATES; i++)
        if (r->states[i] == 0)
            printf("              %s\n", explore_state_names[i]);
}

static void print_text(const struct explore_results *r, double seconds)
{
    char digest[SIM_HASH_TEXT];
    for (size_t i = 0; i < r->failure_count; i++) {
        char command[EXPLORE_REPLAY];
        explore_replay_text(r, r->failures[i].seed, command);
        printf("FAILED %s  # %s%s%s\n", command, r->failures[i].why, r->failures[i].scenario[0] != '\0' ? "; scenario " : "",
               r->failures[i].scenario);
    }
    print_states(r);
    printf("\n%" PRIu64 " seeds, %zu failed, %" PRIu64 " events in %.1f s\n", r->seeds, r->failure_count, r->events, seconds);
    printf("median of a seed: %" PRIu64 " events, %" PRIu64 " connections, %" PRIu64 " faults, %" PRIu64 " and %" PRIu64 " bytes delivered\n",
           r->median_events, r->median_connections, r->median_faults, r->median_bytes[0], r->median_bytes[1]);
    printf("digest %s\n", sim_hash_text(r->digest, digest));
}

static int print_json(const struct explore_results *r)
{
    json_t *json = explore_results_json(r);
    int bad = json == NULL || json_dumpf(json, stdout, JSON_INDENT(1)) != 0 || putchar('\n') == EOF;
    json_decref(json);
    return bad ? smclab_complain(EXIT_INPUT, "explore", "the results could not be written") : 0;
}

static int campaign(struct options *o, struct explore_plan *plan)
{
    struct explore_results results;
    struct progress progress = {.terminal = isatty(STDERR_FILENO) == 1};
    clock_gettime(CLOCK_MONOTONIC, &progress.begun);
    progress.last = progress.begun;
    o->campaign.progress = show_progress;
    o->campaign.user = &progress;
    int error = explore_campaign_run(&o->campaign, &results);
    if (error != 0) {
        explore_results_free(&results);
        return smclab_complain(EXIT_INPUT, "explore", "the campaign broke off: a process could not be made, or memory is short");
    }
    results.near = o->near;
    double seconds = seconds_since(&progress.begun);
    int status = look_into(o, &results, plan);
    if (o->json)
        status = smclab_worse(status, print_json(&results));
    else
        print_text(&results, seconds);
    if (results.failure_count > 0)
        status = smclab_worse(status, EXIT_FOUND);
    explore_results_free(&results);
    return status;
}

int cmd_explore(int argc, char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct options o = {.campaign = {.first = 1, .last = 1000, .jobs = processors > 0 && processors < 256 ? (unsigned)processors : 1},
                        .out = "smclab-out/explore",
                        .shrink = 300,
                        .kinds = 8};
    int status = read_options(&o, argc, argv);
    if (status >= 0)
        return status;
    struct explore_plan *plan = malloc(2 * sizeof(*plan));
    if (plan == NULL)
        return smclab_complain(EXIT_INPUT, "explore", "out of memory");
    if (o.near != NULL) {
        o.campaign.near = &plan[1];
        status = load_plan(o.near, &plan[1]);
    }
    if (status <= 0)
        status = o.replay || o.plan != NULL ? replay(&o, plan) : campaign(&o, plan);
    free(plan);
    return status;
}

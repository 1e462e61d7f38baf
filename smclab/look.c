/* Runs a scenario up to a time and prints tables of what is there.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "look.h"

#include "commands.h"
#include "look_agent.h"

#include "scenarios/engine/script.h"
#include "sim/lab.h"

#include <string.h>

bool look_names_hosts(const struct look *look)
{
    return look->host == NULL && look->agent == NULL;
}

struct lab_host *look_next_host(const struct look *look, struct lab *lab, struct lab_host *previous)
{
    struct lab_host *h = lab_next_host(lab, previous);
    while (h != NULL && look->host != NULL && strcmp(lab_host_name(h), look->host) != 0)
        h = lab_next_host(lab, h);
    return h;
}

int look_parse_number(const char *text, uint64_t limit, uint64_t *value)
{
    uint64_t n = 0;
    if (*text == '\0')
        return -1;
    for (; *text != '\0'; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || n > (limit - digit) / 10)
            return -1;
        n = n * 10 + digit;
    }
    *value = n;
    return 0;
}

struct looked {
    const struct look *look;
    bool no_such_host, printed;
};

static void inspect(void *user, struct lab *lab)
{
    struct looked *looked = user;
    looked->no_such_host = look_next_host(looked->look, lab, NULL) == NULL;
    looked->printed = !looked->no_such_host;
    if (looked->printed)
        looked->look->print(looked->look, lab);
}

int smclab_look(struct look *look)
{
    struct script_result result;
    struct looked looked = {.look = look};
    struct script_options options = {.path = look->path, .seed = look->seed, .pause_at_ns = look->at_ns, .target = look->target};
    int status = 0;
    script_run(&options, inspect, &looked, &result);
    if (result.verdict != SCRIPT_PASS)
        status = smclab_complain(result.verdict == SCRIPT_FAIL ? EXIT_FOUND : EXIT_INPUT, look->command, "%s", result.reason);
    else if (look->at_ns != 0 && !result.paused)
        smclab_complain(0, look->command, "%s: the scenario was over before that time; this is its end", look->path);
    if (looked.no_such_host && look->host != NULL)
        status = smclab_worse(status, smclab_complain(EXIT_INPUT, look->command, "%s: there is no host \"%s\" at that time",
                                                      look->path, look->host));
    script_result_free(&result);
    return status;
}

static int shared_option(struct look *look, int c)
{
    switch (c) {
    case LOOK_HOST: look->host = optarg; return 0;
    case LOOK_AGENT: look->agent = optarg; return 0;
    case LOOK_AT:
        return script_parse_time(optarg, &look->at_ns) == 0
                   ? 0 : smclab_bad_usage(look->command, "--at %s: a time is 250ms, 1.5s or the like", optarg);
    case LOOK_SEED:
        return look_parse_number(optarg, INT64_MAX, &look->seed) == 0
                   ? 0 : smclab_bad_usage(look->command, "--seed %s: a number", optarg);
    default:
        return EXIT_USAGE; /* getopt said what is wrong */
    }
}

int look_command(struct look *look, int argc, char **argv, const struct look_syntax *syntax)
{
    int c, status = 0;
    look->seed = 1;
    optind = 1;
    while (status == 0 && (c = getopt_long(argc, argv, syntax->shorts, syntax->longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(syntax->usage, stdout);
            return 0;
        }
        if (!syntax->option(look, c))
            status = shared_option(look, c);
    }
    if (status != 0)
        return status;
    if (look->agent != NULL && (argc != optind || look->host != NULL || look->at_ns != 0))
        return smclab_bad_usage(look->command, "--agent asks one machine what it has now: no scenario, host or time with it");
    if (look->agent != NULL)
        return look_agent(look);
    if (argc - optind != 1)
        return smclab_bad_usage(look->command, "one scenario, please");
    look->path = argv[optind];
    return smclab_look(look);
}

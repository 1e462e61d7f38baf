/* Tables of a scenario that stands still at a time: what ss, stats and run --pause-at share.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMCLAB_LOOK_H
#define SMCLAB_LOOK_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct lab;
struct lab_host;
struct script_target;
struct kernel_agent;
struct smc_counters;

struct look {
    const char *command;   /* for complaints */
    const char *path;      /* the scenario */
    const struct script_target *target; /* NULL: the simulation */
    uint64_t seed, at_ns;  /* 0: the end of the script */
    const char *host;      /* NULL: all */
    void (*print)(const struct look *look, struct lab *lab);
    const char *agent;     /* of a live machine instead of a scenario: its socket … */
    int (*ask)(const struct look *look, struct kernel_agent *agent); /* … and what prints; an exit status */
    /* ss */
    bool all, listening, extended, smcr;
    /* stats */
    bool details;
    char path_letter;      /* 'R', 'D'; 0: both */
};

/* Runs the scenario up to look->at_ns, prints, returns an exit status: EXIT_FOUND if an expectation had failed before, EXIT_INPUT
 * if the scenario has an error. */
int smclab_look(struct look *look);
/* The next host that is asked for; start with NULL. */
struct lab_host *look_next_host(const struct look *look, struct lab *lab, struct lab_host *previous);
/* Whether tables need to say whose line it is. */
bool look_names_hosts(const struct look *look);

/* ss and stats: the command line. Options of their own are told to `option` (false: it is none of them); those here both have. */
enum { LOOK_AT = 256, LOOK_SEED, LOOK_HOST, LOOK_AGENT };
#define LOOK_LONG_OPTIONS \
    {"at", required_argument, NULL, LOOK_AT}, {"seed", required_argument, NULL, LOOK_SEED}, \
    {"host", required_argument, NULL, LOOK_HOST}, {"agent", required_argument, NULL, LOOK_AGENT}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}
struct look_syntax {
    const char *usage, *shorts;
    const struct option *longs; /* ends with LOOK_LONG_OPTIONS */
    bool (*option)(struct look *look, int c);
};
/* Reads it, with seed 1 if none is given, then smclab_look(), or look_agent(). `look` has command and print. */
int look_command(struct look *look, int argc, char **argv, const struct look_syntax *syntax);

/* Decimal digits, at most `limit`. 0, or -1. */
int look_parse_number(const char *text, uint64_t limit, uint64_t *value);

void look_print_ss(const struct look *look, struct lab *lab);
void look_print_groups(const struct look *look, struct lab *lab);
void look_print_links(const struct look *look, struct lab *lab);
void look_print_stats(const struct look *look, struct lab *lab);
void look_put_counters(const struct look *look, const struct smc_counters *counters);

#endif

/* The command smclab: finds the subcommand and hands over.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} commands[] = {
    {"check", cmd_check, "judge captures: who broke which rule, in which frame"},
    {"decode", cmd_decode, "print every SMC message of captures with its fields"},
    {"follow", cmd_follow, "the application's bytes of a connection"},
    {"run", cmd_run, "run scenarios on simulated hosts, and judge them"},
    {"explore", cmd_explore, "hunt for bugs: seeded runs under faults, judged; failures are shrunk"},
    {"experiment", cmd_experiment, "sweep parameters over seeds: CSV, statistics, figures"},
    {"matrix", cmd_matrix, "requirement by implementation, from the results of runs"},
    {"merge", cmd_merge, "join the results of the parts of a campaign"},
    {"ss", cmd_ss, "connections, link groups and links of a scenario at a time"},
    {"stats", cmd_stats, "counters of a scenario's hosts at a time"},
    {"ivshmem-server", cmd_ivshmem_server, "shared memory and interrupts for virtual machines"},
    {"vm", cmd_vm, "boot a virtual machine with a real kernel and talk to the agent in it"},
    {"requirements", cmd_requirements, "the catalogue of rules and what covers it"},
    {"explain", cmd_explain, "one rule: text, source, picture, a good and a bad frame"},
};

enum { NCOMMANDS = sizeof commands / sizeof commands[0] };

static void usage(FILE *out)
{
    fputs("usage: smclab COMMAND [OPTION…] [FILE…]\n\n", out);
    for (size_t i = 0; i < NCOMMANDS; i++)
        fprintf(out, "  %-16s%s\n", commands[i].name, commands[i].what);
    fputs("\n`smclab COMMAND --help` tells more; the manual is smclab(1).\n"
          "A FILE is a pcap or pcapng capture, - is standard input.\n"
          "Exit status: 0 judged and no fail, 1 a fail, 2 usage, 3 input unreadable or output not writable,\n"
          "77 nothing could be judged.\n", out);
}

static int named(int argc, char **argv)
{
    for (size_t i = 0; i < NCOMMANDS; i++)
        if (strcmp(argv[0], commands[i].name) == 0)
            return commands[i].run(argc, argv);
    fprintf(stderr, "smclab: there is no command '%s'; `smclab --help` lists them\n", argv[0]);
    return EXIT_USAGE;
}

static int first_word(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("smclab " SMCLAB_VERSION);
        return 0;
    }
    return named(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    /* A reader that goes away (`| head`) is an output that cannot be written, not a reason to die silently. */
    signal(SIGPIPE, SIG_IGN);
    int status = first_word(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("smclab: standard output could not be written\n", stderr);
        status = smclab_worse(status, EXIT_INPUT);
    }
    return status;
}

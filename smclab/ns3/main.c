/* The program smclab-ns3: what `smclab` hands over to with --target ns3. It links ns-3 and is therefore under the GPL-2 as a whole.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "scenarios/engine/target.h"
#include "sim/ns3/adapter.h"
#include "smclab/commands.h"
#include "smclab/target.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the target: ns-3's simulator lets time pass and carries the frames ---- */
static int prepare(void *user, struct lab_config *config, char *error, size_t error_size)
{
    struct ns3_engine **engine = user;
    struct ns3_engine_config wanted = {.seed = config->seed, .scheduler = getenv("SMCLAB_NS3_SCHEDULER"),
                                       .trace_folder = getenv("SMCLAB_NS3_PCAP")};
    if (ns3_engine_new(&wanted, engine, error, error_size) != 0)
        return -1;
    config->clock = ns3_engine_clock(*engine);
    return 0;
}

static int begin(void *user, struct lab *lab, char *error, size_t error_size)
{
    struct ns3_engine **engine = user;
    (void)error;
    (void)error_size;
    ns3_engine_attach(*engine, lab);
    return 0;
}

static void end(void *user, struct lab *lab, char *failure, size_t failure_size)
{
    struct ns3_engine **engine = user;
    (void)lab;
    (void)failure;
    (void)failure_size;
    ns3_engine_free(*engine);
    *engine = NULL;
}

/* ---- the commands that take it ---- */
static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {{"run", cmd_run}, {"experiment", cmd_experiment}};

static int command(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fputs("usage: smclab-ns3 run|experiment --target ns3 [OPTION…] SCENARIO|FOLDER…\n"
          "It is what `smclab run --target ns3` calls; docs/ns3.md tells more. It contains ns-3 and is under the GPL, version 2.\n",
          stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct ns3_engine *engine = NULL;
    struct script_target target = {.name = "ns3", .prepare = prepare, .begin = begin, .end = end, .user = &engine};
    signal(SIGPIPE, SIG_IGN); /* as smclab's main() */
    smclab_bring_target(&target);
    int status = command(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("smclab-ns3: standard output could not be written\n", stderr);
        status = smclab_worse(status, EXIT_INPUT);
    }
    return status;
}

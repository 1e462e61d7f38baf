/* The subcommands of smclab: each gets its own argc and argv, argv[0] being its name, and returns an exit status.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMCLAB_COMMANDS_H
#define SMCLAB_COMMANDS_H

/* Exit statuses. 0: something was judged (or printed) and there was no fail. */
enum {
    EXIT_FOUND = 1,    /* a `fail`, or bytes that could not be delivered */
    EXIT_USAGE = 2,    /* the command line is wrong */
    EXIT_INPUT = 3,    /* input unreadable or corrupt, or output not writable */
    EXIT_NOTHING = 77, /* nothing could be judged here; what is missing was said */
};

/* The status that counts of two: 2 before 1 before 3 before 77 before 0. */
int smclab_worse(int x, int y);

/* What the program calls itself on standard error: "smclab check: …", a line. Returns `status`. */
int smclab_complain(int status, const char *command, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a wrong command line, and where help is. Returns EXIT_USAGE. */
int smclab_bad_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

int cmd_check(int argc, char **argv);
int cmd_decode(int argc, char **argv);
int cmd_follow(int argc, char **argv);
int cmd_requirements(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_explore(int argc, char **argv);
int cmd_experiment(int argc, char **argv);
int cmd_ivshmem_server(int argc, char **argv);
int cmd_matrix(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_ss(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_vm(int argc, char **argv);

#endif

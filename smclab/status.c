/* What all subcommands share: which exit status counts, how they complain.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include <stdarg.h>
#include <stdio.h>

static int rank(int status)
{
    switch (status) {
    case 0:
        return 0;
    case EXIT_NOTHING:
        return 1;
    case EXIT_INPUT:
        return 2;
    case EXIT_FOUND:
        return 3;
    default:
        return 4;
    }
}

int smclab_worse(int x, int y)
{
    return rank(x) >= rank(y) ? x : y;
}

int smclab_complain(int status, const char *command, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "smclab %s: ", command);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return status;
}

int smclab_bad_usage(const char *command, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "smclab %s: ", command);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nTry `smclab %s --help`.\n", command);
    return EXIT_USAGE;
}

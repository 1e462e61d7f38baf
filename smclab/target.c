/* Which program has a target: this one, or the one beside it that links ns-3.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "target.h"

#include "commands.h"

#include "scenarios/engine/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct script_target *brought;

void smclab_bring_target(const struct script_target *target)
{
    brought = target;
}

const struct script_target *smclab_brought_target(const char *name)
{
    return brought != NULL && strcmp(brought->name, name) == 0 ? brought : NULL;
}

/* "/usr/bin/smclab-ns3" if this is "/usr/bin/smclab". */
static int beside(const char *name, char *out, size_t room)
{
    ssize_t n = readlink("/proc/self/exe", out, room - 1);
    if (n <= 0)
        return -1;
    out[n] = '\0';
    char *slash = strrchr(out, '/');
    if (slash == NULL || (size_t)(slash + 1 - out) + strlen(name) >= room)
        return -1;
    strcpy(slash + 1, name);
    return access(out, X_OK);
}

int smclab_become_ns3(char **argv)
{
    char path[4096];
    size_t n = 0;
    while (argv[n] != NULL)
        n++;
    char **line = calloc(n + 2, sizeof(*line));
    if (line != NULL && beside("smclab-ns3", path, sizeof(path)) == 0) {
        line[0] = path;
        memcpy(line + 1, argv, n * sizeof(*argv));
        fflush(NULL);
        execv(path, line);
    }
    free(line);
    return smclab_complain(EXIT_NOTHING, argv[0],
                           "no smclab-ns3 beside this program: install g++ libns3-dev libgsl-dev libsqlite3-dev libxml2-dev and build again");
}

/* What this program and this machine are.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "origin.h"

#include "commit.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

void experiment_line(char *to, unsigned room, const char *text)
{
    unsigned n = 0;
    for (; *text != '\0' && n + 1 < room; text++)
        to[n++] = (unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text;
    to[n] = '\0';
}

static void processor(char *out, size_t room)
{
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(out, room, "unknown processor");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || colon == NULL)
            continue;
        line[strcspn(line, "\n")] = '\0';
        experiment_line(out, (unsigned)room, colon + (colon[1] == ' ' ? 2 : 1));
        break;
    }
    if (file != NULL)
        fclose(file);
}

void experiment_origin_fill(struct experiment_origin *o)
{
    struct utsname system;
    char name[128];
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    processor(name, sizeof(name));
    if (uname(&system) != 0)
        strcpy(system.sysname, "unknown"), strcpy(system.machine, "machine");
    snprintf(o->machine, sizeof(o->machine), "%.32s %.32s, %s, %ld processors", system.sysname, system.machine, name, count);
    snprintf(o->commit, sizeof(o->commit), "%s", EXPERIMENT_COMMIT);
    snprintf(o->build, sizeof(o->build), "smclab %s, %s", SMCLAB_VERSION, EXPERIMENT_BUILD);
}

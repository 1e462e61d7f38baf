/* The agent's verbs about parameters of modules, and about memory that the kernel has lost (kmemleak).
 * SPDX-License-Identifier: BSD-3-Clause */
#include "agent.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

enum { LEAKS_MOST = 64 * 1024 };
#define KMEMLEAK "/sys/kernel/debug/kmemleak"

static bool plain(const char *name)
{
    for (const char *p = name; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && *p != '_')
            return false;
    return *name != '\0';
}

static int verb_parameter(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    const char *module, *name, *value = agent_line_get(line, "value");
    char path[200], now[200] = "";
    int status = agent_need(a, line, "module", &module);
    if (status == 0)
        status = agent_need(a, line, "name", &name);
    if (status != 0)
        return status;
    if (!plain(module) || !plain(name) ||
        (size_t)snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, name) >= sizeof(path))
        return agent_fail(a, EINVAL, "names have letters, digits and underscores");
    if (access(path, F_OK) != 0)
        return agent_fail(a, ENOENT, "%.40s has no parameter %.40s", module, name);
    if (value != NULL && (status = agent_write_file(path, value)) != 0)
        return agent_fail(a, status, "%.40s.%.40s does not take this", module, name);
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(now, sizeof(now), file) == NULL)
        now[0] = '\0';
    if (file != NULL)
        fclose(file);
    now[strcspn(now, "\n")] = '\0';
    agent_text_pair(answer, "value", now);
    return 0;
}

/* ---- Leaks ---- */
static int scan(void *user)
{
    (void)user;
    return agent_write_file(KMEMLEAK, "scan");
}

static void print_leaks(struct agent_text *answer, FILE *file)
{
    struct agent_text text = {0};
    char line[512];
    unsigned count = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        count += strncmp(line, "unreferenced object", 19) == 0;
        if (text.length < LEAKS_MOST)
            agent_text_print(&text, "%s", line);
    }
    agent_text_print(&text, "%s", "");
    agent_text_add(&text, "", 1);
    agent_text_print(answer, " count=%u", count);
    if (!text.failed)
        agent_text_pair(answer, "text", text.p);
    agent_text_free(&text);
}

static int verb_leaks(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    uint64_t wanted = 0;
    int status = agent_may_number(a, line, "scan", 1, &wanted);
    if (status != 0)
        return status;
    if (access(KMEMLEAK, F_OK) != 0)
        (void)mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
    FILE *file = fopen(KMEMLEAK, "re");
    if (file == NULL)
        return agent_fail(a, ENOENT, "this kernel does not look for leaks (CONFIG_DEBUG_KMEMLEAK)");
    if (wanted == 1)
        status = agent_child_slowly(a, "leaks", scan, NULL);
    else
        print_leaks(answer, file);
    fclose(file);
    return status;
}

const struct agent_verb agent_verbs_module[] = {
    {"parameter", "module name value", verb_parameter}, {"leaks", "scan", verb_leaks}, {NULL, NULL, NULL}};

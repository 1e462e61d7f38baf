/* Which scenarios a command line means.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 32 }; /* a loop of symbolic links ends there */

static int add(struct run_files *files, const char *path)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->paths[i], path) == 0)
            return 0;
    if (files->count == files->room) {
        size_t room = files->room == 0 ? 64 : files->room * 2;
        char **grown = realloc(files->paths, room * sizeof(*grown));
        if (grown == NULL)
            return -1;
        files->paths = grown;
        files->room = room;
    }
    files->paths[files->count] = strdup(path);
    return files->paths[files->count] != NULL ? (int)(files->count++, 0) : -1;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool is_scenario(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".lua") == 0;
}

static int add_folder(struct run_files *files, const char *path, unsigned depth);

static int add_entry(struct run_files *files, const char *folder, const char *name, unsigned depth)
{
    struct stat status;
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (path == NULL)
        return -1;
    snprintf(path, size, "%s/%s", folder, name);
    int error = 0;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        error = add_folder(files, path, depth + 1);
    else if (is_scenario(name))
        error = add(files, path);
    free(path);
    return error;
}

static int add_folder(struct run_files *files, const char *path, unsigned depth)
{
    struct dirent **entries;
    if (depth > DEPTH_MAX) {
        errno = ELOOP;
        return -1;
    }
    int n = scandir(path, &entries, not_hidden, by_bytes), error = n < 0 ? -1 : 0;
    for (int i = 0; i < n; i++) {
        if (error == 0)
            error = add_entry(files, path, entries[i]->d_name, depth);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return error;
}

int run_files_add(struct run_files *files, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
        return add(files, path); /* what cannot be read is an error of that run */
    char *folder = strdup(path);
    if (folder == NULL)
        return -1;
    for (size_t n = strlen(folder); n > 1 && folder[n - 1] == '/'; n--)
        folder[n - 1] = '\0';
    int error = add_folder(files, folder, 0);
    free(folder);
    return error;
}

void run_files_free(struct run_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->paths[i]);
    free(files->paths);
}

/* Runs a fuzz target over files and folders of files: how a corpus becomes an ordinary test, with any compiler.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A target may define it to prepare itself, as under libFuzzer. */
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static unsigned long inputs;

static void give_up(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(EXIT_FAILURE);
}

static void replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    /* A block of exactly this size, so that the sanitizer sees the first byte read too far. */
    uint8_t *data = malloc(size > 0 ? size : 1);
    if (file == NULL || data == NULL || fread(data, 1, size, file) != size)
        give_up(path);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    inputs++;
    free(data);
}

static void replay(const char *path);

static void replay_folder(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0)
        give_up(folder);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        size_t room = strlen(folder) + strlen(name) + 2;
        char *path = malloc(room);
        if (path == NULL)
            give_up(folder);
        snprintf(path, room, "%s/%s", folder, name);
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            replay(path);
        free(path);
        free(entries[i]);
    }
    free(entries);
}

static void replay(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        give_up(path);
    if (S_ISDIR(status.st_mode))
        replay_folder(path);
    else
        replay_file(path, (size_t)status.st_size);
}

int main(int argc, char **argv)
{
    if (LLVMFuzzerInitialize != NULL)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%lu inputs\n", inputs);
    if (inputs == 0)
        fprintf(stderr, "usage: %s FILE|FOLDER…; nothing was replayed\n", argv[0]);
    return inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

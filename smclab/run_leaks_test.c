/* Does a run tell what memory a kernel has lost? Agents of three kinds, played by another process.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "run_leaks.h"

#include "testing/check_main.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Answers "leaks scan=1" and "leaks"; `lost` NULL: its kernel does not look. Leaves after the last answer. */
static void play(int fd, const char *lost)
{
    FILE *in = fdopen(dup(fd), "r"), *out = fdopen(fd, "w");
    char line[256], rest[128];
    unsigned long number;
    while (in != NULL && out != NULL && fgets(line, sizeof(line), in) != NULL && sscanf(line, "%lu %127[^\n]", &number, rest) == 2) {
        if (lost == NULL)
            fprintf(out, "%lu error ENOENT no kmemleak\n", number);
        else if (strcmp(rest, "leaks scan=1") == 0)
            fprintf(out, "* socket id=1\n%lu ok\n* leaks error=\n", number);
        else
            fprintf(out, "%lu ok %s\n", number, lost);
        fflush(out);
    }
    _exit(0);
}

static int ask(const char *lost, bool silent, char *out, size_t size)
{
    int ends[2], status;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        if (silent)
            _exit(0);
        play(ends[1], lost);
    }
    close(ends[1]);
    int result = run_leaks(ends[0], out, size);
    close(ends[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return result;
}

START_TEST(what_is_lost_is_told)
{
    char out[400];
    ck_assert_int_eq(ask("count=0 text=", false, out, sizeof(out)), 0);
    ck_assert_int_eq(ask("count=2 text=unreferenced%20object%0a%20%20smc_one", false, out, sizeof(out)), 1);
    ck_assert_str_eq(out, "2 objects of the kernel's memory are lost; the first:\nunreferenced object\n  smc_one");
    ck_assert_int_eq(ask(NULL, false, out, sizeof(out)), 0);
    ck_assert_int_eq(ask(NULL, true, out, sizeof(out)), -1);
    ck_assert_ptr_nonnull(strstr(out, "does not say"));
}
END_TEST

static Suite *leaks_suite(void)
{
    Suite *s = suite_create("leaks");
    TCase *t = tcase_create("leaks");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_is_lost_is_told);
    suite_add_tcase(s, t);
    return s;
}

CHECK_MAIN(leaks_suite)

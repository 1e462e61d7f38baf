/* Runs a plan in a child process, so that a crash or an endless loop ends only the child.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "apart.h"

#include <smc/error.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a crash says of itself: the line of an assertion or of a sanitizer. */
static bool find_cause(FILE *errors, char *out, size_t size)
{
    static const char *const marks[] = {"ERROR: AddressSanitizer", "runtime error:", "Assertion `", "LeakSanitizer"};
    char line[1024];
    rewind(errors);
    while (fgets(line, sizeof(line), errors) != NULL) {
        for (unsigned i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
            if (strstr(line, marks[i]) == NULL)
                continue;
            size_t n = strcspn(line, "\n");
            n = n < size - 1 ? n : size - 1;
            memcpy(out, line, n);
            out[n] = '\0';
            return true;
        }
    }
    return false;
}

/* Without the numbers that change from run to run: process ids, addresses. */
static void plain_kind(const char *cause, char *out, size_t size)
{
    size_t n = 0;
    for (const char *p = cause; *p != '\0' && n + 1 < size; p++) {
        if (strncmp(p, "0x", 2) == 0) {
            while (p[1] != '\0' && strchr("x0123456789abcdef", p[1]) != NULL)
                p++;
            out[n++] = '#';
        } else if (*p == '=' && p[1] == '=') {
            while (p[1] == '=' || (p[1] >= '0' && p[1] <= '9'))
                p++;
        } else {
            out[n++] = *p;
        }
    }
    out[n] = '\0';
}

void explore_crashed(int status, FILE *errors, struct explore_outcome *out)
{
    char cause[320] = "";
    memset(out, 0, sizeof(*out));
    out->failed = true;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        snprintf(out->kind, sizeof(out->kind), "hangs");
        snprintf(out->why, sizeof(out->why), "the run hangs: %d seconds were not enough", EXPLORE_SECONDS);
    } else if (find_cause(errors, cause, sizeof(cause))) {
        char kind[EXPLORE_KIND - 8];
        plain_kind(cause, kind, sizeof(kind));
        snprintf(out->kind, sizeof(out->kind), "crash: %s", kind);
        snprintf(out->why, sizeof(out->why), "crash: %s", cause);
    } else if (WIFSIGNALED(status)) {
        snprintf(out->kind, sizeof(out->kind), "crash: signal %d", WTERMSIG(status));
        snprintf(out->why, sizeof(out->why), "the run crashed: %s", strsignal(WTERMSIG(status)));
    } else {
        snprintf(out->kind, sizeof(out->kind), "crash: exit status");
        snprintf(out->why, sizeof(out->why), "the run ended with exit status %d", WEXITSTATUS(status));
    }
}

bool explore_write_all(int to, const void *bytes, size_t n)
{
    const char *p = bytes;
    while (n > 0) {
        ssize_t put = write(to, p, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        p += put;
        n -= (size_t)put;
    }
    return true;
}

bool explore_read_all(int from, void *bytes, size_t n)
{
    char *p = bytes;
    while (n > 0) {
        ssize_t got = read(from, p, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        p += got;
        n -= (size_t)got;
    }
    return true;
}

static _Noreturn void child(const struct explore_plan *plan, const char *capture, int to, FILE *errors)
{
    struct explore_outcome outcome;
    dup2(fileno(errors), STDERR_FILENO);
    alarm(EXPLORE_SECONDS);
    explore_run(plan, capture, &outcome);
    _exit(explore_write_all(to, &outcome, sizeof(outcome)) ? 0 : 1);
}

int explore_run_apart(const struct explore_plan *plan, const char *capture, struct explore_outcome *out)
{
    int ends[2], status = 0;
    FILE *errors = tmpfile();
    if (errors == NULL)
        return SMC_ERR_IO;
    if (pipe(ends) != 0) {
        fclose(errors);
        return SMC_ERR_IO;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        child(plan, capture, ends[1], errors);
    close(ends[1]);
    bool told = pid > 0 && explore_read_all(ends[0], out, sizeof(*out));
    close(ends[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid > 0 && !told) {
        explore_crashed(status, errors, out);
        out->faults = plan->fault_count;
    }
    fclose(errors);
    return pid > 0 ? 0 : SMC_ERR_IO;
}

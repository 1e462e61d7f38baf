/* A CSV that only ever grows by whole lines, and is believed only as far as it says whose it is.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include "statistics.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char first_line[] = "# smclab experiment 1";
enum { HEAD_ROOM = 8192 };

struct problem {
    char *text;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static int wrong(const struct problem *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(p->text, p->size, format, args);
    va_end(args);
    return -1;
}

/* ---- The head ---- */
/* What must be the same to go on. */
static unsigned identity(const struct experiment_origin *o, const char *names[8], const char *values[8])
{
    const char *const n[] = {"sha256", "engine", "sweep", "commit", "build", "machine"};
    const char *const v[] = {o->sha256, o->engine, o->sweep, o->commit, o->build, o->machine};
    for (unsigned i = 0; i < 6; i++) {
        names[i] = n[i];
        values[i] = v[i];
    }
    return 6;
}

static void print_origin(const struct experiment_table *t, FILE *out)
{
    const struct experiment_origin *o = t->origin;
    const char *names[8], *values[8];
    unsigned n = identity(o, names, values);
    fprintf(out, "%s\n# title: %s\n# experiment: %s\n", first_line, o->title, o->file);
    for (unsigned i = 0; i < n; i++)
        fprintf(out, "# %s: %s\n", names[i], values[i]);
    fprintf(out, "# seeds: %s\n# command: %s\n# units:", o->seeds, o->command);
    for (unsigned i = 0; i < t->plan->measure_count; i++)
        fprintf(out, " %s=%s", t->plan->measures[i], t->units[i]);
    fputc('\n', out);
}

static void print_columns(const struct experiment_table *t, FILE *out)
{
    for (unsigned i = 0; i < t->plan->parameter_count; i++)
        fprintf(out, "%s,", t->plan->parameters[i].name);
    fputs("seed", out);
    for (unsigned i = 0; i < t->plan->measure_count; i++)
        fprintf(out, ",%s", t->plan->measures[i]);
    fputc('\n', out);
}

static void print_values_of(const struct experiment_table *t, size_t point, FILE *out)
{
    struct script_point p = experiment_plan_point(t->plan, point);
    for (unsigned i = 0; i < t->plan->parameter_count; i++)
        fprintf(out, "%s,", t->plan->parameters[i].values[p.index[i]]);
}

static size_t index_of(const struct experiment_table *t, size_t point, unsigned repetition)
{
    return point * t->plan->repetitions + repetition;
}

static void print_row(const struct experiment_table *t, size_t point, unsigned repetition, FILE *out)
{
    const double *values = &t->values[index_of(t, point, repetition) * t->plan->measure_count];
    print_values_of(t, point, out);
    fprintf(out, "%" PRIu64, t->first_seed + repetition);
    for (unsigned i = 0; i < t->plan->measure_count; i++)
        fprintf(out, ",%.10g", values[i]);
    fputc('\n', out);
}

/* ---- Reading ---- */
struct reader {
    struct experiment_table *table;
    const struct problem *problem;
    unsigned line;
};

static int bad_line(const struct reader *r, const char *what)
{
    return wrong(r->problem, "%s, line %u: %s; --fresh begins anew, another --out keeps it", r->table->path, r->line, what);
}

static int check_comment(struct reader *r, const char *text)
{
    const char *names[8], *values[8];
    unsigned n = identity(r->table->origin, names, values);
    for (unsigned i = 0; i < n; i++) {
        size_t length = strlen(names[i]);
        if (strncmp(text, "# ", 2) != 0 || strncmp(text + 2, names[i], length) != 0 || strncmp(text + 2 + length, ": ", 2) != 0)
            continue;
        if (strcmp(text + 4 + length, values[i]) != 0)
            return wrong(r->problem, "%s was made with %s \"%s\", this would be \"%s\"; --fresh begins anew, another --out keeps it",
                         r->table->path, names[i], text + 4 + length, values[i]);
    }
    return 0;
}

/* "# units: a=us b=Mbit/s" */
static int read_units(struct reader *r, const char *text)
{
    struct experiment_table *t = r->table;
    if (strncmp(text, "# units:", 8) != 0)
        return 0;
    text += 8;
    for (unsigned i = 0; i < t->plan->measure_count; i++) {
        size_t length = strlen(t->plan->measures[i]);
        if (*text != ' ' || strncmp(text + 1, t->plan->measures[i], length) != 0 || text[1 + length] != '=')
            return bad_line(r, "other measures than the experiment has");
        text += length + 2;
        const char *end = text; /* a unit may have blanks: it ends before the next name, or with the line */
        char next[SCRIPT_NAME + 4];
        snprintf(next, sizeof(next), " %s=", i + 1 < t->plan->measure_count ? t->plan->measures[i + 1] : "");
        end = i + 1 < t->plan->measure_count ? strstr(text, next) : text + strlen(text);
        if (end == NULL || end - text >= SCRIPT_UNIT)
            return bad_line(r, "other units than smclab experiment writes");
        memcpy(t->units[i], text, (size_t)(end - text));
        t->units[i][end - text] = '\0';
        text = end;
    }
    t->units_known = true;
    return 0;
}

/* One field, ended by ',' or the end of the line; *text goes on behind it. */
static char *field(char **text)
{
    char *start = *text, *end = start + strcspn(start, ",");
    *text = *end == ',' ? end + 1 : NULL;
    *end = '\0';
    return start;
}

static int read_point(struct reader *r, char **text, size_t *point)
{
    const struct experiment_plan *plan = r->table->plan;
    *point = 0;
    for (unsigned i = 0; i < plan->parameter_count; i++) {
        const struct plan_parameter *p = &plan->parameters[i];
        const char *value = *text != NULL ? field(text) : "";
        unsigned k = 0;
        while (k < p->count && strcmp(p->values[k], value) != 0)
            k++;
        if (k == p->count || *text == NULL)
            return bad_line(r, "a value that the experiment's parameters do not have");
        *point = *point * p->count + k;
    }
    return 0;
}

static int read_seed(struct reader *r, char **text, unsigned *repetition)
{
    char *end, *value = field(text);
    errno = 0;
    uint64_t seed = strtoull(value, &end, 10);
    if (errno != 0 || *value < '0' || *value > '9' || *end != '\0')
        return bad_line(r, "the seed is no number");
    if (seed < r->table->first_seed || seed - r->table->first_seed >= r->table->plan->repetitions)
        return bad_line(r, "a seed that this sweep does not have");
    *repetition = (unsigned)(seed - r->table->first_seed);
    return 0;
}

static int read_measures(struct reader *r, char **text, double *values)
{
    for (unsigned i = 0; i < r->table->plan->measure_count; i++) {
        if (*text == NULL)
            return bad_line(r, "too few fields");
        char *end, *value = field(text);
        values[i] = strtod(value, &end);
        if (end == value || *end != '\0' || !isfinite(values[i]))
            return bad_line(r, "a measured value is no number");
    }
    return *text == NULL ? 0 : bad_line(r, "too many fields");
}

static int read_row(struct reader *r, char *text)
{
    struct experiment_table *t = r->table;
    size_t point = 0;
    unsigned repetition = 0;
    double values[SCRIPT_MEASURES];
    if (!t->units_known)
        return bad_line(r, "results before their units");
    if (read_point(r, &text, &point) != 0 || read_seed(r, &text, &repetition) != 0 || read_measures(r, &text, values) != 0)
        return -1;
    size_t at = index_of(t, point, repetition);
    if (t->have[at])
        return bad_line(r, "a run that was there before");
    memcpy(&t->values[at * t->plan->measure_count], values, t->plan->measure_count * sizeof(values[0]));
    t->have[at] = true;
    t->done++;
    t->resumed++;
    return 0;
}

static int check_columns(struct reader *r, const char *text)
{
    char *wanted = NULL;
    size_t size;
    FILE *out = open_memstream(&wanted, &size);
    if (out == NULL)
        return wrong(r->problem, "out of memory");
    print_columns(r->table, out);
    int same = fclose(out) == 0 && strlen(text) + 1 == size && strncmp(text, wanted, size - 1) == 0;
    free(wanted);
    return same ? 0 : bad_line(r, "other columns than the experiment has");
}

static int read_lines(struct reader *r, char *bytes, size_t length)
{
    bool columns = false;
    for (char *at = bytes; at < bytes + length; r->line++) {
        char *end = memchr(at, '\n', (size_t)(bytes + length - at)); /* the last line ends too */
        *end = '\0';
        int bad = strlen(at) != (size_t)(end - at)            ? bad_line(r, "a zero byte: no text")
                  : r->line == 1 && strcmp(at, first_line) != 0 ? bad_line(r, "not a table of smclab experiment")
                  : *at == '#' && !columns                      ? check_comment(r, at) != 0 || read_units(r, at) != 0
                  : !columns                                    ? check_columns(r, at)
                                                                : read_row(r, at);
        if (bad != 0)
            return -1;
        columns |= *at != '#';
        at = end + 1;
    }
    return columns ? 1 : 0;
}

/* Whole lines only; a head that never got its end counts as nothing. */
static int read_bytes(struct reader *r, char *bytes, size_t length)
{
    while (length > 0 && bytes[length - 1] != '\n')
        length--;
    int whole = read_lines(r, bytes, length);
    r->table->bytes = whole == 1 ? length : 0;
    if (whole == 0)
        r->table->units_known = false;
    return whole < 0 ? -1 : 0;
}

static int read_file(struct experiment_table *t, const struct problem *problem)
{
    struct stat info;
    struct reader r = {t, problem, 1};
    if (fstat(t->fd, &info) != 0)
        return wrong(problem, "%s: %s", t->path, strerror(errno));
    if (!S_ISREG(info.st_mode) || info.st_size > TABLE_BYTES_MAX)
        return wrong(problem, "%s: %s", t->path, S_ISREG(info.st_mode) ? "longer than 256 MiB" : "not a file");
    size_t length = (size_t)info.st_size, got = 0;
    char *bytes = malloc(length + 1);
    ssize_t n = 1;
    while (bytes != NULL && got < length && (n = pread(t->fd, bytes + got, length - got, (off_t)got)) > 0)
        got += (size_t)n;
    int bad = bytes == NULL || n < 0 ? wrong(problem, "%s: %s", t->path, strerror(errno)) : read_bytes(&r, bytes, got);
    free(bytes);
    return bad;
}

/* ---- Writing ---- */
static int write_all(int fd, const char *bytes, size_t length, uint64_t at)
{
    while (length > 0) {
        ssize_t n = pwrite(fd, bytes, length, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        bytes += n;
        at += (uint64_t)n;
        length -= (size_t)n;
    }
    return 0;
}

static int append(struct experiment_table *t, const char *bytes, size_t length, const struct problem *problem)
{
    if (write_all(t->fd, bytes, length, t->bytes) == 0) {
        t->bytes += length;
        return 0;
    }
    int why = errno;
    (void)!ftruncate(t->fd, (off_t)t->bytes);
    return wrong(problem, "%s: %s; what was measured before is kept", t->path, strerror(why));
}

static int take_measures(struct experiment_table *t, size_t at, const struct script_measure *measures, unsigned count,
                         const struct problem *problem)
{
    for (unsigned i = 0; i < t->plan->measure_count; i++) {
        unsigned k = 0;
        while (k < count && strcmp(measures[k].name, t->plan->measures[i]) != 0)
            k++;
        if (k == count)
            return wrong(problem, "the script did not tell the measure %s", t->plan->measures[i]);
        if (t->units_known && strcmp(t->units[i], measures[k].unit) != 0)
            return wrong(problem, "the measure %s was in %s before and is in %s now", t->plan->measures[i], t->units[i], measures[k].unit);
        memcpy(t->units[i], measures[k].unit, SCRIPT_UNIT);
        t->values[at * t->plan->measure_count + i] = measures[k].value;
    }
    if (count != t->plan->measure_count)
        return wrong(problem, "the script told %u measures, the experiment has %u", count, t->plan->measure_count);
    t->units_known = true;
    return 0;
}

int experiment_table_add(struct experiment_table *t, size_t point, unsigned repetition, const struct script_measure *measures,
                         unsigned count, char *error, size_t error_size)
{
    const struct problem problem = {error, error_size};
    size_t at = index_of(t, point, repetition), size = 0;
    char *text = NULL;
    if (take_measures(t, at, measures, count, &problem) != 0)
        return -1;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return wrong(&problem, "out of memory");
    if (t->bytes == 0) {
        print_origin(t, out);
        print_columns(t, out);
    }
    print_row(t, point, repetition, out);
    int bad = fclose(out) != 0 ? wrong(&problem, "out of memory") : append(t, text, size, &problem);
    free(text);
    t->have[at] |= bad == 0;
    t->done += bad == 0;
    return bad;
}

/* Beside it first, then in its place: an interruption leaves one or the other. */
static int replace(const char *path, void (*print)(const struct experiment_table *t, FILE *out), const struct experiment_table *t,
                   const struct problem *problem)
{
    char *beside = malloc(strlen(path) + 5);
    if (beside == NULL)
        return wrong(problem, "out of memory");
    sprintf(beside, "%s.new", path);
    FILE *out = fopen(beside, "wb");
    int bad = out == NULL, why = errno;
    if (out != NULL) {
        print(t, out);
        bad = fflush(out) != 0 || ferror(out);
        why = errno;
        bad |= fclose(out) != 0;
        if (!bad && (bad = rename(beside, path) != 0))
            why = errno;
        if (bad)
            (void)remove(beside);
    }
    free(beside);
    return bad ? wrong(problem, "%s: %s", path, strerror(why)) : 0;
}

static void print_table(const struct experiment_table *t, FILE *out)
{
    print_origin(t, out);
    print_columns(t, out);
    for (size_t point = 0; point < t->plan->points; point++)
        for (unsigned i = 0; i < t->plan->repetitions; i++)
            print_row(t, point, i, out);
}

int experiment_table_sort(struct experiment_table *t, char *error, size_t error_size)
{
    const struct problem problem = {error, error_size};
    return replace(t->path, print_table, t, &problem);
}

/* ---- Opening, closing ---- */
static int allocate(struct experiment_table *t, const char *path, const struct problem *problem)
{
    t->runs = t->plan->points * t->plan->repetitions;
    if (t->runs > PLAN_POINTS_MAX)
        return wrong(problem, "the sweep has %zu runs, more than %d", t->runs, PLAN_POINTS_MAX);
    t->path = strdup(path);
    t->values = calloc(t->runs * t->plan->measure_count, sizeof(*t->values));
    t->have = calloc(t->runs, sizeof(*t->have));
    return t->path == NULL || t->values == NULL || t->have == NULL ? wrong(problem, "out of memory") : 0;
}

static int open_file(struct experiment_table *t, bool fresh, const struct problem *problem)
{
    t->fd = open(t->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (t->fd < 0)
        return wrong(problem, "%s: %s", t->path, strerror(errno));
    if (flock(t->fd, LOCK_EX | LOCK_NB) != 0)
        return wrong(problem, "%s: another smclab experiment is at work on it", t->path);
    if (!fresh && read_file(t, problem) != 0)
        return -1;
    if (ftruncate(t->fd, (off_t)t->bytes) != 0)
        return wrong(problem, "%s: %s", t->path, strerror(errno));
    return 0;
}

int experiment_table_open(struct experiment_table *t, const char *path, bool fresh, char *error, size_t error_size)
{
    const struct problem problem = {error, error_size};
    t->fd = -1;
    int bad = allocate(t, path, &problem);
    if (bad == 0)
        bad = open_file(t, fresh, &problem);
    if (bad != 0)
        experiment_table_close(t);
    return bad;
}

void experiment_table_close(struct experiment_table *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
    free(t->path);
    free(t->values);
    free(t->have);
    t->path = NULL;
    t->values = NULL;
    t->have = NULL;
}

bool experiment_table_has(const struct experiment_table *t, size_t point, unsigned repetition)
{
    return t->have[index_of(t, point, repetition)];
}

const double *experiment_table_get(const struct experiment_table *t, size_t point, unsigned repetition)
{
    return &t->values[index_of(t, point, repetition) * t->plan->measure_count];
}

/* ---- Summaries ---- */
struct experiment_summary experiment_summary_of(const struct experiment_table *t, size_t point, unsigned measure)
{
    double *values = calloc(t->plan->repetitions, sizeof(*values));
    size_t n = 0;
    for (unsigned i = 0; values != NULL && i < t->plan->repetitions; i++)
        if (experiment_table_has(t, point, i))
            values[n++] = experiment_table_get(t, point, i)[measure];
    struct experiment_summary s = experiment_summarize(values, n);
    free(values);
    return s;
}

static void print_summary(const struct experiment_table *t, size_t point, FILE *out)
{
    for (unsigned i = 0; i < t->plan->measure_count; i++) {
        struct experiment_summary s = experiment_summary_of(t, point, i);
        if (i == 0)
            fprintf(out, "%zu", s.count);
        if (s.count == 0)
            fputs(",,,", out);
        else if (s.count == 1)
            fprintf(out, ",%.10g,,", s.mean);
        else
            fprintf(out, ",%.10g,%.6g,%.6g", s.mean, s.deviation, s.interval);
    }
    fputc('\n', out);
}

static void print_summaries(const struct experiment_table *t, FILE *out)
{
    for (unsigned i = 0; i < t->plan->parameter_count; i++)
        fprintf(out, "%s,", t->plan->parameters[i].name);
    fputs("runs", out);
    for (unsigned i = 0; i < t->plan->measure_count; i++)
        fprintf(out, ",%s,%s_deviation,%s_ci95", t->plan->measures[i], t->plan->measures[i], t->plan->measures[i]);
    fputc('\n', out);
    for (size_t point = 0; point < t->plan->points; point++) {
        print_values_of(t, point, out);
        print_summary(t, point, out);
    }
}

int experiment_summary_print(const struct experiment_table *t, FILE *out)
{
    print_summaries(t, out);
    return ferror(out) ? -1 : 0;
}

static void print_summary_file(const struct experiment_table *t, FILE *out)
{
    print_origin(t, out);
    print_summaries(t, out);
}

int experiment_summary_write(const struct experiment_table *t, const char *path, char *error, size_t error_size)
{
    const struct problem problem = {error, error_size};
    return replace(path, print_summary_file, t, &problem);
}

/* A gnuplot script with the data in it, so that a figure can be made again, or otherwise, from one file.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "plot.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CURVES_MAX = 64, LABEL_ROOM = 256 };

/* Curves: each way to choose the parameters that are neither the axis nor fixed. */
struct curves {
    const struct experiment_table *table;
    const struct plan_plot *plot;
    unsigned count;
    struct script_point points[CURVES_MAX]; /* the axis at its first value */
};

static bool is_free(const struct plan_plot *plot, unsigned parameter)
{
    return parameter != plot->x && plot->fixed[parameter] < 0;
}

static void list_curves(struct curves *c)
{
    const struct experiment_plan *plan = c->table->plan;
    for (size_t i = 0; i < plan->points && c->count < CURVES_MAX; i++) {
        struct script_point p = experiment_plan_point(plan, i);
        bool first = p.index[c->plot->x] == 0;
        for (unsigned k = 0; k < plan->parameter_count; k++)
            first &= k == c->plot->x || c->plot->fixed[k] < 0 || (int)p.index[k] == c->plot->fixed[k];
        if (first)
            c->points[c->count++] = p;
    }
}

static size_t point_number(const struct experiment_plan *plan, const struct script_point *p)
{
    size_t number = 0;
    for (unsigned i = 0; i < plan->parameter_count; i++)
        number = number * plan->parameters[i].count + p->index[i];
    return number;
}

/* In gnuplot's single quotes. */
static void quote(const char *text, FILE *out)
{
    fputc('\'', out);
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputc('\'', out);
        fputc(*text, out);
    }
    fputc('\'', out);
}

/* The values that tell a curve from the others, that of `by` first. */
static void curve_label(const struct curves *c, unsigned curve, char out[LABEL_ROOM])
{
    const struct experiment_plan *plan = c->table->plan;
    const struct script_point *p = &c->points[curve];
    size_t n = 0;
    out[0] = '\0';
    if (c->plot->by >= 0)
        n = (size_t)snprintf(out, LABEL_ROOM, "%s", plan->parameters[c->plot->by].values[p->index[c->plot->by]]);
    for (unsigned i = 0; i < plan->parameter_count && n < LABEL_ROOM; i++)
        if (is_free(c->plot, i) && (int)i != c->plot->by && plan->parameters[i].count > 1)
            n += (size_t)snprintf(out + n, LABEL_ROOM - n, "%s%s %s", n > 0 ? ", " : "", plan->parameters[i].name,
                                  plan->parameters[i].values[p->index[i]]);
}

static void print_value(const struct curves *c, unsigned curve, unsigned x, FILE *out)
{
    struct script_point p = c->points[curve];
    p.index[c->plot->x] = x;
    struct experiment_summary s = experiment_summary_of(c->table, point_number(c->table->plan, &p), c->plot->y);
    if (s.count == 0)
        fputs(" NaN NaN", out);
    else
        fprintf(out, " %.10g %.6g", s.mean, isnan(s.interval) ? 0 : s.interval);
}

static void print_axis_data(const struct curves *c, FILE *out)
{
    const struct plan_parameter *x = &c->table->plan->parameters[c->plot->x];
    for (unsigned i = 0; i < c->count; i++) {
        fprintf(out, "$curve%u << end\n", i);
        for (unsigned k = 0; k < x->count; k++) {
            fputs(x->values[k], out);
            print_value(c, i, k, out);
            fputc('\n', out);
        }
        fputs("end\n", out);
    }
}

static void print_group_data(const struct curves *c, FILE *out)
{
    const struct plan_parameter *x = &c->table->plan->parameters[c->plot->x];
    fputs("$groups << end\n", out);
    for (unsigned k = 0; k < x->count; k++) {
        fprintf(out, "\"%s\"", x->values[k]);
        for (unsigned i = 0; i < c->count; i++)
            print_value(c, i, k, out);
        fputc('\n', out);
    }
    fputs("end\n", out);
}

static void print_settings(const struct curves *c, FILE *out)
{
    const struct experiment_table *t = c->table;
    const struct experiment_origin *o = t->origin;
    char text[3 * ORIGIN_TEXT];
    fputs("set encoding utf8\nset grid ytics lc rgb '#dddddd'\nset key outside top center horizontal noenhanced width 3\nset bmargin 7\n", out);
    fputs("set title ", out);
    quote(c->plot->title[0] != '\0' ? c->plot->title : t->plan->title, out);
    fputs(" noenhanced\nset xlabel ", out);
    quote(t->plan->parameters[c->plot->x].name, out);
    snprintf(text, sizeof(text), "%s [%s]", t->plan->measures[c->plot->y], t->units[c->plot->y]);
    fputs(" noenhanced\nset ylabel ", out);
    quote(text, out);
    fprintf(out, " noenhanced\n%s%s", c->plot->log_x ? "set logscale x\n" : "", c->plot->log_y ? "set logscale y\n" : "set yrange [0:*]\n");
    snprintf(text, sizeof(text), "%s   (engine %s, %s sweep, seeds %s, 95 %% confidence)", o->command, o->engine, o->sweep, o->seeds);
    fputs("set label 1 ", out);
    quote(text, out);
    snprintf(text, sizeof(text), "commit %s, %s; %s", o->commit, o->build, o->machine);
    fputs(" at screen 0.01,0.055 noenhanced font ',8' tc rgb '#555555'\nset label 2 ", out);
    quote(text, out);
    fputs(" at screen 0.01,0.025 noenhanced font ',8' tc rgb '#555555'\n", out);
}

static void print_plot(const struct curves *c, bool numeric, FILE *out)
{
    char label[LABEL_ROOM];
    if (!numeric)
        fputs("set style data histograms\nset style histogram errorbars gap 1 lw 1\nset style fill solid 0.8\nset boxwidth 0.9\n", out);
    fputs("plot", out);
    for (unsigned i = 0; i < c->count; i++) {
        curve_label(c, i, label);
        if (numeric)
            fprintf(out, "%s $curve%u using 1:2:3 with yerrorlines lw 1.5 pt 7 ps 0.5 title ", i > 0 ? "," : "", i);
        else
            fprintf(out, "%s $groups using %u:%u%s title ", i > 0 ? "," : "", 2 * i + 2, 2 * i + 3, i == 0 ? ":xtic(1)" : "");
        quote(label, out);
    }
    fputc('\n', out);
}

void experiment_plot_script(const struct experiment_table *table, unsigned plot, const char *stem, FILE *out)
{
    struct curves c = {.table = table, .plot = &table->plan->plots[plot]};
    bool numeric = table->plan->parameters[c.plot->x].numeric;
    char path[4096];
    list_curves(&c);
    fputs("# A figure of smclab experiment: gnuplot FILE makes it again.\n", out);
    if (numeric)
        print_axis_data(&c, out);
    else
        print_group_data(&c, out);
    print_settings(&c, out);
    snprintf(path, sizeof(path), "%s-%u.svg", stem, plot + 1);
    fputs("set terminal svg size 800,500 font 'sans,12' background 'white'\nset output ", out);
    quote(path, out);
    fputc('\n', out);
    print_plot(&c, numeric, out);
    snprintf(path, sizeof(path), "%s-%u.png", stem, plot + 1);
    fputs("set terminal png size 800,500\nset output ", out);
    quote(path, out);
    fputs("\nreplot\nset output\n", out);
}

/* ---- gnuplot ---- */
static int write_script(const struct experiment_table *t, unsigned plot, const char *stem, const char *path)
{
    FILE *out = fopen(path, "wb");
    if (out == NULL)
        return -1;
    experiment_plot_script(t, plot, stem, out);
    int bad = ferror(out);
    return fclose(out) != 0 || bad ? -1 : 0;
}

static enum plot_result run_gnuplot(const char *script)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("gnuplot", "gnuplot", script, (char *)NULL);
        _exit(errno == ENOENT ? 127 : 126);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid < 0 || !WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 127))
        return PLOT_FAILED;
    return WEXITSTATUS(status) == 127 ? PLOT_NO_GNUPLOT : PLOT_DONE;
}

static enum plot_result plot_one(const struct experiment_table *t, unsigned plot, const char *stem, char *error, size_t error_size)
{
    char path[4096];
    if (snprintf(path, sizeof(path), "%s-%u.gp", stem, plot + 1) >= (int)sizeof(path) || write_script(t, plot, stem, path) != 0) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        return PLOT_FAILED;
    }
    enum plot_result result = run_gnuplot(path);
    if (result == PLOT_FAILED)
        snprintf(error, error_size, "gnuplot could not make a figure of %s", path);
    if (result == PLOT_NO_GNUPLOT)
        snprintf(error, error_size, "there is no gnuplot here (Debian: gnuplot-nox): no figures; %s is what it would be given", path);
    return result;
}

enum plot_result experiment_plot_all(const struct experiment_table *t, const char *stem, char *error, size_t error_size)
{
    enum plot_result worst = PLOT_DONE;
    for (unsigned i = 0; i < t->plan->plot_count && worst != PLOT_FAILED; i++) {
        enum plot_result result = plot_one(t, i, stem, error, error_size);
        if (result != PLOT_DONE)
            worst = result;
    }
    return worst;
}

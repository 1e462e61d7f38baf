/* From the declaration, which the engine gives as JSON, to a plan.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "plan.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    struct experiment_plan *plan;
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 2, 3))) static int wrong(struct reading *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->error, r->error_size, format, args);
    va_end(args);
    return -1;
}

static bool is_number(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(value);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

/* ---- parameters and measures ---- */
static int read_parameters(struct reading *r)
{
    struct experiment_plan *p = r->plan;
    json_t *all = json_object_get(p->json, p->quick ? "quick" : "parameters"), *one, *value;
    size_t i, k, room = 0;
    json_array_foreach(all, i, one)
        room += json_array_size(json_object_get(one, "values"));
    const char **next = calloc(room + 1, sizeof(*next));
    p->arena = next;
    p->points = 1;
    if (next == NULL)
        return wrong(r, "out of memory");
    json_array_foreach(all, i, one) {
        struct plan_parameter *to = &p->parameters[p->parameter_count++];
        *to = (struct plan_parameter){.name = text_of(one, "name"), .values = next, .numeric = true};
        json_array_foreach(json_object_get(one, "values"), k, value) {
            next[to->count] = json_string_value(value);
            to->numeric &= is_number(next[to->count]);
            for (unsigned before = 0; before < to->count; before++)
                if (strcmp(next[before], next[to->count]) == 0)
                    return wrong(r, "the parameter %s has the value %s twice", to->name, next[before]);
            to->count++;
        }
        next += to->count;
        p->points *= to->count;
        if (p->points > PLAN_POINTS_MAX)
            return wrong(r, "the sweep has more than %d points", PLAN_POINTS_MAX);
    }
    return 0;
}

static int read_measures(struct reading *r)
{
    struct experiment_plan *p = r->plan;
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(p->json, "measures"), i, one) {
        const char *name = json_string_value(one);
        for (unsigned k = 0; k < p->measure_count; k++)
            if (strcmp(p->measures[k], name) == 0)
                return wrong(r, "the measure %s is named twice", name);
        for (unsigned k = 0; k < p->parameter_count; k++)
            if (strcmp(p->parameters[k].name, name) == 0)
                return wrong(r, "%s is a parameter and a measure", name);
        p->measures[p->measure_count++] = name;
    }
    return 0;
}

/* ---- figures ---- */
static int parameter_named(const struct experiment_plan *p, const char *name)
{
    for (unsigned i = 0; i < p->parameter_count; i++)
        if (strcmp(p->parameters[i].name, name) == 0)
            return (int)i;
    return -1;
}

static int measure_named(const struct experiment_plan *p, const char *name)
{
    for (unsigned i = 0; i < p->measure_count; i++)
        if (strcmp(p->measures[i], name) == 0)
            return (int)i;
    return -1;
}

/* A quick sweep may have left the value out: then the first one it has. */
static int value_named(const struct experiment_plan *p, int parameter, const char *value)
{
    for (unsigned i = 0; i < p->parameters[parameter].count; i++)
        if (strcmp(p->parameters[parameter].values[i], value) == 0)
            return (int)i;
    return p->quick ? 0 : -1;
}

static int read_where(struct reading *r, json_t *where, struct plan_plot *plot)
{
    const char *key;
    json_t *value;
    for (unsigned i = 0; i < SCRIPT_PARAMETERS; i++)
        plot->fixed[i] = -1;
    json_object_foreach(where, key, value) {
        int parameter = parameter_named(r->plan, key);
        if (parameter < 0)
            return wrong(r, "a plot's where: there is no parameter %s", key);
        plot->fixed[parameter] = value_named(r->plan, parameter, json_string_value(value));
        if (plot->fixed[parameter] < 0)
            return wrong(r, "a plot's where: %s is never %s", key, json_string_value(value));
    }
    return 0;
}

static int read_plot(struct reading *r, json_t *one)
{
    struct experiment_plan *p = r->plan;
    struct plan_plot *plot = &p->plots[p->plot_count];
    const char *log = text_of(one, "log"), *by = text_of(one, "by");
    int x = parameter_named(p, text_of(one, "x")), y = measure_named(p, text_of(one, "y"));
    if (x < 0)
        return wrong(r, "a plot's x: there is no parameter \"%s\"", text_of(one, "x"));
    if (y < 0)
        return wrong(r, "a plot's y: there is no measure \"%s\"", text_of(one, "y"));
    plot->by = by[0] != '\0' ? parameter_named(p, by) : -1;
    if (by[0] != '\0' && (plot->by < 0 || plot->by == x))
        return wrong(r, "a plot's by: there is no other parameter \"%s\"", by);
    if (strspn(log, "xy") != strlen(log))
        return wrong(r, "a plot's log is \"x\", \"y\" or \"xy\", not \"%s\"", log);
    plot->title = text_of(one, "title");
    plot->x = (unsigned)x;
    plot->y = (unsigned)y;
    plot->log_x = strchr(log, 'x') != NULL && p->parameters[x].numeric;
    plot->log_y = strchr(log, 'y') != NULL;
    p->plot_count++;
    return read_where(r, json_object_get(one, "where"), plot);
}

static int read_plots(struct reading *r)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(r->plan->json, "plots"), i, one)
        if (i == PLAN_PLOTS || read_plot(r, one) != 0)
            return -1;
    return 0;
}

/* ---- the whole ---- */
static int read_declaration(struct reading *r, const char *text)
{
    struct experiment_plan *p = r->plan;
    p->json = json_loads(text, 0, NULL);
    if (p->json == NULL)
        return wrong(r, "out of memory");
    p->repetitions = p->quick ? 1 : (unsigned)json_integer_value(json_object_get(p->json, "repetitions"));
    return read_parameters(r) != 0 || read_measures(r) != 0 || read_plots(r) != 0 ? -1 : 0;
}

static int read_script(struct reading *r, const struct script_result *script)
{
    struct experiment_plan *p = r->plan;
    if (script->verdict != SCRIPT_PASS)
        return wrong(r, "%s", script->reason);
    if (script->experiment == NULL)
        return wrong(r, "it has no experiment { … }: smclab run is for scenarios");
    memcpy(p->title, script->header.title, sizeof(p->title));
    memcpy(p->targets, script->header.targets, sizeof(p->targets));
    p->target_count = script->header.target_count;
    return read_declaration(r, script->experiment);
}

int experiment_plan_read(const char *path, bool quick, struct experiment_plan *out, char *error, size_t error_size)
{
    struct reading r = {out, error, error_size};
    memset(out, 0, sizeof(*out));
    out->quick = quick;
    struct script_result *script = calloc(1, sizeof(*script));
    if (script == NULL)
        return wrong(&r, "out of memory");
    const struct script_options options = {.path = path, .seed = 1, .experiment_only = true, .unwatched = true};
    script_run(&options, NULL, NULL, script);
    int bad = read_script(&r, script);
    script_result_free(script);
    free(script);
    if (bad != 0)
        experiment_plan_free(out);
    return bad;
}

void experiment_plan_free(struct experiment_plan *plan)
{
    free(plan->arena);
    json_decref(plan->json);
    plan->arena = plan->json = NULL;
}

struct script_point experiment_plan_point(const struct experiment_plan *plan, size_t point)
{
    struct script_point p = {.count = plan->parameter_count, .quick = plan->quick};
    for (unsigned i = plan->parameter_count; i-- > 0;) {
        p.index[i] = (unsigned)(point % plan->parameters[i].count);
        point /= plan->parameters[i].count;
    }
    return p;
}

void experiment_plan_label(const struct experiment_plan *plan, size_t point, char *out, size_t room)
{
    struct script_point p = experiment_plan_point(plan, point);
    size_t n = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < plan->parameter_count && n < room; i++)
        n += (size_t)snprintf(out + n, room - n, "%s%s=%s", i > 0 ? " " : "", plan->parameters[i].name,
                              plan->parameters[i].values[p.index[i]]);
}

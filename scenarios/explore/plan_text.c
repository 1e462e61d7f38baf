/* Plans as text: written, read back, checked before they are run.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAME(name) #name,
static const char *const plan_names[] = {EXPLORE_PLAN_FIELDS(NAME)};
static const char *const host_names[] = {EXPLORE_HOST_FIELDS(NAME)};
static const char *const link_names[] = {EXPLORE_LINK_FIELDS(NAME)};
static const char *const conn_names[] = {EXPLORE_CONN_FIELDS(NAME)};
static const char *const side_names[] = {EXPLORE_SIDE_FIELDS(NAME)};
static const char *const fault_names[] = {EXPLORE_FAULT_FIELDS(NAME)};
#undef NAME

#define FIELDS(list) {list, sizeof(list) / sizeof((list)[0])}
const struct explore_fields explore_plan_fields = FIELDS(plan_names), explore_host_fields = FIELDS(host_names),
                            explore_link_fields = FIELDS(link_names), explore_conn_fields = FIELDS(conn_names),
                            explore_side_fields = FIELDS(side_names), explore_fault_fields = FIELDS(fault_names);

_Static_assert(sizeof(struct explore_host) == sizeof(host_names) / sizeof(char *) * 8, "a host is a list of numbers");
_Static_assert(sizeof(struct explore_side) == sizeof(side_names) / sizeof(char *) * 8, "a side is a list of numbers");
_Static_assert(sizeof(struct explore_fault) == sizeof(fault_names) / sizeof(char *) * 8, "a fault is a list of numbers");

/* ---- writing ---- */
static void write_line(FILE *to, const char *prefix, const char *what, int number, const struct explore_fields *fields, const uint64_t *values)
{
    fprintf(to, "%s%s", prefix, what);
    if (number >= 0)
        fprintf(to, " %d", number);
    for (unsigned i = 0; i < fields->count; i++)
        if (values[i] != 0)
            fprintf(to, " %s=%" PRIu64, fields->names[i], values[i]);
    fputc('\n', to);
}

void explore_plan_write(const struct explore_plan *p, const char *prefix, FILE *to)
{
    fprintf(to, "%s# A plan of smclab explore, drawn from seed %" PRIu64 ": run it with smclab explore --plan FILE\n", prefix, p->seed);
    write_line(to, prefix, "plan", -1, &explore_plan_fields, &p->net_seed);
    for (unsigned i = 0; i < p->host_count; i++)
        write_line(to, prefix, "host", (int)i, &explore_host_fields, &p->hosts[i].profile);
    for (unsigned i = 0; i < p->link_count; i++)
        write_line(to, prefix, "link", (int)i, &explore_link_fields, &p->links[i].a);
    for (unsigned i = 0; i < p->conn_count; i++) {
        write_line(to, prefix, "conn", (int)i, &explore_conn_fields, &p->conns[i].client);
        write_line(to, prefix, "  client", -1, &explore_side_fields, &p->conns[i].side[0].bytes);
        write_line(to, prefix, "  server", -1, &explore_side_fields, &p->conns[i].side[1].bytes);
    }
    for (unsigned i = 0; i < p->fault_count; i++) {
        fprintf(to, "%s# %s\n", prefix, explore_fault_name(p->faults[i].kind));
        write_line(to, prefix, "fault", (int)i, &explore_fault_fields, &p->faults[i].kind);
    }
}

/* ---- reading ---- */
static bool read_field(char *word, const struct explore_fields *fields, uint64_t *values)
{
    char *equals = strchr(word, '='), *end;
    if (equals == NULL || equals[1] < '0' || equals[1] > '9')
        return false;
    *equals = '\0';
    for (unsigned i = 0; i < fields->count; i++) {
        if (strcmp(fields->names[i], word) == 0) {
            values[i] = strtoull(equals + 1, &end, 10);
            return *end == '\0';
        }
    }
    return false;
}

/* The struct that a line is about, one more of its kind; NULL: unknown word, or too many. */
static uint64_t *object_of(struct explore_plan *p, const char *word, const struct explore_fields **fields)
{
    if (strcmp(word, "plan") == 0)
        return *fields = &explore_plan_fields, &p->net_seed;
    if (strcmp(word, "host") == 0 && p->host_count < EXPLORE_HOSTS)
        return *fields = &explore_host_fields, &p->hosts[p->host_count++].profile;
    if (strcmp(word, "link") == 0 && p->link_count < EXPLORE_LINKS)
        return *fields = &explore_link_fields, &p->links[p->link_count++].a;
    if (strcmp(word, "conn") == 0 && p->conn_count < EXPLORE_CONNS)
        return *fields = &explore_conn_fields, &p->conns[p->conn_count++].client;
    if (strcmp(word, "fault") == 0 && p->fault_count < EXPLORE_FAULTS)
        return *fields = &explore_fault_fields, &p->faults[p->fault_count++].kind;
    *fields = &explore_side_fields;
    if (p->conn_count > 0 && strcmp(word, "client") == 0)
        return &p->conns[p->conn_count - 1].side[0].bytes;
    if (p->conn_count > 0 && strcmp(word, "server") == 0)
        return &p->conns[p->conn_count - 1].side[1].bytes;
    return NULL;
}

static bool read_line(struct explore_plan *p, char *line)
{
    char *rest, *word = strtok_r(line, " \t\r\n", &rest);
    const struct explore_fields *fields;
    if (word == NULL || word[0] == '#')
        return true;
    uint64_t *values = object_of(p, word, &fields);
    if (values == NULL)
        return false;
    bool first = true;
    while ((word = strtok_r(NULL, " \t\r\n", &rest)) != NULL) {
        if (!(first && strchr(word, '=') == NULL) && !read_field(word, fields, values))
            return false;
        first = false;
    }
    return true;
}

/* A scenario that explore wrote carries its plan in comments of a form of their own. */
static const char in_scenario[] = "--@ ";

bool explore_plan_read(FILE *from, struct explore_plan *out, char problem[256])
{
    char line[2048];
    unsigned number = 0;
    bool scenario = false;
    memset(out, 0, sizeof(*out));
    while (fgets(line, sizeof(line), from) != NULL) {
        scenario |= number++ == 0 && strncmp(line, "--", 2) == 0;
        bool plan = !scenario || strncmp(line, in_scenario, strlen(in_scenario)) == 0;
        if (plan && (strchr(line, '\n') == NULL || !read_line(out, line + (scenario ? strlen(in_scenario) : 0)))) {
            snprintf(problem, 256, "line %u is none of a plan", number);
            return false;
        }
    }
    out->seed = out->net_seed;
    return explore_plan_check(out, problem);
}

/* ---- checking: a plan may come from a file ---- */
static bool end_ok(const struct explore_plan *p, uint64_t end)
{
    return (end >= 100 && end < 102) || (end / 10 < p->host_count && end % 10 < p->hosts[end / 10].nics);
}

static bool device_ok(const struct explore_plan *p, uint64_t where)
{
    return where / 10 < p->host_count && where % 10 < 3 && (p->hosts[where / 10].devices >> where % 10 & 1) != 0;
}

static bool fault_ok(const struct explore_plan *p, const struct explore_fault *f)
{
    if (f->until < f->at || f->until > UINT64_C(1000000000000) || f->dir > 2)
        return false;
    switch (f->kind) {
    case EXPLORE_FAULT_RATES:
        return f->where < p->link_count && f->p <= 1000000 && f->q <= 1000000 && f->r <= 1000000 && f->s <= 1000000 && f->t <= 1000000;
    case EXPLORE_FAULT_MESSAGE: return f->where < p->link_count && f->p < explore_message_count;
    case EXPLORE_FAULT_FLAP:
    case EXPLORE_FAULT_PARTITION: return f->where < p->link_count;
    case EXPLORE_FAULT_ROCE_GONE:
    case EXPLORE_FAULT_ROCE: return f->where < 100 && end_ok(p, f->where) && p->hosts[f->where / 10].roce != 3;
    case EXPLORE_FAULT_DIBS:
    case EXPLORE_FAULT_DIBS_SLOW:
    case EXPLORE_FAULT_DIBS_GONE: return device_ok(p, f->where);
    case EXPLORE_FAULT_KILL: return f->where < p->host_count;
    default: return f->kind == EXPLORE_FAULT_MEMORY;
    }
}

static bool host_ok(const struct explore_host *h)
{
    return h->nics >= 1 && h->nics <= 8 && h->vlan < 4095 && h->roce <= 3 && h->devices < 8 && h->versions <= 2 && h->paths <= 2 &&
           h->machine < 100 && (h->max_conns == 0 || (h->max_conns >= 16 && h->max_conns <= 255)) && h->max_links <= 8 && h->rmbes <= 255 &&
           h->rmb <= 1 << 20 && h->sndbuf <= 1 << 20 && (h->mtu == 0 || (h->mtu >= 1280 && h->mtu <= 9000)) && h->dscp < 64;
}

bool explore_plan_check(const struct explore_plan *p, char problem[256])
{
    bool ok = p->host_count >= 2;
    snprintf(problem, 256, "two hosts at least");
    if (ok && (p->xoff > 1 << 30 || p->ecn > 1 << 30)) {
        ok = false;
        snprintf(problem, 256, "plan: a number is out of range");
    }
    for (unsigned i = 0; i < p->host_count && ok; i++) {
        ok = host_ok(&p->hosts[i]);
        snprintf(problem, 256, "host %u: a number is out of range", i);
    }
    for (unsigned i = 0; i < p->link_count && ok; i++) {
        ok = end_ok(p, p->links[i].a) && end_ok(p, p->links[i].b) && p->links[i].rate <= UINT64_C(1000000000000);
        snprintf(problem, 256, "link %u: no such end", i);
    }
    for (unsigned i = 0; i < p->conn_count && ok; i++) {
        const struct explore_conn *c = &p->conns[i];
        ok = c->client < p->host_count && c->server < p->host_count && c->client != c->server;
        for (unsigned s = 0; s < 2; s++)
            ok = ok && c->side[s].end < EXPLORE_ENDS && c->side[s].bytes <= UINT64_C(1) << 31 && c->side[s].hold <= UINT64_C(60000000000) && c->side[s].rmb <= 1 << 20 && c->side[s].sndbuf <= 1 << 20;
        snprintf(problem, 256, "conn %u: a number is out of range", i);
    }
    for (unsigned i = 0; i < p->fault_count && ok; i++) {
        ok = fault_ok(p, &p->faults[i]);
        snprintf(problem, 256, "fault %u: a number is out of range", i);
    }
    return ok;
}

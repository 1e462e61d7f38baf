/* Findings: counting evaluations, the verdict of a broken rule, limits, order.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "deviations.h"
#include "state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *judge_text(char *buf160, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(buf160, 160, format, args);
    va_end(args);
    return buf160;
}

const char *judge_hex(char *buf160, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    size_t fits = n < 78 ? n : 77; /* two digits each, and room for the dots */
    char *out = buf160;
    for (size_t i = 0; i < fits; i++) {
        *out++ = digits[p[i] >> 4];
        *out++ = digits[p[i] & 15];
    }
    strcpy(out, fits < n ? "..." : "");
    return buf160;
}

/* Rules of one side that what the other does next puts to the test. */
static bool shown_by_peer(enum judge_req req)
{
    switch (req) {
    case REQ_TCPOPT_007:
    case REQ_CLC_039:
    case REQ_CLC_075:
    case REQ_LLC_015:
    case REQ_LLC_016:
    case REQ_LLC_029:
    case REQ_LLC_031:
    case REQ_LLC_055:
    case REQ_LLC_068:
    case REQ_CURSOR_007:
    case REQ_CURSOR_008:
    case REQ_CURSOR_017:
    case REQ_CURSOR_026:
    case REQ_FAILOVER_004:
    case REQ_CLOSE_028:
        return true;
    default:
        return false;
    }
}

bool judge_holds(struct judge *j, enum judge_req req, bool ok)
{
    j->result.exercised[req]++;
    j->counted = j->acting < 0 ? -1 : shown_by_peer(req) ? !j->acting : j->acting;
    if (j->counted >= 0)
        j->result.exercised_by[j->counted][req]++;
    j->any_broken = !ok;
    j->broken = req;
    return ok;
}

/* Whose rule it was: what one side does shows what the other has left undone. */
static void broken_by(struct judge *j, const struct judge_case *c)
{
    if (c->side < 0)
        return;
    bool counted = j->any_broken && j->broken == c->req && j->counted >= 0;
    if (counted && j->counted != c->side)
        j->result.exercised_by[j->counted][c->req]--;
    if (!counted || j->counted != c->side)
        j->result.exercised_by[c->side][c->req]++;
    j->any_broken = false;
}

static bool excused(const char *deviation, int side, const struct judge_options *options)
{
    if (deviation == NULL || options->strict)
        return false;
    if (side >= 0)
        return options->implementation[side] != JUDGE_IMPL_OTHER;
    return options->implementation[0] != JUDGE_IMPL_OTHER || options->implementation[1] != JUDGE_IMPL_OTHER;
}

enum judge_verdict judge_verdict_of(enum judge_level level, bool impl_binds, const char *deviation, int side,
                                    const struct judge_options *options)
{
    if (level == JUDGE_MAY || (level == JUDGE_IMPL && !impl_binds))
        return JUDGE_VERDICTS;
    if (excused(deviation, side, options))
        return JUDGE_DEVIATION;
    return level == JUDGE_SHOULD ? JUDGE_WARN : JUDGE_FAIL;
}

static bool impl_binds(const struct judge_case *c)
{
    if (c->v2)
        return true;
    if (c->conn != NULL && (c->conn->mode == TRACE_MODE_SMCD || c->conn->version >= 2))
        return true;
    return c->group != NULL && (c->group->smcd || c->group->version >= 2);
}

static void fill(struct judge_finding *f, const struct judge_case *c, enum judge_verdict verdict)
{
    f->requirement = (int)c->req;
    f->verdict = verdict;
    f->deviation = c->deviation != NULL ? judge_deviation_find(c->deviation)->id : NULL;
    f->at_fault = c->side == 0   ? JUDGE_FAULT_CLIENT
                  : c->side == 1 ? JUDGE_FAULT_SERVER
                                 : JUDGE_FAULT_UNKNOWN;
    f->frame = c->frame;
    f->connection = c->conn != NULL ? c->conn->id : 0;
    f->offset = c->offset;
    for (unsigned i = 0; i < JUDGE_MAX_RELATED; i++)
        if (c->related[i] != 0)
            f->related[f->nrelated++] = c->related[i];
}

/* Was it reported before? Asked only below the limit of listed findings, so that hostile input cannot make it slow. */
static bool known(const struct judge *j, const struct judge_finding *f)
{
    if (j->listed[f->requirement][f->verdict] == 0)
        return false;
    for (size_t i = j->nfound; i-- > 0;) {
        const struct judge_finding *o = j->found[i];
        if (o->requirement == f->requirement && o->verdict == f->verdict && o->frame == f->frame &&
            o->connection == f->connection && o->offset == f->offset && o->at_fault == f->at_fault)
            return true;
    }
    return false;
}

static void finding_free(struct judge_finding *f)
{
    if (f == NULL)
        return;
    free(f->seen);
    free(f->expected);
    free(f->message);
    free(f);
}

static bool room(struct judge *j)
{
    if (j->nfound < j->found_cap)
        return true;
    size_t cap = j->found_cap ? 2 * j->found_cap : 16;
    struct judge_finding **more = realloc(j->found, cap * sizeof(struct judge_finding *));
    if (more == NULL)
        return false;
    j->found = more;
    j->found_cap = cap;
    return true;
}

__attribute__((format(printf, 5, 0))) static void list(struct judge *j, const struct judge_finding *model,
                                                       const char *seen, const char *expected, const char *format,
                                                       va_list args)
{
    struct judge_finding *f = malloc(sizeof *f);
    char *message = NULL;
    if (vasprintf(&message, format, args) < 0)
        message = NULL;
    if (f != NULL) {
        *f = *model;
        f->seen = strdup(seen);
        f->expected = strdup(expected);
        f->message = message;
    } else {
        free(message);
    }
    if (f == NULL || f->seen == NULL || f->expected == NULL || message == NULL || !room(j)) {
        finding_free(f);
        j->no_memory = true;
        return;
    }
    j->found[j->nfound++] = f;
    if (j->on_finding != NULL)
        j->on_finding(j->on_finding_ctx, f);
}

__attribute__((format(printf, 6, 0))) static void add(struct judge *j, const struct judge_case *c,
                                                      enum judge_verdict verdict, const char *seen,
                                                      const char *expected, const char *format, va_list args)
{
    if (j->listed[c->req][verdict] >= JUDGE_LISTED_MAX) {
        j->result.summary[verdict]++;
        j->result.dropped_findings++;
        return;
    }
    struct judge_finding f = {0};
    fill(&f, c, verdict);
    if (verdict != JUDGE_INCONCLUSIVE && known(j, &f)) /* said once for each object anyway */
        return;
    j->result.summary[verdict]++;
    j->listed[c->req][verdict]++;
    list(j, &f, seen, expected, format, args);
}

/* Only a check can get this wrong; kept in release builds, where assert() is not. */
static void must_excuse(const char *deviation, const char *requirement)
{
    if (deviation == NULL)
        return;
    const struct judge_deviation *d = judge_deviation_find(deviation);
    if (d != NULL && judge_deviation_excuses(d, requirement))
        return;
    fprintf(stderr, "a check excuses %s by %s, which does not\n", requirement, deviation);
    abort();
}

void judge_report(struct judge *j, const struct judge_case *c, const char *seen, const char *expected,
                  const char *format, ...)
{
    const struct judge_requirement *r = &judge_catalogue[c->req];
    must_excuse(c->deviation, r->id);
    broken_by(j, c);
    enum judge_verdict verdict = judge_verdict_of(r->level, impl_binds(c), c->deviation, c->side, &j->options);
    if (verdict == JUDGE_VERDICTS)
        return;
    va_list args;
    va_start(args, format);
    add(j, c, verdict, seen, expected, format, args);
    va_end(args);
}

static struct judge_slots *slots_of(struct judge *j, const struct judge_case *c)
{
    void *user = c->conn != NULL ? c->conn->user : c->group != NULL ? c->group->user : &j->slots;
    /* Nobody keeps state there yet: the capture's bits will do. */
    return user != NULL ? user : &j->slots;
}

void judge_inconclusive(struct judge *j, const struct judge_case *c, const char *format, ...)
{
    uint64_t *word = &slots_of(j, c)->undecided[c->req / 64];
    uint64_t bit = UINT64_C(1) << (c->req % 64);
    if (*word & bit)
        return;
    *word |= bit;
    va_list args;
    va_start(args, format);
    add(j, c, JUDGE_INCONCLUSIVE, "", "", format, args);
    va_end(args);
}

static int by_frame(const void *x, const void *y)
{
    const struct judge_finding *a = x, *b = y;
    /* What is absent stands last: frame 0 becomes the highest number. */
    if (a->frame - 1 != b->frame - 1)
        return a->frame - 1 < b->frame - 1 ? -1 : 1;
    if (a->requirement != b->requirement)
        return a->requirement < b->requirement ? -1 : 1;
    if (a->connection != b->connection)
        return a->connection < b->connection ? -1 : 1;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    if (a->at_fault != b->at_fault)
        return a->at_fault < b->at_fault ? -1 : 1;
    return (a->verdict > b->verdict) - (a->verdict < b->verdict);
}

static int by_id(const void *x, const void *y)
{
    const struct judge_connection *a = x, *b = y;
    return (a->id > b->id) - (a->id < b->id);
}

void judge_collect(struct judge *j)
{
    struct judge_result *r = &j->result;
    if (j->nfound > 0 && (r->findings = malloc(j->nfound * sizeof(struct judge_finding))) == NULL) {
        j->no_memory = true;
    } else {
        for (size_t i = 0; i < j->nfound; i++)
            r->findings[i] = *j->found[i];
        r->nfindings = j->nfound;
        if (r->nfindings > 0)
            qsort(r->findings, r->nfindings, sizeof(struct judge_finding), by_frame);
    }
    if (r->nconnections > 0)
        qsort(r->connections, r->nconnections, sizeof(struct judge_connection), by_id);
    for (size_t i = 0; i < judge_catalogue_size; i++)
        r->anything_judged |= r->exercised[i] > 0;
}

/* One run: the script, then the judge, then the verdict of both.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "runner.h"

#include "conformance/judge/report.h"
#include "conformance/judge/report_common.h"
#include "runner_judge.h"
#include "sha256.h"
#include "target.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const verdict_names[] = {[SCRIPT_PASS] = "pass", [SCRIPT_FAIL] = "fail", [SCRIPT_ERROR] = "error",
                                            [SCRIPT_SKIP] = "skip"};

static json_t *text(const char *value)
{
    char *valid = value != NULL && value[0] != '\0' ? judge_clean(value, true) : NULL;
    json_t *made = valid != NULL ? json_string(valid) : json_null();
    free(valid);
    return made;
}

static void set(json_t *o, const char *key, json_t *value)
{
    /* Replaces; without memory the key stays what it was, and dumping tells. */
    (void)json_object_set_new(o, key, value);
}

json_t *runner_record(const struct runner_options *options, const char *path, const char *verdict, const char *reason)
{
    json_t *o = json_object();
    set(o, "scenario", text(path));
    set(o, "seed", json_integer((json_int_t)options->seed));
    set(o, "target", json_string(options->target));
    set(o, "hostile", json_false());
    set(o, "verdict", json_string(verdict));
    set(o, "reason", text(reason));
    set(o, "capture", json_null());
    set(o, "capture_sha256", json_null());
    set(o, "findings", json_array());
    if (options->role != NULL)
        set(o, "role", text(options->role));
    return o;
}

/* ---- where captures go ---- */

/* A path below the folder, whatever the scenario's path is: no leading '/', no '.', '..' as a name of its own. */
static void put_path(const char *path, char *out)
{
    while (*path != '\0') {
        size_t n = strcspn(path, "/");
        if (n == 2 && memcmp(path, "..", 2) == 0)
            out = stpcpy(out, "up/");
        else if (n > 1 || (n == 1 && *path != '.')) {
            memcpy(out, path, n);
            out += n;
            *out++ = '/';
        }
        path += n;
        path += *path == '/';
    }
    *out = '\0';
}

char *runner_capture_path(const struct runner_options *options, const char *path)
{
    size_t size = strlen(options->folder) + 2 * strlen(path) + 112;
    char *out = malloc(size);
    if (out == NULL)
        return NULL;
    int n = snprintf(out, size, "%s/", options->folder);
    put_path(path, out + n);
    size_t length = strlen(out);
    length -= length > (size_t)n; /* the last '/' */
    if (length > 4 && memcmp(out + length - 4, ".lua", 4) == 0)
        length -= 4;
    if (options->role != NULL)
        length += (size_t)snprintf(out + length, size - length, ".%.48s", options->role);
    snprintf(out + length, size - length, ".%" PRIu64 ".pcap", options->seed);
    return out;
}

static int make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int bad = mkdir(path, 0777) != 0 && errno != EEXIST;
        *slash = '/';
        if (bad)
            return -1;
    }
    return 0;
}

/* ---- one run ---- */

struct one {
    const struct runner_options *options;
    const char *path;
    char *capture;
    json_t *record;
    struct script_result script;
    struct runner_hosts hosts;
};

static void conclude(struct one *r, const char *verdict, const char *reason)
{
    set(r->record, "verdict", json_string(verdict));
    set(r->record, "reason", text(reason));
}

/* Reads the header alone: false if there is nothing to run, and the record says why. */
static bool look_at_header(struct one *r)
{
    struct script_options o = {.path = r->path, .seed = r->options->seed, .header_only = true};
    script_run(&o, NULL, NULL, &r->script);
    bool is_error = r->script.verdict != SCRIPT_PASS;
    bool has_role = r->options->role == NULL || strcmp(r->options->role, RUNNER_NO_ROLE) != 0;
    bool is_ours = script_is_for(&r->script.header, r->options->target) || (has_role && r->script.header.target_count == 0);
    if (is_error)
        conclude(r, "error", r->script.reason);
    else if (!is_ours)
        conclude(r, "skip", "not applicable: the scenario is not for this target");
    else if (!has_role)
        conclude(r, "skip", "not applicable: --role names none of the hosts that may be the real one");
    script_result_free(&r->script);
    return !is_error && is_ours && has_role;
}

static void put_header(struct one *r)
{
    const struct script_header *h = &r->script.header;
    json_t *ids = json_array();
    for (unsigned i = 0; i < h->requirement_count; i++)
        json_array_append_new(ids, text(h->requirements[i]));
    set(r->record, "hostile", json_boolean(h->hostile));
    set(r->record, "title", text(h->title));
    set(r->record, "source", text(h->source));
    set(r->record, "requirements", ids);
}

static void put_script(struct one *r)
{
    const struct script_result *s = &r->script;
    put_header(r);
    set(r->record, "virtual_ns", json_integer((json_int_t)s->now_ns));
    set(r->record, "events", json_integer((json_int_t)s->events));
    set(r->record, "messages", json_integer((json_int_t)s->messages));
    set(r->record, "digest", json_sprintf("%016" PRIx64 "%016" PRIx64, s->digest[0], s->digest[1]));
    if (s->ladder != NULL && s->ladder[0] != '\0')
        set(r->record, "ladder", text(s->ladder));
}

static void put_capture(struct one *r)
{
    char digest[SHA256_TEXT];
    if (sha256_file(r->capture, digest) != 0)
        return;
    set(r->record, "capture", text(r->capture));
    set(r->record, "capture_sha256", json_string(digest));
}

/* Where the real host stood, who each finding is about, and what was evaluated by what either side did. */
static void put_sides(struct one *r, const struct judge_result *judged)
{
    const char *side = r->script.all_real ? "all" : runner_side_of(r->script.role, judged, &r->hosts);
    json_t *findings = json_object_get(r->record, "findings");
    for (size_t i = 0; i < judged->nfindings && i < json_array_size(findings); i++) {
        const char *host = runner_host_at_fault(&judged->findings[i], judged, &r->hosts);
        if (host[0] != '\0')
            set(json_array_get(findings, i), "host", text(host));
    }
    set(r->record, "real_side", text(side));
    set(r->record, "exercised_by", json_pack("{s:o, s:o}", "client", judge_exercised_by_json(judged, 0), "server",
                                             judge_exercised_by_json(judged, 1)));
}

/* What a known bug of the real host explains fails nothing; the record names it. */
static void excuse(struct one *r, const struct judge_result *judged)
{
    char reason[SCRIPT_TEXT + 64];
    const char *bug = NULL;
    for (size_t i = 0; judged != NULL && bug == NULL && i < judged->nfindings; i++)
        if (judged->findings[i].verdict == JUDGE_FAIL)
            bug = runner_known_finding(&r->script, &judged->findings[i], judged, &r->hosts);
    const char *failed = r->script.verdict == SCRIPT_FAIL ? runner_known_failure(&r->script, r->script.reason) : NULL;
    if (failed != NULL) {
        snprintf(reason, sizeof(reason), "known, bug %s of docs/linux.md: %s", failed, r->script.reason);
        r->script.verdict = SCRIPT_PASS;
        conclude(r, "pass", reason);
        bug = failed;
    }
    if (bug != NULL)
        set(r->record, "known_bug", text(bug));
}

static void compare(struct one *r, const struct judge_result *judged)
{
    char reason[RUNNER_REASON];
    const char *implementation = json_string_value(json_object_get(r->record, "implementation"));
    if (r->script.role[0] != '\0' && implementation != NULL)
        runner_hold_to_version(&r->script, implementation, judged, &r->hosts);
    bool as_announced = runner_as_announced(&r->script, judged, &r->hosts, reason);
    set(r->record, "findings", judge_findings_json(judged));
    set(r->record, "exercised", judge_exercised_json(judged));
    if (r->script.role[0] != '\0') {
        put_sides(r, judged);
        excuse(r, judged);
    }
    if (r->script.verdict != SCRIPT_PASS)
        return;
    if (judged->error != NULL)
        conclude(r, "error", judged->error);
    else if (!as_announced)
        conclude(r, "fail", reason);
}

static void judge(struct one *r)
{
    char error[1024] = "";
    struct judge_options options = runner_judge_options(&r->script);
    struct judge *j = judge_file(r->capture, &options, NULL, NULL, error, sizeof(error));
    if (j != NULL)
        compare(r, judge_result_of(j));
    else if (r->script.verdict == SCRIPT_PASS)
        conclude(r, "error", error[0] != '\0' ? error : "out of memory");
    judge_free(j);
}

static void run_script(struct one *r)
{
    struct script_options o = {.path = r->path, .seed = r->options->seed, .capture = r->capture,
                               .target = r->options->script_target};
    const struct script_target *target = o.target;
    if (target != NULL && target->role != NULL && r->options->role != NULL)
        target->role(target->user, r->options->role);
    script_run(&o, runner_hosts_collect, &r->hosts, &r->script);
    put_script(r);
    if (r->script.role[0] != '\0')
        set(r->record, "role", text(r->script.role));
    if (target != NULL && target->implementation != NULL)
        set(r->record, "implementation", text(target->implementation(target->user)));
    if (target != NULL && target->spent != NULL && target->spent(target->user))
        set(r->record, "spent", json_true());
    conclude(r, verdict_names[r->script.verdict], r->script.reason);
    if (r->script.verdict == SCRIPT_PASS && r->script.finding_count > 0 && !r->script.header.hostile)
        for (unsigned i = 0; i < r->script.finding_count; i++)
            if (strcmp(r->script.findings[i].verdict, "fail") == 0) {
                r->script.verdict = SCRIPT_ERROR;
                conclude(r, "error", "it announces a finding of verdict fail, and its header does not say hostile = true");
            }
    put_capture(r);
    if (json_is_string(json_object_get(r->record, "capture")))
        judge(r);
    script_result_free(&r->script);
}

/* ---- the reason as a text beside the capture ---- */

static char *text_path(const char *capture)
{
    char *path = strdup(capture);
    if (path != NULL)
        memcpy(path + strlen(path) - 4, "txt", 4);
    return path;
}

static int write_text(const char *path, const json_t *record)
{
    const char *ladder = json_string_value(json_object_get(record, "ladder"));
    const char *reason = json_string_value(json_object_get(record, "reason"));
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return -1;
    fprintf(file, "%s %s, seed %" JSON_INTEGER_FORMAT "\n%s\n", json_string_value(json_object_get(record, "verdict")),
            json_string_value(json_object_get(record, "scenario")), json_integer_value(json_object_get(record, "seed")),
            reason != NULL ? reason : "");
    if (ladder != NULL)
        fprintf(file, "\n%s", ladder);
    return fclose(file);
}

static void keep_files(struct one *r)
{
    bool pass = strcmp(json_string_value(json_object_get(r->record, "verdict")), "pass") == 0;
    char *path = text_path(r->capture);
    if (pass && path != NULL)
        (void)remove(path); /* of an earlier run that did not pass */
    if (pass && r->options->keep_failed_only && remove(r->capture) == 0)
        set(r->record, "capture", json_null());
    if (!pass && path != NULL && write_text(path, r->record) != 0) {
        char reason[1024];
        snprintf(reason, sizeof(reason), "%s: %s", path, strerror(errno));
        conclude(r, "error", reason);
    }
    free(path);
}

json_t *runner_run(const struct runner_options *options, const char *path)
{
    struct one *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return NULL;
    r->options = options;
    r->path = path;
    r->record = runner_record(options, path, "error", "out of memory");
    r->capture = runner_capture_path(options, path);
    if (r->record != NULL && r->capture != NULL && look_at_header(r)) {
        if (make_folders(r->capture) == 0) {
            run_script(r);
            keep_files(r);
        } else {
            char reason[1024];
            snprintf(reason, sizeof(reason), "%s: %s", r->capture, strerror(errno));
            conclude(r, "error", reason);
        }
    }
    json_t *record = r->record;
    free(r->capture);
    free(r);
    return record;
}

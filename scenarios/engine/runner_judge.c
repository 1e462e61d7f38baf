/* Comparing the judge's findings with those that a scenario announced.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "runner_judge.h"

#include "conformance/judge/deviations.h"
#include "conformance/judge/report_common.h"
#include "sim/lab.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void runner_hosts_collect(void *hosts, struct lab *lab)
{
    struct runner_hosts *all = hosts;
    struct smc_gid addresses[64];
    all->count = 0;
    for (struct lab_host *h = lab_next_host(lab, NULL); h != NULL; h = lab_next_host(lab, h)) {
        unsigned n = lab_host_addresses(h, addresses, 64);
        for (unsigned i = 0; i < n && i < 64 && all->count < RUNNER_ADDRESSES; i++, all->count++) {
            snprintf(all->of[all->count].name, sizeof(all->of[0].name), "%s", lab_host_name(h));
            all->of[all->count].address = addresses[i];
        }
    }
}

static const char *host_of(const uint8_t address[16], const struct runner_hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++)
        if (memcmp(hosts->of[i].address.bytes, address, 16) == 0)
            return hosts->of[i].name;
    return "";
}

/* If the finding has a connection. */
const char *runner_host_at_fault(const struct judge_finding *f, const struct judge_result *judged, const struct runner_hosts *hosts)
{
    const struct judge_connection *c = f->connection != 0 ? judge_connection_of(judged, f->connection) : NULL;
    if (c == NULL || f->at_fault == JUDGE_FAULT_UNKNOWN)
        return "";
    return host_of(f->at_fault == JUDGE_FAULT_CLIENT ? c->client_addr : c->server_addr, hosts);
}

const char *runner_side_of(const char *host, const struct judge_result *judged, const struct runner_hosts *hosts)
{
    bool client = false, server = false;
    for (size_t i = 0; i < judged->nconnections; i++) {
        client |= strcmp(host_of(judged->connections[i].client_addr, hosts), host) == 0;
        server |= strcmp(host_of(judged->connections[i].server_addr, hosts), host) == 0;
    }
    return client && server ? "both" : client ? "client" : server ? "server" : "";
}

static bool announces(const struct script_finding *a, const struct judge_finding *f, const struct judge_result *judged,
                      const struct runner_hosts *hosts)
{
    bool is_rule = strcmp(a->id, "*") == 0 || strcmp(a->id, judge_catalogue[f->requirement].id) == 0;
    return is_rule && strcmp(a->verdict, judge_verdict_name(f->verdict)) == 0 &&
           (a->by[0] == '\0' || strcmp(a->by, judge_fault_name(f->at_fault)) == 0 ||
            strcmp(a->by, runner_host_at_fault(f, judged, hosts)) == 0);
}

static bool announced(struct script_result *script, const struct judge_finding *f, const struct judge_result *judged,
                      const struct runner_hosts *hosts)
{
    bool any = false;
    for (unsigned i = 0; i < script->finding_count; i++) {
        if (!announces(&script->findings[i], f, judged, hosts))
            continue;
        script->findings[i].seen = any = true;
    }
    return any;
}

static bool has_bug(const struct script_result *script, const struct script_bug *b)
{
    return script->role[0] != '\0' && (b->real[0] == '\0' || strcmp(b->real, script->role) == 0);
}

const char *runner_known_failure(const struct script_result *script, const char *failure)
{
    for (unsigned i = 0; i < script->bug_count; i++) {
        const struct script_bug *b = &script->bugs[i];
        if (has_bug(script, b) && b->failure[0] != '\0' && strstr(failure, b->failure) != NULL)
            return b->bug;
    }
    return NULL;
}

static bool is_of_real(const struct script_result *script, const struct judge_finding *f, const struct judge_result *judged,
                       const struct runner_hosts *hosts)
{
    const char *host = runner_host_at_fault(f, judged, hosts), *side = runner_side_of(script->role, judged, hosts);
    return script->all_real || (host[0] != '\0' ? strcmp(host, script->role) == 0 : strcmp(judge_fault_name(f->at_fault), side) == 0);
}

void runner_hold_to_version(const struct script_result *script, const char *implementation, const struct judge_result *judged,
                            const struct runner_hosts *hosts)
{
    for (size_t i = 0; i < judged->nfindings; i++) {
        struct judge_finding *f = &judged->findings[i];
        if (f->verdict != JUDGE_DEVIATION || f->deviation == NULL || judge_deviation_in(f->deviation, implementation) ||
            !is_of_real(script, f, judged, hosts))
            continue;
        f->deviation = NULL;
        f->verdict = judge_catalogue[f->requirement].level == JUDGE_SHOULD ? JUDGE_WARN : JUDGE_FAIL;
    }
}

const char *runner_known_finding(const struct script_result *script, const struct judge_finding *f, const struct judge_result *judged,
                                 const struct runner_hosts *hosts)
{
    bool is_real = is_of_real(script, f, judged, hosts);
    for (unsigned i = 0; is_real && i < script->bug_count; i++) {
        const struct script_bug *b = &script->bugs[i];
        for (unsigned k = 0; has_bug(script, b) && k < b->finding_count; k++)
            if (strcmp(b->findings[k], judge_catalogue[f->requirement].id) == 0)
                return b->bug;
    }
    return NULL;
}

static void tell_finding(const struct judge_finding *f, uint64_t more, bool hostile, char *reason)
{
    char frame[48] = "", others[48] = "";
    char *message = judge_clean(f->message, false);
    if (f->frame != 0)
        snprintf(frame, sizeof(frame), " in frame %" PRIu64, f->frame);
    if (more > 0)
        snprintf(others, sizeof(others), " (and %" PRIu64 " more)", more);
    snprintf(reason, RUNNER_REASON, "%s broken by %s%s%s: %s%s", judge_catalogue[f->requirement].id, judge_fault_name(f->at_fault),
             frame, hostile ? ", which the scenario does not announce" : "", message != NULL ? message : "", others);
    free(message);
}

static void tell_missing(const struct script_finding *a, char *reason)
{
    snprintf(reason, RUNNER_REASON, "the finding %s (%s%s%s) was announced and did not occur", a->id, a->verdict,
             a->by[0] != '\0' ? ", by " : "", a->by);
}

bool runner_as_announced(struct script_result *script, const struct judge_result *judged, const struct runner_hosts *hosts,
                         char reason[RUNNER_REASON])
{
    const struct judge_finding *first = NULL;
    uint64_t bad = 0;
    for (size_t i = 0; i < judged->nfindings; i++) {
        const struct judge_finding *f = &judged->findings[i];
        bool known = announced(script, f, judged, hosts);
        if (f->verdict != JUDGE_FAIL || (known && script->header.hostile) ||
            runner_known_finding(script, f, judged, hosts) != NULL)
            continue;
        first = first == NULL ? f : first;
        bad++;
    }
    reason[0] = '\0';
    if (first != NULL) {
        tell_finding(first, bad - 1, script->header.hostile, reason);
        return false;
    }
    for (unsigned i = 0; i < script->finding_count; i++) {
        if (!script->findings[i].seen && !script->findings[i].maybe) {
            tell_missing(&script->findings[i], reason);
            return false;
        }
    }
    return true;
}

struct judge_options runner_judge_options(const struct script_result *script)
{
    enum judge_implementation who = script->rfc_hosts == 0     ? JUDGE_IMPL_LINUX
                                    : script->linux_hosts == 0 ? JUDGE_IMPL_OTHER
                                                               : JUDGE_IMPL_UNKNOWN;
    return (struct judge_options){.implementation = {who, who}};
}

/* What the judge says of a scenario's capture, and whether that is what the scenario announced.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCENARIOS_RUNNER_JUDGE_H
#define SCENARIOS_RUNNER_JUDGE_H

#include "conformance/judge/judge.h"
#include "scenarios/engine/script.h"

#include <smc/gid.h>

/* Who is who, collected while the laboratory still stood: findings tell of "client" and "server" of a connection, scenarios may
 * tell of hosts by their names. */
enum { RUNNER_ADDRESSES = 256 };
struct runner_hosts {
    struct { char name[48]; struct smc_gid address; } of[RUNNER_ADDRESSES];
    size_t count;
};
struct lab;
void runner_hosts_collect(void *hosts, struct lab *lab); /* an `inspect` of script_run() */

enum { RUNNER_REASON = 1024 };
/* True: as announced. Else `reason` says in one line what is missing or too much. Marks announced findings as seen.
 *
 * Not hostile: no finding of verdict `fail`. Hostile: each announced finding occurs, and every `fail` was announced. Warnings,
 * deviations and what is inconclusive need no announcement; announced ones must occur. */
bool runner_as_announced(struct script_result *script, const struct judge_result *judged, const struct runner_hosts *hosts,
                         char reason[RUNNER_REASON]);

/* The number of the known bug of the real host that explains a failed expectation (`failure`, its text) or, with NULL, a finding; NULL:
 * none does. */
const char *runner_known_failure(const struct script_result *script, const char *failure);
const char *runner_known_finding(const struct script_result *script, const struct judge_finding *finding, const struct judge_result *judged,
                                 const struct runner_hosts *hosts);

/* Deviations of the real host that its version is not known to have (conformance/judge/deviations.c) excuse nothing: their findings
 * become what the requirement's level says. */
void runner_hold_to_version(const struct script_result *script, const char *implementation, const struct judge_result *judged,
                            const struct runner_hosts *hosts);

/* The name of the host that is at fault; "" if nobody knows. */
const char *runner_host_at_fault(const struct judge_finding *f, const struct judge_result *judged, const struct runner_hosts *hosts);
/* "client" or "server": where this host stands in every connection it has; "both"; "" if it has none. */
const char *runner_side_of(const char *host, const struct judge_result *judged, const struct runner_hosts *hosts);

/* Our stack on both sides: known deviations of Linux are excused where the profile is Linux's, and only there. Where both kinds
 * are in one run, the bytes decide. */
struct judge_options runner_judge_options(const struct script_result *script);

#endif

/* What the writers of reports share: names, text made safe, sums. Not for users of the judge.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef JUDGE_REPORT_COMMON_H
#define JUDGE_REPORT_COMMON_H

#include "report.h"

/* One writer a format; the result is checked by judge_report_write() with ferror(). -1: memory is short. */
int judge_write_text(const struct judge_reports *r, FILE *out);
int judge_write_tap(const struct judge_reports *r, FILE *out);
int judge_write_junit(const struct judge_reports *r, FILE *out);
int judge_write_json(const struct judge_reports *r, FILE *out);
int judge_write_sarif(const struct judge_reports *r, FILE *out);
int judge_write_html(const struct judge_reports *r, FILE *out);

/* Words of the contract. */
const char *judge_verdict_name(enum judge_verdict v);
const char *judge_level_name(enum judge_level l);
const char *judge_fault_name(enum judge_fault f);
const char *judge_mode_name(const struct judge_connection *c);    /* SMC-R, SMC-D, TCP */
const char *judge_version_name(const struct judge_connection *c); /* 1, 2, 2.1, or NULL */
const char *judge_closed_name(const struct judge_connection *c);

enum { JUDGE_ENDPOINT = 64 };
/* "ip:port" of one side; buf holds JUDGE_ENDPOINT bytes. */
const char *judge_endpoint(const struct judge_connection *c, int side, char *buf);

/* The worst verdict of a file in one word: "fail", "warn", "deviation", "inconclusive", "pass", "unreadable", or
 * "nothing to judge". */
const char *judge_file_verdict(const struct judge_result *r);
/* Requirements evaluated at least once. */
size_t judge_exercised_count(const struct judge_result *r);
/* Connection of this id, or NULL. */
const struct judge_connection *judge_connection_of(const struct judge_result *r, uint64_t id);
/* Findings of a requirement in a file: the worst verdict (JUDGE_VERDICTS if none). */
enum judge_verdict judge_requirement_verdict(const struct judge_result *r, size_t requirement);

/* A copy that is valid UTF-8 whatever came in; freed by the caller, NULL if memory is short. What is not UTF-8, and
 * unless `controls` also control and bidirectional formatting characters (a terminal or a browser would obey them),
 * becomes \xNN. */
char *judge_clean(const char *text, bool controls);
/* Writes the text cleaned (no controls); for TAP and text. */
void judge_put_clean(FILE *out, const char *text);
/* "1 packet", "2 packets" */
#define JUDGE_S(n) ((n) == 1 ? "" : "s")

#endif

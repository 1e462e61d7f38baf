/* What the parts of the HTML report share.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef JUDGE_REPORT_HTML_H
#define JUDGE_REPORT_HTML_H

#include "report_common.h"

extern const char judge_html_style[];
extern const char judge_html_script[];
/* SHA-256 of the script in base64: the page lets no other script run, so that escaping is not its only guard. */
extern const char judge_html_script_hash[];

/* Where one file stands in the report. */
struct judge_html_file {
    size_t number; /* ids begin with f<number> */
    const struct judge_result *result;
    struct judge_ladders *ladders; /* NULL if none were collected */
};

/* The page down to <body>: what it may do, its style. */
void judge_html_head(FILE *out, const char *title);
/* Text escaped for HTML, for attributes too; what would act instead of being shown becomes \xNN. */
void judge_html_text(FILE *out, const char *text);
/* The same, but cut to `width` bytes (never inside a character) with an ellipsis. */
void judge_html_cut(FILE *out, const char *text, size_t width);
/* The ladders of a file: ids are f<file>c<connection>e<event>. */
void judge_html_ladders(FILE *out, const struct judge_html_file *f);

#endif

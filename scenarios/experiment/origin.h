/* Where results come from: what every table and figure carries.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXPERIMENT_ORIGIN_H
#define EXPERIMENT_ORIGIN_H

enum { ORIGIN_TEXT = 512 };

/* All are single lines without control characters. */
struct experiment_origin {
    char title[ORIGIN_TEXT], file[ORIGIN_TEXT], sha256[80];
    char engine[16];             /* "sim", "ns3" */
    char commit[64], build[128]; /* of this program; "unknown" without git */
    char machine[256];
    char seeds[64];              /* "1..10" */
    char sweep[16];              /* "full", "quick" */
    char command[ORIGIN_TEXT];   /* the line that makes it */
};

/* commit, build and machine. */
void experiment_origin_fill(struct experiment_origin *origin);
/* Copies text as one line: control characters become blanks; cut if it is too long. */
void experiment_line(char *to, unsigned room, const char *text);

#endif

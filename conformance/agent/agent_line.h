/* The lines of the agent's protocol (docs/agent.md): requests taken apart, answers put together.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_LINE_H
#define CONFORMANCE_AGENT_LINE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AGENT_LINE_MOST = 1 << 20, AGENT_PAIRS = 64 };

/* "ID VERB NAME=VALUE…". Names and values point into the text that was parsed. Values are decoded (%20 …) and NUL-terminated. */
struct agent_line {
    uint64_t number;
    const char *verb;
    struct {
        const char *name, *value;
    } pair[AGENT_PAIRS];
    unsigned count;
};

/* Takes a request apart, in place; `text` has `length` bytes and room for a NUL behind them. NULL if it was understood, or what
 * is wrong; then `number` is that of the request as far as it could be read, or 0. Hostile text is expected. */
const char *agent_line_parse(char *text, size_t length, struct agent_line *out);
const char *agent_line_get(const struct agent_line *line, const char *name); /* NULL: not given */
/* A number (decimal or 0x…) of at most `most`. 1: given; 0: not given, *out untouched; -1: not a number, or too large. */
int agent_line_number(const struct agent_line *line, const char *name, uint64_t most, uint64_t *out);
/* A name in the line that is not among the blank-separated `names`; NULL: all are. */
const char *agent_line_unknown(const struct agent_line *line, const char *names);
/* Decodes hex digits in place. -1: not pairs of hex digits; else the number of bytes. */
long agent_unhex(char *text);

/* Text that grows. Once memory ran out, `failed` stays set and nothing is added. */
struct agent_text {
    char *p;
    size_t length, room;
    bool failed;
};
void agent_text_free(struct agent_text *t);
void agent_text_add(struct agent_text *t, const void *bytes, size_t n);
void agent_text_print(struct agent_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A value: blanks, '%', controls and bytes above 0x7e as %XX; at most `n` bytes of it, up to a NUL. */
void agent_text_value(struct agent_text *t, const char *value, size_t n);
void agent_text_hex(struct agent_text *t, const void *bytes, size_t n);
/* " name=value", the value encoded. */
void agent_text_pair(struct agent_text *t, const char *name, const char *value);

/* "ECONNRESET" …; "E123" for one without a name. */
const char *agent_error_name(int error);

#endif

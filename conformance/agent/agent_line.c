/* Lines of the agent's protocol: what comes in is hostile until it was understood.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "agent_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* %XX in place. A NUL would cut the value short unseen, so it is refused. */
static bool decode(char *p)
{
    char *to = p;
    for (; *p != '\0'; p++, to++) {
        *to = *p;
        if (*p != '%')
            continue;
        int high = hex_digit(p[1]);
        int low = high < 0 ? -1 : hex_digit(p[2]);
        if (low < 0 || (high | low) == 0)
            return false;
        *to = (char)(high << 4 | low);
        p += 2;
    }
    *to = '\0';
    return true;
}

static const char *parse_number(char **p, uint64_t *out)
{
    uint64_t value = 0;
    char *from = *p;
    for (; **p >= '0' && **p <= '9'; (*p)++) {
        if (value > (UINT64_MAX - 9) / 10)
            return "the request's number is too large";
        value = value * 10 + (uint64_t)(**p - '0');
    }
    if (*p == from || (**p != ' ' && **p != '\0'))
        return "a request begins with its number";
    *out = value;
    return NULL;
}

/* The next word, NUL-terminated in place; NULL at the end. */
static char *next_word(char **p)
{
    *p += strspn(*p, " ");
    if (**p == '\0')
        return NULL;
    char *word = *p;
    *p += strcspn(*p, " ");
    if (**p != '\0')
        *(*p)++ = '\0';
    return word;
}

static const char *parse_pair(char *word, struct agent_line *out)
{
    char *equals = strchr(word, '=');
    if (equals == NULL || equals == word)
        return "what follows the verb are NAME=VALUE";
    *equals = '\0';
    if (out->count == AGENT_PAIRS)
        return "too many names";
    if (agent_line_get(out, word) != NULL)
        return "a name stands twice";
    if (!decode(equals + 1))
        return "a % is followed by two hex digits other than 00";
    out->pair[out->count].name = word;
    out->pair[out->count++].value = equals + 1;
    return NULL;
}

const char *agent_line_parse(char *text, size_t length, struct agent_line *out)
{
    out->number = 0;
    out->verb = NULL;
    out->count = 0;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ')
            return "a line has no control characters";
    text[length] = '\0';
    char *p = text + strspn(text, " ");
    const char *wrong = parse_number(&p, &out->number);
    if (wrong != NULL)
        return wrong;
    out->verb = next_word(&p);
    if (out->verb == NULL)
        return "a request has a verb";
    for (char *word; (word = next_word(&p)) != NULL;)
        if ((wrong = parse_pair(word, out)) != NULL)
            return wrong;
    return NULL;
}

const char *agent_line_get(const struct agent_line *line, const char *name)
{
    for (unsigned i = 0; i < line->count; i++)
        if (strcmp(line->pair[i].name, name) == 0)
            return line->pair[i].value;
    return NULL;
}

int agent_line_number(const struct agent_line *line, const char *name, uint64_t most, uint64_t *out)
{
    const char *text = agent_line_get(line, name);
    if (text == NULL)
        return 0;
    if (text[0] < '0' || text[0] > '9') /* strtoull would take signs and blanks */
        return -1;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
    if (errno != 0 || *end != '\0' || value > most)
        return -1;
    *out = value;
    return 1;
}

static bool is_among(const char *name, const char *names)
{
    size_t n = strlen(name);
    for (const char *p = names; *p != '\0';) {
        size_t word = strcspn(p, " ");
        if (word == n && memcmp(p, name, n) == 0)
            return true;
        p += word;
        p += strspn(p, " ");
    }
    return false;
}

const char *agent_line_unknown(const struct agent_line *line, const char *names)
{
    for (unsigned i = 0; i < line->count; i++)
        if (!is_among(line->pair[i].name, names))
            return line->pair[i].name;
    return NULL;
}

long agent_unhex(char *text)
{
    long n = 0;
    for (char *p = text; *p != '\0'; p += 2, n++) {
        int high = hex_digit(p[0]), low = high < 0 ? -1 : hex_digit(p[1]);
        if (low < 0)
            return -1;
        text[n] = (char)(high << 4 | low);
    }
    return n;
}

void agent_text_free(struct agent_text *t)
{
    free(t->p);
    memset(t, 0, sizeof(*t));
}

static bool make_room(struct agent_text *t, size_t n)
{
    if (t->failed)
        return false;
    if (t->room - t->length >= n)
        return true;
    size_t room = t->room < 256 ? 256 : t->room;
    while (room - t->length < n)
        room *= 2;
    char *p = realloc(t->p, room);
    if (p == NULL) {
        t->failed = true;
        return false;
    }
    t->p = p;
    t->room = room;
    return true;
}

void agent_text_add(struct agent_text *t, const void *bytes, size_t n)
{
    if (n == 0 || !make_room(t, n))
        return;
    memcpy(t->p + t->length, bytes, n);
    t->length += n;
}

void agent_text_print(struct agent_text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || !make_room(t, (size_t)n + 1))
        return;
    va_start(args, format);
    (void)vsnprintf(t->p + t->length, (size_t)n + 1, format, args);
    va_end(args);
    t->length += (size_t)n;
}

void agent_text_value(struct agent_text *t, const char *value, size_t n)
{
    for (; n > 0 && *value != '\0'; value++, n--) {
        unsigned char c = (unsigned char)*value;
        if (c <= ' ' || c == '%' || c > '~')
            agent_text_print(t, "%%%02x", c);
        else
            agent_text_add(t, value, 1);
    }
}

void agent_text_hex(struct agent_text *t, const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    if (!make_room(t, 2 * n))
        return;
    for (size_t i = 0; i < n; i++) {
        t->p[t->length++] = digits[p[i] >> 4];
        t->p[t->length++] = digits[p[i] & 15];
    }
}

void agent_text_pair(struct agent_text *t, const char *name, const char *value)
{
    agent_text_print(t, " %s=", name);
    agent_text_value(t, value, SIZE_MAX);
}

const char *agent_error_name(int error)
{
    static char number[16];
    const char *name = strerrorname_np(error);
    if (name != NULL)
        return name;
    snprintf(number, sizeof(number), "E%d", error);
    return number;
}

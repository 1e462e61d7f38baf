/* Runs a scenario up to a time and prints tables of what is there.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "look.h"

#include "commands.h"

#include "scenarios/engine/script.h"
#include "sim/lab.h"

#include <ctype.h>
#include <string.h>

bool look_names_hosts(const struct look *look)
{
    return look->host == NULL;
}

struct lab_host *look_next_host(const struct look *look, struct lab *lab, struct lab_host *previous)
{
    struct lab_host *h = lab_next_host(lab, previous);
    while (h != NULL && look->host != NULL && strcmp(lab_host_name(h), look->host) != 0)
        h = lab_next_host(lab, h);
    return h;
}

int look_parse_number(const char *text, uint64_t limit, uint64_t *value)
{
    uint64_t n = 0;
    if (*text == '\0')
        return -1;
    for (; *text != '\0'; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || n > (limit - digit) / 10)
            return -1;
        n = n * 10 + digit;
    }
    *value = n;
    return 0;
}

static int unit_of(const char *text, uint64_t *ns)
{
    static const struct { const char *name; uint64_t ns; } units[] = {
        {"", 1}, {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};
    while (*text == ' ')
        text++;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(units[i].name, text) == 0) {
            *ns = units[i].ns;
            return 0;
        }
    return -1;
}

int look_parse_time(const char *text, uint64_t *ns)
{
    char whole[24];
    size_t digits = strspn(text, "0123456789"), places = 0;
    const char *fraction = text + digits;
    uint64_t unit, value;
    if (digits == 0 || digits >= sizeof(whole))
        return -1;
    if (*fraction == '.')
        places = strspn(++fraction, "0123456789");
    memcpy(whole, text, digits);
    whole[digits] = '\0';
    if (unit_of(fraction + places, &unit) != 0 || look_parse_number(whole, UINT64_MAX / 4, &value) != 0 ||
        value > UINT64_MAX / 4 / unit)
        return -1;
    value *= unit;
    for (size_t i = 0; i < places; i++) {
        unit /= 10;
        value += unit * (uint64_t)(fraction[i] - '0');
    }
    *ns = value;
    return 0;
}

struct looked {
    const struct look *look;
    bool no_such_host, printed;
};

static void inspect(void *user, struct lab *lab)
{
    struct looked *looked = user;
    looked->no_such_host = look_next_host(looked->look, lab, NULL) == NULL;
    looked->printed = !looked->no_such_host;
    if (looked->printed)
        looked->look->print(looked->look, lab);
}

int smclab_look(struct look *look)
{
    struct script_result result;
    struct looked looked = {.look = look};
    struct script_options options = {.path = look->path, .seed = look->seed, .pause_at_ns = look->at_ns};
    int status = 0;
    script_run(&options, inspect, &looked, &result);
    if (result.verdict != SCRIPT_PASS)
        status = smclab_complain(result.verdict == SCRIPT_FAIL ? EXIT_FOUND : EXIT_INPUT, look->command, "%s", result.reason);
    else if (look->at_ns != 0 && !result.paused)
        smclab_complain(0, look->command, "%s: the scenario was over before that time; this is its end", look->path);
    if (looked.no_such_host && look->host != NULL)
        status = smclab_worse(status, smclab_complain(EXIT_INPUT, look->command, "%s: there is no host \"%s\" at that time",
                                                      look->path, look->host));
    script_result_free(&result);
    return status;
}

/* One scenario: a Lua script in a sandbox, the laboratory it drives, what it saw and what it expected.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCENARIOS_SCRIPT_H
#define SCENARIOS_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* docs/scenarios.md is the language. A script is loaded, its header read; then it runs, and the laboratory with it: whatever
 * waits in the script lets virtual time pass. Nothing of a script reaches the machine: no files, no clock, no other code. */
struct script;
struct script_target;

enum { SCRIPT_NAME = 48, SCRIPT_UNIT = 16, SCRIPT_PARAMETERS = 8, SCRIPT_MEASURES = 16 };
enum { SCRIPT_TEXT = 2048, SCRIPT_IDS = 48, SCRIPT_ID = 24, SCRIPT_FINDINGS = 32, SCRIPT_TARGETS = 8, SCRIPT_ROLES = 4, SCRIPT_BUGS = 4 };

struct script_finding { /* expect_finding */
    char id[SCRIPT_ID]; /* "*": any rule */
    char by[16];      /* "client", "server": who of the judge's two sides; "" any */
    char verdict[16]; /* "fail" */
    bool maybe;       /* it need not occur */
    bool seen;
};

struct script_bug { /* known_bug */
    char bug[SCRIPT_ID];   /* its number in docs/linux.md */
    char real[48];         /* the host that has it, if it is the real one; "": any */
    char failure[128];     /* the failed expectation says this; "": it fails none */
    char findings[SCRIPT_ROLES][SCRIPT_ID];
    unsigned finding_count;
};

struct script_header {
    char title[256], source[128];
    char requirements[SCRIPT_IDS][SCRIPT_ID];
    unsigned requirement_count;
    char targets[SCRIPT_TARGETS][16];
    unsigned target_count;
    char roles[SCRIPT_ROLES][48]; /* hosts that may be the real one, if not the first two */
    unsigned role_count;
    bool hostile;
    bool any_version; /* nothing in it depends on the version: where there is no version 1, version 2 will do */
};

/* A point of an experiment's sweep: which value of each parameter, in the order of their names. */
struct script_point {
    unsigned index[SCRIPT_PARAMETERS], count;
    bool quick;             /* of the reduced lists */
};

struct script_measure {
    char name[SCRIPT_NAME], unit[SCRIPT_UNIT];
    double value;
};

/* Whether a scenario with this header runs on a target, by its name. One for a kernel in a virtual machine ("vm") is for this
 * machine's own ("host") as well. */
bool script_is_for(const struct script_header *header, const char *target);

struct script_options {
    const char *path;       /* of the script */
    const char *text;       /* instead of a file's content; NULL: `path` is read */
    uint64_t seed;
    const char *capture;    /* pcap to write; NULL: none */
    uint64_t pause_at_ns;   /* 0: never; else everything stops there: script_inspect() */
    bool header_only;       /* the header is read, nothing runs */
    bool experiment_only;   /* what stands before `experiment {` runs, and that is read */
    bool unwatched;         /* nothing is captured or kept: messages() and the like cannot be asked */
    const struct script_point *point; /* of an experiment; NULL: its first quick one */
    const struct script_target *target; /* scenarios/engine/target.h; NULL: the simulation */
};

/* SKIP: the script wants something of a host that this target does not have. */
enum script_verdict { SCRIPT_PASS, SCRIPT_FAIL, SCRIPT_ERROR, SCRIPT_SKIP };

struct script_result {
    enum script_verdict verdict; /* FAIL: an expectation; ERROR: the script, the file, the laboratory */
    char reason[SCRIPT_TEXT];    /* file:line: what was expected, what came */
    struct script_header header;
    struct script_finding findings[SCRIPT_FINDINGS]; /* announced */
    unsigned finding_count;
    struct script_bug bugs[SCRIPT_BUGS];
    unsigned bug_count;
    unsigned linux_hosts, rfc_hosts; /* by what their profile is made from */
    char role[48];               /* the host that was outside; "": none */
    bool all_real;               /* both were: `role` says how */
    uint64_t events, messages, now_ns;
    uint64_t digest[2];
    bool paused;
    /* { repetitions, parameters: [{ name, values: [text] }], quick: the same, measures: [name], plots: [{ x, y, by, title, log,
     * where }] } as JSON; owned; NULL: it is none */
    char *experiment;
    struct script_measure measures[SCRIPT_MEASURES];
    unsigned measure_count;
    char *ladder;                /* of a FAIL: the last messages, drawn; owned */
};
void script_result_free(struct script_result *result);

/* A time as a script writes it ("250 ms", "1.5s"), or a number of nanoseconds without a unit. 0, or -1: not of that form, or too long. */
int script_parse_time(const char *text, uint64_t *ns);

/* Runs one scenario from the beginning to its end. `inspect` (may be NULL) is called once, at pause_at_ns or at the end, while
 * everything is still there. */
struct lab;
void script_run(const struct script_options *options, void (*inspect)(void *user, struct lab *lab), void *user,
                struct script_result *out);

#endif

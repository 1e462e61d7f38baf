/* smclab vm: boots one or two virtual machines with a real kernel and hands lines to the agents in them.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include "conformance/targets/vm.h"

#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: smclab vm [OPTION…] [-- VERB NAME=VALUE… [, VERB NAME=VALUE…]…]\n"
    "\n"
    "Boots a virtual machine with a real kernel, gives the requests to the agent in it (docs/agent.md), prints its answers and\n"
    "events, and powers off. Without requests they are read from standard input, a line each.\n"
    "\n"
    "  -k, --kernel NAME     debian (default), debian:SUITE, build:trixie, build:backports\n"
    "  -d, --debug           a built kernel with KASAN, KMEMLEAK and PROVE_LOCKING\n"
    "      --refresh         ask Debian for a newer kernel than the one in the cache\n"
    "  -p, --pair            two machines, a cable between their first NICs (02:00:00:00:00:01 and :02); a request may begin\n"
    "                        with 1: or 2: for one of them\n"
    "  -n, --nics N          so many NICs and cables, 1 to 3 (default 1)\n"
    "  -f, --file SRC=/DEST  puts a file into the machines (repeatable)\n"
    "      --console PATH    keep the consoles in PATH.1 (and PATH.2)\n"
    "  -a, --append WORDS    for the kernel's command line\n"
    "  -h, --help            this text\n"
    "\n"
    "Besides the agent's verbs: `wait WHAT…` waits for an event that begins so, `sleep MS`, `console` prints the console's end.\n"
    "\n"
    "Exit status: 0 every request was answered ok; 1 one was not, or a kernel warned, hung or died; 2 usage; 77 something is missing\n"
    "here.\n";

enum { MACHINES = 2, FILES = 16, ANSWER = 1 << 20, ANSWER_MS = 60000, PROBLEM = 8192 };

struct session {
    struct vm_image_config image;
    const char *files[FILES + 1];
    unsigned file_count, machines, nics;
    const char *console, *append;
    char consoles[MACHINES][512];
    struct vm *vm[MACHINES];
    struct vm_talk talk[MACHINES];
    char *answer;
    int status;
};

static struct {
    struct session *session;
    unsigned machine;
} speakers[MACHINES];

static void put(const struct session *s, unsigned machine, const char *text)
{
    if (s->machines > 1)
        printf("%u: ", machine + 1);
    puts(text);
    fflush(stdout);
}

static void put_event(void *user, const char *line)
{
    char text[4096 + 2]; /* a line of vm_talk is shorter than 4096 */
    unsigned machine = *(const unsigned *)user;
    snprintf(text, sizeof(text), "* %.4095s", line);
    put(speakers[machine].session, machine, text);
}

static void note_failure(struct session *s, const char *text)
{
    fprintf(stderr, "smclab vm: %s\n", text);
    s->status = EXIT_FOUND;
}

static void do_wait(struct session *s, unsigned machine, const char *what)
{
    char line[4096];
    if (vm_talk_wait(&s->talk[machine], what, line, sizeof(line), ANSWER_MS) == VM_OK)
        put_event(&speakers[machine].machine, line);
    else
        note_failure(s, "that event did not come");
}

static void put_console(struct session *s, unsigned machine)
{
    char *text = malloc(65536);
    if (text == NULL)
        return;
    vm_console(s->vm[machine], text, 65536);
    put(s, machine, text);
    free(text);
}

static void do_request(struct session *s, unsigned machine, const char *request)
{
    if (strncmp(request, "wait ", 5) == 0) {
        do_wait(s, machine, request + 5);
    } else if (strcmp(request, "console") == 0) {
        put_console(s, machine);
    } else if (vm_talk(&s->talk[machine], request, s->answer, ANSWER, ANSWER_MS) != VM_OK) {
        note_failure(s, "the agent does not answer");
    } else {
        put(s, machine, s->answer);
        if (strncmp(s->answer, "ok", 2) != 0)
            s->status = EXIT_FOUND;
    }
}

/* "1: VERB …" is for one machine, without a number for each. */
static void do_line(struct session *s, char *line)
{
    line += strspn(line, " \t");
    line[strcspn(line, "\n")] = '\0';
    if (*line == '\0' || *line == '#')
        return;
    unsigned long ms;
    if (sscanf(line, "sleep %lu", &ms) == 1) {
        (void)poll(NULL, 0, (int)(ms < 600000 ? ms : 600000));
        return;
    }
    unsigned only = 0;
    if ((line[0] == '1' || line[0] == '2') && line[1] == ':') {
        only = (unsigned)(line[0] - '0');
        line += 2 + strspn(line + 2, " ");
    }
    if (only > s->machines) {
        note_failure(s, "there is only one machine");
        return;
    }
    for (unsigned i = 0; i < s->machines; i++)
        if (only == 0 || only == i + 1)
            do_request(s, i, line);
}

/* Words up to a comma are one request. */
static void do_words(struct session *s, int argc, char **argv)
{
    char line[65536];
    size_t at = 0;
    for (int i = 0; i < argc; i++) {
        size_t n = strlen(argv[i]);
        bool ends = n > 0 && argv[i][n - 1] == ',';
        if (at + n + 2 > sizeof(line)) {
            note_failure(s, "a request is too long for the command line");
            return;
        }
        at += (size_t)snprintf(line + at, sizeof(line) - at, "%s%.*s", at > 0 ? " " : "", (int)(ends ? n - 1 : n), argv[i]);
        if (ends || i + 1 == argc) {
            do_line(s, line);
            at = 0;
        }
    }
}

static void do_input(struct session *s)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0)
        do_line(s, line);
    free(line);
}

static int start_machines(struct session *s, const struct vm_image *image, char *problem)
{
    static const char *const names[MACHINES] = {"one", "two"};
    int cable[VM_NICS][2], status = VM_OK;
    for (unsigned n = 0; n < s->nics; n++)
        if (vm_nic_pair(cable[n]) != VM_OK) {
            snprintf(problem, PROBLEM, "no socket pair");
            return VM_FAILED;
        }
    for (unsigned i = 0; i < s->machines && status == VM_OK; i++) {
        struct vm_nic nic[VM_NICS];
        for (unsigned n = 0; n < s->nics; n++)
            nic[n] = (struct vm_nic){.fd = cable[n][i], .mac = {0x02, 0, 0, 0, (uint8_t)n, (uint8_t)(1 + i)}};
        struct vm_config config = {.image = image, .name = names[i], .nics = nic, .nic_count = s->nics, .append = s->append};
        if (s->console != NULL && (size_t)snprintf(s->consoles[i], sizeof(s->consoles[i]), "%s.%u", s->console, i + 1) < sizeof(s->consoles[i]))
            config.console = s->consoles[i];
        status = vm_start(&config, &s->vm[i], problem, PROBLEM);
    }
    for (unsigned n = 0; n < s->nics; n++) {
        close(cable[n][0]);
        close(cable[n][1]);
    }
    for (unsigned i = 0; i < s->machines && status == VM_OK; i++) {
        status = vm_wait_ready(s->vm[i], 0, problem, PROBLEM);
        speakers[i].session = s;
        speakers[i].machine = i;
        s->talk[i] = (struct vm_talk){.fd = vm_agent_fd(s->vm[i]), .event = put_event, .user = &speakers[i].machine};
    }
    return status;
}

static void end_machines(struct session *s, char *problem)
{
    for (unsigned i = 0; i < MACHINES; i++) {
        if (s->vm[i] == NULL)
            continue;
        vm_talk_end(&s->talk[i]);
        if (vm_end(s->vm[i], 0, problem, PROBLEM) != VM_OK)
            note_failure(s, problem);
    }
}

static int run_session(struct session *s, int argc, char **argv)
{
    struct vm_image image;
    char *problem = calloc(1, PROBLEM);
    s->answer = malloc(ANSWER);
    if (problem == NULL || s->answer == NULL) {
        free(problem);
        free(s->answer);
        return smclab_complain(EXIT_INPUT, "vm", "no memory");
    }
    int status = vm_image_make(&s->image, &image, problem, PROBLEM);
    if (status == VM_OK)
        status = start_machines(s, &image, problem);
    if (status == VM_OK && argc > 0)
        do_words(s, argc, argv);
    else if (status == VM_OK)
        do_input(s);
    else
        s->status = smclab_complain(status == VM_MISSING ? EXIT_NOTHING : EXIT_FOUND, "vm", "%s", problem);
    if (status == VM_OK)
        end_machines(s, problem);
    else
        for (unsigned i = 0; i < MACHINES; i++)
            if (s->vm[i] != NULL) {
                vm_kill(s->vm[i]);
                (void)vm_end(s->vm[i], 0, problem, PROBLEM);
            }
    free(problem);
    free(s->answer);
    return s->status;
}

static int take_option(struct session *s, int c)
{
    switch (c) {
    case 'k':
        s->image.kernel = optarg;
        return 0;
    case 'd':
        s->image.debug = true;
        return 0;
    case 'R':
        s->image.refresh = true;
        return 0;
    case 'p':
        s->machines = 2;
        return 0;
    case 'n':
        s->nics = (unsigned)strtoul(optarg, NULL, 10);
        return s->nics >= 1 && s->nics <= VM_NICS ? 0 : smclab_bad_usage("vm", "1 to %d NICs", VM_NICS);
    case 'f':
        if (s->file_count == FILES)
            return smclab_bad_usage("vm", "at most %d files", FILES);
        s->files[s->file_count++] = optarg;
        return 0;
    case 'C':
        s->console = optarg;
        return 0;
    case 'a':
        s->append = optarg;
        return 0;
    default:
        return smclab_bad_usage("vm", "that option is not known");
    }
}

int cmd_vm(int argc, char **argv)
{
    static const struct option longs[] = {
        {"kernel", required_argument, NULL, 'k'}, {"debug", no_argument, NULL, 'd'}, {"refresh", no_argument, NULL, 'R'},
        {"pair", no_argument, NULL, 'p'}, {"nics", required_argument, NULL, 'n'}, {"file", required_argument, NULL, 'f'},
        {"console", required_argument, NULL, 'C'}, {"append", required_argument, NULL, 'a'}, {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct session s = {.machines = 1, .nics = 1};
    int c;
    s.image.files = s.files;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "+k:dpn:f:a:h", longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        int status = take_option(&s, c);
        if (status != 0)
            return status;
    }
    return run_session(&s, argc - optind, argv + optind);
}

/* smclab run with a real host: starting it, a run with it, ending it.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "run_live.h"

#include "run_leaks.h"

#include "commands.h"

#include "conformance/targets/kernel_agent.h"
#include "conformance/targets/kernel_host.h"
#include "conformance/targets/remote_host.h"
#include "conformance/targets/vm.h"
#include "scenarios/engine/script.h"
#include "scenarios/engine/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { HELLO_MS = 10000 };

/* guest_image.py says so of a kernel whose RoCE devices can be had to speak version 1. */
#define V1_PATCH "smc-v1-over-udp"
enum { SLOWER = 4 }; /* a kernel for debugging is, by so much at least */

struct run_live {
    const struct run_live_options *options;
    enum { LIVE_VM, LIVE_HOST, LIVE_REMOTE } kind;
    struct script_target target;
    char **roles; /* of each run; owned */
    size_t role_count;
    /* Of the virtual machine, in the process that starts the runs. */
    struct vm_image image;
    struct vm *vm;
    int nics[VM_NICS];
    int agent;
    bool unusable; /* the last run found it so */
    bool fresh;    /* no run has used it */
    bool tidied;   /* it has forgotten the run before */
    uint64_t asked; /* resets by us: each asker of an agent numbers its lines from a place of its own */
    /* Of host and remote: opened once. Of the rest, and streams: of one run, in its own process. */
    struct live_carrier *carriers[KERNEL_NICS];
    char role[64], implementation[192];
    struct live *live;
    uint8_t macs[KERNEL_NICS][6];
    char names[KERNEL_NICS][LIVE_INTERFACE]; /* of host: the kernel's interfaces */
    unsigned nic_count;
    struct kernel_host *kernel;
    struct remote_host *remote;
};

bool run_live_is(const char *target)
{
    return strcmp(target, "vm") == 0 || strcmp(target, "host") == 0 || strcmp(target, "remote") == 0;
}

static void free_carriers(struct run_live *l)
{
    for (unsigned i = 0; i < KERNEL_NICS; i++) {
        live_carrier_free(l->carriers[i]);
        l->carriers[i] = NULL;
    }
}

/* ---- the virtual machine ---- */
static void close_nics(struct run_live *l)
{
    for (unsigned i = 0; i < VM_NICS; i++) {
        if (l->nics[i] >= 0)
            close(l->nics[i]);
        l->nics[i] = -1;
    }
}

static void mac_of(unsigned index, uint8_t mac[6])
{
    const uint8_t made[6] = {0x02, 0x5e, 0x20, 0, 0, (uint8_t)(index + 1)};
    memcpy(mac, made, 6);
}

static int boot(struct run_live *l, char *error, size_t error_size)
{
    struct vm_nic nics[VM_NICS] = {{.fd = 0}};
    int theirs[VM_NICS], result = VM_OK;
    unsigned made = 0;
    for (; made < VM_NICS && result == VM_OK; made++) {
        int pair[2];
        if (vm_nic_pair(pair) != 0) {
            snprintf(error, error_size, "a socket pair: %s", strerror(errno));
            result = VM_FAILED;
            break;
        }
        l->nics[made] = pair[0];
        theirs[made] = nics[made].fd = pair[1];
        nics[made].host_mtu = 9000;
        mac_of(made, nics[made].mac);
    }
    struct vm_config config = {.image = &l->image, .name = "kernel", .nics = nics, .nic_count = made};
    if (result == VM_OK)
        result = vm_start(&config, &l->vm, error, error_size);
    for (unsigned i = 0; i < made; i++)
        close(theirs[i]);
    if (result == VM_OK)
        result = vm_wait_ready(l->vm, 0, error, error_size);
    if (result == VM_OK)
        l->agent = vm_agent_fd(l->vm);
    return result;
}

static void shut_down(struct run_live *l, bool quick)
{
    char ignored[1024];
    if (l->vm != NULL && quick)
        vm_kill(l->vm);
    if (l->vm != NULL)
        (void)vm_end(l->vm, 0, ignored, sizeof(ignored));
    l->vm = NULL;
    close_nics(l);
}

static int start_vm(struct run_live *l)
{
    char error[2048] = "";
    struct vm_image_config config = {.kernel = l->options->kernel, .debug = l->options->debug};
    for (unsigned i = 0; i < VM_NICS; i++)
        l->nics[i] = -1;
    l->nic_count = VM_NICS;
    int result = vm_image_make(&config, &l->image, error, sizeof(error));
    if (result == VM_OK)
        result = boot(l, error, sizeof(error));
    l->fresh = true;
    return result == VM_OK ? 0 : smclab_complain(result == VM_MISSING ? EXIT_NOTHING : EXIT_INPUT, "run", "%s", error);
}

/* Does the machine come back from the run before? What does not let go of that run's devices is no fault of the next one. */
static bool tidy_up(struct run_live *l)
{
    struct kernel_agent agent;
    const char *answer;
    kernel_agent_init(&agent, l->agent, ((uint64_t)getpid() << 20) + l->asked++);
    agent.slower = l->options->debug ? SLOWER : 0;
    l->tidied = kernel_agent_ask(&agent, KERNEL_RESET_MS, &answer, "reset") == 0;
    if (!l->tidied)
        (void)smclab_complain(0, "run", "the virtual machine does not come back from its last run (%s): a new one is booted", answer);
    kernel_agent_end(&agent);
    return l->tidied;
}

/* Before each run: a kernel that has warned, or an agent that is silent, is not used again. */
static int before(void *user, char *error, size_t error_size)
{
    struct run_live *l = user;
    char why[1024];
    if (l->kind != LIVE_VM || l->image.kernel[0] == '\0')
        return 0;
    if (!l->unusable && l->vm != NULL && vm_check(l->vm, why, sizeof(why)) == 0 && (l->fresh || tidy_up(l))) {
        l->fresh = false;
        return 0;
    }
    l->unusable = l->fresh = l->tidied = false;
    shut_down(l, true);
    return boot(l, error, error_size) == VM_OK ? 0 : -1;
}

void run_live_saw(struct run_live *l, const json_t *record)
{
    const char *verdict = json_string_value(json_object_get(record, "verdict"));
    bool told = json_is_string(json_object_get(record, "implementation")) || verdict == NULL || strcmp(verdict, "error") != 0;
    l->unusable |= !told || json_is_true(json_object_get(record, "spent")); /* stopped, or dead: the agent may be in the middle of a request */
}

/* ---- this machine, and machines far away ---- */
static int missing(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int missing(const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return smclab_complain(EXIT_NOTHING, "run", "%s", text);
}

static bool is_stream(const char *carrier)
{
    return strncmp(carrier, "stream:", 7) == 0;
}

/* What to do about a carrier that could not be opened. */
static int carrier_missing(const char *text, int error, const char *why)
{
    if (error == EPERM || error == EACCES)
        return missing("--carrier %s: %s; run this as root, or with CAP_NET_ADMIN and CAP_NET_RAW", text, why);
    if (is_stream(text))
        return missing("--carrier %s: %s; start QEMU with -netdev stream,server=on,addr.type=unix,addr.path=%s", text, why, text + 7);
    if (strncmp(text, "tap:", 4) == 0 && (error == ENOENT || error == ENODEV || error == ENXIO))
        return missing("--carrier %s: %s; load the kernel's module for it: modprobe tun", text, why);
    if (error == ENODEV)
        return missing("--carrier %s: %s; `ip link` lists this machine's interfaces", text, why);
    return missing("--carrier %s: %s", text, why);
}

/* TAP devices and packet sockets stay open from the first run to the last: what the kernel has on such a device does not go between
 * two runs. A stream begins anew with each run: nobody knows where in a frame the run before has left it. */
static int open_all(struct run_live *l)
{
    char why[LIVE_ERROR] = "";
    for (unsigned i = 0; i < l->options->carrier_count; i++) {
        const char *text = l->options->carriers[i];
        if (strncmp(text, "tap:", 4) != 0 && strncmp(text, "packet:", 7) != 0 && !is_stream(text))
            return smclab_bad_usage("run", "--carrier %s: tap:NAME, packet:INTERFACE or stream:PATH", text);
        errno = 0;
        l->carriers[i] = live_carrier_open(text, why);
        if (l->carriers[i] == NULL)
            return carrier_missing(text, errno, why);
        if (l->kind == LIVE_HOST && !live_carrier_far_end(text, l->names[i], l->macs[i], why))
            return missing("--carrier %s", why);
        if (is_stream(text)) {
            live_carrier_free(l->carriers[i]);
            l->carriers[i] = NULL;
        }
        l->nic_count = i + 1;
    }
    return 0;
}

static int ask_hello(struct run_live *l)
{
    struct kernel_agent agent;
    const char *answer;
    kernel_agent_init(&agent, l->agent, (uint64_t)getpid() << 20);
    int result = kernel_agent_ask(&agent, HELLO_MS, &answer, "hello"), status = 0;
    if (result != 0)
        status = missing("the agent at %s does not answer: %s; is it serving another asker?", l->options->agent, answer);
    else if (kernel_agent_number(answer, "smc", 0) == 0)
        status = missing("this machine's kernel has no AF_SMC: load its modules (modprobe smc smc_diag rdma_rxe), or use --target vm");
    kernel_agent_end(&agent);
    return status;
}

static int start_host(struct run_live *l)
{
    const char *path = l->options->agent;
    struct sockaddr_un there = {.sun_family = AF_UNIX};
    if (path == NULL || l->options->carrier_count == 0)
        return missing("--target host needs the agent and a way for frames: start `smclab-agent --socket PATH` as root on this machine "
                       "(its kernel must have AF_SMC: modules smc, smc_diag, rdma_rxe), then give --agent PATH and --carrier tap:NAME");
    if (strlen(path) >= sizeof(there.sun_path))
        return smclab_complain(EXIT_USAGE, "run", "--agent %s: too long for a socket's path", path);
    memcpy(there.sun_path, path, strlen(path));
    l->agent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->agent < 0 || connect(l->agent, (struct sockaddr *)&there, sizeof(there)) != 0)
        return missing("no agent at %s: %s; start `smclab-agent --socket %s` as root", path, strerror(errno), path);
    (void)fcntl(l->agent, F_SETFL, O_NONBLOCK);
    int status = ask_hello(l);
    return status != 0 ? status : open_all(l);
}

static int start_remote(struct run_live *l)
{
    if (l->options->remote == NULL || l->options->carrier_count == 0)
        return missing("--target remote needs the machine and a way to it: --remote ADDRESS and --carrier tap:NAME or packet:INTERFACE "
                       "(root, or CAP_NET_ADMIN and CAP_NET_RAW)");
    return open_all(l);
}

/* ---- one run, in its process ---- */
static void set_role(void *user, const char *role)
{
    struct run_live *l = user;
    snprintf(l->role, sizeof(l->role), "%s", role);
}

static const char *implementation(void *user)
{
    struct run_live *l = user;
    return l->implementation[0] != '\0' ? l->implementation : NULL;
}

static bool spent(void *user)
{
    return ((struct run_live *)user)->unusable;
}

static int prepare(void *user, struct lab_config *config, char *error, size_t error_size)
{
    struct run_live *l = user;
    l->live = live_new();
    if (l->live == NULL) {
        snprintf(error, error_size, "out of memory");
        return -1;
    }
    config->clock = live_clock(l->live);
    config->seed ^= (uint64_t)getpid() << 32; /* the kernel has not forgotten the ports of the run before */
    return 0;
}

static int open_carriers(struct run_live *l, char *error, size_t error_size)
{
    char why[LIVE_ERROR] = "";
    for (unsigned i = 0; i < l->nic_count; i++) {
        if (l->kind == LIVE_VM) {
            l->carriers[i] = live_carrier_fd(dup(l->nics[i]), false, why);
            mac_of(i, l->macs[i]);
        } else if (l->carriers[i] == NULL) {
            l->carriers[i] = live_carrier_open(l->options->carriers[i], why);
        }
        if (l->carriers[i] == NULL) {
            snprintf(error, error_size, "%s", why);
            return -1;
        }
        live_carrier_drain(l->carriers[i]); /* what earlier runs left is nobody's */
    }
    return 0;
}

static int begin_kernel(struct run_live *l, struct lab *lab, char *error, size_t error_size)
{
    struct kernel_host_config config = {.agent_fd = l->agent, .first_number = (uint64_t)getpid() << 20, .nic_count = l->nic_count,
                                        .tidied = l->tidied, .slower = l->options->debug ? SLOWER : 0};
    for (unsigned i = 0; i < l->nic_count; i++) {
        config.nics[i].carrier = l->carriers[i];
        memcpy(config.nics[i].mac, l->macs[i], 6);
        config.nics[i].name = l->kind == LIVE_HOST ? l->names[i] : NULL; /* others of this machine may have the script's */
    }
    l->kernel = kernel_host_new(&config, l->live, error, error_size);
    if (l->kernel == NULL) {
        l->unusable = true;
        return -1;
    }
    snprintf(l->implementation, sizeof(l->implementation), "%s", kernel_host_version(l->kernel));
    if (kernel_host_has_v1(l->kernel))
        lab_set_v1_over_udp(lab);
    return 0;
}

/* Roles that are not a host's name: both hosts are the kernel, as containers of it, or over its interface `lo`. */
static enum kernel_both both_of(const char *role)
{
    return strcmp(role, "both") == 0 ? KERNEL_CONTAINERS : strcmp(role, "lo") == 0 ? KERNEL_LO : KERNEL_ONE;
}

static int begin_both(struct run_live *l, struct lab *lab, const struct lab_outside *first, char *error, size_t error_size)
{
    if (l->kernel == NULL) {
        snprintf(error, error_size, "only with --target vm or host can both hosts be the real one");
        return -1;
    }
    const struct lab_outside *second = kernel_host_both(l->kernel, both_of(l->role), error, error_size);
    return second != NULL && lab_set_both_outside(lab, l->role, first, second) == 0 ? 0 : -1;
}

static int begin(void *user, struct lab *lab, char *error, size_t error_size)
{
    struct run_live *l = user;
    const struct lab_outside *outside;
    char *end;
    if (open_carriers(l, error, error_size) != 0)
        return -1;
    if (l->kind == LIVE_REMOTE) {
        struct remote_host_config config = {.carrier = l->carriers[0], .address = l->options->remote, .own = l->options->own,
                                            .port = l->options->remote_port};
        l->remote = remote_host_new(&config, l->live);
        snprintf(l->implementation, sizeof(l->implementation), "remote %s", l->options->remote);
        outside = l->remote != NULL ? remote_host_start(l->remote, lab) : NULL;
    } else {
        outside = begin_kernel(l, lab, error, error_size) == 0 ? kernel_host_start(l->kernel, lab) : NULL;
    }
    if (outside == NULL)
        return -1;
    if (both_of(l->role) != KERNEL_ONE)
        return begin_both(l, lab, outside, error, error_size);
    unsigned long index = strtoul(l->role, &end, 10);
    bool by_number = end != l->role && *end == '\0' && index > 0;
    return lab_set_outside(lab, by_number ? NULL : l->role, by_number ? (unsigned)index - 1 : 0, outside) == 0 ? 0 : -1;
}

/* The reason of a failure is one line; who is to understand it wants all of it. */
static void show_log(struct run_live *l)
{
    char *text = kernel_host_log(l->kernel);
    l->unusable = true;
    if (text != NULL)
        fprintf(stderr, "smclab run: what the kernel logged, %s:\n%s\n", l->implementation, text);
    free(text);
}

static void end_run(void *user, struct lab *lab, char *failure, size_t failure_size)
{
    struct run_live *l = user;
    bool serious;
    (void)lab;
    if (l->kernel != NULL) {
        kernel_host_complaints(l->kernel, failure, failure_size, &serious);
        if (serious)
            show_log(l);
    }
    if (l->kind == LIVE_VM && l->vm != NULL && failure[0] == '\0')
        (void)vm_check(l->vm, failure, failure_size);
    kernel_host_free(l->kernel);
    remote_host_free(l->remote);
    free_carriers(l);
    live_free(l->live);
    l->kernel = NULL;
    l->remote = NULL;
    l->live = NULL;
}

/* ---- which runs: each script once for each role ---- */
static char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = file != NULL ? calloc(1, (1 << 20) + 1) : NULL;
    if (text != NULL)
        (void)!fread(text, 1, 1 << 20, file);
    if (file != NULL)
        fclose(file);
    return text;
}

/* The first two hosts of a script, as their names stand there. */
static unsigned first_hosts(const char *path, char names[2][48])
{
    char *text = read_text(path);
    unsigned n = 0;
    for (const char *line = text; line != NULL && n < 2; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (sscanf(line, " host \"%47[^\"]\"", names[n]) == 1 && line[0] == 'h')
            n++;
        if (*line == '\0')
            break;
    }
    free(text);
    return n;
}

static bool wanted(const char *list, const char *role)
{
    size_t n = strlen(role);
    for (const char *at = list; at != NULL && *at != '\0'; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, role, n) == 0 && (at[n] == ',' || at[n] == '\0'))
            return true;
    return list == NULL;
}

static int add_run(struct run_live *l, struct run_files *out, const char *path, const char *role)
{
    if (out->count == out->room) {
        size_t room = out->room != 0 ? 2 * out->room : 64;
        char **paths = realloc(out->paths, room * sizeof(*paths));
        char **roles = realloc(l->roles, room * sizeof(*roles));
        out->paths = paths != NULL ? paths : out->paths;
        l->roles = roles != NULL ? roles : l->roles;
        if (paths == NULL || roles == NULL)
            return -1;
        out->room = room;
    }
    out->paths[out->count] = strdup(path);
    l->roles[out->count] = strdup(role);
    if (out->paths[out->count] == NULL || l->roles[out->count] == NULL)
        return -1;
    out->count++;
    l->role_count = out->count;
    return 0;
}

static int add_script(struct run_live *l, const char *target, struct run_files *out, const char *path)
{
    struct script_options options = {.path = path, .header_only = true};
    struct script_result script;
    char names[2][48] = {"1", "2"};
    int error = 0;
    unsigned added = 0, count = first_hosts(path, names);
    script_run(&options, NULL, NULL, &script);
    const struct script_header *h = &script.header;
    if (script.verdict == SCRIPT_PASS && script_is_for(h, target)) {
        if (count == 0)
            count = 2;
        for (unsigned i = 0; error == 0 && i < (h->role_count > 0 ? h->role_count : count); i++) {
            const char *role = h->role_count > 0 ? h->roles[i] : names[i];
            if (!wanted(l->options->roles, role))
                continue;
            error = add_run(l, out, path, role);
            added++;
        }
    }
    if (added == 0 && error == 0)
        error = add_run(l, out, path, RUNNER_NO_ROLE);
    script_result_free(&script);
    return error;
}

static int expand(struct run_live *l, const char *target, struct run_files *files)
{
    struct run_files out = {0};
    for (size_t i = 0; i < files->count; i++)
        if (add_script(l, target, &out, files->paths[i]) != 0)
            return smclab_complain(EXIT_INPUT, "run", "out of memory");
    run_files_free(files);
    *files = out;
    return 0;
}

static bool any_to_run(const struct run_live *l)
{
    for (size_t i = 0; i < l->role_count; i++)
        if (strcmp(l->roles[i], RUNNER_NO_ROLE) != 0)
            return true;
    return false;
}

/* ---- the whole ---- */
int run_live_start(const struct run_live_options *options, struct runner_options *runner, struct run_files *files, struct run_live **out)
{
    struct run_live *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return smclab_complain(EXIT_INPUT, "run", "out of memory");
    *out = l;
    l->options = options;
    l->kind = strcmp(runner->target, "vm") == 0 ? LIVE_VM : strcmp(runner->target, "host") == 0 ? LIVE_HOST : LIVE_REMOTE;
    l->agent = -1;
    l->target = (struct script_target){.name = runner->target, .prepare = prepare, .begin = begin, .end = end_run, .user = l,
                                       .role = set_role, .implementation = implementation, .spent = spent, .no_v1 = l->kind != LIVE_REMOTE,
                                       .patience = options->debug ? SLOWER * options->patience : options->patience};
    int status = expand(l, runner->target, files);
    runner->script_target = &l->target;
    runner->roles = (const char *const *)l->roles;
    runner->jobs = 1; /* one host, one run at a time */
    runner->before = before;
    runner->before_user = l;
    if (status != 0 || !any_to_run(l))
        return status;
    if (l->kind == LIVE_VM && (status = start_vm(l)) == 0 && !options->no_v1)
        l->target.no_v1 = strstr(l->image.package, V1_PATCH) == NULL;
    return l->kind == LIVE_VM ? status : l->kind == LIVE_HOST ? start_host(l) : start_remote(l);
}

int run_live_end(struct run_live *l)
{
    int status = 0;
    char error[2048] = "";
    if (l == NULL)
        return 0;
    if (l->vm != NULL && !l->unusable && l->options->debug && run_leaks(l->agent, error, sizeof(error)) != 0)
        status = smclab_complain(EXIT_FOUND, "run", "at the end: %s", error);
    if (l->vm != NULL && !l->unusable && vm_end(l->vm, 0, error, sizeof(error)) != 0)
        status = smclab_complain(EXIT_FOUND, "run", "at the end of the virtual machine: %s", error);
    else if (l->vm != NULL && l->unusable)
        shut_down(l, true);
    if (l->kind == LIVE_VM && l->vm != NULL)
        close_nics(l);
    if (l->kind == LIVE_HOST && l->agent >= 0)
        close(l->agent);
    free_carriers(l);
    for (size_t i = 0; i < l->role_count; i++)
        free(l->roles[i]);
    free(l->roles);
    free(l);
    return status;
}

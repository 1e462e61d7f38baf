/* smclab-endpoint: our SMC stack as a program, on a host or as all there is in a virtual machine.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "conformance/agent/stack/guest.h"
#include "conformance/agent/stack/kernel_smc.h"
#include "conformance/agent/stack/option.h"
#include "conformance/agent/stack/rdma.h"
#include "conformance/agent/stack/shared_memory.h"
#include "conformance/agent/stack/status.h"
#include "conformance/agent/stack/traffic.h"
#include "conformance/agent/stack/verbs_check.h"
#include "sim/plain_alloc.h"

enum { EXIT_USAGE = 2, EXIT_NOTHING = 77, MS = 1000000, SETTLE_MS = 1000, VERBS_MAX = 4 };

static const char usage[] =
    "usage: smclab-endpoint --listen ADDRESS:PORT | --connect ADDRESS:PORT [OPTION…]\n"
    "       smclab-endpoint --verbs-check NAME     whether an RDMA device keeps what we ask of one\n"
    "\n"
    "Our SMC endpoint in real time: exchanges patterns with another one, checks every byte, prints a line \"RESULT {JSON}\".\n"
    "\n"
    "      --socket KIND        smc (default), tcp, or kernel: AF_SMC of this machine's kernel\n"
    "      --ivshmem-server P   SMC-D over the region of the ivshmem server with this socket\n"
    "      --ivshmem WAY        SMC-D over this machine's ivshmem function; WAY: poll or vfio\n"
    "      --verbs NAME         SMC-R over this RDMA device of libibverbs; several times: more than one link\n"
    "      --cgroup PATH        put the SMC option into TCP's SYNs, and ask the peer's, by a BPF program at this cgroup2;\n"
    "                           without it both sides are taken to speak SMC\n"
    "      --vectors N          interrupts to use, default 4\n"
    "      --max-dmbs N         if this machine formats the region: room for N DMBs\n"
    "      --poll-us N          how often to look for a ring where there are no interrupts, default 500\n"
    "      --alive-ms N         a peer that shows no life for so long is gone, default 5000\n"
    "      --connections N      to open at once, or to serve; default 1\n"
    "      --opening N          so many handshakes at one time; default: all\n"
    "      --kind KIND          duplex (default), upload, download, or mixed: upload and download in turn\n"
    "      --up BYTES, --down BYTES\n"
    "                           from client and server, a connection; default 100000\n"
    "      --rmb BYTES          size of receive buffers\n"
    "      --expect MODE        D, R or TCP: anything else is a failure\n"
    "      --profile NAME       linux (default) or rfc\n"
    "      --ueid EID           default SMCLAB.EID\n"
    "      --seed N             default: drawn\n"
    "      --delay-ms N         wait before anything is connected; a server that is not there yet is waited for anyway\n"
    "      --timeout S          give up after so many seconds, default 60\n"
    "      --status PATH        a unix socket there tells what connections, groups and counters there are: `smclab ss --agent PATH`\n"
    "      --log                say what was verified (V number total) and acknowledged (A number total)\n"
    "  As the first process of a machine (the kernel hands over what stands behind -- in its command line):\n"
    "      --address IF=A/N     an interface's IPv4 address, several times\n"
    "      --rxe NAME=IF        make a Soft-RoCE device on an interface\n"
    "      --kernel-ueid EID    give the kernel's AF_SMC a UEID\n"
    "      --kernel-pnet P=IF=DEVICE   tell it that an interface and an RDMA device are of the physical network P\n"
    "      --module NAME        load one more module of the image, several times\n"
    "\n"
    "Exit status: 0 every connection complete; 1 not; 2 usage; 77 a device or the network is missing.\n";

struct options {
    const char *listen, *connect;
    enum stack_family family;
    const char *server, *cgroup, *check, *status, *verbs[VERBS_MAX];
    unsigned verbs_count;
    bool function;
    enum shared_memory_way way;
    uint32_t vectors, max_dmbs, rmb;
    uint64_t poll_us, alive_ms, delay_ms, timeout_s, seed, up, down, connections, opening;
    enum traffic_kind kind;
    bool mixed, log;
    enum smc_mode expect;
    const struct smc_profile *profile;
    const char *ueid;
};

static int complain(int status, const char *what, const char *more)
{
    fprintf(stderr, "smclab-endpoint: %s%s%s\n", what, more[0] != '\0' ? ": " : "", more);
    return status;
}

/* ---- the command line ---- */

enum {
    OPTION_LISTEN = 256, OPTION_CONNECT, OPTION_SOCKET, OPTION_SERVER, OPTION_IVSHMEM, OPTION_VECTORS, OPTION_DMBS, OPTION_POLL,
    OPTION_ALIVE, OPTION_CONNECTIONS, OPTION_OPENING, OPTION_KIND, OPTION_UP, OPTION_DOWN, OPTION_RMB, OPTION_EXPECT, OPTION_PROFILE, OPTION_UEID,
    OPTION_SEED, OPTION_DELAY, OPTION_TIMEOUT, OPTION_LOG, OPTION_ADDRESS, OPTION_MODULE,
    OPTION_VERBS, OPTION_CGROUP, OPTION_RXE, OPTION_KERNEL_UEID, OPTION_KERNEL_PNET, OPTION_CHECK, OPTION_STATUS
};

static const struct option longs[] = {{"listen", required_argument, NULL, OPTION_LISTEN},
                                      {"connect", required_argument, NULL, OPTION_CONNECT},
                                      {"socket", required_argument, NULL, OPTION_SOCKET},
                                      {"ivshmem-server", required_argument, NULL, OPTION_SERVER},
                                      {"ivshmem", required_argument, NULL, OPTION_IVSHMEM},
                                      {"vectors", required_argument, NULL, OPTION_VECTORS},
                                      {"max-dmbs", required_argument, NULL, OPTION_DMBS},
                                      {"poll-us", required_argument, NULL, OPTION_POLL},
                                      {"alive-ms", required_argument, NULL, OPTION_ALIVE},
                                      {"connections", required_argument, NULL, OPTION_CONNECTIONS},
                                      {"opening", required_argument, NULL, OPTION_OPENING},
                                      {"kind", required_argument, NULL, OPTION_KIND},
                                      {"up", required_argument, NULL, OPTION_UP},
                                      {"down", required_argument, NULL, OPTION_DOWN},
                                      {"rmb", required_argument, NULL, OPTION_RMB},
                                      {"expect", required_argument, NULL, OPTION_EXPECT},
                                      {"profile", required_argument, NULL, OPTION_PROFILE},
                                      {"ueid", required_argument, NULL, OPTION_UEID},
                                      {"seed", required_argument, NULL, OPTION_SEED},
                                      {"delay-ms", required_argument, NULL, OPTION_DELAY},
                                      {"timeout", required_argument, NULL, OPTION_TIMEOUT},
                                      {"log", no_argument, NULL, OPTION_LOG},
                                      {"address", required_argument, NULL, OPTION_ADDRESS},
                                      {"module", required_argument, NULL, OPTION_MODULE},
                                      {"verbs", required_argument, NULL, OPTION_VERBS},
                                      {"verbs-check", required_argument, NULL, OPTION_CHECK},
                                      {"status", required_argument, NULL, OPTION_STATUS},
                                      {"cgroup", required_argument, NULL, OPTION_CGROUP},
                                      {"rxe", required_argument, NULL, OPTION_RXE},
                                      {"kernel-ueid", required_argument, NULL, OPTION_KERNEL_UEID},
                                      {"kernel-pnet", required_argument, NULL, OPTION_KERNEL_PNET},
                                      {"help", no_argument, NULL, 'h'},
                                      {NULL, 0, NULL, 0}};

/* The number of a word in a list that a NULL ends; -1: not in it. */
static int one_of(const char *text, const char *const words[])
{
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    return -1;
}

static bool number(const char *text, uint64_t most, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    *out = n;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && n <= most;
}

static bool number_32(const char *text, uint32_t *out)
{
    uint64_t n = 0;
    bool ok = number(text, UINT32_MAX, &n);
    *out = (uint32_t)n;
    return ok;
}

static bool word_option(struct options *o, int c)
{
    static const char *const sockets[] = {"smc", "tcp", "kernel", NULL}, *const ways[] = {"poll", "vfio", NULL};
    static const char *const kinds[] = {"duplex", "upload", "download", "mixed", NULL};
    static const char *const modes[] = {"any", "TCP", "R", "D", NULL}, *const profiles[] = {"linux", "rfc", NULL};
    const char *const *words = c == OPTION_SOCKET    ? sockets
                               : c == OPTION_IVSHMEM ? ways
                               : c == OPTION_KIND    ? kinds
                               : c == OPTION_EXPECT  ? modes
                                                     : profiles;
    int i = one_of(optarg, words);
    if (i < 0)
        return false;
    if (c == OPTION_SOCKET)
        o->family = (enum stack_family)i;
    if (c == OPTION_IVSHMEM) {
        o->function = true;
        o->way = i == 0 ? SHARED_MEMORY_POLL : SHARED_MEMORY_VFIO;
    }
    if (c == OPTION_KIND) {
        o->mixed = i == 3;
        o->kind = o->mixed ? TRAFFIC_DUPLEX : (enum traffic_kind)i;
    }
    if (c == OPTION_EXPECT)
        o->expect = (enum smc_mode)i;
    if (c == OPTION_PROFILE)
        o->profile = i == 0 ? &smc_profile_linux : &smc_profile_rfc;
    return true;
}

static bool option(struct options *o, int c)
{
    switch (c) {
    case OPTION_LISTEN: o->listen = optarg; return true;
    case OPTION_CONNECT: o->connect = optarg; return true;
    case OPTION_SERVER: o->server = optarg; return true;
    case OPTION_UEID: o->ueid = optarg; return true;
    case OPTION_LOG: o->log = true; return true;
    case OPTION_VECTORS: return number_32(optarg, &o->vectors);
    case OPTION_DMBS: return number_32(optarg, &o->max_dmbs);
    case OPTION_RMB: return number_32(optarg, &o->rmb);
    case OPTION_POLL: return number(optarg, UINT32_MAX, &o->poll_us);
    case OPTION_ALIVE: return number(optarg, UINT32_MAX, &o->alive_ms);
    case OPTION_CONNECTIONS: return number(optarg, UINT16_MAX, &o->connections);
    case OPTION_OPENING: return number(optarg, UINT16_MAX, &o->opening);
    case OPTION_UP: return number(optarg, UINT64_MAX / 2, &o->up);
    case OPTION_DOWN: return number(optarg, UINT64_MAX / 2, &o->down);
    case OPTION_SEED: return number(optarg, UINT64_MAX, &o->seed);
    case OPTION_DELAY: return number(optarg, UINT32_MAX, &o->delay_ms);
    case OPTION_TIMEOUT: return number(optarg, UINT32_MAX, &o->timeout_s);
    case OPTION_ADDRESS: return guest_set_address(optarg) == 0;
    case OPTION_CHECK: o->check = optarg; return true;
    case OPTION_CGROUP: o->cgroup = optarg; return true;
    case OPTION_STATUS: o->status = optarg; return true;
    case OPTION_VERBS:
        if (o->verbs_count == VERBS_MAX)
            return false;
        o->verbs[o->verbs_count++] = optarg;
        return true;
    case OPTION_RXE: return kernel_add_rxe(optarg) == 0;
    case OPTION_KERNEL_UEID: return kernel_add_ueid(optarg) == 0;
    case OPTION_KERNEL_PNET: return kernel_add_pnet(optarg) == 0;
    case OPTION_MODULE: return guest_load(optarg) == 0;
    default: return c >= OPTION_LISTEN && word_option(o, c);
    }
}

/* -1: go on. */
static int parse(struct options *o, int argc, char **argv)
{
    int c;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (!option(o, c))
            return complain(EXIT_USAGE, "wrong option; --help lists them", c == '?' || optarg == NULL ? "" : optarg);
    }
    if (o->check != NULL && optind == argc) {
        int failed = verbs_check(&plain_alloc, o->check, stdout);
        return failed < 0 ? EXIT_NOTHING : failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    if ((o->listen == NULL) == (o->connect == NULL) || optind < argc)
        return complain(EXIT_USAGE, "either --listen or --connect, and nothing without a name", "");
    return -1;
}

/* ---- the run ---- */

struct program {
    struct options options;
    struct stack *stack;
    struct shared_memory *shared;
    struct rdma *rdma[VERBS_MAX];
    struct traffic *traffic;
    struct status *status;
    char address[64];
};

static int open_shared(struct program *p)
{
    const struct options *o = &p->options;
    const char *problem;
    struct shared_memory_config config = {.alloc = &plain_alloc,
                                          .stack = p->stack,
                                          .way = o->server != NULL ? SHARED_MEMORY_SERVER : o->way,
                                          .path = o->server,
                                          .vectors = o->vectors,
                                          .max_dmbs = o->max_dmbs,
                                          .seed = o->seed,
                                          .poll_ns = o->poll_us * 1000,
                                          .alive_timeout_ns = o->alive_ms * MS};
    if (o->server == NULL && !o->function)
        return 0;
    int error = shared_memory_open(&config, &p->shared, &problem);
    if (error == 0)
        return 0;
    fprintf(stderr, "smclab-endpoint: ivshmem: %s: %s (%s)\n", problem, smc_error_text(error), strerror(errno));
    return EXIT_NOTHING;
}

static int open_verbs(struct program *p)
{
    const struct options *o = &p->options;
    const char *problem;
    for (unsigned i = 0; i < o->verbs_count; i++) {
        int error = rdma_open(&plain_alloc, p->stack, o->verbs[i], &p->rdma[i], &problem);
        if (error == 0)
            continue;
        fprintf(stderr, "smclab-endpoint: %s: %s: %s (%s)\n", o->verbs[i], problem, smc_error_text(error), strerror(errno));
        return EXIT_NOTHING;
    }
    return 0;
}

static int open_option(const struct options *o)
{
    static char log[16384];
    if (o->cgroup == NULL || option_attach(o->cgroup, log, sizeof(log)) == 0)
        return 0;
    fprintf(stderr, "smclab-endpoint: the BPF program for TCP's option: %s\n%s\n", strerror(errno), log);
    return EXIT_NOTHING;
}

static int open_status(struct program *p)
{
    const char *path = p->options.status;
    int error = path != NULL ? status_open(p->stack, path, &p->status) : 0;
    if (error == 0)
        return 0;
    fprintf(stderr, "smclab-endpoint: --status %s: %s (%s)\n", path, smc_error_text(error),
            error == SMC_ERR_ARGUMENT ? "the path is too long" : strerror(errno));
    return EXIT_FAILURE;
}

static int open_traffic(struct program *p)
{
    const struct options *o = &p->options;
    char *address = p->address;
    const char *text = o->listen != NULL ? o->listen : o->connect, *colon = strrchr(text, ':');
    uint64_t port;
    if (colon == NULL || (size_t)(colon - text) >= sizeof(p->address) || !number(colon + 1, UINT16_MAX, &port))
        return complain(EXIT_USAGE, "an address looks like 10.0.0.1:5000", text);
    memcpy(address, text, (size_t)(colon - text));
    address[colon - text] = '\0';
    struct traffic_config config = {.alloc = &plain_alloc,
                                    .stack = p->stack,
                                    .client = o->connect != NULL,
                                    .family = o->family,
                                    .address = address,
                                    .port = (uint16_t)port,
                                    .connections = (unsigned)o->connections,
                                    .opening = (unsigned)o->opening,
                                    .mixed = o->mixed,
                                    .kind = o->kind,
                                    .up_bytes = o->up,
                                    .down_bytes = o->down,
                                    .log = o->log,
                                    .out = stdout};
    int error = traffic_new(&config, &p->traffic);
    if (error == 0)
        return 0;
    fprintf(stderr, "smclab-endpoint: %s: %s (%s)\n", text, smc_error_text(error), strerror(errno));
    return error == SMC_ERR_ARGUMENT ? EXIT_USAGE : EXIT_NOTHING;
}

static int open_all(struct program *p)
{
    const struct options *o = &p->options;
    char hostname[32] = "SMCLAB";
    (void)gethostname(hostname, sizeof(hostname) - 1);
    bool dibs = o->server != NULL || o->function;
    struct stack_config config = {.alloc = &plain_alloc,
                                  .profile = o->profile,
                                  .hostname = hostname,
                                  .ueid = o->ueid,
                                  .seed = o->seed,
                                  .smc_r = !dibs,
                                  .smc_d = dibs,
                                  .rmb_bytes = o->rmb};
    if (o->cgroup != NULL)
        config.option = (struct stack_option){.prepare = option_prepare, .agreed = option_agreed};
    int error = stack_new(&config, &p->stack);
    if (error != 0)
        return complain(EXIT_FAILURE, "the endpoint cannot be made", smc_error_text(error));
    int status = open_shared(p);
    if (status == 0)
        status = open_verbs(p);
    if (status == 0)
        status = open_option(o);
    if (status == 0)
        status = open_status(p);
    if (status != 0)
        return status;
    if (p->shared != NULL)
        printf("READY ivshmem id %" PRIu32 "\n", shared_memory_id(p->shared));
    fflush(stdout);
    stack_run(p->stack, NULL, stack_now_ns() + o->delay_ms * MS);
    return open_traffic(p);
}

/* After the last connection the loop goes on a little: link groups, TCP and the peer are not done yet. */
static int run(struct program *p)
{
    const struct options *o = &p->options;
    int status = open_all(p);
    if (status == 0) {
        if (o->listen != NULL)
            puts("LISTENING");
        fflush(stdout);
        stack_run(p->stack, traffic_done(p->traffic), stack_now_ns() + o->timeout_s * 1000 * MS);
        bool good = traffic_report(p->traffic, o->expect);
        traffic_stop(p->traffic);
        stack_run(p->stack, NULL, stack_now_ns() + SETTLE_MS * (uint64_t)MS);
        status = good ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    if (p->shared != NULL)
        printf("INTERRUPTS %" PRIu64 "\n", shared_memory_interrupts(p->shared));
    if (p->shared != NULL)
        shared_memory_close(p->shared);
    for (unsigned i = 0; i < VERBS_MAX; i++)
        if (p->rdma[i] != NULL)
            rdma_close(p->rdma[i]);
    option_detach();
    status_close(p->status);
    if (p->stack != NULL)
        stack_free(p->stack);
    if (p->traffic != NULL)
        traffic_free(p->traffic);
    return status;
}

int main(int argc, char **argv)
{
    struct program p = {.options = {.vectors = 4,
                                    .poll_us = 500,
                                    .alive_ms = 5000,
                                    .timeout_s = 60,
                                    .up = 100000,
                                    .down = 100000,
                                    .connections = 1}};
    bool init = getpid() == 1;
    signal(SIGPIPE, SIG_IGN);
    if (init)
        guest_start();
    if (getrandom(&p.options.seed, sizeof(p.options.seed), 0) < 0)
        p.options.seed = stack_now_ns();
    int status = parse(&p.options, argc, argv);
    if (status < 0)
        status = run(&p);
    if (init) {
        printf("EXIT %d\n", status);
        guest_end();
    }
    return status;
}

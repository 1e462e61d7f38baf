/* smclab ivshmem-server: the server that QEMU's ivshmem-doorbell devices connect to.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include "devices/ivshmem_server.h"
#include "sim/plain_alloc.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const char usage[] =
    "usage: smclab ivshmem-server --socket PATH [OPTION…]\n"
    "\n"
    "Shares memory and interrupts among virtual machines, and with `smclab-endpoint --ivshmem-server PATH` on this host:\n"
    "\n"
    "  qemu-system-x86_64 … -chardev socket,path=PATH,id=iv -device ivshmem-doorbell,vectors=N,chardev=iv\n"
    "\n"
    "      --socket PATH      the unix socket, made here with mode 0600\n"
    "      --size BYTES       of the memory, a power of two, also with K, M or G; default 64M\n"
    "      --vectors N        interrupts of each machine, 1 to 1024; default 4\n"
    "      --max-clients N    let no more in\n"
    "  -v, --verbose          say who comes and goes\n"
    "  -h, --help             this text\n"
    "\n"
    "Runs until SIGINT or SIGTERM; says \"ready\" when machines may come.\n"
    "Exit status: 0 ended by a signal; 2 usage; 3 the socket or the memory cannot be made.\n";

struct serve {
    struct ivshmem_server_config config;
    bool verbose;
};

static void changed(void *user, uint16_t id, bool present)
{
    const struct serve *serve = user;
    if (!serve->verbose)
        return;
    printf("%s %u\n", present ? "connected" : "gone", (unsigned)id);
    fflush(stdout);
}

/* A number, with K, M or G behind it if `units`; false: none, or more than `most`. */
static bool parse(const char *text, bool units, uint64_t most, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    const char *unit = *end != '\0' ? strchr("KMG", *end) : NULL;
    unsigned shift = unit == NULL ? 0 : 10 * (unsigned)(unit - "KMG" + 1);
    if (text[0] < '0' || text[0] > '9' || errno != 0 || (*end != '\0' && (!units || unit == NULL || end[1] != '\0')) ||
        n > most >> shift)
        return false;
    *out = (uint64_t)n << shift;
    return true;
}

static int serve_until_signal(struct ivshmem_server *server, int signals)
{
    struct pollfd ready[2] = {{.fd = ivshmem_server_fd(server), .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    while ((ready[1].revents & POLLIN) == 0) {
        if (poll(ready, 2, -1) < 0 && errno != EINTR)
            return smclab_complain(EXIT_INPUT, "ivshmem-server", "poll: %s", strerror(errno));
        ivshmem_server_run(server);
    }
    return 0;
}

static int run(struct serve *serve)
{
    struct ivshmem_server *server;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (signals < 0)
        return smclab_complain(EXIT_INPUT, "ivshmem-server", "signalfd: %s", strerror(errno));
    serve->config.alloc = &plain_alloc;
    serve->config.changed = changed;
    serve->config.user = serve;
    int error = ivshmem_server_create(&serve->config, &server), status;
    if (error == SMC_ERR_ARGUMENT)
        status = smclab_bad_usage("ivshmem-server", "size must be a power of two, 4K or more; vectors 1 to 1024; the path short");
    else if (error == SMC_ERR_EXISTS)
        status = smclab_complain(EXIT_INPUT, "ivshmem-server", "%s: a server is there already, or it is no socket", serve->config.path);
    else if (error != 0)
        status = smclab_complain(EXIT_INPUT, "ivshmem-server", "%s: %s (%s)", serve->config.path, smc_error_text(error), strerror(errno));
    else {
        puts("ready");
        fflush(stdout);
        status = serve_until_signal(server, signals);
        ivshmem_server_destroy(server);
    }
    close(signals);
    return status;
}

enum { OPTION_SOCKET = 256, OPTION_SIZE, OPTION_VECTORS, OPTION_CLIENTS };

static int option(struct serve *serve, int c)
{
    uint64_t n = 0;
    bool ok = true;
    switch (c) {
    case 'v': serve->verbose = true; break;
    case OPTION_SOCKET: serve->config.path = optarg; break;
    case OPTION_SIZE: ok = parse(optarg, true, (uint64_t)1 << 46, &serve->config.memory_bytes); break;
    case OPTION_VECTORS:
        ok = parse(optarg, false, IVSHMEM_SERVER_VECTORS, &n);
        serve->config.vectors = (uint32_t)n;
        break;
    case OPTION_CLIENTS:
        ok = parse(optarg, false, IVSHMEM_SERVER_CLIENTS, &n);
        serve->config.max_clients = (uint32_t)n;
        break;
    default: return EXIT_USAGE; /* getopt said what is wrong */
    }
    return ok ? 0 : smclab_bad_usage("ivshmem-server", "%s is no such number", optarg);
}

int cmd_ivshmem_server(int argc, char **argv)
{
    static const struct option longs[] = {{"socket", required_argument, NULL, OPTION_SOCKET},
                                          {"size", required_argument, NULL, OPTION_SIZE},
                                          {"vectors", required_argument, NULL, OPTION_VECTORS},
                                          {"max-clients", required_argument, NULL, OPTION_CLIENTS},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct serve serve = {.config = {.memory_bytes = 64 << 20, .vectors = 4}};
    int c, status = 0;
    optind = 1;
    while (status == 0 && (c = getopt_long(argc, argv, "vh", longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        status = option(&serve, c);
    }
    if (status != 0)
        return status;
    if (serve.config.path == NULL || optind < argc)
        return smclab_bad_usage("ivshmem-server", "--socket PATH, and nothing without a name, please");
    return run(&serve);
}

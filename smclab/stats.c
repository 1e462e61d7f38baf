/* smclab stats: counters of a scenario's hosts at a time, with the names of `smcr stats` and `smcd stats`.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"
#include "look_agent.h"
#include "look.h"

#include "sim/lab.h"

#include <inttypes.h>

static const char usage[] =
    "usage: smclab stats [OPTION…] SCENARIO\n"
    "       smclab stats [OPTION…] --agent PATH\n"
    "\n"
    "Runs a scenario up to a time and shows the counters of its hosts with the names of smcr-stats(8) and smcd-stats(8).\n"
    "With --agent: those of a live machine, now: of its kernel by smclab-agent --socket PATH, of our own stack by\n"
    "smclab-endpoint --status PATH.\n"
    "\n"
    "      --at TIME          stands still there (250ms, 1.5s, 20us, 3ns; without a unit: nanoseconds); default: the end\n"
    "      --seed N           of the run, default 1\n"
    "      --host NAME        only this host: then nothing but its counters is printed\n"
    "  -R, --smcr             only SMC-R\n"
    "  -D, --smcd             only SMC-D\n"
    "  -d, --details          more counters, and why connections fell back to TCP\n"
    "  -h, --help             this text\n"
    "\n"
    "Exit status: 0 shown; 1 an expectation of the scenario failed before; 2 usage; 3 the scenario has an error, or the\n"
    "agent does not answer.\n";

static void put(const char *name, uint64_t value)
{
    printf("  %-26s %12" PRIu64 "\n", name, value);
}

/* With a share of `of` in hundredths of a percent. */
static void put_share(const char *name, uint64_t value, uint64_t of)
{
    uint64_t share = of == 0 ? 0 : value * 10000 / of;
    printf("  %-26s %12" PRIu64 " (%" PRIu64 ".%02" PRIu64 "%%)\n", name, value, share / 100, share % 100);
}

/* 1,234,567 → "1.2M" */
static void put_bytes(uint64_t bytes)
{
    static const char units[] = "KMGTPE";
    uint64_t n = bytes, rest = 0;
    int unit = -1;
    for (; n >= 1000; unit++) {
        rest = n % 1000;
        n /= 1000;
    }
    printf("  %-24s %14" PRIu64 " (", "Data transmitted (Bytes)", bytes);
    if (unit < 0)
        printf("%" PRIu64 ")\n", n);
    else
        printf("%" PRIu64 ".%" PRIu64 "%c)\n", n, rest / 100, units[unit]);
}

static void put_sizes(const char *name, const uint64_t sizes[SMC_STATS_SIZES])
{
    printf("  %-6s", name);
    for (unsigned i = 0; i < 7; i++)
        printf(" %6" PRIu64 " ", sizes[i]);
    printf(" %6" PRIu64 "\n", sizes[7] + sizes[8]);
}

static void put_histograms(const uint64_t buffers[SMC_STATS_SIZES], const uint64_t requests[SMC_STATS_SIZES])
{
    puts("            8KB    16KB    32KB    64KB   128KB   256KB   512KB  >512KB");
    put_sizes("Bufs", buffers);
    put_sizes("Reqs", requests);
    putchar('\n');
}

static void put_reasons(const struct smc_counters *c, bool server)
{
    bool any = false;
    for (unsigned i = 0; i < SMC_STATS_REASONS; i++) {
        uint32_t code = server ? c->server_reasons[i].code : c->client_reasons[i].code;
        uint64_t count = server ? c->server_reasons[i].count : c->client_reasons[i].count;
        if (count == 0)
            continue;
        if (!any)
            puts(server ? "    Server" : "    Client");
        any = true;
        printf("     0x%08" PRIx32 "              %12" PRIu64 "\n", code, count);
    }
}

static void put_summary(const struct look *look, const struct smc_counters *c, const struct smc_path_counters *p)
{
    uint64_t smc = p->connections_v1 + p->connections_v2, fallbacks = c->client_fallbacks + c->server_fallbacks;
    uint64_t requests = p->rx_requests + p->tx_requests, tenths = smc == 0 ? 0 : requests * 10 / smc;
    put("Total connections handled", smc + fallbacks + c->handshake_errors);
    put("SMC connections", smc);
    if (look->details) {
        put("  v1", p->connections_v1);
        put("  v2", p->connections_v2);
    }
    put("Handshake errors", c->handshake_errors);
    printf("  %-26s %12" PRIu64 ".%" PRIu64 "\n", "Avg requests per SMC conn", tenths / 10, tenths % 10);
    if (!look->details) {
        put("TCP fallback", fallbacks);
        return;
    }
    printf("  %-26s %12" PRIu64 " (client %" PRIu64 ", server %" PRIu64 ")\n", "TCP fallback", fallbacks, c->client_fallbacks,
           c->server_fallbacks);
    put_reasons(c, true);
    put_reasons(c, false);
}

static void put_rx(const struct look *look, const struct smc_path_counters *p)
{
    puts("\nRX Stats");
    put_bytes(p->rx_bytes);
    put("Total requests", p->rx_requests);
    put_share("Buffer full", p->rx_buffer_full, p->rx_requests);
    if (look->details) {
        put("Buffer downgrades", p->rx_buffer_downgraded);
        put("Buffer reuses", p->rx_buffer_reuse);
    }
    put_histograms(p->rx_rmb_size, p->rx_size);
}

static void put_tx(const struct look *look, const struct smc_path_counters *p)
{
    puts("TX Stats");
    put_bytes(p->tx_bytes);
    put("Total requests", p->tx_requests);
    put_share("Buffer full", p->tx_buffer_full, p->tx_requests);
    put_share("Buffer full (remote)", p->tx_buffer_full_peer, p->tx_requests);
    put_share("Buffer too small", p->tx_buffer_small, p->tx_requests);
    put_share("Buffer too small (remote)", p->tx_buffer_small_peer, p->tx_requests);
    if (look->details) {
        put("Buffer downgrades", p->tx_buffer_downgraded);
        put("Buffer reuses", p->tx_buffer_reuse);
    }
    put_histograms(p->tx_rmb_size, p->tx_size);
}

static void put_extras(const struct look *look, const struct smc_path_counters *p)
{
    uint64_t urgent = p->urgent_sent + p->urgent_received;
    puts("Extras");
    put("Special socket calls", p->cork + p->nodelay + p->sendpage + p->splice + urgent);
    if (!look->details)
        return;
    put("  cork", p->cork);
    put("  nodelay", p->nodelay);
    put("  sendpage", p->sendpage);
    put("  splice", p->splice);
    put("  urgent data", urgent);
}

static void put_path(const struct look *look, const struct smc_counters *c, char letter)
{
    const struct smc_path_counters *p = letter == 'D' ? &c->d : &c->r;
    if (look->path_letter != 0 && look->path_letter != letter)
        return;
    printf("SMC-%c Connections Summary\n", letter);
    put_summary(look, c, p);
    put_rx(look, p);
    put_tx(look, p);
    put_extras(look, p);
    if (look->path_letter == 0 || look_names_hosts(look))
        putchar('\n');
}

void look_put_counters(const struct look *look, const struct smc_counters *counters)
{
    put_path(look, counters, 'R');
    put_path(look, counters, 'D');
}

void look_print_stats(const struct look *look, struct lab *lab)
{
    for (struct lab_host *h = look_next_host(look, lab, NULL); h != NULL; h = look_next_host(look, lab, h)) {
        if (lab_host_endpoint(h) == NULL)
            continue;
        if (look_names_hosts(look))
            printf("Host %s\n\n", lab_host_name(h));
        look_put_counters(look, smc_endpoint_counters(lab_host_endpoint(h)));
    }
}

/* ---- the command line ---- */
static bool option(struct look *look, int c)
{
    switch (c) {
    case 'd': look->details = true; return true;
    case 'R':
    case 'D': look->path_letter = (char)c; return true;
    default: return false;
    }
}

int cmd_stats(int argc, char **argv)
{
    static const struct option longs[] = {
        {"smcr", no_argument, NULL, 'R'}, {"smcd", no_argument, NULL, 'D'}, {"details", no_argument, NULL, 'd'},
        LOOK_LONG_OPTIONS};
    static const struct look_syntax syntax = {.usage = usage, .shorts = "RDdh", .longs = longs, .option = option};
    struct look look = {.command = "stats", .print = look_print_stats, .ask = look_agent_stats};
    return look_command(&look, argc, argv, &syntax);
}

/* What an agent answers, as the rows that ss and stats print.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "look_agent.h"

#include "commands.h"
#include "ss_table.h"

#include "conformance/targets/kernel_agent.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- NAME=VALUE of the n-th thing of an answer ---- */
struct item {
    char *text; /* its part of the answer, so that looking for a name does not go through all of a thousand others */
    unsigned number;
};

/* The part of item `number`, from *at on, which moves behind it. False: there is none, or no memory. Freed with free(). */
static bool take_item(const char **at, unsigned number, struct item *out)
{
    char prefix[16];
    size_t n = (size_t)snprintf(prefix, sizeof(prefix), "%u.", number);
    const char *from = *at + strspn(*at, " ");
    while (*from != '\0' && strncmp(from, prefix, n) != 0) {
        from += strcspn(from, " ");
        from += strspn(from, " ");
    }
    const char *end = from;
    while (strncmp(end, prefix, n) == 0) {
        end += strcspn(end, " ");
        end += strspn(end, " ");
    }
    if (end == from)
        return false;
    *at = end;
    *out = (struct item){strndup(from, (size_t)(end - from)), number};
    return out->text != NULL;
}

static const char *key_of(const struct item *i, const char *name, char key[64])
{
    snprintf(key, 64, "%u.%s", i->number, name);
    return key;
}

static bool text_of(const struct item *i, const char *name, char *out, size_t size)
{
    char key[64];
    out[0] = '\0';
    return kernel_agent_text(i->text, key_of(i, name, key), out, size);
}

static uint64_t number_of(const struct item *i, const char *name)
{
    char key[64];
    return kernel_agent_number(i->text, key_of(i, name, key), 0);
}

/* IPv4 as it stands in an IPv6 address. */
static void address_of(const struct item *i, const char *name, struct smc_gid *out)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char text[64];
    memset(out, 0, sizeof(*out));
    if (text_of(i, name, text, sizeof(text)) && inet_pton(AF_INET6, text, out->bytes) != 1 &&
        inet_pton(AF_INET, text, out->bytes + 12) == 1)
        memcpy(out->bytes, mapped, sizeof(mapped));
}

/* "WRAP:COUNT", flags "0xPRODUCER:0xCONNECTION" */
static void pair_of(const struct item *i, const char *name, uint32_t *first, uint32_t *second)
{
    char text[64], *end;
    *first = *second = 0;
    if (!text_of(i, name, text, sizeof(text)))
        return;
    *first = (uint32_t)strtoul(text, &end, 0);
    if (*end == ':')
        *second = (uint32_t)strtoul(end + 1, NULL, 0);
}

static struct smc_cursor_info cursor_of(const struct item *i, const char *name)
{
    uint32_t wrap, count;
    pair_of(i, name, &wrap, &count);
    return (struct smc_cursor_info){.wrap = (uint16_t)wrap, .count = count};
}

/* ---- sockets ---- */
static enum smc_mode mode_of(const struct item *i)
{
    char text[16];
    (void)text_of(i, "mode", text, sizeof(text));
    return strcmp(text, "SMC-R") == 0 ? SMC_MODE_R : strcmp(text, "SMC-D") == 0 ? SMC_MODE_D : strcmp(text, "TCP") == 0 ? SMC_MODE_TCP
                                                                                                                      : SMC_MODE_NONE;
}

static enum smc_state state_of(const char *name)
{
    for (int state = 0; state < 32; state++)
        if (smc_state_name(state) != NULL && strcmp(smc_state_name(state), name) == 0)
            return (enum smc_state)state;
    return SMC_STATE_INIT;
}

static void fill_info(const struct item *i, const char *state, struct smc_connection_info *out)
{
    uint32_t producer, connection;
    char role[16];
    (void)text_of(i, "role", role, sizeof(role));
    *out = (struct smc_connection_info){.state = state_of(state), .client = strcmp(role, "client") == 0};
    out->alert_token = (uint32_t)number_of(i, "token");
    out->sndbuf_bytes = (uint32_t)number_of(i, "sndbuf");
    out->rmb_bytes = (uint32_t)number_of(i, "rmb");
    out->peer_rmb_bytes = (uint32_t)number_of(i, "peer_rmb");
    out->rx_prod = cursor_of(i, "rx_prod");
    out->rx_cons = cursor_of(i, "rx_cons");
    out->tx_prod = cursor_of(i, "tx_prod");
    out->tx_cons = cursor_of(i, "tx_cons");
    out->tx_prep = cursor_of(i, "tx_prep");
    out->tx_sent = cursor_of(i, "tx_sent");
    out->tx_fin = cursor_of(i, "tx_fin");
    pair_of(i, "rx_flags", &producer, &connection);
    out->rx_prod_flags = (uint8_t)producer;
    out->rx_conn_flags = (uint8_t)connection;
    pair_of(i, "tx_flags", &producer, &connection);
    out->tx_prod_flags = (uint8_t)producer;
    out->tx_conn_flags = (uint8_t)connection;
}

static int ask(const struct look *look, struct kernel_agent *agent, const char *what, const char **answer)
{
    int result = kernel_agent_ask(agent, KERNEL_ANSWER_MS, answer, "%s", what);
    return result == 0 ? 0 : smclab_complain(EXIT_INPUT, look->command, "%s, %s: %s", look->agent, what, *answer);
}

int look_agent_ss(const struct look *look, struct kernel_agent *agent)
{
    const char *answer;
    char state[32], device[64];
    int status = ask(look, agent, "connections", &answer);
    if (status != 0)
        return status;
    ss_put_header(look);
    struct item i;
    for (unsigned n = 1; take_item(&answer, n, &i); n++) {
        struct ss_row r = {.host = "", .state = state, .inode = number_of(&i, "inode"), .uid = (unsigned)number_of(&i, "uid"),
                           .own_port = (uint16_t)number_of(&i, "own_port"), .peer_port = (uint16_t)number_of(&i, "peer_port"),
                           .mode = mode_of(&i), .fallback = (uint32_t)number_of(&i, "fallback"),
                           .peer_diagnosis = (uint32_t)number_of(&i, "peer_diagnosis"), .info_known = true};
        (void)text_of(&i, "state", state, sizeof(state));
        address_of(&i, "own", &r.own);
        address_of(&i, "peer", &r.peer);
        r.tcp = r.peer_port != 0;
        fill_info(&i, state, &r.info);
        r.link_known = text_of(&i, "device", device, sizeof(device));
        r.link = (struct smc_link_info){.number = (uint8_t)number_of(&i, "link"), .port = (uint8_t)number_of(&i, "port"), .device = device};
        address_of(&i, "gid", &r.link.gid);
        address_of(&i, "peer_gid", &r.link.peer_gid);
        ss_put_row(look, &r);
        free(i.text);
    }
    return 0;
}

/* ---- groups and links ---- */
static bool read_group(const char **answer, unsigned n, struct smc_group_info *out)
{
    struct item i;
    char kind[16];
    if (!take_item(answer, n, &i))
        return false;
    (void)text_of(&i, "kind", kind, sizeof(kind));
    *out = (struct smc_group_info){.smc_d = strcmp(kind, "SMC-D") == 0, .id = (uint32_t)number_of(&i, "id"),
                                   .client = number_of(&i, "role") == 0, .type = (enum smc_group_type)(number_of(&i, "type") % 5),
                                   .vlan_valid = number_of(&i, "vlan") != 0, .vlan_id = (uint16_t)number_of(&i, "vlan"),
                                   .connections = (uint32_t)number_of(&i, "connections")};
    free(i.text);
    return true;
}

int look_agent_groups(const struct look *look, struct kernel_agent *agent)
{
    const char *answer;
    struct smc_group_info g;
    int status = ask(look, agent, "groups", &answer);
    for (int smc_d = 0; status == 0 && smc_d < 2; smc_d++) {
        const char *at = answer;
        ss_put_group_header(look, smc_d);
        for (unsigned n = 1; read_group(&at, n, &g); n++)
            if (g.smc_d == (smc_d == 1))
                (smc_d ? ss_put_group_d : ss_put_group_r)(look, "", &g);
    }
    return status;
}

enum { GROUPS_MOST = 256, DEVICE = 64 };

static void put_links_of(const struct look *look, const char *answer, struct smc_group_info *g)
{
    char devices[9][DEVICE], group[32];
    struct item i;
    g->link_count = 0;
    for (unsigned n = 1; g->link_count < 9 && take_item(&answer, n, &i); free(i.text), n++) {
        struct smc_link_info *l = &g->links[g->link_count];
        if (!text_of(&i, "group", group, sizeof(group)) || (uint32_t)strtoul(group, NULL, 0) != g->id)
            continue;
        (void)text_of(&i, "device", devices[g->link_count], DEVICE);
        *l = (struct smc_link_info){.number = (uint8_t)number_of(&i, "number"), .state = kernel_agent_link_state(number_of(&i, "state")),
                                    .device = devices[g->link_count], .port = (uint8_t)number_of(&i, "port"),
                                    .connections = (uint32_t)number_of(&i, "connections")};
        address_of(&i, "gid", &l->gid);
        address_of(&i, "peer_gid", &l->peer_gid);
        g->link_count++;
    }
    ss_put_links(look, "", g);
}

int look_agent_links(const struct look *look, struct kernel_agent *agent)
{
    static struct smc_group_info groups[GROUPS_MOST];
    const char *answer;
    unsigned count = 0;
    int status = ask(look, agent, "groups", &answer);
    while (status == 0 && count < GROUPS_MOST && read_group(&answer, count + 1, &groups[count]))
        count++;
    if (status == 0)
        status = ask(look, agent, "links", &answer);
    if (status != 0)
        return status;
    ss_put_link_header(look);
    for (unsigned n = 0; n < count; n++)
        if (!groups[n].smc_d)
            put_links_of(look, answer, &groups[n]);
    return 0;
}

/* ---- counters ---- */
static uint64_t counter(const char *answer, const char *path, const char *name)
{
    char key[96];
    snprintf(key, sizeof(key), "1.%s.%s", path, name);
    return kernel_agent_number(answer, key, 0);
}

static void read_sizes(const char *answer, const char *path, const char *name, uint64_t out[SMC_STATS_SIZES])
{
    static const char *const names[SMC_STATS_SIZES] = {"8k", "16k", "32k", "64k", "128k", "256k", "512k", "1024k", "more"};
    char key[64];
    for (unsigned i = 0; i < SMC_STATS_SIZES; i++) {
        snprintf(key, sizeof(key), "%s.%s", name, names[i]);
        out[i] = counter(answer, path, key);
    }
}

static void read_path(const char *answer, const char *path, struct smc_path_counters *c)
{
    *c = (struct smc_path_counters){
        .connections_v1 = counter(answer, path, "client_v1") + counter(answer, path, "server_v1"),
        .connections_v2 = counter(answer, path, "client_v2") + counter(answer, path, "server_v2"),
        .rx_bytes = counter(answer, path, "rx_bytes"),
        .tx_bytes = counter(answer, path, "tx_bytes"),
        .rx_requests = counter(answer, path, "rx_calls"),
        .tx_requests = counter(answer, path, "tx_calls"),
        .rx_buffer_small = counter(answer, path, "rx.too_small"),
        .rx_buffer_small_peer = counter(answer, path, "rx.too_small_peer"),
        .rx_buffer_full = counter(answer, path, "rx.full"),
        .rx_buffer_reuse = counter(answer, path, "rx.reused"),
        .rx_buffer_alloc = counter(answer, path, "rx.allocated"),
        .rx_buffer_downgraded = counter(answer, path, "rx.downgraded"),
        .tx_buffer_small = counter(answer, path, "tx.too_small"),
        .tx_buffer_small_peer = counter(answer, path, "tx.too_small_peer"),
        .tx_buffer_full = counter(answer, path, "tx.full"),
        .tx_buffer_full_peer = counter(answer, path, "tx.full_peer"),
        .tx_buffer_reuse = counter(answer, path, "tx.reused"),
        .tx_buffer_alloc = counter(answer, path, "tx.allocated"),
        .tx_buffer_downgraded = counter(answer, path, "tx.downgraded"),
        .urgent_received = counter(answer, path, "urgent"), /* both ways together */
        .cork = counter(answer, path, "cork"),
        .nodelay = counter(answer, path, "nodelay"),
        .sendpage = counter(answer, path, "sendpage"),
        .splice = counter(answer, path, "splice"),
    };
    read_sizes(answer, path, "rx_size", c->rx_size);
    read_sizes(answer, path, "tx_size", c->tx_size);
    read_sizes(answer, path, "rx_rmb_size", c->rx_rmb_size);
    read_sizes(answer, path, "tx_rmb_size", c->tx_rmb_size);
}

/* Each item is one reason of one side, and has both sides' totals. */
static void read_fallbacks(const char *answer, struct smc_counters *c)
{
    unsigned clients = 0, servers = 0;
    struct item i;
    for (unsigned n = 1; take_item(&answer, n, &i); free(i.text), n++) {
        bool server = number_of(&i, "server") != 0;
        unsigned *used = server ? &servers : &clients;
        c->client_fallbacks = number_of(&i, "clients");
        c->server_fallbacks = number_of(&i, "servers");
        if (*used == SMC_STATS_REASONS)
            continue;
        uint32_t code = (uint32_t)number_of(&i, "reason");
        uint64_t count = number_of(&i, "count");
        if (server) {
            c->server_reasons[*used].code = code;
            c->server_reasons[*used].count = count;
        } else {
            c->client_reasons[*used].code = code;
            c->client_reasons[*used].count = count;
        }
        (*used)++;
    }
}

int look_agent_stats(const struct look *look, struct kernel_agent *agent)
{
    static struct smc_counters c;
    const char *answer;
    int status = ask(look, agent, "stats", &answer);
    if (status != 0)
        return status;
    read_path(answer, "smcr", &c.r);
    read_path(answer, "smcd", &c.d);
    c.handshake_errors = kernel_agent_number(answer, "1.client_handshake_errors", 0) +
                         kernel_agent_number(answer, "1.server_handshake_errors", 0);
    status = ask(look, agent, "fallbacks", &answer);
    if (status != 0)
        return status;
    read_fallbacks(answer, &c);
    look_put_counters(look, &c);
    return 0;
}

/* ---- the way there ---- */
int look_agent(const struct look *look)
{
    struct sockaddr_un there = {.sun_family = AF_UNIX};
    struct kernel_agent agent;
    const char *answer;
    if (strlen(look->agent) >= sizeof(there.sun_path))
        return smclab_bad_usage(look->command, "--agent %s: too long for a socket's path", look->agent);
    memcpy(there.sun_path, look->agent, strlen(look->agent));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&there, sizeof(there)) != 0) {
        int status = smclab_complain(EXIT_INPUT, look->command, "nobody at %s: %s; start `smclab-agent --socket PATH` (as root), or "
                                     "`smclab-endpoint … --status PATH`", look->agent, strerror(errno));
        if (fd >= 0)
            close(fd);
        return status;
    }
    kernel_agent_init(&agent, fd, (uint64_t)getpid() << 20);
    int status = ask(look, &agent, "hello", &answer);
    if (status == 0)
        status = look->ask(look, &agent);
    kernel_agent_end(&agent);
    close(fd);
    return status;
}

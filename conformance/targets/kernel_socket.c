/* A kernel's sockets, by its agent.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/targets/kernel_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEND_MOST = 128 << 10, RECV_MOST = 256 << 10 };
/* How old an answer may be where the engine asks after every event; and when a socket that said EAGAIN is asked again although it
 * did not call. */
#define FRESH_NS (20 * SIM_MS)
#define ASK_AGAIN_NS (200 * SIM_MS)

struct kernel_socket *kernel_socket_get(struct kernel_host *k, uint64_t number)
{
    for (struct kernel_socket *s = k->sockets; s != NULL; s = s->next)
        if (s->number == number)
            return s;
    struct kernel_socket *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->number = number;
    s->next = k->sockets;
    k->sockets = s;
    return s;
}

void kernel_sockets_free(struct kernel_host *k)
{
    while (k->sockets != NULL) {
        struct kernel_socket *s = k->sockets;
        k->sockets = s->next;
        free(s);
    }
}

/* ---- beginning ---- */
static void options_of(const struct lab_socket_config *c, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "%s%s%s", c->nodelay ? " nodelay=1" : "", c->cork ? " cork=1" : "",
                                c->oob_inline ? " oobinline=1" : "");
    if (c->rmb_bytes != 0)
        n += (size_t)snprintf(out + n, size - n, " rcvbuf=%u", c->rmb_bytes);
    if (c->sndbuf_bytes != 0)
        snprintf(out + n, size - n, " sndbuf=%u", c->sndbuf_bytes);
}

static bool is_v6(const struct lab_host *host)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct smc_gid first;
    return lab_host_addresses(host, &first, 1) > 0 && memcmp(first.bytes, mapped, sizeof(mapped)) != 0;
}

static bool own(struct kernel_host *k, struct lab_socket *socket, const struct lab_host *host, uint64_t *number)
{
    struct kernel_socket *s = kernel_socket_get(k, lab_socket_id(socket));
    *number = lab_socket_id(socket);
    if (s != NULL)
        s->host = host;
    return s != NULL;
}

int kernel_listen(void *user, struct lab_socket *socket, uint16_t port, const struct lab_socket_config *c, uint64_t *number)
{
    struct kernel_host *k = user;
    const struct lab_host *host = lab_socket_host(socket);
    char options[160];
    const char *answer;
    if (c->fast_open)
        return lab_outside_refuse(k->lab, "TCP Fast Open cannot be asked for there");
    options_of(c, options, sizeof(options));
    if (!own(k, socket, host, number))
        return SMC_ERR_NOMEM;
    int result = kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "listen id=%" PRIu64 " address=%s port=%u family=%s%s%s", *number,
                                  is_v6(host) ? "::" : "0.0.0.0", port, c->tcp_only || kernel_has_no_smc(k, host) ? "tcp" : "smc",
                                  options, kernel_space(k, host));
    return kernel_check(k, result, "listen", answer);
}

/* Over `lo` the kernel would take the peer's own address for ours. */
static void from_of(const struct kernel_host *k, const struct lab_host *host, char *out, size_t size)
{
    struct smc_gid first;
    char text[INET6_ADDRSTRLEN];
    out[0] = '\0';
    if (k->both != KERNEL_LO || lab_host_addresses(host, &first, 1) == 0)
        return;
    if (is_v6(host))
        (void)inet_ntop(AF_INET6, first.bytes, text, sizeof(text));
    else
        (void)inet_ntop(AF_INET, first.bytes + 12, text, sizeof(text));
    snprintf(out, size, " from=%s", text);
}

int kernel_connect(void *user, struct lab_socket *socket, const char *address, uint16_t port, const struct lab_socket_config *c,
                   uint64_t *number)
{
    struct kernel_host *k = user;
    const struct lab_host *host = lab_socket_host(socket);
    char options[160], from[80];
    const char *answer;
    if (c->fast_open)
        return lab_outside_refuse(k->lab, "TCP Fast Open cannot be asked for there");
    options_of(c, options, sizeof(options));
    if (!own(k, socket, host, number))
        return SMC_ERR_NOMEM;
    from_of(k, host, from, sizeof(from));
    int result = kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "connect id=%" PRIu64 " address=%s port=%u family=%s%s%s%s", *number,
                                  address, port, c->tcp_only || kernel_has_no_smc(k, host) ? "tcp" : "smc", options,
                                  kernel_space(k, host), from);
    return kernel_check(k, result, "connect", answer);
}

/* ---- bytes ---- */
static int64_t send_some(struct kernel_host *k, uint64_t number, const uint8_t *data, size_t length, bool oob)
{
    static const char digits[] = "0123456789abcdef";
    char *line = malloc(2 * length + 128);
    const char *answer;
    if (line == NULL)
        return -ENOMEM;
    size_t n = (size_t)sprintf(line, "send id=%" PRIu64 "%s bytes=", number, oob ? " oob=1" : "");
    for (size_t i = 0; i < length; i++) {
        line[n++] = digits[data[i] >> 4];
        line[n++] = digits[data[i] & 15];
    }
    line[n] = '\0';
    int result = kernel_agent_ask_line(&k->agent, KERNEL_ANSWER_MS, &answer, line);
    free(line);
    return result != 0 ? result : (int64_t)kernel_agent_number(answer, "n", 0);
}

int64_t kernel_send(void *user, uint64_t number, const void *data, size_t length, unsigned flags)
{
    struct kernel_host *k = user;
    struct kernel_socket *s = kernel_socket_get(k, number);
    size_t done = 0;
    int64_t n = 0;
    if (s == NULL)
        return SMC_ERR_NOMEM;
    if (s->full_until > live_now(k->live))
        return SMC_ERR_WOULDBLOCK;
    while (done < length) {
        size_t some = length - done < SEND_MOST ? length - done : SEND_MOST;
        n = send_some(k, number, (const uint8_t *)data + done, some, (flags & SMC_MSG_OOB) != 0);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (n == -EAGAIN)
        s->full_until = live_now(k->live) + ASK_AGAIN_NS;
    s->info_known = false;
    kernel_tell_later(k);
    return done > 0 || n >= 0 ? (int64_t)done : kernel_error((int)-n);
}

int64_t kernel_recv(void *user, uint64_t number, void *data, size_t length, unsigned flags)
{
    struct kernel_host *k = user;
    struct kernel_socket *s = kernel_socket_get(k, number);
    const char *answer;
    if (s == NULL)
        return SMC_ERR_NOMEM;
    if ((flags & SMC_MSG_OOB) == 0 && s->empty_until > live_now(k->live))
        return SMC_ERR_WOULDBLOCK;
    int result = kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "recv id=%" PRIu64 " max=%zu%s%s", number,
                                  length < RECV_MOST ? length : RECV_MOST, (flags & SMC_MSG_PEEK) != 0 ? " peek=1" : "",
                                  (flags & SMC_MSG_OOB) != 0 ? " oob=1" : "");
    s->info_known = false;
    kernel_tell_later(k);
    if (result == -EAGAIN && (flags & SMC_MSG_OOB) == 0)
        s->empty_until = live_now(k->live) + ASK_AGAIN_NS;
    if (result != 0)
        return kernel_error(-result);
    long n = kernel_agent_bytes(answer, "bytes", data, length);
    return n >= 0 ? n : SMC_ERR_IO;
}

uint32_t kernel_room(void *user, uint64_t number)
{
    struct kernel_host *k = user;
    const char *answer;
    int result = kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "room id=%" PRIu64, number);
    uint32_t room = result == 0 ? (uint32_t)kernel_agent_number(answer, "n", 0) : 0;
    kernel_tell_later(k);
    return room;
}

/* ---- ending, options ---- */
int kernel_shutdown(void *user, uint64_t number, enum smc_how how)
{
    static const char *const names[] = {[SMC_SHUT_RD] = "read", [SMC_SHUT_WR] = "write", [SMC_SHUT_RDWR] = "both"};
    struct kernel_host *k = user;
    struct kernel_socket *s = kernel_socket_get(k, number);
    const char *answer;
    int result = kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "shutdown id=%" PRIu64 " how=%s", number, names[how]);
    if (s != NULL)
        s->info_known = false;
    return kernel_check(k, result, "shutdown", answer);
}

int kernel_close(void *user, uint64_t number)
{
    struct kernel_host *k = user;
    const char *answer;
    int result = kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "close id=%" PRIu64, number);
    return kernel_check(k, result, "close", answer);
}

int kernel_set(void *user, uint64_t number, enum smc_option option, int64_t value)
{
    static const char *const names[] = {[SMC_OPTION_NODELAY] = "nodelay", [SMC_OPTION_CORK] = "cork", [SMC_OPTION_OOBINLINE] = "oobinline",
                                        [SMC_OPTION_LINGER_NS] = "linger", [SMC_OPTION_KEEPALIVE] = "keepalive"};
    struct kernel_host *k = user;
    const char *answer;
    if (option == SMC_OPTION_LINGER_NS && value > 0)
        value = (value + (int64_t)SIM_S - 1) / (int64_t)SIM_S;
    int result = kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "set id=%" PRIu64 " %s=%" PRId64, number, names[option], value);
    return kernel_check(k, result, "set", answer);
}

/* ---- looking in ---- */
static struct smc_cursor_info cursor_of(const char *answer, const char *name)
{
    char text[40], *end;
    struct smc_cursor_info c = {0};
    if (!kernel_agent_text(answer, name, text, sizeof(text)))
        return c;
    c.wrap = (uint16_t)strtoul(text, &end, 0);
    if (*end == ':')
        c.count = (uint32_t)strtoul(end + 1, NULL, 0);
    return c;
}

static void read_info(const char *answer, struct lab_outside_info *out)
{
    char text[32];
    memset(out, 0, sizeof(*out));
    if (kernel_agent_text(answer, "mode", text, sizeof(text)))
        out->mode = strcmp(text, "SMC-R") == 0 ? SMC_MODE_R : strcmp(text, "SMC-D") == 0 ? SMC_MODE_D
                    : strcmp(text, "TCP") == 0 ? SMC_MODE_TCP : SMC_MODE_NONE;
    (void)kernel_agent_text(answer, "state", out->state, sizeof(out->state));
    out->fallback = (uint32_t)kernel_agent_number(answer, "fallback", 0);
    out->peer_diagnosis = (uint32_t)kernel_agent_number(answer, "peer_diagnosis", 0);
    out->smc = out->mode == SMC_MODE_R || out->mode == SMC_MODE_D;
    struct smc_connection_info *c = &out->connection;
    c->mode = out->mode;
    c->version = (uint8_t)kernel_agent_number(answer, "version", 0);
    c->release = (uint8_t)kernel_agent_number(answer, "release", 0);
    c->group_id = (uint32_t)kernel_agent_number(answer, "group", 0);
    c->link_number = (uint8_t)kernel_agent_number(answer, "link", 0);
    c->alert_token = (uint32_t)kernel_agent_number(answer, "token", 0);
    c->peer_alert_token = (uint32_t)kernel_agent_number(answer, "peer_token", 0);
    c->rmb_bytes = (uint32_t)kernel_agent_number(answer, "rmb", 0);
    c->sndbuf_bytes = (uint32_t)kernel_agent_number(answer, "sndbuf", 0);
    c->peer_rmb_bytes = (uint32_t)kernel_agent_number(answer, "peer_rmb", 0);
    c->tx_prod = cursor_of(answer, "tx_prod");
    c->tx_cons = cursor_of(answer, "tx_cons");
    c->tx_sent = cursor_of(answer, "tx_sent");
    c->rx_prod = cursor_of(answer, "rx_prod");
    c->rx_cons = cursor_of(answer, "rx_cons");
}

int kernel_info(void *user, uint64_t number, struct lab_outside_info *out)
{
    struct kernel_host *k = user;
    struct kernel_socket *s = kernel_socket_get(k, number);
    const char *answer;
    if (s == NULL)
        return SMC_ERR_NOMEM;
    if (!s->info_known || live_now(k->live) > s->info_at + FRESH_NS) {
        int result = kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "info id=%" PRIu64 "%s", number, kernel_space(k, s->host));
        kernel_tell_later(k);
        if (result != 0)
            return kernel_error(-result);
        read_info(answer, &s->info);
        if (s->info.smc && !k->v1 && s->info.connection.version == 0)
            s->info.connection.version = 2; /* smc_diag does not say, but there is no other */
        s->info_known = true;
        s->info_at = live_now(k->live);
    }
    *out = s->info;
    return 0;
}

/* ---- traffic ---- */
void kernel_read_traffic(const char *line, struct lab_traffic_state *out)
{
    *out = (struct lab_traffic_state){.sent = kernel_agent_number(line, "sent", 0),
                                      .received = kernel_agent_number(line, "received", 0),
                                      .sent_hash = kernel_agent_number(line, "sent_hash", 0),
                                      .received_hash = kernel_agent_number(line, "received_hash", 0),
                                      .done = kernel_agent_number(line, "done", 0) != 0,
                                      .wrong = kernel_agent_number(line, "wrong", 0) != 0,
                                      .wrong_at = kernel_agent_number(line, "wrong_at", 0)};
}

int kernel_traffic(void *user, uint64_t number, const struct lab_traffic *t)
{
    struct kernel_host *k = user;
    struct kernel_socket *s = kernel_socket_get(k, number);
    const char *answer;
    if (s == NULL)
        return SMC_ERR_NOMEM;
    s->traffic_known = false;
    int result = kernel_agent_ask(
        &k->agent, KERNEL_ANSWER_MS, &answer,
        "traffic id=%" PRIu64 " send_bytes=%" PRIu64 " send_chunk=%" PRIu64 " send_pattern=%" PRIu64 " receive_pattern=%" PRIu64
        " receive_bytes=%" PRIu64 " read_chunk=%" PRIu64 " read_delay_ns=%" PRIu64 " write_delay_ns=%" PRIu64
        " close_when_done=%d shutdown_when_sent=%d echo=%d",
        number, t->send_bytes, t->send_chunk, t->send_pattern, t->receive_pattern, t->receive_bytes, t->read_chunk, t->read_delay_ns,
        t->write_delay_ns, t->close_when_done, t->shutdown_when_sent, t->echo);
    s->has_traffic = result == 0;
    return kernel_check(k, result, "traffic", answer);
}

int kernel_traffic_get(void *user, uint64_t number, struct lab_traffic_state *out)
{
    struct kernel_host *k = user;
    struct kernel_socket *s = kernel_socket_get(k, number);
    const char *answer;
    if (s == NULL)
        return SMC_ERR_NOMEM;
    if (s->has_traffic && !s->traffic.done && !s->traffic.wrong &&
        (!s->traffic_known || live_now(k->live) > s->traffic_at + 5 * FRESH_NS)) {
        if (kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "traffic_get id=%" PRIu64, number) == 0)
            kernel_read_traffic(answer, &s->traffic);
        s->traffic_known = true;
        s->traffic_at = live_now(k->live);
        kernel_tell_later(k);
    }
    *out = s->traffic;
    return 0;
}

int kernel_traffic_stop(void *user, uint64_t number)
{
    struct kernel_host *k = user;
    struct kernel_socket *s = kernel_socket_get(k, number);
    const char *answer;
    if (s == NULL || !s->has_traffic)
        return 0;
    s->has_traffic = false;
    s->empty_until = s->full_until = 0;
    int result = kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "traffic_stop id=%" PRIu64, number);
    return kernel_check(k, result, "traffic_stop", answer);
}

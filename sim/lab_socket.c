/* Sockets of a laboratory's applications: TCP below, SMC beside it, one face above.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_cpu.h"
#include "sim/lab_internal.h"

#include <stdio.h>

enum { BACKLOG = 4096, INPUT_BYTES = 4096 };

/* ---- Telling the application ---- */
void lab_socket_tell(struct lab_socket *s, unsigned events)
{
    s->events |= events;
    if (s->run != NULL)
        lab_traffic_event(s, events);
    if (s->app != NULL)
        lab_app_event(s);
    if (s->ops != NULL && s->ops->event != NULL)
        s->ops->event(s->user, s, events);
}

void lab_socket_connected(struct lab_socket *s, enum smc_mode mode)
{
    if (s->told_connected)
        return;
    s->told_connected = true;
    s->mode = mode;
    if (s->listener != NULL && s->listener->ops != NULL && s->listener->ops->accepted != NULL)
        s->listener->ops->accepted(s->listener->user, s->listener, s);
    lab_socket_tell(s, SMC_EVENT_CONNECTED);
}

/* The TCP connection ends with what SMC or the application has left of it. */
static void drop_tcp(struct lab_socket *s, bool abort)
{
    struct tcp_conn *tcp = s->tcp;
    s->tcp = NULL;
    if (tcp == NULL)
        return;
    if (abort)
        tcp_abort(tcp);
    else
        tcp_close(tcp);
}

static void ended(struct lab_socket *s)
{
    if (s->ended)
        return;
    s->ended = true;
    lab_socket_tell(s, SMC_EVENT_CLOSED);
}

/* ---- From SMC ---- */
static int smc_tcp_send(void *host, void *user, const uint8_t *bytes, size_t length)
{
    struct lab_socket *s = user;
    (void)host;
    uint8_t edited[2048];
    if (s->tcp == NULL)
        return SMC_ERR_RESET;
    if (s->muted)
        return 0;
    if (s->host->edit != NULL && length <= sizeof(edited)) {
        memcpy(edited, bytes, length);
        if (!s->host->edit(s->host->edit_user, s, edited, &length, sizeof(edited)))
            return 0;
        bytes = edited;
    }
    return tcp_send(s->tcp, bytes, length) == (int64_t)length ? 0 : SMC_ERR_RESET;
}

static void smc_tcp_shutdown(void *host, void *user)
{
    struct lab_socket *s = user;
    (void)host;
    if (s->tcp != NULL)
        (void)tcp_shutdown_write(s->tcp);
}

static void smc_tcp_abort(void *host, void *user)
{
    (void)host;
    drop_tcp(user, true);
}

/* Nobody waits for the answer itself: the endpoint asks again. */
static void resolved(void *user, int result, const struct ip_hop *hop)
{
    (void)user;
    (void)result;
    (void)hop;
}

static int smc_route(void *host, const struct smc_gid *own, const struct smc_gid *peer, struct smc_route *out)
{
    struct lab_host *h = host;
    struct ip_address from, to;
    struct ip_hop hop;
    memcpy(from.bytes, own->bytes, 16);
    memcpy(to.bytes, peer->bytes, 16);
    struct lab_interface *interface = lab_interface_of(h, from);
    if (interface == NULL)
        return SMC_ERR_UNREACHABLE;
    int result = ip_hop_to(h->stack, interface->ip, to, &hop);
    if (result == 0 && !hop.mac_known) {
        ip_resolve_cancel(h->stack, resolved, h);
        result = ip_resolve(h->stack, interface->ip, to, resolved, h, &hop);
    }
    if (result != 0)
        return result;
    out->direct = hop.on_link;
    memcpy(out->next_hop_mac, hop.mac, 6);
    return 0;
}

static void fell_back(struct lab_socket *s)
{
    s->fallback = smc_connection_fallback(s->smc, &s->peer_diagnosis);
    lab_socket_connected(s, SMC_MODE_TCP);
    if (s->tcp == NULL)
        return;
    struct tcp_info info = tcp_info(s->tcp);
    if (info.unread > 0)
        lab_socket_tell(s, SMC_EVENT_READABLE);
    if (info.eof)
        lab_socket_tell(s, SMC_EVENT_EOF | SMC_EVENT_READABLE);
}

static void smc_event(void *host, struct smc_connection *c, void *user, unsigned events)
{
    struct lab_socket *s = user;
    (void)host;
    if (events & SMC_EVENT_ERROR)
        s->error = smc_connection_error(c);
    if (events & SMC_EVENT_CONNECTED) {
        if (smc_connection_mode(c) == SMC_MODE_TCP)
            fell_back(s);
        else
            lab_socket_connected(s, smc_connection_mode(c));
    }
    bool gone = (events & SMC_EVENT_CLOSED) != 0 && s->closed;
    s->smc_over |= (events & SMC_EVENT_CLOSED) != 0;
    events &= ~(unsigned)SMC_EVENT_CONNECTED;
    if (gone)
        s->smc = NULL; /* it dies when this returns */
    if (gone && s->mode != SMC_MODE_TCP)
        drop_tcp(s, false);
    if ((events & ~(unsigned)SMC_EVENT_CLOSED) != 0)
        lab_socket_tell(s, events & ~(unsigned)SMC_EVENT_CLOSED);
    if (gone && s->mode != SMC_MODE_TCP)
        ended(s);
    if ((s->smc_over || s->error != 0) && !s->closed && s->listener != NULL && !s->told_connected)
        lab_close(s); /* failed before the application was given it: nobody else will */
}

static void smc_wake(void *host)
{
    struct lab_host *h = host;
    if (h->cpu != NULL)
        lab_cpu_device(h->cpu);
    lab_host_wake(h);
}

const struct smc_host_ops lab_smc_ops = {.tcp_send = smc_tcp_send,
                                         .tcp_shutdown = smc_tcp_shutdown,
                                         .tcp_abort = smc_tcp_abort,
                                         .event = smc_event,
                                         .route = smc_route,
                                         .wake = smc_wake};

/* ---- From TCP ---- */
static void feed_smc(struct lab_socket *s)
{
    uint8_t bytes[INPUT_BYTES];
    while (s->tcp != NULL && s->smc != NULL && smc_connection_mode(s->smc) != SMC_MODE_TCP) {
        int64_t n = tcp_peek(s->tcp, bytes, sizeof(bytes));
        if (n <= 0)
            break;
        size_t used = smc_tcp_input(s->smc, bytes, (size_t)n, sim_now(s->lab->sim));
        if (used == 0 || s->tcp == NULL)
            break;
        (void)tcp_read(s->tcp, bytes, used);
    }
}

/* SMC has nothing to read any more but the end of the stream. */
static void feed_eof(struct lab_socket *s)
{
    if (s->tcp_eof && s->smc != NULL && smc_connection_mode(s->smc) != SMC_MODE_TCP) {
        s->tcp_eof = false;
        smc_tcp_eof(s->smc, sim_now(s->lab->sim));
    }
}

static int start_smc(struct lab_socket *s, const struct tcp_info *info)
{
    struct smc_connection_config config = {.client = s->listener == NULL,
                                           .option = info->smc_agreed,
                                           .ipsec = s->host->ipsec,
                                           .fast_open = s->config.fast_open || info->fast_open_sent || info->fast_open_received,
                                           .rmb_bytes = s->config.rmb_bytes,
                                           .sndbuf_bytes = s->config.sndbuf_bytes};
    memcpy(config.own_ip.bytes, info->local.bytes, 16);
    memcpy(config.peer_ip.bytes, info->remote.bytes, 16);
    struct lab_interface *interface = lab_interface_of(s->host, info->local);
    if (interface != NULL) {
        config.prefixes = interface->prefixes;
        config.prefix_count = interface->prefix_count;
        config.vlan_valid = interface->vlan != 0;
        config.vlan_id = interface->vlan;
        config.pnet = interface->pnet;
    }
    return smc_connection_new(s->host->ep, &config, s, sim_now(s->lab->sim), &s->smc);
}

static void apply_options(struct lab_socket *s)
{
    uint64_t now = sim_now(s->lab->sim);
    (void)smc_set_option(s->smc, SMC_OPTION_NODELAY, s->config.nodelay, now);
    (void)smc_set_option(s->smc, SMC_OPTION_CORK, s->config.cork, now);
    (void)smc_set_option(s->smc, SMC_OPTION_OOBINLINE, s->config.oob_inline, now);
}

static void established(void *user, struct tcp_conn *tcp)
{
    struct lab_socket *s = user;
    struct tcp_info info = tcp_info(tcp);
    if (s->host->ep == NULL || s->config.tcp_only) {
        lab_socket_connected(s, SMC_MODE_TCP);
        return;
    }
    int error = start_smc(s, &info);
    if (error != 0) {
        s->error = error;
        drop_tcp(s, true);
        lab_socket_tell(s, SMC_EVENT_ERROR);
        ended(s);
        return;
    }
    apply_options(s);
    lab_host_touch(s->host);
}

static void readable(void *user, struct tcp_conn *tcp)
{
    struct lab_socket *s = user;
    (void)tcp;
    feed_smc(s);
    if (s->mode == SMC_MODE_TCP && s->tcp != NULL)
        lab_socket_tell(s, SMC_EVENT_READABLE);
    lab_host_touch(s->host);
}

static void writable(void *user, struct tcp_conn *tcp)
{
    struct lab_socket *s = user;
    (void)tcp;
    if (s->mode == SMC_MODE_TCP)
        lab_socket_tell(s, SMC_EVENT_WRITABLE);
}

static void urgent(void *user, struct tcp_conn *tcp)
{
    struct lab_socket *s = user;
    (void)tcp;
    if (s->mode == SMC_MODE_TCP)
        lab_socket_tell(s, SMC_EVENT_URGENT);
}

static void eof(void *user, struct tcp_conn *tcp)
{
    struct lab_socket *s = user;
    (void)tcp;
    s->tcp_eof = true;
    feed_smc(s);
    feed_eof(s);
    if (s->mode == SMC_MODE_TCP && s->tcp != NULL)
        lab_socket_tell(s, SMC_EVENT_EOF | SMC_EVENT_READABLE);
    lab_host_touch(s->host);
}

static void reset(void *user, struct tcp_conn *tcp, int error)
{
    struct lab_socket *s = user;
    (void)tcp;
    if (s->smc != NULL) {
        smc_tcp_reset(s->smc, sim_now(s->lab->sim));
        lab_host_touch(s->host);
    }
    if (s->smc == NULL || s->mode == SMC_MODE_TCP) {
        if (s->error == 0)
            s->error = error;
        lab_socket_tell(s, SMC_EVENT_ERROR);
    }
}

static const struct tcp_callbacks tcp_ops = {.established = established,
                                             .readable = readable,
                                             .writable = writable,
                                             .urgent = urgent,
                                             .eof = eof,
                                             .reset = reset};

static bool make_room(struct lab *lab)
{
    unsigned room = lab->socket_room > 0 ? lab->socket_room * 2 : 64;
    if (lab->socket_count < lab->socket_room)
        return true;
    struct lab_socket **table = smc_alloc_grow(&lab->alloc, lab->socket_table, lab->socket_room, room, sizeof(struct lab_socket *));
    if (table == NULL)
        return false;
    lab->socket_table = table;
    lab->socket_room = room;
    return true;
}

struct lab_socket *lab_find_socket(struct lab *lab, unsigned id)
{
    return id >= 1 && id <= lab->socket_count ? lab->socket_table[id - 1] : NULL;
}

struct lab_socket *lab_socket_new(struct lab_host *host, const struct lab_socket_config *config)
{
    struct lab *lab = host->lab;
    struct lab_socket *s = lab_alloc(lab, sizeof(*s));
    if (s == NULL)
        return NULL;
    if (!make_room(lab)) {
        lab_release(lab, s, sizeof(*s));
        return NULL;
    }
    lab->socket_table[lab->socket_count] = s;
    s->lab = lab;
    s->host = host;
    s->id = ++lab->socket_count;
    if (config != NULL)
        s->config = *config;
    s->ops = s->config.ops;
    s->user = s->config.user;
    *lab->sockets_end = s;
    lab->sockets_end = &s->next;
    return s;
}

static void accepted(void *user, struct tcp_listener *tcp)
{
    struct lab_socket *listener = user;
    for (;;) {
        struct lab_socket *s = NULL;
        struct tcp_conn *conn = tcp_accept(tcp, NULL, NULL);
        if (conn == NULL)
            return;
        s = lab_socket_new(listener->host, &listener->config);
        if (s == NULL) {
            tcp_abort(conn);
            return;
        }
        s->listener = listener;
        s->tcp = conn;
        s->ops = listener->ops;
        s->user = listener->user;
        tcp_set_callbacks(conn, &tcp_ops, s);
        established(s, conn);
        readable(s, conn);
        if (s->tcp != NULL && tcp_info(conn).eof)
            eof(s, conn);
    }
}

static const struct tcp_callbacks listen_ops = {.accepted = accepted};

/* ---- The face ---- */
static struct tcp_options tcp_options_of(const struct lab_host *host, const struct lab_socket_config *config)
{
    struct tcp_options o = {.no_delay = config != NULL && config->nodelay};
    bool plain = config != NULL && config->tcp_only;
    o.smc = host->ep != NULL && !plain ? TCP_SMC_ON : TCP_SMC_OFF;
    o.smc_takes_long = host->ep != NULL && host->ep->profile.option_even_lengths;
    o.fast_open = config != NULL && config->fast_open;
    o.urgent_inline = config != NULL && config->oob_inline;
    o.send_bytes = o.receive_bytes = config != NULL ? config->tcp_bytes : 0;
    return o;
}

int lab_listen(struct lab_host *host, uint16_t port, const struct lab_socket_config *config, struct lab_socket **out)
{
    struct tcp_options options = tcp_options_of(host, config);
    static const struct ip_address any;
    struct lab_socket *s = lab_socket_new(host, config);
    if (s == NULL)
        return SMC_ERR_NOMEM;
    int error = host->outside != NULL ? lab_outside_listen(s, port)
                                      : tcp_listen(host->stack, any, port, BACKLOG, &options, &listen_ops, s, &s->tcp_listener);
    if (error != 0) {
        s->ended = s->closed = true;
        if (host->outside != NULL)
            return error;
        return lab_fail(host->lab, error, "%s cannot listen on port %u: %s", host->name, port, smc_error_text(error));
    }
    *out = s;
    return 0;
}

static int peer_address(struct lab_host *host, const char *peer, struct ip_address *out)
{
    if (ip_from_text(peer, out))
        return 0;
    const struct lab_host *other = lab_find_host(host->lab, peer);
    if (other == NULL || other->interface_count == 0 || other->interfaces[0]->prefix_count == 0)
        return lab_fail(host->lab, SMC_ERR_NOTFOUND, "\"%s\" is no address, and no host with one", peer);
    memcpy(out->bytes, other->interfaces[0]->prefixes[0].address.bytes, 16);
    return 0;
}

int lab_connect(struct lab_host *host, const char *peer, uint16_t port, const struct lab_socket_config *config,
                struct lab_socket **out)
{
    struct tcp_options options = tcp_options_of(host, config);
    struct ip_address to;
    int error = peer_address(host, peer, &to);
    if (error != 0)
        return error;
    struct lab_socket *s = lab_socket_new(host, config);
    if (s == NULL)
        return SMC_ERR_NOMEM;
    char text[IP_TEXT_SIZE];
    const struct lab_host *other = lab_find_host(host->lab, peer);
    ip_to_text(to, text);
    if (other != NULL && other->outside != NULL && other->outside->port != 0)
        port = other->outside->port;
    error = host->outside != NULL ? lab_outside_connect(s, text, port)
                                  : tcp_connect(host->stack, to, port, &options, &tcp_ops, s, &s->tcp);
    if (error != 0) {
        s->ended = s->closed = true;
        if (host->outside != NULL)
            return error;
        return lab_fail(host->lab, error, "%s cannot connect to %s: %s", host->name, peer, smc_error_text(error));
    }
    *out = s;
    return 0;
}

void lab_socket_set_ops(struct lab_socket *s, const struct lab_socket_ops *ops, void *user)
{
    s->ops = ops;
    s->user = user;
}

int64_t lab_send_now(struct lab_socket *s, const void *data, size_t length, unsigned flags)
{
    int64_t n;
    if (s->closed)
        return SMC_ERR_CLOSED;
    if (s->mode == SMC_MODE_NONE)
        return s->error != 0 ? s->error : SMC_ERR_STATE;
    if (s->host->outside != NULL)
        return lab_outside_send(s, data, length, flags);
    if (s->mode != SMC_MODE_TCP)
        n = s->smc != NULL ? smc_send(s->smc, data, length, flags, sim_now(s->lab->sim)) : SMC_ERR_RESET;
    else if (s->tcp == NULL)
        n = SMC_ERR_RESET;
    else
        n = (flags & SMC_MSG_OOB) != 0 ? tcp_send_urgent(s->tcp, data, length) : tcp_send(s->tcp, data, length);
    lab_host_touch(s->host);
    return n;
}

/* The time of a call passes before what it sends can leave. What it would not take costs nothing: an application that waits asks
 * after every event here, and would not on a machine. */
int64_t lab_send(struct lab_socket *s, const void *data, size_t length, unsigned flags)
{
    struct lab_cpu *cpu = s->host->cpu;
    if (cpu == NULL || s->closed)
        return lab_send_now(s, data, length, flags);
    if (!lab_cpu_may_call(cpu))
        return SMC_ERR_WOULDBLOCK;
    uint32_t room = lab_writable(s);
    if (room > 0)
        (void)lab_cpu_call(cpu, s, true, length < room ? length : room);
    lab_cpu_begin(cpu);
    int64_t n = lab_send_now(s, data, length, flags);
    lab_cpu_end(cpu);
    return n;
}

uint32_t lab_writable(const struct lab_socket *s)
{
    if (s->host->outside != NULL)
        return s->mode != SMC_MODE_NONE && !s->closed ? lab_outside_room(s) : 0;
    if (s->mode == SMC_MODE_TCP)
        return s->tcp != NULL ? tcp_info(s->tcp).send_room : 0;
    return s->mode != SMC_MODE_NONE && s->smc != NULL ? smc_writable(s->smc) : 0;
}

static int64_t tcp_receive(struct lab_socket *s, void *data, size_t length, unsigned flags)
{
    if (s->tcp == NULL)
        return SMC_ERR_RESET;
    if ((flags & SMC_MSG_OOB) != 0) {
        int error = tcp_read_urgent(s->tcp, data);
        return error == 0 ? 1 : error;
    }
    return (flags & SMC_MSG_PEEK) != 0 ? tcp_peek(s->tcp, data, length) : tcp_read(s->tcp, data, length);
}

int64_t lab_recv_now(struct lab_socket *s, void *data, size_t length, unsigned flags)
{
    int64_t n;
    if (s->closed)
        return SMC_ERR_CLOSED;
    if (s->mode == SMC_MODE_NONE)
        return s->error != 0 ? s->error : SMC_ERR_STATE;
    if (s->host->outside != NULL)
        return lab_outside_recv(s, data, length, flags);
    if (s->mode == SMC_MODE_TCP)
        n = tcp_receive(s, data, length, flags);
    else
        n = s->smc != NULL ? smc_recv(s->smc, data, length, flags, sim_now(s->lab->sim)) : SMC_ERR_RESET;
    lab_host_touch(s->host);
    return n;
}

int64_t lab_recv(struct lab_socket *s, void *data, size_t length, unsigned flags)
{
    struct lab_cpu *cpu = s->host->cpu;
    if (cpu == NULL || s->closed)
        return lab_recv_now(s, data, length, flags);
    if (!lab_cpu_may_call(cpu))
        return SMC_ERR_WOULDBLOCK;
    lab_cpu_begin(cpu);
    int64_t n = lab_recv_now(s, data, length, flags);
    lab_cpu_end(cpu);
    if (n > 0)
        (void)lab_cpu_call(cpu, s, false, (uint64_t)n);
    return n;
}

int lab_shutdown(struct lab_socket *s, enum smc_how how)
{
    int error = SMC_ERR_STATE;
    if (s->closed || s->mode == SMC_MODE_NONE)
        return error;
    if (s->host->outside != NULL)
        return lab_outside_shutdown(s, how);
    if (s->mode != SMC_MODE_TCP && s->smc != NULL)
        error = smc_shutdown(s->smc, how, sim_now(s->lab->sim));
    else if (s->mode == SMC_MODE_TCP && s->tcp != NULL)
        error = how == SMC_SHUT_RD ? 0 : tcp_shutdown_write(s->tcp);
    lab_host_touch(s->host);
    return error;
}

void lab_close(struct lab_socket *s)
{
    if (s->closed)
        return;
    if (s->host->outside != NULL) {
        lab_outside_close(s);
        s->closed = true;
        ended(s); /* a kernel shows nothing of a socket that no program has any more */
        return;
    }
    s->closed = true;
    if (s->tcp_listener != NULL) {
        tcp_listener_close(s->tcp_listener);
        s->tcp_listener = NULL;
    }
    bool own_tcp = s->mode == SMC_MODE_TCP || s->mode == SMC_MODE_NONE;
    if (s->smc != NULL)
        smc_close(s->smc, sim_now(s->lab->sim));
    if (s->smc_over)
        s->smc = NULL;
    if (own_tcp || s->smc == NULL) {
        drop_tcp(s, false);
        ended(s);
    }
    lab_host_touch(s->host);
}

int lab_set_option(struct lab_socket *s, enum smc_option option, int64_t value)
{
    if (s->host->outside != NULL)
        return lab_outside_set(s, option, value);
    if (option == SMC_OPTION_NODELAY)
        s->config.nodelay = value != 0;
    if (option == SMC_OPTION_OOBINLINE)
        s->config.oob_inline = value != 0;
    if (s->tcp != NULL && option == SMC_OPTION_NODELAY)
        tcp_set_no_delay(s->tcp, value != 0);
    if (s->tcp != NULL && option == SMC_OPTION_OOBINLINE)
        tcp_set_urgent_inline(s->tcp, value != 0);
    int error = s->smc != NULL ? smc_set_option(s->smc, option, value, sim_now(s->lab->sim)) : 0;
    lab_host_touch(s->host);
    return error;
}

enum smc_mode lab_socket_mode(const struct lab_socket *s)
{
    return s->mode;
}

struct smc_connection *lab_socket_connection(struct lab_socket *s)
{
    return s->smc;
}

int lab_socket_error(const struct lab_socket *s)
{
    return s->error;
}

uint32_t lab_socket_fallback(const struct lab_socket *s, uint32_t *peer_diagnosis)
{
    if (peer_diagnosis != NULL)
        *peer_diagnosis = s->peer_diagnosis;
    return s->fallback;
}

const char *lab_socket_state(const struct lab_socket *s)
{
    if (s->ended)
        return "CLOSED";
    if (s->host->outside != NULL)
        return lab_outside_state(s);
    if (s->tcp_listener != NULL)
        return "LISTEN";
    if (s->mode == SMC_MODE_TCP)
        return "TCP";
    return s->smc != NULL ? smc_state_name(smc_connection_state(s->smc)) : "INIT";
}

unsigned lab_socket_events(const struct lab_socket *s)
{
    return s->events;
}

unsigned lab_socket_id(const struct lab_socket *s)
{
    return s->id;
}

struct lab_host *lab_socket_host(const struct lab_socket *s)
{
    return s->host;
}

struct lab_socket *lab_next_socket(struct lab *lab, const struct lab_socket *previous)
{
    return previous == NULL ? lab->sockets : previous->next;
}

void lab_mute(struct lab_socket *s, bool muted)
{
    s->muted = muted;
}

void lab_edit(struct lab_host *host, lab_edit_fn *edit, void *user)
{
    host->edit = edit;
    host->edit_user = user;
}

/* ---- Injection ---- */
int lab_inject_tcp(struct lab_socket *s, const void *bytes, size_t length)
{
    if (lab_inside_only(s->host, "no bytes of ours can be put into its TCP connection") != 0)
        return SMC_ERR_UNSUPPORTED;
    if (s->tcp == NULL)
        return lab_fail(s->lab, SMC_ERR_STATE, "socket %u has no TCP connection", s->id);
    int64_t n = tcp_send(s->tcp, bytes, length);
    lab_host_touch(s->host);
    return n == (int64_t)length ? 0 : lab_fail(s->lab, SMC_ERR_NOSPACE, "TCP took %lld of %zu bytes", (long long)n, length);
}

int lab_inject_link(struct lab_socket *s, uint8_t number, const void *bytes, size_t length)
{
    if (lab_inside_only(s->host, "no message of ours can be sent on its links") != 0)
        return SMC_ERR_UNSUPPORTED;
    if (s->smc == NULL || s->smc->group == NULL || s->smc->group->smc_d)
        return lab_fail(s->lab, SMC_ERR_STATE, "socket %u is on no SMC-R link", s->id);
    struct smc_link *link = number == 0 ? s->smc->link : smc_group_link_by_number(s->smc->group, number);
    if (link == NULL)
        return lab_fail(s->lab, SMC_ERR_NOTFOUND, "there is no link %u", number);
    int error = smc_wr_send(link, bytes, length, NULL, NULL);
    lab_host_touch(s->host);
    return error == 0 ? 0 : lab_fail(s->lab, error, "link %u did not take the message: %s", link->number, smc_error_text(error));
}

int lab_inject_smcd(struct lab_socket *s, uint32_t offset, const void *bytes, size_t length)
{
    if (s->smc == NULL || s->smc->group == NULL || !s->smc->group->smc_d || length > UINT32_MAX)
        return lab_fail(s->lab, SMC_ERR_STATE, "socket %u writes into no DMB", s->id);
    int error = smc_smcd_move(s->smc, offset, bytes, (uint32_t)length, true);
    lab_host_touch(s->host);
    return error == 0 ? 0 : lab_fail(s->lab, error, "the device refused the move: %s", smc_error_text(error));
}

int lab_inject_frame(struct lab_interface *interface, const void *bytes, size_t length)
{
    if (!port_send(interface->port, bytes, length, sim_now(interface->host->lab->sim)))
        return lab_fail(interface->host->lab, SMC_ERR_STATE, "%s did not take the frame", interface->name);
    return 0;
}

/* ---- The end ---- */
void lab_socket_host_died(struct lab_socket *s)
{
    lab_app_free(s); /* it may run on the host's processor */
    s->tcp = NULL;
    s->smc = NULL;
    s->tcp_listener = NULL;
    s->closed = s->ended = true;
    s->error = SMC_ERR_GONE;
}

void lab_socket_free(struct lab_socket *s)
{
    lab_traffic_stop(s);
    lab_app_free(s);
    lab_release(s->lab, s, sizeof(*s));
}

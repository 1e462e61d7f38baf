/* Hosts outside the laboratory: what of sim/lab.h happens elsewhere, and what comes from there.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_internal.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- Who is outside ---- */
int lab_set_outside(struct lab *lab, const char *name, unsigned index, const struct lab_outside *outside)
{
    if (lab->outside != NULL || (name != NULL && strlen(name) >= sizeof(lab->outside_name)))
        return lab_fail(lab, SMC_ERR_EXISTS, "one host is outside already, or its name is too long");
    lab->outside = outside;
    lab->outside_index = name == NULL ? index : UINT32_MAX;
    snprintf(lab->outside_name, sizeof(lab->outside_name), "%s", name != NULL ? name : "");
    return 0;
}

int lab_set_both_outside(struct lab *lab, const char *label, const struct lab_outside *first, const struct lab_outside *second)
{
    int error = lab_set_outside(lab, label, 0, first);
    if (error == 0)
        lab->second_outside = second;
    return error;
}

const struct lab_outside *lab_outside_of(struct lab *lab, const char *name)
{
    unsigned index = 0;
    if (lab->second_outside != NULL)
        return lab->hosts == NULL ? lab->outside : lab->hosts->next == NULL ? lab->second_outside : NULL;
    for (const struct lab_host *h = lab->hosts; h != NULL; h = h->next, index++)
        if (h->outside != NULL)
            return NULL; /* there is one */
    if (lab->outside == NULL || (index != lab->outside_index && strcmp(name, lab->outside_name) != 0))
        return NULL;
    return lab->outside;
}

const char *lab_outside_name(const struct lab *lab)
{
    if (lab->second_outside != NULL)
        return lab->hosts != NULL ? lab->outside_name : NULL;
    for (const struct lab_host *h = lab->hosts; h != NULL; h = h->next)
        if (h->outside != NULL)
            return h->name;
    return NULL;
}

void lab_set_v1_over_udp(struct lab *lab)
{
    lab->v1_over_udp = true;
}

bool lab_both_outside(const struct lab *lab)
{
    return lab->second_outside != NULL;
}

bool lab_host_is_outside(const struct lab_host *host)
{
    return host->outside != NULL;
}

static struct lab_host *outside_host(const struct lab *lab)
{
    for (struct lab_host *h = lab->hosts; h != NULL; h = h->next)
        if (h->outside != NULL)
            return h;
    return NULL;
}

/* ---- Refusing ---- */
int lab_outside_refuse(struct lab *lab, const char *format, ...)
{
    char why[LAB_PROBLEM - 80];
    const struct lab_host *host = outside_host(lab);
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    snprintf(lab->refused, sizeof(lab->refused), "host %s is %s: %s", host != NULL ? host->name : "?", lab->outside->kind, why);
    return lab_fail(lab, SMC_ERR_UNSUPPORTED, "%s", lab->refused);
}

const char *lab_refused(const struct lab *lab)
{
    return lab->refused[0] != '\0' ? lab->refused : NULL;
}

int lab_inside_only(struct lab_host *host, const char *what)
{
    return host->outside != NULL ? lab_outside_refuse(host->lab, "%s", what) : 0;
}

int lab_outside_fail(struct lab *lab, int error, const char *format, ...)
{
    char why[LAB_PROBLEM];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    return lab_fail(lab, error, "%s", why);
}

#define OPS(host) ((host)->outside->ops)
#define USER(host) ((host)->outside->user)
#define NEED(host, op)                                                                                                       \
    do {                                                                                                                      \
        if (OPS(host)->op == NULL)                                                                                            \
            return lab_outside_refuse((host)->lab, "%s is not possible there", #op);                                          \
    } while (0)

/* ---- Interfaces ---- */
static unsigned index_of(const struct lab_interface *i)
{
    unsigned n = 0;
    while (n < i->host->interface_count && i->host->interfaces[n] != i)
        n++;
    return n;
}

const char *lab_outside_numbered(const struct lab_interface *i, const char *address)
{
    const struct lab_outside *outside = i->host->lab->outside;
    if (outside == NULL || index_of(i) != 0)
        return address;
    const char *instead = i->host->outside != NULL ? outside->address : outside->own_address;
    return instead != NULL ? instead : address;
}

int lab_outside_device(struct lab_host *host, const char *kind)
{
    NEED(host, device);
    return OPS(host)->device(USER(host), kind);
}

int lab_outside_mac(struct lab_interface *i, uint8_t mac[6])
{
    NEED(i->host, mac);
    return OPS(i->host)->mac(USER(i->host), index_of(i), mac);
}

int lab_outside_interface(struct lab_interface *i, const struct lab_interface_config *config)
{
    NEED(i->host, interface);
    i->roce_present = !config->no_roce;
    return OPS(i->host)->interface(USER(i->host), index_of(i), config->name != NULL ? config->name : "eth0", config);
}

int lab_outside_address(struct lab_interface *i, const char *address)
{
    NEED(i->host, address);
    return OPS(i->host)->address(USER(i->host), index_of(i), address);
}

int lab_outside_roce_present(struct lab_interface *i, bool present)
{
    NEED(i->host, roce_present);
    if (i->roce_present == present)
        return 0;
    int error = OPS(i->host)->roce_present(USER(i->host), index_of(i), present);
    if (error == 0)
        i->roce_present = present;
    return error;
}

void lab_outside_link(struct lab_interface *i, bool up)
{
    if (OPS(i->host)->link != NULL)
        (void)OPS(i->host)->link(USER(i->host), index_of(i), up);
}

void lab_outside_frame_out(struct lab_interface *i, const uint8_t *frame, size_t length)
{
    if (OPS(i->host)->frame != NULL)
        OPS(i->host)->frame(USER(i->host), index_of(i), frame, length);
}

void lab_outside_frame(struct lab_host *host, unsigned index, const uint8_t *bytes, size_t length)
{
    if (host->dead || index >= host->interface_count)
        return;
    struct port *port = host->interfaces[index]->port;
    if (host->outside->mac_unknown && length >= 12)
        memcpy(port->mac, bytes + 6, 6); /* what is for it is captured when it reaches it */
    (void)port_send(port, bytes, length, sim_now(host->lab->sim));
}

void lab_outside_seen(struct lab *lab, const uint8_t *bytes, size_t length)
{
    if (lab->capture != NULL && length <= CAPTURE_SNAPLEN)
        capture_put(lab->capture, sim_now(lab->sim), bytes, length);
}

/* ---- Sockets ---- */
static struct lab_socket *socket_with(const struct lab_host *host, uint64_t number)
{
    for (struct lab_socket *s = host->lab->sockets; s != NULL; s = s->next)
        if (s->host == host && s->outside_number == number && number != 0 && !s->closed)
            return s;
    return NULL;
}

int lab_outside_listen(struct lab_socket *s, uint16_t port)
{
    NEED(s->host, listen);
    s->outside_listens = true;
    return OPS(s->host)->listen(USER(s->host), s, port, &s->config, &s->outside_number);
}

static void ignore_answer(void *user, int result, const struct ip_hop *hop)
{
    (void)user;
    (void)result;
    (void)hop;
}

/* Somebody far away may have had to do with another host of this address, in an earlier run: before it is expected to send here, it is
 * asked for its MAC, and so learns ours. */
static void greet(const struct lab_host *stranger)
{
    struct ip_address theirs;
    char text[IP_TEXT_SIZE];
    snprintf(text, sizeof(text), "%.*s", (int)strcspn(stranger->outside->address, "/"), stranger->outside->address);
    if (!ip_from_text(text, &theirs))
        return;
    for (struct lab_host *h = stranger->lab->hosts; h != NULL; h = h->next) {
        struct ip_hop hop;
        if (h->outside == NULL && h->stack != NULL)
            (void)ip_resolve(h->stack, -1, theirs, ignore_answer, h, &hop);
    }
}

int lab_outside_connect(struct lab_socket *s, const char *address, uint16_t port)
{
    NEED(s->host, connect);
    if (s->host->outside->mac_unknown && s->host->outside->address != NULL)
        greet(s->host);
    return OPS(s->host)->connect(USER(s->host), s, address, port, &s->config, &s->outside_number);
}

int64_t lab_outside_send(struct lab_socket *s, const void *data, size_t length, unsigned flags)
{
    NEED(s->host, send);
    return OPS(s->host)->send(USER(s->host), s->outside_number, data, length, flags);
}

int64_t lab_outside_recv(struct lab_socket *s, void *data, size_t length, unsigned flags)
{
    NEED(s->host, recv);
    return OPS(s->host)->recv(USER(s->host), s->outside_number, data, length, flags);
}

uint32_t lab_outside_room(const struct lab_socket *s)
{
    return OPS(s->host)->room != NULL ? OPS(s->host)->room(USER(s->host), s->outside_number) : 0;
}

int lab_outside_shutdown(struct lab_socket *s, enum smc_how how)
{
    NEED(s->host, shutdown);
    return OPS(s->host)->shutdown(USER(s->host), s->outside_number, how);
}

void lab_outside_close(struct lab_socket *s)
{
    if (OPS(s->host)->close != NULL && s->outside_number != 0 && !s->host->dead)
        (void)OPS(s->host)->close(USER(s->host), s->outside_number);
}

int lab_outside_set(struct lab_socket *s, enum smc_option option, int64_t value)
{
    NEED(s->host, set);
    return OPS(s->host)->set(USER(s->host), s->outside_number, option, value);
}

int lab_outside_traffic(struct lab_socket *s, const struct lab_traffic *traffic)
{
    NEED(s->host, traffic);
    return OPS(s->host)->traffic(USER(s->host), s->outside_number, traffic);
}

void lab_outside_traffic_get(const struct lab_socket *s, struct lab_traffic_state *out)
{
    memset(out, 0, sizeof(*out));
    if (OPS(s->host)->traffic_get != NULL)
        (void)OPS(s->host)->traffic_get(USER(s->host), s->outside_number, out);
}

void lab_outside_traffic_stop(struct lab_socket *s)
{
    if (OPS(s->host)->traffic_stop != NULL && !s->host->dead)
        (void)OPS(s->host)->traffic_stop(USER(s->host), s->outside_number);
}

/* What is known of it, asked anew; false: nothing. */
bool lab_outside_info(const struct lab_socket *s, struct lab_outside_info *out)
{
    memset(out, 0, sizeof(*out));
    return OPS(s->host)->info != NULL && s->outside_number != 0 && !s->closed && !s->host->dead &&
           OPS(s->host)->info(USER(s->host), s->outside_number, out) == 0;
}

const char *lab_outside_state(const struct lab_socket *socket)
{
    struct lab_outside_info info;
    struct lab_socket *s = lab_find_socket(socket->lab, socket->id); /* what is learned is kept */
    if (s->outside_listens)
        return "LISTEN";
    if (!lab_outside_info(s, &info))
        return s->mode == SMC_MODE_TCP ? "TCP" : "INIT";
    if (s->mode == SMC_MODE_TCP)
        return "TCP";
    memcpy(s->outside_state, info.state, sizeof(s->outside_state));
    return s->outside_state;
}

int lab_outside_group(struct lab_host *host, unsigned index, struct smc_group_info *out)
{
    NEED(host, group);
    return OPS(host)->group(USER(host), index, out);
}

/* ---- What comes from there ---- */
static void learn(struct lab_socket *s)
{
    struct lab_outside_info info;
    if (!lab_outside_info(s, &info))
        return;
    s->mode = info.mode;
    s->fallback = info.fallback;
    s->peer_diagnosis = info.peer_diagnosis;
}

void lab_outside_event(struct lab_host *host, uint64_t number, unsigned events, int error)
{
    struct lab_socket *s = socket_with(host, number);
    if (s == NULL || host->dead)
        return;
    if ((events & SMC_EVENT_ERROR) != 0 && s->error == 0)
        s->error = error != 0 ? error : SMC_ERR_RESET;
    if ((events & SMC_EVENT_CONNECTED) != 0 && !s->told_connected) {
        learn(s);
        lab_socket_connected(s, s->mode != SMC_MODE_NONE ? s->mode : SMC_MODE_TCP);
    }
    events &= ~(unsigned)SMC_EVENT_CONNECTED;
    if (events != 0 && !s->closed)
        lab_socket_tell(s, events);
}

int lab_outside_accepted(struct lab_host *host, uint64_t listener_number, uint64_t number)
{
    struct lab_socket *listener = socket_with(host, listener_number);
    if (listener == NULL || host->dead)
        return SMC_ERR_NOTFOUND;
    struct lab_socket *s = lab_socket_new(host, &listener->config);
    if (s == NULL)
        return SMC_ERR_NOMEM;
    s->listener = listener;
    s->ops = listener->ops;
    s->user = listener->user;
    s->outside_number = number;
    lab_outside_event(host, number, SMC_EVENT_CONNECTED, 0);
    return 0;
}

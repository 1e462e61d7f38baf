/* Somebody else's machine as a host of a script.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/targets/remote_host.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ACCEPTED = 1000000 };

struct remote_host {
    struct remote_host_config config;
    struct live *live;
    struct lab *lab;
    struct lab_host *host;
    struct lab_outside outside;
    uint64_t listener, accepted;
    uint16_t listener_port;
};

static int begin(void *user, struct lab_host *host, const struct lab_host_config *config)
{
    struct remote_host *r = user;
    (void)config;
    r->host = host;
    return 0;
}

/* Not its own MAC: our hosts find that by ARP. */
static int mac(void *user, unsigned index, uint8_t out[6])
{
    static const uint8_t any[6] = {0x02, 0x5e, 0x30, 0, 0, 1};
    struct remote_host *r = user;
    memcpy(out, any, 6);
    return index == 0 ? 0 : lab_outside_refuse(r->lab, "only one interface of it can be reached");
}

static int interface(void *user, unsigned index, const char *name, const struct lab_interface_config *config)
{
    (void)user;
    (void)index;
    (void)name;
    (void)config;
    return 0;
}

static void frame_out(void *user, unsigned index, const uint8_t *bytes, size_t length)
{
    struct remote_host *r = user;
    if (index == 0)
        live_carrier_send(r->config.carrier, bytes, length);
}

static int listen_there(void *user, struct lab_socket *socket, uint16_t port, const struct lab_socket_config *config, uint64_t *number)
{
    struct remote_host *r = user;
    (void)config;
    *number = r->listener = lab_socket_id(socket);
    r->listener_port = r->config.port != 0 ? r->config.port : port;
    return 0;
}

static int connect_there(void *user, struct lab_socket *socket, const char *address, uint16_t port,
                         const struct lab_socket_config *config, uint64_t *number)
{
    (void)user;
    (void)address;
    (void)port;
    (void)config;
    *number = lab_socket_id(socket);
    return 0;
}

static int shutdown_there(void *user, uint64_t number, enum smc_how how)
{
    (void)user;
    (void)number;
    (void)how;
    return 0;
}

static int close_there(void *user, uint64_t number)
{
    (void)user;
    (void)number;
    return 0;
}

/* Is it a SYN-ACK of this port? (Ethernet, perhaps a tag, IPv4 or IPv6 without extension headers.) */
static bool is_syn_ack(const uint8_t *b, size_t n, uint16_t port)
{
    size_t at = 12;
    if (n >= 18 && b[at] == 0x81 && b[at + 1] == 0)
        at += 4;
    if (n < at + 2 + 20 + 20)
        return false;
    bool v4 = b[at] == 0x08 && b[at + 1] == 0x00, v6 = b[at] == 0x86 && b[at + 1] == 0xdd;
    at += 2;
    size_t header = v4 ? (size_t)(b[at] & 15) * 4 : 40;
    if ((!v4 && !v6) || (v4 ? b[at + 9] : b[at + 6]) != 6 || n < at + header + 20)
        return false;
    at += header;
    return (b[at] << 8 | b[at + 1]) == port && (b[at + 13] & 0x17) == 0x12;
}

static void frame_in(void *user, const uint8_t *bytes, size_t length)
{
    struct remote_host *r = user;
    if (r->host == NULL)
        return;
    lab_outside_frame(r->host, 0, bytes, length);
    if (r->listener != 0 && is_syn_ack(bytes, length, r->listener_port))
        (void)lab_outside_accepted(r->host, r->listener, FIRST_ACCEPTED + r->accepted++);
}

static const struct lab_outside_ops remote_ops = {.begin = begin,
                                                  .mac = mac,
                                                  .interface = interface,
                                                  .frame = frame_out,
                                                  .listen = listen_there,
                                                  .connect = connect_there,
                                                  .shutdown = shutdown_there,
                                                  .close = close_there};

struct remote_host *remote_host_new(const struct remote_host_config *config, struct live *live)
{
    struct remote_host *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return NULL;
    r->config = *config;
    r->live = live;
    r->outside = (struct lab_outside){.ops = &remote_ops, .user = r, .kind = "somebody else's machine", .address = config->address,
                                      .own_address = config->own, .port = config->port, .mac_unknown = true};
    return r;
}

const struct lab_outside *remote_host_start(struct remote_host *r, struct lab *lab)
{
    r->lab = lab;
    live_carrier_start(r->config.carrier, r->live, frame_in, r);
    return &r->outside;
}

void remote_host_free(struct remote_host *r)
{
    free(r);
}

/* Looking into a running laboratory: its hosts, and what TCP knows of a socket.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_internal.h"

struct lab_host *lab_next_host(struct lab *lab, const struct lab_host *previous)
{
    return previous == NULL ? lab->hosts : previous->next;
}

unsigned lab_host_addresses(const struct lab_host *host, struct smc_gid *out, unsigned room)
{
    unsigned n = 0;
    for (unsigned i = 0; i < host->interface_count; i++) {
        const struct lab_interface *interface = host->interfaces[i];
        for (unsigned p = 0; p < interface->prefix_count; p++, n++)
            if (n < room)
                out[n] = interface->prefixes[p].address;
    }
    return n;
}

static unsigned interface_of(const struct lab_host *host, const struct smc_gid *own)
{
    for (unsigned i = 0; i < host->interface_count; i++)
        for (unsigned p = 0; p < host->interfaces[i]->prefix_count; p++)
            if (memcmp(host->interfaces[i]->prefixes[p].address.bytes, own->bytes, sizeof(own->bytes)) == 0)
                return i + 1;
    return 0;
}

void lab_socket_view(const struct lab_socket *socket, struct lab_socket_view *out)
{
    *out = (struct lab_socket_view){.listening = socket->tcp_listener != NULL, .closed = socket->closed};
    if (out->listening)
        out->own_port = tcp_listener_port(socket->tcp_listener);
    if (socket->tcp == NULL)
        return;
    struct tcp_info info = tcp_info(socket->tcp);
    out->tcp = true;
    memcpy(out->own.bytes, info.local.bytes, sizeof(out->own.bytes));
    memcpy(out->peer.bytes, info.remote.bytes, sizeof(out->peer.bytes));
    out->own_port = info.local_port;
    out->peer_port = info.remote_port;
    out->interface = interface_of(socket->host, &out->own);
}

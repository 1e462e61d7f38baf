/* Neighbours: /proc/net/arp, and a datagram to nobody so that the kernel asks for who is missing there.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/agent/stack/route.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COMPLETE = 2, DISCARD_PORT = 9 };

static bool is_ipv4(const struct smc_gid *gid)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(gid->bytes, mapped, sizeof(mapped)) == 0;
}

static bool parse_mac(const char *text, uint8_t mac[6])
{
    unsigned byte[6];
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &byte[0], &byte[1], &byte[2], &byte[3], &byte[4], &byte[5]) != 6)
        return false;
    for (int i = 0; i < 6; i++)
        mac[i] = (uint8_t)byte[i];
    return true;
}

/* Several interfaces may be of one network: the way is that of the one whose address our GID is. */
static bool interface_of(const struct smc_gid *own, char name[IF_NAMESIZE])
{
    struct ifaddrs *all;
    bool found = false;
    if (getifaddrs(&all) != 0)
        return false;
    for (const struct ifaddrs *i = all; i != NULL && !found; i = i->ifa_next) {
        struct sockaddr_in in;
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET)
            continue;
        memcpy(&in, i->ifa_addr, sizeof(in));
        found = memcmp(&in.sin_addr, own->bytes + 12, 4) == 0 && strlen(i->ifa_name) < IF_NAMESIZE;
        if (found)
            strcpy(name, i->ifa_name);
    }
    freeifaddrs(all);
    return found;
}

static bool look_up(const char *interface, const char *address, uint8_t mac[6])
{
    char line[256], ip[64], hardware[64], device[64];
    unsigned type, flags;
    bool found = false;
    FILE *table = fopen("/proc/net/arp", "re");
    if (table == NULL)
        return false;
    while (!found && fgets(line, sizeof(line), table) != NULL)
        found = sscanf(line, "%63s 0x%x 0x%x %63s %*s %63s", ip, &type, &flags, hardware, device) == 5 && strcmp(ip, address) == 0 &&
                strcmp(device, interface) == 0 && (flags & COMPLETE) != 0 && parse_mac(hardware, mac);
    fclose(table);
    return found;
}

static void provoke(const char *interface, const struct smc_gid *peer)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(DISCARD_PORT)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    memcpy(&to.sin_addr, peer->bytes + 12, 4);
    if (fd < 0)
        return;
    (void)setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)); /* else the routing table's way */
    ssize_t n = sendto(fd, "", 1, MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof(to));
    (void)n; /* asked again in 10 ms */
    close(fd);
}

int stack_route(const struct smc_gid *own, const struct smc_gid *peer, struct smc_route *out)
{
    char address[INET_ADDRSTRLEN], interface[IF_NAMESIZE];
    if (!is_ipv4(own) || !is_ipv4(peer) || inet_ntop(AF_INET, peer->bytes + 12, address, sizeof(address)) == NULL ||
        !interface_of(own, interface))
        return SMC_ERR_UNREACHABLE;
    if (look_up(interface, address, out->next_hop_mac)) {
        out->direct = true;
        return 0;
    }
    provoke(interface, peer);
    return SMC_ERR_WOULDBLOCK;
}

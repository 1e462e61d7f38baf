/* Link-local addresses, between which version 1 speaks where it runs over UDP: the kernel's own come a second after the interface.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "agent_local.h"

#include "agent_netlink.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

enum { TENTATIVE = 0x40 | 0x08 }; /* IFA_F_TENTATIVE, IFA_F_DADFAILED */

static int verb_local(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    const char *name;
    char known[64];
    unsigned scope, flags;
    bool ready = false;
    int status = agent_need(a, line, "name", &name);
    if (status != 0)
        return status;
    FILE *file = fopen("/proc/self/net/if_inet6", "re");
    if (file == NULL)
        return agent_fail(a, errno, "this kernel has no IPv6");
    while (fscanf(file, "%*s %*x %*x %x %x %63s", &scope, &flags, known) == 3)
        ready |= strcmp(known, name) == 0 && scope == 0x20 && (flags & TENTATIVE) == 0;
    fclose(file);
    agent_text_print(answer, " ready=%d", ready);
    return 0;
}

static bool read_mac(const char *name, uint8_t mac[6])
{
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    bool done = ioctl(fd, SIOCGIFHWADDR, &request) == 0;
    memcpy(mac, request.ifr_hwaddr.sa_data, 6);
    close(fd);
    return done;
}

static bool v1_is_over_udp(void)
{
    FILE *file = fopen("/sys/module/smc/parameters/v1_over_udp", "re");
    int value = file != NULL ? fgetc(file) : 'N';
    if (file != NULL)
        fclose(file);
    return value == 'Y';
}

void agent_local_at_once(const char *name, bool up)
{
    uint8_t mac[6];
    struct agent_nl m;
    if (!up || !v1_is_over_udp() || !read_mac(name, mac))
        return;
    const uint8_t address[16] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};
    struct ifaddrmsg head = {.ifa_family = AF_INET6, .ifa_prefixlen = 64, .ifa_flags = IFA_F_NODAD, .ifa_scope = RT_SCOPE_LINK,
                             .ifa_index = if_nametoindex(name)};
    agent_nl_begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
    agent_nl_add(&m, &head, sizeof(head));
    agent_nl_attr(&m, IFA_ADDRESS, address, sizeof(address));
    (void)agent_nl_talk(NETLINK_ROUTE, &m, NULL, NULL); /* else the kernel's own is waited for */
}

const struct agent_verb agent_verbs_local[] = {{"local", "name", verb_local}, {NULL, NULL, NULL}};
